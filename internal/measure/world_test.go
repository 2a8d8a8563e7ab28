package measure

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
	m     *Service
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
	w.m = New(d, log, o, p, w.s)
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
	noAnswer  = map[string]any{"outcome": "no_answer"}
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
	if _, err := w.m.Log.SealNow(ctx); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.m.CatchUp(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// history is one of everything that moves a measure.
func (w *world) history() {
	wh, yc := "P420100", "P420500"
	cg, sw, hub, hcg, ycg := "D420100-chengguan", "D420100-shuiwu", "C420111", "D420111-chengguan", "D420500-chengguan"
	disp, call := w.who(access.Dispatcher, wh), w.who(access.Callback, wh)

	a := w.create(wh, nil) // the plain loop, satisfied
	w.c.Advance(10 * time.Minute)
	w.do(disp, a, "dispatch", w.unit(cg))
	w.handle(a, cg, wh, 2*time.Hour)
	w.do(call, a, "callback", happy)

	b := w.create(wh, nil) // unsatisfied, redone, satisfied
	w.c.Advance(40 * time.Minute)
	w.do(disp, b, "dispatch", w.unit(sw))
	w.handle(b, sw, wh, time.Hour)
	w.do(call, b, "callback", unhappy)
	w.do(w.who(access.Supervisor, wh), b, "reopen", again)
	w.handle(b, sw, wh, time.Hour)
	w.do(call, b, "callback", happy)

	c := w.create(wh, nil) // wrong unit: returned and sent on
	w.do(disp, c, "dispatch", w.unit(cg))
	w.do(w.who(access.Handler, cg), c, "return", map[string]any{"return_reason": "not_duty", "basis": "三定规定未列此项职责", "suggested": w.units[sw].ID})
	w.do(disp, c, "decide-return", map[string]any{"decision": "pass", "opinion": "同意，改派水务。", "redispatch": w.units[sw].ID})
	w.handle(c, sw, wh, time.Hour)
	for range 3 {
		w.do(call, c, "callback", noAnswer)
	}

	d := w.create(wh, nil) // a denied return
	w.do(disp, d, "dispatch", w.unit(cg))
	w.do(w.who(access.Handler, cg), d, "return", map[string]any{"return_reason": "not_duty", "basis": "三定规定未列此项职责", "suggested": w.units[sw].ID})
	w.do(disp, d, "decide-return", map[string]any{"decision": "reject", "opinion": "由城管首办。"})

	e := w.create(wh, nil) // through the county hub
	w.do(disp, e, "dispatch", w.unit(hub))
	w.do(w.who(access.Dispatcher, hub), e, "sign", nil)
	w.do(w.who(access.Dispatcher, hub), e, "delegate", w.unit(hcg))
	w.do(w.who(access.Handler, hcg), e, "sign", nil)
	w.do(w.who(access.Handler, hcg), e, "contact", contacted)
	w.do(w.who(access.Handler, hcg), e, "extend", map[string]any{"days": 2, "reason": "需要会同检测机构"})
	w.do(w.who(access.Dispatcher, hub), e, "decide-extension", map[string]any{"decision": "pass", "opinion": "同意延期。"})
	w.do(w.who(access.Handler, hcg), e, "reply", reply)
	w.do(w.who(access.UnitLead, hcg), e, "review", pass)
	w.do(w.who(access.Dispatcher, hub), e, "review", pass)
	w.do(disp, e, "close", closePass)
	w.do(call, e, "callback", happy)

	w.create(wh, func(n *ticket.Intake) { // answered at the desk
		n.Type, n.Status, n.Outcome = "咨询", ticket.Closed, ticket.Outcome{Text: "请携带身份证到政务中心办理。", Knowledge: 77}
	})
	w.create(wh, func(n *ticket.Intake) { n.Type, n.Status = "其他", ticket.Invalid })
	x := w.create(wh, nil) // left to run over
	w.do(disp, x, "dispatch", w.unit(cg))
	f := w.create(wh, func(n *ticket.Intake) { n.RepeatOf = a; n.Requester.Phone = "" }) // anonymous repeat, 执法办案, closed
	w.do(disp, f, "dispatch", map[string]any{"unit": w.units[sw].ID, "nature": "执法办案", "legal": "水法第六十五条"})
	w.handle(f, sw, wh, time.Hour)
	s := w.create(wh, nil) // 执法办案, unsatisfied: leaves satisfaction only
	w.do(disp, s, "dispatch", map[string]any{"unit": w.units[sw].ID, "nature": "执法办案", "legal": "水法第六十五条"})
	w.handle(s, sw, wh, time.Hour)
	w.do(call, s, "callback", unhappy)
	m1, m2 := w.create(wh, nil), w.create(wh, nil) // merged: handled once, judged twice
	w.do(disp, m2, "merge", map[string]any{"main": m1})
	w.do(disp, m1, "dispatch", w.unit(cg))
	w.handle(m1, cg, wh, time.Hour)
	w.do(call, m1, "callback", happy)
	w.do(call, m2, "callback", happy)
	y := w.create(yc, func(n *ticket.Intake) { n.Type = "求助" })
	w.do(w.who(access.Dispatcher, yc), y, "dispatch", w.unit(ycg))
	w.do(w.who(access.Dispatcher, yc), y, "reclassify", map[string]any{"type": "建议", "reason": "实为建议事项"})
	z := w.create(yc, nil)
	w.do(w.who(access.Province, "P420000"), z, "escalate", map[string]any{"escalate_mode": "take_over", "reason": "跨市州事项"})

	w.c.Advance(40 * 24 * time.Hour)
	for {
		n, err := w.s.Sweep(context.Background(), 100)
		if err != nil {
			w.t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	old := w.c.Now().AddDate(0, 0, -80) // loaded history counts on its own day
	w.create(yc, func(n *ticket.Intake) { n.At, n.Status, n.Type = old.UnixMilli(), ticket.Closed, "咨询" })
}
