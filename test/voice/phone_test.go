// Package voice_test runs the whole exchange against the parties it meets in the
// field: a SIP phone that is not ours (baresip) and a proxy in front (Kamailio).
package voice_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hotline/internal/seal"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/engine"
	"hotline/internal/voice/media/record"
)

const (
	citizenHz = 440.0
	agentHz   = 1000.0
)

var bg = context.Background()

// exchange is an exchange in this process, and what it tells.
type exchange struct {
	*engine.Engine
	t    *testing.T
	dir  string
	ring *seal.Ring
	addr string

	mu   sync.Mutex
	past []media.Event
}

func openExchange(t *testing.T, sip string, low int, phones ...media.Phone) *exchange {
	t.Helper()
	x := &exchange{t: t, dir: t.TempDir(), addr: sip}
	keys, err := seal.OpenFileProvider(x.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	x.ring = seal.NewRing(keys)
	if x.Engine, err = engine.Open(engine.Config{Data: x.dir, SIP: sip, Low: low, High: low + 199, Ring: x.ring}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	x.check(x.Setup(bg, media.Setup{Trunks: []media.Trunk{{Name: "carrier", Allow: []string{here, "127.0.0.0/8"}}}, Phones: phones}))
	ctx, stop := context.WithCancel(bg)
	events, err := x.Events(ctx, 0)
	x.check(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range events {
			x.mu.Lock()
			x.past = append(x.past, e)
			x.mu.Unlock()
		}
	}()
	t.Cleanup(func() { stop(); <-done })
	return x
}

func (x *exchange) check(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// wait gives the first event from mark on that ok accepts.
func (x *exchange) wait(mark int, what string, ok func(media.Event) bool) (got media.Event) {
	x.t.Helper()
	eventually(x.t, what, func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, e := range x.past[mark:] {
			if ok(e) {
				got = e
				return true
			}
		}
		return false
	})
	return got
}

func (x *exchange) mark() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.past)
}

func account(user, password string, srtp bool) media.Phone {
	sum := md5.Sum([]byte(user + ":hotline:" + password))
	return media.Phone{User: user, HA1: hex.EncodeToString(sum[:]), SRTP: srtp}
}

// call lets the citizen call and the phone take it; both are in one room, recorded.
func (x *exchange) call(citizen *phone, user string, leg media.Leg, rec string) (caller media.Leg) {
	x.t.Helper()
	at := x.mark()
	citizen.do("dial", "sip:12345@"+x.addr)
	in := x.wait(at, "a call comes in", func(e media.Event) bool { return e.Kind == media.Incoming })
	x.check(x.Answer(bg, in.Leg))
	x.check(x.Dial(bg, media.Spec{Leg: leg, To: media.Target{Kind: media.ToPhone, Value: user}, ANI: "12345", Timeout: 10}))
	e := x.wait(at, "the phone answers", func(e media.Event) bool {
		return e.Leg == leg && (e.Kind == media.Answered || e.Kind == media.Ended)
	})
	if e.Kind == media.Ended {
		x.t.Fatalf("the phone ended the call: %+v", e)
	}
	x.check(x.Mix(bg, media.Room(rec), in.Leg, leg))
	x.check(x.Record(bg, media.Room(rec), media.RecordPolicy{Rec: rec, Left: in.Leg}))
	time.Sleep(2500 * time.Millisecond)
	return in.Leg
}

// recorded checks both channels of a recording.
func (x *exchange) recorded(rec string) {
	x.t.Helper()
	x.wait(0, "the recording is ready", func(e media.Event) bool { return e.Kind == media.RecReady && e.Rec == rec })
	wav, err := record.Open(filepath.Join(x.dir, "voice", "rec"), rec, x.ring)
	x.check(err)
	defer wav.Close()
	raw, err := io.ReadAll(wav)
	x.check(err)
	both := samples(x.t, raw)
	hears(x.t, "recording, left", both[0], citizenHz, agentHz)
	hears(x.t, "recording, right", both[1], agentHz, citizenHz)
}

// A phone registers with its password, takes calls by itself, is heard and
// hears, hangs up and is hung up on.
func TestPhoneOfAnotherHouse(t *testing.T) {
	if !inside(t) {
		return
	}
	x := openExchange(t, here+":5060", 20000, account("8001", "geheim", false), account("8002", "other", false))
	citizen := startPhone(t, "<sip:13800138000@"+here+">;regint=0;audio_codecs=PCMA/8000/1", citizenHz)
	startPhone(t, "<sip:8002@"+here+":5060>;auth_pass=wrong;regint=60", agentHz)
	agent := startPhone(t, "<sip:8001@"+here+":5060>;auth_pass=geheim;answermode=auto;regint=60;audio_codecs=PCMU/8000/1", agentHz)
	x.wait(0, "the phone registers", func(e media.Event) bool {
		return e.Kind == media.Registered && e.Seat == "8001" && e.Why == "up"
	})

	caller := x.call(citizen, "8001", "one", "first")
	at := x.mark()
	agent.do("hangup", "")
	if e := x.wait(at, "the phone hangs up", func(e media.Event) bool { return e.Kind == media.Ended && e.Leg == "one" }); e.By != "party" || e.Cause != 16 {
		t.Errorf("ended %+v", e)
	}
	x.check(x.Hangup(bg, caller, 16))
	x.recorded("first")
	hears(t, "the agent", agent.heard(), citizenHz, agentHz)
	hears(t, "the citizen", citizen.heard(), agentHz, citizenHz)

	caller = x.call(citizen, "8001", "two", "second")
	at = x.mark()
	x.check(x.Hangup(bg, "two", 16))
	x.wait(at, "the platform hangs the phone up", func(e media.Event) bool { return e.Kind == media.Ended && e.Leg == "two" && e.By == "platform" })
	citizen.do("hangup", "")
	x.wait(at, "the citizen hangs up", func(e media.Event) bool { return e.Kind == media.Ended && e.Leg == caller && e.By == "party" })
	x.recorded("second")
	if s, err := x.Snapshot(bg); err != nil || len(s.Legs) != 0 || len(s.Phones) != 1 || s.Phones[0] != "8001" {
		t.Errorf("left: %+v %v", s, err)
	}
}

// A phone whose account asks for encryption talks by SRTP; one that cannot gets no call.
func TestEncryptedPhone(t *testing.T) {
	if !inside(t) {
		return
	}
	x := openExchange(t, here+":5060", 20000, account("8001", "geheim", true), account("8002", "geheim", true))
	citizen := startPhone(t, "<sip:13800138000@"+here+">;regint=0;mediaenc=srtp-mand;audio_codecs=PCMA/8000/1", citizenHz)
	startPhone(t, "<sip:8002@"+here+":5060>;auth_pass=geheim;answermode=auto;regint=60;audio_codecs=PCMA/8000/1", agentHz)
	agent := startPhone(t, "<sip:8001@"+here+":5060>;auth_pass=geheim;answermode=auto;regint=60;mediaenc=srtp-mand;audio_codecs=PCMA/8000/1", agentHz)
	for _, user := range []media.Seat{"8001", "8002"} {
		x.wait(0, "the phone registers", func(e media.Event) bool { return e.Kind == media.Registered && e.Seat == user })
	}
	caller := x.call(citizen, "8001", "one", "first")
	x.check(x.Hangup(bg, "one", 16))
	x.check(x.Hangup(bg, caller, 16))
	x.recorded("first")
	hears(t, "the agent", agent.heard(), citizenHz, agentHz)
	hears(t, "the citizen", citizen.heard(), agentHz, citizenHz)

	at := x.mark()
	x.check(x.Dial(bg, media.Spec{Leg: "two", To: media.Target{Kind: media.ToPhone, Value: "8002"}, ANI: "12345", Timeout: 10}))
	if e := x.wait(at, "the phone in the clear is refused", func(e media.Event) bool {
		return e.Leg == "two" && (e.Kind == media.Ended || e.Kind == media.Answered)
	}); e.Kind != media.Ended || e.Cause != 65 {
		t.Errorf("got %+v", e)
	}
}

// A killed exchange knows its phones when it is back: the next call rings.
func TestPhoneOutlivesKill(t *testing.T) {
	if !inside(t) {
		return
	}
	set := media.Setup{Phones: []media.Phone{account("8001", "geheim", false)}}
	p := newProcess(t, here, set)
	startPhone(t, "<sip:8001@"+here+":5060>;auth_pass=geheim;answermode=auto;regint=600;audio_codecs=PCMA/8000/1", agentHz)
	registered := func() bool {
		s, err := p.c.Snapshot(bg)
		return err == nil && len(s.Phones) == 1
	}
	eventually(t, "the phone registers", registered)
	time.Sleep(200 * time.Millisecond) // the journal gathers for 20 ms
	p.kill()
	p.start(set)
	if !registered() {
		t.Fatal("the phone is not known any more")
	}
	if err := p.c.Dial(bg, media.Spec{Leg: "one", To: media.Target{Kind: media.ToPhone, Value: "8001"}, ANI: "12345", Timeout: 10}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the phone answers", func() bool {
		s, err := p.c.Snapshot(bg)
		return err == nil && len(s.Legs) == 1 && s.Legs[0].State == "up"
	})
	if err := p.c.Hangup(bg, "one", 16); err != nil {
		t.Error(err)
	}
}
