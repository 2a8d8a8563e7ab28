package demo

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	pion "github.com/pion/webrtc/v4"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/media/play"
)

const (
	// onDuty is how many simulated seats the province's first city has.
	onDuty = 3
	// meanCall is the time between the end of one simulated call and the next.
	meanCall = 40 * time.Second
	// notesTime is how long a simulated seat writes after a call.
	notesTime = 8 * time.Second
	// givesUp is the share of callers who hang up before a seat answers.
	givesUp = 0.08
	// dutyCity is the city whose wall lives.
	dutyCity = "420100"
)

// duty (当班) is a simulated seat: a seat like any other, with a browser's voice
// path, whose person is the demonstration.
type duty struct {
	f     *Face
	actor access.Actor
	desk  *flow.Desk
	pc    *pion.PeerConnection
	told  chan flow.Message
}

// Calls keeps a few simulated seats on duty and has one citizen at a time ring
// them, so that the wall and the figures live. It ends with ctx.
func (f *Face) Calls(ctx context.Context) error {
	if err := f.Telephone(ctx); err != nil || f.a.Voice == nil || ctx.Err() != nil {
		return err
	}
	set, err := f.handset()
	if err != nil {
		return err
	}
	plat, ok := f.a.Org.Tree().CityPlatform(dutyCity)
	if !ok {
		return nil
	}
	people, err := f.people.all(ctx, plat.ID, access.Agent)
	if err != nil {
		return err
	}
	var seats []*duty
	defer func() {
		for _, d := range seats {
			d.leave(ctx)
		}
	}()
	for _, p := range people[min(1, len(people)):min(1+onDuty, len(people))] { // the first is the visitor's
		d, err := f.sit(ctx, p)
		if err != nil {
			return err
		}
		seats = append(seats, d)
	}
	r := rand.New(rand.NewPCG(uint64(clock.Millis(f.a.Clock.Now())), 7))
	for n := 0; len(seats) > 0; n++ {
		wait := min(max(time.Duration(float64(meanCall)*r.ExpFloat64()/max(pace(f.a.Clock.Now()), 0.2)), 5*time.Second), 3*time.Minute)
		if f.a.Clock.Sleep(ctx, wait) != nil {
			return nil
		}
		if err := seats[n%len(seats)].serve(ctx, set, r); err != nil && ctx.Err() == nil {
			slog.Warn("demo: a simulated call failed", "err", err)
		}
	}
	return nil
}

// sit brings a simulated person to his seat.
func (f *Face) sit(ctx context.Context, who access.Actor) (*duty, error) {
	d := &duty{f: f, actor: who, told: make(chan flow.Message, 64)}
	var err error
	d.desk, err = f.a.Voice.Open(ctx, who, func(m flow.Message) {
		if m.Type == "ringing" && m.Callback {
			go d.callBack(ctx)
		}
		select {
		case d.told <- m:
		default: // he does not look: nothing waits for him
		}
	})
	if err != nil {
		return nil, err
	}
	if err := d.connect(ctx); err != nil {
		d.leave(ctx)
		return nil, err
	}
	if !d.until(ctx, 15*time.Second, func(m flow.Message) bool { return m.Type == "state" && m.Up }) {
		d.leave(ctx)
		return nil, fault.Unavailable("voice_unavailable", "模拟座席的语音通道没有接通。")
	}
	return d, d.desk.Ready(ctx)
}

// callBack takes a call-back (漏接回拨) that rings at the seat, hears the citizen
// out and writes its notes.
func (d *duty) callBack(ctx context.Context) {
	clk := d.f.a.Clock
	if clk.Sleep(ctx, 2*time.Second) != nil || d.desk.Answer(ctx, 0) != nil {
		return
	}
	if clk.Sleep(ctx, 25*time.Second) == nil && d.desk.Hangup(ctx) == nil && clk.Sleep(ctx, notesTime) == nil {
		_ = d.desk.Wrapup(ctx) // the limit may have ended it
	}
}

// connect opens the voice path: it hears, and says nothing.
func (d *duty) connect(ctx context.Context) (err error) {
	if d.pc, err = pion.NewPeerConnection(pion.Configuration{}); err != nil {
		return err
	}
	if _, err = d.pc.AddTransceiverFromKind(pion.RTPCodecTypeAudio, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionRecvonly}); err != nil {
		return err
	}
	d.pc.OnTrack(func(t *pion.TrackRemote, _ *pion.RTPReceiver) {
		buf := make([]byte, 1500)
		for {
			if _, _, err := t.Read(buf); err != nil {
				return
			}
		}
	})
	offer, err := d.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := pion.GatheringCompletePromise(d.pc)
	if err := d.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	answer, err := d.desk.Offer(ctx, d.pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	return d.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: answer})
}

// leave signs the seat off; when the platform stops, its exchange is going too.
func (d *duty) leave(ctx context.Context) {
	if ctx.Err() == nil {
		_ = d.desk.Hangup(ctx)
		_ = d.desk.SignOff(ctx)
		d.desk.Close(ctx)
	}
	if d.pc != nil {
		_ = d.pc.Close()
	}
}

// until waits for a message.
func (d *duty) until(ctx context.Context, within time.Duration, want func(flow.Message) bool) bool {
	end := d.f.a.Clock.After(within)
	for {
		select {
		case <-ctx.Done():
			return false
		case <-end:
			return false
		case m := <-d.told:
			if want(m) {
				return true
			}
		}
	}
}

// serve has a citizen call the seat, and the seat take the call to its end.
func (d *duty) serve(ctx context.Context, set *handset, r *rand.Rand) error {
	f := d.f
	if f.a.Voice.Free(d.actor) != nil { // a visitor sits here, or it is still at its notes
		return d.desk.Ready(ctx)
	}
	list, err := play.Callers()
	if err != nil {
		return err
	}
	c := list[r.IntN(len(list))]
	for c.Name == breaking || c.Name == "silent" || c.Name == "abuse" || c.Name == "repeat" {
		c = list[r.IntN(len(list))]
	}
	sound, err := c.Sound()
	if err != nil {
		return err
	}
	number := fmt.Sprintf("%s0000%04d", pick(r, mobilePrefixes[:]), r.IntN(9000))
	l, err := set.dial(dialled(c.DNIS, dutyCity), number, map[string]string{flow.SeatHeader: flow.SeatOf(d.actor)})
	if err != nil {
		return err
	}
	t := talker{f: f, l: l, sound: sound, until: f.a.Clock.Now().Add(patience), stay: lingering, verdict: pick(r, []string{"51", "51", "41", "31", "22", ""}), probe: func() (flow.Probe, bool) { return f.a.Voice.Probe(l.id()) }}
	gone := make(chan struct{})
	go func() { t.run(); close(gone) }()
	if !d.until(ctx, patience, func(m flow.Message) bool { return m.Type == "ringing" }) {
		return l.call.Hangup(16)
	}
	if r.Float64() < givesUp {
		if err := l.call.Hangup(16); err != nil {
			return err
		}
		<-gone
		return nil
	}
	if err := f.a.Clock.Sleep(ctx, time.Duration(800+r.IntN(6000))*time.Millisecond); err != nil {
		return err
	}
	if err := d.desk.Answer(ctx, 0); err != nil {
		_ = l.call.Hangup(16)
		return err
	}
	talk := opening + time.Duration(len(sound)/8)*time.Millisecond + time.Duration(2000+r.IntN(9000))*time.Millisecond
	d.until(ctx, talk, func(m flow.Message) bool { return m.Type == "done" })
	_ = d.desk.Hangup(ctx) // nothing to hang up when the citizen went first
	select {
	case <-gone:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := f.a.Clock.Sleep(ctx, notesTime); err != nil {
		return err
	}
	_ = d.desk.Wrapup(ctx) // the limit may have ended it
	return nil
}
