package api

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/policy"
)

// What a page asks with nobody at it does not keep the session from ending.
func TestAnUnattendedPageEndsItsSession(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	rules := access.DemoRules()
	rules.IdleMinutes = 30
	if err := w.api.DB.Update(ctx, func(tx *db.Tx) error {
		_, err := w.api.Policy.Publish(tx, policy.Publication{Kind: access.PolicyKind, Doc: rules.JSON(), Note: "空闲退出"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.c.Advance(time.Minute) // the rules are in force
	s, err := w.api.Access.Enter(ctx, "agent", "192.0.2.1", "test")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(after time.Duration, head map[string]string) string {
		w.c.Advance(after)
		return w.call(request{method: "GET", path: "/api/v1/me/counts", token: s.Token, head: head}).problem.Code
	}
	nobody := map[string]string{unattended: "1"}
	if code := ask(29*time.Minute, nil); code != "" {
		t.Fatal(code)
	}
	for range 2 {
		if code := ask(14*time.Minute, nobody); code != "" {
			t.Fatal(code)
		}
	}
	if code := ask(3*time.Minute, nobody); code != "session_idle" {
		t.Errorf("after 31 minutes alone: %q", code)
	}
}

// A stream ends with its session: whoever is logged out hears of nothing more.
func TestAStreamEndsWithItsSession(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req := httptest.NewRequestWithContext(ctx, "GET", "/api/v1/events", nil)
	req.Header.Set("Authorization", "Bearer "+w.token["agent"])
	rec, done := httptest.NewRecorder(), make(chan struct{})
	go func() { w.h.ServeHTTP(rec, req); close(done) }()
	joined := func() (n int) {
		w.api.hub.mu.Lock()
		defer w.api.hub.mu.Unlock()
		return len(w.api.hub.subs)
	}
	for joined() == 0 && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if err := w.api.Access.Logout(ctx, w.actor("agent")); err != nil {
		t.Fatal(err)
	}
	w.api.hub.send([]change{{Topic: "ticket", ID: 7}})
	<-done
	if ctx.Err() != nil || rec.Body.String() != ": 已连接\n\n" {
		t.Errorf("%v, heard %q", ctx.Err(), rec.Body)
	}
}
