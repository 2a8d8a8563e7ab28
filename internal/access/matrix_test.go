package access

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

//go:embed testdata/matrix.tsv
var transcription string

// TestTableIsTheMatrix compares the table with a transcription made apart.
func TestTableIsTheMatrix(t *testing.T) {
	verbOf := map[byte]Verb{}
	for _, l := range letters {
		verbOf[l.Letter] = l.Verb
	}
	labelOf := map[byte]Label{'N': Normal, 'C': Confidential, 'W': Informant, 'Q': Quarantine}
	digit := func(s string) Mask { return Mask(s[0] - '0') }
	var roles []Role
	for _, line := range strings.Split(strings.TrimSpace(transcription), "\n") {
		if line[0] == '#' || strings.HasPrefix(line, "role\t") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 10 {
			t.Fatalf("line has %d columns: %q", len(f), line)
		}
		role := Role(f[0])
		roles = append(roles, role)
		t.Run(f[0], func(t *testing.T) {
			g := GrantOf(role)
			var want []Verb
			for i := range len(f[1]) {
				want = append(want, verbOf[f[1][i]])
			}
			for _, w := range strings.Fields(f[2] + " " + f[3]) {
				want = append(want, Verb(w))
			}
			got := slices.Clone(g.Verbs)
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("verbs (-matrix +table):\n%s", diff)
			}
			if string(g.Scope) != f[4] {
				t.Errorf("scope: matrix %s, table %s", f[4], g.Scope)
			}
			for i, l := range []Label{Normal, Confidential, Informant} {
				if want := digit(f[5+i]); g.Masks[l] != want {
					t.Errorf("mask of %s: matrix %d, table %d", l.Word(), want, g.Masks[l])
				}
				if f[8] != "" && g.InCall[l] != digit(f[8][i:]) {
					t.Errorf("mask in call of %s: matrix %c, table %d", l.Word(), f[8][i], g.InCall[l])
				}
			}
			if f[8] == "" && g.InCall != nil {
				t.Error("the matrix knows no mask in call")
			}
			var labels []Label
			for i := range len(f[9]) {
				labels = append(labels, labelOf[f[9][i]])
			}
			if diff := cmp.Diff(labels, g.Clearance); diff != "" {
				t.Errorf("clearance (-matrix +table):\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff(roles, Roles()); diff != "" || len(roles) != 20 {
		t.Errorf("roles (-matrix +table):\n%s", diff)
	}
}

// TestNoRoleSeesAboveItsClearance draws roles, labels and fields at random.
func TestNoRoleSeesAboveItsClearance(t *testing.T) {
	fields := []string{FieldPhone, FieldName, FieldID, FieldAddress, FieldContent}
	rapid.Check(t, func(rt *rapid.T) {
		role := rapid.SampledFrom(append(Roles(), "nobody")).Draw(rt, "role")
		label := rapid.SampledFrom(append(Labels(), "unknown")).Draw(rt, "label")
		field := rapid.SampledFrom(fields).Draw(rt, "field")
		g := GrantOf(role)
		if !g.Cleared(label) {
			if m := MaskOf(role, label, field); m != Absent {
				rt.Fatalf("%s sees %s of %s as %d without clearance", role, field, label, m)
			}
			if (Actor{Role: role}).Cleared(label) {
				rt.Fatalf("%s is cleared as an actor but not in the table", role)
			}
		}
		if label == Informant && role != Citizen && role != Cell && field != FieldContent && MaskOf(role, label, field) != Absent {
			rt.Fatalf("%s sees the %s of an informant", role, field)
		}
		if label == Quarantine && field != FieldContent && MaskOf(role, label, field) != Absent {
			rt.Fatalf("%s sees the %s of a quarantined ticket", role, field)
		}
		if !g.May(View) && len(g.Clearance) > 0 {
			rt.Fatalf("%s is cleared for tickets it may not view", role)
		}
	})
}

func TestAdministratorsHoldNoBusiness(t *testing.T) {
	business := []Verb{Create, View, Edit, Approve, Handle, Return, Supervise, DoCallback, Inspect, Export, Reveal, Sealed}
	for _, r := range []Role{SysAdmin, SecAdmin, Auditor} {
		for _, v := range business {
			if GrantOf(r).May(v) {
				t.Errorf("%s may %s", r, v)
			}
		}
		for _, other := range Roles() {
			if other != r && other.Family() == r.Family() {
				t.Errorf("%s and %s are of one family", r, other)
			}
		}
	}
	for _, r := range Roles() {
		if GrantOf(r).May(UserAdmin) && GrantOf(r).May(GrantApprove) {
			t.Errorf("%s proposes and approves", r)
		}
	}
}

func TestContractorsAreHeldBack(t *testing.T) {
	for _, r := range Roles() {
		for _, v := range contractorDenied {
			if (Actor{Role: r, Contractor: true}).May(v) {
				t.Errorf("a contractor as %s may %s", r, v)
			}
		}
	}
	if !(Actor{Role: Agent, Contractor: true}).May(Create) {
		t.Error("a contractor may take calls")
	}
}

func TestMasks(t *testing.T) {
	for _, tc := range []struct {
		name string
		got  Mask
		want Mask
	}{
		{"座席通话后看电话", MaskOf(Agent, Normal, FieldPhone), Masked},
		{"座席通话中看电话", MaskInCall(Agent, Normal, FieldPhone), Clear},
		{"座席受理举报", MaskInCall(Agent, Informant, FieldName), Clear},
		{"座席受理后看举报", MaskOf(Agent, Informant, FieldContent), Absent},
		{"派单员看举报文本", MaskOf(Dispatcher, Informant, FieldContent), Masked},
		{"派单员看举报人", MaskOf(Dispatcher, Informant, FieldName), Absent},
		{"回访员看姓名", MaskOf(Callback, Normal, FieldName), Masked},
		{"回访员看电话", MaskOf(Callback, Normal, FieldPhone), Token},
		{"经办人看内容", MaskOf(Handler, Normal, FieldContent), Masked},
		{"经办人凭理由看电话", RevealMask(Handler, Normal), Clear},
		{"经办人凭理由看保密件", RevealMask(Handler, Confidential), Token},
		{"专办员密封记录", RevealMask(Cell, Informant), Clear},
		{"市民未核验看举报内容", MaskOf(Citizen, Informant, FieldContent), Absent},
		{"市民核验后看举报内容", MaskInCall(Citizen, Informant, FieldContent), Clear},
		{"审计员", MaskOf(Auditor, Normal, FieldContent), Absent},
		{"个人信息负责人看内容", MaskOf(Privacy, Normal, FieldContent), Absent},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, tc.got.Word(), tc.want.Word())
		}
	}
}

func TestMenus(t *testing.T) {
	for _, r := range Roles() {
		m := Menus(r)
		if r.Staff() != (len(m) > 0) {
			t.Errorf("%s: %d menus", r, len(m))
		}
		if r.Staff() && len(m) < 2 {
			t.Errorf("%s: nothing but the home page", r)
		}
	}
	for i := range menuTable {
		for _, r := range menuTable[i].roles {
			if !MayOpen(r, menuTable[i].Key) {
				t.Errorf("%s is listed for %s but lacks %s", r, menuTable[i].Label, menuTable[i].need)
			}
		}
	}
	if MayOpen(Agent, "audit") || !MayOpen(Auditor, "audit") {
		t.Error("审计查询 is for the auditor")
	}
}

func TestWriteMatrix(t *testing.T) {
	var b bytes.Buffer
	if err := WriteMatrix(&b); err != nil {
		t.Fatal(err)
	}
	doc := b.String()
	for i := range Table {
		if !strings.Contains(doc, "| "+Table[i].Label+" | `"+string(Table[i].Role)+"` |") {
			t.Errorf("%s is missing", Table[i].Label)
		}
		for _, v := range Table[i].Verbs {
			if v.Word() == "" {
				t.Errorf("verb %s has no word", v)
			}
		}
		if Table[i].Scope.Word() == "" {
			t.Errorf("scope %s has no word", Table[i].Scope)
		}
	}
	for _, l := range letters {
		if l.Verb.Word() == "" {
			t.Errorf("verb %s has no word", l.Verb)
		}
	}
}
