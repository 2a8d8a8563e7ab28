package access

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
)

func TestPasswordRules(t *testing.T) {
	r := StrictRules()
	for _, tc := range []struct {
		password string
		ok       bool
	}{
		{good, true},
		{"Chang-Jiang-2", true},
		{"长江大桥夜景真好看Aa1", true},
		{"Short-1", false},
		{"onlylowercase", false},
		{"lowercase12345", false},
		{"Password123!", false},
		{"P@ssw0rd2026", false},
		{"Aa12345678901", false},
		{"Qwertyuiop-1", false},
		{"Aaaaaaaaaa1-", false}, // three different characters
		{"xx-Wang03-xx", false}, // holds the login name
		{strings.Repeat("Ab1-", 40), false},
	} {
		if err := r.judge("wang03", tc.password); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.password, err)
		}
	}
}

func TestPasswordsAge(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		h := newHouse(t, d, c)
		acc := h.account("zhou09", Agent, "P420200", good)
		s := h.mustLogin("zhou09", good)
		next := func(i int) string { return fmt.Sprintf("Han-Shui-Qiao#%d", i) }
		if err := h.ChangePassword(ctx, s.Actor, "Not-The-Old-1", next(0)); !fault.Is(err, "login_failed") {
			t.Errorf("wrong old one: %v", err)
		}
		old := good
		for i := range 5 {
			c.Advance(time.Minute)
			if err := h.ChangePassword(ctx, s.Actor, old, next(i)); err != nil {
				t.Fatal(err)
			}
			old = next(i)
		}
		c.Advance(time.Minute)
		if err := h.ChangePassword(ctx, s.Actor, old, next(0)); !fault.Is(err, "password_reused") {
			t.Errorf("one of the last five: %v", err)
		}
		if err := h.ChangePassword(ctx, s.Actor, old, good); err != nil {
			t.Errorf("the sixth last may come back: %v", err)
		}
		c.Advance(89 * 24 * time.Hour)
		if s := h.mustLogin("zhou09", good); s.MustChange {
			t.Error("too early")
		}
		c.Advance(24 * time.Hour)
		s = h.mustLogin("zhou09", good)
		if !s.MustChange || s.Actor.May(Create) || !h.ScopeOf(s.Actor).None {
			t.Errorf("after 90 days: %+v", s)
		}
		a, err := h.Authenticate(ctx, s.Token)
		if err != nil || a.Restricted != "must_change" {
			t.Errorf("%+v %v", a, err)
		}
		if err := h.ChangePassword(ctx, a, good, next(9)); err != nil {
			t.Fatal(err)
		}
		if a, err = h.Authenticate(ctx, s.Token); err != nil || !a.May(Create) {
			t.Errorf("released: %+v %v", a, err)
		}

		temp, err := h.ResetPassword(ctx, System("test"), acc.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Authenticate(ctx, s.Token); !fault.Is(err, "session_absent") {
			t.Errorf("a reset ends the sessions: %v", err)
		}
		if s, err = h.login(h.Service, "zhou09", temp, "10.0.0.1"); err != nil || !s.MustChange {
			t.Errorf("temporary password: %+v %v", s, err)
		}
		c.Advance(90 * 24 * time.Hour)
		if _, err := h.login(h.Service, "zhou09", temp, "10.0.0.1"); !fault.Is(err, "account_inactive") {
			t.Errorf("90 days away: %v", err)
		}
	})
}

func TestDemoPolicy(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas...)
	h := newHouse(t, d, c)
	h.publish(DemoRules())
	h.account("demo10", SysAdmin, "P420200", "hubei-demo-12345")
	first := h.mustLogin("demo10", "hubei-demo-12345")
	c.Advance(100 * time.Hour)
	second := h.mustLogin("demo10", "hubei-demo-12345")
	for _, s := range []Session{first, second} {
		if a, err := h.Authenticate(ctx, s.Token); err != nil || s.MustChange || s.MustEnrol || !a.May(Config) {
			t.Errorf("%+v %v", a, err)
		}
	}
}

func TestAccountPolicyOnlyTightens(t *testing.T) {
	k := PolicyOf()
	strict := StrictRules()
	for _, tc := range []struct {
		name string
		edit func(*Rules)
		code string
	}{
		{"与省级相同", func(*Rules) {}, ""},
		{"更长的密码", func(r *Rules) { r.MinLength = 12 }, ""},
		{"更短的密码", func(r *Rules) { r.MinLength = 8 }, "policy_loosened"},
		{"密码不过期", func(r *Rules) { r.MaxAgeDays = 0 }, "policy_loosened"},
		{"取消双因素", func(r *Rules) { r.SecondFactor = nil }, "policy_loosened"},
		{"增加双因素", func(r *Rules) { r.SecondFactor = append(r.SecondFactor, Cell) }, ""},
		{"不限同时登录", func(r *Rules) { r.MaxSessions = 0 }, "policy_loosened"},
		{"越界", func(r *Rules) { r.LockFails = 1 }, "account_policy_invalid"},
		{"市民双因素", func(r *Rules) { r.SecondFactor = append(r.SecondFactor, Citizen) }, "account_policy_invalid"},
	} {
		r := StrictRules()
		tc.edit(&r)
		err := k.Validate(r.JSON(), strict.JSON())
		if tc.code == "" && err != nil || tc.code != "" && !fault.Is(err, tc.code) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if err := k.Validate([]byte(`{"minLength":"十"}`), nil); !fault.Is(err, "account_policy_invalid") {
		t.Errorf("%v", err)
	}
	if err := k.Validate(DemoRules().JSON(), nil); err != nil {
		t.Errorf("the demo's policy is publishable: %v", err)
	}
}

// TestSeparationOfDuties walks every way by which one could give oneself power.
func TestSeparationOfDuties(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		h := newHouse(t, d, c)
		h.publish(DemoRules())
		actor := func(a Account) Actor { return a.actor() }
		sys := actor(h.account("sys", SysAdmin, "P420000", ""))
		sys2 := actor(h.account("sys2", SysAdmin, "P420200", ""))
		sec := actor(h.account("sec", SecAdmin, "P420000", ""))
		aud := actor(h.account("aud", Auditor, "P420000", ""))
		lead := h.account("lead", UnitLead, "D420200-chengguan", "")

		// A new account waits for the second person.
		n := NewAccount{Username: "new11", Name: "新人", Role: Handler, Unit: h.unit("D420200-chengguan"), Password: good}
		acc, err := h.CreateAccount(ctx, sys, n)
		if err != nil || acc.State != StatePending {
			t.Fatalf("%+v %v", acc, err)
		}
		if _, err := h.login(h.Service, "new11", good, "10.0.0.1"); !fault.Is(err, "account_pending") {
			t.Errorf("before approval: %v", err)
		}
		if err := h.SetState(ctx, sys, acc.ID, StateActive); !fault.Is(err, "account_pending") {
			t.Errorf("enabling around the approval: %v", err)
		}
		pending, err := h.PendingGrants(ctx, 10)
		if err != nil || len(pending) != 1 || pending[0].Account != acc.ID {
			t.Fatalf("%v %v", pending, err)
		}
		id := pending[0].ID
		for name, by := range map[string]Actor{"提出人": sys, "审计员": aud, "业务": actor(lead), "本人": actor(acc)} {
			if err := h.DecideGrant(ctx, by, id, true, ""); fault.KindOf(err) != fault.KindForbidden {
				t.Errorf("%s approves: %v", name, err)
			}
		}
		if err := h.DecideGrant(ctx, sec, id, true, "同意"); err != nil {
			t.Fatal(err)
		}
		if err := h.DecideGrant(ctx, sec, id, false, "反悔"); !fault.Is(err, "grant_decided") {
			t.Errorf("twice: %v", err)
		}
		if _, err := h.login(h.Service, "new11", good, "10.0.0.1"); err != nil {
			t.Errorf("approved: %v", err)
		}

		// A change of role ends sessions and takes effect only when approved.
		s := h.mustLogin("new11", good)
		g, err := h.ProposeGrant(ctx, sys, Grants{Account: acc.ID, Role: Dispatcher, Unit: h.unit("P420200"), Reason: "岗位调整"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.ProposeGrant(ctx, sys, Grants{Account: acc.ID, Role: Callback, Unit: h.unit("P420200"), Reason: "岗位调整"}); !fault.Is(err, "grant_open") {
			t.Errorf("two at once: %v", err)
		}
		if a, err := h.Authenticate(ctx, s.Token); err != nil || a.Role != Handler {
			t.Errorf("only proposed: %+v %v", a, err)
		}
		if err := h.DecideGrant(ctx, sec, g.ID, true, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Authenticate(ctx, s.Token); !fault.Is(err, "session_absent") {
			t.Errorf("the old role's session: %v", err)
		}
		if s := h.mustLogin("new11", good); s.Actor.Role != Dispatcher {
			t.Errorf("%+v", s.Actor)
		}

		// The three administrators exclude each other and all business roles.
		for _, role := range []Role{SysAdmin, SecAdmin, Auditor} {
			if _, err := h.ProposeGrant(ctx, sys, Grants{Account: acc.ID, Role: role, Unit: h.unit("P420200"), Reason: "兼任管理"}); !fault.Is(err, "admin_roles_exclusive") {
				t.Errorf("a dispatcher as %s: %v", role, err)
			}
			if _, err := h.CreateAccount(ctx, System("test"), NewAccount{Username: "second-" + string(role), Name: "同一人", Role: role, Unit: h.unit("P420200"), Person: "new11"}); !fault.Is(err, "admin_roles_exclusive") {
				t.Errorf("a second account as %s: %v", role, err)
			}
		}
		if _, err := h.CreateAccount(ctx, System("test"), NewAccount{Username: "second", Name: "同一人", Role: Callback, Unit: h.unit("P420200"), Person: "new11"}); err != nil {
			t.Errorf("two business accounts of one person: %v", err)
		}
		err = h.d.Update(ctx, func(tx *db.Tx) error { // the database itself refuses
			_, err := tx.Exec(`INSERT INTO account_person (person, family) VALUES ($1, $2)`, "new11", "sysadmin")
			return err
		})
		if !db.IsUnique(err) {
			t.Errorf("constraint: %v", err)
		}

		// Nobody administers himself, nor outside his platform, nor without the verb.
		for name, err := range map[string]error{
			"本人改状态":   h.SetState(ctx, sys, sys.Account, StateDisabled),
			"市管省":     h.SetState(ctx, sys2, sec.Account, StateDisabled),
			"安全员管账号":  h.SetState(ctx, sec, acc.ID, StateDisabled),
			"业务管账号":   h.SetState(ctx, actor(lead), acc.ID, StateDisabled),
			"市级在省里建号": second(h.CreateAccount(ctx, sys2, NewAccount{Username: "x1", Name: "某", Role: Leader, Unit: h.unit("P420000")})),
			"审计员建号":   second(h.CreateAccount(ctx, aud, NewAccount{Username: "x2", Name: "某", Role: Leader, Unit: h.unit("P420000")})),
		} {
			if fault.KindOf(err) != fault.KindForbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := h.ops(t, "account"); got["grant.propose"] != 2 || got["grant.approved"] != 2 {
			t.Errorf("the auditor sees grants: %v", got)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestAccountsList(t *testing.T) {
	dbtest.Each(t, schemas, func(t *testing.T, d *db.DB, c *clock.Virtual) {
		h := newHouse(t, d, c)
		var list []NewAccount
		for i := range 30 {
			unit := "D420200-chengguan"
			if i%3 == 0 {
				unit = "D420222-chengguan"
			}
			list = append(list, NewAccount{Username: fmt.Sprintf("u%02d", i), Name: "经办人", Role: Handler, Unit: h.unit(unit), Skills: []string{"a", "b"}})
		}
		list = append(list, NewAccount{Username: "vendor1", Name: "外包", Role: Agent, Unit: h.unit("V420000-seat")})
		if _, err := h.CreateAccounts(ctx, System("test"), list); err != nil {
			t.Fatal(err)
		}
		if _, err := h.CreateAccounts(ctx, System("test"), list[:1]); !fault.Is(err, "username_taken") {
			t.Errorf("twice: %v", err)
		}
		var seen []string
		for cursor := ""; ; {
			page, next, err := h.Accounts(ctx, Filter{Below: h.unit("C420222"), Role: Handler, State: StateActive, Q: "u"}, cursor, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				seen = append(seen, a.Username)
			}
			if cursor = next; next == "" {
				break
			}
		}
		if got := strings.Join(seen, " "); got != "u00 u03 u06 u09 u12 u15 u18 u21 u24 u27" {
			t.Error(got)
		}
		v, err := h.ByUsername(ctx, "VENDOR1")
		if err != nil || !v.Contractor || v.Region != "420000" {
			t.Errorf("%+v %v", v, err)
		}
		if _, err := h.ByUsername(ctx, "nobody"); !fault.Is(err, "account_absent") {
			t.Error(err)
		}
		names, err := h.Names(ctx, []int64{v.ID, 5})
		if err != nil || len(names) != 1 || names[v.ID] != "外包" {
			t.Errorf("%v %v", names, err)
		}
		if page, _, err := h.Accounts(ctx, Filter{Q: "u_"}, "", 10); err != nil || len(page) != 0 {
			t.Errorf("a sign of the pattern is a letter: %v %v", page, err)
		}
	})
}

func TestNewAccountRefusals(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas...)
	h := newHouse(t, d, c)
	unit := h.unit("P420200")
	for name, n := range map[string]NewAccount{
		"登录名":  {Username: "张三", Name: "张三", Role: Agent, Unit: unit},
		"没有姓名": {Username: "a1", Role: Agent, Unit: unit},
		"未知角色": {Username: "a1", Name: "张三", Role: "boss", Unit: unit},
		"市民角色": {Username: "a1", Name: "张三", Role: Citizen, Unit: unit},
		"未知单位": {Username: "a1", Name: "张三", Role: Agent, Unit: 5},
		"弱密码":  {Username: "a1", Name: "张三", Role: Agent, Unit: unit, Password: "123456"},
	} {
		var e *fault.Error
		if _, err := h.CreateAccount(ctx, System("test"), n); !errors.As(err, &e) || e.Kind != fault.KindInvalid || len(e.Fields) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestApprovesCountyPlatform(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas...)
	h := newHouse(t, d, c)
	for _, tc := range []struct {
		role Role
		unit string
		want bool
	}{{Province, "P420000", true}, {Province, "P420200", false}, {Dispatcher, "P420000", false}} {
		acc := h.account(strings.ToLower(string(tc.role)+tc.unit), tc.role, tc.unit, "")
		var got bool
		if err := d.View(ctx, func(tx *db.Tx) (err error) {
			got, err = h.ApprovesCountyPlatform(tx, acc.ID)
			return err
		}); err != nil || got != tc.want {
			t.Errorf("%s of %s: %v %v", tc.role, tc.unit, got, err)
		}
	}
}
