package dispatch_test

import (
	"context"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/dispatch"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/ticket"
	"hotline/internal/ticket/tickettest"
)

// A new version of the 派单目录 decides from its effective date; what was
// dispatched before it replays to the same unit (按当时目录回放).
func TestCatalogueAsOf(t *testing.T) {
	dbtest.Each(t, tickettest.Schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := tickettest.New(t, d, c)
		dispatch.RegisterPolicies(w.Policy, w.Org, c)
		s := dispatch.New(w.Org, w.Policy)
		city := w.Units["P420100"].ID
		begun := c.Now()
		at := func(moment time.Time, place string) ticket.Suggestion {
			t.Helper()
			got := s.Suggest(dispatch.Question{Platform: city, Category: "040101", Region: place, At: moment, P: 1})
			if len(got) == 0 {
				t.Fatal("nothing suggested")
			}
			if got[0].Why == "" || got[0].Rule == "" || got[0].Basis == "" {
				t.Errorf("a suggestion without reason, rule or basis: %+v", got[0])
			}
			return got[0]
		}
		before := at(begun, "420111")
		old := &ticket.Ticket{ID: 1, Platform: city, Category: "040101", Region: "420111", Accepted: begun.UnixMilli(), Detail: ticket.Detail{Suggestion: &before}}

		c.Advance(24 * time.Hour)
		doc := `{"rules":[{"id":"W1","category":"040101","region":"420111","unit":"D420100-shuiwu","level":"city","basis":"市政府专题会议纪要"},
 {"id":"W2","category":"040000","duty":"chengguan","level":"city","basis":"城市管理执法办法"}]}`
		err := d.Update(context.Background(), func(tx *db.Tx) error {
			_, err := w.Policy.Publish(tx, policy.Publication{Kind: dispatch.PolicyCatalogue, Doc: []byte(doc), By: 7, Note: "调整职责"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := at(c.Now(), "420111"); got.Unit != w.Units["D420100-shuiwu"].ID || got.Rule != "W1" || got.Catalogue == 0 {
			t.Errorf("the row of the region and the named unit win: %+v", got)
		}
		if got := at(c.Now(), "420102"); got.Unit != w.Units["D420100-chengguan"].ID || got.Rule != "W2" {
			t.Errorf("elsewhere the row of the upper category: %+v", got)
		}
		if got := at(begun, "420111"); got.Unit != before.Unit || got.Rule != before.Rule {
			t.Errorf("yesterday's decision changed: %+v, was %+v", got, before)
		}
		fresh := *old
		fresh.ID, fresh.Accepted = 2, c.Now().UnixMilli()
		same, differ := s.Replay([]*ticket.Ticket{old, &fresh})
		if same != 1 || len(differ) != 1 || differ[0].Ticket != 2 || differ[0].Now != w.Units["D420100-shuiwu"].ID {
			t.Errorf("replay: %d the same, %+v", same, differ)
		}

		// A unit that is closed later was there then; nothing new goes to it.
		c.Advance(time.Hour)
		if err := w.Org.Close(context.Background(), org.By{}, before.Unit, c.Now()); err != nil {
			t.Fatal(err)
		}
		if same, differ := s.Replay([]*ticket.Ticket{old}); same != 1 {
			t.Errorf("after the unit was closed: %+v", differ)
		}
		if got := at(begun, "420111"); got.Unit == before.Unit {
			t.Errorf("a closed unit is proposed: %+v", got)
		}
	})
}

// What was proposed for one matter no longer holds when the matter or the place
// is corrected: the catalogue under which the ticket began is asked anew.
func TestCorrectedMatterIsProposedAnew(t *testing.T) {
	d, c := dbtest.SQLite(t, tickettest.Schemas()...)
	w := tickettest.New(t, d, c)
	dispatch.RegisterPolicies(w.Policy, w.Org, c)
	s := dispatch.New(w.Org, w.Policy)
	w.Tickets.Propose = s.Propose
	proposed := func(id int64) *ticket.Suggestion {
		t.Helper()
		x, err := w.Tickets.Get(context.Background(), w.Who(access.Dispatcher, "P420100"), id)
		if err != nil {
			t.Fatal(err)
		}
		return x.Detail.Suggestion
	}
	id := w.Create("P420100", func(n *ticket.Intake) {
		n.Suggestion = s.Propose(n.Platform, n.Category, n.Region, c.Now())
	})
	first := proposed(id)
	if first == nil || first.Unit != w.Units["D420111-chengguan"].ID {
		t.Fatalf("first %+v", first)
	}
	c.Advance(time.Minute)
	w.Do(w.Who(access.Dispatcher, "P420100"), id, "reclassify", map[string]any{"category": "010106", "reason": "诉求人反映的是道路积水。"})
	second := proposed(id)
	if second == nil || second.Unit == first.Unit || second.Rule != "M010106" || second.At != c.Now().UnixMilli() {
		t.Errorf("after 改类 %+v", second)
	}
	w.Do(w.Who(access.Dispatcher, "P420100"), id, "reclassify", map[string]any{"category": "040101", "region": "420106", "reason": "地点在武昌区。"})
	if third := proposed(id); third == nil || third.Unit != w.Units["D420100-chengguan"].ID {
		t.Errorf("after the place was corrected %+v", third)
	}
	w.Do(w.Who(access.Dispatcher, "P420100"), id, "reclassify", map[string]any{"type": "建议", "reason": "诉求人提的是建议。"})
	if third := proposed(id); third == nil || third.Unit != w.Units["D420100-chengguan"].ID {
		t.Errorf("another type keeps the proposal: %+v", third)
	}
}
