package demo

import (
	"encoding/binary"
	"strings"

	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/media/sdp"
)

// presses is how many packets a digit takes: 100 ms, and its end three times
// (RFC 4733 2.5.1.4).
const presses = 7

// press is a digit on its way.
type press struct {
	event byte
	ts    uint32
	left  int // packets to go, 0 = no digit
}

// begin takes the next digit that waits.
func (k *press) begin(keys <-chan byte, ts uint32) {
	if k.left > 0 {
		k.left--
	}
	if k.left > 0 {
		return
	}
	select {
	case d := <-keys:
		if i := strings.IndexByte("0123456789*#", d); i >= 0 {
			*k = press{byte(i), ts, presses}
		}
	default:
	}
}

// packet is what goes out in the place of the sound p.
func (k *press) packet(p rtp.Packet) *rtp.Packet {
	step := presses - k.left + 1
	var b [4]byte
	b[0], b[1] = k.event, 10
	if step >= 5 {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], uint16(min(step, 5)*rtp.FrameSize))
	return &rtp.Packet{Type: sdp.TelephonePT, SSRC: p.SSRC, Seq: p.Seq, TS: k.ts, Mark: step == 1, Payload: b[:]}
}
