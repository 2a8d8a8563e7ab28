package webrtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	pion "github.com/pion/webrtc/v4"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/voice/media/rtp"
)

// readBuffer is that of the one socket all browsers share: with the kernel's
// default 200 browsers lost 9 % of their packets, with this none.
const readBuffer = 4 << 20

// Gate (媒体入口) is the port all browser seats connect to.
type Gate struct {
	api  *pion.API
	cert pion.Certificate
	udp  *net.UDPConn
	tcp  net.Listener
	muxU ice.UDPMux
	muxT ice.TCPMux
}

// Open listens on addr, UDP and TCP. extra are addresses under which browsers
// reach this machine when they are not its own, as outside a container.
func Open(addr string, extra []string, clk clock.Clock) (*Gate, error) {
	g := &Gate{}
	ua, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("webrtc: %w", err)
	}
	if g.udp, err = net.ListenUDP("udp", ua); err != nil {
		return nil, fmt.Errorf("webrtc: %w", err)
	}
	_ = g.udp.SetReadBuffer(readBuffer) // as much as the machine permits
	_ = g.udp.SetWriteBuffer(readBuffer)
	port := g.udp.LocalAddr().(*net.UDPAddr).Port
	if g.tcp, err = net.Listen("tcp", (&net.TCPAddr{IP: ua.IP, Port: port, Zone: ua.Zone}).String()); err != nil {
		g.udp.Close()
		return nil, fmt.Errorf("webrtc: %w", err)
	}
	if err := g.prepare(extra, clk); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Gate) prepare(extra []string, clk clock.Clock) error {
	logs := logging.NewDefaultLoggerFactory()
	logs.DefaultLogLevel = logging.LogLevelError
	log := logs.NewLogger("ice")
	socket, err := newPaced(g.udp, clk)
	if err != nil {
		return fmt.Errorf("webrtc: %w", err)
	}
	g.muxU = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: socket, Logger: log})
	g.muxT = ice.NewTCPMuxDefault(ice.TCPMuxParams{Listener: g.tcp, Logger: log, ReadBufferSize: 32, WriteBufferSize: 64 << 10})
	var s pion.SettingEngine
	s.LoggerFactory = logs
	s.SetLite(true)
	s.SetICEUDPMux(g.muxU)
	s.SetICETCPMux(g.muxT)
	s.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4, pion.NetworkTypeUDP6, pion.NetworkTypeTCP4, pion.NetworkTypeTCP6})
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetICETimeouts(4*time.Second, 8*time.Second, time.Second) // a lost seat is known in time to give its caller to another
	if len(extra) > 0 {
		err := s.SetICEAddressRewriteRules(pion.ICEAddressRewriteRule{External: extra, AsCandidateType: pion.ICECandidateTypeHost, Mode: pion.ICEAddressRewriteAppend})
		if err != nil {
			return fmt.Errorf("webrtc: %w", err)
		}
	}
	m := &pion.MediaEngine{}
	for _, c := range codecs {
		if err := m.RegisterCodec(c, pion.RTPCodecTypeAudio); err != nil {
			return fmt.Errorf("webrtc: %w", err)
		}
	}
	// Of what the library would do to each packet only the reports, by which a
	// browser shows how it is heard; resending and bandwidth are for pictures.
	parts := &interceptor.Registry{}
	if err := pion.ConfigureRTCPReports(parts); err != nil {
		return fmt.Errorf("webrtc: %w", err)
	}
	g.api = pion.NewAPI(pion.WithMediaEngine(m), pion.WithSettingEngine(s), pion.WithInterceptorRegistry(parts))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("webrtc: %w", err)
	}
	cert, err := pion.GenerateCertificate(key) // one for all legs: making a key for each costs more than its handshake
	if err != nil {
		return fmt.Errorf("webrtc: %w", err)
	}
	g.cert = *cert
	return nil
}

// codecs in the order we want them.
var codecs = []pion.RTPCodecParameters{
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypePCMA, ClockRate: 8000}, PayloadType: 8},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: 8000}, PayloadType: 0},
	{RTPCodecCapability: pion.RTPCodecCapability{MimeType: "audio/telephone-event", ClockRate: 8000}, PayloadType: 101},
}

// common are the codecs of an offer that we speak, in our order.
func common(offer string) []pion.RTPCodecParameters {
	var out []pion.RTPCodecParameters
	for _, c := range codecs {
		if _, name, _ := strings.Cut(c.MimeType, "/"); strings.Contains(offer, " "+name+"/8000") {
			out = append(out, c)
		}
	}
	return out
}

// Port is the number to open.
func (g *Gate) Port() int { return g.udp.LocalAddr().(*net.UDPAddr).Port }

// Close ends the gate; legs must have been closed.
func (g *Gate) Close() {
	if g.muxU != nil {
		g.muxU.Close()
	}
	if g.muxT != nil {
		g.muxT.Close()
	}
	g.tcp.Close()
	g.udp.Close()
}

// Leg is one browser's connection.
type Leg struct {
	rtp.Sender
	pc    *pion.PeerConnection
	track *pion.TrackLocalStaticRTP
	sink  rtp.Sink
	now   func() int64

	mu   sync.Mutex
	recv rtp.Receiver
}

// Connect answers a browser's offer. state is told whenever the connection
// comes up or goes down; it may go up and down several times.
func (g *Gate) Connect(offer string, now func() int64, sink rtp.Sink, state func(up bool)) (*Leg, string, error) {
	pc, err := g.api.NewPeerConnection(pion.Configuration{Certificates: []pion.Certificate{g.cert}})
	if err != nil {
		return nil, "", fmt.Errorf("webrtc: %w", err)
	}
	l := &Leg{pc: pc, sink: sink, now: now}
	answer, err := l.negotiate(offer, state)
	if err != nil {
		pc.Close()
		return nil, "", fault.Invalid("rtc_offer", "浏览器的媒体描述无法识别，请刷新页面后重试。").Because(err)
	}
	return l, answer, nil
}

func (l *Leg) negotiate(offer string, state func(bool)) (string, error) {
	track, err := pion.NewTrackLocalStaticRTP(codecs[0].RTPCodecCapability, "voice", "hotline")
	if err != nil {
		return "", err
	}
	l.track = track
	l.pc.OnTrack(func(t *pion.TrackRemote, r *pion.RTPReceiver) { go l.read(t, r) })
	l.pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
		switch s {
		case pion.PeerConnectionStateConnected:
			l.Begin(rtp.PCMA, func(b []byte) { _, _ = l.track.Write(b) })
			state(true)
		case pion.PeerConnectionStateDisconnected, pion.PeerConnectionStateFailed, pion.PeerConnectionStateClosed:
			l.Stop()
			state(false)
		}
	})
	if err := l.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	ts := l.pc.GetTransceivers()
	if len(ts) == 0 || ts[0].Kind() != pion.RTPCodecTypeAudio {
		return "", errors.New("webrtc: no audio in the offer")
	}
	if err := ts[0].SetCodecPreferences(common(offer)); err != nil {
		return "", err
	}
	if _, err := l.pc.AddTrack(track); err != nil {
		return "", err
	}
	answer, err := l.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	if !strings.Contains(answer.SDP, "PCMA") {
		return "", errors.New("webrtc: no G.711 in the offer")
	}
	gathered := pion.GatheringCompletePromise(l.pc)
	if err := l.pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	<-gathered // at once: our only candidates are the ports we listen on
	return l.pc.LocalDescription().SDP, nil
}

// read hands on what the browser says until the track ends.
func (l *Leg) read(t *pion.TrackRemote, r *pion.RTPReceiver) {
	for _, c := range r.GetParameters().Codecs {
		if c.MimeType == codecs[2].MimeType {
			l.mu.Lock()
			l.recv.Event = byte(c.PayloadType)
			l.mu.Unlock()
		}
	}
	b := make([]byte, 1500)
	for {
		n, _, err := t.Read(b)
		if err != nil {
			return
		}
		now := l.now()
		l.mu.Lock()
		f, digit := l.recv.Take(b[:n], now)
		l.mu.Unlock()
		if f != nil {
			l.sink.Voice(now, f)
		}
		if digit != 0 {
			l.sink.Digit(digit)
		}
	}
}

// Quality reports what arrived since the last call.
func (l *Leg) Quality() rtp.Quality {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recv.Quality()
}

// Report is part of a leg; a browser counts for itself.
func (l *Leg) Report(int64) {}

// Close ends the leg.
func (l *Leg) Close() {
	l.Stop()
	_ = l.pc.Close()
}
