package api

import (
	"context"
	"net/http"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/fault"
	"hotline/internal/ticket"
)

// RevealRequestOut is a request for sealed data. It names the ticket by 单号
// and holds nothing of it.
type RevealRequestOut struct {
	ID           ID       `json:"id"`
	Ticket       ID       `json:"ticket"`
	Number       string   `json:"number"`
	Field        string   `json:"field"`
	FieldLabel   string   `json:"field_label"`
	Purpose      string   `json:"purpose"`
	PurposeLabel string   `json:"purpose_label"`
	Reason       string   `json:"reason"`
	By           string   `json:"by"`
	Unit         UnitRef  `json:"unit"`
	State        string   `json:"state" enum:"pending,approved,refused,used,expired"`
	StateLabel   string   `json:"state_label"`
	At           string   `json:"at"`
	Expires      string   `json:"expires"`
	DecidedBy    string   `json:"decided_by"`
	DecidedAt    string   `json:"decided_at"`
	Opinion      string   `json:"opinion"`
	UsedAt       string   `json:"used_at"`
	Until        string   `json:"until"`
	Actions      []string `json:"actions" doc:"decide 可审批；reveal 可查看"`
}

// RevealQuotaOut is an account's day of looking at personal data.
type RevealQuotaOut struct {
	Account ID      `json:"account"`
	Name    string  `json:"name"`
	Unit    UnitRef `json:"unit"`
	Day     string  `json:"day"`
	Used    int64   `json:"used"`
	Refused int64   `json:"refused"`
	Limit   int     `json:"limit" doc:"0 为不限"`
	LastAt  string  `json:"last_at"`
	Alarm   bool    `json:"alarm" doc:"超额后尚未处理"`
	SeenBy  string  `json:"seen_by"`
	SeenAt  string  `json:"seen_at"`
}

var (
	revealFields = map[string]string{access.FieldPhone: "联系电话", access.FieldName: "姓名", access.FieldAddress: "详细地址", access.FieldContent: "诉求原文"}
	revealStates = map[string]string{ticket.RevealPending: "待批准", ticket.RevealApproved: "已批准，待查看", ticket.RevealRefused: "不批准", ticket.RevealUsed: "已查看", ticket.RevealExpired: "已过期"}
)

func (a *API) revealRoutes() {
	ask := Rule{Verbs: []access.Verb{access.Sealed}, Audit: "reveal.request"}
	type one struct{ Body RevealRequestOut }
	route(a, http.MethodPost, "/api/v1/tickets/{id}/reveal-requests", "reveal-requests-create", "申请查看密封信息", ask, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body struct {
			Field      string `json:"field" enum:"phone,name,address,content"`
			ReasonCode string `json:"reason_code"`
			Reason     string `json:"reason" maxLength:"200"`
		}
	}) (*one, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		r, err := a.Ticket.RequestReveal(ctx, actor, id, in.Body.Field, in.Body.ReasonCode, in.Body.Reason, actor.IP)
		if err != nil {
			return nil, err
		}
		return &one{a.revealRequestOut(actor, r)}, nil
	})
	type ofTicket struct {
		Fields []string           `json:"fields" doc:"可以申请的信息项"`
		Items  []RevealRequestOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/tickets/{id}/reveal-requests", "reveal-requests-ticket", "本人对一张工单的申请", Rule{Verbs: ask.Verbs, Audit: "reveal.list"}, func(ctx context.Context, in *pathID) (*struct{ Body ofTicket }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		t, err := a.Ticket.Get(ctx, actor, id)
		if err != nil {
			return nil, err
		}
		list, _, err := a.Ticket.RevealRequests(ctx, actor, ticket.RevealFilter{Ticket: id})
		if err != nil {
			return nil, err
		}
		return &struct{ Body ofTicket }{ofTicket{a.Ticket.Requestable(t, actor), a.revealRequestsOut(actor, list)}}, a.saw(ctx, audit.Entry{Op: "reveal.list", SubjectKind: "ticket", Subject: id, Count: len(list)})
	})
	type listOut struct {
		Items []RevealRequestOut `json:"items"`
		Next  string             `json:"next"`
	}
	route(a, http.MethodGet, "/api/v1/reveal-requests", "reveal-requests-list", "密封信息查看申请", Rule{Verbs: []access.Verb{access.Sealed, access.RevealApprove}, Audit: "reveal.list"}, func(ctx context.Context, in *struct {
		State  string `query:"state" maxLength:"20"`
		Cursor string `query:"cursor" maxLength:"20"`
		Limit  int    `query:"limit" minimum:"0" maximum:"200"`
	}) (*struct{ Body listOut }, error) {
		actor := actorOf(ctx)
		list, next, err := a.Ticket.RevealRequests(ctx, actor, ticket.RevealFilter{State: in.State, Cursor: in.Cursor, Limit: in.Limit})
		if err != nil {
			return nil, err
		}
		return &struct{ Body listOut }{listOut{a.revealRequestsOut(actor, list), next}}, a.saw(ctx, audit.Entry{Op: "reveal.list", Count: len(list), Query: in.State})
	})
	approve := []access.Verb{access.RevealApprove}
	route(a, http.MethodPost, "/api/v1/reveal-requests/{id}/decide", "reveal-requests-decide", "审批密封信息查看申请", Rule{Verbs: approve, Audit: "reveal.approve"}, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body struct {
			Decision string `json:"decision" enum:"pass,reject"`
			Opinion  string `json:"opinion" maxLength:"200"`
		}
	}) (*one, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		r, err := a.Ticket.DecideReveal(ctx, actor, id, in.Body.Decision == "pass", in.Body.Opinion, actor.IP)
		if err != nil {
			return nil, err
		}
		return &one{a.revealRequestOut(actor, r)}, nil
	})
	type quotaOut struct {
		Day   string           `json:"day"`
		Items []RevealQuotaOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/privacy/quotas", "privacy-quotas", "个人信息查看次数与超额提醒", Rule{Verbs: approve, Audit: "reveal.list"}, func(ctx context.Context, in *struct {
		Day string `query:"day" maxLength:"10" doc:"2026-11-23，空为今天"`
	}) (*struct{ Body quotaOut }, error) {
		day, err := a.revealDay(in.Day)
		if err != nil {
			return nil, err
		}
		list, err := a.Ticket.RevealDays(ctx, actorOf(ctx), day, 500)
		if err != nil {
			return nil, err
		}
		out := quotaOut{Day: day, Items: make([]RevealQuotaOut, 0, len(list))}
		for _, d := range list {
			x := RevealQuotaOut{Account: ID(d.Account), Name: a.accountName(d.Account), Unit: a.unitRef(d.Unit), Day: d.Day, Used: d.Used, Refused: d.Refused, Limit: d.Limit, LastAt: stamp(d.LastAt),
				Alarm: d.Refused > 0 && d.SeenAt == 0}
			if d.SeenAt != 0 {
				x.SeenBy, x.SeenAt = a.accountName(d.SeenBy), stamp(d.SeenAt)
			}
			out.Items = append(out.Items, x)
		}
		return &struct{ Body quotaOut }{out}, a.saw(ctx, audit.Entry{Op: "reveal.list", Count: len(list), Query: "quota " + day})
	})
	route(a, http.MethodPost, "/api/v1/privacy/quotas/seen", "privacy-quotas-seen", "处理超额提醒", Rule{Verbs: approve, Audit: "reveal.alarm"}, func(ctx context.Context, in *struct {
		Body struct {
			Account ID     `json:"account"`
			Day     string `json:"day,omitempty" maxLength:"10"`
		}
	}) (*struct{}, error) {
		day, err := a.revealDay(in.Body.Day)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		return nil, a.Ticket.SeeRevealAlarm(ctx, actor, int64(in.Body.Account), day, actor.IP)
	})
}

// revealDay reads a day; "" is today.
func (a *API) revealDay(s string) (string, error) {
	if s == "" {
		return a.now().Format(time.DateOnly), nil
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fault.Invalid("date_invalid", "日期应为“2026-11-22”这样的格式。")
	}
	return s, nil
}

func (a *API) revealRequestsOut(actor access.Actor, list []*ticket.RevealRequest) []RevealRequestOut {
	out := make([]RevealRequestOut, 0, len(list))
	for _, r := range list {
		out = append(out, a.revealRequestOut(actor, r))
	}
	return out
}

func (a *API) revealRequestOut(actor access.Actor, r *ticket.RevealRequest) RevealRequestOut {
	now := a.now().UnixMilli()
	out := RevealRequestOut{ID: ID(r.ID), Ticket: ID(r.Ticket), Number: r.Number, Field: r.Field, FieldLabel: revealFields[r.Field], Purpose: r.Purpose, PurposeLabel: reasonWord(r.Purpose), Reason: r.Reason,
		By: a.accountName(r.Account), Unit: a.unitRef(r.Unit), State: r.State, StateLabel: revealStates[r.State], At: stamp(r.At), Expires: stamp(r.Expires),
		DecidedBy: a.accountName(r.Decider), DecidedAt: stamp(r.DecidedAt), Opinion: r.Opinion, UsedAt: stamp(r.UsedAt), Until: stamp(r.Until), Actions: []string{}}
	switch {
	case r.State == ticket.RevealPending && actor.May(access.RevealApprove) && actor.Account != r.Account:
		out.Actions = append(out.Actions, "decide")
	case actor.Account == r.Account && (r.State == ticket.RevealApproved || r.State == ticket.RevealUsed && r.Until > now):
		out.Actions = append(out.Actions, "reveal")
	}
	return out
}
