package dispatch

import (
	"fmt"
	"time"

	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// Service applies the catalogue in force to tickets.
type Service struct {
	org       *org.Service
	catalogue func(int64, time.Time) (*Catalogue, policy.Version)
}

// New builds the service; the policy kind must have been registered.
func New(o *org.Service, p *policy.Store) *Service {
	return &Service{org: o, catalogue: policy.Cached(p, PolicyCatalogue, Parse)}
}

// Question is what a decision depends on.
type Question struct {
	Platform int64
	Category string
	Region   string
	At       time.Time
	P        float64 // confidence of the category, 1 when a person chose it
}

// Suggest gives the proposed 主办 and alternatives, best first, each with rule,
// version, basis and reason; none when nothing in the catalogue applies.
func (s *Service) Suggest(q Question) []ticket.Suggestion {
	return s.SuggestIn(s.org.Tree(), q)
}

// SuggestIn is Suggest in the organisation of another moment, for as-of replay.
func (s *Service) SuggestIn(tree *org.Tree, q Question) []ticket.Suggestion {
	cat, v := s.catalogue(q.Platform, q.At)
	if len(q.Category) != 6 {
		return nil
	}
	if q.P == 0 {
		q.P = 1
	}
	var out []ticket.Suggestion
	trace := []string{"派单目录内置版本"}
	if v.No > 0 {
		trace[0] = fmt.Sprintf("派单目录第%d版", v.No)
	}
	for i, r := range cat.Find(q.Category, q.Region) {
		unit, how, ok := target(tree, r, q)
		trace = append(trace, r.ID+"："+how)
		if !ok {
			continue
		}
		p := q.P
		if i > 0 || region.City(q.Region) == q.Region { // a wider rule, or a place known only to the city
			p *= 0.8
		}
		if r.Level != "hub" && unit.Kind == org.KindCounty { // nobody has the duty: the hub has to judge
			p *= 0.5
		}
		out = append(out, ticket.Suggestion{Unit: unit.ID, Confidence: p, Why: how, Basis: r.Basis, Rule: r.ID, Catalogue: v.ID, Trace: append([]string{}, trace...)})
		if len(out) == 1 && unit.Kind != org.KindCounty { // the hub of the county as the second choice
			if hub, ok := hubOf(tree, q.Region); ok && hub.ID != unit.ID {
				out = append(out, ticket.Suggestion{Unit: hub.ID, Confidence: p * 0.3, Why: "由县级承办中心研判后下派", Basis: "属地管理", Rule: r.ID, Catalogue: v.ID, Trace: trace})
			}
		}
	}
	return out
}

// Propose gives the best suggestion for what a person chose, nil when the
// catalogue of that moment has none.
func (s *Service) Propose(platform int64, code, region string, at time.Time) *ticket.Suggestion {
	if got := s.Suggest(Question{Platform: platform, Category: code, Region: region, At: at, P: 1}); len(got) > 0 {
		return &got[0]
	}
	return nil
}

// target finds the unit a rule means for a place.
func target(tree *org.Tree, r Rule, q Question) (org.Unit, string, bool) {
	if r.Unit != "" {
		u, ok := tree.ByCode(r.Unit)
		return u, "目录指定" + u.Name, ok && u.Active
	}
	if r.Level == "hub" {
		if hub, ok := hubOf(tree, q.Region); ok {
			return hub, "基层事项，由" + hub.Name + "研判下派", true
		}
	}
	candidates := tree.FindByDuty(r.Duty, q.Region)
	for _, u := range candidates {
		county := u.Kind == org.KindCountyDepartment || len(u.Region) == 6 && u.Region[4:] != "00" && u.Kind == org.KindEnterprise
		if r.Level == "city" && county && region.City(u.Region) != u.Region {
			continue
		}
		if !tree.Under(q.Platform, u.ID) {
			continue
		}
		return u, "按职责由" + u.Name + "办理", true
	}
	if hub, ok := hubOf(tree, q.Region); ok {
		return hub, "没有对应职责的部门，由" + hub.Name + "研判", true
	}
	return org.Unit{}, "没有对应的单位", false
}

// hubOf is the county's 承办中心 of a place.
func hubOf(tree *org.Tree, code string) (org.Unit, bool) {
	return tree.ByCode("C" + region.County(code))
}
