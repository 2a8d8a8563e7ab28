package region

import (
	"embed"
	"slices"
	"strings"
	"sync"
)

//go:embed data
var data embed.FS

// Level is the rank of a region; the zero value is no level.
type Level int

// The levels from the province down.
const (
	LevelProvince Level = iota + 1
	LevelCity           // 市州, with the four units directly under the province
	LevelCounty         // 县（市、区）
	LevelTown           // 乡镇、街道
	LevelVillage        // 村、社区
)

// ProvinceCode is the code of Hubei.
const ProvinceCode = "420000"

// Region (区划) is one administrative division. It is loaded from the embedded
// data and never changes; a former name stays findable but is not a Region.
type Region struct {
	Code       string // 6 digits down to the county, 9 a township, 12 a village
	Name       string // 洪山区
	Short      string // 洪山; at least two characters, so 房县 stays 房县
	Level      Level
	Parent     string // "" for the province
	Initials   string // pinyin initials of Short: "hs"
	Population int    // persons; 2020 census for cities, an estimate for counties, 0 below
	AreaCode   string // telephone area code; "" below a city means its city's
	Zone       bool   // a statistical zone, not one of the 103 county units
}

// Direct (省直管) tells whether the region is a prefecture-level unit that is
// its own county unit: townships hang directly under it.
func (r Region) Direct() bool { return r.Level == LevelCity && direct(r.Code) }

func direct(code string) bool { return strings.HasPrefix(code, "4290") && code != "429000" }

// Get finds a region by its code.
func Get(code string) (Region, bool) {
	if len(code) == 12 {
		return villages().get(code)
	}
	i, ok := tree().byCode[code]
	if !ok {
		return Region{}, false
	}
	return tree().list[i], true
}

// Children lists what lies directly under a region, by code; a township's
// children are its villages.
func Children(code string) []Region {
	if len(code) == 9 {
		return villages().under(code)
	}
	t := tree()
	out := make([]Region, 0, len(t.children[code]))
	for _, i := range t.children[code] {
		out = append(out, t.list[i])
	}
	return out
}

// Cities lists the 17 prefecture-level units by code.
func Cities() []Region { return Children(ProvinceCode) }

// Counties lists the 103 county-level units by code, the four directly under
// the province among them and the statistical zones not.
func Counties() []Region {
	var out []Region
	for _, r := range tree().list {
		if r.Level == LevelCounty && !r.Zone || r.Direct() {
			out = append(out, r)
		}
	}
	return out
}

// Path is the chain from the city down to the region itself, without the
// province; of the province it is the province; nil for an unknown code.
func Path(code string) []Region {
	r, ok := Get(code)
	if !ok {
		return nil
	}
	path := []Region{r}
	for r.Parent != "" && r.Parent != ProvinceCode {
		if r, ok = Get(r.Parent); !ok {
			break
		}
		path = append(path, r)
	}
	slices.Reverse(path)
	return path
}

// FullName is the names along Path: "武汉市洪山区关山街道"; "" for an unknown code.
func FullName(code string) string {
	if name, ok := fullNames.Load(code); ok {
		return name.(string)
	}
	path := Path(code)
	var b strings.Builder
	for _, r := range path {
		b.WriteString(r.Name)
	}
	if len(path) > 0 { // codes that do not exist are endless
		fullNames.Store(code, b.String())
	}
	return b.String()
}

// fullNames remembers the names that lists show again and again.
var fullNames sync.Map

// City is the prefecture-level code of any region; the province's is its own,
// an unknown code's is "".
func City(code string) string {
	if _, ok := Get(code); !ok {
		return ""
	}
	if code == ProvinceCode || direct(code[:6]) {
		return code[:6]
	}
	return code[:4] + "00"
}

// County is the county-level code of a region at or below a county; the four
// units directly under the province are their own. It is "" above.
func County(code string) string {
	r, ok := Get(code)
	if !ok || r.Level < LevelCounty && !r.Direct() {
		return ""
	}
	return code[:6]
}

// Contains tells whether inner is outer or lies in it. It is decided by the
// codes alone, so it also holds for regions that this version does not list.
func Contains(outer, inner string) bool {
	switch {
	case outer == "" || inner == "" || len(inner) < len(outer):
		return false
	case outer == inner:
		return true
	case outer == ProvinceCode:
		return strings.HasPrefix(inner, "42")
	case len(outer) > 6 || !strings.HasSuffix(outer, "00"):
		return strings.HasPrefix(inner, outer) && len(inner) > len(outer)
	}
	return strings.HasPrefix(inner, outer[:4])
}

// parentOf is the code one level up; "" for the province.
func parentOf(code string) string {
	switch {
	case code == ProvinceCode:
		return ""
	case len(code) == 12:
		return code[:9]
	case len(code) == 9:
		return code[:6]
	case strings.HasSuffix(code, "00") || direct(code):
		return ProvinceCode
	}
	return code[:4] + "00"
}

// NumberPrefix is the two digits with which the 单号 of a city begin: "01" for
// 武汉 (4201), "28" for 恩施, "90" for the four directly under the province and
// "00" for the province itself or a code that is not in Hubei. Any region of
// the city may be given.
func NumberPrefix(cityCode string) string {
	city := City(cityCode)
	if city == "" || city == ProvinceCode {
		return "00"
	}
	return city[2:4]
}

// GeoJSON is the simplified boundaries (示意图) of a level, "city" or "county";
// nil for another. Features carry adcode, name, parent and cp, a label point.
func GeoJSON(level string) []byte {
	name, ok := map[string]string{"city": "data/hubei-pref.json", "county": "data/hubei-county.json"}[level]
	if !ok {
		return nil
	}
	b, err := data.ReadFile(name)
	if err != nil {
		panic("region: " + err.Error())
	}
	return b
}
