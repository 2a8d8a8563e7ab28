package rtp

import "encoding/binary"

// keys are the events 0–15 of RFC 4733 §3.2.
const keys = "0123456789*#ABCD"

// eventVolume is the power of a generated digit in −dBm0.
const eventVolume = 10

// ParseEvent reads the payload of a telephone event.
func ParseEvent(b []byte) (digit byte, end bool, duration uint16, ok bool) {
	if len(b) < 4 || int(b[0]) >= len(keys) {
		return 0, false, 0, false
	}
	return keys[b[0]], b[1]&0x80 != 0, binary.BigEndian.Uint16(b[2:]), true
}

// presses tells apart the digits in a stream of event packets. All packets of
// one press carry the time stamp of its beginning, so the first packet of a
// new one is the press, whichever of them were lost.
type presses struct {
	seen bool
	ts   uint32
}

func (p *presses) take(ts uint32, payload []byte) (digit byte, fresh bool) {
	digit, _, _, ok := ParseEvent(payload)
	if !ok || p.seen && int32(ts-p.ts) <= 0 {
		return 0, false
	}
	p.seen, p.ts = true, ts
	return digit, true
}

// tone is a digit being sent: a packet every 20 ms for 100 ms, then the end
// three times (RFC 4733 §2.5.1.4).
type tone struct {
	event byte
	step  int
	ts    uint32
}

const (
	toneSteps = 5 // 100 ms
	toneEnds  = 3
)

// next writes the payload of the next packet; mark is set on the first and
// more is false after the last.
func (t *tone) next(b *[4]byte) (mark, more bool) {
	t.step++
	d := min(t.step, toneSteps) * FrameSize
	b[0], b[1] = t.event, eventVolume
	if t.step >= toneSteps {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], uint16(d))
	return t.step == 1, t.step < toneSteps+toneEnds-1
}

func eventOf(digit byte) (byte, bool) {
	for i := range len(keys) {
		if keys[i] == digit {
			return byte(i), true
		}
	}
	return 0, false
}
