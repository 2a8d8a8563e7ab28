package blob

import (
	"errors"
	"io"
	"os"

	"hotline/internal/seal"
)

// reader opens one chunk at a time; it serves ranges by Seek.
type reader struct {
	f      *os.File
	ref    Ref
	key    *seal.Key
	chunks int   // at least one
	tail   int   // sealed size of the last chunk
	size   int64 // of the clear content
	at     int64
	held   int // number of the chunk in clear, -1 for none
	clear  string
}

func newReader(f *os.File, ref Ref, key *seal.Key, fileSize int64) (*reader, error) {
	body := fileSize - int64(headSize)
	const sealed = chunkSize + overhead
	chunks := (body + sealed - 1) / sealed
	tail := body - (chunks-1)*sealed
	if body < overhead || tail < overhead {
		return nil, damaged("truncated")
	}
	return &reader{f: f, ref: ref, key: key, chunks: int(chunks), tail: int(tail), size: body - chunks*overhead, held: -1}, nil
}

// Read gives clear bytes; an altered chunk is an error of code "seal_broken"
// and none of it is given out.
func (r *reader) Read(p []byte) (int, error) {
	n := int(r.at / chunkSize)
	if r.at >= r.size {
		if r.size > 0 || r.held == 0 {
			return 0, io.EOF
		}
		n = 0 // an empty file still proves that it is one
	}
	if r.held != n {
		if err := r.load(n); err != nil {
			return 0, err
		}
	}
	if r.size == 0 {
		return 0, io.EOF
	}
	got := copy(p, r.clear[r.at-int64(n)*chunkSize:])
	r.at += int64(got)
	return got, nil
}

func (r *reader) load(n int) error {
	last := n == r.chunks-1
	buf := make([]byte, chunkSize+overhead)
	if last {
		buf = buf[:r.tail]
	}
	if _, err := r.f.ReadAt(buf, int64(headSize)+int64(n)*(chunkSize+overhead)); err != nil {
		return storeFault(err)
	}
	clear, err := r.key.Open(place(r.ref, n, last), buf)
	if err != nil {
		return err
	}
	r.held, r.clear = n, clear
	return nil
}

// Seek sets where the next Read begins.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, errors.New("blob: seek before the beginning")
	}
	r.at = offset
	return offset, nil
}

// Close ends reading.
func (r *reader) Close() error { return r.f.Close() }
