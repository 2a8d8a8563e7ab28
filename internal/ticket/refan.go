package ticket

import (
	"context"
	"fmt"
	"time"

	"hotline/internal/db"
	"hotline/internal/job"
	"hotline/internal/org"
)

// JobRefan is the kind of the job that a move of a unit in the tree enqueues.
const JobRefan = "worklist.refan"

// Refan is the job's payload: the unit that hangs elsewhere now.
type Refan struct {
	Unit int64 `json:"unit"`
}

// refanSchema keeps how far an unfinished job has come.
const refanSchema = `CREATE TABLE worklist_refan (job BIGINT PRIMARY KEY, after BIGINT NOT NULL, n BIGINT NOT NULL)`

const (
	// refanAfter is how long after a move its job begins: by then every process
	// has the new tree, and no step that began under the old one is still to come.
	refanAfter = 5 * time.Second
	// refanChunk is how many tickets one transaction takes.
	refanChunk = 50
)

// RefanAfterMove is what org calls in the transaction of a move.
func RefanAfterMove(q *job.Queue) func(*db.Tx, org.By, int64, time.Time) error {
	return func(tx *db.Tx, by org.By, unit int64, from time.Time) error {
		begin := tx.Now()
		if from.After(begin) {
			begin = from
		}
		_, err := q.Enqueue(tx, job.Spec{Kind: JobRefan, Key: fmt.Sprintf("%d@%d", unit, from.UnixMilli()), Payload: Refan{unit}, RunAt: begin.Add(refanAfter), CreatedBy: by.Account})
		return err
	}
}

// RefanJob writes the worklist rows of all tickets at or below a moved unit
// anew, so that its new superiors see them and its old ones no longer do. It
// goes on where it was broken off, and stands being run twice.
func (s *Service) RefanJob(ctx context.Context, j *job.Running) error {
	var p Refan
	if err := j.Decode(&p); err != nil {
		return err
	}
	if err := s.Org.Refresh(ctx); err != nil {
		return err
	}
	var last, done, total int64
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		// Every ticket below the unit has a row of the unit itself, wherever it hangs.
		if total, err = db.Int(tx, `SELECT count(DISTINCT ticket) FROM worklist WHERE unit = $1`, p.Unit); err != nil {
			return err
		}
		marks, err := db.All(tx, func(sc db.Scanner) (m [2]int64, err error) { return m, sc.Scan(&m[0], &m[1]) }, `SELECT after, n FROM worklist_refan WHERE job = $1`, j.ID)
		if err == nil && len(marks) > 0 {
			last, done = marks[0][0], marks[0][1]
		}
		return err
	})
	for err == nil {
		var ids []int64
		err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
			ids, err = db.All(tx, func(sc db.Scanner) (id int64, err error) { return id, sc.Scan(&id) },
				`SELECT DISTINCT ticket FROM worklist WHERE unit = $1 AND ticket > $2 ORDER BY ticket LIMIT $3`, p.Unit, last, refanChunk)
			return err
		})
		if err != nil || len(ids) == 0 {
			break
		}
		next, n := ids[len(ids)-1], done+int64(len(ids))
		err = s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
			for _, id := range ids {
				if err := s.refan(tx, id); err != nil {
					return fmt.Errorf("ticket %d: refan: %w", id, err)
				}
			}
			_, err := tx.Exec(`INSERT INTO worklist_refan (job, after, n) VALUES ($1,$2,$3) ON CONFLICT (job) DO UPDATE SET after = excluded.after, n = excluded.n`, j.ID, next, n)
			return err
		})
		if err == nil {
			last, done = next, n
			j.Progress(done, max(total, done), fmt.Sprintf("已调整%d件", done))
		}
	}
	if err != nil {
		return err
	}
	j.SetResult(fmt.Sprintf("已按新的隶属关系调整%d件工单的可见范围。", done))
	return s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM worklist_refan WHERE job = $1`, j.ID)
		return err
	})
}

// refan brings a ticket's worklist rows in line with the tree of now. Touching
// the row of the ticket makes a step taken at the same moment wait or rerun.
func (s *Service) refan(tx *db.Tx, id int64) error {
	t, err := load(tx, id)
	if err != nil {
		return err
	}
	w := &work{s: s, tx: tx, t: t, now: tx.NowMS()}
	moved := w.stand(s.Org.Tree())
	if _, err := tx.Exec(`UPDATE ticket SET places = $1 WHERE id = $2`, t.stands, id); err != nil {
		return err
	}
	return moved.send(tx, t)
}
