package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"hotline/internal/access"
)

// Demo is what the demonstration adds to the API; nil in production.
type Demo interface {
	// Notice says which policies the demonstration relaxes.
	Notice() string
	// Loading says how far the history has been loaded, "" when all of it is there.
	Loading(ctx context.Context) string
	// Roles lists the one-click entrances by role.
	Roles(ctx context.Context) ([]DemoRole, error)
	// Enter opens a session as an account, or as any role of a unit; without a
	// role as who handles there.
	Enter(ctx context.Context, username, unit, role, ip string) (access.Session, error)
	// Autoplay lets the system play the remaining roles of a visitor's ticket.
	Autoplay(ctx context.Context, actor access.Actor, id int64) error
	// Step plays the next role once.
	Step(ctx context.Context, actor access.Actor, id int64) (DemoStep, error)
	// Scenarios lists the callers that can ring the seat of the person.
	Scenarios(ctx context.Context, actor access.Actor) ([]DemoScenario, error)
	// Call has one of them ring it.
	Call(ctx context.Context, actor access.Actor, scenario string) (DemoCall, error)
}

// DemoScenario is a caller of the demonstration and what he will say.
type DemoScenario struct {
	Name     string         `json:"name"`
	Title    string         `json:"title"`
	Number   string         `json:"number" doc:"来电号码，属演示号段"`
	Line     string         `json:"line"`
	LineName string         `json:"line_name"`
	Lines    []DemoSentence `json:"lines"`
}

// DemoSentence is one sentence of a caller; the times are ms since the seat answered.
type DemoSentence struct {
	From int    `json:"from" doc:"自座席接听起的毫秒数"`
	To   int    `json:"to"`
	Text string `json:"text"`
}

// DemoCall is a call that was placed.
type DemoCall struct {
	Call     ID           `json:"call"`
	Scenario DemoScenario `json:"scenario"`
}

// DemoRole is a role with the accounts that enter it.
type DemoRole struct {
	Role     string        `json:"role"`
	Label    string        `json:"label"`
	Desc     string        `json:"desc"`
	Accounts []DemoAccount `json:"accounts"`
}

// DemoAccount is one entrance.
type DemoAccount struct {
	Username string `json:"username"`
	Name     string `json:"name"`
	Unit     string `json:"unit"`
	City     string `json:"city"`
}

// DemoStep tells what the system just played.
type DemoStep struct {
	Done  bool   `json:"done"`
	Actor string `json:"actor"`
	Role  string `json:"role"`
	Label string `json:"label"`
	Next  string `json:"next,omitempty"`
}

// UnitRef names a unit.
type UnitRef struct {
	ID   ID     `json:"id"`
	Code string `json:"code,omitempty"`
	Name string `json:"name"`
	Kind string `json:"kind,omitempty"`
}

// Me is the account in the session with its menus.
type Me struct {
	Account struct {
		ID         ID      `json:"id"`
		Username   string  `json:"username"`
		Name       string  `json:"name"`
		Role       string  `json:"role"`
		RoleLabel  string  `json:"role_label"`
		Unit       UnitRef `json:"unit"`
		Platform   UnitRef `json:"platform"`
		Region     string  `json:"region"`
		RegionName string  `json:"region_name"`
	} `json:"account"`
	Menus []Menu `json:"menus"`
	// May are the operations beyond those of every member of staff that the table of
	// routes lets this role call: the console offers these and no others.
	May       []string `json:"may" doc:"本角色可调用的受限操作"`
	Demo      bool     `json:"demo"`
	Today     string   `json:"today"`
	Warnings  []string `json:"warnings"`
	Watermark string   `json:"watermark"`
	// Unrecorded is the coming year that has no holidays yet: deadlines in it are
	// reckoned by weekends alone.
	Unrecorded int `json:"unrecorded,omitempty" doc:"放假安排未录入的年份"`
}

// Menu is one entry of the navigation.
type Menu struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Path  string `json:"path"`
	Group string `json:"group"`
	Count int64  `json:"count,omitempty"`
}

type loginOut struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		Token      string `json:"token"`
		MustChange bool   `json:"must_change"`
		Me         Me     `json:"me"`
	}
}

func (a *API) sessionRoutes() {
	route(a, http.MethodPost, "/api/v1/login", "login", "登录", Rule{Public: true, Audit: "login"}, func(ctx context.Context, in *struct {
		UserAgent string `header:"User-Agent"`
		Body      struct {
			Username string `json:"username" maxLength:"64"`
			Password string `json:"password" maxLength:"256"`
			OTP      string `json:"otp,omitempty" maxLength:"16"`
		}
	}) (*loginOut, error) {
		s, err := a.Access.Login(ctx, in.Body.Username, in.Body.Password, in.Body.OTP, actorOf(ctx).IP, in.UserAgent)
		if err != nil {
			return nil, err
		}
		return a.opened(ctx, s)
	})
	type logoutOut struct {
		SetCookie []http.Cookie `header:"Set-Cookie"`
	}
	route(a, http.MethodPost, "/api/v1/logout", "logout", "退出登录", Rule{Self: true, Audit: "logout"}, func(ctx context.Context, _ *struct{}) (*logoutOut, error) {
		if err := a.Access.Logout(ctx, actorOf(ctx)); err != nil {
			return nil, err
		}
		return &logoutOut{a.cookies("", time.Unix(1, 0))}, nil
	})
	route(a, http.MethodGet, "/api/v1/me", "me", "当前账号与菜单", Rule{Self: true, Free: "只含本人信息"}, func(ctx context.Context, _ *struct{}) (*struct{ Body Me }, error) {
		return &struct{ Body Me }{a.me(ctx, actorOf(ctx))}, nil
	})
	type counts struct {
		Menus  map[string]int64      `json:"menus"`
		Queues map[string]QueueCount `json:"queues"`
	}
	route(a, http.MethodGet, "/api/v1/me/counts", "me-counts", "本人待办数量", Rule{Free: "只含数量"}, func(ctx context.Context, _ *struct{}) (*struct{ Body counts }, error) {
		actor := actorOf(ctx)
		out := counts{Menus: map[string]int64{}, Queues: map[string]QueueCount{}}
		for page := range pageQueues {
			if !access.MayOpen(actor.Role, page) {
				continue
			}
			queues, _ := queuesOf(actor, page)
			cs, err := a.counts(ctx, actor, page, queues)
			if err != nil {
				return nil, err
			}
			for i, c := range cs {
				out.Queues[c.Queue] = c
				if i < menuCounts[page] && waitsFor(actor, c.Queue) {
					out.Menus[page] += c.Count
				}
			}
		}
		if access.MayOpen(actor.Role, "privacy") {
			requests, alarms, err := a.Ticket.RevealsWaiting(ctx, actor)
			if err != nil {
				return nil, err
			}
			out.Menus["privacy"] = requests + alarms
		}
		return &struct{ Body counts }{out}, nil
	})
	route(a, http.MethodPost, "/api/v1/me/password", "me-password", "修改密码", Rule{Self: true, Audit: "password"}, func(ctx context.Context, in *struct {
		Body struct {
			Old string `json:"old" maxLength:"256"`
			New string `json:"new" maxLength:"256"`
		}
	}) (*struct{}, error) {
		return nil, a.Access.ChangePassword(ctx, actorOf(ctx), in.Body.Old, in.Body.New)
	})
	type demoOut struct {
		Demo   bool       `json:"demo"`
		Notice string     `json:"notice"`
		Roles  []DemoRole `json:"roles"`
	}
	route(a, http.MethodGet, "/api/v1/demo", "demo", "演示入口", Rule{Public: true, Free: "演示账号公开"}, func(ctx context.Context, _ *struct{}) (*struct{ Body demoOut }, error) {
		out := demoOut{Roles: []DemoRole{}}
		if a.Demo != nil {
			roles, err := a.Demo.Roles(ctx)
			if err != nil {
				return nil, err
			}
			out = demoOut{true, a.Demo.Notice(), roles}
		}
		return &struct{ Body demoOut }{out}, nil
	})
	if a.Demo == nil {
		return
	}
	type demoUnitsOut struct {
		Items []UnitOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/demo/units", "demo-units", "演示可进入的承办单位", Rule{Public: true, Free: "演示机构名录，不含业务数据"}, func(_ context.Context, in *struct {
		Q string `query:"q" maxLength:"40" doc:"单位名称的一部分、代码或简称首字母"`
	}) (*struct{ Body demoUnitsOut }, error) {
		tree, out := a.Org.Tree(), demoUnitsOut{Items: []UnitOut{}}
		for _, u := range tree.Search(in.Q, 0, 60) {
			if u.Kind.Handles() && len(out.Items) < 40 {
				out.Items = append(out.Items, a.unitOut(tree, u))
			}
		}
		return &struct{ Body demoUnitsOut }{out}, nil
	})
	route(a, http.MethodPost, "/api/v1/demo/enter", "demo-enter", "一键进入演示岗位", Rule{Public: true, Audit: "login"}, func(ctx context.Context, in *struct {
		Body struct {
			Username string `json:"username,omitempty"`
			Unit     string `json:"unit,omitempty" doc:"单位代码或编号"`
			Role     string `json:"role,omitempty" doc:"以该单位的这个岗位进入；不写为经办人"`
		}
	}) (*loginOut, error) {
		s, err := a.Demo.Enter(ctx, in.Body.Username, in.Body.Unit, in.Body.Role, actorOf(ctx).IP)
		if err != nil {
			return nil, err
		}
		return a.opened(ctx, s)
	})
	route(a, http.MethodPost, "/api/v1/tickets/{id}/autoplay", "demo-autoplay", "系统扮演其余角色", Rule{Audit: "event"}, func(ctx context.Context, in *pathID) (*struct{}, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		return nil, a.Demo.Autoplay(ctx, actorOf(ctx), id)
	})
	route(a, http.MethodPost, "/api/v1/tickets/{id}/autoplay/step", "demo-step", "替我演这一步", Rule{Audit: "event"}, func(ctx context.Context, in *pathID) (*struct{ Body DemoStep }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		step, err := a.Demo.Step(ctx, actorOf(ctx), id)
		return &struct{ Body DemoStep }{step}, err
	})
	type scenariosOut struct {
		Items []DemoScenario `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/demo/scenarios", "demo-scenarios", "演示来电场景", Rule{Free: "演示剧本，不含业务数据"}, func(ctx context.Context, _ *struct{}) (*struct{ Body scenariosOut }, error) {
		list, err := a.Demo.Scenarios(ctx, actorOf(ctx))
		return &struct{ Body scenariosOut }{scenariosOut{list}}, err
	})
	route(a, http.MethodPost, "/api/v1/demo/call", "demo-call", "来一个电话", Rule{Roles: []access.Role{access.Agent, access.ShiftLead, access.BranchAgent, access.Callback, access.Supervisor, access.Inspector, access.Leader}, Audit: "event"}, func(ctx context.Context, in *struct {
		Body struct {
			Scenario string `json:"scenario" maxLength:"40"`
		}
	}) (*struct{ Body DemoCall }, error) {
		c, err := a.Demo.Call(ctx, actorOf(ctx), in.Body.Scenario)
		return &struct{ Body DemoCall }{c}, err
	})
}

type pathID struct {
	ID string `path:"id"`
}

func (a *API) opened(ctx context.Context, s access.Session) (*loginOut, error) {
	out := &loginOut{SetCookie: a.cookies(s.Token, s.Expires)}
	out.Body.Token, out.Body.MustChange = s.Token, s.MustChange
	out.Body.Me = a.me(ctx, s.Actor)
	return out, nil
}

// cookies are what a log-in leaves in the browser: the session, which no script
// reads, and beside it the word that there is one, so that the console of a
// stranger shows its log-in page without being refused first.
func (a *API) cookies(token string, until time.Time) []http.Cookie {
	session := http.Cookie{Name: sessionCookie, Value: token, Path: "/", HttpOnly: true, Secure: a.HTTPS, SameSite: http.SameSiteLaxMode, Expires: until}
	here := session
	here.Name, here.Value, here.HttpOnly = hereCookie, "1", false
	return []http.Cookie{session, here}
}

func (a *API) me(ctx context.Context, actor access.Actor) Me {
	tree := a.Org.Tree()
	var m Me
	acc := &m.Account
	acc.ID, acc.Username, acc.Name, acc.Role, acc.RoleLabel = ID(actor.Account), actor.Username, actor.Name, string(actor.Role), actor.Role.Label()
	acc.Unit, acc.Platform = a.unitRef(actor.Unit), a.unitRef(tree.Platform(actor.Unit).ID)
	u, _ := tree.Get(actor.Unit)
	acc.Region, acc.RegionName = u.Region, regionName(u.Region)
	m.Menus = []Menu{}
	for _, x := range access.Menus(actor.Role) {
		m.Menus = append(m.Menus, Menu{Key: x.Key, Label: x.Label, Path: x.Path, Group: x.Group})
	}
	m.May = []string{}
	for _, r := range a.Routes {
		if r.Rule.restricted() && r.Rule.allows(actor) {
			m.May = append(m.May, r.ID)
		}
	}
	now := a.now()
	m.Demo, m.Today, m.Warnings = a.Demo != nil, now.Format("2006-01-02"), []string{}
	if y := a.unrecorded(actor); y > 0 {
		m.Unrecorded = y
		if mayRecord(actor) {
			m.Warnings = append(m.Warnings, yearWarning(y))
		}
	}
	m.Watermark = actor.Username + " " + actor.Name
	return m
}

// pageQueues are the queues of each page, in the order of its tabs.
var pageQueues = map[string][]string{
	"desk":      {"mine", "seat_fix", "to_accept"},
	"dispatch":  {"to_dispatch", "return_review", "disputed", "dispatch_overdue", "extension_review", "suspend_review", "exempt_review", "to_close"},
	"unit":      {"to_sign", "handling", "due_soon", "overdue", "returning", "delegated", "suspended", "rework", "unit_done"},
	"review":    {"to_review"},
	"callback":  {"to_callback", "relay", "to_recheck"},
	"todo":      {"to_sign", "handling", "to_review", "to_dispatch", "return_review", "disputed", "extension_review", "suspend_review", "exempt_review", "to_close", "to_callback", "to_recheck", "relay", "seat_fix"},
	"supervise": {"sup_open", "to_recheck", "disputed"},
	"cell":      {"informant"},
	"search":    {"all"},
}

// platformTodo is what waits for a seat of a hotline platform itself. What its
// units sign and handle is in the platform's sight and is not its work.
var platformTodo = map[access.Role][]string{
	access.Agent:      {"seat_fix", "to_accept"},
	access.ShiftLead:  {"seat_fix", "to_accept"},
	access.Dispatcher: {"to_dispatch", "return_review", "disputed", "to_close", "extension_review", "suspend_review", "exempt_review", "to_review", "to_recheck"},
	access.Province:   {"to_dispatch", "return_review", "disputed", "to_close", "extension_review", "suspend_review", "exempt_review", "to_review", "to_recheck"},
	access.Supervisor: {"to_recheck", "disputed", "sup_open"},
	access.Callback:   {"to_callback", "relay", "to_recheck"},
}

// queuesOf gives the queues of a page for this actor.
func queuesOf(actor access.Actor, page string) ([]string, bool) {
	if own := platformTodo[actor.Role]; page == "todo" && own != nil && actor.Unit == actor.Platform {
		return own, true
	}
	queues, ok := pageQueues[page]
	return queues, ok
}

// waitsFor tells whether what is in a queue waits for the actor: what a seat took
// in goes its way, and what the units of a platform handle is theirs to do.
func waitsFor(actor access.Actor, queue string) bool {
	own := platformTodo[actor.Role]
	return queue != "mine" && (own == nil || actor.Unit != actor.Platform || slices.Contains(own, queue))
}

// menuCounts says how many of a page's queues add up to the badge of its menu.
var menuCounts = map[string]int{"desk": 3, "dispatch": 3, "unit": 2, "review": 1, "callback": 1, "todo": 0, "supervise": 1, "cell": 1}

// QueueLabels names the queues.
var QueueLabels = map[string]string{
	"mine": "我受理的", "seat_fix": "退回补正", "to_accept": "待受理", "to_dispatch": "待派", "return_review": "退回", "disputed": "疑难", "dispatch_overdue": "超时",
	"extension_review": "延期待审", "suspend_review": "挂起待审", "exempt_review": "免评待审", "to_close": "待办结", "to_sign": "待签收", "handling": "办理中", "due_soon": "临期", "overdue": "逾期", "returning": "退单审核中",
	"delegated": "已下派", "suspended": "已挂起", "rework": "重办", "unit_done": "已办", "to_review": "待审核", "to_callback": "待回访", "relay": "中转任务", "to_recheck": "待复核",
	"sup_open": "督办中", "informant": "举报件", "all": "全部", "quarantined": "隔离",
}

// QueueCount is a queue with its size.
type QueueCount struct {
	Queue   string `json:"queue"`
	Label   string `json:"label"`
	Count   int64  `json:"count"`
	Overdue int64  `json:"overdue"`
	Capped  bool   `json:"capped"`
}

func (a *API) counts(ctx context.Context, actor access.Actor, page string, queues []string) ([]QueueCount, error) {
	sc := a.scopeFor(actor, queues)
	var out []QueueCount
	for _, q := range queues {
		cs, err := a.Ticket.Counts(ctx, sc(q), []string{q})
		if err != nil {
			return nil, err
		}
		label := QueueLabels[q]
		if q == "mine" && sc(q).Own == 0 { // a lead sees what every seat of the centre took up
			label = "本中心受理的"
		}
		out = append(out, QueueCount{q, label, cs[0].N, cs[0].Overdue, cs[0].Capped})
	}
	return out, nil
}

// scopeFor widens a seat's own scope to its platform for the pool of 待受理.
func (a *API) scopeFor(actor access.Actor, _ []string) func(queue string) access.Scope {
	sc := a.Access.ScopeOf(actor)
	return func(queue string) access.Scope {
		if sc.Caller && (queue == "to_accept") {
			return access.Scope{Units: []int64{actor.Platform}, Labels: sc.Labels}
		}
		return sc
	}
}
