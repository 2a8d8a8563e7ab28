package calendar

import (
	"embed"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
)

//go:embed holiday/*.txt
var embedded embed.FS

// Calendar (工作日历) knows which days are worked and between which hours.
// It is made by Parse or Default and never changes afterwards: a new notice
// is a new Calendar with another Version, so a limit can name the one by which
// it was dated.
type Calendar struct {
	// Version is recorded with every limit that was dated by this calendar.
	Version string
	// Hours are the office hours of a working day.
	Hours Hours

	days  map[int]Day // exceptions to the Monday-to-Friday week, by day number
	years map[int]bool
}

// Hours (工作时间) is the span of a working day, in minutes after midnight.
// Lunch is not subtracted: a citizen who waits does not stop waiting at noon.
type Hours struct {
	StartMin, EndMin int
}

// OfficeHours is 09:00–18:00, the default of every calendar.
var OfficeHours = Hours{StartMin: 9 * 60, EndMin: 18 * 60}

// Day is what the calendar says of one date.
type Day struct {
	Work bool
	Note string // the holiday's name on holidays and make-up days, 周末 on weekends, else ""
}

var defaultCalendar = sync.OnceValue(func() *Calendar {
	files := map[string]string{}
	names, err := fs.Glob(embedded, "holiday/*.txt")
	for _, name := range names {
		var text []byte
		if text, err = embedded.ReadFile(name); err != nil {
			break
		}
		files[path.Base(name)] = string(text)
	}
	if err != nil {
		panic("calendar: embedded files: " + err.Error())
	}
	c, err := Parse("国务院办公厅 2020–2026", files)
	if err != nil {
		panic("calendar: embedded data: " + err.Error()) // the tests read the same bytes
	}
	return c
})

// Default is the embedded calendar; it covers 2020 to 2026.
func Default() *Calendar { return defaultCalendar() }

// Parse reads one file a year, named like "2026.txt", with lines such as
// "2026-02-14 班 春节" (a weekend day that is worked) and "2026-10-01 休 国庆节"
// (a day off); "#" begins a comment. The error is kind invalid and names the
// file and line: a wrong calendar moves every deadline, so nothing is guessed.
func Parse(version string, files map[string]string) (*Calendar, error) {
	c := &Calendar{Version: version, Hours: OfficeHours, days: map[int]Day{}, years: map[int]bool{}}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		year, err := strconv.Atoi(strings.TrimSuffix(name, ".txt"))
		if err != nil || year < 1990 || year > 2100 {
			return nil, fault.Invalid("calendar_file", "日历文件名应为“年份.txt”，例如“2027.txt”，收到的是“%s”。", name)
		}
		n := 0
		for i, line := range strings.Split(files[name], "\n") {
			line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if err := c.parseLine(year, line); err != nil {
				return nil, fault.Invalid("calendar_line", "%s 第%d行有误：%s", name, i+1, err.Detail)
			}
			n++
		}
		if n == 0 {
			return nil, fault.Invalid("calendar_empty", "%s 没有任何放假安排；尚未公布的年份请不要建立文件。", name)
		}
		c.years[year] = true
	}
	return c, nil
}

func (c *Calendar) parseLine(year int, line string) *fault.Error {
	f := strings.Fields(line)
	if len(f) < 2 || len(f) > 3 {
		return fault.Invalid("calendar_line", "应为“日期 休或班 名称”，例如“2026-10-01 休 国庆节”。")
	}
	date, err := time.ParseInLocation(time.DateOnly, f[0], clock.Shanghai)
	if err != nil {
		return fault.Invalid("calendar_line", "“%s”不是有效日期。", f[0])
	}
	if date.Year() != year {
		return fault.Invalid("calendar_line", "“%s”不在%d年。", f[0], year)
	}
	day := dayNumber(date)
	if _, twice := c.days[day]; twice {
		return fault.Invalid("calendar_line", "“%s”出现了两次。", f[0])
	}
	var d Day
	if len(f) == 3 {
		d.Note = f[2]
	}
	switch f[1] {
	case "休":
	case "班":
		if !weekend(day) {
			return fault.Invalid("calendar_line", "“%s”不是周末，本来就上班，不能标为“班”。", f[0])
		}
		d.Work = true
	default:
		return fault.Invalid("calendar_line", "第二列应为“休”或“班”，收到的是“%s”。", f[1])
	}
	c.days[day] = d
	return nil
}

// HasYear tells whether the notice for year y has been entered. When it is
// false only weekends are off and deadlines in y are provisional.
func (c *Calendar) HasYear(y int) bool { return c.years[y] }

// Years lists the years with data, ascending.
func (c *Calendar) Years() []int {
	ys := make([]int, 0, len(c.years))
	for y := range c.years {
		ys = append(ys, y)
	}
	sort.Ints(ys)
	return ys
}

// IsWorkday tells whether t's date in Shanghai is worked.
func (c *Calendar) IsWorkday(t time.Time) bool { return c.works(dayNumber(t)) }

// Day tells what the calendar says of t's date in Shanghai.
func (c *Calendar) Day(t time.Time) Day {
	n := dayNumber(t)
	if d, ok := c.days[n]; ok {
		return d
	}
	if weekend(n) {
		return Day{Note: "周末"}
	}
	return Day{Work: true}
}

func (c *Calendar) works(day int) bool {
	if d, ok := c.days[day]; ok {
		return d.Work
	}
	return !weekend(day)
}

// Shanghai has had no daylight saving since 1991, so a date is a division.
const (
	zoneSeconds = 8 * 3600
	daySeconds  = 24 * 3600
)

// dayNumber counts days since 1970-01-01 in Shanghai.
func dayNumber(t time.Time) int {
	s := t.Unix() + zoneSeconds
	n := s / daySeconds
	if s%daySeconds < 0 {
		n--
	}
	return int(n)
}

// at is the moment that many minutes after midnight of the day.
func at(day, minute int) time.Time {
	return time.Unix(int64(day)*daySeconds-zoneSeconds+int64(minute)*60, 0).In(clock.Shanghai)
}

// weekend: day 0 was a Thursday.
func weekend(day int) bool {
	w := ((day+4)%7 + 7) % 7
	return w == 0 || w == 6
}
