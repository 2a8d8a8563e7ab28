package speech_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"hotline/internal/fault"
	"hotline/internal/voice/media/play"
	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/speech"
	"hotline/test/fake"
)

// sound is so many ms of a tone, or of nothing.
func sound(ms int, loud bool) []byte {
	out := make([]byte, ms*8)
	for i := range out {
		out[i] = rtp.Silence
		if loud {
			out[i] = rtp.ALaw(int16(8000 * math.Sin(float64(i)*0.4)))
		}
	}
	return out
}

func recognize(t *testing.T, r speech.Recognizer, law []byte, words ...string) []speech.Segment {
	t.Helper()
	var got []speech.Segment
	if err := r.Recognize(context.Background(), speech.Stream{Name: "7-caller", Words: words}, bytes.NewReader(law), func(s speech.Segment) { got = append(got, s) }); err != nil {
		t.Fatal(err)
	}
	return got
}

func open(t *testing.T, c speech.Config) speech.Recognizer {
	t.Helper()
	r, err := c.Recognizer()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The replies are the samples of FunASR's own runtime/docs/websocket_protocol_zh.md
// (timestamp is a string there) and the shorter ones that its
// runtime/python/websocket/funasr_wss_server.py sends, whose is_final is wrong.
func TestFunASRTellsWhatTheRuntimeSays(t *testing.T) {
	f := fake.NewFunASR([]fake.Line{
		{After: 600, Raw: `{"mode": "2pass-online", "wav_name": "wav_name", "text": "你好我要", "is_final": true, "timestamp":"[[100,200], [200,500]]","stamp_sents":[]}`},
		{After: 1200, Raw: `{"mode": "2pass-online", "text": "投诉", "wav_name": "microphone", "is_final": true}`},
		{After: 1500, Raw: `{"mode": "2pass-offline", "wav_name": "wav_name", "text": "你好，我要投诉。", "is_final": true, "timestamp":"[[100,200], [200,1400]]","stamp_sents":[{"text_seg":"你 好","punc":",","start":100,"end":500,"ts_list":[[100,200],[200,500]]}]}`},
		{After: 1800, Raw: `{"mode": "2pass-online", "text": "工地", "wav_name": "microphone", "is_final": false}`},
		{After: -1, Raw: `{"mode": "2pass-offline", "text": "工地。", "wav_name": "microphone", "is_final": false}`},
	})
	defer f.Close()
	got := recognize(t, open(t, speech.Config{ASR: f.URL()}), sound(2400, true), "噪声")
	var texts []string
	for _, s := range got {
		texts = append(texts, s.Text)
	}
	if want := []string{"你好我要", "你好我要投诉", "你好，我要投诉。", "工地", "工地。"}; !reflect.DeepEqual(texts, want) {
		t.Fatalf("told %q, want %q", texts, want)
	}
	if s := got[2]; s.No != 1 || s.From != 100 || s.To != 1400 || !s.Final || got[1].Final || got[4].No != 2 || !got[4].Final || got[4].From < 1400 {
		t.Errorf("segments %+v", got)
	}
	var hello map[string]any
	if err := json.Unmarshal([]byte(f.Hellos()[0]), &hello); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"mode": "2pass", "wav_name": "7-caller", "wav_format": "pcm", "audio_fs": 16000., "chunk_size": []any{5., 10., 5.}, "chunk_interval": 10., "is_speaking": true, "itn": true, "hotwords": `{"噪声":20}`}
	if !reflect.DeepEqual(hello, want) {
		t.Errorf("hello %v\nwant %v", hello, want)
	}
	if f.Heard() != 2400*32 {
		t.Errorf("%d bytes of PCM for 2.4 s at 16 kHz", f.Heard())
	}
}

func TestFunASRAwayIsAnError(t *testing.T) {
	f := fake.NewFunASR(nil)
	defer f.Close()
	f.Down(true)
	r := open(t, speech.Config{ASR: f.URL()})
	if err := r.Recognize(context.Background(), speech.Stream{}, bytes.NewReader(sound(100, true)), func(speech.Segment) {}); err == nil {
		t.Error("a runtime that refuses is no error")
	}
	f.Down(false)
	in, out := io.Pipe()
	done := make(chan error)
	go func() {
		done <- r.Recognize(context.Background(), speech.Stream{}, in, func(speech.Segment) {})
	}()
	_, _ = out.Write(sound(120, true))
	for f.Heard() == 0 { // the stream is up
		_, _ = out.Write(sound(60, false))
	}
	f.Down(true)
	go func() { _, _ = out.Write(sound(60000, false)) }()
	if <-done == nil {
		t.Error("a runtime that breaks off is no error")
	}
	in.Close()
}

// The form and the answer are those of the API reference, "Create transcription".
func TestOpenAIHearsSentenceBySentence(t *testing.T) {
	f := fake.NewOpenAI()
	defer f.Close()
	f.Texts = []string{"我要投诉工地夜间施工。", "连续三天了。"}
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("k1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var law []byte
	for _, p := range []struct {
		ms   int
		loud bool
	}{{500, false}, {1000, true}, {1000, false}, {60, true}, {1000, false}, {800, true}, {200, false}} {
		law = append(law, sound(p.ms, p.loud)...)
	}
	got := recognize(t, open(t, speech.Config{ASR: f.URL + "/v1/", ASRModel: "sensevoice", KeyFile: key}), law)
	if len(got) != 2 || got[0].Text != f.Texts[0] || got[1].Text != f.Texts[1] || got[1].No != 2 {
		t.Fatalf("told %+v", got)
	}
	near := func(a, b int64) bool { return a-b < 260 && b-a < 260 }
	if !near(got[0].From, 500) || !near(got[0].To, 1500) || !near(got[1].From, 3560) || !near(got[1].To, 4360) {
		t.Errorf("the moments are %+v", got)
	}
	q := f.Forms[0]
	if q.Model != "sensevoice" || q.Language != "zh" || q.Format != "json" || q.Key != "Bearer k1" || filepath.Ext(q.File) != ".wav" || string(q.Sound[:4]) != "RIFF" || binary.LittleEndian.Uint32(q.Sound[24:]) != 8000 {
		t.Errorf("asked with %+v", q)
	}
}

func TestOpenAIRefusalIsAnError(t *testing.T) {
	f := fake.NewOpenAI()
	f.Close()
	r := open(t, speech.Config{ASR: f.URL + "/v1"})
	err := r.Recognize(context.Background(), speech.Stream{}, bytes.NewReader(append(sound(1000, true), sound(2000, false)...)), func(speech.Segment) {})
	if err == nil {
		t.Error("a service that is away is no error")
	}
}

func TestTheSynthesizerGivesAClip(t *testing.T) {
	f := fake.NewOpenAI()
	defer f.Close()
	for i := range 24000 { // a second of 440 Hz
		f.PCM = binary.LittleEndian.AppendUint16(f.PCM, uint16(int16(8000*math.Sin(2*math.Pi*440*float64(i)/24000))))
	}
	s, err := speech.Config{TTS: f.URL + "/v1", Voice: "longxiaochun"}.Synthesizer()
	if err != nil {
		t.Fatal(err)
	}
	law, err := s.Speak(context.Background(), "您好，这里是12345热线。")
	if err != nil {
		t.Fatal(err)
	}
	if len(law) != 8000 {
		t.Fatalf("%d samples for a second", len(law))
	}
	rise := 0
	for i := 1; i < len(law); i++ {
		if rtp.Linear[law[i-1]] < 0 && rtp.Linear[law[i]] >= 0 {
			rise++
		}
	}
	if rise < 437 || rise > 443 {
		t.Errorf("440 Hz became %d Hz", rise)
	}
	if again, err := play.ParseWAV(speech.WAV(law)); err != nil || !bytes.Equal(again, law) { // as the exchange reads studio recordings
		t.Errorf("as a WAV: %v", err)
	}
	if q := f.Spoken[0]; q["model"] != "tts-1" || q["voice"] != "longxiaochun" || q["input"] != "您好，这里是12345热线。" {
		t.Errorf("asked with %v", q)
	}
	if _, err := s.Speak(context.Background(), " "); !fault.Is(err, "text_invalid") {
		t.Errorf("an empty text: %v", err)
	}
}

func TestConfigurationChooses(t *testing.T) {
	if r := open(t, speech.Config{}); r != nil {
		t.Error("nothing configured, but something hears")
	}
	for _, bad := range []string{"funasr", "ftp://x/y", "ws://"} {
		if _, err := (speech.Config{ASR: bad}).Recognizer(); !fault.Is(err, "asr_invalid") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := (speech.Config{TTS: "ws://x"}).Synthesizer(); !fault.Is(err, "tts_invalid") {
		t.Error(err)
	}
}

func FuzzFunASRReplies(f *testing.F) {
	f.Add(`{"mode":"2pass-offline","text":"好","timestamp":"[[1,2]]"}`)
	f.Add(`{"mode":"2pass-online","text":"好","timestamp":[[9,1],[]]}`)
	f.Fuzz(func(t *testing.T, raw string) {
		s := fake.NewFunASR([]fake.Line{{After: 60, Raw: raw}, {After: 120, Raw: raw}})
		defer s.Close()
		r := &speech.FunASR{URL: s.URL()}
		last := int64(0)
		_ = r.Recognize(context.Background(), speech.Stream{}, bytes.NewReader(sound(180, false)), func(g speech.Segment) { // junk may end it with an error
			if g.To < g.From || g.Final && g.From < last || g.Text == "" {
				t.Errorf("%s told %+v", raw, g)
			}
			if g.Final {
				last = g.To
			}
		})
	})
}
