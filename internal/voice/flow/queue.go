package flow

import (
	"context"
	"strconv"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/intake"
	"hotline/internal/region"
	"hotline/internal/ticket"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

func seatName(account int64) string { return strconv.FormatInt(account, 10) }

func seatID(name string) int64 {
	n, _ := strconv.ParseInt(name, 10, 64)
	return n
}

// byQueue finds the call of a number of the dispatcher.
func (x *Exchange) byQueue(q int64) *call {
	if c := x.calls[q]; c != nil && c.q() == q {
		return c
	}
	for _, c := range x.calls {
		if c.q() == q {
			return c
		}
	}
	return nil
}

// act does one thing that the dispatcher decided.
func (x *Exchange) act(ctx context.Context, a acd.Action) {
	c := x.byQueue(a.Call)
	switch a.Kind {
	case acd.Ring:
		x.ring(ctx, c, a)
	case acd.StopRing:
		x.stopRing(ctx, c, a)
	case acd.Unready:
		if s := x.seats[a.Seat]; s != nil {
			s.push(Message{Type: "notice", Code: "no_answer", Text: "来电未及时接听，已转给其他座席，您已置为未就绪。"})
			x.showSeat(s)
		}
	case acd.Wrapped:
		if s := x.seats[a.Seat]; s != nil {
			x.showSeat(s)
		}
	case acd.Announce:
		if c != nil && c.Phase == queued {
			c.announce(ctx, a)
		}
	case acd.Offer:
		if c != nil && c.Phase == queued {
			c.offerCallback(ctx)
		}
	case acd.GaveUp:
		x.gaveUp(a.Call)
	case acd.CameBack:
		x.settled(a.Call, "came_back")
	}
	x.changed()
}

// ring lets a seat ring for a call, with why it was chosen.
func (x *Exchange) ring(ctx context.Context, c *call, a acd.Action) {
	s := x.seats[a.Seat]
	if s == nil {
		x.acd.SignOff(x.ms(), a.Seat)
		return
	}
	o := &cdr.Offering{ID: x.DB.NewID(), Queue: "", Reach: a.Reach.Word(), Seat: seatID(a.Seat), Why: a.Why, Began: x.ms()}
	if c == nil { // a call-back: the seat first, then the citizen
		owed := x.owed(a.Call)
		if owed == nil {
			x.acd.Drop(x.ms(), a.Call)
			return
		}
		s.rings = a.Call
		s.push(Message{Type: "ringing", Call: a.Call, Callback: true, Kept: owed.back.Kind == "kept", Why: a.Why, Number: owed.rec.Masked, Region: owed.rec.Region, Place: region.FullName(owed.rec.Region), Line: owed.rec.Line, LineName: x.Lines.Name(owed.rec.Line, x.clk.Now()), Ring: x.now().queueTime(owed.rec.Queue), Waited: x.ms() - owed.rec.Began})
		o.Call = a.Call
		owed.offer = o
		x.saveOffer(*o)
		x.showSeat(s)
		return
	}
	o.Call, o.Queue = c.rec.ID, c.rec.Queue
	c.offer = o
	x.saveOffer(*o)
	s.rings = c.rec.ID
	c.Seat = s.id
	c.rec.Seat, c.rec.Unit = s.actor.Account, s.actor.Unit
	c.move(ringing)
	c.tell(cdr.EventRinging, 0, map[string]any{"reach": int(a.Reach)})
	m := c.message("ringing")
	if m.Why = a.Why; c.Placed != "" {
		m.Why += "；归属依据：" + c.Placed
	}
	m.Ring = x.now().queueTime(c.rec.Queue)
	s.push(m)
	x.showSeat(s)
	if s.phone != "" {
		x.ringPhone(ctx, c, s)
	}
}

// queueTime is how long a seat rings.
func (r Rules) queueTime(name string) int {
	q := r.queue(name)
	return q.RingTime
}

// stopRing silences a seat: another took the call, the caller is gone, or
// nobody answered.
func (x *Exchange) stopRing(ctx context.Context, c *call, a acd.Action) {
	if s := x.seats[a.Seat]; s != nil && s.rings == a.Call || s != nil && c != nil && s.rings == c.rec.ID {
		s.rings = 0
		s.push(Message{Type: "stop_ring", Call: a.Call})
		x.showSeat(s)
	}
	if owed := x.owed(a.Call); owed != nil && owed.offer != nil {
		owed.offer.Ended, owed.offer.Outcome = x.ms(), "no_answer"
		x.saveOffer(*owed.offer)
		owed.offer = nil
	}
	if c == nil {
		return
	}
	for _, p := range c.Parties {
		if p.Kind == "seat" && p.Seat == a.Seat && p.Leg != c.SeatLeg {
			c.out(p.Leg, 19)
			x.order("stop phone", x.Engine.Hangup(ctx, p.Leg, 19))
			break
		}
	}
	if c.Phase == ringing {
		c.closeOffer("no_answer")
		c.First = ""
		c.Seat, c.rec.Seat, c.rec.Unit = "", 0, 0
		c.move(queued)
	}
}

func (c *call) closeOffer(outcome string) {
	if c.offer == nil {
		return
	}
	c.offer.Ended, c.offer.Outcome = c.x.ms(), outcome
	c.x.saveOffer(*c.offer)
	c.offer = nil
}

func (x *Exchange) saveOffer(o cdr.Offering) {
	x.journal.write(func(tx *db.Tx) error { return x.CDR.SaveOffer(tx, o) })
}

// announce tells the caller the position and the wait, in ranges.
func (c *call) announce(ctx context.Context, a acd.Action) {
	names := []string{"q_busy"}
	if a.Position > 1 {
		names = append(names, "q_ahead", count(a.Position-1), "q_people")
	}
	switch {
	case a.High == 0:
		names = append(names, "q_long")
	case a.High > 1:
		names = append(names, "q_wait", count(max(a.Low, 1)), "q_to", count(a.High), "q_minutes")
	}
	c.play(ctx, c.Caller, "announce", clips(names...), false, false, c.music)
}

// music goes on while the caller waits.
func (c *call) music(ctx context.Context, _ string) {
	if c.Phase == queued || c.Phase == ringing {
		c.play(ctx, c.Caller, "moh", clips("moh"), true, false, nil)
	}
}

// offerCallback offers to call back without losing the place.
func (c *call) offerCallback(ctx context.Context) {
	c.play(ctx, c.Caller, "callback", clips("q_callback"), false, true, c.music)
	c.ask(ctx, media.Digits{Max: 1, First: 15, Inter: 3}, func(ctx context.Context, d string) {
		if d == "1" && (c.Phase == queued || c.Phase == ringing) {
			c.closeOffer("gone")
			c.keepPlace(ctx)
		}
	})
}

// keepPlace ends the call with the promise to call back.
func (c *call) keepPlace(ctx context.Context) {
	x := c.x
	if !x.acd.KeepPlace(x.ms(), c.q()) {
		return
	}
	x.owe(c, "kept")
	c.move(leaving)
	c.play(ctx, c.Caller, "bye", clips("callback_ok"), false, false, func(ctx context.Context, _ string) { c.finish(ctx, cdr.Kept, 16, "platform") })
}

// autoTicket registers a call that no person took, so that the citizen is never
// told to dial again.
func (x *Exchange) autoTicket(ctx context.Context, rec cdr.Call, why string) {
	go func() {
		x.order("auto ticket", Register(context.WithoutCancel(ctx), x.Intake, x.CDR, &rec, why))
	}()
}

// Register makes a ticket of a call that no person took (电话自动登记).
func Register(ctx context.Context, in *intake.Service, records *cdr.Service, rec *cdr.Call, why string) error {
	title := "来电未能接通，请回电"
	if rec.AnsweredAt > 0 {
		title = "来电需转办，请联系诉求人"
	}
	r := intake.Request{Type: "其他", Title: title, Content: "市民拨打" + rec.DNIS + "，" + why + "，系统自动登记，请尽快回电了解诉求。", Region: rec.Region, Channel: "phone", Line: rec.Line, Call: rec.ID,
		Platform: rec.Platform, Way: intake.WayHold, Flags: []string{"电话自动登记"}, Requester: ticket.Requester{Kind: "个人", Phone: rec.Number}}
	if rec.Number == "" {
		r.Secrecy = ticket.SecrecyAnonymous
	}
	made, err := in.Submit(ctx, access.System("语音平台"), r)
	if err != nil {
		return err
	}
	return records.DB.Update(ctx, func(tx *db.Tx) error { return records.Bind(tx, rec.ID, made.ID, 0) })
}
