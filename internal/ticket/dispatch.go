package ticket

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/category"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/org"
)

// step runs the effect of one action; by then the edge's state change and
// clock effects have been applied.
type step func(*work) error

// guard refuses an action for a reason of the business.
type guard func(*work) error

var (
	steps  map[string]step
	guards map[string]guard
)

func init() {
	steps = map[string]step{
		"accept": doAccept, "answer": doAnswer, "dispatch": doDispatch, "sendback": doSendback, "transfer": doTransfer, "redirect": doRedirect,
		"invalidate": doInvalidate, "release": doRelease, "sign": doSign, "contact": doContact, "delegate": doDelegate, "assist": doAssist,
		"return": doReturn, "decide-return": doDecideReturn, "extend": doExtend, "decide-extension": doDecideExtension, "suspend": doSuspend,
		"decide-suspension": doDecideSuspension, "resume": doResume, "reply": doReply, "review": doReview, "close": doClose, "callback": doCallback,
		"evaluate": doEvaluate, "propose-exempt": doProposeExempt, "decide-exempt": doDecideExempt, "reopen": doReopen, "urge": doUrge, "supervise": doSupervise,
		"escalate": doEscalate, "merge": doMerge, "unmerge": doUnmerge, "split": doSplit, "reclassify": doReclassify, "relabel": doRelabel,
		"withdraw": doWithdraw, "supplement": doSupplement, "relay": doRelay, "note": doNote, "deadline": doDeadline, "redate": doRedate,
	}
	guards = map[string]guard{
		"category_set": guardCategorySet, "level_allowed": guardLevelAllowed, "town_allowed": guardTownAllowed, "conflict_free": guardConflictFree,
		"not_dispatched": guardNotDispatched, "inside_scope": guardInsideScope, "main_only": guardMainOnly, "relay_only_when_hidden": guardRelayOnly,
		"return_in_time": guardReturnInTime, "return_once": guardReturnOnce, "no_open_children": guardNoOpenChildren, "not_self": guardNotSelf,
		"extend_limit": guardExtendLimit, "before_due": guardBeforeDue, "no_pending": guardNoPending, "pending_extension": guardPending(ReqExtension),
		"pending_suspension": guardPending(ReqSuspension), "assists_answered": guardAssists, "points_answered": guardPoints, "contacted_or_reason": guardContacted,
		"law_cited": guardLawCited, "reviewer_apart": guardReviewerApart, "not_handling_org": guardNotHandlingOrg, "evaluate_window": guardEvaluateWindow,
		"no_exempt": guardNoExempt, "exempt_proposed_by_other": guardExemptOther, "main_open": guardMainOpen, "same_secrecy": guardSameSecrecy,
		"points_left": guardPointsLeft, "something_changes": guardSomethingChanges, "two_persons_down": guardRelabel,
	}
}

// doDispatch (派单) opens the 主办 and 协办 assignments. The decision that led
// here comes with the action and is kept with its rule and catalogue version.
func doDispatch(w *work) error {
	t := w.t
	unit, ok := w.tree.Get(w.in.Int("unit"))
	if !ok || !unit.Active {
		return fault.Invalid("unit_unknown", "承办单位不存在或已停用。").At(fault.Field{Name: "unit", Detail: "承办单位不存在或已停用。"})
	}
	if u := w.in.Str("urgency"); u != "" {
		t.Urgency = u
	}
	if n := w.in.Str("nature"); n != "" && n != t.Nature {
		if n != "普通" && w.in.Str("legal") == "" {
			return fault.Invalid("legal_basis_needed", "认定为“%s”须写明法律依据。", n).At(fault.Field{Name: "legal", Detail: "请写明法律依据。"})
		}
		t.Nature = n
	}
	w.say("legal", w.in.Str("legal"))
	w.say("note", w.in.Str("note"))
	a := w.assign(nil, unit.ID, RoleMain)
	for _, id := range w.in.Ints("assists") {
		if id == unit.ID {
			return fault.Invalid("assist_is_main", "协办单位不能与主办单位相同。")
		}
		u, ok := w.tree.Get(id)
		if !ok || !u.Active {
			return fault.Invalid("unit_unknown", "协办单位不存在或已停用。")
		}
		if err := w.mayHelp(u, "assists"); err != nil {
			return err
		}
		w.assign(nil, id, RoleAssist)
	}
	if t.Dispatched == 0 {
		t.Dispatched = w.now
		w.data["first"] = 1
	}
	t.Unit, t.Dispute = unit.ID, ""
	if w.act.Decision != nil {
		t.Detail.Dispatch = w.act.Decision
	} else if sug := t.Detail.Suggestion; sug != nil && sug.Unit == unit.ID {
		t.Detail.Dispatch = sug
	} else {
		t.Detail.Dispatch = &Suggestion{Unit: unit.ID, Confidence: 1, Why: "派单员选定"}
	}
	w.openLeg(unit.ID)
	w.data["unit"], w.data["due"], w.data["as"] = unit.ID, t.Due, ToSign
	if sug := t.Detail.Suggestion; sug != nil {
		w.data["adopted"] = flag(sug.Unit == unit.ID)
	}
	w.a = a
	w.msg = fmt.Sprintf("已派发至%s，办理时限%s。", unit.Name, calendar.Display(timeOf(w.now), timeOf(t.Due)))
	return nil
}

// openLeg opens the record of the current leg once.
func (w *work) openLeg(unit int64) {
	t := w.t
	if n := len(t.Detail.Legs); n > 0 && t.Detail.Legs[n-1].No == t.Leg {
		t.Detail.Legs[n-1].Unit = unit
		return
	}
	t.Detail.Legs = append(t.Detail.Legs, Leg{No: t.Leg, Opened: w.now, Due: t.Due, Unit: unit})
}

// leg gives the record of the current leg, nil before dispatch.
func (t *Ticket) leg() *Leg {
	if n := len(t.Detail.Legs); n > 0 && t.Detail.Legs[n-1].No == t.Leg {
		return &t.Detail.Legs[n-1]
	}
	return nil
}

// assign adds a node under parent (nil: the platform) and starts its clocks.
// A node that replaces a returned one inherits the deadline: 退单 and 改派
// never reset the clock. 协办 has half the time.
func (w *work) assign(parent *Assignment, unit int64, role string) *Assignment {
	t := w.t
	a := &Assignment{ID: w.tx.NewID(), Ticket: t.ID, Leg: t.Leg, Unit: unit, Role: role, State: ToSign, Created: w.now, fresh: true}
	due := t.Due
	if parent != nil {
		a.Parent, a.Depth, due = parent.ID, parent.Depth+1, parent.Due
	}
	t.Assignments = append(t.Assignments, a)
	w.s.startClock(w, ClockSign, a, w.now, 0)
	if role == RoleMain {
		w.s.startClock(w, ClockContact, a, w.now, 0)
	}
	started := w.now
	if role == RoleAssist && due > 0 {
		due = w.halfDue(due)
	}
	c := w.s.startClock(w, ClockHandle, a, started, due)
	if role == RoleAssist && due == 0 {
		c.Due = w.halfDue(c.Due)
		c.schedule()
	}
	a.Due = c.Due
	if role == RoleMain && parent == nil && t.Due == 0 {
		t.Due = c.Due
	}
	return a
}

// halfDue is half of the time until due; for a limit in working days it still
// ends at the close of a working day.
func (w *work) halfDue(due int64) int64 {
	lim := w.s.limitFor(w.t, ClockHandle)
	cal := w.s.calendarAt(w.t.Platform, timeOf(w.now))
	if lim.Unit == calendar.Workday && lim.N > 1 {
		half := clock.Millis(cal.Due(timeOf(w.now), calendar.Limit{N: lim.N / 2, Unit: lim.Unit}))
		if half < due {
			return half
		}
		return due
	}
	return w.now + (due-w.now)/2
}

// doDelegate (下派) hands the work to a unit below; the node waits for its reply.
func doDelegate(w *work) error {
	unit, _ := w.tree.Get(w.in.Int("unit"))
	w.say("note", w.in.Str("note"))
	w.assign(w.a, unit.ID, RoleMain)
	w.data["unit"] = unit.ID
	w.msg = "已下派至" + unit.Name + "。"
	return nil
}

// doAssist (转协办) adds a 协办 beside the 主办.
func doAssist(w *work) error {
	unit, ok := w.tree.Get(w.in.Int("assist_unit"))
	if !ok || !unit.Active || unit.ID == w.a.Unit {
		return fault.Invalid("unit_unknown", "请选择另一个在用的单位作为协办单位。").At(fault.Field{Name: "assist_unit", Detail: "请选择另一个在用的单位。"})
	}
	if err := w.mayHelp(unit, "assist_unit"); err != nil {
		return err
	}
	for _, a := range w.t.Open() {
		if a.Unit == unit.ID {
			return fault.Conflict("assist_exists", "%s已在承办或协办这张工单。", unit.Name)
		}
	}
	w.say("note", w.in.Str("note"))
	w.assign(w.t.Assignment(w.a.Parent), unit.ID, RoleAssist)
	w.data["unit"] = unit.ID
	w.msg = "已请" + unit.Name + "协办。"
	return nil
}

func guardCategorySet(w *work) error {
	if w.t.Category == "" {
		return fault.Invalid("category_needed", "请先确定事项分类再派单。").At(fault.Field{Name: "category", Detail: "请先改类，选定事项分类。"})
	}
	return nil
}

// guardLevelAllowed keeps matters that a functional department must handle
// from being pushed down (国办函〔2025〕66号: 应由职能部门办理的不得分派给基层).
func guardLevelAllowed(w *work) error {
	unit, ok := w.tree.Get(w.in.Int("unit"))
	if !ok || !unit.Active {
		return fault.Invalid("unit_unknown", "承办单位不存在或已停用。").At(fault.Field{Name: "unit", Detail: "请选择在用的单位。"})
	}
	return w.levelAllowed(unit, "unit")
}

func (w *work) levelAllowed(unit org.Unit, field string) error {
	c, known := w.s.categories(w.t.Platform, w.t.AcceptedAt()).Get(w.t.Category)
	if known && (c.Lowest == category.City || c.Lowest == category.Province) && (unit.Kind == "county" || unit.Kind == "county_department") {
		return fault.Invalid("level_too_low", "“%s”应由市级部门办理，不能下派到县区。", c.Name).At(fault.Field{Name: field, Detail: "请改派市级部门。"})
	}
	return nil
}

// guardTownAllowed checks a town against its 履职事项清单, in the
// classification under which the ticket began.
func guardTownAllowed(w *work) error {
	unit, _ := w.tree.Get(w.in.Int("unit"))
	return w.townAllowed(unit, "unit")
}

func (w *work) townAllowed(unit org.Unit, field string) error {
	tree := w.s.categories(w.t.Platform, w.t.AcceptedAt())
	if unit.Kind != "town" || tree.TownMay(w.t.Category) {
		return nil
	}
	return fault.Invalid("town_not_listed", "“%s”不在乡镇（街道）履职事项清单内，应由职能部门办理，不能派给%s。", tree.PathName(w.t.Category), unit.Name).At(fault.Field{Name: field, Detail: "请改派职能部门。"})
}

// guardConflictFree keeps a ticket away from the unit that it accuses.
func guardConflictFree(w *work) error {
	unit, _ := w.tree.Get(w.in.Int("unit"))
	return w.conflictFree(unit, "unit")
}

// conflictFree refuses the accused unit, and everything below it, a 举报 and what
// is to be kept from the accused (对被反映人保密).
func (w *work) conflictFree(unit org.Unit, field string) error {
	if unit.ID == 0 || w.t.Label != access.Informant && w.t.Secrecy != SecrecyAccused {
		return nil
	}
	body, err := w.s.openBody(w.t)
	if err != nil || body.Object == "" {
		return err
	}
	for _, u := range append(w.tree.Ancestors(unit.ID), unit) {
		if accuses(body.Object, u) {
			return fault.Forbidden("conflict_of_interest", "被反映的单位及其下属单位不能承办、协办这件诉求，请改派其上级或其他单位。").At(fault.Field{Name: field, Detail: "请选择其他单位。"})
		}
	}
	return nil
}

// accuses tells whether a 被反映对象 names a unit, by its name or by a short one
// that is not a word of many (a town's may be the name of a village).
func accuses(object string, u org.Unit) bool {
	return strings.Contains(object, u.Name) || u.Short == object && len(u.Short) > 6 || utf8.RuneCountInString(u.Short) >= 5 && strings.Contains(object, u.Short)
}

// mayHelp refuses a unit that may not co-handle (协办) the ticket.
func (w *work) mayHelp(unit org.Unit, field string) error {
	if err := w.townAllowed(unit, field); err != nil {
		return err
	}
	return w.conflictFree(unit, field)
}

// mayTake refuses a unit that may not have the part of a ticket that another
// returned.
func (w *work) mayTake(unit org.Unit, role, field string) error {
	if role == RoleMain {
		if err := w.levelAllowed(unit, field); err != nil {
			return err
		}
	}
	return w.mayHelp(unit, field)
}

func guardNotDispatched(w *work) error {
	if w.t.Dispatched != 0 {
		return fault.Conflict("already_dispatched", "已派过单的工单不能退回座席补正。")
	}
	return nil
}

// guardInsideScope lets a node delegate only to units below it.
func guardInsideScope(w *work) error {
	to := w.in.Int("unit")
	if to == w.a.Unit || !w.tree.Under(w.a.Unit, to) {
		return fault.Invalid("outside_scope", "只能下派给本级管辖范围内的单位。").At(fault.Field{Name: "unit", Detail: "请选择下级单位。"})
	}
	return nil
}

func guardMainOnly(w *work) error {
	if w.a.Role != RoleMain {
		return fault.Conflict("main_only", "只有主办环节可以转协办。")
	}
	return nil
}
