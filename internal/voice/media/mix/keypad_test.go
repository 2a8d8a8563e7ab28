package mix

import (
	"math"
	"math/rand/v2"
	"testing"

	"hotline/internal/voice/media/rtp"
)

// dial makes sound as a line carries it.
type dial struct {
	pcm []float64
	r   *rand.Rand
}

// key adds ms of a key at levels in dBm0, its frequencies off by a share.
func (d *dial) key(key byte, ms, low, high, off float64) {
	i := 0
	for keypad[i] != key {
		i++
	}
	a, b := amplitude(low), amplitude(high)
	p, q := d.r.Float64()*7, d.r.Float64()*7
	for n := range int(ms * 8) {
		t := 2 * math.Pi * float64(n) / 8000
		d.pcm = append(d.pcm, a*math.Sin(t*rows[i/4]*(1+off)+p)+b*math.Sin(t*columns[i%4]*(1+off)+q))
	}
}

func (d *dial) pause(ms float64) { d.pcm = append(d.pcm, make([]float64, int(ms*8))...) }

// amplitude of a sine of so many dBm0; A-law's full scale is +3.14.
func amplitude(dbm0 float64) float64 { return 32768 * math.Pow(10, (dbm0-3.14)/20) }

// heard runs it through A-law in packets of 20 ms.
func (d *dial) heard(noise float64) string {
	var k Keypad
	var out []byte
	b := make([]byte, len(d.pcm))
	for i, x := range d.pcm {
		x += d.r.NormFloat64() * noise
		b[i] = rtp.ALaw(int16(max(-32768, min(x, 32767))))
	}
	for ts := 0; ts < len(b); ts += rtp.FrameSize {
		if key := k.Take(uint32(ts), rtp.PCMA, b[ts:min(len(b), ts+rtp.FrameSize)]); key != 0 {
			out = append(out, key)
		}
	}
	return string(out)
}

func newDial(seed uint64) *dial { return &dial{r: rand.New(rand.NewPCG(seed, 1))} }

// ITU-T Q.24: what must be taken, for every key at every alignment with the blocks.
func TestKeysAreHeard(t *testing.T) {
	for name, c := range map[string]struct{ ms, pause, low, high, off, noise float64 }{
		"ordinary":           {ms: 80, pause: 80, low: -10, high: -8},
		"shortest":           {ms: 40, pause: 40, low: -10, high: -8},
		"loudest":            {ms: 60, pause: 60, low: -3, high: -3},
		"quietest":           {ms: 60, pause: 60, low: -27, high: -25},
		"high tone stronger": {ms: 60, pause: 60, low: -14, high: -10},
		"high tone weaker":   {ms: 60, pause: 60, low: -8, high: -16},
		"1.5 % high":         {ms: 60, pause: 60, low: -10, high: -8, off: 0.015},
		"1.5 % low":          {ms: 60, pause: 60, low: -10, high: -8, off: -0.015},
		"noise":              {ms: 60, pause: 60, low: -12, high: -10, noise: amplitude(-28)},
	} {
		t.Run(name, func(t *testing.T) {
			missed := 0
			for seed := range uint64(100) {
				d, want := newDial(seed), ""
				d.pause(float64(seed) / 8 * 1.1)
				for _, k := range []byte(keypad) {
					d.key(k, c.ms, c.low, c.high, c.off)
					d.pause(c.pause)
					want += string(k)
				}
				d.key('7', c.ms, c.low, c.high, c.off) // the same key twice is two
				d.pause(c.pause)
				d.key('7', c.ms, c.low, c.high, c.off)
				d.pause(c.pause)
				if got := d.heard(c.noise); got != want+"77" {
					if missed++; missed < 4 {
						t.Logf("heard %s", got)
					}
				}
			}
			if missed > 0 {
				t.Errorf("%d of 100 rows of keys were not heard as dialled", missed)
			}
		})
	}
}

// What must not be taken.
func TestWhatIsNoKey(t *testing.T) {
	for name, c := range map[string]struct{ ms, low, high, off float64 }{
		"too short":       {ms: 22, low: -10, high: -8},
		"3.5 % high":      {ms: 80, low: -10, high: -8, off: 0.035},
		"3.5 % low":       {ms: 80, low: -10, high: -8, off: -0.035},
		"too quiet":       {ms: 80, low: -45, high: -43},
		"one tone alone":  {ms: 80, low: -10, high: -70},
		"the other alone": {ms: 80, low: -70, high: -10},
		"too much twist":  {ms: 80, low: -22, high: -8},
	} {
		d := newDial(7)
		for i := range 20 {
			for _, k := range []byte(keypad) {
				d.key(k, c.ms, c.low, c.high, c.off)
				d.pause(50 + float64(i)/8)
			}
		}
		if got := d.heard(0); got != "" {
			t.Errorf("%s: heard %d keys of 320: %.40s", name, len(got), got)
		}
	}
	d := newDial(3)
	d.pause(60000)
	if got := d.heard(amplitude(-15)); got != "" {
		t.Errorf("a minute of noise: %s", got)
	}
}

// A held key is one key; a gap in the packets ends nothing by itself.
func TestOneKeyIsHeardOnce(t *testing.T) {
	d := newDial(1)
	d.key('5', 3000, -10, -8, 0)
	if got := d.heard(amplitude(-40)); got != "5" {
		t.Errorf("held: %s", got)
	}
	var k Keypad
	d = newDial(2)
	d.key('9', 200, -10, -8, 0)
	n := 0
	for ts := 0; ts+rtp.FrameSize <= len(d.pcm); ts += rtp.FrameSize {
		if ts == 3*rtp.FrameSize { // lost
			continue
		}
		var f Frame
		for i := range f {
			f[i] = rtp.AtoU[rtp.ALaw(int16(d.pcm[ts+i]))]
		}
		if k.Take(uint32(ts), rtp.PCMU, f[:]) == '9' {
			n++
		}
	}
	if n != 1 {
		t.Errorf("a key with a lost packet was heard %d times", n)
	}
}
