package dispatch

import (
	"encoding/json"
	"fmt"
	"strings"

	"hotline/internal/category"
	"hotline/internal/fault"
)

// PolicyCatalogue is the policy kind of the 派单目录.
const PolicyCatalogue = "catalogue"

// Rule is one row of the 派单目录: a category in a region goes to a duty, or to
// one named unit, at a level.
type Rule struct {
	ID       string `json:"id"`
	Category string `json:"category"`         // 6 digits; a first- or second-level code covers what is below
	Region   string `json:"region,omitempty"` // "" everywhere
	Duty     string `json:"duty,omitempty"`   // kind of unit
	Unit     string `json:"unit,omitempty"`   // or one unit by code; wins over Duty
	Level    string `json:"level"`            // city, county or hub (县级承办中心 decides further)
	Assist   string `json:"assist,omitempty"` // duty of a usual 协办
	Basis    string `json:"basis"`            // 法律法规、三定规定、权责清单
}

// Catalogue is one version of the 派单目录, indexed.
type Catalogue struct {
	Rules []Rule `json:"rules"`
	by    map[string][]int
}

// Default makes the 派单目录 that follows from the duties of the 事项分类.
func Default() []byte {
	var c Catalogue
	for _, k := range category.Default().All(3) {
		level := k.Lowest
		switch level {
		case "town":
			level = "hub"
		case "province": // the city's department passes it on
			level = "city"
		}
		c.Rules = append(c.Rules, Rule{ID: "M" + k.Code, Category: k.Code, Duty: k.Duty, Level: level, Basis: k.Basis})
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // our own type always marshals
	}
	return b
}

// Parse reads and indexes a catalogue.
func Parse(doc []byte) (*Catalogue, error) {
	c := &Catalogue{by: map[string][]int{}}
	if err := json.Unmarshal(doc, c); err != nil {
		return nil, fault.Invalid("catalogue_invalid", "派单目录不是有效的 JSON。").Because(err)
	}
	for i, r := range c.Rules {
		c.by[r.Category] = append(c.by[r.Category], i)
	}
	return c, nil
}

// Validate refuses a catalogue with a row that cannot be applied.
func Validate(doc, _ []byte) error {
	c, err := Parse(doc)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, r := range c.Rules {
		where := fmt.Sprintf("第%d行", i+1)
		switch {
		case r.ID == "" || seen[r.ID]:
			return fault.Invalid("catalogue_invalid", "%s：编号为空或重复。", where)
		case len(r.Category) != 6:
			return fault.Invalid("catalogue_invalid", "%s：事项分类应为6位编码。", where)
		case r.Duty == "" && r.Unit == "":
			return fault.Invalid("catalogue_invalid", "%s：须指明职责类别或承办单位。", where)
		case r.Duty != "" && !known(r.Duty):
			return fault.Invalid("catalogue_invalid", "%s：没有职责类别“%s”。", where, r.Duty)
		case r.Level != "city" && r.Level != "county" && r.Level != "hub":
			return fault.Invalid("catalogue_invalid", "%s：层级应为市、县或承办中心。", where)
		case strings.TrimSpace(r.Basis) == "":
			return fault.Invalid("catalogue_invalid", "%s：须写明依据。", where)
		}
		seen[r.ID] = true
	}
	return nil
}

func known(duty string) bool { _, ok := category.DutyOf(duty); return ok }

// Find gives the rules for a category in a region, most specific first: exact
// category before its parents, nearer region before farther.
func (c *Catalogue) Find(code, regionCode string) []Rule {
	var out []Rule
	for _, cat := range []string{code, code[:4] + "00", code[:2] + "0000"} {
		var best *Rule
		for _, i := range c.by[cat] {
			r := &c.Rules[i]
			if within(r.Region, regionCode) && (best == nil || len(r.Region) > len(best.Region)) {
				best = r
			}
		}
		if best != nil {
			out = append(out, *best)
		}
	}
	return out
}

// within tells whether a region lies in the scope of a rule.
func within(scope, code string) bool {
	if scope == "" || scope == "420000" {
		return true
	}
	trimmed := scope
	for len(trimmed) > 2 && strings.HasSuffix(trimmed, "00") && len(trimmed) <= 6 {
		trimmed = trimmed[:len(trimmed)-2]
	}
	return strings.HasPrefix(code, trimmed)
}
