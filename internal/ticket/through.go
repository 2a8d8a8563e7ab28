package ticket

import "strings"

// through is what a list of everything in a wide scope begins with: the engine
// walks the index that leaves the fewest tickets, the newest first, and stops
// where the days that are asked for begin.
type through int

const (
	throughScope through = iota // the worklist of the scope's unit
	throughUnit                 // the worklist of the unit that is asked for
	throughCounty
	throughCategory
	throughStatus
	throughDays // of 受理
)

func throughOf(f Filter) through {
	switch {
	case f.Unit != 0:
		return throughUnit
	case len(f.Category) == 6 && stem(f.Category) == f.Category:
		return throughCategory
	case len(f.Region) >= 6:
		return throughCounty
	case f.Status != "":
		return throughStatus
	case f.From > 0 || f.To > 0:
		return throughDays
	}
	return throughScope
}

// conditions are those of the filter that have an index. Only the one begun
// with may use it: SQLite, which keeps no statistics here, would take any, and
// sort what it finds.
func (w through) conditions(f Filter, arg func(any) string) (out []string) {
	plain := func(column string, with through) string {
		if w == with {
			return column
		}
		return "(" + column + " || '')"
	}
	if w == throughCounty {
		out = append(out, "substr(t.region, 1, 6) = "+arg(f.Region[:6]))
	}
	switch {
	case f.Status == Open && w != throughStatus: // else each status is read by itself
		marks := make([]string, len(openStatuses))
		for i, st := range openStatuses {
			marks[i] = arg(st)
		}
		out = append(out, "(t.status || '') IN ("+strings.Join(marks, ", ")+")")
	case f.Status != "" && f.Status != Open:
		out = append(out, plain("t.status", throughStatus)+" = "+arg(f.Status))
	}
	accepted := "t.accepted"
	if w <= throughUnit {
		accepted = "(t.accepted + 0)"
	}
	if f.From > 0 {
		out = append(out, accepted+" >= "+arg(f.From))
	}
	if f.To > 0 {
		out = append(out, accepted+" < "+arg(f.To))
	}
	if w == throughCategory {
		out = append(out, "t.category = "+arg(f.Category))
	} else if f.Category != "" {
		c := plain("t.category", throughCategory)
		out = append(out, c+" >= "+arg(stem(f.Category)), c+" < "+arg(stem(f.Category)+":"))
	}
	return out
}

// stem is what the codes under a 事项分类 begin with.
func stem(category string) string {
	c := strings.TrimRight(category, "0")
	if len(c)%2 == 1 {
		c += "0"
	}
	return c
}
