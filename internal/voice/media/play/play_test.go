package play

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotline/internal/fault"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/rtp"
)

func TestEveryLineHasItsSound(t *testing.T) {
	l, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, s := range Script() {
		sound := l.clips[s.Name]
		if len(sound) < 1000 {
			t.Errorf("%s (%s) has %d bytes of sound", s.Name, s.Text, len(sound))
		}
		if strings.Contains(s.Text, "重新拨") {
			t.Errorf("%s tells the caller to dial again", s.Name)
		}
	}
	for _, tone := range []string{"ringback", "busy", "beep", "moh"} {
		if len(l.clips[tone]) == 0 {
			t.Errorf("no %s", tone)
		}
	}
	for _, c := range l.clips {
		total += len(c)
	}
	list, err := Callers()
	if err != nil || len(list) < 12 {
		t.Fatalf("%d callers, %v", len(list), err)
	}
	for _, c := range list {
		sound, err := c.Sound()
		if err != nil {
			t.Fatal(err)
		}
		total += len(sound)
		if s := len(sound) / 8000; s < 10 || s > 25 {
			t.Errorf("%s speaks %d s", c.Name, s)
		}
		last := 0
		for _, s := range c.Lines {
			if s.From < last || s.To <= s.From || s.To*8 > len(sound) || s.Text == "" {
				t.Errorf("%s: %+v", c.Name, s)
			}
			last = s.To
		}
		if len(c.Lines) == 0 != (c.Name == "silent") {
			t.Errorf("%s has %d sentences", c.Name, len(c.Lines))
		}
	}
	if total > 3<<20 {
		t.Errorf("%d bytes of sound, want at most 3 MiB", total)
	}
}

// A line that nobody says misleads who reads the script, and costs a recording.
func TestEveryPromptIsSaid(t *testing.T) {
	var code strings.Builder
	for _, dir := range []string{"../../flow", "../engine", "../../../line"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, f := range files {
			if raw, err := os.ReadFile(f); err == nil && !strings.HasSuffix(f, "_test.go") {
				code.Write(raw)
			}
		}
	}
	table, err := os.ReadFile("prompts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for row := range strings.Lines(string(table)) {
		if name, _, _ := strings.Cut(row, "\t"); !strings.Contains(code.String(), `"`+name+`"`) {
			t.Errorf("%s is never said", name)
		}
	}
}

func TestNumbersAreReadAsChineseReadsThem(t *testing.T) {
	word := map[string]string{}
	for _, s := range Script() {
		word[s.Name] = s.Text
	}
	for n, want := range map[int]string{0: "零", 3: "三", 10: "十", 12: "十二", 20: "二十", 45: "四十五", 100: "一百", 105: "一百零五", 110: "一百一十",
		119: "一百一十九", 1001: "一千零一", 1010: "一千零一十", 2030: "二千零三十", 10000: "一万", 10005: "一万零五", 120034: "十二万零三十四", 100200: "十万零二百"} {
		got := ""
		for _, c := range Number(n) {
			got += word[c]
		}
		if got != want {
			t.Errorf("%d is read %s, want %s", n, got, want)
		}
	}
	got := ""
	for _, c := range Digits("10086") {
		got += word[c]
	}
	if got != "幺零零八六" {
		t.Errorf("10086 is spelled %s", got)
	}
}

func TestPhrasesArePutTogether(t *testing.T) {
	l, _ := Load("")
	parts, err := l.Sound([]media.Clip{{Name: "q_ahead"}, {Name: "105"}, {Name: "q_people"}, {Name: "#1020"}, {Name: "十"}, {Name: "两"}})
	if err != nil || len(parts) != 1+4+1+4+1+1 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	if _, err := l.Sound([]media.Clip{{Name: "nothing"}}); !fault.Is(err, "clip_unknown") {
		t.Errorf("an unknown clip: %v", err)
	}
	p := NewPlayer(parts, false)
	var f [rtp.FrameSize]byte
	frames, bytes := 0, 0
	for p.Next(&f) {
		frames++
	}
	for _, s := range parts {
		bytes += len(s)
	}
	if want := (bytes + 159) / 160; frames != want {
		t.Errorf("%d frames, want %d", frames, want)
	}
	loop := NewPlayer(parts, true)
	for range 3 * frames {
		if !loop.Next(&f) {
			t.Fatal("the loop ended")
		}
	}
	if NewPlayer(nil, true).Next(&f) {
		t.Error("nothing plays for ever")
	}
}

func wav(format, bits uint16, rate uint32, data []byte) []byte {
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	b = append(b, "WAVEfmt \x10\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint16(b, format)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint16(b, bits/8)
	b = binary.LittleEndian.AppendUint16(b, bits)
	b = append(b, "LIST\x03\x00\x00\x00abc\x00data"...) // an odd chunk and its pad
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

func TestStudioRecordingTakesThePlace(t *testing.T) {
	dir := t.TempDir()
	_ = os.WriteFile(filepath.Join(dir, "welcome.wav"), wav(1, 16, 8000, []byte{0, 0, 0, 0x40, 0, 0xc0}), 0o600)
	_ = os.WriteFile(filepath.Join(dir, "hold.wav"), wav(1, 16, 44100, []byte{0, 0}), 0o600)
	l, err := Load(dir)
	if err == nil || !strings.Contains(err.Error(), "hold.wav") {
		t.Errorf("a wrong rate is not told: %v", err)
	}
	if g := l.clips["welcome"]; len(g) != 3 || g[0] != rtp.Silence || rtp.Linear[g[1]] < 16000 || rtp.Linear[g[2]] > -16000 {
		t.Errorf("welcome is %v", g)
	}
	if len(l.clips["hold"]) < 1000 {
		t.Error("a bad recording displaced the embedded one")
	}
}

func FuzzWAV(f *testing.F) {
	f.Add(wav(6, 8, 8000, []byte{1, 2, 3}))
	f.Add(wav(1, 16, 8000, []byte{1, 2, 3}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, err := ParseWAV(b); err == nil && len(out) > len(b) {
			t.Fatal("more sound than file")
		}
	})
}
