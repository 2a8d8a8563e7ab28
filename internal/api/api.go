package api

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hotline/internal/access"
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
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/report"
	"hotline/internal/supervise"
	"hotline/internal/ticket"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/cti"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/seat"
	"hotline/internal/voice/text"
	"hotline/internal/workforce"
)

// Deps are the rooms that the API shows.
type Deps struct {
	DB        *db.DB
	Log       *eventlog.Log
	Audit     *audit.Log
	Access    *access.Service
	Org       *org.Service
	Policy    *policy.Store
	Ticket    *ticket.Service
	Intake    *intake.Service
	Dispatch  *dispatch.Service
	Insight   *insight.Service
	Knowledge *knowledge.Service
	Measure   *measure.Service
	Supervise *supervise.Service
	Report    *report.Service
	Lines     *line.Registry
	// LineChanges governs the registry that Lines reads.
	LineChanges *line.Service
	CDR         *cdr.Service
	Staff       *workforce.Service
	Text        *text.Service
	Voice       *flow.Exchange // nil while no exchange is configured
	// Exchange gives what carries the calls of a person's centre, nil when nothing does.
	Exchange func(access.Actor) seat.Exchange
	Centres  []*cti.Center // foreign call centres
	// Recording opens the sound of a recording as a WAV; nil while there is no exchange.
	Recording func(rec string) (io.ReadSeekCloser, error)
	Jobs      *job.Queue
	Blobs     blob.Store
	Gate      *Gate
	Demo      Demo // nil outside the demo
	HTTPS     bool // the session cookie travels by HTTPS only
}

// API is the JSON face; Routes is the table that the matrix test walks.
type API struct {
	Deps
	Routes []Route
	mux    *http.ServeMux
	huma   huma.API
	hub    *hub
	// similar counts for the dispatchers' lists.
	similar insight.Similar
	names   sync.Map // account id → name
}

const (
	sessionCookie = "hotline_session"
	hereCookie    = "hotline_here" // says no more than that the browser has logged in
)

// New registers every route.
func New(d Deps) *API {
	useChineseErrors()
	a := &API{Deps: d, mux: http.NewServeMux(), hub: newHub()}
	cfg := huma.DefaultConfig("hotline 12345 政务服务便民热线平台", "1.0.0")
	cfg.Formats = quickFormats(cfg.Formats)
	cfg.CreateHooks = nil // no $schema links: they double the size of a list row
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "/openapi", "", ""
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"session": {Type: "http", Scheme: "bearer"}}
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	a.huma = humago.New(a.mux, cfg)
	a.sessionRoutes()
	a.ticketRoutes()
	a.actionRoutes()
	a.revealRoutes()
	a.deskRoutes()
	a.vocabularyRoutes()
	a.attachmentRoutes()
	a.liveRoutes()
	a.publicRoutes()
	a.knowledgeRoutes()
	a.measureRoutes()
	a.homeRoutes()
	a.superviseRoutes()
	a.callRoutes()
	a.voiceRoutes()
	a.centreRoutes()
	a.lineRoutes()
	a.rosterRoutes()
	a.jobRoutes()
	a.adminRoutes()
	a.auditRoutes()
	a.docsRoutes()
	a.mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		a.WriteProblem(w, r, fault.NotFound("not_found", "没有这个地址，或它不接受这种请求方法。"))
	})
	return a
}

// Handler serves /api/, /openapi.json and /docs.
func (a *API) Handler() http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.WriteProblem(w, r, fault.Forbidden("cross_origin", "不接受其他网站发起的请求。"))
	}))
	return guard.Handler(a.plainText(a.mux))
}

// now is the platform's time.
func (a *API) now() time.Time { return a.DB.Clock().Now() }

// stamp is a moment on the wire; "" for none.
func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	t := clock.FromMillis(ms)
	y, mon, d := t.Date()
	h, min, s := t.Clock()
	b := []byte("2006-01-02T15:04:05+08:00")
	for i, n := range [...]int{y / 100, y % 100, int(mon), d, h, min, s} {
		at := [...]int{0, 2, 5, 8, 11, 14, 17}[i]
		b[at], b[at+1] = byte('0'+n/10), byte('0'+n%10)
	}
	return string(b)
}
