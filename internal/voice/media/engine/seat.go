package engine

import (
	"context"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/webrtc"
)

// SeatLeg is the standing leg of a seat.
func SeatLeg(s media.Seat) media.Leg { return media.Leg("seat-" + s) }

// Connect is media.Engine. A seat that connects again, after a reload or a
// restart of the exchange, gets its leg back, in the room it was in.
func (e *Engine) Connect(_ context.Context, s media.Seat, offer string) (string, error) {
	if e.gate == nil {
		return "", fail(media.CodeState, "未开放浏览器座席的媒体端口")
	}
	if s == "" {
		return "", fail(media.CodeState, "没有座席账号")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return "", fail(media.CodeState, "交换机正在停止")
	}
	l, known := e.legs[SeatLeg(s)]
	if !known {
		l = e.newSeat(s)
	}
	old := l.out()
	ln := new(line)
	w, answer, err := e.gate.Connect(offer, e.now, l, func(up bool) { e.seatState(l, ln, up) })
	if err != nil {
		if !known {
			e.forgetSeat(l)
		}
		return "", fail(media.CodeState, err.Error())
	}
	*ln = w
	l.ring.Reset()
	l.line.Store(ln)
	l.lost = e.ms()
	if old != nil {
		go old.Close() // waits for its goroutines
	}
	return answer, nil
}

// newSeat makes the leg of a seat; e.mu is held.
func (e *Engine) newSeat(s media.Seat) *leg {
	l := &leg{e: e, id: SeatLeg(s), seat: s, shard: e.shards.Pick(), since: e.ms(), state: stateLost, lost: e.ms(), touched: true}
	l.route.Store(nowhere)
	e.legs[l.id] = l
	e.shards.Attach(l.shard, l)
	return l
}

// forgetSeat undoes newSeat; e.mu is held.
func (e *Engine) forgetSeat(l *leg) {
	delete(e.legs, l.id)
	e.shards.Detach(l.shard, l)
}

// seatState is told by one connection of a seat; that of an earlier one is
// nobody's business any more.
func (e *Engine) seatState(l *leg, ln *line, up bool) {
	e.mu.Lock()
	if l.line.Load() != ln || e.legs[l.id] != l {
		e.mu.Unlock()
		return
	}
	was := l.state
	l.state = stateLost
	if up {
		l.state = stateUp
	}
	l.lost = e.ms()
	changed := was != l.state
	e.mu.Unlock()
	if !changed {
		return
	}
	kind := media.SeatDown
	if up {
		kind = media.SeatUp
	}
	e.tell(media.Event{Kind: kind, Seat: l.seat, Leg: l.id})
	e.journal.touch(l)
}

// grace is how long the leg of a lost browser keeps its place, and an empty room
// waits for those it was opened for, ms.
const grace = 60_000

// sweep drops the legs whose browser did not come back and the rooms that
// nobody entered.
func (e *Engine) sweep() {
	e.mu.Lock()
	if e.swept++; e.swept%12 == 0 && len(e.phones) > 0 { // a minute: registrations are refreshed without news
		e.journal.touchPhones()
	}
	old := e.ms() - grace
	var out []*leg
	for _, l := range e.legs {
		if l.call == nil && l.state == stateLost && l.lost < old {
			out = append(out, l)
		}
	}
	for _, r := range e.rooms {
		r.mu.Lock()
		if len(r.members) == 0 && r.since < old {
			e.closeRoom(r)
		}
		r.mu.Unlock()
	}
	e.mu.Unlock()
	for _, l := range out {
		e.drop(l, media.Event{By: "timer"})
	}
}

// Disconnect is media.Engine.
func (e *Engine) Disconnect(_ context.Context, s media.Seat) error {
	e.mu.Lock()
	l, ok := e.legs[SeatLeg(s)]
	e.mu.Unlock()
	if ok {
		e.drop(l, media.Event{By: "platform"})
	}
	return nil
}

var _ line = (*webrtc.Leg)(nil)
