package api

import (
	"net/url"
	"strconv"
	"testing"

	"hotline/internal/db"
	"hotline/internal/insight"
	"hotline/internal/zh"
)

// Lists are searched by words and by the last figures of the 单号; nothing outside
// the scope is found.
func TestListIsSearchedByWordsAndTails(t *testing.T) {
	w := newWorld(t)
	w.seed()
	type list struct{ Items []TicketRow }
	found := func(who, q string) map[string]bool {
		out := map[string]bool{}
		for _, r := range ok[list](w, who, "GET", "/api/v1/tickets?queue=all&q="+url.QueryEscape(q), nil).Items {
			out[strconv.FormatInt(int64(r.ID), 10)] = true
		}
		return out
	}
	made := ok[CreatedOut](w, "agent", "POST", "/api/v1/tickets", map[string]any{"way": "dispatch", "type": "求助", "title": "锦程中路有一个大坑", "content": "晚上骑车经过险些摔倒。", "category": "010101",
		"region": "420111002", "requester": map[string]any{"phone": "13800001111"}})
	id := strconv.FormatInt(int64(made.ID), 10)
	if err := w.api.DB.Update(t.Context(), func(tx *db.Tx) error {
		text, _, err := w.api.Ticket.IndexText(tx, int64(made.ID))
		if err == nil {
			err = insight.Words().Put(tx, int64(made.ID), zh.Grams(text))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"锦程中路", "大坑 摔倒", made.Number, made.Number[len(made.Number)-4:], made.Number[len(made.Number)-6:]} {
		if !found("dispatcher", q)[id] {
			t.Errorf("%q finds nothing", q)
		}
		if found("handler", q)[id] {
			t.Errorf("%q shows a ticket to a unit that has nothing to do with it", q)
		}
	}
	for _, q := range []string{"锦程北路", "99" + made.Number[len(made.Number)-4:]} {
		if found("dispatcher", q)[id] {
			t.Errorf("%q finds a ticket that is something else", q)
		}
	}
}
