package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"hotline/internal/clock"
)

// Tx is a transaction as its closure sees it. It is made by Update or View,
// ends with the closure and belongs to the closure's goroutine.
type Tx struct {
	d        *DB
	ctx      context.Context // the caller's, marked as inside a transaction
	conn     *sql.Conn
	sess     session // the driver's side of conn
	now      time.Time
	writable bool
	over     bool
	failed   error // the first statement that failed
	after    []func()
	rows     []*sql.Rows
	row      []*sql.Row
}

// untied is the context that database/sql sees: it would start a goroutine for
// each query to watch a context that can end. The session watches the caller's
// context itself, once.
var untied = context.Background()

// inside marks the contexts of closures, so that nesting is refused.
type inside struct{}

var (
	errReadOnly = errors.New("db: this transaction only reads")
	errOver     = errors.New("db: Tx used after its closure ended")
	errNested   = errors.New("db: Update or View inside a transaction; hand the Tx on instead")
)

func (d *DB) newTx(ctx context.Context, l *link, writable bool) *Tx {
	return &Tx{d: d, ctx: context.WithValue(ctx, inside{}, d), conn: l.conn, now: d.clock.Now(), writable: writable}
}

// call runs fn; a panic of it becomes an error.
func (tx *Tx) call(fn func(*Tx) error) (err error) {
	defer func() {
		tx.over = true
		if p := recover(); p != nil {
			err = fmt.Errorf("db: closure panicked: %v\n%s", p, debug.Stack())
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if tx.failed != nil && tx.writable {
		return fmt.Errorf("db: a statement failed and its error was dropped: %w", tx.failed)
	}
	return nil
}

// Context is the context of the caller.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Now is the moment at which the closure began; it stays the same all through.
func (tx *Tx) Now() time.Time { return tx.now }

// NowMS is Now as it is stored.
func (tx *Tx) NowMS() int64 { return clock.Millis(tx.now) }

// NewID gives a new id (see DB.NewID).
func (tx *Tx) NewID() int64 { return tx.d.NewID() }

// Writable tells whether the closure was given to Update.
func (tx *Tx) Writable() bool { return tx.writable }

// Engine names the database engine: "sqlite" or "postgres".
func (tx *Tx) Engine() string { return tx.d.engine }

// SkipLocked is the clause with which one of several claimants of rows passes
// over those that another is claiming; SQLite has one writer and needs none.
func (tx *Tx) SkipLocked() string {
	if tx.d.engine == Postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// AfterCommit has fn run once, after the transaction is durable, on the
// goroutine that called Update. It is for wake-ups only: a crash may lose it.
func (tx *Tx) AfterCommit(fn func()) { tx.after = append(tx.after, fn) }

func (tx *Tx) note(err error) error {
	if err != nil && tx.failed == nil {
		tx.failed = err
	}
	return err
}

// Exec runs a statement and tells how many rows it changed.
func (tx *Tx) Exec(text string, args ...any) (rows int64, err error) {
	if tx.over {
		return 0, errOver
	}
	if !tx.writable {
		return 0, errReadOnly
	}
	n, err := tx.exec(text, args)
	if err != nil {
		return 0, tx.note(wrap(err, text))
	}
	return n, nil
}

// Send is Exec for a statement whose count nobody asks for. PostgreSQL gets it
// together with the next statement or with COMMIT, which saves a round trip;
// if it fails there, the transaction is undone and Update answers the error.
func (tx *Tx) Send(text string, args ...any) error {
	if tx.over {
		return errOver
	}
	if !tx.writable {
		return errReadOnly
	}
	s, err := tx.direct()
	if err == nil {
		var values []driver.NamedValue
		if values, err = tx.named(args); err == nil {
			err = s.send(text, values)
		}
	}
	return tx.note(wrap(err, text))
}

// Query runs a statement that answers rows. The caller closes them; those it
// forgets are closed with the transaction.
func (tx *Tx) Query(text string, args ...any) (*sql.Rows, error) {
	if tx.over {
		return nil, errOver
	}
	r, err := tx.conn.QueryContext(untied, text, args...)
	if err != nil {
		return nil, tx.note(wrap(err, text))
	}
	tx.rows = append(tx.rows, r)
	return r, nil
}

// QueryRow runs a statement that answers one row; its error comes with Scan.
func (tx *Tx) QueryRow(text string, args ...any) *sql.Row {
	if tx.over {
		ended, cancel := context.WithCancelCause(context.Background())
		cancel(errOver)
		return tx.conn.QueryRowContext(ended, text)
	}
	r := tx.conn.QueryRowContext(untied, text, args...)
	_ = tx.note(r.Err())
	tx.row = append(tx.row, r)
	return r
}

// closeRows closes what the closure left open: database/sql would otherwise
// hold the connection for ever.
func (tx *Tx) closeRows() {
	for _, r := range tx.rows {
		_ = r.Close()
	}
	for _, r := range tx.row {
		_ = r.Scan()
	}
}

// Scanner is what a row is read from: *sql.Row or *sql.Rows.
type Scanner interface{ Scan(dest ...any) error }
