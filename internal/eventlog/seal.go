package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
)

const (
	// sealWindow is how many pending events are put in order together.
	sealWindow = 4096
	// sealBatch is how many are sealed in one transaction.
	sealBatch = 256
	// sealGather lets a few commits come together; it is most of the time
	// from a commit to its seal.
	sealGather = 5 * time.Millisecond
	// sealPoll is how often another process's events are looked for.
	sealPoll = 250 * time.Millisecond
	// leaseFor is how long a sealer that died holds up the others.
	leaseFor = 10 * time.Second
	// leaseRenew is how often an idle sealer renews.
	leaseRenew = 4 * time.Second
)

// maxStale is how often a sealer yields to others in a row; a head that does
// not fit the log, which somebody changed by hand, looks the same.
const maxStale = 50

// errStale says that another sealer was faster; what it sealed is good.
var errStale = errors.New("eventlog: another sealer moved the head")

// RunSealer seals events as they come until ctx ends. Every process runs it;
// the one that holds the lease works, the others watch for its end and tell
// their own subscribers what it sealed.
func (l *Log) RunSealer(ctx context.Context) error {
	defer l.releaseLease(context.WithoutCancel(ctx))
	var renewed time.Time
	leader, fails := false, 0
	for ctx.Err() == nil {
		err := func() (err error) {
			if now := l.wall.Now(); !leader || now.Sub(renewed) > leaseRenew {
				if leader, err = l.takeLease(ctx); err != nil {
					return err
				}
				renewed = now
			}
			if !leader {
				head, err := l.Head(ctx)
				l.sealed(head)
				return err
			}
			_, err = l.SealNow(ctx)
			return err
		}()
		if err != nil && ctx.Err() == nil {
			leader = false
			fails++
			slog.Warn("eventlog: sealing failed", "log", l.name, "error", err, "times", fails)
			_ = l.wall.Sleep(ctx, backoff(fails))
			continue
		}
		fails = 0
		l.waitForMore(ctx)
	}
	return ctx.Err()
}

func (l *Log) waitForMore(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-l.appended:
		_ = l.wall.Sleep(ctx, sealGather)
	case <-l.wall.After(sealPoll):
	}
}

// takeLease takes or renews the lease; false when another holds it. The lease
// only spares work: it is the unique number that keeps order.
func (l *Log) takeLease(ctx context.Context) (held bool, err error) {
	err = l.d.UpdateLane(ctx, db.LaneHigh, func(tx *db.Tx) error {
		if h, err := l.readHead(tx); err != nil {
			return err
		} else if !h.known {
			if err := l.createSeal(tx, h.algorithm); err != nil {
				return err
			}
		}
		now := clock.Millis(l.wall.Now())
		// A lease too far ahead was taken under a clock that was wrong.
		n, err := tx.Exec(l.sql(`UPDATE LOG_seal SET holder = $1, lease_until = $2
			WHERE id = 1 AND (holder = $1 OR holder = '' OR lease_until < $3 OR lease_until > $4 OR CAST($5 AS BIGINT) = 1)`),
			l.me, now+leaseFor.Milliseconds(), now, now+10*leaseFor.Milliseconds(), l.alone)
		held = n == 1
		return err
	})
	return held && err == nil, err
}

// Alone says that no other process can be sealing, as when one process holds
// the database: what a killed one left of its lease is not waited for.
func (l *Log) Alone() { l.alone = 1 }

func (l *Log) releaseLease(ctx context.Context) {
	_ = l.d.UpdateLane(ctx, db.LaneHigh, func(tx *db.Tx) error {
		_, err := tx.Exec(l.sql(`UPDATE LOG_seal SET holder = '', lease_until = 0 WHERE id = 1 AND holder = $1`), l.me)
		return err
	})
}

// SealNow seals what is pending and tells how many events that were. It needs
// no lease: sealers that meet lose nothing but work. It serves RunSealer,
// tests and tools.
func (l *Log) SealNow(ctx context.Context) (n int, err error) {
	for stale := 0; ; {
		window, from, err := l.window(ctx)
		if err != nil {
			return n, err
		}
		l.sealed(from.Seq)
		if len(window) == 0 {
			return n, nil
		}
		for part := range slices.Chunk(window, sealBatch) {
			next, err := l.seal(ctx, from, part)
			if errors.Is(err, errStale) && stale < maxStale {
				// Look again from where the other has come.
				stale++
				if err := l.wall.Sleep(ctx, time.Duration(stale)*time.Millisecond); err != nil {
					return n, err
				}
				break
			}
			if err != nil {
				return n, err
			}
			n, from, stale = n+len(part), next, 0
			l.sealed(from.Seq)
		}
	}
}

// window reads pending events in the order in which they are to be sealed, and
// the head they follow, from one snapshot.
func (l *Log) window(ctx context.Context) (window []Event, from head, err error) {
	err = l.d.View(ctx, func(tx *db.Tx) (err error) {
		if from, err = l.readHead(tx); err != nil {
			return err
		}
		window, err = db.All(tx, scanEvent, l.sql(`SELECT 0, `+eventColumns+`
			FROM LOG_pending p JOIN LOG e ON e.id = p.id ORDER BY p.id LIMIT $1`), sealWindow)
		if err != nil || len(window) < sealWindow {
			return err
		}
		// More are pending. Where nodes' clocks differ, one of those may be an
		// earlier version of a subject in the window: it comes along.
		early, err := db.All(tx, scanEvent, l.sql(`SELECT 0, `+eventColumns+`
			FROM LOG_pending p JOIN LOG e ON e.id = p.id
			WHERE p.id > $1 AND EXISTS (
				SELECT 1 FROM LOG f JOIN LOG_pending q ON q.id = f.id
				WHERE f.subject_id = e.subject_id AND f.subject_kind = e.subject_kind
				AND f.version > e.version AND f.id <= $1)`), window[len(window)-1].ID)
		window = append(window, early...)
		return err
	})
	inOrder(window)
	return window, from, err
}

// inOrder sorts events by id, but those of one subject by version: on the
// places that the subject's events have, they stand by (version, id).
func inOrder(evs []Event) {
	slices.SortFunc(evs, func(a, b Event) int { return compare(a.ID, b.ID) })
	type subject struct {
		kind string
		id   int64
	}
	places := make(map[subject][]int, len(evs))
	for i, e := range evs {
		s := subject{e.SubjectKind, e.SubjectID}
		places[s] = append(places[s], i)
	}
	for _, at := range places {
		if len(at) == 1 {
			continue
		}
		own := make([]Event, len(at))
		for i, p := range at {
			own[i] = evs[p]
		}
		slices.SortStableFunc(own, func(a, b Event) int { return compare(a.Version, b.Version) })
		for i, p := range at {
			evs[p] = own[i]
		}
	}
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// seal gives part the numbers behind from, in one transaction, and gives the
// new head. It changes nothing and answers errStale when from is not the head.
func (l *Log) seal(ctx context.Context, from head, part []Event) (head, error) {
	c, err := newChain(from.algorithm)
	if err != nil {
		return head{}, err
	}
	next := from
	if !from.known {
		next.Hash = c.genesis(l.name, from.algorithm)
	}
	first := next.Hash
	rows := make([]any, 0, 4*len(part)) // seq, event_id, prev_hash, hash of each
	for i := range part {
		next.Seq++
		part[i].Seq = next.Seq
		prev := next.Hash
		next.Hash = c.next(prev, &part[i])
		rows = append(rows, next.Seq, part[i].ID, prev, next.Hash)
	}
	err = l.d.UpdateLane(ctx, db.LaneHigh, func(tx *db.Tx) error {
		if !from.known {
			if err := l.createSeal(tx, from.algorithm); err != nil {
				return err
			}
		}
		moved, err := tx.Exec(l.sql(`UPDATE LOG_seal SET seq = $1, hash = $2 WHERE id = 1 AND seq = $3 AND hash = $4`),
			next.Seq, next.Hash, from.Seq, first)
		if err != nil {
			return err
		}
		if moved != 1 {
			return errStale
		}
		for part := range slices.Chunk(rows, 4*rowsAtOnce) {
			if _, err := tx.Exec(l.sql(`INSERT INTO LOG_log (seq, event_id, prev_hash, hash) VALUES `)+tuples(len(part)/4, 4), part...); err != nil {
				return err
			}
			ids := make([]any, 0, rowsAtOnce)
			for i := 1; i < len(part); i += 4 {
				ids = append(ids, part[i])
			}
			n, err := tx.Exec(l.sql(`DELETE FROM LOG_pending WHERE id IN `)+tuples(1, len(ids)), ids...)
			if err != nil {
				return err
			}
			if n != int64(len(ids)) {
				return fmt.Errorf("eventlog: %d of %d events were pending: %w", n, len(ids), errStale)
			}
		}
		return nil
	})
	next.known = true
	if db.IsUnique(err) {
		err = errStale // fenced by the number or the event
	}
	return next, err
}

// rowsAtOnce is how many rows one INSERT of the sealer carries.
const rowsAtOnce = 32

// tuples writes rows of placeholders: ($1,$2),($3,$4).
func tuples(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%columns == 0:
			b.WriteString("),(")
		default:
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	return b.String()
}
