package knowledge

import (
	"testing"
	"time"

	"hotline/internal/db"
)

// What was asked and had no answer is listed for the manager of knowledge by how
// often; it is drafted once, and leaves the list when it is published.
func TestMissedQuestions(t *testing.T) {
	each(t, func(w *world) {
		wh := w.admin().Platform
		for _, q := range []string{"异地就医备案", "异地就医备案怎么办？", "异地就医备案怎么办", "电话13800002671的低保进度", "低保"} {
			w.ok(w.s.Miss(ctx, wh, q))
		}
		w.ok(w.s.Miss(ctx, w.admin().Platform+1, "别的平台问过的事情"))
		list, err := w.s.Misses(ctx, w.admin(), 20)
		w.ok(err)
		if len(list) != 2 || list[0].Words != "异地就医备案怎么办" || list[0].Asked != 2 {
			t.Fatalf("a typed beginning, a phone or a fragment is listed: %+v", list)
		}
		draft := func() (a *Article, err error) {
			err = w.d.Update(ctx, func(tx *db.Tx) (err error) {
				a, err = w.s.DraftMissTx(tx, w.editor(), list[0].Term, func(string) string { return "医疗保障/异地就医" })
				return err
			})
			return a, err
		}
		a, err := draft()
		w.ok(err)
		if a.State != Draft || a.Title != "异地就医备案怎么办" || a.Unit != w.editor().Unit {
			t.Errorf("%+v", a)
		}
		_, err = draft()
		w.refused(err, "knowledge_miss_drafted")
		if list, _ = w.s.Misses(ctx, w.admin(), 20); list[0].Article != a.ID {
			t.Errorf("%+v", list)
		}
		w.c.Advance(time.Minute)
		w.release(a)
		if list, _ = w.s.Misses(ctx, w.admin(), 20); len(list) != 1 {
			t.Errorf("an answered question is still listed: %+v", list)
		}
	})
}
