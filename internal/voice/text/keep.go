package text

import (
	"context"
	"strconv"
	"time"

	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/voice/cdr"
)

// batch is how many conversations one piece looks at.
const batch = 100

// Expire destroys the words of the conversations whose period is over and whose
// call nothing keeps, and shreds their keys. It is done in pieces, each counted
// in the audit, and may be broken off and done again.
func (s *Service) Expire(ctx context.Context, log *audit.Log, k cdr.Keeping) (n int64, err error) {
	type due struct{ talk, last, call, ticket int64 }
	for after := (due{}); ; {
		var done int64
		last := after
		err := s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
			done, last = 0, after
			cutoff := tx.NowMS() - int64(k.Text)*24*time.Hour.Milliseconds()
			list, err := db.All(tx, func(sc db.Scanner) (d due, err error) {
				return d, sc.Scan(&d.talk, &d.last, &d.call, &d.ticket)
			}, `SELECT t.id, t.last_at, t.call_id, c.ticket FROM text_talk t JOIN voice_call c ON c.id = t.call_id WHERE t.state <> 'expired' AND t.last_at < $1 AND (t.last_at > $2 OR t.last_at = $2 AND t.id > $3)
 ORDER BY t.last_at, t.id LIMIT $4`, cutoff, after.last, after.talk, batch)
			if err != nil {
				return err
			}
			first := int64(0)
			for _, d := range list {
				last = d
				kept, err := s.CDR.Kept(tx, d.call, d.ticket, cutoff)
				if err != nil {
					return err
				}
				if kept {
					continue
				}
				if _, err := tx.Exec(`DELETE FROM text_line WHERE talk = $1`, d.talk); err != nil {
					return err
				}
				if _, err := tx.Exec(`UPDATE text_talk SET state = 'expired', unread = 0, dek = $1 WHERE id = $2`, []byte{}, d.talk); err != nil {
					return err
				}
				if done++; done == 1 {
					first = d.talk
				}
			}
			if done == 0 {
				return nil
			}
			return log.Record(tx, audit.Entry{Op: "text.expire", SubjectKind: "text", Subject: first, Count: int(done), Query: strconv.Itoa(k.Text)})
		})
		n += done
		if err != nil || last == after {
			return n, err
		}
		after = last
	}
}
