package engine

import (
	"slices"
	"sync"
	"sync/atomic"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/play"
	"hotline/internal/voice/media/record"
	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/media/sdp"
	"hotline/internal/voice/media/sip"
)

// line is what carries a leg's sound: rtp.Stream or webrtc.Leg.
type line interface {
	Speak(now int64, source any, sound *mix.Frame)
	Relay(now int64, source any, f *rtp.Frame)
	Due(now int64) bool
	Press(digit byte) bool
	Quality() rtp.Quality
	Report(now int64)
	Close()
}

// The times of a leg, in ticks of 20 ms.
const (
	qualityTicks = 250     // between two quality events
	saveTicks    = 50 * 60 // between two saves of what changes by itself
	patience     = 45      // 900 ms: by then the platform has taken the call or the exchange does
)

// stillLooks is after how many looks at the quality without a packet the party is
// asked whether it is there: 30 s, and again each 30 s.
const stillLooks = 6

// leg is one party's connection. It is made by an incoming call, a Dial or a
// seat's Connect, and gone with its Ended.
type leg struct {
	e        *Engine
	id       media.Leg
	call     *sip.Call // nil = a browser seat
	seat     media.Seat
	shard    int
	incoming bool
	trunk    string
	dnis     string
	ani      string
	headers  map[string]string
	since    int64

	// Guarded by Engine.mu:
	state    string // ringing, early, up; a lost browser is "lost"
	room     *room
	stream   *rtp.Stream // of a SIP leg
	local    sdp.Local
	offer    *sdp.Offer // of an incoming call not yet answered
	held     bool
	touched  bool // the platform has said what to do with it
	answered bool // Answered was told
	lost     int64

	line  atomic.Pointer[line]
	route atomic.Pointer[route]
	ring  rtp.Ring
	law   mix.Frame                  // of the goroutine that reads
	keys  atomic.Pointer[mix.Keypad] // hears in-band digits, nil = the party sends events

	mu      sync.Mutex
	prompt  *prompt
	collect *collecting
	taps    []*tap
	ticks   int
	came    uint64 // packets at the last look
	still   int    // looks since one came
	gone    bool
	frame   mix.Frame // of ticks, under mu or the room's lock
	had     bool
}

// route is where what a leg says goes.
type route struct {
	peer   *leg // passed on as it comes
	buffer bool // laid into the ring for a room's tick or a tap
	mixed  bool // the room's tick speaks to this leg
	tape   *record.Tape
	side   int
}

var nowhere = &route{}

// prompt is what is being played to a leg.
type prompt struct {
	player *play.Player
	clips  []media.Clip
	opts   media.PlayOpts
}

// collecting is a Collect in progress.
type collecting struct {
	want   media.Digits
	got    string
	left   int // ticks until it gives up
	waited bool
}

var silence = func() *mix.Frame {
	var f mix.Frame
	for i := range f {
		f[i] = rtp.Silence
	}
	return &f
}()

func (l *leg) out() line {
	if p := l.line.Load(); p != nil {
		return *p
	}
	return nil
}

// Voice takes a packet of what the party says.
func (l *leg) Voice(now int64, f *rtp.Frame) {
	r := l.route.Load()
	if r.peer != nil {
		if out := r.peer.out(); out != nil {
			out.Relay(now, l, f)
		}
	}
	if f.Event {
		return
	}
	if k := l.keys.Load(); k != nil {
		if d := k.Take(f.TS, f.Law, f.Sound); d != 0 {
			l.digit(d, false) // whoever hears the leg heard it too
		}
	}
	if r.tape != nil {
		r.tape.Lay(r.side, f.TS, f.Law, f.Sound)
	}
	if !r.buffer {
		return
	}
	if f.Law == rtp.PCMA {
		l.ring.Push(f.TS, f.Sound)
		return
	}
	for ts, s := f.TS, f.Sound; len(s) > 0; {
		n := min(len(s), len(l.law))
		rtp.Convert(l.law[:n], s[:n], f.Law, rtp.PCMA)
		l.ring.Push(ts, l.law[:n])
		ts, s = ts+uint32(n), s[n:]
	}
}

// attend listens for in-band digits (带内按键) where the trunk's rule says so and
// the party does not send events; e.mu is held.
func (l *leg) attend(event byte) {
	inband := event == 0 && slices.ContainsFunc(l.e.setup.Trunks, func(t media.Trunk) bool { return t.Inband && t.Name == l.trunk })
	if on := l.keys.Load() != nil; on != inband {
		var k *mix.Keypad
		if inband {
			k = new(mix.Keypad)
		}
		l.keys.Store(k)
	}
}

// Digit takes a digit that came as a telephone event.
func (l *leg) Digit(d byte) { l.digit(d, l.route.Load().mixed) }

// digit takes a digit; pass says that it has not reached the others by itself.
func (l *leg) digit(d byte, pass bool) {
	if pass {
		l.e.passDigit(l, d)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return
	}
	l.e.tell(media.Event{Kind: media.DTMF, Leg: l.id, Digit: string(d)})
	if l.prompt != nil && l.prompt.opts.Barge {
		l.endPrompt("digit")
	}
	c := l.collect
	if c == nil {
		return
	}
	if c.want.Term != "" && string(d) == c.want.Term {
		l.endCollect("term")
		return
	}
	c.got += string(d)
	c.left, c.waited = c.want.Inter*50, true
	if len(c.got) >= c.want.Max {
		l.endCollect("full")
	}
}

// endPrompt is called under mu.
func (l *leg) endPrompt(why string) {
	p := l.prompt
	if p == nil {
		return
	}
	l.prompt = nil
	l.e.tell(media.Event{Kind: media.PlayDone, Leg: l.id, Play: p.opts.Play, Why: why})
	l.e.journal.touch(l)
}

// endCollect is called under mu.
func (l *leg) endCollect(why string) {
	c := l.collect
	if c == nil {
		return
	}
	l.collect = nil
	l.e.tell(media.Event{Kind: media.Collected, Leg: l.id, Digits: c.got, Why: why})
}

// Tick is every 20 ms of a leg that is up or rings.
func (l *leg) Tick(now int64) {
	r := l.route.Load()
	out := l.out()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return
	}
	l.ticks++
	if c := l.collect; c != nil && (l.prompt == nil || c.waited) { // the first digit is waited for from the end of the question
		if c.left--; c.left <= 0 {
			l.endCollect("timeout")
		}
	}
	if !r.mixed && out != nil {
		l.speak(now, out, r)
	}
	if len(l.taps) > 0 && !r.mixed && r.peer == nil {
		l.pull()
	}
	if l.ticks%qualityTicks == 0 && out != nil {
		l.quality(out)
		out.Report(now)
	}
	if l.ticks%saveTicks == 0 {
		l.e.journal.touch(l)
	}
	if l.ticks == patience && l.incoming {
		go l.e.treat(l)
	}
}

// speak says the prompt, or silence where nobody else speaks.
func (l *leg) speak(now int64, out line, r *route) {
	if p := l.prompt; p != nil {
		if p.player.Next(&l.frame) {
			out.Speak(now, p, &l.frame)
			return
		}
		l.endPrompt("end")
	}
	if r.peer == nil || out.Due(now) {
		out.Speak(now, silence, silence)
	}
}

// pull takes the next 20 ms of what the party said, for taps and the room.
func (l *leg) pull() *mix.Frame {
	l.had = l.ring.Pull(&l.frame)
	for _, t := range l.taps {
		t.put(&l.frame)
	}
	if !l.had {
		return nil
	}
	return &l.frame
}

// quality tells how the line is; called under mu.
func (l *leg) quality(out line) {
	q := out.Quality()
	if q.Received == 0 { // never said anything: may not be able to
		return
	}
	packets := int(q.Received - l.came)
	if l.fellSilent(q.Received) {
		go l.ask()
	}
	l.e.tell(media.Event{Kind: media.Quality, Leg: l.id, Loss: q.Loss, Jitter: q.Jitter, MOS: q.MOS, Packets: packets})
}

// fellSilent tells that nothing has come for so long that the party may be gone;
// called under mu.
func (l *leg) fellSilent(received uint64) bool {
	if received != l.came {
		l.came, l.still = received, 0
		return false
	}
	l.still++
	return l.still%stillLooks == 0
}

// ask finds out whether a silent party is there: its phone may be off the network
// without a word. One that holds the call says nothing, and is there.
func (l *leg) ask() {
	l.e.mu.Lock()
	held := l.held || l.state != stateUp
	l.e.mu.Unlock()
	if l.call != nil && !held {
		l.call.Check()
	}
}

// bury ends all that hangs on the leg.
func (l *leg) bury() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return
	}
	if out := l.out(); out != nil {
		l.quality(out)
	}
	l.endPrompt("gone")
	l.endCollect("gone")
	for _, t := range l.taps {
		t.end()
	}
	l.taps, l.gone = nil, true
}
