package access

// Role is one of the twenty roles (角色). An account has exactly one.
type Role string

// The roles, in the order of screens and documents.
const (
	Citizen     Role = "citizen"      // 市民
	Agent       Role = "agent"        // 座席
	ShiftLead   Role = "shift_lead"   // 班长
	Dispatcher  Role = "dispatcher"   // 派单审核员
	Handler     Role = "handler"      // 承办经办人
	UnitLead    Role = "unit_lead"    // 承办领导
	Supervisor  Role = "supervisor"   // 督办员
	Callback    Role = "callback"     // 回访员
	Inspector   Role = "inspector"    // 质检员
	KBAdmin     Role = "kb_admin"     // 知识管理员
	KBEditor    Role = "kb_editor"    // 部门知识员
	BranchAgent Role = "branch_agent" // 分中心座席
	Province    Role = "province"     // 省级管理
	Leader      Role = "leader"       // 分管领导
	Cell        Role = "cell"         // 举报专办员
	Privacy     Role = "privacy"      // 个人信息保护负责人
	SysAdmin    Role = "sysadmin"     // 系统管理员
	SecAdmin    Role = "secadmin"     // 安全管理员
	Auditor     Role = "auditor"      // 审计管理员
	Integration Role = "integration"  // 集成账号
)

// Roles lists all twenty.
func Roles() []Role {
	out := make([]Role, len(Table))
	for i := range Table {
		out[i] = Table[i].Role
	}
	return out
}

// Label is the role's Chinese name.
func (r Role) Label() string { return GrantOf(r).Label }

// Valid tells whether r is one of the twenty.
func (r Role) Valid() bool { return grants[r] != nil }

// Staff tells whether people of the role log in to the console.
func (r Role) Staff() bool { return r.Valid() && r != Citizen && r != Integration }

// Family is the side of the separation of duties a role stands on. One person
// never holds accounts of two families (三员分立).
func (r Role) Family() string {
	switch r {
	case SysAdmin, SecAdmin, Auditor:
		return string(r)
	}
	return "business"
}

// Label is the secrecy of a ticket (密级标记).
type Label string

// The labels, each more secret than the one before.
const (
	Normal       Label = "normal"       // 普通
	Confidential Label = "confidential" // 保密
	Informant    Label = "informant"    // 举报
	Quarantine   Label = "quarantine"   // 隔离: may hold a state secret, waits to be judged
)

// Labels lists the labels from open to most secret.
func Labels() []Label { return []Label{Normal, Confidential, Informant, Quarantine} }

// Word is the label's Chinese word.
func (l Label) Word() string {
	switch l {
	case Normal:
		return "普通"
	case Confidential:
		return "保密"
	case Informant:
		return "举报"
	case Quarantine:
		return "隔离"
	}
	return ""
}

// Rank orders labels by secrecy, 0 = normal; -1 for no label.
func (l Label) Rank() int {
	for i, x := range Labels() {
		if x == l {
			return i
		}
	}
	return -1
}

// Verb is something a role may do (security design §5.1).
type Verb string

// The verbs. The first block are the letters of the matrix, the second the
// acts that the matrix spells out in words.
const (
	Create       Verb = "create"        // c 登记
	View         Verb = "view"          // v 查看
	Edit         Verb = "edit"          // e 修改
	Approve      Verb = "approve"       // a 审核与派单
	Handle       Verb = "handle"        // h 办理与答复
	Return       Verb = "return"        // r 退单
	Supervise    Verb = "supervise"     // s 督办
	DoCallback   Verb = "callback"      // b 回访
	Inspect      Verb = "inspect"       // q 质检
	Export       Verb = "export"        // x 导出
	KBEdit       Verb = "kb_edit"       // K 知识编写
	KBPublish    Verb = "kb_publish"    // k 知识发布
	UserAdmin    Verb = "user_admin"    // u 账号管理（提出）
	GrantApprove Verb = "grant_approve" // g 授权审批
	AuditRead    Verb = "audit_read"    // L 审计查询
	Config       Verb = "config"        // C 系统配置
	Reveal       Verb = "reveal"        // p 查看个人信息
	Sealed       Verb = "sealed"        // z 查看密封记录

	Stats         Verb = "stats"          // 统计
	KBRead        Verb = "kb_read"        // 知识查阅
	Rate          Verb = "rate"           // 评价
	Append        Verb = "append"         // 补充
	Withdraw      Verb = "withdraw"       // 撤回
	OwnExport     Verb = "own_export"     // 导出本人数据
	Listen        Verb = "listen"         // 监听
	Reassign      Verb = "reassign"       // 改派座席
	Merge         Verb = "merge"          // 并单
	Redact        Verb = "redact"         // 脱敏审定
	Extend        Verb = "extend"         // 申请延期
	Relay         Verb = "relay"          // 热线中转
	Remind        Verb = "remind"         // 催办
	Escalate      Verb = "escalate"       // 提级
	Order         Verb = "order"          // 督办单
	Score         Verb = "score"          // 评分
	Archive       Verb = "archive"        // 归档知识
	Federate      Verb = "federate"       // 数据归集
	RevealApprove Verb = "reveal_approve" // 批准查看个人信息与密封记录
	Breach        Verb = "breach"         // 泄露处置报告
	Rights        Verb = "rights"         // 个人信息权利请求
	Backup        Verb = "backup"         // 备份
	Security      Verb = "security"       // 安全策略、脱敏规则、密钥
	AuditVerify   Verb = "audit_verify"   // 审计校验与告警
	AuditExport   Verb = "audit_export"   // 导出审计
	API           Verb = "api"            // 按合同调用接口
)

// letters are the codes by which the matrix names the verbs of §5.1.
var letters = []struct {
	Letter byte
	Verb   Verb
}{
	{'c', Create}, {'v', View}, {'e', Edit}, {'a', Approve}, {'h', Handle}, {'r', Return}, {'s', Supervise}, {'b', DoCallback},
	{'q', Inspect}, {'x', Export}, {'K', KBEdit}, {'k', KBPublish}, {'u', UserAdmin}, {'g', GrantApprove}, {'L', AuditRead},
	{'C', Config}, {'p', Reveal}, {'z', Sealed},
}
