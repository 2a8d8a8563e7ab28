package ticket

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Sweep fires the stages of clocks whose time has come, of at most limit
// tickets, and says how many fired. Each (clock, stage) fires once: the stage
// is written in the transaction of its event.
func (s *Service) Sweep(ctx context.Context, limit int) (fired int, err error) {
	now := s.DB.Clock().Now().UnixMilli()
	var due []int64
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		found, err := db.All(tx, func(sc db.Scanner) (a at, err error) { return a, sc.Scan(&a.id, &a.version) },
			`SELECT id, version FROM ticket WHERE next_at > 0 AND next_at <= $1 ORDER BY next_at LIMIT $2`, now, limit)
		if err != nil {
			return err
		}
		due = make([]int64, len(found))
		for i, f := range found {
			due[i] = f.id
		}
		_, err = s.readRows(tx, found, withAll) // onto the shelf, so that the writer finds them there
		return err
	})
	if err != nil || len(due) == 0 {
		return 0, err
	}
	// One transaction for all of them: a hundred commits would take a hundred
	// flushes. Tickets are taken in the order of their ids, as by everybody.
	slices.Sort(due)
	if fired, err = s.fireAll(ctx, due); err == nil || ctx.Err() != nil {
		return fired, ctx.Err()
	}
	slog.Error("deadline sweep", "err", err)
	fired = 0
	var first error
	for _, id := range due { // one that cannot be fired does not hold up the others
		n, err := s.fireAll(ctx, []int64{id})
		fired += n
		if ctx.Err() != nil {
			return fired, ctx.Err()
		}
		if err != nil {
			slog.Error("deadline sweep", "ticket", id, "err", err)
			if first == nil {
				first = err
			}
		}
	}
	return fired, first
}

// fireAll fires what is due of these tickets in one transaction.
func (s *Service) fireAll(ctx context.Context, ids []int64) (fired int, err error) {
	err = s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
		fired = 0 // may run again
		list, err := s.loadAllToChange(tx, ids)
		if err != nil {
			return err
		}
		for _, t := range list {
			n, err := s.fire(tx, t)
			if err != nil {
				return fmt.Errorf("ticket %d: deadline: %w", t.ID, err)
			}
			fired += n
		}
		return nil
	})
	return fired, err
}

// fire fires the next stage of each clock of a ticket that is due; none when
// another process was faster.
func (s *Service) fire(tx *db.Tx, t *Ticket) (fired int, err error) {
	var due []int64
	for _, c := range t.Clocks {
		if c.NextAt > 0 && c.NextAt <= tx.NowMS() {
			due = append(due, c.ID)
		}
	}
	for _, c := range due {
		_, err := s.step(tx, access.System("时限巡检"), t, Action{Name: "deadline", Clock: c})
		switch {
		case err == nil:
			fired++
		case !fault.Is(err, "not_due"): // the stage before stopped it
			return fired, err
		}
	}
	return fired, nil
}
