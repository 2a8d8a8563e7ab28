package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/ticket"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/cti"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/record"
	"hotline/internal/voice/seat"
	"hotline/test/fake"
	"hotline/test/fake/callcentre"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// centre is a platform of the suite: 武汉 has our own exchange, 宜昌 keeps the
// call centre that it has.
type centre struct {
	*testing.T
	a       *App
	own     *fake.Exchange
	foreign *callcentre.Switch
	people  map[string]access.Actor
	ahead   atomic.Int64 // ns that the platform's clock is ahead
}

// Now is the moment on the platform's clock.
func (c *centre) Now() time.Time { return clock.System().Now().Add(time.Duration(c.ahead.Load())) }

// early is the system's clock, set ahead.
type early struct {
	clock.Clock
	c *centre
}

func (e early) Now() time.Time { return e.c.Now() }

// page is a person at a seat, and what it was told.
type page struct {
	seat.Desk
	t    *testing.T
	mu   sync.Mutex
	told []flow.Message
}

func (c *centre) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func newCentre(t *testing.T) *centre {
	c := &centre{T: t, people: map[string]access.Actor{}}
	dir, ctx := t.TempDir(), context.Background()
	var err error
	c.foreign, err = callcentre.New(secret, func() int64 { return clock.Millis(clock.System().Now()) })
	c.must(err)
	t.Cleanup(c.foreign.Close)
	c.must(os.MkdirAll(filepath.Join(dir, "voice", "cti"), 0o700))
	conf, _ := json.Marshal(cti.Config{Title: "宜昌话务平台", Platform: "P420500", URL: c.foreign.URL, Secret: secret})
	c.must(os.WriteFile(filepath.Join(dir, "voice", "cti", "yichang.json"), conf, 0o600))
	c.own = fake.NewExchange(func() int64 { return clock.Millis(clock.System().Now()) })
	c.a, err = Open(ctx, Config{Data: dir, Engine: c.own, Clock: early{clock.System(), c}})
	c.must(err)
	c.must(c.a.Org.CreateAll(ctx, org.By{}, []org.NewUnit{{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"},
		{Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"}, {Code: "P420500", Name: "宜昌市12345平台", Kind: org.KindCity, Region: "420500", ParentCode: "P420000"}}))
	for name, unit := range map[string]string{"wuhan": "P420100", "yichang": "P420500", "lead": "P420500"} {
		u, _ := c.a.Org.Tree().ByCode(unit)
		role := access.Agent
		if name == "lead" {
			role = access.ShiftLead
		}
		acct, err := c.a.Access.CreateAccount(ctx, access.System("test"), access.NewAccount{Username: "acct." + name, Name: name, Role: role, Unit: u.ID})
		c.must(err)
		c.people[name] = access.Actor{Account: acct.ID, Username: acct.Username, Name: name, Role: role, Unit: u.ID, Platform: u.ID}
	}
	s := httptest.NewServer(c.a.Serve(nil))
	c.foreign.To = s.URL + "/api/v1/cti/yichang/events"
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { c.a.Run(run); close(done) }()
	c.a.SetReady(true, "")
	t.Cleanup(func() { s.Close(); stop(); <-done; c.a.Close() })
	c.eventually("the exchange is linked", func() bool { _, ok := c.a.Voice.Linked(); return ok })
	return c
}

func (c *centre) eventually(what string, ok func() bool) {
	c.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	c.Fatal("never: " + what)
}

func (c *centre) sit(name string) *page {
	c.Helper()
	p := &page{t: c.T}
	d, err := c.a.exchangeOf(c.people[name]).Open(context.Background(), c.people[name], func(m flow.Message) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.told = append(p.told, m)
	})
	c.must(err)
	p.Desk = d
	return p
}

// last waits for the newest message of a kind for which ok holds.
func (p *page) last(kind string, ok func(flow.Message) bool) (m flow.Message) {
	p.t.Helper()
	for range 2000 {
		p.mu.Lock()
		for _, t := range slices.Backward(p.told) {
			if t.Type == kind {
				if m = t; ok(m) {
					p.mu.Unlock()
					return m
				}
				break
			}
		}
		p.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatalf("never %s: %+v", kind, m)
	return m
}

func anything(flow.Message) bool { return true }

func (p *page) do(cmd string, fill ...func(*seat.Command)) error {
	in := &seat.Command{Cmd: cmd}
	for _, f := range fill {
		f(in)
	}
	_, err := p.Do(context.Background(), in)
	return err
}

func on(c *seat.Command) { c.On = true }

// carrier is one way of carrying calls, for the suite that all must pass.
type carrier struct {
	name, person string
	begin        func(c *centre, p *page)              // the seat's voice is there
	call         func(c *centre, number string) string // a citizen dials 12345
	hangUp       func(c *centre, ref string)
	settle       func(c *centre) // what happened is told
}

var carriers = []carrier{
	{"own", "wuhan", func(c *centre, p *page) {
		c.own.SeatUp(media.Seat(fmt.Sprint(c.people["wuhan"].Account)))
		p.last("state", func(m flow.Message) bool { return m.Up })
	}, func(c *centre, number string) string {
		leg := string(c.own.CallWith("02712345", number, nil))
		return leg
	}, func(c *centre, ref string) { c.own.HangUp(media.Leg(ref)) }, func(*centre) {}},
	{"foreign", "yichang", func(c *centre, p *page) {
		c.foreign.SignOn(p.last("hello", anything).No)
		c.must(c.foreign.Deliver())
		p.last("state", func(m flow.Message) bool { return m.Up })
	}, func(c *centre, number string) string { return c.foreign.Call("12345", number) }, func(c *centre, ref string) { c.foreign.HangUp(ref) }, func(c *centre) { c.must(c.foreign.Deliver()) }},
}

// What a seat meets is the same, whoever carries its calls.
func TestConformanceOfExchanges(t *testing.T) {
	for _, k := range carriers {
		t.Run(k.name, func(t *testing.T) {
			c := newCentre(t)
			ctx := context.Background()
			p := c.sit(k.person)
			hello := p.last("hello", anything)
			if hello.No == "" || hello.Name != k.person {
				t.Fatalf("hello %+v", hello)
			}
			if err := p.do("hold", on); !fault.Is(err, "no_call") {
				t.Errorf("hold without a call: %v", err)
			}
			if err := p.do("dance"); !fault.Is(err, "command_unknown") {
				t.Errorf("unknown: %v", err)
			}
			k.begin(c, p)
			c.must(p.do("ready"))
			k.settle(c)
			p.last("state", func(m flow.Message) bool { return m.State == "ready" })

			ref := k.call(c, "13871234567")
			k.settle(c)
			ringing := p.last("ringing", anything)
			if ringing.Number != "138****4567" || ringing.Why == "" || ringing.Line != "12345" || ringing.Calls != 1 && k.name == "foreign" {
				t.Errorf("ringing %+v", ringing)
			}
			c.must(p.do("answer", func(in *seat.Command) { in.Call = ringing.Call }))
			k.settle(c)
			up := p.last("call", func(m flow.Message) bool { return m.Phase == "talk" })
			if up.Draft == "" || up.Call != ringing.Call {
				t.Errorf("call %+v", up)
			}
			if m := p.last("caller", anything); m.Number != "13871234567" || m.Call != up.Call {
				t.Errorf("the number: %+v", m)
			}
			c.eventually("the draft", func() bool {
				list, err := c.a.Intake.Drafts(ctx, c.people[k.person].Account)
				return err == nil && len(list) == 1 && list[0].ID == up.Draft
			})
			c.must(p.do("hold", on))
			k.settle(c)
			p.last("call", func(m flow.Message) bool { return m.Held })
			c.must(p.do("hold"))
			k.settle(c)
			p.last("call", func(m flow.Message) bool { return !m.Held })
			k.hangUp(c, ref)
			k.settle(c)
			if done := p.last("done", anything); done.Call != up.Call || done.Result != cdr.Answered {
				t.Errorf("done %+v", done)
			}
			rec := c.record(up.Call, func(r *cdr.Call) bool { return r.EndedAt > 0 })
			if rec.Result != cdr.Answered || rec.Seat != c.people[k.person].Account || rec.AnsweredAt == 0 || rec.By != "caller" || rec.Platform != c.people[k.person].Unit {
				t.Errorf("record %+v", rec)
			}
			wall, err := c.a.exchangeOf(c.people[k.person]).Wall(ctx, c.people[k.person])
			c.must(err)
			if len(wall.Seats) != 1 || wall.Seats[0].No != hello.No || len(wall.Talking) != 0 || !wall.Linked {
				t.Errorf("wall %+v", wall)
			}
			c.eventually("the figures", func() bool {
				f, err := c.a.CDR.Today(ctx, c.people[k.person].Unit)
				return err == nil && f.Answered == 1
			})
			if err := p.do("wrapup"); err != nil {
				t.Error(err)
			}
			k.settle(c)
			p.last("state", func(m flow.Message) bool { return m.State == "ready" })

			// Nobody is ready: whoever gives up is owed a call.
			c.must(p.do("break"))
			k.settle(c)
			ref = k.call(c, "13907170002")
			k.settle(c)
			c.eventually("one waits", func() bool {
				n, since := c.a.exchangeOf(c.people[k.person]).Queueing(c.people[k.person])
				return n == 1 && since > 0
			})
			time.Sleep(5100 * time.Millisecond) // longer than 短放弃
			k.hangUp(c, ref)
			k.settle(c)
			c.eventually("the call-back", func() bool {
				open, err := callbacks(c.a)
				return err == nil && len(open) == 1 && open[0].Kind == "missed"
			})
		})
	}
}

func callbacks(a *App) (open []cdr.Callback, err error) {
	err = a.DB.View(context.Background(), func(tx *db.Tx) error {
		own, err := a.CDR.OpenCallbacks(tx, "")
		if err != nil {
			return err
		}
		open, err = a.CDR.OpenCallbacks(tx, cdr.Foreign+"yichang")
		open = append(open, own...)
		return err
	})
	return open, err
}

func (c *centre) record(call int64, ok func(*cdr.Call) bool) (r *cdr.Call) {
	c.Helper()
	c.eventually("the record", func() bool {
		err := c.a.DB.View(context.Background(), func(tx *db.Tx) (err error) { r, err = c.a.CDR.Peek(tx, call); return err })
		return err == nil && ok(r)
	})
	return r
}

// talkAt brings a call of the foreign centre to a person who is ready.
func (c *centre) talkAt(p *page, number string) (ref string, call int64) {
	c.Helper()
	c.must(p.do("ready"))
	c.must(c.foreign.Deliver())
	ref = c.foreign.Call("12345", number)
	c.must(c.foreign.Deliver())
	ringing := p.last("ringing", func(m flow.Message) bool { return m.Number[7:] == number[7:] })
	c.must(p.do("answer", func(in *seat.Command) { in.Call = ringing.Call }))
	c.must(c.foreign.Deliver())
	p.last("call", func(m flow.Message) bool { return m.Call == ringing.Call && m.Phase == "talk" })
	return ref, ringing.Call
}

// What a foreign call centre tells has its effect once, whatever is repeated,
// lost or forgotten on the way.
func TestForeignCentreIsTakenOnce(t *testing.T) {
	c := newCentre(t)
	ctx := context.Background()
	p := c.sit("yichang")
	carriers[1].begin(c, p)
	_, call := c.talkAt(p, "13871234567")

	events := func() (n int64) {
		c.must(c.a.DB.View(ctx, func(tx *db.Tx) (err error) {
			n, err = db.Int(tx, `SELECT count(*) FROM event WHERE subject_kind = 'call' AND subject_id = $1`, call)
			return err
		}))
		return n
	}
	before := events()
	at := c.foreign.Number()
	old := cti.Event{Seq: at, Call: &cti.Call{Ref: "c1@switch", Direction: "in", DNIS: "12345", Phase: cti.Ended, Began: 1, Ended: 2}}
	if status, next, err := c.foreign.Post(cti.Batch{Events: []cti.Event{old}}); err != nil || status != http.StatusOK || next != at+1 {
		t.Errorf("a repeated event: %d, next %d, %v", status, next, err)
	}
	old.Seq = at + 5
	if status, next, _ := c.foreign.Post(cti.Batch{Events: []cti.Event{old}}); status != http.StatusConflict || next != at+1 {
		t.Errorf("a gap: %d, next %d", status, next)
	}
	for name, e := range map[string]cti.Event{"no ref": {Seq: at + 1, Call: &cti.Call{Direction: "in", Phase: cti.Queued, Began: 1}}, "neither": {Seq: at + 1}, "future": {Seq: at + 1, Agent: &cti.Agent{No: "1001", State: "ready", Since: 1 << 50}},
		"state": {Seq: at + 1, Agent: &cti.Agent{No: "1001", State: "asleep"}}, "times": {Seq: at + 1, Call: &cti.Call{Ref: "x", Direction: "in", Phase: cti.Queued, Began: 10, Queued: 5}}} {
		if status, _, _ := c.foreign.Post(cti.Batch{Events: []cti.Event{e}}); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, status)
		}
	}
	if events() != before {
		t.Error("what was refused left something behind")
	}
	// The bridge is started anew, and the call ended meanwhile.
	c.foreign.HangUp("c1@switch")
	c.foreign.Forget()
	c.foreign.SignOn("7777")
	c.must(c.foreign.Deliver())
	p.last("done", func(m flow.Message) bool { return m.Call == call })
	if r := c.record(call, func(r *cdr.Call) bool { return r.EndedAt > 0 }); r.Result != cdr.Answered {
		t.Errorf("ended while nobody looked: %+v", r)
	}
	// A call that is in no snapshot broke off.
	_, lost := c.talkAt(p, "13907170001")
	if status, _, err := c.foreign.Post(cti.Batch{Snapshot: &cti.Snapshot{Seq: c.foreign.Number()}}); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	if r := c.record(lost, func(r *cdr.Call) bool { return r.EndedAt > 0 }); r.Result != cdr.Answered || !slices.Contains(r.Flags, "adopted") {
		t.Errorf("lost: %+v", r)
	}
}

// Deliveries and commands are signed as Standard Webhooks says.
func TestForeignCentreSignature(t *testing.T) {
	w, err := webhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	// The example of the specification.
	if got, _ := w.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signature %s", got)
	}
	c := newCentre(t)
	for name, head := range map[string]map[string]string{"none": {}, "wrong": {webhooks.HeaderWebhookID: "x", webhooks.HeaderWebhookTimestamp: fmt.Sprint(time.Now().Unix()), webhooks.HeaderWebhookSignature: "v1,AAAA"}} {
		for _, to := range []string{c.foreign.To, strings.Replace(c.foreign.To, "yichang", "nowhere", 1)} {
			r, _ := http.NewRequest(http.MethodPost, to, strings.NewReader(`{"events":[]}`))
			r.Header.Set("Content-Type", "application/json")
			for k, v := range head {
				r.Header.Set(k, v)
			}
			resp, err := http.DefaultClient.Do(r)
			c.must(err)
			if resp.Body.Close(); resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s at %s: %d", name, to, resp.StatusCode)
			}
		}
	}
}

// What only a foreign centre has: its refusals, transfers, verdicts, recordings,
// call-backs, and its absence.
func TestForeignCentreAround(t *testing.T) {
	c := newCentre(t)
	ctx := context.Background()
	p, lead := c.sit("yichang"), c.sit("lead")
	carriers[1].begin(c, p)
	ref, call := c.talkAt(p, "13871234567")

	c.foreign.Refuse("mute", "话机不支持静音。")
	if err := p.do("mute", on); !fault.Is(err, "cti_refused") || !strings.Contains(err.Error(), "话机不支持静音") {
		t.Errorf("refused: %v", err)
	}
	c.foreign.Refuse("mute", "")
	c.must(p.do("mute", on))
	c.must(c.foreign.Deliver())
	p.last("call", func(m flow.Message) bool { return m.Muted })
	for _, cmd := range []string{"offer", "silent", "warn"} {
		if err := p.do(cmd); !fault.Is(err, "cti_unable") {
			t.Errorf("%s: %v", cmd, err)
		}
	}
	listen := func(in *seat.Command) { in.Call, in.Mode = call, flow.Listen }
	if err := p.do("watch", listen); !fault.Is(err, "role_forbidden") {
		t.Errorf("an agent listens: %v", err)
	}
	c.must(lead.do("watch", listen))
	if got := c.foreign.Asked(); got.Verb != "listen" || got.Call != ref {
		t.Errorf("asked %+v", got)
	}
	lead.last("watch", func(m flow.Message) bool { return m.Call == call && m.Code == flow.Listen })
	c.must(p.do("transfer", func(in *seat.Command) { in.Target = "120" }))
	c.must(c.foreign.Deliver())
	p.last("call", func(m flow.Message) bool { return m.Hand != nil && m.Hand.State == "consulting" })
	c.must(p.do("cancel"))
	c.must(c.foreign.Deliver())
	p.last("call", func(m flow.Message) bool { return m.Hand == nil })

	wav := record.WAVHeader(2, 16000)
	for range 8000 {
		wav = append(wav, 0x11, 0x22) // left, right
	}
	c.foreign.Sound(ref, wav)
	c.must(p.do("survey"))
	c.must(c.foreign.Deliver())
	p.last("done", func(m flow.Message) bool { return m.Call == call })
	lead.last("watch", func(m flow.Message) bool { return m.Call == call && m.Code == "stop" })
	c.foreign.Verdict(ref, 5)
	c.must(c.foreign.Deliver())
	if r := c.record(call, func(r *cdr.Call) bool { return r.Survey > 0 }); r.Survey != 5 || r.Solved != "yes" {
		t.Errorf("verdict: %+v", r)
	}
	var sound io.ReadSeekCloser
	c.eventually("the recording", func() (ok bool) {
		var n int64
		c.must(c.a.DB.View(ctx, func(tx *db.Tx) (err error) {
			n, err = db.Int(tx, `SELECT count(*) FROM voice_recording WHERE call_id = $1 AND state = 'ready' AND ms = 1000`, call)
			return err
		}))
		if n == 1 {
			var err error
			sound, err = c.a.openRecording(fmt.Sprintf("%d-cti", call))
			c.must(err)
		}
		return n == 1
	})
	defer sound.Close()
	b, err := io.ReadAll(sound)
	c.must(err)
	if tail := b[len(b)-16000:]; tail[0] != 0x11 || tail[1] != 0x22 || tail[15998] != 0x11 {
		t.Errorf("the sound is % x", tail[:8])
	}

	// A caller who gave up is called back by the call centre.
	c.must(p.do("break"))
	missed := c.foreign.Call("12345", "13907170002")
	c.must(c.foreign.Deliver())
	time.Sleep(5100 * time.Millisecond)
	c.must(p.do("ready")) // rings, but the citizen has had enough
	c.foreign.HangUp(missed)
	c.must(p.do("ready"))
	c.must(c.foreign.Deliver())
	c.eventually("the call-back is asked for", func() bool { return c.foreign.Asked().Verb == "callback" })
	if got := c.foreign.Asked(); got.Number != "13907170002" {
		t.Errorf("asked %+v", got)
	}
	c.foreign.Pick(c.foreign.Open())
	c.must(c.foreign.Deliver())
	back := p.last("call", func(m flow.Message) bool { return m.Direction == "out" && m.Phase == "talk" })
	if !back.Callback {
		t.Errorf("call-back %+v", back)
	}
	c.eventually("nothing is owed", func() bool { open, err := callbacks(c.a); return err == nil && len(open) == 0 })

	c.foreign.Close()
	if err := p.do("hangup"); !fault.Is(err, "cti_away") {
		t.Errorf("away: %v", err)
	}
}

// A caller whom the call centre did not call back in time is not forgotten: a
// ticket asks a person to do it.
func TestForeignCentreDoesNotCallBack(t *testing.T) {
	c := newCentre(t)
	c.foreign.Refuse("callback", "外呼线路全忙。")
	c.foreign.SignOn("1001")
	missed := c.foreign.Call("12345", "13907170002")
	c.must(c.foreign.Deliver())
	time.Sleep(5100 * time.Millisecond) // longer than 短放弃
	c.foreign.HangUp(missed)
	c.must(c.foreign.Deliver())
	var open []cdr.Callback
	c.eventually("a call is owed", func() (ok bool) {
		var err error
		open, err = callbacks(c.a)
		return err == nil && len(open) == 1
	})
	if left := open[0].Due - clock.Millis(c.Now()); left <= 0 || left > 30*60*1000 {
		t.Fatalf("due in %d ms", left)
	}
	c.ahead.Store(int64(29 * time.Minute))
	time.Sleep(1500 * time.Millisecond)
	if open, err := callbacks(c.a); err != nil || len(open) != 1 {
		t.Errorf("given up before its time: %v %v", open, err)
	}
	c.ahead.Store(int64(31 * time.Minute))
	r := c.record(open[0].Call, func(r *cdr.Call) bool { return r.Ticket != 0 })
	made, err := c.a.Ticket.Get(context.Background(), c.people["lead"], r.Ticket)
	c.must(err)
	if made.ID != r.Ticket || ticket.Final(made.Status) {
		t.Errorf("the ticket %+v", made)
	}
	c.eventually("it is settled", func() bool {
		open, err := callbacks(c.a)
		return err == nil && len(open) == 0
	})
	var n int64
	c.must(c.a.DB.View(context.Background(), func(tx *db.Tx) (err error) {
		n, err = db.Int(tx, `SELECT count(*) FROM voice_callback WHERE call_id = $1 AND state = 'gave_up' AND done_at > due`, open[0].Call)
		return err
	}))
	if n != 1 {
		t.Error("it is not on record as given up")
	}
}

// A 班长 takes over at the foreign centre: the call is his there and on his page,
// and the seat's page is done with it.
func TestTakeOverAtAForeignCentre(t *testing.T) {
	c := newCentre(t)
	p, lead := c.sit("yichang"), c.sit("lead")
	carriers[1].begin(c, p)
	_, call := c.talkAt(p, "13871234567")
	c.must(lead.do("watch", func(in *seat.Command) { in.Call, in.Mode = call, flow.TakeOver }))
	c.must(c.foreign.Deliver())
	lead.last("call", func(m flow.Message) bool { return m.Call == call && m.Phase == "talk" })
	p.last("done", func(m flow.Message) bool { return m.Call == call })
	c.record(call, func(r *cdr.Call) bool { return r.Seat == c.people["lead"].Account })
}
