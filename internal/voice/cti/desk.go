package cti

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/fault"
	"hotline/internal/region"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/seat"
	"hotline/internal/workforce"
)

// position is a person of the platform at the page; the voice is on the call
// centre's own phone.
type position struct {
	actor  access.Actor
	person workforce.Person
	desks  []*desk
	watch  int64 // the call that he listens to there, 0 = none
}

func (s *position) push(m flow.Message) {
	for _, d := range s.desks {
		d.push(m)
	}
}

// desk is one page.
type desk struct {
	c    *Center
	s    *position
	push func(flow.Message)
}

// Open brings a person to the page of his seat. It fails with seat_role.
func (c *Center) Open(ctx context.Context, a access.Actor, push func(flow.Message)) (seat.Desk, error) {
	if !flow.MaySit(a) {
		return nil, fault.Forbidden("seat_role", "您的岗位没有话务席位。")
	}
	p, err := c.Staff.Person(ctx, a)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.seats[a.Account]
	if s == nil {
		s = &position{}
		c.seats[a.Account] = s
	}
	s.actor, s.person = a, p
	if at := c.agents[p.No]; at != nil && at.who.ID == 0 { // got his number after he was heard of
		at.who, _ = c.Access.Get(ctx, a.Account)
	}
	d := &desk{c, s, push}
	s.desks = append(s.desks, d)
	m := c.stateOf(s)
	m.Type, m.Seat, m.No, m.Name, m.Skills = "hello", strconv.FormatInt(a.Account, 10), p.No, a.Name, p.Skills
	push(m)
	push(flow.Message{Type: "transcribing", Code: "off", Text: "通话由" + c.conf.Title + "承载。"})
	if l := c.callOf(s); l != nil {
		if l.Phase == Ringing {
			push(l.message(c, "ringing"))
		} else {
			push(l.message(c, "call"))
			rec := l.rec
			c.open(&rec)
		}
	}
	return d, nil
}

// Close ends the connection; the agent stays signed on at the call centre.
func (d *desk) Close(context.Context) {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	d.s.desks = slices.DeleteFunc(d.s.desks, func(o *desk) bool { return o == d })
	if len(d.s.desks) == 0 {
		delete(d.c.seats, d.s.actor.Account)
	}
}

// stateOf is how a seat stands. Its sound is at the call centre.
func (c *Center) stateOf(s *position) flow.Message {
	m := flow.Message{Type: "state", State: acd.Off, Up: c.linked, Centre: c.conf.Title}
	if a := c.agents[s.person.No]; a != nil {
		m.State, m.Since = a.State, a.Since
	}
	return m
}

// callOf is the call that rings or talks at a seat.
func (c *Center) callOf(s *position) *live {
	for _, l := range c.calls {
		if l.rec.Seat == s.actor.Account && (l.Phase == Ringing || l.Phase == Talking || l.Phase == Held || l.Phase == Dialling) {
			return l
		}
	}
	return nil
}

// open gives the seat that answered its draft and the number of its caller.
func (c *Center) open(rec *cdr.Call) {
	s := c.seats[rec.Seat]
	go func() {
		ctx := context.Background()
		if rec.Seat != 0 && rec.Ticket == 0 {
			flow.KeepDraft(ctx, c.Intake, rec.Seat, rec)
		}
		if s == nil || !flow.ShowsNumber(s.actor, rec) || flow.NumberSeen(ctx, c.Audit, s.actor, rec.ID) != nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if l := c.callOf(s); l != nil && l.rec.ID == rec.ID {
			s.push(flow.Message{Type: "caller", Call: rec.ID, Number: rec.Number})
		}
	}()
}

// show tells the seat of a call how it stands.
func (c *Center) show(l *live, was Call) {
	s := c.seats[l.rec.Seat]
	if s == nil {
		return
	}
	switch l.Phase {
	case Ringing:
		if was.Phase != Ringing || was.Agent != l.Agent {
			s.push(l.message(c, "ringing"))
		}
	case Talking, Held, Dialling:
		s.push(l.message(c, "call"))
	}
}

// message is a call as its seat sees it.
func (l *live) message(c *Center, typ string) flow.Message {
	r := &l.rec
	m := flow.Message{Type: typ, Call: r.ID, Direction: r.Direction, Number: r.Masked, Line: r.Line, LineName: c.Lines.Name(r.Line, c.clk.Now()), Mode: r.Mode, Region: r.Region, Place: region.FullName(r.Region), Calls: l.past.Calls, Open: l.past.Open,
		Flags: r.Flags, Since: r.Began, Answered: r.AnsweredAt, Held: l.Phase == Held, Muted: l.Muted, Recording: true, Paused: l.Paused, Ticket: r.Ticket, Callback: r.Origin != 0, Why: "由" + c.conf.Title + "选定"}
	switch l.Phase {
	case Ringing:
		m.Phase = "ringing"
	case Dialling:
		m.Phase = "dialling"
	default:
		m.Phase = "talk"
	}
	m.Label = m.Phase.Word()
	if r.Queued > 0 {
		m.Waited = r.WaitMs()
		if r.AnsweredAt == 0 {
			m.Waited = max(0, c.ms()-r.Queued)
		}
	}
	if r.AnsweredAt > 0 {
		m.Draft = flow.DraftID(r.ID)
	}
	for _, p := range l.Parties {
		m.Parties = append(m.Parties, flow.PartyView{Kind: "external", Name: p.Name, Up: p.Up})
	}
	if h := l.Hand; h != nil && (h.State == "calling" || h.State == "consulting" || h.State == "conference") {
		m.Hand = &flow.HandView{Target: l.hand.Target, Name: h.Name, Kind: l.hand.Kind, State: h.State, Since: h.Began}
	}
	return m
}

// onCall are commands about the call that the seat has; the value is what the
// call centre is asked, "+" and "-" when On chooses.
var onCall = map[string][2]string{
	"answer": {"answer"}, "decline": {"decline"}, "hold": {"retrieve", "hold"}, "mute": {"unmute", "mute"}, "pause": {"resume_recording", "pause_recording"}, "transfer": {"transfer"},
	"conference": {"conference"}, "complete": {"complete"}, "cancel": {"cancel"}, "survey": {"survey"}, "hangup": {"hangup"},
}

// onSeat are commands about the seat itself.
var onSeat = map[string]string{"ready": "ready", "break": "break", "idle": "idle", "signoff": "signoff", "wrapup": "wrapup"}

// Do passes a command on to the call centre. It fails with no_call, cti_unable,
// command_unknown and with what the provider and, for dial, flow.Citizen refuse.
func (d *desk) Do(ctx context.Context, in *seat.Command) (string, error) {
	c, s := d.c, d.s
	ask := Command{ID: fmt.Sprintf("seat-%d", c.DB.NewID()), Agent: s.person.No}
	if verb, ok := onSeat[in.Cmd]; ok {
		ask.Verb = verb
		return "", c.way.Do(ctx, ask)
	}
	if verb, ok := onCall[in.Cmd]; ok {
		c.mu.Lock()
		l := c.callOf(s)
		if l != nil {
			ask.Call = l.Ref
		}
		ask.Target = c.target(in.Target)
		c.mu.Unlock()
		if l == nil || in.Call != 0 && in.Call != l.rec.ID {
			return "", fault.Conflict("no_call", "当前没有通话。")
		}
		if in.Target != "" && ask.Target == "" {
			return "", fault.Invalid("seat_unknown", "这个席位没有签入。")
		}
		ask.Verb = verb[0]
		if in.On && verb[1] != "" {
			ask.Verb = verb[1]
		}
		return "", c.way.Do(ctx, ask)
	}
	switch in.Cmd {
	case "dial":
		t, number, err := flow.Citizen(ctx, c.Ticket, c.Audit, c.now(), s.actor, in.Ticket)
		if err != nil {
			return "", err
		}
		ask.ID, ask.Verb, ask.Number, ask.DNIS = fmt.Sprintf("ticket-%d-%d", t.ID, c.DB.NewID()), "dial", number, c.now().Show
		return "", c.way.Do(ctx, ask)
	case "watch":
		return "", d.watch(ctx, in, ask)
	case "offer", "phone", "progressive", "silent", "text", "warn", "flag":
		return "", fault.Conflict("cti_unable", "这项操作由%s提供，请在其话机或客户端上进行。", c.conf.Title)
	}
	return "", seat.Unknown(in.Cmd)
}

// target is where a call is handed on as the call centre knows it: a seat by its
// 工号; "" for a seat that is not on duty.
func (c *Center) target(code string) string {
	id, ok := strings.CutPrefix(code, "seat:")
	if !ok {
		return code
	}
	for _, a := range c.agents {
		if strconv.FormatInt(a.who.ID, 10) == id {
			return "seat:" + a.No
		}
	}
	return ""
}

// watch lets a 班长 listen, whisper, barge or take over, where the call centre can.
func (d *desk) watch(ctx context.Context, in *seat.Command, ask Command) error {
	c, a := d.c, d.s.actor
	if in.Mode == "" || in.Mode == "stop" {
		ask.Verb = "stop"
		return d.watched(c.way.Do(ctx, ask), 0, "stop")
	}
	if err := flow.MayWatch(a, in.Mode); err != nil {
		return err
	}
	c.mu.Lock()
	for ref, l := range c.calls {
		if l.rec.ID == in.Call && (l.Phase == Talking || l.Phase == Held) {
			ask.Call = ref
		}
	}
	c.mu.Unlock()
	if ask.Call == "" {
		return fault.Conflict("no_call", "这通电话不在通话中。")
	}
	if err := c.Audit.Seen(ctx, audit.Entry{Actor: a.Account, Account: a.Username, Role: string(a.Role), Unit: a.Unit, Op: "call." + in.Mode, SubjectKind: "call", Subject: in.Call, Count: 1, IP: a.IP}); err != nil {
		return err
	}
	ask.Verb = in.Mode
	if err := c.way.Do(ctx, ask); err != nil || in.Mode == flow.TakeOver { // a call that was taken over comes as an event
		return d.watched(err, 0, "stop")
	}
	return d.watched(nil, in.Call, in.Mode)
}

// watched tells the person's pages what the call centre now lets him hear at his
// telephone; a refusal changes nothing.
func (d *desk) watched(err error, call int64, mode string) error {
	if err != nil {
		return err
	}
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	d.s.watch = call
	d.s.push(flow.Message{Type: "watch", Call: call, Code: mode})
	return nil
}
