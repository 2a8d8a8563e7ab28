package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"hotline/internal/eventlog"
)

// change is one line of live data: what changed, never how. The client
// fetches through its own scope.
type change struct {
	Topic   string `json:"topic"`
	ID      ID     `json:"id"`
	Version int64  `json:"version"`
	unit    int64
	owner   int64
}

// hub fans sealed events out to open streams.
type hub struct {
	mu   sync.Mutex
	subs map[chan []change]bool
}

func newHub() *hub { return &hub{subs: map[chan []change]bool{}} }

func (h *hub) join() (chan []change, func()) {
	c := make(chan []change, 16)
	h.mu.Lock()
	h.subs[c] = true
	h.mu.Unlock()
	return c, func() {
		h.mu.Lock()
		delete(h.subs, c)
		h.mu.Unlock()
	}
}

func (h *hub) send(cs []change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs {
		select {
		case c <- cs:
		default: // a slow reader misses the detail; the next line makes it fetch again
		}
	}
}

// RunLive reads new sealed events and tells open streams until ctx ends.
func (a *API) RunLive(ctx context.Context) error {
	ch, cancel := a.Log.Subscribe()
	defer cancel()
	seq, err := a.Log.Head(ctx)
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ch:
		}
		for {
			evs, err := a.Log.After(ctx, seq, 500)
			if err != nil || len(evs) == 0 {
				break
			}
			seq = evs[len(evs)-1].Seq
			a.hub.send(changes(evs))
		}
	}
}

func changes(evs []eventlog.Event) []change {
	var out []change
	screen := false
	for _, e := range evs {
		topic, _, _ := strings.Cut(e.Kind, ".")
		c := change{Topic: topic, ID: ID(e.SubjectID), Version: e.Version}
		var d struct {
			P  int64 `json:"p"`
			U  int64 `json:"u"`
			AU int64 `json:"au"`
		}
		if e.Data != "" && json.Unmarshal([]byte(e.Data), &d) == nil {
			c.owner, c.unit = d.P, d.AU
			if c.unit == 0 {
				c.unit = d.U
			}
		}
		out = append(out, c)
		screen = screen || topic == "ticket"
	}
	if screen {
		out = append(out, change{Topic: "screen"})
	}
	return out
}

const keepalive = 15 * time.Second

func (a *API) liveRoutes() {
	a.raw(http.MethodGet, "/api/v1/events", "events", "实时变化（SSE）", Rule{Free: "只含编号和版本"}, func(w http.ResponseWriter, r *http.Request) error {
		actor := actorOf(r.Context())
		tree := a.Org.Tree()
		rc := http.NewResponseController(w)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Accel-Buffering", "no")
		fmt.Fprint(w, ": 已连接\n\n")
		_ = rc.Flush()
		ch, leave := a.hub.join()
		defer leave()
		clk := a.DB.Clock()
		for {
			var cs []change
			select {
			case <-r.Context().Done():
				return nil
			case <-clk.After(keepalive):
			case cs = <-ch:
			}
			switch {
			case a.ended(r):
				return nil
			case len(cs) == 0:
				fmt.Fprint(w, ": keepalive\n\n")
			default:
				sent := map[string]bool{}
				for _, c := range cs {
					mine := c.owner == 0 || c.owner == actor.Unit || c.unit == actor.Unit || tree.Under(actor.Unit, c.owner) || actor.Platform == c.owner && actor.Role == "agent" || tree.Under(actor.Unit, c.unit)
					if !mine {
						continue
					}
					b, err := json.Marshal(c)
					if err != nil || sent[string(b)] {
						continue
					}
					sent[string(b)] = true
					fmt.Fprintf(w, "event: change\ndata: %s\n\n", b)
				}
			}
			if err := rc.Flush(); err != nil {
				return nil
			}
		}
	})
}
