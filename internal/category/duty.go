package category

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Kinds of duty.
const (
	Department = "department" // a department of the government or the party
	Enterprise = "enterprise" // a public utility
	Vertical   = "vertical"   // led from above by its ministry (垂直管理)
)

// Duty (职责类别) is a kind of unit that every city has, such as the 城管委,
// and what it answers for. The patterns make the names of the real units of
// a region, which org then keeps.
type Duty struct {
	Code             string
	Kind             string // department, enterprise or vertical
	Responsibilities string // 职责
	Province         string // name of the provincial unit; "" when there is none

	city, county, district string
	names                  map[string]string // city → its own name, where it differs from the pattern
}

var duties = sync.OnceValues(func() ([]Duty, map[string]int) {
	var list []Duty
	byCode := map[string]int{}
	text, err := embedded.ReadFile("data/duty.tsv")
	if err != nil {
		panic(err)
	}
	for _, f := range rows(string(text), 8) {
		d := Duty{Code: f[0], city: f[1], county: f[2], district: f[3], Province: f[4], Kind: f[5], Responsibilities: f[6]}
		if d.district == "" {
			d.district = d.county
		}
		if f[7] != "" {
			d.names = map[string]string{}
			for _, pair := range strings.Split(f[7], ";") {
				city, name, ok := strings.Cut(pair, "=")
				if !ok {
					panic("category: duty.tsv: " + pair)
				}
				d.names[city] = name
			}
		}
		if _, twice := byCode[d.Code]; twice || !slices.Contains([]string{Department, Enterprise, Vertical}, d.Kind) {
			panic("category: duty.tsv: " + d.Code)
		}
		byCode[d.Code] = len(list)
		list = append(list, d)
	}
	return list, byCode
})

// rows reads a tab-separated text without its remarks; every row has n fields.
func rows(text string, n int) [][]string {
	var out [][]string
	for _, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != n {
			panic(fmt.Sprintf("category: %d fields, not %d: %s", len(f), n, line))
		}
		out = append(out, f)
	}
	return out
}

// Duties lists the kinds of departments, in the order in which screens show them.
func Duties() []Duty {
	list, _ := duties()
	return slices.Clone(list)
}

// DutyOf finds a duty by its code, such as "chengguan".
func DutyOf(code string) (Duty, bool) {
	list, byCode := duties()
	i, ok := byCode[code]
	if !ok {
		return Duty{}, false
	}
	return list[i], true
}

// CityName is the unit's name in a city (武汉市, 恩施州); "" where the city has
// no such unit.
func (d Duty) CityName(city string) string {
	if n, ok := d.names[city]; ok {
		return n
	}
	return fill(d.city, city, "")
}

// Name is what people call the duty: the city's unit, the province's, or those of
// the cities that have one.
func (d Duty) Name() string {
	return cmp.Or(d.CityName("市"), d.Province, strings.Join(slices.Sorted(maps.Values(d.names)), "、"))
}

// CountyName is the unit's name in a county unit of a city; "" where counties
// have none. A 市辖区 may follow another pattern than a county (分局).
func (d Duty) CountyName(city, county string) string {
	if strings.HasSuffix(county, "区") {
		return fill(d.district, city, county)
	}
	return fill(d.county, city, county)
}

// Everywhere tells whether every city has such a unit, as it has no metro.
func (d Duty) Everywhere() bool { return d.city != "" }

// Serves tells whether a city has somebody for the duty: a unit of its own, or
// the province's.
func (d Duty) Serves(city string) bool {
	return d.city != "" || d.names[city] != "" || d.Province != ""
}

// Levels lists the levels at which the duty has units, from the top.
func (d Duty) Levels() []string {
	var out []string
	for _, l := range []string{Province, City, County} {
		if d.reaches(l) {
			out = append(out, l)
		}
	}
	return out
}

// reaches tells whether the duty has units at a level. Townships are not units
// of a department; what they may do hangs under the department of the county.
func (d Duty) reaches(level string) bool {
	switch level {
	case Province:
		return d.Province != ""
	case City:
		return d.city != "" || len(d.names) > 0
	case County, Town:
		return d.county != ""
	}
	return false
}

func fill(pattern, city, county string) string {
	return strings.NewReplacer("{city}", city, "{county}", county, "{city.short}", short(city), "{county.short}", short(county)).Replace(pattern)
}

// short leaves off 市, 县, 区 or 州 where two characters remain.
func short(name string) string {
	for _, end := range []string{"市", "县", "区", "州"} {
		if s, ok := strings.CutSuffix(name, end); ok && utf8.RuneCountInString(s) >= 2 {
			return s
		}
	}
	return name
}
