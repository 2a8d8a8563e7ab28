package db

import "errors"

// maxPostgresWriters is how many transactions write at once. PostgreSQL
// commits those that wait together with one flush by itself, so a transaction
// each, without savepoints, is its group commit; see bench_test.go.
const maxPostgresWriters = 16

// morePostgresWriters starts another writer while writes wait for one.
func (d *DB) morePostgresWriters() {
	d.wmu.Lock()
	defer d.wmu.Unlock()
	select {
	case <-d.closing:
		return
	default:
	}
	if d.nwriter < maxPostgresWriters {
		d.nwriter++
		d.work.Add(1)
		go d.postgresWriter(&link{pool: d.writers})
	}
}

// postgresWriter takes one write after the other.
func (d *DB) postgresWriter(l *link) {
	var current *write
	finished := false
	defer func() {
		if !finished { // runtime.Goexit in a closure, as testing.T.Fatal does
			l.drop()
			current.done <- errGoexit
			go d.postgresWriter(l)
			return
		}
		l.drop()
		d.work.Done()
	}()
	for w := d.queue.take(); w != nil; w = d.queue.take() {
		if w.begin() {
			current = w
			w.done <- d.solo(l, w)
		}
	}
	finished = true
}

// solo runs one closure in a transaction of its own until it is committed,
// refused, or has lost too many conflicts.
func (d *DB) solo(l *link, w *write) error {
	for n := 0; ; n++ {
		err, again := d.soloOnce(l, w)
		if !again {
			return err
		}
		if ctxErr := w.ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		if n == maxRuns {
			if isLost(err) {
				return errDown(err)
			}
			return errBusy(err)
		}
		d.stats.reruns.Add(1)
		if n == 2 {
			// Those that keep colliding inside this process go one by one.
			d.contended.Lock()
			defer d.contended.Unlock()
		}
		if err := d.wall.Sleep(w.ctx, pause(n)); err != nil {
			return err
		}
	}
}

func (d *DB) soloOnce(l *link, w *write) (err error, again bool) {
	if err := w.ctx.Err(); err != nil {
		return err, false
	}
	if err := l.open(w.ctx); err != nil {
		if w.ctx.Err() != nil {
			return w.ctx.Err(), false
		}
		return errDown(err), isLost(err)
	}
	if err := l.raw(func(s session) error { return s.begin(w.ctx) }); err != nil {
		l.drop()
		return err, isLost(err)
	}
	tx := d.newTx(w.ctx, l, true)
	err = tx.call(w.fn)
	tx.closeRows()
	if err != nil {
		if l.raw(session.rollback) != nil {
			l.drop()
		} else if pgCode(tx.failed) == pgCachedPlan {
			_ = l.raw(func(s session) error { s.forget(); return nil })
		}
		return err, isConflict(err) || isConflict(tx.failed) || isLost(err) || isLost(tx.failed)
	}
	if err := l.raw(func(s session) error { return s.commit(untied) }); err != nil {
		var before *refused
		if errors.As(err, &before) {
			if l.raw(session.rollback) != nil {
				l.drop()
			}
			return before.error, isConflict(before.error)
		}
		l.drop()
		switch {
		case isConflict(err):
			return err, true
		case w.ctx.Err() != nil && errors.Is(err, w.ctx.Err()):
			return err, false
		case isLost(err):
			return errUnknown(err), false
		}
		return errDown(err), false
	}
	w.after = tx.after
	d.stats.commits.Add(1)
	d.stats.writes.Add(1)
	return nil, false
}
