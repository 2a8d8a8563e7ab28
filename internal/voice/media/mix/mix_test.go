package mix

import (
	"math"
	"math/rand/v2"
	"testing"

	"hotline/internal/voice/media/rtp"
)

// The voices of the tests: caller, agent, supervisor, expert.
var voices = []float64{440, 1000, 1500, 2200}

func tone(hz float64) *Frame {
	var f Frame
	for i := range f {
		f[i] = rtp.ALaw(int16(6000 * math.Sin(2*math.Pi*hz*float64(i)/8000)))
	}
	return &f
}

func TestWhoHearsWhom(t *testing.T) {
	const caller, agent, boss, expert = "caller", "agent", "boss", "expert"
	type hear struct {
		listener, speaker string
		gain              float32
	}
	names := []string{caller, agent, boss, expert}
	for _, c := range []struct {
		name  string
		n     int
		set   []hear
		plain bool
		want  map[string][]string
	}{
		{"通话", 2, nil, true, map[string][]string{caller: {agent}, agent: {caller}}},
		{"保持", 2, []hear{{caller, agent, 0}, {agent, caller, 0}}, false, map[string][]string{}},
		{"静音", 2, []hear{{caller, agent, 0}}, false, map[string][]string{agent: {caller}}},
		{"三方", 3, nil, false, map[string][]string{caller: {agent, boss}, agent: {caller, boss}, boss: {caller, agent}}},
		{"监听", 3, []hear{{caller, boss, 0}, {agent, boss, 0}}, false, map[string][]string{caller: {agent}, agent: {caller}, boss: {caller, agent}}},
		{"密语", 3, []hear{{caller, boss, 0}}, false, map[string][]string{caller: {agent}, agent: {caller, boss}, boss: {caller, agent}}},
		{"强插", 3, []hear{{caller, boss, 1}, {agent, boss, 1}}, false, map[string][]string{caller: {agent, boss}, agent: {caller, boss}, boss: {caller, agent}}},
		{"四方", 4, nil, false, map[string][]string{caller: {agent, boss, expert}, agent: {caller, boss, expert}, boss: {caller, agent, expert}, expert: {caller, agent, boss}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Room[string]
			in, out := make([]*Frame, c.n), make([]*Frame, c.n)
			for i := range c.n {
				r.Add(names[i])
				in[i] = tone(voices[i])
			}
			for _, h := range c.set {
				r.Set(h.listener, h.speaker, h.gain)
			}
			if r.Plain() != c.plain {
				t.Errorf("plain is %v", r.Plain())
			}
			r.Mix(in, out)
			for i := range c.n {
				want := map[string]bool{}
				for _, s := range c.want[names[i]] {
					want[s] = true
				}
				for j := range c.n {
					loud := out[i] != nil && Power(out[i][:], voices[j]) > 0.1
					if loud != want[names[j]] {
						t.Errorf("%s hears %s: %v", names[i], names[j], loud)
					}
				}
			}
		})
	}
}

func TestLeavingKeepsTheRest(t *testing.T) {
	var r Room[string]
	for _, m := range []string{"a", "b", "c"} {
		r.Add(m)
	}
	r.Set("a", "c", 0.5)
	r.Set("c", "a", 0)
	r.Remove("b")
	r.Remove("b")
	if r.Gain("a", "c") != 0.5 || r.Gain("c", "a") != 0 || len(r.Members()) != 2 {
		t.Errorf("table after leaving: %v %v", r.members, r.gain)
	}
	r.Set("a", "d", 0) // before d comes
	r.Add("d")
	if r.Gain("d", "a") != 1 || r.gain[0][2] != 0 || r.gain[1][2] != 1 || r.Gain("d", "d") != 0 {
		t.Error("a new member does not hear, or is heard against what was said before he came")
	}
}

func TestLoudVoicesSaturate(t *testing.T) {
	var r Room[int]
	var loud Frame
	for i := range loud {
		loud[i] = rtp.ALaw(32000)
	}
	in, out := make([]*Frame, 3), make([]*Frame, 3)
	for i := range 3 {
		r.Add(i)
		in[i] = &loud
	}
	r.Mix(in, out)
	if v := rtp.Linear[out[0][5]]; v < 30000 {
		t.Errorf("two loud voices sum to %d", v)
	}
	var s Frame
	Sum(&s, in...)
	if v := rtp.Linear[s[5]]; v < 30000 {
		t.Errorf("sum is %d", v)
	}
	Sum(&s, nil, nil)
	if s[0] != rtp.Silence {
		t.Error("nothing is not silence")
	}
}

func BenchmarkTwoParty(b *testing.B) {
	var r Room[int]
	r.Add(0)
	r.Add(1)
	r.Set(0, 1, 0.5)
	in, out := []*Frame{tone(440), tone(1000)}, make([]*Frame, 2)
	for i := range in[0] {
		in[0][i] ^= byte(rand.UintN(4))
	}
	for b.Loop() {
		r.Mix(in, out)
	}
}
