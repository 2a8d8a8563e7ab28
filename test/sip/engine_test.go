// Package sip_test runs the exchange's signalling against sipp: every state of a
// call, and the ways in which the other side or the network goes wrong.
package sip_test

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/sdp"
	"hotline/internal/voice/media/sip"

	"net/netip"
)

// engine is the part of the exchange that answers: it does what the number
// dialled stands for and notes all that it is told.
type engine struct {
	t     testing.TB
	stack *sip.Stack
	port  string

	mu     sync.Mutex
	log    []string
	calls  []*sip.Call
	ends   []sip.End
	pairs  map[*sip.Call]*sip.Call
	change *sync.Cond
	on     func(c *sip.Call) // a new call, when the number says nothing
	offer  func(offer []byte) ([]byte, int)
}

// start listens on a free port of the tests' range with one trusted trunk.
func start(t testing.TB, set ...func(*sip.Config)) *engine {
	t.Helper()
	e := &engine{t: t, pairs: map[*sip.Call]*sip.Call{}}
	e.change = sync.NewCond(&e.mu)
	e.offer = func(offer []byte) ([]byte, int) { return answer(offer), 200 }
	cfg := sip.Config{Listen: "127.0.0.1:" + strconv.Itoa(free(t)), Ping: -1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, f := range set {
		f(&cfg)
	}
	s, err := sip.New(cfg, e)
	if err != nil {
		t.Fatal(err)
	}
	e.stack = s
	_, e.port, _ = net.SplitHostPort(s.Addr())
	t.Cleanup(s.Close)
	e.configure(nil)
	return e
}

func (e *engine) configure(phones []media.Phone, more ...media.Trunk) {
	e.t.Helper()
	if err := e.stack.Configure(append([]media.Trunk{{Name: "local", Allow: []string{"127.0.0.0/8"}}}, more...), phones); err != nil {
		e.t.Fatal(err)
	}
}

var given sync.Map // ports handed out by free

// free is a port of the tests' range that nobody has, for UDP and TCP.
func free(t testing.TB) int {
	t.Helper()
	const first, last = 15060, 15199
	begin := rand.IntN(last - first)
	for i := range 2 * (last - first) {
		if i == last-first {
			given.Clear() // all used once: the first are free again
		}
		p := first + (begin+i)%(last-first)
		u, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
		u.Close()
		if err != nil {
			continue
		}
		l.Close()
		if _, taken := given.LoadOrStore(p, true); !taken {
			return p
		}
	}
	t.Fatal("no free port between 15060 and 15199")
	return 0
}

var local = netip.MustParseAddr("127.0.0.1")

func answer(offer []byte) []byte {
	if len(offer) == 0 {
		return sdp.Build(sdp.Local{Addr: local, Port: 30000, Session: 1, Version: 1})
	}
	o, err := sdp.Parse(offer)
	if err != nil {
		return nil
	}
	b, err := o.Answer(sdp.Local{Addr: local, Port: 30000, Session: 1, Version: 1})
	if err != nil {
		return nil
	}
	return b
}

func (e *engine) note(format string, args ...any) {
	e.mu.Lock()
	e.log = append(e.log, fmt.Sprintf(format, args...))
	e.mu.Unlock()
	e.change.Broadcast()
}

func (e *engine) Invite(c *sip.Call) {
	e.mu.Lock()
	e.calls = append(e.calls, c)
	on := e.on
	e.mu.Unlock()
	e.note("invite %s from %q", c.DNIS(), c.ANI())
	if on != nil {
		on(c)
		return
	}
	_ = c.Ring(nil)
	_ = c.Answer(answer(c.Offer()))
}

func (e *engine) Reinvite(c *sip.Call, offer []byte) ([]byte, int) {
	dir := "late"
	if o, err := sdp.Parse(offer); err == nil {
		dir = string(o.Dir)
	}
	e.note("reinvite %s", dir)
	return e.offer(offer)
}

func (e *engine) Progress(c *sip.Call, code int, sdp []byte) {
	e.note("progress %d sdp=%t", code, len(sdp) > 0)
}

func (e *engine) Answered(c *sip.Call, sdp []byte) {
	e.note("answered sdp=%t", len(sdp) > 0)
	if other := e.other(c); other != nil && !c.Incoming() {
		accept(other)
	}
}

// pair bridges two legs.
func (e *engine) pair(a, b *sip.Call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pairs[a], e.pairs[b] = b, a
}

func (e *engine) other(c *sip.Call) *sip.Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pairs[c]
}

func (e *engine) Digit(c *sip.Call, d byte)    { e.note("digit %c", d) }
func (e *engine) Refer(c *sip.Call, to string) { e.note("refer %s", to) }
func (e *engine) Phone(user string, up bool)   { e.note("phone %s %t", user, up) }
func (e *engine) Trunk(name string, up bool)   { e.note("trunk %s %t", name, up) }

func (e *engine) Ended(c *sip.Call, end sip.End) {
	e.mu.Lock()
	e.ends = append(e.ends, end)
	e.mu.Unlock()
	e.note("ended %d %d %s", end.Code, end.Cause, end.By)
	if other := e.other(c); other != nil {
		_ = other.Hangup(16)
	}
}

// when sets what is done with a new call.
func (e *engine) when(on func(*sip.Call)) {
	e.mu.Lock()
	e.on = on
	e.mu.Unlock()
}

// last is the newest incoming call.
func (e *engine) last() *sip.Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls[len(e.calls)-1]
}

func (e *engine) all() []*sip.Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*sip.Call(nil), e.calls...)
}

// heard counts the notes that begin with what.
func (e *engine) heard(what string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, l := range e.log {
		if strings.HasPrefix(l, what) {
			n++
		}
	}
	return n
}

// expect waits until what has been noted.
func (e *engine) expect(what string) {
	e.t.Helper()
	for range 1000 {
		if e.heard(what) > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.t.Fatalf("never %q; notes:\n%s", what, strings.Join(e.log, "\n"))
}

// sequence checks the whole story.
func (e *engine) sequence(want ...string) {
	e.t.Helper()
	e.expect(want[len(want)-1])
	e.mu.Lock()
	defer e.mu.Unlock()
	if got := strings.Join(e.log, "\n"); got != strings.Join(want, "\n") {
		e.t.Errorf("notes:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

// empty waits until the stack knows no call any more.
func (e *engine) empty() {
	e.t.Helper()
	for range 500 {
		if e.stack.Calls() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	e.t.Errorf("%d calls left", e.stack.Calls())
}

// sipp runs a scenario to its end and fails unless every call passed.
type sipp struct {
	t    testing.TB
	cmd  *exec.Cmd
	out  strings.Builder
	port int
	done chan error
}

// run starts sipp: toward the engine as a caller, or listening as a far side
// when target is nil.
func run(t testing.TB, scenario string, target *engine, args ...string) *sipp {
	t.Helper()
	path, err := exec.LookPath("sipp")
	if err != nil {
		t.Fatal("sipp is missing (Debian: apt-get install sip-tester)")
	}
	s := &sipp{t: t, port: free(t), done: make(chan error, 1)}
	all := []string{"-sf", filepath.Join("scenarios", scenario), "-i", "127.0.0.1", "-p", strconv.Itoa(s.port), "-nostdin", "-timeout", "60", "-timeout_error", "-m", "1",
		"-cp", strconv.Itoa(free(t)), "-s", "12345"}
	all = append(all, args...)
	if target != nil {
		all = append(all, "127.0.0.1:"+target.port)
	}
	s.cmd = exec.Command(path, all...)
	s.cmd.Dir = "."
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.done <- s.cmd.Wait() }()
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	if target == nil {
		s.listening()
	}
	return s
}

// listening waits until sipp has its port.
func (s *sipp) listening() {
	s.t.Helper()
	at := fmt.Sprintf("127.0.0.1:%d", s.port)
	for range 300 {
		u, err := net.ListenPacket("udp", at)
		if err != nil {
			return
		}
		u.Close()
		l, err := net.Listen("tcp", at)
		if err != nil {
			return
		}
		l.Close()
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("sipp does not listen: %s", s.out.String())
}

func (s *sipp) wait() {
	s.t.Helper()
	if err := <-s.done; err != nil {
		out := s.out.String()
		if len(out) > 6000 {
			out = out[len(out)-6000:]
		}
		s.t.Fatalf("sipp: %v\n%s", err, out)
	}
}

// far is a trunk that leads to this sipp.
func (s *sipp) far() media.Trunk {
	return media.Trunk{Name: "far", Address: fmt.Sprintf("127.0.0.1:%d", s.port), Allow: []string{"127.0.0.1"}}
}

func (e *engine) dial(value string) *sip.Call {
	e.t.Helper()
	c, err := e.stack.Dial(media.Target{Kind: media.ToTrunk, Value: value, Trunk: "far"}, sip.DialOpts{ANI: "12345", Offer: answer(nil), Headers: map[string]string{"X-Ticket": "42"}})
	if err != nil {
		e.t.Fatal(err)
	}
	return c
}

// TestMain fails when a test leaves goroutines behind.
func TestMain(m *testing.M) {
	code := m.Run()
	for range 100 {
		if runtime.NumGoroutine() < 8 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); code == 0 && n >= 8 {
		buf := make([]byte, 1<<20)
		fmt.Printf("%d goroutines left:\n%s\n", n, buf[:runtime.Stack(buf, true)])
		code = 1
	}
	exit(code)
}
