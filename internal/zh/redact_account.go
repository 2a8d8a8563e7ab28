package zh

import (
	"regexp"
	"strings"
)

var (
	mailRE   = regexp.MustCompile(`[a-z0-9][a-z0-9._%+\-]*\s?@\s?[a-z0-9\-]+(?:[.。][a-z0-9\-]+)+`)
	qqRE     = regexp.MustCompile(`(?:qq|扣扣|企鹅)(?:号码|邮箱|群号|号|群)?[\s:是为()]*([1-9][0-9\s]{3,12}[0-9])`)
	wechatRE = regexp.MustCompile(`(?:微信|薇信|v信|wechat|weixin|wx|vx|抖音|快手|陌陌|支付宝|钉钉)(账号|帐号|号码|id|号|)([\s:是为()"]*)([a-z0-9][a-z0-9_\-]{4,19})`)
	paperRE  = regexp.MustCompile(`(?:护照|通行证|军官证|士兵证|残疾证|社保卡|医保卡|驾驶证|行驶证|居住证|身份证|证件|学号|工号|病历|住院)(?:号码|编号|号)?[\s:是为()]*([a-z]{0,3}[0-9][0-9a-z]{4,19})`)
	plateRE  = regexp.MustCompile(`[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使][\s]?[a-z][\s·•.\-]{0,2}([a-z0-9]{4,5}[a-z0-9挂学警港澳领])`)
	localRE  = regexp.MustCompile(`车牌(?:号码|号)?[\s:是为尾()"]*([a-z]?[a-z0-9]{4,6})`)
)

// accounts hides mail addresses, accounts of chat programs and the numbers of
// papers, which are found by the word before them.
func (t *redaction) accounts() {
	t.each(mailRE, []string{"@"}, func(m []int) { t.maskBytes(m[0], m[1]) })
	t.each(qqRE, []string{"qq", "扣扣", "企鹅"}, func(m []int) { t.maskBytes(m[2], m[3]) })
	t.each(wechatRE, []string{"信", "chat", "wei", "wx", "vx", "抖音", "快手", "陌陌", "支付宝", "钉钉"}, func(m []int) {
		said := m[3] > m[2] || strings.TrimSpace(t.text[m[4]:m[5]]) != ""
		if said || strings.ContainsAny(t.text[m[6]:m[7]], "0123456789_") {
			t.maskBytes(m[6], m[7])
		}
	})
	t.each(paperRE, []string{"证", "护照", "卡", "号", "病历", "住院"}, func(m []int) {
		t.maskBytes(m[2], m[3])
		t.contact = append(t.contact, [2]int{int(t.at[m[2]]), int(t.at[m[3]])})
	})
}

// each calls fn for each match when the text has any of the cues at all: most
// texts have none, and looking is cheaper than matching.
func (t *redaction) each(re *regexp.Regexp, cues []string, fn func(m []int)) {
	if !containsAny(t.text, cues) {
		return
	}
	for _, m := range re.FindAllStringSubmatchIndex(t.text, -1) {
		fn(m)
	}
}

// plates hides number plates but for province and city: 鄂A*****.
func (t *redaction) plates() {
	for _, re := range []*regexp.Regexp{plateRE, localRE} {
		for _, m := range re.FindAllStringSubmatchIndex(t.text, -1) {
			tail := t.text[m[2]:m[3]]
			if strings.ContainsAny(tail, "0123456789") && !alnum(t.rune(int(t.at[m[3]]))) {
				t.maskBytes(m[2], m[3])
			}
		}
	}
}

func (t *redaction) maskBytes(from, to int) { t.mask(int(t.at[from]), int(t.at[to])) }
