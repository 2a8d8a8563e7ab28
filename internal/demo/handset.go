package demo

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"hotline/internal/clock"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/media/sdp"
	"hotline/internal/voice/media/sip"
)

const (
	loopback = "127.0.0.1"
	frame    = 20 * time.Millisecond
	pcma     = 8 // payload type of A-law
)

// handset (话机) is the telephone network of the demonstration: it places real
// SIP calls to the platform's own address over loopback, and takes those that
// the platform places.
type handset struct {
	clk   clock.Clock
	stack *sip.Stack
	taken func(*phoneCall) // speaks for whoever is called
	mu    sync.Mutex
	lines map[*sip.Call]*phoneCall
}

// phoneCall is one call of the handset.
type phoneCall struct {
	call  *sip.Call
	conn  *net.UDPConn
	local sdp.Local
	peer  atomic.Pointer[netip.AddrPort]
	up    chan struct{} // closed when the platform answers
	gone  chan struct{} // closed when the call is over
	keys  chan byte     // digits to be pressed
	heard atomic.Int64  // packets of sound that came
	said  atomic.Int64  // and that went
}

// openHandset listens on a port, or on any when that is taken, and calls to
// where the exchange listens.
func openHandset(clk clock.Clock, exchange string, port int, taken func(*phoneCall)) (*handset, error) {
	h := &handset{clk: clk, taken: taken, lines: map[*sip.Call]*phoneCall{}}
	listen := func(port int) (*sip.Stack, error) {
		return sip.New(sip.Config{Listen: net.JoinHostPort(loopback, strconv.Itoa(port)), UserAgent: "demo", Ping: -1, Clock: clk}, h)
	}
	stack, err := listen(port)
	if err != nil && port != 0 {
		stack, err = listen(0)
	}
	if err != nil {
		return nil, err
	}
	exchange = nearby(exchange)
	if err := stack.Configure([]media.Trunk{{Name: exchange, Address: exchange, Allow: []string{loopback}}}, nil); err != nil {
		stack.Close()
		return nil, err
	}
	h.stack = stack
	return h, nil
}

// nearby is where an exchange of this machine is reached that listens everywhere.
func nearby(exchange string) string {
	if at, err := netip.ParseAddrPort(exchange); err == nil && at.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.MustParseAddr(loopback), at.Port()).String()
	}
	return exchange
}

// dial calls a number. The call ends at the latest when hang is called.
func (h *handset) dial(number, ani string, headers map[string]string) (*phoneCall, error) {
	l, err := h.newCall()
	if err != nil {
		return nil, err
	}
	h.mu.Lock() // whoever reports on the call waits until it is known
	defer h.mu.Unlock()
	l.call, err = h.stack.Dial(media.Target{Kind: media.ToTrunk, Value: number}, sip.DialOpts{ANI: ani, Headers: headers, Offer: sdp.Build(l.local)})
	if err != nil {
		l.conn.Close()
		return nil, err
	}
	h.lines[l.call] = l
	go l.listen()
	return l, nil
}

// newCall opens the ear and mouth of a call.
func (h *handset) newCall() (*phoneCall, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(loopback)})
	if err != nil {
		return nil, err
	}
	port := conn.LocalAddr().(*net.UDPAddr).Port
	return &phoneCall{conn: conn, up: make(chan struct{}), gone: make(chan struct{}), keys: make(chan byte, 4),
		local: sdp.Local{Addr: netip.MustParseAddr(loopback), Port: port, Session: uint64(clock.Millis(h.clk.Now())), Version: 1}}, nil
}

func (h *handset) line(c *sip.Call) *phoneCall {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines[c]
}

// close hangs up whatever is left and stops listening.
func (h *handset) close() {
	h.mu.Lock()
	lines := make([]*phoneCall, 0, len(h.lines))
	for _, l := range h.lines {
		lines = append(lines, l)
	}
	h.mu.Unlock()
	for _, l := range lines {
		_ = l.call.Hangup(16)
		<-l.gone
	}
	for n := 0; n < 50 && h.stack.Calls() > 0; n++ { // the BYEs are on their way
		_ = h.clk.Sleep(context.Background(), frame)
	}
	h.stack.Close()
}

// listen counts what the caller hears until the call is over.
func (l *phoneCall) listen() {
	buf := make([]byte, 2048)
	var p rtp.Packet
	for {
		n, _, err := l.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if p.Parse(buf[:n]) == nil && p.Type == pcma {
			l.heard.Add(1)
		}
	}
}

// talk sends a frame every 20 ms until the call is over or next says so.
func (l *phoneCall) talk(ctx context.Context, clk clock.Clock, next func(dst *[rtp.FrameSize]byte) bool) {
	p := rtp.Packet{Type: pcma, SSRC: uint32(l.local.Port), Mark: true}
	var sound [rtp.FrameSize]byte
	var out []byte
	var key press
	for at := clk.Now(); ; at = at.Add(frame) {
		select {
		case <-l.gone:
			return
		default:
		}
		if clk.Sleep(ctx, at.Sub(clk.Now())) != nil || !next(&sound) {
			return
		}
		p.Payload = sound[:]
		if key.begin(l.keys, p.TS); key.left > 0 {
			out = key.packet(p).Append(out[:0])
		} else {
			out = p.Append(out[:0])
		}
		if to := l.peer.Load(); to != nil {
			if _, err := l.conn.WriteToUDPAddrPort(out, *to); err == nil {
				l.said.Add(1)
			}
		}
		p.Mark, p.Seq, p.TS = false, p.Seq+1, p.TS+rtp.FrameSize
	}
}

// agree takes the platform's description.
func (l *phoneCall) agree(body []byte) {
	if o, err := sdp.Parse(body); err == nil && o.Addr.IsValid() && o.Port > 0 {
		to := netip.AddrPortFrom(o.Addr, uint16(o.Port))
		l.peer.Store(&to)
	}
}

// pickUp is how long a person lets the telephone ring.
const pickUp = 1500 * time.Millisecond

// Invite: the telephone rings and is picked up.
func (h *handset) Invite(c *sip.Call) {
	l, err := h.newCall()
	if err != nil {
		_ = c.Reject(480, "")
		return
	}
	l.call = c
	body := sdp.Build(l.local)
	if offer := c.Offer(); len(offer) > 0 {
		o, err := sdp.Parse(offer)
		if err == nil {
			body, err = o.Answer(l.local)
		}
		if err != nil {
			l.conn.Close()
			_ = c.Reject(488, "")
			return
		}
		l.agree(offer)
	}
	h.mu.Lock()
	h.lines[c] = l
	h.mu.Unlock()
	go l.listen()
	_ = c.Ring(nil)
	go func() {
		select {
		case <-l.gone:
			return
		case <-h.clk.After(pickUp):
		}
		if c.Answer(body) != nil {
			return
		}
		select {
		case <-l.gone:
		case <-l.up:
			h.taken(l)
		}
	}()
}

// Reinvite answers a renegotiation.
func (h *handset) Reinvite(c *sip.Call, offer []byte) ([]byte, int) {
	l := h.line(c)
	if l == nil {
		return nil, 481
	}
	l.local.Version++
	if len(offer) == 0 {
		return sdp.Build(l.local), 200
	}
	o, err := sdp.Parse(offer)
	if err != nil {
		return nil, 488
	}
	body, err := o.Answer(l.local)
	if err != nil {
		return nil, 488
	}
	l.agree(offer)
	return body, 200
}

// Answered: the platform has taken the call.
func (h *handset) Answered(c *sip.Call, body []byte) {
	l := h.line(c)
	if l == nil {
		return
	}
	if len(body) > 0 {
		l.agree(body)
	}
	select {
	case <-l.up:
	default:
		close(l.up)
	}
}

// Ended forgets the call.
func (h *handset) Ended(c *sip.Call, _ sip.End) {
	h.mu.Lock()
	l := h.lines[c]
	delete(h.lines, c)
	h.mu.Unlock()
	if l != nil {
		close(l.gone)
		l.conn.Close()
	}
}

// Progress, Digit, Refer, Phone and Trunk are of no interest to a caller.
func (h *handset) Progress(*sip.Call, int, []byte) {}

// Digit is not sent to callers.
func (h *handset) Digit(*sip.Call, byte) {}

// Refer is for phones.
func (h *handset) Refer(*sip.Call, string) {}

// Phone is for registrars.
func (h *handset) Phone(string, bool) {}

// Trunk is not watched.
func (h *handset) Trunk(string, bool) {}
