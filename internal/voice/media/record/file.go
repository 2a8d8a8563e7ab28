package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"

	"hotline/internal/fault"
	"hotline/internal/seal"
	"hotline/internal/voice/media/rtp"
)

const (
	magic     = "HREC1"
	frameSize = 2 * rtp.FrameSize // both channels
	// segmentFrames is a second: less to lose when killed, less held in memory;
	// sealing costs 29 bytes for each 16,000.
	segmentFrames = 50
	segmentSize   = segmentFrames * frameSize
	// slackFrames wait behind a full second for packets that come late.
	slackFrames = 6
	bufferSize  = segmentSize + 2*slackFrames*frameSize
	headSize    = 8         // of a segment: first frame, sealed length
	trailerMark = 1<<32 - 1 // in place of a first frame
	maxSealed   = 1 << 20   // no segment is longer; a longer one is damage
)

// FrameMs is the length of a frame.
const FrameMs = 20

// trailer closes a recording.
type trailer struct {
	Frames uint32   `json:"frames"`
	Pauses [][2]int `json:"pauses,omitempty"` // frames from and to which nothing was kept
}

// name of a recording: path elements of letters, digits, dash and underscore.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}(/[A-Za-z0-9_-]{1,80}){0,3}$`)

func pathOf(dir, rec string) (string, error) {
	if !nameForm.MatchString(rec) {
		return "", fault.Invalid("rec_name", "录音编号“%s”无效。", rec)
	}
	return filepath.Join(dir, filepath.FromSlash(rec)+".rec"), nil
}

// place binds a segment to its recording and its time.
func place(rec string, first uint32) string {
	return "rec|" + rec + "|" + strconv.FormatUint(uint64(first), 10)
}

func appendHeader(dst, wrapped []byte) []byte {
	dst = append(dst, magic...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(wrapped)))
	return append(dst, wrapped...)
}

func appendSegment(dst []byte, k *seal.Key, rec string, first uint32, plain []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, first)
	at := len(dst)
	dst = k.AppendSeal(append(dst, 0, 0, 0, 0), place(rec, first), plain)
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// segment is where a piece of sound stands in the file.
type segment struct {
	first  uint32 // frame
	frames uint32
	at     int64 // of the sealed bytes
	size   int
}

// index is what a file holds, up to where it is whole.
type index struct {
	wrapped  []byte
	segments []segment
	closed   bool
	end      trailerAt
	whole    int64 // bytes that make sense; what follows was torn
}

type trailerAt struct {
	at   int64
	size int
}

var errNotRecording = errors.New("record: not a recording")

// readIndex walks a file of the given size. A torn tail is no error.
func readIndex(r io.ReaderAt, size int64) (*index, error) {
	head := make([]byte, len(magic)+2)
	if _, err := r.ReadAt(head, 0); err != nil || string(head[:len(magic)]) != magic {
		return nil, errNotRecording
	}
	x := &index{wrapped: make([]byte, binary.BigEndian.Uint16(head[len(magic):]))}
	at := int64(len(head) + len(x.wrapped))
	if at > size {
		return nil, errNotRecording
	}
	if _, err := r.ReadAt(x.wrapped, int64(len(head))); err != nil {
		return nil, errNotRecording
	}
	x.whole = at
	next := uint32(0)
	for {
		var h [headSize]byte
		if _, err := r.ReadAt(h[:], at); err != nil {
			return x, nil
		}
		first, n := binary.BigEndian.Uint32(h[:]), int64(binary.BigEndian.Uint32(h[4:]))
		if n < sealOverhead || n > maxSealed || at+headSize+n > size {
			return x, nil
		}
		if first == trailerMark {
			x.closed, x.end, x.whole = true, trailerAt{at + headSize, int(n)}, at+headSize+n
			return x, nil
		}
		frames := uint32(n-sealOverhead) / frameSize
		if first < next || frames == 0 || (n-sealOverhead)%frameSize != 0 || first > trailerMark-frames-1 {
			return x, nil
		}
		x.segments = append(x.segments, segment{first, frames, at + headSize, int(n)})
		next = first + frames
		at += headSize + n
		x.whole = at
	}
}

// sealOverhead is what seal adds to a text.
const sealOverhead = 1 + 12 + 16

func (x *index) frames() uint32 {
	if n := len(x.segments); n > 0 {
		return x.segments[n-1].first + x.segments[n-1].frames
	}
	return 0
}

func (x *index) trailer(r io.ReaderAt, k *seal.Key, rec string) (trailer, error) {
	var t trailer
	b := make([]byte, x.end.size)
	if _, err := r.ReadAt(b, x.end.at); err != nil {
		return t, fmt.Errorf("record: trailer: %w", err)
	}
	text, err := k.Open(place(rec, trailerMark), b)
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal([]byte(text), &t)
}
