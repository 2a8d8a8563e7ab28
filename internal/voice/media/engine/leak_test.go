package engine

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"hotline/internal/voice/media"
)

// After calls of every kind, and the exchange itself, are over, ports, legs,
// rooms and goroutines are what they were.
func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("calls", func(t *testing.T) {
		w := newWorld(t, "over the socket")
		for i := range 10 {
			v, l := w.incoming(fmt.Sprintf("1370000%04d", i), callerHz)
			agent, room := media.Leg(fmt.Sprintf("agent-%d", i)), media.Room(fmt.Sprintf("room-%d", i))
			w.outgoing(agent, "8001", agentHz)
			w.check(w.e.Mix(bg, room, l, agent))
			w.check(w.e.Record(bg, room, media.RecordPolicy{Rec: fmt.Sprintf("rec-%d", i), Left: l}))
			tap, err := w.e.Tap(bg, l)
			w.check(err)
			switch i % 3 {
			case 0:
				_ = v.c.Hangup(16)
			case 1:
				w.check(w.e.Hangup(bg, l, 16))
			case 2:
				w.check(w.e.Play(bg, l, []media.Clip{{Name: "moh"}}, media.PlayOpts{Loop: true}))
				w.check(w.e.Hangup(bg, agent, 16))
				w.check(w.e.Hangup(bg, l, 16))
			}
			w.f.kind(media.Ended, l)
			w.check(w.e.Hangup(bg, agent, 16))
			w.f.kind(media.Ended, agent)
			_ = tap.Close() // it ended with its leg
		}
		w.f.wait("last recording", func(e media.Event) bool { return e.Kind == media.RecReady && e.Rec == "rec-9" })
		w.check(w.e.Hears(bg, "never", "a", "b", 0))
		w.core.mu.Lock()
		w.core.rooms["never"].since -= 2 * grace
		w.core.mu.Unlock()
		w.core.sweep()
		w.empty()
	})
	for range 100 {
		if runtime.NumGoroutine() <= before+1 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b := make([]byte, 1<<20)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
}

// A party that has spoken and falls silent is asked each 30 s whether it is there.
func TestSilentPartyIsAsked(t *testing.T) {
	l := &leg{}
	asked := 0
	for look := range 13 {
		received := uint64(250 * min(look+1, 1)) // of the first look alone
		if l.fellSilent(received) {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times in a minute of silence", asked)
	}
	if l.fellSilent(500) || l.still != 0 {
		t.Error("asked although it speaks again")
	}
}
