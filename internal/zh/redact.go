package zh

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Redact is the text with personal data replaced by stars, one for each
// character, so that positions keep. It hides telephone numbers however they
// are spaced or written (also 一三八…), identity and bank card numbers, plates,
// mail addresses, QQ, WeChat and document numbers, given names where a person
// is named, and house, unit and room numbers. It prefers to hide too much: the
// rendition is what search, the classifier and lists see, while the text
// itself stays sealed. Surnames, roads, places, dates, amounts and public
// service numbers stay.
func Redact(s string) string {
	if s == "" {
		return ""
	}
	t := newRedaction(s)
	t.accounts()
	t.numbers()
	t.plates()
	t.doors()
	t.names()
	return t.String()
}

// redaction is one text being redacted. src, plain and hide have one element a
// character; plain is src in half-width lower case for matching.
type redaction struct {
	src   []rune
	plain []rune
	hide  []bool
	text  string  // plain as a string, for regular expressions
	at    []int32 // byte offset in text to character
	// contact are the spans of telephone and identity numbers: a name often
	// stands beside one.
	contact [][2]int
}

func newRedaction(s string) *redaction {
	src := []rune(s)
	t := &redaction{src: src, plain: make([]rune, len(src)), hide: make([]bool, len(src))}
	for i, r := range src {
		t.plain[i] = plainRune(r)
	}
	t.text = string(t.plain)
	t.at = make([]int32, len(t.text)+1)
	i := int32(0)
	for b := range t.text {
		t.at[b] = i
		i++
	}
	t.at[len(t.text)] = i
	return t
}

// folded holds what the usual signs fold into: Chinese punctuation and
// full-width forms are every tenth character.
var folded = func() map[rune]rune {
	m := map[rune]rune{}
	for _, block := range [][2]rune{{0x2000, 0x206F}, {0x3000, 0x303F}, {0xFF00, 0xFFEF}} {
		for r := block[0]; r <= block[1]; r++ {
			m[r] = foldRune(r)
		}
	}
	return m
}()

// plainRune folds a character into one character.
func plainRune(r rune) rune {
	switch {
	case r < 0x80:
		return unicode.ToLower(r)
	case r >= 0x4E00 && r <= 0x9FFF:
		return r
	}
	if f, ok := folded[r]; ok {
		return f
	}
	return foldRune(r)
}

func foldRune(r rune) rune {
	switch {
	case unicode.Is(unicode.Nd, r): // digits of every script: their blocks are runs of ten
		for d := rune(0); d < 10; d++ {
			if !unicode.Is(unicode.Nd, r-d-1) || norm.NFKC.String(string(r-d)) == "0" {
				return '0' + d
			}
		}
	case unicode.IsSpace(r):
		return ' '
	}
	switch f := []rune(norm.NFKC.String(string(r))); {
	case len(f) == 1:
		r = f[0]
	case len(f) == 2 && f[1] == '.': // ⒈
		r = f[0]
	case len(f) == 3 && f[0] == '(': // ⑴
		r = f[1]
	}
	if unicode.Is(unicode.Pd, r) || r == '−' || r == '─' || r == '━' {
		return '-'
	}
	if strings.ContainsRune("❶❷❸❹❺❻❼❽❾", r) {
		return '1' + r - '❶'
	}
	return unicode.ToLower(r)
}

func (t *redaction) mask(from, to int) {
	for i := from; i < to; i++ {
		t.hide[i] = true
	}
}

// String is the text with what is hidden as stars; line ends stay.
func (t *redaction) String() string {
	var b strings.Builder
	b.Grow(len(t.text))
	for i, r := range t.src {
		if t.hide[i] && r != '\n' && r != '\r' {
			r = '*'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// before is the n characters that end at i.
func (t *redaction) before(i, n int) string { return string(t.plain[max(0, i-n):i]) }

// rune is the character at i, 0 outside the text.
func (t *redaction) rune(i int) rune {
	if i < 0 || i >= len(t.plain) {
		return 0
	}
	return t.plain[i]
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func alnum(r rune) bool { return r >= '0' && r <= '9' || isLatin(r) }

func isLatin(r rune) bool { return r >= 'a' && r <= 'z' }
