package sip_test

import (
	"context"
	"time"
)

// fast is the machine's clock made to run so many times as fast, so that a wait
// of 32 s for an ACK, or of a session's 90 s, is seen in a few seconds.
type fast struct {
	times int
	born  time.Time
}

func hurry(times int) fast { return fast{times, time.Now()} }

func (f fast) Now() time.Time { return f.born.Add(time.Since(f.born) * time.Duration(f.times)) }

func (f fast) After(d time.Duration) <-chan time.Time { return time.After(d / time.Duration(f.times)) }

func (f fast) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-f.After(d):
		return nil
	}
}
