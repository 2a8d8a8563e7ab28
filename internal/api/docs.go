package api

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"hotline/internal/access"
	"hotline/internal/ticket"
)

// accountName is the name of who did something, from a cache of accounts.
func (a *API) accountName(id int64) string {
	if id == 0 {
		return ""
	}
	if n, ok := a.names.Load(id); ok {
		return n.(string)
	}
	acc, err := a.Access.Get(context.Background(), id)
	if err != nil {
		return ""
	}
	a.names.Store(id, acc.Name)
	return acc.Name
}

// unrecorded is the year, as far as deadlines reach, whose holidays the actor's
// platform does not know; 0 when it knows all.
func (a *API) unrecorded(actor access.Actor) int {
	y := a.now().AddDate(0, 2, 0).Year()
	if a.Ticket.Calendar(a.Org.Tree().Platform(actor.Unit).ID).HasYear(y) {
		return 0
	}
	return y
}

// mayRecord tells who is reminded of holidays that are missing: those who
// record them and the province that announces them.
func mayRecord(actor access.Actor) bool {
	return access.MayOpen(actor.Role, "calendar") || actor.Role == access.Province
}

func yearWarning(y int) string {
	return strconv.Itoa(y) + "年放假安排未录入，工作日暂按周一至周五计算。"
}

// opWord names an audited operation.
func opWord(op string) string {
	words := map[string]string{"ticket.view": "查看工单", "ticket.list": "查看列表", "reveal": "查看个人信息", "login": "登录", "login_failed": "登录失败", "logout": "退出", "caller.lookup": "查询诉求人",
		"attachment.view": "查看附件", "export": "导出", "config": "修改配置", "knowledge.view": "查看知识", "knowledge.list": "查询知识", "audit.search": "查询审计", "audit.verify": "核验审计", "home": "查看首页",
		"measure": "查看统计", "supervision.list": "查看督办", "password": "修改密码", "admin": "系统管理", "public.view": "诉求人查询进度", "session_ended": "会话结束", "account": "账号管理", "grant": "授权管理", "screen": "查看大屏",
		"handset.list": "查看话机", "handset.create": "新建话机", "handset.reset": "重置话机密码", "handset.disable": "停用话机", "handset.enable": "启用话机",
		"account.list": "查看账号", "account.create": "新建账号", "account.edit": "修改账号", "account.active": "启用账号", "account.disabled": "停用账号", "account.reason": "账号开通理由", "account_locked": "账号锁定",
		"password.reset": "重置密码", "password.change": "修改密码", "otp.enrol": "绑定动态口令", "otp.confirm": "启用动态口令", "session_superseded": "会话被顶替",
		"grant.list": "查看授权", "grant.check": "提出授权", "grant.propose": "提出授权", "grant.approved": "批准授权", "grant.refused": "不批准授权",
		"unit.close": "停用单位", "catalogue.replay": "回放派单目录", "demo_enter": "演示进入", "audit.viewers": "查询谁看过工单", "attachment.add": "上传附件",
		"reveal.request": "申请查看密封信息", "reveal.approve": "批准查看密封信息", "reveal.refuse": "不批准查看密封信息", "reveal.expire": "查看申请过期", "reveal.list": "查看密封信息申请", "reveal.alarm": "处理查看超额提醒",
		"call.list": "查询话单", "call.view": "查看话单", "call.play": "收听录音", "call.transcript": "查看通话转写", "text.list": "查看文字会话列表", "text.view": "查看文字会话", "text.say": "发送会话文字", "text.close": "结束文字会话", "text.draft": "由文字会话生成草稿", "call.number": "查看来电号码", "call.bind": "来电并入原工单", "call.ask": "代诉求人催办或补充", "call.hold": "封存通话", "call.unhold": "解除封存", "leader.cancel": "取消领导接听", "call.dial": "外呼诉求人", "call.listen": "监听通话", "call.whisper": "耳语", "call.barge": "插话", "call.take_over": "接管通话",
		"voice.wall": "查看班长墙", "voice.expire": "销毁到期录音和转写", "text.expire": "销毁到期文字会话", "voice.seats": "查看可转的座席", "voice.state": "查看座席状态", "voice.figures": "查看话务指标", "voice.exclude": "登记剔除时段", "special": "特殊名单", "special.propose": "提出列入特殊名单", "special.approve": "批准列入特殊名单",
		"special.reject": "不批准列入特殊名单", "special.lift": "解除特殊名单", "leader": "领导接听", "line.propose": "提出号码变更", "line.approve": "批准号码变更", "line.reject": "不批准号码变更", "line.import": "导入归并清单", "roster.drop": "删除班表草稿", "roster": "班表", "certificate": "上岗证书"}
	if w, ok := words[op]; ok {
		return w
	}
	return "其他操作"
}

var docsPage = template.Must(template.New("docs").Parse(`<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>接口说明</title>
<style>body{font:15px/1.6 sans-serif;max-width:1100px;margin:24px auto;padding:0 16px;color:#1F2733}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #D9DEE7;padding:6px 8px;text-align:left;vertical-align:top}code{font-family:monospace}th{background:#F0F2F6}</style>
<h1>12345热线平台接口</h1><p>机器可读的说明见 <a href="/openapi.json">/openapi.json</a>（OpenAPI 3.1）。错误为 RFC 9457 problem+json，带稳定代码和中文说明。</p>
<table><thead><tr><th>方法</th><th>地址</th><th>用途</th><th>谁可以调用</th><th>审计</th></tr></thead><tbody>
{{range .}}<tr><td>{{.Method}}</td><td><code>{{.Path}}</code></td><td>{{.Summary}}</td><td>{{.Who}}</td><td>{{.Audit}}</td></tr>
{{end}}</tbody></table></html>`))

func (a *API) docsRoutes() {
	a.raw(http.MethodGet, "/docs", "docs", "接口说明", Rule{Public: true, Free: "公开文档"}, func(w http.ResponseWriter, _ *http.Request) error {
		type line struct{ Method, Path, Summary, Who, Audit string }
		var lines []line
		for _, r := range a.Routes {
			l := line{r.Method, r.Path, r.Summary, "所有登录人员", r.Rule.Audit}
			switch {
			case r.Rule.Public:
				l.Who = "公开"
			case len(r.Rule.Verbs) > 0:
				l.Who = fmt.Sprint(r.Rule.Verbs)
			case len(r.Rule.Roles) > 0:
				l.Who = fmt.Sprint(r.Rule.Roles)
			}
			if l.Audit == "" {
				l.Audit = r.Rule.Free
			}
			lines = append(lines, l)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		return docsPage.Execute(w, lines)
	})
}

// cited names the articles a ticket cites.
func (a *API) cited(ctx context.Context, actor access.Actor, ids []int64) []KnowledgeRef {
	out := []KnowledgeRef{}
	for _, id := range ids {
		if k, err := a.Knowledge.Get(ctx, actor, id); err == nil {
			out = append(out, KnowledgeRef{ID(id), k.Title})
		}
	}
	return out
}

// supervisionOf lists the 督办 orders of a ticket.
func (a *API) supervisionOf(ctx context.Context, t *ticket.Ticket, now time.Time) ([]SupervisionRef, error) {
	list, err := a.Supervise.Of(ctx, t.ID)
	out := []SupervisionRef{}
	for _, s := range list {
		out = append(out, SupervisionRef{ID(s.ID), s.No, s.LevelLabel(), s.StateLabel(), s.DueText(now)})
	}
	return out, err
}
