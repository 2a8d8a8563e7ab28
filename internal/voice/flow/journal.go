package flow

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
)

// journal writes what happened, in order, many entries a transaction. Turns of
// the exchange never wait for it; a database that is away holds the entries up
// and loses none.
type journal struct {
	d    *db.DB
	wall clock.Clock
	mu   sync.Mutex
	list []func(*db.Tx) error
	more chan struct{}
	idle *sync.Cond
	busy bool
}

func newJournal(d *db.DB) *journal {
	j := &journal{d: d, wall: clock.System(), more: make(chan struct{}, 1)}
	j.idle = sync.NewCond(&j.mu)
	return j
}

// write adds an entry. fn may run twice and touches nothing but the database.
func (j *journal) write(fn func(*db.Tx) error) {
	j.mu.Lock()
	j.list = append(j.list, fn)
	j.mu.Unlock()
	select {
	case j.more <- struct{}{}:
	default:
	}
}

// flush waits until everything written so far is durable.
func (j *journal) flush() {
	j.mu.Lock()
	for len(j.list) > 0 || j.busy {
		j.idle.Wait()
	}
	j.mu.Unlock()
}

// most is how many entries one transaction takes.
const most = 64

func (j *journal) run(ctx context.Context) {
	done := context.WithoutCancel(ctx) // what happened is written, also at the end
	for {
		if j.drain(done) {
			continue
		}
		select {
		case <-ctx.Done():
			for j.drain(done) {
			}
			return
		case <-j.more:
		}
	}
}

// drain writes one transaction; false when there is nothing to write.
func (j *journal) drain(ctx context.Context) bool {
	j.mu.Lock()
	n := min(len(j.list), most)
	batch := j.list[:n:n]
	j.list = j.list[n:]
	j.busy = n > 0
	j.mu.Unlock()
	if n == 0 {
		return false
	}
	all := func(tx *db.Tx) error {
		for _, fn := range batch {
			if err := fn(tx); err != nil {
				return err
			}
		}
		return nil
	}
	if err := j.d.UpdateLane(ctx, db.LaneHigh, all); err != nil {
		slog.Warn("voice: journal", "entries", n, "err", err)
		for _, fn := range batch {
			j.single(ctx, fn)
		}
	}
	j.mu.Lock()
	j.busy = false
	if len(j.list) == 0 {
		j.idle.Broadcast()
	}
	j.mu.Unlock()
	return true
}

// single writes one entry by itself, so that a bad one spoils no others.
func (j *journal) single(ctx context.Context, fn func(*db.Tx) error) {
	var err error
	for try := range 6 {
		if err = j.d.UpdateLane(ctx, db.LaneHigh, fn); err == nil {
			return
		}
		_ = j.wall.Sleep(ctx, 50*time.Millisecond<<try)
	}
	slog.Error("voice: a journal entry was given up", "err", err)
}
