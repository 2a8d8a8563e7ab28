package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"hotline/internal/ticket"
)

// source is the Go code below internal/, tests left out, by room.
type source struct {
	fset   *token.FileSet
	rooms  map[string][]*ast.File
	unread []string // what could not be read as a literal and should be
}

func readSource(dir string) (*source, error) {
	s := &source{fset: token.NewFileSet(), rooms: map[string][]*ast.File{}}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(s.fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		room, _ := filepath.Rel(dir, filepath.Dir(p))
		room = filepath.ToSlash(room)
		s.rooms[room] = append(s.rooms[room], f)
		return nil
	})
	return s, err
}

// names lists the rooms in order.
func (s *source) names() []string {
	out := make([]string, 0, len(s.rooms))
	for r := range s.rooms {
		out = append(out, r)
	}
	sort.Strings(out)
	return out
}

// wanted notes something that the pages rely on and the code no longer has.
func (s *source) wanted(what string, args ...any) {
	s.unread = append(s.unread, "代码中读不到："+fmt.Sprintf(what, args...))
}

// text resolves a string literal, a concatenation of them, or a constant of the room.
func (s *source) text(room string, e ast.Expr) (string, bool) {
	switch x := e.(type) {
	case *ast.BasicLit:
		v, err := strconv.Unquote(x.Value)
		return v, err == nil && x.Kind == token.STRING
	case *ast.BinaryExpr:
		a, ok := s.text(room, x.X)
		b, ok2 := s.text(room, x.Y)
		return a + b, ok && ok2 && x.Op == token.ADD
	case *ast.Ident:
		for _, c := range s.consts(room, "") {
			if c.name == x.Name {
				return c.value, true
			}
		}
	case *ast.SelectorExpr: // a constant of another room, named by its last path element
		if p, ok := x.X.(*ast.Ident); ok && s.rooms[p.Name] != nil && p.Name != room {
			return s.text(p.Name, x.Sel)
		}
	}
	return "", false
}

// constant is a string constant with the Chinese of its comment.
type constant struct{ name, value, typ, word string }

// consts lists the string constants of a room; of one type, if given.
func (s *source) consts(room, typ string) []constant {
	var out []constant
	for _, f := range s.rooms[room] {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, name := range v.Names {
					if i >= len(v.Values) {
						continue
					}
					lit, ok := v.Values[i].(*ast.BasicLit)
					if !ok || lit.Kind != token.STRING {
						continue
					}
					c := constant{name: name.Name, word: chinese(v.Comment.Text())}
					c.value, _ = strconv.Unquote(lit.Value)
					if t, ok := v.Type.(*ast.Ident); ok {
						c.typ = t.Name
					}
					if typ == "" || c.typ == typ {
						out = append(out, c)
					}
				}
			}
		}
	}
	return out
}

// words reads a map literal of codes to Chinese words: that of the variable or
// inside the function of that name.
func (s *source) words(room, name string) []ticket.Term {
	var out []ticket.Term
	take := func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || out != nil {
			return true
		}
		if _, ok := lit.Type.(*ast.MapType); !ok {
			return true
		}
		for _, e := range lit.Elts {
			kv := e.(*ast.KeyValueExpr)
			k, ok1 := s.text(room, kv.Key)
			v, ok2 := s.text(room, kv.Value)
			if ok1 && ok2 {
				out = append(out, ticket.Term{k, v})
			}
		}
		return false
	}
	s.find(room, name, func(n ast.Node) { ast.Inspect(n, take) })
	if len(out) == 0 {
		s.wanted("%s.%s", room, name)
	}
	return out
}

// find hands over the declaration of a variable or function of the room.
func (s *source) find(room, name string, fn func(ast.Node)) {
	for _, f := range s.rooms[room] {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == name {
					fn(d)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for i, id := range v.Names {
							if id.Name == name && i < len(v.Values) {
								fn(v.Values[i])
							}
						}
					}
				}
			}
		}
	}
}

// chinese is the leading Chinese of a comment such as "待签收: a child works".
func chinese(comment string) string {
	comment = strings.TrimSpace(comment)
	if i := strings.IndexAny(comment, ":;\n"); i >= 0 {
		comment = comment[:i]
	}
	words := strings.Fields(comment)
	var keep []string
	for _, w := range words {
		if strings.IndexFunc(w, func(r rune) bool { return unicode.Is(unicode.Han, r) }) < 0 {
			break
		}
		keep = append(keep, strings.TrimRight(w, ",."))
	}
	return strings.Join(keep, "")
}
