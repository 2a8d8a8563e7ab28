package access

import (
	"context"
	"crypto/subtle"
	"strconv"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/seal"
)

// otpPeriod is the life of a one-time code; one period either way is accepted
// for clocks that differ.
const otpPeriod = 30 * time.Second

var otpOptions = totp.ValidateOpts{Period: uint(otpPeriod / time.Second), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

func otpAD(account int64) string { return "account|" + strconv.FormatInt(account, 10) + "|totp" }

// EnrolTOTP makes a new secret for the actor's own account and answers it with
// the otpauth URL for the phone. It counts only after ConfirmTOTP. It fails
// with conflict otp_enrolled and unavailable keys_absent.
func (s *Service) EnrolTOTP(ctx context.Context, a Actor) (secret, url string, err error) {
	if s.ring == nil {
		return "", "", fault.Unavailable("keys_absent", "密钥服务不可用，暂时不能绑定动态口令。")
	}
	acc, err := s.Get(ctx, a.Account)
	if err != nil {
		return "", "", err
	}
	if acc.TOTP {
		return "", "", fault.Conflict("otp_enrolled", "已绑定动态口令；更换请先由系统管理员解除绑定。")
	}
	k, err := totp.Generate(totp.GenerateOpts{Issuer: "12345热线平台", AccountName: acc.Username, Period: otpOptions.Period,
		Digits: otpOptions.Digits, Algorithm: otpOptions.Algorithm})
	if err != nil {
		return "", "", err
	}
	key, wrapped, err := s.ring.NewKey()
	if err != nil {
		return "", "", err
	}
	sealed := key.Seal(otpAD(acc.ID), k.Secret())
	err = s.d.Update(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE account SET totp_key = $1, totp_secret = $2, totp_step = 0 WHERE id = $3 AND totp_on = 0`, wrapped, []byte(sealed), acc.ID)
		if err != nil {
			return err
		}
		return s.log.Record(tx, entry(a, "otp.enrol", acc.ID))
	})
	return k.Secret(), k.URL(), err
}

// ConfirmTOTP switches the second factor on once a code proves that the phone
// has the secret. A session that waited for it is released.
func (s *Service) ConfirmTOTP(ctx context.Context, a Actor, code string) error {
	acc, err := s.Get(ctx, a.Account)
	if err != nil {
		return err
	}
	if acc.TOTP || len(acc.totp) == 0 {
		return fault.Conflict("otp_not_enrolling", "没有正在绑定的动态口令，请重新开始绑定。")
	}
	step, err := s.matchOTP(&acc, code)
	if err != nil {
		return err
	}
	if step == 0 {
		return fault.Unauthenticated("otp_wrong", "动态口令不正确或已用过，请输入最新的动态口令。")
	}
	return s.d.Update(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`UPDATE account SET totp_on = 1, totp_step = $1, version = version + 1 WHERE id = $2`, step, acc.ID); err != nil {
			return err
		}
		if err := s.release(tx, a, "must_enrol"); err != nil {
			return err
		}
		return s.log.Record(tx, entry(a, "otp.confirm", acc.ID))
	})
}

// ResetTOTP unbinds an account's second factor, for a lost phone.
func (s *Service) ResetTOTP(ctx context.Context, by Actor, account int64) error {
	return s.administer(ctx, by, account, "otp.reset", func(tx *db.Tx, acc *Account) error {
		if _, err := tx.Exec(`UPDATE account SET totp_on = 0, totp_key = NULL, totp_secret = NULL, totp_step = 0, version = version + 1 WHERE id = $1`, acc.ID); err != nil {
			return err
		}
		return s.endSessions(tx, acc.ID, 0, 0)
	})
}

// matchOTP answers the time step of a code that is right and was not used yet,
// else 0.
func (s *Service) matchOTP(acc *Account, code string) (int64, error) {
	if s.ring == nil {
		return 0, fault.Unavailable("keys_absent", "密钥服务不可用，暂时不能核验动态口令。")
	}
	key, err := s.ring.OpenKey(acc.totpKey)
	if err != nil {
		return 0, err
	}
	secret, err := key.Open(otpAD(acc.ID), seal.Field(acc.totp))
	if err != nil {
		return 0, err
	}
	now := clock.Millis(s.clock.Now()) / otpPeriod.Milliseconds()
	for step := now - 1; step <= now+1; step++ {
		want, err := totp.GenerateCodeCustom(secret, time.UnixMilli(step*otpPeriod.Milliseconds()), otpOptions)
		if err != nil {
			return 0, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > acc.totpStep {
			return step, nil
		}
	}
	return 0, nil
}
