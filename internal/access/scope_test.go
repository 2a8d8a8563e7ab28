package access

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hotline/internal/org"
)

func testTree(t testing.TB) *org.Tree {
	t.Helper()
	tree, err := org.Build(org.Province(org.ProvinceOptions{Cities: []string{"420100", "420200"}}))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestScopes(t *testing.T) {
	tree := testTree(t)
	id := func(code string) int64 {
		u, ok := tree.ByCode(code)
		if !ok {
			t.Fatalf("no unit %s", code)
		}
		return u.ID
	}
	const me = 1 << 40
	for _, tc := range []struct {
		role Role
		unit string
		want string // the unit whose rows are read; "me" = the account's own
	}{
		{Agent, "P420100", "me"},
		{Integration, "P420100", "me"},
		{ShiftLead, "P420100", "P420100"},
		{ShiftLead, "R420281", "R420281"},
		{Dispatcher, "P420100", "P420100"},
		{Dispatcher, "C420111", "C420111"},
		{Dispatcher, "P420000", "P420000"},
		{Handler, "D420111-chengguan", "D420111-chengguan"},
		{UnitLead, "T420111005", "T420111005"},
		{Supervisor, "P420200", "P420200"},
		{Supervisor, "D420200-shuju", "P420200"},
		{Callback, "P420200", "P420200"},
		{Inspector, "C420222", "C420222"},
		{BranchAgent, "S420000-12366", "S420000-12366"},
		{Province, "P420000", "P420000"},
		{Province, "D420000-shuju", "P420000"},
		{Leader, "P420100", "P420100"},
		{Leader, "C420111", "C420111"},
		{Leader, "D420100-shuju", "P420100"},
		{Cell, "P420100", "P420100"},
		{Privacy, "P420100", "P420100"},
		{KBAdmin, "P420100", ""},
		{KBEditor, "D420100-yibao", ""},
		{SysAdmin, "P420000", ""},
		{SecAdmin, "P420000", ""},
		{Auditor, "P420000", ""},
		{"nobody", "P420000", ""},
	} {
		sc := ScopeIn(tree, Actor{Account: me, Role: tc.role, Unit: id(tc.unit)})
		var want []int64
		switch tc.want {
		case "":
			if !sc.None {
				t.Errorf("%s in %s should see nothing: %+v", tc.role, tc.unit, sc)
			}
			continue
		case "me":
			want = []int64{me}
		default:
			want = []int64{id(tc.want)}
		}
		if diff := cmp.Diff(want, sc.Units); diff != "" || sc.None {
			t.Errorf("%s in %s: %s", tc.role, tc.unit, diff)
		}
	}
	if sc := ScopeIn(tree, Actor{Account: me, Role: Dispatcher, Unit: id("P420100"), Restricted: "must_change"}); !sc.None {
		t.Error("a session that must change its password sees nothing")
	}
	if sc := ScopeIn(tree, Actor{Role: Agent, Unit: id("P420100")}); !sc.None {
		t.Error("an actor without an account sees nothing")
	}
	if sc := ScopeIn(tree, Actor{Account: me, Role: Handler, Unit: 999999}); !sc.None {
		t.Error("an unknown unit sees nothing")
	}
	if sc := ScopeIn(tree, System("sweep")); !sc.All || sc.None {
		t.Error("the system sees all")
	}
}

func TestScopeSQL(t *testing.T) {
	args := []any{"x", "y"}
	sc := Scope{Units: []int64{7}, Labels: []Label{Normal, Confidential}}
	if got := sc.SQL("w", &args); got != "w.unit = $3 AND w.label IN ($4,$5)" {
		t.Error(got)
	}
	if diff := cmp.Diff([]any{"x", "y", int64(7), "normal", "confidential"}, args); diff != "" {
		t.Error(diff)
	}
	args = nil
	if got := (Scope{Units: []int64{7, 8}, Labels: []Label{Informant}}).SQL("w", &args); got != "w.unit IN ($1,$2) AND w.label = $3" {
		t.Error(got)
	}
	for _, sc := range []Scope{{}, {None: true}, {None: true, All: true}, {Units: []int64{1}}, {Labels: Labels()}} {
		if got := sc.SQL("w", &args); got != "1=0" {
			t.Errorf("%+v: %s", sc, got)
		}
	}
	if got := (Scope{All: true}).SQL("w", &args); got != "1=1" {
		t.Error(got)
	}
}

// TestNoScopeLeaksALabel draws any actor and any row of any worklist: what the
// scope covers is never outside the clearance, and never another unit's.
func TestNoScopeLeaksALabel(t *testing.T) {
	tree := testTree(t)
	all := tree.All()
	rapid.Check(t, func(rt *rapid.T) {
		a := Actor{Account: 1 << 40, Role: rapid.SampledFrom(Roles()).Draw(rt, "role"), Unit: rapid.SampledFrom(all).Draw(rt, "unit").ID}
		row := rapid.SampledFrom(all).Draw(rt, "row").ID
		label := rapid.SampledFrom(Labels()).Draw(rt, "label")
		sc := ScopeIn(tree, a)
		g := GrantOf(a.Role)
		if !sc.Covers(row, label) {
			return
		}
		if !g.Cleared(label) {
			rt.Fatalf("%s reads %s rows", a.Role, label)
		}
		if !g.May(View) {
			rt.Fatalf("%s reads rows without the verb", a.Role)
		}
		switch g.Scope {
		case ScopeNone, ScopeOwn, ScopeSeat:
			rt.Fatalf("%s reads a unit's rows", a.Role)
		case ScopeUnit, ScopeTeam, ScopeSubtree:
			if row != a.Unit {
				rt.Fatalf("%s reads rows of another unit", a.Role)
			}
		case ScopeProvince:
		default:
			if !tree.Under(row, a.Unit) {
				rt.Fatalf("%s of %d reads %d, which is not above it", a.Role, a.Unit, row)
			}
		}
		if !slices.Contains(sc.Units, row) {
			rt.Fatalf("covers what it does not list")
		}
	})
}
