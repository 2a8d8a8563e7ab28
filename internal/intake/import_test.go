package intake

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/dispatch"
	"hotline/internal/eventlog"
	"hotline/internal/insight"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
	"hotline/internal/ticket"
)

func importSchemas() []db.Schema {
	return append(append([]db.Schema{eventlog.Schema("event"), policy.Schema(), org.Schema(), ticket.Schema(), Schema()}, insight.Schemas()...), audit.Schemas()...)
}

// door is intake over a whole city.
func door(t *testing.T, d *db.DB, c *clock.Virtual) (*Service, int64) {
	t.Helper()
	ctx := context.Background()
	c.Set(time.Date(2026, 11, 23, 10, 0, 0, 0, clock.Shanghai))
	log := eventlog.New(d, "event")
	p := policy.New(d)
	ticket.RegisterPolicies(p)
	o := org.New(d, log)
	dispatch.RegisterPolicies(p, o, c)
	if err := p.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if err := o.CreateAll(ctx, org.By{}, org.Province(org.ProvinceOptions{Cities: []string{"420100"}})); err != nil {
		t.Fatal(err)
	}
	if err := o.Load(ctx); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
	if err != nil {
		t.Fatal(err)
	}
	tickets := ticket.New(ticket.Deps{DB: d, Log: log, Audit: audit.New(d), Ring: seal.NewRing(keys), Org: o, Policy: p})
	city, _ := o.Tree().ByCode("P420100")
	return New(tickets, o, insight.New(tickets.Categories), dispatch.New(o, p)), city.ID
}

func importFile(t *testing.T, s *Service, city int64, path string) Report {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := 0
	rep, err := s.Import(context.Background(), access.System("导入"), f, ImportOptions{Platform: city, Progress: func(done int) { lines = max(lines, done) }})
	if err != nil {
		t.Fatal(err)
	}
	if lines != rep.Imported+rep.Skipped+rep.Rejected {
		t.Errorf("progress told %d lines of %+v", lines, rep)
	}
	return rep
}

// Imported requests come in by the same door: good ones are taken in, bad ones are
// told why, a repeated text is linked, and a second import changes nothing.
func TestImportSample(t *testing.T) {
	dbtest.Each(t, importSchemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s, city := door(t, d, c)
		rep := importFile(t, s, city, "testdata/sample.jsonl")
		if rep.Imported != 14 || rep.Skipped != 1 || rep.Rejected != 5 || rep.Repeated != 1 {
			t.Fatalf("imported %d skipped %d rejected %d repeated %d: %+v", rep.Imported, rep.Skipped, rep.Rejected, rep.Repeated, rep.Errors)
		}
		if rep.Dispatchable < 8 {
			t.Errorf("only %d can be dispatched", rep.Dispatchable)
		}
		again := importFile(t, s, city, "testdata/sample.jsonl")
		if again.Imported != 0 || again.Skipped != 15 || again.Rejected != 5 {
			t.Errorf("second run: %+v", again)
		}
		check := func(no string, see func(*ticket.Ticket)) {
			t.Helper()
			id, err := s.tickets.ByNumber(context.Background(), no)
			if err != nil {
				t.Fatalf("%s: %v", no, err)
			}
			x, err := s.tickets.Get(context.Background(), access.System("test"), id)
			if err != nil {
				t.Fatal(err)
			}
			see(x)
		}
		var first int64
		check("R-0006", func(x *ticket.Ticket) {
			first = x.ID
			if x.Secrecy != ticket.SecrecyAnonymous || x.Platform != city || clock.FromMillis(x.Original).Format("2006-01-02 15:04") != "2026-11-20 20:31" || x.Accepted != clock.Millis(c.Now()) {
				t.Errorf("%+v", x)
			}
			if len(x.Clocks) != 1 || x.Clocks[0].Started != x.Accepted {
				t.Error("the clock does not start now")
			}
		})
		check("R-0010", func(x *ticket.Ticket) {
			if x.RepeatOf != first {
				t.Errorf("repeat of %d, want %d", x.RepeatOf, first)
			}
		})
		check("R-0003", func(x *ticket.Ticket) {
			if x.Secrecy != ticket.SecrecyNormal || x.MaskPhone != "138****2671" || x.Type != "咨询" {
				t.Errorf("%s %s %s", x.Secrecy, x.MaskPhone, x.Type)
			}
		})
		check("R-0001", func(x *ticket.Ticket) {
			if x.Region[:6] != "420102" || len(x.Detail.Flags) != 0 {
				t.Errorf("place %s %v", x.Region, x.Detail.Flags)
			}
		})
		check("R-0004", func(x *ticket.Ticket) {
			if x.Region != "420100" || len(x.Detail.Flags) != 1 || x.Detail.Flags[0] != ticket.FlagPlace || x.Status != ticket.ToDispatch {
				t.Errorf("place %s %v %s", x.Region, x.Detail.Flags, x.Status)
			}
		})
		check("R-0020", func(x *ticket.Ticket) {
			if x.Label != access.Informant || x.Status != ticket.Received {
				t.Errorf("%s %s", x.Label, x.Status)
			}
		})
		check("188001", func(*ticket.Ticket) {})
		workbook(t, rep)
	})
}

// The workbook of errors gives each line its reason; what looks like a formula is
// text.
func workbook(t *testing.T, rep Report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "errors.xlsx")
	if err := WriteWorkbook(path, rep); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("导入错误")
	if err != nil || len(rows) != 1+len(rep.Errors) {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	if rows[0][6] != "错误原因" {
		t.Errorf("heading %v", rows[0])
	}
	text := ""
	for i, r := range rows[1:] {
		if len(r) < 7 || r[6] == "" {
			t.Fatalf("row %d has no reason: %v", i, r)
		}
		for _, cell := range r[1:] {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
				t.Errorf("cell %q is live", cell)
			}
		}
		text += strings.Join(r, "|") + "\n"
	}
	for _, want := range []string{"'=HYPERLINK", "'+86", "5至20,000", "时间格式", "缺少编号"} {
		if !strings.Contains(text, want) {
			t.Errorf("workbook lacks %q:\n%s", want, text)
		}
	}
}

// The whole book of real letters is imported; without that file the samples are,
// and it says so.
func TestImportWholeFile(t *testing.T) {
	dir := os.Getenv("HOTLINE_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, "text", "hot_messages.jsonl")
	if _, err := os.Stat(path); err != nil {
		t.Logf("没有 %s，改用 testdata/sample.jsonl", path)
		path = "testdata/sample.jsonl"
	}
	d, c := dbtest.SQLite(t, importSchemas()...)
	s, city := door(t, d, c)
	wall := clock.System()
	began := wall.Now()
	rep := importFile(t, s, city, path)
	took := clock.Since(wall, began)
	t.Logf("导入%d条（可派%d，关联重复%d），跳过%d，退回%d，用时%s", rep.Imported, rep.Dispatchable, rep.Repeated, rep.Skipped, rep.Rejected, took.Round(time.Millisecond))
	for i, e := range rep.Errors {
		if i < 5 {
			t.Logf("第%d行 %s：%s", e.Line, e.No, e.Reason)
		}
	}
	if again := importFile(t, s, city, path); again.Imported != 0 {
		t.Errorf("second run imported %d", again.Imported)
	}
}
