package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/seal"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/record"
	"hotline/internal/voice/media/sdp"
)

// The voices: each party is a pitch.
const (
	callerHz = 440.0
	agentHz  = 1000.0
	bossHz   = 1500.0
	expertHz = 2200.0
)

// world is an exchange, its outside and its platform.
type world struct {
	t    *testing.T
	dir  string
	ring *seal.Ring
	core *Engine
	e    media.Engine // what the platform speaks to
	k    *carrier
	f    *follower
}

func testRing(t testing.TB, dir string) *seal.Ring {
	t.Helper()
	p, err := seal.OpenFileProvider(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return seal.NewRing(p)
}

func openEngine(t testing.TB, dir string, ring *seal.Ring, port, web int) *Engine {
	t.Helper()
	cfg := Config{Data: dir, SIP: fmt.Sprintf("127.0.0.1:%d", port), Low: 15400, High: 15499, Ring: ring}
	if web != 0 {
		cfg.Web = fmt.Sprintf("127.0.0.1:%d", web)
	}
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// engines are the two ways to an exchange: in process, and over its socket.
var engines = map[string]func(t *testing.T, e *Engine, dir string) media.Engine{
	"in process": func(_ *testing.T, e *Engine, _ string) media.Engine { return e },
	"over the socket": func(t *testing.T, e *Engine, dir string) media.Engine {
		ln, err := media.Listen(filepath.Join(dir, "media.sock"))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- media.Serve(ln, e) }()
		c := media.NewClient(filepath.Join(dir, "media.sock"), clock.System())
		t.Cleanup(func() {
			c.Close()
			ln.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		return c
	},
}

func newWorld(t *testing.T, way string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.ring = testRing(t, w.dir)
	w.core = openEngine(t, w.dir, w.ring, freePort(t), freePort(t))
	t.Cleanup(w.core.Close)
	w.e = engines[way](t, w.core, w.dir)
	kp := freePort(t)
	w.k = newCarrier(t, kp, 15500)
	w.k.knows(w.core.Addr())
	w.check(w.e.Setup(context.Background(), media.Setup{Trunks: []media.Trunk{{Name: "carrier", Address: fmt.Sprintf("127.0.0.1:%d", kp), Allow: []string{"127.0.0.0/8"}}}}))
	w.f = follow(t, w.e, 0)
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

var bg = context.Background()

// incoming places a call and answers it.
func (w *world) incoming(ani string, hz float64) (*voice, media.Leg) {
	w.t.Helper()
	v := w.k.call(ani, "12345", hz)
	in := w.f.wait("incoming", func(e media.Event) bool { return e.Kind == media.Incoming && e.ANI == ani })
	w.check(w.e.Answer(bg, in.Leg))
	v.waitUp(w.t)
	w.f.kind(media.Answered, in.Leg)
	return v, in.Leg
}

// outgoing calls a number that answers.
func (w *world) outgoing(leg media.Leg, number string, hz float64) *voice {
	w.t.Helper()
	w.k.mu.Lock()
	w.k.hz[number] = hz
	w.k.mu.Unlock()
	w.check(w.e.Dial(bg, media.Spec{Leg: leg, To: media.Target{Kind: media.ToTrunk, Value: number}, ANI: "12345"}))
	v := <-w.k.came
	w.f.kind(media.Answered, leg)
	return v
}

// everyone checks who hears whom, all at once.
func everyone(t *testing.T, state string, voices map[string]*voice, want map[string][]string) {
	t.Helper()
	var names []string
	var list []*voice
	var all []float64
	for name, v := range voices {
		names, list, all = append(names, name), append(list, v), append(all, v.hz)
	}
	for i, got := range listen(t, list, all...) {
		exp := map[float64]bool{}
		for _, s := range want[names[i]] {
			exp[voices[s].hz] = true
		}
		if !reflect.DeepEqual(got, exp) {
			t.Errorf("%s: %s hears %v, want %v", state, names[i], got, exp)
		}
	}
}

func TestConformance(t *testing.T) {
	for way := range engines {
		if testing.Short() && way == "in process" {
			continue
		}
		t.Run(way, func(t *testing.T) {
			for name, story := range map[string]func(*testing.T, *world){
				"来电、语音、按键、挂断":  storyPrompt,
				"谁听见谁":         storyWhoHears,
				"外呼未成":         storyRefused,
				"中继用μ律":        storyLaw,
				"取流":           storyTap,
				"事件可从任一序号续取":   storyResume,
				"命令重复无害、错误有代码": storyErrors,
				"浏览器座席":        storyBrowser,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					story(t, newWorld(t, way))
				})
			}
		})
	}
}

func storyPrompt(t *testing.T, w *world) {
	v := w.k.call("13800000001", "12333", callerHz)
	in := w.f.kind(media.Incoming, "")
	if in.DNIS != "12333" || in.ANI != "13800000001" || in.Trunk != "carrier" {
		t.Errorf("incoming %+v", in)
	}
	w.check(w.e.Ring(bg, in.Leg))
	w.check(w.e.Answer(bg, in.Leg))
	v.waitUp(t)
	w.check(w.e.Play(bg, in.Leg, []media.Clip{{Name: "beep"}, {Name: "#12"}}, media.PlayOpts{Play: "p1"}))
	if got := v.hears(1400); !got[1400] {
		t.Log("the beep may have passed already")
	}
	if e := w.f.kind(media.PlayDone, in.Leg); e.Play != "p1" || e.Why != "end" {
		t.Errorf("play done %+v", e)
	}
	w.check(w.e.Play(bg, in.Leg, []media.Clip{{Name: "ringback"}}, media.PlayOpts{Play: "p2", Loop: true, Barge: true}))
	w.check(w.e.Collect(bg, in.Leg, media.Digits{Max: 4, Term: "#", First: 5, Inter: 5}))
	if got := v.hears(450); !got[450] {
		t.Error("the caller does not hear the prompt")
	}
	for _, d := range []byte("15#") {
		v.st.Press(d)
	}
	if e := w.f.wait("digit stops", func(e media.Event) bool { return e.Kind == media.PlayDone && e.Play == "p2" }); e.Why != "digit" {
		t.Errorf("barge %+v", e)
	}
	if e := w.f.kind(media.Collected, in.Leg); e.Digits != "15" || e.Why != "term" {
		t.Errorf("collected %+v", e)
	}
	w.check(w.e.Collect(bg, in.Leg, media.Digits{Max: 1, First: 1, Inter: 1}))
	w.f.wait("timeout", func(e media.Event) bool { return e.Kind == media.Collected && e.Why == "timeout" })
	w.check(w.e.Play(bg, in.Leg, []media.Clip{{Name: "moh"}}, media.PlayOpts{Play: "p3", Loop: true}))
	w.check(w.e.StopPlay(bg, in.Leg))
	w.f.wait("stop", func(e media.Event) bool { return e.Kind == media.PlayDone && e.Play == "p3" && e.Why == "stop" })
	w.check(w.e.Hangup(bg, in.Leg, 16))
	v.waitOver(t)
	if e := w.f.kind(media.Ended, in.Leg); e.By != "platform" || e.Cause != 16 {
		t.Errorf("ended %+v", e)
	}
	w.empty()
}

// empty checks that nothing is left of the calls.
func (w *world) empty() {
	w.t.Helper()
	s, err := w.e.Snapshot(bg)
	w.check(err)
	if len(s.Legs) != 0 || w.core.ports.Used() != 0 {
		w.t.Errorf("left: %+v, %d ports", s.Legs, w.core.ports.Used())
	}
	w.core.mu.Lock()
	defer w.core.mu.Unlock()
	if len(w.core.rooms) != 0 || len(w.core.tapes) != 0 {
		w.t.Errorf("left: %d rooms, %d tapes", len(w.core.rooms), len(w.core.tapes))
	}
}

func storyWhoHears(t *testing.T, w *world) {
	caller, cl := w.incoming("13800000002", callerHz)
	agent, boss := w.outgoing("agent", "8001", agentHz), w.outgoing("boss", "8002", bossHz)
	_ = boss
	v := map[string]*voice{"caller": caller, "agent": agent, "boss": boss}
	hear := func(a, b media.Leg, g float64) { w.check(w.e.Hears(bg, "r", a, b, g)) }
	hear(cl, "boss", 0) // before the boss, or anybody, is in the room
	hear("agent", "boss", 0)
	w.check(w.e.Mix(bg, "r", cl, "agent"))
	w.check(w.e.Record(bg, "r", media.RecordPolicy{Rec: "c-1", Left: cl}))
	everyone(t, "通话", v, map[string][]string{"caller": {"agent"}, "agent": {"caller"}})
	w.check(w.e.Join(bg, "r", "boss"))
	everyone(t, "监听", v, map[string][]string{"caller": {"agent"}, "agent": {"caller"}, "boss": {"caller", "agent"}})
	hear("agent", "boss", 1)
	everyone(t, "密语", v, map[string][]string{"caller": {"agent"}, "agent": {"caller", "boss"}, "boss": {"caller", "agent"}})
	hear(cl, "boss", 1)
	everyone(t, "强插，三方", v, map[string][]string{"caller": {"agent", "boss"}, "agent": {"caller", "boss"}, "boss": {"caller", "agent"}})
	hear(cl, "agent", 0)
	hear("boss", "agent", 0)
	everyone(t, "静音", v, map[string][]string{"caller": {"boss"}, "agent": {"caller", "boss"}, "boss": {"caller"}})
	w.check(w.e.Leave(bg, "r", "agent"))
	everyone(t, "接管", v, map[string][]string{"caller": {"boss"}, "boss": {"caller"}})
	hear(cl, "boss", 0)
	hear("boss", cl, 0)
	w.check(w.e.Play(bg, cl, []media.Clip{{Name: "moh"}}, media.PlayOpts{Play: "hold", Loop: true}))
	everyone(t, "保持", v, map[string][]string{})
	caller.mu.Lock()
	loud := 0
	for _, b := range caller.heard {
		if b != 0xD5 && b != 0x55 {
			loud++
		}
	}
	caller.mu.Unlock()
	if loud < 500 {
		t.Errorf("the held caller hears no music (%d of %d)", loud, len(caller.heard))
	}
	w.check(w.e.StopPlay(bg, cl))
	hear(cl, "boss", 1)
	hear("boss", cl, 1)
	everyone(t, "取回", v, map[string][]string{"caller": {"boss"}, "boss": {"caller"}})
	_ = caller.c.Hangup(16)
	if e := w.f.kind(media.Ended, cl); e.By != "party" {
		t.Errorf("ended %+v", e)
	}
	rec := w.f.kind(media.RecReady, "")
	if rec.Rec != "c-1" || rec.Ms < 3000 || len(rec.SHA256) != 64 {
		t.Errorf("recording %+v", rec)
	}
	r, err := record.Open(w.core.dir("rec"), "c-1", w.ring)
	w.check(err)
	defer r.Close()
	b, err := io.ReadAll(r)
	w.check(err)
	var left, right []byte
	for b = b[58:]; len(b) > 0; b = b[2:] {
		left, right = append(left, b[0]), append(right, b[1])
	}
	for hz, sides := range map[float64][2]bool{callerHz: {true, false}, agentHz: {false, true}, bossHz: {false, true}} {
		if l, rt := part(left, hz), part(right, hz); l > 0.2 != sides[0] || rt > 0.2 != sides[1] || !sides[0] && l > 0 || !sides[1] && rt > 0 {
			t.Errorf("%v Hz is in %.0f %% of the left and %.0f %% of the right", hz, 100*l, 100*rt)
		}
	}
	w.check(w.e.Hangup(bg, "agent", 16))
	w.check(w.e.Hangup(bg, "boss", 16))
	w.f.kind(media.Ended, "agent")
	w.f.kind(media.Ended, "boss")
	w.empty()
}

// part is in how much of the sound a voice is, by tenths of a second.
func part(sound []byte, hz float64) float64 {
	n, loud := len(sound)/800, 0
	for i := range n {
		if mix.Power(sound[800*i:800*i+800], hz) > 0.03 {
			loud++
		}
	}
	return float64(loud) / float64(n)
}

func storyRefused(t *testing.T, w *world) {
	w.k.code["8003"] = 486
	w.check(w.e.Dial(bg, media.Spec{Leg: "x", To: media.Target{Kind: media.ToTrunk, Value: "8003"}}))
	if e := w.f.kind(media.Ended, "x"); e.Cause != 17 || e.By != "party" {
		t.Errorf("busy ended as %+v", e)
	}
	w.check(w.e.Dial(bg, media.Spec{Leg: "x", To: media.Target{Kind: media.ToTrunk, Value: "8003"}})) // said twice: not dialled twice
	v := w.k.call("13800000003", "12345", callerHz)
	in := w.f.kind(media.Incoming, "")
	w.check(w.e.Reject(bg, in.Leg, 17))
	if e := v.waitOver(t); e.Code != 486 {
		t.Errorf("rejected with %+v", e)
	}
	w.f.kind(media.Ended, in.Leg)
	v = w.k.call("13800000004", "12345", callerHz)
	in = w.f.wait("incoming", func(e media.Event) bool { return e.Kind == media.Incoming && e.ANI == "13800000004" })
	w.check(w.e.Ring(bg, in.Leg))
	time.Sleep(50 * time.Millisecond)
	_ = v.c.Hangup(16)
	if e := w.f.kind(media.Ended, in.Leg); e.By != "party" {
		t.Errorf("abandoned as %+v", e)
	}
	w.empty()
}

func storyLaw(t *testing.T, w *world) {
	w.k.law["8004"] = sdp.PCMU
	caller, cl := w.incoming("13800000005", callerHz)
	u := w.outgoing("u", "8004", agentHz)
	w.check(w.e.Mix(bg, "r", cl, "u"))
	everyone(t, "A律对μ律", map[string]*voice{"caller": caller, "u": u}, map[string][]string{"caller": {"u"}, "u": {"caller"}})
	caller.st.Press('7')
	w.f.kind(media.DTMF, cl)
	for range 100 {
		u.mu.Lock()
		d := string(u.digits)
		u.mu.Unlock()
		if d == "7" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the digit is not passed on")
}

func storyTap(t *testing.T, w *world) {
	_, cl := w.incoming("13800000006", callerHz)
	listen := func(state string) {
		t.Helper()
		tap, err := w.e.Tap(bg, cl)
		w.check(err)
		b := make([]byte, 4000)
		if _, err := io.ReadFull(tap, b); err != nil {
			t.Fatal(err)
		}
		if p := mix.Power(b[1600:], callerHz); p < 0.1 {
			t.Errorf("%s: the tap has %v of the caller", state, p)
		}
		w.check(tap.Close())
	}
	listen("alone")
	w.outgoing("a", "8005", agentHz)
	w.check(w.e.Mix(bg, "r", cl, "a"))
	listen("in a call")
	tap, err := w.e.Tap(bg, cl)
	w.check(err)
	w.check(w.e.Hangup(bg, cl, 16))
	if _, err := io.Copy(io.Discard, tap); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("the tap of a leg that ended: %v", err)
	}
}

func storyResume(t *testing.T, w *world) {
	_, cl := w.incoming("13800000007", callerHz)
	w.check(w.e.Hangup(bg, cl, 16))
	w.f.kind(media.Ended, cl)
	w.f.mu.Lock()
	all := append([]media.Event(nil), w.f.events...)
	w.f.mu.Unlock()
	for i, e := range all {
		if e.Seq != uint64(i+1) {
			t.Fatalf("event %d has number %d", i, e.Seq)
		}
	}
	from := all[len(all)/2].Seq
	g := follow(t, w.e, from)
	got := g.kind(media.Ended, cl)
	if got.Seq <= from || g.events[0].Seq != from+1 {
		t.Errorf("resumed after %d with %d", from, g.events[0].Seq)
	}
	var code *media.Error
	if _, err := w.e.Events(bg, 1<<40); !errors.As(err, &code) || code.Code != media.CodeGap {
		t.Errorf("a number of the future: %v", err)
	}
}

func storyErrors(t *testing.T, w *world) {
	for want, err := range map[string]error{
		media.CodeNoLeg:   w.e.Answer(bg, "nobody"),
		media.CodeNoRoom:  w.e.Record(bg, "nowhere", media.RecordPolicy{Rec: "x"}),
		media.CodeNoRec:   w.e.Pause(bg, "nothing", true),
		media.CodeNoPhone: w.e.Dial(bg, media.Spec{Leg: "p", To: media.Target{Kind: media.ToPhone, Value: "nobody"}}),
		media.CodeNoTrunk: w.e.Dial(bg, media.Spec{Leg: "q", To: media.Target{Kind: media.ToTrunk, Value: "1", Trunk: "nobody"}}),
	} {
		var e *media.Error
		if !errors.As(err, &e) || e.Code != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	w.check(w.e.Hangup(bg, "nobody", 16))
	w.check(w.e.Leave(bg, "nowhere", "nobody"))
	_, cl := w.incoming("13800000008", callerHz)
	w.check(w.e.Answer(bg, cl))
	w.check(w.e.Mix(bg, "r", cl))
	w.check(w.e.Join(bg, "r", cl))
	w.check(w.e.Mix(bg, "r", cl))
	var e *media.Error
	if err := w.e.Play(bg, cl, []media.Clip{{Name: "unheard of"}}, media.PlayOpts{}); !errors.As(err, &e) || e.Code != media.CodeClip {
		t.Errorf("unknown clip: %v", err)
	}
	w.check(w.e.Hangup(bg, cl, 16))
	w.check(w.e.Hangup(bg, cl, 16))
	w.f.kind(media.Ended, cl)
	w.empty()
}
