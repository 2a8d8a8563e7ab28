package zh

import (
	"math"
	"strings"
	"unicode"
)

// longestWord bounds a Latin or number term; no one searches for more.
const longestWord = 64

// Grams cuts a text into the terms under which it is indexed: every Han
// character, every pair of neighbouring ones, and Latin words and numbers in
// lower case. 电梯坏了 gives 电 电梯 梯 梯坏 坏 坏了 了. No dictionary is needed, so an
// index never has to be rebuilt because words drifted.
func Grams(s string) []string {
	var out []string
	runs(s, func(word string, han []rune) {
		if han == nil {
			out = append(out, word)
			return
		}
		for i, r := range han {
			out = append(out, string(r))
			if i+1 < len(han) {
				out = append(out, string(han[i:i+2]))
			}
		}
	})
	return out
}

// QueryGrams cuts a query into the terms that a match must all have: pairs of
// Han characters, a single one where it stands alone, words and numbers; each
// once, in order.
func QueryGrams(q string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(term string) {
		if !seen[term] {
			seen[term] = true
			out = append(out, term)
		}
	}
	runs(q, func(word string, han []rune) {
		switch {
		case han == nil:
			add(word)
		case len(han) == 1:
			add(string(han))
		default:
			for i := range len(han) - 1 {
				add(string(han[i : i+2]))
			}
		}
	})
	return out
}

// Similarity tells how alike two texts are, from 0 (nothing in common) to 1
// (the same): the cosine of their counts of neighbouring characters and words,
// after Normalize. An empty text is like nothing.
func Similarity(a, b string) float64 {
	ca, na := shingles(a)
	cb, nb := shingles(b)
	if na == 0 || nb == 0 {
		return 0
	}
	dot := 0
	for term, n := range ca {
		dot += n * cb[term]
	}
	return min(1, float64(dot)/math.Sqrt(float64(na)*float64(nb)))
}

// shingles counts pairs and words, and the sum of the squares of the counts.
func shingles(s string) (map[string]int, int) {
	count := map[string]int{}
	runs(s, func(word string, han []rune) {
		if han == nil {
			count[word]++
			return
		}
		if len(han) == 1 {
			count[string(han)]++
		}
		for i := range len(han) - 1 {
			count[string(han[i:i+2])]++
		}
	})
	squares := 0
	for _, n := range count {
		squares += n * n
	}
	return count, squares
}

// runs calls fn for each stretch of the normalised, lower-case text: han is
// the characters of a Han stretch, else nil and word is a word or number.
func runs(s string, fn func(word string, han []rune)) {
	var han []rune
	var word strings.Builder
	flush := func() {
		if len(han) > 0 {
			fn("", han)
			han = nil
		}
		if word.Len() > 0 {
			fn(word.String(), nil)
			word.Reset()
		}
	}
	letters := 0
	for _, r := range strings.ToLower(Normalize(s)) {
		switch {
		case unicode.Is(unicode.Han, r):
			if len(han) == 0 {
				flush()
			}
			han = append(han, r)
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			if word.Len() == 0 {
				flush()
				letters = 0
			}
			if letters++; letters <= longestWord {
				word.WriteRune(r)
			}
		default:
			flush()
		}
	}
	flush()
}
