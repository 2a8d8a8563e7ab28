package rtp

import (
	"encoding/binary"
	"net/netip"
)

// The packet types of RFC 3550 §12.1 that we speak.
const (
	typeSR   = 200
	typeRR   = 201
	typeSDES = 202
)

// ntpEpoch is 1970 in the seconds of NTP.
const ntpEpoch = 2208988800

// ntp is a moment (ns since 1970) as 32.32 NTP time.
func ntp(ns int64) uint64 {
	s, frac := uint64(ns/1e9), uint64(ns%1e9)
	return (s+ntpEpoch)<<32 | frac<<32/1e9
}

// report is what a peer's RTCP said.
type report struct {
	sr    bool
	lsr   uint32 // middle bits of its NTP time
	about bool   // it reports on us
	loss  float64
	last  uint32 // our LSR as it saw it
	delay uint32 // 1/65536 s since then
}

// parseReport reads a compound packet; ssrc is ours. Anything malformed ends
// the reading, not the call.
func parseReport(b []byte, ssrc uint32) (r report, ok bool) {
	for len(b) >= 8 && b[0]>>6 == 2 {
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if size > len(b) || size < 8 {
			return r, ok
		}
		p, blocks := b[:size], []byte(nil)
		switch p[1] {
		case typeSR:
			if size < 28 {
				return r, ok
			}
			r.sr, r.lsr, ok = true, binary.BigEndian.Uint32(p[10:]), true
			blocks = p[28:]
		case typeRR:
			blocks, ok = p[8:], true
		}
		for n := int(p[0] & 0x1f); n > 0 && len(blocks) >= 24; n, blocks = n-1, blocks[24:] {
			if binary.BigEndian.Uint32(blocks) != ssrc {
				continue
			}
			r.about, r.loss = true, float64(blocks[4])/256
			r.last, r.delay = binary.BigEndian.Uint32(blocks[16:]), binary.BigEndian.Uint32(blocks[20:])
		}
		b = b[size:]
	}
	return r, ok
}

// sending is our side of a sender report.
type sending struct {
	ssrc, ts       uint32
	packets, bytes uint32
}

// appendReport writes SR (or RR when nothing was sent) and SDES with a CNAME
// that says nothing.
func appendReport(dst []byte, now int64, s sending, r *reception, fraction float64, lsr uint32, lsrAt int64) []byte {
	at := len(dst)
	n := byte(0)
	if r.begun {
		n = 1
	}
	kind := byte(typeRR)
	if s.packets > 0 {
		kind = typeSR
	}
	dst = append(dst, 0x80|n, kind, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, s.ssrc)
	if kind == typeSR {
		dst = binary.BigEndian.AppendUint64(dst, ntp(now))
		dst = binary.BigEndian.AppendUint32(dst, s.ts)
		dst = binary.BigEndian.AppendUint32(dst, s.packets)
		dst = binary.BigEndian.AppendUint32(dst, s.bytes)
	}
	if n == 1 {
		dst = binary.BigEndian.AppendUint32(dst, r.ssrc)
		lost := uint32(max(0, min(r.lost(), 0x7fffff)))
		dst = binary.BigEndian.AppendUint32(dst, uint32(min(255, fraction*256))<<24|lost)
		dst = binary.BigEndian.AppendUint32(dst, r.top)
		dst = binary.BigEndian.AppendUint32(dst, uint32(r.jitter))
		dst = binary.BigEndian.AppendUint32(dst, lsr)
		var since uint32
		if lsr != 0 {
			since = uint32((now - lsrAt) * 65536 / 1e9)
		}
		dst = binary.BigEndian.AppendUint32(dst, since)
	}
	binary.BigEndian.PutUint16(dst[at+2:], uint16((len(dst)-at)/4-1))
	sdes := []byte{0x81, typeSDES, 0, 3, 0, 0, 0, 0, 1, 4, 'l', 'i', 'n', 'e', 0, 0}
	binary.BigEndian.PutUint32(sdes[4:], s.ssrc)
	return append(dst, sdes...)
}

// Report sends RTCP about both directions.
func (st *Stream) Report(now int64) {
	st.in.Lock()
	defer st.in.Unlock()
	st.mu.Lock()
	s, to, open := st.s, st.to, st.open
	st.mu.Unlock()
	if !open || st.in.closed {
		return
	}
	r := st.in.recv // a copy: the interval of Quality is another
	var buf [128]byte
	b := appendReport(buf[:0], now, s, &r, r.interval(), st.in.lsr, st.in.lsrAt)
	sock := st.in.rtcp
	if st.in.terms.Mux {
		sock = st.in.rtp
	} else {
		to = addressOf(netip.AddrPortFrom(to.host(), to.port()+1), sock.v6)
	}
	if st.safe != nil {
		st.mu.Lock()
		defer st.mu.Unlock()
		if b = st.safe.sealReport(b); b == nil {
			return
		}
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
		b := sh.buf[:n]
		if st.safe != nil {
			b = st.safe.openReport(sh.plain[:], b)
		}
		st.report(b, now)
	}
}

// report reads the peer's RTCP; st.in is locked.
func (st *Stream) report(b []byte, now int64) {
	st.mu.Lock()
	ssrc := st.s.ssrc
	st.mu.Unlock()
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
