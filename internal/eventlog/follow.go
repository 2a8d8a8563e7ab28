package eventlog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"hotline/internal/db"
)

const (
	// followPoll is how often a follower looks without being woken, for a
	// process in which no sealer runs.
	followPoll = time.Second
	// maxBackoff bounds the pause after failures.
	maxBackoff = 30 * time.Second
)

// errMoved says that another process moved the same cursor.
var errMoved = errors.New("eventlog: the cursor was moved by another follower of that name")

// backoff is the pause after so many failures in a row.
func backoff(fails int) time.Duration {
	d := min(100*time.Millisecond<<min(fails-1, 10), maxBackoff)
	return d/2 + rand.N(d/2)
}

// Follow hands fn the sealed events behind the cursor of that name, in order,
// up to batch at a time, until ctx ends. The cursor moves in the transaction
// in which fn writes, so each event takes effect once even when the process
// dies or two processes follow under one name. When fn fails, the batch is
// undone and tried again after a growing pause: an event fn cannot digest
// holds its follower up and shows in the log and in the cursor's lag.
func (l *Log) Follow(ctx context.Context, name string, batch int, fn func(tx *db.Tx, evs []Event) error) error {
	woken, cancel := l.Subscribe()
	defer cancel()
	fails := 0
	for {
		_, err := l.FollowOnce(ctx, name, batch, fn)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			fails++
			slog.Warn("eventlog: follower failed", "log", l.name, "follower", name, "error", err, "times", fails)
			if err := l.wall.Sleep(ctx, backoff(fails)); err != nil {
				return err
			}
			continue
		}
		fails = 0
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-woken:
		case <-l.wall.After(followPoll):
		}
	}
}

// FollowOnce is Follow for what is sealed now: it hands fn all of that and
// tells how many events it was.
func (l *Log) FollowOnce(ctx context.Context, name string, batch int, fn func(tx *db.Tx, evs []Event) error) (n int, err error) {
	if batch <= 0 {
		return 0, fmt.Errorf("eventlog: follower %s: a batch of %d", name, batch)
	}
	for {
		var at int64
		var known bool
		var evs []Event
		err := l.d.View(ctx, func(tx *db.Tx) (err error) {
			if at, known, err = l.cursor(tx, name); err != nil {
				return err
			}
			evs, err = l.after(tx, at, batch)
			return err
		})
		if err != nil || len(evs) == 0 {
			return n, err
		}
		err = l.d.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
			if err := l.moveCursor(tx, name, known, at, evs[len(evs)-1].Seq); err != nil {
				return err
			}
			return fn(tx, evs)
		})
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return n, err
		}
		n += len(evs)
	}
}

// Cursor is the number up to which the follower of that name has come.
func (l *Log) Cursor(ctx context.Context, name string) (seq int64, err error) {
	err = l.d.View(ctx, func(tx *db.Tx) (err error) {
		seq, _, err = l.cursor(tx, name)
		return err
	})
	return seq, err
}

// SetCursor puts the cursor of that name to seq, in the caller's transaction:
// to 0 to build a follower's tables anew, to the head to skip history.
func (l *Log) SetCursor(tx *db.Tx, name string, seq int64) error {
	_, err := tx.Exec(`INSERT INTO cursor (log, name, seq) VALUES ($1, $2, $3)
		ON CONFLICT (log, name) DO UPDATE SET seq = excluded.seq`, l.name, name, seq)
	return err
}

func (l *Log) cursor(tx *db.Tx, name string) (seq int64, known bool, err error) {
	seq, err = db.Int(tx, `SELECT seq FROM cursor WHERE log = $1 AND name = $2`, l.name, name)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return seq, err == nil, err
}

// moveCursor moves the cursor on, if it still is where it was read.
func (l *Log) moveCursor(tx *db.Tx, name string, known bool, from, to int64) error {
	var n int64
	var err error
	if known {
		n, err = tx.Exec(`UPDATE cursor SET seq = $1 WHERE log = $2 AND name = $3 AND seq = $4`, to, l.name, name, from)
	} else {
		n, err = tx.Exec(`INSERT INTO cursor (log, name, seq) VALUES ($1, $2, $3) ON CONFLICT (log, name) DO NOTHING`, l.name, name, to)
	}
	if err == nil && n != 1 {
		err = errMoved
	}
	return err
}
