package template

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Shortest and longest content of a draft, in characters.
const (
	minContent = 40
	maxContent = 250
)

// openings are how a seat's note begins, by type.
var openings = map[string][]string{
	"咨询": {"来电人咨询：", "市民来电咨询，", "诉求人咨询：", "来电咨询，", "市民想了解："},
	"求助": {"来电人求助：", "市民来电反映，", "诉求人求助，", "来电人称，", "市民求助："},
	"投诉": {"来电人反映，", "市民来电投诉：", "诉求人投诉，", "来电人投诉：", "来电人称，", "市民反映："},
	"举报": {"来电人举报：", "市民举报，", "诉求人举报："},
	"建议": {"市民建议：", "来电人提出建议，", "诉求人建议："},
	"表扬": {"来电人表扬：", "市民来电表示，"},
	"其他": {"来电登记：", "市民来电，"},
}

// standing says who calls, by the kind of place that it is about; half of the
// notes of complaints and requests begin so.
var standing = map[string][]string{
	"estate":   {"小区业主来电反映，", "来电人系小区住户，反映", "租住在此的市民来电称，", "业主代表来电："},
	"home":     {"来电人反映家中情况：", "家属来电求助，"},
	"village":  {"村民来电反映，", "来电人系本村村民，称", "在外务工的村民来电反映老家情况："},
	"road":     {"路过市民来电，", "来电人每天途经此处，反映", "附近商户来电反映，", "沿线住户来电，"},
	"school":   {"学生家长来电反映，", "家长来电称，"},
	"kg":       {"孩子家长来电反映，", "家长来电称，"},
	"hospital": {"患者家属来电反映，", "就诊市民来电称，"},
	"company":  {"员工来电反映，", "来电人系该公司职工，称", "离职员工来电反映，"},
	"shop":     {"消费者来电反映，", "顾客来电投诉，", "来电人称在消费中遇到问题："},
	"hall":     {"办事群众来电反映，", "来电人称"},
	"park":     {"常来锻炼的市民反映，", "游客来电称，"},
	"bus":      {"乘客来电反映，", "候车市民来电，"},
	"metro":    {"乘客来电反映，"},
}

// written is who writes on the web, by the kind of place.
var written = map[string][]string{
	"estate": {"我是小区业主，", "本人住在这里{n:2-9}年，"}, "road": {"我每天上下班路过，", "家就住在附近，"}, "village": {"我是村里人，", "替家里老人反映："},
	"school": {"我是学生家长，"}, "kg": {"我是孩子家长，"}, "company": {"我是公司员工，"}, "shop": {"我是一名消费者，"},
}

// greetings are how a citizen begins on the web.
var greetings = []string{"", "", "", "您好，", "领导好，", "你好，", "尊敬的领导：", "12345的同志您好，"}

var closings = map[string][]string{
	"咨询": {"请予以解答。", "望告知。", "请工作人员回复，谢谢。", "希望得到明确答复。", "请告知办理途径。", "请说明。"},
	"其他": {"座席已作登记。", "来电内容已记录。"},
	"表扬": {"特来电致谢。", "希望转达谢意。", "希望予以表扬鼓励。"},
}

var demands = map[string][]string{
	"求助": {"请求{ask}。", "希望有关部门{ask}。", "现请求{ask}，谢谢。", "诉求：{ask}。", "恳请尽快协调，{ask}。", "望尽早{ask}。"},
	"投诉": {"希望有关部门{ask}。", "要求{ask}。", "诉求：{ask}。", "请有关部门{ask}。", "现要求{ask}并回复结果。", "希望职能部门到现场核实，{ask}。", "请依法处理，{ask}。"},
	"举报": {"请{ask}。", "要求有关部门{ask}。", "希望{ask}，并为举报人保密。", "请有关部门{ask}。"},
	"建议": {"建议{ask}。", "希望有关部门研究，{ask}。"},
}

// asides are true of nearly any request of the type.
var asides = map[string][]string{
	"咨询": {"方便的话请电话告知。", "白天上班不便接听，可发短信。", "窗口电话一直占线。", "怕来回跑，先问清楚。"},
	"求助": {"此前反映过，暂未解决。", "请工作人员联系核实。", "来电人比较着急。", "目前还没有向其他部门反映过。", "已找过社区，社区说需要上级部门处理。", "晚上六点以后方便接电话。", "来电人情绪较急，座席已安抚。"},
	"投诉": {"此前反映过，一直没有结果。", "相关材料可以提供。", "来电人情绪较激动，座席已安抚。", "第一次反映此问题。", "请工作人员联系核实。", "上次答复说已处理，现在又出现。", "要求承办单位处理前先电话联系。", "希望不要转回被投诉的单位自己处理。", "已保留照片和聊天记录。"},
	"举报": {"可提供照片和视频。", "知情人愿意配合核查。", "希望不定时检查。"},
	"建议": {"周边居民也有同样的想法。", "希望能够采纳。"},
	"表扬": {"这样的服务让人感到温暖。", "希望多宣传这样的好人好事。"},
	"其他": {"暂时没有其他补充。", "如有需要可再联系。"},
}

// shared are asides about a place that many use.
var shared = []string{"附近不少居民都有同样的意见。", "手上有现场照片可以提供。", "可以配合现场查看。", "过往的人都很有意见。"}

// policy are asides about a question of policy.
var policy = []string{"已在网上查询，没有找到明确说明。", "之前问过身边的人，说法不一。", "想提前准备好材料，免得多跑一趟。"}

// public tells the kinds of place that many people use.
func public(kind string) bool {
	switch kind {
	case "road", "site", "park", "bus", "metro":
		return true
	}
	return false
}

// content puts opening, place, body, demand and an aside together.
func (f *filler) content(e *entry, w wording, typ, requester string) string {
	phone := f.r.IntN(100) < 62 || typ == "其他"
	kind, _, _ := strings.Cut(e.place, ":")
	problem := (typ == "投诉" || typ == "求助") && requester != "企业"
	var b strings.Builder
	switch {
	case phone && problem && len(standing[kind]) > 0 && f.r.IntN(2) == 0:
		b.WriteString(one(f.r, standing[kind]))
	case phone:
		b.WriteString(one(f.r, openings[typ]))
	case problem && len(written[kind]) > 0 && f.r.IntN(3) == 0:
		b.WriteString(f.fill(one(f.r, written[kind])))
	default:
		b.WriteString(one(f.r, greetings))
	}
	b.WriteString(f.fill(f.located(w.body, typ, requester)))
	b.WriteString("。")
	switch {
	case asking[typ]:
		b.WriteString(f.fill(strings.Replace(one(f.r, demands[typ]), "{ask}", one(f.r, w.asks), 1)))
	default:
		b.WriteString(one(f.r, closings[typ]))
	}
	more := asides[typ]
	switch {
	case typ == "投诉" && public(e.place):
		more = append(slices.Clone(shared), more...)
	case typ == "咨询" && e.place == "none":
		more = append(slices.Clone(policy), more...)
	}
	i := f.r.IntN(len(more))
	if f.r.IntN(100) < 40 {
		b.WriteString(more[i])
	}
	for n := 1; utf8.RuneCountInString(b.String()) < minContent+4 && n <= len(more); n++ {
		if next := more[(i+n)%len(more)]; !strings.Contains(b.String(), next) {
			b.WriteString(next)
		}
	}
	s := b.String()
	for strings.Contains(s, "。。") {
		s = strings.ReplaceAll(s, "。。", "。")
	}
	return s
}

// located puts county and township before the first place of a body, or says
// where the asker lives.
func (f *filler) located(body, typ, requester string) string {
	if strings.Contains(body, "{county}") || strings.Contains(body, "{town}") {
		return body
	}
	at, first := -1, ""
	for _, p := range placeSlots {
		if i := strings.Index(body, p); i >= 0 && (at < 0 || i < at) && !insideChoice(body, i) {
			at, first = i, p
		}
	}
	if at >= 0 && first != "{hall}" {
		if f.r.IntN(100) < 82 {
			return body[:at] + "{county}{town}" + body[at:]
		}
		return body
	}
	if f.kind != "none" || f.r.IntN(100) >= 55 {
		return body
	}
	if requester == "企业" {
		return one(f.r, []string{"公司在{county}经营，", "在{county}{town}经商，", "企业注册在{county}，"}) + body
	}
	if typ == "咨询" || typ == "求助" {
		return one(f.r, []string{"家住{county}{town}，", "居住在{county}{town}，", "本人在{county}居住，"}) + body
	}
	return body
}

// insideChoice tells whether position i of s lies within {…|…}.
func insideChoice(s string, i int) bool { return strings.Count(s[:i], "{") > strings.Count(s[:i], "}") }

// reply wraps the core of an answer as units write it.
func (f *filler) reply(rep reply, typ, matter string) string {
	core := strings.TrimSuffix(f.fill(rep.text), "。") + "。"
	thanks := one(f.r, []string{"感谢您的监督和支持。", "感谢您对我们工作的理解与支持。", "如有问题可随时与我们联系。", "如对办理结果有异议，可继续拨打12345反映。", "如再次出现，请及时告知，我们将尽快处理。", "给您带来的不便，敬请谅解。", ""})
	if public(f.kind) && f.r.IntN(3) == 0 {
		thanks = "后续我们将加强巡查，防止问题反弹。"
	}
	switch typ {
	case "咨询":
		ending := []string{"如有疑问，可继续拨打12345咨询。", "感谢您的来电。"}
		if f.kind == "none" && !strings.Contains(core, "具体") {
			ending = append(ending, "具体以现行政策和窗口核定为准。")
		}
		return one(f.r, []string{"您好，您咨询的问题答复如下：", "您好，关于您咨询的" + matter + "问题，现答复如下：", "您好，经核对现行规定：", "您好，就您的咨询回复如下。", "您好，"}) + core + one(f.r, ending)
	case "建议":
		return one(f.r, []string{"您好，您的建议收悉。", "您好，您关于" + matter + "的建议已转相关科室研究。", "您好，感谢您提出建议。"}) + core + one(f.r, []string{"感谢您对本地发展的关心。", "欢迎继续建言献策。"})
	case "表扬":
		return "您好，感谢您的肯定和鼓励。" + core
	case "举报":
		return one(f.r, []string{"您好，您举报的线索收悉。", "您好，您反映的线索已安排核查。"}) + core + "我们将对您的信息严格保密。"
	case "其他":
		return "您好，您反映的情况收悉。" + core
	}
	return one(f.r, []string{"您好，您反映的" + matter + "问题收悉，现答复如下：", "您好，您反映的情况收悉，工作人员已与您取得联系。", "您好，您的诉求收悉。", "您好，接单后我单位安排人员核实办理。", "诉求人您好：关于您反映的" + matter + "问题，经核实办理，情况如下：",
		"您好，您反映的" + matter + "一事，我单位已办理。", "您好，感谢您的反映。", "您好，经电话与您核实，现将办理情况反馈如下："}) + core + thanks
}

// opinion is a citizen's reason for being displeased.
type opinion struct{ code, text string }

func kindOf(typ string) string {
	switch typ {
	case "求助", "投诉", "举报":
		return "事"
	case "咨询":
		return "问"
	}
	return "言"
}

var pleased = map[string][]string{
	"事": {"处理很快，问题解决了。", "工作人员主动联系，态度好。", "当天就有人来看，很满意。", "问题得到解决，谢谢。", "回复清楚，办得实在。"},
	"问": {"解答清楚，知道怎么办了。", "话务员讲得很耐心。", "答复具体，很有帮助。", "一次就说清楚了。"},
	"言": {"有回应，感觉被重视。", "谢谢转达。", "希望能落实。"},
}

var displeased = map[string][]opinion{
	"事": {{"not_solved", "说处理了，实际没有变化。"}, {"not_solved", "好了两天又和以前一样。"}, {"not_contacted", "一直没有人联系过我。"}, {"untrue", "答复说的和现场情况不一样。"}, {"slow", "时间拖得太长了。"},
		{"attitude", "经办人说话不耐烦。"}, {"not_solved", "只解决了一部分。"}, {"other", "没有说明以后怎么防止再发生。"}},
	"问": {{"other", "答复太笼统，还是不知道找谁办。"}, {"untrue", "和窗口说的不一样。"}, {"slow", "等了几天才回复。"}, {"not_solved", "没有回答我问的重点。"}},
	"言": {{"other", "没有说明是否采纳。"}, {"slow", "回复太慢。"}, {"not_contacted", "没有人联系我了解情况。"}},
}
