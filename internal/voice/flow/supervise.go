package flow

import (
	"context"
	"slices"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/fault"
	"hotline/internal/voice/acd"
)

// Ways of joining a call of another seat.
const (
	Listen   = "listen"    // 监听: hears both, heard by nobody
	Whisper  = "whisper"   // 耳语: heard by the seat only
	Barge    = "barge"     // 插话: heard by both
	TakeOver = "take_over" // 接管: the seat leaves
)

// Watch lets a 班长 join the call of a seat of his centre; who listened to what
// is in the audit before the first word is heard. An empty mode ends it.
func (d *Desk) Watch(ctx context.Context, id int64, mode string) error {
	x, s := d.x, d.s
	if mode == "" || mode == "stop" {
		return x.do(ctx, func() error { x.stopWatching(ctx, s); return nil })
	}
	if err := MayWatch(s.actor, mode); err != nil {
		return err
	}
	if err := x.watchable(id, s); err != nil {
		return err
	}
	a := s.actor
	if err := x.Audit.Seen(ctx, audit.Entry{Actor: a.Account, Account: a.Username, Role: string(a.Role), Unit: a.Unit, Op: "call." + mode, SubjectKind: "call", Subject: id, Count: 1, IP: a.IP}); err != nil {
		return err
	}
	return x.do(ctx, func() error {
		c := x.calls[id]
		if c == nil || c.Phase != talking {
			return errNotUp()
		}
		if s.watch != 0 && s.watch != id {
			x.stopWatching(ctx, s)
		}
		if mode == TakeOver {
			return c.takeOver(ctx, s)
		}
		c.watched(ctx, s, mode)
		c.tell("call."+mode, a.Account, nil)
		return nil
	})
}

// MayWatch refuses who may not join a call in this way: mode_unknown,
// role_forbidden.
func MayWatch(a access.Actor, mode string) error {
	if !slices.Contains([]string{Listen, Whisper, Barge, TakeOver}, mode) {
		return fault.Invalid("mode_unknown", "请选择监听、耳语、插话或接管。")
	}
	if !a.May(access.Listen) || mode != Listen && a.Role != access.ShiftLead {
		return fault.Forbidden("role_forbidden", "只有班长可以耳语、插话和接管，质检员可以监听。")
	}
	return nil
}

func errNotUp() error { return fault.Conflict("no_call", "这通电话不在通话中。") }

func (x *Exchange) watchable(id int64, s *seat) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := x.calls[id]
	switch {
	case c == nil || c.Phase != talking:
		return errNotUp()
	case !x.Org.Tree().Under(s.actor.Unit, c.rec.Unit) && x.Org.Tree().Platform(s.actor.Unit).ID != c.City:
		return fault.NotFound("call_absent", "没有这通电话，或它不在您的查看范围内。")
	case s.phone != "":
		return fault.Conflict("use_browser", "监听、耳语、插话和接管用浏览器的耳麦，请先在话务条上改用浏览器接听。")
	case s.leg == "":
		return s.mute("不能监听")
	case s.call != 0:
		return errInTalk()
	}
	return nil
}

// watched sets who hears the supervisor before he joins, so that a listener is
// not audible for a single packet.
func (c *call) watched(ctx context.Context, s *seat, mode string) {
	x := c.x
	p := c.party(s.leg)
	if p == nil {
		p = c.in(&party{Leg: s.leg, Kind: "monitor", Seat: s.id, Name: "班长" + s.person.No, Answered: x.ms()})
	}
	p.Mode = mode
	for _, o := range c.Parties {
		if o.Leg == s.leg {
			continue
		}
		gain := 0.0
		if mode == Barge || mode == Whisper && o.Kind == "seat" {
			gain = 1
		}
		c.hear(ctx, o.Leg, s.leg, gain)
		c.hear(ctx, s.leg, o.Leg, 1)
	}
	if s.watch != c.rec.ID {
		s.watch = c.rec.ID
		x.acd.SetIdle(x.ms(), s.id)
		x.order("join", x.Engine.Join(ctx, c.Room, s.leg))
	}
	s.push(Message{Type: "watch", Call: c.rec.ID, Code: mode})
	x.show(c)
}

// takeOver puts the supervisor in the place of the seat.
func (c *call) takeOver(ctx context.Context, s *seat) error {
	x := c.x
	if p := c.party(s.leg); p == nil {
		c.watched(ctx, s, Barge)
	}
	x.acd.SetIdle(x.ms(), s.id) // one who made himself ready while he listened may be ringing
	if !x.acd.Adopt(x.ms(), acd.Call{ID: c.q(), Queue: c.rec.Queue, City: c.City}, s.id) {
		return errInTalk()
	}
	p := c.party(s.leg)
	p.Kind, p.Mode = "seat", ""
	s.watch = 0
	from := x.seats[c.Seat]
	old := c.SeatLeg
	if old != "" && old != s.leg {
		q := c.party(old)
		standing := q != nil && x.standing(q)
		c.out(old, 16)
		if standing {
			x.order("leave", x.Engine.Leave(ctx, c.Room, old))
		} else {
			x.order("hang up", x.Engine.Hangup(ctx, old, 16))
		}
	}
	c.Seat = s.id
	if from != nil && from != s && from.call == c.rec.ID {
		x.freed(from, c, "taken_over")
	}
	c.Seat, c.SeatLeg, s.call = s.id, s.leg, c.rec.ID
	c.rec.Seat, c.rec.Unit = s.actor.Account, s.actor.Unit
	for _, o := range c.Parties {
		if o.Leg != s.leg {
			c.hear(ctx, o.Leg, s.leg, 1)
			c.hear(ctx, s.leg, o.Leg, 1)
		}
	}
	s.push(Message{Type: "watch", Call: c.rec.ID, Code: "stop"})
	c.tell("call."+TakeOver, s.actor.Account, nil)
	x.show(c)
	x.reveal(s, c)
	c.draft(ctx, s)
	return nil
}

// stopWatching ends listening.
func (x *Exchange) stopWatching(ctx context.Context, s *seat) {
	c := x.calls[s.watch]
	s.watch = 0
	if c == nil {
		return
	}
	for _, p := range c.Parties {
		if p.Kind == "monitor" && p.Seat == s.id {
			leg := p.Leg
			c.out(leg, 16)
			x.order("leave", x.Engine.Leave(ctx, c.Room, leg))
			break
		}
	}
	s.push(Message{Type: "watch", Call: c.rec.ID, Code: "stop"})
	x.show(c)
}

// monitorLeft frees a supervisor whose call ended.
func (x *Exchange) monitorLeft(id string) {
	if s := x.seats[id]; s != nil && s.watch != 0 {
		s.push(Message{Type: "watch", Call: s.watch, Code: "stop"})
		s.watch = 0
	}
}
