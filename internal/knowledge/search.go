package knowledge

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/region"
	"hotline/internal/zh"
)

// How often the parts of an article count, and what lifts or lowers it.
const (
	titleTimes    = 3
	keywordTimes  = 3
	questionTimes = 2

	exactTitle    = 2.0  // the query is the title
	exactQuestion = 1.6  // the query is one of the 相似问法
	partOfTitle   = 1.2  // the query stands in the title
	placeMatch    = 1.25 // written for the city or county that asks
	placeWithin   = 0.9  // written for a place inside the one that asks
	placeElse     = 0.45 // written for another place

	// leastCover is the share of a query that an article must hold to be
	// offered to staff, who judge for themselves, and to citizens: below it the
	// library has no answer and says so. Measured: at 0.27 one in ten everyday
	// questions that are no business of the hotline still finds something.
	leastCover       = 0.2
	leastCoverPublic = 0.27
	// leastOfBest is the share of the best score below which a hit only distracts.
	leastOfBest = 0.25
)

// maxQuery bounds a query, in characters; what is longer is cut.
const maxQuery = 200

// Options narrow a search.
type Options struct {
	PublicOnly bool // what citizens may see
}

// Hit is one article found.
type Hit struct {
	*Article
	Score    float64 // comparable within one search
	Snippet  string  // the sentence that fits best
	Expiring bool
}

// entry is what the index knows of an article beside its words.
type entry struct {
	id          int64
	title       string // normalised, as the questions
	questions   []string
	region      string
	from, until int64
	public      bool
}

// searchIndex is the ranking over all that is published, up to the change rev.
type searchIndex struct {
	words   *bm25
	entries []entry
	byID    map[int64]int32
	rev     int64
	dropped int
}

func newSearchIndex() *searchIndex { return &searchIndex{words: newBM25(), byID: map[int64]int32{}} }

// put takes an article in, or in again.
func (x *searchIndex) put(id int64, t *Text) {
	x.drop(id)
	doc := x.words.add(field{t.Title, titleTimes}, field{strings.Join(t.Keywords, "\n"), keywordTimes}, field{strings.Join(t.Questions, "\n"), questionTimes}, field{t.Body, 1})
	e := entry{id: id, title: plain(t.Title), region: t.Region, from: t.ValidFrom, until: t.ValidTo, public: t.Public}
	for _, q := range t.Questions {
		e.questions = append(e.questions, plain(q))
	}
	x.entries = append(x.entries, e)
	x.byID[id] = doc
}

func (x *searchIndex) drop(id int64) {
	if doc, ok := x.byID[id]; ok {
		x.words.drop(doc)
		delete(x.byID, id)
		x.dropped++
	}
}

// plain is a text without punctuation and spaces, for comparing whole sentences.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(zh.Normalize(s)), notWord), "")
}

func notWord(r rune) bool {
	return strings.ContainsRune(" ,.;:!?，。；：！？、\"'()（）[]<>-_/|~…·", r)
}

// Warm builds the index, so that the first search does not wait for it.
func (s *Service) Warm(ctx context.Context) error {
	return s.DB.View(ctx, func(tx *db.Tx) error { return s.refresh(tx) })
}

// refresh brings the index up to what the transaction sees.
func (s *Service) refresh(tx *db.Tx) error {
	n, err := db.Int(tx, `SELECT n FROM knowledge_change WHERE one = 1`)
	if err != nil {
		return err
	}
	s.mu.RLock()
	fresh := s.index.rev >= n
	s.mu.RUnlock()
	if fresh {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index.rev >= n {
		return nil
	}
	x := s.index
	if x.dropped > 200+len(x.byID)/2 { // mostly dead postings: build anew
		x = newSearchIndex()
	}
	type change struct {
		id   int64
		gone bool
		rev  int64
		text Text
	}
	changes, err := db.All(tx, func(r db.Scanner) (c change, err error) {
		var keywords, questions string
		var gone, public int
		err = r.Scan(&c.id, &gone, &c.rev, &c.text.Title, &keywords, &questions, &c.text.Body, &c.text.Region, &c.text.ValidFrom, &c.text.ValidTo, &public)
		c.gone, c.text.Public, c.text.Keywords, c.text.Questions = gone == 1, public == 1, lines(keywords), lines(questions)
		return c, err
	}, `SELECT article, gone, rev, title, keywords, questions, body, region, valid_from, valid_to, public FROM knowledge_live WHERE rev > $1 ORDER BY rev`, x.rev)
	if err != nil {
		return err
	}
	for i := range changes {
		c := &changes[i]
		if c.gone {
			x.drop(c.id)
		} else {
			x.put(c.id, &c.text)
		}
	}
	x.rev = n
	s.index = x
	return nil
}

// Search finds published articles in force today, the best first: by the words
// shared with the title, keywords, 相似问法 and body, by a query that is the
// title or a 问法, and by how the article's region lies to the place that asks
// (a region code, "" = none). None means that the library has no answer.
func (s *Service) Search(ctx context.Context, q, place string, o Options, limit int) (out []Hit, err error) {
	if place != "" {
		if _, ok := region.Get(place); !ok {
			return nil, fault.Invalid("region_unknown", "区划代码“%s”不存在。", zh.Truncate(place, 20)).At(fault.Field{Name: "region", Detail: "区划代码不存在。"})
		}
	}
	if r := []rune(strings.TrimSpace(q)); len(r) > maxQuery {
		q = string(r[:maxQuery])
	}
	limit = max(1, min(limit, 50))
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		if err := s.refresh(tx); err != nil {
			return err
		}
		found := s.rank(q, place, o, tx.Now(), limit)
		out, err = fill(tx, found, q, o)
		return err
	})
	return out, err
}

// scored is an article of the index with its score.
type scored struct {
	id    int64
	score float64
}

func (s *Service) rank(q, place string, o Options, now time.Time, limit int) []scored {
	s.mu.RLock()
	defer s.mu.RUnlock()
	x, asked, today := s.index, plain(q), day(now)
	all := x.words.search(q, limit+20, func(doc int32) float32 {
		e := &x.entries[doc]
		if e.from > today || e.until != 0 && e.until < today || o.PublicOnly && !e.public {
			return 0
		}
		return float32(e.likeness(asked) * near(e.region, place))
	})
	least := float32(leastCover)
	if o.PublicOnly {
		least = leastCoverPublic
	}
	out := make([]scored, 0, limit)
	for _, r := range all {
		if r.cover < least || r.score < leastOfBest*all[0].score || len(out) == limit {
			continue
		}
		out = append(out, scored{x.entries[r.doc].id, math.Round(float64(r.score)*1000) / 1000})
	}
	return out
}

// likeness lifts what is asked word for word.
func (e *entry) likeness(asked string) float64 {
	switch {
	case asked == e.title:
		return exactTitle
	case slices.Contains(e.questions, asked):
		return exactQuestion
	case len(asked) >= 6 && strings.Contains(e.title, asked): // two characters
		return partOfTitle
	}
	return 1
}

// near weighs an article's region against the place that asks.
func near(article, place string) float64 {
	switch {
	case place == "" || article == region.ProvinceCode:
		return 1
	case region.Contains(article, place):
		return placeMatch
	case region.Contains(place, article):
		return placeWithin
	}
	return placeElse
}

// fill reads the articles that were found. What the transaction does not see
// as published and in force is left out, whatever the index says.
func fill(tx *db.Tx, found []scored, q string, o Options) ([]Hit, error) {
	if len(found) == 0 {
		return nil, nil
	}
	ids := make([]any, len(found))
	for i, f := range found {
		ids[i] = f.id
	}
	articles, err := db.All(tx, scanArticle, selectLive+` WHERE l.gone = 0 AND l.article IN (`+slots(1, len(ids))+`)`, ids...)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*Article, len(articles))
	for _, a := range articles {
		byID[a.ID] = a
	}
	terms := zh.QueryGrams(q)
	out := make([]Hit, 0, len(found))
	for _, f := range found {
		a := byID[f.id]
		if a == nil || !a.InForce(tx.Now()) || o.PublicOnly && !a.Public {
			continue
		}
		out = append(out, Hit{a, f.score, snippet(a.Body, terms), a.ExpiringOn(tx.Now())})
	}
	return out, nil
}

// snippetLength bounds a snippet, in characters.
const snippetLength = 90

// snippet is the sentence of the body with the most terms of the query, of
// several the first, and what follows it as far as there is room.
func snippet(body string, terms []string) string {
	sentences := strings.FieldsFunc(strings.ReplaceAll(body, "。", "。\n"), func(r rune) bool { return r == '\n' })
	at, most := 0, 0
	for i, line := range sentences {
		n := 0
		low := strings.ToLower(line)
		for _, t := range terms {
			if strings.Contains(low, t) {
				n++
			}
		}
		if n > most {
			at, most = i, n
		}
	}
	var b bytes.Buffer
	for _, line := range sentences[at:] {
		b.WriteString(strings.TrimSpace(line))
		if zh.Len(b.String()) >= snippetLength {
			break
		}
		b.WriteByte(' ')
	}
	return zh.Truncate(strings.TrimSpace(b.String()), snippetLength)
}
