package rtp

// Receiver (接收端) counts what a peer sends and makes frames and digits of it.
// It belongs to whoever reads the packets.
type Receiver struct {
	Event byte // payload type of telephone events, 0 = none

	recv  reception
	press presses
	epoch uint32
	p     Packet
	f     Frame
}

// Take reads one packet. The frame is nil when there is nothing to hear in it,
// and belongs to the receiver.
func (r *Receiver) Take(b []byte, now int64) (f *Frame, digit byte) {
	if r.p.Parse(b) != nil {
		return nil, 0
	}
	return r.take(now)
}

// take goes on with a parsed packet.
func (r *Receiver) take(now int64) (f *Frame, digit byte) {
	p := &r.p
	if r.recv.take(p, uint32(now/125000)) {
		r.epoch++
		r.press = presses{}
	}
	if len(p.Payload) == 0 || len(p.Payload) > maxSound {
		return nil, 0
	}
	r.f = Frame{Mark: p.Mark, Seq: p.Seq, TS: p.TS, Epoch: r.epoch, Sound: p.Payload}
	switch {
	case p.Type == byte(PCMA) || p.Type == byte(PCMU):
		r.f.Law = Law(p.Type)
	case r.Event != 0 && p.Type == r.Event:
		r.f.Event = true
		digit, _ = r.press.take(p.TS, p.Payload)
	default: // comfort noise, a codec nobody agreed on
		return nil, 0
	}
	return &r.f, digit
}

// Quality reports what arrived since the last call.
func (r *Receiver) Quality() Quality {
	q := Quality{Received: r.recv.before + r.recv.received, Lost: r.recv.lostBefore + r.recv.lost(), Loss: r.recv.interval(), Jitter: r.recv.jitter / 8}
	q.rate()
	return q
}
