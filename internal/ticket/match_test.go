package ticket

import (
	"fmt"
	"testing"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/zh"
)

// Search, the mark of 督办 and the badges are the same on both engines and stay
// within the scope.
func TestMatchAndCountOnBothEngines(t *testing.T) {
	words := db.Text("ticket_words")
	dbtest.Each(t, append(schemas(), words.Schema()), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		w.s.Words = &words
		one, other := w.create(nil), w.create(func(n *Intake) {
			n.Title, n.Content = "路灯不亮", "锦程中路路灯不亮，晚上出行不便。"
		})
		for _, id := range []int64{one.ID, other.ID} {
			if err := d.Update(t.Context(), func(tx *db.Tx) error {
				text, _, err := w.s.IndexText(tx, id)
				if err == nil {
					err = words.Put(tx, id, zh.Grams(text))
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		desk, unit := w.who(access.Dispatcher, "P420100"), w.who(access.Handler, "D420100-shuiwu")
		list := func(who access.Actor, f Filter) string {
			t.Helper()
			rows, _, err := w.s.List(t.Context(), who, access.ScopeIn(w.s.Org.Tree(), who), f)
			if err != nil {
				t.Fatal(err)
			}
			out := ""
			for _, r := range rows {
				out += fmt.Sprintf(" %d", r.Ticket.ID)
			}
			return out
		}
		only := fmt.Sprintf(" %d", one.ID)
		n := one.Number
		for _, q := range []string{"施工噪声", n, n[len(n)-4:], n[len(n)-7:], "噪声 凌晨"} {
			for _, queue := range []string{"all", "to_dispatch"} {
				if got := list(desk, Filter{Queue: queue, Query: q}); got != only {
					t.Errorf("%s %q:%s, want%s", queue, q, got, only)
				}
			}
			if got := list(unit, Filter{Queue: "all", Query: q}); got != "" {
				t.Errorf("%q out of scope:%s", q, got)
			}
		}
		count := func(queue string) int64 {
			t.Helper()
			cs, err := w.s.Counts(t.Context(), access.ScopeIn(w.s.Org.Tree(), desk), []string{queue})
			if err != nil {
				t.Fatal(err)
			}
			return cs[0].N
		}
		if a, b, c := count("to_dispatch"), count("dispatch_overdue"), count("sup_open"); a != 2 || b != 0 || c != 0 {
			t.Errorf("%d %d %d", a, b, c)
		}
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			x, err := w.s.loadToChange(tx, one.ID)
			if err != nil {
				return err
			}
			was := x.Version
			x.Watch, x.Version = 1, was+1
			step := &work{s: w.s, tx: tx, t: x, now: tx.NowMS()}
			moved := step.stand(w.s.Org.Tree())
			if err := x.update(tx, was); err != nil {
				return err
			}
			return moved.send(tx, x)
		}); err != nil {
			t.Fatal(err)
		}
		if got := list(desk, Filter{Queue: "sup_open"}); got != only || count("sup_open") != 1 || count("rework") != 0 {
			t.Errorf("under supervision:%s, counted %d", got, count("sup_open"))
		}
	})
}
