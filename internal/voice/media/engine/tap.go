package engine

import (
	"io"
	"sync"

	"hotline/internal/voice/media/mix"
)

// tap gives what a leg says to a reader; one who does not keep up misses some.
type tap struct {
	leg  *leg
	c    chan mix.Frame
	once sync.Once
	rest []byte
}

// tapFrames is a second: longer stalls of a recogniser lose sound, not memory.
const tapFrames = 50

func newTap(l *leg) *tap { return &tap{leg: l, c: make(chan mix.Frame, tapFrames)} }

func (t *tap) put(f *mix.Frame) {
	select {
	case t.c <- *f:
	default:
	}
}

func (t *tap) end() { t.once.Do(func() { close(t.c) }) }

// Read is io.Reader.
func (t *tap) Read(p []byte) (int, error) {
	if len(t.rest) == 0 {
		f, ok := <-t.c
		if !ok {
			return 0, io.EOF
		}
		t.rest = f[:]
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// Close ends the tap.
func (t *tap) Close() error {
	t.leg.e.untap(t)
	return nil
}
