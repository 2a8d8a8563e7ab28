package api

import (
	"context"
	"net/http"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// callOpenRoutes are what the seat of a call does with the tickets that its
// caller has open already.
func (a *API) callOpenRoutes() {
	at := []access.Role{access.Agent, access.ShiftLead, access.BranchAgent}
	type openOut struct {
		Items []CallerTicket `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/calls/{id}/open", "calls-open", "诉求人的在办工单", Rule{Roles: at, Audit: "caller.lookup"}, func(ctx context.Context, in *pathID) (*struct{ Body openOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		if a.Voice == nil {
			return nil, errNoVoice()
		}
		number, ok := a.Voice.CallerOf(actor, id)
		if !ok {
			return nil, errNotMyCall()
		}
		out := openOut{Items: []CallerTicket{}}
		if number == "" { // withheld: nobody's tickets
			return &struct{ Body openOut }{out}, nil
		}
		c, err := a.caller(ctx, actor, number)
		out.Items = c.Open
		return &struct{ Body openOut }{out}, err
	})
	type bindIn struct {
		ID   string `path:"id"`
		Body struct {
			Ticket ID `json:"ticket"`
		}
	}
	type doneOut struct {
		Message string `json:"message"`
	}
	route(a, http.MethodPost, "/api/v1/calls/{id}/bind", "calls-bind", "来电并入原工单", Rule{Roles: at, Audit: "call.bind"}, func(ctx context.Context, in *bindIn) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		t, err := a.Ticket.Get(ctx, actor, int64(in.Body.Ticket))
		if err != nil {
			return nil, err
		}
		err = a.DB.Update(ctx, func(tx *db.Tx) error {
			if err := a.CDR.Bind(tx, id, t.ID, actor.Account); err != nil {
				return err
			}
			return a.recordIn(tx, actor, audit.Entry{Op: "call.bind", SubjectKind: "call", Subject: id, Count: 1})
		})
		return &struct{ Body doneOut }{doneOut{"通话和录音已并入该工单。"}}, err
	})
}

func errNotMyCall() error {
	return fault.NotFound("call_absent", "没有这通电话，或它不在您的查看范围内。")
}
