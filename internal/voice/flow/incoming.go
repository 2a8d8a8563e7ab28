package flow

import (
	"cmp"
	"context"
	"encoding/hex"
	"log/slog"
	"slices"
	"strings"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/line"
	"hotline/internal/region"
	"hotline/internal/ticket"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

// incoming takes a new call: it is answered at once, then hears what its number
// asks for (GB/T 33358-2016: 不宜设置交互式语音应答菜单, so there is no menu).
func (x *Exchange) incoming(ctx context.Context, e media.Event) {
	if x.legs[e.Leg] != nil {
		return
	}
	now := x.ms()
	if e.Seat != "" && !x.ours(e.DNIS) { // a seat's phone calls out from the call bar, where the number stays hidden
		x.order("reject", x.Engine.Reject(ctx, e.Leg, 21))
		return
	}
	dnis := dialled(e)
	trunk := x.trunk(e.Trunk)
	where, placed := x.whence(dnis, trunk, e.ANI)
	t := x.Lines.Treat(dnis, where, x.clk.Now())
	c := &call{x: x, saved: saved{Phase: greeting, Caller: e.Leg, Treat: t, Placed: placed, Path: []string{t.Number}}}
	c.Room = media.Room(e.Leg)
	c.City, c.rec.Region = x.place(t)
	c.rec = cdr.Call{ID: x.DB.NewID(), Direction: "in", Trunk: e.Trunk, DNIS: t.Number, Line: t.Number, Mode: string(t.Line.Mode), Platform: c.City, Region: c.rec.Region, Number: e.ANI, Queue: t.Queue, Skill: t.Skill, Began: e.At}
	if c.rec.Began == 0 {
		c.rec.Began = now
	}
	if err := x.CDR.Seal(&c.rec); err != nil {
		slog.Error("voice: seal", "err", err)
		_ = x.Engine.Reject(ctx, e.Leg, 41) // temporary failure: the carrier tries again
		return
	}
	if seat := e.Headers[SeatHeader]; trunk.Test && seat != "" {
		c.Named, c.Needs = true, []acd.Need{{Skill: "seat:" + seat, Level: 1}}
		if !trunk.Counted {
			c.rec.Flag(cdr.FlagTest)
		}
	}
	x.calls[c.rec.ID] = c
	p := c.in(&party{Leg: e.Leg, Kind: "caller", Name: c.rec.Masked, Began: c.rec.Began})
	if !x.order("answer", x.Engine.Answer(ctx, e.Leg)) {
		c.finish(ctx, cdr.Broken, 41, "media")
		return
	}
	p.Answered = now
	c.tell(cdr.EventIncoming, 0, map[string]any{"prompt": t.Prompt})
	x.history(ctx, c)
	c.greet(ctx)
}

// ours tells whether a number is one of the hotline's lines.
func (x *Exchange) ours(number string) bool {
	return number == line.Hotline || slices.ContainsFunc(x.Lines.All(x.clk.Now()), func(l line.Line) bool { return l.Number == number })
}

// dialled is the number that the caller dialled, also when the carrier or a
// department's number forwarded the call to us (双号并行).
func dialled(e media.Event) string {
	for _, h := range []string{"Diversion", "History-Info", "P-Called-Party-ID"} {
		if n := userOf(e.Headers[h]); n != "" && n != line.Hotline {
			if short, _ := line.Split(n); len(short) >= 5 && len(short) <= 6 {
				return n
			}
		}
	}
	return e.DNIS
}

// userOf takes the number out of a SIP header: <sip:12333@…>;reason=…
func userOf(header string) string {
	for i := 0; i+4 < len(header); i++ {
		if header[i:i+4] == "sip:" || header[i:i+4] == "tel:" {
			rest := header[i+4:]
			for j := range len(rest) {
				if c := rest[j]; (c < '0' || c > '9') && c != '+' {
					return rest[:j]
				}
			}
			return rest
		}
	}
	return ""
}

// trunk finds the rules of a connection.
func (x *Exchange) trunk(name string) Trunk {
	for _, t := range x.now().Trunks {
		if t.Name == name {
			return t
		}
	}
	return Trunk{}
}

// whence finds the city whose platform a call belongs to, and says by what it
// was found: the area that was dialled, the trunk's, the caller's number. A call
// that nothing places is the province's, and every city's seats may take it.
func (x *Exchange) whence(dnis string, trunk Trunk, ani string) (city, placed string) {
	if _, place := line.Split(dnis); place != "" {
		return place, "所拨区号"
	}
	if trunk.Region != "" {
		return trunk.Region, "来电中继"
	}
	if city := line.CallerCity(ani); city != "" {
		return city, "主叫区号"
	}
	for n := min(len(ani), 8); n >= 3; n-- { // the longest 号段 that fits
		if city := x.now().Segments[ani[:n]]; city != "" {
			return city, "主叫号段"
		}
	}
	return "", "来电不带归属，由省平台受理，各市州座席可接"
}

// place is the platform that takes the call, and its region.
func (x *Exchange) place(t line.Treatment) (platform int64, code string) {
	tree := x.Org.Tree()
	if u, ok := tree.CityPlatform(t.Region); ok && t.Region != region.ProvinceCode {
		return u.ID, u.Region
	}
	return tree.Province().ID, region.ProvinceCode
}

const day = 24 * 3600 * 1000

// Past is what is known of a caller's number: counts only.
type Past struct {
	Seat  int64 // who served it last, within a month
	Calls int   // that came within a month, with this one
	Today int   // within a day, before this one
	Open  int   // tickets that are being handled
}

// PastOf looks up the number of a call; what cannot be read is left out.
func PastOf(ctx context.Context, records *cdr.Service, tickets *ticket.Service, rec *cdr.Call) (p Past) {
	since := rec.Began - cdr.Month
	err := records.DB.View(ctx, func(tx *db.Tx) error {
		seat, calls, err := records.Last(tx, rec.Index(), since, rec.ID)
		if err != nil {
			return err
		}
		_, today, err := records.Last(tx, rec.Index(), rec.Began-day, rec.ID)
		p.Seat, p.Calls, p.Today = seat, int(calls)+1, int(today)
		return err
	})
	if err != nil {
		slog.Warn("voice: history", "err", err)
	}
	if list, err := tickets.ByPhone(ctx, rec.Number, 30); err == nil {
		for _, t := range list {
			if !ticket.Final(t.Status) {
				p.Open++
			}
		}
	}
	return p
}

// history looks up, beside the announcement, what is known of the caller. The
// queue gets it when it is there.
func (x *Exchange) history(ctx context.Context, c *call) {
	if len(c.rec.Index()) == 0 {
		return
	}
	rec := c.rec
	go func() {
		ctx := context.WithoutCancel(ctx)
		p := PastOf(ctx, x.CDR, x.Ticket, &rec)
		_ = x.do(ctx, func() error {
			c := x.calls[rec.ID]
			if c == nil {
				return nil
			}
			c.Calls, c.Open, c.dirty = p.Calls, p.Open, true
			if p.Seat != 0 {
				c.Last = seatName(p.Seat)
			}
			if p.Today > 0 {
				c.Boost += min(p.Today, 5) * x.now().Repeat
				c.rec.Flag("repeat")
			}
			x.show(c)
			return nil
		})
	}()
}

// greet plays what the number asks for and lets the call into its queue.
func (c *call) greet(ctx context.Context) {
	names := []string{string(c.Treat.Prompt)}
	if sp := c.special(); sp != nil {
		if sp.Kind == "care" {
			c.Boost += c.x.now().Hazard
		} else { // announced as such and last in line, never cut off
			names = []string{"special_notice"}
			c.Base += c.x.now().Special
		}
		c.rec.Flag("special")
	}
	if c.Treat.Ends {
		c.play(ctx, c.Caller, "moved", clips(names...), false, false, func(ctx context.Context, _ string) {
			c.finish(ctx, cdr.Announced, 16, "platform")
		})
		return
	}
	c.play(ctx, c.Caller, "greeting", clips(names...), false, true, func(ctx context.Context, _ string) {
		if c.Treat.Forward != "" && !c.Named {
			c.forward(ctx)
			return
		}
		if m, ok := c.x.now().Menus[c.Treat.Number]; ok && len(c.Needs) == 0 {
			c.menu(ctx, m, false)
			return
		}
		c.enqueue(ctx)
	})
}

// enqueue lets the call wait for a seat. The wait counts from the first time.
func (c *call) enqueue(ctx context.Context) {
	if c.Phase == over {
		return
	}
	if c.rec.Queued == 0 {
		c.rec.Queued = c.x.ms()
	}
	if c.Treat.Unit != "" && c.Team == 0 {
		if u, ok := c.x.Org.Tree().ByCode(c.Treat.Unit); ok {
			c.Team = u.ID
		}
	}
	c.move(queued)
	c.tell(cdr.EventQueued, 0, map[string]any{"queue": c.rec.Queue})
	c.play(ctx, c.Caller, "moh", clips("moh"), true, false, nil)
	var skill []acd.Need
	if c.Treat.Skill != "" && len(c.Needs) == 0 {
		skill = []acd.Need{{Skill: c.Treat.Skill, Level: 1, Soft: true}}
	}
	c.line(skill)
}

// line puts the call into the dispatcher's queue.
func (c *call) line(needs []acd.Need) {
	c.x.acd.Join(c.x.ms(), acd.Call{ID: c.q(), Queue: c.rec.Queue, Team: c.Team, City: c.City, Needs: append(needs, c.Needs...), Base: c.Base, Boost: c.Boost, Last: c.Last, First: c.First, Because: "由座席转来，指定该席接听", Caller: c.callerKey(), Arrived: c.rec.Queued, Least: c.least()})
}

// least lets a call whose city nobody knows (a mobile to the province's number)
// look in the whole province at once, but for a sub-centre's people, who go first.
func (c *call) least() acd.Reach {
	if c.Named {
		return acd.ReachRemote
	}
	if c.rec.Region == region.ProvinceCode && c.Team == 0 {
		return acd.ReachProvince
	}
	return acd.ReachTeam
}

// anybodys tells whether every city's seats may take the call at once: each
// city's 班长 sees it wait.
func (c *call) anybodys() bool { return !c.Named && c.least() == acd.ReachProvince }

// special is the entry of the special list that concerns the call. A city's list
// is for its own calls and for those that name no city; the province's for all.
func (c *call) special() *cdr.Special {
	if c.rec.Number == "" {
		return nil
	}
	here, all := c.platformUnit(c.x), c.x.Org.Tree().Province().ID
	for _, s := range c.x.special[c.callerKey()] {
		if s.Expires > c.x.ms() && (s.Platform == here || s.Platform == all || here == all) {
			return &s
		}
	}
	return nil
}

// loadSpecial reads the special list into memory.
func (x *Exchange) loadSpecial(ctx context.Context) error {
	list, err := x.CDR.ActiveSpecials(ctx)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.special = map[string][]cdr.Special{}
	for _, s := range list {
		x.special[s.Key] = append(x.special[s.Key], s)
	}
	return nil
}

// SpecialChanged makes the exchange read the special list again.
func (x *Exchange) SpecialChanged(ctx context.Context) error { return x.loadSpecial(ctx) }

// finish ends a call and everything of it, once.
func (c *call) finish(ctx context.Context, result string, cause int, by string) {
	if c.Phase == over {
		return
	}
	x := c.x
	was := c.Phase
	if c.Redial && result == cdr.Failed { // there was a talk before it broke off
		result = cdr.Answered
	}
	c.hint.stop()
	c.deafen()
	c.closeHand(ctx, "cancelled")
	c.arrived("", "cancelled")
	if c.Held > 0 {
		c.rec.HoldMs += c.ms() - c.Held
		c.Held = 0
	}
	c.Phase = over
	c.rec.EndedAt, c.rec.Result, c.rec.Cause, c.rec.By = c.ms(), result, cause, by
	for len(c.Parties) > 0 {
		p := c.Parties[0]
		c.out(p.Leg, cause)
		switch {
		case p.Kind == "caller" || p.Kind == "external" || p.Kind == "seat" && !x.standing(p):
			x.order("hang up", x.Engine.Hangup(ctx, p.Leg, cause))
		default:
			x.order("leave", x.Engine.Leave(ctx, c.Room, p.Leg))
		}
		if p.Kind == "monitor" {
			x.monitorLeft(p.Seat)
		}
	}
	if was == ringing {
		c.closeOffer("gone")
	}
	x.acdDone(c, was, result)
	if c.rec.Survey > 0 { // also of who hung up after the first question
		c.tell(cdr.EventSurvey, 0, map[string]any{"score": c.rec.Survey, "solved": c.rec.Solved})
	}
	delete(x.calls, c.rec.ID)
	c.rec.Version++
	rec := c.rec
	x.journal.write(func(tx *db.Tx) error {
		if err := x.CDR.Save(tx, rec); err != nil {
			return err
		}
		if err := x.CDR.DropLive(tx, rec.ID); err != nil {
			return err
		}
		return x.CDR.TellEnd(tx, &rec)
	})
	if s := x.seats[c.Seat]; s != nil && s.call == c.rec.ID {
		x.freed(s, c, result)
	}
	x.changed()
}

// acdDone tells the dispatcher how the call ended for it, and keeps callers who
// gave up for a call-back.
func (x *Exchange) acdDone(c *call, was phase, result string) {
	now := x.ms()
	switch {
	case c.rec.Test(): // nobody waits to be called back
		x.acd.Done(now, c.q())
	case c.Redial && (was == dialling || c.lost): // tried just now; the seat of the talk is asked first
		x.acd.Done(now, c.q())
		x.promise(c, "dropped", acd.Call{First: c.Seat, Because: "通话中断前由该席接听", NotUntil: now + int64(x.now().queue(c.rec.Queue).Retry)*1000})
	case c.Owed == 0 && x.owing[c.rec.ID] != nil: // keeps its place already
	case was == forwarding && result == cdr.Abandoned:
		x.missed(c, "")
	case c.Named && (was == queued || was == ringing) && result == cdr.Abandoned: // the seat's own, another's when it is away
		x.acd.Done(now, c.q())
		c.Named = false
		x.missed(c, strings.TrimPrefix(c.Needs[0].Skill, "seat:"))
	case c.Owed != 0 && (was == queued || was == ringing): // was reached, and found the seat gone
		x.acd.Done(now, c.q())
		x.promise(c, "dropped", acd.Call{})
	case (was == queued || was == ringing) && result == cdr.Abandoned:
		if x.acd.Gone(now, c.q()) {
			c.rec.Result = cdr.Short
		} else if k, ok := x.acd.CallOf(c.rec.ID); ok && k.Callback {
			x.owe(c, "missed")
		}
	case c.Owed != 0 && c.rec.AnsweredAt == 0:
		x.acd.NoReach(now, c.Owed, 0)
		x.tried(c.Owed)
	default:
		x.acd.Done(now, c.q())
	}
}

// missed keeps a caller who gave up where the dispatcher does not: while kept
// seats or a sub-centre rang, or one named seat, which is asked first. The promise
// to call back holds there too.
func (x *Exchange) missed(c *call, first string) {
	q := x.now().queue(c.rec.Queue)
	if c.rec.WaitMs() < int64(q.Short)*1000 {
		c.rec.Result = cdr.Short
		return
	}
	x.promise(c, "missed", acd.Call{First: first, Because: "来电时该席正在振铃"})
}

// promise puts a caller who is in nobody's queue on the list of call-backs; like
// says which seat is asked first. Who is on it already stays there once.
func (x *Exchange) promise(c *call, kind string, like acd.Call) {
	if c.callerKey() == "" {
		return
	}
	like.ID, like.Queue, like.City, like.Caller, like.Least, like.Callback = c.rec.ID, c.rec.Queue, c.City, c.callerKey(), c.least(), true
	like.Arrived = cmp.Or(c.rec.Queued, c.rec.Began)
	x.acd.Join(x.ms(), like)
	if _, ok := x.acd.CallOf(c.rec.ID); ok {
		x.owe(c, kind)
	}
}

// spoken is a moment for log lines.
func spoken(ms int64) string { return clock.FromMillis(ms).Format("15:04:05") }

func keyOf(index []byte) string { return hex.EncodeToString(index) }
