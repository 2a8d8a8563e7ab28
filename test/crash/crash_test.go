package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"hotline/internal/db"
	core "hotline/internal/ticket"
)

const (
	writers  = 8
	kills    = 20
	killsNow = 3 // in the short form
)

// The platform is killed twenty times while people work with it, and nothing
// that it acknowledged is lost, nothing happens twice.
func TestKilledUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		n := kills
		if testing.Short() {
			n = killsNow
		}
		p := s.open()
		h := &history{made: map[string]ticket{}, did: map[string][]step{}}
		stop := make(chan struct{})
		var all sync.WaitGroup
		retries := []*client{}
		for i := range writers {
			w := &writer{s: s, h: h, n: i, unit: p.unit(dept), staff: staff{}, public: s.from(fmt.Sprintf("127.1.%d.1", i))}
			for name, c := range p {
				w.staff[name] = c
			}
			retries = append(retries, w.public)
			all.Add(1)
			go func() {
				defer all.Done()
				for k := 0; ; k++ {
					select {
					case <-stop:
						return
					default:
						w.request(k)
					}
				}
			}()
		}
		var back []time.Duration
		for i := range n {
			time.Sleep(time.Duration(150+rand.IntN(900)) * time.Millisecond)
			s.kill()
			if i%3 == 1 {
				h.shifted += s.timePasses(5)
			}
			back = append(back, s.start())
		}
		time.Sleep(300 * time.Millisecond)
		close(stop)
		all.Wait()
		repeated := int64(0)
		for _, c := range retries {
			repeated += c.retries.Load()
		}
		for _, c := range p {
			repeated += c.retries.Load()
		}
		s.stop()
		slices.Sort(back)
		t.Logf("%d kills: %d tickets and %d steps acknowledged, %d requests repeated, %d files, back in %v (median) to %v", n, len(h.made), h.steps(), repeated, h.files, back[len(back)/2], back[len(back)-1])
		s.intact()
		s.examine(h)
		s.intact() // now with every event sealed
	})
}

// step is an acknowledged action.
type step struct {
	name, key string
	version   int64
}

// history is what the clients were told.
type history struct {
	mu      sync.Mutex
	made    map[string]ticket // by Idempotency-Key
	did     map[string][]step // by 单号
	files   int
	shifted int // clocks whose time was made to pass
}

func (h *history) steps() (n int) {
	for _, list := range h.did {
		n += len(list)
	}
	return n
}

// writer is a chain of people who take requests through part of their loop.
type writer struct {
	s      *server
	h      *history
	n, k   int
	unit   string
	staff  staff
	public *client
}

// request makes one ticket and works on it. Every key is used again now and
// then, as a double click does.
func (w *writer) request(k int) {
	w.k = k
	key := fmt.Sprintf("w%d-%d", w.n, k)
	head := map[string]string{"Idempotency-Key": key}
	send := func() answer {
		return w.staff["seat"].send(http.MethodPost, "/api/v1/tickets", staffBody(w.n*100000+k), head)
	}
	if k%3 == 0 {
		c := w.s.from(fmt.Sprintf("127.%d.%d.%d", 2+w.n, k/250, 1+k%250)) // ten a minute from one address
		defer c.http.CloseIdleConnections()
		send = func() answer {
			a := c.send(http.MethodPost, "/api/v1/intake", intakeBody(w.n*100000+k), head)
			w.public.retries.Add(c.retries.Swap(0))
			return a
		}
	}
	a := send()
	if a.status != http.StatusCreated {
		w.s.t.Errorf("create: %d %s", a.status, a.body)
		return
	}
	if k%4 == 0 {
		if b := send(); string(b.body) != string(a.body) {
			w.s.t.Errorf("the same key: %s and %s", a.body, b.body)
		}
	}
	var tk ticket
	a.into(w.s.t, &tk)
	w.h.mu.Lock()
	w.h.made[key] = tk
	w.h.mu.Unlock()
	if k%3 == 0 {
		return // the public has only 单号 and 查询码
	}
	note := map[string]any{"text": fmt.Sprintf("已与来电人核对第%d件。", k)}
	for _, st := range []struct {
		who, name string
		free      bool
		fields    map[string]any
	}{
		{"desk", "note", true, note}, {"desk", "dispatch", false, map[string]any{"unit": w.unit}}, {"handler", "sign", false, nil}, {"handler", "contact", true, contacted},
		{"handler", "reply", false, w.reply()}, {"lead", "review", false, passed}, {"desk", "close", false, closing}, {"caller", "callback", false, happy},
	} {
		if !w.step(&tk, st.who, st.name, st.free, st.fields) || rand.IntN(12) == 0 {
			return
		}
	}
}

// step acts until it is acknowledged. A deadline that fires in between moves
// the version: the person looks again and acts anew, under a new key.
func (w *writer) step(tk *ticket, who, name string, free bool, fields map[string]any) bool {
	c := w.staff[who]
	for try := range 10 {
		key := fmt.Sprintf("%s-%s-%d", tk.Number, name, try)
		version := tk.Version
		if free {
			version = 0
		}
		a := c.act(tk.ID, version, key, name, fields)
		switch {
		case a.status == http.StatusOK:
			if rand.IntN(5) == 0 {
				if b := c.act(tk.ID, version, key, name, fields); string(b.body) != string(a.body) {
					w.s.t.Errorf("%s under one key: %s and %s", name, a.body, b.body)
				}
			}
			a.into(w.s.t, tk)
			w.h.mu.Lock()
			w.h.did[tk.Number] = append(w.h.did[tk.Number], step{name, key, tk.Version})
			w.h.mu.Unlock()
			return true
		case a.status == http.StatusConflict && a.code == "version_conflict":
			c.ok(http.MethodGet, "/api/v1/tickets/"+tk.ID, nil, nil).into(w.s.t, tk)
		default:
			w.s.t.Errorf("%s on %s by %s: %d %s", name, tk.Number, who, a.status, a.body)
			return false
		}
	}
	w.s.t.Errorf("%s on %s: ten conflicts", name, tk.Number)
	return false
}

// reply carries a photo as evidence in every fifth request.
func (w *writer) reply() map[string]any {
	if w.k%5 != 0 {
		return replied
	}
	out := map[string]any{}
	for k, v := range replied {
		out[k] = v
	}
	var file struct{ ID string }
	a := w.staff["handler"].send(http.MethodPost, "/api/v1/attachments", photo(), nil)
	if a.status != http.StatusCreated {
		w.s.t.Errorf("upload: %d %s", a.status, a.body)
		return replied
	}
	a.into(w.s.t, &file)
	w.h.mu.Lock()
	w.h.files++
	w.h.mu.Unlock()
	out["files"] = []string{file.ID}
	return out
}

// photo is a picture that does not compress, each different.
func photo() form {
	img := image.NewRGBA(image.Rect(0, 0, 200, 200))
	for i := range 200 * 200 {
		img.SetRGBA(i%200, i/200, color.RGBA{uint8(rand.Uint32()), uint8(rand.Uint32()), uint8(rand.Uint32()), 255})
	}
	var b, body bytes.Buffer
	_ = png.Encode(&b, img)
	m := multipart.NewWriter(&body)
	f, _ := m.CreateFormFile("file", "现场.png")
	_, _ = f.Write(b.Bytes())
	_ = m.Close()
	return form{body.Bytes(), m.FormDataContentType()}
}

// timePasses dates n running clocks back while nobody serves, as a weekend
// does, and tells how many it found.
func (s *server) timePasses(n int) int {
	s.t.Helper()
	url := s.db
	if url == "" {
		url = s.data + "/hotline.db"
	}
	d, err := db.Open(context.Background(), db.Config{URL: url, Node: 9})
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	moved := 0
	err = d.Update(context.Background(), func(tx *db.Tx) (err error) {
		type open struct {
			id     int64
			clocks string
		}
		list, err := db.All(tx, func(sc db.Scanner) (o open, err error) { return o, sc.Scan(&o.id, &o.clocks) }, `SELECT id, clocks FROM ticket WHERE next_at > 0 ORDER BY id DESC`)
		moved = 0
		for _, o := range list {
			var clocks []*core.TimeLimit
			if err == nil {
				err = json.Unmarshal([]byte(o.clocks), &clocks)
			}
			was := moved
			for _, c := range clocks {
				if c.NextAt > 0 && c.Stage == 0 && moved < n {
					c.Started, c.Due, c.NextAt = c.Started-4_000_000_000, c.Due-4_000_000_000, 1
					moved++
				}
			}
			if moved > was && err == nil {
				raw, _ := json.Marshal(clocks)
				_, err = tx.Exec(`UPDATE ticket SET clocks = $1, next_at = 1 WHERE id = $2`, string(raw), o.id)
			}
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return moved
}
