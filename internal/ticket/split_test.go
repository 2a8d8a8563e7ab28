package ticket

import (
	"context"
	"testing"

	"hotline/internal/access"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
)

// What is split off, and split off again, opens with the 查询码 that its
// citizen has, and his first ticket says where the point went.
func TestSplitKeepsTheQueryCode(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	ctx := context.Background()
	dispatcher := w.who(access.Dispatcher, "P420100")
	made := w.create(func(n *Intake) { n.Points = []string{"路灯不亮", "井盖松动", "垃圾未清"} })
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
		at = got.ID
	}
}
