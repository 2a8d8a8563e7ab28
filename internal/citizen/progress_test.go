package citizen

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestProgressShowsWhoHasItAndWhoSawIt(t *testing.T) {
	b := visit(t)
	at := b.lookUp()
	b.get(at).has(t, "武汉市生态环境局洪山区分局", "协办：洪山区城市管理执法局", "11月21日 周六 15:42", "12月4日 周五 18:00", "剩9天2小时",
		"已停止夜间施工", "谁看过我的信息", "办理您的诉求", "共3次", "由12345中转", "今天已经催办过，明天可以再催。", "对承办单位隐藏身份", "2个")
	b.desk.nothing = true
	b.get(at).has(t, "派单后这里会写明承办单位", "等待热线受理", "还没有单位查看")
}

func TestWrongNumberAndWrongCodeLookAlike(t *testing.T) {
	b := visit(t)
	var texts []string
	for _, f := range []url.Values{
		{"number": {"012611230000017"}, "code": {"WRONG234"}}, {"number": {"012611230000999"}, "code": {"K7Q2M9XW"}},
	} {
		s := b.post("/progress", f)
		if s.code != http.StatusNotFound {
			t.Errorf("status %d", s.code)
		}
		texts = append(texts, strings.ReplaceAll(s.text, f.Get("number"), "N"))
	}
	if texts[0] != texts[1] {
		t.Error("the two answers differ")
	}
	b.post("/progress", url.Values{}).has(t, `<a href="#number">请填写15位单号`, `<a href="#code">请填写查询码`)
}

func TestAddressesCarryNothingPersonal(t *testing.T) {
	b := visit(t)
	var seen []string
	b.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		seen = append(seen, r.URL.String())
		return nil
	}
	at := b.lookUp()
	b.post(at+"/urge", url.Values{"text": {"请快一点"}})
	b.post("/progress/phone", url.Values{"phone": {deskPhone}, "smscode": {deskSMSCode}})
	b.get("/s/k3v9p2?do=evaluate")
	if len(seen) != 4 {
		t.Fatalf("redirects: %v", seen)
	}
	for _, u := range seen {
		for _, secret := range []string{"012611230000017", "K7Q2M9XW", deskPhone, deskSMSCode} {
			if strings.Contains(u, secret) {
				t.Errorf("%s holds %s", u, secret)
			}
		}
	}
	u, _ := url.Parse(b.url)
	for _, c := range b.http.Jar.Cookies(u) {
		if strings.Contains(c.Value, "K7Q2M9XW") || strings.Contains(c.Value, deskPhone) {
			t.Errorf("cookie %s shows a secret", c.Name)
		}
	}
}

func TestPhoneAloneOpensNothing(t *testing.T) {
	b := visit(t)
	if s := b.get("/progress/mine"); s.code != http.StatusUnauthorized {
		t.Errorf("without a code: %d", s.code)
	}
	known, unknown := b.post("/progress/code", url.Values{"phone": {deskPhone}}), b.post("/progress/code", url.Values{"phone": {"13711112222"}})
	if strings.ReplaceAll(known.text, deskPhone, "P") != strings.ReplaceAll(unknown.text, "13711112222", "P") {
		t.Error("a known phone is answered differently")
	}
	b.post("/progress/phone", url.Values{"phone": {deskPhone}, "smscode": {"000000"}}).has(t, `<a href="#smscode">验证码不对`)
	b.post("/progress/phone", url.Values{"phone": {deskPhone}}).has(t, "请填写短信里的验证码")
	b.post("/progress/code", url.Values{"phone": {"你好"}}).has(t, `<a href="#phone">请填写反映诉求时留下的手机号码`)
	s := b.post("/progress/phone", url.Values{"phone": {deskPhone}, "smscode": {deskSMSCode}})
	s.has(t, "我的诉求", "0126 1123 0000 017")
	at := strings.Split(strings.Split(s.text, `href="/progress/t/`)[1], `"`)[0]
	b.get("/progress/t/"+at).has(t, "现在由谁办理", "我的诉求列表")
}

func TestLookUpEnds(t *testing.T) {
	b := visit(t)
	at := b.lookUp()
	b.desk.now = b.desk.now.Add(20 * time.Minute)
	if s := b.get(at); s.code != 200 {
		t.Errorf("after 20 minutes: %d", s.code)
	}
	b.desk.now = b.desk.now.Add(passLife + time.Second)
	if s := b.get(at); s.code != http.StatusUnauthorized {
		t.Errorf("after half an hour: %d", s.code)
	}
	at = b.lookUp()
	b.post("/progress/leave", nil)
	if s := b.get(at); s.code != http.StatusUnauthorized {
		t.Errorf("after leaving: %d", s.code)
	}
	other := visit(t)
	if s := other.get(at); s.code != http.StatusUnauthorized {
		t.Errorf("another browser with the same address: %d", s.code)
	}
}

func TestLinkOfANoticeOpensItsTicket(t *testing.T) {
	b := visit(t)
	b.get("/s/k3v9p2?do=evaluate").has(t, "对办理结果满意吗")
	b.get("/s/k3v9p2?do=../../x").has(t, "现在由谁办理")
	if s := b.get("/s/old"); s.code != 404 {
		t.Errorf("a dead link: %d", s.code)
	}
}

func TestActs(t *testing.T) {
	for _, c := range []struct {
		name, act string
		form      url.Values
		did, says string
	}{
		{"补充", "supplement", url.Values{"text": {"凌晨也有噪声"}}, "supplement 凌晨也有噪声 0", "已经转给承办单位"},
		{"补充不写", "supplement", url.Values{}, "", "请写下要补充的情况"},
		{"催办", "urge", url.Values{"text": {"过了约定时间"}}, "urge 过了约定时间", "催办已经记录"},
		{"催办没有理由", "urge", url.Values{"text": {"  "}}, "", "请写明催办的原因"},
		{"回复单位", "message", url.Values{"text": {"晚上七点"}}, "message 晚上七点", "已经转给承办单位"},
		{"满意", "evaluate", url.Values{"score": {"4"}, "solved": {"yes"}, "reasons": {"slow"}}, "evaluate 4 yes []", "谢谢您的评价"},
		{"不满意有理由", "evaluate", url.Values{"score": {"2"}, "solved": {"no"}, "reasons": {"unsolved", "slow", "hack"}}, "evaluate 2 no [unsolved slow]", "谢谢您的评价"},
		{"不满意没有理由", "evaluate", url.Values{"score": {"1"}, "solved": {"no"}}, "", "请选择不满意的原因"},
		{"其他原因要写明", "evaluate", url.Values{"score": {"1"}, "solved": {"no"}, "reasons": {"other"}}, "", "请写明"},
		{"没有选满意程度", "evaluate", url.Values{"score": {"9"}, "solved": {"no"}}, "", "请选择满意程度"},
		{"没有选是否解决", "evaluate", url.Values{"score": {"5"}}, "", "请选择问题是否解决"},
		{"撤回", "withdraw", url.Values{"reason": {"solved"}}, "withdraw solved", "诉求已经撤回"},
		{"撤回没有原因", "withdraw", url.Values{"reason": {"x"}}, "", "请选择撤回的原因"},
		{"撤回其他原因要写明", "withdraw", url.Values{"reason": {"other"}}, "", "请写明"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := visit(t)
			at := b.lookUp()
			s := b.post(at+"/"+c.act, c.form)
			s.has(t, c.says)
			if did := strings.Join(b.desk.acts, ";"); did != c.did {
				t.Errorf("did %q, want %q", did, c.did)
			}
			if c.did == "" && s.code != http.StatusUnprocessableEntity {
				t.Errorf("status %d", s.code)
			}
		})
	}
	b := visit(t)
	at := b.lookUp()
	b.send(at+"/supplement", url.Values{}, 10).has(t, "已经转给承办单位")
	b.get(at+"/urge").has(t, "今天已经催办过，明天可以再催。")
	if s := b.get(at + "/delete"); s.code != 404 {
		t.Errorf("an act that is none: %d", s.code)
	}
}

func TestArticleText(t *testing.T) {
	got := blocks("## 条件\n一\n二\n\n三\n- 甲\n- 乙\n1. 子\n2. 丑\n2026. 年")
	want := []block{{"h", []string{"条件"}}, {"p", []string{"一", "二"}}, {"p", []string{"三"}}, {"ul", []string{"甲", "乙"}}, {"ol", []string{"子", "丑", "年"}}}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if got[i].Kind != want[i].Kind || strings.Join(got[i].Lines, "|") != strings.Join(want[i].Lines, "|") {
			t.Errorf("block %d: %q, want %q", i, got[i], want[i])
		}
	}
}

func TestLookUpAsksForAProofAboveTheFreeRate(t *testing.T) {
	b := visit(t)
	b.desk.proof = true
	form := url.Values{"number": {"012611230000017"}, "code": {"K7Q2M9XW"}}
	s := b.post("/progress", form)
	if s.code != http.StatusTooManyRequests {
		t.Errorf("without a proof: %d", s.code)
	}
	s.has(t, `data-token="tk1" data-bits="8"`, "请改用手机号码查询")
	form.Set("proof", "tk1.0")
	for i := 1; b.post("/progress", form).code != 200; i++ {
		form.Set("proof", fmt.Sprint("tk1.", i))
	}
}
