package speech

import (
	"encoding/binary"
	"math"

	"hotline/internal/voice/media/rtp"
)

// halfTaps are the weights of the samples at 1, 3, 5 … half steps from a point
// between two samples: a windowed sinc, so that doubling the rate keeps every
// sample of the telephone as it was.
var halfTaps = func() (w [8]float64) {
	sum := 0.0
	for i := range w {
		x := float64(2*i+1) / 2
		w[i] = math.Sin(math.Pi*x) / (math.Pi * x) * (0.5 + 0.5*math.Cos(math.Pi*x/float64(len(w))))
		sum += 2 * w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}()

// doubler turns A-law of 8 kHz to PCM of 16 kHz, s16le, as it comes. It is one
// filter's half behind: 1 ms.
type doubler struct{ past [2 * len(halfTaps)]int16 }

func (d *doubler) append(out, law []byte) []byte {
	const n = len(halfTaps)
	for _, b := range law {
		copy(d.past[:], d.past[1:])
		d.past[2*n-1] = rtp.Linear[b]
		between := 0.0
		for i, w := range halfTaps {
			between += w * (float64(d.past[n-1-i]) + float64(d.past[n+i]))
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(d.past[n-1]))
		out = binary.LittleEndian.AppendUint16(out, uint16(clip(between)))
	}
	return out
}

func clip(v float64) int16 { return int16(math.Round(max(-32768, min(32767, v)))) }

// resample brings PCM to another rate, low-passed below the lower of the two.
func resample(in []int16, from, to int) []int16 {
	if from == to || len(in) == 0 {
		return in
	}
	const lobes = 12
	cut := min(1, float64(to)/float64(from))
	reach := lobes / cut
	out := make([]int16, len(in)*to/from)
	for i := range out {
		at := float64(i) * float64(from) / float64(to)
		sum, weight := 0.0, 0.0
		for k := max(0, int(at-reach)+1); k <= min(len(in)-1, int(at+reach)); k++ {
			x := (float64(k) - at) * cut
			w := 0.5 + 0.5*math.Cos(math.Pi*x/lobes)
			if x != 0 {
				w *= math.Sin(math.Pi*x) / (math.Pi * x)
			}
			sum += w * float64(in[k])
			weight += w
		}
		out[i] = clip(sum / weight)
	}
	return out
}

// WAV wraps A-law as a WAV of 16-bit PCM at 8 kHz.
func WAV(law []byte) []byte {
	out := make([]byte, 44, 44+2*len(law))
	copy(out, "RIFF")
	binary.LittleEndian.PutUint32(out[4:], uint32(36+2*len(law)))
	copy(out[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(out[16:], 16)
	binary.LittleEndian.PutUint16(out[20:], 1)
	binary.LittleEndian.PutUint16(out[22:], 1)
	binary.LittleEndian.PutUint32(out[24:], 8000)
	binary.LittleEndian.PutUint32(out[28:], 16000)
	binary.LittleEndian.PutUint16(out[32:], 2)
	binary.LittleEndian.PutUint16(out[34:], 16)
	copy(out[36:], "data")
	binary.LittleEndian.PutUint32(out[40:], uint32(2*len(law)))
	for _, b := range law {
		out = binary.LittleEndian.AppendUint16(out, uint16(rtp.Linear[b]))
	}
	return out
}
