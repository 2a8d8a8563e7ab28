package demo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"hotline/internal/access"
	"hotline/internal/api"
	"hotline/internal/app"
	"hotline/internal/fault"
	"hotline/internal/job"
	"hotline/internal/org"
	"hotline/internal/region"
)

// Face is what the demonstration adds to the API: the one-click entrances and
// the player of other people's roles.
type Face struct {
	a      *app.App
	people *people
	past   *history // knows places, routes and texts; it has no volume

	mu       sync.Mutex
	phones   phones
	loaded   atomic.Bool    // the whole history is there
	roles    []api.DemoRole // the entrances do not change while the demo runs
	arrivals atomic.Int64   // simulated callers, for their numbers under the source
}

// New builds the face and takes over the jobs that Seed and Autoplay leave
// behind. Call it once, before the app runs.
func New(a *app.App) *Face {
	f := &Face{a: a, people: newPeople(a.Access, a.Org)}
	f.past = &history{a: a, people: f.people, articles: map[string]int64{}, offsets: map[offsetKey][]int64{}}
	a.Jobs.Handle(jobHistory, func(ctx context.Context, j *job.Running) error {
		var pl plan
		if found, err := getState(ctx, a.DB, statePlan, &pl); err != nil || !found {
			return err
		}
		return newHistory(a, f.people, pl).rest(ctx, j)
	})
	a.Jobs.Handle(jobAutoplay, f.autoplay)
	return f
}

// Notice says which policies the demonstration relaxes.
func (f *Face) Notice() string {
	return "演示策略：不要求定期改密、首次改密和双因子，外呼不设静默时段；全部人员、工单均为演示数据。"
}

// Loading says how many days of the history are there while its job runs.
func (f *Face) Loading(ctx context.Context) string {
	if f.loaded.Load() {
		return ""
	}
	var pl plan
	var stage string
	var days int
	for name, into := range map[string]any{statePlan: &pl, stageRow: &stage, stateCursor: &days} {
		if _, err := getState(ctx, f.a.DB, name, into); err != nil {
			return ""
		}
	}
	if stage != stageReady {
		f.loaded.Store(stage == stageDone)
		return ""
	}
	return fmt.Sprintf("历史数据载入中：已有最近%d天，共%d天；更早的统计和环比暂不完整。", days, pl.Days)
}

// roleDescs say in one line what a role does, in the order of the login page.
var roleDescs = []struct {
	role access.Role
	desc string
}{
	{access.Agent, "接听来电、登记诉求，咨询当场答复"},
	{access.ShiftLead, "带班调度，处理待受理和退回补正"},
	{access.Dispatcher, "按派单目录派单，审核退单、延期和办结"},
	{access.Handler, "签收、联系诉求人、办理并答复"},
	{access.UnitLead, "审核本单位答复，查看红黄灯工单"},
	{access.Supervisor, "催办、督办，复核不满意工单"},
	{access.Callback, "办结后回访，热线中转"},
	{access.Inspector, "抽查工单质量"},
	{access.KBAdmin, "审核发布知识，清理过期条目"},
	{access.KBEditor, "编写本部门知识并提交审核"},
	{access.BranchAgent, "受理和办理本热线的诉求"},
	{access.Province, "统筹全省，处理提级和跨市州事项"},
	{access.Leader, "看接、分、办三类指标和地图，领导接听日接听来电"},
	{access.Cell, "专人办理举报件，身份密封"},
	{access.Privacy, "审批查看个人信息，判定隔离件"},
	{access.SysAdmin, "管理机构、账号和系统配置"},
	{access.SecAdmin, "审批授权，管理安全策略"},
	{access.Auditor, "查询审计记录，校验日志链"},
}

// Roles lists the one-click entrances: of each role its accounts, the
// province's first, then those of the cities in the order of 区划.
func (f *Face) Roles(ctx context.Context) ([]api.DemoRole, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.roles) > 0 {
		return f.roles, nil
	}
	tree := f.a.Org.Tree()
	out := make([]api.DemoRole, 0, len(roleDescs))
	for _, d := range roleDescs {
		x := api.DemoRole{Role: string(d.role), Label: d.role.Label(), Desc: d.desc, Accounts: []api.DemoAccount{}}
		list, err := f.entrances(ctx, d.role)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			u, _ := tree.Get(a.Unit)
			c, _ := region.Get(region.City(u.Region))
			x.Accounts = append(x.Accounts, api.DemoAccount{Username: a.Username, Name: a.Name, Unit: u.Name, City: cityName(c)})
		}
		if len(x.Accounts) > 0 {
			out = append(out, x)
		}
	}
	f.roles = out
	return out, nil
}

// entrances gives the accounts of accounts.json of a role: their login names
// begin with the role's code.
func (f *Face) entrances(ctx context.Context, role access.Role) ([]access.Account, error) {
	prefix := string(role) + "."
	page, _, err := f.a.Access.Accounts(ctx, access.Filter{Role: role, Q: prefix, State: access.StateActive}, "", 100)
	if err != nil {
		return nil, err
	}
	out := page[:0]
	for _, a := range page {
		if strings.HasPrefix(a.Username, prefix) {
			out = append(out, a)
		}
	}
	return out, nil
}

// Enter opens a session as an account, or as any role that a unit has, by
// default who handles there; whoever is missing is appointed.
func (f *Face) Enter(ctx context.Context, username, unit, role, ip string) (access.Session, error) {
	if username == "" {
		who, err := f.holder(ctx, unit, access.Role(role))
		if err != nil {
			return access.Session{}, err
		}
		username = who.Username
	}
	return f.a.Access.Enter(ctx, username, ip, "演示一键进入")
}

func (f *Face) holder(ctx context.Context, unit string, role access.Role) (access.Actor, error) {
	tree := f.a.Org.Tree()
	u, ok := tree.ByCode(strings.TrimSpace(unit))
	if id, err := strconv.ParseInt(strings.TrimSpace(unit), 10, 64); !ok && err == nil {
		u, ok = tree.Get(id)
	}
	if !ok || !u.Active {
		return access.Actor{}, fault.NotFound("unit_absent", "没有找到这个承办单位，或它已停用。")
	}
	if role == "" {
		if !u.Kind.Handles() {
			return access.Actor{}, fault.Invalid("unit_handles_nothing", "“%s”不承办工单，请选择其他单位或写明岗位。", u.Name)
		}
		role = workerRole(u)
	}
	if !slices.Contains(rolesOf(u), role) {
		return access.Actor{}, fault.Invalid("role_not_here", "“%s”没有这个岗位，可以进入的有：%s。", u.Name, strings.Join(labels(rolesOf(u)), "、")).At(fault.Field{Name: "role", Detail: "请重新选择岗位。"})
	}
	return f.people.named(ctx, u.ID, role)
}

// rolesOf are the roles that people of a unit can have.
func rolesOf(u org.Unit) []access.Role {
	switch u.Kind {
	case org.KindProvince:
		return append(slices.Clone(cityRoles), provinceRoles...)
	case org.KindCity:
		return cityRoles
	case org.KindCounty, org.KindCountyPlatform:
		return []access.Role{access.Dispatcher, access.Handler, access.UnitLead, access.Agent}
	case org.KindSubcentre:
		return []access.Role{access.BranchAgent, access.UnitLead}
	}
	if u.Kind.Handles() {
		return unitRoles
	}
	return nil
}

func labels(roles []access.Role) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = r.Label()
	}
	return out
}
