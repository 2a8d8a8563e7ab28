package ticket

import (
	"hotline/internal/access"
	"hotline/internal/db"
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

// merged loads the tickets that lie directly under this one, each as a step of its own.
func (w *work) merged(edge *Edge) ([]*work, error) {
	ids, err := db.All(w.tx, func(s db.Scanner) (id int64, err error) { return id, s.Scan(&id) },
		`SELECT id FROM ticket WHERE main = $1 AND main <> 0 AND status = 'merged' ORDER BY id`, w.t.ID)
	if err != nil {
		return nil, err
	}
	out := make([]*work, 0, len(ids))
	for _, id := range ids {
		t, err := load(w.tx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, &work{s: w.s, tx: w.tx, actor: w.actor, tree: w.tree, rules: w.s.rulesOf(t), t: t, now: w.now, event: w.tx.NewID(), before: Merged,
			edge: edge, data: map[string]any{"main": w.t.ID, "from": Merged}})
	}
	return out, nil
}

// closeMerged gives every ticket under this one the reply, and those under
// them; each keeps its own caller, 回访 and evaluation.
func (w *work) closeMerged() error {
	children, err := w.merged(w.edge)
	if err != nil || len(children) == 0 {
		return err
	}
	texts, err := w.s.texts(w.tx, w.t, true)
	if err != nil {
		return err
	}
	last := map[string]Said{}
	for _, list := range texts {
		for _, x := range list {
			if x.ID > last[x.Kind].ID {
				last[x.Kind] = x
			}
		}
	}
	for _, c := range children {
		if err := c.closeAs(w.t.Detail.Unit, last); err != nil {
			return err
		}
	}
	return nil
}

// closeAs ends a merged ticket with its main's verdict and reply, and then what lies under it.
func (w *work) closeAs(v *UnitVerdict, said map[string]Said) error {
	was := w.t.Version
	w.t.Detail.Unit, w.t.Detail.Frozen, w.data["merged"] = v, nil, 1
	for _, kind := range []string{"reply", "public", "unsolved"} {
		w.say(kind, said[kind].Text)
	}
	w.revokeAll()
	w.stopClock("*", 0)
	w.toCallback()
	w.t.Version++
	if err := w.save(was); err != nil {
		return err
	}
	below, err := w.merged(w.edge)
	for _, c := range below {
		if err == nil {
			err = c.closeAs(v, said)
		}
	}
	return err
}

// releaseMerged gives the tickets under one that ends without a unit's reply
// (直接答复、转接、引导、无效、撤回) their own way back: nobody answered them.
func (w *work) releaseMerged() error {
	edge := w.rules.Find("unmerge", "", Merged)
	if edge == nil {
		return nil
	}
	children, err := w.merged(edge)
	for _, c := range children {
		if err == nil {
			was := c.t.Version
			c.restore()
			c.say("reason", "主单"+Spoken(w.t.Number)+"已"+w.edge.Label+"，本单恢复单独办理。")
			c.t.Version++
			err = c.save(was)
		}
	}
	return err
}

// doUnmerge (撤销并单) restores status and clocks as they were: the time spent
// merged counts, for nothing stops a citizen's waiting.
func doUnmerge(w *work) error {
	t := w.t
	if t.Detail.Frozen == nil {
		return fault.Conflict("wrong_state", "主单已办结，不能撤销并单。")
	}
	w.restore()
	w.say("reason", w.in.Str("reason"))
	w.msg = "已撤销并单，恢复为" + w.rules.StatusWord(t.Status) + "。"
	return nil
}

// restore puts a merged ticket back where it stood.
func (w *work) restore() {
	t := w.t
	t.Status, t.Main = t.Detail.Frozen.Status, 0
	t.ClosedAt = 0
	for _, c := range t.Clocks {
		if c.Stopped == 0 && c.PausedAt >= t.Detail.Frozen.At {
			c.PausedAt = 0
			c.schedule()
		}
	}
	t.Detail.Frozen = nil
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
	if Final(main.Status) || main.Status == ToCallback || main.Status == ToRecheck || main.Main != 0 { // what has been answered takes nobody along
		return fault.Conflict("main_closed", "主单已经答复、办结或并入其他工单，不能再并入。")
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

// doSplit (拆分) takes some 诉求点 into a new ticket with the same caller, who
// follows it with the 查询码 that he has.
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
	plat, _ := w.tree.Get(t.Platform)
	number, err := w.s.numbers.issueTx(w.tx, region.City(plat.Region), timeOf(w.now))
	if err != nil {
		return err
	}
	for _, p := range w.in.Points("point_nos") {
		for i := range t.Detail.Points {
			if q := &t.Detail.Points[i]; q.No == p.No {
				q.State, q.Split = "split", number
				n.Points = append(n.Points, q.Text)
			}
		}
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
	c := &work{s: s, tx: w.tx, actor: w.actor, tree: w.tree, rules: w.rules, t: &t, now: w.now, event: w.tx.NewID(), data: map[string]any{"split_of": w.t.ID, "ch": t.Channel}}
	s.startClock(c, ClockDispatch, nil, t.Accepted, 0)
	if err := c.copyFiles(w.t); err != nil {
		return Created{}, err
	}
	if err := c.insert(); err != nil {
		return Created{}, err
	}
	return Created{ID: t.ID, Number: number, Version: 1, Status: t.Status}, c.append("ticket.create")
}

// copyFiles gives a split ticket what came with the request before it was
// dispatched; the stored files are the same.
func (w *work) copyFiles(from *Ticket) error {
	for _, was := range from.Detail.Attach {
		id := w.tx.NewID()
		n, err := w.tx.Exec(`INSERT INTO attachment (`+attachmentColumns+`) SELECT CAST($1 AS BIGINT), name, kind, size, ref, by_account, unit, at, CAST($2 AS BIGINT) FROM attachment WHERE id = $3 AND ($4 = 0 OR at < $4)`,
			id, w.t.ID, was, from.Dispatched)
		if err != nil {
			return err
		}
		if n > 0 {
			w.t.Detail.Attach = append(w.t.Detail.Attach, id)
		}
	}
	return nil
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
