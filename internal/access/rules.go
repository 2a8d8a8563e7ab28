package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/fault"
	"hotline/internal/policy"
)

// PolicyKind is the name under which the account policy is published.
const PolicyKind = "account"

// Rules is the account policy (账号安全策略), versioned data of kind "account".
// Zero means no bound wherever a number is a bound.
type Rules struct {
	MinLength     int    `json:"minLength"`     // characters of a password
	Classes       int    `json:"classes"`       // of upper, lower, digit, other
	RefuseCommon  bool   `json:"refuseCommon"`  // well-known passwords and keyboard rows
	MaxAgeDays    int    `json:"maxAgeDays"`    // then it must be changed
	History       int    `json:"history"`       // last passwords that may not come back
	ForceFirst    bool   `json:"forceFirst"`    // a password set by others must be changed at first login
	LockFails     int    `json:"lockFails"`     // failures …
	WindowMinutes int    `json:"windowMinutes"` // … within this time …
	LockMinutes   int    `json:"lockMinutes"`   // … lock for this time
	AddressFails  int    `json:"addressFails"`  // failed logins of one address within the window
	IdleMinutes   int    `json:"idleMinutes"`   // staff
	AdminIdle     int    `json:"adminIdleMinutes"`
	AbsoluteHours int    `json:"absoluteHours"`
	MaxSessions   int    `json:"maxSessions"` // per account; a further login ends the oldest
	SecondFactor  []Role `json:"secondFactor"`
	InactiveDays  int    `json:"inactiveDays"`  // then the account is disabled
	RevealsPerDay int    `json:"revealsPerDay"` // clear personal data seen by one account on a day
	SealedHours   int    `json:"sealedHours"`   // a request for sealed data waits, and an approval holds, this long
	SealedMinutes int    `json:"sealedMinutes"` // after the first look it may be looked at again this long; 0 = once only
}

// StrictRules is the embedded default: 等保2.0 level 3, security design S-01…S-05.
func StrictRules() Rules {
	return Rules{
		MinLength: 10, Classes: 3, RefuseCommon: true, MaxAgeDays: 90, History: 5, ForceFirst: true,
		LockFails: 5, WindowMinutes: 15, LockMinutes: 30, AddressFails: 20,
		IdleMinutes: 30, AdminIdle: 15, AbsoluteHours: 12, MaxSessions: 1,
		SecondFactor: []Role{SysAdmin, SecAdmin, Auditor}, InactiveDays: 90,
		RevealsPerDay: 60, SealedHours: 24,
	}
}

// DemoRules is what the demo publishes: no ageing, no forced change, no second
// factor, any number of sessions. Its login page says so.
func DemoRules() Rules {
	r := StrictRules()
	r.Classes, r.MaxAgeDays, r.History, r.ForceFirst = 2, 0, 0, false
	r.IdleMinutes, r.AdminIdle, r.AbsoluteHours, r.MaxSessions = 0, 0, 24*7, 0
	r.SecondFactor, r.InactiveDays, r.AddressFails = nil, 0, 100
	return r
}

// JSON is the document to publish.
func (r Rules) JSON() []byte {
	doc, _ := json.Marshal(r) // plain fields cannot fail
	return doc
}

func parseRules(doc []byte) (Rules, error) {
	d := StrictRules()
	r := Rules{RevealsPerDay: d.RevealsPerDay, SealedHours: d.SealedHours} // for documents older than these
	err := json.Unmarshal(doc, &r)
	return r, err
}

// PolicyOf is the registration of the account policy.
func PolicyOf() policy.Kind {
	return policy.Kind{
		Label:   "账号安全策略",
		Default: func() []byte { return StrictRules().JSON() },
		Validate: func(doc, parent []byte) error {
			r, err := parseRules(doc)
			if err != nil {
				return fault.Invalid("account_policy_invalid", "账号安全策略的格式不正确。").Because(err)
			}
			if err := r.check(); err != nil {
				return err
			}
			if parent == nil {
				return nil
			}
			p, err := parseRules(parent)
			if err != nil {
				return fmt.Errorf("access: the province's account policy: %w", err)
			}
			return r.within(p)
		},
		Diff: func(old, new []byte) []string {
			was, _ := parseRules(old)
			is, _ := parseRules(new)
			return was.differences(is)
		},
	}
}

// bounded is one number of the policy and what it may be.
type bounded struct {
	name, label string
	v, lo, hi   int
}

func (r Rules) numbers() []bounded {
	return []bounded{
		{"minLength", "密码最短长度", r.MinLength, 8, 64},
		{"classes", "字符种类", r.Classes, 1, 4},
		{"maxAgeDays", "密码有效天数", r.MaxAgeDays, 0, 365},
		{"history", "不得重复的历史密码数", r.History, 0, 24},
		{"lockFails", "锁定前失败次数", r.LockFails, 3, 20},
		{"windowMinutes", "失败计数时间（分钟）", r.WindowMinutes, 1, 1440},
		{"lockMinutes", "锁定时间（分钟）", r.LockMinutes, 1, 1440},
		{"addressFails", "同一地址失败次数", r.AddressFails, 5, 10000},
		{"idleMinutes", "空闲退出（分钟）", r.IdleMinutes, 0, 1440},
		{"adminIdleMinutes", "管理员空闲退出（分钟）", r.AdminIdle, 0, 1440},
		{"absoluteHours", "最长登录（小时）", r.AbsoluteHours, 1, 24 * 30},
		{"maxSessions", "同时登录数", r.MaxSessions, 0, 100},
		{"inactiveDays", "停用前未登录天数", r.InactiveDays, 0, 3650},
		{"revealsPerDay", "每日查看个人信息次数", r.RevealsPerDay, 0, 10000},
		{"sealedHours", "密封信息申请有效期（小时）", r.SealedHours, 1, 24 * 7},
		{"sealedMinutes", "密封信息批准后可重看时间（分钟）", r.SealedMinutes, 0, 60},
	}
}

// differences lists, in Chinese, what changes from r to is.
func (r Rules) differences(is Rules) []string {
	var out []string
	say := func(label, was, is string) {
		if was != is {
			out = append(out, label+"："+was+" → "+is)
		}
	}
	now := is.numbers()
	for i, b := range r.numbers() {
		say(b.label, strconv.Itoa(b.v), strconv.Itoa(now[i].v))
	}
	yes := map[bool]string{true: "是", false: "否"}
	say("禁用常见密码", yes[r.RefuseCommon], yes[is.RefuseCommon])
	say("首次登录改密", yes[r.ForceFirst], yes[is.ForceFirst])
	posts := func(roles []Role) string {
		words := make([]string, len(roles))
		for i, x := range roles {
			words[i] = x.Label()
		}
		slices.Sort(words)
		return cmp.Or(strings.Join(words, "、"), "无")
	}
	say("须双因素登录的岗位", posts(r.SecondFactor), posts(is.SecondFactor))
	return out
}

// check bounds every number, so that no policy locks everybody out or lets
// everybody in.
func (r Rules) check() error {
	for _, b := range r.numbers() {
		if b.v < b.lo || b.v > b.hi {
			e := fault.Invalid("account_policy_invalid", "“%s”应在%d至%d之间。", b.label, b.lo, b.hi)
			return e.At(fault.Field{Name: b.name, Detail: e.Detail})
		}
	}
	for _, role := range r.SecondFactor {
		if !role.Staff() {
			return fault.Invalid("account_policy_invalid", "“%s”不是可以要求双因素登录的角色。", role)
		}
	}
	return nil
}

// within refuses what is looser than the province's p.
func (r Rules) within(p Rules) error {
	for _, b := range []struct {
		label string
		loose bool
	}{
		{"密码最短长度", r.MinLength < p.MinLength},
		{"字符种类", r.Classes < p.Classes},
		{"禁用常见密码", p.RefuseCommon && !r.RefuseCommon},
		{"密码有效天数", looser(r.MaxAgeDays, p.MaxAgeDays)},
		{"不得重复的历史密码数", r.History < p.History},
		{"首次登录改密", p.ForceFirst && !r.ForceFirst},
		{"锁定前失败次数", r.LockFails > p.LockFails},
		{"失败计数时间", r.WindowMinutes < p.WindowMinutes},
		{"锁定时间", r.LockMinutes < p.LockMinutes},
		{"同一地址失败次数", r.AddressFails > p.AddressFails},
		{"空闲退出", looser(r.IdleMinutes, p.IdleMinutes)},
		{"管理员空闲退出", looser(r.AdminIdle, p.AdminIdle)},
		{"最长登录", r.AbsoluteHours > p.AbsoluteHours},
		{"同时登录数", looser(r.MaxSessions, p.MaxSessions)},
		{"停用前未登录天数", looser(r.InactiveDays, p.InactiveDays)},
		{"每日查看个人信息次数", looser(r.RevealsPerDay, p.RevealsPerDay)},
		{"密封信息申请有效期", r.SealedHours > p.SealedHours},
		{"密封信息批准后可重看时间", r.SealedMinutes > p.SealedMinutes},
	} {
		if b.loose {
			return fault.Invalid("policy_loosened", "“%s”比省级规定宽松，市级只能收紧，不能放宽。", b.label)
		}
	}
	for _, role := range p.SecondFactor {
		if !r.needsSecondFactor(role) {
			return fault.Invalid("policy_loosened", "省级规定“%s”须双因素登录，市级不能取消。", role.Label())
		}
	}
	return nil
}

// looser compares two upper bounds of which 0 means none.
func looser(v, parent int) bool { return parent != 0 && (v == 0 || v > parent) }

func (r Rules) needsSecondFactor(role Role) bool {
	for _, x := range r.SecondFactor {
		if x == role {
			return true
		}
	}
	return false
}
