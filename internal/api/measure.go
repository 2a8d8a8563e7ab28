package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/measure"
	"hotline/internal/policy"
	"hotline/internal/report"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// FigureRow is one line of a measure: the number, and what it is with nothing left out.
type FigureRow struct {
	Key      string   `json:"key"`
	Name     string   `json:"name"`
	Num      int64    `json:"num"`
	Den      int64    `json:"den"`
	Value    *float64 `json:"value" nullable:"true"`
	RawNum   int64    `json:"raw_num"`
	RawDen   int64    `json:"raw_den"`
	Raw      *float64 `json:"raw" nullable:"true"`
	Excluded int64    `json:"excluded"`
	Hidden   bool     `json:"hidden,omitempty" doc:"少于5件，不显示"`
	Path     string   `json:"path"`
}

// MeasureOut is a measure by groups.
type MeasureOut struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Definition string      `json:"definition"`
	Unit       string      `json:"unit"`
	Items      []FigureRow `json:"items"`
	Total      FigureRow   `json:"total"`
	Note       string      `json:"note,omitempty" doc:"历史数据载入中的说明"`
}

// MeasureDefinition is how a measure is counted.
type MeasureDefinition struct {
	Name       string `json:"name"`
	Label      string `json:"label"`
	Family     string `json:"family"`
	Unit       string `json:"unit"`
	Formula    string `json:"formula"`
	Exclusions string `json:"exclusions"`
	Target     string `json:"target"`
	Source     string `json:"source"`
	Good       string `json:"good"`
}

// MeasureQuery are the parameters of every question about a measure.
type MeasureQuery struct {
	By       string `query:"by"`
	From     string `query:"from"`
	To       string `query:"to"`
	Region   string `query:"region" maxLength:"12"`
	Unit     string `query:"unit"`
	Category string `query:"category" maxLength:"6"`
	Type     string `query:"type"`
}

func (in MeasureQuery) query(name string) (q measure.Query, err error) {
	q = measure.Query{Name: name, By: in.By, Region: in.Region, Category: in.Category, Type: in.Type}
	if in.Unit != "" {
		if q.Unit, err = parseID(in.Unit); err != nil {
			return q, err
		}
	}
	if q.From, err = dayOf(in.From); err != nil {
		return q, err
	}
	q.To, err = dayOf(in.To)
	return q, err
}

func dayOf(s string) (time.Time, error) {
	ms, err := dayStart(s, 0)
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return clock.FromMillis(ms), nil
}

// rounded keeps three decimals.
func rounded(v *float64) *float64 {
	if v == nil {
		return nil
	}
	r := math.Round(*v*1000) / 1000
	return &r
}

func figureRow(it measure.Item) FigureRow {
	return FigureRow{Key: it.Key, Name: it.Name, Num: it.Num, Den: it.Den, Value: rounded(it.Value), RawNum: it.RawNum, RawDen: it.RawDen, Raw: rounded(it.Raw), Excluded: it.Excluded, Hidden: it.Hidden, Path: it.Path}
}

func (a *API) measureRoutes() {
	rule := Rule{Verbs: []access.Verb{access.Stats}, Audit: "measure"}
	route(a, http.MethodGet, "/api/v1/measures", "measures", "统计指标", rule, func(ctx context.Context, in *struct {
		Name string `query:"name" required:"true" maxLength:"40"`
		MeasureQuery
	}) (*struct{ Body MeasureOut }, error) {
		q, err := in.query(in.Name)
		if err != nil {
			return nil, err
		}
		if q.By == "" {
			q.By = measure.ByRegion
		}
		actor := actorOf(ctx)
		got, err := a.Measure.Value(ctx, a.Measure.ViewerOf(actor), q)
		if err != nil {
			return nil, err
		}
		d := got.Definition
		out := MeasureOut{Name: d.Name, Label: d.Label, Definition: definitionText(d), Unit: d.Unit, Items: make([]FigureRow, 0, len(got.Items)), Total: figureRow(got.Total), Note: a.loading(ctx)}
		for _, it := range got.Items {
			out.Items = append(out.Items, figureRow(it))
		}
		return &struct{ Body MeasureOut }{out}, a.seenMany(ctx, "measure", len(out.Items), d.Name+" "+q.By)
	})
	type definitionsOut struct {
		Version string              `json:"version"`
		Items   []MeasureDefinition `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/measures/definitions", "measures-definitions", "指标口径", Rule{Free: "公开口径"}, func(_ context.Context, _ *struct{}) (*struct{ Body definitionsOut }, error) {
		defs := a.Measure.Definitions(policy.Province)
		out := definitionsOut{Version: defs.Version}
		for _, d := range defs.Measures {
			out.Items = append(out.Items, MeasureDefinition{d.Name, d.Label, d.Family, d.Unit, d.Formula, d.Exclusions, d.Target, d.Source, d.Good})
		}
		return &struct{ Body definitionsOut }{out}, nil
	})
	type behindOut struct {
		Items  []TicketRow `json:"items"`
		Next   string      `json:"next"`
		Total  int64       `json:"total" doc:"计入的工单数，一件计一次；只在第一页"`
		Hidden int         `json:"hidden" doc:"本页略去的、不在查看范围内的工单数"`
	}
	route(a, http.MethodGet, "/api/v1/measures/{name}/tickets", "measures-tickets", "数字背后的工单", Rule{Verbs: []access.Verb{access.Stats}, Audit: "ticket.list"}, func(ctx context.Context, in *struct {
		Name   string `path:"name" maxLength:"40"`
		Key    string `query:"key" maxLength:"40"`
		Cursor string `query:"cursor" maxLength:"80"`
		Limit  int    `query:"limit" maximum:"200"`
		MeasureQuery
	}) (*struct{ Body behindOut }, error) {
		q, err := in.query(in.Name)
		if err != nil {
			return nil, err
		}
		v := a.Measure.ViewerOf(actorOf(ctx))
		out := behindOut{Items: []TicketRow{}, Next: in.Cursor}
		for range behindScan {
			page, err := a.Measure.Tickets(ctx, v, q, in.Key, out.Next, in.Limit)
			if err != nil {
				return nil, err
			}
			if out.Items, err = a.rowsOf(ctx, page.IDs); err != nil {
				return nil, err
			}
			out.Next, out.Total = page.Next, out.Total+page.Total
			out.Hidden += len(page.IDs) - len(out.Items)
			if len(out.Items) > 0 || out.Next == "" {
				break
			}
		}
		return &struct{ Body behindOut }{out}, a.seenMany(ctx, "ticket.list", len(out.Items), "measure "+in.Name)
	})
	type exportOut struct {
		Job ID `json:"job"`
	}
	route(a, http.MethodPost, "/api/v1/exports", "exports", "导出表格", Rule{Verbs: []access.Verb{access.Stats, access.Export}, Audit: "export"}, func(ctx context.Context, in *struct {
		Key  string `header:"Idempotency-Key" maxLength:"128"`
		Body struct {
			Kind   string         `json:"kind"`
			Params map[string]any `json:"params,omitempty"`
		}
	}) (*struct{ Body exportOut }, error) {
		actor, params := actorOf(ctx), report.Params(in.Body.Params)
		refused := a.Report.Check(actor, in.Body.Kind, params)
		if refused != nil && fault.KindOf(refused) != fault.KindForbidden {
			return nil, refused
		}
		e := audit.Entry{Op: "export", Query: in.Body.Kind} // how many it holds is told when it leaves
		if refused != nil {
			e.Outcome = fault.As(refused).Code
		}
		if err := errors.Join(a.saw(ctx, e), refused); err != nil {
			return nil, err
		}
		id, err := a.Report.Start(ctx, actor, in.Body.Kind, params, in.Key)
		return &struct{ Body exportOut }{exportOut{ID(id)}}, err
	})
}

// behindScan bounds how many pages are read for one whose tickets may all be hidden.
const behindScan = 20

func definitionText(d measure.Definition) string {
	s := d.Formula + "。"
	if d.Exclusions != "" && d.Exclusions != "无" {
		s += "排除：" + d.Exclusions + "。"
	}
	if d.Target != "" {
		s += "目标：" + d.Target + "。"
	}
	return s
}

// seenMany audits that an actor was shown n rows of something.
func (a *API) seenMany(ctx context.Context, op string, n int, query string) error {
	actor := actorOf(ctx)
	return a.Audit.Seen(ctx, audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: op, Count: n, IP: actor.IP, Query: zh.Truncate(query, 60)})
}

// rowsOf turns ids into rows in their order, leaving out what the actor may not read.
func (a *API) rowsOf(ctx context.Context, ids []int64) ([]TicketRow, error) {
	out := []TicketRow{}
	if len(ids) == 0 {
		return out, nil
	}
	actor := actorOf(ctx)
	sc := a.Access.ScopeOf(actor)
	byID := map[int64]ticket.Row{}
	f := ticket.Filter{IDs: ids, Limit: 200}
	for {
		rows, next, err := a.Ticket.List(ctx, actor, sc, f)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			byID[r.Ticket.ID] = r
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	r := a.renderer(actor)
	for _, id := range ids {
		if row, ok := byID[id]; ok {
			out = append(out, r.row(row))
		}
	}
	return out, nil
}
