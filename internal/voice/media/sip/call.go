package sip

import (
	"errors"
	"sync"
	"sync/atomic"

	sg "github.com/emiago/sipgo/sip"
)

type state int

const (
	early    state = iota // no final response yet
	answered              // incoming: our 200 is out, its ACK is not here
	up
	ended
)

// Call is one dialog, made by Stack.Dial, Stack.Restore or an INVITE, and known
// to the stack until the peer has confirmed its end.
type Call struct {
	User any // the engine's own; set it in Invite or right after Dial

	s        *Stack
	id       string
	callID   string
	incoming bool
	trunk    string
	phone    string
	dnis     string
	ani      string
	secure   bool // its trunk or phone wants encrypted sound
	headers  map[string]string
	offer    []byte
	newest   string
	// cancelled is set inside the transaction of a cancelled INVITE, before its 487.
	cancelled atomic.Bool

	mu        sync.Mutex
	state     state
	local     party
	remote    party
	target    sg.Uri
	routes    []string
	transport string
	dest      string // a phone behind NAT: where it registered from
	source    string // where the INVITE came from
	seq       uint32
	remoteSeq uint32
	localSDP  []byte // our last description
	peerSDP   []byte // the peer's last
	invite    *sg.Request
	serverTx  *sg.ServerTx // incoming, until its end
	waiting   *accepted    // a 2xx of ours without its ACK
	said      bool         // the INVITE has had a response
	byeCause  int          // hang up as soon as the ACK is here; 0 = no
	offering  bool         // a re-INVITE or UPDATE with an offer of ours is out
	answering bool         // one of the peer's is in work
	session   session
	prov      provisional
	out       outgoing
	noAnswer  *timer // gives up a call that nobody takes
	asked     []byte // the answer that came in a PRACK
	referral  string // Event of a REFER whose outcome the phone waits for

	qmu   sync.Mutex
	queue []func()
	busy  bool
}

// What a command on a call can fail with.
var (
	ErrState   = errors.New("sip: the call is not in that state")
	ErrPending = errors.New("sip: another renegotiation is under way")
	ErrRefused = errors.New("sip: refused by the peer")
)

// ID names the call: Call-ID and our tag.
func (c *Call) ID() string { return c.id }

// Incoming tells who began the call.
func (c *Call) Incoming() bool { return c.incoming }

// Trunk is the trunk the call came or went through, "" for a phone's.
func (c *Call) Trunk() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trunk
}

// Phone is the registered phone at the other end, "" for a trunk's call.
func (c *Call) Phone() string { return c.phone }

// Secure tells whether the trunk or phone takes encrypted sound only.
func (c *Call) Secure() bool { return c.secure }

// DNIS is the number that was dialled.
func (c *Call) DNIS() string { return c.dnis }

// ANI is the caller's number, "" when withheld.
func (c *Call) ANI() string { return c.ani }

// Headers are Diversion, History-Info, P-Called-Party-ID, P-Asserted-Identity
// and X-* of the INVITE.
func (c *Call) Headers() map[string]string { return c.headers }

// Offer is the body of the INVITE; empty = the caller wants our offer.
func (c *Call) Offer() []byte { return c.offer }

// Up tells whether both sides have agreed and nobody has hung up.
func (c *Call) Up() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == up
}

// post runs f after all that was posted before it, on the call's own goroutine,
// which exists only while there is something to run.
func (c *Call) post(f func()) {
	c.qmu.Lock()
	c.queue = append(c.queue, f)
	start := !c.busy
	c.busy = true
	c.qmu.Unlock()
	if start {
		go c.drain()
	}
}

func (c *Call) drain() {
	for {
		c.qmu.Lock()
		if len(c.queue) == 0 {
			c.busy = false
			c.qmu.Unlock()
			return
		}
		f := c.queue[0]
		c.queue = c.queue[1:]
		c.qmu.Unlock()
		f()
	}
}

// ask puts a renegotiation to the engine in the call's order and waits.
func (c *Call) ask(offer []byte) (answer []byte, code int) {
	done := make(chan struct{})
	c.post(func() {
		defer close(done)
		answer, code = c.s.h.Reinvite(c, offer)
	})
	<-done
	return answer, code
}

// finish ends the call for the engine, once. c.mu is held.
func (c *Call) finish(e End) bool {
	if c.state == ended {
		return false
	}
	c.state = ended
	c.session.stop()
	c.prov.stop()
	c.noAnswer.stop()
	c.post(func() { c.s.h.Ended(c, e) })
	return true
}

// Hangup ends the call in the way its state asks: a final response, CANCEL, or
// BYE, which waits for the ACK of our 200. Ended follows at once; what is left
// of the protocol goes on behind it.
func (c *Call) Hangup(cause int) error {
	return c.hangup(cause, End{Cause: cause, By: "platform"})
}

func (c *Call) hangup(cause int, e End) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.state
	if e.By == "platform" && was == early && c.incoming {
		e.Code = Code(cause)
	}
	if !c.finish(e) {
		return ErrState
	}
	switch {
	case was == early && c.incoming:
		c.final(Code(cause), cause)
	case was == early:
		c.cancel(cause)
	case was == answered:
		c.byeCause = max(cause, 1) // RFC 3261 15: not before the ACK, or the end of waiting for it
	default:
		c.bye(cause)
	}
	return nil
}

// bye sends BYE and forgets the call when the peer has answered it. c.mu is held.
func (c *Call) bye(cause int) {
	req := c.build(sg.BYE, c.nextSeq())
	req.AppendHeader(reasonHeader(cause))
	req.SetBody(nil)
	go func() {
		ctx, cancel := ctxLong()
		defer cancel()
		if _, err := c.do(ctx, req); err != nil {
			c.s.log.Debug("BYE without an answer", "call", c.id, "err", err)
		}
		c.s.forget(c)
	}()
}
