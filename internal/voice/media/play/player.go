package play

import "hotline/internal/voice/media/rtp"

// Player gives a prompt out in frames of 20 ms. It belongs to one leg.
type Player struct {
	parts [][]byte
	loop  bool
	part  int
	at    int
}

// NewPlayer plays the parts one after another, for ever when loop.
func NewPlayer(parts [][]byte, loop bool) *Player {
	total := 0
	for _, p := range parts {
		total += len(p)
	}
	return &Player{parts: parts, loop: loop && total > 0}
}

// Next fills the next frame; false means that the prompt was over before it.
func (p *Player) Next(dst *[rtp.FrameSize]byte) bool {
	n := 0
	for n < len(dst) {
		if p.part == len(p.parts) {
			if !p.loop {
				break
			}
			p.part, p.at = 0, 0
		}
		c := copy(dst[n:], p.parts[p.part][p.at:])
		n, p.at = n+c, p.at+c
		if p.at == len(p.parts[p.part]) {
			p.part, p.at = p.part+1, 0
		}
	}
	for i := n; i < len(dst); i++ {
		dst[i] = rtp.Silence
	}
	return n > 0
}
