package ticket

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Sweep fires the stages of clocks whose time has come, at most limit of them,
// and says how many fired. Each (clock, stage) fires once: the stage is
// written in the transaction of its event.
func (s *Service) Sweep(ctx context.Context, limit int) (int, error) {
	type due struct{ clock, ticket int64 }
	now := s.DB.Clock().Now().UnixMilli()
	var list []due
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		list, err = db.All(tx, func(sc db.Scanner) (d due, err error) { return d, sc.Scan(&d.clock, &d.ticket) },
			`SELECT id, ticket FROM time_limit WHERE next_at > 0 AND next_at <= $1 ORDER BY next_at LIMIT $2`, now, limit)
		return err
	})
	if err != nil || len(list) == 0 {
		return 0, err
	}
	// One transaction for all of them: a hundred commits would take a hundred
	// flushes. Tickets are taken in the order of their ids, as by everybody.
	slices.SortFunc(list, func(a, b due) int { return cmp.Or(cmp.Compare(a.ticket, b.ticket), cmp.Compare(a.clock, b.clock)) })
	fired := 0
	err = s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
		fired = 0 // may run again
		for _, d := range list {
			_, err := s.DoTx(tx, access.System("时限巡检"), d.ticket, Action{Name: "deadline", Clock: d.clock})
			switch {
			case err == nil:
				fired++
			case fault.Is(err, "not_due"): // another process was faster
			default:
				return fmt.Errorf("ticket %d, clock %d: deadline: %w", d.ticket, d.clock, err)
			}
		}
		return nil
	})
	if err == nil || ctx.Err() != nil {
		return fired, ctx.Err()
	}
	slog.Error("deadline sweep", "err", err)
	return s.sweepEach(ctx, len(list), func(i int) (ticket, clock int64) { return list[i].ticket, list[i].clock })
}

// sweepEach fires the clocks one by one, so that one that cannot be fired does
// not hold up the others.
func (s *Service) sweepEach(ctx context.Context, n int, at func(i int) (ticket, clock int64)) (fired int, first error) {
	for i := range n {
		ticket, clock := at(i)
		_, err := s.Do(ctx, access.System("时限巡检"), ticket, Action{Name: "deadline", Clock: clock})
		switch {
		case err == nil:
			fired++
		case fault.Is(err, "not_due"):
		case ctx.Err() != nil:
			return fired, ctx.Err()
		default:
			slog.Error("deadline sweep", "ticket", ticket, "clock", clock, "err", err)
			if first == nil {
				first = err
			}
		}
	}
	return fired, first
}
