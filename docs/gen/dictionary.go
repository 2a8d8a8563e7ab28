package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"hotline/internal/access"
	"hotline/internal/category"
	"hotline/internal/db"
	"hotline/internal/knowledge"
	"hotline/internal/measure"
	"hotline/internal/notify"
	"hotline/internal/org"
	"hotline/internal/ticket"
)

// table is a table of the database as it stands after every step of every schema.
type table struct {
	name    string
	columns []column
}

type column struct {
	name, typ string
	key       bool // part of the primary key
	null      bool
}

// readTables asks the migrated database, so that later steps of a schema count.
func readTables(ctx context.Context, d *db.DB) ([]table, error) {
	var out []table
	err := d.View(ctx, func(tx *db.Tx) error {
		names, err := db.All(tx, func(s db.Scanner) (v string, err error) { return v, s.Scan(&v) },
			`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`)
		if err != nil {
			return err
		}
		for _, n := range names {
			if i := strings.LastIndexByte(n, '_'); i > 0 && slices.Contains(names, n[:i]) && slices.Contains(names, n[:i]+"_docsize") {
				continue // the parts that FTS5 keeps of a full text
			}
			cols, err := db.All(tx, func(s db.Scanner) (column, error) {
				var c column
				var notNull, pk int
				err := s.Scan(&c.name, &c.typ, &notNull, &pk)
				c.key, c.null = pk > 0, notNull == 0 && pk == 0
				return c, err
			}, `SELECT name, type, "notnull", pk FROM pragma_table_info($1)`, n)
			if err != nil {
				return err
			}
			out = append(out, table{n, cols})
		}
		return nil
	})
	return out, err
}

// types names the column types in the words of both engines.
var types = map[string]string{"BIGINT": "整数", "INTEGER": "整数", "SMALLINT": "小整数", "TEXT": "文本", "BYTEA": "字节", "": "全文"}

// dictionary is the data dictionary: every table and column.
func dictionary(f *facts) string {
	d := page("数据字典", "SQLite 与 PostgreSQL 结构相同；整数时刻均为 UTC 毫秒，0 表示没有；布尔以 0、1 存放；编号为 64 位整数，接口中写成十进制字符串。")
	d.line("“保护”一栏：密文＝按工单密钥加密的个人信息；脱敏＝遮去个人信息后的文本；摘要＝带密钥的摘要，只能比对；密钥＝被包裹的数据密钥；个人＝明文的工作人员信息。代码列的取值见 [codes.md](codes.md)。")
	for _, t := range f.tables {
		meaning, room := f.mean("table", t.name)
		d.line("\n### %s　%s（包 %s）\n", code(t.name), meaning, code(room))
		d.head("列", "类型", "含义", "保护")
		for _, c := range t.columns {
			typ := types[c.typ]
			if typ == "" {
				typ = c.typ
			}
			switch {
			case c.key:
				typ += "，主键"
			case c.null && c.typ != "":
				typ += "，可空"
			}
			what, guard := f.column(t.name, c.name)
			d.row(code(c.name), typ, what, guard)
		}
	}
	return d.String()
}

// codesPage is every code list.
func codesPage(f *facts) string {
	d := page("代码表", "存放各表和接口中出现的代码；事项分类共三级，见“系统管理—事项分类”页和 `internal/category/data`。")
	for _, l := range f.lists() {
		d.list(l.title, l.about, l.terms)
	}
	return d.String()
}

// column is what a column means: its own entry, else that of its name in any table.
func (f *facts) column(t, c string) (meaning, guard string) {
	if !f.has("column", t+"."+c) && f.has("column", "*."+c) {
		return f.mean("column", "*."+c)
	}
	return f.mean("column", t+"."+c)
}

type codeList struct {
	title, about string
	terms        []ticket.Term
}

// terms pairs codes with a word each.
func terms[T ~string](list []T, word func(T) string) []ticket.Term {
	var out []ticket.Term
	for _, c := range list {
		out = append(out, ticket.Term{string(c), word(c)})
	}
	return out
}

// same are codes that are Chinese themselves.
func same(list []string) []ticket.Term { return terms(list, func(s string) string { return s }) }

// lists are the code lists of the platform, each from where the code has it.
func (f *facts) lists() []codeList {
	s, r := f.source, f.rules
	out := []codeList{
		{"诉求类型", "`ticket.type`", same(ticket.Types)},
		{"工单状态", "`ticket.status`", r.Statuses},
		{"承办状态", "`assignment.state`", r.States},
		{"承办角色", "`assignment.role`", f.prefixed("ticket", "Role")},
		{"申请种类", "`ticket_request.kind`", f.prefixed("ticket", "Req")},
		{"工作列表中的状态", "`worklist.state` 取工单状态、承办状态或以下值", f.prefixed("ticket", "Queue")},
		{"队列", "列表和计数用的队列", s.words("api", "QueueLabels")},
		{"操作", "流转规则见 [rules.md](rules.md)", actions(r)},
		{"密级", "`ticket.label`", terms(access.Labels(), access.Label.Word)},
		{"保密意愿", "`ticket.secrecy`", s.words("api", "secrecyWords")},
		{"受理渠道", "`ticket.channel`", s.words("api", "channelWords")},
		{"紧急程度", "`ticket.urgency`", same(category.Urgencies)},
		{"时限环节", "`ticket.clocks` 的 `kind`", same(category.LimitKinds)},
		{"时限类别", "事项分类的 `class`", terms(category.LimitKeys(), category.LimitName)},
		{"时限单位", "`ticket.clocks` 的 `limit.unit`", s.units()},
		{"文字种类", "`ticket_text.kind`", s.words("ticket", "TextLabels")},
		{"查看个人信息的目的", "", ticket.RevealReasons},
		{"角色", "权限见 [access.md](access.md)", terms(access.Roles(), access.Role.Label)},
		{"权限", "", s.words("access", "verbWords")},
		{"单位类型", "`unit.kind`", terms(org.Kinds(), org.Kind.Label)},
		{"职责类别", "`unit.duty`", duties()},
		{"政策种类", "`policy_version.kind`", f.policies()},
		{"归并方式", "热线号码台账的 `mode`", s.words("line", "Word")},
		{"通知", "`outbox.kind`；文字为内置模板", f.notices()},
		{"知识状态", "`knowledge_article.state` 存前四种，其余由有效期推出", s.words("knowledge", "stateLabels")},
		{"知识材料性质", "`knowledge_article.kind`", same(knowledge.Kinds)},
		{"知识纠错", "`knowledge_feedback.kind`", feedback()},
		{"督办来由", "`supervision.rule`", s.words("supervise", "ruleWords")},
		{"督办方式", "`supervision.level`", s.words("supervise", "levelWords")},
		{"督办状态", "`supervision.state`", s.words("supervise", "stateWords")},
		{"任务种类", "`job.kind`", f.jobs()},
		{"指标", "口径见统计报表页和 `internal/measure/kpi.json`", f.measures()},
	}
	byOptions := map[string]string{}
	for _, name := range sortedKeys(r.Fields) {
		if o := r.Fields[name].Options; o != "" && byOptions[o] == "" {
			byOptions[o] = r.Fields[name].Label
		}
	}
	for _, o := range sortedKeys(r.Options) {
		title := byOptions[o]
		if title == "" {
			title, _ = f.mean("options", o)
		}
		out = append(out, codeList{title, "规则表选项 `" + o + "`", r.Options[o]})
	}
	return out
}

// prefixed lists the constants whose name begins with prefix; a comment in
// English alone needs an entry of its own.
func (f *facts) prefixed(room, prefix string) []ticket.Term {
	var out []ticket.Term
	for _, c := range f.source.consts(room, "") {
		rest, ok := strings.CutPrefix(c.name, prefix)
		if !ok || rest == "" || !unicode.IsUpper(rune(rest[0])) {
			continue
		}
		if c.word == "" {
			c.word, _ = f.mean("const", room+"."+c.name)
		}
		out = append(out, ticket.Term{c.value, c.word})
	}
	if len(out) == 0 {
		f.source.wanted("%s 的常量 %s…", room, prefix)
	}
	return out
}

func actions(r *ticket.Rules) []ticket.Term {
	var out []ticket.Term
	seen := map[string]bool{}
	for _, e := range r.Edges {
		if !seen[e.Action] {
			seen[e.Action] = true
			out = append(out, ticket.Term{e.Action, e.Label})
		}
	}
	return out
}

func (s *source) units() []ticket.Term {
	var out []ticket.Term
	for _, c := range s.consts("calendar", "Unit") {
		out = append(out, ticket.Term{c.value, c.value})
	}
	return out
}

func duties() []ticket.Term {
	var out []ticket.Term
	for _, d := range category.Duties() {
		word := d.Responsibilities
		if name := cmp.Or(d.CityName(""), d.Province); name != "" { // a few exist in single cities only
			word = name + "：" + word
		}
		out = append(out, ticket.Term{d.Code, word})
	}
	return out
}

func feedback() []ticket.Term {
	var out []ticket.Term
	for _, k := range knowledge.FeedbackKinds {
		out = append(out, ticket.Term{k.Code, k.Label})
	}
	return out
}

func (f *facts) policies() []ticket.Term {
	var out []ticket.Term
	for _, k := range f.app.Policy.Kinds() {
		out = append(out, ticket.Term{k.Kind, k.Label})
	}
	return out
}

func (f *facts) notices() []ticket.Term {
	_, doc := f.app.Policy.At(notify.PolicyNotices, 0, f.app.DB.Clock().Now())
	t, err := notify.ParseTemplates(doc)
	if err != nil {
		f.source.wanted("通知模板：%v", err)
	}
	return terms(sortedKeys(t), func(k string) string { return t[k] })
}

func (f *facts) jobs() []ticket.Term {
	var out []ticket.Term
	for _, room := range f.source.names() {
		for _, c := range f.source.consts(room, "") {
			if strings.HasPrefix(c.name, "Job") {
				what, _ := f.mean("job", c.value)
				out = append(out, ticket.Term{c.value, what})
			}
		}
	}
	return out
}

func (f *facts) measures() []ticket.Term {
	var out []ticket.Term
	_, doc := f.app.Policy.At(measure.PolicyMeasures, 0, f.app.DB.Clock().Now())
	defs, err := measure.Parse(doc)
	if err != nil {
		f.source.wanted("指标：%v", err)
		return nil
	}
	for _, m := range defs.Measures {
		out = append(out, ticket.Term{m.Name, m.Label + "（" + m.Family + "，" + m.Unit + "）：" + m.Formula})
	}
	return out
}
