package measure

import (
	"context"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/ticket"
	"hotline/internal/ticket/tickettest"
)

// world is the small province with the room under test.
type world struct {
	*tickettest.World
	m *Service
}

func schemas() []db.Schema { return tickettest.Schemas(Schema()) }

func newWorld(t testing.TB, d *db.DB, c *clock.Virtual) *world {
	w := tickettest.New(t, d, c)
	return &world{w, New(d, w.Log, w.Org, w.Policy, w.Tickets)}
}

func (w *world) count() {
	w.T.Helper()
	w.Follow(w.m.CatchUp)
}

// history is one of everything that moves a measure.
func (w *world) history() {
	wh, yc := "P420100", "P420500"
	cg, sw, hub, hcg, ycg := "D420100-chengguan", "D420100-shuiwu", "C420111", "D420111-chengguan", "D420500-chengguan"
	disp, call := w.Who(access.Dispatcher, wh), w.Who(access.Callback, wh)

	a := w.Create(wh, nil) // the plain loop, satisfied
	w.Clock.Advance(10 * time.Minute)
	w.Do(disp, a, "dispatch", w.Unit(cg))
	w.Handle(a, cg, wh, 2*time.Hour)
	w.Do(call, a, "callback", tickettest.Happy)

	b := w.Create(wh, nil) // unsatisfied, redone, satisfied
	w.Clock.Advance(40 * time.Minute)
	w.Do(disp, b, "dispatch", w.Unit(sw))
	w.Handle(b, sw, wh, time.Hour)
	w.Do(call, b, "callback", tickettest.Unhappy)
	w.Do(w.Who(access.Supervisor, wh), b, "reopen", tickettest.Again)
	w.Handle(b, sw, wh, time.Hour)
	w.Do(call, b, "callback", tickettest.Happy)

	c := w.Create(wh, nil) // wrong unit: returned and sent on
	w.Do(disp, c, "dispatch", w.Unit(cg))
	w.Do(w.Who(access.Handler, cg), c, "return", map[string]any{"return_reason": "not_duty", "basis": "三定规定未列此项职责", "suggested": w.Units[sw].ID})
	w.Do(disp, c, "decide-return", map[string]any{"decision": "pass", "opinion": "同意，改派水务。", "redispatch": w.Units[sw].ID})
	w.Handle(c, sw, wh, time.Hour)
	for range 3 {
		w.Do(call, c, "callback", tickettest.NoAnswer)
		w.Clock.Advance(2 * time.Hour)
	}

	d := w.Create(wh, nil) // a denied return
	w.Do(disp, d, "dispatch", w.Unit(cg))
	w.Do(w.Who(access.Handler, cg), d, "return", map[string]any{"return_reason": "not_duty", "basis": "三定规定未列此项职责", "suggested": w.Units[sw].ID})
	w.Do(disp, d, "decide-return", map[string]any{"decision": "reject", "opinion": "由城管首办。"})

	e := w.Create(wh, nil) // through the county hub
	w.Do(disp, e, "dispatch", w.Unit(hub))
	w.Do(w.Who(access.Dispatcher, hub), e, "sign", nil)
	w.Do(w.Who(access.Dispatcher, hub), e, "delegate", w.Unit(hcg))
	w.Do(w.Who(access.Handler, hcg), e, "sign", nil)
	w.Do(w.Who(access.Handler, hcg), e, "contact", tickettest.Contacted)
	w.Do(w.Who(access.Handler, hcg), e, "extend", map[string]any{"days": 2, "reason": "需要会同检测机构"})
	for _, who := range []access.Actor{w.Who(access.Dispatcher, hub), disp} {
		w.Do(who, e, "decide-extension", map[string]any{"decision": "pass", "opinion": "同意延期。"})
	}
	w.Do(w.Who(access.Handler, hcg), e, "reply", tickettest.Reply)
	w.Do(w.Who(access.UnitLead, hcg), e, "review", tickettest.Pass)
	w.Do(w.Who(access.Dispatcher, hub), e, "review", tickettest.Pass)
	w.Do(disp, e, "close", tickettest.ClosePass)
	w.Do(call, e, "callback", tickettest.Happy)

	w.Create(wh, func(n *ticket.Intake) { // answered at the desk
		n.Type, n.Status, n.Outcome = "咨询", ticket.Closed, ticket.Outcome{Text: "请携带身份证到政务中心办理。", Knowledge: 77}
	})
	w.Create(wh, func(n *ticket.Intake) { n.Type, n.Status = "其他", ticket.Invalid })
	x := w.Create(wh, nil) // left to run over
	w.Do(disp, x, "dispatch", w.Unit(cg))
	f := w.Create(wh, func(n *ticket.Intake) { n.RepeatOf = a; n.Requester.Phone = "" }) // anonymous repeat, 执法办案, closed
	w.Do(disp, f, "dispatch", map[string]any{"unit": w.Units[sw].ID, "nature": "执法办案", "legal": "水法第六十五条"})
	w.Handle(f, sw, wh, time.Hour)
	s := w.Create(wh, nil) // 执法办案, unsatisfied: leaves satisfaction only
	w.Do(disp, s, "dispatch", map[string]any{"unit": w.Units[sw].ID, "nature": "执法办案", "legal": "水法第六十五条"})
	w.Handle(s, sw, wh, time.Hour)
	w.Do(call, s, "callback", tickettest.Unhappy)
	m1, m2 := w.Create(wh, nil), w.Create(wh, nil) // merged: handled once, judged twice
	w.Do(disp, m2, "merge", map[string]any{"main": m1})
	w.Do(disp, m1, "dispatch", w.Unit(cg))
	w.Handle(m1, cg, wh, time.Hour)
	w.Do(call, m1, "callback", tickettest.Happy)
	w.Do(call, m2, "callback", tickettest.Happy)
	y := w.Create(yc, func(n *ticket.Intake) { n.Type = "求助" })
	w.Do(w.Who(access.Dispatcher, yc), y, "dispatch", w.Unit(ycg))
	w.Do(w.Who(access.Dispatcher, yc), y, "reclassify", map[string]any{"type": "建议", "reason": "实为建议事项"})
	z := w.Create(yc, nil)
	w.Do(w.Who(access.Province, "P420000"), z, "escalate", map[string]any{"escalate_mode": "take_over", "reason": "跨市州事项"})

	w.Clock.Advance(40 * 24 * time.Hour)
	for {
		n, err := w.Tickets.Sweep(context.Background(), 100)
		if err != nil {
			w.T.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	old := w.Clock.Now().AddDate(0, 0, -80) // loaded history counts on its own day
	w.Create(yc, func(n *ticket.Intake) { n.At, n.Status, n.Type = old.UnixMilli(), ticket.Closed, "咨询" })
}
