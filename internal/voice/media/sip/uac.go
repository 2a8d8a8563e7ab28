package sip

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	sg "github.com/emiago/sipgo/sip"

	"hotline/internal/voice/media"
)

// DialOpts shapes an outgoing call.
type DialOpts struct {
	ANI     string            // the number shown; "" = withheld
	Headers map[string]string // X-Ticket, Diversion …
	Offer   []byte            // our description; empty = the peer offers in its 200
	Secure  []byte            // that of encrypted sound, for trunks and phones that take no other
	Timeout time.Duration     // until no answer; 0 = 30 s
}

// outgoing is what only the calling side has.
type outgoing struct {
	tx          *sg.ClientTx
	provisional bool // the peer has responded: a CANCEL may go
	wanted      bool // a CANCEL is wanted
	cancelled   bool // and sent
	cause       int
	ack         *sg.Request // of the last 2xx, to be repeated
	rseq        uint32
	raised      bool          // asked again after 422
	agreed      bool          // the late offer has been answered in a PRACK
	rest        []media.Trunk // to be tried when this one does not take the call
	authed      bool          // this trunk has had our credentials
}

// Why a call cannot go out.
var (
	ErrTrunk  = errors.New("sip: no such trunk is up")
	ErrPhone  = errors.New("sip: the phone is not registered")
	ErrTarget = errors.New("sip: no number to call")
	ErrHeader = errors.New("sip: unusable header")
)

func random() string {
	var b [12]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// Dial begins a call to a trunk or a phone. It returns at once; Progress,
// Answered and Ended tell the rest.
func (s *Stack) Dial(t media.Target, o DialOpts) (*Call, error) {
	if s.closed.Load() {
		return nil, net.ErrClosed
	}
	c := &Call{s: s, callID: random(), ani: o.ANI, dnis: t.Value}
	c.local = party{uri: sg.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}, tag: "h" + random()}
	if o.ANI != "" {
		if Number(o.ANI) == "" {
			return nil, ErrTarget
		}
		c.local.uri = sg.Uri{Scheme: "sip", User: o.ANI, Host: s.host}
	}
	if err := s.aim(c, t); err != nil {
		return nil, err
	}
	c.remote = party{uri: sg.Uri{Scheme: "sip", User: c.target.User, Host: c.target.Host, Port: c.target.Port}}
	c.id = c.callID + ";" + c.local.tag
	c.session.interval = s.cfg.SessionExpires
	extra, err := headers(o)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.localSDP = o.Offer; c.secure {
		c.localSDP = o.Secure
	}
	c.invite = c.newInvite(c.localSDP, extra)
	s.remember(c)
	wait := o.Timeout
	if wait <= 0 {
		wait = 30 * time.Second
	}
	c.noAnswer = s.timers.after(wait, c.unanswered)
	go c.calling(c.invite)
	return c, nil
}

// unanswered gives up a call that nobody took.
func (c *Call) unanswered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state != early:
	case c.incoming:
		c.finish(End{Code: 480, Cause: 19, By: "timer"})
		c.refused(480, 19, "")
	default:
		c.finish(End{Code: 408, Cause: 19, By: "timer"})
		c.cancel(19)
	}
}

// aim sets where the INVITE goes.
func (s *Stack) aim(c *Call, t media.Target) error {
	switch t.Kind {
	case media.ToTrunk:
		number := Number(t.Value)
		if number == "" {
			return ErrTarget
		}
		list := s.trunks.candidates(t.Trunk)
		if len(list) == 0 {
			return ErrTrunk
		}
		if err := c.toTrunk(list[0], number); err != nil {
			return err
		}
		for _, tr := range list[1:] { // the offer is made for one kind of sound
			if tr.SRTP == c.secure {
				c.out.rest = append(c.out.rest, tr)
			}
		}
	case media.ToPhone:
		b, ok := s.reg.lookup(t.Value)
		if !ok {
			return ErrPhone
		}
		c.phone, c.target, c.dest, c.transport, c.secure = t.Value, *b.contact.Clone(), b.dest, b.transport, s.reg.encrypted(t.Value)
	default:
		return ErrTarget
	}
	return nil
}

// headers are the extra lines of an INVITE; nothing may break out of its line.
func headers(o DialOpts) ([]sg.Header, error) {
	var out []sg.Header
	for k, v := range o.Headers {
		name := textproto.CanonicalMIMEHeaderKey(k)
		if v == "" || len(v) > 512 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("%w: %s", ErrHeader, clip(k, 40))
		}
		switch {
		case strings.HasPrefix(name, "X-") && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }):
		case name == "Diversion", name == "History-Info", name == "P-Asserted-Identity", name == "P-Called-Party-Id", name == "Alert-Info", name == "Call-Info":
		default:
			return nil, fmt.Errorf("%w: %s", ErrHeader, clip(k, 40))
		}
		out = append(out, sg.NewHeader(canonical(name), v))
	}
	if o.ANI == "" {
		out = append(out, sg.NewHeader("Privacy", "id"))
	}
	return out, nil
}

// newInvite is an INVITE of ours, first or renegotiating. c.mu is held.
func (c *Call) newInvite(offer []byte, extra []sg.Header) *sg.Request {
	req := c.build(sg.INVITE, c.nextSeq())
	if c.remote.tag == "" && c.phone == "" && c.ani != "" {
		req.AppendHeader(sg.NewHeader("P-Asserted-Identity", "<"+c.local.uri.String()+">"))
	}
	req.AppendHeader(sg.NewHeader("Allow", allow))
	req.AppendHeader(sg.NewHeader("Supported", "timer, 100rel"))
	for _, h := range c.session.propose(c.remote.tag == "") {
		req.AppendHeader(h)
	}
	for _, h := range extra {
		req.AppendHeader(h)
	}
	if len(offer) > 0 {
		req.AppendHeader(sg.NewHeader("Content-Type", "application/sdp"))
	}
	req.SetBody(offer)
	return req
}

// calling follows the INVITE until its final response.
func (c *Call) calling(req *sg.Request) {
	for req != nil {
		ctx, cancel := ctxLong()
		tx, err := c.s.begin(ctx, req)
		cancel()
		if err != nil {
			req = c.lost(req, err)
			continue
		}
		c.hurry(tx)
		req = c.follow(tx, req)
	}
}

// follow reads one INVITE's responses; it returns the INVITE that takes its place, if any.
func (c *Call) follow(tx *sg.ClientTx, req *sg.Request) *sg.Request {
	tx.OnRetransmission(c.s.stray)
	for {
		select {
		case <-tx.Done():
			return c.lost(req, tx.Err())
		case res := <-tx.Responses():
			switch {
			case res.StatusCode < 200:
				c.progress(req, res)
			case res.StatusCode < 300:
				tx.Terminate() // a repeated 200 comes to stray
				c.accepted(req, res)
				return nil
			default:
				c.s.keepAck(req, res)
				tx.Terminate()
				return c.failed(req, res)
			}
		}
	}
}

// lost: the INVITE got no final response; another trunk may take its place.
func (c *Call) lost(req *sg.Request, err error) *sg.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	if next := c.elsewhere(req); next != nil {
		c.s.leave(req)
		return next
	}
	e := End{Code: 408, Cause: 102, By: "timer"}
	if err != nil && !errors.Is(err, sg.ErrTransactionTimeout) {
		e = End{Code: 503, Cause: 38, By: "party"}
	}
	if c.finish(e) {
		c.s.log.Warn("call not placed", "call", c.id, "trunk", c.trunk, "err", err)
	}
	go c.s.forget(c)
	return nil
}

// progress is a 1xx.
func (c *Call) progress(req *sg.Request, res *sg.Response) {
	body, _ := sdpOf(res)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.provisional = true
	if c.out.wanted && !c.out.cancelled {
		c.sendCancel(req)
	}
	if res.StatusCode == 100 || c.state == ended {
		return
	}
	tag := toTag(res)
	if tag != "" && tag != c.remote.tag { // the first, or another branch of a fork
		c.remote.tag, c.out.rseq = tag, 0
		c.routes = record(res, true)
	}
	c.learn(res)
	if !c.reliable(req, res, body) {
		return
	}
	code := res.StatusCode
	c.post(func() { c.s.h.Progress(c, code, body) })
}

// accepted is the 200. A call that was given up meanwhile is acknowledged and ended.
func (c *Call) accepted(req *sg.Request, res *sg.Response) {
	body, _ := sdpOf(res)
	c.mu.Lock()
	c.remote.tag, c.routes = toTag(res), record(res, true)
	c.learn(res)
	gone := c.state == ended
	var answer []byte
	if !gone && len(req.Body()) == 0 && len(body) > 0 && !c.out.agreed { // the offer comes late, the ACK answers it
		c.mu.Unlock()
		a, code := c.ask(body)
		c.mu.Lock()
		if answer = a; code != 200 {
			answer = nil
			gone = true
			c.finish(End{Code: 488, Cause: 65, By: "platform"})
		} else {
			c.localSDP = a
		}
		gone = gone || c.state == ended
	}
	defer c.mu.Unlock()
	c.ackWith(req, answer)
	if gone {
		c.bye(max(c.out.cause, 16))
		return
	}
	c.noAnswer.stop()
	c.state, c.peerSDP, c.invite, c.out.tx = up, body, nil, nil
	c.session.fromAnswer(res)
	c.watch(c.s.clock.Now())
	c.post(func() { c.s.h.Answered(c, body) })
}

// ackWith acknowledges a 2xx to req and keeps the ACK for its repetitions. c.mu is held.
func (c *Call) ackWith(req *sg.Request, answer []byte) {
	ack := c.build(sg.ACK, seq(req))
	if len(answer) > 0 {
		ack.AppendHeader(sg.NewHeader("Content-Type", "application/sdp"))
	}
	ack.SetBody(answer)
	c.s.via(ack, "")
	c.out.ack = ack
	if err := c.s.write(ack); err != nil {
		c.s.log.Warn("ACK not sent", "call", c.id, "err", err)
	}
}

// failed is a final response of 300 and above.
func (c *Call) failed(req *sg.Request, res *sg.Response) *sg.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	if res.StatusCode == 422 && c.state == early && !c.out.raised { // RFC 4028 7.3
		if se, ok := secondsOf(header(res, "min-se")); ok && se > c.session.interval && se < 24*time.Hour {
			c.out.raised, c.remote.tag = true, ""
			c.session.interval, c.session.minimum = se, se
			return c.anew(req)
		}
	}
	if c.state == early && !c.out.authed {
		if h := c.s.credentials(c.trunk, req, res); h != nil {
			c.out.authed, c.remote.tag = true, ""
			next := c.anew(req)
			next.AppendHeader(h)
			return next
		}
	}
	if res.StatusCode == 503 || res.StatusCode == 408 {
		if next := c.elsewhere(req); next != nil {
			return next
		}
	}
	cause := reason(res, Cause(res.StatusCode))
	c.finish(End{Code: res.StatusCode, Cause: cause, By: "party"})
	go c.s.forget(c)
	return nil
}

// cancel gives up a call that is not answered: at once when the peer has
// responded, else as soon as it does (RFC 3261 9.1). c.mu is held.
func (c *Call) cancel(cause int) {
	c.out.wanted, c.out.cause = true, cause
	if c.out.provisional && !c.out.cancelled {
		c.sendCancel(c.invite)
	}
}

// sendCancel sends CANCEL and bounds the wait for the INVITE's end. c.mu is held.
func (c *Call) sendCancel(invite *sg.Request) {
	c.out.cancelled = true
	tx := c.out.tx
	c.s.cancelling(cancelOf(invite, c.out.cause))
	c.s.timers.after(limit, func() {
		if tx != nil {
			tx.Terminate()
		}
	})
}

// cancelOf is the CANCEL of an INVITE.
func cancelOf(invite *sg.Request, cause int) *sg.Request {
	req := sg.NewRequest(sg.CANCEL, *invite.Recipient.Clone())
	req.AppendHeader(invite.Via().Clone())
	for _, name := range []string{"Route", "Max-Forwards", "From", "To", "Call-ID"} {
		sg.CopyHeaders(name, invite, req)
	}
	req.AppendHeader(&sg.CSeqHeader{SeqNo: seq(invite), MethodName: sg.CANCEL})
	req.AppendHeader(reasonHeader(cause))
	req.SetBody(nil)
	req.SetTransport(invite.Transport())
	req.SetDestination(invite.Destination())
	req.Laddr = invite.Laddr
	return req
}

func (s *Stack) cancelling(req *sg.Request) {
	go func() {
		ctx, cancel := ctxLong()
		defer cancel()
		if _, err := s.finalOf(ctx, req); err != nil {
			s.log.Debug("CANCEL without an answer", "call", callID(req), "err", err)
		}
	}()
}

// keepAck remembers the ACK of a refusal for as long as the refusal may be repeated.
func (s *Stack) keepAck(invite *sg.Request, res *sg.Response) {
	ack := sg.NewRequest(sg.ACK, *invite.Recipient.Clone())
	ack.AppendHeader(invite.Via().Clone())
	for _, name := range []string{"Route", "Max-Forwards", "From"} {
		sg.CopyHeaders(name, invite, ack)
	}
	sg.CopyHeaders("To", res, ack)
	sg.CopyHeaders("Call-ID", invite, ack)
	ack.AppendHeader(&sg.CSeqHeader{SeqNo: seq(invite), MethodName: sg.ACK})
	ack.SetBody(nil)
	ack.SetTransport(invite.Transport())
	ack.SetDestination(invite.Destination())
	ack.Laddr = invite.Laddr
	key := branch(invite)
	s.mu.Lock()
	s.acks[key] = ack
	s.mu.Unlock()
	s.timers.after(limit, func() {
		s.mu.Lock()
		delete(s.acks, key)
		s.mu.Unlock()
	})
}

// stray takes a response whose transaction is over: a repeated final one means
// that our ACK was lost; a 200 of another branch of a fork is ended; a trunk that
// rings too late is cancelled.
func (s *Stack) stray(res *sg.Response) {
	if res.CSeq() == nil || res.CSeq().MethodName != sg.INVITE || s.closed.Load() {
		return
	}
	if res.StatusCode < 200 {
		s.late(res)
		return
	}
	if res.StatusCode >= 300 {
		s.mu.Lock()
		ack := s.acks[branch(res)]
		s.mu.Unlock()
		if ack == nil {
			s.late(res)
			return
		}
		_ = s.write(ack)
		return
	}
	c := s.call(callID(res), fromTag(res))
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if toTag(res) == c.remote.tag {
		if c.out.ack != nil && seq(c.out.ack) == seq(res) {
			_ = s.write(c.out.ack)
		}
		return
	}
	to, err := partyOf(res.To().Value())
	if err != nil {
		return
	}
	fork := &Call{s: s, id: c.id + ";" + to.tag, callID: c.callID, local: c.local, remote: to, target: c.target, routes: record(res, true),
		transport: c.transport, dest: c.dest, source: c.source, seq: seq(res), state: ended}
	fork.learn(res)
	fork.mu.Lock()
	defer fork.mu.Unlock()
	invite := fork.build(sg.INVITE, seq(res))
	fork.ackWith(invite, nil)
	fork.bye(26)
}
