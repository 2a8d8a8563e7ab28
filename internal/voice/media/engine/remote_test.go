package engine

import (
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	pion "github.com/pion/webrtc/v4"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
)

// lossy is the line of a county seat: it carries a browser's packets late and
// loses some of them, and can be cut.
type lossy struct {
	out   *net.UDPConn // where the browser sends to
	in    *net.UDPConn // towards the exchange
	peer  atomic.Pointer[net.UDPAddr]
	cut   atomic.Bool
	delay time.Duration
	loss  float64
}

func newLossy(t *testing.T, to string, delay time.Duration, loss float64) *lossy {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp4", to)
	if err != nil {
		t.Fatal(err)
	}
	l := &lossy{delay: delay, loss: loss}
	if l.out, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	if l.in, err = net.DialUDP("udp4", nil, a); err != nil {
		t.Fatal(err)
	}
	go l.carry(l.out, func(b []byte) { _, _ = l.in.Write(b) }, true)
	go l.carry(l.in, func(b []byte) {
		if p := l.peer.Load(); p != nil {
			_, _ = l.out.WriteToUDP(b, p)
		}
	}, false)
	t.Cleanup(func() { l.out.Close(); l.in.Close() })
	return l
}

func (l *lossy) port() int { return l.out.LocalAddr().(*net.UDPAddr).Port }

// carry passes packets on in their order, delay later.
func (l *lossy) carry(from *net.UDPConn, send func([]byte), browser bool) {
	type packet struct {
		at time.Time
		b  []byte
	}
	line := make(chan packet, 1000)
	go func() {
		for p := range line {
			time.Sleep(time.Until(p.at))
			send(p.b)
		}
	}()
	defer close(line)
	buf := make([]byte, 2000)
	for {
		n, who, err := from.ReadFromUDP(buf)
		if err != nil {
			return
		}
		if browser {
			l.peer.Store(who)
		}
		if l.cut.Load() || rand.Float64() < l.loss {
			continue
		}
		line <- packet{time.Now().Add(l.delay), append([]byte(nil), buf[:n]...)}
	}
}

// over connects the page by the line alone: the answer names no other address.
func (p *page) over(t *testing.T, e media.Engine, seat media.Seat, l *lossy) {
	t.Helper()
	o, err := p.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	done := pion.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-done
	// The exchange is told no address of the browser: it must wait for the line.
	offer := regexp.MustCompile(`a=candidate:[^\r\n]*\r?\n`).ReplaceAllString(p.pc.LocalDescription().SDP, "")
	answer, err := e.Connect(bg, seat, offer)
	if err != nil {
		t.Fatal(err)
	}
	answer = regexp.MustCompile(`a=candidate:[^\r\n]* tcp [^\r\n]*\r?\n`).ReplaceAllString(answer, "")
	answer = regexp.MustCompile(`(a=candidate:\S+ \d udp \d+ )\S+ \d+`).ReplaceAllString(answer, fmt.Sprintf("${1}127.0.0.1 %d", l.port()))
	if err := p.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
}

// A county seat 150 ms away that loses 2 % of its packets talks and is
// understood; when its line is cut the exchange knows within 6 s, so that with
// the 4 s that flow waits its caller is with another seat within 10 s.
func TestRemoteCountySeat(t *testing.T) {
	w := newWorld(t, "in process")
	line := newLossy(t, w.core.cfg.Web, 150*time.Millisecond, 0.02)
	p := openPage(t, bossHz)
	p.over(t, w.e, "42", line)
	up := w.f.kind(media.SeatUp, "")
	caller, cl := w.incoming("13800000010", callerHz)
	w.check(w.e.Mix(bg, "r", cl, up.Leg))
	time.Sleep(500 * time.Millisecond) // the line's own delay
	for what, heard := range map[string]func() []byte{
		"the seat":   func() []byte { p.mu.Lock(); defer p.mu.Unlock(); return append([]byte(nil), p.heard...) },
		"the caller": func() []byte { caller.mu.Lock(); defer caller.mu.Unlock(); return append([]byte(nil), caller.heard...) },
	} {
		hz := map[string]float64{"the seat": callerHz, "the caller": bossHz}[what]
		from := len(heard())
		time.Sleep(3 * time.Second)
		b := heard()[from:]
		whole := 0 // frames of 20 ms in which the other is heard
		for i := 0; i+160 <= len(b); i += 160 {
			if mix.Power(b[i:i+160], hz) > 0.03 {
				whole++
			}
		}
		if share := float64(whole) / 150; share < 0.9 {
			t.Errorf("%s hears the other in %.0f %% of 3 s (%d bytes)", what, 100*share, len(b))
		}
	}
	line.cut.Store(true)
	began := time.Now()
	w.f.kind(media.SeatDown, up.Leg)
	if d := time.Since(began); d > 6*time.Second {
		t.Errorf("the cut was noticed after %s", d)
	} else {
		t.Logf("noticed after %s", d)
	}
	w.check(w.e.Hangup(bg, cl, 16))
	w.f.kind(media.Ended, cl)
}
