package region

import (
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"
)

func TestTheProvinceIsComplete(t *testing.T) {
	if n := len(Cities()); n != 17 {
		t.Errorf("%d cities, want 17", n)
	}
	var counties, towns, vill, zones int
	for _, city := range Cities() {
		for _, r := range Children(city.Code) {
			switch {
			case r.Zone:
				zones++
			case r.Level == LevelCounty:
				counties++
			}
		}
		if city.Direct() {
			counties++
		}
	}
	if counties != 103 || len(Counties()) != 103 || zones != 2 {
		t.Errorf("%d counties and %d zones, Counties %d", counties, zones, len(Counties()))
	}
	for _, r := range tree().list {
		if r.Level == LevelTown {
			towns++
			vill += len(Children(r.Code))
		}
		if r.Name == "" || utf8.RuneCountInString(r.Short) < 2 || r.Initials == "" {
			t.Errorf("%+v", r)
		}
		if p, ok := Get(r.Parent); r.Code != ProvinceCode && (!ok || p.Level >= r.Level) {
			t.Errorf("%s hangs under %q", r.Code, r.Parent)
		}
	}
	if towns != 1475 || vill != 27057 {
		t.Errorf("%d townships, %d villages", towns, vill)
	}
}

func TestEveryCountyHasItsPolygon(t *testing.T) {
	for level, want := range map[string][]Region{"city": Cities(), "county": Counties()} {
		var doc struct {
			Features []struct {
				Properties struct{ Adcode, Name string }
			}
		}
		if err := json.Unmarshal(GeoJSON(level), &doc); err != nil {
			t.Fatal(err)
		}
		drawn := map[string]string{}
		for _, f := range doc.Features {
			drawn[f.Properties.Adcode] = f.Properties.Name
		}
		if len(drawn) != len(want) {
			t.Errorf("%s: %d polygons for %d regions", level, len(drawn), len(want))
		}
		for _, r := range want {
			if drawn[r.Code] != r.Name {
				t.Errorf("%s %s is drawn as %q", r.Code, r.Name, drawn[r.Code])
			}
		}
	}
	if GeoJSON("town") != nil {
		t.Error("townships have no polygons")
	}
}

func TestPopulationAndAreaCodes(t *testing.T) {
	sum := 0
	for _, city := range Cities() {
		if city.AreaCode == "" {
			t.Errorf("%s has no area code", city.Name)
		}
		sum += city.Population
		inside := 0
		for _, r := range Children(city.Code) {
			inside += r.Population
			if r.Level == LevelCounty && r.Population == 0 && !r.Zone {
				t.Errorf("%s has no population", r.Name)
			}
		}
		if !city.Direct() && inside != city.Population {
			t.Errorf("%s: %d in its counties, %d in all", city.Name, inside, city.Population)
		}
	}
	if hubei, _ := Get(ProvinceCode); hubei.Population != sum || sum < 57_000_000 || sum > 58_500_000 {
		t.Errorf("province %d, cities %d", hubei.Population, sum)
	}
}

func TestWalkingTheTree(t *testing.T) {
	for _, tt := range []struct{ code, full, city, county, prefix string }{
		{"420000", "湖北省", "420000", "", "00"},
		{"420100", "武汉市", "420100", "", "01"},
		{"420111", "武汉市洪山区", "420100", "420111", "01"},
		{"420111002", "武汉市洪山区关山街道", "420100", "420111", "01"},
		{"420102002003", "武汉市江岸区大智街道保成社区", "420100", "420102", "01"},
		{"422801", "恩施土家族苗族自治州恩施市", "422800", "422801", "28"},
		{"429004", "仙桃市", "429004", "429004", "90"},
		{"429021100", "神农架林区松柏镇", "429021", "429021", "90"},
		{"421071", "荆州市荆州经济技术开发区", "421000", "421071", "10"},
		{"430100", "", "", "", "00"},
		{"", "", "", "", "00"},
		{"42", "", "", "", "00"},
	} {
		if got := FullName(tt.code); got != tt.full {
			t.Errorf("FullName %s: %s, want %s", tt.code, got, tt.full)
		}
		if City(tt.code) != tt.city || County(tt.code) != tt.county || NumberPrefix(tt.code) != tt.prefix {
			t.Errorf("%s: city %q county %q prefix %q", tt.code, City(tt.code), County(tt.code), NumberPrefix(tt.code))
		}
	}
}

func TestNumberPrefixesAreDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, c := range Cities() {
		p := NumberPrefix(c.Code)
		if other, twice := seen[p]; twice && p != "90" {
			t.Errorf("%s and %s share %s", c.Name, other, p)
		}
		seen[p] = c.Name
	}
}

func TestContains(t *testing.T) {
	for _, tt := range []struct {
		outer, inner string
		want         bool
	}{
		{"420000", "429004", true}, {"420000", "420111004001", true}, {"420100", "420111", true}, {"420100", "420100", true},
		{"420100", "420202", false}, {"420111", "420111004", true}, {"420111", "420112", false}, {"420111", "420100", false},
		{"429004", "429004001", true}, {"429004", "429005", false}, {"420111004", "420111004002", true}, {"", "420100", false}, {"420100", "", false},
	} {
		if got := Contains(tt.outer, tt.inner); got != tt.want {
			t.Errorf("%s in %s: %v", tt.inner, tt.outer, got)
		}
	}
	// By codes or by walking up, the answer is the same.
	for _, r := range tree().list {
		for _, p := range append([]Region{{Code: ProvinceCode}}, Path(r.Code)...) {
			if !Contains(p.Code, r.Code) {
				t.Errorf("%s lies in %s", r.Code, p.Code)
			}
		}
	}
}

func TestShortNames(t *testing.T) {
	for code, want := range map[string]string{
		"420100": "武汉", "422800": "恩施", "420111": "洪山", "420325": "房县", "421321": "随县", "429021": "神农架", "420528": "长阳",
		"421071": "荆州经开区", "421171": "龙感湖管理区", "420111002": "关山", "420000": "湖北",
	} {
		if r, ok := Get(code); !ok || r.Short != want {
			t.Errorf("%s: %q, want %q", code, r.Short, want)
		}
	}
}

func TestInitialsReadPlacesAsLocalsDo(t *testing.T) {
	for code, want := range map[string]string{"420104": "qk", "421088": "jl", "420304": "yy", "421083": "hh", "420281": "dy", "421126": "qc", "420505": "xt", "420504": "dj", "420116": "hp", "420528": "cy", "421303": "zd"} {
		if r, _ := Get(code); r.Initials != want {
			t.Errorf("%s: %s, want %s", r.Name, r.Initials, want)
		}
	}
}

func TestCallersCannotSpoilTheTree(t *testing.T) {
	Children("420100")[0].Name = "x"
	Children("420102002")[0].Name = "x"
	if slices.ContainsFunc(append(Children("420100"), Children("420102002")...), func(r Region) bool { return r.Name == "x" }) {
		t.Error("a caller changed the shared tree")
	}
}
