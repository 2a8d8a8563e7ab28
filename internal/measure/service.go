package measure

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// Deps are the rooms below that a Service is built on.
type Deps struct {
	DB     *db.DB
	Log    *eventlog.Log
	Org    *org.Service
	Policy *policy.Store
	Ticket *ticket.Service
}

// Service answers every number of the platform. It is built once by app, and
// exactly its Follow moves the counters.
type Service struct {
	Deps
	kpis func(int64, time.Time) (*Definitions, policy.Version)
}

// New builds the service; it registers the policy kind "measures" if nobody has.
func New(d *db.DB, log *eventlog.Log, o *org.Service, p *policy.Store, t *ticket.Service) *Service {
	RegisterPolicies(p)
	return &Service{Deps: Deps{DB: d, Log: log, Org: o, Policy: p, Ticket: t}, kpis: policy.Cached(p, PolicyMeasures, Parse)}
}

// follower is the name of the cursor.
const follower = "measure"

// batch is how many events move in one transaction.
const batch = 400

// Follow counts what the event log tells until ctx ends.
func (s *Service) Follow(ctx context.Context) error {
	err := s.Log.Follow(ctx, follower, batch, s.absorb)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// CatchUp counts what is sealed now and returns; for tests, loads and tools.
func (s *Service) CatchUp(ctx context.Context) (int, error) {
	return s.Log.FollowOnce(ctx, follower, batch, s.absorb)
}

// absorb moves rows and counters by a batch of events, in the transaction that
// moves the cursor. It may run twice: everything it keeps is local.
func (s *Service) absorb(tx *db.Tx, evs []eventlog.Event) error {
	var ids []int64
	seen := map[int64]bool{}
	for _, e := range evs {
		if ours(e) && !seen[e.SubjectID] {
			seen[e.SubjectID] = true
			ids = append(ids, e.SubjectID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := loadRows(tx, ids)
	if err != nil {
		return err
	}
	b := newBook()
	b.special = s.special(tx)
	cells := map[cell]*vec{}
	before := map[rowKey]row{}
	for _, r := range rows {
		b.put(r)
		before[r.key()] = *r
	}
	for _, e := range evs {
		if ours(e) {
			if err := b.apply(e); err != nil {
				return err
			}
		}
	}
	for k, r := range b.rows {
		old, had := before[k]
		if had && old == *r {
			continue
		}
		if had {
			old.contribute(cells, -1)
		}
		r.contribute(cells, 1)
		if err := r.save(tx); err != nil {
			return err
		}
	}
	for c, v := range cells {
		if v.zero() {
			continue
		}
		if err := saveCell(tx, c, v); err != nil {
			return err
		}
	}
	return nil
}

// special reads the 办理性质 of a ticket where its event does not carry it.
func (s *Service) special(tx *db.Tx) func(int64) (bool, error) {
	return func(id int64) (bool, error) {
		t, err := s.Ticket.Peek(tx, id)
		if err != nil {
			return false, err
		}
		return t.Nature != "普通", nil
	}
}

// loadRows reads the rows of tickets.
func loadRows(tx *db.Tx, ids []int64) ([]*row, error) {
	args := make([]any, len(ids))
	in := make([]string, len(ids))
	for i, id := range ids {
		args[i], in[i] = id, "$"+strconv.Itoa(i+1)
	}
	return db.All(tx, scanRow, `SELECT `+rowColumns+` FROM stat_row WHERE ticket IN (`+strings.Join(in, ",")+`) ORDER BY ticket, leg, node`, args...)
}

// Lag tells how far the counters are behind the log: events not yet counted,
// and the age in ms of the oldest of them.
func (s *Service) Lag(ctx context.Context) (events int64, ms int64, err error) {
	head, err := s.Log.Head(ctx)
	if err != nil {
		return 0, 0, err
	}
	at, err := s.Log.Cursor(ctx, follower)
	if err != nil || at >= head {
		return 0, 0, err
	}
	next, err := s.Log.After(ctx, at, 1)
	if err != nil || len(next) == 0 {
		return head - at, 0, err
	}
	return head - at, max(0, s.DB.Clock().Now().Sub(db.IDTime(next[0].ID)).Milliseconds()), nil
}

// Viewer is whose eyes a number is for: a subtree of the organisation, and
// whether the view is de-identified, so that small cells elsewhere are kept back.
type Viewer struct {
	Root   int64 // unit whose subtree counts; 0 sees nothing
	KAnon  bool  // 分管领导: groups below 5 outside the own centre are suppressed
	Tree   *org.Tree
	Region string // of the root
}

// ViewerOf is what an actor's role and unit let him count.
func (s *Service) ViewerOf(a access.Actor) Viewer {
	tree := s.Org.Tree()
	v := Viewer{Tree: tree, KAnon: a.Role == access.Leader}
	if a.System {
		v.Root = tree.Province().ID
	} else if sc := access.ScopeIn(tree, a); !sc.None && len(sc.Units) > 0 {
		if _, ok := tree.Get(sc.Units[0]); ok {
			v.Root = sc.Units[0]
		} else {
			v.Root = a.Unit // a seat: its list is its own, its numbers are its unit's
		}
	}
	if u, ok := tree.Get(v.Root); ok {
		v.Region = u.Region
	}
	return v
}

// SmallCell is the size below which a group is kept back (k-anonymity).
const SmallCell = 5

// Hidden tells whether a count of a region must not be shown to the viewer.
func (v Viewer) Hidden(regionCode string, n int64) bool {
	return v.KAnon && n > 0 && n < SmallCell && !region.Contains(v.Region, regionCode)
}
