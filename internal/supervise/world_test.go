package supervise

import (
	"context"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
	"hotline/internal/ticket"
)

// world is two city platforms under the province, with units below and people for each role.
type world struct {
	t     testing.TB
	v     *Service
	s     *ticket.Service
	c     *clock.Virtual
	units map[string]org.Unit
}

func schemas() []db.Schema {
	return append([]db.Schema{eventlog.Schema("event"), policy.Schema(), org.Schema(), ticket.Schema(), Schema()}, audit.Schemas()...)
}

func newWorld(t testing.TB, d *db.DB, c *clock.Virtual) *world {
	t.Helper()
	ctx := context.Background()
	c.Set(time.Date(2026, 11, 23, 10, 0, 0, 0, clock.Shanghai)) // a Monday
	log := eventlog.New(d, "event")
	p := policy.New(d)
	ticket.RegisterPolicies(p)
	if err := p.Load(ctx); err != nil {
		t.Fatal(err)
	}
	o := org.New(d, log)
	keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
	if err != nil {
		t.Fatal(err)
	}
	units := []org.NewUnit{
		{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"},
		{Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"},
		{Code: "D420100-chengguan", Name: "武汉市城管委", Kind: org.KindDepartment, Region: "420100", ParentCode: "P420100", Duty: "chengguan"},
		{Code: "D420100-shuiwu", Name: "武汉市水务局", Kind: org.KindDepartment, Region: "420100", ParentCode: "P420100", Duty: "shuiwu"},
		{Code: "C420111", Name: "洪山区承办中心", Kind: org.KindCounty, Region: "420111", ParentCode: "P420100"},
		{Code: "D420111-chengguan", Name: "洪山区城管局", Kind: org.KindCountyDepartment, Region: "420111", ParentCode: "C420111", Duty: "chengguan"},
		{Code: "P420500", Name: "宜昌市12345平台", Kind: org.KindCity, Region: "420500", ParentCode: "P420000"},
		{Code: "D420500-chengguan", Name: "宜昌市城管委", Kind: org.KindDepartment, Region: "420500", ParentCode: "P420500", Duty: "chengguan"},
	}
	if err := o.CreateAll(ctx, org.By{}, units); err != nil {
		t.Fatal(err)
	}
	if err := o.Load(ctx); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, c: c, units: map[string]org.Unit{}}
	for _, u := range o.Tree().All() {
		w.units[u.Code] = u
	}
	w.s = ticket.New(ticket.Deps{DB: d, Log: log, Audit: audit.New(d), Ring: seal.NewRing(keys), Org: o, Policy: p})
	w.v = New(d, log, o, w.s)
	return w
}

func (w *world) who(role access.Role, unit string) access.Actor {
	u := w.units[unit]
	return access.Actor{Account: u.ID*100 + int64(len(role))*7 + int64(role[0]), Username: string(role), Name: string(role), Role: role, Unit: u.ID, Platform: w.s.Org.Tree().Platform(u.ID).ID}
}

func (w *world) create(city string, edit func(*ticket.Intake)) int64 {
	w.t.Helper()
	place := map[string]string{"P420100": "420111", "P420500": "420502"}[city]
	n := ticket.Intake{Type: "投诉", Category: "040101", Region: place, Title: "夜间施工噪声扰民", Content: "小区北侧工地连续三晚施工到凌晨，要求核查。",
		Requester: ticket.Requester{Kind: "个人", Name: "李小明", Phone: "13800002671"}, Secrecy: ticket.SecrecyNormal, Channel: "phone", Platform: w.units[city].ID, Status: ticket.ToDispatch}
	if edit != nil {
		edit(&n)
	}
	actor := w.who(access.Agent, city)
	if n.At > 0 {
		actor = access.System("历史装载")
	}
	got, err := w.s.Create(context.Background(), actor, n)
	if err != nil {
		w.t.Fatal(err)
	}
	return got.ID
}

func (w *world) do(who access.Actor, id int64, name string, fields map[string]any) {
	w.t.Helper()
	if _, err := w.s.Do(context.Background(), who, id, ticket.Action{Name: name, Fields: fields}); err != nil {
		w.t.Fatalf("%s by %s: %v", name, who.Role, err)
	}
}

var (
	reply     = map[string]any{"mode": "solved", "solved": "yes", "truth": "true", "reply_text": "经现场核查，已责令工地夜间停工并整改，感谢您的反映。"}
	contacted = map[string]any{"way": "phone", "contact_result": "reached", "contact_note": "已电话联系诉求人，说明处理安排。"}
	pass      = map[string]any{"review_decision": "pass"}
	closePass = map[string]any{"close_decision": "pass"}
	happy     = map[string]any{"outcome": "reached", "citizen_solved": "yes", "satisfaction": "4"}
	unhappy   = map[string]any{"outcome": "reached", "citizen_solved": "no", "satisfaction": "2", "dissatisfied": []any{"unsolved"}}
	again     = map[string]any{"recheck_decision": "reopen", "verdict_text": "现场仍在夜间施工，发回重办。"}
)

func (w *world) unit(code string) map[string]any { return map[string]any{"unit": w.units[code].ID} }

// handle takes a dispatched ticket through sign, contact, reply, review and close.
func (w *world) handle(id int64, dept, city string, after time.Duration) {
	w.t.Helper()
	h, lead := w.who(access.Handler, dept), w.who(access.UnitLead, dept)
	w.do(h, id, "sign", nil)
	w.do(h, id, "contact", contacted)
	w.c.Advance(after)
	w.do(h, id, "reply", reply)
	w.do(lead, id, "review", pass)
	w.do(w.who(access.Dispatcher, city), id, "close", closePass)
}

func (w *world) count() {
	w.t.Helper()
	ctx := context.Background()
	if _, err := w.v.Log.SealNow(ctx); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.v.CatchUp(ctx); err != nil {
		w.t.Fatal(err)
	}
}
