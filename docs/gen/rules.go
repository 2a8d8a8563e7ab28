package main

import (
	"fmt"
	"go/ast"
	"slices"
	"sort"
	"strings"

	"hotline/internal/access"
	"hotline/internal/ticket"
)

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// rulesPage is the rule table with its two diagrams.
func rulesPage(f *facts) string {
	r := f.rules
	d := page("工单流转规则", "内容取自内置规则表 `internal/ticket/rules.json`（"+r.Version+"）；省级发布了新版本时，以“系统管理—流转规则”页为准，工单始终按它开始时的版本流转。")
	d.line("## 工单状态\n\n```mermaid\n%s```\n", f.diagram("", r.Statuses))
	d.line("## 承办状态\n\n```mermaid\n%s```\n", f.diagram("assignment", r.States))
	d.line("“由操作决定”的去向在图中按代码列出全部可能；工单的承办环节答复、退回、挂起时，工单状态可随之变化。\n")
	d.line("## 操作\n")
	d.head("操作", "代码", "从", "到", "谁（关系）", "前提", "必填", "选填", "时限", "通知", "说明")
	for _, e := range r.Edges {
		must, may := fieldNames(r, e)
		d.row(e.Label, code(e.Action), f.states(e.On, e.From), f.target(e), f.who(e), f.guards(e), must, may, strings.Join(clockWords(e.Clocks), "；"), code(e.Notice), edgeNotes(e))
	}
	d.line("\n## 前提\n")
	d.head("代码", "含义")
	guards := map[string]bool{}
	for _, e := range r.Edges {
		for _, g := range e.Guards {
			guards[g] = true
		}
	}
	for _, g := range sortedKeys(guards) {
		what, _ := f.mean("guard", g)
		d.row(code(g), what)
	}
	d.line("\n## 填写项\n")
	d.head("名称", "代码", "类型", "选项", "限制", "何时出现")
	for _, name := range sortedKeys(r.Fields) {
		s := r.Fields[name]
		kind, _ := f.mean("field", s.Type)
		var options []string
		for _, t := range r.Options[s.Options] {
			options = append(options, t.Word())
		}
		d.row(s.Label, code(name), kind, strings.Join(options, "、"), limits(s), showIf(r, s))
	}
	return d.String()
}

// diagram draws the states of tickets or of assignments. Codes name the nodes,
// since both have a state called 办理中.
func (f *facts) diagram(on string, states []ticket.Term) string {
	arrows := map[[2]string][]string{}
	for _, e := range f.rules.Edges {
		if e.Hidden {
			continue
		}
		tos := []string{e.To}
		if e.To == "" {
			tos = f.source.outcomes(e.Action, on)
		} else if e.On != on {
			continue
		}
		for _, from := range e.From {
			if e.On != on { // an act on a node that moves the ticket does so while it is 办理中
				from = ticket.Handling
			}
			for _, to := range tos {
				k := [2]string{from, to}
				if from != to && from != "*" && !slices.Contains(arrows[k], e.Label) {
					arrows[k] = append(arrows[k], e.Label)
				}
			}
		}
	}
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, s := range states {
		fmt.Fprintf(&b, "  state \"%s\" as %s\n", s.Word(), s.Code())
	}
	for _, from := range states {
		for _, to := range states {
			if l := arrows[[2]string{from.Code(), to.Code()}]; l != nil {
				fmt.Fprintf(&b, "  %s --> %s: %s\n", from.Code(), to.Code(), strings.Join(l, "、"))
			}
		}
	}
	return b.String()
}

// outcomes reads from the code which states an action may lead to where the
// table leaves it open: the constants that the step, and what it calls with the
// same work, put into the ticket's status or move a node to.
func (s *source) outcomes(action, on string) []string {
	seen := map[string]bool{}
	s.walkStep(action, func(n ast.Node) {
		switch x := n.(type) {
		case *ast.AssignStmt:
			for i, l := range x.Lhs {
				sel, ok := l.(*ast.SelectorExpr)
				if on == "" && ok && sel.Sel.Name == "Status" && ownTicket(sel.X) && i < len(x.Rhs) {
					if v, ok := s.text("ticket", x.Rhs[i]); ok {
						seen[v] = true
					}
				}
			}
		case *ast.CallExpr:
			sel, ok := x.Fun.(*ast.SelectorExpr)
			if on != "" && ok && sel.Sel.Name == "move" && len(x.Args) == 1 {
				if v, ok := s.text("ticket", x.Args[0]); ok {
					seen[v] = true
				}
			}
		}
	})
	return sortedKeys(seen)
}

// ownTicket tells whether e is the ticket of the work: w.t, or a t that is not
// a copy of it (拆分 makes a second ticket of a copy).
func ownTicket(e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.Ident:
		if x.Obj != nil {
			if as, ok := x.Obj.Decl.(*ast.AssignStmt); ok && len(as.Rhs) == 1 {
				if _, copied := as.Rhs[0].(*ast.StarExpr); copied {
					return false
				}
			}
		}
		return x.Name == "t"
	case *ast.SelectorExpr:
		w, ok := x.X.(*ast.Ident)
		return ok && w.Name == "w" && x.Sel.Name == "t"
	}
	return false
}

// walkStep visits the step of an action and every function of the room that it
// hands its work to: methods of w and calls with w among the arguments.
func (s *source) walkStep(action string, visit func(ast.Node)) {
	var start string
	s.find("ticket", "init", func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if kv, ok := n.(*ast.KeyValueExpr); ok {
				if k, _ := s.text("ticket", kv.Key); k == action && start == "" {
					if id, ok := kv.Value.(*ast.Ident); ok {
						start = id.Name
					}
				}
			}
			return true
		})
	})
	if start == "" {
		s.wanted("操作 %s 的步骤", action)
		return
	}
	done := map[string]bool{}
	var walk func(string)
	walk = func(name string) {
		if done[name] {
			return
		}
		done[name] = true
		s.find("ticket", name, func(n ast.Node) {
			ast.Inspect(n, func(n ast.Node) bool {
				if n != nil {
					visit(n)
				}
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				switch fn := call.Fun.(type) {
				case *ast.Ident:
					if slices.ContainsFunc(call.Args, isWork) {
						walk(fn.Name)
					}
				case *ast.SelectorExpr:
					if isWork(fn.X) || slices.ContainsFunc(call.Args, isWork) {
						walk(fn.Sel.Name)
					}
				}
				return true
			})
		})
	}
	walk(start)
}

func isWork(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "w"
}

func (f *facts) states(on string, list []string) string {
	word := f.rules.StatusWord
	if on != "" {
		word = f.rules.StateWord
	}
	var out []string
	for _, s := range list {
		if s == "*" {
			return "任何状态"
		}
		out = append(out, word(s))
	}
	if on != "" {
		return "承办：" + strings.Join(out, "、")
	}
	return strings.Join(out, "、")
}

// target is where an edge leads, by the table or, where the act decides, by the code.
func (f *facts) target(e ticket.Edge) string {
	if e.To != "" {
		return f.states(e.On, []string{e.To})
	}
	var parts []string
	if l := f.source.outcomes(e.Action, "assignment"); len(l) > 0 {
		parts = append(parts, f.states("assignment", l))
	}
	if l := f.source.outcomes(e.Action, ""); len(l) > 0 {
		parts = append(parts, "工单："+f.states("", l))
	}
	switch {
	case slices.Contains(e.Clocks, "restore"):
		return "并单前的状态"
	case len(parts) == 0:
		return "不变"
	}
	return "由操作决定（" + strings.Join(parts, "；") + "）"
}

func (f *facts) who(e ticket.Edge) string {
	var roles, at []string
	for _, r := range e.Who {
		if r == "system" {
			roles = append(roles, "系统")
		} else {
			roles = append(roles, access.Role(r).Label())
		}
	}
	for _, a := range e.At {
		what, _ := f.mean("relation", a)
		at = append(at, what)
	}
	return strings.Join(roles, "、") + "（" + strings.Join(at, "、") + "）"
}

func (f *facts) guards(e ticket.Edge) string { return codes(e.Guards) }

func fieldNames(r *ticket.Rules, e ticket.Edge) (must, may string) {
	var a, b []string
	for _, ref := range e.Fields {
		name, required := ticket.Required(ref)
		if required {
			a = append(a, r.Fields[name].Label)
		} else {
			b = append(b, r.Fields[name].Label)
		}
	}
	return strings.Join(a, "、"), strings.Join(b, "、")
}

// clockWords says the clock effects of an edge in Chinese.
func clockWords(effects []string) []string {
	words := map[string]string{"start": "起算", "stop": "停止", "freeze": "冻结", "restore": "恢复并单前的时限", "resume": "继续计时"}
	var out []string
	for _, e := range effects {
		verb, kinds, _ := strings.Cut(e, " ")
		kinds = strings.ReplaceAll(strings.ReplaceAll(kinds, "*", "全部"), " ", "、")
		out = append(out, words[verb]+kinds)
	}
	return out
}

func edgeNotes(e ticket.Edge) string {
	var out []string
	for _, n := range []struct {
		on   bool
		text string
	}{{e.Counted, "计入指标"}, {e.Free, "不需版本号"}, {e.Danger, "须再次确认"}, {e.Hidden, "系统自动"}} {
		if n.on {
			out = append(out, n.text)
		}
	}
	return strings.Join(out, "；")
}

func limits(s ticket.FieldSpec) string {
	unit := "字"
	if s.Type == "number" {
		unit = ""
	}
	switch {
	case s.Min > 0 && s.Max > 0:
		return fmt.Sprintf("%d–%d%s", s.Min, s.Max, unit)
	case s.Max > 0:
		return fmt.Sprintf("至多%d%s", s.Max, unit)
	case s.Min > 0:
		return fmt.Sprintf("至少%d%s", s.Min, unit)
	}
	return ""
}

func showIf(r *ticket.Rules, s ticket.FieldSpec) string {
	if s.ShowIf == nil {
		return ""
	}
	by := r.Fields[s.ShowIf.Field]
	var vals []string
	for _, v := range s.ShowIf.Values {
		vals = append(vals, r.OptionWord(by.Options, v))
	}
	return by.Label + "为" + strings.Join(vals, "、") + "时"
}
