package knowledge

import (
	"errors"
	"slices"
	"testing"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/ticket"
)

func TestWhoMayWriteWhat(t *testing.T) {
	each(t, func(w *world) {
		s := w.s
		other := w.who(access.KBEditor, "D420100-chengguan", "城管编辑")
		elsewhere := w.who(access.KBAdmin, "P420600", "襄阳管理")
		province := w.who(access.KBAdmin, "P420000", "省管理")
		_, err := s.Create(ctx, w.agent(), w.text(nil))
		w.refused(err, "role_forbidden")
		_, err = s.Create(ctx, other, w.text(nil)) // for another department
		w.refused(err, "knowledge_not_yours")
		a, err := s.Create(ctx, w.editor(), w.text(func(t *Text) { t.Unit = 0 })) // its own by default
		w.ok(err)
		if a.Unit != w.editor().Unit {
			t.Errorf("unit %d", a.Unit)
		}
		_, err = s.Create(ctx, w.admin(), w.text(nil))
		w.refused(err, "knowledge_title_taken")
		_, err = s.Create(ctx, elsewhere, w.text(nil)) // another platform may use the title
		w.ok(err)

		_, err = s.Save(ctx, other, a.ID, a.Version, w.text(nil))
		w.refused(err, "knowledge_not_yours")
		_, err = s.Save(ctx, elsewhere, a.ID, a.Version, w.text(nil))
		w.refused(err, "knowledge_not_found")
		_, err = s.Get(ctx, elsewhere, a.ID)
		w.refused(err, "knowledge_not_found")
		if _, err := s.Get(ctx, province, a.ID); err != nil {
			t.Errorf("the province does not see a city's draft: %v", err)
		}

		// Two people act on one version: one wins, the other hears what changed.
		b, err := s.Save(ctx, w.admin(), a.ID, a.Version, w.text(func(t *Text) { t.Source = "另一份文件" }))
		w.ok(err)
		_, err = s.Save(ctx, w.editor(), a.ID, a.Version, w.text(nil))
		w.refused(err, "version_conflict")
		var e *fault.Error
		if errors.As(err, &e) {
			if m := e.Data.(ticket.Moved); m.Version != b.Version || len(m.Changed) != 1 || m.Changed[0].Label != "保存" {
				t.Errorf("what changed: %+v", m)
			}
		}
		_, err = s.Publish(ctx, w.second(), a.ID, b.Version, "")
		w.refused(err, "knowledge_state")
		_, err = s.Do(ctx, w.admin(), a.ID, b.Version, "burn", "")
		w.refused(err, "knowledge_action_unknown")
		d, err := s.Submit(ctx, w.editor(), a.ID, b.Version, "")
		w.ok(err)
		_, err = s.Save(ctx, w.editor(), a.ID, d.Article.Version, w.text(nil))
		w.refused(err, "knowledge_state")

		// A draft that nobody wants is put away without ever having been published.
		d, err = s.Offline(ctx, w.second(), a.ID, d.Article.Version, "内容重复")
		w.ok(err)
		_, err = s.Get(ctx, w.agent(), a.ID)
		w.refused(err, "knowledge_not_found")
		if _, err = s.Revise(ctx, w.editor(), a.ID, d.Article.Version); err != nil {
			t.Errorf("bring it back: %v", err)
		}
	})
}

func TestListsByStateAndPage(t *testing.T) {
	each(t, func(w *world) {
		for _, title := range []string{"甲类问题办理指南", "乙类问题办理指南", "丙类问题办理指南"} {
			w.publish(func(t *Text) { t.Title = title })
		}
		draft, err := w.s.Create(ctx, w.editor(), w.text(func(t *Text) { t.Title, t.Path = "丁类草稿停车收费", "交通出行/停车_收费%" }))
		w.ok(err)
		all := map[string]bool{}
		cursor := ""
		for range 10 {
			rows, next, err := w.s.List(ctx, w.admin(), Filter{Limit: 3, Cursor: cursor})
			w.ok(err)
			for _, r := range rows {
				if all[r.Title] {
					t.Errorf("%s twice", r.Title)
				}
				all[r.Title] = true
			}
			if cursor = next; next == "" {
				break
			}
		}
		if len(all) != 4 {
			t.Errorf("listed %v", all)
		}
		for _, x := range []struct {
			who  access.Actor
			f    Filter
			want int
		}{
			{w.agent(), Filter{}, 3}, {w.agent(), Filter{State: Draft}, 0}, {w.agent(), Filter{State: Expired}, 0}, {w.admin(), Filter{State: Draft}, 1},
			{w.admin(), Filter{State: Published}, 3}, {w.agent(), Filter{Path: "医疗保障"}, 3}, {w.agent(), Filter{Path: "医疗"}, 0}, {w.admin(), Filter{Path: "交通出行/停车_收费%"}, 1},
			{w.admin(), Filter{Query: "停车收费"}, 1}, {w.agent(), Filter{Query: "停车收费"}, 0}, {w.agent(), Filter{Query: "乙类问题"}, 1},
			{w.who(access.KBAdmin, "P420600", "襄阳管理"), Filter{}, 0}, {w.who(access.KBAdmin, "P420000", "省管理"), Filter{}, 4},
		} {
			rows, _, err := w.s.List(ctx, x.who, x.f)
			if err != nil || len(rows) != x.want {
				t.Errorf("%s %+v: %d rows, %v; want %d", x.who.Name, x.f, len(rows), err, x.want)
			}
		}
		_, _, err = w.s.List(ctx, w.admin(), Filter{Cursor: "x"})
		w.refused(err, "cursor_invalid")
		c, err := w.s.Paths(ctx, w.agent())
		w.ok(err)
		i := slices.IndexFunc(c.Nodes, func(n *Directory) bool { return n.Name == "医疗保障" })
		if i < 0 || c.Nodes[i].Count != 3 || len(c.Nodes[i].Children) != 1 || c.Nodes[i].Children[0].Count != 3 || c.MayCreate {
			t.Errorf("tree: %+v", c.Nodes)
		}
		if draft.Path != "交通出行/停车_收费%" {
			t.Errorf("path %q", draft.Path)
		}
	})
}

func TestCitationsAreCountedOncePerTicket(t *testing.T) {
	each(t, func(w *world) {
		a := w.publish(nil)
		b := w.publish(func(t *Text) { t.Title = "另一条公开问答" })
		cite := func(ticketID, kb int64) {
			w.ok(w.d.Update(ctx, func(tx *db.Tx) error {
				_, err := w.log.Append(tx, eventlog.Event{Kind: "ticket.answer", SubjectKind: "ticket", SubjectID: ticketID, Data: fmtf(`{"kb":%d,"direct":1}`, kb)})
				return err
			}))
		}
		cite(501, a.ID)
		cite(501, a.ID) // the same ticket again
		cite(502, a.ID)
		cite(503, 99) // no such article
		cite(504, b.ID)
		if _, err := w.log.SealNow(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.FollowOnce(ctx, w.log); err != nil {
			t.Fatal(err)
		}
		w.ok(w.d.Update(ctx, func(tx *db.Tx) error { return w.s.Cite(tx, a.ID, 502) }))
		w.ok(w.s.Viewed(ctx, b.ID))
		hot, err := w.s.Hot(ctx, 5)
		w.ok(err)
		if len(hot) != 2 || hot[0].ID != a.ID || hot[0].Cited != 2 || hot[1].Cited != 1 || hot[1].Views != 1 {
			t.Errorf("hot: %+v", hot)
		}
	})
}

func TestFeedbackIsMaskedAndDoneByTheNextPublication(t *testing.T) {
	each(t, func(w *world) {
		a := w.publish(nil)
		for _, bad := range [][2]string{{"nonsense", "这里的电话打不通"}, {"wrong", "错"}} {
			_, err := w.s.Feedback(ctx, w.agent(), a.ID, bad[0], bad[1])
			w.refused(err, "knowledge_feedback_invalid")
		}
		if _, err := w.s.Feedback(ctx, w.agent(), a.ID, "联系方式失效", "市民13812345678说电话打不通"); err != nil {
			t.Fatal(err)
		}
		said, err := w.s.FeedbackOf(ctx, a.ID)
		w.ok(err)
		if len(said) != 1 || said[0].Kind != "contact" || said[0].KindLabel() != "联系方式失效" || said[0].Done != 0 || said[0].Text == "市民13812345678说电话打不通" {
			t.Errorf("feedback: %+v", said)
		}
		d, err := w.s.Revise(ctx, w.editor(), a.ID, a.Version)
		w.ok(err)
		w.release(d.Article)
		if said, err = w.s.FeedbackOf(ctx, a.ID); err != nil || said[0].Done == 0 {
			t.Errorf("after publication: %+v, %v", said, err)
		}
		_, err = w.s.Feedback(ctx, w.agent(), 12345, "wrong", "这条知识不存在吧")
		w.refused(err, "knowledge_not_found")
	})
}
