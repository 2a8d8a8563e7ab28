package rtp

import (
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

// Sink takes what a leg says, on the goroutine that read it.
type Sink interface {
	Voice(now int64, f *Frame)
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
	Keys    Keys // of SRTP
}

// State is all that brings a stream back on the same port after a crash.
type State struct {
	Port  int         `json:"port"`
	Peer  string      `json:"peer,omitempty"` // where sound goes, as latched
	Law   Law         `json:"law"`
	Event byte        `json:"event,omitempty"`
	Mux   bool        `json:"mux,omitempty"`
	Send  bool        `json:"send"`
	Recv  bool        `json:"recv"`
	SSRC  uint32      `json:"ssrc"`
	Seq   uint16      `json:"seq"`
	TS    uint32      `json:"ts"`
	At    int64       `json:"at"` // ns, when Seq and TS were true
	Keys  *Keys       `json:"keys,omitempty"`
	Turns [2]struct { // how often the numbers went round: ours, the peer's
		SSRC uint32 `json:"ssrc"`
		Seq  uint16 `json:"seq"`
		ROC  uint32 `json:"roc"`
	} `json:"turns,omitzero"`
	Index uint32 `json:"index,omitempty"` // of our SRTCP
}

// Stream (媒体流) is the sound of one SIP leg: a pair of sockets, what arrives and
// what leaves. It is opened by Ports before the offer or answer is written, gets
// its Terms when they are known, and is closed with the leg.
type Stream struct {
	Sender
	Port  int
	shard *shard
	free  func(int)
	to    address     // guarded by Sender.mu
	safe  *protection // replaced under both locks; nil = in the clear

	in struct {
		sync.Mutex
		Receiver
		closed  bool
		sink    Sink
		terms   Terms
		rtp     *socket
		rtcp    *socket
		peer    address // where sound comes from, once latched
		latched bool
		strange uint32 // packets from elsewhere since the last good one
		lsr     uint32
		lsrAt   int64
		peerRTP report
		rtt     float64
	}
}

func newStream(s *Shards, port int, a, b *socket, sink Sink, free func(int)) (*Stream, error) {
	st := &Stream{Port: port, shard: s.shards[s.Pick()], free: free}
	st.in.rtp, st.in.rtcp, st.in.sink = a, b, sink
	st.Begin(PCMA, func(b []byte) {
		if st.safe != nil {
			if b = st.safe.seal(b); b == nil {
				return
			}
		}
		a.send(b, &st.to)
	})
	st.open = false // until there are terms
	for i, sock := range []*socket{a, b} {
		st.shard.socks.set(sock.fd, &end{st, i == 1})
		if err := st.shard.poll.add(sock); err != nil {
			st.shard.socks.set(a.fd, nil)
			st.shard.socks.set(sock.fd, nil)
			return nil, err
		}
	}
	return st, nil
}

// Close gives the ports back. Nothing reaches the sink once it returns, but for
// a packet that is being handed over.
func (st *Stream) Close() {
	st.Stop()
	st.in.Lock()
	if st.in.closed {
		st.in.Unlock()
		return
	}
	st.in.closed = true
	for _, s := range []*socket{st.in.rtp, st.in.rtcp} {
		st.shard.poll.remove(s)
		st.shard.socks.set(s.fd, nil)
		s.close()
	}
	st.in.Unlock()
	st.free(st.Port)
}

// Set puts terms into force, at the answer and at each re-INVITE. A changed
// remote address must be latched anew.
func (st *Stream) Set(t Terms) {
	st.in.Lock()
	defer st.in.Unlock()
	if t.Remote != st.in.terms.Remote {
		st.in.latched = false
	}
	st.in.terms, st.in.Event = t, t.Event
	st.mu.Lock()
	defer st.mu.Unlock()
	st.law, st.event = t.Law, t.Event
	if !st.protect(t.Keys) {
		t.Remote, st.in.terms.Receive = netip.AddrPort{}, false // rather silent than in the clear
	}
	st.open = st.write != nil && t.Send && t.Remote.IsValid() && t.Remote.Port() != 0 && !t.Remote.Addr().IsUnspecified()
	if st.in.latched {
		st.to = st.in.peer
	} else if t.Remote.IsValid() {
		st.to = addressOf(t.Remote, st.in.rtp.v6)
	}
}

// protect puts keys into force; those that stay keep their counters. Both locks
// are held.
func (st *Stream) protect(k Keys) bool {
	switch {
	case k == Keys{}:
		st.safe = nil
		return true
	case st.safe != nil && st.safe.keys == k:
		return true
	}
	next, err := newProtection(k)
	if err != nil {
		return false
	}
	if st.safe != nil && st.safe.keys.Send == k.Send { // the same key never numbers twice
		next.out = st.safe.out
	} else if st.s.packets == 0 {
		st.seq &= 0x7fff // RFC 3711 3.3.1: a lost beginning must not hide a turn of the numbers
	}
	if st.safe != nil && st.safe.keys.Receive == k.Receive {
		next.in = st.safe.in
	}
	st.safe = next
	return true
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
	packet := sh.buf[:n]
	if t := sh.buf[1]; in.terms.Mux && t >= typeSR && t <= 223 { // RFC 5761 §4
		if st.safe != nil {
			packet = st.safe.openReport(sh.plain[:], packet)
		}
		if packet != nil && st.accept(&sh.from) {
			st.report(packet, now)
		}
		in.Unlock()
		return
	}
	if st.safe != nil {
		packet = st.safe.open(sh.plain[:], packet)
	}
	if in.p.Parse(packet) != nil || !in.terms.Receive || !st.accept(&sh.from) {
		in.Unlock()
		return
	}
	f, digit := in.take(now)
	sink := in.sink
	in.Unlock()
	if f != nil {
		sink.Voice(now, f)
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
	switch {
	case from.host() == named:
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
	st.mu.Lock()
	st.to = *from
	st.mu.Unlock()
	return true
}

// Quality reports what arrived since the last call.
func (st *Stream) Quality() Quality {
	st.in.Lock()
	defer st.in.Unlock()
	q := st.in.Receiver.Quality()
	q.PeerLoss, q.RTT = st.in.peerRTP.loss, st.in.rtt
	q.rate()
	return q
}

// State is what Restore needs.
func (st *Stream) State(now int64) State {
	st.in.Lock()
	defer st.in.Unlock()
	t, remote := st.in.terms, st.in.terms.Remote
	if st.in.latched {
		remote = netip.AddrPortFrom(st.in.peer.host(), st.in.peer.port())
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	s := State{Port: st.Port, Law: t.Law, Event: t.Event, Mux: t.Mux, Send: t.Send, Recv: t.Receive,
		SSRC: st.s.ssrc, Seq: st.seq, TS: st.ts, At: now}
	if remote.IsValid() {
		s.Peer = remote.String()
	}
	if p := st.safe; p != nil {
		s.Keys = &p.keys
		s.Turns[0].SSRC, s.Turns[0].Seq = st.s.ssrc, st.seq
		s.Turns[0].ROC, _ = p.out.ROC(st.s.ssrc)
		r := &st.in.recv
		s.Turns[1].SSRC, s.Turns[1].Seq = r.ssrc, uint16(r.top)
		s.Turns[1].ROC, _ = p.in.ROC(r.ssrc)
		s.Index, _ = p.out.Index(st.s.ssrc)
	}
	return s
}

// Restore puts a saved state into a stream that was reopened: the same source
// goes on, as far ahead as time has passed.
func (st *Stream) Restore(s State, now int64) error {
	t := Terms{Law: s.Law, Event: s.Event, Mux: s.Mux, Send: s.Send, Receive: s.Recv}
	if s.Peer != "" {
		peer, err := netip.ParseAddrPort(s.Peer)
		if err != nil {
			return err
		}
		t.Remote = peer
	}
	if s.Keys != nil {
		t.Keys = *s.Keys
	}
	st.Set(t)
	st.in.Lock()
	defer st.in.Unlock()
	st.mu.Lock()
	defer st.mu.Unlock()
	gone := max(0, now-s.At)
	st.s.ssrc = s.SSRC
	// Packets sent since the state was saved are not known; a leap beyond them
	// is loss to the peer, a step back would be discarded as old.
	leap := gone/20e6 + 50
	st.seq = s.Seq + uint16(leap)
	if p := st.safe; p != nil {
		p.out.SetROC(s.SSRC, s.Turns[0].ROC+uint32((int64(s.Seq)+leap)>>16))
		p.out.SetIndex(s.SSRC, s.Index+uint32(gone/1e9)+100)
		if peer := s.Turns[1]; peer.SSRC != 0 {
			p.resume(peer.SSRC, peer.ROC+uint32((int64(peer.Seq)+gone/20e6)>>16))
		}
	}
	st.ts = s.TS + uint32(gone/125000)
	st.last = 0
	return nil
}
