package sip_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/sdp"
	"hotline/internal/voice/media/sip"
)

func ring(c *sip.Call)   { _ = c.Ring(nil) }
func accept(c *sip.Call) { _ = c.Answer(answer(c.Offer())) }

// slowly answers after a moment, in which more can come.
func slowly(c *sip.Call) {
	ring(c)
	time.AfterFunc(400*time.Millisecond, func() { accept(c) })
}

// Every way in which a caller behaves: what sipp demands stands in the scenario,
// what the engine must have heard stands here.
func TestCallers(t *testing.T) {
	const invite = `invite 12345 from "13800000001"`
	for _, tc := range []struct {
		name, scenario string
		essential      bool
		times          int // clock, 0 = 1
		args           []string
		on             func(*sip.Call)
		want           []string // the whole story but the invite; nil = not looked at
	}{
		{name: "engaged", scenario: "busy", essential: true, on: func(c *sip.Call) { _ = c.Reject(486, "") }, want: []string{"ended 486 17 platform"}},
		{name: "cancelled while it rings", scenario: "cancel", essential: true, on: ring, want: []string{"ended 487 16 party"}},
		{name: "cancelled before it rings", scenario: "cancel_early", on: func(*sip.Call) {}, want: []string{"ended 487 16 party"}},
		{name: "never answered", scenario: "unanswered", times: 100, on: ring, want: []string{"ended 480 19 timer"}},
		{name: "CANCEL crosses 200", scenario: "cancel_late", on: accept, want: []string{"answered sdp=false", "ended 0 16 party"}},
		{name: "lost ACK", scenario: "lost_ack", times: 16, on: accept, want: []string{"ended 0 102 timer"}},
		{name: "lost 200", scenario: "lost_200", on: accept, want: []string{"answered sdp=false", "ended 0 16 party"}},
		{name: "the same INVITE twice", scenario: "twice", on: slowly, want: []string{"answered sdp=false", "ended 0 16 party"}},
		{name: "merged", scenario: "merged", on: slowly, want: []string{"answered sdp=false", "ended 0 16 party"}},
		{name: "hold", scenario: "hold", essential: true, on: accept, want: []string{"answered sdp=false", "reinvite sendonly", "reinvite inactive", "reinvite sendrecv", "ended 0 16 party"}},
		{name: "late offer", scenario: "late_in", essential: true, on: accept, want: []string{"answered sdp=true", "reinvite late", "answered sdp=true", "ended 0 16 party"}},
		{name: "we refresh by UPDATE", scenario: "timer_ours", times: 40, on: accept, want: []string{"answered sdp=false", "ended 0 16 party"}},
		{name: "we refresh by INVITE", scenario: "timer_invite", times: 40, on: accept},
		{name: "the caller refreshes", scenario: "timer_theirs", times: 30, on: accept, want: []string{"answered sdp=false", "reinvite sendrecv", "ended 0 16 party"}},
		{name: "the caller never refreshes", scenario: "timer_gone", times: 40, on: accept, want: []string{"answered sdp=false", "ended 408 102 timer"}},
		{name: "session too short", scenario: "timer_small", on: accept, want: []string{"answered sdp=false", "ended 0 16 party"}},
		{name: "PRACK", scenario: "prack_in", essential: true, on: func(c *sip.Call) { ring(c); accept(c) }, want: []string{"answered sdp=false", "ended 0 16 party"}},
		{name: "BYE while it rings", scenario: "bye_ringing", on: ring, want: []string{"ended 0 16 party"}},
		{name: "keys by INFO", scenario: "info", essential: true, on: accept, want: []string{"answered sdp=false", "digit 5", "digit #", "digit *", "ended 0 16 party"}},
		{name: "long INVITE", scenario: "long_in", on: accept, want: []string{"answered sdp=false", "ended 0 16 party"}},
		{name: "by TCP", scenario: "hold", args: []string{"-t", "t1"}, on: accept},
		{name: "OPTIONS", scenario: "options"},
	} {
		if testing.Short() && !tc.essential {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			e := start(t, func(c *sip.Config) {
				if tc.times > 0 {
					c.Clock = hurry(tc.times)
				}
			})
			e.when(tc.on)
			run(t, tc.scenario+".xml", e, tc.args...).wait()
			if tc.want != nil {
				e.sequence(append([]string{invite}, tc.want...)...)
			}
			e.empty()
		})
	}
}

// Every way in which the far side of an outgoing call behaves.
func TestFarSides(t *testing.T) {
	hangup := func(t *testing.T, e *engine, c *sip.Call) {
		e.expect("answered")
		if err := c.Hangup(16); err != nil {
			t.Error(err)
		}
	}
	for _, tc := range []struct {
		name, scenario string
		essential      bool
		times          int
		opts           sip.DialOpts
		args           []string
		transport      string
		then           func(*testing.T, *engine, *sip.Call)
		want           []string
	}{
		{name: "engaged", scenario: "refuse", essential: true, want: []string{"ended 486 17 party"}},
		{name: "unavailable", scenario: "unavailable", want: []string{"ended 503 41 party"}},
		{name: "no answer", scenario: "out_ring", opts: sip.DialOpts{Timeout: time.Second}, want: []string{"progress 180 sdp=false", "ended 408 19 timer"}},
		{name: "given up", scenario: "out_ring", essential: true, then: func(t *testing.T, e *engine, c *sip.Call) {
			e.expect("progress")
			if err := c.Hangup(16); err != nil {
				t.Error(err)
			}
		}, want: []string{"progress 180 sdp=false", "ended 0 16 platform"}},
		{name: "200 crosses our CANCEL", scenario: "out_cross", then: func(t *testing.T, e *engine, c *sip.Call) {
			e.expect("progress")
			_ = c.Hangup(16)
		}, want: []string{"progress 180 sdp=false", "ended 0 16 platform"}},
		{name: "refusal repeated", scenario: "refuse_again", want: []string{"ended 486 17 party"}},
		{name: "late offer", scenario: "late_out", opts: sip.DialOpts{Offer: []byte{}}, then: hangup, want: []string{"progress 180 sdp=false", "reinvite sendrecv", "answered sdp=true", "ended 0 16 platform"}},
		{name: "PRACK", scenario: "prack_out", then: hangup, want: []string{"progress 183 sdp=true", "answered sdp=true", "ended 0 16 platform"}},
		{name: "we refresh", scenario: "out_timer", times: 40, then: func(t *testing.T, e *engine, c *sip.Call) {
			e.expect("answered")
			time.Sleep(2600 * time.Millisecond) // two refreshes, 45 s apart
			hangup(t, e, c)
		}, want: []string{"progress 180 sdp=false", "answered sdp=true", "ended 0 16 platform"}},
		{name: "the far side has lost the call", scenario: "out_gone", times: 40, want: []string{"progress 180 sdp=false", "answered sdp=true", "ended 481 102 timer"}},
		{name: "session too short", scenario: "out_422", opts: sip.DialOpts{Headers: map[string]string{"X-Ticket": "42"}}, then: hangup, want: []string{"progress 180 sdp=false", "answered sdp=true", "ended 0 16 platform"}},
		{name: "by TCP", scenario: "out", args: []string{"-t", "t1"}, transport: "tcp", then: hangup, want: []string{"progress 180 sdp=false", "answered sdp=true", "ended 0 16 platform"}},
		{name: "long INVITE goes by TCP", scenario: "out", args: []string{"-t", "t1"}, opts: sip.DialOpts{Headers: long()}, then: hangup, want: []string{"progress 180 sdp=false", "answered sdp=true", "ended 0 16 platform"}},
		{name: "long INVITE to a peer without TCP", scenario: "out", opts: sip.DialOpts{Headers: long()}, then: hangup, want: []string{"progress 180 sdp=false", "answered sdp=true", "ended 0 16 platform"}},
		{name: "glare", scenario: "glare_out", then: func(t *testing.T, e *engine, c *sip.Call) {
			e.expect("answered")
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			began := time.Now()
			body, err := c.Reinvite(ctx, sdp.Build(sdp.Local{Addr: local, Port: 30000, Session: 1, Version: 2, Dir: sdp.SendOnly}))
			if err != nil || len(body) == 0 {
				t.Errorf("Reinvite: %q, %v", body, err)
			}
			if d := time.Since(began); d < 2100*time.Millisecond { // RFC 3261 14.1: the owner of the Call-ID waits 2.1–4 s
				t.Errorf("tried again after %v", d)
			}
			hangup(t, e, c)
		}},
	} {
		if testing.Short() && !tc.essential {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			e := start(t, func(c *sip.Config) {
				if tc.times > 0 {
					c.Clock = hurry(tc.times)
				}
			})
			s := run(t, tc.scenario+".xml", nil, tc.args...)
			far := s.far()
			far.Transport = tc.transport
			e.configure(nil, far)
			o := tc.opts
			o.ANI = "12345"
			if o.Offer == nil {
				o.Offer = answer(nil)
			}
			c, err := e.stack.Dial(media.Target{Kind: media.ToTrunk, Value: "13800138000", Trunk: "far"}, o)
			if err != nil {
				t.Fatal(err)
			}
			if tc.then != nil {
				tc.then(t, e, c)
			}
			s.wait()
			if tc.want != nil {
				e.sequence(tc.want...)
			}
			e.empty()
		})
	}
}

func long() map[string]string {
	h := map[string]string{}
	for _, n := range []string{"X-A", "X-B", "X-C", "X-D"} {
		h[n] = strings.Repeat("0123456789", 30)
	}
	return h
}

// A caller that offers while our offer is out is refused 491; the call stays.
func TestGlareFromTheCaller(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t)
	e.when(accept)
	s := run(t, "glare_in.xml", e)
	e.expect("answered")
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_, _ = e.last().Reinvite(ctx, answer(nil)) // sipp never answers it
	s.wait()
	e.expect("ended 0 16 party")
	e.empty()
}

// Keys arrive in the order they were pressed, however fast.
func TestKeysStayInOrder(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t)
	e.when(accept)
	w := dialWire(t, e)
	w.send(w.request("INVITE", 1, "a", ""))
	to := tag(t, w.until("SIP/2.0 200"))
	w.send(w.request("ACK", 1, "b", to))
	e.expect("answered")
	const pressed = "12345678901234567890"
	for i, d := range pressed {
		w.send(withBody(w.request("INFO", 2+i, fmt.Sprint("k", i), to, "Content-Type: application/dtmf"), string(d)))
		w.until("SIP/2.0 200")
	}
	w.send(w.request("BYE", 90, "z", to))
	w.until("SIP/2.0 200")
	e.empty()
	var got strings.Builder
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.log {
		if d, ok := strings.CutPrefix(l, "digit "); ok {
			got.WriteString(d)
		}
	}
	if got.String() != pressed {
		t.Errorf("keys %s", got.String())
	}
}
