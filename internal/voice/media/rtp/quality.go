package rtp

// Quality (通话质量) of what arrives on one leg.
type Quality struct {
	Received uint64
	Lost     int64
	Loss     float64 // 0…1 of the packets expected since the last Quality
	Jitter   float64 // ms, RFC 3550 §6.4.1
	MOS      float64
	PeerLoss float64 // what the other side says it lost of ours
	RTT      float64 // ms, 0 = unknown
}

// rate sets the MOS: what the receiver's buffer adds is taken as twice the jitter.
func (q *Quality) rate() { q.MOS = MOS(q.Loss, q.RTT/2+2*q.Jitter+20) }

// reception counts what arrives, by RFC 3550 appendix A.
type reception struct {
	begun    bool
	ssrc     uint32
	base     uint32 // first extended sequence number
	top      uint32 // highest one
	received uint64
	jitter   float64 // in time stamp units
	transit  int32

	before                     uint64 // received under earlier sources
	lostBefore                 int64
	lastExpected, lastReceived uint64 // at the last report
}

// take counts a packet that arrived at the given moment, in units of 1/8000 s.
// It tells whether a new source began.
func (r *reception) take(p *Packet, arrival uint32) (fresh bool) {
	if !r.begun || p.SSRC != r.ssrc {
		fresh = true
		if r.begun {
			r.before += r.received
			r.lostBefore += r.lost()
		}
		expected, received := r.lastExpected, r.lastReceived
		if r.begun {
			expected, received = 0, 0
		}
		*r = reception{begun: true, ssrc: p.SSRC, base: uint32(p.Seq), top: uint32(p.Seq),
			before: r.before, lostBefore: r.lostBefore, lastExpected: expected, lastReceived: received}
		r.transit = int32(arrival - p.TS)
	}
	r.received++
	ext := r.top&^0xffff | uint32(p.Seq)
	switch d := int16(p.Seq - uint16(r.top)); {
	case d > 0 && uint16(p.Seq) < uint16(r.top):
		ext += 1 << 16
	case d < 0 && uint16(p.Seq) > uint16(r.top):
		ext -= 1 << 16
	}
	if int32(ext-r.top) > 0 {
		r.top = ext
	}
	transit := int32(arrival - p.TS)
	d := transit - r.transit
	r.transit = transit
	if d < 0 {
		d = -d
	}
	if d < 8000 { // a second: a pause of the sender, not jitter
		r.jitter += (float64(d) - r.jitter) / 16
	}
	return fresh
}

func (r *reception) expected() uint64 {
	if !r.begun {
		return 0
	}
	return uint64(r.top-r.base) + 1
}

func (r *reception) lost() int64 { return int64(r.expected()) - int64(r.received) }

// interval is the loss since the last call.
func (r *reception) interval() float64 {
	e, n := r.expected()-r.lastExpected, r.received-r.lastReceived
	r.lastExpected, r.lastReceived = r.expected(), r.received
	if e == 0 || n >= e || e > 1<<31 {
		return 0
	}
	return float64(e-n) / float64(e)
}

// MOS rates a G.711 leg by the E-model of ITU-T G.107: loss 0…1 and the one-way
// delay in ms. Bpl is that of G.711 without concealment (G.113 appendix I),
// as we relay what we receive and conceal nothing.
func MOS(loss, delay float64) float64 {
	const r0, bpl = 93.2, 4.3
	id := 0.024 * delay
	if delay > 177.3 {
		id += 0.11 * (delay - 177.3)
	}
	ppl := loss * 100
	r := r0 - id - 95*ppl/(ppl+bpl)
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
