package rtp

import "net/netip"

// Speak sends 20 ms of A-law that we made ourselves: a prompt, a mix, silence.
// source names who speaks; when it changes the stream goes on without a jump,
// with the marker set.
func (st *Stream) Speak(now int64, source any, sound *[FrameSize]byte) {
	o := &st.out
	o.Lock()
	defer o.Unlock()
	if o.closed || !o.send {
		return
	}
	p := &o.scratch
	*p = Packet{Type: byte(o.law), SSRC: o.s.ssrc, Seq: o.seq + 1}
	if len(o.tones) > 0 {
		st.tone(now)
		return
	}
	if o.source == source {
		p.TS = o.ts + o.size
	} else {
		p.Mark, p.TS = true, st.resume(now)
		o.source = source
	}
	b := o.packet[:headerSize+FrameSize]
	Convert(b[headerSize:], sound[:], PCMA, o.law)
	st.send(now, b, FrameSize)
}

// Relay passes a packet of another leg on without decoding it. Numbers and
// stamps keep their distances, so what was lost on the way in shows as lost.
func (st *Stream) Relay(now int64, source any, f *Frame) {
	o := &st.out
	o.Lock()
	defer o.Unlock()
	if o.closed || !o.send || len(f.Sound) > len(o.packet)-headerSize || f.Event && o.event == 0 {
		return
	}
	p := &o.scratch
	*p = Packet{Type: byte(o.law), Mark: f.Mark, SSRC: o.s.ssrc}
	if o.source != source || o.epoch != f.Epoch {
		o.source, o.epoch = source, f.Epoch
		o.seqOff, o.tsOff = o.seq+1-f.Seq, st.resume(now)-f.TS
		p.Mark = true
	}
	p.Seq, p.TS = f.Seq+o.seqOff, f.TS+o.tsOff
	b := o.packet[:headerSize+len(f.Sound)]
	size := uint32(len(f.Sound))
	if f.Event {
		p.Type, size = o.event, 0
		copy(b[headerSize:], f.Sound)
	} else {
		Convert(b[headerSize:], f.Sound, f.Law, o.law)
	}
	st.send(now, b, size)
}

// resume is the time stamp of the first packet of a new source: as much after
// the last one as time has passed.
func (st *Stream) resume(now int64) uint32 {
	gap := uint32(0)
	if d := (now - st.out.last) / 125000; st.out.last != 0 && d > 0 {
		gap = uint32(d)
	}
	return st.out.ts + max(st.out.size, gap, FrameSize)
}

// send writes the packet in scratch, whose payload stands in b already.
func (st *Stream) send(now int64, b []byte, size uint32) {
	o := &st.out
	p := &o.scratch
	p.header(b)
	o.sock.send(b, &o.to)
	o.s.packets++
	o.s.bytes += uint32(len(b) - headerSize)
	if d := int16(p.Seq - o.seq); d > 0 { // a packet that was overtaken does not set us back
		o.seq, o.ts, o.size = p.Seq, p.TS, size
	}
	o.s.ts, o.last = p.TS, now
}

// Press sends a digit as telephone events, ahead of what Speak is given; false
// when the peer does not know them.
func (st *Stream) Press(digit byte) bool {
	e, known := eventOf(digit)
	st.out.Lock()
	defer st.out.Unlock()
	if !known || st.out.event == 0 || len(st.out.tones) >= 32 {
		return false
	}
	st.out.tones = append(st.out.tones, tone{event: e})
	return true
}

// Pressing tells whether digits wait to be sent; Speak must then be called.
func (st *Stream) Pressing() bool {
	st.out.Lock()
	defer st.out.Unlock()
	return len(st.out.tones) > 0
}

// tone sends the next event packet in place of sound.
func (st *Stream) tone(now int64) {
	o := &st.out
	t := &o.tones[0]
	if t.step == 0 {
		t.ts = st.resume(now)
		o.source = t
	}
	var payload [4]byte
	mark, more := t.next(&payload)
	p := &o.scratch
	p.Type, p.TS, p.Mark = o.event, t.ts, mark
	b := o.packet[:headerSize+4]
	copy(b[headerSize:], payload[:])
	st.send(now, b, uint32(t.step)*FrameSize) // all carry the stamp of the beginning
	if !more {
		o.tones = o.tones[1:]
		o.source = nil
	}
}

// Quiet is how long nothing has left, in ns; a leg that is fed nothing for long
// is fed silence, as translators and browsers close or stretch what is idle.
func (st *Stream) Quiet(now int64) int64 {
	st.out.Lock()
	defer st.out.Unlock()
	return now - st.out.last
}

// Report sends RTCP.
func (st *Stream) Report(now int64) {
	st.out.Lock()
	s, to, mux := st.out.s, st.out.to, false
	open := st.out.send && !st.out.closed
	st.out.Unlock()
	if !open {
		return
	}
	st.in.Lock()
	defer st.in.Unlock()
	if st.in.closed {
		return
	}
	mux = st.in.terms.Mux
	r := st.in.recv // a copy: the interval of Quality is another
	var buf [128]byte
	b := appendReport(buf[:0], now, s, &r, r.interval(), st.in.lsr, st.in.lsrAt)
	sock := st.in.rtcp
	if mux {
		sock = st.in.rtp
	} else {
		to = addressOf(netip.AddrPortFrom(to.host(), to.port()+1), sock.v6)
	}
	sock.send(b, &to)
}

// readReport takes one datagram of RTCP from the named or latched host.
func (st *Stream) readReport(sh *shard, now int64) {
	in := &st.in
	in.Lock()
	defer in.Unlock()
	if in.closed {
		return
	}
	n := in.rtcp.recv(sh.buf[:], &sh.from)
	if n < 8 {
		return
	}
	if h := sh.from.host(); h == in.terms.Remote.Addr().Unmap() || in.latched && h == in.peer.host() {
		st.report(sh.buf[:n], now)
	}
}

// report reads the peer's RTCP; st.in is locked.
func (st *Stream) report(b []byte, now int64) {
	st.out.Lock()
	ssrc := st.out.s.ssrc
	st.out.Unlock()
	r, ok := parseReport(b, ssrc)
	if !ok {
		return
	}
	in := &st.in
	if r.sr {
		in.lsr, in.lsrAt = r.lsr, now
	}
	if r.about {
		in.peerRTP = r
		if r.last != 0 {
			if d := int32(uint32(ntp(now)>>16) - r.last - r.delay); d >= 0 {
				in.rtt = float64(d) * 1000 / 65536
			}
		}
	}
}

// State is what Restore needs.
func (st *Stream) State(now int64) State {
	st.in.Lock()
	t, peer, latched := st.in.terms, st.in.peer, st.in.latched
	st.in.Unlock()
	remote := t.Remote
	if latched {
		remote = netip.AddrPortFrom(peer.host(), peer.port())
	}
	st.out.Lock()
	defer st.out.Unlock()
	s := State{Port: st.Port, Law: t.Law, Event: t.Event, Mux: t.Mux, Send: t.Send, Recv: t.Receive,
		SSRC: st.out.s.ssrc, Seq: st.out.seq, TS: st.out.ts, At: now}
	if remote.IsValid() {
		s.Peer = remote.String()
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
	st.Set(t)
	st.out.Lock()
	defer st.out.Unlock()
	gone := max(0, now-s.At)
	st.out.s.ssrc = s.SSRC
	// Packets sent since the state was saved are not known; a leap beyond them
	// is loss to the peer, a step back would be discarded as old.
	st.out.seq = s.Seq + uint16(gone/20e6) + 50
	st.out.ts = s.TS + uint32(gone/125000)
	st.out.last = 0
	return nil
}
