package sip

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	sg "github.com/emiago/sipgo/sip"

	"hotline/internal/clock"
	"hotline/internal/voice/media"
)

// registrar keeps where the phones are (RFC 3261 10). A phone has one place: the
// one it registered from last.
type registrar struct {
	s        *Stack
	mu       sync.RWMutex
	ha1      map[string]string
	secure   map[string]bool // phones whose sound is encrypted
	bindings map[string]*binding
	where    map[netip.AddrPort]string
	door     *door
}

// Registration is where a phone is, as the next process needs it.
type Registration struct {
	User      string `json:"u"`
	Contact   string `json:"c"`
	Dest      string `json:"d"`
	Transport string `json:"t"`
	From      string `json:"f"`
	Until     int64  `json:"x"` // ms
}

type binding struct {
	contact   sg.Uri
	dest      string // where requests go
	transport string
	from      netip.AddrPort
	until     time.Time
	callID    string
	seq       uint32
	timer     *timer
}

// What a phone may ask for, in seconds.
const (
	minExpires  = 60
	maxExpires  = 3600
	stdExpires  = 600
	maxContacts = 8
)

func newRegistrar(s *Stack) *registrar {
	return &registrar{s: s, ha1: map[string]string{}, bindings: map[string]*binding{}, where: map[netip.AddrPort]string{}, door: newDoor(s.clock, s.secret[:], s.cfg.Realm)}
}

// set replaces the accounts; a phone whose account is gone or has another secret must register again.
func (r *registrar) set(phones []media.Phone) {
	next, secure := make(map[string]string, len(phones)), map[string]bool{}
	for _, p := range phones {
		next[p.User], secure[p.User] = strings.ToLower(p.HA1), p.SRTP
	}
	r.mu.Lock()
	old := r.ha1
	r.ha1, r.secure = next, secure
	r.mu.Unlock()
	for user, ha1 := range old {
		if next[user] != ha1 {
			r.drop(user, nil)
		}
	}
}

func (r *registrar) any() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.ha1) > 0
}

func (r *registrar) has(user string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.ha1[user] != ""
}

func (r *registrar) encrypted(user string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.secure[user]
}

// at is the phone that registered from there.
func (r *registrar) at(from netip.AddrPort) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.where[from]
}

func (r *registrar) lookup(user string) (binding, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	b := r.bindings[user]
	if b == nil {
		return binding{}, false
	}
	return *b, true
}

// Phones are the users that are registered now.
func (s *Stack) Phones() []string {
	s.reg.mu.RLock()
	defer s.reg.mu.RUnlock()
	var out []string
	for u := range s.reg.bindings {
		out = append(out, u)
	}
	return out
}

// Registrations are where all phones are, for RestorePhones of the next process.
func (s *Stack) Registrations() []Registration {
	s.reg.mu.RLock()
	defer s.reg.mu.RUnlock()
	out := make([]Registration, 0, len(s.reg.bindings))
	for u, b := range s.reg.bindings {
		out = append(out, Registration{u, b.contact.String(), b.dest, b.transport, b.from.String(), clock.Millis(b.until)})
	}
	return out
}

// RestorePhones takes over what a former process knew; call it after Configure.
// Phones without an account, those whose time is over, and those whose
// connection died with the process are left out; the last come back by themselves.
func (s *Stack) RestorePhones(list []Registration) {
	for _, r := range list {
		b := &binding{dest: r.Dest, transport: r.Transport, until: clock.FromMillis(r.Until)}
		from, err := netip.ParseAddrPort(r.From)
		if err != nil || sg.ParseUri(r.Contact, &b.contact) != nil || !s.reg.has(r.User) || !b.until.After(s.clock.Now()) || b.transport != "udp" {
			continue
		}
		b.from = from
		s.reg.put(r.User, b)
	}
}

// calling is the phone whose account a new INVITE uses, "" for a trunk's. Behind
// a trunk's address only a phone that registered there, or shows credentials, is one.
func (r *registrar) calling(req *sg.Request, from netip.AddrPort, trusted bool) string {
	u := req.From().Address.User
	if !r.has(u) || trusted && r.at(from) != u && req.GetHeader("authorization") == nil {
		return ""
	}
	return u
}

// prove demands the digest of user; false means that the request has been answered.
func (r *registrar) prove(req *sg.Request, tx *sg.ServerTx, user string) bool {
	r.mu.RLock()
	ha1 := r.ha1[user]
	r.mu.RUnlock()
	code, extra := r.door.check(string(req.Method), header(req, "authorization"), user, ha1, source(req).Addr())
	if code == 0 {
		return true
	}
	r.s.refuse(req, tx, code, extra...)
	return false
}

// register takes REGISTER.
func (r *registrar) register(req *sg.Request, tx *sg.ServerTx) {
	user := req.To().Address.User
	if unknown := unsupported(req); unknown != "" {
		r.s.answer(req, tx, 420, sg.NewHeader("Unsupported", unknown))
		return
	}
	if !r.prove(req, tx, user) {
		return
	}
	contacts := req.GetHeaders("contact")
	if len(contacts) > maxContacts {
		r.s.answer(req, tx, 400)
		return
	}
	if len(contacts) == 0 {
		r.bound(req, tx, user)
		return
	}
	ct, ok := contacts[0].(*sg.ContactHeader)
	if !ok {
		r.s.answer(req, tx, 400)
		return
	}
	expires, ok := expiry(ct, header(req, "expires"))
	switch {
	case !ok, ct.Address.Wildcard && expires != 0:
		r.s.answer(req, tx, 400)
		return
	case expires == 0:
		r.drop(user, nil)
		r.bound(req, tx, user)
		return
	case expires < minExpires:
		r.s.answer(req, tx, 423, sg.NewHeader("Min-Expires", strconv.Itoa(minExpires)))
		return
	}
	if !r.bind(user, req, ct, min(expires, maxExpires)) {
		r.s.answer(req, tx, 500, retryAfter())
		return
	}
	r.bound(req, tx, user, sg.NewHeader("Contact", "<"+ct.Address.String()+">;expires="+strconv.Itoa(min(expires, maxExpires))))
}

func expiry(ct *sg.ContactHeader, h string) (int, bool) {
	v := ct.Params.GetOr("expires", h)
	if v == "" {
		return stdExpires, true
	}
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32)
	return int(min(n, maxExpires)), err == nil
}

// bind notes where the phone is; false = the request is older than what is known.
func (r *registrar) bind(user string, req *sg.Request, ct *sg.ContactHeader, expires int) bool {
	from := source(req)
	b := &binding{contact: *ct.Address.Clone(), transport: strings.ToLower(req.Transport()), from: from, callID: callID(req), seq: seq(req), dest: from.String()}
	// A phone that says where it listens and is not behind NAT is called there.
	if a, err := netip.ParseAddr(strings.Trim(ct.Address.Host, "[]")); err == nil && a.Unmap() == from.Addr() && b.transport == "udp" {
		port := ct.Address.Port
		if port == 0 {
			port = sg.DefaultUdpPort
		}
		b.dest = net.JoinHostPort(a.String(), strconv.Itoa(port))
	}
	b.until = r.s.clock.Now().Add(time.Duration(expires) * time.Second)
	return r.put(user, b)
}

// put makes b the phone's place; false = it is older than what is known.
func (r *registrar) put(user string, b *binding) bool {
	r.mu.Lock()
	old := r.bindings[user]
	if old != nil && old.callID == b.callID && b.seq <= old.seq {
		r.mu.Unlock()
		return false
	}
	if old != nil {
		old.timer.stop()
		delete(r.where, old.from)
	}
	r.bindings[user], r.where[b.from] = b, user
	b.timer = r.s.timers.after(b.until.Sub(r.s.clock.Now()), func() { r.drop(user, b) })
	r.mu.Unlock()
	if old == nil {
		r.s.h.Phone(user, true)
	}
	return true
}

// drop forgets a phone's place: that one, or whichever it is.
func (r *registrar) drop(user string, which *binding) {
	r.mu.Lock()
	b := r.bindings[user]
	if b == nil || which != nil && which != b {
		r.mu.Unlock()
		return
	}
	b.timer.stop()
	delete(r.bindings, user)
	delete(r.where, b.from)
	r.mu.Unlock()
	r.s.h.Phone(user, false)
}

// bound answers with what is registered.
func (r *registrar) bound(req *sg.Request, tx *sg.ServerTx, user string, contact ...sg.Header) {
	if b, ok := r.lookup(user); ok && contact == nil {
		contact = append(contact, sg.NewHeader("Contact", "<"+b.contact.String()+">"))
	}
	r.s.answer(req, tx, 200, contact...)
}
