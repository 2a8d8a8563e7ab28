package seat

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/dispatch"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/insight"
	"hotline/internal/intake"
	"hotline/internal/job"
	"hotline/internal/line"
	"hotline/internal/notify"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
	"hotline/internal/ticket"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/flow"
	"hotline/internal/workforce"
	"hotline/test/fake"
)

type told struct {
	flow.Message
	ID   int64  `json:"id"`
	OK   bool   `json:"ok"`
	SDP  string `json:"sdp"`
	Wall *struct {
		Waiting []any          `json:"waiting"`
		States  map[string]int `json:"states"`
	} `json:"wall"`
}

type page struct {
	t  *testing.T
	ws *websocket.Conn
	n  int64
}

func (p *page) next(typ string) told {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		_, b, err := p.ws.Read(ctx)
		if err != nil {
			p.t.Fatalf("waiting for %q: %v", typ, err)
		}
		var m told
		if err := json.Unmarshal(b, &m); err != nil {
			p.t.Fatal(err)
		}
		if m.Type == typ {
			return m
		}
	}
}

func (p *page) ask(c Command) told {
	p.t.Helper()
	p.n++
	c.ID = p.n
	b, _ := json.Marshal(c)
	if err := p.ws.Write(context.Background(), websocket.MessageText, b); err != nil {
		p.t.Fatal(err)
	}
	for {
		if m := p.next("reply"); m.ID == p.n {
			return m
		}
	}
}

func schemas() []db.Schema {
	out := []db.Schema{eventlog.Schema("event"), job.Schema(), policy.Schema(), org.Schema()}
	out = append(out, audit.Schemas()...)
	out = append(out, insight.Schemas()...)
	return append(out, access.Schema(), ticket.Schema(), intake.Schema(), notify.Schema(), workforce.Schema(), cdr.Schema())
}

// The page of a seat over a real socket: login, voice, ringing, answer, wall,
// and the end of the session.
func TestSeatOverASocket(t *testing.T) {
	ctx := context.Background()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	clk := clock.System()
	d, err := db.Open(ctx, db.Config{URL: t.TempDir() + "/x.db", Clock: clk, Node: 1})
	ok(err)
	defer d.Close()
	ok(d.Migrate(ctx, schemas()...))
	keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
	ok(err)
	ring, log, al, p := seal.NewRing(keys), eventlog.New(d, "event"), audit.New(d), policy.New(d)
	ticket.RegisterPolicies(p)
	notify.RegisterPolicies(p)
	line.RegisterPolicies(p)
	flow.RegisterPolicies(p)
	o := org.New(d, log)
	dispatch.RegisterPolicies(p, o, clk)
	acc := access.New(d, o, p, al, clk, access.WithRing(ring), access.Demo())
	ok(p.Load(ctx))
	ok(o.Load(ctx))
	ok(o.CreateAll(ctx, org.By{}, []org.NewUnit{{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"}}))
	tk := ticket.New(ticket.Deps{DB: d, Log: log, Audit: al, Ring: ring, Org: o, Policy: p})
	e := fake.NewExchange(func() int64 { return clock.Millis(clk.Now()) })
	x := flow.New(flow.Deps{DB: d, CDR: cdr.New(d, log, ring, o, tk), Engine: e, Lines: line.New(p), Org: o, Access: acc, Audit: al, Policy: p, Ticket: tk, Intake: intake.New(tk, o, insight.New(tk.Categories), dispatch.New(o, p)),
		Notify: notify.New(d, ring, tk, o, p, nil), Staff: workforce.New(d, log, o, ring)})
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { _ = x.Run(run); close(done) }()
	defer func() { stop(); <-done }()
	for _, linked := x.Linked(); !linked; _, linked = x.Linked() {
		time.Sleep(time.Millisecond)
	}
	who := access.Actor{Account: 42, Username: "wang", Name: "王芳", Role: access.ShiftLead, Unit: o.Tree().Province().ID}
	h := &Handler{Clock: clk, Exchange: func(access.Actor) Exchange { return Own(x) }, Login: func(_ context.Context, r *http.Request, _ bool) (access.Actor, error) {
		if r.Header.Get("Authorization") == "" {
			return access.Actor{}, fault.Unauthenticated("login_required", "请先登录。")
		}
		a := who
		if r.Header.Get("Authorization") == "Bearer auditor" {
			a.Role, a.Account = access.Auditor, 43
		}
		return a, nil
	}}
	s := httptest.NewServer(h)
	defer s.Close()
	open := func(token string) *page {
		t.Helper()
		head := http.Header{}
		if token != "" {
			head.Set("Authorization", "Bearer "+token)
		}
		ws, _, err := websocket.Dial(ctx, strings.Replace(s.URL, "http", "ws", 1), &websocket.DialOptions{HTTPHeader: head})
		ok(err)
		t.Cleanup(func() { _ = ws.CloseNow() })
		return &page{t: t, ws: ws}
	}
	for token, want := range map[string]websocket.StatusCode{"": closeLogin, "auditor": closeRole} {
		_, _, err := open(token).ws.Read(ctx)
		if got := websocket.CloseStatus(err); got != want {
			t.Errorf("with token %q closed by %d, want %d", token, got, want)
		}
	}
	if _, r, err := websocket.Dial(ctx, strings.Replace(s.URL, "http", "ws", 1), &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}, "Authorization": {"Bearer x"}}}); err == nil || r.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another site came in: %v", err)
	}

	me := open("x")
	if hello := me.next("hello"); hello.No == "" || hello.Name != "王芳" || hello.Up {
		t.Fatalf("hello %+v", hello)
	}
	if r := me.ask(Command{Cmd: "ready"}); r.OK || r.Code != "no_voice" {
		t.Errorf("ready without a voice path: %+v", r)
	}
	if r := me.ask(Command{Cmd: "dance"}); r.OK || r.Code != "command_unknown" {
		t.Errorf("unknown: %+v", r)
	}
	if r := me.ask(Command{Cmd: "offer", SDP: "v=0"}); !r.OK || r.SDP != "answer to v=0" {
		t.Fatalf("offer: %+v", r)
	}
	for m := me.next("state"); !m.Up; m = me.next("state") {
	}
	if r := me.ask(Command{Cmd: "wall", On: true}); !r.OK {
		t.Fatalf("wall: %+v", r)
	}
	if r := me.ask(Command{Cmd: "ready"}); !r.OK {
		t.Fatalf("ready: %+v", r)
	}
	began := time.Now()
	e.Call("12345", "13871234567")
	ringing := me.next("ringing")
	if ringing.Number != "138****4567" || ringing.Why == "" {
		t.Errorf("ringing %+v", ringing)
	}
	if r := me.ask(Command{Cmd: "answer", Call: ringing.Call}); !r.OK {
		t.Fatalf("answer: %+v", r)
	}
	for m := me.next("wall"); m.Wall.States["talking"] != 1; m = me.next("wall") {
		if time.Since(began) > 8*time.Second {
			t.Fatal("the wall does not show the talk")
		}
	}
	if r := me.ask(Command{Cmd: "hangup"}); !r.OK {
		t.Fatalf("hangup: %+v", r)
	}
	if again := open("x"); again.next("hello").State == "off" {
		t.Error("a second page finds no seat")
	}
}

func FuzzCommand(f *testing.F) {
	f.Add([]byte(`{"id":1,"cmd":"answer","call":"12"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c Command
		if json.Unmarshal(b, &c) == nil {
			if _, err := json.Marshal(c); err != nil {
				t.Fatal(err)
			}
		}
	})
}
