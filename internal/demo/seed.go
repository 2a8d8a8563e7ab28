package demo

import (
	"context"
	"fmt"
	"sort"
	"sync/atomic"
	"time"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/job"
	"hotline/internal/knowledge/seed"
	"hotline/internal/org"
	"hotline/internal/policy"
)

// Options narrow the seeded province.
type Options struct {
	Days     int      // of history, 90 when 0
	Tickets  int      // of history, 20,000 when 0; the open ones of the desks come on top
	First    int      // how many of the newest are loaded before Seed returns, 700 when 0
	Cities   []string // region codes; nil = all 17
	Whole    bool     // load everything before returning, as tests do
	Progress func(done, total int, what string)
}

// jobHistory is the kind of the job that loads what is older.
const jobHistory = "demo.history"

// Seed fills an empty installation. On one that has been seeded it does
// nothing; one whose seeding was broken off it goes on with.
func Seed(ctx context.Context, a *app.App, o Options) error {
	if err := a.DB.Migrate(ctx, Schema()); err != nil {
		return fmt.Errorf("demo: schema: %w", err)
	}
	told := o.Progress
	if told == nil {
		told = func(int, int, string) {}
	}
	var stage string
	if _, err := getState(ctx, a.DB, stageRow, &stage); err != nil {
		return err
	}
	if err := treatments(ctx, a); err != nil {
		return err
	}
	if stage == stageReady || stage == stageDone {
		return nil
	}
	pl, err := thePlan(ctx, a, o)
	if err != nil {
		return err
	}
	p := newPeople(a.Access, a.Org)
	if stage == "" {
		if err := foundations(ctx, a, pl, p, told); err != nil {
			return err
		}
		if err := setState(ctx, a.DB, stageRow, stagePeople); err != nil {
			return err
		}
	}
	h := newHistory(a, p, pl)
	if err := h.first(ctx, o, told); err != nil {
		return err
	}
	return nil
}

// thePlan reads the plan of the first start, or makes it.
func thePlan(ctx context.Context, a *app.App, o Options) (plan, error) {
	var pl plan
	found, err := getState(ctx, a.DB, statePlan, &pl)
	if err != nil || found {
		return pl, err
	}
	pl = plan{Seed: 20210318, Now: clock.Millis(a.Clock.Now()), Days: o.Days, Tickets: o.Tickets, Cities: o.Cities}
	if pl.Days <= 0 {
		pl.Days = 90
	}
	if pl.Tickets <= 0 {
		pl.Tickets = 20_000
	}
	return pl, setState(ctx, a.DB, statePlan, pl)
}

// foundations sets up policy, organisation, accounts and knowledge.
func foundations(ctx context.Context, a *app.App, pl plan, p *people, told func(int, int, string)) error {
	told(0, 1, "账号策略和组织机构")
	err := a.DB.Update(ctx, func(tx *db.Tx) error {
		_, err := a.Policy.Publish(tx, policy.Publication{Kind: access.PolicyKind, Doc: access.DemoRules().JSON(), EffectiveFrom: tx.Now().AddDate(0, 0, -1), Note: "演示策略：不要求定期改密、首次改密和双因子"})
		return err
	})
	if err != nil && !fault.Is(err, "policy_unchanged") {
		return fmt.Errorf("demo: account policy: %w", err)
	}
	if a.Org.Tree().Province().ID == 0 {
		from := clock.FromMillis(pl.Now).AddDate(0, 0, -pl.Days-30)
		if err := a.Org.CreateAll(ctx, org.By{}, org.Province(org.ProvinceOptions{Cities: pl.Cities, From: from})); err != nil {
			return fmt.Errorf("demo: organisation: %w", err)
		}
	}
	err = makePeople(ctx, a.Access, a.Org.Tree(), a.Data, p, func(done, total int) { told(done, total, "人员账号") })
	if err != nil {
		return err
	}
	if err := telephone(ctx, a, p); err != nil {
		return fmt.Errorf("demo: telephone: %w", err)
	}
	told(0, 1, "知识库")
	if _, err := a.Knowledge.Seed(ctx, seed.Articles(), system); err != nil {
		return fmt.Errorf("demo: knowledge: %w", err)
	}
	return localArticles(ctx, a, p)
}

// first loads the tickets of the desks and the newest days, then leaves the
// rest to a job.
func (h *history) first(ctx context.Context, o Options, told func(int, int, string)) error {
	target := o.First
	if target <= 0 {
		target = 700
	}
	if o.Whole {
		target = h.vol.plan.Tickets
	}
	planted, newest, err := h.newest(ctx, target)
	if err != nil {
		return err
	}
	days, total := len(newest), len(planted)
	for _, slots := range newest {
		total += len(slots)
	}
	var done atomic.Int64
	tell := func() { told(int(done.Add(1)), total, "历史工单") }
	for _, slots := range newest {
		if err := h.load(ctx, db.LaneNormal, len(slots), func(i int) (life, error) { return h.live(ctx, slots[i]) }, tell); err != nil {
			return err
		}
	}
	if err := h.load(ctx, db.LaneNormal, len(planted), func(i int) (life, error) { return planted[i], nil }, tell); err != nil {
		return err
	}
	if err := h.tie(ctx); err != nil {
		return err
	}
	told(0, 1, "督办台账")
	if err := h.supervise(ctx); err != nil {
		return err
	}
	if o.Whole {
		if err := h.listed(ctx); err != nil {
			return err
		}
	}
	return h.a.DB.Update(ctx, func(tx *db.Tx) error {
		if err := putState(tx, stateCursor, days); err != nil {
			return err
		}
		if days >= len(h.vol.counts) {
			return putState(tx, stageRow, stageDone)
		}
		if _, err := h.a.Jobs.Enqueue(tx, job.Spec{Kind: jobHistory, Key: "history", MaxAttempts: 1000}); err != nil {
			return err
		}
		return putState(tx, stageRow, stageReady)
	})
}

// newest draws what the desks need and the newest days, as many as hold target
// requests, less what is planted in them.
func (h *history) newest(ctx context.Context, target int) (planted []life, days [][]slot, err error) {
	wanted := h.wants()
	// Newer tickets get later numbers: within a day the lives are in the order of time.
	sort.SliceStable(wanted, func(i, j int) bool { return wanted[i].stop < wanted[j].stop })
	planted = make([]life, len(wanted))
	err = each(ctx, len(wanted), func(ctx context.Context, i int) (err error) {
		planted[i], err = h.plant(ctx, wanted[i])
		return err
	})
	for d, count := 0, 0; d < len(h.vol.counts) && count < target; d++ {
		count += h.vol.counts[d]
		days = append(days, yield(h.vol.day(d), planted))
	}
	return planted, days, err
}

// rest is the job that loads what is older, day by day, from newest to oldest.
// It pauses after every few tickets so that people at work do not notice it.
func (h *history) rest(ctx context.Context, j *job.Running) error {
	if err := h.listed(ctx); err != nil {
		return err
	}
	var d int
	if _, err := getState(ctx, h.a.DB, stateCursor, &d); err != nil {
		return err
	}
	planted, _, err := h.newest(ctx, 0)
	if err != nil {
		return err
	}
	total, done := 0, 0
	for i, n := range h.vol.counts {
		total += n
		if i < d {
			done += n
		}
	}
	for ; d < len(h.vol.counts); d++ {
		slots := yield(h.vol.day(d), planted)
		for from := 0; from < len(slots); from += restBatch {
			batch := slots[from:min(from+restBatch, len(slots))]
			began := h.a.Clock.Now()
			if err := h.load(ctx, db.LaneLow, len(batch), func(i int) (life, error) { return h.live(ctx, batch[i]) }, func() {}); err != nil {
				return err
			}
			done += len(batch)
			j.Progress(int64(done), int64(total), "正在载入历史工单")
			if err := h.a.Clock.Sleep(ctx, clock.Since(h.a.Clock, began)); err != nil { // half of one core's time at most
				return err
			}
		}
		if err := setState(ctx, h.a.DB, stateCursor, d+1); err != nil {
			return err
		}
	}
	j.SetResult("历史工单已全部载入")
	return setState(ctx, h.a.DB, stageRow, stageDone)
}

// restBatch is how many tickets the job loads between pauses.
const restBatch = 8

// midnight is the day of t, for days of validity.
func midnight(t time.Time) int64 { return clock.Millis(day(t)) }
