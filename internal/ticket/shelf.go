package ticket

import (
	"strconv"
	"strings"
	"sync"

	"hotline/internal/db"
)

// shelf keeps tickets as the database had them at one version. Every write of
// a ticket and of its parts raises its version in the same transaction, so a
// ticket kept under the version that a reader's own snapshot shows is the one
// that the snapshot would load, whichever process wrote it. Scope and audit
// are never kept: each read asks for them anew. Only Views put tickets here; a
// writing transaction would keep what it may yet undo.
type shelf struct {
	mu         sync.Mutex
	young, old map[int64]*kept // the old ones go when the young are full
}

// kept is a ticket on the shelf; nobody changes it any more.
type kept struct {
	t     *Ticket
	whole bool // with its clocks, requests and texts
}

// shelfHalf bounds each half; a ticket takes some 5 KB.
const shelfHalf = 2048

func newShelf() *shelf { return &shelf{young: map[int64]*kept{}} }

// get gives the ticket at that version; whole asks for all its parts.
func (s *shelf) get(id, version int64, whole bool) *Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.young[id]
	if k == nil {
		if k = s.old[id]; k == nil {
			return nil
		}
		s.add(id, k)
	}
	if k.t.Version != version || whole && !k.whole {
		return nil
	}
	return k.t
}

// put keeps a ticket; one of a higher version stays.
func (s *shelf) put(t *Ticket, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.young[t.ID]; k != nil && (k.t.Version > t.Version || k.t.Version == t.Version && k.whole) {
		return
	}
	s.add(t.ID, &kept{t, whole})
}

func (s *shelf) add(id int64, k *kept) {
	if len(s.young) >= shelfHalf {
		s.young, s.old = make(map[int64]*kept, shelfHalf), s.young
	}
	s.young[id] = k
}

// read gives a whole ticket at the version that tx shows, from the shelf or
// loaded. The caller only reads it.
func (s *Service) read(tx *db.Tx, id, version int64) (*Ticket, error) {
	if t := s.shelf.get(id, version, true); t != nil {
		return t, nil
	}
	t, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	if err := s.loadWords(tx, t); err != nil {
		return nil, err
	}
	s.shelf.put(t, true)
	return t, nil
}

// at names a ticket at a version.
type at struct{ id, version int64 }

// readRows gives the tickets with their assignments, all that a list shows,
// from the shelf or loaded in two queries.
func (s *Service) readRows(tx *db.Tx, want []at) (map[int64]*Ticket, error) {
	out := make(map[int64]*Ticket, len(want))
	var in strings.Builder
	var args []any
	for _, w := range want {
		if out[w.id] != nil {
			continue
		}
		if t := s.shelf.get(w.id, w.version, false); t != nil {
			out[w.id] = t
			continue
		}
		args = append(args, w.id)
	}
	if len(args) == 0 {
		return out, nil
	}
	for len(args)&(len(args)-1) != 0 { // few statements, each prepared once
		args = append(args, args[0])
	}
	for i := range args {
		if i > 0 {
			in.WriteByte(',')
		}
		in.WriteString("$" + strconv.Itoa(i+1))
	}
	rows, err := db.All(tx, scanTicket, `SELECT `+ticketColumns+` FROM ticket WHERE id IN (`+in.String()+`)`, args...)
	if err != nil {
		return nil, err
	}
	for _, t := range rows {
		out[t.ID] = t
	}
	nodes, err := db.All(tx, scanAssignment, `SELECT `+assignmentColumns+` FROM assignment WHERE ticket IN (`+in.String()+`) ORDER BY ticket, id`, args...)
	if err != nil {
		return nil, err
	}
	for _, a := range nodes {
		t := out[a.Ticket]
		t.Assignments = append(t.Assignments, a)
	}
	for _, t := range rows {
		s.shelf.put(t, false)
	}
	return out, nil
}
