package flow

import (
	"strings"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/voice/acd"
)

// Probe is what who placed a test call (拨测) may know of it.
type Probe struct {
	Call     int64
	Queued   int64 // ms at which it began to wait for a seat, 0 = not yet
	Answered int64 // ms at which its seat took it, 0 = not yet
	Survey   int   // which question the caller is being asked, 0 = none
}

func (c *call) probe() Probe {
	p := Probe{Call: c.rec.ID, Queued: c.rec.Queued, Answered: c.rec.AnsweredAt}
	if c.Phase == surveying && c.digit != nil {
		p.Survey = 1
		if c.rec.Survey > 0 {
			p.Survey = 2
		}
	}
	return p
}

// ProbeCall finds a call by its number, while it lasts.
func (x *Exchange) ProbeCall(id int64) (Probe, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := x.calls[id]; c != nil {
		return c.probe(), true
	}
	return Probe{}, false
}

// Probe finds a call by the SIP Call-ID under which it came, while it lasts.
func (x *Exchange) Probe(callID string) (Probe, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.calls {
		if id, _, _ := strings.Cut(string(c.Caller), ";"); id == callID {
			return c.probe(), true
		}
	}
	return Probe{}, false
}

// CallerOf is the number of the caller who rings at, or talks with, the
// person's own seat; "" when it is withheld.
func (x *Exchange) CallerOf(a access.Actor, call int64) (number string, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s, c := x.seats[seatName(a.Account)], x.calls[call]
	if s == nil || c == nil || s.rings != call && s.call != call {
		return "", false
	}
	return c.rec.Number, true
}

// Free tells whether the person's seat would take a call now, or why not.
func (x *Exchange) Free(a access.Actor) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.seats[seatName(a.Account)]
	switch {
	case !x.linked:
		return fault.Unavailable("voice_unavailable", "语音平台暂不可用，请稍后再试。")
	case s == nil:
		return fault.Conflict("seat_absent", "您还没有签入席位，请先打开话务席位。")
	case x.acd.SeatOf(s.id).State != acd.Ready:
		return fault.Conflict("seat_not_ready", "席位还没有就绪，请先点“就绪”。")
	}
	return nil
}

// SeatHeader names, on a call of the test line, the seat it is for.
const SeatHeader = "X-Seat"

// SeatOf is the value of SeatHeader for a person.
func SeatOf(a access.Actor) string { return seatName(a.Account) }
