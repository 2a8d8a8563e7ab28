package engine

import (
	"context"
	"sync"

	"hotline/internal/voice/media"
)

// kept is how many events can be asked for again: minutes of a busy province.
const kept = 16384

// history numbers the events and gives them to followers, from any kept number on.
type history struct {
	mu        sync.Mutex
	seq       uint64
	ring      [kept]media.Event
	wake      chan struct{} // closed by the next event
	followers int
	left      int64 // when the last follower went, ms
	closed    bool
}

func newHistory(now int64) *history { return &history{wake: make(chan struct{}), left: now} }

func (h *history) add(e media.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.seq++
	e.Seq = h.seq
	h.ring[h.seq%kept] = e
	close(h.wake)
	h.wake = make(chan struct{})
}

// follow sends what happened after from. The channel closes when ctx ends, the
// exchange closes, or the follower falls behind what is kept.
func (h *history) follow(ctx context.Context, from uint64, now func() int64) (<-chan media.Event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if from > h.seq || h.seq-from > kept {
		return nil, &media.Error{Code: media.CodeGap, Text: "事件序号不在保留范围内，请先取快照"}
	}
	h.followers++
	out := make(chan media.Event, 64)
	go func() {
		defer func() {
			h.mu.Lock()
			h.followers--
			h.left = now()
			h.mu.Unlock()
			close(out)
		}()
		h.send(ctx, from, out)
	}()
	return out, nil
}

func (h *history) send(ctx context.Context, at uint64, out chan<- media.Event) {
	var batch []media.Event
	for {
		h.mu.Lock()
		batch = batch[:0]
		lost := h.seq-at > kept
		for !lost && at < h.seq && len(batch) < 64 {
			at++
			batch = append(batch, h.ring[at%kept])
		}
		wake, closed := h.wake, h.closed
		h.mu.Unlock()
		for _, e := range batch {
			select {
			case out <- e:
			case <-ctx.Done():
				return
			}
		}
		switch {
		case lost, closed && len(batch) == 0:
			return
		case len(batch) > 0:
			continue
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

func (h *history) at() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seq
}

// alone tells since when (ms) nobody follows; 0 = somebody does.
func (h *history) alone() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.followers > 0 {
		return 0
	}
	return h.left
}

func (h *history) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.wake)
		h.wake = make(chan struct{})
	}
}
