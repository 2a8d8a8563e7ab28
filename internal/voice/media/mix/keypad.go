package mix

import (
	"math"

	"hotline/internal/voice/media/rtp"
)

// The tones of a keypad (ITU-T Q.23): a key is one of rows with one of columns.
var (
	rows    = [4]float64{697, 770, 852, 941}
	columns = [4]float64{1209, 1336, 1477, 1633}
)

const (
	keypad = "123A456B789C*0#D"
	// block is 12.75 ms: any tone of 40 ms, the least that must be taken, fills two;
	// one of 22 ms, which must not, fills no two.
	block = 102
	// Quieter than −36 dBm0 for a block of both tones is no key.
	quietest = 1.2e-4
	// purity is how much of the sound the two tones must be: speech has more in it.
	purity = 0.88
	// drift is the deviation from a frequency that is still taken; Q.24 wants 1.5 %
	// taken and 3.5 % refused.
	drift = 0.025
	// The high tone may be this much stronger than the low one, and weaker
	// (Q.24: 4 and 8 dB must be taken).
	stronger = 4.0 // 6 dB
	weaker   = 0.1 // 10 dB
)

// waves are the tones over a block.
var waves = func() (w [8][block]complex128) {
	for k := range w {
		for n := range block {
			s, c := math.Sincos(-2 * math.Pi * pitch(k) * float64(n) / 8000)
			w[k][n] = complex(c, s)
		}
	}
	return w
}()

func pitch(k int) float64 {
	if k < 4 {
		return rows[k]
	}
	return columns[k-4]
}

// Keypad (带内按键识别) hears the keys of a telephone in what a leg says, within
// the tolerances of ITU-T Q.24, for carriers that send no telephone events. The
// zero value is ready; it belongs to one goroutine.
type Keypad struct {
	held  [block]float64
	n     int
	next  uint32 // time stamp expected
	last  look
	key   byte // that is down
	quiet int  // blocks without it
}

// look is what a block showed: the stronger tone of each group, with its phase.
type look struct {
	row, col int
	low, up  complex128
	energy   float64
	ok       bool
}

// Take hears a packet and gives the key that it completes, 0 = none. After a gap
// it begins anew.
func (k *Keypad) Take(ts uint32, law rtp.Law, sound []byte) (key byte) {
	if ts != k.next {
		k.n, k.last.ok = 0, false
	}
	k.next = ts + uint32(len(sound))
	for _, b := range sound {
		if law == rtp.PCMU {
			b = rtp.UtoA[b]
		}
		k.held[k.n] = float64(rtp.Linear[b]) / 32768
		if k.n++; k.n == block {
			k.n = 0
			if d := k.hear(); d != 0 {
				key = d
			}
		}
	}
	return key
}

// hear judges a block together with the one before it.
func (k *Keypad) hear() byte {
	was := k.last
	k.last = k.measure()
	now := k.last
	key := byte(0)
	if was.ok && now.ok && was.row == now.row && was.col == now.col && pure(was, now) {
		key = keypad[4*now.row+now.col]
	}
	switch {
	case key != 0 && key != k.key:
		k.key, k.quiet = key, 0
		return key
	case key != 0 || now.ok && k.key == keypad[4*now.row+now.col]: // still down
		k.quiet = 0
	default:
		if k.quiet++; k.quiet >= 2 {
			k.key = 0
		}
	}
	return 0
}

// measure finds the strongest tones of the block.
func (k *Keypad) measure() (l look) {
	for _, x := range k.held {
		l.energy += x * x
	}
	if l.energy < quietest*block {
		return l
	}
	var c [8]complex128
	for i := range c {
		var sum complex128
		for n, x := range k.held {
			sum += complex(x, 0) * waves[i][n]
		}
		c[i] = sum
	}
	best := func(from int) int {
		top := from
		for i := from; i < from+4; i++ {
			if power(c[i]) > power(c[top]) {
				top = i
			}
		}
		return top
	}
	r, u := best(0), best(4)
	twist := power(c[u]) / power(c[r])
	l.row, l.col, l.low, l.up = r, u-4, c[r], c[u]
	l.ok = twist <= stronger && twist >= weaker
	return l
}

func power(c complex128) float64 { return real(c)*real(c) + imag(c)*imag(c) }

// pure tells whether two blocks in a row are nothing but the two tones, on their
// frequencies: the phase shows how far off they are, and how much of them the
// block could not see for that.
func pure(a, b look) bool {
	seen := [2]float64{}
	for _, t := range [2]struct {
		was, now complex128
		hz       float64
	}{{a.low, b.low, rows[b.row]}, {a.up, b.up, columns[b.col]}} {
		turn := math.Mod(2*math.Pi*t.hz*block/8000, 2*math.Pi)
		off := math.Remainder(phase(t.now)-phase(t.was)-turn, 2*math.Pi) // of a whole block
		if math.Abs(off/(2*math.Pi)*8000/block) > drift*t.hz {
			return false
		}
		loss := 1.0
		if h := off / 2; h != 0 {
			loss = math.Sin(h) / h
		}
		seen[0] += power(t.was) / (loss * loss)
		seen[1] += power(t.now) / (loss * loss)
	}
	return seen[0]*2/block >= purity*a.energy && seen[1]*2/block >= purity*b.energy
}

func phase(c complex128) float64 { return math.Atan2(imag(c), real(c)) }
