package api

import (
	"slices"
	"testing"

	"hotline/internal/access"
	"hotline/internal/category"
	"hotline/internal/eventlog"
	"hotline/internal/ticket"
	"hotline/internal/voice/cdr"
)

// What an event holds as codes is told in words.
func TestEventFieldsAreWords(t *testing.T) {
	w := newWorld(t)
	rules := w.api.Ticket.RulesNow(w.units["wuhan"].ID)
	for _, c := range []struct {
		kind, key, code string
		want            Field
	}{
		{"ticket.escalate", "mode", "raise", Field{"提级方式", "提请上级协调"}},
		{"ticket.escalate", "mode", "take_over", Field{"提级方式", "由上级平台接管"}},
		{"ticket.reply", "mode", "solved", Field{"办结方式", "已解决"}},
		{"ticket.suspend", "reason", "policy", Field{"原因", "等待上级政策"}}, // lists share codes
		{"ticket.propose-exempt", "reason", "policy", Field{"原因", "超出政策规定"}},
	} {
		got := w.api.eventFields(ticket.Entry{Event: eventlog.Event{Kind: c.kind}, Data: map[string]any{c.key: c.code}}, rules, category.Default())
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("%s %s=%s: %v", c.kind, c.key, c.code, got)
		}
	}
}

// What a correction changed is told with what it was before.
func TestCorrectionsTellFromAndTo(t *testing.T) {
	w := newWorld(t)
	rules := w.api.Ticket.RulesNow(w.units["P420100"].ID)
	for _, c := range []struct {
		data map[string]any
		want []Field
	}{
		{map[string]any{"type_was": "投诉", "ty": "建议", "c": "010101", "r": "420111"}, []Field{{"诉求类型", "投诉 → 建议"}}},
		{map[string]any{"category_was": "", "c": "010101", "region_was": "420106", "r": "420111"}, []Field{{"事发地", "武汉市武昌区 → 武汉市洪山区"}, {"事项分类", "未分类 → 城乡建设/道路桥梁养护/道路破损坑洼"}}},
		{map[string]any{"label_was": "confidential", "label": "normal"}, []Field{{"密级", "保密 → 普通"}}},
		{map[string]any{"proposed": "normal"}, []Field{{"申请降为", "普通，待另一人复核"}}},
	} {
		got := w.api.eventFields(ticket.Entry{Event: eventlog.Event{Kind: "ticket.reclassify"}, Data: c.data}, rules, category.Default())
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v", c.data, got)
		}
	}
}

// A child whose citizen asked for secrecy does not show in an open main.
func TestSecretChildrenAreNotNamed(t *testing.T) {
	w := newWorld(t)
	rules, reader := w.api.Ticket.RulesNow(w.units["P420100"].ID), w.actor("dispatcher")
	main := &ticket.Ticket{ID: 1, Label: access.Normal}
	shown := func(x ticket.Tie) bool { return len(related(main, []ticket.Tie{x}, reader, rules)) == 1 }
	for _, c := range []struct {
		tie  ticket.Tie
		want bool
	}{
		{ticket.Tie{ID: 2, Main: 1, Status: ticket.Merged, Label: access.Normal, Secrecy: ticket.SecrecyNormal}, true},
		{ticket.Tie{ID: 3, Main: 1, Status: ticket.Merged, Label: access.Normal, Secrecy: ticket.SecrecyAccused}, false},
		{ticket.Tie{ID: 4, Main: 1, Status: ticket.Merged, Label: access.Confidential, Secrecy: ticket.SecrecyUnit}, false},
		{ticket.Tie{ID: 5, Status: ticket.Handling, Label: access.Normal, Secrecy: ticket.SecrecyAccused}, true}, // one that it repeats
	} {
		if shown(c.tie) != c.want {
			t.Errorf("%+v: shown %t", c.tie, !c.want)
		}
	}
}

func TestSkillsOfFiguresAreWords(t *testing.T) {
	w := newWorld(t)
	for key, want := range map[string]string{"line:12315": "12315" + w.api.Lines.Name("12315", w.api.now()), "lang:en": "英语", "dialect:恩施话": "恩施话", "biz:涉企": "涉企"} {
		if got := w.api.figureName(cdr.BySkill, key); got != want {
			t.Errorf("%s is shown as %q, want %q", key, got, want)
		}
	}
}
