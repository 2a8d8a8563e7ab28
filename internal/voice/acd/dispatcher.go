package acd

import (
	"container/heap"
	"slices"
	"strings"
)

// Kind is the sort of an action.
type Kind string

// What the caller of the dispatcher has to do.
const (
	Ring     Kind = "ring"      // ring Seat for Call; Why says why this seat
	StopRing Kind = "stop_ring" // Seat rings no more for Call
	Unready  Kind = "unready"   // Seat was taken out of service; Why
	Wrapped  Kind = "wrapped"   // the wrap-up of Seat is over: ready again
	Announce Kind = "announce"  // tell Call its Position and the wait, in minutes
	Offer    Kind = "offer"     // offer Call a call-back that keeps its place
	Widened  Kind = "widened"   // Call looks as far as Reach now
	Missed   Kind = "missed"    // Call hung up in the queue and is to be called back
	GaveUp   Kind = "gave_up"   // Call could not be reached in all tries
	CameBack Kind = "came_back" // who was owed the call-back Call is with a person by now
)

// Action is one thing to do.
type Action struct {
	Kind      Kind
	Call      int64
	Seat      string
	Position  int // from 1
	Low, High int // minutes; High 0 = longer than can be told
	Reach     Reach
	Why       string
	Due       int64
}

// SeatState is what a seat does (座席状态).
type SeatState string

// The states.
const (
	Off     SeatState = "off"     // 未签入
	Ready   SeatState = "ready"   // 就绪
	Ringing SeatState = "ringing" // 振铃
	Talking SeatState = "talking" // 通话
	Wrap    SeatState = "acw"     // 话后处理
	Break   SeatState = "break"   // 小休
	Idle    SeatState = "unready" // 未就绪: 未应答, or taken out
)

type seat struct {
	Seat
	state SeatState
	since int64
	call  int64
	want  SeatState // state to enter after the call; "" = wrap-up
	on    int64     // signed on at
	busy  int64     // ms of ringing, talk and wrap since then
	gen   int64
}

// Dispatcher is the queue of one exchange. Not safe for concurrent use.
type Dispatcher struct {
	queue  func(name string) Queue
	calls  map[int64]*Call
	seats  map[string]*seat
	order  []*seat // by ID: the one order in which seats are looked at
	wait   []*Call // by rank
	rest   map[string]*Call
	timers timers
	gen    int64
	turn   map[string]string // last seat of a round
	handle float64           // smoothed ms of a call's handling
	out    []Action
	now    int64
}

// New makes an empty dispatcher; queue gives a queue's rules, which may change
// from one call to the next.
func New(queue func(name string) Queue) *Dispatcher {
	return &Dispatcher{queue: queue, calls: map[int64]*Call{}, seats: map[string]*seat{}, rest: map[string]*Call{}, turn: map[string]string{}, handle: 210_000}
}

// Take gives what is to be done since the last Take, in order.
func (d *Dispatcher) Take() []Action {
	out := d.out
	d.out = nil
	return out
}

func (d *Dispatcher) do(a Action) { d.out = append(d.out, a) }

// SignOn puts a seat on duty, not ready yet; signing on again renews its skills
// and place.
func (d *Dispatcher) SignOn(now int64, s Seat) {
	d.at(now)
	if old := d.seats[s.ID]; old != nil {
		old.Seat = s
		return
	}
	n := &seat{Seat: s, state: Idle, since: now, on: now}
	d.seats[s.ID] = n
	i, _ := slices.BinarySearchFunc(d.order, n, func(a, b *seat) int { return strings.Compare(a.ID, b.ID) })
	d.order = slices.Insert(d.order, i, n)
}

// SignOff takes a seat off duty. A call ringing or talking there goes back to
// the head of its queue: the caller waits for nobody who is gone.
func (d *Dispatcher) SignOff(now int64, id string) {
	d.at(now)
	s := d.seats[id]
	if s == nil {
		return
	}
	delete(d.seats, id)
	d.order = slices.DeleteFunc(d.order, func(x *seat) bool { return x == s })
	if c := d.calls[s.call]; c != nil {
		if c.state == ringing {
			d.do(Action{Kind: StopRing, Call: c.ID, Seat: id})
		}
		d.requeue(c)
	}
}

// SetReady makes a seat ready for the next call. In talk it takes effect when
// the call is over, without wrap-up.
func (d *Dispatcher) SetReady(now int64, id string) { d.set(now, id, Ready) }

// SetBreak lets a seat rest; what rings there goes to another.
func (d *Dispatcher) SetBreak(now int64, id string) { d.set(now, id, Break) }

// SetIdle takes a seat out of service without signing it off.
func (d *Dispatcher) SetIdle(now int64, id string) { d.set(now, id, Idle) }

func (d *Dispatcher) set(now int64, id string, to SeatState) {
	d.at(now)
	s := d.seats[id]
	if s == nil || s.state == to {
		return
	}
	switch s.state {
	case Talking:
		s.want = to
		return
	case Ringing:
		if to == Ready {
			return
		}
		c := d.calls[s.call]
		d.do(Action{Kind: StopRing, Call: c.ID, Seat: id})
		d.move(s, to)
		d.requeue(c)
		return
	}
	d.move(s, to)
	d.serve(s)
}

// move changes a seat's state and counts the time of the one it leaves.
func (d *Dispatcher) move(s *seat, to SeatState) {
	if s.state == Ringing || s.state == Talking || s.state == Wrap {
		s.busy += d.now - s.since
	}
	s.state, s.since = to, d.now
	d.gen++
	s.gen = d.gen
	if to != Ringing && to != Talking {
		s.call, s.want = 0, ""
	}
}

// Join puts a call into its queue (进入排队). A caller who hung up before and
// calls again takes the place that was kept for the call-back, which rests until
// it is known whether a person answers. Nobody is owed two call-backs at once.
func (d *Dispatcher) Join(now int64, c Call) {
	d.at(now)
	if d.calls[c.ID] != nil {
		return
	}
	if c.Arrived == 0 {
		c.Arrived = now
	}
	if kept := d.rest[c.Caller]; kept != nil {
		if c.Callback {
			return
		}
		if kept.state == waiting || kept.state == resting {
			c.Arrived = min(c.Arrived, kept.Arrived)
			d.leave(kept)
			d.stamp(kept, resting)
		}
	}
	n := &c
	d.calls[c.ID] = n
	if c.Callback {
		d.keep(n)
		return
	}
	q := d.queue(n.Queue)
	n.rank = q.rankOf(n)
	d.enqueue(n)
}

// keep holds a call-back until its time.
func (d *Dispatcher) keep(c *Call) {
	c.Callback = true
	if c.Caller != "" {
		d.rest[c.Caller] = c
	}
	q := d.queue(c.Queue)
	c.rank = q.rankOf(c)
	if c.NotUntil > d.now {
		d.stamp(c, resting)
		d.after(c.NotUntil, timer{call: c.ID, gen: c.gen, kind: tWake})
		return
	}
	d.enqueue(c)
}

func (d *Dispatcher) stamp(c *Call, st callState) {
	d.gen++
	c.gen, c.state = d.gen, st
}

// enqueue makes a call wait and looks for a seat at once.
func (d *Dispatcher) enqueue(c *Call) {
	d.stamp(c, waiting)
	c.seat = ""
	d.wait = insert(d.wait, c)
	q := d.queue(c.Queue)
	for i, r := range q.Rings {
		if at := c.Arrived + int64(r.After)*1000; at > d.now {
			d.after(at, timer{call: c.ID, gen: c.gen, kind: tRing, n: i})
		} else {
			c.reach = max(c.reach, i)
		}
	}
	if at := c.Arrived + int64(q.Relax)*1000; at > d.now {
		d.after(at, timer{call: c.ID, gen: c.gen, kind: tRelax})
	} else {
		c.relaxed = true
	}
	if d.try(c) || c.Callback {
		return
	}
	for _, sec := range q.Announce {
		if at := c.Arrived + int64(sec)*1000; at > d.now {
			d.after(at, timer{call: c.ID, gen: c.gen, kind: tAnnounce})
		}
	}
	if n := len(q.Announce); n > 0 && q.Every > 0 {
		d.after(max(c.Arrived+int64(q.Announce[n-1])*1000, d.now)+int64(q.Every)*1000, timer{call: c.ID, gen: c.gen, kind: tAgain})
	}
}

// head is the rank before every other: a caller who was with a seat already
// waits for the next one only.
const head = -1 << 50

// requeue puts a call back at the head.
func (d *Dispatcher) requeue(c *Call) {
	c.rank = head + c.Arrived/1000
	c.waited = true
	d.enqueue(c)
}

// Requeue gives the call of a seat back to the head of the queue: the seat's
// line was lost, or the transfer brought it back.
func (d *Dispatcher) Requeue(now int64, call int64) {
	d.at(now)
	c := d.calls[call]
	if c == nil || c.state == waiting {
		return
	}
	if s := d.seats[c.seat]; s != nil && s.call == c.ID {
		d.move(s, Idle)
	}
	d.requeue(c)
}

// Answered says that the seat took the call that rang there; false when the
// call is not there any more.
func (d *Dispatcher) Answered(now int64, call int64, seatID string) bool {
	d.at(now)
	c, s := d.calls[call], d.seats[seatID]
	if c == nil || s == nil || c.state != ringing || c.seat != seatID || s.call != call {
		return false
	}
	d.stamp(c, talking)
	d.move(s, Talking)
	s.call = call
	if !c.Callback {
		d.served(c.Caller)
	}
	return true
}

// Served says that a caller is with a person outside the queue: a call-back that
// was owed is done with.
func (d *Dispatcher) Served(now int64, caller string) {
	d.at(now)
	d.served(caller)
}

func (d *Dispatcher) served(caller string) {
	if kept := d.rest[caller]; kept != nil && kept.state != talking {
		d.drop(kept)
		d.do(Action{Kind: CameBack, Call: kept.ID})
	}
}

// Reached says that the person called back is on the line now.
func (d *Dispatcher) Reached(now int64, call int64) {
	d.at(now)
	if c := d.calls[call]; c != nil && c.Callback && c.state == talking {
		c.Callback, c.due = false, 0
		if d.rest[c.Caller] == c {
			delete(d.rest, c.Caller)
		}
	}
}

// Adopt binds a call that is in talk to a seat: after a restart, an outgoing
// call, a take-over.
func (d *Dispatcher) Adopt(now int64, c Call, seatID string) bool {
	d.at(now)
	s := d.seats[seatID]
	if s == nil || s.call != 0 && s.call != c.ID {
		return false
	}
	old := d.calls[c.ID]
	if old == nil {
		if c.Arrived == 0 {
			c.Arrived = now
		}
		old = &c
		d.calls[c.ID] = old
	}
	if old.state == waiting {
		d.wait = remove(d.wait, old)
	}
	if before := d.seats[old.seat]; before != nil && before != s && before.call == c.ID {
		d.wrap(before, old)
	}
	d.stamp(old, talking)
	old.seat = seatID
	d.move(s, Talking)
	s.call = c.ID
	return true
}

// Declined says that the seat does not take the call; the seat goes out of
// service and the call to the head.
func (d *Dispatcher) Declined(now int64, call int64, why string) {
	d.at(now)
	c := d.calls[call]
	if c == nil || c.state != ringing {
		return
	}
	d.unanswered(c, why)
}

func (d *Dispatcher) unanswered(c *Call, why string) {
	if s := d.seats[c.seat]; s != nil {
		d.do(Action{Kind: StopRing, Call: c.ID, Seat: s.ID})
		d.move(s, Idle)
		d.do(Action{Kind: Unready, Seat: s.ID, Call: c.ID, Why: why})
	}
	c.First = ""
	d.requeue(c)
}

// Gone says that the caller hung up while waiting or ringing. It tells whether
// that was a short abandon; a longer one is kept for a call-back.
func (d *Dispatcher) Gone(now int64, call int64) (short bool) {
	d.at(now)
	c := d.calls[call]
	if c == nil || c.state != waiting && c.state != ringing {
		return false
	}
	q := d.queue(c.Queue)
	short = now-c.Arrived < int64(q.Short)*1000
	d.leave(c)
	if short || c.Caller == "" || c.Callback || d.rest[c.Caller] != nil {
		d.forget(c)
		return short
	}
	c.due = now + int64(q.Within)*1000
	c.tries = 0
	d.do(Action{Kind: Missed, Call: c.ID, Due: c.due})
	d.keep(c)
	return false
}

// leave takes a call out of the queue or off the seat where it rings.
func (d *Dispatcher) leave(c *Call) {
	switch c.state {
	case waiting:
		d.wait = remove(d.wait, c)
	case ringing:
		if s := d.seats[c.seat]; s != nil {
			d.do(Action{Kind: StopRing, Call: c.ID, Seat: s.ID})
			d.move(s, Ready)
			defer d.serve(s)
		}
	}
	c.seat = ""
	c.state = resting
}

// KeepPlace turns a waiting caller into a call-back that keeps its place.
func (d *Dispatcher) KeepPlace(now int64, call int64) bool {
	d.at(now)
	c := d.calls[call]
	if c == nil || c.state != waiting && c.state != ringing || c.Caller == "" {
		return false
	}
	d.leave(c)
	if d.rest[c.Caller] != c {
		d.served(c.Caller) // by the promise that is given now
	}
	c.due = now + int64(d.queue(c.Queue).Within)*1000
	d.keep(c)
	return true
}

// NoReach says that the person to be called back did not answer: another try
// later, or the end. The seat is free at once.
func (d *Dispatcher) NoReach(now int64, call int64, notUntil int64) {
	d.at(now)
	c := d.calls[call]
	if c == nil || !c.Callback || c.state != talking {
		return
	}
	s := d.seats[c.seat]
	c.seat = ""
	c.tries++
	q := d.queue(c.Queue)
	if c.tries >= max(q.Tries, 1) {
		d.do(Action{Kind: GaveUp, Call: c.ID})
		d.forget(c)
	} else {
		c.NotUntil = max(now+int64(q.Retry)*1000, notUntil)
		d.keep(c)
	}
	if s != nil && s.call == call {
		d.move(s, Ready)
		d.serve(s)
	}
}

// Done says that the talk is over: the seat wraps up, the call is forgotten.
func (d *Dispatcher) Done(now int64, call int64) {
	d.at(now)
	c := d.calls[call]
	if c == nil {
		return
	}
	s := d.seats[c.seat]
	switch {
	case c.state == talking && s != nil && s.call == call:
		d.wrap(s, c)
	case c.state == waiting || c.state == ringing:
		d.leave(c)
	}
	d.forget(c)
}

// wrap lets a seat finish its notes.
func (d *Dispatcher) wrap(s *seat, c *Call) {
	talked := float64(d.now - s.since)
	want := s.want
	limit := int64(d.queue(c.Queue).Wrap) * 1000
	d.handle += (talked + float64(limit)/2 - d.handle) / 50
	if want != "" || limit == 0 {
		if want == "" {
			want = Ready
		}
		d.move(s, want)
		d.serve(s)
		return
	}
	d.move(s, Wrap)
	d.after(d.now+limit, timer{seat: s.ID, gen: s.gen, kind: tWrap})
}

// Drop forgets a call-back: done by other means, or taken off the list.
func (d *Dispatcher) Drop(now int64, call int64) {
	d.at(now)
	if c := d.calls[call]; c != nil && c.state != talking {
		d.drop(c)
	}
}

func (d *Dispatcher) drop(c *Call) {
	d.leave(c)
	d.forget(c)
}

// forget lets go of a call. A call-back that rested for it is due again.
func (d *Dispatcher) forget(c *Call) {
	delete(d.calls, c.ID)
	switch kept := d.rest[c.Caller]; {
	case kept == c:
		delete(d.rest, c.Caller)
	case kept != nil && kept.state == resting:
		d.keep(kept)
	}
}

// at moves the dispatcher's moment; it never goes back.
func (d *Dispatcher) at(now int64) { d.now = max(d.now, now) }

type timerKind int

const (
	tRing timerKind = iota
	tRelax
	tAnnounce
	tAgain
	tNoAnswer
	tWrap
	tWake
)

type timer struct {
	at   int64
	seq  int64
	call int64
	seat string
	gen  int64
	kind timerKind
	n    int
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].at < t[j].at || t[i].at == t[j].at && t[i].seq < t[j].seq
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

// Push and Pop are for container/heap.
func (t *timers) Push(x any) { *t = append(*t, x.(timer)) }

// Pop takes the last element.
func (t *timers) Pop() any {
	old := *t
	x := old[len(old)-1]
	*t = old[:len(old)-1]
	return x
}

func (d *Dispatcher) after(at int64, t timer) {
	d.gen++
	t.at, t.seq = at, d.gen
	heap.Push(&d.timers, t)
}

// Due is the next moment at which Tick has something to do; 0 = never.
func (d *Dispatcher) Due() int64 {
	for len(d.timers) > 0 && d.void(d.timers[0]) {
		heap.Pop(&d.timers)
	}
	if len(d.timers) == 0 {
		return 0
	}
	return d.timers[0].at
}

func (d *Dispatcher) void(t timer) bool {
	if t.seat != "" {
		s := d.seats[t.seat]
		return s == nil || s.gen != t.gen
	}
	c := d.calls[t.call]
	return c == nil || c.gen != t.gen
}

// Tick does what was due up to now, each thing at its own moment.
func (d *Dispatcher) Tick(now int64) {
	for {
		due := d.Due()
		if due == 0 || due > now {
			d.at(now)
			return
		}
		t := heap.Pop(&d.timers).(timer)
		d.at(t.at)
		d.fire(t)
	}
}

func (d *Dispatcher) fire(t timer) {
	c := d.calls[t.call]
	switch t.kind {
	case tRing:
		c.reach = max(c.reach, t.n)
		q := d.queue(c.Queue)
		r := q.reachOf(c)
		d.do(Action{Kind: Widened, Call: c.ID, Reach: r})
		if r == ReachCallback && !c.offered && !c.Callback && c.Caller != "" {
			c.offered = true
			d.do(Action{Kind: Offer, Call: c.ID})
		}
		d.try(c)
	case tRelax:
		c.relaxed = true
		d.try(c)
	case tAnnounce:
		d.announce(c)
	case tAgain:
		d.announce(c)
		d.after(d.now+int64(d.queue(c.Queue).Every)*1000, timer{call: c.ID, gen: c.gen, kind: tAgain})
	case tNoAnswer:
		d.unanswered(c, "振铃未应答")
	case tWrap:
		s := d.seats[t.seat]
		d.move(s, Ready)
		d.do(Action{Kind: Wrapped, Seat: s.ID})
		d.serve(s)
	case tWake:
		d.enqueue(c)
	}
}
