package record

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/seal"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
)

// writers seal and write; two keep up with thousands of calls.
const writers = 2

// gather is how long a writer that has caught up waits for more: hundreds of
// calls each bring a second of sound when it is full, and to wake it for every
// one costs as much as sealing it.
const gather = 100 * time.Millisecond

// backlog is how many seconds of sound may wait for the disk, over all calls,
// before the newest is given up: memory is bounded, calls go on.
const backlog = 2000

// Store (录音库) is a directory of recordings.
type Store struct {
	dir  string
	ring *seal.Ring

	stop    context.CancelFunc
	queues  [writers]chan work
	done    sync.WaitGroup
	turn    atomic.Uint32
	buffers sync.Pool
	dropped atomic.Int64
}

type work struct {
	tape   *Tape
	first  uint32
	frames uint32
	sound  *[bufferSize]byte // of the pool; nil ends the tape
	then   func(Result, error)
}

// Result is a finished recording. SHA256 is that of the file as it lies there.
type Result struct {
	Rec    string
	SHA256 string
	Ms     int64
	Bytes  int64
}

// OpenStore opens dir, making it when it is missing.
func OpenStore(dir string, ring *seal.Ring, clk clock.Clock) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Store{dir: dir, ring: ring, stop: stop}
	s.buffers.New = func() any { return new([bufferSize]byte) }
	for i := range s.queues {
		q := make(chan work, backlog/writers)
		s.queues[i] = q
		s.done.Go(func() {
			var out []byte
			for w := range q {
				if out = s.write(out, w); len(q) == 0 {
					_ = clk.Sleep(ctx, gather) // Close ends it
				}
			}
		})
	}
	return s, nil
}

// Close waits for all that was queued; tapes must have been closed.
func (s *Store) Close() {
	s.stop()
	for _, q := range s.queues {
		close(q)
	}
	s.done.Wait()
}

// Dropped counts the seconds given up because the disk did not keep up.
func (s *Store) Dropped() int64 { return s.dropped.Load() }

// Tape (录音带) is a recording being made. Its time is moved on by Frame or Pass,
// called by one goroutine every 20 ms; none of its methods waits for the disk.
type Tape struct {
	Rec   string
	store *Store
	queue chan work

	mu     sync.Mutex
	closed bool
	paused bool
	pauses [][2]int
	frame  uint32            // now
	first  uint32            // frame at which buf begins
	buf    *[bufferSize]byte // nil = nothing was said since first
	anchor [2]uint32         // of each side: its time stamp at sample 0 of the recording
	laid   [2]bool           // anchor is set

	// Of the writer alone:
	file *os.File
	key  *seal.Key
	sum  hash.Hash
	size int64
	err  error
}

// Begin starts a recording, or goes on with a torn one; frame is the time from
// its beginning in frames, so the gap in between stays silent.
func (s *Store) Begin(rec string, frame uint32) (*Tape, error) {
	path, err := pathOf(s.dir, rec)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	t := &Tape{Rec: rec, store: s, queue: s.queues[s.turn.Add(1)%writers], sum: sha256.New(), frame: frame, first: frame}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	t.file = f
	if err := t.resume(); err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

// resume reads what the file holds, cuts off the torn tail and stands at its end.
func (t *Tape) resume() error {
	info, err := t.file.Stat()
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	x, err := readIndex(t.file, info.Size())
	switch {
	case err != nil: // new, or killed before its header was whole
		key, wrapped, err := t.store.ring.NewKey()
		if err != nil {
			return err
		}
		head := appendHeader(nil, wrapped)
		t.key = key
		t.sum.Write(head)
		t.size = int64(len(head))
		if err = t.file.Truncate(0); err == nil {
			_, err = t.file.WriteAt(head, 0)
		}
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
	case x.closed:
		return fault.Conflict("rec_closed", "录音“%s”已经封存，不能再录。", t.Rec)
	default:
		if t.key, err = t.store.ring.OpenKey(x.wrapped); err != nil {
			return err
		}
		if err := t.file.Truncate(x.whole); err != nil {
			return fmt.Errorf("record: %w", err)
		}
		if _, err := io.Copy(t.sum, io.NewSectionReader(t.file, 0, x.whole)); err != nil {
			return fmt.Errorf("record: %w", err)
		}
		t.size = x.whole
		t.frame = max(t.frame, x.frames())
		t.first = t.frame
	}
	_, err = t.file.Seek(t.size, io.SeekStart)
	return err
}

// Frame adds 20 ms of both sides; nil is silence.
func (t *Tape) Frame(left, right *mix.Frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	if !t.paused {
		at := int(t.frame-t.first) * rtp.FrameSize
		if left != nil {
			interleave(t.buffer()[2*at:], left[:], rtp.PCMA)
		}
		if right != nil {
			interleave(t.buffer()[2*at+1:], right[:], rtp.PCMA)
		}
	}
	t.pass()
}

// Pass moves the time on by 20 ms, in which Lay may have brought sound.
func (t *Tape) Pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.pass()
	}
}

func (t *Tape) pass() {
	t.frame++
	if t.frame-t.first >= segmentFrames+slackFrames {
		t.flush(segmentFrames)
	}
}

// The sides of a recording.
const (
	Left  = 0
	Right = 1
)

// Lay puts a packet of one side at the moment its time stamp says, relative to
// the others of that side: what is relayed undecoded is kept so without passing
// a jitter buffer. A stamp far from now begins a new count.
func (t *Tape) Lay(side int, ts uint32, law rtp.Law, sound []byte) {
	const far = 5 * rtp.FrameSize
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.paused || len(sound) > far {
		return
	}
	now := t.frame * rtp.FrameSize
	if off := int32(ts - t.anchor[side] - now); !t.laid[side] || off > far || off < -far {
		t.anchor[side], t.laid[side] = ts-now, true
	}
	at := int32(ts - t.anchor[side] - t.first*rtp.FrameSize)
	if at < 0 { // too late: that second is written
		return
	}
	interleave(t.buffer()[2*int(at)+side:], sound, law)
}

// buffer is the second in hand, silent at first.
func (t *Tape) buffer() []byte {
	if t.buf == nil {
		t.buf = t.store.buffers.Get().(*[bufferSize]byte)
		*t.buf = quiet
	}
	return t.buf[:]
}

var quiet = func() (b [bufferSize]byte) {
	for i := range b {
		b[i] = rtp.Silence
	}
	return b
}()

// interleave writes sound to every second byte of dst.
func interleave(dst, sound []byte, law rtp.Law) {
	sound = sound[:min(len(sound), (len(dst)+1)/2)]
	if law == rtp.PCMU {
		for i, b := range sound {
			dst[2*i] = rtp.UtoA[b]
		}
		return
	}
	for i, b := range sound {
		dst[2*i] = b
	}
}

// flush hands the first frames of the buffer to the writer and keeps the rest.
func (t *Tape) flush(frames uint32) {
	first, full := t.first, t.buf
	t.first += frames
	if full == nil || frames == 0 { // a silent second needs no segment
		return
	}
	t.buf = nil
	if rest := full[frames*frameSize:]; frames < t.frame-first {
		copy(t.buffer(), rest)
	}
	select {
	case t.queue <- work{tape: t, first: first, frames: frames, sound: full}:
	default:
		t.store.dropped.Add(1)
		t.store.buffers.Put(full)
	}
}

// Pause stops keeping, as while a citizen reads out a card number; the time
// goes on in silence.
func (t *Tape) Pause(pause bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.paused == pause {
		return
	}
	t.flush(t.frame - t.first)
	t.paused = pause
	if pause {
		t.pauses = append(t.pauses, [2]int{int(t.frame), int(t.frame)})
	} else {
		t.pauses[len(t.pauses)-1][1] = int(t.frame)
	}
}

// Paused tells whether nothing is being kept.
func (t *Tape) Paused() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.paused
}

// Close ends the recording; then is told the result when it is on disk.
func (t *Tape) Close(then func(Result, error)) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return
	}
	t.flush(t.frame - t.first)
	t.closed = true
	if t.paused {
		t.pauses[len(t.pauses)-1][1] = int(t.frame)
	}
	t.mu.Unlock()
	t.queue <- work{tape: t, then: then} // waits: this one must not be given up
}

// write seals and writes one piece of work in out, which it gives back.
func (s *Store) write(out []byte, w work) []byte {
	t := w.tape
	if w.sound == nil {
		r, err := t.finish()
		if w.then != nil {
			w.then(r, err)
		}
		return out
	}
	if t.err == nil {
		out = appendSegment(out[:0], t.key, t.Rec, w.first, w.sound[:w.frames*frameSize])
		t.put(out)
	}
	s.buffers.Put(w.sound)
	return out
}

func (t *Tape) put(b []byte) {
	if _, err := t.file.Write(b); err != nil {
		t.err = fmt.Errorf("record: %s: %w", t.Rec, err)
		return
	}
	t.sum.Write(b)
	t.size += int64(len(b))
}

func (t *Tape) finish() (Result, error) {
	if t.err == nil {
		text, err := json.Marshal(trailer{Frames: t.frame, Pauses: t.pauses})
		if err != nil {
			return Result{}, err
		}
		t.put(appendSegment(nil, t.key, t.Rec, trailerMark, text))
	}
	err := errors.Join(t.err, t.file.Sync(), t.file.Close())
	return Result{Rec: t.Rec, SHA256: hex.EncodeToString(t.sum.Sum(nil)), Ms: int64(t.frame) * FrameMs, Bytes: t.size}, err
}

// Torn lists the recordings without a trailer to which nothing was written since
// the moment: those of calls that were up when an earlier process was killed.
func (s *Store) Torn(since time.Time) ([]string, error) {
	var out []string
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		rel, ok := strings.CutSuffix(path, ".rec")
		if err != nil || e.IsDir() || !ok {
			return err
		}
		if info, err := e.Info(); err != nil || !info.ModTime().Before(since) {
			return err
		}
		whole, err := closed(path)
		if err != nil || whole {
			return err
		}
		rel, err = filepath.Rel(s.dir, rel)
		out = append(out, filepath.ToSlash(rel))
		return err
	})
	return out, err
}

func closed(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	x, err := readIndex(f, info.Size())
	return err == nil && x.closed, nil
}

// Finish closes a torn recording of which nobody takes care any more.
func (s *Store) Finish(rec string) (Result, error) {
	t, err := s.Begin(rec, 0)
	if err != nil {
		return Result{}, err
	}
	return t.finish()
}

// Remove destroys a recording, and with its header the only copy of its key;
// one that is gone already is no error.
func Remove(dir, rec string) error {
	path, err := pathOf(dir, rec)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}
