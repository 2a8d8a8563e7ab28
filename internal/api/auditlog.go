package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/org"
)

// AuditRow is one line of the audit, in words.
type AuditRow struct {
	ID           ID     `json:"id"`
	At           string `json:"at"`
	Actor        string `json:"actor"`
	Name         string `json:"name"`
	RoleLabel    string `json:"role_label"`
	Unit         string `json:"unit"`
	Op           string `json:"op"`
	OpLabel      string `json:"op_label"`
	SubjectKind  string `json:"subject_kind"`
	Subject      string `json:"subject" doc:"工单为单号，其余为名称"`
	Outcome      string `json:"outcome" doc:"ok 或 refused"`
	OutcomeLabel string `json:"outcome_label"`
	Reason       string `json:"reason"`
	Count        int    `json:"count"`
	IP           string `json:"ip"`
}

// ChainOut is the state of one log.
type ChainOut struct {
	Name        string      `json:"name"`
	Label       string      `json:"label"`
	Intact      bool        `json:"intact"`
	Count       int64       `json:"count"`
	Head        int64       `json:"head"`
	HeadHash    string      `json:"head_hash"`
	Unsealed    int64       `json:"unsealed"`
	Checkpoints int         `json:"checkpoints"`
	Broken      *ChainBreak `json:"broken"`
	Problems    []string    `json:"problems"`
}

// ChainBreak is where a chain no longer holds.
type ChainBreak struct {
	Seq    int64  `json:"seq"`
	Reason string `json:"reason"`
}

// VerifyOut is the report of a verification of both logs.
type VerifyOut struct {
	Intact   bool        `json:"intact"`
	Text     string      `json:"text"`
	Count    int64       `json:"count"`
	Unsealed int64       `json:"unsealed"`
	Broken   *ChainBreak `json:"broken"`
	Logs     []ChainOut  `json:"logs"`
}

func (a *API) auditRoutes() {
	read := []access.Verb{access.AuditRead}
	type listOut struct {
		Items []AuditRow `json:"items"`
		Next  string     `json:"next"`
	}
	route(a, http.MethodGet, "/api/v1/audit", "audit-search", "审计查询", Rule{Verbs: read, Roles: []access.Role{access.Privacy}, Audit: "audit.search"}, func(ctx context.Context, in *auditQuery) (*struct{ Body listOut }, error) {
		f, none, err := a.auditFilter(ctx, in)
		if err != nil {
			return nil, err
		}
		if actorOf(ctx).Role == access.Privacy { // who looked at personal data, and nothing else
			f.Op = "reveal"
		}
		out := listOut{Items: []AuditRow{}}
		if !none {
			var rows []audit.Row
			if rows, out.Next, err = a.auditRows(ctx, f, in.Limit); err != nil {
				return nil, err
			}
			if out.Items, err = a.auditOut(ctx, rows); err != nil {
				return nil, err
			}
		}
		return &struct{ Body listOut }{out}, a.saw(ctx, audit.Entry{Op: "audit.search", Count: len(out.Items), Query: f.Op})
	})
	route(a, http.MethodPost, "/api/v1/audit/verify", "audit-verify", "核验日志链", Rule{Verbs: []access.Verb{access.AuditVerify}, Audit: "audit.verify"}, func(ctx context.Context, _ *struct{}) (*struct{ Body VerifyOut }, error) {
		out, err := a.verify(ctx)
		if err != nil {
			return nil, err
		}
		return &struct{ Body VerifyOut }{out}, a.saw(ctx, audit.Entry{Op: "audit.verify", Count: len(out.Logs)})
	})
	type viewersOut struct {
		Number string      `json:"number"`
		Items  []ViewerOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/audit/viewers", "audit-viewers", "谁看过这张工单", Rule{Verbs: read, Audit: "audit.viewers"}, func(ctx context.Context, in *struct {
		Number string `query:"number" required:"true" maxLength:"40"`
	}) (*struct{ Body viewersOut }, error) {
		id, err := a.auditedTicket(ctx, in.Number)
		if err != nil {
			return nil, err
		}
		items, err := a.viewers(ctx, id)
		if err != nil {
			return nil, err
		}
		return &struct{ Body viewersOut }{viewersOut{in.Number, items}}, a.saw(ctx, audit.Entry{Op: "audit.viewers", SubjectKind: "ticket", Subject: id, Count: len(items)})
	})
}

// auditQuery is what the page of the audit asks.
type auditQuery struct {
	Actor  string `query:"actor" maxLength:"64" doc:"工号或姓名"`
	Op     string `query:"op" maxLength:"40" doc:"操作代码，或一族操作如 ticket.*"`
	Unit   string `query:"unit" maxLength:"20"`
	Ticket string `query:"ticket" maxLength:"40" doc:"单号"`
	From   string `query:"from" maxLength:"40"`
	To     string `query:"to" maxLength:"40"`
	Cursor string `query:"cursor" maxLength:"20"`
	Limit  int    `query:"limit" minimum:"0" maximum:"500"`
}

// auditFilter turns words into ids; none says that nobody goes by the name.
func (a *API) auditFilter(ctx context.Context, in *auditQuery) (f audit.Filter, none bool, err error) {
	f = audit.Filter{Op: in.Op, Cursor: in.Cursor}
	if in.Unit != "" {
		if f.Unit, err = parseID(in.Unit); err != nil {
			return f, false, err
		}
	}
	if f.From, err = bound(in.From, 0); err != nil {
		return f, false, err
	}
	if f.To, err = bound(in.To, 1); err != nil {
		return f, false, err
	}
	if in.Ticket != "" {
		f.SubjectKind = "ticket"
		if f.Subject, err = a.auditedTicket(ctx, in.Ticket); err != nil {
			return f, false, err
		}
	}
	if name := strings.TrimSpace(in.Actor); name != "" {
		f.Actor, err = a.accountOf(ctx, name)
		none = err == nil && f.Actor == 0
	}
	return f, none, err
}

// bound is one end of a range of time; a date alone is that whole day.
func bound(s string, plus int) (time.Time, error) {
	ms, err := dayStart(s, plus)
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	t := clock.FromMillis(ms)
	if t.Year() < 2000 || t.Year() > 2101 {
		return time.Time{}, fault.Invalid("date_invalid", "日期应为“2026-11-22”这样的格式，年份在2000至2100之间。")
	}
	return t, nil
}

// accountOf finds whom a 工号 or a name means; 0 for nobody.
func (a *API) accountOf(ctx context.Context, name string) (int64, error) {
	acc, err := a.Access.ByUsername(ctx, name)
	if err == nil {
		return acc.ID, nil
	}
	if fault.KindOf(err) != fault.KindNotFound {
		return 0, err
	}
	page, _, err := a.Access.Accounts(ctx, access.Filter{Q: name}, "", 500)
	if err != nil {
		return 0, err
	}
	var found []access.Account
	for _, x := range page {
		if x.Name == name {
			found = append(found, x)
		}
	}
	switch len(found) {
	case 0:
		return 0, nil
	case 1:
		return found[0].ID, nil
	}
	return 0, fault.Invalid("actor_ambiguous", "有%d个账号叫“%s”，请改用工号查询。", len(found), name)
}

// auditedTicket finds a ticket of the auditor's platform by number; what lies
// outside looks like what does not exist.
func (a *API) auditedTicket(ctx context.Context, number string) (int64, error) {
	id, err := a.Ticket.ByNumber(ctx, number)
	if err != nil {
		return 0, err
	}
	actor := actorOf(ctx)
	if !actor.May(access.AuditRead) { // reads of reveals, within what he may know of
		_, err := a.Ticket.Get(ctx, actor, id)
		return id, err
	}
	t, err := a.Ticket.Get(ctx, access.System("审计"), id)
	if err != nil {
		return 0, err
	}
	if !a.within(actor, t.Platform) {
		return 0, fault.NotFound("ticket_not_found", "没有找到这张工单，或它不在您的查看范围内。")
	}
	return id, nil
}

// auditScan bounds how many pages one search reads to fill one page of a city.
const auditScan = 20

// auditRows reads a page; an auditor of a city reads the people of that city only.
func (a *API) auditRows(ctx context.Context, f audit.Filter, limit int) ([]audit.Row, string, error) {
	if limit == 0 {
		limit = 50
	}
	actor := actorOf(ctx)
	if a.Org.Tree().Platform(actor.Unit).Kind == org.KindProvince {
		return a.Audit.Search(ctx, f, limit)
	}
	var out []audit.Row
	for range auditScan {
		rows, next, err := a.Audit.Search(ctx, f, limit-len(out))
		if err != nil {
			return nil, "", err
		}
		for _, r := range rows {
			if r.Unit != 0 && a.within(actor, r.Unit) {
				out = append(out, r)
			}
		}
		f.Cursor = next
		if next == "" || len(out) == limit {
			break
		}
	}
	return out, f.Cursor, nil
}

// auditOut puts names to ids.
func (a *API) auditOut(ctx context.Context, rows []audit.Row) ([]AuditRow, error) {
	var ids []int64
	for _, r := range rows {
		if r.SubjectKind == "ticket" {
			ids = append(ids, r.Subject)
		}
	}
	cleared := access.Labels() // the auditor reads numbers of whatever label, and nothing behind them
	if actor := actorOf(ctx); !actor.May(access.AuditRead) {
		cleared = access.GrantOf(actor.Role).Clearance
	}
	numbers, err := a.Ticket.Numbers(ctx, ids, cleared)
	if err != nil {
		return nil, err
	}
	tree := a.Org.Tree()
	out := make([]AuditRow, 0, len(rows))
	for _, r := range rows {
		x := AuditRow{ID: ID(r.ID), At: stamp(clock.Millis(r.At)), Actor: r.Account, Name: a.accountName(r.Actor), RoleLabel: access.Role(r.Role).Label(), Unit: tree.Name(r.Unit), Op: r.Op, OpLabel: opWord(r.Op),
			SubjectKind: r.SubjectKind, Outcome: "ok", OutcomeLabel: "成功", Reason: reasonWord(r.Reason), Count: r.Count, IP: r.IP}
		if r.Outcome != audit.OK {
			x.Outcome, x.OutcomeLabel = "refused", outcomeWord(r.Outcome)
		}
		switch r.SubjectKind {
		case "ticket":
			x.Subject = numbers[r.Subject]
		case "account":
			x.Subject = a.accountName(r.Subject)
		case "unit":
			x.Subject = tree.Name(r.Subject)
		case "policy":
			x.Subject, _ = a.policyLabel(r.Query)
		}
		if r.Op == "export" { // the kind asked for, or the file that left
			x.Subject = cmp.Or(exportWords[r.Query], r.Query)
		}
		out = append(out, x)
	}
	return out, nil
}

var exportWords = map[string]string{"measures": "申请导出统计数据", "tickets": "申请导出工单清单"}

// outcomeWord says why something was refused.
func outcomeWord(code string) string {
	if w, ok := map[string]string{"wrong_password": "密码错误", "wrong_otp": "动态口令错误", "reveal_quota": "超过当日查看次数"}[code]; ok {
		return w
	}
	return "被拒绝"
}

// verify checks the chains of the business log and of the audit.
func (a *API) verify(ctx context.Context) (VerifyOut, error) {
	out := VerifyOut{Intact: true, Logs: []ChainOut{}}
	business, err := a.Audit.VerifyLog(ctx, "event")
	if err != nil {
		return out, err
	}
	own, err := a.Audit.Verify(ctx)
	if err != nil {
		return out, err
	}
	for _, l := range []struct {
		name, label string
		rep         audit.Report
	}{{"event", "业务日志", business}, {audit.Name, "审计日志", own}} {
		c := ChainOut{Name: l.name, Label: l.label, Intact: l.rep.Intact(), Count: l.rep.Log.Count, Head: l.rep.Log.Head, HeadHash: l.rep.Log.HeadHash, Unsealed: l.rep.Log.Unsealed, Checkpoints: l.rep.Checkpoints,
			Problems: append([]string{}, l.rep.Problems...)}
		if b := l.rep.Log.Broken; b != nil {
			c.Broken = &ChainBreak{b.Seq, b.Reason}
			if out.Broken == nil {
				out.Broken = c.Broken
			}
		}
		out.Logs = append(out.Logs, c)
		out.Intact = out.Intact && c.Intact
		out.Count, out.Unsealed = out.Count+c.Count, out.Unsealed+c.Unsealed
		out.Text += chainText(c)
	}
	return out, nil
}

// chainText says in a sentence how a log stands.
func chainText(c ChainOut) string {
	text := fmt.Sprintf("%s：已封存%d条，待封存%d条，核对签名检查点%d个，", c.Label, c.Count, c.Unsealed, c.Checkpoints)
	switch {
	case c.Broken != nil:
		return text + fmt.Sprintf("在第%d条处断开。", c.Broken.Seq)
	case len(c.Problems) > 0:
		return text + fmt.Sprintf("发现%d处异常：%s", len(c.Problems), c.Problems[0])
	}
	return text + "完整无改动。"
}
