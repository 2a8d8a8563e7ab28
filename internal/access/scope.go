package access

import (
	"strconv"
	"strings"

	"hotline/internal/org"
)

// Scope is the part of the worklists that an actor may read. Rows of the
// table worklist(unit, state, sort_at, ticket, assignment, label) are fanned
// out to every unit and ancestor that may see them, and to the account that
// took the request (unit = that account's id: the seat's own list), so a scope
// is a short list of units, usually one, and the labels cleared.
type Scope struct {
	All    bool    // the system: no bound
	Units  []int64 // worklist.unit
	Labels []Label // worklist.label
	Own    int64   // set for citizens, seats and integrations: the account; also in Units
	Caller bool    // may also see subject lines of earlier tickets of the caller on the line
	None   bool    // nothing at all
}

// ScopeOf is the scope of an actor in today's organisation.
func (s *Service) ScopeOf(a Actor) Scope { return ScopeIn(s.org.Tree(), a) }

// ScopeIn is the scope of an actor in the given tree.
func ScopeIn(t *org.Tree, a Actor) Scope {
	if a.System {
		return Scope{All: true, Labels: Labels()}
	}
	g := GrantOf(a.Role)
	if a.Restricted != "" || len(g.Clearance) == 0 || !g.May(View) {
		return Scope{None: true}
	}
	sc := Scope{Labels: g.Clearance}
	switch g.Scope {
	case ScopeOwn, ScopeSeat:
		if a.Account == 0 {
			return Scope{None: true}
		}
		sc.Own, sc.Units, sc.Caller = a.Account, []int64{a.Account}, g.Scope == ScopeSeat
		return sc
	case ScopeTeam, ScopeUnit, ScopeSubtree:
		sc.Units = unitIn(t, a.Unit)
	case ScopeCentre, ScopeJurisdiction, ScopeCell:
		sc.Units = hubOf(t, a.Unit)
	case ScopeProvince:
		if p := t.Province(); p.ID != 0 {
			sc.Units = []int64{p.ID}
		}
	}
	if len(sc.Units) == 0 { // unit closed, unknown, or no such scope
		return Scope{None: true}
	}
	return sc
}

// unitIn is the unit itself while it is in force.
func unitIn(t *org.Tree, id int64) []int64 {
	if u, ok := t.Get(id); ok && u.Active {
		return []int64{id}
	}
	return nil
}

// hubOf is the nearest platform or county hub at or above a unit: a county's
// dispatcher works the county's queue, a department's supervisor the city's.
func hubOf(t *org.Tree, id int64) []int64 {
	u, ok := t.Get(id)
	if !ok || !u.Active {
		return nil
	}
	if u.Kind.Hub() {
		return []int64{u.ID}
	}
	for _, up := range t.Ancestors(id) {
		if up.Kind.Hub() {
			return []int64{up.ID}
		}
	}
	return nil
}

// Covers tells whether a worklist row of the unit and label is in the scope.
func (sc Scope) Covers(unit int64, label Label) bool {
	if sc.None {
		return false
	}
	if sc.All {
		return true
	}
	for _, u := range sc.Units {
		if u == unit {
			return sc.Cleared(label)
		}
	}
	return false
}

// Cleared tells whether rows of the label are in the scope.
func (sc Scope) Cleared(label Label) bool {
	if sc.None {
		return false
	}
	if sc.All {
		return true
	}
	for _, l := range sc.Labels {
		if l == label {
			return true
		}
	}
	return false
}

// SQL is the predicate over worklist rows of the given alias, with its values
// added to args: `w.unit IN ($3) AND w.label IN ($4,$5)`. It is never empty.
func (sc Scope) SQL(alias string, args *[]any) string {
	switch {
	case sc.All && !sc.None:
		return "1=1"
	case sc.None || len(sc.Units) == 0 || len(sc.Labels) == 0:
		return "1=0"
	}
	var b strings.Builder
	b.WriteString(alias + ".unit")
	list(&b, args, len(sc.Units), func(i int) any { return sc.Units[i] })
	b.WriteString(" AND " + alias + ".label")
	list(&b, args, len(sc.Labels), func(i int) any { return string(sc.Labels[i]) })
	return b.String()
}

// list writes " = $n" or " IN ($n,…)".
func list(b *strings.Builder, args *[]any, n int, value func(int) any) {
	if n == 1 {
		*args = append(*args, value(0))
		b.WriteString(" = $" + strconv.Itoa(len(*args)))
		return
	}
	b.WriteString(" IN (")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		*args = append(*args, value(i))
		b.WriteString("$" + strconv.Itoa(len(*args)))
	}
	b.WriteByte(')')
}
