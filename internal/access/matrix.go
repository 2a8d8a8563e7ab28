package access

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// verbWords names verbs in documents.
var verbWords = map[Verb]string{
	Create: "登记", View: "查看", Edit: "修改", Approve: "审核派单", Handle: "办理答复", Return: "退单", Supervise: "督办", DoCallback: "回访",
	Inspect: "质检", Export: "导出", KBEdit: "知识编写", KBPublish: "知识发布", UserAdmin: "账号管理（提出）", GrantApprove: "授权审批",
	AuditRead: "审计查询", Config: "系统配置", Reveal: "查看个人信息", Sealed: "查看密封记录", Stats: "统计", KBRead: "知识查阅", Rate: "评价",
	Append: "补充", Withdraw: "撤回", OwnExport: "导出本人数据", Listen: "监听", Reassign: "改派座席", Merge: "并单", Redact: "脱敏审定",
	Extend: "申请延期", Relay: "热线中转", Remind: "催办", Escalate: "提级", Order: "下达督办单", Score: "评分", Archive: "知识归档",
	Federate: "数据归集", RevealApprove: "批准查看", Breach: "泄露处置报告", Rights: "个人信息权利请求", Backup: "备份", Security: "安全策略与密钥",
	AuditVerify: "审计校验", AuditExport: "导出审计", API: "按合同调用接口",
}

// Word is the verb's Chinese word.
func (v Verb) Word() string { return verbWords[v] }

var scopeWords = map[ScopeKind]string{
	ScopeOwn: "本人提交", ScopeSeat: "本人受理及同一诉求人历史", ScopeTeam: "本班组", ScopeCentre: "本中心队列", ScopeUnit: "本单位承办",
	ScopeSubtree: "本单位及下级", ScopeJurisdiction: "本平台辖区", ScopeProvince: "全省", ScopeCell: "本平台举报件", ScopeNone: "无工单数据",
}

// Word is the scope's Chinese word.
func (k ScopeKind) Word() string { return scopeWords[k] }

var maskWords = [...]string{"不显示", "中转", "脱敏", "明文"}

// Word is the mask's Chinese word.
func (m Mask) Word() string { return maskWords[m] }

// WriteMatrix writes the access matrix as a section of the documentation, in
// Markdown. A test keeps the committed page equal to it.
func WriteMatrix(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "## 角色权限矩阵\n\n本节由权限表生成，请勿手工修改。“／”后为通话中（市民为核验查询码后）的显示程度。\n\n")
	fmt.Fprint(b, "| 角色 | 代码 | 可做的事 | 数据范围 | 可见密级 | 普通 | 保密 | 举报 | 说明 |\n|---|---|---|---|---|---|---|---|---|\n")
	for i := range Table {
		g := &Table[i]
		fmt.Fprintf(b, "| %s | `%s` | %s | %s | %s | %s | %s | %s | %s |\n", g.Label, g.Role, words(g.Verbs, Verb.Word), g.Scope.Word(),
			words(g.Clearance, Label.Word), g.cell(Normal), g.cell(Confidential), g.cell(Informant), g.Note)
	}
	fmt.Fprint(b, "\n显示程度：不显示＝页面和接口中均不出现；中转＝只能经热线联系；脱敏＝如138****1234；明文＝经留痕的查看通道。\n")
	fmt.Fprintf(b, "\n三员分立：系统管理员、安全管理员、审计管理员相互排斥，且不得兼任业务角色。授权由系统管理员提出，安全管理员批准，审计管理员可见。\n")
	fmt.Fprintf(b, "\n外包人员一律不得：%s。\n", words(contractorDenied, Verb.Word))
	return b.Flush()
}

// cell is one cell of the document's mask columns.
func (g *Grant) cell(l Label) string {
	rest := g.Masks[l].Word()
	if c, ok := g.InCall[l]; ok && c != g.Masks[l] {
		return rest + "／" + c.Word()
	}
	return rest
}

func words[T any](list []T, word func(T) string) string {
	if len(list) == 0 {
		return "—"
	}
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = word(v)
	}
	return strings.Join(out, "、")
}
