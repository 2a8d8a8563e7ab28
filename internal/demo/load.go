package demo

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/knowledge"
	"hotline/internal/ticket"
)

// history loads the past of a plan.
type history struct {
	a      *app.App
	past   *ticket.Service // honours the moments of the script
	people *people
	vol    *volume

	mu       sync.Mutex
	towns    map[string]*towns
	articles map[string]int64
	offsets  map[offsetKey][]int64
	marked   []marked     // tickets that shall be under 督办
	broken   atomic.Int64 // lives that the rules cut short
}

func newHistory(a *app.App, p *people, pl plan) *history {
	return &history{a: a, past: a.Ticket.Loading(), people: p, vol: newVolume(pl), articles: map[string]int64{}, offsets: map[offsetKey][]int64{}}
}

// loaders is how many lives are prepared at a time: sealing and redaction take
// the cores while one goroutine writes.
const loaders = 4

// each does the work for 0 to n-1, a few at a time.
func each(ctx context.Context, n int, work func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range loaders {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := work(ctx, i); err != nil {
					cancel(fmt.Errorf("demo: load: %w", err))
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// load brings lives into the database, each in one transaction. One that is
// there already (by source and number) is passed over.
func (h *history) load(ctx context.Context, lane db.Lane, n int, make func(i int) (life, error), told func()) error {
	return each(ctx, n, func(ctx context.Context, i int) error {
		l, err := make(i)
		if err != nil {
			return err
		}
		id, err := h.put(ctx, lane, l)
		if err != nil {
			return err
		}
		if l.order != "" {
			h.mu.Lock()
			h.marked = append(h.marked, marked{id, l.order})
			h.mu.Unlock()
		}
		told()
		return nil
	})
}

// put writes one life and gives its ticket.
func (h *history) put(ctx context.Context, lane db.Lane, l life) (id int64, err error) {
	draft, err := h.past.Prepare(ctx, l.by, l.n)
	if err != nil {
		return 0, err
	}
	err = h.a.DB.UpdateLane(ctx, lane, func(tx *db.Tx) error {
		id, err = db.Int(tx, `SELECT coalesce(max(id), 0) FROM ticket WHERE source = $1 AND source <> '' AND source_no = $2`, l.n.Source, l.n.SourceNo)
		if err != nil || id > 0 {
			return err
		}
		id = draft.Receipt.ID
		if err := draft.Write(tx); err != nil {
			return err
		}
		for _, s := range l.steps {
			if _, err := h.past.DoTx(tx, s.who, draft.Receipt.ID, s.act); err != nil {
				if !refused(err) {
					return err
				}
				// The rules say no: the life ends here and staff go on with it.
				if h.broken.Add(1) <= 20 {
					slog.Warn("demo: a step of the history was refused", "no", l.n.SourceNo, "step", s.act.Name, "role", s.who.Role, "code", fault.As(err).Code, "detail", fault.As(err).Detail)
				}
				break
			}
		}
		return nil
	})
	if db.IsUnique(err) { // two of history drew one id: the next draw differs
		return h.put(ctx, lane, l)
	}
	return id, err
}

// article is the knowledge that answers questions of a category; 0 when the
// library has none.
func (h *history) article(ctx context.Context, code string) int64 {
	h.mu.Lock()
	id, known := h.articles[code]
	h.mu.Unlock()
	if known {
		return id
	}
	if c, ok := h.a.Ticket.Categories(0).Get(code); ok {
		hits, err := h.a.Knowledge.Search(ctx, c.Name+" "+c.Example, "", knowledge.Options{PublicOnly: true}, 3)
		if err == nil && len(hits) > 0 && shares(hits[0].Title, c.Name) {
			id = hits[0].ID
		}
	}
	h.mu.Lock()
	h.articles[code] = id
	h.mu.Unlock()
	return id
}

// shares tells whether two texts have two neighbouring characters in common.
func shares(a, b string) bool {
	seen := map[string]bool{}
	ra, rb := []rune(a), []rune(b)
	for i := 0; i+1 < len(ra); i++ {
		seen[string(ra[i:i+2])] = true
	}
	for i := 0; i+1 < len(rb); i++ {
		if seen[string(rb[i:i+2])] {
			return true
		}
	}
	return false
}

var system = access.System("演示")
