package main

import (
	"go/ast"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"hotline/internal/fault"
)

// kinds are the constructors of fault with the usual remedy.
var kinds = []struct {
	call   string
	kind   fault.Kind
	remedy string
}{
	{"Invalid", fault.KindInvalid, "按提示改正后重新提交；`errors` 逐项指出哪一项不对。"},
	{"Unauthenticated", fault.KindUnauthenticated, "重新登录。"},
	{"Forbidden", fault.KindForbidden, "换有权的岗位办理，或请系统管理员提出授权。"},
	{"NotFound", fault.KindNotFound, "核对编号；不在本人范围内的也按未找到回答。"},
	{"Conflict", fault.KindConflict, "刷新后按最新状态再办；`data` 写明变了什么。"},
	{"TooMany", fault.KindTooMany, "稍后再试。"},
	{"Unavailable", fault.KindUnavailable, "稍后重试；持续出现时由系统管理员查看日志。"},
	{"Internal", fault.KindInternal, "稍后重试；已记入日志，请联系系统管理员。"},
}

// failure is one stable code as the sources raise it.
type failure struct {
	code  string
	kinds []string // names of constructors
	texts []string
	rooms []string
}

// raiser is a function that passes a code on to fault: which of its parameters
// are the code and the text.
type raiser struct {
	kind       string
	code, text int
}

// errorsPage lists every stable code.
func errorsPage(f *facts) string {
	d := page("错误代码", "代码稳定，程序可据以判断；说明是给人看的，其中“…”处填具体内容。")
	d.line("每个错误都以 RFC 9457 返回 `{\"status\",\"title\",\"code\",\"detail\",\"errors\",\"data\"}`，`detail` 说明发生了什么、怎么办；没有另写的，按种类处理：\n")
	d.head("种类", "HTTP 状态", "怎么办")
	title := map[string]string{}
	for _, t := range f.source.words("api", "titles") {
		title[t.Code()] = t.Word()
	}
	word, status := map[string]string{}, map[string]string{}
	for _, k := range kinds {
		word[k.call], status[k.call] = title[string(k.kind)], strconv.Itoa(k.kind.Status())
		d.row(word[k.call], status[k.call], k.remedy)
	}
	d.line("\n## 代码\n")
	d.head("代码", "种类", "状态", "说明", "出自")
	for _, e := range f.source.failures() {
		var ks, st []string
		for _, k := range e.kinds {
			ks, st = append(ks, word[k]), append(st, status[k])
		}
		if len(ks) == 0 { // raised by the framework's own checks, which choose the status
			what, by := f.mean("framework", e.code)
			ks, st, e.texts = []string{what}, []string{by}, append(e.texts, "")
		}
		text := strings.Join(slices.DeleteFunc(e.texts, func(s string) bool { return s == "" }), "／")
		if text == "" || f.has("error", e.code) {
			text, _ = f.mean("error", e.code)
		}
		d.row(code(e.code), strings.Join(ks, "、"), strings.Join(st, "、"), text, strings.Join(e.rooms, "、"))
	}
	return d.String()
}

var verb = regexp.MustCompile(`%[-+# 0]*[0-9]*(\.[0-9]+)?[a-zA-Z]`)

// failures collects the codes: calls of fault's constructors, of functions that
// pass a code on to one, and literals of fault.Error and api.Problem.
func (s *source) failures() []failure {
	found := map[string]*failure{"internal": {code: "internal", kinds: []string{"Internal"}, rooms: []string{"fault"}, texts: []string{"系统内部错误，已记录，请稍后重试；如仍不成功请联系系统管理员。"}}}
	note := func(room, kind, code, text string) {
		e := found[code]
		if e == nil {
			e = &failure{code: code}
			found[code] = e
		}
		text = verb.ReplaceAllString(strings.ReplaceAll(text, "%%", "%"), "…")
		for _, p := range []struct {
			list *[]string
			v    string
		}{{&e.kinds, kind}, {&e.texts, text}, {&e.rooms, room}} {
			if p.v != "" && !slices.Contains(*p.list, p.v) {
				*p.list = append(*p.list, p.v)
			}
		}
	}
	for _, room := range s.names() {
		if room == "fault" || room == "archtest" {
			continue
		}
		raisers := map[string]raiser{}
		for more := true; more; { // until no further function is found to pass a code on
			more = false
			s.calls(room, raisers, func(r raiser, call *ast.CallExpr, in *ast.FuncDecl) {
				code, ok := s.text(room, call.Args[r.code])
				text := ""
				if r.text < len(call.Args) {
					text, _ = s.text(room, call.Args[r.text])
				}
				if ok {
					note(room, r.kind, code, text)
					return
				}
				at := parameter(in, call.Args[r.code])
				if at < 0 {
					s.wanted("%s 处的错误代码", s.fset.Position(call.Pos()))
					return
				}
				if _, known := raisers[in.Name.Name]; !known {
					t := 99
					if r.text < len(call.Args) {
						if p := parameter(in, call.Args[r.text]); p >= 0 {
							t = p
						}
					}
					raisers[in.Name.Name] = raiser{r.kind, at, t}
					more = true
				}
			})
		}
		s.literals(room, func(code, text string) { note(room, "", code, text) })
	}
	var out []failure
	for _, e := range found {
		out = append(out, *e)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].code < out[j].code })
	s.unread = slices.Compact(s.unread)
	return out
}

// calls hands over every call that raises a fault, with the function it stands in.
func (s *source) calls(room string, raisers map[string]raiser, fn func(raiser, *ast.CallExpr, *ast.FuncDecl)) {
	for _, file := range s.rooms[room] {
		for _, d := range file.Decls {
			in, _ := d.(*ast.FuncDecl)
			ast.Inspect(d, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 {
					return true
				}
				switch f := call.Fun.(type) {
				case *ast.SelectorExpr:
					if x, ok := f.X.(*ast.Ident); ok && x.Name == "fault" {
						for _, k := range kinds[:len(kinds)-1] {
							if k.call == f.Sel.Name {
								fn(raiser{k.call, 0, 1}, call, in)
							}
						}
						return true
					}
					if r, ok := raisers[f.Sel.Name]; ok && r.code < len(call.Args) {
						fn(r, call, in)
					}
				case *ast.Ident:
					if r, ok := raisers[f.Name]; ok && r.code < len(call.Args) {
						fn(r, call, in)
					}
				}
				return true
			})
		}
	}
}

// parameter is the position of the parameter that e names, or -1.
func parameter(in *ast.FuncDecl, e ast.Expr) int {
	id, ok := e.(*ast.Ident)
	if !ok || in == nil {
		return -1
	}
	n := 0
	for _, p := range in.Type.Params.List {
		for _, name := range p.Names {
			if name.Name == id.Name {
				return n
			}
			n++
		}
	}
	return -1
}

// literals finds codes that are written into a Problem or fault.Error directly.
func (s *source) literals(room string, fn func(code, text string)) {
	for _, file := range s.rooms[room] {
		ast.Inspect(file, func(n ast.Node) bool {
			got := map[string]string{}
			switch x := n.(type) {
			case *ast.CompositeLit:
				for _, e := range x.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok {
						if k, ok := kv.Key.(*ast.Ident); ok {
							if v, ok := s.text(room, kv.Value); ok {
								got[k.Name] = v
							}
						}
					}
				}
			case *ast.AssignStmt:
				for i, l := range x.Lhs {
					if sel, ok := l.(*ast.SelectorExpr); ok && i < len(x.Rhs) {
						if v, ok := s.text(room, x.Rhs[i]); ok {
							got[sel.Sel.Name] = v
						}
					}
				}
			}
			if got["Code"] != "" && got["Detail"] != "" {
				fn(got["Code"], got["Detail"])
			}
			return true
		})
	}
}
