package flow

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/intake"
	"hotline/internal/line"
	"hotline/internal/policy"
	"hotline/internal/ticket"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

// keep gives a line kept seats, as an approved change does.
func (w *world) keep(number, target string) {
	w.t.Helper()
	lines := w.deps.Lines.All(w.c.Now())
	for i := range lines {
		if lines[i].Number == number {
			lines[i].Mode, lines[i].Target = line.SeatsKept, target
		}
	}
	doc, err := json.Marshal(lines)
	must(w.t, err)
	must(w.t, w.d.Update(context.Background(), func(tx *db.Tx) error {
		_, err := w.deps.Policy.Publish(tx, policy.Publication{Kind: line.PolicyLines, Doc: doc, EffectiveFrom: w.c.Now().Add(-time.Second)})
		return err
	}))
}

// A B2 line rings at its kept seats; when nobody is there the caller comes to
// 12345 and is never told to dial again.
func TestKeptSeats(t *testing.T) {
	w := newWorld(t)
	w.keep("12328", "02712328")
	caller := w.call("12328")
	w.pass(time.Second)
	out := w.e.Dialled()
	if out.To.Value != "02712328" || out.ANI != "13871234567" || out.Headers["X-Call"] == "" {
		t.Fatalf("dialled %+v", out)
	}
	w.pass(6 * time.Second)
	w.e.Pick(out.Leg)
	w.sync()
	if !w.e.Heard(caller, out.Leg) {
		t.Error("caller and kept seat do not hear each other")
	}
	w.e.HangUp(out.Leg)
	w.sync()
	r := w.newest()
	if r.Result != cdr.Forwarded || r.Mode != "B2" || r.WaitMs() < 6000 || r.WaitMs() > 8000 {
		t.Errorf("on record: %+v, waited %d", r, r.WaitMs())
	}
	p := w.sit("wang")
	caller = w.call("12328")
	w.pass(2 * time.Second)
	w.e.Refuse(w.e.Dialled().Leg, 19)
	w.pass(9 * time.Second)
	p.answer()
	if !w.e.Heard(caller, p.leg) {
		t.Error("nobody at the kept seats: the caller is with nobody")
	}
	if n := w.count(`SELECT count(*) FROM voice_transfer WHERE mode = 'forward' AND result = 'no_answer'`); n != 1 {
		t.Errorf("%d in the ledger", n)
	}
}

// 回访: by day only, the number is never shown, one citizen not twice in four hours.
func TestOutboundRespectsQuietHours(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	made, err := w.deps.Intake.Submit(ctx, p.a, intake.Request{Type: "求助", Title: "路灯不亮", Content: "关山大道路灯连续三天不亮。", Region: "420100", Channel: "phone", Way: intake.WayDispatch, Requester: ticket.Requester{Name: "王先生", Phone: "13811112222"}})
	must(t, err)
	w.c.Set(time.Date(2026, 11, 23, 21, 30, 0, 0, clock.Shanghai))
	if err := p.d.Dial(ctx, made.ID); !fault.Is(err, "quiet_hours") {
		t.Fatalf("at half past nine in the evening: %v", err)
	}
	w.c.Set(time.Date(2026, 11, 24, 9, 0, 0, 0, clock.Shanghai))
	must(t, p.d.Dial(ctx, made.ID))
	out := w.e.Dialled()
	if out.To.Value != "13811112222" || out.ANI != "12345" {
		t.Fatalf("dialled %+v", out)
	}
	m, _ := p.last("call")
	if m.Number != "138****2222" || m.Phase != dialling {
		t.Errorf("the seat was told %+v", m)
	}
	w.e.Pick(out.Leg)
	w.sync()
	if !w.e.Heard(p.leg, out.Leg) {
		t.Error("they do not hear each other")
	}
	w.eventually("the seat that took the request in is shown the number", func() bool { m, ok := p.last("caller"); return ok && m.Number == "13811112222" })
	must(t, p.d.Hangup(ctx))
	w.sync()
	if r := w.newest(); r.Direction != "out" || r.Result != cdr.Answered || r.Ticket != made.ID {
		t.Errorf("on record: %+v", r)
	}
	if again, err := w.deps.CDR.DialledSince(ctx, made.ID, w.x.ms()-recall); err != nil || !again {
		t.Errorf("dialled lately: %v %v", again, err)
	}
	if err := p.d.Progressive(ctx, true); !fault.Is(err, "role_forbidden") {
		t.Errorf("a seat dials a list: %v", err)
	}
	caller := w.sit("callback")
	again, err := w.deps.Intake.Submit(ctx, p.a, intake.Request{Type: "求助", Title: "水压不足", Content: "二栋高层早晚水压不足，已有一周。", Region: "420100", Channel: "phone", Way: intake.WayDispatch, Requester: ticket.Requester{Name: "李女士", Phone: "13811113333"}})
	must(t, err)
	must(t, caller.d.Dial(ctx, again.ID))
	w.e.Pick(w.e.Dialled().Leg)
	w.sync()
	must(t, caller.d.Hangup(ctx))
	w.sync()
	must(t, caller.d.Ready(ctx))
	must(t, caller.d.Progressive(ctx, true))
	must(t, caller.d.Progressive(ctx, false))
	w.c.Set(time.Date(2026, 11, 24, 21, 30, 0, 0, clock.Shanghai))
	if err := caller.d.Progressive(ctx, true); !fault.Is(err, "quiet_hours") {
		t.Errorf("a list is dialled in the evening: %v", err)
	}
	if m, ok := caller.last("caller"); ok {
		t.Errorf("who calls back is shown %+v", m)
	}
}

// A list that is dialled by itself rests in the quiet hours, and its page says so.
func TestProgressiveRestsInTheQuietHours(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("callback")
	for _, step := range []struct {
		at    time.Time
		on    bool
		rests time.Time
		text  string
	}{
		{time.Date(2026, 11, 24, 20, 59, 0, 0, clock.Shanghai), true, time.Time{}, ""},
		{time.Date(2026, 11, 24, 21, 0, 0, 0, clock.Shanghai), true, time.Date(2026, 11, 25, 8, 0, 0, 0, clock.Shanghai), "现为静默时段，渐进外呼暂停，08:00自动继续。"},
		{time.Date(2026, 11, 25, 8, 0, 0, 0, clock.Shanghai), true, time.Time{}, "静默时段已过，渐进外呼继续。"},
		{time.Date(2026, 11, 25, 8, 1, 0, 0, clock.Shanghai), false, time.Time{}, "静默时段已过，渐进外呼继续。"},
	} {
		w.c.Set(step.at)
		if !step.on || step.text == "" {
			must(t, p.d.Progressive(ctx, step.on))
		}
		w.x.pace(ctx)
		m, _ := p.last("state")
		notice, _ := p.last("notice")
		if at := clock.FromMillis(m.Rests); m.Next != step.on || !step.rests.IsZero() && !at.Equal(step.rests) || step.rests.IsZero() && m.Rests != 0 || notice.Text != step.text {
			t.Errorf("%s: on %v, rests until %s, %q", step.at.Format("15:04"), m.Next, at, notice.Text)
		}
	}
}

// 领导接听: within the session the leader has a seat, and each call is on the board.
func TestLeaderAnswers(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	mayor, err := w.deps.Access.ByUsername(ctx, "acct.mayor")
	must(t, err)
	a := actorOf(mayor, w.deps.Org.Tree())
	if _, err := w.x.Open(ctx, a, func(Message) {}); !fault.Is(err, "seat_role") {
		t.Fatalf("without a session: %v", err)
	}
	session, err := w.deps.CDR.AddLeaderSession(ctx, access.Actor{Account: 1, Role: access.ShiftLead, Unit: a.Unit}, cdr.LeaderSession{Leader: mayor.ID, Title: "市长接听日", From: w.x.ms(), To: w.x.ms() + 3_600_000})
	must(t, err)
	p := w.sit("mayor")
	w.call("12345")
	w.pass(2 * time.Second)
	id := p.answer()
	w.x.journal.flush()
	items, err := w.deps.CDR.LeaderItems(ctx, a, session.ID)
	if err != nil || len(items) != 1 || items[0].Call != id || items[0].State != "open" || items[0].Due <= w.x.ms() {
		t.Fatalf("board: %+v %v", items, err)
	}
	must(t, w.deps.CDR.CloseLeaderItem(ctx, a, items[0].ID, "已责成区城管局当日修复。"))
	w.pass(time.Hour) // the session ends while he talks: he finishes, and no more calls come
	if st := p.state(); st != "talking" {
		t.Errorf("at the end of the session he is %s", st)
	}
	must(t, p.d.Hangup(ctx))
	w.sync()
	if st := p.state(); st != "unready" {
		t.Errorf("after the last talk he is %s", st)
	}
	w.call("12345")
	w.pass(2 * time.Second)
	if st := p.state(); st != "unready" {
		t.Errorf("after the session he is %s", st)
	}
}

// A session that is called off ends the leader's duty at once; a reason is asked
// for, and it cannot be called off twice.
func TestLeaderSessionIsCalledOff(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	mayor, err := w.deps.Access.ByUsername(ctx, "acct.mayor")
	must(t, err)
	a := actorOf(mayor, w.deps.Org.Tree())
	lead := access.Actor{Account: 1, Role: access.ShiftLead, Unit: a.Unit}
	session, err := w.deps.CDR.AddLeaderSession(ctx, lead, cdr.LeaderSession{Leader: mayor.ID, Title: "市长接听日", From: w.x.ms(), To: w.x.ms() + 3_600_000})
	must(t, err)
	p := w.sit("mayor")
	for code, try := range map[string]struct {
		who    access.Actor
		reason string
	}{"reason_needed": {lead, " "}, "session_absent": {access.Actor{Account: 2, Role: access.ShiftLead, Unit: w.deps.Org.Tree().Province().ID}, "临时有会议"}} {
		if _, err := w.deps.CDR.CancelLeaderSession(ctx, w.deps.Audit, try.who, session.ID, try.reason); !fault.Is(err, code) {
			t.Errorf("%v, want %s", err, code)
		}
	}
	_, err = w.deps.CDR.CancelLeaderSession(ctx, w.deps.Audit, lead, session.ID, "临时有会议")
	must(t, err)
	must(t, w.x.SessionCancelled(ctx, session.ID))
	w.pass(time.Second)
	w.call("12345")
	w.pass(2 * time.Second)
	if st := p.state(); st == "ready" || st == "ringing" {
		t.Errorf("after the session was called off he is %s", st)
	}
	if _, err := w.x.Open(ctx, a, func(Message) {}); !fault.Is(err, "seat_role") {
		t.Errorf("a seat of a session that was called off: %v", err)
	}
	if _, err := w.deps.CDR.CancelLeaderSession(ctx, w.deps.Audit, lead, session.ID, "临时有会议"); !fault.Is(err, "session_cancelled") {
		t.Errorf("called off twice: %v", err)
	}
	list, err := w.deps.CDR.LeaderSessions(ctx, a)
	if err != nil || len(list) != 1 || list[0].Cancelled == 0 || list[0].Reason != "临时有会议" {
		t.Errorf("sessions: %+v %v", list, err)
	}
	if n := w.count(`SELECT count(*) FROM audit WHERE kind = 'leader.cancel' AND subject_id = $1`, session.ID); n != 1 {
		t.Errorf("%d entries of the audit", n)
	}
}

// A ticket made at the seat carries its call.
func TestTicketKnowsItsCall(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	w.call("12345")
	w.pass(2 * time.Second)
	id := p.answer()
	made, _, err := w.deps.Intake.SubmitOnce(ctx, p.a, intake.Request{Type: "求助", Title: "路灯不亮", Content: "关山大道路灯连续三天不亮。", Region: "420100", Channel: "phone", Call: id, Way: intake.WayDispatch}, "k1", []byte("d"),
		func(tx *db.Tx, n *ticket.Intake, made ticket.Created) error {
			return w.deps.CDR.Bind(tx, n.Call, made.ID, p.a.Account)
		})
	must(t, err)
	must(t, p.d.Hangup(ctx))
	w.pass(time.Second)
	if r := w.record(id); r.Ticket != made.ID {
		t.Errorf("the call carries ticket %d, not %d", r.Ticket, made.ID)
	}
}

// 拨测: a call of the test line reaches the seat it names.
func TestProbeNamesItsSeat(t *testing.T) {
	w := newWorld(t)
	w.sit("wang")
	w.c.Advance(time.Minute)
	b := w.sit("li")
	l := w.e.CallWith("12345", "13871234567", map[string]string{"X-Seat": b.d.s.id})
	w.sync()
	w.pass(time.Second)
	b.answer()
	if !w.e.Heard(l, b.leg) {
		t.Error("the probe reached another seat")
	}
	if c := w.newest(); !c.Test() {
		t.Errorf("it is not marked: %v", c.Flags)
	}
	must(t, b.d.Hangup(context.Background()))
	w.pass(90 * time.Second)
	l = w.e.CallWith("12345", "13871234568", map[string]string{"X-Seat": b.d.s.id})
	w.sync()
	w.pass(9 * time.Second)
	w.e.HangUp(l)
	w.sync()
	if c := w.newest(); c.Result != cdr.Abandoned || w.count(`SELECT count(*) FROM voice_callback`) != 0 {
		t.Errorf("a probe is owed a call: %s", c.Result)
	}
}

// 演示中继: its calls name their seat too, but count, and are called back by it.
func TestCountedProbeIsOwedACall(t *testing.T) {
	w := newWorld(t)
	var rules map[string]any
	must(t, json.Unmarshal(defaultRules, &rules))
	rules["trunks"].([]any)[0].(map[string]any)["counted"] = true
	doc, err := json.Marshal(rules)
	must(t, err)
	must(t, w.d.Update(context.Background(), func(tx *db.Tx) error {
		_, err := w.deps.Policy.Publish(tx, policy.Publication{Kind: PolicyVoice, Doc: doc, EffectiveFrom: w.c.Now().Add(-time.Second)})
		return err
	}))
	w.sit("wang")
	w.c.Advance(time.Minute)
	b := w.sit("li")
	l := w.e.CallWith("12345", "13871234567", map[string]string{"X-Seat": b.d.s.id})
	w.sync()
	w.pass(9 * time.Second)
	w.e.HangUp(l)
	w.sync()
	missed := w.newest()
	if missed.Test() || missed.Result != cdr.Abandoned {
		t.Fatalf("%v %s", missed.Flags, missed.Result)
	}
	w.pass(2 * time.Second)
	m, _ := b.last("ringing")
	if !m.Callback || m.Call != missed.ID {
		t.Fatalf("the call-back did not ring at the seat: %+v", m)
	}
	must(t, b.d.Answer(context.Background(), m.Call))
	w.e.Pick(w.e.Dialled().Leg)
	w.sync()
	if n := w.count(`SELECT count(*) FROM voice_callback WHERE state = 'done' AND call_id = $1`, missed.ID); n != 1 {
		t.Error("the call-back is not on record")
	}
}

func TestRulesStayWithinTheStandard(t *testing.T) {
	if err := ValidateRules(defaultRules, nil); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(r *Rules){
		"rings longer than 15 s":     func(r *Rules) { r.Queue.RingTime = 30 },
		"calls back after an hour":   func(r *Rules) { r.Queue.Within = 3600 },
		"a target rings a minute":    func(r *Rules) { r.Hand = 60 },
		"a lost seat keeps a caller": func(r *Rules) { r.Lost = 30 },
		"rings in disorder":          func(r *Rules) { r.Queue.Rings = []acd.Step{{After: 5, Reach: 2}, {After: 1, Reach: 3}} },
		"no time":                    func(r *Rules) { r.Quiet.From = "25:00" },
	} {
		r, err := ParseRules(defaultRules)
		must(t, err)
		change(&r)
		doc, _ := json.Marshal(r)
		if err := ValidateRules(doc, nil); !fault.Is(err, "voice_invalid") {
			t.Errorf("%s: %v", what, err)
		}
	}
	r, _ := ParseRules(defaultRules)
	for hm, want := range map[string]string{"07:59": "08:00", "08:00": "", "20:59": "", "21:00": "08:00", "23:30": "08:00"} {
		at, _ := time.ParseInLocation("2006-01-02 15:04", "2026-11-23 "+hm, clock.Shanghai)
		got := ""
		if u := r.QuietUntil(at); !u.IsZero() {
			got = u.Format("15:04")
		}
		if got != want {
			t.Errorf("quiet at %s until %q, want %q", hm, got, want)
		}
	}
}

// 转座席: the colleague whom the seat chose rings first, whoever else is free; when
// he does not answer the next one takes over, and the ledger says so.
func TestTransferToSeat(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	wang, lead := w.sit("wang"), w.sit("lead") // the longest idle of the others is the 班长
	li, hs := w.sit("li"), w.sit("hs")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	wang.answer()
	for id, code := range map[string]string{hs.d.s.id: "seat_unknown", wang.d.s.id: "seat_unknown", "1": "seat_unknown"} {
		if err := wang.d.Transfer(ctx, "seat:"+id, ""); !fault.Is(err, code) {
			t.Errorf("to %s: %v", id, err)
		}
	}
	must(t, lead.d.Break(ctx))
	if err := wang.d.Transfer(ctx, "seat:"+lead.d.s.id, ""); !fault.Is(err, "seat_busy") || !strings.Contains(err.Error(), "小休") {
		t.Errorf("to a seat that rests: %v", err)
	}
	must(t, lead.d.Ready(ctx))
	seats := w.x.Seats(wang.a)
	if len(seats) != 3 || seats[0].Skills == nil {
		t.Errorf("seats that 武汉 sees: %+v", seats)
	}
	w.pass(20 * time.Second)
	must(t, wang.d.Transfer(ctx, "seat:"+li.d.s.id, "诉求人指定"))
	w.pass(2 * time.Second)
	if m, _ := li.last("ringing"); !strings.Contains(m.Why, "由座席转来") {
		t.Errorf("why: %q", m.Why)
	}
	li.answer()
	if !w.e.Heard(caller, li.leg) || w.e.Heard(caller, wang.leg) {
		t.Error("the caller is not with the colleague alone")
	}
	must(t, li.d.Transfer(ctx, "seat:"+lead.d.s.id, ""))
	w.pass(14 * time.Second) // he does not answer; by now the whole province may
	hs.answer()
	if !w.e.Heard(caller, hs.leg) {
		t.Error("nobody took over")
	}
	for _, want := range []struct{ target, result string }{{li.d.s.id, "completed"}, {lead.d.s.id, "no_answer"}} {
		if n := w.count(`SELECT count(*) FROM voice_transfer WHERE kind = 'seat' AND mode = 'seat' AND target = $1 AND result = $2 AND wait_ms > 0`, "seat:"+want.target, want.result); n != 1 {
			t.Errorf("%d entries of %+v in the ledger", n, want)
		}
	}
}

// A queue that the caller leaves is an attempt that came to nothing.
func TestTransferToQueueAbandoned(t *testing.T) {
	w := newWorld(t)
	p := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	p.answer()
	must(t, p.d.Transfer(context.Background(), "queue:12333", "社保业务"))
	if n := w.count(`SELECT count(*) FROM voice_transfer WHERE kind = 'queue' AND result = ''`); n != 1 {
		t.Errorf("%d under way", n)
	}
	w.e.HangUp(caller)
	w.pass(time.Second)
	if n := w.count(`SELECT count(*) FROM voice_transfer WHERE kind = 'queue' AND result = 'cancelled'`); n != 1 {
		t.Errorf("%d cancelled", n)
	}
}

// Who signed off takes the seat again with the next state that is chosen.
func TestSignedOffSeatComesBack(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	must(t, p.d.SignOff(ctx))
	w.sync()
	if p.state() != "off" {
		t.Fatalf("signed off, the seat is %s", p.state())
	}
	must(t, p.d.Break(ctx))
	w.sync()
	if p.state() != "break" {
		t.Fatalf("back again, the seat is %s", p.state())
	}
	must(t, p.d.Ready(ctx))
	w.call("12345")
	w.pass(3 * time.Second)
	if _, ok := p.last("ringing"); !ok {
		t.Error("no call reaches the seat that came back")
	}
}

// Most callers press one key and hang up: their verdict is counted all the same.
func TestHalfAVerdictCounts(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p := w.sit("wang")
	caller := w.call("12345")
	w.pass(3 * time.Second)
	id := p.answer()
	must(t, p.d.Hangup(ctx))
	w.sync()
	w.e.Key(caller, "2")
	w.sync()
	w.e.HangUp(caller)
	w.sync()
	if r := w.record(id); r.Survey != 2 || r.Solved != "" {
		t.Errorf("on record: %+v", r)
	}
	_, err := w.log.SealNow(ctx)
	must(t, err)
	_, err = w.deps.CDR.CatchUp(ctx)
	must(t, err)
	today, err := w.deps.CDR.Today(ctx, w.deps.Org.Tree().Province().ID)
	if err != nil || today.Surveyed != 1 || today.Score != 2 || today.Satisfied != 0 {
		t.Errorf("today: %+v %v", today, err)
	}
	if equal, err := w.deps.CDR.Recount(ctx); err != nil || !equal {
		t.Errorf("figures and calls: equal %v, %v", equal, err)
	}
}

// The record tells of the whole call, not of its last five seconds.
func TestQualityIsOfTheWholeCall(t *testing.T) {
	h := lineQuality{}
	h.add(media.Event{MOS: 3.2, Loss: 0.04, Jitter: 20, Packets: 750})
	h.add(media.Event{MOS: 4.4, Packets: 250})
	h.add(media.Event{MOS: 1, Loss: 1}) // nothing came
	if mos, loss, jitter := h.mean(); mos != 350 || loss != 30 || jitter != 15 {
		t.Errorf("MOS %d, loss %d, jitter %d", mos, loss, jitter)
	}
	if mos, _, _ := (&lineQuality{}).mean(); mos != 0 {
		t.Errorf("nothing heard: %d", mos)
	}
}
