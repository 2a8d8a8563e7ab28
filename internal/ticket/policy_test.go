package ticket

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/calendar"
	"hotline/internal/category"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
	"hotline/internal/policy"
)

// A city may tighten and never loosen, whichever row it does it by.
func TestValidateLimits(t *testing.T) {
	above := mustJSON(category.Limits())
	edit := func(change func([]category.LimitRow) []category.LimitRow) error {
		return ValidateLimits([]byte(mustJSON(change(category.Limits()))), []byte(above))
	}
	at := func(rows []category.LimitRow, urgency string) int {
		return slices.IndexFunc(rows, func(r category.LimitRow) bool { return r.Kind == "签收" && r.Type == "" && r.Urgency == urgency })
	}
	if err := edit(func(rows []category.LimitRow) []category.LimitRow {
		rows[at(rows, "")].N--
		return rows
	}); err != nil {
		t.Errorf("a stricter limit is refused: %v", err)
	}
	for name, change := range map[string]func([]category.LimitRow) []category.LimitRow{
		"a longer one": func(rows []category.LimitRow) []category.LimitRow {
			rows[at(rows, "")].N++
			return rows
		},
		"a strict row left out": func(rows []category.LimitRow) []category.LimitRow {
			i := at(rows, "特急")
			return slices.Delete(rows, i, i+1)
		},
		// As short as the general one, but it stands before the one for 特急.
		"a row that hides a stricter one": func(rows []category.LimitRow) []category.LimitRow {
			r := rows[at(rows, "")]
			r.Type = "投诉"
			return append(rows, r)
		},
	} {
		err := edit(change)
		if !fault.Is(err, "limit_loosened") || !strings.Contains(fault.As(err).Detail, "只能收紧不能放宽") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a city ruled before the province tightened holds nobody longer; what is
// stricter still holds, and an open ticket stays under what it began under.
func TestTightestLimitBinds(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	rows := func(n int) []byte {
		list := category.Limits()
		for i, r := range list {
			if r.Kind == ClockHandle && r.Unit == string(calendar.Workday) {
				list[i].N = n
			}
		}
		return []byte(mustJSON(list))
	}
	publish := func(platform int64, n int) {
		t.Helper()
		if err := d.Update(context.Background(), func(tx *db.Tx) error {
			_, err := w.s.Policy.Publish(tx, policy.Publication{Kind: PolicyLimits, Platform: platform, Doc: rows(n), By: 7, Note: "调整办理时限"})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Minute)
	}
	city := w.units["P420100"].ID
	limit := func(id int64) int { return w.s.limitFor(w.load(id), ClockHandle).N }
	publish(policy.Province, 3)
	publish(city, 3)
	old := w.create(nil).ID
	c.Advance(time.Minute)
	publish(policy.Province, 2)
	if now, was := limit(w.create(nil).ID), limit(old); now != 2 || was != 3 {
		t.Errorf("after the province tightened: new %d, open %d", now, was)
	}
	if l, ok := w.s.Limit(city, "040101", "投诉", "", ClockHandle); !ok || l.N != 2 {
		t.Errorf("the preview says %v", l)
	}
	publish(city, 1)
	if got := limit(w.create(nil).ID); got != 1 {
		t.Errorf("a stricter city: %d", got)
	}
}
