package speech

import (
	"io"
	"math"

	"hotline/internal/voice/media/rtp"
)

// The times of the detector, in frames of 20 ms.
const (
	vadFrame = rtp.FrameSize
	vadLead  = 10  // kept before the first loud frame
	vadLoud  = 3   // loud frames that make speech
	vadQuiet = 30  // quiet frames that end a sentence
	vadLeast = 8   // loud frames that a sentence has
	vadMost  = 750 // 15 s: then a sentence is cut
)

// utterance is one stretch of speech.
type utterance struct {
	from, to int64 // ms
	law      []byte
}

// split cuts sound into utterances by its energy (端点检测): what is well above
// the quietest of late is speech.
func split(sound io.Reader, found func(utterance) error) error {
	floor := 100.0
	var lead, speech []byte
	loud, quiet, total := 0, 0, 0
	frame := make([]byte, vadFrame)
	at := int64(0)
	flush := func() error {
		u := utterance{to: at - int64(quiet*20), law: speech[:len(speech)-max(0, quiet-vadLead)*vadFrame]}
		u.from = at - int64(len(speech)/8)
		enough := total >= vadLeast
		speech, lead, loud, quiet, total = nil, nil, 0, 0, 0
		if !enough {
			return nil
		}
		return found(u)
	}
	for {
		if _, err := io.ReadFull(sound, frame); err != nil {
			if speech != nil {
				return flush()
			}
			return nil
		}
		at += 20
		e := energy(frame)
		if e < floor {
			floor = max(20, e)
		} else {
			floor = min(floor*1.005, 1000)
		}
		voiced := e > max(250, 3*floor)
		if speech == nil {
			lead = append(lead, frame...)
			if n := len(lead) - (vadLead+vadLoud)*vadFrame; n > 0 {
				lead = append(lead[:0], lead[n:]...)
			}
			if voiced {
				loud++
			} else {
				loud = 0
			}
			if loud >= vadLoud {
				speech, total, quiet = append([]byte(nil), lead...), loud, 0
			}
			continue
		}
		speech = append(speech, frame...)
		if voiced {
			quiet = 0
			total++
		} else {
			quiet++
		}
		if quiet >= vadQuiet || len(speech) >= vadMost*vadFrame {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// energy is the root mean square of a frame.
func energy(law []byte) float64 {
	sum := 0.0
	for _, b := range law {
		v := float64(rtp.Linear[b])
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(law)))
}
