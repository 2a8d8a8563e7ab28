package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hotline/internal/db"
	"hotline/internal/line"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
	"hotline/internal/voice/speech"
)

// SegmentView is a sentence of the talk as its seat sees it (实时转写); one with
// the ID of an earlier one replaces it.
type SegmentView struct {
	ID    string `json:"id"`
	Who   string `json:"who"` // caller, seat, external
	Label string `json:"label"`
	At    int64  `json:"at"` // ms UTC
	To    int64  `json:"to"`
	Text  string `json:"text"`
	Final bool   `json:"final"`
}

// The states of the transcription, as seats are told.
const (
	hearingOff  = "off"  // no recognizer
	hearingOn   = "on"   // every word is written
	hearingLost = "lost" // the recognizer does not answer; the call is not affected
)

const (
	earRetry = 15 * time.Second // longest wait between two tries of a recognizer that is away
	earRest  = 5 * time.Second  // for the last sentence, after the leg is let go
	keepSaid = 400              // sentences of a live call that a page loaded anew is shown
)

// ear hears one leg of one call.
type ear struct {
	x    *Exchange
	rec  cdr.Call
	leg  media.Leg
	who  string
	seat int64
	stop context.CancelFunc // ends the sound; the last sentence is still told
}

// listens hears everyone who talks on the call, and to nobody else: not
// while the recording is paused, not before a seat is there, not the survey.
func (c *call) listens(ctx context.Context) {
	x := c.x
	if x.Speech == nil {
		return
	}
	want := map[media.Leg]*party{}
	if c.Phase == talking && !c.Paused && c.Rec != "" {
		for _, p := range c.Parties {
			if p.Answered > 0 && cdr.WhoWord(p.Kind) != "" {
				want[p.Leg] = p
			}
		}
	}
	for leg, e := range c.ears {
		if want[leg] == nil {
			e.stop()
			delete(c.ears, leg)
		}
	}
	for leg, p := range want {
		if c.ears[leg] != nil {
			continue
		}
		if c.ears == nil {
			c.ears = map[media.Leg]*ear{}
		}
		hearing, stop := context.WithCancel(context.WithoutCancel(ctx))
		e := &ear{x: x, rec: c.rec, leg: leg, who: p.Kind, seat: seatID(p.Seat), stop: stop}
		c.ears[leg] = e
		go e.run(hearing)
	}
}

// deafen lets everyone on the call go unheard.
func (c *call) deafen() {
	for leg, e := range c.ears {
		e.stop()
		delete(c.ears, leg)
	}
}

// run hears until the leg ends or is let go. A recognizer that is away is asked
// again; the call never waits for it.
func (e *ear) run(ctx context.Context) {
	x := e.x
	defer e.stop()
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, earRetry) {
		began := x.ms()
		err := e.hear(ctx, began)
		if err == nil || ctx.Err() != nil {
			return
		}
		var gone *media.Error
		if errors.As(err, &gone) && gone.Code == media.CodeNoLeg {
			return
		}
		slog.Warn("voice: transcription", "call", e.rec.ID, "err", err)
		x.hearing(e, hearingLost)
		if x.ms()-began > 2*int64(earRetry/time.Millisecond) { // it worked for a while
			wait = time.Second
		}
		if x.clk.Sleep(ctx, wait) != nil {
			return
		}
	}
}

// hear passes the leg's sound to the recognizer once.
func (e *ear) hear(ctx context.Context, began int64) error {
	x := e.x
	sound, err := x.Engine.Tap(ctx, e.leg)
	if err != nil {
		return err
	}
	defer sound.Close()
	rest, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		sound.Close()
		_ = x.clk.Sleep(rest, earRest)
		cancel()
	})()
	first := true
	return x.Speech.Recognize(rest, speech.Stream{Name: fmt.Sprintf("%d-%s", e.rec.ID, e.who), Words: x.words()}, sound, func(s speech.Segment) {
		if first {
			first = false
			x.hearing(e, hearingOn)
		}
		x.said(e, began, s)
	})
}

// words are the hot words: the names of the lines.
func (x *Exchange) words() []string {
	out := []string{}
	for _, l := range x.Lines.All(x.clk.Now()) {
		if l.State != line.StateCancelled && len(out) < 50 {
			out = append(out, l.Name)
		}
	}
	return out
}

// said shows a sentence to the seat; a final one is written down.
func (x *Exchange) said(e *ear, began int64, s speech.Segment) {
	v := SegmentView{ID: fmt.Sprintf("%s-%d-%d", e.who, began, s.No), Who: e.who, Label: cdr.WhoWord(e.who), At: began + s.From, To: began + s.To, Text: s.Text, Final: s.Final}
	if s.Final {
		u, err := x.CDR.SealUtterance(&e.rec, cdr.Utterance{ID: x.DB.NewID(), Who: e.who, Seat: e.seat, From: v.At, To: v.To, Text: s.Text, Source: x.Speech.Name()})
		if err != nil {
			slog.Error("voice: transcription", "call", e.rec.ID, "err", err)
			return
		}
		x.journal.write(func(tx *db.Tx) error { return x.CDR.SaveUtterance(tx, u) })
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	c := x.calls[e.rec.ID]
	if c == nil { // the last words come after the end
		return
	}
	if s.Final && len(c.words) < keepSaid {
		c.words = append(c.words, v)
	}
	if st := x.seats[c.Seat]; st != nil && st.call == c.rec.ID {
		st.push(Message{Type: "transcript", Call: c.rec.ID, Segment: &v})
	}
}

// hearing tells the seat of a call how the transcription is, when that changes.
func (x *Exchange) hearing(e *ear, state string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := x.calls[e.rec.ID]
	if c == nil || c.heard == state || c.heard == "" && state == hearingOn {
		return
	}
	c.heard = state
	if st := x.seats[c.Seat]; st != nil && st.call == c.rec.ID {
		st.push(x.transcribing(state))
	}
}

// transcribing is the one line about the transcription.
func (x *Exchange) transcribing(state string) Message {
	m := Message{Type: "transcribing", Code: hearingOff, Text: "本平台没有配置语音识别，通话不转写。"}
	if x.Speech != nil {
		m.Code, m.Name, m.Text = hearingOn, x.Speech.Name(), ""
		if state == hearingLost {
			m.Code, m.Text = hearingLost, "转写暂不可用，通话不受影响。"
		}
	}
	return m
}

// retell shows a page loaded anew what was said so far.
func (x *Exchange) retell(d *Desk, c *call) {
	for i := range c.words {
		d.push(Message{Type: "transcript", Call: c.rec.ID, Segment: &c.words[i]})
	}
}
