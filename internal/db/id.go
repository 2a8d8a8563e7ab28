package db

import (
	"sync/atomic"
	"time"

	"hotline/internal/clock"
)

const (
	nodeBits    = 10
	counterBits = 12

	// MaxNode is the largest node number an id can carry.
	MaxNode = 1<<nodeBits - 1
)

// idEpoch is 2020-01-01 UTC in milliseconds; 41 bits of it last until 2089.
var idEpoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// idMaker makes ids: 41 bits of milliseconds, the node, a counter.
type idMaker struct {
	node atomic.Int64
	last atomic.Int64 // milliseconds and counter of the newest id, without the node
}

// next gives an id larger than every one before it. When the clock stands
// still or goes back, the counter carries on into the next millisecond.
func (m *idMaker) next(c clock.Clock) int64 {
	for {
		last := m.last.Load()
		id := (c.Now().UnixMilli() - idEpoch) << counterBits
		if id <= last {
			id = last + 1
		}
		if m.last.CompareAndSwap(last, id) {
			ms, n := id>>counterBits, id&(1<<counterBits-1)
			return ms<<(nodeBits+counterBits) | m.node.Load()<<counterBits | n
		}
	}
}

// IDTime tells when an id was made, to the millisecond.
func IDTime(id int64) time.Time {
	return clock.FromMillis(id>>(nodeBits+counterBits) + idEpoch)
}

// FirstID is the smallest id that can have been made at t, for ranges of time.
func FirstID(t time.Time) int64 {
	return (t.UnixMilli() - idEpoch) << (nodeBits + counterBits)
}
