package line

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/region"
	"hotline/internal/zh"
)

// EventChanged tells that the registry changed; the subject is "line_change".
const EventChanged = "line.changed"

// Change is a wish to change the registry (号码变更). It is proposed by one
// person and decided by others: the province for all, two persons of it where a
// cancelled number is to come back (原则上不得新设，已取消的不再恢复). When the last
// approval comes, a new version of the registry is published with it.
type Change struct {
	ID        int64
	Lines     []Line
	Diff      []string // against the registry as it was proposed
	Kind      string   // change, new, reopen
	Reason    string
	Basis     string // 依据文号
	State     string // pending, approved, rejected
	Applicant int64
	Approvers []int64
	At        int64
	Decided   int64
}

// Needed is how many persons must approve.
func (c *Change) Needed() int {
	if c.Kind == "reopen" {
		return 2
	}
	return 1
}

// ChangeWords name kinds and states.
var ChangeWords = map[string]string{"change": "信息变更", "new": "新增号码", "reopen": "恢复已取消号码", "pending": "待审批", "approved": "已批准", "rejected": "未批准"}

// Schema is the room's tables.
func Schema() db.Schema {
	return db.Schema{Name: "line", Steps: []db.Step{{SQL: `
CREATE TABLE line_change (
  id BIGINT PRIMARY KEY,
  doc TEXT NOT NULL,
  diff TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  basis TEXT NOT NULL,
  state TEXT NOT NULL,
  applicant BIGINT NOT NULL,
  approvers TEXT NOT NULL,
  at BIGINT NOT NULL,
  decided BIGINT NOT NULL
);
CREATE INDEX line_change_state ON line_change(state, id)`}}}
}

// Service governs the registry. Built once by app.
type Service struct {
	*Registry
	d      *db.DB
	log    *eventlog.Log
	audit  *audit.Log
	policy *policy.Store
	org    *org.Service
}

// NewService builds the service over a registry.
func NewService(d *db.DB, log *eventlog.Log, a *audit.Log, p *policy.Store, o *org.Service) *Service {
	return &Service{New(p), d, log, a, p, o}
}

// all is the registry as it is published now, transitions not run out.
func (s *Service) all() []Line {
	lines, _ := s.at(policy.Province, s.d.Clock().Now())
	return lines
}

func (l *Line) key() string { return l.Number + "|" + l.Region + "|" + l.From }

// Plan tells what a set of entries would change: the registry with them, the
// differences in words, and what sort of change that is. No difference is no
// change.
func (s *Service) Plan(lines []Line) (merged []Line, diff []string, kind string, err error) {
	now := s.d.Clock().Now()
	day := now.In(clock.Shanghai).Format("2006-01-02")
	merged = slices.Clone(s.all())
	at := map[string]int{}
	for i := range merged {
		at[merged[i].key()] = i
	}
	kind = "change"
	seen := map[string]bool{}
	for _, l := range lines {
		if err := l.check(); err != nil {
			return nil, nil, "", err
		}
		if seen[l.key()] {
			return nil, nil, "", fault.Invalid("line_twice", "%s在同一区划出现两次。", l.Number)
		}
		seen[l.key()] = true
		was, known := s.At(l.Number, l.Region, now)
		i, same := at[l.key()]
		switch {
		case same && merged[i] == l:
			continue
		case same:
			diff = append(diff, differences(&merged[i], &l)...)
		default:
			diff = append(diff, fmt.Sprintf("%s（%s）：新增，%s，%s%s", l.Number, region.FullName(l.Region), l.Mode.Word(), l.State, since(l.From)))
		}
		if !known {
			kind = rank(kind, "new")
		}
		gone := known && was.Region == l.Region && (was.State == StateCancelled || was.State == StateTransition && was.Until != "" && was.Until < day)
		if gone && l.State != StateCancelled {
			kind = rank(kind, "reopen")
		}
		if same {
			merged[i] = l
		} else {
			at[l.key()] = len(merged)
			merged = append(merged, l)
		}
	}
	sort.SliceStable(merged, func(i, j int) bool { return merged[i].key() < merged[j].key() })
	return merged, diff, kind, nil
}

// Changed are the entries that are not in force as they stand: a list may hold
// the whole registry with a few of its lines changed.
func (s *Service) Changed(lines []Line) []Line {
	now := s.all()
	return slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return slices.Contains(now, l) })
}

// Mine fails with forbidden line_outside where a city would change what is not
// its own.
func (s *Service) Mine(by access.Actor, changed []Line) error {
	own := s.org.Tree().Platform(by.Unit)
	for _, l := range changed {
		if own.Kind != org.KindProvince && !region.Contains(own.Region, l.Region) {
			return fault.Forbidden("line_outside", "%s（%s）：市州只能申请本市州的号码变更，请在清单中改回或删去这一行。", l.Number, region.FullName(l.Region))
		}
	}
	return nil
}

func since(from string) string {
	if from == "" {
		return ""
	}
	return "，" + from + "起"
}

// rank keeps the graver of two kinds.
func rank(a, b string) string {
	order := []string{"change", "new", "reopen"}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// differences names the fields in which two entries differ.
func differences(a, b *Line) (out []string) {
	for _, f := range []struct {
		name string
		a, b any
	}{
		{"名称", a.Name, b.Name}, {"主管部门", a.Department, b.Department}, {"归并方式", a.Mode.Word(), b.Mode.Word()}, {"状态", a.State, b.State}, {"过渡期至", a.Until, b.Until}, {"转接目标", a.Target, b.Target}, {"分中心", a.Unit, b.Unit},
		{"可信度", a.Confidence, b.Confidence}, {"依据", a.Basis, b.Basis}, {"层级", a.Level, b.Level}, {"垂直管理", a.Vertical, b.Vertical}, {"月均话务量", a.Monthly, b.Monthly}, {"座席数", a.Seats, b.Seats}, {"业务系统", a.System, b.System},
		{"计划完成日", a.Plan, b.Plan}, {"实际完成日", a.Done, b.Done}, {"归集接口", a.Interface, b.Interface}, {"责任人", a.Owner, b.Owner},
	} {
		if f.a != f.b {
			out = append(out, fmt.Sprintf("%s（%s）%s：%v → %v", b.Number, region.FullName(b.Region), f.name, word(f.a), word(f.b)))
		}
	}
	return out
}

func word(v any) any {
	switch x := v.(type) {
	case string:
		if x == "" {
			return "空"
		}
	case bool:
		return map[bool]string{true: "是", false: "否"}[x]
	}
	return v
}

// Propose asks for a change. A city asks for its own region. It fails with
// conflict lines_unchanged when nothing would change.
func (s *Service) Propose(ctx context.Context, by access.Actor, lines []Line, reason, basis string) (Change, error) {
	c := Change{Lines: lines, Reason: strings.TrimSpace(reason), Basis: strings.TrimSpace(basis), State: "pending", Applicant: by.Account, Approvers: []int64{}}
	if n := zh.Len(c.Reason); n < 5 || n > 300 {
		return c, fault.Invalid("reason_needed", "请写明变更理由（5至300字）。").At(fault.Field{Name: "reason", Detail: "应为5至300字。"})
	}
	if zh.Len(c.Basis) > 100 {
		return c, fault.Invalid("basis_too_long", "依据文号不能超过100个字。").At(fault.Field{Name: "basis", Detail: "不能超过100个字。"})
	}
	c.Lines = s.Changed(lines)
	if err := s.Mine(by, c.Lines); err != nil {
		return c, err
	}
	_, diff, kind, err := s.Plan(c.Lines)
	if err != nil {
		return c, err
	}
	if len(diff) == 0 {
		return c, fault.Conflict("lines_unchanged", "与现行台账相同，没有变更。")
	}
	c.Diff, c.Kind = diff, kind
	err = s.d.Update(ctx, func(tx *db.Tx) error {
		c.ID, c.At = tx.NewID(), tx.NowMS()
		doc, err := json.Marshal(c.Lines)
		if err != nil {
			return err
		}
		words, err := json.Marshal(c.Diff)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO line_change (id, doc, diff, kind, reason, basis, state, applicant, approvers, at, decided) VALUES ($1,$2,$3,$4,$5,$6,'pending',$7,'[]',$8,0)`,
			c.ID, string(doc), string(words), c.Kind, c.Reason, c.Basis, c.Applicant, c.At); err != nil {
			return err
		}
		return s.audit.Record(tx, s.entry(by, "line.propose", c.ID, c.Reason, len(lines)))
	})
	return c, err
}

func (s *Service) entry(by access.Actor, op string, id int64, reason string, n int) audit.Entry {
	return audit.Entry{Actor: by.Account, Account: by.Username, Role: string(by.Role), Unit: by.Unit, Op: op, SubjectKind: "line_change", Subject: id, Reason: reason, Count: n, IP: by.IP}
}

func scanChange(sc db.Scanner) (c Change, err error) {
	var doc, diff, approvers string
	if err = sc.Scan(&c.ID, &doc, &diff, &c.Kind, &c.Reason, &c.Basis, &c.State, &c.Applicant, &approvers, &c.At, &c.Decided); err != nil {
		return c, err
	}
	for _, x := range []struct {
		raw  string
		into any
	}{{doc, &c.Lines}, {diff, &c.Diff}, {approvers, &c.Approvers}} {
		if err := json.Unmarshal([]byte(x.raw), x.into); err != nil {
			return c, err
		}
	}
	return c, nil
}

const changeColumns = `id, doc, diff, kind, reason, basis, state, applicant, approvers, at, decided`

// Changes lists the changes, newest first; state "" is all.
func (s *Service) Changes(ctx context.Context, state string) (out []Change, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanChange, `SELECT `+changeColumns+` FROM line_change WHERE CAST($1 AS TEXT) = '' OR state = $1 ORDER BY id DESC LIMIT 200`, state)
		return err
	})
	return out, err
}

// Decide approves or rejects a change for the province. Nobody decides on what
// he proposed, nor twice. It fails with forbidden province_only, two_persons and
// conflict change_decided.
func (s *Service) Decide(ctx context.Context, by access.Actor, id int64, approve bool) (Change, error) {
	var c Change
	if by.Role != access.Province || s.org.Tree().Platform(by.Unit).Kind != org.KindProvince {
		return c, fault.Forbidden("province_only", "热线号码的新设、变更和恢复由省级管理审批。")
	}
	err := s.d.Update(ctx, func(tx *db.Tx) (err error) {
		if c, err = db.One(tx, scanChange, `SELECT `+changeColumns+` FROM line_change WHERE id = $1`, id); err != nil {
			return fault.NotFound("change_absent", "没有这条号码变更申请。")
		}
		switch {
		case c.State != "pending":
			return fault.Conflict("change_decided", "这条申请已是“%s”。", ChangeWords[c.State])
		case by.Account == c.Applicant || slices.Contains(c.Approvers, by.Account):
			return fault.Forbidden("two_persons", "申请与审批须由不同的人办理，恢复已取消的号码须由两人审批。")
		}
		op := "line.reject"
		c.State = "rejected"
		if approve {
			op = "line.approve"
			c.Approvers = append(c.Approvers, by.Account)
			c.State = "pending"
			if len(c.Approvers) >= c.Needed() {
				c.State = "approved"
				if err := s.publish(tx, by, &c); err != nil {
					return err
				}
			}
		}
		if c.State != "pending" {
			c.Decided = tx.NowMS()
		}
		approvers, err := json.Marshal(c.Approvers)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE line_change SET state = $1, approvers = $2, decided = $3 WHERE id = $4`, c.State, string(approvers), c.Decided, id); err != nil {
			return err
		}
		return s.audit.Record(tx, s.entry(by, op, id, c.Reason, len(c.Lines)))
	})
	return c, err
}

// publish puts the registry with the change in force.
func (s *Service) publish(tx *db.Tx, by access.Actor, c *Change) error {
	merged, diff, kind, err := s.Plan(c.Lines)
	if err != nil {
		return err
	}
	if len(diff) == 0 {
		return nil // somebody published the same meanwhile
	}
	if kind == "reopen" && c.Kind != "reopen" {
		return fault.Conflict("number_cancelled", "申请之后号码已被取消，恢复须重新申请并由两人审批。")
	}
	doc, err := json.Marshal(merged)
	if err != nil {
		return err
	}
	if _, err := s.policy.Publish(tx, policy.Publication{Kind: PolicyLines, Doc: doc, By: by.Account, Note: zh.Truncate(ChangeWords[c.Kind]+"："+c.Reason, 200)}); err != nil {
		return err
	}
	_, err = s.log.Append(tx, eventlog.Event{Kind: EventChanged, SubjectKind: "line_change", SubjectID: c.ID, Actor: by.Account, Unit: by.Unit, Data: fmt.Sprintf(`{"kind":%q,"lines":%d}`, c.Kind, len(c.Lines))})
	return err
}
