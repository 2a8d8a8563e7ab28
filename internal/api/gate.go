package api

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"hotline/internal/clock"
	"hotline/internal/fault"
)

// Gate bounds what an unknown address may do: requests a minute, and tries of
// 查询码 per ticket and per address.
type Gate struct {
	clock clock.Clock
	mu    sync.Mutex
	by    map[string]*limiter
}

type limiter struct {
	*rate.Limiter
	seen time.Time
}

// NewGate makes an empty gate.
func NewGate(c clock.Clock) *Gate { return &Gate{clock: c, by: map[string]*limiter{}} }

// Free requests a minute and address before a proof of work is asked.
const freePerMinute = 10

func (g *Gate) limiter(key string, every time.Duration, burst int) *limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	if len(g.by) > 100_000 {
		for k, l := range g.by {
			if now.Sub(l.seen) > time.Hour {
				delete(g.by, k)
			}
		}
	}
	l := g.by[key]
	if l == nil {
		l = &limiter{Limiter: rate.NewLimiter(rate.Every(every), burst)}
		g.by[key] = l
	}
	l.seen = now
	return l
}

// Over tells whether an address is above the free rate, without counting.
func (g *Gate) Over(ip string) bool {
	return g.limiter("in "+ip, time.Minute/freePerMinute, freePerMinute).TokensAt(g.clock.Now()) < 1
}

// Allow counts one request of an address against the free rate.
func (g *Gate) Allow(ip string) error {
	if !g.limiter("in "+ip, time.Minute/freePerMinute, freePerMinute).AllowN(g.clock.Now(), 1) {
		return fault.TooMany("challenge_needed", "提交过于频繁，请完成人机验证或稍后再试，也可直接拨打12345。")
	}
	return nil
}

// Try counts one look-up by number and code: 10 an hour and ticket, 60 an hour and address.
func (g *Gate) Try(ip, number string) error {
	now := g.clock.Now()
	if !g.limiter("no "+number, 6*time.Minute, 10).AllowN(now, 1) || !g.limiter("ip "+ip, time.Minute, 60).AllowN(now, 1) {
		return fault.TooMany("too_many_tries", "查询次数过多，请一小时后再试，或拨打12345查询。")
	}
	return nil
}

// Spend accepts a proof-of-work token once.
func (g *Gate) Spend(token string) bool {
	return g.limiter("pow "+token, time.Hour, 1).AllowN(g.clock.Now(), 1)
}
