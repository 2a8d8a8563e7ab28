package citizen

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
)

// desk is the second implementation of Services: a small platform in memory,
// for the tests of the pages. It keeps the promises written in services.go.
type desk struct {
	mu       sync.Mutex
	now      time.Time
	tickets  map[string]*filed // by number
	keys     map[string]string // form key → number
	acts     []string          // "urge 原因", in order
	proof    bool              // ask for a proof of work
	text     string            // put into every text a stranger could have written
	demo     bool
	nothing  bool // no articles, lines, messages or tickets yet
	failWith error
	holder   string // of the conversation, "" = not bound yet
	wrote    []TalkLine
}

type filed struct {
	Submission
	code  string
	sizes []int
}

const (
	deskPhone   = "13812342671"
	deskSMSCode = "246810"
	deskTalk    = "k3v9p2k3v9p2k3v9p2k3v9p2k3v9p2k3"
)

func newDesk() *desk {
	d := &desk{now: time.Date(2026, 11, 23, 15, 42, 0, 0, clock.Shanghai), tickets: map[string]*filed{}, keys: map[string]string{}}
	d.tickets["012611230000017"] = &filed{Submission: Submission{Type: "投诉", Phone: deskPhone, Secrecy: SecrecyUnit}, code: "K7Q2M9XW"}
	return d
}

func (d *desk) Now() time.Time { return d.now }

func (d *desk) Counts(context.Context) (Counts, error) {
	return Counts{Accepted: 3286, Handling: 9174, Closed: 2951, OnTimePct: 98.4, AsOf: d.now}, d.failWith
}

func (d *desk) TypeHints() []TypeHint {
	return []TypeHint{
		{"咨询", "想了解政策、办事流程或条件。", "3个工作日"}, {"求助", "生活中遇到困难，需要帮忙解决。", "5个工作日"},
		{"投诉", "对服务、管理或消费不满意，要求处理。", "10个工作日"}, {"举报", "反映违法违规的线索。", "10个工作日"},
		{"建议", "对政府工作的意见和建议。", "7个工作日"}, {"表扬", "感谢单位或个人。", ""}, {"其他", "不知道归到哪一类。", "5个工作日"},
	}
}

func (d *desk) Limit(_ context.Context, typ, _ string) string {
	for _, t := range d.TypeHints() {
		if t.Type == typ {
			return t.Limit
		}
	}
	return ""
}

func (d *desk) Regions(parent string) []Region {
	switch parent {
	case "", "420000":
		var out []Region
		for i, n := range strings.Fields("武汉市 黄石市 十堰市 宜昌市 襄阳市 鄂州市 荆门市 孝感市 荆州市 黄冈市 咸宁市 随州市 恩施土家族苗族自治州 仙桃市 潜江市 天门市 神农架林区") {
			out = append(out, Region{fmt.Sprintf("42%02d00", i+1), n})
		}
		return append(out, Region{"420000", "全省或不确定"})
	case "420100":
		return []Region{{"420106", "武昌区"}, {"420111", "洪山区"}, {"420112", "东西湖区"}}
	case "420111":
		return []Region{{"420111005", "关山街道"}, {"420111009", "和平街道"}}
	}
	return nil
}

func (d *desk) Submit(_ context.Context, s Submission) (Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failWith != nil {
		return Receipt{}, d.failWith
	}
	if no, ok := d.keys[s.Key]; ok {
		return Receipt{Number: no, Code: d.tickets[no].code, Limit: "10个工作日", Repeated: true}, nil
	}
	if strings.Contains(s.Content, "绝密") {
		return Receipt{}, fault.Invalid("secret", "内容可能涉密").At(fault.Field{Name: "content", Detail: "内容可能涉及国家秘密，请不要在网上填写"})
	}
	f := &filed{Submission: s, code: "9HX4TPRC"}
	for _, u := range s.Files {
		r, err := u.Open()
		if err != nil {
			return Receipt{}, fault.Internal(err)
		}
		n, _ := io.Copy(io.Discard, r)
		r.Close()
		f.sizes = append(f.sizes, int(n))
	}
	no := fmt.Sprintf("0126112300%05d", len(d.tickets)+100)
	d.tickets[no], d.keys[s.Key] = f, no
	return Receipt{Number: no, Code: f.code, Limit: d.Limit(context.Background(), s.Type, s.Region)}, nil
}

func (d *desk) find(ref Ref) (*filed, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.tickets[ref.Number]; f != nil && (ref.Code == f.code || ref.Token == "phone:"+f.Phone) {
		return f, nil
	}
	return nil, fault.NotFound("ticket_not_found", "单号或查询码不对，请核对后再试；想不起来可以用手机号码查询，或者拨打12345。")
}

func (d *desk) Progress(_ context.Context, ref Ref) (Progress, error) {
	f, err := d.find(ref)
	if err != nil {
		return Progress{}, err
	}
	t, yes := d.now.Add(-49*time.Hour), Permission{Allowed: true}
	p := Progress{
		Number: ref.Number, Type: f.Type, Region: "武汉市洪山区关山街道" + d.text, Status: "办理中", Tone: ToneRun, Stage: 3, At: t,
		Due: "12月4日 周五 18:00·剩9天2小时", Secrecy: f.Secrecy, Anonymous: f.Anonymous, Files: 2,
		Points: []Point{
			{Text: "小区3栋楼下餐饮店油烟直排" + d.text, Unit: "武汉市生态环境局洪山区分局", Helps: []string{"洪山区城市管理执法局"}, Since: t.Add(time.Hour),
				Due: "12月4日 周五 18:00·剩9天2小时", State: "办理中", Tone: ToneRun},
			{Text: "夜间施工噪声扰民" + d.text, Unit: "洪山区城市管理执法局", Since: t.Add(time.Hour), Due: "11月27日 周五 18:00·剩4天2小时", State: "已答复", Tone: ToneDone,
				Result: "11月22日21时到现场核查，工地已停止夜间施工，并签订了承诺书。\n如再次发生，请随时拨打12345。" + d.text},
		},
		Steps: []Step{
			{At: t, Label: "已受理", Text: "武汉市12345受理了您的诉求。"}, {At: t.Add(time.Hour), Label: "已派单", Unit: "洪山区", Text: "按职责派给两个单位办理。"},
			{At: t.Add(3 * time.Hour), Label: "已签收", Unit: "武汉市生态环境局洪山区分局"}, {At: t.Add(20 * time.Hour), Label: "已联系诉求人", Text: "由12345中转。" + d.text},
		},
		Viewers:       []View{{"洪山区城市管理执法局", "办理您的诉求" + d.text, t.Add(20 * time.Hour), 3}, {"武汉市12345", "派单", t.Add(time.Hour), 1}},
		Messages:      []UnitMessage{{t.Add(20 * time.Hour), "洪山区城市管理执法局", "请问油烟一般在几点最重？" + d.text, false}, {t.Add(21 * time.Hour), "", "晚上七点到十点。", true}},
		MaySupplement: yes, MayUrge: Permission{Reason: "今天已经催办过，明天可以再催。"}, MayEvaluate: yes, MayMessage: yes, MayWithdraw: yes,
	}
	if d.nothing {
		p.Points, p.Steps, p.Viewers, p.Messages, p.Stage = nil, nil, nil, nil, 1
	}
	return p, nil
}

func (d *desk) SendCode(_ context.Context, phone, _ string) error {
	if phone == "13900000000" {
		return fault.TooMany("sms_quota", "今天给这个号码发送验证码的次数已用完，请明天再试，或者拨打12345。")
	}
	return nil
}

func (d *desk) ByPhone(_ context.Context, phone, code, _ string) (string, error) {
	if code != deskSMSCode {
		return "", fault.Invalid("sms_code", "验证码不对或者已经过期，请核对，或者重新发送。")
	}
	return "phone:" + phone, nil
}

func (d *desk) Mine(_ context.Context, token string) (out []Summary, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for no, f := range d.tickets {
		if "phone:"+f.Phone == token {
			out = append(out, Summary{no, f.Type, "小区楼下餐饮店油烟直排" + d.text, "办理中", ToneRun, d.now})
		}
	}
	return out, nil
}

func (d *desk) Follow(_ context.Context, key, _ string) (Ref, error) {
	if key != "k3v9p2" {
		return Ref{}, fault.NotFound("link_over", "这个链接已经失效，请用单号和查询码查询。")
	}
	return Ref{Number: "012611230000017", Token: "phone:" + deskPhone}, nil
}

func (d *desk) act(ref Ref, format string, args ...any) error {
	if _, err := d.find(ref); err != nil {
		return err
	}
	if d.failWith != nil {
		return d.failWith
	}
	d.acts = append(d.acts, fmt.Sprintf(format, args...))
	return nil
}

func (d *desk) Supplement(_ context.Context, ref Ref, text string, files []Upload) error {
	return d.act(ref, "supplement %s %d", text, len(files))
}
func (d *desk) Urge(_ context.Context, ref Ref, reason string) error {
	return d.act(ref, "urge %s", reason)
}
func (d *desk) Evaluate(_ context.Context, ref Ref, e Evaluation) error {
	return d.act(ref, "evaluate %d %s %v", e.Score, e.Solved, e.Reasons)
}
func (d *desk) Message(_ context.Context, ref Ref, text string) error {
	return d.act(ref, "message %s", text)
}
func (d *desk) Withdraw(_ context.Context, ref Ref, reason, _ string) error {
	return d.act(ref, "withdraw %s", reason)
}

func (d *desk) HotArticles(context.Context, int) (out []Article, err error) {
	if d.nothing {
		return nil, nil
	}
	for i, t := range strings.Fields("居住证怎么办理 异地就医怎样直接结算 住房公积金提取需要什么材料 灵活就业人员怎样参加养老保险 小学入学报名什么时候开始 老年优待证在哪里办") {
		out = append(out, Article{ID: fmt.Sprint(i + 1), Title: t + d.text, Summary: "先看条件，再准备材料，可以网上办，也可以到就近窗口办。", Owner: "湖北省公安厅", Region: "全省"})
	}
	return out, nil
}

func (d *desk) SearchKnowledge(ctx context.Context, q, _ string, n int) ([]Article, error) {
	if q == "没有" {
		return nil, nil
	}
	return d.HotArticles(ctx, n)
}

func (d *desk) Article(ctx context.Context, id string) (Article, error) {
	if id != "1" {
		return Article{}, fault.NotFound("article", "这条问答已经下架或者过期。")
	}
	return Article{ID: id, Title: "居住证怎么办理" + d.text, Summary: "在同一市州住满半年就可以申领。", Owner: "湖北省公安厅", Region: "全省", Source: "《居住证暂行条例》第二条、第九条",
		Body: "## 条件\n在居住地居住半年以上，并符合下列条件之一：\n- 有合法稳定就业\n- 有合法稳定住所\n- 连续就读\n\n## 怎么办\n1. 网上填报或到派出所窗口填表\n2. 等待审核\n3. 领取证件\n\n15日内办好，首次办理不收费。" + d.text,
		From: d.now.AddDate(-1, 0, 0), Updated: d.now.AddDate(0, -1, 0)}, nil
}

func (d *desk) Lines(context.Context) ([]Line, error) {
	modes := []string{"双号并行", "整体并入", "设分中心"}
	advice := []string{"12345和原号码都能打", "直接拨打12345", "拨打12345可转接"}
	var out []Line
	for i := range 60 {
		l := Line{Number: fmt.Sprint(12300 + i), Name: "消费者投诉举报热线" + d.text, Department: "湖北省市场监督管理局", Mode: modes[i%3], State: "已归并", Advice: advice[i%3]}
		if i%3 == 1 {
			l.Name, l.Former = "12345政务服务便民热线", l.Name
		}
		out = append(out, l)
	}
	out[7].Place = "武汉市"
	out[4].Until = d.now.AddDate(0, 2, 0)
	return out, nil
}

const deskBits = 8

func (d *desk) Challenge(string) (*Challenge, bool) {
	if !d.proof {
		return nil, false
	}
	return &Challenge{"tk1", deskBits}, true
}

func (d *desk) VerifyChallenge(_ context.Context, _ string, a Answer) error {
	sum := sha256.Sum256([]byte(a.Solution))
	solved := strings.HasPrefix(a.Solution, "tk1.") && binary.BigEndian.Uint32(sum[:]) < 1<<(32-deskBits)
	if !d.proof || solved || a.Code == deskSMSCode {
		return nil
	}
	return fault.TooMany("challenge", "需要完成一次验证后才能提交，请看页面上的说明。")
}

func (d *desk) Talk(_ context.Context, token, holder string) (Talk, error) {
	switch {
	case token != deskTalk:
		return Talk{}, fault.NotFound("link_expired", "链接无效或已过期。")
	case d.holder != "" && holder != d.holder:
		return Talk{}, fault.Forbidden("text_elsewhere", "这个链接已在另一部手机上使用。")
	}
	return Talk{Lines: append([]TalkLine{{d.now, "您好，请讲。" + d.text, false}}, d.wrote...)}, nil
}

func (d *desk) WriteTalk(ctx context.Context, token, holder, _, text string) (string, error) {
	if _, err := d.Talk(ctx, token, holder); err != nil {
		return "", err
	}
	if text == "" || len([]rune(text)) > 500 {
		return "", fault.Invalid("text_invalid", "请写1至500个字。").At(fault.Field{Name: "text", Detail: "请写1至500个字。"})
	}
	d.holder = "holder"
	d.wrote = append(d.wrote, TalkLine{d.now, text, true})
	return d.holder, nil
}

func (d *desk) Play(_ context.Context, ref Ref) error { return d.act(ref, "play") }

func (d *desk) DemoEnabled() bool { return d.demo }

func (d *desk) DemoPhones(context.Context, string) ([]Message, error) {
	if d.nothing {
		return nil, nil
	}
	return []Message{
		{d.now, "", "【12345热线】您反映的诉求已经办结，请点链接评价，7天内有效。" + d.text, "/s/k3v9p2?do=evaluate"},
		{d.now.Add(-2 * time.Hour), "", "【12345热线】您的诉求已受理，单号0126 1123 0000 017，查询码K7Q2M9XW。", "/s/k3v9p2"},
	}, nil
}
