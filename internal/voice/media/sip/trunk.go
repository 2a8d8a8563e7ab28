package sip

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	sg "github.com/emiago/sipgo/sip"

	"hotline/internal/voice/media"
)

// trunks are the carriers' connections: who may call in, how often, and which
// answer OPTIONS.
type trunks struct {
	s     *Stack
	mu    sync.RWMutex
	list  []*trunk
	rates map[string]*bucket
	done  bool
}

type trunk struct {
	media.Trunk
	allow []netip.Prefix
	addrs []netip.Addr // of Address
	heard bool         // has been pinged to an end
	up    bool
	fails int
	timer *timer
	gone  bool
	reg   *enrolment // nil = the carrier knows us by our address
	view  media.TrunkView
}

// bucket is one caller's allowance.
type bucket struct {
	left float64
	at   time.Time
}

// set replaces the trunks; one that stays the same keeps what is known of it.
func (t *trunks) set(list []media.Trunk) error {
	var next []*trunk
	for _, m := range list {
		tr := &trunk{Trunk: m}
		for _, a := range m.Allow {
			p, err := prefix(a)
			if err != nil {
				return fmt.Errorf("sip: trunk %s: %w", m.Name, err)
			}
			tr.allow = append(tr.allow, p)
		}
		if m.Address != "" {
			host, _, err := hostOf(m.Address, m.Transport)
			if err != nil {
				return fmt.Errorf("sip: trunk %s: %w", m.Name, err)
			}
			if a, err := netip.ParseAddr(host); err == nil {
				tr.addrs = []netip.Addr{a.Unmap()}
			} // a name is looked up with every ping
		}
		if m.Register && m.Address != "" && m.User != "" {
			tr.reg = &enrolment{id: random(), tag: "h" + random()}
		}
		next = append(next, tr)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, old := range t.list {
		old.timer.stop()
		old.gone = true
		stays := false
		for _, n := range next {
			if n.Name == old.Name && n.Address == old.Address && n.Transport == old.Transport {
				n.heard, n.up, n.fails, n.view = old.heard, old.up, old.fails, old.view
				if old.reg != nil && n.reg != nil && n.User == old.User && n.Domain == old.Domain {
					n.reg, stays = old.reg, true
				}
			}
		}
		if old.reg != nil && !stays {
			t.leave(old)
		}
	}
	t.list, t.rates = next, map[string]*bucket{}
	for _, n := range next {
		switch {
		case n.Address == "" || t.done:
		case n.reg != nil:
			go t.enrol(n)
		case t.s.cfg.Ping > 0:
			go t.ping(n)
		}
	}
	return nil
}

func (t *trunks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = true
	for _, tr := range t.list {
		tr.timer.stop()
		tr.gone = true
	}
}

func prefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// hostOf reads host[:port] with the transport's default port.
func hostOf(address, transport string) (string, int, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return strings.Trim(address, "[]"), sg.DefaultPort(or(transport, "udp")), nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%w: %s", ErrTarget, address)
	}
	return host, int(n), nil
}

// of is the trunk that may call from a.
func (t *trunks) of(a netip.Addr) (media.Trunk, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, tr := range t.list {
		for _, p := range tr.allow {
			if p.Contains(a) {
				return tr.Trunk, true
			}
		}
	}
	return media.Trunk{}, false
}

// knows tells whether a belongs to a trunk, be it for outgoing calls only.
func (t *trunks) knows(a netip.Addr) bool {
	if _, ok := t.of(a); ok {
		return true
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, tr := range t.list {
		if slices.Contains(tr.addrs, a) {
			return true
		}
	}
	return false
}

// allowed takes one call off the caller's allowance of calls a minute. Withheld
// numbers share none, or one of them would silence all; loopback is never held
// below 100 calls a second.
func (t *trunks) allowed(tr media.Trunk, ani string, from netip.Addr) bool {
	if tr.PerANI <= 0 || ani == "" {
		return true
	}
	full := float64(tr.PerANI)
	if from.IsLoopback() {
		full = max(full, 6000)
	}
	now := t.s.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rates) > 50000 {
		for k, b := range t.rates {
			if now.Sub(b.at) > time.Minute {
				delete(t.rates, k)
			}
		}
	}
	key := tr.Name + ";" + ani
	b := t.rates[key]
	if b == nil {
		b = &bucket{full, now}
		t.rates[key] = b
	}
	b.left = min(full, b.left+full*now.Sub(b.at).Minutes())
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// ping asks a trunk whether it is there, and again after Config.Ping.
func (t *trunks) ping(tr *trunk) {
	addrs := resolve(tr.Address, tr.Transport)
	t.mu.Lock()
	if len(addrs) > 0 { // before the answer to the ping is due
		tr.addrs = addrs
	}
	t.mu.Unlock()
	code := t.s.options(tr.Trunk)
	if name, up, news := t.heard(tr, code != 0 && code != 408 && code != 503, code, 0); news {
		t.s.h.Trunk(name, up)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if tr.gone {
		return
	}
	wait := t.s.cfg.Ping
	if tr.fails == 1 {
		wait = min(wait, t2)
	}
	tr.timer = t.s.timers.after(wait, func() { t.ping(tr) })
}

// heard notes what a ping or a REGISTER showed, with the answer's code (0 = none)
// and the term that was granted; news tells that the trunk's state has changed.
func (t *trunks) heard(tr *trunk, alive bool, code int, term time.Duration) (name string, up, news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tr.gone {
		return "", false, false
	}
	was, heard := tr.up, tr.heard
	tr.heard = true
	switch {
	case alive:
		tr.up, tr.fails = true, 0
	default:
		if tr.fails++; !heard || tr.fails >= 2 { // one lost answer is no outage
			tr.up = false
		}
	}
	news = tr.up != was || !heard
	v, now := &tr.view, t.s.clock.Now().UnixMilli()
	v.Code, v.Until = code, 0
	if code != 0 {
		v.Last = now
	}
	if term > 0 {
		v.Until = now + term.Milliseconds()
	}
	if !alive {
		v.Failed, v.FailCode = now, code
	}
	if news {
		v.Since = now
	}
	return tr.Name, tr.up, news
}

// pings tells that the trunk has answered the newest OPTIONS.
func (t *trunks) pings(name string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.ContainsFunc(t.list, func(tr *trunk) bool {
		return tr.Name == name && tr.reg == nil && tr.up && tr.fails == 0
	})
}

// views tells how the trunks stand, in the order of the rules.
func (t *trunks) views() []media.TrunkView {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]media.TrunkView, 0, len(t.list))
	for _, tr := range t.list {
		v := tr.view
		v.Name, v.Asked, v.Up, v.Registers = tr.Name, tr.heard, tr.up, tr.reg != nil
		out = append(out, v)
	}
	return out
}

// Trunks tells how the carriers' connections stand.
func (s *Stack) Trunks() []media.TrunkView { return s.trunks.views() }

// resolve is the addresses behind a trunk's name, none when it is one or unknown.
func resolve(address, transport string) []netip.Addr {
	host, _, err := hostOf(address, transport)
	if _, literal := netip.ParseAddr(host); err != nil || literal == nil {
		return nil
	}
	ctx, cancel := ctxFor(t2)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found
}

// options sends OPTIONS and gives the code of the answer, 0 = none came. Any but
// 408 and 503 comes from something that lives.
func (s *Stack) options(tr media.Trunk) int {
	host, port, err := hostOf(tr.Address, tr.Transport)
	if err != nil {
		return 0
	}
	c := &Call{s: s, callID: random(), transport: or(tr.Transport, "udp"), target: sg.Uri{Scheme: "sip", Host: host, Port: port},
		local: party{uri: sg.Uri{Scheme: "sip", User: "hotline", Host: s.host}, tag: "h" + random()}}
	c.remote.uri = c.target
	req := c.build(sg.OPTIONS, 1)
	req.AppendHeader(sg.NewHeader("Accept", "application/sdp"))
	req.SetBody(nil)
	req.SetDestination(net.JoinHostPort(host, strconv.Itoa(port)))
	ctx, cancel := ctxFor(8 * t1)
	defer cancel()
	res, err := s.do(ctx, req)
	if err != nil {
		return 0
	}
	return res.StatusCode
}
