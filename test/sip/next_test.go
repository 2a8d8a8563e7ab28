package sip_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/icholy/digest"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/sip"
)

// trunkAt is a trunk that leads to a wire.
func trunkAt(name string, w *wire) media.Trunk {
	return media.Trunk{Name: name, Address: fmt.Sprintf("127.0.0.1:%d", w.port()), Allow: []string{"127.0.0.1"}}
}

// yes answers an INVITE as a far side does.
func (w *wire) yes(invite, tag string) {
	w.t.Helper()
	w.send(toTagged(strings.Replace(respond(invite, 200), "\nContent-Length", fmt.Sprintf("\nContact: <sip:far@127.0.0.1:%d>\nContent-Length", w.port()), 1), tag))
}

func (e *engine) dialAny(t *testing.T) *sip.Call {
	t.Helper()
	c, err := e.stack.Dial(media.Target{Kind: media.ToTrunk, Value: "13800138000"}, sip.DialOpts{ANI: "12345", Offer: answer(nil), Headers: map[string]string{"X-Ticket": "42"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// toTagged puts the far side's tag on the To of a response; the header stands last there or not.
func toTagged(res, tag string) string {
	lines := strings.Split(res, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "To:") && !strings.Contains(l, ";tag=") {
			lines[i] = l + ";tag=" + tag
		}
	}
	return strings.Join(lines, "\n")
}

// One trunk refuses the connection, one is overloaded, one says nothing: the
// call goes out by the fourth, within one Dial.
func TestNextTrunk(t *testing.T) {
	e := start(t)
	busy, dumb, good := dialWire(t, e), dialWire(t, e), dialWire(t, e)
	closed := media.Trunk{Name: "closed", Address: fmt.Sprintf("127.0.0.1:%d", free(t)), Transport: "tcp", Allow: []string{"127.0.0.1"}}
	e.configure(nil, closed, trunkAt("busy", busy), trunkAt("dumb", dumb), trunkAt("good", good))
	began := time.Now()
	c := e.dialAny(t)
	first := busy.until("INVITE")
	busy.send(toTagged(respond(first, 503), "b"))
	busy.until("ACK")
	late := dumb.until("INVITE")
	invite := good.until("INVITE")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the fourth was tried after %v", took)
	}
	for _, part := range []string{"X-Ticket: 42", "v=0"} {
		if !strings.Contains(invite, part) {
			t.Errorf("the next INVITE lacks %q:\n%s", part, invite)
		}
	}
	good.yes(invite, "g")
	good.until("ACK")
	e.expect("answered")
	if c.Trunk() != "good" {
		t.Errorf("the call went by %q", c.Trunk())
	}
	// The silent one wakes up: its answer is acknowledged and ended.
	dumb.yes(late, "l")
	dumb.until("ACK")
	dumb.send(respond(dumb.until("BYE"), 200))
	if !c.Up() {
		t.Error("the late answer ended the call")
	}
	_ = c.Hangup(16)
	good.send(respond(good.until("BYE"), 200))
	e.empty()
}

// A busy number is the number's, not the trunk's: nobody else is tried.
func TestBusyIsFinal(t *testing.T) {
	e := start(t)
	a, b := dialWire(t, e), dialWire(t, e)
	e.configure(nil, trunkAt("a", a), trunkAt("b", b))
	e.dialAny(t)
	a.send(toTagged(respond(a.until("INVITE"), 486), "a"))
	a.until("ACK")
	e.expect("ended 486 17 party")
	if m := b.read(300 * time.Millisecond); m != "" {
		t.Errorf("tried elsewhere:\n%s", m)
	}
	e.empty()
}

// A trunk that wants an account gets its digest, for the INVITE and for the BYE.
func TestTrunkDigest(t *testing.T) {
	e := start(t)
	w := dialWire(t, e)
	tr := trunkAt("far", w)
	tr.User, tr.Password = "hubei12345", "geheim"
	e.configure(nil, tr)
	challenge := `Proxy-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"`
	ask := func(req string) string {
		return toTagged(strings.Replace(respond(req, 407), "\nContent-Length", "\n"+challenge+"\nContent-Length", 1), "far")
	}
	check := func(req, method string) {
		t.Helper()
		var v, uri string
		for _, l := range strings.Split(req, "\r\n") {
			if rest, ok := strings.CutPrefix(l, "Proxy-Authorization: "); ok {
				v = rest
			}
			if f := strings.Fields(l); len(f) == 3 && f[0] == method {
				uri = f[1]
			}
		}
		cred, err := digest.ParseCredentials(v)
		if err != nil {
			t.Fatalf("no credentials in\n%s", req)
		}
		chal, err := digest.ParseChallenge(strings.TrimPrefix(challenge, "Proxy-Authenticate: "))
		if err != nil {
			t.Fatal(err)
		}
		want, err := digest.Digest(chal, digest.Options{Method: method, URI: uri, Username: "hubei12345", Password: "geheim", Cnonce: cred.Cnonce, Count: cred.Nc})
		if err != nil || want.Response != cred.Response || cred.URI != uri {
			t.Errorf("%s: %+v, want %+v %v", method, cred, want, err)
		}
	}
	c := e.dial("13800138000")
	w.send(ask(w.until("INVITE")))
	w.until("ACK")
	invite := w.until("INVITE")
	check(invite, "INVITE")
	w.yes(invite, "far")
	w.until("ACK")
	e.expect("answered")
	_ = c.Hangup(16)
	w.send(ask(w.until("BYE")))
	bye := w.until("BYE")
	check(bye, "BYE")
	w.send(respond(bye, 200))
	e.empty()

	// The wrong account is told once, then the call is over.
	e.dial("13800138000")
	w.send(ask(w.until("INVITE")))
	w.until("ACK")
	w.send(ask(w.until("INVITE")))
	w.until("ACK")
	e.expect("ended 407 21 party")
	e.empty()
}

// A border controller that answers pings and drops OPTIONS inside a dialog keeps
// its calls; one that answers neither has lost them.
func TestSilentTrunkIsAskedTwice(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t, func(c *sip.Config) { c.Ping = 300 * time.Millisecond })
	w := dialWire(t, e)
	e.configure(nil, trunkAt("far", w))
	var lives atomic.Bool
	lives.Store(true)
	asked, ended := make(chan bool, 100), make(chan bool)
	go func() {
		for m := w.read(time.Minute); m != ""; m = w.read(time.Minute) {
			switch within := strings.Contains(m, ";tag=far"); {
			case strings.HasPrefix(m, "INVITE"):
				w.yes(m, "far")
			case strings.HasPrefix(m, "OPTIONS") && within:
				asked <- true
			case strings.HasPrefix(m, "OPTIONS") && lives.Load():
				w.send(respond(m, 200))
			case strings.HasPrefix(m, "BYE"):
				w.send(respond(m, 200))
				close(ended)
				return
			}
		}
	}()
	e.expect("trunk far true")
	c := e.dialAny(t)
	e.expect("answered")
	c.Check()
	if len(asked) == 0 || !c.Up() {
		t.Fatalf("asked %d times; the call is up: %v", len(asked), c.Up())
	}
	lives.Store(false)
	e.expect("trunk far false")
	c.Check()
	<-ended
	e.expect("ended 408 102 timer")
}
