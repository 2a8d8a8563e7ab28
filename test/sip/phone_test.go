package sip_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/sip"
)

func account(user, secret string) media.Phone {
	sum := md5.Sum([]byte(user + ":hotline:" + secret))
	return media.Phone{User: user, HA1: hex.EncodeToString(sum[:])}
}

func TestRegister(t *testing.T) {
	e := start(t)
	e.configure([]media.Phone{account("8001", "secret")})
	run(t, "register.xml", e).wait()
	e.sequence("phone 8001 true", "phone 8001 false")
}

func TestLockout(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t)
	e.configure([]media.Phone{account("8001", "secret")})
	run(t, "lockout.xml", e).wait()
	if n := e.heard("phone"); n != 0 {
		t.Errorf("%d phones registered by guessing", n)
	}
	if len(e.stack.Phones()) != 0 {
		t.Error("a locked-out phone is registered")
	}
}

var challengeOf = regexp.MustCompile(`(?m)^WWW-Authenticate: ([^\r\n]+)`)

// authorize answers the challenge in res.
func authorize(t *testing.T, res, method, uri string) string {
	t.Helper()
	m := challengeOf.FindStringSubmatch(res)
	if m == nil {
		t.Fatalf("no challenge in\n%s", res)
	}
	chal, err := digest.ParseChallenge(m[1])
	if err != nil {
		t.Fatal(err)
	}
	cred, err := digest.Digest(chal, digest.Options{Method: method, URI: uri, Username: "8001", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: " + cred.String()
}

// say is a message of phone 8001.
func (w *wire) say(method, uri, callID string, seq int, branch, toTag string, extra ...string) string {
	to := "<sip:8001@hotline>"
	if method != "REGISTER" {
		to = "<sip:12345@hotline>"
	}
	if toTag != "" {
		to += ";tag=" + toTag
	}
	lines := append([]string{method + " " + uri + " SIP/2.0", fmt.Sprintf("Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s;rport", w.port(), branch),
		"From: <sip:8001@hotline>;tag=phone", "To: " + to, "Call-ID: " + callID, fmt.Sprintf("CSeq: %d %s", seq, method),
		fmt.Sprintf("Contact: <sip:8001@127.0.0.1:%d>", w.port()), "Max-Forwards: 70"}, extra...)
	return strings.Join(append(lines, "Content-Length: 0", "", ""), "\n")
}

func (w *wire) register() {
	w.t.Helper()
	w.send(w.say("REGISTER", "sip:hotline", "reg", 1, "r1", "", "Expires: 300"))
	res := w.until("SIP/2.0 401")
	w.send(w.say("REGISTER", "sip:hotline", "reg", 2, "r2", "", "Expires: 300", authorize(w.t, res, "REGISTER", "sip:hotline")))
	w.until("SIP/2.0 200")
}

// A registered phone is called where it is, and calls with its digest; its REFER
// becomes a transfer, a trunk's is refused.
func TestPhone(t *testing.T) {
	e := start(t)
	e.configure([]media.Phone{account("8001", "secret")})
	e.when(accept)
	w := dialWire(t, e)
	if _, err := e.stack.Dial(media.Target{Kind: media.ToPhone, Value: "8001"}, sip.DialOpts{}); err == nil {
		t.Error("a phone that is not registered could be called")
	}
	w.register()
	e.expect("phone 8001 true")

	c, err := e.stack.Dial(media.Target{Kind: media.ToPhone, Value: "8001"}, sip.DialOpts{ANI: "13800138000", Offer: answer(nil)})
	if err != nil {
		t.Fatal(err)
	}
	invite := w.until("INVITE sip:8001@127.0.0.1")
	w.send(respond(strings.Replace(invite, "To: <sip:8001@127.0.0.1", "To: <sip:8001@127.0.0.1", 1), 486))
	w.until("ACK")
	e.expect("ended 486 17 party")
	if c.Phone() != "8001" || c.Trunk() != "" {
		t.Error("the call does not say whose it is")
	}

	w.send(w.say("INVITE", "sip:12345@hotline", "own", 1, "i1", ""))
	res := w.until("SIP/2.0 401")
	w.send(w.say("ACK", "sip:12345@hotline", "own", 1, "i1", tag(t, res)))
	cred := authorize(t, res, "INVITE", "sip:12345@hotline")
	w.send(w.say("INVITE", "sip:12345@hotline", "own", 2, "i2", "", cred))
	ok := w.until("SIP/2.0 200")
	w.send(w.say("ACK", "sip:12345@hotline", "own", 2, "i3", tag(t, ok)))
	e.expect(`invite 12345 from "8001"`)
	e.expect("answered")

	w.send(w.say("REFER", "sip:12345@hotline", "own", 3, "f1", tag(t, ok), "Refer-To: <sip:02785770000@hotline>"))
	w.until("SIP/2.0 202")
	trying := w.until("NOTIFY")
	if !strings.Contains(trying, "SIP/2.0 100") || !strings.Contains(trying, "Subscription-State: active") {
		t.Errorf("told of the transfer\n%s", trying)
	}
	w.send(respond(trying, 200))
	e.expect("refer 02785770000")
	e.last().Referred(603)
	over := w.until("NOTIFY")
	if !strings.Contains(over, "SIP/2.0 603 Decline") || !strings.Contains(over, "Subscription-State: terminated") || !strings.Contains(over, "Event: refer;id=3") {
		t.Errorf("told of its end\n%s", over)
	}
	w.send(respond(over, 200))
	e.last().Referred(200) // said twice: nothing more
	w.send(w.say("BYE", "sip:12345@hotline", "own", 4, "b1", tag(t, ok)))
	w.until("SIP/2.0 200")

	// The same credentials again are a replay: a new nonce is asked for.
	w.send(w.say("INVITE", "sip:12345@hotline", "again", 1, "i4", "", cred))
	if m := w.until("SIP/2.0 401"); !strings.Contains(m, "stale=true") {
		t.Errorf("a replay was not called stale:\n%s", m)
	}
	e.empty()
}

func TestTrunkMayNotRefer(t *testing.T) {
	e := start(t)
	e.when(accept)
	w := dialWire(t, e)
	w.send(w.request("INVITE", 1, "a", ""))
	to := tag(t, w.until("SIP/2.0 200"))
	w.send(w.request("ACK", 1, "b", to))
	e.expect("answered")
	w.send(w.request("REFER", 2, "c", to, "Refer-To: <sip:110@x>"))
	w.until("SIP/2.0 403")
	w.send(w.request("BYE", 3, "d", to))
	w.until("SIP/2.0 200")
	e.empty()
}

// Strangers are dropped without a word, or refused when the operator wants that.
func TestStrangers(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t, func(c *sip.Config) { c.Refuse = true })
	if err := e.stack.Configure([]media.Trunk{{Name: "carrier", Allow: []string{"192.0.2.0/24"}}}, nil); err != nil {
		t.Fatal(err)
	}
	run(t, "stranger.xml", e).wait()

	e = start(t)
	if err := e.stack.Configure([]media.Trunk{{Name: "carrier", Allow: []string{"192.0.2.0/24"}}}, nil); err != nil {
		t.Fatal(err)
	}
	w := dialWire(t, e)
	w.send(w.request("INVITE", 1, "a", ""))
	w.send(w.request("OPTIONS", 2, "b", ""))
	if m := w.read(time.Second); m != "" {
		t.Errorf("a stranger got\n%s", m)
	}
	c, err := net.Dial("tcp", e.stack.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("a stranger's connection stays: %v", err)
	}
	if e.heard("invite") != 0 {
		t.Error("a stranger's call came in")
	}
}

// A caller's allowance is the trunk's; loopback keeps 100 calls a second.
func TestAllowancePerCaller(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t)
	if err := e.stack.Configure([]media.Trunk{{Name: "local", Allow: []string{"127.0.0.1"}, PerANI: 2}}, nil); err != nil {
		t.Fatal(err)
	}
	e.when(func(c *sip.Call) { _ = c.Reject(486, "") })
	for range 5 {
		run(t, "busy.xml", e).wait()
	}
	if n := e.heard("ended 486"); n != 5 {
		t.Errorf("%d of 5 calls came in", n)
	}
}

// OPTIONS tell whether a trunk is there.
func TestTrunkIsWatched(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t, func(c *sip.Config) { c.Ping = 500 * time.Millisecond })
	s := run(t, "pong.xml", nil, "-m", "2")
	e.configure(nil, s.far(), media.Trunk{Name: "dead", Address: fmt.Sprintf("127.0.0.1:%d", free(t)), Transport: "tcp"})
	e.expect("trunk far true")
	e.expect("trunk dead false")
	s.wait()
	e.expect("trunk far false")
	if _, err := e.stack.Dial(media.Target{Kind: media.ToTrunk, Value: "110"}, sip.DialOpts{}); err == nil {
		t.Error("a call went out although every trunk is down")
	}
}

// The process dies with a call up; the next one rebuilds it from its record:
// hold by the caller, re-INVITE and BYE by us.
func TestRestore(t *testing.T) {
	first := start(t)
	first.when(accept)
	w := dialWire(t, first)
	w.send(w.request("INVITE", 1, "a", "", "Supported: timer", "Session-Expires: 1800;refresher=uas"))
	to := tag(t, w.until("SIP/2.0 200"))
	w.send(w.request("ACK", 1, "b", to))
	first.expect("answered")
	rec, ok := first.last().Record()
	if !ok || len(rec.String()) > 1024 {
		t.Fatalf("record of %d bytes, %t", len(rec.String()), ok)
	}
	at := first.stack.Addr()
	first.stack.Close()

	second := start(t, func(c *sip.Config) { c.Listen = at })
	c, err := second.stack.Restore(rec)
	if err != nil {
		t.Fatal(err)
	}
	if c.ID() != first.last().ID() || !c.Up() {
		t.Error("not the same call")
	}
	if _, err := second.stack.Restore(rec); err == nil {
		t.Error("restored twice")
	}
	w.send(withBody(w.request("INVITE", 2, "c", to, "Content-Type: application/sdp"),
		"v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 40000 RTP/AVP 8\na=sendonly\n"))
	if m := w.until("SIP/2.0 200"); !strings.Contains(m, "a=recvonly") {
		t.Errorf("hold answered\n%s", m)
	}
	w.send(w.request("ACK", 2, "d", to))
	second.expect("reinvite sendonly")

	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_, err := c.Reinvite(ctx, answer(nil))
		done <- err
	}()
	w.send(respond(w.until("INVITE"), 200))
	w.until("ACK")
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := c.Hangup(16); err != nil {
		t.Error(err)
	}
	w.send(respond(w.until("BYE"), 200))
	second.expect("ended 0 16 platform")
	second.empty()
}

// Attended transfer: REFER with Replaces names the phone's other call. A phone's
// place outlives the process.
func TestAttendedTransferAndRestoredPhone(t *testing.T) {
	first := start(t)
	phones := []media.Phone{account("8001", "secret")}
	first.configure(phones)
	w := dialWire(t, first)
	w.register()
	first.expect("phone 8001 true")
	known := first.stack.Registrations()
	at := first.stack.Addr()
	first.stack.Close()

	e := start(t, func(c *sip.Config) { c.Listen = at })
	e.configure(phones)
	e.stack.RestorePhones(append(known, sip.Registration{User: "nobody"}, sip.Registration{User: "8001", From: "x"}))
	e.expect("phone 8001 true")
	var tags []string
	var calls []*sip.Call
	for i := range 2 {
		c, err := e.stack.Dial(media.Target{Kind: media.ToPhone, Value: "8001"}, sip.DialOpts{ANI: "13800138000", Offer: answer(nil)})
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, c)
		invite := w.until("INVITE")
		ok := strings.Replace(respond(invite, 200), "\nContent-Length", fmt.Sprintf("\nContact: <sip:8001@127.0.0.1:%d>\nContent-Length", w.port()), 1)
		ok = regexp.MustCompile(`(?m)^(To:[^\r\n]*)`).ReplaceAllString(ok, fmt.Sprintf("$1;tag=p%d", i))
		w.send(ok)
		w.until("ACK")
		id, ours, _ := strings.Cut(c.ID(), ";")
		tags = append(tags, id, ours)
	}
	refer := fmt.Sprintf("REFER sip:hotline@x SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKrf\nFrom: <sip:8001@x>;tag=p0\nTo: <sip:13800138000@x>;tag=%s\nCall-ID: %s\nCSeq: 7 REFER\nMax-Forwards: 70\n"+
		"Refer-To: <sip:110@x?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3Dp1>\nRefer-Sub: false\nContent-Length: 0\n\n", w.port(), tags[1], tags[0], tags[2], tags[3])
	w.send(refer)
	w.until("SIP/2.0 202")
	e.expect("refer call:" + calls[1].ID())
	for _, c := range calls {
		_ = c.Hangup(16)
		w.send(respond(w.until("BYE"), 200))
	}
	e.empty()
}
