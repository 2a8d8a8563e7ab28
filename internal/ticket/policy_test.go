package ticket

import (
	"slices"
	"strings"
	"testing"

	"hotline/internal/category"
	"hotline/internal/fault"
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
