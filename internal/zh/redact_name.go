package zh

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	// Someone is announced: what follows is a name, be its surname rare or not.
	announceRE = regexp.MustCompile(`(?:姓名|我叫|名叫|名字叫|名字是|名字|本人叫|叫做|署名|联系人|投诉人|举报人|申请人|反映人|来电人|诉求人|报案人|当事人|委托人|代理人|被投诉人|被举报人|法定代表人|法人代表|经办人|收件人|寄件人|户主|产权人|承租人|出租人|监护人|开户名|户名|化名|昵称|真名)(?:姓名)?\s?[:是为叫"(]{0,2}\s?`)
	// Someone is described: a common surname and a given name may follow.
	describeRE = regexp.MustCompile(`(?:我是|本人|我姓名|业主|村民|居民|市民|群众|书记|支书|主任|村长|队长|组长|老板|房东|包工头|司机|医生|老师|校长|院长|所长|局长|科长|处长|经理|店长|会计|法人|负责人|丈夫|妻子|儿子|女儿|父亲|母亲|爸爸|妈妈|老公|老婆|爱人|哥哥|弟弟|姐姐|妹妹|爷爷|奶奶|外公|外婆|岳父|岳母|孙子|孙女|邻居|租户|租客|租户|员工|职工|工人|同事|学生|患者|病人|死者|伤者|逝者|受害人|嫌疑人|被告|原告|证人|同学|朋友|叫|找|联系|姓|名为|同志)`)
	// The title follows the name.
	titleRE = regexp.MustCompile(`先生|女士|小姐|同志|老师|医生|大夫|护士|书记|主任|经理|师傅|校长|院长|所长|局长|科长|处长|队长|村长|组长|镇长|乡长|区长|县长|市长|警官|法官|律师|会计|大爷|大妈|阿姨|叔叔|老人|老板|教授|等人|本人|一家人|一家的|夫妇|夫妻`)
)

// names hides given names where a person is announced, described or titled, or
// stands beside a telephone number. Names that stand alone stay: without a
// dictionary of people they cannot be told from other words.
func (t *redaction) names() {
	for _, m := range announceRE.FindAllStringIndex(t.text, -1) {
		t.announced(int(t.at[m[1]]), strings.ContainsAny(t.text[m[0]:m[1]], ":\"("))
	}
	for _, m := range describeRE.FindAllStringIndex(t.text, -1) {
		i := int(t.at[m[1]])
		colon := t.rune(i) == ':'
		if r := t.rune(i); colon || r == '(' || r == ' ' {
			i++
		}
		if from, to := t.nameAt(i, colon); to > from && t.closes(i, to) {
			t.mask(from, to)
		}
	}
	for _, m := range titleRE.FindAllStringIndex(t.text, -1) {
		t.nameBefore(int(t.at[m[0]]))
	}
	for _, c := range t.contact {
		t.nameBeside(c[0], c[1])
	}
}

// announced hides the name at i. After a colon it hides whatever stands there
// as a name would, for people of other nations have other surnames.
func (t *redaction) announced(i int, colon bool) {
	n, dot := i, false
	for n < len(t.plain) && n < i+12 && (unicode.Is(unicode.Han, t.plain[n]) || t.plain[n] == '·' || isLatin(t.plain[n])) {
		dot = dot || t.plain[n] == '·'
		n++
	}
	if containsAny(string(t.plain[i:min(n, i+5)]), notPeople) || wordSurnames[t.rune(i)] && !colon {
		return
	}
	if from, to := t.nameAt(i, true); to > from {
		t.mask(from, to)
		return
	}
	if colon && n-i >= 2 && (n-i <= 4 || dot || isLatin(t.plain[i])) {
		t.mask(i+1, n)
	}
}

// notPeople are found where a name would stand and tell that there is none.
var notPeople = []string{"公司", "单位", "物业", "中心", "业委会", "村委会", "小区", "花园", "国际", "嘉园", "局", "匿名", "不详", "不便", "本人", "某", "保密", "姓名", "盖章", "签字", "签名", "控制人"}

// nameAt is the given name whose surname stands at i; to is from when there is
// none. strict names are announced: every surname counts and nothing but a
// character that never ends a name ends it.
func (t *redaction) nameAt(i int, announced bool) (from, to int) {
	r := t.rune(i)
	from = i + 1
	switch {
	case compoundSurnames[string(t.plain[min(i, len(t.plain)):min(i+2, len(t.plain))])] && t.given(i+2):
		from = i + 2
	case surnames[r] || announced && looseSurnames[r]:
		if !announced && (wordSurnames[r] || looseSurnames[r] && !t.looseName(i)) {
			return 0, 0
		}
	default:
		return 0, 0
	}
	if !t.given(from) || ordinary[string([]rune{r, t.rune(i + 1)})] {
		return 0, 0
	}
	to = from + 1
	if t.given(to) && !t.wordAt(to) {
		to++
	}
	return from, to
}

// looseName accepts an everyday character as a surname when the three are
// closed on both sides, as in （高文博）.
func (t *redaction) looseName(i int) bool {
	after := t.rune(i + 3)
	return t.given(i+1) && t.given(i+2) && (after == 0 || !unicode.Is(unicode.Han, after) || notGiven[after]) && !ordinary[string(t.plain[i:i+2])]
}

// given tells whether the character at i may stand in a given name.
func (t *redaction) given(i int) bool {
	r := t.rune(i)
	return unicode.Is(unicode.Han, r) && !notGiven[r]
}

// wordAt tells that at i a word begins that follows names.
func (t *redaction) wordAt(i int) bool {
	rest := string(t.plain[i:min(i+2, len(t.plain))])
	for _, w := range []string{"先生", "女士", "小姐", "同志", "老师", "医生", "书记", "主任", "经理", "师傅", "校长", "队长", "电话", "手机", "联系", "身份", "今年", "现年", "多次", "家住", "家里", "反映", "投诉", "举报",
		"拒绝", "承诺", "表示", "以", "于", "和", "与", "及", "对", "为", "所", "向", "称", "名下", "本人", "夫妇", "夫妻", "一家", "等", "私自", "强行", "拖欠", "利用", "涉嫌", "非法", "违规", "占用", "经常", "故意", "殴打", "骗", "欠", "打", "骂", "收", "开", "没", "不"} {
		if strings.HasPrefix(rest, w) {
			return true
		}
	}
	return false
}

// closes tells whether a described name is one: not the beginning of a place
// or of a longer word.
func (t *redaction) closes(surname, to int) bool {
	given := t.plain[surname+1 : to]
	last, after := given[len(given)-1], t.rune(to)
	const places = "村湾庄镇乡街路巷坪岭店屯区县市局厂院校站塘河湖山沟桥口畈垸咀组队里湾嘴园苑寨堡坡冲港墩台洲营场际贷网郡城府公集团"
	if strings.ContainsRune(places, last) && len(given) > 1 || strings.ContainsRune(places, after) && after != 0 {
		return false
	}
	return !ordinary[string(given)] && len(given) > 0 && !(len(given) == 1 && unicode.Is(unicode.Han, after) && !notGiven[after] && !t.wordAt(to))
}

// nameBefore hides the given name that ends at i, where a title begins.
func (t *redaction) nameBefore(i int) {
	for _, n := range []int{3, 2} {
		s := i - n
		if s < 0 || !surnames[t.plain[s]] || wordSurnames[t.plain[s]] || strings.ContainsRune("副姓某总老小大", t.plain[s+1]) || ordinary[string(t.plain[s:s+2])] || n == 3 && looseSurnames[t.plain[s]] && !t.opens(s) {
			continue
		}
		ok := true
		for j := s + 1; j < i; j++ {
			ok = ok && t.given(j)
		}
		if n == 2 && (looseSurnames[t.plain[s]] || surnames[t.plain[s+1]] && !t.opens(s)) {
			ok = ok && t.opens(s) && !surnames[t.plain[s+1]]
		}
		if ok && string(t.plain[s+1:i]) != "某" && string(t.plain[s+1:i]) != "某某" && !strings.ContainsRune("村局院所镇乡区县市校司厂会街路社", t.plain[i-1]) {
			t.mask(s+1, i)
			return
		}
	}
}

// opens tells whether a name may begin at i: at the start, after anything that
// is not Han, or after a character that leads to a name.
func (t *redaction) opens(i int) bool {
	r := t.rune(i - 1)
	return r == 0 || !unicode.Is(unicode.Han, r) || strings.ContainsRune("系找是叫人主请给向问长任员者和与及跟由被把经对姓名友事民子女妻夫东师户机让的", r)
}

// nameBeside hides a name right before or after a telephone or identity
// number: "李明13812345678", "13812345678（李明）", "李明 电话：138…".
func (t *redaction) nameBeside(from, to int) {
	i := from
	for i > 0 {
		if !unicode.Is(unicode.Han, t.plain[i-1]) && !alnum(t.plain[i-1]) && t.plain[i-1] != '\n' {
			i--
			continue
		}
		cut := false
		for _, w := range []string{"联系电话", "联系方式", "手机号码", "电话号码", "手机号", "身份证号码", "身份证号", "身份证", "电话", "手机", "号码", "号", "的", "是", "为"} {
			n := len([]rune(w))
			if i >= n && string(t.plain[i-n:i]) == w {
				i -= n
				cut = true
				break
			}
		}
		if !cut {
			break
		}
	}
	for _, n := range []int{3, 2} {
		if s := i - n; s >= 0 && surnames[t.plain[s]] && t.opens(s) {
			if f, e := t.nameAt(s, true); e == i {
				t.mask(f, e)
				break
			}
		}
	}
	for to < len(t.plain) && strings.ContainsRune(" (,:、", t.plain[to]) {
		to++
	}
	if f, e := t.nameAt(to, false); e > f {
		if after := t.rune(e); after == 0 || !unicode.Is(unicode.Han, after) || t.wordAt(e) {
			t.mask(f, e)
		}
	}
}
