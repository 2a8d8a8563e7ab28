package supervise

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// Deps are the rooms below that a Service is built on.
type Deps struct {
	DB     *db.DB
	Log    *eventlog.Log
	Org    *org.Service
	Ticket *ticket.Service
}

// Service keeps the ledger. It is built once by app.
type Service struct {
	Deps
	history bool
}

// Loading gives the same service for loading history: the moments of an order
// and its steps hold. Only demo calls it.
func (s *Service) Loading() *Service {
	h := &Service{Deps: s.Deps, history: true}
	h.Ticket = s.Ticket.Loading()
	return h
}

// moment is when something happens: now, or the moment of loaded history.
func (s *Service) moment(tx *db.Tx, at int64) int64 {
	if s.history && at != 0 {
		return at
	}
	return tx.NowMS()
}

// New builds the service.
func New(d *db.DB, log *eventlog.Log, o *org.Service, t *ticket.Service) *Service {
	return &Service{Deps: Deps{DB: d, Log: log, Org: o, Ticket: t}}
}

// NewOrder is what a supervisor demands.
type NewOrder struct {
	Ticket      int64
	Unit        int64
	Level       string
	Requirement string
	Due         int64 // ms
	At          int64 // loaded history only
}

const (
	shortest = 4
	longest  = 1000
)

// text checks what was written and takes personal data out of it.
func text(field, label, s string, max int) (string, error) {
	s = strings.TrimSpace(s)
	if n := zh.Len(s); n < shortest || n > max {
		return "", fault.Invalid("text_length", "“%s”应为%d至%d个字。", label, shortest, max).At(fault.Field{Name: field, Detail: fmt.Sprintf("请填写%d至%d个字。", shortest, max)})
	}
	return zh.Redact(s), nil
}

// Open issues an order (签发督办) and tells the ticket in the same transaction.
//
// Errors: forbidden without the verb, not_found outside the jurisdiction,
// invalid fields, conflict when the unit is already under an order for it.
func (s *Service) Open(ctx context.Context, actor access.Actor, n NewOrder) (Order, error) {
	if !actor.May(access.Supervise) {
		return Order{}, fault.Forbidden("supervise_forbidden", "只有督办员和省级管理人员可以签发督办。")
	}
	req, err := text("requirement", "督办要求", n.Requirement, longest)
	if err != nil {
		return Order{}, err
	}
	tree := s.Org.Tree()
	unit, ok := tree.Get(n.Unit)
	switch {
	case !slices.Contains(Levels, n.Level):
		return Order{}, fault.Invalid("level_invalid", "督办方式只有催办、督办、约谈和通报。").At(fault.Field{Name: "level", Detail: "请重新选择。"})
	case !ok || !unit.Active || !tree.Under(s.hub(actor), unit.ID):
		return Order{}, fault.Invalid("unit_unknown", "督办对象不存在、已停用，或不在您的管辖范围内。").At(fault.Field{Name: "unit", Detail: "请重新选择。"})
	}
	var o Order
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		now := s.moment(tx, n.At)
		if err := dueOK(n.Due, now); err != nil {
			return err
		}
		if _, err := s.Ticket.DoTx(tx, actor, n.Ticket, ticket.Action{Name: "supervise", At: now, Fields: map[string]any{"supervise_level": n.Level, "reason": zh.Truncate(req, 500)}}); err != nil {
			return err
		}
		busy, err := db.Int(tx, `SELECT count(*) FROM supervision WHERE ticket = $1 AND unit = $2 AND level = $3 AND state <> $4`, n.Ticket, n.Unit, n.Level, Closed)
		if err != nil {
			return err
		}
		if busy > 0 {
			return fault.Conflict("already_supervised", "%s的同级督办尚未销号，请在原督办上延期或退回。", unit.Name)
		}
		if err := ladder(tx, n); err != nil {
			return err
		}
		t, err := s.Ticket.Peek(tx, n.Ticket)
		if err != nil {
			return err
		}
		rule, err := s.take(tx, n.Ticket)
		if err != nil {
			return err
		}
		o = Order{ID: tx.NewID(), Ticket: n.Ticket, Platform: t.Platform, Issuer: s.hub(actor), Rule: rule, Level: n.Level, Unit: n.Unit, Requirement: req, State: Open,
			Due: n.Due, OpenedAt: now, OpenedBy: actor.Account, Version: 1}
		if o.No, err = s.number(tx, o.Issuer); err != nil {
			return err
		}
		if err := o.insert(tx); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE supervision_candidate SET handled = $1 WHERE ticket = $2 AND handled = 0`, o.ID, n.Ticket); err != nil {
			return err
		}
		return s.tell(tx, actor, o, "opened")
	})
	return o, err
}

// rungs are what must have been issued to a unit for a ticket before a level:
// nobody is 约谈 without a 督办, nor 通报 without a 约谈.
var rungs = map[string]string{"interview": "order", "notice": "interview"}

// ladder refuses an order that skips a rung.
func ladder(tx *db.Tx, n NewOrder) error {
	before, ok := rungs[n.Level]
	if !ok {
		return nil
	}
	have, err := db.Int(tx, `SELECT count(*) FROM supervision WHERE ticket = $1 AND unit = $2 AND level = $3`, n.Ticket, n.Unit, before)
	if err != nil || have > 0 {
		return err
	}
	return fault.Conflict("ladder_skipped", "%s之前应先%s：请先对该单位签发“%s”。", levelWords[n.Level], levelWords[before], levelWords[before]).At(fault.Field{Name: "level", Detail: "督办应逐级进行。"})
}

// take finds the rule for which the ticket is listed.
func (s *Service) take(tx *db.Tx, id int64) (string, error) {
	have, err := db.All(tx, func(sc db.Scanner) (r string, err error) { return r, sc.Scan(&r) }, `SELECT rule FROM supervision_candidate WHERE ticket = $1 AND handled = 0`, id)
	if err != nil {
		return "", err
	}
	for _, r := range []string{RuleUnsatisfied, RuleOverdue, RuleReturns, RuleRepeat} {
		if slices.Contains(have, r) {
			return r, nil
		}
	}
	return RuleManual, nil
}

// number issues the next 督办编号 of a supervising unit: 武汉市督〔2026〕15号.
func (s *Service) number(tx *db.Tx, issuer int64) (string, error) {
	year := tx.Now().In(clock.Shanghai).Year()
	n, err := db.Int(tx, `INSERT INTO supervision_number (platform, year, last) VALUES ($1, $2, 1) ON CONFLICT (platform, year) DO UPDATE SET last = supervision_number.last + 1 RETURNING last`, issuer, year)
	if err != nil {
		return "", err
	}
	u, _ := s.Org.Tree().Get(issuer)
	name := placeName(u.Region)
	if u.Kind != org.KindProvince && u.Kind != org.KindCity && u.Kind != org.KindCounty {
		name += u.Short
	}
	return fmt.Sprintf("%s督〔%d〕%d号", name, year, n), nil
}

func (s *Service) tell(tx *db.Tx, actor access.Actor, o Order, what string) error {
	return s.Ticket.Append(tx, actor, o.Ticket, "supervision."+what, map[string]any{"supervision": o.ID, "rule": o.Rule, "level": o.Level, "unit": o.Unit, "due": o.Due, "p": o.Platform, "u": o.Unit})
}

// dueOK refuses a deadline in the past or too far off.
func dueOK(due, now int64) error {
	if due <= now || due > now+366*24*3600*1000 {
		return fault.Invalid("due_invalid", "反馈期限应晚于现在，且不超过一年。").At(fault.Field{Name: "due", Detail: "请重新选择。"})
	}
	return nil
}

// Step is what is done with an order.
type Step struct {
	Name    string // feedback close reject extend
	Text    string
	Due     int64 // extend
	Files   []int64
	Version int64 // the version seen; 0 skips the check
	At      int64 // loaded history only
}

// stepLabels names the steps and their text fields.
var stepLabels = map[string][2]string{"feedback": {"text", "反馈内容"}, "close": {"text", "销号意见"}, "reject": {"reason", "退回理由"}, "extend": {"reason", "延长理由"}}

// Act moves an order: the unit gives feedback; the supervisor strikes it off
// (销号), rejects the feedback, or extends the deadline.
func (s *Service) Act(ctx context.Context, actor access.Actor, id int64, st Step) (Order, error) {
	label, ok := stepLabels[st.Name]
	if !ok {
		return Order{}, fault.NotFound("action_unknown", "督办没有这个操作。")
	}
	words, err := text(label[0], label[1], st.Text, 2*longest)
	if err != nil {
		return Order{}, err
	}
	var o Order
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		var err error
		now := s.moment(tx, st.At)
		if o, err = s.load(tx, actor, id); err != nil {
			return err
		}
		if st.Version != 0 && st.Version != o.Version {
			return fault.Conflict("version_conflict", "这件督办刚刚被其他人处理过，请刷新后再操作。")
		}
		if !slices.Contains(s.may(actor, o), st.Name) {
			return refusal(actor, o, st.Name)
		}
		what := map[string]string{"feedback": "feedback", "close": "closed", "reject": "rejected", "extend": "extended"}[st.Name]
		switch st.Name {
		case "feedback":
			o.State = Feedback
			if len(st.Files) > 0 {
				if _, err := s.Ticket.DoTx(tx, actor, o.Ticket, ticket.Action{Name: "note", Fields: map[string]any{"text": o.No + "反馈的佐证材料", "files": anyIDs(st.Files)}}); err != nil {
					return err
				}
			}
		case "close":
			o.State, o.ClosedAt = Closed, now
		case "reject":
			o.State = Rejected
		case "extend":
			if err := dueOK(st.Due, max(now, o.Due)); err != nil {
				return fault.Invalid("due_invalid", "新的期限应晚于现在和原期限，且不超过一年。").At(fault.Field{Name: "due", Detail: "请重新选择。"})
			}
			o.Due = st.Due
		}
		o.Version++
		n, err := tx.Exec(`UPDATE supervision SET state = $1, due = $2, closed_at = $3, version = $4 WHERE id = $5 AND version = $6`, o.State, o.Due, o.ClosedAt, o.Version, o.ID, o.Version-1)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Conflict("version_conflict", "这件督办刚刚被其他人处理过，请刷新后再操作。")
		}
		if _, err := tx.Exec(`INSERT INTO supervision_note (id, supervision, kind, text, by_account, unit, at) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
			tx.NewID(), o.ID, st.Name, words, actor.Account, actor.Unit, now); err != nil {
			return err
		}
		if err := s.tell(tx, actor, o, what); err != nil {
			return err
		}
		o.Notes, err = notes(tx, o.ID)
		return err
	})
	return o, err
}

func anyIDs(ids []int64) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

func refusal(actor access.Actor, o Order, step string) error {
	if step == "feedback" && actor.Unit != o.Unit || step != "feedback" && !actor.May(access.Supervise) {
		return fault.Forbidden("supervise_forbidden", "这件督办由%s操作，您的岗位或单位不能进行。", map[bool]string{true: "督办对象", false: "签发单位"}[step == "feedback"])
	}
	return fault.Conflict("wrong_state", "督办目前是“%s”，不能这样操作。", o.StateLabel())
}

// may lists the steps that the actor can take now.
func (s *Service) may(actor access.Actor, o Order) (out []string) {
	if actor.Unit == o.Unit && o.Owed() && (actor.May(access.Handle) || actor.May(access.Approve)) {
		out = append(out, "feedback")
	}
	if actor.May(access.Supervise) && s.Org.Tree().Under(s.hub(actor), o.Issuer) && o.State != Closed {
		if o.State == Feedback {
			out = append(out, "close", "reject")
		}
		out = append(out, "extend")
	}
	return out
}

// May lists the steps that the actor can take with an order now.
func (s *Service) May(actor access.Actor, o Order) []string { return s.may(actor, o) }

// hub is the unit in whose name an actor supervises.
func (s *Service) hub(actor access.Actor) int64 {
	if actor.System {
		return s.Org.Tree().Province().ID
	}
	if sc := access.ScopeIn(s.Org.Tree(), actor); !sc.None && len(sc.Units) > 0 && sc.Own == 0 {
		return sc.Units[0]
	}
	return 0
}

// load reads an order that the actor may see; not_found otherwise.
func (s *Service) load(tx *db.Tx, actor access.Actor, id int64) (Order, error) {
	o, err := db.One(tx, scanOrder, `SELECT `+orderColumns+` FROM supervision WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !s.sees(actor, o) {
		return Order{}, fault.NotFound("supervision_not_found", "督办不存在，或不在您的查看范围内。")
	}
	return o, err
}

// sees: a supervisor sees what was issued in or to his jurisdiction, a unit its own.
func (s *Service) sees(actor access.Actor, o Order) bool {
	tree, hub := s.Org.Tree(), s.hub(actor)
	if hub == 0 {
		return false
	}
	return tree.Under(hub, o.Unit) || actor.May(access.Supervise) && (tree.Under(hub, o.Platform) || tree.Under(hub, o.Issuer))
}

// Watches tells whether an order about a ticket is open (督办未销号).
func (s *Service) Watches(tx *db.Tx, ticket int64) (bool, error) {
	n, err := db.Int(tx, `SELECT count(*) FROM supervision WHERE ticket = $1 AND state <> $2`, ticket, Closed)
	return n > 0, err
}
