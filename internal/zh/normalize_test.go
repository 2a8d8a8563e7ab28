package zh

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"　ＡＢ１２３，你好　　世界\r\n":    "AB123,你好 世界",
		"「电梯」坏了。":              "\"电梯\"坏了.",
		"027－8765—4321":        "027-8765-4321",
		"①③⑧":                  "138",
		"1️⃣3️⃣8️⃣":            "138",
		"零\u200b宽\ufeff字\x00符": "零宽字符",
		"80㎡（约）":               "80m2(约)",
		" \t\n":                "",
		"":                     "",
	} {
		if got := Normalize(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestNormalizeTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		once := Normalize(s)
		if twice := Normalize(once); twice != once {
			t.Fatalf("%q: %q then %q", s, once, twice)
		}
	})
}

func TestTruncate(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"关山街道", 4, "关山街道"}, {"关山街道路灯不亮", 4, "关山街…"}, {"a", 1, "a"}, {"ab", 1, "…"}, {"ab", 0, ""}, {"", 3, ""},
	} {
		if got := Truncate(tt.in, tt.n); got != tt.want {
			t.Errorf("%q to %d: %q, want %q", tt.in, tt.n, got, tt.want)
		}
		if Len(Truncate(tt.in, tt.n)) > max(tt.n, 0) {
			t.Errorf("%q to %d is longer", tt.in, tt.n)
		}
	}
}
