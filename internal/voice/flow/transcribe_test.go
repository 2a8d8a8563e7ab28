package flow

import (
	"context"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/fault"
	"hotline/internal/voice/media"
	"hotline/internal/voice/speech"
	"hotline/test/fake"
)

var quiet = []byte(strings.Repeat("\xd5", 60*8))

// hearing is a world whose calls are transcribed by a runtime that says script
// for each party.
func hearing(t *testing.T, script []fake.Line) (*world, *fake.FunASR) {
	t.Helper()
	f := fake.NewFunASR(script)
	t.Cleanup(f.Close)
	w := newWorld(t)
	w.stop()
	<-w.done
	ears, err := speech.Config{ASR: f.URL()}.Recognizer()
	must(t, err)
	w.deps.Speech = ears
	w.start()
	return w, f
}

// speak has a party say something until the seat's page shows want.
func (w *world) speak(l media.Leg, p *page, want func(Message) bool) Message {
	w.t.Helper()
	var got Message
	w.eventually("it is shown", func() bool {
		w.e.Say(l, quiet)
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, m := range p.told {
			if want(m) {
				got = m
				return true
			}
		}
		return false
	})
	return got
}

func segment(text string, final bool) func(Message) bool {
	return func(m Message) bool {
		return m.Type == "transcript" && m.Segment.Text == text && m.Segment.Final == final
	}
}

func TestTheTalkIsWrittenBesideTheForm(t *testing.T) {
	w, f := hearing(t, []fake.Line{
		{After: 60, Raw: `{"mode":"2pass-online","text":"我电话","wav_name":"microphone","is_final":true}`},
		{After: 120, Raw: `{"mode":"2pass-offline","text":"我电话13871234567。","wav_name":"microphone","is_final":true}`},
	})
	p := w.sit("wang")
	if m, _ := p.last("transcribing"); m.Code != hearingOn || m.Name != "FunASR" {
		t.Errorf("at the beginning: %+v", m)
	}
	caller := w.call("12345")
	if len(f.Hellos()) != 0 {
		t.Error("the caller is heard before a seat is there")
	}
	w.pass(2 * time.Second)
	id := p.answer()
	w.eventually("both are heard", func() bool { return w.e.Tapped(caller) == 1 && w.e.Tapped(p.leg) == 1 })
	w.speak(caller, p, segment("我电话", false))
	m := w.speak(caller, p, segment("我电话13871234567。", true))
	if m.Call != id || m.Segment.Who != "caller" || m.Segment.Label != "诉求人" || m.Segment.At == 0 {
		t.Errorf("the seat sees %+v", m.Segment)
	}
	if m = w.speak(p.leg, p, func(m Message) bool { return m.Type == "transcript" && m.Segment.Who == "seat" && m.Segment.Final }); m.Segment.Label != "座席" {
		t.Errorf("the seat's own words are %+v", m.Segment)
	}
	ctx := context.Background()
	again, err := w.x.Open(ctx, p.a, func(m Message) { p.mu.Lock(); p.told = append(p.told, m); p.mu.Unlock() })
	must(t, err)
	defer again.Close(ctx)
	if m, ok := p.last("transcript"); !ok || !m.Segment.Final {
		t.Error("a page loaded anew does not see what was said")
	}
	must(t, p.d.Pause(ctx, true))
	w.eventually("nobody is heard while the recording is paused", func() bool {
		w.e.Say(caller, quiet)
		return w.e.Tapped(caller) == 0
	})
	must(t, p.d.Pause(ctx, false))
	w.eventually("and again after", func() bool { return w.e.Tapped(caller) == 1 })
	must(t, p.d.Hangup(ctx))
	w.eventually("the survey is not heard", func() bool {
		w.e.Say(caller, quiet)
		return w.e.Tapped(caller) == 0
	})
	if n := w.count(`SELECT count(*) FROM voice_transcript WHERE redacted LIKE '%13871234567%' OR body LIKE '%13871234567%'`); n != 0 {
		t.Error("a number is stored in the clear")
	}
	list, err := w.deps.CDR.Transcript(ctx, w.deps.Audit, p.a, id, false)
	must(t, err)
	if len(list) < 2 || strings.Contains(list[0].Text, "13871234567") || list[0].Source != "FunASR" {
		t.Errorf("redacted: %+v", list)
	}
	if _, err := w.deps.CDR.Transcript(ctx, w.deps.Audit, p.a, id, true); !fault.Is(err, "role_forbidden") {
		t.Errorf("an agent reads the clear text: %v", err)
	}
	lead := p.a
	lead.Role = access.ShiftLead
	if list, err = w.deps.CDR.Transcript(ctx, w.deps.Audit, lead, id, true); err != nil || list[0].Text != "我电话13871234567。" {
		t.Errorf("the lead reads %+v, %v", list, err)
	}
	if n := w.count(`SELECT count(*) FROM audit WHERE kind = 'call.transcript'`); n != 2 {
		t.Errorf("%d entries of the audit for two readings", n)
	}
	elsewhere := lead
	u, _ := w.deps.Org.Tree().ByCode("P420200")
	elsewhere.Unit, elsewhere.Platform = u.ID, u.ID
	if _, err := w.deps.CDR.Transcript(ctx, w.deps.Audit, elsewhere, id, true); !fault.Is(err, "call_absent") {
		t.Errorf("another city: %v", err)
	}
}

func TestARecognizerThatFailsHurtsNoCall(t *testing.T) {
	w, f := hearing(t, []fake.Line{{After: 60, Raw: `{"mode":"2pass-offline","text":"你好。"}`}})
	f.Down(true)
	p := w.sit("wang")
	caller := w.call("12345")
	w.pass(2 * time.Second)
	p.answer()
	w.eventually("the seat is told", func() bool { m, _ := p.last("transcribing"); return m.Code == hearingLost })
	if m, _ := p.last("transcribing"); m.Text != "转写暂不可用，通话不受影响。" || p.state() != "talking" || !w.e.Heard(p.leg, caller) {
		t.Errorf("told %+v, the seat is %s", m, p.state())
	}
	f.Down(false)
	w.eventually("it is tried again", func() bool {
		w.pass(time.Second)
		w.e.Say(caller, quiet)
		_, ok := p.last("transcript")
		return ok
	})
	if m, _ := p.last("transcribing"); m.Code != hearingOn {
		t.Errorf("afterwards %+v", m)
	}
}

func TestWithoutARecognizerTheSeatKnows(t *testing.T) {
	w := newWorld(t)
	p := w.sit("wang")
	if m, ok := p.last("transcribing"); !ok || m.Code != hearingOff || m.Text == "" {
		t.Errorf("told %+v", m)
	}
}
