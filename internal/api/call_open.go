package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/ticket"
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
		out := openOut{Items: []CallerTicket{}}
		number, err := a.onLine(ctx, actor, id)
		if err != nil || number == "" { // withheld: nobody's tickets
			return &struct{ Body openOut }{out}, err
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
	type askIn struct {
		ID   string `path:"id"`
		Key  string `header:"Idempotency-Key"`
		Body struct {
			Ticket ID     `json:"ticket"`
			Act    string `json:"act" enum:"urge,supplement"`
			Text   string `json:"text,omitempty" maxLength:"2000"`
		}
	}
	route(a, http.MethodPost, "/api/v1/calls/{id}/ask", "calls-ask", "代在线诉求人催办或补充", Rule{Roles: at, Audit: "call.ask"}, func(ctx context.Context, in *askIn) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		out, err := a.ask(ctx, id, in.Key, int64(in.Body.Ticket), in.Body.Act, in.Body.Text)
		return &struct{ Body doneOut }{doneOut{out}}, err
	})
}

// ask takes a step for the citizen who is, or just was, on the seat's line, on
// a ticket of that number which the seat need not be able to open.
func (a *API) ask(ctx context.Context, call int64, key string, id int64, name, text string) (said string, err error) {
	actor := actorOf(ctx)
	number, err := a.onLine(ctx, actor, call)
	if err != nil {
		return "", err
	}
	if number == "" {
		return "", errNotMyCall()
	}
	mine, err := a.Ticket.ByPhone(ctx, number, callerLooks)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(mine, func(t *ticket.Ticket) bool { return t.ID == id && actor.Cleared(t.Label) }) {
		return "", fault.NotFound("not_found", "没有这张工单，或它不是这位诉求人的工单。")
	}
	act := ticket.Action{Name: name, Fields: map[string]any{map[string]string{"urge": "note", "supplement": "text"}[name]: strings.TrimSpace(text)}}
	digest := ticket.Digest("ask", strconv.FormatInt(call, 10), strconv.FormatInt(id, 10), name, text)
	err = a.DB.Update(ctx, func(tx *db.Tx) error {
		_, answer, err := a.Ticket.Once(tx, actor.Account, key, digest, func() (int, []byte, error) {
			res, err := a.Ticket.AskTx(tx, actor, id, act)
			if err != nil {
				return 0, nil, err
			}
			if name == "supplement" {
				if err := a.CDR.Bind(tx, call, id, actor.Account); err != nil {
					return 0, nil, err
				}
				res.Message += "通话和录音已并入该工单。"
			}
			return http.StatusOK, []byte(res.Message), a.recordIn(tx, actor, audit.Entry{Op: "call.ask", SubjectKind: "ticket", Subject: id, Count: 1})
		})
		said = string(answer)
		return err
	})
	return said, err
}

// onLine is the number of the caller who rings at the actor's seat, talks with
// it or did so until a moment ago, on whichever exchange; "" when it is withheld.
//
// Errors: not_found call_absent when it is not this seat's call.
func (a *API) onLine(ctx context.Context, actor access.Actor, call int64) (string, error) {
	if a.Voice != nil {
		if number, ok := a.Voice.CallerOf(actor, call); ok {
			return number, nil
		}
	}
	return a.CDR.CallerOf(ctx, actor.Account, call)
}

func errNotMyCall() error {
	return fault.NotFound("call_absent", "没有这通电话，或它不在您的查看范围内。")
}
