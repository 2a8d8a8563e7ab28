package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/seal"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/rtp"
)

func ring(t testing.TB) *seal.Ring {
	t.Helper()
	p, err := seal.OpenFileProvider(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return seal.NewRing(p)
}

func store(t testing.TB, r *seal.Ring) *Store {
	t.Helper()
	s, err := OpenStore(t.TempDir(), r, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func tone(hz float64) *mix.Frame {
	var f mix.Frame
	for i := range f {
		f[i] = rtp.ALaw(int16(6000 * math.Sin(2*math.Pi*hz*float64(i)/8000)))
	}
	return &f
}

func finish(t *testing.T, tape *Tape) Result {
	t.Helper()
	done := make(chan Result, 1)
	tape.Close(func(r Result, err error) {
		if err != nil {
			t.Error(err)
		}
		done <- r
	})
	return <-done
}

// channels reads a recording and takes its two sides apart.
func channels(t *testing.T, dir, rec string, k *seal.Ring) (left, right []byte) {
	t.Helper()
	r, err := Open(dir, rec, k)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != r.Size() || !bytes.Equal(b[:58], WAVHeader(2, r.Size()-58)) {
		t.Fatalf("%d bytes of %d", len(b), r.Size())
	}
	for b = b[58:]; len(b) > 0; b = b[2:] {
		left, right = append(left, b[0]), append(right, b[1])
	}
	return left, right
}

func TestBothSidesAreKeptApartSealedAndHashed(t *testing.T) {
	k := ring(t)
	s := store(t, k)
	tape, err := s.Begin("2026/call-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	citizen, agent := tone(450), tone(1000)
	for i := range 120 { // two full seconds and a part
		if i < 60 {
			tape.Frame(citizen, agent)
		} else {
			tape.Frame(citizen, nil)
		}
	}
	res := finish(t, tape)
	if res.Ms != 2400 {
		t.Errorf("%d ms", res.Ms)
	}
	raw, err := os.ReadFile(filepath.Join(s.dir, "2026/call-1.rec"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != res.SHA256 || int64(len(raw)) != res.Bytes {
		t.Error("hash or length is not that of the file")
	}
	if bytes.Contains(raw, citizen[:16]) {
		t.Error("sound lies there in the clear")
	}
	left, right := channels(t, s.dir, "2026/call-1", k)
	at := 60 * rtp.FrameSize
	for _, c := range []struct {
		name  string
		sound []byte
		hz    float64
		loud  bool
	}{
		{"citizen left", left, 450, true}, {"citizen right", right, 450, false},
		{"agent right", right[:at], 1000, true}, {"agent left", left, 1000, false}, {"agent after leaving", right[at:], 1000, false},
	} {
		if loud := mix.Power(c.sound, c.hz) > 0.1; loud != c.loud {
			t.Errorf("%s: %v", c.name, loud)
		}
	}
	if _, err := s.Begin("2026/call-1", 0); !fault.Is(err, "rec_closed") {
		t.Errorf("a closed recording goes on: %v", err)
	}
}

func TestPauseKeepsTheTime(t *testing.T) {
	k := ring(t)
	s := store(t, k)
	tape, err := s.Begin("paused", 0)
	if err != nil {
		t.Fatal(err)
	}
	voice := tone(450)
	for i := range 150 {
		switch i {
		case 30:
			tape.Pause(true)
		case 100:
			tape.Pause(false)
		}
		tape.Frame(voice, nil)
	}
	if r := finish(t, tape); r.Ms != 3000 {
		t.Errorf("%d ms", r.Ms)
	}
	left, _ := channels(t, s.dir, "paused", k)
	f := rtp.FrameSize
	if mix.Power(left[:30*f], 450) < 0.1 || mix.Power(left[30*f:100*f], 450) > 0.01 || mix.Power(left[100*f:], 450) < 0.1 {
		t.Error("the pause is not silent, or more than the pause is")
	}
}

// Relayed packets are laid by their stamps: late and twisted ones find their
// place, a lost one stays silent, µ-law is converted, another source goes on now.
func TestPacketsAreLaidByTheirStamps(t *testing.T) {
	k := ring(t)
	s := store(t, k)
	tape, _ := s.Begin("laid", 0)
	voice, u := tone(450), make([]byte, rtp.FrameSize)
	rtp.Convert(u, tone(1000)[:], rtp.PCMA, rtp.PCMU)
	const ts = 1<<32 - 4000 // over the wrap
	lay := func(i int) { tape.Lay(Left, ts+uint32(i*rtp.FrameSize), rtp.PCMA, voice[:]) }
	for i := range 120 {
		switch {
		case i == 20: // lost
		case i == 30:
			lay(31)
		case i == 31:
			lay(30)
		case i == 70:
			tape.Lay(Left, 5, rtp.PCMA, voice[:]) // a new source
		case i > 70:
			tape.Lay(Left, 5+uint32(i-70)*rtp.FrameSize, rtp.PCMA, voice[:])
		default:
			lay(i)
		}
		tape.Lay(Right, uint32(i*rtp.FrameSize), rtp.PCMU, u)
		tape.Pass()
	}
	finish(t, tape)
	left, right := channels(t, s.dir, "laid", k)
	n := rtp.FrameSize
	if len(left) != 120*n {
		t.Errorf("%d frames", len(left)/n)
	}
	if mix.Power(left[20*n:21*n], 450) > 0.01 {
		t.Error("the lost packet is not silent")
	}
	for _, part := range [][2]int{{0, 20}, {21, 70}, {70, 120}} {
		if p := mix.Power(left[part[0]*n:part[1]*n], 450); p < 0.15 {
			t.Errorf("frames %v have %v", part, p)
		}
	}
	if mix.Power(right, 1000) < 0.15 || mix.Power(right, 450) > 0.01 || mix.Power(left, 1000) > 0.01 {
		t.Error("the sides are not kept apart")
	}
}

// TestKilledRecording is a process that ended without a word: the file is cut
// anywhere, gone on with or finished.
func TestKilledRecording(t *testing.T) {
	k := ring(t)
	s := store(t, k)
	write := func(rec string) string {
		tape, err := s.Begin(rec, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 130 {
			tape.Frame(tone(450), tone(1000))
		}
		path := filepath.Join(s.dir, rec+".rec")
		for range 200 { // both full seconds on disk; the rest is lost with the process
			if info, _ := os.Stat(path); info != nil && info.Size() > 2*segmentSize {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		return path
	}
	path := write("torn")
	f, _ := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	_, _ = f.Write([]byte{0, 0, 0, 100, 0, 0, 62, 1, 9, 9, 9})
	f.Close()
	torn, err := s.Torn(time.Now().Add(time.Hour))
	if err != nil || len(torn) != 1 || torn[0] != "torn" {
		t.Fatalf("torn: %v %v", torn, err)
	}
	tape, err := s.Begin("torn", 200) // the call goes on, 1.4 s later
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		tape.Frame(tone(450), tone(1000))
	}
	r := finish(t, tape)
	left, _ := channels(t, s.dir, "torn", k)
	n := rtp.FrameSize
	if r.Ms != 5000 || len(left) != 250*n || mix.Power(left[:100*n], 450) < 0.1 || mix.Power(left[100*n:200*n], 450) > 0.01 || mix.Power(left[200*n:], 450) < 0.1 {
		t.Errorf("%d ms of sound, %d frames", r.Ms, len(left)/n)
	}
	raw, _ := os.ReadFile(path)
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != r.SHA256 {
		t.Error("the hash is not that of the file")
	}

	write("left")
	if r, err := s.Finish("left"); err != nil || r.Ms != 2000 {
		t.Errorf("finished as %+v, %v", r, err)
	}
	if torn, _ := s.Torn(time.Now().Add(time.Hour)); len(torn) != 0 {
		t.Errorf("still torn: %v", torn)
	}
	empty := filepath.Join(s.dir, "empty.rec")
	_ = os.WriteFile(empty, []byte("HRE"), 0o600) // killed while the header was written
	if r, err := s.Finish("empty"); err != nil || r.Ms != 0 {
		t.Errorf("empty: %+v %v", r, err)
	}
}

func TestAlteredSoundIsRefused(t *testing.T) {
	k := ring(t)
	s := store(t, k)
	tape, _ := s.Begin("a", 0)
	for range 100 {
		tape.Frame(tone(450), nil)
	}
	finish(t, tape)
	path := filepath.Join(s.dir, "a.rec")
	raw, _ := os.ReadFile(path)
	raw[2000] ^= 1
	_ = os.WriteFile(path, raw, 0o600)
	r, err := Open(s.dir, "a", k)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); !fault.Is(err, "seal_broken") {
		t.Errorf("altered sound: %v", err)
	}
	_ = os.Rename(path, filepath.Join(s.dir, "b.rec"))
	if _, err := Open(s.dir, "b", k); !fault.Is(err, "seal_broken") {
		t.Errorf("a recording under another name: %v", err)
	}
	if _, err := Open(s.dir, "../a", k); !fault.Is(err, "rec_name") {
		t.Errorf("a name that leaves the directory: %v", err)
	}
}

func TestRanges(t *testing.T) {
	k := ring(t)
	s := store(t, k)
	tape, _ := s.Begin("r", 0)
	for i := range 130 {
		tape.Frame(tone(float64(300+10*i)), nil)
	}
	finish(t, tape)
	r, err := Open(s.dir, "r", k)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, _ := io.ReadAll(r)
	q := httptest.NewRequest("GET", "/", nil)
	q.Header.Set("Range", "bytes=15990-33000")
	w := httptest.NewRecorder()
	http.ServeContent(w, q, "r.wav", time.Time{}, r)
	if w.Code != 206 || !bytes.Equal(w.Body.Bytes(), all[15990:33001]) {
		t.Errorf("range answered %d with %d bytes", w.Code, w.Body.Len())
	}
}

func FuzzRecording(f *testing.F) {
	k := ring(f)
	s := store(f, k)
	tape, _ := s.Begin("x", 0)
	for range 60 {
		tape.Frame(nil, nil)
	}
	done := make(chan bool)
	tape.Close(func(Result, error) { close(done) })
	<-done
	raw, _ := os.ReadFile(filepath.Join(s.dir, "x.rec"))
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := open(bytes.NewReader(b), int64(len(b)), "x", k)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r)
	})
}

// BenchmarkSealSecond is the price of a second of recording in either suite.
func BenchmarkSealSecond(b *testing.B) {
	for _, suite := range []string{seal.SuiteSM, seal.SuiteIntl} {
		b.Run(suite, func(b *testing.B) {
			p, err := seal.OpenFileProvider(b.TempDir(), suite)
			if err != nil {
				b.Fatal(err)
			}
			k, _, err := seal.NewRing(p).NewKey()
			if err != nil {
				b.Fatal(err)
			}
			sound := make([]byte, segmentSize)
			b.SetBytes(segmentSize)
			var out []byte
			for b.Loop() {
				out = appendSegment(out[:0], k, "x", 0, sound)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	s := store(t, ring(t))
	tape, err := s.Begin("2026/c-9", 0)
	if err != nil {
		t.Fatal(err)
	}
	tape.Frame(tone(440), nil)
	finish(t, tape)
	for range 2 { // twice is harmless
		if err := Remove(s.dir, "2026/c-9"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(s.dir, "2026/c-9", s.ring); err == nil {
		t.Error("it can still be heard")
	}
	if err := Remove(s.dir, "../voice"); !fault.Is(err, "rec_name") {
		t.Errorf("a name that leads elsewhere: %v", err)
	}
}

// BenchmarkSecond is what a second of a relayed call costs to record: both
// sides laid, woven, sealed, written.
func BenchmarkSecond(b *testing.B) {
	s := store(b, ring(b))
	t, err := s.Begin("bench", 0)
	if err != nil {
		b.Fatal(err)
	}
	var sound [rtp.FrameSize]byte
	b.ReportAllocs()
	for i := range b.N {
		for f := range segmentFrames {
			ts := uint32((i*segmentFrames + f) * rtp.FrameSize)
			t.Lay(Left, ts, rtp.PCMA, sound[:])
			t.Lay(Right, ts, rtp.PCMA, sound[:])
			t.Pass()
		}
		for len(t.queue) > 10 {
			runtime.Gosched()
		}
	}
	done := make(chan bool)
	t.Close(func(Result, error) { close(done) })
	<-done
}
