package calendar

import (
	"fmt"
	"slices"
	"time"

	"hotline/internal/clock"
)

// Unit is what a limit is counted in; the Chinese word is also the wire form.
type Unit string

// The units of a limit. Workday and WorkHour follow the calendar; the others
// run through nights, weekends and holidays.
const (
	Workday  Unit = "工作日"
	WorkHour Unit = "工作时"
	DayUnit  Unit = "自然日" // 24 hours each
	HourUnit Unit = "自然时"
	Minute   Unit = "分钟"
)

// Limit (时限) is a length of time such as "5个工作日".
type Limit struct {
	N    int  `json:"n"`
	Unit Unit `json:"unit"`
}

// Valid tells whether the limit is positive, has a known unit and is not
// beyond ten years, so that dating it is quick and cannot overflow.
func (l Limit) Valid() bool {
	if l.N <= 0 {
		return false
	}
	switch l.Unit {
	case Workday, DayUnit:
		return l.N <= 3660
	case WorkHour, HourUnit:
		return l.N <= 3660*24
	case Minute:
		return l.N <= 3660*24*60
	}
	return false
}

// Within tells whether l never ends later than bound, whenever both begin: what
// a city may rule where the province has ruled bound (只许收紧). Office time may
// stand still for a whole holiday, so a limit in working units is never within
// one in plain time; a working day, which ends at closing, is taken at its
// shortest as the bound and at its longest as the limit.
func (l Limit) Within(bound Limit) bool {
	const office = 9 // hours of OfficeHours
	switch {
	case l.Unit == bound.Unit:
		return l.N <= bound.N
	case l.Unit == Workday && bound.Unit == WorkHour:
		return (l.N+1)*office <= bound.N
	case l.Unit == WorkHour && bound.Unit == Workday:
		return l.N <= bound.N*office
	case l.Unit == Workday || l.Unit == WorkHour:
		return false
	case bound.Unit == Workday:
		return plain(l) <= time.Duration(bound.N)*24*time.Hour
	case bound.Unit == WorkHour:
		return plain(l) <= time.Duration(bound.N)*time.Hour
	}
	return plain(l) <= plain(bound)
}

// String is the limit as people say it: "5个工作日", "24小时", "30分钟".
func (l Limit) String() string {
	switch l.Unit {
	case Workday:
		return fmt.Sprintf("%d个工作日", l.N)
	case WorkHour:
		return fmt.Sprintf("%d个工作小时", l.N)
	case DayUnit:
		return fmt.Sprintf("%d日", l.N)
	case HourUnit:
		return fmt.Sprintf("%d小时", l.N)
	}
	return fmt.Sprintf("%d%s", l.N, l.Unit)
}

// Span is a half-open stretch of time [From, To); it is empty unless To is
// after From.
type Span struct {
	From, To time.Time
}

// Due is when the limit l that begins at start ends.
//
// 工作日: a start on a day off or at or after closing counts as the opening of
// the next working day; that day is not counted, and the limit ends at closing
// of the N-th working day after it. 工作时: N hours of office time. The rest is
// plain time. A limit that is not Valid is due at once, which people notice.
func (c *Calendar) Due(start time.Time, l Limit) time.Time {
	start = start.In(clock.Shanghai)
	if !l.Valid() {
		return start
	}
	switch l.Unit {
	case Workday:
		day := c.effectiveDay(start)
		for n := 0; n < l.N; {
			if day++; c.works(day) {
				n++
			}
		}
		return at(day, c.Hours.EndMin)
	case WorkHour:
		return c.addWork(start, time.Duration(l.N)*time.Hour)
	}
	return start.Add(plain(l))
}

// Shift is Due put off by the approved pauses (挂起): a limit in working units
// by the office time inside them, any other by all of their time. Pauses may
// overlap and come in any order; what lies before start, or after the limit
// had already run out, moves nothing.
func (c *Calendar) Shift(start time.Time, l Limit, pauses []Span) time.Time {
	due := c.Due(start, l)
	if !l.Valid() {
		return due
	}
	if l.Unit == Workday || l.Unit == WorkHour {
		return c.Extend(due, start, pauses)
	}
	for _, p := range merge(start, pauses) {
		if !p.From.Before(due) {
			break
		}
		due = due.Add(p.To.Sub(p.From))
	}
	return due
}

// Extend pushes a working-time deadline that began at started by the office
// time inside the pauses; Shift is Due followed by Extend. It serves limits
// whose due moment did not come from Due, such as one set by a superior.
func (c *Calendar) Extend(due, started time.Time, pauses []Span) time.Time {
	due = due.In(clock.Shanghai)
	for _, p := range merge(started, pauses) {
		if !p.From.Before(due) {
			break
		}
		if d := c.work(p.From, p.To); d > 0 {
			due = c.addWork(due, d)
		}
	}
	return due
}

// WorkMinutes is the office time between a and b in whole minutes, negative
// when b is before a.
func (c *Calendar) WorkMinutes(a, b time.Time) int {
	if b.Before(a) {
		return -c.WorkMinutes(b, a)
	}
	return int(c.work(a, b) / time.Minute)
}

// effectiveDay is the day on which a limit that starts at t begins to count.
func (c *Calendar) effectiveDay(t time.Time) int {
	day := dayNumber(t)
	if c.works(day) && t.Before(at(day, c.Hours.EndMin)) {
		return day
	}
	for day++; !c.works(day); day++ {
	}
	return day
}

// work is the office time in [a, b).
func (c *Calendar) work(a, b time.Time) time.Duration {
	var sum time.Duration
	for day, last := dayNumber(a), dayNumber(b); day <= last; day++ {
		if !c.works(day) {
			continue
		}
		from, to := at(day, c.Hours.StartMin), at(day, c.Hours.EndMin)
		if from.Before(a) {
			from = a
		}
		if to.After(b) {
			to = b
		}
		if to.After(from) {
			sum += to.Sub(from)
		}
	}
	return sum
}

// addWork is the earliest moment with d of office time between t and it; a sum
// that comes out at closing stays at closing.
func (c *Calendar) addWork(t time.Time, d time.Duration) time.Time {
	for day := dayNumber(t); ; day++ {
		if !c.works(day) {
			continue
		}
		from, to := at(day, c.Hours.StartMin), at(day, c.Hours.EndMin)
		if from.Before(t) {
			from = t
		}
		room := to.Sub(from)
		if room >= d {
			return from.Add(d).In(clock.Shanghai)
		}
		if room > 0 {
			d -= room
		}
	}
}

func plain(l Limit) time.Duration {
	switch l.Unit {
	case DayUnit:
		return time.Duration(l.N) * 24 * time.Hour
	case HourUnit:
		return time.Duration(l.N) * time.Hour
	}
	return time.Duration(l.N) * time.Minute
}

// merge clips the spans to what is after start, drops the empty ones and joins
// those that touch, in order of time.
func merge(start time.Time, spans []Span) []Span {
	var out []Span
	for _, s := range spans {
		if s.From.Before(start) {
			s.From = start
		}
		if s.To.After(s.From) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Span) int { return a.From.Compare(b.From) })
	n := 0
	for _, s := range out {
		if n > 0 && !s.From.After(out[n-1].To) {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out[n] = s
		n++
	}
	return out[:n]
}
