package sip

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	sg "github.com/emiago/sipgo/sip"

	"hotline/internal/voice/media"
)

// The times of our own registration with a carrier (中继注册).
const (
	enrolFor  = 600 * time.Second // asked for where the trunk does not say
	enrolAway = 5 * time.Minute   // longest pause after failures
	enrolMin  = 30 * time.Second  // shortest term we follow
)

// enrolment is our registration with one carrier. It goes on under the same
// Call-ID with rising numbers (RFC 3261 10.2.4), also when the rules change.
type enrolment struct {
	id, tag string

	mu    sync.Mutex // held while a REGISTER is under way
	seq   uint32
	term  time.Duration // that the carrier wants at least (423)
	fails int
}

// enrol registers with a trunk's carrier, and again before the term is over. A
// carrier that refuses or says nothing is asked again after a growing pause; the
// trunk is up while it is registered.
func (t *trunks) enrol(tr *trunk) {
	if addrs := resolve(tr.Address, tr.Transport); len(addrs) > 0 {
		t.mu.Lock()
		tr.addrs = addrs
		t.mu.Unlock()
	}
	e := tr.reg
	e.mu.Lock()
	t.mu.RLock()
	gone := tr.gone // while it waited for its predecessor
	t.mu.RUnlock()
	if gone {
		e.mu.Unlock()
		return
	}
	granted, pause, code := t.s.enrol(tr.Trunk, e, e.want(tr.Trunk))
	ok := granted > 0
	wait := granted * 4 / 5
	if e.fails++; ok {
		e.fails = 0
	} else {
		wait = max(pause, min(enrolAway, time.Second<<min(e.fails, 10)))
	}
	e.mu.Unlock()
	if !ok {
		t.s.log.Warn("carrier does not register us", "trunk", tr.Name, "code", code, "again", wait)
	}
	if name, up, news := t.heard(tr, ok, code, granted); news {
		t.s.h.Trunk(name, up)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !tr.gone {
		tr.timer = t.s.timers.after(wait, func() { t.enrol(tr) })
	}
}

// leave takes our registration back; nobody waits for the answer.
func (t *trunks) leave(tr *trunk) {
	go func() {
		tr.reg.mu.Lock()
		defer tr.reg.mu.Unlock()
		_, _, _ = t.s.enrol(tr.Trunk, tr.reg, 0)
	}()
}

func (e *enrolment) want(tr media.Trunk) time.Duration {
	return max(orInt(time.Duration(tr.Expires)*time.Second, enrolFor), e.term)
}

// enrol sends one REGISTER for a term, with credentials when they are asked for.
// It gives the term that was granted, 0 = none, and then how long the carrier
// wants to be left alone and its answer, 0 = none came.
func (s *Stack) enrol(tr media.Trunk, e *enrolment, term time.Duration) (granted, pause time.Duration, code int) {
	host, port, err := hostOf(tr.Address, tr.Transport)
	if err != nil {
		return 0, 0, 0
	}
	who := sg.Uri{Scheme: "sip", User: tr.User, Host: or(tr.Domain, host)}
	c := &Call{s: s, callID: e.id, transport: or(tr.Transport, "udp"), target: sg.Uri{Scheme: "sip", Host: or(tr.Domain, host)},
		dest: net.JoinHostPort(host, strconv.Itoa(port)), local: party{uri: who, tag: e.tag}, remote: party{uri: who}}
	var proof sg.Header
	for try := 0; try < 4; try++ {
		e.seq++
		req := c.build(sg.REGISTER, e.seq)
		req.ReplaceHeader(sg.NewHeader("Contact", s.enrolled(tr)))
		req.AppendHeader(sg.NewHeader("Expires", strconv.Itoa(int(term/time.Second))))
		if proof != nil {
			req.AppendHeader(proof)
		}
		req.SetBody(nil)
		ctx, cancel := ctxFor(16 * t1)
		res, err := s.do(ctx, req)
		cancel()
		if err != nil {
			return 0, 0, 0
		}
		code = res.StatusCode
		switch {
		case code == 200:
			return s.term(tr, res, term), 0, code
		case (code == 401 || code == 407) && (proof == nil || stale(res)):
			if proof = s.solve(tr, req, res); proof == nil {
				return 0, 0, code
			}
			continue
		case code == 423:
			if least, ok := secondsOf(header(res, "min-expires")); ok && least > term && least <= 24*time.Hour {
				term, e.term = least, least
				continue
			}
		}
		after, _, _ := strings.Cut(header(res, "retry-after"), "(")
		pause, _ = secondsOf(after)
		return 0, min(pause, time.Hour), code
	}
	return 0, 0, code
}

// stale tells that only the nonce was too old.
func stale(res *sg.Response) bool {
	for _, name := range []string{"www-authenticate", "proxy-authenticate"} {
		for _, v := range values(res, name) {
			if strings.Contains(strings.ToLower(strings.ReplaceAll(v, " ", "")), "stale=true") {
				return true
			}
		}
	}
	return false
}

// enrolled is the Contact under which the carrier reaches us.
func (s *Stack) enrolled(tr media.Trunk) string {
	return strings.Replace(s.contact(or(tr.Transport, "udp")), "hotline@", tr.User+"@", 1)
}

// term is what the carrier granted: for our contact, else for all of them.
func (s *Stack) term(tr media.Trunk, res *sg.Response, asked time.Duration) time.Duration {
	if asked == 0 {
		return 0
	}
	got := asked
	if d, ok := secondsOf(header(res, "expires")); ok {
		got = d
	}
	_, at, _ := strings.Cut(s.enrolled(tr), "@")
	at, _, _ = strings.Cut(strings.TrimSuffix(at, ">"), ";")
	for _, v := range values(res, "contact") {
		for _, one := range strings.Split(v, ",") {
			if !strings.Contains(one, "@"+at) {
				continue
			}
			for _, p := range strings.Split(one, ";") {
				if n, ok := strings.CutPrefix(strings.TrimSpace(strings.ToLower(p)), "expires="); ok {
					if d, ok := secondsOf(n); ok {
						got = d
					}
				}
			}
		}
	}
	return max(min(got, 24*time.Hour), enrolMin)
}
