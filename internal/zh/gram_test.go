package zh

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestGrams(t *testing.T) {
	for _, tt := range []struct{ in, index, query string }{
		{"电梯坏了", "电 电梯 梯 梯坏 坏 坏了 了", "电梯 梯坏 坏了"},
		{"沼", "沼", "沼"},
		{"鄂A12345", "鄂 a12345", "鄂 a12345"},
		{"关山街道 电梯，2号楼", "关 关山 山 山街 街 街道 道 电 电梯 梯 2 号 号楼 楼", "关山 山街 街道 电梯 2 号楼"},
		{"ＷｉＦｉ信号", "wifi 信 信号 号", "wifi 信号"},
		{"A-b.3", "a b 3", "a b 3"},
		{"好好好", "好 好好 好 好好 好", "好好"},
		{"，。！", "", ""},
		{"", "", ""},
	} {
		if diff := cmp.Diff(tt.index, strings.Join(Grams(tt.in), " ")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(tt.query, strings.Join(QueryGrams(tt.in), " ")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEveryPieceOfATextFindsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []rune(rapid.StringOfN(rapid.RuneFrom([]rune("关山街道电梯坏了 ,aB3，号楼鄂")), 1, 30, -1).Draw(t, "text"))
		from := rapid.IntRange(0, len(text)-1).Draw(t, "from")
		to := rapid.IntRange(from, len(text)).Draw(t, "to")
		// Words and numbers match whole: widen the piece to their borders.
		word := func(i int) bool { return i >= 0 && i < len(text) && text[i] < 128 && text[i] != ' ' && text[i] != ',' }
		for from > 0 && word(from) && word(from-1) {
			from--
		}
		for to < len(text) && word(to-1) && word(to) {
			to++
		}
		index := Grams(string(text))
		for _, term := range QueryGrams(string(text[from:to])) {
			if !slices.Contains(index, term) {
				t.Fatalf("%q in %q: no term %q", string(text[from:to]), string(text), term)
			}
		}
	})
}

func TestLongWordsAreBounded(t *testing.T) {
	if g := Grams(strings.Repeat("x", 10_000)); len(g) != 1 || len(g[0]) != longestWord {
		t.Fatal(len(g))
	}
}

func TestSimilarity(t *testing.T) {
	lift := "我们小区3栋的电梯坏了半个月没有人修"
	for _, tt := range []struct {
		a, b     string
		from, to float64
	}{
		{lift, lift, 1, 1},
		{lift, "我们小区３栋的电梯，坏了半个月，没有人修！", 0.8, 1},
		{lift, "小区3栋电梯坏了半个月了，物业没人修", 0.4, 0.9},
		{lift, "请问失业保险金怎么申领", 0, 0.05},
		{lift, "", 0, 0},
		{"", "", 0, 0},
		{"水", "水", 1, 1},
	} {
		got := Similarity(tt.a, tt.b)
		if got < tt.from-1e-9 || got > tt.to {
			t.Errorf("%q and %q: %.2f, want %.2f–%.2f", tt.a, tt.b, got, tt.from, tt.to)
		}
	}
}

func TestSimilarityIsSymmetricAndBounded(t *testing.T) {
	gen := rapid.StringOfN(rapid.RuneFrom([]rune("电梯坏了水管漏噪音 a1，")), 0, 20, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		x, y := Similarity(a, b), Similarity(b, a)
		if x != y || x < 0 || x > 1 || math.IsNaN(x) {
			t.Fatalf("%v %v", x, y)
		}
		if len(QueryGrams(a)) > 0 && Similarity(a, a) < 1-1e-9 {
			t.Fatalf("%q is not like itself: %v", a, Similarity(a, a))
		}
	})
}
