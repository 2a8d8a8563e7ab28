package sip

import (
	"container/heap"
	"sync"
	"time"

	"hotline/internal/clock"
)

// timers runs functions later on one goroutine's watch, so that a thousand
// calls waiting for an ACK park no goroutine each.
type timers struct {
	clock clock.Clock
	mu    sync.Mutex
	queue timerQueue
	wake  chan struct{}
	done  chan struct{}
}

// timer is one function to run; stop makes it never run.
type timer struct {
	all *timers
	at  time.Time
	f   func()
	pos int // in the queue, -1 = out of it
}

func newTimers(c clock.Clock) *timers {
	t := &timers{clock: c, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go t.run()
	return t
}

// after runs f on its own goroutine when d has passed.
func (t *timers) after(d time.Duration, f func()) *timer {
	m := &timer{all: t, at: t.clock.Now().Add(d), f: f}
	t.mu.Lock()
	heap.Push(&t.queue, m)
	first := m.pos == 0
	t.mu.Unlock()
	if first {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	return m
}

// stop is harmless on nil and on a timer that has run.
func (m *timer) stop() {
	if m == nil {
		return
	}
	m.all.mu.Lock()
	if m.pos >= 0 {
		heap.Remove(&m.all.queue, m.pos)
	}
	m.all.mu.Unlock()
}

func (t *timers) run() {
	for {
		var next <-chan time.Time
		now := t.clock.Now()
		t.mu.Lock()
		for len(t.queue) > 0 && !t.queue[0].at.After(now) {
			go heap.Pop(&t.queue).(*timer).f()
		}
		if len(t.queue) > 0 {
			next = t.clock.After(t.queue[0].at.Sub(now))
		}
		t.mu.Unlock()
		select {
		case <-t.done:
			return
		case <-t.wake:
		case <-next:
		}
	}
}

func (t *timers) close() { close(t.done) }

type timerQueue []*timer

func (q timerQueue) Len() int           { return len(q) }
func (q timerQueue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q timerQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].pos, q[j].pos = i, j
}

func (q *timerQueue) Push(x any) {
	m := x.(*timer)
	m.pos = len(*q)
	*q = append(*q, m)
}

func (q *timerQueue) Pop() any {
	old := *q
	m := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	m.pos = -1
	return m
}
