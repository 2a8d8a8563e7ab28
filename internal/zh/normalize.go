package zh

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalize brings a text to one form for comparing and indexing: full-width
// letters, digits and punctuation become half-width (NFKC), quotes and dashes
// of every kind one kind, runs of white space one space; control and invisible
// characters go. It is not for display: it does not keep lines.
func Normalize(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range norm.NFKC.String(s) {
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if r = fold(r); r < 0 {
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return norm.NFKC.String(b.String()) // what was dropped may have kept a mark from its letter
}

// fold maps one character to its plain form; -1 drops it.
func fold(r rune) rune {
	switch r {
	case '「', '」', '『', '』', '“', '”', '„', '«', '»', '《', '》', '〈', '〉', '＂':
		return '"'
	case '‘', '’', '‚', '`', '´':
		return '\''
	case '‐', '‑', '‒', '–', '—', '―', '−', '﹣', '－', '─', '━':
		return '-'
	case '【', '〔', '［', '〖':
		return '['
	case '】', '〕', '］', '〗':
		return ']'
	case '、':
		return ','
	case '。', '．':
		return '.'
	case '\uFE0E', '\uFE0F', '\u20E3': // variation selectors and the keycap frame of emoji digits
		return -1
	}
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}
