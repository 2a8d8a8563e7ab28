package engine

import (
	"slices"
	"sync"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/record"
)

// room is the legs that may hear each other. It is made by Mix, Join, Hears or
// Record and gone when its last leg leaves.
type room struct {
	e     *Engine
	id    media.Room
	shard int
	since int64

	mu      sync.Mutex
	table   mix.Room[media.Leg]
	members []*leg // in the order of the table
	mixed   bool
	pulled  bool // the tick needs what the legs say
	tape    *taping
	closed  bool
	in, out []*mix.Frame
	frames  []mix.Frame
	right   mix.Frame
	list    []*mix.Frame
}

// taping is the recording of a room.
type taping struct {
	tape   *record.Tape
	policy media.RecordPolicy
	began  int64 // ns
}

// add brings l in; r.mu is held.
func (r *room) add(l *leg) {
	if slices.Contains(r.members, l) {
		return
	}
	r.table.Add(l.id)
	r.members = append(r.members, l)
	r.settle()
}

// remove lets l go; r.mu is held.
func (r *room) remove(l *leg) {
	i := slices.Index(r.members, l)
	if i < 0 {
		return
	}
	r.table.Remove(l.id)
	r.members = slices.Delete(r.members, i, i+1)
	l.route.Store(nowhere)
	r.settle()
	r.e.reroute(l)
}

// settle sets the routes after a change; r.mu is held. Two who hear each other
// as spoken, with nothing played to them, are relayed packet by packet.
func (r *room) settle() {
	n := len(r.members)
	plain, tapped := r.table.Plain(), false
	for _, l := range r.members {
		l.mu.Lock()
		plain = plain && l.prompt == nil
		tapped = tapped || len(l.taps) > 0
		l.mu.Unlock()
	}
	r.mixed, r.pulled = !plain, !plain || tapped
	for i, l := range r.members {
		to := &route{mixed: r.mixed, buffer: r.pulled}
		if plain {
			to.peer = r.members[1-i]
		}
		if side, kept := r.side(l); kept && !r.pulled {
			to.tape, to.side = r.tape.tape, side
		}
		was := l.route.Load()
		l.route.Store(to)
		if to.buffer && !was.buffer {
			l.ring.Reset()
		}
	}
	if len(r.frames) < n {
		r.in, r.out, r.frames, r.list = make([]*mix.Frame, n), make([]*mix.Frame, n), make([]mix.Frame, n), make([]*mix.Frame, n)
	}
}

// closeRoom ends a room that is empty, and its recording; e.mu and r.mu are held.
func (e *Engine) closeRoom(r *room) {
	if r.tape != nil {
		e.endTape(r)
	}
	r.closed = true
	e.shards.Detach(r.shard, r)
	delete(e.rooms, r.id)
	e.journal.touchRoom(r)
}

// side tells on which side of the recording a member is kept, if it is.
func (r *room) side(l *leg) (side int, kept bool) {
	switch {
	case r.tape == nil:
		return 0, false
	case l.id == r.tape.policy.Left:
		return record.Left, true
	}
	return record.Right, len(r.tape.policy.Right) == 0 || slices.Contains(r.tape.policy.Right, l.id)
}

// Tick mixes and records 20 ms.
func (r *room) Tick(now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.pulled || r.closed {
		if r.tape != nil {
			r.tape.tape.Pass()
		}
		return
	}
	n := len(r.members)
	for i, l := range r.members {
		l.mu.Lock()
		r.in[i] = nil
		if f := l.pull(); f != nil {
			r.frames[i] = *f
			r.in[i] = &r.frames[i]
		}
		l.mu.Unlock()
	}
	if r.tape != nil {
		r.record()
	}
	if !r.mixed {
		return
	}
	r.table.Mix(r.in[:n], r.out[:n])
	ended := false
	for i, l := range r.members {
		ended = r.say(now, l, r.out[i]) || ended
	}
	if ended {
		r.settle()
	}
}

// say gives a member what it hears, with its prompt over it; true means that
// the prompt came to its end.
func (r *room) say(now int64, l *leg, sound *mix.Frame) (ended bool) {
	out := l.out()
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.prompt; p != nil {
		if p.player.Next(&l.frame) {
			if sound != nil {
				mix.Sum(&l.frame, &l.frame, sound)
			}
			sound = &l.frame
		} else {
			l.endPrompt("end")
			ended = true
		}
	}
	if out == nil {
		return ended
	}
	if sound == nil {
		sound = silence
	}
	out.Speak(now, r, sound)
	return ended
}

// record keeps 20 ms: the citizen left, the others right.
func (r *room) record() {
	var left *mix.Frame
	list := r.list[:0]
	for i, l := range r.members {
		switch side, kept := r.side(l); {
		case !kept || r.in[i] == nil:
		case side == record.Left:
			left = r.in[i]
		default:
			list = append(list, r.in[i])
		}
	}
	switch len(list) {
	case 0:
		r.tape.tape.Frame(left, nil)
	case 1:
		r.tape.tape.Frame(left, list[0])
	default:
		mix.Sum(&r.right, list...)
		r.tape.tape.Frame(left, &r.right)
	}
}

// passDigit gives a digit that was not relayed to those who hear its speaker.
func (e *Engine) passDigit(l *leg, d byte) {
	e.mu.Lock()
	r := l.room
	e.mu.Unlock()
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.members {
		if out := m.out(); m != l && out != nil && r.table.Gain(m.id, l.id) > 0 {
			out.Press(d)
		}
	}
}
