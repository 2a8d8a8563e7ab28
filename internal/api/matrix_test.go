package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotline/internal/access"
)

// Every route has an access rule and says what the audit keeps of it, or why
// it keeps nothing.
func TestEveryRouteIsRuledAndAudited(t *testing.T) {
	w := newWorld(t)
	seen, ids := map[string]bool{}, map[string]bool{}
	for _, r := range w.api.Routes {
		key := r.Method + " " + r.Path
		if seen[key] || ids[r.ID] {
			t.Errorf("%s (%s) is there twice", key, r.ID)
		}
		seen[key], ids[r.ID] = true, true
		if !strings.HasPrefix(r.Path, "/api/v1/") && r.Path != "/docs" {
			t.Errorf("%s: outside /api/v1", key)
		}
		if r.Summary == "" || !han.MatchString(r.Summary) {
			t.Errorf("%s: no Chinese summary", key)
		}
		switch rule := r.Rule; {
		case rule.Public && (len(rule.Verbs) > 0 || len(rule.Roles) > 0):
			t.Errorf("%s: public and not", key)
		case (rule.Audit == "") == (rule.Free == ""):
			t.Errorf("%s: needs an audit operation or a reason for none, not both: %+v", key, rule)
		case rule.Audit == "" && !han.MatchString(rule.Free):
			t.Errorf("%s: the reason for no audit is not in words", key)
		case rule.Audit != "" && rule.Audit != "event" && opWord(rule.Audit) == "其他操作":
			t.Errorf("%s: operation %q has no word", key, rule.Audit)
		}
		if r.Method != http.MethodGet && r.Rule.Audit == "" && !freeWrites[r.ID] {
			t.Errorf("%s: a write that leaves no trace", key)
		}
		if _, known := samples[r.ID]; !known {
			t.Errorf("%s (%s): no sample request; the matrix test does not reach it", key, r.ID)
		}
	}
	if len(w.api.Routes) < 70 {
		t.Errorf("only %d routes", len(w.api.Routes))
	}
}

// freeWrites change nothing but the caller's own scratch paper, or nothing.
var freeWrites = map[string]bool{"suggest": true, "drafts-save": true, "drafts-delete": true, "knowledge-miss": true}

// sample is a request that goes deep into a route's handler. In paths and
// bodies $name is the id of a seeded ticket or thing.
type sample struct {
	path string // "" = the route's own, with its parameters replaced
	body any
	head map[string]string
	file []byte // sent as multipart
	live bool   // a stream: ends with the request
	own  bool   // ends the session, so it gets one of its own
}

var v1 = map[string]string{"If-Match": `"1"`}

var samples = map[string]sample{
	"login": {body: `{"username":"nobody","password":"Wrong-2026"}`}, "logout": {own: true}, "me": {}, "me-counts": {}, "demo": {}, "demo-units": {path: "/api/v1/demo/units?q=城管"}, "demo-enter": {body: `{"username":"guest"}`},
	"me-password": {body: `{"old":"Wrong-2026","new":"Better-2026x"}`}, "demo-autoplay": {}, "demo-step": {}, "demo-scenarios": {}, "demo-call": {body: `{"scenario":"noise"}`},
	"queues": {path: "/api/v1/queues?page=search"}, "tickets-list": {path: "/api/v1/tickets?queue=all&region=420100&q=噪声&limit=5"}, "tickets-get": {}, "tickets-timeline": {}, "tickets-viewers": {},
	"tickets-lookup": {path: "/api/v1/tickets/lookup?number=$number"}, "tickets-action": {path: "/api/v1/tickets/$handled/actions/note", body: `{"text":"已电话核对地址。"}`},
	"tickets-batch":  {path: "/api/v1/batch/urge", body: `{"items":[{"id":"$handled","version":1}],"fields":{"note":"请尽快办理。"}}`},
	"tickets-reveal": {body: `{"field":"phone","reason_code":"contact","reason":"核实地址"}`},
	"tickets-create": {body: `{"way":"dispatch","type":"求助","title":"路灯不亮","content":"关山大道路灯连续三天不亮，请安排维修。","category":"040101","region":"420111","requester":{"name":"王先生","phone":"13800001111"}}`},
	"suggest":        {body: `{"content":"洪山区关山大道工地夜间施工噪声很大","region":"420111"}`}, "callers-lookup": {body: `{"phone":"13800002671"}`}, "tickets-by-phone": {body: `{"phone":"13800002671"}`},
	"drafts-list": {}, "drafts-save": {path: "/api/v1/drafts/d1", body: `{"title":"草稿","body":{"content":"路灯"}}`}, "drafts-delete": {path: "/api/v1/drafts/d1"},
	"meta": {}, "regions": {path: "/api/v1/regions?parent=420100"}, "regions-search": {path: "/api/v1/regions/search?q=hs"}, "categories": {path: "/api/v1/categories?q=噪声"}, "categories-tree": {}, "units": {path: "/api/v1/units?q=城管"},
	"attachments-create": {file: picture()}, "attachments-get": {path: "/api/v1/attachments/1?ticket=$handled"}, "events": {live: true},
	"cti-events":    {path: "/api/v1/cti/yichang/events", body: `{"events":[]}`}, // signed, not logged in
	"intake-create": {body: `{"type":"求助","content":"小区门口路灯坏了三天，请维修。","region":"420111","phone":"13800003333","name":"赵女士"}`}, "public-ticket": {path: "/api/v1/public/tickets/$number?code=AAAA2222"},
	"knowledge-misses": {}, "knowledge-miss": {body: `{"q":"异地就医备案怎么办"}`}, "knowledge-miss-draft": {body: `{"term":"异地就医备案怎么办"}`},
	"knowledge-search": {path: "/api/v1/knowledge/search?q=居住证"}, "knowledge-paths": {}, "knowledge-list": {path: "/api/v1/knowledge?state=draft"}, "knowledge-get": {path: "/api/v1/knowledge/$know"},
	"knowledge-create": {body: `{"title":"公积金提取指南$n","path":"城乡建设/公积金","kind":"办事指南","source":"本平台整理","unit":"$unit","region":"420100","body":"租房提取公积金的条件和材料。"}`},
	"knowledge-save":   {path: "/api/v1/knowledge/$know", head: v1, body: `{"title":"居住证办理指南","path":"城乡建设/居住证","kind":"办事指南","source":"本平台整理","unit":"$unit","region":"420100","body":"到居住地派出所申领。"}`},
	"knowledge-action": {path: "/api/v1/knowledge/$know/actions/submit", head: v1, body: `{}`}, "knowledge-feedback": {path: "/api/v1/knowledge/$know/feedback", body: `{"kind":"wrong","text":"电话号码已变更。"}`},
	"measures": {path: "/api/v1/measures?name=$measure&by=unit&from=2026-11-01&to=2026-11-23"}, "measures-definitions": {}, "measures-tickets": {path: "/api/v1/measures/$measure/tickets?by=unit&key=1"},
	"exports": {body: `{"kind":"measures","params":{"name":"$measure","by":"unit"}}`}, "home": {}, "map": {path: "/api/v1/map?level=city&metric=count&days=7"}, "screen": {}, "geo": {path: "/api/v1/geo/pref.json"},
	"supervision-list": {}, "supervision-candidates": {path: "/api/v1/supervision/candidates?rule=overdue"}, "supervision-get": {path: "/api/v1/supervision/7"},
	"supervision-create": {body: `{"ticket":"$handled","unit":"$unit","level":"order","requirement":"请三个工作日内核查并反馈。"}`}, "supervision-action": {path: "/api/v1/supervision/7/actions/close", head: v1, body: `{"text":"已核实。"}`},
	"jobs-list": {}, "jobs-get": {path: "/api/v1/jobs/7"}, "jobs-events": {path: "/api/v1/jobs/7/events", live: true}, "files-get": {path: "/api/v1/files/7"}, "docs": {},
	"admin-units": {path: "/api/v1/admin/units?q=城管"}, "admin-units-create": {body: `{"kind":"department","name":"某局$n","code":"D420100-x$n","region":"420100"}`}, "admin-units-update": {path: "/api/v1/admin/units/7", body: `{"name":"某局"}`},
	"admin-units-close": {path: "/api/v1/admin/units/7/close", body: `{"to":"2026-12-01","reason":"机构改革"}`}, "admin-units-move": {path: "/api/v1/admin/units/7/move", body: `{"parent":"$unit"}`},
	"admin-units-import": {file: []byte("单位编码,单位名称,类型,区划代码\nD420100-y,某局,部门,420100\n")}, "admin-units-template": {},
	"admin-accounts": {path: "/api/v1/admin/accounts?q=a"}, "admin-accounts-create": {body: `{"username":"new$n","name":"新人","role":"agent","unit":"$unit","reason":"新进人员"}`},
	"admin-accounts-lock": {path: "/api/v1/admin/accounts/7/lock"}, "admin-accounts-unlock": {path: "/api/v1/admin/accounts/7/unlock"}, "admin-accounts-reset": {path: "/api/v1/admin/accounts/7/reset"},
	"admin-phones": {}, "admin-phones-create": {body: `{"user":"80$n","unit":"$unit","place":"3号席"}`}, "admin-phones-reset": {path: "/api/v1/admin/phones/7/reset"},
	"admin-phones-disable": {path: "/api/v1/admin/phones/7/disable"}, "admin-phones-enable": {path: "/api/v1/admin/phones/7/enable"},
	"admin-accounts-role": {path: "/api/v1/admin/accounts/7/role", body: `{"role":"agent","reason":"岗位调整"}`}, "admin-grants": {}, "admin-grants-create": {body: `{"account":"7","role":"agent","reason":"岗位调整"}`},
	"admin-grants-approve": {path: "/api/v1/admin/grants/7/approve", body: `{"opinion":"同意"}`}, "admin-grants-reject": {path: "/api/v1/admin/grants/7/reject", body: `{"opinion":"理由不足"}`},
	"admin-policies": {}, "admin-policies-get": {path: "/api/v1/admin/policies/rules"}, "admin-policies-version": {path: "/api/v1/admin/policies/rules/versions/1"}, "admin-policies-publish": {path: "/api/v1/admin/policies/limits", body: `{"doc":[{"id":"x"}],"note":"试"}`},
	"admin-calendar": {path: "/api/v1/admin/calendar?year=2026"}, "admin-catalogue-replay": {path: "/api/v1/admin/catalogue/replay?month=2026-11"},
	"reveal-requests-create": {path: "/api/v1/tickets/$report/reveal-requests", body: `{"field":"phone","reason_code":"identity","reason":"核对举报人身份后组织现场核查"}`}, "reveal-requests-ticket": {path: "/api/v1/tickets/$report/reveal-requests"},
	"reveal-requests-list": {path: "/api/v1/reveal-requests?state=pending&limit=5"}, "reveal-requests-decide": {path: "/api/v1/reveal-requests/7/decide", body: `{"decision":"pass","opinion":"理由充分，同意。"}`},
	"privacy-quotas": {path: "/api/v1/privacy/quotas?day=2026-11-23"}, "privacy-quotas-seen": {body: `{"account":"7","day":"2026-11-23"}`},
	"calls-list": {path: "/api/v1/calls?from=2026-11-01&line=12345&limit=5"}, "calls-get": {path: "/api/v1/calls/7"}, "calls-open": {path: "/api/v1/calls/7/open"}, "calls-bind": {path: "/api/v1/calls/7/bind", body: `{"ticket":"7"}`}, "calls-ask": {path: "/api/v1/calls/7/ask", body: `{"ticket":"7","act":"urge"}`}, "calls-recording": {path: "/api/v1/calls/7/recording"}, "calls-transcript": {path: "/api/v1/calls/7/transcript"}, "voice-targets": {}, "voice-seats": {}, "voice-wall": {}, "voice-people": {}, "voice-figures": {path: "/api/v1/voice/figures?by=h&from=2026-11-01"},
	"texts-list": {}, "texts-get": {path: "/api/v1/voice/texts/7"}, "texts-say": {path: "/api/v1/voice/texts/7/lines", body: `{"text":"您好"}`}, "texts-close": {path: "/api/v1/voice/texts/7/close"}, "texts-draft": {path: "/api/v1/voice/texts/7/draft"},
	"voice-exclude": {body: `{"from":"2026-11-01T08:00","to":"2026-11-01T10:00","reason":"线路割接期间呼叫受限"}`}, "voice-states": {}, "voice-callbacks": {}, "voice-transfers": {}, "voice-special": {},
	"voice-special-create": {body: `{"number":"1380000267$n","kind":"harass","reason":"多次无实质诉求来电","expires":"2027-01-01"}`}, "voice-special-decide": {path: "/api/v1/voice/special/7/approve"},
	"voice-leader": {}, "voice-leader-create": {body: `{"leader":"7","title":"局长接听日","from":"2026-12-01T09:00","to":"2026-12-01T11:00"}`}, "voice-leader-cancel": {path: "/api/v1/voice/leader/7/cancel", body: `{"reason":"领导临时有会议"}`}, "voice-holds": {}, "lines-sheet": {}, "calls-hold": {path: "/api/v1/calls/7/hold", body: `{"reason":"公安机关调取"}`}, "calls-unhold": {path: "/api/v1/calls/7/unhold", body: `{"reason":"案件已经办结"}`}, "admin-trunks": {},
	"voice-leader-items": {path: "/api/v1/voice/leader/7/items"}, "voice-leader-close": {path: "/api/v1/voice/leader/items/7/close", body: `{"note":"已办结"}`},
	"lines": {}, "lines-changes": {}, "lines-changes-create": {body: `{"lines":[{"number":"123$n","name":"试点热线","department":"某局","region":"420100","mode":"B1","state":"在用"}],"reason":"新增试点业务号码"}`}, "lines-changes-decide": {path: "/api/v1/lines/changes/7/approve"},
	"lines-import":      {file: []byte("热线号码,热线名称,主管部门,归并方式\n12345,政务服务便民热线,某局,总号\n")},
	"rosters-templates": {}, "rosters": {}, "rosters-get": {path: "/api/v1/rosters/7"}, "rosters-create": {body: `{"from":20261201,"to":20261201,"shifts":[{"account":"7","from":"2026-12-01T08:00","to":"2026-12-01T16:00"}]}`}, "rosters-publish": {path: "/api/v1/rosters/7/publish"}, "rosters-drop": {path: "/api/v1/rosters/7"},
	"rosters-swaps": {}, "rosters-swaps-create": {body: `{"shift":"7","to":"8","reason":"家中有事"}`}, "rosters-swaps-decide": {path: "/api/v1/rosters/swaps/7/agree"}, "rosters-mine": {}, "rosters-swaps-answer": {path: "/api/v1/rosters/swaps/7/answers/accept"}, "certificates": {path: "/api/v1/certificates?account=7"},
	"certificates-create": {body: `{"account":"7","skill":"line:12333","level":60,"expires":"2027-12-31"}`}, "certificates-revoke": {path: "/api/v1/certificates/7"},
	"audit-search": {path: "/api/v1/audit?op=ticket.*&limit=5"}, "audit-verify": {}, "audit-viewers": {path: "/api/v1/audit/viewers?number=$number"},
}

func picture() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 4)))
	return b.Bytes()
}

// fill makes the request of a sample for the n-th caller.
func (w *world) fill(r Route, n int) request {
	s := samples[r.ID]
	words := strings.NewReplacer("$handled", w.id("handled"), "$report", w.id("report"), "$number", w.made["handled"].Number, "$know", fmt.Sprint(w.know), "$unit", unitID(w, "D420100-chengguan"), "$measure", w.measure(), "$n", fmt.Sprint(n))
	path := s.path
	if path == "" {
		path = strings.NewReplacer("{id}", w.id("handled")).Replace(r.Path)
	}
	out := request{method: r.Method, path: words.Replace(path), head: map[string]string{}, ip: fmt.Sprintf("198.51.100.%d", n)}
	for k, v := range s.head {
		out.head[k] = v
	}
	switch {
	case s.file != nil:
		body, kind := form(w.t, "x.png", s.file)
		out.body, out.head["Content-Type"] = body, kind
	case s.body != nil:
		out.body = words.Replace(s.body.(string))
	case r.Method == http.MethodPost || r.Method == http.MethodPut:
		out.body = `{}`
	}
	if s.live {
		out.limit = 20 * time.Millisecond
	}
	return out
}

func (w *world) measure() string { return w.api.Measure.Definitions(0).Measures[0].Name }

// permitted says from the tables alone whether a role may call a route.
func permitted(rule Rule, role access.Role) bool {
	if rule.Public || rule.Self {
		return true
	}
	if len(rule.Verbs) == 0 && len(rule.Roles) == 0 {
		return role != access.Citizen && role != access.Integration
	}
	g := access.GrantOf(role)
	for _, v := range rule.Verbs {
		if g.May(v) {
			return true
		}
	}
	for _, r := range rule.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// Every route for every role and for nobody: who may not is told so and
// nothing else; who may is never told so; nothing fails; every error is a
// Chinese problem with a stable code.
func TestEveryRouteForEveryRole(t *testing.T) {
	w := newWorld(t)
	w.seed()
	type caller struct {
		name string
		role access.Role
	}
	callers := []caller{{}}
	for _, role := range access.Roles() {
		if role == access.Citizen { // has no account: a citizen proves a query code, and is nobody to the console
			if _, err := w.api.Access.CreateAccount(t.Context(), access.System("test"), access.NewAccount{Username: "citizen", Name: "市民", Role: role, Unit: w.units["P420100"].ID}); err == nil {
				t.Error("an account for a citizen")
			}
			continue
		}
		callers = append(callers, caller{string(role), role})
	}
	if len(callers) != 20 {
		t.Fatalf("%d callers", len(callers))
	}
	var wg sync.WaitGroup
	for n, who := range callers {
		wg.Go(func() {
			for _, r := range w.api.Routes {
				if samples[r.ID].own {
					continue // below, with a session of its own
				}
				q := w.fill(r, n+1)
				q.token = w.token[who.name]
				w.judge(t, r, who.name, who.role, w.call(q))
			}
			if who.role != "" {
				w.told(t, who.name, who.role)
			}
		})
	}
	wg.Wait()
	for _, r := range w.api.Routes {
		if samples[r.ID].own {
			if a := w.call(w.fill(r, 1)); a.problem.Code != "login_required" {
				t.Errorf("%s for nobody: %d %s", r.ID, a.status, a.raw)
			}
			if a := w.as("guest", r.Method, r.Path, `{}`); a.status >= 300 {
				t.Errorf("%s: %d %s", r.ID, a.status, a.raw)
			}
			if a := w.as("guest", http.MethodGet, "/api/v1/me", nil); a.status != 401 || a.wrong() != "" {
				t.Errorf("after %s: %d %s", r.ID, a.status, a.raw)
			}
		}
	}
}

// told checks that the console is told of exactly the restricted operations that the role may call.
func (w *world) told(t *testing.T, name string, role access.Role) {
	var me Me
	if err := json.Unmarshal(w.as(name, http.MethodGet, "/api/v1/me", nil).raw, &me); err != nil {
		t.Error(err)
	}
	for _, r := range w.api.Routes {
		want := !r.Rule.Public && !r.Rule.Self && len(r.Rule.Verbs)+len(r.Rule.Roles) > 0 && permitted(r.Rule, role)
		if slices.Contains(me.May, r.ID) != want {
			t.Errorf("%s is told may %s = %v", name, r.ID, !want)
		}
	}
}

func (w *world) judge(t *testing.T, r Route, name string, role access.Role, a answer) {
	where := fmt.Sprintf("%s %s by %q: %d %.300s", r.Method, r.Path, name, a.status, a.raw)
	if why := a.wrong(); why != "" {
		t.Errorf("%s: %s", why, where)
	}
	byRule := a.status == 403 && a.problem.Code == "role_forbidden"
	noSession := a.status == 401 && a.problem.Code != "login_failed" && a.problem.Code != "cti_signature"
	switch {
	case r.Rule.Public:
		if byRule || noSession {
			t.Errorf("a public route asks who it is: %s", where)
		}
	case name == "":
		if a.status != 401 || a.problem.Code != "login_required" {
			t.Errorf("open to nobody: %s", where)
		}
	case !permitted(r.Rule, role):
		if !byRule {
			t.Errorf("open without the rule: %s", where)
		}
	case byRule || noSession:
		t.Errorf("closed in spite of the rule: %s", where)
	}
}
