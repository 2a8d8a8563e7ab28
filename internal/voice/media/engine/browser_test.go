package engine

import (
	"math"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/webrtc/v4"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
)

// page is the browser of a seat: it speaks a tone and keeps what it hears.
type page struct {
	pc    *pion.PeerConnection
	send  rtp.Sender
	hz    float64
	stop  chan struct{}
	mu    sync.Mutex
	heard []byte
	last  uint16
	lost  int
	any   bool
}

func openPage(t testing.TB, hz float64) *page {
	t.Helper()
	pc, err := pion.NewPeerConnection(pion.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	p := &page{pc: pc, hz: hz, stop: make(chan struct{})}
	track, _ := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMA, ClockRate: 8000}, "mic", "mic")
	if _, err := pc.AddTrack(track); err != nil {
		t.Fatal(err)
	}
	pc.OnTrack(func(tr *pion.TrackRemote, _ *pion.RTPReceiver) {
		buf := make([]byte, 1500)
		for {
			n, _, err := tr.Read(buf)
			if err != nil {
				return
			}
			p.take(buf[:n])
		}
	})
	pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
		if s == pion.PeerConnectionStateConnected {
			p.send.Begin(rtp.PCMA, func(b []byte) { _, _ = track.Write(b) })
			go p.speak()
		}
	})
	t.Cleanup(p.close)
	return p
}

func (p *page) take(b []byte) {
	var k rtp.Packet
	if k.Parse(b) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.any && k.Seq != p.last+1 {
		p.lost++
	}
	p.any, p.last = true, k.Seq
	p.heard = append(p.heard, k.Payload...)
}

func (p *page) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.stop:
	default:
		close(p.stop)
		p.send.Stop()
		p.pc.Close()
	}
}

func (p *page) speak() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; {
		var f mix.Frame
		for i := range f {
			f[i] = rtp.ALaw(int16(5000 * math.Sin(2*math.Pi*p.hz*float64(n)/8000)))
			n++
		}
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.send.Speak(time.Now().UnixNano(), p, &f)
		}
	}
}

func (p *page) connect(t testing.TB, e media.Engine, seat media.Seat) {
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
	answer, err := e.Connect(bg, seat, p.pc.LocalDescription().SDP)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
}

func (p *page) hears(hz float64) float64 {
	time.Sleep(150 * time.Millisecond)
	p.mu.Lock()
	p.heard = p.heard[:0]
	p.mu.Unlock()
	time.Sleep(300 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	return mix.Power(p.heard, hz)
}

func storyBrowser(t *testing.T, w *world) {
	p := openPage(t, bossHz)
	p.connect(t, w.e, "42")
	up := w.f.kind(media.SeatUp, "")
	if up.Seat != "42" {
		t.Errorf("seat up %+v", up)
	}
	time.Sleep(200 * time.Millisecond)
	p.mu.Lock()
	n := len(p.heard)
	p.mu.Unlock()
	if n < 800 {
		t.Errorf("an idle seat is fed %d bytes in 200 ms", n)
	}
	caller, cl := w.incoming("13800000009", callerHz)
	w.check(w.e.Mix(bg, "r", cl, up.Leg))
	if h := p.hears(callerHz); h < 0.1 {
		t.Errorf("the seat hears %v of the caller", h)
	}
	if !caller.hears(bossHz)[bossHz] {
		t.Error("the caller does not hear the seat")
	}
	p.mu.Lock()
	if p.lost != 0 {
		t.Errorf("%d gaps at the browser", p.lost)
	}
	p.mu.Unlock()
	// The page is loaded anew in the middle of the call.
	p.close()
	again := openPage(t, bossHz)
	again.connect(t, w.e, "42")
	time.Sleep(300 * time.Millisecond)
	if h := again.hears(callerHz); h < 0.1 {
		t.Errorf("after a reload the seat hears %v of the caller", h)
	}
	if !caller.hears(bossHz)[bossHz] {
		t.Error("after a reload the caller does not hear the seat")
	}
	s, err := w.e.Snapshot(bg)
	w.check(err)
	if len(s.Seats) != 1 || s.Seats[0] != "42" {
		t.Errorf("seats %v", s.Seats)
	}
	w.check(w.e.Hangup(bg, cl, 16))
	w.f.kind(media.Ended, cl)
	w.check(w.e.Leave(bg, "r", up.Leg))
	w.check(w.e.Disconnect(bg, "42"))
	w.f.kind(media.SeatDown, up.Leg)
	w.empty()
}
