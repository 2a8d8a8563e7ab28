package flow

import (
	"context"
	"strings"
	"testing"
	"time"

	"hotline/internal/fault"
	"hotline/internal/intake"
	"hotline/internal/ticket"
	"hotline/internal/voice/cdr"
	"hotline/internal/workforce"
)

// handset gives a centre a phone.
func (w *world) handset(user, unit string, account int64) workforce.Handset {
	w.t.Helper()
	u, _ := w.deps.Org.Tree().ByCode(unit)
	h, password, err := w.deps.Staff.AddHandset(context.Background(), 1, workforce.Handset{User: user, Unit: u.ID, Place: "3号席", Account: account})
	must(w.t, err)
	if len(password) != 20 {
		w.t.Errorf("password %q", password)
	}
	must(w.t, w.x.PhonesChanged(context.Background()))
	return h
}

// A seat answers at its phone: rung by the queue, connected when taken up, held
// and transferred from the call bar, over when laid down.
func TestPhoneSeat(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	h := w.handset("8001", "P420100", 0)
	if set := w.e.Setups[len(w.e.Setups)-1]; len(set.Phones) != 1 || set.Phones[0].User != "8001" || len(set.Phones[0].HA1) != 32 {
		t.Fatalf("told the exchange %+v", set.Phones)
	}
	p := w.sit("wang")
	if m, _ := p.last("devices"); len(m.Devices) != 0 {
		t.Errorf("devices %+v", m.Devices)
	}
	if m, _ := p.last("hello"); len(m.Devices) != 1 || m.Devices[0].Up || m.Devices[0].Place != "3号席" {
		t.Errorf("devices %+v", m.Devices)
	}
	must(t, p.d.Phone(ctx, "8001"))
	if st := p.state(); st != "unready" {
		t.Errorf("with a phone that is not there the seat is %s", st)
	}
	err := p.d.Ready(ctx)
	if !fault.Is(err, "phone_absent") || !strings.Contains(err.Error(), "8001") {
		t.Errorf("ready: %v", err)
	}
	w.e.Register("8001")
	w.sync()
	must(t, p.d.Ready(ctx))

	caller := w.call("12345")
	w.pass(time.Second)
	out := w.e.Dialled()
	if out.To.Value != "8001" || out.ANI != "12345" {
		t.Fatalf("rang %+v", out)
	}
	if m, ok := p.last("ringing"); !ok || !fault.Is(p.d.Answer(ctx, m.Call), "use_phone") {
		t.Error("the page could answer for the phone")
	}
	w.e.Pick(out.Leg)
	w.sync()
	if !w.e.Heard(caller, out.Leg) || !w.e.Heard(out.Leg, caller) || w.e.Heard(caller, p.leg) {
		t.Fatal("caller and phone are not together")
	}
	must(t, p.d.Hold(ctx, true))
	if w.e.Heard(caller, out.Leg) {
		t.Error("heard on hold")
	}
	must(t, p.d.Hold(ctx, false))
	w.e.Hold(out.Leg, true)
	w.sync()
	if w.e.Heard(caller, out.Leg) || !strings.HasSuffix(w.e.Said(caller), "moh") {
		t.Error("the phone's own hold key does nothing")
	}
	w.e.Hold(out.Leg, false)
	w.sync()
	if !w.e.Heard(caller, out.Leg) {
		t.Error("the hold is not taken back")
	}
	must(t, p.d.Transfer(ctx, "110", "")) // a conference at once
	w.sync()
	police := w.e.Dialled()
	w.e.Pick(police.Leg)
	w.sync()
	if !w.e.Heard(police.Leg, out.Leg) || !w.e.Heard(caller, police.Leg) {
		t.Error("no conference")
	}
	must(t, p.d.Cancel(ctx))

	// The registration runs out while it talks: the call goes on, the next does not come.
	w.e.Unregister("8001")
	w.pass(15 * time.Second)
	if !w.e.Heard(caller, out.Leg) {
		t.Fatal("the call was taken from the phone")
	}
	w.e.HangUp(out.Leg)
	w.pass(time.Second)
	if st := p.state(); st != "unready" {
		t.Errorf("after the call the seat is %s", st)
	}
	if m, _ := p.last("notice"); m.Code != "phone_absent" {
		t.Errorf("told %+v", m)
	}
	w.e.HangUp(caller)
	w.sync()
	if r := w.newest(); r.Result != cdr.Answered || r.Seat != p.a.Account {
		t.Errorf("on record: %+v", r)
	}

	// Disabled, it cannot be chosen any more; the seat sits in the browser again.
	_, err = w.deps.Staff.EnableHandset(ctx, h.Platform, h.ID, false)
	must(t, err)
	must(t, w.x.PhonesChanged(ctx))
	must(t, p.d.Phone(ctx, ""))
	must(t, p.d.Ready(ctx))
	if err := p.d.Phone(ctx, "8001"); !fault.Is(err, "handset_absent") {
		t.Errorf("a disabled phone: %v", err)
	}
	if set := w.e.Setups[len(w.e.Setups)-1]; len(set.Phones) != 0 {
		t.Errorf("the exchange still knows %+v", set.Phones)
	}
}

// A phone that nobody takes up gives the call to the next seat.
func TestPhoneNotTakenUp(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.handset("8001", "P420100", 0)
	w.e.Register("8001")
	p := w.sit("wang")
	must(t, p.d.Phone(ctx, "8001"))
	must(t, p.d.Ready(ctx))
	caller := w.call("12345")
	w.pass(time.Second)
	out := w.e.Dialled()
	b := w.sit("li")
	w.e.Refuse(out.Leg, 17)
	w.pass(time.Second)
	if p.state() != "unready" {
		t.Errorf("the seat is %s", p.state())
	}
	b.answer()
	if !w.e.Heard(caller, b.leg) {
		t.Error("the caller is with nobody")
	}
}

// Who may use which phone; two seats never share one.
func TestWhoMayUseAPhone(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a, b, far := w.sit("wang"), w.sit("li"), w.sit("daye")
	w.handset("8001", "P420100", 0)
	w.handset("8002", "P420100", b.a.Account)
	w.handset("8003", "R420281", 0)
	w.e.Register("8001")
	w.e.Register("8003")
	w.sync()
	must(t, a.d.Phone(ctx, "8001"))
	if err := b.d.Phone(ctx, "8001"); !fault.Is(err, "phone_in_use") {
		t.Errorf("two at one phone: %v", err)
	}
	if m, _ := b.last("devices"); len(m.Devices) != 2 || !m.Devices[0].Taken {
		t.Errorf("told %+v", m.Devices)
	}
	for _, user := range []string{"8002", "8003", "9999"} {
		if err := a.d.Phone(ctx, user); !fault.Is(err, "handset_absent") {
			t.Errorf("phone %s: %v", user, err)
		}
	}
	must(t, far.d.Phone(ctx, "8003")) // 县级远程座席
	must(t, far.d.Ready(ctx))
	if err := far.d.Watch(ctx, 1, Listen); err == nil {
		t.Error("an agent listens")
	}
	l := w.e.PhoneCall("8001", "13871234567")
	w.sync()
	if w.e.State(l) != "" {
		t.Error("a phone dialled a citizen by itself")
	}
	if l = w.e.PhoneCall("8001", "12345"); w.e.State(l) == "" {
		t.Error("a phone may not call the hotline")
	}
	w.sync()
}

// Calling a citizen from a seat with a phone: the phone first.
func TestPhoneSeatDials(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.handset("8001", "P420100", 0)
	w.e.Register("8001")
	p := w.sit("wang")
	must(t, p.d.Phone(ctx, "8001"))
	made, err := w.deps.Intake.Submit(ctx, p.a, intake.Request{Type: "求助", Title: "路灯不亮", Content: "关山大道路灯连续三天不亮。", Region: "420100", Channel: "phone", Way: intake.WayDispatch, Requester: ticket.Requester{Name: "王先生", Phone: "13811112222"}})
	must(t, err)
	must(t, p.d.Dial(ctx, made.ID))
	w.sync()
	phone := w.e.Dialled()
	if phone.To.Value != "8001" || phone.Headers["Call-Info"] == "" {
		t.Fatalf("dialled %+v first", phone)
	}
	w.e.Pick(phone.Leg)
	w.sync()
	citizen := w.e.Dialled()
	if citizen.To.Value != "13811112222" {
		t.Fatalf("then %+v", citizen)
	}
	w.e.Pick(citizen.Leg)
	w.sync()
	if !w.e.Heard(phone.Leg, citizen.Leg) || !w.e.Heard(citizen.Leg, phone.Leg) {
		t.Error("they do not hear each other")
	}
	must(t, p.d.Hangup(ctx))
	w.sync()
	if w.e.State(phone.Leg) != "" || w.e.State(citizen.Leg) != "" {
		t.Error("legs are left")
	}
	must(t, p.d.Wrapup(ctx))
	must(t, p.d.Dial(ctx, made.ID))
	w.sync()
	w.e.Refuse(w.e.Dialled().Leg, 19) // nobody at the phone: the citizen is not called
	w.sync()
	if n := len(w.e.Dials); n != 3 {
		t.Errorf("%d legs dialled", n)
	}
	if p.state() == "talking" {
		t.Error("the seat is still in talk")
	}
}

// The transfer key of the phone: to the list, blindly, with the outcome told;
// elsewhere it is refused.
func TestPhoneRefers(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.handset("8001", "P420100", 0)
	w.e.Register("8001")
	p := w.sit("wang")
	must(t, p.d.Phone(ctx, "8001"))
	must(t, p.d.Ready(ctx))
	caller := w.call("12345")
	w.pass(time.Second)
	leg := w.e.Dialled().Leg
	w.e.Pick(leg)
	w.sync()
	w.e.Refer(leg, "13900000000")
	w.sync()
	if m, _ := p.last("notice"); m.Code != "target_unknown" || !w.e.Heard(caller, leg) {
		t.Errorf("told %+v", m)
	}
	var number string
	for _, x := range w.deps.Lines.Targets("420100", w.c.Now()) {
		if x.Kind != "emergency" && x.Number != "" {
			number = x.Number
		}
	}
	w.e.Refer(leg, number)
	w.sync()
	out := w.e.Dialled()
	if out.To.Value != number || w.e.State(leg) != "" {
		t.Errorf("dialled %+v, the phone is %q", out.To, w.e.State(leg))
	}
	w.e.Pick(out.Leg)
	w.sync()
	if !w.e.Heard(caller, out.Leg) {
		t.Error("caller and target are not together")
	}
	if got := w.e.Outcomes(); len(got) != 2 || got[0] != 603 || got[1] != 200 {
		t.Errorf("outcomes %v", got)
	}
}
