package cti

import (
	"context"
	"errors"
	"fmt"
	"io"

	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/job"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media/play"
)

// owe asks the call centre to call back whoever gave up waiting (漏接回拨).
func (p *plan) owe(l *live) {
	within := int64(p.now().Queue.Within) * 1000
	b := cdr.Callback{Call: l.rec.ID, Kind: "missed", Platform: p.unit().ID, Line: l.rec.Line, Due: p.ms() + within, State: "open", Made: p.ms()}
	index := l.rec.Index()
	p.write(func(tx *db.Tx) error {
		if err := p.CDR.SaveCallback(tx, b, index); err != nil {
			return err
		}
		_, err := p.Jobs.Enqueue(tx, job.Spec{Kind: JobCallback, Key: fmt.Sprint(b.Call), Payload: b.Call})
		return err
	})
	p.tell(l, cdr.EventCallback, map[string]any{"kind": b.Kind, "due": b.Due})
	p.after = append(p.after, func() { p.owing[b.Call] = b })
}

// reached ends what was owed: the citizen was called back.
func (p *plan) reached(call int64) {
	if b, ok := p.owing[call]; ok {
		p.settle(b, "done")
	}
}

// cameBack ends what was owed to a number that called again and was answered.
func (p *plan) cameBack(rec *cdr.Call) {
	for _, b := range p.owing {
		var missed *cdr.Call
		err := p.DB.View(p.ctx, func(tx *db.Tx) (err error) { missed, err = p.CDR.Peek(tx, b.Call); return err })
		if err == nil && len(rec.Index()) > 0 && string(missed.Index()) == string(rec.Index()) {
			p.settle(b, "came_back")
		}
	}
}

func (p *plan) settle(b cdr.Callback, state string) {
	b.State, b.DoneAt = state, p.ms()
	p.write(func(tx *db.Tx) error { return p.CDR.SaveCallback(tx, b, nil) })
	p.after = append(p.after, func() { delete(p.owing, b.Call) })
}

// fetch is the job that brings a recording here.
type fetch struct {
	Call int64
	Name string
}

// maxRecording bounds a WAV file: four hours in stereo.
const maxRecording = 4*3600*8000*2*2 + 4096

// Handle gives the room's jobs to the queue; centres is all that are configured.
func Handle(jobs *job.Queue, centres []*Center) {
	of := func(ctx context.Context, call int64) (*Center, *cdr.Call, error) {
		for _, c := range centres {
			var rec *cdr.Call
			err := c.DB.View(ctx, func(tx *db.Tx) (err error) { rec, err = c.opened(tx, call); return err })
			if err != nil {
				return nil, nil, err
			}
			if rec.Trunk == c.trunk() {
				return c, rec, nil
			}
		}
		return nil, nil, job.Permanent(errors.New("cti: the call centre is configured no more"))
	}
	jobs.Handle(JobRecording, func(ctx context.Context, j *job.Running) error {
		var f fetch
		if err := j.Decode(&f); err != nil {
			return job.Permanent(err)
		}
		c, rec, err := of(ctx, f.Call)
		if err != nil {
			return err
		}
		return c.fetch(ctx, rec, f.Name)
	})
	jobs.Handle(JobCallback, func(ctx context.Context, j *job.Running) error {
		var call int64
		if err := j.Decode(&call); err != nil {
			return job.Permanent(err)
		}
		c, rec, err := of(ctx, call)
		if err != nil {
			return err
		}
		return c.way.Do(ctx, Command{ID: fmt.Sprintf("callback-%d", call), Verb: "callback", Number: rec.Number, DNIS: rec.DNIS})
	})
}

// fetch seals a recording of the call centre as one of ours: the citizen left,
// the others right; a file of one channel is in both.
func (c *Center) fetch(ctx context.Context, rec *cdr.Call, name string) error {
	in, err := c.way.Recording(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close()
	wav, err := io.ReadAll(io.LimitReader(in, maxRecording+1))
	if err != nil {
		return fmt.Errorf("cti: recording: %w", err)
	}
	if len(wav) > maxRecording {
		return job.Permanent(fault.Invalid("cti_recording", "录音超过四小时。"))
	}
	left, right, err := play.ParseStereo(wav)
	if err != nil {
		return job.Permanent(err)
	}
	r, err := c.Keep(fmt.Sprintf("%d-cti", rec.ID), left, right)
	if err != nil {
		return err
	}
	return c.DB.Update(ctx, func(tx *db.Tx) error {
		if err := c.CDR.SaveRecording(tx, cdr.Recording{Rec: r.Rec, Call: rec.ID, Began: max(rec.AnsweredAt, rec.Began), Ms: r.Ms, Bytes: r.Bytes, SHA256: r.SHA256, State: "ready"}); err != nil {
			return err
		}
		return c.CDR.Tell(tx, rec, cdr.EventRecorded, 0, map[string]any{"ms": r.Ms, "sha256": r.SHA256})
	})
}
