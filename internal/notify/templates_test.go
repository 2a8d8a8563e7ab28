package notify

import (
	"encoding/json"
	"strings"
	"testing"

	"hotline/internal/fault"
)

// Templates leave no citizen untold and hold no placeholder that nobody fills.
func TestTemplatesAreChecked(t *testing.T) {
	whole := func() Templates {
		all, err := ParseTemplates(defaultNotices)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if err := whole().check(); err != nil {
		t.Fatal(err)
	}
	for want, edit := range map[string]func(Templates){
		"缺少“办结”的模板":          func(x Templates) { delete(x, "closed") },
		"“已受理”的模板应为5至300个字":  func(x Templates) { x["accepted"] = "短" },
		"“收到诉求”的模板里有不认识的占位符": func(x Templates) { x["received"] = "您的诉求{姓名}已收到。" },
		"缺少“已受理”的模板":         func(x Templates) { clear(x) },
	} {
		x := whole()
		edit(x)
		if err := x.check(); !fault.Is(err, "notices_invalid") || !strings.Contains(fault.As(err).Detail, want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for key := range whole() {
		if names[key] == "" {
			t.Errorf("%s has no name to be called by", key)
		}
	}
	var none Templates
	if err := json.Unmarshal([]byte("null"), &none); err != nil || none.check() == nil {
		t.Error("null is taken for templates")
	}
}
