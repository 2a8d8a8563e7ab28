package ticket

import (
	"fmt"
	"slices"

	"hotline/internal/calendar"
	"hotline/internal/fault"
)

func workdays(n int) calendar.Limit { return calendar.Limit{N: n, Unit: calendar.Workday} }

// ReturnWindow is the time in which a unit may ask to return a ticket, counted
// from its dispatch, and for a node that delegated it from when it came back;
// later it is the 首办单位.
var ReturnWindow = workdays(1)

// doReturn (申请退单) sends the ticket back to the node that delegated it, with
// reason, basis and a suggested unit. The clocks run on. A node that passes
// upward what was returned to it adds none to the 退单 of the ticket.
func doReturn(w *work) error {
	w.a.Prior = w.data["from"].(string)
	w.a.Returns++
	passes := w.t.cameBack(w.a) > 0
	if !passes {
		w.t.Returns++
		if l := w.t.leg(); l != nil {
			l.Returns++
		}
	}
	w.request(ReqReturn, w.in.Str("return_reason"), 0, w.in.Int("suggested"))
	w.say("basis", w.in.Str("basis"))
	w.say("reason", w.in.Str("reason"))
	w.data["n"] = w.t.Returns
	switch { // 2nd 退单 → 会商, 3rd → 提级
	case passes:
		w.msg = "已申请退回上级，1个工作日内审核。"
	case w.t.Returns >= 3:
		w.t.Dispute, w.t.Escalated = "escalated", true
		w.msg = fmt.Sprintf("退单申请已提交；这是第%d次退单，已提级处理。", w.t.Returns)
	case w.t.Returns == 2:
		w.t.Dispute = "consult"
		w.msg = "退单申请已提交；这是第二次退单，转入会商。"
	default:
		w.msg = "退单申请已提交，1个工作日内审核。"
	}
	return nil
}

// doDecideReturn (审核退单) lets the ticket go back, at once to another unit if
// one is named, or keeps it where it is (强派); a denied one counts as 不当退单.
func doDecideReturn(w *work) error {
	r := w.t.pending(w.a.ID, ReqReturn)
	if r == nil {
		return fault.Conflict("no_request", "没有待审核的退单申请。")
	}
	w.data["reason"] = r.Reason
	if err := w.consult(); err != nil {
		return err
	}
	if !w.decide(r) {
		w.a.move(w.a.Prior)
		w.a.Denied++
		w.a.First = 1
		w.settled()
		w.msg = "已不同意退单，由" + unitLine(w, w.a.Unit) + "继续办理。"
		return nil
	}
	w.a.move(Returned)
	w.stopClock("*", w.a.ID)
	to := w.in.Int("redispatch")
	parent := w.t.Assignment(w.a.Parent)
	if to == 0 {
		if parent != nil {
			w.settled()
			parent.move(InHand)
			w.msg = "已同意退单，请重新下派。"
			return nil
		}
		if w.a.Role == RoleAssist {
			w.settled()
			w.msg = "已同意协办单位退单。"
			return nil
		}
		w.t.Status = ToDispatch
		w.t.Unit = 0
		w.s.startClock(w, ClockDispatch, nil, w.now, 0)
		w.msg = "已同意退单，转回待派单。"
		return nil
	}
	unit, ok := w.tree.Get(to)
	if !ok || !unit.Active || to == w.a.Unit {
		return fault.Invalid("unit_unknown", "改派单位不存在、已停用或就是退单单位。").At(fault.Field{Name: "redispatch", Detail: "请选择其他单位。"})
	}
	from := w.t.Platform
	if parent != nil {
		from = parent.Unit
	}
	if !w.tree.Under(from, to) {
		return fault.Invalid("outside_scope", "只能改派给本级管辖范围内的单位。").At(fault.Field{Name: "redispatch", Detail: "请选择下级单位。"})
	}
	if err := w.mayTake(unit, w.a.Role, "redispatch"); err != nil {
		return err
	}
	if w.t.returnedBy(to) {
		return fault.Conflict("already_returned", "%s已退过这张工单，请改派其他单位或会商。", unit.Name)
	}
	w.assign(parent, to, w.a.Role)
	w.settled()
	if parent == nil && w.a.Role == RoleMain {
		w.t.Unit, w.t.Dispute = to, ""
		if l := w.t.leg(); l != nil {
			l.Unit = to
		}
	}
	w.data["unit"] = to
	w.msg = "已同意退单并改派至" + unit.Name + "。"
	return nil
}

// cameBack is when a node last let a unit below it return the ticket, 0 if it never did.
func (t *Ticket) cameBack(a *Assignment) (at int64) {
	below := t.children(a)
	for _, r := range t.Requests {
		if r.Kind == ReqReturn && r.State == "approved" && slices.ContainsFunc(below, func(c *Assignment) bool { return c.ID == r.Assignment }) {
			at = max(at, r.DecidedAt)
		}
	}
	return at
}

// returnedBy tells whether a unit returned the ticket in this leg.
func (t *Ticket) returnedBy(unit int64) bool {
	return slices.ContainsFunc(t.Assignments, func(a *Assignment) bool { return a.Leg == t.Leg && a.Unit == unit && a.State == Returned })
}

// consult (会商) demands of whoever decides a second 退单 whom he consulted; what
// they concluded is his opinion. Rules published before have no such input.
func (w *work) consult() error {
	if w.t.Dispute != "consult" || !slices.Contains(w.edge.Fields, "consult_units") {
		return nil
	}
	units := w.in.Ints("consult_units")
	for _, id := range units {
		if _, ok := w.tree.Get(id); !ok {
			units = nil
		}
	}
	if len(units) == 0 {
		return fault.Invalid("consult_needed", "这是第二次退单，须会商后决定：请选择参加会商的单位，会商结论写在审核意见里。").
			At(fault.Field{Name: "consult_units", Detail: "请选择参加会商的单位。"})
	}
	w.data["consult"] = units
	return nil
}

// settled ends a 会商 that was decided.
func (w *work) settled() {
	if w.t.Dispute == "consult" {
		w.t.Dispute = ""
	}
}

func guardReturnInTime(w *work) error {
	cal := w.s.calendarAt(w.t.Platform, timeOf(w.now))
	if w.now > cal.Due(timeOf(max(w.a.Created, w.t.cameBack(w.a))), ReturnWindow).UnixMilli() {
		return fault.Conflict("return_too_late", "派单满1个工作日未退单的，由收单单位首办，不能再退单。")
	}
	if w.a.First != 0 {
		return fault.Conflict("return_denied_before", "退单申请已被驳回，应由本单位首办。")
	}
	return nil
}

func guardReturnOnce(w *work) error {
	for _, a := range w.t.Assignments {
		if a.Leg == w.t.Leg && a.Unit == w.a.Unit && a.Returns > 0 {
			return fault.Conflict("return_once", "每个单位对同一工单只能退单一次。")
		}
	}
	return nil
}
