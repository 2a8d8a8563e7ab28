package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"hotline/internal/fault"
	"hotline/internal/seal"
)

func store(t testing.TB, dir string) (*Disk, *seal.Ring) {
	t.Helper()
	p, err := seal.OpenFileProvider(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	ring := seal.NewRing(p)
	d, err := NewDisk(dir, ring)
	if err != nil {
		t.Fatal(err)
	}
	return d, ring
}

func put(t testing.TB, s Store, data []byte) Ref {
	t.Helper()
	ref, err := s.Put(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func get(s Store, ref Ref) ([]byte, error) {
	r, err := s.Open(context.Background(), ref)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func TestFilesComeBack(t *testing.T) {
	d, _ := store(t, t.TempDir())
	for _, n := range []int{0, 1, 1000, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize, 3*chunkSize + 17} {
		data := noise(n)
		ref, err := d.Put(t.Context(), iotest.HalfReader(bytes.NewReader(data)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := get(d, ref)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes: %d came back, %v", n, len(got), err)
		}
		if !ref.Valid() {
			t.Errorf("ref %q", ref)
		}
		if err := iotest.TestReader(mustOpen(t, d, ref), data); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func mustOpen(t *testing.T, s Store, ref Ref) io.ReadSeeker {
	r, err := s.Open(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r.(io.ReadSeeker)
}

func TestEqualContentsAreFilesOfTheirOwn(t *testing.T) {
	d, _ := store(t, t.TempDir())
	a, b := put(t, d, []byte("同一份录音")), put(t, d, []byte("同一份录音"))
	if a == b {
		t.Fatal("one file for two")
	}
	if err := d.Delete(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if got, err := get(d, b); err != nil || string(got) != "同一份录音" {
		t.Error("the other went with it:", err)
	}
}

func TestFilesCannotBeSwapped(t *testing.T) {
	d, _ := store(t, t.TempDir())
	a, b := put(t, d, []byte("甲的录音")), put(t, d, []byte("乙的录音"))
	if err := os.Rename(d.path(a), d.path(b)); err != nil {
		t.Fatal(err)
	}
	if got, err := get(d, b); err == nil {
		t.Errorf("%q under another's name", got)
	}
}

// Files of the first form, whose name is not bound, still open.
func TestFirstFormOpens(t *testing.T) {
	d, _ := store(t, t.TempDir())
	data := noise(chunkSize + 5)
	key, wrapped, err := d.ring.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	slot, err := slotOf(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	file := append(append([]byte(magic1), slot...), make([]byte, slotSize)...)
	file = append(file, key.Seal("blob|0|false", string(data[:chunkSize]))...)
	file = append(file, key.Seal("blob|1|true", string(data[chunkSize:]))...)
	ref := newRef()
	if err := os.MkdirAll(filepath.Dir(d.path(ref)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.path(ref), file, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := get(d, ref); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestNothingIsReadableAtRest(t *testing.T) {
	dir := t.TempDir()
	d, _ := store(t, dir)
	planted := strings.Repeat("家住关山大道12号，电话13812342671。", 4000)
	put(t, d, []byte(planted))
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("13812342671")) || bytes.Contains(b, []byte("关山")) {
			t.Errorf("%s holds the plain text", path)
		}
		if info, _ := e.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryAlterationIsDetected(t *testing.T) {
	d, _ := store(t, t.TempDir())
	data := noise(2*chunkSize + 100)
	ref := put(t, d, data)
	good, err := os.ReadFile(d.path(ref))
	if err != nil {
		t.Fatal(err)
	}
	sealed := chunkSize + overhead
	body := good[headSize:]
	join := func(parts ...[]byte) []byte { return bytes.Join(append([][]byte{good[:headSize]}, parts...), nil) }
	cases := map[string][]byte{
		"cut in the head":           good[:100],
		"no chunk":                  good[:headSize],
		"cut inside a chunk":        good[:len(good)-1],
		"last chunk dropped":        good[:headSize+2*sealed],
		"two chunks swapped":        join(body[sealed:2*sealed], body[:sealed], body[2*sealed:]),
		"first chunk dropped":       join(body[sealed:]),
		"chunk repeated":            join(body[:sealed], body[:sealed], body[sealed:]),
		"something appended":        append(bytes.Clone(good), 0),
		"empty":                     nil,
		"another file's last chunk": nil,
	}
	other := put(t, d, noise(100))
	otherBytes, _ := os.ReadFile(d.path(other))
	cases["another file's last chunk"] = join(body[:2*sealed], otherBytes[headSize:])
	for i := 0; i < len(good); i += 1 + i/40 {
		if i >= len(magic) && i < headSize && i-len(magic) > 50 {
			continue // empty room in the head
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1
		cases["flipped byte "+strconv.Itoa(i)] = bad
	}
	for name, bad := range cases {
		if err := os.WriteFile(d.path(ref), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := get(d, ref)
		if err == nil || !bytes.HasPrefix(data, got) {
			t.Errorf("%s: read %d bytes, %v", name, len(got), err)
		}
		if err != nil && fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDelete(t *testing.T) {
	d, _ := store(t, t.TempDir())
	ref := put(t, d, []byte("x"))
	keep, err := os.Open(d.path(ref)) // as a copy that outlives the name would be
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	for range 2 {
		if err := d.Delete(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := get(d, ref); !fault.Is(err, "blob_not_found") {
		t.Error(err)
	}
	head := make([]byte, headSize)
	if _, err := keep.ReadAt(head, 0); err != nil || !bytes.Equal(head, make([]byte, headSize)) {
		t.Error("the key outlived the file")
	}
}

func TestRefsThatAreNone(t *testing.T) {
	d, _ := store(t, t.TempDir())
	for _, ref := range []Ref{"", "x", "../../../../../../etc/passwd", "..", Ref(strings.Repeat("A", 32)), Ref(strings.Repeat("a", 31)), "aa/../aaaaaaaaaaaaaaaaaaaaaaaaaaa", Ref(strings.Repeat("a", 32))} {
		if _, err := get(d, ref); !fault.Is(err, "blob_not_found") || fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("%q: %v", ref, err)
		}
		if err := d.Delete(t.Context(), ref); err != nil {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestFailedPutLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	d, _ := store(t, dir)
	if _, err := d.Put(t.Context(), iotest.ErrReader(errors.New("line cut"))); fault.KindOf(err) != fault.KindUnavailable {
		t.Error(err)
	}
	if _, err := d.Put(t.Context(), io.MultiReader(bytes.NewReader(noise(chunkSize)), iotest.ErrReader(errors.New("line cut")))); err == nil {
		t.Error("stored half a file")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Put(cancelled, bytes.NewReader(noise(10))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "blob")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestRewrapFollowsARotation(t *testing.T) {
	dir := t.TempDir()
	d, ring := store(t, dir)
	data := noise(chunkSize + 5)
	ref, other := put(t, d, data), put(t, d, []byte("y"))
	if n, err := d.Rewrap(t.Context()); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	for _, retired := range []string{"sm1", "sm2", "sm3"} {
		if _, err := ring.Rotate(); err != nil {
			t.Fatal(err)
		}
		if n, err := d.Rewrap(t.Context()); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		if err := os.Remove(filepath.Join(dir, "keys", "kek-"+retired+".key")); err != nil {
			t.Fatal(err)
		}
		fresh, _ := store(t, dir)
		if got, err := get(fresh, ref); err != nil || !bytes.Equal(got, data) {
			t.Fatal(len(got), err)
		}
		if got, err := get(fresh, other); err != nil || string(got) != "y" {
			t.Fatal(string(got), err)
		}
	}
}

func TestCrashBetweenTheSlotsLeavesOneThatOpens(t *testing.T) {
	dir := t.TempDir()
	d, ring := store(t, dir)
	ref := put(t, d, []byte("x"))
	before, _ := os.ReadFile(d.path(ref))
	if _, err := ring.Rotate(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, _ := os.ReadFile(d.path(ref))
	second := len(magic) + slotSize
	both := append(bytes.Clone(before[:second]), after[second:]...) // the second slot written, the first not yet cleared
	torn := append(bytes.Clone(before[:second]), after[second:]...)
	torn[second+10] ^= 1 // the second slot written in part
	for name, state := range map[string][]byte{"both": both, "torn": torn} {
		if err := os.WriteFile(d.path(ref), state, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := get(d, ref); err != nil || string(got) != "x" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Rewrap(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := get(d, ref); err != nil || string(got) != "x" {
			t.Errorf("%s, after another run: %v", name, err)
		}
	}
}

func BenchmarkPutMegabyte(b *testing.B) {
	d, _ := store(b, b.TempDir())
	data := noise(1 << 20)
	b.SetBytes(1 << 20)
	for b.Loop() {
		put(b, d, data)
	}
}

// A process that was killed while it wrote leaves no file behind; one that
// still writes, of whatever process, is not disturbed.
func TestHalfWrittenFilesAreSwept(t *testing.T) {
	dir := t.TempDir()
	keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDisk(dir, seal.NewRing(keys))
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(d.dir, half+"1")
	if err := os.WriteFile(dead, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	alive, err := d.create()
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	if _, err := NewDisk(dir, seal.NewRing(keys)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the dead writer's file: %v", err)
	}
	if _, err := os.Stat(alive.Name()); err != nil {
		t.Errorf("the living writer's file: %v", err)
	}
}

// Only what no row names goes, and only of the time asked for.
func TestCollect(t *testing.T) {
	d, _ := store(t, t.TempDir())
	now := time.Now()
	aged := func(age time.Duration) Ref {
		ref := put(t, d, []byte("evidence"))
		if err := os.Chtimes(d.path(ref), now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		return ref
	}
	fresh, row, orphan, foreign := aged(time.Hour), aged(48*time.Hour), aged(48*time.Hour), aged(400*24*time.Hour)
	for range collectPart {
		aged(36 * time.Hour)
	}
	collect := func(fail error) (int, error) {
		return d.Collect(t.Context(), now.Add(-90*24*time.Hour), now.Add(-24*time.Hour), func(_ context.Context, refs []Ref) ([]Ref, error) {
			if len(refs) > collectPart {
				t.Errorf("asked for %d at a time", len(refs))
			}
			return []Ref{row}, fail
		})
	}
	if n, err := collect(errors.New("the database is away")); n != 0 || err == nil {
		t.Errorf("destroyed %d though nobody knew, %v", n, err)
	}
	if n, err := collect(nil); n != collectPart+1 || err != nil {
		t.Error(n, err)
	}
	for ref, want := range map[Ref]bool{fresh: true, row: true, foreign: true, orphan: false} {
		f, err := d.Open(t.Context(), ref)
		if (err == nil) != want {
			t.Errorf("%s: %v", ref, err)
		}
		if err == nil {
			f.Close()
		}
	}
}
