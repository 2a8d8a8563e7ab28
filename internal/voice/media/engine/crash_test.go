package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/seal"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/record"
)

// TestMain lets the test binary be an exchange of its own process, to be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("EXCHANGE_DIR"); dir != "" {
		if err := exchange(dir, os.Getenv("EXCHANGE_SIP")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func exchange(dir, addr string) error {
	p, err := seal.OpenFileProvider(dir, "")
	if err != nil {
		return err
	}
	e, err := Open(Config{Data: dir, SIP: addr, Low: 15400, High: 15499, Ring: seal.NewRing(p)})
	if err != nil {
		return err
	}
	ln, err := media.Listen(filepath.Join(dir, "voice", "media.sock"))
	if err != nil {
		return err
	}
	return media.Serve(ln, e)
}

// process is an exchange that can be killed and started again on its directory.
type process struct {
	t    *testing.T
	dir  string
	addr string
	cmd  *exec.Cmd
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), "EXCHANGE_DIR="+p.dir, "EXCHANGE_SIP="+p.addr)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func TestKilledExchangeKeepsItsCalls(t *testing.T) {
	p := &process{t: t, dir: t.TempDir(), addr: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	if err := os.MkdirAll(filepath.Join(p.dir, "voice"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.start()
	t.Cleanup(func() { p.kill() })
	c := media.NewClient(filepath.Join(p.dir, "voice", "media.sock"), clock.System())
	t.Cleanup(c.Close)
	kp := freePort(t)
	k := newCarrier(t, kp, 15500)
	k.knows(p.addr)
	w := &world{t: t, dir: p.dir, e: c, k: k}
	w.check(c.Setup(bg, media.Setup{Trunks: []media.Trunk{{Name: "carrier", Address: fmt.Sprintf("127.0.0.1:%d", kp), Allow: []string{"127.0.0.0/8"}}}}))
	w.f = follow(t, c, 0)

	talking, tl := w.incoming("13900000001", callerHz)
	agent := w.outgoing("agent", "8001", agentHz)
	w.check(c.Mix(bg, "talk", tl, "agent"))
	w.check(c.Record(bg, "talk", media.RecordPolicy{Rec: "kept", Left: tl}))
	queued, ql := w.incoming("13900000002", bossHz)
	w.check(c.Play(bg, ql, []media.Clip{{Name: "ringback"}}, media.PlayOpts{Play: "queue", Loop: true}))
	held, hl := w.incoming("13900000003", expertHz)
	seat := w.outgoing("agent2", "8002", agentHz)
	w.check(c.Hears(bg, "held", hl, "agent2", 0))
	w.check(c.Hears(bg, "held", "agent2", hl, 0))
	w.check(c.Mix(bg, "held", hl, "agent2"))
	voices := map[string]*voice{"talking": talking, "agent": agent}
	everyone(t, "before", voices, map[string][]string{"talking": {"agent"}, "agent": {"talking"}})
	time.Sleep(1200 * time.Millisecond) // a second of recording is sealed

	p.kill()
	p.start()
	var f *follower
	for range 100 {
		if s, err := c.Snapshot(bg); err == nil && len(s.Legs) == 5 {
			f = follow(t, c, 0)
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if f == nil {
		s, err := c.Snapshot(bg)
		t.Fatalf("after the kill: %+v %v", s, err)
	}
	if e := f.kind(media.Restarted, ""); e.Seq != 1 {
		t.Errorf("first event %+v", e)
	}
	everyone(t, "after the kill", voices, map[string][]string{"talking": {"agent"}, "agent": {"talking"}})
	if !queued.hears(450)[450] {
		t.Error("the queued caller's music is gone")
	}
	everyone(t, "held after the kill", map[string]*voice{"held": held, "seat": seat}, map[string][]string{})
	w.check(c.Hears(bg, "held", hl, "agent2", 1))
	w.check(c.Hears(bg, "held", "agent2", hl, 1))
	everyone(t, "taken back", map[string]*voice{"held": held, "seat": seat}, map[string][]string{"held": {"seat"}, "seat": {"held"}})

	// All hang up properly, from either side.
	_ = talking.c.Hangup(16)
	f.kind(media.Ended, tl)
	for _, l := range []media.Leg{"agent", ql, hl, "agent2"} {
		w.check(c.Hangup(bg, l, 16))
		f.kind(media.Ended, l)
	}
	for _, v := range []*voice{agent, queued, held, seat} {
		if e := v.waitOver(t); e.By != "party" { // the exchange is the carrier's other party
			t.Errorf("ended by %+v", e)
		}
	}
	rec := f.kind(media.RecReady, "")
	r, err := record.Open(filepath.Join(p.dir, "voice", "rec"), rec.Rec, testRing(t, p.dir))
	w.check(err)
	defer r.Close()
	sound, err := io.ReadAll(r)
	w.check(err)
	var left []byte
	for b := sound[58:]; len(b) > 0; b = b[2:] {
		left = append(left, b[0])
	}
	loud, tenths := 0, len(left)/800
	for i := range tenths {
		if mix.Power(left[800*i:800*i+800], callerHz) > 0.05 {
			loud++
		}
	}
	if !r.Closed || loud < tenths/2 || tenths < 25 { // the second in hand and the restart are silent
		t.Errorf("the recording: closed %v, %d of %d tenths of a second are there", r.Closed, loud, tenths)
	}
	if s, err := c.Snapshot(bg); err != nil || len(s.Legs) != 0 {
		t.Errorf("left %+v %v", s.Legs, err)
	}
	raw, err := os.ReadFile(filepath.Join(p.dir, "voice", "calls", "journal"))
	w.check(err)
	if strings.Contains(string(raw), "13900000001") {
		t.Error("a caller's number lies in the journal in the clear")
	}
}

// The journal's reader takes whatever a kill leaves.
func FuzzJournal(f *testing.F) {
	dir := f.TempDir()
	ring := testRing(f, dir)
	key, wrapped, err := ring.NewKey()
	if err != nil {
		f.Fatal(err)
	}
	j := &journal{key: key, kept: map[string]bool{}}
	_ = j.add(entry{Name: "lx", Leg: &savedLeg{Leg: "x"}})
	_ = j.add(entry{Name: "ry", Room: &savedRoom{Room: "y", Members: []media.Leg{"x"}}})
	_ = j.add(entry{Name: "lx"})
	raw := append([]byte(journalMagic), 0, byte(len(wrapped)))
	raw = append(append(raw, wrapped...), j.buf...)
	if s, err := readJournal(raw, ring); err != nil || len(s.legs) != 0 || len(s.rooms) != 1 {
		f.Fatalf("%+v %v", s, err)
	}
	f.Add(raw)
	f.Add(raw[:len(raw)-5])
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = readJournal(b, ring) })
}

func TestExchangeTakesCallsWhileThePlatformIsAway(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, dir, testRing(t, dir), freePort(t), 0)
	defer e.Close()
	k := newCarrier(t, freePort(t), 15500)
	k.knows(e.Addr())
	if err := e.Setup(bg, media.Setup{Trunks: []media.Trunk{{Name: "carrier", Allow: []string{"127.0.0.0/8"}}},
		Treatments: []media.Treatment{{DNIS: "12345", Notice: []media.Clip{{Name: "ringback"}}}}}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	v := k.call("13800000001", "12345", callerHz)
	v.waitUp(t)
	if d := time.Since(began); d > time.Second {
		t.Errorf("answered after %v", d)
	}
	if !v.hears(450)[450] {
		t.Error("the caller does not hear the notice")
	}
	s, err := e.Snapshot(context.Background())
	if err != nil || len(s.Legs) != 1 || s.Legs[0].State != stateUp {
		t.Fatalf("%+v %v", s, err)
	}
	// The platform comes, finds the caller and takes over.
	f := follow(t, e, 0)
	in := f.kind(media.Incoming, "")
	if err := e.Answer(bg, in.Leg); err != nil {
		t.Error(err)
	}
	if err := e.Mix(bg, "r", in.Leg); err != nil {
		t.Error(err)
	}
	if d := f.kind(media.PlayDone, in.Leg); d.Play != "treatment" {
		t.Errorf("%+v", d)
	}
	// A platform that follows but does not act has 900 ms.
	w := k.call("13800000002", "12333", callerHz)
	w.waitUp(t)
	// One that acts is left alone.
	x := k.call("13800000003", "12333", callerHz)
	in = f.wait("third call", func(ev media.Event) bool { return ev.Kind == media.Incoming && ev.ANI == "13800000003" })
	if err := e.Ring(bg, in.Leg); err != nil {
		t.Error(err)
	}
	select {
	case <-x.up:
		t.Error("a ringing call was taken from the platform")
	case <-time.After(1200 * time.Millisecond):
	}
	var code *media.Error
	if err := e.Play(bg, in.Leg, []media.Clip{{Name: "no such"}}, media.PlayOpts{}); !errors.As(err, &code) {
		t.Error(err)
	}
}
