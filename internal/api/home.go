package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/knowledge"
	"hotline/internal/measure"
	"hotline/internal/region"
	"hotline/internal/supervise"
	"hotline/internal/ticket"
)

// HomeOut is the first page of a role.
type HomeOut struct {
	Role     string      `json:"role"`
	Greeting string      `json:"greeting"`
	Blocks   []HomeBlock `json:"blocks"`
}

// HomeBlock is one panel of the first page; its kind says which fields it has.
type HomeBlock struct {
	Kind     string                  `json:"kind" doc:"counts list families map trend notice"`
	Title    string                  `json:"title"`
	Path     string                  `json:"path,omitempty"`
	Items    any                     `json:"items,omitempty"`
	Families map[string][]FamilyItem `json:"families,omitempty"`
	Labels   []string                `json:"labels,omitempty"`
	Series   []TrendSeries           `json:"series,omitempty"`
}

// HomeCount is a queue with the page that works it.
type HomeCount struct {
	QueueCount
	Path string `json:"path"`
}

// FamilyItem is one measure of 接, 分 or 办.
type FamilyItem struct {
	Key        string   `json:"key"`
	Label      string   `json:"label"`
	Value      *float64 `json:"value"`
	Unit       string   `json:"unit"`
	Today      *float64 `json:"today"`
	Week       *float64 `json:"week"`
	Delta      *float64 `json:"delta"`
	Definition string   `json:"definition"`
	Path       string   `json:"path"`
	Note       string   `json:"note,omitempty" doc:"今日另一口径"`
	WeekNote   string   `json:"week_note,omitempty" doc:"近7日另一口径"`
}

// TrendSeries is one line of a trend.
type TrendSeries struct {
	Name   string    `json:"name"`
	Values []float64 `json:"values"`
}

// HomeNotice is a hint with the page that deals with it.
type HomeNotice struct {
	Text string `json:"text"`
	Path string `json:"path,omitempty"`
}

// MapItem is one region of the map.
type MapItem struct {
	Code       string   `json:"code"`
	Name       string   `json:"name"`
	Value      *float64 `json:"value"`
	Count      int64    `json:"count"`
	Population int64    `json:"population"`
	Hidden     bool     `json:"hidden,omitempty" doc:"少于5件，不显示"`
	Path       string   `json:"path"`
}

// MapOut is the map with the limits of its classes.
type MapOut struct {
	Items      []MapItem `json:"items"`
	Legend     []float64 `json:"legend"`
	Definition string    `json:"definition"`
	At         string    `json:"at"`
}

// homeQueues are the queues that a role's first page counts, by menu.
var homeQueues = []struct {
	page   string
	queues []string
}{
	{"desk", []string{"mine", "seat_fix", "to_accept"}},
	{"dispatch", []string{"to_dispatch", "return_review", "disputed", "dispatch_overdue", "extension_review", "to_close"}},
	{"unit", []string{"to_sign", "handling", "due_soon", "overdue", "rework"}},
	{"review", []string{"to_review"}},
	{"callback", []string{"to_callback", "relay", "to_recheck"}},
	{"cell", []string{"informant"}},
}

// dueQueues are looked through, in this order, for what is due next.
var dueQueues = map[access.Role][]string{
	access.Agent: {"seat_fix", "to_accept"}, access.ShiftLead: {"seat_fix", "to_accept"}, access.BranchAgent: {"overdue", "due_soon", "to_sign", "handling"},
	access.Dispatcher: {"dispatch_overdue", "to_dispatch", "return_review", "to_close", "to_sign"}, access.Province: {"disputed", "to_dispatch", "to_close"},
	access.Handler: {"overdue", "due_soon", "to_sign", "handling"}, access.UnitLead: {"overdue", "to_review", "due_soon", "handling"},
	access.Supervisor: {"to_recheck"}, access.Callback: {"to_callback", "relay"}, access.Cell: {"overdue", "to_sign", "handling"},
}

// dueShown is how many tickets the first page names.
const dueShown = 12

func (a *API) homeRoutes() {
	route(a, http.MethodGet, "/api/v1/home", "home", "首页", Rule{Audit: "home"}, func(ctx context.Context, _ *struct{}) (*struct{ Body HomeOut }, error) {
		out, n, err := a.home(ctx, actorOf(ctx))
		if err != nil {
			return nil, err
		}
		return &struct{ Body HomeOut }{out}, a.seenMany(ctx, "home", n, "")
	})
	stats := []access.Verb{access.Stats}
	route(a, http.MethodGet, "/api/v1/map", "map", "诉求地图", Rule{Verbs: stats, Audit: "measure"}, func(ctx context.Context, in *struct {
		Level  string `query:"level"`
		Parent string `query:"parent" maxLength:"6"`
		Metric string `query:"metric"`
		Days   int    `query:"days" minimum:"0" maximum:"31"`
	}) (*struct{ Body MapOut }, error) {
		spots, err := a.Measure.Map(ctx, a.Measure.ViewerOf(actorOf(ctx)), in.Level, in.Parent, in.Metric, in.Days)
		if err != nil {
			return nil, err
		}
		out := MapOut{Items: mapItems(spots), Legend: []float64{}, Definition: measure.MetricDefinition(in.Metric), At: stamp(a.now().UnixMilli())}
		out.Legend = legend(spots)
		return &struct{ Body MapOut }{out}, a.seenMany(ctx, "measure", len(spots), "map "+in.Level)
	})
	a.screenRoutes()
	a.raw(http.MethodGet, "/api/v1/geo/{file}", "geo", "区划边界（示意图）", Rule{Free: "公开地理数据"}, func(w http.ResponseWriter, r *http.Request) error {
		level := map[string]string{"pref.json": "city", "city.json": "city", "county.json": "county"}[r.PathValue("file")]
		b := region.GeoJSON(level)
		if b == nil {
			return fault.NotFound("not_found", "没有这份边界数据。")
		}
		w.Header().Set("Content-Type", "application/geo+json")
		w.Header().Set("Cache-Control", "private, max-age=86400")
		_, err := w.Write(b)
		return err
	})
}

// home puts the blocks of a role together and tells how many tickets it names.
func (a *API) home(ctx context.Context, actor access.Actor) (HomeOut, int, error) {
	out := HomeOut{Role: string(actor.Role), Greeting: a.greeting(actor), Blocks: []HomeBlock{}}
	if notes := a.notices(ctx, actor); len(notes) > 0 {
		out.Blocks = append(out.Blocks, HomeBlock{Kind: "notice", Title: "提示", Items: notes})
	}
	if actor.May(access.Stats) {
		blocks, err := a.figures(ctx, actor)
		if err != nil {
			return out, 0, err
		}
		out.Blocks = append(out.Blocks, blocks...)
	}
	var counts []HomeCount
	for _, m := range access.Menus(actor.Role) {
		for _, h := range homeQueues {
			if h.page != m.Key {
				continue
			}
			qs, err := a.counts(ctx, actor, h.page, h.queues)
			if err != nil {
				return out, 0, err
			}
			for _, q := range qs {
				if !slices.ContainsFunc(counts, func(c HomeCount) bool { return c.Queue == q.Queue }) {
					counts = append(counts, HomeCount{q, m.Path + "?queue=" + q.Queue})
				}
			}
		}
	}
	if actor.May(access.KBEdit) {
		c, err := a.Knowledge.Paths(ctx, actor)
		if err != nil {
			return out, 0, err
		}
		for _, st := range []knowledge.State{knowledge.Review, knowledge.Draft, knowledge.Expiring, knowledge.Expired} {
			counts = append(counts, HomeCount{QueueCount{Queue: "kb_" + string(st), Label: st.Label(), Count: c.States[st]}, "/knowledge?state=" + string(st)})
		}
	}
	if access.MayOpen(actor.Role, "supervise") {
		more, err := a.ledgerCounts(ctx, actor)
		if err != nil {
			return out, 0, err
		}
		counts = append(more, counts...)
	}
	if len(counts) > 0 {
		out.Blocks = append(out.Blocks, HomeBlock{Kind: "counts", Title: "我的队列", Items: counts})
	}
	rows, err := a.dueNext(ctx, actor)
	if err != nil {
		return out, 0, err
	}
	if dueQueues[actor.Role] != nil {
		out.Blocks = append(out.Blocks, HomeBlock{Kind: "list", Title: "接下来到期", Path: "/todo", Items: rows})
	}
	return out, len(rows), nil
}

// figures are the blocks for those who answer for numbers: 接 分 办, the map, the trend.
func (a *API) figures(ctx context.Context, actor access.Actor) ([]HomeBlock, error) {
	v := a.Measure.ViewerOf(actor)
	fams, err := a.Measure.Families(ctx, v)
	if err != nil {
		return nil, err
	}
	shown := map[string][]FamilyItem{}
	for name, list := range fams {
		for _, s := range list {
			it := FamilyItem{Key: s.Name, Label: s.Label, Unit: s.Unit, Today: rounded(s.Today), Week: rounded(s.Week), Delta: rounded(s.Delta), Definition: definitionText(s.Definition), Path: s.Path}
			if it.Value = it.Today; it.Value == nil {
				it.Value = it.Week
			}
			shown[name] = append(shown[name], it)
		}
	}
	calls, err := a.callItems(ctx, actor)
	if err != nil {
		return nil, err
	}
	shown["接"] = append(shown["接"], calls...)
	open, overdue, err := a.Measure.Now(ctx, v)
	if err != nil {
		return nil, err
	}
	n := func(x int64) *float64 { f := float64(x); return &f }
	shown["办"] = append(shown["办"],
		FamilyItem{Key: "open", Label: "当前在办", Value: n(open), Today: n(open), Week: n(open), Unit: "件", Definition: "目前尚未办结的件数。", Path: "/tickets?queue=all&status=" + ticket.Open},
		FamilyItem{Key: "overdue", Label: "当前逾期", Value: n(overdue), Today: n(overdue), Week: n(overdue), Unit: "件", Definition: "目前超过办理时限仍未办结的件数。", Path: "/tickets?queue=overdue"})
	out := []HomeBlock{{Kind: "families", Title: "接、分、办", Families: shown}}
	switch actor.Role {
	case access.Leader, access.Province, access.Supervisor:
		out = append(out, HomeBlock{Kind: "map", Title: "湖北省诉求分布"})
	}
	days, err := a.Measure.Trend(ctx, v, 14)
	if err != nil {
		return nil, err
	}
	b := HomeBlock{Kind: "trend", Title: "近14日受理与办结", Series: []TrendSeries{{Name: "受理"}, {Name: "办结"}}}
	if u, _ := v.Tree.Get(v.Root); !u.Kind.Platform() { // a unit receives nothing itself
		b.Title, b.Series = "近14日办结与逾期", []TrendSeries{{Name: "逾期"}, {Name: "办结"}}
	}
	for _, d := range days {
		b.Labels = append(b.Labels, d.Day.Format("2006-01-02"))
		first := d.Received
		if b.Series[0].Name == "逾期" {
			first = d.Late
		}
		b.Series[0].Values = append(b.Series[0].Values, float64(first))
		b.Series[1].Values = append(b.Series[1].Values, float64(d.Closed))
	}
	return append(out, b), nil
}

// ledgerCounts are the numbers of the 督办台账, from the ledger itself: small,
// where the ticket lists would have to look for the few that are supervised.
func (a *API) ledgerCounts(ctx context.Context, actor access.Actor) ([]HomeCount, error) {
	n, err := a.Supervise.Counts(ctx, actor)
	if err != nil {
		return nil, err
	}
	count := func(key, label string, n, late int64, path string) HomeCount {
		return HomeCount{QueueCount{Queue: key, Label: label, Count: n, Overdue: late}, path}
	}
	return []HomeCount{
		count("sup_open", "督办中", n[supervise.Open], n["late"], "/supervise?state=open"),
		count("sup_feedback", "待销号", n[supervise.Feedback], 0, "/supervise?state=feedback"),
		count("sup_overdue", "逾期线索", n[supervise.RuleOverdue], 0, "/supervise?view=candidates&rule=overdue"),
	}, nil
}

// dueNext lists the next tickets that the actor has to look after.
func (a *API) dueNext(ctx context.Context, actor access.Actor) ([]TicketRow, error) {
	out := []TicketRow{}
	scope := a.scopeFor(actor, nil)
	r := a.renderer(actor)
	seen := map[int64]bool{}
	if actor.Role == access.Supervisor { // what he pressed for comes first
		lines, _, err := a.Supervise.List(ctx, actor, supervise.Filter{State: supervise.Open, Limit: dueShown})
		if err != nil {
			return nil, err
		}
		var ids []int64
		for _, l := range lines {
			if !slices.Contains(ids, l.Ticket) {
				ids = append(ids, l.Ticket)
			}
		}
		if out, err = a.rowsOf(ctx, ids); err != nil {
			return nil, err
		}
		for _, row := range out {
			seen[int64(row.ID)] = true
		}
	}
	for _, q := range dueQueues[actor.Role] {
		if len(out) >= dueShown {
			break
		}
		rows, _, err := a.Ticket.List(ctx, actor, scope(q), ticket.Filter{Queue: q, Limit: dueShown})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if !seen[row.Ticket.ID] && len(out) < dueShown {
				seen[row.Ticket.ID] = true
				out = append(out, r.row(row))
			}
		}
	}
	slices.SortStableFunc(out, func(x, y TicketRow) int {
		switch {
		case x.Due == y.Due:
			return 0
		case x.Due == "" || y.Due != "" && x.Due > y.Due:
			return 1
		}
		return -1
	})
	return out, nil
}

func (a *API) greeting(actor access.Actor) string {
	word := "晚上好"
	switch h := a.now().Hour(); {
	case h >= 5 && h < 11:
		word = "早上好"
	case h >= 11 && h < 14:
		word = "中午好"
	case h >= 14 && h < 18:
		word = "下午好"
	}
	return fmt.Sprintf("%s，%s。%s　%s", word, actor.Name, a.Org.Tree().Name(actor.Unit), actor.Role.Label())
}

// notices are hints that somebody must act on.
func (a *API) notices(ctx context.Context, actor access.Actor) []HomeNotice {
	var out []HomeNotice
	if s := a.loading(ctx); s != "" && actor.May(access.Stats) {
		out = append(out, HomeNotice{Text: s})
	}
	if y := a.unrecorded(actor); y > 0 && mayRecord(actor) {
		n := HomeNotice{Text: yearWarning(y)}
		if access.MayOpen(actor.Role, "calendar") {
			n.Path = "/admin/calendar"
		}
		out = append(out, n)
	}
	for _, x := range []struct{ key, text string }{{"grants", "授权申请须由您审批后生效。"}, {"knowledge", "请及时核对即将过期的知识。"}, {"audit", "可随时核验审计链是否完整。"}} {
		switch actor.Role {
		case access.SecAdmin, access.KBAdmin, access.KBEditor, access.SysAdmin, access.Auditor:
			for _, m := range access.Menus(actor.Role) {
				if m.Key == x.key {
					out = append(out, HomeNotice{x.text, m.Path})
				}
			}
		}
	}
	return out
}

// loading says that figures of the past are not whole yet; "" when they are.
func (a *API) loading(ctx context.Context) string {
	if a.Demo == nil {
		return ""
	}
	return a.Demo.Loading(ctx)
}

func mapItems(spots []measure.Spot) []MapItem {
	out := make([]MapItem, 0, len(spots))
	for _, s := range spots {
		out = append(out, MapItem{s.Code, s.Name, rounded(s.Value), s.Count, s.Population, s.Hidden, s.Path})
	}
	return out
}

// legend gives at most four limits of classes that hold about as many regions each.
func legend(spots []measure.Spot) []float64 {
	var vs []float64
	for _, s := range spots {
		if s.Value != nil && *s.Value > 0 {
			vs = append(vs, *s.Value)
		}
	}
	slices.Sort(vs)
	out := []float64{}
	if len(vs) < 5 {
		return out
	}
	for i := 1; i < 5; i++ {
		v := vs[i*len(vs)/5]
		p := math.Pow(10, math.Floor(math.Log10(v))-1)
		if v = math.Round(v/p) * p; p < 1 {
			v = math.Round(v*1000) / 1000
		}
		if v > 0 && (len(out) == 0 || v > out[len(out)-1]) {
			out = append(out, v)
		}
	}
	return out
}
