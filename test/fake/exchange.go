// Package fake plays the outside parties of tests: an exchange without sound, a
// switchboard's web hooks, speech servers. Each follows a script and remembers
// what it was asked.
package fake

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"hotline/internal/voice/media"
)

// Exchange is a media.Engine without sound: legs, rooms and prompts are kept as
// the seam says, and parties do what the test tells them.
type Exchange struct {
	Manual bool // prompts end only when Played is called

	mu       sync.Mutex
	seq      uint64
	past     []media.Event
	subs     []chan media.Event
	legs     map[media.Leg]*leg
	taps     map[media.Leg][]*io.PipeWriter
	rooms    map[media.Room]map[media.Leg]bool
	gain     map[string]float64 // room|listener|speaker, 1 where absent
	recs     map[string]media.Room
	said     map[media.Leg][]string // prompts heard, clip by clip
	Setups   []media.Setup
	Dials    []media.Spec
	no       int
	lost     bool
	now      func() int64
	Ask      map[media.Leg]media.Digits
	phones   []string
	referred []int
}

type leg struct {
	media.LegState
	play string
	loop bool
}

// NewExchange makes an exchange without calls; now is its clock.
func NewExchange(now func() int64) *Exchange {
	return &Exchange{legs: map[media.Leg]*leg{}, taps: map[media.Leg][]*io.PipeWriter{}, rooms: map[media.Room]map[media.Leg]bool{}, gain: map[string]float64{}, recs: map[string]media.Room{}, said: map[media.Leg][]string{}, Ask: map[media.Leg]media.Digits{}, now: now}
}

// Seq is the number of the newest event.
func (x *Exchange) Seq() uint64 { x.mu.Lock(); defer x.mu.Unlock(); return x.seq }

func (x *Exchange) emit(e media.Event) {
	x.seq++
	e.Seq, e.At = x.seq, x.now()
	x.past = append(x.past, e)
	for _, c := range x.subs {
		c <- e
	}
}

// Call lets somebody call.
func (x *Exchange) Call(dnis, ani string) media.Leg { return x.CallWith(dnis, ani, nil) }

// CallWith is Call with SIP headers.
func (x *Exchange) CallWith(dnis, ani string, headers map[string]string) media.Leg {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.no++
	l := media.Leg(fmt.Sprintf("in%d", x.no))
	x.legs[l] = &leg{LegState: media.LegState{Leg: l, State: "ringing", Incoming: true, Trunk: "本机", DNIS: dnis, ANI: ani, Headers: headers, Since: x.now()}}
	x.emit(media.Event{Kind: media.Incoming, Leg: l, Trunk: "本机", DNIS: dnis, ANI: ani, Headers: headers})
	return l
}

// HangUp lets a party hang up.
func (x *Exchange) HangUp(l media.Leg) { x.end(l, 16, "party") }

// Break cuts a party off.
func (x *Exchange) Break(l media.Leg) { x.end(l, 41, "media") }

// Refuse lets a dialled party not answer: 17 busy, 19 no answer.
func (x *Exchange) Refuse(l media.Leg, cause int) { x.end(l, cause, "party") }

func (x *Exchange) end(l media.Leg, cause int, by string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.endLocked(l, cause, by)
}

func (x *Exchange) endLocked(l media.Leg, cause int, by string) {
	k := x.legs[l]
	if k == nil {
		return
	}
	delete(x.legs, l)
	x.leave(l)
	x.emit(media.Event{Kind: media.Ended, Leg: l, Cause: cause, By: by})
}

// leave takes a leg out of its room and ends recordings of empty rooms.
func (x *Exchange) leave(l media.Leg) {
	for r, in := range x.rooms {
		if !in[l] {
			continue
		}
		delete(in, l)
		if len(in) > 0 {
			continue
		}
		delete(x.rooms, r)
		for rec, room := range x.recs {
			if room == r {
				delete(x.recs, rec)
				x.emit(media.Event{Kind: media.RecReady, Rec: rec, SHA256: strings.Repeat("ab", 32), Ms: 1000, Bytes: 16000})
			}
		}
	}
}

// Pick lets a dialled party answer.
func (x *Exchange) Pick(l media.Leg) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if k := x.legs[l]; k != nil {
		k.State = "up"
		x.emit(media.Event{Kind: media.Answered, Leg: l})
	}
}

// Key lets a party press digits that somebody collects.
func (x *Exchange) Key(l media.Leg, digits string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stop(l, "digit")
	delete(x.Ask, l)
	x.emit(media.Event{Kind: media.Collected, Leg: l, Digits: digits, Why: "full"})
}

// Played ends the prompt that a leg hears.
func (x *Exchange) Played(l media.Leg) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stop(l, "end")
}

func (x *Exchange) stop(l media.Leg, why string) {
	if k := x.legs[l]; k != nil && k.play != "" {
		name := k.play
		k.play, k.loop = "", false
		x.emit(media.Event{Kind: media.PlayDone, Leg: l, Play: name, Why: why})
	}
}

// SeatUp connects the standing leg of a browser seat.
func (x *Exchange) SeatUp(s media.Seat) media.Leg {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.no++
	l := media.Leg(fmt.Sprintf("web%s-%d", s, x.no))
	x.legs[l] = &leg{LegState: media.LegState{Leg: l, State: "up", Seat: s, Since: x.now()}}
	x.emit(media.Event{Kind: media.SeatUp, Seat: s, Leg: l})
	return l
}

// SeatDown cuts the standing leg of a seat.
func (x *Exchange) SeatDown(l media.Leg) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if k := x.legs[l]; k != nil {
		delete(x.legs, l)
		x.leave(l)
		x.emit(media.Event{Kind: media.SeatDown, Seat: k.Seat, Leg: l})
	}
}

// Register says that a SIP phone is there.
func (x *Exchange) Register(user string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.phones = append(x.phones, user)
	x.emit(media.Event{Kind: media.Registered, Seat: media.Seat(user), Why: "up"})
}

// Unregister says that a SIP phone is gone.
func (x *Exchange) Unregister(user string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.phones = slices.DeleteFunc(x.phones, func(p string) bool { return p == user })
	x.emit(media.Event{Kind: media.Registered, Seat: media.Seat(user), Why: "down"})
}

// PhoneCall lets a registered phone call.
func (x *Exchange) PhoneCall(user, dnis string) media.Leg {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.no++
	l := media.Leg(fmt.Sprintf("in%d", x.no))
	x.legs[l] = &leg{LegState: media.LegState{Leg: l, State: "ringing", Incoming: true, Seat: media.Seat(user), DNIS: dnis, ANI: user, Since: x.now()}}
	x.emit(media.Event{Kind: media.Incoming, Leg: l, Seat: media.Seat(user), DNIS: dnis, ANI: user})
	return l
}

// Hold lets a party press its hold key, and again.
func (x *Exchange) Hold(l media.Leg, on bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.emit(media.Event{Kind: media.Held, Leg: l, Why: map[bool]string{true: "held", false: "resumed"}[on]})
}

// Said lists the prompts that a leg was told, clip by clip.
func (x *Exchange) Said(l media.Leg) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return strings.Join(x.said[l], " ")
}

// Hears tells whether listener hears speaker now.
func (x *Exchange) Heard(listener, speaker media.Leg) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for r, in := range x.rooms {
		if in[listener] && in[speaker] {
			g, ok := x.gain[key(r, listener, speaker)]
			return !ok || g > 0
		}
	}
	return false
}

// State tells the state of a leg, "" when it is gone.
func (x *Exchange) State(l media.Leg) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if k := x.legs[l]; k != nil {
		return k.State
	}
	return ""
}

// Legs lists the legs that are there.
func (x *Exchange) Legs() []media.Leg {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []media.Leg
	for l := range x.legs {
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}

// Dialled is the newest outgoing leg and where it goes.
func (x *Exchange) Dialled() media.Spec {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.Dials) == 0 {
		return media.Spec{}
	}
	return x.Dials[len(x.Dials)-1]
}

// Lose ends the connection of everyone who follows.
func (x *Exchange) Lose() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.subs {
		close(c)
	}
	x.subs = nil
}

func key(r media.Room, a, b media.Leg) string { return string(r) + "|" + string(a) + "|" + string(b) }

// Events is for media.Engine.
func (x *Exchange) Events(ctx context.Context, from uint64) (<-chan media.Event, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := make(chan media.Event, 100_000)
	for _, e := range x.past {
		if e.Seq > from {
			c <- e
		}
	}
	x.subs = append(x.subs, c)
	context.AfterFunc(ctx, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if i := slices.Index(x.subs, c); i >= 0 {
			x.subs = slices.Delete(x.subs, i, i+1)
			close(c)
		}
	})
	return c, nil
}

// Snapshot is for media.Engine.
func (x *Exchange) Snapshot(context.Context) (media.State, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	st := media.State{Seq: x.seq, Born: 1, SIP: "127.0.0.1:5060", Priority: "test"}
	for _, k := range x.legs {
		st.Legs = append(st.Legs, k.LegState)
	}
	st.Phones = slices.Clone(x.phones)
	slices.SortFunc(st.Legs, func(a, b media.LegState) int { return strings.Compare(string(a.Leg), string(b.Leg)) })
	return st, nil
}

// Setup is for media.Engine.
func (x *Exchange) Setup(_ context.Context, s media.Setup) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.Setups = append(x.Setups, s)
	return nil
}

func (x *Exchange) with(l media.Leg, fn func(k *leg)) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	k := x.legs[l]
	if k == nil {
		return &media.Error{Code: "no_leg", Text: string(l)}
	}
	fn(k)
	return nil
}

// Ring is for media.Engine.
func (x *Exchange) Ring(_ context.Context, l media.Leg) error { return x.with(l, func(*leg) {}) }

// Answer is for media.Engine.
func (x *Exchange) Answer(_ context.Context, l media.Leg) error {
	return x.with(l, func(k *leg) {
		if k.State != "up" {
			k.State = "up"
			x.emit(media.Event{Kind: media.Answered, Leg: l})
		}
	})
}

// Reject is for media.Engine.
func (x *Exchange) Reject(_ context.Context, l media.Leg, cause int) error {
	return x.with(l, func(*leg) { x.endLocked(l, cause, "platform") })
}

// Dial is for media.Engine.
func (x *Exchange) Dial(_ context.Context, s media.Spec) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.legs[s.Leg] != nil {
		return nil
	}
	x.Dials = append(x.Dials, s)
	x.legs[s.Leg] = &leg{LegState: media.LegState{Leg: s.Leg, State: "ringing", Since: x.now()}}
	x.emit(media.Event{Kind: media.Ringing, Leg: s.Leg})
	return nil
}

// Hangup is for media.Engine.
func (x *Exchange) Hangup(_ context.Context, l media.Leg, cause int) error {
	x.end(l, cause, "platform")
	return nil
}

// Referred is for media.Engine.
func (x *Exchange) Referred(_ context.Context, l media.Leg, code int) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.referred = append(x.referred, code)
	return nil
}

// Outcomes are the answers to Refer so far.
func (x *Exchange) Outcomes() []int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.referred)
}

// Refer lets a phone ask to be transferred.
func (x *Exchange) Refer(l media.Leg, to string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.emit(media.Event{Kind: media.Transfer, Leg: l, DNIS: to})
}

// Play is for media.Engine.
func (x *Exchange) Play(_ context.Context, l media.Leg, clips []media.Clip, o media.PlayOpts) error {
	return x.with(l, func(k *leg) {
		x.stop(l, "stop")
		for _, c := range clips {
			x.said[l] = append(x.said[l], c.Name)
		}
		k.play, k.loop = o.Play, o.Loop
		if !o.Loop && !x.Manual {
			x.stop(l, "end")
		}
	})
}

// StopPlay is for media.Engine.
func (x *Exchange) StopPlay(_ context.Context, l media.Leg) error {
	return x.with(l, func(*leg) { x.stop(l, "stop") })
}

// Collect is for media.Engine.
func (x *Exchange) Collect(_ context.Context, l media.Leg, d media.Digits) error {
	return x.with(l, func(*leg) { x.Ask[l] = d })
}

// Mix is for media.Engine.
func (x *Exchange) Mix(ctx context.Context, r media.Room, legs ...media.Leg) error {
	for _, l := range legs {
		if err := x.Join(ctx, r, l); err != nil {
			return err
		}
	}
	return nil
}

// Join is for media.Engine.
func (x *Exchange) Join(_ context.Context, r media.Room, l media.Leg) error {
	return x.with(l, func(*leg) {
		if x.rooms[r] == nil {
			x.rooms[r] = map[media.Leg]bool{}
		}
		if !x.rooms[r][l] {
			x.leave(l)
			if x.rooms[r] == nil {
				x.rooms[r] = map[media.Leg]bool{}
			}
			x.rooms[r][l] = true
		}
		x.stop(l, "stop")
	})
}

// Leave is for media.Engine.
func (x *Exchange) Leave(_ context.Context, r media.Room, l media.Leg) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.rooms[r][l] {
		x.leave(l)
	}
	return nil
}

// Hears is for media.Engine.
func (x *Exchange) Hears(_ context.Context, r media.Room, listener, speaker media.Leg, gain float64) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.gain[key(r, listener, speaker)] = gain
	return nil
}

// Record is for media.Engine.
func (x *Exchange) Record(_ context.Context, r media.Room, p media.RecordPolicy) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.recs[p.Rec] = r
	return nil
}

// Pause is for media.Engine.
func (x *Exchange) Pause(context.Context, string, bool) error { return nil }

// Connect is for media.Engine.
func (x *Exchange) Connect(_ context.Context, s media.Seat, offer string) (string, error) {
	x.SeatUp(s)
	return "answer to " + offer, nil
}

// Disconnect is for media.Engine.
func (x *Exchange) Disconnect(_ context.Context, s media.Seat) error {
	x.mu.Lock()
	var down []media.Leg
	for l, k := range x.legs {
		if k.Seat == s {
			down = append(down, l)
		}
	}
	x.mu.Unlock()
	for _, l := range down {
		x.SeatDown(l)
	}
	return nil
}

// Tap is for media.Engine.
func (x *Exchange) Tap(_ context.Context, l media.Leg) (io.ReadCloser, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.legs[l] == nil {
		return nil, &media.Error{Code: media.CodeNoLeg, Text: string(l)}
	}
	r, w := io.Pipe()
	x.taps[l] = append(x.taps[l], w)
	return r, nil
}

// Tapped is how often the leg is being listened to.
func (x *Exchange) Tapped(l media.Leg) int { x.mu.Lock(); defer x.mu.Unlock(); return len(x.taps[l]) }

// Say has a party speak: those who tap the leg hear it; whoever let go is forgotten.
func (x *Exchange) Say(l media.Leg, law []byte) {
	x.mu.Lock()
	taps := slices.Clone(x.taps[l])
	x.mu.Unlock()
	for _, w := range taps {
		if _, err := w.Write(law); err != nil {
			x.mu.Lock()
			x.taps[l] = slices.DeleteFunc(x.taps[l], func(o *io.PipeWriter) bool { return o == w })
			x.mu.Unlock()
		}
	}
}

var _ media.Engine = (*Exchange)(nil)
