package api

import (
	"fmt"
	"testing"
)

// Other systems send one form to both doors and know units by their codes.
func TestStaffIntakeTakesThePublicForm(t *testing.T) {
	w := newWorld(t)
	w.seed()
	made := ok[CreatedOut](w, "agent", "POST", "/api/v1/tickets", map[string]any{"type": "投诉", "content": "工地夜里还在施工，噪声很大。", "region": "420106", "name": "李女士", "phone": "13900001111", "secret": true})
	if made.Status != "to_dispatch" || made.Number == "" {
		t.Fatalf("%+v", made)
	}
	got := ok[TicketOut](w, "dispatcher", "GET", "/api/v1/tickets/"+fmt.Sprint(int64(made.ID)), nil)
	if !got.Requester.Hidden || got.Secrecy != "unit" {
		t.Errorf("%+v, %s", got.Requester, got.Secrecy)
	}
	p := w.refused("request_invalid", "agent", "POST", "/api/v1/tickets", map[string]any{"type": "投诉"})
	if len(p.Errors) != 1 || p.Errors[0].Name != "content" {
		t.Errorf("%+v", p)
	}
	if rows := ok[struct{ Items []TicketRow }](w, "dispatcher", "GET", "/api/v1/tickets?queue=unit&unit=D420100-chengguan", nil); len(rows.Items) != 1 {
		t.Errorf("%d in the hands of the unit", len(rows.Items))
	}
	batch := map[string]any{"items": []any{map[string]any{"id": w.id("waiting"), "version": 1}}, "fields": map[string]any{"unit": "D420100-chengguan"}}
	if done := ok[struct{ Items []BatchResult }](w, "dispatcher", "POST", "/api/v1/batch/dispatch", batch); !done.Items[0].OK {
		t.Error(done)
	}
}
