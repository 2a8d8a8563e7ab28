package ticket

import (
	"context"
	"testing"

	"hotline/internal/access"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
)

// People of a vendor answer and call; the main business is not theirs.
func TestContractorsDoNotHandle(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made := w.create(nil)
	vendor := w.who(access.Dispatcher, "P420100")
	vendor.Contractor = true
	w.refuse("action_forbidden", vendor, made.ID, "dispatch", map[string]any{"unit": w.units["D420100-chengguan"].ID})
	w.must(vendor, made.ID, "note", map[string]any{"text": "已电话核对地址。"})
	offers, _ := w.s.Offers(w.load(made.ID), vendor)
	for _, o := range offers {
		if !contractorSteps[o.Name] {
			t.Errorf("%s is offered to outsourced staff", o.Name)
		}
	}
}

// One person alone never opens the identity behind a 举报.
func TestInformantNeedsSecondPerson(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made := w.create(func(n *Intake) { n.Type = "举报" })
	for _, role := range []access.Role{access.Cell, access.Dispatcher, access.Agent} {
		actor := w.who(role, "P420100")
		if v, err := w.s.Reveal(context.Background(), actor, made.ID, access.FieldPhone, "contact", "", ""); err == nil || v.Value() != "" || fault.KindOf(err) == fault.KindInternal {
			t.Errorf("%s: %v", role, err)
		}
	}
}
