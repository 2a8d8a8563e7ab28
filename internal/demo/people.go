package demo

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/region"
)

// post is a role in a unit.
type post struct {
	unit int64
	role access.Role
}

// people finds who acts: the accounts of each post. Accounts that the seeding
// did not make are looked up, and made when nobody holds the post.
type people struct {
	access *access.Service
	org    *org.Service
	mu     sync.Mutex
	by     map[post][]access.Actor
}

func newPeople(a *access.Service, o *org.Service) *people {
	return &people{access: a, org: o, by: map[post][]access.Actor{}}
}

// actorOf is the actor that an account is when it acts.
func (p *people) actorOf(a access.Account) access.Actor {
	return access.Actor{Account: a.ID, Username: a.Username, Name: a.Name, Role: a.Role, Unit: a.Unit, Platform: p.org.Tree().Platform(a.Unit).ID, Region: a.Region, Contractor: a.Contractor}
}

// keep remembers new accounts in the order given.
func (p *people) keep(accounts []access.Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range accounts {
		k := post{a.Unit, a.Role}
		p.by[k] = append(p.by[k], p.actorOf(a))
	}
}

// all gives the holders of a post; the first is the one in accounts.json where
// there is one.
func (p *people) all(ctx context.Context, unit int64, role access.Role) ([]access.Actor, error) {
	k := post{unit, role}
	p.mu.Lock()
	have := p.by[k]
	p.mu.Unlock()
	if len(have) > 0 {
		return have, nil
	}
	list, _, err := p.access.Accounts(ctx, access.Filter{Unit: unit, Role: role, State: access.StateActive}, "", 50)
	if err != nil {
		return nil, err
	}
	// Those of accounts.json first: their login names begin with the role's code.
	slices.SortStableFunc(list, func(x, y access.Account) int {
		a, b := strings.HasPrefix(x.Username, string(role)+"."), strings.HasPrefix(y.Username, string(role)+".")
		switch {
		case a == b:
			return 0
		case a:
			return -1
		}
		return 1
	})
	if len(list) == 0 {
		u, ok := p.org.Tree().Get(unit)
		if !ok || !u.Active {
			return nil, fault.NotFound("unit_absent", "单位不存在或已停用，请重新选择。")
		}
		list, err = p.access.CreateAccounts(ctx, access.System("演示"), []access.NewAccount{staff(u, role, 1)})
		if fault.Is(err, "username_taken") { // another was faster
			list, _, err = p.access.Accounts(ctx, access.Filter{Unit: unit, Role: role, State: access.StateActive}, "", 50)
		}
		if err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.by[k]) == 0 {
		for _, a := range list {
			p.by[k] = append(p.by[k], p.actorOf(a))
		}
	}
	return p.by[k], nil
}

// named gives the first holder of a post.
func (p *people) named(ctx context.Context, unit int64, role access.Role) (access.Actor, error) {
	list, err := p.all(ctx, unit, role)
	if err != nil || len(list) == 0 {
		return access.Actor{}, err
	}
	return list[0], nil
}

// staff is the n-th account without a password of a post. Its name follows
// from its login name, so it is the same in every installation.
func staff(u org.Unit, role access.Role, n int) access.NewAccount {
	login := fmt.Sprintf("%s.%s", shortRole[role], lower(u.Code))
	if n > 1 {
		login = fmt.Sprintf("%s%d", login, n)
	}
	return account(login, u, role)
}

// account is a new account with a made-up name.
func account(login string, u org.Unit, role access.Role) access.NewAccount {
	h := fnv.New64a()
	_, _ = h.Write([]byte(login))
	name, _ := named(rand.New(rand.NewPCG(h.Sum64(), 7)))
	return access.NewAccount{Username: login, Name: name, Role: role, Unit: u.ID}
}

// shortRole begins the login names of accounts without a password.
var shortRole = map[access.Role]string{
	access.Agent: "zx", access.ShiftLead: "bz", access.Dispatcher: "pd", access.Handler: "jb", access.UnitLead: "ld", access.Callback: "hf",
	access.Supervisor: "db", access.Inspector: "zj", access.KBAdmin: "zs", access.KBEditor: "zy", access.BranchAgent: "fz", access.Cell: "jbz",
	access.Privacy: "ys", access.Leader: "lead", access.Province: "sj",
}

func lower(code string) string {
	b := []byte(code)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}

// cityRoles stand at every city platform, provinceRoles at the province's.
var (
	cityRoles = []access.Role{access.Agent, access.ShiftLead, access.Dispatcher, access.Supervisor, access.Callback, access.Inspector, access.KBAdmin,
		access.Leader, access.Cell, access.Privacy, access.SysAdmin}
	provinceRoles = []access.Role{access.Province, access.SecAdmin, access.Auditor}
	unitRoles     = []access.Role{access.Handler, access.UnitLead, access.KBEditor}
)

// homeUnit is the department whose people have passwords in a city: the one of
// city management, which gets the most requests.
func homeUnit(t *org.Tree, city string) (org.Unit, bool) {
	for _, duty := range []string{"chengguan", "zhujian", "jiaotong"} {
		if u, ok := t.ByCode("D" + city + "-" + duty); ok {
			return u, true
		}
		for _, u := range t.FindByDuty(duty, city) {
			if u.Region == city {
				return u, true
			}
		}
	}
	return org.Unit{}, false
}

// namedAccounts are those of accounts.json: one a role and city where the role
// exists, and the province's, with two of 省级管理.
func namedAccounts(t *org.Tree) []access.NewAccount {
	var out []access.NewAccount
	add := func(region string, u org.Unit, roles ...access.Role) {
		for _, r := range roles {
			out = append(out, account(fmt.Sprintf("%s.%s", r, region), u, r))
		}
	}
	prov := t.Province()
	add(region.ProvinceCode, prov, cityRoles...)
	add(region.ProvinceCode, prov, provinceRoles...)
	out = append(out, account(fmt.Sprintf("%s.%s.2", access.Province, region.ProvinceCode), prov, access.Province)) // what two must approve
	if u, ok := homeUnit(t, region.ProvinceCode); ok {
		add(region.ProvinceCode, u, unitRoles...)
	}
	for _, u := range t.All() {
		switch {
		case u.Kind == org.KindSubcentre && u.Active:
			add(lower(u.Code[1:]), u, access.BranchAgent)
		case u.Kind == org.KindCity && u.Active:
			add(u.Region, u, cityRoles...)
			if d, ok := homeUnit(t, u.Region); ok {
				add(u.Region, d, unitRoles...)
			}
		}
	}
	return out
}

// crowd are the accounts without a password: more seats by the size of the
// city, and the desk, handlers and leader of every unit.
func crowd(t *org.Tree) []access.NewAccount {
	var out []access.NewAccount
	add := func(u org.Unit, role access.Role, n int) {
		for i := range n {
			out = append(out, staff(u, role, i+1))
		}
	}
	for _, u := range t.All() {
		if !u.Active {
			continue
		}
		switch u.Kind {
		case org.KindProvince:
			add(u, access.Agent, 6)
			add(u, access.Dispatcher, 2)
			add(u, access.Callback, 2)
			out = append(out, access.NewAccount{Username: "integration.420000", Name: "部门业务系统对接", Role: access.Integration, Unit: u.ID})
		case org.KindCity:
			r, _ := region.Get(u.Region)
			add(u, access.Agent, 3+r.Population/600_000)
			add(u, access.Dispatcher, 1+r.Population/4_000_000)
			add(u, access.Callback, 1+r.Population/3_000_000)
		case org.KindCounty:
			add(u, access.Dispatcher, 1)
			add(u, access.Handler, 1)
			add(u, access.UnitLead, 1)
		case org.KindDepartment, org.KindCountyDepartment, org.KindEnterprise, org.KindTown:
			add(u, access.Handler, 1)
			add(u, access.UnitLead, 1)
		case org.KindSubcentre:
			add(u, access.BranchAgent, 2)
			add(u, access.UnitLead, 1)
		}
	}
	return out
}
