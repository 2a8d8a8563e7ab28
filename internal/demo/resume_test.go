package demo

import (
	"context"
	"errors"
	"testing"
	"time"

	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/region"
)

func tickets(t *testing.T, a *app.App) (n, numbers int64) {
	t.Helper()
	err := a.DB.View(context.Background(), func(tx *db.Tx) (err error) {
		if n, err = db.Int(tx, `SELECT count(*) FROM ticket`); err == nil {
			numbers, err = db.Int(tx, `SELECT count(DISTINCT source_no) FROM ticket`)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, numbers
}

// Power may fail: seed and history, broken off and begun again, end with not one
// ticket more or less.
func TestSeedingGoesOnAfterACrash(t *testing.T) {
	if testing.Short() {
		return
	}
	dir := t.TempDir()
	now := time.Date(2026, 11, 23, 10, 10, 0, 0, clock.Shanghai)
	o := Options{Cities: []string{"429021"}, Tickets: 240, Days: 8, First: 30}
	start := func(ctx context.Context) (*app.App, error) {
		now = now.Add(20 * time.Minute) // leases of the one that fell are over
		a, err := app.Open(ctx, app.Config{Data: dir, Clock: &walking{Virtual: clock.NewVirtual(now)}, Demo: true})
		if err != nil {
			t.Fatal(err)
		}
		return a, Seed(ctx, a, o)
	}
	// The first start is broken off while the tickets load.
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = func(done, _ int, what string) {
		if what == "历史工单" && done == 20 {
			cancel()
		}
	}
	a, err := start(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the broken start says %v", err)
	}
	a.Close()
	// The second comes as far as ready; its job is broken off after a while.
	o.Progress = nil
	if a, err = start(context.Background()); err != nil {
		t.Fatal(err)
	}
	ready, _ := tickets(t, a)
	New(a)
	ctx, cancel = context.WithCancel(context.Background())
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for n := ready; n < ready+25 && ctx.Err() == nil; {
			_ = a.Clock.Sleep(ctx, time.Millisecond)
			_ = a.DB.View(context.Background(), func(tx *db.Tx) (err error) {
				n, err = db.Int(tx, `SELECT count(*) FROM ticket`)
				return err
			})
		}
		cancel()
	}()
	_, _ = a.Jobs.RunOnce(ctx)
	<-stop
	a.Close()
	// The third finishes.
	if a, err = start(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	half, _ := tickets(t, a)
	New(a)
	var stage string
	for n := 0; stage != stageDone; n++ {
		if _, err := a.Jobs.RunOnce(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := getState(context.Background(), a.DB, stageRow, &stage); err != nil || n > 100 {
			t.Fatalf("stage %s: %v", stage, err)
		}
	}
	var pl plan
	if _, err := getState(context.Background(), a.DB, statePlan, &pl); err != nil {
		t.Fatal(err)
	}
	h := newHistory(a, newPeople(a.Access, a.Org), pl)
	planted, newest, err := h.newest(context.Background(), pl.Tickets)
	if err != nil {
		t.Fatal(err)
	}
	want := int64(len(planted))
	for _, city := range h.vol.cities {
		want += int64(tied(city))
	}
	for _, slots := range newest {
		want += int64(len(slots))
	}
	n, numbers := tickets(t, a)
	t.Logf("就绪时%d，中断时%d，全部%d", ready, half, n)
	if n != want || numbers != want {
		t.Errorf("%d tickets with %d numbers, want %d", n, numbers, want)
	}
}

// walking is a virtual clock that a sleeper moves on himself.
type walking struct{ *clock.Virtual }

// Sleep passes the time at once.
func (w *walking) Sleep(ctx context.Context, d time.Duration) error {
	w.Advance(d)
	return ctx.Err()
}

// tied is how many tickets tie plants in a city.
func tied(city string) int {
	if at, _ := region.Get(city); at.Population < bursting {
		return 3
	}
	return 6
}
