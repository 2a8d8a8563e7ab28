package media

import (
	"context"
	"io"
)

// Leg names one party's connection; the exchange makes the name of an incoming
// leg, whoever dials makes the name of an outgoing one, so a repeated Dial is
// harmless.
type Leg string

// Room names a set of legs that may hear each other (通话).
type Room string

// Seat names a position (席位) by its account.
type Seat string

// TargetKind says what a call goes out to.
type TargetKind string

// The kinds of target.
const (
	ToTrunk   TargetKind = "trunk"   // a number through the carrier
	ToPhone   TargetKind = "phone"   // a registered SIP phone
	ToBrowser TargetKind = "browser" // the standing leg of a browser seat: joined, not dialled
)

// Target is where an outgoing leg goes.
type Target struct {
	Kind  TargetKind `json:"kind"`
	Value string     `json:"value"`           // number, phone user or seat
	Trunk string     `json:"trunk,omitempty"` // "" = the first that is up
}

// Spec is an outgoing leg.
type Spec struct {
	Leg     Leg               `json:"leg"`
	To      Target            `json:"to"`
	ANI     string            `json:"ani,omitempty"`     // the number shown
	Headers map[string]string `json:"headers,omitempty"` // X-Ticket, Diversion …
	Timeout int               `json:"timeout"`           // seconds until no answer, 0 = 30
}

// Clip is one piece of a prompt: a named recording, or text spelled from the
// number clips (digits "5", "10", "百" …, see play).
type Clip struct {
	Name string `json:"name"`
}

// PlayOpts governs a prompt.
type PlayOpts struct {
	Play  string `json:"play"`            // names the prompt in play_done
	Barge bool   `json:"barge,omitempty"` // a digit ends it
	Loop  bool   `json:"loop,omitempty"`  // until StopPlay or Join
}

// Digits is what Collect waits for.
type Digits struct {
	Max   int    `json:"max"`
	Term  string `json:"term,omitempty"` // "#" ends the entry
	First int    `json:"first"`          // seconds until the first digit
	Inter int    `json:"inter"`          // seconds between digits
}

// RecordPolicy says how a room is recorded.
type RecordPolicy struct {
	Rec   string `json:"rec"`   // names the recording; the file is Rec + ".rec"
	Left  Leg    `json:"left"`  // the citizen
	Right []Leg  `json:"right"` // everyone else, mixed; empty = all others of the room
}

// Phone is an account of the registrar. HA1 is MD5(user:realm:password), as the
// digest of RFC 3261 wants it.
type Phone struct {
	User string `json:"user"`
	HA1  string `json:"ha1"`
	SRTP bool   `json:"srtp,omitempty"` // its sound is encrypted (RFC 4568), or there is no call
}

// Trunk is a carrier's connection.
type Trunk struct {
	Name      string   `json:"name"`
	Address   string   `json:"address"`             // host:port outgoing calls go to, "" = incoming only
	Transport string   `json:"transport,omitempty"` // udp, tcp, tls; "" = udp
	Allow     []string `json:"allow"`               // CIDRs it may call from
	PerANI    int      `json:"per_ani,omitempty"`   // calls a minute and caller number, 0 = no limit
	User      string   `json:"user,omitempty"`      // digest towards the carrier; "" = none
	Password  string   `json:"password,omitempty"`
	SRTP      bool     `json:"srtp,omitempty"`     // sound is encrypted (RFC 4568), or there is no call
	Register  bool     `json:"register,omitempty"` // we register with the carrier as User (RFC 3261 10)
	Domain    string   `json:"domain,omitempty"`   // of that account, "" = the host of Address
	Expires   int      `json:"expires,omitempty"`  // seconds, 0 = 600
	Inband    bool     `json:"inband,omitempty"`   // digits are heard in the sound where the carrier sends no events
}

// Treatment is what the exchange does with a number by itself while the platform
// does not answer it: it takes the call, plays Notice, then holds it.
type Treatment struct {
	DNIS   string `json:"dnis"`
	Notice []Clip `json:"notice"`
}

// Setup is what the platform tells the exchange when it connects and whenever it changes.
type Setup struct {
	Trunks     []Trunk     `json:"trunks"`
	Phones     []Phone     `json:"phones"`
	Treatments []Treatment `json:"treatments"`
}

// Kind is the kind of an event.
type Kind string

// What the exchange tells.
const (
	Incoming   Kind = "incoming"   // Trunk DNIS ANI Headers
	Ringing    Kind = "ringing"    // an outgoing leg rings
	Answered   Kind = "answered"   // a leg is up, both ways
	DTMF       Kind = "dtmf"       // Digit
	PlayDone   Kind = "play_done"  // Play, Why: end | digit | stop | gone
	Collected  Kind = "collected"  // Digits, Why: full | term | timeout | gone
	Held       Kind = "held"       // the party itself holds (re-INVITE); Why: held | resumed
	Transfer   Kind = "transfer"   // a registered phone asks REFER; DNIS = where to
	RecReady   Kind = "rec_ready"  // Rec, SHA256, Ms, Bytes
	Quality    Kind = "quality"    // Loss, Jitter, MOS of one leg, every 5 s and at its end
	Ended      Kind = "ended"      // Cause, By
	SeatUp     Kind = "seat_up"    // Seat, Leg: the standing leg of a browser seat is connected
	SeatDown   Kind = "seat_down"  // Seat, Leg
	Registered Kind = "registered" // Seat = phone user; Why: up | down
	TrunkState Kind = "trunk"      // Trunk; Why: up | down
	Restarted  Kind = "restarted"  // the exchange came back; its legs were recovered
)

// Event is one thing the exchange tells. Seq rises by one without a gap for the
// life of one exchange and is replayed from a number on.
type Event struct {
	Seq     uint64            `json:"seq"`
	Kind    Kind              `json:"kind"`
	At      int64             `json:"at"` // ms UTC
	Leg     Leg               `json:"leg,omitempty"`
	Seat    Seat              `json:"seat,omitempty"`
	Trunk   string            `json:"trunk,omitempty"`
	DNIS    string            `json:"dnis,omitempty"`
	ANI     string            `json:"ani,omitempty"` // "" = withheld
	Headers map[string]string `json:"headers,omitempty"`
	Digit   string            `json:"digit,omitempty"`
	Digits  string            `json:"digits,omitempty"`
	Play    string            `json:"play,omitempty"`
	Rec     string            `json:"rec,omitempty"`
	SHA256  string            `json:"sha256,omitempty"`
	Ms      int64             `json:"ms,omitempty"`
	Bytes   int64             `json:"bytes,omitempty"`
	Loss    float64           `json:"loss,omitempty"`   // 0…1
	Jitter  float64           `json:"jitter,omitempty"` // ms
	MOS     float64           `json:"mos,omitempty"`
	Packets int               `json:"packets,omitempty"` // that Loss, Jitter and MOS are of
	Cause   int               `json:"cause,omitempty"`   // Q.850
	By      string            `json:"by,omitempty"`      // party | platform | media | timer
	Why     string            `json:"why,omitempty"`
}

// LegState is a leg in a snapshot.
type LegState struct {
	Leg      Leg               `json:"leg"`
	State    string            `json:"state"` // ringing, early, up
	Incoming bool              `json:"incoming"`
	Trunk    string            `json:"trunk,omitempty"`
	DNIS     string            `json:"dnis,omitempty"`
	ANI      string            `json:"ani,omitempty"`
	Seat     Seat              `json:"seat,omitempty"`
	Room     Room              `json:"room,omitempty"`
	Rec      string            `json:"rec,omitempty"`
	Since    int64             `json:"since"`
	Headers  map[string]string `json:"headers,omitempty"`
}

// TrunkView is how a carrier's connection stands (中继状态).
type TrunkView struct {
	Name      string `json:"name"`
	Asked     bool   `json:"asked"`            // OPTIONS or REGISTER has been answered, or given up, once
	Up        bool   `json:"up"`               // answers
	Since     int64  `json:"since,omitempty"`  // ms UTC of the last change between up and down
	Last      int64  `json:"last,omitempty"`   // ms UTC of the last answer
	Code      int    `json:"code,omitempty"`   // SIP answer to it, 0 = none came
	Failed    int64  `json:"failed,omitempty"` // ms UTC of the last failure
	FailCode  int    `json:"fail_code,omitempty"`
	Registers bool   `json:"registers,omitempty"` // we register there (中继注册)
	Until     int64  `json:"until,omitempty"`     // ms UTC at which the registration ends
}

// State is all that the exchange carries now, as of Seq.
type State struct {
	Seq      uint64     `json:"seq"`
	Born     int64      `json:"born"` // a new exchange counts from 1 again
	SIP      string     `json:"sip"`  // host:port it listens on
	Priority string     `json:"priority"`
	Legs     []LegState `json:"legs"`
	Seats    []Seat     `json:"seats"`
	Phones   []string   `json:"phones"`

	Trunks []TrunkView `json:"trunks"`
}

// Engine carries calls. Every command is idempotent and answers an *Error with a
// code when it cannot be done.
type Engine interface {
	// Events sends what happened after from, then what happens, until ctx ends or
	// the exchange is lost, when the channel closes.
	Events(ctx context.Context, from uint64) (<-chan Event, error)
	Snapshot(ctx context.Context) (State, error)
	Setup(ctx context.Context, s Setup) error

	Ring(ctx context.Context, l Leg) error
	Answer(ctx context.Context, l Leg) error
	Reject(ctx context.Context, l Leg, cause int) error
	Dial(ctx context.Context, s Spec) error
	Hangup(ctx context.Context, l Leg, cause int) error
	// Referred answers a Transfer event: the phone is told the SIP code, 200 done
	// or 603 refused.
	Referred(ctx context.Context, l Leg, code int) error

	Play(ctx context.Context, l Leg, clips []Clip, o PlayOpts) error
	StopPlay(ctx context.Context, l Leg) error
	Collect(ctx context.Context, l Leg, d Digits) error

	// Mix opens a room in which all legs hear each other; a leg is in one room.
	Mix(ctx context.Context, r Room, legs ...Leg) error
	Join(ctx context.Context, r Room, l Leg) error
	Leave(ctx context.Context, r Room, l Leg) error
	// Hears sets how loud listener hears speaker: 0 not at all, 1 as spoken. It is
	// the one primitive behind hold, three-way, listen, whisper, barge and mute.
	Hears(ctx context.Context, r Room, listener, speaker Leg, gain float64) error

	Record(ctx context.Context, r Room, p RecordPolicy) error
	Pause(ctx context.Context, rec string, pause bool) error

	// Connect answers a browser's offer with the standing leg of its seat.
	Connect(ctx context.Context, s Seat, offer string) (answer string, err error)
	Disconnect(ctx context.Context, s Seat) error
	// Tap streams what one leg says, A-law 8 kHz, until it ends or is closed.
	Tap(ctx context.Context, l Leg) (io.ReadCloser, error)
}

// The codes of an Error.
const (
	CodeNoLeg   = "no_leg"
	CodeNoRoom  = "no_room"
	CodeNoRec   = "no_rec"
	CodeNoTrunk = "no_trunk" // no such trunk is up
	CodeNoPhone = "no_phone" // the phone is not registered
	CodeTarget  = "bad_target"
	CodeState   = "bad_state"
	CodeBusy    = "busy" // out of ports
	CodeClip    = "no_clip"
	CodeRecord  = "rec_failed"
	CodeSetup   = "bad_setup"
	CodeGap     = "gap"  // Events from a number that is not kept: take a Snapshot first
	CodeAway    = "away" // the exchange does not answer
)

// Error is a command that could not be done.
type Error struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Text }
