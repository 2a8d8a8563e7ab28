package eventlog_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"

	"github.com/google/go-cmp/cmp"
)

// things are subjects with a version, and what a follower wrote of them.
var things = db.Schema{Name: "things", Steps: []db.Step{{SQL: `
CREATE TABLE thing (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
CREATE TABLE effect (seq BIGINT PRIMARY KEY, event_id BIGINT NOT NULL, thing BIGINT NOT NULL, version BIGINT NOT NULL);
CREATE UNIQUE INDEX effect_event ON effect (event_id);
`}}}

var schemas = []db.Schema{eventlog.Schema("event"), eventlog.Schema("audit"), things}

func each(t *testing.T, fn func(t *testing.T, d *db.DB, l *eventlog.Log)) {
	t.Helper()
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, _ *clock.Virtual) { fn(t, d, eventlog.New(d, "event")) })
}

// change moves a thing's version on and tells of it.
func change(tx *db.Tx, l *eventlog.Log, thing int64, before func()) error {
	version, err := db.Int(tx, `INSERT INTO thing (id, version) VALUES ($1, 1)
		ON CONFLICT (id) DO UPDATE SET version = thing.version + 1 RETURNING version`, thing)
	if err != nil {
		return err
	}
	_, err = l.Append(tx, eventlog.Event{Kind: "thing.change", SubjectKind: "thing", SubjectID: thing, Version: version, Data: `{"n":1}`})
	if before != nil {
		before()
	}
	return err
}

func changes(t *testing.T, d *db.DB, l *eventlog.Log, n int) {
	t.Helper()
	for i := range n {
		if err := d.Update(context.Background(), func(tx *db.Tx) error { return change(tx, l, int64(i%3+1), nil) }); err != nil {
			t.Fatal(err)
		}
	}
}

// record is a follower that writes down what it was given; the unique keys
// catch an event that comes twice.
func record(tx *db.Tx, evs []eventlog.Event) error {
	for _, e := range evs {
		if _, err := tx.Exec(`INSERT INTO effect (seq, event_id, thing, version) VALUES ($1, $2, $3, $4)`,
			e.Seq, e.ID, e.SubjectID, e.Version); err != nil {
			return err
		}
	}
	return nil
}

// checkEffects says whether every event took effect once, in an order without
// gaps in which each thing's versions follow one another.
func checkEffects(t *testing.T, d *db.DB, want int) {
	t.Helper()
	err := d.View(t.Context(), func(tx *db.Tx) error {
		rows, err := tx.Query(`SELECT seq, thing, version FROM effect ORDER BY seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		version := map[int64]int64{}
		n := int64(0)
		for rows.Next() {
			var seq, thing, v int64
			if err := rows.Scan(&seq, &thing, &v); err != nil {
				return err
			}
			if n++; seq != n {
				t.Fatalf("number %d at place %d", seq, n)
			}
			if v != version[thing]+1 {
				t.Fatalf("number %d: thing %d has version %d after %d", seq, thing, v, version[thing])
			}
			version[thing] = v
		}
		if n != int64(want) {
			t.Fatalf("%d effects of %d events", n, want)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func intact(t *testing.T, l *eventlog.Log, want int64) eventlog.Report {
	t.Helper()
	r, err := l.Verify(t.Context())
	if err != nil || r.Broken != nil || r.Count != want || r.Head != want {
		t.Fatalf("verify: %v, %+v, broken %+v, want %d", err, r, r.Broken, want)
	}
	return r
}

// Thirty-two writers commit after random delays, from nodes whose clocks
// differ; two sealers and two followers of one name work at the same time.
func TestFollowerSeesEveryEventOnceInOrder(t *testing.T) {
	urls := map[string]func(*testing.T) string{
		db.SQLite:   func(t *testing.T) string { return dbtest.SQLitePath(t, schemas...) },
		db.Postgres: func(t *testing.T) string { return dbtest.PostgresURL(t, schemas...) },
	}
	for engine, url := range urls {
		t.Run(engine, func(t *testing.T) {
			const writers, turns = 32, 12
			u := url(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var dbs []*db.DB
			var logs []*eventlog.Log
			for node := range 2 {
				c := clock.NewVirtual(dbtest.Start.Add(-time.Duration(node) * 2 * time.Second))
				d, err := db.Open(ctx, db.Config{URL: u, Node: int64(node), Clock: c})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				dbs, logs = append(dbs, d), append(logs, eventlog.New(d, "event"))
			}
			var background, work sync.WaitGroup
			var given atomic.Int64
			done := make(chan struct{})
			for _, l := range logs {
				background.Go(func() { _ = l.RunSealer(ctx) })
				background.Go(func() {
					_ = l.Follow(ctx, "recorder", 7, func(tx *db.Tx, evs []eventlog.Event) error {
						tx.AfterCommit(func() {
							if given.Add(int64(len(evs))) == writers*turns {
								close(done)
							}
						})
						return record(tx, evs)
					})
				})
				background.Go(func() { // a tool that seals beside the sealers
					for ctx.Err() == nil {
						if _, err := l.SealNow(ctx); err != nil && ctx.Err() == nil {
							t.Error(err)
						}
						_ = clock.System().Sleep(ctx, 3*time.Millisecond)
					}
				})
			}
			for w := range writers {
				work.Go(func() {
					for range turns {
						thing, wait := rand.Int64N(200)+1, rand.N(4*time.Millisecond)
						node := w % 2
						if err := dbs[node].Update(ctx, func(tx *db.Tx) error {
							return change(tx, logs[node], thing, func() { _ = clock.System().Sleep(ctx, wait) })
						}); err != nil {
							t.Error(err)
						}
					}
				})
			}
			work.Wait()
			select {
			case <-done:
			case <-clock.System().After(30 * time.Second):
				t.Errorf("%d of %d events were given", given.Load(), writers*turns)
			}
			cancel()
			background.Wait()
			checkEffects(t, dbs[0], writers*turns)
			intact(t, logs[0], writers*turns)
		})
	}
}

func TestAppendBelongsToTheTransaction(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		no := errors.New("no")
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			return errors.Join(change(tx, l, 1, nil), no)
		}); !errors.Is(err, no) {
			t.Fatal(err)
		}
		if n, err := l.SealNow(t.Context()); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			if _, err := l.Append(tx, eventlog.Event{SubjectKind: "thing"}); err == nil {
				t.Error("an event without kind")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReadBack(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		want := eventlog.Event{Kind: "ticket.accept", SubjectKind: "ticket", SubjectID: 7, Version: 1, Actor: 3, Unit: 4, Data: `{"channel":"电话"}`}
		if err := d.Update(t.Context(), func(tx *db.Tx) (err error) {
			want.ID, err = l.Append(tx, want)
			want.At = tx.NowMS()
			return err
		}); err != nil {
			t.Fatal(err)
		}
		bySubject := func() (evs []eventlog.Event) {
			if err := d.View(t.Context(), func(tx *db.Tx) (err error) {
				evs, err = l.BySubject(tx, "ticket", 7)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return evs
		}
		if diff := cmp.Diff([]eventlog.Event{want}, bySubject()); diff != "" {
			t.Fatal(diff)
		}
		if n, err := l.SealNow(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		want.Seq = 1
		after, err := l.After(t.Context(), 0, 10)
		if diff := cmp.Diff([]eventlog.Event{want}, after); diff != "" || err != nil {
			t.Fatal(diff, err)
		}
		if diff := cmp.Diff([]eventlog.Event{want}, bySubject()); diff != "" {
			t.Fatal(diff)
		}
		if head, err := l.Head(t.Context()); head != 1 || err != nil {
			t.Fatal(head, err)
		}
	})
}

func TestTheTwoLogsAreApart(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		audit := eventlog.New(d, "audit")
		changes(t, d, l, 3)
		changes(t, d, audit, 2)
		for log, want := range map[*eventlog.Log]int{l: 3, audit: 2} {
			if n, err := log.SealNow(t.Context()); n != want || err != nil {
				t.Fatal(n, err)
			}
			if n, err := log.FollowOnce(t.Context(), "same name", 10, func(*db.Tx, []eventlog.Event) error { return nil }); n != want || err != nil {
				t.Fatal(n, err)
			}
		}
	})
}

func TestFollowerThatFailsIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		ctx, cancel := context.WithCancel(t.Context())
		changes(t, d, l, 5)
		if _, err := l.SealNow(ctx); err != nil {
			t.Fatal(err)
		}
		calls := 0
		err := l.Follow(ctx, "recorder", 2, func(tx *db.Tx, evs []eventlog.Event) error {
			calls++
			if err := record(tx, evs); err != nil {
				return err
			}
			if calls == 2 {
				return errors.New("first time for the second batch")
			}
			if evs[len(evs)-1].Seq == 5 {
				tx.AfterCommit(cancel)
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || calls != 4 {
			t.Fatal(err, calls)
		}
		checkEffects(t, d, 5)
		if at, err := l.Cursor(t.Context(), "recorder"); at != 5 || err != nil {
			t.Fatal(at, err)
		}
		// Built anew from the start.
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`DELETE FROM effect`)
			return errors.Join(err, l.SetCursor(tx, "recorder", 0))
		}); err != nil {
			t.Fatal(err)
		}
		if n, err := l.FollowOnce(t.Context(), "recorder", 100, record); n != 5 || err != nil {
			t.Fatal(n, err)
		}
	})
}

// From commit to the follower's commit takes at most 50 ms; the median of
// some tries is held to that, as the machine may be busy.
func TestFollowerIsWokenAtOnce(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *eventlog.Log) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var wg sync.WaitGroup
		seen := make(chan int64, 100)
		wg.Go(func() { _ = l.RunSealer(ctx) })
		wg.Go(func() {
			_ = l.Follow(ctx, "f", 10, func(tx *db.Tx, evs []eventlog.Event) error {
				tx.AfterCommit(func() { seen <- evs[len(evs)-1].Seq })
				return nil
			})
		})
		_ = clock.System().Sleep(ctx, 100*time.Millisecond)
		fast := 0
		for i := range 9 {
			changes(t, d, l, 1)
			began := clock.System().Now()
			if seq := <-seen; seq != int64(i+1) {
				t.Fatalf("saw %d", seq)
			}
			if clock.Since(clock.System(), began) <= 50*time.Millisecond {
				fast++
			}
		}
		if fast < 5 {
			t.Errorf("only %d of 9 within 50 ms", fast)
		}
		cancel()
		wg.Wait()
	})
}

func TestSubscribersGetTheNewestNumber(t *testing.T) {
	d, _ := dbtest.SQLite(t, schemas...)
	l := eventlog.New(d, "event")
	ch, cancel := l.Subscribe()
	for range 3 {
		changes(t, d, l, 2)
		if _, err := l.SealNow(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if seq := <-ch; seq != 6 {
		t.Fatalf("got %d", seq)
	}
	cancel()
	changes(t, d, l, 1)
	if _, err := l.SealNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case seq := <-ch:
		t.Fatalf("got %d after cancel", seq)
	default:
	}
	late, cancel := l.Subscribe()
	defer cancel()
	if seq := <-late; seq != 7 {
		t.Fatalf("a late subscriber got %d", seq)
	}
}
