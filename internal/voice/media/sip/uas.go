package sip

import (
	"strconv"
	"strings"
	"time"

	sg "github.com/emiago/sipgo/sip"
)

// ringLimit ends an incoming call that is never answered: its caller may be gone
// without a CANCEL, and a proxy gives up after as long (RFC 3261 16.6, timer C).
const ringLimit = 3 * time.Minute

// accepted is a 2xx to an INVITE on its way to be acknowledged.
type accepted struct {
	tx    *sg.ServerTx
	res   *sg.Response
	seq   uint32
	first bool // of the call, not of a renegotiation
	late  bool // the ACK brings the answer
	gap   time.Duration
	until time.Time
	timer *timer
}

// incomingInvite is the door for a new call.
func (s *Stack) incomingInvite(req *sg.Request, tx *sg.ServerTx) {
	if s.live.Load() > int64(s.cfg.Transactions) {
		s.refuse(req, tx, 503, sg.NewHeader("Retry-After", "5"))
		return
	}
	from := source(req)
	trunk, trusted := s.trunks.of(from.Addr())
	phone := s.reg.calling(req, from, trusted)
	switch {
	case phone != "":
		if !s.reg.prove(req, tx, phone) {
			return
		}
	case !trusted:
		s.refuse(req, tx, 403)
		return
	}
	if !s.checkInvite(req, tx) {
		return
	}
	body, ok := s.describe(req, tx)
	if !ok {
		return
	}
	c := &Call{s: s, incoming: true, callID: callID(req), phone: phone, offer: body, headers: carried(req), dnis: called(req), ani: caller(req, trusted && phone == ""),
		invite: req, serverTx: tx, remoteSeq: seq(req), transport: strings.ToLower(req.Transport()), source: req.Source()}
	if phone == "" {
		c.trunk, c.secure = trunk.Name, trunk.SRTP
		if !s.trunks.allowed(trunk, c.ani, from.Addr()) {
			s.refuse(req, tx, 480, sg.NewHeader("Retry-After", "60"))
			return
		}
	} else {
		c.ani, c.dest, c.secure = phone, req.Source(), s.reg.encrypted(phone)
	}
	to, fr := req.To(), req.From()
	c.local = party{to.DisplayName, *to.Address.Clone(), toTag(req)}
	c.remote = party{fr.DisplayName, *fr.Address.Clone(), fromTag(req)}
	c.id = c.callID + ";" + c.local.tag
	c.target, c.routes = c.remote.uri, record(req, false)
	c.learn(req)
	c.session.fromInvite(s, req)
	c.prov.supported = lists(req, "100rel", "supported", "k", "require")
	c.prov.required = lists(req, "100rel", "require")
	s.enter(c, req, tx)
}

// enter registers the call and brings it to the engine; a second copy of the
// same request that came by another path is refused (RFC 3261 8.2.2.2).
func (s *Stack) enter(c *Call, req *sg.Request, tx *sg.ServerTx) {
	c.newest = c.callID + ";" + c.remote.tag + ";" + strconv.Itoa(int(c.remoteSeq))
	s.mu.Lock()
	if path, known := s.newest[c.newest]; known {
		s.mu.Unlock()
		if path == branch(req) { // a retransmission that outlived its transaction
			tx.Terminate()
			return
		}
		s.refuse(req, tx, 482)
		return
	}
	s.newest[c.newest] = branch(req)
	s.calls[c.id] = c
	s.mu.Unlock()
	c.mu.Lock()
	c.noAnswer = s.timers.after(ringLimit, c.unanswered)
	c.mu.Unlock()
	c.post(func() {
		s.h.Invite(c)
		c.trying()
	})
	gone := !tx.OnTerminate(func(string, error) { c.txGone() })
	cancelled := !tx.OnCancel(func(r *sg.Request) {
		c.cancelled.Store(true)
		go c.cancelledBy(r)
	})
	if cancelled || gone {
		c.cancelled.Store(true)
		_ = tx.Respond(s.response(req, 487, nil))
		c.cancelledBy(nil)
	}
	if gone {
		c.txGone()
	}
}

// trying tells the caller to wait when the engine has said nothing yet.
func (c *Call) trying() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == early && !c.said && c.serverTx != nil {
		_ = c.respond(c.serverTx, c.s.response(c.invite, 100, nil))
	}
}

// checkInvite holds what RFC 3261 8.2 and RFC 4028 ask of every INVITE, first or not.
func (s *Stack) checkInvite(req *sg.Request, tx *sg.ServerTx) bool {
	if unknown := unsupported(req); unknown != "" {
		s.refuse(req, tx, 420, sg.NewHeader("Unsupported", unknown))
		return false
	}
	if se, ok := interval(req); ok && se < s.cfg.MinSE && lists(req, "timer", "supported", "k") {
		s.refuse(req, tx, 422, sg.NewHeader("Min-SE", seconds(s.cfg.MinSE)))
		return false
	}
	return true
}

// unsupported lists the extensions a request requires and we have not.
func unsupported(req *sg.Request) string {
	var out []string
	for _, v := range values(req, "require") {
		for o := range strings.SplitSeq(v, ",") {
			if o = strings.TrimSpace(o); o != "" && !strings.EqualFold(o, "100rel") && !strings.EqualFold(o, "timer") {
				out = append(out, clip(o, 64))
			}
		}
	}
	return strings.Join(out, ", ")
}

// respond sends a response to the INVITE. When the CANCEL got into the
// transaction first, the library has sent 487; it would from then on repeat our
// response instead, so the 487 is put back. c.mu is held.
func (c *Call) respond(tx *sg.ServerTx, res *sg.Response) error {
	if c.cancelled.Load() {
		return ErrState
	}
	c.said = true
	err := tx.Respond(res)
	if c.cancelled.Load() {
		_ = tx.Respond(c.s.response(tx.Origin(), 487, nil))
		return ErrState
	}
	return err
}

// cancelledBy ends a call whose caller gave up while it rang.
func (c *Call) cancelledBy(r *sg.Request) {
	cause := 16
	if r != nil {
		cause = reason(r, 16)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish(End{Code: 487, Cause: cause, By: "party"})
}

// txGone: the INVITE's transaction has ended. A call that was refused or
// cancelled is over with it; an answered one goes on.
func (c *Call) txGone() {
	go func() {
		c.mu.Lock()
		over := c.state == ended && c.waiting == nil || c.state == early
		if c.state == early { // the connection broke while it rang
			c.finish(End{Code: 0, Cause: 38, By: "party"})
		}
		c.serverTx = nil
		c.mu.Unlock()
		if over {
			c.s.forget(c)
		}
	}()
}

// Answer accepts the call with our description: the answer to Offer, or our own
// offer when there was none. It returns at once; Answered comes with the ACK.
func (c *Call) Answer(sdp []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.incoming || c.state != early || c.serverTx == nil {
		return ErrState
	}
	if c.prov.busy() { // RFC 3262 3: not before the reliable response is acknowledged
		c.prov.then = func() { _ = c.accept(sdp) }
		return nil
	}
	return c.accept(sdp)
}

// accept sends the 200 of the call. c.mu is held.
func (c *Call) accept(sdp []byte) error {
	res := c.s.response(c.invite, 200, sdp, c.session.agree()...)
	if err := c.respond(c.serverTx, res); err != nil {
		if !c.cancelled.Load() {
			c.finish(End{Cause: 38, By: "party"})
		}
		return err
	}
	c.state, c.localSDP = answered, sdp
	c.noAnswer.stop()
	c.prov.stop()
	c.confirm(&accepted{tx: c.serverTx, res: res, seq: seq(c.invite), first: true, late: len(c.offer) == 0})
	return nil
}

// confirm begins to wait for the ACK of a 2xx. c.mu is held.
func (c *Call) confirm(a *accepted) {
	a.gap, a.until = t1, c.s.clock.Now().Add(limit)
	c.waiting = a
	a.timer = c.s.timers.after(a.gap, func() { c.again(a) })
}

// again repeats the 2xx, on every transport (RFC 3261 13.3.1.4), or gives up.
func (c *Call) again(a *accepted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting != a {
		return
	}
	if !c.s.clock.Now().Before(a.until) {
		c.waiting = nil
		c.s.log.Warn("no ACK, hanging up", "call", c.id)
		c.finish(End{Cause: 102, By: "timer"})
		c.bye(orInt(c.byeCause, 102))
		return
	}
	if err := a.tx.Respond(a.res); err != nil {
		c.s.log.Debug("200 not repeated", "call", c.id, "err", err)
	}
	a.gap = min(2*a.gap, t2)
	a.timer = c.s.timers.after(a.gap, func() { c.again(a) })
}

// acked takes an ACK: of a 2xx, or of a refusal, whose transaction then ends.
func (c *Call) acked(req *sg.Request) {
	body, _ := sdpOf(req)
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.waiting
	if a == nil || a.seq != seq(req) {
		if tx := c.serverTx; c.state == ended && tx != nil && c.invite != nil && seq(req) == seq(c.invite) {
			go tx.Terminate()
		}
		return
	}
	a.timer.stop()
	c.waiting = nil
	if c.byeCause != 0 {
		c.bye(c.byeCause)
		return
	}
	if c.state == ended {
		return
	}
	c.state = up
	if len(body) == 0 {
		body, c.asked = c.asked, nil
	}
	if a.late && len(body) > 0 {
		c.peerSDP = body
	}
	switch {
	case a.first:
		c.invite = nil // a call may last for hours
		c.watch(c.s.clock.Now())
		c.post(func() { c.s.h.Answered(c, body) })
	case a.late && len(body) > 0:
		c.post(func() { c.s.h.Answered(c, body) })
	}
}

// Reject refuses the call with a SIP code; reason goes into the phrase and may be empty.
func (c *Call) Reject(code int, why string) error {
	if code < 300 || code > 699 {
		return ErrState
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.incoming || c.state != early || c.serverTx == nil {
		return ErrState
	}
	c.finish(End{Code: code, Cause: Cause(code), By: "platform"})
	c.refused(code, Cause(code), why)
	return nil
}

// final refuses the INVITE for a cause. c.mu is held.
func (c *Call) final(code, cause int) { c.refused(code, cause, "") }

func (c *Call) refused(code, cause int, why string) {
	if c.serverTx == nil {
		go c.s.forget(c)
		return
	}
	res := c.s.response(c.invite, code, nil, reasonHeader(cause))
	if why = clip(strings.Map(printable, why), 100); why != "" {
		res.Reason = why
	}
	if err := c.respond(c.serverTx, res); err != nil {
		c.s.log.Debug("refusal not sent", "call", c.id, "err", err)
	}
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}
