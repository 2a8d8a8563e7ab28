package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"hotline/internal/access"
	"hotline/internal/category"
	"hotline/internal/ticket"
)

type unitPage struct {
	Items []AdminUnit `json:"items"`
}

func TestOrganisation(t *testing.T) {
	w := newWorld(t)
	const at = "/api/v1/admin/units"
	root := ok[unitPage](w, "p-sysadmin", "GET", at, nil).Items
	if len(root) != 1 || root[0].Code != "P420000" || root[0].Children != 2 || root[0].KindLabel != "省级平台" {
		t.Fatalf("%+v", root)
	}
	if root := ok[unitPage](w, "sysadmin", "GET", at, nil).Items; len(root) != 1 || root[0].Code != "P420100" {
		t.Errorf("a city begins at itself: %+v", root)
	}
	below := ok[unitPage](w, "sysadmin", "GET", at+"?parent="+unitID(w, "C420111"), nil).Items
	if len(below) != 1 || below[0].Path != "湖北省12345平台 / 武汉市12345平台 / 洪山区承办中心" || below[0].DutyName == "" || below[0].From == "" || below[0].To != "" || !below[0].Active {
		t.Errorf("%+v", below)
	}
	if hits := ok[unitPage](w, "sysadmin", "GET", at+"?q=城管", nil).Items; len(hits) != 2 {
		t.Errorf("a search stays within the platform: %+v", hits)
	}
	w.refused("unit_outside_scope", "sysadmin", "GET", at+"?parent="+unitID(w, "P420200"), nil)
	w.refused("unit_absent", "sysadmin", "GET", at+"?parent=12", nil)

	// Create, in one's own platform only.
	city := unitID(w, "P420100")
	made := ok[AdminUnit](w, "sysadmin", "POST", at, map[string]any{"kind": "department", "name": "武汉市园林局", "code": "D420100-yuanlin", "region": "420100", "duty": "yuanlin"})
	if fmt.Sprint(int64(made.Parent)) != city || made.Short != "武汉市园林局" || made.Version == 0 {
		t.Fatalf("%+v", made)
	}
	w.refused("unit_outside_scope", "h-sysadmin", "POST", at, map[string]any{"kind": "department", "name": "某局", "code": "D420100-q", "region": "420100", "parent": city})
	for code, in := range map[string]map[string]any{
		"unit_code_taken":    {"kind": "department", "name": "某局", "code": "D420100-yuanlin", "region": "420100"},
		"unit_code_invalid":  {"kind": "department", "name": "某局", "code": "园林😀", "region": "420100"},
		"unit_kind_unknown":  {"kind": "palace", "name": "某局", "code": "D420100-q", "region": "420100"},
		"unit_region_level":  {"kind": "department", "name": "某局", "code": "D420100-q", "region": "420111"},
		"unit_name_invalid":  {"kind": "department", "name": " ", "code": "D420100-q", "region": "420100"},
		"unit_backdated":     {"kind": "department", "name": "某局", "code": "D420100-q", "region": "420100", "from": "2020-01-01"},
		"date_invalid":       {"kind": "department", "name": "某局", "code": "D420100-q", "region": "420100", "from": "3026-01-01"},
		"unit_parent_absent": {"kind": "department", "name": "某局", "code": "D420100-q", "region": "420100", "parent": "77"},
		"request_invalid":    {"kind": 5, "name": "某局", "code": "D420100-q", "region": "420100"},
	} {
		w.refused(code, "sysadmin", "POST", at, in)
	}
	// No new county platform without the province's paper.
	county := map[string]any{"kind": "county_platform", "name": "江夏区12345平台", "code": "P420115", "region": "420115"}
	if p := w.refused("county_platform_refused", "sysadmin", "POST", at, county); !strings.Contains(p.Detail, "原则上不再新建县级12345热线平台") {
		t.Error(p.Detail)
	}
	county["approver"], county["document"] = "supervisor", "鄂政办函〔2026〕1号"
	w.refused("county_platform_refused", "sysadmin", "POST", at, county)
	county["approver"] = "province"
	if u := ok[AdminUnit](w, "sysadmin", "POST", at, county); u.Kind != "county_platform" {
		t.Errorf("%+v", u)
	}

	// Edit, with the version seen.
	one := fmt.Sprintf("%s/%d", at, int64(made.ID))
	w.c.Advance(time.Minute)
	edited := ok[AdminUnit](w, "sysadmin", "PUT", one, map[string]any{"name": "武汉市园林和林业局", "version": made.Version})
	if edited.Name != "武汉市园林和林业局" || edited.Duty != "yuanlin" {
		t.Errorf("%+v", edited)
	}
	w.refused("unit_changed", "sysadmin", "PUT", one, map[string]any{"phone": "027-1", "version": made.Version})
	w.refused("unit_outside_scope", "h-sysadmin", "PUT", one, map[string]any{"phone": "027-1"})

	// Move and close.
	if a := ok[struct{ Message string }](w, "sysadmin", "POST", one+"/move", map[string]any{"parent": unitID(w, "D420100-shuiwu")}); !strings.Contains(a.Message, "武汉市水务局") {
		t.Error(a.Message)
	}
	w.refused("unit_outside_scope", "sysadmin", "POST", one+"/move", map[string]any{"parent": unitID(w, "P420200")})
	w.refused("unit_parent_cycle", "sysadmin", "POST", fmt.Sprintf("%s/%s/move", at, unitID(w, "D420100-shuiwu")), map[string]any{"parent": fmt.Sprint(int64(made.ID))})
	w.refused("unit_has_children", "sysadmin", "POST", at+"/"+unitID(w, "C420111")+"/close", map[string]any{"reason": "机构改革"})
	type closed struct {
		Active  bool
		To      string
		Message string
	}
	w.c.Advance(time.Minute)
	if u := ok[closed](w, "sysadmin", "POST", one+"/close", map[string]any{"to": "2026-12-01", "reason": "机构改革"}); !u.Active || !strings.HasPrefix(u.To, "2026-12-01") || !strings.Contains(u.Message, "2026年12月1日") {
		t.Errorf("%+v", u)
	}
	w.refused("unit_change_pending", "sysadmin", "PUT", one, map[string]any{"phone": "027-1"})

	// A unit with work in hand is not closed at once.
	w.seed()
	w.refused("unit_has_tickets", "sysadmin", "POST", at+"/"+unitID(w, "D420100-chengguan")+"/close", map[string]any{"to": "2026-11-23"})
	if u := ok[closed](w, "sysadmin", "POST", at+"/"+unitID(w, "S420100-b")+"/close", map[string]any{"reason": "归并"}); u.Active || u.To == "" {
		t.Errorf("%+v", u)
	}
}

func TestImportUnits(t *testing.T) {
	w := newWorld(t)
	send := func(who, name string, data []byte, fields ...string) answer {
		body, kind := form(t, name, data, fields...)
		return w.call(request{method: "POST", path: "/api/v1/admin/units/import", token: w.token[who], body: body, head: map[string]string{"Content-Type": kind}})
	}
	head := []string{"单位编码", "单位名称", "简称", "类型", "上级编码", "区划代码", "职责代码", "其他职责代码", "职责", "电话", "联络员"}
	x := excelize.NewFile()
	for i, row := range [][]any{
		{"D420100-yuanlin", "武汉市园林局", "", "部门", "P420100", 420100, "yuanlin", "", "园林绿化", "027-1", "张三"},
		{},
		{"D420100-x", "某局", "", "衙门", "P420100", "420100"},
		{"D420200-x", "黄石某局", "", "部门", "P420200", "420200"},
		{"P420115", "江夏区平台", "", "县级平台", "P420100", "420115"},
	} {
		for j, h := range head {
			cell, _ := excelize.CoordinatesToCellName(j+1, 1)
			_ = x.SetCellValue("Sheet1", cell, h)
		}
		for j, v := range row {
			cell, _ := excelize.CoordinatesToCellName(j+1, i+2)
			_ = x.SetCellValue("Sheet1", cell, v)
		}
	}
	var book bytes.Buffer
	if err := x.Write(&book); err != nil {
		t.Fatal(err)
	}
	a := send("sysadmin", "单位.xlsx", book.Bytes())
	var rep ImportOut
	if a.status != 200 || json.Unmarshal(a.raw, &rep) != nil || rep.Created != 1 || len(rep.Errors) != 3 {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	lines := map[int]string{}
	for _, e := range rep.Errors {
		lines[e.Line] = e.Detail
	}
	if !strings.Contains(lines[4], "衙门") || !strings.Contains(lines[5], "范围") || !strings.Contains(lines[6], "不再新建县级12345热线平台") {
		t.Errorf("%v", lines)
	}
	csv := append([]byte("\ufeff"+strings.Join(head, ",")+"\n"), "D420200-x,黄石某局,,部门,P420200,420200,,,,,\n"...)
	if a := send("p-sysadmin", "单位.csv", csv, "preview", "1"); a.status != 200 || !bytes.Contains(a.raw, []byte(`"changes":[{"line":2,"code":"D420200-x","detail":"新增部门“黄石某局”"}]`)) {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := send("p-sysadmin", "单位.csv", csv, "from", "2020-01-01"); a.problem.Code != "unit_backdated" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := send("p-sysadmin", "单位.csv", csv); a.status != 200 || !bytes.Contains(a.raw, []byte(`"created":1`)) {
		t.Errorf("%d %s", a.status, a.raw)
	}
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"an empty file": {nil, "import_unreadable"}, "a picture": {picture(), "import_column_absent"}, "a broken workbook": {[]byte("PK\x03\x04 nothing"), "import_unreadable"},
		"another table": {[]byte("姓名,电话\n张三,1\n"), "import_column_absent"}, "a huge file": {make([]byte, maxTable+100), "file_too_large"}, "a file beyond all": {make([]byte, maxTable+1<<20), "file_needed"},
	} {
		if a := send("sysadmin", "x", c.data); a.problem.Code != c.code || a.wrong() != "" {
			t.Errorf("%s: %d %s %s", name, a.status, a.raw, a.wrong())
		}
	}
	if a := w.as("sysadmin", "GET", "/api/v1/admin/units/template", nil); a.status != 200 || !bytes.Contains(a.raw, []byte("单位编码,单位名称")) {
		t.Errorf("template: %d %s", a.status, a.raw)
	}
}

func TestAccountsAndGrants(t *testing.T) {
	w := newWorld(t)
	const at, grants = "/api/v1/admin/accounts", "/api/v1/admin/grants"
	type page struct {
		Items []AccountOut `json:"items"`
		Next  string       `json:"next"`
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		p := ok[page](w, "sysadmin", "GET", at+"?limit=7&cursor="+cursor, nil)
		for _, x := range p.Items {
			if seen[x.Username] || strings.HasPrefix(x.Username, "h-") || strings.HasPrefix(x.Username, "p-") || x.Username == "province" {
				t.Errorf("%s twice, or of another platform", x.Username)
			}
			seen[x.Username] = true
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 24 {
		t.Errorf("%d accounts of the city", len(seen))
	}
	if p := ok[page](w, "p-sysadmin", "GET", at+"?role=supervisor", nil); len(p.Items) != 2 || p.Items[0].RoleLabel != "督办员" || p.Items[0].StateLabel != "启用" || p.Items[0].Unit.Name == "" {
		t.Errorf("%+v", p.Items)
	}
	if p := ok[page](w, "sysadmin", "GET", at+"?unit="+unitID(w, "D420100-chengguan")+"&q=甲kb", nil); len(p.Items) != 1 || p.Items[0].Username != "kb_editor" {
		t.Errorf("%+v", p.Items)
	}
	w.refused("unit_outside_scope", "sysadmin", "GET", at+"?unit="+unitID(w, "P420200"), nil)

	unit := unitID(w, "D420100-chengguan")
	made := ok[AccountOut](w, "sysadmin", "POST", at, map[string]any{"username": "newcomer", "name": "新人", "role": "handler", "unit": unit, "password": "Vf7#mountain-lake", "reason": "新进人员"})
	if made.State != access.StatePending {
		t.Fatalf("%+v", made)
	}
	login := map[string]any{"username": "newcomer", "password": "Vf7#mountain-lake"}
	if a := w.as("", "POST", "/api/v1/login", login); a.problem.Code != "account_pending" || a.wrong() != "" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	for code, in := range map[string]map[string]any{
		"username_taken":        {"username": "newcomer", "name": "新人", "role": "handler", "unit": unit},
		"account_invalid":       {"username": "新人😀", "name": "新人", "role": "handler", "unit": unit},
		"password_weak":         {"username": "n2", "name": "新人", "role": "handler", "unit": unit, "password": "12345678"},
		"account_outside_scope": {"username": "n2", "name": "新人", "role": "handler", "unit": unitID(w, "P420200")},
		"admin_roles_exclusive": {"username": "n2", "name": "新人", "role": "auditor", "unit": unit, "person": "agent"},
		"request_invalid":       {"username": "n2", "name": "新人", "role": "handler", "unit": "城管委"},
	} {
		w.refused(code, "sysadmin", "POST", at, in)
	}
	w.refused("account_invalid", "sysadmin", "POST", at, map[string]any{"username": "n2", "name": "新人", "role": "citizen", "unit": unit})

	// What a system administrator proposed, a security administrator decides.
	type grantPage struct {
		Items []GrantOut `json:"items"`
		Next  string     `json:"next"`
	}
	open := ok[grantPage](w, "secadmin", "GET", grants+"?state=proposed", nil).Items
	if len(open) != 1 || open[0].Account.Username != "newcomer" || open[0].RoleLabel != "承办经办人" || !open[0].MayDecide || open[0].ProposedBy != "甲sysadmin" {
		t.Fatalf("%+v", open)
	}
	if p := ok[grantPage](w, "p-auditor", "GET", grants, nil).Items; len(p) != 1 || p[0].MayDecide {
		t.Errorf("%+v", p)
	}
	if p := ok[grantPage](w, "h-sysadmin", "GET", grants, nil).Items; len(p) != 0 {
		t.Errorf("another city sees %+v", p)
	}
	grant := fmt.Sprintf("%s/%d", grants, int64(open[0].ID))
	w.refused("role_forbidden", "sysadmin", "POST", grant+"/approve", nil)
	ok[AccountDone](w, "secadmin", "POST", grant+"/approve", map[string]any{"opinion": "同意"})
	w.refused("grant_decided", "secadmin", "POST", grant+"/reject", map[string]any{"opinion": "重复"})
	if a := w.as("", "POST", "/api/v1/login", login); a.status != 200 || a.head.Get("Set-Cookie") == "" {
		t.Errorf("%d %s", a.status, a.raw)
	}

	// Another role, then a refusal.
	id := fmt.Sprint(int64(made.ID))
	if d := ok[AccountDone](w, "sysadmin", "POST", at+"/"+id+"/role", map[string]any{"role": "unit_lead", "reason": "岗位调整"}); d.State != access.GrantProposed || d.Grant == 0 {
		t.Errorf("%+v", d)
	}
	w.refused("grant_open", "sysadmin", "POST", grants, map[string]any{"account": id, "role": "unit_lead", "unit": unit, "reason": "岗位调整"})
	w.refused("account_invalid", "sysadmin", "POST", grants, map[string]any{"account": id, "role": "unit_lead", "unit": unit, "reason": "x"})
	next := ok[grantPage](w, "secadmin", "GET", grants+"?limit=1", nil)
	if len(next.Items) != 1 || next.Next == "" || len(ok[grantPage](w, "secadmin", "GET", grants+"?cursor="+next.Next, nil).Items) != 1 {
		t.Errorf("%+v", next)
	}
	ok[AccountDone](w, "secadmin", "POST", fmt.Sprintf("%s/%d/reject", grants, int64(next.Items[0].ID)), map[string]any{"opinion": "理由不足"})
	w.refused("state_unknown", "secadmin", "GET", grants+"?state=eaten", nil)

	// Reset, lock, unlock.
	reset := ok[AccountDone](w, "sysadmin", "POST", at+"/"+id+"/reset", nil)
	if len(reset.Password) < 12 {
		t.Errorf("%+v", reset)
	}
	ok[AccountDone](w, "sysadmin", "POST", at+"/"+id+"/lock", nil)
	if a := w.as("", "POST", "/api/v1/login", map[string]any{"username": "newcomer", "password": reset.Password}); a.problem.Code != "account_disabled" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	ok[AccountDone](w, "sysadmin", "POST", at+"/"+id+"/unlock", nil)
	if a := w.as("", "POST", "/api/v1/login", map[string]any{"username": "newcomer", "password": reset.Password}); a.status != 200 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	w.refused("account_outside_scope", "h-sysadmin", "POST", at+"/"+id+"/lock", nil)
	w.refused("account_self", "sysadmin", "POST", fmt.Sprintf("%s/%d/lock", at, w.actor("sysadmin").Account), nil)
	w.refused("account_absent", "sysadmin", "POST", at+"/77/reset", nil)
}

func TestCalendarReplayAndAudit(t *testing.T) {
	w := newWorld(t)
	w.seed()
	ctx := context.Background()
	year := ok[CalendarOut](w, "sysadmin", "GET", "/api/v1/admin/calendar?year=2026", nil)
	if !year.Has || len(year.Days) != 365 || year.Days[0].Note != "元旦" || year.Days[0].Work {
		t.Errorf("%+v", year.Days[:3])
	}
	for _, d := range year.Days {
		if d.Note == "周末" {
			t.Fatalf("a plain weekend is no holiday: %+v", d)
		}
	}
	if next := ok[CalendarOut](w, "province", "GET", "/api/v1/admin/calendar?year=2027", nil); next.Has || next.Warning == "" || len(next.Days) != 365 {
		t.Errorf("%+v", next.Warning)
	}

	// The replay compares what was suggested then with the catalogue of then.
	sugg := &ticket.Suggestion{Unit: w.units["D420100-shuiwu"].ID, Confidence: 1}
	made, err := w.api.Ticket.Create(ctx, w.actor("agent"), ticket.Intake{Type: "投诉", Category: category.Default().All(3)[0].Code, Region: "420111", Title: "路面破损", Content: "关山大道路面破损，请修补。",
		Requester: ticket.Requester{Kind: "个人", Phone: "13800001111"}, Secrecy: ticket.SecrecyNormal, Channel: "phone", Platform: w.units["P420100"].ID, Status: ticket.ToDispatch, Suggestion: sugg})
	if err != nil {
		t.Fatal(err)
	}
	ok[ActionOut](w, "dispatcher", "POST", "/api/v1/batch/dispatch", map[string]any{"items": []any{map[string]any{"id": fmt.Sprint(made.ID), "version": made.Version, "unit": unitID(w, "C420111")}}})
	rep := ok[ReplayOut](w, "sysadmin", "GET", "/api/v1/admin/catalogue/replay?month=2026-11", nil)
	if rep.Dispatched != 2 || rep.Total != 1 || rep.Different != 1 || len(rep.Items) != 1 || rep.Items[0].Number != made.Number || rep.Items[0].ThenName != "武汉市水务局" || strings.Contains(rep.Items[0].Title, "路面破损，") {
		t.Errorf("%+v", rep)
	}
	if rep := ok[ReplayOut](w, "province", "GET", "/api/v1/admin/catalogue/replay?month=2026-11", nil); rep.Dispatched != 3 {
		t.Errorf("the province replays all: %+v", rep)
	}
	if rep := ok[ReplayOut](w, "h-sysadmin", "GET", "/api/v1/admin/catalogue/replay?month=2026-10", nil); rep.Dispatched != 0 || rep.Items == nil {
		t.Errorf("%+v", rep)
	}

	// The audit.
	ok[TicketOut](w, "dispatcher", "GET", "/api/v1/tickets/"+w.id("handled"), nil)
	w.call(request{method: "POST", path: "/api/v1/login", body: `{"username":"dispatcher","password":"Wrong-2026"}`})
	type page struct {
		Items []AuditRow `json:"items"`
		Next  string     `json:"next"`
	}
	rows := ok[page](w, "p-auditor", "GET", "/api/v1/audit?op=ticket.*&actor=dispatcher&ticket="+w.made["handled"].Number, nil).Items
	if len(rows) != 1 || rows[0].Subject != w.made["handled"].Number || rows[0].OpLabel != "查看工单" || rows[0].Name != "甲dispatcher" || rows[0].Unit != "武汉市12345平台" || rows[0].Outcome != "ok" {
		t.Errorf("%+v", rows)
	}
	if byName := ok[page](w, "p-auditor", "GET", "/api/v1/audit?op=ticket.view&actor=甲dispatcher&from=2026-11-23&to=2026-11-23", nil).Items; len(byName) != 1 {
		t.Errorf("%+v", byName)
	}
	if none := ok[page](w, "p-auditor", "GET", "/api/v1/audit?actor=nobody", nil).Items; none == nil || len(none) != 0 {
		t.Errorf("%+v", none)
	}
	if none := ok[page](w, "p-auditor", "GET", "/api/v1/audit?from=2026-11-24", nil).Items; len(none) != 0 {
		t.Errorf("%+v", none)
	}
	if failed := ok[page](w, "p-auditor", "GET", "/api/v1/audit?op=login_failed", nil).Items; len(failed) != 1 || failed[0].Outcome != "refused" || failed[0].OutcomeLabel != "密码错误" || failed[0].Subject != "甲dispatcher" {
		t.Errorf("%+v", failed)
	}
	seen := map[ID]bool{}
	for cursor := ""; ; {
		p := ok[page](w, "auditor", "GET", "/api/v1/audit?limit=5&cursor="+cursor, nil)
		for _, r := range p.Items {
			if seen[r.ID] || strings.Contains(r.Unit, "黄石") || strings.Contains(r.Unit, "湖北省") || r.OpLabel == "" || r.OpLabel == "其他操作" {
				t.Errorf("twice, of another platform, or without a word: %+v", r)
			}
			seen[r.ID] = true
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d lines", len(seen))
	}
	who := ok[struct{ Items []ViewerOut }](w, "auditor", "GET", "/api/v1/audit/viewers?number="+w.made["handled"].Number, nil).Items
	if !slices.ContainsFunc(who, func(v ViewerOut) bool { return v.Name == "甲dispatcher" && v.Op == "查看工单" }) {
		t.Errorf("%+v", who)
	}
	for range 3 {
		if _, err := w.api.Log.SealNow(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := w.api.Audit.SealNow(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.api.Audit.Checkpoint(ctx, "event"); err != nil {
		t.Fatal(err)
	}
	v := ok[VerifyOut](w, "p-auditor", "POST", "/api/v1/audit/verify", map[string]any{})
	if !v.Intact || len(v.Logs) != 2 || v.Logs[0].Count == 0 || v.Logs[0].Checkpoints != 1 || v.Logs[1].Count == 0 || v.Broken != nil || !strings.Contains(v.Text, "完整无改动") {
		t.Errorf("%+v", v)
	}
	if a := w.call(request{method: http.MethodGet, path: "/api/v1/audit", token: w.token["dispatcher"]}); a.problem.Code != "role_forbidden" {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

// A change that is decided for a later day is told beside what holds today.
func TestLaterChangeOfAUnitIsTold(t *testing.T) {
	w := newWorld(t)
	type page struct{ Items []AdminUnit }
	find := func() AdminUnit {
		t.Helper()
		items := ok[page](w, "sysadmin", "GET", "/api/v1/admin/units?q=武汉市水务局", nil).Items
		if len(items) != 1 {
			t.Fatalf("%d units", len(items))
		}
		return items[0]
	}
	u := find()
	if u.Next != "" {
		t.Errorf("nothing is decided: %q", u.Next)
	}
	path := "/api/v1/admin/units/" + fmt.Sprint(int64(u.ID))
	ok[AdminUnit](w, "sysadmin", "PUT", path, map[string]any{"name": "武汉市水利和湖泊局", "version": u.Version, "from": "2026-12-01"})
	if u = find(); u.Name != "武汉市水务局" || !strings.HasPrefix(u.Next, "2026年12月1日起，名称改为“武汉市水利和湖泊局”") {
		t.Errorf("%s: %q", u.Name, u.Next)
	}
}
