package blob

import (
	"context"
	"io"
)

// Ref (文件引用) names a stored file by its content: 32 hexadecimal digits that
// only the holder of the platform's keys can compute.
type Ref string

// Valid tells whether the reference has the form of one.
func (r Ref) Valid() bool {
	if len(r) != 32 {
		return false
	}
	for i := range len(r) {
		if c := r[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Store keeps files. Equal contents have one Ref, so a file is deleted only
// when no row refers to it any more; the caller counts.
type Store interface {
	// Put stores what r gives until its end and returns when it is durable.
	Put(ctx context.Context, r io.Reader) (Ref, error)
	// Open reads a file; the reader is also an io.Seeker. The error is kind
	// not_found, or code "seal_broken" when the file was altered, which may
	// also come later, from Read.
	Open(ctx context.Context, ref Ref) (io.ReadCloser, error)
	// Delete destroys a file and its key. Deleting what is absent is no error.
	Delete(ctx context.Context, ref Ref) error
}
