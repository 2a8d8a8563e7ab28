// Package clock is the only place that reads or waits for time.
//
// Every service takes a Clock, so tests and simulations run on a Virtual one
// in which nothing sleeps and days pass in a call.
package clock

import (
	"context"
	"sync"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	// Now is the present moment.
	Now() time.Time
	// Sleep waits for d or until ctx ends; it returns ctx's error then.
	Sleep(ctx context.Context, d time.Duration) error
	// After delivers once when d has passed.
	After(d time.Duration) <-chan time.Time
}

// Shanghai is the zone of every limit, number and screen (UTC+8, no DST).
var Shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// Since is the time that passed on c since t.
func Since(c Clock, t time.Time) time.Duration { return c.Now().Sub(t) }

// Millis is the form in which the database keeps a moment: UTC milliseconds.
func Millis(t time.Time) int64 { return t.UnixMilli() }

// FromMillis turns stored milliseconds back into a moment in Shanghai.
func FromMillis(ms int64) time.Time { return time.UnixMilli(ms).In(Shanghai) }

type system struct{}

// System is the machine's clock.
func System() Clock { return system{} }

func (system) Now() time.Time                         { return time.Now().In(Shanghai) }
func (system) After(d time.Duration) <-chan time.Time { return time.After(d) }
func (system) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Virtual is a clock that moves only when told.
type Virtual struct {
	mu      sync.Mutex
	now     time.Time
	waiters []waiter
}

type waiter struct {
	at time.Time
	c  chan time.Time
}

// NewVirtual starts a virtual clock at t.
func NewVirtual(t time.Time) *Virtual { return &Virtual{now: t.In(Shanghai)} }

// Now is the present virtual moment.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Advance moves the clock on by d and wakes everyone whose time has come.
func (v *Virtual) Advance(d time.Duration) { v.Set(v.Now().Add(d)) }

// Set moves the clock to t; moving back wakes nobody.
func (v *Virtual) Set(t time.Time) {
	v.mu.Lock()
	v.now = t.In(Shanghai)
	var keep []waiter
	for _, w := range v.waiters {
		if w.at.After(v.now) {
			keep = append(keep, w)
			continue
		}
		w.c <- v.now
	}
	v.waiters = keep
	v.mu.Unlock()
}

// After delivers once when the virtual clock has moved on by d.
func (v *Virtual) After(d time.Duration) <-chan time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := make(chan time.Time, 1)
	at := v.now.Add(d)
	if d <= 0 {
		c <- v.now
		return c
	}
	v.waiters = append(v.waiters, waiter{at, c})
	return c
}

// Sleep waits until the virtual clock has moved on by d or ctx ends.
func (v *Virtual) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-v.After(d):
		return nil
	}
}
