package access

import (
	"bytes"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
)

func TestSecondFactor(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		h := newHouse(t, d, c)
		acc := h.account("root06", SysAdmin, "P420200", good)
		s := h.mustLogin("root06", good)
		if !s.MustEnrol || s.Actor.May(Config) {
			t.Errorf("an administrator enrols first: %+v", s)
		}
		secret, url, err := h.EnrolTOTP(ctx, s.Actor)
		if err != nil || url == "" {
			t.Fatal(err)
		}
		var stored []byte
		if err := d.View(ctx, func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT totp_secret FROM account WHERE id = $1`, acc.ID).Scan(&stored)
		}); err != nil || len(stored) == 0 || bytes.Contains(stored, []byte(secret)) {
			t.Errorf("the secret lies open: %v", err)
		}
		code := func() string {
			k, err := totp.GenerateCodeCustom(secret, c.Now(), otpOptions)
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		if err := h.ConfirmTOTP(ctx, s.Actor, "000000"); !fault.Is(err, "otp_wrong") {
			t.Errorf("wrong: %v", err)
		}
		if err := h.ConfirmTOTP(ctx, s.Actor, code()); err != nil {
			t.Fatal(err)
		}
		if a, err := h.Authenticate(ctx, s.Token); err != nil || !a.May(Config) {
			t.Errorf("released: %+v %v", a, err)
		}
		if _, err := h.login(h.Service, "root06", good, "10.0.0.1"); !fault.Is(err, "otp_required") {
			t.Errorf("no code: %v", err)
		}
		if _, err := h.Login(ctx, "root06", good, code(), "10.0.0.1", ""); !fault.Is(err, "otp_wrong") {
			t.Errorf("the code that enrolled must not log in: %v", err)
		}
		c.Advance(time.Minute)
		used := code()
		if _, err := h.Login(ctx, "root06", good, used, "10.0.0.1", ""); err != nil {
			t.Errorf("right code: %v", err)
		}
		if _, err := h.Login(ctx, "root06", good, used, "10.0.0.1", ""); !fault.Is(err, "otp_wrong") {
			t.Errorf("replay: %v", err)
		}
		if err := h.ResetTOTP(ctx, System("test"), acc.ID); err != nil {
			t.Fatal(err)
		}
		if s := h.mustLogin("root06", good); !s.MustEnrol {
			t.Error("after a reset it is enrolled anew")
		}
	})
}
