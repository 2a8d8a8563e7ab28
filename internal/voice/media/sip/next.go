package sip

import (
	"context"
	"slices"
	"strings"
	"time"

	sg "github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"hotline/internal/voice/media"
)

// firstWord is how long a trunk may say nothing at all while another is left to
// be tried: the caller waits, and Timer B's 32 s are the whole ringing time.
const firstWord = 3 * time.Second

// toTrunk aims the call at a trunk.
func (c *Call) toTrunk(tr media.Trunk, number string) error {
	host, port, err := hostOf(tr.Address, tr.Transport)
	if err != nil {
		return err
	}
	c.trunk, c.transport, c.dnis, c.secure = tr.Name, or(tr.Transport, "udp"), number, tr.SRTP
	c.target = sg.Uri{Scheme: "sip", User: strings.ReplaceAll(number, "#", "%23"), Host: host, Port: port}
	if c.transport != "udp" {
		c.target.UriParams = sg.HeaderParams{{K: "transport", V: c.transport}}
	}
	c.source = tr.Address
	return nil
}

// hurry gives up a trunk that says nothing, if there is another.
func (c *Call) hurry(tx *sg.ClientTx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.tx = tx
	if len(c.out.rest) == 0 {
		return
	}
	c.s.timers.after(firstWord, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.state == early && c.out.tx == tx && !c.out.provisional {
			tx.Terminate()
		}
	})
}

// elsewhere is the INVITE to the next trunk, nil when none is left or the call
// is given up. A late 200 of the one before is ended as that of a fork is. c.mu
// is held.
func (c *Call) elsewhere(req *sg.Request) *sg.Request {
	for c.state == early && len(c.out.rest) > 0 {
		tr := c.out.rest[0]
		c.out.rest = c.out.rest[1:]
		was := c.trunk
		if c.toTrunk(tr, c.dnis) != nil {
			continue
		}
		c.s.log.Warn("trunk does not take the call, trying the next", "call", c.id, "trunk", was, "next", tr.Name)
		c.remote = party{uri: sg.Uri{Scheme: "sip", User: c.target.User, Host: c.target.Host, Port: c.target.Port}}
		c.routes, c.out.rseq, c.out.authed = nil, 0, false
		return c.anew(req)
	}
	return nil
}

// anew is an INVITE again: a new number and branch, the same content, to where
// the call is aimed now. c.mu is held.
func (c *Call) anew(req *sg.Request) *sg.Request {
	next := c.build(sg.INVITE, c.nextSeq())
	carry(req, next, "Session-Expires", "Min-SE")
	for _, h := range c.session.propose(true) {
		next.AppendHeader(h)
	}
	c.invite, c.out.provisional = next, false
	return next
}

// made are the headers that build and via write.
var made = []string{"via", "route", "max-forwards", "from", "to", "call-id", "cseq", "contact", "user-agent", "content-length", "authorization", "proxy-authorization"}

// carry copies what a request says beyond that.
func carry(from, to *sg.Request, but ...string) {
	for _, h := range from.Headers() {
		name := strings.ToLower(h.Name())
		if !slices.Contains(made, name) && !slices.ContainsFunc(but, func(b string) bool { return strings.EqualFold(b, name) }) {
			to.AppendHeader(h)
		}
	}
	to.SetBody(from.Body())
}

// credentials answers a trunk's challenge; nil when it made none, or we have no
// account there.
func (s *Stack) credentials(trunk string, req *sg.Request, res *sg.Response) sg.Header {
	tr, ok := s.trunks.named(trunk)
	if !ok {
		return nil
	}
	return s.solve(tr, req, res)
}

// solve is credentials with the account of tr.
func (s *Stack) solve(tr media.Trunk, req *sg.Request, res *sg.Response) sg.Header {
	ask, say := "www-authenticate", "Authorization"
	switch res.StatusCode {
	case 401:
	case 407:
		ask, say = "proxy-authenticate", "Proxy-Authorization"
	default:
		return nil
	}
	if tr.User == "" {
		return nil
	}
	for _, v := range values(res, ask) {
		chal, err := digest.ParseChallenge(v)
		if err != nil || !digest.CanDigest(chal) {
			continue
		}
		cred, err := digest.Digest(chal, digest.Options{Method: string(req.Method), URI: req.Recipient.String(), Username: tr.User, Password: tr.Password, Count: 1})
		if err == nil {
			return sg.NewHeader(say, cred.String())
		}
	}
	return nil
}

// proven is a request of the dialog again, with the credentials that res asks
// for; nil when it asks for none.
func (c *Call) proven(req *sg.Request, res *sg.Response) *sg.Request {
	h := c.s.credentials(c.Trunk(), req, res)
	if h == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.build(req.Method, c.nextSeq())
	carry(req, next)
	next.AppendHeader(h)
	return next
}

// do sends a request of the dialog that is no INVITE and waits for its final
// response; a trunk that wants to know who we are is told.
func (c *Call) do(ctx context.Context, req *sg.Request) (*sg.Response, error) {
	res, err := c.s.do(ctx, req)
	if err != nil {
		return res, err
	}
	if next := c.proven(req, res); next != nil {
		return c.s.do(ctx, next)
	}
	return res, nil
}

// named is the trunk of a name.
func (t *trunks) named(name string) (media.Trunk, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, tr := range t.list {
		if tr.Name == name {
			return tr.Trunk, true
		}
	}
	return media.Trunk{}, false
}

// candidates are the trunks for an outgoing call, in order: the named one, or
// all that are up or have not been heard of yet.
func (t *trunks) candidates(name string) (out []media.Trunk) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, tr := range t.list {
		if tr.Address != "" && (name != "" && tr.Name == name || name == "" && (tr.up || !tr.heard)) {
			out = append(out, tr.Trunk)
		}
	}
	return out
}
