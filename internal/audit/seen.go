package audit

import (
	"context"
	"errors"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
)

// seen gathers the views of many requests into one closure: the first caller
// brings the batch to the database, those who come before the closure runs ride
// along, and all return when it is durable.
type seen struct {
	mu    sync.Mutex
	open  *batch // still takes entries; nil = the next caller begins one
	crowd bool   // the last batch had company: more are looking
}

// gather is how long a batch waits for others while many look: each batch is a
// flush of the disk, and most views take longer than this anyway.
const gather = 2 * time.Millisecond

type batch struct {
	entries []Entry
	done    chan struct{}
	err     error
}

// maxBatch bounds the work of one closure.
const maxBatch = 256

var errNoOp = errors.New("audit: entry without an operation")

// Seen writes an entry of a view and returns when it is durable, so that no
// answer leaves before its entry. It goes through the lane below business writes.
func (l *Log) Seen(ctx context.Context, e Entry) error {
	v, err := l.See(ctx, e)
	if err != nil {
		return err
	}
	return v.Wait(ctx)
}

// Look is an entry on its way to the disk.
type Look struct{ b *batch }

// See begins to write an entry of a view: the answer may be made meanwhile, but
// must not leave before Wait says that the entry is durable.
func (l *Log) See(ctx context.Context, e Entry) (Look, error) {
	if e.Op == "" {
		return Look{}, errNoOp // alone, not with the whole batch
	}
	b, first := l.seen.join(e)
	if first {
		// Others ride along: the batch does not end with this caller's request.
		go l.bring(context.WithoutCancel(ctx), b)
	}
	return Look{b}, nil
}

// Wait returns when the entry is durable, or could not be written.
func (v Look) Wait(ctx context.Context) error {
	select {
	case <-v.b.done:
		return v.b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bring writes a batch.
func (l *Log) bring(ctx context.Context, b *batch) {
	if l.seen.crowded() {
		_ = clock.System().Sleep(ctx, gather)
	}
	b.err = l.d.UpdateLane(ctx, db.LaneAudit, func(tx *db.Tx) error {
		return l.recordAll(tx, l.seen.close(b))
	})
	l.seen.close(b) // where the closure never ran
	close(b.done)
}

// join adds an entry to the open batch, or begins one.
func (s *seen) join(e Entry) (b *batch, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open, first = &batch{done: make(chan struct{})}, true
	}
	b = s.open
	if b.entries = append(b.entries, e); len(b.entries) == maxBatch {
		s.open = nil
	}
	return b, first
}

// close lets nobody else into the batch and answers its entries.
func (s *seen) close(b *batch) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == b {
		s.open = nil
	}
	s.crowd = len(b.entries) > 2
	return b.entries
}

func (s *seen) crowded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crowd
}
