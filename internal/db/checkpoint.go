package db

import (
	"context"
	"time"
)

const (
	// checkpointEvery is how often the WAL of SQLite is copied into the file
	// while writes go on, and checkpointCommits after how many commits at the latest.
	checkpointEvery   = time.Second
	checkpointCommits = 512
	// walLimit in pages (4 KiB): beyond it the writer starts the WAL afresh,
	// because under steady load a copy alone never catches up with the end.
	walLimit = 8192
)

// wrote hints the checkpointer after every so many commits.
func (d *DB) wrote() {
	if d.stats.commits.Load()%checkpointCommits != 0 {
		return
	}
	select {
	case d.walBusy <- struct{}{}:
	default:
	}
}

// checkpoints copies the WAL into the file, beside the writer and the readers.
func (d *DB) checkpoints(l *link) {
	defer d.work.Done()
	defer l.drop()
	seen := int64(0)
	for {
		select {
		case <-d.closing:
			return
		case <-d.walBusy:
		case <-d.wall.After(checkpointEvery):
		}
		now := d.stats.commits.Load()
		if now == seen || d.broken.Load() {
			continue
		}
		seen = now
		if l.open(context.Background()) != nil {
			continue
		}
		pages, err := walCheckpoint(l, "PRAGMA wal_checkpoint(PASSIVE)")
		if err != nil {
			if isDiskFault(err) {
				d.broken.Store(true)
			}
			l.drop()
			continue
		}
		if pages > walLimit {
			d.walLong.Store(true)
		}
	}
}

// restartWAL lets the next commit write at the head of the WAL. It waits for
// readers only briefly; when they hold on, the next round tries again.
func (d *DB) restartWAL(l *link) {
	_ = l.raw(func(s session) error { return s.script(context.Background(), "PRAGMA busy_timeout=20") })
	_, _ = walCheckpoint(l, "PRAGMA wal_checkpoint(RESTART)")
	_ = l.raw(func(s session) error { return s.script(context.Background(), "PRAGMA busy_timeout=5000") })
}

// shrinkWAL leaves a short WAL behind when the database is closed.
func (d *DB) shrinkWAL(l *link) {
	if !d.broken.Load() {
		_, _ = walCheckpoint(l, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
}

// walCheckpoint runs a checkpoint and tells how many pages the WAL holds.
func walCheckpoint(l *link, text string) (pages int64, err error) {
	err = l.raw(func(s session) error {
		n, err := s.(*sqliteSession).numbers(text, 3)
		if err == nil {
			pages = n[1]
		}
		return err
	})
	return pages, err
}
