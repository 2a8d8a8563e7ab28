package calendar

import (
	"testing"
	"time"

	"github.com/6tail/lunar-go/HolidayUtil"
	"pgregory.net/rapid"

	"hotline/internal/clock"
)

func TestDue(t *testing.T) {
	for _, tt := range []struct {
		name, start string
		limit       Limit
		want        string
	}{
		{"Monday morning, five days", "2026-11-16 10:20", Limit{5, Workday}, "2026-11-23 18:00"},
		{"before opening counts as that day", "2026-11-16 03:00", Limit{1, Workday}, "2026-11-17 18:00"},
		{"after closing counts as the next day", "2026-11-16 18:00", Limit{1, Workday}, "2026-11-18 18:00"},
		{"Saturday counts as Monday", "2026-11-21 11:00", Limit{1, Workday}, "2026-11-24 18:00"},
		{"over the spring festival", "2026-02-13 09:00", Limit{1, Workday}, "2026-02-14 18:00"},
		{"made-up Saturday is the start", "2026-02-14 12:00", Limit{2, Workday}, "2026-02-25 18:00"},
		{"leap day is a working Thursday", "2024-02-28 09:00", Limit{1, Workday}, "2024-02-29 18:00"},
		{"midnight belongs to the new day", "2026-11-17 00:00", Limit{1, Workday}, "2026-11-18 18:00"},
		{"into a year without notice", "2026-12-31 10:00", Limit{1, Workday}, "2027-01-01 18:00"},
		{"four office hours", "2026-11-16 10:20", Limit{4, WorkHour}, "2026-11-16 14:20"},
		{"office hours overnight", "2026-11-16 17:00", Limit{4, WorkHour}, "2026-11-17 12:00"},
		{"ends at closing, not next opening", "2026-11-16 17:00", Limit{1, WorkHour}, "2026-11-16 18:00"},
		{"office hours begin at opening", "2026-11-16 02:00", Limit{1, WorkHour}, "2026-11-16 10:00"},
		{"twenty-four plain hours over a weekend", "2026-11-20 17:30", Limit{24, HourUnit}, "2026-11-21 17:30"},
		{"fifteen plain days", "2026-09-28 08:00", Limit{15, DayUnit}, "2026-10-13 08:00"},
		{"thirty minutes at night", "2026-11-20 23:45", Limit{30, Minute}, "2026-11-21 00:15"},
		{"nonsense is due at once", "2026-11-20 23:45", Limit{0, Workday}, "2026-11-20 23:45"},
		{"unknown unit is due at once", "2026-11-20 23:45", Limit{3, "周"}, "2026-11-20 23:45"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Default().Due(moment(tt.start), tt.limit); !got.Equal(moment(tt.want)) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestShift(t *testing.T) {
	span := func(a, b string) Span { return Span{moment(a), moment(b)} }
	for _, tt := range []struct {
		name   string
		limit  Limit
		pauses []Span
		want   string
	}{
		{"no pause", Limit{1, Workday}, nil, "2026-11-17 18:00"},
		{"one hour before closing, resumed on another day", Limit{1, Workday}, []Span{span("2026-11-17 17:00", "2026-11-19 10:00")}, "2026-11-19 11:00"},
		{"a night costs nothing", Limit{1, Workday}, []Span{span("2026-11-16 18:00", "2026-11-17 09:00")}, "2026-11-17 18:00"},
		{"overlapping pauses count once", Limit{1, Workday}, []Span{span("2026-11-17 10:00", "2026-11-17 12:00"), span("2026-11-17 09:00", "2026-11-17 11:00")}, "2026-11-18 12:00"},
		{"before the start counts nothing", Limit{1, Workday}, []Span{span("2026-11-10 09:00", "2026-11-16 10:00")}, "2026-11-17 18:00"},
		{"after it ran out counts nothing", Limit{1, Workday}, []Span{span("2026-11-18 09:00", "2026-11-25 10:00")}, "2026-11-17 18:00"},
		{"not ended is empty", Limit{1, Workday}, []Span{{From: moment("2026-11-17 09:00")}}, "2026-11-17 18:00"},
		{"plain hours are pushed by plain time", Limit{24, HourUnit}, []Span{span("2026-11-16 20:00", "2026-11-17 08:00")}, "2026-11-17 22:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Default().Shift(moment("2026-11-16 10:00"), tt.limit, tt.pauses); !got.Equal(moment(tt.want)) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestLimitSpeaks(t *testing.T) {
	for l, want := range map[Limit]string{
		{5, Workday}: "5个工作日", {4, WorkHour}: "4个工作小时", {15, DayUnit}: "15日", {24, HourUnit}: "24小时", {30, Minute}: "30分钟",
	} {
		if l.String() != want || !l.Valid() {
			t.Errorf("%q, want %q", l, want)
		}
	}
	for _, l := range []Limit{{}, {-1, Workday}, {3661, Workday}, {1 << 40, Minute}, {1, "周"}} {
		if l.Valid() {
			t.Errorf("%v is valid", l)
		}
	}
}

func TestDisplay(t *testing.T) {
	now := moment("2026-11-25 15:00")
	for _, tt := range []struct{ due, want string }{
		{"2026-11-27 18:00", "11月27日 周五 18:00·剩2天3小时"},
		{"2026-11-27 15:00", "11月27日 周五 15:00·剩2天"},
		{"2026-11-25 17:15", "11月25日 周三 17:15·剩2小时15分"},
		{"2026-11-25 15:20", "11月25日 周三 15:20·剩20分钟"},
		{"2026-11-25 15:00", "11月25日 周三 15:00·剩不足1分钟"},
		{"2026-11-25 12:45", "11月25日 周三 12:45·已超2小时15分"},
		{"2026-11-25 13:00", "11月25日 周三 13:00·已超2小时"},
		{"2027-01-04 18:00", "2027年1月4日 周一 18:00·剩40天3小时"},
	} {
		if got := Display(now, moment(tt.due)); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// The oracle shares nothing with the package: it asks lunar-go about each
// date and walks minute by minute with time.Date arithmetic.

var oracleCache = map[string]bool{}

func oracleWorks(t time.Time) bool {
	key := t.Format(time.DateOnly)
	if w, ok := oracleCache[key]; ok {
		return w
	}
	w := t.Weekday() != time.Saturday && t.Weekday() != time.Sunday
	if h := HolidayUtil.GetHoliday(key); h != nil {
		w = h.IsWork()
	}
	oracleCache[key] = w
	return w
}

func oracleOffice(t time.Time) bool { return t.Hour() >= 9 && t.Hour() < 18 && oracleWorks(t) }

// oracleHours counts down unpaused minutes; the pauses are minute-aligned.
func oracleHours(start time.Time, minutes int, pauses []Span) time.Time {
	paused := func(t time.Time) bool {
		for _, p := range pauses {
			if !t.Before(p.From) && t.Before(p.To) {
				return true
			}
		}
		return false
	}
	t := start
	for minutes > 0 {
		if oracleOffice(t) && !paused(t) {
			minutes--
		}
		t = t.Add(time.Minute)
	}
	return t
}

func oracleDays(start time.Time, n int) time.Time {
	d := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, clock.Shanghai)
	if !oracleWorks(d) || start.Hour() >= 18 {
		for d = d.AddDate(0, 0, 1); !oracleWorks(d); d = d.AddDate(0, 0, 1) {
		}
	}
	for n > 0 {
		if d = d.AddDate(0, 0, 1); oracleWorks(d) {
			n--
		}
	}
	return d.Add(18 * time.Hour)
}

func minuteOf(t *rapid.T, label string) time.Time {
	day := rapid.IntRange(0, 7*365).Draw(t, label+" day")
	minute := rapid.OneOf(rapid.IntRange(0, 1439), rapid.SampledFrom([]int{0, 539, 540, 541, 1079, 1080, 1081, 1439})).Draw(t, label+" minute")
	return date(2020, 1, 1).AddDate(0, 0, day).Add(time.Duration(minute) * time.Minute)
}

func TestWorkingDaysAgreeWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, n := minuteOf(t, "start"), rapid.IntRange(1, 30).Draw(t, "n")
		got := Default().Due(start, Limit{n, Workday})
		if want := oracleDays(start, n); !got.Equal(want) {
			t.Fatalf("%d工作日 from %v: %v, want %v", n, start, got, want)
		}
		if !Default().IsWorkday(got) {
			t.Fatalf("due on a day off: %v", got)
		}
	})
}

func TestEveryDayStartsAsTheOracleSays(t *testing.T) {
	for d := date(2020, 1, 1); d.Year() < 2027; d = d.AddDate(0, 0, 1) {
		for _, minute := range []int{0, 9 * 60, 18*60 - 1, 18 * 60} {
			start := d.Add(time.Duration(minute) * time.Minute)
			if got, want := Default().Due(start, Limit{3, Workday}), oracleDays(start, 3); !got.Equal(want) {
				t.Fatalf("from %v: %v, want %v", start, got, want)
			}
		}
	}
}

func TestWorkingHoursAndPausesAgreeWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Default()
		start := minuteOf(t, "start")
		limit := Limit{rapid.IntRange(1, 27).Draw(t, "hours"), WorkHour}
		var pauses []Span
		for i := rapid.IntRange(0, 3).Draw(t, "pauses"); i > 0; i-- {
			from := start.Add(time.Duration(rapid.IntRange(-600, 6000).Draw(t, "from")) * time.Minute)
			pauses = append(pauses, Span{from, from.Add(time.Duration(rapid.IntRange(-10, 4000).Draw(t, "length")) * time.Minute)})
		}
		want := oracleHours(start, limit.N*60, pauses)
		got := c.Shift(start, limit, pauses)
		if !got.Equal(want) {
			t.Fatalf("%v from %v with %v: %v, want %v", limit, start, pauses, got, want)
		}
		if len(pauses) == 0 && !got.Equal(c.Due(start, limit)) {
			t.Fatal("no pause moved the deadline")
		}
		minutes := 0
		for m := start; m.Before(got); m = m.Add(time.Minute) {
			if oracleOffice(m) {
				minutes++
			}
		}
		if w := c.WorkMinutes(start, got); w != minutes || c.WorkMinutes(got, start) != -w {
			t.Fatalf("WorkMinutes %d, want %d", w, minutes)
		}
	})
}

func TestLaterStartIsNeverDueEarlier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := minuteOf(t, "a"), minuteOf(t, "b")
		if b.Before(a) {
			a, b = b, a
		}
		l := Limit{rapid.IntRange(1, 20).Draw(t, "n"), rapid.SampledFrom([]Unit{Workday, WorkHour, DayUnit, HourUnit, Minute}).Draw(t, "unit")}
		if Default().Due(b, l).Before(Default().Due(a, l)) {
			t.Fatalf("%v: started %v and %v", l, a, b)
		}
	})
}

func moment(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, clock.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// A limit that counts as no looser than another ends no later, whenever both begin.
func TestWithinHolds(t *testing.T) {
	units := []Unit{Workday, WorkHour, DayUnit, HourUnit, Minute}
	limit := func(t *rapid.T, name string) Limit {
		u := rapid.SampledFrom(units).Draw(t, name+" unit")
		most := map[Unit]int{Workday: 12, WorkHour: 120, DayUnit: 20, HourUnit: 300, Minute: 20_000}[u]
		return Limit{rapid.IntRange(1, most).Draw(t, name), u}
	}
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, clock.Shanghai)
	rapid.Check(t, func(t *rapid.T) {
		a, b := limit(t, "limit"), limit(t, "bound")
		start := from.Add(time.Duration(rapid.IntRange(0, 6*365*24*60).Draw(t, "start")) * time.Minute)
		if x, y := Default().Due(start, a), Default().Due(start, b); a.Within(b) && x.After(y) {
			t.Fatalf("%v from %v ends %v, the bound %v ends %v", a, start, x, b, y)
		}
	})
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		l, bound Limit
		want     bool
	}{
		{Limit{5, Workday}, Limit{5, Workday}, true},
		{Limit{120, WorkHour}, Limit{5, Workday}, false}, // thirteen working days
		{Limit{45, WorkHour}, Limit{5, Workday}, true},
		{Limit{24, WorkHour}, Limit{24, HourUnit}, false},
		{Limit{1, WorkHour}, Limit{24, HourUnit}, false}, // a holiday may lie between
		{Limit{1, Workday}, Limit{17, WorkHour}, false},
		{Limit{1, Workday}, Limit{18, WorkHour}, true},
		{Limit{7, DayUnit}, Limit{7, Workday}, true},
		{Limit{7, Workday}, Limit{7, DayUnit}, false},
		{Limit{60, Minute}, Limit{1, WorkHour}, true},
		{Limit{61, Minute}, Limit{1, HourUnit}, false},
	} {
		if got := tt.l.Within(tt.bound); got != tt.want {
			t.Errorf("%v within %v: got %v", tt.l, tt.bound, got)
		}
	}
}
