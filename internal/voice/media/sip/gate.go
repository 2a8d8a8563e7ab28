package sip

import (
	"bytes"
	"errors"
	"hash/maphash"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	sg "github.com/emiago/sipgo/sip"
)

// filter sees every datagram before the library does. What it drops costs one
// parse: no goroutine, no transaction, no entry in the library's address pool,
// which never shrinks.
func (s *Stack) filter(p sg.TransportReadProps, data []byte) ([]byte, error) {
	if p.Transport != "UDP" { // framed connections have been through the door
		return data, nil
	}
	if blank(data) { // a keep-alive
		return nil, nil
	}
	a, _ := p.RemoteAddr.(*net.UDPAddr)
	if a == nil || !s.admit(data, netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), uint16(a.Port))) {
		return nil, nil
	}
	return data, nil
}

// admit decides whether a message may come in at all.
func (s *Stack) admit(data []byte, from netip.AddrPort) bool {
	if s.closed.Load() {
		return false
	}
	msg, err := s.parse(data)
	req, isRequest := msg.(*sg.Request)
	if err != nil {
		s.log.Debug("dropped", "from", from, "err", err)
		if errors.Is(err, sg.ErrParseReadBodyIncomplete) && isRequest {
			s.cut(req, from)
		}
		return false
	}
	if !isRequest {
		return s.issued(branch(msg)) || s.trunks.knows(from.Addr())
	}
	if req.Via() == nil || req.CSeq() == nil || req.CallID() == nil || req.From() == nil || req.To() == nil {
		return false
	}
	// Twice the bound is a flood that not even a refusal is due to.
	if s.live.Load() >= 2*int64(s.cfg.Transactions) && !req.IsAck() {
		return false
	}
	return s.welcome(req, from) || s.cfg.Refuse
}

// cut tells a peer we know that its datagram is shorter than it says (RFC 3261 18.3).
func (s *Stack) cut(req *sg.Request, from netip.AddrPort) {
	if req.Via() == nil || req.From() == nil || req.IsAck() || !s.welcome(req, from) {
		return
	}
	req.SetSource(from.String())
	req.SetTransport("UDP")
	if u, ok := s.socks[0].(*net.UDPConn); ok {
		_, _ = u.WriteToUDPAddrPort([]byte(s.response(req, 400, nil).String()), from)
	}
}

var errPanic = errors.New("sip: parser failed")

// parse never panics, whatever the library's parser meets.
func (s *Stack) parse(data []byte) (m sg.Message, err error) {
	defer func() {
		if recover() != nil {
			m, err = nil, errPanic
		}
	}()
	if len(data) > sg.ParseMaxMessageLength {
		return nil, sg.ErrMessageTooLarge
	}
	return s.parser.ParseSIP(data)
}

// welcome tells whether a request may be worked on: from a trunk, from where a
// phone registered, or by the name of a phone, which then proves itself by digest.
func (s *Stack) welcome(req *sg.Request, from netip.AddrPort) bool {
	if s.trunks.knows(from.Addr()) || s.reg.at(from) != "" {
		return true
	}
	switch req.Method {
	case sg.REGISTER:
		return s.reg.any()
	case sg.INVITE, sg.ACK, sg.CANCEL, sg.BYE, sg.REFER, sg.INFO, sg.PRACK, sg.UPDATE, sg.OPTIONS:
		return s.reg.has(req.From().Address.User)
	}
	return false
}

// before runs in the reader, ahead of the transactions. It puts our tag on a
// request that begins a dialog, so that all responses the library makes from it
// by itself (100, the 200 and 487 of a CANCEL) carry the same, and takes the ACKs.
func (s *Stack) before(m sg.Message) {
	req, ok := m.(*sg.Request)
	if !ok {
		return
	}
	to := req.To()
	if to == nil {
		return
	}
	tag, has := to.Params.Get("tag")
	switch {
	case req.IsAck():
		if c := s.call(callID(req), tag); has && c != nil {
			go c.acked(req)
		}
	case !has:
		to.Params.Add("tag", s.tag(req))
	}
}

// tag is our To tag for a request that begins something: the same for its
// retransmissions and its CANCEL, and unguessable.
func (s *Stack) tag(req *sg.Request) string {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, part := range []string{callID(req), fromTag(req), branch(req), strconv.Itoa(int(seq(req)))} {
		h.WriteString(part)
		h.WriteByte(0)
	}
	return "h" + strconv.FormatUint(h.Sum64(), 36)
}

// begins tells whether req stands outside of any dialog.
func (s *Stack) begins(req *sg.Request) bool { return toTag(req) == s.tag(req) }

func callID(m sg.Message) string {
	if h := m.CallID(); h != nil {
		return h.Value()
	}
	return ""
}

func fromTag(m sg.Message) string {
	if h := m.From(); h != nil {
		return h.Params.GetOr("tag", "")
	}
	return ""
}

func toTag(m sg.Message) string {
	if h := m.To(); h != nil {
		return h.Params.GetOr("tag", "")
	}
	return ""
}

func branch(m sg.Message) string {
	if h := m.Via(); h != nil {
		return h.Params.GetOr("branch", "")
	}
	return ""
}

func seq(m sg.Message) uint32 {
	if h := m.CSeq(); h != nil {
		return h.SeqNo
	}
	return 0
}

// header is the value of the first header of that name or its compact form.
func header(m interface{ GetHeader(string) sg.Header }, names ...string) string {
	for _, n := range names {
		if h := m.GetHeader(n); h != nil {
			return strings.TrimSpace(h.Value())
		}
	}
	return ""
}

// lists tells whether a comma-separated header names what.
func lists(m sg.Message, what string, names ...string) bool {
	for _, n := range names {
		for _, h := range m.GetHeaders(n) {
			for v := range strings.SplitSeq(h.Value(), ",") {
				if strings.EqualFold(strings.TrimSpace(v), what) {
					return true
				}
			}
		}
	}
	return false
}

const (
	maxStreams  = 4000             // TCP and TLS connections
	idleStream  = 30 * time.Minute // a trunk pings, a phone registers more often
	firstStream = 10 * time.Second // to say the first thing
)

// framed makes a listener whose connections hand on one whole, admitted message
// a Read, so that a stream passes the same door as a datagram.
func (s *Stack) framed(l net.Listener) net.Listener { return &streams{Listener: l, s: s} }

type streams struct {
	net.Listener
	s    *Stack
	open atomic.Int64
}

func (l *streams) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, err := netip.ParseAddrPort(c.RemoteAddr().String())
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		stranger := !l.s.trunks.knows(from.Addr()) && !l.s.reg.any() && !l.s.cfg.Refuse
		if err != nil || stranger || l.open.Load() >= maxStreams {
			c.Close()
			continue
		}
		l.open.Add(1)
		return &stream{Conn: c, l: l, from: from}, nil
	}
}

// stream cuts a connection into messages (RFC 3261 18.3).
type stream struct {
	net.Conn
	l      *streams
	from   netip.AddrPort
	buf    []byte // read, not yet handed on
	ready  []byte // a message too large for one Read
	spoken bool
	shut   atomic.Bool
}

func (c *stream) Close() error {
	if !c.shut.Swap(true) {
		c.l.open.Add(-1)
	}
	return c.Conn.Close()
}

// branch is a new Via branch: chance and a proof that we made it, so that
// responses to nothing are told apart without a table. The trunks' are let in
// anyway: they may answer what the process before this one asked.
func (s *Stack) branch() string {
	r := random()
	return "z9hG4bK" + r + s.proof(r)
}

func (s *Stack) proof(r string) string {
	return "." + strconv.FormatUint(maphash.String(s.seed, r), 36)
}

func (s *Stack) issued(branch string) bool {
	r, ok := strings.CutPrefix(branch, "z9hG4bK")
	at := strings.IndexByte(r, '.')
	return ok && at > 0 && r[at:] == s.proof(r[:at])
}

var errFrame = errors.New("sip: stream without message boundaries")

func (c *stream) Read(p []byte) (int, error) {
	for len(c.ready) == 0 {
		msg, err := c.next()
		if err != nil {
			return 0, err
		}
		if c.l.s.admit(msg, c.from) {
			c.ready, c.spoken = msg, true
		}
	}
	n := copy(p, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// next is the next whole message of the stream.
func (c *stream) next() ([]byte, error) {
	chunk := make([]byte, 4096)
	for {
		for bytes.HasPrefix(c.buf, []byte("\r\n")) { // keep-alive, RFC 5626 3.5.1
			if bytes.HasPrefix(c.buf, []byte("\r\n\r\n")) {
				if _, err := c.Conn.Write([]byte("\r\n")); err != nil {
					return nil, err
				}
				c.buf = c.buf[2:]
			}
			c.buf = c.buf[2:]
		}
		if n, err := frame(c.buf); err != nil {
			return nil, err
		} else if n > 0 {
			msg := c.buf[:n:n]
			c.buf = c.buf[n:]
			return msg, nil
		}
		wait := idleStream
		if !c.spoken {
			wait = firstStream
		}
		if err := c.Conn.SetReadDeadline(c.l.s.clock.Now().Add(wait)); err != nil {
			return nil, err
		}
		n, err := c.Conn.Read(chunk)
		if err != nil {
			return nil, err
		}
		c.buf = append(c.buf, chunk[:n]...)
	}
}

// frame is the length of the first message in b, 0 while it is not all there.
func frame(b []byte) (int, error) {
	head := bytes.Index(b, []byte("\r\n\r\n"))
	if head < 0 {
		if len(b) > 32<<10 {
			return 0, errFrame
		}
		return 0, nil
	}
	length := -1
	for line := range bytes.SplitSeq(b[:head], []byte("\r\n")) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimSpace(name)
		if !ok || !bytes.EqualFold(name, []byte("content-length")) && !bytes.EqualFold(name, []byte("l")) {
			continue
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 16)
		if err != nil || length >= 0 && length != int(n) {
			return 0, errFrame
		}
		length = int(n)
	}
	if length < 0 || head+4+length > sg.ParseMaxMessageLength {
		return 0, errFrame
	}
	if len(b) < head+4+length {
		return 0, nil
	}
	return head + 4 + length, nil
}

func blank(b []byte) bool { return len(bytes.Trim(b, "\r\n\x00 \t")) == 0 }
