package main

import (
	"go/ast"
	"strings"
)

// eventsPage lists the kinds of events with the keys of their data, and the
// operations of the audit.
func eventsPage(f *facts) string {
	d := page("事件与审计", "事件只写编号、代码和摘要，没有文字内容和个人信息；每条有连续序号并接入哈希链，`hotline audit verify` 核验。")
	d.line("## 工单事件\n")
	d.line("每个操作写一条 `ticket.操作`，数据中必有（有则写）：%s。各操作另有：\n", codes(f.source.commonKeys()))
	d.head("事件", "操作", "另有的数据")
	d.row(code("ticket.create"), "登记", codes(f.source.createKeys()))
	keys := map[string]bool{}
	add := func(list []string) {
		for _, k := range list {
			keys[k] = true
		}
	}
	add(f.source.commonKeys())
	add(f.source.createKeys())
	for _, a := range actions(f.rules) {
		own := f.source.stepKeys(a.Code())
		add(own)
		d.row(code("ticket."+a.Code()), a.Word(), codes(own))
	}
	d.line("\n### 数据键\n")
	d.head("键", "含义")
	for _, k := range sortedKeys(keys) {
		what, _ := f.mean("key", k)
		d.row(code(k), what)
	}
	d.line("\n## 其他事件\n")
	d.head("事件", "含义", "数据")
	for _, kind := range f.source.otherEvents() {
		what, data := f.mean("event", kind)
		d.row(code(kind), what, data)
	}
	d.line("\n## 审计操作\n")
	d.line("查看、导出、登录等不改工单的行为记入审计链，数据为 `a` 账号、`r` 岗位、`o` 结果（空为成功）、`n` 条数、`ip` 地址、`q` 查询代码、`why` 理由的摘要。\n")
	d.head("操作", "含义")
	for _, t := range f.source.words("api", "opWord") {
		d.row(code(t.Code()), t.Word())
	}
	return d.String()
}

// stepKeys are the keys that a step puts into the event's data.
func (s *source) stepKeys(action string) []string {
	keys := map[string]bool{}
	s.walkStep(action, func(n ast.Node) { dataKeys(s, n, keys) })
	return sortedKeys(keys)
}

// createKeys are those of ticket.create, of which answered is a part.
func (s *source) createKeys() []string {
	keys := map[string]bool{}
	for _, name := range []string{"Write", "answered", "writeSplit"} {
		s.find("ticket", name, func(n ast.Node) {
			ast.Inspect(n, func(n ast.Node) bool {
				dataKeys(s, n, keys)
				if kv, ok := n.(*ast.KeyValueExpr); ok { // the literal that data begins with
					if k, ok := s.text("ticket", kv.Key); ok {
						keys[k] = true
					}
				}
				return true
			})
		})
	}
	if len(keys) < 3 {
		s.wanted("ticket.create 的数据键")
	}
	return sortedKeys(keys)
}

// commonKeys are those that the work's append adds to every event.
func (s *source) commonKeys() []string {
	keys := map[string]bool{"from": true}
	s.find("ticket", "append", func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if x, ok := n.(*ast.IndexExpr); ok {
				if id, ok := x.X.(*ast.Ident); ok && id.Name == "d" {
					if k, ok := s.text("ticket", x.Index); ok {
						keys[k] = true
					}
				}
			}
			return true
		})
	})
	return sortedKeys(keys)
}

// dataKeys notes the keys of assignments to w.data[…].
func dataKeys(s *source, n ast.Node, keys map[string]bool) {
	as, ok := n.(*ast.AssignStmt)
	if !ok {
		return
	}
	for _, l := range as.Lhs {
		x, ok := l.(*ast.IndexExpr)
		if !ok {
			continue
		}
		if sel, ok := x.X.(*ast.SelectorExpr); ok && isWork(sel.X) && sel.Sel.Name == "data" {
			if k, ok := s.text("ticket", x.Index); ok {
				keys[k] = true
			}
		}
	}
}

// otherEvents are the kinds outside the rule table: constants named Event…, the
// kinds given to ticket.Service.Append, and what supervise tells.
func (s *source) otherEvents() []string {
	kinds := map[string]bool{}
	for _, room := range s.names() {
		for _, c := range s.consts(room, "") {
			if strings.HasPrefix(c.name, "Event") {
				kinds[c.value] = true
			}
		}
		for _, file := range s.rooms[room] {
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if ok && sel.Sel.Name == "Append" && len(call.Args) == 5 {
					if k, ok := s.text(room, call.Args[3]); ok {
						kinds[k] = true
					}
				}
				return true
			})
		}
	}
	for _, t := range s.words("ticket", "eventLabels") {
		if strings.HasPrefix(t.Code(), "supervision.") {
			kinds[t.Code()] = true
		}
	}
	return sortedKeys(kinds)
}
