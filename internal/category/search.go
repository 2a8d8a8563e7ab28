package category

import (
	"sort"
	"strings"

	"hotline/internal/zh"
)

// Search finds categories by code, Chinese name, pinyin initials of the name
// ("dlps" → 道路破损坑洼), or keyword, the best first. An empty query finds nothing.
func (t *Tree) Search(q string, limit int) []Category {
	q = strings.ToLower(strings.Join(strings.Fields(q), ""))
	if q == "" || limit <= 0 {
		return nil
	}
	t.once.Do(t.fillInitials)
	type hit struct{ at, rank int }
	var hits []hit
	for i, c := range t.list {
		if r := c.rank(q, t.initials[i]); r > 0 {
			hits = append(hits, hit{i, r*10 + c.Level}) // among equals the finer one: a ticket needs the third level
		}
	}
	sort.SliceStable(hits, func(i, j int) bool { return hits[i].rank > hits[j].rank })
	if len(hits) > limit {
		hits = hits[:limit]
	}
	out := make([]Category, 0, len(hits))
	for _, h := range hits {
		out = append(out, t.list[h.at])
	}
	return out
}

func (t *Tree) fillInitials() {
	t.initials = make([]string, len(t.list))
	for i, c := range t.list {
		t.initials[i] = zh.Initials(c.Name)
	}
}

// rank says how well a query fits; 0 is not at all.
func (c Category) rank(q, initials string) int {
	switch {
	case c.Code == q, c.Name == q:
		return 9
	case strings.HasPrefix(c.Name, q):
		return 8
	case strings.HasPrefix(c.Code, q) && len(q) >= 2:
		return 7
	case strings.Contains(c.Name, q):
		return 6
	case len(q) >= 2 && strings.HasPrefix(initials, q):
		return 5
	case len(q) >= 3 && strings.Contains(initials, q):
		return 4
	}
	for _, k := range c.Keywords {
		if k.Word == q {
			return 7
		}
		if strings.Contains(k.Word, q) || (len(k.Word) > 3 && strings.Contains(q, k.Word)) {
			return 3
		}
	}
	if zh.Len(q) >= 2 && strings.Contains(c.Definition, q) {
		return 2
	}
	return 0
}
