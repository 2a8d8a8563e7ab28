package measure

import (
	"context"
	"fmt"

	"hotline/internal/db"
	"hotline/internal/job"
)

// Recounted is the outcome of a recount.
type Recounted struct {
	Tickets int64 // looked at
	Rows    int64 // rows that differ from the events
	Cells   int64 // counters that differ from the rows
	First   string
}

// Diff is how many numbers are wrong; 0 is as it must be.
func (r Recounted) Diff() int64 { return r.Rows + r.Cells }

func (r *Recounted) wrong(n *int64, what string, args ...any) {
	*n++
	if r.First == "" {
		r.First = fmt.Sprintf(what, args...)
	}
}

// Recount computes every ticket's rows anew from its events and compares them
// with what the follower keeps, then every counter from the rows. It reads in
// small pieces and works beside the running platform: a ticket that differs
// because it changes just now is looked at again after the follower has passed.
func (s *Service) Recount(ctx context.Context, progress func(done, total int64)) (Recounted, error) {
	var out Recounted
	if _, err := s.CatchUp(ctx); err != nil {
		return out, err
	}
	head, err := s.Log.Cursor(ctx, follower)
	if err != nil {
		return out, err
	}
	var again []int64
	for seq := int64(0); seq < head; {
		evs, err := s.Log.After(ctx, seq, 1000)
		if err != nil {
			return out, err
		}
		if len(evs) == 0 {
			break
		}
		for _, e := range evs {
			seq = e.Seq
			if e.Kind != "ticket.create" || e.Seq > head {
				continue
			}
			out.Tickets++
			same, _, err := s.recountTicket(ctx, e.SubjectID)
			if err != nil {
				return out, err
			}
			if !same {
				again = append(again, e.SubjectID)
			}
		}
		if progress != nil {
			progress(seq, head)
		}
	}
	if len(again) > 0 {
		if _, err := s.CatchUp(ctx); err != nil {
			return out, err
		}
	}
	for _, id := range again {
		same, why, err := s.recountTicket(ctx, id)
		if err != nil {
			return out, err
		}
		if !same {
			out.wrong(&out.Rows, "工单 %d：%s", id, why)
		}
	}
	return out, s.recountCells(ctx, &out)
}

// recountTicket replays one ticket up to where the follower has come.
func (s *Service) recountTicket(ctx context.Context, id int64) (same bool, why string, err error) {
	at, err := s.Log.Cursor(ctx, follower)
	if err != nil {
		return false, "", err
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		evs, err := s.Log.BySubject(tx, "ticket", id)
		if err != nil {
			return err
		}
		b := newBook()
		b.special = s.special(tx)
		for _, e := range evs {
			if ours(e) && e.Seq > 0 && e.Seq <= at {
				if err := b.apply(e); err != nil {
					return err
				}
			}
		}
		have, err := loadRows(tx, []int64{id})
		if err != nil {
			return err
		}
		same = len(have) == len(b.rows)
		why = fmt.Sprintf("%d 行，应为 %d 行", len(have), len(b.rows))
		for _, r := range have {
			want := b.rows[r.key()]
			if want == nil || *want != *r {
				same, why = false, fmt.Sprintf("%+v，应为 %+v", *r, want)
			}
		}
		return nil
	})
	return same, why, err
}

// recountCells adds up the rows of each platform and compares the counters.
func (s *Service) recountCells(ctx context.Context, out *Recounted) error {
	return s.DB.View(ctx, func(tx *db.Tx) error {
		platforms, err := db.All(tx, func(sc db.Scanner) (id int64, err error) { return id, sc.Scan(&id) },
			`SELECT platform FROM stat_row UNION SELECT platform FROM stat_day`)
		if err != nil {
			return err
		}
		for _, p := range platforms {
			cells := map[cell]*vec{}
			if _, err := db.All(tx, func(sc db.Scanner) (none struct{}, err error) {
				r, err := scanRow(sc)
				if err == nil {
					r.contribute(cells, 1)
				}
				return none, err
			}, `SELECT `+rowColumns+` FROM stat_row WHERE platform = $1`, p); err != nil {
				return err
			}
			if _, err := db.All(tx, func(sc db.Scanner) (none struct{}, err error) {
				c := cell{platform: p}
				var v vec
				if err = scanVec(sc, &v, &c.axis, &c.key, &c.day); err != nil {
					return none, err
				}
				want := cells[c]
				delete(cells, c)
				if want == nil {
					want = &vec{}
				}
				if *want != v {
					out.wrong(&out.Cells, "计数 %+v：%v，应为 %v", c, v, *want)
				}
				return none, nil
			}, `SELECT axis, key, day, `+cellColumns+` FROM stat_day WHERE platform = $1`, p); err != nil {
				return err
			}
			for c, v := range cells {
				if !v.zero() {
					out.wrong(&out.Cells, "计数 %+v 缺失，应为 %v", c, *v)
				}
			}
		}
		return nil
	})
}

// Rebuild forgets all counts; the follower counts everything anew.
func (s *Service) Rebuild(ctx context.Context) error {
	return s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
		for _, t := range []string{"stat_row", "stat_day"} {
			if _, err := tx.Exec(`DELETE FROM ` + t); err != nil {
				return err
			}
		}
		return s.Log.SetCursor(tx, follower, 0)
	})
}

// JobRecount is the kind of the job that recounts.
const JobRecount = "measure.recount"

// RegisterJobs tells the queue about the room's jobs.
func (s *Service) RegisterJobs(q *job.Queue) {
	q.Handle(JobRecount, func(ctx context.Context, j *job.Running) error {
		got, err := s.Recount(ctx, func(done, total int64) { j.Progress(done, total, "正在重新计算统计数") })
		if err != nil {
			return err
		}
		j.SetResult(fmt.Sprintf("核对工单%d件，差异%d处。", got.Tickets, got.Diff()))
		if got.Diff() > 0 {
			return job.Permanent(fmt.Errorf("measure: recount found %d differences: %s", got.Diff(), got.First))
		}
		return nil
	})
}
