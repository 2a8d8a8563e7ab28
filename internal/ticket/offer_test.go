package ticket

import (
	"slices"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/db/dbtest"
)

// Who decides reads in the dialog what is asked for: why and to whom a ticket is to
// go back, for how many days more time or a pause is wanted.
func TestOfferTellsWhatWasAsked(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	dept := "D420100-chengguan"
	handler, dispatcher := w.who(access.Handler, dept), w.who(access.Dispatcher, "P420100")
	name := w.units[dept].Name
	made := w.create(nil)
	w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": w.units[dept].ID})
	w.must(handler, made.ID, "sign", nil)
	for _, x := range []struct {
		ask, decide, want string
		fields            map[string]any
	}{
		{"extend", "decide-extension", name + "申请延长3个工作日，理由见“流转”。", map[string]any{"days": 3, "reason": "需要现场核查后再答复"}},
		{"suspend", "decide-suspension", name + "申请挂起最长10个自然日，原因：司法程序。理由见“流转”。", map[string]any{"suspend_reason": "judicial", "suspend_days": 10, "reason": "等待法院判决结果"}},
		{"return", "decide-return", name + "申请退单，原因：非本单位职责；建议承办单位：" + name + "。依据见“流转”。", map[string]any{"return_reason": "not_duty", "basis": "不在本单位三定规定以内", "suggested": w.units[dept].ID}},
	} {
		w.must(handler, made.ID, x.ask, x.fields)
		help := "没有这一步"
		offers, _ := w.s.Offers(w.load(made.ID), dispatcher)
		for _, o := range offers {
			if o.Name == x.decide {
				help = o.Help
			} else if o.Help != "" {
				t.Errorf("%s says %q", o.Name, o.Help)
			}
		}
		if help != x.want {
			t.Errorf("%s says %q, want %q", x.decide, help, x.want)
		}
		w.must(dispatcher, made.ID, x.decide, map[string]any{"decision": "reject", "opinion": "请继续办理。"})
	}
}

// Whoever could lower the 密级 reads that another asked for it; who asked reads that he waits.
func TestLoweringSaysWhoIsWaitedFor(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made, first, second := w.create(nil), w.who(access.Dispatcher, "P420100"), w.who(access.ShiftLead, "P420100")
	help := func(who access.Actor) string {
		offers, _ := w.s.Offers(w.load(made.ID), who)
		for _, o := range offers {
			if o.Name == "relabel" {
				return o.Help
			}
		}
		return "没有这一步"
	}
	w.must(first, made.ID, "relabel", map[string]any{"label": "confidential", "reason": "涉及未成年人。"})
	if got := help(first); got != "" {
		t.Errorf("before anybody asked: %q", got)
	}
	w.must(first, made.ID, "relabel", map[string]any{"label": "normal", "reason": "诉求人不再要求保密。"})
	if got := help(first); got != "您已申请把密级降为“普通”，须由另一人复核后生效，现在等待他人同意。" {
		t.Errorf("who asked reads %q", got)
	}
	if got := help(second); got != "已有人申请把密级降为“普通”，理由见“流转”。您也选“普通”即为同意，随即生效。" {
		t.Errorf("another reads %q", got)
	}
	w.must(second, made.ID, "relabel", map[string]any{"label": "normal", "reason": "经核实同意。"})
	if got := help(first); got != "" || w.load(made.ID).Label != access.Normal {
		t.Errorf("afterwards: %q", got)
	}
}

// What a rule takes from somebody whose act it is, is told with the rule; what is
// not his act is not mentioned.
func TestBarredActsSayWhy(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made, dept := w.create(nil), "D420100-chengguan"
	w.must(w.who(access.Dispatcher, "P420100"), made.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID)})
	handler := w.who(access.Handler, dept)
	w.must(handler, made.ID, "sign", nil)
	barred := func(who access.Actor) (out []string) {
		_, list := w.s.Offers(w.load(made.ID), who)
		for _, b := range list {
			out = append(out, b.Label+"："+b.Why)
		}
		return out
	}
	if got := barred(handler); len(got) != 0 {
		t.Errorf("on the first day: %q", got)
	}
	c.Advance(4 * 24 * time.Hour)
	late := "申请退单：派单满1个工作日未退单的，由收单单位首办，不能再退单。"
	if got := barred(handler); len(got) != 1 || got[0] != late {
		t.Errorf("after four days: %q", got)
	}
	if got := barred(w.who(access.Handler, "D420100-shuiwu")); len(got) != 0 {
		t.Errorf("a stranger is told %q", got)
	}
	c.Advance(60 * 24 * time.Hour)
	if got := barred(handler); !slices.Contains(got, "申请延期：已过办理时限，不能再申请延期。") {
		t.Errorf("after two months: %q", got)
	}
}

// A proposed 免评 stands in the platform's own list until another person decides it.
func TestExemptWaitsInAList(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made, dept := w.create(nil), "D420100-chengguan"
	dispatcher, handler, callback := w.who(access.Dispatcher, "P420100"), w.who(access.Handler, dept), w.who(access.Callback, "P420100")
	w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID)})
	w.must(handler, made.ID, "sign", nil)
	w.must(handler, made.ID, "contact", map[string]any{"way": "phone", "contact_result": "reached", "contact_note": "已电话联系诉求人。"})
	w.must(handler, made.ID, "reply", map[string]any{"mode": "solved", "solved": "yes", "truth": "true", "reply_text": "经现场核查，已责令工地夜间停工并整改。"})
	w.must(w.who(access.UnitLead, dept), made.ID, "review", map[string]any{"review_decision": "pass"})
	w.must(dispatcher, made.ID, "close", map[string]any{"close_decision": "pass"})
	w.must(callback, made.ID, "propose-exempt", map[string]any{"exempt_reason": "law", "legal": "治安管理处罚法第五十八条。", "reason": "属于执法办案，依法处置。"})
	if rows := w.queue(dispatcher, "exempt_review"); len(rows) != 1 {
		t.Fatalf("%d wait for a decision", len(rows))
	}
	if rows := w.queue(callback, "to_callback"); len(rows) != 1 {
		t.Errorf("%d still to be called back", len(rows))
	}
	w.must(dispatcher, made.ID, "decide-exempt", map[string]any{"decision": "reject", "opinion": "可以回访，不宜免评。"})
	if rows := w.queue(dispatcher, "exempt_review"); len(rows) != 0 {
		t.Errorf("%d wait after the decision", len(rows))
	}
}
