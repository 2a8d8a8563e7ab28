package ticket

import (
	"hotline/internal/fault"
)

// doReopen (复核) decides about an unsatisfied citizen: 重办 as a new linked
// leg, 提级, or the result stands and is explained.
func doReopen(w *work) error {
	t := w.t
	d := w.in.Str("recheck_decision")
	t.Detail.Auditor = &AuditorVerdict{Result: d, At: w.now, By: w.actor.Account}
	w.say("verdict", w.in.Str("verdict_text"))
	w.data["decision"] = d
	switch d {
	case "uphold":
		w.finish()
		w.data["notice"] = "upheld"
		w.msg = "已维持办理结论并告知诉求人。"
		return nil
	case "escalate":
		w.newLeg()
		if err := w.takeOver(); err != nil {
			return err
		}
		w.msg = "已提级办理。"
		return nil
	}
	if t.Leg >= 3 {
		return fault.Conflict("reopen_used_up", "已重办两次，请提级办理或作最终答复。")
	}
	unit := t.Unit
	w.newLeg()
	if u, ok := w.tree.Get(unit); !ok || !u.Active {
		t.Status = ToDispatch
		w.s.startClock(w, ClockDispatch, nil, w.now, 0)
		w.msg = "已发回重办，转待派单。"
		return nil
	}
	// The same unit, with a shortened limit.
	full := w.s.limitFor(t, ClockHandle)
	if full.Unit == "工作日" && full.N > 1 {
		full.N = (full.N + 1) / 2
	}
	t.Due = w.s.calendarAt(t.Platform, timeOf(w.now)).Due(timeOf(w.now), full).UnixMilli()
	t.Status, t.Unit = Handling, unit
	a := w.assign(nil, unit, RoleMain)
	w.openLeg(unit)
	w.data["unit"], w.data["due"], w.data["as"] = unit, t.Due, a.State
	w.msg = "已发回" + unitLine(w, unit) + "重办，时限" + dueText(w.now, t.Due) + "。"
	return nil
}

// newLeg files the present leg with its verdicts and begins the next one; the
// figures of the first stay what they were.
func (w *work) newLeg() {
	t := w.t
	if l := t.leg(); l != nil {
		l.Citizen, l.Auditor = t.Detail.Citizen, t.Detail.Auditor
	} else {
		t.Detail.Legs = append(t.Detail.Legs, Leg{No: t.Leg, Opened: t.Accepted, Closed: w.now, Verdict: t.Detail.Unit, Citizen: t.Detail.Citizen, Auditor: t.Detail.Auditor})
	}
	t.Detail.Unit, t.Detail.Citizen, t.Detail.Auditor, t.Detail.Exempt = nil, nil, nil, nil
	t.Detail.Callbacks = nil
	for i := range t.Detail.Points {
		if p := &t.Detail.Points[i]; p.State == "answered" {
			p.State = "open"
		}
	}
	t.Leg++
	t.Due, t.Dispute, t.Unit = 0, "", 0
	w.stopClock("*", 0)
}

// doEscalate (提级) asks the platform above to coordinate, or hands the ticket to it.
func doEscalate(w *work) error {
	w.say("reason", w.in.Str("reason"))
	w.data["mode"] = w.in.Str("escalate_mode")
	if w.in.Str("escalate_mode") == "raise" {
		w.t.Escalated, w.t.Dispute = true, "escalated"
		w.msg = "已提请上级协调。"
		return nil
	}
	if err := w.takeOver(); err != nil {
		return err
	}
	w.msg = "已由" + unitLine(w, w.t.Platform) + "接管。"
	return nil
}

// takeOver moves the ticket to the platform above, which dispatches anew; the
// citizen-visible deadline stays.
func (w *work) takeOver() error {
	t := w.t
	up := w.tree.Ancestors(t.Platform)
	if len(up) == 0 {
		return fault.Conflict("no_platform_above", "已是省级平台，不能再提级。")
	}
	w.revokeAll()
	w.stopClock("*", 0)
	w.data["platform_was"] = t.Platform
	t.Platform, t.Escalated, t.Dispute = up[0].ID, true, "escalated"
	t.Status = ToDispatch
	w.s.startClock(w, ClockDispatch, nil, w.now, 0)
	return nil
}
