package measure

import (
	"context"
	"strconv"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

func parseDay(s string) (time.Time, error) {
	return time.ParseInLocation("2006-01-02", s, clock.Shanghai)
}

// Spot is one region of the map.
type Spot struct {
	Code, Name string
	Value      *float64 // of the metric; nil = kept back
	Count      int64
	Population int64
	Open       *int64 // nil = kept back
	Overdue    *int64 // nil = kept back
	Hidden     bool   // the count is kept back and stands as 0
	Path       string
}

// Metrics of the map.
const (
	Per10k  = "per10k"
	Counted = "count"
	Overdue = "overdue"
)

// MetricDefinition says what a metric of the map shows.
func MetricDefinition(metric string) string {
	switch metric {
	case Counted:
		return "期间登记受理的件数，无效件不计。"
	case Overdue:
		return "目前超过办理时限仍未办结的件数。"
	}
	return "万人诉求比＝期间受理件数÷常住人口×10000；市州人口为第七次全国人口普查数，县级为估算。"
}

// Map gives every city of the province, or every county (of one city when
// parent says so), in the order of 区划 codes. days counts back from today.
// All staff see the province's totals; small cells elsewhere are kept back
// from de-identified views.
func (s *Service) Map(ctx context.Context, v Viewer, level, parent, metric string, days int) ([]Spot, error) {
	var list []region.Region
	switch level {
	case "", "city":
		list = region.Cities()
	case "county":
		for _, r := range region.Counties() {
			if parent == "" || region.City(r.Code) == region.City(parent) {
				list = append(list, r)
			}
		}
	default:
		return nil, fault.Invalid("level_invalid", "地图只有市州和县区两级。")
	}
	if metric == "" {
		metric = Per10k
	}
	if metric != Per10k && metric != Counted && metric != Overdue {
		return nil, fault.Invalid("metric_invalid", "地图指标只有万人诉求比、件数和逾期。")
	}
	if days < 1 || days > 31 {
		days = 1
	}
	now := startOfDay(s.DB.Clock().Now())
	sums, err := s.byRegion(ctx, v, now.AddDate(0, 0, 1-days), now)
	if err != nil {
		return nil, err
	}
	out := make([]Spot, 0, len(list))
	for _, r := range list {
		var c vec
		for code, x := range sums {
			if code == r.Code || r.Level == region.LevelCity && region.City(code) == r.Code {
				c.add(*x)
			}
		}
		out = append(out, s.spot(v, r, &c, metric, now, days))
	}
	return out, nil
}

func (s *Service) spot(v Viewer, r region.Region, c *vec, metric string, today time.Time, days int) Spot {
	p := Spot{Code: r.Code, Name: r.Name, Population: int64(r.Population), Count: c.n("received") - c.n("invalid"),
		Path: "/stats?" + "name=received&by=region&region=" + r.Code + "&from=" + today.AddDate(0, 0, 1-days).Format("2006-01-02") + "&to=" + today.Format("2006-01-02")}
	open, overdue := c.n("open"), c.n("overdue")
	if !v.Hidden(r.Code, open) {
		p.Open = &open
	}
	if !v.Hidden(r.Code, overdue) {
		p.Overdue = &overdue
	}
	hidden := v.Hidden(r.Code, p.Count)
	switch {
	case metric == Overdue && p.Overdue != nil:
		p.Value = ptr(float64(overdue))
	case metric == Per10k && p.Population > 0 && !hidden:
		p.Value = ptr(float64(p.Count) / float64(p.Population) * 10000)
	case metric == Counted && !hidden:
		p.Value = ptr(float64(p.Count))
	}
	if hidden {
		p.Count = 0
	}
	p.Hidden = hidden || metric == Overdue && p.Overdue == nil
	return p
}

func (v *vec) n(name string) int64 { return v[atomIndex[name]] }

// byRegion sums the whole province by county, with what is open now.
func (s *Service) byRegion(ctx context.Context, v Viewer, from, to time.Time) (map[string]*vec, error) {
	out := map[string]*vec{}
	err := s.axis(ctx, axisRegion, s.allPlatforms(v), from, to, func(_ int64, key string, _ int64, c *vec) {
		if out[key] == nil {
			out[key] = &vec{}
		}
		out[key].add(*c)
	})
	return out, err
}

func (s *Service) allPlatforms(v Viewer) (out []int64) {
	for _, u := range v.Tree.All() {
		if u.Kind.Platform() {
			out = append(out, u.ID)
		}
	}
	return out
}

// axis reads one axis of the counters over days, and the live cells (day 0).
func (s *Service) axis(ctx context.Context, axis string, platforms []int64, from, to time.Time, each func(platform int64, key string, day int64, c *vec)) error {
	if len(platforms) == 0 {
		return nil
	}
	args := []any{axis, dayOf(clock.Millis(from)), dayOf(clock.Millis(to))}
	in := marksFor(&args, platforms)
	return s.DB.View(ctx, func(tx *db.Tx) error {
		for _, days := range []string{"day BETWEEN $2 AND $3", "day = 0 AND $2 <= $3"} {
			_, err := db.All(tx, func(sc db.Scanner) (none struct{}, err error) {
				var c vec
				var platform, day int64
				var key string
				if err = scanVec(sc, &c, &platform, &key, &day); err == nil {
					each(platform, key, day, &c)
				}
				return none, err
			}, `SELECT platform, key, day, `+cellColumns+` FROM stat_day WHERE axis = $1 AND platform IN (`+in+`) AND `+days, args...)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Tile is one figure of the big screen.
type Tile struct {
	Key, Label string
	Value      *float64
	Unit       string
	Definition string
	Fresh      string
}

// Count is a number with its name.
type Count struct {
	Key, Name string
	N         int64
}

// Board is all the numbers of /screen.
type Board struct {
	Lag    int64 // ms
	Tiles  []Tile
	Hours  [24]int64
	Types  []Count
	Hot    []Count
	Cities []Spot
}

// Screen gives the province's numbers of today, from the counters alone.
func (s *Service) Screen(ctx context.Context, v Viewer) (Board, error) {
	var b Board
	today := startOfDay(s.DB.Clock().Now())
	all := s.allPlatforms(v)
	types := map[string]int64{}
	var now, week vec
	err := s.axis(ctx, axisType, all, today.AddDate(0, 0, -6), today, func(_ int64, key string, day int64, c *vec) {
		week.add(*c)
		if day == dayOf(clock.Millis(today)) || day == 0 {
			now.add(*c)
			types[key] += c.n("received") - c.n("invalid")
		}
	})
	if err == nil {
		b.Hot, err = s.hot(ctx, v, all, today)
	}
	if err == nil {
		err = s.axis(ctx, axisHour, all, today, today, func(_ int64, key string, _ int64, c *vec) {
			if h, e := strconv.Atoi(key); e == nil && h >= 0 && h < 24 {
				b.Hours[h] += c.n("received")
			}
		})
	}
	if err == nil {
		b.Cities, err = s.Map(ctx, v, "city", "", Per10k, 1)
	}
	if err == nil {
		_, b.Lag, err = s.Lag(ctx)
	}
	if err != nil {
		return Board{}, err
	}
	for _, t := range ticket.Types {
		b.Types = append(b.Types, Count{t, t, types[t]})
	}
	b.Tiles = s.tiles(&now, &week, b.Lag)
	return b, nil
}

// hotShown is how many matters the screen names.
const hotShown = 10

// hot gives the matters that most people brought today.
func (s *Service) hot(ctx context.Context, v Viewer, platforms []int64, today time.Time) (out []Count, err error) {
	args := []any{axisCategory, dayOf(clock.Millis(today))}
	least := int64(1)
	if v.KAnon {
		least = SmallCell
	}
	text := `SELECT key, SUM(n_received - n_invalid) AS n FROM stat_day WHERE axis = $1 AND day = $2 AND platform IN (` + marksFor(&args, platforms) + `) AND key <> ''
 GROUP BY key HAVING SUM(n_received - n_invalid) >= ` + strconv.FormatInt(least, 10) + ` ORDER BY n DESC, key LIMIT ` + strconv.Itoa(hotShown)
	tree := s.Ticket.Categories(v.Tree.Province().ID)
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, func(sc db.Scanner) (c Count, err error) {
			err = sc.Scan(&c.Key, &c.N)
			cat, _ := tree.Get(c.Key)
			c.Name = cat.Name
			return c, err
		}, text, args...)
		return err
	})
	return out, err
}

// tiles picks the figures of the top row.
func (s *Service) tiles(now, week *vec, lag int64) []Tile {
	fresh := "实时"
	if lag > 5000 {
		fresh = "滞后" + strconv.FormatInt(lag/1000, 10) + "秒"
	}
	plain := func(key, label, def string, n int64) Tile {
		return Tile{key, label, ptr(float64(n)), "件", def, fresh}
	}
	out := []Tile{
		plain("received", "今日受理", "今日登记受理的件数，无效件不计。", now.n("received")-now.n("invalid")),
		plain("direct", "今日直办", "今日受理中当场直接答复办结的件数。", now.n("direct")),
		plain("closed", "今日办结", "今日审核通过办结的件数，不含直办。", now.n("closed")),
		plain("open", "当前在办", "目前尚未办结的件数。", now.n("open")),
		plain("overdue", "当前逾期", "目前超过办理时限仍未办结的件数。", now.n("overdue")),
	}
	for _, name := range []string{"ontime_rate", "satisfied_rate", "solved_rate"} {
		if d, err := s.Definition(name); err == nil {
			out = append(out, Tile{name, "近7日" + d.Label, d.figure(week, 0).Value, d.Unit, d.Formula + "。" + d.Exclusions + "。", fresh})
		}
	}
	return out
}
