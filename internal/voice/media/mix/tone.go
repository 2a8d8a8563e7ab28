package mix

import (
	"math"

	"hotline/internal/voice/media/rtp"
)

// Power is how strongly one frequency sounds in A-law, 0…1 of a full-scale
// sine: the Goertzel algorithm, by which in-band digits and test tones are heard.
func Power(sound []byte, hz float64) float64 {
	if len(sound) == 0 {
		return 0
	}
	w := 2 * math.Cos(2*math.Pi*hz/8000)
	var a, b float64
	for _, s := range sound {
		a, b = float64(rtp.Linear[s])/32768+w*a-b, a
	}
	return math.Sqrt(max(0, a*a+b*b-w*a*b)) * 2 / float64(len(sound))
}
