package citizen

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hotline/internal/fault"
)

func TestSubmitWithoutScript(t *testing.T) {
	b := visit(t)
	s := b.get("/submit")
	if strings.Contains(s.text, "checked") || strings.Contains(s.text, " selected") {
		t.Error("something is chosen beforehand")
	}
	form := complete()
	form.Set("key", s.field("key"))
	form.Set("stage", "region") // the button that fills the next list
	s = b.post("/submit", form)
	s.has(t, `<option value="420111">洪山区`, "楼下餐饮店油烟直排。", `value="投诉" id="type2" checked`)
	if strings.Contains(s.text, `role="alert"`) {
		t.Error("choosing a place is no error")
	}
	form.Set("county", "420111")
	b.post("/submit", form).has(t, `<option value="420111005">关山街道`)
	form.Set("town", "420111005")
	form.Del("stage")
	s = b.send("/submit", form, 1000, 2000)
	if s.code != 200 {
		t.Fatalf("%d: %s", s.code, s.words())
	}
	s.has(t, "您的诉求已经收到", "9HX4TPRC", "一般10个工作日内答复", "已收到附件2个")
	f := b.desk.tickets[s.number()]
	if f == nil || f.Region != "420111005" || len(f.sizes) != 2 || f.sizes[1] != 2000 || f.NoticeVersion != NoticeVersion || f.IP == "" || f.Care {
		t.Errorf("submission: %+v", f)
	}
}

func TestOneFormMakesOneTicket(t *testing.T) {
	b := visit(t)
	form := complete()
	first := b.post("/submit", form)
	form.Set("content", "返回后又点了一次提交。")
	second := b.post("/submit", form)
	if first.number() == "" || first.number() != second.number() || len(b.desk.keys) != 1 {
		t.Errorf("first %q, second %q, %d tickets", first.number(), second.number(), len(b.desk.keys))
	}
	second.has(t, "之前已经收到", "没有重复登记")
	if a, c := b.get("/submit").field("key"), b.get("/submit").field("key"); a == c || len(a) < 16 {
		t.Errorf("keys of two forms: %q %q", a, c)
	}
}

func TestFormSaysWhatIsMissing(t *testing.T) {
	long := strings.Repeat("长", maxContent+1)
	for _, c := range []struct {
		name string
		edit func(url.Values)
		want string // "" is accepted
	}{
		{"没有类型", func(f url.Values) { f.Del("type") }, `<a href="#type">请选择诉求类型`},
		{"没有的类型", func(f url.Values) { f.Set("type", "骂人") }, `<a href="#type">请选择诉求类型`},
		{"没有地区", func(f url.Values) { f.Del("city") }, `<a href="#city">请选择事情发生在哪个市州`},
		{"没有的地区", func(f url.Values) { f.Set("city", "110000") }, `<a href="#city">请选择事情发生在哪个市州`},
		{"内容太短", func(f url.Values) { f.Set("content", "  坏了  ") }, `<a href="#content">请说明情况和您的要求`},
		{"内容太长", func(f url.Values) { f.Set("content", long) }, `<a href="#content">内容太长`},
		{"没选保密", func(f url.Values) { f.Del("secrecy") }, `<a href="#secrecy">请选择是否需要保密`},
		{"没有电话", func(f url.Values) { f.Del("phone") }, `<a href="#phone">请填写联系电话`},
		{"不是电话", func(f url.Values) { f.Set("phone", "微信abc") }, `<a href="#phone">电话号码不对`},
		{"匿名", func(f url.Values) { f.Del("phone"); f.Set("anonymous", "1") }, ""},
		{"全角数字的电话", func(f url.Values) { f.Set("phone", "１３８１２３４２６７１") }, ""},
		{"举报不用选保密", func(f url.Values) { f.Set("type", "举报"); f.Del("secrecy") }, ""},
		{"平台拒绝", func(f url.Values) { f.Set("content", "这是绝密材料的内容") }, `<a href="#content">内容可能涉及国家秘密`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := visit(t)
			form := complete()
			form.Set("address", "关山大道1号")
			c.edit(form)
			s := b.post("/submit", form)
			if c.want == "" {
				if s.code != 200 {
					t.Fatalf("%d: %s", s.code, s.words())
				}
				return
			}
			if s.code != http.StatusUnprocessableEntity {
				t.Errorf("status %d", s.code)
			}
			s.has(t, c.want, `role="alert" tabindex="-1" autofocus`, `aria-invalid="true"`, "<title>有错误：", `value="关山大道1号"`)
			if len(b.desk.keys) != 0 {
				t.Error("a ticket was made")
			}
		})
	}
}

func TestReportsHideTheIdentityAndAnonymousLeavesNone(t *testing.T) {
	b := visit(t)
	form := complete()
	form.Set("type", "举报")
	form.Set("secrecy", "normal")
	form.Set("anonymous", "1")
	form.Set("name", "张三")
	s := b.post("/submit", form)
	s.has(t, "查询码丢失后无法找回")
	f := b.desk.tickets[s.number()]
	if f.Secrecy != SecrecyUnit || f.Name != "" || f.Phone != "" || !f.Anonymous {
		t.Errorf("%+v", f.Submission)
	}
}

func TestTrapIsReportedAndNeverDropsARequest(t *testing.T) {
	b := visit(t)
	form := complete()
	form.Set("website", "http://spam.example")
	if s := b.post("/submit", form); !b.desk.tickets[s.number()].Suspect {
		t.Error("the trap was not reported")
	}
}

func TestUploadsHaveLimits(t *testing.T) {
	b := visit(t)
	s := b.send("/submit", complete(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	s.has(t, "附件最多9个", "请重新选择", "楼下餐饮店油烟直排。")
	s = b.send("/submit", complete(), maxFileSize+1)
	s.has(t, "“现场.jpg”超过20MB")
	if len(b.desk.keys) != 0 {
		t.Error("a ticket was made")
	}
	r, _ := http.NewRequest("POST", b.url+"/submit", http.NoBody)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	if s := b.do(r); s.code != 422 {
		t.Errorf("broken body: %d", s.code)
	}
	if s := b.post("/submit", url.Values{"content": {strings.Repeat("长", maxText)}}); s.code != 422 {
		t.Errorf("endless text: %d", s.code)
	}
}

func TestProofOfWorkHasAWayWithoutScript(t *testing.T) {
	b := visit(t)
	b.desk.proof = true
	s := b.get("/submit")
	s.has(t, `data-token="tk1"`, "短信验证", `href="tel:12345"`)
	s = b.post("/submit", complete())
	if s.code != http.StatusTooManyRequests {
		t.Fatalf("without a proof: %d", s.code)
	}
	s.has(t, "需要完成一次验证", "楼下餐饮店油烟直排。")
	form := complete()
	form.Set("stage", "code")
	b.post("/submit", form).has(t, `<a href="#proofphone">请填写能接收短信的手机号码`)
	form.Set("proofphone", "13900000000")
	b.post("/submit", form).has(t, "次数已用完")
	form.Set("proofphone", deskPhone)
	b.post("/submit", form).has(t, `name="proofcode"`, "验证码已经发出")
	form.Del("stage")
	form.Set("proofcode", deskSMSCode)
	if s := b.post("/submit", form); s.number() == "" {
		t.Errorf("with an SMS code: %d %s", s.code, s.words())
	}
}

func TestDefectsAreNotShown(t *testing.T) {
	b := visit(t)
	b.desk.failWith = fault.Internal(http.ErrBodyNotAllowed)
	b.get("/").has(t, "实时数据暂时显示不了", "我要反映")
	s := b.post("/submit", complete())
	if s.code != 500 || strings.Contains(s.text, "http:") {
		t.Errorf("%d %s", s.code, s.words())
	}
	s.has(t, "系统内部错误", "楼下餐饮店油烟直排。")
}

func TestCareAsksOneQuestionAPage(t *testing.T) {
	b := visit(t)
	b.get("/?care=1")
	s := b.get("/submit")
	s.has(t, `class="care`, "第1步，共11步", `class="call"`, `id="say"`)
	answer := func(step, wish string, form url.Values) shown {
		f := url.Values{"state": {s.field("state")}, "step": {step}, "go": {wish}}
		for k, v := range form {
			f[k] = v
		}
		s = b.post("/submit", f)
		return s
	}
	answer("type", "next", nil).has(t, "请选择诉求类型", "第1步")
	for _, a := range careAnswers() {
		if n := strings.Count(s.text, `<h1>`); n != 1 {
			t.Errorf("%s: %d questions", a.name, n)
		}
		answer(a.name, "next", a.form)
	}
	s.has(t, "请核对后提交", "武汉市洪山区关山街道", "关山大道1号", "对被反映人保密", deskPhone, "张三", "一般10个工作日内答复您")

	answer("check", "edit:content", nil).has(t, "请说说这件事", "楼下餐饮店油烟直排。")
	answer("content", "next", url.Values{"content": {"改成了别的内容。"}}).has(t, "请核对后提交", "改成了别的内容。")
	answer("check", "back", nil).has(t, "怎么称呼您")
	answer("name", "next", url.Values{"name": {"张三"}}).has(t, "请核对后提交")
	answer("check", "edit:city", nil)
	answer("city", "next", url.Values{"city": {"420200"}}).has(t, "请核对后提交", "黄石市")
	if strings.Contains(s.text, "洪山区") {
		t.Error("the county of another city stayed")
	}
	answer("check", "edit:type", nil)
	answer("type", "next", url.Values{"type": {"举报"}}).has(t, "举报一律对承办单位隐藏身份")

	form := url.Values{"state": {s.field("state")}, "step": {"check"}, "go": {"submit"}}
	s = b.send("/submit", form, 10)
	f := b.desk.tickets[s.number()]
	if f == nil || !f.Care || f.Content != "改成了别的内容。" || f.Region != "420200" || f.Secrecy != SecrecyUnit || len(f.sizes) != 1 {
		t.Fatalf("%d %+v", s.code, f)
	}
	if again := b.send("/submit", form); again.number() != s.number() {
		t.Error("sent twice, made twice")
	}
}

func TestCareStateCannotBeForged(t *testing.T) {
	b := visit(t)
	b.get("/?care=1")
	state := b.get("/submit").field("state")
	for _, bad := range []string{"", "abc", state[:len(state)-3] + "xyz", "A" + state} {
		s := b.post("/submit", url.Values{"state": {bad}, "step": {"check"}, "go": {"submit"}})
		if s.code != 422 || len(b.desk.keys) != 0 {
			t.Errorf("%q: %d", bad, s.code)
		}
	}
	s := b.post("/submit", url.Values{"state": {state}, "step": {"check"}, "go": {"submit"}})
	if s.code != 422 || len(b.desk.keys) != 0 {
		t.Errorf("an empty draft sent from the last page: %d", s.code)
	}
	s.has(t, "请选择诉求类型", `href="#type"`)
}

func TestRegionsFeedTheScript(t *testing.T) {
	b := visit(t)
	b.get("/submit/regions?parent=420100").has(t, `<option value="">请选择</option>`, `<option value="420111">洪山区</option>`)
	for _, none := range []string{"", "420000", "999"} {
		if s := b.get("/submit/regions?parent=" + none); strings.Contains(s.text, "武汉") {
			t.Errorf("%q has children", none)
		}
	}
	form := complete()
	form.Set("city", "420000")
	if s := b.post("/submit", form); b.desk.tickets[s.number()].Region != "420000" {
		t.Error("全省或不确定 was not accepted")
	}
}
