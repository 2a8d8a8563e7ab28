package report

import (
	"strings"

	"hotline/internal/policy"
	"hotline/internal/region"
)

// words says the parameters of an export as a person chose them: what by what,
// from when to when. A word with no name of its own (查询词) is repeated.
func (s *Service) words(p Params) string {
	var out []string
	say := func(label, word string) {
		if word != "" {
			out = append(out, label+"："+word)
		}
	}
	if d, err := s.Measure.Definition(p.str("name")); err == nil {
		say("指标", d.Label)
	}
	say("分组", byWords[p.str("by")])
	if from, err := p.day("from"); err == nil && !from.IsZero() {
		say("起", from.Format("2006年1月2日"))
	}
	if to, err := p.day("to"); err == nil && !to.IsZero() {
		say("止", to.Format("2006年1月2日"))
	}
	if code := p.str("region"); code != "" {
		say("区划", region.FullName(code))
	}
	if id, err := p.id("unit"); err == nil && id != 0 {
		say("承办单位", s.Org.Tree().Name(id))
	}
	if code := p.str("category"); code != "" {
		say("事项分类", s.Ticket.Categories(policy.Province).PathName(code))
	}
	if code := p.str("status"); code != "" {
		say("状态", s.Ticket.RulesNow(policy.Province).StatusWord(code))
	}
	say("诉求类型", p.str("type"))
	say("紧急程度", p.str("urgency"))
	say("查询词", p.str("q"))
	if len(out) == 0 {
		return "全部"
	}
	return strings.Join(out, "；")
}
