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

// A ticket like the one being written is told to every seat of the platform,
// but offered to be opened, urged and added to only within the seat's reach.
func TestSuggestTellsWhichLikeTicketsOpen(t *testing.T) {
	w := newWorld(t)
	form := map[string]any{"type": "投诉", "content": "关山大道工地连续三晚施工到凌晨，噪声很大，要求核查。", "region": "420111", "phone": "13900001111"}
	made := map[ID]string{}
	for _, who := range []string{"agent", "shift_lead"} {
		made[ok[CreatedOut](w, who, "POST", "/api/v1/tickets", form).ID] = who
	}
	for who, want := range map[string]map[string]bool{"agent": {"agent": true, "shift_lead": false}, "shift_lead": {"agent": true, "shift_lead": true}} {
		got := ok[SuggestOut](w, who, "POST", "/api/v1/suggest", map[string]any{"content": form["content"], "region": "420111", "phone": "13900001111"}).Duplicates
		if len(got) != 2 {
			t.Fatalf("%s is told of %+v", who, got)
		}
		for _, d := range got {
			if by := made[d.ID]; d.Opens != want[by] {
				t.Errorf("%s may open the ticket of %s: %v", who, by, d.Opens)
			}
		}
	}
}
