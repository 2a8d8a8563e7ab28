package knowledge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
	"hotline/internal/knowledge/seed"
)

func (w *world) seeded() *world {
	w.t.Helper()
	n, err := w.s.Seed(ctx, seed.Articles(), access.System("初始化"))
	w.ok(err)
	if n != len(seed.Articles()) {
		w.t.Fatalf("seeded %d of %d", n, len(seed.Articles()))
	}
	return w
}

func TestSeedTwiceIsOnce(t *testing.T) {
	each(t, func(w *world) {
		w.seeded()
		city, _ := w.s.Org.Tree().CityPlatform("420600")
		rows, _, err := w.s.List(ctx, access.Actor{Role: access.KBAdmin, Platform: city.ID}, Filter{Limit: 200})
		w.ok(err)
		if len(rows) == 0 || rows[0].Platform != city.ID || rows[0].Region != "420600" {
			t.Errorf("襄阳's own: %d", len(rows))
		}
		if n, err := w.s.Seed(ctx, seed.Articles(), access.System("初始化")); n != 0 || err != nil {
			t.Errorf("the second run added %d, %v", n, err)
		}
		w.ok(w.d.View(ctx, func(tx *db.Tx) error {
			n, err := db.Int(tx, `SELECT count(*) FROM knowledge_release`)
			if n != int64(len(seed.Articles())) {
				t.Errorf("%d releases", n)
			}
			return err
		}))
		a, err := w.s.Search(ctx, "受理范围", "", Options{PublicOnly: true}, 3)
		w.ok(err)
		if len(a) == 0 || a[0].Title != "12345热线受理范围是什么" || a[0].DocNo != "国办发〔2020〕53号" || a[0].Snippet == "" {
			t.Errorf("found %+v", a)
		}
	})
}

// The library must answer what it knows and stay silent on what it does not.
func TestSearchFindsAndAbstains(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c).seeded()
	asked, first, third := 0, 0, 0
	for _, a := range seed.Articles() {
		if !a.ValidOn(c.Now()) {
			continue
		}
		for _, q := range a.Questions {
			hits, err := w.s.Search(ctx, q, a.Region, Options{}, 3)
			w.ok(err)
			at := slices.IndexFunc(hits, func(h Hit) bool { return h.Title == a.Title })
			asked++
			if at == 0 {
				first++
			}
			if at >= 0 {
				third++
			}
		}
	}
	t.Logf("%d questions: first %.3f, in three %.3f", asked, float64(first)/float64(asked), float64(third)/float64(asked))
	if first*100 < 97*asked || third*100 < 99*asked {
		t.Errorf("of %d questions %d found their article first, %d among three", asked, first, third)
	}
	for _, q := range []string{"火星上有没有生命", "帮我写一首关于月亮的诗", "比特币明天会涨吗", "asdfgh qwerty", "？！。", "", "  "} {
		hits, err := w.s.Search(ctx, q, "", Options{PublicOnly: true}, 10)
		w.ok(err)
		for _, h := range hits {
			t.Errorf("%q finds %s", q, h.Title)
		}
	}
	for q, want := range map[string]string{"异地就医备案": "异地就医", "医保": "医保", "公积金 提取": "公积金", "夜间施工太吵了怎么办": "施工", "工单几天能办完": "办理时限"} {
		if got := w.found(q); len(got) == 0 || !strings.Contains(strings.Join(got[:min(3, len(got))], "，"), want) {
			t.Errorf("%q finds %v", q, got)
		}
	}
	_, err := w.s.Search(ctx, "医保", "123", Options{}, 3)
	w.refused(err, "region_unknown")
}

func TestPlaceRanks(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	for _, x := range []struct{ title, region string }{{"湖北省老年优待证办理", "420000"}, {"武汉市老年优待证办理", "420100"}, {"襄阳市老年优待证办理", "420600"}} {
		w.publish(func(t *Text) { t.Title, t.Region, t.Keywords, t.Questions = x.title, x.region, nil, nil })
	}
	for place, want := range map[string]string{"420111": "武汉 湖北", "420600": "襄阳 湖北", "420111005": "武汉 湖北", "421000": "湖北"} {
		hits, err := w.s.Search(ctx, "老年优待证", place, Options{}, 3)
		w.ok(err)
		for i, name := range strings.Fields(want) {
			if i >= len(hits) || !strings.HasPrefix(hits[i].Title, name) {
				t.Errorf("%s: %d is %+v, want %s", place, i, hits, name)
				break
			}
		}
	}
	hits, err := w.s.Search(ctx, "襄阳市老年优待证办理", "420111", Options{}, 3) // asked by name wins over the place
	w.ok(err)
	if len(hits) == 0 {
		t.Error("nothing found by the whole title")
	}
}

// Random steps by many people at once: what Search offers is always published.
func TestSearchKeepsUpWithManyEditors(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	other := New(w.s.Deps) // another process on the same database
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(n)))
			a, err := w.s.Create(ctx, w.editor(), w.text(func(t *Text) { t.Title = fmt.Sprintf("并发编写的条目%d", n) }))
			if err != nil {
				t.Error(err)
				return
			}
			for range 40 {
				name := []string{"submit", "publish", "reject", "revise", "offline"}[r.IntN(5)]
				who := w.second()
				if name == "submit" {
					who = w.editor()
				}
				got, err := w.s.Do(ctx, who, a.ID, 0, name, "例行处理")
				if err == nil {
					a = got.Article
				} else if k := fault.KindOf(err); k != fault.KindConflict {
					t.Errorf("%s: %v", name, err)
				}
				for _, s := range []*Service{w.s, other} {
					hits, err := s.Search(ctx, fmt.Sprintf("并发编写的条目%d", n), "", Options{}, 1)
					if err != nil {
						t.Error(err)
					}
					offered := len(hits) > 0 && hits[0].ID == a.ID
					if offered != (a.Live != 0) || offered && hits[0].No != a.Live {
						t.Errorf("after %s: live %d, offered %v", name, a.Live, offered)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestIndexForgetsAndRebuilds(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	a := w.publish(nil)
	w.ok(w.s.Warm(ctx))
	for range 300 { // the same text again and again leaves dead postings
		w.ok(d.Update(ctx, func(tx *db.Tx) error { return a.release(tx, false, 1, "系统", "") }))
		w.ok(w.s.Warm(ctx))
	}
	if n := len(w.s.index.entries); n > 250 || w.s.index.words.live != 1 {
		t.Errorf("%d entries, %d live", n, w.s.index.words.live)
	}
	if got := w.found("异地就医备案"); len(got) != 1 {
		t.Errorf("found %v", got)
	}
}

func TestSearchFile(t *testing.T) {
	corpus := "\xef\xbb\xbf" + `{"id":"a","title":"公积金提取条件","body":"租房、购房可以提取公积金。"}
{"id":7,"title":"老年证办理","body":"年满六十五周岁可以办理老年优待证。"}

{"id":"c","title":"道路维修","body":"道路破损由城管部门维修。"}`
	var out bytes.Buffer
	err := SearchFile(strings.NewReader(corpus), strings.NewReader(`{"id":1,"q":"租房怎么提取公积金"}`+"\n"+`{"id":"x","q":"老年证"}`+"\n"+`{"id":"none","q":"xyz"}`), &out, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		var row struct {
			ID   json.RawMessage
			Hits []struct {
				ID    json.RawMessage
				Score float64
			}
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		best := "-"
		if len(row.Hits) > 0 && row.Hits[0].Score > 0 {
			best = string(row.Hits[0].ID)
		}
		got = append(got, string(row.ID)+"→"+best)
	}
	if want := []string{`1→"a"`, `"x"→7`, `"none"→-`}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, bad := range map[string][2]string{"broken corpus": {"{\"id\":1}\n{", "{}"}, "query without id": {corpus, `{"q":"x"}`}} {
		if err := SearchFile(strings.NewReader(bad[0]), strings.NewReader(bad[1]), &out, 2); !fault.Is(err, "jsonl_invalid") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := SearchFile(strings.NewReader(corpus), strings.NewReader(""), &out, 0); !fault.Is(err, "search_k_invalid") {
		t.Errorf("k of 0: %v", err)
	}
}

// large publishes n articles made of sentences of the seed.
func large(b *testing.B, n int) *Service {
	d, c := dbtest.SQLite(b, schemas()...)
	var pieces []string
	all := seed.Articles()
	for _, a := range all {
		pieces = append(pieces, strings.Split(a.Body, "。")...)
	}
	r := rand.New(rand.NewPCG(1, 1))
	s := New(Deps{DB: d})
	for start := 0; start < n; start += 500 {
		err := d.Update(ctx, func(tx *db.Tx) error {
			for i := start; i < start+500; i++ {
				x := all[i%len(all)]
				body := x.Body
				if i >= len(all) {
					body = ""
					for range 8 {
						body += pieces[r.IntN(len(pieces))] + "。"
					}
				}
				a := &Article{ID: tx.NewID(), Version: 1, State: Published, No: 1, Live: 1, Created: clock.Millis(c.Now()), Updated: clock.Millis(c.Now()),
					Text: Text{Title: fmt.Sprintf("%s%d", x.Title, i), Path: x.Category, Region: x.Region, Keywords: x.Keywords, Questions: x.Questions, Body: body, Public: true}}
				args := append([]any{a.ID, a.Version, a.Platform, string(a.State), a.No, a.Live, a.Author, a.Submitter, a.Created, a.Updated}, a.columns()...)
				if _, err := tx.Exec(insertArticle, args...); err != nil {
					return err
				}
				if err := a.release(tx, false, 0, "", ""); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// BenchmarkSearch asks a library of ten thousand articles: the target is 10 ms.
func BenchmarkSearch(b *testing.B) {
	s := large(b, 10_000)
	c := clock.System()
	began := c.Now()
	if err := s.Warm(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(clock.Since(c, began).Milliseconds()), "ms-to-build")
	queries := []string{"医保异地就医怎么备案", "12345办理时限", "公积金提取需要什么材料", "夜间施工噪声扰民怎么投诉", "身份证"}
	for i := 0; b.Loop(); i++ {
		if _, err := s.Search(ctx, queries[i%len(queries)], "420111", Options{}, 10); err != nil {
			b.Fatal(err)
		}
	}
}
