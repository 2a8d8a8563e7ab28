package cti

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/job"
	"hotline/internal/line"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/flow"
	"hotline/internal/zh"
)

// plan is what a batch changes: rows in one transaction, then what seats see.
type plan struct {
	*Center
	ctx    context.Context
	writes []func(*db.Tx) error
	after  []func()
}

func (p *plan) write(fn func(*db.Tx) error) { p.writes = append(p.writes, fn) }

// tell writes the call as it stands, with an event.
func (p *plan) tell(l *live, kind string, data map[string]any) {
	l.rec.Version++
	rec := l.rec
	rec.Flags = slices.Clone(l.rec.Flags)
	p.write(func(tx *db.Tx) error {
		if err := p.CDR.Save(tx, rec); err != nil {
			return err
		}
		if kind == cdr.EventEnded {
			return p.CDR.TellEnd(tx, &rec)
		}
		return p.CDR.Tell(tx, &rec, kind, rec.Seat, data)
	})
}

// snapshot replaces what was known: calls that are not in it ended unseen.
func (p *plan) snapshot(s *Snapshot) error {
	there := map[string]bool{}
	for _, c := range s.Calls {
		there[c.Ref] = true
	}
	var gone []string
	err := p.DB.View(p.ctx, func(tx *db.Tx) (err error) {
		gone, err = db.All(tx, func(sc db.Scanner) (ref string, err error) { return ref, sc.Scan(&ref) }, `SELECT ref FROM cti_call WHERE centre = $1 AND ended = 0 ORDER BY call_id`, p.conf.Name)
		return err
	})
	if err != nil {
		return err
	}
	if !p.synced {
		clear(p.calls)
	}
	for _, ref := range gone {
		if there[ref] {
			continue
		}
		l, err := p.known(ref)
		if err != nil {
			return err
		}
		c := l.Call
		c.Phase, c.Ended, c.Cause, c.By = Ended, max(p.ms(), c.Began, c.Queued, c.Answered), 41, "media"
		l.rec.Flag("adopted")
		p.end(l, c, cdr.Broken, l.Phase)
	}
	on := map[string]bool{}
	for _, a := range s.Agents {
		on[a.No] = true
		if err := p.agent(a); err != nil {
			return err
		}
	}
	for no, a := range p.agents {
		if !on[no] {
			if err := p.agent(Agent{No: no, State: acd.Off, Since: max(p.ms(), a.Since)}); err != nil {
				return err
			}
		}
	}
	for _, c := range s.Calls {
		if err := p.call(c); err != nil {
			return err
		}
	}
	return nil
}

// person is who has a staff number here; the zero account when nobody has.
func (p *plan) person(no string) (access.Account, error) {
	if a := p.agents[no]; a != nil && a.who.ID != 0 {
		return a.who, nil
	}
	id, err := p.Staff.ByNo(p.ctx, p.unit().ID, no)
	if err != nil || id == 0 {
		return access.Account{}, err
	}
	return p.Access.Get(p.ctx, id)
}

// agent follows the state of a seat.
func (p *plan) agent(now Agent) error {
	a := p.agents[now.No]
	if a == nil {
		who, err := p.person(now.No)
		if err != nil {
			return err
		}
		a = &agent{who: who}
		p.agents[now.No] = a
	}
	was := a.Agent
	a.Agent = now
	if was.State == now.State {
		return nil
	}
	if a.span.ID != 0 {
		a.span.To = max(now.Since, a.span.From)
		over := a.span
		p.write(func(tx *db.Tx) error { return p.CDR.SaveSpan(tx, over, false) })
		a.span = cdr.State{}
	}
	if now.State != acd.Off && a.who.ID != 0 {
		a.span = cdr.State{ID: p.DB.NewID(), Account: a.who.ID, Unit: a.who.Unit, Platform: p.unit().ID, State: string(now.State), From: now.Since}
		begun := a.span
		p.write(func(tx *db.Tx) error { return p.CDR.SaveSpan(tx, begun, true) })
	}
	if now.State == acd.Off {
		delete(p.agents, now.No)
	}
	p.after = append(p.after, func() {
		if s := p.seats[a.who.ID]; s != nil {
			s.push(p.stateOf(s))
		}
	})
	return nil
}

// known gives a call: the one in memory, or as far as the records tell.
func (p *plan) known(ref string) (*live, error) {
	if l := p.calls[ref]; l != nil {
		return l, nil
	}
	var rec *cdr.Call
	err := p.DB.View(p.ctx, func(tx *db.Tx) (err error) { rec, err = p.find(tx, ref); return err })
	if err != nil || rec == nil {
		return nil, err
	}
	l := &live{rec: *rec, Call: Call{Ref: ref, Direction: rec.Direction, DNIS: rec.DNIS, Phase: Greeting, Began: rec.Began, Queued: rec.Queued, Answered: rec.AnsweredAt, Ended: rec.EndedAt, HeldMs: rec.HoldMs, AcwMs: rec.AcwMs, Score: rec.Survey, Solved: rec.Solved}}
	if rec.EndedAt > 0 {
		l.Phase = Ended
	} else {
		p.calls[ref] = l
	}
	return l, nil
}

// begin makes the record of a call that is new.
func (p *plan) begin(c Call) (*live, error) {
	t := p.Lines.Treat(c.DNIS, p.unit().Region, p.clk.Now())
	l := &live{Call: Call{Ref: c.Ref}, rec: cdr.Call{ID: p.DB.NewID(), Direction: c.Direction, Trunk: p.trunk(), DNIS: t.Number, Line: t.Number, Mode: string(t.Line.Mode), Platform: p.unit().ID, Region: p.unit().Region, Number: c.ANI, Queue: t.Queue, Skill: c.Skill, Began: c.Began}}
	if l.rec.Queue == "" {
		l.rec.Queue = line.Hotline
	}
	if err := p.CDR.Seal(&l.rec); err != nil {
		return nil, err
	}
	l.past = flow.PastOf(p.ctx, p.CDR, p.Ticket, &l.rec)
	p.calls[c.Ref] = l
	id := l.rec.ID
	p.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO cti_call (centre, ref, call_id, ended) VALUES ($1,$2,$3,0)`, p.conf.Name, c.Ref, id)
		return err
	})
	kind := cdr.EventIncoming
	if c.Direction == "out" {
		kind = cdr.EventDial
		p.ordered(l, c.Command)
	}
	p.tell(l, kind, nil)
	return l, nil
}

// ordered ties a call to what it was ordered for: a ticket's call, or a call-back.
func (p *plan) ordered(l *live, command string) {
	var id int64
	if n, _ := fmt.Sscanf(command, "ticket-%d-", &id); n == 1 {
		l.rec.Ticket = id
	} else if n, _ := fmt.Sscanf(command, "callback-%d", &id); n == 1 {
		l.rec.Origin = id
		l.rec.Flag("callback")
	}
}

// call does what follows from how a call stands now.
func (p *plan) call(c Call) error {
	l, err := p.known(c.Ref)
	if err == nil && l == nil {
		l, err = p.begin(c)
	}
	if err != nil {
		return err
	}
	if c.Queued > 0 && l.rec.Queued == 0 {
		l.rec.Queued = c.Queued
		p.tell(l, cdr.EventQueued, nil)
	}
	if err := p.rung(l, c); err != nil {
		return err
	}
	p.handed(l, c)
	l.rec.HoldMs = c.HeldMs
	over, was := l.Phase == Ended, l.Call
	l.Call = c
	if c.Phase == Survey && was.Phase != Survey {
		p.done(l.rec.Seat, l.rec.ID, cdr.Answered)
	}
	switch {
	case c.Phase == Ended && !over:
		p.end(l, c, "", was.Phase)
	case !over:
		p.after = append(p.after, func() { p.show(l, was) })
	}
	p.late(l, c)
	return nil
}

// rung follows which seat a call rings at, and which answers it.
func (p *plan) rung(l *live, c Call) error {
	if l.offer.ID != 0 && (c.Phase != Ringing || c.Agent != l.Agent) {
		outcome := "no_answer"
		switch {
		case c.Answered > 0 && c.Agent == l.Agent:
			outcome = "answered"
		case c.Phase == Ended:
			outcome = "gone"
		}
		p.offered(l, outcome)
	}
	rings := c.Phase == Ringing && c.Answered == 0
	if c.Agent == "" || rings && l.Phase == Ringing && c.Agent == l.Agent {
		return nil
	}
	who, err := p.person(c.Agent)
	if err != nil {
		return err
	}
	if who.ID == 0 && c.Agent != l.Agent {
		slog.Warn("cti: nobody here has the staff number", "centre", p.conf.Name, "no", c.Agent)
	}
	if rings {
		l.offer = cdr.Offering{ID: p.DB.NewID(), Call: l.rec.ID, Queue: l.rec.Queue, Seat: who.ID, Why: "由" + p.conf.Title + "选定", Began: p.ms()}
		rung := l.offer
		p.write(func(tx *db.Tx) error { return p.CDR.SaveOffer(tx, rung) })
		l.rec.Seat, l.rec.Unit = who.ID, who.Unit
		p.tell(l, cdr.EventRinging, nil)
		return nil
	}
	first := l.rec.AnsweredAt == 0 && c.Answered > 0
	moved := l.rec.AnsweredAt > 0 && l.rec.Seat != who.ID
	if moved {
		p.quit(l.rec.Seat, l.rec.ID, cdr.Answered)
	}
	l.rec.Seat, l.rec.Unit = who.ID, who.Unit
	if !first && !moved {
		return nil
	}
	if first {
		l.rec.AnsweredAt = c.Answered
	}
	if moved || l.offer.ID == 0 { // who had the call before keeps the draft: each is in the list of those who were offered it
		taken := cdr.Offering{ID: p.DB.NewID(), Call: l.rec.ID, Queue: l.rec.Queue, Seat: who.ID, Why: "由" + p.conf.Title + "接入", Began: p.ms(), Ended: p.ms(), Outcome: "answered"}
		p.write(func(tx *db.Tx) error { return p.CDR.SaveOffer(tx, taken) })
	}
	kind := cdr.EventAnswered
	if moved {
		kind = cdr.EventHanded
	}
	p.tell(l, kind, map[string]any{"wait": l.rec.WaitMs()})
	if l.rec.Origin != 0 {
		p.reached(l.rec.Origin)
	}
	rec := l.rec
	p.after = append(p.after, func() { p.open(&rec) })
	return nil
}

// offered closes the ringing of a seat.
func (p *plan) offered(l *live, outcome string) {
	l.offer.Ended, l.offer.Outcome = p.ms(), outcome
	over := l.offer
	l.offer = cdr.Offering{}
	p.write(func(tx *db.Tx) error { return p.CDR.SaveOffer(tx, over) })
	if outcome == "no_answer" && l.rec.AnsweredAt == 0 {
		l.rec.Seat, l.rec.Unit = 0, 0
	}
	if outcome != "answered" {
		p.after = append(p.after, func() {
			if s := p.seats[over.Seat]; s != nil {
				s.push(flow.Message{Type: "stop_ring", Call: over.Call})
			}
		})
	}
}

// handed follows a transfer.
func (p *plan) handed(l *live, c Call) {
	h := c.Hand
	if h == nil || l.Hand != nil && *l.Hand == *h {
		return
	}
	if l.Hand == nil || l.Hand.Began != h.Began || l.Hand.Target != h.Target {
		l.hand = cdr.Transfer{ID: p.DB.NewID(), Call: l.rec.ID, From: l.rec.Seat, Platform: p.unit().ID, Unit: l.rec.Unit, Target: zh.MaskPhone(h.Target), Name: h.Name, Kind: p.kindOf(h.Target), Mode: "warm", Began: h.Began}
		if len(h.Target) <= 6 || l.hand.Kind != "line" {
			l.hand.Target = h.Target
		}
	}
	switch h.State {
	case "consulting", "conference", "completed":
		if l.hand.Result == "" {
			l.hand.RingMs = max(0, p.ms()-h.Began)
		}
		l.hand.Result = "answered"
		if h.State == "conference" {
			l.hand.Mode = "conference"
		}
		if h.State == "completed" {
			l.hand.Result = "completed"
		}
	case "cancelled", "no_answer", "busy", "failed":
		l.hand.Result = h.State
	}
	now := l.hand
	p.write(func(tx *db.Tx) error { return p.CDR.SaveTransfer(tx, now) })
	kind := map[string]string{"calling": cdr.EventTransfer, "conference": cdr.EventConference, "completed": cdr.EventHanded, "no_answer": cdr.EventTransferFailed, "busy": cdr.EventTransferFailed, "failed": cdr.EventTransferFailed}[h.State]
	if kind != "" {
		p.tell(l, kind, map[string]any{"kind": now.Kind, "result": now.Result})
	}
}

// kindOf is the kind of a transfer's target in the ledger.
func (p *plan) kindOf(target string) string {
	if kind, _, ok := strings.Cut(target, ":"); ok && (kind == "seat" || kind == "queue") {
		return kind
	}
	if t, ok := p.Lines.Target(target, p.unit().Region, p.clk.Now()); ok {
		return t.Kind
	}
	return "line"
}

// end closes a call with its result, "" = as its times tell.
func (p *plan) end(l *live, c Call, result string, was Phase) {
	r := &l.rec
	r.EndedAt, r.Cause, r.By = c.Ended, c.Cause, c.By
	if r.By == "party" {
		r.By = "caller"
	}
	switch {
	case r.AnsweredAt > 0:
		r.Result = cdr.Answered
	case result != "":
		r.Result = result
	case c.Direction == "out":
		r.Result = cdr.Failed
	case r.Queued == 0 && c.By == "platform":
		r.Result = cdr.Announced
	case max(r.WaitMs(), r.EndedAt-r.Began) < int64(p.now().Queue.Short)*1000:
		r.Result = cdr.Short
	default:
		r.Result = cdr.Abandoned
	}
	legs := []cdr.Leg{{Leg: "caller", Call: r.ID, Kind: "caller", Party: r.Masked, Began: r.Began, Answered: r.AnsweredAt, Ended: r.EndedAt, Cause: r.Cause}}
	if r.AnsweredAt > 0 {
		legs = append(legs, cdr.Leg{Leg: "seat", Call: r.ID, Kind: "seat", Party: c.Agent, Seat: r.Seat, Began: r.AnsweredAt, Answered: r.AnsweredAt, Ended: r.EndedAt, Cause: r.Cause})
	}
	id, at, ended := r.ID, c.Ref, r.EndedAt
	p.write(func(tx *db.Tx) error {
		for _, leg := range legs {
			if err := p.CDR.SaveLeg(tx, leg); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE cti_call SET ended = $1 WHERE centre = $2 AND ref = $3`, ended, p.conf.Name, at)
		return err
	})
	p.tell(l, cdr.EventEnded, nil)
	if r.Result == cdr.Abandoned && r.Number != "" && r.Direction == "in" {
		p.owe(l)
	}
	if r.Direction == "in" && r.AnsweredAt > 0 {
		p.cameBack(r)
	}
	delete(p.calls, c.Ref)
	if was != Survey { // else told when the survey began
		p.done(r.Seat, id, r.Result)
	}
}

// done frees a seat of its call.
func (p *plan) done(account, call int64, result string) {
	p.after = append(p.after, func() {
		for _, s := range p.seats {
			if s.watch == call {
				s.watch = 0
				s.push(flow.Message{Type: "watch", Call: call, Code: "stop"})
			}
		}
	})
	p.quit(account, call, result)
}

// quit tells a seat's page that the call is no longer its own.
func (p *plan) quit(account, call int64, result string) {
	p.after = append(p.after, func() {
		if s := p.seats[account]; s != nil && account != 0 {
			s.push(flow.Message{Type: "done", Call: call, Result: result, Label: cdr.ResultWord(result), Draft: flow.DraftID(call)})
		}
	})
}

// late writes what may come after the end: the verdict, the time for notes, the
// recording.
func (p *plan) late(l *live, c Call) {
	if c.Score > 0 && (c.Score != l.rec.Survey || c.Solved != l.rec.Solved) { // the two answers may come apart
		was, solved := l.rec.Survey, l.rec.Solved
		l.rec.Survey, l.rec.Solved = c.Score, c.Solved
		p.tell(l, cdr.EventSurvey, map[string]any{"score": c.Score, "solved": c.Solved, "was": was, "was_solved": solved})
	}
	if c.AcwMs > 0 && c.AcwMs != l.rec.AcwMs {
		more := c.AcwMs - l.rec.AcwMs
		l.rec.AcwMs = c.AcwMs
		p.tell(l, cdr.EventWrapped, map[string]any{"acw": more, "began": l.rec.Began})
	}
	if c.Recording != "" {
		task := fetch{Call: l.rec.ID, Name: c.Recording}
		p.write(func(tx *db.Tx) error {
			n, err := db.Int(tx, `SELECT count(*) FROM cti_call WHERE call_id = $1 AND recording <> ''`, task.Call)
			if err != nil || n > 0 {
				return err
			}
			if _, err = tx.Exec(`UPDATE cti_call SET recording = $1 WHERE call_id = $2`, task.Name, task.Call); err == nil {
				_, err = p.Jobs.Enqueue(tx, job.Spec{Kind: JobRecording, Key: fmt.Sprint(task.Call), Payload: task})
			}
			return err
		})
	}
}
