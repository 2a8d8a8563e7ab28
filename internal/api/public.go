package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"

	"hotline/internal/access"
	"hotline/internal/intake"
	"hotline/internal/ticket"
)

// PublicIntake is a request from outside: POST /api/v1/intake.
type PublicIntake struct {
	Type      string `json:"type" doc:"咨询 求助 投诉 举报 建议 表扬 其他"`
	Title     string `json:"title,omitempty"`
	Content   string `json:"content"`
	Region    string `json:"region"`
	Address   string `json:"address,omitempty"`
	Name      string `json:"name,omitempty"`
	Phone     string `json:"phone,omitempty"`
	Secret    bool   `json:"secret,omitempty" doc:"对承办单位隐藏身份"`
	Anonymous bool   `json:"anonymous,omitempty"`
	Object    string `json:"object,omitempty"`
}

// PublicTicket is what a citizen sees of a ticket.
type PublicTicket struct {
	Number      string       `json:"number"`
	Type        string       `json:"type"`
	Title       string       `json:"title"`
	Status      string       `json:"status"`
	StatusLabel string       `json:"status_label"`
	Unit        string       `json:"unit"`
	AcceptedAt  string       `json:"accepted_at"`
	Due         string       `json:"due"`
	Reply       string       `json:"reply"`
	Steps       []PublicStep `json:"steps"`
	Points      []PointOut   `json:"points"`
}

// PublicStep is a public line of the course.
type PublicStep struct {
	At    string `json:"at"`
	Label string `json:"label"`
	Unit  string `json:"unit"`
	Text  string `json:"text"`
}

func (a *API) publicRoutes() {
	type receipt struct {
		Number    string `json:"number"`
		QueryCode string `json:"query_code"`
	}
	route(a, http.MethodPost, "/api/v1/intake", "intake-create", "公众提交诉求", Rule{Public: true, Audit: "event"}, func(ctx context.Context, in *struct {
		Key   string `header:"Idempotency-Key"`
		Proof string `header:"Proof" doc:"429 时给出的工作量证明的答案"`
		Body  PublicIntake
	}) (*struct{ Body receipt }, error) {
		ip := actorOf(ctx).IP
		if err := a.Gate.Allow(ip); err != nil && !a.Gate.Proved(ip, in.Proof) {
			return nil, err
		}
		b := in.Body
		r := intake.Request{Type: b.Type, Title: b.Title, Content: b.Content, Region: b.Region, Address: b.Address, Object: b.Object, Channel: "web", Public: true, Visitor: a.Demo != nil,
			Requester: ticket.Requester{Kind: "个人", Name: b.Name, Phone: b.Phone}}
		if b.Secret {
			r.Secrecy = ticket.SecrecyUnit
		}
		if b.Anonymous || b.Phone == "" {
			r.Secrecy = ticket.SecrecyAnonymous
		}
		body, _ := json.Marshal(b)
		out, err := a.create(ctx, access.AsCitizen(0, ip), r, in.Key, body, nil)
		return &struct{ Body receipt }{receipt{out.Number, out.QueryCode}}, err
	})
	route(a, http.MethodGet, "/api/v1/public/tickets/{number}", "public-ticket", "凭查询码看进度", Rule{Public: true, Audit: "public.view"}, func(ctx context.Context, in *struct {
		Number string `path:"number" maxLength:"40"`
		Code   string `query:"code" maxLength:"20"`
	}) (*struct{ Body PublicTicket }, error) {
		right, err := a.Gate.Try(actorOf(ctx).IP, in.Number)
		if err != nil {
			return nil, err
		}
		t, err := a.Ticket.ByCode(ctx, in.Number, in.Code)
		if err != nil {
			return nil, err
		}
		right()
		out, err := a.publicTicket(ctx, t)
		return &struct{ Body PublicTicket }{out}, err
	})
}

func (a *API) publicTicket(ctx context.Context, t *ticket.Ticket) (PublicTicket, error) {
	body, _, err := a.Ticket.Own(t)
	if err != nil {
		return PublicTicket{}, err
	}
	lines, err := a.Ticket.Timeline(ctx, t, true)
	if err != nil {
		return PublicTicket{}, err
	}
	tree := a.Org.Tree()
	out := PublicTicket{Number: t.Number, Type: t.Type, Title: body.Title, Status: t.Status, StatusLabel: a.Ticket.RulesNow(t.Platform).StatusWord(t.Status), AcceptedAt: stamp(t.Accepted), Due: stamp(t.Due), Unit: tree.Name(t.Platform), Steps: []PublicStep{}, Points: []PointOut{}}
	if t.Unit != 0 {
		out.Unit = tree.Name(t.Unit)
	}
	handled := t.Status == ticket.ToCallback || t.Status == ticket.Closed || t.Status == ticket.ToRecheck
	for _, l := range lines {
		if !l.Public {
			continue
		}
		s := PublicStep{At: stamp(l.Event.At), Label: l.Label, Unit: tree.Name(num(l.Data, "au"))}
		s.Text = l.Reason
		for _, x := range l.Texts {
			if ticket.PublicText(x.Kind) {
				s.Text = x.Text
			}
		}
		out.Steps = append(out.Steps, s)
	}
	said := map[int64]string{}
	if handled { // the reply is the citizen's once the hotline has passed it
		for _, l := range lines {
			for _, x := range l.Texts {
				said[x.ID] = x.Text
				if x.Kind == "reply" || x.Kind == "answer" {
					out.Reply = x.Text
				}
			}
		}
	}
	for _, p := range t.Detail.Points {
		x := PointOut{No: p.No, Text: p.Text, State: p.State, Unit: tree.Name(p.Unit)}
		if handled {
			x.Result = cmp.Or(said[p.Said], p.Result)
		}
		out.Points = append(out.Points, x)
	}
	return out, nil
}
