package flow

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"

	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/intake"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

// DraftID is the draft ticket of a call.
func DraftID(call int64) string { return "call-" + strconv.FormatInt(call, 10) }

// standing tells whether a party is the standing leg of a browser seat, which
// is never hung up.
func (x *Exchange) standing(p *party) bool {
	s := x.seats[p.Seat]
	return s != nil && s.leg == p.Leg && p.Leg != ""
}

// Answer takes the call that rings here.
func (d *Desk) Answer(ctx context.Context, id int64) error {
	x, s := d.x, d.s
	return x.do(ctx, func() error {
		if s.rings == 0 || id != 0 && id != s.rings {
			return fault.Conflict("not_ringing", "这通来电已由他人接听或已挂断。")
		}
		if !x.up(s) {
			return s.mute("无法接听，来电将转其他座席")
		}
		if owed := x.owed(s.rings); owed != nil {
			return x.callBack(ctx, s, owed)
		}
		if s.phone != "" {
			return fault.Conflict("use_phone", "请在话机%s上摘机接听。", s.phone)
		}
		c := x.calls[s.rings]
		if c == nil {
			return fault.Conflict("not_ringing", "来电已挂断。")
		}
		return c.take(ctx, s, s.leg)
	})
}

// Decline gives the ringing call to another seat.
func (d *Desk) Decline(ctx context.Context) error {
	return d.x.do(ctx, func() error {
		if d.s.rings == 0 {
			return fault.Conflict("not_ringing", "没有正在振铃的来电。")
		}
		d.x.acd.Declined(d.x.ms(), d.s.rings, "座席拒接")
		return nil
	})
}

// take brings caller and seat together: bridged, recorded, greeted with the
// staff number.
func (c *call) take(ctx context.Context, s *seat, leg media.Leg) error {
	x := c.x
	if !x.acd.Answered(x.ms(), c.q(), s.id) {
		return fault.Conflict("not_ringing", "这通来电已由他人接听或已挂断。")
	}
	c.arrived(s.id, "completed")
	c.closeOffer("answered")
	s.rings = 0
	c.bind(ctx, s, leg)
	hello := append(append([]string{"agent_no"}, figures(s.person.No)...), "at_service")
	if slices.Contains(c.rec.Flags, "leader") {
		hello = []string{"leader"}
	}
	c.play(ctx, c.Caller, "hello", clips(hello...), false, false, nil)
	return nil
}

// bind makes the seat the one that talks.
func (c *call) bind(ctx context.Context, s *seat, leg media.Leg) {
	x := c.x
	s.call = c.rec.ID
	c.Seat, c.rec.Seat, c.rec.Unit = s.id, s.actor.Account, s.actor.Unit
	first := c.rec.AnsweredAt == 0
	if first {
		c.rec.AnsweredAt = x.ms()
	}
	c.Phase = talking
	c.digit = nil
	if _, ok := x.leader[s.actor.Account]; ok {
		x.leaderTook(s, c)
	}
	c.join(ctx, s, leg)
	c.tell(cdr.EventAnswered, s.actor.Account, map[string]any{"wait": c.rec.WaitMs()})
	x.show(c)
	x.reveal(s, c)
	x.showSeat(s)
	c.draft(ctx, s)
}

// join puts the seat's leg into the call's room and records.
func (c *call) join(ctx context.Context, s *seat, leg media.Leg) {
	x := c.x
	p := c.party(leg)
	if p == nil {
		p = c.in(&party{Leg: leg, Kind: "seat", Seat: s.id, Name: s.person.No})
	}
	p.Answered = x.ms()
	c.SeatLeg = leg
	if !c.Mixed {
		c.Mixed = x.order("mix", x.Engine.Mix(ctx, c.Room, c.Caller, leg))
		c.record(ctx)
	} else {
		x.order("join", x.Engine.Join(ctx, c.Room, leg))
		c.hear(ctx, leg, c.Caller, 1)
		c.hear(ctx, c.Caller, leg, 1)
	}
	c.dirty = true
	x.show(c)
}

// hear sets who hears whom.
func (c *call) hear(ctx context.Context, listener, speaker media.Leg, gain float64) {
	c.x.order("hears", c.x.Engine.Hears(ctx, c.Room, listener, speaker, gain))
}

// record begins the recording: the citizen left, everyone else right.
func (c *call) record(ctx context.Context) {
	if c.Rec != "" {
		return
	}
	c.RecN++
	c.Rec = fmt.Sprintf("%d-%d", c.rec.ID, c.RecN)
	if !c.x.order("record", c.x.Engine.Record(ctx, c.Room, media.RecordPolicy{Rec: c.Rec, Left: c.Caller})) {
		c.Rec = ""
		return
	}
	r := cdr.Recording{Rec: c.Rec, Call: c.rec.ID, Began: c.x.ms(), State: "on"}
	c.x.journal.write(func(tx *db.Tx) error { return c.x.CDR.SaveRecording(tx, r) })
}

// recorded notes a finished recording; the call may be over by then.
func (x *Exchange) recorded(e media.Event) {
	var id int64
	if _, err := fmt.Sscanf(e.Rec, "%d-", &id); err != nil {
		return
	}
	r := cdr.Recording{Rec: e.Rec, Call: id, Began: e.At - e.Ms, Ms: e.Ms, Bytes: e.Bytes, SHA256: e.SHA256, State: "ready"}
	x.journal.write(func(tx *db.Tx) error {
		if err := x.CDR.SaveRecording(tx, r); err != nil {
			return err
		}
		c, err := x.CDR.Peek(tx, id)
		if err != nil {
			return err
		}
		return x.CDR.Tell(tx, c, cdr.EventRecorded, 0, map[string]any{"ms": e.Ms, "sha256": e.SHA256})
	})
}

// draft opens the ticket that the seat fills in while talking.
func (c *call) draft(ctx context.Context, s *seat) {
	x, rec, account := c.x, c.rec, s.actor.Account
	go func() { KeepDraft(context.WithoutCancel(ctx), x.Intake, account, &rec) }()
}

// KeepDraft begins the form of a call for the seat that answered (来电草稿); a
// failure is in the log, since the page begins one itself.
func KeepDraft(ctx context.Context, in *intake.Service, account int64, rec *cdr.Call) {
	body := map[string]any{"call": fmt.Sprint(rec.ID), "line": rec.Line, "region": rec.Region, "channel": "phone", "requester": map[string]any{"phone": rec.Number, "kind": "个人"}}
	if _, err := in.SaveDraft(ctx, account, DraftID(rec.ID), "来电 "+rec.Masked+" "+spoken(rec.Began), body); err != nil {
		slog.Warn("voice: draft", "err", err)
	}
}

// current is the call that the seat talks on.
func (d *Desk) current() (*call, error) {
	if c := d.x.calls[d.s.call]; c != nil && c.Seat == d.s.id {
		return c, nil
	}
	return nil, fault.Conflict("no_call", "当前没有通话。")
}

// talk runs fn on the call that the seat talks on.
func (d *Desk) talk(ctx context.Context, fn func(c *call) error) error {
	return d.x.do(ctx, func() error {
		c, err := d.current()
		if err != nil {
			return err
		}
		if c.Phase != talking {
			return fault.Conflict("not_talking", "通话%s，不能这样操作。", c.Phase.Word())
		}
		err = fn(c)
		c.dirty = true
		d.x.show(c)
		return err
	})
}

// Hold lets the caller hear music (保持); off takes the talk up again.
func (d *Desk) Hold(ctx context.Context, on bool) error {
	return d.talk(ctx, func(c *call) error {
		if on {
			c.hold(ctx)
		} else {
			c.resume(ctx)
		}
		return nil
	})
}

func (c *call) hold(ctx context.Context) {
	if c.Held > 0 {
		return
	}
	c.Held = c.x.ms()
	for _, p := range c.Parties {
		if p.Kind != "caller" {
			c.hear(ctx, c.Caller, p.Leg, 0)
			c.hear(ctx, p.Leg, c.Caller, 0)
		}
	}
	c.play(ctx, c.Caller, "hold", clips("hold", "moh"), true, false, nil)
	c.dirty = true
}

func (c *call) resume(ctx context.Context) {
	if c.Held == 0 {
		return
	}
	c.rec.HoldMs += c.x.ms() - c.Held
	c.Held = 0
	c.x.order("stop music", c.x.Engine.StopPlay(ctx, c.Caller))
	for _, p := range c.Parties {
		if p.Kind == "seat" || p.Kind == "external" && c.Hand == nil {
			c.hear(ctx, c.Caller, p.Leg, 1)
			c.hear(ctx, p.Leg, c.Caller, 1)
		} else if p.Kind == "monitor" {
			c.hear(ctx, p.Leg, c.Caller, 1)
		}
	}
	if c.Muted {
		c.hear(ctx, c.Caller, c.SeatLeg, 0)
	}
	c.dirty = true
}

// Mute keeps the seat's voice from everyone (静音).
func (d *Desk) Mute(ctx context.Context, on bool) error {
	return d.talk(ctx, func(c *call) error {
		c.Muted = on
		gain := 1.0
		if on {
			gain = 0
		}
		for _, p := range c.Parties {
			if p.Leg != c.SeatLeg && !(p.Kind == "caller" && c.Held > 0) {
				c.hear(ctx, p.Leg, c.SeatLeg, gain)
			}
		}
		return nil
	})
}

// Pause stops the recording while a card or identity number is said (暂停录音).
func (d *Desk) Pause(ctx context.Context, on bool) error {
	return d.talk(ctx, func(c *call) error {
		if c.Rec == "" {
			return fault.Conflict("not_recording", "本次通话没有录音。")
		}
		if c.x.order("pause", c.x.Engine.Pause(ctx, c.Rec, on)) {
			c.Paused = on
			c.tell(cdr.EventPaused, d.s.actor.Account, map[string]any{"on": on})
		}
		return nil
	})
}

// Hangup ends the talk; the caller is asked for a verdict where the rules say so.
func (d *Desk) Hangup(ctx context.Context) error {
	return d.x.do(ctx, func() error {
		c, err := d.current()
		if err != nil {
			return err
		}
		switch {
		case c.Phase == talking && c.three():
			c.leave(ctx)
		case c.Phase == talking && c.rec.Direction == "in" && c.x.now().Survey && c.Warned < 3:
			c.survey(ctx)
		case c.Phase == talking:
			c.finish(ctx, cdr.Answered, 16, "platform")
		default:
			c.finish(ctx, cdr.Failed, 16, "platform")
		}
		return nil
	})
}

// Survey hands the caller to the questions after the call (转评价).
func (d *Desk) Survey(ctx context.Context) error {
	return d.talk(ctx, func(c *call) error { c.survey(ctx); return nil })
}

// release lets the seat go while the call stays up.
func (c *call) release(ctx context.Context, next phase) {
	x := c.x
	s := x.seats[c.Seat]
	c.resume(ctx)
	if leg := c.SeatLeg; leg != "" {
		p := c.party(leg)
		standing := p != nil && x.standing(p)
		c.out(leg, 16)
		if standing {
			x.order("leave", x.Engine.Leave(ctx, c.Room, leg))
		} else {
			x.order("hang up", x.Engine.Hangup(ctx, leg, 16))
		}
	}
	c.SeatLeg = ""
	c.Phase = next
	x.acd.Done(x.ms(), c.q())
	if s != nil && s.call == c.rec.ID {
		x.freed(s, c, "")
	}
	c.dirty = true
	x.changed()
}

// freed tells a seat that its call is over; the wrap-up begins.
func (x *Exchange) freed(s *seat, c *call, result string) {
	s.call, s.rings = 0, 0
	s.push(Message{Type: "done", Call: c.rec.ID, Result: result, Label: cdr.ResultWord(result), Wrap: x.now().queue(c.rec.Queue).Wrap, Draft: DraftID(c.rec.ID)})
	x.wrapped(s, c.rec)
	x.phoneAway(s)
	x.showSeat(s)
}

// rings and answeredLeg follow outgoing legs.
func (c *call) rings(_ context.Context, e media.Event) {
	if h := c.Hand; h != nil && h.Leg == e.Leg && h.Rang == 0 {
		h.Rang = c.x.ms()
	}
	c.x.show(c)
}

func (c *call) answeredLeg(ctx context.Context, e media.Event) {
	p := c.party(e.Leg)
	if p == nil || p.Answered > 0 {
		return
	}
	p.Answered = c.x.ms()
	switch {
	case p.Kind == "seat" && c.Phase == ringing: // the phone was taken up
		if s := c.x.seats[p.Seat]; s == nil || c.take(ctx, s, e.Leg) != nil {
			c.out(e.Leg, 16)
			c.x.order("hang up", c.x.Engine.Hangup(ctx, e.Leg, 16))
		}
	case p.Kind == "seat" && c.Phase == dialling:
		c.offHook(ctx, e.Leg)
	case p.Kind == "caller" && c.Phase == dialling:
		c.reachedCitizen(ctx)
	case p.Kind == "external":
		c.handAnswered(ctx)
	}
}

// endedLeg follows what ends.
func (c *call) endedLeg(ctx context.Context, e media.Event) {
	p := c.party(e.Leg)
	if p == nil {
		return
	}
	x := c.x
	switch p.Kind {
	case "caller":
		c.callerGone(ctx, e)
	case "seat":
		c.out(e.Leg, e.Cause)
		switch {
		case c.Phase == ringing: // the phone did not take it
			x.acd.Declined(x.ms(), c.q(), "话机未应答")
		case c.Phase == dialling: // the person did not take up the phone, or laid it down again
			c.finish(ctx, cdr.Failed, e.Cause, "platform")
		case c.Phase == talking && e.Leg == c.SeatLeg && e.By == "party": // hung up at the phone
			c.SeatLeg = ""
			switch {
			case c.three():
				c.leave(ctx)
			case x.now().Survey && c.rec.Direction == "in":
				c.survey(ctx)
			default:
				c.finish(ctx, cdr.Answered, 16, "platform")
			}
		case c.Phase == talking && e.Leg == c.SeatLeg:
			c.SeatLeg = ""
			if s := x.seats[p.Seat]; s != nil {
				x.voiceLost(ctx, s)
			}
		}
	case "external":
		c.handEnded(ctx, e)
	case "monitor":
		c.out(e.Leg, e.Cause)
		x.monitorLeft(p.Seat)
	}
}

// callerGone ends the call as its phase says.
func (c *call) callerGone(ctx context.Context, e media.Event) {
	by := "caller"
	if e.By != "party" {
		by = e.By
	}
	result := map[phase]string{greeting: cdr.Abandoned, queued: cdr.Abandoned, ringing: cdr.Abandoned, forwarding: cdr.Abandoned, talking: cdr.Answered, forwarded: cdr.Forwarded, handed: cdr.Answered, surveying: cdr.Answered, dialling: cdr.Failed}[c.Phase]
	switch {
	case c.Phase == greeting && c.Treat.Ends:
		result = cdr.Announced
	case c.Phase == leaving && c.rec.AnsweredAt > 0:
		result = cdr.Answered
	case c.Phase == leaving && c.x.owed(c.rec.ID) != nil:
		result = cdr.Kept
	case c.Phase == leaving:
		result = cdr.Ticketed
	case c.Phase == greeting && c.x.ms()-c.rec.Began < int64(c.x.now().Queue.Short)*1000:
		result = cdr.Short
	}
	if c.broke(e) && c.redial(ctx) {
		return
	}
	switch {
	case c.Redial && c.Phase == dialling:
		c.note("redial_failed", "诉求人没有接听，未能接回，已列入漏接回拨。")
	case c.Redial && c.Phase == talking && cut(e):
		c.lost = true
		c.note("redial_failed", "诉求人再次断线，已列入漏接回拨。")
	}
	c.finish(ctx, result, e.Cause, by)
}
