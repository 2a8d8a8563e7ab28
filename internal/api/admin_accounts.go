package api

import (
	"context"
	"net/http"
	"strconv"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/fault"
)

// AccountOut is an account in the list of the administration.
type AccountOut struct {
	ID         ID       `json:"id"`
	Username   string   `json:"username"`
	Name       string   `json:"name"`
	Role       string   `json:"role"`
	RoleLabel  string   `json:"role_label"`
	Unit       UnitRef  `json:"unit"`
	Region     string   `json:"region"`
	State      string   `json:"state"`
	StateLabel string   `json:"state_label"`
	Contractor bool     `json:"contractor"`
	TOTP       bool     `json:"totp"`
	MustChange bool     `json:"must_change"`
	Skills     []string `json:"skills"`
	LastLogin  string   `json:"last_login"`
	CreatedAt  string   `json:"created_at"`
	Version    int64    `json:"version"`
}

// AccountIn is what a new account is made of.
type AccountIn struct {
	Username   string   `json:"username" maxLength:"64"`
	Name       string   `json:"name" maxLength:"64"`
	Role       string   `json:"role" maxLength:"40"`
	Unit       ID       `json:"unit"`
	Region     string   `json:"region,omitempty" maxLength:"12"`
	Skills     []string `json:"skills,omitempty" maxItems:"20"`
	Contractor bool     `json:"contractor,omitempty"`
	Person     string   `json:"person,omitempty" maxLength:"64" doc:"人员编号，同一人的账号不得分属三员"`
	Password   string   `json:"password,omitempty" maxLength:"256"`
	Reason     string   `json:"reason,omitempty" maxLength:"200"`
}

// AccountDone is what an act on an account answers.
type AccountDone struct {
	ID         ID     `json:"id"`
	State      string `json:"state"`
	StateLabel string `json:"state_label"`
	Password   string `json:"password,omitempty" doc:"一次性密码，只显示这一次"`
	Grant      ID     `json:"grant,omitempty"`
	Message    string `json:"message"`
}

// GrantOut is a proposed or decided grant.
type GrantOut struct {
	ID      ID `json:"id"`
	Account struct {
		ID       ID     `json:"id"`
		Username string `json:"username"`
		Name     string `json:"name"`
	} `json:"account"`
	Role       string  `json:"role"`
	RoleLabel  string  `json:"role_label"`
	Unit       UnitRef `json:"unit"`
	Reason     string  `json:"reason"`
	State      string  `json:"state"`
	StateLabel string  `json:"state_label"`
	ProposedBy string  `json:"proposed_by"`
	ProposedAt string  `json:"proposed_at"`
	DecidedBy  string  `json:"decided_by"`
	DecidedAt  string  `json:"decided_at"`
	Opinion    string  `json:"opinion"`
	MayDecide  bool    `json:"may_decide"`
}

// GrantIn proposes a role for an account.
type GrantIn struct {
	Account ID     `json:"account"`
	Role    string `json:"role" maxLength:"40"`
	Unit    ID     `json:"unit,omitempty" doc:"不填为现单位"`
	Region  string `json:"region,omitempty" maxLength:"12"`
	Reason  string `json:"reason" maxLength:"400"`
}

var (
	accountStates = map[string]string{access.StatePending: "待审批", access.StateActive: "启用", access.StateDisabled: "停用"}
	grantStates   = map[string]string{access.GrantProposed: "待审批", access.GrantApproved: "已批准", access.GrantRefused: "未批准"}
)

func (a *API) accountRoutes() {
	rule := Rule{Verbs: []access.Verb{access.UserAdmin}, Audit: "account"}
	type listOut struct {
		Items []AccountOut `json:"items"`
		Next  string       `json:"next"`
	}
	route(a, http.MethodGet, "/api/v1/admin/accounts", "admin-accounts", "账号", Rule{Verbs: rule.Verbs, Audit: "account.list"}, func(ctx context.Context, in *struct {
		Role   string `query:"role" maxLength:"40"`
		Unit   string `query:"unit" maxLength:"20"`
		State  string `query:"state" maxLength:"20"`
		Q      string `query:"q" maxLength:"40"`
		Cursor string `query:"cursor" maxLength:"64"`
		Limit  int    `query:"limit" minimum:"0" maximum:"500"`
	}) (*struct{ Body listOut }, error) {
		f := access.Filter{Role: access.Role(in.Role), State: in.State, Q: in.Q, Below: a.Org.Tree().Platform(actorOf(ctx).Unit).ID}
		if in.Unit != "" {
			id, err := parseID(in.Unit)
			if err != nil {
				return nil, err
			}
			if !a.within(actorOf(ctx), id) {
				return nil, errOutside()
			}
			f.Below = id
		}
		if in.Limit == 0 {
			in.Limit = 50
		}
		page, next, err := a.Access.Accounts(ctx, f, in.Cursor, in.Limit)
		if err != nil {
			return nil, err
		}
		out := listOut{Items: make([]AccountOut, 0, len(page)), Next: next}
		for i := range page {
			out.Items = append(out.Items, a.accountOut(&page[i]))
		}
		return &struct{ Body listOut }{out}, a.saw(ctx, audit.Entry{Op: "account.list", Count: len(page), Query: in.Role})
	})
	type made struct {
		AccountOut
		Message string `json:"message"`
	}
	route(a, http.MethodPost, "/api/v1/admin/accounts", "admin-accounts-create", "新建账号", rule, func(ctx context.Context, in *struct{ Body AccountIn }) (*struct{ Body made }, error) {
		b := &in.Body
		acc, err := a.Access.CreateAccount(ctx, actorOf(ctx), access.NewAccount{Username: b.Username, Name: b.Name, Role: access.Role(b.Role), Unit: int64(b.Unit), Region: b.Region,
			Skills: b.Skills, Contractor: b.Contractor, Person: b.Person, Password: b.Password, MustChange: b.Password != ""})
		if err != nil {
			return nil, err
		}
		if b.Reason != "" {
			if err := a.saw(ctx, audit.Entry{Op: "account.reason", SubjectKind: "account", Subject: acc.ID, Reason: b.Reason, Count: 1}); err != nil {
				return nil, err
			}
		}
		return &struct{ Body made }{made{a.accountOut(&acc), "账号已建立，待安全管理员批准后启用。"}}, nil
	})
	for _, act := range []struct{ name, id, summary, state, text string }{
		{"lock", "admin-accounts-lock", "停用账号", access.StateDisabled, "账号已停用，已登录的会话已退出。"},
		{"unlock", "admin-accounts-unlock", "启用账号", access.StateActive, "账号已启用。"},
	} {
		route(a, http.MethodPost, "/api/v1/admin/accounts/{id}/"+act.name, act.id, act.summary, rule, func(ctx context.Context, in *pathID) (*struct{ Body AccountDone }, error) {
			id, err := parseID(in.ID)
			if err != nil {
				return nil, err
			}
			if err := a.Access.SetState(ctx, actorOf(ctx), id, act.state); err != nil {
				return nil, err
			}
			return &struct{ Body AccountDone }{AccountDone{ID: ID(id), State: act.state, StateLabel: accountStates[act.state], Message: act.text}}, nil
		})
	}
	route(a, http.MethodPost, "/api/v1/admin/accounts/{id}/reset", "admin-accounts-reset", "重置密码", rule, func(ctx context.Context, in *pathID) (*struct{ Body AccountDone }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		password, err := a.Access.ResetPassword(ctx, actorOf(ctx), id)
		if err != nil {
			return nil, err
		}
		return &struct{ Body AccountDone }{AccountDone{ID: ID(id), Password: password, Message: "已生成一次性密码，请当面交给本人，首次登录须修改。"}}, nil
	})
	route(a, http.MethodPost, "/api/v1/admin/accounts/{id}/role", "admin-accounts-role", "申请变更角色", Rule{Verbs: rule.Verbs, Audit: "grant.propose"}, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body struct {
			Role   string `json:"role" maxLength:"40"`
			Unit   ID     `json:"unit,omitempty"`
			Reason string `json:"reason" maxLength:"400"`
		}
	}) (*struct{ Body AccountDone }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		g, err := a.propose(ctx, GrantIn{Account: ID(id), Role: in.Body.Role, Unit: in.Body.Unit, Reason: in.Body.Reason})
		return &struct{ Body AccountDone }{AccountDone{ID: ID(id), Grant: ID(g.ID), State: g.State, StateLabel: grantStates[g.State], Message: "已提交，待安全管理员批准后生效。"}}, err
	})
}

func (a *API) accountOut(x *access.Account) AccountOut {
	out := AccountOut{ID: ID(x.ID), Username: x.Username, Name: x.Name, Role: string(x.Role), RoleLabel: x.Role.Label(), Unit: a.unitRef(x.Unit), Region: x.Region, State: x.State, StateLabel: accountStates[x.State],
		Contractor: x.Contractor, TOTP: x.TOTP, MustChange: x.MustChange, Skills: append([]string{}, x.Skills...), CreatedAt: stamp(x.CreatedAt.UnixMilli()), Version: x.Version}
	if !x.LoginAt.IsZero() {
		out.LastLogin = stamp(x.LoginAt.UnixMilli())
	}
	return out
}

// propose asks for a role; without a unit the account stays where it is.
func (a *API) propose(ctx context.Context, in GrantIn) (access.Grants, error) {
	if in.Unit == 0 {
		acc, err := a.Access.Get(ctx, int64(in.Account))
		if err != nil {
			return access.Grants{}, err
		}
		in.Unit = ID(acc.Unit)
	}
	return a.Access.ProposeGrant(ctx, actorOf(ctx), access.Grants{Account: int64(in.Account), Role: access.Role(in.Role), Unit: int64(in.Unit), Region: in.Region, Reason: in.Reason})
}

func (a *API) grantRoutes() {
	see := Rule{Verbs: []access.Verb{access.UserAdmin, access.GrantApprove, access.AuditRead}, Audit: "grant.list"}
	type listOut struct {
		Items []GrantOut `json:"items"`
		Next  string     `json:"next"`
	}
	route(a, http.MethodGet, "/api/v1/admin/grants", "admin-grants", "授权申请", see, func(ctx context.Context, in *struct {
		State  string `query:"state" maxLength:"20"`
		Cursor string `query:"cursor" maxLength:"20"`
		Limit  int    `query:"limit" minimum:"0" maximum:"500"`
	}) (*struct{ Body listOut }, error) {
		if in.Limit == 0 {
			in.Limit = 50
		}
		items, next, err := a.grants(ctx, in.State, in.Cursor, in.Limit)
		if err != nil {
			return nil, err
		}
		return &struct{ Body listOut }{listOut{items, next}}, a.saw(ctx, audit.Entry{Op: "grant.list", Count: len(items)})
	})
	route(a, http.MethodPost, "/api/v1/admin/grants", "admin-grants-create", "提出授权", Rule{Verbs: []access.Verb{access.UserAdmin}, Audit: "grant.propose"}, func(ctx context.Context, in *struct{ Body GrantIn }) (*struct{ Body AccountDone }, error) {
		g, err := a.propose(ctx, in.Body)
		return &struct{ Body AccountDone }{AccountDone{ID: ID(g.ID), Grant: ID(g.ID), State: g.State, StateLabel: grantStates[g.State], Message: "已提交，待安全管理员批准后生效。"}}, err
	})
	for _, act := range []struct {
		name, id, summary, state, text string
	}{
		{"approve", "admin-grants-approve", "批准授权", access.GrantApproved, "已批准，本人重新登录后生效。"},
		{"reject", "admin-grants-reject", "不批准授权", access.GrantRefused, "已退回，未予批准。"},
	} {
		route(a, http.MethodPost, "/api/v1/admin/grants/{id}/"+act.name, act.id, act.summary, Rule{Verbs: []access.Verb{access.GrantApprove}, Audit: "grant." + act.state}, func(ctx context.Context, in *struct {
			ID   string `path:"id"`
			Body struct {
				Opinion string `json:"opinion,omitempty" maxLength:"200"`
			} `required:"false"`
		}) (*struct{ Body AccountDone }, error) {
			id, err := parseID(in.ID)
			if err != nil {
				return nil, err
			}
			if err := a.Access.DecideGrant(ctx, actorOf(ctx), id, act.state == access.GrantApproved, in.Body.Opinion); err != nil {
				return nil, err
			}
			return &struct{ Body AccountDone }{AccountDone{ID: ID(id), State: act.state, StateLabel: grantStates[act.state], Message: act.text}}, nil
		})
	}
}

// grantScan bounds how many proposals of other platforms one page passes over.
const grantScan = 5000

// grants lists proposals within the actor's platform, newest first.
func (a *API) grants(ctx context.Context, state, cursor string, limit int) ([]GrantOut, string, error) {
	actor := actorOf(ctx)
	var before int64
	if cursor != "" {
		var err error
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return nil, "", fault.Invalid("cursor_invalid", "翻页标记无效，请重新查询。")
		}
	}
	if _, ok := grantStates[state]; state != "" && !ok {
		return nil, "", fault.Invalid("state_unknown", "没有这种授权状态。")
	}
	out := []GrantOut{}
	for range grantScan / 500 {
		page, err := a.Access.GrantHistory(ctx, before, 500)
		if err != nil {
			return nil, "", err
		}
		for i := range page {
			g := &page[i]
			if len(out) == limit {
				return out, strconv.FormatInt(before, 10), nil
			}
			before = g.ID
			if a.within(actor, g.Unit) && (state == "" || g.State == state) {
				out = append(out, a.grantOut(ctx, actor, g))
			}
		}
		if len(page) < 500 {
			return out, "", nil
		}
	}
	return out, strconv.FormatInt(before, 10), nil
}

func (a *API) grantOut(ctx context.Context, actor access.Actor, g *access.Grants) GrantOut {
	out := GrantOut{ID: ID(g.ID), Role: string(g.Role), RoleLabel: g.Role.Label(), Unit: a.unitRef(g.Unit), Reason: g.Reason, State: g.State, StateLabel: grantStates[g.State],
		ProposedBy: a.accountName(g.ProposedBy), ProposedAt: stamp(g.ProposedAt.UnixMilli()), DecidedBy: a.accountName(g.DecidedBy), Opinion: g.Opinion}
	out.Account.ID = ID(g.Account)
	if acc, err := a.Access.Get(ctx, g.Account); err == nil {
		out.Account.Username, out.Account.Name = acc.Username, acc.Name
	}
	if !g.DecidedAt.IsZero() {
		out.DecidedAt = stamp(g.DecidedAt.UnixMilli())
	}
	out.MayDecide = g.State == access.GrantProposed && actor.May(access.GrantApprove) && actor.Account != g.ProposedBy && actor.Account != g.Account
	return out
}
