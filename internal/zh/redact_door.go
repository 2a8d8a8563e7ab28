package zh

import (
	"regexp"
	"strings"
)

const (
	doorNumber = `([0-9]{1,5}|[一二三四五六七八九十百零〇]{1,6}|[a-z][0-9]{0,3}|[0-9]{1,3}[a-z]|[甲乙丙丁])`
	roomNumber = `([0-9]{3,5}|[一二三四五六七八九零〇幺]{3,5}|[a-z]?[0-9]{3,4}[a-z]?)`
)

var (
	// 3栋, A座, 五号楼, 2单元, 12号楼
	buildingRE = regexp.MustCompile(doorNumber + `\s?(?:号楼|号院|#楼|#|栋|幢|座|单元|门栋|门洞)`)
	// 501室, 五零一室, 1203号房
	roomRE = regexp.MustCompile(roomNumber + `\s?(?:号房|房间|室|房|户|号)`)
	// the bare number after a building or unit: 3栋1203, 2单元-501
	bareRE = regexp.MustCompile(`(?:栋|幢|座|单元|号楼|#楼|#|门栋|门洞)\s?[\-—,]?\s?(?:[0-9]{1,2}[\-/])?` + roomNumber)
	// 12-3-502, 3-2-501
	dashedRE = regexp.MustCompile(`([0-9]{1,3}[a-z]?)\s?-\s?([0-9]{1,2})\s?-\s?([0-9]{3,4})`)
	twoRE    = regexp.MustCompile(`(?:小区|花园|家园|公寓|苑|城|府|里|湾|期|庭|园)([0-9]{1,3}[a-z]?\s?-\s?[0-9]{3,4})`)
	// 关山大道12号, 三巷5号, 村4组12号, 附3号
	streetRE = regexp.MustCompile(`(?:路|街|道|巷|弄|胡同|组|附|段|坊)\s?([0-9]{1,5}(?:-[0-9]{1,4})?|[一二三四五六七八九十百零]{1,6})\s?号`)
	// 502门牌, 门牌号12, 房号1203
	announcedRE = regexp.MustCompile(`(?:门牌号?|房号|房间号|室号)(?:码)?[\s:是为]*([0-9a-z\-]{1,10})`)
)

// doors hides the numbers of houses, buildings, units and rooms; the words
// between them and the road stay: 关山大道**号*栋*单元***室.
func (t *redaction) doors() {
	chain := make([]bool, len(t.plain)+1) // where a hidden building or unit ends
	for _, m := range buildingRE.FindAllStringSubmatchIndex(t.text, -1) {
		from, to, end := int(t.at[m[2]]), int(t.at[m[3]]), int(t.at[m[1]])
		word := string(t.plain[to:end])
		if t.countsThings(from) || alnum(t.rune(from-1)) && t.rune(from-1) != '-' {
			continue
		}
		if word == "座" && !isLatin(t.plain[from]) && t.rune(end) != 0 && !t.roomFollows(end) {
			continue // 一座桥
		}
		t.mask(from, to)
		chain[end] = true
	}
	for _, m := range roomRE.FindAllStringSubmatchIndex(t.text, -1) {
		from, to, end := int(t.at[m[2]]), int(t.at[m[3]]), int(t.at[m[1]])
		word := strings.TrimSpace(string(t.plain[to:end]))
		if alnum(t.rune(from - 1)) {
			continue
		}
		if (word == "号" || word == "户" || word == "房") && !near(chain, from, 2) {
			if word == "号" || t.countsThings(from) || !residential(t.before(from, 6)) {
				continue
			}
		}
		t.mask(from, to)
	}
	for _, m := range bareRE.FindAllStringSubmatchIndex(t.text, -1) {
		from, to := int(t.at[m[2]]), int(t.at[m[3]])
		next := t.rune(to)
		if alnum(next) || next == '年' || next == '平' || next == '元' || next == '㎡' || next == '米' || strings.ContainsRune("户人个", next) && next != 0 {
			continue
		}
		for from > 0 && (alnum(t.plain[from-1]) || t.plain[from-1] == '-' || t.plain[from-1] == '/') {
			from--
		}
		t.mask(from, to)
	}
	for _, m := range dashedRE.FindAllStringSubmatchIndex(t.text, -1) {
		room := t.text[m[6]:m[7]]
		year := len(room) == 4 && (strings.HasPrefix(room, "19") || strings.HasPrefix(room, "20"))
		from, to := int(t.at[m[0]]), int(t.at[m[1]])
		if !year && !alnum(t.rune(from-1)) && t.rune(from-1) != '-' && !alnum(t.rune(to)) && t.rune(to) != '-' {
			t.mask(from, to)
		}
	}
	for _, re := range []*regexp.Regexp{twoRE, streetRE, announcedRE} {
		for _, m := range re.FindAllStringSubmatchIndex(t.text, -1) {
			if !strings.ContainsRune("线令文", t.rune(int(t.at[m[1]]))) || t.rune(int(t.at[m[1]])) == 0 {
				t.maskBytes(m[2], m[3])
			}
		}
	}
}

// countsThings tells that the number at i counts: 共12栋, 这一栋, 有302户.
func (t *redaction) countsThings(i int) bool {
	return strings.ContainsRune("共有这那每几第约近余达全另某整", t.rune(i-1)) && i > 0
}

// roomFollows tells that a unit or room number comes next.
func (t *redaction) roomFollows(i int) bool {
	r := t.rune(i)
	return alnum(r) || strings.ContainsRune("一二三四五六七八九", r)
}

func residential(before string) bool {
	return containsAny(before, []string{"栋", "幢", "单元", "楼", "小区", "花园", "苑", "公寓", "住", "家", "号", "座"})
}

func near(marks []bool, i, n int) bool {
	for j := max(0, i-n); j <= i; j++ {
		if marks[j] {
			return true
		}
	}
	return false
}

func isLatin(r rune) bool { return r >= 'a' && r <= 'z' }
