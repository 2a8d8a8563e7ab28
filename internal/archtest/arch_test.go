// Package archtest guards the house rules: which room may import which, who
// reads the clock, who writes tickets, what SQL may say, how long a file may be.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// floors lists the rooms from the ground up; a room imports lower floors and
// what stands before it on its own.
var floors = [][]string{
	{"fault", "clock", "db", "db/dbtest", "seal", "eventlog", "job", "blob", "zh", "jsonl"},
	{"calendar", "region", "category", "policy", "org", "audit", "access"},
	{"line", "contact", "ticket", "ticket/tickettest"},
	{"insight", "knowledge/seed", "knowledge", "dispatch", "intake", "notify", "workforce",
		"voice/media", "voice/media/sdp", "voice/media/sip", "voice/media/rtp", "voice/media/play", "voice/media/mix", "voice/media/record", "voice/media/webrtc", "voice/media/engine", "voice/speech",
		"voice/cdr", "voice/text", "voice/acd", "voice/flow", "voice/seat", "voice/cti", "measure", "supervise", "report"},
	{"api", "console", "citizen"},
	{"app", "demo/template", "demo"},
}

// root is the repository.
const root = "../.."

func place(room string) (floor, at int) {
	for f, rooms := range floors {
		for i, r := range rooms {
			if r == room {
				return f, i
			}
		}
	}
	return -1, -1
}

type file struct {
	path string // from the repository
	room string // package directory below internal, "" elsewhere
	test bool
	ast  *ast.File
	text string
	fset *token.FileSet
}

func sources(t *testing.T) []file {
	t.Helper()
	var out []file
	for _, dir := range []string{"internal", "cmd", "docs", "test"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(p, ".go") {
				return err
			}
			raw, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fset := token.NewFileSet()
			tree, err := parser.ParseFile(fset, p, raw, parser.ParseComments)
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(root, p)
			f := file{path: filepath.ToSlash(rel), test: strings.HasSuffix(p, "_test.go"), ast: tree, text: string(raw), fset: fset}
			if room, ok := strings.CutPrefix(filepath.ToSlash(filepath.Dir(rel)), "internal/"); ok {
				f.room = room
			}
			out = append(out, f)
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if len(out) < 50 {
		t.Fatalf("found only %d sources", len(out))
	}
	return out
}

func TestRoomsImportDownwards(t *testing.T) {
	for _, f := range sources(t) {
		if f.room == "" || f.room == "archtest" || f.test {
			continue
		}
		floor, at := place(f.room)
		if floor < 0 {
			t.Errorf("%s: room %q stands on no floor", f.path, f.room)
			continue
		}
		for _, imp := range f.ast.Imports {
			path, ok := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), "hotline/internal/")
			if !ok {
				continue
			}
			fl, i := place(path)
			if fl > floor || fl == floor && i >= at && path != f.room || fl < 0 {
				t.Errorf("%s: %s may not import %s", f.path, f.room, path)
			}
		}
	}
}

// Only package clock reads or waits for time; the domain's tests run on a
// virtual clock and never sleep.
func TestOneClock(t *testing.T) {
	banned := map[string]bool{"Now": true, "Since": true, "Until": true, "Sleep": true, "After": true, "Tick": true, "NewTimer": true, "NewTicker": true, "AfterFunc": true}
	for _, f := range sources(t) {
		if f.room == "clock" || f.test || f.room == "db/dbtest" || strings.HasPrefix(f.path, "test/") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && x.Obj == nil && banned[sel.Sel.Name] {
				t.Errorf("%s: time.%s outside clock", f.fset.Position(n.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
}

// Only ticket writes the tables of a ticket.
func TestOneWriterOfTickets(t *testing.T) {
	write := regexp.MustCompile(`(?i)(INSERT INTO|UPDATE|DELETE FROM)\s+(ticket|assignment|ticket_request|time_pause|worklist|ticket_text)\b`)
	for _, f := range sources(t) {
		if f.room == "ticket" || f.test || f.room == "archtest" || strings.HasPrefix(f.path, "test/") {
			continue
		}
		if m := write.FindString(f.text); m != "" {
			t.Errorf("%s: %q outside package ticket", f.path, m)
		}
	}
}

// SQL stays in the portable subset.
func TestPortableSQL(t *testing.T) {
	bad := regexp.MustCompile(`(?i)\b(SERIAL|AUTOINCREMENT|ILIKE|pg_advisory|LISTEN |NOTIFY |CREATE TRIGGER|now\(\)|datetime\(|strftime\(|jsonb)\b`)
	for _, f := range sources(t) {
		if f.test || f.room == "db" || f.room == "db/dbtest" || f.room == "archtest" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING || !regexp.MustCompile(`(?i)\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE)\b`).MatchString(lit.Value) {
				return true
			}
			if m := bad.FindString(lit.Value); m != "" {
				t.Errorf("%s: %q in SQL", f.fset.Position(n.Pos()), m)
			}
			return true
		})
	}
}

func TestHouseKeeping(t *testing.T) {
	for _, f := range sources(t) {
		if n := strings.Count(f.text, "\n"); n > 800 {
			t.Errorf("%s: %d lines", f.path, n)
		}
		if f.room == "archtest" {
			continue
		}
		for _, word := range []string{"TO" + "DO", "FIX" + "ME", "t.Skip(", "t.SkipNow(", "暂未实现", "敬请期待"} {
			if strings.Contains(f.text, word) {
				t.Errorf("%s: %q", f.path, word)
			}
		}
	}
}

// The table of rooms in ARCHITECTURE.md names every room that exists, on its floor.
func TestArchitectureNamesTheRooms(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d) \| (.+) \|$`).FindAllStringSubmatch(string(page), -1) {
		for _, room := range regexp.MustCompile(`[a-z]+`).FindAllString(row[2], -1) {
			told[room] = row[1]
		}
	}
	built := map[string]bool{"archtest": true}
	for _, f := range sources(t) {
		if f.room == "" || f.room == "archtest" {
			continue
		}
		floor, _ := place(f.room)
		name := f.room[strings.LastIndexByte(f.room, '/')+1:]
		top, _, nested := strings.Cut(f.room, "/")
		built[top], built[name] = true, true
		if !nested && told[top] != strconv.Itoa(floor) || nested && told[top] == "" {
			t.Errorf("ARCHITECTURE.md does not name %s on floor %d", f.room, floor)
		}
	}
	for room := range told {
		if !built[room] {
			t.Errorf("ARCHITECTURE.md names %s, which does not exist", room)
		}
	}
}
