package region

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"hotline/internal/zh"
)

// spelled is what Search compares a region by.
type spelled struct {
	region   *Region
	initials string // of the short name and the kind: "hsq"
	pinyin   string // of the whole name
}

var spellings = sync.OnceValue(func() []spelled {
	t := tree()
	out := make([]spelled, len(t.list))
	for i := range t.list {
		out[i] = spell(&t.list[i])
	}
	return out
})

func spell(r *Region) spelled {
	kind := strings.TrimPrefix(r.Name, r.Short)
	if strings.HasSuffix(kind, "自治州") {
		kind = "州"
	} else if strings.HasSuffix(kind, "自治县") {
		kind = "县"
	}
	return spelled{r, zh.Initials(r.Short) + zh.Initials(kind), zh.Pinyin(r.Name)}
}

// Search finds regions by part of the name or by pinyin, whole or initials:
// "hs" and "洪山" both give 洪山区. Cities and counties come before townships,
// exact hits before others, populous places first.
// Those inside a given region come first of all; villages are searched only
// when that is a county or a township.
func Search(q, within string, limit int) []Region {
	q = strings.ToLower(zh.Normalize(q))
	q = strings.Join(strings.Fields(q), "")
	if q == "" || limit <= 0 {
		return nil
	}
	type ranked struct {
		region *Region
		rank   int
	}
	var found []ranked
	consider := func(s spelled) {
		exact, ok := s.matches(q)
		if !ok {
			return
		}
		rank := exact
		if s.region.Level > LevelCounty {
			rank += 10 * int(s.region.Level)
		}
		if within != "" && !Contains(within, s.region.Code) {
			rank += 100
		}
		found = append(found, ranked{s.region, rank})
	}
	for _, s := range spellings() {
		consider(s)
	}
	if County(within) != "" && len(within) <= 9 {
		vs := villagesUnder(within)
		for i := range vs {
			consider(spell(&vs[i]))
		}
	}
	slices.SortFunc(found, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.region.Population, a.region.Population), cmp.Compare(a.region.Code, b.region.Code))
	})
	if len(found) > limit {
		found = found[:limit]
	}
	out := make([]Region, len(found))
	for i, f := range found {
		out[i] = *f.region
		out[i].Initials = zh.Initials(f.region.Short)
	}
	return out
}

// matches ranks a hit: 0 exact, 1 at the beginning, 2 inside.
func (s spelled) matches(q string) (rank int, ok bool) {
	switch {
	case q == s.region.Name, q == s.region.Short, q == s.region.Initials, q == s.initials, q == s.pinyin:
		return 0, true
	case strings.HasPrefix(s.region.Name, q), strings.HasPrefix(s.initials, q), len(q) > 2 && strings.HasPrefix(s.pinyin, q):
		return 1, true
	case strings.Contains(s.region.Name, q):
		return 2, true
	}
	return 0, false
}
