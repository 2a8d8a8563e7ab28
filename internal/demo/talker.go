package demo

import (
	"context"
	"log/slog"
	"time"

	"hotline/internal/clock"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/media/rtp"
)

// talker is a person on the telephone: he speaks once the other side is there,
// answers the questions after the call by pressing digits, and stays until the
// far end hangs up or his time is over.
type talker struct {
	f       *Face
	l       *phoneCall
	sound   []byte
	until   time.Time     // how long he waits to be answered
	rings   time.Duration // and how long of that with a seat ringing or all busy, 0 = as long
	stay    time.Duration
	verdict string // digit for each question of the survey, "" = presses nothing
	breaks  bool   // his line breaks when he has spoken
	called  bool   // he was called: he speaks at once
	probe   func() (flow.Probe, bool)

	speaks bool
	at     int // into sound; negative = listens yet
	asked  int // question that he has heard
	answer time.Time
}

// thinking is how long a person listens to a question before pressing a digit.
const thinking = 2500 * time.Millisecond

func (t *talker) run() {
	n := 0
	if t.called {
		t.begin(-int(time.Second/time.Millisecond) * 8 / 2)
	}
	broke := false
	t.l.talk(context.Background(), t.f.a.Clock, func(dst *[rtp.FrameSize]byte) bool {
		now := t.f.a.Clock.Now()
		if n++; n%10 == 0 { // five looks a second
			t.look(now)
		}
		for i := range dst {
			dst[i] = rtp.Silence
		}
		if t.speaks {
			if t.at >= 0 && t.at < len(t.sound) {
				copy(dst[:], t.sound[t.at:])
			}
			t.at += rtp.FrameSize
		}
		broke = t.breaks && t.speaks && t.at >= len(t.sound)
		return !broke && now.Before(t.until)
	})
	cause := 16
	if broke {
		cause = 41 // the network, not the person
	}
	if err := t.l.call.Hangup(cause); err != nil {
		slog.Debug("demo: the far end hung up first", "call", t.l.id())
	}
}

// begin makes him speak, from a place in what he has to say.
func (t *talker) begin(at int) {
	t.speaks, t.at = true, at
	t.until = t.f.a.Clock.Now().Add(time.Duration(max(0, len(t.sound)-at)/8)*time.Millisecond + t.stay)
}

// look sees what the platform does with the call.
func (t *talker) look(now time.Time) {
	p, ok := t.probe()
	if !ok {
		return
	}
	if t.rings > 0 && !t.speaks && p.Queued > 0 && p.Answered == 0 && now.After(clock.FromMillis(p.Queued).Add(t.rings)) {
		t.until = now
	}
	if !t.speaks && p.Answered > 0 {
		t.begin(int(clock.Millis(now)-p.Answered-int64(opening/time.Millisecond)) * 8)
	}
	if p.Survey != t.asked {
		t.asked, t.answer = p.Survey, now.Add(thinking)
	}
	if q := t.asked; q > 0 && q <= len(t.verdict) && !t.answer.IsZero() && now.After(t.answer) {
		t.answer = time.Time{}
		select {
		case t.l.keys <- t.verdict[q-1]:
		default:
		}
	}
}
