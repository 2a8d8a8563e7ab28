package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/seal"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/play"
	"hotline/internal/voice/media/record"
	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/media/sip"
	"hotline/internal/voice/media/webrtc"
)

// Config is an exchange. Only Data, SIP and Ring must be set.
type Config struct {
	Data      string     // prompts, recordings and the journal are in Data/voice
	SIP       string     // host:port of UDP and TCP
	Advertise string     // host or host:port at which trunks and phones reach us
	TLS       sip.TLS    // SIP over TLS
	Low, High int        // RTP ports; 0 = 20000–29999
	Web       string     // host:port of the browser seats; "" = no browser seats
	WebHosts  []string   // further addresses under which browsers reach us
	Shards    int        // goroutines that carry sound; 0 = 2
	Keep      bool       // each keeps a processor while it waits, see rtp.NewShards
	Priority  string     // what the process says of its scheduling
	Ring      *seal.Ring // seals recordings and the journal
	Clock     clock.Clock
	Logger    *slog.Logger
}

// Engine is one exchange.
type Engine struct {
	cfg     Config
	clk     clock.Clock
	log     *slog.Logger
	born    int64
	ip      netip.Addr // in our descriptions
	shards  *rtp.Shards
	ports   *rtp.Ports
	prompts *play.Library
	store   *record.Store
	gate    *webrtc.Gate
	stack   *sip.Stack
	history *history
	journal *journal

	mu      sync.Mutex
	legs    map[media.Leg]*leg
	rooms   map[media.Room]*room
	tapes   map[string]*taping
	gone    map[media.Leg]bool // legs that have ended, so that a repeated command is harmless
	goneAt  []media.Leg
	setup   media.Setup
	up      map[string]bool // trunks
	phones  map[string]bool
	session uint64
	swept   int
	closed  bool
	taping  sync.WaitGroup
	stop    context.CancelFunc
	sweeper sync.WaitGroup
}

var _ media.Engine = (*Engine)(nil)

// Open starts the exchange, and takes up the calls that a killed one left.
func Open(cfg Config) (*Engine, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Low == 0 {
		cfg.Low, cfg.High = 20000, 29999
	}
	if cfg.Shards == 0 {
		cfg.Shards = 2
	}
	e := &Engine{cfg: cfg, clk: cfg.Clock, log: cfg.Logger.With("part", "exchange"), legs: map[media.Leg]*leg{}, rooms: map[media.Room]*room{},
		tapes: map[string]*taping{}, gone: map[media.Leg]bool{}, up: map[string]bool{}, phones: map[string]bool{}}
	e.born = e.ms()
	e.history = newHistory(e.born)
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	if err := e.open(); err != nil {
		e.Close()
		return nil, err
	}
	e.sweeper.Go(func() {
		for e.clk.Sleep(ctx, 5*time.Second) == nil {
			e.sweep()
		}
	})
	return e, nil
}

func (e *Engine) dir(name string) string { return filepath.Join(e.cfg.Data, "voice", name) }

func (e *Engine) open() error {
	var err error
	if err = os.MkdirAll(e.dir("prompts"), 0o700); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	if e.prompts, err = play.Load(e.dir("prompts")); err != nil {
		if e.prompts == nil {
			return err
		}
		e.log.Warn("录音文件不可用，改用自带语音", "err", err) // the exchange speaks all the same
	}
	if e.store, err = record.OpenStore(e.dir("rec"), e.cfg.Ring, e.clk); err != nil {
		return err
	}
	bind, err := bindAddr(e.cfg.SIP)
	if err != nil {
		return err
	}
	if e.shards, err = rtp.NewShards(e.clk, e.cfg.Shards, e.cfg.Keep); err != nil {
		return err
	}
	e.ports = rtp.NewPorts(e.shards, bind, e.cfg.Low, e.cfg.High)
	if e.cfg.Web != "" {
		if e.gate, err = webrtc.Open(e.cfg.Web, e.cfg.WebHosts, e.clk); err != nil {
			return err
		}
	}
	var left *saved
	if e.journal, left, err = openJournal(e, e.dir("calls"), e.cfg.Ring); err != nil {
		return err
	}
	e.stack, err = sip.New(sip.Config{Listen: e.cfg.SIP, Advertise: e.cfg.Advertise, TLS: e.cfg.TLS, Clock: e.clk, Logger: e.cfg.Logger}, handler{e})
	if err != nil {
		return err
	}
	if e.ip, err = resolve(e.stack.Host()); err != nil {
		return err
	}
	e.recover(left)
	return nil
}

// bindAddr is the local address of the sound: that of SIP.
func bindAddr(listen string) (netip.Addr, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("engine: %w", err)
	}
	if host == "" {
		return netip.IPv4Unspecified(), nil
	}
	return resolve(host)
}

func resolve(host string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap(), nil
	}
	a, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("engine: %w", err)
	}
	ip, _ := netip.AddrFromSlice(a.IP)
	return ip.Unmap(), nil
}

func (e *Engine) now() int64 { return e.clk.Now().UnixNano() }
func (e *Engine) ms() int64  { return clock.Millis(e.clk.Now()) }

// tell appends an event.
func (e *Engine) tell(ev media.Event) {
	ev.At = e.ms()
	e.history.add(ev)
}

// Close ends all calls and gives everything back.
func (e *Engine) Close() {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.closed = true
	var all []*leg
	for _, l := range e.legs {
		all = append(all, l)
	}
	e.mu.Unlock()
	for _, l := range all {
		if l.call != nil {
			_ = l.call.Hangup(16) // already over is as good
		}
		e.drop(l, media.Event{Cause: 16, By: "platform"})
	}
	for n := 0; e.stack != nil && e.stack.Calls() > 0 && n < 50; n++ { // the BYEs are on their way: a second, not for whoever is gone
		_ = e.clk.Sleep(context.Background(), 20*time.Millisecond)
	}
	e.stop()
	e.sweeper.Wait()
	e.taping.Wait()
	if e.stack != nil {
		e.stack.Close()
	}
	if e.gate != nil {
		e.gate.Close()
	}
	if e.shards != nil {
		e.shards.Close()
	}
	if e.journal != nil {
		e.journal.close()
	}
	if e.store != nil {
		e.store.Close()
	}
	e.history.close()
}

// Events is media.Engine.
func (e *Engine) Events(ctx context.Context, from uint64) (<-chan media.Event, error) {
	return e.history.follow(ctx, from, e.ms)
}

// Idle tells since when (ms) there is neither a call nor a follower; 0 = there is.
func (e *Engine) Idle() int64 {
	e.mu.Lock()
	n := len(e.legs)
	e.mu.Unlock()
	if n > 0 {
		return 0
	}
	return e.history.alone()
}

// Addr is where SIP is listened for; WebPort is the browsers' port, 0 = none.
func (e *Engine) Addr() string { return e.stack.Addr() }

// WebPort is the port of the browser seats, 0 = none.
func (e *Engine) WebPort() int {
	if e.gate == nil {
		return 0
	}
	return e.gate.Port()
}

// Snapshot is media.Engine.
func (e *Engine) Snapshot(context.Context) (media.State, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := media.State{Seq: e.history.at(), Born: e.born, SIP: e.stack.Addr(), Priority: e.cfg.Priority}
	for _, l := range e.legs {
		st := media.LegState{Leg: l.id, State: l.state, Incoming: l.incoming, Trunk: l.trunk, DNIS: l.dnis, ANI: l.ani, Seat: l.seat, Since: l.since, Headers: l.headers}
		if l.room != nil {
			st.Room = l.room.id
			for rec, t := range e.tapes {
				if t.policy.Left == l.id {
					st.Rec = rec
				}
			}
		}
		s.Legs = append(s.Legs, st)
		if l.call == nil && l.state == stateUp {
			s.Seats = append(s.Seats, l.seat)
		}
	}
	for p := range e.phones {
		s.Phones = append(s.Phones, p)
	}
	sort.Slice(s.Legs, func(i, j int) bool { return s.Legs[i].Leg < s.Legs[j].Leg })
	sort.Slice(s.Seats, func(i, j int) bool { return s.Seats[i] < s.Seats[j] })
	sort.Strings(s.Phones)
	s.Trunks = e.stack.Trunks()
	return s, nil
}

// Setup is media.Engine.
func (e *Engine) Setup(_ context.Context, s media.Setup) error {
	if err := e.configure(s); err != nil {
		return &media.Error{Code: media.CodeSetup, Text: err.Error()}
	}
	e.mu.Lock()
	e.setup = s
	e.mu.Unlock()
	e.journal.keepSetup(s)
	return nil
}

// configure gives the stack its trunks and phones. The password of a trunk is in
// a file of its own, Data/voice/trunks/NAME, and stays out of rules and journal.
func (e *Engine) configure(s media.Setup) error {
	trunks := slices.Clone(s.Trunks)
	for i := range trunks {
		t := &trunks[i]
		if t.User == "" || t.Password != "" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(e.dir("trunks"), filepath.Base(t.Name)))
		if err != nil {
			e.log.Error("中继的密码文件不能读取，将不作认证", "trunk", t.Name, "err", err)
		}
		t.Password = strings.TrimSpace(string(raw))
	}
	return e.stack.Configure(trunks, s.Phones)
}

func fail(code, text string) error { return &media.Error{Code: code, Text: text} }

func noLeg(id media.Leg) error { return fail(media.CodeNoLeg, "没有通话腿 "+string(id)) }

// leg finds a leg; e.mu is held.
func (e *Engine) leg(id media.Leg) (*leg, error) {
	if l, ok := e.legs[id]; ok {
		return l, nil
	}
	return nil, noLeg(id)
}

// sipError names what the stack refused.
func sipError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sip.ErrTrunk):
		return fail(media.CodeNoTrunk, "没有可用的中继")
	case errors.Is(err, sip.ErrPhone):
		return fail(media.CodeNoPhone, "话机未注册")
	case errors.Is(err, sip.ErrTarget):
		return fail(media.CodeTarget, "被叫号码无效")
	}
	return fail(media.CodeState, err.Error())
}
