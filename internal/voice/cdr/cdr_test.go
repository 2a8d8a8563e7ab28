package cdr

import (
	"context"
	"strings"
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
	"hotline/internal/ticket"
)

func schemas() []db.Schema {
	out := []db.Schema{eventlog.Schema("event"), policy.Schema(), org.Schema(), ticket.Schema(), Schema()}
	return append(out, audit.Schemas()...)
}

type world struct {
	*Service
	t     *testing.T
	d     *db.DB
	c     *clock.Virtual
	audit *audit.Log
	unit  map[string]int64
}

func newWorld(t *testing.T, d *db.DB, c *clock.Virtual) *world {
	t.Helper()
	c.Set(time.Date(2026, 11, 23, 10, 30, 0, 0, clock.Shanghai))
	ctx := context.Background()
	keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
	if err != nil {
		t.Fatal(err)
	}
	ring, log, p := seal.NewRing(keys), eventlog.New(d, "event"), policy.New(d)
	ticket.RegisterPolicies(p)
	o := org.New(d, log)
	w := &world{t: t, d: d, c: c, audit: audit.New(d), unit: map[string]int64{}}
	for _, err := range []error{p.Load(ctx), o.Load(ctx), o.CreateAll(ctx, org.By{}, []org.NewUnit{{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"}, {Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"},
		{Code: "P420200", Name: "黄石市12345平台", Kind: org.KindCity, Region: "420200", ParentCode: "P420000"}, {Code: "S420000-12366", Name: "12366分中心", Kind: org.KindSubcentre, Region: "420000", ParentCode: "P420000"}})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, u := range o.Tree().All() {
		w.unit[u.Code] = u.ID
	}
	w.Service = New(d, log, ring, o, ticket.New(ticket.Deps{DB: d, Log: log, Audit: w.audit, Ring: ring, Org: o, Policy: p}))
	return w
}

// put writes a finished call as flow does.
func (w *world) put(c Call) Call {
	w.t.Helper()
	c.ID = w.d.NewID()
	if c.Direction == "" {
		c.Direction = "in"
	}
	if err := w.Seal(&c); err != nil {
		w.t.Fatal(err)
	}
	err := w.d.Update(context.Background(), func(tx *db.Tx) error {
		if err := w.Save(tx, c); err != nil {
			return err
		}
		if err := w.SaveRecording(tx, Recording{Rec: itoa(c.ID) + "-1", Call: c.ID, Began: c.Began, Ms: 1000, SHA256: strings.Repeat("ab", 32), State: "ready"}); err != nil {
			return err
		}
		return w.TellEnd(tx, &c)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestNumbersInOneForm(t *testing.T) {
	for in, want := range map[string]string{"+8613871234567": "13871234567", "013871234567": "13871234567", "86 138 7123 4567": "13871234567", "02787654321": "02787654321", "110": "110", "anonymous": "", "00862787654321": "2787654321"} {
		if got := Plain(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if maskNumber("") != "未显示号码" || maskNumber("12345") != "12345" || maskNumber("13871234567") != "138****4567" {
		t.Error("masks")
	}
}

// A seat sees its own calls, a team and a platform theirs, the province all;
// the number is found by the whole number and stands nowhere in the clear.
func TestScopeAndLookUp(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		ctx := context.Background()
		began := clock.Millis(c.Now())
		wuhan, huangshi := w.unit["P420100"], w.unit["P420200"]
		one := w.put(Call{Line: "12345", Platform: wuhan, Unit: wuhan, Seat: 11, Number: "13871234567", Began: began, Queued: began, AnsweredAt: began + 4000, EndedAt: began + 64000, Result: Answered, Flags: []string{"repeat"}})
		w.put(Call{Line: "12345", Platform: huangshi, Unit: huangshi, Seat: 12, Number: "13900001111", Began: began + 1, Queued: began + 1, AnsweredAt: began + 20000, EndedAt: began + 90000, Result: Answered})
		w.put(Call{Line: "12366", Platform: w.unit["P420000"], Unit: w.unit["S420000-12366"], Seat: 13, Began: began + 2, Result: Abandoned, Queued: began + 2, EndedAt: began + 8000})
		actor := func(role access.Role, unit string, id int64) access.Actor {
			return access.Actor{Account: id, Role: role, Unit: w.unit[unit]}
		}
		for _, tc := range []struct {
			who  access.Actor
			want int
		}{
			{actor(access.Agent, "P420100", 11), 1}, {actor(access.Agent, "P420100", 99), 0}, {actor(access.ShiftLead, "P420100", 1), 1}, {actor(access.Inspector, "P420200", 2), 1}, {actor(access.BranchAgent, "S420000-12366", 13), 1},
			{actor(access.Province, "P420000", 3), 3}, {actor(access.SysAdmin, "P420000", 4), 0},
		} {
			list, _, _, err := w.List(ctx, tc.who, Filter{})
			if err != nil || len(list) != tc.want {
				t.Errorf("%s: %d calls, want %d; %v", tc.who.Role, len(list), tc.want, err)
			}
		}
		all := actor(access.Province, "P420000", 3)
		for _, tc := range []struct {
			f    Filter
			want int
		}{{Filter{Number: "+86 138-7123-4567"}, 1}, {Filter{Flag: "repeat"}, 1}, {Filter{Line: "12366"}, 1}, {Filter{Result: Answered}, 2}, {Filter{From: began + 1}, 2}, {Filter{Seat: 12}, 1}} {
			if list, _, _, err := w.List(ctx, all, tc.f); err != nil || len(list) != tc.want {
				t.Errorf("%+v: %d, want %d; %v", tc.f, len(list), tc.want, err)
			}
		}
		page, next, _, err := w.List(ctx, all, Filter{Limit: 2})
		if err != nil || len(page) != 2 || next == "" {
			t.Fatalf("first page: %d %q %v", len(page), next, err)
		}
		if rest, _, _, err := w.List(ctx, all, Filter{Limit: 2, Cursor: next}); err != nil || len(rest) != 1 || rest[0].ID != one.ID {
			t.Errorf("second page: %v %v", rest, err)
		}
		if _, err := w.Get(ctx, actor(access.ShiftLead, "P420200", 1), one.ID); !fault.Is(err, "call_absent") {
			t.Errorf("another city's call: %v", err)
		}
		clear := int64(0)
		if err := d.View(ctx, func(tx *db.Tx) (err error) {
			clear, err = db.Int(tx, `SELECT count(*) FROM event WHERE data LIKE '%13871234567%'`)
			return err
		}); err != nil || clear != 0 {
			t.Errorf("%d events hold the number; %v", clear, err)
		}
	})
}

// Who may hear a recording, and that it is in the audit first.
func TestListening(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	ctx := context.Background()
	wuhan := w.unit["P420100"]
	call := w.put(Call{Line: "12345", Platform: wuhan, Unit: wuhan, Seat: 11, Number: "13871234567", Began: clock.Millis(c.Now()), Result: Answered})
	for _, tc := range []struct {
		role access.Role
		unit string
		code string
	}{{access.ShiftLead, "P420100", ""}, {access.Inspector, "P420100", ""}, {access.Agent, "P420100", "role_forbidden"}, {access.ShiftLead, "P420200", "call_absent"}, {access.Province, "P420000", "role_forbidden"}} {
		_, err := w.MayListen(ctx, w.audit, access.Actor{Account: 11, Role: tc.role, Unit: w.unit[tc.unit]}, call.ID, "")
		if tc.code == "" && err != nil || tc.code != "" && !fault.Is(err, tc.code) {
			t.Errorf("%s of %s: %v", tc.role, tc.unit, err)
		}
	}
	var n int64
	_ = d.View(ctx, func(tx *db.Tx) (err error) {
		n, err = db.Int(tx, `SELECT count(*) FROM audit WHERE kind = 'call.play' AND subject_id = $1`, call.ID)
		return err
	})
	if n != 2 {
		t.Errorf("%d entries of the audit", n)
	}
}

// The figures: 15 s by line, both kinds of abandon, with and without exclusions;
// kept seats and sub-centres count like all others.
func TestFigures(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		ctx := context.Background()
		wuhan := w.unit["P420100"]
		at := clock.Millis(time.Date(2026, 11, 23, 9, 10, 0, 0, clock.Shanghai))
		in := func(line, result string, wait, talk int64, seat int64) {
			x := Call{Line: line, Platform: wuhan, Seat: seat, Unit: wuhan, Began: at, Queued: at, Result: result, EndedAt: at + wait + talk}
			if result == Answered || result == Forwarded {
				x.AnsweredAt = at + wait
			}
			w.put(x)
		}
		in("12345", Answered, 4_000, 60_000, 11)
		in("12345", Answered, 18_000, 100_000, 11)
		in("12345", Abandoned, 40_000, 0, 0)
		in("12345", Short, 3_000, 0, 0)
		in("12366", Forwarded, 12_000, 90_000, 0)
		w.put(Call{Line: "12345", Platform: wuhan, Seat: 11, Unit: wuhan, Began: at, Queued: at, EndedAt: at + 50_000, Result: Abandoned, Flags: []string{FlagTest}}) // 拨测
		w.put(Call{Line: "12336", Platform: wuhan, Began: at, EndedAt: at + 12_000, Result: Announced})
		w.put(Call{Direction: "out", Line: "12345", Platform: wuhan, Seat: 11, Unit: wuhan, Began: at, AnsweredAt: at + 9_000, EndedAt: at + 30_000, Result: Answered})
		if _, err := w.Log.SealNow(ctx); err != nil {
			t.Fatal(err)
		}
		if n, err := w.CatchUp(ctx); err != nil || n == 0 {
			t.Fatal(n, err)
		}
		if n, _ := w.CatchUp(ctx); n != 0 {
			t.Errorf("counted twice: %d", n)
		}
		rows, total, err := w.Ask(ctx, Share{Platforms: w.Platforms(w.unit["P420000"])}, Question{By: ByLine, From: 20261123, To: 20261123})
		if err != nil || len(rows) != 3 {
			t.Fatalf("%+v %v", rows, err)
		}
		f := total.Figures
		if f.Offered != 6 || f.Queued != 5 || f.Answered != 3 || f.In15 != 2 || f.In20 != 3 || f.Abandoned != 2 || f.Short != 1 || f.Outbound != 1 || f.Reached != 1 {
			t.Errorf("total %+v", f)
		}
		// Behind each number stand as many calls.
		lead := access.Actor{Account: 12, Role: access.ShiftLead, Unit: wuhan}
		for set, want := range map[string]int64{SetOffered: f.Offered, SetQueued: f.Queued, SetAnswered: f.Answered, SetIn15: f.In15, SetLate: f.Answered - f.In15, SetMissed: f.Queued - f.Answered, SetAbandoned: f.Abandoned, SetShort: f.Short, SetSurveyed: 0} {
			list, _, n, err := w.List(ctx, lead, Filter{Set: set})
			if err != nil || n != want || int64(len(list)) != want {
				t.Errorf("%s: %d calls, %d counted, want %d: %v", set, len(list), n, want, err)
			}
			if _, _, n, err := w.List(ctx, lead, Filter{Set: set, Hour: 9 + 1, Limit: 1}); err != nil || n != want {
				t.Errorf("%s between 9 and 10: %d, want %d: %v", set, n, want, err)
			}
			if _, _, n, err := w.List(ctx, lead, Filter{Set: set, Hour: 10 + 1}); err != nil || n != 0 {
				t.Errorf("%s between 10 and 11: %d: %v", set, n, err)
			}
		}
		if _, _, _, err := w.List(ctx, lead, Filter{Set: "x"}); !fault.Is(err, "set_unknown") {
			t.Error(err)
		}
		if _, tests, err := w.Ask(ctx, Share{Platforms: []int64{wuhan}}, Question{By: ByTest, From: 20261123, To: 20261123}); err != nil || tests.Offered != 1 {
			t.Errorf("拨测: %+v %v", tests.Figures, err)
		}
		if rows, total, err := w.Ask(ctx, Share{Platforms: []int64{wuhan}}, Question{By: ByLine, From: 20261123, To: 20261123, Line: "12366"}); err != nil || len(rows) != 1 || total.Answered != 1 {
			t.Errorf("one line: %+v %v", rows, err)
		}
		near := func(name string, got *float64, want float64) {
			t.Helper()
			if got == nil || *got < want-0.01 || *got > want+0.01 {
				t.Errorf("%s: %v, want %.2f", name, got, want)
			}
		}
		r := total.Rates
		near("接通率", r.Connect, 60)
		near("15秒接通率", r.In15, 66.67)
		near("15秒÷转人工", r.In15Offered, 40)
		near("呼损率", r.Abandon, 40)
		near("不计短放弃", r.AbandonLong, 25)
		near("平均等待", r.Wait, 34.0/3)
		if _, err := w.Exclude(ctx, Exclusion{Platform: wuhan, From: clock.Millis(time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Shanghai)), To: clock.Millis(time.Date(2026, 11, 23, 10, 0, 0, 0, clock.Shanghai)), Reason: "运营商线路中断一小时"}); err != nil {
			t.Fatal(err)
		}
		hours, total, err := w.Ask(ctx, Share{Platforms: []int64{wuhan}}, Question{By: ByHour, From: 20261123, To: 20261123})
		if err != nil || len(hours) != 1 || hours[0].Key != "09" {
			t.Fatalf("%+v %v", hours, err)
		}
		near("剔除后", total.Rates.ConnectExcluded, 100)
		near("原始", total.Rates.Connect, 60)
		if equal, err := w.Recount(ctx); err != nil || !equal {
			t.Errorf("recount: %v %v", equal, err)
		}
		if rows, total, err := w.Ask(ctx, Share{Platforms: w.Platforms(w.unit["P420000"])}, Question{By: ByPlatform, From: 20261123, To: 20261123, Line: "12366"}); err != nil || len(rows) != 1 || rows[0].Key != itoa(wuhan) || total.Answered != 1 {
			t.Errorf("12366 by city: %+v %v", rows, err)
		}
		if _, tests, err := w.Ask(ctx, Share{Platforms: []int64{wuhan}}, Question{By: ByTest, From: 20261123, To: 20261123, Line: "12333"}); err != nil || tests.Offered != 0 {
			t.Errorf("tests of 12333: %+v %v", tests, err)
		}
		if _, _, err := w.Ask(ctx, Share{Platforms: []int64{wuhan}}, Question{By: BySkill, From: 20261123, To: 20261123, Line: "12366"}); !fault.Is(err, "question_line") {
			t.Errorf("skills of a line: %v", err)
		}
		if _, _, err := w.Ask(ctx, Share{Platforms: []int64{wuhan}}, Question{By: "x", From: 1, To: 2}); !fault.Is(err, "question_invalid") {
			t.Error(err)
		}
	})
}

// A sub-centre's lead sees behind each figure as many calls as it says: those
// that his people took and those of his line that nobody took, and no others.
func TestFiguresOfASubcentre(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		ctx := context.Background()
		wuhan, centre := w.unit["P420100"], w.unit["S420000-12366"]
		w.LinesOf = func(code string) []string { return map[string][]string{"S420000-12366": {"12366"}}[code] }
		at := clock.Millis(time.Date(2026, 11, 23, 9, 10, 0, 0, clock.Shanghai))
		in := func(line, result string, unit, seat, wait int64, flags ...string) {
			x := Call{Line: line, Skill: "线路" + line, Platform: wuhan, Seat: seat, Unit: unit, Began: at, Queued: at, Result: result, EndedAt: at + wait + 60_000, Flags: flags}
			if result == Answered {
				x.AnsweredAt = at + wait
			}
			w.put(x)
		}
		in("12366", Answered, centre, 31, 4_000)
		in("12366", Answered, centre, 31, 18_000)
		in("12366", Abandoned, 0, 0, 40_000)
		in("12366", Answered, wuhan, 11, 5_000) // taken by a seat of the city
		in("12345", Answered, wuhan, 11, 5_000)
		in("12345", Abandoned, 0, 0, 40_000)
		in("12366", Answered, centre, 31, 1_000, FlagTest)
		if _, err := w.Log.SealNow(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		lead := access.Actor{Account: 32, Role: access.ShiftLead, Unit: centre}
		today, err := w.Today(ctx, centre)
		if err != nil || today.Offered != 3 || today.Answered != 2 || today.In15 != 1 || today.Abandoned != 1 {
			t.Errorf("today %+v %v", today, err)
		}
		for _, by := range []string{ByPlatform, ByLine, BySkill, ByHour, ByDay} {
			if rows, total, err := w.Ask(ctx, w.ShareOf(lead), Question{By: by, From: 20261123, To: 20261123}); err != nil || len(rows) != 1 || total.Figures != today {
				t.Errorf("by %s: %+v %v", by, rows, err)
			}
		}
		if _, tests, err := w.Ask(ctx, w.ShareOf(lead), Question{By: ByTest, From: 20261123, To: 20261123}); err != nil || tests.Offered != 1 {
			t.Errorf("拨测 %+v %v", tests, err)
		}
		for set, want := range map[string]int64{SetOffered: 3, SetQueued: 3, SetAnswered: 2, SetIn15: 1, SetLate: 1, SetMissed: 1, SetAbandoned: 1} {
			if list, _, n, err := w.List(ctx, lead, Filter{Set: set}); err != nil || n != want || int64(len(list)) != want {
				t.Errorf("%s: %d of %d, want %d: %v", set, len(list), n, want, err)
			}
		}
		if all, _, _, err := w.List(ctx, lead, Filter{}); err != nil || len(all) != 4 {
			t.Errorf("%d calls %v", len(all), err)
		}
		if _, err := w.Transfers(ctx, lead, 0, at*2, ""); err != nil {
			t.Error(err)
		}
		if _, err := w.Holds(ctx, lead, true); err != nil {
			t.Error(err)
		}
	})
}

// A maker's exchange may tell the two answers of one caller apart: it is one verdict.
func TestVerdictInTwoPartsIsOne(t *testing.T) {
	cells, err := cellsOf([]eventlog.Event{
		{SubjectKind: "call", Kind: EventSurvey, Data: `{"p":1,"line":"12345","score":4}`},
		{SubjectKind: "call", Kind: EventSurvey, Data: `{"p":1,"line":"12345","score":4,"solved":"yes","was":4,"was_solved":""}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Figures{Surveyed: 1, Score: 4, Satisfied: 1, Solved: 1}
	for k, f := range cells {
		if *f != want {
			t.Errorf("%+v: %+v", k, *f)
		}
	}
}
