package access

import "slices"

// Menu is one entry of the console's menu. Path is below /console.
type Menu struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Path  string `json:"path"`
	Group string `json:"group"`
}

// Groups of the menu, in order.
const (
	groupWork    = "工作台"
	groupTickets = "工单"
	groupPhone   = "电话"
	groupService = "知识与统计"
	groupAdmin   = "系统管理"
	groupSafety  = "安全与审计"
)

// menuRule says which roles open a page, and the verb without which they
// could do nothing there.
type menuRule struct {
	Menu
	need  Verb
	roles []Role
}

var allStaff = []Role{Agent, ShiftLead, Dispatcher, Handler, UnitLead, Supervisor, Callback, Inspector, KBAdmin, KBEditor,
	BranchAgent, Province, Leader, Cell, Privacy, SysAdmin, SecAdmin, Auditor}

// menuTable is every page of the console in the order of the menu. A page that
// does not exist yet is not listed: a menu holds only what works.
var menuTable = []menuRule{
	{Menu{"home", "首页", "/home", groupWork}, "", allStaff},
	{Menu{"desk", "座席工作台", "/desk", groupWork}, Create, []Role{Agent, ShiftLead, BranchAgent}},
	{Menu{"dispatch", "派单调度", "/dispatch", groupWork}, Approve, []Role{Dispatcher, Province}},
	{Menu{"unit", "承办单位", "/unit", groupWork}, View, []Role{Handler, UnitLead, Dispatcher, BranchAgent, Province}},
	{Menu{"review", "审核", "/review", groupWork}, Approve, []Role{UnitLead, Dispatcher, Province}},
	{Menu{"callback", "回访席", "/callback", groupWork}, DoCallback, []Role{Callback}},
	{Menu{"cell", "举报专办", "/cell", groupWork}, Sealed, []Role{Cell}},
	{Menu{"todo", "我的待办", "/todo", groupTickets}, View, []Role{Agent, ShiftLead, Dispatcher, Handler, UnitLead, Supervisor, Callback,
		BranchAgent, Province, Cell, Privacy}},
	{Menu{"search", "工单查询", "/search", groupTickets}, View, []Role{Agent, ShiftLead, Dispatcher, Handler, UnitLead, Supervisor, Callback,
		Inspector, BranchAgent, Province, Leader, Cell}},
	{Menu{"wall", "班长墙", "/wall", groupPhone}, "", []Role{ShiftLead, Inspector, Supervisor, Province, Leader}},
	{Menu{"calls", "通话记录", "/calls", groupPhone}, "", []Role{Agent, ShiftLead, BranchAgent, Callback, Inspector, Supervisor, Province, Cell, Leader}},
	{Menu{"lines", "号码台账", "/lines", groupPhone}, "", []Role{ShiftLead, Supervisor, Province}},
	{Menu{"roster", "班表", "/roster", groupPhone}, "", []Role{ShiftLead, Province}},
	{Menu{"shifts", "我的班次", "/shifts", groupPhone}, "", []Role{Agent, ShiftLead, BranchAgent, Callback}},
	{Menu{"supervise", "督办台账", "/supervise", groupTickets}, Supervise, []Role{Supervisor, Province}},
	{Menu{"knowledge", "知识库", "/knowledge", groupService}, KBRead, []Role{Agent, ShiftLead, Dispatcher, Handler, UnitLead, Supervisor,
		Callback, Inspector, KBAdmin, KBEditor, BranchAgent, Province, Leader, Cell}},
	{Menu{"stats", "统计报表", "/stats", groupService}, Stats, []Role{ShiftLead, UnitLead, Supervisor, Province, Leader}},
	{Menu{"organisation", "组织机构", "/admin/organisation", groupAdmin}, Config, []Role{SysAdmin}},
	{Menu{"accounts", "账号管理", "/admin/accounts", groupAdmin}, UserAdmin, []Role{SysAdmin}},
	{Menu{"phones", "话机与中继", "/admin/phones", groupAdmin}, Config, []Role{SysAdmin}},
	{Menu{"limits", "办理时限", "/admin/limits", groupAdmin}, Config, []Role{SysAdmin}},
	{Menu{"catalogue", "派单目录", "/admin/catalogue", groupAdmin}, Config, []Role{SysAdmin}},
	{Menu{"categories", "事项分类", "/admin/categories", groupAdmin}, Config, []Role{SysAdmin}},
	{Menu{"calendar", "工作日历", "/admin/calendar", groupAdmin}, Config, []Role{SysAdmin}},
	{Menu{"params", "政策参数", "/admin/params", groupAdmin}, Config, []Role{SysAdmin}},
	{Menu{"rules", "流转规则", "/admin/rules", groupAdmin}, Config, []Role{SysAdmin}},
	{Menu{"grants", "授权审批", "/admin/grants", groupSafety}, GrantApprove, []Role{SecAdmin}},
	{Menu{"audit", "审计查询", "/audit", groupSafety}, AuditRead, []Role{Auditor}},
	{Menu{"privacy", "个人信息", "/privacy", groupSafety}, RevealApprove, []Role{Privacy}},
}

// Menus lists the pages that the role may open, in the order of the menu.
func Menus(role Role) []Menu {
	g := GrantOf(role)
	var out []Menu
	for i := range menuTable {
		m := &menuTable[i]
		if slices.Contains(m.roles, role) && (m.need == "" || g.May(m.need)) {
			out = append(out, m.Menu)
		}
	}
	return out
}

// MayOpen tells whether the role's menu holds the page of the key.
func MayOpen(role Role, key string) bool {
	return slices.ContainsFunc(Menus(role), func(m Menu) bool { return m.Key == key })
}
