package api

import "testing"

func TestZZ(t *testing.T) {
	w := newWorld(t)
	w.seed()
	for _, r := range []request{
		{method: "POST", path: "/api/v1/login", body: `{"username":"a\u0000b","password":"x\u0000y"}`},
		{method: "GET", path: "/api/v1/tickets?q=%00", token: w.token["dispatcher"]},
		{method: "GET", path: "/api/v1/tickets?q=%ff%fe", token: w.token["dispatcher"]},
		{method: "GET", path: "/api/v1/tickets?status=%00&type=%00", token: w.token["dispatcher"]},
		{method: "GET", path: "/api/v1/tickets?queue=%00", token: w.token["dispatcher"]},
		{method: "GET", path: "/api/v1/tickets?region=%00", token: w.token["dispatcher"]},
		{method: "GET", path: "/api/v1/tickets/lookup?number=%00", token: w.token["dispatcher"]},
		{method: "GET", path: "/api/v1/audit?op=%00", token: w.token["p-auditor"]},
		{method: "GET", path: "/api/v1/audit?actor=%00", token: w.token["p-auditor"]},
		{method: "GET", path: "/api/v1/admin/accounts?q=%00&cursor=%00", token: w.token["p-sysadmin"]},
		{method: "GET", path: "/api/v1/admin/accounts?role=%00", token: w.token["p-sysadmin"]},
		{method: "POST", path: "/api/v1/admin/accounts", body: map[string]any{"username": "nn", "name": "a\u0000b", "role": "agent", "unit": unitID(w, "P420100")}, token: w.token["p-sysadmin"]},
		{method: "POST", path: "/api/v1/admin/units", body: map[string]any{"kind": "department", "name": "某\u0000局", "code": "D420100-qq", "region": "420100"}, token: w.token["sysadmin"]},
		{method: "POST", path: "/api/v1/admin/policies/limits", body: `{"doc":[{"id":"\u0000"}],"note":"a\u0000b"}`, token: w.token["p-sysadmin"]},
		{method: "POST", path: "/api/v1/tickets/" + w.id("handled") + "/actions/note", body: `{"text":"核实\u0000地址"}`, token: w.token["dispatcher"]},
		{method: "POST", path: "/api/v1/tickets", body: intakeBody("title", "路\u0000灯"), token: w.token["agent"]},
		{method: "POST", path: "/api/v1/tickets", body: intakeBody("address", "路\u0000灯"), token: w.token["agent"], head: map[string]string{"Idempotency-Key": "a\xff\xfeb"}},
		{method: "PUT", path: "/api/v1/drafts/a%00b", body: `{"title":"a\u0000b","body":{"x\u0000":"y\u0000"}}`, token: w.token["agent"]},
		{method: "POST", path: "/api/v1/intake", body: `{"type":"求助","content":"小区门口路灯\u0000坏了三天，请维修。","region":"420111","phone":"13800003333","name":"赵\u0000女士"}`, ip: "203.0.113.5"},
		{method: "GET", path: "/api/v1/public/tickets/%00?code=%00", ip: "203.0.113.5"},
		{method: "GET", path: "/api/v1/knowledge?q=%00&path=%00", token: w.token["kb_admin"]},
		{method: "GET", path: "/api/v1/knowledge/search?q=%00", token: w.token["kb_admin"]},
		{method: "POST", path: "/api/v1/supervision", body: map[string]any{"ticket": w.id("handled"), "unit": unitID(w, "D420100-chengguan"), "level": "order", "requirement": "请三日\u0000内反馈。"}, token: w.token["supervisor"]},
		{method: "GET", path: "/api/v1/measures?name=received&by=unit&key=%00&region=%00", token: w.token["province"]},
		{method: "POST", path: "/api/v1/callers/lookup", body: `{"phone":"138\u0000"}`, token: w.token["agent"]},
		{method: "POST", path: "/api/v1/tickets/" + w.id("handled") + "/reveal", body: `{"field":"phone","reason_code":"contact","reason":"a\u0000b"}`, token: w.token["agent"]},
	} {
		a := w.call(r)
		if a.status >= 500 {
			t.Errorf("%s %s %v: %d %s", r.method, r.path, r.body, a.status, a.raw)
		}
	}
}
