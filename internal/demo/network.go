package demo

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"strconv"
	"time"

	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/line"
	"hotline/internal/policy"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/media/play"
)

// statePhone is the row of demo_state with the port of the handset, kept so
// that a second start publishes no new rules.
const statePhone = "phone"

// localTrunk is the trunk of the built-in rules that leads to this machine.
const localTrunk = "本机"

// Telephone connects the platform with the telephone network of the
// demonstration, so that citizens, units and 110 can be called, and keeps it
// until ctx ends. Without an exchange it does nothing.
func (f *Face) Telephone(ctx context.Context) error {
	if f.a.Voice == nil {
		return nil
	}
	for {
		if _, ok := f.a.Voice.Linked(); ok {
			break
		}
		if f.a.Clock.Sleep(ctx, time.Second) != nil {
			return nil
		}
	}
	set, err := f.handset()
	if err != nil {
		return err
	}
	return f.publishTrunk(ctx, set.stack.Addr())
}

// handset opens the telephone network at its first use.
func (f *Face) handset() (*handset, error) {
	sip, ok := f.a.Voice.Linked()
	if !ok {
		return nil, fault.Unavailable("voice_unavailable", "语音平台暂不可用，请稍后再试。")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.phones.set == nil {
		var port int
		if _, err := getState(context.Background(), f.a.DB, statePhone, &port); err != nil {
			return nil, err
		}
		set, err := openHandset(f.a.Clock, sip, port, f.called)
		if err != nil {
			return nil, fault.Unavailable("voice_unavailable", "模拟来电的话机没有启动，请稍后再试。").Because(err)
		}
		f.phones = phones{set: set, busy: map[int64]bool{}, last: map[int64]*phoneCall{}, back: map[string]string{}}
	}
	return f.phones.set, nil
}

// publishTrunk writes the network's address into the rules of the telephone.
// Nobody real is ever called, so there are no quiet hours.
func (f *Face) publishTrunk(ctx context.Context, addr string) error {
	_, doc := f.a.Policy.At(flow.PolicyVoice, policy.Province, f.a.Clock.Now())
	var rules map[string]any
	if err := json.Unmarshal(doc, &rules); err != nil {
		return err
	}
	trunks, _ := rules["trunks"].([]any)
	for _, t := range trunks {
		if t, ok := t.(map[string]any); ok && t["name"] == localTrunk {
			t["address"], t["counted"] = addr, true
		}
	}
	rules["quiet"] = map[string]any{"from": "00:00", "to": "00:00"}
	doc, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(p)
	if err != nil {
		return err
	}
	err = f.a.DB.Update(ctx, func(tx *db.Tx) error {
		if err := putState(tx, statePhone, port); err != nil {
			return err
		}
		_, err := f.a.Policy.Publish(tx, policy.Publication{Kind: flow.PolicyVoice, Doc: doc, Note: "演示：外呼接到本机的模拟话机，不设静默时段"})
		return err
	})
	if fault.Is(err, "policy_unchanged") {
		return nil
	}
	return err
}

// expect notes that a number will be called back, and what its owner will say.
func (f *Face) expect(number, caller string) {
	f.mu.Lock()
	f.phones.back[number] = caller
	f.mu.Unlock()
}

// breaking is the scenario whose call breaks off.
const breaking = "broken"

// hurried (漏接来电) is the scenario of one who rings and soon hangs up: he is
// owed a call. He says what the caller of saysHurried says.
const (
	hurried     = "missed"
	saysHurried = "bus"
	// rings is how long he waits for a seat: more than a short abandon, less than
	// the time that a seat rings.
	rings = 7 * time.Second
)

// callers are the callers of the demonstration.
func callers() ([]play.Caller, error) {
	list, err := play.Callers()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(c play.Caller) bool { return c.Name == saysHurried })
	if i < 0 {
		return list, nil
	}
	c := list[i]
	c.Name, c.Title = hurried, "漏接来电（响7秒挂断）"
	return append(list, c), nil
}

// said is whose sound a caller's is.
func said(c play.Caller) ([]byte, error) {
	if c.Name == hurried {
		c.Name = saysHurried
	}
	return c.Sound()
}

var emergencies = []string{"110", "119", "120", "122"}

// called speaks for whoever the platform calls: a citizen, or the number of a
// unit, a sub-centre or an emergency service.
func (f *Face) called(l *phoneCall) {
	number, _ := line.Split(l.call.DNIS())
	name, verdict, again := "citizen", "51", ""
	f.mu.Lock()
	switch {
	case f.phones.back[number] != "":
		again = f.phones.back[number]
		delete(f.phones.back, number)
	case slices.Contains(emergencies, number):
		name, verdict = "emergency", ""
	case l.call.Headers()["Diversion"] != "": // a citizen is handed on
		name, verdict = "unit", ""
	}
	f.mu.Unlock()
	sound, err := play.Callee(name)
	if again != "" { // says what was cut off, or what nobody took
		sound, err = play.Caller{Name: again}.Sound()
	}
	if err != nil {
		return
	}
	id, _ := strconv.ParseInt(l.call.Headers()["X-Call"], 10, 64)
	t := talker{f: f, l: l, sound: sound, stay: lingering, verdict: verdict, called: true, probe: func() (flow.Probe, bool) { return f.a.Voice.ProbeCall(id) }}
	t.run()
}
