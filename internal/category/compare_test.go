package category

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiffLimits(t *testing.T) {
	doc := func(rows ...LimitRow) []byte {
		b, _ := json.Marshal(rows)
		return b
	}
	old := doc(LimitRow{Kind: "受理", N: 30, Unit: "分钟", Basis: "甲"}, LimitRow{Key: "simple", Kind: "办理", N: 3, Unit: "工作日"}, LimitRow{Kind: "派单", N: 30, Unit: "分钟"})
	now := doc(LimitRow{Kind: "受理", N: 30, Unit: "分钟", Basis: "乙"}, LimitRow{Key: "simple", Kind: "办理", N: 18, Unit: "工作时"}, LimitRow{Type: "投诉", Urgency: "特急", Kind: "派单", N: 5, Unit: "分钟"})
	want := []string{
		"各类别／各类型／不限／受理，依据：“甲” → “乙”",
		"简易类／各类型／不限／办理：3个工作日 → 18个工作小时",
		"新增 各类别／投诉／特急／派单：5分钟",
		"删除 各类别／各类型／不限／派单：30分钟",
	}
	if diff := cmp.Diff(want, DiffLimits(old, now)); diff != "" {
		t.Error(diff)
	}
	if got := DiffLimits(old, old); got != nil {
		t.Error(got)
	}
}
