package ticket

import (
	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/region"
)

// doMerge (并单) puts the ticket under a 主单. Its clocks freeze; caller, reply
// and evaluation stay its own.
func doMerge(w *work) error {
	t := w.t
	t.Detail.Frozen = &Frozen{Status: w.before, At: w.now}
	t.Main = w.in.Int("main")
	for _, c := range t.Clocks {
		if c.Running() {
			c.PausedAt = w.now
			c.schedule()
		}
	}
	w.say("note", w.in.Str("note"))
	w.data["main"] = t.Main
	w.msg = "已并入主单。"
	return nil
}

// doUnmerge (撤销并单) restores status and clocks as they were: the time spent
// merged counts, for nothing stops a citizen's waiting.
func doUnmerge(w *work) error {
	t := w.t
	if t.Detail.Frozen == nil {
		return fault.Conflict("wrong_state", "主单已办结，不能撤销并单。")
	}
	t.Status, t.Main = t.Detail.Frozen.Status, 0
	t.ClosedAt = 0
	for _, c := range t.Clocks {
		if c.Stopped == 0 && c.PausedAt >= t.Detail.Frozen.At {
			c.PausedAt = 0
			c.schedule()
		}
	}
	t.Detail.Frozen = nil
	w.say("reason", w.in.Str("reason"))
	w.msg = "已撤销并单，恢复为" + w.rules.StatusWord(t.Status) + "。"
	return nil
}

func guardMainOpen(w *work) error {
	id := w.in.Int("main")
	if id == w.t.ID {
		return fault.Invalid("merge_self", "不能并入自己。").At(fault.Field{Name: "main", Detail: "请选择另一张工单。"})
	}
	main, err := loadRow(w.tx, id)
	if err != nil {
		return fault.Invalid("main_unknown", "主单不存在。").At(fault.Field{Name: "main", Detail: "请重新选择。"})
	}
	if !w.s.covers(w.actor, main.stands) {
		return fault.Invalid("main_unknown", "主单不存在。").At(fault.Field{Name: "main", Detail: "请重新选择。"})
	}
	if Final(main.Status) || main.Status == ToCallback || main.Main != 0 {
		return fault.Conflict("main_closed", "主单已办结或已并入其他工单。")
	}
	if n, err := w.tx.Exec(`UPDATE ticket SET version = version WHERE id = $1 AND status = $2`, id, main.Status); err != nil || n == 0 {
		return fault.Conflict("main_closed", "主单刚刚发生变化，请重试。") // holds the row against a close in between
	}
	w.mainLabel = main.Label
	return nil
}

// guardSameSecrecy keeps an open ticket out of a sealed one; a sealed child of
// an open main is allowed and never shows there.
func guardSameSecrecy(w *work) error {
	if w.mainLabel == access.Informant && w.t.Label != access.Informant {
		return fault.Invalid("main_unknown", "主单不存在。").At(fault.Field{Name: "main", Detail: "请重新选择。"})
	}
	return nil
}

// doSplit (拆分) takes some 诉求点 into a new ticket with the same caller.
func doSplit(w *work) error {
	t := w.t
	body, err := w.s.openBody(t)
	if err != nil {
		return err
	}
	req, err := w.s.openRequester(t)
	if err != nil {
		return err
	}
	n := Intake{Type: t.Type, Category: t.Category, Region: t.Region, Title: body.Title, Content: body.Content, Address: body.Address, Object: body.Object,
		Requester: req, Secrecy: t.Secrecy, Urgency: t.Urgency, Channel: t.Channel, Line: t.Line, Platform: t.Platform, Status: ToDispatch, SplitOf: t.ID,
		Original: t.Original, Occurred: t.Occurred, Demo: t.Detail.Demo, Visitor: t.Detail.Visitor, NoticeVersion: t.Detail.Notice}
	for _, p := range w.in.Points("point_nos") {
		for i := range t.Detail.Points {
			if q := &t.Detail.Points[i]; q.No == p.No {
				q.State = "split"
				n.Points = append(n.Points, q.Text)
			}
		}
	}
	plat, _ := w.tree.Get(t.Platform)
	number, err := w.s.numbers.issueTx(w.tx, region.City(plat.Region), timeOf(w.now))
	if err != nil {
		return err
	}
	made, err := w.s.writeSplit(w, n, number)
	if err != nil {
		return err
	}
	w.made = made.ID
	w.say("note", w.in.Str("note"))
	w.data["to"] = made.ID
	w.msg = "已拆分为新工单" + Spoken(number) + "。"
	return nil
}

func (s *Service) writeSplit(w *work, n Intake, number string) (Created, error) {
	t := *w.t
	t.ID, t.Number, t.Version, t.Status, t.SplitOf = w.tx.NewID(), number, 1, ToDispatch, w.t.ID
	t.Former, t.Source, t.SourceNo, t.Main, t.RepeatOf = "", "", "", 0, 0
	t.Detail = Detail{Notice: n.NoticeVersion, Demo: n.Demo, Visitor: n.Visitor, Suggestion: w.t.Detail.Suggestion}
	for i, p := range n.Points {
		t.Detail.Points = append(t.Detail.Points, Point{No: i + 1, Text: p, State: "open"})
	}
	t.Assignments, t.Clocks, t.Requests, t.stands = nil, nil, nil, ""
	if err := s.sealInto(&t, n); err != nil {
		return Created{}, err
	}
	code := newQueryCode()
	t.CodeHash = s.HashCode(number, code)
	c := &work{s: s, tx: w.tx, actor: w.actor, tree: w.tree, rules: w.rules, t: &t, now: w.now, event: w.tx.NewID(), data: map[string]any{"split_of": w.t.ID, "ch": t.Channel}}
	s.startClock(c, ClockDispatch, nil, t.Accepted, 0)
	if err := c.insert(); err != nil {
		return Created{}, err
	}
	return Created{ID: t.ID, Number: number, QueryCode: code, Version: 1, Status: t.Status}, c.append("ticket.create")
}

func guardPointsLeft(w *work) error {
	chosen, open := 0, 0
	for _, p := range w.t.Detail.Points {
		if p.State == "open" {
			open++
			for _, c := range w.in.Points("point_nos") {
				if c.No == p.No {
					chosen++
				}
			}
		}
	}
	if chosen == 0 || chosen >= open {
		return fault.Invalid("split_points", "请选择要拆出的诉求点，且原工单至少保留一个。").At(fault.Field{Name: "point_nos", Detail: "请重新选择。"})
	}
	return nil
}
