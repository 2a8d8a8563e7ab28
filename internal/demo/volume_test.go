package demo

import (
	"context"
	"testing"
	"time"

	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/region"
)

// No hour stands out: the tickets planted for the roles take the place of others of
// their hour, the last two hours are no higher than the rest, and those who come
// later come at the pace of the history.
func TestNoHourTowersAboveTheOthers(t *testing.T) {
	if testing.Short() {
		return
	}
	ctx := context.Background()
	now := time.Date(2026, 11, 23, 17, 15, 0, 0, clock.Shanghai)
	a, err := app.Open(ctx, app.Config{Data: t.TempDir(), Clock: clock.NewVirtual(now), Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if err := a.DB.Migrate(ctx, Schema()); err != nil {
		t.Fatal(err)
	}
	pl, err := thePlan(ctx, a, Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := newPeople(a.Access, a.Org)
	if err := foundations(ctx, a, pl, p, func(int, int, string) {}); err != nil {
		t.Fatal(err)
	}
	planted, days, err := newHistory(a, p, pl).newest(ctx, 700)
	if err != nil {
		t.Fatal(err)
	}
	var hours [24]int
	cities := map[string]int{}
	count := func(at time.Time, city string) {
		if !at.Before(day(now)) {
			hours[at.Hour()]++
			cities[city]++
		}
	}
	for _, l := range planted {
		count(clock.FromMillis(l.n.At), l.city)
	}
	for _, s := range days[0] {
		count(s.At, s.City)
	}
	t.Logf("各时段%v，各市州%v", hours, cities)
	usual := (hours[9] + hours[10] + hours[11]) / 3
	for h, n := range hours {
		if n > 2*usual {
			t.Errorf("%d件 at %d时, the morning's hours have %d", n, h, usual)
		}
	}
	for _, c := range region.Cities() {
		if c.Code != "420100" && cities[c.Code] >= cities["420100"] {
			t.Errorf("%s has %d of today, 武汉 %d", c.Name, cities[c.Code], cities["420100"])
		}
	}
	perHour := float64(time.Hour/pl.between()) * pace(time.Date(2026, 11, 23, 10, 0, 0, 0, clock.Shanghai))
	if perHour < 0.6*float64(usual) || perHour > 1.6*float64(usual) {
		t.Errorf("%.0f callers an hour will come at ten, %d came", perHour, usual)
	}
}
