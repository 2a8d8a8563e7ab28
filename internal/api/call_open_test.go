package api

import (
	"context"
	"fmt"
	"testing"
	"time"

	"hotline/internal/db"
	"hotline/internal/ticket"
	"hotline/internal/voice/cdr"
)

// A seat may not touch a colleague's ticket, unless its citizen asks for it on
// the seat's own line: then it urges and adds to it without opening it.
func TestCallersAskAnySeat(t *testing.T) {
	w := newWorld(t)
	w.seed()
	form := func(phone, typ string) map[string]any {
		return map[string]any{"type": typ, "title": "夜间施工噪声", "content": "关山大道工地连续三晚施工到凌晨，噪声很大，要求核查。", "region": "420111", "phone": phone, "points": []map[string]string{{"text": "停止夜间施工"}}}
	}
	const mine, other = "13900001111", "13900002222"
	asked := ok[CreatedOut](w, "shift_lead", "POST", "/api/v1/tickets", form(mine, "投诉")).ID
	secret := ok[CreatedOut](w, "shift_lead", "POST", "/api/v1/tickets", form(mine, "举报")).ID
	foreign := ok[CreatedOut](w, "shift_lead", "POST", "/api/v1/tickets", form(other, "投诉")).ID
	call := func(seat, number string) int64 {
		who, now := w.actor(seat), w.c.Now().UnixMilli()
		c := cdr.Call{ID: w.api.DB.NewID(), Version: 1, Direction: "in", DNIS: "12345", Line: "12345", Platform: who.Platform, Region: "420100", Number: number, Seat: who.Account, Unit: who.Unit, Began: now, AnsweredAt: now, EndedAt: now + 60_000}
		if err := w.api.CDR.Seal(&c); err != nil {
			t.Fatal(err)
		}
		if err := w.api.DB.Update(context.Background(), func(tx *db.Tx) error { return w.api.CDR.Save(tx, c) }); err != nil {
			t.Fatal(err)
		}
		return c.ID
	}
	id := call("agent", mine)

	if a := w.as("agent", "POST", fmt.Sprintf("/api/v1/tickets/%d/actions/urge", asked), map[string]any{"note": "请尽快。"}); a.status != 404 {
		t.Errorf("a colleague's ticket can be urged by whoever knows its id: %d %s", a.status, a.raw)
	}
	var line CallerTicket
	for _, x := range ok[CallerOut](w, "agent", "POST", "/api/v1/callers/lookup", map[string]any{"phone": mine}).Open {
		if x.ID == asked {
			line = x
		}
	}
	if line.Opens || len(line.Asks) != 2 {
		t.Errorf("the caller's line says %+v", line)
	}
	ask := func(seat string, call int64, ticket ID, act, text string) answer {
		return w.as(seat, "POST", fmt.Sprintf("/api/v1/calls/%d/ask", call), map[string]any{"ticket": ticket, "act": act, "text": text})
	}
	if a := ask("agent", id, asked, "urge", "还在施工。"); a.status != 200 {
		t.Errorf("urging: %d %s", a.status, a.raw)
	}
	if a := ask("agent", id, asked, "supplement", ""); a.status != 422 {
		t.Errorf("nothing to add: %d %s", a.status, a.raw)
	}
	if a := ask("agent", id, asked, "supplement", "昨晚又到两点。"); a.status != 200 {
		t.Errorf("adding: %d %s", a.status, a.raw)
	}
	got, err := w.api.Ticket.Get(context.Background(), w.actor("shift_lead"), int64(asked))
	if err != nil || got.Urges != 1 {
		t.Errorf("urged %d times, %v", got.Urges, err)
	}
	var bound *cdr.Call
	_ = w.api.DB.View(context.Background(), func(tx *db.Tx) (err error) { bound, err = w.api.CDR.Peek(tx, id); return err })
	if bound == nil || bound.Ticket != int64(asked) {
		t.Errorf("the call belongs to %+v", bound)
	}
	for name, a := range map[string]answer{
		"another citizen's ticket":   ask("agent", id, foreign, "urge", ""),
		"a ticket that is not there": ask("agent", id, 7, "urge", ""),
		"a sealed ticket":            ask("agent", id, secret, "urge", ""),
		"another seat's call":        ask("shift_lead", id, asked, "urge", ""),
		"a withheld number":          ask("agent", call("agent", ""), asked, "urge", ""),
	} {
		if a.status != 404 {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	if a := ask("agent", id, asked, "close", ""); a.status != 422 {
		t.Errorf("another step: %d %s", a.status, a.raw)
	}
	w.c.Advance(32 * time.Minute)
	if a := ask("agent", id, asked, "urge", ""); a.status != 404 {
		t.Errorf("half an hour later: %d %s", a.status, a.raw)
	}
	if _, err := w.api.Ticket.Do(context.Background(), w.actor("agent"), int64(asked), ticket.Action{Name: "urge"}); err == nil {
		t.Error("the step itself does not ask for the scope")
	}
}
