package audit

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/seal"
)

var ctx = context.Background()

func newLog(t testing.TB, d *db.DB) *Log {
	t.Helper()
	kp, err := seal.OpenFileProvider(t.TempDir(), "sm")
	if err != nil {
		t.Fatal(err)
	}
	return New(d).SignWith(seal.NewRing(kp))
}

func view(actor, ticket int64) Entry {
	return Entry{Actor: actor, Account: fmt.Sprintf("u%d", actor), Role: "handler", Unit: 40 + actor, Op: "ticket.view", SubjectKind: "ticket", Subject: ticket, IP: "10.0.0.1"}
}

func TestWhoSawTheTicket(t *testing.T) {
	dbtest.Each(t, Schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		l := newLog(t, d)
		for i := range int64(6) {
			c.Advance(time.Minute)
			if err := l.Seen(ctx, view(i%3, 100+i%2)); err != nil {
				t.Fatal(err)
			}
		}
		reveal := view(7, 100)
		reveal.Op, reveal.Reason = "reveal", "现场核实，需要联系诉求人"
		if err := d.Update(ctx, func(tx *db.Tx) error { return l.Record(tx, reveal) }); err != nil {
			t.Fatal(err)
		}
		got, err := l.Viewers(ctx, 100, 10)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, v := range got {
			lines = append(lines, fmt.Sprintf("%d %s %s %s", v.Actor, v.Op, v.Outcome, v.Reason))
		}
		want := []string{"7 reveal ok 现场核实，需要联系诉求人", "1 ticket.view ok ", "2 ticket.view ok ", "0 ticket.view ok "}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSearch(t *testing.T) {
	dbtest.Each(t, Schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		l := newLog(t, d)
		start := c.Now()
		ops := []string{"ticket.view", "ticket.list", "login", "ticketX.view", "login_failed"}
		for i := range 50 {
			c.Advance(time.Minute)
			e := view(int64(i%4), int64(i))
			e.Op = ops[i%len(ops)]
			if err := l.Seen(ctx, e); err != nil {
				t.Fatal(err)
			}
		}
		for _, tc := range []struct {
			name string
			f    Filter
			want int
		}{
			{"全部", Filter{}, 50},
			{"按人", Filter{Actor: 3}, 12},
			{"按单位", Filter{Unit: 43}, 12},
			{"按操作", Filter{Op: "login"}, 10},
			{"按一类操作", Filter{Op: "ticket.*"}, 20},
			{"按对象", Filter{SubjectKind: "ticket", Subject: 5}, 1},
			{"按时间", Filter{From: start.Add(10 * time.Minute), To: start.Add(20 * time.Minute)}, 10},
			{"没有", Filter{Op: "export"}, 0},
		} {
			n, pages := 0, 0
			last := int64(1<<63 - 1)
			for f := tc.f; ; {
				rows, next, err := l.Search(ctx, f, 7)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rows {
					if r.ID >= last {
						t.Fatalf("%s: not newest first", tc.name)
					}
					last = r.ID
				}
				n, pages = n+len(rows), pages+1
				if f.Cursor = next; next == "" {
					break
				}
			}
			if n != tc.want || n > 7 && pages < 2 {
				t.Errorf("%s: %d rows on %d pages, want %d", tc.name, n, pages, tc.want)
			}
		}
		if _, _, err := l.Search(ctx, Filter{Cursor: "1;DROP"}, 5); !fault.Is(err, "cursor_invalid") {
			t.Error(err)
		}
	})
}

func TestActFailsWithoutItsEntry(t *testing.T) {
	d, _ := dbtest.SQLite(t, Schemas()...)
	l := newLog(t, d)
	err := d.Update(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`INSERT INTO audit_reason (id, reason) VALUES (1, 'x')`); err != nil {
			return err
		}
		return l.Record(tx, Entry{Actor: 1})
	})
	if err == nil {
		t.Fatal("an entry without an operation was taken")
	}
	var n int64
	if err := d.View(ctx, func(tx *db.Tx) (err error) {
		n, err = db.Int(tx, `SELECT COUNT(*) FROM audit_reason`)
		return err
	}); err != nil || n != 0 {
		t.Errorf("the act stayed: %d %v", n, err)
	}
}

func TestTamperingIsFound(t *testing.T) {
	for _, tc := range []struct{ name, sql, found string }{
		{"原样", ``, ""},
		{"改动一条", `UPDATE audit SET actor = 99 WHERE id = (SELECT event_id FROM audit_log WHERE seq = 3)`, "链"},
		{"删去一条", `DELETE FROM audit WHERE id = (SELECT event_id FROM audit_log WHERE seq = 3)`, "链"},
		{"截去末尾", `DELETE FROM audit_log WHERE seq > 4`, "截断"},
		{"改动理由", `UPDATE audit_reason SET reason = '例行检查，没有别的意思'`, "被改动"},
		{"删去理由", `DELETE FROM audit_reason`, "缺失"},
		{"换掉签名", `UPDATE audit_checkpoint SET at = at + 1`, "签名无效"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dbtest.Each(t, Schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
				l := newLog(t, d)
				for i := range int64(6) {
					e := view(i, 100)
					if i == 2 {
						e.Reason = "现场核实，需要联系诉求人"
					}
					if err := l.Seen(ctx, e); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := l.SealNow(ctx); err != nil {
					t.Fatal(err)
				}
				if seq, err := l.Checkpoint(ctx, Name); err != nil || seq != 6 {
					t.Fatalf("%d %v", seq, err)
				}
				if tc.sql != "" {
					if err := d.Update(ctx, func(tx *db.Tx) error {
						_, err := tx.Exec(tc.sql)
						return err
					}); err != nil {
						t.Fatal(err)
					}
				}
				rep, err := l.Verify(ctx)
				if err != nil {
					t.Fatal(err)
				}
				said := strings.Join(rep.Problems, " ")
				if rep.Log.Broken != nil {
					said += " 链"
				}
				if tc.found == "" && (!rep.Intact() || rep.Checkpoints != 1) || tc.found != "" && (rep.Intact() || !strings.Contains(said, tc.found)) {
					t.Errorf("found %q, want %q: %+v", said, tc.found, rep)
				}
			})
		})
	}
}

func TestSealerSignsItselfAndItsWitness(t *testing.T) {
	d, _ := dbtest.SQLite(t, append(Schemas(), eventlog.Schema("event"))...)
	events := eventlog.New(d, "event")
	l := newLog(t, d).Witness("event", events)
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 2)
	go func() { done <- l.RunSealer(run) }()
	go func() { done <- events.RunSealer(run) }()
	if err := d.Update(ctx, func(tx *db.Tx) error {
		if _, err := events.Append(tx, eventlog.Event{Kind: "ticket.created", SubjectKind: "ticket", SubjectID: 1}); err != nil {
			return err
		}
		return l.Record(tx, view(1, 1))
	}); err != nil {
		t.Fatal(err)
	}
	wall := clock.System()
	signed := func() bool {
		for _, name := range []string{Name, "event"} {
			rep, err := l.VerifyLog(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Checkpoints == 0 {
				return false
			}
		}
		return true
	}
	for range 200 {
		if signed() {
			break
		}
		if err := wall.Sleep(ctx, 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if !signed() {
		t.Error("no checkpoint after 10 s")
	}
	stop()
	for range 2 {
		if err := <-done; err != nil && run.Err() == nil {
			t.Error(err)
		}
	}
}

// BenchmarkSeen is the cost of a view at 32 readers.
func BenchmarkSeen(b *testing.B) {
	d, _ := dbtest.SQLite(b, Schemas()...)
	l := newLog(b, d)
	work := make(chan int64)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for i := range work {
				if err := l.Seen(ctx, view(i%50, i)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	var i int64
	for b.Loop() {
		work <- i
		i++
	}
	close(work)
	wg.Wait()
}
