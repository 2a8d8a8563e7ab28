package rtp

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"hotline/internal/clock"
)

// tick is how often a shard wakes: half a frame, so a packet waits 5 ms on
// average and never more than 10.
const tick = 10 * time.Millisecond

// Ticker is called every 20 ms by the shard it stands on. Tick must not block.
type Ticker interface{ Tick(now int64) }

// Shards (分片) run the sound of all legs on a fixed number of goroutines.
type Shards struct {
	clk    clock.Clock
	keep   bool
	stop   context.CancelFunc
	done   sync.WaitGroup
	shards []*shard
	next   atomic.Uint32
}

type shard struct {
	poll  *poller
	socks slots

	mu      sync.Mutex
	tickers map[Ticker]uint64 // to the tick it began on, so that work spreads over odd and even ones
	listed  []ticking         // what the loop walks; nil = make anew
	ticks   uint64
	buf     [2048]byte
	plain   [2048]byte // of a secured packet
	from    address
}

type ticking struct {
	t   Ticker
	odd uint64
}

// end is one socket of a stream.
type end struct {
	st   *Stream
	rtcp bool
}

// slots finds the end of a descriptor: read at every packet without a lock,
// written at the beginning and end of a call.
type slots struct {
	mu   sync.Mutex
	list atomic.Pointer[[]atomic.Pointer[end]]
}

func (s *slots) get(fd int32) *end {
	if l := s.list.Load(); l != nil && int(fd) < len(*l) {
		return (*l)[fd].Load()
	}
	return nil
}

func (s *slots) set(fd int, e *end) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.list.Load()
	if old == nil || fd >= len(*old) {
		grown := make([]atomic.Pointer[end], max(1024, 2*fd))
		if old != nil {
			for i := range *old {
				grown[i].Store((*old)[i].Load())
			}
		}
		s.list.Store(&grown)
		old = &grown
	}
	(*old)[fd].Store(e)
}

// NewShards starts n shards. With keep, of a process that serves nothing but
// calls, each keeps a processor of the runtime (GOMAXPROCS) while it waits, so
// the runtime is never idle: falling asleep and waking up a hundred times a
// second costs its watchdog more than carrying a dozen calls.
func NewShards(clk clock.Clock, n int, keep bool) (*Shards, error) {
	ctx, stop := context.WithCancel(context.Background())
	s := &Shards{clk: clk, keep: keep, stop: stop}
	for range n {
		p, err := openPoller()
		if err != nil {
			s.Close()
			return nil, err
		}
		sh := &shard{poll: p, tickers: map[Ticker]uint64{}}
		s.shards = append(s.shards, sh)
		s.done.Go(func() { s.run(ctx, sh) })
	}
	return s, nil
}

// Close stops the shards; streams must have been closed.
func (s *Shards) Close() {
	s.stop()
	s.done.Wait()
	for _, sh := range s.shards {
		sh.poll.close()
	}
}

// Pick names a shard for something new, in turn.
func (s *Shards) Pick() int { return int(s.next.Add(1)) % len(s.shards) }

// Attach has t ticked by the shard until Detach.
func (s *Shards) Attach(shard int, t Ticker) {
	sh := s.shards[shard]
	sh.mu.Lock()
	sh.tickers[t], sh.listed = uint64(len(sh.tickers)&1), nil
	sh.mu.Unlock()
}

// Detach ends that; a tick that is under way may still be heard.
func (s *Shards) Detach(shard int, t Ticker) {
	sh := s.shards[shard]
	sh.mu.Lock()
	delete(sh.tickers, t)
	sh.listed = nil
	sh.mu.Unlock()
}

func (s *Shards) run(ctx context.Context, sh *shard) {
	next := s.clk.Now()
	for {
		now := s.clk.Now()
		if wait := next.Sub(now); wait > 0 && s.keep {
			runtime.Gosched() // whoever waits for this processor
			if wait = next.Sub(s.clk.Now()); wait > 0 {
				nap(wait)
			}
			if ctx.Err() != nil {
				return
			}
			if now = s.clk.Now(); now.Before(next) { // a signal: the collector wants all to stop
				continue
			}
		} else if wait > 0 {
			if s.clk.Sleep(ctx, wait) != nil {
				return
			}
			now = s.clk.Now()
		} else if ctx.Err() != nil {
			return
		}
		sh.turn(now.UnixNano())
		if next = next.Add(tick); now.Sub(next) > time.Second {
			next = now // the machine slept; what was missed is silence
		}
	}
}

// turn is one tick: read all that arrived, then speak.
func (sh *shard) turn(now int64) {
	for {
		ready := sh.poll.ready()
		for i := range ready {
			if e := sh.socks.get(ready[i].Fd); e != nil {
				e.read(sh, now)
			}
		}
		if len(ready) == 0 {
			break
		}
	}
	sh.mu.Lock()
	if sh.listed == nil {
		sh.listed = make([]ticking, 0, len(sh.tickers))
		for t, odd := range sh.tickers {
			sh.listed = append(sh.listed, ticking{t, odd})
		}
	}
	list := sh.listed
	sh.ticks++
	turn := sh.ticks & 1
	sh.mu.Unlock()
	for i := range list {
		if list[i].odd == turn {
			list[i].t.Tick(now)
		}
	}
}

func (e *end) read(sh *shard, now int64) {
	if e.rtcp {
		e.st.readReport(sh, now)
	} else {
		e.st.read(sh, now)
	}
}
