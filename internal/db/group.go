package db

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"hotline/internal/clock"
)

const (
	// maxGroup and maxGroupTime bound what one COMMIT carries.
	maxGroup     = 256
	maxGroupTime = 20 * time.Millisecond
	// maxRuns is how often a closure is run anew before its caller is told.
	maxRuns = 12
)

var errGoexit = errors.New("db: the closure ended its goroutine")

// counters of what the database did since it was opened.
type counters struct{ commits, writes, reruns atomic.Int64 }

// Stats tells what the database did since Open and what waits now.
type Stats struct {
	Waiting [4]int // writes waiting, by lane
	Commits int64  // transactions made durable
	Writes  int64  // closures made durable
	Reruns  int64  // closures run again after a conflict or lost connection
}

// Stats is for the metrics page.
func (d *DB) Stats() Stats {
	return Stats{Waiting: d.queue.waiting(), Commits: d.stats.commits.Load(),
		Writes: d.stats.writes.Load(), Reruns: d.stats.reruns.Load()}
}

// pause is how long to wait before the n-th rerun.
func pause(n int) time.Duration {
	d := time.Millisecond << min(n, 7)
	return d/2 + rand.N(d)
}

// group is a transaction of SQLite that carries several closures. The first
// needs no savepoint: undoing it is undoing all.
type group struct {
	d       *DB
	l       *link
	open    bool
	kept    []*write // succeeded, waiting for COMMIT
	current *write
}

// sqliteWriter is the one goroutine that writes to SQLite.
func (d *DB) sqliteWriter(l *link) {
	g := &group{d: d, l: l}
	finished := false
	defer func() {
		if !finished { // runtime.Goexit in a closure, as testing.T.Fatal does
			g.abandon()
			go d.sqliteWriter(l)
			return
		}
		d.shrinkWAL(l)
		l.drop()
		d.work.Done()
	}()
	for w := d.queue.take(); w != nil; w = d.queue.take() {
		g.run(w)
	}
	finished = true
}

// run makes one group of what waits, beginning with w, and commits it.
func (g *group) run(w *write) {
	began := g.d.wall.Now()
	for ; w != nil; w = g.d.queue.try() {
		if w.begin() {
			g.add(w)
		}
		if len(g.kept) >= maxGroup || clock.Since(g.d.wall, began) > maxGroupTime {
			break
		}
	}
	g.commit()
	if g.d.walLong.Swap(false) {
		g.d.restartWAL(g.l)
	}
}

// add runs one closure inside the group.
func (g *group) add(w *write) {
	if err := w.ctx.Err(); err != nil {
		w.done <- err
		return
	}
	if err := g.begin(); err != nil {
		w.done <- err
		return
	}
	nested := len(g.kept) > 0
	if nested {
		if err := g.control("SAVEPOINT g"); err != nil {
			g.lose(w, err)
			return
		}
	}
	g.current = w
	tx := g.d.newTx(w.ctx, g.l, true)
	err := tx.call(w.fn)
	tx.closeRows()
	g.current = nil
	switch {
	case err == nil && nested:
		if err := g.control("RELEASE g"); err != nil {
			g.lose(w, err)
			return
		}
	case err != nil && nested:
		if e := g.control("ROLLBACK TO g"); e != nil {
			g.lose(w, err)
			return
		}
		if e := g.control("RELEASE g"); e != nil {
			g.lose(w, err)
			return
		}
	case err != nil:
		g.rollback()
	}
	if err != nil {
		w.done <- err
		return
	}
	w.after = tx.after
	g.kept = append(g.kept, w)
}

func (g *group) begin() error {
	if g.open {
		return nil
	}
	if g.d.broken.Load() {
		return errDown(errors.New("db: the disk failed; restart after repair"))
	}
	for n := 0; ; n++ {
		err := g.l.raw(func(s session) error { return s.begin(untied) })
		if err == nil {
			g.open = true
			return nil
		}
		if !isConflict(err) {
			return errDown(err)
		}
		if n == 2 { // busy_timeout has passed three times
			return errBusy(err)
		}
	}
}

func (g *group) control(text string) error {
	return g.l.raw(func(s session) error { return s.control(untied, text) })
}

func (g *group) rollback() {
	_ = g.l.raw(session.rollback)
	g.open = false
}

// commit makes the group durable and answers its callers.
func (g *group) commit() {
	if !g.open {
		return
	}
	err := g.l.raw(func(s session) error { return s.commit(untied) })
	g.open = false
	if err != nil {
		_ = g.l.raw(session.rollback)
		if isDiskFault(err) {
			g.d.broken.Store(true)
		}
		err = errDown(err)
	} else {
		g.d.stats.commits.Add(1)
		g.d.stats.writes.Add(int64(len(g.kept)))
		g.d.wrote()
	}
	for _, w := range g.kept {
		w.done <- err
	}
	clear(g.kept)
	g.kept = g.kept[:0]
}

// lose answers w, whose error took the whole transaction away (a full disk
// does), and has the innocent others run again.
func (g *group) lose(w *write, err error) {
	w.done <- err
	g.rollback()
	for _, k := range g.kept {
		if k.runs++; k.runs > maxRuns {
			k.done <- errDown(err)
			continue
		}
		k.taken.Store(writeWaiting)
		if _, err := g.d.queue.put(k); err != nil {
			k.done <- err
			continue
		}
		g.d.stats.reruns.Add(1)
	}
	clear(g.kept)
	g.kept = g.kept[:0]
}

// abandon cleans up after a closure that ended the writer's goroutine.
func (g *group) abandon() {
	if w := g.current; w != nil {
		g.current = nil
		g.lose(w, errGoexit)
	}
}
