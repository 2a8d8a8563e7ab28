package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	pion "github.com/pion/webrtc/v4"

	"hotline/internal/app"
	"hotline/internal/seal"
	"hotline/internal/voice/media/engine"
	"hotline/internal/voice/media/rtp"
)

// ringing is a demonstration with an exchange in the same process.
type ringing struct {
	t     *testing.T
	a     *app.App
	f     *Face
	site  *httptest.Server
	token string
	ws    *websocket.Conn
	heard atomic.Int64 // packets that reached the seat
	ids   int
	told  []push // not waited for yet
	mu    sync.Mutex
	loud  bool // the seat heard more than silence
}

func newRinging(t *testing.T) *ringing {
	t.Helper()
	dir := t.TempDir()
	keys, err := seal.OpenFileProvider(dir, "sm")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(engine.Config{Data: dir, SIP: "127.0.0.1:0", Web: "127.0.0.1:0", Low: 15950, High: 15999, Ring: seal.NewRing(keys)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	a, err := app.Open(t.Context(), app.Config{Data: dir, Demo: true, Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	f := New(a)
	r := &ringing{t: t, a: a, f: f, site: httptest.NewServer(a.Serve(f))}
	t.Cleanup(r.site.Close)
	if err := Seed(t.Context(), a, Options{Cities: []string{"421200"}, Tickets: 20, Days: 5, Whole: true}); err != nil {
		t.Fatal(err)
	}
	a.SetReady(true, "")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { a.Run(ctx); close(done) }()
	t.Cleanup(func() { f.Close(); cancel(); <-done })
	linked(t, a)
	s, err := a.Access.Enter(t.Context(), "agent.421200", "127.0.0.1", "test")
	if err != nil {
		t.Fatal(err)
	}
	r.token = s.Token
	return r
}

// linked waits until the exchange has the engine's socket: Run opens it in the background.
func linked(t *testing.T, a *app.App) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, ok := a.Voice.Linked(); ok {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the exchange was not linked within 30 s")
		}
	}
}

func (r *ringing) http(method, path string, body, into any) int {
	r.t.Helper()
	raw, _ := json.Marshal(body)
	q, _ := http.NewRequest(method, r.site.URL+path, bytes.NewReader(raw))
	q.Header.Set("Authorization", "Bearer "+r.token)
	q.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	out, _ := io.ReadAll(res.Body)
	if w, ok := into.(*[]byte); ok {
		*w = out
	} else if err := json.Unmarshal(out, into); err != nil && into != nil {
		r.t.Fatalf("%s %s: %d %s", method, path, res.StatusCode, out)
	}
	return res.StatusCode
}

// push is what the seat's page is told, a reply included.
type push struct {
	Type, State, Phase, Code, Text, SDP, Number, Line, Result string
	Call                                                      string
	ID, Answered, Open                                        int64
	OK, Up                                                    bool
}

// until reads what the page is told until want.
func (r *ringing) until(what string, want func(push) bool) push {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	for i, p := range r.told {
		if want(p) {
			r.told = r.told[i+1:]
			return p
		}
	}
	for {
		_, raw, err := r.ws.Read(ctx)
		if err != nil {
			r.t.Fatalf("waiting for %s: %v; told %+v", what, err, r.told)
		}
		var p push
		if err := json.Unmarshal(raw, &p); err != nil {
			r.t.Fatalf("%s: %v", raw, err)
		}
		if want(p) {
			return p
		}
		r.told = append(r.told, p)
	}
}

func (r *ringing) command(name string, fields map[string]any) push {
	r.t.Helper()
	r.ids++
	m := map[string]any{"id": r.ids, "cmd": name}
	for k, v := range fields {
		m[k] = v
	}
	raw, _ := json.Marshal(m)
	if err := r.ws.Write(r.t.Context(), websocket.MessageText, raw); err != nil {
		r.t.Fatal(err)
	}
	p := r.until("the reply to "+name, func(p push) bool { return p.Type == "reply" && p.ID == int64(r.ids) })
	if !p.OK {
		r.t.Fatalf("%s: %s %s", name, p.Code, p.Text)
	}
	return p
}

// sit opens the page of the seat: it speaks a tone and counts what it hears.
func (r *ringing) sit() {
	r.t.Helper()
	var err error
	r.ws, _, err = websocket.Dial(r.t.Context(), "ws"+strings.TrimPrefix(r.site.URL, "http")+"/seat/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + r.token}}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { r.ws.CloseNow() })
	pc, err := pion.NewPeerConnection(pion.Configuration{})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { pc.Close() })
	track, _ := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMA, ClockRate: 8000}, "mic", "mic")
	if _, err := pc.AddTrack(track); err != nil {
		r.t.Fatal(err)
	}
	pc.OnTrack(func(tr *pion.TrackRemote, _ *pion.RTPReceiver) {
		for {
			p, _, err := tr.ReadRTP()
			if err != nil {
				return
			}
			r.heard.Add(1)
			if audible(p.Payload) {
				r.mu.Lock()
				r.loud = true
				r.mu.Unlock()
			}
		}
	})
	pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
		if s == pion.PeerConnectionStateConnected {
			go hum(r.t.Context(), track)
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		r.t.Fatal(err)
	}
	<-gathered
	answer := r.command("offer", map[string]any{"sdp": pc.LocalDescription().SDP})
	if err := pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: answer.SDP}); err != nil {
		r.t.Fatal(err)
	}
	r.until("the voice path", func(p push) bool { return p.Type == "state" && p.Up })
	r.command("ready", nil)
}

// hum speaks a tone of 1 kHz.
func hum(ctx context.Context, track *pion.TrackLocalStaticRTP) {
	var sender rtp.Sender
	sender.Begin(rtp.PCMA, func(b []byte) { _, _ = track.Write(b) })
	var f [rtp.FrameSize]byte
	for i := range f {
		f[i] = rtp.ALaw(int16(5000 * math.Sin(2*math.Pi*float64(i)/8)))
	}
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			sender.Speak(now.UnixNano(), track, &f)
		}
	}
}

// 来一个电话: the caller rings the visitor's own seat, both hear each other, and record
// and recording are whole and can be played.
func TestScenarioRingsTheVisitorsSeat(t *testing.T) {
	r := newRinging(t)
	var list struct {
		Items []struct {
			Name, Title, Number, Line string
			Lines                     []struct{ From, To int }
		}
	}
	if code := r.http("GET", "/api/v1/demo/scenarios", nil, &list); code != 200 || len(list.Items) != 14 {
		t.Fatalf("scenarios: %d, %d of them", code, len(list.Items))
	}
	var refused struct{ Code string }
	if code := r.http("POST", "/api/v1/demo/call", map[string]string{"scenario": "noise"}, &refused); code != 409 || refused.Code != "seat_absent" {
		t.Fatalf("without a seat: %d %s", code, refused.Code)
	}
	r.sit()
	names := []string{"repeat", "social"}
	if testing.Short() {
		names = names[:1]
	}
	for _, name := range names {
		r.serve(name)
	}
}

// serve takes one call of a scenario from ringing to its record.
func (r *ringing) serve(name string) {
	t := r.t
	t.Helper()
	r.mu.Lock()
	r.loud = false
	r.mu.Unlock()
	var made struct {
		Call     string
		Scenario struct {
			Number, Line string
			Lines        []struct{ From, To int }
		}
	}
	if code := r.http("POST", "/api/v1/demo/call", map[string]string{"scenario": name}, &made); code != 200 || made.Call == "" {
		t.Fatalf("%s: %d %+v", name, code, made)
	}
	var refused struct{ Code string }
	if code := r.http("POST", "/api/v1/demo/call", map[string]string{"scenario": name}, &refused); code != 409 {
		t.Fatalf("a second call: %d %s", code, refused.Code)
	}
	rings := r.until("ringing", func(p push) bool { return p.Type == "ringing" })
	if rings.Call != made.Call || rings.Line != made.Scenario.Line || name == "repeat" && rings.Open == 0 {
		t.Fatalf("%s rings %+v, made %+v", name, rings, made)
	}
	r.f.mu.Lock()
	var l *phoneCall
	r.f.phones.set.mu.Lock()
	for _, x := range r.f.phones.set.lines {
		l = x
	}
	r.f.phones.set.mu.Unlock()
	r.f.mu.Unlock()
	before, seat := l.heard.Load(), r.heard.Load()
	r.command("answer", map[string]any{"call": made.Call})
	time.Sleep(time.Duration(made.Scenario.Lines[0].From+1500) * time.Millisecond)
	if n := l.heard.Load() - before; n < 150 {
		t.Errorf("%s: the caller heard %d packets", name, n)
	}
	if n := r.heard.Load() - seat; n < 150 {
		t.Errorf("%s: the seat heard %d packets", name, n)
	}
	r.mu.Lock()
	if !r.loud {
		t.Errorf("%s: the caller said nothing", name)
	}
	r.mu.Unlock()
	r.command("hangup", nil)
	select { // the verdict is asked for first; then the platform hangs up
	case <-l.gone:
	case <-time.After(2 * time.Second):
		_ = l.call.Hangup(16)
		<-l.gone
	}
	r.until("the end", func(p push) bool { return p.Type == "done" })
	r.command("ready", nil)
	var row struct {
		Result, Line, Seat string
		Recordings         []struct {
			Rec   string
			Ready bool
		}
	}
	for range 50 {
		r.http("GET", "/api/v1/calls/"+made.Call, nil, &row)
		if row.Result != "" && len(row.Recordings) > 0 && row.Recordings[0].Ready {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if row.Result != "answered" || len(row.Recordings) != 1 || !row.Recordings[0].Ready {
		t.Fatalf("%s: the record is %+v", name, row)
	}
	lead, err := r.a.Access.Enter(t.Context(), "shift_lead.421200", "127.0.0.1", "test")
	if err != nil {
		t.Fatal(err)
	}
	own := r.token
	r.token = lead.Token
	var wav []byte
	code := r.http("GET", fmt.Sprintf("/api/v1/calls/%s/recording?rec=%s", made.Call, row.Recordings[0].Rec), nil, &wav)
	r.token = own
	if code != 200 || !bytes.HasPrefix(wav, []byte("RIFF")) || len(wav) < 5*8000 || !audible(wav[100:]) {
		t.Fatalf("%s: the recording: %d, %d bytes", name, code, len(wav))
	}
	t.Logf("%s: caller heard %d and said %d packets, recording %d bytes", name, l.heard.Load(), l.said.Load(), len(wav))
}

// An exchange that listens everywhere is reached on this machine.
func TestCallersReachAnExchangeThatListensEverywhere(t *testing.T) {
	for listens, want := range map[string]string{"[::]:5060": "127.0.0.1:5060", "0.0.0.0:5060": "127.0.0.1:5060", "10.0.0.7:5060": "10.0.0.7:5060", "127.0.0.1:5061": "127.0.0.1:5061"} {
		if got := nearby(listens); got != want {
			t.Errorf("%s is called at %s", listens, got)
		}
	}
}
