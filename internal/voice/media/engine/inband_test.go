package engine

import (
	"bytes"
	"math"
	"testing"
	"time"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
)

// A carrier that sends no telephone events: the keys are heard in the sound where
// the trunk says so, and only there.
func TestInbandDigits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "in process")
	s := w.core.setup
	plain := func(offer []byte) []byte { return bytes.ReplaceAll(offer, []byte(" 8 0 101"), []byte(" 8 0")) }
	dial := func(ani string, edit func([]byte) []byte) media.Leg {
		t.Helper()
		v := w.k.callWith(ani, "12345", callerHz, edit)
		in := w.f.wait("incoming", func(e media.Event) bool { return e.Kind == media.Incoming && e.ANI == ani })
		w.check(w.e.Answer(bg, in.Leg))
		v.waitUp(t)
		w.check(w.e.Collect(bg, in.Leg, media.Digits{Max: 2, First: 3, Inter: 3}))
		time.Sleep(100 * time.Millisecond)
		v.mu.Lock()
		for _, hz := range [][2]float64{{697, 1209}, {0, 0}, {941, 1477}, {0, 0}} { // 1, #
			for n := range 5 {
				var f mix.Frame
				for i := range f {
					at := 2 * math.Pi * float64(n*rtp.FrameSize+i) / 8000
					f[i] = rtp.ALaw(int16(6000*math.Sin(at*hz[0]) + 6000*math.Sin(at*hz[1])))
				}
				v.tones = append(v.tones, f)
			}
		}
		v.mu.Unlock()
		return in.Leg
	}
	leg := dial("13800000021", plain)
	if e := w.f.kind(media.Collected, leg); e.Why != "timeout" || e.Digits != "" {
		t.Errorf("a trunk without the rule: %+v", e)
	}
	s.Trunks[0].Inband = true
	w.check(w.e.Setup(bg, s))
	leg = dial("13800000022", plain)
	if e := w.f.kind(media.Collected, leg); e.Digits != "1#" {
		t.Errorf("collected %+v", e)
	}
	leg = dial("13800000023", func(offer []byte) []byte { return offer })
	if e := w.f.kind(media.Collected, leg); e.Why != "timeout" {
		t.Errorf("a party that sends events was listened to: %+v", e)
	}
}
