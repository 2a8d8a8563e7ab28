package sip

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	sg "github.com/emiago/sipgo/sip"
)

// Reinvite renegotiates with our offer and gives the peer's answer. When both
// sides begin at once it waits the random time of RFC 3261 14.1 and tries again,
// until ctx ends. A refusal is ErrRefused with the code; the call goes on. Call it
// from a goroutine of your own, not from a callback of the same call, which a
// renegotiation by the peer may be waiting for.
func (c *Call) Reinvite(ctx context.Context, sdp []byte) ([]byte, error) {
	for {
		c.mu.Lock()
		is := c.state
		c.mu.Unlock()
		if is != up {
			return nil, ErrState
		}
		code := 491
		if c.claim() {
			type result struct {
				body []byte
				code int
				err  error
			}
			done := make(chan result, 1)
			go func() { // goes on without us when ctx ends: a 200 must get its ACK
				body, code, err := c.exchange(sdp)
				c.release()
				done <- result{body, code, err}
			}()
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case r := <-done:
				if r.err != nil {
					return nil, r.err
				}
				if code = r.code; code < 300 {
					return r.body, nil
				}
			}
		}
		if code != 491 {
			return nil, fmt.Errorf("%w: %d", ErrRefused, code)
		}
		if err := c.s.clock.Sleep(ctx, c.glare()); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPending, err)
		}
	}
}

// claim reserves the right to offer.
func (c *Call) claim() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offering || c.answering || c.state != up {
		return false
	}
	c.offering = true
	return true
}

func (c *Call) release() {
	c.mu.Lock()
	c.offering = false
	c.mu.Unlock()
}

// glare is the random wait of RFC 3261 14.1, in steps of 10 ms: longer for the
// side that owns the Call-ID.
func (c *Call) glare() time.Duration {
	if c.incoming {
		return time.Duration(rand.IntN(200)) * 10 * time.Millisecond
	}
	return time.Duration(210+rand.IntN(190)) * 10 * time.Millisecond
}

// exchange runs one re-INVITE to its end. A peer that does not know the call, or
// does not answer, has lost it.
func (c *Call) exchange(sdp []byte) (body []byte, code int, err error) {
	c.mu.Lock()
	req := c.newInvite(sdp, nil)
	c.mu.Unlock()
	return c.renegotiate(req, sdp, true)
}

// renegotiate sends a re-INVITE to its end; challenged, it is sent once more.
func (c *Call) renegotiate(req *sg.Request, sdp []byte, again bool) (body []byte, code int, err error) {
	ctx, cancel := ctxLong()
	tx, err := c.s.begin(ctx, req)
	cancel()
	if err != nil {
		return nil, 503, err
	}
	tx.OnRetransmission(c.s.stray)
	patience := c.s.clock.After(2 * limit)
	var res *sg.Response
	for res == nil || res.StatusCode < 200 {
		select {
		case res = <-tx.Responses():
		case <-patience:
			tx.Terminate()
		case <-tx.Done():
			_ = c.hangup(102, End{Code: 408, Cause: 102, By: "timer"})
			return nil, 408, ErrState
		}
	}
	if res.StatusCode >= 300 {
		c.s.keepAck(req, res)
		tx.Terminate()
		if next := c.proven(req, res); next != nil && again {
			return c.renegotiate(next, sdp, false)
		}
		if res.StatusCode == 481 || res.StatusCode == 408 {
			_ = c.hangup(102, End{Code: res.StatusCode, Cause: 102, By: "party"})
		}
		return nil, res.StatusCode, nil
	}
	tx.Terminate()
	body, _ = sdpOf(res)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learn(res)
	c.ackWith(req, nil)
	if c.state != up {
		return nil, 481, ErrState
	}
	c.localSDP = sdp
	c.session.fromAnswer(res)
	c.watch(c.s.clock.Now())
	return body, res.StatusCode, nil
}

// changed tells the engine when the peer's answer to a refresh is a new one.
func (c *Call) changed(code int, body []byte) {
	if code >= 300 || len(body) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == up && !bytes.Equal(body, c.peerSDP) {
		c.peerSDP = body
		c.post(func() { c.s.h.Answered(c, body) })
	}
}

// renegotiated takes the peer's re-INVITE.
func (c *Call) renegotiated(req *sg.Request, tx *sg.ServerTx) {
	if !c.s.checkInvite(req, tx) {
		return
	}
	offer, ok := c.s.describe(req, tx)
	if !ok {
		return
	}
	for range 4 { // the ACK of our 200 may be on its way, or beside us in another goroutine
		if c.settled() {
			break
		}
		<-c.s.clock.After(t1 / 10)
	}
	if code := c.admit(); code != 0 {
		if code == 500 {
			c.s.refuse(req, tx, 500, retryAfter())
		} else {
			c.s.refuse(req, tx, code)
		}
		return
	}
	answer, code := c.ask(offer)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answering = false
	if c.state != up {
		c.s.refuse(req, tx, 481)
		return
	}
	if code != 200 {
		c.s.refuse(req, tx, code)
		return
	}
	c.learn(req)
	c.session.fromInvite(c.s, req)
	res := c.s.response(req, 200, answer, c.session.agree()...)
	if err := tx.Respond(res); err != nil {
		c.s.log.Debug("re-INVITE not answered", "call", c.id, "err", err)
		return
	}
	c.localSDP = answer
	if len(offer) > 0 {
		c.peerSDP = offer
	}
	c.watch(c.s.clock.Now())
	c.confirm(&accepted{tx: tx, res: res, seq: seq(req), late: len(offer) == 0})
}

func (c *Call) settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting == nil
}

// admit tells whether an offer of the peer may be worked on now; 0 = yes, and it is.
func (c *Call) admit() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == ended:
		return 481
	case c.offering || c.waiting != nil:
		return 491
	case c.answering || c.state != up:
		return 500
	}
	c.answering = true
	return 0
}

// updated takes an UPDATE (RFC 3311): a refresh, or an offer.
func (c *Call) updated(req *sg.Request, tx *sg.ServerTx) {
	if se, ok := interval(req); ok && se < c.s.cfg.MinSE {
		c.s.answer(req, tx, 422, sg.NewHeader("Min-SE", seconds(c.s.cfg.MinSE)))
		return
	}
	offer, ok := c.s.describe(req, tx)
	if !ok {
		return
	}
	var answer []byte
	if len(offer) > 0 {
		code := c.admit()
		if code == 500 && c.ringing() { // early media renegotiated before the answer
			code = 0
		}
		if code == 0 {
			answer, code = c.ask(offer)
			c.mu.Lock()
			c.answering = false
			c.mu.Unlock()
		}
		if code != 200 {
			c.s.answer(req, tx, code, retryAfter())
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learn(req)
	var extra []sg.Header
	if c.state == up || c.state == answered {
		c.session.fromInvite(c.s, req)
		c.watch(c.s.clock.Now())
		extra = c.session.agree()
	}
	if len(answer) > 0 {
		c.localSDP, c.peerSDP = answer, offer
	}
	if err := tx.Respond(c.s.response(req, 200, answer, extra...)); err != nil {
		c.s.log.Debug("UPDATE not answered", "call", c.id, "err", err)
	}
}

func (c *Call) ringing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == early && !c.answering
}
