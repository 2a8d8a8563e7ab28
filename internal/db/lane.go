package db

import (
	"context"
	"sync"
	"sync/atomic"
)

// Lane is the rank of a write among those that wait.
type Lane int

// The lanes in the order in which they are served.
const (
	LaneHigh   Lane = iota // calls and intake
	LaneNormal             // people at work
	LaneLow                // followers, counters, imports
	LaneAudit              // the audit of reads
	lanes
)

const (
	// maxWaiting bounds the writes that wait; more are turned away.
	maxWaiting = 16384
	// oldestEvery is how often the oldest write goes first whatever its lane,
	// so that the last lane gets at least that share and never starves.
	oldestEvery = 8
)

// write is one closure on its way through the database.
type write struct {
	ctx   context.Context
	lane  Lane
	fn    func(*Tx) error
	born  uint64       // arrival number
	taken atomic.Int32 // 0 waiting, 1 begun, 2 given up by its caller
	runs  int          // times it was run in vain
	after []func()
	done  chan error // one answer
}

const (
	writeWaiting = iota
	writeBegun
	writeGivenUp
)

// begin takes the write for running; false when its caller has left.
func (w *write) begin() bool { return w.taken.CompareAndSwap(writeWaiting, writeBegun) }

// queue holds the waiting writes by lane.
type queue struct {
	mu     sync.Mutex
	more   sync.Cond
	lane   [lanes][]*write
	count  int
	born   uint64
	picks  uint64
	idle   int // workers waiting in take
	closed bool
}

func newQueue() *queue {
	q := &queue{}
	q.more.L = &q.mu
	return q
}

// put adds a write; spare tells whether a worker is free to take it at once.
func (q *queue) put(w *write) (spare bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return false, errClosed()
	case q.count >= maxWaiting:
		return false, errOverloaded()
	}
	q.born++
	w.born = q.born
	q.lane[w.lane] = append(q.lane[w.lane], w)
	q.count++
	spare = q.idle >= q.count
	q.more.Signal()
	return spare, nil
}

// take waits for a write; nil when the queue is closed and empty.
func (q *queue) take() *write {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.count == 0 && !q.closed {
		q.idle++
		q.more.Wait()
		q.idle--
	}
	return q.pick()
}

// try takes a write if one is waiting.
func (q *queue) try() *write {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pick()
}

func (q *queue) pick() *write {
	if q.count == 0 {
		return nil
	}
	q.picks++
	from := -1
	for l := range q.lane {
		if len(q.lane[l]) == 0 {
			continue
		}
		if from < 0 {
			from = l
			if q.picks%oldestEvery != 0 {
				break
			}
		} else if q.lane[l][0].born < q.lane[from][0].born {
			from = l
		}
	}
	w := q.lane[from][0]
	q.lane[from][0] = nil
	q.lane[from] = q.lane[from][1:]
	q.count--
	return w
}

// close lets the workers finish what waits and turns away what comes.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.more.Broadcast()
	q.mu.Unlock()
}

// waiting counts the writes of each lane.
func (q *queue) waiting() (n [lanes]int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for l := range q.lane {
		n[l] = len(q.lane[l])
	}
	return n
}
