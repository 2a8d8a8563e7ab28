package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/blob"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
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
	"hotline/internal/voice/flow"
	"hotline/internal/voice/seat"
	"hotline/internal/voice/text"
	"hotline/internal/workforce"
	"hotline/test/fake"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil))) // refused requests are what these tests are about
	os.Exit(m.Run())
}

// world is a small province behind its JSON face: two cities, in the first two
// county hubs with departments, and an account of each role where it works.
type world struct {
	t     *testing.T
	api   *API
	h     http.Handler
	c     *clock.Virtual
	units map[string]org.Unit
	token map[string]string // login name → session
	made  map[string]ticket.Created
	know  int64
}

func schemas() []db.Schema {
	out := []db.Schema{eventlog.Schema("event"), job.Schema(), policy.Schema(), org.Schema()}
	out = append(out, audit.Schemas()...)
	out = append(out, access.Schema(), ticket.Schema())
	out = append(out, insight.Schemas()...)
	out = append(out, knowledge.Schemas()...)
	return append(out, intake.Schema(), notify.Schema(), line.Schema(), workforce.Schema(), cdr.Schema(), text.Schema(), measure.Schema(), supervise.Schema(), report.Schema())
}

// entrance is the part of the demonstration that these tests need: one-click entry.
type entrance struct{ access *access.Service }

func (e entrance) Notice() string                            { return "演示环境。" }
func (e entrance) Roles(context.Context) ([]DemoRole, error) { return []DemoRole{}, nil }
func (e entrance) Enter(ctx context.Context, username, _, _, ip string) (access.Session, error) {
	return e.access.Enter(ctx, username, ip, "test")
}
func (e entrance) Autoplay(context.Context, access.Actor, int64) error {
	return fault.NotFound("ticket_not_found", "没有找到这张工单，或它不在您的查看范围内。")
}
func (e entrance) Step(context.Context, access.Actor, int64) (DemoStep, error) {
	return DemoStep{}, fault.NotFound("ticket_not_found", "没有找到这张工单，或它不在您的查看范围内。")
}
func (e entrance) Loading(context.Context) string { return "" }

func (e entrance) Scenarios(context.Context, access.Actor) ([]DemoScenario, error) {
	return []DemoScenario{}, nil
}
func (e entrance) Call(context.Context, access.Actor, string) (DemoCall, error) {
	return DemoCall{}, fault.Conflict("seat_absent", "您还没有签入席位，请先打开话务席位。")
}

// posts are the accounts: login name, role, unit. A name without prefix is one
// of Wuhan, "h-" of Huangshi, "p-" of the province.
var posts = []struct {
	name string
	role access.Role
	unit string
}{
	{"agent", access.Agent, "P420100"}, {"shift_lead", access.ShiftLead, "P420100"}, {"dispatcher", access.Dispatcher, "P420100"}, {"handler", access.Handler, "D420100-chengguan"},
	{"unit_lead", access.UnitLead, "D420100-chengguan"}, {"supervisor", access.Supervisor, "P420100"}, {"callback", access.Callback, "P420100"}, {"inspector", access.Inspector, "P420100"},
	{"kb_admin", access.KBAdmin, "P420100"}, {"kb_editor", access.KBEditor, "D420100-chengguan"}, {"branch_agent", access.BranchAgent, "S420100-a"}, {"province", access.Province, "P420000"},
	{"leader", access.Leader, "P420100"}, {"cell", access.Cell, "P420100"}, {"privacy", access.Privacy, "P420100"}, {"sysadmin", access.SysAdmin, "P420100"}, {"secadmin", access.SecAdmin, "P420100"},
	{"auditor", access.Auditor, "P420100"}, {"integration", access.Integration, "P420100"},

	{"sibling", access.Handler, "D420100-shuiwu"}, {"sibling_lead", access.UnitLead, "D420100-shuiwu"}, {"hub", access.Dispatcher, "C420111"}, {"other_hub", access.Dispatcher, "C420106"}, {"other_branch", access.BranchAgent, "S420100-b"},
	{"h-agent", access.Agent, "P420200"}, {"h-shift_lead", access.ShiftLead, "P420200"}, {"h-dispatcher", access.Dispatcher, "P420200"}, {"h-handler", access.Handler, "D420200-chengguan"},
	{"h-unit_lead", access.UnitLead, "D420200-chengguan"}, {"h-supervisor", access.Supervisor, "P420200"}, {"h-callback", access.Callback, "P420200"}, {"h-inspector", access.Inspector, "P420200"},
	{"h-leader", access.Leader, "P420200"}, {"h-cell", access.Cell, "P420200"}, {"h-privacy", access.Privacy, "P420200"}, {"h-sysadmin", access.SysAdmin, "P420200"},
	{"p-sysadmin", access.SysAdmin, "P420000"}, {"p-secadmin", access.SecAdmin, "P420000"}, {"p-auditor", access.Auditor, "P420000"}, {"guest", access.Agent, "P420100"},
}

var units = []org.NewUnit{
	{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"},
	{Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"},
	{Code: "D420100-chengguan", Name: "武汉市城管委", Kind: org.KindDepartment, Region: "420100", ParentCode: "P420100", Duty: "chengguan"},
	{Code: "D420100-shuiwu", Name: "武汉市水务局", Kind: org.KindDepartment, Region: "420100", ParentCode: "P420100", Duty: "shuiwu"},
	{Code: "S420100-a", Name: "武汉市医保分中心", Kind: org.KindSubcentre, Region: "420100", ParentCode: "P420100"},
	{Code: "S420100-b", Name: "武汉市公积金分中心", Kind: org.KindSubcentre, Region: "420100", ParentCode: "P420100"},
	{Code: "C420111", Name: "洪山区承办中心", Kind: org.KindCounty, Region: "420111", ParentCode: "P420100"},
	{Code: "D420111-chengguan", Name: "洪山区城管局", Kind: org.KindCountyDepartment, Region: "420111", ParentCode: "C420111", Duty: "chengguan"},
	{Code: "C420106", Name: "武昌区承办中心", Kind: org.KindCounty, Region: "420106", ParentCode: "P420100"},
	{Code: "P420200", Name: "黄石市12345平台", Kind: org.KindCity, Region: "420200", ParentCode: "P420000"},
	{Code: "D420200-chengguan", Name: "黄石市城管委", Kind: org.KindDepartment, Region: "420200", ParentCode: "P420200", Duty: "chengguan"},
}

// newWorld builds the rooms as package app does.
func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	d, c := dbtest.SQLite(t, schemas()...)
	c.Set(time.Date(2026, 11, 23, 10, 0, 0, 0, clock.Shanghai)) // a Monday
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
	ok(err)
	ring := seal.NewRing(keys)
	blobs, err := blob.NewDisk(t.TempDir(), ring)
	ok(err)
	log := eventlog.New(d, "event")
	trail := audit.New(d).SignWith(ring).Witness("event", log)
	jobs, p := job.New(d), policy.New(d)
	ticket.RegisterPolicies(p)
	notify.RegisterPolicies(p)
	measure.RegisterPolicies(p)
	flow.RegisterPolicies(p)
	line.RegisterPolicies(p)
	o := org.New(d, log)
	dispatch.RegisterPolicies(p, o, c)
	acc := access.New(d, o, p, trail, c, access.WithRing(ring), access.Demo())
	o.Approver = acc.ApprovesCountyPlatform
	ok(p.Load(ctx))
	ok(o.CreateAll(ctx, org.By{}, units))
	ok(d.Update(ctx, func(tx *db.Tx) error {
		_, err := p.Publish(tx, policy.Publication{Kind: access.PolicyKind, Doc: access.DemoRules().JSON(), Note: "演示"})
		return err
	}))
	desk := dispatch.New(o, p)
	tickets := ticket.New(ticket.Deps{DB: d, Log: log, Audit: trail, Ring: ring, Org: o, Policy: p, Access: acc, Words: insight.Words(), Propose: desk.Propose})
	words := insight.New(tickets.Categories)
	m := measure.New(d, log, o, p, tickets)
	lines, records, staff := line.NewService(d, log, trail, p, o), cdr.New(d, log, ring, o, tickets), workforce.New(d, log, o, ring)
	texts := text.New(d, records, o)
	voice := flow.New(flow.Deps{DB: d, CDR: records, Engine: fake.NewExchange(func() int64 { return clock.Millis(c.Now()) }), Lines: lines.Registry, Org: o, Access: acc, Audit: trail, Policy: p, Ticket: tickets, Intake: intake.New(tickets, o, words, desk), Notify: notify.New(d, ring, tickets, o, p, nil), Staff: staff, Text: texts})
	w := &world{t: t, c: c, units: map[string]org.Unit{}, token: map[string]string{}, made: map[string]ticket.Created{}}
	w.api = New(Deps{DB: d, Log: log, Audit: trail, Access: acc, Org: o, Policy: p, Ticket: tickets, Intake: intake.New(tickets, o, words, desk), Dispatch: desk, Insight: words,
		Knowledge: knowledge.New(knowledge.Deps{DB: d, Log: log, Org: o}), Measure: m, Supervise: supervise.New(d, log, o, tickets), Report: report.New(d, jobs, blobs, m, tickets, o, acc),
		Lines: lines.Registry, LineChanges: lines, CDR: records, Text: texts, Staff: staff, Voice: voice, Exchange: func(access.Actor) seat.Exchange { return seat.Own(voice) }, Jobs: jobs, Blobs: blobs, Gate: NewGate(c, func(s string) string { return hex.EncodeToString(ring.Blind("gate", s)) }), Demo: entrance{acc}})
	w.h = w.api.Handler()
	jobs.Handle(ticket.JobRedate, tickets.RedateJob)
	for _, u := range o.Tree().All() {
		w.units[u.Code] = u
	}
	var people []access.NewAccount
	for _, x := range posts {
		people = append(people, access.NewAccount{Username: x.name, Name: "甲" + x.name, Role: x.role, Unit: w.units[x.unit].ID})
	}
	_, err = acc.CreateAccounts(ctx, access.System("test"), people)
	ok(err)
	for _, x := range posts {
		s, err := acc.Enter(ctx, x.name, "192.0.2.1", "test")
		ok(err)
		w.token[x.name] = s.Token
	}
	return w
}

func (w *world) actor(name string) access.Actor {
	w.t.Helper()
	a, err := w.api.Access.Authenticate(context.Background(), w.token[name])
	if err != nil {
		w.t.Fatal(name, err)
	}
	return a
}

// seed makes a ticket in every place that scope distinguishes.
func (w *world) seed() {
	w.t.Helper()
	make := func(name, seat string, edit func(*ticket.Intake)) {
		w.t.Helper()
		seatActor := w.actor(seat)
		n := ticket.Intake{Type: "投诉", Category: "040101", Region: "420111", Title: "夜间施工噪声扰民", Content: "小区北侧工地连续三晚施工到凌晨，要求核查。", Address: "关山街道某小区3栋2单元502",
			Requester: ticket.Requester{Kind: "个人", Name: "李小明", Phone: "13800002671"}, Secrecy: ticket.SecrecyNormal, Channel: "phone", Platform: seatActor.Platform, Status: ticket.ToDispatch}
		if edit != nil {
			edit(&n)
		}
		got, err := w.api.Ticket.Create(context.Background(), seatActor, n)
		if err != nil {
			w.t.Fatal(name, err)
		}
		w.made[name] = got
	}
	act := func(who, name, action string, fields map[string]any) {
		w.t.Helper()
		if _, err := w.api.Ticket.Do(context.Background(), w.actor(who), w.made[name].ID, ticket.Action{Name: action, Fields: fields}); err != nil {
			w.t.Fatal(who, action, err)
		}
	}
	make("handled", "agent", nil)
	act("dispatcher", "handled", "dispatch", map[string]any{"unit": w.units["D420100-chengguan"].ID})
	act("handler", "handled", "sign", nil)
	make("waiting", "agent", nil)
	make("report", "agent", func(n *ticket.Intake) { n.Type = "举报" })
	act("dispatcher", "report", "note", map[string]any{"text": "交专办。"}) // from here on the seat has lost sight of it
	make("hidden", "agent", func(n *ticket.Intake) { n.Secrecy = ticket.SecrecyUnit })
	make("huangshi", "h-agent", func(n *ticket.Intake) { n.Region = "420202" })
	act("h-dispatcher", "huangshi", "dispatch", map[string]any{"unit": w.units["D420200-chengguan"].ID})

	editor := w.actor("kb_admin")
	if err := w.api.DB.Update(context.Background(), func(tx *db.Tx) error {
		x, err := w.api.Knowledge.CreateTx(tx, editor, knowledge.Text{Title: "居住证办理指南", Path: "城乡建设/居住证", Kind: knowledge.Kinds[0], Source: "本平台整理", Region: "420100", Unit: w.units["D420100-chengguan"].ID,
			Body: "在本市居住半年以上、有合法稳定就业或住所的，可到居住地派出所申领居住证。", Keywords: []string{"居住证"}, Public: true})
		if err == nil {
			w.know = x.ID
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

// request is one call of the API.
type request struct {
	method, path string
	token        string
	body         any // string and []byte as they are, anything else as JSON
	head         map[string]string
	ip           string
	limit        time.Duration // for streams
}

type answer struct {
	status  int
	head    http.Header
	raw     []byte
	problem Problem
}

func (w *world) call(r request) answer {
	var body io.Reader
	kind := "application/json"
	switch b := r.body.(type) {
	case nil:
	case string:
		body = strings.NewReader(b)
	case []byte:
		body = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if r.limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.limit)
	}
	defer cancel()
	req := httptest.NewRequestWithContext(ctx, r.method, r.path, body)
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for k, v := range r.head {
		req.Header.Set(k, v)
	}
	req.RemoteAddr = "192.0.2.1:1000"
	if r.ip != "" {
		req.RemoteAddr = r.ip + ":1000"
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, req)
	a := answer{status: rec.Code, head: rec.Header(), raw: rec.Body.Bytes()}
	if a.status >= 400 {
		_ = json.Unmarshal(a.raw, &a.problem)
	}
	return a
}

// as calls in the name of an account.
func (w *world) as(name, method, path string, body any) answer {
	w.t.Helper()
	return w.call(request{method: method, path: path, token: w.token[name], body: body})
}

// ok calls and decodes what must have worked.
func ok[T any](w *world, name, method, path string, body any) T {
	w.t.Helper()
	a := w.as(name, method, path, body)
	var out T
	if a.status >= 300 {
		w.t.Fatalf("%s %s by %s: %d %s", method, path, name, a.status, a.raw)
	}
	if len(a.raw) > 0 {
		if err := json.Unmarshal(a.raw, &out); err != nil {
			w.t.Fatalf("%s: %v: %s", path, err, a.raw)
		}
	}
	return out
}

// refused calls and demands an error of the code.
func (w *world) refused(code, name, method, path string, body any) Problem {
	w.t.Helper()
	a := w.as(name, method, path, body)
	if a.problem.Code != code {
		w.t.Errorf("%s %s by %s: %d %s, want %s", method, path, name, a.status, a.raw, code)
	}
	if why := a.wrong(); why != "" {
		w.t.Errorf("%s %s by %s: %s: %d %s", method, path, name, why, a.status, a.raw)
	}
	return a.problem
}

var (
	codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]+$`)
	han      = regexp.MustCompile(`\p{Han}`)
	latin    = regexp.MustCompile(`[A-Za-z]{4,} [a-z]{2,}`) // a sentence that is not Chinese
)

// wrong says what is wrong with the form of an answer; "" when nothing is.
func (a answer) wrong() string {
	switch {
	case a.status >= 500:
		return "a failure of the server"
	case a.status < 400:
		return ""
	case !strings.HasPrefix(a.head.Get("Content-Type"), "application/problem+json"):
		return "not problem+json: " + a.head.Get("Content-Type")
	case !codeForm.MatchString(a.problem.Code):
		return "no stable code"
	case !han.MatchString(a.problem.Detail) || latin.MatchString(a.problem.Detail):
		return "detail is not Chinese"
	case a.problem.Status != a.status || a.problem.Title == "":
		return "status or title is wrong"
	}
	for _, f := range a.problem.Errors {
		if f.Name == "" || !han.MatchString(f.Detail) {
			return "a field without a Chinese word"
		}
	}
	return ""
}

func (w *world) id(name string) string { return strconv.FormatInt(w.made[name].ID, 10) }

func unitID(w *world, code string) string { return strconv.FormatInt(w.units[code].ID, 10) }

// form makes a multipart body with one file.
func form(t *testing.T, name string, data []byte, fields ...string) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	f, err := m.CreateFormFile("file", name)
	if err == nil {
		_, err = f.Write(data)
	}
	for i := 0; i < len(fields); i += 2 {
		err = errors.Join(err, m.WriteField(fields[i], fields[i+1]))
	}
	if err != nil || m.Close() != nil {
		t.Fatal("multipart", err)
	}
	return b.Bytes(), m.FormDataContentType()
}
