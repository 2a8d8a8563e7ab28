package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"

	"github.com/google/go-cmp/cmp"
)

var notes = db.Schema{Name: "notes", Steps: []db.Step{{SQL: `
CREATE TABLE note (
	id BIGINT PRIMARY KEY,
	key TEXT NOT NULL,
	n BIGINT NOT NULL DEFAULT 0,
	flag SMALLINT NOT NULL DEFAULT 0,
	body BYTEA,
	score DOUBLE PRECISION
);
CREATE UNIQUE INDEX note_key ON note (key);
CREATE INDEX note_n ON note (n, id) WHERE n > 0;
`}}}

func each(t *testing.T, fn func(t *testing.T, d *db.DB, c *clock.Virtual)) {
	t.Helper()
	dbtest.Each(t, []db.Schema{notes}, fn)
}

func put(tx *db.Tx, key string, n int64) (int64, error) {
	id := tx.NewID()
	_, err := tx.Exec(`INSERT INTO note (id, key, n) VALUES ($1, $2, $3)`, id, key, n)
	return id, err
}

func count(t *testing.T, d *db.DB) (n int64) {
	t.Helper()
	if err := d.View(t.Context(), func(tx *db.Tx) (err error) {
		n, err = db.Int(tx, `SELECT count(*) FROM note`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestValuesComeBackAlikeOnBothEngines(t *testing.T) {
	type note struct {
		Key   string
		N     int64
		Flag  bool
		Body  []byte
		Score float64
		Sum   int64
		Less  bool
		None  sql.NullString
	}
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		want := note{Key: "中文 ‘引号’ \\ %", N: -1 << 62, Flag: true, Body: []byte{0, 1, 255}, Score: 0.1, Sum: -1 << 62, Less: true}
		var got note
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO note (id, key, n, flag, body, score) VALUES ($1, $2, $3, $4, $5, $6)`,
				tx.NewID(), want.Key, want.N, want.Flag, want.Body, want.Score)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		err := d.View(t.Context(), func(tx *db.Tx) (err error) {
			got, err = db.One(tx, func(s db.Scanner) (n note, err error) {
				return n, s.Scan(&n.Key, &n.N, &n.Flag, &n.Body, &n.Score, &n.Sum, &n.Less, &n.None)
			}, `SELECT key, n, flag, body, score, (SELECT sum(n) FROM note), n < 0, CASE WHEN n > 0 THEN 'x' END FROM note WHERE key = $1`, want.Key)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestTimeIsRefusedAsArgument(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE note SET n = $1`, c.Now())
			return err
		})
		if err == nil {
			t.Fatal("a time.Time was stored")
		}
	})
}

func TestErrorUndoesOnlyItsOwnClosure(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		var wg sync.WaitGroup
		var failed, kept atomic.Int64
		for i := range 64 {
			wg.Go(func() {
				err := d.Update(t.Context(), func(tx *db.Tx) error {
					if _, err := put(tx, fmt.Sprint(i), 1); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return fault.Conflict("test", "不行")
					case 2:
						panic("boom")
					case 3:
						_, err := put(tx, fmt.Sprint(i), 1) // the key is taken: a failed statement
						_ = err
						return nil
					}
					return nil
				})
				switch i % 4 {
				case 0:
					if err != nil {
						t.Errorf("%d: %v", i, err)
					}
					kept.Add(1)
				case 1:
					if !fault.Is(err, "test") {
						t.Errorf("%d: closure's error came back as %v", i, err)
					}
				case 3:
					if !db.IsUnique(err) {
						t.Errorf("%d: dropped error of a statement: %v", i, err)
					}
				}
				if err != nil {
					failed.Add(1)
				}
			})
		}
		wg.Wait()
		if failed.Load() != 48 || count(t, d) != kept.Load() {
			t.Fatalf("failed %d, kept %d, rows %d", failed.Load(), kept.Load(), count(t, d))
		}
	})
}

func TestGroupSurvivesGoexit(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				err := d.Update(t.Context(), func(tx *db.Tx) error {
					if i == 10 {
						runtime.Goexit() // what t.Fatal inside a closure does
					}
					_, err := put(tx, fmt.Sprint(i), 1)
					return err
				})
				if (err != nil) != (i == 10) {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := count(t, d); n != 19 {
			t.Fatalf("%d rows", n)
		}
	})
}

// Increments of one row from many writers must all count: the lost update
// that read committed would allow.
func TestNoUpdateIsLost(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		var id int64
		if err := d.Update(t.Context(), func(tx *db.Tx) (err error) { id, err = put(tx, "counter", 0); return err }); err != nil {
			t.Fatal(err)
		}
		const writers, each = 16, 10
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					if err := d.Update(t.Context(), func(tx *db.Tx) error {
						n, err := db.Int(tx, `SELECT n FROM note WHERE id = $1`, id)
						if err != nil {
							return err
						}
						_, err = tx.Exec(`UPDATE note SET n = $1 WHERE id = $2`, n+1, id)
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			n, err := db.Int(tx, `SELECT n FROM note WHERE id = $1`, id)
			if n != writers*each {
				t.Errorf("counted %d of %d; reruns %d", n, writers*each, d.Stats().Reruns)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestViewIsASnapshot(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		err := d.View(t.Context(), func(tx *db.Tx) error {
			before, err := db.Int(tx, `SELECT count(*) FROM note`)
			if err != nil {
				return err
			}
			if err := d.Update(context.Background(), func(tx *db.Tx) error { _, err := put(tx, "a", 1); return err }); err != nil {
				return err
			}
			after, err := db.Int(tx, `SELECT count(*) FROM note`)
			if before != after {
				t.Errorf("saw %d, then %d", before, after)
			}
			if _, err := tx.Exec(`DELETE FROM note`); err == nil {
				t.Error("a View wrote")
			}
			if rows, err := tx.Query(`DELETE FROM note RETURNING id`); err == nil {
				rows.Next()
				if rows.Err() == nil {
					t.Error("a View wrote through Query")
				}
				rows.Close()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, d); n != 1 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestStatementsRunWhileRowsAreOpen(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		const text = `SELECT id, n FROM note WHERE n >= $1 ORDER BY n`
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			for i := range 10 {
				if _, err := put(tx, fmt.Sprint(i), int64(i)); err != nil {
					return err
				}
			}
			outer, err := tx.Query(text, 0)
			if err != nil {
				return err
			}
			seen := 0
			for outer.Next() {
				var id, n, inner int64
				if err := outer.Scan(&id, &n); err != nil {
					return err
				}
				all, err := db.All(tx, func(s db.Scanner) (int64, error) { return n, s.Scan(&id, &inner) }, text, n)
				if err != nil {
					return err
				}
				seen += len(all)
			}
			if seen != 55 {
				t.Errorf("inner rows: %d", seen)
			}
			_, err = tx.Query(text, 0) // left open on purpose
			tx.QueryRow(text, 0)       // never scanned
			return errors.Join(err, outer.Err())
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, d); n != 10 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestCancelledBeforeStartIsNotRun(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		ran := false
		err := d.Update(ctx, func(tx *db.Tx) error { ran = true; return nil })
		if !errors.Is(err, context.Canceled) || ran {
			t.Fatalf("err %v, ran %v", err, ran)
		}
		if err := d.View(ctx, func(tx *db.Tx) error { ran = true; return nil }); !errors.Is(err, context.Canceled) || ran {
			t.Fatalf("err %v, ran %v", err, ran)
		}
	})
}

func TestCancelledReadEnds(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := d.View(ctx, func(tx *db.Tx) error {
			_, err := db.Int(tx, `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 2000000000) SELECT count(*) FROM c`)
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if n := count(t, d); n != 0 { // the reader is usable again
			t.Fatal(n)
		}
	})
}

func TestNestingIsRefused(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		nothing := func(*db.Tx) error { return nil }
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			if d.Update(tx.Context(), nothing) == nil || d.View(tx.Context(), nothing) == nil {
				t.Error("nested")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAfterCommitRunsOnceAndOnlyThen(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		runs := 0
		fn := func(fail error) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				tx.AfterCommit(func() { runs++ })
				if !tx.Now().Equal(c.Now()) || tx.NowMS() != clock.Millis(c.Now()) || !tx.Writable() {
					t.Error("Now or Writable is wrong")
				}
				return fail
			}
		}
		_ = d.Update(t.Context(), fn(errors.New("no")))
		if err := d.Update(t.Context(), fn(nil)); err != nil || runs != 1 {
			t.Fatalf("err %v, runs %d", err, runs)
		}
	})
}

func TestTxIsOverWithItsClosure(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		var kept *db.Tx
		if err := d.Update(t.Context(), func(tx *db.Tx) error { kept = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := kept.Exec(`DELETE FROM note`); err == nil {
			t.Fatal("Exec after the end")
		}
		var n int
		if err := kept.QueryRow(`SELECT 1`).Scan(&n); err == nil {
			t.Fatal("QueryRow after the end")
		}
	})
}
