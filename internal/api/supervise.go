package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/supervise"
)

// SupervisionOut is one 督办 of the ledger.
type SupervisionOut struct {
	ID          ID                  `json:"id"`
	No          string              `json:"no"`
	Ticket      SupervisionTicket   `json:"ticket"`
	Rule        string              `json:"rule"`
	RuleLabel   string              `json:"rule_label"`
	Level       string              `json:"level"`
	LevelLabel  string              `json:"level_label"`
	Unit        UnitRef             `json:"unit"`
	Issuer      UnitRef             `json:"issuer"`
	State       string              `json:"state"`
	StateLabel  string              `json:"state_label"`
	Due         string              `json:"due"`
	DueText     string              `json:"due_text"`
	Light       string              `json:"light"`
	OpenedAt    string              `json:"opened_at"`
	OpenedBy    string              `json:"opened_by"`
	ClosedAt    string              `json:"closed_at"`
	Requirement string              `json:"requirement"`
	Feedback    []SupervisionNote   `json:"feedback"`
	Version     int64               `json:"version"`
	Actions     []SupervisionAction `json:"actions"`
}

// SupervisionTicket names the ticket of an order.
type SupervisionTicket struct {
	ID     ID     `json:"id"`
	Number string `json:"number"`
	Title  string `json:"title"`
}

// SupervisionNote is one step of an order in words.
type SupervisionNote struct {
	Kind string `json:"kind"`
	At   string `json:"at"`
	By   string `json:"by"`
	Text string `json:"text"`
}

// SupervisionAction is a step that the actor can take now.
type SupervisionAction struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Primary bool   `json:"primary"`
	Danger  bool   `json:"danger"`
}

var supervisionActions = map[string]SupervisionAction{
	"feedback": {"feedback", "提交反馈", true, false}, "close": {"close", "销号", true, false},
	"reject": {"reject", "退回重新反馈", false, true}, "extend": {"extend", "延长期限", false, false},
}

func (a *API) superviseRoutes() {
	see := Rule{Verbs: []access.Verb{access.Supervise, access.Handle, access.Approve}, Audit: "supervision.list"}
	type listOut struct {
		Items  []SupervisionOut `json:"items"`
		Next   string           `json:"next"`
		Counts map[string]int64 `json:"counts"`
	}
	route(a, http.MethodGet, "/api/v1/supervision", "supervision-list", "督办台账", see, func(ctx context.Context, in *struct {
		State  string `query:"state"`
		Rule   string `query:"rule"`
		Cursor string `query:"cursor" maxLength:"40"`
		Limit  int    `query:"limit" maximum:"200"`
	}) (*struct{ Body listOut }, error) {
		actor := actorOf(ctx)
		lines, next, err := a.Supervise.List(ctx, actor, supervise.Filter{State: in.State, Rule: in.Rule, Cursor: in.Cursor, Limit: in.Limit})
		if err != nil {
			return nil, err
		}
		out := listOut{Items: make([]SupervisionOut, 0, len(lines)), Next: next}
		for _, l := range lines {
			out.Items = append(out.Items, a.supervisionOut(actor, l))
		}
		if out.Counts, err = a.Supervise.Counts(ctx, actor); err != nil {
			return nil, err
		}
		return &struct{ Body listOut }{out}, a.seenMany(ctx, "supervision.list", len(lines), in.State)
	})
	type candidatesOut struct {
		Items []TicketRow `json:"items"`
		Next  string      `json:"next"`
	}
	route(a, http.MethodGet, "/api/v1/supervision/candidates", "supervision-candidates", "应督办线索", Rule{Verbs: []access.Verb{access.Supervise}, Audit: "ticket.list"}, func(ctx context.Context, in *struct {
		Rule   string `query:"rule"`
		Cursor string `query:"cursor" maxLength:"80"`
		Limit  int    `query:"limit" maximum:"200"`
	}) (*struct{ Body candidatesOut }, error) {
		ids, next, err := a.Supervise.Candidates(ctx, actorOf(ctx), in.Rule, in.Cursor, in.Limit)
		if err != nil {
			return nil, err
		}
		rows, err := a.rowsOf(ctx, ids)
		if err != nil {
			return nil, err
		}
		return &struct{ Body candidatesOut }{candidatesOut{rows, next}}, a.seenMany(ctx, "ticket.list", len(rows), "supervision "+in.Rule)
	})
	route(a, http.MethodGet, "/api/v1/supervision/{id}", "supervision-get", "督办详情", see, func(ctx context.Context, in *pathID) (*struct{ Body SupervisionOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		l, err := a.Supervise.Get(ctx, actor, id)
		if err != nil {
			return nil, err
		}
		return &struct{ Body SupervisionOut }{a.supervisionOut(actor, l)}, a.Audit.Seen(ctx, audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit,
			Op: "supervision.list", SubjectKind: "ticket", Subject: l.Ticket, Count: 1, IP: actor.IP})
	})
	type doneOut struct {
		ID      ID     `json:"id"`
		No      string `json:"no"`
		State   string `json:"state"`
		Version int64  `json:"version"`
		Message string `json:"message"`
	}
	route(a, http.MethodPost, "/api/v1/supervision", "supervision-create", "签发督办", Rule{Verbs: []access.Verb{access.Supervise}, Audit: "event"}, func(ctx context.Context, in *struct {
		Body struct {
			Ticket      string `json:"ticket" maxLength:"40" doc:"工单编号或单号"`
			Unit        ID     `json:"unit"`
			Level       string `json:"level"`
			Requirement string `json:"requirement"`
			Due         string `json:"due,omitempty"`
		}
	}) (*struct{ Body doneOut }, error) {
		actor := actorOf(ctx)
		id, err := a.ticketID(ctx, in.Body.Ticket)
		if err != nil {
			return nil, err
		}
		due, err := moment(in.Body.Due)
		if err != nil {
			return nil, err
		}
		if due == 0 {
			due = a.Supervise.DefaultDue(actor.Platform, a.now())
		}
		o, err := a.Supervise.Open(ctx, actor, supervise.NewOrder{Ticket: id, Unit: int64(in.Body.Unit), Level: in.Body.Level, Requirement: in.Body.Requirement, Due: due})
		if err != nil {
			return nil, err
		}
		return &struct{ Body doneOut }{doneOut{ID(o.ID), o.No, o.State, o.Version, "已签发" + o.No + "，请" + a.Org.Tree().Name(o.Unit) + "按期反馈。"}}, nil
	})
	route(a, http.MethodPost, "/api/v1/supervision/{id}/actions/{action}", "supervision-action", "督办反馈、销号、退回、延期", Rule{Verbs: see.Verbs, Audit: "event"}, func(ctx context.Context, in *struct {
		ID      string `path:"id"`
		Action  string `path:"action" maxLength:"20"`
		IfMatch string `header:"If-Match"`
		Body    struct {
			Text        string `json:"text,omitempty"`
			Reason      string `json:"reason,omitempty"`
			Due         string `json:"due,omitempty"`
			Attachments []ID   `json:"attachments,omitempty" maxItems:"20"`
		}
	}) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		st := supervise.Step{Name: in.Action, Text: in.Body.Text}
		if st.Text == "" {
			st.Text = in.Body.Reason
		}
		if st.Version, err = parseVersion(in.IfMatch); err != nil {
			return nil, err
		}
		if st.Due, err = moment(in.Body.Due); err != nil {
			return nil, err
		}
		for _, f := range in.Body.Attachments {
			st.Files = append(st.Files, int64(f))
		}
		o, err := a.Supervise.Act(ctx, actorOf(ctx), id, st)
		if err != nil {
			return nil, err
		}
		return &struct{ Body doneOut }{doneOut{ID(o.ID), o.No, o.State, o.Version, o.No + supervisionDone[in.Action]}}, nil
	})
}

var supervisionDone = map[string]string{"feedback": "的反馈已提交，待销号。", "close": "已销号。", "reject": "已退回，请承办单位重新反馈。", "extend": "已延长期限。"}

// ticketID finds a ticket of the actor's scope by 单号, former number or id;
// what lies outside is like what does not exist.
func (a *API) ticketID(ctx context.Context, s string) (int64, error) {
	actor := actorOf(ctx)
	id, err := a.Ticket.NumberInScope(ctx, actor, s)
	if fault.KindOf(err) != fault.KindNotFound {
		return id, err
	}
	if id, perr := parseID(strings.TrimSpace(s)); perr == nil {
		_, err = a.Ticket.Get(ctx, actor, id)
		return id, err
	}
	return 0, err
}

// moment reads a date, or a date and time; a mere date means the end of office hours.
func moment(s string) (int64, error) {
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, clock.Shanghai); err == nil {
			if t.Year() > 2100 {
				return 0, fault.Invalid("date_invalid", "日期超出范围。")
			}
			return t.UnixMilli(), nil
		}
	}
	ms, err := dayStart(s, 0)
	if err == nil && ms > 0 && len(s) == len("2006-01-02") {
		ms += (18 * time.Hour).Milliseconds()
	}
	return ms, err
}

func (a *API) supervisionOut(actor access.Actor, l supervise.Line) SupervisionOut {
	now := a.now()
	out := SupervisionOut{ID: ID(l.ID), No: l.No, Ticket: SupervisionTicket{ID(l.Ticket), l.Row.Number, l.Row.TitleR}, Rule: l.Rule, RuleLabel: l.RuleLabel(), Level: l.Level, LevelLabel: l.LevelLabel(),
		Unit: a.unitRef(l.Unit), Issuer: a.unitRef(l.Issuer), State: l.State, StateLabel: l.StateLabel(), Due: stamp(l.Due), DueText: l.DueText(now), Light: "none", OpenedAt: stamp(l.OpenedAt),
		OpenedBy: a.accountName(l.OpenedBy), ClosedAt: stamp(l.ClosedAt), Requirement: l.Requirement, Version: l.Version, Feedback: []SupervisionNote{}, Actions: []SupervisionAction{}}
	if access.MaskOf(actor.Role, l.Row.Label, access.FieldContent) == access.Absent || !actor.Cleared(l.Row.Label) {
		out.Ticket.Title = "（无权查看内容）"
	}
	if l.Owed() {
		out.Light = light(l.OpenedAt, l.Due, now.UnixMilli())
	}
	for _, n := range l.Notes {
		text := n.Text
		if n.Kind != "feedback" {
			text = supervisionActions[n.Kind].Label + "：" + text
		}
		by := a.Org.Tree().Name(n.Unit)
		if who := a.accountName(n.By); who != "" {
			by += "　" + who
		}
		out.Feedback = append(out.Feedback, SupervisionNote{n.Kind, stamp(n.At), by, text})
	}
	for _, name := range a.Supervise.May(actor, l.Order) {
		out.Actions = append(out.Actions, supervisionActions[name])
	}
	return out
}
