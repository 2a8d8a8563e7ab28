package ticket

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/job"
	"hotline/internal/policy"
)

// A limit re-dated under a new calendar ends where it would have ended had the
// new calendar been there from the start.
func TestRedatedIsDueUnderTheNewCalendar(t *testing.T) {
	day := func(c *rapid.T, label string) time.Time {
		return time.Date(2026, 11, 23, 0, 0, 0, 0, clock.Shanghai).AddDate(0, 0, rapid.IntRange(0, 20).Draw(c, label))
	}
	rapid.Check(t, func(c *rapid.T) {
		text := ""
		seen := map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(c, "days") {
			d := day(c, "day")
			if date := d.Format(time.DateOnly); !seen[date] {
				seen[date] = true
				if wd := d.Weekday(); wd == time.Saturday || wd == time.Sunday {
					text += date + " 班 调休\n"
				} else {
					text += date + " 休 放假\n"
				}
			}
		}
		next, err := calendar.Parse("new", map[string]string{"2026.txt": text})
		if err != nil {
			c.Fatal(err)
		}
		old := calendar.Default()
		start := day(c, "start").Add(time.Duration(rapid.IntRange(0, 24*60-1).Draw(c, "minute")) * time.Minute)
		lim := calendar.Limit{N: rapid.IntRange(1, 15).Draw(c, "n"), Unit: calendar.Workday}
		if got, want := redated(old, next, start, old.Due(start, lim), lim.Unit), next.Due(start, lim); !got.Equal(want) {
			c.Fatalf("start %s, %s: %s, want %s", start, lim, got, want)
		}
		lim.Unit = calendar.WorkHour
		if got, want := redated(old, next, start, old.Due(start, lim), lim.Unit), next.Due(start, lim); !got.Equal(want) {
			c.Fatalf("start %s, %s: %s, want %s", start, lim, got, want)
		}
	})
}

func TestRedateJob(t *testing.T) {
	dbtest.Each(t, append(schemas(), job.Schema()), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		ctx := context.Background()
		w := newWorld(t, d, c)
		q := job.New(d)
		q.Handle(JobRedate, w.s.RedateJob)
		dispatcher, dept := w.who(access.Dispatcher, "P420100"), "D420100-chengguan"
		open, done, late := w.create(nil), w.create(nil), w.create(nil)
		for _, m := range []Created{open, done, late} {
			w.must(dispatcher, m.ID, "dispatch", map[string]any{"unit": id(w.units[dept].ID)})
		}
		w.must(w.who(access.Agent, "P420100"), done.ID, "withdraw", map[string]any{"reason": "诉求人要求撤回"})
		was := w.load(open.ID)

		publish := func(name string, from time.Time, lines string) {
			t.Helper()
			doc, _ := json.Marshal(map[string]any{"version": name, "years": map[string]string{"2026.txt": lines}})
			if err := d.Update(ctx, func(tx *db.Tx) error {
				v, err := w.s.Policy.Publish(tx, policy.Publication{Kind: PolicyCalendar, Doc: doc, EffectiveFrom: from, By: 7})
				if err == nil {
					_, err = q.Enqueue(tx, job.Spec{Kind: JobRedate, Payload: Redating{Version: v.ID}, RunAt: v.EffectiveFrom})
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		run := func(jobs int) {
			t.Helper()
			if n, err := q.RunOnce(ctx); err != nil || n != jobs {
				t.Fatalf("%d jobs: %v", n, err)
			}
			if dead, err := q.DeadJobs(ctx, 10); err != nil || len(dead) > 0 {
				t.Fatalf("%+v %v", dead, err)
			}
		}
		// Two working days of the coming week are off, from tomorrow noon on.
		publish("一", c.Now().Add(26*time.Hour), "2026-11-26 休 测试\n2026-11-27 休 测试")
		run(0)
		if got := w.load(open.ID); got.Due != was.Due || got.Version != was.Version {
			t.Fatal("re-dated before its day")
		}
		c.Advance(27 * time.Hour)
		run(1)
		got := w.load(open.ID)
		want := w.s.Calendar(0).Due(timeOf(was.clock(ClockHandle, was.Root().ID).Started), was.clock(ClockHandle, was.Root().ID).Limit)
		if got.Due != want.UnixMilli() || got.Root().Due != got.Due || got.Due <= was.Due || got.leg().Due != got.Due || got.Version != was.Version+1 {
			t.Fatalf("due %s, want %s, was %s, version %d", timeOf(got.Due), want, timeOf(was.Due), got.Version)
		}
		if c := got.clock(ClockHandle, got.Root().ID); c.Due != got.Due || c.Calendar != "一" || c.NextAt == 0 {
			t.Fatalf("%+v", c)
		}
		lines, err := w.s.Timeline(ctx, got, false)
		if err != nil || lines[len(lines)-1].Event.Kind != "ticket.redate" || lines[len(lines)-1].Label != "时限重算" || lines[len(lines)-1].Public {
			t.Fatalf("%+v %v", lines[len(lines)-1], err)
		}
		if w.load(done.ID).Version != 3 {
			t.Error("a withdrawn ticket was touched")
		}
		if n, err := w.s.Redate(ctx, nil); n != 0 || err != nil {
			t.Fatalf("a second run changed %d: %v", n, err)
		}
		offers, _ := w.s.Offers(got, dispatcher)
		for _, o := range offers {
			if o.Name == "redate" {
				t.Error("offered to people")
			}
		}
		w.refuse("action_forbidden", dispatcher, open.ID, "redate", nil)

		// What is overdue stays overdue; a calendar that gives the days back moves the other one back.
		publish("二", c.Now().Add(time.Hour), "2026-12-25 休 测试")
		if err := d.Update(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(`UPDATE ticket SET version = version + 1 WHERE id = $1`, late.ID); err != nil {
				return err
			}
			x, err := load(tx, late.ID)
			if err != nil {
				return err
			}
			for _, k := range x.Clocks {
				k.Due = c.Now().Add(-time.Hour).UnixMilli()
			}
			return x.update(tx, x.Version)
		}); err != nil {
			t.Fatal(err)
		}
		version := w.load(late.ID).Version
		c.Advance(2 * time.Hour)
		run(1)
		if got := w.load(open.ID); got.Due != was.Due {
			t.Errorf("not moved back: %s", timeOf(got.Due))
		}
		if w.load(late.ID).Version != version {
			t.Error("an overdue ticket was re-dated")
		}
	})
}

// The replay reads a month of first dispatches; lists resolve ids to numbers.
func TestDispatchedInAndNumbers(t *testing.T) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		ctx := context.Background()
		w := newWorld(t, d, c)
		a, b := w.create(nil), w.create(nil)
		w.must(w.who(access.Dispatcher, "P420100"), a.ID, "dispatch", map[string]any{"unit": id(w.units["C420111"].ID)})
		month := time.Date(2026, 11, 1, 0, 0, 0, 0, clock.Shanghai)
		for _, x := range []struct {
			platform int64
			from     time.Time
			want     int
		}{{0, month, 1}, {w.units["P420100"].ID, month, 1}, {w.units["P420000"].ID, month, 0}, {0, month.AddDate(0, -1, 0), 0}, {0, month.AddDate(0, 1, 0), 0}} {
			if list, err := w.s.DispatchedIn(ctx, x.platform, x.from, x.from.AddDate(0, 1, 0), 10); err != nil || len(list) != x.want {
				t.Errorf("%v: %d tickets, %v", x, len(list), err)
			}
		}
		secret := w.create(func(n *Intake) { n.Type = "举报" })
		names, err := w.s.Numbers(ctx, []int64{a.ID, b.ID, a.ID, 5, secret.ID}, []access.Label{access.Normal})
		if err != nil || names[a.ID] != a.Number || names[b.ID] != b.Number || names[5] != "" || names[secret.ID] != "" {
			t.Errorf("%v %v", names, err)
		}
	})
}
