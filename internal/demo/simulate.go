package demo

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/ticket"
)

const (
	// playEvery is how often one of the staff does something.
	playEvery = 2 * time.Second
	// hurry is the time before a deadline in which units drop everything else.
	hurry = 4 * time.Hour
	// keepNear is how many tickets near or past their deadline a platform keeps:
	// enough for yellow and red lights, too few to spoil its figures.
	keepNear = 6
)

// Run simulates until ctx ends: callers at the rate of the hour, and staff who
// work on their tickets, so that queues live and stay within their shares. It
// touches no visitor's ticket; those are played by Autoplay alone.
func (f *Face) Run(ctx context.Context) error {
	var pl plan
	found, err := getState(ctx, f.a.DB, statePlan, &pl)
	if err != nil || !found {
		return err
	}
	pl.Now = clock.Millis(f.a.Clock.Now())
	h := newHistory(f.a, f.people, pl)
	r := rand.New(rand.NewPCG(pl.Seed, uint64(pl.Now)))
	mean := pl.between()
	next := f.a.Clock.Now().Add(f.wait(r, mean))
	for {
		if err := f.a.Clock.Sleep(ctx, playEvery); err != nil {
			return nil
		}
		now := f.a.Clock.Now()
		if !now.Before(next) {
			next = now.Add(f.wait(r, mean))
			if err := f.arrive(ctx, h, r, now); err != nil && ctx.Err() == nil {
				slog.Warn("demo: an arrival failed", "err", err)
			}
		}
		if err := f.work(ctx, h, r, now); err != nil && ctx.Err() == nil {
			slog.Warn("demo: a simulated step failed", "err", err)
		}
	}
}

// wait draws the time to the next caller: the more of the day's calls fall
// into the hour, the shorter. The hours to come shall look like those before.
func (f *Face) wait(r *rand.Rand, mean time.Duration) time.Duration {
	rate := max(pace(f.a.Clock.Now()), 0.08)
	d := time.Duration(float64(mean) / rate * r.ExpFloat64())
	return min(max(d, 2*time.Second), 10*time.Minute)
}

// arrive takes in one caller through the same door as everybody else's.
func (f *Face) arrive(ctx context.Context, h *history, r *rand.Rand, now time.Time) error {
	s := slot{No: fmt.Sprintf("L%d-%d", clock.Millis(now), f.arrivals.Add(1)), At: now, City: h.vol.city(r)}
	sc, q, err := h.begin(ctx, s, h.tell(r, s), channel(r), r)
	if err != nil {
		return err
	}
	q.At = 0
	phone := q.Channel == "phone"
	ending := sc.ending(&q, phone)
	if err := sc.decide(q); err != nil {
		return err
	}
	if _, ok := h.root(&sc.n); !ok && ending == "" {
		return nil // no unit here answers for it: the next caller comes soon
	}
	by := access.AsCitizen(0, "")
	if phone {
		by = sc.who(sc.n.Platform, access.Agent)
	}
	if sc.err != nil {
		return sc.err
	}
	_, err = f.a.Ticket.Create(ctx, by, sc.n)
	return err
}

// stations are the queues that simulated staff work down, with how many tickets
// of a platform they leave for visitors.
var stations = []struct {
	status string
	keep   int
}{
	{ticket.Received, 5}, {ticket.ToDispatch, 7}, {ticket.Handling, 45}, {ticket.Handling, 45}, {ticket.Handling, 45}, {ticket.Handling, 45}, {ticket.Handling, 45},
	{ticket.ToClose, 6}, {ticket.ToCallback, 6}, {ticket.ToRecheck, 4},
}

// work has one of the staff of a drawn platform take one step on a ticket of
// the demo, if his queue is longer than what is kept for visitors.
func (f *Face) work(ctx context.Context, h *history, r *rand.Rand, now time.Time) error {
	tree := f.a.Org.Tree()
	st := stations[r.IntN(len(stations))]
	for range 4 {
		code := h.vol.city(r)
		plat, ok := tree.CityPlatform(code)
		if !ok {
			plat = tree.Province()
		}
		id, err := f.pickTicket(ctx, r, plat.ID, st.status, st.keep, now)
		if err != nil {
			return err
		}
		if id == 0 {
			continue
		}
		t, err := f.a.Ticket.Get(ctx, system, id)
		if err != nil {
			return err
		}
		if !t.Detail.Demo || t.Detail.Visitor || !f.due(t, r, now) {
			continue
		}
		m, err := f.next(ctx, t)
		if err != nil {
			return err
		}
		f.colour(t, &m, r)
		_, err = f.take(ctx, t, m)
		return err
	}
	return nil
}

// pickTicket draws one of the tickets of a platform in a status, one near its
// deadline first; 0 when there are no more than are kept.
func (f *Face) pickTicket(ctx context.Context, r *rand.Rand, platform int64, status string, keep int, now time.Time) (int64, error) {
	rows, _, err := f.a.Ticket.List(ctx, system, access.Scope{Units: []int64{platform}, Labels: access.Labels()}, ticket.Filter{Queue: status, Limit: 100})
	if err != nil {
		return 0, err
	}
	var ids, near []int64
	for _, row := range rows {
		if !row.Ticket.Detail.Demo || row.Ticket.Detail.Visitor || row.Assignment != 0 {
			continue
		}
		ids = append(ids, row.Ticket.ID)
		if status == ticket.Handling && row.Sort < clock.Millis(now.Add(hurry)) {
			near = append(near, row.Ticket.ID)
		}
	}
	if len(near) > keepNear {
		return near[r.IntN(len(near))], nil
	}
	if len(ids) <= keep {
		return 0, nil
	}
	return ids[r.IntN(len(ids))], nil
}

// due tells whether a ticket has waited long enough for its next step to be
// believable: units take their time, the desk does not.
func (f *Face) due(t *ticket.Ticket, r *rand.Rand, now time.Time) bool {
	if t.Status != ticket.Handling {
		return now.Sub(clock.FromMillis(t.Accepted)) > time.Duration(1+r.IntN(6))*time.Minute
	}
	if !officeOpen(f.a.Ticket.Calendar(t.Platform).IsWorkday(now), now) && t.Urgency == "一般" {
		return false
	}
	if t.Due > 0 && now.Add(hurry).After(clock.FromMillis(t.Due)) {
		return true // hurry before the deadline
	}
	return now.Sub(clock.FromMillis(t.Dispatched)) > time.Duration(20+r.IntN(400))*time.Minute
}

func officeOpen(workday bool, t time.Time) bool {
	return workday && t.Hour() >= 9 && t.Hour() < 18
}

// colour lets some citizens be less than pleased, so that live tickets keep the
// shares of the history.
func (f *Face) colour(t *ticket.Ticket, m *move, r *rand.Rand) {
	if m.act.Name != "callback" {
		return
	}
	switch x := r.Float64(); {
	case x < noAnswerShare && len(t.Detail.Callbacks) == 0:
		m.act.Fields = map[string]any{"outcome": "no_answer"}
	case x < noAnswerShare+unsatisfiedShare && t.Leg == 1:
		m.act.Fields = map[string]any{"outcome": "reached", "contacted": "yes", "citizen_solved": "no", "satisfaction": "2", "dissatisfied": []string{"unsolved"}, "note": "诉求人认为问题没有真正解决。"}
	default:
		m.act.Fields["satisfaction"] = pick(r, []string{"5", "5", "4", "4", "3"})
	}
}
