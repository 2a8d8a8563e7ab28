package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/line"
	"hotline/internal/region"
	"hotline/internal/voice/acd"
)

// SeatOut is a colleague's seat on duty (可转的座席).
type SeatOut struct {
	Seat       ID       `json:"seat" doc:"转接目标为 seat:编号"`
	No         string   `json:"no"`
	Name       string   `json:"name"`
	State      string   `json:"state"`
	StateLabel string   `json:"state_label"`
	Since      string   `json:"since"`
	Free       bool     `json:"free" doc:"就绪，可以转"`
	Skills     []string `json:"skills"`
}

// handsOn are the roles that have a seat and can hand a caller on; 领导 has one
// while his session lasts.
var handsOn = []access.Role{access.Agent, access.ShiftLead, access.BranchAgent, access.Callback, access.Supervisor, access.Inspector, access.Leader}

// targetRoutes say where a caller can be handed on.
func (a *API) targetRoutes() {
	type targetsOut struct {
		Items []line.Target `json:"items"`
		Lines []string      `json:"lines" doc:"可转的技能组（queue:号码）"`
	}
	directory := Rule{Roles: append([]access.Role{access.Province}, handsOn...), Free: "公开的转接目录"}
	route(a, http.MethodGet, "/api/v1/voice/targets", "voice-targets", "转接目标", directory, func(ctx context.Context, in *struct {
		Region string `query:"region" maxLength:"12"`
	}) (*struct{ Body targetsOut }, error) {
		place := in.Region
		if place == "" {
			u, _ := a.Org.Tree().Get(actorOf(ctx).Unit)
			place = u.Region
		}
		out := targetsOut{Items: a.Lines.Targets(place, a.now()), Lines: []string{}}
		for _, l := range a.Lines.All(a.now()) {
			if l.Mode == line.SeatsIn && l.State != line.StateCancelled && (l.Region == region.ProvinceCode || region.Contains(l.Region, place)) {
				out.Lines = append(out.Lines, l.Number)
			}
		}
		return &struct{ Body targetsOut }{out}, nil
	})
	type seatsOut struct {
		Items []SeatOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/seats", "voice-seats", "可转的座席", Rule{Roles: handsOn, Audit: "voice.seats"}, func(ctx context.Context, _ *struct{}) (*struct{ Body seatsOut }, error) {
		actor := actorOf(ctx)
		x, err := a.exchange(actor)
		if err != nil {
			return nil, err
		}
		out := seatsOut{Items: []SeatOut{}}
		for _, s := range x.Seats(actor) {
			if s.Seat != 0 && s.Seat != actor.Account {
				out.Items = append(out.Items, SeatOut{ID(s.Seat), s.No, s.Name, string(s.State), s.Label, stamp(s.Since), s.State == acd.Ready, a.skills(s.Skills)})
			}
		}
		slices.SortStableFunc(out.Items, func(p, q SeatOut) int {
			if p.Free != q.Free {
				return map[bool]int{true: -1, false: 1}[p.Free]
			}
			n, _ := strconv.Atoi(p.No)
			m, _ := strconv.Atoi(q.No)
			return cmp.Compare(n, m)
		})
		return &struct{ Body seatsOut }{out}, a.seenMany(ctx, "voice.seats", len(out.Items), "")
	})
}

// skills names what a seat can do beyond what every seat does, best first.
func (a *API) skills(of map[string]int) []string {
	names := []string{}
	for s := range of {
		names = append(names, s)
	}
	slices.SortFunc(names, func(p, q string) int { return cmp.Or(cmp.Compare(of[q], of[p]), cmp.Compare(p, q)) })
	out := []string{}
	for _, s := range names {
		kind, value, _ := strings.Cut(s, ":")
		switch {
		case kind == "seat" || s == "lang:zh":
		case s == "role:lead":
			out = append(out, "班长")
		case kind == "line":
			out = append(out, strings.TrimSpace(value+" "+a.Lines.Name(value, a.now())))
		default:
			out = append(out, value)
		}
	}
	return out
}
