package calendar_test

import (
	"fmt"
	"time"

	"hotline/internal/calendar"
	"hotline/internal/clock"
)

// Working days skip weekends and holidays and count make-up days (调休); the
// day of the beginning does not count, and a limit ends when work ends.
func ExampleCalendar_Due() {
	cal := calendar.Default()
	start := time.Date(2026, 9, 29, 10, 0, 0, 0, clock.Shanghai) // two days before National Day
	for _, l := range []calendar.Limit{{N: 4, Unit: calendar.Workday}, {N: 3, Unit: calendar.DayUnit}, {N: 30, Unit: calendar.Minute}} {
		fmt.Println(l, calendar.Display(start, cal.Due(start, l)))
	}
	// Output:
	// 4个工作日 10月10日 周六 18:00·剩11天8小时
	// 3日 10月2日 周五 10:00·剩3天
	// 30分钟 9月29日 周二 10:30·剩30分钟
}
