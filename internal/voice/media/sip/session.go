package sip

import (
	"strconv"
	"strings"
	"time"

	sg "github.com/emiago/sipgo/sip"
)

// session is the session timer of RFC 4028: it finds out calls whose other end
// is gone without a BYE. All of it is under Call.mu.
type session struct {
	interval time.Duration // 0 = none
	minimum  time.Duration // what a 422 asked for
	ours     bool          // we refresh
	peer     bool          // the peer supports timers
	update   bool          // the peer takes UPDATE
	fresh    time.Time
	timer    *timer
}

func (t *session) stop() { t.timer.stop() }

// interval is the Session-Expires of a message.
func interval(m sg.Message) (time.Duration, bool) {
	v := values(m, "session-expires")
	if v = append(v, values(m, "x")...); len(v) == 0 {
		return 0, false
	}
	return secondsOf(v[0])
}

func secondsOf(v string) (time.Duration, bool) {
	v, _, _ = strings.Cut(v, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 31)
	return time.Duration(n) * time.Second, err == nil && n > 0
}

func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(d/time.Second))) }

// refresher is the parameter of Session-Expires: uac, uas or "".
func refresher(m sg.Message) string {
	v := append(values(m, "session-expires"), values(m, "x")...)
	if len(v) == 0 {
		return ""
	}
	for p := range strings.SplitSeq(v[0], ";") {
		if k, r, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(k, "refresher") {
			return strings.ToLower(strings.TrimSpace(r))
		}
	}
	return ""
}

// fromInvite takes the peer's wishes out of a request that sets up or refreshes.
// A caller without timers is refreshed by us (RFC 4028 9).
func (t *session) fromInvite(s *Stack, req *sg.Request) {
	t.peer = lists(req, "timer", "supported", "k")
	t.update = t.update || lists(req, "UPDATE", "allow")
	if t.interval == 0 {
		t.interval = s.cfg.SessionExpires
	}
	if se, ok := interval(req); ok {
		t.interval = max(se, s.cfg.MinSE)
	}
	if m, ok := secondsOf(header(req, "min-se")); ok && t.interval < m && m < 24*time.Hour {
		t.interval = m
	}
	switch r := refresher(req); {
	case !t.peer:
		t.ours = true
	case r == "uas":
		t.ours = true
	default:
		t.ours = false
	}
}

// agree is what our 2xx says of the timer.
func (t *session) agree() []sg.Header {
	if t.interval == 0 {
		return nil
	}
	who := "uac"
	if t.ours {
		who = "uas"
	}
	hs := []sg.Header{sg.NewHeader("Session-Expires", seconds(t.interval)+";refresher="+who)}
	if t.peer {
		hs = append(hs, sg.NewHeader("Require", "timer"))
	}
	return hs
}

// propose is what our INVITE or UPDATE says of it; within a dialog the refresher stays.
func (t *session) propose(first bool) []sg.Header {
	if t.interval == 0 {
		return nil
	}
	v := seconds(t.interval)
	if !first {
		if t.ours {
			v += ";refresher=uac"
		} else {
			v += ";refresher=uas"
		}
	}
	hs := []sg.Header{sg.NewHeader("Session-Expires", v)}
	if t.minimum > 0 {
		hs = append(hs, sg.NewHeader("Min-SE", seconds(t.minimum)))
	}
	return hs
}

// fromAnswer takes what the peer's 2xx decided.
func (t *session) fromAnswer(res *sg.Response) {
	t.update = t.update || lists(res, "UPDATE", "allow")
	se, ok := interval(res)
	if !ok {
		t.interval = 0
		return
	}
	t.interval, t.ours = se, refresher(res) != "uas"
}

// watch starts the timer anew from a refresh at from. c.mu is held.
func (c *Call) watch(from time.Time) {
	t := &c.session
	t.stop()
	t.fresh = from
	if t.interval == 0 || c.state == ended {
		return
	}
	wait := t.interval - min(32*time.Second, t.interval/3) // RFC 4028 10
	act := c.expired
	if t.ours {
		wait, act = t.interval/2, c.refresh
	}
	wait -= c.s.clock.Now().Sub(from)
	t.timer = c.s.timers.after(max(wait, t1), act)
}

// expired: the peer should have refreshed and has not.
func (c *Call) expired() {
	c.s.log.Info("session expired", "call", c.id)
	_ = c.hangup(102, End{Code: 408, Cause: 102, By: "timer"})
}

// refresh is our turn to show that the call lives.
func (c *Call) refresh() {
	c.mu.Lock()
	if c.state != up {
		c.mu.Unlock()
		return
	}
	update, sdp, fresh, life := c.session.update, c.localSDP, c.session.fresh, c.session.interval
	c.mu.Unlock()
	var code int
	if update {
		code = c.sendUpdate()
	} else if !c.claim() {
		code = 491
	} else {
		var body []byte
		body, code, _ = c.exchange(sdp)
		c.release()
		c.changed(code, body)
	}
	switch {
	case code >= 200 && code < 300:
	case code == 481, code == 408, c.s.clock.Now().Sub(fresh) >= life:
		_ = c.hangup(102, End{Code: code, Cause: 102, By: "timer"})
	default: // glare, or the peer is busy with something: once more, soon
		c.mu.Lock()
		if c.state == up {
			c.session.timer = c.s.timers.after(c.glare(), c.refresh)
		}
		c.mu.Unlock()
	}
}

// sendUpdate refreshes by UPDATE without a description (RFC 4028 7.4).
func (c *Call) sendUpdate() int {
	c.mu.Lock()
	req := c.build(sg.UPDATE, c.nextSeq())
	for _, h := range c.session.propose(false) {
		req.AppendHeader(h)
	}
	req.AppendHeader(sg.NewHeader("Supported", "timer"))
	req.SetBody(nil)
	c.mu.Unlock()
	ctx, cancel := ctxLong()
	defer cancel()
	res, err := c.do(ctx, req)
	if err != nil {
		return 408
	}
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		c.mu.Lock()
		c.learn(res)
		c.session.fromAnswer(res)
		c.watch(c.s.clock.Now())
		c.mu.Unlock()
	}
	if res.StatusCode == 405 || res.StatusCode == 501 { // it said it could
		c.mu.Lock()
		c.session.update = false
		c.mu.Unlock()
		return 491
	}
	return res.StatusCode
}

// asking is how long the peer may take to say that the call lives.
const asking = 10 * time.Second

// Check asks the peer whether the call lives (OPTIONS inside the dialog, RFC 3261
// 11): one that does not answer, or does not know the call, has lost it. Any other
// answer will do, and so will the answer of its trunk to pings: some border
// controllers drop requests of this kind inside a dialog.
func (c *Call) Check() {
	c.mu.Lock()
	if c.state != up {
		c.mu.Unlock()
		return
	}
	req := c.build(sg.OPTIONS, c.nextSeq())
	req.SetBody(nil)
	c.mu.Unlock()
	ctx, cancel := ctxFor(asking)
	defer cancel()
	res, err := c.do(ctx, req)
	if err != nil && c.s.trunks.pings(c.trunk) {
		return
	}
	if err != nil || res.StatusCode == 481 || res.StatusCode == 408 {
		c.s.log.Info("the peer has lost the call", "call", c.id, "err", err)
		_ = c.hangup(102, End{Code: 408, Cause: 102, By: "timer"})
	}
}
