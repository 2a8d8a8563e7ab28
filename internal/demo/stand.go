package demo

import (
	"time"

	"hotline/internal/access"
	"hotline/internal/org"
)

// stand writes the steps that bring a wanted ticket to where it shall stand.
func (s *script) stand(w want, root org.Unit) {
	desk := s.desk(access.Dispatcher)
	route := s.h.route(&s.n, root)
	switch w.stop {
	case "extension", "suspension", "suspended", "escalated", "assisting": // asked of the platform itself
		route = route[:1]
	case "received", "to_dispatch", "quarantined":
		return
	case "seat_fix":
		s.pass(20*time.Second, 50*time.Second)
		s.do(desk, "sendback", map[string]any{"fix": pick(s.r, fixes)})
		return
	}
	s.dispatch(root, false, &desk)
	last := route[len(route)-1]
	switch w.stop {
	case "to_sign":
		return
	case "returning", "disputed":
		s.sendBack(root, desk, w.stop == "disputed")
		return
	}
	closing := w.stop == "to_close" || w.stop == "to_callback" || w.stop == "to_recheck" || w.stop == "rework" || w.stop == "supervised_close" || w.stop == "informant_close" ||
		w.stop == "exempt" || w.stop == "unhappy2" || w.stop == "content"
	if closing {
		s.leg(legPlan{route: route, finished: 0.3 + 0.3*s.r.Float64()})
		if w.stop == "to_close" || w.stop == "supervised_close" || w.stop == "informant_close" {
			return
		}
		s.pass(20*time.Minute, 2*time.Hour)
		s.do(desk, "close", map[string]any{"close_decision": "pass", "opinion": pick(s.r, closeOpinions)})
		if w.stop == "to_callback" {
			return
		}
		s.pass(2*time.Hour, 6*time.Hour)
		if w.stop == "content" {
			s.do(s.desk(access.Callback), "callback", map[string]any{"outcome": "reached", "contacted": "yes", "citizen_solved": "yes", "satisfaction": pick(s.r, []string{"5", "5", "4"}), "note": s.tale.Satisfied})
			return
		}
		if w.stop == "exempt" {
			s.do(s.desk(access.Callback), "propose-exempt", map[string]any{"exempt_reason": "policy", "legal": exemptLegal, "reason": "诉求超出现行政策规定，承办单位已逐条说明，诉求人坚持原要求。"})
			return
		}
		s.do(s.desk(access.Callback), "callback", map[string]any{"outcome": "reached", "contacted": "yes", "citizen_solved": "no", "satisfaction": "2", "dissatisfied": []string{"unsolved"}, "note": s.tale.Unsatisfied})
		if w.stop == "to_recheck" {
			return
		}
		s.pass(time.Hour, 3*time.Hour)
		s.do(s.desk(access.Supervisor), "reopen", map[string]any{"recheck_decision": "reopen", "verdict_text": pick(s.r, verdicts)})
		if w.stop == "unhappy2" {
			s.again(root, route, desk)
			return
		}
		s.pass(10*time.Minute, time.Hour)
		s.do(s.worker(root), "sign", nil)
		return
	}
	for i, u := range route {
		s.pass(10*time.Minute, 90*time.Minute)
		s.do(s.worker(u), "sign", nil)
		if i+1 < len(route) {
			s.pass(3*time.Minute, 20*time.Minute)
			s.do(s.worker(u), "delegate", map[string]any{"unit": route[i+1].ID, "note": "请按职责办理，按时反馈。"})
		}
	}
	s.pass(10*time.Minute, time.Hour)
	s.contact(last, w.stop == "relay")
	s.pass(10*time.Minute, time.Hour)
	switch w.stop {
	case "assisting":
		if u, ok := s.peer(root); ok {
			s.do(desk, "assist", map[string]any{"assist_unit": u.ID, "note": "请配合主办单位核查，及时反馈意见。"})
			if w.light == "yellow" {
				s.pass(10*time.Minute, time.Hour)
				s.do(s.worker(u), "sign", nil)
			}
		}
	case "escalated":
		s.do(desk, "escalate", map[string]any{"escalate_mode": "raise", "reason": pick(s.r, escalateWhys)})
	case "extension":
		s.do(s.worker(root), "extend", map[string]any{"days": 2, "reason": pick(s.r, extendReasons)})
	case "suspension", "suspended":
		why := pick(s.r, suspendReasons)
		s.do(s.worker(root), "suspend", map[string]any{"suspend_reason": why[0], "suspend_days": 20, "reason": why[1]})
		if w.stop == "suspended" {
			s.pass(20*time.Minute, time.Hour)
			s.do(desk, "decide-suspension", map[string]any{"decision": "pass", "opinion": "符合挂起条件，同意挂起。"})
		}
	case "to_review":
		s.pass(time.Hour, 5*time.Hour)
		s.reply(last)
	}
}

// desk is the first holder of a post at the ticket's platform: the one whose
// password is in accounts.json.
func (s *script) desk(role access.Role) access.Actor {
	who, err := s.h.people.named(s.ctx, s.n.Platform, role)
	if err != nil && s.err == nil {
		s.err = err
	}
	return who
}

// sendBack has the unit ask to return the ticket; twice for one in dispute.
func (s *script) sendBack(root org.Unit, desk access.Actor, twice bool) {
	other, ok := s.peer(root)
	if !ok {
		return
	}
	ask := func(u, to org.Unit) {
		s.pass(20*time.Minute, time.Hour)
		s.do(s.worker(u), "return", map[string]any{"return_reason": "not_duty", "basis": pick(s.r, returnBases), "suggested": to.ID, "reason": "经研判应由建议单位办理。"})
	}
	ask(root, other)
	if !twice {
		return
	}
	s.pass(15*time.Minute, 40*time.Minute)
	s.do(desk, "decide-return", map[string]any{"decision": "pass", "opinion": "同意退单，改派建议单位。", "redispatch": other.ID})
	ask(other, root)
}

// again writes the 重办 after which the citizen is as displeased as before.
func (s *script) again(root org.Unit, route []org.Unit, desk access.Actor) {
	s.leg(legPlan{route: route, rework: true, finished: 0.3})
	s.pass(20*time.Minute, 2*time.Hour)
	s.do(desk, "close", map[string]any{"close_decision": "pass", "opinion": pick(s.r, closeOpinions)})
	s.pass(2*time.Hour, 6*time.Hour)
	s.do(s.desk(access.Callback), "callback", map[string]any{"outcome": "reached", "contacted": "yes", "citizen_solved": "no", "satisfaction": "1", "dissatisfied": []string{"unsolved"}, "note": "诉求人表示重办后问题依旧，要求给出明确的解决时间。"})
}
