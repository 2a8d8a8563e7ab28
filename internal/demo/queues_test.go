package demo

import (
	"context"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/supervise"
	"hotline/internal/ticket"
)

func holderOf(t *testing.T, a *app.App, role access.Role, city string) access.Actor {
	t.Helper()
	acc, err := a.Access.ByUsername(context.Background(), string(role)+"."+city)
	if err != nil {
		t.Fatal(err)
	}
	return newPeople(a.Access, a.Org).actorOf(acc)
}

// The ledger of 督办 has something of every state and every rule from the start, and
// some leads are left.
func ledgerIsFull(t *testing.T, a *app.App, city string) {
	t.Helper()
	ctx := context.Background()
	boss := holderOf(t, a, access.Supervisor, city)
	states, rules := map[string]int{}, map[string]int{}
	lines, _, err := a.Supervise.List(ctx, boss, supervise.Filter{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		states[l.State]++
		rules[l.Rule]++
		if l.OpenedAt > clock.Millis(a.Clock.Now()) || l.State != supervise.Open && len(l.Notes) == 0 {
			t.Errorf("%s: %+v", l.No, l.Order)
		}
	}
	for _, s := range []string{supervise.Open, supervise.Feedback, supervise.Closed} {
		if states[s] == 0 {
			t.Errorf("%s has no order %s: %v", city, s, states)
		}
	}
	counts, err := a.Supervise.Counts(ctx, boss)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range supervise.Rules {
		if counts[r] == 0 && rules[r] == 0 {
			t.Errorf("%s has nothing listed by %s: candidates %v, orders %v", city, r, counts, rules)
		}
	}
	t.Logf("%s 督办%v，缘由%v，线索%v", city, states, rules, counts)
}

// Every queue of every role holds something.
func everyQueueShowsSomething(t *testing.T, a *app.App, city string) {
	t.Helper()
	for role, queues := range map[access.Role][]string{
		access.Agent: {"mine", "seat_fix"}, access.Dispatcher: {"to_dispatch", "return_review", "disputed", "dispatch_overdue", "extension_review", "suspend_review", "to_close"},
		access.Handler: {"to_sign", "handling", "due_soon", "overdue", "returning", "suspended", "rework", "unit_done"}, access.UnitLead: {"to_review"},
		access.Privacy: {"quarantined"}, access.Callback: {"to_callback", "relay", "to_recheck"}, access.Supervisor: {"sup_open", "to_recheck", "disputed"}, access.Cell: {"informant"},
	} {
		who := holderOf(t, a, role, city)
		for _, q := range queues {
			rows, _, err := a.Ticket.List(context.Background(), who, a.Access.ScopeOf(who), ticket.Filter{Queue: q, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				t.Errorf("%s in %s sees nothing in %s", role.Label(), city, q)
			}
		}
	}
}

// What is red at 派单 is late by minutes, what is red at a unit by hours; merged,
// co-handled and escalated tickets are there.
func desksAreLateByMinutes(t *testing.T, a *app.App) {
	t.Helper()
	now := clock.Millis(a.Clock.Now())
	found := map[string]int{}
	everything(t, a, func(x *ticket.Ticket) {
		if x.Status == ticket.Merged {
			found["并单"]++
		}
		if x.Escalated {
			found["提级"]++
		}
		if x.RepeatOf != 0 {
			found["重复"]++
		}
		if x.Detail.Exempt != nil {
			found["免评"]++
		}
		for _, as := range x.Assignments {
			if as.Role == ticket.RoleAssist && as.Alive() && x.Status == ticket.Handling {
				found["协办在办"]++
			}
		}
		for _, c := range x.Clocks {
			late := time.Duration(now-c.Due) * time.Millisecond
			if c.Stopped == 0 && c.PausedAt == 0 && x.Status == ticket.ToDispatch && c.Kind == ticket.ClockDispatch && late > 3*time.Hour {
				t.Errorf("%s (%s %s at %s, from %s) waits %s too long for its dispatch", x.Number, x.Type, x.Category, x.Region, x.Channel, late)
			}
		}
	})
	for what, least := range map[string]int{"并单": 1, "提级": 3, "重复": 3, "免评": 3, "协办在办": 3} {
		if found[what] < least {
			t.Errorf("only %d %s", found[what], what)
		}
	}
	t.Logf("%v", found)
}
