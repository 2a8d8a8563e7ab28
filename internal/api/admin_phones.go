package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/workforce"
)

// HandsetOut is a SIP phone (话机) in the list of the administration.
type HandsetOut struct {
	ID         ID      `json:"id"`
	User       string  `json:"user" doc:"SIP账号"`
	Unit       UnitRef `json:"unit"`
	Place      string  `json:"place" doc:"安放位置"`
	Person     string  `json:"person" doc:"专用人员，空为本单位座席共用"`
	SRTP       bool    `json:"srtp" doc:"通话加密"`
	Enabled    bool    `json:"enabled"`
	Registered bool    `json:"registered" doc:"现在已注册"`
	State      string  `json:"state_label"`
	Created    string  `json:"created"`
	Changed    string  `json:"changed"`
}

// HandsetIn is what a new phone is made of.
type HandsetIn struct {
	User   string `json:"user" maxLength:"20"`
	Unit   ID     `json:"unit"`
	Place  string `json:"place" maxLength:"80"`
	Person string `json:"person,omitempty" maxLength:"64" doc:"专用人员的登录名"`
	SRTP   bool   `json:"srtp,omitempty"`
}

// HandsetDone is what an act on a phone answers.
type HandsetDone struct {
	HandsetOut
	Password string `json:"password,omitempty" doc:"话机密码，只显示这一次"`
	Server   string `json:"server,omitempty" doc:"话机上填的服务器地址"`
	Message  string `json:"message"`
}

func (a *API) handsetOut(h *workforce.Handset, up []string) HandsetOut {
	out := HandsetOut{ID: ID(h.ID), User: h.User, Unit: a.unitRef(h.Unit), Place: h.Place, Person: a.accountName(h.Account), SRTP: h.SRTP, Enabled: h.Enabled,
		Registered: h.Enabled && slices.Contains(up, h.User), Created: stamp(h.At), Changed: stamp(h.Changed)}
	switch {
	case !h.Enabled:
		out.State = "停用"
	case out.Registered:
		out.State = "已注册"
	default:
		out.State = "未注册"
	}
	return out
}

// registered are the phones that are at the exchange now.
func (a *API) registered() []string {
	if a.Voice == nil {
		return nil
	}
	return a.Voice.Registered()
}

// handsetDone answers an act after the exchange has been told of it.
func (a *API) handsetDone(ctx context.Context, op string, h workforce.Handset, password, message string) (*struct{ Body HandsetDone }, error) {
	out := HandsetDone{HandsetOut: a.handsetOut(&h, a.registered()), Password: password, Message: message}
	if err := a.noted(ctx, op, "handset", h.ID); err != nil {
		return nil, err
	}
	if a.Voice == nil {
		return &struct{ Body HandsetDone }{out}, nil
	}
	if at, ok := a.Voice.Linked(); ok && password != "" {
		out.Server = at
	}
	return &struct{ Body HandsetDone }{out}, a.Voice.PhonesChanged(ctx)
}

func (a *API) handsetRoutes() {
	keep := func(op string) Rule { return Rule{Verbs: []access.Verb{access.Config}, Audit: op} }
	root := func(ctx context.Context) int64 { return a.Org.Tree().Platform(actorOf(ctx).Unit).ID }
	type listOut struct {
		Items []HandsetOut `json:"items"`
		Units []UnitRef    `json:"units" doc:"可安放话机的单位"`
	}
	route(a, http.MethodGet, "/api/v1/admin/phones", "admin-phones", "话机", keep("handset.list"), func(ctx context.Context, _ *struct{}) (*struct{ Body listOut }, error) {
		list, err := a.Staff.Handsets(ctx, root(ctx))
		if err != nil {
			return nil, err
		}
		up, out := a.registered(), listOut{Items: []HandsetOut{}, Units: []UnitRef{}}
		for _, u := range a.Staff.SeatUnits(root(ctx)) {
			out.Units = append(out.Units, a.unitRef(u.ID))
		}
		for i := range list {
			out.Items = append(out.Items, a.handsetOut(&list[i], up))
		}
		return &struct{ Body listOut }{out}, a.seenMany(ctx, "handset.list", len(list), "")
	})
	route(a, http.MethodPost, "/api/v1/admin/phones", "admin-phones-create", "新建话机", keep("handset.create"), func(ctx context.Context, in *struct{ Body HandsetIn }) (*struct{ Body HandsetDone }, error) {
		b := &in.Body
		if !a.within(actorOf(ctx), int64(b.Unit)) {
			return nil, errOutside()
		}
		h := workforce.Handset{User: b.User, Unit: int64(b.Unit), Place: b.Place, SRTP: b.SRTP}
		if name := strings.TrimSpace(b.Person); name != "" {
			acc, err := a.Access.ByUsername(ctx, name)
			if err != nil || acc.Unit != h.Unit {
				return nil, fault.Invalid("handset_person", "该单位没有登录名为“%s”的人员。", name).At(fault.Field{Name: "person", Detail: "请填写安放单位人员的登录名。"})
			}
			h.Account = acc.ID
		}
		h, password, err := a.Staff.AddHandset(ctx, actorOf(ctx).Account, h)
		if err != nil {
			return nil, err
		}
		return a.handsetDone(ctx, "handset.create", h, password, "话机账号已建立，请把密码填入话机，关闭后不再显示。")
	})
	route(a, http.MethodPost, "/api/v1/admin/phones/{id}/reset", "admin-phones-reset", "重置话机密码", keep("handset.reset"), func(ctx context.Context, in *pathID) (*struct{ Body HandsetDone }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		h, password, err := a.Staff.ResetHandset(ctx, root(ctx), id)
		if err != nil {
			return nil, err
		}
		return a.handsetDone(ctx, "handset.reset", h, password, "已生成新密码，原密码立即失效，请填入话机，关闭后不再显示。")
	})
	for _, act := range []struct {
		name, summary, text string
		on                  bool
	}{{"disable", "停用话机", "话机已停用，不能再注册和接听。", false}, {"enable", "启用话机", "话机已启用，注册后可用。", true}} {
		route(a, http.MethodPost, "/api/v1/admin/phones/{id}/"+act.name, "admin-phones-"+act.name, act.summary, keep("handset."+act.name), func(ctx context.Context, in *pathID) (*struct{ Body HandsetDone }, error) {
			id, err := parseID(in.ID)
			if err != nil {
				return nil, err
			}
			h, err := a.Staff.EnableHandset(ctx, root(ctx), id, act.on)
			if err != nil {
				return nil, err
			}
			return a.handsetDone(ctx, "handset."+act.name, h, "", act.text)
		})
	}
}
