// Package callcentre plays a foreign call centre and the bridge before it, as
// docs/telephony.md describes them.
package callcentre

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hotline/internal/voice/acd"
	"hotline/internal/voice/cti"
)

// Switch is a foreign call centre and the bridge before it: it has agents, a
// queue and calls of its own, does what it is asked, and tells of it as
// docs/telephony.md says. Every delivery is signed, numbered and repeated until
// it is taken.
type Switch struct {
	*httptest.Server
	To string // where deliveries go

	mu       sync.Mutex
	now      func() int64
	sign     *webhooks.Webhook
	seq      uint64
	past     []cti.Event // that were not taken yet
	agents   []*cti.Agent
	calls    []*cti.Call
	n        int
	asked    []cti.Command
	did      map[string]bool
	sounds   map[string][]byte
	refusals map[string]string
}

// New starts a call centre; now is its clock, in ms UTC.
func New(secret string, now func() int64) (*Switch, error) {
	sign, err := webhooks.NewWebhook(secret)
	if err != nil {
		return nil, err
	}
	s := &Switch{now: now, sign: sign, did: map[string]bool{}, sounds: map[string][]byte{}, refusals: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /commands", s.command)
	mux.HandleFunc("GET /recordings/{name}", s.recording)
	s.Server = httptest.NewServer(mux)
	return s, nil
}

// SignOn puts an agent on duty, not ready.
func (s *Switch) SignOn(no string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agents = append(s.agents, &cti.Agent{No: no})
	s.set(s.agents[len(s.agents)-1], acd.Idle)
}

// Call brings a citizen into the queue.
func (s *Switch) Call(dnis, ani string) (ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	c := &cti.Call{Ref: fmt.Sprintf("c%d@switch", s.n), Direction: "in", ANI: ani, DNIS: dnis, Phase: cti.Queued, Began: s.now(), Queued: s.now()}
	s.calls = append(s.calls, c)
	s.tell(c)
	s.route()
	return c.Ref
}

// HangUp lets the citizen hang up.
func (s *Switch) HangUp(ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.call(ref); c != nil {
		s.end(c, "party")
	}
}

// Pick lets the citizen who is called answer.
func (s *Switch) Pick(ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.call(ref); c != nil && c.Phase == cti.Dialling {
		c.Phase, c.Answered = cti.Talking, s.now()
		s.tell(c)
	}
}

// Verdict is what the citizen presses after a call.
func (s *Switch) Verdict(ref string, score int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.call(ref); c != nil {
		c.Score, c.Solved = score, "yes"
		s.end(c, "party")
	}
}

// Refuse makes a command fail with a text; "" ends that.
func (s *Switch) Refuse(verb, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals[verb] = text
}

// Sound is the recording of the call that ends next.
func (s *Switch) Sound(ref string, wav []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sounds[name(ref)] = wav
}

// Asked is the newest command.
func (s *Switch) Asked() cti.Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) == 0 {
		return cti.Command{}
	}
	return s.asked[len(s.asked)-1]
}

// Open is the call that is up, "" = none.
func (s *Switch) Open() (ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if c.Phase != cti.Ended {
			ref = c.Ref
		}
	}
	return ref
}

// Forget loses what was not taken yet, as a bridge does that is started anew.
func (s *Switch) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past = nil
}

// Number gives the number of the newest event.
func (s *Switch) Number() uint64 { s.mu.Lock(); defer s.mu.Unlock(); return s.seq }

func name(ref string) string { return strings.ReplaceAll(ref, "@", "-") + ".wav" }

func (s *Switch) call(ref string) *cti.Call {
	i := slices.IndexFunc(s.calls, func(c *cti.Call) bool { return c.Ref == ref && c.Phase != cti.Ended })
	if i < 0 {
		return nil
	}
	return s.calls[i]
}

func (s *Switch) agent(no string) *cti.Agent {
	i := slices.IndexFunc(s.agents, func(a *cti.Agent) bool { return a.No == no })
	if i < 0 {
		return nil
	}
	return s.agents[i]
}

func (s *Switch) tell(c *cti.Call) {
	now := *c
	s.seq++
	s.past = append(s.past, cti.Event{Seq: s.seq, Call: &now})
}

func (s *Switch) set(a *cti.Agent, state acd.SeatState) {
	a.State, a.Since = state, s.now()
	now := *a
	s.seq++
	s.past = append(s.past, cti.Event{Seq: s.seq, Agent: &now})
}

// route rings the first agent who is ready for the first who waits.
func (s *Switch) route() {
	for _, c := range s.calls {
		if c.Phase != cti.Queued {
			continue
		}
		for _, a := range s.agents {
			if a.State == acd.Ready {
				s.set(a, acd.Ringing)
				c.Phase, c.Agent = cti.Ringing, a.No
				s.tell(c)
				break
			}
		}
	}
}

func (s *Switch) end(c *cti.Call, by string) {
	if a := s.agent(c.Agent); a != nil && (a.State == acd.Ringing || a.State == acd.Talking) {
		s.set(a, acd.Wrap)
	}
	c.Phase, c.Ended, c.By, c.Cause = cti.Ended, s.now(), by, 16
	s.tell(c)
	if s.sounds[name(c.Ref)] != nil {
		c.Recording = name(c.Ref)
		s.tell(c)
	}
}

func (s *Switch) command(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if s.sign.Verify(body, r.Header) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var in cti.Command
	if json.Unmarshal(body, &in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, in)
	if text := s.refusals[in.Verb]; text != "" {
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(map[string]string{"text": text})
		return
	}
	if !s.did[in.ID] {
		s.did[in.ID] = true
		s.do(in)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Switch) do(in cti.Command) {
	c, a := s.call(in.Call), s.agent(in.Agent)
	if a == nil && in.Agent != "" { // a person who signs on by what he does first
		a = &cti.Agent{No: in.Agent, State: acd.Off, Since: s.now()}
		s.agents = append(s.agents, a)
	}
	switch in.Verb {
	case "ready", "wrapup":
		s.set(a, acd.Ready)
		s.route()
	case "break":
		s.set(a, acd.Break)
	case "idle":
		s.set(a, acd.Idle)
	case "signoff":
		s.set(a, acd.Off)
	case "answer":
		s.set(a, acd.Talking)
		c.Phase, c.Answered = cti.Talking, s.now()
		s.tell(c)
	case "decline":
		s.set(a, acd.Idle)
		c.Phase, c.Agent = cti.Queued, ""
		s.tell(c)
		s.route()
	case "hold", "retrieve":
		if c.Phase = cti.Talking; in.Verb == "hold" {
			c.Phase = cti.Held
		}
		s.tell(c)
	case "mute", "unmute":
		c.Muted = in.Verb == "mute"
		s.tell(c)
	case "pause_recording", "resume_recording":
		c.Paused = in.Verb == "pause_recording"
		s.tell(c)
	case "transfer":
		c.Hand = &cti.Hand{Target: in.Target, Name: in.Target, Began: s.now(), State: "consulting"}
		s.tell(c)
	case "conference", "complete", "cancel":
		h := *c.Hand
		h.State = map[string]string{"conference": "conference", "complete": "completed", "cancel": "cancelled"}[in.Verb]
		c.Hand = &h
		s.tell(c)
		if in.Verb == "complete" {
			s.end(c, "seat")
		}
	case "take_over":
		s.set(s.agent(c.Agent), acd.Wrap)
		s.set(a, acd.Talking)
		c.Agent = in.Agent
		s.tell(c)
	case "survey":
		s.set(a, acd.Wrap)
		c.Phase = cti.Survey
		s.tell(c)
	case "hangup":
		s.end(c, "seat")
	case "dial", "callback":
		if in.Verb == "callback" {
			for _, o := range s.agents {
				if o.State == acd.Ready {
					a = o
				}
			}
		}
		s.n++
		c := &cti.Call{Ref: fmt.Sprintf("c%d@switch", s.n), Direction: "out", ANI: in.Number, DNIS: in.DNIS, Phase: cti.Dialling, Agent: a.No, Began: s.now(), Command: in.ID}
		s.calls = append(s.calls, c)
		s.set(a, acd.Talking)
		s.tell(c)
	}
}

func (s *Switch) recording(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.sounds[r.PathValue("name")]
	if s.sign.Verify(nil, r.Header) != nil || b == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write(b)
}

// Deliver sends what was not taken yet, an empty batch when there is nothing;
// what is asked for in return is sent too.
func (s *Switch) Deliver() error {
	s.mu.Lock()
	b := cti.Batch{Events: slices.Clone(s.past)}
	s.mu.Unlock()
	for range 3 {
		status, want, err := s.Post(b)
		if err != nil {
			return err
		}
		s.mu.Lock()
		switch {
		case status == http.StatusOK:
			s.past = slices.DeleteFunc(s.past, func(e cti.Event) bool { return e.Seq < want })
			s.mu.Unlock()
			return nil
		case status != http.StatusConflict:
			s.mu.Unlock()
			return fmt.Errorf("callcentre: delivery: %d", status)
		case want > 0 && slices.ContainsFunc(s.past, func(e cti.Event) bool { return e.Seq == want }):
			b = cti.Batch{Events: slices.DeleteFunc(slices.Clone(s.past), func(e cti.Event) bool { return e.Seq < want })}
		default:
			b = s.snapshot()
		}
		s.mu.Unlock()
	}
	return fmt.Errorf("callcentre: never satisfied")
}

// Introduce sends all that stands, as a bridge does when it starts: the platform
// may know a numbering that the one before it counted.
func (s *Switch) Introduce() error {
	s.mu.Lock()
	b := s.snapshot()
	s.past = nil
	s.n = int(s.now() / 1000) // nor may its calls be taken for those of an earlier run
	s.mu.Unlock()
	if status, _, err := s.Post(b); err != nil || status != http.StatusOK {
		return fmt.Errorf("callcentre: introduction: %d %w", status, err)
	}
	return nil
}

func (s *Switch) snapshot() cti.Batch {
	shot := cti.Snapshot{Seq: s.seq}
	for _, a := range s.agents {
		shot.Agents = append(shot.Agents, *a)
	}
	for _, c := range s.calls {
		shot.Calls = append(shot.Calls, *c)
	}
	return cti.Batch{Snapshot: &shot}
}

// Post sends one batch and gives the status and what is wanted next.
func (s *Switch) Post(b cti.Batch) (status int, want uint64, err error) {
	body, err := json.Marshal(b)
	if err != nil {
		return 0, 0, err
	}
	at := time.Now()
	signature, err := s.sign.Sign("batch", at, body)
	if err != nil {
		return 0, 0, err
	}
	r, err := http.NewRequest(http.MethodPost, s.To, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(webhooks.HeaderWebhookID, "batch")
	r.Header.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(webhooks.HeaderWebhookSignature, signature)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	var out struct {
		Next uint64 `json:"next"`
		Data struct {
			Next uint64 `json:"next"`
		} `json:"data"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&out)
	return resp.StatusCode, out.Next + out.Data.Next, nil
}
