package org

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
)

var schemas = []db.Schema{eventlog.Schema("event"), Schema()}

var ctx = context.Background()

func newService(t testing.TB, d *db.DB) *Service {
	t.Helper()
	s := New(d, eventlog.New(d, "event"))
	if err := s.Load(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func seeded(t testing.TB, d *db.DB) *Service {
	t.Helper()
	s := newService(t, d)
	if err := s.CreateAll(ctx, By{}, Province(ProvinceOptions{Cities: []string{"420200", "429004"}})); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLifeOfAUnit(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s := seeded(t, d)
		begin := c.Now()
		city, _ := s.Tree().ByCode("P420200")
		u, err := s.Create(ctx, By{Account: 9}, NewUnit{Code: "D420200-zhenfa", Name: "黄石市镇发局", Kind: KindDepartment, Parent: city.ID, Region: "420200",
			Duty: "zhenfa", Duties: []string{"010101"}})
		if err != nil {
			t.Fatal(err)
		}
		if u.Platform != city.ID || len(s.Tree().FindByDuty("010101", "420222")) != 1 {
			t.Errorf("created: %+v", u)
		}

		c.Advance(time.Hour)
		name := "黄石市振发局"
		if u, err = s.Update(ctx, By{Account: 9}, u.ID, Change{Name: &name, Version: u.Version}); err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Tree().Get(u.ID); got.Name != name {
			t.Errorf("renamed: %+v", got)
		}
		if old, _ := s.TreeAt(begin.Add(time.Minute)).Get(u.ID); old.Name != "黄石市镇发局" {
			t.Errorf("last month's name: %s", old.Name)
		}
		if _, err := s.Update(ctx, By{Account: 9}, u.ID, Change{Name: &name, Version: 1}); !fault.Is(err, "unit_changed") {
			t.Errorf("stale edit: %v", err)
		}

		// A change dated ahead takes effect when its day comes.
		later := "黄石市发展局"
		if _, err := s.Update(ctx, By{Account: 9}, u.ID, Change{Name: &later, From: c.Now().Add(24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Tree().Get(u.ID); got.Name != name {
			t.Errorf("too early: %s", got.Name)
		}
		if _, err := s.Update(ctx, By{Account: 9}, u.ID, Change{Name: &name}); !fault.Is(err, "unit_change_pending") {
			t.Errorf("second change before the first: %v", err)
		}
		c.Advance(25 * time.Hour)
		if err := s.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Tree().Get(u.ID); got.Name != later {
			t.Errorf("its day came: %s", got.Name)
		}

		// A second process follows.
		other := newService(t, d)
		prov := s.Tree().Province()
		if _, err := s.Move(ctx, By{Account: 9}, u.ID, city.ID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Move(ctx, By{Account: 9}, city.ID, u.ID, time.Time{}); !fault.Is(err, "unit_parent_cycle") {
			t.Errorf("cycle: %v", err)
		}
		if err := s.Close(ctx, By{Account: 9}, prov.ID, time.Time{}); !fault.Is(err, "unit_has_children") {
			t.Errorf("closing the province: %v", err)
		}
		c.Advance(time.Minute)
		if err := s.Close(ctx, By{Account: 9}, u.ID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := other.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		for name, x := range map[string]*Service{"own": s, "other": other} {
			got, ok := x.Tree().Get(u.ID)
			if !ok || got.Active || got.Name != later || len(x.Tree().FindByDuty("zhenfa", "420200")) != 0 {
				t.Errorf("%s: closed units stay readable and get nothing: %+v", name, got)
			}
		}
		if _, err := s.Create(ctx, By{Account: 9}, NewUnit{Code: "D420200-zhenfa", Name: "新局", Kind: KindDepartment, Parent: city.ID, Region: "420200"}); err != nil {
			t.Errorf("the code of a closed unit may be used again: %v", err)
		}
		if _, err := other.Create(ctx, By{Account: 9}, NewUnit{Code: "D420200-zhenfa", Name: "又一局", Kind: KindDepartment, Parent: city.ID, Region: "420200"}); !fault.Is(err, "unit_code_taken") {
			t.Errorf("another process must not take it too: %v", err)
		}

		var kinds []string
		if err := d.View(ctx, func(tx *db.Tx) error {
			evs, err := eventlog.New(d, "event").BySubject(tx, "unit", u.ID)
			for _, e := range evs {
				kinds = append(kinds, e.Kind)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(kinds, " "); got != "org.created org.updated org.updated org.moved org.closed" {
			t.Errorf("events: %s", got)
		}
	})
}

func TestCountyPlatformNeedsTheProvince(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s := seeded(t, d)
		attempt := func(kind Kind, a *ProvinceApproval) error {
			_, err := s.Create(ctx, By{Account: 9}, NewUnit{Code: "P420222", Name: "阳新县12345热线平台", Kind: kind, ParentCode: "P420200", Region: "420222", ProvinceApproval: a})
			return err
		}
		approval := &ProvinceApproval{Account: 7, Document: "鄂政办函〔2026〕1号"}
		for _, tc := range []struct {
			name     string
			kind     Kind
			a        *ProvinceApproval
			approver func(*db.Tx, int64) (bool, error)
		}{
			{"没有批准", KindCountyPlatform, nil, nil},
			{"冒充市州平台", KindCity, nil, nil},
			{"无人核验批准人", KindCountyPlatform, approval, nil},
			{"批准人不是省级", KindCountyPlatform, approval, func(*db.Tx, int64) (bool, error) { return false, nil }},
			{"没有文号", KindCountyPlatform, &ProvinceApproval{Account: 7}, func(*db.Tx, int64) (bool, error) { return true, nil }},
		} {
			s.Approver = tc.approver
			if err := attempt(tc.kind, tc.a); !fault.Is(err, "county_platform_refused") || !strings.Contains(err.Error(), "三（九）") {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
		// Naming a hub as a platform is the same attempt.
		if _, err := s.Create(ctx, By{Account: 9}, NewUnit{Code: "C420223", Name: "某县12345平台", Kind: KindCounty, ParentCode: "P420200", Region: "420222"}); !fault.Is(err, "county_platform_refused") {
			t.Errorf("in disguise: %v", err)
		}
		hub, _ := s.Tree().ByCode("C420222")
		name := "阳新县12345热线平台"
		if _, err := s.Update(ctx, By{Account: 9}, hub.ID, Change{Name: &name}); !fault.Is(err, "county_platform_refused") {
			t.Errorf("by renaming: %v", err)
		}
		s.Approver = func(_ *db.Tx, account int64) (bool, error) { return account == 7, nil }
		if err := attempt(KindCountyPlatform, approval); err != nil {
			t.Fatalf("approved: %v", err)
		}
		if u, _ := s.Tree().ByCode("P420222"); u.Kind != KindCountyPlatform || s.Tree().Platform(u.ID).ID != u.ID {
			t.Errorf("%+v", u)
		}
	})
}

func TestWholeProvinceIsQuick(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		wall := clock.System()
		s := newService(t, d)
		units := Province(ProvinceOptions{})
		start := wall.Now()
		if err := s.CreateAll(ctx, By{}, units); err != nil {
			t.Fatal(err)
		}
		created := clock.Since(wall, start)
		start = wall.Now()
		other := newService(t, d)
		loaded := clock.Since(wall, start)
		t.Logf("%d units: created in %v, loaded in %v", len(units), created, loaded)
		if len(other.Tree().All()) != len(units) {
			t.Errorf("%d of %d units", len(other.Tree().All()), len(units))
		}
		// The bars are 3 s and 0.3 s; three times that allows for a loaded machine.
		if created > 9*time.Second || loaded > 900*time.Millisecond {
			t.Errorf("too slow: %v, %v", created, loaded)
		}
	})
}

// Every wrong cell is named by its line in the file and its column; the line is
// left out whole.
func TestImportNamesEveryWrongCell(t *testing.T) {
	d, _ := dbtest.SQLite(t, schemas...)
	s := seeded(t, d)
	rows, err := ReadRows([]byte("单位编码,单位名称,简称,类型,上级编码,区划代码,职责代码,其他职责代码,职责,电话,联络员\n" +
		"\n" +
		"D420200-p,黄石市平安办,,部门,P420200,420200,p,,\"两行\n职责\",,\n" +
		"坏 编码,,,部门,P420200,999999,,,," + strings.Repeat("1", 41) + ",\n" +
		",,,,,,,,,,张三\n" +
		"D420200-q,黄石市无上级局,,部门,P999999,420200,,,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := s.Import(ctx, By{Account: 9}, rows, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range rep.Errors {
		got = append(got, fmt.Sprintf("%d%s", e.Line, e.Column))
	}
	want := []string{"5单位编码", "5单位名称", "5电话", "5区划代码", "6类型", "6单位编码", "6单位名称", "6区划代码", "7上级编码"}
	if rep.Created != 1 || !slices.Equal(got, want) {
		t.Errorf("created %d, %v", rep.Created, got)
	}
	if u, _ := s.Tree().ByCode("D420200-p"); u.Responsibilities != "两行\n职责" {
		t.Errorf("%+v", u)
	}
}

func TestImport(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s := seeded(t, d)
		raw := "\ufeff单位编码,单位名称,简称,类型,上级编码,区划代码,职责代码,其他职责代码,职责,电话,联络员\n" +
			"D420200-b,黄石市乙科,乙科,部门,D420200-a,420200,b,010101、010102,内设科室,0714-1,张三\n" + // before its parent
			"D420200-a,黄石市甲局,甲局,部门,P420200,420200,a,,职责甲,0714-2,李四\n" +
			"D420200-c,黄石市丙局,,衙门,P420200,420200,c,,,,\n" +
			"D420200-a,黄石市甲局,甲局,部门,P420200,420200,a,,,,\n" +
			"P420281,大冶市平台,,县级平台,P420200,420281,,,,,\n" +
			"D420100-x,武汉某局,,部门,P420200,420100,,,,,\n"
		rows, err := ReadRows([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		rep, err := s.Import(ctx, By{Account: 9}, rows, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		var lines []int
		for _, e := range rep.Errors {
			lines = append(lines, e.Line)
		}
		if rep.Created != 2 || rep.Updated != 0 || len(lines) != 4 || lines[0] != 4 || lines[1] != 5 || lines[2] != 6 || lines[3] != 7 {
			t.Errorf("first: %+v", rep)
		}
		before, _ := s.log.Head(ctx)
		rep, err = s.Import(ctx, By{Account: 9}, rows[:2], time.Time{})
		if err != nil || rep.Created+rep.Updated != 0 || rep.Unchanged != 2 {
			t.Errorf("twice is no change: %+v %v", rep, err)
		}
		if _, err := s.log.SealNow(ctx); err != nil {
			t.Fatal(err)
		}
		after, _ := s.log.Head(ctx)
		if after-before > 2 { // the seed's and the first import's
			t.Errorf("an import without change left an event: %d", after-before)
		}
		c.Advance(time.Second)
		rows[1].Unit.Phone = "0714-9"
		rep, err = s.Import(ctx, By{Account: 9}, rows[:2], time.Time{})
		if u, _ := s.Tree().ByCode("D420200-a"); err != nil || rep.Updated != 1 || u.Phone != "0714-9" {
			t.Errorf("an edit: %+v %v %+v", rep, err, u)
		}

		// From a day to come: seen first, taken, and no change a second time.
		day := c.Now().Add(48 * time.Hour)
		rows[0].Unit.Contact = "王五"
		rows = append(rows[:2], Row{Line: 9, Unit: NewUnit{Code: "D420200-d", Name: "黄石市丁局", Kind: KindDepartment, ParentCode: "P420200", Region: "420200"}})
		want := []LineChange{{2, "D420200-b", "“黄石市乙科”：联络员由“张三”改为“王五”"}, {9, "D420200-d", "新增部门“黄石市丁局”"}}
		for _, step := range []func(context.Context, By, []Row, time.Time) (ImportReport, error){s.Preview, s.Preview, s.Import} {
			if rep, err := step(ctx, By{Account: 9}, rows, day); err != nil || rep.Created != 1 || rep.Updated != 1 || rep.Unchanged != 1 || !slices.Equal(rep.Changes, want) {
				t.Errorf("%+v %v", rep, err)
			}
		}
		if rep, err := s.Import(ctx, By{Account: 9}, rows, day); err != nil || rep.Unchanged != 3 || len(rep.Errors) != 0 {
			t.Errorf("twice from a day to come: %+v %v", rep, err)
		}
		if u, ok := s.Tree().ByCode("D420200-b"); u.Contact != "张三" {
			t.Errorf("before its day: %+v %v", u, ok)
		}
		if u, ok := s.TreeAt(day).ByCode("D420200-d"); !ok || u.Name != "黄石市丁局" {
			t.Errorf("on its day: %+v", u)
		}
		if rep, err := s.Import(ctx, By{Account: 9}, rows, time.Time{}); err != nil || len(rep.Errors) != 2 {
			t.Errorf("at once, over what is set for a day to come: %+v %v", rep, err)
		}
		if _, err := s.Import(ctx, By{Account: 9}, rows, c.Now().Add(-time.Hour)); fault.As(err).Code != "unit_backdated" {
			t.Errorf("back in time: %v", err)
		}
	})
}

func TestReadRowsRefuses(t *testing.T) {
	for name, raw := range map[string]string{"空文件": "", "缺列": "单位编码,单位名称\nD,局\n", "不是表格": "a,\"b\n"} {
		if _, err := ReadRows([]byte(raw)); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConcurrentWriters(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, _ *clock.Virtual) {
		a, b := seeded(t, d), newService(t, d) // two processes on one database
		errs := make(chan error, 16)
		for i := range 16 {
			s := a
			if i%2 == 1 {
				s = b
			}
			go func() {
				_, err := s.Create(ctx, By{Account: 9}, NewUnit{Code: "D420200-x" + itoa(i), Name: "局" + itoa(i), Kind: KindDepartment, ParentCode: "P420200", Region: "420200"})
				errs <- err
			}()
		}
		for range 16 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if err := a.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		for i := range 16 {
			if _, ok := a.Tree().ByCode("D420200-x" + itoa(i)); !ok {
				t.Errorf("unit %d is lost", i)
			}
		}
	})
}
