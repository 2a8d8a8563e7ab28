package ticket

import (
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/db/dbtest"
)

// below has a county's department handle a ticket that the city dispatched.
func below(t *testing.T) (w *world, at int64, city, hub, unit access.Actor, pass func(days int)) {
	d, c := dbtest.SQLite(t, schemas()...)
	w = newWorld(t, d, c)
	made := w.create(nil)
	city, hub, unit = w.who(access.Dispatcher, "P420100"), w.who(access.Dispatcher, "C420111"), w.who(access.Handler, "D420111-chengguan")
	w.must(city, made.ID, "dispatch", map[string]any{"unit": id(w.units["C420111"].ID)})
	w.must(hub, made.ID, "sign", nil)
	w.must(hub, made.ID, "delegate", map[string]any{"unit": id(w.units["D420111-chengguan"].ID)})
	w.must(unit, made.ID, "sign", nil)
	return w, made.ID, city, hub, unit, func(days int) { c.Advance(time.Duration(days) * 24 * time.Hour) }
}

// newest is the last step of a ticket.
func (w *world) newest(at int64) Entry {
	w.t.Helper()
	list, err := w.s.Timeline(w.t.Context(), w.load(at), false)
	if err != nil {
		w.t.Fatal(err)
	}
	return list[len(list)-1]
}

// told is the notice that the newest step owes the citizen; without one his page
// does not show the step.
func (w *world) told(at int64) string {
	w.t.Helper()
	x := w.newest(at)
	notice, _ := x.Data["notice"].(string)
	if x.Public != (notice != "") {
		w.t.Errorf("%s with the notice %q is public: %v", x.Event.Kind, notice, x.Public)
	}
	return notice
}

var agreed = map[string]any{"decision": "pass", "opinion": "情况属实，同意。"}

// Who delegates no longer owes the first contact: the unit below does.
func TestDelegatingHandsOverTheFirstContact(t *testing.T) {
	w, at, _, _, _, _ := below(t)
	got := w.load(at)
	for _, a := range got.Assignments {
		if owes := got.clock(ClockContact, a.ID) != nil; owes != (a.Parent != 0) {
			t.Errorf("node of depth %d owes the contact: %v", a.Depth, owes)
		}
	}
}

// 延期: what a department asks beyond its county's deadline the county agrees to
// and the city decides; then all three deadlines move, and what the citizen was
// told with them.
func TestExtensionClimbs(t *testing.T) {
	w, at, city, hub, unit, _ := below(t)
	due := w.load(at).Due
	w.must(unit, at, "extend", map[string]any{"days": 2, "reason": "需要会同检测机构现场检测"})
	w.refuse("no_request", city, at, "decide-extension", agreed)
	w.must(hub, at, "decide-extension", agreed)
	got := w.load(at)
	if got.Due != due || got.Root().Extensions != 0 {
		t.Fatal("the county moved the city's deadline")
	}
	if n := w.told(at); n != "" {
		t.Fatalf("the citizen is told %q of what is not decided", n)
	}
	w.refuse("action_forbidden", hub, at, "decide-extension", agreed)
	if rows := w.queue(city, QueueExtension); len(rows) != 1 {
		t.Fatalf("%d wait for the city", len(rows))
	}
	w.must(city, at, "decide-extension", agreed)
	got = w.load(at)
	if got.Due <= due || got.Detail.Legs[0].Due != got.Due || got.Detail.Legs[0].Extended != 1 {
		t.Fatalf("the ticket is due %d, was %d: %+v", got.Due, due, got.Detail.Legs)
	}
	for _, a := range got.Assignments {
		if a.Due != got.Due || a.Extensions != 1 || got.clock(ClockHandle, a.ID).Due != got.Due {
			t.Errorf("%+v", a)
		}
	}
	if n := w.told(at); n != "extended" || w.newest(at).Reason != "需要会同检测机构现场检测" {
		t.Errorf("the citizen is told %q because of %q", n, w.newest(at).Reason)
	}
	w.must(unit, at, "extend", map[string]any{"days": 1, "reason": "检测报告尚未出具"})
	w.must(hub, at, "decide-extension", map[string]any{"decision": "reject", "opinion": "请抓紧办理。"})
	if n := w.told(at); n != "" || w.load(at).Due != got.Due {
		t.Errorf("refused, and the citizen is told %q", n)
	}
}

// 协办 cannot have more time than the 主办 that waits for it.
func TestAssistExtendsWithinTheMain(t *testing.T) {
	w, at, city, _, _, _ := below(t)
	w.must(city, at, "assist", map[string]any{"assist_unit": id(w.units["D420100-shuiwu"].ID)})
	help := w.who(access.Handler, "D420100-shuiwu")
	w.must(help, at, "sign", nil)
	w.refuse("extension_beyond", help, at, "extend", map[string]any{"days": 5, "reason": "需要现场核查后再答复"})
	w.must(help, at, "extend", map[string]any{"days": 1, "reason": "需要现场核查后再答复"})
	got := w.load(at)
	if _, err := w.s.Do(t.Context(), city, at, Action{Name: "decide-extension", Assignment: got.Requests[0].Assignment, Fields: agreed}); err != nil {
		t.Fatal(err)
	}
	if w.load(at).Due != got.Due || w.told(at) != "" {
		t.Error("the 协办 moved what the citizen was told")
	}
}

// 挂起: the city stops the clocks of the department and of the county above it;
// resuming moves the deadlines by the pause, and the unit is judged by the new one.
func TestSuspensionMovesTheDeadlineOfAll(t *testing.T) {
	w, at, city, hub, unit, pass := below(t)
	due := w.load(at).Due
	w.must(unit, at, "suspend", map[string]any{"suspend_reason": "season", "suspend_days": 20, "reason": "冬季低温不能铺装沥青"})
	w.must(hub, at, "decide-suspension", agreed)
	if w.load(at).Status != Handling || w.told(at) != "" {
		t.Fatal("the county suspended alone")
	}
	w.must(city, at, "decide-suspension", agreed)
	most := w.load(at).Due
	if most <= due {
		t.Fatal("while it is suspended the ticket looks late")
	}
	pass(14)
	w.must(unit, at, "resume", map[string]any{"note": "气温回升"})
	got := w.load(at)
	if got.Due <= due || got.Due >= most || got.Detail.Legs[0].Due != got.Due {
		t.Fatalf("due %d, before %d, at most %d", got.Due, due, most)
	}
	for _, a := range got.Assignments {
		if c := got.clock(ClockHandle, a.ID); a.Due != got.Due || c.Due != got.Due || !c.Running() {
			t.Errorf("%+v %+v", a, c)
		}
	}
}
