package ticket

import (
	"strings"
	"time"

	"hotline/internal/calendar"
	"hotline/internal/clock"
)

// Kinds of clock (时限种类).
const (
	ClockAccept   = "受理"
	ClockDispatch = "派单"
	ClockSign     = "签收"
	ClockContact  = "先行联系"
	ClockHandle   = "办理"
	ClockReturn   = "退单审核"
	ClockExtend   = "延期审核"
	ClockSuspend  = "挂起审核"
	ClockClose    = "办结审核"
	ClockCallback = "回访"
	ClockRecheck  = "复核"
	ClockReview   = "审核"
)

// TimeLimit is a running or ended clock (时限). It remembers the policy and
// calendar it was set by; only an approved 挂起 pauses it, nothing resets it. The
// clocks of a ticket are JSON in its row.
type TimeLimit struct {
	ID         int64          `json:"id"`
	Assignment int64          `json:"assignment,omitempty"`
	Kind       string         `json:"kind"`
	Unit       int64          `json:"unit"` // who owes it
	LimitsID   int64          `json:"limits,omitempty"`
	Calendar   string         `json:"calendar"`
	Limit      calendar.Limit `json:"limit"`
	Started    int64          `json:"started"`
	Due        int64          `json:"due"`
	Stage      int            `json:"stage,omitempty"` // 0, 50, 80, 100: the last stage that fired
	NextAt     int64          `json:"next,omitempty"`  // when the next stage fires; 0 when stopped, paused or past 100 %
	PausedAt   int64          `json:"paused,omitempty"`
	Stopped    int64          `json:"stopped,omitempty"`
}

// nextAt is when the first of the ticket's clocks fires, 0 when none will: the
// column that the sweep looks for.
func (t *Ticket) nextAt() (first int64) {
	for _, c := range t.Clocks {
		if c.NextAt > 0 && (first == 0 || c.NextAt < first) {
			first = c.NextAt
		}
	}
	return first
}

// Running tells whether time passes on the clock.
func (c *TimeLimit) Running() bool { return c.Stopped == 0 && c.PausedAt == 0 }

// Breached tells whether the clock ran over, by now or by when it was stopped.
func (c *TimeLimit) Breached(now int64) bool {
	end := now
	if c.Stopped > 0 {
		end = c.Stopped
	} else if c.PausedAt > 0 {
		end = c.PausedAt
	}
	return end > c.Due
}

// schedule sets when the next stage fires.
func (c *TimeLimit) schedule() {
	c.NextAt = 0
	if !c.Running() {
		return
	}
	span := c.Due - c.Started
	switch {
	case c.Stage < 50:
		c.NextAt = c.Started + span/2
	case c.Stage < 80:
		c.NextAt = c.Started + span*8/10
	case c.Stage < 100:
		c.NextAt = c.Due + 1
	}
}

// Stages that fire, in percent of the time; 100 is the breach.
var Stages = []int{50, 80, 100}

// nextStage is the stage that fires when NextAt has come.
func (c *TimeLimit) nextStage() int {
	for _, s := range Stages {
		if c.Stage < s {
			return s
		}
	}
	return 0
}

// limitFor finds the limit of a ticket's clock under the versions it began under.
func (s *Service) limitFor(t *Ticket, kind string) calendar.Limit {
	key := ""
	if c, ok := s.categories(t.Platform, t.AcceptedAt()).Get(t.Category); ok {
		key = c.LimitKey
	}
	row, ok := s.tightest(s.limitsOf(t), t.LimitsID, t.AcceptedAt(), key, t.Type, t.Urgency, kind)
	if !ok { // CheckLimits demands a general row for every step
		return calendar.Limit{N: 5, Unit: calendar.Workday}
	}
	return calendar.Limit{N: row.N, Unit: calendar.Unit(row.Unit)}
}

// startClock begins a clock for an assignment (nil: the ticket itself). due
// overrides the computed deadline when not zero, as for a re-dispatched node
// that inherits the deadline of the first.
func (s *Service) startClock(w *work, kind string, a *Assignment, started, due int64) *TimeLimit {
	cal := s.calendarAt(w.t.Platform, w.tx.Now())
	lim := s.limitFor(w.t, kind)
	c := &TimeLimit{ID: w.tx.NewID(), Kind: kind, Unit: w.t.Platform, LimitsID: w.t.LimitsID, Calendar: cal.Version, Limit: lim, Started: started}
	if a != nil {
		c.Assignment, c.Unit = a.ID, a.Unit
		if kind == ClockReturn || kind == ClockExtend || kind == ClockSuspend {
			c.Unit = w.t.authority(a)
		}
	}
	c.Due = due
	if c.Due == 0 {
		c.Due = clock.Millis(cal.Due(time.UnixMilli(started).In(clock.Shanghai), lim))
	}
	c.schedule()
	w.t.Clocks = append(w.t.Clocks, c)
	return c
}

// stopClock ends the running clocks of a kind ("*" any) on an assignment (0: all).
func (w *work) stopClock(kind string, assignment int64) {
	for _, c := range w.t.Clocks {
		if c.Stopped == 0 && (kind == "*" || c.Kind == kind) && (assignment == 0 || c.Assignment == assignment) {
			c.Stopped = w.now
			c.schedule()
		}
	}
}

// clock gives the clock of a kind on an assignment that is not stopped.
func (t *Ticket) clock(kind string, assignment int64) *TimeLimit {
	for _, c := range t.Clocks {
		if c.Kind == kind && c.Assignment == assignment && c.Stopped == 0 {
			return c
		}
	}
	return nil
}

// applyClocks runs the clock effects that an edge declares.
func (s *Service) applyClocks(w *work, effects []string) {
	node := int64(0)
	if w.a != nil {
		node = w.a.ID
	}
	for _, e := range effects {
		f := strings.Fields(e)
		switch f[0] {
		case "stop":
			for _, k := range f[1:] {
				w.stopClock(k, node)
			}
		case "start":
			for _, k := range f[1:] {
				if k != ClockSign && k != ClockContact && k != ClockHandle { // those start with their assignment
					s.startClock(w, k, w.a, w.now, 0)
				}
			}
		}
	}
}

// pauseClock stops time on the 办理 clock of a suspended node.
func (w *work) pauseClock(a *Assignment) *TimeLimit {
	c := w.t.clock(ClockHandle, a.ID)
	if c != nil && c.PausedAt == 0 {
		c.PausedAt = w.now
		c.schedule()
	}
	return c
}

// dueAfter is the deadline (ms) of a paused clock that runs again at a moment: it
// moves by the paused time, in working time for working limits.
func (s *Service) dueAfter(w *work, c *TimeLimit, until int64) int64 {
	if c.Limit.Unit != calendar.Workday && c.Limit.Unit != calendar.WorkHour {
		return c.Due + until - c.PausedAt
	}
	pause := calendar.Span{From: clock.FromMillis(c.PausedAt), To: clock.FromMillis(until)}
	return clock.Millis(s.calendarAt(w.t.Platform, w.tx.Now()).Extend(clock.FromMillis(c.Due), clock.FromMillis(c.Started), []calendar.Span{pause}))
}

// resumeClock lets time run again and pushes the deadline by the paused time.
func (s *Service) resumeClock(w *work, a *Assignment, reason string) error {
	c := w.t.clock(ClockHandle, a.ID)
	if c == nil || c.PausedAt == 0 {
		return nil
	}
	if _, err := w.tx.Exec(`INSERT INTO time_pause (clock, from_at, to_at, reason) VALUES ($1,$2,$3,$4) ON CONFLICT (clock, from_at) DO NOTHING`, c.ID, c.PausedAt, w.now, reason); err != nil {
		return err
	}
	c.Due = s.dueAfter(w, c, w.now)
	c.PausedAt = 0
	c.schedule()
	w.setDue(a, c.Due)
	return nil
}
