package category

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hotline/internal/calendar"
	"hotline/internal/fault"
)

// LimitRow (时限) says how long one step may take. The most specific row wins:
// the class before the general one, the type before any type, the urgency
// before any urgency. An empty Key, Type or Urgency stands for any.
type LimitRow struct {
	ID      string `json:"id"` // names the row in a comparison of versions: 一般类·投诉·不限·办理
	Key     string `json:"class,omitempty"`
	Type    string `json:"type,omitempty"`
	Urgency string `json:"urgency,omitempty"`
	Kind    string `json:"kind"` // 派单, 签收, 先行联系, 办理, 审核, 回访 …
	N       int    `json:"n"`
	Unit    string `json:"unit"` // a unit of calendar: 工作日, 工作时, 自然日, 自然时 or 分钟
	Basis   string `json:"basis,omitempty"`
}

// LimitKinds are the steps that have a limit (时限环节).
var LimitKinds = []string{"受理", "派单", "签收", "先行联系", "办理", "审核", "办结审核", "退单审核", "延期审核", "挂起审核", "回访", "复核"}

// limitClasses are the classes of limits (时限类别) and what screens call them.
var limitClasses = [][2]string{
	{"simple", "简易类"}, {"standard", "一般类"}, {"complex", "复杂类"}, {"project", "项目类"}, {"urgent2h", "两小时应急类"}, {"urgent24h", "二十四小时保障类"},
	{"statutory7", "七日法定类"}, {"statutory15", "十五日核查类"}, {"statutory60", "六十日监察类"},
}

// LimitKeys lists the codes of the classes of limits.
func LimitKeys() []string {
	out := make([]string, 0, len(limitClasses))
	for _, c := range limitClasses {
		out = append(out, c[0])
	}
	return out
}

// LimitName is what people call a class of limits; "" for an unknown one.
func LimitName(key string) string {
	for _, c := range limitClasses {
		if c[0] == key {
			return c[1]
		}
	}
	return ""
}

var limits = sync.OnceValue(func() []LimitRow {
	text, err := embedded.ReadFile("data/limit.tsv")
	if err != nil {
		panic(err)
	}
	rows, err := ParseLimits(string(text))
	if err != nil {
		panic("category: limit.tsv: " + err.Error())
	}
	return rows
})

// Limits lists the default time limits of the province.
func Limits() []LimitRow { return slices.Clone(limits()) }

// ParseLimits reads limits from a tab-separated text as in the embedded data:
// "-" stands for any, a list with commas is expanded, a later row for the same
// key replaces an earlier one.
func ParseLimits(text string) ([]LimitRow, error) {
	var out []LimitRow
	at := map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 7 {
			return nil, fault.Invalid("limit_invalid", "时限第%d行应有7列，实有%d列。", i+1, len(f))
		}
		n, err := strconv.Atoi(f[4])
		if err != nil {
			return nil, fault.Invalid("limit_invalid", "时限第%d行：“%s”不是整数。", i+1, f[4])
		}
		for _, key := range list(f[0]) {
			for _, typ := range list(f[1]) {
				for _, urgency := range list(f[2]) {
					r := LimitRow{Key: key, Type: typ, Urgency: urgency, Kind: f[3], N: n, Unit: f[5], Basis: f[6]}
					r.ID = r.Name()
					if j, ok := at[r.ID]; ok {
						out[j] = r
						continue
					}
					at[r.ID] = len(out)
					out = append(out, r)
				}
			}
		}
	}
	if err := CheckLimits(out); err != nil {
		return nil, err
	}
	return out, nil
}

func list(s string) []string {
	if s == "-" {
		return []string{""}
	}
	return strings.Split(s, ",")
}

// Limit is the length of the row.
func (r LimitRow) Limit() calendar.Limit { return calendar.Limit{N: r.N, Unit: calendar.Unit(r.Unit)} }

// DiffLimits lists, in Chinese, what changes from one document of limits to
// another; a document that cannot be read has no rows.
func DiffLimits(old, new []byte) []string {
	rows := func(doc []byte) (list []LimitRow, by map[string]LimitRow) {
		by = map[string]LimitRow{}
		if json.Unmarshal(doc, &list) != nil {
			return nil, by
		}
		for i := range list {
			list[i].ID = strings.ReplaceAll(list[i].Name(), "·", "／")
			by[list[i].ID] = list[i]
		}
		return list, by
	}
	was, before := rows(old)
	is, after := rows(new)
	var out []string
	for _, r := range is {
		b, ok := before[r.ID]
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("新增 %s：%s", r.ID, r.Limit()))
		case b.Limit() != r.Limit():
			out = append(out, fmt.Sprintf("%s：%s → %s", r.ID, b.Limit(), r.Limit()))
		case b.Basis != r.Basis:
			out = append(out, fmt.Sprintf("%s，依据：“%s” → “%s”", r.ID, b.Basis, r.Basis))
		}
	}
	for _, r := range was {
		if _, ok := after[r.ID]; !ok {
			out = append(out, fmt.Sprintf("删除 %s：%s", r.ID, r.Limit()))
		}
	}
	return out
}

// Name is what people call the row: 一般类·投诉·不限·办理.
func (r LimitRow) Name() string {
	or := func(s, other string) string {
		if s == "" {
			return other
		}
		return s
	}
	return or(LimitName(r.Key), or(r.Key, "各类别")) + "·" + or(r.Type, "各类型") + "·" + or(r.Urgency, "不限") + "·" + r.Kind
}

// CheckLimits checks rows that an administrator is about to publish: known
// class, type, urgency, step and unit, a possible length, no key twice, and a
// general row for every step, so that no clock goes missing.
func CheckLimits(rows []LimitRow) error {
	var wrong []fault.Field
	seen := map[string]bool{}
	general := map[string]bool{}
	for _, r := range rows {
		name := r.Name()
		bad := func(cond bool, detail string) {
			if cond && len(wrong) < 50 {
				wrong = append(wrong, fault.Field{Name: name, Detail: detail})
			}
		}
		bad(r.Key != "" && LimitName(r.Key) == "", "时限类别不存在。")
		bad(r.Type != "" && !slices.Contains(Types, r.Type), "诉求类型不存在。")
		bad(r.Urgency != "" && !slices.Contains(Urgencies, r.Urgency), "紧急程度不存在。")
		bad(!slices.Contains(LimitKinds, r.Kind), "环节不存在。")
		bad(!calendar.Limit{N: r.N, Unit: calendar.Unit(r.Unit)}.Valid(), "时限应为正数，不超过10年，单位为工作日、工作时、自然日、自然时或分钟。")
		bad(seen[name], "同一时限写了两次。")
		seen[name] = true
		if r.Type == "" && r.Urgency == "" && (r.Key == "" || r.Key == "standard") {
			general[r.Kind] = true
		}
	}
	for _, k := range LimitKinds {
		if !general[k] {
			wrong = append(wrong, fault.Field{Name: k, Detail: "这一环节没有通用时限。"})
		}
	}
	if len(wrong) > 0 {
		return fault.Invalid("limit_invalid", "时限有%d处错误，第一处：%s，%s", len(wrong), wrong[0].Name, wrong[0].Detail).At(wrong...)
	}
	return nil
}

// FindLimit gives the row that holds for a class, type, urgency and step.
func FindLimit(rows []LimitRow, key, typ, urgency, kind string) (LimitRow, bool) {
	best, score := LimitRow{}, -1
	for _, r := range rows {
		if r.Kind != kind || (r.Type != "" && r.Type != typ) || (r.Urgency != "" && r.Urgency != urgency) {
			continue
		}
		s := 0
		switch r.Key {
		case key:
			s += 16
		case "standard":
			s += 8
		case "":
		default:
			continue
		}
		if r.Type != "" {
			s += 2
		}
		if r.Urgency != "" {
			s++
		}
		if s > score {
			best, score = r, s
		}
	}
	return best, score >= 0
}
