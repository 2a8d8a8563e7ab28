package rtp

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"hotline/internal/clock"
)

// ear keeps what a stream hands over.
type ear struct {
	mu    sync.Mutex
	heard []byte
}

func (e *ear) Voice(_ int64, f *Frame) {
	e.mu.Lock()
	e.heard = append(e.heard, f.Sound[0])
	e.mu.Unlock()
}
func (e *ear) Digit(byte) {}

func (e *ear) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.heard)
}

// Sound under keys is heard by the one who has them and by nobody else, is not
// readable on the wire, and goes on after a restart.
func TestSecureStream(t *testing.T) {
	sh, err := NewShards(clock.System(), 1, false)
	if err != nil {
		t.Fatal(err)
	}
	defer sh.Close()
	local := netip.MustParseAddr("127.0.79.1")
	ports := NewPorts(sh, local, 21000, 21099)
	a, b := &ear{}, &ear{}
	x, err := ports.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := ports.Open(b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { y.Close() }()
	k := Keys{Send: NewKey(), Receive: NewKey()}
	terms := func(port int, k Keys) Terms {
		return Terms{Remote: netip.AddrPortFrom(local, uint16(port)), Law: PCMA, Mux: true, Send: true, Receive: true, Keys: k}
	}
	x.Set(terms(y.Port, k))
	y.Set(terms(x.Port, Keys{Send: k.Receive, Receive: k.Send}))
	var f [FrameSize]byte
	for i := range f {
		f[i] = 0x5a
	}
	now := time.Now().UnixNano()
	say := func(s *Stream, n int) {
		for range n {
			now += 20e6
			s.Speak(now, s, &f)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
	}
	say(x, 20)
	say(y, 20)
	x.Report(now)
	y.Report(now)
	time.Sleep(50 * time.Millisecond)
	if a.count() != 20 || b.count() != 20 || b.heard[0] != 0x5a {
		t.Fatalf("heard %d and %d frames", a.count(), b.count())
	}
	y.in.Lock()
	if y.in.lsr == 0 {
		t.Error("the report under keys was not understood")
	}
	y.in.Unlock()
	// The same port without keys, and one with others: nothing is heard.
	spy, err := net.ListenPacket("udp4", "127.0.79.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer spy.Close()
	clear := Packet{Type: byte(PCMA), Seq: 9, SSRC: 7, Payload: f[:]}
	if _, err := spy.WriteTo(clear.Append(nil), &net.UDPAddr{IP: net.IPv4(127, 0, 79, 1), Port: y.Port}); err != nil {
		t.Fatal(err)
	}
	z, err := ports.Open(&ear{})
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	z.Set(terms(y.Port, Keys{Send: NewKey(), Receive: NewKey()}))
	say(z, 5)
	if b.count() != 20 {
		t.Error("heard somebody without the key")
	}
	// A bad key silences, it never opens.
	z.Set(terms(spy.LocalAddr().(*net.UDPAddr).Port, Keys{Send: "AAAA", Receive: "AAAA"}))
	say(z, 3)
	_ = spy.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, _, err := spy.ReadFrom(make([]byte, 2000)); err == nil {
		t.Errorf("%d bytes sent under no key", n)
	}
	// On the wire: not the sound.
	x.Set(terms(spy.LocalAddr().(*net.UDPAddr).Port, k))
	say(x, 1)
	buf := make([]byte, 2000)
	_ = spy.SetReadDeadline(time.Now().Add(time.Second))
	n, _, err := spy.ReadFrom(buf)
	if err != nil || n != headerSize+FrameSize+10 || buf[headerSize] == 0x5a && buf[headerSize+1] == 0x5a {
		t.Errorf("%d bytes on the wire: %x %v", n, buf[:20], err)
	}
	x.Set(terms(y.Port, k))
	// Killed and restored, near the turn of the numbers, on both sides.
	x.mu.Lock()
	x.seq = 65500
	x.mu.Unlock()
	say(x, 20)
	before := b.count()
	if before < 35 {
		t.Fatalf("%d frames before the turn", before)
	}
	sx, sy := x.State(now), y.State(now)
	x.Close()
	y.Close()
	if x, err = ports.Reopen(sx.Port, a); err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if y, err = ports.Reopen(sy.Port, b); err != nil {
		t.Fatal(err)
	}
	now += 100e6
	if err := x.Restore(sx, now); err != nil {
		t.Fatal(err)
	}
	if err := y.Restore(sy, now); err != nil {
		t.Fatal(err)
	}
	say(x, 20)
	if got := b.count() - before; got < 20 {
		t.Errorf("%d of 20 frames after the restart", got)
	}
}
