package cdr

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// LeaderSession is a time in which a leader answers calls himself (领导接听).
type LeaderSession struct {
	ID, Platform, Leader int64
	Title                string
	From, To             int64
	By                   int64
	Cancelled            int64  // ms UTC at which it was called off, 0 = it stands
	Reason               string // why it was
	CancelledBy          int64
}

// LeaderItem is a call that a leader answered, until its matter is done.
type LeaderItem struct {
	ID, Session, Call, Ticket int64
	State                     string // open, done
	Note                      string
	Due, At                   int64
}

// AddLeaderSession plans a session.
func (s *Service) AddLeaderSession(ctx context.Context, by access.Actor, l LeaderSession) (LeaderSession, error) {
	switch {
	case l.Leader == 0:
		return l, fault.Invalid("leader_needed", "请选择接听的领导。").At(fault.Field{Name: "leader", Detail: "请选择账号。"})
	case l.To <= l.From || l.To-l.From > 12*3600*1000 || l.To < clock.Millis(s.DB.Clock().Now()):
		return l, fault.Invalid("session_time", "接听时段应在今后，且不超过12小时。").At(fault.Field{Name: "to", Detail: "请重新选择时间。"})
	case zh.Len(l.Title) < 2 || zh.Len(l.Title) > 60:
		return l, fault.Invalid("title_needed", "请填写2至60字的主题。").At(fault.Field{Name: "title", Detail: "应为2至60字。"})
	}
	l.Platform, l.By = s.Org.Tree().Platform(by.Unit).ID, by.Account
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		l.ID = tx.NewID()
		_, err := tx.Exec(`INSERT INTO voice_leader (id, platform, leader, title, from_at, to_at, made_by) VALUES ($1,$2,$3,$4,$5,$6,$7)`, l.ID, l.Platform, l.Leader, l.Title, l.From, l.To, l.By)
		return err
	})
	return l, err
}

func scanSession(sc db.Scanner) (l LeaderSession, err error) {
	err = sc.Scan(&l.ID, &l.Platform, &l.Leader, &l.Title, &l.From, &l.To, &l.By, &l.Cancelled, &l.Reason, &l.CancelledBy)
	return l, err
}

const sessionQuery = `SELECT l.id, l.platform, l.leader, l.title, l.from_at, l.to_at, l.made_by, COALESCE(c.at, 0), COALESCE(c.reason, ''), COALESCE(c.by_account, 0)
 FROM voice_leader l LEFT JOIN voice_leader_cancel c ON c.session = l.id WHERE `

// CancelLeaderSession calls a session off that is not over, with a reason that its
// page shows. It fails with reason_needed, session_absent, session_over,
// session_cancelled.
func (s *Service) CancelLeaderSession(ctx context.Context, log *audit.Log, by access.Actor, id int64, reason string) (l LeaderSession, err error) {
	reason = zh.Redact(strings.TrimSpace(reason))
	if zh.Len(reason) < 2 || zh.Len(reason) > 200 {
		return l, fault.Invalid("reason_needed", "请填写2至200字的取消原因。").At(fault.Field{Name: "reason", Detail: "应为2至200字。"})
	}
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		l, err = db.One(tx, scanSession, sessionQuery+`l.id = $1 AND l.platform = $2`, id, s.Org.Tree().Platform(by.Unit).ID)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fault.NotFound("session_absent", "没有这场领导接听，或它不在您的管理范围内。")
		case err != nil:
			return err
		case l.Cancelled > 0:
			return fault.Conflict("session_cancelled", "这场领导接听已经取消。")
		case l.To <= tx.NowMS():
			return fault.Conflict("session_over", "这场领导接听已经结束，不能取消。")
		}
		l.Cancelled, l.Reason, l.CancelledBy = tx.NowMS(), reason, by.Account
		if _, err := tx.Exec(`INSERT INTO voice_leader_cancel (session, reason, by_account, at) VALUES ($1,$2,$3,$4)`, l.ID, l.Reason, l.CancelledBy, l.Cancelled); err != nil {
			return err
		}
		e := entryOf(by, "leader.cancel", l.ID, reason)
		e.SubjectKind = "leader"
		return log.Record(tx, e)
	})
	return l, err
}

// LeaderNow is the session that gives the account a seat now.
func (s *Service) LeaderNow(ctx context.Context, account int64) (l LeaderSession, ok bool, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		l, err = db.One(tx, scanSession, sessionQuery+`l.leader = $1 AND l.from_at <= $2 AND l.to_at > $2 AND c.at IS NULL ORDER BY l.id DESC LIMIT 1`, account, tx.NowMS())
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return l, false, nil
	}
	return l, err == nil, err
}

// LeaderSessions lists the sessions of an actor's platform, newest first.
func (s *Service) LeaderSessions(ctx context.Context, a access.Actor) (out []LeaderSession, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanSession, sessionQuery+`l.platform = $1 ORDER BY l.from_at DESC LIMIT 200`, s.Org.Tree().Platform(a.Unit).ID)
		return err
	})
	return out, err
}

// SaveLeaderItem puts a call on the board.
func (s *Service) SaveLeaderItem(tx *db.Tx, i LeaderItem) error {
	_, err := tx.Exec(`INSERT INTO voice_leader_item (id, session, call_id, ticket, state, note, due, at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`, i.ID, i.Session, i.Call, i.Ticket, i.State, i.Note, i.Due, i.At)
	return err
}

// LeaderItems is the follow-up board of a session (领导接听跟踪).
func (s *Service) LeaderItems(ctx context.Context, a access.Actor, session int64) (out []LeaderItem, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, func(sc db.Scanner) (i LeaderItem, err error) {
			return i, sc.Scan(&i.ID, &i.Session, &i.Call, &i.Ticket, &i.State, &i.Note, &i.Due, &i.At)
		}, `SELECT i.id, i.session, i.call_id, i.ticket, i.state, i.note, i.due, i.at FROM voice_leader_item i JOIN voice_leader l ON l.id = i.session WHERE i.session = $1 AND l.platform = $2 ORDER BY i.id`, session, s.Org.Tree().Platform(a.Unit).ID)
		return err
	})
	return out, err
}

// CloseLeaderItem says what came of a matter.
func (s *Service) CloseLeaderItem(ctx context.Context, a access.Actor, id int64, note string) error {
	if zh.Len(note) < 2 || zh.Len(note) > 300 {
		return fault.Invalid("note_needed", "请填写2至300字的办理情况。").At(fault.Field{Name: "note", Detail: "应为2至300字。"})
	}
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE voice_leader_item SET state = 'done', note = $1 WHERE id = $2 AND state = 'open' AND session IN (SELECT id FROM voice_leader WHERE platform = $3)`, zh.Redact(note), id, s.Org.Tree().Platform(a.Unit).ID)
		if err == nil && n == 0 {
			return fault.NotFound("item_absent", "没有这条跟踪事项，或它已办结。")
		}
		return err
	})
}
