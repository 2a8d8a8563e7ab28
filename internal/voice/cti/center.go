package cti

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/intake"
	"hotline/internal/job"
	"hotline/internal/line"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/ticket"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/media/record"
	"hotline/internal/workforce"
)

// Deps are the rooms below that a Center is built on.
type Deps struct {
	DB     *db.DB
	CDR    *cdr.Service
	Lines  *line.Registry
	Org    *org.Service
	Access *access.Service
	Audit  *audit.Log
	Policy *policy.Store
	Intake *intake.Service
	Ticket *ticket.Service
	Staff  *workforce.Service
	Jobs   *job.Queue
	// Keep seals the sound of a recording, citizen left and the others right, A-law.
	Keep func(rec string, left, right []byte) (record.Result, error)
}

// Center is one foreign call centre as the platform sees it. It is a
// seat.Exchange for the people of its platform.
type Center struct {
	Deps
	conf  Config
	way   Provider
	clk   clock.Clock
	rules func(int64, time.Time) (flow.Rules, policy.Version)

	mu       sync.Mutex
	synced   bool // what is in memory is what the call centre told last
	linked   bool
	seq      uint64
	heard    int64            // when it was heard last, ms UTC
	calls    map[string]*live // that are up, by Ref
	agents   map[string]*agent
	seats    map[int64]*position // by account
	owing    map[int64]cdr.Callback
	watchers map[chan struct{}]bool
}

// agent is a seat of the call centre, and who it is here.
type agent struct {
	Agent
	who  access.Account // zero when nobody here has the number
	span cdr.State
}

// live is a call that is up.
type live struct {
	Call  // as it was told last
	rec   cdr.Call
	past  flow.Past
	offer cdr.Offering // ID 0 = nobody is rung
	hand  cdr.Transfer // ID 0 = none
}

// silence is how long a call centre may say nothing; its bridge sends an empty
// batch every ten seconds.
const silence = 30 * time.Second

// The jobs of the room.
const (
	JobRecording = "cti.recording"
	JobCallback  = "cti.callback"
)

// New makes a Center; Run watches over it.
func New(d Deps, conf Config, way Provider) *Center {
	return &Center{Deps: d, conf: conf, way: way, clk: d.DB.Clock(), rules: policy.Cached(d.Policy, flow.PolicyVoice, flow.ParseRules),
		calls: map[string]*live{}, agents: map[string]*agent{}, seats: map[int64]*position{}, owing: map[int64]cdr.Callback{}, watchers: map[chan struct{}]bool{}}
}

// Name is the name of the configuration.
func (c *Center) Name() string { return c.conf.Name }

// Serves tells whether a unit's seats are of this call centre.
func (c *Center) Serves(unit int64) bool {
	u := c.unit()
	return u.ID != 0 && c.Org.Tree().Platform(unit).ID == u.ID
}

// unit is the platform whose calls these are; zero when there is none of the code.
func (c *Center) unit() org.Unit {
	u, _ := c.Org.Tree().ByCode(c.conf.Platform)
	return u
}

func (c *Center) ms() int64 { return clock.Millis(c.clk.Now()) }

func (c *Center) trunk() string { return cdr.Foreign + c.conf.Name }

func (c *Center) now() flow.Rules {
	r, _ := c.rules(c.unit().ID, c.clk.Now())
	return r
}

// Receive takes a delivery of the bridge and gives the number of the next event.
// It fails with unauthenticated cti_signature, invalid cti_event, and with what
// Take asks for.
func (c *Center) Receive(ctx context.Context, h http.Header, body []byte) (next uint64, err error) {
	if w, ok := c.way.(*Webhook); !ok || w.Verify(h, body) != nil {
		return 0, ErrSignature()
	}
	var b Batch
	if err := json.Unmarshal(body, &b); err != nil {
		return 0, fault.Invalid("cti_event", "批次不是约定的 JSON。").Because(err)
	}
	return c.Take(ctx, b)
}

// Wanted is the data of a conflict: what the bridge sends next.
type Wanted struct {
	Next uint64 `json:"next"` // number of the next event; 0 = a snapshot
}

// Take does what a batch tells, all or nothing, each event once. It fails with
// conflict cti_resync when a Snapshot is needed first, and with conflict cti_gap
// when events are missing; the data is Wanted.
func (c *Center) Take(ctx context.Context, b Batch) (next uint64, err error) {
	if err := b.check(c.clk.Now()); err != nil {
		return 0, err
	}
	if c.unit().ID == 0 {
		return 0, fault.Unavailable("cti_platform", "没有代码为%s的平台，话务平台%s暂不能接入。", c.conf.Platform, c.conf.Title)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.Snapshot == nil && !c.synced {
		return 0, fault.Conflict("cti_resync", "请先发送快照。").With(Wanted{})
	}
	p := &plan{Center: c, ctx: ctx}
	seq := c.seq
	if b.Snapshot != nil {
		seq = b.Snapshot.Seq
	}
	events := b.Events
	for len(events) > 0 && events[0].Seq <= seq {
		events = events[1:]
	}
	if len(events) > 0 && events[0].Seq != seq+1 {
		return 0, fault.Conflict("cti_gap", "缺少第%d号起的事件，请补发。", seq+1).With(Wanted{Next: seq + 1})
	}
	defer func() {
		if err != nil { // what is in memory may be ahead of what is written
			c.synced = false
		}
	}()
	if b.Snapshot != nil {
		if err := p.snapshot(b.Snapshot); err != nil {
			return 0, err
		}
	}
	for _, e := range events {
		seq = e.Seq
		if e.Agent != nil {
			err = p.agent(*e.Agent)
		} else {
			err = p.call(*e.Call)
		}
		if err != nil {
			return 0, err
		}
	}
	if len(p.writes) > 0 || seq != c.seq {
		err = c.DB.UpdateLane(ctx, db.LaneHigh, func(tx *db.Tx) error {
			for _, w := range p.writes {
				if err := w(tx); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`INSERT INTO cti_centre (name, seq) VALUES ($1,$2) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq`, c.conf.Name, int64(seq))
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	c.synced, c.seq, c.heard = true, seq, c.ms()
	c.link(true)
	for _, fn := range p.after {
		fn()
	}
	c.changed()
	return seq + 1, nil
}

// link notes whether the call centre is there; seats are told when that changes.
func (c *Center) link(up bool) {
	if c.linked == up {
		return
	}
	c.linked = up
	for _, s := range c.seats {
		if !up {
			s.push(flow.Message{Type: "notice", Code: "cti_away", Text: c.conf.Title + "的连接中断，通话请在话机上操作；表单可照常使用。"})
		}
		s.push(c.stateOf(s))
	}
	c.changed()
}

// changed wakes everyone who watches.
func (c *Center) changed() {
	for w := range c.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// Run notices silence and sees to callers who were promised a call and did not
// get it, until ctx ends.
func (c *Center) Run(ctx context.Context) error {
	if err := c.load(ctx); err != nil {
		return err
	}
	for c.clk.Sleep(ctx, time.Second) == nil {
		c.Advance(ctx)
	}
	return nil
}

// load reads who is owed a call.
func (c *Center) load(ctx context.Context) error {
	var open []cdr.Callback
	err := c.DB.View(ctx, func(tx *db.Tx) (err error) { open, err = c.CDR.OpenCallbacks(tx, c.trunk()); return err })
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range open {
		c.owing[b.Call] = b
	}
	return err
}

// Advance does what is due now. Tests on a virtual clock call it themselves.
func (c *Center) Advance(ctx context.Context) {
	c.mu.Lock()
	if c.linked && c.ms()-c.heard > silence.Milliseconds() {
		c.link(false)
	}
	var late []cdr.Callback
	for _, b := range c.owing {
		if b.Due <= c.ms() {
			late = append(late, b)
		}
	}
	c.mu.Unlock()
	for _, b := range late {
		if err := c.giveUp(ctx, b); err != nil {
			slog.Warn("cti: call-back", "err", err)
		}
	}
}

// giveUp registers a caller whom the call centre did not call back in time, so
// that a person goes on.
func (c *Center) giveUp(ctx context.Context, b cdr.Callback) error {
	var rec *cdr.Call
	err := c.DB.View(ctx, func(tx *db.Tx) (err error) { rec, err = c.opened(tx, b.Call); return err })
	if err != nil {
		return err
	}
	if err := flow.Register(ctx, c.Intake, c.CDR, rec, "对方话务平台未能按时回拨"); err != nil {
		return err
	}
	b.State, b.DoneAt = "gave_up", c.ms()
	if err := c.DB.Update(ctx, func(tx *db.Tx) error { return c.CDR.SaveCallback(tx, b, rec.Index()) }); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.owing, b.Call)
	c.changed()
	return nil
}

// opened reads a call with its number.
func (c *Center) opened(tx *db.Tx, id int64) (*cdr.Call, error) {
	rec, err := c.CDR.Peek(tx, id)
	if err != nil {
		return nil, err
	}
	rec.Number, err = c.CDR.OpenNumber(rec)
	return rec, err
}

// find reads the call of a Ref; nil when it is new.
func (c *Center) find(tx *db.Tx, ref string) (*cdr.Call, error) {
	id, err := db.Int(tx, `SELECT call_id FROM cti_call WHERE centre = $1 AND ref = $2`, c.conf.Name, ref)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.opened(tx, id)
}
