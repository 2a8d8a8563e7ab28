package ticket

import (
	"testing"

	"hotline/internal/access"
	"hotline/internal/db/dbtest"
)

// A 举报, and what is to be kept from the accused, reaches the accused unit by no
// way: 派单, 协办, 改派 or 下派.
func TestTheAccusedUnitGetsNothing(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	unit := func(code string) any { return id(w.units[code].ID) }
	city, cg, sw := w.who(access.Dispatcher, "P420100"), "D420100-chengguan", "D420100-shuiwu"
	for _, secrecy := range []string{SecrecyUnit, SecrecyAccused} {
		made := w.create(func(n *Intake) {
			n.Secrecy, n.Object = secrecy, w.units[cg].Name+"执法二中队"
			if secrecy == SecrecyUnit {
				n.Type = "举报"
			}
		})
		denied := func(who access.Actor, act string, fields map[string]any) {
			t.Helper()
			w.refuse("conflict_of_interest", who, made.ID, act, fields)
		}
		denied(city, "dispatch", map[string]any{"unit": unit(cg)})
		denied(city, "dispatch", map[string]any{"unit": unit(sw), "assists": []any{unit(cg)}})
		w.must(city, made.ID, "dispatch", map[string]any{"unit": unit(sw)})
		denied(city, "assist", map[string]any{"assist_unit": unit(cg)})
		w.must(w.who(access.Handler, sw), made.ID, "return", back2(w))
		denied(city, "decide-return", map[string]any{"decision": "pass", "opinion": "同意。", "redispatch": unit(cg)})
		w.must(city, made.ID, "decide-return", map[string]any{"decision": "pass", "opinion": "同意。", "redispatch": unit("C420111")})
	}
	open := w.create(func(n *Intake) { n.Object = w.units[cg].Name })
	w.must(city, open.ID, "dispatch", map[string]any{"unit": unit(cg)})
}
