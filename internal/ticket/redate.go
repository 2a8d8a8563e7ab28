package ticket

import (
	"context"
	"fmt"
	"time"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/job"
)

// JobRedate is the kind of the job that a new working calendar enqueues for
// the moment it takes effect.
const JobRedate = "calendar.redate"

// Redating is the job's payload: the calendar's policy version.
type Redating struct {
	Platform int64 `json:"platform,omitempty"`
	Version  int64 `json:"version"`
}

// redateChunk is how many tickets one transaction takes.
const redateChunk = 50

// RedateJob re-dates (时限重算) the open clocks in working time under the
// calendar now in force. It stands being run twice: a clock remembers the
// calendar it was counted with.
func (s *Service) RedateJob(ctx context.Context, j *job.Running) error {
	var p Redating
	if err := j.Decode(&p); err != nil {
		return err
	}
	// Another process may have published a moment ago; ByID fetches it.
	if _, _, err := s.Policy.ByID(PolicyCalendar, p.Version); err != nil {
		return err
	}
	n, err := s.Redate(ctx, func(moved int64) { j.Progress(moved, 0, fmt.Sprintf("已重算%d件", moved)) })
	if err == nil {
		j.SetResult(fmt.Sprintf("按新日历重算了%d件工单的时限。", n))
	}
	return err
}

// Redate re-dates the clocks in working time of every open ticket, the merged
// ones, whose clocks wait, among them, and tells how many changed; progress may be nil.
func (s *Service) Redate(ctx context.Context, progress func(moved int64)) (moved int64, err error) {
	for last := int64(0); ; {
		var ids []int64
		err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
			ids, err = db.All(tx, func(sc db.Scanner) (id int64, err error) { return id, sc.Scan(&id) },
				`SELECT id FROM ticket WHERE id > $1 AND (closed_at = 0 OR status = 'merged') ORDER BY id LIMIT $2`, last, redateChunk)
			return err
		})
		if err != nil || len(ids) == 0 {
			return moved, err
		}
		var n int64
		err = s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
			n = 0 // may run again
			for _, id := range ids {
				_, err := s.DoTx(tx, access.System("工作日历"), id, Action{Name: "redate"})
				switch {
				case err == nil:
					n++
				case !fault.Is(err, "redate_unchanged"):
					return fmt.Errorf("ticket %d: redate: %w", id, err)
				}
			}
			return nil
		})
		if err != nil {
			return moved, err
		}
		moved, last = moved+n, ids[len(ids)-1]
		if progress != nil {
			progress(moved)
		}
	}
}

// doRedate moves the deadlines of the ticket's open clocks to where the
// calendar in force puts them. What is overdue stays overdue, and nothing is
// moved into the past.
func doRedate(w *work) error {
	cal := w.s.calendarAt(w.t.Platform, timeOf(w.now))
	moved := 0
	for _, c := range w.t.Clocks {
		if c.Stopped != 0 || c.Calendar == cal.Version || c.Breached(w.now) || c.Limit.Unit != calendar.Workday && c.Limit.Unit != calendar.WorkHour {
			continue
		}
		was := w.s.calendarNamed(w.t.Platform, c.Calendar, timeOf(w.now))
		due := clock.Millis(redated(was, cal, timeOf(c.Started), timeOf(c.Due), c.Limit.Unit))
		if due == c.Due || c.Running() && due <= w.now {
			continue
		}
		moved++
		old := c.Due
		c.Due, c.Calendar = due, cal.Version
		c.schedule()
		if a := w.t.Assignment(c.Assignment); a != nil && c.Kind == ClockHandle {
			a.Due, a.dirty = due, true
			if a.Parent == 0 && a.Role == RoleMain && a.Leg == w.t.Leg { // what the citizen was told
				w.t.Due = due
				if l := w.t.leg(); l != nil {
					l.Due = due
				}
				w.data["due_was"], w.data["due"] = old, due
			}
		}
	}
	if moved == 0 {
		return fault.Conflict("redate_unchanged", "新的工作日历不影响这张工单的时限。")
	}
	w.data["clocks"] = moved
	w.msg = fmt.Sprintf("已按新的工作日历重算%d项时限。", moved)
	return nil
}

// redated is where the new calendar ends a limit that the old one ended at
// due: on the same working day counted from the start, at the same time of
// day. A deadline on a day that was not worked was set by hand and stays.
func redated(was, now *calendar.Calendar, started, due time.Time, unit calendar.Unit) time.Time {
	if unit == calendar.WorkHour { // a broken hour counts whole
		hours := (was.WorkMinutes(started, due) + 59) / 60
		return now.Due(started, calendar.Limit{N: max(hours, 1), Unit: unit})
	}
	for n := 1; n < 1000; n++ {
		end := was.Due(started, workdays(n))
		if end.Before(due) {
			continue
		}
		if end.Format(time.DateOnly) != due.Format(time.DateOnly) {
			return due
		}
		return now.Due(started, workdays(n)).Add(due.Sub(end))
	}
	return due
}

// calendarNamed finds the calendar that a clock was counted with, walking back
// from the one in force at t; the one before that when none has the name.
func (s *Service) calendarNamed(platform int64, name string, t time.Time) *calendar.Calendar {
	_, v := s.calendars(platform, t)
	var before *calendar.Calendar
	for v.ID != 0 {
		var cal *calendar.Calendar
		cal, v = s.calendars(platform, v.EffectiveFrom.Add(-time.Millisecond))
		if cal.Version == name {
			return cal
		}
		if before == nil {
			before = cal
		}
	}
	if before == nil {
		return s.calendarAt(platform, t)
	}
	return before
}
