package acd

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func desk(t *testing.T) *Dispatcher {
	t.Helper()
	d := New(Standard)
	d.SignOn(0, Seat{ID: "1", Team: 11, City: 1, Skills: map[string]int{"line:12333": 80}})
	d.SignOn(0, Seat{ID: "2", Team: 12, City: 1, Skills: map[string]int{"lang:en": 60}})
	d.SignOn(0, Seat{ID: "3", Team: 21, City: 2})
	d.SignOn(0, Seat{ID: "4", Team: 31, City: 1, Remote: true})
	return d
}

func rung(d *Dispatcher) (seat, why string) {
	for _, a := range d.Take() {
		if a.Kind == Ring {
			seat, why = a.Seat, a.Why
		}
	}
	return seat, why
}

func TestOverflowWidensRingByRing(t *testing.T) {
	d := desk(t)
	d.Join(0, Call{ID: 7, Queue: "12345", Team: 11, City: 1, Caller: "x"})
	for _, step := range []struct {
		at   int64
		free string
		want string
	}{{1000, "2", ""}, {4000, "", "2"}} {
		if step.free != "" {
			d.SetReady(step.at, step.free)
		}
		d.Tick(step.at)
		if got, _ := rung(d); got != step.want {
			t.Fatalf("at %d: rang %q, want %q", step.at, got, step.want)
		}
	}
	// 未应答: the seat goes out of service, the call waits on at the head.
	d.Join(5000, Call{ID: 8, Queue: "12345", Team: 11, City: 1, Boost: 300})
	d.Tick(16_000)
	if s := d.SeatOf("2"); s.State != Idle {
		t.Fatalf("seat 2 is %s", s.State)
	}
	d.SetReady(16_500, "3") // another city: the second ring
	if got, why := rung(d); got != "3" || !strings.Contains(why, "曾分配座席") || !strings.Contains(why, "全省") {
		t.Fatalf("rang %q: %s", got, why)
	}
	if c, _ := d.CallOf(7); c.Place() != "振铃" {
		t.Fatalf("the call that was not answered is not first: %s", c.Place())
	}
}

func TestSkillsFirstThenWaived(t *testing.T) {
	d := desk(t)
	d.SetReady(0, "2")
	d.Join(0, Call{ID: 7, Queue: "12333", City: 1, Needs: []Need{{"line:12333", 40, true}}})
	if got, _ := rung(d); got != "" {
		t.Fatalf("rang %s without the skill", got)
	}
	d.Tick(8000)
	if got, why := rung(d); got != "2" || !strings.Contains(why, "放宽") {
		t.Fatalf("rang %q: %s", got, why)
	}
	d.SetReady(8000, "1")
	d.Join(8000, Call{ID: 8, Queue: "12333", City: 1, Needs: []Need{{"lang:en", 40, false}}})
	d.Tick(600_000)
	if c, _ := d.CallOf(8); c.Place() != "排队" {
		t.Fatalf("a hard need was waived: %s", c.Place())
	}
}

func TestLastSeatGoesFirst(t *testing.T) {
	d := desk(t)
	d.SetReady(0, "1")
	d.SetReady(100, "2")
	d.Join(5000, Call{ID: 7, Queue: "12345", City: 1, Last: "2"})
	if got, why := rung(d); got != "2" || !strings.Contains(why, "上次接听") {
		t.Fatalf("rang %q: %s", got, why)
	}
}

func TestWrapUpHasALimit(t *testing.T) {
	d := desk(t)
	d.SetReady(0, "1")
	d.Join(0, Call{ID: 7, Queue: "12345", City: 1})
	d.Answered(2000, 7, "1")
	d.Done(60_000, 7)
	if s := d.SeatOf("1"); s.State != Wrap {
		t.Fatalf("after the talk: %s", s.State)
	}
	d.Tick(119_999)
	if s := d.SeatOf("1"); s.State != Wrap {
		t.Fatalf("too early: %s", s.State)
	}
	d.Tick(120_000)
	if s := d.SeatOf("1"); s.State != Ready {
		t.Fatalf("after the limit: %s", s.State)
	}
}

func TestMissedCallerKeepsThePlace(t *testing.T) {
	d := desk(t)
	d.Join(0, Call{ID: 7, Queue: "12345", City: 1, Caller: "a"})
	d.Join(1000, Call{ID: 8, Queue: "12345", City: 1, Caller: "b"})
	if d.Gone(3000, 8) != true || d.Len() != 1 {
		t.Fatal("a short abandon owes no call-back")
	}
	if d.Gone(20_000, 7) {
		t.Fatal("20 s are no short abandon")
	}
	d.Join(30_000, Call{ID: 9, Queue: "12345", City: 1, Caller: "c"})
	d.Take()
	d.SetReady(40_000, "1")
	if c, _ := d.CallOf(7); c.Place() != "振铃" || !c.Callback {
		t.Fatalf("the missed caller came first, and is %s", c.Place())
	}
	// The caller rings again meanwhile: one of them goes.
	d.Declined(41_000, 7, "")
	d.Join(42_000, Call{ID: 10, Queue: "12345", City: 1, Caller: "a"})
	if c, _ := d.CallOf(7); c.Place() != "待回拨" {
		t.Fatal("called back although on the line")
	}
	if c, _ := d.CallOf(10); c.Arrived != 0 {
		t.Fatalf("the place was lost: arrived %d", c.Arrived)
	}
}

// Who is owed a call and calls again has the place of before. Until a person has
// answered the call stays owed, once.
func TestWhoCallsAgainIsOwedUntilServed(t *testing.T) {
	told := func(d *Dispatcher) (out []string) {
		for _, a := range d.Take() {
			out = append(out, fmt.Sprint(a.Kind, a.Call))
		}
		return out
	}
	owed := func() *Dispatcher {
		d := desk(t)
		d.Join(0, Call{ID: 7, Queue: "12345", City: 1, Caller: "a"})
		d.Gone(20_000, 7)
		d.Join(60_000, Call{ID: 8, Queue: "12345", City: 1, Caller: "a"})
		d.Take()
		return d
	}
	d := owed()
	if !d.Gone(62_000, 8) {
		d.Gone(90_000, 8)
	}
	d.SetReady(100_000, "1")
	if got := told(d); !slices.Contains(got, "ring7") {
		t.Errorf("hung up again: %v", got)
	}
	d.Join(101_000, Call{ID: 9, Queue: "12345", City: 1, Caller: "a"})
	d.SetReady(102_000, "2")
	d.Take()
	d.Answered(103_000, 9, "2")
	if got := told(d); !slices.Contains(got, "stop_ring7") || !slices.Contains(got, "came_back7") {
		t.Errorf("answered elsewhere while the call-back rang: %v", got)
	}
	d = owed()
	d.SetReady(100_000, "1")
	if got := told(d); slices.Contains(got, "ring7") || !slices.Contains(got, "ring8") {
		t.Errorf("on the line again: %v", got)
	}
	d.Answered(101_000, 8, "1")
	if got := told(d); !slices.Contains(got, "came_back7") {
		t.Errorf("answered: %v", got)
	}
	d = owed()
	d.KeepPlace(70_000, 8)
	d.SetReady(100_000, "1")
	if got := told(d); !slices.Contains(got, "came_back7") || !slices.Contains(got, "ring8") {
		t.Errorf("kept the place: %v", got)
	}
}

func TestCallbackIsTriedThreeTimes(t *testing.T) {
	d := desk(t)
	d.SetReady(0, "1")
	d.Join(0, Call{ID: 7, Queue: "12345", City: 1, Caller: "a", Callback: true})
	at := int64(0)
	for try := range 3 {
		if !d.Answered(at, 7, "1") {
			t.Fatalf("try %d did not ring", try+1)
		}
		d.NoReach(at+20_000, 7, 0)
		at += 20_000 + 300_000
		d.Tick(at)
	}
	gave := false
	for _, a := range d.Take() {
		gave = gave || a.Kind == GaveUp
	}
	if !gave || d.Len() != 0 {
		t.Fatal("not given up after three tries")
	}
}

func TestSeatLostInTalk(t *testing.T) {
	d := desk(t)
	d.SetReady(0, "1")
	d.Join(0, Call{ID: 7, Queue: "12345", City: 1})
	d.Answered(1000, 7, "1")
	d.SetReady(1000, "2")
	d.Take()
	d.SignOff(30_000, "1")
	if got, _ := rung(d); got != "2" {
		t.Fatalf("rang %q", got)
	}
}

func TestAnnouncesRanges(t *testing.T) {
	d := desk(t)
	d.SetReady(0, "1")
	d.Join(0, Call{ID: 1, Queue: "12345", City: 1})
	d.Answered(0, 1, "1")
	for i := range 4 {
		d.Join(int64(i), Call{ID: int64(10 + i), Queue: "12345", City: 1, Caller: fmt.Sprint(i)})
	}
	d.Take()
	d.Tick(60_000)
	told, offered := map[int64]int{}, 0
	for _, a := range d.Take() {
		switch a.Kind {
		case Announce:
			told[a.Call]++
			if a.Position != int(a.Call)-9 || a.High != 0 && a.Low >= a.High {
				t.Errorf("call %d: position %d, %d to %d minutes", a.Call, a.Position, a.Low, a.High)
			}
		case Offer:
			offered++
		}
	}
	if told[10] != 3 || offered == 0 {
		t.Fatalf("told %v, call-back offered to %d", told, offered)
	}
}

// Whatever happens in whatever order, no call is lost, none is in two places
// and no seat has two.
func TestPromisesHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		strategy := rapid.SampledFrom([]Strategy{LongestIdle, LeastOccupied, RoundRobin, TopSkill}).Draw(rt, "strategy")
		d := New(func(n string) Queue {
			q := Standard(n)
			q.Strategy = strategy
			return q
		})
		now, next := int64(0), int64(0)
		live := map[int64]bool{}
		ring := map[int64]string{}
		absorb := func() {
			for _, a := range d.Take() {
				switch a.Kind {
				case Ring:
					ring[a.Call] = a.Seat
				case StopRing:
					if ring[a.Call] == a.Seat {
						delete(ring, a.Call)
					}
				case GaveUp:
					delete(live, a.Call)
				}
			}
		}
		seat := func() string { return fmt.Sprint(rapid.IntRange(1, 6).Draw(rt, "seat")) }
		call := func() int64 { return rapid.Int64Range(1, max(next, 1)).Draw(rt, "call") }
		rt.Repeat(map[string]func(*rapid.T){
			"time": func(rt *rapid.T) { now += rapid.Int64Range(0, 90_000).Draw(rt, "ms"); d.Tick(now) },
			"sign on": func(rt *rapid.T) {
				d.SignOn(now, Seat{ID: seat(), Team: rapid.Int64Range(1, 3).Draw(rt, "team"), City: rapid.Int64Range(1, 2).Draw(rt, "city"), Remote: rapid.Bool().Draw(rt, "remote"), Skills: map[string]int{"line:1": rapid.IntRange(0, 100).Draw(rt, "level")}})
			},
			"ready": func(*rapid.T) { d.SetReady(now, seat()) },
			"break": func(*rapid.T) { d.SetBreak(now, seat()) },
			"lost":  func(*rapid.T) { d.SignOff(now, seat()) },
			"join": func(rt *rapid.T) {
				next++
				live[next] = true
				d.Join(now, Call{ID: next, Queue: "12345", City: rapid.Int64Range(1, 2).Draw(rt, "city"), Boost: rapid.IntRange(-300, 300).Draw(rt, "boost"), Caller: fmt.Sprint(rapid.IntRange(0, 3).Draw(rt, "caller")),
					Needs: []Need{{"line:1", rapid.IntRange(1, 90).Draw(rt, "need"), rapid.Bool().Draw(rt, "soft")}}})
			},
			"answer": func(*rapid.T) {
				id := call()
				if s, ok := ring[id]; ok {
					d.Answered(now, id, s)
				}
			},
			"decline": func(*rapid.T) { d.Declined(now, call(), "不便接听") },
			"done":    func(*rapid.T) { d.Done(now, call()) },
			"gone":    func(*rapid.T) { d.Gone(now, call()) },
			"keep":    func(*rapid.T) { d.KeepPlace(now, call()) },
			"reached": func(*rapid.T) { d.Reached(now, call()) },
			"noreach": func(*rapid.T) { d.NoReach(now, call(), 0) },
			"requeue": func(*rapid.T) { d.Requeue(now, call()) },
			"adopt":   func(*rapid.T) { d.Adopt(now, Call{ID: call(), Queue: "12345", City: 1}, seat()) },
			"drop":    func(*rapid.T) { d.Drop(now, call()) },
			"": func(rt *rapid.T) {
				absorb()
				if bad := d.Check(); bad != "" {
					rt.Fatal(bad)
				}
			},
		})
	})
}
