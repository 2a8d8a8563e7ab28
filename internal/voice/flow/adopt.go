package flow

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"

	"hotline/internal/db"
	"hotline/internal/line"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

// adopt brings what flow knows and what the exchange carries together: after a
// restart of serve, of the exchange, or of both. Calls whose caller is still
// there go on; calls that ended meanwhile are closed; callers whom the exchange
// took by itself are taken on.
func (x *Exchange) adopt(ctx context.Context, st media.State) error {
	x.journal.flush()
	if err := x.readPhones(ctx); err != nil {
		return err
	}
	var calls []*cdr.Call
	var bodies [][]byte
	var back []cdr.Callback
	var owedCalls []*cdr.Call
	var last int64 // the last moment of which anything is known
	err := x.DB.View(ctx, func(tx *db.Tx) (err error) {
		if last, err = x.CDR.Log.LastAt(tx); err != nil {
			return err
		}
		if calls, bodies, err = x.CDR.Lives(tx); err != nil {
			return err
		}
		if back, err = x.CDR.OpenCallbacks(tx, ""); err != nil {
			return err
		}
		owedCalls = nil
		for _, b := range back {
			c, err := x.CDR.Peek(tx, b.Call)
			if err != nil {
				return err
			}
			if c.Number, err = x.CDR.OpenNumber(c); err != nil {
				return err
			}
			owedCalls = append(owedCalls, c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state, x.linked = st, true
	x.tellSetup(ctx)
	for i, b := range back {
		if x.owing[b.Call] == nil {
			c := owedCalls[i]
			x.owing[b.Call] = &owed{rec: *c, back: b}
			x.acd.Join(x.ms(), acd.Call{ID: b.Call, Queue: c.Queue, City: c.Platform, Caller: keyOf(c.Index()), Arrived: max(c.Queued, c.Began), Callback: true})
		}
	}
	there := map[media.Leg]media.LegState{}
	for _, l := range st.Legs {
		there[l.Leg] = l
	}
	for i, rec := range calls {
		if x.calls[rec.ID] != nil {
			continue
		}
		c := &call{x: x, rec: *rec}
		if err := json.Unmarshal(bodies[i], &c.saved); err != nil {
			slog.Error("voice: a call's state cannot be read", "call", rec.ID, "err", err)
			continue
		}
		c.rec.Flag("adopted")
		x.calls[rec.ID] = c
		for _, p := range c.Parties {
			x.legs[p.Leg] = c
		}
	}
	for _, c := range x.calls {
		x.reconcile(ctx, c, there, last)
	}
	for _, s := range x.seats {
		s.leg = ""
	}
	for _, l := range st.Legs {
		switch {
		case l.Seat != "" && !l.Incoming:
			x.line(ctx, string(l.Seat), l.Leg, true)
		case l.Incoming && x.legs[l.Leg] == nil: // taken by the exchange alone
			x.incoming(ctx, media.Event{Kind: media.Incoming, At: l.Since, Leg: l.Leg, Trunk: l.Trunk, DNIS: l.DNIS, ANI: l.ANI, Headers: l.Headers})
		}
	}
	for user, id := range x.phones {
		if s := x.seats[id]; s != nil {
			s.phoneUp = slices.Contains(st.Phones, user)
		}
	}
	x.settle(ctx)
	return nil
}

// reconcile makes a call true to the legs that are there. One whose caller hung up
// while nobody listened ended at the last moment of which anything is known; who
// waited is owed a call.
func (x *Exchange) reconcile(ctx context.Context, c *call, there map[media.Leg]media.LegState, last int64) {
	known := x.acdHas(c)
	for _, p := range slices.Clone(c.Parties) {
		if _, ok := there[p.Leg]; ok {
			continue
		}
		switch {
		case p.Kind == "caller":
			if !known {
				c.ended = max(last, c.rec.Began, c.rec.Queued, c.rec.AnsweredAt)
			}
			if !known && (c.Phase == queued || c.Phase == ringing) {
				c.line(nil)
			}
			c.callerGone(ctx, media.Event{Leg: p.Leg, By: "party", Cause: 16})
			return
		case p.Kind == "external":
			c.handEnded(ctx, media.Event{Leg: p.Leg, Cause: 16, By: "party"})
		default:
			c.out(p.Leg, 27)
			if c.SeatLeg == p.Leg {
				c.SeatLeg = ""
			}
		}
	}
	if c.Phase == over || known {
		return
	}
	switch c.Phase {
	case greeting, leaving, surveying:
		if c.rec.AnsweredAt > 0 {
			c.finish(ctx, cdr.Answered, 16, "platform")
		} else if c.Phase == greeting && !c.Treat.Ends {
			c.enqueue(ctx)
		} else {
			c.greet(ctx)
		}
	case queued, ringing:
		c.Seat, c.rec.Seat, c.rec.Unit = "", 0, 0
		c.enqueue(ctx)
	case talking, dialling:
		x.reseat(ctx, c)
	}
}

func (x *Exchange) acdHas(c *call) bool {
	_, ok := x.acd.CallOf(c.q())
	return ok
}

// reseat puts a seat that was in talk back on duty before its page returns, so
// that a restart is not heard on the line.
func (x *Exchange) reseat(ctx context.Context, c *call) {
	s := x.seats[c.Seat]
	if s == nil {
		account, err := x.Access.Get(ctx, seatID(c.Seat))
		if err != nil {
			c.enqueue(ctx)
			return
		}
		a := actorOf(account, x.Org.Tree())
		p, err := x.Staff.Person(ctx, a)
		if err != nil {
			c.enqueue(ctx)
			return
		}
		s = &seat{x: x, id: c.Seat, actor: a, person: p}
		x.seats[c.Seat] = s
		x.sitAt(s, p.Phone)
		x.acd.SignOn(x.ms(), x.profile(s))
		s.gone = x.after(60, func() { x.signOffUnlessBack(ctx, s) })
	}
	s.call = c.rec.ID
	x.acd.Adopt(x.ms(), acd.Call{ID: c.q(), Queue: c.rec.Queue, City: c.City, Caller: c.callerKey(), Arrived: max(c.rec.Queued, c.rec.Began)}, s.id)
}

// signOffUnlessBack ends the shift of a seat whose page did not return.
func (x *Exchange) signOffUnlessBack(ctx context.Context, s *seat) {
	if len(s.desks) == 0 && s.call == 0 {
		x.signOff(ctx, s, "重启后未返回")
	} else if len(s.desks) == 0 {
		s.gone = x.after(60, func() { x.signOffUnlessBack(ctx, s) })
	}
}

// tellSetup tells the exchange its trunks, its phones and what to do with a
// number while the platform does not answer it.
func (x *Exchange) tellSetup(ctx context.Context) {
	r := x.now()
	s := media.Setup{Trunks: []media.Trunk{}, Phones: x.accounts, Treatments: []media.Treatment{}}
	for _, t := range r.Trunks {
		s.Trunks = append(s.Trunks, t.Trunk)
	}
	seen := map[string]bool{}
	for _, l := range x.Lines.All(x.clk.Now()) {
		if !seen[l.Number] {
			seen[l.Number] = true
			notice := string(x.Lines.Treat(l.Number, l.Region, x.clk.Now()).Prompt)
			s.Treatments = append(s.Treatments, media.Treatment{DNIS: l.Number, Notice: clips(notice, "restarting")})
		}
	}
	if !seen[line.Hotline] {
		s.Treatments = append(s.Treatments, media.Treatment{DNIS: line.Hotline, Notice: clips("welcome", "restarting")})
	}
	raw, err := json.Marshal(s)
	if err != nil || string(raw) == x.setup {
		return
	}
	if x.order("setup", x.Engine.Setup(ctx, s)) {
		x.setup = string(raw)
	}
}
