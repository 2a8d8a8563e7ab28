package insight

import (
	"math"
	"sort"
	"strings"
	"sync"
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

// Classifier finds categories by their weighted keywords. Words that many
// categories share count less.
type Classifier struct {
	words map[string][]vote // by first two characters: candidates, longest first
}

type vote struct {
	word   string
	code   string
	weight float64
}

// NewClassifier reads the keywords of a category tree.
func NewClassifier(t *category.Tree) *Classifier {
	owners := map[string]int{}
	for _, c := range t.All(3) {
		for _, k := range c.Keywords {
			owners[k.Word]++
		}
	}
	cl := &Classifier{words: map[string][]vote{}}
	for _, c := range t.All(3) {
		for _, k := range c.Keywords {
			w := k.Weight
			if w == 0 {
				w = 1
			}
			w *= (1 + 0.25*float64(utf8.RuneCountInString(k.Word)-2)) / math.Sqrt(float64(owners[k.Word]))
			head := firstTwo(k.Word)
			cl.words[head] = append(cl.words[head], vote{k.Word, c.Code, w})
		}
	}
	return cl
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

// Classify proposes up to n categories, best first; none when no word is known.
func (cl *Classifier) Classify(title, content string, n int) []Guess {
	score := map[string]float64{}
	why := map[string][]string{}
	seen := map[string]bool{}
	scan := func(text string, times float64) {
		for i := range text {
			for _, v := range cl.words[firstTwo(text[i:])] {
				if !strings.HasPrefix(text[i:], v.word) {
					continue
				}
				key := v.code + v.word
				gain := v.weight * times
				if seen[key] {
					gain *= 0.2 // repetition adds little
				} else {
					why[v.code] = append(why[v.code], v.word)
				}
				seen[key] = true
				score[v.code] += gain
			}
		}
	}
	scan(title, 2)
	scan(content, 1)
	if len(score) == 0 {
		return nil
	}
	var out []Guess
	for code, s := range score {
		out = append(out, Guess{Code: code, P: s, Why: why[code]})
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].P != out[j].P {
			return out[i].P > out[j].P
		}
		return out[i].Code < out[j].Code
	})
	if len(out) > n {
		out = out[:n]
	}
	// Confidence grows with the best score and with its lead over the next.
	total := 1.2
	for _, g := range out {
		total += g.P
	}
	for i := range out {
		out[i].P = math.Round(out[i].P/total*100) / 100
	}
	if len(out) > 0 {
		lead := 1.0
		if len(out) > 1 {
			lead = 1 - out[1].P/math.Max(out[0].P, 0.01)
		}
		out[0].P = math.Round(math.Min(0.98, out[0].P*(1+0.6*lead))*100) / 100
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
