package access

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
)

var ctx = context.Background()

var schemas = append(audit.Schemas(), eventlog.Schema("event"), policy.Schema(), org.Schema(), Schema())

// house is the rooms that an access test needs, on a real database.
type house struct {
	*Service
	t        testing.TB
	d        *db.DB
	c        *clock.Virtual
	org      *org.Service
	policies *policy.Store
	audit    *audit.Log
	ring     *seal.Ring
}

func newHouse(t testing.TB, d *db.DB, c *clock.Virtual) *house {
	t.Helper()
	kp, err := seal.OpenFileProvider(t.TempDir(), "sm")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, d: d, c: c, ring: seal.NewRing(kp), org: org.New(d, eventlog.New(d, "event")), policies: policy.New(d), audit: audit.New(d)}
	if err := h.org.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if h.org.Tree().Province().ID == 0 {
		if err := h.org.CreateAll(ctx, org.By{}, org.Province(org.ProvinceOptions{Cities: []string{"420200"}})); err != nil {
			t.Fatal(err)
		}
	}
	h.Service = h.another()
	return h
}

// another is a second process on the same database.
func (h *house) another(opts ...Option) *Service {
	return New(h.d, h.org, h.policies, h.audit, h.c, append(opts, WithRing(h.ring))...)
}

func (h *house) unit(code string) int64 {
	h.t.Helper()
	u, ok := h.org.Tree().ByCode(code)
	if !ok {
		h.t.Fatalf("no unit %s", code)
	}
	return u.ID
}

func (h *house) publish(r Rules) {
	h.t.Helper()
	err := h.d.Update(ctx, func(tx *db.Tx) error {
		_, err := h.policies.Publish(tx, policy.Publication{Kind: PolicyKind, Doc: r.JSON()})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) account(username string, role Role, unit string, password string) Account {
	h.t.Helper()
	a, err := h.CreateAccount(ctx, System("test"), NewAccount{Username: username, Name: "测试" + username, Role: role, Unit: h.unit(unit), Password: password})
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *house) login(s *Service, username, password, ip string) (Session, error) {
	return s.Login(ctx, username, password, "", ip, "test")
}

func (h *house) mustLogin(username, password string) Session {
	h.t.Helper()
	s, err := h.login(h.Service, username, password, "10.0.0.1")
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

const good = "Jiang-Han-Lu#88"

func TestLoginAndSession(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		h := newHouse(t, d, c)
		h.account("Zhang01", Agent, "P420200", good)
		s := h.mustLogin("zhang01", good)
		if s.MustChange || s.Actor.Role != Agent || s.Actor.Platform != h.unit("P420200") || s.Actor.Region != "420200" {
			t.Errorf("%+v", s)
		}
		a, err := h.Authenticate(ctx, s.Token)
		if err != nil || a != s.Actor {
			t.Errorf("%+v %v", a, err)
		}
		for _, bad := range []string{"", "hl_", s.Token + "x", s.Token[:len(s.Token)-1] + "_"} {
			if _, err := h.Authenticate(ctx, bad); !fault.Is(err, "session_absent") {
				t.Errorf("token %q: %v", bad, err)
			}
		}

		// One session at a time: the second login ends the first, in both processes.
		other := h.another()
		if _, err := other.Authenticate(ctx, s.Token); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Minute)
		s2 := h.mustLogin("zhang01", good)
		if _, err := h.Authenticate(ctx, s.Token); !fault.Is(err, "session_absent") {
			t.Errorf("superseded: %v", err)
		}
		if _, err := other.Authenticate(ctx, s.Token); !fault.Is(err, "session_absent") {
			t.Errorf("superseded, seen from another process: %v", err)
		}

		// A logout is seen by the other process at the latest within 5 seconds.
		if _, err := other.Authenticate(ctx, s2.Token); err != nil {
			t.Fatal(err)
		}
		if err := h.Logout(ctx, s2.Actor); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Authenticate(ctx, s2.Token); !fault.Is(err, "session_absent") {
			t.Errorf("logged out: %v", err)
		}
		c.Advance(5 * time.Second)
		if _, err := other.Authenticate(ctx, s2.Token); !fault.Is(err, "session_absent") {
			t.Errorf("logged out elsewhere: %v", err)
		}

		// Idle and absolute bounds.
		s3 := h.mustLogin("zhang01", good)
		for range 23 {
			c.Advance(29 * time.Minute)
			if _, err := h.Authenticate(ctx, s3.Token); err != nil {
				t.Fatalf("used every 29 minutes: %v", err)
			}
		}
		if err := h.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Authenticate(ctx, s3.Token); err != nil {
			t.Errorf("idle time is shared between processes: %v", err)
		}
		c.Advance(31 * time.Minute)
		if _, err := h.Authenticate(ctx, s3.Token); !fault.Is(err, "session_idle") {
			t.Errorf("idle: %v", err)
		}
		s4 := h.mustLogin("zhang01", good)
		for range 25 {
			c.Advance(29 * time.Minute)
			_, err = h.Authenticate(ctx, s4.Token)
		}
		if !fault.Is(err, "session_expired") {
			t.Errorf("after 12 hours: %v", err)
		}

		if got := h.ops(t, "account"); got["login"] != 4 || got["logout"] != 1 || got["session_superseded"] < 1 {
			t.Errorf("audit: %v", got)
		}
	})
}

// ops counts audit entries by operation.
func (h *house) ops(t testing.TB, subject string) map[string]int {
	t.Helper()
	rows, _, err := h.audit.Search(ctx, audit.Filter{SubjectKind: subject}, 500)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, r := range rows {
		out[r.Op]++
	}
	return out
}

func TestPollDropsWhatOthersEnded(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		h := newHouse(t, d, c)
		acc := h.account("li02", Agent, "P420200", good)
		s := h.mustLogin("li02", good)
		other := h.another()
		if _, err := other.Authenticate(ctx, s.Token); err != nil {
			t.Fatal(err)
		}
		if err := other.Poll(ctx); err != nil {
			t.Fatal(err)
		}
		if err := h.SetState(ctx, System("test"), acc.ID, StateDisabled); err != nil {
			t.Fatal(err)
		}
		if err := other.Poll(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Authenticate(ctx, s.Token); !fault.Is(err, "session_absent") {
			t.Errorf("disabled elsewhere: %v", err)
		}
		if _, err := h.login(h.Service, "li02", good, "10.0.0.1"); !fault.Is(err, "account_disabled") {
			t.Errorf("disabled: %v", err)
		}
	})
}

func TestLockout(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		h := newHouse(t, d, c)
		h.account("wang03", Handler, "D420200-chengguan", good)
		h.mustLogin("wang03", good) // 10.0.0.1 is known from here on
		const attacker = "203.0.113.9"
		for i := range 4 {
			if _, err := h.login(h.Service, "wang03", fmt.Sprintf("Wrong-Guess-1%d", i), attacker); !fault.Is(err, "login_failed") {
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		if _, err := h.login(h.Service, "wang03", "Wrong-Guess-99", attacker); !fault.Is(err, "account_locked") {
			t.Fatalf("fifth: %v", err)
		}
		if _, err := h.login(h.Service, "wang03", good, "203.0.113.10"); !fault.Is(err, "account_locked") {
			t.Errorf("even the right password, from an unknown address: %v", err)
		}
		h.mustLogin("wang03", good) // the owner, from his own desk
		c.Advance(31 * time.Minute)
		if _, err := h.login(h.Service, "wang03", good, "203.0.113.10"); err != nil {
			t.Errorf("after half an hour: %v", err)
		}
		// A name that does not exist behaves the same.
		for range 4 {
			if _, err := h.login(h.Service, "nobody", "Wrong-Guess-1", "203.0.113.11"); !fault.Is(err, "login_failed") {
				t.Fatal(err)
			}
		}
		if _, err := h.login(h.Service, "nobody", "Wrong-Guess-1", "203.0.113.11"); !fault.Is(err, "account_locked") {
			t.Errorf("no oracle: %v", err)
		}
		if got := h.ops(t, "account"); got["login_failed"] != 10 || got["account_locked"] != 2 {
			t.Errorf("audit: %v", got)
		}
	})
}

// TestOnlyFailuresCountAgainstAnAddress: an office behind one address logs in
// as often as it likes; one that guesses is stopped.
func TestOnlyFailuresCountAgainstAnAddress(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas...)
	h := newHouse(t, d, c)
	h.account("zhao04", Agent, "P420200", good)
	for range 25 {
		h.mustLogin("zhao04", good)
	}
	const ip = "198.51.100.7"
	for i := range 20 {
		if _, err := h.login(h.Service, fmt.Sprintf("user%d", i), "Wrong-Guess-1", ip); !fault.Is(err, "login_failed") {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if _, err := h.login(h.Service, "zhao04", good, ip); !fault.Is(err, "login_address_limited") {
		t.Errorf("address: %v", err)
	}
	h.mustLogin("zhao04", good)
	c.Advance(16 * time.Minute)
	if _, err := h.login(h.Service, "zhao04", good, ip); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

// TestParallelGuesses: however many guesses come at once, five are evaluated.
func TestParallelGuesses(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas...)
	h := newHouse(t, d, c)
	h.account("sun05", Agent, "P420200", good)
	var mu sync.Mutex
	codes := map[string]int{}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			_, err := h.login(h.Service, "sun05", fmt.Sprintf("Guess-No-%d", i), fmt.Sprintf("192.0.2.%d", i))
			mu.Lock()
			codes[fault.As(err).Code]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if codes["login_failed"] != 4 || codes["account_locked"] != 36 {
		t.Errorf("%v", codes)
	}
	if n := h.ops(t, "account")["login_failed"]; n != 5 {
		t.Errorf("%d guesses were evaluated", n)
	}
}

func TestEnterIsForTheDemo(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas...)
	h := newHouse(t, d, c)
	h.account("qian07", UnitLead, "D420200-chengguan", "")
	if _, err := h.Enter(ctx, "qian07", "127.0.0.1", ""); !fault.Is(err, "enter_demo_only") {
		t.Errorf("outside the demo: %v", err)
	}
	if _, err := h.login(h.Service, "qian07", "anything-At-1", "127.0.0.1"); !fault.Is(err, "login_failed") {
		t.Errorf("an account without a password has no password login: %v", err)
	}
	demo := h.another(Demo())
	s, err := demo.Enter(ctx, "qian07", "127.0.0.1", "")
	if err != nil || s.Actor.Role != UnitLead {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := demo.Authenticate(ctx, s.Token); err != nil {
		t.Error(err)
	}
}

// BenchmarkAuthenticate must stay below 0.2 ms.
func BenchmarkAuthenticate(b *testing.B) {
	d, c := dbtest.SQLite(b, schemas...)
	h := newHouse(b, d, c)
	h.account("bench08", Agent, "P420200", good)
	token := h.mustLogin("bench08", good).Token
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.Authenticate(ctx, token); err != nil {
				b.Error(err)
			}
		}
	})
}
