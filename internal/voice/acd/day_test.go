package acd

import (
	"fmt"
	"math"
	"testing"
)

// hourly is a day's calls by hour, in thousandths.
var hourly = [24]int{8, 5, 4, 4, 5, 8, 15, 35, 75, 95, 98, 80, 55, 62, 82, 84, 78, 60, 42, 35, 28, 20, 14, 8}

// A province's day of 45,000 calls, one hour of it a surge of three times the
// calls while one city's site is lost: every caller who gave up waiting is
// called back within 30 minutes.
func TestProvinceDay(t *testing.T) {
	const calls = 45_000
	s := newSim(t, 20260713, func(name string) Queue {
		q := Standard(name)
		q.RingTime = 12
		return q
	})
	s.talk = func() int64 { return 20_000 + s.exp(130_000) }
	s.ring = func(string) int64 {
		if s.r.IntN(200) == 0 {
			return -1
		}
		return 2_000 + s.r.Int64N(3_000)
	}
	s.wait = func() int64 { return 3_000 + s.exp(120_000) }

	lines := []string{"line:12315", "line:12333", "line:12329", "line:12369"}
	on := func(city, i int) string { return fmt.Sprintf("c%02d-%03d", city, i) }
	desks := func(city int) int { return 24 + 8*(city%5) } // 17 cities, 24–56 seats by day
	sign := func(city, i int, remote bool) {
		id := on(city, i)
		skills := map[string]int{lines[i%4]: 60, lines[(i+1)%4]: 60, "lang:zh": 90}
		if i%5 == 0 {
			skills["dialect"] = 50
		}
		s.d.SignOn(s.now, Seat{ID: id, Team: int64(city*10 + i%3), City: int64(city), Remote: remote, Skills: skills})
		s.d.SetReady(s.now, id)
	}
	for city := 1; city <= 17; city++ {
		for i := range desks(city) {
			night := i < 6 // 7×24: six people a city by night
			if night {
				s.at(0, func() { sign(city, i, false) })
			} else {
				s.at(int64(7)*3_600_000+int64(s.r.IntN(1_200_000)), func() { sign(city, i, false) })
				s.at(int64(21)*3_600_000+int64(s.r.IntN(1_200_000)), func() { s.d.SignOff(s.now, on(city, i)) })
			}
		}
		for i := range 6 { // 县级远程座席
			s.at(int64(8)*3_600_000, func() { sign(city, 100+i, true) })
			s.at(int64(18)*3_600_000, func() { s.d.SignOff(s.now, on(city, 100+i)) })
		}
	}
	// The site of city 5 (56 seats with the day shift) is lost at 10:30 for good.
	s.at(10*3_600_000+1_800_000, func() {
		for i := range desks(4) {
			s.d.SignOff(s.now, on(4, i))
		}
	})
	total := 0
	for _, n := range hourly {
		total += n
	}
	for h, n := range hourly {
		k := calls * n / total
		if h == 10 {
			k *= 3
		}
		for range k {
			at := int64(h)*3_600_000 + s.r.Int64N(3_600_000)
			city := int64(1 + s.r.IntN(17))
			c := Call{Queue: "12345", City: city, Team: city*10 + s.r.Int64N(3), Caller: fmt.Sprint("n", s.r.IntN(2_000_000))}
			if s.r.IntN(4) == 0 {
				c.Needs = []Need{{lines[s.r.IntN(4)], 40, true}}
			}
			if s.r.IntN(50) == 0 {
				c.Needs = append(c.Needs, Need{"dialect", 30, true})
			}
			s.at(at, func() { s.arrive(c) })
		}
	}
	s.run(26 * 3_600_000)
	t.Logf("%d calls: %d answered (%.2f%%), %.2f%% within 15 s; %d gave up (%d short), %d missed, %d called back, slowest %.1f min",
		s.offered, s.answered, 100*float64(s.answered)/float64(s.offered), 100*float64(s.in15)/float64(s.offered), s.gone, s.short, s.missed, s.back, float64(s.worst)/60_000)
	if s.missed == 0 || s.gone < 500 {
		t.Fatalf("the surge was no surge: %d gave up", s.gone)
	}
	// A missed caller who rang again takes the kept place and is answered or missed anew.
	if left := len(s.d.rest); left != 0 {
		t.Errorf("%d callers were never called back", left)
	}
	if s.late != 0 || s.worst > 30*60_000 {
		t.Errorf("%d were called back late, the slowest after %.1f min", s.late, float64(s.worst)/60_000)
	}
	if s.d.Len() != 0 {
		t.Errorf("%d calls are left over", s.d.Len())
	}
}

func BenchmarkDispatcher(b *testing.B) {
	s := newSim(b, 1, Standard)
	s.talk = func() int64 { return 150_000 }
	for i := range 600 {
		id := fmt.Sprintf("s%03d", i)
		s.d.SignOn(0, Seat{ID: id, City: 1})
		s.d.SetReady(0, id)
	}
	for i := range b.N {
		s.at(int64(i)*400, func() { s.arrive(Call{Queue: "12345", City: 1}) })
	}
	b.ResetTimer()
	s.run(math.MaxInt64)
}
