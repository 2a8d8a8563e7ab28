package policy

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Province is the platform number of a province-wide version.
const Province int64 = 0

// Version identifies one published state of a policy (版本). It is created by
// Publish and never changes. The zero ID (and No 0) is the embedded default.
type Version struct {
	ID            int64
	Kind          string
	Platform      int64 // 0 = province-wide
	No            int
	EffectiveFrom time.Time
	PublishedBy   int64
	PublishedAt   time.Time
	Note          string
	Digest        string // SHA-256 of the document, hex
}

// Kind is what a room says about a sort of policy it owns.
type Kind struct {
	Label    string                         // Chinese name on screens
	Default  func() []byte                  // embedded document, in force until something is published
	Validate func(doc, parent []byte) error // parent is the province's document when a platform publishes, else nil; returns *fault.Error
	Diff     func(old, new []byte) []string // Chinese lines; nil means the general JSON comparison
}

// entry is one version with its document, as kept in memory.
type entry struct {
	v   Version
	doc []byte
}

// line is all versions of one kind and platform, by effective date then No.
type line []entry

type lineKey struct {
	kind     string
	platform int64
}

// snapshot is immutable; a publication makes a new one.
type snapshot struct {
	lines map[lineKey]line
	byID  map[int64]entry
}

// Store answers what is in force and publishes new versions. Built once by
// app; all reads are from memory.
type Store struct {
	d *db.DB

	mu    sync.Mutex // guards kinds' writes and snapshot replacement
	kinds map[string]Kind
	names []string // kinds in order of registration
	seen  int64    // policy_change.n of the last load
	snap  atomic.Pointer[snapshot]
	reg   atomic.Pointer[map[string]entry] // defaults, read without the lock
}

// New makes a store over d. Register the kinds, then Load.
func New(d *db.DB) *Store {
	s := &Store{d: d, kinds: map[string]Kind{}}
	s.snap.Store(&snapshot{lines: map[lineKey]line{}, byID: map[int64]entry{}})
	s.reg.Store(&map[string]entry{})
	return s
}

// Register declares a kind; the first registration of a name stays.
func (s *Store) Register(kind string, k Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.kinds[kind]; ok {
		return
	}
	s.kinds[kind] = k
	s.names = append(s.names, kind)
	e := entry{v: Version{Kind: kind, Note: "内置默认"}}
	if k.Default != nil {
		e.doc = k.Default()
		e.v.Digest = digest(e.doc)
	}
	next := map[string]entry{kind: e}
	for name, old := range *s.reg.Load() {
		next[name] = old
	}
	s.reg.Store(&next)
}

// Kinds lists the registered kinds with their labels, in order of registration.
func (s *Store) Kinds() []struct{ Kind, Label string } {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]struct{ Kind, Label string }, 0, len(s.names))
	for _, n := range s.names {
		out = append(out, struct{ Kind, Label string }{n, s.kinds[n].Label})
	}
	return out
}

// At gives the newest version effective at or before t: the platform's own,
// else the province's, else the embedded default (Version.ID 0). The document
// is shared and must not be changed.
func (s *Store) At(kind string, platform int64, t time.Time) (Version, []byte) {
	e := s.at(kind, platform, t)
	return e.v, e.doc
}

func (s *Store) at(kind string, platform int64, t time.Time) entry {
	sn := s.snap.Load()
	if platform != Province {
		if e, ok := sn.lines[lineKey{kind, platform}].at(t); ok {
			return e
		}
	}
	if e, ok := sn.lines[lineKey{kind, Province}].at(t); ok {
		return e
	}
	return (*s.reg.Load())[kind]
}

// at finds the last entry effective at or before t.
func (l line) at(t time.Time) (entry, bool) {
	i := sort.Search(len(l), func(i int) bool { return l[i].v.EffectiveFrom.After(t) })
	if i == 0 {
		return entry{}, false
	}
	return l[i-1], true
}

// ByID gives the version a ticket was pinned to; id 0 is the embedded default.
// It fails with not_found code policy_version_absent.
func (s *Store) ByID(kind string, id int64) (Version, []byte, error) {
	if id == 0 {
		e, ok := (*s.reg.Load())[kind]
		if !ok {
			return Version{}, nil, unknownKind(kind)
		}
		return e.v, e.doc, nil
	}
	e, ok := s.snap.Load().byID[id]
	if !ok { // published by another process a moment ago
		ctx, cancel := context.WithTimeout(context.Background(), watchEvery)
		defer cancel()
		if err := s.Load(ctx); err != nil {
			return Version{}, nil, err
		}
		e, ok = s.snap.Load().byID[id]
	}
	if !ok || e.v.Kind != kind {
		return Version{}, nil, fault.NotFound("policy_version_absent", "没有这个规则版本，请刷新后重试。")
	}
	return e.v, e.doc, nil
}

// Before gives what a version took the place of: the one before it on its
// platform, else the province's of that moment, else the embedded default. The
// document is shared and must not be changed.
func (s *Store) Before(v Version) (Version, []byte) {
	l := s.snap.Load().lines[lineKey{v.Kind, v.Platform}]
	if i := slices.IndexFunc(l, func(e entry) bool { return e.v.ID == v.ID }); i > 0 {
		return l[i-1].v, l[i-1].doc
	}
	if v.Platform != Province {
		return s.At(v.Kind, Province, v.EffectiveFrom)
	}
	e := (*s.reg.Load())[v.Kind]
	return e.v, e.doc
}

// History lists the versions of a kind for one platform, newest first. Versions
// that are not yet in force come first.
func (s *Store) History(ctx context.Context, kind string, platform int64) ([]Version, error) {
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	l := s.snap.Load().lines[lineKey{kind, platform}]
	out := make([]Version, 0, len(l))
	for i := len(l) - 1; i >= 0; i-- {
		out = append(out, l[i].v)
	}
	return out, nil
}

// Load reads every version into memory; call it at start.
func (s *Store) Load(ctx context.Context) error {
	var n int64
	var all []entry
	err := s.d.View(ctx, func(tx *db.Tx) (err error) {
		if n, err = db.Int(tx, `SELECT n FROM policy_change WHERE one = 1`); err != nil {
			return err
		}
		all, err = db.All(tx, scanEntry, selectEntry+` ORDER BY id`)
		return err
	})
	if err != nil {
		return fmt.Errorf("policy: load: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.insert(all)
	s.seen = max(s.seen, n)
	return nil
}

// Refresh looks whether another process published and loads if so.
func (s *Store) Refresh(ctx context.Context) error {
	var n int64
	err := s.d.View(ctx, func(tx *db.Tx) (err error) {
		n, err = db.Int(tx, `SELECT n FROM policy_change WHERE one = 1`)
		return err
	})
	if err != nil {
		return fmt.Errorf("policy: refresh: %w", err)
	}
	s.mu.Lock()
	fresh := n <= s.seen
	s.mu.Unlock()
	if fresh {
		return nil
	}
	return s.Load(ctx)
}

// watchEvery is how late another process may see a publication.
const watchEvery = 2 * time.Second

// Watch keeps the memory current with other processes until ctx ends. A
// failing database is retried; what is in memory stays in force.
func (s *Store) Watch(ctx context.Context, c clock.Clock) error {
	for {
		if err := c.Sleep(ctx, watchEvery); err != nil {
			return nil
		}
		_ = s.Refresh(ctx) // the next round tries again
	}
}

// insert adds entries to a new snapshot. Caller holds mu. Versions are never
// removed, so adding is all that ever happens and order does not matter.
func (s *Store) insert(es []entry) {
	old := s.snap.Load()
	next := &snapshot{lines: make(map[lineKey]line, len(old.lines)+1), byID: make(map[int64]entry, len(old.byID)+len(es))}
	for k, l := range old.lines {
		next.lines[k] = l
	}
	for id, e := range old.byID {
		next.byID[id] = e
	}
	touched := map[lineKey]bool{}
	for _, e := range es {
		if _, ok := next.byID[e.v.ID]; ok {
			continue
		}
		k := lineKey{e.v.Kind, e.v.Platform}
		next.byID[e.v.ID] = e
		next.lines[k] = append(append(line(nil), next.lines[k]...), e)
		touched[k] = true
	}
	for k := range touched {
		l := next.lines[k]
		sort.Slice(l, func(i, j int) bool {
			a, b := l[i].v, l[j].v
			if !a.EffectiveFrom.Equal(b.EffectiveFrom) {
				return a.EffectiveFrom.Before(b.EffectiveFrom)
			}
			return a.No < b.No
		})
	}
	s.snap.Store(next)
}

const selectEntry = `SELECT id, kind, platform, no, effective_from, published_by, published_at, note, digest, doc FROM policy_version`

func scanEntry(r db.Scanner) (entry, error) {
	var e entry
	var from, at int64
	var doc string
	err := r.Scan(&e.v.ID, &e.v.Kind, &e.v.Platform, &e.v.No, &from, &e.v.PublishedBy, &at, &e.v.Note, &e.v.Digest, &doc)
	e.v.EffectiveFrom, e.v.PublishedAt, e.doc = clock.FromMillis(from), clock.FromMillis(at), []byte(doc)
	return e, err
}

func unknownKind(kind string) error {
	return fault.Invalid("policy_kind_unknown", "没有名为“%s”的规则类别。", kind)
}
