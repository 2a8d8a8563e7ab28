package calendar

import (
	"fmt"
	"time"

	"hotline/internal/clock"
)

var weekdays = [...]string{"日", "一", "二", "三", "四", "五", "六"}

// Display is a deadline as screens show it: the moment, and what is left or
// overrun in plain time: "11月27日 周五 18:00·剩2天3小时", "…·已超2小时15分". The year
// is named only when it is not now's.
func Display(now, due time.Time) string {
	now, due = now.In(clock.Shanghai), due.In(clock.Shanghai)
	year := ""
	if due.Year() != now.Year() {
		year = fmt.Sprintf("%d年", due.Year())
	}
	moment := fmt.Sprintf("%s%d月%d日 周%s %s", year, int(due.Month()), due.Day(), weekdays[due.Weekday()], due.Format("15:04"))
	if left := due.Sub(now); left >= 0 {
		return moment + "·剩" + length(left)
	}
	return moment + "·已超" + length(now.Sub(due))
}

// length says a duration in its two largest units.
func length(d time.Duration) string {
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	big, bigUnit, small, smallUnit := days, "天", hours, "小时"
	if days == 0 {
		big, bigUnit, small, smallUnit = hours, "小时", minutes, "分"
	}
	switch {
	case big == 0 && small == 0:
		return "不足1分钟"
	case big == 0:
		return fmt.Sprintf("%d分钟", small)
	case small == 0:
		return fmt.Sprintf("%d%s", big, bigUnit)
	}
	return fmt.Sprintf("%d%s%d%s", big, bigUnit, small, smallUnit)
}
