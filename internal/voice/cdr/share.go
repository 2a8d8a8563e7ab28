package cdr

import (
	"strconv"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/org"
)

// Share is the part of the calls that an actor's figures are of, the same that
// he may see: a platform and what lies below it, or a unit that is none, a
// sub-centre (分中心) above all, whose calls are those that its people took and
// those of its own lines that nobody took.
type Share struct {
	Platforms []int64 // of a platform
	Unit      int64   // 0 = of a platform
	Lines     []string
}

// ShareOf is the share of an actor.
func (s *Service) ShareOf(a access.Actor) Share {
	unit := a.Unit
	if sc := access.ScopeIn(s.Org.Tree(), a); !sc.None && sc.Own == 0 && len(sc.Units) > 0 {
		unit = sc.Units[0]
	}
	return s.shareOf(unit)
}

func (s *Service) shareOf(unit int64) Share {
	u, ok := s.Org.Tree().Get(unit)
	if !ok || u.Kind.Platform() {
		return Share{Platforms: s.Platforms(unit)}
	}
	sh := Share{Unit: unit}
	if u.Kind == org.KindSubcentre {
		sh.Lines = s.LinesOf(u.Code)
	}
	return sh
}

// sql is the condition on voice_call of a share that is a unit's.
func (sh Share) sql(arg func(any) string) string {
	cond := "unit = " + arg(sh.Unit)
	if len(sh.Lines) == 0 {
		return cond
	}
	marks := make([]string, len(sh.Lines))
	for i, l := range sh.Lines {
		marks[i] = arg(l)
	}
	return "(" + cond + " OR unit = 0 AND line IN (" + strings.Join(marks, ",") + "))"
}

// sum adds up the calls of a unit's share one by one: the counters know no
// lines of a unit, and its calls are few.
func (s *Service) sum(tx *db.Tx, sh Share, q Question, axis string, add func(platform, day int64, hour int, key string, f Figures)) error {
	args := []any{dayStart(q.From), dayStart(q.To) + 24*3600*1000}
	cond := sh.sql(func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) })
	calls, err := db.All(tx, scanCall, `SELECT `+callColumns+` FROM voice_call WHERE ended > 0 AND began >= $1 AND began < $2 AND `+cond, args...)
	if err != nil {
		return err
	}
	for _, c := range calls {
		key, counted := "", !c.Test()
		switch axis {
		case ByTest:
			key, counted = c.Line, c.Test()
		case ByLine:
			key = c.Line
		case BySkill:
			key, counted = c.Skill, counted && c.Skill != ""
		case ByUnit:
			key, counted = itoa(c.Unit), counted && c.Seat != 0
		case BySeat:
			key, counted = itoa(c.Seat), counted && c.Seat != 0
		}
		if counted && (q.Line == "" || c.Line == q.Line) {
			t := clock.FromMillis(c.Began)
			add(c.Platform, int64(t.Year()*10000+int(t.Month())*100+t.Day()), t.Hour(), key, c.figures())
		}
	}
	return nil
}

// dayStart is the first moment of a day yyyymmdd, ms UTC.
func dayStart(day int64) int64 {
	return clock.Millis(time.Date(int(day/10000), time.Month(day/100%100), int(day%100), 0, 0, 0, 0, clock.Shanghai))
}

// figures is what an ended call counts.
func (c *Call) figures() Figures {
	e := ended{Dir: c.Direction, Result: c.Result, Queued: int64(b2i(c.Queued > 0)), Wait: c.WaitMs(), Talk: c.TalkMs(), Hold: c.HoldMs}
	f := e.count(EventEnded)
	f.AcwMs += c.AcwMs
	if c.Survey > 0 {
		f.add((&ended{Score: int64(c.Survey), Solved: c.Solved}).count(EventSurvey))
	}
	return f
}

// missed is the condition on voice_callback b of a share: a sub-centre's are those
// of its lines.
func (sh Share) missed(arg func(any) string) string {
	var marks []string
	column := "b.line"
	for _, l := range sh.Lines {
		marks = append(marks, arg(l))
	}
	if sh.Unit == 0 {
		column, marks = "b.platform", nil
		for _, p := range sh.Platforms {
			marks = append(marks, arg(p))
		}
	}
	if len(marks) == 0 {
		return "1 = 0"
	}
	return column + " IN (" + strings.Join(marks, ",") + ")"
}
