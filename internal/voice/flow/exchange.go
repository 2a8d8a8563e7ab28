package flow

import (
	"container/heap"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/intake"
	"hotline/internal/line"
	"hotline/internal/notify"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/ticket"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
	"hotline/internal/voice/speech"
	"hotline/internal/voice/text"
	"hotline/internal/workforce"
)

// Deps are the rooms below that an Exchange is built on.
type Deps struct {
	DB     *db.DB
	CDR    *cdr.Service
	Engine media.Engine
	Lines  *line.Registry
	Org    *org.Service
	Access *access.Service
	Audit  *audit.Log
	Policy *policy.Store
	Intake *intake.Service
	Ticket *ticket.Service
	Notify *notify.Service
	Staff  *workforce.Service
	Text   *text.Service
	Speech speech.Recognizer // nil = calls are not transcribed
}

// Exchange supervises one exchange: its calls, its queue and its seats.
type Exchange struct {
	Deps
	clk   clock.Clock
	rules func(int64, time.Time) (Rules, policy.Version)

	mu       sync.Mutex
	acd      *acd.Dispatcher
	calls    map[int64]*call
	legs     map[media.Leg]*call
	seats    map[string]*seat
	phones   map[string]string // phone user → seat id
	special  map[string][]cdr.Special
	owing    map[int64]*owed             // call-backs that are open, by the call that was missed
	leader   map[int64]cdr.LeaderSession // 领导接听 by account
	accounts []media.Phone               // of the registrar
	timers   timers
	timerNo  int64
	wake     chan struct{}
	journal  *journal
	state    media.State // as of the last reconciliation
	linked   bool
	setup    string // what the exchange was last told
	wallers  map[chan struct{}]bool
}

// New builds the supervisor; Run does the work.
func New(d Deps) *Exchange {
	RegisterPolicies(d.Policy)
	x := &Exchange{Deps: d, clk: d.DB.Clock(), rules: policy.Cached(d.Policy, PolicyVoice, ParseRules), calls: map[int64]*call{}, legs: map[media.Leg]*call{}, seats: map[string]*seat{},
		phones: map[string]string{}, special: map[string][]cdr.Special{}, owing: map[int64]*owed{}, leader: map[int64]cdr.LeaderSession{}, accounts: []media.Phone{}, wake: make(chan struct{}, 1), journal: newJournal(d.DB), wallers: map[chan struct{}]bool{}}
	d.CDR.Counted = func() { // counted after the call is over, when nothing else moves
		x.mu.Lock()
		defer x.mu.Unlock()
		x.changed()
	}
	x.acd = acd.New(func(name string) acd.Queue {
		r := x.now()
		return r.queue(name)
	})
	return x
}

// now gives the rules in force.
func (x *Exchange) now() Rules {
	r, _ := x.rules(policy.Province, x.clk.Now())
	return r
}

func (x *Exchange) ms() int64 { return clock.Millis(x.clk.Now()) }

// Run supervises the exchange until ctx ends. When the exchange is lost it
// waits for it to come back and adopts what it carries.
func (x *Exchange) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Add(3)
	go func() { defer wg.Done(); x.paces(ctx) }()
	go func() { defer wg.Done(); x.journal.run(ctx) }()
	go func() { defer wg.Done(); x.tick(ctx) }()
	defer wg.Wait()
	if err := x.loadSpecial(ctx); err != nil {
		return err
	}
	for wait := 100 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 5*time.Second) {
		err := x.follow(ctx)
		x.mu.Lock()
		if x.linked {
			wait = 100 * time.Millisecond
		}
		x.linked = false
		x.changed()
		x.mu.Unlock()
		if ctx.Err() != nil {
			break
		}
		slog.Warn("voice: the exchange is not there", "err", err)
		if x.clk.Sleep(ctx, wait) != nil {
			break
		}
	}
	return nil
}

// follow adopts what the exchange carries and then does what its events ask.
func (x *Exchange) follow(ctx context.Context) error {
	st, err := x.Engine.Snapshot(ctx)
	if err != nil {
		return err
	}
	if err := x.adopt(ctx, st); err != nil {
		return err
	}
	events, err := x.Engine.Events(ctx, st.Seq)
	if err != nil {
		return err
	}
	for e := range events {
		x.mu.Lock()
		x.handle(ctx, e)
		x.settle(ctx)
		x.state.Seq = e.Seq
		x.mu.Unlock()
	}
	return errors.New("voice: the exchange was lost")
}

// handle does what an event asks. Events of legs that are unknown are of calls
// that ended; they are dropped.
func (x *Exchange) handle(ctx context.Context, e media.Event) {
	switch e.Kind {
	case media.Incoming:
		x.incoming(ctx, e)
		return
	case media.SeatUp, media.SeatDown:
		x.line(ctx, string(e.Seat), e.Leg, e.Kind == media.SeatUp)
		return
	case media.Registered:
		x.phone(ctx, string(e.Seat), e.Why == "up")
		return
	case media.RecReady:
		x.recorded(e)
		return
	case media.TrunkState:
		x.changed()
		return
	case media.Restarted:
		slog.Warn("voice: the exchange came back")
		return
	}
	c := x.legs[e.Leg]
	if c == nil {
		return
	}
	switch e.Kind {
	case media.Ringing:
		c.rings(ctx, e)
	case media.Answered:
		c.answeredLeg(ctx, e)
	case media.PlayDone:
		c.played(ctx, e.Play, e.Why)
	case media.Collected:
		c.collected(ctx, e)
	case media.Quality:
		c.quality(e)
	case media.Held:
		c.heldAtPhone(ctx, e)
	case media.Transfer:
		c.referredAtPhone(ctx, e)
	case media.Ended:
		c.endedLeg(ctx, e)
	}
}

// settle does what the queue decided, until it decides nothing more, keeps the
// calls that changed, and wakes the timer.
func (x *Exchange) settle(ctx context.Context) {
	x.acd.Tick(x.ms())
	for acts := x.acd.Take(); len(acts) > 0; acts = x.acd.Take() {
		for _, a := range acts {
			x.act(ctx, a)
		}
	}
	for _, c := range x.calls {
		if c.dirty {
			c.listens(ctx)
			c.keep()
		}
	}
	for _, s := range x.seats {
		x.track(s)
		x.noted(s)
	}
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// do runs fn as one turn: commands of seats and results of look-ups.
func (x *Exchange) do(ctx context.Context, fn func() error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	err := fn()
	x.settle(ctx)
	return err
}

// tick runs timers and the queue's deadlines.
func (x *Exchange) tick(ctx context.Context) {
	for {
		x.mu.Lock()
		at := x.acd.Due()
		if len(x.timers) > 0 && (at == 0 || x.timers[0].at < at) {
			at = x.timers[0].at
		}
		x.mu.Unlock()
		var due <-chan time.Time
		if at > 0 {
			due = x.clk.After(max(0, time.Duration(at-x.ms())*time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return
		case <-x.wake:
		case <-due:
			x.Advance(ctx)
		}
	}
}

// Advance does what is due now. Tests on a virtual clock call it themselves.
func (x *Exchange) Advance(ctx context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.timers) > 0 && x.timers[0].at <= x.ms() {
		t := heap.Pop(&x.timers).(*timer)
		if t.fn != nil {
			t.fn()
		}
	}
	x.settle(ctx)
}

type timer struct {
	at, no int64
	fn     func()
}

// stop makes a timer do nothing.
func (t *timer) stop() {
	if t != nil {
		t.fn = nil
	}
}

type timers []*timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].at < t[j].at || t[i].at == t[j].at && t[i].no < t[j].no
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

// Push and Pop are for container/heap.
func (t *timers) Push(x any) { *t = append(*t, x.(*timer)) }

// Pop takes the last element.
func (t *timers) Pop() any {
	old := *t
	v := old[len(old)-1]
	*t = old[:len(old)-1]
	return v
}

// after runs fn as a turn of its own in so many seconds.
func (x *Exchange) after(seconds int, fn func()) *timer {
	x.timerNo++
	t := &timer{x.ms() + int64(seconds)*1000, x.timerNo, fn}
	heap.Push(&x.timers, t)
	return t
}

// order sends a command to the exchange; a failure is told in the log, since
// the event that follows (Ended) says what became of the leg.
func (x *Exchange) order(what string, err error) bool {
	if err == nil {
		return true
	}
	var e *media.Error
	if errors.As(err, &e) && e.Code == "no_leg" {
		return false // it has just hung up
	}
	if errors.Is(err, context.Canceled) {
		return false // the platform is stopping
	}
	slog.Warn("voice: the exchange refused", "what", what, "err", err)
	return false
}

// paceEvery is how often free seats of progressive 回访 are looked for, and how
// soon a changed rule reaches the exchange.
const paceEvery = 3 * time.Second

func (x *Exchange) paces(ctx context.Context) {
	for x.clk.Sleep(ctx, paceEvery) == nil {
		x.pace(ctx)
		x.mu.Lock()
		if x.linked {
			x.tellSetup(ctx)
		}
		x.mu.Unlock()
	}
}
