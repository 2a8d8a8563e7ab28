package api

import (
	"testing"

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
	} {
		got := w.api.eventFields(ticket.Entry{Event: eventlog.Event{Kind: c.kind}, Data: map[string]any{c.key: c.code}}, rules)
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("%s %s=%s: %v", c.kind, c.key, c.code, got)
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
