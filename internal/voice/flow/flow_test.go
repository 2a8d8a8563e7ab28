package flow

import (
	"context"
	"strings"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

// A citizen dials 12345; a seat answers; they talk; the citizen gives a verdict;
// everything is on record.
func TestCallFromEndToEnd(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	caller := w.call("12345")
	if st := w.e.State(caller); st != "up" {
		t.Fatalf("the caller's leg is %q", st)
	}
	w.pass(3 * time.Second)
	ring, ok := p.last("ringing")
	if !ok || ring.Number != "138****4567" || ring.Why == "" || ring.LineName == "" {
		t.Fatalf("the seat was told %+v", ring)
	}
	id := p.answer()
	if !w.e.Heard(caller, p.leg) || !w.e.Heard(p.leg, caller) {
		t.Fatal("caller and seat do not hear each other")
	}
	if said := w.e.Said(caller); !strings.HasPrefix(said, "welcome") || !strings.Contains(said, "agent_no 1 0 0 1 at_service") {
		t.Errorf("the caller heard %q", said)
	}
	w.eventually("the seat sees the number", func() bool { m, ok := p.last("caller"); return ok && m.Number == "13871234567" })
	w.eventually("a draft is bound to the call", func() bool {
		list, err := w.deps.Intake.Drafts(ctx, p.a.Account)
		return err == nil && len(list) == 1 && list[0].ID == DraftID(id)
	})
	w.pass(60 * time.Second)
	must(t, p.d.Hold(ctx, true))
	if w.e.Heard(caller, p.leg) || w.e.Heard(p.leg, caller) {
		t.Error("on hold, and still heard")
	}
	w.pass(10 * time.Second)
	must(t, p.d.Hold(ctx, false))
	must(t, p.d.Mute(ctx, true))
	if w.e.Heard(caller, p.leg) || !w.e.Heard(p.leg, caller) {
		t.Error("muting is one way")
	}
	must(t, p.d.Mute(ctx, false))
	must(t, p.d.Hangup(ctx))
	w.sync()
	if p.state() != "acw" {
		t.Errorf("after the talk the seat is %s", p.state())
	}
	w.e.Key(caller, "5")
	w.sync()
	w.e.Key(caller, "1")
	w.sync()
	if w.e.State(caller) != "" {
		t.Error("the caller is still there")
	}
	w.pass(61 * time.Second)
	if p.state() != "ready" {
		t.Errorf("after the notes the seat is %s", p.state())
	}
	r := w.record(id)
	if r.Result != cdr.Answered || r.Survey != 5 || r.Solved != "yes" || r.HoldMs != 10_000 || r.WaitMs() > 15_000 || r.Seat != p.a.Account || r.Line != "12345" || r.AcwMs < 50_000 {
		t.Errorf("on record: %+v", r)
	}
	if n := w.count(`SELECT count(*) FROM voice_leg WHERE call_id = $1`, id); n != 2 {
		t.Errorf("%d legs", n)
	}
	if n := w.count(`SELECT count(*) FROM voice_recording WHERE call_id = $1 AND state = 'ready'`, id); n != 1 {
		t.Errorf("%d recordings", n)
	}
	if n := w.count(`SELECT count(*) FROM voice_offer WHERE call_id = $1 AND outcome = 'answered'`, id); n != 1 {
		t.Errorf("%d offers", n)
	}
	if n := w.count(`SELECT count(*) FROM voice_live`); n != 0 {
		t.Errorf("%d calls are still up", n)
	}
	_, err := w.log.SealNow(ctx)
	must(t, err)
	_, err = w.deps.CDR.CatchUp(ctx)
	must(t, err)
	if equal, err := w.deps.CDR.Recount(ctx); err != nil || !equal {
		t.Errorf("figures and calls: equal %v, %v", equal, err)
	}
	today, err := w.deps.CDR.Today(ctx, w.deps.Org.Tree().Province().ID)
	if err != nil || today.Offered != 1 || today.In15 != 1 || today.Satisfied != 1 {
		t.Errorf("today: %+v %v", today, err)
	}
}

// What a caller hears first depends on the number (归并方式).
func TestTreatments(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct{ number, prompt, end string }{
		{"12345", "welcome", "up"}, {"02712345", "welcome", "up"}, {"12333", "parallel", "up"}, {"12349", "transition", "up"}, {"12366", "subcentre", "up"}, {"12336", "moved", ""}, {"99999", "welcome", "up"},
	} {
		l := w.call(tc.number)
		w.pass(time.Second)
		if said := w.e.Said(l); !strings.HasPrefix(said, tc.prompt) || w.e.State(l) != tc.end {
			t.Errorf("%s: heard %q, leg %q", tc.number, said, w.e.State(l))
		}
	}
	if got := w.newest(); got.Result != cdr.Live || got.Line != "99999" {
		t.Errorf("an unknown number: %+v", got)
	}
}

// 整体并入: until its date the old number leads to a seat after a notice; the day
// after it says where to call, hangs up, and owes nobody a call.
func TestTransitionEndsOnItsDate(t *testing.T) {
	w := newWorld(t)
	l, ok := w.deps.Lines.At("12349", "420000", w.c.Now())
	if !ok || l.Until == "" {
		t.Fatalf("12349 is %+v", l)
	}
	last, err := time.ParseInLocation(time.DateOnly, l.Until, clock.Shanghai)
	must(t, err)
	for _, step := range []struct {
		at                time.Time
		says, leg, result string
	}{
		{last.Add(24*time.Hour - 10*time.Second), "transition", "up", cdr.Live},
		{last.Add(24 * time.Hour), "moved", "", cdr.Announced},
	} {
		w.c.Set(step.at)
		leg := w.call("12349")
		w.pass(time.Second)
		said, got := w.e.Said(leg), w.newest()
		if !strings.HasPrefix(said, step.says) || w.e.State(leg) != step.leg || got.Result != step.result {
			t.Errorf("%s: heard %q, leg %q, on record %q", step.at, said, w.e.State(leg), got.Result)
		}
	}
	if n := w.count(`SELECT count(*) FROM voice_callback`); n != 0 {
		t.Errorf("%d call-backs are owed", n)
	}
}

// The people of a sub-centre serve its line first.
func TestSubcentreSeatsRingFirst(t *testing.T) {
	w := newWorld(t)
	w.sit("wang")
	w.c.Advance(time.Second)
	tax := w.sit("tax")
	w.call("12366")
	w.pass(time.Second)
	if _, ok := tax.last("ringing"); !ok {
		t.Error("12366 did not ring at the sub-centre")
	}
}

// Nobody answers: the next seat rings, and the caller who gives up is called back.
func TestUnansweredAndMissed(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a := w.sit("wang")
	caller := w.call("12345")
	w.pass(13 * time.Second)
	if a.state() != "unready" {
		t.Fatalf("after twelve seconds of ringing the seat is %s", a.state())
	}
	w.pass(20 * time.Second)
	if said := w.e.Said(caller); !strings.Contains(said, "q_busy") {
		t.Errorf("nothing was announced: %q", said)
	}
	w.e.HangUp(caller)
	w.sync()
	missed := w.newest()
	if missed.Result != cdr.Abandoned {
		t.Fatalf("on record: %+v", missed)
	}
	must(t, a.d.Ready(ctx))
	w.sync()
	m, _ := a.last("ringing")
	if !m.Callback || m.Call != missed.ID {
		t.Fatalf("the call-back did not ring: %+v", m)
	}
	must(t, a.d.Answer(ctx, m.Call))
	out := w.e.Dialled()
	if out.To.Value != "13871234567" || out.To.Kind != media.ToTrunk {
		t.Fatalf("dialled %+v", out)
	}
	w.e.Pick(out.Leg)
	w.sync()
	if !w.e.Heard(out.Leg, a.leg) {
		t.Error("citizen and seat do not hear each other")
	}
	if said := w.e.Said(out.Leg); said != "callback_hello" || !strings.HasSuffix(w.e.Said(a.leg), said) {
		t.Errorf("the citizen hears %q, the seat %q", said, w.e.Said(a.leg))
	}
	must(t, a.d.Hangup(ctx))
	w.sync()
	if n := w.count(`SELECT count(*) FROM voice_callback WHERE state = 'done' AND call_id = $1`, missed.ID); n != 1 {
		t.Error("the call-back is not on record")
	}
}

// A caller may keep the place and be called back.
func TestKeepPlace(t *testing.T) {
	w := newWorld(t)
	caller := w.call("12345")
	w.pass(61 * time.Second)
	if said := w.e.Said(caller); !strings.Contains(said, "q_callback") {
		t.Fatalf("no call-back was offered: %q", said)
	}
	w.e.Key(caller, "1")
	w.sync()
	if r := w.newest(); r.Result != cdr.Kept || w.e.State(caller) != "" {
		t.Fatalf("on record: %+v", r)
	}
	p := w.sit("wang")
	w.sync()
	if m, _ := p.last("ringing"); !m.Callback {
		t.Error("the place was not kept")
	}
}

// 110 is brought in at once and heard by all three; 12366 after a consultation;
// nobody there brings the caller back.
func TestTransfers(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	id := p.answer()
	must(t, p.d.Transfer(ctx, "110", "诉求人称闻到煤气味"))
	if !w.e.Heard(caller, p.leg) {
		t.Fatal("in an emergency nobody is put on hold")
	}
	if err := p.d.Complete(ctx); err == nil {
		t.Error("left before 110 answered")
	}
	police := w.e.Dialled()
	if police.To.Value != "110" || police.ANI != "13871234567" || police.Timeout < 20 || police.Timeout > 30 {
		t.Fatalf("dialled %+v", police)
	}
	w.e.Pick(police.Leg)
	w.sync()
	for _, pair := range [][2]media.Leg{{caller, police.Leg}, {police.Leg, caller}, {p.leg, police.Leg}, {caller, p.leg}} {
		if !w.e.Heard(pair[0], pair[1]) {
			t.Errorf("%s does not hear %s", pair[0], pair[1])
		}
	}
	w.e.HangUp(police.Leg)
	w.sync()

	must(t, p.d.Transfer(ctx, "line:12366", "税务问题"))
	if w.e.Heard(caller, p.leg) {
		t.Error("the caller hears the consultation")
	}
	w.e.Refuse(w.e.Dialled().Leg, 19)
	w.sync()
	if !w.e.Heard(caller, p.leg) || !strings.Contains(w.e.Said(caller), "transfer_failed") {
		t.Error("nobody there: the caller was not brought back")
	}
	if err := p.d.Transfer(ctx, "line:12366", ""); err == nil {
		t.Error("the loop guard let it pass")
	}
	must(t, p.d.Transfer(ctx, "line:12360", "通关问题"))
	customs := w.e.Dialled().Leg
	w.e.Pick(customs)
	w.sync()
	if !w.e.Heard(p.leg, customs) || w.e.Heard(caller, customs) {
		t.Error("a consultation is between seat and target")
	}
	must(t, p.d.Conference(ctx))
	if !w.e.Heard(caller, customs) || !strings.HasSuffix(w.e.Said(caller), "three_way") {
		t.Error("three-way: the caller does not hear the target, or that it is there")
	}
	must(t, p.d.Complete(ctx))
	w.sync()
	if p.state() != "acw" || !w.e.Heard(customs, caller) {
		t.Errorf("handed on: seat %s", p.state())
	}
	w.e.HangUp(caller)
	w.sync()
	if r := w.record(id); r.Result != cdr.Answered {
		t.Errorf("on record: %+v", r)
	}
	for result, want := range map[string]int64{"answered": 1, "no_answer": 1, "completed": 1} {
		if n := w.count(`SELECT count(*) FROM voice_transfer WHERE call_id = $1 AND result = $2`, id, result); n != want {
			t.Errorf("ledger: %d %s, want %d", n, result, want)
		}
	}
}

// A blind transfer that nobody answers comes back to the seat it came from.
func TestBlindTransferComesBack(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	w.call("12345")
	w.pass(2 * time.Second)
	p.answer()
	must(t, p.d.Transfer(ctx, "line:12366", ""))
	must(t, p.d.Complete(ctx))
	must(t, p.d.Ready(ctx))
	w.e.Refuse(w.e.Dialled().Leg, 17)
	w.pass(time.Second)
	p.answer()
}

// The seat's line is lost: the caller is with another seat within ten seconds,
// the draft stays.
func TestSeatLost(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	a.answer()
	w.eventually("draft", func() bool { l, _ := w.deps.Intake.Drafts(ctx, a.a.Account); return len(l) == 1 })
	b := w.sit("li")
	w.e.SeatDown(a.leg)
	w.pass(6 * time.Second) // and some 4 until the cut is noticed
	b.answer()
	if !w.e.Heard(caller, b.leg) {
		t.Error("the caller is with nobody")
	}
	if l, _ := w.deps.Intake.Drafts(ctx, a.a.Account); len(l) != 1 {
		t.Error("the draft is gone")
	}
}

// A page that is loaded anew finds its call.
func TestPageComesBack(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	id := a.answer()
	a.d.Close(ctx)
	w.pass(3 * time.Second)
	again := &page{w: w, a: a.a}
	var err error
	again.d, err = w.x.Open(ctx, a.a, func(m Message) { again.mu.Lock(); again.told = append(again.told, m); again.mu.Unlock() })
	must(t, err)
	w.pass(20 * time.Second)
	if m, ok := again.last("call"); !ok || m.Call != id || m.Phase != talking {
		t.Errorf("the new page was told %+v", m)
	}
	if !w.e.Heard(caller, a.leg) {
		t.Error("the talk was interrupted")
	}
}

// Who comes back to a seat whose page and line were lost keeps the state that he
// chooses, whatever was still to become of the lost ones.
func TestLostSeatLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	a := w.sit("wang")
	a.d.Close(t.Context())
	w.pass(time.Second)
	w.e.SeatDown(a.leg) // noticed later than the page that went
	w.eventually("signed off", func() bool { w.pass(time.Second); return a.state() != "ready" })
	again := w.sit("wang")
	w.pass(30 * time.Second)
	if again.state() != "ready" {
		t.Errorf("back at his seat he is %s", again.state())
	}
}

// serve restarts while people talk and wait: nobody notices.
func TestRestartAdoptsCalls(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	id := a.answer()
	waiting := w.e.Call("12333", "13900001111")
	w.pass(5 * time.Second)
	gone := w.e.Call("12345", "13900002222")
	w.pass(5 * time.Second)
	w.stop()
	<-w.done
	stopped := clock.Millis(w.c.Now())
	w.c.Advance(time.Minute)
	w.e.HangUp(gone)
	during := w.e.Call("12345", "13900003333") // the exchange took it by itself
	_ = w.e.Answer(ctx, during)
	w.restart()
	if !w.e.Heard(caller, a.leg) {
		t.Fatal("the talk was interrupted")
	}
	again := &page{w: w, a: a.a}
	var err error
	again.d, err = w.x.Open(ctx, a.a, func(m Message) { again.mu.Lock(); again.told = append(again.told, m); again.mu.Unlock() })
	must(t, err)
	again.leg = a.leg
	if m, ok := again.last("call"); !ok || m.Call != id {
		t.Fatalf("the page was told %+v", m)
	}
	must(t, again.d.Hangup(ctx))
	w.e.HangUp(caller)
	w.sync()
	if r := w.record(id); r.Result != cdr.Answered {
		t.Errorf("on record: %+v", r)
	}
	must(t, again.d.Ready(ctx))
	w.sync()
	m, _ := again.last("ringing")
	if c := w.record(m.Call); c.Line != "12333" {
		t.Errorf("the first to ring is %+v", c)
	}
	again.answer()
	if !w.e.Heard(waiting, a.leg) {
		t.Error("who waited is with nobody")
	}
	if n := w.count(`SELECT count(*) FROM voice_call WHERE result = 'abandoned'`); n != 1 {
		t.Errorf("%d calls ended meanwhile", n)
	}
	if n := w.count(`SELECT count(*) FROM voice_call WHERE result = ''`); n != 2 {
		t.Errorf("%d calls are up, of which the exchange took one alone", n)
	}
	if n := w.count(`SELECT count(*) FROM voice_call WHERE result = 'abandoned' AND ended BETWEEN began AND $1`, stopped); n != 1 {
		t.Error("who hung up waited as long as nobody looked")
	}
	if n := w.count(`SELECT count(*) FROM voice_callback WHERE state = 'open' AND call_id = (SELECT id FROM voice_call WHERE result = 'abandoned')`); n != 1 {
		t.Error("who hung up while nobody looked is not called back")
	}
}

// brokenOff is a talk that has just broken off.
func brokenOff(t *testing.T) (*world, *page, int64) {
	w := newWorld(t)
	p := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	id := p.answer()
	w.e.Break(caller)
	w.sync()
	return w, p, id
}

// A call that breaks off is dialled again, once.
func TestBrokenCallIsRedialled(t *testing.T) {
	w, p, id := brokenOff(t)
	again := w.e.Dialled()
	if again.To.Value != "13871234567" {
		t.Fatalf("dialled %+v", again)
	}
	w.e.Pick(again.Leg)
	w.sync()
	if !w.e.Heard(again.Leg, p.leg) || !w.e.Heard(p.leg, again.Leg) {
		t.Error("they do not hear each other again")
	}
	if said := w.e.Said(again.Leg); said != "dropped_hello" {
		t.Errorf("the citizen hears %q", said)
	}
	w.e.Break(again.Leg)
	w.sync()
	if r := w.record(id); r.Result != cdr.Answered || p.state() != "acw" {
		t.Errorf("dialled twice: %+v, seat %s", r, p.state())
	}
	calledBack(t, w, p, id)
}

// calledBack wants whose redial was in vain on the list of call-backs, and the
// seat of the talk to be asked first.
func calledBack(t *testing.T, w *world, p *page, id int64) {
	t.Helper()
	if m, _ := p.last("notice"); m.Code != "redial_failed" {
		t.Errorf("the seat was told %+v", m)
	}
	if n := w.count(`SELECT count(*) FROM voice_callback WHERE call_id = $1 AND kind = 'dropped' AND state = 'open'`, id); n != 1 {
		t.Error("nobody will call back")
	}
	w.sit("li")
	w.pass(299 * time.Second)
	if m, _ := p.last("ringing"); m.Callback {
		t.Error("called again at once")
	}
	w.pass(2 * time.Second)
	m, _ := p.last("ringing")
	if !m.Callback || m.Call != id || !strings.Contains(m.Why, "通话中断前由该席接听") {
		t.Fatalf("the call-back rings as %+v", m)
	}
	must(t, p.d.Answer(context.Background(), m.Call))
	again := w.e.Dialled().Leg
	w.e.Pick(again)
	w.sync()
	if said := w.e.Said(again); said != "dropped_hello" {
		t.Errorf("called back, the citizen hears %q", said)
	}
	if n := w.count(`SELECT count(*) FROM voice_callback WHERE call_id = $1 AND state = 'done'`, id); n != 1 {
		t.Error("called back, and still on the list")
	}
}

// A redial that nobody takes leaves the talk that there was.
func TestRedialInVainIsStillAnAnsweredCall(t *testing.T) {
	w, p, id := brokenOff(t)
	w.e.Refuse(w.e.Dialled().Leg, 19)
	w.sync()
	if r := w.record(id); r.Result != cdr.Answered || r.TalkMs() == 0 && r.AnsweredAt == 0 || p.state() != "acw" {
		t.Errorf("on record: %+v, seat %s", r, p.state())
	}
	calledBack(t, w, p, id)
}

// Who is owed a call and comes through by himself is on the list no longer.
func TestWhoCallsAgainIsOffTheList(t *testing.T) {
	w := newWorld(t)
	state := func(call int64) (n int64) {
		return w.count(`SELECT count(*) FROM voice_callback WHERE call_id = $1 AND state = 'came_back'`, call)
	}
	missed := func() int64 {
		caller := w.call("12345")
		w.pass(20 * time.Second)
		w.e.HangUp(caller)
		w.sync()
		return w.newest().ID
	}
	first := missed()
	caller := w.call("12345")
	w.pass(3 * time.Second)
	w.e.HangUp(caller)
	w.sync()
	if w.count(`SELECT count(*) FROM voice_callback WHERE state = 'open'`) != 1 || state(first) != 0 {
		t.Error("hung up again at once: no longer owed a call")
	}
	w.call("12345")
	p := w.sit("wang")
	w.pass(2 * time.Second)
	if id := p.answer(); id == first || state(first) != 1 {
		t.Errorf("answered call %d, after %d", id, first)
	}
	must(t, p.d.Hangup(context.Background()))
	must(t, p.d.Idle(context.Background()))
	second := missed()
	w.keep("12328", "02712328")
	w.call("12328")
	w.pass(2 * time.Second)
	w.e.Pick(w.e.Dialled().Leg)
	w.sync()
	if state(second) != 1 {
		t.Error("answered at the sub-centre, and still on the list")
	}
}

// 骚扰: two requests, then the 班长.
func TestAbuseGoesToTheLead(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	p.answer()
	lead := w.sit("lead")
	for range 3 {
		must(t, p.d.Warn(ctx))
	}
	w.pass(time.Second)
	id := lead.answer()
	if !w.e.Heard(lead.leg, caller) || p.state() != "acw" {
		t.Error("the lead does not have the call")
	}
	if said := w.e.Said(caller); !strings.Contains(said, "warn1") || !strings.Contains(said, "warn2") || !strings.Contains(said, "warn3") {
		t.Errorf("heard %q", said)
	}
	must(t, lead.d.Hangup(ctx))
	w.sync()
	if r := w.record(id); len(r.Flags) == 0 || r.Flags[0] != "abuse" {
		t.Errorf("flags %v", r.Flags)
	}
}

// A caller who cannot speak gets a link by text message.
func TestSilentCall(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	p.answer()
	must(t, p.d.Silent(ctx))
	w.sync()
	if w.e.State(caller) != "" || p.state() != "acw" {
		t.Error("the silent call is still up")
	}
	w.x.journal.flush()
	list, err := w.deps.Notify.OfPhone(ctx, "13871234567", 5)
	if err != nil || len(list) != 1 || !strings.HasPrefix(list[0].Link, "/text/") {
		t.Errorf("messages: %+v %v", list, err)
	}
}

// The lead listens unheard, whispers to the seat, speaks to both, takes over.
func TestSupervision(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	id := p.answer()
	lead := w.sit("lead")
	hears := func(mode string, want [3]bool) { // lead hears caller; seat hears lead; caller hears lead
		t.Helper()
		must(t, lead.d.Watch(ctx, id, mode))
		w.sync()
		if got := [3]bool{w.e.Heard(lead.leg, caller), w.e.Heard(p.leg, lead.leg), w.e.Heard(caller, lead.leg)}; got != want {
			t.Errorf("%s: %v, want %v", mode, got, want)
		}
	}
	hears(Listen, [3]bool{true, false, false})
	hears(Whisper, [3]bool{true, true, false})
	hears(Barge, [3]bool{true, true, true})
	if err := p.d.Watch(ctx, id, Listen); err == nil {
		t.Error("a seat listened to itself")
	}
	must(t, lead.d.Ready(ctx)) // ready again while listening: the next caller rings at the lead
	next := w.e.Call("12345", "13900001111")
	w.pass(2 * time.Second)
	if lead.state() != "ringing" {
		t.Fatalf("lead %s", lead.state())
	}
	hears(TakeOver, [3]bool{true, false, true})
	if p.state() != "acw" || lead.state() != "talking" {
		t.Errorf("seat %s, lead %s", p.state(), lead.state())
	}
	must(t, p.d.Ready(ctx))
	w.pass(2 * time.Second)
	if p.state() != "ringing" { // the one who rang goes to another
		t.Errorf("the next caller: seat %s", p.state())
	}
	w.e.HangUp(next)
	w.sync()
	if n := w.count(`SELECT count(*) FROM audit WHERE kind LIKE 'call.%' AND subject_id = $1`, id); n < 4 {
		t.Errorf("%d entries of the audit", n)
	}
	must(t, lead.d.Hangup(ctx))
	w.e.HangUp(caller)
	w.sync()
	if r := w.record(id); r.Result != cdr.Answered || r.Seat != lead.a.Account {
		t.Errorf("on record: %+v", r)
	}
}

// The special list: last in line, never cut off, two persons.
func TestSpecialList(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	wuhan, _ := w.deps.Org.Tree().ByCode("P420100")
	a, b := w.sit("wang"), w.sit("lead")
	s, err := w.deps.CDR.ProposeSpecial(ctx, w.deps.Audit, a.a, wuhan.ID, "13871234567", "harass", "一周内无实质诉求来电四十次", w.x.ms()+86_400_000)
	must(t, err)
	if _, err := w.deps.CDR.DecideSpecial(ctx, w.deps.Audit, a.a, s.ID, "approve"); err == nil {
		t.Error("approved by the applicant")
	}
	_, err = w.deps.CDR.DecideSpecial(ctx, w.deps.Audit, b.a, s.ID, "approve")
	must(t, err)
	must(t, w.x.SpecialChanged(ctx))
	must(t, a.d.Break(ctx))
	must(t, b.d.Break(ctx))
	special := w.call("12345")
	other := w.e.Call("12345", "13900001111")
	w.pass(30 * time.Second)
	if said := w.e.Said(special); !strings.HasPrefix(said, "special_notice") {
		t.Errorf("heard %q", said)
	}
	must(t, a.d.Ready(ctx))
	a.answer()
	if !w.e.Heard(other, a.leg) {
		t.Error("the special number went first")
	}
	must(t, b.d.Ready(ctx))
	b.answer()
	if !w.e.Heard(special, b.leg) {
		t.Error("the special number reached nobody")
	}

	tree := w.deps.Org.Tree()
	at := func(city int64) bool {
		c := &call{x: w.x, rec: cdr.Call{ID: 1, Number: "13871234567"}}
		c.City = city
		must(t, w.deps.CDR.Seal(&c.rec))
		w.x.mu.Lock()
		defer w.x.mu.Unlock()
		return c.special() != nil
	}
	if huangshi, ok := tree.ByCode("P420200"); !ok || !at(wuhan.ID) || !at(tree.Province().ID) || at(huangshi.ID) {
		t.Error("a city's list is for its own calls and for those of no city")
	}
	w.c.Advance(25 * time.Hour)
	if at(wuhan.ID) {
		t.Error("an entry that has run out still counts")
	}
}
