package rtp

import "sync"

// ringSize is 256 ms of sound: what may arrive out of order or in a heap.
const ringSize = 2048

// The delay of a Ring, in samples: it starts at 40 ms, rises by 10 ms with
// every gap that came from late packets, never above 100 ms, and falls slowly
// towards 20 ms on a line without any.
const (
	delayMin   = 160
	delayStart = 320
	delayStep  = 80
	delayMax   = 800
)

// Ring (抖动缓冲) lays packets of any length on one time line by their stamps and
// gives it back in frames of 20 ms, so that loss is silence, disorder is order
// and duplicates vanish. One side pushes, another pulls.
type Ring struct {
	mu     sync.Mutex
	buf    *[ringSize]byte // nil until something is pushed: most legs are relayed
	head   uint32          // time stamp behind the newest sample
	play   uint32          // time stamp of the next sample out
	delay  uint32
	live   bool
	late   int   // packets that came after their turn since the last resync
	low    int32 // least depth of the last pulls
	pulls  int
	loaded bool
}

// Push lays A-law sound at its time stamp.
func (r *Ring) Push(ts uint32, sound []byte) {
	if len(sound) == 0 || len(sound) > ringSize/2 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := int32(ts - r.play)
	end := at + int32(len(sound))
	switch {
	case !r.live || at < -ringSize || end > ringSize:
		r.sync(ts)
	case end <= 0:
		r.late++
		return
	case at < 0: // the beginning is late, the rest is not
		sound, ts = sound[-at:], r.play
	}
	i := ts % ringSize
	n := copy(r.buf[i:], sound)
	copy(r.buf[:], sound[n:])
	if e := ts + uint32(len(sound)); int32(e-r.head) > 0 {
		r.head = e
	}
}

// sync starts a new time line at ts.
func (r *Ring) sync(ts uint32) {
	if r.loaded && r.late > 0 {
		r.delay = min(r.delay+delayStep, delayMax)
	}
	if !r.loaded {
		r.delay, r.loaded = delayStart, true
	}
	if r.buf == nil {
		r.buf = new([ringSize]byte)
	}
	for i := range r.buf {
		r.buf[i] = Silence
	}
	r.play, r.head = ts-r.delay, ts
	r.live, r.late, r.pulls, r.low = true, 0, 0, ringSize
}

// Reset forgets everything, as when another source begins.
func (r *Ring) Reset() {
	r.mu.Lock()
	r.live = false
	r.mu.Unlock()
}

// Pull takes the next frame; false means that nothing was there and dst is silence.
func (r *Ring) Pull(dst *[FrameSize]byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	depth := int32(r.head - r.play)
	if !r.live || depth <= 0 {
		if r.live {
			r.live = false
			r.late = max(r.late, 1) // whatever comes now is late
		}
		for i := range dst {
			dst[i] = Silence
		}
		return false
	}
	r.take(dst[:])
	r.low = min(r.low, depth)
	if r.pulls++; r.pulls == 100 {
		// Two seconds never came near the delay wanted: the sender's clock is fast,
		// or a burst has passed. One frame less brings the delay back.
		if r.low > int32(r.delay)+2*FrameSize {
			var drop [FrameSize]byte
			r.take(drop[:])
		} else if r.delay > delayMin && r.late == 0 {
			r.delay -= delayStep / 4
		}
		r.pulls, r.low = 0, ringSize
	}
	return true
}

func (r *Ring) take(dst []byte) {
	i := r.play % ringSize
	n := copy(dst, r.buf[i:])
	copy(dst[n:], r.buf[:])
	for j := range dst {
		r.buf[(i+uint32(j))%ringSize] = Silence
	}
	r.play += uint32(len(dst))
}
