package knowledge

import (
	"slices"
	"strings"
	"unicode"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/knowledge/seed"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/zh"
)

// Bounds of an article, in characters (title and keywords: domain rule of the
// import form, 标题不超过128字符、关键词不超过20字符).
const (
	maxTitle    = 128
	maxKeyword  = 20
	maxKeywords = 20
	maxQuestion = 100
	minBody     = 10
	maxBody     = 20_000
	maxSource   = 300
	maxDocNo    = 60
	maxWords    = 100 // of the responsible unit
	maxDepth    = 4   // of the path
)

// earliest and latest bound the days that a validity may name.
var earliest, latest = int64(-631_180_800_000), int64(4_102_416_000_000) // 1950-01-01 and 2100-01-01 in Shanghai

// tidy brings a text to the form that is stored; it does not judge.
func (t Text) tidy() Text {
	for _, p := range []*string{&t.Title, &t.Source, &t.DocNo, &t.UnitWords} {
		*p = oneLine(*p)
	}
	t.Kind, t.Region = strings.TrimSpace(t.Kind), strings.TrimSpace(t.Region)
	if t.Region == "" {
		t.Region = region.ProvinceCode
	}
	parts := strings.Split(t.Path, "/")
	for i := range parts {
		parts[i] = oneLine(parts[i])
	}
	t.Path = strings.Trim(strings.Join(parts, "/"), "/")
	t.Keywords, t.Questions = tidyList(t.Keywords), tidyList(t.Questions)
	t.Body = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(strings.ReplaceAll(t.Body, "\r\n", "\n"), "\t", " "), "")))
	for _, p := range []*int64{&t.ValidFrom, &t.ValidTo} {
		if *p != 0 {
			*p = day(clock.FromMillis(*p))
		}
	}
	return t
}

// oneLine drops what cannot stand in a line of text.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s)
}

// tidyList tidies each entry and drops empty and repeated ones.
func tidyList(in []string) []string {
	var out []string
	for _, s := range in {
		if s = oneLine(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// check judges a tidy text: invalid, code knowledge_invalid, with every input
// at fault; nil when all is well.
func (t *Text) check(tree *org.Tree) error {
	var wrong []fault.Field
	bad := func(name, detail string) { wrong = append(wrong, fault.Field{Name: name, Detail: detail}) }
	length := func(name, label, s string, least, most int) {
		switch n := zh.Len(s); {
		case n == 0 && least > 0:
			bad(name, "请填写"+label+"。")
		case n < least:
			bad(name, fmtf("%s至少%d个字，现在%d个字。", label, least, n))
		case n > most:
			bad(name, fmtf("%s最多%d个字，现在%d个字。", label, most, n))
		}
	}
	length("title", "标题", t.Title, 1, maxTitle)
	if why := checkPath(t.Path); why != "" {
		bad("path", why)
	}
	if !slices.Contains(Kinds, t.Kind) {
		bad("kind", "材料性质应为："+strings.Join(Kinds, "、")+"。")
	}
	length("source", "来源", t.Source, 1, maxSource)
	length("doc_no", "文号", t.DocNo, 0, maxDocNo)
	length("unit", "责任单位", t.UnitWords, 0, maxWords)
	switch u, known := tree.Get(t.Unit); {
	case t.Unit == 0 && t.UnitWords == "":
		bad("unit", "请选择责任单位。")
	case t.Unit != 0 && (!known || !u.Active):
		bad("unit", "责任单位不存在或已撤销，请重新选择。")
	}
	if _, ok := region.Get(t.Region); !ok {
		bad("region", "适用区域的区划代码不存在，请重新选择。")
	}
	if t.ValidFrom != 0 && (t.ValidFrom < earliest || t.ValidFrom >= latest) {
		bad("valid_from", "生效日期应在1950年至2099年之间。")
	}
	switch {
	case t.ValidTo == 0:
	case t.ValidTo < earliest || t.ValidTo >= latest:
		bad("valid_to", "失效日期应在1950年至2099年之间。")
	case t.ValidTo < t.ValidFrom:
		bad("valid_to", "失效日期不能早于生效日期。")
	}
	if len(t.Keywords) > maxKeywords {
		bad("keywords", fmtf("关键词最多%d个。", maxKeywords))
	}
	for _, k := range t.Keywords {
		if zh.Len(k) > maxKeyword {
			bad("keywords", fmtf("关键词“%s”超过%d个字。", zh.Truncate(k, maxKeyword), maxKeyword))
		}
		if zh.Normalize(k) == zh.Normalize(t.Title) {
			bad("keywords", "关键词不能与标题相同。")
		}
	}
	if len(t.Questions) > maxKeywords {
		bad("questions", fmtf("相似问法最多%d条。", maxKeywords))
	}
	for _, q := range t.Questions {
		if zh.Len(q) > maxQuestion {
			bad("questions", fmtf("相似问法“%s”超过%d个字。", zh.Truncate(q, 20), maxQuestion))
		}
	}
	length("body", "正文", t.Body, minBody, maxBody)
	if len(wrong) == 0 {
		return nil
	}
	return fault.Invalid("knowledge_invalid", "%s", wrong[0].Detail).At(wrong...)
}

// checkPath says what is wrong with a path; "" for nothing. Its first part is
// one of the fields of business, so that no one opens a catalogue of his own.
func checkPath(path string) string {
	if path == "" {
		return "请选择目录。"
	}
	parts := strings.Split(path, "/")
	if !slices.Contains(seed.Roots, parts[0]) {
		return fmtf("目录“%s”不存在，请从目录中选择。", zh.Truncate(parts[0], 20))
	}
	if len(parts) > maxDepth {
		return fmtf("目录最多%d级。", maxDepth)
	}
	for _, p := range parts {
		if p == "" || zh.Len(p) > maxKeyword {
			return fmtf("目录每一级为1至%d个字。", maxKeyword)
		}
	}
	return ""
}
