package access

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// ChangePassword sets the actor's own password, ends its other sessions and
// releases this one if it waited for that. It fails with unauthenticated
// login_failed for a wrong old one, invalid password_weak or password_reused.
func (s *Service) ChangePassword(ctx context.Context, a Actor, old, new string) error {
	acc, err := s.Get(ctx, a.Account)
	if err != nil {
		return err
	}
	done, err := s.turns.take(ctx, acc.Username)
	if err != nil {
		return err
	}
	defer done()
	at := attempt{username: acc.Username, address: addressOf(a.IP), ip: a.IP}
	if err := s.look(ctx, &at); err != nil {
		return err
	}
	if at.lockedUntil > clock.Millis(s.clock.Now()) {
		return errLocked(at.lockedUntil)
	}
	ok, err := verifyPassword(ctx, acc.hash, cut(old, maxPassword))
	if err != nil {
		return err
	}
	if !ok {
		return s.refuse(ctx, &at, "wrong_password", fault.Unauthenticated("login_failed", "原密码不正确。"))
	}
	if err := at.rules.judge(acc.Username, new); err != nil {
		return err
	}
	if err := s.notReused(ctx, &acc, at.rules, new); err != nil {
		return err
	}
	hash, err := HashPassword(ctx, new)
	if err != nil {
		return err
	}
	return s.d.Update(ctx, func(tx *db.Tx) error {
		if err := setPassword(tx, acc.ID, hash, false); err != nil {
			return err
		}
		if err := s.endSessions(tx, acc.ID, 0, a.Session); err != nil {
			return err
		}
		if err := s.release(tx, a, "must_change"); err != nil {
			return err
		}
		return s.log.Record(tx, entry(a, "password.change", acc.ID))
	})
}

// notReused refuses the present password and as many former ones as the rules
// remember.
func (s *Service) notReused(ctx context.Context, acc *Account, r Rules, password string) error {
	var hashes []string
	err := s.d.View(ctx, func(tx *db.Tx) (err error) {
		hashes, err = db.All(tx, func(r db.Scanner) (h string, err error) { return h, r.Scan(&h) },
			`SELECT hash FROM account_password WHERE account = $1 ORDER BY at DESC LIMIT $2`, acc.ID, max(r.History, 1))
		return err
	})
	if err != nil {
		return err
	}
	for _, h := range hashes {
		same, err := verifyPassword(ctx, h, password)
		if err != nil {
			return err
		}
		if same {
			return fault.Invalid("password_reused", "新密码不能与最近用过的密码相同。")
		}
	}
	return nil
}

func setPassword(tx *db.Tx, account int64, hash string, mustChange bool) error {
	_, err := tx.Exec(`UPDATE account SET password_hash = $1, password_at = $2, must_change = $3, version = version + 1 WHERE id = $4`,
		hash, tx.NowMS(), flag(mustChange), account)
	if err != nil {
		return err
	}
	return keepPassword(tx, account, hash)
}

// keepPassword remembers a password's hash for the rule against reuse.
func keepPassword(tx *db.Tx, account int64, hash string) error {
	const most = 24 // the largest History
	if _, err := tx.Exec(`INSERT INTO account_password (account, at, hash) VALUES ($1, $2, $3)
ON CONFLICT (account, at) DO UPDATE SET hash = excluded.hash`, account, tx.NowMS(), hash); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM account_password WHERE account = $1 AND at NOT IN
(SELECT at FROM account_password WHERE account = $1 ORDER BY at DESC LIMIT $2)`, account, most)
	return err
}

// release lifts the bar of the actor's session if the next one does not follow.
func (s *Service) release(tx *db.Tx, a Actor, bar string) error {
	if a.Restricted != bar {
		return nil
	}
	next := ""
	if bar == "must_change" {
		acc, err := db.One(tx, scanAccount, `SELECT `+accountColumns+` FROM account WHERE id = $1`, a.Account)
		if err != nil {
			return err
		}
		if s.Rules(acc.Unit).needsSecondFactor(acc.Role) && !acc.TOTP {
			next = "must_enrol"
		}
	}
	if _, err := tx.Exec(`UPDATE session SET restricted = $1 WHERE account = $2 AND id = $3`, next, a.Account, a.Session); err != nil {
		return err
	}
	return s.forget(tx, a.Account, a.Session)
}

// ResetPassword gives an account a password that is shown once and must be
// changed at the next login.
func (s *Service) ResetPassword(ctx context.Context, by Actor, account int64) (password string, err error) {
	password = temporary()
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.administer(ctx, by, account, "password.reset", func(tx *db.Tx, acc *Account) error {
		if err := setPassword(tx, acc.ID, hash, true); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM login_guard WHERE key = $1`, userKey(acc.Username, "", false)); err != nil {
			return err
		}
		return s.endSessions(tx, acc.ID, 0, 0)
	})
	if err != nil {
		return "", err
	}
	return password, nil
}

// temporary makes a password of 16 characters without look-alikes, some 80 bits.
func temporary() string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	const digits = "23456789"
	all := letters + "abcdefghijkmnpqrstuvwxyz" + digits
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	for i := range b {
		set := all
		switch i {
		case 0:
			set = letters
		case 1:
			set = "abcdefghijkmnpqrstuvwxyz"
		case 2:
			set = digits
		}
		b[i] = set[int(b[i])%len(set)]
	}
	return string(b)
}

// SetState enables or disables an account and ends its sessions. An account
// that waits for approval is enabled by the approval only.
func (s *Service) SetState(ctx context.Context, by Actor, account int64, state string) error {
	if state != StateActive && state != StateDisabled {
		return fault.Invalid("account_state_invalid", "账号只能设为启用或停用。")
	}
	return s.administer(ctx, by, account, "account."+state, func(tx *db.Tx, acc *Account) error {
		if acc.State == StatePending && state == StateActive && !by.System {
			return fault.Forbidden("account_pending", "新账号须由安全管理员批准后启用。")
		}
		login := tx.NowMS() // counts anew towards being inactive
		if _, err := tx.Exec(`UPDATE account SET state = $1, version = version + 1, login_at = CASE WHEN $1 = 'active' AND login_at <> 0 THEN $2 ELSE login_at END
WHERE id = $3`, state, login, acc.ID); err != nil {
			return err
		}
		if err := s.endSessions(tx, acc.ID, 0, 0); err != nil {
			return err
		}
		return s.forget(tx, acc.ID, 0)
	})
}

// EditAccount changes what is not a grant: the name and the skills.
func (s *Service) EditAccount(ctx context.Context, by Actor, account int64, name string, skills []string) error {
	if name == "" || len([]rune(name)) > 40 {
		return fault.Invalid("account_invalid", "姓名应为1至40个字。").At(fault.Field{Name: "name", Detail: "姓名应为1至40个字。"})
	}
	return s.administer(ctx, by, account, "account.edit", func(tx *db.Tx, acc *Account) error {
		if _, err := tx.Exec(`UPDATE account SET name = $1, skills = $2, version = version + 1 WHERE id = $3`, name, joinSkills(skills), acc.ID); err != nil {
			return err
		}
		return s.forget(tx, acc.ID, 0)
	})
}

// administer runs an administrator's act on an account inside one transaction
// with its audit entry. Nobody administers his own account.
func (s *Service) administer(ctx context.Context, by Actor, account int64, op string, fn func(tx *db.Tx, acc *Account) error) error {
	tree := s.org.Tree()
	return s.d.Update(ctx, func(tx *db.Tx) error {
		acc, err := db.One(tx, scanAccount, `SELECT `+accountColumns+` FROM account WHERE id = $1`, account)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoAccount()
		}
		if err != nil {
			return err
		}
		if !s.mayAdminister(tree, by, acc.Unit) {
			return errNotYours()
		}
		if !by.System && by.Account == account {
			return fault.Forbidden("account_self", "不能管理本人的账号，请由其他系统管理员操作。")
		}
		if err := fn(tx, &acc); err != nil {
			return err
		}
		return s.log.Record(tx, entry(by, op, account))
	})
}
