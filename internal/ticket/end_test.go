package ticket

import (
	"context"
	"maps"
	"strings"
	"testing"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
)

// What is split off, and split off again, opens with the 查询码 that its
// citizen has, and his first ticket says where the point went.
func TestSplitKeepsTheQueryCode(t *testing.T) {
	dbtest.Each(t, schemas(), splitKeeps)
}

func splitKeeps(t *testing.T, d *db.DB, c *clock.Virtual) {
	w := newWorld(t, d, c)
	ctx := context.Background()
	dispatcher := w.who(access.Dispatcher, "P420100")
	photo, err := w.s.Attach(ctx, w.who(access.Agent, "P420100"), Attachment{Name: "路灯.jpg", Kind: "jpg", Size: 1, Ref: "photo"})
	if err != nil {
		t.Fatal(err)
	}
	made := w.create(func(n *Intake) {
		n.Points, n.Attach = []string{"路灯不亮", "井盖松动", "垃圾未清"}, []int64{photo.ID}
	})
	number, code := made.Number, made.QueryCode
	for at := made.ID; ; {
		points := w.load(at).Detail.Points
		if len(points) == 1 {
			break
		}
		var rest []any
		for _, p := range points[1:] {
			rest = append(rest, map[string]any{"no": p.No})
		}
		w.must(dispatcher, at, "split", map[string]any{"point_nos": rest})
		split := w.load(at).Detail.Points
		if split[0].State != "open" || split[1].State != "split" || split[1].Split == number {
			t.Fatalf("%+v", split)
		}
		number = split[1].Split
		got, err := w.s.ByCode(ctx, number, code)
		if err != nil || got.SplitOf != at {
			t.Fatalf("%s: %v", number, err)
		}
		if _, err := w.s.ByCode(ctx, number, "ZZZZZZ"); !fault.Is(err, "progress_not_found") {
			t.Fatalf("any code opens it: %v", err)
		}
		files, err := w.s.Attachments(ctx, got)
		if err != nil || len(files) != 1 || files[0].Ref != "photo" || files[0].ID == photo.ID {
			t.Fatalf("the photo stays behind: %+v %v", files, err)
		}
		at = got.ID
	}
}

// A 协办 that the 主办 did not wait for is let go with the 办结: nobody owes what
// nobody waits for.
func TestCloseLetsTheAssistantGo(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made, dept, helper := w.create(nil), "D420100-chengguan", "D420100-shuiwu"
	dispatcher, handler, aide := w.who(access.Dispatcher, "P420100"), w.who(access.Handler, dept), w.who(access.Handler, helper)
	w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID), "assists": []any{id(w.units[helper].ID)}})
	w.must(handler, made.ID, "sign", nil)
	w.must(aide, made.ID, "sign", nil)
	w.must(handler, made.ID, "contact", contacted)
	forced := maps.Clone(replyFields)
	forced["force_reason"] = "协办单位人员在外，情况已口头核实。"
	w.must(handler, made.ID, "reply", forced)
	w.must(w.who(access.UnitLead, dept), made.ID, "review", pass)
	if n := len(w.queue(aide, InHand)); n != 1 {
		t.Fatalf("before the 办结 the 协办 has %d", n)
	}
	w.must(dispatcher, made.ID, "close", closePass)
	got := w.load(made.ID)
	if len(got.Open()) != 0 || len(w.queue(aide, InHand)) != 0 || len(w.queue(aide, QueueDone)) != 1 {
		t.Errorf("the 协办 still has it: %d open", len(got.Open()))
	}
	for _, k := range got.Clocks {
		if k.Assignment != 0 && k.Running() {
			t.Errorf("%s runs on", k.Kind)
		}
	}
	w.checkInvariants(made.ID)
}

// What a unit answers to each 诉求点 is sealed like every reply; beside it stands
// only the redacted rendition.
func TestAnswersToPointsAreSealed(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made, dept := w.create(func(n *Intake) { n.Points = []string{"路灯不亮", "井盖松动"} }), "D420100-chengguan"
	w.must(w.who(access.Dispatcher, "P420100"), made.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID)})
	w.must(w.who(access.Handler, dept), made.ID, "sign", nil)
	w.must(w.who(access.Handler, dept), made.ID, "contact", contacted)
	fields := maps.Clone(replyFields)
	const answer = "已修复，如有问题请联系维修员张三丰13812342671。"
	fields["point_results"] = []any{map[string]any{"no": 1, "result": answer}, map[string]any{"no": 2, "result": "井盖已固定。"}}
	w.must(w.who(access.Handler, dept), made.ID, "reply", fields)
	got := w.load(made.ID)
	if p := got.Detail.Points[0]; strings.Contains(p.Result, "13812342671") || !strings.Contains(p.Result, "已修复") || p.Said == 0 {
		t.Errorf("beside the ticket stands %+v", p)
	}
	lines, err := w.s.Timeline(t.Context(), got, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		for _, x := range l.Texts {
			if x.ID == got.Detail.Points[0].Said && x.Text == answer {
				return
			}
		}
	}
	t.Error("the citizen cannot read the whole answer")
}
