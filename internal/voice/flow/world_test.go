package flow

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/dispatch"
	"hotline/internal/eventlog"
	"hotline/internal/insight"
	"hotline/internal/intake"
	"hotline/internal/job"
	"hotline/internal/line"
	"hotline/internal/notify"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
	"hotline/internal/ticket"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
	"hotline/internal/voice/text"
	"hotline/internal/workforce"
	"hotline/test/fake"
)

// world is a small province with a telephone: 武汉 and 黄石, a sub-centre, a
// remote site, and an exchange without sound.
type world struct {
	t     *testing.T
	c     *clock.Virtual
	d     *db.DB
	log   *eventlog.Log
	x     *Exchange
	e     *fake.Exchange
	deps  Deps
	seats map[string]*page
	stop  context.CancelFunc
	done  chan struct{}
}

// page is a browser at a seat: it remembers what it was told.
type page struct {
	w    *world
	d    *Desk
	a    access.Actor
	leg  media.Leg
	mu   sync.Mutex
	told []Message
}

var schemas = func() []db.Schema {
	out := []db.Schema{eventlog.Schema("event"), job.Schema(), policy.Schema(), org.Schema()}
	out = append(out, audit.Schemas()...)
	out = append(out, insight.Schemas()...)
	return append(out, access.Schema(), ticket.Schema(), intake.Schema(), notify.Schema(), workforce.Schema(), cdr.Schema(), text.Schema())
}()

var people = []struct {
	name string
	role access.Role
	unit string
}{
	{"wang", access.Agent, "P420100"}, {"li", access.Agent, "P420100"}, {"lead", access.ShiftLead, "P420100"}, {"hs", access.Agent, "P420200"}, {"tax", access.BranchAgent, "S420000-12366"},
	{"callback", access.Callback, "P420100"}, {"daye", access.Agent, "R420281"}, {"mayor", access.Leader, "P420100"},
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	d, c := dbtest.SQLite(t, schemas...)
	c.Set(time.Date(2026, 11, 23, 10, 0, 0, 0, clock.Shanghai))
	keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
	must(t, err)
	ring := seal.NewRing(keys)
	log := eventlog.New(d, "event")
	al := audit.New(d).SignWith(ring)
	p := policy.New(d)
	ticket.RegisterPolicies(p)
	notify.RegisterPolicies(p)
	line.RegisterPolicies(p)
	RegisterPolicies(p)
	o := org.New(d, log)
	dispatch.RegisterPolicies(p, o, c)
	acc := access.New(d, o, p, al, c, access.WithRing(ring), access.Demo())
	must(t, p.Load(ctx))
	must(t, o.Load(ctx))
	must(t, o.CreateAll(ctx, org.By{}, []org.NewUnit{
		{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"},
		{Code: "S420000-12366", Name: "12366分中心", Kind: org.KindSubcentre, Region: "420000", ParentCode: "P420000"},
		{Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"},
		{Code: "P420200", Name: "黄石市12345平台", Kind: org.KindCity, Region: "420200", ParentCode: "P420000"},
		{Code: "R420281", Name: "大冶市远程座席点", Kind: org.KindSite, Region: "420281", ParentCode: "P420200"},
	}))
	tk := ticket.New(ticket.Deps{DB: d, Log: log, Audit: al, Ring: ring, Org: o, Policy: p})
	w := &world{t: t, c: c, d: d, log: log, seats: map[string]*page{}}
	w.e = fake.NewExchange(func() int64 { return clock.Millis(c.Now()) })
	w.deps = Deps{DB: d, CDR: cdr.New(d, log, ring, o, tk), Engine: w.e, Lines: line.New(p), Org: o, Access: acc, Audit: al, Policy: p, Ticket: tk,
		Intake: intake.New(tk, o, insight.New(tk.Categories), dispatch.New(o, p)), Notify: notify.New(d, ring, tk, o, p, nil), Staff: workforce.New(d, log, o, ring)}
	w.deps.Text = text.New(d, w.deps.CDR, o)
	for _, x := range people {
		u, ok := o.Tree().ByCode(x.unit)
		if !ok {
			t.Fatal(x.unit)
		}
		_, err := acc.CreateAccount(ctx, access.System("test"), access.NewAccount{Username: "acct." + x.name, Name: x.name, Role: x.role, Unit: u.ID})
		must(t, err)
	}
	w.start()
	t.Cleanup(func() { w.stop(); <-w.done })
	return w
}

// start runs a supervisor; the one before has ended.
func (w *world) start() {
	ctx, stop := context.WithCancel(context.Background())
	w.stop, w.done = stop, make(chan struct{})
	w.x = New(w.deps)
	go func() { _ = w.x.Run(ctx); close(w.done) }()
	w.eventually("the exchange is linked", func() bool { _, ok := w.x.Linked(); return ok })
	w.sync()
}

// restart is a restart of serve while the exchange goes on.
func (w *world) restart() {
	w.stop()
	<-w.done
	w.seats = map[string]*page{}
	w.start()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatalf("it did not come to pass: %s", what)
}

// sync waits until the supervisor has handled every event.
func (w *world) sync() {
	w.t.Helper()
	w.eventually("all events handled", func() bool {
		w.x.mu.Lock()
		seq := w.x.state.Seq
		w.x.mu.Unlock()
		return seq >= w.e.Seq()
	})
}

// pass lets time go by, a second at a time.
func (w *world) pass(d time.Duration) {
	for ; d > 0; d -= time.Second {
		w.sync()
		w.c.Advance(min(d, time.Second))
		w.x.Advance(context.Background())
	}
	w.sync()
}

// sit opens a seat in a browser with its voice path, and makes it ready.
func (w *world) sit(name string) *page {
	w.t.Helper()
	ctx := context.Background()
	acc, err := w.deps.Access.ByUsername(ctx, "acct."+name)
	must(w.t, err)
	p := &page{w: w, a: actorOf(acc, w.deps.Org.Tree())}
	p.d, err = w.x.Open(ctx, p.a, func(m Message) { p.mu.Lock(); p.told = append(p.told, m); p.mu.Unlock() })
	must(w.t, err)
	p.leg = w.e.SeatUp(media.Seat(p.d.s.id))
	w.sync()
	must(w.t, p.d.Ready(ctx))
	w.seats[name] = p
	return p
}

// last is the newest message of a type.
func (p *page) last(typ string) (m Message, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range slices.Backward(p.told) {
		if x.Type == typ {
			return x, true
		}
	}
	return m, false
}

func (p *page) state() string { return p.w.x.seatState(p.d.s.id) }

func (x *Exchange) seatState(id string) (st string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return string(x.acd.SeatOf(id).State)
}

// answer takes the call that rings.
func (p *page) answer() int64 {
	p.w.t.Helper()
	p.w.sync()
	m, ok := p.last("ringing")
	if !ok {
		p.w.t.Fatalf("seat %s does not ring", p.a.Name)
	}
	must(p.w.t, p.d.Answer(context.Background(), m.Call))
	p.w.sync()
	return m.Call
}

// record reads a call as it was written.
func (w *world) record(id int64) cdr.Call {
	w.t.Helper()
	w.x.journal.flush()
	var c *cdr.Call
	must(w.t, w.d.View(context.Background(), func(tx *db.Tx) (err error) { c, err = w.deps.CDR.Peek(tx, id); return err }))
	return *c
}

// newest is the record of the call begun last.
func (w *world) newest() cdr.Call {
	w.t.Helper()
	w.x.journal.flush()
	var id int64
	must(w.t, w.d.View(context.Background(), func(tx *db.Tx) (err error) {
		id, err = db.Int(tx, `SELECT max(id) FROM voice_call`)
		return err
	}))
	return w.record(id)
}

func (w *world) count(query string, args ...any) int64 {
	w.t.Helper()
	w.x.journal.flush()
	var n int64
	must(w.t, w.d.View(context.Background(), func(tx *db.Tx) (err error) { n, err = db.Int(tx, query, args...); return err }))
	return n
}

func (w *world) call(line string) media.Leg {
	w.t.Helper()
	l := w.e.Call(line, "13871234567")
	w.sync()
	return l
}
