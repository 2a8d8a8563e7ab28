package rtp

import (
	"math/rand/v2"
	"net/netip"
	"sync"
)

// Frame is one packet of sound or of a digit as it goes from leg to leg. Sound
// belongs to the receiver only during the call.
type Frame struct {
	Law   Law
	Event bool // Sound is a telephone event
	Mark  bool
	Seq   uint16
	TS    uint32
	Epoch uint32 // rises when the source changes
	Sound []byte
}

// Sink takes what a leg says, on the goroutine of its shard.
type Sink interface {
	Voice(f *Frame)
	Digit(d byte)
}

// Terms are what the two sides agreed on.
type Terms struct {
	Remote  netip.AddrPort // where sound goes until the peer shows where it comes from
	Law     Law            // that we send; we understand both
	Event   byte           // payload type of telephone events, 0 = none
	Mux     bool           // RTCP on the same port
	Send    bool
	Receive bool
}

// State is all that brings a stream back on the same port after a crash.
type State struct {
	Port  int    `json:"port"`
	Peer  string `json:"peer"` // where sound goes, as latched
	Law   Law    `json:"law"`
	Event byte   `json:"event,omitempty"`
	Mux   bool   `json:"mux,omitempty"`
	Send  bool   `json:"send"`
	Recv  bool   `json:"recv"`
	SSRC  uint32 `json:"ssrc"`
	Seq   uint16 `json:"seq"`
	TS    uint32 `json:"ts"`
	At    int64  `json:"at"` // ns, when Seq and TS were true
}

// Stream (媒体流) is the sound of one SIP leg: a pair of sockets, what arrives and
// what leaves. It is opened by Ports before the offer or answer is written, gets
// its Terms when they are known, and is closed with the leg.
type Stream struct {
	Port  int
	shard *shard
	free  func(int)

	in struct {
		sync.Mutex
		closed  bool
		sink    Sink
		terms   Terms
		rtp     *socket
		rtcp    *socket
		peer    address // where sound comes from, once latched
		latched bool
		strange uint32 // packets from elsewhere since the last good one
		recv    reception
		press   presses
		epoch   uint32
		lsr     uint32
		lsrAt   int64
		peerRTP report
		rtt     float64
		p       Packet
		f       Frame
	}
	out struct {
		sync.Mutex
		closed  bool
		sock    *socket
		to      address
		law     Law
		event   byte
		send    bool
		s       sending
		seq     uint16
		ts      uint32 // of the last packet
		size    uint32 // samples in it
		last    int64  // ns when it left
		source  any    // who spoke last
		epoch   uint32
		seqOff  uint16
		tsOff   uint32
		tones   []tone
		packet  [headerSize + 960]byte // up to 120 ms of sound
		scratch Packet
	}
}

func newStream(s *Shards, port int, a, b *socket, sink Sink, free func(int)) (*Stream, error) {
	st := &Stream{Port: port, shard: s.shards[s.Pick()], free: free}
	st.in.rtp, st.in.rtcp, st.in.sink = a, b, sink
	st.out.sock = a
	st.out.s.ssrc, st.out.seq, st.out.ts = rand.Uint32(), uint16(rand.Uint32()), rand.Uint32()
	for i, sock := range []*socket{a, b} {
		st.shard.socks.Store(int32(sock.fd), &end{st, i == 1})
		if err := st.shard.poll.add(sock); err != nil {
			st.shard.socks.Delete(int32(a.fd))
			st.shard.socks.Delete(int32(sock.fd))
			return nil, err
		}
	}
	return st, nil
}

// Close gives the ports back. Nothing reaches the sink once it returns, but for
// a packet that is being handed over.
func (st *Stream) Close() {
	st.out.Lock()
	st.out.closed = true
	st.out.Unlock()
	st.in.Lock()
	if st.in.closed {
		st.in.Unlock()
		return
	}
	st.in.closed = true
	for _, s := range []*socket{st.in.rtp, st.in.rtcp} {
		st.shard.poll.remove(s)
		st.shard.socks.Delete(int32(s.fd))
		s.close()
	}
	st.in.Unlock()
	st.free(st.Port)
}

// Set puts terms into force, at the answer and at each re-INVITE. A changed
// remote address must be latched anew.
func (st *Stream) Set(t Terms) {
	st.in.Lock()
	moved := t.Remote != st.in.terms.Remote
	st.in.terms = t
	if moved {
		st.in.latched = false
	}
	to := st.in.peer
	latched := st.in.latched
	v6 := st.in.rtp.v6
	st.in.Unlock()
	st.out.Lock()
	defer st.out.Unlock()
	st.out.law, st.out.event = t.Law, t.Event
	st.out.send = t.Send && t.Remote.IsValid() && t.Remote.Port() != 0 && !t.Remote.Addr().IsUnspecified()
	if !latched && t.Remote.IsValid() {
		to = addressOf(t.Remote, v6)
	}
	st.out.to = to
}

// Terms are those in force.
func (st *Stream) Terms() Terms {
	st.in.Lock()
	defer st.in.Unlock()
	return st.in.terms
}

// read takes one datagram of sound.
func (st *Stream) read(sh *shard, now int64) {
	in := &st.in
	in.Lock()
	if in.closed {
		in.Unlock()
		return
	}
	n := in.rtp.recv(sh.buf[:], &sh.from)
	if n < headerSize {
		in.Unlock()
		return
	}
	if t := sh.buf[1]; in.terms.Mux && t >= typeSR && t <= 223 { // RFC 5761 §4
		st.report(sh.buf[:n], now)
		in.Unlock()
		return
	}
	if in.p.Parse(sh.buf[:n]) != nil || !in.terms.Receive || !st.accept(&sh.from) {
		in.Unlock()
		return
	}
	p := &in.p
	if in.recv.take(p, uint32(now/125000)) {
		in.epoch++
		in.press = presses{}
	}
	sink, digit := in.sink, byte(0)
	f := &in.f
	*f = Frame{Mark: p.Mark, Seq: p.Seq, TS: p.TS, Epoch: in.epoch, Sound: p.Payload}
	switch {
	case p.Type == byte(PCMA) || p.Type == byte(PCMU):
		f.Law = Law(p.Type)
	case in.terms.Event != 0 && p.Type == in.terms.Event:
		f.Event = true
		digit, _ = in.press.take(p.TS, p.Payload)
	default: // comfort noise, a codec nobody agreed on
		in.Unlock()
		return
	}
	in.Unlock()
	if len(f.Sound) > 0 && len(f.Sound) <= 960 {
		sink.Voice(f)
	}
	if digit != 0 {
		sink.Digit(digit)
	}
}

// accept tells whether a packet is the peer's. Sound is latched to the port it
// really comes from (symmetric RTP, RFC 4961) when it comes from the host that
// the peer named; from another host only when the peer named a private address,
// that is, sits behind a translator. Once latched nobody else is heard, so a
// stranger who sprays ports neither hears nor speaks.
func (st *Stream) accept(from *address) bool {
	in := &st.in
	if in.latched && *from == in.peer {
		in.strange = 0
		return true
	}
	named := in.terms.Remote.Addr().Unmap()
	host := from.host()
	switch {
	case host == named:
		// The port may move within the named host (a restarted phone), but not
		// while the latched one still speaks.
		if in.latched {
			if in.strange++; in.strange < 25 {
				return false
			}
		}
	case in.latched || !named.IsPrivate() && !named.IsLinkLocalUnicast():
		return false
	}
	in.latched, in.peer, in.strange = true, *from, 0
	st.out.Lock()
	st.out.to = *from
	st.out.Unlock()
	return true
}

// Quality reports what arrived since the last call.
func (st *Stream) Quality() Quality {
	st.in.Lock()
	defer st.in.Unlock()
	r := &st.in.recv
	q := Quality{Received: r.before + r.received, Lost: r.lostBefore + r.lost(), Loss: r.interval(), Jitter: r.jitter / 8,
		PeerLoss: st.in.peerRTP.loss, RTT: st.in.rtt}
	q.MOS = MOS(q.Loss, q.RTT/2+2*q.Jitter+20)
	return q
}

// Received counts the packets that were accepted.
func (st *Stream) Received() uint64 {
	st.in.Lock()
	defer st.in.Unlock()
	return st.in.recv.before + st.in.recv.received
}
