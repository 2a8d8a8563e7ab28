package sip

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	sg "github.com/emiago/sipgo/sip"
)

// provisional is the reliable side of ringing (RFC 3262), for incoming calls.
type provisional struct {
	supported, required bool
	rseq                uint32
	pending             *sg.Response // sent, not acknowledged
	gap                 time.Duration
	until               time.Time
	timer               *timer
	next                func() // the newest provisional response that waits for its turn
	then                func() // the 200 that waits
}

func (p *provisional) busy() bool { return p.pending != nil }

func (p *provisional) stop() {
	p.timer.stop()
	p.pending, p.next, p.then = nil, nil, nil
}

// Ring tells the caller that it rings: 180, or 183 with a description for early
// media. A caller that requires 100rel gets it reliably.
func (c *Call) Ring(sdp []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.incoming || c.state != early || c.serverTx == nil {
		return ErrState
	}
	code := 180
	if len(sdp) > 0 {
		code = 183
	}
	if !c.prov.required {
		return c.respond(c.serverTx, c.s.response(c.invite, code, sdp))
	}
	if c.prov.busy() { // RFC 3262 3: one at a time
		c.prov.next = func() { c.ringReliably(code, sdp) }
		return nil
	}
	return c.ringReliably(code, sdp)
}

// ringReliably sends a provisional response until PRACK. c.mu is held.
func (c *Call) ringReliably(code int, sdp []byte) error {
	c.prov.rseq++
	res := c.s.response(c.invite, code, sdp, sg.NewHeader("Require", "100rel"), sg.NewHeader("RSeq", strconv.Itoa(int(c.prov.rseq))))
	if err := c.respond(c.serverTx, res); err != nil {
		return err
	}
	c.prov.pending, c.prov.gap, c.prov.until = res, t1, c.s.clock.Now().Add(limit)
	c.prov.timer = c.s.timers.after(c.prov.gap, func() { c.ringAgain(res) })
	return nil
}

func (c *Call) ringAgain(res *sg.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.prov.pending != res || c.state != early || c.serverTx == nil {
		return
	}
	if !c.s.clock.Now().Before(c.prov.until) {
		c.finish(End{Code: 504, Cause: 102, By: "timer"})
		c.refused(504, 102, "")
		return
	}
	_ = c.respond(c.serverTx, res)
	c.prov.gap *= 2
	c.prov.timer = c.s.timers.after(c.prov.gap, func() { c.ringAgain(res) })
}

// pracked takes the PRACK of our provisional response.
func (c *Call) pracked(req *sg.Request, tx *sg.ServerTx) {
	rseq, number, ok := rack(header(req, "rack"))
	c.mu.Lock()
	p := c.prov.pending
	if !ok || p == nil || rseq != c.prov.rseq || number != seq(p) {
		c.mu.Unlock()
		c.s.answer(req, tx, 481)
		return
	}
	c.prov.timer.stop()
	c.prov.pending = nil
	late := len(c.offer) == 0 && len(p.Body()) > 0
	c.mu.Unlock()
	body, _ := sdpOf(req)
	switch {
	case len(body) == 0:
		c.s.answer(req, tx, 200)
	case late: // our offer went out in the 183, this is its answer
		c.mu.Lock()
		c.asked = body
		c.mu.Unlock()
		c.s.answer(req, tx, 200)
	default:
		answer, code := c.ask(body)
		if code != 200 {
			answer = nil
		}
		if err := tx.Respond(c.s.response(req, code, answer)); err != nil {
			c.s.log.Debug("PRACK not answered", "call", c.id, "err", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next, then := c.prov.next, c.prov.then
	c.prov.next = nil
	switch {
	case c.state != early:
	case then != nil:
		c.prov.then = nil
		then()
	case next != nil:
		next()
	}
}

// rack reads "776656 1 INVITE".
func rack(v string) (rseq, number uint32, ok bool) {
	f := strings.Fields(v)
	if len(f) != 3 || f[2] != "INVITE" {
		return 0, 0, false
	}
	a, err := strconv.ParseUint(f[0], 10, 32)
	b, err2 := strconv.ParseUint(f[1], 10, 32)
	return uint32(a), uint32(b), err == nil && err2 == nil
}

// reliable handles the peer's reliable provisional response; it tells whether
// the response is new. c.mu is held.
func (c *Call) reliable(req *sg.Request, res *sg.Response, body []byte) bool {
	if !lists(res, "100rel", "require") {
		return true
	}
	n, err := strconv.ParseUint(header(res, "rseq"), 10, 32)
	rseq := uint32(n)
	if err != nil || rseq == 0 || toTag(res) == "" {
		return true
	}
	if c.out.rseq != 0 && rseq != c.out.rseq+1 {
		return false // repeated, or one before it is still missing (RFC 3262 4)
	}
	c.out.rseq = rseq
	late := len(req.Body()) == 0 && len(body) > 0 && !c.out.agreed
	if late {
		c.out.agreed = true
	}
	go c.prack(seq(req), rseq, body, late)
	return true
}

// prack acknowledges, with the answer when the response brought an offer.
func (c *Call) prack(invite, rseq uint32, offer []byte, late bool) {
	var answer []byte
	if late {
		a, code := c.ask(offer)
		if code != 200 {
			_ = c.hangup(65, End{Code: 488, Cause: 65, By: "platform"})
			return
		}
		answer = a
	}
	c.mu.Lock()
	if late {
		c.localSDP = answer
	}
	req := c.build(sg.PRACK, c.nextSeq())
	c.mu.Unlock()
	req.AppendHeader(sg.NewHeader("RAck", fmt.Sprintf("%d %d INVITE", rseq, invite)))
	if len(answer) > 0 {
		req.AppendHeader(sg.NewHeader("Content-Type", "application/sdp"))
	}
	req.SetBody(answer)
	ctx, cancel := ctxLong()
	defer cancel()
	if res, err := c.s.do(ctx, req); err != nil || res.StatusCode >= 300 {
		c.s.log.Debug("PRACK failed", "call", c.id, "err", err)
	}
}
