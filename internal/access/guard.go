package access

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// guard counts failed logins under one key. Keys: "u:" a login name from
// addresses it never used, "k:" a login name from one it has, so that an
// attacker cannot lock the owner out; "a:" an address, failures only.
type guard struct {
	fails, since, lockedUntil int64
}

func userKey(username, address string, known bool) string {
	if known {
		return "k:" + username + "|" + address
	}
	return "u:" + username
}

func addressKey(address string) string { return "a:" + address }

// addressOf is the unit in which addresses are counted: an IPv4 address or the
// /64 of an IPv6 one.
func addressOf(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return cut(ip, 64)
	}
	if a = a.Unmap(); a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

func scanGuard(r db.Scanner) (g guard, err error) {
	return g, r.Scan(&g.fails, &g.since, &g.lockedUntil)
}

// readGuard answers the count that still matters at now.
func readGuard(tx *db.Tx, key string, r Rules, now int64) (guard, error) {
	all, err := db.All(tx, scanGuard, `SELECT fails, since, locked_until FROM login_guard WHERE key = $1`, key)
	if err != nil || len(all) == 0 {
		return guard{since: now}, err
	}
	g := all[0]
	if now-g.since >= int64(r.WindowMinutes)*time.Minute.Milliseconds() {
		g.fails, g.since = 0, now
	}
	return g, nil
}

func writeGuard(tx *db.Tx, key string, g guard) error {
	_, err := tx.Exec(`INSERT INTO login_guard (key, fails, since, locked_until) VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE SET fails = excluded.fails, since = excluded.since, locked_until = excluded.locked_until`,
		key, g.fails, g.since, g.lockedUntil)
	return err
}

// fail counts one failure and locks a login name that reached the bound. It
// tells until when (ms), 0 = not locked.
func fail(tx *db.Tx, key string, r Rules, lock bool) (until int64, err error) {
	now := tx.NowMS()
	g, err := readGuard(tx, key, r, now)
	if err != nil {
		return 0, err
	}
	g.fails++
	if lock && g.fails >= int64(r.LockFails) {
		g.lockedUntil = now + int64(r.LockMinutes)*time.Minute.Milliseconds()
		g.fails, g.since = 0, now
	}
	return max(g.lockedUntil, 0), writeGuard(tx, key, g)
}

func errLocked(until int64) error {
	return fault.TooMany("account_locked", "登录失败次数过多，已暂时锁定，请于%s后再试，或联系系统管理员。", clock.FromMillis(until).Format("15:04"))
}

// turns lets the attempts on one login name pass one at a time, so that
// parallel guesses are counted before the next is tried.
type turns struct {
	mu    sync.Mutex
	queue map[string]*turn
}

type turn struct {
	sem  chan struct{}
	refs int
}

// maxWaiting bounds how many attempts on one name wait.
const maxWaiting = 64

func newTurns() *turns { return &turns{queue: map[string]*turn{}} }

// take waits for the name's turn; call done when finished.
func (t *turns) take(ctx context.Context, name string) (done func(), err error) {
	t.mu.Lock()
	q := t.queue[name]
	if q == nil {
		q = &turn{sem: make(chan struct{}, 1)}
		t.queue[name] = q
	}
	if q.refs >= maxWaiting {
		t.mu.Unlock()
		return nil, fault.TooMany("login_busy", "该账号的登录请求过多，请稍后重试。")
	}
	q.refs++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		if q.refs--; q.refs == 0 {
			delete(t.queue, name)
		}
		t.mu.Unlock()
	}
	select {
	case q.sem <- struct{}{}:
		return func() { <-q.sem; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, fault.Unavailable("login_busy", "登录人数较多，请稍后重试。").Because(ctx.Err())
	}
}
