// Command gen writes the reference pages of docs/ that follow from the code:
// the data dictionary (数据字典) and its code lists, the rule table, the access
// matrix, the error codes, the routes and the events. It is for authors and for
// the test beside it, which fails when a page is not current; the product never
// runs it. What a column or a code means in Chinese and cannot be read from the
// code stands in meaning.tsv.
//
//	go run ./docs/gen
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// pages are the generated ones by file name below docs/.
var pages = []struct {
	Name  string
	Write func(*facts) string
}{
	{"dictionary.md", dictionary},
	{"codes.md", codesPage},
	{"rules.md", rulesPage},
	{"access.md", accessPage},
	{"errors.md", errorsPage},
	{"api.md", routesPage},
	{"events.md", eventsPage},
}

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run writes every page of the repository at root.
func run(root string) error {
	f, err := gather(context.Background(), root)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range pages {
		if err := os.WriteFile(filepath.Join(root, "docs", p.Name), []byte(p.Write(f)), 0o644); err != nil {
			return err
		}
	}
	if gaps := f.gaps(); len(gaps) > 0 {
		return fmt.Errorf("docs/gen/meaning.tsv:\n%s", strings.Join(gaps, "\n"))
	}
	return nil
}
