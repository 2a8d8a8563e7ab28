package api

import (
	"context"
	"net/http"
	"slices"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/workforce"
)

// shiftRoles have shifts: they may see their own and change them with another.
var shiftRoles = []access.Role{access.Agent, access.ShiftLead, access.BranchAgent, access.Callback, access.Province}

var swapWord = map[string]string{workforce.SwapAsked: "待同事确认", workforce.SwapAccepted: "待班长审批", workforce.SwapDeclined: "同事不同意", workforce.SwapAgreed: "已换班", workforce.SwapRefused: "班长不同意"}

func (a *API) swapOut(w workforce.Swap, me int64) SwapOut {
	return SwapOut{ID: ID(w.ID), Shift: ID(w.Shift), From: a.accountName(w.From), To: a.accountName(w.To), Reason: w.Reason, At: stamp(w.At), State: w.State, Label: swapWord[w.State], Begins: stamp(w.Begins), Ends: stamp(w.Ends), Asked: w.To == me && w.State == workforce.SwapAsked}
}

// MyShifts (我的班次) are a person's shifts, with whom they can be changed.
type MyShifts struct {
	Shifts     []ShiftOut  `json:"shifts"`
	Swaps      []SwapOut   `json:"swaps"`
	Colleagues []PersonOut `json:"colleagues"`
}

// colleagues are those of one's own unit who have shifts.
func (a *API) colleagues(ctx context.Context, actor access.Actor) ([]PersonOut, error) {
	out := []PersonOut{}
	for _, r := range shiftRoles {
		list, _, err := a.Access.Accounts(ctx, access.Filter{Unit: actor.Unit, Role: r, State: access.StateActive}, "", maxPeople)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			if p.ID != actor.Account {
				out = append(out, PersonOut{ID(p.ID), p.Name, r.Label()})
			}
		}
	}
	return out, nil
}

func (a *API) swapRoutes(keep Rule, centre func(access.Actor) int64) {
	mine := Rule{Roles: shiftRoles, Audit: "roster"}
	route(a, http.MethodGet, "/api/v1/rosters/mine", "rosters-mine", "我的班次", mine, func(ctx context.Context, _ *struct{}) (*struct{ Body MyShifts }, error) {
		actor := actorOf(ctx)
		shifts, err := a.Staff.Mine(ctx, actor.Account)
		if err != nil {
			return nil, err
		}
		swaps, err := a.Staff.SwapsOf(ctx, actor.Account)
		if err != nil {
			return nil, err
		}
		out := MyShifts{Shifts: []ShiftOut{}, Swaps: []SwapOut{}}
		for _, s := range shifts {
			out.Shifts = append(out.Shifts, ShiftOut{ID(s.ID), ID(s.Account), actor.Name, s.Template, stamp(s.From), stamp(s.To), s.Skill})
		}
		for _, w := range swaps {
			out.Swaps = append(out.Swaps, a.swapOut(w, actor.Account))
		}
		if out.Colleagues, err = a.colleagues(ctx, actor); err != nil {
			return nil, err
		}
		return &struct{ Body MyShifts }{out}, a.seenMany(ctx, "roster", len(shifts)+len(swaps), "mine")
	})
	type swapsOut struct {
		Items []SwapOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/rosters/swaps", "rosters-swaps", "换班申请", keep, func(ctx context.Context, _ *struct{}) (*struct{ Body swapsOut }, error) {
		list, err := a.Staff.Swaps(ctx, centre(actorOf(ctx)))
		if err != nil {
			return nil, err
		}
		out := swapsOut{Items: []SwapOut{}}
		for _, w := range list {
			out.Items = append(out.Items, a.swapOut(w, 0))
		}
		return &struct{ Body swapsOut }{out}, a.seenMany(ctx, "roster", len(list), "swaps")
	})
	type swapIn struct {
		Shift  ID     `json:"shift"`
		To     ID     `json:"to"`
		Reason string `json:"reason" maxLength:"200"`
	}
	route(a, http.MethodPost, "/api/v1/rosters/swaps", "rosters-swaps-create", "申请换班", mine, func(ctx context.Context, in *struct{ Body swapIn }) (*struct{ Body SwapOut }, error) {
		actor := actorOf(ctx)
		who, err := a.Access.Get(ctx, int64(in.Body.To))
		if err != nil || who.Unit != actor.Unit || !slices.Contains(shiftRoles, who.Role) {
			return nil, fault.Invalid("swap_invalid", "请选择本单位的座席接班。").At(fault.Field{Name: "to", Detail: "请选择接班人。"})
		}
		w, err := a.Staff.AskSwap(ctx, actor.Account, int64(in.Body.Shift), int64(in.Body.To), in.Body.Reason)
		if err != nil {
			return nil, err
		}
		return &struct{ Body SwapOut }{a.swapOut(w, actor.Account)}, a.noted(ctx, "roster", "swap", w.ID)
	})
	type doneOut struct {
		Message string `json:"message"`
	}
	route(a, http.MethodPost, "/api/v1/rosters/swaps/{id}/answers/{answer}", "rosters-swaps-answer", "答复换班", mine, func(ctx context.Context, in *struct {
		ID     string `path:"id"`
		Answer string `path:"answer" enum:"accept,decline"`
	}) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		accept := in.Answer == "accept"
		if err := a.Staff.AnswerSwap(ctx, actorOf(ctx).Account, id, accept); err != nil {
			return nil, err
		}
		text := "已答复不同意。"
		if accept {
			text = "已同意接班，待班长审批。"
		}
		return &struct{ Body doneOut }{doneOut{text}}, a.noted(ctx, "roster", "swap", id)
	})
	route(a, http.MethodPost, "/api/v1/rosters/swaps/{id}/{decision}", "rosters-swaps-decide", "审批换班", keep, func(ctx context.Context, in *struct {
		ID       string `path:"id"`
		Decision string `path:"decision" enum:"agree,refuse"`
	}) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		agree := in.Decision == "agree"
		if err := a.Staff.DecideSwap(ctx, actor.Account, centre(actor), id, agree); err != nil {
			return nil, err
		}
		text := "已答复不同意，班表不变。"
		if agree {
			text = "已批准，班表已调整。"
		}
		return &struct{ Body doneOut }{doneOut{text}}, a.noted(ctx, "roster", "swap", id)
	})
}
