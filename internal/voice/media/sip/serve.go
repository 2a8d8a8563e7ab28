package sip

import (
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"strings"

	sg "github.com/emiago/sipgo/sip"
)

// request is where the library hands over what begins a server transaction. A
// transaction without a final response would stay for ever, so each gets one.
func (s *Stack) request(req *sg.Request, tx *sg.ServerTx) {
	s.live.Add(1)
	if !tx.OnTerminate(func(string, error) { s.live.Add(-1) }) {
		s.live.Add(-1)
	}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("request failed", "method", clip(string(req.Method), 20), "panic", p, "stack", string(debug.Stack()))
			s.refuse(req, tx, 500)
		}
	}()
	if req.IsAck() { // taken in before; the library opens a transaction for it all the same
		tx.Terminate()
		return
	}
	if req.From() == nil || req.To() == nil || s.closed.Load() {
		tx.Terminate()
		return
	}
	if !s.welcome(req, source(req)) {
		if s.cfg.Refuse {
			s.refuse(req, tx, 403)
		}
		tx.Terminate()
		return
	}
	if code := s.sound(req); code != 0 {
		s.refuse(req, tx, code)
		return
	}
	if !s.begins(req) {
		s.inside(req, tx)
		return
	}
	switch req.Method {
	case sg.INVITE:
		s.incomingInvite(req, tx)
	case sg.REGISTER:
		s.reg.register(req, tx)
	case sg.OPTIONS:
		s.answer(req, tx, 200, sg.NewHeader("Accept", "application/sdp"), sg.NewHeader("Supported", "timer, 100rel"))
	case sg.CANCEL:
		s.lateCancel(req, tx)
	case sg.BYE, sg.PRACK, sg.UPDATE, sg.INFO, sg.REFER:
		s.answer(req, tx, 481)
	case sg.NOTIFY, sg.SUBSCRIBE:
		s.answer(req, tx, 489)
	default:
		s.answer(req, tx, 405)
	}
}

// sound checks what RFC 3261 8.2.1 and 8.2.2 ask of any request; 0 = nothing wrong.
func (s *Stack) sound(req *sg.Request) int {
	if req.SipVersion != "SIP/2.0" {
		return 505
	}
	if req.CSeq() == nil || !strings.EqualFold(string(req.CSeq().MethodName), string(req.Method)) || fromTag(req) == "" || callID(req) == "" {
		return 400
	}
	switch strings.ToLower(req.Recipient.Scheme) {
	case "", "sip", "sips", "tel":
	default:
		return 416
	}
	if c := req.ContentLength(); c != nil && int(*c) != len(req.Body()) {
		return 400
	}
	return 0
}

// lateCancel is a CANCEL that overtook its INVITE inside this process, or has none.
func (s *Stack) lateCancel(req *sg.Request, tx *sg.ServerTx) {
	for range 4 {
		if c := s.call(callID(req), toTag(req)); c != nil {
			s.answer(req, tx, 200)
			c.mu.Lock()
			if c.state == early && c.incoming {
				c.finish(End{Code: 487, Cause: reason(req, 16), By: "party"})
				c.refused(487, 16, "")
			}
			c.mu.Unlock()
			return
		}
		<-s.clock.After(t1 / 10)
	}
	s.answer(req, tx, 481)
}

// inside takes a request of an existing dialog.
func (s *Stack) inside(req *sg.Request, tx *sg.ServerTx) {
	c := s.call(callID(req), toTag(req))
	if c == nil || !c.from(req) {
		s.refuse(req, tx, 481)
		return
	}
	if !c.inOrder(req) {
		s.refuse(req, tx, 500, retryAfter())
		return
	}
	switch req.Method {
	case sg.BYE:
		c.byeFrom(req, tx)
	case sg.INVITE:
		c.renegotiated(req, tx)
	case sg.UPDATE:
		c.updated(req, tx)
	case sg.PRACK:
		c.pracked(req, tx)
	case sg.INFO:
		c.info(req, tx)
	case sg.REFER:
		c.referred(req, tx)
	case sg.OPTIONS:
		s.answer(req, tx, 200)
	case sg.CANCEL:
		s.answer(req, tx, 200) // of a re-INVITE that has been answered
	case sg.NOTIFY:
		s.answer(req, tx, 200)
	default:
		s.answer(req, tx, 405)
	}
}

func retryAfter() sg.Header { return sg.NewHeader("Retry-After", strconv.Itoa(rand.IntN(11))) }

// from tells whether the request is the peer's.
func (c *Call) from(req *sg.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.remote.tag == fromTag(req)
}

// inOrder checks and takes the CSeq (RFC 3261 12.2.2).
func (c *Call) inOrder(req *sg.Request) bool {
	if req.Method == sg.CANCEL {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if seq(req) <= c.remoteSeq {
		return false
	}
	c.remoteSeq = seq(req)
	return true
}

// byeFrom: the peer hangs up, possibly while it rings.
func (c *Call) byeFrom(req *sg.Request, tx *sg.ServerTx) {
	c.s.answer(req, tx, 200)
	c.mu.Lock()
	ringing := c.state == early && c.incoming
	c.finish(End{Cause: reason(req, 16), By: "party"})
	switch {
	case ringing: // RFC 3261 15.1.2: pending requests are answered 487
		c.refused(487, 16, "")
	case c.waiting != nil: // the ACK will not come any more
		c.waiting.timer.stop()
		c.waiting = nil
		c.byeCause = 0
		fallthrough
	default:
		go c.s.forget(c)
	}
	c.mu.Unlock()
}
