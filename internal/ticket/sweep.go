package ticket

import (
	"context"
	"log/slog"

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
	if err != nil {
		return 0, err
	}
	fired := 0
	for _, d := range list {
		_, err := s.Do(ctx, access.System("时限巡检"), d.ticket, Action{Name: "deadline", Clock: d.clock})
		switch {
		case err == nil:
			fired++
		case fault.Is(err, "not_due"): // another process was faster
		case ctx.Err() != nil:
			return fired, ctx.Err()
		default:
			slog.Error("deadline sweep", "ticket", d.ticket, "clock", d.clock, "err", err)
			return fired, err
		}
	}
	return fired, nil
}
