package api

import (
	"context"
	"net/http"

	"hotline/internal/access"
	"hotline/internal/ticket"
)

// ScreenOut is all that the big screen shows.
type ScreenOut struct {
	At       string         `json:"at"`
	LagMS    int64          `json:"lag_ms"`
	Tiles    []ScreenTile   `json:"tiles"`
	Hours    []ScreenHour   `json:"hours"`
	Types    []ScreenType   `json:"types"`
	Hot      []ScreenHot    `json:"hot"`
	Cities   []ScreenCity   `json:"cities"`
	Latest   []ScreenTicket `json:"latest"`
	Map      []MapItem      `json:"map"`
	Legend   []float64      `json:"legend"`
	ReviewNo string         `json:"review_no" doc:"地图审图号"`
	Note     string         `json:"note,omitempty" doc:"历史数据载入中的说明"`
}

// ScreenTile is one figure with what it means and how fresh it is.
type ScreenTile struct {
	Key        string   `json:"key"`
	Label      string   `json:"label"`
	Value      *float64 `json:"value"`
	Unit       string   `json:"unit"`
	Definition string   `json:"definition"`
	Fresh      string   `json:"fresh"`
	Note       string   `json:"note,omitempty" doc:"另一口径"`
	Path       string   `json:"path,omitempty" doc:"背后的页面"`
}

// ScreenHour is what came in within an hour of today.
type ScreenHour struct {
	H int   `json:"h"`
	N int64 `json:"n"`
}

// ScreenType is what came in today of a type.
type ScreenType struct {
	Type string `json:"type"`
	N    int64  `json:"n"`
}

// ScreenHot is a matter that many brought today.
type ScreenHot struct {
	Category string `json:"category"`
	Name     string `json:"name"`
	N        int64  `json:"n"`
}

// ScreenCity is a city in the order of 区划.
type ScreenCity struct {
	Code    string   `json:"code"`
	Name    string   `json:"name"`
	Count   int64    `json:"count"`
	Per10k  *float64 `json:"per10k"`
	Open    *int64   `json:"open" doc:"少于5件的为空"`
	Overdue *int64   `json:"overdue" doc:"少于5件的为空"`
	Hidden  bool     `json:"hidden,omitempty" doc:"少于5件，不显示"`
}

// ScreenTicket is a masked ticket: the tail of its number and a redacted title.
type ScreenTicket struct {
	Number      string `json:"number"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	RegionName  string `json:"region_name"`
	StatusLabel string `json:"status_label"`
	At          string `json:"at"`
}

// latestShown is how many tickets roll on the screen.
const latestShown = 20

func (a *API) screenRoutes() {
	route(a, http.MethodGet, "/api/v1/screen", "screen", "运行监测大屏", Rule{Verbs: []access.Verb{access.Stats}, Audit: "screen"}, func(ctx context.Context, _ *struct{}) (*struct{ Body ScreenOut }, error) {
		actor := actorOf(ctx)
		b, err := a.Measure.Screen(ctx, a.Measure.ViewerOf(actor))
		if err != nil {
			return nil, err
		}
		out := ScreenOut{At: stamp(a.now().UnixMilli()), LagMS: b.Lag, Tiles: []ScreenTile{}, Types: []ScreenType{}, Hot: []ScreenHot{}, Map: mapItems(b.Cities), Legend: legend(b.Cities), Note: a.loading(ctx)}
		for _, t := range b.Tiles {
			out.Tiles = append(out.Tiles, ScreenTile{Key: t.Key, Label: t.Label, Value: rounded(t.Value), Unit: t.Unit, Definition: t.Definition, Fresh: t.Fresh})
		}
		calls, err := a.callScreen(ctx, actor)
		if err != nil {
			return nil, err
		}
		out.Tiles = append(out.Tiles, calls...)
		for h, n := range b.Hours {
			out.Hours = append(out.Hours, ScreenHour{h, n})
		}
		for _, t := range b.Types {
			out.Types = append(out.Types, ScreenType{t.Key, t.N})
		}
		for _, c := range b.Hot {
			out.Hot = append(out.Hot, ScreenHot{c.Key, c.Name, c.N})
		}
		for _, c := range b.Cities {
			out.Cities = append(out.Cities, ScreenCity{c.Code, c.Name, c.Count, rounded(c.Value), c.Open, c.Overdue, c.Hidden})
		}
		if out.Latest, err = a.latest(ctx, actor); err != nil {
			return nil, err
		}
		return &struct{ Body ScreenOut }{out}, a.seenMany(ctx, "screen", len(out.Latest), "")
	})
}

// latest are the newest ordinary tickets in the actor's scope, masked.
func (a *API) latest(ctx context.Context, actor access.Actor) ([]ScreenTicket, error) {
	sc := a.Access.ScopeOf(actor)
	sc.Labels = []access.Label{access.Normal}
	rows, _, err := a.Ticket.List(ctx, actor, sc, ticket.Filter{Limit: latestShown})
	out := []ScreenTicket{}
	r := a.renderer(actor)
	for _, x := range rows {
		row := r.row(x)
		tail := row.Number
		if len(tail) > 4 {
			tail = tail[len(tail)-4:]
		}
		out = append(out, ScreenTicket{"…" + tail, row.Type, row.Title, row.RegionName, row.StatusLabel, row.AcceptedAt})
	}
	return out, err
}
