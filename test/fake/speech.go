package fake

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// Line is what a recognizer says once so much sound (ms) has come; Raw is the
// message as it goes over the wire. After < 0 is said when the sound has ended.
type Line struct {
	After int
	Raw   string
}

// FunASR is a FunASR runtime that knows its transcript beforehand.
type FunASR struct {
	*httptest.Server
	Script []Line

	mu    sync.Mutex
	hello []string
	pcm   int
	down  bool
	conns map[*websocket.Conn]bool
}

// NewFunASR starts a runtime that says script on every connection.
func NewFunASR(script []Line) *FunASR {
	f := &FunASR{Script: script, conns: map[*websocket.Conn]bool{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	return f
}

// URL is where the WebSocket is.
func (f *FunASR) URL() string { return strings.Replace(f.Server.URL, "http", "ws", 1) }

// Hellos are the first messages of all connections as they came.
func (f *FunASR) Hellos() []string { f.mu.Lock(); defer f.mu.Unlock(); return f.hello }

// Heard is how many bytes of PCM came.
func (f *FunASR) Heard() int { f.mu.Lock(); defer f.mu.Unlock(); return f.pcm }

// Down lets the runtime fail, or come back; open streams break.
func (f *FunASR) Down(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = on
	for c := range f.conns {
		_ = c.CloseNow()
	}
}

func (f *FunASR) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	down := f.down
	f.mu.Unlock()
	if down {
		http.Error(w, "no model", http.StatusServiceUnavailable)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"binary"}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	f.mu.Lock()
	f.conns[ws] = true
	f.mu.Unlock()
	defer func() { f.mu.Lock(); delete(f.conns, ws); f.mu.Unlock() }()
	heard, next, first, bytes := 0, 0, true, 32
	for {
		kind, b, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		ended := false
		if kind == websocket.MessageText {
			var m struct {
				Rate     int   `json:"audio_fs"`
				Speaking *bool `json:"is_speaking"`
			}
			if json.Unmarshal(b, &m) != nil {
				return
			}
			if first {
				f.mu.Lock()
				f.hello = append(f.hello, string(b))
				f.mu.Unlock()
				first = false
			}
			if m.Rate > 0 {
				bytes = m.Rate * 2 / 1000
			}
			ended = m.Speaking != nil && !*m.Speaking
		} else {
			heard += len(b)
			f.mu.Lock()
			f.pcm += len(b)
			f.mu.Unlock()
		}
		for ; next < len(f.Script) && (ended || f.Script[next].After >= 0 && heard/bytes >= f.Script[next].After); next++ {
			if ws.Write(r.Context(), websocket.MessageText, []byte(f.Script[next].Raw)) != nil {
				return
			}
		}
	}
}

// Form is what a transcription was asked with.
type Form struct {
	Model, Language, Format, File, Key string
	Sound                              []byte
}

// OpenAI is an audio service of the OpenAI-compatible kind: it gives Texts one
// after the other, and PCM for whatever it is to say.
type OpenAI struct {
	*httptest.Server
	Texts []string
	PCM   []byte

	mu     sync.Mutex
	Forms  []Form
	Spoken []map[string]any
}

// NewOpenAI starts the service.
func NewOpenAI() *OpenAI {
	f := &OpenAI{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/audio/transcriptions", f.transcribe)
	mux.HandleFunc("POST /v1/audio/speech", f.speak)
	f.Server = httptest.NewServer(mux)
	return f
}

func (f *OpenAI) transcribe(w http.ResponseWriter, r *http.Request) {
	file, head, err := r.FormFile("file")
	if err != nil || r.FormValue("model") == "" { // both are required
		http.Error(w, `{"error":{"message":"missing","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	defer file.Close()
	sound, _ := io.ReadAll(file)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Forms = append(f.Forms, Form{r.FormValue("model"), r.FormValue("language"), r.FormValue("response_format"), head.Filename, r.Header.Get("Authorization"), sound})
	text := ""
	if n := len(f.Forms); n <= len(f.Texts) {
		text = f.Texts[n-1]
	}
	w.Header().Set("Content-Type", "application/json")
	// The answer of the API reference for response_format json: text, and the
	// usage that newer models add.
	_ = json.NewEncoder(w).Encode(map[string]any{"text": text, "usage": map[string]any{"type": "duration", "seconds": 1}})
}

func (f *OpenAI) speak(w http.ResponseWriter, r *http.Request) {
	var q map[string]any
	if json.NewDecoder(r.Body).Decode(&q) != nil || q["model"] == nil || q["input"] == nil || q["voice"] == nil || q["response_format"] != "pcm" {
		http.Error(w, `{"error":{"message":"missing","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Spoken = append(f.Spoken, q)
	w.Header().Set("Content-Type", "audio/pcm")
	_, _ = w.Write(f.PCM)
}
