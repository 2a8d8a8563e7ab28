package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// session is a connection of either engine, as its own driver sees it. It is
// used by one goroutine at a time, always through link.raw.
type session interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
	// begin opens a transaction: a snapshot for readers, a writing one for writers.
	begin(ctx context.Context) error
	commit(ctx context.Context) error
	// rollback ends whatever is open, also open rows; it never waits for ctx.
	rollback() error
	// send runs a statement whose count nobody asks for; it may wait for the next.
	send(text string, args []driver.NamedValue) error
	// control runs a statement without arguments, prepared once.
	control(ctx context.Context, text string) error
	// script runs a statement that is not worth keeping (DDL).
	script(ctx context.Context, text string) error
	// forget drops the prepared statements, after a change of the schema.
	forget()
}

// link is one connection kept for long by a writer or a reader.
type link struct {
	pool *sql.DB
	conn *sql.Conn // nil until first used and after it broke
}

// open makes sure that there is a connection.
func (l *link) open(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	c, err := l.pool.Conn(ctx)
	if err != nil {
		return err
	}
	l.conn = c
	return nil
}

// raw gives the session to fn while database/sql keeps its hands off.
func (l *link) raw(fn func(session) error) error {
	if l.conn == nil {
		return driver.ErrBadConn
	}
	return l.conn.Raw(func(c any) error { return fn(c.(session)) })
}

// drop closes the connection; the next open makes a new one.
func (l *link) drop() {
	if l.conn == nil {
		return
	}
	_ = l.conn.Close() // the pool keeps no idle connection, so this closes it
	l.conn = nil
}

var errTimeArgument = errors.New("db: time.Time is not stored; pass clock.Millis(t)")

// plainValue turns an argument into what both engines store alike: booleans
// become 0 and 1, an absent []byte becomes NULL, a time is refused.
func plainValue(nv *driver.NamedValue) error {
	switch v := nv.Value.(type) {
	case nil, int64, string, float64:
		return nil
	case int:
		nv.Value = int64(v)
	case bool:
		nv.Value = boolValue(v)
	case []byte:
		if v == nil {
			nv.Value = nil
		}
	case json.RawMessage:
		nv.Value = string(v)
	case time.Time, *time.Time:
		return errTimeArgument
	default:
		return otherValue(nv)
	}
	return nil
}

func otherValue(nv *driver.NamedValue) error {
	v, err := driver.DefaultParameterConverter.ConvertValue(nv.Value)
	if err != nil {
		return fmt.Errorf("db: argument %d: %w", nv.Ordinal, err)
	}
	switch x := v.(type) {
	case bool:
		v = boolValue(x)
	case []byte:
		if x == nil {
			v = nil
		}
	case time.Time:
		return errTimeArgument
	}
	nv.Value = v
	return nil
}

func boolValue(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
