package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// connections is how many clients or writers work at once.
const connections = 32

// span is how long each measurement runs.
var span = 5 * time.Second

// result is what a measurement saw.
type result struct {
	n     int64
	rate  float64       // a second
	cpu   time.Duration // processor time of one operation, of the whole process
	times []time.Duration
	lost  int64 // requests that failed or were turned away; they have no time
}

func (r result) p(q float64) time.Duration {
	if len(r.times) == 0 {
		return 0
	}
	return r.times[int(float64(len(r.times)-1)*q)].Round(time.Microsecond)
}

const cores = 2

func (r result) String() string {
	return fmt.Sprintf("%.0f次/秒 p50 %v p99 %v CPU %.2f毫秒", r.rate, r.p(0.5), r.p(0.99), float64(r.cpu)/1e6)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// profiles is where the measurements' profiles go; "" = nowhere.
var profiles string

var measured int

// profile begins the profile of a measurement and gives its end.
func profile() (stop func()) {
	if profiles == "" {
		return func() {}
	}
	measured++
	f, err := os.Create(filepath.Join(profiles, fmt.Sprintf("%02d.prof", measured)))
	if err != nil {
		return func() {}
	}
	_ = pprof.StartCPUProfile(f)
	return func() { pprof.StopCPUProfile(); f.Close() }
}

// many runs work on so many workers for the span.
func many(workers int, work func(worker int) error) result {
	var failed atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	var r result
	defer profile()()
	start, cpu := time.Now(), cpuTime()
	for i := range workers {
		wg.Go(func() {
			var own []time.Duration
			for time.Since(start) < span {
				t := time.Now()
				if err := work(i); err != nil {
					if failed.Add(1) == 1 {
						fmt.Fprintln(os.Stderr, "  第一个错误：", err)
					}
					time.Sleep(time.Millisecond)
					continue
				}
				own = append(own, time.Since(t))
			}
			mu.Lock()
			r.times = append(r.times, own...)
			mu.Unlock()
		})
	}
	wg.Wait()
	took := time.Since(start)
	slices.Sort(r.times)
	if r.n = int64(len(r.times)); r.n > 0 {
		r.rate, r.cpu = float64(r.n)/took.Seconds(), (cpuTime()-cpu)/time.Duration(r.n)
	}
	return r
}

// alone runs work n times one after the other.
func alone(n int, work func(i int) error) (r result, err error) {
	defer profile()()
	start, cpu := time.Now(), cpuTime()
	for i := range n {
		t := time.Now()
		if err := work(i); err != nil {
			return r, err
		}
		r.times = append(r.times, time.Since(t))
	}
	slices.Sort(r.times)
	r.n, r.rate, r.cpu = int64(n), float64(n)/time.Since(start).Seconds(), (cpuTime()-cpu)/time.Duration(max(n, 1))
	return r, nil
}

// paced starts work at a fixed rate whether or not earlier ones are done, for
// twice the span; times run from when each was due.
func paced(perSecond int, work func() error) (r result) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failed atomic.Int64
	start, every := time.Now(), time.Second/time.Duration(perSecond)
	for i := 0; ; i++ {
		due := start.Add(time.Duration(i) * every)
		if due.Sub(start) > 2*span {
			break
		}
		time.Sleep(time.Until(due))
		wg.Go(func() {
			if err := work(); err != nil {
				if failed.Add(1) == 1 {
					fmt.Fprintln(os.Stderr, "  第一个错误：", err)
				}
				return
			}
			mu.Lock()
			r.times = append(r.times, time.Since(due))
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(r.times)
	r.n, r.rate, r.lost = int64(len(r.times)), float64(len(r.times))/time.Since(start).Seconds(), failed.Load()
	return r
}
