package sdp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

var here = netip.MustParseAddr("192.0.2.9")

const carrier = `v=0
o=SBC 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 40000 RTP/AVP 18 8 0 96 101
a=rtpmap:18 G729/8000
a=rtpmap:96 AMR-WB/16000
a=rtpmap:101 telephone-event/8000
a=rtpmap:102 telephone-event/16000
a=fmtp:101 0-15
a=ptime:20
a=rtcp:40009
`

func parse(t *testing.T, s string) Offer {
	t.Helper()
	o, err := Parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOfferOfACarrier(t *testing.T) {
	o := parse(t, carrier)
	if v, _ := o.Voice(); v != (Codec{8, PCMA}) {
		t.Errorf("voice %v", v)
	}
	if pt, ok := o.Events(); !ok || pt != 101 {
		t.Errorf("events %d", pt)
	}
	if o.Addr.String() != "192.0.2.1" || o.Port != 40000 || o.RTCPPort != 40009 || o.Dir != SendRecv || o.Ptime != 20 || o.Held() || o.Secure {
		t.Errorf("%+v", o)
	}
}

func TestAnswer(t *testing.T) {
	with := func(extra string) string { return carrier + extra }
	for _, tc := range []struct {
		name, offer string
		local       Dir
		want, not   []string
	}{
		{"the peer's first G.711 and its events", carrier, "", []string{"m=audio 30000 RTP/AVP 8 101\r\n", "a=sendrecv", "c=IN IP4 192.0.2.9"}, []string{"G729", "rtcp-mux"}},
		{"µ-law first", strings.Replace(carrier, "18 8 0 96 101", "0 8 101", 1), "", []string{"RTP/AVP 0 101\r\n"}, nil},
		{"another number for events", strings.ReplaceAll(carrier, "101", "97"), "", []string{"RTP/AVP 8 97\r\n", "a=fmtp:97 0-15"}, nil},
		{"no events", "v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 8\n", "", []string{"RTP/AVP 8\r\n"}, []string{"telephone-event"}},
		{"hold", with("a=sendonly\n"), "", []string{"a=recvonly"}, nil},
		{"both hold", with("a=inactive\n"), SendOnly, []string{"a=inactive"}, nil},
		{"we hold", carrier, SendOnly, []string{"a=sendonly"}, nil},
		{"they hold, we hold", with("a=sendonly\n"), SendOnly, []string{"a=inactive"}, nil},
		{"video is refused", with("m=video 50000 RTP/AVP 99\n"), "", []string{"m=audio 30000", "m=video 0 RTP/AVP 99"}, nil},
		{"fax before voice is refused", "v=0\nc=IN IP4 192.0.2.1\nm=image 9 udptl t38\nm=audio 4 RTP/AVP 8\n", "", []string{"m=image 0 udptl t38\r\nm=audio 30000"}, nil},
		{"the second audio stream counts when the first is closed", "v=0\nc=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 8\nm=audio 4 RTP/AVP 8\n", "", []string{"m=audio 0 RTP/AVP 8\r\nm=audio 30000"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := parse(t, tc.offer).Answer(Local{Addr: here, Port: 30000, Session: 7, Version: 2, Dir: tc.local, RTCPMux: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range tc.want {
				if !strings.Contains(string(b), w) {
					t.Errorf("no %q in\n%s", w, b)
				}
			}
			for _, n := range tc.not {
				if strings.Contains(string(b), n) {
					t.Errorf("%q in\n%s", n, b)
				}
			}
			if len(b) > 400 {
				t.Errorf("%d bytes", len(b))
			}
		})
	}
}

func TestSecureOffer(t *testing.T) {
	o := parse(t, "v=0\nc=IN IP6 2001:db8::1\nm=audio 4 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJD|2^20\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:QUJD|2^20|1:4\na=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:QUJD UNENCRYPTED_SRTP\na=crypto:x y z\na=rtcp-mux\n")
	if !o.Secure || len(o.Crypto) != 1 || o.Crypto[0] != (Crypto{1, "AES_CM_128_HMAC_SHA1_80", "QUJD"}) || !o.RTCPMux || o.RTCPPort != 4 {
		t.Errorf("%+v", o)
	}
	b, err := o.Answer(Local{Addr: here, Port: 6, RTCPMux: true, Crypto: &Crypto{1, "AES_CM_128_HMAC_SHA1_80", "WFla"}})
	if err != nil || !strings.Contains(string(b), "RTP/SAVP 8") || !strings.Contains(string(b), "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WFla") || !strings.Contains(string(b), "a=rtcp-mux") {
		t.Errorf("%s %v", b, err)
	}
}

// What we offer, we understand; it is small.
func TestBuild(t *testing.T) {
	b := Build(Local{Addr: here, Port: 30000, Session: 1 << 60, Version: 1 << 40, Dir: SendOnly})
	o := parse(t, string(b))
	if len(o.Media) != 3 || o.Media[0].Name != PCMA || o.Port != 30000 || o.Dir != SendOnly || o.Addr != here || !o.Held() {
		t.Errorf("%+v\n%s", o, b)
	}
	if len(b) > 400 {
		t.Errorf("%d bytes", len(b))
	}
}

func TestHold(t *testing.T) {
	for _, tc := range []struct {
		extra string
		want  bool
	}{{"", false}, {"a=sendonly\n", true}, {"a=inactive\n", true}, {"a=recvonly\n", false}, {"c=IN IP4 0.0.0.0\n", true}} {
		if got := parse(t, carrier+tc.extra).Held(); got != tc.want {
			t.Errorf("%q: held %t", tc.extra, got)
		}
	}
}

func TestUnusable(t *testing.T) {
	for in, want := range map[string]error{
		"": ErrLine, "v=1\n": ErrLine, "v=0\nx\n": ErrLine, "v=0\ns=-\n": ErrAudio, "v=0\nm=audio 4 RTP/AVP 8\n": ErrAddr, "v=0\nc=IN IP4 host.example\nm=audio 4 RTP/AVP 8\n": ErrAddr,
		"v=0\nm=audio 70000 RTP/AVP 8\n": ErrLine, "v=0\nm=audio -1 RTP/AVP 8\n": ErrLine, "v=0\nm=audio 4\n": ErrLine, "v=0\nm=video 4 RTP/AVP 8\n": ErrAudio,
		"v=0\n" + strings.Repeat("a=x\n", 600): ErrSize, "v=0\n" + strings.Repeat("m=x 1 y 2\n", 20): ErrSize, strings.Repeat("x", 17<<10): ErrSize,
	} {
		if _, err := Parse([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", in, err, want)
		}
	}
	o := parse(t, "v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 18\n")
	if _, err := o.Answer(Local{Addr: here, Port: 2}); !errors.Is(err, ErrCodec) {
		t.Error(err)
	}
}

// FuzzParse: never a panic, and whatever parses can be answered with something
// that parses and has as many streams.
func FuzzParse(f *testing.F) {
	f.Add([]byte(carrier))
	f.Add([]byte("v=0\r\nc=IN IP6 ::1\r\nm=audio 0 RTP/SAVP 8 8 8\r\na=crypto:1 a inline:b|c\r\na=inactive\r\nm=image 1 udptl t38\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := Parse(b)
		if err != nil {
			return
		}
		a, err := o.Answer(Local{Addr: here, Port: 30000, RTCPMux: true})
		if err != nil {
			return
		}
		back, err := Parse(a)
		if err != nil {
			t.Fatalf("%v in our answer\n%s", err, a)
		}
		if len(back.streams) != len(o.streams) {
			t.Fatalf("%d streams answered with %d", len(o.streams), len(back.streams))
		}
	})
}
