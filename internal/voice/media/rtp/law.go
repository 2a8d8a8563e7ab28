package rtp

// Law is the companding law of a G.711 stream, named by its static payload type
// (RFC 3551, table 4).
type Law byte

// The two laws. China's fixed network speaks A-law.
const (
	PCMU Law = 0
	PCMA Law = 8
)

// String is the encoding name of SDP.
func (l Law) String() string {
	if l == PCMU {
		return "PCMU"
	}
	return "PCMA"
}

// Silence is the A-law byte of a quiet line; SilenceU is that of µ-law.
const (
	Silence  = 0xD5
	SilenceU = 0xFF
)

// FrameSize is 20 ms of G.711 at 8 kHz.
const FrameSize = 160

// The conversion tables, built once from the definition in ITU-T G.711.
var (
	Linear  [256]int16 // A-law to linear
	LinearU [256]int16 // µ-law to linear
	AtoU    [256]byte
	UtoA    [256]byte

	compressed [8192]byte // the upper 13 bits of a linear sample to A-law
)

func init() {
	for i := range 256 {
		Linear[i], LinearU[i] = expandA(byte(i)), expandU(byte(i))
	}
	for i := range compressed {
		compressed[i] = compressA(int16(uint16(i) << 3))
	}
	for i := range 256 {
		AtoU[i] = compressU(Linear[i])
		UtoA[i] = ALaw(LinearU[i])
	}
}

// ALaw compresses a linear sample.
func ALaw(v int16) byte { return compressed[uint16(v)>>3] }

// ULaw compresses a linear sample by µ-law.
func ULaw(v int16) byte { return compressU(v) }

// Convert rewrites src, which is in law from, into dst by law to.
func Convert(dst, src []byte, from, to Law) {
	switch {
	case from == to:
		copy(dst, src)
	case to == PCMA:
		for i, b := range src {
			dst[i] = UtoA[b]
		}
	default:
		for i, b := range src {
			dst[i] = AtoU[b]
		}
	}
}

func expandA(b byte) int16 {
	b ^= 0x55
	v := int16(b&0x0f)<<4 + 8
	if seg := b & 0x70 >> 4; seg > 0 {
		v = (v + 0x100) << (seg - 1)
	}
	if b&0x80 == 0 {
		return -v
	}
	return v
}

func compressA(v int16) byte {
	sign, s := byte(0x80), int(v)
	if s < 0 {
		sign, s = 0, -s-1 // one's complement keeps -32768 in range
	}
	seg := byte(0)
	for limit := 0xff; s > limit && seg < 7; limit = limit<<1 | 1 {
		seg++
	}
	shift := seg + 3
	if seg == 0 {
		shift = 4
	}
	return (sign | seg<<4 | byte(s>>shift)&0x0f) ^ 0x55
}

// bias lifts µ-law segments so that they double (G.711, 33 in 14-bit terms).
const bias = 0x84

func expandU(b byte) int16 {
	b = ^b
	v := (int16(b&0x0f)<<3+bias)<<(b&0x70>>4) - bias
	if b&0x80 != 0 {
		return -v
	}
	return v
}

func compressU(v int16) byte {
	sign, s := byte(0), int(v)
	if s < 0 {
		sign, s = 0x80, -s
	}
	s = min(s, 32635) + bias
	seg := byte(7)
	for mask := 0x4000; s&mask == 0 && seg > 0; mask >>= 1 {
		seg--
	}
	return ^(sign | seg<<4 | byte(s>>(seg+3))&0x0f)
}
