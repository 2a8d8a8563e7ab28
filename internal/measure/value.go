package measure

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"hotline/internal/clock"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// Item is one line of an answer.
type Item struct {
	Key  string
	Name string
	Figure
	Path string // console page that lists the tickets
}

// Answer is a measure by groups with its total.
type Answer struct {
	Definition Definition
	Items      []Item
	Total      Item
}

// Value answers a question. Groups are in the order of government lists, days
// and codes; nothing is ranked but matters, whose order is their number.
func (s *Service) Value(ctx context.Context, v Viewer, q Query) (Answer, error) {
	d, err := s.Definition(q.Name)
	if err != nil {
		return Answer{}, err
	}
	if err := q.check(s.DB.Clock().Now()); err != nil {
		return Answer{}, err
	}
	sp, err := s.span(v, q)
	if err != nil {
		return Answer{}, err
	}
	by := q.By
	if by == "" {
		by = ByType
	}
	gs, err := s.groups(ctx, sp, by, d.needs())
	if err != nil {
		return Answer{}, err
	}
	sums := map[string]*vec{}
	var total vec
	for i := range gs {
		g := &gs[i]
		total.add(g.v)
		k := s.fold(sp, d, by, g)
		if sums[k] == nil {
			sums[k] = &vec{}
		}
		sums[k].add(g.v)
	}
	place := q.Region
	if place == "" {
		place = sp.root.Region
	}
	out := Answer{Definition: d, Total: Item{Name: "合计", Figure: d.figure(&total, heads(place)), Path: s.path(sp, "", "")}}
	if q.By == "" {
		return out, nil
	}
	for _, k := range s.keys(sp, d, by, place, sums) {
		c := sums[k.key]
		if c == nil {
			c = &vec{}
		}
		people := heads(place)
		if by == ByRegion {
			people = heads(k.key)
		}
		it := Item{Key: k.key, Name: k.name, Figure: d.figure(c, people), Path: s.path(sp, by, k.key)}
		if by == ByRegion && v.Hidden(k.key, max(it.RawNum, it.RawDen)) {
			it.Figure = Figure{Hidden: true}
		}
		out.Items = append(out.Items, it)
	}
	if by == ByCategory {
		slices.SortStableFunc(out.Items, func(a, b Item) int { return int(b.Den - a.Den) })
	}
	return out, nil
}

// needs are all atoms that the measure is made of.
func (d Definition) needs() []string {
	return slices.Concat(d.Num, d.Den, d.Less, d.ExNum, d.ExDen, d.RawNum)
}

// heads is the population of a region.
func heads(code string) int64 {
	r, _ := region.Get(code)
	if r.Population == 0 && code == region.ProvinceCode {
		for _, c := range region.Cities() {
			r.Population += c.Population
		}
	}
	return int64(r.Population)
}

// fold gives the key of the line in which raw counts are shown.
func (s *Service) fold(sp span, d Definition, by string, g *group) string {
	switch by {
	case ByDay:
		return clock.FromMillis(dayStartMS(g.day)).Format("2006-01-02")
	case ByRegion:
		return sp.regionKey(g.region)
	case ByType:
		return g.key
	case ByCategory:
		return foldCategory(g.key, sp.q.Category)
	}
	if d.platformSide() && sp.whole { // the platform's own work: nobody below is named for it
		return strconv.FormatInt(g.platform, 10)
	}
	return strconv.FormatInt(sp.child(g), 10)
}

// child is the unit directly below the root in which a unit's work is shown.
func (sp span) child(g *group) int64 {
	u, ok := sp.tree.Get(g.unit)
	if !ok || !sp.tree.Under(sp.root.ID, u.ID) {
		return g.platform
	}
	for i, id := range u.Path {
		if id == sp.root.ID && i+1 < len(u.Path) {
			return u.Path[i+1]
		}
	}
	return sp.root.ID
}

// regionKey is the city or county that a place is shown in.
func (sp span) regionKey(code string) string {
	top := sp.q.Region
	if top == "" {
		top = sp.root.Region
	}
	if top == region.ProvinceCode || top == "" {
		if c := region.City(code); c != "" {
			return c
		}
	}
	return code
}

// unclassified is the key of the line of what has no category yet.
const unclassified = "none"

func foldCategory(code, under string) string {
	switch {
	case len(code) != 6:
		return unclassified
	case under == "":
		return code[:2] + "0000"
	case len(categoryPrefix(under)) == 2:
		return code[:4] + "00"
	}
	return code
}

type keyName struct{ key, name string }

// keys lists the lines of an answer in their order. Regions, days and types
// are complete, so that a zero is seen as a zero.
func (s *Service) keys(sp span, d Definition, by, place string, have map[string]*vec) (out []keyName) {
	add := func(k, name string) {
		if !slices.ContainsFunc(out, func(x keyName) bool { return x.key == k }) {
			out = append(out, keyName{k, name})
		}
	}
	switch by {
	case ByDay:
		for t := sp.q.From; !t.After(sp.q.To); t = t.AddDate(0, 0, 1) {
			add(t.Format("2006-01-02"), t.Format("2006-01-02"))
		}
	case ByType:
		for _, t := range ticket.Types {
			add(t, t)
		}
	case ByRegion:
		r, _ := region.Get(place)
		list := []region.Region{r}
		if r.Level == region.LevelProvince || r.Level == region.LevelCity && !r.Direct() {
			list = nil
			for _, c := range region.Children(place) {
				if !c.Zone || have[c.Code] != nil {
					list = append(list, c)
				}
			}
		}
		for _, c := range list {
			add(c.Code, c.Name)
		}
		for k := range have { // what is known only to the city or the province
			if !slices.ContainsFunc(out, func(x keyName) bool { return x.key == k }) {
				name := "区县待核"
				if k == region.ProvinceCode {
					name = "市州待核"
				}
				add(k, name)
			}
		}
	case ByCategory:
		tree := s.Ticket.Categories(sp.platforms[0])
		for _, c := range tree.All(0) {
			if have[c.Code] != nil {
				add(c.Code, c.Name)
			}
		}
		if have[unclassified] != nil {
			add(unclassified, "未分类")
		}
	case ByUnit:
		if d.platformSide() && sp.whole {
			for _, p := range sp.platforms {
				add(strconv.FormatInt(p, 10), sp.tree.Name(p))
			}
			return out
		}
		for _, u := range append(sp.tree.Children(sp.root.ID), sp.root) {
			if k := strconv.FormatInt(u.ID, 10); have[k] != nil && !have[k].zero() {
				add(k, u.Name)
			}
		}
		for k := range have {
			if id, _ := strconv.ParseInt(k, 10, 64); !have[k].zero() {
				add(k, sp.tree.Name(id))
			}
		}
	}
	return out
}

// path is the console page with the tickets of a line.
func (s *Service) path(sp span, by, key string) string {
	v := url.Values{"queue": {"all"}, "from": {sp.q.From.Format("2006-01-02")}, "to": {sp.q.To.Format("2006-01-02")}}
	if sp.q.Region != "" {
		v.Set("region", sp.q.Region)
	}
	switch by {
	case ByDay:
		v.Set("from", key)
		v.Set("to", key)
	case ByRegion:
		v.Set("region", key)
	case ByType, ByCategory, ByUnit:
		v.Set(by, key)
	}
	return "/tickets?" + v.Encode()
}

// dayStartMS is the first moment of a yyyymmdd day.
func dayStartMS(day int64) int64 {
	return clock.Millis(time.Date(int(day/10000), time.Month(day/100%100), int(day%100), 0, 0, 0, 0, clock.Shanghai))
}
