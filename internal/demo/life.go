package demo

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/intake"
	"hotline/internal/org"
	"hotline/internal/ticket"
)

// Shares of what goes wrong, before the temper of unit and city.
const (
	lateShare        = 0.0075
	returnShare      = 0.034
	deniedShare      = 0.005
	unsatisfiedShare = 0.048
	extendShare      = 0.05
	suspendShare     = 0.015
	assistShare      = 0.035
	sentBackShare    = 0.04
	urgeShare        = 0.07
	webVerdictShare  = 0.13
	noAnswerShare    = 0.09
)

// source is the import source of everything that the demo makes.
const source = "demo"

// life is a ticket to be loaded: how it came and what became of it.
type life struct {
	by    access.Actor
	n     ticket.Intake
	steps []step
	order string // the state of the 督办 that it shall get; "" none
	city  string // whose desks a planted one is for, by region code
}

// begin drafts the request of a slot and has intake decide it.
func (h *history) begin(ctx context.Context, s slot, t tale, channel string, r *rand.Rand) (*script, intake.Request, error) {
	who, secrecy := h.caller(r, s, &t)
	q := intake.Request{Type: t.Type, Title: t.Title, Content: t.Content, Category: t.Category, Region: t.Region, Address: t.Address, Object: t.Object,
		Requester: who, Secrecy: secrecy, Urgency: t.Urgency, Channel: channel, Source: source, SourceNo: s.No, Demo: true, At: clock.Millis(s.At), Way: intake.WayDispatch}
	if channel == "phone" {
		q.Line = "12345"
		if l := lines[t.Category[:2]]; l != "" && r.IntN(100) < 14 {
			q.Line = l
		}
	} else {
		q.Way = intake.WayHold
	}
	return &script{h: h, ctx: ctx, r: r, tale: t, at: s.At}, q, nil
}

// decide runs intake's checks and fills in what follows from them.
func (s *script) decide(q intake.Request) error {
	n, err := s.h.a.Intake.Decide(access.System("演示"), q)
	if err != nil {
		return err
	}
	s.n = n
	s.cal = s.h.a.Ticket.Calendar(n.Platform)
	s.lim, _ = s.h.a.Ticket.Limit(n.Platform, n.Category, n.Type, n.Urgency, ticket.ClockHandle)
	s.sign, _ = s.h.a.Ticket.Limit(n.Platform, n.Category, n.Type, n.Urgency, ticket.ClockSign)
	s.natal = s.lim.Unit != calendar.Workday && s.lim.Unit != calendar.WorkHour
	return nil
}

// live draws a whole life and cuts it off at the present.
func (h *history) live(ctx context.Context, sl slot) (life, error) {
	r := rand.New(rand.NewPCG(h.vol.plan.Seed, hash("life", sl.No)))
	var s *script
	var phone bool
	var ending string
	for range 12 { // a matter that no unit here answers for would wait for ever
		var q intake.Request
		var err error
		if s, q, err = h.begin(ctx, sl, h.tell(r, sl), channel(r), r); err != nil {
			return life{}, err
		}
		phone = q.Channel == "phone"
		ending = s.ending(&q, phone)
		if err := s.decide(q); err != nil {
			return life{}, err
		}
		if _, ok := h.root(&s.n); ok || ending != "" {
			break
		}
	}
	by := access.AsCitizen(0, "")
	if phone {
		by = s.who(s.n.Platform, access.Agent)
	}
	if s.n.Status != ticket.Quarantined {
		s.follow(ending, phone)
	}
	out := life{by: by, n: s.n}
	for _, st := range s.steps {
		if st.act.At > h.vol.plan.Now {
			break
		}
		out.steps = append(out.steps, st)
	}
	return out, s.err
}

// ending decides how a request ends at the desk, "" when it is dispatched. By
// telephone the desk decides while the citizen is on the line.
func (s *script) ending(q *intake.Request, phone bool) string {
	way := ""
	switch t := q.Type; {
	case t == "咨询" && (s.tale.Direct && s.chance(0.94) || s.chance(0.42)):
		way = intake.WayAnswer
		q.Outcome = ticket.Outcome{Text: s.tale.Reply, Knowledge: s.h.article(s.ctx, q.Category)}
	case t == "咨询" && transfers[q.Category[:2]] != "" && s.chance(0.22):
		way = intake.WayTransfer
		q.Outcome = ticket.Outcome{Line: transfers[q.Category[:2]]}
	case t == "其他" && s.chance(0.35):
		way = intake.WayInvalid
		q.Outcome = ticket.Outcome{Invalid: pick(s.r, []string{"empty", "empty", "harassment", "test"}), Text: "诉求人未说明具体事项，经询问仍无实质诉求。"}
	case t == "其他" && s.chance(0.35), (t == "投诉" || t == "求助") && s.chance(0.012):
		x := pick(s.r, redirects)
		way = intake.WayRedirect
		q.Outcome = ticket.Outcome{Redirect: x.kind, Text: x.text}
	}
	if phone && way != "" {
		q.Way = way
	}
	return way
}

// follow writes the steps after intake.
func (s *script) follow(ending string, phone bool) {
	if !phone {
		s.pass(2*time.Minute, 26*time.Minute)
		desk := s.who(s.n.Platform, receiver(ticket.LabelOf(s.n)))
		switch ending {
		case intake.WayAnswer:
			f := map[string]any{"answer_text": s.tale.Reply}
			if id := s.h.article(s.ctx, s.n.Category); id != 0 {
				f["knowledge"] = id
			}
			s.do(desk, "answer", f)
		case intake.WayTransfer:
			s.do(desk, "transfer", map[string]any{"line": transfers[s.n.Category[:2]]})
		case intake.WayRedirect:
			x := pick(s.r, redirects)
			s.do(desk, "redirect", map[string]any{"redirect_kind": x.kind, "text": x.text})
		case intake.WayInvalid:
			s.do(s.who(s.n.Platform, access.ShiftLead), "invalidate", map[string]any{"invalid_reason": "empty", "reason": "无实质诉求，联系后未补充。"})
		default:
			s.do(desk, "accept", map[string]any{"urgency": s.n.Urgency})
		}
	}
	s.n.Outcome.Text = clip(s.n.Outcome.Text)
	if ending != "" {
		return
	}
	root, ok := s.h.root(&s.n)
	if !ok {
		return
	}
	if !s.dispatch(root, s.chance(returnShare*s.mood("return", root)), nil) {
		return
	}
	p := legPlan{route: s.h.route(&s.n, root), late: s.chance(lateShare * s.mood("late", root)), denied: s.chance(deniedShare), urged: s.chance(urgeShare),
		sentBack: s.chance(sentBackShare), extend: s.chance(extendShare), suspend: s.chance(suspendShare)}
	if p.late {
		p.extend, p.suspend = false, false
	}
	if s.chance(assistShare) && s.n.Type != "咨询" {
		if u, ok := s.peer(root); ok {
			p.assist = &u
		}
	}
	if s.chance(0.008) && s.n.Type != "举报" {
		s.pass(time.Hour, 30*time.Hour)
		s.do(access.AsCitizen(0, ""), "withdraw", map[string]any{"reason": "问题已经自行解决，不用再办了。"})
		return
	}
	s.leg(p)
	s.finish(root, 1)
}

// mood is the temper of a unit and its city together.
func (s *script) mood(what string, u org.Unit) float64 {
	seed := s.h.vol.plan.Seed
	return (0.3 + 0.7*temper(seed, what, u.Code)) * (0.7 + 0.3*temper(seed, what+"city", u.Region[:4]))
}

// dispatch sends the ticket to root, by way of a wrong unit when it is to be
// returned first. It leaves the hand at the dispatch to root.
func (s *script) dispatch(root org.Unit, returned bool, by *access.Actor) bool {
	desk := s.who(s.n.Platform, access.Dispatcher)
	if by != nil {
		desk = *by
	}
	quick := 22 * time.Minute
	if s.n.Urgency != "一般" {
		quick = 6 * time.Minute
	}
	s.pass(time.Minute, quick)
	s.due = s.cal.Due(s.at, s.lim)
	if returned {
		wrong, ok := s.peer(root)
		if ok && !s.natal {
			s.do(desk, "dispatch", map[string]any{"unit": wrong.ID})
			s.pass(20*time.Minute, 150*time.Minute)
			s.office()
			s.do(s.worker(wrong), "return", map[string]any{"return_reason": "not_duty", "basis": pick(s.r, returnBases), "suggested": root.ID, "reason": "该事项应由建议单位办理。"})
			s.pass(15*time.Minute, 2*time.Hour)
			s.do(desk, "decide-return", map[string]any{"decision": "pass", "opinion": "同意退单，按职责改派。", "redispatch": root.ID})
			return true
		}
	}
	s.do(desk, "dispatch", map[string]any{"unit": root.ID})
	return true
}

// finish writes 办结, 回访 and what follows when the citizen is not satisfied.
func (s *script) finish(root org.Unit, leg int) {
	s.pass(20*time.Minute, 9*time.Hour)
	s.natal = false
	s.office()
	s.do(s.who(s.n.Platform, access.Dispatcher), "close", map[string]any{"close_decision": "pass", "opinion": pick(s.r, closeOpinions)})
	if s.silent() {
		return
	}
	caller := s.who(s.n.Platform, access.Callback)
	if s.informant() {
		caller = s.who(s.n.Platform, access.Cell)
	}
	s.pass(3*time.Hour, 40*time.Hour)
	s.at = daytime(s.r, s.at)
	if s.chance(0.012) && s.n.Nature != "" && !s.informant() {
		s.do(caller, "propose-exempt", map[string]any{"exempt_reason": "law", "legal": exemptLegal, "reason": "该件属执法办案或行政调解，已依法处置。"})
		s.pass(2*time.Hour, 20*time.Hour)
		s.do(s.who(s.n.Platform, access.Dispatcher), "decide-exempt", map[string]any{"decision": "pass", "opinion": "依据充分，同意免评。"})
		return
	}
	for n := 0; n < 3 && s.chance(noAnswerShare*(1+float64(n)*2)); n++ {
		s.do(caller, "callback", map[string]any{"outcome": "no_answer"})
		if n == 2 {
			return
		}
		s.pass(5*time.Hour, 30*time.Hour)
		s.at = daytime(s.r, s.at)
	}
	if s.chance(0.015) {
		s.do(caller, "callback", map[string]any{"outcome": pick(s.r, []string{"refused", "wrong_number"})})
		return
	}
	if leg == 1 && s.chance(min(0.4, unsatisfiedShare*s.mood("please", root))) {
		s.unsatisfied(root, caller, leg)
		return
	}
	level := pick(s.r, []string{"5", "5", "5", "4", "4", "3"})
	solved := "yes"
	if s.tale.Result == "in_progress" || s.tale.Result == "partly" {
		solved, level = "partly", pick(s.r, []string{"5", "4", "4", "3"})
	}
	if s.chance(webVerdictShare) {
		s.do(access.AsCitizen(0, ""), "evaluate", map[string]any{"citizen_satisfaction": level, "citizen_solved2": solved, "note": s.tale.Satisfied})
		return
	}
	s.do(caller, "callback", map[string]any{"outcome": "reached", "contacted": "yes", "citizen_solved": solved, "satisfaction": level, "note": pick(s.r, []string{s.tale.Satisfied, pick(s.r, calledNotes)})})
}

// unsatisfied writes a bad verdict, the 复核, and the 重办 where it is due.
func (s *script) unsatisfied(root org.Unit, caller access.Actor, leg int) {
	code := reasonCodes[s.tale.UnsatisfiedCode]
	if code == "" {
		code = "other"
	}
	s.do(caller, "callback", map[string]any{"outcome": "reached", "contacted": "yes", "citizen_solved": pick(s.r, []string{"no", "no", "partly"}), "satisfaction": pick(s.r, []string{"2", "2", "1"}),
		"dissatisfied": []string{code}, "note": s.tale.Unsatisfied})
	s.pass(2*time.Hour, 26*time.Hour)
	s.office()
	judge := s.who(s.n.Platform, access.Supervisor)
	if s.informant() {
		judge = s.who(s.n.Platform, access.Dispatcher)
	}
	if !s.chance(0.58) || s.informant() {
		s.do(judge, "reopen", map[string]any{"recheck_decision": "uphold", "verdict_text": pick(s.r, upheld)})
		return
	}
	s.do(judge, "reopen", map[string]any{"recheck_decision": "reopen", "verdict_text": pick(s.r, verdicts)})
	full := s.lim
	if full.Unit == calendar.Workday && full.N > 1 {
		full.N = (full.N + 1) / 2
	}
	s.due = s.cal.Due(s.at, full)
	s.natal = s.lim.Unit != calendar.Workday && s.lim.Unit != calendar.WorkHour
	s.tale.Result = "solved"
	s.leg(legPlan{route: s.h.route(&s.n, root), rework: true})
	s.finish(root, leg+1)
}

// daytime keeps calls to citizens between nine and twenty.
func daytime(r *rand.Rand, t time.Time) time.Time {
	switch {
	case t.Hour() < 9:
		return day(t).Add(9*time.Hour + time.Duration(r.Int64N(int64(3*time.Hour))))
	case t.Hour() >= 20:
		return day(t).AddDate(0, 0, 1).Add(9*time.Hour + time.Duration(r.Int64N(int64(3*time.Hour))))
	}
	return t
}

// root finds the unit under the platform that a matter goes to: the suggestion
// of the 派单目录 where the rules let it be dispatched there.
func (h *history) root(n *ticket.Intake) (org.Unit, bool) {
	tree := h.a.Org.Tree()
	c, known := h.a.Ticket.Categories(n.Platform).Get(n.Category)
	if n.Suggestion != nil {
		u, ok := tree.Get(n.Suggestion.Unit)
		low := known && c.Lowest == "city" && (u.Kind == org.KindCounty || u.Kind == org.KindCountyDepartment)
		if ok && u.Active && !low {
			return u, true
		}
	}
	plat, _ := tree.Get(n.Platform)
	for _, u := range tree.FindByDuty(c.Duty, plat.Region) {
		if u.Active && tree.Under(plat.ID, u.ID) && u.ID != plat.ID {
			return u, true
		}
	}
	return org.Unit{}, false
}

// basis is the legal ground of a matter.
func (h *history) basis(n *ticket.Intake) string {
	if c, ok := h.a.Ticket.Categories(n.Platform).Get(n.Category); ok && c.Basis != "" {
		return c.Basis
	}
	return "有关法律法规和部门职责规定"
}

func clip(s string) string {
	if r := []rune(s); len(r) > 4000 {
		return string(r[:4000])
	}
	return s
}

// refused tells whether an error is of the business: such a life is loaded as
// far as it went, which only a change of the rules can bring about.
func refused(err error) bool {
	var e *fault.Error
	return errors.As(err, &e) && e.Kind != fault.KindUnavailable && e.Kind != fault.KindInternal
}
