package engine

import (
	"net/netip"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/media/sdp"
	"hotline/internal/voice/media/sip"
)

// The states of a leg.
const (
	stateRinging = "ringing"
	stateEarly   = "early"
	stateUp      = "up"
	stateLost    = "lost" // a seat whose browser is away, or has not come back after a restart
)

// handler is the engine as the SIP stack sees it; what it is told of one call
// comes in order.
type handler struct{ e *Engine }

// leg is the leg of a call, nil when it was refused; who made the call held the
// lock until it had named it.
func (h handler) leg(c *sip.Call) *leg {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	l, _ := c.User.(*leg)
	return l
}

// Invite takes an incoming call.
func (h handler) Invite(c *sip.Call) {
	e := h.e
	l := &leg{e: e, id: media.Leg(c.ID()), call: c, shard: e.shards.Pick(), incoming: true, trunk: c.Trunk(), seat: media.Seat(c.Phone()),
		dnis: c.DNIS(), ani: c.ANI(), headers: c.Headers(), since: e.ms(), state: stateRinging}
	l.route.Store(nowhere)
	if len(c.Offer()) > 0 {
		o, err := sdp.Parse(c.Offer())
		if _, ok := o.Voice(); err != nil || !ok || !acceptable(o, c.Secure()) {
			_ = c.Reject(488, "Not Acceptable Here")
			return
		}
		l.offer = &o
	}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		_ = c.Reject(503, "")
		return
	}
	if err := e.openStream(l); err != nil {
		e.mu.Unlock()
		e.log.Error("来电无可用媒体端口", "err", err)
		_ = c.Reject(503, "")
		return
	}
	c.User = l
	e.legs[l.id] = l
	e.mu.Unlock()
	e.tell(media.Event{Kind: media.Incoming, Leg: l.id, Seat: l.seat, Trunk: l.trunk, DNIS: l.dnis, ANI: l.ani, Headers: l.headers})
	e.shards.Attach(l.shard, l)
	if e.history.alone() != 0 {
		e.treat(l)
	}
}

// openStream gives a SIP leg its ports; e.mu is held.
func (e *Engine) openStream(l *leg) error {
	st, err := e.ports.Open(l)
	if err != nil {
		return fail(media.CodeBusy, "媒体端口已用完")
	}
	e.session++
	l.stream = st
	l.local = sdp.Local{Addr: e.ip, Port: st.Port, Session: uint64(e.born)<<20 | e.session, Version: 1, RTCPMux: true}
	var out line = st
	l.line.Store(&out)
	return nil
}

// describe is our description to an incoming call: the answer to its offer, or
// our own. e.mu is held.
func (l *leg) describe() ([]byte, error) {
	if l.offer == nil {
		if l.call.Secure() {
			l.protect(1)
		}
		return sdp.Build(l.local), nil
	}
	l.answerProtection(*l.offer)
	body, err := l.offer.Answer(l.local)
	if err != nil {
		return nil, err
	}
	l.agree(*l.offer)
	return body, nil
}

// acceptable tells whether an offer's protection can be answered: sound in the
// clear where none is demanded, else in the one suite that we have.
func acceptable(o sdp.Offer, demanded bool) bool {
	if !o.Secure {
		return !demanded
	}
	c, ok := o.Protection(rtp.Suite)
	return ok && rtp.GoodKey(c.Key)
}

// protect gives the leg a key of its own under the tag, once; e.mu is held.
func (l *leg) protect(tag int) {
	if l.local.Crypto == nil {
		l.local.Crypto = &sdp.Crypto{Suite: rtp.Suite, Key: rtp.NewKey()}
	}
	l.local.Crypto.Tag = tag
}

// answerProtection answers the protection that an acceptable offer asks for.
func (l *leg) answerProtection(o sdp.Offer) {
	if c, ok := o.Protection(rtp.Suite); o.Secure && ok {
		l.protect(c.Tag)
	}
}

// agree puts the peer's description into force and tells a change of hold. e.mu
// is held.
func (l *leg) agree(o sdp.Offer) {
	t := rtp.Terms{Law: rtp.PCMA, Send: o.Dir.Receives(), Receive: o.Dir.Sends(), Mux: o.RTCPMux}
	if v, ok := o.Voice(); ok && v.Name == sdp.PCMU {
		t.Law = rtp.PCMU
	}
	t.Event, _ = o.Events()
	if c, ok := o.Protection(rtp.Suite); o.Secure && ok && l.local.Crypto != nil {
		t.Keys = rtp.Keys{Send: l.local.Crypto.Key, Receive: c.Key}
	}
	if o.Addr.IsValid() {
		t.Remote = netip.AddrPortFrom(o.Addr, uint16(o.Port))
	}
	l.attend(t.Event)
	l.stream.Set(t)
	if held := o.Held(); held != l.held {
		l.held = held
		why := "resumed"
		if held {
			why = "held"
		}
		l.e.tell(media.Event{Kind: media.Held, Leg: l.id, Why: why})
	}
}

// Reinvite answers a renegotiation.
func (h handler) Reinvite(c *sip.Call, offer []byte) ([]byte, int) {
	l := h.leg(c)
	if l == nil {
		return nil, 481
	}
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	l.local.Version++
	if len(offer) == 0 {
		return sdp.Build(l.local), 200
	}
	o, err := sdp.Parse(offer)
	if err != nil || o.Secure != (l.local.Crypto != nil) || !acceptable(o, o.Secure) {
		return nil, 488
	}
	l.answerProtection(o)
	body, err := o.Answer(l.local)
	if err != nil {
		return nil, 488
	}
	l.agree(o)
	h.e.journal.touch(l)
	return body, 200
}

// answers tells whether an answer is as protected as our offer was.
func (l *leg) answers(o sdp.Offer) bool {
	return o.Secure == (l.local.Crypto != nil) && acceptable(o, o.Secure)
}

// Progress is an outgoing call that rings.
func (h handler) Progress(c *sip.Call, code int, body []byte) {
	l := h.leg(c)
	if l == nil || code == 100 {
		return
	}
	h.e.mu.Lock()
	if l.state == stateRinging || l.state == stateEarly {
		if o, err := sdp.Parse(body); len(body) > 0 && err == nil && l.answers(o) {
			l.agree(o)
			l.state = stateEarly
		}
	}
	h.e.mu.Unlock()
	h.e.tell(media.Event{Kind: media.Ringing, Leg: l.id})
}

// Answered is a call both sides have agreed on.
func (h handler) Answered(c *sip.Call, body []byte) {
	l := h.leg(c)
	if l == nil {
		return
	}
	e := h.e
	e.mu.Lock()
	if len(body) > 0 {
		o, err := sdp.Parse(body)
		if _, voice := o.Voice(); err != nil || !voice || !l.answers(o) || o.Port == 0 {
			e.mu.Unlock()
			_ = c.Hangup(65) // an answer without sound in common
			return
		}
		l.agree(o)
	}
	l.state = stateUp
	first := !l.answered
	l.answered = true
	e.journal.touch(l)
	e.mu.Unlock()
	if first {
		e.tell(media.Event{Kind: media.Answered, Leg: l.id})
	}
}

// Digit came by INFO, so nobody has heard it yet.
func (h handler) Digit(c *sip.Call, d byte) {
	if l := h.leg(c); l != nil {
		l.digit(d, true)
	}
}

// Refer is a phone that asks for a transfer.
func (h handler) Refer(c *sip.Call, to string) {
	if l := h.leg(c); l != nil {
		h.e.tell(media.Event{Kind: media.Transfer, Leg: l.id, Seat: l.seat, DNIS: to})
	}
}

// Ended is the end of a call.
func (h handler) Ended(c *sip.Call, end sip.End) {
	if l := h.leg(c); l != nil {
		h.e.drop(l, media.Event{Cause: end.Cause, By: end.By})
	}
}

// drop ends a leg: it leaves its room, its prompt and taps end, its ports go
// back, and Ended is told last.
func (e *Engine) drop(l *leg, end media.Event) {
	e.mu.Lock()
	if e.legs[l.id] != l {
		e.mu.Unlock()
		return
	}
	delete(e.legs, l.id)
	e.bury(l.id)
	e.leave(l)
	e.mu.Unlock()
	e.shards.Detach(l.shard, l)
	l.bury()
	if out := l.out(); out != nil {
		out.Close()
	}
	end.Kind, end.Leg, end.Seat = media.Ended, l.id, l.seat
	if l.call == nil {
		end.Kind = media.SeatDown
	}
	e.tell(end)
	e.journal.touch(l)
}

// bury remembers that a leg has been; e.mu is held.
func (e *Engine) bury(id media.Leg) {
	const remembered = 4096
	e.gone[id] = true
	if e.goneAt = append(e.goneAt, id); len(e.goneAt) > remembered {
		delete(e.gone, e.goneAt[0])
		e.goneAt = e.goneAt[1:]
	}
}

// Phone tells of a registration.
func (h handler) Phone(user string, up bool) {
	h.e.mu.Lock()
	if up {
		h.e.phones[user] = true
	} else {
		delete(h.e.phones, user)
	}
	h.e.mu.Unlock()
	h.e.journal.touchPhones()
	h.e.tell(media.Event{Kind: media.Registered, Seat: media.Seat(user), Why: word(up)})
}

// Trunk tells of a carrier's connection.
func (h handler) Trunk(name string, up bool) {
	h.e.tell(media.Event{Kind: media.TrunkState, Trunk: name, Why: word(up)})
}

func word(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

// treat takes a call that the platform does not take: the caller is answered,
// hears the notice of the number and music, and waits for the platform. It does
// nothing once the platform has said what to do.
func (e *Engine) treat(l *leg) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l.touched || e.legs[l.id] != l {
		return
	}
	notice := []media.Clip{{Name: "restarting"}}
	for _, t := range e.setup.Treatments {
		if t.DNIS == l.dnis && len(t.Notice) > 0 {
			notice = t.Notice
		}
	}
	if err := e.answer(l); err != nil {
		e.log.Warn("无人处理的来电未能应答", "err", err)
		return
	}
	clips := append(append([]media.Clip(nil), notice...), media.Clip{Name: "moh"}, media.Clip{Name: "moh"})
	o := media.PlayOpts{Play: "treatment", Loop: true}
	if err := e.play(l, clips, o); err != nil { // a notice of an unknown clip
		_ = e.play(l, []media.Clip{{Name: "restarting"}, {Name: "moh"}}, o)
	}
}
