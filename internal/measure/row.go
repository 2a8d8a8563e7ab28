package measure

import (
	"strconv"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/region"
)

// row is what the measures remember of one leg of a ticket (node 0), or of one
// unit's part in a leg (node = the unit).
type row struct {
	ticket, leg, node      int64
	platform               int64
	unit                   int64 // who handles: the last unit of the 主办 chain; 0 before dispatch
	root                   int64 // 主办 directly under the platform
	region, category, kind string
	status                 string
	received, dispatched   int64
	late, closed, judged   int64
	moves                  int64 // 派单 and 改派, not 下派
	marks                  int64
}

type rowKey struct{ ticket, leg, node int64 }

func (r *row) key() rowKey { return rowKey{r.ticket, r.leg, r.node} }

func (r *row) set(mark int64, on bool) {
	r.marks &^= mark
	if on {
		r.marks |= mark
	}
}

func (r *row) is(mark int64) bool { return r.marks&mark != 0 }

func (r *row) moment(m int) int64 {
	switch m {
	case atReceived:
		return r.received
	case atDispatch:
		return r.dispatched
	case atLate:
		return r.late
	case atClosed:
		return r.closed
	case atJudged:
		return r.judged
	}
	return 0
}

// place is the county that a ticket counts in, its city where only that is known.
func place(code string) string {
	if c := region.County(code); c != "" {
		return c
	}
	if c := region.City(code); c != "" {
		return c
	}
	return region.ProvinceCode
}

// dayOf is a moment's day in Shanghai as yyyymmdd.
func dayOf(ms int64) int64 {
	t := clock.FromMillis(ms)
	return int64(t.Year()*10000 + int(t.Month())*100 + t.Day())
}

// Axes of the counters: each cell is counted once on each, so one axis answers
// one question without a scan and all axes have equal sums.
const (
	axisRegion   = "r"
	axisUnit     = "u"
	axisType     = "t"
	axisCategory = "c"
	axisHour     = "h" // of 受理
)

// cell is the key of one counter row.
type cell struct {
	axis     string
	platform int64
	key      string
	day      int64
}

// contribute adds (sign 1) or takes (sign -1) what the row counts to the cells.
func (r *row) contribute(cells map[cell]*vec, sign int64) {
	if r.platform == 0 {
		return
	}
	var own, platform [moments]vec
	var used, usedP [moments]bool
	for i, a := range atoms {
		n := a.count(r) * sign
		if n == 0 {
			continue
		}
		if a.platformSide() {
			platform[a.when][i] += n
			usedP[a.when] = true
		} else {
			own[a.when][i] += n
			used[a.when] = true
		}
	}
	for m := range moments {
		if !used[m] && !usedP[m] {
			continue
		}
		day := int64(0)
		if m != live {
			day = dayOf(r.moment(m))
		}
		add := func(axis, key string, v vec) {
			c := cell{axis, r.platform, key, day}
			if cells[c] == nil {
				cells[c] = &vec{}
			}
			cells[c].add(v)
		}
		all := own[m]
		all.add(platform[m])
		add(axisRegion, r.region, all)
		add(axisType, r.kind, all)
		add(axisCategory, r.category, all)
		if used[m] {
			add(axisUnit, strconv.FormatInt(r.unit, 10), own[m])
		}
		if usedP[m] {
			add(axisUnit, "0", platform[m])
		}
		if m == atReceived && r.received > 0 {
			add(axisHour, clock.FromMillis(r.received).Format("15"), all)
		}
	}
}

const rowColumns = `ticket, leg, node, platform, unit, root, region, category, type, status, received, dispatched, late, closed, judged, moves, marks`

func scanRow(s db.Scanner) (*row, error) {
	r := &row{}
	return r, s.Scan(&r.ticket, &r.leg, &r.node, &r.platform, &r.unit, &r.root, &r.region, &r.category, &r.kind, &r.status,
		&r.received, &r.dispatched, &r.late, &r.closed, &r.judged, &r.moves, &r.marks)
}

func (r *row) save(tx *db.Tx) error {
	_, err := tx.Exec(`INSERT INTO stat_row (`+rowColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)
 ON CONFLICT (ticket, leg, node) DO UPDATE SET platform = excluded.platform, unit = excluded.unit, root = excluded.root, region = excluded.region, category = excluded.category,
 type = excluded.type, status = excluded.status, received = excluded.received, dispatched = excluded.dispatched, late = excluded.late, closed = excluded.closed,
 judged = excluded.judged, moves = excluded.moves, marks = excluded.marks`,
		r.ticket, r.leg, r.node, r.platform, r.unit, r.root, r.region, r.category, r.kind, r.status, r.received, r.dispatched, r.late, r.closed, r.judged, r.moves, r.marks)
	return err
}
