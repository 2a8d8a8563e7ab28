package category

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"hotline/internal/fault"
	"hotline/internal/zh"
)

// maxName is the longest name of a category, in characters.
const maxName = 20

// Parse reads a classification from tab-separated files by name, as in the
// embedded data: one node a line, lines that begin with # are remarks. Files
// named duty.tsv, town.tsv and limit.tsv are something else and are passed
// over. It answers every fault found (at most 50), each with its code.
func Parse(version string, files map[string]string) (*Tree, error) {
	names := make([]string, 0, len(files))
	for n := range files {
		if n != "duty.tsv" && n != "town.tsv" && n != "limit.tsv" {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	var list []Category
	var wrong []fault.Field
	for _, n := range names {
		for i, line := range strings.Split(files[n], "\n") {
			line = strings.TrimRight(line, "\r")
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			c, err := parseLine(line)
			if err != "" {
				wrong = append(wrong, fault.Field{Name: fmt.Sprintf("%s 第%d行", n, i+1), Detail: err})
				continue
			}
			list = append(list, c)
		}
	}
	if len(wrong) > 0 {
		return nil, invalid(wrong)
	}
	return newTree(version, list)
}

// parseLine reads 编码、名称、职责、最低层级、时限、办理性质、诉求类型、季节、关键词、依据、定义、示例.
func parseLine(line string) (Category, string) {
	f := strings.Split(line, "\t")
	if len(f) != 12 {
		return Category{}, fmt.Sprintf("应有12列，实有%d列。", len(f))
	}
	c := Category{Code: f[0], Name: f[1], Duty: f[2], Lowest: f[3], LimitKey: f[4], Nature: f[5], Basis: f[9], Definition: f[10], Example: f[11]}
	if f[6] != "" {
		c.Types = strings.Split(f[6], ",")
	}
	var err string
	if c.Season, err = parseSeason(f[7]); err != "" {
		return c, err
	}
	if f[8] != "" {
		for _, w := range strings.Split(f[8], ",") {
			k, err := parseKeyword(w)
			if err != "" {
				return c, err
			}
			c.Keywords = append(c.Keywords, k)
		}
	}
	return c, ""
}

// parseKeyword reads a word with an optional weight: "井盖*4".
func parseKeyword(s string) (Keyword, string) {
	word, weight, ok := strings.Cut(s, "*")
	if !ok {
		return Keyword{Word: s, Weight: 1}, ""
	}
	n, err := strconv.ParseFloat(weight, 64)
	if err != nil {
		return Keyword{}, fmt.Sprintf("关键词“%s”的权重不是数字。", s)
	}
	return Keyword{Word: word, Weight: n}, ""
}

// parseSeason reads weights of months, "11-2:3;6:1.5"; months not named weigh 1.
func parseSeason(s string) ([12]float64, string) {
	var w [12]float64
	for i := range w {
		w[i] = 1
	}
	if s == "" {
		return w, ""
	}
	bad := fmt.Sprintf("季节“%s”应写作“11-2:3”，月份1至12。", s)
	for _, part := range strings.Split(s, ";") {
		span, weight, ok := strings.Cut(part, ":")
		n, err := strconv.ParseFloat(weight, 64)
		if !ok || err != nil {
			return w, bad
		}
		from, to, ranged := strings.Cut(span, "-")
		if !ranged {
			to = from
		}
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || a < 1 || a > 12 || b < 1 || b > 12 {
			return w, bad
		}
		for m := a; ; m = m%12 + 1 {
			w[m-1] = n
			if m == b {
				break
			}
		}
	}
	return w, ""
}

// newTree checks the nodes and links them.
func newTree(version string, list []Category) (*Tree, error) {
	list = slices.Clone(list)
	sort.SliceStable(list, func(i, j int) bool { return list[i].Code < list[j].Code })
	t := &Tree{Version: version, list: list, byCode: make(map[string]int, len(list)), children: map[string][]int{}}
	var wrong []fault.Field
	bad := func(c Category, format string, args ...any) {
		if len(wrong) < 50 {
			wrong = append(wrong, fault.Field{Name: c.Code + " " + c.Name, Detail: fmt.Sprintf(format, args...)})
		}
	}
	if strings.TrimSpace(version) == "" {
		return nil, fault.Invalid("category_version", "事项分类没有版本名，请填写版本名。")
	}
	for i := range list {
		c := &list[i]
		if !sixDigits(c.Code) {
			bad(*c, "编码应为6位数字，每级2位。")
			continue
		}
		if _, twice := t.byCode[c.Code]; twice {
			bad(*c, "编码重复。")
			continue
		}
		c.Level, c.Parent = levelOf(c.Code), parentOf(c.Code)
		t.byCode[c.Code] = i
		t.children[c.Parent] = append(t.children[c.Parent], i)
	}
	for _, c := range list {
		for _, why := range check(t, c) {
			bad(c, "%s", why)
		}
	}
	if len(list) == 0 {
		return nil, fault.Invalid("category_empty", "事项分类是空的，至少要有一个一级、二级和三级事项。")
	}
	if len(wrong) > 0 {
		return nil, invalid(wrong)
	}
	return t, nil
}

func invalid(wrong []fault.Field) error {
	return fault.Invalid("category_invalid", "事项分类有%d处错误，第一处：%s，%s", len(wrong), wrong[0].Name, wrong[0].Detail).At(wrong...)
}

// check lists what is wrong with one node.
func check(t *Tree, c Category) (why []string) {
	say := func(bad bool, format string, args ...any) {
		if bad {
			why = append(why, fmt.Sprintf(format, args...))
		}
	}
	say(strings.TrimSpace(c.Name) == "", "名称不能为空。")
	say(zh.Len(c.Name) > maxName, "名称超过%d个字。", maxName)
	say(c.Definition == "", "缺少定义。")
	if c.Parent != "" {
		_, ok := t.byCode[c.Parent]
		say(!ok, "上级编码%s不存在。", c.Parent)
	}
	for _, i := range t.children[c.Parent] {
		say(t.list[i].Code < c.Code && t.list[i].Name == c.Name, "与%s同级同名。", t.list[i].Code)
	}
	if c.Level < 3 {
		say(len(t.children[c.Code]) == 0, "下面没有事项。")
		return why
	}
	d, ok := DutyOf(c.Duty)
	say(!ok, "职责编码“%s”不存在。", c.Duty)
	say(!slices.Contains([]string{Province, City, County, Town}, c.Lowest), "最低层级“%s”应为省、市、县、乡之一。", c.Lowest)
	say(ok && !d.reaches(c.Lowest), "“%s”没有这一层级的单位，最低层级不能是%s。", c.Duty, levelNames[c.Lowest])
	say(!slices.Contains(LimitKeys(), c.LimitKey), "时限类别“%s”不存在。", c.LimitKey)
	say(!slices.Contains([]string{Ordinary, Mediation, Enforcement}, c.Nature), "办理性质“%s”应为普通、行政调解或执法办案。", c.Nature)
	say(c.Nature == Enforcement && c.Lowest == Town, "执法办案事项不得分派给乡镇街道。")
	say(len(c.Types) == 0, "缺少诉求类型。")
	for _, typ := range c.Types {
		say(!slices.Contains(Types, typ), "诉求类型“%s”不存在。", typ)
	}
	say(c.Basis == "", "缺少依据。")
	say(c.Example == "", "缺少示例。")
	say(len(c.Keywords) == 0, "缺少关键词。")
	for i, k := range c.Keywords {
		say(strings.TrimSpace(k.Word) != k.Word || k.Word == "", "第%d个关键词为空或有多余空格。", i+1)
		say(!(k.Weight > 0 && k.Weight <= 100), "关键词“%s”的权重应大于0且不超过100。", k.Word)
	}
	for m, w := range c.Season {
		say(!(w >= 0 && w <= 100), "%d月的季节权重应在0到100之间。", m+1)
	}
	return why
}

var levelNames = map[string]string{Province: "省级", City: "市级", County: "县级", Town: "乡级"}

func sixDigits(s string) bool {
	if len(s) != 6 {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s[:2] != "00"
}
