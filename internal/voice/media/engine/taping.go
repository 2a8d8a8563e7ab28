package engine

import (
	"context"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/record"
)

// Record is media.Engine. The recording ends, with RecReady, when the citizen's
// leg ends, the room empties, or another recording of the room begins.
func (e *Engine) Record(_ context.Context, id media.Room, p media.RecordPolicy) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, on := e.tapes[p.Rec]; on {
		return nil
	}
	r, ok := e.rooms[id]
	if !ok {
		return fail(media.CodeNoRoom, "没有通话 "+string(id))
	}
	return e.tape(r, p, e.now(), 0)
}

// tape begins or goes on with a recording; e.mu is held.
func (e *Engine) tape(r *room, p media.RecordPolicy, began int64, frame uint32) error {
	t, err := e.store.Begin(p.Rec, frame)
	if err != nil {
		return fail(media.CodeRecord, err.Error())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tape != nil {
		e.endTape(r)
	}
	r.tape = &taping{t, p, began}
	e.tapes[p.Rec] = r.tape
	r.settle()
	e.journal.touchRoom(r)
	return nil
}

// endTape closes a room's recording; e.mu and r.mu are held.
func (e *Engine) endTape(r *room) {
	t := r.tape
	r.tape = nil
	delete(e.tapes, t.policy.Rec)
	r.settle()
	e.taping.Add(1)
	go func() { // the writer may be behind
		t.tape.Close(func(res record.Result, err error) {
			defer e.taping.Done()
			e.ready(res, err)
		})
	}()
}

// ready tells of a finished recording.
func (e *Engine) ready(r record.Result, err error) {
	if err != nil {
		e.log.Error("录音未能完整写入", "rec", r.Rec, "err", err)
	}
	e.tell(media.Event{Kind: media.RecReady, Rec: r.Rec, SHA256: r.SHA256, Ms: r.Ms, Bytes: r.Bytes})
}

// Pause is media.Engine.
func (e *Engine) Pause(_ context.Context, rec string, pause bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.tapes[rec]
	if !ok {
		return fail(media.CodeNoRec, "没有正在进行的录音 "+rec)
	}
	t.tape.Pause(pause)
	return nil
}
