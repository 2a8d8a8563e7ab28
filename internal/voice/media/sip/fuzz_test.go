package sip

import (
	"bytes"
	"testing"

	sg "github.com/emiago/sipgo/sip"
)

var seeds = []string{
	"INVITE sip:12345@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport\r\nFrom: \"A\" <sip:1@x>;tag=1\r\nTo: <sip:2@y>;tag=2\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nContact: <sip:1@192.0.2.1>;expires=3, *\r\nRecord-Route: <sip:p;lr>, <sip:q>\r\nSession-Expires: 90;refresher=uac\r\nRequire: 100rel, timer\r\nP-Asserted-Identity: <tel:+8613800138000>\r\nPrivacy: id\r\nReason: Q.850;cause=16\r\nRAck: 1 2 INVITE\r\nRefer-To: <sip:1@x?Replaces=a%3Bto-tag%3D1>\r\nDiversion: <sip:3@z>\r\nContent-Type: multipart/mixed;boundary=b\r\nContent-Length: 60\r\n\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n",
	"SIP/2.0 200 OK\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nf: <sip:1@x>;tag=1\r\nt: <sip:2@y>;tag=2\r\ni: a\r\nCSeq: 1 INVITE\r\nRSeq: 7\r\nx: 90\r\nl: 0\r\n\r\n",
	"REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/TCP [::1]:5060;branch=z9hG4bKx\r\nFrom: sip:8001@h;tag=a\r\nTo: sip:8001@h\r\nCall-ID: r\r\nCSeq: 2 REGISTER\r\nAuthorization: Digest username=\"8001\", realm=\"hotline\", nonce=\"x\", uri=\"sip:h\", response=\"y\", nc=00000001, cnonce=\"z\", qop=auth\r\nContact: *\r\nExpires: 0\r\nContent-Length: 0\r\n\r\n",
}

// FuzzMessage runs whatever parses through all that reads headers; the library's
// parser itself runs bare, to learn whether it ever panics.
func FuzzMessage(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	s := &Stack{cfg: Config{SessionExpires: 1, MinSE: 1}}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := sg.ParseMessage(data)
		if err != nil {
			return
		}
		_, _ = sdpOf(m)
		_ = record(m, true)
		_, _ = interval(m)
		_ = refresher(m)
		if n := reason(m, 16); n < 1 || n > 127 {
			t.Errorf("cause %d", n)
		}
		var c Call
		c.learn(m)
		_ = c.next()
		_ = m.String()
		req, ok := m.(*sg.Request)
		if !ok || req.From() == nil || req.To() == nil {
			return
		}
		_ = s.sound(req)
		_, _ = caller(req, true), called(req)
		for k, v := range carried(req) {
			if len(v) > 1024 || len(k) > 70 {
				t.Errorf("%d bytes carried", len(v))
			}
		}
		_ = unsupported(req)
		var ses session
		ses.fromInvite(s, req)
		_, _, _ = rack(header(req, "rack"))
		_ = relayed(string(req.Body()))
		if to := req.ReferTo(); to != nil {
			_, _ = replaced(&to.Address)
		}
		d := newDoor(nil, nil, "hotline")
		_, _ = d.fresh(header(req, "authorization"))
	})
}

// FuzzFrame: however a stream is cut, no message is longer than what is there.
func FuzzFrame(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := frame(data)
		if err != nil {
			return
		}
		if n < 0 || n > len(data) {
			t.Fatalf("%d of %d", n, len(data))
		}
		if n > 0 && !bytes.Contains(data[:n], []byte("\r\n\r\n")) {
			t.Fatal("a message without an end of its headers")
		}
	})
}

func FuzzNumber(f *testing.F) {
	f.Add("+86 138-0013-8000")
	f.Add("+8600")
	f.Add("+860086 12345")
	f.Fuzz(func(t *testing.T, in string) {
		n := Number(in)
		if len(n) > 32 || Number(n) != n {
			t.Errorf("Number(%q) = %q, again %q", in, n, Number(n))
		}
	})
}

// FuzzSplitList: nothing is lost but commas and space.
func FuzzSplitList(f *testing.F) {
	f.Add(`"a, b" <sip:x,y@z>, <tel:1>`)
	f.Fuzz(func(t *testing.T, in string) {
		total := 0
		for p := range splitList(in) {
			total += len(p)
		}
		if total > len(in) {
			t.Errorf("%d of %d bytes", total, len(in))
		}
	})
}
