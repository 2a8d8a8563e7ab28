package flow

import (
	"context"
	"slices"

	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

// survey asks the caller for a verdict after the seat has left (通话评价).
func (c *call) survey(ctx context.Context) {
	c.closeHand(ctx, "cancelled")
	c.release(ctx, surveying)
	c.x.changed()
	ask := func(prompt, valid string, next func(ctx context.Context, d string)) {
		c.play(ctx, c.Caller, prompt, clips(prompt), false, true, nil)
		c.ask(ctx, media.Digits{Max: 1, First: 20, Inter: 3}, func(ctx context.Context, d string) {
			if len(d) != 1 || !slices.Contains([]byte(valid), d[0]) {
				d = ""
			}
			next(ctx, d)
		})
	}
	thanks := func(ctx context.Context) {
		if c.rec.Survey > 0 {
			c.tell(cdr.EventSurvey, 0, map[string]any{"score": c.rec.Survey, "solved": c.rec.Solved})
		}
		c.move(leaving)
		c.play(ctx, c.Caller, "bye", clips("survey_thanks"), false, false, func(ctx context.Context, _ string) { c.finish(ctx, cdr.Answered, 16, "platform") })
	}
	ask("survey1", "12345", func(ctx context.Context, d string) {
		if d == "" {
			thanks(ctx)
			return
		}
		c.rec.Survey = int(d[0] - '0')
		c.dirty = true
		ask("survey2", "12", func(ctx context.Context, d string) {
			c.rec.Solved = map[string]string{"1": "yes", "2": "no"}[d]
			thanks(ctx)
		})
	})
}

// Warn answers 骚扰 and 辱骂 in three steps: a request, a warning, then the
// caller goes to the 班长, who decides. The line is never cut by a key alone.
func (d *Desk) Warn(ctx context.Context) error {
	return d.talk(ctx, func(c *call) error {
		if c.Warned >= 3 {
			return fault.Conflict("warned", "已三次提示，请由班长处理。")
		}
		c.Warned++
		c.tell(cdr.EventWarned, d.s.actor.Account, map[string]any{"step": c.Warned})
		prompt := []string{"warn1", "warn2", "warn3"}[c.Warned-1]
		if c.Warned < 3 {
			c.play(ctx, c.Caller, "warn", clips(prompt), false, false, nil)
			return nil
		}
		c.rec.Flag("abuse")
		c.moveOn(ctx, d.s, "lead", "班长", "诉求人不文明用语，三次提示后转班长")
		c.Needs = []acd.Need{{Skill: "role:lead", Level: 1, Soft: !c.x.leadOnDuty()}}
		c.Last = ""
		c.play(ctx, c.Caller, "warn", clips(prompt), false, false, c.music)
		c.line(nil)
		return nil
	})
}

// leadOnDuty tells whether a 班长 has a seat.
func (x *Exchange) leadOnDuty() bool {
	for _, s := range x.seats {
		if s.person.Skills["role:lead"] > 0 {
			return true
		}
	}
	return false
}

// Silent gives a caller who cannot speak a way in writing: a text message with
// a link to the form (静默来电、听障人士).
func (d *Desk) Silent(ctx context.Context) error {
	return d.talk(ctx, func(c *call) error {
		x := c.x
		c.rec.Flag("silent")
		number, id := c.rec.Number, c.rec.ID
		if number == "" {
			return fault.Conflict("number_withheld", "来电未显示号码，无法发送文字链接；请再次询问或稍候。")
		}
		x.journal.write(func(tx *db.Tx) error {
			return x.Notify.Text(tx, id, "silent_call", number, "您刚才拨打12345时我们没有听到声音。如不便说话，请点击链接用文字告诉我们，工作人员会尽快处理。", "/submit")
		})
		c.tell(cdr.EventTextLink, d.s.actor.Account, nil)
		c.release(ctx, leaving)
		c.play(ctx, c.Caller, "bye", clips("silent"), false, false, func(ctx context.Context, _ string) { c.finish(ctx, cdr.Answered, 16, "platform") })
		return nil
	})
}

// Flag marks the call: emergency (紧急情形) goes before all others if it waits
// again.
func (d *Desk) Flag(ctx context.Context, flag string) error {
	if !slices.Contains([]string{"emergency", "harass", "abuse", "wrong_number", "minor"}, flag) {
		return fault.Invalid("flag_unknown", "没有这个标记。")
	}
	return d.talk(ctx, func(c *call) error {
		c.rec.Flag(flag)
		if flag == "emergency" {
			c.Boost += c.x.now().Hazard
		}
		c.tell(cdr.EventFlag, d.s.actor.Account, map[string]any{"flag": flag})
		return nil
	})
}

// Wrapup ends the time for notes before its limit (结束话后处理).
func (d *Desk) Wrapup(ctx context.Context) error {
	return d.x.do(ctx, func() error {
		if d.x.acd.SeatOf(d.s.id).State != acd.Wrap {
			return fault.Conflict("not_wrapping", "当前不在话后处理。")
		}
		d.x.acd.SetReady(d.x.ms(), d.s.id)
		return nil
	})
}

// wrapped counts the time a seat takes for its notes, when it is over.
func (x *Exchange) wrapped(s *seat, rec cdr.Call) {
	if x.acd.SeatOf(s.id).State != acd.Wrap {
		return
	}
	s.notes = &noting{rec, x.ms()}
}

// noting is a wrap-up under way.
type noting struct {
	rec  cdr.Call
	from int64
}

// noted writes how long the notes of the last call took.
func (x *Exchange) noted(s *seat) {
	n := s.notes
	if n == nil || x.acd.SeatOf(s.id).State == acd.Wrap {
		return
	}
	s.notes = nil
	ms := x.ms() - n.from
	rec := n.rec
	x.journal.write(func(tx *db.Tx) error {
		if err := x.CDR.SetWrap(tx, rec.ID, ms); err != nil {
			return err
		}
		return x.CDR.Tell(tx, &rec, cdr.EventWrapped, s.actor.Account, map[string]any{"acw": ms, "began": rec.Began})
	})
}
