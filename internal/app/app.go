// Package app builds every service once and is the only place that knows them
// all. cmd, demo and the end-to-end tests use it; nothing else imports it.
package app

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"hotline/internal/access"
	"hotline/internal/api"
	"hotline/internal/audit"
	"hotline/internal/blob"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/dispatch"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/insight"
	"hotline/internal/intake"
	"hotline/internal/job"
	"hotline/internal/knowledge"
	"hotline/internal/line"
	"hotline/internal/measure"
	"hotline/internal/notify"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/report"
	"hotline/internal/seal"
	"hotline/internal/supervise"
	"hotline/internal/ticket"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/cti"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/media"
	"hotline/internal/voice/speech"
	"hotline/internal/voice/text"
	"hotline/internal/workforce"
)

// Config is what a deployment decides.
type Config struct {
	Data     string // directory of keys, files, the lock and, by default, the database
	DB       string // "postgres://…"; "" = SQLite in Data
	Clock    clock.Clock
	Demo     bool
	ReadOnly bool         // for commands that only look; takes no lock
	Engine   media.Engine // the exchange; nil = the one of Phone, if any
	Phone    Phone
	Proxies  []netip.Prefix // reverse proxies whose X-Forwarded-For is believed
	HTTPS    bool           // people reach the platform by HTTPS: cookies travel no other way
	Speech   speech.Config  // 语音识别
	Suite    string         // 加密套件 of new keys, "sm" or "intl"; "" = "sm"
}

// App is the platform in one process.
type App struct {
	Config
	DB          *db.DB
	Log         *eventlog.Log
	Audit       *audit.Log
	Ring        *seal.Ring
	Policy      *policy.Store
	Org         *org.Service
	Access      *access.Service
	Ticket      *ticket.Service
	Insight     *insight.Service
	Dispatch    *dispatch.Service
	Intake      *intake.Service
	Knowledge   *knowledge.Service
	Measure     *measure.Service
	Supervise   *supervise.Service
	Report      *report.Service
	Notify      *notify.Service
	Lines       *line.Registry
	LineChanges *line.Service
	CDR         *cdr.Service
	Staff       *workforce.Service
	Text        *text.Service
	Voice       *flow.Exchange // nil without an exchange
	Centres     []*cti.Center  // foreign call centres
	Jobs        *job.Queue
	Blobs       blob.Store
	Gate        *api.Gate
	API         *api.API

	lock      *os.File
	child     *Child        // the exchange as a child process
	childOver chan struct{} // closed when it has ended with serve
	ready     readiness
	codes     phoneCodes
}

// Schemas lists every room's tables in the order of their floors.
func Schemas() []db.Schema {
	out := []db.Schema{db.NodeSchema(), eventlog.Schema("event"), job.Schema(), policy.Schema(), org.Schema()}
	out = append(out, audit.Schemas()...)
	out = append(out, access.Schema(), line.Schema(), ticket.Schema())
	out = append(out, insight.Schemas()...)
	out = append(out, knowledge.Schemas()...)
	out = append(out, intake.Schema(), notify.Schema(), workforce.Schema(), cdr.Schema(), text.Schema(), cti.Schema(), measure.Schema(), supervise.Schema(), report.Schema())
	return out
}

// Open prepares the data directory, the database and every service. It leaves
// background work to Run.
func Open(ctx context.Context, c Config) (*App, error) {
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	a := &App{Config: c}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fault.Invalid("data_dir", "无法建立数据目录 %s，请换一个目录，或检查上级目录是否存在、是否可写。", c.Data).Because(err)
	}
	if !c.ReadOnly {
		if err := a.takeLock(); err != nil {
			return nil, err
		}
	}
	url := c.DB
	if url == "" {
		url = filepath.Join(c.Data, "hotline.db")
	}
	d, err := db.Open(ctx, db.Config{URL: url, Clock: c.Clock, Node: 1, ReadOnly: c.ReadOnly})
	if err != nil {
		a.Close()
		return nil, err
	}
	a.DB = d
	if !c.ReadOnly {
		err := d.Migrate(ctx, Schemas()...)
		if err == nil {
			err = d.LeaseNode(ctx)
		}
		if err != nil {
			a.Close()
			return nil, err
		}
	}
	if err := a.build(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// build makes the services from the lowest floor up.
func (a *App) build(ctx context.Context) error {
	keys, err := seal.OpenFileProvider(a.Data, a.Suite)
	if err != nil {
		return err
	}
	a.Ring = seal.NewRing(keys)
	if a.Blobs, err = blob.NewDisk(a.Data, a.Ring); err != nil {
		return err
	}
	d := a.DB
	a.Log = eventlog.New(d, "event")
	a.Audit = audit.New(d).SignWith(a.Ring).Witness("event", a.Log)
	if a.Config.DB == "" && a.lock != nil { // DIR/lock keeps every other process out
		a.Audit.Alone()
	}
	a.Jobs = job.New(d)
	a.Policy = policy.New(d)
	ticket.RegisterPolicies(a.Policy)
	notify.RegisterPolicies(a.Policy)
	measure.RegisterPolicies(a.Policy)
	flow.RegisterPolicies(a.Policy)
	cdr.RegisterPolicies(a.Policy)
	line.RegisterPolicies(a.Policy)
	a.Org = org.New(d, a.Log)
	dispatch.RegisterPolicies(a.Policy, a.Org, a.Clock)
	opts := []access.Option{access.WithRing(a.Ring)}
	if a.Demo {
		opts = append(opts, access.Demo())
	}
	a.Access = access.New(d, a.Org, a.Policy, a.Audit, a.Clock, opts...)
	a.Org.Approver = a.Access.ApprovesCountyPlatform
	if err := a.Policy.Load(ctx); err != nil {
		return err
	}
	if err := a.Org.Load(ctx); err != nil {
		return err
	}
	a.LineChanges = line.NewService(d, a.Log, a.Audit, a.Policy, a.Org)
	a.Lines = a.LineChanges.Registry
	a.Dispatch = dispatch.New(a.Org, a.Policy)
	a.Ticket = ticket.New(ticket.Deps{DB: d, Log: a.Log, Audit: a.Audit, Ring: a.Ring, Org: a.Org, Policy: a.Policy, Access: a.Access, Words: insight.Words(), Propose: a.Dispatch.Propose})
	a.Insight = insight.New(a.Ticket.Categories)
	a.Intake = intake.New(a.Ticket, a.Org, a.Insight, a.Dispatch)
	a.Notify = notify.New(d, a.Ring, a.Ticket, a.Org, a.Policy, nil)
	a.Staff = workforce.New(d, a.Log, a.Org, a.Ring)
	a.CDR = cdr.New(d, a.Log, a.Ring, a.Org, a.Ticket)
	a.CDR.LinesOf = func(code string) []string { return a.Lines.Of(code, d.Clock().Now()) }
	a.Text = text.New(d, a.CDR, a.Org)
	a.exchange()
	if err := a.buildVoice(); err != nil {
		return err
	}
	a.Knowledge = knowledge.New(knowledge.Deps{DB: d, Log: a.Log, Org: a.Org})
	a.Measure = measure.New(d, a.Log, a.Org, a.Policy, a.Ticket)
	a.Supervise = supervise.New(d, a.Log, a.Org, a.Ticket)
	a.CDR.Watched = a.Supervise.Watches
	a.Jobs.Handle(JobExpire, a.expire)
	a.Report = report.New(d, a.Jobs, a.Blobs, a.Measure, a.Ticket, a.Org, a.Access)
	a.Jobs.Handle(ticket.JobRedate, a.Ticket.RedateJob)
	a.Jobs.Handle(ticket.JobRefan, a.Ticket.RefanJob)
	a.Org.OnMoved = ticket.RefanAfterMove(a.Jobs)
	a.Measure.RegisterJobs(a.Jobs)
	a.Gate = api.NewGate(a.Clock, func(body string) string { return hex.EncodeToString(a.Ring.Blind("gate", body)) })
	return nil
}

// Serve builds the faces; demo is nil outside the demonstration.
func (a *App) Serve(demo api.Demo) http.Handler {
	a.API = api.New(api.Deps{DB: a.DB, Log: a.Log, Audit: a.Audit, Access: a.Access, Org: a.Org, Policy: a.Policy, Ticket: a.Ticket, Intake: a.Intake, Dispatch: a.Dispatch, Insight: a.Insight,
		Knowledge: a.Knowledge, Measure: a.Measure, Supervise: a.Supervise, Report: a.Report, Lines: a.Lines, LineChanges: a.LineChanges, CDR: a.CDR, Text: a.Text, Staff: a.Staff, Voice: a.Voice, Exchange: a.exchangeOf, Centres: a.Centres, Recording: a.openRecording, Jobs: a.Jobs, Blobs: a.Blobs, Gate: a.Gate, Demo: demo, HTTPS: a.HTTPS})
	return a.handler()
}

// Close releases the database and the lock.
func (a *App) Close() {
	if a.DB != nil {
		_ = a.DB.Close()
	}
	if a.lock != nil {
		_ = a.lock.Close()
	}
}

// readiness tells /readyz whether the platform answers, and how far it is.
type readiness struct {
	mu   sync.Mutex
	ok   bool
	note string
}

// SetReady says that the platform answers, or what it still does.
func (a *App) SetReady(ok bool, note string) {
	a.ready.mu.Lock()
	a.ready.ok, a.ready.note = ok, note
	a.ready.mu.Unlock()
}

// Engine names the database for the start-up line.
func (a *App) Engine() string {
	if strings.HasPrefix(a.Config.DB, "postgres") {
		return "PostgreSQL"
	}
	return "SQLite"
}
