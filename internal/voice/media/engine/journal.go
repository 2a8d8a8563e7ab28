package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hotline/internal/seal"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/rtp"
	"hotline/internal/voice/media/sdp"
	"hotline/internal/voice/media/sip"
)

// journal keeps what a killed exchange needs to go on: a file of sealed records,
// the last of a name counts. Whoever changes a leg or a room touches it; one
// goroutine writes what it is then, so a burst of changes is one record.
type journal struct {
	e    *Engine
	path string
	ring *seal.Ring

	mu     sync.Mutex
	wake   chan struct{}
	legs   map[*leg]bool
	rooms  map[*room]bool
	setup  *media.Setup
	phones bool
	fresh  bool // write everything anew
	closed bool
	done   chan struct{}

	// Of the writer alone:
	file  *os.File
	kept  map[string]bool // names in the file that are not taken away
	key   *seal.Key
	size  int64
	floor int64 // size after the last rewrite
	buf   []byte
}

const (
	journalMagic = "HCALLS1"
	journalPlace = "calls"
	// rewriteAt bounds the file; what is live in it is a few kB a call.
	rewriteAt = 8 << 20
	// gather is how long a change waits for others of the same call: answer, room
	// and recording come within it and are one record each.
	gather = 20 * time.Millisecond
)

// entry is one record; one with a name alone takes the name away.
type entry struct {
	Name  string       `json:"k"`
	Leg   *savedLeg    `json:"l,omitempty"`
	Room  *savedRoom   `json:"r,omitempty"`
	Setup *media.Setup `json:"s,omitempty"`
	// Phones are where the phones are; a pointer, since none is news too.
	Phones *[]sip.Registration `json:"p,omitempty"`
}

func (en entry) empty() bool {
	return en.Leg == nil && en.Room == nil && en.Setup == nil && en.Phones == nil
}

type savedLeg struct {
	Leg      media.Leg         `json:"leg"`
	Dialog   *sip.Dialog       `json:"dialog,omitempty"` // nil = a browser seat
	Stream   *rtp.State        `json:"stream,omitempty"`
	Session  uint64            `json:"session,omitempty"`
	Version  uint64            `json:"version,omitempty"`
	Crypto   *sdp.Crypto       `json:"crypto,omitempty"`
	Incoming bool              `json:"incoming,omitempty"`
	Trunk    string            `json:"trunk,omitempty"`
	DNIS     string            `json:"dnis,omitempty"`
	ANI      string            `json:"ani,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"`
	Seat     media.Seat        `json:"seat,omitempty"`
	Since    int64             `json:"since"`
	Held     bool              `json:"held,omitempty"`
	Touched  bool              `json:"touched,omitempty"`
	Clips    []media.Clip      `json:"clips,omitempty"`
	Play     *media.PlayOpts   `json:"play,omitempty"`
}

type savedRoom struct {
	Room    media.Room          `json:"room"`
	Members []media.Leg         `json:"members"`
	Said    []savedGain         `json:"said,omitempty"`
	Rec     *media.RecordPolicy `json:"rec,omitempty"`
	Began   int64               `json:"began,omitempty"`
	Paused  bool                `json:"paused,omitempty"`
}

type savedGain struct {
	L media.Leg `json:"l"`
	S media.Leg `json:"s"`
	G float32   `json:"g"`
}

// saved is what an earlier process left.
type saved struct {
	legs   []savedLeg
	rooms  []savedRoom
	setup  *media.Setup
	phones []sip.Registration
}

// openJournal reads what was left, nil when nothing, and begins to write.
func openJournal(e *Engine, dir string, ring *seal.Ring) (*journal, *saved, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("engine: %w", err)
	}
	j := &journal{e: e, path: filepath.Join(dir, "journal"), ring: ring, wake: make(chan struct{}, 1), legs: map[*leg]bool{}, rooms: map[*room]bool{}, done: make(chan struct{})}
	raw, err := os.ReadFile(j.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, fmt.Errorf("engine: %w", err)
	}
	left, err := readJournal(raw, ring)
	if err != nil {
		e.log.Error("通话日志无法读取，原有通话不能恢复", "err", err) // new calls must still be served
	}
	go j.run()
	return j, left, nil
}

func readJournal(raw []byte, ring *seal.Ring) (*saved, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	if len(raw) < len(journalMagic)+2 || string(raw[:len(journalMagic)]) != journalMagic {
		return nil, errors.New("engine: not a journal")
	}
	raw = raw[len(journalMagic):]
	n := int(binary.BigEndian.Uint16(raw))
	if raw = raw[2:]; n > len(raw) {
		return nil, errors.New("engine: torn journal")
	}
	key, err := ring.OpenKey(raw[:n])
	if err != nil {
		return nil, err
	}
	last := map[string]entry{}
	var order []string
	for raw = raw[n:]; len(raw) >= 4; {
		n := int(binary.BigEndian.Uint32(raw))
		if raw = raw[4:]; n > len(raw) || n < 0 {
			break // torn by the kill
		}
		text, err := key.Open(journalPlace, raw[:n])
		if err != nil {
			return nil, err
		}
		raw = raw[n:]
		var en entry
		if err := json.Unmarshal([]byte(text), &en); err != nil {
			return nil, fmt.Errorf("engine: journal: %w", err)
		}
		if _, known := last[en.Name]; !known {
			order = append(order, en.Name)
		}
		last[en.Name] = en
	}
	s := &saved{}
	for _, name := range order {
		switch en := last[name]; {
		case en.Leg != nil:
			s.legs = append(s.legs, *en.Leg)
		case en.Room != nil:
			s.rooms = append(s.rooms, *en.Room)
		case en.Setup != nil:
			s.setup = en.Setup
		case en.Phones != nil:
			s.phones = *en.Phones
		}
	}
	return s, nil
}

// touch has the leg written, or taken away when it is gone. Any lock may be held.
func (j *journal) touch(l *leg) {
	j.mu.Lock()
	j.legs[l] = true
	j.mu.Unlock()
	j.poke()
}

func (j *journal) touchRoom(r *room) {
	j.mu.Lock()
	j.rooms[r] = true
	j.mu.Unlock()
	j.poke()
}

func (j *journal) keepSetup(s media.Setup) {
	j.mu.Lock()
	j.setup = &s
	j.mu.Unlock()
	j.poke()
}

// touchPhones has it written where the phones are.
func (j *journal) touchPhones() {
	j.mu.Lock()
	j.phones = true
	j.mu.Unlock()
	j.poke()
}

// rewrite has everything written to a new file.
func (j *journal) rewrite() {
	j.mu.Lock()
	j.fresh = true
	j.mu.Unlock()
	j.poke()
}

func (j *journal) poke() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *journal) close() {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.poke()
	<-j.done
}

func (j *journal) run() {
	defer close(j.done)
	for range j.wake {
		j.mu.Lock()
		closing := j.closed
		j.mu.Unlock()
		if !closing {
			_ = j.e.clk.Sleep(context.Background(), gather) // never ends early
		}
		j.mu.Lock()
		legs, rooms, setup, phones, fresh, closed := j.legs, j.rooms, j.setup, j.phones, j.fresh, j.closed
		j.legs, j.rooms, j.setup, j.phones, j.fresh = map[*leg]bool{}, map[*room]bool{}, nil, false, false
		j.mu.Unlock()
		var err error
		if fresh || j.file == nil || j.size > j.floor+rewriteAt {
			err = j.renew()
		} else {
			err = j.write(legs, rooms, setup, phones)
		}
		if err != nil {
			j.e.log.Error("通话日志写入失败，重启后可能无法恢复通话", "err", err)
		}
		if closed {
			if j.file != nil {
				j.file.Close()
			}
			return
		}
	}
}

// renew writes all that lives now to a new file under a new key.
func (j *journal) renew() error {
	key, wrapped, err := j.ring.NewKey()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(j.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	head := append([]byte(journalMagic), 0, 0)
	binary.BigEndian.PutUint16(head[len(journalMagic):], uint16(len(wrapped)))
	head = append(head, wrapped...)
	if _, err := f.Write(head); err != nil {
		f.Close()
		return err
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.key, j.size, j.kept = f, key, int64(len(head)), map[string]bool{}
	legs, rooms := map[*leg]bool{}, map[*room]bool{}
	j.e.mu.Lock()
	for _, l := range j.e.legs {
		legs[l] = true
	}
	for _, r := range j.e.rooms {
		rooms[r] = true
	}
	setup := j.e.setup
	j.e.mu.Unlock()
	if err := j.write(legs, rooms, &setup, true); err != nil {
		return err
	}
	j.floor = j.size
	return os.Rename(j.path+".new", j.path)
}

func (j *journal) write(legs map[*leg]bool, rooms map[*room]bool, setup *media.Setup, phones bool) error {
	j.buf = j.buf[:0]
	var err error
	if setup != nil {
		err = j.add(entry{Name: "s", Setup: setup})
	}
	if phones && j.e.stack != nil {
		list := j.e.stack.Registrations()
		err = errors.Join(err, j.add(entry{Name: "p", Phones: &list}))
	}
	for l := range legs {
		err = errors.Join(err, j.add(entry{Name: "l" + string(l.id), Leg: j.e.saveLeg(l)}))
	}
	for r := range rooms {
		err = errors.Join(err, j.add(entry{Name: "r" + string(r.id), Room: j.e.saveRoom(r)}))
	}
	if len(j.buf) == 0 {
		return err
	}
	n, werr := j.file.Write(j.buf)
	j.size += int64(n)
	if cap(j.buf) > 1<<20 {
		j.buf = nil
	}
	return errors.Join(err, werr)
}

func (j *journal) add(en entry) error {
	switch {
	case !en.empty():
		j.kept[en.Name] = true
	case !j.kept[en.Name]: // it never was in the file
		return nil
	default:
		delete(j.kept, en.Name)
	}
	text, err := json.Marshal(en)
	if err != nil {
		return err
	}
	at := len(j.buf)
	j.buf = j.key.AppendSeal(append(j.buf, 0, 0, 0, 0), journalPlace, text)
	binary.BigEndian.PutUint32(j.buf[at:], uint32(len(j.buf)-at-4))
	return nil
}
