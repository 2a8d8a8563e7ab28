package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"hotline/internal/access"
	"hotline/internal/ticket"
)

// readers is who may read which seeded ticket, written down by hand from the
// matrix; everybody else must not be able to tell it from a ticket that is not.
var readers = map[string][]string{
	"handled":  {"agent", "shift_lead", "dispatcher", "handler", "unit_lead", "supervisor", "callback", "inspector", "province", "leader", "privacy"},
	"waiting":  {"agent", "shift_lead", "dispatcher", "supervisor", "callback", "inspector", "province", "leader", "privacy"},
	"hidden":   {"agent", "shift_lead", "dispatcher", "supervisor", "callback", "inspector", "province", "privacy"},
	"report":   {"dispatcher", "cell"},
	"huangshi": {"h-agent", "h-shift_lead", "h-dispatcher", "h-handler", "h-unit_lead", "h-supervisor", "h-callback", "h-inspector", "h-leader", "h-privacy", "province"},
}

// probes ask about one ticket by id or by number.
var probes = []request{
	{method: "GET", path: "/api/v1/tickets/$id"}, {method: "GET", path: "/api/v1/tickets/$id/timeline"}, {method: "GET", path: "/api/v1/tickets/$id/viewers"}, {method: "GET", path: "/api/v1/tickets/lookup?number=$number"},
	{method: "POST", path: "/api/v1/tickets/$id/actions/note", body: `{"text":"看看这张工单。"}`}, {method: "POST", path: "/api/v1/tickets/$id/actions/urge", body: `{}`},
	{method: "POST", path: "/api/v1/tickets/$id/actions/dispatch", body: `{"unit":"$unit"}`, head: v1}, {method: "POST", path: "/api/v1/tickets/$id/actions/relabel", body: `{"label":"normal","reason":"看看这张工单"}`, head: map[string]string{"If-Match": "99"}},
	{method: "POST", path: "/api/v1/tickets/$id/reveal", body: `{"field":"phone","reason_code":"contact"}`}, {method: "POST", path: "/api/v1/tickets/$id/reveal", body: `{"field":"content","reason_code":"contact"}`},
	{method: "GET", path: "/api/v1/attachments/$file?ticket=$id"},
	{method: "POST", path: "/api/v1/batch/sign", body: `{"items":[{"id":"$id","version":1}]}`},
	{method: "POST", path: "/api/v1/supervision", body: `{"ticket":"$id","unit":"$own","level":"order","requirement":"请三个工作日内核查并反馈。"}`},
	{method: "POST", path: "/api/v1/supervision", body: `{"ticket":"$number","unit":"$own","level":"order","requirement":"请三个工作日内核查并反馈。"}`},
	{method: "GET", path: "/api/v1/audit/viewers?number=$number"}, {method: "GET", path: "/api/v1/audit?ticket=$number"},
}

// A ticket outside somebody's scope and a ticket that does not exist give the
// same answer to every question, for every account.
func TestOutOfScopeIsLikeAbsent(t *testing.T) {
	w := newWorld(t)
	w.seed()
	file := w.attach("handler", "handled")
	absentID, absentNumber := "912522844569600001", "012611230099999"
	for n := range 10 { // the check digit decides which one could be a number
		if s := fmt.Sprintf("01261123009999%d", n); ticket.ValidNumber(s) {
			absentNumber = s
		}
	}
	var wg sync.WaitGroup
	for _, post := range posts {
		if post.name == "guest" {
			continue
		}
		wg.Go(func() {
			for name, allowed := range readers {
				reads := slices.Contains(allowed, post.name)
				if got := w.as(post.name, "GET", "/api/v1/tickets/"+w.id(name), nil); (got.status == 200) != reads {
					t.Errorf("%s reads %s: %d %.200s", post.name, name, got.status, got.raw)
				}
				auditor := access.GrantOf(post.role).May(access.AuditRead)
				for _, p := range probes {
					if reads || auditor && strings.Contains(p.path, "/audit") || post.name == "handler" && strings.Contains(p.path, "attachments") {
						continue // the auditor is asked below; the picture is the handler's own
					}
					real := w.ask(p, post.name, w.id(name), w.made[name].Number, file)
					none := w.ask(p, post.name, absentID, absentNumber, "912522844569600002")
					a := strings.NewReplacer(w.id(name), "X", w.made[name].Number, "X").Replace(string(real.raw))
					b := strings.NewReplacer(absentID, "X", absentNumber, "X").Replace(string(none.raw))
					if real.status != none.status || a != b {
						t.Errorf("%s can tell %s from nothing by %s %s: %d %.200s, %d %.200s", post.name, name, p.method, p.path, real.status, a, none.status, b)
					}
					if why := real.wrong(); why != "" || !strings.Contains(p.path, "/batch/") && real.status != 404 && real.status != 403 {
						t.Errorf("%s %s of %s by %s: %s %d %.200s", p.method, p.path, name, post.name, why, real.status, real.raw)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, name := range []string{"auditor", "p-auditor"} { // by platform, like everybody
		for of := range readers {
			a := w.as(name, "GET", "/api/v1/audit/viewers?number="+w.made[of].Number, nil)
			if want := name == "p-auditor" || of != "huangshi"; (a.status == 200) != want {
				t.Errorf("%s asks who saw %s: %d %s", name, of, a.status, a.raw)
			}
		}
	}
}

func (w *world) ask(p request, who, id, number, file string) answer {
	own := "D420100-chengguan"
	if strings.HasPrefix(who, "h-") {
		own = "D420200-chengguan"
	}
	words := strings.NewReplacer("$id", id, "$number", number, "$file", file, "$unit", unitID(w, "D420100-chengguan"), "$own", unitID(w, own))
	p.path, p.token = words.Replace(p.path), w.token[who]
	if s, ok := p.body.(string); ok {
		p.body = words.Replace(s)
	}
	return w.call(p)
}

// attach uploads a picture and ties it to a ticket; it answers the file's id.
func (w *world) attach(who, name string) string {
	w.t.Helper()
	body, kind := form(w.t, "现场.png", picture())
	a := w.call(request{method: "POST", path: "/api/v1/attachments", token: w.token[who], body: body, head: map[string]string{"Content-Type": kind}})
	var at AttachmentOut
	if a.status != http.StatusCreated || json.Unmarshal(a.raw, &at) != nil {
		w.t.Fatalf("upload: %d %s", a.status, a.raw)
	}
	id := fmt.Sprint(int64(at.ID))
	ok[ActionOut](w, who, "POST", "/api/v1/tickets/"+w.id(name)+"/actions/note", map[string]any{"text": "现场照片。", "files": []string{id}})
	if a := w.as(who, "GET", "/api/v1/attachments/"+id+"?ticket="+w.id(name), nil); a.status != 200 || a.head.Get("Content-Type") != "image/png" {
		w.t.Fatalf("download: %d %.100s", a.status, a.raw)
	}
	return id
}

// No list shows what its reader may not open.
func TestListsShowOnlyWhatOpens(t *testing.T) {
	w := newWorld(t)
	w.seed()
	type page struct {
		Items []TicketRow `json:"items"`
	}
	for _, post := range posts {
		if !access.GrantOf(post.role).May(access.View) || post.name == "guest" {
			continue
		}
		for _, queue := range []string{"all", "mine", "to_dispatch", "handling", "to_sign", "informant", "sup_open", "to_accept", "unit_done", "below"} {
			for _, row := range ok[page](w, post.name, "GET", "/api/v1/tickets?queue="+queue, nil).Items {
				name := ""
				for n, made := range w.made {
					if made.Number == row.Number {
						name = n
					}
				}
				if !slices.Contains(readers[name], post.name) {
					t.Errorf("%s sees %s in %s", post.name, name, queue)
				}
				if strings.Contains(row.Phone, "0000") || row.Requester == "李小明" {
					t.Errorf("%s sees clear personal data in a list: %+v", post.name, row)
				}
			}
		}
		if row := ok[page](w, post.name, "GET", "/api/v1/tickets?q=13800002671", nil); len(row.Items) > 0 && !slices.ContainsFunc(row.Items, func(r TicketRow) bool { return r.Number != "" }) {
			t.Errorf("%s: %+v", post.name, row)
		}
	}
}

// An export and its job belong to whom they were made for.
func TestJobsBelongToTheirMaker(t *testing.T) {
	w := newWorld(t)
	w.seed()
	made := ok[struct {
		Job string `json:"job"`
	}](w, "province", "POST", "/api/v1/exports", map[string]any{"kind": "measures", "params": map[string]any{"name": w.measure(), "by": "unit"}})
	if n, err := w.api.Jobs.RunOnce(t.Context()); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	own := ok[JobOut](w, "province", "GET", "/api/v1/jobs/"+made.Job, nil)
	if own.State != "done" {
		t.Fatalf("%+v", own)
	}
	for _, name := range []string{"supervisor", "h-supervisor", "p-sysadmin", "p-auditor", "agent"} {
		real, none := w.as(name, "GET", "/api/v1/jobs/"+made.Job, nil), w.as(name, "GET", "/api/v1/jobs/912522844569600001", nil)
		if real.status != 404 || string(real.raw) != string(none.raw) {
			t.Errorf("%s: %d %s", name, real.status, real.raw)
		}
	}
}
