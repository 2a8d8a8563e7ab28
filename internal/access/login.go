package access

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// attempt is what a login knows before it hashes.
type attempt struct {
	username, address, ip, agent string
	acc                          Account
	found, known                 bool
	rules                        Rules
	lockedUntil                  int64
	addressFull                  bool
}

func (at *attempt) key() string { return userKey(at.username, at.address, at.known) }

// Login checks password and second factor and opens a session. It fails with
// unauthenticated login_failed (the same for an unknown name and a wrong
// password), otp_required or otp_wrong; too_many account_locked or
// login_address_limited; forbidden account_disabled, account_pending or
// account_inactive.
func (s *Service) Login(ctx context.Context, username, password, otp, ip, agent string) (Session, error) {
	at := attempt{username: Username(username), address: addressOf(ip), ip: ip, agent: agent}
	if at.username == "" || len(at.username) > 40 || password == "" || len(password) > maxPassword {
		return Session{}, errLoginFailed()
	}
	done, err := s.turns.take(ctx, at.username)
	if err != nil {
		return Session{}, err
	}
	defer done()
	if err := s.look(ctx, &at); err != nil {
		return Session{}, err
	}
	switch {
	case at.addressFull:
		return Session{}, fault.TooMany("login_address_limited", "本网络登录失败次数过多，请%d分钟后再试。", at.rules.WindowMinutes)
	case at.lockedUntil > clock.Millis(s.clock.Now()):
		return Session{}, errLocked(at.lockedUntil)
	}
	ok, err := verifyPassword(ctx, at.acc.hash, password)
	if err != nil {
		return Session{}, err
	}
	if !ok {
		return Session{}, s.refuse(ctx, &at, "wrong_password", errLoginFailed())
	}
	var step int64
	if at.acc.TOTP {
		if otp == "" {
			return Session{}, fault.Unauthenticated("otp_required", "请输入动态口令。")
		}
		if step, err = s.matchOTP(&at.acc, otp); err != nil {
			return Session{}, err
		}
		if step == 0 {
			return Session{}, s.refuse(ctx, &at, "wrong_otp", fault.Unauthenticated("otp_wrong", "动态口令不正确或已用过，请输入最新的动态口令。"))
		}
	}
	if err := s.mayEnter(ctx, &at); err != nil {
		return Session{}, err
	}
	return s.enter(ctx, &at, step, "login")
}

func errLoginFailed() error {
	return fault.Unauthenticated("login_failed", "登录名或密码不正确。")
}

// look reads all that decides before the password is hashed.
func (s *Service) look(ctx context.Context, at *attempt) error {
	return s.d.View(ctx, func(tx *db.Tx) error {
		acc, err := db.One(tx, scanAccount, `SELECT `+accountColumns+` FROM account WHERE username = $1`, at.username)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		at.acc, at.found = acc, err == nil
		at.rules = s.Rules(acc.Unit)
		now := tx.NowMS()
		if at.found {
			n, err := db.Int(tx, `SELECT COUNT(*) FROM login_known WHERE account = $1 AND address = $2`, acc.ID, at.address)
			if err != nil {
				return err
			}
			at.known = n > 0
		}
		g, err := readGuard(tx, at.key(), at.rules, now)
		if err != nil {
			return err
		}
		at.lockedUntil = g.lockedUntil
		g, err = readGuard(tx, addressKey(at.address), at.rules, now)
		at.addressFull = g.fails >= int64(at.rules.AddressFails)
		return err
	})
}

// refuse counts and audits a failed attempt and answers why.
func (s *Service) refuse(ctx context.Context, at *attempt, outcome string, why error) error {
	var until int64
	err := s.d.Update(ctx, func(tx *db.Tx) (err error) {
		if until, err = fail(tx, at.key(), at.rules, true); err != nil {
			return err
		}
		if _, err = fail(tx, addressKey(at.address), at.rules, false); err != nil {
			return err
		}
		e := audit.Entry{Op: "login_failed", SubjectKind: "account", Outcome: outcome, IP: at.ip, Account: "?"}
		if at.found { // a name that does not exist may be a password typed in the wrong field
			e = entry(at.acc.actor(), "login_failed", at.acc.ID)
			e.Outcome, e.IP = outcome, at.ip
		}
		if err := s.log.Record(tx, e); err != nil {
			return err
		}
		if until > 0 {
			e.Op, e.Outcome = "account_locked", audit.OK
			return s.log.Record(tx, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if until > 0 {
		return errLocked(until)
	}
	return why
}

// mayEnter judges the state of an account whose owner has proved himself. An
// account that nobody used for too long is disabled here.
func (s *Service) mayEnter(ctx context.Context, at *attempt) error {
	switch at.acc.State {
	case StateDisabled:
		return fault.Forbidden("account_disabled", "账号已停用，请联系系统管理员。")
	case StatePending:
		return fault.Forbidden("account_pending", "账号正在等待安全管理员批准。")
	}
	last := at.acc.LoginAt
	if last.IsZero() {
		last = at.acc.CreatedAt
	}
	if d := at.rules.InactiveDays; d > 0 && s.clock.Now().Sub(last) >= time.Duration(d)*24*time.Hour {
		if err := s.SetState(ctx, System("inactive"), at.acc.ID, StateDisabled); err != nil {
			return err
		}
		return fault.Forbidden("account_inactive", "账号超过%d天未登录，已停用，请联系系统管理员。", d)
	}
	if at.acc.Role == Integration {
		return fault.Forbidden("account_no_console", "集成账号不能登录页面，请使用接口密钥。")
	}
	return nil
}

// enter opens the session and clears the account's count of failures.
func (s *Service) enter(ctx context.Context, at *attempt, step int64, op string) (out Session, err error) {
	err = s.d.Update(ctx, func(tx *db.Tx) error {
		if out, err = s.openSession(tx, &at.acc, at.rules, at.ip, at.agent); err != nil {
			return err
		}
		now := tx.NowMS()
		if n, err := tx.Exec(`UPDATE account SET login_at = $1, totp_step = $2 WHERE id = $3 AND totp_step <= $2`,
			now, max(step, at.acc.totpStep), at.acc.ID); err != nil || n == 0 {
			if err == nil { // the same one-time code was used a moment ago in another process
				err = fault.Unauthenticated("otp_wrong", "动态口令不正确或已用过，请输入最新的动态口令。")
			}
			return err
		}
		if op == "login" {
			for _, key := range []string{userKey(at.username, at.address, true), userKey(at.username, at.address, false)} {
				if _, err := tx.Exec(`DELETE FROM login_guard WHERE key = $1`, key); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(`INSERT INTO login_known (account, address, at) VALUES ($1, $2, $3)
ON CONFLICT (account, address) DO UPDATE SET at = excluded.at`, at.acc.ID, at.address, now); err != nil {
				return err
			}
		}
		return s.log.Record(tx, entry(out.Actor, op, at.acc.ID))
	})
	return out, err
}

// Enter opens a session without a password, for the demo's one-click entrance.
// It fails with forbidden enter_demo_only anywhere else.
func (s *Service) Enter(ctx context.Context, username, ip, agent string) (Session, error) {
	if !s.demo {
		return Session{}, fault.Forbidden("enter_demo_only", "免密进入只在演示环境提供，请使用登录名和密码登录。")
	}
	at := attempt{username: Username(username), address: addressOf(ip), ip: ip, agent: agent}
	if err := s.look(ctx, &at); err != nil {
		return Session{}, err
	}
	if !at.found {
		return Session{}, errNoAccount()
	}
	if at.acc.State != StateActive {
		return Session{}, fault.Forbidden("account_disabled", "账号已停用，请联系系统管理员。")
	}
	return s.enter(ctx, &at, 0, "demo_enter")
}
