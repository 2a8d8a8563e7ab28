package measure

import (
	"encoding/json"
	"strings"

	"hotline/internal/eventlog"
	"hotline/internal/ticket"
)

// flag reads 0, 1, true or false; nil means that the event does not say.
type flag struct {
	Set, On bool
}

// UnmarshalJSON takes a number or a boolean.
func (f *flag) UnmarshalJSON(b []byte) error {
	s := string(b)
	f.Set, f.On = s != "null", s == "1" || s == "true"
	return nil
}

// fact is the part of a ticket event's data that the measures use.
type fact struct {
	Platform int64  `json:"p"`
	Type     string `json:"ty"`
	Category string `json:"c"`
	Region   string `json:"r"`
	Status   string `json:"st"`
	Leg      int64  `json:"leg"`
	Main     int64  `json:"u"`
	At       int64  `json:"au"` // unit of the assignment acted on
	Unit     int64  `json:"unit"`
	Due      int64  `json:"due"`
	Nature   string `json:"na"`
	First    flag   `json:"first"`
	Direct   flag   `json:"direct"`
	Cited    int64  `json:"kb"`
	Miss     flag   `json:"miss"`
	Repeat   int64  `json:"repeat"`
	OnTime   flag   `json:"ontime"`
	Merged   flag   `json:"merged"`
	Whole    flag   `json:"whole"`
	Decision string `json:"decision"`
	Outcome  string `json:"outcome"`
	Sat      int64  `json:"sat"`
	Solved   string `json:"csolved"`
	Clock    string `json:"kind"`
	Stage    int64  `json:"stage"`
	Owes     int64  `json:"cu"`
}

// book is the rows of the tickets of a batch.
type book struct {
	rows    map[rowKey]*row
	legs    map[int64]int64 // ticket → newest leg
	nodes   map[rowKey][]*row
	special func(ticket int64) (bool, error) // 行政调解 or 执法办案, where the event does not say
}

func newBook() *book {
	return &book{rows: map[rowKey]*row{}, legs: map[int64]int64{}, nodes: map[rowKey][]*row{}}
}

func (b *book) put(r *row) *row {
	b.rows[r.key()] = r
	b.legs[r.ticket] = max(b.legs[r.ticket], r.leg)
	if r.node != 0 {
		k := rowKey{r.ticket, r.leg, 0}
		b.nodes[k] = append(b.nodes[k], r)
	}
	return r
}

// part is the row of a unit in the leg of r; it is made on the first mention.
func (b *book) part(r *row, unit, at int64, main bool) *row {
	n := b.rows[rowKey{r.ticket, r.leg, unit}]
	if n == nil {
		n = b.put(&row{ticket: r.ticket, leg: r.leg, node: unit, unit: unit, marks: mUnit, dispatched: at,
			platform: r.platform, region: r.region, category: r.category, kind: r.kind})
	}
	if main {
		n.marks |= mMain
	}
	return n
}

// ours tells whether an event moves a measure at all.
func ours(e eventlog.Event) bool {
	return e.SubjectKind == "ticket" && strings.HasPrefix(e.Kind, "ticket.") && e.Version > 0
}

// apply lets one event change the rows of its ticket.
func (b *book) apply(e eventlog.Event) error {
	var f fact
	if err := json.Unmarshal([]byte(e.Data), &f); err != nil {
		return err
	}
	if f.Leg == 0 || f.Platform == 0 {
		return nil
	}
	r := b.leg(e, &f)
	was := *r
	r.platform, r.kind, r.category, r.region, r.status = f.Platform, f.Type, f.Category, place(f.Region), f.Status
	if f.Main != r.root {
		r.root, r.unit = f.Main, f.Main
	}
	if err := b.step(e, &f, r, &was); err != nil {
		return err
	}
	r.set(mOpen, ticket.IsOpen(r.status))
	for _, n := range b.nodes[r.key()] {
		n.platform, n.kind, n.category, n.region = r.platform, r.kind, r.category, r.region
	}
	return nil
}

// leg finds the row of the event's leg. A new leg ends the one before: its
// figures stay what they were, and it is marked as redone.
func (b *book) leg(e eventlog.Event, f *fact) *row {
	if r := b.rows[rowKey{e.SubjectID, f.Leg, 0}]; r != nil {
		return r
	}
	if last := b.rows[rowKey{e.SubjectID, b.legs[e.SubjectID], 0}]; last != nil {
		last.status = ticket.Closed
		last.set(mOpen, false)
		last.set(mRedone, true)
	}
	r := b.put(&row{ticket: e.SubjectID, leg: f.Leg})
	if f.Leg == 1 {
		r.received = e.At
	}
	return r
}

func (b *book) step(e eventlog.Event, f *fact, r, was *row) error {
	switch strings.TrimPrefix(e.Kind, "ticket.") {
	case "create", "answer":
		if f.Direct.On {
			r.set(mDirect, true)
			r.set(mCited, f.Cited != 0)
			r.set(mMiss, f.Miss.On)
		}
		r.set(mRepeat, r.is(mRepeat) || f.Repeat != 0)
		r.set(mInvalid, f.Status == ticket.Invalid)
		r.set(mTold, f.Status == ticket.Redirected || f.Status == ticket.Transferred)
	case "invalidate":
		r.set(mInvalid, true)
	case "redirect", "transfer":
		r.set(mTold, true)
	case "dispatch":
		b.dispatched(r, f, e.At)
	case "delegate":
		b.part(r, f.Unit, e.At, true)
		if f.At == r.unit {
			r.unit = f.Unit
		}
	case "assist":
		b.part(r, f.Unit, e.At, false)
	case "return":
		b.part(r, f.At, e.At, false).set(mReturned, true)
	case "decide-return":
		b.returned(r, was, f, e.At)
	case "sign":
		n := b.part(r, f.At, e.At, false)
		n.set(mSigned, true)
		n.set(mSignLate, n.is(mSignLate) || f.OnTime.Set && !f.OnTime.On)
	case "contact":
		r.set(mContacted, true)
		if r.dispatched > 0 && e.At-r.dispatched <= contactLimit {
			r.set(mContact24, true)
		}
	case "decide-extension": // of the ticket itself, not of a node within it
		if f.Decision == "pass" && (f.Whole.On || f.At == r.root) {
			r.set(mExtended, true)
			if f.Due > e.At {
				r.late = 0
			}
		}
	case "deadline":
		b.deadline(r, f)
	case "close":
		return b.closed(r, f, e)
	case "callback", "evaluate":
		b.judged(r, f, e)
	case "decide-exempt":
		if f.Decision == "pass" {
			r.judged = e.At
			r.marks &^= mReached | mSatisfied | mSolved | mCalled
			r.marks |= mExempt
		}
	case "reopen":
		if f.Unit != 0 && r.dispatched == 0 { // 重办: the same unit, a new leg
			b.dispatched(r, f, e.At)
		}
	}
	return nil
}

// dispatched opens the handling of the leg, or hands it to another unit.
func (b *book) dispatched(r *row, f *fact, at int64) {
	r.moves++
	if r.dispatched == 0 {
		r.dispatched = at
		if f.First.On {
			r.set(mFirst, true)
			r.set(mPrompt, at-r.received <= promptLimit)
		}
	}
	b.part(r, f.Unit, at, true)
}

// returned: an accepted 退单 of the first 主办 says that the first dispatch was
// wrong; a denied one is an improper return.
func (b *book) returned(r, was *row, f *fact, at int64) {
	if f.Decision != "pass" {
		b.part(r, f.At, at, false).set(mDenied, true)
		return
	}
	top := f.At == was.root
	if top && was.moves == 1 && r.is(mFirst) {
		r.set(mWrong, true)
	}
	switch {
	case f.Unit != 0 && top:
		r.moves++
		b.part(r, f.Unit, at, true)
	case f.Unit != 0:
		old := b.part(r, f.At, at, false)
		b.part(r, f.Unit, at, old.is(mMain))
		if f.At == r.unit {
			r.unit = f.Unit
		}
	case f.At == r.unit:
		r.unit = r.root
	}
}

// deadline marks what ran over, at the hour it was due: a sweep may come later.
func (b *book) deadline(r *row, f *fact) {
	if f.Stage != 100 {
		return
	}
	switch f.Clock {
	case ticket.ClockSign:
		if n := b.rows[rowKey{r.ticket, r.leg, f.Owes}]; n != nil && !n.is(mSigned) {
			n.set(mSignLate, true)
		}
	case ticket.ClockHandle:
		if f.Owes == r.root && r.root != 0 && r.closed == 0 {
			r.late = f.Due
		}
	}
}

// closed is an accepted result: the leg's figures are complete.
func (b *book) closed(r *row, f *fact, e eventlog.Event) error {
	if f.Decision != "" && f.Decision != "pass" {
		return nil
	}
	r.closed = e.At
	r.set(mOnTime, f.OnTime.On)
	r.set(mMerged, f.Merged.On)
	r.set(mNoContact, f.Status == ticket.Closed)
	special := f.Nature != "" && f.Nature != "普通"
	if f.Nature == "" && b.special != nil {
		var err error
		if special, err = b.special(r.ticket); err != nil {
			return err
		}
	}
	r.set(mSpecial, special)
	return nil
}

// judged is the citizen's word, or the end of vain calls. The latest counts.
func (b *book) judged(r *row, f *fact, e eventlog.Event) {
	call := e.Kind == "ticket.callback"
	if f.Outcome != "reached" {
		if r.status == ticket.Closed {
			r.judged = e.At
			r.set(mCalled, true)
		}
		return
	}
	r.judged = e.At
	r.set(mReached, true)
	r.set(mCalled, call || r.is(mCalled))
	r.set(mSatisfied, f.Sat >= 3)
	r.set(mSolved, f.Solved == "yes")
}
