package supervise

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

var threeDays = calendar.Limit{N: 3, Unit: calendar.Workday}

func placeName(code string) string {
	r, _ := region.Get(code)
	return r.Name
}

// DefaultDue is the deadline of a new order that names none: three working days.
func (s *Service) DefaultDue(platform int64, now time.Time) int64 {
	return clock.Millis(s.Ticket.Calendar(platform).Due(now, threeDays))
}

// Line is an order with the ticket it is about, for lists.
type Line struct {
	Order
	Row *ticket.Ticket // title and number are redacted renditions
}

// Filter chooses orders.
type Filter struct {
	State  string // open holds what was rejected too
	Rule   string
	Cursor string
	Limit  int
}

// scope is the condition of what the actor sees of the ledger.
func (s *Service) scope(actor access.Actor, args *[]any) string {
	arg := func(v any) string { *args = append(*args, v); return "$" + strconv.Itoa(len(*args)) }
	in := func(ids []int64) string {
		marks := make([]string, len(ids))
		for i, id := range ids {
			marks[i] = arg(id)
		}
		return strings.Join(marks, ",")
	}
	tree, hub := s.Org.Tree(), s.hub(actor)
	u, ok := tree.Get(hub)
	switch {
	case !ok:
		return "1 = 0"
	case hub == tree.Province().ID && actor.May(access.Supervise):
		return "1 = 1"
	case u.Kind.Platform() && actor.May(access.Supervise):
		var ids []int64
		for _, x := range tree.All() {
			if x.Kind.Platform() && tree.Under(hub, x.ID) {
				ids = append(ids, x.ID)
			}
		}
		return "platform IN (" + in(ids) + ")"
	}
	ids := []int64{hub}
	if actor.Role != access.Handler && actor.Role != access.BranchAgent {
		for i := 0; i < len(ids); i++ {
			for _, c := range tree.Children(ids[i]) {
				ids = append(ids, c.ID)
			}
		}
	}
	return "unit IN (" + in(ids) + ")"
}

// List gives a page of the ledger, newest first.
func (s *Service) List(ctx context.Context, actor access.Actor, f Filter) (out []Line, next string, err error) {
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	var args []any
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	where := []string{s.scope(actor, &args)}
	switch f.State {
	case "":
	case Open:
		where = append(where, "state IN ("+arg(Open)+","+arg(Rejected)+")")
	case Feedback, Closed, Rejected:
		where = append(where, "state = "+arg(f.State))
	default:
		return nil, "", fault.Invalid("state_invalid", "没有这种督办状态。")
	}
	if f.Rule != "" {
		where = append(where, "rule = "+arg(f.Rule))
	}
	if f.Cursor != "" {
		n, err := strconv.ParseInt(f.Cursor, 10, 64)
		if err != nil {
			return nil, "", fault.Invalid("cursor_invalid", "翻页标记无效，请重新查询。")
		}
		where = append(where, "id < "+arg(n))
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		list, err := db.All(tx, scanOrder, `SELECT `+orderColumns+` FROM supervision WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT `+arg(f.Limit+1), args...)
		if err != nil {
			return err
		}
		for _, o := range list {
			l, err := s.line(tx, o)
			if err != nil {
				return err
			}
			out = append(out, l)
		}
		return nil
	})
	if len(out) > f.Limit {
		out = out[:f.Limit]
		next = strconv.FormatInt(out[f.Limit-1].ID, 10)
	}
	return out, next, err
}

func (s *Service) line(tx *db.Tx, o Order) (l Line, err error) {
	l.Order = o
	if l.Notes, err = notes(tx, o.ID); err != nil {
		return l, err
	}
	l.Row, err = s.Ticket.Peek(tx, o.Ticket)
	return l, err
}

// Get gives one order that the actor may see.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (l Line, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		o, err := s.load(tx, actor, id)
		if err != nil {
			return err
		}
		l, err = s.line(tx, o)
		return err
	})
	return l, err
}

// Of gives the orders about a ticket, oldest first; whoever may read the
// ticket may know of them.
func (s *Service) Of(ctx context.Context, ticketID int64) (out []Order, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, scanOrder, `SELECT `+orderColumns+` FROM supervision WHERE ticket = $1 ORDER BY id`, ticketID)
		return err
	})
	return out, err
}

// Counts gives the size of each state and of each list of candidates; as in List, open holds what was rejected too.
func (s *Service) Counts(ctx context.Context, actor access.Actor) (map[string]int64, error) {
	out := map[string]int64{Open: 0, Rejected: 0, Feedback: 0, Closed: 0}
	now := s.DB.Clock().Now().UnixMilli()
	err := s.DB.View(ctx, func(tx *db.Tx) error {
		type pair struct {
			key     string
			n, late int64
		}
		args := []any{now}
		rows, err := db.All(tx, func(sc db.Scanner) (p pair, err error) { return p, sc.Scan(&p.key, &p.n, &p.late) },
			`SELECT state, count(*), SUM(CASE WHEN due < $1 THEN 1 ELSE 0 END) FROM supervision WHERE `+s.scope(actor, &args)+` GROUP BY state`, args...)
		if err != nil {
			return err
		}
		for _, p := range rows {
			out[p.key] += p.n
			if p.key == Rejected {
				p.key = Open
				out[Open] += p.n
			}
			if p.key == Open {
				out["late"] += p.late
			}
		}
		if !actor.May(access.Supervise) {
			return nil
		}
		args = nil
		rows, err = db.All(tx, func(sc db.Scanner) (p pair, err error) { return p, sc.Scan(&p.key, &p.n) },
			`SELECT rule, count(*) FROM supervision_candidate WHERE handled = 0 AND `+s.scope(actor, &args)+` GROUP BY rule`, args...)
		for _, r := range Rules {
			out[r] = 0
		}
		for _, p := range rows {
			out[p.key] = p.n
		}
		return err
	})
	return out, err
}

// Candidates lists the tickets that a rule says should be supervised, the
// longest waiting first. The caller shows only what is in the reader's scope.
func (s *Service) Candidates(ctx context.Context, actor access.Actor, rule, cursor string, limit int) (ids []int64, next string, err error) {
	if RuleWord(rule) == "" || rule == RuleManual {
		return nil, "", fault.Invalid("rule_invalid", "没有这条督办规则。")
	}
	if limit <= 0 || limit > 200 {
		limit = 50
	}
	args := []any{rule}
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	where := "rule = $1 AND handled = 0 AND " + s.scope(actor, &args)
	if cursor != "" {
		a, b, _ := strings.Cut(cursor, ".")
		at, err1 := strconv.ParseInt(a, 10, 64)
		id, err2 := strconv.ParseInt(b, 10, 64)
		if err1 != nil || err2 != nil {
			return nil, "", fault.Invalid("cursor_invalid", "翻页标记无效，请重新查询。")
		}
		where += " AND (since, ticket) > (" + arg(at) + ", " + arg(id) + ")"
	}
	type hit struct{ ticket, since int64 }
	var hits []hit
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		hits, err = db.All(tx, func(sc db.Scanner) (h hit, err error) { return h, sc.Scan(&h.ticket, &h.since) },
			`SELECT ticket, since FROM supervision_candidate WHERE `+where+` ORDER BY since, ticket LIMIT `+arg(limit+1), args...)
		return err
	})
	if len(hits) > limit {
		hits = hits[:limit]
		next = fmt.Sprintf("%d.%d", hits[limit-1].since, hits[limit-1].ticket)
	}
	for _, h := range hits {
		ids = append(ids, h.ticket)
	}
	return ids, next, err
}
