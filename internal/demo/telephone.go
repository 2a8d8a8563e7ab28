package demo

import (
	"context"
	"encoding/json"
	"time"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/line"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/workforce"
)

// merging is the number whose transition (过渡期) the demonstration shows, on
// whatever day it is started.
const merging = "12349"

// kept is the number whose department keeps its seats (双号并行·转接), and where the
// telephone network of the demonstration has them.
const kept, keptSeats = "12328", "02700012328"

// treatments keeps the transition of 12349 running (while it lasts, callers hear
// that the number was merged and are put through), and gives 12328 the number of
// the seats that its department kept.
func treatments(ctx context.Context, a *app.App) error {
	now := a.Clock.Now().In(clock.Shanghai)
	var want []line.Line
	if l, ok := a.Lines.At(merging, "", now); !ok || l.State != line.StateTransition || l.Until <= now.AddDate(0, 1, 0).Format(time.DateOnly) {
		l.State, l.Until = line.StateTransition, now.AddDate(0, 6, 0).Format(time.DateOnly)
		want = append(want, l)
	}
	if l, ok := a.Lines.At(kept, "", now); ok && l.Mode == line.SeatsKept && l.Target == "" {
		l.Target = keptSeats
		want = append(want, l)
	}
	if len(want) == 0 {
		return nil
	}
	lines, _, _, err := a.LineChanges.Plan(want)
	if err != nil {
		return err
	}
	doc, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	err = a.DB.Update(ctx, func(tx *db.Tx) error {
		_, err := a.Policy.Publish(tx, policy.Publication{Kind: line.PolicyLines, Doc: doc, Note: "演示：12349处于过渡期，12328转接到保留座席"})
		return err
	})
	if fault.Is(err, "policy_unchanged") {
		err = nil
	}
	return err
}

// trained are the lines for which the seats of the demonstration hold certificates.
var trained = []string{"12333", "12315", "12329", "12369", "12320", "12393"}

// telephone gives the seats their certificates, and 武汉 a roster of a week.
func telephone(ctx context.Context, a *app.App, p *people) error {
	tree := a.Org.Tree()
	expires := clock.Millis(a.Clock.Now().AddDate(2, 0, 0))
	for _, u := range tree.All() {
		if u.Kind != org.KindCity {
			continue
		}
		seats, err := p.all(ctx, u.ID, access.Agent)
		if err != nil {
			return err
		}
		for i, s := range seats {
			for k := range 2 {
				if _, err := a.Staff.Certify(ctx, 0, workforce.Certificate{Account: s.Account, Skill: line.Skill(trained[(i+k)%len(trained)]), Level: 60 + 10*k, Document: "演示", Expires: expires}); err != nil {
					return err
				}
			}
		}
		if u.Region == "420100" {
			if err := roster(ctx, a, u.ID, seats); err != nil {
				return err
			}
		}
	}
	return nil
}

// roster publishes this week and the next: who sits at night leaves at seven, so
// that the first morning has a shift of its own.
func roster(ctx context.Context, a *app.App, unit int64, seats []access.Actor) error {
	if len(seats) < 3 {
		return nil
	}
	now := a.Clock.Now().In(clock.Shanghai)
	monday := time.Date(now.Year(), now.Month(), now.Day()-(int(now.Weekday())+6)%7, 0, 0, 0, 0, clock.Shanghai)
	shifts := map[string]workforce.Template{}
	for _, t := range workforce.Templates() {
		shifts[t.Code] = t
	}
	for week := range 2 {
		day := func(n int) time.Time { return monday.AddDate(0, 0, 7*week+n) }
		number := func(t time.Time) int64 { return int64(t.Year()*10000 + int(t.Month())*100 + t.Day()) }
		r := workforce.Roster{Unit: unit, From: number(day(0)), To: number(day(6))}
		sits := func(n int, code string, seat int) {
			t := shifts[code]
			at := func(minutes int) int64 { return clock.Millis(day(n).Add(time.Duration(minutes) * time.Minute)) }
			r.Shifts = append(r.Shifts, workforce.Shift{Account: seats[seat].Account, Template: code, From: at(t.From), To: at(t.To)})
		}
		if week == 0 {
			sits(0, "dawn", 2)
		}
		for n := range 7 {
			sits(n, "early", 0)
			sits(n, "late", 1)
			sits(n, "night", 2)
		}
		r, err := a.Staff.Save(ctx, 0, r)
		if err != nil {
			return err
		}
		if _, err = a.Staff.Publish(ctx, 0, unit, r.ID); err != nil {
			return err
		}
	}
	return nil
}
