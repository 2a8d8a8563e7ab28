package ticket

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/zh"
)

// Action is a request to take one step on a ticket.
type Action struct {
	Name       string
	Assignment int64          // the node it means; 0 when only one fits or the step is the ticket's
	Version    int64          // the version the actor saw; 0 skips the check (free actions, the system)
	Fields     map[string]any // inputs named as in the rule table
	Decision   *Suggestion    // dispatch's decision as data, kept with the ticket
	Clock      int64          // the clock whose stage has come (deadline only)
	At         int64          // moment of a step in loaded history, see Loading
	asked      bool           // the ticket's citizen asks for it, see AskTx
}

// Result tells what came of an action.
type Result struct {
	ID      int64
	Number  string
	Version int64
	Status  string
	Message string // Chinese, for the screen
	Created int64  // the new ticket of a 拆分
}

// work is one step in progress.
type work struct {
	s         *Service
	tx        *db.Tx
	actor     access.Actor
	tree      *org.Tree
	rules     *Rules
	t         *Ticket
	a         *Assignment // nil when the step is the ticket's
	edge      *Edge
	in        Input
	act       Action
	now       int64
	event     int64
	data      map[string]any
	texts     []text
	msg       string
	made      int64
	before    string       // status before the step
	mainLabel access.Label // of the 主单 in a 并单
}

type text struct {
	id         int64
	kind, body string
}

// Do takes one step in its own transaction.
func (s *Service) Do(ctx context.Context, actor access.Actor, id int64, act Action) (Result, error) {
	var res Result
	err := s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		res, err = s.DoTx(tx, actor, id, act)
		return err
	})
	return res, err
}

// DoTx takes one step inside the caller's transaction; see the package comment.
//
// Errors: not_found (absent or out of scope), forbidden (seen but not
// permitted), conflict (state or version moved on), invalid (fields, guards).
func (s *Service) DoTx(tx *db.Tx, actor access.Actor, id int64, act Action) (Result, error) {
	t, err := s.loadToChange(tx, id)
	if err != nil {
		return Result{}, err
	}
	return s.step(tx, actor, t, act)
}

// step is DoTx for a ticket that loadToChange gave in the same transaction.
func (s *Service) step(tx *db.Tx, actor access.Actor, t *Ticket, act Action) (_ Result, err error) {
	w := &work{s: s, tx: tx, actor: actor, tree: s.Org.Tree(), t: t, act: act, now: tx.NowMS(), data: map[string]any{}}
	if act.At > 0 && s.history {
		w.now = act.At
	}
	w.rules = s.rulesOf(t)
	if !s.sees(actor, t) && !w.ownIntake() && !act.asked {
		return Result{}, errNoTicket()
	}
	if err := w.resolve(); err != nil {
		return Result{}, err
	}
	if act.Version != 0 && act.Version != t.Version && !w.edge.Free {
		return Result{}, s.moved(tx, t, act.Version)
	}
	if w.in, err = w.rules.validate(w.edge, act.Fields); err != nil {
		return Result{}, err
	}
	for _, g := range w.edge.Guards {
		if err := guards[g](w); err != nil {
			return Result{}, err
		}
	}
	return w.run()
}

// run applies an edge that has passed every check.
func (w *work) run() (Result, error) {
	was, from := w.t.Version, w.t.Status
	w.before = from
	w.event = w.tx.NewID()
	w.s.applyClocks(w, w.edge.Clocks)
	if w.edge.To != "" {
		if w.a != nil {
			w.data["from"] = w.a.State
			w.a.move(w.edge.To)
		} else {
			w.t.Status = w.edge.To
		}
	}
	if err := steps[w.edge.Action](w); err != nil {
		return Result{}, err
	}
	w.takeUp(from)
	if from != w.t.Status {
		w.data["from"] = from
		if Final(w.t.Status) {
			w.t.ClosedAt = w.now
			if w.edge.Action != "merge" {
				w.stopClock("*", 0)
				if from != ToCallback && from != ToRecheck { // a 办结 has taken them along
					if err := w.releaseMerged(); err != nil {
						return Result{}, err
					}
				}
			}
		}
	}
	w.t.Version = was + 1
	if err := w.save(was); err != nil {
		return Result{}, err
	}
	return Result{ID: w.t.ID, Number: w.t.Number, Version: w.t.Version, Status: w.t.Status, Message: w.msg, Created: w.made}, nil
}

// save writes everything that the step changed and its one event.
func (w *work) save(was int64) error {
	moved := w.stand(w.tree)
	if err := w.t.update(w.tx, was); err != nil {
		return err
	}
	if err := w.saveParts(); err != nil {
		return err
	}
	if err := moved.send(w.tx, w.t); err != nil {
		return err
	}
	if err := w.append("ticket." + w.edge.Action); err != nil {
		return err
	}
	w.keep()
	return nil
}

func (w *work) saveParts() error {
	var rows []any
	for _, a := range w.t.Assignments {
		if a.dirty || a.fresh {
			rows = append(rows, a.values()...)
			a.dirty, a.fresh = false, false
		}
	}
	if err := w.tx.SendRows(insertAssignments, changeAssignments, 21, rows); err != nil {
		return err
	}
	for _, r := range w.t.Requests {
		if r.dirty || r.fresh {
			if err := r.save(w.tx); err != nil {
				return err
			}
			r.dirty, r.fresh = false, false
		}
	}
	return w.saveTexts()
}

// say keeps a free text of the step, sealed, with its redacted rendition.
func (w *work) say(kind, body string) int64 {
	if body == "" {
		return 0
	}
	id := w.tx.NewID()
	w.texts = append(w.texts, text{id, kind, body})
	return id
}

func (w *work) saveTexts() error {
	if len(w.texts) == 0 {
		return nil
	}
	key, err := w.s.Ring.OpenKey(w.t.Key)
	if err != nil {
		return fmt.Errorf("ticket %d: open key: %w", w.t.ID, err)
	}
	for _, x := range w.texts {
		if err := w.tx.Send(`INSERT INTO ticket_text (id, ticket, event, kind, body, redacted, at) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
			x.id, w.t.ID, w.event, x.kind, []byte(key.Seal(textAD(x.id), x.body)), zh.Redact(x.body), w.now); err != nil {
			return err
		}
	}
	return nil
}

func textAD(id int64) string { return fmt.Sprintf("ticket_text|%d|body", id) }

// append writes the step's event: ids and codes only.
func (w *work) append(kind string) error {
	d := w.data
	d["p"], d["ty"], d["c"], d["r"], d["st"], d["leg"], d["na"] = w.t.Platform, w.t.Type, w.t.Category, w.t.Region, w.t.Status, w.t.Leg, w.t.Nature
	if w.t.Unit != 0 {
		d["u"] = w.t.Unit
	}
	if w.a != nil {
		d["a"], d["au"], d["as"] = w.a.ID, w.a.Unit, w.a.State
	}
	if _, said := d["notice"]; !said && w.edge != nil && w.edge.Notice != "" { // "" where the step tells the citizen nothing
		d["notice"] = w.edge.Notice
	}
	if w.actor.Role != "" {
		d["role"] = string(w.actor.Role)
	}
	_, err := w.s.Log.Append(w.tx, eventlog.Event{ID: w.event, Kind: kind, SubjectKind: "ticket", SubjectID: w.t.ID, Version: w.t.Version,
		Actor: w.actor.Account, Unit: w.actor.Unit, At: w.now, Data: mustJSON(d)})
	return err
}

// resolve finds the edge and the node that the action means, and checks that
// the actor stands in one of the relations and roles that the edge names.
func (w *work) resolve() error {
	edges := w.rules.Of(w.act.Name)
	if len(edges) == 0 {
		return fault.Invalid("unknown_action", "没有“%s”这个操作。", w.act.Name)
	}
	var fits []*Assignment
	var reached bool // an edge leaves from the present state
	for _, e := range edges {
		if e.On != "assignment" {
			if slices.Contains(e.From, w.t.Status) || slices.Contains(e.From, "*") {
				reached = true
				if w.may(e, nil) {
					w.edge = e
					return nil
				}
			}
			continue
		}
		if Final(w.t.Status) || w.t.Status == ToCallback || w.t.Status == ToRecheck {
			continue
		}
		for _, a := range w.t.Assignments {
			if a.Leg != w.t.Leg || (w.act.Assignment != 0 && a.ID != w.act.Assignment) || !slices.Contains(e.From, a.State) {
				continue
			}
			reached = true
			if w.may(e, a) {
				w.edge = e
				fits = append(fits, a)
			}
		}
	}
	if kind := decides[w.act.Name]; kind != "" && len(fits) > 1 {
		fits = slices.DeleteFunc(fits, func(a *Assignment) bool { return w.t.pending(a.ID, kind) == nil })
		if len(fits) == 0 {
			return errNoRequest()
		}
	}
	switch {
	case len(fits) == 1:
		w.a = fits[0]
		return nil
	case len(fits) > 1:
		return fault.Invalid("assignment_needed", "这张工单有多个承办环节可以这样操作，请指明其中一个。")
	}
	if !reached {
		return fault.Conflict("wrong_state", "工单目前是“%s”，不能%s。", w.rules.StatusWord(w.t.Status), edges[0].Label).With(w.s.changes(w.tx, w.t, w.act.Version))
	}
	return fault.Forbidden("action_forbidden", "您的岗位或单位不能对这张工单进行“%s”。", edges[0].Label)
}

// may tells whether the actor has a role and a relation that the edge accepts.
func (w *work) may(e *Edge, a *Assignment) bool {
	if !w.actor.System && !w.actor.Citizen && !slices.Contains(e.Who, string(w.actor.Role)) {
		return false
	}
	if w.actor.System {
		return slices.Contains(e.Who, "system")
	}
	if w.actor.Citizen {
		return slices.Contains(e.Who, "citizen") && slices.Contains(e.At, "citizen")
	}
	if w.actor.Contractor && !contractorSteps[e.Action] {
		return false
	}
	if !w.actor.Cleared(w.t.Label) && !w.ownIntake() {
		return false
	}
	for _, rel := range e.At {
		switch rel {
		case "owner":
			if w.actor.Unit == w.t.Platform {
				return true
			}
		case "above":
			if w.actor.Unit != w.t.Platform && w.tree.Under(w.actor.Unit, w.t.Platform) {
				return true
			}
		case "holder":
			if a != nil && w.actor.Unit == a.Unit {
				return true
			}
			if a == nil && e.On == "" && w.holds() {
				return true
			}
		case "authority":
			if a != nil && w.actor.Unit == w.t.Decider(a, decides[e.Action]) {
				return true
			}
		}
	}
	return false
}

// contractorSteps are what outsourced staff may do: answering and calling, never
// dispatching, handling, approving or closing (国办函〔2025〕66号: 诉求办理等主体业务不得外包).
var contractorSteps = map[string]bool{"accept": true, "answer": true, "transfer": true, "redirect": true, "reclassify": true, "urge": true, "supplement": true,
	"callback": true, "relay": true, "note": true, "withdraw": true}

// takeUp keeps a seat's sight of what it took up: a request that came by the
// web belongs to nobody until a seat moves it on from 待受理 or 退回补正, or hides
// its citizen from the other seats (改密级).
func (w *work) takeUp(from string) {
	seat := w.actor.Role == access.Agent || w.actor.Role == access.BranchAgent || w.actor.Role == access.ShiftLead
	if !seat || w.actor.Account == 0 || from == w.t.Status && w.edge.Action != "relabel" || from != Received && from != SeatFix {
		return
	}
	if w.t.CreatedBy == w.actor.Account && w.t.Channel == "phone" || slices.Contains(w.t.Detail.Seats, w.actor.Account) {
		return
	}
	w.t.Detail.Seats = append(w.t.Detail.Seats, w.actor.Account)
}

// ownIntake: a seat may finish what it just took, even where the label is one
// that it loses sight of afterwards.
func (w *work) ownIntake() bool {
	return w.t.CreatedBy == w.actor.Account && w.actor.Account != 0 && w.t.Version == 1
}

// holds tells whether the actor's unit has a live node in the current leg.
func (w *work) holds() bool {
	for _, a := range w.t.Assignments {
		if a.Leg == w.t.Leg && a.Unit == w.actor.Unit && a.State != Returned && a.State != Revoked {
			return true
		}
	}
	return false
}

// authority is the unit that delegated a node: its parent's unit or the platform.
func (t *Ticket) authority(a *Assignment) int64 {
	if p := t.Assignment(a.Parent); p != nil {
		return p.Unit
	}
	return t.Platform
}

// sees tells whether the actor's scope covers a ticket of this transaction.
func (s *Service) sees(actor access.Actor, t *Ticket) bool {
	return actor.System || actor.Citizen /* authorised for exactly this ticket */ || s.covers(actor, t.stands)
}

// moved is the conflict that tells what changed since the actor's version.
func (s *Service) moved(tx *db.Tx, t *Ticket, seen int64) error {
	return fault.As(errMoved()).With(s.changes(tx, t, seen))
}

// Changed is one step that the actor had not seen.
type Changed struct {
	At     int64  `json:"at"`
	Actor  int64  `json:"actor,string"`
	Action string `json:"action"`
	Label  string `json:"label"`
}

// Moved is the data of a version conflict.
type Moved struct {
	Version     int64     `json:"version"`
	Status      string    `json:"status"`
	StatusLabel string    `json:"status_label"`
	Changed     []Changed `json:"changed"`
}

func (s *Service) changes(tx *db.Tx, t *Ticket, seen int64) Moved {
	rules := s.rulesOf(t)
	m := Moved{Version: t.Version, Status: t.Status, StatusLabel: rules.StatusWord(t.Status)}
	events, err := s.Log.BySubject(tx, "ticket", t.ID)
	if err != nil || seen == 0 {
		return m
	}
	for _, e := range events {
		if e.Version > seen {
			m.Changed = append(m.Changed, Changed{e.At, e.Actor, e.Kind, eventLabel(rules, e.Kind)})
		}
	}
	sort.Slice(m.Changed, func(i, j int) bool { return m.Changed[i].At < m.Changed[j].At })
	return m
}
