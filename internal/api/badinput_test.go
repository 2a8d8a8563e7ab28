package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// intakeBody is a good request of a seat with one thing changed.
func intakeBody(change string, value any) map[string]any {
	b := map[string]any{"way": "dispatch", "type": "投诉", "title": "路灯不亮", "content": "关山大道路灯连续三天不亮，请安排维修。", "category": "040101", "region": "420111",
		"requester": map[string]any{"name": "王先生", "phone": "13800001111"}}
	if change != "" {
		b[change] = value
	}
	return b
}

// Bad input is refused with a stable code and a clear Chinese sentence, on
// every face of the API; never with a failure, and never taken half.
func TestBadInput(t *testing.T) {
	w := newWorld(t)
	w.seed()
	long := strings.Repeat("长", 30_000)
	ticket := "/api/v1/tickets/" + w.id("handled")
	note := ticket + "/actions/note"
	for _, c := range []struct {
		what, who, method, path string
		body                    any
		head                    map[string]string
		code                    string // with the name of the first input at fault
	}{
		// The form of the request.
		{"too large", "agent", "POST", "/api/v1/tickets", intakeBody("content", strings.Repeat("大", 400_000)), nil, "too_large"},
		{"not JSON", "agent", "POST", "/api/v1/tickets", `{"way":`, nil, "request_invalid"},
		{"not JSON at all", "agent", "POST", "/api/v1/tickets", "你好", nil, "request_invalid"},
		{"a list for an object", "agent", "POST", "/api/v1/tickets", `[1,2]`, nil, "request_invalid"},
		{"not UTF-8", "agent", "POST", "/api/v1/tickets", []byte("{\"way\":\"dispatch\",\"type\":\"\xff\xfe\",\"content\":\"\xff\"}"), nil, "intake_invalid/type"},
		{"no body", "agent", "POST", "/api/v1/tickets", nil, nil, "request_invalid"},
		{"a form", "agent", "POST", "/api/v1/tickets", "way=dispatch", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "content_type"},
		{"plain text", "agent", "POST", "/api/v1/login", "x", map[string]string{"Content-Type": "text/plain"}, "content_type"},
		{"an unknown input", "agent", "POST", "/api/v1/tickets", intakeBody("secret_field", 1), nil, "request_invalid"},
		{"a number for text", "agent", "POST", "/api/v1/tickets", intakeBody("content", 5), nil, "request_invalid"},
		{"text for a list", "agent", "POST", "/api/v1/tickets", intakeBody("points", "一"), nil, "request_invalid"},
		{"text for an id", "agent", "POST", "/api/v1/tickets", intakeBody("attachments", []any{"附件"}), nil, "request_invalid"},
		{"a page too long", "dispatcher", "GET", "/api/v1/tickets?limit=100000", nil, nil, "request_invalid"},
		{"a page that is no number", "dispatcher", "GET", "/api/v1/tickets?limit=many", nil, nil, "request_invalid"},
		{"a word too long", "dispatcher", "GET", "/api/v1/tickets?q=" + strings.Repeat("x", 400), nil, nil, "request_invalid"},
		{"a made-up cursor", "dispatcher", "GET", "/api/v1/tickets?cursor=abc", nil, nil, "cursor_invalid"},
		{"no such queue", "dispatcher", "GET", "/api/v1/tickets?queue=none", nil, nil, "filter_unknown/queue"},
		{"no such status", "dispatcher", "GET", "/api/v1/tickets?status=none", nil, nil, "filter_unknown/status"},
		{"a type nobody has", "dispatcher", "GET", "/api/v1/tickets?type=%F0%9F%98%80", nil, nil, "filter_unknown/type"},
		{"no such urgency", "dispatcher", "GET", "/api/v1/tickets?urgency=now", nil, nil, "filter_unknown/urgency"},
		{"no such place", "dispatcher", "GET", "/api/v1/tickets?region=990000", nil, nil, "filter_unknown/region"},
		{"no such matter", "dispatcher", "GET", "/api/v1/tickets?category=999999", nil, nil, "filter_unknown/category"},
		{"no page", "dispatcher", "GET", "/api/v1/queues?page=none", nil, nil, "page_unknown"},
		{"an id of letters", "dispatcher", "GET", "/api/v1/tickets/abc", nil, nil, "not_found"},
		{"an emoji for an id", "dispatcher", "GET", "/api/v1/tickets/%F0%9F%98%80", nil, nil, "not_found"},
		{"an id too long", "dispatcher", "GET", "/api/v1/tickets/99999999999999999999", nil, nil, "not_found"},
		{"a negative id", "dispatcher", "GET", "/api/v1/tickets/-5", nil, nil, "not_found"},
		{"an emoji for a number", "dispatcher", "GET", "/api/v1/tickets/lookup?number=%F0%9F%98%80", nil, nil, "ticket_not_found"},
		// A request of a citizen.
		{"no such type", "agent", "POST", "/api/v1/tickets", intakeBody("type", "吐槽"), nil, "intake_invalid/type"},
		{"no such category", "agent", "POST", "/api/v1/tickets", intakeBody("category", "999999"), nil, "category_unknown"},
		{"an emoji for a category", "agent", "POST", "/api/v1/tickets", intakeBody("category", "😀"), nil, "category_unknown"},
		{"no such region", "agent", "POST", "/api/v1/tickets", intakeBody("region", "990000"), nil, "intake_invalid/region"},
		{"no such way", "agent", "POST", "/api/v1/tickets", intakeBody("way", "eat"), nil, "request_invalid"},
		{"no such urgency", "agent", "POST", "/api/v1/tickets", intakeBody("urgency", "火急"), nil, "intake_invalid/urgency"},
		{"no such secrecy", "agent", "POST", "/api/v1/tickets", intakeBody("secrecy", "most"), nil, "intake_invalid/secrecy"},
		{"no such channel", "agent", "POST", "/api/v1/tickets", intakeBody("channel", "pigeon"), nil, "channel_unknown"},
		{"no content", "agent", "POST", "/api/v1/tickets", intakeBody("content", "  "), nil, "intake_invalid/content"},
		{"content too long", "agent", "POST", "/api/v1/tickets", intakeBody("content", long), nil, "intake_invalid/content"},
		{"only emoji", "agent", "POST", "/api/v1/tickets", intakeBody("content", "😀😀😀"), nil, "intake_invalid/content"},
		{"a phone of letters", "agent", "POST", "/api/v1/tickets", intakeBody("requester", map[string]any{"phone": "一三八"}), nil, "intake_invalid/phone"},
		{"in the future", "agent", "POST", "/api/v1/tickets", intakeBody("occurred_at", "2030-01-01"), nil, "date_out_of_range"},
		{"before the hotline", "agent", "POST", "/api/v1/tickets", intakeBody("occurred_at", "1700-01-01"), nil, "date_out_of_range"},
		{"no date", "agent", "POST", "/api/v1/tickets", intakeBody("occurred_at", "昨天"), nil, "date_invalid"},
		{"no phone to look up", "agent", "POST", "/api/v1/callers/lookup", `{"phone":"abc"}`, nil, "phone_invalid"},
		// A step.
		{"no version", "dispatcher", "POST", ticket + "/actions/relabel", `{"label":"confidential","reason":"涉及个人隐私"}`, nil, "version_required"},
		{"a version of letters", "dispatcher", "POST", ticket + "/actions/relabel", `{}`, map[string]string{"If-Match": "abc"}, "version_invalid"},
		{"a version of yesterday", "dispatcher", "POST", ticket + "/actions/relabel", `{"label":"confidential","reason":"涉及个人隐私"}`, v1, "version_conflict"},
		{"no such action", "dispatcher", "POST", ticket + "/actions/eat", `{}`, v1, "unknown_action"},
		{"a step of another state", "dispatcher", "POST", ticket + "/actions/accept", `{}`, map[string]string{"If-Match": "3"}, "wrong_state"},
		{"no text", "dispatcher", "POST", note, `{}`, nil, "fields_invalid"},
		{"a text too long", "dispatcher", "POST", note, map[string]any{"text": long}, nil, "fields_invalid"},
		{"a list for a text", "dispatcher", "POST", note, `{"text":["一"]}`, nil, "fields_invalid"},
		{"an unknown field", "dispatcher", "POST", note, `{"text":"核实地址。","price":5}`, nil, "fields_invalid"},
		{"an assignment of letters", "handler", "POST", note, `{"text":"核实地址。","assignment":"x"}`, nil, "assignment_invalid"},
		{"no such field", "agent", "POST", ticket + "/reveal", `{"field":"shoe","reason_code":"contact"}`, nil, "request_invalid"},
		{"no such reason", "agent", "POST", ticket + "/reveal", `{"field":"phone","reason_code":"curious"}`, nil, "reason_needed"},
		{"a batch too large", "dispatcher", "POST", "/api/v1/batch/urge", map[string]any{"items": make([]map[string]any, 300)}, nil, "request_invalid"},
		// Lists and measures.
		{"no date to list from", "dispatcher", "GET", "/api/v1/tickets?from=2026-13-45", nil, nil, "date_invalid"},
		{"a date out of range", "dispatcher", "GET", "/api/v1/tickets?from=1850-01-01", nil, nil, "date_invalid"},
		{"no such measure", "province", "GET", "/api/v1/measures?name=luck", nil, nil, "measure_unknown"},
		{"no such grouping", "province", "GET", "/api/v1/measures?name=received&by=colour", nil, nil, "by_invalid"},
		{"a range backwards", "province", "GET", "/api/v1/measures?name=received&from=2026-11-20&to=2026-11-01", nil, nil, "period_invalid/to"},
		{"no such export", "province", "POST", "/api/v1/exports", `{"kind":"everything"}`, nil, "export_kind_invalid/kind"},
		// Knowledge and supervision.
		{"an article without text", "kb_admin", "POST", "/api/v1/knowledge", `{"title":"空","path":"城乡建设/道路","kind":"办事指南","source":"本平台","region":"420100","body":""}`, nil, "knowledge_invalid"},
		{"an article without version", "kb_admin", "POST", "/api/v1/knowledge/" + fmt.Sprint(w.know) + "/actions/submit", `{}`, nil, "version_required"},
		{"no such level", "supervisor", "POST", "/api/v1/supervision", map[string]any{"ticket": w.id("handled"), "unit": unitID(w, "D420100-chengguan"), "level": "whip", "requirement": "请三日内反馈。"}, nil, "level_invalid"},
		// Uploads.
		{"no file", "agent", "POST", "/api/v1/attachments", `{}`, nil, "file_needed"},
		// The audit.
		{"no date", "p-auditor", "GET", "/api/v1/audit?from=yesterday", nil, nil, "date_invalid"},
		{"a date of another age", "p-auditor", "GET", "/api/v1/audit?to=9999-01-01T00:00:00Z", nil, nil, "date_invalid"},
		{"a made-up cursor", "p-auditor", "GET", "/api/v1/audit?cursor=x", nil, nil, "cursor_invalid"},
		{"no such number", "p-auditor", "GET", "/api/v1/audit/viewers?number=1", nil, nil, "ticket_not_found"},
		{"no number", "p-auditor", "GET", "/api/v1/audit/viewers", nil, nil, "request_invalid"},
		{"no month", "p-sysadmin", "GET", "/api/v1/admin/catalogue/replay?month=11-2026", nil, nil, "month_invalid"},
		{"a year out of range", "p-sysadmin", "GET", "/api/v1/admin/calendar?year=1066", nil, nil, "request_invalid"},
	} {
		a := w.call(request{method: c.method, path: c.path, token: w.token[c.who], body: c.body, head: c.head})
		got := a.problem.Code
		if _, field, ok := strings.Cut(c.code, "/"); ok && len(a.problem.Errors) > 0 && a.problem.Errors[0].Name == field {
			got += "/" + field
		}
		if why := a.wrong(); why != "" || a.status < 400 || got != c.code {
			t.Errorf("%s: %s: %d %.260s, want %s", c.what, why, a.status, a.raw, c.code)
		}
	}
}

// Emoji, rare characters and the limits of a text are the citizen's right.
func TestOddButGoodInput(t *testing.T) {
	w := newWorld(t)
	w.seed()
	for _, text := range []string{"路灯坏了😡😡，请尽快维修👨‍👩‍👧！", "𠮷家村的路灯不亮，请尽快维修。", "路灯不亮\u200b，请\u0000尽快\u202e维修。", "路灯<script>alert(1)</script>不亮 '; DROP TABLE ticket; --", "%d %s {{.}} ${x} 路灯不亮"} {
		made := ok[CreatedOut](w, "agent", http.MethodPost, "/api/v1/tickets", intakeBody("content", text))
		got := ok[TicketOut](w, "dispatcher", http.MethodGet, fmt.Sprintf("/api/v1/tickets/%d", int64(made.ID)), nil)
		if strings.Contains(got.Content, "\x00") || !strings.Contains(got.Content, "路灯") {
			t.Errorf("%q became %q", text, got.Content)
		}
	}
}
