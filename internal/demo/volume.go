package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/region"
)

// slot is one request of the history before it has a text: which platform, when.
type slot struct {
	No   string // number under the source "demo": day and place in the day
	At   time.Time
	City string // region code of the platform
}

// hourly is the share of the calls of a day in each hour: two peaks in office
// hours, a third after supper, few at night.
var hourly = [24]float64{0.9, 0.6, 0.4, 0.3, 0.3, 0.5, 1.2, 2.8, 6.2, 9.4, 9.8, 8.2, 4.6, 4.4, 7.8, 8.6, 8.1, 6.6, 4.2, 4.0, 4.1, 3.6, 2.3, 1.4}

// weekly is the share of the days of the week, Sunday first.
var weekly = [7]float64{0.70, 1.18, 1.10, 1.06, 1.04, 1.02, 0.76}

// growth is what a day of the history brings at its beginning and now, relative
// to the mean: line after line was merged into 12345.
const growthFrom, growthTo = 0.35, 1.65

// provinceShare is the part of the requests that the province's own platform takes.
const provinceShare = 0.03

// volume draws when and where requests come. It is fixed by the plan.
type volume struct {
	plan   plan
	now    time.Time
	cities []string
	upTo   []float64 // running sum of the weights of cities
	counts []int     // requests of each day, today first
}

func newVolume(p plan) *volume {
	v := &volume{plan: p, now: clock.FromMillis(p.Now)}
	var sum float64
	add := func(code string, w float64) {
		sum += w
		v.cities = append(v.cities, code)
		v.upTo = append(v.upTo, sum)
	}
	var people float64
	chosen := map[string]bool{}
	for _, c := range p.Cities {
		chosen[c] = true
	}
	for _, c := range region.Cities() {
		if len(p.Cities) > 0 && !chosen[c.Code] {
			continue
		}
		// The appetite for calling differs from city to city by a third.
		w := float64(c.Population) * (0.67 + 0.33*temper(p.Seed, "calls", c.Code))
		people += w
		add(c.Code, w)
	}
	add(region.ProvinceCode, people*provinceShare/(1-provinceShare))
	v.share()
	return v
}

// share distributes the tickets over the days by weekday, holidays, and a slow
// wave that stands for weather and seasons.
func (v *volume) share() {
	cal := calendar.Default()
	weights := make([]float64, max(v.plan.Days, 1))
	var sum float64
	for d := range weights {
		day := v.dayStart(d)
		w := weekly[day.Weekday()]
		if wd := day.Weekday(); !cal.IsWorkday(day) && wd != time.Saturday && wd != time.Sunday {
			w = 0.55
		} else if cal.IsWorkday(day) && w < 0.9 {
			w = 1.0 // a make-up day
		}
		r := rand.New(rand.NewPCG(v.plan.Seed, hash("day", day.Format("20060102"))))
		w *= 1 + 0.07*math.Sin(float64(day.YearDay())/58) + 0.06*(r.Float64()*2-1)
		w *= growthTo - (growthTo-growthFrom)*float64(d)/float64(len(weights))
		if d == 0 {
			w *= v.hoursBefore(v.now)
		}
		weights[d] = w
		sum += w
	}
	v.counts = make([]int, len(weights))
	rest := 0.0
	for d, w := range weights {
		x := float64(v.plan.Tickets)*w/sum + rest
		v.counts[d] = int(x)
		rest = x - math.Floor(x)
	}
}

// between is the mean time between two requests at the end of the history.
func (p plan) between() time.Duration {
	perDay := float64(p.Tickets) / float64(max(p.Days, 1)) * growthTo
	return min(max(time.Duration(float64(24*time.Hour)/max(perDay, 1)), 20*time.Second), 4*time.Minute)
}

// hoursBefore is the part of a day's calls that have come by the moment.
func (v *volume) hoursBefore(t time.Time) float64 {
	var done, all float64
	for h, w := range hourly {
		all += w
		switch {
		case h < t.Hour():
			done += w
		case h == t.Hour():
			done += w * float64(t.Minute()) / 60
		}
	}
	return done / all
}

func (v *volume) dayStart(d int) time.Time {
	y, m, day := v.now.Date()
	return time.Date(y, m, day-d, 0, 0, 0, 0, clock.Shanghai)
}

// day draws the requests of a day, d days before today, in the order of time.
func (v *volume) day(d int) []slot {
	start := v.dayStart(d)
	name := start.Format("20060102")
	r := rand.New(rand.NewPCG(v.plan.Seed, hash("slots", name)))
	out := make([]slot, 0, v.counts[d])
	for len(out) < v.counts[d] {
		at := start.Add(v.moment(r))
		if at.After(v.now.Add(-30 * time.Second)) {
			if d > 0 || v.hoursBefore(v.now) < 0.002 { // nothing of today has come
				break
			}
			continue
		}
		out = append(out, slot{At: at, City: v.city(r)})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].At.Before(out[j].At) })
	for i := range out {
		out[i].No = fmt.Sprintf("%s-%05d", name, i+1)
	}
	return out
}

// yield leaves out of a day's slots those that the tickets planted for the desks
// stand for: two in three of an hour at most, first of the same city.
func yield(slots []slot, planted []life) []slot {
	type hour struct {
		at   int64
		city string // "" any
	}
	of := func(at time.Time, city string) hour { return hour{at.Unix() / 3600, city} }
	room, want := map[hour]int{}, map[hour]int{}
	for _, s := range slots {
		room[of(s.At, "")]++
	}
	for h, n := range room {
		room[h] = n * 2 / 3
	}
	for i := range planted {
		at := clock.FromMillis(planted[i].n.At)
		want[of(at, planted[i].city)]++
		want[of(at, "")]++
	}
	drop := make([]bool, len(slots))
	for _, anywhere := range []bool{false, true} {
		for i, s := range slots {
			all := of(s.At, "")
			here := of(s.At, s.City)
			if drop[i] || room[all] == 0 || want[all] == 0 || !anywhere && want[here] == 0 {
				continue
			}
			drop[i] = true
			room[all]--
			want[all]--
			want[here]--
		}
	}
	out := slots[:0]
	for i, s := range slots {
		if !drop[i] {
			out = append(out, s)
		}
	}
	return out
}

// moment draws a time of the day.
func (v *volume) moment(r *rand.Rand) time.Duration {
	var all float64
	for _, w := range hourly {
		all += w
	}
	x := r.Float64() * all
	for h, w := range hourly {
		if x < w {
			return time.Duration(h)*time.Hour + time.Duration(r.Int64N(int64(time.Hour)))
		}
		x -= w
	}
	return 10 * time.Hour
}

// city draws a platform by its weight.
func (v *volume) city(r *rand.Rand) string {
	x := r.Float64() * v.upTo[len(v.upTo)-1]
	return v.cities[min(sort.SearchFloat64s(v.upTo, x), len(v.cities)-1)]
}

// pace is the number of requests that are believable in an hour, relative to
// the mean of the day: the simulator's rate.
func pace(t time.Time) float64 {
	var all float64
	for _, w := range hourly {
		all += w
	}
	return hourly[t.Hour()] / (all / 24) * weekly[t.Weekday()]
}
