package speech

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// FunASR hears through a FunASR runtime by its WebSocket protocol in mode 2pass
// (runtime/docs/websocket_protocol_zh.md of FunASR): a text message opens, PCM
// goes as binary messages, {"is_speaking":false} ends. Every 600 ms comes what
// was said since (2pass-online), at the end of a sentence the corrected whole
// (2pass-offline). is_final is not relied on: the servers disagree about it.
type FunASR struct {
	URL   string // ws://host:10095
	Label string
}

const (
	funChunk   = 60 * 8 // bytes of A-law in a message: 60 ms, a tenth of the 600 ms that the model takes
	funOpen    = 5 * time.Second
	funRest    = 2 * time.Second // of quiet after the sound has ended mean that all is told
	funMessage = 1 << 20
)

// funHello is the first message. Hotwords is JSON within a string.
type funHello struct {
	Mode     string `json:"mode"`
	Name     string `json:"wav_name"`
	Format   string `json:"wav_format"`
	Rate     int    `json:"audio_fs"`
	Chunks   [3]int `json:"chunk_size"`
	Interval int    `json:"chunk_interval"`
	Speaking bool   `json:"is_speaking"`
	Hotwords string `json:"hotwords,omitempty"`
	ITN      bool   `json:"itn"`
}

// funReply is what the server says.
type funReply struct {
	Mode      string          `json:"mode"`
	Text      string          `json:"text"`
	Timestamp json.RawMessage `json:"timestamp"` // [[from,to],…] in ms, most servers send it as a string
}

// Name is Recognizer.
func (f *FunASR) Name() string { return or(f.Label, "FunASR") }

// Recognize is Recognizer.
func (f *FunASR) Recognize(ctx context.Context, s Stream, sound io.Reader, tell func(Segment)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dial, stop := context.WithTimeout(ctx, funOpen)
	ws, _, err := websocket.Dial(dial, f.URL, &websocket.DialOptions{Subprotocols: []string{"binary"}})
	stop()
	if err != nil {
		return fmt.Errorf("speech: funasr: %w", err)
	}
	defer ws.CloseNow()
	ws.SetReadLimit(funMessage)
	hello := funHello{Mode: "2pass", Name: s.Name, Format: "pcm", Rate: 16000, Chunks: [3]int{5, 10, 5}, Interval: 10, Speaking: true, ITN: true, Hotwords: hotwords(s.Words)}
	if err := say(ctx, ws, hello); err != nil {
		return err
	}
	var sent atomic.Int64 // ms of sound
	var ended atomic.Bool
	done, beat := make(chan error, 1), make(chan struct{}, 1)
	go func() { done <- f.hear(ctx, ws, &sent, &ended, beat, tell) }()
	failed := make(chan error, 1)
	go func() { failed <- f.send(ctx, ws, sound, &sent) }()
	select {
	case err = <-done: // the server went away while the party speaks
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("speech: funasr: %w", err)
	case err = <-failed:
		if err != nil {
			return fmt.Errorf("speech: funasr: %w", err)
		}
	}
	ended.Store(true)
	if err := say(ctx, ws, map[string]bool{"is_speaking": false}); err != nil {
		return err
	}
	for { // no message says that nothing more comes
		rest, stop := context.WithTimeout(ctx, funRest)
		select {
		case <-beat:
			stop()
		case <-done:
			stop()
			return nil
		case <-rest.Done():
			stop()
			return nil
		}
	}
}

// send passes the sound on until it ends.
func (f *FunASR) send(ctx context.Context, ws *websocket.Conn, sound io.Reader, sent *atomic.Int64) error {
	var d doubler
	law := make([]byte, funChunk)
	var pcm []byte
	for {
		n, err := io.ReadFull(sound, law)
		if n > 0 {
			pcm = d.append(pcm[:0], law[:n])
			if e := ws.Write(ctx, websocket.MessageBinary, pcm); e != nil {
				return e
			}
			sent.Add(int64(n / 8))
		}
		if err != nil {
			return nil
		}
	}
}

// hear tells segments until the connection closes.
func (f *FunASR) hear(ctx context.Context, ws *websocket.Conn, sent *atomic.Int64, ended *atomic.Bool, beat chan<- struct{}, tell func(Segment)) error {
	seg := Segment{No: 1}
	before := int64(0) // where the last sentence ended
	for {
		_, raw, err := ws.Read(ctx)
		if err != nil {
			if ended.Load() {
				return nil
			}
			return err
		}
		select {
		case beat <- struct{}{}:
		default:
		}
		var r funReply
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("reply: %w", err)
		}
		text := strings.TrimSpace(r.Text)
		if text == "" {
			continue
		}
		now := sent.Load()
		if seg.Text == "" {
			seg.From = max(before, now-600)
		}
		seg.To = now
		switch r.Mode {
		case "2pass-online", "online":
			seg.Text += text
			tell(seg)
		case "2pass-offline", "offline":
			if from, to, ok := span(r.Timestamp); ok && from >= before && to <= now+1000 {
				seg.From, seg.To = from, to
			}
			seg.Text, seg.Final = text, true
			tell(seg)
			before = seg.To
			seg = Segment{No: seg.No + 1}
		}
	}
}

// span reads the first and last moment of a timestamp.
func span(raw json.RawMessage) (from, to int64, ok bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		raw = json.RawMessage(s)
	}
	var words [][]int64
	if json.Unmarshal(raw, &words) != nil || len(words) == 0 || len(words[0]) != 2 || len(words[len(words)-1]) != 2 {
		return 0, 0, false
	}
	from, to = words[0][0], words[len(words)-1][1]
	return from, to, from >= 0 && to > from
}

func hotwords(words []string) string {
	if len(words) == 0 {
		return ""
	}
	m := map[string]int{}
	for _, w := range words {
		m[w] = 20
	}
	b, _ := json.Marshal(m)
	return string(b)
}

var errClosed = errors.New("speech: funasr: the connection is closed")

func say(ctx context.Context, ws *websocket.Conn, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := ws.Write(ctx, websocket.MessageText, b); err != nil {
		return errors.Join(errClosed, err)
	}
	return nil
}
