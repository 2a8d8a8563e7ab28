package ticket

import (
	"hotline/internal/db"
	"hotline/internal/org"
)

// Queues that are not simply a status or a state.
const (
	QueueReturn    = "return_review"    // 退单待审, at the node that delegated
	QueueExtension = "extension_review" // 延期待审
	QueueSuspend   = "suspend_review"   // 挂起待审
	QueueExempt    = "exempt_review"    // 免评待审, at the platform
	QueueDisputed  = "disputed"         // 疑难: 会商 or 提级
	QueueRelay     = "relay"            // 热线中转 task of the 回访席
	QueueDone      = "unit_done"        // 已办: the unit keeps read access
	QueueBelow     = "below"            // seen from above, owned below
)

// place is one row of the worklist: a unit that may see an assignment (0: the
// ticket itself), the queue it stands in there and the moment it sorts by.
type place struct {
	unit, assignment int64
}

type standing struct {
	state string
	sort  int64
}

// places computes every row that the aggregate needs now: one for each unit
// that works on it and one for each ancestor that may see it.
func (t *Ticket) places(tree *org.Tree) map[place]standing {
	rows := map[place]standing{}
	own := standing{t.Status, t.sortAt()}
	switch {
	case t.Status == ToDispatch && t.Dispute != "":
		own.state = QueueDisputed
	case t.Status == Handling && t.Dispute != "" && t.undecidedReturn():
		own.state = QueueDisputed
	}
	rows[place{t.Platform, 0}] = own
	if t.CreatedBy != 0 && t.Channel == "phone" { // the seat's own list
		rows[place{t.CreatedBy, 0}] = own
	}
	for _, seat := range t.Detail.Seats {
		rows[place{seat, 0}] = own
	}
	for _, up := range tree.Ancestors(t.Platform) {
		s := standing{QueueBelow, own.sort}
		if t.Escalated && t.Dispute == "escalated" && !Final(t.Status) {
			s.state = QueueDisputed
		}
		rows[place{up.ID, 0}] = s
	}
	for _, a := range t.Assignments {
		s := standing{a.State, a.sortAt()}
		if !a.Alive() || a.Leg != t.Leg || Final(t.Status) {
			s = standing{QueueDone, a.Created}
			if a.RepliedAt > 0 {
				s.sort = a.RepliedAt
			}
		}
		if a.Unit != t.Platform {
			rows[place{a.Unit, a.ID}] = s
		}
		for _, up := range tree.Ancestors(a.Unit) {
			if up.ID == t.Platform {
				break
			}
			p := place{up.ID, a.ID}
			if _, busy := rows[p]; !busy {
				rows[p] = standing{QueueBelow, s.sort}
			}
		}
	}
	if t.Status == Handling {
		for _, r := range t.Detail.Relays {
			if r.Done == 0 {
				rows[place{t.Platform, r.Assignment}] = standing{QueueRelay, r.At}
			}
		}
	}
	for _, r := range t.Requests {
		a := t.Assignment(r.Assignment)
		if r.State != "pending" || a == nil || a.Leg != t.Leg || Final(t.Status) {
			continue
		}
		queue := map[string]string{ReqReturn: QueueReturn, ReqExtension: QueueExtension, ReqSuspension: QueueSuspend}[r.Kind]
		decideBy := r.At
		for _, c := range t.Clocks {
			if c.Assignment == a.ID && c.Stopped == 0 && c.Kind == map[string]string{ReqReturn: ClockReturn, ReqExtension: ClockExtend, ReqSuspension: ClockSuspend}[r.Kind] {
				decideBy = c.Due
			}
		}
		rows[place{t.Decider(a, r.Kind), a.ID}] = standing{queue, decideBy}
	}
	if x, a := t.Detail.Exempt, t.Root(); x != nil && x.State == "proposed" && a != nil && !Final(t.Status) {
		rows[place{t.Platform, a.ID}] = standing{QueueExempt, own.sort}
	}
	return rows
}

func (t *Ticket) undecidedReturn() bool {
	for _, r := range t.Requests {
		if r.Kind == ReqReturn && r.State == "pending" {
			return true
		}
	}
	return false
}

// sortAt is what the platform's lists sort by: the deadline of what it owes
// next while open, the moment of closing after.
func (t *Ticket) sortAt() int64 {
	if Final(t.Status) {
		return t.ClosedAt
	}
	return t.NextDue()
}

// NextDue is the deadline (ms) of what an open ticket is owed next: its 办理 while
// units handle it, else what its platform's clock runs to; the moment of 受理
// when nothing runs.
func (t *Ticket) NextDue() int64 {
	if t.Status == Handling && t.Due > 0 {
		return t.Due
	}
	for i := len(t.Clocks) - 1; i >= 0; i-- {
		if c := t.Clocks[i]; c.Assignment == 0 && c.Stopped == 0 {
			return c.Due
		}
	}
	if t.Due > 0 {
		return t.Due
	}
	return t.Accepted
}

func (a *Assignment) sortAt() int64 {
	if a.Due > 0 {
		return a.Due
	}
	return a.Created
}

// Marks of a ticket that stand on each of its rows, so that the few that carry
// one are found and counted without looking at the many that do not.
const (
	markAgain   = 1 // 重办: open in a second leg or a later one
	markWatched = 2 // 督办: open and supervised
)

func (t *Ticket) mark() (m int) {
	if t.ClosedAt > 0 {
		return 0
	}
	if t.Leg > 1 {
		m |= markAgain
	}
	if t.Watch > 0 {
		m |= markWatched
	}
	return m
}

// moves are the rows of the worklist that a step takes away and writes.
type moves struct {
	gone []place
	rows []any
}

// stand brings the ticket's places in line with the aggregate and tells which
// rows of the worklist that moves: only those that changed.
func (w *work) stand(tree *org.Tree) (m moves) {
	t := w.t
	have, want := parseStands(t.stands), stands{label: string(t.Label), mark: t.mark(), rows: t.places(tree)}
	for p, s := range have.rows {
		if _, ok := want.rows[p]; ok {
			continue
		}
		switch {
		case s.state == QueueDone:
			want.rows[p] = s // read access stays, under the ticket's label of today
		case s.state != QueueBelow && p.assignment == 0 && p.unit != t.Platform:
			// A platform that owned the ticket keeps read access; one that only
			// looked down on it does so while the tree says so.
			want.rows[p] = standing{QueueDone, s.sort}
		default:
			m.gone = append(m.gone, p)
		}
	}
	for _, p := range want.order() {
		if s := want.rows[p]; have.label != want.label || have.mark != want.mark || have.rows[p] != s {
			m.rows = append(m.rows, p.unit, t.ID, p.assignment, s.state, s.sort, want.label, want.mark)
		}
	}
	t.stands = want.String()
	return m
}

func (m moves) send(tx *db.Tx, t *Ticket) error {
	for _, p := range m.gone {
		if err := tx.Send(`DELETE FROM worklist WHERE unit = $1 AND ticket = $2 AND assignment = $3`, p.unit, t.ID, p.assignment); err != nil {
			return err
		}
	}
	return tx.SendRows(`INSERT INTO worklist (unit, ticket, assignment, state, sort_at, label, mark)`,
		`ON CONFLICT (unit, ticket, assignment) DO UPDATE SET state = excluded.state, sort_at = excluded.sort_at, label = excluded.label, mark = excluded.mark`, 7, m.rows)
}
