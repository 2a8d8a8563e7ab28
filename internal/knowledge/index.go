package knowledge

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"hotline/internal/zh"
)

// Parameters of the ranking (BM25), measured on question–answer pairs.
const (
	saturation  = 1.2  // k1
	lengthShare = 0.75 // b
	unigram     = 0.25 // weight of a single character beside the pairs
)

// field is a part of a text and how often it counts.
type field struct {
	text  string
	times float32
}

// posting says that a term occurs in a text.
type posting struct {
	doc int32
	tf  float32
}

// bm25 ranks texts by the grams they share with a query. Texts are numbered
// from 0 in the order of add. It is not safe for concurrent writers.
type bm25 struct {
	terms  map[string]int32
	lists  [][]posting
	length []float32 // of each text; negative = dropped
	total  float64   // of the lengths in use
	live   int
	boards sync.Pool // *board
}

// board is the working memory of one search.
type board struct {
	score, cover []float32
	touched      []int32
}

func newBM25() *bm25 { return &bm25{terms: map[string]int32{}} }

// add takes a text in and gives its number.
func (x *bm25) add(fields ...field) int32 {
	doc := int32(len(x.length))
	counts := map[string]float32{}
	var length float32
	for _, f := range fields {
		for _, g := range zh.Grams(f.text) {
			counts[g] += f.times
			length += f.times
		}
	}
	for g, tf := range counts {
		t, ok := x.terms[g]
		if !ok {
			t = int32(len(x.lists))
			x.terms[strings.Clone(g)] = t
			x.lists = append(x.lists, nil)
		}
		x.lists[t] = append(x.lists[t], posting{doc, tf})
	}
	x.length = append(x.length, length)
	x.total += float64(length)
	x.live++
	return doc
}

// drop takes a text out; its postings go when the index is built anew.
func (x *bm25) drop(doc int32) {
	if x.length[doc] >= 0 {
		x.total -= float64(x.length[doc])
		x.length[doc] = -1
		x.live--
	}
}

// ranked is a text found, with its score and the share of the query (by weight
// of its terms, 0–1) that it holds.
type ranked struct {
	doc          int32
	score, cover float32
}

// search gives the k best texts. factor multiplies a text's score and leaves it
// out at 0; nil is 1 for all.
func (x *bm25) search(q string, k int, factor func(doc int32) float32) []ranked {
	if x.live == 0 || k <= 0 {
		return nil
	}
	b, _ := x.boards.Get().(*board)
	if b == nil || len(b.score) < len(x.length) {
		b = &board{score: make([]float32, len(x.length)), cover: make([]float32, len(x.length))}
	}
	defer func() {
		for _, d := range b.touched {
			b.score[d], b.cover[d] = 0, 0
		}
		b.touched = b.touched[:0]
		x.boards.Put(b)
	}()
	average := float32(x.total / float64(x.live))
	var whole float32
	seen := map[string]bool{}
	for _, g := range zh.Grams(q) {
		if seen[g] {
			continue
		}
		seen[g] = true
		var list []posting
		if t, ok := x.terms[g]; ok {
			list = x.lists[t]
		}
		weight := float32(math.Log(1 + (float64(x.live)+0.5)/(float64(len(list))+0.5)))
		whole += weight
		told := weight // a single character tells what a query is about, but ranks poorly
		if single(g) {
			weight *= unigram
		}
		for _, p := range list {
			length := x.length[p.doc]
			if length < 0 {
				continue
			}
			if b.score[p.doc] == 0 {
				b.touched = append(b.touched, p.doc)
			}
			b.score[p.doc] += weight * p.tf * (saturation + 1) / (p.tf + saturation*(1-lengthShare+lengthShare*length/average))
			b.cover[p.doc] += told
		}
	}
	out := make([]ranked, 0, min(len(b.touched), 4*k))
	for _, d := range b.touched {
		r := ranked{d, b.score[d], b.cover[d] / whole}
		if factor != nil {
			if r.score *= factor(d); r.score <= 0 {
				continue
			}
		}
		out = append(out, r)
		if len(out) >= 4*k && len(out) >= 256 {
			out = best(out, k)
		}
	}
	return best(out, k)
}

// best sorts and cuts to k; equal scores stand in the order of the texts.
func best(all []ranked, k int) []ranked {
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.doc, b.doc))
	})
	return all[:min(k, len(all))]
}

// single tells whether a gram is one Han character rather than a pair or word.
func single(g string) bool {
	return utf8.RuneLen([]rune(g)[0]) == len(g) && len(g) >= 3
}
