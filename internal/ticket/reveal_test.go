package ticket

import (
	"context"
	"sync"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
	"hotline/internal/policy"
)

// office is a world with the account policy and two officers of the city.
type office struct {
	*world
	cell, privacy, province access.Actor
}

func newOffice(t *testing.T, d *db.DB, c *clock.Virtual) *office {
	w := newWorld(t, d, c)
	w.s.Access = access.New(d, w.s.Org, w.s.Policy, w.s.Audit, c)
	o := &office{world: w, cell: w.who(access.Cell, "P420100"), privacy: w.who(access.Privacy, "P420100"), province: w.who(access.Privacy, "P420000")}
	for i, a := range []*access.Actor{&o.cell, &o.privacy, &o.province} {
		acc, err := w.s.Access.CreateAccount(context.Background(), access.System("test"), access.NewAccount{Username: string(rune('a'+i)) + "1", Name: "人", Role: a.Role, Unit: a.Unit})
		if err != nil {
			t.Fatal(err)
		}
		a.Account = acc.ID
	}
	return o
}

func officeSchemas() []db.Schema { return append(schemas(), access.Schema()) }

func (o *office) report() Created {
	return o.create(func(n *Intake) { n.Type = "举报" })
}

const because = "核对举报人身份后组织现场核查"

func (o *office) ask(id int64, field string) (*RevealRequest, error) {
	return o.s.RequestReveal(context.Background(), o.cell, id, field, "identity", because, "192.0.2.1")
}

func (o *office) decide(who access.Actor, id int64, approve bool) error {
	_, err := o.s.DecideReveal(context.Background(), who, id, approve, "理由充分，同意。", "192.0.2.1")
	return err
}

func (o *office) see(who access.Actor, id int64, field string) (string, error) {
	v, err := o.s.Reveal(context.Background(), who, id, field, "identity", "", "192.0.2.1")
	return v.Value(), err
}

func (o *office) refused(code string, err error) {
	o.t.Helper()
	if !fault.Is(err, code) {
		o.t.Errorf("got %v, want %s", err, code)
	}
}

// trail is the operations and outcomes of the audit about a ticket.
func (o *office) trail(id int64) (out []string) {
	o.t.Helper()
	rows, _, err := o.s.Audit.Search(context.Background(), audit.Filter{SubjectKind: "ticket", Subject: id}, 100)
	if err != nil {
		o.t.Fatal(err)
	}
	for i := len(rows) - 1; i >= 0; i-- {
		out = append(out, rows[i].Op+" "+rows[i].Outcome)
	}
	return out
}

// Nobody opens what a 举报 hides alone; two do, once, and every step is kept.
func TestSealedDataNeedsTwo(t *testing.T) {
	dbtest.Each(t, officeSchemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		o := newOffice(t, d, c)
		r := o.report()
		_, err := o.see(o.cell, r.ID, access.FieldPhone)
		o.refused("second_person_needed", err)
		_, err = o.s.RequestReveal(context.Background(), o.cell, r.ID, access.FieldPhone, "identity", "太短", "")
		o.refused("reason_needed", err)
		_, err = o.s.RequestReveal(context.Background(), o.who(access.Dispatcher, "P420100"), r.ID, access.FieldPhone, "identity", because, "")
		o.refused("reveal_forbidden", err)
		_, err = o.s.RequestReveal(context.Background(), o.privacy, r.ID, access.FieldPhone, "identity", because, "")
		o.refused("ticket_not_found", err)

		q, err := o.ask(r.ID, access.FieldPhone)
		if err != nil || q.State != RevealPending || q.Reason != because || q.Number != r.Number {
			t.Fatalf("%+v %v", q, err)
		}
		_, err = o.ask(r.ID, access.FieldPhone)
		o.refused("reveal_request_open", err)
		_, err = o.see(o.cell, r.ID, access.FieldPhone)
		o.refused("second_person_needed", err)
		o.refused("reveal_request_not_found", o.decide(o.cell, q.ID, true))
		if err := o.decide(o.privacy, q.ID, true); err != nil {
			t.Fatal(err)
		}
		o.refused("reveal_request_closed", o.decide(o.privacy, q.ID, false))
		_, err = o.see(o.cell, r.ID, access.FieldName) // another field than was approved
		o.refused("second_person_needed", err)
		if v, err := o.see(o.cell, r.ID, access.FieldPhone); err != nil || v != "13800002671" {
			t.Errorf("approved: %q %v", v, err)
		}
		_, err = o.see(o.cell, r.ID, access.FieldPhone) // used up
		o.refused("second_person_needed", err)
		_, err = o.see(o.privacy, r.ID, access.FieldPhone) // who approves sees nothing
		o.refused("ticket_not_found", err)
		want := []string{"reveal.request ok", "reveal.approve ok", "reveal ok"}
		if got := o.trail(r.ID); len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Errorf("the audit holds %v", got)
		}
	})
}

func TestSecondPersonIsAnother(t *testing.T) {
	d, c := dbtest.SQLite(t, officeSchemas()...)
	o := newOffice(t, d, c)
	r := o.report()
	q, err := o.ask(r.ID, access.FieldPhone)
	if err != nil {
		t.Fatal(err)
	}
	both := o.privacy // the same person under another account
	acc, err := o.s.Access.CreateAccount(context.Background(), access.System("test"), access.NewAccount{Username: "a2", Name: "人", Role: access.Privacy, Unit: o.units["P420100"].ID, Person: "a1"})
	if err != nil {
		t.Fatal(err)
	}
	both.Account = acc.ID
	o.refused("reveal_self", o.decide(both, q.ID, true))
	own := o.cell // the very account, whatever its role became
	own.Role = access.Privacy
	o.refused("reveal_self", o.decide(own, q.ID, true))
	vendor := o.privacy
	vendor.Contractor = true
	o.refused("reveal_request_not_found", o.decide(vendor, q.ID, true))

	// A unit that handles the ticket does not approve; the level above does.
	o.must(o.who(access.Dispatcher, "P420100"), r.ID, "dispatch", map[string]any{"unit": o.units["D420111-chengguan"].ID})
	handling := o.privacy
	handling.Unit = o.units["D420111-chengguan"].ID
	handling.Account++
	if err := o.decide(handling, q.ID, true); !fault.Is(err, "reveal_handling_unit") {
		t.Errorf("the handling unit: %v", err)
	}
	if err := o.decide(o.province, q.ID, false); err != nil {
		t.Errorf("the province: %v", err)
	}
	_, err = o.see(o.cell, r.ID, access.FieldPhone)
	o.refused("second_person_needed", err)
	if q, err = o.ask(r.ID, access.FieldPhone); err != nil { // a refusal does not bar another request
		t.Error(err)
	}
	list, _, err := o.s.RevealRequests(context.Background(), o.privacy, RevealFilter{})
	if err != nil || len(list) != 2 || list[1].State != RevealRefused || list[1].Opinion == "" || list[0].ID != q.ID {
		t.Errorf("%v %v", list, err)
	}
}

func TestRevealRequestsExpire(t *testing.T) {
	d, c := dbtest.SQLite(t, officeSchemas()...)
	o := newOffice(t, d, c)
	ctx := context.Background()
	r := o.report()
	late, _ := o.ask(r.ID, access.FieldPhone)
	c.Advance(24*time.Hour + time.Second)
	o.refused("reveal_request_closed", o.decide(o.privacy, late.ID, true))
	again, err := o.ask(r.ID, access.FieldPhone) // the old one no longer stands in the way
	if err != nil {
		t.Fatal(err)
	}
	if err := o.decide(o.privacy, again.ID, true); err != nil {
		t.Fatal(err)
	}
	c.Advance(24*time.Hour + time.Second)
	_, err = o.see(o.cell, r.ID, access.FieldPhone)
	o.refused("second_person_needed", err)
	if err := o.s.ExpireReveals(ctx); err != nil {
		t.Fatal(err)
	}
	if got := o.trail(r.ID); len(got) != 5 || got[1] != "reveal.expire ok" || got[4] != "reveal.expire ok" {
		t.Errorf("the audit holds %v", got)
	}

	// The policy may let an approval be looked at again for some minutes.
	rules := access.StrictRules()
	rules.SealedMinutes = 10
	if err := d.Update(ctx, func(tx *db.Tx) error {
		_, err := o.s.Policy.Publish(tx, policy.Publication{Kind: access.PolicyKind, Doc: rules.JSON(), Note: "可重看"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	q, err := o.ask(r.ID, access.FieldPhone)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.decide(o.privacy, q.ID, true); err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{0, 9 * time.Minute} {
		c.Advance(wait)
		if _, err := o.see(o.cell, r.ID, access.FieldPhone); err != nil {
			t.Errorf("after %v: %v", wait, err)
		}
	}
	c.Advance(2 * time.Minute)
	_, err = o.see(o.cell, r.ID, access.FieldPhone)
	o.refused("second_person_needed", err)
}

// The day's quota holds also against many requests at once, is told to the
// privacy officer, and is whole again the next day.
func TestRevealQuota(t *testing.T) {
	dbtest.Each(t, officeSchemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		o := newOffice(t, d, c)
		ctx := context.Background()
		rules := access.StrictRules()
		rules.RevealsPerDay = 5
		if err := d.Update(ctx, func(tx *db.Tx) error {
			_, err := o.s.Policy.Publish(tx, policy.Publication{Kind: access.PolicyKind, Doc: rules.JSON(), Note: "收紧"})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		seat := o.who(access.Agent, "P420100")
		r := o.create(nil)
		var mu sync.Mutex
		got := map[string]int{}
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				_, err := o.s.Reveal(ctx, seat, r.ID, access.FieldPhone, "contact", "", "")
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					got["seen"]++
				case fault.Is(err, "reveal_quota"):
					got["refused"]++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got["seen"] != 5 || got["refused"] != 7 {
			t.Errorf("%v", got)
		}
		outcomes := map[string]int{}
		for _, line := range o.trail(r.ID) {
			outcomes[line]++
		}
		if outcomes["reveal ok"] != 5 || outcomes["reveal reveal_quota"] != 7 {
			t.Errorf("the audit holds %v", outcomes)
		}
		if _, alarms, err := o.s.RevealsWaiting(ctx, o.privacy); err != nil || alarms != 1 {
			t.Errorf("%d alarms %v", alarms, err)
		}
		list, err := o.s.RevealDays(ctx, o.privacy, "2026-11-23", 10)
		if err != nil || len(list) != 1 || list[0].Used != 5 || list[0].Refused != 7 || list[0].Limit != 5 {
			t.Errorf("%+v %v", list, err)
		}
		if err := o.s.SeeRevealAlarm(ctx, o.privacy, seat.Account, "2026-11-23", ""); err != nil {
			t.Error(err)
		}
		if _, alarms, _ := o.s.RevealsWaiting(ctx, o.privacy); alarms != 0 {
			t.Errorf("%d alarms after a look", alarms)
		}
		c.Advance(24 * time.Hour)
		if _, err := o.s.Reveal(ctx, seat, r.ID, access.FieldPhone, "contact", "", ""); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
}
