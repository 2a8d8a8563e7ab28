package app

import (
	"context"
	"fmt"
	"regexp"
	"testing"

	"hotline/internal/fault"
)

// Codes by SMS: five a day for a number, a refused one leaves the one sent before
// valid, and an address cannot have them sent to many.
func TestCodesOfAPhone(t *testing.T) {
	ctx := context.Background()
	a, err := Open(ctx, Config{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	s := &site{a: a}
	for range codesPerDay {
		if err := s.SendCode(ctx, "13912340001", "10.0.0.1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SendCode(ctx, "13912340001", "10.0.0.1"); !fault.Is(err, "code_limit") {
		t.Errorf("a sixth code: %v", err)
	}
	list, err := a.Notify.OfPhone(ctx, "13912340001", 10)
	if err != nil || len(list) != codesPerDay {
		t.Fatalf("%d messages, %v", len(list), err)
	}
	code := regexp.MustCompile(`\d{6}`).FindString(list[0].Text[len("您的12345"):])
	if _, err := s.ByPhone(ctx, "13912340001", "x", "10.0.0.1"); fault.As(err).Fields[0].Name != "smscode" {
		t.Errorf("a wrong code is not told beside its input: %v", err)
	}
	if _, err := s.ByPhone(ctx, "13912340001", code, "10.0.0.1"); err != nil {
		t.Errorf("the last code sent: %v", err)
	}
	for n := range 40 {
		err = s.SendCode(ctx, fmt.Sprint(13800000000+n), "10.0.0.2")
	}
	if !fault.Is(err, "too_many_codes") {
		t.Errorf("a fortieth phone of one address: %v", err)
	}
}
