package seed

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"
	"unicode/utf8"

	"hotline/internal/clock"
)

// regions are the province and its 17 prefecture-level codes (GB/T 2260).
var regions = []string{
	Province, "420100", "420200", "420300", "420500", "420600", "420700", "420800", "420900",
	"421000", "421100", "421200", "421300", "422800", "429004", "429005", "429006", "429021",
}

func day(y int, m time.Month, d int) time.Time {
	return time.Date(y, m, d, 0, 0, 0, 0, clock.Shanghai)
}

// han counts Chinese characters, the measure of an article's length.
func han(s string) (n int) {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			n++
		}
	}
	return n
}

func TestEveryArticleIsWellFormed(t *testing.T) {
	titles := map[string]string{}
	for _, a := range Articles() {
		t.Run(a.File+"/"+a.Title, func(t *testing.T) {
			if prev := titles[a.Title]; prev != "" {
				t.Errorf("the title is also in %s", prev)
			}
			titles[a.Title] = a.File
			if n := utf8.RuneCountInString(a.Title); n > 60 {
				t.Errorf("title has %d characters, at most 60", n)
			}
			root, rest, _ := strings.Cut(a.Category, "/")
			if !slices.Contains(Roots, root) || rest == "" || strings.Contains(a.Category, "//") {
				t.Errorf("category %q is not a path below a known root", a.Category)
			}
			if !slices.Contains(Natures, a.Nature) {
				t.Errorf("nature %q is unknown", a.Nature)
			}
			if !slices.Contains(regions, a.Region) {
				t.Errorf("region %q is neither the province nor one of its cities", a.Region)
			}
			if a.ValidFrom.IsZero() || (!a.ValidUntil.IsZero() && a.ValidUntil.Before(a.ValidFrom)) {
				t.Errorf("validity %v to %v makes no sense", a.ValidFrom, a.ValidUntil)
			}
			if n := han(a.Body); n < 150 || n > 500 {
				t.Errorf("body has %d Chinese characters, want 150 to 500", n)
			}
			checkWords(t, a)
		})
	}
}

func checkWords(t *testing.T, a Article) {
	t.Helper()
	if n := len(a.Keywords); n < 3 || n > 8 {
		t.Errorf("%d keywords, want 3 to 8", n)
	}
	for i, k := range a.Keywords {
		if k == "" || k == a.Title || utf8.RuneCountInString(k) > 20 || slices.Contains(a.Keywords[:i], k) {
			t.Errorf("keyword %q is empty, repeated, too long or the title itself", k)
		}
	}
	if n := len(a.Questions); n < 2 || n > 5 {
		t.Errorf("%d ways of asking, want 2 to 5", n)
	}
	for i, q := range a.Questions {
		if q == "" || slices.Contains(a.Questions[:i], q) {
			t.Errorf("question %q is empty or repeated", q)
		}
	}
}

// halfWidth finds a half-width mark touching a Chinese character.
var halfWidth = regexp.MustCompile(`\p{Han}[,;:?!()]|[,;:?!()]\p{Han}`)

func TestPunctuationIsFullWidth(t *testing.T) {
	for _, a := range Articles() {
		for _, s := range append([]string{a.Title, a.Source, a.Duty, a.Body}, a.Questions...) {
			if m := halfWidth.FindString(s); m != "" {
				t.Errorf("%s: half-width punctuation near %q", a.Title, m)
			}
		}
	}
	for _, p := range Phrases() {
		if m := halfWidth.FindString(p.Text); m != "" {
			t.Errorf("phrase %q: half-width punctuation near %q", p.Text, m)
		}
	}
}

func TestArticlesCarryNoPersonalNumbers(t *testing.T) {
	personal := regexp.MustCompile(`1[3-9]\d{9}|\d{17}[\dXx]|[鄂京沪]A[A-Z0-9]{5}`)
	for _, a := range Articles() {
		if m := personal.FindString(a.Body + a.Title); m != "" {
			t.Errorf("%s: %q looks like personal data", a.Title, m)
		}
	}
}

func TestCoverageOfTheStartingKnowledge(t *testing.T) {
	all := Articles()
	roots, cities, natures := map[string]int{}, map[string]int{}, map[string]int{}
	var public, local, expired, ending int
	now, month := day(2026, 11, 22), day(2026, 12, 22)
	for _, a := range all {
		root, _, _ := strings.Cut(a.Category, "/")
		roots[root]++
		natures[a.Nature]++
		if a.Public {
			public++
		}
		if a.Region != Province {
			local++
			cities[a.Region]++
		}
		if a.ValidUntil.IsZero() {
			continue
		}
		if a.ValidUntil.Before(day(2026, 11, 1)) {
			expired++
			if a.ValidOn(now) {
				t.Errorf("%s has expired and still counts as valid", a.Title)
			}
		}
		if !a.ValidUntil.Before(now) && !a.ValidUntil.After(month) {
			ending++
		}
	}
	if len(all) < 210 {
		t.Errorf("%d articles, want at least 210", len(all))
	}
	for _, r := range Roots {
		if roots[r] < 3 {
			t.Errorf("field %s has %d articles, want at least 3", r, roots[r])
		}
	}
	for _, n := range Natures {
		if natures[n] == 0 {
			t.Errorf("no article of nature %s", n)
		}
	}
	if share := float64(public) / float64(len(all)); share < 0.75 || share > 0.88 {
		t.Errorf("%.0f%% of the articles are public, want about 80%%", share*100)
	}
	if local < 30 || len(cities) < 10 {
		t.Errorf("%d city articles in %d cities, want 30 in 10", local, len(cities))
	}
	if expired != 8 || ending != 6 {
		t.Errorf("%d expired and %d ending within a month, want 8 and 6", expired, ending)
	}
}

func TestValidOnIncludesBothEnds(t *testing.T) {
	a := Article{ValidFrom: day(2026, 3, 1), ValidUntil: day(2026, 6, 30)}
	cases := map[string]struct {
		at   time.Time
		want bool
	}{
		"the evening before":         {day(2026, 3, 1).Add(-time.Second), false},
		"midnight of the first day":  {day(2026, 3, 1), true},
		"last minute of the end day": {day(2026, 7, 1).Add(-time.Minute), true},
		"the day after":              {day(2026, 7, 1), false},
		"first day, seen in UTC":     {day(2026, 3, 1).UTC(), true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := a.ValidOn(c.at); got != c.want {
				t.Errorf("ValidOn(%v) = %v, want %v", c.at, got, c.want)
			}
		})
	}
	if !(Article{ValidFrom: day(2026, 3, 1)}).ValidOn(day(2099, 1, 1)) {
		t.Error("an article without an end must stay valid")
	}
}

func TestBrokenFilesAreRefused(t *testing.T) {
	const good = "标题: 甲\n分类: 其他/甲\n材料性质: 日常咨询\n来源: 甲\n责任单位: 甲\n适用区域: 420000\n" +
		"有效期起: 2026-01-01\n有效期止:\n关键词: 甲，乙,丙\n相似问法: 甲|乙\n对外: 否\n\n正文\n"
	cases := map[string]struct{ old, new, want string }{
		"a date that is no date":   {"2026-01-01", "2026-02-30", "有效期起"},
		"a missing key":            {"对外: 否\n", "", "missing"},
		"a repeated key":           {"对外: 否\n", "对外: 否\n对外: 是\n", "repeated"},
		"an unknown word for 对外":   {"对外: 否", "对外: 内部", "neither"},
		"an empty title":           {"标题: 甲", "标题:", "empty"},
		"no body":                  {"\n\n正文\n", "\n", "blank line"},
		"a header without a colon": {"来源: 甲", "来源甲", "colon"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			_, err := ParseFS(fstest.MapFS{"articles/x.txt": {Data: []byte(text)}})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "x.txt") {
				t.Errorf("error = %v, want one naming the file and %q", err, c.want)
			}
		})
	}
	got, err := ParseFS(fstest.MapFS{"articles/x.txt": {Data: []byte(good + "=====\n" + strings.Replace(good, "甲", "乙", 1))}})
	if err != nil || len(got) != 2 || got[1].Title != "乙" || len(got[0].Keywords) != 3 || !got[0].ValidUntil.IsZero() {
		t.Errorf("two good articles: %+v, %v", got, err)
	}
}

func TestPhrasesCoverEveryStep(t *testing.T) {
	steps, seen := map[string]int{}, map[string]bool{}
	for _, p := range Phrases() {
		if !slices.Contains(Steps, p.Step) {
			t.Errorf("step %q is unknown", p.Step)
		}
		if seen[p.Text] || p.Text == "" || strings.Contains(p.Text, "\t") {
			t.Errorf("phrase %q is empty, repeated or has a tab", p.Text)
		}
		seen[p.Text] = true
		steps[p.Step]++
	}
	if len(seen) < 40 {
		t.Errorf("%d phrases, want at least 40", len(seen))
	}
	for _, s := range Steps {
		if steps[s] < 3 {
			t.Errorf("step %s has %d phrases, want at least 3", s, steps[s])
		}
	}
}
