package sip_test

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotline/internal/voice/media/sip"
)

// wire is a peer that says exactly what the test says: for the cases where sipp
// is too polite.
type wire struct {
	t    *testing.T
	conn net.PacketConn
	to   net.Addr
}

func dialWire(t *testing.T, e *engine) *wire {
	t.Helper()
	conn, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", free(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	port, _ := strconv.Atoi(e.port)
	return &wire{t, conn, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}}
}

func (w *wire) port() int { return w.conn.LocalAddr().(*net.UDPAddr).Port }

// send writes a message; lines end in LF here and in CRLF on the wire.
func (w *wire) send(text string) {
	w.t.Helper()
	if _, err := w.conn.WriteTo([]byte(strings.ReplaceAll(text, "\n", "\r\n")), w.to); err != nil {
		w.t.Fatal(err)
	}
}

// read is the next message, "" when none comes in time.
func (w *wire) read(wait time.Duration) string {
	w.t.Helper()
	_ = w.conn.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, 65536)
	n, _, err := w.conn.ReadFrom(buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

// until reads past everything up to a message that begins with what.
func (w *wire) until(what string) string {
	w.t.Helper()
	end := time.Now().Add(8 * time.Second)
	for time.Now().Before(end) {
		if m := w.read(time.Second); strings.HasPrefix(m, what) {
			return m
		}
	}
	w.t.Fatalf("no %q", what)
	return ""
}

// request writes a request of one call; branch and CSeq are the test's.
func (w *wire) request(method string, seq int, branch, toTag string, extra ...string) string {
	if toTag != "" {
		toTag = ";tag=" + toTag
	}
	lines := []string{
		fmt.Sprintf("%s sip:12345@127.0.0.1 SIP/2.0", method),
		fmt.Sprintf("Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s", w.port(), branch),
		fmt.Sprintf("From: <sip:13800000001@127.0.0.1:%d>;tag=wire", w.port()),
		"To: <sip:12345@127.0.0.1>" + toTag,
		fmt.Sprintf("Call-ID: wire-%d", w.port()),
		fmt.Sprintf("CSeq: %d %s", seq, strings.Fields(method)[0]),
		fmt.Sprintf("Contact: <sip:13800000001@127.0.0.1:%d>", w.port()),
		"Max-Forwards: 70",
	}
	lines = append(lines, extra...)
	return strings.Join(append(lines, "Content-Length: 0", "", ""), "\n")
}

// withBody gives a request of w.request a body, in LF like everything here.
func withBody(req, body string) string {
	n := len(strings.ReplaceAll(body, "\n", "\r\n"))
	return strings.Replace(req, "Content-Length: 0\n\n", fmt.Sprintf("Content-Length: %d\n\n", n), 1) + body
}

var tagOf = regexp.MustCompile(`(?m)^To:.*;tag=([^;\r\n]+)`)

func tag(t *testing.T, msg string) string {
	t.Helper()
	m := tagOf.FindStringSubmatch(msg)
	if m == nil {
		t.Fatalf("no To tag in\n%s", msg)
	}
	return m[1]
}

// The 200 comes at 0, T1, 3·T1, 7·T1, 15·T1, then every T2 (RFC 3261 13.3.1.4),
// and stops with the ACK.
func TestAnswerIsRepeatedUntilAck(t *testing.T) {
	if testing.Short() {
		return
	}
	const times = 8
	e := start(t, func(c *sip.Config) { c.Clock = hurry(times) })
	e.when(accept)
	w := dialWire(t, e)
	w.send(w.request("INVITE", 1, "a", ""))
	first := w.until("SIP/2.0 200")
	began, last := time.Now(), time.Duration(0)
	for i, want := range []float64{0.5, 1, 2, 4, 4, 4} {
		w.until("SIP/2.0 200")
		at := time.Since(began) * times
		if gap := (at - last).Seconds(); gap < want*0.6 || gap > want*1.6+1 {
			t.Errorf("repetition %d after %.2f s, want %.1f", i+1, gap, want)
		}
		last = at
	}
	w.send(w.request("ACK", 1, "b", tag(t, first)))
	e.expect("answered")
	if m := w.read(4 * time.Second / times * 2); m != "" {
		t.Errorf("after the ACK came\n%s", m)
	}
	w.send(w.request("BYE", 2, "c", tag(t, first)))
	w.until("SIP/2.0 200")
	e.empty()
}

// Ringing, the 200 of the CANCEL and the 487 carry one tag; the 487 is repeated
// until its ACK even when the engine answers too late.
func TestOneTagPerInvite(t *testing.T) {
	e := start(t)
	e.when(ring)
	w := dialWire(t, e)
	w.send(w.request("INVITE", 1, "a", ""))
	ringing := tag(t, w.until("SIP/2.0 180"))
	w.send(w.request("CANCEL", 1, "a", ""))
	if got := tag(t, w.until("SIP/2.0 200")); got != ringing {
		t.Errorf("the CANCEL's 200 has tag %s, the 180 %s", got, ringing)
	}
	over := w.until("SIP/2.0 487")
	if got := tag(t, over); got != ringing {
		t.Errorf("the 487 has tag %s, the 180 %s", got, ringing)
	}
	e.expect("ended 487 16 party")
	if err := e.last().Answer(answer(nil)); err == nil {
		t.Error("a cancelled call could be answered")
	}
	if m := w.read(2 * time.Second); !strings.HasPrefix(m, "SIP/2.0 487") {
		t.Errorf("repeated: %q", m)
	}
	w.send(w.request("ACK", 1, "a", ringing))
	e.empty()
}

// Reliable ringing comes again until PRACK; a PRACK of something else is 481.
func TestReliableRingingIsRepeated(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t)
	e.when(ring)
	w := dialWire(t, e)
	w.send(w.request("INVITE", 1, "a", "", "Require: 100rel"))
	first := w.until("SIP/2.0 180")
	if again := w.until("SIP/2.0 180"); again != first {
		t.Errorf("repeated as\n%s\nwas\n%s", again, first)
	}
	to := tag(t, first)
	w.send(w.request("PRACK", 2, "b", to, "RAck: 9 1 INVITE"))
	w.until("SIP/2.0 481")
	w.send(w.request("PRACK", 3, "c", to, "RAck: 1 1 INVITE"))
	w.until("SIP/2.0 200")
	if m := w.read(1500 * time.Millisecond); m != "" {
		t.Errorf("after PRACK came\n%s", m)
	}
	w.send(w.request("CANCEL", 1, "a", ""))
	w.send(w.request("ACK", 1, "a", tag(t, w.until("SIP/2.0 487"))))
	e.empty()
}

// A far side that missed our ACK repeats its 200 and gets the ACK again; a 200
// of another branch of a fork is acknowledged and ended.
func TestRepeatedAndForked200(t *testing.T) {
	e := start(t)
	w := dialWire(t, e)
	e.configure(nil, (&sipp{port: w.port()}).far())
	c := e.dial("13800138000")
	invite := w.until("INVITE")
	ok := func(tag string) string {
		var keep []string
		for _, l := range strings.Split(invite, "\r\n") {
			for _, h := range []string{"Via:", "From:", "Call-ID:", "CSeq:"} {
				if strings.HasPrefix(l, h) {
					keep = append(keep, l)
				}
			}
		}
		return strings.Join(append([]string{"SIP/2.0 200 OK"}, append(keep, "To: <sip:13800138000@127.0.0.1>;tag="+tag,
			fmt.Sprintf("Contact: <sip:far@127.0.0.1:%d>", w.port()), "Content-Length: 0", "", "")...), "\n")
	}
	w.send(ok("one"))
	ack := w.until("ACK")
	e.expect("answered")
	w.send(ok("one"))
	if again := w.until("ACK"); again != ack {
		t.Errorf("ACK repeated as\n%s\nwas\n%s", again, ack)
	}
	w.send(ok("two"))
	if m := w.until("ACK"); tag(t, m) != "two" {
		t.Errorf("the fork got\n%s", m)
	}
	if m := w.until("BYE"); tag(t, m) != "two" {
		t.Errorf("the fork got\n%s", m)
	} else {
		w.send(respond(m, 200))
	}
	if !c.Up() {
		t.Error("the fork ended the call")
	}
	_ = c.Hangup(16)
	w.send(respond(w.until("BYE"), 200))
	e.empty()
}

// respond answers a request.
func respond(req string, code int) string {
	lines := []string{fmt.Sprintf("SIP/2.0 %d Whatever", code)}
	for _, l := range strings.Split(req, "\r\n") {
		for _, h := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(l, h) {
				lines = append(lines, l)
			}
		}
	}
	return strings.Join(append(lines, "Content-Length: 0", "", ""), "\n")
}
