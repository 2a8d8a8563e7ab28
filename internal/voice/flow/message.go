package flow

import (
	"hotline/internal/region"
	"hotline/internal/voice/acd"
)

// Message is what a seat is told. Type says which fields are set:
//
//	hello      the seat: No, Name, Phone, State …, and its call if it has one
//	state      State, Since, Why, Until (end of wrap-up), Up (a voice path is there),
//	           Phone (the SIP phone at which the seat answers, "" = the browser),
//	           Centre (the foreign call centre whose phone it is, "" = ours)
//	devices    Devices: the SIP phones that the seat may choose; hello has them too
//	ringing    a call: the fields of the screen pop, Why this seat, Ring seconds
//	stop_ring  Call rings no more
//	call       the call as it stands: Phase, Parties, Held, Muted, Hand
//	caller     Number of the caller in the clear; the reveal is audited
//	done       Call is over: Result, Wrap seconds
//	notice     Code and Text for the person at the seat
//	quality    MOS, Loss, Jitter of the seat's own leg
//	transcript Segment: a sentence of Call, as far as it is understood
//	text       a citizen wrote in Talk
//	transcribing how the transcription is: Code off, on or lost, Name of the recognizer, Text
type Message struct {
	Type string `json:"type"`
	Code string `json:"code,omitempty"`
	Text string `json:"text,omitempty"`

	Seat   string         `json:"seat,omitempty"`
	No     string         `json:"no,omitempty"`
	Name   string         `json:"name,omitempty"`
	Phone  string         `json:"phone,omitempty"`
	Centre string         `json:"centre,omitempty"`
	Skills map[string]int `json:"skills,omitempty"`

	Devices []DeviceView `json:"devices,omitempty"`

	State acd.SeatState `json:"state,omitempty"`
	After acd.SeatState `json:"after,omitempty"` // state that follows the call
	Since int64         `json:"since,omitempty"` // ms UTC
	Until int64         `json:"until,omitempty"`
	Why   string        `json:"why,omitempty"`
	Up    bool          `json:"up,omitempty"`
	Next  bool          `json:"progressive,omitempty"` // the next of the 回访 list is dialled by itself
	Rests int64         `json:"rests,omitempty"`       // until then it is not: 静默时段

	Call      int64       `json:"call,omitempty,string"`
	Direction string      `json:"direction,omitempty"`
	Callback  bool        `json:"callback,omitempty"` // the citizen is called when the seat accepts
	Kept      bool        `json:"kept,omitempty"`     // who chose to keep the place and be called, instead of giving up
	Number    string      `json:"number,omitempty"`   // masked, but in caller
	Line      string      `json:"line,omitempty"`
	LineName  string      `json:"line_name,omitempty"`
	Mode      string      `json:"mode,omitempty"`
	Region    string      `json:"region,omitempty"`
	Place     string      `json:"place,omitempty"`
	Calls     int         `json:"calls,omitempty"` // of the number within 30 days
	Open      int         `json:"open,omitempty"`  // tickets being handled
	Flags     []string    `json:"flags,omitempty"`
	Waited    int64       `json:"waited,omitempty"` // ms
	Ring      int         `json:"ring,omitempty"`   // seconds
	Phase     phase       `json:"phase,omitempty"`
	Label     string      `json:"label,omitempty"`
	Answered  int64       `json:"answered,omitempty"`
	Held      bool        `json:"held,omitempty"`
	Muted     bool        `json:"muted,omitempty"`
	Recording bool        `json:"recording,omitempty"`
	Paused    bool        `json:"paused,omitempty"`
	Warned    int         `json:"warned,omitempty"`
	Draft     string      `json:"draft,omitempty"` // id of the draft ticket bound to the call
	Ticket    int64       `json:"ticket,omitempty,string"`
	Parties   []PartyView `json:"parties,omitempty"`
	Hand      *HandView   `json:"transfer,omitempty"`
	Result    string      `json:"result,omitempty"`
	Wrap      int         `json:"wrap,omitempty"` // seconds

	MOS    float64 `json:"mos,omitempty"`
	Loss   float64 `json:"loss,omitempty"`
	Jitter float64 `json:"jitter,omitempty"`

	Segment *SegmentView `json:"segment,omitempty"`
	Talk    int64        `json:"talk,omitempty,string"`
}

// DeviceView is a SIP phone (话机) that a seat may choose.
type DeviceView struct {
	User  string `json:"user"`
	Place string `json:"place"`
	Up    bool   `json:"up"`              // registered
	Taken bool   `json:"taken,omitempty"` // by another seat
}

// PartyView is a party of a call as seats see it.
type PartyView struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Mode string `json:"mode,omitempty"`
	Up   bool   `json:"up"`
}

// HandView is a transfer under way.
type HandView struct {
	Target string `json:"target"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	State  string `json:"state"` // calling, consulting, conference
	Since  int64  `json:"since"`
}

// message is the call as its seat sees it.
func (c *call) message(typ string) Message {
	x := c.x
	m := Message{Type: typ, Call: c.rec.ID, Direction: c.rec.Direction, Number: c.rec.Masked, Line: c.rec.Line, LineName: c.Treat.Line.Name, Mode: string(c.Treat.Line.Mode), Region: c.rec.Region, Place: region.FullName(c.rec.Region),
		Calls: c.Calls, Open: c.Open, Flags: c.rec.Flags, Phase: c.Phase, Label: c.Phase.Word(), Since: c.rec.Began, Answered: c.rec.AnsweredAt, Held: c.Held > 0, Muted: c.Muted, Recording: c.Rec != "", Paused: c.Paused,
		Warned: c.Warned, Ticket: c.rec.Ticket, Callback: c.Owed != 0 && c.Phase != ringing}
	if m.LineName == "" {
		m.LineName = x.Lines.Name(c.rec.Line, x.clk.Now())
	}
	if c.rec.Queued > 0 {
		end := c.rec.AnsweredAt
		if end == 0 {
			end = x.ms()
		}
		m.Waited = max(0, end-c.rec.Queued)
	}
	if c.rec.AnsweredAt > 0 {
		m.Draft = DraftID(c.rec.ID)
	}
	for _, p := range c.Parties {
		m.Parties = append(m.Parties, PartyView{Kind: p.Kind, Name: p.Name, Mode: p.Mode, Up: p.Answered > 0})
	}
	if h := c.Hand; h != nil {
		m.Hand = &HandView{Target: h.Rec.Target, Name: h.Rec.Name, Kind: h.Rec.Kind, State: h.State, Since: h.Rec.Began}
	}
	return m
}

// show tells the seat of a call how the call stands.
func (x *Exchange) show(c *call) {
	if s := x.seats[c.Seat]; s != nil && s.call == c.rec.ID {
		s.push(c.message("call"))
	}
}
