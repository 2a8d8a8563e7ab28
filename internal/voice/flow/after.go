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
		c.ask(ctx, media.Digits{Max: 1, First: 8, Inter: 3}, func(ctx context.Context, d string) {
			if len(d) != 1 || !slices.Contains([]byte(valid), d[0]) {
				d = ""
			}
			next(ctx, d)
		})
	}
	thanks := func(ctx context.Context) {
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

// Silent gives a caller who cannot speak a way in writing (静默来电、听障人士): the
// link to a conversation by text message; the call ends.
func (d *Desk) Silent(ctx context.Context) error {
	return d.talk(ctx, func(c *call) error {
		if !c.Texted { // sent before: the call ends all the same
			if err := d.textLink(c, "silent_call", "您刚才拨打12345时我们没有听到声音。如不便说话，请在24小时内点击链接，用文字与座席联系。"); err != nil {
				return err
			}
		}
		c.rec.Flag("silent")
		c.release(ctx, leaving)
		c.play(ctx, c.Caller, "bye", clips("silent"), false, false, func(ctx context.Context, _ string) { c.finish(ctx, cdr.Answered, 16, "platform") })
		return nil
	})
}

// TextLink sends the link to a conversation while the call goes on (发文字链接).
func (d *Desk) TextLink(ctx context.Context) error {
	return d.talk(ctx, func(c *call) error {
		if c.Texted {
			return fault.Conflict("text_link_sent", "这通电话已经发过文字链接，请在“文字会话”里查看。")
		}
		return d.textLink(c, "text_link", "12345座席邀请您用文字联系。请在24小时内点击链接，工作人员在线答复；链接只供本机使用，请勿转发。")
	})
}

// textLink opens the conversation of a call and sends its link. It fails with
// number_withheld and number_no_mobile.
func (d *Desk) textLink(c *call, kind, words string) error {
	x := c.x
	t, err := x.Text.Prepare(&c.rec, d.s.actor.Account, x.Org.Tree().Platform(d.s.actor.Unit).ID, x.ms())
	if err != nil {
		return err
	}
	number, id := c.rec.Number, c.rec.ID
	x.journal.write(func(tx *db.Tx) error {
		if err := x.Text.Save(tx, t); err != nil {
			return err
		}
		return x.Notify.Text(tx, id, kind, number, words, t.Path())
	})
	c.Texted = true
	c.tell(cdr.EventTextLink, d.s.actor.Account, map[string]any{"talk": t.ID})
	return nil
}

// TextTold tells a seat that a citizen wrote.
func (x *Exchange) TextTold(account, talk int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s := x.seats[seatName(account)]; s != nil {
		s.push(Message{Type: "text", Talk: talk})
	}
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
