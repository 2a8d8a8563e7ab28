package rtp

import (
	"bytes"
	"encoding/binary"
	"math"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"hotline/internal/clock"
)

func TestLawTables(t *testing.T) {
	if ALaw(0) != Silence || ULaw(0) != SilenceU {
		t.Fatalf("silence is %#x and %#x", ALaw(0), ULaw(0))
	}
	for i := range 256 {
		if got := ALaw(Linear[i]); got != byte(i) {
			t.Errorf("A-law %#x comes back as %#x", i, got)
		}
		if got := ULaw(LinearU[i]); got != byte(i) && i != 0x7f { // 0x7f is minus zero
			t.Errorf("µ-law %#x comes back as %#x", i, got)
		}
		if a, u := float64(Linear[i]), float64(LinearU[AtoU[i]]); math.Abs(a-u) > 16+math.Abs(a)*0.04 {
			t.Errorf("A-law %#x = %v, in µ-law %v", i, a, u)
		}
	}
	// ITU-T G.711 table 1a: the ends of the range.
	if Linear[0xaa] != 32256 || Linear[0x2a] != -32256 || LinearU[0x80] != 32124 || LinearU[0x00] != -32124 {
		t.Errorf("extremes %d %d %d %d", Linear[0xaa], Linear[0x2a], LinearU[0x80], LinearU[0x00])
	}
}

func TestRingOrdersAndFills(t *testing.T) {
	var r Ring
	frame := func(b byte) []byte { return bytes.Repeat([]byte{b}, FrameSize) }
	r.Push(1000, frame(1))
	r.Push(1000+480, frame(4))
	r.Push(1000+160, frame(2)) // late, but in time; 3 is lost
	r.Push(1000+160, frame(2)) // twice
	r.Push(1000+640, frame(5)[:80])
	r.Push(1000+720, frame(6)[:80]) // two of 10 ms make one of ours
	var got []byte
	var f [FrameSize]byte
	for r.Pull(&f) {
		got = append(got, f[0], f[159])
	}
	if want := []byte{Silence, Silence, Silence, Silence, 1, 1, 2, 2, Silence, Silence, 4, 4, 5, 6}; !bytes.Equal(got, want) {
		t.Errorf("pulled %v, want %v", got, want)
	}
	r.Push(1000+160, frame(9)) // long past: a new time line
	if !r.Pull(&f) {
		t.Error("the ring does not begin again")
	}
}

func TestRingFollowsAFastSender(t *testing.T) {
	var r Ring
	var f [FrameSize]byte
	ts := uint32(math.MaxUint32 - 5000) // over the wrap
	most := uint32(0)
	for i := range 6000 {
		r.Push(ts, bytes.Repeat([]byte{7}, FrameSize))
		ts += FrameSize
		if i%100 == 0 { // one percent too fast
			r.Push(ts, bytes.Repeat([]byte{7}, FrameSize))
			ts += FrameSize
		}
		r.Pull(&f)
		most = max(most, r.head-r.play)
	}
	if most > 8*FrameSize {
		t.Errorf("the delay grew to %d ms", most/8)
	}
}

func TestReceptionCountsLossAndJitter(t *testing.T) {
	var r reception
	var p Packet
	for i := range 1000 {
		if i%50 == 7 {
			continue
		}
		p = Packet{Seq: uint16(65000 + i), TS: uint32(i * 160), SSRC: 9}
		r.take(&p, uint32(i*160)+uint32(i%2)*80)
	}
	if r.lost() != 20 || r.expected() != 1000 {
		t.Errorf("lost %d of %d, want 20 of 1000", r.lost(), r.expected())
	}
	if loss := r.interval(); math.Abs(loss-0.02) > 1e-9 {
		t.Errorf("loss %v", loss)
	}
	if ms := r.jitter / 8; ms < 9 || ms > 11 {
		t.Errorf("jitter %v ms, want about 10", ms)
	}
	p.SSRC, p.Seq = 10, 3
	if !r.take(&p, 0) || r.lost() != 0 {
		t.Error("a new source is not counted from its own beginning")
	}
}

func TestMOS(t *testing.T) {
	if m := MOS(0, 20); m < 4.3 || m > 4.45 {
		t.Errorf("clean G.711 rates %v", m)
	}
	if a, b, c := MOS(0, 20), MOS(0.01, 20), MOS(0.05, 200); a <= b || b <= c || c < 1 {
		t.Errorf("not falling: %v %v %v", a, b, c)
	}
}

func TestReportReadsBack(t *testing.T) {
	var r reception
	for i := range 10 {
		r.take(&Packet{Seq: uint16(i * 2), TS: uint32(i), SSRC: 5}, 0)
	}
	b := appendReport(nil, 1e18, sending{ssrc: 7, packets: 3}, &r, r.interval(), 0x1234, 1e18-5e8)
	got, ok := parseReport(b, 5)
	if !ok || !got.sr || !got.about || got.last != 0x1234 || got.delay != 32768 || math.Abs(got.loss-9.0/19) > 0.01 {
		t.Errorf("read %+v %v", got, ok)
	}
}

// heard collects what a stream's leg says.
type heard struct {
	mu     sync.Mutex
	frames []Frame
	digits []byte
}

func (h *heard) Voice(_ int64, f *Frame) {
	h.mu.Lock()
	c := *f
	c.Sound = bytes.Clone(f.Sound)
	h.frames = append(h.frames, c)
	h.mu.Unlock()
}

func (h *heard) Digit(d byte) {
	h.mu.Lock()
	h.digits = append(h.digits, d)
	h.mu.Unlock()
}

func (h *heard) count() (int, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.frames), string(h.digits)
}

func (h *heard) wait(t *testing.T, n int) []Frame {
	t.Helper()
	for range 200 {
		if got, _ := h.count(); got >= n {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.frames) < n {
		t.Fatalf("heard %d frames, want %d", len(h.frames), n)
	}
	return h.frames
}

var loopback = netip.MustParseAddr("127.0.0.1")

func world(t *testing.T) *Ports {
	t.Helper()
	s, err := NewShards(clock.System(), 2, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return NewPorts(s, loopback, 15200, 15299)
}

func open(t *testing.T, p *Ports) (*Stream, *heard) {
	t.Helper()
	h := &heard{}
	st, err := p.Open(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return st, h
}

// party is the other end: a plain socket.
func party(t *testing.T, to *Stream) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: to.Port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func addr(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func receive(t *testing.T, c *net.UDPConn) Packet {
	t.Helper()
	b := make([]byte, 2048)
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	var p Packet
	if err := p.Parse(b[:n]); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRelayKeepsOrderLossAndLaw(t *testing.T) {
	ports := world(t)
	in, h := open(t, ports)
	out, _ := open(t, ports)
	caller, callee := party(t, in), party(t, out)
	in.Set(Terms{Remote: addr(caller), Law: PCMA, Event: 101, Send: true, Receive: true})
	out.Set(Terms{Remote: addr(callee), Law: PCMU, Event: 96, Send: true, Receive: true})
	sound := bytes.Repeat([]byte{Silence}, FrameSize)
	for _, i := range []uint16{0, 1, 3, 2, 5} { // disorder and a loss
		_, _ = caller.Write((&Packet{Type: 8, Seq: 65534 + i, TS: uint32(i) * 160, SSRC: 1, Payload: sound}).Append(nil))
	}
	_, _ = caller.Write((&Packet{Type: 101, Seq: 4, TS: 960, SSRC: 1, Payload: []byte{5, 10, 0, 160}}).Append(nil))
	_, _ = caller.Write((&Packet{Type: 101, Seq: 5, TS: 960, SSRC: 1, Payload: []byte{5, 138, 1, 64}}).Append(nil))
	frames := h.wait(t, 7)
	var first Packet
	for i := range frames {
		out.Relay(int64(i+1)*20e6, in, &frames[i])
		p := receive(t, callee)
		if i == 0 {
			first = p
			if !p.Mark {
				t.Error("a new source begins without the marker")
			}
		}
		if d := p.Seq - first.Seq; d != frames[i].Seq-65534 || p.TS-first.TS != frames[i].TS {
			t.Errorf("packet %d left as +%d, +%d", i, d, p.TS-first.TS)
		}
		if i < 5 && (p.Type != 0 || p.Payload[0] != AtoU[Silence]) || i >= 5 && (p.Type != 96 || p.Payload[0] != 5) {
			t.Errorf("packet %d left as type %d, % x", i, p.Type, p.Payload[:4])
		}
	}
	if _, digits := h.count(); digits != "5" {
		t.Errorf("digits %q, want 5 once", digits)
	}
	if q := in.Quality(); q.Received != 7 || q.Lost != 1 {
		t.Errorf("quality %+v", q)
	}
}

func TestOnlyTheNamedPartyIsHeard(t *testing.T) {
	ports := world(t)
	st, h := open(t, ports)
	a, b := party(t, st), party(t, st)
	say := func(c *net.UDPConn, seq uint16) {
		_, _ = c.Write((&Packet{Type: 8, Seq: seq, SSRC: 1, Payload: []byte{1}}).Append(nil))
	}
	st.Set(Terms{Remote: netip.MustParseAddrPort("203.0.113.5:4000"), Law: PCMA, Send: true, Receive: true})
	say(a, 1)
	time.Sleep(50 * time.Millisecond)
	if n, _ := h.count(); n != 0 {
		t.Error("a stranger was heard in place of a public address")
	}
	st.Set(Terms{Remote: netip.MustParseAddrPort("127.0.0.1:9"), Law: PCMA, Send: true, Receive: true})
	say(a, 2)
	h.wait(t, 1)
	say(b, 3)
	time.Sleep(50 * time.Millisecond)
	if n, _ := h.count(); n != 1 {
		t.Error("a second source broke into a latched stream")
	}
	var sound [FrameSize]byte
	st.Speak(1, "test", &sound)
	if p := receive(t, a); len(p.Payload) != FrameSize {
		t.Error("sound did not go to where the party speaks from")
	}
	for i := range uint16(30) { // the first fell silent, the second keeps on
		say(b, 10+i)
		time.Sleep(time.Millisecond)
	}
	h.wait(t, 2)
}

func TestDigitsAreSentAsEvents(t *testing.T) {
	ports := world(t)
	st, _ := open(t, ports)
	c := party(t, st)
	st.Set(Terms{Remote: addr(c), Law: PCMA, Event: 101, Send: true, Receive: true})
	if !st.Press('7') || !st.Press('#') || st.Press('x') {
		t.Fatal("press")
	}
	var sound [FrameSize]byte
	var got presses
	digits, ends := "", 0
	var last Packet
	for i := range 20 {
		st.Speak(int64(i+1)*20e6, "test", &sound)
		p := receive(t, c)
		if i > 0 && p.Seq != last.Seq+1 {
			t.Errorf("sequence jumps from %d to %d", last.Seq, p.Seq)
		}
		if p.Type == 101 {
			if d, fresh := got.take(p.TS, p.Payload); fresh {
				digits += string(d)
			}
			if _, end, _, _ := ParseEvent(p.Payload); end {
				ends++
			}
		} else if last.Type == 8 && p.TS != last.TS+160 {
			t.Errorf("time stamp jumps by %d", p.TS-last.TS)
		}
		last = p
	}
	if digits != "7#" || ends != 6 {
		t.Errorf("sent %q with %d ends", digits, ends)
	}
}

func TestStreamComesBackOnItsPort(t *testing.T) {
	ports := world(t)
	st, _ := open(t, ports)
	c := party(t, st)
	st.Set(Terms{Remote: addr(c), Law: PCMU, Event: 101, Send: true, Receive: true})
	var sound [FrameSize]byte
	st.Speak(1e9, "a", &sound)
	before := receive(t, c)
	saved := st.State(1e9)
	st.Close()
	if ports.Used() != 0 {
		t.Fatal("ports are not given back")
	}
	h := &heard{}
	again, err := ports.Reopen(saved.Port, h)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.Restore(saved, 2e9); err != nil {
		t.Fatal(err)
	}
	again.Speak(2e9, "a", &sound)
	after := receive(t, c)
	if after.SSRC != before.SSRC || int16(after.Seq-before.Seq) < 50 || int32(after.TS-before.TS) < 8000 || after.Type != 0 {
		t.Errorf("before %+v after %+v", before, after)
	}
}

func TestReportsGoBothWays(t *testing.T) {
	ports := world(t)
	a, _ := open(t, ports)
	b, h := open(t, ports)
	a.Set(Terms{Remote: netip.AddrPortFrom(loopback, uint16(b.Port)), Law: PCMA, Send: true, Receive: true})
	b.Set(Terms{Remote: netip.AddrPortFrom(loopback, uint16(a.Port)), Law: PCMA, Send: true, Receive: true})
	var sound [FrameSize]byte
	for range 10 {
		a.Speak(time.Now().UnixNano(), "a", &sound)
		b.Speak(time.Now().UnixNano(), "b", &sound)
	}
	h.wait(t, 10)
	a.Report(time.Now().UnixNano())
	time.Sleep(40 * time.Millisecond)
	b.Report(time.Now().UnixNano())
	time.Sleep(40 * time.Millisecond)
	if q := a.Quality(); q.RTT <= 0 || q.RTT > 500 || q.PeerLoss != 0 {
		t.Errorf("after reports: %+v", q)
	}
}

func FuzzParse(f *testing.F) {
	f.Add((&Packet{Type: 8, Payload: []byte{1, 2, 3}}).Append(nil))
	f.Add([]byte{0xff, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Packet
		if p.Parse(b) == nil && len(p.Payload) > len(b)-headerSize {
			t.Fatal("payload longer than the packet")
		}
		ParseEvent(b)
		parseReport(b, 1)
	})
}

func FuzzRing(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 160, 0, 0, 0, 160, 20})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Ring
		var out [FrameSize]byte
		for len(b) >= 5 {
			r.Push(binary.BigEndian.Uint32(b), make([]byte, 5*int(b[4])))
			r.Pull(&out)
			b = b[5:]
		}
	})
}
