package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/intake"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// want is an open ticket that a desk needs, so that every role of every city
// has work of its own under red, yellow and green lights.
type want struct {
	city  string
	stop  string // where it stands, see stops
	light string // green, yellow or red; "" any
	home  bool   // handled by the unit whose people have passwords
	n     int
}

// desks says how many tickets stand where, by light: green, yellow, red.
var desks = []struct {
	stop    string
	home    bool
	g, y, r int
}{
	{"received", false, 2, 2, 1}, {"seat_fix", false, 1, 1, 1}, {"to_dispatch", false, 3, 2, 2},
	{"to_sign", true, 2, 1, 0}, {"handling", true, 2, 2, 1}, {"to_review", true, 3, 2, 1}, {"returning", true, 2, 1, 0},
	{"suspended", true, 1, 0, 0}, {"rework", true, 1, 1, 0}, {"extension", false, 1, 1, 0}, {"suspension", false, 1, 0, 0},
	{"to_close", false, 2, 2, 2}, {"to_callback", false, 5, 0, 0}, {"to_recheck", false, 2, 1, 1}, {"relay", false, 2, 1, 1},
	{"disputed", false, 1, 1, 0}, {"supervised", false, 2, 2, 0}, {"supervised_close", false, 0, 0, 2},
	{"assisting", true, 1, 1, 0}, {"exempt", false, 1, 0, 0}, {"escalated", false, 1, 0, 0}, {"unhappy2", false, 2, 0, 0},
	{"informant", false, 2, 2, 0}, {"informant_close", false, 1, 0, 2}, {"quarantined", false, 2, 0, 0},
}

// modest is what stands at the desks of today outside the largest city, where
// one ticket of a light shows the queue: so few that the hours which are just
// over do not tower above the others. What tie plants comes on top.
var modest = map[string][3]int{"received": {1, 0, 1}, "seat_fix": {0, 0, 1}, "to_dispatch": {0, 1, 0}, "to_sign": {1, 1, 0}, "quarantined": {1, 0, 0}}

// large are cities whose desks hold every light several times.
const large = 10_000_000

// wants lists what the desks of the plan's cities, the province's and the
// sub-centres' need.
func (h *history) wants() []want {
	var out []want
	add := func(city, stop, light string, home bool, n int) {
		for range n {
			out = append(out, want{city, stop, light, home, len(out)})
		}
	}
	for _, city := range h.vol.cities {
		small := few(city)
		at, _ := region.Get(city)
		for _, d := range desks {
			if m, ok := modest[d.stop]; ok && (at.Level != region.LevelCity || at.Population < large) {
				d.g, d.y, d.r = m[0], m[1], m[2]
			}
			if city == region.ProvinceCode && d.stop == "escalated" {
				continue // there is nobody above
			}
			most := small
			if d.stop == "to_review" { // a leader has no other queue
				most = max(small, 2)
			}
			add(city, d.stop, "green", d.home, min(d.g, most))
			add(city, d.stop, "yellow", d.home, min(d.y, most))
			add(city, d.stop, "red", d.home, min(d.r, most))
		}
		add(city, "handling", "red", false, h.behind(city))
		// Those who said that all is well balance those who wait here because it is not.
		add(city, "content", "green", false, min(small, 8))
	}
	for _, u := range h.a.Org.Tree().All() {
		if u.Kind != org.KindSubcentre || !u.Active {
			continue
		}
		for _, l := range []string{"green", "green", "yellow", "red"} {
			add(u.Code, "to_sign", l, true, 1)
			add(u.Code, "handling", l, true, 1)
		}
	}
	return out
}

// behind is how many tickets more are late in a city: it follows what comes in
// and the temper of its units, so that no two cities stand alike.
func (h *history) behind(city string) int {
	r, _ := region.Get(city)
	if r.Level != region.LevelCity {
		return 0
	}
	return int(float64(r.Population) / 1_500_000 * temper(h.vol.plan.Seed, "behind", city))
}

// young are the stops at which a ticket stands for minutes or hours: it came
// today. All others came in on the days before.
var young = map[string]bool{"received": true, "seat_fix": true, "to_dispatch": true, "to_sign": true, "quarantined": true}

// youngTypes are the types of what came today and still waits, in percent. With
// what was answered at once and the bursts of one matter (see tie) they add up
// to the province's shares.
var youngTypes = []struct {
	typ   string
	share int
}{{"咨询", 51}, {"求助", 20}, {"投诉", 22}, {"建议", 4}, {"其他", 3}}

func youngType(r *rand.Rand) string {
	n := r.IntN(100)
	for _, t := range youngTypes {
		if n -= t.share; n < 0 {
			return t.typ
		}
	}
	return "咨询"
}

// few bounds how many tickets stand under one light at one place: where few
// people live, one is enough to show the queue.
func few(city string) int {
	if r, _ := region.Get(city); r.Level == region.LevelCity && r.Population < 300_000 {
		return 1
	}
	return 9
}

// matters of the sub-centres by the number in their code.
var centreMatters = map[string]string{"12366": "shuiwuju", "12360": "haiguan"}

// plant draws the life of a wanted ticket up to where it shall stand.
func (h *history) plant(ctx context.Context, w want) (life, error) {
	r := rand.New(rand.NewPCG(h.vol.plan.Seed, hash("want", fmt.Sprint(w.n), w.city, w.stop, w.light)))
	tree := h.a.Org.Tree()
	city, unit := w.city, org.Unit{}
	switch {
	case len(w.city) != 6:
		unit, _ = tree.ByCode(w.city)
		city = unit.Region
	case w.home:
		unit, _ = homeUnit(tree, w.city)
	}
	now := clock.FromMillis(h.vol.plan.Now)
	sl := slot{No: fmt.Sprintf("W%05d", w.n+1), At: now.Add(-50 * time.Hour), City: city}
	channel := "phone"
	if w.stop == "received" {
		channel = "web"
	}
	var s *script
	var light int64
	root, ok := unit, unit.ID != 0
	// A matter with a longer limit spreads what waits over more days than yesterday.
	fresh := func() bool { return !young[w.stop] && light < (40*time.Hour).Milliseconds() }
	for n := 0; n < 12 && (n == 0 || !ok || light == 0 || n < 4 && fresh()); n++ {
		var q intake.Request
		var err error
		if s, q, err = h.begin(ctx, sl, h.wanted(r, sl, w, unit), channel, r); err != nil {
			return life{}, err
		}
		h.secrecy(r, w, &q, &sl)
		for _, q.Urgency = range []string{"一般", "紧急", "特急"} {
			if err := s.decide(q); err != nil {
				return life{}, err
			}
			if light = h.since(r, s, w); light > 0 {
				break
			}
		}
		if unit.ID == 0 {
			root, ok = h.root(&s.n)
		}
	}
	s.at = now.Add(-time.Duration(light) * time.Millisecond)
	s.n.At, s.n.Status = clock.Millis(s.at), statusAt(w.stop)
	if w.stop == "quarantined" {
		s.n.Flags = append(s.n.Flags, "涉密疑似")
	}
	by := access.AsCitizen(0, "")
	if channel == "phone" {
		var err error
		if by, err = h.people.named(ctx, s.n.Platform, access.Agent); err != nil {
			return life{}, err
		}
	}
	if ok {
		s.stand(w, root)
	}
	h.squeeze(s, now, w.stop)
	return life{by: by, n: s.n, steps: s.steps, order: orderOf(w), city: city}, s.err
}

func statusAt(stop string) string {
	switch stop {
	case "received":
		return ticket.Received
	case "quarantined":
		return ticket.Quarantined
	}
	return ticket.ToDispatch
}

// wanted drafts a request that fits the unit it shall stand at.
func (h *history) wanted(r *rand.Rand, sl slot, w want, unit org.Unit) tale {
	var d tale
	duty := unit.Duty
	if unit.Kind == org.KindSubcentre {
		duty = centreMatters[unit.Code[len(unit.Code)-5:]]
	}
	types := []string{"投诉", "求助", "投诉"}
	if unit.Kind == org.KindSubcentre {
		types = []string{"投诉", "咨询", "求助"}
	}
	switch {
	case w.stop == "informant" || w.stop == "informant_close":
		types = []string{"举报"}
	case young[w.stop] && w.n < firstTied:
		types = []string{youngType(r)}
	}
	var codes []string
	for _, c := range h.a.Ticket.Categories(0).All(3) {
		if duty != "" && c.Duty == duty && (c.Lowest != "province" || unit.Kind == org.KindSubcentre) {
			codes = append(codes, c.Code)
		}
	}
	home := sl.City
	if home == region.ProvinceCode {
		home = h.vol.cities[0]
		if home == region.ProvinceCode {
			home = region.Cities()[0].Code
		}
	}
	for n := range 200 {
		typ := types[n%len(types)]
		if len(codes) > 0 && n < 120 {
			var ok bool
			if d, ok = h.about(r, sl.At, home, codes[r.IntN(len(codes))], typ); !ok {
				continue
			}
		} else {
			d = h.tell(r, slot{At: sl.At, City: home})
		}
		if d.Type != typ && n < 160 {
			continue
		}
		if c, ok := h.a.Ticket.Categories(0).Get(d.Category); ok && c.Lowest == "province" && unit.Kind != org.KindSubcentre {
			continue
		}
		break
	}
	if sl.City == region.ProvinceCode {
		d.Region = region.ProvinceCode
	}
	return d
}

// secrecy sets who may know the caller, where the desk asks for it.
func (h *history) secrecy(r *rand.Rand, w want, q *intake.Request, sl *slot) {
	pool := 40 + h.vol.plan.Tickets/25
	p := citizen(h.vol.plan.Seed, sl.City, r.IntN(pool))
	q.Requester = ticket.Requester{Kind: "个人", Name: p.Name, Phone: p.Phone, Gender: p.Gender}
	q.Secrecy = ticket.SecrecyNormal
	if w.stop == "relay" || q.Type == "举报" {
		q.Secrecy = ticket.SecrecyUnit
	}
}

type offsetKey struct {
	limit calendar.Limit
	light string
	desk  bool
	young bool
}

// since draws how many ms ago a ticket must have come in to stand under the
// light now; 0 when no moment does.
func (h *history) since(r *rand.Rand, s *script, w want) int64 {
	lim, desk := s.lim, false
	switch w.stop {
	case "received", "seat_fix":
		lim, _ = h.a.Ticket.Limit(s.n.Platform, s.n.Category, s.n.Type, s.n.Urgency, ticket.ClockAccept)
		desk = true
	case "to_dispatch":
		lim, _ = h.a.Ticket.Limit(s.n.Platform, s.n.Category, s.n.Type, s.n.Urgency, ticket.ClockDispatch)
		desk = true
	}
	key := offsetKey{lim, w.light, desk, young[w.stop]}
	h.mu.Lock()
	list, ok := h.offsets[key]
	h.mu.Unlock()
	if !ok {
		list = candidates(s.cal, key, clock.FromMillis(h.vol.plan.Now))
		h.mu.Lock()
		h.offsets[key] = list
		h.mu.Unlock()
	}
	if len(list) == 0 {
		return 0
	}
	return list[r.IntN(len(list))]
}

// candidates are the ages at which a ticket under a limit shows a light, with
// room to stay so for a while: best by day, and on an earlier day unless the
// stop is one of the young.
func candidates(cal *calendar.Calendar, k offsetKey, now time.Time) []int64 {
	lim, light, desk := k.limit, k.light, k.desk
	var best, rest []int64
	gap := 9 * time.Minute // from 受理 to 派单
	first, last := 35*time.Minute, 45*24*time.Hour
	if desk {
		gap, first, last = 0, time.Minute, 40*time.Hour
		if light == "green" {
			last = 5 * time.Minute
		}
	}
	step := func(age time.Duration) time.Duration {
		if k.young {
			return max(time.Minute, age/120)
		}
		return 20 * time.Minute // every day alike: yesterday shall not swell
	}
	for age := first; age < last; age += step(age) {
		at := now.Add(-age)
		due := cal.Due(at.Add(gap), lim)
		if lightAt(at, due, now) != light || light == "red" && now.Sub(due) > overdueAtMost(desk) {
			continue
		}
		if !desk && lightAt(at, due, now.Add(40*time.Minute)) != light {
			continue
		}
		if h := at.Hour(); h >= 8 && h < 21 && (k.young || at.Before(day(now))) {
			best = append(best, age.Milliseconds())
		} else {
			rest = append(rest, age.Milliseconds())
		}
	}
	if len(best) > 0 {
		return best
	}
	return rest
}

// overdueAtMost keeps what is late believable: a desk that works day and night
// is late by minutes, a unit by hours.
func overdueAtMost(desk bool) time.Duration {
	if desk {
		return 100 * time.Minute
	}
	return 20 * time.Hour
}

// lightAt is the colour that lists show: see api.
func lightAt(at, due, now time.Time) string {
	left, gone, all := due.Sub(now), now.Sub(at), due.Sub(at)
	switch {
	case left < 0:
		return "red"
	case left < 24*time.Hour && gone > all*8/10, left < 4*time.Hour && gone > all/2:
		return "yellow"
	}
	return "green"
}

// displeased are the stops that begin with a citizen who is not satisfied.
var displeased = map[string]bool{"to_recheck": true, "rework": true, "exempt": true, "unhappy2": true}

// squeeze puts the steps of a wanted ticket between its 受理 and the present.
func (h *history) squeeze(s *script, now time.Time, stop string) {
	if len(s.steps) == 0 {
		return
	}
	start, end := s.n.At, s.steps[len(s.steps)-1].act.At
	room := clock.Millis(now) - start
	room -= room / 12
	if displeased[stop] { // said days ago: today's 满意率 is not made of those who wait here
		room /= 2
	}
	if end-start <= room {
		return
	}
	for i := range s.steps {
		at := &s.steps[i].act.At
		*at = start + int64(float64(*at-start)*float64(room)/float64(end-start))
	}
}
