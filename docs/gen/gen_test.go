package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hotline/internal/access"
)

const repository = "../.."

// The generated pages are those that the present code gives, and every column,
// code, guard and key has a Chinese meaning.
func TestPagesAreCurrent(t *testing.T) {
	f, err := gather(context.Background(), repository)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range pages {
		want := p.Write(f)
		have, err := os.ReadFile(filepath.Join(repository, "docs", p.Name))
		if err != nil {
			t.Error(err)
		} else if string(have) != want {
			t.Errorf("docs/%s 已过时，请运行 go run ./docs/gen", p.Name)
		}
	}
	for _, g := range f.gaps() {
		t.Error("docs/gen/meaning.tsv：" + g)
	}
}

// A meaning that is asked for and absent is reported, not left out.
func TestMissingMeaningIsReported(t *testing.T) {
	f := &facts{known: map[string][]string{"column\tticket.id": {"编号"}, "column\tgone.id": {"编号"}}, used: map[string]bool{}, missing: map[string]bool{}, source: &source{}}
	f.column("ticket", "id")
	f.column("ticket", "new_column")
	if got := strings.Join(f.gaps(), "\n"); got != "多余：column gone.id\n缺少：column ticket.new_column" {
		t.Errorf("gaps: %s", got)
	}
}

// docs/dependencies.md has each direct module and package with its exact
// version and nothing else.
func TestDependenciesAreListed(t *testing.T) {
	page := read(t, "docs/dependencies.md")
	listed := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^ |]+) \\| ([^|]+) \\| ([^|]+) \\|").FindAllStringSubmatch(page, -1) {
		if strings.TrimSpace(m[3]) == "" || strings.TrimSpace(m[4]) == "" {
			t.Errorf("%s：用途或许可未写", m[1])
		}
		listed[m[1]] = m[2]
	}
	used := map[string]string{}
	direct, _, _ := strings.Cut(read(t, "go.mod"), "\n)")
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) (v\S+)$`).FindAllStringSubmatch(direct, -1) {
		used[m[1]] = m[2]
	}
	var npm struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal([]byte(read(t, "web/package.json")), &npm); err != nil {
		t.Fatal(err)
	}
	for _, list := range []map[string]string{npm.Dependencies, npm.DevDependencies} {
		for name, version := range list {
			if !regexp.MustCompile(`^[0-9]`).MatchString(version) {
				t.Errorf("web/package.json：%s 的版本 %s 不是确切版本", name, version)
			}
			used[name] = version
		}
	}
	for name, version := range used {
		if listed[name] != version {
			t.Errorf("docs/dependencies.md：%s 应为 %s，写的是 %q", name, version, listed[name])
		}
	}
	for name := range listed {
		if used[name] == "" {
			t.Errorf("docs/dependencies.md：%s 已不再使用", name)
		}
	}
}

// The manual speaks of every role and of every page that one of them may open.
func TestManualIsComplete(t *testing.T) {
	manual := read(t, "docs/manual.md")
	for _, r := range access.Roles() {
		name := r.Label()
		if r == access.Citizen {
			name = "诉求人"
		}
		if !strings.Contains(manual, name) {
			t.Errorf("docs/manual.md 没有写%s", name)
		}
		for _, m := range access.Menus(r) {
			if !strings.Contains(manual, m.Label) {
				t.Errorf("docs/manual.md 没有写%s的“%s”页", name, m.Label)
			}
		}
	}
}

// Links and pictures of the pages lead to files that exist.
func TestLinksLead(t *testing.T) {
	pages, _ := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	for _, p := range append(pages, filepath.Join(repository, "README.md"), filepath.Join(repository, "ARCHITECTURE.md"), filepath.Join(repository, "CHANGELOG.md")) {
		raw, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`).FindAllStringSubmatch(string(raw), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(p), m[1])); err != nil {
				t.Errorf("%s：%s 不存在", filepath.Base(p), m[1])
			}
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
