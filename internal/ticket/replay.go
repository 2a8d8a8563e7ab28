package ticket

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
)

// DispatchedIn gives the tickets of a platform (0: of all) that were first
// dispatched in [from, to), in the order of their ids, rows only: without
// assignments and clocks. It serves the replay of the 派单目录.
//
// Ids are ordered in time, so the search begins a year before from: nothing
// waits longer for its first dispatch.
func (s *Service) DispatchedIn(ctx context.Context, platform int64, from, to time.Time, limit int) (out []*Ticket, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, scanTicket, `SELECT `+ticketColumns+` FROM ticket WHERE id >= $1 AND id < $2 AND dispatched >= $3 AND dispatched < $4 AND (CAST($5 AS BIGINT) = 0 OR platform = $5) ORDER BY id LIMIT $6`,
			db.FirstID(from.AddDate(-1, 0, 0)), db.FirstID(to), clock.Millis(from), clock.Millis(to), platform, limit)
		return err
	})
	return out, err
}

// Numbers gives the 单号 of tickets by id, "" for those whose label is not
// among the given, for lists that name tickets and show nothing else of them.
func (s *Service) Numbers(ctx context.Context, ids []int64, labels []access.Label) (map[int64]string, error) {
	out := make(map[int64]string, len(ids))
	var args []any
	var in []string
	for _, id := range ids {
		if _, twice := out[id]; !twice {
			out[id] = ""
			args = append(args, id)
			in = append(in, "$"+strconv.Itoa(len(args)))
		}
	}
	if len(in) == 0 {
		return out, nil
	}
	type pair struct {
		id     int64
		number string
		label  access.Label
	}
	err := s.DB.View(ctx, func(tx *db.Tx) error {
		rows, err := db.All(tx, func(sc db.Scanner) (p pair, err error) { return p, sc.Scan(&p.id, &p.number, &p.label) }, `SELECT id, number, label FROM ticket WHERE id IN (`+strings.Join(in, ",")+`)`, args...)
		for _, p := range rows {
			if slices.Contains(labels, p.label) {
				out[p.id] = p.number
			}
		}
		return err
	})
	return out, err
}
