package dispatch

import (
	"encoding/json"
	"fmt"
	"strings"

	"hotline/internal/category"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/region"
	"hotline/internal/ticket"
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

// RegisterPolicies tells the store about the catalogue. The kind of the 事项分类
// must have been registered: a row is checked against it and the organisation.
func RegisterPolicies(p *policy.Store, o *org.Service, c clock.Clock) {
	categories := policy.Cached(p, ticket.PolicyCategories, category.ParseJSON)
	p.Register(PolicyCatalogue, policy.Kind{Label: "派单目录", Default: Default, Validate: func(doc, _ []byte) error {
		in, err := Parse(doc)
		if err != nil {
			return err
		}
		tree, _ := categories(policy.Province, c.Now())
		return in.check(tree, o.Tree())
	}, Diff: func(old, new []byte) []string {
		tree, _ := categories(policy.Province, c.Now())
		return differences(old, new, func(r Rule) rowWords { return r.words(tree, o.Tree()) })
	}})
}

// check refuses a catalogue with rows that cannot be applied, naming each.
func (c *Catalogue) check(categories *category.Tree, units *org.Tree) error {
	if len(c.Rules) == 0 {
		return fault.Invalid("catalogue_invalid", "派单目录是空的，发布后任何工单都得不到派单建议；请至少保留一行。")
	}
	var wrong []fault.Field
	seen := map[string]bool{}
	for i, r := range c.Rules {
		if why := r.wrong(categories, units); why != "" {
			wrong = append(wrong, fault.Field{Name: r.ID, Detail: fmt.Sprintf("第%d行：%s", i+1, why)})
		} else if seen[r.ID] {
			wrong = append(wrong, fault.Field{Name: r.ID, Detail: fmt.Sprintf("第%d行：编号“%s”重复。", i+1, r.ID)})
		}
		seen[r.ID] = true
	}
	if len(wrong) > 0 {
		return fault.Invalid("catalogue_invalid", "派单目录有%d行不能采用。%s", len(wrong), wrong[0].Detail).At(wrong[:min(len(wrong), 100)]...)
	}
	return nil
}

// wrong says why a row cannot be applied; "" when it can.
func (r Rule) wrong(categories *category.Tree, units *org.Tree) string {
	if r.ID == "" {
		return "编号为空。"
	}
	if _, ok := categories.Get(r.Category); !ok || len(r.Category) != 6 {
		return fmt.Sprintf("事项分类“%s”不存在。", r.Category)
	}
	if r.Region != "" {
		if _, ok := region.Get(r.Region); !ok {
			return fmt.Sprintf("区划代码“%s”不存在。", r.Region)
		}
	}
	switch {
	case r.Duty == "" && r.Unit == "":
		return "须指明职责类别或承办单位。"
	case r.Duty != "" && !known(r.Duty):
		return fmt.Sprintf("没有职责类别“%s”。", r.Duty)
	case r.Assist != "" && !known(r.Assist):
		return fmt.Sprintf("协办的职责类别“%s”不存在。", r.Assist)
	case r.Level != "city" && r.Level != "county" && r.Level != "hub":
		return "层级应为市、县或承办中心。"
	case strings.TrimSpace(r.Basis) == "":
		return "须写明依据。"
	}
	if r.Unit != "" {
		if u, ok := units.ByCode(r.Unit); !ok {
			return fmt.Sprintf("承办单位编码“%s”不存在。", r.Unit)
		} else if !u.Active {
			return fmt.Sprintf("承办单位“%s”已停用。", u.Name)
		}
	}
	return ""
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
