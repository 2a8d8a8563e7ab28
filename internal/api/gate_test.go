package api

import (
	"fmt"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
)

// Who has the 查询码 may look as often as he likes; who guesses it has ten tries an
// hour at a ticket and sixty from an address.
func TestOnlyWrongCodesAreCounted(t *testing.T) {
	c := clock.NewVirtual(time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Shanghai))
	g := NewGate(c, func(s string) string { return s })
	look := func(ip, number string, knows bool) error {
		right, err := g.Try(ip, number)
		if err == nil && knows {
			right()
		}
		return err
	}
	for n := range 200 {
		if err := look("10.0.0.1", "1", true); err != nil {
			t.Fatalf("right look-up %d: %v", n+1, err)
		}
	}
	for n := range 10 {
		if err := look("10.0.0.2", "1", false); err != nil {
			t.Fatalf("guess %d: %v", n+1, err)
		}
	}
	if err := look("10.0.0.3", "1", false); !fault.Is(err, "too_many_tries") {
		t.Errorf("an eleventh guess of one ticket: %v", err)
	}
	for n := range 50 { // 10 went before
		if err := look("10.0.0.2", fmt.Sprint("x", n), false); err != nil {
			t.Fatalf("guess %d of an address: %v", n+11, err)
		}
	}
	if err := look("10.0.0.2", "y", false); !fault.Is(err, "too_many_tries") {
		t.Errorf("a sixty-first guess of an address: %v", err)
	}
	c.Advance(time.Hour)
	if err := look("10.0.0.2", "1", true); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}
