package measure

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/org"
)

// Query asks for a measure.
type Query struct {
	Name     string
	By       string    // unit region day type category; "" = the total only
	From, To time.Time // days, both included
	Region   string    // only what lies in it
	Unit     int64     // only what this unit and those below handle
	Category string    // by category: the children of this one; "" = the first level
	Type     string
}

// Ways to group.
const (
	ByUnit     = "unit"
	ByRegion   = "region"
	ByDay      = "day"
	ByType     = "type"
	ByCategory = "category"
)

// longest is the longest period of one question, in days.
const longest = 800

// check fills the period and refuses what cannot be asked.
func (q *Query) check(now time.Time) error {
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = q.To.AddDate(0, 0, -6)
	}
	q.From, q.To = startOfDay(q.From), startOfDay(q.To)
	switch {
	case q.To.Before(q.From):
		return fault.Invalid("period_invalid", "结束日期不能早于开始日期。").At(fault.Field{Name: "to", Detail: "请重新选择。"})
	case q.To.Sub(q.From) > longest*24*time.Hour:
		return fault.Invalid("period_too_long", "统计期间最长%d天，请缩短。", longest).At(fault.Field{Name: "from", Detail: "请重新选择。"})
	}
	switch q.By {
	case "", ByUnit, ByRegion, ByDay, ByType, ByCategory:
		return nil
	}
	return fault.Invalid("by_invalid", "只能按单位、区划、日期、诉求类型或事项分类统计。").At(fault.Field{Name: "by", Detail: "请重新选择。"})
}

func startOfDay(t time.Time) time.Time {
	t = t.In(clock.Shanghai)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, clock.Shanghai)
}

// span is the question seen from the tables.
type span struct {
	tree      *org.Tree
	root      org.Unit // subtree that counts
	platforms []int64
	whole     bool // the root is all of its platforms
	fromMS    int64
	toMS      int64
	fromDay   int64
	toDay     int64
	q         Query
}

// span narrows the viewer's subtree to the question.
func (s *Service) span(v Viewer, q Query) (span, error) {
	root := v.Root
	if q.Unit != 0 {
		if !v.Tree.Under(root, q.Unit) {
			return span{}, fault.NotFound("unit_unknown", "单位不存在，或不在您的查看范围内。")
		}
		root = q.Unit
	}
	u, ok := v.Tree.Get(root)
	if !ok {
		return span{}, fault.Forbidden("no_figures", "您的岗位没有可以查看的统计范围。")
	}
	sp := span{tree: v.Tree, root: u, q: q, whole: u.Kind.Platform(),
		fromMS: clock.Millis(q.From), toMS: clock.Millis(q.To.AddDate(0, 0, 1)), fromDay: dayOf(clock.Millis(q.From)), toDay: dayOf(clock.Millis(q.To))}
	if sp.whole {
		for _, x := range v.Tree.All() {
			if x.Kind.Platform() && v.Tree.Under(u.ID, x.ID) {
				sp.platforms = append(sp.platforms, x.ID)
			}
		}
	} else {
		sp.platforms = []int64{v.Tree.Platform(u.ID).ID}
		if p := v.Tree.Province().ID; p != 0 && p != sp.platforms[0] { // what the province took over may be handled here
			sp.platforms = append(sp.platforms, p)
		}
	}
	return sp, nil
}

// group is one raw line of counts before it is rolled up to what is shown.
type group struct {
	platform int64
	unit     int64
	region   string
	day      int64
	key      string // type or category
	v        vec
}

// groups reads the counts that a definition needs, from the counters where one
// axis answers the question, else from the rows of the period.
func (s *Service) groups(ctx context.Context, sp span, by string, need []string) ([]group, error) {
	axis := ""
	narrow := 0
	for _, on := range []bool{sp.q.Region != "", !sp.whole, sp.q.Type != "", sp.q.Category != "" && by != ByCategory} {
		if on {
			narrow++
		}
	}
	switch {
	case narrow == 0:
		axis = map[string]string{ByUnit: axisUnit, ByRegion: axisRegion, ByCategory: axisCategory}[by]
		if axis == "" {
			axis = axisType
		}
	case narrow == 1 && sp.q.Region != "" && by != ByUnit && by != ByType && by != ByCategory:
		axis = axisRegion
	case narrow == 1 && !sp.whole && by != ByRegion && by != ByType && by != ByCategory && !platformNeed(need):
		axis = axisUnit
	case narrow == 1 && sp.q.Type != "" && by != ByUnit && by != ByRegion && by != ByCategory:
		axis = axisType
	}
	if axis != "" {
		return s.cells(ctx, sp, axis, need)
	}
	return s.rowsOf(ctx, sp, by, need)
}

// platformNeed tells whether any of the atoms has no unit on the unit axis.
func platformNeed(need []string) bool {
	for _, n := range need {
		if i, ok := atomIndex[strings.TrimPrefix(n, "-")]; ok && atoms[i].platformSide() {
			return true
		}
	}
	return false
}

// cells reads one axis of the counters, only the atoms that are needed.
func (s *Service) cells(ctx context.Context, sp span, axis string, need []string) (out []group, err error) {
	var idx []int
	var sums []string
	for _, n := range need {
		if i, ok := atomIndex[strings.TrimPrefix(n, "-")]; ok && !slices.Contains(idx, i) {
			idx = append(idx, i)
			sums = append(sums, "coalesce(SUM(n_"+atoms[i].name+"), 0)")
		}
	}
	args := []any{axis, sp.fromDay, sp.toDay}
	text := `SELECT platform, key, ` + dayOr(sp.q.By) + `, ` + strings.Join(sums, ", ") + ` FROM stat_day WHERE axis = $1 AND platform IN (` + marksFor(&args, sp.platforms) +
		`) AND day BETWEEN $2 AND $3 GROUP BY platform, key`
	if sp.q.By == ByDay {
		text += `, day`
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, func(sc db.Scanner) (g group, err error) {
			dest := []any{&g.platform, &g.key, &g.day}
			for _, i := range idx {
				dest = append(dest, &g.v[i])
			}
			err = sc.Scan(dest...)
			switch axis {
			case axisUnit:
				g.unit, _ = strconv.ParseInt(g.key, 10, 64)
			case axisRegion:
				g.region = g.key
			}
			return g, err
		}, text, args...)
		return err
	})
	return keep(out, sp, axis), err
}

func dayOr(by string) string {
	if by == ByDay {
		return "day"
	}
	return "0"
}

// keep drops the lines that the question leaves out.
func keep(in []group, sp span, axis string) []group {
	out := in[:0]
	for _, g := range in {
		switch {
		case axis == axisRegion && sp.q.Region != "" && !inRegion(sp.q.Region, g.region):
		case axis == axisUnit && !sp.whole && !sp.tree.Under(sp.root.ID, g.unit):
		case axis == axisType && sp.q.Type != "" && g.key != sp.q.Type:
		default:
			out = append(out, g)
		}
	}
	return out
}

// rowsOf sums the rows themselves, moment by moment: exact for any question,
// and bounded by platform and period.
func (s *Service) rowsOf(ctx context.Context, sp span, by string, need []string) (out []group, err error) {
	wanted := map[int][]int{}
	for _, n := range need {
		if i, ok := atomIndex[strings.TrimPrefix(n, "-")]; ok && !slices.Contains(wanted[atoms[i].when], i) {
			wanted[atoms[i].when] = append(wanted[atoms[i].when], i)
		}
	}
	key := map[string]string{ByType: "type", ByCategory: "category"}[by]
	if key == "" {
		key = "''"
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		for when, idx := range wanted {
			var args []any
			cond := sp.where(&args, when)
			day := "0"
			if by == ByDay && when != live { // days since 1970 in Shanghai
				day = "((" + momentColumn[when] + " + 28800000) / 86400000)"
			}
			var sums []string
			for _, i := range idx {
				sums = append(sums, "coalesce("+atoms[i].expr()+", 0)")
			}
			gs, err := db.All(tx, func(sc db.Scanner) (g group, err error) {
				dest := []any{&g.platform, &g.unit, &g.region, &g.day, &g.key}
				for _, i := range idx {
					dest = append(dest, &g.v[i])
				}
				if err = sc.Scan(dest...); err == nil && g.day != 0 {
					g.day = dayOf(g.day*86400000 - 28800000)
				}
				return g, err
			}, `SELECT platform, unit, region, `+day+` AS d, `+key+` AS k, `+strings.Join(sums, ", ")+` FROM stat_row WHERE `+cond+` GROUP BY platform, unit, region, d, k`, args...)
			if err != nil {
				return err
			}
			for _, g := range gs {
				if sp.whole || sp.tree.Under(sp.root.ID, g.unit) {
					out = append(out, g)
				}
			}
		}
		return nil
	})
	return out, err
}

// where is the condition of a question on rows; subtrees are narrowed in memory.
func (sp span) where(args *[]any, when int) string {
	arg := func(v any) string { *args = append(*args, v); return "$" + strconv.Itoa(len(*args)) }
	parts := []string{"platform IN (" + marksFor(args, sp.platforms) + ")"}
	if when != live {
		c := momentColumn[when]
		parts = append(parts, c+" > 0 AND "+c+" >= "+arg(sp.fromMS)+" AND "+c+" < "+arg(sp.toMS))
	}
	if r := sp.q.Region; r != "" {
		p := regionPrefix(r)
		parts = append(parts, "region >= "+arg(p)+" AND region < "+arg(p+":"))
	}
	if sp.q.Type != "" {
		parts = append(parts, "type = "+arg(sp.q.Type))
	}
	if c := sp.q.Category; c != "" {
		p := categoryPrefix(c)
		parts = append(parts, "category >= "+arg(p)+" AND category < "+arg(p+":"))
	}
	return strings.Join(parts, " AND ")
}

// marksFor binds values and gives their place holders.
func marksFor[T any](args *[]any, ids []T) string {
	in := make([]string, len(ids))
	for i, id := range ids {
		*args = append(*args, id)
		in[i] = "$" + strconv.Itoa(len(*args))
	}
	return strings.Join(in, ",")
}

func regionPrefix(code string) string {
	for len(code) <= 6 && len(code) > 2 && strings.HasSuffix(code, "00") {
		code = code[:len(code)-2]
	}
	return code
}

func inRegion(outer, inner string) bool { return strings.HasPrefix(inner, regionPrefix(outer)) }

func categoryPrefix(code string) string {
	for len(code) == 6 && code[4:] == "00" || len(code) == 4 && code[2:] == "00" {
		code = code[:len(code)-2]
	}
	return code
}
