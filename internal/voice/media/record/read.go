package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"hotline/internal/fault"
	"hotline/internal/seal"
	"hotline/internal/voice/media/rtp"
)

// Recording (录音) reads a recording as a WAV file, from any place, so that
// http.ServeContent answers ranges. A running or torn one reads as far as it is.
type Recording struct {
	Frames uint32
	Closed bool

	rec  string
	file io.ReaderAt
	shut io.Closer
	key  *seal.Key
	x    *index
	at   int64

	head  []byte
	open  int // index of the segment in sound
	sound []byte
}

// Open opens a recording of the directory.
func Open(dir, rec string, ring *seal.Ring) (*Recording, error) {
	path, err := pathOf(dir, rec)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.NotFound("rec_unknown", "没有编号为“%s”的录音。", rec)
	}
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		var r *Recording
		if r, err = open(f, info.Size(), rec, ring); err == nil {
			r.shut = f
			return r, nil
		}
	}
	f.Close()
	return nil, err
}

func open(f io.ReaderAt, size int64, rec string, ring *seal.Ring) (*Recording, error) {
	x, err := readIndex(f, size)
	if err != nil {
		return nil, fault.Unavailable("rec_broken", "录音“%s”的文件已损坏，无法播放。", rec).Because(err)
	}
	key, err := ring.OpenKey(x.wrapped)
	if err != nil {
		return nil, err
	}
	r := &Recording{Frames: x.frames(), Closed: x.closed, rec: rec, file: f, key: key, x: x, open: -1}
	if x.closed {
		t, err := x.trailer(f, key, rec)
		if err != nil {
			return nil, err
		}
		if t.Frames < r.Frames || t.Frames > 50*3600*24 {
			return nil, fault.Unavailable("rec_broken", "录音“%s”的文件已损坏，无法播放。", rec)
		}
		r.Frames = t.Frames
	}
	r.head = WAVHeader(2, int64(r.Frames)*frameSize)
	return r, nil
}

// Close lets the file go.
func (r *Recording) Close() error {
	if r.shut == nil {
		return nil
	}
	return r.shut.Close()
}

// Size is the length of the WAV file.
func (r *Recording) Size() int64 { return int64(len(r.head)) + int64(r.Frames)*frameSize }

// Seek is io.Seeker.
func (r *Recording) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.Size()
	}
	if offset < 0 {
		return 0, errors.New("record: seek before the beginning")
	}
	r.at = offset
	return offset, nil
}

// Read is io.Reader. An altered segment is an error, never noise.
func (r *Recording) Read(p []byte) (int, error) {
	if r.at >= r.Size() {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if h := int64(len(r.head)); r.at < h {
		n := copy(p, r.head[r.at:])
		r.at += int64(n)
		return n, nil
	}
	at := r.at - int64(len(r.head))
	frame := uint32(at / frameSize)
	segs := r.x.segments
	i := sort.Search(len(segs), func(i int) bool { return segs[i].first+segs[i].frames > frame })
	var n int
	if i == len(segs) || frame < segs[i].first { // a gap
		to := int64(r.Frames)
		if i < len(segs) {
			to = int64(segs[i].first)
		}
		n = int(min(int64(len(p)), to*frameSize-at))
		for j := range p[:n] {
			p[j] = rtp.Silence
		}
	} else {
		if err := r.load(i); err != nil {
			return 0, err
		}
		n = copy(p, r.sound[at-int64(segs[i].first)*frameSize:])
	}
	r.at += int64(n)
	return n, nil
}

func (r *Recording) load(i int) error {
	if r.open == i {
		return nil
	}
	s := r.x.segments[i]
	b := make([]byte, s.size)
	if _, err := r.file.ReadAt(b, s.at); err != nil {
		return fmt.Errorf("record: %s: %w", r.rec, err)
	}
	text, err := r.key.Open(place(r.rec, s.first), b)
	if err != nil {
		return err
	}
	r.open, r.sound = i, []byte(text)
	return nil
}

// WAVHeader is that of size bytes of A-law at 8 kHz (format 6), with the fact
// chunk that the format asks of all that is not PCM.
func WAVHeader(channels int, size int64) []byte {
	n := uint32(size)
	b := append(make([]byte, 0, 58), "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 50+n)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 18)
	b = binary.LittleEndian.AppendUint16(b, 6)
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, 8000)
	b = binary.LittleEndian.AppendUint32(b, uint32(8000*channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint16(b, 8)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = append(b, "fact"...)
	b = binary.LittleEndian.AppendUint32(b, 4)
	b = binary.LittleEndian.AppendUint32(b, n/uint32(channels))
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, n)
}
