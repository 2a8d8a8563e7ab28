package org

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/eventlog"
)

// Service reads and changes the organisation. Built once by app.
type Service struct {
	d   *db.DB
	log *eventlog.Log

	// Approver tells whether an account belongs to the province and may let a
	// county platform be. Accounts live in a higher room, so app wires it; while
	// it is nil every county platform is refused.
	Approver func(tx *db.Tx, account int64) (bool, error)

	// OnMoved runs in the transaction that hangs a unit elsewhere from a moment
	// on. Who sees which ticket follows from the tree, but tickets live in a
	// higher room, so app wires it.
	OnMoved func(tx *db.Tx, by By, unit int64, from time.Time) error

	writing  sync.Mutex // held through a write
	mu       sync.Mutex // guards rows and rev
	rows     map[rowKey]row
	rev      int64 // unit_change.n that rows reflects
	tree     atomic.Pointer[Tree]
	initials *initialsCache
	watchers []func(*Tree)
}

// New makes the service; Load it before use.
func New(d *db.DB, log *eventlog.Log) *Service {
	s := &Service{d: d, log: log, rows: map[rowKey]row{}, initials: &initialsCache{}}
	s.tree.Store(buildTree(nil, 0, s.initials))
	return s
}

// Tree is the organisation now. It is one pointer read.
func (s *Service) Tree() *Tree { return s.tree.Load() }

// TreeAt is the organisation as it stood at t, for replays and old tickets.
func (s *Service) TreeAt(t time.Time) *Tree {
	s.mu.Lock()
	defer s.mu.Unlock()
	return buildTree(s.rows, clock.Millis(t), s.initials)
}

// OnChange calls fn with each new tree, in the writer's goroutine; register
// before the service is in use.
func (s *Service) OnChange(fn func(*Tree)) { s.watchers = append(s.watchers, fn) }

// Load reads every unit into memory; call it at start.
func (s *Service) Load(ctx context.Context) error {
	var rows []row
	var n int64
	err := s.d.View(ctx, func(tx *db.Tx) (err error) {
		if n, err = db.Int(tx, `SELECT n FROM unit_change WHERE one = 1`); err != nil {
			return err
		}
		rows, err = db.All(tx, scanRow, `SELECT `+rowColumns+` FROM unit`)
		return err
	})
	if err != nil {
		return fmt.Errorf("org: load: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := keyed(rows)
	for k, r := range s.rows { // what this process committed after the snapshot was taken
		if r.rev > n {
			next[k] = r
		}
	}
	s.rows, s.rev = next, max(s.rev, n)
	s.rebuild()
	return nil
}

func keyed(rows []row) map[rowKey]row {
	m := make(map[rowKey]row, len(rows))
	for _, r := range rows {
		m[rowKey{r.id, r.from}] = r
	}
	return m
}

// row is one period of a unit as memory knows it.
func (s *Service) row(k rowKey) row {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows[k]
}

// applied puts committed rows into memory; whole tells that they are all there
// are as of n. Later revisions of a row win, so the order in which commits
// report does not matter.
func (s *Service) applied(rows []row, n int64, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		k := rowKey{r.id, r.from}
		if old, ok := s.rows[k]; !ok || old.rev < r.rev {
			s.rows[k] = r
		}
	}
	if n == s.rev+1 || whole && n > s.rev {
		s.rev = n
	}
	s.rebuild()
}

// rebuild makes the tree of now. Caller holds mu.
func (s *Service) rebuild() {
	t := buildTree(s.rows, clock.Millis(s.d.Clock().Now()), s.initials)
	s.tree.Store(t)
	for _, fn := range s.watchers {
		fn(t)
	}
}

// watchEvery is how late another process may see a change, and how late a
// change dated ahead may take effect.
const watchEvery = 2 * time.Second

// Watch keeps the tree current with other processes and with effective dates
// until ctx ends. A failing database is asked again; the last tree stays.
func (s *Service) Watch(ctx context.Context) error {
	c := s.d.Clock()
	for {
		if err := c.Sleep(ctx, watchEvery); err != nil {
			return nil
		}
		_ = s.Refresh(ctx) // the next round tries again
	}
}

// Refresh loads if another process wrote or an effective date has passed.
func (s *Service) Refresh(ctx context.Context) error {
	var n int64
	err := s.d.View(ctx, func(tx *db.Tx) (err error) {
		n, err = db.Int(tx, `SELECT n FROM unit_change WHERE one = 1`)
		return err
	})
	if err != nil {
		return fmt.Errorf("org: refresh: %w", err)
	}
	s.mu.Lock()
	known := s.rev
	s.mu.Unlock()
	if n > known {
		return s.Load(ctx)
	}
	if next := s.Tree().next; next != 0 && next <= clock.Millis(s.d.Clock().Now()) {
		s.mu.Lock()
		s.rebuild()
		s.mu.Unlock()
	}
	return nil
}
