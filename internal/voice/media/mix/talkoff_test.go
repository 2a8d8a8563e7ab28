package mix_test

import (
	"testing"

	"hotline/internal/voice/media"
	"hotline/internal/voice/media/mix"
	"hotline/internal/voice/media/play"
	"hotline/internal/voice/media/rtp"
)

// No word of all that we have in speech and music is taken for a key, at any
// alignment with the blocks (talk-off).
func TestSpeechIsNoKey(t *testing.T) {
	sounds := map[string][]byte{}
	lib, err := play.Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range play.Script() {
		parts, err := lib.Sound([]media.Clip{{Name: l.Name}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			sounds[l.Name] = append(sounds[l.Name], p...)
		}
	}
	list, err := play.Callers()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if sounds["caller "+c.Name], err = c.Sound(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"citizen", "unit", "emergency"} {
		if sounds["callee "+name], err = play.Callee(name); err != nil {
			t.Fatal(err)
		}
	}
	samples := 0
	for name, s := range sounds {
		for skip := 0; skip < 102; skip += 17 {
			if skip >= len(s) {
				break
			}
			samples += len(s) - skip
			var k mix.Keypad
			for at, rest := 0, s[skip:]; at < len(rest); at += rtp.FrameSize {
				if d := k.Take(uint32(at), rtp.PCMA, rest[at:min(len(rest), at+rtp.FrameSize)]); d != 0 {
					t.Errorf("%s: the key %c at %d ms", name, d, (skip+at)/8)
				}
			}
		}
	}
	t.Logf("%d pieces, %.0f minutes", len(sounds), float64(samples)/8000/60)
	if len(sounds) < 50 {
		t.Errorf("only %d pieces of sound", len(sounds))
	}
}
