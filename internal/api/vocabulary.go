package api

import (
	"context"
	"net/http"
	"strconv"

	"hotline/internal/access"
	"hotline/internal/category"
	"hotline/internal/knowledge/seed"
	"hotline/internal/line"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// Choice is a code with its word.
type Choice struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// MetaOut is the vocabulary that every form needs, from the rule table in force.
type MetaOut struct {
	Types          []string          `json:"types"`
	Urgencies      []string          `json:"urgencies"`
	Secrecies      []Choice          `json:"secrecies"`
	Channels       []Choice          `json:"channels"`
	Labels         []Choice          `json:"labels"`
	Statuses       []Choice          `json:"statuses"`
	States         []Choice          `json:"states"`
	ReturnReasons  []Choice          `json:"return_reasons"`
	SuspendReasons []Choice          `json:"suspend_reasons"`
	CloseModes     []Choice          `json:"close_modes"`
	Satisfactions  []Choice          `json:"satisfactions"`
	Dissatisfied   []Choice          `json:"dissatisfactions"`
	RedirectKinds  []Choice          `json:"redirect_kinds"`
	InvalidReasons []Choice          `json:"invalid_reasons"`
	Lines          []MetaLine        `json:"lines"`
	Phrases        []MetaPhrase      `json:"phrases"`
	RevealReasons  []Choice          `json:"reveal_reasons"`
	ActionLabels   map[string]string `json:"action_labels"`
}

// MetaLine is a hotline number.
type MetaLine struct {
	Number string `json:"number"`
	Name   string `json:"name"`
	Mode   string `json:"mode"`
}

// MetaPhrase is a 话术.
type MetaPhrase struct {
	Step string `json:"step"`
	Text string `json:"text"`
}

func choices(terms []ticket.Term) []Choice {
	out := make([]Choice, 0, len(terms))
	for _, t := range terms {
		out = append(out, Choice{t.Code(), t.Word()})
	}
	return out
}

// RegionOut is a place of the cascade.
type RegionOut struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Level    int    `json:"level"`
	Initials string `json:"initials"`
	Path     string `json:"path,omitempty"`
}

// CategoryOut is a 事项 with what a person needs to choose it.
type CategoryOut struct {
	Code       string        `json:"code"`
	Name       string        `json:"name"`
	Level      int           `json:"level"`
	Path       string        `json:"path,omitempty"`
	Definition string        `json:"definition,omitempty"`
	Example    string        `json:"example,omitempty"`
	Duty       string        `json:"duty,omitempty"`
	Lowest     string        `json:"lowest,omitempty"`
	Limit      string        `json:"limit,omitempty"`
	Basis      string        `json:"basis,omitempty"`
	Children   []CategoryOut `json:"children,omitempty"`
}

// UnitOut is a unit in a picker.
type UnitOut struct {
	ID               ID     `json:"id"`
	Code             string `json:"code"`
	Name             string `json:"name"`
	Kind             string `json:"kind"`
	KindLabel        string `json:"kind_label"`
	Region           string `json:"region"`
	Parent           ID     `json:"parent"`
	Path             string `json:"path"`
	Responsibilities string `json:"responsibilities"`
	Children         int    `json:"children"`
}

func (a *API) vocabularyRoutes() {
	free := Rule{Free: "公共词表"}
	route(a, http.MethodGet, "/api/v1/meta", "meta", "词表", free, func(ctx context.Context, _ *struct{}) (*struct{ Body MetaOut }, error) {
		r := a.Ticket.RulesNow(a.Org.Tree().Platform(actorOf(ctx).Unit).ID)
		m := MetaOut{Types: ticket.Types, Urgencies: category.Urgencies, Statuses: choices(r.Statuses), States: choices(r.States), ReturnReasons: choices(r.Options["return_reason"]), SuspendReasons: choices(r.Options["suspend_reason"]),
			CloseModes: choices(r.Options["close_mode"]), Satisfactions: choices(r.Options["satisfaction"]), Dissatisfied: choices(r.Options["dissatisfied"]), RedirectKinds: choices(r.Options["redirect_kind"]),
			InvalidReasons: choices(r.Options["invalid_reason"]), RevealReasons: choices(ticket.RevealReasons), ActionLabels: map[string]string{}}
		for _, s := range []string{ticket.SecrecyNormal, ticket.SecrecyAccused, ticket.SecrecyUnit, ticket.SecrecyAnonymous} {
			m.Secrecies = append(m.Secrecies, Choice{s, secrecyWords[s]})
		}
		for _, c := range []string{"phone", "web", "wechat", "weibo", "app", "sms", "mail", "walkin"} {
			m.Channels = append(m.Channels, Choice{c, channelWord(c)})
		}
		for _, l := range access.Labels() {
			m.Labels = append(m.Labels, Choice{string(l), l.Word()})
		}
		for _, l := range a.Lines.All(a.now()) {
			if l.State != "已取消" || l.Mode == line.Merged {
				m.Lines = append(m.Lines, MetaLine{l.Number, l.Name, l.Mode.Word()})
			}
		}
		for _, p := range seed.Phrases() {
			m.Phrases = append(m.Phrases, MetaPhrase{p.Step, p.Text})
		}
		for _, e := range r.Edges {
			m.ActionLabels[e.Action] = e.Label
		}
		return &struct{ Body MetaOut }{m}, nil
	})
	type regionsOut struct {
		Items []RegionOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/regions", "regions", "下级区划", free, func(_ context.Context, in *struct {
		Parent string `query:"parent"`
	}) (*struct{ Body regionsOut }, error) {
		out := regionsOut{Items: []RegionOut{}}
		parent := in.Parent
		if parent == "" {
			parent = "420000"
		}
		for _, r := range region.Children(parent) {
			out.Items = append(out.Items, regionOut(r, false))
		}
		return &struct{ Body regionsOut }{out}, nil
	})
	route(a, http.MethodGet, "/api/v1/regions/search", "regions-search", "按名称或拼音首字母找区划", free, func(_ context.Context, in *struct {
		Q      string `query:"q" maxLength:"40"`
		Within string `query:"within"`
	}) (*struct{ Body regionsOut }, error) {
		out := regionsOut{Items: []RegionOut{}}
		for _, r := range region.Search(in.Q, in.Within, 20) {
			out.Items = append(out.Items, regionOut(r, true))
		}
		return &struct{ Body regionsOut }{out}, nil
	})
	type categoriesOut struct {
		Items []CategoryOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/categories", "categories", "事项分类", free, func(ctx context.Context, in *struct {
		Parent string `query:"parent"`
		Q      string `query:"q" maxLength:"40"`
	}) (*struct{ Body categoriesOut }, error) {
		platform := a.Org.Tree().Platform(actorOf(ctx).Unit).ID
		tree := a.Ticket.Categories(platform)
		list := tree.Children(in.Parent)
		if in.Q != "" {
			list = tree.Search(in.Q, 30)
		}
		out := categoriesOut{Items: []CategoryOut{}}
		for _, c := range list {
			out.Items = append(out.Items, a.categoryOut(tree, c, platform))
		}
		return &struct{ Body categoriesOut }{out}, nil
	})
	type treeOut struct {
		CacheControl string `header:"Cache-Control"`
		Body         struct {
			Version string        `json:"version"`
			Items   []CategoryOut `json:"items"`
		}
	}
	route(a, http.MethodGet, "/api/v1/categories/tree", "categories-tree", "事项分类全表", free, func(ctx context.Context, _ *struct{}) (*treeOut, error) {
		tree := a.Ticket.Categories(a.Org.Tree().Platform(actorOf(ctx).Unit).ID)
		out := &treeOut{CacheControl: "private, max-age=300"}
		out.Body.Version, out.Body.Items = tree.Version, branch(tree, "")
		return out, nil
	})
	type unitsOut struct {
		Items []UnitOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/units", "units", "承办单位", free, func(ctx context.Context, in *struct {
		Q          string `query:"q" maxLength:"40"`
		Platform   string `query:"platform"`
		Parent     string `query:"parent"`
		Kind       string `query:"kind"`
		Duty       string `query:"duty"`
		ID         string `query:"id"`
		Assignable bool   `query:"assignable"`
	}) (*struct{ Body unitsOut }, error) {
		return &struct{ Body unitsOut }{unitsOut{a.findUnits(actorOf(ctx), in.Q, in.Platform, in.Parent, in.Kind, in.Duty, in.ID, in.Assignable)}}, nil
	})
}

func regionOut(r region.Region, path bool) RegionOut {
	o := RegionOut{Code: r.Code, Name: r.Name, Level: int(r.Level), Initials: r.Initials}
	if path {
		o.Path = region.FullName(r.Code)
	}
	return o
}

func branch(t *category.Tree, parent string) []CategoryOut {
	var out []CategoryOut
	for _, c := range t.Children(parent) {
		out = append(out, CategoryOut{Code: c.Code, Name: c.Name, Level: c.Level, Children: branch(t, c.Code)})
	}
	return out
}

var levelWords = map[string]string{"province": "省级", "city": "市级", "county": "县级", "town": "乡镇街道"}

func (a *API) categoryOut(t *category.Tree, c category.Category, platform int64) CategoryOut {
	o := CategoryOut{Code: c.Code, Name: c.Name, Level: c.Level, Path: t.PathName(c.Code), Definition: c.Definition, Example: c.Example, Lowest: levelWords[c.Lowest], Basis: c.Basis}
	if d, ok := category.DutyOf(c.Duty); ok {
		o.Duty = d.CityName("市")
	}
	if c.Level == 3 {
		typ := ""
		if len(c.Types) > 0 {
			typ = c.Types[0]
		}
		if l, ok := a.Ticket.Limit(platform, c.Code, typ, "", ticket.ClockHandle); ok {
			o.Limit = l.String()
		}
	}
	return o
}

// findUnits serves the unit picker: by words, by parent, by duty or by id.
func (a *API) findUnits(actor access.Actor, q, platform, parent, kind, duty, id string, assignable bool) []UnitOut {
	tree := a.Org.Tree()
	within := tree.Platform(actor.Unit).ID
	if n, err := strconv.ParseInt(platform, 10, 64); err == nil {
		within = n
	}
	var list []org.Unit
	switch {
	case id != "":
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			if u, ok := tree.Get(n); ok {
				list = []org.Unit{u}
			}
		}
	case duty != "":
		u, _ := tree.Get(within)
		list = tree.FindByDuty(duty, u.Region)
	case q != "":
		list = tree.Search(q, within, 60)
	default:
		n, err := strconv.ParseInt(parent, 10, 64)
		if err != nil {
			n = within
			if u, ok := tree.Get(actor.Unit); ok && u.Kind == org.KindCounty {
				n = u.ID
			}
		}
		list = tree.Children(n)
	}
	out := []UnitOut{}
	for _, u := range list {
		if kind != "" && string(u.Kind) != kind || assignable && !(u.Kind.Handles() && u.Active) {
			continue
		}
		out = append(out, a.unitOut(tree, u))
		if len(out) == 300 {
			break
		}
	}
	return out
}

func (a *API) unitOut(tree *org.Tree, u org.Unit) UnitOut {
	path := ""
	for _, id := range u.Path {
		if id != u.ID {
			if path != "" {
				path += " / "
			}
			path += tree.Name(id)
		}
	}
	return UnitOut{ID(u.ID), u.Code, u.Name, string(u.Kind), u.Kind.Label(), u.Region, ID(u.Parent), path, u.Responsibilities, len(tree.Children(u.ID))}
}
