package template

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"hotline/internal/category"
	"hotline/internal/clock"
	"hotline/internal/region"
)

const draws = 20000

// everywhere is a township of every county unit, drawn once.
func everywhere(t *testing.T, r *rand.Rand) []Place {
	t.Helper()
	var out []Place
	for _, c := range region.Counties() {
		towns := region.Children(c.Code)
		if len(towns) == 0 {
			t.Fatalf("%s has no townships", c.Name)
		}
		city, _ := region.Get(region.City(c.Code))
		for range 4 {
			out = append(out, Place{City: cityName(city), County: c.Name, Code: c.Code, Town: towns[r.IntN(len(towns))].Name})
		}
	}
	return out
}

func cityName(r region.Region) string {
	if strings.HasSuffix(r.Name, "自治州") {
		return r.Short + "州"
	}
	return r.Name
}

// year is a year of drafts from all over the province.
func year(t *testing.T) ([]Draft, []Place) {
	t.Helper()
	once.Do(func() { drawn, drawnAt = drawYear(t, draws) })
	return drawn, drawnAt
}

var (
	once    sync.Once
	drawn   []Draft
	drawnAt []Place
)

func drawYear(t *testing.T, n int) ([]Draft, []Place) {
	t.Helper()
	r := rand.New(rand.NewPCG(12345, 1))
	places := everywhere(t, r)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, clock.Shanghai)
	drafts := make([]Draft, n)
	at := make([]Place, n)
	for i := range drafts {
		at[i] = places[r.IntN(len(places))]
		drafts[i] = Generate(r, start.Add(time.Duration(r.IntN(365*24*60))*time.Minute), at[i])
	}
	return drafts, at
}

func TestTextsCoverNearlyEveryMatter(t *testing.T) {
	if n := len(matters()); n < 320 {
		t.Errorf("texts for %d matters, want 320", n)
	}
	reached := map[string]bool{}
	drafts, _ := year(t)
	for _, d := range drafts {
		reached[d.Category] = true
	}
	if len(reached) < 320 {
		t.Errorf("%d draws reach %d matters, want 320", draws, len(reached))
	}
}

func TestTypesComeInTheirShares(t *testing.T) {
	drafts, _ := year(t)
	n := map[string]int{}
	for _, d := range drafts {
		n[d.Type]++
	}
	for typ, want := range map[string]float64{"咨询": 41.5, "投诉": 29.3, "举报": 4, "求助": 19.5, "建议": 2.2, "表扬": 0.3, "其他": 3.2} {
		got := 100 * float64(n[typ]) / draws
		if got < want-3 || got > want+3 || got == 0 {
			t.Errorf("%s is %.1f %%, want %.1f ± 3", typ, got, want)
		}
	}
}

func TestTitlesDiffer(t *testing.T) {
	drafts, _ := year(t)
	titles, contents := map[string]int{}, map[string]int{}
	for _, d := range drafts {
		titles[d.Title]++
		contents[d.Content]++
		if l := utf8.RuneCountInString(d.Title); l < 6 || l > 40 {
			t.Errorf("title of %d characters: %s", l, d.Title)
		}
	}
	for title, n := range titles {
		if n > draws/100 {
			t.Errorf("%q is %d of %d titles", title, n, draws)
		}
	}
	if len(contents) < draws*95/100 {
		t.Errorf("%d different contents in %d", len(contents), draws)
	}
}

var digits = regexp.MustCompile(`[0-9]{7,}`)

func TestDraftsAreWhole(t *testing.T) {
	drafts, at := year(t)
	modes := []string{"solved", "partly", "in_progress", "explained", "case"}
	for i, d := range drafts {
		c, ok := category.Default().Get(d.Category)
		if !ok || c.Level != 3 {
			t.Fatalf("category %s of %s", d.Category, d.Title)
		}
		if d.Type != "其他" && !c.Handles(d.Type) {
			t.Errorf("%s does not come as %s: %s", c.Name, d.Type, d.Title)
		}
		if n := utf8.RuneCountInString(d.Content); n < minContent || n > maxContent {
			t.Errorf("content of %d characters: %s", n, d.Content)
		}
		for name, s := range map[string]string{"title": d.Title, "content": d.Content, "address": d.Address, "object": d.Object, "reply": d.Reply} {
			if strings.ContainsAny(s, "{}|<>") || strings.Contains(s, "。。") || strings.Contains(s, "，，") || strings.Contains(s, "，。") {
				t.Errorf("%s has a slot or doubled punctuation left: %s", name, s)
			}
			if digits.MatchString(s) {
				t.Errorf("%s has something like a phone number or an identity: %s", name, s)
			}
			if name != "object" && s == "" {
				t.Errorf("no %s in %s", name, d.Title)
			}
		}
		if !strings.HasPrefix(d.Address, at[i].County+at[i].Town) {
			t.Errorf("%s is not in %s%s", d.Address, at[i].County, at[i].Town)
		}
		if !slices.Contains(modes, d.Result) || (d.Result == "partly" || d.Result == "in_progress") != (d.Unsolved != "") {
			t.Errorf("result %q, unsolved %q: %s", d.Result, d.Unsolved, d.Title)
		}
		if d.Result == "case" && c.Nature != category.Enforcement {
			t.Errorf("%s is no enforcement and cannot end as a case", c.Name)
		}
		if !slices.Contains(category.Urgencies, d.Urgency) || (d.Type == "咨询" && d.Urgency != "一般") || d.Satisfied == "" || d.Unsatisfied == "" || d.UnsatisfiedCode == "" || d.Legal == "" {
			t.Errorf("not whole: %+v", d)
		}
		duty, _ := category.DutyOf(c.Duty)
		if duty.CityName(at[i].City) == "" && duty.Province == "" {
			t.Errorf("nobody in %s answers for %s", at[i].City, c.Name)
		}
	}
}

// The words of citizens must let a rule classifier be right.
func TestKeywordsOccur(t *testing.T) {
	drafts, _ := year(t)
	tree := category.Default()
	n, missed := 0, map[string]int{}
	for _, d := range drafts {
		c, _ := tree.Get(d.Category)
		if slices.ContainsFunc(c.Keywords, func(k category.Keyword) bool { return strings.Contains(d.Title+d.Content, k.Word) }) {
			n++
		} else {
			missed[c.Name]++
		}
	}
	if share := float64(n) / draws; share < 0.9 {
		t.Errorf("%.1f %% of drafts hold a keyword of their matter, want 90 %%; missed %v", 100*share, missed)
	}
}

// A draft names no place of another county, so content, address and unit agree.
func TestPlacesAgree(t *testing.T) {
	drafts, at := year(t)
	for i, d := range drafts[:draws/4] {
		for _, m := range region.Find(d.Title+"。"+d.Content, at[i].Code) {
			if !region.Contains(at[i].Code, m.Region.Code) && !region.Contains(m.Region.Code, at[i].Code) {
				t.Errorf("%s%s: the text names %s: %s %s", at[i].County, at[i].Town, region.FullName(m.Region.Code), d.Title, d.Content)
			}
		}
	}
}

func TestVillagesAreInTheCountryside(t *testing.T) {
	drafts, at := year(t)
	for i, d := range drafts {
		if at[i].urban() && d.entry.place == "village" {
			t.Errorf("%s%s has a village matter: %s", at[i].County, at[i].Town, d.Title)
		}
		if c, _ := category.Default().Get(d.Category); c.Duty == "ditie" && at[i].City != "武汉市" {
			t.Errorf("%s has no metro: %s", at[i].City, d.Title)
		}
	}
}

func TestSeasonAndHour(t *testing.T) {
	p := Place{City: "武汉市", County: "洪山区", Code: "420111", Town: "关山街道"}
	count := func(name string, month time.Month, hour int) int {
		r := rand.New(rand.NewPCG(7, 7))
		n := 0
		for range 6000 {
			d := Generate(r, time.Date(2026, month, 12, hour, 0, 0, 0, clock.Shanghai), p)
			if c, _ := category.Default().Get(d.Category); c.Name == name {
				n++
			}
		}
		return n
	}
	if summer, winter := count("内涝渍水抢险", time.July, 10), count("内涝渍水抢险", time.January, 10); summer <= winter {
		t.Errorf("floods: %d in July, %d in January", summer, winter)
	}
	if winter, summer := count("供热温度不达标", time.January, 10), count("供热温度不达标", time.July, 10); winter <= summer {
		t.Errorf("heating: %d in January, %d in July", winter, summer)
	}
	if night, day := count("施工噪声扰民", time.May, 23), count("施工噪声扰民", time.May, 10); night <= day {
		t.Errorf("noise of sites: %d at night, %d by day", night, day)
	}
}

func TestSameSeedSameDraft(t *testing.T) {
	p := Place{City: "宜昌市", County: "远安县", Code: "420525", Town: "鸣凤镇"}
	at := time.Date(2026, 7, 3, 21, 0, 0, 0, clock.Shanghai)
	a, b := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
	for range 500 {
		x, y := Generate(a, at, p), Generate(b, at, p)
		if x.Title != y.Title || x.Content != y.Content || x.Reply != y.Reply || x.Address != y.Address {
			t.Fatalf("%s / %s", x.Title, y.Title)
		}
	}
}

func TestAbout(t *testing.T) {
	p := Place{City: "武汉市", County: "洪山区", Code: "420111", Town: "关山街道"}
	at := time.Date(2026, 7, 3, 21, 0, 0, 0, clock.Shanghai)
	r := rand.New(rand.NewPCG(3, 4))
	for _, code := range matters() {
		d, ok := About(r, at, p, code, "")
		if ok && d.Category != code {
			t.Errorf("%s gives %s", code, d.Category)
		}
	}
	if _, ok := About(r, at, p, "999999", ""); ok {
		t.Error("an unknown matter has texts")
	}
}

func TestBadBlocksAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"unknown code":  "@990101 道路破损坑洼 求 1 road\nT {road}坑\nB 坑\nA 修\nR 好",
		"other name":    "@010101 人行道破损 求 1 road\nT {road}坑\nB 坑\nA 修\nR 好",
		"unknown type":  "@010101 道路破损坑洼 问 1 road\nT {road}坑\nB 坑\nA 修\nR 好",
		"no weight":     "@010101 道路破损坑洼 求 0 road\nT {road}坑\nB 坑\nA 修\nR 好",
		"no title":      "@010101 道路破损坑洼 求 1 road\nB 坑\nA 修\nR 好",
		"no demand":     "@010101 道路破损坑洼 求 1 road\nT {road}坑\nB 坑\nR 好",
		"unknown mark":  "@010101 道路破损坑洼 求 1 road\nX 坑",
		"line of none":  "T 坑",
		"unknown flag":  "@010101 道路破损坑洼 求 1 road fast\nT {road}坑\nB 坑\nA 修\nR 好",
		"praise alone":  "@010101 道路破损坑洼 表 1 road\nT 表扬{road}\nB 感谢\nR 好",
		"question as T": "@010101 道路破损坑洼 咨求 1 road\nT {road}坑\nB 想了解\nA 修\nR 好",
	} {
		if _, err := parse(category.Default(), text); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// matters lists the codes of the matters that have texts, in order.
func matters() []string {
	seen := map[string]bool{}
	var out []string
	for _, e := range entries() {
		if !seen[e.cat.Code] {
			seen[e.cat.Code] = true
			out = append(out, e.cat.Code)
		}
	}
	sort.Strings(out)
	return out
}
