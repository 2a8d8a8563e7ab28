package dispatch_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/category"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/ticket"
	"hotline/internal/ticket/tickettest"
)

// A town gets only what its 履职事项清单 holds, in the version under which the
// ticket began: a list that is published later neither opens nor closes it.
func TestTownGetsOnlyItsList(t *testing.T) {
	d, c := dbtest.SQLite(t, tickettest.Schemas()...)
	w := tickettest.New(t, d, c)
	ctx := context.Background()
	if err := w.Org.CreateAll(ctx, org.By{}, []org.NewUnit{{Code: "T420111002", Name: "关山街道办事处", Kind: org.KindTown, Region: "420111002", ParentCode: "C420111", Duty: "town"}}); err != nil {
		t.Fatal(err)
	}
	town, ok := w.Org.Tree().ByCode("T420111002")
	if !ok {
		t.Fatal("no town")
	}
	dispatcher := w.Who(access.Dispatcher, "P420100")
	// send tries to dispatch a new ticket (or the given one) of a matter to the town and gives the code of the refusal.
	send := func(id int64) string {
		t.Helper()
		_, err := w.Tickets.Do(ctx, dispatcher, id, ticket.Action{Name: "dispatch", Fields: map[string]any{"unit": town.ID}})
		if err == nil {
			return ""
		}
		return fault.As(err).Code
	}
	of := func(code string) int64 {
		return w.Create("P420100", func(n *ticket.Intake) { n.Category = code })
	}
	const listed, other = "030102", "010101" // 小区卫生保洁, 道路破损坑洼
	if got := send(of(listed)); got != "" {
		t.Errorf("on the list: %s", got)
	}
	if got := send(of(other)); got != "town_not_listed" {
		t.Errorf("not on the list: %q", got)
	}

	old := [2]int64{of(listed), of(other)}
	c.Advance(time.Hour)
	var doc struct {
		Version    string           `json:"version"`
		Categories []map[string]any `json:"categories"`
	}
	text, err := category.Default().MarshalJSON()
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range doc.Categories {
		switch k["code"] {
		case listed:
			k["lowest"] = category.County
			delete(k, "town_item")
		case other:
			k["lowest"], k["town_item"] = category.Town, "发现、上报辖区背街小巷路面破损并组织修补"
		}
	}
	if text, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	if err := d.Update(ctx, func(tx *db.Tx) error {
		_, err := w.Policy.Publish(tx, policy.Publication{Kind: ticket.PolicyCategories, Doc: text, By: 7, Note: "调整乡镇（街道）履职事项清单"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Minute)
	if got := send(old[0]); got != "" {
		t.Errorf("an old ticket of a matter taken off the list: %s", got)
	}
	if got := send(old[1]); got != "town_not_listed" {
		t.Errorf("an old ticket of a matter put on the list: %q", got)
	}
	if got := send(of(listed)); got != "town_not_listed" {
		t.Errorf("a new ticket of a matter taken off the list: %q", got)
	}
	if got := send(of(other)); got != "" {
		t.Errorf("a new ticket of a matter put on the list: %s", got)
	}
}
