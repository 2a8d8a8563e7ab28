package sip

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"hotline/internal/voice/media"
)

// nobody is an engine that hears nothing.
type nobody struct{}

func (nobody) Invite(*Call)                         {}
func (nobody) Reinvite(*Call, []byte) ([]byte, int) { return nil, 488 }
func (nobody) Progress(*Call, int, []byte)          {}
func (nobody) Answered(*Call, []byte)               {}
func (nobody) Digit(*Call, byte)                    {}
func (nobody) Refer(*Call, string)                  {}
func (nobody) Ended(*Call, End)                     {}
func (nobody) Phone(string, bool)                   {}
func (nobody) Trunk(string, bool)                   {}

// peer is a trunk played by hand.
type peer struct {
	t *testing.T
	c *net.UDPConn
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &peer{t, c}
}

// next reads until a message that begins so.
func (p *peer) next(start string) (string, net.Addr) {
	p.t.Helper()
	b := make([]byte, 8192)
	_ = p.c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		n, from, err := p.c.ReadFrom(b)
		if err != nil {
			p.t.Fatalf("no %s: %v", start, err)
		}
		if strings.HasPrefix(string(b[:n]), start) {
			return string(b[:n]), from
		}
	}
}

// header is the value of a header line.
func lineOf(msg, name string) string {
	for l := range strings.Lines(msg) {
		if v, ok := strings.CutPrefix(l, name+": "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// say answers a request.
func (p *peer) say(req string, to net.Addr, status string) {
	p.t.Helper()
	res := "SIP/2.0 " + status + "\r\n"
	for _, h := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		v := lineOf(req, h)
		if h == "To" && !strings.Contains(v, "tag=") {
			v += ";tag=late"
		}
		res += h + ": " + v + "\r\n"
	}
	if _, err := p.c.WriteTo([]byte(res+"Content-Length: 0\r\n\r\n"), to); err != nil {
		p.t.Fatal(err)
	}
}

// A trunk that says nothing for three seconds loses the call to the next one;
// should it ring after all, it is told to stop and its refusal is acknowledged.
func TestLateRingingIsCancelled(t *testing.T) {
	t.Parallel()
	slow, next := newPeer(t), newPeer(t)
	s, err := New(Config{Listen: "127.0.0.1:0", Ping: -1}, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Configure([]media.Trunk{{Name: "慢", Address: slow.c.LocalAddr().String()}, {Name: "备", Address: next.c.LocalAddr().String()}}, nil); err != nil {
		t.Fatal(err)
	}
	c, err := s.Dial(media.Target{Kind: media.ToTrunk, Value: "13800000000"}, DialOpts{ANI: "12345", Offer: []byte("v=0\r\n")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Hangup(16) }()
	invite, from := slow.next("INVITE ")
	second, at := next.next("INVITE ") // three seconds later
	next.say(second, at, "180 Ringing")
	if lineOf(invite, "Via") == lineOf(second, "Via") {
		t.Fatal("the second INVITE is the first")
	}
	slow.say(invite, from, "180 Ringing")
	cancel, _ := slow.next("CANCEL ")
	if lineOf(cancel, "Via") != lineOf(invite, "Via") || lineOf(cancel, "Call-ID") != lineOf(invite, "Call-ID") {
		t.Errorf("not the CANCEL of the INVITE:\n%s", cancel)
	}
	if n, _, _ := strings.Cut(lineOf(cancel, "CSeq"), " "); lineOf(cancel, "CSeq") != n+" CANCEL" || !strings.HasPrefix(lineOf(invite, "CSeq"), n+" ") {
		t.Errorf("CSeq %s of %s", lineOf(cancel, "CSeq"), lineOf(invite, "CSeq"))
	}
	slow.say(cancel, from, "200 OK")
	slow.say(invite, from, "487 Request Terminated")
	ack, _ := slow.next("ACK ")
	if lineOf(ack, "Via") != lineOf(invite, "Via") || !strings.Contains(lineOf(ack, "To"), "tag=late") {
		t.Errorf("not the ACK of the refusal:\n%s", ack)
	}
	slow.say(invite, from, "487 Request Terminated") // its ACK was lost
	slow.next("ACK ")
	if got := c.Trunk(); got != "备" {
		t.Errorf("the call is with %s", got)
	}
	if s.Calls() != 1 {
		t.Error(fmt.Sprint(s.Calls(), " calls"))
	}
}
