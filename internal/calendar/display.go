package calendar

import (
	"strconv"
	"time"

	"hotline/internal/clock"
)

var weekdays = [...]string{"日", "一", "二", "三", "四", "五", "六"}

// Display is a deadline as screens show it: the moment, and what is left or
// overrun in plain time: "11月27日 周五 18:00·剩2天3小时", "…·已超2小时15分". The year
// is named only when it is not now's.
func Display(now, due time.Time) string {
	now, due = now.In(clock.Shanghai), due.In(clock.Shanghai)
	b := make([]byte, 0, 64)
	if due.Year() != now.Year() {
		b = append(strconv.AppendInt(b, int64(due.Year()), 10), "年"...)
	}
	b = append(strconv.AppendInt(b, int64(due.Month()), 10), "月"...)
	b = append(strconv.AppendInt(b, int64(due.Day()), 10), "日 周"...)
	b = due.AppendFormat(append(append(b, weekdays[due.Weekday()]...), ' '), "15:04")
	if left := due.Sub(now); left >= 0 {
		return string(appendLength(append(b, "·剩"...), left))
	}
	return string(appendLength(append(b, "·已超"...), now.Sub(due)))
}

// appendLength says a duration in its two largest units.
func appendLength(b []byte, d time.Duration) []byte {
	days, hours, minutes := int64(d/(24*time.Hour)), int64(d/time.Hour)%24, int64(d/time.Minute)%60
	big, bigUnit, small, smallUnit := days, "天", hours, "小时"
	if days == 0 {
		big, bigUnit, small, smallUnit = hours, "小时", minutes, "分"
	}
	switch {
	case big == 0 && small == 0:
		return append(b, "不足1分钟"...)
	case big == 0:
		return append(strconv.AppendInt(b, small, 10), "分钟"...)
	}
	b = append(strconv.AppendInt(b, big, 10), bigUnit...)
	if small > 0 {
		b = append(strconv.AppendInt(b, small, 10), smallUnit...)
	}
	return b
}
