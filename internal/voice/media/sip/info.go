package sip

import (
	"mime"
	"net/url"
	"strconv"
	"strings"
	"time"

	sg "github.com/emiago/sipgo/sip"
)

// info takes INFO: keys in the two bodies that phones and gateways send, and an
// empty one, which some use as a keep-alive.
func (c *Call) info(req *sg.Request, tx *sg.ServerTx) {
	kind, _, _ := mime.ParseMediaType(header(req, "content-type", "c"))
	var digit byte
	switch {
	case len(req.Body()) == 0:
		c.s.answer(req, tx, 200)
		return
	case kind == "application/dtmf-relay":
		digit = relayed(string(req.Body()))
	case kind == "application/dtmf":
		digit = key(string(req.Body()))
	default:
		c.s.answer(req, tx, 415, sg.NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
		return
	}
	if digit == 0 {
		c.s.answer(req, tx, 400)
		return
	}
	c.mu.Lock()
	if c.state != ended { // before the answer, after which the next key may come
		c.post(func() { c.s.h.Digit(c, digit) })
	}
	c.mu.Unlock()
	c.s.answer(req, tx, 200)
}

// relayed reads "Signal=5\r\nDuration=160".
func relayed(body string) byte {
	for line := range strings.FieldsFuncSeq(body, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if k, v, ok := strings.Cut(line, "="); ok && strings.EqualFold(strings.TrimSpace(k), "signal") {
			return key(v)
		}
	}
	return 0
}

// key reads one key: the character itself, or 10 and 11 for * and #.
func key(s string) byte {
	s = strings.ToUpper(strings.TrimSpace(s))
	switch {
	case s == "10":
		return '*'
	case s == "11":
		return '#'
	case len(s) == 1 && strings.Contains("0123456789*#ABCD", s):
		return s[0]
	}
	return 0
}

// referred takes REFER (RFC 3515): a phone asks for a transfer, which the
// platform carries out by joining legs anew. A trunk may not ask.
func (c *Call) referred(req *sg.Request, tx *sg.ServerTx) {
	if c.phone == "" || c.s.reg.at(source(req)) != c.phone {
		c.s.answer(req, tx, 403)
		return
	}
	h := header(req, "refer-to", "r")
	if to := req.ReferTo(); to != nil {
		h = "<" + to.Address.String() + ">"
	}
	var uri sg.Uri
	if _, err := sg.ParseAddressValue(h, &uri, nil); err != nil || len(req.GetHeaders("refer-to"))+len(req.GetHeaders("r")) != 1 {
		c.s.answer(req, tx, 400)
		return
	}
	to := clip(or(Number(user(&uri)), user(&uri)), 64)
	if id, tag := replaced(&uri); id != "" {
		other := c.s.call(id, tag)
		if other == nil || other.phone != c.phone {
			c.s.answer(req, tx, 404)
			return
		}
		to = "call:" + other.id
	}
	c.s.answer(req, tx, 202, sg.NewHeader("Contact", c.s.contact(req.Transport())))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == ended {
		return
	}
	if c.referral != "" { // one at a time; the earlier wish is over
		c.notify("SIP/2.0 603 Decline", true)
	}
	c.referral = "refer;id=" + strconv.Itoa(int(seq(req)))
	if strings.EqualFold(header(req, "refer-sub"), "false") {
		c.referral = ""
	} else {
		c.notify("SIP/2.0 100 Trying", false)
		was := c.referral
		c.s.timers.after(referWait, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.referral == was {
				c.notify("SIP/2.0 503 Service Unavailable", true)
			}
		})
	}
	c.post(func() { c.s.h.Refer(c, to) })
}

// referWait is how long the platform may take to say what became of a REFER.
const referWait = 30 * time.Second

// Referred tells the phone what became of its REFER, as a SIP code (RFC 3515
// 2.4.5). It does nothing when the phone does not wait to hear.
func (c *Call) Referred(code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.referral != "" && c.state != ended {
		c.notify("SIP/2.0 "+strconv.Itoa(code)+" "+phrase(code), true)
	}
}

// notify reports on the REFER, for the last time or not. c.mu is held.
func (c *Call) notify(line string, last bool) {
	state := "active;expires=" + strconv.Itoa(int(referWait/time.Second))
	note := c.build(sg.NOTIFY, c.nextSeq())
	note.AppendHeader(sg.NewHeader("Event", c.referral))
	if last {
		state, c.referral = "terminated;reason=noresource", ""
	}
	note.AppendHeader(sg.NewHeader("Subscription-State", state))
	note.AppendHeader(sg.NewHeader("Content-Type", "message/sipfrag;version=2.0"))
	note.SetBody([]byte(line + "\r\n"))
	go func() {
		ctx, cancel := ctxLong()
		defer cancel()
		_, _ = c.s.do(ctx, note) // the phone may have hung up already
	}()
}

// replaced is the call that Refer-To's Replaces names, as our side has it: the
// phone's to-tag is the tag of ours.
func replaced(u *sg.Uri) (id, tag string) {
	for _, kv := range u.Headers {
		if !strings.EqualFold(kv.K, "replaces") {
			continue
		}
		v, err := url.QueryUnescape(kv.V)
		if err != nil {
			return "", ""
		}
		parts := strings.Split(v, ";")
		for _, p := range parts[1:] {
			if k, t, _ := strings.Cut(p, "="); k == "to-tag" {
				return parts[0], t
			}
		}
	}
	return "", ""
}
