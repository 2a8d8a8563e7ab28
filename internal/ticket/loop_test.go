package ticket

import (
	"context"
	"maps"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
)

// world is a small province: a city platform, a county hub with two
// departments, a second county, and people for each role.
type world struct {
	t     testing.TB
	s     *Service
	c     *clock.Virtual
	units map[string]org.Unit
	n     int64
}

func schemas() []db.Schema {
	return append([]db.Schema{eventlog.Schema("event"), policy.Schema(), org.Schema(), Schema()}, audit.Schemas()...)
}

func newWorld(t *testing.T, d *db.DB, c *clock.Virtual) *world { return newWorldOn(t, d, c) }

func newWorldOn(t testing.TB, d *db.DB, c *clock.Virtual) *world {
	t.Helper()
	ctx := context.Background()
	c.Set(time.Date(2026, 11, 23, 10, 0, 0, 0, clock.Shanghai)) // a Monday
	log := eventlog.New(d, "event")
	p := policy.New(d)
	RegisterPolicies(p)
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
		{Code: "D420111-zhujian", Name: "洪山区住建局", Kind: org.KindCountyDepartment, Region: "420111", ParentCode: "C420111", Duty: "zhujian"},
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
	w.s = New(Deps{DB: d, Log: log, Audit: audit.New(d), Ring: seal.NewRing(keys), Org: o, Policy: p})
	return w
}

// who makes an actor of a role in a unit; the same role and unit is the same person.
func (w *world) who(role access.Role, unit string) access.Actor {
	u := w.units[unit]
	account := u.ID*100 + int64(len(role))*7 + int64(role[0])
	return access.Actor{Account: account, Username: string(role), Name: string(role), Role: role, Unit: u.ID, Platform: w.s.Org.Tree().Platform(u.ID).ID}
}

func (w *world) create(edit func(*Intake)) Created {
	w.t.Helper()
	w.n++
	n := Intake{Type: "投诉", Category: "040101", Region: "420111", Title: "夜间施工噪声扰民", Content: "保利时代小区北侧工地连续三晚施工到凌晨，要求核查。", Address: "关山街道保利时代3栋2单元502",
		Requester: Requester{Kind: "个人", Name: "李小明", Phone: "13800002671"}, Secrecy: SecrecyNormal, Channel: "phone", Platform: w.units["P420100"].ID, Status: ToDispatch}
	if edit != nil {
		edit(&n)
	}
	got, err := w.s.Create(context.Background(), w.who(access.Agent, "P420100"), n)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) try(who access.Actor, id int64, name string, fields map[string]any) (Result, error) {
	return w.s.Do(context.Background(), who, id, Action{Name: name, Fields: fields})
}

func (w *world) must(who access.Actor, id int64, name string, fields map[string]any) Result {
	w.t.Helper()
	r, err := w.try(who, id, name, fields)
	if err != nil {
		w.t.Fatalf("%s by %s: %v", name, who.Role, err)
	}
	return r
}

func (w *world) refuse(code string, who access.Actor, id int64, name string, fields map[string]any) {
	w.t.Helper()
	if _, err := w.try(who, id, name, fields); !fault.Is(err, code) {
		w.t.Fatalf("%s by %s: got %v, want %s", name, who.Role, err, code)
	}
}

func (w *world) load(id int64) *Ticket {
	w.t.Helper()
	var t *Ticket
	if err := w.s.DB.View(context.Background(), func(tx *db.Tx) (err error) { t, err = load(tx, id); return err }); err != nil {
		w.t.Fatal(err)
	}
	return t
}

func (w *world) queue(who access.Actor, queue string) []Row {
	w.t.Helper()
	rows, _, err := w.s.List(context.Background(), who, access.ScopeIn(w.s.Org.Tree(), who), Filter{Queue: queue})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

func id(n int64) any { return n }

var (
	replyFields = map[string]any{"mode": "solved", "solved": "yes", "truth": "true", "reply_text": "经现场核查，已责令工地夜间停工并整改，感谢您的反映。"}
	contacted   = map[string]any{"way": "phone", "contact_result": "reached", "contact_note": "已电话联系诉求人，说明处理安排。"}
	pass        = map[string]any{"review_decision": "pass"}
	closePass   = map[string]any{"close_decision": "pass"}
	happy       = map[string]any{"outcome": "reached", "citizen_solved": "yes", "satisfaction": "4"}
	unhappy     = map[string]any{"outcome": "reached", "citizen_solved": "no", "satisfaction": "2", "dissatisfied": []any{"unsolved"}}
)

// The walk of one request through every level: seat, city, county hub,
// department, and back.
func TestClosedLoop(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		made := w.create(nil)
		if !ValidNumber(made.Number) || len(made.QueryCode) != 8 {
			t.Fatalf("receipt %+v", made)
		}
		city, hub, dept := "P420100", "C420111", "D420111-chengguan"
		dispatcher, hubDesk := w.who(access.Dispatcher, city), w.who(access.Dispatcher, hub)
		handler, lead := w.who(access.Handler, dept), w.who(access.UnitLead, dept)

		if rows := w.queue(dispatcher, "to_dispatch"); len(rows) != 1 {
			t.Fatalf("dispatcher sees %d", len(rows))
		}
		w.refuse("ticket_not_found", handler, made.ID, "sign", nil) // denied, and learns nothing
		w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": id(w.units[hub].ID)})
		w.must(hubDesk, made.ID, "sign", nil)
		w.must(hubDesk, made.ID, "delegate", map[string]any{"unit": id(w.units[dept].ID)})
		if rows := w.queue(handler, "to_sign"); len(rows) != 1 || rows[0].Node == nil {
			t.Fatalf("handler sees %d", len(rows))
		}
		w.must(handler, made.ID, "sign", nil)
		w.refuse("contact_needed", handler, made.ID, "reply", replyFields)
		w.must(handler, made.ID, "contact", contacted)
		w.must(handler, made.ID, "reply", replyFields)
		w.refuse("action_forbidden", handler, made.ID, "review", pass)
		w.must(lead, made.ID, "review", pass)
		w.must(hubDesk, made.ID, "review", pass)
		if got := w.load(made.ID); got.Status != ToClose || got.Detail.Unit == nil {
			t.Fatalf("status %s", got.Status)
		}
		w.must(dispatcher, made.ID, "close", closePass)
		caller := w.who(access.Callback, city)
		if rows := w.queue(caller, "to_callback"); len(rows) != 1 {
			t.Fatalf("callback sees %d", len(rows))
		}
		w.must(caller, made.ID, "callback", happy)
		got := w.load(made.ID)
		if got.Status != Closed || got.Detail.Citizen.Satisfaction != 4 || !got.Detail.Legs[0].OnTime {
			t.Fatalf("end %s %+v", got.Status, got.Detail.Legs)
		}
		for _, c := range got.Clocks {
			if c.Stopped == 0 {
				t.Errorf("clock %s still runs", c.Kind)
			}
		}
		if rows := w.queue(handler, "unit_done"); len(rows) != 1 {
			t.Errorf("the unit lost read access")
		}
		// Events: gap-free versions, and nothing personal in them.
		lines, err := w.s.Timeline(context.Background(), got, false)
		if err != nil || int64(len(lines)) != got.Version {
			t.Fatalf("%d events at version %d: %v", len(lines), got.Version, err)
		}
		said := map[string]string{}
		for _, l := range lines {
			for _, x := range l.Texts {
				said[x.Kind] = x.Text
			}
		}
		if said["reply"] == "" || said["contact"] == "" {
			t.Errorf("the course lacks its texts: %v", said)
		}
	})
}

// 不满意 → 复核 → 重办 as a second leg; the first leg's figures stay.
func TestReopenKeepsFirstLeg(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made := w.create(nil)
	dispatcher := w.who(access.Dispatcher, "P420100")
	dept := "D420100-chengguan"
	run := func(last map[string]any) {
		w.must(w.who(access.Handler, dept), made.ID, "sign", nil)
		w.must(w.who(access.Handler, dept), made.ID, "contact", contacted)
		w.must(w.who(access.Handler, dept), made.ID, "reply", replyFields)
		w.must(w.who(access.UnitLead, dept), made.ID, "review", pass)
		w.must(dispatcher, made.ID, "close", closePass)
		w.must(w.who(access.Callback, "P420100"), made.ID, "callback", last)
	}
	w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID)})
	run(unhappy)
	if got := w.load(made.ID); got.Status != ToRecheck {
		t.Fatalf("status %s", got.Status)
	}
	w.must(w.who(access.Supervisor, "P420100"), made.ID, "reopen", map[string]any{"recheck_decision": "reopen", "verdict_text": "现场仍在夜间施工，发回重办。"})
	run(happy)
	got := w.load(made.ID)
	if got.Leg != 2 || len(got.Detail.Legs) != 2 || got.Detail.Legs[0].Citizen.Satisfaction != 2 || got.Detail.Legs[1].Citizen.Satisfaction != 4 {
		t.Fatalf("legs %+v", got.Detail.Legs)
	}
}

// 退单: to the delegating node, once per unit, within a working day; the second
// goes to 会商 and the clock is never reset.
func TestReturn(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made := w.create(nil)
	dispatcher := w.who(access.Dispatcher, "P420100")
	w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": id(w.units["D420100-chengguan"].ID)})
	due := w.load(made.ID).Due
	back := map[string]any{"return_reason": "not_duty", "basis": "三定规定未列此项职责", "suggested": id(w.units["D420100-shuiwu"].ID)}
	w.must(w.who(access.Handler, "D420100-chengguan"), made.ID, "return", back)
	if rows := w.queue(dispatcher, "return_review"); len(rows) != 1 {
		t.Fatalf("return queue %d", len(rows))
	}
	c.Advance(2 * time.Hour)
	w.must(dispatcher, made.ID, "decide-return", map[string]any{"decision": "pass", "opinion": "同意，改派水务。", "redispatch": id(w.units["D420100-shuiwu"].ID)})
	got := w.load(made.ID)
	if got.Due != due || got.Root().Due != due {
		t.Fatal("退单 reset the clock")
	}
	w.must(w.who(access.Handler, "D420100-shuiwu"), made.ID, "return", back2(w))
	if got := w.load(made.ID); got.Dispute != "consult" {
		t.Fatalf("dispute %q", got.Dispute)
	}
	denied := map[string]any{"decision": "reject", "opinion": "会商认定由水务部门首办。"}
	w.refuse("consult_needed", dispatcher, made.ID, "decide-return", denied)
	denied["consult_units"] = []any{id(w.units["D420100-shuiwu"].ID), id(w.units["D420100-chengguan"].ID)}
	w.must(dispatcher, made.ID, "decide-return", denied)
	if w.load(made.ID).Dispute != "" {
		t.Fatal("the 会商 is not over")
	}
	w.refuse("return_denied_before", w.who(access.Handler, "D420100-shuiwu"), made.ID, "return", back2(w))
	if a := w.load(made.ID).Root(); a.Denied != 1 || a.State != ToSign {
		t.Fatalf("%+v", a)
	}
}

// What a county lets its department return it may pass upward within a working
// day of that, though its own day is over; the one refusal counts once.
func TestReturnPassesUpward(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made := w.create(nil)
	city, hub := w.who(access.Dispatcher, "P420100"), w.who(access.Dispatcher, "C420111")
	w.must(city, made.ID, "dispatch", map[string]any{"unit": id(w.units["C420111"].ID)})
	w.must(hub, made.ID, "sign", nil)
	w.must(hub, made.ID, "delegate", map[string]any{"unit": id(w.units["D420111-chengguan"].ID)})
	c.Advance(20 * time.Hour)
	w.must(w.who(access.Handler, "D420111-chengguan"), made.ID, "return", back2(w))
	c.Advance(20 * time.Hour)
	w.must(hub, made.ID, "decide-return", map[string]any{"decision": "pass", "opinion": "本区没有承担这项职责的单位。"})
	c.Advance(20 * time.Hour)
	w.must(hub, made.ID, "return", back2(w))
	if got := w.load(made.ID); got.Returns != 1 || got.Dispute != "" {
		t.Fatalf("passed upward: %d returns, dispute %q", got.Returns, got.Dispute)
	}
	w.must(city, made.ID, "decide-return", map[string]any{"decision": "pass", "opinion": "同意。", "redispatch": id(w.units["D420100-shuiwu"].ID)})
	w.must(w.who(access.Handler, "D420100-shuiwu"), made.ID, "return", back2(w))
	if got := w.load(made.ID); got.Returns != 2 || got.Dispute != "consult" {
		t.Fatalf("returned by a second: %d returns, dispute %q", got.Returns, got.Dispute)
	}
	late := w.create(nil)
	w.must(city, late.ID, "dispatch", map[string]any{"unit": id(w.units["C420111"].ID)})
	c.Advance(5 * 24 * time.Hour)
	w.refuse("return_too_late", hub, late.ID, "return", back2(w))
}

func back2(w *world) map[string]any {
	return map[string]any{"return_reason": "not_duty", "basis": "权责清单未列此项", "suggested": id(w.units["D420100-chengguan"].ID)}
}

// Two people act on one version: one wins, the other learns what changed.
func TestVersionConflict(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made := w.create(nil)
	dispatcher := w.who(access.Dispatcher, "P420100")
	act := Action{Name: "dispatch", Version: 1, Fields: map[string]any{"unit": id(w.units["D420100-chengguan"].ID)}}
	if _, err := w.s.Do(context.Background(), dispatcher, made.ID, act); err != nil {
		t.Fatal(err)
	}
	w.must(w.who(access.Handler, "D420100-chengguan"), made.ID, "sign", nil)
	_, err := w.s.Do(context.Background(), w.who(access.UnitLead, "D420100-chengguan"), made.ID, Action{Name: "extend", Version: 2, Fields: map[string]any{"days": 2, "reason": "需要会同检测机构"}})
	if !fault.Is(err, "version_conflict") {
		t.Fatal(err)
	}
	m := fault.As(err).Data.(Moved)
	if m.Version != 3 || len(m.Changed) != 1 || m.Changed[0].Label != "签收" {
		t.Fatalf("%+v", m)
	}
}

// Deadlines fire each stage once, however often the sweep runs.
func TestSweepFiresOnce(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made := w.create(nil)
	total := 0
	for range 40 {
		c.Advance(time.Minute)
		for range 2 {
			n, err := w.s.Sweep(context.Background(), 100)
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
	}
	if total != 3 { // 50, 80 and 100 % of the 30 minutes of 派单
		t.Fatalf("fired %d", total)
	}
	if got := w.load(made.ID); got.Clocks[0].Stage != 100 || got.Version != 4 {
		t.Fatalf("%+v", got.Clocks[0])
	}
}

// Hidden identity: the unit contacts by relay only and cannot reveal.
func TestHiddenIdentity(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made := w.create(func(n *Intake) { n.Secrecy = SecrecyUnit })
	dept := "D420100-chengguan"
	handler := w.who(access.Handler, dept)
	w.must(w.who(access.Dispatcher, "P420100"), made.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID)})
	w.must(handler, made.ID, "sign", nil)
	w.refuse("relay_only", handler, made.ID, "contact", contacted)
	w.must(handler, made.ID, "contact", map[string]any{"way": "relay", "contact_result": "no_answer", "contact_note": "请问具体是哪一处工地？"})
	if _, err := w.s.Reveal(context.Background(), handler, made.ID, "phone", "contact", "", "127.0.0.1"); !fault.Is(err, "reveal_forbidden") {
		t.Fatalf("reveal: %v", err)
	}
	if rows := w.queue(w.who(access.Callback, "P420100"), "relay"); len(rows) != 1 {
		t.Fatalf("relay queue %d", len(rows))
	}
	w.must(w.who(access.Callback, "P420100"), made.ID, "relay", map[string]any{"text": "是北侧工地。"})
	if rows := w.queue(w.who(access.Callback, "P420100"), "relay"); len(rows) != 0 {
		t.Fatal("relay task stays")
	}
}

// 并单 keeps each caller; closing the 主单 sends every child to its own 回访.
func TestMergeAndUnmerge(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	main, child, other := w.create(nil), w.create(func(n *Intake) { n.Requester.Phone = "13900001111" }), w.create(nil)
	dispatcher := w.who(access.Dispatcher, "P420100")
	w.must(dispatcher, child.ID, "merge", map[string]any{"main": id(main.ID)})
	w.must(dispatcher, other.ID, "merge", map[string]any{"main": id(main.ID)})
	w.must(dispatcher, other.ID, "unmerge", map[string]any{"reason": "不是同一件事"})
	if got := w.load(other.ID); got.Status != ToDispatch || got.Main != 0 || !got.Clocks[0].Running() {
		t.Fatalf("unmerged: %s", got.Status)
	}
	dept := "D420100-chengguan"
	w.must(dispatcher, main.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID)})
	w.must(w.who(access.Handler, dept), main.ID, "sign", nil)
	w.must(w.who(access.Handler, dept), main.ID, "contact", contacted)
	w.must(w.who(access.Handler, dept), main.ID, "reply", replyFields)
	w.must(w.who(access.UnitLead, dept), main.ID, "review", pass)
	w.must(dispatcher, main.ID, "close", closePass)
	if got := w.load(child.ID); got.Status != ToCallback || got.Detail.Unit == nil {
		t.Fatalf("child: %s", got.Status)
	}
}

// said is the last text of a kind that was said about a ticket, in clear.
func (w *world) said(id int64, kind string) (text string) {
	w.t.Helper()
	t := w.load(id)
	err := w.s.DB.View(context.Background(), func(tx *db.Tx) error {
		texts, err := w.s.texts(tx, t, true)
		last := int64(0)
		for _, list := range texts {
			for _, x := range list {
				if x.Kind == kind && x.ID > last {
					last, text = x.ID, x.Text
				}
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// A ticket under a merged one is answered with both; one whose main ends
// without a unit's reply goes its own way again.
func TestMergedNeverStrand(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	dispatcher, dept := w.who(access.Dispatcher, "P420100"), "D420100-chengguan"
	other := func(phone string) Created { return w.create(func(n *Intake) { n.Requester.Phone = phone }) }
	main, child, grandchild := w.create(nil), other("13900001111"), other("13900002222")
	w.must(dispatcher, grandchild.ID, "merge", map[string]any{"main": id(child.ID)})
	w.must(dispatcher, child.ID, "merge", map[string]any{"main": id(main.ID)})
	w.must(dispatcher, main.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID)})
	w.must(w.who(access.Handler, dept), main.ID, "sign", nil)
	w.must(w.who(access.Handler, dept), main.ID, "contact", contacted)
	w.must(w.who(access.Handler, dept), main.ID, "reply", replyFields)
	w.must(w.who(access.UnitLead, dept), main.ID, "review", pass)
	w.must(dispatcher, main.ID, "close", closePass)
	for _, x := range []Created{child, grandchild} {
		if got := w.load(x.ID); got.Status != ToCallback || w.said(x.ID, "reply") != replyFields["reply_text"] {
			t.Errorf("child: %s, reply %q", got.Status, w.said(x.ID, "reply"))
		}
		w.checkInvariants(x.ID)
	}

	for name, fields := range map[string]map[string]any{
		"answer": {"answer_text": "可在线上办理。"}, "transfer": {"line": "12328"}, "redirect": {"redirect_kind": "petition", "text": "请向信访部门反映。"},
		"invalidate": {"invalid_reason": "test", "reason": "误操作登记"},
	} {
		main, child := w.create(nil), other("13900003333")
		w.must(dispatcher, child.ID, "merge", map[string]any{"main": id(main.ID)})
		due := w.load(child.ID).Clocks[0].Due
		w.must(dispatcher, main.ID, name, fields)
		got := w.load(child.ID)
		if got.Status != ToDispatch || got.Main != 0 || got.ClosedAt != 0 || !got.Clocks[0].Running() || got.Clocks[0].Due != due {
			t.Errorf("after %s of its main the child is %s", name, got.Status)
		}
		w.checkInvariants(child.ID)
	}
}

// What a 协办 says is for the 主办: also when it comes after the reply that
// was sent without it, the citizen's reply is the 主办's.
func TestAssistantsDoNotAnswerTheCitizen(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made, dept, helper := w.create(nil), "D420100-chengguan", "D420100-shuiwu"
	dispatcher := w.who(access.Dispatcher, "P420100")
	w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID), "assists": []any{id(w.units[helper].ID)}})
	w.must(w.who(access.Handler, dept), made.ID, "sign", nil)
	w.must(w.who(access.Handler, dept), made.ID, "contact", contacted)
	w.refuse("assist_open", w.who(access.Handler, dept), made.ID, "reply", replyFields)
	forced := maps.Clone(replyFields)
	forced["force_reason"] = "协办单位人员在外，情况已口头核实。"
	w.must(w.who(access.Handler, dept), made.ID, "reply", forced)
	w.must(w.who(access.Handler, helper), made.ID, "sign", nil)
	aside := maps.Clone(replyFields)
	aside["reply_text"], aside["public_text"] = "管网无异常，请主办单位统一答复。", "管网无异常。"
	w.must(w.who(access.Handler, helper), made.ID, "reply", aside)
	if got := w.said(made.ID, "reply"); got != replyFields["reply_text"] {
		t.Errorf("the citizen reads %q", got)
	}
	if w.said(made.ID, "public") != "" || w.said(made.ID, "assist_reply") != aside["reply_text"] {
		t.Error("the 协办's words are not its own")
	}
}

// Three vain calls at three times of the day end the calling; nobody is satisfied by them.
func TestCallbackAtDifferentTimes(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made, dept := w.create(nil), "D420100-chengguan"
	dispatcher, caller := w.who(access.Dispatcher, "P420100"), w.who(access.Callback, "P420100")
	w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID)})
	w.must(w.who(access.Handler, dept), made.ID, "sign", nil)
	w.must(w.who(access.Handler, dept), made.ID, "contact", contacted)
	w.must(w.who(access.Handler, dept), made.ID, "reply", replyFields)
	w.must(w.who(access.UnitLead, dept), made.ID, "review", pass)
	w.must(dispatcher, made.ID, "close", closePass)
	vain := map[string]any{"outcome": "no_answer"}
	for range 2 {
		w.must(caller, made.ID, "callback", vain)
		w.refuse("callback_too_soon", caller, made.ID, "callback", vain)
		c.Advance(callbackGap)
	}
	w.must(caller, made.ID, "callback", vain)
	got := w.load(made.ID)
	if got.Status != Closed || len(got.Detail.Callbacks) != 3 || got.Detail.Citizen.Satisfaction != 0 {
		t.Fatalf("%s after %d calls", got.Status, len(got.Detail.Callbacks))
	}
}
