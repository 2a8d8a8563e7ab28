package ticket

import (
	"time"

	"hotline/internal/fault"
)

// doClose (办结审核) accepts the unit's result or sends it back. An accepted
// result goes to 回访, and the tickets merged into this one with it.
func doClose(w *work) error {
	t := w.t
	w.say("opinion", w.in.Str("opinion"))
	w.data["decision"] = w.in.Str("close_decision")
	root := t.Root()
	if w.in.Str("close_decision") == "reject" {
		if w.in.Str("opinion") == "" {
			return fault.Invalid("opinion_needed", "退回重新办理须写明意见。").At(fault.Field{Name: "opinion", Detail: "请写明需要重新办理的内容。"})
		}
		if root == nil {
			return fault.Conflict("wrong_state", "没有可退回的承办单位。")
		}
		root.move(InHand)
		root.RepliedAt = 0
		w.reopenClock(root)
		t.Status, t.Detail.Unit = Handling, nil
		w.data["notice"] = ""
		w.msg = "已退回" + unitLine(w, root.Unit) + "重新办理。"
		return nil
	}
	if t.Detail.Unit != nil && w.in.Bool("finality") {
		t.Detail.Unit.Final = true
		w.data["final"] = 1
	}
	if l := t.leg(); l != nil {
		l.Closed, l.Verdict = w.now, t.Detail.Unit
		l.OnTime = root == nil || l.Due == 0 || root.RepliedAt <= l.Due
		w.data["ontime"] = flag(l.OnTime)
	}
	if v := t.Detail.Unit; v != nil {
		w.data["mode"], w.data["solved"] = v.Mode, v.Solved
	}
	w.data["took"] = w.now - t.Dispatched
	w.revokeAll() // a 协办 that the 主办 did not wait for
	w.toCallback()
	if err := w.closeMerged(); err != nil {
		return err
	}
	w.msg = "已同意办结，转" + w.rules.StatusWord(t.Status) + "。"
	return nil
}

// toCallback sends a handled ticket to 回访, or ends it where nobody can be called.
func (w *work) toCallback() {
	t := w.t
	if t.Secrecy == SecrecyAnonymous || t.MaskPhone == "" {
		t.Detail.Citizen = &CitizenVerdict{Outcome: "none", At: w.now}
		w.finish()
		return
	}
	t.Status = ToCallback
	t.ClosedAt = w.now
	w.s.startClock(w, ClockCallback, nil, w.now, 0)
}

// finish ends the ticket and files the citizen's verdict with the leg.
func (w *work) finish() {
	t := w.t
	t.Status = Closed
	if l := t.leg(); l != nil {
		l.Citizen, l.Auditor = t.Detail.Citizen, t.Detail.Auditor
	}
}

// satisfied: 满意 or 基本满意; nothing but a real answer counts.
func satisfied(level int64) bool { return level >= 3 }

// callbackGap lies between two vain calls, so that three of them are three
// times of the day (不同时段) and not three rings.
const callbackGap = 2 * time.Hour

// doCallback (回访) records one attempt. 未评价, 无人接听 and 免评 never count
// as 满意; the third vain attempt ends the calling.
func doCallback(w *work) error {
	t := w.t
	outcome := w.in.Str("outcome")
	level, _ := intOf(w.in.Str("satisfaction"))
	try := CallbackTry{No: len(t.Detail.Callbacks) + 1, At: w.now, By: w.actor.Account, Outcome: outcome, Solved: w.in.Str("citizen_solved"), Satisfaction: int(level)}
	if outcome == "reached" {
		if level == 0 || try.Solved == "" {
			return fault.Invalid("callback_incomplete", "已接通的回访须记录是否解决和满意程度。").At(fault.Field{Name: "satisfaction", Detail: "请选择。"})
		}
		if !satisfied(level) && len(w.in.Strs("dissatisfied")) == 0 {
			return fault.Invalid("reason_needed", "不满意须记录原因。").At(fault.Field{Name: "dissatisfied", Detail: "请选择不满意的原因。"})
		}
	}
	if n := len(t.Detail.Callbacks); n > 0 && outcome == "no_answer" {
		if last := t.Detail.Callbacks[n-1]; w.now < last.At+callbackGap.Milliseconds() {
			return fault.Conflict("callback_too_soon", "%s已拨打一次未接通，三次须在不同时段：请在%s以后再拨打。", timeOf(last.At).Format("15:04"), timeOf(last.At+callbackGap.Milliseconds()).Format("15:04"))
		}
	}
	t.Detail.Callbacks = append(t.Detail.Callbacks, try)
	w.say("callback", w.in.Str("note"))
	w.data["outcome"], w.data["n"] = outcome, try.No
	if c := w.in.Str("contacted"); c != "" {
		w.data["contacted"] = c
	}
	if outcome == "reached" {
		w.verdict(&CitizenVerdict{Outcome: outcome, Solved: try.Solved, Satisfaction: try.Satisfaction, Reasons: w.in.Strs("dissatisfied"), Way: "callback", At: w.now})
		return nil
	}
	if outcome == "no_answer" && try.No < 3 {
		w.msg = "已记录，将在其他时段再次回访。"
		return nil
	}
	t.Detail.Citizen = &CitizenVerdict{Outcome: outcome, Way: "callback", At: w.now}
	w.finish()
	w.msg = "已记录，回访结束。"
	return nil
}

// verdict files what the citizen says; dissatisfaction asks for a 复核, which a
// person decides.
func (w *work) verdict(v *CitizenVerdict) {
	t := w.t
	t.Detail.Citizen = v
	w.data["sat"], w.data["csolved"], w.data["way"], w.data["outcome"] = v.Satisfaction, v.Solved, v.Way, "reached"
	w.stopClock(ClockCallback, 0)
	if satisfied(int64(v.Satisfaction)) && v.Solved != "no" {
		w.finish()
		w.msg = "感谢评价，工单已办结。"
		return
	}
	t.Status = ToRecheck
	t.ClosedAt = 0
	w.s.startClock(w, ClockRecheck, nil, w.now, 0)
	w.msg = "评价已收到，将由专人复核。"
}

// evaluateWindow is how long after 办结 the citizen may evaluate.
const evaluateWindow = 15 * 24 * 3600 * 1000

func guardEvaluateWindow(w *work) error {
	if w.t.ClosedAt > 0 && w.now > w.t.ClosedAt+evaluateWindow {
		return fault.Conflict("evaluation_over", "办结已超过15天，评价已截止；如问题仍在，请重新反映。")
	}
	if a := w.t.Detail.Auditor; a != nil && a.Result == "uphold" && w.t.Leg > 1 {
		return fault.Conflict("evaluation_over", "该诉求已作最终答复。")
	}
	return nil
}

// doEvaluate (评价) is the citizen's own word on the progress page; the latest counts.
func doEvaluate(w *work) error {
	level, _ := intOf(w.in.Str("citizen_satisfaction"))
	reasons := w.in.Strs("dissatisfied")
	if !satisfied(level) && len(reasons) == 0 {
		return fault.Invalid("reason_needed", "请说明不满意的原因。").At(fault.Field{Name: "dissatisfied", Detail: "请选择不满意的原因。"})
	}
	if w.t.Detail.Citizen != nil && w.t.Detail.Citizen.Outcome == "reached" {
		w.data["again"] = 1
	}
	solved := w.in.Str("citizen_solved2")
	if solved == "" {
		solved = map[bool]string{true: "yes", false: "no"}[satisfied(level)]
	}
	w.say("evaluation", w.in.Str("note"))
	w.verdict(&CitizenVerdict{Outcome: "reached", Solved: solved, Satisfaction: int(level), Reasons: reasons, Way: "web", At: w.now})
	return nil
}

// guardNotHandlingOrg: whoever handles does not call back.
func guardNotHandlingOrg(w *work) error {
	for _, a := range w.t.Assignments {
		if a.Leg == w.t.Leg && a.Unit == w.actor.Unit {
			return fault.Forbidden("handler_calls_back", "承办单位不能回访自己承办的工单。")
		}
	}
	return nil
}

// doProposeExempt (提请免评): proposed by one person, decided by another; it
// leaves only satisfaction, never the other measures.
func doProposeExempt(w *work) error {
	w.t.Detail.Exempt = &Exempt{Reason: w.in.Str("exempt_reason"), By: w.actor.Account, At: w.now, State: "proposed", From: w.t.Status}
	w.say("legal", w.in.Str("legal"))
	w.say("reason", w.in.Str("reason"))
	w.data["reason"] = w.in.Str("exempt_reason")
	w.msg = "已提请免评，须由另一人审核。"
	return nil
}

func doDecideExempt(w *work) error {
	e := w.t.Detail.Exempt
	w.say("opinion", w.in.Str("opinion"))
	w.data["decision"], w.data["reason"] = w.in.Str("decision"), e.Reason
	e.Decider, e.State = w.actor.Account, "denied"
	if w.in.Str("decision") == "pass" {
		e.State = "approved"
		w.t.Detail.Citizen = &CitizenVerdict{Outcome: "exempt", At: w.now}
		w.finish()
		w.msg = "已同意免评，工单办结。"
		return nil
	}
	w.msg = "已不同意免评。"
	return nil
}

func guardNoExempt(w *work) error {
	if e := w.t.Detail.Exempt; e != nil && e.State == "proposed" {
		return fault.Conflict("request_pending", "已提请免评，正在审核。")
	}
	return nil
}

func guardExemptOther(w *work) error {
	e := w.t.Detail.Exempt
	if e == nil || e.State != "proposed" {
		return fault.Conflict("no_request", "没有待审核的免评申请。")
	}
	if e.By == w.actor.Account {
		return fault.Forbidden("not_your_own", "不能审核本人提请的免评。")
	}
	return nil
}
