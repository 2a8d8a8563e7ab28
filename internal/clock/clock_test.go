package clock

import (
	"context"
	"testing"
	"time"
)

func TestVirtualWakesInTime(t *testing.T) {
	v := NewVirtual(time.Date(2026, 11, 22, 9, 0, 0, 0, Shanghai))
	c := v.After(time.Hour)
	v.Advance(59 * time.Minute)
	select {
	case <-c:
		t.Fatal("woke too early")
	default:
	}
	v.Advance(time.Minute)
	if got := <-c; got.Hour() != 10 {
		t.Fatalf("woke at %v", got)
	}
}

func TestSleepEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := NewVirtual(time.Unix(0, 0)).Sleep(ctx, time.Hour); err == nil {
		t.Fatal("slept on")
	}
}

func TestMillisRoundTrip(t *testing.T) {
	at := time.Date(2024, 2, 29, 23, 59, 59, 5e6, Shanghai)
	if got := FromMillis(Millis(at)); !got.Equal(at) || got.Location() != Shanghai {
		t.Fatalf("got %v", got)
	}
}
