package flow

import (
	"context"
	"strings"
	"testing"
	"time"

	"hotline/internal/voice/cdr"
)

// However the seat leaves a three-way, the caller and 110 go on; who of the two
// hangs up ends it for both.
func TestNobodyIsCutOffInAThreeWay(t *testing.T) {
	for how, leave := range map[string]func(w *world, p *page){
		"hangs up":           func(w *world, p *page) { must(t, p.d.Hangup(context.Background())) },
		"loses its line":     func(w *world, p *page) { w.e.SeatDown(p.leg); w.pass(6 * time.Second) },
		"closes its page":    func(w *world, p *page) { p.d.Close(context.Background()); w.pass(10 * time.Second) },
		"hands the call on":  func(w *world, p *page) { must(t, p.d.Complete(context.Background())) },
		"stays to the end":   func(w *world, p *page) {},
		"has only consulted": func(w *world, p *page) { must(t, p.d.Cancel(context.Background())) },
	} {
		w := newWorld(t)
		p := w.sit("wang")
		w.sit("li")
		caller := w.call("12345")
		w.pass(2 * time.Second)
		id := p.answer()
		must(t, p.d.Transfer(t.Context(), "110", "诉求人称有人晕倒"))
		police := w.e.Dialled().Leg
		w.e.Pick(police)
		w.sync()
		leave(w, p)
		w.sync()
		switch how {
		case "has only consulted":
			if w.e.State(police) != "" || !w.e.Heard(caller, p.leg) {
				t.Errorf("%s: 110 is %q", how, w.e.State(police))
			}
			continue
		case "stays to the end":
		default:
			if st := p.state(); st == "talking" || w.e.Heard(police, p.leg) {
				t.Errorf("%s: the seat is %s", how, st)
			}
		}
		if !w.e.Heard(caller, police) || !w.e.Heard(police, caller) || strings.Contains(w.e.Said(caller), "survey") {
			t.Errorf("%s: caller and 110 are cut off, heard %q", how, w.e.Said(caller))
		}
		w.e.HangUp(caller)
		w.sync()
		if r := w.record(id); r.Result != cdr.Answered || w.e.State(police) != "" || p.state() == "talking" {
			t.Errorf("%s: on record %s, 110 %q, seat %s", how, r.Result, w.e.State(police), p.state())
		}
		want := "completed"
		if how == "stays to the end" {
			want = "answered"
		}
		if n := w.count(`SELECT count(*) FROM voice_transfer WHERE call_id = $1 AND result = $2`, id, want); n != 1 {
			t.Errorf("%s: the ledger does not say %s", how, want)
		}
	}
}

// A citizen who is called back and finds the seat gone rings at another, and is
// owed a call again when he hangs up before it answers.
func TestCalledBackByASeatThatIsGone(t *testing.T) {
	w := newWorld(t)
	p := w.sit("wang")
	caller := w.call("12345")
	w.pass(33 * time.Second)
	w.e.HangUp(caller)
	w.sync()
	must(t, p.d.Ready(t.Context()))
	w.sync()
	m, _ := p.last("ringing")
	must(t, p.d.Answer(t.Context(), m.Call))
	out := w.e.Dialled().Leg
	w.e.SeatDown(p.leg)
	w.pass(6 * time.Second)
	w.e.Pick(out)
	w.sync()
	other := w.sit("li")
	w.pass(6 * time.Second)
	if m, ok := other.last("ringing"); !ok || m.Callback {
		t.Fatalf("the citizen waits and nobody is asked: %+v", m)
	}
	w.e.HangUp(out)
	w.sync()
	if n := w.count(`SELECT count(*) FROM voice_callback WHERE state = 'open' AND kind = 'dropped'`); n != 1 {
		t.Errorf("%d are owed a call", n)
	}
	if m, ok := other.last("ringing"); !ok || !m.Callback {
		t.Errorf("the call-back does not ring: %+v", m)
	}
}

// Who is in a three-way when the caller's line breaks stays with the seat, and all
// three talk again when the caller is reached.
func TestThreeWayWaitsForTheCallerWhoBrokeOff(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		w := newWorld(t)
		p := w.sit("wang")
		caller := w.call("12345")
		w.pass(2 * time.Second)
		id := p.answer()
		must(t, p.d.Transfer(t.Context(), "110", "诉求人称有人晕倒"))
		police := w.e.Dialled().Leg
		w.e.Pick(police)
		w.sync()
		w.e.Break(caller)
		w.sync()
		again := w.e.Dialled().Leg
		if again == police || !w.e.Heard(p.leg, police) || !w.e.Heard(police, p.leg) {
			t.Fatal("110 is cut off with the caller")
		}
		if leaves {
			w.e.HangUp(police)
			w.sync()
		}
		w.e.Pick(again)
		w.sync()
		if !w.e.Heard(again, p.leg) || !w.e.Heard(p.leg, again) || w.e.Heard(again, police) == leaves || w.e.Heard(police, again) == leaves {
			t.Errorf("110 has left: %v: who hears whom is wrong", leaves)
		}
		w.e.HangUp(again)
		w.sync()
		if r := w.record(id); r.Result != cdr.Answered || w.e.State(police) != "" || p.state() != "acw" {
			t.Errorf("on record %s, 110 %q, seat %s", r.Result, w.e.State(police), p.state())
		}
	}
}
