package sip

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	sg "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"hotline/internal/clock"
)

func TestNumber(t *testing.T) {
	for in, want := range map[string]string{
		"12345": "12345", "+8613800138000": "13800138000", "008613800138000": "13800138000", "+86-27-8577 0000": "02785770000", "+8602785770000": "02785770000",
		"+8612345": "12345", "+864008001234": "4008001234", "+1 (212) 555-0100": "0012125550100", "13800138000;phone-context=+86": "13800138000",
		"anonymous": "", "unknown": "", "": "", "+": "", "*#": "", "alice": "", "138\x000": "", strings.Repeat("1", 40): "", "*57": "*57",
	} {
		if got := Number(in); got != want {
			t.Errorf("Number(%q) = %q, want %q", in, got, want)
		}
	}
}

func request(t *testing.T, lines ...string) *sg.Request {
	t.Helper()
	base := []string{"INVITE sip:12345@hotline SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "To: <sip:12345@hotline>", "Call-ID: a", "CSeq: 1 INVITE"}
	if !strings.HasPrefix(strings.Join(lines, "\n"), "From") && !strings.Contains(strings.Join(lines, "\n"), "\nFrom") {
		base = append(base, "From: <sip:13800138000@x>;tag=1")
	}
	m, err := sg.ParseMessage([]byte(strings.Join(append(append(base, lines...), "Content-Length: 0", "", ""), "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return m.(*sg.Request)
}

func TestCaller(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		lines      []string
		stranger   bool
	}{
		{"From", "13800138000", nil, false},
		{"P-Asserted-Identity goes first", "13900139000", []string{"P-Asserted-Identity: \"Z\" <sip:+8613900139000@ims>"}, false},
		{"tel beside sip", "13900139000", []string{"P-Asserted-Identity: <sip:someone@ims>, <tel:+8613900139000>"}, false},
		{"only a trunk asserts", "13800138000", []string{"P-Asserted-Identity: <sip:110@x>"}, true},
		{"Privacy: id", "", []string{"P-Asserted-Identity: <sip:13900139000@ims>", "Privacy: id"}, false},
		{"Privacy: user;critical", "", []string{"Privacy: user;critical"}, false},
		{"Privacy: none", "13800138000", []string{"Privacy: none"}, false},
		{"anonymous", "", []string{"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1"}, false},
		{"a tel From", "02785770000", []string{"From: <tel:+86-27-85770000>;tag=1"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := caller(request(t, tc.lines...), !tc.stranger); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestCalled(t *testing.T) {
	r := request(t)
	if got := called(r); got != "12345" {
		t.Error(got)
	}
	r.Recipient.User = "hotline" // a carrier that addresses our Contact
	r.To().Address.User = "+8612333"
	if got := called(r); got != "12333" {
		t.Error(got)
	}
	r.To().Address.User = "x"
	r.AppendHeader(sg.NewHeader("P-Called-Party-ID", "<sip:12366@ims>"))
	if got := called(r); got != "12366" {
		t.Error(got)
	}
}

func TestCarriedHeaders(t *testing.T) {
	h := carried(request(t, "Diversion: <sip:12333@a>;reason=unconditional", "diversion: <sip:12366@b>", "History-Info: <sip:1@x>;index=1", "P-Called-Party-ID: <sip:2@x>", "x-city: 4201", "Subject: no"))
	want := map[string]string{"Diversion": "<sip:12333@a>;reason=unconditional, <sip:12366@b>", "History-Info": "<sip:1@x>;index=1", "P-Called-Party-ID": "<sip:2@x>", "X-City": "4201"}
	if len(h) != len(want) {
		t.Errorf("%v", h)
	}
	for k, v := range want {
		if h[k] != v {
			t.Errorf("%s = %q, want %q", k, h[k], v)
		}
	}
}

// Every cause that we send refuses with a code that means the same coming back,
// or something as general.
func TestCauses(t *testing.T) {
	for cause, code := range map[int]int{1: 404, 17: 486, 21: 603, 28: 484, 34: 503, 65: 488, 102: 504} {
		if got := Code(cause); got != code {
			t.Errorf("Code(%d) = %d, want %d", cause, got, code)
		}
	}
	for code, cause := range map[int]int{0: 16, 200: 16, 404: 1, 408: 102, 480: 18, 486: 17, 487: 16, 484: 28, 488: 65, 503: 41, 600: 17, 603: 21, 699: 31} {
		if got := Cause(code); got != cause {
			t.Errorf("Cause(%d) = %d, want %d", code, got, cause)
		}
	}
	for c := range 128 {
		if code := Code(c); code < 400 || code > 699 || phrase(code) == "Unknown" {
			t.Errorf("Code(%d) = %d %s", c, code, phrase(code))
		}
	}
	if got := reason(request(t, "Reason: SIP;cause=200", `Reason: Q.850 ;cause=31;text="x"`), 16); got != 31 {
		t.Error(got)
	}
	if got := reason(request(t, "Reason: Q.850;cause=999"), 16); got != 16 {
		t.Error(got)
	}
}

func TestDigest(t *testing.T) {
	v := clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, clock.Shanghai))
	d := newDoor(v, []byte("secret"), "hotline")
	const ha1 = "0123456789abcdef0123456789abcdef"
	from := netip.MustParseAddr("192.0.2.7")
	try := func(nonce string, nc int, a1 string) (int, bool) {
		cred, err := digest.Digest(&digest.Challenge{Realm: "hotline", Nonce: nonce, Algorithm: "MD5", QOP: []string{"auth"}},
			digest.Options{Method: "REGISTER", URI: "sip:hotline", Username: "8001", Count: nc, A1: a1})
		if err != nil {
			t.Fatal(err)
		}
		code, extra := d.check("REGISTER", cred.String(), "8001", ha1, from)
		return code, len(extra) > 0 && strings.Contains(extra[0].Value(), "stale=true")
	}
	n := d.nonce()
	if code, _ := try(n, 1, ha1); code != 0 {
		t.Errorf("right credentials: %d", code)
	}
	if code, stale := try(n, 1, ha1); code != 401 || !stale {
		t.Errorf("replay: %d %t", code, stale)
	}
	if code, _ := try(n, 2, ha1); code != 0 {
		t.Errorf("next count: %d", code)
	}
	v.Advance(nonceLife)
	if code, stale := try(n, 3, ha1); code != 401 || !stale {
		t.Errorf("old nonce: %d %t", code, stale)
	}
	if code, stale := try("forged", 1, ha1); code != 401 || stale {
		t.Errorf("forged nonce: %d %t", code, stale)
	}
	n = d.nonce()
	for i := range maxTries {
		if code, _ := try(n, i+1, "wrong"); code != 401 {
			t.Errorf("wrong secret: %d", code)
		}
	}
	if code, _ := try(d.nonce(), 1, ha1); code != 403 {
		t.Errorf("locked out: %d", code)
	}
	if code, _ := d.check("REGISTER", "", "8001", ha1, from); code != 401 {
		t.Errorf("asking for a nonce: %d", code)
	}
	v.Advance(lockedOut)
	if code, _ := try(d.nonce(), 1, ha1); code != 0 {
		t.Errorf("after the lock-out: %d", code)
	}
	for _, bad := range []string{"Basic x", "Digest", `Digest nc=zz`, `Digest username="8001"`} {
		if code, _ := d.check("REGISTER", bad, "8001", ha1, from); code != 400 && code != 401 {
			t.Errorf("%q: %d", bad, code)
		}
	}
}

func TestFrame(t *testing.T) {
	for in, want := range map[string]int{
		"":                                    0,
		"A\r\nContent-Length: 0\r\n\r\n":      24,
		"A\r\nl: 3\r\n\r\nabcdef":             14,
		"A\r\nContent-Length : 4\r\n\r\nabc":  0,
		"A\r\nVia: x\r\n\r\n":                 -1,
		"A\r\nl: 3\r\nl: 4\r\n\r\nabcdef":     -1,
		"A\r\nl: -3\r\n\r\n":                  -1,
		"A\r\nl: 99999\r\n\r\n":               -1,
		strings.Repeat("x", 40<<10):           -1,
		"A\r\nl: 3\r\nL: 3\r\n\r\nabcdef":     20,
		"A\r\nContent-Length: 65535\r\n\r\nx": -1,
	} {
		n, err := frame([]byte(in))
		if err != nil {
			n = -1
		}
		if n != want {
			t.Errorf("frame(%.40q) = %d, want %d", in, n, want)
		}
	}
}

func TestTimers(t *testing.T) {
	v := clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, clock.Shanghai))
	ts := newTimers(v)
	defer ts.close()
	ran := make(chan int, 10)
	ts.after(3*time.Second, func() { ran <- 3 })
	ts.after(time.Second, func() { ran <- 1 })
	ts.after(2*time.Second, func() { ran <- 2 }).stop()
	for _, want := range []int{1, 3} {
		for got := 0; got == 0; {
			v.Advance(500 * time.Millisecond)
			select {
			case got = <-ran:
				if got != want {
					t.Fatalf("%d ran, want %d", got, want)
				}
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	var none *timer
	none.stop()
}

func TestAllowance(t *testing.T) {
	v := clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, clock.Shanghai))
	ts := trunks{s: &Stack{clock: v}, rates: map[string]*bucket{}}
	tr := trunk{}.Trunk
	tr.PerANI = 6
	outside := netip.MustParseAddr("192.0.2.1")
	count := func(ani string, from netip.Addr) (n int) {
		for range 200 {
			if ts.allowed(tr, ani, from) {
				n++
			}
		}
		return n
	}
	if n := count("13800138000", outside); n != 6 {
		t.Errorf("%d calls in one moment, want 6", n)
	}
	v.Advance(10 * time.Second)
	if n := count("13800138000", outside); n != 1 {
		t.Errorf("%d calls after 10 s, want 1", n)
	}
	if n := count("", outside); n != 200 {
		t.Errorf("withheld numbers held at %d", n)
	}
	if n := count("13900139000", netip.MustParseAddr("127.0.0.1")); n != 200 {
		t.Errorf("loopback held at %d", n)
	}
}
