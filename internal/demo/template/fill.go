package template

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// filler fills the slots of one draft. A slot keeps its value through the
// draft, so title, content, address and reply speak of the same place.
type filler struct {
	r     *rand.Rand
	at    time.Time
	place Place
	kind  string // of the entry
	known map[string]string
}

func newFiller(r *rand.Rand, at time.Time, p Place, kind string) *filler {
	return &filler{r: r, at: at, place: p, kind: kind, known: map[string]string{}}
}

// fill replaces {slot} and {this|that}; a brace inside a choice is filled too.
func (f *filler) fill(s string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:open])
		depth, end := 0, -1
		for i := open; i < len(s); i++ {
			switch s[i] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if depth == 0 {
				end = i
				break
			}
		}
		if end < 0 {
			panic("template: open brace in " + s)
		}
		v := f.value(s[open+1 : end])
		b.WriteString(v)
		s = unrepeated(v, s[end+1:])
	}
}

// unrepeated drops from the rest of a sentence what the name before it has
// already said: 康民医院 + 医院停车难.
func unrepeated(name, rest string) string {
	r := []rune(name)
	for k := 4; k >= 2; k-- {
		if k < len(r) {
			if cut, ok := strings.CutPrefix(rest, string(r[len(r)-k:])); ok {
				return cut
			}
		}
	}
	return rest
}

func (f *filler) value(slot string) string {
	if strings.Contains(slot, "|") {
		return f.fill(one(f.r, choices(slot)))
	}
	if v, ok := f.known[slot]; ok {
		return v
	}
	v := f.make(slot)
	f.known[slot] = v
	return v
}

// choices cuts at the bars that are not inside a brace.
func choices(s string) []string {
	var out []string
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			depth--
		case '|':
			if depth == 0 {
				out = append(out, s[from:i])
				from = i + 1
			}
		}
	}
	return append(out, s[from:])
}

func one[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// make gives a slot its first value.
func (f *filler) make(slot string) string {
	name, arg, _ := strings.Cut(slot, ":")
	pick := func(n int, first, last []string) string { return f.place.pick(slot, f.r.IntN(n), first, last) }
	switch name {
	case "n", "n2", "m":
		return f.number(arg)
	case "road", "road2":
		v := f.place.pick("road", f.r.IntN(9), roadFirst, roadLast)
		if name == "road2" && v == f.known["road"] {
			v = f.place.pick("road", 40, roadFirst, []string{"巷"})
		}
		return v
	case "spot":
		return one(f.r, []string{"与" + f.value("road2") + "交叉口", "中段", "公交站旁", "农贸市场旁", "靠近" + f.value("estate") + "路段", "与" + f.value("road2") + "路口", "社区卫生服务站门口", "小学附近"})
	case "estate":
		return f.place.pick("estate", f.r.IntN(12), estateFirst, estateLast)
	case "b":
		return fmt.Sprintf("%d栋", 1+f.r.IntN(18))
	case "village":
		return f.place.pick("village", f.r.IntN(10), villageName, []string{"村"})
	case "grp":
		if f.kind == "home" && f.place.urban() {
			return f.value("b")
		}
		return one(f.r, strings.Fields("一组 二组 三组 四组 五组 六组 七组 八组"))
	case "home":
		if f.place.urban() {
			return f.value("estate")
		}
		return f.value("village")
	case "homeorg":
		if f.place.urban() {
			return f.value("estate") + "社区居委会"
		}
		return f.value("village") + "村委会"
	case "site":
		return pick(6, estateFirst, projectLast)
	case "company":
		return pick(8, firmFirst, firmLast) + "有限公司"
	case "school":
		level := "小学"
		switch arg {
		case "初中":
			level = "初级中学"
		case "高中":
			level = "高级中学"
		}
		return pick(3, schoolFirst, []string{level})
	case "kg":
		return pick(4, kgFirst, []string{"幼儿园"})
	case "hospital":
		return pick(3, hospFirst, []string{"医院"})
	case "park":
		return pick(3, parkFirst, []string{"公园", "湿地公园", "文化公园"})
	case "bank":
		return pick(3, bankFirst, []string{"银行"}) + f.value("road") + "支行"
	case "hall":
		return one(f.r, []string{f.place.County + "政务服务中心", f.place.Town + "便民服务中心"})
	case "line":
		return fmt.Sprintf("%d路", 1+f.r.IntN(4)*100+f.r.IntN(60))
	case "metro":
		return f.value("road") + "地铁站"
	case "shop":
		kind := arg
		if kind == "" {
			_, kind, _ = strings.Cut(f.kind, ":")
		}
		last, ok := shopLast[kind]
		if !ok {
			panic("template: no shops of kind " + kind)
		}
		return f.place.pick("shop"+kind, f.r.IntN(5), shopFirst, last)
	case "county":
		return f.place.County
	case "town":
		return f.place.Town
	case "t":
		return one(f.r, []string{"晚上九点左右", "晚上十点多", "晚上十一点", "夜间十点以后", "晚上八点以后", "晚上十点左右", "晚上八点半", "夜里十一点多"})
	case "when":
		return f.when()
	case "since":
		return one(f.r, []string{"近一周以来", "半个多月来", "连续多日", "近一个月来", "最近", "这段时间", "近半个月", "长期以来", "近两周"})
	case "ago":
		return f.ago()
	}
	panic("template: unknown slot {" + slot + "}")
}

// number draws from "2-6" or "500-5000:100".
func (f *filler) number(arg string) string {
	span, step, _ := strings.Cut(arg, ":")
	lo, hi, ok := strings.Cut(span, "-")
	a, err1 := strconv.Atoi(lo)
	b, err2 := strconv.Atoi(hi)
	by := 1
	if step != "" {
		by, _ = strconv.Atoi(step)
	}
	if !ok || err1 != nil || err2 != nil || b < a || by <= 0 {
		panic("template: bad numbers {" + arg + "}")
	}
	return strconv.Itoa(a + f.r.IntN((b-a)/by+1)*by)
}

// when is a moment before the request, as people say it.
func (f *filler) when() string {
	h := f.at.Hour()
	near := []string{"昨天上午", "昨天下午", "昨天晚上", "前天下午", "前天晚上"}
	if h >= 14 {
		near = append(near, "今天上午", "今天上午")
	}
	if h >= 20 {
		near = append(near, "今天下午")
	}
	if f.r.IntN(100) < 55 {
		return one(f.r, near)
	}
	d := f.at.AddDate(0, 0, -2-f.r.IntN(8))
	return fmt.Sprintf("%d月%d日%s", int(d.Month()), d.Day(), one(f.r, []string{"上午", "下午", "晚上", "中午"}))
}

// ago is a month some time before the request.
func (f *filler) ago() string {
	d := time.Date(f.at.Year(), f.at.Month(), 1, 0, 0, 0, 0, f.at.Location()).AddDate(0, -2-f.r.IntN(14), 0)
	switch f.at.Year() - d.Year() {
	case 0:
		return fmt.Sprintf("今年%d月", int(d.Month()))
	case 1:
		return fmt.Sprintf("去年%d月", int(d.Month()))
	}
	return fmt.Sprintf("%d年%d月", d.Year(), int(d.Month()))
}
