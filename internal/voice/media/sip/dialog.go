package sip

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	sg "github.com/emiago/sipgo/sip"

	"hotline/internal/clock"
)

// Dialog is all that rebuilds an answered call after a restart of the process.
type Dialog struct {
	CallID    string   `json:"id"`
	Local     string   `json:"l"` // our address, tag included
	Remote    string   `json:"r"`
	Target    string   `json:"t"` // the peer's Contact
	Routes    []string `json:"rr,omitempty"`
	Transport string   `json:"tp"`
	Dest      string   `json:"to,omitempty"` // where requests go whatever the target says
	Seq       uint32   `json:"s"`            // our last CSeq
	RemoteSeq uint32   `json:"rs"`
	Incoming  bool     `json:"in,omitempty"`
	Trunk     string   `json:"trunk,omitempty"`
	Phone     string   `json:"phone,omitempty"`
	DNIS      string   `json:"dnis,omitempty"`
	ANI       string   `json:"ani,omitempty"`
	Session   int      `json:"se,omitempty"`  // seconds of RFC 4028, 0 = no timer
	Refresher bool     `json:"ref,omitempty"` // we refresh
	Update    bool     `json:"upd,omitempty"` // the peer takes UPDATE
	Fresh     int64    `json:"at,omitempty"`  // last refresh, ms
	SDP       string   `json:"sdp,omitempty"` // our description, for a refresh by INVITE
}

// party is one end of a dialog.
type party struct {
	name string
	uri  sg.Uri
	tag  string
}

func (p party) params() sg.HeaderParams {
	if p.tag == "" {
		return nil
	}
	return sg.HeaderParams{{K: "tag", V: p.tag}}
}

func (p party) from() *sg.FromHeader {
	return &sg.FromHeader{DisplayName: p.name, Address: *p.uri.Clone(), Params: p.params()}
}

func (p party) to() *sg.ToHeader {
	return &sg.ToHeader{DisplayName: p.name, Address: *p.uri.Clone(), Params: p.params()}
}

func partyOf(value string) (party, error) {
	var p party
	var params sg.HeaderParams
	name, err := sg.ParseAddressValue(value, &p.uri, &params)
	p.name, p.tag = name, params.GetOr("tag", "")
	return p, err
}

// build makes a request inside the dialog (RFC 3261 12.2.1.1). c.mu is held.
func (c *Call) build(method sg.RequestMethod, number uint32) *sg.Request {
	uri, routes := *c.target.Clone(), c.routes
	if len(routes) > 0 && !loose(routes[0]) {
		var first sg.Uri
		if _, err := sg.ParseAddressValue(routes[0], &first, nil); err == nil {
			uri = first
			routes = append(routes[1:len(routes):len(routes)], "<"+c.target.String()+">")
		}
	}
	uri.Headers = nil
	req := sg.NewRequest(method, uri)
	for _, r := range routes {
		req.AppendHeader(sg.NewHeader("Route", r))
	}
	hops := sg.MaxForwardsHeader(70)
	id := sg.CallIDHeader(c.callID)
	req.AppendHeader(&hops)
	req.AppendHeader(c.local.from())
	req.AppendHeader(c.remote.to())
	req.AppendHeader(&id)
	req.AppendHeader(&sg.CSeqHeader{SeqNo: number, MethodName: method})
	req.AppendHeader(sg.NewHeader("Contact", c.s.contact(c.transport)))
	req.AppendHeader(sg.NewHeader("User-Agent", c.s.cfg.UserAgent))
	req.SetTransport(strings.ToUpper(c.transport))
	req.SetDestination(c.next())
	return req
}

// nextSeq numbers a new request. c.mu is held.
func (c *Call) nextSeq() uint32 {
	c.seq++
	return c.seq
}

// next is the address that requests of the dialog go to.
func (c *Call) next() string {
	if c.dest != "" {
		return c.dest
	}
	u := c.target
	if len(c.routes) > 0 {
		var first sg.Uri
		if _, err := sg.ParseAddressValue(c.routes[0], &first, nil); err == nil {
			u = first
		}
	}
	if _, err := netip.ParseAddr(strings.Trim(u.Host, "[]")); err != nil && c.source != "" {
		return c.source // a name of the carrier's own network, which no resolver of ours knows
	}
	return hostPort(&u, c.transport)
}

func hostPort(u *sg.Uri, transport string) string {
	port := u.Port
	if port == 0 {
		port = sg.DefaultPort(transport)
	}
	return net.JoinHostPort(strings.Trim(u.Host, "[]"), strconv.Itoa(port))
}

func loose(route string) bool {
	var u sg.Uri
	if _, err := sg.ParseAddressValue(route, &u, nil); err != nil {
		return true
	}
	return u.UriParams.Has("lr")
}

// learn takes the peer's Contact as the target from now on. c.mu is held.
func (c *Call) learn(m sg.Message) {
	for _, h := range m.GetHeaders("contact") {
		if ct, ok := h.(*sg.ContactHeader); ok && ct.Address.Host != "" && ct.Address.Host != "*" {
			c.target = *ct.Address.Clone()
			if t, ok := ct.Address.UriParams.Get("transport"); ok && (strings.EqualFold(t, "tcp") || strings.EqualFold(t, "tls")) {
				c.transport = strings.ToLower(t)
			}
			return
		}
	}
}

// record is the route set of a message, reversed for the caller's side.
func record(m sg.Message, reverse bool) []string {
	var out []string
	for _, h := range m.GetHeaders("record-route") {
		if rr, ok := h.(*sg.RecordRouteHeader); ok {
			out = append(out, "<"+rr.Address.String()+">")
		}
		if len(out) == 16 {
			break
		}
	}
	if reverse {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

// Record is the call as Restore wants it; ok is false while it is not up.
func (c *Call) Record() (d Dialog, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != up && c.state != answered {
		return d, false
	}
	return Dialog{CallID: c.callID, Local: c.local.from().Value(), Remote: c.remote.from().Value(), Target: c.target.String(), Routes: c.routes,
		Transport: c.transport, Dest: c.dest, Seq: c.seq, RemoteSeq: c.remoteSeq, Incoming: c.incoming, Trunk: c.trunk, Phone: c.phone, DNIS: c.dnis, ANI: c.ani,
		Session: int(c.session.interval / time.Second), Refresher: c.session.ours, Update: c.session.update, Fresh: clock.Millis(c.session.fresh), SDP: string(c.localSDP)}, true
}

// ErrDialog is a record that cannot be rebuilt.
var ErrDialog = errors.New("sip: unusable dialog record")

// Restore rebuilds an answered call: from then on it renegotiates and ends like
// any other. CSeq jumps ahead, so requests that the former process sent after
// its last record are not repeated under their number.
func (s *Stack) Restore(d Dialog) (*Call, error) {
	local, err := partyOf(d.Local)
	remote, err2 := partyOf(d.Remote)
	var target sg.Uri
	err3 := sg.ParseUri(d.Target, &target)
	if err = errors.Join(err, err2, err3); err != nil || d.CallID == "" || local.tag == "" {
		return nil, fmt.Errorf("%w: %w", ErrDialog, err)
	}
	c := &Call{s: s, id: d.CallID + ";" + local.tag, callID: d.CallID, incoming: d.Incoming, trunk: d.Trunk, phone: d.Phone, dnis: d.DNIS, ani: d.ANI,
		local: local, remote: remote, target: target, routes: d.Routes, transport: d.Transport, dest: d.Dest, seq: d.Seq + 10, remoteSeq: d.RemoteSeq,
		localSDP: []byte(d.SDP), state: up}
	if s.call(c.callID, local.tag) != nil {
		return nil, fmt.Errorf("%w: %s is there already", ErrDialog, c.id)
	}
	s.remember(c)
	c.mu.Lock()
	c.session.update = d.Update
	if d.Session > 0 {
		c.session.interval, c.session.ours = time.Duration(d.Session)*time.Second, d.Refresher
		c.watch(clock.FromMillis(d.Fresh))
	}
	c.mu.Unlock()
	return c, nil
}

// String is the record as JSON.
func (d Dialog) String() string {
	b, _ := json.Marshal(d) // strings and numbers only
	return string(b)
}
