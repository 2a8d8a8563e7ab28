package sip

import (
	"errors"
	"strings"
	"testing"

	sg "github.com/emiago/sipgo/sip"
)

func uri(t *testing.T, s string) sg.Uri {
	t.Helper()
	var u sg.Uri
	if err := sg.ParseUri(s, &u); err != nil {
		t.Fatal(err)
	}
	return u
}

// Where a request inside a dialog goes, and what it says (RFC 3261 12.2.1.1).
func TestRoutes(t *testing.T) {
	for _, tc := range []struct {
		name, target, transport, dest, source string
		routes                                []string
		line, to                              string
		headers                               []string
	}{
		{name: "straight", target: "sip:a@192.0.2.1:5070", line: "BYE sip:a@192.0.2.1:5070 SIP/2.0", to: "192.0.2.1:5070"},
		{name: "default port", target: "sip:a@192.0.2.1", line: "BYE sip:a@192.0.2.1 SIP/2.0", to: "192.0.2.1:5060"},
		{name: "TLS default port", target: "sip:a@192.0.2.1", transport: "tls", line: "BYE sip:a@192.0.2.1 SIP/2.0", to: "192.0.2.1:5061"},
		{name: "IPv6", target: "sip:a@[2001:db8::1]", line: "BYE sip:a@[2001:db8::1] SIP/2.0", to: "[2001:db8::1]:5060"},
		{name: "loose route", target: "sip:a@192.0.2.1", routes: []string{"<sip:192.0.2.8;lr>", "<sip:192.0.2.9;lr>"}, line: "BYE sip:a@192.0.2.1 SIP/2.0", to: "192.0.2.8:5060",
			headers: []string{"<sip:192.0.2.8;lr>", "<sip:192.0.2.9;lr>"}},
		{name: "strict route", target: "sip:a@192.0.2.1", routes: []string{"<sip:192.0.2.8>", "<sip:192.0.2.9;lr>"}, line: "BYE sip:192.0.2.8 SIP/2.0", to: "192.0.2.8:5060",
			headers: []string{"<sip:192.0.2.9;lr>", "<sip:a@192.0.2.1>"}},
		{name: "a name only the carrier knows", target: "sip:a@ims.internal", source: "192.0.2.7:5060", line: "BYE sip:a@ims.internal SIP/2.0", to: "192.0.2.7:5060"},
		{name: "a phone behind NAT", target: "sip:8001@10.0.0.5:5060", dest: "203.0.113.9:31000", line: "BYE sip:8001@10.0.0.5:5060 SIP/2.0", to: "203.0.113.9:31000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &Call{s: &Stack{host: "192.0.2.100", port: 5060, cfg: Config{UserAgent: "hotline"}}, callID: "x", transport: or(tc.transport, "udp"), dest: tc.dest, source: tc.source,
				target: uri(t, tc.target), routes: tc.routes, local: party{uri: uri(t, "sip:1@h"), tag: "l"}, remote: party{name: "甲", uri: uri(t, "sip:2@r"), tag: "r"}}
			req := c.build(sg.BYE, 7)
			if got := req.StartLine(); got != tc.line {
				t.Errorf("line %s, want %s", got, tc.line)
			}
			if got := req.Destination(); got != tc.to {
				t.Errorf("to %s, want %s", got, tc.to)
			}
			if got := strings.Join(values(req, "route"), " "); got != strings.Join(tc.headers, " ") {
				t.Errorf("routes %s", got)
			}
			if toTag(req) != "r" || fromTag(req) != "l" || seq(req) != 7 {
				t.Errorf("not in the dialog:\n%s", req)
			}
		})
	}
}

// The route set is the Record-Route, reversed for the side that called.
func TestRouteSet(t *testing.T) {
	req := request(t, "Record-Route: <sip:a;lr>, <sip:b;lr>", "Record-Route: <sip:c;lr>")
	if got := strings.Join(record(req, false), ""); got != "<sip:a;lr><sip:b;lr><sip:c;lr>" {
		t.Error(got)
	}
	if got := strings.Join(record(req, true), ""); got != "<sip:c;lr><sip:b;lr><sip:a;lr>" {
		t.Error(got)
	}
}

func TestUnusableRecords(t *testing.T) {
	s := &Stack{calls: map[string]*Call{}}
	good := Dialog{CallID: "x", Local: "<sip:1@h>;tag=l", Remote: "<sip:2@r>;tag=r", Target: "sip:2@192.0.2.1"}
	for name, spoil := range map[string]func(*Dialog){
		"no call": func(d *Dialog) { d.CallID = "" }, "no tag": func(d *Dialog) { d.Local = "<sip:1@h>" }, "no peer": func(d *Dialog) { d.Remote = "" }, "no target": func(d *Dialog) { d.Target = "" },
	} {
		d := good
		spoil(&d)
		if _, err := s.Restore(d); !errors.Is(err, ErrDialog) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nothing a caller of Dial passes breaks out of its header.
func TestHeadersOfDial(t *testing.T) {
	for k, v := range map[string]string{"X-A": "a\r\nVia: b", "Via": "x", "X-\nB": "c", "X-Long": strings.Repeat("x", 600), "Content-Length": "3", "X-": "", "Route": "<sip:x>"} {
		if _, err := headers(DialOpts{ANI: "1", Headers: map[string]string{k: v}}); !errors.Is(err, ErrHeader) {
			t.Errorf("%q: %.20q went through", k, v)
		}
	}
	hs, err := headers(DialOpts{Headers: map[string]string{"x-ticket": "42", "diversion": "<sip:12333@x>"}})
	if err != nil || len(hs) != 3 {
		t.Errorf("%v %v", hs, err)
	}
}
