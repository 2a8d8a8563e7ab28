package access

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
)

// Service keeps accounts and sessions and answers what an actor may do. Built
// once by app; it registers the policy kind "account".
type Service struct {
	d     *db.DB
	org   *org.Service
	log   *audit.Log
	clock clock.Clock
	ring  *seal.Ring
	demo  bool
	rules func(platform int64, t time.Time) (Rules, policy.Version)
	cache *sessionCache
	turns *turns
}

// Option sets what a deployment decides.
type Option func(*Service)

// WithRing gives the keys by which TOTP secrets are sealed; without it nobody
// can enrol a second factor.
func WithRing(r *seal.Ring) Option { return func(s *Service) { s.ring = r } }

// Demo allows Enter, a login without a password. Only `hotline demo` sets it.
func Demo() Option { return func(s *Service) { s.demo = true } }

// New makes the service.
func New(d *db.DB, o *org.Service, p *policy.Store, log *audit.Log, c clock.Clock, opts ...Option) *Service {
	p.Register(PolicyKind, PolicyOf())
	s := &Service{d: d, org: o, log: log, clock: c, rules: policy.Cached(p, PolicyKind, parseRules), cache: newSessionCache(), turns: newTurns()}
	for _, o := range opts {
		o(s)
	}
	return s
}

// IsDemo tells whether one-click entry is on.
func (s *Service) IsDemo() bool { return s.demo }

// Rules is the account policy in force for a unit's platform, for the login
// and password pages.
func (s *Service) Rules(unit int64) Rules {
	r, _ := s.rules(s.platformOf(unit), s.clock.Now())
	return r
}

// platformOf is the number by which a unit's platform publishes policies: the
// province platform's are the province-wide ones.
func (s *Service) platformOf(unit int64) int64 {
	t := s.org.Tree()
	p := t.Platform(unit)
	if p.Kind == org.KindProvince {
		return policy.Province
	}
	return p.ID
}

// entry begins an audit entry about an account.
func entry(a Actor, op string, account int64) audit.Entry {
	return audit.Entry{Actor: a.Account, Account: a.Username, Role: string(a.Role), Unit: a.Unit, Op: op,
		SubjectKind: "account", Subject: account, Outcome: audit.OK, IP: a.IP}
}

// bump moves the session counter; its row lock orders revocations by commit.
func (s *Service) bump(tx *db.Tx) (int64, error) {
	return db.Int(tx, `UPDATE session_change SET n = n + 1 WHERE one = 1 RETURNING n`)
}

// endSessions ends the account's sessions but keep, or the one given as only.
// Other processes notice within the cache's poll.
func (s *Service) endSessions(tx *db.Tx, account, only, keep int64) error {
	rows, err := tx.Exec(`UPDATE session SET ended_at = $1 WHERE account = $2 AND ended_at = 0 AND (CAST($3 AS BIGINT) = 0 OR id = $3) AND id <> $4`,
		tx.NowMS(), account, only, keep)
	if err != nil || rows == 0 {
		return err
	}
	return s.forget(tx, account, only)
}

// forget has every process drop what it remembers of the account's sessions.
func (s *Service) forget(tx *db.Tx, account, session int64) error {
	n, err := s.bump(tx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO session_end (n, account, session, at) VALUES ($1, $2, $3, $4)`, n, account, session, tx.NowMS()); err != nil {
		return err
	}
	tx.AfterCommit(func() { s.cache.drop(account, session) })
	return nil
}

// Watch keeps the session cache current with other processes, and stores when
// sessions were last used, until ctx ends.
func (s *Service) Watch(ctx context.Context) error {
	for round := 1; ; round++ {
		if err := s.clock.Sleep(ctx, pollEvery); err != nil {
			return nil
		}
		_ = s.Poll(ctx) // Authenticate reads the database while polls fail
		if round%flushRounds == 0 {
			_ = s.Flush(ctx) // kept in memory until it succeeds
		}
	}
}

// ApprovesCountyPlatform tells whether an account may approve, for the
// province, that a county platform be set up. App wires it into org.
func (s *Service) ApprovesCountyPlatform(tx *db.Tx, account int64) (bool, error) {
	acc, err := db.One(tx, scanAccount, `SELECT `+accountColumns+` FROM account WHERE id = $1`, account)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p := s.org.Tree().Platform(acc.Unit)
	return acc.State == StateActive && acc.Role == Province && p.Kind == org.KindProvince, nil
}
