package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Session is what a login answers. The token is shown once; the database keeps
// its hash.
type Session struct {
	Token      string
	Actor      Actor
	Expires    time.Time
	MustChange bool // the password must be changed before anything else
	MustEnrol  bool // a second factor must be enrolled before anything else
}

const (
	pollEvery   = 2 * time.Second
	flushRounds = 15
	// trustFor is how long a cached session is believed after the last sight of
	// the revocations: other processes see a logout within it.
	trustFor = 4 * time.Second
)

type tokenHash [sha256.Size]byte

// tokenPrefix marks our tokens, so that a leaked one can be searched for.
const tokenPrefix = "hl_"

func newToken() (string, tokenHash) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	token := tokenPrefix + base64.RawURLEncoding.EncodeToString(raw)
	return token, sha256.Sum256([]byte(token))
}

// cachedSession is a session in memory.
type cachedSession struct {
	actor   Actor // Platform is filled in on each use: the tree may have moved
	expires int64
	idle    int64
	seen    atomic.Int64 // last use
	stored  atomic.Int64 // last use as the database knows it
	checked atomic.Int64 // last read from the database
}

type sessionCache struct {
	mu      sync.RWMutex
	byHash  map[tokenHash]*cachedSession
	endSeen int64        // session_end.n that has been applied
	polled  atomic.Int64 // when the revocations were last read
}

func newSessionCache() *sessionCache {
	return &sessionCache{byHash: map[tokenHash]*cachedSession{}}
}

func (c *sessionCache) get(h tokenHash) *cachedSession {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byHash[h]
}

// drop forgets one session of the account, or all if session is 0.
func (c *sessionCache) drop(account, session int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for h, e := range c.byHash {
		if e.actor.Account == account && (session == 0 || e.actor.Session == session) {
			delete(c.byHash, h)
		}
	}
}

// Authenticate finds the actor of a token, whose session is in use by that. From
// memory it takes microseconds; the first use in a process reads one row. It
// fails with unauthenticated session_absent, session_expired or session_idle.
func (s *Service) Authenticate(ctx context.Context, token string) (Actor, error) {
	return s.authenticate(ctx, token, true)
}

// Peek is Authenticate for what a page does with nobody at it: the session goes
// on being idle (空闲退出).
func (s *Service) Peek(ctx context.Context, token string) (Actor, error) {
	return s.authenticate(ctx, token, false)
}

func (s *Service) authenticate(ctx context.Context, token string, used bool) (Actor, error) {
	if len(token) > 128 || len(token) < 16 {
		return Actor{}, errNoSession()
	}
	h := tokenHash(sha256.Sum256([]byte(token)))
	now := clock.Millis(s.clock.Now())
	e := s.cache.get(h)
	if e == nil || now-max(e.checked.Load(), s.cache.polled.Load()) > trustFor.Milliseconds() {
		var err error
		if e, err = s.loadSession(ctx, h, e, now); err != nil {
			return Actor{}, err
		}
	}
	if now >= e.expires {
		return Actor{}, fault.Unauthenticated("session_expired", "登录已到期，请重新登录。")
	}
	if e.idle > 0 && now-e.seen.Load() >= e.idle {
		return Actor{}, fault.Unauthenticated("session_idle", "长时间未操作，已自动退出，请重新登录。")
	}
	if used {
		e.seen.Store(now)
	}
	a := e.actor
	a.Platform = s.org.Tree().Platform(a.Unit).ID
	return a, nil
}

// loadSession reads a session from the database into the cache. old, if any,
// keeps its last use, which the database may not know yet.
func (s *Service) loadSession(ctx context.Context, h tokenHash, old *cachedSession, now int64) (*cachedSession, error) {
	e := &cachedSession{}
	var ended, seen int64
	var state string
	err := s.d.View(ctx, func(tx *db.Tx) error {
		a := &e.actor
		return tx.QueryRow(`SELECT s.id, s.account, s.expires_at, s.idle_ms, s.seen_at, s.ended_at, s.restricted, s.ip,
a.username, a.name, a.role, a.unit, a.region, a.contractor, a.state FROM session s JOIN account a ON a.id = s.account WHERE s.hash = $1`, h[:]).
			Scan(&a.Session, &a.Account, &e.expires, &e.idle, &seen, &ended, &a.Restricted, &a.IP,
				&a.Username, &a.Name, &a.Role, &a.Unit, &a.Region, &a.Contractor, &state)
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && (ended != 0 || state != StateActive) {
		if old != nil {
			s.cache.drop(old.actor.Account, old.actor.Session)
		}
		return nil, errNoSession()
	}
	if err != nil {
		return nil, err
	}
	e.stored.Store(seen)
	if old != nil {
		seen = max(seen, old.seen.Load())
	}
	e.seen.Store(seen)
	e.checked.Store(now)
	s.cache.mu.Lock()
	s.cache.byHash[h] = e
	s.cache.mu.Unlock()
	return e, nil
}

func errNoSession() error { return fault.Unauthenticated("session_absent", "请先登录。") }

// Logout ends the actor's session.
func (s *Service) Logout(ctx context.Context, a Actor) error {
	return s.d.Update(ctx, func(tx *db.Tx) error {
		if err := s.endSessions(tx, a.Account, a.Session, 0); err != nil {
			return err
		}
		return s.log.Record(tx, entry(a, "logout", a.Account))
	})
}

// Poll applies what other processes revoked since the last poll.
func (s *Service) Poll(ctx context.Context) error {
	type end struct{ n, account, session int64 }
	s.cache.mu.RLock()
	from := s.cache.endSeen
	s.cache.mu.RUnlock()
	now := clock.Millis(s.clock.Now())
	var ends []end
	err := s.d.View(ctx, func(tx *db.Tx) (err error) {
		ends, err = db.All(tx, func(r db.Scanner) (e end, err error) {
			return e, r.Scan(&e.n, &e.account, &e.session)
		}, `SELECT n, account, session FROM session_end WHERE n > $1 ORDER BY n`, from)
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range ends {
		s.cache.drop(e.account, e.session)
	}
	s.cache.mu.Lock()
	if len(ends) > 0 {
		s.cache.endSeen = max(s.cache.endSeen, ends[len(ends)-1].n)
	}
	for h, e := range s.cache.byHash { // what nobody can use any more
		if now >= e.expires || e.idle > 0 && now-e.seen.Load() >= e.idle {
			delete(s.cache.byHash, h)
		}
	}
	s.cache.mu.Unlock()
	s.cache.polled.Store(now)
	return nil
}

// Flush stores when the sessions of this process were last used, so that being
// idle is counted across processes, and clears away old rows.
func (s *Service) Flush(ctx context.Context) error {
	const (
		worth = time.Minute // smaller steps are not worth a write
		keep  = 24 * time.Hour
	)
	type use struct {
		h    tokenHash
		e    *cachedSession
		seen int64
	}
	var uses []use
	s.cache.mu.RLock()
	for h, e := range s.cache.byHash {
		if seen := e.seen.Load(); seen-e.stored.Load() >= worth.Milliseconds() {
			uses = append(uses, use{h, e, seen})
		}
	}
	s.cache.mu.RUnlock()
	err := s.d.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
		for _, u := range uses {
			if _, err := tx.Exec(`UPDATE session SET seen_at = $1 WHERE hash = $2 AND seen_at < $1`, u.seen, u.h[:]); err != nil {
				return err
			}
		}
		old := tx.NowMS() - keep.Milliseconds()
		if _, err := tx.Exec(`DELETE FROM session_end WHERE at < $1`, old); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM session WHERE expires_at < $1`, old)
		return err
	})
	if err != nil {
		return err
	}
	for _, u := range uses {
		u.e.stored.Store(u.seen)
	}
	return nil
}

// openSession stores a new session in the caller's transaction and ends the
// oldest ones beyond what the rules allow at a time.
func (s *Service) openSession(tx *db.Tx, acc *Account, r Rules, ip, agent string) (Session, error) {
	token, h := newToken()
	now := tx.NowMS()
	out := Session{Token: token, Expires: clock.FromMillis(now + int64(r.AbsoluteHours)*time.Hour.Milliseconds())}
	idle := r.IdleMinutes
	if acc.Role.Family() != "business" {
		idle = r.AdminIdle
	}
	a := acc.actor()
	a.IP, a.Session = ip, tx.NewID()
	a.Platform = s.org.Tree().Platform(a.Unit).ID
	switch {
	case acc.needsChange(r, tx.Now()):
		out.MustChange, a.Restricted = true, "must_change"
	case r.needsSecondFactor(acc.Role) && !acc.TOTP:
		out.MustEnrol, a.Restricted = true, "must_enrol"
	}
	_, err := tx.Exec(`INSERT INTO session (hash, id, account, created_at, seen_at, expires_at, idle_ms, restricted, ip, agent, ended_at)
VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, 0)`,
		h[:], a.Session, a.Account, now, clock.Millis(out.Expires), int64(idle)*time.Minute.Milliseconds(), a.Restricted, ip, cut(agent, 200))
	if err != nil {
		return Session{}, err
	}
	if r.MaxSessions > 0 {
		extra, err := db.All(tx, func(r db.Scanner) (id int64, err error) { return id, r.Scan(&id) },
			`SELECT id FROM session WHERE account = $1 AND ended_at = 0 AND expires_at > $2 ORDER BY created_at DESC, id DESC`, a.Account, now)
		if err != nil {
			return Session{}, err
		}
		for _, id := range extra[min(r.MaxSessions, len(extra)):] {
			if err := s.endSessions(tx, a.Account, id, 0); err != nil {
				return Session{}, err
			}
			if err := s.log.Record(tx, entry(a, "session_superseded", a.Account)); err != nil {
				return Session{}, err
			}
		}
	}
	out.Actor = a
	return out, nil
}

// cut keeps at most n bytes of a header, without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
