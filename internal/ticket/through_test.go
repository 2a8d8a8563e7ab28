package ticket

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
)

// Whichever index it begins with, a list of the province is the one that looking at
// every ticket gives, and its pages neither repeat nor miss one.
func TestListsAreTheSameThroughEveryIndex(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		desk := w.who(access.Dispatcher, "P420100")
		rnd := rand.New(rand.NewPCG(12345, 3))
		pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
		units := []int64{w.units["D420100-chengguan"].ID, w.units["D420100-shuiwu"].ID}
		for range 60 {
			c.Advance(17 * time.Minute)
			got := w.create(func(n *Intake) {
				n.Type, n.Category, n.Region = pick("投诉", "求助"), pick("040101", "040102", "050101"), pick("420111", "420111001", "420106", "420100")
			})
			if rnd.IntN(2) == 0 {
				w.must(desk, got.ID, "dispatch", map[string]any{"unit": units[rnd.IntN(2)]})
			}
		}
		who := w.who(access.Province, "P420000")
		page := func(f Filter) (all []*Ticket) {
			t.Helper()
			f.Limit = 7
			for {
				rows, next, err := w.s.List(t.Context(), who, access.ScopeIn(w.s.Org.Tree(), who), f)
				if err != nil {
					t.Fatalf("%+v: %v", f, err)
				}
				for _, r := range rows {
					all = append(all, r.Ticket)
				}
				if f.Cursor = next; next == "" {
					return all
				}
			}
		}
		every := page(Filter{})
		if len(every) != 60 {
			t.Fatalf("%d tickets", len(every))
		}
		for range 500 {
			f := Filter{Type: pick("", "投诉"), Category: pick("", "", "040101", "040100", "040000", "050101"), Region: pick("", "", "420111", "420111001", "4201", "420106"), Status: pick("", "", ToDispatch, Handling, Open)}
			if rnd.IntN(3) == 0 {
				f.Unit = units[rnd.IntN(2)]
			}
			if rnd.IntN(3) == 0 {
				f.From = every[rnd.IntN(60)].Accepted
			}
			if rnd.IntN(3) == 0 {
				f.To = every[rnd.IntN(60)].Accepted
			}
			var want, got []string
			for _, x := range every {
				if (f.Type == "" || x.Type == f.Type) && (f.Status == "" || x.Status == f.Status || f.Status == Open && IsOpen(x.Status)) && (f.Unit == 0 || x.Unit == f.Unit) && x.Accepted >= f.From && (f.To == 0 || x.Accepted < f.To) && strings.HasPrefix(x.Region, f.Region) && strings.HasPrefix(x.Category, stem(f.Category)) {
					want = append(want, fmt.Sprint(x.ID))
				}
			}
			for _, x := range page(f) {
				got = append(got, fmt.Sprint(x.ID))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%+v through %d: %v, want %v", f, throughOf(f), got, want)
			}
		}
	})
}
