package flow

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"slices"

	"hotline/internal/db"
	"hotline/internal/line"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/media"
)

// phase is where a call stands.
type phase string

const (
	greeting   phase = "greeting"   // 播放提示
	queued     phase = "queued"     // 排队
	ringing    phase = "ringing"    // 振铃
	talking    phase = "talk"       // 通话
	forwarding phase = "forwarding" // 转接保留座席、分中心
	forwarded  phase = "forwarded"  // 与保留座席、分中心通话
	handed     phase = "handed"     // 座席已退出，与转接对象通话
	surveying  phase = "survey"     // 评价
	leaving    phase = "leaving"    // 播放结束语后挂机
	dialling   phase = "dialling"   // 外呼
	over       phase = "over"
)

// phaseWord names a phase for people.
var phaseWord = map[phase]string{greeting: "播放提示", queued: "排队", ringing: "振铃", talking: "通话", forwarding: "转接中", forwarded: "分中心接听", handed: "已转出", surveying: "评价", leaving: "结束语", dialling: "呼叫中", over: "已结束"}

// party is one leg of a call.
type party struct {
	Leg      media.Leg `json:"leg"`
	Kind     string    `json:"kind"` // caller, seat, external, monitor
	Name     string    `json:"name"`
	Seat     string    `json:"seat,omitempty"`
	Mode     string    `json:"mode,omitempty"` // of a monitor: listen, whisper, barge
	Began    int64     `json:"began"`
	Answered int64     `json:"answered,omitempty"`
	quality  lineQuality
}

// lineQuality is how a line was over the whole call: sums by packet.
type lineQuality struct{ packets, mos, loss, jitter float64 }

func (h *lineQuality) add(e media.Event) {
	n := float64(e.Packets)
	h.packets, h.mos, h.loss, h.jitter = h.packets+n, h.mos+n*e.MOS, h.loss+n*e.Loss, h.jitter+n*e.Jitter
}

// mean gives MOS in hundredths, loss per mille and jitter in ms; zeros when nothing was heard.
func (h *lineQuality) mean() (mos, loss, jitter int) {
	if h.packets == 0 {
		return 0, 0, 0
	}
	return int(math.Round(h.mos / h.packets * 100)), int(math.Round(h.loss / h.packets * 1000)), int(math.Round(h.jitter / h.packets))
}

// saved is the part of a call that a restart of serve needs.
type saved struct {
	Phase   phase          `json:"phase"`
	Caller  media.Leg      `json:"caller"`
	Room    media.Room     `json:"room"`
	Seat    string         `json:"seat,omitempty"`
	SeatLeg media.Leg      `json:"seat_leg,omitempty"`
	Profile acd.Seat       `json:"profile"`
	Parties []*party       `json:"parties"`
	Treat   line.Treatment `json:"treat"`
	City    int64          `json:"city"`
	Placed  string         `json:"placed,omitempty"` // by what the city was found
	Team    int64          `json:"team,omitempty"`
	Needs   []acd.Need     `json:"needs,omitempty"`
	Named   bool           `json:"named,omitempty"` // for one seat alone (拨测): it rings nowhere else
	Boost   int            `json:"boost,omitempty"`
	Base    int            `json:"base,omitempty"`
	Last    string         `json:"last,omitempty"`
	First   string         `json:"first,omitempty"` // the seat it was handed to, until that did not answer
	Moved   *cdr.Transfer  `json:"moved,omitempty"` // to a queue or a seat, until somebody answers
	Owed    int64          `json:"owed,omitempty"`  // the call-back that this call fulfils
	Held    int64          `json:"held,omitempty"`  // since when the caller is on hold
	Muted   bool           `json:"muted,omitempty"`
	Paused  bool           `json:"paused,omitempty"`
	Mixed   bool           `json:"mixed,omitempty"`
	Rec     string         `json:"rec,omitempty"`
	RecN    int            `json:"rec_n,omitempty"`
	Path    []string       `json:"path,omitempty"` // where the call has been: the loop guard
	Warned  int            `json:"warned,omitempty"`
	Texted  bool           `json:"texted,omitempty"` // a link to a conversation was sent
	Redial  bool           `json:"redial,omitempty"` // this call is the redial of a broken one
	Hand    *hand          `json:"hand,omitempty"`
	Calls   int            `json:"calls,omitempty"` // of the same number within 30 days
	Open    int            `json:"open,omitempty"`  // tickets of the number that are being handled
}

// call is one call that is up, with what flow does about it.
type call struct {
	saved
	rec   cdr.Call
	x     *Exchange
	offer *cdr.Offering
	then  map[string]func(context.Context, string) // by prompt: what follows it
	digit func(context.Context, string)            // what follows Collect
	hint  *timer
	lost  bool // broke off a second time
	dirty bool
	ears  map[media.Leg]*ear // who is transcribed
	words []SegmentView      // what was said so far
	heard string             // how the transcription is, "" = as it should be
	ended int64              // when it ended, of a call that was over when serve came back; 0 = it is up
}

// q is the call's number in the dispatcher: a call-back keeps the number of the
// call that was missed.
func (c *call) q() int64 {
	if c.Owed != 0 {
		return c.Owed
	}
	return c.rec.ID
}

func (c *call) platformUnit(x *Exchange) int64 { return x.Org.Tree().Platform(c.City).ID }

// in makes a party of the call.
func (c *call) in(p *party) *party {
	if p.Began == 0 {
		p.Began = c.x.ms()
	}
	c.Parties = append(c.Parties, p)
	c.x.legs[p.Leg] = c
	c.dirty = true
	return p
}

func (c *call) party(l media.Leg) *party {
	for _, p := range c.Parties {
		if p.Leg == l {
			return p
		}
	}
	return nil
}

// ms is now, or when the call ended.
func (c *call) ms() int64 { return cmp.Or(c.ended, c.x.ms()) }

// out writes a party's leg and lets go of it.
func (c *call) out(l media.Leg, cause int) {
	p := c.party(l)
	if p == nil {
		return
	}
	c.Parties = slices.DeleteFunc(c.Parties, func(q *party) bool { return q == p })
	if c.x.legs[l] == c {
		delete(c.x.legs, l)
	}
	mos, loss, jitter := p.quality.mean()
	rec := cdr.Leg{Leg: string(l), Call: c.rec.ID, Kind: p.Kind, Party: p.Name, Seat: seatID(p.Seat), Began: p.Began, Answered: p.Answered, Ended: c.ms(), Cause: cause, MOS: mos, Loss: loss, Jitter: jitter}
	if p.Kind == "caller" {
		c.rec.MOS, c.rec.Loss, c.rec.Jitter = mos, loss, jitter
	}
	c.x.journal.write(func(tx *db.Tx) error { return c.x.CDR.SaveLeg(tx, rec) })
	c.dirty = true
}

// tell writes the call as it stands, with an event.
func (c *call) tell(kind string, actor int64, data map[string]any) {
	c.rec.Version++
	rec := c.rec
	rec.Flags = slices.Clone(c.rec.Flags)
	c.x.journal.write(func(tx *db.Tx) error {
		if err := c.x.CDR.Save(tx, rec); err != nil {
			return err
		}
		return c.x.CDR.Tell(tx, &rec, kind, actor, data)
	})
	c.dirty = true
	c.x.changed()
}

// keep writes the state by which the call survives a restart.
func (c *call) keep() {
	c.dirty = false
	if c.Phase == over {
		return
	}
	body, err := json.Marshal(c.saved)
	if err != nil {
		slog.Error("voice: call state", "err", err)
		return
	}
	rec := c.rec
	c.x.journal.write(func(tx *db.Tx) error { return c.x.CDR.SaveLive(tx, &rec, body) })
}

// move changes the phase and lets walls and seats see it.
func (c *call) move(p phase) {
	c.Phase, c.dirty = p, true
	c.x.changed()
	c.x.show(c)
}

// play says something to one leg; next runs when it is over, however it ended.
func (c *call) play(ctx context.Context, l media.Leg, name string, clips []media.Clip, loop, barge bool, next func(ctx context.Context, why string)) {
	if c.then == nil {
		c.then = map[string]func(context.Context, string){}
	}
	if next != nil {
		c.then[name] = next
	} else {
		delete(c.then, name)
	}
	err := c.x.Engine.Play(ctx, l, clips, media.PlayOpts{Play: name, Loop: loop, Barge: barge})
	if !c.x.order("play", err) && next != nil { // nobody waits for a prompt that cannot be heard
		delete(c.then, name)
		next(ctx, "gone")
	}
}

func (c *call) played(ctx context.Context, name, why string) {
	if next := c.then[name]; next != nil && why != "gone" {
		delete(c.then, name)
		next(ctx, why)
	}
}

// ask collects digits from the caller; next gets them, "" when none came.
func (c *call) ask(ctx context.Context, d media.Digits, next func(ctx context.Context, digits string)) {
	c.digit = next
	if !c.x.order("collect", c.x.Engine.Collect(ctx, c.Caller, d)) {
		c.digit = nil
	}
}

func (c *call) collected(ctx context.Context, e media.Event) {
	if next := c.digit; next != nil && e.Leg == c.Caller && e.Why != "gone" {
		c.digit = nil
		next(ctx, e.Digits)
	}
}

func (c *call) quality(e media.Event) {
	if p := c.party(e.Leg); p != nil {
		p.quality.add(e)
		if s := c.x.seats[p.Seat]; s != nil && p.Kind == "seat" {
			s.mos, s.loss, s.jitter = int(e.MOS*100), int(e.Loss*1000), int(e.Jitter)
			s.push(Message{Type: "quality", MOS: e.MOS, Loss: e.Loss, Jitter: e.Jitter})
		}
	}
}

// clips spells names.
func clips(names ...string) []media.Clip {
	out := make([]media.Clip, len(names))
	for i, n := range names {
		out[i] = media.Clip{Name: n}
	}
	return out
}

// count is the clip that says how many of something there are: 两位, not 二位.
func count(n int) string {
	if n == 2 {
		return "两"
	}
	return fmt.Sprint(n)
}

// figures says digits one by one: 工号 1 0 2 4.
func figures(s string) []string {
	var out []string
	for _, r := range s {
		if r >= '0' && r <= '9' {
			out = append(out, string(r))
		}
	}
	return out
}

// callerKey is the caller in the dispatcher; "" = cannot be called back.
func (c *call) callerKey() string {
	if c.rec.Number == "" {
		return ""
	}
	return hex.EncodeToString(c.rec.Index())
}

// Word names a phase for people.
func (p phase) Word() string { return phaseWord[p] }
