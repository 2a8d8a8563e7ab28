package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"unicode/utf8"

	"hotline/internal/app"
	"hotline/internal/ticket"
)

// meanings holds what the code cannot tell: kind, name, meaning and, by kind,
// one more column, separated by tabs.
//
//go:embed meaning.tsv
var meanings string

// facts is everything that the pages are written from.
type facts struct {
	app    *app.App
	rules  *ticket.Rules
	source *source
	tables []table

	known   map[string][]string // "kind\tname" → the columns after it
	used    map[string]bool
	missing map[string]bool
	tmp     string
}

// gather builds a platform in a temporary directory and reads the sources.
func gather(ctx context.Context, root string) (*facts, error) {
	f := &facts{known: map[string][]string{}, used: map[string]bool{}, missing: map[string]bool{}}
	for n, line := range strings.Split(strings.TrimRight(meanings, "\n"), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cols := strings.Split(line, "\t")
		if len(cols) < 3 || f.known[cols[0]+"\t"+cols[1]] != nil {
			return nil, fmt.Errorf("meaning.tsv:%d: too few columns, or given twice", n+1)
		}
		f.known[cols[0]+"\t"+cols[1]] = cols[2:]
	}
	var err error
	if f.source, err = readSource(filepath.Join(root, "internal")); err != nil {
		return nil, err
	}
	if f.rules, err = ticket.ParseRules(ticket.DefaultRules()); err != nil {
		return nil, err
	}
	if f.tmp, err = os.MkdirTemp("", "gen"); err != nil {
		return nil, err
	}
	if f.app, err = app.Open(ctx, app.Config{Data: f.tmp}); err != nil {
		os.RemoveAll(f.tmp)
		return nil, err
	}
	f.app.Serve(nil)
	if f.tables, err = readTables(ctx, f.app.DB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close removes the temporary platform.
func (f *facts) Close() {
	f.app.Close()
	os.RemoveAll(f.tmp)
}

// mean looks a meaning up and notes its absence. The second column is "" where
// there is none.
func (f *facts) mean(kind, name string) (meaning, more string) {
	cols, ok := f.known[kind+"\t"+name]
	if !ok {
		f.missing[kind+"\t"+name] = true
		return "", ""
	}
	f.used[kind+"\t"+name] = true
	if len(cols) > 1 {
		more = cols[1]
	}
	return cols[0], more
}

// has tells whether a meaning is written down, without demanding it.
func (f *facts) has(kind, name string) bool { return f.known[kind+"\t"+name] != nil }

// gaps lists meanings that are missing, and those that nothing asks for.
func (f *facts) gaps() []string {
	var out []string
	for k := range f.missing {
		out = append(out, "缺少："+strings.ReplaceAll(k, "\t", " "))
	}
	for k := range f.known {
		if !f.used[k] {
			out = append(out, "多余："+strings.ReplaceAll(k, "\t", " "))
		}
	}
	sort.Strings(out)
	return append(out, f.source.unread...)
}

// doc is a page under construction.
type doc struct{ strings.Builder }

// page begins a page with its title and the warning that it is written by a program.
func page(title, about string) *doc {
	d := &doc{}
	d.line("# %s\n", title)
	d.line("本页由 `go run ./docs/gen` 生成，请勿手工修改。%s\n", about)
	return d
}

func (d *doc) line(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

// head begins a table.
func (d *doc) head(cols ...string) {
	d.line("| %s |", strings.Join(cols, " | "))
	d.line("|%s", strings.Repeat("---|", len(cols)))
}

// row writes one row of a table; an empty cell is a dash.
func (d *doc) row(cells ...string) {
	for i, c := range cells {
		c = strings.NewReplacer("|", "\\|", "\n", " ").Replace(c)
		if c == "" {
			c = "—"
		}
		cells[i] = c
	}
	d.line("| %s |", strings.Join(cells, " | "))
}

// list writes codes with their words: on one line while they are short, else as a table.
func (d *doc) list(title, about string, terms []ticket.Term) {
	d.line("\n### %s\n", title)
	if about != "" {
		d.line("%s\n", about)
	}
	var short []string
	for _, t := range terms {
		if utf8.RuneCountInString(t.Word()) > 16 {
			short = nil
			break
		}
		pair := code(t.Code())
		if t.Word() != t.Code() {
			pair += " " + t.Word()
		}
		short = append(short, pair)
	}
	if short != nil {
		d.line("%s", strings.Join(short, "；"))
		return
	}
	d.head("代码", "含义")
	for _, t := range terms {
		d.row(code(t.Code()), t.Word())
	}
}

// code marks a code; "" stays empty.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// codes marks several.
func codes(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = code(s)
	}
	return strings.Join(out, "、")
}
