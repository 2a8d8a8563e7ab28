package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/category"
	"hotline/internal/dispatch"
	"hotline/internal/policy"
	"hotline/internal/ticket"
)

const policies = "/api/v1/admin/policies"

func TestPolicies(t *testing.T) {
	w := newWorld(t)
	kinds := ok[struct{ Items []PolicyKind }](w, "province", "GET", policies, nil).Items
	for _, k := range []string{"limits", "categories", "catalogue", "calendar", "rules", "account"} {
		if !slices.ContainsFunc(kinds, func(x PolicyKind) bool { return x.Kind == k && han.MatchString(x.Label) }) {
			t.Errorf("no kind %s in %+v", k, kinds)
		}
	}
	wuhan, huangshi := unitID(w, "P420100"), unitID(w, "P420200")

	rules := ok[PolicyOut](w, "sysadmin", "GET", policies+"/rules", nil)
	if rules.MayPublish || rules.City || !strings.Contains(string(rules.Current.Doc), `"edges"`) {
		t.Errorf("%+v", rules)
	}
	w.refused("policy_kind_unknown", "sysadmin", "GET", policies+"/luck", nil)
	w.refused("platform_unknown", "sysadmin", "GET", policies+"/limits?platform="+unitID(w, "C420111"), nil)
	w.refused("unit_outside_scope", "sysadmin", "GET", policies+"/limits?platform="+huangshi, nil)
	w.refused("not_found", "sysadmin", "GET", policies+"/limits?platform=wuhan", nil)

	// A city tightens what the province set, and never loosens.
	var rows []category.LimitRow
	if err := json.Unmarshal(ok[PolicyOut](w, "sysadmin", "GET", policies+"/limits", nil).Current.Doc, &rows); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(rows, func(r category.LimitRow) bool { return r.Kind == "办理" && r.Unit == "工作日" && r.N > 2 })
	tight := slices.Clone(rows)
	tight[at].N--
	body := func(doc any, platform string) map[string]any {
		b := map[string]any{"doc": doc, "note": "本市承诺提前一个工作日"}
		if platform != "" {
			b["platform"] = platform
		}
		return b
	}
	done := ok[PolicyDone](w, "sysadmin", "POST", policies+"/limits", body(tight, wuhan))
	if done.No != 1 || !strings.Contains(done.Message, "武汉市12345平台“办理时限”第1版已发布") || done.Job != 0 {
		t.Errorf("%+v", done)
	}
	own := ok[PolicyOut](w, "sysadmin", "GET", policies+"/limits?platform="+wuhan, nil)
	if !own.MayPublish || own.Current.No != 1 || own.Parent == nil || own.Parent.No != 0 || len(own.Diff) != 1 || len(own.Versions) != 1 || own.Versions[0].By != "甲sysadmin" || own.Versions[0].Note == "" {
		t.Errorf("%+v %v", own.Versions, own.Diff)
	}
	if other := ok[PolicyOut](w, "h-sysadmin", "GET", policies+"/limits?platform="+huangshi, nil); other.Current.No != 0 || len(other.Diff) != 0 {
		t.Errorf("%+v", other.Versions)
	}
	// A version of any time opens beside the one that it took the place of.
	version := func(v ID) string { return fmt.Sprintf("%s/limits/versions/%d", policies, v) }
	limit := func(doc json.RawMessage) int {
		var read []category.LimitRow
		if err := json.Unmarshal(doc, &read); err != nil {
			t.Fatal(err)
		}
		return read[at].N
	}
	if past := ok[PolicyPast](w, "sysadmin", "GET", version(done.ID), nil); past.Version.No != 1 || past.Before.No != 0 || limit(past.Version.Doc) != tight[at].N || limit(past.Before.Doc) != rows[at].N {
		t.Errorf("%+v", past)
	}
	w.refused("unit_outside_scope", "h-sysadmin", "GET", version(done.ID), nil)
	w.refused("policy_version_absent", "sysadmin", "GET", version(done.ID+1), nil)
	w.refused("not_found", "sysadmin", "GET", policies+"/limits/versions/first", nil)
	loose := slices.Clone(rows)
	loose[at].N += 5
	if p := w.refused("limit_loosened", "sysadmin", "POST", policies+"/limits", body(loose, wuhan)); len(p.Errors) == 0 || p.Errors[0].Name != rows[at].ID {
		t.Errorf("%+v", p.Errors)
	}
	w.refused("policy_unchanged", "sysadmin", "POST", policies+"/limits", body(tight, wuhan))

	// Who publishes what.
	for _, c := range []struct{ who, platform, kind, code string }{
		{"sysadmin", "", "limits", "policy_province_only"}, {"sysadmin", huangshi, "limits", "unit_outside_scope"}, {"sysadmin", wuhan, "calendar", "policy_province_only"},
		{"p-sysadmin", wuhan, "limits", "policy_other_platform"}, {"province", wuhan, "limits", "policy_other_platform"}, {"dispatcher", "", "limits", "role_forbidden"}, {"p-secadmin", "", "account", "role_forbidden"},
	} {
		w.refused(c.code, c.who, "POST", policies+"/"+c.kind, body(tight, c.platform))
	}
	// The province's stricter version makes a looser city visible.
	strict := slices.Clone(rows)
	strict[at].N -= 2
	if done := ok[PolicyDone](w, "province", "POST", policies+"/limits", body(strict, "")); len(done.Loosened) != 1 || done.Loosened[0] != "武汉市12345平台" {
		t.Errorf("%+v", done)
	}
	for who, query := range map[string]string{"province": "", "sysadmin": "?platform=" + wuhan} {
		if seen := ok[PolicyOut](w, who, "GET", policies+"/limits"+query, nil); len(seen.Loosened) != 1 || seen.Loosened[0] != "武汉市12345平台" {
			t.Errorf("%s sees %v", who, seen.Loosened)
		}
	}
	// Dated ahead, it is listed and not yet in force.
	later := body(rows, "")
	later["effective_from"] = "2026-12-01 09:00"
	ok[PolicyDone](w, "p-sysadmin", "POST", policies+"/limits", later)
	if p := ok[PolicyOut](w, "province", "GET", policies+"/limits", nil); p.Current.No != 1 || len(p.Versions) != 2 || p.Versions[0].No != 2 || !p.MayPublish {
		t.Errorf("%+v", p.Versions)
	}

	// Every publication is in the audit, with its reason.
	entries, _, err := w.api.Audit.Search(t.Context(), audit.Filter{Op: "config", SubjectKind: "policy"}, 10)
	if err != nil || len(entries) != 3 || entries[0].Reason != "本市承诺提前一个工作日" || entries[0].Query != "limits" {
		t.Errorf("%+v %v", entries, err)
	}
}

func TestPoliciesRefuseBadDocuments(t *testing.T) {
	w := newWorld(t)
	edge := strings.Replace(string(ticket.DefaultRules()), `"guards":["category_set"`, `"guards":["luck"`, 1)
	account := access.DemoRules()
	account.MinLength = 3
	for _, c := range []struct{ kind, body, code string }{
		{"limits", `{"doc":null}`, "policy_doc_invalid"}, {"limits", `{"doc":5}`, "policy_doc_invalid"}, {"limits", `{"doc":"x"}`, "policy_doc_invalid"}, {"limits", `{"doc":{}}`, "policy_doc_invalid"}, {"limits", `{"doc":[]}`, "policy_doc_invalid"},
		{"limits", `{"note":"x"}`, "request_invalid"}, {"limits", `{"doc":{"a":1}}`, "limit_invalid"}, {"limits", `{"doc":[{"id":"x","kind":"办理","n":-1,"unit":"年"}]}`, "limit_invalid"}, {"limits", `{"doc":["😀"]}`, "limit_invalid"},
		{"rules", `{"doc":{"edges":5}}`, "rules_invalid"}, {"rules", `{"doc":{"edges":[]}}`, "rules_invalid"}, {"rules", `{"doc":` + edge + `}`, "rules_invalid"},
		{"categories", `{"doc":{"categories":[{"code":"1"}]}}`, "category_version"}, {"categories", `{"doc":{"cats":1}}`, "category_json"}, {"categories", `{"doc":[1]}`, "category_json"},
		{"catalogue", `{"doc":{"rules":[]}}`, "catalogue_invalid"}, {"catalogue", `{"doc":{"rules":[{"id":"a","category":"1"}]}}`, "catalogue_invalid"}, {"catalogue", `{"doc":[1]}`, "catalogue_invalid"},
		{"calendar", `{"doc":{"years":5}}`, "calendar_invalid"}, {"calendar", `{"doc":[1]}`, "calendar_invalid"}, {"calendar", `{"doc":{"version":5}}`, "calendar_invalid"}, {"calendar", `{"doc":{"x":1}}`, "calendar_invalid"},
		{"calendar", `{"doc":{"years":{"2027.txt":"2027-01-01 休 元旦"}}}`, "calendar_year_missing"}, {"calendar", `{"doc":{"years":{"2027.txt":"2027-13-01 休 元旦"}}}`, "calendar_line"},
		{"calendar", `{"doc":{"years":{"next":"2027-01-01 休 元旦"}}}`, "calendar_file"}, {"calendar", `{"doc":{"years":{"2027.txt":""}}}`, "calendar_empty"},
		{"account", `{"doc":` + string(account.JSON()) + `}`, "account_policy_invalid"}, {"account", `{"doc":[1]}`, "account_policy_invalid"},
		{"limits", `{"doc":[{}],"effective_from":"2020-01-01"}`, "policy_backdated"}, {"limits", `{"doc":[{}],"effective_from":"soon"}`, "date_invalid"}, {"limits", `{"doc":[{}],"effective_from":"9999-01-01"}`, "date_invalid"},
		{"limits", `{"doc":[{}],"note":"` + strings.Repeat("长", 501) + `"}`, "request_invalid"}, {"limits", `{"doc":[{}],"platform":"武汉"}`, "request_invalid"}, {"limits", `{"doc":[{}],"platform":"77"}`, "platform_unknown"}, {"luck", `{"doc":{"a":1}}`, "policy_kind_unknown"},
		{"limits", `{"doc":["` + strings.Repeat("大", 400_000) + `"]}`, "too_large"}, {"notices", `{"doc":{"accepted":"短"}}`, "notices_invalid"}, {"measures", `{"doc":{"measures":[{"name":"x"}]}}`, "measures_invalid"}, {"measures", `{"doc":{"measures":[]}}`, "measures_invalid"},
		{"notices", `{"doc":{"x":"您的诉求已经收到。"}}`, "notices_invalid"}, {"categories", `{"doc":{"version":"x","categories":[]}}`, "category_empty"}, {"lines", `{"doc":[1]}`, "lines_invalid"},
	} {
		w.refused(c.code, "p-sysadmin", "POST", policies+"/"+c.kind, c.body)
	}
}

// What the console read with names beside the codes, it may publish as it is:
// the document that is kept has none of them.
func TestCatalogueRoundTrip(t *testing.T) {
	w := newWorld(t)
	read := ok[PolicyOut](w, "sysadmin", "GET", policies+"/catalogue?platform="+unitID(w, "P420100"), nil)
	var doc struct {
		Rules  []map[string]any `json:"rules"`
		Duties []struct{ Code, Name string }
	}
	if err := json.Unmarshal(read.Current.Doc, &doc); err != nil || len(doc.Duties) < 20 || len(doc.Rules) < 400 {
		t.Fatalf("%d duties, %d rules: %v", len(doc.Duties), len(doc.Rules), err)
	}
	doc.Rules[0]["unit"], doc.Rules[0]["unit_name"], doc.Rules[0]["region"] = "D420100-shuiwu", "武汉市水务局", "420111"
	ok[PolicyDone](w, "sysadmin", "POST", policies+"/catalogue", map[string]any{"platform": unitID(w, "P420100"), "doc": map[string]any{"rules": doc.Rules, "duties": doc.Duties}, "note": "指定承办单位"})
	_, kept := w.api.Policy.At(dispatch.PolicyCatalogue, w.units["P420100"].ID, w.c.Now())
	if strings.Contains(string(kept), "_name") || strings.Contains(string(kept), "duties") || !strings.Contains(string(kept), "D420100-shuiwu") {
		t.Errorf("%.200s", kept)
	}
	again := ok[PolicyOut](w, "sysadmin", "GET", policies+"/catalogue?platform="+unitID(w, "P420100"), nil)
	if len(again.Diff) < 2 || !strings.Contains(string(again.Current.Doc), `"unit_name":"武汉市水务局"`) || !strings.Contains(string(again.Current.Doc), `"region_name":"武汉市洪山区"`) {
		t.Errorf("%v", again.Diff)
	}
	// The categories as read can be published as they are, too.
	cats := ok[PolicyOut](w, "province", "GET", policies+"/categories", nil)
	ok[PolicyDone](w, "province", "POST", policies+"/categories", map[string]any{"doc": cats.Current.Doc, "note": "重新发布"})
}

// A new year is entered from what the calendar page reads; what is open is
// re-dated when it takes effect, and the ticket says so.
func TestCalendarRedatesOpenTickets(t *testing.T) {
	w := newWorld(t)
	w.seed()
	years := map[string]string{}
	for y := 2020; y <= 2027; y++ {
		var lines []string
		for _, d := range ok[CalendarOut](w, "p-sysadmin", "GET", fmt.Sprintf("/api/v1/admin/calendar?year=%d", y), nil).Days {
			date, _ := time.Parse(time.DateOnly, d.Date)
			weekend := date.Weekday() == time.Saturday || date.Weekday() == time.Sunday
			switch {
			case d.Work && weekend:
				lines = append(lines, d.Date+" 班 "+d.Note)
			case !d.Work && (!weekend || d.Note != ""):
				lines = append(lines, d.Date+" 休 "+d.Note)
			}
		}
		switch y {
		case 2026:
			lines = append(lines, "2026-11-25 休 测试")
		case 2027:
			lines = []string{"2027-01-01 休 元旦"}
		}
		years[fmt.Sprintf("%d.txt", y)] = strings.Join(lines, "\n")
	}
	before := ok[TicketOut](w, "dispatcher", "GET", "/api/v1/tickets/"+w.id("handled"), nil)
	publish := func(note string) PolicyDone {
		return ok[PolicyDone](w, "p-sysadmin", "POST", policies+"/calendar", map[string]any{"doc": map[string]any{"version": "2027年放假安排", "years": years}, "effective_from": "2026-11-23 12:00", "note": note})
	}
	first := publish("国办发明电〔2026〕7号")
	if first.Job == 0 {
		t.Fatalf("%+v", first)
	}
	if n, err := w.api.Jobs.RunOnce(t.Context()); n != 0 || err != nil {
		t.Fatal("too early", n, err)
	}
	w.c.Advance(3 * time.Hour)
	if n, err := w.api.Jobs.RunOnce(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if job := ok[JobOut](w, "p-sysadmin", "GET", fmt.Sprintf("/api/v1/jobs/%d", int64(first.Job)), nil); job.State != "done" {
		t.Errorf("%+v", job)
	}
	after := ok[TicketOut](w, "dispatcher", "GET", "/api/v1/tickets/"+w.id("handled"), nil)
	was, _ := time.Parse(time.RFC3339, before.Due)
	now, _ := time.Parse(time.RFC3339, after.Due)
	if !now.After(was) || after.Version <= before.Version {
		t.Errorf("due %s, was %s", after.Due, before.Due)
	}
	if steps := ok[struct{ Items []TimelineRow }](w, "dispatcher", "GET", "/api/v1/tickets/"+w.id("handled")+"/timeline", nil).Items; !slices.ContainsFunc(steps, func(r TimelineRow) bool { return r.Kind == "ticket.redate" && r.Label == "时限重算" && !r.Public }) {
		t.Errorf("%+v", steps)
	}
	// The same name again is another edition: a clock tells them apart.
	years["2026.txt"] = strings.Replace(years["2026.txt"], "2026-11-25 休 测试", "", 1)
	w.c.Set(w.c.Now().Add(time.Minute))
	second := ok[PolicyDone](w, "p-sysadmin", "POST", policies+"/calendar", map[string]any{"doc": map[string]any{"version": "2027年放假安排（第1版）", "years": years}, "note": "更正"})
	var doc struct{ Version string }
	if _, kept, err := w.api.Policy.ByID(ticket.PolicyCalendar, int64(second.ID)); err != nil || json.Unmarshal(kept, &doc) != nil || doc.Version != "2027年放假安排（第2版）" {
		t.Errorf("%q %v", doc.Version, err)
	}
	if n, err := w.api.Jobs.RunOnce(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if back := ok[TicketOut](w, "dispatcher", "GET", "/api/v1/tickets/"+w.id("handled"), nil); back.Due != before.Due {
		t.Errorf("due %s, not back at %s", back.Due, before.Due)
	}
	if cal := w.api.Ticket.Calendar(policy.Province); !cal.HasYear(2027) {
		t.Error("2027 was not entered")
	}
}
