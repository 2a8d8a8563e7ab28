package zh

import (
	"strings"
	"unicode"
)

// Clean is a text of a person as it may be kept and shown: valid UTF-8, lines
// that end in \n, no blank ends, and nothing invisible. Controls, marks of
// direction and spaces of no width would make a line read otherwise than it is,
// or hide a number from Redact; the joiner of emoji (U+200D) stays.
func Clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n', c == '\t', c == '\u200d':
			return c
		case c == '\r', c == '\u2028', c == '\u2029':
			return '\n'
		case unicode.Is(unicode.Cc, c), unicode.Is(unicode.Cf, c):
			return -1
		}
		return c
	}, s)
	return strings.TrimFunc(s, func(c rune) bool { return unicode.IsSpace(c) || c == '\u200d' })
}
