package workforce

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"testing"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
)

func TestHandset(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		s, city, branch := world(t, d, c)
		ctx := context.Background()
		for code, h := range map[string]Handset{"handset_user": {User: "sip1", Unit: city, Place: "1"}, "handset_place": {User: "8001", Unit: city}, "handset_unit": {User: "8001", Unit: 9, Place: "1"}} {
			if _, _, err := s.AddHandset(ctx, 1, h); !fault.Is(err, code) {
				t.Errorf("%+v: %v, want %s", h, err, code)
			}
		}
		h, password, err := s.AddHandset(ctx, 1, Handset{User: " 8001 ", Unit: city, Place: "3号席", SRTP: true})
		if err != nil || h.Platform != city {
			t.Fatal(h, err)
		}
		if _, _, err := s.AddHandset(ctx, 1, Handset{User: "8001", Unit: branch, Place: "1"}); !fault.Is(err, "handset_taken") {
			t.Error(err)
		}
		check := func(password string) {
			t.Helper()
			sum := md5.Sum([]byte("8001:hotline:" + password))
			if all, err := s.Credentials(ctx); err != nil || len(all) != 1 || all[0] != (Credential{"8001", hex.EncodeToString(sum[:]), true}) {
				t.Errorf("%+v %v", all, err)
			}
		}
		check(password)
		if _, _, err := s.ResetHandset(ctx, branch, h.ID); !fault.Is(err, "handset_absent") {
			t.Errorf("another platform's phone: %v", err)
		}
		_, next, err := s.ResetHandset(ctx, city, h.ID)
		if err != nil || next == password {
			t.Fatal(err)
		}
		check(next)
		a := access.Actor{Account: 7, Unit: city}
		if _, err := s.Person(ctx, a); err != nil {
			t.Fatal(err)
		}
		if err := s.SetPhone(ctx, a, "8001"); err != nil {
			t.Error(err)
		}
		if p, err := s.Person(ctx, a); err != nil || p.Phone != "8001" {
			t.Errorf("%+v %v", p, err)
		}
		if _, err := s.EnableHandset(ctx, city, h.ID, false); err != nil {
			t.Error(err)
		}
		if all, err := s.Credentials(ctx); err != nil || len(all) != 0 {
			t.Errorf("a disabled phone has credentials: %+v %v", all, err)
		}
		if p, err := s.Person(ctx, a); err != nil || p.Phone != "" {
			t.Errorf("sits at a disabled phone: %+v %v", p, err)
		}
		if list, err := s.Handsets(ctx, branch); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
	})
}
