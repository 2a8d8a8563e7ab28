package ticket

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"hotline/internal/access"
	"hotline/internal/db"
)

// Count is the size of a queue, capped.
type Count struct {
	Queue   string
	N       int64
	Overdue int64
	Capped  bool
}

// countCap bounds what a badge shows: above it reads 9,999+.
const countCap = 9999

// Counts gives the sizes of queues in the actor's scope.
func (s *Service) Counts(ctx context.Context, sc access.Scope, queues []string) (out []Count, err error) {
	now := s.DB.Clock().Now().UnixMilli()
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out = make([]Count, 0, len(queues))
		for _, q := range queues {
			c, err := s.count(tx, sc, q, now)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

func (s *Service) count(tx *db.Tx, sc access.Scope, queue string, now int64) (c Count, err error) {
	states, cond := queueStates(queue, now, &[]any{})
	switch queue {
	case "overdue", "dispatch_overdue", "due_soon": // parts of the tallies of their states
		cond = ""
	}
	if len(states) == 0 {
		states = []string{""}
	}
	var sum tally
	for _, state := range states {
		t, err := s.tally(tx, sc, state, cond, now)
		if err != nil {
			return c, err
		}
		sum.n, sum.late, sum.soon = sum.n+t.n, sum.late+t.late, sum.soon+t.soon
	}
	c = Count{Queue: queue, N: sum.n, Overdue: sum.late}
	switch {
	case queue == "overdue", queue == "dispatch_overdue":
		c.N = sum.late
	case queue == "due_soon":
		c.N, c.Overdue = sum.soon, 0
	case orderOf(queue) != byDeadline, queue == QueueRelay: // a relay has no limit of its own
		c.Overdue = 0
	}
	c.Capped = c.N > countCap
	c.N, c.Overdue = min(c.N, countCap), min(c.Overdue, countCap)
	return c, nil
}

// tally is what one look through a state saw: all of it, what is overdue, and
// what is due within a day; each up to a little above the cap.
type tally struct{ n, late, soon int64 }

// tallies keeps large ones: to count costs what there is to count, and of
// thousands nobody sees one come or go. Small ones are counted each time.
type tallies struct {
	mu   sync.Mutex
	kept map[string]keptTally
}

type keptTally struct {
	tally
	at, until int64
}

const (
	tallyKeptFrom = 500 // rows; a millisecond of keeping for each
	talliesKept   = 4096
)

// tally counts a state ("" = all) of a scope under a condition that has no values.
func (s *Service) tally(tx *db.Tx, sc access.Scope, state, cond string, now int64) (t tally, err error) {
	key := fmt.Sprint(sc.All, sc.None, sc.Units, sc.Labels, state, cond)
	s.tallies.mu.Lock()
	k, ok := s.tallies.kept[key]
	s.tallies.mu.Unlock()
	if ok && now >= k.at && now < k.until {
		return k.tally, nil
	}
	var args []any
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	soon := now + 24*3600*1000
	head := `SELECT count(*), COALESCE(SUM(CASE WHEN sort_at < ` + arg(now) + ` THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN sort_at >= ` + arg(now) + ` AND sort_at < ` + arg(soon) + ` THEN 1 ELSE 0 END), 0)`
	where := []string{sc.SQL("w", &args)}
	if cond != "" {
		where = append(where, cond)
	}
	order := ""
	if state != "" { // the index has a state by its deadlines: what is late comes first
		where, order = append(where, "w.state = "+arg(state)), ` ORDER BY w.sort_at`
	}
	t, err = db.One(tx, func(sc db.Scanner) (t tally, err error) { return t, sc.Scan(&t.n, &t.late, &t.soon) },
		head+` FROM (SELECT w.sort_at FROM worklist w WHERE `+strings.Join(where, " AND ")+order+` LIMIT `+arg(countCap+1)+`) q`, args...)
	if err != nil {
		return t, err
	}
	if t.n > countCap && t.late+t.soon >= t.n && cond == "" && state != "" { // the look ended among what is due soon
		args = nil
		t.soon, err = db.Int(tx, `SELECT count(*) FROM (SELECT 1 AS one FROM worklist w WHERE `+sc.SQL("w", &args)+` AND w.state = `+arg(state)+
			` AND w.sort_at >= `+arg(now)+` AND w.sort_at < `+arg(soon)+` LIMIT `+arg(countCap+1)+`) q`, args...)
		if err != nil {
			return t, err
		}
	}
	if t.n >= tallyKeptFrom {
		s.tallies.mu.Lock()
		if len(s.tallies.kept) >= talliesKept {
			clear(s.tallies.kept)
		}
		s.tallies.kept[key] = keptTally{t, now, now + t.n}
		s.tallies.mu.Unlock()
	}
	return t, nil
}
