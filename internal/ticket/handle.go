package ticket

import (
	"time"

	"hotline/internal/fault"
)

// ClockSuspended runs while a node is suspended; at its end work resumes.
const ClockSuspended = "挂起"

// doSign (签收) makes the actor the handler of the node.
func doSign(w *work) error {
	w.a.Handler, w.a.Signed, w.a.dirty = w.actor.Account, w.now, true
	for _, c := range w.t.Clocks {
		if c.Kind == ClockSign && c.Assignment == w.a.ID {
			w.data["ontime"] = flag(w.now <= c.Due)
		}
	}
	w.msg = "已签收。"
	return nil
}

// doContact (先行联系) records a contact with the 诉求人; a 热线中转 becomes a task.
func doContact(w *work) error {
	way, result := w.in.Str("way"), w.in.Str("contact_result")
	w.a.Contacts++
	if w.a.Contacted == 0 {
		w.a.Contacted = w.now
		w.data["first_contact"] = 1
	}
	w.a.dirty = true
	w.data["way"], w.data["result"] = way, result
	if way == "relay" {
		w.t.Detail.Relays = append(w.t.Detail.Relays, Relay{Assignment: w.a.ID, At: w.now})
		w.say("relay_out", w.in.Str("contact_note"))
		w.data["notice"] = "relay"
		w.msg = "已转热线中转，诉求人会在进度页看到，回访席也会联系。"
		return nil
	}
	w.say("contact", w.in.Str("contact_note"))
	w.msg = "联系情况已记录。"
	return nil
}

// doRelay carries the citizen's answer back to the unit.
func doRelay(w *work) error {
	for i := range w.t.Detail.Relays {
		if w.t.Detail.Relays[i].Done == 0 {
			w.t.Detail.Relays[i].Done = w.now
		}
	}
	w.say("relay_in", w.in.Str("text"))
	w.msg = "已转达承办单位。"
	return nil
}

// request files an application that the delegating node decides.
func (w *work) request(kind, reason string, days int, suggested int64) {
	r := &Request{ID: w.tx.NewID(), Ticket: w.t.ID, Assignment: w.a.ID, Kind: kind, State: "pending", Reason: reason, Days: days, Suggested: suggested,
		By: w.actor.Account, At: w.now, fresh: true}
	w.t.Requests = append(w.t.Requests, r)
	w.data["request"] = kind
	if reason != "" {
		w.data["reason"] = reason
	}
}

func (w *work) decide(r *Request) (approved bool) {
	approved = w.in.Str("decision") == "pass"
	r.State = "denied"
	if approved {
		r.State = "approved"
	}
	r.Decider, r.DecidedAt, r.dirty = w.actor.Account, w.now, true
	w.say("opinion", w.in.Str("opinion"))
	w.data["decision"] = w.in.Str("decision")
	return approved
}

// doExtend (申请延期) asks for more time, before the deadline and at most twice.
func doExtend(w *work) error {
	w.request(ReqExtension, "", int(w.in.Int("days")), 0)
	w.say("extend", w.in.Str("reason"))
	w.msg = "延期申请已提交，待上级审核。"
	return nil
}

// doDecideExtension (审核延期) moves the deadline; the citizen is told why and until when.
func doDecideExtension(w *work) error {
	r := w.t.pending(w.a.ID, ReqExtension)
	if !w.decide(r) {
		w.data["notice"] = ""
		w.msg = "已不同意延期。"
		return nil
	}
	cal := w.s.calendarAt(w.t.Platform, timeOf(w.now))
	c := w.t.clock(ClockHandle, w.a.ID)
	if c == nil {
		return fault.Conflict("wrong_state", "办理时限已结束，不能延期。")
	}
	old := c.Due
	// A minute before closing, so that the day after the old deadline is the first.
	c.Due = cal.Due(timeOf(old).Add(-time.Minute), workdays(r.Days)).UnixMilli()
	if c.Stage > 80 {
		c.Stage = 80
	}
	c.schedule()
	w.a.Due, w.a.dirty = c.Due, true
	w.a.Extensions++
	// The citizen-visible deadline follows the 主办 directly under the platform.
	if w.a.Parent == 0 && w.a.Role == RoleMain {
		w.t.Due = c.Due
		if l := w.t.leg(); l != nil {
			l.Due = c.Due
			l.Extended++
		}
	} else if p := w.t.Assignment(w.a.Parent); p != nil && p.Due < c.Due {
		w.data["beyond_parent"] = 1
		c.Due, w.a.Due = p.Due, p.Due
		c.schedule()
	}
	w.data["due_was"], w.data["due"] = old, c.Due
	w.msg = "已同意延期至" + dueText(w.now, c.Due) + "。"
	return nil
}

// doSuspend (申请挂起) asks to stop the unit's clock for a listed reason.
func doSuspend(w *work) error {
	w.request(ReqSuspension, w.in.Str("suspend_reason"), int(w.in.Int("suspend_days")), 0)
	w.say("suspend", w.in.Str("reason"))
	w.msg = "挂起申请已提交，待上级审核。"
	return nil
}

// doDecideSuspension (审核挂起) pauses the unit's clock until the cap; the age
// that the citizen sees never stops.
func doDecideSuspension(w *work) error {
	r := w.t.pending(w.a.ID, ReqSuspension)
	if !w.decide(r) {
		w.data["notice"] = ""
		w.msg = "已不同意挂起。"
		return nil
	}
	w.a.Prior = w.a.State
	w.a.move(Suspended)
	w.pauseClock(w.a)
	w.s.startClock(w, ClockSuspended, w.a, w.now, w.now+int64(r.Days)*24*3600*1000)
	w.data["days"] = r.Days
	w.msg = "已同意挂起。"
	return nil
}

// doResume (恢复办理) lets the unit's clock run again.
func doResume(w *work) error {
	w.stopClock(ClockSuspended, w.a.ID)
	w.say("note", w.in.Str("note"))
	w.msg = "已恢复办理。"
	return w.s.resumeClock(w, w.a, "resume")
}

func guardExtendLimit(w *work) error {
	if w.a.Extensions >= 2 {
		return fault.Conflict("extension_used_up", "这张工单已延期两次，不能再延。")
	}
	c := w.t.clock(ClockHandle, w.a.ID)
	if c == nil {
		return fault.Conflict("wrong_state", "办理时限已结束，不能延期。")
	}
	if max := c.Limit.N; c.Limit.Unit == "工作日" && int(w.in.Int("days")) > max {
		return fault.Invalid("extension_too_long", "每次延期不得超过原时限（%d个工作日）。", max).At(fault.Field{Name: "days", Detail: "请缩短延长天数。"})
	}
	return nil
}

func guardBeforeDue(w *work) error {
	if w.a.Due > 0 && w.now > w.a.Due {
		return fault.Conflict("extension_too_late", "已过办理时限，不能再申请延期。")
	}
	return nil
}

func guardNoPending(w *work) error {
	if w.t.pending(w.a.ID, "") != nil {
		return fault.Conflict("request_pending", "已有申请在审核中，请等待审核结果。")
	}
	return nil
}

func guardPending(kind string) guard {
	return func(w *work) error {
		if w.t.pending(w.a.ID, kind) == nil {
			return fault.Conflict("no_request", "没有待审核的申请。")
		}
		return nil
	}
}

// guardNotSelf: whoever asked does not decide.
func guardNotSelf(w *work) error {
	for _, r := range w.t.Requests {
		if r.Assignment == w.a.ID && r.State == "pending" && r.By == w.actor.Account {
			return fault.Forbidden("not_your_own", "不能审核本人提交的申请。")
		}
	}
	return nil
}

func guardNoOpenChildren(w *work) error {
	for _, c := range w.t.children(w.a) {
		if c.Alive() {
			return fault.Conflict("children_open", "下派的单位仍在办理，不能这样操作。")
		}
	}
	return nil
}
