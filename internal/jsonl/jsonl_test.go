package jsonl_test

import (
	"errors"
	"strings"
	"testing"

	"hotline/internal/fault"
	"hotline/internal/jsonl"
)

type row struct{ ID string }

func hasID(r row) bool { return r.ID != "" }

func TestEach(t *testing.T) {
	stop := errors.New("stop")
	for _, tt := range []struct {
		name, in, want, code string
	}{
		{"a byte order mark and blank lines are passed over", "\xef\xbb\xbf{\"id\":\"1\"}\n\n  \n{\"id\":\"2\"}", "12", ""},
		{"the last line needs no end", `{"id":"1"}`, "1", ""},
		{"a broken line", "{\"id\":\"1\"}\n{", "1", "jsonl_invalid"},
		{"a row without an id", `{"x":1}`, "", "jsonl_invalid"},
		{"a line beyond the bound", `{"id":"` + strings.Repeat("长", 6<<20) + `"}`, "", "jsonl_too_long"},
	} {
		got := ""
		err := jsonl.Each(strings.NewReader(tt.in), "输入", hasID, func(r row) error { got += r.ID; return nil })
		if got != tt.want || tt.code == "" && err != nil || tt.code != "" && !fault.Is(err, tt.code) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	if err := jsonl.Each(strings.NewReader(`{"id":"1"}`), "输入", hasID, func(row) error { return stop }); err != stop {
		t.Errorf("the caller's error: %v", err)
	}
}

func TestWriterKeepsText(t *testing.T) {
	var b strings.Builder
	enc, flush := jsonl.Writer(&b)
	if err := errors.Join(enc.Encode(row{"<甲&乙>"}), flush()); err != nil || b.String() != "{\"ID\":\"<甲&乙>\"}\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}
