package cdr

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/policy"
	"hotline/internal/ticket"
)

// PolicyKeep is the policy kind of how long what was said is kept (话音保存期限).
const PolicyKeep = "voice_keep"

// Expired is the state of a recording that was destroyed (已按期销毁).
const Expired = "expired"

// Keeping (保存期限) says for how many days what was said is kept, from the end of
// the call or of its ticket, whichever is later.
type Keeping struct {
	Recording int `json:"recording_days"` // 录音和转写
	Text      int `json:"text_days"`      // 文字会话
}

const defaultKeeping = `{"recording_days": 730, "text_days": 730}`

// The bounds of a period in days: logs of half a year are the law's least
// (网络安全法), and what is kept for ever is kept without need (个人信息保护法).
const (
	leastDays = 180
	mostDays  = 3650
)

// ParseKeeping reads the periods.
func ParseKeeping(doc []byte) (Keeping, error) {
	var k Keeping
	if err := json.Unmarshal(doc, &k); err != nil {
		return k, fault.Invalid("keep_invalid", "话音保存期限不是有效的 JSON。").Because(err)
	}
	return k, nil
}

// RegisterPolicies tells the store about the periods.
func RegisterPolicies(p *policy.Store) {
	p.Register(PolicyKeep, policy.Kind{Label: "话音保存期限", Default: func() []byte { return []byte(defaultKeeping) }, Validate: validateKeeping})
}

func validateKeeping(doc, _ []byte) error {
	k, err := ParseKeeping(doc)
	if err != nil {
		return err
	}
	for name, days := range map[string]int{"录音和转写": k.Recording, "文字会话": k.Text} {
		if days < leastDays || days > mostDays {
			return fault.Invalid("keep_invalid", "%s的保存期限应为%d至%d天。", name, leastDays, mostDays)
		}
	}
	return nil
}

// lock makes whoever would hold or destroy what a call left wait for the other.
func lock(tx *db.Tx, call int64) error {
	_, err := tx.Exec(`UPDATE voice_call SET ended = ended WHERE id = $1`, call)
	return err
}

// Kept tells whether a call must be kept beyond its period: it is on hold, its
// ticket is not closed or was closed after the moment, a supervision of it is
// open, or a leader's follow-up waits. Nobody can hold it until tx has ended.
func (s *Service) Kept(tx *db.Tx, call, ticketID, closed int64) (bool, error) {
	if err := lock(tx, call); err != nil {
		return true, err
	}
	if n, err := db.Int(tx, `SELECT count(*) FROM voice_hold WHERE call_id = $1 AND lifted = 0`, call); err != nil || n > 0 {
		return true, err
	}
	if n, err := db.Int(tx, `SELECT count(*) FROM voice_leader_item WHERE call_id = $1 AND state <> 'done'`, call); err != nil || n > 0 {
		return true, err
	}
	if ticketID == 0 {
		return false, nil
	}
	t, err := s.Tickets.Peek(tx, ticketID)
	if err != nil || !ticket.Final(t.Status) || t.ClosedAt > closed {
		return true, err
	}
	return s.Watched(tx, ticketID)
}

// batch is how many one piece looks at.
const batch = 100

// What is due, in the order of its beginning: recordings, and the sentences of
// calls, those too that have no recording.
var dues = []string{
	`SELECT c.id, r.began, c.ticket FROM voice_recording r JOIN voice_call c ON c.id = r.call_id WHERE r.state <> 'expired' AND r.began < $1 AND (r.began > $2 OR r.began = $2 AND c.id > $3)
 AND c.ended > 0 AND c.ended < $1 ORDER BY r.began, c.id LIMIT $4`,
	`SELECT c.id, w.from_at, c.ticket FROM voice_transcript w JOIN voice_call c ON c.id = w.call_id WHERE w.from_at < $1 AND (w.from_at > $2 OR w.from_at = $2 AND c.id > $3)
 AND c.ended > 0 AND c.ended < $1 ORDER BY w.from_at, c.id LIMIT $4`,
}

// due is a call whose period may be over.
type due struct{ call, began, ticket int64 }

func scanDue(sc db.Scanner) (d due, err error) { return d, sc.Scan(&d.call, &d.began, &d.ticket) }

// Expire destroys the recordings and transcripts whose period is over and that
// nothing keeps: remove takes a recording's file away and must not mind that it
// is gone already. It is done in pieces, each counted in the audit, and may be
// broken off and done again. It gives how many calls were cleared.
func (s *Service) Expire(ctx context.Context, log *audit.Log, k Keeping, remove func(rec string) error) (calls int64, err error) {
	for _, query := range dues {
		for after := (due{}); ; {
			n, next, err := s.expire(ctx, log, k, remove, query, after)
			calls += n
			if err != nil {
				return calls, err
			}
			if next == after {
				break
			}
			after = next
		}
	}
	return calls, nil
}

// expire does the next piece after a call and says where it stopped. A file goes
// before its row says so: a file without a row would never be found.
func (s *Service) expire(ctx context.Context, log *audit.Log, k Keeping, remove func(rec string) error, query string, after due) (n int64, last due, err error) {
	err = s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
		var calls []int64
		n, last = 0, after
		cutoff := tx.NowMS() - int64(k.Recording)*24*time.Hour.Milliseconds()
		list, err := db.All(tx, scanDue, query, cutoff, after.began, after.call, batch)
		if err != nil {
			return err
		}
		for _, d := range list {
			last = d
			if slices.Contains(calls, d.call) {
				continue
			}
			if kept, err := s.Kept(tx, d.call, d.ticket, cutoff); err != nil {
				return err
			} else if kept {
				continue
			}
			if err := destroy(tx, d.call, remove); err != nil {
				return err
			}
			calls = append(calls, d.call)
		}
		if len(calls) == 0 {
			return nil
		}
		n = int64(len(calls))
		return log.Record(tx, audit.Entry{Op: "voice.expire", SubjectKind: "call", Subject: calls[0], Count: len(calls), Query: strconv.Itoa(k.Recording)})
	})
	if err != nil {
		return 0, last, err
	}
	return n, last, nil
}

// destroy removes what was said in a call.
func destroy(tx *db.Tx, call int64, remove func(rec string) error) error {
	recs, err := db.All(tx, func(sc db.Scanner) (r string, err error) { return r, sc.Scan(&r) }, `SELECT rec FROM voice_recording WHERE call_id = $1 AND state <> 'expired'`, call)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		if err := remove(rec); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`UPDATE voice_recording SET state = 'expired' WHERE call_id = $1`, call); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM voice_transcript WHERE call_id = $1`, call)
	return err
}

// CloseSpans ends the seats' states that are open, at a moment; 0 is for those that
// a killed process left: the last moment of which anything is known, that of the
// newest event.
func (s *Service) CloseSpans(ctx context.Context, at int64) (n int64, err error) {
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		last, err := at, error(nil)
		if at == 0 {
			last, err = s.Log.LastAt(tx)
		}
		if err == nil {
			n, err = tx.Exec(`UPDATE voice_state SET to_at = CASE WHEN from_at > $1 THEN from_at ELSE $1 END WHERE to_at = 0`, last)
		}
		return err
	})
	return n, err
}
