package insight

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"hotline/internal/category"
)

// Guess is a proposed 事项分类 with the words that speak for it.
type Guess struct {
	Code string   `json:"code"`
	P    float64  `json:"p"` // 0–1
	Why  []string `json:"why"`
}

// Level says a confidence in words: 高, 中 or 低.
func Level(p float64) string {
	switch {
	case p >= 0.75:
		return "高"
	case p >= 0.45:
		return "中"
	}
	return "低"
}

// Classifier finds categories by their weighted keywords and by how much a text
// resembles what the 事项分类 says of them. Words that many categories share
// count less.
type Classifier struct {
	codes []string
	words map[string][]vote  // by first two characters
	pairs map[uint64][]share // pairs of Han characters in names, definitions, examples
}

type vote struct {
	word   string
	at     int // in codes
	weight float64
}

type share struct {
	at int
	w  float64
}

// NewClassifier reads the keywords and descriptions of a category tree.
func NewClassifier(t *category.Tree) *Classifier {
	all := t.All(3)
	owners := map[string]int{}
	for _, c := range all {
		for _, k := range c.Keywords {
			owners[alike(k.Word)]++
		}
	}
	cl := &Classifier{words: map[string][]vote{}, pairs: map[uint64][]share{}}
	spread := map[uint64]int{}
	said := make([]map[uint64]float64, len(all))
	for i, c := range all {
		cl.codes = append(cl.codes, c.Code)
		for _, k := range c.Keywords {
			word := alike(k.Word)
			w := k.Weight
			if w == 0 {
				w = 1
			}
			w *= (1 + 0.25*float64(utf8.RuneCountInString(word)-2)) / math.Sqrt(float64(owners[word]))
			cl.words[firstTwo(word)] = append(cl.words[firstTwo(word)], vote{word, i, w})
		}
		said[i] = describe(t, &c)
		for g := range said[i] {
			spread[g]++
		}
	}
	for i := range all {
		norm := 0.0
		for g, n := range said[i] {
			w := (1 + math.Log(n)) * math.Log(float64(len(all)+1)/float64(spread[g]))
			said[i][g], norm = w, norm+w*w
		}
		for g, w := range said[i] {
			cl.pairs[g] = append(cl.pairs[g], share{i, w / math.Sqrt(norm)})
		}
	}
	return cl
}

// describe counts the pairs in all that the 事项分类 says of a category.
func describe(t *category.Tree, c *category.Category) map[uint64]float64 {
	d := map[uint64]float64{}
	countPairs(d, c.Name, 3)
	countPairs(d, c.Definition, 1)
	countPairs(d, c.Example, 1)
	for _, k := range c.Keywords {
		countPairs(d, k.Word, 2)
	}
	if p, ok := t.Get(c.Parent); ok {
		countPairs(d, p.Name, 2)
		if top, ok := t.Get(p.Parent); ok {
			countPairs(d, top.Name, 1)
		}
	}
	return d
}

// sameWords are spellings that citizens mix freely.
var sameWords = strings.NewReplacer("噪声", "噪音", "夜里", "夜间", "晚上", "夜间", "半夜", "夜间", "深夜", "夜间", "的士", "出租车", "五险一金", "社保")

func alike(s string) string { return sameWords.Replace(s) }

// countPairs adds the overlapping pairs of Han characters of a text.
func countPairs(into map[uint64]float64, s string, times float64) {
	var last rune
	for _, r := range alike(s) {
		if !unicode.Is(unicode.Han, r) {
			r = 0
		} else if last != 0 {
			into[uint64(last)<<32|uint64(r)] += times
		}
		last = r
	}
}

func firstTwo(s string) string {
	n := 0
	for i := range s {
		if n == 2 {
			return s[:i]
		}
		n++
	}
	return s
}

// What resemblance weighs beside keywords, and the title beside the text; both
// measured on labelled messages of citizens.
const (
	likeness   = 45.0
	titleTimes = 6.0
)

// Classify proposes up to n categories, best first; none when nothing in the
// text speaks for any.
func (cl *Classifier) Classify(title, content string, n int) []Guess {
	score := make([]float64, len(cl.codes))
	why := map[int][]string{}
	seen := map[string]bool{}
	scan := func(text string, times float64) {
		for i := range text {
			for _, v := range cl.words[firstTwo(text[i:])] {
				if !strings.HasPrefix(text[i:], v.word) {
					continue
				}
				gain := v.weight * times
				if key := cl.codes[v.at] + v.word; seen[key] {
					gain *= 0.2 // repetition adds little
				} else {
					seen[key] = true
					why[v.at] = append(why[v.at], v.word)
				}
				score[v.at] += gain
			}
		}
	}
	scan(alike(title), 2)
	scan(alike(content), 1)
	asked := cl.resemble(title, content, score)
	var best []int
	for i, s := range score {
		if s > 0 {
			best = append(best, i)
		}
	}
	sort.SliceStable(best, func(i, j int) bool { return score[best[i]] > score[best[j]] })
	var out []Guess
	for _, i := range best[:min(n, len(best))] {
		if len(why[i]) == 0 {
			why[i] = cl.common(asked, i)
		}
		out = append(out, Guess{Code: cl.codes[i], P: score[i], Why: why[i]})
	}
	return confident(out)
}

// common names the pairs that speak most for a category.
func (cl *Classifier) common(asked map[uint64]float64, at int) []string {
	type pair struct {
		text string
		w    float64
	}
	var all []pair
	for g, w := range asked {
		for _, o := range cl.pairs[g] {
			if o.at == at {
				all = append(all, pair{string([]rune{rune(g >> 32), rune(g & 0xffffffff)}), w * o.w})
			}
		}
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Or(cmp.Compare(b.w, a.w), cmp.Compare(a.text, b.text)) })
	var out []string
	for _, p := range all[:min(3, len(all))] {
		out = append(out, p.text)
	}
	return out
}

// resemble adds the cosine between the text and each category's description,
// and returns the pairs of the text with their weights.
func (cl *Classifier) resemble(title, content string, score []float64) map[uint64]float64 {
	q := map[uint64]float64{}
	countPairs(q, title, titleTimes)
	countPairs(q, content, 1)
	like, norm := make([]float64, len(score)), 0.0
	for g, n := range q {
		owners := cl.pairs[g]
		if len(owners) == 0 || len(owners) > len(score)/8 {
			delete(q, g) // says nothing
			continue
		}
		w := (1 + math.Log(n)) * math.Log(float64(len(score))/float64(len(owners)))
		q[g], norm = w, norm+w*w
		for _, o := range owners {
			like[o.at] += w * o.w
		}
	}
	for i, s := range like {
		if s > 0 {
			score[i] += likeness * s / math.Sqrt(norm)
		}
	}
	return q
}

// confident turns scores into confidences: they grow with the best score and
// with its lead over the next.
func confident(out []Guess) []Guess {
	total := 1.2
	for _, g := range out {
		total += g.P
	}
	lead := 1.0
	if len(out) > 1 {
		lead = 1 - out[1].P/math.Max(out[0].P, 0.01)
	}
	for i := range out {
		p := out[i].P / total
		if i == 0 {
			p *= 1 + 0.6*lead
		}
		out[i].P = math.Round(min(0.95, p)*100) / 100
	}
	return out
}

// Service keeps one classifier per category version and the index of tickets.
type Service struct {
	tree  func(platform int64) *category.Tree
	mu    sync.Mutex
	cache map[string]*Classifier
}

// New builds the service over the categories in force on a platform.
func New(tree func(platform int64) *category.Tree) *Service {
	return &Service{tree: tree, cache: map[string]*Classifier{}}
}

// Classify proposes categories under the version in force on the platform.
func (s *Service) Classify(platform int64, title, content string, n int) []Guess {
	t := s.tree(platform)
	s.mu.Lock()
	cl := s.cache[t.Version]
	if cl == nil {
		cl = NewClassifier(t)
		s.cache[t.Version] = cl
	}
	s.mu.Unlock()
	return cl.Classify(title, content, n)
}
