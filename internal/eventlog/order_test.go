package eventlog_test

import (
	"fmt"
	"testing"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"

	"pgregory.net/rapid"
)

func TestAlgorithmIsChosenOnce(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		if err := l.UseAlgorithm(t.Context(), eventlog.SM3); err != nil {
			t.Fatal(err)
		}
		changes(t, d, l, 4)
		if _, err := l.SealNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := intact(t, l, 4); r.Algorithm != eventlog.SM3 {
			t.Fatalf("%+v", r)
		}
		if err := l.UseAlgorithm(t.Context(), eventlog.SM3); err != nil {
			t.Fatal(err)
		}
		if err := l.UseAlgorithm(t.Context(), eventlog.SHA256); !fault.Is(err, "log_algorithm") {
			t.Fatal(err)
		}
		if err := l.UseAlgorithm(t.Context(), "md5"); err == nil {
			t.Fatal("md5")
		}
	})
}

// More events than one window holds, with an earlier version of a subject
// behind the window's end.
func TestVersionsStayInOrderAcrossWindows(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		l := eventlog.New(d, "event")
		at := func(version, subject int64) func(*db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := l.Append(tx, eventlog.Event{Kind: "k", SubjectKind: "thing", SubjectID: subject, Version: version})
				return err
			}
		}
		update := func(fns ...func(*db.Tx) error) {
			t.Helper()
			if err := d.Update(t.Context(), func(tx *db.Tx) error {
				for _, fn := range fns {
					if err := fn(tx); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		update(at(2, 1)) // by a node whose clock is behind
		var many []func(*db.Tx) error
		for i := range 5000 {
			many = append(many, at(1, int64(i+10)))
		}
		update(many...)
		update(at(1, 1)) // by a node whose clock is ahead
		if n, err := l.SealNow(t.Context()); n != 5002 || err != nil {
			t.Fatal(n, err)
		}
		var order []string
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			evs, err := l.BySubject(tx, "thing", 1)
			for _, e := range evs {
				order = append(order, fmt.Sprintf("v%d", e.Version))
			}
			if evs[0].Seq > evs[1].Seq {
				t.Errorf("version 1 is sealed behind version 2: %d, %d", evs[0].Seq, evs[1].Seq)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		intact(t, l, 5002)
	})
}

// In whatever order the ids came, each subject's versions are sealed in order
// and events of subjects without conflict stay in the order of their ids.
func TestOrderOfABatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "n")
		evs := make([]eventlog.Event, n)
		for i := range evs {
			evs[i] = eventlog.Event{ID: int64(i + 1), SubjectKind: "s",
				SubjectID: rapid.Int64Range(1, 5).Draw(t, "subject"), Version: rapid.Int64Range(0, 6).Draw(t, "version")}
		}
		evs = rapid.Permutation(evs).Draw(t, "arrived")
		eventlog.InOrder(evs)
		last := map[int64]eventlog.Event{}
		seen := map[int64]bool{}
		conflict := map[int64]bool{}
		newest := map[int64]int64{}
		for _, e := range evs {
			if p, ok := last[e.SubjectID]; ok && (p.Version > e.Version || p.Version == e.Version && p.ID > e.ID) {
				t.Fatalf("%+v behind %+v", e, p)
			}
			last[e.SubjectID] = e
			if e.ID < newest[e.SubjectID] {
				conflict[e.SubjectID] = true
			}
			newest[e.SubjectID] = max(newest[e.SubjectID], e.ID)
			seen[e.ID] = true
		}
		if len(seen) != n {
			t.Fatalf("%d of %d events", len(seen), n)
		}
		for i, e := range evs { // a subject whose versions agree with its ids stays in place
			if !conflict[e.SubjectID] && e.ID != int64(i+1) {
				t.Fatalf("event %d at place %d", e.ID, i+1)
			}
		}
	})
}
