package zh

import "unicode/utf8"

// Len is the length of s in characters.
func Len(s string) int { return utf8.RuneCountInString(s) }

// Truncate cuts s to at most that many characters; what is cut is shown by an
// ellipsis that counts as one of them.
func Truncate(s string, runes int) string {
	if runes <= 0 {
		return ""
	}
	end, n := 0, 0
	for i := range s {
		if n == runes-1 {
			end = i
		}
		if n == runes {
			return s[:end] + "…"
		}
		n++
	}
	return s
}
