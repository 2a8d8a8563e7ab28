package dispatch

import (
	"fmt"

	"hotline/internal/category"
	"hotline/internal/org"
	"hotline/internal/region"
)

// rowWords is a row of the 派单目录 as people read it.
type rowWords struct {
	matter string // 城乡建设/道路桥梁养护/道路破损坑洼（洪山区）
	fields [4][2]string
}

// levelWords are the levels at which a matter is handled (承办层级).
var levelWords = map[string]string{"city": "市级", "county": "县级", "hub": "县级承办中心"}

// dutyWord is what people call a duty; 无 where there is none.
func dutyWord(code string) string {
	d, ok := category.DutyOf(code)
	if !ok {
		return "无"
	}
	return d.Name()
}

func (r Rule) words(categories *category.Tree, units *org.Tree) rowWords {
	w := rowWords{matter: categories.PathName(r.Category)}
	if r.Region != "" {
		w.matter += "（" + region.FullName(r.Region) + "）"
	}
	to := dutyWord(r.Duty)
	if u, ok := units.ByCode(r.Unit); ok {
		to = u.Name
	}
	w.fields = [4][2]string{{"承办", to}, {"层级", levelWords[r.Level]}, {"协办", dutyWord(r.Assist)}, {"依据", r.Basis}}
	return w
}

// differences lists, in Chinese, what changes from one 派单目录 to another, row
// by row in the order of the new one.
func differences(old, new []byte, say func(Rule) rowWords) []string {
	was, err := Parse(old)
	if err != nil {
		was = &Catalogue{}
	}
	is, err := Parse(new)
	if err != nil {
		is = &Catalogue{}
	}
	before, kept := map[string]Rule{}, map[string]bool{}
	for _, r := range was.Rules {
		before[r.ID] = r
	}
	var out []string
	for _, r := range is.Rules {
		kept[r.ID] = true
		b, ok := before[r.ID]
		if b == r {
			continue
		}
		now, then := say(r), say(b)
		if !ok || now.matter != then.matter {
			if ok {
				out = append(out, fmt.Sprintf("删除 %s：%s", then.matter, then.fields[0][1]))
			}
			out = append(out, fmt.Sprintf("新增 %s：%s", now.matter, now.fields[0][1]))
			continue
		}
		for i, f := range now.fields {
			if f != then.fields[i] {
				out = append(out, fmt.Sprintf("%s，%s：%s → %s", now.matter, f[0], then.fields[i][1], f[1]))
			}
		}
	}
	for _, r := range was.Rules {
		if !kept[r.ID] {
			w := say(r)
			out = append(out, fmt.Sprintf("删除 %s：%s", w.matter, w.fields[0][1]))
		}
	}
	return out
}
