package record

import (
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

	"hotline/internal/fault"
	"hotline/internal/seal"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
)

// writers seal and write; two keep up with thousands of calls.
const writers = 2

// backlog is how many seconds of sound may wait for the disk, over all calls,
// before the newest is given up: memory is bounded, calls go on.
const backlog = 2000

// Store (录音库) is a directory of recordings.
type Store struct {
	dir  string
	ring *seal.Ring

	queues  [writers]chan work
	done    sync.WaitGroup
	turn    atomic.Uint32
	buffers sync.Pool
	dropped atomic.Int64
}

type work struct {
	tape  *Tape
	first uint32
	sound []byte // of the pool; nil ends the tape
	then  func(Result, error)
}

// Result is a finished recording. SHA256 is that of the file as it lies there.
type Result struct {
	Rec    string
	SHA256 string
	Ms     int64
	Bytes  int64
}

// OpenStore opens dir, making it when it is missing.
func OpenStore(dir string, ring *seal.Ring) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	s := &Store{dir: dir, ring: ring}
	s.buffers.New = func() any { b := make([]byte, 0, segmentSize); return &b }
	for i := range s.queues {
		q := make(chan work, backlog/writers)
		s.queues[i] = q
		s.done.Go(func() {
			for w := range q {
				s.write(w)
			}
		})
	}
	return s, nil
}

// Close waits for all that was queued; tapes must have been closed.
func (s *Store) Close() {
	for _, q := range s.queues {
		close(q)
	}
	s.done.Wait()
}

// Dropped counts the seconds given up because the disk did not keep up.
func (s *Store) Dropped() int64 { return s.dropped.Load() }

// Tape (录音带) is a recording being made. Frame is called by one goroutine every
// 20 ms and never waits; Pause and Close by any.
type Tape struct {
	Rec   string
	store *Store
	queue chan work

	mu     sync.Mutex
	closed bool
	paused bool
	pauses [][2]int
	frame  uint32 // the next
	first  uint32 // of buf
	buf    *[]byte

	// Of the writer alone:
	file *os.File
	key  *seal.Key
	sum  hash.Hash
	size int64
	out  []byte
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

// Frame adds 20 ms; nil is silence.
func (t *Tape) Frame(left, right *mix.Frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.frame++
	if t.paused {
		return
	}
	if t.buf == nil {
		t.buf, t.first = t.store.buffers.Get().(*[]byte), t.frame-1
	}
	b := *t.buf
	n := len(b)
	b = b[:n+frameSize]
	out := b[n:]
	for i := range rtp.FrameSize {
		l, r := byte(rtp.Silence), byte(rtp.Silence)
		if left != nil {
			l = left[i]
		}
		if right != nil {
			r = right[i]
		}
		out[2*i], out[2*i+1] = l, r
	}
	*t.buf = b
	if len(b) == segmentSize {
		t.flush()
	}
}

func (t *Tape) flush() {
	if t.buf == nil {
		return
	}
	w := work{tape: t, first: t.first, sound: *t.buf}
	t.buf = nil
	select {
	case t.queue <- w:
	default:
		t.store.dropped.Add(1)
		t.store.recycle(w.sound)
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
	t.flush()
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
	t.flush()
	t.closed = true
	if t.paused {
		t.pauses[len(t.pauses)-1][1] = int(t.frame)
	}
	t.mu.Unlock()
	t.queue <- work{tape: t, then: then} // waits: this one must not be given up
}

func (s *Store) recycle(b []byte) {
	b = b[:0]
	s.buffers.Put(&b)
}

func (s *Store) write(w work) {
	t := w.tape
	if w.sound == nil {
		r, err := t.finish()
		if w.then != nil {
			w.then(r, err)
		}
		return
	}
	if t.err == nil {
		t.out = appendSegment(t.out[:0], t.key, t.Rec, w.first, w.sound)
		t.put(t.out)
	}
	t.out = nil // held by the writer only while it is needed
	s.recycle(w.sound)
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

// Torn lists the recordings without a trailer: those of calls that were up when
// the process was killed.
func (s *Store) Torn() ([]string, error) {
	var out []string
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		rel, ok := strings.CutSuffix(path, ".rec")
		if err != nil || e.IsDir() || !ok {
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
