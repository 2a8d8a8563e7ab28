package ticket

import (
	"database/sql"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"hotline/internal/db"
)

// shelf keeps tickets as the database had them at one version. Every write of
// a ticket and of its parts raises its version in the same transaction, so a
// ticket kept under the version that a reader's own snapshot shows is the one
// that the snapshot would load, whichever process wrote it. Scope and audit
// are never kept: each read asks for them anew. What a transaction wrote is
// put here after it is durable, never before.
type shelf struct {
	mu         sync.Mutex
	young, old map[int64]*kept // the old ones go when the young are full
}

// kept is a ticket on the shelf; nobody changes it any more.
type kept struct {
	t    *Ticket
	have parts
}

// parts says how much of a ticket was loaded; each includes those before.
type parts int

const (
	withNodes parts = iota // the row with its clocks, and its assignments: what a list shows
	withAll                // requests: what an action needs
	withWords              // what was said: what a reader sees
)

// shelfHalf bounds each half; a ticket takes some 6 KB.
const shelfHalf = 2048

func newShelf() *shelf { return &shelf{young: map[int64]*kept{}} }

// get gives the ticket at that version with at least those parts, or nil.
func (s *shelf) get(id, version int64, need parts) (*Ticket, parts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.young[id]
	if k == nil {
		if k = s.old[id]; k == nil {
			return nil, 0
		}
		s.add(id, k)
	}
	if k.t.Version != version || k.have < need {
		return nil, 0
	}
	return k.t, k.have
}

// put keeps a ticket; one of a higher version, or with more parts, stays.
func (s *shelf) put(t *Ticket, have parts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.young[t.ID]; k != nil && (k.t.Version > t.Version || k.t.Version == t.Version && k.have >= have) {
		return
	}
	s.add(t.ID, &kept{t, have})
}

func (s *shelf) add(id int64, k *kept) {
	if len(s.young) >= shelfHalf {
		s.young, s.old = make(map[int64]*kept, shelfHalf), s.young
	}
	s.young[id] = k
}

// versionOf reads what the shelf does not answer: the version, and the places.
func versionOf(tx *db.Tx, id int64) (version int64, places string, err error) {
	version, err = db.One(tx, func(sc db.Scanner) (v int64, err error) { return v, sc.Scan(&v, &places) }, `SELECT version, places FROM ticket WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoTicket()
	}
	return version, places, err
}

// read gives a ticket with all its parts at the version that tx, a View,
// shows. The caller only reads it.
func (s *Service) read(tx *db.Tx, id, version int64) (*Ticket, error) {
	t, have := s.shelf.get(id, version, withAll)
	if have == withWords {
		return t, nil
	}
	if t == nil {
		var err error
		if t, err = load(tx, id); err != nil {
			return nil, err
		}
	} else {
		c := *t
		t = &c
	}
	if err := s.loadWords(tx, t); err != nil {
		return nil, err
	}
	s.shelf.put(t, withWords)
	return t, nil
}

// loadToChange loads a ticket that the caller may change.
func (s *Service) loadToChange(tx *db.Tx, id int64) (*Ticket, error) {
	version, places, err := versionOf(tx, id)
	if err != nil {
		return nil, err
	}
	if t, _ := s.shelf.get(id, version, withAll); t != nil {
		t = t.clone()
		t.stands = places
		return t, nil
	}
	return load(tx, id)
}

// keep puts the ticket of a finished step on the shelf once it is durable.
func (w *work) keep() {
	t, s := w.t, w.s
	t.Said, t.Contacts = nil, nil
	w.tx.AfterCommit(func() { s.shelf.put(t, withAll) })
}

// clone copies a ticket and everything in it that an action may change.
func (t *Ticket) clone() *Ticket {
	c := *t
	c.Detail = deep(reflect.ValueOf(t.Detail)).Interface().(Detail)
	c.Assignments = copies(t.Assignments)
	for _, a := range c.Assignments {
		if a.Reply != nil {
			r := *a.Reply
			a.Reply = &r
		}
	}
	c.Clocks, c.Requests = copies(t.Clocks), copies(t.Requests)
	c.Said, c.Contacts = nil, nil
	return &c
}

func copies[T any](list []*T) []*T {
	if list == nil {
		return nil
	}
	all, out := make([]T, len(list)), make([]*T, len(list))
	for i, x := range list {
		all[i] = *x
		out[i] = &all[i]
	}
	return out
}

// deep copies slices and pointers all the way down.
func deep(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(deep(v.Elem()))
		return p
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(s, v)
		if k := v.Type().Elem().Kind(); k == reflect.Struct || k == reflect.Pointer || k == reflect.Slice {
			for i := range v.Len() {
				s.Index(i).Set(deep(v.Index(i)))
			}
		}
		return s
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		for i := range v.NumField() {
			if k := v.Field(i).Kind(); (k == reflect.Slice || k == reflect.Pointer || k == reflect.Struct) && !v.Field(i).IsZero() {
				c.Field(i).Set(deep(v.Field(i)))
			}
		}
		return c
	}
	return v
}

// at names a ticket at a version.
type at struct{ id, version int64 }

// readRows gives the tickets with those parts (not their words), from the shelf
// or loaded in a query for each kind of part.
func (s *Service) readRows(tx *db.Tx, want []at, need parts) (map[int64]*Ticket, error) {
	out := make(map[int64]*Ticket, len(want))
	var args []any
	for _, w := range want {
		if out[w.id] != nil {
			continue
		}
		if t, _ := s.shelf.get(w.id, w.version, need); t != nil {
			out[w.id] = t
			continue
		}
		args = append(args, w.id)
	}
	if len(args) == 0 {
		return out, nil
	}
	in, args := among(args)
	rows, err := db.All(tx, scanTicket, `SELECT `+ticketColumns+` FROM ticket WHERE id IN (`+in+`)`, args...)
	if err != nil {
		return nil, err
	}
	for _, t := range rows {
		out[t.ID] = t
	}
	nodes, err := db.All(tx, scanAssignment, `SELECT `+assignmentColumns+` FROM assignment WHERE ticket IN (`+in+`) ORDER BY ticket, id`, args...)
	if err != nil {
		return nil, err
	}
	for _, a := range nodes {
		t := out[a.Ticket]
		t.Assignments = append(t.Assignments, a)
	}
	if need >= withAll {
		asked, err := db.All(tx, scanRequest, `SELECT `+requestColumns+` FROM ticket_request WHERE ticket IN (`+in+`) ORDER BY ticket, id`, args...)
		if err != nil {
			return nil, err
		}
		for _, r := range asked {
			t := out[r.Ticket]
			t.Requests = append(t.Requests, r)
		}
	}
	if tx.Writable() { // it may see what is not durable yet
		return out, nil
	}
	for _, t := range rows {
		s.shelf.put(t, need)
	}
	return out, nil
}

// among writes the placeholders of a list. Its length is made a power of two,
// so that there are few statements, each prepared once.
func among(args []any) (string, []any) {
	for len(args)&(len(args)-1) != 0 {
		args = append(args, args[0])
	}
	var in strings.Builder
	for i := range args {
		if i > 0 {
			in.WriteByte(',')
		}
		in.WriteString("$" + strconv.Itoa(i+1))
	}
	return in.String(), args
}

// loadAllToChange is loadToChange for many tickets at once.
func (s *Service) loadAllToChange(tx *db.Tx, ids []int64) ([]*Ticket, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	in, args := among(args)
	places := make(map[int64]string, len(ids))
	want, err := db.All(tx, func(sc db.Scanner) (a at, err error) {
		var text string
		err = sc.Scan(&a.id, &a.version, &text)
		places[a.id] = text
		return a, err
	}, `SELECT id, version, places FROM ticket WHERE id IN (`+in+`) ORDER BY id`, args...)
	if err != nil {
		return nil, err
	}
	found, err := s.readRows(tx, want, withAll)
	out := make([]*Ticket, 0, len(want))
	for _, w := range want {
		if t := found[w.id]; t != nil {
			t = t.clone()
			t.stands = places[w.id]
			out = append(out, t)
		}
	}
	return out, err
}
