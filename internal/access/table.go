package access

import "slices"

// ScopeKind is the sort of rows a role may read (数据范围).
type ScopeKind string

// The scope kinds. Worklist rows are fanned out to every ancestor that may see
// them, so most kinds resolve to the rows of one unit.
const (
	ScopeOwn          ScopeKind = "own"          // the citizen's own requests
	ScopeSeat         ScopeKind = "seat"         // tickets the seat took, and the same caller's history
	ScopeTeam         ScopeKind = "team"         // what the team's site holds
	ScopeCentre       ScopeKind = "centre"       // the queue of the platform or county hub
	ScopeUnit         ScopeKind = "unit"         // what was assigned to the own unit
	ScopeSubtree      ScopeKind = "subtree"      // the own unit and all below it
	ScopeJurisdiction ScopeKind = "jurisdiction" // all that the platform or county hub answers for
	ScopeProvince     ScopeKind = "province"     // the whole province
	ScopeCell         ScopeKind = "cell"         // sealed tickets of the platform only
	ScopeNone         ScopeKind = "none"         // no tickets
)

// Mask is how much of a personal field is shown (脱敏级别).
type Mask int

// The masks, from nothing to all.
const (
	Absent Mask = iota // not there at all
	Token              // a token: contact by relay only
	Masked             // 138****1234
	Clear              // as it is, by the reveal path
)

// Grant is one row of the access matrix: all that a role may do and see.
type Grant struct {
	Role      Role
	Label     string // Chinese name
	Verbs     []Verb
	Scope     ScopeKind
	Clearance []Label        // labels whose tickets the role may know of at all
	Masks     map[Label]Mask // personal fields at rest
	InCall    map[Label]Mask // while a call with the citizen is up, or once a query code was verified
	Fields    map[Label]map[string]Mask
	Note      string // what the table cannot say, for the document
}

// May tells whether the role has the verb.
func (g Grant) May(v Verb) bool { return slices.Contains(g.Verbs, v) }

// Cleared tells whether the role may know of tickets of the label.
func (g Grant) Cleared(l Label) bool { return slices.Contains(g.Clearance, l) }

var (
	nc   = []Label{Normal, Confidential}
	ncw  = []Label{Normal, Confidential, Informant}
	only = func(l ...Label) []Label { return l }
)

// masks writes a row of the matrix: 普通, 保密, 举报.
func masks(n, c, w Mask) map[Label]Mask {
	return map[Label]Mask{Normal: n, Confidential: c, Informant: w, Quarantine: Absent}
}

// Table is the access matrix: security design §5.2, one row a role. The server,
// the console's menus, the generated document and the matrix tests all read
// this and nothing else. Clearance follows from the matrix: a role is cleared
// for a label if its work needs to know the ticket, even where the person
// behind it stays absent (mask 0, a redacted rendition).
var Table = []Grant{
	{Role: Citizen, Label: "市民", Scope: ScopeOwn, Clearance: ncw,
		Verbs: []Verb{Create, View, Rate, Append, Withdraw, OwnExport},
		Masks: masks(Clear, Clear, Absent), InCall: masks(Clear, Clear, Clear),
		Fields: map[Label]map[string]Mask{Informant: {FieldContent: Absent}},
		Note:   "举报件核验查询码前只显示办理状态"},
	{Role: Agent, Label: "座席", Scope: ScopeSeat, Clearance: nc,
		Verbs: []Verb{Create, View, Edit, KBRead, Reveal},
		Masks: masks(Masked, Masked, Absent), InCall: masks(Clear, Clear, Clear),
		Note: "举报件只在受理时可见，提交后不再可见；本人草稿30分钟内可改"},
	{Role: ShiftLead, Label: "班长", Scope: ScopeTeam, Clearance: nc,
		Verbs: []Verb{Create, View, Edit, KBRead, Reveal, Listen, Reassign, Inspect, Stats},
		Masks: masks(Masked, Token, Absent), InCall: masks(Clear, Clear, Clear), Note: "接听时与座席相同"},
	{Role: Dispatcher, Label: "派单审核员", Scope: ScopeCentre, Clearance: ncw,
		Verbs: []Verb{Create, View, Approve, Edit, Merge, Redact, KBRead},
		Masks: masks(Masked, Token, Absent), Note: "举报件只见脱敏文本，不见身份"},
	{Role: Handler, Label: "承办经办人", Scope: ScopeUnit, Clearance: ncw,
		Verbs: []Verb{View, Handle, Return, Extend, Relay, Reveal, KBRead},
		Masks: masks(Token, Token, Absent), Note: "签收后可凭理由查看普通件电话；举报件只见脱敏文本"},
	{Role: UnitLead, Label: "承办领导", Scope: ScopeSubtree, Clearance: ncw,
		Verbs: []Verb{View, Approve, Stats, KBRead},
		Masks: masks(Token, Token, Absent), Note: "审核本单位答复、退单和延期；举报件只见脱敏文本"},
	{Role: Supervisor, Label: "督办员", Scope: ScopeJurisdiction, Clearance: nc,
		Verbs: []Verb{View, Supervise, Remind, Escalate, Order, Stats, KBRead},
		Masks: masks(Masked, Token, Absent)},
	{Role: Callback, Label: "回访员", Scope: ScopeCentre, Clearance: nc,
		Verbs:  []Verb{View, DoCallback, Rate, KBRead},
		Masks:  masks(Token, Token, Absent),
		Fields: map[Label]map[string]Mask{Normal: {FieldName: Masked}},
		Note:   "不回访本单位承办的工单；电话由系统中转拨打；举报件由专办员回访"},
	{Role: Inspector, Label: "质检员", Scope: ScopeCentre, Clearance: nc,
		Verbs: []Verb{View, Inspect, Listen, Score, KBRead},
		Masks: masks(Masked, Token, Absent), Note: "只看抽样工单；录音中的个人信息以提示音替换"},
	{Role: KBAdmin, Label: "知识管理员", Scope: ScopeNone,
		Verbs: []Verb{KBRead, KBEdit, KBPublish, Archive}, Masks: masks(Absent, Absent, Absent)},
	{Role: KBEditor, Label: "部门知识员", Scope: ScopeNone,
		Verbs: []Verb{KBRead, KBEdit}, Masks: masks(Absent, Absent, Absent), Note: "提交本部门知识，由知识管理员发布"},
	{Role: BranchAgent, Label: "分中心座席", Scope: ScopeUnit, Clearance: nc,
		Verbs: []Verb{Create, View, Edit, Handle, Return, Extend, Relay, Reveal, KBRead, Federate},
		Masks: masks(Masked, Masked, Absent), InCall: masks(Clear, Masked, Absent),
		Note: "只见本线路工单；举报件限本中心自行受理的，受理后不再可见"},
	{Role: Province, Label: "省级管理", Scope: ScopeProvince, Clearance: nc,
		Verbs: []Verb{View, Approve, Supervise, Export, Stats, KBRead},
		Masks: masks(Masked, Token, Absent), Note: "导出限统计数据；按单号查看个案"},
	{Role: Leader, Label: "分管领导", Scope: ScopeJurisdiction, Clearance: only(Normal),
		Verbs: []Verb{View, Stats, KBRead}, Masks: masks(Absent, Absent, Absent),
		Note: "看板与去标识样例；小于5件的分组不显示"},
	{Role: Cell, Label: "举报专办员", Scope: ScopeCell, Clearance: only(Informant, Quarantine),
		Verbs: []Verb{View, Handle, Relay, Sealed, KBRead},
		Masks: masks(Absent, Absent, Token), Note: "须经回避检查；经第二人批准后可查看密封记录"},
	{Role: Privacy, Label: "个人信息保护负责人", Scope: ScopeJurisdiction, Clearance: only(Normal, Confidential, Quarantine),
		Verbs:  []Verb{View, RevealApprove, Breach, Rights},
		Masks:  masks(Masked, Masked, Absent),
		Fields: map[Label]map[string]Mask{Normal: {FieldContent: Absent}, Confidential: {FieldContent: Absent}},
		Note:   "查看元数据并审批；举报件只批准不查看；判定隔离件"},
	{Role: SysAdmin, Label: "系统管理员", Scope: ScopeNone,
		Verbs: []Verb{Config, UserAdmin, Backup}, Masks: masks(Absent, Absent, Absent), Note: "提出授权，不能批准"},
	{Role: SecAdmin, Label: "安全管理员", Scope: ScopeNone,
		Verbs: []Verb{GrantApprove, Security}, Masks: masks(Absent, Absent, Absent), Note: "批准授权，不能提出"},
	{Role: Auditor, Label: "审计管理员", Scope: ScopeNone,
		Verbs: []Verb{AuditRead, AuditVerify, AuditExport}, Masks: masks(Absent, Absent, Absent), Note: "个人信息只见编号"},
	{Role: Integration, Label: "集成账号", Scope: ScopeOwn, Clearance: only(Normal),
		Verbs: []Verb{API, Create, View}, Masks: masks(Absent, Absent, Absent), Note: "字段与限额按合同；举报件永不提供"},
}

// contractorDenied are verbs that people of a vendor never hold, whatever their
// role; approving and closing are denied too (外包人员不得派单、办结、审批).
var contractorDenied = []Verb{Sealed, Export, GrantApprove, UserAdmin, AuditRead, Approve, AuditExport, RevealApprove}

// grants is Table by role.
var grants = func() map[Role]*Grant {
	m := make(map[Role]*Grant, len(Table))
	for i := range Table {
		m[Table[i].Role] = &Table[i]
	}
	return m
}()

// GrantOf is the row of a role; an unknown role has the empty grant, which may
// do and see nothing.
func GrantOf(r Role) Grant {
	if g := grants[r]; g != nil {
		return *g
	}
	return Grant{Role: r, Scope: ScopeNone}
}
