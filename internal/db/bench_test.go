package db_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"

	"github.com/jackc/pgx/v5"
)

var accept = db.Schema{Name: "accept", Steps: []db.Step{{SQL: `
CREATE TABLE b_ticket (id BIGINT PRIMARY KEY, number TEXT NOT NULL, region TEXT NOT NULL, status TEXT NOT NULL, content TEXT NOT NULL, at BIGINT NOT NULL);
CREATE UNIQUE INDEX b_ticket_number ON b_ticket (number);
CREATE INDEX b_ticket_region ON b_ticket (region, status, at);
CREATE TABLE b_event (id BIGINT PRIMARY KEY, ticket BIGINT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL, data TEXT NOT NULL);
CREATE INDEX b_event_ticket ON b_event (ticket, at);
CREATE TABLE b_pending (id BIGINT PRIMARY KEY);
`}}}

const (
	writers    = 32
	insTicket  = `INSERT INTO b_ticket (id, number, region, status, content, at) VALUES ($1, $2, $3, $4, $5, $6)`
	insEvent   = `INSERT INTO b_event (id, ticket, kind, at, data) VALUES ($1, $2, $3, $4, $5)`
	insPending = `INSERT INTO b_pending (id) VALUES ($1)`
	content    = "来电人反映关山街道某小区电梯连续三天停运，老人上下楼不便，物业称等待配件，希望尽快协调维修并告知恢复时间。"
)

var benchID atomic.Int64

// measure runs one transaction after the other on 32 writers for a while and
// gives transactions per second.
func measure(b *testing.B, one func(id int64) error) float64 {
	b.Helper()
	wall := clock.System()
	deadline := wall.Now().Add(2 * time.Second)
	var n atomic.Int64
	began := wall.Now()
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for wall.Now().Before(deadline) {
				if err := one(benchID.Add(1)); err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / clock.Since(wall, began).Seconds()
}

func bareArgs(id int64) (ticket, event []any) {
	return []any{id, fmt.Sprint("n", id), "420111", "待派", content, id}, []any{id, id, "accept", id, `{"channel":"电话"}`}
}

// bare is what a program does that uses database/sql by itself: prepared
// statements, a transaction each.
func bare(ctx context.Context, p *sql.DB, begin func() (*sql.Tx, error)) (func(id int64) error, error) {
	var stmts [3]*sql.Stmt
	for i, text := range []string{insTicket, insEvent, insPending} {
		var err error
		if stmts[i], err = p.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	return func(id int64) error {
		tx, err := begin()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		ticket, event := bareArgs(id)
		for i, args := range [][]any{ticket, event, {id}} {
			if _, err := tx.StmtContext(ctx, stmts[i]).ExecContext(ctx, args...); err != nil {
				return err
			}
		}
		return tx.Commit()
	}, nil
}

func grouped(d *db.DB) func(id int64) error {
	return func(id int64) error {
		return d.Update(context.Background(), func(tx *db.Tx) error {
			ticket, event := bareArgs(id)
			for _, s := range []struct {
				text string
				args []any
			}{{insTicket, ticket}, {insEvent, event}, {insPending, []any{id}}} {
				if _, err := tx.Exec(s.text, s.args...); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// BenchmarkGroupCommit compares Update with the bare engine, three inserts a
// transaction, 32 writers, every commit flushed to disk; one round of about
// eight seconds an engine is enough: -benchtime=1x. The two take turns, so
// that the load of the machine falls on both.
func BenchmarkGroupCommit(b *testing.B) {
	ctx := b.Context()
	run := func(b *testing.B, d *db.DB, bareOne func(id int64) error) {
		ours := grouped(d)
		for range b.N {
			var o, e float64
			for range 2 {
				o += measure(b, ours) / 2
				e += measure(b, bareOne) / 2
			}
			b.ReportMetric(o, "group-tx/s")
			b.ReportMetric(e, "bare-tx/s")
			b.ReportMetric(o/e, "ratio")
			b.ReportMetric(0, "ns/op")
		}
	}
	b.Run("sqlite", func(b *testing.B) {
		d, _ := dbtest.SQLite(b, accept)
		path := filepath.Join(b.TempDir(), "bare.db")
		p, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)")
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		p.SetMaxOpenConns(1) // one connection queues better than the busy handler
		if _, err := p.Exec(accept.Steps[0].SQL); err != nil {
			b.Fatal(err)
		}
		one, err := bare(ctx, p, func() (*sql.Tx, error) { return p.Begin() })
		if err != nil {
			b.Fatal(err)
		}
		run(b, d, one)
	})
	b.Run("postgres", func(b *testing.B) {
		url := dbtest.Durable(b, accept)
		d, err := db.Open(ctx, db.Config{URL: url})
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		one, closeBare := barePostgres(b, dbtest.Durable(b, accept))
		defer closeBare()
		run(b, d, one)
	})
}

// barePostgres is pgx by itself: a connection for each writer, statements
// prepared by pgx, BEGIN … COMMIT around three inserts.
func barePostgres(b *testing.B, url string) (one func(id int64) error, closeAll func()) {
	b.Helper()
	ctx := b.Context()
	conns := make(chan *pgx.Conn, writers)
	for range writers {
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			b.Fatal(err)
		}
		conns <- c
	}
	one = func(id int64) error {
		c := <-conns
		defer func() { conns <- c }()
		tx, err := c.Begin(ctx)
		if err != nil {
			return err
		}
		defer tx.Rollback(ctx)
		ticket, event := bareArgs(id)
		for i, args := range [][]any{ticket, event, {id}} {
			if _, err := tx.Exec(ctx, []string{insTicket, insEvent, insPending}[i], args...); err != nil {
				return err
			}
		}
		return tx.Commit(ctx)
	}
	return one, func() {
		for range writers {
			(<-conns).Close(ctx)
		}
	}
}

// BenchmarkGet compares reading one row in a View with the bare driver.
func BenchmarkGet(b *testing.B) {
	const text = `SELECT number, region, status, content, at FROM b_ticket WHERE id = $1`
	ctx := b.Context()
	fill := func(b *testing.B, d *db.DB) {
		b.Helper()
		if err := d.Update(ctx, func(tx *db.Tx) error {
			for id := range int64(1000) {
				if _, err := tx.Exec(insTicket, id+1, fmt.Sprint("g", id), "420111", "待派", content, id); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	type row struct {
		number, region, status, content string
		at                              int64
	}
	scan := func(s db.Scanner) (r row, err error) {
		return r, s.Scan(&r.number, &r.region, &r.status, &r.content, &r.at)
	}
	view := func(d *db.DB) func(b *testing.B) {
		return func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if err := d.View(ctx, func(tx *db.Tx) error {
					_, err := db.One(tx, scan, text, i%1000+1)
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	path := dbtest.SQLitePath(b, accept)
	d, err := db.Open(ctx, db.Config{URL: path})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	fill(b, d)
	b.Run("sqlite/view", view(d))
	b.Run("sqlite/bare", func(b *testing.B) {
		p, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		stmt, err := p.Prepare(text)
		if err != nil {
			b.Fatal(err)
		}
		for i := 0; b.Loop(); i++ {
			if _, err := scan(stmt.QueryRowContext(ctx, i%1000+1)); err != nil {
				b.Fatal(err)
			}
		}
	})
	p, err := db.Open(ctx, db.Config{URL: dbtest.PostgresURL(b, accept)})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	fill(b, p)
	b.Run("postgres/view", view(p))
	b.Run("postgres/bare", func(b *testing.B) {
		url := dbtest.PostgresURL(b, accept)
		q, err := db.Open(ctx, db.Config{URL: url})
		if err != nil {
			b.Fatal(err)
		}
		defer q.Close()
		fill(b, q)
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close(ctx)
		for i := 0; b.Loop(); i++ {
			if _, err := scan(c.QueryRow(ctx, text, i%1000+1)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
