package measure

import (
	_ "embed"
	"encoding/json"
	"strings"

	"hotline/internal/fault"
	"hotline/internal/policy"
)

// PolicyMeasures is the policy kind of the definitions (统计指标).
const PolicyMeasures = "measures"

//go:embed kpi.json
var kpiJSON []byte

// Definition is one measure (指标): how its number comes about, in words for
// people and in atoms for the machine. A "-" before an atom takes it away.
type Definition struct {
	Name       string   `json:"name"`
	Label      string   `json:"label"`
	Family     string   `json:"family"` // 接 分 办
	Unit       string   `json:"unit"`
	Formula    string   `json:"formula"`
	Exclusions string   `json:"exclusions"`
	Target     string   `json:"target"`
	Source     string   `json:"source"`
	Good       string   `json:"good"`              // up, down or "": which way is better
	Scale      float64  `json:"scale,omitempty"`   // of the value; 0 = 100 for a %, else 1
	Num        []string `json:"num"`               // raw numerator
	Den        []string `json:"den,omitempty"`     // raw denominator; none = the numerator is the number
	Less       []string `json:"less,omitempty"`    // excluded from both
	ExNum      []string `json:"ex_num,omitempty"`  // excluded from the numerator
	ExDen      []string `json:"ex_den,omitempty"`  // excluded from the denominator
	RawNum     []string `json:"raw_num,omitempty"` // another raw numerator
}

// Definitions are the measures of one version.
type Definitions struct {
	Version   string       `json:"version"`
	Effective string       `json:"effective"`
	Measures  []Definition `json:"measures"`
}

// population is the one denominator that is no atom.
const population = "population"

// RegisterPolicies tells the store about the definitions; New calls it.
func RegisterPolicies(p *policy.Store) {
	p.Register(PolicyMeasures, policy.Kind{Label: "统计指标", Default: func() []byte { return kpiJSON }, Validate: func(doc, _ []byte) error { _, err := Parse(doc); return err }})
}

// Parse reads definitions and refuses one that uses an atom nobody counts.
func Parse(doc []byte) (*Definitions, error) {
	var d Definitions
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, fault.Invalid("measures_invalid", "统计指标不是有效的 JSON。").Because(err)
	}
	if len(d.Measures) == 0 {
		return nil, fault.Invalid("measures_invalid", "统计指标是空的，发布后统计和报表都没有指标；请至少保留一项。")
	}
	seen := map[string]bool{}
	for _, m := range d.Measures {
		if m.Name == "" || seen[m.Name] || len(m.Num) == 0 || m.Label == "" || !strings.Contains("接分办", m.Family) || m.Family == "" {
			return nil, fault.Invalid("measures_invalid", "指标“%s”缺少名称、分类或分子，或重复。", m.Name+m.Label)
		}
		seen[m.Name] = true
		for _, list := range [][]string{m.Num, m.Den, m.Less, m.ExNum, m.ExDen, m.RawNum} {
			for _, a := range list {
				name := strings.TrimPrefix(a, "-")
				if _, ok := atomIndex[name]; !ok && name != population {
					return nil, fault.Invalid("measures_invalid", "指标“%s”用了没有统计的计数项“%s”。", m.Label, name)
				}
			}
		}
	}
	return &d, nil
}

// Definitions are the measures in force on a platform now.
func (s *Service) Definitions(platform int64) *Definitions {
	d, _ := s.kpis(platform, s.DB.Clock().Now())
	return d
}

// Definition finds a measure in force now.
func (s *Service) Definition(name string) (Definition, error) {
	for _, m := range s.Definitions(policy.Province).Measures {
		if m.Name == name {
			return m, nil
		}
	}
	return Definition{}, fault.NotFound("measure_unknown", "没有“%s”这个指标。", name)
}

// sum adds atoms by name.
func sum(v *vec, names []string) (n int64) {
	for _, a := range names {
		if name, neg := strings.CutPrefix(a, "-"); neg {
			n -= v[atomIndex[name]]
		} else if a != population {
			n += v[atomIndex[a]]
		}
	}
	return n
}

func (d Definition) perHead() bool { return len(d.Den) == 1 && d.Den[0] == population }

// platformSide tells whether the measure is about the platform's own work.
func (d Definition) platformSide() bool {
	for _, a := range d.Num {
		if !atoms[atomIndex[strings.TrimPrefix(a, "-")]].platformSide() {
			return false
		}
	}
	return true
}

// Figure is a number with all that it was made of. Value is nil where there is
// nothing to divide by, or where the group is too small to be shown.
type Figure struct {
	Num, Den       int64
	Value          *float64
	RawNum, RawDen int64
	Raw            *float64
	Excluded       int64
	Hidden         bool // kept back: a group below SmallCell
}

// Figure computes the measure from counts; heads is the population where asked for.
func (d Definition) figure(v *vec, heads int64) Figure {
	var f Figure
	f.RawNum, f.RawDen = sum(v, d.Num), sum(v, d.Den)
	less := sum(v, d.Less)
	f.Num, f.Den = f.RawNum-sum(v, d.ExNum)-less, f.RawDen-sum(v, d.ExDen)
	f.Excluded = f.RawDen - f.Den + less
	if d.RawNum != nil {
		f.RawNum = sum(v, d.RawNum)
	}
	switch {
	case d.perHead():
		f.Den, f.RawDen, f.Excluded = heads, heads, less
	case len(d.Den) == 0:
		f.Den, f.RawDen = f.Num, f.RawNum
		f.Value, f.Raw = ptr(float64(f.Num)), ptr(float64(f.RawNum))
		return f
	}
	f.Value, f.Raw = d.ratio(f.Num, f.Den), d.ratio(f.RawNum, f.RawDen)
	return f
}

func (d Definition) ratio(num, den int64) *float64 {
	if den <= 0 {
		return nil
	}
	scale := d.Scale
	if scale == 0 {
		scale = 1
		if d.Unit == "%" {
			scale = 100
		}
	}
	return ptr(float64(num) / float64(den) * scale)
}

func ptr[T any](v T) *T { return &v }
