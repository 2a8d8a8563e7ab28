package api

import (
	"context"
	"net/http"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/workforce"
)

// RosterOut is a roster (班表).
type RosterOut struct {
	ID         ID              `json:"id"`
	Line       string          `json:"line"`
	From       int64           `json:"from" doc:"yyyymmdd"`
	To         int64           `json:"to" doc:"yyyymmdd"`
	State      string          `json:"state"`
	StateLabel string          `json:"state_label"`
	Version    int64           `json:"version"`
	Shifts     []ShiftOut      `json:"shifts"`
	Gaps       []workforce.Gap `json:"gaps"`
}

// ShiftOut is one person's time on duty.
type ShiftOut struct {
	ID       ID     `json:"id,omitempty"`
	Account  ID     `json:"account"`
	Name     string `json:"name,omitempty"`
	Template string `json:"template,omitempty" maxLength:"20"`
	From     string `json:"from" maxLength:"40"`
	To       string `json:"to" maxLength:"40"`
	Skill    string `json:"skill,omitempty" maxLength:"60"`
}

// RosterIn is a draft.
type RosterIn struct {
	ID      ID         `json:"id,omitempty"`
	Line    string     `json:"line,omitempty" maxLength:"12"`
	From    int64      `json:"from"`
	To      int64      `json:"to"`
	Version int64      `json:"version,omitempty"`
	Shifts  []ShiftOut `json:"shifts" maxItems:"20000"`
}

// SwapOut is a wish to change shifts.
type SwapOut struct {
	ID     ID     `json:"id"`
	Shift  ID     `json:"shift"`
	From   string `json:"from_name"`
	To     string `json:"to_name"`
	Reason string `json:"reason"`
	At     string `json:"at"`
	State  string `json:"state"`
	Label  string `json:"state_label"`
	Begins string `json:"begins"`
	Ends   string `json:"ends"`
	Asked  bool   `json:"asked_me,omitempty" doc:"等本人答复"`
}

// CertificateOut opens a skill.
type CertificateOut struct {
	ID       ID     `json:"id"`
	Account  ID     `json:"account"`
	Name     string `json:"name"`
	Skill    string `json:"skill"`
	Level    int    `json:"level"`
	Document string `json:"document"`
	Expires  string `json:"expires"`
	Valid    bool   `json:"valid"`
}

func (a *API) rosterOut(r workforce.Roster) RosterOut {
	o := RosterOut{ID: ID(r.ID), Line: r.Line, From: r.From, To: r.To, State: r.State, StateLabel: map[string]string{"draft": "草稿", "published": "已发布", "replaced": "已替换"}[r.State], Version: r.Version, Shifts: []ShiftOut{}, Gaps: []workforce.Gap{}}
	for _, s := range r.Shifts {
		o.Shifts = append(o.Shifts, ShiftOut{ID(s.ID), ID(s.Account), a.accountName(s.Account), s.Template, stamp(s.From), stamp(s.To), s.Skill})
	}
	if len(r.Shifts) > 0 {
		o.Gaps = append(o.Gaps, r.Gaps()...)
	}
	return o
}

func (a *API) rosterRoutes() {
	keep := Rule{Roles: []access.Role{access.ShiftLead, access.Province}, Audit: "roster"}
	centre := func(actor access.Actor) int64 { return actor.Unit }
	type templatesOut struct {
		Items []workforce.Template `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/rosters/templates", "rosters-templates", "班次模板", Rule{Free: "班次模板不含个人信息"}, func(context.Context, *struct{}) (*struct{ Body templatesOut }, error) {
		return &struct{ Body templatesOut }{templatesOut{workforce.Templates()}}, nil
	})
	type rostersOut struct {
		Items []RosterOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/rosters", "rosters", "班表", keep, func(ctx context.Context, _ *struct{}) (*struct{ Body rostersOut }, error) {
		list, err := a.Staff.Rosters(ctx, centre(actorOf(ctx)))
		if err != nil {
			return nil, err
		}
		out := rostersOut{Items: []RosterOut{}}
		for _, r := range list {
			out.Items = append(out.Items, a.rosterOut(r))
		}
		return &struct{ Body rostersOut }{out}, a.seenMany(ctx, "roster", len(list), "list")
	})
	route(a, http.MethodGet, "/api/v1/rosters/{id}", "rosters-get", "一份班表", keep, func(ctx context.Context, in *pathID) (*struct{ Body RosterOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		r, err := a.Staff.Get(ctx, centre(actorOf(ctx)), id)
		if err != nil {
			return nil, err
		}
		return &struct{ Body RosterOut }{a.rosterOut(r)}, a.seenMany(ctx, "roster", len(r.Shifts), "get")
	})
	route(a, http.MethodPost, "/api/v1/rosters", "rosters-create", "保存班表草稿", keep, func(ctx context.Context, in *struct{ Body RosterIn }) (*struct{ Body RosterOut }, error) {
		actor := actorOf(ctx)
		r := workforce.Roster{ID: int64(in.Body.ID), Unit: centre(actor), Line: in.Body.Line, From: in.Body.From, To: in.Body.To, Version: in.Body.Version}
		known := map[int64]bool{}
		for _, s := range in.Body.Shifts {
			from, err := a.formTime("from", s.From)
			if err != nil {
				return nil, err
			}
			to, err := a.formTime("to", s.To)
			if err != nil {
				return nil, err
			}
			ours, err := a.rostered(ctx, actor, int64(s.Account), known)
			if err != nil {
				return nil, err
			}
			if !ours {
				return nil, fault.Invalid("account_unknown", "请选择本平台的人员。").At(fault.Field{Name: "shifts", Detail: "班表里有不属于本平台的人员。"})
			}
			r.Shifts = append(r.Shifts, workforce.Shift{Account: int64(s.Account), Template: s.Template, From: clock.Millis(from), To: clock.Millis(to), Skill: s.Skill})
		}
		r, err := a.Staff.Save(ctx, actor.Account, r)
		if err != nil {
			return nil, err
		}
		return &struct{ Body RosterOut }{a.rosterOut(r)}, a.noted(ctx, "roster", "roster", r.ID)
	})
	route(a, http.MethodPost, "/api/v1/rosters/{id}/publish", "rosters-publish", "发布班表", keep, func(ctx context.Context, in *pathID) (*struct{ Body RosterOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		r, err := a.Staff.Publish(ctx, actor.Account, centre(actor), id)
		if err != nil {
			return nil, err
		}
		return &struct{ Body RosterOut }{a.rosterOut(r)}, a.noted(ctx, "roster", "roster", id)
	})
	type droppedOut struct {
		Message string `json:"message"`
	}
	drop := keep
	drop.Audit = "roster.drop"
	route(a, http.MethodDelete, "/api/v1/rosters/{id}", "rosters-drop", "删除班表草稿", drop, func(ctx context.Context, in *pathID) (*struct{ Body droppedOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		if err := a.Staff.Drop(ctx, centre(actorOf(ctx)), id); err != nil {
			return nil, err
		}
		return &struct{ Body droppedOut }{droppedOut{"草稿已删除。"}}, a.noted(ctx, "roster.drop", "roster", id)
	})
	a.swapRoutes(keep, centre)
	a.certificateRoutes(keep)
}

// rostered tells whether an account is of the actor's platform; known keeps what was found.
func (a *API) rostered(ctx context.Context, actor access.Actor, id int64, known map[int64]bool) (bool, error) {
	ok, asked := known[id]
	if !asked {
		who, err := a.Access.Get(ctx, id)
		if err != nil && fault.As(err).Kind != fault.KindNotFound {
			return false, err
		}
		ok = err == nil && a.within(actor, who.Unit)
		known[id] = ok
	}
	return ok, nil
}

// noted writes that a person did something to a thing.
func (a *API) noted(ctx context.Context, op, kind string, id int64) error {
	actor := actorOf(ctx)
	return a.DB.Update(ctx, func(tx *db.Tx) error {
		return a.recordIn(tx, actor, audit.Entry{Op: op, SubjectKind: kind, Subject: id, Count: 1})
	})
}

func (a *API) certificateRoutes(keep Rule) {
	keep.Audit = "certificate"
	one := func(c workforce.Certificate) CertificateOut {
		return CertificateOut{ID(c.ID), ID(c.Account), a.accountName(c.Account), c.Skill, c.Level, c.Document, stamp(c.Expires), c.Revoked == 0 && c.Expires > clock.Millis(a.now())}
	}
	// person refuses accounts of other centres.
	person := func(ctx context.Context, id int64) error {
		if who, err := a.Access.Get(ctx, id); err != nil || !a.within(actorOf(ctx), who.Unit) {
			return fault.Invalid("account_unknown", "请选择本平台的人员。").At(fault.Field{Name: "account", Detail: "请选择人员。"})
		}
		return nil
	}
	type certificatesOut struct {
		Items []CertificateOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/certificates", "certificates", "上岗证书", keep, func(ctx context.Context, in *struct {
		Account string `query:"account"`
	}) (*struct{ Body certificatesOut }, error) {
		id, err := parseID(in.Account)
		if err != nil {
			return nil, err
		}
		if err := person(ctx, id); err != nil {
			return nil, err
		}
		list, err := a.Staff.Certificates(ctx, id)
		if err != nil {
			return nil, err
		}
		out := certificatesOut{Items: []CertificateOut{}}
		for _, c := range list {
			out.Items = append(out.Items, one(c))
		}
		return &struct{ Body certificatesOut }{out}, a.seenMany(ctx, "certificate", len(list), "list")
	})
	type certificateIn struct {
		Account  ID     `json:"account"`
		Skill    string `json:"skill" maxLength:"60"`
		Level    int    `json:"level"`
		Document string `json:"document,omitempty" maxLength:"60"`
		Expires  string `json:"expires" maxLength:"40"`
	}
	route(a, http.MethodPost, "/api/v1/certificates", "certificates-create", "登记上岗证书", keep, func(ctx context.Context, in *struct{ Body certificateIn }) (*struct{ Body CertificateOut }, error) {
		if err := person(ctx, int64(in.Body.Account)); err != nil {
			return nil, err
		}
		until, err := a.formTime("expires", in.Body.Expires)
		if err != nil {
			return nil, err
		}
		c, err := a.Staff.Certify(ctx, actorOf(ctx).Account, workforce.Certificate{Account: int64(in.Body.Account), Skill: in.Body.Skill, Level: in.Body.Level, Document: in.Body.Document, Expires: clock.Millis(until)})
		if err != nil {
			return nil, err
		}
		return &struct{ Body CertificateOut }{one(c)}, a.noted(ctx, "certificate", "account", c.Account)
	})
	type doneOut struct {
		Message string `json:"message"`
	}
	route(a, http.MethodDelete, "/api/v1/certificates/{id}", "certificates-revoke", "撤销上岗证书", keep, func(ctx context.Context, in *pathID) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		owner, err := a.Staff.CertificateOf(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := person(ctx, owner); err != nil {
			return nil, err
		}
		if err := a.Staff.Revoke(ctx, actorOf(ctx).Account, id); err != nil {
			return nil, err
		}
		return &struct{ Body doneOut }{doneOut{"已撤销，座席下次签入时生效。"}}, a.noted(ctx, "certificate", "certificate", id)
	})
}
