package line

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/policy"
)

func schemas() []db.Schema {
	out := []db.Schema{eventlog.Schema("event"), policy.Schema(), org.Schema(), Schema()}
	return append(out, audit.Schemas()...)
}

func service(t *testing.T, d *db.DB, c *clock.Virtual) (*Service, func(id int64, r access.Role, unit string) access.Actor) {
	t.Helper()
	c.Set(time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Shanghai))
	ctx := context.Background()
	p, log := policy.New(d), eventlog.New(d, "event")
	RegisterPolicies(p)
	o := org.New(d, log)
	for _, err := range []error{p.Load(ctx), o.Load(ctx), o.CreateAll(ctx, org.By{}, []org.NewUnit{
		{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"},
		{Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"},
	})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return NewService(d, log, audit.New(d), p, o), func(id int64, r access.Role, unit string) access.Actor {
		u, _ := o.Tree().ByCode(unit)
		return access.Actor{Account: id, Role: r, Unit: u.ID, Platform: o.Tree().Platform(u.ID).ID}
	}
}

func TestNationalListIsValid(t *testing.T) {
	if err := Validate(Default(), nil); err != nil {
		t.Fatal(err)
	}
	if err := ValidateTargets(DefaultTargets(), nil); err != nil {
		t.Fatal(err)
	}
	lines, _ := Parse(Default())
	if len(lines) < 33 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		if l.Confidence == "" {
			t.Errorf("%s: how sure?", l.Number)
		}
	}
}

func TestTreatmentFollowsModeRegionAndDay(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	s, as := service(t, d, c)
	ctx := context.Background()
	for _, tc := range []struct {
		dnis, where string
		prompt      Prompt
		ends        bool
		region      string
	}{
		{"12345", "", PromptWelcome, false, ""}, {"02712345", "", PromptWelcome, false, "420100"}, {"+862712333", "", PromptParallel, false, "420100"}, {"12349", "420200", PromptTransition, false, "420200"},
		{"12336", "", PromptMoved, true, ""}, {"12366", "", PromptSubcentre, false, ""}, {"12328", "", PromptParallel, false, ""}, {"4001234567", "420100", PromptWelcome, false, "420100"},
	} {
		got := s.Treat(tc.dnis, tc.where, c.Now())
		if got.Prompt != tc.prompt || got.Ends != tc.ends || got.Region != tc.region {
			t.Errorf("%s from %q: %+v", tc.dnis, tc.where, got)
		}
	}
	if got := s.Treat("12349", "", time.Date(2027, 7, 1, 8, 0, 0, 0, clock.Shanghai)); !got.Ends || got.Prompt != PromptMoved {
		t.Errorf("after the transition: %+v", got)
	}
	// 武汉 merges 12333 whole from next year on; 黄石 stays as the province has it.
	lead := as(1, access.ShiftLead, "P420100")
	ch, err := s.Propose(ctx, lead, []Line{{Number: "12333", Name: "人社热线", Department: "市人社局", Region: "420100", Mode: Merged, State: StateTransition, From: "2027-01-01", Until: "2027-06-30"}}, "按市级归并方案实施整体并入", "武政办〔2026〕9号")
	if err != nil || ch.Kind != "change" {
		t.Fatalf("%+v %v", ch, err)
	}
	if _, err := s.Decide(ctx, as(2, access.Province, "P420000"), ch.ID, true); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Minute)
	for day, want := range map[string]Prompt{"2026-12-31": PromptParallel, "2027-01-01": PromptTransition, "2027-07-01": PromptMoved} {
		at, _ := time.ParseInLocation(time.DateOnly, day, clock.Shanghai)
		c.Set(at)
		if got := s.Treat("02712333", "", at.Add(time.Hour)); got.Prompt != want {
			t.Errorf("武汉 on %s: %s", day, got.Prompt)
		}
		if got := s.Treat("071412333", "", at.Add(time.Hour)); got.Prompt != PromptParallel {
			t.Errorf("黄石 on %s: %s", day, got.Prompt)
		}
	}
}

func TestNewNumbersAndReopening(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s, as := service(t, d, c)
		ctx := context.Background()
		city, a, b, third := as(1, access.ShiftLead, "P420100"), as(2, access.Province, "P420000"), as(3, access.Province, "P420000"), as(4, access.Province, "P420000")
		fresh := Line{Number: "12399", Name: "试点热线", Department: "市某局", Region: "420100", Mode: SeatsIn, State: StateInUse}
		if _, err := s.Propose(ctx, city, []Line{{Number: "12399", Name: "试点热线", Department: "某局", Region: "420200", Mode: SeatsIn, State: StateInUse}}, "为外市申请号码", ""); !fault.Is(err, "line_outside") {
			t.Errorf("another city's: %v", err)
		}
		ch, err := s.Propose(ctx, city, []Line{fresh}, "新增试点业务，需要独立号码", "")
		if err != nil || ch.Kind != "new" || ch.Needed() != 1 {
			t.Fatalf("%+v %v", ch, err)
		}
		if _, err := s.Decide(ctx, city, ch.ID, true); !fault.Is(err, "province_only") {
			t.Errorf("approved by the city: %v", err)
		}
		if _, ok := s.At("12399", "420100", c.Now()); ok {
			t.Error("in force before it was approved")
		}
		if got, err := s.Decide(ctx, a, ch.ID, true); err != nil || got.State != "approved" {
			t.Fatalf("%+v %v", got, err)
		}
		c.Advance(time.Minute)
		if _, ok := s.At("12399", "420100", c.Now()); !ok {
			t.Error("approved and not in force")
		}
		// 12336 is cancelled: it comes back only by two persons beside the applicant.
		back := Line{Number: "12336", Name: "自然资源违法举报热线", Department: "自然资源部门", Region: "420000", Mode: SeatsIn, State: StateInUse, Confidence: "高"}
		ch, err = s.Propose(ctx, a, []Line{back}, "国家层面要求恢复该号码", "自然资发〔2026〕1号")
		if err != nil || ch.Kind != "reopen" || ch.Needed() != 2 {
			t.Fatalf("%+v %v", ch, err)
		}
		if _, err := s.Decide(ctx, a, ch.ID, true); !fault.Is(err, "two_persons") {
			t.Errorf("by the applicant: %v", err)
		}
		if got, err := s.Decide(ctx, b, ch.ID, true); err != nil || got.State != "pending" {
			t.Fatalf("%+v %v", got, err)
		}
		if _, err := s.Decide(ctx, b, ch.ID, true); !fault.Is(err, "two_persons") {
			t.Errorf("twice by one: %v", err)
		}
		if l, _ := s.At("12336", "420000", c.Now()); l.State != StateCancelled {
			t.Error("came back with one approval")
		}
		if got, err := s.Decide(ctx, third, ch.ID, true); err != nil || got.State != "approved" {
			t.Fatalf("%+v %v", got, err)
		}
		c.Advance(time.Minute)
		if l, _ := s.At("12336", "420000", c.Now()); l.State != StateInUse {
			t.Error("approved by two and not in force")
		}
		if _, err := s.Decide(ctx, third, ch.ID, false); !fault.Is(err, "change_decided") {
			t.Errorf("decided twice: %v", err)
		}
	})
}

const list = "序号,热线号码,热线名称,主管部门,层级,区划,是否垂直管理,月均话务量,座席数,业务系统,归并方式,计划完成日,实际完成日,过渡提示音截止日,转接目标,归集接口,责任人,依据文号\n" +
	"1,12345,政务服务便民热线,省政务服务主管部门,省,全省,否,,,,总号,,,,,,,国办发〔2020〕53号\n" +
	"2,12317,乡村振兴监督热线,农业农村部门,省,湖北省,否,120,2,,整体并入,2026-06-30,2026-06-30,2027-01-31,,,张三,\n" +
	"3,12329,武汉住房公积金热线,武汉公积金中心,市,武汉市,否,\"12,000\",30,公积金系统,双号并行-转接,,,,02712329,推送,,\n" +
	"4,12399,坏行,某局,市,武汉市,否,,,,全部取消,,,,,,,\n" +
	"5,12398x,坏号,某局,市,武汉市,否,,,,设分中心,,,,,,,\n" +
	"6,12398,坏地,某局,市,火星,否,,,,设分中心,,,,,,,\n"

func TestImportOfAList(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	s, as := service(t, d, c)
	ctx := context.Background()
	book := excelize.NewFile()
	for i, row := range strings.Split(strings.TrimSpace(list), "\n") {
		cells := strings.Split(strings.ReplaceAll(row, `"12,000"`, "12000"), ",")
		if err := book.SetSheetRow("Sheet1", "A"+string(rune('1'+i)), &cells); err != nil {
			t.Fatal(err)
		}
	}
	var xlsx bytes.Buffer
	if err := book.Write(&xlsx); err != nil {
		t.Fatal(err)
	}
	json := `[{"热线号码":"12317","热线名称":"乡村振兴监督热线","主管部门":"农业农村部门","层级":"省","归并方式":"整体并入","月均话务量":120,"座席数":2,"计划完成日":"2026-06-30","实际完成日":"2026-06-30","过渡提示音截止日":"2027-01-31","责任人":"张三","是否垂直管理":false}]`
	var lines []Line
	for name, data := range map[string][]byte{"清单.csv": []byte(list), "清单.xlsx": xlsx.Bytes()} {
		got, bad, err := Read(name, data, c.Now())
		if err != nil || len(got) != 3 || len(bad) != 3 {
			t.Fatalf("%s: %d lines, %v, %v", name, len(got), bad, err)
		}
		for i, column := range []string{"归并方式", "热线号码", "区划"} {
			if bad[i].Row != 5+i || bad[i].Column != column || bad[i].Text == "" {
				t.Errorf("%s: %+v", name, bad[i])
			}
		}
		if got[1].State != StateTransition || got[2].Region != "420100" || got[2].Monthly != 12000 || got[2].Mode != SeatsKept || got[2].Target != "02712329" {
			t.Errorf("%s: %+v", name, got)
		}
		lines = got
	}
	if got, bad, err := Read("清单.json", []byte(json), c.Now()); err != nil || len(bad) != 0 || got[0] != lines[1] {
		t.Errorf("json: %+v, want %+v; %v %v", got, lines[1], bad, err)
	}
	a, b := as(2, access.Province, "P420000"), as(3, access.Province, "P420000")
	ch, err := s.Propose(ctx, a, lines, "按省级归并清单更新台账", "")
	if err != nil || ch.Kind != "reopen" || len(ch.Diff) == 0 { // 12317 was cancelled in the national list
		t.Fatalf("%+v %v", ch, err)
	}
	for _, who := range []access.Actor{b, as(5, access.Province, "P420000")} {
		if _, err := s.Decide(ctx, who, ch.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	c.Advance(time.Minute)
	if _, err := s.Propose(ctx, a, lines, "同一份清单再导一次", ""); !fault.Is(err, "lines_unchanged") {
		t.Errorf("the same list again: %v", err)
	}
	if got := s.Treat("02712329", "", c.Now()); got.Forward != "02712329" {
		t.Errorf("kept seats: %+v", got)
	}
}

// Each wrong cell is told with its row, blank lines counted, and its column; a
// head that is none of ours is not passed over.
func TestWrongCells(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, clock.Shanghai)
	csv := "热线号码,热线名称,主管部门,归并方式,区划,月均话务量,计划完成日\r\n12350,安全生产,应急管理部门,设分中心,武汉市,320,\r\n\r\n12x,,应急管理部门,并一并,火星,很多,明年\r\n12350,安全生产,应急管理部门,设分中心,武汉市,,\r\n"
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(csv)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"UTF-8": csv, "GB 18030": gbk} {
		lines, bad, err := Read("清单.csv", []byte(text), now)
		if err != nil || len(lines) != 1 || len(bad) != 7 {
			t.Fatalf("%s: %+v %+v %v", name, lines, bad, err)
		}
		for i, want := range []string{"4热线号码", "4热线名称", "4归并方式", "4区划", "4月均话务量", "4计划完成日", "5热线号码"} {
			if got := fmt.Sprint(bad[i].Row) + bad[i].Column; got != want {
				t.Errorf("%s: %d is %s, want %s", name, i, got, want)
			}
		}
	}
	for head, code := range map[string]string{"热线号码,热线名称,主管部门,归并方式,区域": "column_unknown", "热线号码,热线名称,主管部门,归并方式,区划,区划": "column_twice", "热线号码,热线名称,主管部门": "column_absent"} {
		if _, _, err := Read("清单.csv", []byte(head+"\n12350,a,b,设分中心,武汉市"), now); !fault.Is(err, code) {
			t.Errorf("%s: %v", head, err)
		}
	}
	if _, _, err := Read("清单.json", []byte(`[{"热线号码":"12350","区域":"武汉市"}]`), now); !fault.Is(err, "column_unknown") {
		t.Error(err)
	}
	if _, bad, _ := Read("清单.json", []byte(`[{"热线号码":"12350"}]`), now); len(bad) == 0 || bad[0].Row != 1 {
		t.Errorf("%+v", bad)
	}
}

// A city takes the whole registry as its list and changes its own lines in it;
// what stands as it was is no part of its application.
func TestACityChangesItsOwnInTheWholeList(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	s, as := service(t, d, c)
	city := as(2, access.ShiftLead, "P420100")
	list := append(slices.Clone(s.all()), Line{Number: "12350", Name: "安全生产举报投诉热线", Department: "应急管理部门", Region: "420100", Mode: SeatsIn, State: StateInUse, Confidence: "高"})
	ch, err := s.Propose(context.Background(), city, list, "武汉市并入座席", "")
	if err != nil || len(ch.Lines) != 1 {
		t.Fatalf("%+v %v", ch, err)
	}
	list[0].Owner = "张三"
	if _, err := s.Propose(context.Background(), city, list, "改了省里的一行", ""); !fault.Is(err, "line_outside") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a.csv", []byte(list))
	f.Add("a.json", []byte(`[{"热线号码":"12317"}]`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		lines, _, _ := Read(name, data, time.Date(2026, 11, 23, 0, 0, 0, 0, clock.Shanghai))
		for _, l := range lines {
			if err := l.check(); err != nil {
				t.Fatalf("gave what it refuses: %+v: %v", l, err)
			}
		}
	})
}

// The list that the registry writes reads back without a change; a sub-centre
// keeps its unit when its line is in an imported list.
func TestSheetReadsBack(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s, _ := service(t, d, c)
		all := s.all()
		var b bytes.Buffer
		if err := Sheet(&b, all); err != nil {
			t.Fatal(err)
		}
		lines, bad, err := Read("归并清单.xlsx", b.Bytes(), c.Now())
		if err != nil || len(bad) > 0 || len(lines) != len(all) {
			t.Fatalf("%d of %d lines, %v %v", len(lines), len(all), bad, err)
		}
		if _, diff, _, err := s.Plan(s.Kept(lines)); err != nil || len(diff) > 0 {
			t.Errorf("as it stands: %v %v", diff, err)
		}
		for i, l := range lines {
			if l.Mode == Subcentre {
				lines[i].Seats = 30
			}
		}
		merged, diff, _, err := s.Plan(s.Kept(lines))
		if err != nil || len(diff) == 0 {
			t.Fatal(diff, err)
		}
		for i, l := range merged {
			if was := all[i]; l.Unit != was.Unit || l.State != was.State {
				t.Errorf("%s: unit %q, state %s; was %q, %s", l.Number, l.Unit, l.State, was.Unit, was.State)
			}
		}
	})
}
