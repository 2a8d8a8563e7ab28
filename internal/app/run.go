package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"hotline/internal/blob"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/insight"
)

// sweepEvery is how often due clocks are looked for.
const sweepEvery = 2 * time.Second

// Run does the background work until ctx ends: sealing, followers, deadlines,
// jobs, notices, live data. A part that fails is started again.
func (a *App) Run(ctx context.Context) {
	if n, err := a.CDR.CloseSpans(ctx, 0); err != nil || n > 0 {
		slog.Warn("seat states that a killed process left open", "closed", n, "err", err)
	}
	var wg sync.WaitGroup
	for name, part := range a.parts() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			a.keep(ctx, name, part)
		}()
	}
	wg.Wait()
	if _, err := a.CDR.CloseSpans(context.WithoutCancel(ctx), clock.Millis(a.Clock.Now())); err != nil { // nobody sits when the platform is off
		slog.Warn("seat states are left open", "err", err)
	}
}

func (a *App) parts() map[string]func(context.Context) error {
	parts := map[string]func(context.Context) error{
		"node lease":     a.DB.KeepNode,
		"event sealer":   a.Log.RunSealer,
		"audit sealer":   a.Audit.RunSealer,
		"policy watch":   func(ctx context.Context) error { return a.Policy.Watch(ctx, a.Clock) },
		"org watch":      a.Org.Watch,
		"session watch":  a.Access.Watch,
		"ticket words":   func(ctx context.Context) error { return insight.Index(ctx, a.Log, a.Ticket) },
		"similar":        func(ctx context.Context) error { return insight.FollowKin(ctx, a.Log, a.Ticket) },
		"notices":        func(ctx context.Context) error { return a.Notify.Follow(ctx, a.Log) },
		"delivery":       a.Notify.Deliver,
		"counters":       a.Measure.Follow,
		"supervision":    a.Supervise.Follow,
		"citations":      a.citations,
		"jobs":           func(ctx context.Context) error { return a.Jobs.Run(ctx, 2) },
		"deadline sweep": a.sweep,
		"housekeeping":   a.housekeeping,
		"live":           a.API.RunLive,
		"control":        a.control,
		"call figures":   a.CDR.Follow,
	}
	if a.Voice != nil {
		parts["exchange"] = a.follow
	}
	for _, c := range a.Centres {
		parts["call centre "+c.Name()] = c.Run
	}
	if a.child != nil {
		parts["exchange process"] = a.exchangeProcess
	}
	return parts
}

// lastWords is how long what the exchange told before it ended may take to be heard.
const lastWords = 300 * time.Millisecond

// exchangeProcess keeps the exchange running until ctx ends.
func (a *App) exchangeProcess(ctx context.Context) error {
	err := a.child.Run(ctx)
	if ctx.Err() != nil {
		close(a.childOver)
	}
	return err
}

// follow runs the telephone's brain. When serve stops, the exchange hangs up
// first, and what becomes of its calls is written down as it happens: who waited
// is owed a call, a talk ends when it ended.
func (a *App) follow(ctx context.Context) error {
	if a.child == nil {
		return a.Voice.Run(ctx)
	}
	on, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() {
		defer stop()
		select {
		case <-a.childOver:
			_ = a.Clock.Sleep(on, lastWords)
		case <-on.Done():
		}
	})()
	return a.Voice.Run(on)
}

// keep restarts a part until ctx ends.
func (a *App) keep(ctx context.Context, name string, part func(context.Context) error) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := part(ctx)
		if ctx.Err() != nil {
			return
		}
		slog.Error("background part stopped", "part", name, "err", err)
		if a.Clock.Sleep(ctx, wait) != nil {
			return
		}
	}
}

// citations warms the knowledge index, then counts which article answered which ticket.
func (a *App) citations(ctx context.Context) error {
	if err := a.Knowledge.Warm(ctx); err != nil {
		return err
	}
	return a.Knowledge.Follow(ctx, a.Log)
}

func (a *App) sweep(ctx context.Context) error {
	for {
		n, err := a.Ticket.Sweep(ctx, 100)
		if err != nil {
			return err
		}
		if n < 100 {
			if a.Clock.Sleep(ctx, sweepEvery) != nil {
				return nil
			}
		}
	}
}

// removeFile destroys a stored file.
func (a *App) removeFile(ctx context.Context, ref string) error {
	return a.Blobs.Delete(ctx, blob.Ref(ref))
}

// collectAfter is how long a file may lie without a row: its upload takes seconds.
const collectAfter = 24 * time.Hour

// collect destroys files that no row names, as a crash between a file and its
// row leaves them. What is older than the database is not its own: the
// directory then belongs to another, and nothing is touched.
func (a *App) collect(ctx context.Context) error {
	born := int64(0)
	err := a.DB.View(ctx, func(tx *db.Tx) (err error) {
		born, err = db.Int(tx, `SELECT MIN(at) FROM schema_migration WHERE step > 0`)
		return err
	})
	if err != nil {
		return err
	}
	n, err := a.Blobs.Collect(ctx, clock.FromMillis(born), a.Clock.Now().Add(-collectAfter), func(ctx context.Context, refs []blob.Ref) (kept []blob.Ref, err error) {
		names := make([]string, len(refs))
		for i, r := range refs {
			names[i] = string(r)
		}
		for _, named := range []func(context.Context, []string) ([]string, error){a.Ticket.Named, a.Report.Named} {
			some, err := named(ctx, names)
			if err != nil {
				return nil, err
			}
			for _, r := range some {
				kept = append(kept, blob.Ref(r))
			}
		}
		return kept, nil
	})
	if n > 0 {
		slog.Info("files that no row names were destroyed", "files", n)
	}
	return err
}

func (a *App) housekeeping(ctx context.Context) error {
	var collected time.Time
	for {
		if err := a.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error { _, err := a.Ticket.Forget(tx); return err }); err != nil && ctx.Err() == nil {
			return err
		}
		if err := a.Ticket.ExpireReveals(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		if _, err := a.Report.Prune(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		if err := a.expireSoon(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		if _, err := a.Ticket.DropLoose(ctx, a.removeFile); err != nil && ctx.Err() == nil {
			return err
		}
		if now := a.Clock.Now(); now.Sub(collected) >= collectAfter {
			if err := a.collect(ctx); err != nil && ctx.Err() == nil {
				return err
			}
			collected = now
		}
		if a.Clock.Sleep(ctx, time.Hour) != nil {
			return nil
		}
	}
}
