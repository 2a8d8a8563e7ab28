package sip_test

import (
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/sip"
)

// Two hundred calls at a hundred a second, each bridged to an outgoing leg: all
// succeed and nothing is left.
func TestManyCalls(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t)
	before := runtime.NumGoroutine()
	bridged(t, e, 200, 100)
	if n := e.heard("answered"); n != 400 {
		t.Errorf("%d legs answered, want 400", n)
	}
	e.empty()
	for range 200 { // the stack is still open: what is left belongs to calls
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before the calls", runtime.NumGoroutine(), before)
}

// bridged places n calls at rate a second; each is answered when its outgoing
// leg is, and ends it when it ends.
func bridged(t testing.TB, e *engine, n, rate int) {
	far := run(t, "far.xml", nil, "-m", strconv.Itoa(n))
	e.configure(nil, far.far())
	e.when(func(c *sip.Call) {
		out, err := e.stack.Dial(media.Target{Kind: media.ToTrunk, Value: "13800138000", Trunk: "far"}, sip.DialOpts{ANI: "12345", Offer: answer(nil)})
		if err != nil {
			t.Error(err)
			return
		}
		e.pair(c, out)
		_ = c.Ring(nil)
	})
	near := run(t, "in.xml", e, "-m", strconv.Itoa(n), "-r", strconv.Itoa(rate), "-l", strconv.Itoa(n))
	near.wait()
	far.wait()
}

// BenchmarkCalls is the price of setting up and ending a call: one leg, and two.
func BenchmarkCalls(b *testing.B) {
	const n = 500
	for _, legs := range []int{1, 2} {
		b.Run(strconv.Itoa(legs)+"legs", func(b *testing.B) {
			for b.Loop() {
				e := start(b)
				before := cpu()
				began := time.Now()
				if legs == 1 {
					e.when(accept)
					run(b, "in.xml", e, "-m", strconv.Itoa(n), "-r", "50", "-l", strconv.Itoa(n)).wait()
				} else {
					bridged(b, e, n, 50)
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64((cpu()-before).Microseconds())/1000/n, "CPU-ms/call")
				b.ReportMetric(n/time.Since(began).Seconds(), "calls/s")
				b.ReportMetric(float64(m.HeapInuse)/1024/n, "heap-kB/call")
				e.empty()
			}
		})
	}
}

// cpu is what this process has used, sipp not included.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
