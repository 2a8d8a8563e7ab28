package report

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/blob"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/job"
	"hotline/internal/measure"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
	"hotline/internal/ticket"
)

// No cell can act: what a spreadsheet would take for a formula is only text.
func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"夜间施工噪声": "夜间施工噪声", "": "", "3-2-1": "3-2-1", "=1+1": "'=1+1", "+86": "'+86", "-5": "'-5", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\rx": "'\rx",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠x": "'＠x", "  =cmd|' /C calc'!A0": "'  =cmd|' /C calc'!A0", "\ufeff=1": "'\ufeff=1", "\u3000＝1": "'\u3000＝1", "a\x00b\x1bc": "abc",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := Text(strings.Repeat("长", 40_000)); len([]rune(got)) > 32_767 {
		t.Errorf("%d characters do not fit a cell", len([]rune(got)))
	}
}

type world struct {
	s     *Service
	units map[string]org.Unit
}

func (w *world) who(role access.Role, unit string) access.Actor {
	u := w.units[unit]
	return access.Actor{Account: u.ID*100 + int64(role[0]), Username: string(role), Name: "王芳", Role: role, Unit: u.ID, Platform: w.s.Org.Tree().Platform(u.ID).ID}
}

func newWorld(t *testing.T, d *db.DB, c *clock.Virtual) *world {
	t.Helper()
	ctx := context.Background()
	c.Set(time.Date(2026, 11, 23, 10, 0, 0, 0, clock.Shanghai))
	log, p, au := eventlog.New(d, "event"), policy.New(d), audit.New(d)
	ticket.RegisterPolicies(p)
	o := org.New(d, log)
	keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
	if err != nil {
		t.Fatal(err)
	}
	ring := seal.NewRing(keys)
	blobs, err := blob.NewDisk(t.TempDir(), ring)
	if err != nil {
		t.Fatal(err)
	}
	acc := access.New(d, o, p, au, c)
	if err := p.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if err := o.CreateAll(ctx, org.By{}, []org.NewUnit{
		{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"},
		{Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"},
	}); err != nil {
		t.Fatal(err)
	}
	if err := o.Load(ctx); err != nil {
		t.Fatal(err)
	}
	tk := ticket.New(ticket.Deps{DB: d, Log: log, Audit: au, Ring: ring, Org: o, Policy: p})
	w := &world{s: New(d, job.New(d), blobs, measure.New(d, log, o, p, tk), tk, o, acc), units: map[string]org.Unit{}}
	for _, u := range o.Tree().All() {
		w.units[u.Code] = u
	}
	for _, title := range []string{"=HYPERLINK(\"http://x\")", "路灯不亮"} {
		if _, err := tk.Create(ctx, w.who(access.Agent, "P420100"), ticket.Intake{Type: "求助", Category: "040101", Region: "420111", Title: title, Content: "夜间出行不便，请尽快处理。",
			Requester: ticket.Requester{Kind: "个人", Name: "李小明", Phone: "13800002671"}, Secrecy: ticket.SecrecyNormal, Channel: "phone", Platform: w.units["P420100"].ID, Status: ticket.ToDispatch}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.SealNow(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Measure.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	return w
}

func schemas() []db.Schema {
	return append([]db.Schema{eventlog.Schema("event"), policy.Schema(), org.Schema(), ticket.Schema(), measure.Schema(), job.Schema(), access.Schema(), Schema()}, audit.Schemas()...)
}

// run exports and gives the workbook as its creator fetches it.
func (w *world) run(t *testing.T, who access.Actor, kind string, p Params) *excelize.File {
	t.Helper()
	ctx := context.Background()
	id, err := w.s.Start(ctx, who, kind, p, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Jobs.RunOnce(ctx); err != nil {
		t.Fatal(err)
	}
	st, err := w.s.Jobs.Get(ctx, id)
	if err != nil || st.State != job.Done {
		t.Fatalf("%+v %v", st, err)
	}
	file, err := strconv.ParseInt(strings.TrimPrefix(st.Result, "/api/v1/files/"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.File(ctx, w.who(access.Leader, "P420100"), file); !fault.Is(err, "file_not_found") {
		t.Fatalf("somebody else fetched it: %v", err)
	}
	f, err := w.s.File(ctx, who, file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.s.Blobs.Open(ctx, f.Ref)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	x, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func cellOf(t *testing.T, f *excelize.File, sheet, at string) string {
	t.Helper()
	v, err := f.GetCellValue(sheet, at)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestExports(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		ctx := context.Background()
		sup, prov := w.who(access.Supervisor, "P420100"), w.who(access.Province, "P420000")

		f := w.run(t, sup, "measures", Params{"name": "received", "by": "region", "from": "2026-11-20", "to": "2026-11-23"})
		if got := f.GetSheetList(); strings.Join(got, " ") != "受理量 水印" {
			t.Fatalf("sheets %v", got)
		}
		rows, err := f.GetRows("受理量")
		if err != nil || rows[len(rows)-1][0] != "合计" || rows[len(rows)-1][1] != "2" {
			t.Fatalf("%v %v", rows, err)
		}
		if got := cellOf(t, f, "水印", "B5"); !strings.HasPrefix(got, "指标：受理量；") || strings.ContainsAny(got, "{}\"") {
			t.Errorf("条件 %q", got)
		}
		if cellOf(t, f, "水印", "B1") != "supervisor" || !strings.HasPrefix(cellOf(t, f, "水印", "B4"), "2026年11月23日 10:00") {
			t.Error("the watermark does not name account and time")
		}
		if got := len(w.run(t, sup, "measures", Params{}).GetSheetList()); got < 11 {
			t.Errorf("all measures: %d sheets", got)
		}

		f = w.run(t, prov, "tickets", Params{"type": "求助"})
		rows, err = f.GetRows("工单清单")
		if err != nil || len(rows) != 3 {
			t.Fatalf("%v %v", rows, err)
		}
		for _, r := range rows[1:] {
			if strings.HasPrefix(r[2], "=") || strings.Contains(strings.Join(r, " "), "13800002671") || r[13] != "138****2671" {
				t.Errorf("row %v", r)
			}
		}
		if formula, err := f.GetCellFormula("工单清单", "C3"); err != nil || formula != "" {
			t.Errorf("a cell acts: %q %v", formula, err)
		}

		for code, try := range map[string]func() error{
			"export_forbidden":    func() error { _, err := w.s.Start(ctx, sup, "tickets", nil, ""); return err },
			"export_kind_invalid": func() error { _, err := w.s.Start(ctx, prov, "people", nil, ""); return err },
			"measure_unknown":     func() error { _, err := w.s.Start(ctx, sup, "measures", Params{"name": "moon"}, ""); return err },
			"date_invalid":        func() error { _, err := w.s.Start(ctx, sup, "measures", Params{"from": "昨天"}, ""); return err },
		} {
			if err := try(); !fault.Is(err, code) {
				t.Errorf("got %v, want %s", err, code)
			}
		}
		one, err := w.s.Start(ctx, sup, "measures", nil, "k")
		if err != nil {
			t.Fatal(err)
		}
		if two, err := w.s.Start(ctx, sup, "measures", nil, "k"); err != nil || two != one {
			t.Errorf("the same key made two jobs: %v", err)
		}
		c.Advance(8 * 24 * time.Hour)
		if n, err := w.s.Prune(ctx); err != nil || n != 3 {
			t.Errorf("pruned %d %v", n, err)
		}
	})
}

func TestARateKeepsThreeDecimals(t *testing.T) {
	rate := 98.1069958847736
	if got := cells("合计", int64(1192), &rate, (*float64)(nil)); got[1] != int64(1192) || got[2] != 98.107 || got[3] != "—" {
		t.Errorf("%v", got)
	}
}
