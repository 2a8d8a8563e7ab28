package flow

import (
	"context"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/voice/cdr"
)

// leads tells whether a session of 领导接听 gives the account a seat now.
func (x *Exchange) leads(ctx context.Context, a access.Actor) bool {
	s, ok, err := x.CDR.LeaderNow(ctx, a.Account)
	if err != nil || !ok {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.leader[a.Account] = s
	return true
}

// leaderTook puts a call that a leader answered on the follow-up board.
func (x *Exchange) leaderTook(s *seat, c *call) {
	session := x.leader[s.actor.Account]
	if x.ms() > session.To {
		delete(x.leader, s.actor.Account)
		return
	}
	item := cdr.LeaderItem{ID: x.DB.NewID(), Session: session.ID, Call: c.rec.ID, State: "open", Due: x.ms() + int64(x.now().FollowUp)*24*3600*1000, At: x.ms()}
	c.rec.Flag("leader")
	x.journal.write(func(tx *db.Tx) error { return x.CDR.SaveLeaderItem(tx, item) })
}
