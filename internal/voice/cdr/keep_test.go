package cdr

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
	"hotline/internal/seal"
	"hotline/internal/ticket"
	"hotline/internal/ticket/tickettest"
)

// What was said is destroyed when its period is over, and not before: nothing of
// an open matter, an open supervision, a leader's follow-up or a hold.
func TestExpire(t *testing.T) {
	dbtest.Each(t, tickettest.Schemas(Schema()), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		tw := tickettest.New(t, d, c)
		keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
		if err != nil {
			t.Fatal(err)
		}
		s := New(d, tw.Log, seal.NewRing(keys), tw.Org, tw.Tickets)
		w := &world{Service: s, t: t, d: d, c: c, audit: audit.New(d)}
		ctx := context.Background()
		const day = 24 * time.Hour
		began := clock.Millis(c.Now())
		city := tw.Units["P420100"].ID
		call := func(ticketID int64) Call {
			began++
			k := w.put(Call{Line: "12345", Platform: city, Unit: city, Seat: 11, Number: "13871234567", Ticket: ticketID, Began: began, AnsweredAt: began, EndedAt: began + 60000, Result: Answered})
			u, err := s.SealUtterance(&k, Utterance{ID: d.NewID(), Who: "caller", From: began, To: began + 900, Text: "我是张三，电话13871234567。", Source: "test"})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Update(ctx, func(tx *db.Tx) error { return s.SaveUtterance(tx, u) }); err != nil {
				t.Fatal(err)
			}
			return k
		}
		exec := func(q string, args ...any) {
			t.Helper()
			if err := d.Update(ctx, func(tx *db.Tx) error { _, err := tx.Exec(q, args...); return err }); err != nil {
				t.Fatal(err)
			}
		}
		var free []Call
		for range batch + 5 { // more than one piece
			free = append(free, call(0))
		}
		open, watched := tw.Create("P420100", nil), tw.Create("P420100", nil)
		late, done := tw.Create("P420100", nil), tw.Create("P420100", nil)
		exec(`UPDATE ticket SET status = $1, closed_at = $2, version = version + 1 WHERE id IN ($3, $4)`, ticket.Closed, began, watched, done)
		exec(`UPDATE ticket SET status = $1, closed_at = $2, version = version + 1 WHERE id = $3`, ticket.Closed, began+(100*day).Milliseconds(), late)
		kept := map[string]Call{"open": call(open), "watched": call(watched), "late": call(late), "leader": call(0)}
		free = append(free, call(done))
		exec(`INSERT INTO voice_leader_item (id, session, call_id, ticket, state, note, due, at) VALUES ($1, 1, $2, 0, 'open', '', 0, 0)`, d.NewID(), kept["leader"].ID)
		words := call(0) // without a recording
		exec(`DELETE FROM voice_recording WHERE call_id = $1`, words.ID)
		free = append(free, words)
		s.Watched = func(_ *db.Tx, id int64) (bool, error) { return id == watched, nil }
		k := Keeping{Recording: 730, Text: 730}
		lead := tw.Who("shift_lead", "P420100")
		kept["form"] = call(0)
		holding := func(code string, err error) {
			t.Helper()
			if code == "" && err != nil || code != "" && !fault.Is(err, code) {
				t.Errorf("hold: %v, want %q", err, code)
			}
		}
		hold := func(who access.Actor, reason string) error {
			_, err := s.HoldCall(ctx, w.audit, who, kept["form"].ID, reason)
			return err
		}
		holding("reason_needed", hold(lead, "查"))
		holding("call_absent", hold(tw.Who("shift_lead", "P420200"), "公安机关依法调取"))
		holding("hold_absent", s.LiftHold(ctx, w.audit, lead, kept["form"].ID, "案件已经审结"))
		holding("", hold(lead, "公安机关依法调取"))
		holding("hold_exists", hold(lead, "公安机关依法调取"))
		if list, err := s.Holds(ctx, lead, false); err != nil || len(list) != 1 || list[0].Reason != "公安机关依法调取" {
			t.Errorf("holds: %+v %v", list, err)
		}
		if list, err := s.Holds(ctx, tw.Who("shift_lead", "P420200"), true); err != nil || len(list) != 0 {
			t.Errorf("holds of another city: %+v %v", list, err)
		}
		var removed []string
		expire := func(k Keeping) int64 {
			t.Helper()
			n, err := s.Expire(ctx, w.audit, k, func(rec string) error { removed = append(removed, rec); return nil })
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		c.Advance(729 * day)
		if n := expire(k); n != 0 {
			t.Fatalf("%d destroyed before their time", n)
		}
		c.Advance(2 * day)
		broken := errors.New("disk")
		if _, err := s.Expire(ctx, w.audit, k, func(string) error { return broken }); !errors.Is(err, broken) {
			t.Fatalf("a file that stays: %v", err)
		}
		if n := expire(k); n != int64(len(free)) || len(removed) != len(free)-1 {
			t.Errorf("%d calls cleared and %d files removed, want %d and %d", n, len(removed), len(free), len(free)-1)
		}
		if n := expire(k); n != 0 {
			t.Errorf("%d destroyed twice", n)
		}
		count := func(q string, args ...any) (n int64) {
			t.Helper()
			if err := d.View(ctx, func(tx *db.Tx) (err error) { n, err = db.Int(tx, q, args...); return err }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for name, call := range kept {
			if slices.Contains(removed, itoa(call.ID)+"-1") || count(`SELECT count(*) FROM voice_transcript WHERE call_id = $1`, call.ID) != 1 {
				t.Errorf("%s was not kept", name)
			}
		}
		if n := count(`SELECT count(*) FROM voice_transcript`); n != int64(len(kept)) {
			t.Errorf("%d sentences are left", n)
		}
		// A piece for each hundred, and one for the transcript without a recording.
		if n := count(`SELECT count(*) FROM audit WHERE kind = 'voice.expire'`); n != 3 {
			t.Errorf("%d entries of the audit", n)
		}
		if _, err := w.MayListen(ctx, w.audit, tw.Who("shift_lead", "P420100"), free[0].ID, ""); !fault.Is(err, "recording_expired") {
			t.Errorf("listening to what is gone: %v", err)
		}
		c.Advance(100 * day) // the ticket that closed late
		if n := expire(k); n != 1 {
			t.Errorf("%d after the late ticket's time", n)
		}
		_, err = s.HoldCall(ctx, w.audit, lead, free[0].ID, "公安机关依法调取")
		holding("hold_late", err)
		holding("", s.LiftHold(ctx, w.audit, lead, kept["form"].ID, "案件已经审结"))
		if n := expire(k); n != 1 {
			t.Errorf("%d after the hold was lifted", n)
		}
		if n := count(`SELECT count(*) FROM audit WHERE kind IN ('call.hold', 'call.unhold')`); n != 2 {
			t.Errorf("%d entries of holds in the audit", n)
		}
		// Whoever holds a call while it is being destroyed is told that it is too late.
		raced := call(0)
		c.Advance(731 * day)
		told := make(chan error, 1)
		if _, err := s.Expire(ctx, w.audit, k, func(string) error {
			go func() {
				_, err := s.HoldCall(ctx, w.audit, lead, raced.ID, "公安机关依法调取")
				told <- err
			}()
			time.Sleep(50 * time.Millisecond)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		holding("hold_late", <-told)
	})
}

func TestKeepingIsBounded(t *testing.T) {
	for doc, ok := range map[string]bool{defaultKeeping: true, `{"recording_days": 180, "text_days": 3650}`: true, `{"recording_days": 179, "text_days": 730}`: false, `{"recording_days": 730}`: false,
		`{"recording_days": 730, "text_days": 4000}`: false, `[`: false} {
		if err := validateKeeping([]byte(doc), nil); (err == nil) != ok || err != nil && !fault.Is(err, "keep_invalid") {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

// What a killed process left open ends at the last moment that is known.
func TestOpenSpansAreClosed(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		w := newWorld(t, d, c)
		ctx := context.Background()
		began := clock.Millis(c.Now())
		span := State{ID: d.NewID(), Account: 11, Unit: w.unit["P420100"], Platform: w.unit["P420100"], State: "ready", From: began}
		save := func(st State) {
			t.Helper()
			if err := d.Update(ctx, func(tx *db.Tx) error { return w.SaveSpan(tx, st, true) }); err != nil {
				t.Fatal(err)
			}
		}
		save(span)
		c.Advance(10 * time.Minute)
		w.put(Call{Line: "12345", Platform: span.Platform, Began: clock.Millis(c.Now()), EndedAt: clock.Millis(c.Now()), Result: Abandoned}) // the last that happened
		last := clock.Millis(c.Now())
		whole := State{ID: d.NewID(), Account: 12, Unit: span.Unit, Platform: span.Platform, State: "ready", From: began, To: began + 1000}
		if err := d.Update(ctx, func(tx *db.Tx) error { return w.SaveSpan(tx, whole, false) }); err != nil {
			t.Fatal(err)
		}
		c.Advance(8 * time.Hour) // nobody started it again until the morning
		if n, err := w.CloseSpans(ctx, 0); n != 1 || err != nil {
			t.Fatalf("%d closed: %v", n, err)
		}
		var got []string
		_ = d.View(ctx, func(tx *db.Tx) error {
			rows, err := db.All(tx, func(sc db.Scanner) (s string, err error) { var to int64; err = sc.Scan(&to); return itoa(to), err }, `SELECT to_at FROM voice_state ORDER BY account`)
			got = rows
			return err
		})
		if want := itoa(last) + " " + itoa(began+1000); strings.Join(got, " ") != want {
			t.Errorf("ended at %v, want %s", got, want)
		}
		if n, err := w.CloseSpans(ctx, 0); n != 0 || err != nil {
			t.Errorf("again: %d, %v", n, err)
		}
	})
}
