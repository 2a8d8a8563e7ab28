package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/supervise"
	"hotline/internal/ticket"
)

// threeDays is the time that a unit has for its feedback.
var threeDays = calendar.Limit{N: 3, Unit: calendar.Workday}

// marked is a ticket that shall be under a 督办 in a state.
type marked struct {
	ticket int64
	state  string
}

// orderOf says what 督办 a wanted ticket gets: those that stand under one are
// spread over the states, those answered have theirs struck off or to be read.
func orderOf(w want) string {
	switch w.stop {
	case "supervised":
		return []string{supervise.Open, supervise.Rejected, supervise.Feedback}[w.n%3]
	case "supervised_close":
		return supervise.Feedback
	case "to_callback":
		if w.n%2 == 0 {
			return supervise.Closed
		}
	}
	return ""
}

// supervise fills the ledger (督办台账) with manual orders on the marked
// tickets. One that is there already is left as it is.
func (h *history) supervise(ctx context.Context) error { return h.orders(ctx, h.marked) }

// listed issues in each city an order on what every rule has listed; the
// others stay as candidates. It waits for sweep and followers, so it is the
// first thing that the job of history does.
func (h *history) listed(ctx context.Context) error {
	var done bool
	if _, err := getState(ctx, h.a.DB, stateLedger, &done); err != nil || done {
		return err
	}
	for { // deadlines that have passed list their tickets
		n, err := h.a.Ticket.Sweep(ctx, 200)
		if err != nil {
			return fmt.Errorf("demo: sweep: %w", err)
		}
		if n == 0 {
			break
		}
	}
	if _, err := h.a.Log.SealNow(ctx); err != nil {
		return fmt.Errorf("demo: seal: %w", err)
	}
	if _, err := h.a.Supervise.CatchUp(ctx); err != nil {
		return fmt.Errorf("demo: candidates: %w", err)
	}
	var list []marked
	tree := h.a.Org.Tree()
	for _, city := range h.vol.cities {
		plat, ok := tree.CityPlatform(city)
		if !ok {
			plat = tree.Province()
		}
		who, err := h.people.named(ctx, plat.ID, access.Supervisor)
		if err != nil {
			return err
		}
		for i, rule := range supervise.Rules {
			ids, _, err := h.a.Supervise.Candidates(ctx, who, rule, "", 2)
			if err != nil {
				return err
			}
			if len(ids) > 1 { // the last one stays for the visitor
				list = append(list, marked{ids[0], []string{supervise.Open, supervise.Feedback, supervise.Open, supervise.Closed}[i]})
			}
		}
	}
	if err := h.orders(ctx, list); err != nil {
		return err
	}
	return setState(ctx, h.a.DB, stateLedger, true)
}

func (h *history) orders(ctx context.Context, list []marked) error {
	for _, m := range list {
		if err := h.order(ctx, m); err != nil {
			return fmt.Errorf("demo: order on %d: %w", m.ticket, err)
		}
	}
	return nil
}

// order issues one 督办 and brings it to its state.
func (h *history) order(ctx context.Context, m marked) error {
	have, err := h.a.Supervise.Of(ctx, m.ticket)
	if err != nil || len(have) > 0 {
		return err
	}
	t, err := h.a.Ticket.Get(ctx, system, m.ticket)
	if err != nil || t.Unit == 0 {
		return err
	}
	r := rand.New(rand.NewPCG(h.vol.plan.Seed, uint64(m.ticket)))
	now := clock.FromMillis(h.vol.plan.Now)
	from := clock.FromMillis(max(t.Dispatched, t.Accepted))
	room := now.Sub(from)
	at := from.Add(room / 3)
	due := h.a.Ticket.Calendar(t.Platform).Due(at, threeDays)
	switch {
	case m.state == supervise.Open && r.IntN(4) == 0:
		due = now.Add(-time.Duration(20+r.IntN(200)) * time.Minute) // one in four is late with its feedback
	case due.Before(now):
		due = now.Add(time.Duration(5+r.IntN(40)) * time.Hour)
	}
	if !due.After(at) {
		due = now.Add(26 * time.Hour)
	}
	boss, err := h.people.named(ctx, t.Platform, access.Supervisor)
	if err != nil {
		return err
	}
	book := h.a.Supervise.Loading()
	o, err := book.Open(ctx, boss, supervise.NewOrder{Ticket: t.ID, Unit: t.Unit, Level: "order", Requirement: pick(r, superviseWhys), Due: clock.Millis(due), At: clock.Millis(at)})
	if softened(err) {
		return nil
	}
	if err != nil || m.state == supervise.Open {
		return err
	}
	u, _ := h.a.Org.Tree().Get(t.Unit)
	worker, err := h.people.named(ctx, t.Unit, answerer(u))
	if err != nil {
		return err
	}
	step := func(who access.Actor, name, text string, part int) error {
		if err != nil {
			return err
		}
		when := clock.Millis(at.Add(now.Sub(at) * time.Duration(part) / 8))
		_, err = book.Act(ctx, who, o.ID, supervise.Step{Name: name, Text: text, At: when})
		return err
	}
	_ = step(worker, "feedback", pick(r, feedbacks), 3)
	switch m.state {
	case supervise.Rejected:
		_ = step(boss, "reject", pick(r, rejections), 5)
	case supervise.Closed:
		_ = step(boss, "close", pick(r, strikes), 6)
	}
	if softened(err) {
		return nil
	}
	return err
}

// answerer is who gives a unit's feedback on a 督办.
func answerer(u org.Unit) access.Role {
	if r := workerRole(u); r != access.BranchAgent {
		return r
	}
	return access.UnitLead
}

// softened tells whether the rules refuse an order: the ledger does without.
func softened(err error) bool {
	var e *fault.Error
	return errors.As(err, &e) && (e.Kind == fault.KindConflict || e.Kind == fault.KindForbidden || e.Kind == fault.KindNotFound)
}

// bursting is how many people a city has in which many call about one thing.
const bursting = 3_000_000

// firstTied is the first number of the wants behind tie.
const firstTied = 90_000

// tie plants tickets that belong together, one after another: in every city a
// matter that was brought three times (重复), and a burst of callers about one
// thing of which some are merged (并单) and some wait to be.
func (h *history) tie(ctx context.Context) error {
	now := clock.FromMillis(h.vol.plan.Now)
	for c, city := range h.vol.cities {
		r := rand.New(rand.NewPCG(h.vol.plan.Seed, hash("tie", city)))
		at, _ := region.Get(city)
		for g, merged := range []bool{false, true} {
			if merged && at.Population < bursting {
				continue
			}
			w := want{city: city, stop: "to_dispatch", light: "green", n: firstTied + c*10 + g}
			base, err := h.plant(ctx, w)
			if err != nil {
				return err
			}
			var first, last int64
			for i := range 3 {
				l := base
				l.steps, l.order = nil, ""
				l.n.SourceNo = fmt.Sprintf("T%s-%d-%d", city, g, i+1)
				l.n.At = clock.Millis(now.Add(-time.Duration(24-8*i) * time.Minute))
				l.n.Status = ticket.ToDispatch
				if !merged { // one person, again and again
					l.n.At = clock.Millis(now.Add(-time.Duration(6-2*i)*24*time.Hour - time.Duration(r.IntN(90))*time.Minute))
					l.n.RepeatOf = last
					if i == 2 { // it waits longer than it should
						l.n.At = clock.Millis(now.Add(-time.Duration(40+r.IntN(50)) * time.Minute))
					}
				} else {
					p := citizen(h.vol.plan.Seed, city, 7+11*i)
					l.n.Requester = ticket.Requester{Kind: "个人", Name: p.Name, Phone: p.Phone, Gender: p.Gender}
					l.n.Secrecy = ticket.SecrecyNormal
				}
				if i > 0 {
					l.n.Content = again(r, merged, i) + l.n.Content
				}
				if merged && i == 2 {
					desk, err := h.people.named(ctx, l.n.Platform, access.Dispatcher)
					if err != nil {
						return err
					}
					l.steps = []step{{desk, ticket.Action{Name: "merge", Fields: map[string]any{"main": first, "note": "同一地点同一问题，并入主单一并办理。"}, At: l.n.At + 120_000}}}
				}
				if !merged && i < 2 {
					l.steps = h.closedSoon(ctx, &l, r)
				}
				if last, err = h.put(ctx, db.LaneNormal, l); err != nil {
					return err
				}
				if first == 0 {
					first = last
				}
			}
		}
	}
	return nil
}

// again is how another caller, or the same one once more, begins.
func again(r *rand.Rand, others bool, i int) string {
	if others {
		return pick(r, []string{"同一位置又有市民来电。", "另一住户来电反映同一情况。", "附近商户也来电反映。"})
	}
	return fmt.Sprintf("诉求人第%s次来电反映同一问题。", []string{"", "二", "三"}[i])
}

// closedSoon writes the life of an earlier call on a matter that came back.
func (h *history) closedSoon(ctx context.Context, l *life, r *rand.Rand) []step {
	s := &script{h: h, ctx: ctx, r: r, n: l.n, tale: tale{}, at: clock.FromMillis(l.n.At)}
	s.tale.Result, s.tale.Reply = "solved", "您好，您反映的问题收悉，我单位已安排人员现场处理，现场已恢复正常。如再次出现请及时与我们联系。"
	s.cal = h.a.Ticket.Calendar(l.n.Platform)
	s.lim, _ = h.a.Ticket.Limit(l.n.Platform, l.n.Category, l.n.Type, l.n.Urgency, ticket.ClockHandle)
	s.sign, _ = h.a.Ticket.Limit(l.n.Platform, l.n.Category, l.n.Type, l.n.Urgency, ticket.ClockSign)
	root, ok := h.root(&s.n)
	if !ok || !s.dispatch(root, false, nil) {
		return nil
	}
	s.natal = true
	s.leg(legPlan{route: h.route(&s.n, root), finished: 0.1})
	desk := s.who(l.n.Platform, access.Dispatcher)
	s.pass(5*time.Minute, 20*time.Minute)
	s.do(desk, "close", map[string]any{"close_decision": "pass", "opinion": pick(r, closeOpinions)})
	s.pass(5*time.Minute, 20*time.Minute)
	s.do(s.who(l.n.Platform, access.Callback), "callback", map[string]any{"outcome": "reached", "contacted": "yes", "citizen_solved": "yes", "satisfaction": "4", "note": "诉求人表示当时已处理。"})
	return s.steps
}
