package sip

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sg "github.com/emiago/sipgo/sip"

	"hotline/internal/clock"
	"hotline/internal/voice/media"
)

// Config is what a Stack is built from; a zero field takes its default.
type Config struct {
	Listen    string // host:port for UDP and TCP; port 0 = one that is free on both
	Advertise string // host or host:port at which peers reach us; "" = where we listen
	Realm     string // of the digest; "" = hotline
	UserAgent string // "" = hotline
	TLS       TLS
	// Refuse answers strangers 403; otherwise they are dropped without a word.
	Refuse bool
	// Transactions bounds how many requests may be in work at a time; 0 = 20000.
	Transactions   int
	SessionExpires time.Duration // RFC 4028; 0 = 1800 s
	MinSE          time.Duration // 0 = 90 s
	Ping           time.Duration // OPTIONS to each trunk; 0 = 30 s, <0 = never
	Clock          clock.Clock
	Logger         *slog.Logger
}

// TLS listens on a third port when Listen is set; CA is the file of the roots
// that a trunk's certificate must come from, "" = the system's.
type TLS struct {
	Listen, Cert, Key, CA string
}

// Handler is the engine as the stack sees it.
type Handler interface {
	// Invite brings an incoming call that passed the door; answer with Ring,
	// Answer or Reject, here or later.
	Invite(c *Call)
	// Reinvite is a renegotiation: the answer to offer, or with an empty offer our
	// own offer. Any code but 200 refuses it (488 …).
	Reinvite(c *Call, offer []byte) (answer []byte, code int)
	// Progress of an outgoing call: 180, 183; sdp may be empty.
	Progress(c *Call, code int, sdp []byte)
	// Answered tells that both sides have agreed. Outgoing: sdp is the 200's body,
	// the ACK is on its way. Incoming: the ACK is here; sdp is its body, which is
	// the answer when the INVITE brought no offer. It comes again when the peer's
	// answer changed in a later renegotiation that we began.
	Answered(c *Call, sdp []byte)
	// Digit came by INFO: 0-9 * # A-D.
	Digit(c *Call, digit byte)
	// Refer asks, from a registered phone, to be transferred to a number; "call:ID"
	// names another call of that phone (attended transfer).
	Refer(c *Call, to string)
	// Ended comes exactly once for each call, last.
	Ended(c *Call, e End)
	// Phone tells that a phone registered or is gone; Trunk that a trunk answers or not.
	Phone(user string, up bool)
	Trunk(name string, up bool)
}

// End says how a call ended.
type End struct {
	Code  int    // the SIP response that ended it, 0 = BYE
	Cause int    // Q.850
	By    string // party, platform, timer
}

// The timers of RFC 3261 17.1.1.1.
const (
	t1    = 500 * time.Millisecond
	t2    = 4 * time.Second
	limit = 64 * t1
)

// Stack is one listening SIP endpoint.
type Stack struct {
	cfg    Config
	h      Handler
	clock  clock.Clock
	log    *slog.Logger
	tp     *sg.TransportLayer
	tx     *sg.TransactionLayer
	parser *sg.Parser
	timers *timers
	socks  []interface{ Close() error }
	laddr  sg.Addr // of the UDP socket, as requests must name it
	host   string  // advertised
	port   int
	tlsAt  int
	live   atomic.Int64 // server transactions
	seed   maphash.Seed
	secret [32]byte
	closed atomic.Bool
	reg    *registrar
	trunks trunks

	mu     sync.Mutex
	calls  map[string]*Call       // by Call-ID and our tag
	newest map[string]string      // initial INVITE by Call-ID, From tag and CSeq: its branch (merged requests)
	acks   map[string]*sg.Request // by branch: the ACK of a refused INVITE of ours
	left   map[string]*abandoned  // by branch: INVITEs given up for another trunk
	noTCP  map[string]time.Time   // peers that refused TCP, until when
}

// New listens and serves until Close.
func New(cfg Config, h Handler) (*Stack, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	cfg.Realm, cfg.UserAgent = or(cfg.Realm, "hotline"), or(cfg.UserAgent, "hotline")
	cfg.Transactions = orInt(cfg.Transactions, 20000)
	cfg.SessionExpires, cfg.MinSE, cfg.Ping = orInt(cfg.SessionExpires, 1800*time.Second), orInt(cfg.MinSE, 90*time.Second), orInt(cfg.Ping, 30*time.Second)
	s := &Stack{cfg: cfg, h: h, clock: cfg.Clock, log: cfg.Logger.With("part", "sip"), seed: maphash.MakeSeed(), parser: sg.NewParser(),
		calls: map[string]*Call{}, newest: map[string]string{}, acks: map[string]*sg.Request{}, left: map[string]*abandoned{}, noTCP: map[string]time.Time{}}
	if _, err := rand.Read(s.secret[:]); err != nil {
		return nil, err
	}
	library(cfg.Logger)
	quiet := libraryLog(cfg.Logger)
	client, err := s.cfg.TLS.client()
	if err != nil {
		return nil, err
	}
	s.tp = sg.NewTransportLayer(net.DefaultResolver, s.parser, client, sg.WithTransportLayerLogger(quiet), sg.WithTransportLayerReadFilter(s.filter))
	s.tp.OnMessage(s.before) // must see a message before the transactions do
	s.tx = sg.NewTransactionLayer(s.tp, sg.WithTransactionLayerLogger(quiet), sg.WithTransactionLayerUnhandledResponseHandler(s.stray))
	s.tx.OnRequest(s.request)
	s.timers = newTimers(cfg.Clock)
	s.reg = newRegistrar(s)
	s.trunks.s = s
	if err := s.listen(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func orInt[T ~int | ~int64](n, other T) T {
	if n == 0 {
		return other
	}
	return n
}

// listen opens UDP and TCP on one port, and TLS if asked.
func (s *Stack) listen() error {
	udp, tcp, err := pair(s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("sip: listen %s: %w", s.cfg.Listen, err)
	}
	s.socks = append(s.socks, udp, tcp)
	// One socket carries every call; the kernel's 208 KiB overflow in a burst.
	_ = udp.SetReadBuffer(4 << 20)
	_ = udp.SetWriteBuffer(1 << 20)
	at := udp.LocalAddr().(*net.UDPAddr)
	s.laddr = sg.Addr{IP: at.IP, Port: at.Port, Zone: at.Zone}
	if err := s.advertise(at); err != nil {
		return err
	}
	go s.serve(func() error { return s.tp.ServeUDP(udp) })
	go s.serve(func() error { return s.tp.ServeTCP(s.framed(tcp)) })
	// A request sent before the library knows its listener would open a socket of
	// its own on the same port, and fail.
	for {
		if c, err := s.tp.GetConnection("udp", udp.LocalAddr().String()); err == nil && c != nil {
			break
		}
		if err := s.clock.Sleep(context.Background(), time.Millisecond); err != nil {
			return err
		}
	}
	if s.cfg.TLS.Listen == "" {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(s.cfg.TLS.Cert, s.cfg.TLS.Key)
	if err != nil {
		return fmt.Errorf("sip: TLS: %w", err)
	}
	l, err := tls.Listen("tcp", s.cfg.TLS.Listen, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return fmt.Errorf("sip: TLS: %w", err)
	}
	s.socks = append(s.socks, l)
	s.tlsAt = l.Addr().(*net.TCPAddr).Port
	go s.serve(func() error { return s.tp.ServeTLS(s.framed(l)) })
	return nil
}

// client is how we look at a trunk's certificate.
func (t TLS) client() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, fmt.Errorf("sip: TLS: %w", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("sip: TLS: no certificate in %s", t.CA)
	}
	return conf, nil
}

// pair listens for UDP and TCP on the same port; with port 0 it tries again
// when the port that UDP got is taken on TCP.
func pair(addr string) (*net.UDPConn, *net.TCPListener, error) {
	var last error
	for range 20 {
		ua, err := net.ResolveUDPAddr("udp", addr)
		if err != nil {
			return nil, nil, err
		}
		udp, err := net.ListenUDP("udp", ua)
		if err != nil {
			return nil, nil, err
		}
		at := udp.LocalAddr().(*net.UDPAddr)
		tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone})
		if err == nil {
			return udp, tcp, nil
		}
		udp.Close()
		if last = err; ua.Port != 0 {
			break
		}
	}
	return nil, nil, last
}

func (s *Stack) advertise(at *net.UDPAddr) error {
	s.host, s.port = s.cfg.Advertise, at.Port
	if h, p, err := net.SplitHostPort(s.cfg.Advertise); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return fmt.Errorf("sip: advertise %s: %w", s.cfg.Advertise, err)
		}
		s.host, s.port = h, int(n)
	}
	if s.host == "" && !at.IP.IsUnspecified() {
		s.host = at.IP.String()
	}
	if s.host == "" { // every interface: name the one that leads out
		s.host = "127.0.0.1"
		if c, err := net.Dial("udp4", "192.0.2.1:9"); err == nil {
			s.host = c.LocalAddr().(*net.UDPAddr).IP.String()
			c.Close()
		}
	}
	return nil
}

// serve runs one listener; only Close ends it. The library gives up after any
// error of the socket, a passing one too.
func (s *Stack) serve(f func() error) {
	for {
		err := f()
		if s.closed.Load() {
			return
		}
		s.log.Error("listener ended, begins again", "err", err)
		_ = s.clock.Sleep(context.Background(), t1/5)
	}
}

// Addr is host:port where the stack listens, UDP and TCP.
func (s *Stack) Addr() string {
	return net.JoinHostPort(s.laddr.IP.String(), strconv.Itoa(s.laddr.Port))
}

// Host is the address under which peers reach us: the advertised one, else where
// we listen, never the unspecified one.
func (s *Stack) Host() string { return s.host }

// Calls is how many calls are known, those being torn down included.
func (s *Stack) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// Transactions is how many requests of others are in work.
func (s *Stack) Transactions() int { return int(s.live.Load()) }

// Close stops listening. It hangs nobody up: a successor may Restore the calls.
func (s *Stack) Close() {
	if s.closed.Swap(true) {
		return
	}
	s.trunks.close()
	for _, c := range s.socks {
		c.Close()
	}
	s.tx.Close()
	s.tp.Close()
	s.timers.close()
}

// Configure sets the trunks and phones from now on; calls in progress stay.
func (s *Stack) Configure(ts []media.Trunk, phones []media.Phone) error {
	if err := s.trunks.set(ts); err != nil {
		return err
	}
	s.reg.set(phones)
	return nil
}

// call finds the call of a request or response that came from the peer.
func (s *Stack) call(callID, tag string) *Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[callID+";"+tag]
}

func (s *Stack) remember(c *Call) {
	s.mu.Lock()
	s.calls[c.id] = c
	s.mu.Unlock()
}

func (s *Stack) forget(c *Call) {
	s.mu.Lock()
	if s.calls[c.id] == c {
		delete(s.calls, c.id)
	}
	if c.newest != "" {
		delete(s.newest, c.newest)
	}
	s.mu.Unlock()
}

// source is the address a message came from.
func source(m sg.Message) netip.AddrPort {
	a, err := netip.ParseAddrPort(m.Source())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// contact is our URI in a dialog over transport.
func (s *Stack) contact(transport string) string {
	port, suffix := s.port, ""
	switch strings.ToLower(transport) {
	case "tcp":
		suffix = ";transport=tcp"
	case "tls":
		port, suffix = s.tlsAt, ";transport=tls"
	}
	return "<sip:hotline@" + net.JoinHostPort(s.host, strconv.Itoa(port)) + suffix + ">"
}

// write sends a request outside of any transaction (ACK).
func (s *Stack) write(req *sg.Request) error {
	if s.closed.Load() {
		return net.ErrClosed
	}
	return s.tp.WriteMsg(req)
}

// ctxLong bounds whatever waits for a peer.
func ctxLong() (context.Context, context.CancelFunc) {
	return ctxFor(limit + 2*time.Second)
}

func ctxFor(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
