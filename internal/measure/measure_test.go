package measure

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/policy"
	"hotline/internal/ticket"
)

// period is the days of the scripted history.
func period(q Query) Query {
	q.From = time.Date(2026, 11, 23, 0, 0, 0, 0, clock.Shanghai)
	q.To = q.From.AddDate(0, 0, 42)
	return q
}

// The measures of a scripted history, each number checked by hand.
func TestMeasuresOfAHistory(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		w.history()
		w.count()
		ctx := context.Background()
		v := w.m.ViewerOf(w.Who(access.Supervisor, "P420100"))
		for _, tt := range []struct {
			name             string
			num, den, rawDen int64
			excluded         int64
		}{
			{"received", 11, 11, 12, 1},
			{"direct_rate", 1, 11, 12, 1},
			{"cited_rate", 1, 1, 1, 0},
			{"repeat_rate", 1, 11, 12, 1},
			{"first_accuracy", 8, 9, 9, 0},
			{"moves", 9, 8, 8, 0}, // c was sent on once
			{"return_rate", 2, 12, 12, 0},
			{"denied_rate", 1, 12, 12, 0},
			{"ontime_rate", 8, 10, 10, 0}, // d and x ran over
			{"extend_rate", 1, 8, 8, 0},
			{"redo_rate", 1, 8, 8, 0},
			{"contact_rate", 7, 7, 7, 0}, // nobody to contact behind f
			{"solved_rate", 5, 7, 7, 0},
			{"satisfied_rate", 5, 6, 7, 1}, // s leaves satisfaction only
			{"callback_rate", 7, 8, 8, 0},
			{"closed", 8, 8, 8, 0},
		} {
			got, err := w.m.Value(ctx, v, period(Query{Name: tt.name, By: ByDay}))
			if err != nil {
				t.Fatal(err)
			}
			f := got.Total.Figure
			if f.Num != tt.num || f.Den != tt.den || f.RawDen != tt.rawDen || f.Excluded != tt.excluded {
				t.Errorf("%s: %d/%d raw %d excluded %d, want %d/%d raw %d excluded %d", tt.name, f.Num, f.Den, f.RawDen, f.Excluded, tt.num, tt.den, tt.rawDen, tt.excluded)
			}
		}
		if _, overdue, err := w.m.Now(ctx, v); err != nil || overdue != 2 {
			t.Errorf("overdue %d %v", overdue, err)
		}
		got, err := w.m.Recount(ctx, nil)
		if err != nil || got.Diff() != 0 || got.Tickets != 15 {
			t.Fatalf("recount %+v %v", got, err)
		}
		checkBehind(t, w, v)
		checkBehind(t, w, w.m.ViewerOf(w.Who(access.Province, "P420000")))
		checkPaths(t, w)
		if _, err := d.Clock(), d.Update(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE stat_day SET n_closed = n_closed + 1 WHERE axis = 'u' AND n_closed > 0`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if got, err = w.m.Recount(ctx, nil); err != nil || got.Cells == 0 {
			t.Fatalf("a wrong counter was not found: %+v %v", got, err)
		}
		if err := w.m.Rebuild(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err = w.m.Recount(ctx, nil); err != nil || got.Diff() != 0 {
			t.Fatalf("after rebuild %+v %v", got, err)
		}
	})
}

// Every number opens exactly its tickets (legs of one ticket open it once).
func checkBehind(t *testing.T, w *world, v Viewer) {
	ctx := context.Background()
	for _, d := range w.m.Definitions(policy.Province).Measures {
		if d.perHead() || d.Name == "return_rate" || d.Name == "denied_rate" || d.Name == "sign_rate" { // several units of one ticket
			continue
		}
		for _, by := range []string{ByDay, ByRegion, ByType, ByCategory, ByUnit} {
			a, err := w.m.Value(ctx, v, period(Query{Name: d.Name, By: by}))
			if err != nil {
				t.Fatal(err)
			}
			var sum int64
			for _, it := range a.Items {
				sum += it.Den
				behind, err := w.m.Tickets(ctx, v, period(Query{Name: d.Name, By: by}), it.Key, "", 200)
				if err != nil {
					t.Fatal(err)
				}
				legs := int64(len(behind.IDs))
				if behind.Total != legs {
					t.Errorf("%s by %s %s: %d tickets said, %d listed", d.Name, by, it.Key, behind.Total, legs)
				}
				if legs != it.Den && legs != it.Den-1 { // b has two legs
					t.Errorf("%s by %s %s: %d tickets behind %d", d.Name, by, it.Key, legs, it.Den)
				}
			}
			if sum != a.Total.Den {
				t.Errorf("%s by %s: items %d, total %d", d.Name, by, sum, a.Total.Den)
			}
		}
	}
}

// What is known only to the city or the province, or has no category yet, is a
// line of its own and opens no other tickets.
func TestTheUnknownPlaceOpensItsOwn(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) { theUnknownPlace(t, newWorld(t, d, c)) })
}

func theUnknownPlace(t *testing.T, w *world) {
	for _, at := range []string{"420100", "420111003", "420111003", "420000"} {
		w.Create("P420100", func(n *ticket.Intake) {
			n.Region = at
			if at == "420100" {
				n.Category = ""
			}
		})
	}
	w.count()
	for _, tt := range []struct {
		who, by, key, name string
		want               int64
	}{
		{"P420100", ByRegion, "420100", "区县待核", 1},
		{"P420100", ByRegion, "420111", "洪山区", 2},
		{"P420000", ByRegion, "420100", "武汉市", 3},
		{"P420000", ByRegion, "420000", "市州待核", 1},
		{"P420100", ByCategory, "none", "未分类", 1},
	} {
		v := w.m.ViewerOf(w.Who(access.Supervisor, tt.who))
		q := period(Query{Name: "received", By: tt.by})
		a, err := w.m.Value(t.Context(), v, q)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(a.Items, func(x Item) bool { return x.Key == tt.key })
		if i < 0 || a.Items[i].Name != tt.name || a.Items[i].Num != tt.want {
			t.Fatalf("%s sees no line of %s with %d: %+v", tt.who, tt.name, tt.want, a.Items)
		}
		if b, err := w.m.Tickets(t.Context(), v, q, tt.key, "", 50); err != nil || b.Total != tt.want || int64(len(b.IDs)) != tt.want {
			t.Errorf("%s opens %s with %d: %+v %v", tt.who, tt.name, tt.want, b, err)
		}
	}
}

// Counters and rows give the same answer: what one axis cannot answer is summed
// from the rows.
func checkPaths(t *testing.T, w *world) {
	ctx := context.Background()
	tree := w.Tickets.Org.Tree()
	for _, root := range []string{"P420000", "P420100", "C420111", "D420100-shuiwu"} {
		v := Viewer{Tree: tree, Root: w.Units[root].ID, Region: w.Units[root].Region}
		for _, d := range w.m.Definitions(policy.Province).Measures {
			q := period(Query{Name: d.Name})
			sp, err := w.m.span(v, q)
			if err != nil {
				t.Fatal(err)
			}
			fast, err := w.m.groups(ctx, sp, ByDay, d.needs())
			if err != nil {
				t.Fatal(err)
			}
			slow, err := w.m.rowsOf(ctx, sp, ByDay, d.needs())
			if err != nil {
				t.Fatal(err)
			}
			var a, b vec
			for _, g := range fast {
				a.add(g.v)
			}
			for _, g := range slow {
				b.add(g.v)
			}
			if x, y := d.figure(&a, 1), d.figure(&b, 1); x.Num != y.Num || x.Den != y.Den || x.RawNum != y.RawNum {
				t.Errorf("%s at %s: counters %d/%d, rows %d/%d", d.Name, root, x.Num, x.Den, y.Num, y.Den)
			}
		}
	}
}

// A batch of one event and a batch of all give the same counts, and a second
// run of the follower changes nothing.
func TestFollowerIsIndifferentToBatches(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	w.history()
	ctx := context.Background()
	if _, err := w.m.Log.SealNow(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.m.Log.FollowOnce(ctx, follower, 1, w.m.absorb); err != nil {
		t.Fatal(err)
	}
	if got, err := w.m.Recount(ctx, nil); err != nil || got.Diff() != 0 {
		t.Fatalf("%+v %v", got, err)
	}
	if n, err := w.m.CatchUp(ctx); err != nil || n != 0 {
		t.Fatalf("counted %d again: %v", n, err)
	}
}

// The leader's page, the map and the screen read counters alone.
func TestBoards(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		for range 3 {
			w.Create("P420100", nil)
		}
		for range 6 {
			w.Create("P420500", nil)
		}
		w.count()
		ctx := context.Background()
		leader := w.m.ViewerOf(w.Who(access.Leader, "P420500"))
		b, err := w.m.Screen(ctx, leader)
		if err != nil {
			t.Fatal(err)
		}
		if b.Hours[10] != 9 || *b.Tiles[0].Value != 9 || len(b.Cities) != 17 || b.Cities[0].Code != "420100" || b.Lag != 0 {
			t.Fatalf("hours %v tiles %v cities %d", b.Hours, *b.Tiles[0].Value, len(b.Cities))
		}
		if wuhan := b.Cities[0]; !wuhan.Hidden || wuhan.Count != 0 {
			t.Errorf("a cell of 3 elsewhere is shown to a leader: %+v", wuhan)
		} else if wuhan.Open != nil || wuhan.Overdue == nil || *wuhan.Overdue != 0 {
			t.Errorf("three open tickets are kept back, no overdue one is said: %+v", wuhan)
		}
		spots, err := w.m.Map(ctx, w.m.ViewerOf(w.Who(access.Province, "P420000")), "county", "420100", Per10k, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spots {
			if want := 3 / float64(s.Population) * 10000; s.Code == "420111" && (s.Count != 3 || math.Abs(*s.Value-want) > 1e-9) {
				t.Errorf("洪山 %+v", s)
			}
		}
		fams, err := w.m.Families(ctx, leader)
		if err != nil || len(fams) != 3 || *fams["接"][0].Today != 6 {
			t.Fatalf("%+v %v", fams, err)
		}
		days, err := w.m.Trend(ctx, leader, 14)
		if err != nil || days[13].Received != 6 || days[12].Received != 0 {
			t.Fatalf("%+v %v", days, err)
		}
		if p, err := w.m.Portal(ctx); err != nil || p.Accepted != 9 || p.Handling != 9 || p.OnTimePct >= 0 {
			t.Fatalf("%+v %v", p, err)
		}
	})
}

// A viewer counts his own part of the organisation and no other.
func TestScopeOfNumbers(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	w.Create("P420100", nil)
	w.Create("P420500", nil)
	w.count()
	ctx := context.Background()
	yc := w.m.ViewerOf(w.Who(access.Supervisor, "P420500"))
	if a, err := w.m.Value(ctx, yc, Query{Name: "received"}); err != nil || a.Total.Num != 1 {
		t.Fatalf("%+v %v", a.Total, err)
	}
	if _, err := w.m.Value(ctx, yc, Query{Name: "received", Unit: w.Units["P420100"].ID}); err == nil {
		t.Fatal("another city's numbers were given")
	}
	for _, q := range []Query{{Name: "nothing"}, {Name: "received", By: "moon"}, {Name: "received", From: c.Now(), To: c.Now().AddDate(0, 0, -1)}, {Name: "received", From: c.Now().AddDate(-9, 0, 0)}} {
		if _, err := w.m.Value(ctx, yc, q); err == nil {
			t.Errorf("%+v was answered", q)
		}
	}
}

// Definitions are data, and data that counts nothing is refused.
func TestDefinitions(t *testing.T) {
	defs, err := Parse(kpiJSON)
	if err != nil || len(defs.Measures) < 10 {
		t.Fatal(err)
	}
	for _, doc := range []string{`{`, `{}`, `null`, `{"measures":[]}`, `{"measures":[{"name":"x","label":"某","family":"办","num":["moon"]}]}`, `{"measures":[{"name":"x","label":"某","family":"吃","num":["closed"]}]}`, `{"measures":[{"label":"某","family":"办","num":["closed"]}]}`} {
		if _, err := Parse([]byte(doc)); err == nil {
			t.Errorf("%s was accepted", doc)
		}
	}
}
