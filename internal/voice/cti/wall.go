package cti

import (
	"cmp"
	"context"
	"slices"

	"hotline/internal/access"
	"hotline/internal/voice/flow"
)

// Watched gives a signal for each change; call cancel when done.
func (c *Center) Watched() (ch <-chan struct{}, cancel func()) {
	w := make(chan struct{}, 1)
	c.mu.Lock()
	c.watchers[w] = true
	c.mu.Unlock()
	return w, func() { c.mu.Lock(); delete(c.watchers, w); c.mu.Unlock() }
}

// Queueing tells how many wait, and since when the longest of them does.
func (c *Center) Queueing(access.Actor) (waiting int, since int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.calls {
		if l.Phase == Queued || l.Phase == Ringing {
			waiting++
			if since == 0 || l.rec.Queued < since {
				since = l.rec.Queued
			}
		}
	}
	return waiting, since
}

// Wall shows the call centre as ours is shown.
func (c *Center) Wall(ctx context.Context, _ access.Actor) (flow.Wall, error) {
	c.mu.Lock()
	w := flow.Wall{At: c.ms(), Unit: c.unit().ID, Linked: c.linked, SIP: c.conf.Title, Waiting: []flow.WallCall{}, Talking: []flow.WallCall{}, Seats: []flow.WallSeat{}, Absent: []flow.WallSeat{}, States: map[string]int{}, Owed: len(c.owing)}
	for _, l := range c.calls {
		r := &l.rec
		v := flow.WallCall{Call: r.ID, Phase: l.message(c, "").Phase, Line: r.Line, Number: r.Masked, Region: r.Region, Seat: r.Seat, Began: r.Began, Queued: r.Queued, Answered: r.AnsweredAt, Flags: append([]string{}, r.Flags...), Held: l.Phase == Held}
		switch l.Phase {
		case Greeting:
			v.Phase = "greeting"
		case Queued:
			v.Phase = "queued"
		case Survey:
			v.Phase = "survey"
		}
		v.Label = v.Phase.Word()
		if l.Phase == Queued || l.Phase == Ringing {
			w.Waiting = append(w.Waiting, v)
			w.Longest = max(w.Longest, w.At-r.Queued)
		} else {
			w.Talking = append(w.Talking, v)
		}
	}
	oldest := func(a, b flow.WallCall) int { return cmp.Compare(a.Began, b.Began) }
	slices.SortFunc(w.Waiting, oldest)
	slices.SortFunc(w.Talking, oldest)
	w.Seats = c.onDuty()
	on := map[int64]bool{}
	for _, s := range w.Seats {
		on[s.Seat] = true
		w.States[string(s.State)]++
	}
	for _, b := range c.owing {
		if w.Next == 0 || b.Due < w.Next {
			w.Next = b.Due
		}
	}
	c.mu.Unlock()
	return w, w.Attend(ctx, c.Staff, c.Access, c.CDR, on)
}

// Seats are the agents on duty.
func (c *Center) Seats(access.Actor) []flow.WallSeat {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.onDuty()
}

// onDuty are the agents by their numbers.
func (c *Center) onDuty() []flow.WallSeat {
	out := []flow.WallSeat{}
	for _, a := range c.agents {
		v := flow.WallSeat{Seat: a.who.ID, No: a.No, Name: a.who.Name, Unit: a.who.Unit, State: a.State, Label: flow.StateWord[a.State], Since: a.Since, Up: c.linked}
		for _, l := range c.calls {
			if a.who.ID != 0 && l.rec.Seat == a.who.ID && l.Phase != Survey {
				v.Call = l.rec.ID
			}
		}
		if s := c.seats[a.who.ID]; s != nil {
			v.Skills = s.person.Skills
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b flow.WallSeat) int { return cmp.Compare(a.No, b.No) })
	return out
}
