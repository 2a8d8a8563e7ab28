package engine

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/media/sdp"
	"hotline/internal/voice/media/sip"
)

// carrier plays everyone outside: callers and the numbers that are called. Each
// of its calls speaks a tone without end and keeps what it hears.
type carrier struct {
	t      testing.TB
	stack  *sip.Stack
	shards *rtp.Shards
	ports  *rtp.Ports
	host   string

	mu    sync.Mutex
	hz    map[string]float64 // the voice of each number
	code  map[string]int     // numbers that refuse
	law   map[string]string
	calls map[string]*voice // by number, the last
	all   []*voice
	came  chan *voice
}

// patienceOfTests is for what must come and does at once, but on a machine that
// is used by others.
const patienceOfTests = 20 * time.Second

// voice is one call of the carrier.
type voice struct {
	k     *carrier
	c     *sip.Call
	st    *rtp.Stream
	hz    float64
	phase int
	mute  bool

	mu     sync.Mutex
	ticks  int // how often it spoke since listen began
	last   int64
	gap    int64 // longest between two ticks since, ns
	heard  []byte
	digits []byte
	tones  []mix.Frame // spoken instead of its tone
	up     chan struct{}
	over   chan sip.End
}

func newCarrier(t testing.TB, port, low int) *carrier {
	t.Helper()
	k := &carrier{t: t, hz: map[string]float64{}, code: map[string]int{}, law: map[string]string{}, calls: map[string]*voice{}, came: make(chan *voice, 1000)}
	var err error
	if k.shards, err = rtp.NewShards(clock.System(), 1, false); err != nil {
		t.Fatal(err)
	}
	k.ports = rtp.NewPorts(k.shards, netip.MustParseAddr("127.0.0.1"), low, low+199)
	if k.stack, err = sip.New(sip.Config{Listen: fmt.Sprintf("127.0.0.1:%d", port), Ping: -1}, k); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.mu.Lock()
		all := k.all
		k.mu.Unlock()
		for _, v := range all {
			_ = v.c.Hangup(16)
			k.shards.Detach(0, v)
			v.st.Close()
		}
		k.stack.Close()
		k.shards.Close()
	})
	return k
}

// knows has the carrier reach the exchange at addr.
func (k *carrier) knows(addr string) {
	k.t.Helper()
	err := k.stack.Configure([]media.Trunk{{Name: "exchange", Address: addr, Allow: []string{"127.0.0.0/8"}}}, nil)
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *carrier) newVoice(hz float64) *voice {
	v := &voice{k: k, hz: hz, up: make(chan struct{}, 4), over: make(chan sip.End, 1)}
	st, err := k.ports.Open(v)
	if err != nil {
		k.t.Error(err)
	}
	v.st = st
	k.mu.Lock()
	k.all = append(k.all, v)
	k.mu.Unlock()
	return v
}

func (v *voice) local() sdp.Local {
	return sdp.Local{Addr: netip.MustParseAddr("127.0.0.1"), Port: v.st.Port, Session: 1, Version: 1}
}

func (v *voice) agree(body []byte) {
	o, err := sdp.Parse(body)
	if err != nil {
		v.k.t.Errorf("description: %v\n%s", err, body)
		return
	}
	law := rtp.PCMA
	if c, _ := o.Voice(); c.Name == sdp.PCMU {
		law = rtp.PCMU
	}
	ev, _ := o.Events()
	v.st.Set(rtp.Terms{Remote: netip.AddrPortFrom(o.Addr, uint16(o.Port)), Law: law, Event: ev, Mux: o.RTCPMux, Send: true, Receive: true})
}

// call places a call to the exchange.
func (k *carrier) call(ani, dnis string, hz float64) *voice {
	k.t.Helper()
	return k.callWith(ani, dnis, hz, func(offer []byte) []byte { return offer })
}

// callWith is call with an offer that edit has changed.
func (k *carrier) callWith(ani, dnis string, hz float64, edit func(offer []byte) []byte) *voice {
	k.t.Helper()
	v := k.newVoice(hz)
	k.mu.Lock() // until the call has its voice
	defer k.mu.Unlock()
	c, err := k.stack.Dial(media.Target{Kind: media.ToTrunk, Value: dnis}, sip.DialOpts{ANI: ani, Offer: edit(sdp.Build(v.local()))})
	if err != nil {
		k.t.Fatal(err)
	}
	v.c = c
	c.User = v
	return v
}

// voice is the voice of a call, nil when it has none.
func (k *carrier) voice(c *sip.Call) *voice {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, _ := c.User.(*voice)
	return v
}

func (k *carrier) Invite(c *sip.Call) {
	k.mu.Lock()
	hz, code, law := k.hz[c.DNIS()], k.code[c.DNIS()], k.law[c.DNIS()]
	k.mu.Unlock()
	if code != 0 {
		_ = c.Reject(code, "")
		return
	}
	_ = c.Ring(nil)
	v := k.newVoice(hz)
	k.mu.Lock()
	v.c, c.User = c, v
	k.mu.Unlock()
	o, err := sdp.Parse(c.Offer())
	if err != nil {
		k.t.Error(err)
		return
	}
	if law == sdp.PCMU { // a party that has only µ-law
		offer := bytes.ReplaceAll(c.Offer(), []byte(" 8 0 101"), []byte(" 0 101"))
		if o, err = sdp.Parse(offer); err != nil {
			k.t.Error(err)
		}
	}
	body, err := o.Answer(v.local())
	if err != nil {
		k.t.Error(err)
		return
	}
	v.agree(body)
	v.st.Set(rtp.Terms{Remote: netip.AddrPortFrom(o.Addr, uint16(o.Port)), Law: v.st.Terms().Law, Event: 101, Send: true, Receive: true})
	if err := c.Answer(body); err != nil {
		k.t.Error(err)
	}
	k.shards.Attach(0, v)
	k.mu.Lock()
	k.calls[c.DNIS()] = v
	k.mu.Unlock()
	k.came <- v
}

func (k *carrier) Reinvite(c *sip.Call, offer []byte) ([]byte, int) {
	o, err := sdp.Parse(offer)
	if err != nil {
		return nil, 488
	}
	body, _ := o.Answer(k.voice(c).local())
	return body, 200
}
func (k *carrier) Progress(*sip.Call, int, []byte) {}
func (k *carrier) Answered(c *sip.Call, body []byte) {
	v := k.voice(c)
	if v == nil {
		return
	}
	if !c.Incoming() && len(body) > 0 {
		v.agree(body)
		k.shards.Attach(0, v)
	}
	v.up <- struct{}{}
}
func (k *carrier) Digit(*sip.Call, byte)   {}
func (k *carrier) Refer(*sip.Call, string) {}
func (k *carrier) Ended(c *sip.Call, e sip.End) {
	if v := k.voice(c); v != nil {
		k.shards.Detach(0, v)
		v.st.Close()
		v.over <- e
	}
}
func (k *carrier) Phone(string, bool) {}
func (k *carrier) Trunk(string, bool) {}

// Tick speaks the voice's tone.
func (v *voice) Tick(now int64) {
	var f mix.Frame
	for i := range f {
		f[i] = rtp.ALaw(int16(5000 * math.Sin(2*math.Pi*v.hz*float64(v.phase)/8000)))
		v.phase++
	}
	v.mu.Lock()
	if len(v.tones) > 0 {
		f, v.tones = v.tones[0], v.tones[1:]
	}
	mute := v.mute
	v.ticks++
	v.gap, v.last = max(v.gap, now-v.last), now
	v.mu.Unlock()
	if !mute {
		v.st.Speak(now, v, &f)
	}
}

// Voice keeps what is heard.
func (v *voice) Voice(_ int64, f *rtp.Frame) {
	if f.Event {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	n := len(v.heard)
	v.heard = append(v.heard, f.Sound...)
	rtp.Convert(v.heard[n:], f.Sound, f.Law, rtp.PCMA)
}

func (v *voice) Digit(d byte) {
	v.mu.Lock()
	v.digits = append(v.digits, d)
	v.mu.Unlock()
}

// hears tells which of the voices v hears now.
func (v *voice) hears(hz ...float64) map[float64]bool {
	v.k.t.Helper()
	return listen(v.k.t, []*voice{v}, hz...)[0]
}

// listen tells which pitches each voice hears now: in 300 ms after 150 ms of
// grace. On a machine that gave some party no time to speak or to hear in that
// while, silence says nothing; it listens again.
func listen(t testing.TB, voices []*voice, hz ...float64) []map[float64]bool {
	t.Helper()
	const frames = 15
	out := make([]map[float64]bool, len(voices))
	time.Sleep(150 * time.Millisecond)
	for range 100 {
		for _, v := range voices {
			v.mu.Lock()
			v.heard, v.ticks, v.gap, v.last = v.heard[:0], 0, 0, time.Now().UnixNano()
			v.mu.Unlock()
		}
		time.Sleep(frames * 20 * time.Millisecond)
		fair := true
		for i, v := range voices {
			v.mu.Lock()
			out[i] = map[float64]bool{}
			for _, h := range hz {
				if mix.Power(v.heard, h) > 0.03 {
					out[i][h] = true
				}
			}
			heard := len(v.heard) / rtp.FrameSize
			fair = fair && min(heard, v.ticks) >= frames-3 && max(heard, v.ticks) <= frames+3 && v.gap < 60e6
			v.mu.Unlock()
		}
		if fair {
			return out
		}
	}
	t.Error("in no 300 ms of the last 30 s were all parties given time")
	return out
}

func (v *voice) waitUp(t testing.TB) {
	t.Helper()
	select {
	case <-v.up:
	case e := <-v.over:
		t.Fatalf("the call ended: %+v", e)
	case <-time.After(patienceOfTests):
		t.Fatal("the call is not answered")
	}
}

func (v *voice) waitOver(t testing.TB) sip.End {
	t.Helper()
	select {
	case e := <-v.over:
		return e
	case <-time.After(patienceOfTests):
		t.Fatal("the call does not end")
		return sip.End{}
	}
}

// follower collects the events of an exchange.
type follower struct {
	t      testing.TB
	mu     sync.Mutex
	events []media.Event
	fresh  chan struct{}
	stop   func()
	done   chan struct{}
}

func follow(t testing.TB, e media.Engine, from uint64) *follower {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	c, err := e.Events(ctx, from)
	if err != nil {
		t.Fatal(err)
	}
	f := &follower{t: t, fresh: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		for ev := range c {
			f.mu.Lock()
			f.events = append(f.events, ev)
			f.mu.Unlock()
			select {
			case f.fresh <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() { stop(); <-f.done })
	return f
}

// wait gives the first event that ok accepts, from now or before.
func (f *follower) wait(what string, ok func(media.Event) bool) media.Event {
	f.t.Helper()
	limit := time.After(patienceOfTests)
	seen := 0
	for {
		f.mu.Lock()
		for ; seen < len(f.events); seen++ {
			if ok(f.events[seen]) {
				e := f.events[seen]
				f.mu.Unlock()
				return e
			}
		}
		f.mu.Unlock()
		select {
		case <-f.fresh:
		case <-limit:
			f.mu.Lock()
			defer f.mu.Unlock()
			f.t.Fatalf("no %s among %d events: %+v", what, len(f.events), f.events)
		}
	}
}

func (f *follower) kind(k media.Kind, l media.Leg) media.Event {
	f.t.Helper()
	return f.wait(string(k)+" of "+string(l), func(e media.Event) bool { return e.Kind == k && (l == "" || e.Leg == l) })
}

// freePort is a UDP and TCP port of the test's range nobody has.
var nextPort struct {
	sync.Mutex
	n int
}

func freePort(t testing.TB) int {
	nextPort.Lock()
	defer nextPort.Unlock()
	for {
		nextPort.n++
		p := 15700 + nextPort.n%300
		l, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil {
			continue
		}
		l.Close()
		tl, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil {
			continue
		}
		tl.Close()
		return p
	}
}
