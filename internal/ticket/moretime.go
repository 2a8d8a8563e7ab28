package ticket

import (
	"slices"
	"time"

	"hotline/internal/calendar"
	"hotline/internal/fault"
)

// 延期 and 挂起: a unit asks for more time, or that its clock stand still. Who
// delegated the work decides. What reaches beyond that node's own deadline
// climbs, once agreed, to who set it (逐级审核), and moves every deadline on the
// way; the platform alone moves what the citizen was told.

// ClockSuspended runs while a node is suspended; at its end work resumes.
const ClockSuspended = "挂起"

// line is a node and those above it whose deadlines bound its own, up to the
// 主办 under the platform; it ends at a 协办, which has a limit of its own.
func (t *Ticket) line(a *Assignment) []*Assignment {
	line := []*Assignment{a}
	for a.Role == RoleMain && a.Parent != 0 {
		a = t.Assignment(a.Parent)
		line = append(line, a)
	}
	return line
}

// Decider is the unit whose turn it is to decide what a node asks for.
func (t *Ticket) Decider(a *Assignment, kind string) int64 {
	if r := t.pending(a.ID, kind); kind != "" && r != nil && r.Level != 0 {
		a = t.Assignment(r.Level)
	}
	return t.authority(a)
}

// setDue moves a node's deadline, and with the 主办's what the citizen was told.
func (w *work) setDue(a *Assignment, due int64) {
	a.Due, a.dirty = due, true
	if a.Parent != 0 || a.Role != RoleMain {
		return
	}
	w.t.Due = due
	if l := w.t.leg(); l != nil {
		l.Due = due
	}
}

// climbs passes an agreed request up the line, unless who decided is the last
// that it takes.
func (w *work) climbs(r *Request, line []*Assignment, kind string) bool {
	next := 1 + max(0, slices.IndexFunc(line, func(a *Assignment) bool { return a.ID == r.Level }))
	if next >= len(line) {
		return false
	}
	r.State, r.Decider, r.DecidedAt, r.Level = "pending", 0, 0, line[next].ID
	unit := w.t.authority(line[next])
	w.s.startClock(w, kind, w.a, w.now, 0).Unit = unit
	delete(w.data, "decision")
	w.data["raised"], w.data["notice"] = unit, ""
	w.msg = "已同意，报" + unitLine(w, unit) + "审核。"
	return true
}

// doExtend (申请延期) asks for more time, before the deadline and at most twice.
func doExtend(w *work) error {
	days := int(w.in.Int("days"))
	if _, _, err := w.stretch(days); err != nil {
		return err
	}
	w.request(ReqExtension, "", days, 0)
	w.say("extend", w.in.Str("reason"))
	w.msg = "延期申请已提交，待上级审核。"
	return nil
}

// stretch is the deadline (ms) that so many working days more give the node, and
// the nodes up the line that it moves.
func (w *work) stretch(days int) (line []*Assignment, due int64, err error) {
	c := w.t.clock(ClockHandle, w.a.ID)
	if c == nil {
		return nil, 0, fault.Conflict("wrong_state", "办理时限已结束，不能延期。")
	}
	cal := w.s.calendarAt(w.t.Platform, timeOf(w.now))
	// A minute before closing, so that the day after the old deadline is the first.
	due = cal.Due(timeOf(c.Due).Add(-time.Minute), workdays(days)).UnixMilli()
	line = w.t.line(w.a)
	if n := slices.IndexFunc(line, func(a *Assignment) bool { return a.Due >= due }); n > 0 {
		line = line[:n]
	}
	for _, a := range line {
		if a.Extensions >= 2 {
			return nil, 0, fault.Conflict("extension_used_up", "%s对这张工单已延期两次，不能再延。", unitLine(w, a.Unit))
		}
	}
	if top := line[len(line)-1]; top.Role == RoleAssist {
		limit := w.t.Due
		if p := w.t.Assignment(top.Parent); p != nil {
			limit = p.Due
		}
		if limit > 0 && due > limit {
			return nil, 0, fault.Conflict("extension_beyond", "协办的期限不能超过主办的办理期限（%s），请缩短延长天数，或由主办单位申请延期。", dueText(w.now, limit)).At(fault.Field{Name: "days", Detail: "请缩短延长天数。"})
		}
	}
	return line, due, nil
}

// doDecideExtension (审核延期) moves the deadline; the citizen is told why and until when.
func doDecideExtension(w *work) error {
	r := w.t.pending(w.a.ID, ReqExtension)
	if !w.decide(r) {
		w.data["notice"] = ""
		w.msg = "已不同意延期。"
		return nil
	}
	line, due, err := w.stretch(r.Days)
	if err != nil {
		return err
	}
	if w.climbs(r, line, ClockExtend) {
		return nil
	}
	w.data["due_was"], w.data["due"] = w.a.Due, due
	told := w.t.Due
	for _, a := range line {
		if c := w.t.clock(ClockHandle, a.ID); c != nil {
			c.Due, c.Stage = due, min(c.Stage, 80)
			c.schedule()
		}
		a.Extensions++
		w.setDue(a, due)
	}
	if w.t.Due != told {
		w.data["whole"] = 1
		if l := w.t.leg(); l != nil {
			l.Extended++
		}
	} else {
		w.data["notice"] = "" // what the citizen was told still holds
	}
	w.msg = "已同意延期至" + dueText(w.now, due) + "。"
	return nil
}

// doSuspend (申请挂起) asks to stop the unit's clock for a listed reason.
func doSuspend(w *work) error {
	w.request(ReqSuspension, w.in.Str("suspend_reason"), int(w.in.Int("suspend_days")), 0)
	w.say("suspend", w.in.Str("reason"))
	w.msg = "挂起申请已提交，待上级审核。"
	return nil
}

// doDecideSuspension (审核挂起) pauses the clocks of the unit and of those above it
// until the cap; till then they show the deadline that the whole pause would
// give. The age that the citizen sees never stops.
func doDecideSuspension(w *work) error {
	r := w.t.pending(w.a.ID, ReqSuspension)
	if !w.decide(r) {
		w.data["notice"] = ""
		w.msg = "已不同意挂起。"
		return nil
	}
	line := w.t.line(w.a)
	if w.climbs(r, line, ClockSuspend) {
		return nil
	}
	w.a.Prior = w.a.State
	w.a.move(Suspended)
	until := w.now + int64(r.Days)*24*3600*1000
	for _, a := range line {
		if c := w.pauseClock(a); c != nil {
			w.setDue(a, w.s.dueAfter(w, c, until))
		}
	}
	w.s.startClock(w, ClockSuspended, w.a, w.now, until)
	w.data["days"] = r.Days
	w.msg = "已同意挂起。"
	return nil
}

// doResume (恢复办理) lets the unit's clock run again.
func doResume(w *work) error {
	w.stopClock(ClockSuspended, w.a.ID)
	w.say("note", w.in.Str("note"))
	w.msg = "已恢复办理。"
	return w.resume("resume")
}

// resume lets the clocks of the node's line run again, but those above another
// node that is suspended yet.
func (w *work) resume(reason string) error {
	for _, a := range w.t.line(w.a) {
		if slices.ContainsFunc(w.t.Assignments, func(x *Assignment) bool {
			return x.Leg == a.Leg && x.State == Suspended && slices.Contains(w.t.line(x), a)
		}) {
			return nil
		}
		if err := w.s.resumeClock(w, a, reason); err != nil {
			return err
		}
	}
	return nil
}

func guardExtendLimit(w *work) error {
	if w.a.Extensions >= 2 {
		return fault.Conflict("extension_used_up", "这张工单已延期两次，不能再延。")
	}
	c := w.t.clock(ClockHandle, w.a.ID)
	if c == nil {
		return fault.Conflict("wrong_state", "办理时限已结束，不能延期。")
	}
	if most := longest(c.Limit); int(w.in.Int("days")) > most {
		return fault.Invalid("extension_too_long", "每次延期不得超过原时限（%s），最多延长%d个工作日。", c.Limit, most).At(fault.Field{Name: "days", Detail: "请缩短延长天数。"})
	}
	return nil
}

// longest is how many working days an extension may have: no more than the limit
// itself, and a day where that is shorter.
func longest(l calendar.Limit) int {
	switch l.Unit {
	case calendar.Workday, calendar.DayUnit:
		return max(1, l.N)
	case calendar.HourUnit:
		return max(1, l.N/24)
	}
	return 1
}

func guardBeforeDue(w *work) error {
	if w.a.Due > 0 && w.now > w.a.Due {
		return fault.Conflict("extension_too_late", "已过办理时限，不能再申请延期。")
	}
	return nil
}
