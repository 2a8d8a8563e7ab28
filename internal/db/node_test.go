package db_test

import (
	"context"
	"testing"

	"hotline/internal/db"
	"hotline/internal/db/dbtest"
)

// Two processes on one PostgreSQL never make one id twice; a SQLite file has
// one process, which leases nothing.
func TestProcessesLeaseDifferentNodes(t *testing.T) {
	ctx := context.Background()
	node := func(d *db.DB) (n int64) {
		if err := d.LeaseNode(ctx); err != nil {
			t.Fatal(err)
		}
		if err := d.Update(ctx, func(tx *db.Tx) error { n = tx.NewID() >> 12 & db.MaxNode; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for name, url := range map[string]string{db.SQLite: dbtest.SQLitePath(t, db.NodeSchema()), db.Postgres: dbtest.PostgresURL(t, db.NodeSchema())} {
		seen := map[int64]bool{}
		for range 3 {
			d, err := db.Open(ctx, db.Config{URL: url, Node: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			n := node(d)
			if name == db.SQLite {
				if n != 1 {
					t.Errorf("node %d on SQLite", n)
				}
				break
			}
			if seen[n] {
				t.Errorf("two processes write as node %d", n)
			}
			seen[n] = true
		}
	}
}
