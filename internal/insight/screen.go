package insight

import "strings"

// Hit says that a text needs care at once, with the words that say so.
type Hit struct {
	Words []string `json:"words"`
	Line  string   `json:"line,omitempty"` // number to transfer to
	Kind  string   `json:"kind,omitempty"`
	Text  string   `json:"text"` // Chinese, what to do
}

// emergencies are words of danger to life and property and the number that
// answers them (国办发〔2022〕12号: 12345 与 110 等紧急热线即时转接).
var emergencies = []struct {
	line, text string
	words      []string
}{
	{"119", "有火情或被困危险，请立即转接119并保持三方通话。", []string{"着火", "起火", "失火", "冒烟很大", "火灾现场", "煤气味", "燃气味", "煤气泄漏", "燃气泄漏", "天然气泄漏", "闻到煤气", "闻到燃气", "爆炸", "被困火场", "有人溺水", "落水"}},
	{"120", "有人需要急救，请立即转接120并保持三方通话。", []string{"晕倒", "昏迷", "没有呼吸", "大出血", "心脏病发作", "服毒", "中毒昏", "突发重病", "快不行了"}},
	{"110", "危及人身安全或正在违法犯罪，请立即转接110并保持三方通话。", []string{"正在打人", "持刀", "抢劫", "绑架", "要自杀", "想自杀", "跳楼", "轻生", "砍人", "非法拘禁", "正在盗窃", "入室盗窃", "被打了正在"}},
	{"122", "发生交通事故，请转接122。", []string{"撞车了", "出车祸", "车祸现场", "撞人了"}},
}

// Emergency recognises danger; nil when there is none.
func Emergency(text string) *Hit {
	for _, e := range emergencies {
		if words := found(text, e.words); len(words) > 0 {
			return &Hit{Words: words, Line: e.line, Kind: "emergency", Text: e.text}
		}
	}
	return nil
}

// secretWords may touch a state or work secret, which must not be entered here
// (保守国家秘密法 第三十一条).
var secretWords = []string{"绝密", "机密文件", "秘密文件", "涉密文件", "国家秘密", "涉密", "军事部署", "部队番号", "军事基地坐标", "内部密级", "密级文件"}

// Secret recognises a text that may touch a secret; it is quarantined.
func Secret(text string) *Hit {
	if words := found(text, secretWords); len(words) > 0 {
		return &Hit{Words: words, Kind: "secret", Text: "内容可能涉及国家秘密或工作秘密，请勿在电话和网络中谈论，已转隔离处置，请告知诉求人通过保密渠道反映。"}
	}
	return nil
}

// channels are matters with a statutory channel (国办函〔2025〕66号: 告知相应法定途径).
var channels = []struct {
	kind, label, text string
	words             []string
}{
	{"litigation", "诉讼或仲裁", "该事项已进入或应通过诉讼、仲裁解决，请告知诉求人向人民法院（12368）或仲裁机构提出。", []string{"不服判决", "法院判决", "已经起诉", "上诉", "法院执行", "仲裁裁决", "劳动仲裁委裁决"}},
	{"discipline", "纪检监察", "反映公职人员违纪违法的，请告知诉求人拨打12388向纪检监察机关举报。", []string{"贪污", "受贿", "行贿", "索贿", "以权谋私"}},
	{"reconsideration", "行政复议", "对具体行政行为不服的，请告知诉求人在法定期限内向行政复议机关申请复议（可咨询12348）。", []string{"行政复议", "不服行政处罚", "不服处罚决定", "撤销行政处罚"}},
	{"disclosure", "政府信息公开", "申请公开政府信息的，请告知诉求人向行政机关信息公开工作机构提出申请。", []string{"申请信息公开", "政府信息公开申请", "依申请公开"}},
	{"petition", "信访渠道", "该事项已在信访渠道办理，请告知诉求人通过原信访渠道查询，不重复派单。", []string{"信访件", "信访复查", "信访答复意见", "已经信访"}},
}

// Redirect recognises a matter with a statutory channel.
func Redirect(text string) *Hit {
	for _, c := range channels {
		if words := found(text, c.words); len(words) > 0 {
			return &Hit{Words: words, Kind: c.kind, Line: c.label, Text: c.text}
		}
	}
	return nil
}

func found(text string, words []string) (out []string) {
	for _, w := range words {
		if strings.Contains(text, w) {
			out = append(out, w)
		}
	}
	return out
}

// typeWords speak for a type of request, strongest first.
var typeWords = []struct {
	typ   string
	words []string
}{
	{"举报", []string{"举报", "非法经营", "无证经营", "偷税", "制假", "黑作坊", "偷排", "套取", "骗保", "传销", "非法集资"}},
	{"表扬", []string{"表扬", "感谢", "点赞", "送锦旗"}},
	{"建议", []string{"建议", "希望增设", "希望增加", "提议", "能否增设"}},
	{"咨询", []string{"咨询", "请问", "想了解", "如何办理", "怎么办理", "需要什么材料", "是否可以", "什么条件", "怎么申请", "是什么政策", "如何申请", "怎么查询"}},
	{"投诉", []string{"投诉", "扰民", "乱收费", "不合理", "拖欠", "拒绝退款", "不退", "无人管", "态度恶劣", "违规", "占道", "违建", "欺骗", "推诿", "噪音", "噪声", "油烟"}},
	{"求助", []string{"求助", "请帮", "希望解决", "请求", "停水", "停电", "停气", "漏水", "堵塞", "损坏", "不亮", "坏了", "困难", "请尽快", "塌陷", "希望处理"}},
}

// TypeOf proposes a type of request with its confidence and the words behind
// it; "" when nothing speaks for one.
func TypeOf(title, content string) (typ string, p float64, why []string) {
	best := 0.0
	for _, t := range typeWords {
		inTitle, inBody := found(title, t.words), found(content, t.words)
		score := 2*float64(len(inTitle)) + float64(len(inBody))
		if t.typ == "举报" || t.typ == "表扬" || t.typ == "咨询" {
			score *= 1.3
		}
		if score > best {
			best, typ = score, t.typ
			why = append(append([]string{}, inTitle...), inBody...)
		}
	}
	if best == 0 {
		return "", 0, nil
	}
	return typ, min(0.95, 0.4+0.15*best), why
}
