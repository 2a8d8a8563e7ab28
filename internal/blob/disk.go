package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"hotline/internal/fault"
	"hotline/internal/seal"
)

// A file is a head and chunks. The head is the magic and two slots for the
// wrapped key: rewrapping writes the free slot before it clears the other, so
// a crash between leaves one that opens. Each chunk is a seal.Field of 64 KiB
// (the last one shorter, of an empty file empty) bound to the file's name, to
// its number and to whether it is the last, so files and chunks cannot be
// swapped, dropped or added. In files of the first form the name is not bound.
const (
	magic     = "HLBLOB2\n"
	magic1    = "HLBLOB1\n"
	slotSize  = 252
	headSize  = len(magic) + 2*slotSize // 512
	chunkSize = 64 << 10
	overhead  = 29 // of a seal.Field
)

// Disk is the Store in a directory. Several processes may use one directory.
type Disk struct {
	dir  string
	ring *seal.Ring
}

// half begins the name of a file that is being written.
const half = ".new-"

// NewDisk opens the store under dir/blob, makes it if it is missing, and
// removes what killed processes left half-written.
func NewDisk(dir string, ring *seal.Ring) (*Disk, error) {
	d := &Disk{filepath.Join(dir, "blob"), ring}
	err := os.MkdirAll(d.dir, 0o700)
	if err == nil {
		err = d.sweep()
	}
	if err != nil {
		return nil, storeFault(err)
	}
	return d, nil
}

// sweep removes half-written files whose writer is gone: a living one, of
// whatever process, holds a lock on its file.
func (d *Disk) sweep() error {
	left, err := filepath.Glob(filepath.Join(d.dir, half+"*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		f, err := os.Open(path)
		if err != nil {
			continue // renamed or removed meanwhile
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			err = os.Remove(path)
		}
		f.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// create makes a file to write to, locked against sweep.
func (d *Disk) create() (*os.File, error) {
	for {
		f, err := os.CreateTemp(d.dir, half+"*") // mode 0600
		if err != nil {
			return nil, err
		}
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			f.Close()
			return nil, err
		}
		if _, err = os.Lstat(f.Name()); err == nil {
			return f, nil
		}
		f.Close() // swept between its making and its locking
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}

func storeFault(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	return fault.Unavailable("blob_store", "附件存储暂不可用（可能是磁盘已满或目录无权限），请稍后重试；如仍不成功请联系系统管理员。").Because(err)
}

func (d *Disk) path(ref Ref) string { return filepath.Join(d.dir, string(ref[:2]), string(ref[2:])) }

// Put stores what r gives until its end and returns when it is durable.
func (d *Disk) Put(ctx context.Context, r io.Reader) (Ref, error) {
	f, err := d.create()
	if err != nil {
		return "", storeFault(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	ref := newRef()
	if err := d.write(ctx, f, ref, r); err != nil {
		return "", storeFault(err)
	}
	final := d.path(ref)
	if err := os.MkdirAll(filepath.Dir(final), 0o700); err != nil {
		return "", storeFault(err)
	}
	if err = f.Sync(); err == nil {
		err = os.Rename(f.Name(), final)
	}
	if err == nil {
		err = errors.Join(syncDir(filepath.Dir(final)), syncDir(d.dir))
	}
	if err != nil {
		return "", storeFault(err)
	}
	return ref, nil
}

// newRef is a name that nobody can guess.
func newRef() Ref {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return Ref(hex.EncodeToString(b))
}

// write seals r into f.
func (d *Disk) write(ctx context.Context, f *os.File, ref Ref, r io.Reader) error {
	key, wrapped, err := d.ring.NewKey()
	if err != nil {
		return err
	}
	d.ring.Forget(wrapped) // files are many and large; their keys need not stay in memory
	slot, err := slotOf(wrapped)
	if err != nil {
		return err
	}
	head := append([]byte(magic), slot...)
	if _, err := f.Write(append(head, make([]byte, slotSize)...)); err != nil {
		return err
	}
	// One chunk is read ahead: only then is it known whether the one before was the last.
	chunk, next := make([]byte, chunkSize), make([]byte, chunkSize)
	n, err := readChunk(r, chunk)
	for i := 0; ; i++ {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		ahead := 0
		if n == chunkSize {
			if ahead, err = readChunk(r, next); err != nil {
				return err
			}
		}
		if _, err := f.Write(key.Seal(place(ref, i, ahead == 0), string(chunk[:n]))); err != nil {
			return err
		}
		if ahead == 0 {
			return nil
		}
		chunk, next, n = next, chunk, ahead
	}
}

// readChunk fills buf unless the input ends.
func readChunk(r io.Reader, buf []byte) (int, error) {
	n, err := io.ReadFull(r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}

// place is what a chunk is bound to; ref is empty in files of the first form.
func place(ref Ref, chunk int, last bool) string {
	if ref == "" {
		return fmt.Sprintf("blob|%d|%t", chunk, last)
	}
	return fmt.Sprintf("blob|%s|%d|%t", ref, chunk, last)
}

func slotOf(wrapped []byte) ([]byte, error) {
	if len(wrapped) > slotSize-1 {
		return nil, fmt.Errorf("blob: wrapped key of %d bytes", len(wrapped))
	}
	slot := make([]byte, slotSize)
	slot[0] = byte(len(wrapped))
	copy(slot[1:], wrapped)
	return slot, nil
}

// Open reads a file; the result is also an io.Seeker.
func (d *Disk) Open(_ context.Context, ref Ref) (io.ReadCloser, error) {
	f, err := d.open(ref, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	key, _, _, err := d.key(f)
	if err == nil {
		if first := make([]byte, len(magic1)); readAll(f, first) && string(first) == magic1 {
			ref = ""
		}
		var info fs.FileInfo
		if info, err = f.Stat(); err == nil {
			var r *reader
			if r, err = newReader(f, ref, key, info.Size()); err == nil {
				return r, nil
			}
		}
	}
	f.Close()
	return nil, storeFault(err)
}

func readAll(f *os.File, b []byte) bool { _, err := f.ReadAt(b, 0); return err == nil }

func (d *Disk) open(ref Ref, flag int) (*os.File, error) {
	if !ref.Valid() {
		return nil, absent(nil)
	}
	f, err := os.OpenFile(d.path(ref), flag, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, absent(err)
	}
	if err != nil {
		return nil, storeFault(err)
	}
	return f, nil
}

func absent(err error) error {
	return fault.NotFound("blob_not_found", "附件不存在，或已按规定销毁。").Because(err)
}

func damaged(detail string) error {
	return fault.Unavailable("seal_broken", "附件未通过完整性校验，可能已损坏或被改动，系统拒绝打开；请联系系统管理员核查备份。").Because(errors.New("blob: " + detail))
}

// key opens the wrapped key in the head and tells its slot.
func (d *Disk) key(f *os.File) (key *seal.Key, wrapped []byte, slot int, err error) {
	head := make([]byte, headSize)
	if _, err := f.ReadAt(head, 0); err != nil || !bytes.HasPrefix(head, []byte(magic)) && !bytes.HasPrefix(head, []byte(magic1)) {
		return nil, nil, 0, damaged("no head")
	}
	err = damaged("no key")
	for slot = range 2 {
		s := head[len(magic)+slot*slotSize:][:slotSize]
		if n := int(s[0]); n > 0 && n < slotSize {
			if key, kerr := d.ring.OpenKey(s[1 : 1+n]); kerr == nil {
				d.ring.Forget(s[1 : 1+n])
				return key, s[1 : 1+n], slot, nil
			} else {
				err = kerr
			}
		}
	}
	return nil, nil, 0, err
}

// Delete destroys the file's key in place, then the file. Deleting what is
// absent is no error.
func (d *Disk) Delete(_ context.Context, ref Ref) error {
	f, err := d.open(ref, os.O_WRONLY)
	if fault.KindOf(err) == fault.KindNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, headSize), 0)
	err = errors.Join(err, f.Sync(), f.Close())
	if rerr := os.Remove(d.path(ref)); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	if err == nil {
		err = syncDir(filepath.Dir(d.path(ref)))
	}
	if err != nil {
		return storeFault(err)
	}
	return nil
}

// Collect destroys the files stored between two moments that named does not
// know, and tells how many: what a crash left between a file and its row. named gets
// some references at a time and gives those that a row names.
func (d *Disk) Collect(ctx context.Context, after, before time.Time, named func(ctx context.Context, refs []Ref) ([]Ref, error)) (n int, err error) {
	var old []Ref
	flush := func() error {
		if len(old) == 0 {
			return nil
		}
		keep, err := named(ctx, old)
		for _, ref := range old {
			if err == nil && !slices.Contains(keep, ref) {
				if err = d.Delete(ctx, ref); err == nil {
					n++
				}
			}
		}
		old = old[:0]
		return err
	}
	err = filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && (!info.ModTime().Before(before) || info.ModTime().Before(after)) {
			return nil
		}
		if ref := Ref(filepath.Base(filepath.Dir(path)) + e.Name()); err == nil && ref.Valid() {
			old = append(old, ref)
		}
		if err == nil && len(old) == collectPart {
			err = flush()
		}
		return err
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return n, storeFault(err)
	}
	return n, nil
}

// collectPart is how many references Collect asks for at a time.
const collectPart = 200

// Rewrap brings the keys of all files under the current key-encryption key,
// after a rotation, and tells how many it changed. It may be run again after an
// error and while files are read.
func (d *Disk) Rewrap(ctx context.Context) (changed int, err error) {
	err = filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		did, err := d.rewrap(Ref(filepath.Base(filepath.Dir(path)) + e.Name()))
		if did {
			changed++
		}
		return err
	})
	if err != nil {
		return changed, storeFault(err)
	}
	return changed, nil
}

func (d *Disk) rewrap(ref Ref) (bool, error) {
	f, err := d.open(ref, os.O_RDWR)
	if fault.KindOf(err) == fault.KindNotFound {
		return false, nil // deleted meanwhile
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	_, wrapped, used, err := d.key(f)
	if err != nil {
		return false, err
	}
	fresh, changed, err := d.ring.Rewrap(wrapped)
	if err != nil || !changed {
		return false, err
	}
	slot, err := slotOf(fresh)
	if err != nil {
		return false, err
	}
	offset := func(slot int) int64 { return int64(len(magic) + slot*slotSize) }
	if _, err = f.WriteAt(slot, offset(1-used)); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return false, err
	}
	_, err = f.WriteAt(make([]byte, slotSize), offset(used))
	return err == nil, errors.Join(err, f.Sync())
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
