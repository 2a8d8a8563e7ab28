// Package tickettest is a small province for the tests of rooms that follow
// tickets: two city platforms with units below and people for each role, on a
// virtual clock. The product never imports it; the tests of ticket itself have
// a world of their own, since they look inside.
package tickettest

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

// World is the province. It begins on Monday, 23 November 2026, at 10:00.
type World struct {
	T       testing.TB
	DB      *db.DB
	Clock   *clock.Virtual
	Log     *eventlog.Log
	Org     *org.Service
	Policy  *policy.Store
	Tickets *ticket.Service
	Units   map[string]org.Unit // by code
}

// Schemas lists what a World needs, and the tables of the room under test.
func Schemas(room ...db.Schema) []db.Schema {
	out := append([]db.Schema{eventlog.Schema("event"), policy.Schema(), org.Schema(), ticket.Schema()}, audit.Schemas()...)
	return append(out, room...)
}

// New builds the province in a database that has Schemas.
func New(t testing.TB, d *db.DB, c *clock.Virtual) *World {
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
	w := &World{T: t, DB: d, Clock: c, Log: log, Org: o, Policy: p, Units: map[string]org.Unit{}}
	for _, u := range o.Tree().All() {
		w.Units[u.Code] = u
	}
	w.Tickets = ticket.New(ticket.Deps{DB: d, Log: log, Audit: audit.New(d), Ring: seal.NewRing(keys), Org: o, Policy: p})
	return w
}

// Who makes an actor of a role in a unit, by the unit's code; the same role and
// unit is the same person.
func (w *World) Who(role access.Role, unit string) access.Actor {
	u := w.Units[unit]
	return access.Actor{Account: u.ID*100 + int64(len(role))*7 + int64(role[0]), Username: string(role), Name: string(role), Role: role, Unit: u.ID, Platform: w.Tickets.Org.Tree().Platform(u.ID).ID}
}

// Create takes a complaint in at the desk of a city and gives its id; edit may
// change it first. One with a moment in the past is loaded as history.
func (w *World) Create(city string, edit func(*ticket.Intake)) int64 {
	w.T.Helper()
	place := map[string]string{"P420100": "420111", "P420500": "420502"}[city]
	n := ticket.Intake{Type: "投诉", Category: "040101", Region: place, Title: "夜间施工噪声扰民", Content: "小区北侧工地连续三晚施工到凌晨，要求核查。",
		Requester: ticket.Requester{Kind: "个人", Name: "李小明", Phone: "13800002671"}, Secrecy: ticket.SecrecyNormal, Channel: "phone", Platform: w.Units[city].ID, Status: ticket.ToDispatch}
	if edit != nil {
		edit(&n)
	}
	actor := w.Who(access.Agent, city)
	if n.At > 0 {
		actor = access.System("历史装载")
	}
	got, err := w.Tickets.Create(context.Background(), actor, n)
	if err != nil {
		w.T.Fatal(err)
	}
	return got.ID
}

// Do takes one step and fails the test when it is refused.
func (w *World) Do(who access.Actor, id int64, name string, fields map[string]any) {
	w.T.Helper()
	if _, err := w.Tickets.Do(context.Background(), who, id, ticket.Action{Name: name, Fields: fields}); err != nil {
		w.T.Fatalf("%s by %s: %v", name, who.Role, err)
	}
}

// Fields of the usual acts.
var (
	Reply     = map[string]any{"mode": "solved", "solved": "yes", "truth": "true", "reply_text": "经现场核查，已责令工地夜间停工并整改，感谢您的反映。"}
	Contacted = map[string]any{"way": "phone", "contact_result": "reached", "contact_note": "已电话联系诉求人，说明处理安排。"}
	Pass      = map[string]any{"review_decision": "pass"}
	ClosePass = map[string]any{"close_decision": "pass"}
	Happy     = map[string]any{"outcome": "reached", "citizen_solved": "yes", "satisfaction": "4"}
	Unhappy   = map[string]any{"outcome": "reached", "citizen_solved": "no", "satisfaction": "2", "dissatisfied": []any{"unsolved"}}
	NoAnswer  = map[string]any{"outcome": "no_answer"}
	Again     = map[string]any{"recheck_decision": "reopen", "verdict_text": "现场仍在夜间施工，发回重办。"}
)

// Unit is the field that names a unit by its code.
func (w *World) Unit(code string) map[string]any { return map[string]any{"unit": w.Units[code].ID} }

// Handle takes a dispatched ticket through sign, contact, reply, review and close.
func (w *World) Handle(id int64, dept, city string, after time.Duration) {
	w.T.Helper()
	h, lead := w.Who(access.Handler, dept), w.Who(access.UnitLead, dept)
	w.Do(h, id, "sign", nil)
	w.Do(h, id, "contact", Contacted)
	w.Clock.Advance(after)
	w.Do(h, id, "reply", Reply)
	w.Do(lead, id, "review", Pass)
	w.Do(w.Who(access.Dispatcher, city), id, "close", ClosePass)
}

// Follow seals what has happened and lets a follower catch up with it.
func (w *World) Follow(catchUp func(context.Context) (int, error)) {
	w.T.Helper()
	ctx := context.Background()
	if _, err := w.Log.SealNow(ctx); err != nil {
		w.T.Fatal(err)
	}
	if _, err := catchUp(ctx); err != nil {
		w.T.Fatal(err)
	}
}
