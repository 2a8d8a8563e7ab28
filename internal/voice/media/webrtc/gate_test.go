package webrtc

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/webrtc/v4"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
)

func now() int64 { return time.Now().UnixNano() }

func tone(hz float64) *mix.Frame {
	var f mix.Frame
	for i := range f {
		f[i] = rtp.ALaw(int16(6000 * math.Sin(2*math.Pi*hz*float64(i)/8000)))
	}
	return &f
}

type ear struct {
	mu    sync.Mutex
	sound []byte
	law   rtp.Law
}

func (e *ear) Voice(_ int64, f *rtp.Frame) {
	e.mu.Lock()
	e.sound, e.law = append(e.sound, f.Sound...), f.Law
	e.mu.Unlock()
}
func (e *ear) Digit(byte) {}

func (e *ear) heard() ([]byte, rtp.Law) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sound, e.law
}

// browser is a peer connection as a page opens it, with Chrome's codec order.
type browser struct {
	pc    *pion.PeerConnection
	track *pion.TrackLocalStaticRTP
	ear   ear
	send  rtp.Sender
	up    chan struct{}
}

func open(t *testing.T, network ...pion.NetworkType) *browser {
	t.Helper()
	m := &pion.MediaEngine{}
	for _, i := range []int{1, 0, 2} {
		if err := m.RegisterCodec(codecs[i], pion.RTPCodecTypeAudio); err != nil {
			t.Fatal(err)
		}
	}
	var s pion.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	s.SetNetworkTypes(network)
	api := pion.NewAPI(pion.WithMediaEngine(m), pion.WithSettingEngine(s))
	pc, err := api.NewPeerConnection(pion.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	b := &browser{pc: pc, up: make(chan struct{}, 8)}
	b.track, _ = pion.NewTrackLocalStaticRTP(codecs[0].RTPCodecCapability, "mic", "mic")
	if _, err := pc.AddTrack(b.track); err != nil {
		t.Fatal(err)
	}
	pc.OnTrack(func(tr *pion.TrackRemote, _ *pion.RTPReceiver) {
		var r rtp.Receiver
		buf := make([]byte, 1500)
		for {
			n, _, err := tr.Read(buf)
			if err != nil {
				return
			}
			if f, _ := r.Take(buf[:n], now()); f != nil {
				b.ear.Voice(0, f)
			}
		}
	})
	pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
		if s == pion.PeerConnectionStateConnected {
			b.send.Begin(rtp.PCMA, func(p []byte) { _, _ = b.track.Write(p) })
			b.up <- struct{}{}
		}
	})
	return b
}

func (b *browser) offer(t *testing.T) string {
	t.Helper()
	o, err := b.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	done := pion.GatheringCompletePromise(b.pc)
	if err := b.pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-done
	return b.pc.LocalDescription().SDP
}

func (b *browser) accept(t *testing.T, answer string) {
	t.Helper()
	if err := b.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-b.up:
	case <-time.After(10 * time.Second):
		t.Fatal("the browser does not connect")
	}
}

func TestBrowserSpeaksAndHearsByUDPAndTCP(t *testing.T) {
	g, err := Open("127.0.0.1:15310", nil, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for name, network := range map[string]pion.NetworkType{"UDP": pion.NetworkTypeUDP4, "TCP": pion.NetworkTypeTCP4} {
		t.Run(name, func(t *testing.T) {
			b := open(t, network)
			offer := b.offer(t)
			var e ear
			states := make(chan bool, 8)
			leg, answer, err := g.Connect(offer, now, &e, func(up bool) { states <- up })
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(answer, "a=ice-lite") || !strings.Contains(answer, " 15310 typ host") || !strings.Contains(answer, "SAVPF 8 ") {
				t.Errorf("answer:\n%s", answer)
			}
			b.accept(t, answer)
			if !<-states {
				t.Fatal("the leg is not up")
			}
			me, you := tone(1000), tone(450)
			for range 40 {
				leg.Speak(now(), "exchange", you)
				b.send.Speak(now(), "mic", me)
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(100 * time.Millisecond)
			got, law := e.heard()
			if mix.Power(got, 1000) < 0.1 || law != rtp.PCMA {
				t.Errorf("the exchange hears %v of the browser in %v", mix.Power(got, 1000), law)
			}
			got, law = b.ear.heard()
			if mix.Power(got, 450) < 0.1 || law != rtp.PCMA {
				t.Errorf("the browser hears %v of the exchange in %v", mix.Power(got, 450), law)
			}
			if q := leg.Quality(); q.Received < 35 || q.Lost != 0 {
				t.Errorf("quality %+v", q)
			}
			b.pc.Close()
			select {
			case up := <-states:
				if up {
					t.Error("up again?")
				}
			case <-time.After(10 * time.Second):
				t.Error("a browser that left is not missed")
			}
			leg.Close()
		})
	}
}

func TestBadOffersAreRefused(t *testing.T) {
	g, err := Open("127.0.0.1:15312", []string{"203.0.113.9"}, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, offer := range []string{"", "v=0", "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"} {
		if _, _, err := g.Connect(offer, now, &ear{}, func(bool) {}); !fault.Is(err, "rtc_offer") {
			t.Errorf("%q: %v", offer, err)
		}
	}
	b := open(t, pion.NetworkTypeUDP4)
	leg, answer, err := g.Connect(b.offer(t), now, &ear{}, func(bool) {})
	if err != nil {
		t.Fatal(err)
	}
	defer leg.Close()
	if !strings.Contains(answer, "203.0.113.9 15312 typ host") {
		t.Errorf("the outside address is not offered:\n%s", answer)
	}
}

// Browsers number the RTP extensions differently: one seat's numbers must not get
// into the answer to another.
func TestOneBrowsersNumbersStayOutOfAnothersAnswer(t *testing.T) {
	g, err := Open("127.0.0.1:0", nil, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	const twcc = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	for _, id := range []string{"4", "3", "7"} {
		b := open(t, pion.NetworkTypeUDP4)
		offer, err := b.pc.CreateOffer(nil)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for l := range strings.Lines(offer.SDP) {
			if !strings.HasPrefix(l, "a=extmap:") {
				lines = append(lines, l)
			}
			if strings.HasPrefix(l, "a=mid:") {
				lines = append(lines, "a=extmap:"+id+" "+twcc+"\r\n")
			}
		}
		l, answer, err := g.Connect(strings.Join(lines, ""), now, &b.ear, func(bool) {})
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(answer, "a=extmap:"); n > 1 || n == 1 && !strings.Contains(answer, "a=extmap:"+id+" ") {
			t.Errorf("offered %s, answered %s", id, answer)
		}
		l.Close()
	}
}
