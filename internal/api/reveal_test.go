package api

import (
	"fmt"
	"strings"
	"testing"
)

// A sealed field over HTTP: asked by the cell, decided by the privacy officer
// of the platform, seen once.
func TestSealedFieldOverHTTP(t *testing.T) {
	w := newWorld(t)
	w.seed()
	at := "/api/v1/tickets/" + w.id("report") + "/reveal-requests"
	want := map[string]any{"field": "phone", "reason_code": "identity", "reason": "核对举报人身份后组织现场核查"}
	type ofTicket struct {
		Fields []string
		Items  []RevealRequestOut
	}
	mine := ok[ofTicket](w, "cell", "GET", at, nil)
	if len(mine.Fields) != 4 || len(mine.Items) != 0 {
		t.Errorf("%+v", mine)
	}
	w.refused("second_person_needed", "cell", "POST", "/api/v1/tickets/"+w.id("report")+"/reveal", map[string]any{"field": "phone", "reason_code": "identity"})
	w.refused("ticket_not_found", "h-cell", "POST", at, want)
	w.refused("role_forbidden", "privacy", "POST", at, want)
	r := ok[RevealRequestOut](w, "cell", "POST", at, want)
	if r.State != "pending" || r.StateLabel != "待批准" || r.FieldLabel != "联系电话" || r.PurposeLabel != "核对身份" || len(r.Actions) != 0 {
		t.Errorf("%+v", r)
	}
	decide := fmt.Sprintf("/api/v1/reveal-requests/%d/decide", int64(r.ID))
	pass := map[string]any{"decision": "pass", "opinion": "理由充分，同意。"}
	w.refused("reveal_request_not_found", "h-privacy", "POST", decide, pass)
	w.refused("role_forbidden", "cell", "POST", decide, pass)
	type list struct{ Items []RevealRequestOut }
	if got := ok[list](w, "h-privacy", "GET", "/api/v1/reveal-requests", nil); len(got.Items) != 0 {
		t.Errorf("another city sees %+v", got)
	}
	type counts struct{ Menus map[string]int64 }
	if got := ok[counts](w, "privacy", "GET", "/api/v1/me/counts", nil); got.Menus["privacy"] != 1 {
		t.Errorf("the badge: %+v", got)
	}
	got := ok[list](w, "privacy", "GET", "/api/v1/reveal-requests?state=pending", nil)
	if len(got.Items) != 1 || got.Items[0].Number != w.made["report"].Number || len(got.Items[0].Actions) != 1 {
		t.Fatalf("%+v", got)
	}
	if a := w.as("privacy", "POST", decide, pass); a.status != 200 || strings.Contains(string(a.raw), "13800002671") {
		t.Errorf("decide: %d %s", a.status, a.raw)
	}
	w.refused("ticket_not_found", "privacy", "GET", "/api/v1/tickets/"+w.id("report"), nil)
	shown := ok[struct{ Value string }](w, "cell", "POST", "/api/v1/tickets/"+w.id("report")+"/reveal", map[string]any{"field": "phone", "reason_code": "identity"})
	if shown.Value != "13800002671" {
		t.Errorf("shown %q", shown.Value)
	}
	w.refused("second_person_needed", "cell", "POST", "/api/v1/tickets/"+w.id("report")+"/reveal", map[string]any{"field": "phone", "reason_code": "identity"})
	type quotas struct{ Items []RevealQuotaOut }
	if q := ok[quotas](w, "privacy", "GET", "/api/v1/privacy/quotas", nil); len(q.Items) != 1 || q.Items[0].Used != 1 || q.Items[0].Limit != 60 || q.Items[0].Name != "甲cell" {
		t.Errorf("%+v", q)
	}
	w.refused("reveal_alarm_not_found", "privacy", "POST", "/api/v1/privacy/quotas/seen", map[string]any{"account": "7"})
}
