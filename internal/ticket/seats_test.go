package ticket

import (
	"context"
	"testing"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
)

// A request that came by the web is nobody's until a seat takes it up; from
// then on that seat keeps its sight of it, and so does the next one that mends
// it after 退回补正.
func TestSeatKeepsSightOfWhatItTookUp(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		seat := w.who(access.Agent, "P420100")
		other := seat
		other.Account++
		web := w.create(func(n *Intake) { n.Channel, n.Status = "web", Received }).ID
		mine := func(who access.Actor) bool {
			for _, r := range w.queue(who, "mine") {
				if r.Ticket.ID == web {
					return true
				}
			}
			return false
		}
		see := func(when string, first, second bool) {
			t.Helper()
			if mine(seat) != first || mine(other) != second {
				t.Errorf("%s: first %v, second %v", when, mine(seat), mine(other))
			}
		}
		see("nobody has it", false, false)
		w.must(seat, web, "accept", nil)
		see("accepted", true, false)
		desk := w.who(access.Dispatcher, "P420100")
		w.must(desk, web, "sendback", map[string]any{"fix": "请补充事发地的门牌。"})
		w.must(other, web, "accept", nil)
		see("mended by another", true, true)
		w.must(desk, web, "dispatch", map[string]any{"unit": w.units["D420100-chengguan"].ID})
		see("dispatched by the desk, which is no seat", true, true)
		if n := len(w.load(web).Detail.Seats); n != 2 {
			t.Errorf("%d seats", n)
		}
		hidden := w.create(func(n *Intake) { n.Channel, n.Status = "web", Received }).ID
		w.must(other, hidden, "relabel", map[string]any{"label": "confidential", "reason": "诉求人要求隐藏身份。"})
		w.must(other, hidden, "accept", nil) // it is the seat's own now
		waits := w.create(func(n *Intake) { n.Channel, n.Status, n.Secrecy = "web", Received, SecrecyUnit }).ID
		report := w.create(func(n *Intake) { n.Channel, n.Status, n.Type = "web", Received, "举报" }).ID
		if _, err := w.s.Get(context.Background(), other, waits); err != nil {
			t.Error("what waits for any seat does not open:", err)
		}
		if _, err := w.s.Get(context.Background(), other, report); err == nil {
			t.Error("a seat opens a 举报 of the web")
		}
		phone := w.create(nil).ID
		if w.load(phone).Detail.Seats != nil {
			t.Error("a dictated ticket is its maker's already")
		}
	})
}
