package api

import (
	"context"
	"net/http"

	"hotline/internal/access"
	"hotline/internal/voice/cdr"
)

// HoldOut is a call kept from destruction (封存).
type HoldOut struct {
	Call       ID     `json:"call"`
	Number     string `json:"number"`
	Line       string `json:"line"`
	Began      string `json:"began" doc:"来电时刻"`
	Reason     string `json:"reason"`
	By         string `json:"by"`
	Made       string `json:"made"`
	Lifted     string `json:"lifted" doc:"空为封存中"`
	LiftedBy   string `json:"lifted_by"`
	LiftReason string `json:"lift_reason"`
}

func (a *API) holdOut(h cdr.Hold) HoldOut {
	o := HoldOut{Call: ID(h.Call), Number: h.Masked, Line: h.Line, Began: stamp(h.Began), Reason: h.Reason, By: a.accountName(h.By), Made: stamp(h.Made), Lifted: stamp(h.Lifted), LiftReason: h.LiftReason}
	if h.LiftedBy != 0 {
		o.LiftedBy = a.accountName(h.LiftedBy)
	}
	return o
}

// holders may keep what was said from destruction.
var holders = []access.Role{access.ShiftLead, access.Supervisor, access.Province}

func (a *API) holdRoutes() {
	type listOut struct {
		Items []HoldOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/holds", "voice-holds", "录音封存", Rule{Roles: holders, Audit: "call.list"}, func(ctx context.Context, in *struct {
		All bool `query:"all" doc:"含已解除"`
	}) (*struct{ Body listOut }, error) {
		list, err := a.CDR.Holds(ctx, actorOf(ctx), in.All)
		if err != nil {
			return nil, err
		}
		out := listOut{Items: []HoldOut{}}
		for _, h := range list {
			out.Items = append(out.Items, a.holdOut(h))
		}
		return &struct{ Body listOut }{out}, a.seenMany(ctx, "call.list", len(list), "holds")
	})
	type reasonIn struct {
		ID   string `path:"id"`
		Body struct {
			Reason string `json:"reason" maxLength:"200"`
		}
	}
	type doneOut struct {
		Message string `json:"message"`
	}
	for _, act := range []struct {
		name, summary, op, text string
		do                      func(ctx context.Context, who access.Actor, call int64, reason string) error
	}{
		{"hold", "封存通话", "call.hold", "已封存，录音和转写到期也不销毁。", func(ctx context.Context, who access.Actor, call int64, reason string) error {
			_, err := a.CDR.HoldCall(ctx, a.Audit, who, call, reason)
			return err
		}},
		{"unhold", "解除封存", "call.unhold", "已解除封存，保存期限恢复计算。", func(ctx context.Context, who access.Actor, call int64, reason string) error {
			return a.CDR.LiftHold(ctx, a.Audit, who, call, reason)
		}},
	} {
		route(a, http.MethodPost, "/api/v1/calls/{id}/"+act.name, "calls-"+act.name, act.summary, Rule{Roles: holders, Audit: act.op}, func(ctx context.Context, in *reasonIn) (*struct{ Body doneOut }, error) {
			id, err := parseID(in.ID)
			if err != nil {
				return nil, err
			}
			return &struct{ Body doneOut }{doneOut{act.text}}, act.do(ctx, actorOf(ctx), id, in.Body.Reason)
		})
	}
}
