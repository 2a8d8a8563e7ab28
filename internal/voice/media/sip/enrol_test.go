package sip

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"hotline/internal/voice/media"
)

// states is an engine that hears of trunks and phones alone.
type states struct {
	nobody
	trunk, phone chan string
}

func (s states) Trunk(name string, up bool) { s.trunk <- fmt.Sprint(name, " ", up) }
func (s states) Phone(user string, up bool) { s.phone <- fmt.Sprint(user, " ", up) }

func newStates() states { return states{trunk: make(chan string, 20), phone: make(chan string, 20)} }

func listenAs(t *testing.T, h Handler) *Stack {
	t.Helper()
	s, err := New(Config{Listen: "127.0.0.1:0", Ping: -1}, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func expect(t *testing.T, what string, c chan string, want string) {
	t.Helper()
	select {
	case got := <-c:
		if got != want {
			t.Fatalf("%s: %s, want %s", what, got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: nothing, want %s", what, want)
	}
}

// A trunk that wants it is registered with, by digest, before it counts as up;
// when it leaves the rules the registration is taken back.
func TestTrunkRegisters(t *testing.T) {
	t.Parallel()
	carrier, ours := newStates(), newStates()
	k, s := listenAs(t, carrier), listenAs(t, ours)
	sum := md5.Sum([]byte("hubei12345:hotline:秘密"))
	if err := k.Configure(nil, []media.Phone{{User: "hubei12345", HA1: hex.EncodeToString(sum[:])}}); err != nil {
		t.Fatal(err)
	}
	trunk := media.Trunk{Name: "联通", Address: k.Addr(), User: "hubei12345", Password: "秘密", Register: true, Domain: "hotline"}
	set := func(list ...media.Trunk) {
		t.Helper()
		if err := s.Configure(list, nil); err != nil {
			t.Fatal(err)
		}
	}
	set(trunk)
	expect(t, "the carrier", carrier.phone, "hubei12345 true")
	expect(t, "our trunk", ours.trunk, "联通 true")
	if b, ok := k.reg.lookup("hubei12345"); !ok || b.contact.User != "hubei12345" || b.dest != s.Addr() {
		t.Errorf("registered as %+v", b)
	}
	trunk.PerANI = 5
	set(trunk) // another rule changed: the same registration goes on
	time.Sleep(200 * time.Millisecond)
	set()
	expect(t, "the carrier, after the trunk left the rules", carrier.phone, "hubei12345 false")
	trunk.Password = "错"
	set(trunk)
	expect(t, "our trunk with a wrong password", ours.trunk, "联通 false")
	if n := len(s.trunks.candidates("")); n != 0 {
		t.Errorf("%d trunks would be called", n)
	}
}

// What a carrier may answer: a longer term, a nonce that is stale, a contact
// among others, leave me alone, nothing at all.
func TestCarriersAnswers(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	s := listenAs(t, nobody{})
	tr := media.Trunk{Name: "x", Address: p.c.LocalAddr().String(), User: "ab", Password: "p", Expires: 300}
	e := &enrolment{id: random(), tag: "h1"}
	type result struct {
		granted, pause time.Duration
		code           int
	}
	done := make(chan result, 1)
	ask := func(term time.Duration) {
		go func() { g, w, c := s.enrol(tr, e, term); done <- result{g, w, c} }()
	}
	got := func(what string, want result) {
		t.Helper()
		select {
		case r := <-done:
			if r != want {
				t.Errorf("%s: %+v, want %+v", what, r, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: nothing", what)
		}
	}
	ask(e.want(tr))
	req, from := p.next("REGISTER ")
	contact := lineOf(req, "Contact")
	if lineOf(req, "Expires") != "300" || !strings.HasPrefix(contact, "<sip:ab@127.0.0.1:") || strings.Contains(lineOf(req, "To"), "tag=") {
		t.Errorf("asked:\n%s", req)
	}
	id := lineOf(req, "Call-ID")
	p.say(req, from, "423 Interval Too Brief\r\nMin-Expires: 3600")
	req, from = p.next("REGISTER ")
	if lineOf(req, "Expires") != "3600" || lineOf(req, "Call-ID") != id || lineOf(req, "CSeq") != "2 REGISTER" {
		t.Errorf("after 423:\n%s", req)
	}
	p.say(req, from, `401 Unauthorized`+"\r\n"+`WWW-Authenticate: Digest realm="k", nonce="n1", qop="auth"`)
	req, from = p.next("REGISTER ")
	if !strings.Contains(lineOf(req, "Authorization"), `nonce="n1"`) {
		t.Errorf("no proof:\n%s", req)
	}
	p.say(req, from, `401 Unauthorized`+"\r\n"+`WWW-Authenticate: Digest realm="k", nonce="n2", qop="auth", stale=TRUE`)
	req, from = p.next("REGISTER ")
	if !strings.Contains(lineOf(req, "Authorization"), `nonce="n2"`) {
		t.Errorf("the old nonce again:\n%s", req)
	}
	p.say(req, from, "200 OK\r\nExpires: 60\r\nContact: <sip:ab@192.0.2.1:5060>;expires=7, "+contact+";q=1;expires=1800")
	got("granted", result{1800 * time.Second, 0, 200})
	if w := e.want(tr); w != time.Hour {
		t.Errorf("next time it asks for %v", w)
	}
	ask(time.Hour)
	req, from = p.next("REGISTER ")
	p.say(req, from, "503 Service Unavailable\r\nRetry-After: 120 (busy)")
	got("busy", result{0, 120 * time.Second, 503})
	ask(time.Hour)
	req, from = p.next("REGISTER ")
	p.say(req, from, "403 Forbidden\r\nRetry-After: 120")
	got("left alone", result{0, 120 * time.Second, 403})
	ask(0)
	req, from = p.next("REGISTER ")
	if lineOf(req, "Expires") != "0" {
		t.Errorf("leaving:\n%s", req)
	}
	p.say(req, from, "200 OK")
	got("left", result{0, 0, 200})
}
