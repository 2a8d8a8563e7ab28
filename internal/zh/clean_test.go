package zh

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		" 路灯坏了\r\n请修\x00理\x07 ":   "路灯坏了\n请修理",
		"\u202e了坏灯路\u202c":        "了坏灯路",
		"139\u200b1234\ufeff0001": "13912340001",
		"\u200b\u200d\u2060":      "",
		"一家人👨‍👩‍👧":                "一家人👨‍👩‍👧",
		"\xff\xfe灯":               "灯",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("路灯\u202e坏了\x00\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) || Clean(got) != got {
			t.Errorf("%q: %q", s, got)
		}
		for _, c := range got {
			if unicode.Is(unicode.Cc, c) && c != '\n' && c != '\t' {
				t.Errorf("%q keeps %U", s, c)
			}
		}
	})
}
