package db

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"hotline/internal/fault"
)

// Schema is the tables of one room: steps in order, to which new ones are only
// ever added. A step that was released is never changed.
type Schema struct {
	Name  string
	Steps []Step
}

// Step is one change of the schema: one text for both engines, or one each.
// Statements are separated by a semicolon at the end of a line.
type Step struct {
	SQL      string
	SQLite   string // instead of SQL, if not empty
	Postgres string // instead of SQL, if not empty
}

const createMigration = `CREATE TABLE IF NOT EXISTS schema_migration (
	room TEXT NOT NULL, step BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (room, step))`

// Migrate brings the schemas up to date, each step in a transaction of its
// own. Processes that start together wait for one another on a row of
// schema_migration. A database newer than the program is refused.
func (d *DB) Migrate(ctx context.Context, schemas ...Schema) error {
	if !d.readOnly {
		if err := d.createMigration(ctx); err != nil {
			return err
		}
	}
	done := map[string]int{}
	err := d.View(ctx, func(tx *Tx) error {
		rows, err := tx.Query(`SELECT room, max(step) FROM schema_migration WHERE step > 0 GROUP BY room`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var room string
			var step int
			if err := rows.Scan(&room, &step); err != nil {
				return err
			}
			done[room] = step
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("db: read schema_migration: %w", err)
	}
	seen := map[string]bool{}
	for _, s := range schemas {
		if seen[s.Name] {
			return fmt.Errorf("db: schema %q is given twice", s.Name)
		}
		seen[s.Name] = true
		switch have := done[s.Name]; {
		case have > len(s.Steps):
			return fault.Unavailable("schema_newer", "数据库结构（%s 第 %d 步）比本程序新，请使用新版本程序。", s.Name, have)
		case have < len(s.Steps) && d.readOnly:
			return fault.Unavailable("schema_older", "数据库结构（%s）尚未升级，请先启动一次 hotline serve。", s.Name)
		}
		for n := done[s.Name]; n < len(s.Steps); n++ {
			if err := d.migrateStep(ctx, s, n+1); err != nil {
				return fmt.Errorf("db: schema %s, step %d: %w", s.Name, n+1, err)
			}
		}
	}
	return nil
}

func (d *DB) createMigration(ctx context.Context) error {
	for n := 0; ; n++ {
		err := d.UpdateLane(ctx, LaneHigh, func(tx *Tx) error { return tx.script(createMigration) })
		// Two processes that create the table at once collide in the catalogue.
		if err == nil || n == 5 || !(IsUnique(err) || pgCode(err) == pgDuplicateTable) {
			return err
		}
	}
}

func (d *DB) migrateStep(ctx context.Context, s Schema, step int) error {
	return d.UpdateLane(ctx, LaneHigh, func(tx *Tx) error {
		if _, err := tx.Exec(`INSERT INTO schema_migration (room, step, at) VALUES ('', 0, $1)
			ON CONFLICT (room, step) DO UPDATE SET at = excluded.at`, tx.NowMS()); err != nil {
			return err
		}
		n, err := Int(tx, `SELECT count(*) FROM schema_migration WHERE room = $1 AND step = $2`, s.Name, step)
		if err != nil || n > 0 {
			return err
		}
		for _, text := range statements(s.Steps[step-1].text(d.engine), d.engine) {
			if err := tx.script(text); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`INSERT INTO schema_migration (room, step, at) VALUES ($1, $2, $3)`, s.Name, step, tx.NowMS())
		return err
	})
}

func (s Step) text(engine string) string {
	switch {
	case engine == SQLite && s.SQLite != "":
		return s.SQLite
	case engine == Postgres && s.Postgres != "":
		return s.Postgres
	}
	return s.SQL
}

// bigintKey finds keys that SQLite should keep in the row's own tree: only the
// exact type INTEGER spares it a second index on every insert.
var bigintKey = regexp.MustCompile(`(?i)\bBIGINT((?:\s+NOT\s+NULL)?\s+PRIMARY\s+KEY)\b`)

// wideKey finds tables with a key of several columns: SQLite keeps those in the
// key's own tree, which spares each insert a second one.
var wideKey = regexp.MustCompile(`(?is)^CREATE TABLE .*\bPRIMARY KEY\s*\([^()]*,[^()]*\)\s*\)$`)

// statements cuts a step into single statements for the engine.
func statements(text, engine string) []string {
	if engine == SQLite {
		text = bigintKey.ReplaceAllString(text, "INTEGER$1")
	}
	var all []string
	for _, s := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n")+"\n", ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			if engine == SQLite && wideKey.MatchString(s) {
				s += " WITHOUT ROWID"
			}
			all = append(all, s)
		}
	}
	return all
}

var errNotWritable = errors.New("db: the schema is changed in Update only")

// script runs one statement of a schema.
func (tx *Tx) script(text string) error {
	if !tx.writable {
		return errNotWritable
	}
	err := tx.conn.Raw(func(c any) error { return c.(session).script(untied, text) })
	return tx.note(wrap(err, text))
}
