package rtp

import (
	"encoding/binary"
	"errors"
)

// headerSize is that of the packets we send: no CSRC, no extension.
const headerSize = 12

// Packet is one RTP packet; Payload points into the bytes it was parsed from.
type Packet struct {
	Type    byte
	Mark    bool
	Seq     uint16
	TS      uint32
	SSRC    uint32
	Payload []byte
}

var (
	errShort   = errors.New("rtp: packet too short")
	errVersion = errors.New("rtp: not version 2")
	errPadding = errors.New("rtp: padding longer than the payload")
)

// Parse reads a packet (RFC 3550 §5.1). It refuses whatever would need a read
// beyond b.
func (p *Packet) Parse(b []byte) error {
	if len(b) < headerSize {
		return errShort
	}
	if b[0]>>6 != 2 {
		return errVersion
	}
	p.Mark, p.Type = b[1]&0x80 != 0, b[1]&0x7f
	p.Seq = binary.BigEndian.Uint16(b[2:])
	p.TS = binary.BigEndian.Uint32(b[4:])
	p.SSRC = binary.BigEndian.Uint32(b[8:])
	at := headerSize + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 { // extension: 16 bits of profile, 16 bits of length in words
		if len(b) < at+4 {
			return errShort
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	if len(b) < at {
		return errShort
	}
	end := len(b)
	if b[0]&0x20 != 0 {
		if at == end {
			return errPadding
		}
		n := int(b[end-1])
		if n == 0 || n > end-at {
			return errPadding
		}
		end -= n
	}
	p.Payload = b[at:end]
	return nil
}

// header writes the packet's header over b[:12].
func (p *Packet) header(b []byte) {
	b[0], b[1] = 0x80, p.Type
	if p.Mark {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.Seq)
	binary.BigEndian.PutUint32(b[4:], p.TS)
	binary.BigEndian.PutUint32(b[8:], p.SSRC)
}

// Append writes the whole packet after dst.
func (p *Packet) Append(dst []byte) []byte {
	var h [headerSize]byte
	p.header(h[:])
	return append(append(dst, h[:]...), p.Payload...)
}
