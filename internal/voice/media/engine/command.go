package engine

import (
	"context"
	"io"
	"slices"
	"time"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/play"
	"hotline/internal/voice/media/sdp"
	"hotline/internal/voice/media/sip"
)

// Ring is media.Engine.
func (e *Engine) Ring(_ context.Context, id media.Leg) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.leg(id)
	if err != nil {
		return err
	}
	l.touched = true
	if l.state != stateRinging || !l.incoming {
		return nil
	}
	return sipError(l.call.Ring(nil))
}

// Answer is media.Engine. Sound flows both ways from the answer on; Answered
// follows when the caller has acknowledged it.
func (e *Engine) Answer(_ context.Context, id media.Leg) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.leg(id)
	if err != nil {
		return err
	}
	l.touched = true
	return e.answer(l)
}

// answer is called under mu.
func (e *Engine) answer(l *leg) error {
	if l.state == stateUp {
		return nil
	}
	if !l.incoming || l.call == nil {
		return fail(media.CodeState, "只有呼入的通话腿可以应答")
	}
	body, err := l.describe()
	if err != nil {
		return fail(media.CodeState, err.Error())
	}
	if err := l.call.Answer(body); err != nil {
		return sipError(err)
	}
	l.state, l.offer = stateUp, nil
	e.journal.touch(l)
	return nil
}

// early opens sound to a caller before the answer (183); called under mu.
func (e *Engine) early(l *leg) error {
	if l.state != stateRinging || !l.incoming || l.call == nil || l.offer == nil {
		return nil
	}
	body, err := l.describe()
	if err == nil {
		err = l.call.Ring(body)
	}
	if err != nil {
		return fail(media.CodeState, err.Error())
	}
	l.state = stateEarly
	return nil
}

// Reject is media.Engine. A leg that was answered in the meantime is hung up.
func (e *Engine) Reject(ctx context.Context, id media.Leg, cause int) error {
	return e.Hangup(ctx, id, cause)
}

// Hangup is media.Engine.
func (e *Engine) Hangup(_ context.Context, id media.Leg, cause int) error {
	e.mu.Lock()
	l, ok := e.legs[id]
	e.mu.Unlock()
	if !ok {
		return nil
	}
	if l.call == nil { // a browser's leg stands for the shift
		e.mu.Lock()
		defer e.mu.Unlock()
		e.leave(l)
		return nil
	}
	if cause == 0 {
		cause = 16
	}
	_ = l.call.Hangup(cause) // ErrState: it is ending already
	return nil
}

// Referred is media.Engine.
func (e *Engine) Referred(_ context.Context, id media.Leg, code int) error {
	e.mu.Lock()
	l, err := e.leg(id)
	e.mu.Unlock()
	if err == nil && l.call != nil {
		l.call.Referred(code)
	}
	return err
}

// Dial is media.Engine.
func (e *Engine) Dial(_ context.Context, s media.Spec) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, there := e.legs[s.Leg]; there || e.gone[s.Leg] {
		return nil
	}
	if s.Leg == "" || s.To.Kind == media.ToBrowser {
		return fail(media.CodeState, "浏览器座席用常驻通话腿，不需要呼叫")
	}
	l := &leg{e: e, id: s.Leg, shard: e.shards.Pick(), trunk: s.To.Trunk, dnis: s.To.Value, ani: s.ANI, headers: s.Headers, since: e.ms(), state: stateRinging}
	if s.To.Kind == media.ToPhone {
		l.seat = media.Seat(s.To.Value)
	}
	l.route.Store(nowhere)
	if err := e.openStream(l); err != nil {
		return err
	}
	plain := l.local
	l.protect(1)
	call, err := e.stack.Dial(s.To, sip.DialOpts{ANI: s.ANI, Headers: s.Headers, Offer: sdp.Build(plain), Secure: sdp.Build(l.local), Timeout: time.Duration(s.Timeout) * time.Second})
	if err != nil {
		l.stream.Close()
		return sipError(err)
	}
	if !call.Secure() {
		l.local = plain
	}
	call.User = l
	l.call, l.trunk = call, call.Trunk()
	e.legs[l.id] = l
	e.shards.Attach(l.shard, l)
	return nil
}

// Play is media.Engine. To a caller that was not answered it is early media.
func (e *Engine) Play(_ context.Context, id media.Leg, clips []media.Clip, o media.PlayOpts) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.leg(id)
	if err != nil {
		return err
	}
	l.touched = true
	return e.play(l, clips, o)
}

func (e *Engine) play(l *leg, clips []media.Clip, o media.PlayOpts) error {
	parts, err := e.prompts.Sound(clips)
	if err != nil {
		return fail(media.CodeClip, err.Error())
	}
	if err := e.early(l); err != nil {
		return err
	}
	return e.quietly(l, func() {
		if p := l.prompt; p != nil && p.opts.Play == o.Play && o.Play != "" && slices.Equal(p.clips, clips) {
			return // said twice
		}
		l.endPrompt("stop")
		l.prompt = &prompt{play.NewPlayer(parts, o.Loop), clips, o}
		e.journal.touch(l)
	})
}

// quietly changes a leg's prompt or taps while its room stands still, and sets
// the room's routes after; e.mu is held.
func (e *Engine) quietly(l *leg, change func()) error {
	if r := l.room; r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		defer r.settle()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return noLeg(l.id)
	}
	change()
	return nil
}

// StopPlay is media.Engine.
func (e *Engine) StopPlay(_ context.Context, id media.Leg) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.leg(id)
	if err != nil {
		return err
	}
	return e.quietly(l, func() { l.endPrompt("stop") })
}

// Collect is media.Engine. The time for the first digit runs from the end of
// the prompt that is being played.
func (e *Engine) Collect(_ context.Context, id media.Leg, d media.Digits) error {
	if d.Max <= 0 || d.Max > 32 || d.First < 0 || d.Inter < 0 {
		return fail(media.CodeState, "收号参数无效")
	}
	if d.First == 0 {
		d.First = 10
	}
	if d.Inter == 0 {
		d.Inter = 5
	}
	e.mu.Lock()
	l, err := e.leg(id)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endCollect("stop")
	l.collect = &collecting{want: d, left: d.First * 50}
	return nil
}

// Mix is media.Engine.
func (e *Engine) Mix(_ context.Context, id media.Room, legs ...media.Leg) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range legs { // all or none
		if _, err := e.leg(l); err != nil {
			return err
		}
	}
	r := e.roomOf(id)
	for _, l := range legs {
		e.join(r, e.legs[l])
	}
	return nil
}

// Join is media.Engine. A leg that is in another room leaves it.
func (e *Engine) Join(_ context.Context, id media.Room, l media.Leg) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	who, err := e.leg(l)
	if err != nil {
		return err
	}
	e.join(e.roomOf(id), who)
	return nil
}

// roomOf finds or opens a room; e.mu is held.
func (e *Engine) roomOf(id media.Room) *room {
	if r, ok := e.rooms[id]; ok {
		return r
	}
	r := &room{e: e, id: id, shard: e.shards.Pick(), since: e.ms()}
	e.rooms[id] = r
	e.shards.Attach(r.shard, r)
	return r
}

func (e *Engine) join(r *room, l *leg) {
	l.touched = true
	if l.room == r {
		return
	}
	if l.room != nil {
		e.leave(l)
	}
	l.mu.Lock()
	l.endPrompt("stop")
	l.mu.Unlock()
	r.mu.Lock()
	r.add(l)
	r.mu.Unlock()
	l.room = r
	e.journal.touchRoom(r)
}

// leave takes l out of its room; the last one closes it. e.mu is held.
func (e *Engine) leave(l *leg) {
	r := l.room
	if r == nil {
		return
	}
	l.room = nil
	r.mu.Lock()
	r.remove(l)
	defer r.mu.Unlock()
	if r.tape != nil && l.id == r.tape.policy.Left && e.legs[l.id] != l {
		e.endTape(r)
	}
	if len(r.members) == 0 {
		e.closeRoom(r)
	}
	e.journal.touchRoom(r)
}

// Leave is media.Engine.
func (e *Engine) Leave(_ context.Context, id media.Room, l media.Leg) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if who, ok := e.legs[l]; ok && who.room != nil && who.room.id == id {
		e.leave(who)
	}
	return nil
}

// Hears is media.Engine. It may be said before the legs, or the room, are there.
func (e *Engine) Hears(_ context.Context, id media.Room, listener, speaker media.Leg, gain float64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.roomOf(id)
	r.mu.Lock()
	r.table.Set(listener, speaker, float32(gain))
	r.settle()
	r.mu.Unlock()
	e.journal.touchRoom(r)
	return nil
}

// Tap is media.Engine.
func (e *Engine) Tap(_ context.Context, id media.Leg) (io.ReadCloser, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.leg(id)
	if err != nil {
		return nil, err
	}
	t := newTap(l)
	if err := e.quietly(l, func() { l.taps = append(l.taps, t) }); err != nil {
		return nil, err
	}
	e.reroute(l)
	return t, nil
}

func (e *Engine) untap(t *tap) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.quietly(t.leg, func() {
		t.leg.taps = slices.DeleteFunc(t.leg.taps, func(o *tap) bool { return o == t })
		t.end()
	})
	e.reroute(t.leg)
}

// reroute sets the route of a leg that is in no room: its sound is kept only for
// taps. e.mu or the lock of the room it just left is held.
func (e *Engine) reroute(l *leg) {
	if l.room != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.taps) > 0 {
		l.ring.Reset()
		l.route.Store(&route{buffer: true})
		return
	}
	l.route.Store(nowhere)
}
