package demo

import (
	"math/rand/v2"
	"strings"
	"time"

	"hotline/internal/category"
	"hotline/internal/demo/template"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// tale is the text of a request with the place it speaks of.
type tale struct {
	template.Draft
	Region string
}

// reply gives 办结方式, whether it is solved and the text of the answer.
func (t *tale) reply(typ string) (mode, solved, text string) {
	switch t.Result {
	case "partly":
		solved = "partly"
	case "in_progress", "case":
		solved = "no"
	default:
		solved = "yes"
	}
	return t.Result, solved, t.Reply
}

// reasonCodes turns the writer's codes of displeasure into those of the rule table.
var reasonCodes = map[string]string{"not_solved": "unsolved", "not_contacted": "no_contact", "untrue": "untrue", "slow": "slow", "attitude": "attitude"}

// towns are the townships of a city with their weights: people live where the
// county has many, and in a 街道 more than in a 乡.
type towns struct {
	place []template.Place
	code  []string
	upTo  []float64
}

func townsOf(city string) *towns {
	t := &towns{}
	c, _ := region.Get(city)
	name := cityName(c)
	add := func(county region.Region, list []region.Region, people float64) {
		var sum float64
		weight := func(r region.Region) float64 {
			switch {
			case strings.HasSuffix(r.Name, "街道"):
				return 3
			case strings.HasSuffix(r.Name, "乡"):
				return 0.8
			case !strings.HasSuffix(r.Name, "镇"): // 农场、林场、开发区、集团: hardly anybody lives there
				return 0.15
			}
			return 1.4
		}
		for _, r := range list {
			sum += weight(r)
		}
		for _, r := range list {
			last := 0.0
			if n := len(t.upTo); n > 0 {
				last = t.upTo[n-1]
			}
			t.place = append(t.place, template.Place{City: name, County: county.Name, Code: county.Code, Town: r.Name})
			t.code = append(t.code, r.Code)
			t.upTo = append(t.upTo, last+people*weight(r)/sum)
		}
	}
	if c.Direct() {
		add(c, region.Children(city), 1)
		return t
	}
	for _, county := range region.Children(city) {
		list := region.Children(county.Code)
		if len(list) > 0 {
			add(county, list, float64(max(county.Population, 20_000)))
		}
	}
	return t
}

// cityName is the everyday name, as org and the templates use it.
func cityName(r region.Region) string {
	if strings.HasSuffix(r.Name, "自治州") {
		return r.Short + "州"
	}
	return r.Name
}

func (t *towns) draw(r *rand.Rand) (template.Place, string) {
	x := r.Float64() * t.upTo[len(t.upTo)-1]
	for i, u := range t.upTo {
		if x < u {
			return t.place[i], t.code[i]
		}
	}
	return t.place[0], t.code[0]
}

// townsIn keeps the townships of each city.
func (h *history) townsIn(city string) *towns {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.towns == nil {
		h.towns = map[string]*towns{}
	}
	t := h.towns[city]
	if t == nil {
		t = townsOf(city)
		h.towns[city] = t
	}
	return t
}

// tell drafts a request to a platform. What goes to the province is of the
// departments that it has, and three in four are questions.
func (h *history) tell(r *rand.Rand, s slot) tale {
	if s.City != region.ProvinceCode {
		p, code := h.townsIn(s.City).draw(r)
		d := template.Generate(r, s.At, p)
		for n := 0; n < 8 && (provincial(d.Category) || n == 0 && d.Type != "咨询" && r.IntN(100) < 8); n++ {
			d = template.Generate(r, s.At, p) // what is planted for the desks holds fewer questions
		}
		return tale{d, h.known(r, code, &d)}
	}
	question := r.IntN(100) < 77
	cities := region.Cities()
	if len(h.vol.plan.Cities) > 0 {
		cities = cities[:0:0]
		for _, c := range h.vol.plan.Cities {
			x, _ := region.Get(c)
			cities = append(cities, x)
		}
	}
	var d template.Draft
	for range 60 {
		p, _ := h.townsIn(cities[r.IntN(len(cities))].Code).draw(r)
		d = template.Generate(r, s.At, p)
		c, _ := category.Default().Get(d.Category)
		duty, ok := category.DutyOf(c.Duty)
		if ok && duty.Province != "" && (d.Type == "咨询") == question && c.Lowest != category.Town && d.Urgency == "一般" {
			break
		}
	}
	return tale{d, region.ProvinceCode}
}

// provincial tells whether only the province may handle a matter; a city would
// hand it up.
func provincial(code string) bool {
	c, _ := category.Default().Get(code)
	return c.Lowest == category.Province
}

// about drafts a request on one matter; see template.About.
func (h *history) about(r *rand.Rand, at time.Time, city, code, typ string) (tale, bool) {
	for range 12 {
		p, town := h.townsIn(city).draw(r)
		if d, ok := template.About(r, at, p, code, typ); ok {
			return tale{d, town}, true
		}
	}
	return tale{}, false
}

// known is the place as far as the caller said: a question often needs no more
// than the county.
func (h *history) known(r *rand.Rand, town string, d *template.Draft) string {
	if d.Direct && r.IntN(100) < 45 {
		return town[:6]
	}
	return town
}

// channels are the ways in with their shares in percent.
var channels = []struct {
	name  string
	share int
}{{"phone", 69}, {"wechat", 11}, {"web", 8}, {"app", 8}, {"walkin", 2}, {"weibo", 1}, {"mail", 1}}

func channel(r *rand.Rand) string {
	n := r.IntN(100)
	for _, c := range channels {
		if n -= c.share; n < 0 {
			return c.name
		}
	}
	return "phone"
}

// caller draws who asks and how much of himself he shows. People call again:
// a city has two thirds as many callers as requests.
func (h *history) caller(r *rand.Rand, s slot, t *tale) (ticket.Requester, string) {
	pool := 40 + h.vol.plan.Tickets/25
	p := citizen(h.vol.plan.Seed, s.City, r.IntN(pool))
	q := ticket.Requester{Kind: t.RequesterKind, Name: p.Name, Phone: p.Phone, Gender: p.Gender}
	if t.RequesterKind == "企业" {
		q.Company = companyName(r, s.City)
	}
	if n := r.IntN(100); n < 7 && q.Kind == "个人" {
		q.Special = []string{[]string{"老年人", "老年人", "残疾人", "孕产妇"}[n%4]}
	}
	secrecy := ticket.SecrecyNormal
	switch n := r.IntN(1000); {
	case t.Type == "举报" && n < 220, t.Type == "投诉" && n < 12:
		secrecy = ticket.SecrecyAnonymous
		q = ticket.Requester{Kind: q.Kind}
	case t.Type == "举报":
		secrecy = ticket.SecrecyUnit
	case t.Type == "投诉" && n < 90:
		secrecy = ticket.SecrecyUnit
	case t.Type == "投诉" && n < 170:
		secrecy = ticket.SecrecyAccused
	}
	return q, secrecy
}

// companyName is a made-up company.
func companyName(r *rand.Rand, city string) string {
	c, _ := region.Get(city)
	first := []string{"楚和", "荆恒", "江汉兴", "云梦泽", "鄂盛", "汉阜", "清江源", "神农润", "郧丰", "洪湖岸"}
	trade := []string{"商贸", "建材", "餐饮管理", "物流", "电子科技", "食品", "机械", "生态农业", "文化传媒"}
	place := c.Short
	if c.Level == region.LevelProvince {
		place = "湖北"
	}
	return place + pick(r, first) + pick(r, trade) + "有限公司"
}
