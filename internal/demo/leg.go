package demo

import (
	"fmt"
	"slices"
	"time"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/org"
)

// legPlan is what happens in one leg of handling, from dispatch to 办结.
type legPlan struct {
	route     []org.Unit
	late      bool
	extend    bool
	suspend   bool
	sentBack  bool // a reviewer sends the reply back once
	assist    *org.Unit
	denied    bool // the unit asks to return the ticket and is refused
	urged     bool
	rework    bool
	finished  float64 // part of the time that has gone when the last reviewer passes; 0 = drawn
	holdRelay bool    // the citizen's answer by 热线中转 has not come
}

// leg writes the handling: every node signs, the last one works and replies,
// and the reply climbs back. The hand stands at the dispatch when it begins
// and at the last review when it ends.
func (s *script) leg(p legPlan) {
	opened := s.at
	last := p.route[len(p.route)-1]
	end := s.target(&p, opened)
	marks := s.marks(opened, end, p)
	next := func() {
		m := marks[0]
		marks = marks[1:]
		if m.Before(s.at.Add(time.Minute)) {
			m = s.at.Add(time.Minute + time.Duration(s.r.Int64N(int64(9*time.Minute))))
		}
		s.at = m
	}
	for i, u := range p.route {
		next()
		if i == 0 && p.denied {
			s.returnDenied(u)
		}
		s.do(s.worker(u), "sign", nil)
		if i+1 < len(p.route) {
			s.pass(3*time.Minute, 25*time.Minute)
			s.do(s.worker(u), "delegate", map[string]any{"unit": p.route[i+1].ID, "note": "请按职责办理，按时反馈。"})
		}
	}
	next()
	s.contact(last, p.holdRelay)
	if p.urged {
		s.pass(20*time.Minute, 3*time.Hour)
		s.do(access.AsCitizen(0, ""), "urge", map[string]any{"note": pick(s.r, urges)})
	}
	if p.assist != nil {
		s.assist(*p.assist, end)
	}
	if p.extend {
		s.extend(last, p.route)
	}
	if p.suspend {
		s.suspend(last, p.route)
	}
	next()
	s.reply(last)
	for i := len(p.route) - 1; i >= 0; i-- {
		next()
		u := p.route[i]
		if i == len(p.route)-1 && p.sentBack {
			s.do(s.reviewer(u), "review", map[string]any{"review_decision": "reject", "opinion": "请补充现场核查情况和完成时间后再报。"})
			s.pass(30*time.Minute, 3*time.Hour)
			s.office()
			s.reply(last)
			s.pass(10*time.Minute, time.Hour)
		}
		s.do(s.reviewer(u), "review", map[string]any{"review_decision": "pass", "opinion": pick(s.r, opinions)})
	}
}

// reviewer is who reviews in a unit; a hub that answered itself has its leader do it.
func (s *script) reviewer(u org.Unit) access.Actor {
	if n := len(s.steps); n > 0 && u.Kind.Hub() && u.Kind != org.KindProvince && u.Kind != org.KindCity {
		if prev := s.steps[n-1]; prev.act.Name == "reply" && prev.who.Unit == u.ID {
			return s.who(u.ID, access.UnitLead)
		}
	}
	return s.judge(u)
}

// target is when the last reviewer passes the reply.
func (s *script) target(p *legPlan, opened time.Time) time.Time {
	span := s.due.Sub(opened)
	if p.late {
		return s.due.Add(time.Hour + time.Duration(s.r.Int64N(int64(30*time.Hour))))
	}
	f := p.finished
	if f == 0 {
		u := s.r.Float64()
		f = 0.12 + 0.78*u*(1.25-0.25*u)
	}
	return opened.Add(time.Duration(float64(span) * min(f, 0.93)))
}

// marks are the moments of a leg's steps between its dispatch and its end: the
// signatures soon, the reply late, one review after another.
func (s *script) marks(opened, end time.Time, p legPlan) []time.Time {
	n := len(p.route)
	var parts []float64
	for i := range n {
		parts = append(parts, 0.02+0.10*s.r.Float64()+0.08*float64(i))
	}
	slices.Sort(parts)
	parts = append(parts, parts[n-1]+0.05+0.10*s.r.Float64()) // contact
	reply := 0.72 + 0.16*s.r.Float64()
	parts = append(parts, reply)
	for i := range n {
		parts = append(parts, reply+(1-reply)*float64(i+1)/float64(n))
	}
	span := end.Sub(opened)
	out := make([]time.Time, len(parts))
	at := opened
	for i, f := range parts {
		t := opened.Add(time.Duration(float64(span) * f))
		if i < n && !s.natal {
			if by := s.soon(at); t.After(by) {
				t = by
			}
		}
		if !s.natal {
			t = officeHours(s.cal, s.r, t)
		}
		if i < n && t.After(s.cal.Due(at, s.sign)) && !s.chance(0.06) { // few let lunch or a night cost them the limit
			t = s.soon(at)
		}
		if !t.After(at) {
			t = at.Add(time.Minute + time.Duration(s.r.Int64N(int64(7*time.Minute))))
		}
		if !p.late && t.After(s.due) && i < len(parts) { // never late by a minute
			t = maxTime(at.Add(20*time.Second), s.due.Add(-time.Duration(len(parts)-i)*time.Minute))
		}
		out[i], at = t, t
	}
	return out
}

// soon is a moment well within the limit of signing.
func (s *script) soon(from time.Time) time.Time {
	if s.sign.Unit == calendar.WorkHour {
		return s.cal.Due(from, calendar.Limit{N: 1 + s.r.IntN(3), Unit: calendar.WorkHour})
	}
	return from.Add(time.Duration(float64(s.cal.Due(from, s.sign).Sub(from)) * (0.2 + 0.6*s.r.Float64())))
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// contact writes the 先行联系: by telephone, or through the hotline where the
// citizen is hidden from the unit.
func (s *script) contact(u org.Unit, hold bool) {
	switch {
	case s.silent():
		return
	case s.hidden():
		s.do(s.worker(u), "contact", map[string]any{"way": "relay", "contact_result": "no_answer", "contact_note": pick(s.r, relayQuestions)})
		if hold {
			return
		}
		s.pass(15*time.Minute, 90*time.Minute)
		who := access.AsCitizen(0, "")
		if !s.informant() {
			who = s.who(s.n.Platform, access.Callback)
		}
		s.do(who, "relay", map[string]any{"text": pick(s.r, relayAnswers)})
	default:
		way, result, note := "phone", "reached", pick(s.r, contactNotes)
		if s.chance(0.06) {
			result, note = "no_answer", "拨打两次无人接听，已发短信说明承办单位和联系方式。"
		} else if s.chance(0.15) {
			way, note = "visit", "已到现场与诉求人见面，了解情况并说明处理安排。"
		}
		s.do(s.worker(u), "contact", map[string]any{"way": way, "contact_result": result, "contact_note": note})
	}
}

// returnDenied: the unit asks to return the ticket; the platform keeps it there.
func (s *script) returnDenied(u org.Unit) {
	other, ok := s.peer(u)
	if !ok {
		return
	}
	s.do(s.worker(u), "return", map[string]any{"return_reason": "not_duty", "basis": pick(s.r, returnBases), "suggested": other.ID, "reason": "经研判，该事项不属于本单位职责范围。"})
	s.pass(20*time.Minute, 150*time.Minute)
	s.do(s.who(s.n.Platform, access.Dispatcher), "decide-return", map[string]any{"consult_units": []any{u.ID, other.ID}, "decision": "reject", "opinion": "对照派单目录和权责清单，该事项由你单位首办，请继续办理。"})
	s.pass(10*time.Minute, 40*time.Minute)
}

// authority is who decides what a node of the route asks.
func (s *script) authority(route []org.Unit) access.Actor {
	if len(route) > 1 {
		return s.judge(route[len(route)-2])
	}
	return s.who(s.n.Platform, access.Dispatcher)
}

// agree has everyone up the route agree to what its last node asks.
func (s *script) agree(route []org.Unit, act, opinion string) {
	for n := len(route); n > 0; n-- {
		s.pass(30*time.Minute, 2*time.Hour)
		s.do(s.authority(route[:n]), act, map[string]any{"decision": "pass", "opinion": opinion})
	}
}

func (s *script) extend(u org.Unit, route []org.Unit) {
	if s.lim.Unit != calendar.Workday || s.lim.N < 2 {
		return
	}
	days := 1 + s.r.IntN(min(s.lim.N, 15))
	s.pass(time.Hour, 5*time.Hour)
	s.office()
	if !s.at.Before(s.due.Add(-3 * time.Hour)) {
		return
	}
	s.do(s.worker(u), "extend", map[string]any{"days": days, "reason": pick(s.r, extendReasons)})
	s.agree(route, "decide-extension", "情况属实，同意延期，请告知诉求人。")
}

func (s *script) suspend(u org.Unit, route []org.Unit) {
	s.pass(time.Hour, 4*time.Hour)
	s.office()
	if !s.at.Before(s.due.Add(-5 * time.Hour)) {
		return
	}
	why := pick(s.r, suspendReasons)
	s.do(s.worker(u), "suspend", map[string]any{"suspend_reason": why[0], "suspend_days": 10 + s.r.IntN(20), "reason": why[1]})
	s.agree(route, "decide-suspension", "符合挂起条件，同意挂起，条件具备后及时恢复。")
	s.pass(26*time.Hour, 100*time.Hour)
	s.office()
	s.do(s.worker(u), "resume", map[string]any{"note": "挂起原因已消除，恢复办理。"})
}

// assist writes the part of a co-handling unit, which answers to the 主办.
func (s *script) assist(u org.Unit, end time.Time) {

	s.pass(5*time.Minute, 30*time.Minute)
	s.do(s.who(s.n.Platform, access.Dispatcher), "assist", map[string]any{"assist_unit": u.ID, "note": "请配合主办单位核查，及时反馈意见。"})
	left := end.Sub(s.at)
	if left < time.Hour {
		left = time.Hour
	}
	s.at = s.at.Add(left / 8)
	s.office()
	s.do(s.worker(u), "sign", nil)
	s.at = s.at.Add(left / 8)
	s.office()
	s.do(s.worker(u), "reply", map[string]any{"mode": "explained", "solved": "yes", "truth": "true", "reply_text": fmt.Sprintf("%s已配合核查，就本单位职责范围内的事项提出处理意见，并反馈主办单位统一答复。", u.Name)})
	s.pass(15*time.Minute, time.Hour)
	s.office()
	s.do(s.judge(u), "review", map[string]any{"review_decision": "pass", "opinion": "同意反馈主办单位。"})

}

// reply writes the answer of the unit that worked, with the codes that fit it.
func (s *script) reply(u org.Unit) {
	mode, solved, text := s.tale.reply(s.n.Type)
	truth := "true"
	switch {
	case s.n.Type != "投诉" && s.n.Type != "举报" && s.n.Type != "求助":
	case s.chance(0.10):
		truth = "partly"
	case s.chance(0.05):
		truth = "false"
	}
	f := map[string]any{"mode": mode, "solved": solved, "truth": truth, "reply_text": text}
	if solved != "yes" {
		f["unsolved_reason"] = pick(s.r, unsolvedReasons)
	}
	if s.chance(0.55) && !s.hidden() {
		f["public_text"] = text
	}
	if mode == "unlawful" || mode == "case" {
		f["legal"] = s.h.basis(&s.n)
	}
	s.do(s.worker(u), "reply", f)
}
