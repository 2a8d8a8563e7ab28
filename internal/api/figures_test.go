package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// counted seals what happened and lets the followers count it.
func (w *world) counted() {
	w.t.Helper()
	ctx := context.Background()
	if _, err := w.api.Log.SealNow(ctx); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.api.Measure.CatchUp(ctx); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.api.Supervise.CatchUp(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// Every role has a first page, and what it counts is its own.
func TestHomeOfEveryRole(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.counted()
	for _, tt := range []struct {
		who, kinds string
	}{
		{"agent", "counts list"}, {"dispatcher", "counts list"}, {"handler", "counts list"}, {"callback", "counts list"}, {"cell", "counts list"},
		{"unit_lead", "families trend counts list"}, {"supervisor", "families map trend counts list"}, {"leader", "families map trend"}, {"province", "families map trend counts list"},
		{"sysadmin", "notice"}, {"secadmin", "notice"}, {"auditor", "notice"}, {"kb_admin", "counts"},
	} {
		got := ok[HomeOut](w, tt.who, "GET", "/api/v1/home", nil)
		var kinds []string
		for _, b := range got.Blocks {
			if b.Kind != "notice" || len(got.Blocks) == 1 {
				kinds = append(kinds, b.Kind)
			}
		}
		if strings.Join(kinds, " ") != tt.kinds || got.Greeting == "" {
			t.Errorf("%s: %v, want %s", tt.who, kinds, tt.kinds)
		}
	}
	raw := string(w.as("handler", "GET", "/api/v1/home", nil).raw)
	if !strings.Contains(raw, w.made["handled"].Number) || strings.Contains(raw, w.made["huangshi"].Number) || strings.Contains(raw, "13800002671") {
		t.Errorf("the handler's page: %s", raw)
	}
}

// A number opens its tickets, becomes a workbook, and both keep to the scope.
func TestMeasuresOverHTTP(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.counted()
	day := w.c.Now().Format("2006-01-02")
	q := "&from=" + day + "&to=" + day
	m := ok[MeasureOut](w, "supervisor", "GET", "/api/v1/measures?name=received&by=region"+q, nil)
	if m.Total.Num != 4 || len(m.Items) < 13 || m.Unit != "件" {
		t.Fatalf("%+v", m)
	}
	type page struct {
		Items  []TicketRow `json:"items"`
		Next   string      `json:"next"`
		Total  int64       `json:"total"`
		Hidden int         `json:"hidden"`
	}
	behind := ok[page](w, "supervisor", "GET", "/api/v1/measures/received/tickets?by=region&key=420111"+q, nil)
	if len(behind.Items) != 3 || behind.Total != 4 || behind.Hidden != 1 { // the 举报 is counted and not shown
		t.Errorf("behind %d tickets, of %d, %d hidden", len(behind.Items), behind.Total, behind.Hidden)
	}
	if sealed := ok[page](w, "supervisor", "GET", "/api/v1/measures/received/tickets?by=type&key="+url.QueryEscape("举报")+q+"&limit=1", nil); len(sealed.Items) != 0 || sealed.Next != "" || sealed.Total != 1 || sealed.Hidden != 1 {
		t.Errorf("behind the 举报: %+v", sealed)
	}
	if m := ok[MeasureOut](w, "h-supervisor", "GET", "/api/v1/measures?name=received&by=day"+q, nil); m.Total.Num != 1 || len(m.Items) != 1 {
		t.Errorf("another city: %+v", m)
	}
	w.refused("measure_unknown", "leader", "GET", "/api/v1/measures?name=moon", nil)
	w.refused("role_forbidden", "agent", "GET", "/api/v1/measures?name=received", nil)
	w.refused("date_invalid", "leader", "GET", "/api/v1/measures?name=received&from="+url.QueryEscape("昨天"), nil)

	job := ok[struct{ Job ID }](w, "supervisor", "POST", "/api/v1/exports", map[string]any{"kind": "measures", "params": map[string]any{"name": "received", "by": "day"}}).Job
	if _, err := w.api.Jobs.RunOnce(context.Background()); err != nil {
		t.Fatal(err)
	}
	at := "/api/v1/jobs/" + strconv.FormatInt(int64(job), 10)
	done := ok[JobOut](w, "supervisor", "GET", at, nil)
	if done.State != "done" || done.KindLabel != "导出统计数据" {
		t.Fatalf("%+v", done)
	}
	if a := w.call(request{method: "GET", path: at + "/events", token: w.token["supervisor"], limit: time.Second}); !bytes.Contains(a.raw, []byte("event: job")) {
		t.Errorf("stream %s", a.raw)
	}
	if a := w.as("supervisor", "GET", done.Result, nil); a.status != 200 || !bytes.HasPrefix(a.raw, []byte("PK")) || !strings.Contains(a.head.Get("Content-Disposition"), "attachment") {
		t.Errorf("file %d %v", a.status, a.head)
	}
	left := ok[struct{ Items []AuditRow }](w, "auditor", "GET", "/api/v1/audit?op=export", nil).Items
	if len(left) != 2 || !strings.HasSuffix(left[0].Subject, ".xlsx") || left[0].Count != 7 || left[1].Subject != "申请导出统计数据" {
		t.Errorf("the audit of an export of seven days: %+v", left)
	}
	w.refused("file_not_found", "leader", "GET", done.Result, nil)
	w.refused("job_not_found", "leader", "GET", at, nil)
	w.refused("export_forbidden", "supervisor", "POST", "/api/v1/exports", map[string]any{"kind": "tickets"})
	w.refused("export_kind_invalid", "supervisor", "POST", "/api/v1/exports", map[string]any{"kind": "people"})
	left = ok[struct{ Items []AuditRow }](w, "auditor", "GET", "/api/v1/audit?op=export", nil).Items
	if len(left) != 3 || left[0].Outcome != "refused" || left[0].Subject != "申请导出工单清单" {
		t.Errorf("the audit of a refused export: %+v", left)
	}
}

// The screen and the map: whole province, order of codes, small cells kept back.
func TestScreenAndMap(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.counted()
	s := ok[ScreenOut](w, "leader", "GET", "/api/v1/screen", nil)
	if len(s.Cities) != 17 || len(s.Hours) != 24 || s.Cities[0].Count != 4 || !s.Cities[1].Hidden || len(s.Tiles) < 6 || len(s.Map) != 17 {
		t.Fatalf("%+v", s)
	}
	raw, err := json.Marshal(s.Latest)
	if err != nil || bytes.Contains(raw, []byte(w.made["handled"].Number)) || bytes.Contains(raw, []byte("举报")) || len(s.Latest) == 0 {
		t.Errorf("latest %s %v", raw, err)
	}
	if m := ok[MapOut](w, "province", "GET", "/api/v1/map?level=county&parent=420100&metric=count&days=7", nil); len(m.Items) != 13 || m.Definition == "" {
		t.Errorf("%+v", m)
	}
	w.refused("level_invalid", "leader", "GET", "/api/v1/map?level=moon", nil)
	for path, want := range map[string]int{"/api/v1/geo/pref.json": 200, "/api/v1/geo/county.json": 200, "/api/v1/geo/..%2fx.json": 404} {
		if a := w.as("agent", "GET", path, nil); a.status != want {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// 督办 over HTTP, from the candidate to 销号.
func TestSupervisionOverHTTP(t *testing.T) {
	w := newWorld(t)
	w.seed()
	w.c.Advance(40 * 24 * time.Hour)
	for {
		n, err := w.api.Ticket.Sweep(context.Background(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	w.counted()
	for name := range w.token { // the sessions ended with the days
		s, err := w.api.Access.Enter(context.Background(), name, "192.0.2.1", "test")
		if err != nil {
			t.Fatal(err)
		}
		w.token[name] = s.Token
	}
	rows := ok[struct{ Items []TicketRow }](w, "supervisor", "GET", "/api/v1/supervision/candidates?rule=overdue", nil).Items
	if len(rows) != 1 || rows[0].Number != w.made["handled"].Number {
		t.Fatalf("candidates %+v", rows)
	}
	unit := ID(w.units["D420100-chengguan"].ID)
	made := ok[struct {
		ID      ID
		No      string
		Message string
	}](w, "supervisor", "POST", "/api/v1/supervision", map[string]any{"ticket": w.made["handled"].Number, "unit": unit, "level": "order", "requirement": "请限期办结并反馈。", "due": w.c.Now().AddDate(0, 0, 3).Format("2006-01-02")})
	at := "/api/v1/supervision/" + strconv.FormatInt(int64(made.ID), 10)
	mine := ok[SupervisionOut](w, "handler", "GET", at, nil)
	if mine.RuleLabel != "逾期未办结" || mine.Light != "green" || len(mine.Actions) != 1 || mine.Actions[0].Name != "feedback" {
		t.Fatalf("%+v", mine)
	}
	w.refused("supervision_not_found", "sibling", "GET", at, nil)
	w.refused("supervise_forbidden", "handler", "POST", at+"/actions/close", map[string]any{"text": "自行销号不行"})
	ok[any](w, "handler", "POST", at+"/actions/feedback", map[string]any{"text": "已办结并联系诉求人。"})
	ok[any](w, "supervisor", "POST", at+"/actions/close", map[string]any{"text": "同意销号。"})
	list := ok[struct {
		Items  []SupervisionOut
		Counts map[string]int64
	}](w, "supervisor", "GET", "/api/v1/supervision?state=closed", nil)
	if len(list.Items) != 1 || list.Items[0].No != made.No || list.Counts["closed"] != 1 || len(list.Items[0].Feedback) != 2 {
		t.Fatalf("%+v", list)
	}
	t1 := ok[TicketOut](w, "supervisor", "GET", "/api/v1/tickets/"+strconv.FormatInt(w.made["handled"].ID, 10), nil)
	if len(t1.Supervision) != 1 || t1.Supervision[0].State != "已销号" {
		t.Errorf("the ticket shows %+v", t1.Supervision)
	}
}
