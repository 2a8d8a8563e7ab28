package text

import (
	"context"
	"database/sql"
	"errors"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// recent is how long conversations that are over stay in the list.
const recent = 24 * 3600 * 1000

func errTalk() error {
	return fault.NotFound("text_absent", "没有这个文字会话，或它不在您的查看范围内。")
}

// mine tells whether the actor may see a conversation: a seat its own, whoever
// leads a centre (班长) those of the centre.
func (s *Service) mine(a access.Actor, t *Talk) bool {
	return t.Seat == a.Account || a.May(access.Listen) && a.Role != access.Inspector && s.Org.Tree().Under(s.Org.Tree().Platform(a.Unit).ID, t.Platform)
}

// List gives the actor's conversations that are open or were of late, the
// newest words first. It says nothing of what was written.
func (s *Service) List(ctx context.Context, a access.Actor) (out []*Talk, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		list, err := db.All(tx, scanTalk, `SELECT `+talkColumns+` FROM text_talk WHERE (seat = $1 OR platform = $2) AND made > $3 ORDER BY last_at DESC, id DESC LIMIT 200`,
			a.Account, s.Org.Tree().Platform(a.Unit).ID, tx.NowMS()-Life.Milliseconds()-recent)
		out = nil
		for _, t := range list {
			if s.mine(a, t) {
				out = append(out, t)
			}
		}
		return err
	})
	return out, err
}

func (s *Service) get(tx *db.Tx, a access.Actor, id int64) (*Talk, error) {
	t, err := db.One(tx, scanTalk, `SELECT `+talkColumns+` FROM text_talk WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !s.mine(a, t) {
		return nil, errTalk()
	}
	return t, err
}

// Read gives what was written, in the clear; the entry of the audit comes first.
// It fails with text_absent.
func (s *Service) Read(ctx context.Context, log *audit.Log, a access.Actor, id int64) (t *Talk, lines []Line, err error) {
	if err = s.DB.View(ctx, func(tx *db.Tx) (err error) { t, err = s.get(tx, a, id); return err }); err != nil {
		return nil, nil, err
	}
	if err = log.Seen(ctx, audit.Entry{Actor: a.Account, Account: a.Username, Role: string(a.Role), Unit: a.Unit, Op: "text.view", SubjectKind: "text", Subject: id, Count: 1, IP: a.IP}); err != nil {
		return nil, nil, err
	}
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) { lines, err = s.lines(tx, t, true); return err })
	if err == nil && t.Unread > 0 && t.Seat == a.Account {
		err = s.DB.Update(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE text_talk SET unread = 0 WHERE id = $1 AND last_at <= $2`, id, t.LastAt) // a word that came since is unread
			return err
		})
	}
	return t, lines, err
}

// Answer adds what a seat wrote; a 班长 who answers takes the conversation over.
// record writes the audit in the same transaction.
func (s *Service) Answer(ctx context.Context, a access.Actor, id int64, key, words string, record func(*db.Tx) error) error {
	words, err := message(words)
	if err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		t, err := s.get(tx, a, id)
		if err != nil {
			return err
		}
		if t.Over(tx.NowMS()) {
			return fault.Conflict("text_closed", "会话已结束，不能再发送。")
		}
		if t.Seat != a.Account {
			if _, err := tx.Exec(`UPDATE text_talk SET seat = $1 WHERE id = $2`, a.Account, id); err != nil {
				return err
			}
		}
		if _, err := s.add(tx, t, "seat", a.Account, key, words); err != nil {
			return err
		}
		return record(tx)
	})
}

// Close ends a conversation; ending it twice is harmless.
func (s *Service) Close(ctx context.Context, a access.Actor, id int64, record func(*db.Tx) error) error {
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		t, err := s.get(tx, a, id)
		if err != nil || t.State == Closed {
			return err
		}
		if _, err := tx.Exec(`UPDATE text_talk SET state = 'closed', unread = 0 WHERE id = $1`, id); err != nil {
			return err
		}
		return record(tx)
	})
}

// Number is the caller's number, for the draft of a ticket; whoever calls it has
// audited that.
func (s *Service) Number(ctx context.Context, call int64) (number string, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		c, err := s.CDR.Peek(tx, call)
		if err == nil {
			number, err = s.CDR.OpenNumber(c)
		}
		return err
	})
	return number, err
}
