package template

import (
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"hotline/internal/category"
)

// Draft is one request and how it ends, before anyone has touched it. Reply,
// Result and the two opinions are what the simulator may use later.
type Draft struct {
	Type, Category         string // 诉求类型; code of the third level
	Title, Content         string
	Address                string // from the county down, as a citizen gives it
	Object                 string // 被反映对象; "" when there is none
	RequesterKind          string // 个人 or 企业
	Urgency                string // 一般, 紧急 or 特急
	Direct                 bool   // a question that the desk can answer at once
	Reply                  string // 答复
	Result                 string // 办结方式: solved, partly, in_progress, explained, case
	Unsolved               string // why not wholly solved; "" when solved or explained
	Legal                  string // 依据, for a reply that needs one
	Satisfied, Unsatisfied string // what the citizen says in either case
	UnsatisfiedCode        string // the reason code of Unsatisfied

	entry *entry
}

// shares are the types of request in per mille, as the hotlines of a province
// report them (咨询 41.5, 投诉举报 33, 求助 19.5, 建议 2.2, 表扬 0.3, 其他 3.2 percent).
var shares = []struct {
	typ string
	n   int
}{{"咨询", 415}, {"投诉", 293}, {"举报", 40}, {"求助", 195}, {"建议", 22}, {"表扬", 3}, {"其他", 32}}

// Generate drafts a request from a township at a moment. The matter is drawn
// by its weight, the season, the hour and whether it can happen there.
func Generate(r *rand.Rand, at time.Time, p Place) Draft {
	n := r.IntN(1000)
	for _, s := range shares {
		if n -= s.n; n < 0 {
			return draft(r, at, p, draw(r, at, p, s.typ), s.typ)
		}
	}
	panic("template: shares do not add up")
}

// About drafts a request about one matter, of one type ("" for its usual one);
// false when there are no such texts or the matter cannot happen there.
func About(r *rand.Rand, at time.Time, p Place, code, typ string) (Draft, bool) {
	var fit []*entry
	var types []string
	for _, e := range entries() {
		if e.cat.Code != code || e.chance(at, p) == 0 {
			continue
		}
		for _, t := range e.types {
			if typ == "" || t == typ {
				fit, types = append(fit, e), append(types, t)
				if typ == "" {
					break
				}
			}
		}
	}
	if len(fit) == 0 {
		return Draft{}, false
	}
	i := r.IntN(len(fit))
	return draft(r, at, p, fit[i], types[i]), true
}

// draw picks an entry of a type.
func draw(r *rand.Rand, at time.Time, p Place, typ string) *entry {
	list := byType()[typ]
	sum := 0.0
	weights := make([]float64, len(list))
	for i, e := range list {
		weights[i] = e.chance(at, p)
		sum += weights[i]
	}
	x := r.Float64() * sum
	last := 0
	for i, w := range weights {
		if w == 0 {
			continue
		}
		last = i
		if x -= w; x < 0 {
			return list[i]
		}
	}
	return list[last]
}

// chance is the weight of an entry then and there; 0 where the matter cannot
// happen or nobody is responsible for it.
func (e *entry) chance(at time.Time, p Place) float64 {
	kind, _, _ := strings.Cut(e.place, ":")
	w := e.weight * e.cat.Weight(int(at.Month())) * p.suits(kind)
	if w == 0 {
		return 0
	}
	if !e.duty.Serves(p.City) || e.city && !(p.urban() && strings.HasSuffix(p.County, "区")) {
		return 0
	}
	if h := at.Hour(); e.night && (h >= 20 || h < 6) {
		w *= 4
	}
	return w
}

func draft(r *rand.Rand, at time.Time, p Place, e *entry, typ string) Draft {
	f := newFiller(r, at, p, e.place)
	d := Draft{Type: typ, Category: e.cat.Code, RequesterKind: "个人", Urgency: urgency(r, e.cat, typ), entry: e}
	if e.firm && r.IntN(10) < 8 {
		d.RequesterKind = "企业"
	}
	w := one(r, e.words[typ])
	d.Title = f.title(w.title)
	d.Content = f.content(e, w, typ, d.RequesterKind)
	d.Address = f.address()
	if e.object != "" && typ != "咨询" && typ != "表扬" {
		d.Object = f.fill(e.object)
	}
	d.Direct = typ == "咨询" && e.place == "none"
	rep := one(r, w.replies)
	d.Result, d.Unsolved = result(r, rep.mode, typ, e.cat)
	d.Legal = e.cat.Basis
	d.Reply = f.reply(rep, typ, e.cat.Name)
	d.Satisfied = one(r, pleased[kindOf(typ)])
	bad := one(r, displeased[kindOf(typ)])
	d.Unsatisfied, d.UnsatisfiedCode = bad.text, bad.code
	return d
}

// urgency follows the class of limit: a danger is 特急 or 紧急, a failure of
// supply often 紧急.
func urgency(r *rand.Rand, c category.Category, typ string) string {
	if typ != "求助" && typ != "投诉" && typ != "举报" {
		return "一般"
	}
	n := r.IntN(1000)
	switch {
	case c.LimitKey == "urgent2h" && n < 600:
		return "特急"
	case c.LimitKey == "urgent2h", c.LimitKey == "urgent24h" && n < 250, n < 12:
		return "紧急"
	}
	return "一般"
}

// result turns the ending of a reply into a 办结方式 and, where something is
// left, why.
func result(r *rand.Rand, mode, typ string, c category.Category) (code, unsolved string) {
	if typ == "咨询" {
		return "explained", ""
	}
	switch mode {
	case "推进":
		return "in_progress", one(r, []string{"需按计划实施，短期内不能完成，已告知诉求人时间安排", "涉及项目立项和资金安排，正按程序推进", "需协调多个单位分步实施"})
	case "部分":
		return "partly", one(r, []string{"双方对部分诉求未达成一致，已告知后续途径", "部分事项仍在办理，已约定再次反馈时间", "部分诉求超出职责范围，已作解释"})
	case "解释", "咨", "表扬":
		return "explained", ""
	case "立案":
		if c.Nature == category.Enforcement {
			return "case", ""
		}
		return "solved", ""
	}
	if typ == "求助" || typ == "投诉" || typ == "举报" {
		return "solved", ""
	}
	return "explained", ""
}

// placeSlots are the slots that name a place within the township.
var placeSlots = []string{"{estate}", "{road}", "{village}", "{home}", "{site}", "{company}", "{school}", "{school:初中}", "{school:高中}", "{kg}", "{hospital}", "{shop}", "{park}", "{metro}", "{hall}", "{bank}"}

// title says where, as much as a clerk would write.
func (f *filler) title(s string) string {
	prefix := ""
	switch n := f.r.IntN(100); {
	case n < 35:
		prefix = f.place.Town
	case n < 50:
		prefix = f.place.County
	}
	lead := ""
	for _, w := range []string{"咨询", "举报", "建议", "请求", "表扬", "感谢"} {
		if strings.HasPrefix(s, w) {
			lead = w
		}
	}
	rest := strings.TrimPrefix(s, lead)
	named := startsWithPlace(rest)
	short := utf8.RuneCountInString(f.fill(rest)) <= 18
	switch {
	case prefix == "" || !short || strings.Contains(s, "{county}") || strings.Contains(s, "{town}"):
	case strings.HasPrefix(rest, "{hall}"), f.kind == "none" && lead != "咨询":
	case named || (lead == "咨询" && f.kind == "none"):
		if f.kind == "none" {
			prefix = f.place.County
		}
		return f.fill(lead + prefix + rest)
	}
	return f.fill(s)
}

// named tells whether the texts name a place of a kind.
func (f *filler) named(kind string) bool {
	return f.known[kind] != "" || f.known[f.kind] != "" && strings.HasPrefix(f.kind, kind)
}

func startsWithPlace(s string) bool {
	for _, p := range placeSlots {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// address is the place from the county down, as far as the texts name it.
func (f *filler) address() string {
	at := f.place.County + f.place.Town
	kind, _, _ := strings.Cut(f.kind, ":")
	if !f.named(kind) {
		for _, other := range []string{"estate", "village", "road"} {
			if f.named(other) {
				kind = other
				break
			}
		}
	}
	switch kind {
	case "none":
		return at
	case "road", "bus":
		at += f.value("road")
		if s, ok := f.known["spot"]; ok {
			at += s
		}
		return at
	case "village":
		if g, ok := f.known["grp"]; ok {
			return at + f.value("village") + g
		}
		return at + f.value("village")
	case "home":
		if !f.place.urban() {
			return at + f.value("village")
		}
		return at + f.value("estate")
	case "estate":
		if b, ok := f.known["b"]; ok {
			return at + f.value("estate") + b
		}
		return at + f.value("estate")
	case "hall", "metro":
		v := f.value(kind)
		if strings.HasPrefix(v, f.place.Town) {
			return at + strings.TrimPrefix(v, f.place.Town)
		}
		return at + strings.TrimPrefix(v, f.place.County)
	}
	slot := kind
	if (kind == "school" || kind == "shop") && strings.Contains(f.kind, ":") && f.known[f.kind] != "" {
		slot = f.kind
	}
	v := f.value(slot)
	if strings.Contains(v, f.known["road"]) && f.known["road"] != "" {
		return at + v
	}
	return at + f.value("road") + v
}
