package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/job"
	"hotline/internal/org"
)

// A department that moves to another county takes its tickets along: the new
// county sees them, the old one no longer does, and what anybody holds stays.
func TestMovedUnitTakesItsTicketsAlong(t *testing.T) {
	dbtest.Each(t, append(schemas(), job.Schema()), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		ctx := context.Background()
		w := newWorld(t, d, c)
		other, err := w.s.Org.Create(ctx, org.By{}, org.NewUnit{Code: "C420111-b", Name: "东湖高新区承办中心", Kind: org.KindCounty, Region: "420111", ParentCode: "P420100"})
		if err != nil {
			t.Fatal(err)
		}
		w.units["C420111-b"] = other
		q := job.New(d)
		w.s.Org.OnMoved = RefanAfterMove(q)

		dispatcher, dept := w.who(access.Dispatcher, "P420100"), w.units["D420111-chengguan"].ID
		var ids []int64
		for range refanChunk + 10 {
			made := w.create(nil)
			w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": dept})
			ids = append(ids, made.ID)
		}
		w.must(w.who(access.Handler, "D420111-chengguan"), ids[3], "sign", nil)
		kept := w.create(nil) // the old county's own
		w.must(dispatcher, kept.ID, "dispatch", map[string]any{"unit": w.units["C420111"].ID})

		seen := func(unit int64) (out []int64) {
			t.Helper()
			if err := d.View(ctx, func(tx *db.Tx) (err error) {
				out, err = db.All(tx, func(sc db.Scanner) (id int64, err error) { return id, sc.Scan(&id) }, `SELECT DISTINCT ticket FROM worklist WHERE unit = $1 ORDER BY ticket`, unit)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return out
		}
		rows := func() (out []string) {
			t.Helper()
			if err := d.View(ctx, func(tx *db.Tx) (err error) {
				out, err = db.All(tx, func(sc db.Scanner) (string, error) {
					var a, b, c int64
					var s string
					err := sc.Scan(&a, &b, &c, &s)
					return fmt.Sprint(a, b, c, s), err
				}, `SELECT unit, ticket, assignment, state FROM worklist ORDER BY unit, ticket, assignment`)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return out
		}
		if got := seen(w.units["C420111"].ID); len(got) != len(ids)+1 || len(seen(other.ID)) != 0 {
			t.Fatalf("before: %d and %d", len(got), len(seen(other.ID)))
		}
		if _, err := w.s.Org.Move(ctx, org.By{}, dept, other.ID, c.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		run := func(want int) {
			t.Helper()
			if n, err := q.RunOnce(ctx); n != want || err != nil {
				t.Fatalf("%d runs, want %d: %v", n, want, err)
			}
		}
		run(0)
		c.Advance(time.Hour + refanAfter)

		// Broken off after the first piece, it goes on with the second.
		pieces := 0
		q.Handle(JobRefan, func(ctx context.Context, j *job.Running) error {
			if pieces++; pieces > 1 {
				return w.s.RefanJob(ctx, j)
			}
			if err := d.Update(ctx, func(tx *db.Tx) error {
				if err := w.s.Org.Refresh(ctx); err != nil {
					return err
				}
				for _, id := range ids[:refanChunk] {
					if err := w.s.refan(tx, id); err != nil {
						return err
					}
				}
				_, err := tx.Exec(`INSERT INTO worklist_refan (job, after, n) VALUES ($1,$2,$3)`, j.ID, ids[refanChunk-1], refanChunk)
				return err
			}); err != nil {
				return err
			}
			return errors.New("power cut")
		})
		run(1)
		if n := len(seen(other.ID)); n != refanChunk {
			t.Errorf("after the first piece the new county sees %d", n)
		}
		c.Advance(time.Hour)
		run(1)
		if got := seen(other.ID); !slices.Equal(got, ids) {
			t.Errorf("the new county sees %d", len(got))
		}
		if got := seen(w.units["C420111"].ID); len(got) != 1 || got[0] != kept.ID {
			t.Errorf("the old county still sees %d", len(got))
		}
		if got := seen(w.units["P420100"].ID); len(got) != len(ids)+1 {
			t.Errorf("the city sees %d", len(got))
		}
		if left, err := q.DeadJobs(ctx, 10); err != nil || len(left) != 0 {
			t.Errorf("%v %v", left, err)
		}

		// Again, by hand: nothing changes; and the next step keeps it so.
		was := rows()
		if err := d.Update(ctx, func(tx *db.Tx) error {
			for _, id := range append(ids, kept.ID) {
				if err := w.s.refan(tx, id); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(rows(), was) {
			t.Error("a second run changes rows")
		}
		w.must(w.who(access.Handler, "D420111-chengguan"), ids[0], "sign", nil)
		if got := seen(w.units["C420111"].ID); len(got) != 1 {
			t.Errorf("after a step the old county sees %d", len(got))
		}
	})
}
