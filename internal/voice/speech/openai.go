package speech

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"hotline/internal/fault"
	"hotline/internal/voice/media/rtp"
)

// Whisper hears sentence by sentence through POST URL/audio/transcriptions of
// an OpenAI-compatible service: a form with file, model, language and
// response_format; the answer is {"text": …}.
type Whisper struct {
	URL, Model, Key, Label string
	Client                 *http.Client // nil = the default
}

const (
	askWithin  = 30 * time.Second
	answerMost = 1 << 20
	clipMost   = 16 << 20 // bytes of a synthesized announcement
	textMost   = 500      // characters of an announcement
	backlog    = 8        // sentences that wait for the service
)

// Name is Recognizer.
func (w *Whisper) Name() string { return or(w.Label, w.Model) }

// Recognize is Recognizer. There are no partial segments.
func (w *Whisper) Recognize(ctx context.Context, s Stream, sound io.Reader, tell func(Segment)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan utterance, backlog)
	done := make(chan struct{})
	go func() {
		defer close(done)
		no := 0
		for u := range queue {
			text, err := w.ask(ctx, s, u.law)
			if err != nil {
				cancel(err)
				return
			}
			if text != "" {
				no++
				tell(Segment{No: no, From: u.from, To: u.to, Text: text, Final: true})
			}
		}
	}()
	err := split(sound, func(u utterance) error {
		select {
		case queue <- u:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(queue)
	<-done
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}

func (w *Whisper) ask(ctx context.Context, s Stream, law []byte) (string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "speech.wav")
	if err != nil {
		return "", err
	}
	if _, err := part.Write(WAV(law)); err != nil {
		return "", err
	}
	for name, v := range map[string]string{"model": w.Model, "language": "zh", "response_format": "json", "prompt": strings.Join(s.Words, "，")} {
		if v != "" {
			if err := form.WriteField(name, v); err != nil {
				return "", err
			}
		}
	}
	if err := form.Close(); err != nil {
		return "", err
	}
	raw, err := post(ctx, w.Client, w.URL+"/audio/transcriptions", form.FormDataContentType(), w.Key, &body, answerMost)
	if err != nil {
		return "", err
	}
	var out struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return "", fmt.Errorf("speech: transcription: %w", err)
	}
	return strings.TrimSpace(out.Text), nil
}

// Voice speaks through POST URL/audio/speech of an OpenAI-compatible service:
// model, input, voice and response_format "pcm", which is s16le of 24 kHz.
type Voice struct {
	URL, Model, Voice, Key string
	Client                 *http.Client
}

// Speak is Synthesizer. It fails with text_invalid for a text that is empty or
// longer than 500 characters.
func (v *Voice) Speak(ctx context.Context, text string) ([]byte, error) {
	if text = strings.TrimSpace(text); text == "" || utf8.RuneCountInString(text) > textMost {
		return nil, fault.Invalid("text_invalid", "提示语应为1至%d个字。", textMost)
	}
	body, err := json.Marshal(map[string]string{"model": v.Model, "input": text, "voice": v.Voice, "response_format": "pcm"})
	if err != nil {
		return nil, err
	}
	raw, err := post(ctx, v.Client, v.URL+"/audio/speech", "application/json", v.Key, bytes.NewReader(body), clipMost)
	if err != nil {
		return nil, err
	}
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	if pcm = resample(pcm, 24000, 8000); len(pcm) == 0 {
		return nil, fault.Unavailable("tts_unavailable", "语音合成服务没有给出声音，请稍后再试。")
	}
	out := make([]byte, len(pcm))
	for i, s := range pcm {
		out[i] = rtp.ALaw(s)
	}
	return out, nil
}

// post asks a service. What it answers beside 200 is its refusal.
func post(ctx context.Context, c *http.Client, url, kind, key string, body io.Reader, most int64) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, askWithin)
	defer stop()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", kind)
	if key != "" {
		q.Header.Set("Authorization", "Bearer "+key)
	}
	if c == nil {
		c = http.DefaultClient
	}
	res, err := c.Do(q)
	if err != nil {
		return nil, fmt.Errorf("speech: %w", err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("speech: %w", err)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("speech: %s answers %s", q.URL.Host, res.Status)
	case int64(len(raw)) > most:
		return nil, fmt.Errorf("speech: the answer is longer than %d bytes", most)
	}
	return raw, nil
}
