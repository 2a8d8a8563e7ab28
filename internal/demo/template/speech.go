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
	"咨询": {"来电人咨询：", "市民来电咨询，", "诉求人咨询："},
	"求助": {"来电人求助：", "市民来电反映，", "诉求人求助，"},
	"投诉": {"来电人反映，", "市民来电投诉：", "诉求人投诉，", "来电人投诉："},
	"举报": {"来电人举报：", "市民举报，", "诉求人举报："},
	"建议": {"市民建议：", "来电人提出建议，", "诉求人建议："},
	"表扬": {"来电人表扬：", "市民来电表示，"},
	"其他": {"来电登记：", "市民来电，"},
}

// greetings are how a citizen begins on the web.
var greetings = []string{"", "", "您好，", "领导好，", "你好，"}

var closings = map[string][]string{
	"咨询": {"请予以解答。", "望告知。", "请工作人员回复，谢谢。", "希望得到明确答复。"},
	"其他": {"座席已作登记。", "来电内容已记录。"},
	"表扬": {"特来电致谢。", "希望转达谢意。", "希望予以表扬鼓励。"},
}

var demands = map[string][]string{
	"求助": {"请求{ask}。", "希望有关部门{ask}。", "现请求{ask}，谢谢。", "诉求：{ask}。"},
	"投诉": {"希望有关部门{ask}。", "要求{ask}。", "诉求：{ask}。", "请有关部门{ask}。", "现要求{ask}并回复结果。"},
	"举报": {"请{ask}。", "要求有关部门{ask}。", "希望{ask}，并为举报人保密。", "请有关部门{ask}。"},
	"建议": {"建议{ask}。", "希望有关部门研究，{ask}。"},
}

// asides are true of nearly any request of the type.
var asides = map[string][]string{
	"咨询": {"方便的话请电话告知。", "希望有一个准确的说法。", "之前没有问过其他部门。"},
	"求助": {"此前反映过，暂未解决。", "请工作人员联系核实。", "希望尽快得到回复。", "目前还没有向其他部门反映过。"},
	"投诉": {"此前反映过，一直没有结果。", "相关材料可以提供。", "希望尽快得到答复。", "第一次反映此问题。", "请工作人员联系核实。"},
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
	var b strings.Builder
	if phone {
		b.WriteString(one(f.r, openings[typ]))
	} else {
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
func (f *filler) reply(rep reply, typ string) string {
	core := strings.TrimSuffix(f.fill(rep.text), "。") + "。"
	thanks := one(f.r, []string{"感谢您的监督和支持。", "感谢您对我们工作的理解与支持。", "如有问题可随时与我们联系。"})
	if public(f.kind) && f.r.IntN(3) == 0 {
		thanks = "后续我们将加强巡查，防止问题反弹。"
	}
	switch typ {
	case "咨询":
		ending := []string{"如有疑问，可继续拨打12345咨询。", "感谢您的来电。"}
		if f.kind == "none" {
			ending = append(ending, "具体以现行政策和窗口核定为准。")
		}
		return "您好，您咨询的问题答复如下：" + core + one(f.r, ending)
	case "建议":
		return "您好，您的建议收悉。" + core + "感谢您对本地发展的关心。"
	case "表扬":
		return "您好，感谢您的肯定和鼓励。" + core
	case "举报":
		return one(f.r, []string{"您好，您举报的线索收悉。", "您好，您反映的线索已安排核查。"}) + core + "我们将对您的信息严格保密。"
	case "其他":
		return "您好，您反映的情况收悉。" + core
	}
	return one(f.r, []string{"您好，您反映的问题收悉，我单位已与您电话联系核实情况。", "您好，您反映的情况收悉，工作人员已与您取得联系。", "您好，您的诉求收悉。我单位高度重视，安排专人办理。"}) + core + thanks
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
