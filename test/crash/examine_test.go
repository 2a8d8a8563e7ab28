package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/blob"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	core "hotline/internal/ticket"
)

// examine lets the followers finish and compares what is stored with what the
// clients were told.
func (s *server) examine(h *history) {
	s.t.Helper()
	ctx := context.Background()
	a, err := app.Open(ctx, app.Config{Data: s.data, DB: s.db})
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Close()
	a.Serve(nil)
	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { a.Run(run); close(ended) }()
	s.settled(a)
	stop()
	<-ended

	s.files(a)
	var all []*core.Ticket
	byNumber := map[string]*core.Ticket{}
	for _, id := range s.ids(a) {
		t, err := a.Ticket.Get(ctx, access.System("核对"), id)
		if err != nil {
			s.t.Fatal(err)
		}
		if byNumber[t.Number] != nil {
			s.t.Errorf("单号 %s was issued twice", t.Number)
		}
		all, byNumber[t.Number] = append(all, t), t
	}
	if len(all) != len(h.made) {
		s.t.Errorf("%d tickets for %d keys", len(all), len(h.made))
	}
	for key, m := range h.made {
		if byNumber[m.Number] == nil {
			s.t.Errorf("lost: %s, 单号 %s", key, m.Number)
		}
	}
	fired := 0
	for _, t := range all {
		fired += s.course(a, t, h.did[t.Number])
	}
	if fired == 0 && h.shifted > 0 {
		s.t.Errorf("no deadline fired, of %d whose time passed", h.shifted)
	}
	s.notices(a, all)
	if got, err := a.Measure.Recount(ctx, nil); err != nil || got.Diff() > 0 {
		s.t.Errorf("recount: %+v %v", got, err)
	}
	s.t.Logf("%d tickets, %d stages of deadlines fired", len(all), fired)
}

// settled waits until the followers have seen the last event.
func (s *server) settled(a *app.App) {
	s.t.Helper()
	ctx := context.Background()
	why := ""
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		head, err := a.Log.Head(ctx)
		if err != nil {
			s.t.Fatal(err)
		}
		why = ""
		for _, name := range []string{"notify", "measure"} {
			if at, err := a.Log.Cursor(ctx, name); err != nil || at != head {
				why += fmt.Sprintf("%s at %d of %d (%v) ", name, at, head, err)
			}
		}
		for what, q := range map[string]string{
			"events to seal": `SELECT count(*) FROM event_pending`, "messages to send": `SELECT count(*) FROM outbox WHERE state = 'ready'`,
			"deadlines to fire": fmt.Sprintf(`SELECT count(*) FROM ticket WHERE next_at > 0 AND next_at <= %d`, time.Now().UnixMilli()-5000),
		} {
			if n := s.count(a, q); n > 0 {
				why += fmt.Sprintf("%d %s ", n, what)
			}
		}
		if why == "" {
			return
		}
	}
	s.t.Fatalf("the followers do not finish: %s", why)
}

func (s *server) count(a *app.App, q string) (n int64) {
	s.t.Helper()
	if err := a.DB.View(context.Background(), func(tx *db.Tx) (err error) { n, err = db.Int(tx, q); return err }); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *server) ids(a *app.App) (ids []int64) {
	s.t.Helper()
	err := a.DB.View(context.Background(), func(tx *db.Tx) (err error) {
		ids, err = db.All(tx, func(sc db.Scanner) (id int64, err error) { return id, sc.Scan(&id) }, `SELECT id FROM ticket ORDER BY id`)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids
}

func (s *server) events(a *app.App, id int64) (out []eventlog.Event) {
	s.t.Helper()
	err := a.DB.View(context.Background(), func(tx *db.Tx) (err error) { out, err = a.Log.BySubject(tx, "ticket", id); return err })
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// data is what these checks read of an event.
type data struct {
	Clock  int64
	Stage  int
	Notice string
}

func dataOf(t *testing.T, e eventlog.Event) (d data) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.Data), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// course compares a ticket's events with the steps that were acknowledged and
// with its clocks. It tells how many stages of deadlines fired.
func (s *server) course(a *app.App, t *core.Ticket, did []step) (fired int) {
	s.t.Helper()
	steps := map[string]int{}
	at := map[int64]string{}
	stages := map[int64][]int{}
	for i, e := range s.events(a, t.ID) {
		name := strings.TrimPrefix(e.Kind, "ticket.")
		if e.Version != int64(i+1) {
			s.t.Errorf("%s: event %d has version %d", t.Number, i+1, e.Version)
		}
		at[e.Version] = name
		if name == "deadline" {
			d := dataOf(s.t, e)
			stages[d.Clock] = append(stages[d.Clock], d.Stage)
			fired++
			continue
		}
		steps[name]++
	}
	if int64(len(at)) != t.Version {
		s.t.Errorf("%s: %d events at version %d", t.Number, len(at), t.Version)
	}
	want := map[string]int{"create": 1}
	for _, st := range did {
		want[st.name]++
		if at[st.version] != st.name {
			s.t.Errorf("%s: acknowledged %s as version %d, found %q", t.Number, st.name, st.version, at[st.version])
		}
	}
	for name := range steps {
		if steps[name] != want[name] {
			s.t.Errorf("%s: %d × %s, acknowledged %d", t.Number, steps[name], name, want[name])
		}
	}
	for name := range want {
		if steps[name] == 0 {
			s.t.Errorf("%s: lost %s", t.Number, name)
		}
	}
	for clock, list := range stages {
		if !slices.Equal(list, core.Stages[:min(len(list), len(core.Stages))]) {
			s.t.Errorf("%s: clock %d fired %v", t.Number, clock, list)
		}
	}
	for _, c := range t.Clocks {
		if got := stages[c.ID]; len(got) > 0 && c.Stage != got[len(got)-1] || len(got) == 0 && c.Stage != 0 {
			s.t.Errorf("%s: clock %s stands at %d, fired %v", t.Number, c.Kind, c.Stage, got)
		}
	}
	return fired
}

// notices: each event that names a notice of a ticket with a phone has one
// message, and it was tried once.
func (s *server) notices(a *app.App, all []*core.Ticket) {
	s.t.Helper()
	want := int64(0)
	for _, t := range all {
		for _, e := range s.events(a, t.ID) {
			if n := dataOf(s.t, e).Notice; n != "" {
				want++
				if got := s.count(a, fmt.Sprintf(`SELECT count(*) FROM outbox WHERE event = %d AND state = 'sent' AND attempts = 1`, e.ID)); got != 1 {
					s.t.Errorf("%s: %s has %d messages sent once", t.Number, n, got)
				}
			}
		}
	}
	if got := s.count(a, `SELECT count(*) FROM outbox`); got != want {
		s.t.Errorf("%d messages for %d events", got, want)
	}
}

// files: every file that a row names opens whole, and no half-written one is left.
func (s *server) files(a *app.App) {
	s.t.Helper()
	ctx := context.Background()
	var refs []string
	err := a.DB.View(ctx, func(tx *db.Tx) (err error) {
		refs, err = db.All(tx, func(sc db.Scanner) (ref string, err error) { return ref, sc.Scan(&ref) }, `SELECT ref FROM attachment`)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, ref := range refs {
		f, err := a.Blobs.Open(ctx, blob.Ref(ref))
		if err != nil {
			s.t.Errorf("file %s: %v", ref, err)
			continue
		}
		if _, err := io.Copy(io.Discard, f); err != nil {
			s.t.Errorf("file %s: %v", ref, err)
		}
		f.Close()
	}
	_ = filepath.WalkDir(filepath.Join(s.data, "blob"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasPrefix(e.Name(), ".new-") {
			s.t.Errorf("a half-written file is left: %s", path)
		}
		return err
	})
	if _, err := os.Stat(filepath.Join(s.data, "lock")); err != nil {
		s.t.Error(err)
	}
}
