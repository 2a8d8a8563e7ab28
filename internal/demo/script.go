package demo

import (
	"context"
	"math/rand/v2"
	"time"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/org"
	"hotline/internal/ticket"
)

// step is one action of a script: who takes it, and when by Action.At.
type step struct {
	who access.Actor
	act ticket.Action
}

// script writes down the life of one ticket before it is loaded. Its hand is
// the moment that the life has come to.
type script struct {
	h     *history
	ctx   context.Context
	r     *rand.Rand
	n     ticket.Intake
	tale  tale
	cal   *calendar.Calendar
	lim   calendar.Limit // of handling
	sign  calendar.Limit
	at    time.Time // the hand
	due   time.Time // of the current leg
	steps []step
	err   error
	natal bool // limits run day and night: units do not wait for the morning
}

// who finds the actor of a post; of several one is drawn.
func (s *script) who(unit int64, role access.Role) access.Actor {
	list, err := s.h.people.all(s.ctx, unit, role)
	if err != nil || len(list) == 0 {
		if s.err == nil {
			s.err = err
		}
		return access.Actor{}
	}
	return list[s.r.IntN(len(list))]
}

// do adds a step at the hand.
func (s *script) do(who access.Actor, name string, fields map[string]any) {
	s.steps = append(s.steps, step{who, ticket.Action{Name: name, Fields: fields, At: clock.Millis(s.at)}})
}

// pass lets between a and b go by.
func (s *script) pass(a, b time.Duration) {
	s.at = s.at.Add(a + time.Duration(s.r.Int64N(int64(b-a)+1)))
}

// office moves the hand into the working hours of units, unless the matter is
// so urgent that its clock runs through the night.
func (s *script) office() {
	if s.natal {
		return
	}
	s.at = officeHours(s.cal, s.r, s.at)
}

// officeHours is the next moment at which somebody is at his desk.
func officeHours(cal *calendar.Calendar, r *rand.Rand, t time.Time) time.Time {
	for range 20 {
		m := t.Hour()*60 + t.Minute()
		if cal.IsWorkday(t) && m < 17*60+40 {
			switch {
			case m < 9*60:
				return day(t).Add(9*time.Hour + time.Duration(r.Int64N(int64(100*time.Minute))))
			case m >= 12*60 && m < 14*60:
				return day(t).Add(14*time.Hour + time.Duration(r.Int64N(int64(50*time.Minute))))
			}
			return t
		}
		t = day(t).AddDate(0, 0, 1)
	}
	return t
}

func day(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, clock.Shanghai)
}

// chance is true in p of all draws.
func (s *script) chance(p float64) bool { return s.r.Float64() < p }

// hidden tells whether units may not know who called.
func (s *script) hidden() bool {
	return s.n.Secrecy == ticket.SecrecyUnit || s.n.Secrecy == ticket.SecrecyAnonymous || s.n.Type == "举报"
}

// informant tells whether only those cleared for reports may act.
func (s *script) informant() bool { return s.n.Type == "举报" }

// silent tells whether nobody can be called.
func (s *script) silent() bool {
	return s.n.Secrecy == ticket.SecrecyAnonymous || s.n.Requester.Phone == ""
}

// worker is who signs and replies in a unit.
func (s *script) worker(u org.Unit) access.Actor { return s.who(u.ID, workerRole(u)) }

func workerRole(u org.Unit) access.Role {
	switch u.Kind {
	case org.KindSubcentre:
		return access.BranchAgent
	case org.KindCounty, org.KindCity, org.KindProvince, org.KindCountyPlatform:
		return access.Dispatcher
	}
	return access.Handler
}

// judge is who reviews what a unit replies, and decides what those below ask.
func (s *script) judge(u org.Unit) access.Actor { return s.who(u.ID, judgeRole(u)) }

func judgeRole(u org.Unit) access.Role {
	if u.Kind.Hub() {
		return access.Dispatcher
	}
	return access.UnitLead
}

// route is the chain of units that a leg goes through under its platform: one
// unit, or a county hub and the unit that it delegates to.
func (h *history) route(n *ticket.Intake, root org.Unit) []org.Unit {
	if root.Kind != org.KindCounty {
		return []org.Unit{root}
	}
	if below, ok := h.below(n.Category, n.Region, root); ok {
		return []org.Unit{root, below}
	}
	return []org.Unit{root}
}

// below finds whom a county hub hands a matter to: the town where its list
// holds the matter, else the county's department for it.
func (h *history) below(category, regionCode string, hub org.Unit) (org.Unit, bool) {
	tree := h.a.Org.Tree()
	c, ok := h.a.Ticket.Categories(hub.Platform).Get(category)
	if !ok {
		return org.Unit{}, false
	}
	if c.Lowest == "town" && len(regionCode) >= 9 {
		if u, ok := tree.ByCode("T" + regionCode[:9]); ok && u.Active && tree.Under(hub.ID, u.ID) {
			return u, true
		}
	}
	for _, u := range tree.FindByDuty(c.Duty, regionCode) {
		if u.Active && u.ID != hub.ID && tree.Under(hub.ID, u.ID) && (u.Kind != org.KindTown || c.Lowest == "town") {
			return u, true
		}
	}
	return org.Unit{}, false
}

// peer draws another department of the same level under the same hub or
// platform, for co-handling or a mistaken dispatch.
func (s *script) peer(u org.Unit) (org.Unit, bool) {
	tree := s.h.a.Org.Tree()
	var list []org.Unit
	for _, c := range tree.Children(u.Parent) {
		if c.ID != u.ID && (c.Kind == org.KindDepartment || c.Kind == org.KindCountyDepartment) && c.Duty != u.Duty {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return org.Unit{}, false
	}
	return list[s.r.IntN(len(list))], true
}
