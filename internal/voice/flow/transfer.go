package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/line"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
	"hotline/internal/zh"
)

// hand is an attempt to hand a caller on (转接). The origin owns the call until
// the target answers (首接负责); nobody there brings the caller back.
type hand struct {
	Leg     media.Leg    `json:"leg"`
	Rec     cdr.Transfer `json:"rec"`
	State   string       `json:"state"` // calling, consulting, conference
	Rang    int64        `json:"rang,omitempty"`
	Forward bool         `json:"forward,omitempty"` // by the treatment, not by a seat
	Left    bool         `json:"left,omitempty"`    // the seat has left already
}

// Transfer hands the caller on to a target of the one-key list, to another
// queue ("queue:12333") or to a seat ("seat:ID"). An emergency number is
// brought in at once and heard by all three, never blindly.
func (d *Desk) Transfer(ctx context.Context, code, reason string) error {
	reason = zh.Redact(strings.TrimSpace(reason))
	if zh.Len(reason) > 200 {
		return fault.Invalid("reason_too_long", "转接事由不能超过200个字。")
	}
	return d.talk(ctx, func(c *call) error { return c.transfer(ctx, d.s, code, reason) })
}

// transfer is Transfer as a turn of its own.
func (c *call) transfer(ctx context.Context, s *seat, code, reason string) error {
	x := c.x
	if c.Hand != nil {
		return fault.Conflict("transfer_busy", "正在转接%s，请先完成或取消。", c.Hand.Rec.Name)
	}
	if slices.Contains(c.Path, code) && s.actor.Role != access.ShiftLead {
		return fault.Forbidden("transfer_loop", "这通电话已从该处转来或转去过，不能再转回，请登记工单或请班长处理。")
	}
	if q, ok := strings.CutPrefix(code, "queue:"); ok {
		return c.toQueue(ctx, s, q, reason)
	}
	if id, ok := strings.CutPrefix(code, "seat:"); ok {
		return c.toSeat(ctx, s, id, reason)
	}
	t, ok := x.Lines.Target(code, c.rec.Region, x.clk.Now())
	if !ok {
		return fault.Invalid("target_unknown", "没有这个转接目标。").At(fault.Field{Name: "target", Detail: "请从转接目录中选择。"})
	}
	if n := strings.TrimPrefix(t.Code, "line:"); n != t.Code && slices.Contains(c.Path, n) && s.actor.Role != access.ShiftLead {
		return fault.Forbidden("transfer_loop", "这通电话就是从%s转来的，不能再转回，请登记工单或请班长处理。", t.Name)
	}
	h := &hand{Rec: cdr.Transfer{ID: x.DB.NewID(), Call: c.rec.ID, From: s.actor.Account, Platform: c.City, Unit: s.actor.Unit, Target: t.Code, Name: t.Name, Kind: t.Kind, Mode: "warm", Reason: reason, Began: x.ms(), Recording: c.Rec}}
	if t.Kind == "emergency" {
		h.Rec.Mode = "conference"
		c.rec.Flag("emergency")
	}
	if t.Number == "" { // no direct line: the enterprise gets a ticket, the caller stays
		h.Rec.Result = "ticketed"
		c.x.saveHand(h)
		c.x.autoTicket(ctx, c.rec, "需转"+t.Name+"，该单位未登记直拨电话")
		s.push(Message{Type: "notice", Code: "no_direct_line", Text: t.Name + "未登记直拨电话，已自动登记工单，请告知诉求人。"})
		return nil
	}
	return c.startHand(ctx, h, t)
}

// startHand calls the target; the caller hears music meanwhile, but in an
// emergency nobody is put on hold.
func (c *call) startHand(ctx context.Context, h *hand, t line.Target) error {
	x := c.x
	h.Leg, h.State = media.Leg(fmt.Sprintf("%d-t%d", c.rec.ID, h.Rec.ID)), "calling"
	r := x.now()
	timeout := r.Hand
	if h.Forward {
		timeout = r.Forward
	}
	headers := map[string]string{"X-Call": fmt.Sprint(c.rec.ID), "Diversion": "<sip:" + c.Treat.Number + "@hotline>;reason=deflection"}
	if c.rec.Ticket != 0 {
		headers["X-Ticket"] = fmt.Sprint(c.rec.Ticket)
	}
	c.Hand = h
	c.Path = append(c.Path, t.Code)
	c.in(&party{Leg: h.Leg, Kind: "external", Name: t.Name})
	switch {
	case h.Rec.Mode == "conference":
		c.play(ctx, c.Caller, "emergency", clips("emergency"), false, false, nil)
	case !h.Forward:
		c.hold(ctx)
		c.play(ctx, c.Caller, "hold", clips("transfer_wait", "moh"), true, false, nil)
	}
	x.saveHand(h)
	c.tell(cdr.EventTransfer, h.Rec.From, map[string]any{"target": t.Code, "kind": t.Kind, "mode": h.Rec.Mode, "transfer": h.Rec.ID})
	err := x.Engine.Dial(ctx, media.Spec{Leg: h.Leg, To: media.Target{Kind: media.ToTrunk, Value: t.Number}, ANI: c.rec.Number, Headers: headers, Timeout: timeout})
	if !x.order("dial", err) {
		c.handFailed(ctx, "failed")
	}
	return nil
}

func (x *Exchange) saveHand(h *hand) {
	rec := h.Rec
	x.journal.write(func(tx *db.Tx) error { return x.CDR.SaveTransfer(tx, rec) })
}

// handAnswered brings the target in.
func (c *call) handAnswered(ctx context.Context) {
	h, x := c.Hand, c.x
	if h == nil {
		return
	}
	now := x.ms()
	h.Rec.Result, h.Rec.WaitMs = "answered", now-h.Rec.Began
	if h.Rang > 0 {
		h.Rec.RingMs = now - h.Rang
	}
	x.saveHand(h)
	switch {
	case h.Forward || h.Left:
		if h.Left {
			h.Rec.Result = "completed"
			x.saveHand(h)
		}
		c.joinForward(ctx, h)
	case h.Rec.Mode == "conference":
		h.State = "conference"
		x.order("stop notice", x.Engine.StopPlay(ctx, c.Caller))
		x.order("join", x.Engine.Join(ctx, c.Room, h.Leg))
		c.tell(cdr.EventConference, h.Rec.From, map[string]any{"transfer": h.Rec.ID})
	default:
		h.State = "consulting"
		c.hear(ctx, c.Caller, h.Leg, 0)
		c.hear(ctx, h.Leg, c.Caller, 0)
		x.order("join", x.Engine.Join(ctx, c.Room, h.Leg))
	}
	c.dirty = true
	x.show(c)
}

// joinForward connects the caller with the target when no seat is between.
func (c *call) joinForward(ctx context.Context, h *hand) {
	x := c.x
	c.Phase = map[bool]phase{true: forwarded, false: handed}[h.Forward]
	c.Hand = nil
	if c.rec.AnsweredAt == 0 {
		c.rec.AnsweredAt = x.ms()
	}
	x.acd.Served(x.ms(), c.callerKey())
	if !c.Mixed {
		c.Mixed = x.order("mix", x.Engine.Mix(ctx, c.Room, c.Caller, h.Leg))
		c.record(ctx)
	} else {
		x.order("stop music", x.Engine.StopPlay(ctx, c.Caller))
		x.order("join", x.Engine.Join(ctx, c.Room, h.Leg))
		c.hear(ctx, c.Caller, h.Leg, 1)
		c.hear(ctx, h.Leg, c.Caller, 1)
	}
	c.tell(cdr.EventAnswered, 0, map[string]any{"wait": c.rec.WaitMs(), "forward": h.Rec.Target})
}

// handEnded: the target hung up, was busy, or nobody answered.
func (c *call) handEnded(ctx context.Context, e media.Event) {
	h := c.Hand
	c.out(e.Leg, e.Cause)
	if h == nil || h.Leg != e.Leg {
		if c.Phase == handed || c.Phase == forwarded { // the person ended the talk
			result := map[bool]string{true: cdr.Forwarded, false: cdr.Answered}[c.Phase == forwarded]
			c.finish(ctx, result, 16, "party")
		}
		c.x.show(c)
		return
	}
	if h.Rec.Result == "answered" { // in a consultation or a conference
		c.Hand = nil
		c.resume(ctx)
		c.note("transfer_over", h.Rec.Name+"已挂断，诉求人仍在线。")
		c.x.show(c)
		return
	}
	result := "no_answer"
	switch {
	case e.Cause == 17:
		result = "busy"
	case e.Cause != 18 && e.Cause != 19 && e.Cause != 16 && e.Cause != 102:
		result = "failed"
	}
	c.handFailed(ctx, result)
}

// handFailed brings the caller back: to the seat, or to the queue.
func (c *call) handFailed(ctx context.Context, result string) {
	h, x := c.Hand, c.x
	if h == nil {
		return
	}
	c.Hand = nil
	h.Rec.Result, h.Rec.WaitMs = result, x.ms()-h.Rec.Began
	if h.Rang > 0 {
		h.Rec.RingMs = x.ms() - h.Rang
	}
	if c.party(h.Leg) != nil {
		c.out(h.Leg, 19)
		x.order("hang up", x.Engine.Hangup(ctx, h.Leg, 19))
	}
	x.saveHand(h)
	c.tell(cdr.EventTransferFailed, 0, map[string]any{"transfer": h.Rec.ID, "result": result})
	if h.Forward || h.Left {
		if h.Left { // the origin seat is asked first, at the head of the queue
			c.Last = seatName(h.Rec.From)
			c.Boost += 600
		}
		c.enqueue(ctx)
		return
	}
	c.resume(ctx)
	if h.Rec.Mode != "conference" {
		c.play(ctx, c.Caller, "back", clips("transfer_failed"), false, false, nil)
	}
	c.note("transfer_failed", h.Rec.Name+cdr.TransferWord(result)+"，诉求人已转回，请继续服务或登记工单。")
	x.show(c)
}

// closeHand ends a transfer together with the call or by wish of the seat.
func (c *call) closeHand(ctx context.Context, result string) {
	h := c.Hand
	if h == nil {
		return
	}
	c.Hand = nil
	if h.Rec.Result == "" {
		h.Rec.Result, h.Rec.WaitMs = result, c.x.ms()-h.Rec.Began
		c.x.saveHand(h)
	}
	if c.party(h.Leg) != nil {
		c.out(h.Leg, 16)
		c.x.order("hang up", c.x.Engine.Hangup(ctx, h.Leg, 16))
	}
}

// Conference lets all three hear each other (三方通话, GB/T 33358 3.7).
func (d *Desk) Conference(ctx context.Context) error {
	return d.talk(ctx, func(c *call) error {
		h := c.Hand
		if h == nil || h.State == "calling" {
			return fault.Conflict("no_consult", "对方尚未接听，不能三方通话。")
		}
		h.State, h.Rec.Mode = "conference", "conference"
		d.x.saveHand(h)
		c.hear(ctx, c.Caller, h.Leg, 1)
		c.hear(ctx, h.Leg, c.Caller, 1)
		c.resume(ctx)
		c.play(ctx, c.Caller, "three", clips("three_way"), false, false, nil)
		c.tell(cdr.EventConference, d.s.actor.Account, map[string]any{"transfer": h.Rec.ID})
		return nil
	})
}

// Complete lets the seat leave: caller and target go on. Before the target has
// answered the caller waits for it, and comes back here when nobody does.
func (d *Desk) Complete(ctx context.Context) error {
	return d.talk(ctx, func(c *call) error { return c.complete(ctx) })
}

func (c *call) complete(ctx context.Context) error {
	h := c.Hand
	if h == nil {
		return fault.Conflict("no_transfer", "当前没有转接。")
	}
	if h.State == "calling" {
		if h.Rec.Kind == "emergency" {
			return fault.Conflict("emergency_blind", "紧急电话接通前不能离开，请陪同诉求人。")
		}
		h.Left, h.Rec.Mode = true, "blind"
		c.x.saveHand(h)
		c.release(ctx, forwarding)
		c.play(ctx, c.Caller, "hold", clips("transfer_wait", "moh"), true, false, nil)
		return nil
	}
	c.leave(ctx)
	return nil
}

// leave takes the seat out of a consultation or a conference; caller and target
// go on.
func (c *call) leave(ctx context.Context) {
	h := c.Hand
	h.Rec.Result = "completed"
	c.x.saveHand(h)
	c.hear(ctx, c.Caller, h.Leg, 1)
	c.hear(ctx, h.Leg, c.Caller, 1)
	c.Hand = nil
	c.release(ctx, handed)
	c.tell(cdr.EventHanded, h.Rec.From, map[string]any{"transfer": h.Rec.ID})
}

// three tells whether caller, seat and target talk together: however the seat
// goes, the other two are not cut off.
func (c *call) three() bool { return c.Hand != nil && c.Hand.State == "conference" }

// Cancel takes the caller back from a transfer.
func (d *Desk) Cancel(ctx context.Context) error {
	return d.talk(ctx, func(c *call) error {
		if c.Hand == nil {
			return fault.Conflict("no_transfer", "当前没有转接。")
		}
		c.closeHand(ctx, "cancelled")
		c.resume(ctx)
		return nil
	})
}

// note tells the seat of a call something.
func (c *call) note(code, text string) {
	if s := c.x.seats[c.Seat]; s != nil {
		s.push(Message{Type: "notice", Code: code, Text: text, Call: c.rec.ID})
	}
}

// forward rings the kept seats of a B2 line or a sub-centre. Its wait is
// measured against the same 15 s.
func (c *call) forward(ctx context.Context) {
	if c.Phase == over {
		return
	}
	x := c.x
	c.rec.Queued = x.ms()
	c.move(forwarding)
	c.tell(cdr.EventQueued, 0, map[string]any{"queue": "forward"})
	c.play(ctx, c.Caller, "hold", clips("transfer_wait", "moh"), true, false, nil)
	t := line.Target{Code: "line:" + c.Treat.Number, Name: c.Treat.Number + c.Treat.Line.Name, Kind: "line", Number: c.Treat.Forward}
	h := &hand{Forward: true, Rec: cdr.Transfer{ID: x.DB.NewID(), Call: c.rec.ID, Platform: c.City, Target: t.Code, Name: t.Name, Kind: "line", Mode: "forward", Began: x.ms()}}
	_ = c.startHand(ctx, h, t)
}

// toQueue lets another group serve the caller: the seat is free, the caller
// waits at the head.
func (c *call) toQueue(ctx context.Context, s *seat, queue, reason string) error {
	if _, ok := c.x.Lines.At(queue, c.rec.Region, c.x.clk.Now()); !ok {
		return fault.Invalid("target_unknown", "没有“%s”这条热线。", queue)
	}
	c.moveOn(ctx, s, "queue:"+queue, queue+"技能组", reason)
	c.Needs = []acd.Need{{Skill: line.Skill(queue), Level: 1, Soft: true}}
	c.rec.Queue, c.rec.Skill, c.Team, c.Last = queue, line.Skill(queue), 0, ""
	c.enqueue(ctx)
	return nil
}

// toSeat hands the caller to a colleague who is ready (转座席): that seat rings
// first; when it does not answer, the next one takes over. It fails with invalid
// seat_unknown for a seat that is not of the centre, conflict seat_busy.
func (c *call) toSeat(ctx context.Context, s *seat, id, reason string) error {
	to := c.x.seats[id]
	if _, mine := c.x.watched(s.actor); to == nil || id == s.id || !mine(to.actor.Unit) {
		return fault.Invalid("seat_unknown", "这个席位没有签入。")
	}
	if st := c.x.acd.SeatOf(id).State; st != acd.Ready {
		return fault.Conflict("seat_busy", "%s（工号%s）%s，请换一个就绪的座席，或转技能组。", to.actor.Name, to.person.No, StateWord[st])
	}
	c.moveOn(ctx, s, "seat:"+id, to.person.No+" "+to.actor.Name, reason)
	c.First = id
	c.enqueue(ctx)
	return nil
}

// moveOn frees the seat and brings the caller to the head of the queue. How it
// went is known when somebody answers.
func (c *call) moveOn(ctx context.Context, s *seat, code, name, reason string) {
	kind, _, ok := strings.Cut(code, ":")
	if !ok { // the 班长
		kind = "queue"
	}
	rec := cdr.Transfer{ID: c.x.DB.NewID(), Call: c.rec.ID, From: s.actor.Account, Platform: c.City, Unit: s.actor.Unit, Target: code, Name: name, Kind: kind, Mode: kind, Reason: reason, Began: c.x.ms(), Recording: c.Rec}
	c.arrived("", "cancelled")
	c.Moved = &rec
	c.x.saveHand(&hand{Rec: rec})
	c.Path = append(c.Path, code)
	c.Boost += 600
	if c.Named { // it was for the seat that hands it on
		c.Named, c.Needs = false, nil
	}
	c.release(ctx, queued)
	c.Seat = ""
	c.tell(cdr.EventTransfer, s.actor.Account, map[string]any{"target": code, "kind": kind, "transfer": rec.ID})
}

// arrived closes what moveOn opened: a seat answered, or the call is over. When
// another seat than the wanted one took the caller, that one did not answer.
func (c *call) arrived(seat, result string) {
	rec := c.Moved
	if rec == nil {
		return
	}
	c.Moved, c.First = nil, ""
	rec.WaitMs = c.x.ms() - rec.Began
	if c.offer != nil {
		rec.RingMs = c.x.ms() - c.offer.Began
	}
	if id, ok := strings.CutPrefix(rec.Target, "seat:"); ok && seat != "" && seat != id {
		result, rec.RingMs = "no_answer", 0
	}
	rec.Result = result
	c.x.saveHand(&hand{Rec: *rec})
}
