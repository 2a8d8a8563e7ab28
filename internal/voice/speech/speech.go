package speech

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"hotline/internal/fault"
)

// Segment (转写片段) is a sentence, or what is known of it so far. One with the
// No of an earlier one replaces it.
type Segment struct {
	No       int   // from 1
	From, To int64 // ms from the beginning of the sound
	Text     string
	Final    bool
}

// Stream is what a recognizer is told about the sound.
type Stream struct {
	Name  string   // for the recognizer's own log; says nothing about anyone
	Words []string // hot words (热词)
}

// Recognizer (语音识别) hears one party. Each party has a stream of its own, so
// who speaks is never guessed.
type Recognizer interface {
	// Recognize reads A-law of 8 kHz until sound ends, which any error of it
	// means, and tells every segment in order, partial ones too. It returns nil
	// when all was told, else why the recognizer is not there.
	Recognize(ctx context.Context, s Stream, sound io.Reader, tell func(Segment)) error
	// Name is shown beside the transcript.
	Name() string
}

// Synthesizer (语音合成) says a text: A-law of 8 kHz.
type Synthesizer interface {
	Speak(ctx context.Context, text string) ([]byte, error)
}

// Config chooses the adapters; the zero value is neither.
type Config struct {
	ASR      string // ws:// or wss:// = FunASR, http:// or https:// = OpenAI-compatible, "" = none
	ASRModel string // OpenAI-compatible only
	TTS      string // http:// or https://, OpenAI-compatible
	TTSModel string
	Voice    string
	KeyFile  string // file that holds the key of the OpenAI-compatible services
	Label    string // shown instead of the adapter's name
}

// Recognizer opens what ASR says, nil for none. It fails with asr_invalid.
func (c Config) Recognizer() (Recognizer, error) {
	if c.ASR == "" {
		return nil, nil
	}
	u, err := url.Parse(c.ASR)
	if err != nil || u.Host == "" {
		return nil, fault.Invalid("asr_invalid", "语音识别地址“%s”无效，应写成 ws://10.0.0.5:10095 或 http://10.0.0.5:8000/v1 的样子。", c.ASR)
	}
	switch u.Scheme {
	case "ws", "wss":
		return &FunASR{URL: c.ASR, Label: c.Label}, nil
	case "http", "https":
		key, err := c.key()
		if err != nil {
			return nil, err
		}
		return &Whisper{URL: strings.TrimSuffix(c.ASR, "/"), Model: or(c.ASRModel, "whisper-1"), Key: key, Label: c.Label}, nil
	}
	return nil, fault.Invalid("asr_invalid", "语音识别地址“%s”无效，应写成 ws://10.0.0.5:10095 或 http://10.0.0.5:8000/v1 的样子。", c.ASR)
}

// Synthesizer opens what TTS says. It fails with tts_invalid, also for none.
func (c Config) Synthesizer() (Synthesizer, error) {
	u, err := url.Parse(c.TTS)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.Invalid("tts_invalid", "语音合成地址“%s”无效，应写成 http://10.0.0.5:8000/v1 的样子。", c.TTS)
	}
	key, err := c.key()
	if err != nil {
		return nil, err
	}
	return &Voice{URL: strings.TrimSuffix(c.TTS, "/"), Model: or(c.TTSModel, "tts-1"), Voice: or(c.Voice, "alloy"), Key: key}, nil
}

func (c Config) key() (string, error) {
	if c.KeyFile == "" {
		return "", nil
	}
	raw, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return "", fmt.Errorf("speech: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
