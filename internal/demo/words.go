package demo

import (
	"context"
	"strings"

	"hotline/internal/knowledge"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// spoken is what a unit answers to a request that nobody's template wrote: the
// words fit the type, and a question is answered from the knowledge base where
// it has an answer.
func (f *Face) spoken(ctx context.Context, t *ticket.Ticket) (mode, text string) {
	about := "“" + zh.Truncate(t.TitleR, 40) + "”"
	switch t.Type {
	case "咨询":
		if hits, err := f.a.Knowledge.Search(ctx, t.TitleR, t.Region, knowledge.Options{PublicOnly: true}, 1); err == nil && len(hits) > 0 {
			return "explained", "您好，您咨询的" + about + "收悉。关于“" + hits[0].Title + "”，按" + hits[0].Source + "：" + gist(hits[0].Body, 220) + "如办理中遇到问题，请再拨打12345。"
		}
		return "explained", "您好，您咨询的" + about + "收悉。我单位已按现行规定逐项核对，办理条件、所需材料和途径请到我单位服务窗口或政务服务网查询，也可再拨打12345由我单位解答。"
	case "建议":
		return "explained", "您好，您提出的建议" + about + "收悉。我单位已组织研究，对可行的部分纳入下一步工作安排，暂不具备条件的将继续论证。感谢您的关心。"
	case "表扬":
		return "explained", "您好，您的表扬" + about + "收悉。我单位已转达有关工作人员，并将继续改进服务。感谢您的肯定。"
	case "举报":
		return "solved", "您好，您反映的线索" + about + "收悉。我单位已依法核查，对查实的问题责令改正并按规定处理，您的身份依法保密。感谢您的监督。"
	case "投诉":
		return "solved", "您好，您反映的" + about + "收悉。我单位已安排人员核查，情况属实，已责令有关方面整改，目前问题已解决，后续将加强检查。感谢您的支持。"
	}
	return "solved", "您好，您反映的" + about + "收悉。我单位已核实情况并协调处理，目前问题已解决。如有反复，请再拨打12345。"
}

// thanks is what the played citizen tells who calls him back.
func thanks(typ string) string {
	switch typ {
	case "咨询":
		return "诉求人表示已经了解，感谢。"
	case "建议", "表扬":
		return "诉求人表示已收到答复，感谢重视。"
	}
	return "诉求人表示问题已处理，感谢。"
}

// gist gives the first sentences of an article's body, at most n characters
// and without the marks of its headings and lists.
func gist(body string, n int) string {
	var out strings.Builder
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			continue
		}
		out.WriteString(strings.TrimPrefix(line, "- "))
	}
	text := []rune(out.String())
	end := 0
	for i, c := range text {
		if i >= n && end > 0 {
			break
		}
		if c == '。' {
			end = i + 1
		}
	}
	if end == 0 {
		return zh.Truncate(string(text), n)
	}
	return string(text[:end])
}
