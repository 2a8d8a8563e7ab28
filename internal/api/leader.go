package api

import (
	"context"
	"net/http"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/voice/cdr"
)

// LeaderOut is a session of 领导接听.
type LeaderOut struct {
	ID         ID     `json:"id"`
	Leader     ID     `json:"leader"`
	LeaderName string `json:"leader_name"`
	Title      string `json:"title"`
	From       string `json:"from"`
	To         string `json:"to"`
	State      string `json:"state" enum:"planned,running,over,cancelled"`
	StateLabel string `json:"state_label"`
	Reason     string `json:"reason" doc:"取消原因"`
	By         string `json:"cancelled_by"`
}

// LeaderItemOut is a matter that a leader took.
type LeaderItemOut struct {
	ID     ID     `json:"id"`
	Call   ID     `json:"call"`
	Ticket ID     `json:"ticket"`
	Number string `json:"ticket_number"`
	State  string `json:"state"`
	Note   string `json:"note"`
	Due    string `json:"due"`
	Late   bool   `json:"late"`
	At     string `json:"at"`
}

func (a *API) leaderRoutes() {
	see := Rule{Roles: []access.Role{access.ShiftLead, access.Supervisor, access.Province, access.Leader}, Audit: "leader"}
	edit := see
	edit.Roles = []access.Role{access.ShiftLead, access.Supervisor, access.Province}
	one := func(l cdr.LeaderSession) LeaderOut {
		o := LeaderOut{ID: ID(l.ID), Leader: ID(l.Leader), LeaderName: a.accountName(l.Leader), Title: l.Title, From: stamp(l.From), To: stamp(l.To), Reason: l.Reason}
		switch now := clock.Millis(a.now()); {
		case l.Cancelled > 0:
			o.State, o.StateLabel, o.By = "cancelled", "已取消", a.accountName(l.CancelledBy)
		case l.To <= now:
			o.State, o.StateLabel = "over", "已结束"
		case l.From <= now:
			o.State, o.StateLabel = "running", "进行中"
		default:
			o.State, o.StateLabel = "planned", "未开始"
		}
		return o
	}
	type sessionsOut struct {
		Items []LeaderOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/leader", "voice-leader", "领导接听", see, func(ctx context.Context, _ *struct{}) (*struct{ Body sessionsOut }, error) {
		list, err := a.CDR.LeaderSessions(ctx, actorOf(ctx))
		if err != nil {
			return nil, err
		}
		out := sessionsOut{Items: []LeaderOut{}}
		for _, l := range list {
			out.Items = append(out.Items, one(l))
		}
		return &struct{ Body sessionsOut }{out}, a.seenMany(ctx, "leader", len(list), "list")
	})
	type sessionIn struct {
		Leader ID     `json:"leader"`
		Title  string `json:"title" maxLength:"60"`
		From   string `json:"from" maxLength:"40"`
		To     string `json:"to" maxLength:"40"`
	}
	route(a, http.MethodPost, "/api/v1/voice/leader", "voice-leader-create", "安排领导接听", edit, func(ctx context.Context, in *struct{ Body sessionIn }) (*struct{ Body LeaderOut }, error) {
		actor := actorOf(ctx)
		from, err := a.formTime("from", in.Body.From)
		if err != nil {
			return nil, err
		}
		to, err := a.formTime("to", in.Body.To)
		if err != nil {
			return nil, err
		}
		if who, err := a.Access.Get(ctx, int64(in.Body.Leader)); err != nil || !a.within(actor, who.Unit) {
			return nil, fault.Invalid("leader_needed", "请选择本平台的账号。").At(fault.Field{Name: "leader", Detail: "请选择账号。"})
		}
		l, err := a.CDR.AddLeaderSession(ctx, actor, cdr.LeaderSession{Leader: int64(in.Body.Leader), Title: in.Body.Title, From: clock.Millis(from), To: clock.Millis(to)})
		if err != nil {
			return nil, err
		}
		return &struct{ Body LeaderOut }{one(l)}, a.seenMany(ctx, "leader", 1, "create")
	})
	cancel := edit
	cancel.Audit = "leader.cancel"
	route(a, http.MethodPost, "/api/v1/voice/leader/{id}/cancel", "voice-leader-cancel", "取消领导接听", cancel, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body struct {
			Reason string `json:"reason" maxLength:"200"`
		}
	}) (*struct{ Body LeaderOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		l, err := a.CDR.CancelLeaderSession(ctx, a.Audit, actorOf(ctx), id, in.Body.Reason)
		if err != nil {
			return nil, err
		}
		if a.Voice != nil {
			err = a.Voice.SessionCancelled(ctx, l.ID)
		}
		return &struct{ Body LeaderOut }{one(l)}, err
	})
	type itemsOut struct {
		Items []LeaderItemOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/leader/{id}/items", "voice-leader-items", "领导接听跟踪", see, func(ctx context.Context, in *pathID) (*struct{ Body itemsOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		list, err := a.CDR.LeaderItems(ctx, actor, id)
		if err != nil {
			return nil, err
		}
		var ids []int64
		for _, i := range list {
			ids = append(ids, i.Ticket)
		}
		numbers, err := a.Ticket.Numbers(ctx, ids, access.GrantOf(actor.Role).Clearance)
		if err != nil {
			return nil, err
		}
		now := clock.Millis(a.now())
		out := itemsOut{Items: []LeaderItemOut{}}
		for _, i := range list {
			out.Items = append(out.Items, LeaderItemOut{ID(i.ID), ID(i.Call), ID(i.Ticket), numbers[i.Ticket], i.State, i.Note, stamp(i.Due), i.State == "open" && now > i.Due, stamp(i.At)})
		}
		return &struct{ Body itemsOut }{out}, a.seenMany(ctx, "leader", len(list), "items")
	})
	type noteIn struct {
		Note string `json:"note" maxLength:"300"`
	}
	type doneOut struct {
		Message string `json:"message"`
	}
	route(a, http.MethodPost, "/api/v1/voice/leader/items/{id}/close", "voice-leader-close", "办结领导接听事项", edit, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body noteIn
	}) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		if err := a.CDR.CloseLeaderItem(ctx, actorOf(ctx), id, in.Body.Note); err != nil {
			return nil, err
		}
		return &struct{ Body doneOut }{doneOut{"已办结。"}}, a.seenMany(ctx, "leader", 1, "close")
	})
}
