package sip_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/sip"
)

// Messages in the manner of RFC 4475 (the section is named), each with the
// response it must get; "" = none.
var torture = []struct{ name, text, want string }{
	{"3.1.1.1 every freedom of the grammar", `INVITE sip:12345@127.0.0.1;unknownparam SIP/2.0
TO :
 sip:12345@127.0.0.1 ;   a   = 1
from   : "J Rosenberg \\\""       <sip:13800000001@127.0.0.1>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: NAME1
Content-Length   : 0
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    127.0.0.1:PORT;branch=z9hG4bKNAME
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \"\"" <sip:13800000001@127.0.0.1:PORT> ; newparam =
      newvalue ;
  secondparam ; q = 0.33

`, "any"},
	{"3.1.1.2 a method of many characters", req("!interesting-Method0123456789_*+`.%indeed'~", "12345"), "SIP/2.0 405"},
	{"3.1.1.3 escapes in the user", req("INVITE", "%31%32345"), "SIP/2.0 200"},
	{"3.1.1.5 escaped null", req("INVITE", "12345%00%00"), "SIP/2.0 200"},
	{"3.1.1.8 long values", req("INVITE", "12345", "P-Long: "+strings.Repeat("x", 4000), "Subject: "+strings.Repeat("y", 3000)), "SIP/2.0 200"},
	{"3.1.1.10 octets after the message", req("INVITE", "12345") + "INVITE sip:other@x SIP/2.0\nVia: y\n\n", "SIP/2.0 200"},
	{"3.1.1.11 semicolon in the user", req("INVITE", "12345;par=u%40example.net"), "SIP/2.0 200"},
	{"3.1.2.1 extra separators", req("INVITE", "12345", "Contact: \"Joe\" <sip:joe@127.0.0.1>;;;;"), "any"},
	{"3.1.2.2 body shorter than announced", strings.Replace(req("INVITE", "12345"), "Content-Length: 0", "Content-Length: 9999", 1), "SIP/2.0 400"},
	{"3.1.2.3 negative length", strings.Replace(req("INVITE", "12345"), "Content-Length: 0", "Content-Length: -999", 1), ""},
	{"3.1.2.4 values too large", strings.Replace(req("INVITE", "12345"), "CSeq: 1 ", "CSeq: 36893488147419103232 ", 1), ""},
	{"3.1.2.5 large values in a response", "SIP/2.0 503 Service Unavailable\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\nTo: <sip:x@y>;tag=1\nFrom: <sip:x@y>;tag=2\nCall-ID: x\nCSeq: 9292394834772304023312 OPTIONS\nRetry-After: 949302838503028349304023988\nContent-Length: 0\n\n", ""},
	{"3.1.2.6 unterminated quote", strings.Replace(req("INVITE", "12345"), "To: <", "To: \"Mr. J. User <", 1), ""},
	{"3.1.2.7 brackets around the request URI", strings.Replace(req("INVITE", "12345"), "INVITE sip:12345@127.0.0.1 ", "INVITE <sip:12345@127.0.0.1> ", 1), "any"},
	{"3.1.2.8 space in the request URI", strings.Replace(req("INVITE", "12345"), "INVITE sip:12345@127.0.0.1 ", "INVITE sip:12345@127.0.0.1; lr ", 1), ""},
	{"3.1.2.13 no bracket around a URI with headers", req("INVITE", "12345", "Contact: sip:user@127.0.0.1?Route=%3Csip:sip.example.com%3E"), "any"},
	{"3.1.2.16 unknown version", strings.Replace(req("OPTIONS", "12345"), "SIP/2.0\n", "SIP/7.0\n", 1), "SIP/2.0 505"},
	{"3.1.2.17 CSeq of another method", strings.Replace(req("OPTIONS", "12345"), "1 OPTIONS", "1 INVITE", 1), "SIP/2.0 400"},
	{"3.1.2.19 response code too large", "SIP/2.0 4294967301 better not break the receiver\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\nTo: <sip:x@y>;tag=1\nFrom: <sip:x@y>;tag=2\nCall-ID: x\nCSeq: 1 INVITE\nContent-Length: 0\n\n", ""},
	{"3.2.1 branch without a value", strings.Replace(req("OPTIONS", "12345"), "branch=z9hG4bKNAME", "branch=z9hG4bK", 1), "SIP/2.0 200"},
	{"3.3.1 required headers missing", "INVITE sip:12345@127.0.0.1 SIP/2.0\nCSeq: 193942 INVITE\nVia: SIP/2.0/UDP 127.0.0.1:PORT;branch=z9hG4bKNAME\nContent-Length: 0\n\n", ""},
	{"3.3.2 unknown scheme", strings.Replace(req("OPTIONS", "12345"), "sip:12345@127.0.0.1 ", "nobodyKnowsThisScheme:totallyopaquecontent ", 1), "SIP/2.0 416"},
	{"3.3.5 atypical scheme in To", strings.Replace(req("OPTIONS", "12345"), "To: <sip:12345@127.0.0.1>", "To: <isbn:2983792873>", 1), "any"},
	{"3.3.6 unknown extension required", req("INVITE", "12345", "Require: nothingSupportsThis, nothingSupportsThisEither"), "SIP/2.0 420"},
	{"3.3.7 unknown body", strings.Replace(req("INVITE", "12345", "Content-Type: application/unknownformat"), "Content-Length: 0\n\n", "Content-Length: 3\n\nabc", 1), "SIP/2.0 415"},
	{"3.3.8 several values of single headers", req("OPTIONS", "12345", "CSeq: 5 OPTIONS", "Call-ID: other", "From: <sip:b@y>;tag=9", "Max-Forwards: 5"), "any"},
	{"3.3.9 several lengths", strings.Replace(req("OPTIONS", "12345"), "Content-Length: 0\n", "Content-Length: 13\nContent-Length: 0\n", 1), "any"},
	{"3.3.11 no hops left", strings.Replace(req("OPTIONS", "12345"), "Max-Forwards: 70", "Max-Forwards: 0", 1), "SIP/2.0 200"},
	{"3.3.13 a wildcard beside a contact", strings.Replace(req("REGISTER", "12345"), "Max-Forwards", "Contact: *, <sip:a@127.0.0.1>\nMax-Forwards", 1), "any"},
	{"3.4.1 RFC 2543: no branch", strings.Replace(req("OPTIONS", "12345"), ";branch=z9hG4bKNAME", "", 1), "SIP/2.0 200"},
	{"BYE of no call", strings.Replace(req("BYE", "12345"), "To: <sip:12345@127.0.0.1>", "To: <sip:12345@127.0.0.1>;tag=x", 1), "SIP/2.0 481"},
	{"CANCEL of nothing", req("CANCEL", "12345"), "SIP/2.0 481"},
	{"MESSAGE", req("MESSAGE", "12345"), "SIP/2.0 405"},
	{"SUBSCRIBE", req("SUBSCRIBE", "12345"), "SIP/2.0 489"},
	{"no From tag", strings.Replace(req("OPTIONS", "12345"), ";tag=fNAME", "", 1), "SIP/2.0 400"},
	{"a NUL inside", strings.Replace(req("OPTIONS", "12345"), "Call-ID: ", "Call-ID: \x00", 1), "any"},
}

// req is a plain request; NAME and PORT are replaced for each message.
func req(method, user string, extra ...string) string {
	lines := append([]string{method + " sip:" + user + "@127.0.0.1 SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:PORT;branch=z9hG4bKNAME", "From: <sip:13800000001@127.0.0.1>;tag=fNAME",
		"To: <sip:12345@127.0.0.1>", "Call-ID: cNAME", "CSeq: 1 " + method, "Contact: <sip:13800000001@127.0.0.1:PORT>", "Max-Forwards: 70"}, extra...)
	return strings.Join(append(lines, "Content-Length: 0", "", ""), "\n")
}

func (w *wire) torture(i int, text string) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "NAME", fmt.Sprintf("%dx%d", w.port(), i)), "PORT", fmt.Sprint(w.port()))
	w.send(text)
}

var statusOf = regexp.MustCompile(`^SIP/2\.0 ([2-6]\d\d) `)

func TestTorture(t *testing.T) {
	e := start(t)
	e.configure([]media.Phone{account("8001", "secret")})
	e.when(accept)
	for i, tc := range torture {
		t.Run(tc.name, func(t *testing.T) {
			w := dialWire(t, e)
			defer w.conn.Close()
			w.torture(i, tc.text)
			wait := 3 * time.Second
			if tc.want == "" || tc.want == "any" {
				wait = 150 * time.Millisecond
			}
			got := w.read(wait)
			for strings.HasPrefix(got, "SIP/2.0 1") {
				got = w.read(wait)
			}
			switch {
			case tc.want == "any":
				if got != "" && !statusOf.MatchString(got) {
					t.Errorf("got\n%s", got)
				}
			case tc.want == "" && got != "" && !strings.HasPrefix(got, "SIP/2.0 400"), tc.want != "" && !strings.HasPrefix(got, tc.want):
				t.Errorf("got %.200q, want %q", got, tc.want)
			}
			if strings.HasPrefix(got, "SIP/2.0 200") && strings.Contains(got, "INVITE") {
				to := tag(t, got)
				w.torture(i, strings.Replace(strings.Replace(req("BYE", "12345"), "To: <sip:12345@127.0.0.1>", "To: <sip:12345@127.0.0.1>;tag="+to, 1), "1 BYE", "2 BYE", 1))
			}
		})
	}
	alive(t, e)
}

// alive shows that the stack still takes a call and forgot all others.
func alive(t *testing.T, e *engine) {
	t.Helper()
	run(t, "in.xml", e).wait()
	for _, c := range e.all() {
		_ = c.Hangup(16)
	}
}

// Noise of every kind leaves nothing behind: neither calls nor goroutines.
func TestGarbage(t *testing.T) {
	if testing.Short() {
		return
	}
	e := start(t, func(c *sip.Config) { c.Clock = hurry(16) }) // some calls wait 32 s for an ACK
	e.when(accept)
	before := runtime.NumGoroutine()
	w := dialWire(t, e)
	r := rand.New(rand.NewPCG(1, 2))
	whole := []byte(strings.ReplaceAll(w.request("INVITE", 1, "a", "", "Require: 100rel", "Session-Expires: 90"), "\n", "\r\n"))
	for i := range 3000 {
		b := append([]byte(nil), whole...)
		switch i % 4 {
		case 0: // pure noise
			b = make([]byte, r.IntN(600))
			for j := range b {
				b[j] = byte(r.Uint32())
			}
		case 1: // cut
			b = b[:r.IntN(len(b))]
		default: // a few bytes changed, outside of what makes it one transaction more
			for range 1 + r.IntN(6) {
				b[r.IntN(len(b))] = byte(r.Uint32())
			}
		}
		_, _ = w.conn.WriteTo(b, w.to)
		if i%100 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	for i := range 20 {
		c, err := net.Dial("tcp", e.stack.Addr())
		if err != nil {
			t.Fatal(err)
		}
		b := append([]byte(nil), whole...)
		b[r.IntN(len(b))] = byte(r.Uint32())
		_, _ = c.Write(b[:len(b)-r.IntN(40)])
		if i%2 == 0 {
			_, _ = c.Write([]byte(strings.Repeat("\r\n\r\nnonsense\r\n", 50)))
		}
		c.Close()
	}
	alive(t, e)
	go func() {
		for { // the calls that came of it are hung up
			m := w.read(time.Minute)
			if m == "" {
				return
			}
			if strings.HasPrefix(m, "BYE") {
				w.send(respond(m, 200))
			}
		}
	}()
	defer w.conn.Close()
	before++
	for range 300 { // what rang or waited for an ACK is over
		if e.stack.Calls() == 0 && runtime.NumGoroutine() <= before+2 {
			return
		}
		for _, c := range e.all() {
			_ = c.Hangup(16)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d calls, %d goroutines left (%d before)", e.stack.Calls(), runtime.NumGoroutine(), before)
}
