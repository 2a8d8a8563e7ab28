package zh

import (
	"slices"
	"strings"
	"unicode"
)

var (
	// Someone is announced: what follows is a name, be its surname rare or not.
	announcing = vocabulary("姓名 我叫 名叫 名字叫 名字是 名字 本人叫 叫做 署名 联系人 投诉人 举报人 申请人 反映人 来电人 诉求人 报案人 当事人 委托人 代理人 被投诉人 被举报人 法定代表人 法人代表 " +
		"经办人 收件人 寄件人 户主 产权人 承租人 出租人 监护人 开户名 户名 化名 昵称 真名 联系人姓名 投诉人姓名 举报人姓名 申请人姓名 户主姓名")
	// Someone is described: a common surname and a given name may follow.
	describing = vocabulary("我是 本人 业主 村民 居民 市民 群众 书记 支书 主任 村长 队长 组长 老板 房东 包工头 司机 医生 老师 校长 院长 所长 局长 科长 处长 经理 店长 会计 会计师 法人 负责人 " +
		"丈夫 妻子 儿子 女儿 父亲 母亲 爸爸 妈妈 老公 老婆 爱人 哥哥 弟弟 姐姐 妹妹 爷爷 奶奶 外公 外婆 岳父 岳母 孙子 孙女 邻居 租户 租客 员工 职工 工人 同事 学生 患者 病人 死者 伤者 逝者 " +
		"受害人 嫌疑人 被告 原告 证人 同学 朋友 叫 找 联系 姓 名为 同志")
	// The title follows the name.
	titles = vocabulary("先生 女士 小姐 同志 老师 医生 大夫 护士 书记 主任 经理 师傅 校长 院长 所长 局长 科长 处长 队长 村长 组长 镇长 乡长 区长 县长 市长 警官 法官 律师 会计 大爷 大妈 阿姨 叔叔 老人 老板 教授 " +
		"等人 本人 一家人 一家的 夫妇 夫妻")
	// After a name, these begin the next word.
	following = vocabulary("先生 女士 小姐 同志 老师 医生 书记 主任 经理 师傅 校长 队长 电话 手机 联系 身份 今年 现年 多次 家住 家里 反映 投诉 举报 拒绝 承诺 表示 以 于 和 与 及 对 为 所 向 称 名下 本人 夫妇 夫妻 一家 等 " +
		"私自 强行 拖欠 利用 涉嫌 非法 违规 占用 经常 故意 殴打 骗 欠 打 骂 收 开 没 不")
	// Between a name and its number.
	numberLabels = vocabulary("联系电话 联系方式 手机号码 电话号码 手机号 身份证号码 身份证号 身份证 电话 手机 号码 号 的 是 为")
)

// notPeople are found where a name would stand and tell that there is none.
var notPeople = []string{"公司", "单位", "物业", "中心", "业委会", "村委会", "小区", "花园", "国际", "嘉园", "局", "匿名", "不详", "不便", "本人", "某", "保密", "姓名", "盖章", "签字", "签名", "控制人"}

// words is a vocabulary by first character, longest words first.
type words map[rune][][]rune

func vocabulary(s string) words {
	v := words{}
	for w := range strings.FieldsSeq(s) {
		rs := []rune(w)
		v[rs[0]] = append(v[rs[0]], rs)
	}
	for _, ws := range v {
		slices.SortStableFunc(ws, func(a, b []rune) int { return len(b) - len(a) })
	}
	return v
}

// at is the length of the longest word that begins at i, 0 for none.
func (v words) at(text []rune, i int) int {
	if i < len(text) {
		for _, w := range v[text[i]] {
			if i+len(w) <= len(text) && slices.Equal(text[i:i+len(w)], w) {
				return len(w)
			}
		}
	}
	return 0
}

// endingAt is the length of the longest word that ends at i.
func (v words) endingAt(text []rune, i int) int {
	for n := min(6, i); n > 0; n-- {
		if v.at(text, i-n) == n {
			return n
		}
	}
	return 0
}

// names hides given names where a person is announced, described or titled, or
// stands beside a telephone number. Names that stand alone stay: without a
// dictionary of people they cannot be told from other words.
func (t *redaction) names() {
	for i := range t.plain {
		if n := announcing.at(t.plain, i); n > 0 {
			t.announced(i + n)
		}
		if n := describing.at(t.plain, i); n > 0 && !(t.plain[i] == '姓' && t.rune(i-1) == '百') {
			t.described(i + n)
		}
		if titles.at(t.plain, i) > 0 {
			t.titled(i)
		}
	}
	for _, c := range t.contact {
		t.besides(c[0], c[1])
	}
}

// described hides the given name at i if it is clearly one.
func (t *redaction) described(i int) {
	colon := t.rune(i) == ':'
	if r := t.rune(i); colon || r == '(' || r == ' ' {
		i++
	}
	if from, to := t.nameAt(i, colon); to > from && t.closes(i, to) {
		t.mask(from, to)
	}
}

// announced hides the name at i. After a colon it hides whatever stands there
// as a name would, for people of other nations have other surnames.
func (t *redaction) announced(i int) {
	colon := false
	for n := 0; n < 3 && strings.ContainsRune(" :\"(是为叫", t.rune(i)) && i < len(t.plain); n++ {
		colon = colon || t.rune(i) == ':'
		i++
	}
	n, dot := i, false
	for n < len(t.plain) && n < i+12 && (unicode.Is(unicode.Han, t.plain[n]) || t.plain[n] == '·' || isLatin(t.plain[n])) {
		dot = dot || t.plain[n] == '·'
		n++
	}
	if containsAny(string(t.plain[i:min(n, i+5)]), notPeople) || particles[t.rune(i)] && !colon {
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
		if !announced && (particles[r] || looseSurnames[r] && !t.looseName(i)) {
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

// looseName accepts an everyday character as a surname when a break follows
// the two or three characters, as in 本人高文博，.
func (t *redaction) looseName(i int) bool {
	if !t.given(i+1) || ordinary[string(t.plain[i:i+2])] {
		return false
	}
	if !unicode.Is(unicode.Han, t.rune(i+2)) {
		return true
	}
	after := t.rune(i + 3)
	return t.given(i+2) && (!unicode.Is(unicode.Han, after) || notGiven[after] || t.wordAt(i+3))
}

// given tells whether the character at i may stand in a given name.
func (t *redaction) given(i int) bool {
	r := t.rune(i)
	return unicode.Is(unicode.Han, r) && !notGiven[r]
}

// wordAt tells that at i a word begins that follows names.
func (t *redaction) wordAt(i int) bool { return following.at(t.plain, i) > 0 }

// closes tells whether a described name is one: not the beginning of a place
// or of a longer word.
func (t *redaction) closes(surname, to int) bool {
	given := t.plain[surname+1 : to]
	last, after := given[len(given)-1], t.rune(to)
	const places = "村湾庄镇乡街路巷坪岭店屯区县市局厂院校站塘河湖山沟桥口畈垸咀组队里湾嘴园苑寨堡坡冲港墩台洲营场际贷网郡城府公集团"
	if strings.ContainsRune(places, last) && len(given) > 1 || strings.ContainsRune(places, after) && after != 0 {
		return false
	}
	return !(len(given) == 1 && unicode.Is(unicode.Han, after) && !notGiven[after] && !t.wordAt(to))
}

// titled hides the given name that ends at i, where a title begins.
func (t *redaction) titled(i int) {
	for _, n := range []int{3, 2} {
		s := i - n
		if s < 0 || !surnames[t.plain[s]] || particles[t.plain[s]] || ordinary[string(t.plain[s:s+2])] {
			continue
		}
		ok := !strings.ContainsRune("村局院所镇乡区县市校司厂会街路社", t.plain[i-1])
		for j := s + 1; j < i; j++ {
			ok = ok && t.given(j)
		}
		if t.plain[s] == '于' && s > 0 && strings.ContainsRune("由对关属处位等至终在基", t.plain[s-1]) {
			continue
		}
		from := s + 1
		switch {
		case n == 3 && compoundSurnames[string(t.plain[s:s+2])]:
			from++
		case n == 3:
			ok = ok && (!looseSurnames[t.plain[s]] || t.opens(s))
		case looseSurnames[t.plain[s]] || surnames[t.plain[s+1]]:
			ok = ok && t.opens(s)
		}
		if n == 2 && strings.ContainsRune("副姓某总老小大", t.plain[s+1]) || n == 3 && t.plain[s+1] == '某' {
			ok = false
		}
		if ok {
			t.mask(from, i)
			return
		}
	}
}

// opens tells whether a name may begin at i: at the start, after anything that
// is not Han, or after a character that leads to a name.
func (t *redaction) opens(i int) bool {
	r := t.rune(i - 1)
	return r == 0 || !unicode.Is(unicode.Han, r) || strings.ContainsRune("系找到是叫人主请给向问长任员者和与及跟由被把经对姓名友事民子女妻夫东师户机让的", r)
}

// besides hides a name right before or after a telephone or identity
// number: "李明13812345678", "13812345678（李明）", "李明 电话：138…".
func (t *redaction) besides(from, to int) {
	i := from
	for i > 0 {
		if !unicode.Is(unicode.Han, t.plain[i-1]) && !alnum(t.plain[i-1]) && t.plain[i-1] != '\n' {
			i--
			continue
		}
		n := numberLabels.endingAt(t.plain, i)
		if n == 0 {
			break
		}
		i -= n
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
