package demo

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/api"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/job"
	"hotline/internal/ticket"
)

// jobAutoplay is the kind of the job that takes one step of a visitor's ticket
// and calls for the next.
const jobAutoplay = "demo.autoplay"

const (
	// breath is the time between two steps of a played ticket: a dozen of them
	// end within a minute.
	breath = 2 * time.Second
	// maxPlayed bounds the steps of one ticket.
	maxPlayed = 40
)

// turn is the payload of an autoplay job.
type turn struct {
	Ticket int64 `json:"ticket,string"`
	N      int   `json:"n"` // steps taken so far
}

// Autoplay lets the system play the remaining roles of a ticket until it is
// closed. It is durable: a restart goes on where it stopped.
func (f *Face) Autoplay(ctx context.Context, actor access.Actor, id int64) error {
	t, err := f.a.Ticket.Get(ctx, actor, id)
	if err != nil {
		return err
	}
	if ticket.Final(t.Status) {
		return errNothingLeft()
	}
	return f.a.DB.Update(ctx, func(tx *db.Tx) error { return f.enqueue(tx, turn{Ticket: id}, 0) })
}

func (f *Face) enqueue(tx *db.Tx, t turn, after time.Duration) error {
	_, err := f.a.Jobs.Enqueue(tx, job.Spec{Kind: jobAutoplay, Key: fmt.Sprintf("%d.%d", t.Ticket, t.N), Payload: t, RunAt: tx.Now().Add(after), MaxAttempts: 5})
	return err
}

// autoplay takes one step and leaves a job for the next, so that a worker is
// never held for the length of a play.
func (f *Face) autoplay(ctx context.Context, j *job.Running) error {
	var now turn
	if err := j.Decode(&now); err != nil {
		return err
	}
	t, err := f.a.Ticket.Get(ctx, system, now.Ticket)
	if err != nil {
		return job.Permanent(err)
	}
	if ticket.Final(t.Status) || now.N >= maxPlayed {
		return nil
	}
	m, err := f.next(ctx, t)
	if fault.Is(err, "nothing_to_play") {
		return nil
	}
	if err != nil {
		return err
	}
	// A conflict means that somebody else was faster: look again next time.
	if _, err := f.take(ctx, t, m); err != nil && !fault.Is(err, "version_conflict") && !fault.Is(err, "wrong_state") {
		slog.Warn("demo: a played step was refused", "ticket", t.ID, "step", m.act.Name, "err", err)
		if now.N > maxPlayed/2 {
			return job.Permanent(err)
		}
	}
	now.N++
	return f.a.DB.Update(ctx, func(tx *db.Tx) error { return f.enqueue(tx, now, breath) })
}

// Step plays exactly the next step of a ticket that the actor may see and says
// who did what.
func (f *Face) Step(ctx context.Context, actor access.Actor, id int64) (api.DemoStep, error) {
	t, err := f.a.Ticket.Get(ctx, actor, id)
	if err != nil {
		return api.DemoStep{}, err
	}
	if ticket.Final(t.Status) {
		return api.DemoStep{Done: true, Label: "工单已办结，流程走完。"}, nil
	}
	m, err := f.next(ctx, t)
	if err != nil {
		return api.DemoStep{}, err
	}
	if _, err := f.take(ctx, t, m); err != nil {
		return api.DemoStep{}, err
	}
	unit := f.a.Org.Tree().Name(m.who.Unit)
	out := api.DemoStep{Actor: unit + " " + m.who.Name, Role: m.who.Role.Label(), Label: strings.TrimPrefix(m.label, unit)}
	if t, err = f.a.Ticket.Get(ctx, system, id); err != nil {
		return out, err
	}
	if out.Done = ticket.Final(t.Status); !out.Done {
		if m, err := f.next(ctx, t); err == nil {
			out.Next = m.who.Role.Label() + "：" + m.label
		}
	}
	return out, nil
}
