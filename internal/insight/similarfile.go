package insight

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"hotline/internal/category"
	"hotline/internal/fault"
	"hotline/internal/jsonl"
	"hotline/internal/zh"
)

// Measured on re-reports of citizens' messages: pairs and triples of
// characters, the title three times, the strongest terms of each text.
const (
	similarTitleTimes = 3
	similarTerms      = 64
)

// similarPosting says how much a term weighs in a text; the weights of a text
// have length 1.
type similarPosting struct {
	doc    int32
	weight float32
}

// SimilarFile finds the texts of a corpus that resemble each query, both JSON
// lines {"id","title","content"}; each answer is {"id","hits":[{"id","score"}]}
// with at most k hits, score from 0 to 1, the likest first: `hotline similar`.
// A query that stands in the corpus with the same id and words is not its own hit.
func SimilarFile(corpus, queries io.Reader, out io.Writer, k int) error {
	if k <= 0 {
		return fault.Invalid("similar_k_invalid", "--k 应为正整数。")
	}
	var rows []fileRow
	var counts []map[string]float32
	known := map[string]float64{}
	err := jsonl.Each(corpus, "语料", hasID, func(r fileRow) error {
		c := shingles(r)
		for g := range c {
			known[g]++
		}
		rows, counts = append(rows, r), append(counts, c)
		return nil
	})
	if err != nil {
		return err
	}
	idf := func(g string) float64 { return math.Log((float64(len(rows)) + 1) / (known[g] + 0.5)) }
	index := map[string][]similarPosting{}
	for doc, c := range counts {
		for g, w := range vector(c, idf) {
			index[g] = append(index[g], similarPosting{int32(doc), w})
		}
		counts[doc] = nil
	}
	type hit struct {
		ID    json.RawMessage `json:"id"`
		Score float64         `json:"score"`
	}
	score := make([]float32, len(rows))
	enc, flush := jsonl.Writer(out)
	err = jsonl.Each(queries, "查询", hasID, func(q fileRow) error {
		var touched []int32
		for g, weight := range vector(shingles(q), idf) {
			for _, p := range index[g] {
				if score[p.doc] == 0 {
					touched = append(touched, p.doc)
				}
				score[p.doc] += weight * p.weight
			}
		}
		slices.SortFunc(touched, func(a, b int32) int {
			return cmp.Or(cmp.Compare(round4(score[b]), round4(score[a])), cmp.Compare(a, b))
		})
		hits := []hit{}
		for _, d := range touched {
			r := &rows[d]
			if len(hits) == k {
				break
			}
			if round4(score[d]) <= 0 || bytes.Equal(r.ID, q.ID) && r.Title == q.Title && r.Content == q.Content {
				continue
			}
			hits = append(hits, hit{r.ID, round4(score[d])})
		}
		for _, d := range touched {
			score[d] = 0
		}
		return enc.Encode(struct {
			ID   json.RawMessage `json:"id"`
			Hits []hit           `json:"hits"`
		}{q.ID, hits})
	})
	return errors.Join(err, flush())
}

func round4(f float32) float64 { return min(1, math.Round(float64(f)*1e4)/1e4) }

// shingles counts the pairs and triples of Han characters, the words and
// numbers of a text.
func shingles(r fileRow) map[string]float32 {
	out := map[string]float32{}
	for _, part := range []struct {
		text  string
		times float32
	}{{r.Title, similarTitleTimes}, {r.Content, 1}} {
		grams := zh.Grams(part.text) // 电 电梯 梯 梯坏 坏: a pair, its last character, the next pair
		for i, g := range grams {
			if utf8.RuneCountInString(g) == 1 {
				continue
			}
			out[g] += part.times
			if i+2 < len(grams) && len(grams[i+1]) < len(g) && strings.HasSuffix(g, grams[i+1]) && strings.HasPrefix(grams[i+2], grams[i+1]) && grams[i+2] != grams[i+1] {
				out[g+grams[i+2][len(grams[i+1]):]] += part.times
			}
		}
	}
	return out
}

// vector weighs the strongest terms of a text, to length 1.
func vector(counts map[string]float32, idf func(string) float64) map[string]float32 {
	type term struct {
		g string
		w float64
	}
	terms := make([]term, 0, len(counts))
	for g, n := range counts {
		if w := (1 + math.Log(float64(n))) * idf(g); w > 0 {
			terms = append(terms, term{g, w})
		}
	}
	slices.SortFunc(terms, func(a, b term) int { return cmp.Or(cmp.Compare(b.w, a.w), cmp.Compare(a.g, b.g)) })
	terms = terms[:min(similarTerms, len(terms))]
	var squares float64
	for _, t := range terms {
		squares += t.w * t.w
	}
	out := make(map[string]float32, len(terms))
	for _, t := range terms {
		out[t.g] = float32(t.w / math.Sqrt(squares))
	}
	return out
}

// ClassifyFile labels each text of a stream of JSON lines {"id","title","content"}
// with a field of business, the first level of the 事项分类, by the rules of
// Classifier: {"id","label","confidence","top":[{"label","p"}],"why":[…]},
// `hotline classify` without a model. A text in which no rule finds a word is
// 其他, the last field, with confidence 0.
func ClassifyFile(tree *category.Tree, in io.Reader, out io.Writer) error {
	cl := NewClassifier(tree)
	fields := tree.Children("")
	if len(fields) == 0 {
		return fault.Invalid("classify_no_categories", "事项分类为空，无法分类。")
	}
	type guess struct {
		Label string  `json:"label"`
		P     float64 `json:"p"`
	}
	enc, flush := jsonl.Writer(out)
	err := jsonl.Each(in, "输入", hasID, func(r fileRow) error {
		sum := map[string]float64{}
		why := map[string][]string{}
		var all float64
		for _, g := range cl.Classify(r.Title, r.Content, 10) {
			label := tree.Path(g.Code)[0].Name
			p := g.P * g.P // the clear ones speak, the many faint ones do not outvote them
			sum[label] += p
			all += p
			for _, word := range g.Why {
				if !slices.Contains(why[label], word) {
					why[label] = append(why[label], word)
				}
			}
		}
		top := []guess{}
		for _, f := range fields {
			if p := sum[f.Name]; p > 0 {
				// The weaker all signs together, the nearer to no answer.
				top = append(top, guess{f.Name, math.Round(p/max(all, 0.2)*1e4) / 1e4})
			}
		}
		slices.SortStableFunc(top, func(a, b guess) int { return cmp.Compare(b.P, a.P) })
		best := guess{Label: fields[len(fields)-1].Name}
		if len(top) > 0 {
			best = top[0]
		}
		words := why[best.Label]
		if words == nil {
			words = []string{}
		}
		return enc.Encode(struct {
			ID         json.RawMessage `json:"id"`
			Label      string          `json:"label"`
			Confidence float64         `json:"confidence"`
			Top        []guess         `json:"top"`
			Why        []string        `json:"why"`
		}{r.ID, best.Label, best.P, top[:min(5, len(top))], words})
	})
	return errors.Join(err, flush())
}

// fileRow is one request of a JSONL file. The id is given back as it came.
type fileRow struct {
	ID             json.RawMessage
	Title, Content string
}

// hasID tells whether a row can be answered.
func hasID(r fileRow) bool { return len(r.ID) > 0 }
