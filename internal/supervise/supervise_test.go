package supervise

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
	"hotline/internal/ticket"
	"hotline/internal/ticket/tickettest"
)

func (w *world) candidates(who access.Actor, rule string) []int64 {
	w.T.Helper()
	ids, _, err := w.v.Candidates(context.Background(), who, rule, "", 50)
	if err != nil {
		w.T.Fatal(err)
	}
	return ids
}

func (w *world) sweep() {
	w.T.Helper()
	for {
		n, err := w.Tickets.Sweep(context.Background(), 100)
		if err != nil {
			w.T.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// Each rule lists its tickets once, however often the log is read, and a
// ticket that ends is listed no more.
func TestRules(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		wh, cg, sw := "P420100", "D420100-chengguan", "D420100-shuiwu"
		disp, call, sup := w.Who(access.Dispatcher, wh), w.Who(access.Callback, wh), w.Who(access.Supervisor, wh)

		bad := w.Create(wh, nil) // 二次不满意
		w.Do(disp, bad, "dispatch", w.Unit(sw))
		w.Handle(bad, sw, wh, time.Hour)
		w.Do(call, bad, "callback", tickettest.Unhappy)
		w.count()
		if got := w.candidates(sup, RuleUnsatisfied); len(got) != 0 {
			t.Fatalf("once is not twice: %v", got)
		}
		w.Do(sup, bad, "reopen", tickettest.Again)
		w.Handle(bad, sw, wh, time.Hour)
		w.Do(call, bad, "callback", tickettest.Unhappy)

		back := w.Create(wh, nil) // 退单两次
		w.Do(disp, back, "dispatch", w.Unit(cg))
		ask := func(suggested string) map[string]any {
			return map[string]any{"return_reason": "not_duty", "basis": "三定规定未列此项职责", "suggested": w.Units[suggested].ID}
		}
		w.Do(w.Who(access.Handler, cg), back, "return", ask(sw))
		w.Do(disp, back, "decide-return", map[string]any{"decision": "pass", "opinion": "同意，改派水务。", "redispatch": w.Units[sw].ID})
		w.Do(w.Who(access.Handler, sw), back, "return", ask(cg))

		first := w.Create(wh, nil) // 重复三次
		second := w.Create(wh, func(n *ticket.Intake) { n.RepeatOf = first })
		third := w.Create(wh, func(n *ticket.Intake) { n.RepeatOf = second })

		late := w.Create(wh, nil) // 逾期
		w.Do(disp, late, "dispatch", w.Unit(cg))
		c.Advance(40 * 24 * time.Hour)
		w.sweep()
		for range 2 {
			w.count()
			for rule, want := range map[string][]int64{RuleUnsatisfied: {bad}, RuleReturns: {back}, RuleRepeat: {third}} {
				if got := w.candidates(sup, rule); !slices.Equal(got, want) {
					t.Errorf("%s: %v, want %v", rule, got, want)
				}
			}
			if got := w.candidates(sup, RuleOverdue); !slices.Contains(got, late) {
				t.Errorf("overdue: %v", got)
			}
			if err := d.Update(context.Background(), func(tx *db.Tx) error { return w.v.Log.SetCursor(tx, follower, 0) }); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.candidates(w.Who(access.Supervisor, "P420500"), RuleOverdue); len(got) != 0 {
			t.Errorf("another city sees %v", got)
		}
		w.Do(w.Who(access.Agent, wh), third, "withdraw", map[string]any{"reason": "诉求人称已解决"})
		w.count()
		if got := w.candidates(sup, RuleRepeat); len(got) != 0 {
			t.Errorf("a withdrawn ticket is still listed: %v", got)
		}
	})
}

// An order from issue to 销号, with everyone refused whose turn it is not.
func TestOrder(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		ctx := context.Background()
		wh, cg := "P420100", "D420100-chengguan"
		sup, handler := w.Who(access.Supervisor, wh), w.Who(access.Handler, cg)
		id := w.Create(wh, nil)
		w.Do(w.Who(access.Dispatcher, wh), id, "dispatch", w.Unit(cg))
		c.Advance(40 * 24 * time.Hour)
		w.sweep()
		w.count()
		demand := NewOrder{Ticket: id, Unit: w.Units[cg].ID, Level: "order", Requirement: "请三日内查清，联系诉求人13800002671。", Due: c.Now().AddDate(0, 0, 3).UnixMilli()}
		for _, tt := range []struct {
			name string
			who  access.Actor
			edit func(*NewOrder)
			code string
		}{
			{"a handler issues none", handler, func(*NewOrder) {}, "supervise_forbidden"},
			{"another city's supervisor", w.Who(access.Supervisor, "P420500"), func(n *NewOrder) { n.Unit = w.Units["D420500-chengguan"].ID }, "ticket_not_found"},
			{"a unit elsewhere", sup, func(n *NewOrder) { n.Unit = w.Units["D420500-chengguan"].ID }, "unit_unknown"},
			{"a level that is none", sup, func(n *NewOrder) { n.Level = "shout" }, "level_invalid"},
			{"a deadline that has passed", sup, func(n *NewOrder) { n.Due = 5 }, "due_invalid"},
			{"no demand", sup, func(n *NewOrder) { n.Requirement = " 快 " }, "text_length"},
		} {
			n := demand
			tt.edit(&n)
			if _, err := w.v.Open(ctx, tt.who, n); !fault.Is(err, tt.code) {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
			}
		}
		for _, level := range []string{"interview", "notice"} { // 督办、约谈、通报逐级进行
			n := demand
			n.Level = level
			if _, err := w.v.Open(ctx, sup, n); !fault.Is(err, "ladder_skipped") {
				t.Errorf("%s without what comes before: %v", level, err)
			}
		}
		o, err := w.v.Open(ctx, sup, demand)
		if err != nil {
			t.Fatal(err)
		}
		if o.No != "武汉市督〔2027〕1号" || o.Rule != RuleOverdue || strings.Contains(o.Requirement, "13800002671") {
			t.Fatalf("%+v", o)
		}
		if got := w.candidates(sup, RuleOverdue); len(got) != 0 {
			t.Errorf("a supervised ticket is still a candidate: %v", got)
		}
		if _, err := w.v.Open(ctx, sup, demand); !fault.Is(err, "already_supervised") {
			t.Fatal(err)
		}
		step := func(who access.Actor, st Step, code string) {
			t.Helper()
			_, err := w.v.Act(ctx, who, o.ID, st)
			if code == "" && err != nil || code != "" && !fault.Is(err, code) {
				t.Fatalf("%s: %v, want %q", st.Name, err, code)
			}
		}
		said := "已到现场核查并责令整改，诉求人认可。"
		step(sup, Step{Name: "close", Text: said}, "wrong_state")
		step(w.Who(access.Handler, "D420100-shuiwu"), Step{Name: "feedback", Text: said}, "supervision_not_found")
		step(handler, Step{Name: "feedback", Text: said, Version: 7}, "version_conflict")
		step(handler, Step{Name: "feedback", Text: said, Version: 1}, "")
		step(handler, Step{Name: "close", Text: said}, "supervise_forbidden")
		step(sup, Step{Name: "reject", Text: "没有写明整改结果。"}, "")
		if n, err := w.v.Counts(ctx, sup); err != nil || n[Open] != 1 || n[Rejected] != 1 || n[Feedback] != 0 {
			t.Errorf("what was rejected counts as %v %v", n, err)
		}
		step(sup, Step{Name: "extend", Text: "涉及多个部门。", Due: o.Due - 1}, "due_invalid")
		step(sup, Step{Name: "extend", Text: "涉及多个部门。", Due: o.Due + 86400000}, "")
		step(handler, Step{Name: "feedback", Text: said}, "")
		step(w.Who(access.Province, "P420000"), Step{Name: "close", Text: "同意销号。"}, "")
		step(sup, Step{Name: "extend", Text: "再延一次。", Due: o.Due + 2*86400000}, "wrong_state")

		l, err := w.v.Get(ctx, handler, o.ID)
		if err != nil || l.State != Closed || len(l.Notes) != 5 || l.ClosedAt == 0 || l.DueText(c.Now()) != "" {
			t.Fatalf("%+v %v", l, err)
		}
		if of, err := w.v.Of(ctx, id); err != nil || len(of) != 1 || of[0].LevelLabel() != "督办" || of[0].StateLabel() != "已销号" {
			t.Fatalf("%+v %v", of, err)
		}
		for who, want := range map[string]int{wh: 1, "P420500": 0} {
			lines, _, err := w.v.List(ctx, w.Who(access.Supervisor, who), Filter{})
			if err != nil || len(lines) != want {
				t.Errorf("%s lists %d %v", who, len(lines), err)
			}
		}
		counts, err := w.v.Counts(ctx, sup)
		if err != nil || counts[Closed] != 1 || counts[Open] != 0 || counts[RuleOverdue] != 0 {
			t.Errorf("%v %v", counts, err)
		}
		row, err := w.Tickets.Get(ctx, sup, id)
		if err != nil || row.Watch != 1 {
			t.Fatalf("the ticket does not know: %v", err)
		}
		lines, err := w.Tickets.Timeline(ctx, row, false)
		var kinds []string
		for _, x := range lines {
			if strings.HasPrefix(x.Event.Kind, "supervision.") {
				kinds = append(kinds, strings.TrimPrefix(x.Event.Kind, "supervision."))
			}
		}
		if err != nil || strings.Join(kinds, " ") != "opened feedback rejected extended feedback closed" {
			t.Errorf("timeline %v %v", kinds, err)
		}
	})
}

// More time that was asked for before the deadline and agreed to after it takes
// the ticket off the list of the overdue.
func TestAgreedExtensionIsNotOverdue(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		disp, unit, sup := w.Who(access.Dispatcher, "P420100"), w.Who(access.Handler, "D420100-chengguan"), w.Who(access.Supervisor, "P420100")
		at := w.Create("P420100", nil)
		w.Do(disp, at, "dispatch", w.Unit("D420100-chengguan"))
		w.Do(unit, at, "sign", nil)
		w.Do(unit, at, "extend", map[string]any{"days": 3, "reason": "需要会同检测机构现场检测"})
		got, err := w.Tickets.Get(t.Context(), disp, at)
		if err != nil {
			t.Fatal(err)
		}
		c.Set(clock.FromMillis(got.Due).Add(time.Minute))
		w.sweep()
		w.count()
		if got := w.candidates(sup, RuleOverdue); !slices.Contains(got, at) {
			t.Fatalf("not overdue: %v", got)
		}
		w.Do(disp, at, "decide-extension", map[string]any{"decision": "pass", "opinion": "情况属实，同意。"})
		w.count()
		if got := w.candidates(sup, RuleOverdue); len(got) != 0 {
			t.Fatalf("still overdue: %v", got)
		}
	})
}
