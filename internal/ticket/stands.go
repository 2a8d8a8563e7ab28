package ticket

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/access"
)

// stands are the rows that the worklist holds for a ticket. The ticket's row
// has them too, as text in its column places, written in the same transaction:
// what one ticket needs of them (who may see it, what a step moves) is read
// with it, and the worklist needs no index by ticket. The first line is label
// and mark, each further one a row: unit, assignment, state and sort_at.
//
// A move in the tree changes the rows under the same version of the ticket, so
// places are never taken from the shelf.
type stands struct {
	label string
	mark  int
	rows  map[place]standing
}

// order gives the places in one order for all, so that writers that meet in
// the worklist take its rows in turn.
func (h stands) order() []place {
	all := make([]place, 0, len(h.rows))
	for p := range h.rows {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.unit, b.unit), cmp.Compare(a.assignment, b.assignment))
	})
	return all
}

// String is the text of the column places.
func (h stands) String() string {
	b := make([]byte, 0, 16+64*len(h.rows))
	b = append(b, h.label...)
	b = strconv.AppendInt(append(b, ' '), int64(h.mark), 10)
	for _, p := range h.order() {
		s := h.rows[p]
		b = strconv.AppendInt(append(b, '\n'), p.unit, 10)
		b = strconv.AppendInt(append(b, ' '), p.assignment, 10)
		b = append(append(b, ' '), s.state...)
		b = strconv.AppendInt(append(b, ' '), s.sort, 10)
	}
	return string(b)
}

func parseStands(text string) stands {
	h := stands{rows: map[place]standing{}}
	head, rest, _ := strings.Cut(text, "\n")
	label, mark, _ := strings.Cut(head, " ")
	h.label, h.mark = label, int(number(mark))
	eachPlace(rest, func(p place, s standing) bool { h.rows[p] = s; return true })
	return h
}

// eachPlace reads the rows of a text of places until fn answers false.
func eachPlace(rows string, fn func(place, standing) bool) {
	for rows != "" {
		var line string
		line, rows, _ = strings.Cut(rows, "\n")
		unit, line, _ := strings.Cut(line, " ")
		node, line, _ := strings.Cut(line, " ")
		state, sort, _ := strings.Cut(line, " ")
		if !fn(place{number(unit), number(node)}, standing{state, number(sort)}) {
			return
		}
	}
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // String wrote it
	return n
}

// covers tells whether the actor may read the ticket that has these places,
// which the caller's own transaction has read.
func (s *Service) covers(actor access.Actor, places string) (ok bool) {
	sc := access.ScopeIn(s.Org.Tree(), actor)
	head, rows, _ := strings.Cut(places, "\n")
	label, _, _ := strings.Cut(head, " ")
	eachPlace(rows, func(p place, st standing) bool {
		ok = sc.Covers(p.unit, access.Label(label)) ||
			// A seat may open what waits for 受理 on its platform.
			sc.Caller && p.unit == actor.Platform && p.assignment == 0 && sc.Cleared(access.Label(label)) && (st.state == Received || st.state == SeatFix)
		return !ok
	})
	return ok
}
