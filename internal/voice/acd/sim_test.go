package acd

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"testing"
)

// sim plays callers and seats on a virtual clock against the dispatcher.
type sim struct {
	t      testing.TB
	d      *Dispatcher
	r      *rand.Rand
	now    int64
	events happenings
	seq    int64
	talk   func() int64
	wait   func() int64 // patience; 0 = for ever
	ring   func(seat string) int64
	next   int64 // call ids
	calls  map[int64]*caller
	check  bool

	offered, answered, in15, gone, short int
	missed, back, late, gaveUp           int
	worst                                int64 // ms from hanging up to being called back
}

type caller struct {
	arrived, left int64
	talking       bool
	seat          string
}

type happening struct {
	at, seq int64
	do      func()
}

type happenings []happening

func (h happenings) Len() int { return len(h) }
func (h happenings) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h happenings) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *happenings) Push(x any)   { *h = append(*h, x.(happening)) }
func (h *happenings) Pop() any {
	o := *h
	x := o[len(o)-1]
	*h = o[:len(o)-1]
	return x
}

func newSim(t testing.TB, seed uint64, queue func(string) Queue) *sim {
	return &sim{t: t, d: New(queue), r: rand.New(rand.NewPCG(seed, 1)), calls: map[int64]*caller{}, ring: func(string) int64 { return 0 }, wait: func() int64 { return 0 }}
}

func (s *sim) at(ms int64, do func()) {
	s.seq++
	heap.Push(&s.events, happening{ms, s.seq, do})
}

func (s *sim) exp(mean float64) int64 { return int64(s.r.ExpFloat64() * mean) }

// run plays until the moment and what was begun before it.
func (s *sim) run(until int64) {
	for {
		due := s.d.Due()
		switch {
		case s.events.Len() > 0 && (due == 0 || s.events[0].at <= due):
			e := heap.Pop(&s.events).(happening)
			if e.at > until {
				return
			}
			s.now = e.at
			s.d.Tick(s.now)
			s.act()
			e.do()
		case due != 0 && due <= until:
			s.now = due
			s.d.Tick(due)
		default:
			return
		}
		s.act()
		if s.check {
			if bad := s.d.Check(); bad != "" {
				s.t.Fatalf("%d ms: %s", s.now, bad)
			}
		}
	}
}

func (s *sim) act() {
	for _, a := range s.d.Take() {
		switch a.Kind {
		case Ring:
			delay := s.ring(a.Seat)
			if delay < 0 {
				continue // nobody there: 未应答
			}
			s.at(s.now+delay, func() { s.answer(a.Call, a.Seat) })
		case Unready:
			seat := a.Seat
			s.at(s.now+5_000, func() { s.d.SetReady(s.now, seat) })
		case Missed:
			s.missed++
			s.calls[a.Call].left = s.now
		case GaveUp:
			s.gaveUp++
		}
	}
}

func (s *sim) answer(id int64, seat string) {
	if !s.d.Answered(s.now, id, seat) {
		return
	}
	c := s.calls[id]
	c.talking, c.seat = true, seat
	if call, _ := s.d.CallOf(id); call.Callback {
		s.back++
		if late := s.now - c.left; late > s.worst {
			s.worst = late
		}
		if s.now > call.Due() {
			s.late++
		}
		s.d.Reached(s.now, id)
	} else {
		s.answered++
		if s.now-c.arrived <= 15_000 {
			s.in15++
		}
	}
	s.at(s.now+s.talk(), func() {
		if c.seat == seat {
			s.d.Done(s.now, id)
		}
	})
}

func (s *sim) arrive(c Call) {
	s.next++
	s.offered++
	c.ID = s.next
	me := &caller{arrived: s.now}
	s.calls[c.ID] = me
	s.d.Join(s.now, c)
	if p := s.wait(); p > 0 {
		id := c.ID
		s.at(s.now+p, func() {
			if !me.talking {
				if call, ok := s.d.CallOf(id); ok && !call.Callback {
					s.gone++
					if s.d.Gone(s.now, id) {
						s.short++
					}
				}
			}
		})
	}
}

// erlangC is the share of callers answered within t in an M/M/n queue.
func erlangC(n int, load, mean, t float64) float64 {
	b := 1.0
	for i := 1; i <= n; i++ {
		b = load * b / (float64(i) + load*b)
	}
	rho := load / float64(n)
	pw := b / (1 - rho*(1-b))
	return 1 - pw*math.Exp(-(float64(n)-load)*t/mean)
}

// The dispatcher serves a plain queue as the theory says: what it costs in
// waiting is the calls' doing, not its own.
func TestServiceLevelAgreesWithErlangC(t *testing.T) {
	for _, tc := range []struct {
		seats int
		load  float64
	}{{10, 8}, {30, 25}, {60, 52}} {
		const mean = 180.0 // seconds
		s := newSim(t, 42, func(string) Queue {
			return Queue{Strategy: LongestIdle, Rings: []Step{{0, ReachCity}}, Points: 1}
		})
		s.talk = func() int64 { return s.exp(mean * 1000) }
		for i := range tc.seats {
			id := string(rune('A'+i/26)) + string(rune('a'+i%26))
			s.d.SignOn(0, Seat{ID: id, City: 1})
			s.d.SetReady(0, id)
		}
		calls := 120_000
		if testing.Short() {
			calls = 60_000
		}
		gap := mean * 1000 / tc.load
		var next func()
		next = func() {
			s.arrive(Call{City: 1})
			if s.offered < calls {
				s.at(s.now+s.exp(gap), next)
			}
		}
		s.at(0, next)
		s.run(math.MaxInt64)
		got, want := float64(s.in15)/float64(s.offered), erlangC(tc.seats, tc.load, mean, 15)
		t.Logf("%d seats, %.0f Erlang: %.2f%% within 15 s, Erlang-C %.2f%%", tc.seats, tc.load, 100*got, 100*want)
		if math.Abs(got-want) > 0.02 {
			t.Errorf("%d seats, %.0f Erlang: %.4f, theory %.4f", tc.seats, tc.load, got, want)
		}
		if s.answered != s.offered || s.d.Len() != 0 {
			t.Errorf("answered %d of %d, %d left over", s.answered, s.offered, s.d.Len())
		}
	}
}
