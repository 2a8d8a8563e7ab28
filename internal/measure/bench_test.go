package measure

import (
	"context"
	"fmt"
	"testing"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/org"
)

// filled is a province whose counters look like those of a million tickets:
// 18 platforms, 90 days, every county, 60 units and 400 matters a day.
func filled(b *testing.B) *world {
	d, c := dbtest.SQLite(b, schemas()...)
	w := newWorld(b, d, c)
	ctx := context.Background()
	var more []org.NewUnit
	for i, code := range []string{"420200", "420300", "420600", "420700", "420800", "420900", "421000", "421100", "421200", "421300", "422800", "429004", "429005", "429006", "429021"} {
		more = append(more, org.NewUnit{Code: "P" + code, Name: fmt.Sprintf("市州平台%d", i), Kind: org.KindCity, Region: code, ParentCode: "P420000"})
	}
	if err := w.m.Org.CreateAll(ctx, org.By{}, more); err != nil {
		b.Fatal(err)
	}
	if err := w.m.Org.Load(ctx); err != nil {
		b.Fatal(err)
	}
	today := startOfDay(c.Now())
	for _, p := range w.m.allPlatforms(Viewer{Tree: w.m.Org.Tree()}) {
		u, _ := w.m.Org.Tree().Get(p)
		for day := -90; day <= 0; day++ {
			at := dayOf(clock.Millis(today.AddDate(0, 0, day)))
			if day == -90 {
				at = 0
			}
			err := d.Update(ctx, func(tx *db.Tx) error {
				for axis, n := range map[string]int{axisRegion: 7, axisType: 7, axisUnit: 60, axisCategory: 400, axisHour: 24} {
					for i := range n {
						key := fmt.Sprint(i)
						switch axis {
						case axisRegion:
							key = u.Region
						case axisCategory:
							key = fmt.Sprintf("%02d%02d%02d", 1+i/40, 1+i/8%5, 1+i%8)
						}
						if axis == axisRegion && i > 0 {
							continue
						}
						var v vec
						for a := range v {
							v[a] = int64(i%5 + 1)
						}
						if err := saveCell(tx, cell{axis, p, key, at}, &v); err != nil {
							return err
						}
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	return w
}

func BenchmarkBoards(b *testing.B) {
	w := filled(b)
	ctx := context.Background()
	v := w.m.ViewerOf(w.Who(access.Province, "P420000"))
	for name, read := range map[string]func() error{
		"screen":   func() error { _, err := w.m.Screen(ctx, v); return err },
		"families": func() error { _, err := w.m.Families(ctx, v); return err },
		"map":      func() error { _, err := w.m.Map(ctx, v, "county", "", Per10k, 7); return err },
		"trend":    func() error { _, err := w.m.Trend(ctx, v, 14); return err },
		"units 30 days": func() error {
			_, err := w.m.Value(ctx, v, Query{Name: "ontime_rate", By: ByUnit, From: w.Clock.Now().AddDate(0, 0, -29)})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFollower tells what counting one event costs.
func BenchmarkFollower(b *testing.B) {
	d, c := dbtest.SQLite(b, schemas()...)
	w := newWorld(b, d, c)
	for range 1000 {
		id := w.Create("P420100", nil)
		w.Do(w.Who(access.Dispatcher, "P420100"), id, "dispatch", w.Unit("D420100-chengguan"))
	}
	ctx := context.Background()
	w.count()
	b.ResetTimer()
	for b.Loop() {
		if err := w.m.Rebuild(ctx); err != nil {
			b.Fatal(err)
		}
		n, err := w.m.CatchUp(ctx)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n), "events/op")
	}
}
