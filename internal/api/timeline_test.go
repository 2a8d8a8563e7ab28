package api

import (
	"testing"

	"hotline/internal/access"
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
		got := w.api.eventFields(ticket.Entry{Event: eventlog.Event{Kind: c.kind}, Data: map[string]any{c.key: c.code}}, rules)
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("%s %s=%s: %v", c.kind, c.key, c.code, got)
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
