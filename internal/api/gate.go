package api

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"strconv"
	"strings"
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
	sign  func(string) string // keyed digest for challenges
	mu    sync.Mutex
	by    map[string]*limiter
}

type limiter struct {
	*rate.Limiter
	seen time.Time
}

// NewGate makes an empty gate; sign is a keyed digest.
func NewGate(c clock.Clock, sign func(string) string) *Gate {
	return &Gate{clock: c, sign: sign, by: map[string]*limiter{}}
}

// Challenge is a proof of work: find n so that SHA-256 of Token+"."+n begins
// with Bits zero bits, and send it as the header Proof: Token.n.
type Challenge struct {
	Token string `json:"token"`
	Bits  int    `json:"bits"`
}

// challengeBits is felt but short: some 30,000 hashes on average.
const challengeBits = 15

// Challenge makes a fresh task for an address, good for ten minutes.
func (g *Gate) Challenge(ip string) Challenge {
	body := "w." + hex.EncodeToString([]byte(ip)) + "." + strconv.FormatInt(g.clock.Now().Add(10*time.Minute).Unix(), 36)
	return Challenge{body + "." + g.sign(body), challengeBits}
}

// Proved tells whether an address solved its challenge; each counts once.
func (g *Gate) Proved(ip, solution string) bool {
	i := strings.LastIndexByte(solution, '.')
	if i < 0 {
		return false
	}
	p := strings.Split(solution[:i], ".")
	if len(p) != 4 || p[0] != "w" || p[1] != hex.EncodeToString([]byte(ip)) || g.sign(strings.Join(p[:3], ".")) != p[3] {
		return false
	}
	until, err := strconv.ParseInt(p[2], 36, 64)
	if err != nil || g.clock.Now().Unix() > until {
		return false
	}
	sum := sha256.Sum256([]byte(solution))
	return bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:4])) >= challengeBits && g.spend(solution[:i])
}

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
		return fault.TooMany("challenge_needed", "提交过于频繁，请完成人机验证或稍后再试，也可直接拨打12345。").With(g.Challenge(ip))
	}
	return nil
}

// Text counts one SMS code that an address has sent: 30 at once, then one in two
// minutes, so that nobody makes the platform write to the phones of others.
func (g *Gate) Text(ip string) error {
	if !g.limiter("sms "+ip, 2*time.Minute, 30).AllowN(g.clock.Now(), 1) {
		return fault.TooMany("too_many_codes", "您所在的网络获取验证码过于频繁，请过几分钟再试，或用单号和查询码查询，也可拨打12345。")
	}
	return nil
}

// Try counts one look-up by number and code: 10 wrong ones an hour and ticket,
// 60 an hour and address. right takes it back: who has the code may look as
// often as he likes.
func (g *Gate) Try(ip, number string) (right func(), err error) {
	now := g.clock.Now()
	var held []*rate.Reservation
	right = func() {
		for _, r := range held {
			r.CancelAt(now)
		}
	}
	for _, l := range []*limiter{g.limiter("no "+number, 6*time.Minute, 10), g.limiter("ip "+ip, time.Minute, 60)} {
		r := l.ReserveN(now, 1)
		held = append(held, r)
		if r.DelayFrom(now) > 0 {
			right()
			return nil, fault.TooMany("too_many_tries", "查询次数过多，请一小时后再试，或拨打12345查询。")
		}
	}
	return right, nil
}

// spend accepts a token once.
func (g *Gate) spend(token string) bool {
	return g.limiter("pow "+token, time.Hour, 1).AllowN(g.clock.Now(), 1)
}
