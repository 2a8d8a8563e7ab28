package rtp

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"hotline/internal/clock"
)

type counter struct{ n atomic.Int64 }

func (c *counter) Tick(int64) { c.n.Add(1) }

// A shard that keeps its processor keeps time, lets the collector in, and ends.
func TestShardThatKeepsItsProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + 1))
	s, err := NewShards(clock.System(), 1, true)
	if err != nil {
		t.Fatal(err)
	}
	var c counter
	s.Attach(0, &c)
	began := time.Now()
	for c.n.Load() < 25 && time.Since(began) < 20*time.Second {
		runtime.GC() // must not wait for the nap
		time.Sleep(5 * time.Millisecond)
	}
	if took := time.Since(began); took < 400*time.Millisecond || c.n.Load() < 25 {
		t.Errorf("%d ticks of 20 ms in %v", c.n.Load(), took)
	}
	s.Detach(0, &c)
	s.Close()
}
