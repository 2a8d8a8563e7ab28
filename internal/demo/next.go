package demo

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"

	"hotline/internal/access"
	"hotline/internal/dispatch"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// move is the step that a ticket waits for: who takes it and what he says.
type move struct {
	who   access.Actor
	act   ticket.Action
	label string
}

// errNothingLeft says that no role has anything to do on a ticket.
func errNothingLeft() error {
	return fault.Conflict("nothing_to_play", "这张工单已经走完流程，没有可以代演的步骤。")
}

// next finds the step that a ticket waits for, by the role and unit whose turn
// it is. The citizen it plays is satisfied.
func (f *Face) next(ctx context.Context, t *ticket.Ticket) (move, error) {
	owner := func(role access.Role) (access.Actor, error) { return f.people.named(ctx, t.Platform, role) }
	informant := t.Label == access.Informant
	switch t.Status {
	case ticket.Quarantined:
		return f.say(owner(access.Privacy))("release", "解除隔离", map[string]any{"reason": "经判定不涉及国家秘密和工作秘密。"})
	case ticket.Received, ticket.SeatFix:
		role := receiver(t.Label)
		fields := map[string]any{}
		if code, known := f.category(t); t.Category == "" && known {
			fields["category"] = code
		}
		return f.say(owner(role))("accept", "受理", fields)
	case ticket.ToDispatch:
		if t.Category == "" {
			code, known := f.category(t)
			if !known {
				return f.say(owner(access.Dispatcher))("reclassify", "暂列无法归类，待人工核对", map[string]any{"category": code, "reason": "诉求内容未能识别出事项，暂列“无法归类”，请核对后改类。"})
			}
			return f.say(owner(access.Dispatcher))("reclassify", "确定事项分类", map[string]any{"category": code, "reason": "按诉求内容确定事项分类。"})
		}
		return f.dispatch(ctx, t)
	case ticket.Handling:
		return f.handling(ctx, t)
	case ticket.ToClose:
		return f.say(owner(access.Dispatcher))("close", "办结审核通过", map[string]any{"close_decision": "pass", "opinion": "答复完整，同意办结。"})
	case ticket.ToCallback:
		role := access.Callback
		if informant {
			role = access.Cell
		}
		return f.say(owner(role))("callback", "电话回访", map[string]any{"outcome": "reached", "contacted": "yes", "citizen_solved": "yes", "satisfaction": "5", "note": thanks(t.Type)})
	case ticket.ToRecheck:
		role := access.Supervisor
		if informant {
			role = access.Dispatcher
		}
		if t.Leg >= 2 {
			return f.say(owner(role))("reopen", "复核，维持结论", map[string]any{"recheck_decision": "uphold", "verdict_text": "已重办并复核，结论符合规定，已向诉求人说明。"})
		}
		return f.say(owner(role))("reopen", "复核，发回重办", map[string]any{"recheck_decision": "reopen", "verdict_text": "诉求人反映问题未解决，发回重办。"})
	case ticket.Merged:
		return move{}, fault.Conflict("nothing_to_play", "这张工单已并入主单，请到主单继续。")
	}
	return move{}, errNothingLeft()
}

// say makes a move of an actor that may not have been found.
func (f *Face) say(who access.Actor, err error) func(name, label string, fields map[string]any) (move, error) {
	return func(name, label string, fields map[string]any) (move, error) {
		return move{who, ticket.Action{Name: name, Fields: fields}, label}, err
	}
}

// category is the best guess for a ticket that has none. A text that says
// nothing gives 无法归类 and false: whoever plays on must say so.
func (f *Face) category(t *ticket.Ticket) (code string, known bool) {
	if g := f.a.Insight.Classify(t.Platform, t.TitleR, t.ContentR, 1); len(g) > 0 {
		return g[0].Code, true
	}
	for _, c := range f.a.Ticket.Categories(t.Platform).All(3) {
		if c.Name == "无法归类" {
			return c.Code, false
		}
	}
	return "", false
}

// dispatch takes the suggestion of the 派单目录, or what the rules allow.
func (f *Face) dispatch(ctx context.Context, t *ticket.Ticket) (move, error) {
	who, err := f.people.named(ctx, t.Platform, access.Dispatcher)
	if err != nil {
		return move{}, err
	}
	n := ticket.Intake{Category: t.Category, Region: t.Region, Platform: t.Platform, Suggestion: t.Detail.Suggestion}
	if n.Suggestion == nil || n.Suggestion.Unit == 0 {
		if list := f.a.Dispatch.Suggest(dispatch.Question{Platform: t.Platform, Category: t.Category, Region: t.Region, At: f.a.Clock.Now(), P: 1}); len(list) > 0 {
			n.Suggestion = &list[0]
		}
	}
	u, ok := f.past.root(&n)
	if ok && f.returned(t, u.ID) {
		ok = false
	}
	if !ok {
		u, ok = f.another(t)
	}
	if !ok {
		return move{}, fault.Conflict("no_unit", "没有找到可以承办的单位，请由派单员选定。")
	}
	fields := map[string]any{"unit": u.ID}
	return move{who, ticket.Action{Name: "dispatch", Fields: fields, Decision: n.Suggestion}, "派单至" + u.Name}, nil
}

// returned tells whether a unit has handed the ticket back in this leg.
func (f *Face) returned(t *ticket.Ticket, unit int64) bool {
	return slices.ContainsFunc(t.Assignments, func(a *ticket.Assignment) bool { return a.Leg == t.Leg && a.Unit == unit && a.State == ticket.Returned })
}

// another is a department of the platform that has not handed the ticket back.
func (f *Face) another(t *ticket.Ticket) (org.Unit, bool) {
	for _, u := range f.a.Org.Tree().Children(t.Platform) {
		if (u.Kind == org.KindDepartment || u.Kind == org.KindEnterprise) && !f.returned(t, u.ID) {
			return u, true
		}
	}
	return org.Unit{}, false
}

// handling finds the node whose turn it is: what was asked is decided first,
// co-handlers before the 主办, and the deepest node before those above it.
func (f *Face) handling(ctx context.Context, t *ticket.Ticket) (move, error) {
	for _, r := range t.Requests {
		a := t.Assignment(r.Assignment)
		if r.State == "pending" && a != nil && a.Leg == t.Leg && a.Alive() {
			return f.decideRequest(ctx, t, a, r)
		}
	}
	open := t.Open()
	slices.SortStableFunc(open, func(x, y *ticket.Assignment) int {
		if x.Role != y.Role {
			if x.Role == ticket.RoleAssist {
				return -1
			}
			return 1
		}
		return y.Depth - x.Depth
	})
	for _, a := range open {
		if m, ok, err := f.node(ctx, t, a); ok || err != nil {
			return m, err
		}
	}
	return move{}, errNothingLeft()
}

// node is the step of one node; false when it waits for another.
func (f *Face) node(ctx context.Context, t *ticket.Ticket, a *ticket.Assignment) (move, bool, error) {
	u, _ := f.a.Org.Tree().Get(a.Unit)
	as := func(role access.Role, name, label string, fields map[string]any) (move, bool, error) {
		who, err := f.people.named(ctx, a.Unit, role)
		return move{who, ticket.Action{Name: name, Assignment: a.ID, Fields: fields}, label}, true, err
	}
	switch a.State {
	case ticket.ToSign:
		return as(workerRole(u), "sign", u.Name+"签收", nil)
	case ticket.Suspended:
		return as(workerRole(u), "resume", u.Name+"恢复办理", map[string]any{"note": "挂起原因已消除，恢复办理。"})
	case ticket.InHand:
		if u.Kind == org.KindCounty && a.Role == ticket.RoleMain {
			if below, ok := f.past.below(t.Category, t.Region, u); ok && !f.returned(t, below.ID) {
				return as(workerRole(u), "delegate", "下派至"+below.Name, map[string]any{"unit": below.ID, "note": "请按职责办理，按时反馈。"})
			}
		}
		if a.Role == ticket.RoleMain && a.Contacts == 0 && t.MaskPhone != "" && t.Secrecy != ticket.SecrecyAnonymous {
			way, result, note := "phone", "reached", "已电话联系诉求人，核实情况，说明处理安排。"
			if t.Secrecy == ticket.SecrecyUnit || t.Label != access.Normal {
				way, result, note = "relay", "no_answer", "请问现场情况是否仍然存在，有无补充？"
			}
			return as(workerRole(u), "contact", u.Name+"联系诉求人", map[string]any{"way": way, "contact_result": result, "contact_note": note})
		}
		return as(workerRole(u), "reply", u.Name+"答复", f.answer(ctx, t, a, u))
	case ticket.ToReview:
		role := judgeRole(u)
		if a.Reply != nil {
			for _, r := range []access.Role{role, access.UnitLead, access.Province} {
				if who, err := f.people.named(ctx, a.Unit, r); err == nil && who.Account != a.Reply.By {
					role = r
					break
				}
			}
		}
		return as(role, "review", u.Name+"审核通过", map[string]any{"review_decision": "pass", "opinion": "情况属实，同意答复。"})
	}
	return move{}, false, nil
}

// decideRequest has whose turn it is decide what a unit asked for.
func (f *Face) decideRequest(ctx context.Context, t *ticket.Ticket, a *ticket.Assignment, r *ticket.Request) (move, error) {
	unit := t.Decider(a, r.Kind)
	u, _ := f.a.Org.Tree().Get(unit)
	who, err := f.people.named(ctx, unit, judgeRole(u))
	m := move{who: who, act: ticket.Action{Assignment: a.ID, Fields: map[string]any{"decision": "pass", "opinion": "情况属实，同意。"}}}
	switch r.Kind {
	case ticket.ReqExtension:
		m.act.Name, m.label = "decide-extension", "同意延期"
	case ticket.ReqSuspension:
		m.act.Name, m.label = "decide-suspension", "同意挂起"
	default:
		m.act.Name, m.label = "decide-return", "同意退单"
		if t.Returns >= 2 { // the dispute ends here: the unit stays
			m.act.Fields["decision"], m.act.Fields["opinion"] = "reject", "会商认定由你单位首办，请继续办理。"
			m.act.Fields["consult_units"] = []any{a.Unit, cmp.Or(r.Suggested, unit)}
			m.label = "不同意退单"
		}
	}
	return m, err
}

// answer is the reply of a unit in the words that fit the matter.
func (f *Face) answer(ctx context.Context, t *ticket.Ticket, a *ticket.Assignment, u org.Unit) map[string]any {
	if a.Role == ticket.RoleAssist {
		return map[string]any{"mode": "explained", "solved": "yes", "truth": "true", "reply_text": u.Name + "已配合核查，就本单位职责范围内的事项提出意见，反馈主办单位统一答复。"}
	}
	solved := "yes"
	mode, text := f.spoken(ctx, t)
	if d, ok := f.past.about(rand.New(rand.NewPCG(uint64(t.ID), 3)), f.a.Clock.Now(), cityOf(t.Region), t.Category, t.Type); ok && t.Detail.Demo && !t.Detail.Visitor {
		mode, solved, text = d.reply(t.Type)
	}
	fields := map[string]any{"mode": mode, "solved": solved, "truth": "true", "reply_text": text}
	if solved != "yes" {
		fields["unsolved_reason"] = unsolvedReasons[0]
	}
	if mode == "case" || mode == "unlawful" {
		fields["legal"] = f.past.basis(&ticket.Intake{Category: t.Category, Platform: t.Platform})
	}
	var points []ticket.Point
	for _, p := range t.Detail.Points {
		if p.State == "open" {
			points = append(points, ticket.Point{No: p.No, Result: "已核实处理，详见答复内容。"})
		}
	}
	if len(points) > 0 {
		fields["point_results"] = points
	}
	return fields
}

// cityOf is the city whose townships lend their names to texts about a place.
func cityOf(code string) string {
	if c := region.City(code); c != "" && c != region.ProvinceCode {
		return c
	}
	return region.Cities()[0].Code
}

// take plays a move as its actor and tells what was done.
func (f *Face) take(ctx context.Context, t *ticket.Ticket, m move) (ticket.Result, error) {
	m.act.Version = t.Version
	return f.a.Ticket.Do(ctx, m.who, t.ID, m.act)
}

// receiver is who takes up a request that came by the web (受理): any seat, but
// for a 举报.
func receiver(l access.Label) access.Role {
	if l == access.Normal || l == access.Confidential {
		return access.Agent
	}
	return access.Dispatcher
}
