package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/ticket"
)

// The look-up by phone shows subject lines of the caller to the seat that has
// the call, and to others only what is in their scope.
func TestPhoneLookUpKeepsToTheScope(t *testing.T) {
	w := newWorld(t)
	w.seed() // all tickets are of one caller
	type list struct{ Items []CallerTicket }
	for who, want := range map[string][]string{
		"agent": {"handled", "waiting", "hidden", "huangshi"}, "shift_lead": {"handled", "waiting", "hidden"}, "dispatcher": {"handled", "waiting", "hidden"},
		"hub": {}, "h-dispatcher": {"huangshi"}, "h-shift_lead": {"huangshi"}, "branch_agent": {},
	} {
		got := ok[list](w, who, "POST", "/api/v1/tickets/lookup", map[string]any{"phone": "13800002671"})
		var names []string
		for _, x := range got.Items {
			names = append(names, x.Number)
		}
		if len(got.Items) != len(want) {
			t.Errorf("%s sees %v, want %v", who, names, want)
			continue
		}
		for _, name := range want {
			if !strings.Contains(strings.Join(names, " "), w.made[name].Number) {
				t.Errorf("%s misses %s", who, name)
			}
		}
	}
}

// An attachment is read by the scope of the ticket it belongs to, whoever
// uploaded it and whatever ticket the reader names, and the audit names that one.
func TestAttachmentBelongsToItsTicket(t *testing.T) {
	w := newWorld(t)
	w.seed()
	body, kind := form(t, "现场.png", picture())
	upload := func(who string) string {
		t.Helper()
		var at AttachmentOut
		a := w.call(request{method: "POST", path: "/api/v1/attachments", token: w.token[who], body: body, head: map[string]string{"Content-Type": kind}})
		if a.status != 201 {
			t.Fatalf("%d %s", a.status, a.raw)
		}
		if err := json.Unmarshal(a.raw, &at); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(int64(at.ID))
	}
	file := upload("handler")
	note := func(who, name, file string) answer {
		return w.as(who, "POST", "/api/v1/tickets/"+w.id(name)+"/actions/note", map[string]any{"text": "现场照片。", "files": []string{file}})
	}
	if a := w.as("handler", "GET", "/api/v1/attachments/"+file, nil); a.status != 200 { // nobody's yet but the uploader's
		t.Errorf("own upload: %d", a.status)
	}
	if a := note("h-dispatcher", "huangshi", file); a.problem.Code != "file_unknown" { // by a guessed number
		t.Errorf("another's upload: %d %s", a.status, a.raw)
	}
	if a := note("handler", "handled", file); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	if a := note("dispatcher", "waiting", file); a.problem.Code != "file_unknown" { // it belongs to one ticket
		t.Errorf("a second ticket: %d %s", a.status, a.raw)
	}
	get := func(who, query string) answer { return w.as(who, "GET", "/api/v1/attachments/"+file+query, nil) }
	for _, query := range []string{"", "?ticket=" + w.id("handled")} {
		if a := get("dispatcher", query); a.status != 200 {
			t.Errorf("%q: %d %s", query, a.status, a.raw)
		}
	}
	for who, query := range map[string]string{"dispatcher": "?ticket=" + w.id("waiting"), "sibling": "", "h-dispatcher": "?ticket=" + w.id("huangshi"), "cell": "?ticket=" + w.id("report")} {
		if a := get(who, query); a.problem.Code != "attachment_not_found" {
			t.Errorf("%s%s: %d", who, query, a.status)
		}
	}
	rows, _, err := w.api.Audit.Search(context.Background(), audit.Filter{Op: "attachment.view"}, 50)
	if err != nil || len(rows) != 3 || rows[0].Subject != w.made["handled"].ID || rows[1].Subject != w.made["handled"].ID || rows[2].Subject != 0 {
		t.Errorf("the audit holds %+v %v", rows, err)
	}

	// A seat that took a report loses sight of it, and of the file it uploaded.
	secret := upload("agent")
	made := ok[CreatedOut](w, "agent", "POST", "/api/v1/tickets", map[string]any{"way": "dispatch", "type": "举报", "content": "举报某工地负责人收受好处。", "region": "420111", "attachments": []string{secret}})
	ok[ActionOut](w, "dispatcher", "POST", fmt.Sprintf("/api/v1/tickets/%d/actions/note", int64(made.ID)), map[string]any{"text": "交专办。"})
	if a := w.as("agent", "GET", "/api/v1/attachments/"+secret, nil); a.problem.Code != "attachment_not_found" {
		t.Errorf("the seat still opens the report's file: %d", a.status)
	}
}

// Two cities brought tickets of one former number: each supervisor means its own.
func TestSuperviseByNumberInsideTheScope(t *testing.T) {
	w := newWorld(t)
	w.seed()
	ctx := context.Background()
	for _, seat := range []string{"agent", "h-agent"} {
		actor := w.actor(seat)
		if _, err := w.api.Ticket.Create(ctx, actor, ticket.Intake{Type: "投诉", Category: "040101", Region: w.api.Org.Tree().Platform(actor.Unit).Region, Title: "旧系统工单", Content: "旧系统转来的噪声投诉。", Former: "2025-0007",
			Requester: ticket.Requester{Kind: "个人"}, Secrecy: ticket.SecrecyAnonymous, Channel: "import", Platform: actor.Platform, Status: ticket.ToDispatch}); err != nil {
			t.Fatal(err)
		}
	}
	order := func(who, number, unit string) answer {
		return w.as(who, "POST", "/api/v1/supervision", map[string]any{"ticket": number, "unit": unitID(w, unit), "level": "order", "requirement": "请三个工作日内核查并反馈。"})
	}
	for who, unit := range map[string]string{"supervisor": "D420100-chengguan", "h-supervisor": "D420200-chengguan"} {
		if a := order(who, "2025-0007", unit); a.status >= 300 {
			t.Errorf("%s by the former number: %d %s", who, a.status, a.raw)
		}
	}
	if a := order("supervisor", w.made["waiting"].Number, "D420100-chengguan"); a.status >= 300 {
		t.Errorf("by 单号: %d %s", a.status, a.raw)
	}
	for _, number := range []string{w.made["huangshi"].Number, w.id("huangshi"), w.made["report"].Number, w.id("report"), "0126112399999", "x"} {
		if a := order("supervisor", number, "D420100-chengguan"); a.problem.Code != "ticket_not_found" {
			t.Errorf("%s: %d %s", number, a.status, a.raw)
		}
	}
}

// The tickets behind a figure are asked by a line that the figure can have.
func TestBehindAFigureChecksItsKey(t *testing.T) {
	w := newWorld(t)
	w.seed()
	for query, want := range map[string]string{
		"by=unit&key=x": "key_invalid", "by=unit&key=912522844569600001": "unit_unknown", "by=unit&key=" + unitID(w, "D420200-chengguan"): "unit_unknown", "by=region&key=999999": "key_invalid",
		"by=type&key=吐槽": "key_invalid", "by=category&key=999999": "key_invalid", "by=day&key=2020-01-01": "key_invalid", "by=day&key=x": "key_invalid", "key=420111": "key_invalid", "by=moon&key=1": "by_invalid",
	} {
		if a := w.as("supervisor", "GET", "/api/v1/measures/received/tickets?"+query, nil); a.problem.Code != want {
			t.Errorf("%s: %d %s, want %s", query, a.status, a.raw, want)
		}
	}
	for _, query := range []string{"by=region&key=420111", "by=type&key=投诉", "by=category&key=040000", "by=unit&key=" + unitID(w, "P420100"), "by=day&key=2026-11-23", ""} {
		if a := w.as("supervisor", "GET", "/api/v1/measures/received/tickets?"+query, nil); a.status != 200 {
			t.Errorf("%s: %d %s", query, a.status, a.raw)
		}
	}
}

// A client that goes away is nobody's defect: the log has no error of it.
func TestCancelledRequestIsNoError(t *testing.T) {
	w := newWorld(t)
	var log bytes.Buffer
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})))
	defer slog.SetDefault(was)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := w.api.DB.View(ctx, func(*db.Tx) error { return nil })
	if err == nil {
		t.Fatal("a view for nobody")
	}
	if p := toProblem(w.api.problem(ctx, fmt.Errorf("list: %w", err))); p.Code != "request_cancelled" || p.Status != 503 {
		t.Errorf("%+v", p)
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
	if _ = w.api.problem(context.Background(), errors.New("a defect")); !strings.Contains(log.String(), "a defect") {
		t.Error("a defect is not logged")
	}
}

// What cannot be entered in the audit log is not shown.
func TestNothingIsShownUnrecorded(t *testing.T) {
	w := newWorld(t)
	w.seed()
	for _, path := range []string{"/api/v1/tickets/" + w.id("handled"), "/api/v1/tickets?queue=all"} {
		if a := w.as("dispatcher", "GET", path, nil); a.status != 200 {
			t.Fatalf("%s: %d %s", path, a.status, a.raw)
		}
	}
	if err := w.api.DB.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`ALTER TABLE audit_pending RENAME TO gone`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/tickets/" + w.id("handled"), "/api/v1/tickets/" + w.id("handled") + "/timeline", "/api/v1/tickets?queue=all"} {
		a := w.as("dispatcher", "GET", path, nil)
		if a.status < 500 || a.problem.Code == "" || bytes.Contains(a.raw, []byte("施工")) || a.head.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v %.300s", path, a.status, a.head, a.raw)
		}
		if n := a.head.Get("Content-Length"); n != "" && n != strconv.Itoa(len(a.raw)) {
			t.Errorf("%s: %s bytes said, %d sent", path, n, len(a.raw))
		}
	}
}
