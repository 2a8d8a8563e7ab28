package workforce

import (
	"context"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/seal"
)

func world(t *testing.T, d *db.DB, c *clock.Virtual) (*Service, int64, int64) {
	t.Helper()
	c.Set(time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Shanghai))
	ctx := context.Background()
	log := eventlog.New(d, "event")
	o := org.New(d, log)
	if err := o.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if err := o.CreateAll(ctx, org.By{}, []org.NewUnit{{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"}, {Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"},
		{Code: "S420000-12366", Name: "12366分中心", Kind: org.KindSubcentre, Region: "420000", ParentCode: "P420000"}}); err != nil {
		t.Fatal(err)
	}
	u, _ := o.Tree().ByCode("P420100")
	b, _ := o.Tree().ByCode("S420000-12366")
	keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
	if err != nil {
		t.Fatal(err)
	}
	return New(d, log, o, seal.NewRing(keys)), u.ID, b.ID
}

func schemas() []db.Schema { return []db.Schema{eventlog.Schema("event"), org.Schema(), Schema()} }

func at(day, hour, minute int) int64 {
	return clock.Millis(time.Date(2026, 12, day, hour, minute, 0, 0, clock.Shanghai))
}

func TestRosterWithoutGapsOnly(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s, unit, _ := world(t, d, c)
		ctx := context.Background()
		r := Roster{Unit: unit, From: 20261201, To: 20261202, Shifts: []Shift{
			{Account: 1, From: at(1, 0, 0), To: at(1, 8, 0)}, {Account: 2, From: at(1, 8, 0), To: at(1, 16, 10)}, {Account: 3, From: at(1, 16, 30), To: at(1, 24, 0)},
			{Account: 1, From: at(2, 0, 0), To: at(2, 12, 0)}, {Account: 2, From: at(2, 12, 0), To: at(2, 24, 0)},
		}}
		r, err := s.Save(ctx, 9, r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Publish(ctx, 9, unit, r.ID)
		if !fault.Is(err, "roster_gaps") {
			t.Fatalf("published with a gap: %v", err)
		}
		gaps := fault.As(err).Data.([]Gap)
		if len(gaps) != 1 || gaps[0].From != at(1, 16, 0) || gaps[0].To != at(1, 16, 30) || gaps[0].Text != "12月1日16:00至12月1日16:30无人在岗" {
			t.Fatalf("gaps %+v", gaps)
		}
		r.Shifts[2].From = at(1, 16, 10)
		if r, err = s.Save(ctx, 9, r); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Publish(ctx, 9, unit+1, r.ID); !fault.Is(err, "roster_absent") {
			t.Errorf("another centre's: %v", err)
		}
		if _, err := s.Publish(ctx, 9, unit, r.ID); err != nil {
			t.Fatal(err)
		}
		r.Shifts = nil
		if _, err := s.Save(ctx, 9, r); !fault.Is(err, "roster_published") {
			t.Errorf("changed after publishing: %v", err)
		}
		c.Set(time.Date(2026, 12, 1, 9, 0, 0, 0, clock.Shanghai))
		on, err := s.OnShift(ctx, unit, c.Now())
		if err != nil || len(on) != 1 || on[0].Account != 2 {
			t.Fatalf("on duty at nine: %+v %v", on, err)
		}

		// 换班: the one who takes over must be free.
		list, err := s.Get(ctx, unit, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		late := list.Shifts[2]
		w, err := s.AskSwap(ctx, 3, late.ID, 4, "家中有事")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.AskSwap(ctx, 2, late.ID, 4, "不是我的班"); !fault.Is(err, "shift_absent") {
			t.Errorf("somebody else's shift: %v", err)
		}
		if got, err := s.Swaps(ctx, unit); err != nil || len(got) != 1 {
			t.Fatalf("%v %v", got, err)
		}
		if _, err := s.AskSwap(ctx, 3, late.ID, 2, "再申请一次"); !fault.Is(err, "swap_pending") {
			t.Errorf("a second wish for the shift: %v", err)
		}
		if err := s.DecideSwap(ctx, 9, unit, w.ID, true); !fault.Is(err, "swap_unaccepted") {
			t.Errorf("the colleague has not answered: %v", err)
		}
		if err := s.AnswerSwap(ctx, 3, w.ID, true); !fault.Is(err, "swap_absent") {
			t.Errorf("answered by who asks: %v", err)
		}
		if err := s.AnswerSwap(ctx, 4, w.ID, true); err != nil {
			t.Fatal(err)
		}
		if err := s.DecideSwap(ctx, 9, unit, w.ID, true); err != nil {
			t.Fatal(err)
		}
		list, _ = s.Get(ctx, unit, r.ID)
		if list.Shifts[2].Account != 4 {
			t.Errorf("the shift is %+v", list.Shifts[2])
		}
		if w, err = s.AskSwap(ctx, 4, late.ID, 3, "换回去"); err != nil {
			t.Fatal(err)
		}
		skill(t, d, late.ID, "line:12366")
		if err := s.AnswerSwap(ctx, 3, w.ID, true); !fault.Is(err, "shift_skill") {
			t.Errorf("without the certificate that the shift asks for: %v", err)
		}
		skill(t, d, late.ID, "")
		c.Set(clock.FromMillis(late.From).Add(time.Minute))
		if err := s.AnswerSwap(ctx, 3, w.ID, true); !fault.Is(err, "shift_begun") {
			t.Errorf("a shift that has begun: %v", err)
		}
		w, err = s.AskSwap(ctx, 4, late.ID, 4, "换给自己")
		if !fault.Is(err, "swap_invalid") {
			t.Errorf("with oneself: %v", err)
		}
	})
}

func skill(t *testing.T, d *db.DB, shift int64, name string) {
	t.Helper()
	if err := d.Update(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE roster_shift SET skill = $1 WHERE id = $2`, name, shift)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A night shift that began the evening before covers the first hours of the week after.
func TestNightRunsIntoTheNextRoster(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	s, unit, _ := world(t, d, c)
	ctx := context.Background()
	first := Roster{Unit: unit, From: 20261201, To: 20261201, Shifts: []Shift{
		{Account: 1, From: at(1, 0, 0), To: at(1, 7, 0)}, {Account: 2, From: at(1, 7, 0), To: at(1, 15, 0)}, {Account: 3, From: at(1, 15, 0), To: at(1, 23, 0)}, {Account: 1, From: at(1, 23, 0), To: at(2, 7, 0)}}}
	first, err := s.Save(ctx, 9, first)
	if err != nil {
		t.Fatal(err)
	}
	next := Roster{Unit: unit, From: 20261202, To: 20261202, Shifts: []Shift{
		{Account: 2, From: at(2, 7, 0), To: at(2, 15, 0)}, {Account: 3, From: at(2, 15, 0), To: at(2, 23, 0)}, {Account: 1, From: at(2, 23, 0), To: at(3, 7, 0)}}}
	next, err = s.Save(ctx, 9, next)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Publish(ctx, 9, unit, next.ID); !fault.Is(err, "roster_gaps") {
		t.Fatalf("the night before is a draft yet: %v", err)
	}
	if _, err := s.Publish(ctx, 9, unit, first.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(ctx, unit, next.ID); err != nil || len(got.Gaps()) != 0 || len(got.Shifts) != 3 {
		t.Fatalf("%+v %v", got.Gaps(), err)
	}
	if _, err := s.Publish(ctx, 9, unit, next.ID); err != nil {
		t.Fatal(err)
	}
}

// A draft can be thrown away, by its centre alone; what was published stays.
func TestDraftIsDropped(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	s, unit, other := world(t, d, c)
	ctx := context.Background()
	day := func(n int) []Shift {
		return []Shift{{Account: 1, From: at(n, 0, 0), To: at(n, 8, 0)}, {Account: 2, From: at(n, 8, 0), To: at(n, 16, 0)}, {Account: 3, From: at(n, 16, 0), To: at(n+1, 0, 0)}}
	}
	draft, err := s.Save(ctx, 9, Roster{Unit: unit, From: 20261201, To: 20261201, Shifts: day(1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(ctx, other, draft.ID); !fault.Is(err, "roster_absent") {
		t.Errorf("another centre: %v", err)
	}
	if err := s.Drop(ctx, unit, draft.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, unit, draft.ID); !fault.Is(err, "roster_absent") {
		t.Errorf("it is still there: %v", err)
	}
	if err := s.Drop(ctx, unit, draft.ID); !fault.Is(err, "roster_absent") {
		t.Errorf("twice: %v", err)
	}
	kept, err := s.Save(ctx, 9, Roster{Unit: unit, From: 20261202, To: 20261202, Shifts: day(2)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Publish(ctx, 9, unit, kept.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(ctx, unit, kept.ID); !fault.Is(err, "roster_published") {
		t.Errorf("one in force: %v", err)
	}
}

func TestRosterRefusals(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	s, unit, _ := world(t, d, c)
	for code, r := range map[string]Roster{
		"roster_days":   {From: 20261201, To: 20261130},
		"shift_invalid": {From: 20261201, To: 20261201, Shifts: []Shift{{Account: 1, From: at(1, 0, 0), To: at(1, 13, 0)}}},
		"shift_overlap": {From: 20261201, To: 20261201, Shifts: []Shift{{Account: 1, From: at(1, 0, 0), To: at(1, 8, 0)}, {Account: 1, From: at(1, 7, 0), To: at(1, 9, 0)}}},
	} {
		r.Unit = unit
		if _, err := s.Save(context.Background(), 1, r); !fault.Is(err, code) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// A skill is open while its certificate holds, and people of a sub-centre serve
// its line.
func TestCertificatesOpenSkills(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	s, unit, branch := world(t, d, c)
	ctx := context.Background()
	a := access.Actor{Account: 7, Role: access.Agent, Unit: unit}
	p, err := s.Person(ctx, a)
	if err != nil || p.No != "1001" || p.Skills["line:12333"] != 0 {
		t.Fatalf("%+v %v", p, err)
	}
	if p, _ := s.Person(ctx, access.Actor{Account: 8, Role: access.Agent, Unit: unit}); p.No != "1002" {
		t.Errorf("the second number is %s", p.No)
	}
	if p, _ := s.Person(ctx, access.Actor{Account: 9, Role: access.BranchAgent, Unit: branch}); p.Skills["line:12366"] != 100 || p.No != "1001" {
		t.Errorf("sub-centre: %+v", p)
	}
	cert, err := s.Certify(ctx, 1, Certificate{Account: 7, Skill: "line:12333", Level: 70, Expires: clock.Millis(c.Now().AddDate(1, 0, 0))})
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := s.Person(ctx, a); p.Skills["line:12333"] != 70 {
		t.Errorf("certified: %+v", p.Skills)
	}
	c.Advance(366 * 24 * time.Hour)
	if p, _ := s.Person(ctx, a); p.Skills["line:12333"] != 0 {
		t.Error("an expired certificate opens the skill")
	}
	if err := s.Revoke(ctx, 1, cert.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Revoke(ctx, 1, cert.ID); !fault.Is(err, "certificate_absent") {
		t.Errorf("revoked twice: %v", err)
	}
	if _, err := s.Certify(ctx, 1, Certificate{Account: 7, Skill: "role:lead", Level: 70, Expires: clock.Millis(c.Now().AddDate(1, 0, 0))}); !fault.Is(err, "skill_unknown") {
		t.Errorf("a role by certificate: %v", err)
	}
}
