package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/category"
	"hotline/internal/clock"
	"hotline/internal/ticket"
)

// TimelineRow is one line of the 办理过程.
type TimelineRow struct {
	ID     ID      `json:"id"`
	At     string  `json:"at"`
	Kind   string  `json:"kind"`
	Label  string  `json:"label"`
	Actor  string  `json:"actor"`
	Unit   string  `json:"unit"`
	Text   string  `json:"text"`
	Fields []Field `json:"fields"`
	Public bool    `json:"public"`
	Leg    int     `json:"leg"`
}

// Field is a labelled value of a step.
type Field struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// ViewerOut is one look at a ticket.
type ViewerOut struct {
	At     string `json:"at"`
	Name   string `json:"name"`
	Unit   string `json:"unit"`
	Op     string `json:"op"`
	Reason string `json:"reason"`
}

func (a *API) timeline(ctx context.Context, t *ticket.Ticket, actor access.Actor) ([]TimelineRow, error) {
	lines, err := a.Ticket.Timeline(ctx, t, false)
	if err != nil {
		return nil, err
	}
	rules := a.Ticket.RulesNow(t.Platform)
	categories := a.Ticket.Categories(t.Platform)
	tree := a.Org.Tree()
	out := []TimelineRow{}
	hidden := access.MaskOf(actor.Role, t.Label, access.FieldContent) == access.Absent
	for _, l := range lines {
		row := TimelineRow{ID: ID(l.Event.ID), At: stamp(l.Event.At), Kind: l.Event.Kind, Label: l.Label, Actor: a.accountName(l.Event.Actor), Unit: tree.Name(l.Event.Unit), Public: l.Public, Fields: a.eventFields(l, rules, categories)}
		row.Leg = int(num(l.Data, "leg"))
		if l.Event.Actor == 0 && row.Unit == "" {
			row.Actor = "系统"
		}
		if str(l.Data["role"]) == string(access.Citizen) {
			row.Actor, row.Unit = "诉求人", ""
		}
		for i, s := range l.Texts {
			if hidden {
				break
			}
			if i == 0 {
				row.Text = s.Text
				continue
			}
			row.Fields = append(row.Fields, Field{ticket.TextLabels[s.Kind], s.Text})
		}
		out = append(out, row)
	}
	return out, nil
}

// num reads a number of an event's data; 0 when absent.
func num(data map[string]any, key string) int64 {
	n, _ := data[key].(json.Number)
	v, _ := n.Int64()
	return v
}

// verdictWays say how a citizen's verdict came; other ways are how somebody was reached.
var verdictWays = map[string]string{"callback": "电话回访", "web": "网上评价"}

// eventFields says in words what an event's codes mean.
func (a *API) eventFields(l ticket.Entry, rules *ticket.Rules, categories *category.Tree) []Field {
	out := []Field{}
	tree := a.Org.Tree()
	add := func(label, value string) {
		if value != "" {
			out = append(out, Field{label, value})
		}
	}
	switch l.Event.Kind {
	case "ticket.deadline":
		add("时限", fmt.Sprintf("%s时限%s", str(l.Data["kind"]), map[int64]string{50: "已用一半", 80: "已用八成", 100: "已超时"}[num(l.Data, "stage")]))
		return out
	case "ticket.create":
		add("渠道", channelWord(str(l.Data["ch"])))
	}
	add("单位", tree.Name(num(l.Data, "unit")))
	if l.Data["unit"] == nil {
		add("环节", tree.Name(num(l.Data, "au")))
	}
	mode := [2]string{"办结方式", "close_mode"}
	if l.Event.Kind == "ticket.escalate" {
		mode = [2]string{"提级方式", "escalate_mode"}
	}
	for _, o := range []struct{ key, label, list string }{
		{"mode", mode[0], mode[1]}, {"solved", "是否解决", "solved"}, {"truth", "反映情况", "truth"}, {"way", "联系方式", "way"}, {"result", "联系结果", "contact_result"},
		{"outcome", "回访结果", "callback_outcome"}, {"redirect", "引导途径", "redirect_kind"}, {"invalid", "无效原因", "invalid_reason"}, {"level", "督办方式", "supervise_level"},
	} {
		v := str(l.Data[o.key])
		if o.key == "outcome" && l.Event.Kind != "ticket.callback" { // the citizen's own page was no call
			continue
		}
		if way, verdict := verdictWays[v]; o.key == "way" && verdict {
			add("评价方式", way)
		} else if v != "" {
			add(o.label, rules.OptionWord(o.list, v))
		}
	}
	if v := num(l.Data, "sat"); v > 0 {
		add("满意程度", satisfactionWord(rules, int(v)))
	}
	if v := str(l.Data["decision"]); v != "" {
		list := map[string]string{"ticket.review": "review_decision", "ticket.close": "close_decision", "ticket.reopen": "recheck_decision"}[l.Event.Kind]
		if list == "" {
			list = "decision"
		}
		add("结论", rules.OptionWord(list, v))
	}
	if v := num(l.Data, "raised"); v != 0 {
		add("结论", "同意，报"+tree.Name(v)+"审核")
	}
	if list, _ := l.Data["consult"].([]any); len(list) > 0 {
		names := make([]string, len(list))
		for i, v := range list {
			n, _ := v.(json.Number)
			id, _ := n.Int64()
			names[i] = tree.Name(id)
		}
		add("参加会商的单位", strings.Join(names, "、"))
	}
	if v := str(l.Data["reason"]); v != "" {
		if w := rules.OptionWord(reasonLists[l.Event.Kind], v); w != v {
			add("原因", w)
		}
	}
	if due := num(l.Data, "due"); due > 0 {
		add("时限", calendar.Display(clock.FromMillis(l.Event.At), clock.FromMillis(due)))
	}
	for _, c := range []struct {
		label, key, was string
		word            func(string) string
	}{
		{"诉求类型", "ty", "type_was", func(v string) string { return v }}, {"事发地", "r", "region_was", regionName},
		{"事项分类", "c", "category_was", func(v string) string { return cmp.Or(categories.PathName(v), "未分类") }},
		{"密级", "label", "label_was", func(v string) string { return access.Label(v).Word() }},
	} {
		if was, ok := l.Data[c.was]; ok {
			add(c.label, c.word(str(was))+" → "+c.word(str(l.Data[c.key])))
		}
	}
	if v := str(l.Data["proposed"]); v != "" {
		add("申请降为", access.Label(v).Word()+"，待另一人复核")
	}
	return out
}

// reasonLists tells of which list a step's reason is a value: lists share codes.
var reasonLists = map[string]string{"ticket.return": "return_reason", "ticket.decide-return": "return_reason", "ticket.suspend": "suspend_reason",
	"ticket.decide-suspension": "suspend_reason", "ticket.propose-exempt": "exempt_reason", "ticket.decide-exempt": "exempt_reason"}

func (a *API) viewers(ctx context.Context, id int64) ([]ViewerOut, error) {
	views, err := a.Audit.Viewers(ctx, id, 200)
	out := []ViewerOut{}
	for _, v := range views {
		out = append(out, ViewerOut{At: stamp(v.At.UnixMilli()), Name: a.accountName(v.Actor), Unit: a.Org.Tree().Name(v.Unit), Op: opWord(v.Op), Reason: reasonWord(v.Reason)})
	}
	return out, err
}

func reasonWord(code string) string {
	for _, r := range ticket.RevealReasons {
		if r[0] == code {
			return r[1]
		}
	}
	return code
}
