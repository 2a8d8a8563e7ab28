package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"

	"github.com/google/go-cmp/cmp"
)

func urls(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, dbtest.SQLitePath(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, dbtest.PostgresURL(t)) })
}

func open(t *testing.T, c db.Config) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// Several processes start at once on an empty database.
func TestMigrateTogether(t *testing.T) {
	steps := make([]db.Step, 8)
	for i := range steps {
		steps[i].SQL = fmt.Sprintf("CREATE TABLE together%d (id BIGINT NOT NULL PRIMARY KEY);\nINSERT INTO together%d (id) VALUES (1);\n", i, i)
	}
	schema := db.Schema{Name: "together", Steps: steps}
	urls(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		for range 4 {
			d := open(t, db.Config{URL: url})
			wg.Go(func() {
				if err := d.Migrate(context.Background(), schema, notes); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		d := open(t, db.Config{URL: url})
		if err := d.Migrate(t.Context(), schema); err != nil {
			t.Fatal(err)
		}
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			n, err := db.Int(tx, `SELECT count(*) FROM schema_migration WHERE room = 'together'`)
			if n != 8 {
				t.Errorf("%d steps", n)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMigrateRefuses(t *testing.T) {
	grown := db.Schema{Name: "notes", Steps: append(slices.Clone(notes.Steps), db.Step{SQL: "ALTER TABLE note ADD COLUMN more TEXT"})}
	broken := db.Schema{Name: "broken", Steps: []db.Step{{SQL: "CREATE TABLE half (id BIGINT PRIMARY KEY);\nCREATE TABLE half (id BIGINT PRIMARY KEY)"}}}
	urls(t, func(t *testing.T, url string) {
		d := open(t, db.Config{URL: url})
		if err := d.Migrate(t.Context(), grown); err != nil {
			t.Fatal(err)
		}
		if err := d.Migrate(t.Context(), notes); !fault.Is(err, "schema_newer") {
			t.Errorf("an older program: %v", err)
		}
		if err := d.Migrate(t.Context(), broken); err == nil || !strings.Contains(err.Error(), "broken, step 1") {
			t.Errorf("a broken step: %v", err)
		}
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			_, err := db.Int(tx, `SELECT count(*) FROM half`)
			return err
		}); err == nil {
			t.Error("half a step stayed")
		}
		ro := open(t, db.Config{URL: url, ReadOnly: true})
		if err := ro.Migrate(t.Context(), grown); err != nil {
			t.Errorf("read only and up to date: %v", err)
		}
		if err := ro.Migrate(t.Context(), grown, broken); !fault.Is(err, "schema_older") {
			t.Errorf("read only and not up to date: %v", err)
		}
		if err := ro.Update(t.Context(), func(*db.Tx) error { return nil }); err == nil {
			t.Error("read only, and wrote")
		}
	})
}

// A statement prepared before the schema changed goes on working.
func TestSchemaChangesUnderPreparedStatements(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		read := func(tx *db.Tx) error {
			rows, err := tx.Query(`SELECT * FROM note`)
			if err != nil {
				return err
			}
			return rows.Close()
		}
		use := func() error { return errors.Join(d.Update(t.Context(), read), d.View(t.Context(), read)) }
		if err := use(); err != nil {
			t.Fatal(err)
		}
		grown := db.Schema{Name: "notes2", Steps: []db.Step{{SQL: "ALTER TABLE note ADD COLUMN more TEXT"}}}
		if err := d.Migrate(t.Context(), grown); err != nil {
			t.Fatal(err)
		}
		if err := use(); err != nil {
			t.Fatal(err)
		}
	})
}

// More statements than a connection keeps, with rows of an evicted one open.
func TestManyStatements(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			rows, err := tx.Query(`SELECT 1 UNION ALL SELECT 2`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for i := range 600 {
				n, err := db.Int(tx, fmt.Sprintf(`SELECT %d + $1`, i), 1)
				if err != nil || n != int64(i+1) {
					return fmt.Errorf("%d: %d %w", i, n, err)
				}
			}
			seen := 0
			for rows.Next() {
				seen++
			}
			if seen != 2 {
				t.Errorf("%d rows", seen)
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTextIndex(t *testing.T) {
	grams := func(s string) []string { return strings.Split(s, "/") }
	text := db.Text("words")
	ids := func(hits []db.Hit) (out []int64) {
		for _, h := range hits {
			out = append(out, h.ID)
		}
		return out
	}
	dbtest.Each(t, []db.Schema{db.Text("words").Schema()}, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		docs := map[int64]string{
			1: "电梯/梯故/故障",
			2: "电梯/梯停/停运/电梯/电梯",
			3: "路灯/灯故/故障",
			4: `it's/a"b/back\slash/or/&/*/鄂A12345`,
		}
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			for id, doc := range docs {
				if err := text.Put(tx, id, grams("要换/掉的")); err != nil {
					return err
				}
				if err := text.Put(tx, id, grams(doc)); err != nil {
					return err
				}
			}
			if err := text.Put(tx, 9, grams("电梯")); err != nil {
				return err
			}
			return errors.Join(text.Delete(tx, 9), text.Delete(tx, 10))
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name, grams string
			any         bool
			limit       int
			want        []int64
		}{
			{"one gram, the denser first", "电梯", false, 10, []int64{2, 1}},
			{"all grams", "电梯/故障", false, 10, []int64{1}},
			{"any gram", "灯故/停运", true, 10, []int64{3, 2}},
			{"limit", "电梯", false, 1, []int64{2}},
			{"replaced text is gone", "要换", false, 10, nil},
			{"signs of the query languages", `it's/a"b/back\slash/or`, false, 10, []int64{4}},
			{"letters of either case", "鄂a12345", false, 10, []int64{4}},
			{"nothing asked", " ", false, 10, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				if err := d.View(t.Context(), func(tx *db.Tx) error {
					search := text.Search
					if c.any {
						search = text.SearchAny
					}
					hits, err := search(tx, grams(c.grams), c.limit)
					got := ids(hits)
					if c.any {
						slices.Sort(got)
						slices.Sort(c.want)
					}
					if diff := cmp.Diff(c.want, got); diff != "" {
						t.Error(diff)
					}
					return err
				}); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}
