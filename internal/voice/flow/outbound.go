package flow

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/line"
	"hotline/internal/ticket"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

// owed is a caller who is owed a call.
type owed struct {
	rec   cdr.Call
	back  cdr.Callback
	needs []acd.Need
	offer *cdr.Offering
}

func (x *Exchange) owed(id int64) *owed { return x.owing[id] }

// owe notes that the caller of c will be called back.
func (x *Exchange) owe(c *call, kind string) {
	if x.owing[c.rec.ID] != nil {
		return
	}
	q := x.now().queue(c.rec.Queue)
	o := &owed{rec: c.rec, needs: c.Needs, back: cdr.Callback{Call: c.rec.ID, Kind: kind, Platform: c.City, Line: c.rec.Line, Due: x.ms() + int64(q.Within)*1000, State: "open", Made: x.ms()}}
	x.owing[c.rec.ID] = o
	x.saveCallback(o)
	c.tell(cdr.EventCallback, 0, map[string]any{"kind": kind, "due": o.back.Due})
}

func (x *Exchange) saveCallback(o *owed) {
	back, index := o.back, o.rec.Index()
	x.journal.write(func(tx *db.Tx) error { return x.CDR.SaveCallback(tx, back, index) })
	x.changed()
}

// tried notes an attempt in vain.
func (x *Exchange) tried(id int64) {
	if o := x.owing[id]; o != nil {
		o.back.Tries++
		x.saveCallback(o)
	}
}

// settled ends what was owed.
func (x *Exchange) settled(id int64, state string) {
	if o := x.owing[id]; o != nil {
		delete(x.owing, id)
		o.back.State, o.back.DoneAt = state, x.ms()
		x.saveCallback(o)
	}
}

// gaveUp registers a caller who could not be reached, so that a person goes on;
// the ticket of a talk that broke off is enough.
func (x *Exchange) gaveUp(id int64) {
	o := x.owing[id]
	if o == nil {
		return
	}
	x.settled(id, "gave_up")
	why := "漏接后多次回拨未接通"
	if o.back.Kind == "dropped" {
		why = "通话中断后多次回拨未接通"
	}
	go func() {
		var now *cdr.Call
		err := x.DB.View(context.Background(), func(tx *db.Tx) (err error) { now, err = x.CDR.Peek(tx, id); return err })
		if err != nil || now.Ticket == 0 {
			x.autoTicket(context.Background(), o.rec, why)
		}
	}()
}

// callBack calls a citizen for the seat that accepted.
func (x *Exchange) callBack(ctx context.Context, s *seat, o *owed) error {
	if !x.acd.Answered(x.ms(), o.rec.ID, s.id) {
		return fault.Conflict("not_ringing", "这条回拨已由他人处理。")
	}
	if o.offer != nil {
		o.offer.Ended, o.offer.Outcome = x.ms(), "answered"
		x.saveOffer(*o.offer)
		o.offer = nil
	}
	c, err := x.newOut(s, o.rec.Number, o.rec.Line, o.rec.Region)
	if err != nil {
		return err
	}
	c.Owed, c.rec.Origin, c.rec.Queue, c.Needs = o.rec.ID, o.rec.ID, o.rec.Queue, o.needs
	c.rec.Flag("callback")
	c.begin(ctx, s)
	return nil
}

// newOut makes an outgoing call of a seat.
func (x *Exchange) newOut(s *seat, number, lineNo, place string) (*call, error) {
	t := line.Treatment{Number: lineNo, Region: place, Queue: line.Hotline}
	t.Line, _ = x.Lines.At(lineNo, place, x.clk.Now())
	c := &call{x: x, saved: saved{Phase: dialling, Treat: t, Path: []string{lineNo}}}
	c.City = x.Org.Tree().Platform(s.actor.Unit).ID
	c.rec = cdr.Call{ID: x.DB.NewID(), Direction: "out", DNIS: lineNo, Line: lineNo, Mode: string(t.Line.Mode), Platform: c.City, Region: place, Number: number, Queue: line.Hotline, Began: x.ms(), Seat: s.actor.Account, Unit: s.actor.Unit}
	if err := x.CDR.Seal(&c.rec); err != nil {
		return nil, err
	}
	c.Room = media.Room(fmt.Sprintf("%d", c.rec.ID))
	x.calls[c.rec.ID] = c
	return c, nil
}

// dialCitizen rings the citizen; the seat is on the call from the start.
func (c *call) dialCitizen(ctx context.Context, s *seat) {
	x := c.x
	c.Phase = dialling
	c.Caller = media.Leg(fmt.Sprintf("%d-c%d", c.rec.ID, x.DB.NewID()))
	c.Seat = s.id
	s.call, s.rings = c.rec.ID, 0
	c.in(&party{Leg: c.Caller, Kind: "caller", Name: c.rec.Masked})
	c.tell(cdr.EventDial, s.actor.Account, nil)
	x.show(c)
	x.showSeat(s)
	r := x.now()
	err := x.Engine.Dial(ctx, media.Spec{Leg: c.Caller, To: media.Target{Kind: media.ToTrunk, Value: c.rec.Number}, ANI: r.Show, Headers: map[string]string{"X-Call": fmt.Sprint(c.rec.ID)}, Timeout: r.Dial})
	if !x.order("dial citizen", err) {
		c.finish(ctx, cdr.Failed, 38, "platform")
	}
}

// reachedCitizen: the person answered.
func (c *call) reachedCitizen(ctx context.Context) {
	x := c.x
	s := x.seats[c.Seat]
	if s == nil || s.browser() == "" && c.SeatLeg == "" {
		c.rec.AnsweredAt = cmp.Or(c.rec.AnsweredAt, x.ms())
		if c.Owed != 0 {
			x.acd.Reached(x.ms(), c.Owed)
			x.settled(c.Owed, "done")
		}
		c.Seat, c.SeatLeg = "", ""
		c.toAnother(ctx) // the seat is gone
		return
	}
	hello := "visit"
	if c.Owed != 0 {
		hello = "callback_hello"
		if o := x.owed(c.Owed); o != nil && o.back.Kind == "dropped" {
			hello = "dropped_hello"
		}
		x.acd.Reached(x.ms(), c.Owed)
		x.settled(c.Owed, "done")
	}
	if c.Redial { // the room and the seat are there already
		c.Phase = talking
		x.order("join", x.Engine.Join(ctx, c.Room, c.Caller))
		c.hear(ctx, c.Caller, c.SeatLeg, 1)
		c.hear(ctx, c.SeatLeg, c.Caller, 1)
		if c.three() {
			c.hear(ctx, c.Caller, c.Hand.Leg, 1)
			c.hear(ctx, c.Hand.Leg, c.Caller, 1)
		}
		c.record(ctx)
		c.tell(cdr.EventRedialled, 0, nil)
		c.introduce(ctx, "dropped_hello")
		x.show(c)
		return
	}
	leg := s.browser()
	if leg == "" {
		leg = c.SeatLeg
	}
	c.bind(ctx, s, leg)
	c.introduce(ctx, hello)
}

// introduce tells who was called why he is called; the seat hears when that is over.
func (c *call) introduce(ctx context.Context, hello string) {
	for _, l := range []media.Leg{c.Caller, c.SeatLeg} {
		c.play(ctx, l, "hello", clips(hello), false, false, nil)
	}
}

// failures are the Q.850 causes by which a carrier says that its network, not
// the caller, ended the call.
var failures = []int{27, 34, 38, 41, 42, 44, 47, 102}

// cut tells whether a leg ended by itself: neither side hung up.
func cut(e media.Event) bool {
	return (e.By != "party" || slices.Contains(failures, e.Cause)) && e.By != "platform"
}

// broke tells whether the call ended by itself in the middle of the talk.
func (c *call) broke(e media.Event) bool {
	return c.Phase == talking && cut(e) && c.rec.Number != "" && !c.Redial && c.x.now().Redial && c.x.seats[c.Seat] != nil
}

// redial calls a caller back once whose call broke off (断线自动回拨一次). Who is in
// a three-way with the seat, as 110 may be, stays with it meanwhile.
func (c *call) redial(ctx context.Context) bool {
	s := c.x.seats[c.Seat]
	if !c.three() {
		c.closeHand(ctx, "cancelled")
	}
	if c.Held > 0 {
		c.rec.HoldMs += c.x.ms() - c.Held
		c.Held = 0
	}
	c.out(c.Caller, 41)
	c.Redial, c.Rec = true, ""
	c.rec.Flag("redial")
	c.note("redial", "通话意外中断，正在为您接回诉求人，请稍候。")
	c.dialCitizen(ctx, s)
	return true
}

// Dial calls the citizen of a ticket (回访、先行联系): the number is never shown.
// It fails with what Citizen refuses.
func (d *Desk) Dial(ctx context.Context, ticketID int64) error {
	x := d.x
	t, number, err := Citizen(ctx, x.Ticket, x.Audit, x.now(), d.s.actor, ticketID)
	if err != nil {
		return err
	}
	return x.do(ctx, func() error {
		s := d.s
		if s.call != 0 || s.rings != 0 {
			return errInTalk()
		}
		if !x.up(s) {
			return s.mute("不能外呼")
		}
		c, err := x.newOut(s, number, line.Hotline, t.Region)
		if err != nil {
			return err
		}
		c.rec.Ticket = t.ID
		if !x.acd.Adopt(x.ms(), acd.Call{ID: c.rec.ID, Queue: c.rec.Queue, City: c.City}, s.id) {
			delete(x.calls, c.rec.ID)
			return errInTalk()
		}
		c.begin(ctx, s)
		return nil
	})
}

// Citizen gives a ticket and the number of its citizen, for dialling; the audit
// of it is durable. It fails with conflict quiet_hours and no_phone, and for who
// may not call with role_forbidden and sealed_ticket.
func Citizen(ctx context.Context, tickets *ticket.Service, log *audit.Log, r Rules, a access.Actor, id int64) (*ticket.Ticket, string, error) {
	t, err := tickets.Get(ctx, a, id)
	if err != nil {
		return nil, "", err
	}
	if !a.May(access.DoCallback) && !a.May(access.Create) && !a.May(access.Relay) {
		return nil, "", fault.Forbidden("role_forbidden", "您的岗位不能外呼。")
	}
	if t.Label == access.Informant && a.Role != access.Cell {
		return nil, "", fault.Forbidden("sealed_ticket", "举报件由专办员联系。")
	}
	if until := r.QuietUntil(tickets.DB.Clock().Now()); !until.IsZero() {
		return nil, "", errQuiet(until)
	}
	_, who, err := tickets.Own(t)
	if err != nil {
		return nil, "", err
	}
	if who.Phone == "" {
		return nil, "", fault.Conflict("no_phone", "诉求人没有留下电话。")
	}
	return t, who.Phone, log.Seen(ctx, audit.Entry{Actor: a.Account, Account: a.Username, Role: string(a.Role), Unit: a.Unit, Op: "call.dial", SubjectKind: "ticket", Subject: t.ID, Count: 1, IP: a.IP})
}

func errQuiet(until time.Time) error {
	return fault.Conflict("quiet_hours", "现为静默时段，%s后再拨打。", until.Format("15:04"))
}

// Progressive lets the next citizen of the 回访 list be dialled by itself each
// time the seat is free (渐进式外呼); off, the seat looks first and dials (预览式). It
// fails with forbidden role_forbidden and conflict quiet_hours.
func (d *Desk) Progressive(ctx context.Context, on bool) error {
	if on && !d.s.actor.May(access.DoCallback) {
		return fault.Forbidden("role_forbidden", "只有回访员可以渐进式外呼。")
	}
	if until := d.x.now().QuietUntil(d.x.clk.Now()); on && !until.IsZero() {
		return errQuiet(until)
	}
	return d.x.do(ctx, func() error {
		d.s.next, d.s.rests = on, 0
		d.x.showSeat(d.s)
		return nil
	})
}

// rest tells a seat whose list is dialled by itself when the quiet hours begin
// and end.
func (x *Exchange) rest(s *seat, until time.Time) {
	var rests int64
	if !until.IsZero() {
		rests = clock.Millis(until)
	}
	if !s.next || s.rests == rests {
		return
	}
	s.rests = rests
	text := "静默时段已过，渐进外呼继续。"
	if rests != 0 {
		text = "现为静默时段，渐进外呼暂停，" + until.Format("15:04") + "自动继续。"
	}
	s.push(Message{Type: "notice", Code: "quiet_hours", Text: text})
	x.showSeat(s)
}

// pace dials for seats that asked for it, but not in the quiet hours; paces calls
// it every few seconds.
func (x *Exchange) pace(ctx context.Context) {
	until := x.now().QuietUntil(x.clk.Now())
	x.mu.Lock()
	var free []*Desk
	for _, s := range x.seats {
		x.rest(s, until)
		if until.IsZero() && s.next && s.call == 0 && s.rings == 0 && len(s.desks) > 0 && x.up(s) && x.acd.SeatOf(s.id).State == acd.Ready {
			free = append(free, s.desks[0])
		}
	}
	x.mu.Unlock()
	for _, d := range free {
		id, err := x.nextCallback(ctx, d.s.actor)
		if err != nil || id == 0 {
			continue
		}
		if err := d.Dial(ctx, id); err != nil {
			slog.Info("voice: progressive", "err", err)
		}
	}
}

// nextCallback is the ticket whose citizen is to be called next: the one due
// first on the 回访 list of the actor, not dialled within the last hours.
func (x *Exchange) nextCallback(ctx context.Context, a access.Actor) (int64, error) {
	rows, _, err := x.Ticket.List(ctx, a, x.Access.ScopeOf(a), ticket.Filter{Queue: ticket.ToCallback, Limit: 50})
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		if r.Ticket.MaskPhone == "" || r.Ticket.Label == access.Informant {
			continue
		}
		recent, err := x.CDR.DialledSince(ctx, r.Ticket.ID, x.ms()-recall)
		if err != nil {
			return 0, err
		}
		if !recent {
			return r.Ticket.ID, nil
		}
	}
	return 0, nil
}

// recall is how long a citizen who did not answer is left in peace.
const recall = 4 * 3600 * 1000
