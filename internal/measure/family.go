package measure

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// Standing is one measure on a leader's page: today, seven days, and the
// change against the seven days before.
type Standing struct {
	Definition
	Today, Week, Delta *float64
	Path               string
}

// families are the measures of a leader's page, 接 分 办.
var families = []struct {
	Family string
	Names  []string
}{
	{"接", []string{"received", "direct_rate", "repeat_rate"}},
	{"分", []string{"dispatch_time", "first_accuracy", "sign_rate", "return_rate"}},
	{"办", []string{"ontime_rate", "solved_rate", "satisfied_rate", "redo_rate"}},
}

// Families gives the three families for the viewer's own part of the organisation.
func (s *Service) Families(ctx context.Context, v Viewer) (map[string][]Standing, error) {
	today := startOfDay(s.DB.Clock().Now())
	var day, week, before vec
	err := s.totals(ctx, v, today.AddDate(0, 0, -13), today, func(at time.Time, c *vec) {
		switch {
		case at.Equal(today):
			day.add(*c)
			week.add(*c)
		case at.After(today.AddDate(0, 0, -7)):
			week.add(*c)
		default:
			before.add(*c)
		}
	})
	if err != nil {
		return nil, err
	}
	root, _ := v.Tree.Get(v.Root)
	out := map[string][]Standing{}
	for _, f := range families {
		for _, name := range f.Names {
			d, err := s.Definition(name)
			if err != nil { // a published version may leave a measure out
				continue
			}
			if d.platformSide() && !root.Kind.Platform() { // a unit receives and dispatches nothing
				continue
			}
			st := Standing{Definition: d, Today: d.figure(&day, 0).Value, Week: d.figure(&week, 0).Value}
			if was := d.figure(&before, 0).Value; was != nil && st.Week != nil {
				st.Delta = ptr(*st.Week - *was)
			}
			st.Path = "/stats?" + url.Values{"name": {name}, "by": {"region"}, "from": {today.AddDate(0, 0, -6).Format("2006-01-02")}, "to": {today.Format("2006-01-02")}}.Encode()
			out[f.Family] = append(out[f.Family], st)
		}
	}
	return out, nil
}

// DayCount is one day of a trend.
type DayCount struct {
	Day                    time.Time
	Received, Closed, Late int64
}

// Trend gives the last days of the viewer's part of the organisation.
func (s *Service) Trend(ctx context.Context, v Viewer, days int) ([]DayCount, error) {
	today := startOfDay(s.DB.Clock().Now())
	first := today.AddDate(0, 0, 1-days)
	out := make([]DayCount, days)
	for i := range out {
		out[i].Day = first.AddDate(0, 0, i)
	}
	err := s.totals(ctx, v, first, today, func(at time.Time, c *vec) {
		if i := int(at.Sub(first).Hours()) / 24; i >= 0 && i < days {
			out[i].Received += c.n("received") - c.n("invalid")
			out[i].Closed += c.n("closed") + c.n("direct")
			out[i].Late += c.n("late")
		}
	})
	return out, err
}

// Now gives what is open and overdue in the viewer's part of the organisation.
func (s *Service) Now(ctx context.Context, v Viewer) (open, overdue int64, err error) {
	today := startOfDay(s.DB.Clock().Now())
	sp, err := s.span(v, Query{From: today, To: today})
	if err != nil {
		return 0, 0, err
	}
	err = s.axis(ctx, sp.ownAxis(), sp.platforms, today, today, func(_ int64, key string, day int64, c *vec) {
		if day == 0 && sp.owns(key) {
			open += c.n("open")
			overdue += c.n("overdue")
		}
	})
	return open, overdue, err
}

// totals hands over the counts of each day for the viewer's root.
func (s *Service) totals(ctx context.Context, v Viewer, from, to time.Time, each func(day time.Time, c *vec)) error {
	sp, err := s.span(v, Query{From: from, To: to})
	if err != nil {
		return err
	}
	return s.axis(ctx, sp.ownAxis(), sp.platforms, from, to, func(_ int64, key string, day int64, c *vec) {
		if day != 0 && sp.owns(key) {
			each(startOfDay(time.UnixMilli(dayStartMS(day))), c)
		}
	})
}

// ownAxis is the axis that adds up a root: types for a platform, units below one.
func (sp span) ownAxis() string {
	if sp.whole {
		return axisType
	}
	return axisUnit
}

func (sp span) owns(key string) bool {
	if sp.whole {
		return true
	}
	id, err := strconv.ParseInt(key, 10, 64)
	return err == nil && sp.tree.Under(sp.root.ID, id)
}

// Counters are the live numbers of the public portal.
type Counters struct {
	Accepted  int     // today
	Handling  int     // now
	Closed    int     // today, 直办 included
	OnTimePct float64 // of what is closed today, 直办 included; negative: nothing yet
	AsOf      time.Time
}

// Portal gives the whole province's numbers for the citizen site.
func (s *Service) Portal(ctx context.Context) (Counters, error) {
	now := s.DB.Clock().Now()
	today := startOfDay(now)
	out := Counters{AsOf: now, OnTimePct: -1}
	var c vec
	err := s.axis(ctx, axisType, s.allPlatforms(Viewer{Tree: s.Org.Tree()}), today, today, func(_ int64, _ string, _ int64, x *vec) { c.add(*x) })
	out.Accepted, out.Handling, out.Closed = int(c.n("received")-c.n("invalid")), int(c.n("open")), int(c.n("closed")+c.n("direct"))
	if out.Closed > 0 {
		out.OnTimePct = float64(c.n("ontime")+c.n("direct")) / float64(out.Closed) * 100
	}
	return out, err
}
