package zh

import "strings"

// digit is one digit of the text, in whatever writing.
type digit struct {
	at    int // character
	gap   gap // what stands between it and the digit before
	value byte
}

// gap is what separates two digits that may belong to one number.
type gap int8

const (
	tight gap = iota // nothing visible
	loose            // spaces, dashes, dots, brackets
	list             // 、 or a comma: also separates numbers of a list
	apart            // another number
)

var hanDigits = map[rune]byte{
	'零': 0, '〇': 0, '○': 0, '一': 1, '幺': 1, '壹': 1, '二': 2, '贰': 2, '两': 2, '三': 3, '叁': 3, '四': 4, '肆': 4,
	'五': 5, '伍': 5, '六': 6, '陆': 6, '七': 7, '柒': 7, '八': 8, '捌': 8, '九': 9, '玖': 9,
}

// lookalikes stand for digits between digits only.
var lookalikes = map[rune]byte{'o': 0, '洞': 0, 'l': 1, 'i': 1, '|': 1, '拐': 7, '勾': 9}

var (
	phoneWords  = []string{"电话", "座机", "固话", "手机", "联系方式", "致电", "拨打", "号码", "传真", "tel", "phone", "来电", "打过"}
	cardWords   = []string{"卡号", "账号", "帐号", "账户", "帐户", "银行", "信用卡", "储蓄", "存折", "开户", "转账", "汇款", "工行", "农行", "建行", "中行", "邮政"}
	serialWords = []string{"单号", "编号", "流水", "受理号", "工单", "订单", "合同", "案号", "文号", "运单", "快递", "许可证", "备案", "档案", "条码", "代码"}
)

// numbers hides telephone, identity and bank card numbers.
func (t *redaction) numbers() {
	for _, run := range t.digitRuns() {
		t.windows(run)
		for from := 0; from < len(run); {
			to := from + 1
			for to < len(run) && run[to].gap == tight {
				to++
			}
			t.segment(run[from:to])
			from = to
		}
	}
}

// digitRuns are the stretches of digits in which no more than a few separators
// stand between one digit and the next.
func (t *redaction) digitRuns() [][]digit {
	var runs [][]digit
	var run []digit
	g, gaps := tight, 0
	end := func() {
		if len(run) >= 7 {
			runs = append(runs, run)
		}
		run, g, gaps = nil, tight, 0
	}
	for i, r := range t.plain {
		if v, ok := t.digitAt(i, len(run) > 0 && gaps == 0); ok {
			run = append(run, digit{i, g, v})
			g, gaps = tight, 0
			continue
		}
		if len(run) == 0 || fold(r) < 0 && r != '\t' && r != '\n' && r != '\r' { // invisible
			continue
		}
		switch {
		case strings.ContainsRune(" \t\r\n-.·•_/()~+='\"", r):
			g = max(g, loose)
		case strings.ContainsRune(",、。", r):
			g = max(g, list)
		default:
			end()
			continue
		}
		if gaps++; gaps > 3 {
			end()
		}
	}
	end()
	return runs
}

// digitAt reads the digit at i; inside tells that a digit stands right before.
func (t *redaction) digitAt(i int, inside bool) (byte, bool) {
	r := t.plain[i]
	if r >= '0' && r <= '9' {
		return byte(r - '0'), true
	}
	if v, ok := hanDigits[r]; ok {
		return v, true
	}
	v, ok := lookalikes[r]
	if !ok || !inside {
		return 0, false
	}
	next := t.rune(i + 1)
	_, han := hanDigits[next]
	_, alike := lookalikes[next]
	return v, next >= '0' && next <= '9' || han || alike
}

// windows hides numbers that begin and end at the borders of groups:
// "138 1234 2671", "027-8765 4321", "6222 0212 …", "1 3 8 …".
func (t *redaction) windows(run []digit) {
	ds := values(run)
	for i := 0; i < len(run); {
		n := 0
		if i == 0 || run[i].gap != tight {
			n = t.window(run, ds, i)
		}
		if n == 0 && i >= 2 && ds[i-2:i] == "86" && (i == 2 || run[i-2].gap != tight || i == 4 && ds[:2] == "00") {
			if mobileWindow(run, ds, i) {
				n = 11
			}
		}
		if n == 0 {
			i++
			continue
		}
		t.number(run[i : i+n])
		i += n
	}
}

// window is the length of the number that begins at i, or 0.
func (t *redaction) window(run []digit, ds string, i int) int {
	ends := func(n int) bool { return i+n == len(run) || i+n < len(run) && run[i+n].gap != tight }
	if mobileWindow(run, ds, i) {
		return 11
	}
	if i+17 <= len(run) && identity(ds[i:i+17]) && groups(run[i:i+17]) {
		if ends(18) {
			return 18
		}
		if ends(17) && t.checkX(run[i+16].at) > 0 {
			return 17
		}
	}
	if ds[i] == '0' {
		for _, n := range []int{12, 11, 10} {
			if ends(n) && areaAndNumber(run[i:i+n], ds[i:i+n]) {
				return n
			}
		}
	}
	for n := 19; n >= 16; n-- {
		if ends(n) && fours(run[i:i+n]) && (luhn(ds[i:i+n]) || containsAny(t.before(run[i].at, 10), cardWords)) {
			return n
		}
	}
	for _, n := range []int{8, 7} {
		if ends(n) && ds[i] >= '2' && ds[i] <= '8' && groups(run[i:i+n]) && breaks(run[i:i+n]) <= 1 && containsAny(t.before(run[i].at, 8), phoneWords) {
			if n == 8 && birthday(ds[i:i+8]) && !containsAny(t.before(run[i].at, 4), phoneWords) {
				continue
			}
			return n
		}
	}
	return 0
}

// mobileWindow: eleven digits from i that are a mobile, ending at a border.
func mobileWindow(run []digit, ds string, i int) bool {
	n := i + 11
	return n <= len(run) && mobile(ds[i:n]) && (n == len(run) || run[n].gap != tight) && groups(run[i:n])
}

// groups tells whether the digits are grouped as one number is: a comma may
// only stand where people split a mobile, or between all digits.
func groups(run []digit) bool {
	commas, n := false, 0
	var sizes []byte
	size := byte(1)
	for _, d := range run[1:] {
		if d.gap == tight {
			size++
			continue
		}
		commas = commas || d.gap == list
		n++
		sizes = append(sizes, '0'+size)
		size = 1
	}
	sizes = append(sizes, '0'+size)
	if n == len(run)-1 { // one by one
		return true
	}
	if commas {
		switch string(sizes) {
		case "344", "38", "74", "335", "443", "434":
			return true
		}
		return false
	}
	return n <= 6
}

// breaks counts the gaps inside a number.
func breaks(run []digit) int {
	n := 0
	for _, d := range run[1:] {
		if d.gap != tight {
			n++
		}
	}
	return n
}

// areaAndNumber: 027-87654321, (0710) 345 6789; the area code is its own group
// or everything is one.
func areaAndNumber(run []digit, ds string) bool {
	area := 4
	if ds[1] == '1' || ds[1] == '2' {
		area = 3
	}
	number := len(ds) - area
	if ds[1] == '0' || number < 7 || number > 8 || ds[area] < '2' || ds[area] > '8' || !groups(run) {
		return false
	}
	return breaks(run) == 0 || run[area].gap != tight
}

// identity tells whether 17 digits begin an identity number.
func identity(ds string) bool {
	return strings.Contains(idProvinces, ds[:2]+" ") && birthday(ds[6:14])
}

// fours: groups of four with spaces, as on a bank card.
func fours(run []digit) bool {
	for i, d := range run {
		if i > 0 && (d.gap == tight) == (i%4 == 0) || d.gap == list {
			return false
		}
	}
	return true
}

// segment hides what is wrong to show in digits without any gap.
func (t *redaction) segment(seg []digit) {
	ds := values(seg)
	switch {
	case len(ds) == 17 && identity(ds) && t.checkX(seg[16].at) > 0:
		t.number(seg)
		return
	case len(ds) == 15 && strings.Contains(idProvinces, ds[:2]+" ") && birthday("19"+ds[6:12]):
		t.number(seg)
		return
	case len(ds) < 11:
		return
	case len(ds) == 11:
		if mobile(ds) {
			t.number(seg)
		}
		return
	}
	context := t.before(seg[0].at, 10)
	switch {
	case containsAny(context, cardWords):
	case containsAny(context, serialWords), t.inCode(seg):
		t.mobilesIn(seg)
		return
	case len(ds) == 18 && identity(ds[:17]), len(ds) >= 16 && len(ds) <= 19 && luhn(ds), holdsMobile(ds):
	default:
		return
	}
	t.number(seg)
}

// mobilesIn hides the mobiles that stand apart in a serial number by their
// writing alone: 单号一13812342671.
func (t *redaction) mobilesIn(seg []digit) {
	for from := 0; from < len(seg); {
		to := from + 1
		for to < len(seg) && seg[to].at == seg[to-1].at+1 && isDigit(t.src[seg[to].at]) == isDigit(t.src[seg[from].at]) {
			to++
		}
		if to-from == 11 && mobile(values(seg[from:to])) {
			t.number(seg[from:to])
		}
		from = to
	}
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// holdsMobile tells whether eleven of the digits in a row are a mobile.
func holdsMobile(ds string) bool {
	for i := 0; i+11 <= len(ds); i++ {
		if mobile(ds[i : i+11]) {
			return true
		}
	}
	return false
}

// inCode tells whether the digits are part of a unified social credit code:
// that of a firm, which is public.
func (t *redaction) inCode(seg []digit) bool {
	from, to := seg[0].at, seg[len(seg)-1].at+1
	for from > 0 && alnum(t.plain[from-1]) {
		from--
	}
	for to < len(t.plain) && alnum(t.plain[to]) {
		to++
	}
	return ValidUSCC(string(t.plain[from:to]))
}

// checkX is the position after the x that ends an identity number, 0 if none.
func (t *redaction) checkX(last int) int {
	for i := last + 1; i <= last+3; i++ {
		switch t.rune(i) {
		case 'x', '×':
			if !alnum(t.rune(i + 1)) {
				return i + 1
			}
			return 0
		case ' ', '-':
		default:
			return 0
		}
	}
	return 0
}

// number hides the digits and what stands between them.
func (t *redaction) number(ds []digit) {
	from, to := ds[0].at, ds[len(ds)-1].at+1
	if len(ds) == 17 {
		to = max(to, t.checkX(ds[16].at))
	}
	for to < len(t.plain) && fold(t.plain[to]) < 0 && t.plain[to] > 0x7f { // the frame of an emoji digit
		to++
	}
	t.mask(from, to)
	t.contact = append(t.contact, [2]int{from, to})
}

func values(run []digit) string {
	b := make([]byte, len(run))
	for i, d := range run {
		b[i] = '0' + d.value
	}
	return string(b)
}
