package demo

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"hotline/internal/voice/media/play"
	"hotline/internal/voice/media/rtp"
)

// RecogniserName is what the transcript of the demonstration is called: it
// knows the recordings of our own callers and nothing else.
const RecogniserName = "演示转写"

const (
	// printStep is how far apart the fingerprints of a recording are, and
	// printSize how long each is, in samples of 8 kHz.
	printStep = 160
	printSize = 48
	printBase = 1099511628211
	// heardLead is how much later than said a sentence is known.
	heardLead = 300 * 8
)

// Recogniser (演示转写) is a server of FunASR's WebSocket protocol that knows the
// callers of the demonstration by the sound of their recordings: it finds the
// place in the recording that is being heard and writes what is said there.
type Recogniser struct {
	ln     net.Listener
	server *http.Server
	voices []voice
	prints map[uint64][]place // by the hash of printSize samples
}

// voice is a caller's recording with its script.
type voice struct {
	lines []play.Sentence
	sound []byte
}

// place is a sample of a recording.
type place struct{ voice, at int }

// OpenRecogniser listens on a free port of this machine.
func OpenRecogniser() (*Recogniser, error) {
	list, err := play.Callers()
	if err != nil {
		return nil, err
	}
	r := &Recogniser{prints: map[uint64][]place{}}
	for i, c := range list {
		sound, err := c.Sound()
		if err != nil {
			return nil, err
		}
		r.voices = append(r.voices, voice{c.Lines, sound})
		for at := 0; at+printSize <= len(sound); at += printStep {
			if w := sound[at : at+printSize]; telling(w) {
				h := hashOf(w)
				r.prints[h] = append(r.prints[h], place{i, at})
			}
		}
	}
	if r.ln, err = net.Listen("tcp", net.JoinHostPort(loopback, "0")); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	r.server = &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(r.ln) }()
	return r, nil
}

// URL is where it is reached.
func (r *Recogniser) URL() string { return "ws://" + r.ln.Addr().String() }

// Close ends it and every stream.
func (r *Recogniser) Close() { r.server.Close() }

// telling is whether a stretch is like no other: neither silence nor a tone.
func telling(w []byte) bool {
	seen, loud := map[byte]bool{}, 0
	for _, b := range w {
		seen[b] = true
		if v := rtp.Linear[b]; v > 400 || v < -400 {
			loud++
		}
	}
	return len(seen) >= printSize/3 && loud >= printSize/3
}

func hashOf(w []byte) (h uint64) {
	for _, b := range w {
		h = h*printBase + uint64(b) + 1
	}
	return h
}

// printTop is printBase to the power of printSize: what the oldest sample weighs.
var printTop = func() (p uint64) {
	p = 1
	for range printSize {
		p *= printBase
	}
	return p
}()

// funStart is the message that opens a stream or ends it.
type funStart struct {
	Name     string `json:"wav_name"`
	Rate     int    `json:"audio_fs"`
	Speaking *bool  `json:"is_speaking"`
}

// funText is what is said to the client.
type funText struct {
	Mode  string `json:"mode"`
	Name  string `json:"wav_name"`
	Text  string `json:"text"`
	Stamp string `json:"timestamp,omitempty"`
	Final bool   `json:"is_final"`
}

func (r *Recogniser) serve(w http.ResponseWriter, q *http.Request) {
	ws, err := websocket.Accept(w, q, &websocket.AcceptOptions{Subprotocols: []string{"binary"}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	s := stream{r: r, rate: 16000}
	for {
		kind, b, err := ws.Read(q.Context())
		if err != nil {
			return
		}
		var out []funText
		if kind == websocket.MessageBinary {
			out = s.hear(b)
		} else {
			var m funStart
			if json.Unmarshal(b, &m) != nil {
				return
			}
			if m.Name != "" {
				s.name = m.Name
			}
			if m.Rate != 0 {
				s.rate = m.Rate
			}
			if m.Speaking != nil && !*m.Speaking {
				out = s.close(true)
			}
		}
		for _, t := range out {
			t.Name = s.name
			raw, err := json.Marshal(t)
			if err != nil || ws.Write(q.Context(), websocket.MessageText, raw) != nil {
				return
			}
		}
	}
}

// stream is one party's sound.
type stream struct {
	r     *Recogniser
	name  string
	rate  int
	skip  bool // the next sample is between two of 8 kHz
	past  [printSize]byte
	n     int // samples of 8 kHz heard
	hash  uint64
	voice int
	from  int // where in the stream the recording began
	known bool
	next  int // sentence that is said or comes next
	told  int // characters of it that were told
}

// hear takes PCM and says what is understood by now.
func (s *stream) hear(pcm []byte) (out []funText) {
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		if s.rate == 16000 {
			if s.skip = !s.skip; !s.skip {
				continue
			}
		}
		b := rtp.ALaw(int16(binary.LittleEndian.Uint16(pcm)))
		i := s.n % printSize
		s.hash = s.hash*printBase + uint64(b) + 1 - printTop*(uint64(s.past[i])+1)*b2u(s.n >= printSize)
		s.past[i] = b
		s.n++
		if p, ok := s.r.find(s.hash, s.past[:], s.n); ok {
			s.place(p)
		}
	}
	return s.follow()
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// find looks a fingerprint up and compares it sample by sample.
func (r *Recogniser) find(hash uint64, past []byte, n int) (place, bool) {
	for _, p := range r.prints[hash] {
		same := true
		for j := range printSize {
			same = same && past[(n+j)%printSize] == r.voices[p.voice].sound[p.at+j]
		}
		if same {
			return place{p.voice, p.at + printSize}, true
		}
	}
	return place{}, false
}

// place notes where the recording is.
func (s *stream) place(p place) {
	if !s.known || s.voice != p.voice {
		s.voice, s.known, s.next, s.told = p.voice, true, 0, 0
		for s.next < len(s.lines()) && s.lines()[s.next].To*8 < p.at {
			s.next++ // said before we listened
		}
	}
	s.from = s.n - p.at
}

func (s *stream) lines() []play.Sentence { return s.r.voices[s.voice].lines }

// follow says what was said up to now: the characters of a sentence as it goes
// on, the whole sentence at its end.
func (s *stream) follow() (out []funText) {
	if !s.known {
		return nil
	}
	for s.next < len(s.lines()) {
		l := s.lines()[s.next]
		at := s.n - s.from - heardLead
		if at < l.From*8 {
			return out
		}
		if at >= l.To*8 {
			out = append(out, s.close(false)...)
			continue
		}
		text := []rune(l.Text)
		upto := len(text) * (at - l.From*8) / ((l.To - l.From) * 8)
		if upto < s.told+3 { // a word or two at a time
			return out
		}
		out = append(out, funText{Mode: "2pass-online", Text: string(text[s.told:upto])})
		s.told = upto
		return out
	}
	return out
}

// close says the sentence that is under way, as a whole; at the end of the
// sound what was heard of it.
func (s *stream) close(end bool) []funText {
	if !s.known || s.next >= len(s.lines()) {
		return nil
	}
	l := s.lines()[s.next]
	text := l.Text
	if end {
		if text = string([]rune(text)[:s.told]); utf8.RuneCountInString(text) == 0 {
			return nil
		}
	}
	s.next, s.told = s.next+1, 0
	from := max(0, s.from/8+l.From)
	return []funText{{Mode: "2pass-offline", Text: text, Stamp: fmt.Sprintf("[[%d,%d]]", from, min(s.n/8, s.from/8+l.To)), Final: true}}
}
