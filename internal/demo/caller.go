package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/api"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/intake"
	"hotline/internal/line"
	"hotline/internal/region"
	"hotline/internal/ticket"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/media/play"
	"hotline/internal/voice/media/rtp"
)

const (
	// opening is how long a caller lets the seat greet him: 工号…为您服务，请讲。
	opening = 4 * time.Second
	// patience is how long he waits for a seat.
	patience = 90 * time.Second
	// lingering is how long he stays on the line after his last sentence, and
	// speechless how long one who says nothing does.
	lingering  = 3 * time.Minute
	speechless = time.Minute
	// known is how long the platform may take to know of a call.
	known = 3 * time.Second
)

// phones are the callers of a Face.
type phones struct {
	set  *handset
	last map[int64]*phoneCall // the newest caller of each
	busy map[int64]bool       // by the account whose seat is called
	back map[string]string    // numbers that expect to be called back, and which caller speaks then
}

// Scenarios lists the callers that a person's seat can be called by (来一个电话).
func (f *Face) Scenarios(_ context.Context, a access.Actor) ([]api.DemoScenario, error) {
	list, err := callers()
	if err != nil {
		return nil, err
	}
	out := make([]api.DemoScenario, len(list))
	for i, c := range list {
		out[i] = f.scenario(i, c, a)
	}
	return out, nil
}

func (f *Face) scenario(i int, c play.Caller, a access.Actor) api.DemoScenario {
	s := api.DemoScenario{Name: c.Name, Title: c.Title, Number: callerNumber(i, f.city(a)), Line: c.DNIS, LineName: f.a.Lines.Name(c.DNIS, f.a.Clock.Now()), Lines: []api.DemoSentence{}}
	lead := int(opening / time.Millisecond)
	for _, l := range c.Lines {
		s.Lines = append(s.Lines, api.DemoSentence{From: l.From + lead, To: l.To + lead, Text: l.Text})
	}
	return s
}

// city is the region of a person's platform.
func (f *Face) city(a access.Actor) string { return f.a.Org.Tree().Platform(a.Unit).Region }

// callerNumber is the number of the i-th caller of a city: out of the range that
// no real subscriber has, and another in each city, as his open ticket is.
func callerNumber(i int, city string) string {
	n := slices.IndexFunc(region.Cities(), func(r region.Region) bool { return r.Code == city }) + 1
	return fmt.Sprintf("%s0000%04d", mobilePrefixes[i%len(mobilePrefixes)], 9000+n)
}

// dialled is the number as somebody in the city dials it: with its area code,
// by which the platform knows where the call comes from.
func dialled(number, city string) string {
	r, _ := region.Get(city)
	if _, place := line.Split(r.AreaCode + number); r.AreaCode != "" && place == city {
		return r.AreaCode + number
	}
	return number
}

// Call has a caller of a scenario ring the person's own seat.
func (f *Face) Call(ctx context.Context, a access.Actor, name string) (api.DemoCall, error) {
	list, err := callers()
	if err != nil {
		return api.DemoCall{}, err
	}
	i := slices.IndexFunc(list, func(c play.Caller) bool { return c.Name == name })
	switch {
	case i < 0:
		return api.DemoCall{}, fault.Invalid("scenario_unknown", "没有这个来电场景，请重新选择。").At(fault.Field{Name: "scenario", Detail: "请重新选择来电场景。"})
	case f.a.Voice == nil:
		return api.DemoCall{}, fault.Unavailable("voice_unavailable", "本次启动没有语音平台，不能模拟来电。")
	}
	if err := f.a.Voice.Free(a); err != nil {
		return api.DemoCall{}, err
	}
	sound, err := said(list[i])
	if err != nil {
		return api.DemoCall{}, err
	}
	out := api.DemoCall{Scenario: f.scenario(i, list[i], a)}
	if name == "repeat" {
		if err := f.calledBefore(ctx, a, out.Scenario.Number); err != nil {
			return out, err
		}
	}
	set, err := f.engage(a.Account)
	if err != nil {
		return out, err
	}
	if name == hurried {
		f.expect(out.Scenario.Number, saysHurried)
	}
	if name == breaking {
		f.expect(out.Scenario.Number, breaking)
	}
	l, err := set.dial(dialled(list[i].DNIS, f.city(a)), out.Scenario.Number, map[string]string{flow.SeatHeader: flow.SeatOf(a)})
	if err != nil {
		f.release(a.Account)
		return out, fault.Unavailable("voice_unavailable", "语音平台没有接通，请稍后再试。").Because(err)
	}
	f.mu.Lock()
	f.phones.last[a.Account] = l
	f.mu.Unlock()
	go func() {
		defer f.over(a.Account, l)
		f.tell(l, list[i], sound)
	}()
	until := f.a.Clock.Now().Add(known)
	for f.a.Clock.Now().Before(until) && f.a.Clock.Sleep(ctx, frame) == nil {
		if p, ok := f.a.Voice.Probe(l.id()); ok {
			out.Call = api.ID(p.Call)
			return out, nil
		}
	}
	_ = l.call.Hangup(16)
	return out, fault.Unavailable("voice_unavailable", "语音平台没有接通，请稍后再试。")
}

// engage reserves the caller of a seat: one at a time.
func (f *Face) engage(account int64) (*handset, error) {
	set, err := f.handset()
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.phones.last[account]; old != nil && f.phones.busy[account] {
		if p, ok := f.a.Voice.Probe(old.id()); ok && p.Answered > 0 { // handed on: the seat is free for another
			_ = old.call.Hangup(16)
			delete(f.phones.busy, account)
		}
	}
	if f.phones.busy[account] {
		return nil, fault.Conflict("demo_call_running", "上一通演示来电还没有结束，请先处理完。")
	}
	f.phones.busy[account] = true
	return set, nil
}

// over frees the caller of a seat, unless another has taken his place.
func (f *Face) over(account int64, l *phoneCall) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.phones.last[account] == l {
		delete(f.phones.busy, account)
		delete(f.phones.last, account)
	}
}

func (f *Face) release(account int64) {
	f.mu.Lock()
	delete(f.phones.busy, account)
	f.mu.Unlock()
}

// Close hangs up the callers.
func (f *Face) Close() {
	f.mu.Lock()
	set := f.phones.set
	f.phones.set = nil
	f.mu.Unlock()
	if set != nil {
		set.close()
	}
}

// id is the Call-ID by which the platform knows the call too.
func (l *phoneCall) id() string {
	id, _, _ := strings.Cut(l.call.ID(), ";")
	return id
}

// tell has a caller wait for the seat, listen to its greeting, say what he has
// to say and stay on the line until the far end hangs up or his time is over.
func (f *Face) tell(l *phoneCall, c play.Caller, sound []byte) {
	stay := lingering
	if !audible(sound) {
		stay = speechless
	}
	t := talker{f: f, l: l, sound: sound, until: f.a.Clock.Now().Add(patience), stay: stay, verdict: "51", breaks: c.Name == breaking, probe: func() (flow.Probe, bool) { return f.a.Voice.Probe(l.id()) }}
	switch c.Name {
	case "abuse":
		t.verdict = "22"
	case "silent":
		t.verdict = ""
	case hurried:
		t.rings = rings
	}
	t.run()
}

// audible tells whether there is more than silence.
func audible(sound []byte) bool {
	return slices.ContainsFunc(sound, func(b byte) bool { return b != rtp.Silence })
}

// calledBefore makes sure that a number has a ticket that is being handled, six
// days old, about what the caller of 重复来电 complains of.
func (f *Face) calledBefore(ctx context.Context, a access.Actor, number string) error {
	old, err := f.a.Ticket.ByPhone(ctx, number, 30)
	if err != nil || slices.ContainsFunc(old, func(t *ticket.Ticket) bool { return !ticket.Final(t.Status) }) {
		return err
	}
	city := f.city(a)
	q := intake.Request{Type: "投诉", Title: "小区地下车库积水", Content: "诉求人反映：小区地下车库长期积水，下雨时漫到电梯口，物业未处理，要求尽快抽排并修好排水设施。", Region: city, Address: "小区地下车库", Object: "物业公司",
		Requester: ticket.Requester{Kind: "个人", Name: "周建华", Phone: number, Gender: "男"}, Secrecy: ticket.SecrecyNormal, Urgency: "一般", Channel: "phone", Line: line.Hotline, Way: intake.WayDispatch,
		Source: source, SourceNo: fmt.Sprintf("R%s-%d", city, len(old)), Demo: true, At: clock.Millis(f.a.Clock.Now().AddDate(0, 0, -6))}
	n, err := f.a.Intake.Decide(system, q)
	if err != nil {
		return err
	}
	by, err := f.people.named(ctx, n.Platform, access.Agent)
	if err != nil {
		return err
	}
	h := &history{a: f.a, past: f.a.Ticket.Loading(), people: f.people}
	_, err = h.put(ctx, 0, life{by: by, n: n})
	return err
}
