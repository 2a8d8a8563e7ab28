package flow

import (
	"context"
	"slices"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
	"hotline/internal/workforce"
)

// seat is a position on duty.
type seat struct {
	x       *Exchange
	id      string
	actor   access.Actor
	person  workforce.Person
	desks   []*Desk   // open connections; the newest is spoken to first
	leg     media.Leg // standing leg of the browser, "" = none
	phone   string    // SIP phone at which it answers, "" = the browser
	phoneUp bool
	phones  []workforce.Handset // that it may choose
	rings   int64               // call or call-back that rings here
	call    int64               // call in talk
	watch   int64               // call that a supervisor listens to
	lost    *timer
	gone    *timer
	over    *timer // end of a leader's session
	next    bool   // progressive 回访: the next citizen is dialled by itself
	rests   int64  // until when it is not: 静默时段
	notes   *noting
	told    acd.SeatState
	span    cdr.State

	mos, loss, jitter int
}

func (s *seat) push(m Message) {
	for _, d := range s.desks {
		d.push(m)
	}
}

// Desk is one connection of a seat (席位连接): a browser page. A seat may have
// two for a moment, when a page is loaded anew.
type Desk struct {
	x    *Exchange
	s    *seat
	push func(Message)
}

// seatRoles may sit at the telephone.
var seatRoles = []access.Role{access.Agent, access.ShiftLead, access.BranchAgent, access.Callback, access.Supervisor, access.Inspector}

// MaySit tells whether a person's role has a seat (话务席位).
func MaySit(a access.Actor) bool { return slices.Contains(seatRoles, a.Role) && a.Restricted == "" }

// Open brings a person to a seat. push is called in order and must not block.
// It fails with forbidden seat_role.
func (x *Exchange) Open(ctx context.Context, a access.Actor, push func(Message)) (*Desk, error) {
	if !MaySit(a) && !x.leads(ctx, a) {
		return nil, fault.Forbidden("seat_role", "您的岗位没有话务席位。")
	}
	p, err := x.Staff.Person(ctx, a)
	if err != nil {
		return nil, err
	}
	phones, err := x.Staff.Usable(ctx, a)
	if err != nil {
		return nil, err
	}
	d := &Desk{x: x, push: push}
	err = x.do(ctx, func() error {
		id := seatName(a.Account)
		s := x.seats[id]
		if s == nil {
			s = &seat{x: x, id: id}
			x.seats[id] = s
		}
		s.actor, s.person, s.phones = a, p, phones
		x.sitAt(s, p.Phone)
		s.gone.stop()
		s.gone = nil
		d.s = s
		s.desks = append([]*Desk{d}, s.desks...)
		x.acd.SignOn(x.ms(), x.profile(s))
		x.untilOver(context.WithoutCancel(ctx), s)
		x.hello(d)
		return nil
	})
	return d, err
}

// profile is the seat as the dispatcher knows it.
func (x *Exchange) profile(s *seat) acd.Seat {
	return acd.Seat{ID: s.id, Team: s.actor.Unit, City: x.Org.Tree().Platform(s.actor.Unit).ID, Remote: s.person.Remote, Skills: s.person.Skills}
}

// hello tells a new connection where its seat stands.
func (x *Exchange) hello(d *Desk) {
	s := d.s
	m := x.seatMessage(s)
	m.Type, m.Seat, m.No, m.Name, m.Skills, m.Devices = "hello", s.id, s.person.No, s.actor.Name, s.person.Skills, x.devices(s)
	d.push(m)
	if taken := s.person.Phone; taken != "" && s.phone == "" {
		d.push(Message{Type: "notice", Code: "phone_in_use", Text: "话机" + taken + "正由其他席位使用，本席改用浏览器接听。"})
	}
	d.push(x.transcribing(""))
	if c := x.calls[s.call]; c != nil {
		d.push(c.message("call"))
		x.retell(d, c)
		if c.heard != "" {
			d.push(x.transcribing(c.heard))
		}
		x.reveal(s, c)
	} else if c := x.calls[s.rings]; c != nil {
		m := c.message("ringing")
		m.Ring = x.now().queueTime(c.rec.Queue)
		d.push(m)
	}
}

// seatMessage is the state of a seat.
func (x *Exchange) seatMessage(s *seat) Message {
	v := x.acd.SeatOf(s.id)
	m := Message{Type: "state", State: v.State, Since: v.Since, After: v.After, Up: x.up(s), Phone: s.phone, Next: s.next, Rests: s.rests}
	if v.State == acd.Wrap {
		m.Until = v.Since + int64(x.now().Queue.Wrap)*1000
	}
	return m
}

func (x *Exchange) showSeat(s *seat) {
	s.push(x.seatMessage(s))
	x.changed()
}

// track writes a span of the seat's day when its state has changed.
func (x *Exchange) track(s *seat) {
	st := x.acd.SeatOf(s.id).State
	if st == s.told {
		return
	}
	s.told = st
	x.closeSpan(s)
	if st != acd.Off {
		s.span = cdr.State{ID: x.DB.NewID(), Account: s.actor.Account, Unit: s.actor.Unit, Platform: x.Org.Tree().Platform(s.actor.Unit).ID, State: string(st), From: x.ms()}
		x.saveSpan(s.span, true)
	}
	x.showSeat(s)
}

func (x *Exchange) closeSpan(s *seat) {
	if s.span.ID == 0 {
		return
	}
	s.span.To = x.ms()
	x.saveSpan(s.span, false)
	s.span = cdr.State{}
}

func (x *Exchange) saveSpan(st cdr.State, begins bool) {
	x.journal.write(func(tx *db.Tx) error { return x.CDR.SaveSpan(tx, st, begins) })
}

// unnoticed is how many seconds pass before the exchange notices that a line
// was cut. A page that closes says so at once: its seat gets them on top.
const unnoticed = 5

// Close ends the connection. A page that is loaded anew comes back within ten
// seconds and finds its call; else the seat signs off and its caller goes to
// another.
func (d *Desk) Close(ctx context.Context) {
	x := d.x
	_ = x.do(ctx, func() error {
		s := d.s
		s.desks = slices.DeleteFunc(s.desks, func(o *Desk) bool { return o == d })
		if len(s.desks) == 0 {
			s.gone = x.after(x.now().Lost+unnoticed, func() { x.leftPage(ctx, s) })
		}
		return nil
	})
}

// signOff takes a seat off duty; its caller goes back to the head of the queue.
func (x *Exchange) signOff(ctx context.Context, s *seat, why string) {
	x.abandonSeat(ctx, s, why)
	x.acd.SignOff(x.ms(), s.id)
	x.track(s)
	x.closeSpan(s)
	x.stopWatching(ctx, s)
	if s.leg != "" {
		x.order("disconnect", x.Engine.Disconnect(ctx, media.Seat(s.id)))
	}
	x.sitAt(s, "")
	for _, t := range []**timer{&s.lost, &s.gone, &s.over} { // else they would meet the next who sits here
		(*t).stop()
		*t = nil
	}
	delete(x.seats, s.id)
	x.changed()
}

// SignOff ends the shift at the seat (签出).
func (d *Desk) SignOff(ctx context.Context) error {
	return d.x.do(ctx, func() error {
		if d.s.call != 0 {
			return errInTalk()
		}
		d.x.signOff(ctx, d.s, "签出")
		return nil
	})
}

// back brings a seat that signed off to its place again (再签入): what its
// person chooses next begins a new shift.
func (d *Desk) back() {
	x, s := d.x, d.s
	switch now := x.seats[s.id]; now {
	case s:
		return
	case nil:
		x.seats[s.id] = s
		x.sitAt(s, s.person.Phone)
		x.acd.SignOn(x.ms(), x.profile(s))
	default: // another page of the person signed on meanwhile
		s.desks = slices.DeleteFunc(s.desks, func(o *Desk) bool { return o == d })
		now.desks = append([]*Desk{d}, now.desks...)
		d.s = now
	}
}

func errInTalk() error { return fault.Conflict("in_talk", "正在通话，请先结束通话。") }

// Ready makes the seat take calls (就绪).
func (d *Desk) Ready(ctx context.Context) error {
	return d.x.do(ctx, func() error {
		d.back()
		if !d.x.up(d.s) {
			return d.s.mute("暂不能就绪")
		}
		d.x.acd.SetReady(d.x.ms(), d.s.id)
		return nil
	})
}

// Break lets the seat rest (小休).
func (d *Desk) Break(ctx context.Context) error {
	return d.x.do(ctx, func() error { d.back(); d.x.acd.SetBreak(d.x.ms(), d.s.id); return nil })
}

// Idle takes the seat out of service (示忙).
func (d *Desk) Idle(ctx context.Context) error {
	return d.x.do(ctx, func() error { d.back(); d.x.acd.SetIdle(d.x.ms(), d.s.id); return nil })
}

// Offer answers the browser's WebRTC offer with the standing leg of the seat.
func (d *Desk) Offer(ctx context.Context, sdp string) (string, error) {
	answer, err := d.x.Engine.Connect(ctx, media.Seat(d.s.id), sdp)
	if err != nil {
		return "", fault.Unavailable("voice_unavailable", "语音平台暂不可用，表单可照常使用。").Because(err)
	}
	return answer, nil
}

// line follows the standing leg of a browser seat.
func (x *Exchange) line(ctx context.Context, id string, leg media.Leg, up bool) {
	s := x.seats[id]
	if s == nil {
		return
	}
	if !up {
		if s.leg == leg || leg == "" {
			s.leg = ""
			if s.phone == "" { // else the seat hangs on its phone, and the page has put its own sound away
				x.voiceLost(ctx, s)
			}
		}
		return
	}
	if s.phone != "" { // answers elsewhere
		s.leg = leg
		return
	}
	s.lost.stop()
	s.lost = nil
	old := s.leg
	s.leg = leg
	if c := x.calls[s.call]; c != nil && c.Phase == talking && (old != leg || c.SeatLeg != leg) { // back on the line
		if c.SeatLeg != "" && c.SeatLeg != leg {
			c.out(c.SeatLeg, 16)
		}
		c.join(ctx, s, leg)
	}
	x.showSeat(s)
}

// voiceLost waits a little for the seat's line to come back, then gives its
// caller to another: a caller never listens to silence for more than 10 s.
func (x *Exchange) voiceLost(ctx context.Context, s *seat) {
	if x.up(s) {
		return
	}
	s.push(Message{Type: "notice", Code: "voice_lost", Text: "语音通道中断，正在恢复；未恢复时来电将转其他座席，草稿保留。"})
	x.showSeat(s)
	s.lost.stop()
	wait := x.now().Lost
	if len(s.desks) == 0 {
		wait += unnoticed
	}
	s.lost = x.after(wait, func() {
		x.abandonSeat(ctx, s, "席位断线")
		x.acd.SetIdle(x.ms(), s.id)
		x.showSeat(s)
	})
}

// abandonSeat gives the caller of a seat that is gone back to the head of the
// queue; the draft of the seat stays.
func (x *Exchange) abandonSeat(ctx context.Context, s *seat, why string) {
	c := x.calls[s.call]
	s.call = 0
	if c == nil || c.Phase != talking || c.Seat != s.id {
		return
	}
	if c.three() {
		c.rec.Flag("seat_lost")
		s.push(Message{Type: "done", Call: c.rec.ID, Result: "handed", Text: why + "，诉求人与" + c.Hand.Rec.Name + "继续通话，草稿保留。"})
		c.leave(ctx)
		return
	}
	c.closeHand(ctx, "cancelled")
	c.resume(ctx)
	if c.SeatLeg != "" {
		leg := c.SeatLeg
		c.out(leg, 27)
		x.order("leave", x.Engine.Leave(ctx, c.Room, leg))
	}
	c.SeatLeg, c.Seat = "", ""
	c.rec.Flag("seat_lost")
	s.push(Message{Type: "done", Call: c.rec.ID, Result: "requeued", Text: why + "，来电已转其他座席，草稿保留。"})
	c.toAnother(ctx)
}

// toAnother gives a caller whose seat is gone to the next one that is free.
func (c *call) toAnother(ctx context.Context) {
	c.move(queued)
	c.play(ctx, c.Caller, "moh", clips("q_busy", "moh"), true, false, nil)
	c.x.acd.Requeue(c.x.ms(), c.q())
	c.tell(cdr.EventRequeued, 0, map[string]any{"why": "seat_lost"})
}

// reveal shows the caller's number to the seat that has the caller on the line,
// once the audit of it is durable. A role that dials without knowing the number
// (回访员) does not learn it by the call.
func (x *Exchange) reveal(s *seat, c *call) {
	if !ShowsNumber(s.actor, &c.rec) {
		return
	}
	id, number, a := c.rec.ID, c.rec.Number, s.actor
	go func() {
		if NumberSeen(context.Background(), x.Audit, a, id) != nil {
			return
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		if s.call == id {
			s.push(Message{Type: "caller", Call: id, Number: number})
		}
	}()
}

// ShowsNumber tells whether a seat may read the number of the call that it has.
func ShowsNumber(a access.Actor, rec *cdr.Call) bool {
	return rec.Number != "" && access.MaskInCall(a.Role, access.Normal, access.FieldPhone) == access.Clear
}

// NumberSeen notes that a seat was shown the number of its caller.
func NumberSeen(ctx context.Context, log *audit.Log, a access.Actor, call int64) error {
	return log.Seen(ctx, audit.Entry{Actor: a.Account, Account: a.Username, Role: string(a.Role), Unit: a.Unit, Op: "call.number", SubjectKind: "call", Subject: call, Count: 1, IP: a.IP})
}

// actorOf is the person of an account, for a seat that is put back on duty.
func actorOf(a access.Account, tree *org.Tree) access.Actor {
	return access.Actor{Account: a.ID, Username: a.Username, Name: a.Name, Role: a.Role, Unit: a.Unit, Platform: tree.Platform(a.Unit).ID, Region: a.Region, Contractor: a.Contractor}
}
