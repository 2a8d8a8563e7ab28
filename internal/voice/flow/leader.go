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

// untilOver takes a leader off duty when his session ends: at once, or after the
// talk that he is in.
func (x *Exchange) untilOver(ctx context.Context, s *seat) {
	session, ok := x.leader[s.actor.Account]
	if !ok || MaySit(s.actor) {
		return
	}
	s.over.stop()
	s.over = x.after(int((session.To-x.ms()+999)/1000), func() {
		s.over = nil
		switch now := x.leader[s.actor.Account]; {
		case x.seats[s.id] != s:
		case now.To > x.ms(): // the next session has begun
			x.untilOver(ctx, s)
		case s.call != 0:
			x.acd.SetIdle(x.ms(), s.id)
			s.push(Message{Type: "notice", Code: "session_over", Text: "本场领导接听时段已结束，这一通结束后不再派来电。"})
		default:
			s.push(Message{Type: "notice", Code: "session_over", Text: "本场领导接听时段已结束，席位已签出。"})
			x.signOff(ctx, s, "领导接听时段结束")
		}
	})
}

// SessionCancelled takes a leader off duty whose session was called off: at once,
// or after the talk that he is in.
func (x *Exchange) SessionCancelled(ctx context.Context, session int64) error {
	return x.do(ctx, func() error {
		for account, l := range x.leader {
			if l.ID != session {
				continue
			}
			l.To = x.ms()
			x.leader[account] = l
			if s := x.seats[seatName(account)]; s != nil {
				x.untilOver(ctx, s)
			}
		}
		return nil
	})
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
