package blob

import (
	"context"
	"io"
	"time"
)

// Ref (文件引用) names a stored file: 32 hexadecimal digits that nobody can guess.
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

// Store keeps files. Every Put makes a file of its own, also of equal contents:
// who holds a Ref may delete it without asking whether others need it.
type Store interface {
	// Put stores what r gives until its end and returns when it is durable.
	Put(ctx context.Context, r io.Reader) (Ref, error)
	// Open reads a file; the reader is also an io.Seeker. The error is kind
	// not_found, or code "seal_broken" when the file was altered, which may
	// also come later, from Read.
	Open(ctx context.Context, ref Ref) (io.ReadCloser, error)
	// Delete destroys a file and its key. Deleting what is absent is no error.
	Delete(ctx context.Context, ref Ref) error
	// Collect destroys the files stored between two moments that no row names.
	Collect(ctx context.Context, after, before time.Time, named func(ctx context.Context, refs []Ref) ([]Ref, error)) (int, error)
}
