package calendar

import (
	"strings"
	"testing"
	"time"

	"github.com/6tail/lunar-go/HolidayUtil"

	"hotline/internal/clock"
	"hotline/internal/fault"
)

func TestEveryDayAgreesWithPublishedHolidays(t *testing.T) {
	c := Default()
	for d := date(2020, 1, 1); d.Year() < 2027; d = d.AddDate(0, 0, 1) {
		if got, want := c.IsWorkday(d), oracleWorks(d); got != want {
			t.Errorf("%s: workday %v, want %v", d.Format(time.DateOnly), got, want)
		}
		h := HolidayUtil.GetHoliday(d.Format(time.DateOnly))
		if day := c.Day(d); (h != nil) != (day.Note != "" && day.Note != "周末") {
			t.Errorf("%s: note %q, published %v", d.Format(time.DateOnly), day.Note, h)
		}
	}
}

func TestYearWithoutNoticeIsAnExplicitState(t *testing.T) {
	c := Default()
	if ys := c.Years(); len(ys) != 7 || ys[0] != 2020 || ys[6] != 2026 {
		t.Fatalf("years %v", ys)
	}
	if c.HasYear(2027) {
		t.Fatal("2027 has not been announced")
	}
	if !c.IsWorkday(date(2027, 10, 1)) {
		t.Error("2027-10-01 is a Friday and no notice says otherwise")
	}
	if c.IsWorkday(date(2027, 10, 2)) {
		t.Error("a Saturday is off even without a notice")
	}
}

func TestDay(t *testing.T) {
	for _, tt := range []struct {
		date string
		want Day
	}{
		{"2026-02-14", Day{Work: true, Note: "春节"}}, // a Saturday made up
		{"2026-02-17", Day{Note: "春节"}},
		{"2026-02-28", Day{Work: true, Note: "春节"}},
		{"2026-03-01", Day{Note: "周末"}},
		{"2026-03-02", Day{Work: true}},
		{"2025-10-06", Day{Note: "国庆节、中秋节"}},
		{"1969-12-28", Day{Note: "周末"}}, // before the epoch, a Sunday
	} {
		d, _ := time.ParseInLocation(time.DateOnly, tt.date, clock.Shanghai)
		if got := Default().Day(d.Add(23*time.Hour + 59*time.Minute)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.date, got, tt.want)
		}
	}
}

func TestDateIsShanghais(t *testing.T) {
	// 2026-02-13 is a working Friday; 17:00 UTC is already Saturday, which is made up, and 16:30 UTC on the 14th is the holiday.
	c := Default()
	if !c.IsWorkday(time.Date(2026, 2, 13, 17, 0, 0, 0, time.UTC)) {
		t.Error("the made-up Saturday has begun in Shanghai")
	}
	if c.IsWorkday(time.Date(2026, 2, 14, 16, 30, 0, 0, time.UTC)) {
		t.Error("the holiday has begun in Shanghai")
	}
}

func TestParseRefusesWhatWouldMoveDeadlinesSilently(t *testing.T) {
	for _, tt := range []struct{ name, file, text, says string }{
		{"not a year", "假期.txt", "2027-01-01 休 元旦", "年份.txt"},
		{"other year", "2027.txt", "2026-01-01 休 元旦", "不在2027年"},
		{"no such date", "2027.txt", "2027-02-29 休 春节", "不是有效日期"},
		{"unknown mark", "2027.txt", "2027-01-01 假 元旦", "休”或“班"},
		{"too few columns", "2027.txt", "2027-01-01", "2026-10-01 休 国庆节"},
		{"twice", "2027.txt", "2027-01-01 休 元旦\n2027-01-01 休 元旦", "第2行"},
		{"weekday made up", "2027.txt", "2027-01-04 班 元旦", "不是周末"},
		{"empty", "2027.txt", "# 尚未公布\n", "没有任何放假安排"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("v", map[string]string{tt.file: tt.text})
			if fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %v, want it to say %q", err, tt.says)
			}
		})
	}
}

func TestParseTakesAnEditedFile(t *testing.T) {
	c, err := Parse("2027-a", map[string]string{"2027.txt": "\ufeff# 通知\r\n2027-01-01 休 元旦\r\n\r\n2027-01-03 班 元旦\r\n"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Version != "2027-a" || !c.HasYear(2027) || c.IsWorkday(date(2027, 1, 1)) || !c.IsWorkday(date(2027, 1, 3)) {
		t.Fatalf("%+v", c)
	}
}

func date(y int, m time.Month, d int) time.Time {
	return time.Date(y, m, d, 0, 0, 0, 0, clock.Shanghai)
}
