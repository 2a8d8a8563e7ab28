package zh

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

const (
	doorNumber = `([0-9]{1,5}|[一二三四五六七八九十百零〇]{1,6}|[a-z][0-9]{0,3}|[0-9]{1,3}[a-z]|[甲乙丙丁])`
	roomNumber = `([0-9]{3,5}|[一二三四五六七八九零〇幺]{3,5}|[a-z]?[0-9]{3,4}[a-z]?)`
)

var (
	// 3栋, A座, 五号楼, 2单元, 12号楼
	buildingRE = regexp.MustCompile(doorNumber + `\s?(号楼|号院|#楼|#|栋|幢|座|单元|门栋|门洞)`)
	// 501室, 五零一室, 1203号房
	roomRE = regexp.MustCompile(roomNumber + `\s?(号房|房间|室|房|户|号)`)
	// the bare number after a building or unit: 3栋1203, 2单元-501
	bareRE = regexp.MustCompile(`(?:栋|幢|座|单元|号楼|#楼|#|门栋|门洞|[0-9]层|[0-9]楼)\s?[\-,]?\s?((?:[0-9]{1,2}[\-/])?` + roomNumber + `)`)
	// 12-3-502, 3-2-501
	dashedRE = regexp.MustCompile(`([0-9]{1,3}[a-z]?)\s?-\s?([0-9]{1,2})\s?-\s?([0-9]{3,4})`)
	twoRE    = regexp.MustCompile(`(?:小区|花园|家园|公寓|苑|城|府|里|湾|期|庭|园)([0-9]{1,3}[a-z]?\s?-\s?[0-9]{3,4})`)
	// 关山大道12号, 三巷5号, 村4组12号, 附3号
	streetRE = regexp.MustCompile(`(?:路|街|道|巷|弄|胡同|村|组|附|段|坊)\s?([0-9]{1,5}(?:-[0-9]{1,4})?|[一二三四五六七八九十百零]{1,6})\s?号`)
	// 门牌号12, 房号1203
	announcedRE = regexp.MustCompile(`(?:门牌号?|房号|房间号|室号)(?:码)?[\s:是为]*([0-9a-z\-]{1,10})`)
)

var doorCues = []string{"栋", "幢", "座", "单元", "号", "室", "房", "户", "#", "门洞", "-"}

// door is one number of a chain such as 3栋2单元501室.
type door struct {
	from, to int  // the number
	end      int  // after the word that goes with it
	room     bool // a room, not a building or unit
}

// doors hides the numbers of houses, buildings, units and rooms where they
// lead to a dwelling: two or more of them in a row, a room, or any of them
// where someone says that they live there. The words between them and the road
// stay: 关山大道**号*栋*单元***室. A building that is only talked about (3栋的电梯)
// stays, as it names no one and the ticket is about it.
func (t *redaction) doors() {
	if !containsAny(t.text, doorCues) {
		return
	}
	var chain []door
	flush := func() {
		if len(chain) > 1 || len(chain) == 1 && (chain[0].room || t.dwelling(chain[0].from)) {
			for _, d := range chain {
				t.mask(d.from, d.to)
			}
		}
		chain = nil
	}
	for _, d := range t.doorNumbers() {
		if len(chain) > 0 {
			last := chain[len(chain)-1]
			if d.to <= last.to {
				continue // the same number read another way
			}
			if d.from < last.to || d.from > last.end+5 || !joins(t.plain[last.end:max(d.from, last.end)]) {
				flush()
			}
		}
		chain = append(chain, d)
	}
	flush()
	t.streetNumbers()
}

// doorNumbers finds buildings, units and rooms in the order of the text.
func (t *redaction) doorNumbers() []door {
	var out []door
	for _, m := range t.find(buildingRE, "号楼", "号院", "#", "栋", "幢", "座", "单元", "门洞") {
		d := door{from: int(t.at[m[2]]), to: int(t.at[m[3]]), end: int(t.at[m[1]])}
		if !t.counts(d.from) && !(alnum(t.rune(d.from-1)) && alnum(t.plain[d.from])) {
			out = append(out, d)
		}
	}
	lead := map[int]bool{}
	for _, d := range out {
		lead[d.end] = true
	}
	for _, m := range t.find(roomRE, "室", "房", "户", "号") {
		d := door{from: int(t.at[m[2]]), to: int(t.at[m[3]]), end: int(t.at[m[1]]), room: true}
		switch word := t.text[m[4]:m[5]]; {
		case alnum(t.rune(d.from-1)) || t.counts(d.from) || strings.HasPrefix(string(t.plain[d.end:]), "线"):
			continue
		case word == "号" || word == "户":
			if !lead[d.from] && !lead[d.from-1] {
				continue
			}
		case word == "房" && !lead[d.from] && !lead[d.from-1] && !residential(t.before(d.from, 6)):
			continue
		}
		out = append(out, d)
	}
	for _, m := range t.find(bareRE, "栋", "幢", "座", "单元", "楼", "#", "门洞", "层") {
		d := door{from: int(t.at[m[2]]), to: int(t.at[m[3]]), end: int(t.at[m[3]]), room: true}
		next := t.rune(d.to)
		if alnum(next) || next == '-' || next != 0 && strings.ContainsRune("年平元㎡米人个多%.万", next) || next == '户' && !lead[d.from] {
			continue
		}
		out = append(out, d)
	}
	for _, m := range t.find(dashedRE, "-") {
		room := t.text[m[6]:m[7]]
		year := len(room) == 4 && (strings.HasPrefix(room, "19") || strings.HasPrefix(room, "20"))
		d := door{from: int(t.at[m[0]]), to: int(t.at[m[1]]), end: int(t.at[m[1]]), room: true}
		if !year && !alnum(t.rune(d.from-1)) && t.rune(d.from-1) != '-' && !alnum(t.rune(d.to)) && t.rune(d.to) != '-' {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b door) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	return out
}

// streetNumbers hides house numbers where someone lives, and numbers that are
// announced as a door.
func (t *redaction) streetNumbers() {
	for _, m := range t.find(streetRE, "号") {
		from, end := int(t.at[m[2]]), int(t.at[m[1]])
		rest := string(t.plain[end:min(len(t.plain), end+2)])
		line := strings.HasPrefix(rest, "线") || rest == "地铁" || rest == "文件" || strings.HasPrefix(rest, "令")
		if !line && (t.dwelling(from) || t.hiddenSoon(end)) {
			t.maskBytes(m[2], m[3])
		}
	}
	for _, m := range append(t.find(twoRE, "-"), t.find(announcedRE, "门牌", "房号", "间号", "室号")...) {
		t.maskBytes(m[2], m[3])
	}
}

// find runs an expression over a text that has one of the cues which stand in
// every match: looking for words is a hundred times quicker.
func (t *redaction) find(re *regexp.Regexp, cues ...string) [][]int {
	if !containsAny(t.text, cues) {
		return nil
	}
	return re.FindAllStringSubmatchIndex(t.text, -1)
}

// dwelling tells that the clause before i says where someone lives.
func (t *redaction) dwelling(i int) bool {
	from := i
	for from > 0 && from > i-30 && !strings.ContainsRune("。;!?\n", t.plain[from-1]) {
		from--
	}
	return containsAny(string(t.plain[from:i]), []string{"住", "家在", "我家", "地址", "户籍", "户口", "门牌", "送到", "上门"})
}

// hiddenSoon tells that a hidden number follows i in the same phrase.
func (t *redaction) hiddenSoon(i int) bool {
	for j := i; j < len(t.plain) && j < i+12 && !strings.ContainsRune(",。;!?\n", t.plain[j]); j++ {
		if t.hide[j] {
			return true
		}
	}
	return false
}

// counts tells that the number at i counts things: 共12栋, 这一栋, 有302户.
func (t *redaction) counts(i int) bool {
	return i > 0 && strings.ContainsRune("共有这那哪几每约近余达全另某整到至建造其的为变过达", t.plain[i-1])
}

// joins tells whether what stands between two numbers of a chain is short
// connecting text.
func joins(between []rune) bool {
	for _, r := range between {
		if !strings.ContainsRune(" -,/第东西南北层楼()一二三四五六七八九十0123456789", r) {
			return false
		}
	}
	return true
}

func residential(before string) bool {
	return containsAny(before, []string{"栋", "幢", "单元", "楼", "小区", "花园", "苑", "公寓", "住", "家", "号", "座"})
}
