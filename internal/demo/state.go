package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"hotline/internal/db"
)

// Schema is the package's table: what was seeded, so that a second start on
// the same data seeds nothing and an interrupted one goes on.
func Schema() db.Schema {
	return db.Schema{Name: "demo", Steps: []db.Step{{SQL: `
CREATE TABLE demo_state (
  name TEXT PRIMARY KEY,
  doc TEXT NOT NULL
)`}}}
}

// Names of the rows of demo_state.
const (
	statePlan   = "plan"   // the plan of the history: seed, moment, size
	stageRow    = "stage"  // how far the seeding has come
	stateLedger = "ledger" // whether the rules' orders were issued
	stateCursor = "cursor" // the day that the history has been loaded down to
)

// plan is what the whole history follows from: made once at the first start,
// so that a job that goes on after a crash draws the same tickets.
type plan struct {
	Seed    uint64   `json:"seed"`
	Now     int64    `json:"now"` // the moment that history ends at, ms
	Days    int      `json:"days"`
	Tickets int      `json:"tickets"`
	Cities  []string `json:"cities,omitempty"`
}

// Stages of the seeding.
const (
	stagePeople = "people" // units, policy and accounts are there
	stageReady  = "ready"  // so are the newest tickets
	stageDone   = "done"   // and all the others
)

func getState(ctx context.Context, d *db.DB, name string, into any) (bool, error) {
	var doc string
	err := d.View(ctx, func(tx *db.Tx) (err error) {
		doc, err = db.One(tx, func(s db.Scanner) (v string, err error) { return v, s.Scan(&v) }, `SELECT doc FROM demo_state WHERE name = $1`, name)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal([]byte(doc), into)
}

func putState(tx *db.Tx, name string, v any) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO demo_state (name, doc) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc`, name, string(doc))
	return err
}

func setState(ctx context.Context, d *db.DB, name string, v any) error {
	return d.Update(ctx, func(tx *db.Tx) error { return putState(tx, name, v) })
}
