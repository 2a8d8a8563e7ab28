package supervise

import (
	"context"
	"encoding/json"
	"errors"

	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/ticket"
)

const (
	follower = "supervise"
	batch    = 400
)

// Follow lists candidates from the event log until ctx ends.
func (s *Service) Follow(ctx context.Context) error {
	err := s.Log.Follow(ctx, follower, batch, s.absorb)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// CatchUp applies the rules to what is sealed now; for tests, loads and tools.
func (s *Service) CatchUp(ctx context.Context) (int, error) {
	return s.Log.FollowOnce(ctx, follower, batch, s.absorb)
}

// fact is what the rules read of a ticket event.
type fact struct {
	Platform int64  `json:"p"`
	Status   string `json:"st"`
	Leg      int64  `json:"leg"`
	Main     int64  `json:"u"`
	Acts     int64  `json:"au"`
	Was      int64  `json:"platform_was"`
	Repeat   int64  `json:"repeat"`
	Times    int64  `json:"n"`
	Outcome  string `json:"outcome"`
	Sat      int64  `json:"sat"`
	Solved   string `json:"csolved"`
	Clock    string `json:"kind"`
	Stage    int64  `json:"stage"`
	Owes     int64  `json:"cu"`
	Whole    int64  `json:"whole"` // 1: the ticket's own deadline moved
	Due      int64  `json:"due"`
}

// absorb applies the rules to a batch, in the transaction that moves the
// cursor. Every row it writes has a natural key, so a repeat changes nothing.
func (s *Service) absorb(tx *db.Tx, evs []eventlog.Event) error {
	for _, e := range evs {
		if e.SubjectKind != "ticket" || e.Version == 0 {
			continue
		}
		var f fact
		if err := json.Unmarshal([]byte(e.Data), &f); err != nil {
			return err
		}
		if err := s.judge(tx, e, &f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) judge(tx *db.Tx, e eventlog.Event, f *fact) error {
	if f.Was != 0 { // taken over: the platform above answers now
		if _, err := tx.Exec(`UPDATE supervision_candidate SET platform = $1 WHERE ticket = $2`, f.Platform, e.SubjectID); err != nil {
			return err
		}
	}
	if ticket.Final(f.Status) { // nothing is left to press for
		if _, err := tx.Exec(`DELETE FROM supervision_candidate WHERE ticket = $1 AND handled = 0`, e.SubjectID); err != nil {
			return err
		}
	}
	switch e.Kind {
	case "ticket.deadline":
		if f.Stage == 100 && f.Clock == ticket.ClockHandle && !ticket.Final(f.Status) {
			return list(tx, e, f, RuleOverdue, f.Owes)
		}
	case "ticket.close":
		_, err := tx.Exec(`DELETE FROM supervision_candidate WHERE ticket = $1 AND rule = $2 AND handled = 0 AND $3 <> $4`, e.SubjectID, RuleOverdue, f.Status, ticket.Handling)
		return err
	case "ticket.decide-extension": // asked for in time and agreed to after it
		if f.Whole == 1 && f.Due > e.At {
			_, err := tx.Exec(`DELETE FROM supervision_candidate WHERE ticket = $1 AND rule = $2 AND handled = 0`, e.SubjectID, RuleOverdue)
			return err
		}
	case "ticket.return":
		if f.Times >= 2 {
			return list(tx, e, f, RuleReturns, f.Acts)
		}
	case "ticket.callback", "ticket.evaluate":
		if f.Outcome == "reached" && (f.Sat < 3 || f.Solved == "no") {
			return s.unhappy(tx, e, f)
		}
	case "ticket.create":
		if f.Repeat != 0 {
			return s.repeated(tx, e, f)
		}
	}
	return nil
}

// list makes the ticket a candidate once; the first reason keeps its moment.
func list(tx *db.Tx, e eventlog.Event, f *fact, rule string, unit int64) error {
	if unit == 0 {
		unit = f.Main
	}
	_, err := tx.Exec(`INSERT INTO supervision_candidate (ticket, rule, platform, unit, since) VALUES ($1,$2,$3,$4,$5) ON CONFLICT (ticket, rule) DO NOTHING`,
		e.SubjectID, rule, f.Platform, unit, e.At)
	return err
}

// unhappy counts the legs whose result the citizen refused; a second verdict
// on one leg is no second dissatisfaction.
func (s *Service) unhappy(tx *db.Tx, e eventlog.Event, f *fact) error {
	if _, err := tx.Exec(`INSERT INTO supervision_unhappy (ticket, leg) VALUES ($1,$2) ON CONFLICT (ticket, leg) DO NOTHING`, e.SubjectID, f.Leg); err != nil {
		return err
	}
	n, err := db.Int(tx, `SELECT count(*) FROM supervision_unhappy WHERE ticket = $1 AND leg <= $2`, e.SubjectID, f.Leg)
	if err != nil || n < 2 {
		return err
	}
	return list(tx, e, f, RuleUnsatisfied, 0)
}

// repeated counts how often one matter was brought: the first and its repeats.
func (s *Service) repeated(tx *db.Tx, e eventlog.Event, f *fact) error {
	root, err := db.Int(tx, `SELECT coalesce(max(root), 0) FROM supervision_repeat WHERE ticket = $1`, f.Repeat)
	if err != nil {
		return err
	}
	if root == 0 {
		root = f.Repeat
	}
	if _, err := tx.Exec(`INSERT INTO supervision_repeat (ticket, root) VALUES ($1,$2) ON CONFLICT (ticket) DO NOTHING`, e.SubjectID, root); err != nil {
		return err
	}
	n, err := db.Int(tx, `SELECT count(*) FROM supervision_repeat WHERE root = $1 AND ticket <= $2`, root, e.SubjectID)
	if err != nil || n+1 < 3 || ticket.Final(f.Status) {
		return err
	}
	return list(tx, e, f, RuleRepeat, 0)
}
