package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/voice/cdr"
)

// A conversation and a transcript over HTTP: found by their id, by their own seat.
func TestConversationAndTranscriptOverHTTP(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	now := clock.Millis(w.c.Now())
	who := w.actor("agent")
	call := cdr.Call{ID: w.api.DB.NewID(), Version: 1, Direction: "in", DNIS: "12345", Line: "12345", Platform: who.Platform, Region: "420100", Number: "13871234567", Seat: who.Account, Unit: who.Unit, Began: now, AnsweredAt: now}
	if err := w.api.CDR.Seal(&call); err != nil {
		t.Fatal(err)
	}
	u, err := w.api.CDR.SealUtterance(&call, cdr.Utterance{ID: w.api.DB.NewID(), Who: "caller", From: now, To: now + 2000, Text: "电话13871234567", Source: "FunASR"})
	if err != nil {
		t.Fatal(err)
	}
	talk, err := w.api.Text.Prepare(&call, who.Account, who.Platform, now)
	if err != nil {
		t.Fatal(err)
	}
	err = w.api.DB.Update(ctx, func(tx *db.Tx) error {
		if err := w.api.CDR.Save(tx, call); err != nil {
			return err
		}
		if err := w.api.CDR.SaveUtterance(tx, u); err != nil {
			return err
		}
		return w.api.Text.Save(tx, talk)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.api.Text.Write(ctx, talk.Path()[len("/text/"):], "", "", "路灯不亮"); err != nil {
		t.Fatal(err)
	}
	id := strconv.FormatInt(call.ID, 10)
	if a := w.as("agent", http.MethodGet, "/api/v1/calls/"+id+"/transcript", nil); a.status != 200 || !strings.Contains(string(a.raw), "电话**") || strings.Contains(string(a.raw), "13871234567") {
		t.Errorf("redacted: %d %s", a.status, a.raw)
	}
	w.refused("role_forbidden", "agent", http.MethodGet, "/api/v1/calls/"+id+"/transcript?clear=true", nil)
	at := "/api/v1/voice/texts/" + strconv.FormatInt(talk.ID, 10)
	ask := func(method, path string, body any) (int, string) {
		a := w.as("agent", method, at+path, body)
		return a.status, string(a.raw)
	}
	if code, body := ask(http.MethodGet, "", nil); code != 200 || !strings.Contains(body, "路灯不亮") {
		t.Errorf("read: %d %s", code, body)
	}
	w.refused("text_absent", "h-agent", http.MethodGet, at, nil)
	w.refused("call_absent", "h-shift_lead", http.MethodGet, "/api/v1/calls/"+id+"/transcript?clear=true", nil)
	if code, body := ask(http.MethodPost, "/lines", map[string]string{"text": "请问在哪里？", "key": "k"}); code != 200 {
		t.Errorf("answered: %d %s", code, body)
	}
	if code, body := ask(http.MethodPost, "/draft", nil); code != 200 || !strings.Contains(body, "路灯不亮") || !strings.Contains(body, "13871234567") {
		t.Errorf("draft: %d %s", code, body)
	}
	if code, body := ask(http.MethodPost, "/close", nil); code != 200 {
		t.Errorf("closed: %d %s", code, body)
	}
}
