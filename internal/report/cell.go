package report

import (
	"math"
	"strings"
)

// trigger are the characters with which a spreadsheet begins a formula or a
// command, in half and full width.
const trigger = "=+-@\t\r\n＝＋－﹣−＠"

// Text makes a string safe as a cell: one that a spreadsheet could take for a
// formula gets an apostrophe, and what XML cannot hold is dropped.
func Text(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 32 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
	rest := strings.TrimLeft(s, " \u00a0\u3000\ufeff\u200b")
	if rest != "" && strings.ContainsRune(trigger, []rune(rest)[0]) {
		return "'" + s
	}
	const most = 32_000 // characters a cell holds, less a margin
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// cells makes a row: strings become safe, numbers stay numbers, rates keep three decimals as on the screen.
func cells(values ...any) []any {
	for i, v := range values {
		switch x := v.(type) {
		case string:
			values[i] = Text(x)
		case *float64:
			if x == nil {
				values[i] = "—"
			} else {
				values[i] = math.Round(*x*1000) / 1000
			}
		}
	}
	return values
}
