package ticket

import (
	"fmt"
	"strconv"
	"strings"

	"hotline/internal/fault"
)

// order is how a queue runs.
type order int

const (
	byDeadline order = iota // work: what is due first comes first
	byTicket                // everything that one may see: the newest ticket first
	byEnd                   // what is over: the last ended first
	byAccepted              // of what one may see, what has an index of its own: the last accepted first
)

func orderOf(queue string) order {
	switch queue {
	case "", "all", "mine", "informant", "sup_open":
		return byTicket
	case QueueDone, Closed, Invalid, Withdrawn, Redirected, Transferred, Merged:
		return byEnd
	}
	return byDeadline
}

// by is the ORDER BY and the row comparison of the keyset.
func (o order) by() (columns, direction, after string) {
	switch o {
	case byTicket:
		return "w.ticket, w.assignment", "w.ticket DESC, w.assignment DESC", " < "
	case byEnd:
		return "w.sort_at, w.ticket, w.assignment", "w.sort_at DESC, w.ticket DESC, w.assignment DESC", " < "
	case byAccepted:
		return "t.accepted, t.id, w.assignment", "t.accepted DESC, t.id DESC, w.assignment DESC", " < "
	}
	return "w.sort_at, w.ticket, w.assignment", "w.sort_at, w.ticket, w.assignment", " > "
}

// cursor is where the page after a row begins.
func (o order) cursor(last Row) string {
	switch o {
	case byTicket:
		return fmt.Sprintf("%d.%d", last.Ticket.ID, last.Assignment)
	case byAccepted:
		return fmt.Sprintf("%d.%d.%d", last.Ticket.Accepted, last.Ticket.ID, last.Assignment)
	}
	return fmt.Sprintf("%d.%d.%d", last.Sort, last.Ticket.ID, last.Assignment)
}

func parseCursor(c string, o order) ([]int64, error) {
	want := 3
	if o == byTicket {
		want = 2
	}
	parts := strings.Split(c, ".")
	var out []int64
	for _, p := range parts {
		n, err := strconv.ParseInt(p, 10, 64)
		if err != nil {
			break
		}
		out = append(out, n)
	}
	if len(out) != want || len(parts) != want {
		return nil, fault.Invalid("cursor_invalid", "翻页标记无效，请重新查询。")
	}
	return out, nil
}
