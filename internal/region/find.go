package region

import (
	"strings"
	"sync"
	"unicode/utf8"

	"hotline/internal/zh"
)

// Match is one place named in a text; text[Start:End] is the name as written.
type Match struct {
	Region     Region
	Start, End int // bytes
}

// names is a trie over every name of two or more characters, down to the
// townships; one name may mean several regions (城关镇).
type names struct {
	step map[uint64]int32  // node<<21|rune to the next node
	ends map[int32][]named // what ends at a node
}

type named struct {
	region int32
	kind   nameKind
}

type nameKind int8

const (
	whole nameKind = iota // the full name
	short                 // a short name of three or more characters, or of a city or county
	weak                  // counts only beside or under the place that contains it
)

// Short names that are everyday words; such a place needs its full name.
var everyday = words("公安 新村 解放 书院 学院 广场 花园 劳动 兵营 关口 港口 大王 太子 狮子 燕子 城中 城北 城南 城郊 小村 新店 保安 观音 安居 环城 中原 中山 安家 流水 大同 冷水 郎君 " +
	"联合 洛阳 南阳 安阳 汉中 台北 长寿 南海 球场 茶店 旧街 旧县 老城 新城 古城 南郊 北郊 接官 一元 得胜 东升 大新 分路 大路 园林 走马 歇马 荣华 和平 东风 立新 洗马 经济开发区 开发区 工业园区")

// Short names of counties that are also words.
var ambiguousWords = words("青山")

// What makes a road or a building of the short name before it: 汉阳大道 is not
// 汉阳. Cities are only guarded against roads, for 武汉大学 is in 武汉.
var (
	roads     = []string{"路", "大道", "街", "巷"}
	buildings = []string{"路", "大道", "街", "巷", "桥", "大桥", "隧道", "站", "地铁", "广场", "小区", "花园", "公园", "湖", "中学", "小学", "大学", "学院", "医院", "酒店", "宾馆", "银行", "超市"}
)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

var trie = sync.OnceValue(func() *names {
	n := &names{step: map[uint64]int32{}, ends: map[int32][]named{}}
	nodes := int32(0)
	add := func(name string, region int32, kind nameKind) {
		if zh.Len(name) < 2 {
			return
		}
		at := int32(0)
		for _, r := range name {
			k := key(at, r)
			if n.step[k] == 0 {
				nodes++
				n.step[k] = nodes
			}
			at = n.step[k]
		}
		n.ends[at] = append(n.ends[at], named{region, kind})
	}
	t := tree()
	for i, r := range t.list {
		i := int32(i)
		add(r.Name, i, whole)
		kind := short
		if r.Level == LevelTown && zh.Len(r.Short) == 2 || ambiguousWords[r.Short] {
			kind = weak
		}
		if r.Short != r.Name && !everyday[r.Short] {
			add(r.Short, i, kind)
		}
		if strings.HasSuffix(r.Name, "街道") && !strings.HasSuffix(r.Short, "街") {
			add(r.Short+"街", i, weak) // 关山街 for 关山街道
		}
	}
	for name, i := range t.former {
		add(name, i, whole)
	}
	return n
})

func key(node int32, r rune) uint64 { return uint64(node)<<21 | uint64(r) }

// hit is a name found and what it may mean.
type hit struct {
	start, end int
	cands      []named
	match      int32 // resolved region, or -1
}

// Find names the places in a text, in its order: the longest name at each
// position, and where a name means several places the one inside within (a
// region code, or "") or inside a place named before it. What stays ambiguous
// is left out rather than guessed, and so are short names that are everyday
// words or part of a road's name. Under a county within, villages are found by
// their full names too.
func Find(text, within string) []Match {
	hits := trie().scan(text)
	for i := range hits {
		hits[i].settle(within)
	}
	for i := range hits {
		if hits[i].match < 0 {
			hits[i].settleBeside(hits[:i], within)
		}
	}
	list := tree().list
	var out []Match
	for _, h := range hits {
		if h.match >= 0 {
			out = append(out, Match{list[h.match], h.start, h.end})
		}
	}
	if r, ok := Get(within); ok && len(r.Code) <= 9 && County(r.Code) != "" {
		out = addVillages(out, text, r)
	}
	return out
}

func (n *names) scan(text string) []hit {
	var hits []hit
	for i := 0; i < len(text); {
		node, end := int32(0), 0
		var cands []named
		for j := i; j < len(text); {
			r, w := utf8.DecodeRuneInString(text[j:])
			if node = n.step[key(node, r)]; node == 0 {
				break
			}
			j += w
			if c := n.ends[node]; c != nil {
				if c = possible(c, text[j:]); len(c) > 0 {
					cands, end = c, j
				}
			}
		}
		if end == 0 {
			_, w := utf8.DecodeRuneInString(text[i:])
			i += w
			continue
		}
		hits = append(hits, hit{i, end, cands, -1})
		i = end
	}
	return hits
}

// possible drops the short names that what follows makes part of another name.
func possible(cands []named, rest string) []named {
	out := cands[:0:0]
	for _, c := range cands {
		if c.kind != whole {
			after := buildings
			if tree().list[c.region].Level <= LevelCity {
				after = roads
			}
			if startsWithAny(rest, after) {
				continue
			}
		}
		out = append(out, c)
	}
	return out
}

func startsWithAny(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) && !strings.HasPrefix(s, "街道") {
			return true
		}
	}
	return false
}

// settle resolves the hit when it means one place by itself or inside within.
func (h *hit) settle(within string) {
	cands := h.cands
	if inside := under(cands, within); len(inside) > 0 {
		cands = inside
	}
	if c, ok := outermost(cands); ok && c.kind != weak {
		h.match = c.region
	} else if c, ok := outermost(inFull(cands)); ok { // 新沟镇 is the town, not the short name of 新沟镇街道
		h.match = c.region
	}
}

// inFull keeps the candidates whose full name it is.
func inFull(cands []named) []named {
	var out []named
	for _, c := range cands {
		if c.kind == whole {
			out = append(out, c)
		}
	}
	return out
}

// settleBeside resolves the hit by the places named before it, the nearest
// first, then by within. A weak name needs a county before it, or its
// container immediately before it.
func (h *hit) settleBeside(before []hit, within string) {
	list := tree().list
	for i := len(before) - 1; i >= 0; i-- {
		b := before[i]
		if b.match < 0 {
			continue
		}
		near := b.end == h.start
		c, ok := outermost(under(h.cands, list[b.match].Code))
		if ok && (c.kind != weak || near || County(list[b.match].Code) != "") {
			h.match = c.region
			return
		}
	}
	if County(within) != "" {
		if c, ok := outermost(under(h.cands, within)); ok {
			h.match = c.region
		}
	}
}

// under keeps the candidates in the region code; none when code is "".
func under(cands []named, code string) []named {
	var out []named
	for _, c := range cands {
		if Contains(code, tree().list[c.region].Code) {
			out = append(out, c)
		}
	}
	return out
}

// outermost is the candidate that contains all others, as 荆州 means the city
// although it has a district of that name; none when they lie apart.
func outermost(cands []named) (named, bool) {
	if len(cands) == 0 {
		return named{}, false
	}
	list := tree().list
	best := cands[0]
	for _, c := range cands[1:] {
		if Contains(list[c.region].Code, list[best.region].Code) && c.region != best.region {
			best = c
		}
	}
	for _, c := range cands {
		if !Contains(list[best.region].Code, list[c.region].Code) {
			return named{}, false
		}
	}
	return best, true
}

// addVillages adds the villages of r whose full name the text has once it is
// not part of a longer match, keeping the order of the text.
func addVillages(found []Match, text string, r Region) []Match {
	counted := map[string]int{}
	var hits []Match
	for _, v := range villagesUnder(r.Code) {
		if zh.Len(v.Name) < 3 {
			continue
		}
		if i := strings.Index(text, v.Name); i >= 0 {
			counted[v.Name]++
			hits = append(hits, Match{v, i, i + len(v.Name)})
		}
	}
	for _, h := range hits {
		if counted[h.Region.Name] > 1 || inLonger(h, hits) || inLonger(h, found) {
			continue
		}
		at := len(found)
		for at > 0 && found[at-1].Start > h.Start {
			at--
		}
		found = append(found[:at], append([]Match{h}, found[at:]...)...)
	}
	return found
}

func inLonger(h Match, in []Match) bool {
	for _, m := range in {
		if m.Start <= h.Start && h.End <= m.End && m.End-m.Start > h.End-h.Start {
			return true
		}
	}
	return false
}

// villagesUnder lists the villages of a county or township.
func villagesUnder(code string) []Region {
	if len(code) == 9 {
		return villages().under(code)
	}
	var out []Region
	for _, town := range tree().children[code] {
		s := villages().towns[tree().list[town].Code]
		out = append(out, villages().list[s[0]:s[1]]...)
	}
	return out
}

// Place is where a text says that it happens: of the places that Find names
// the first, made exact by those inside it that come after. A township written
// in full is worth more than a county that does not hold it, for callers know
// their 街道 and mistake the district.
func Place(text, within string) (Match, bool) {
	found := Find(text, within)
	if len(found) == 0 {
		return Match{}, false
	}
	best := found[0]
	for _, m := range found[1:] {
		inside := Contains(best.Region.Code, m.Region.Code) && m.Region.Code != best.Region.Code
		exact := m.Region.Level == LevelTown && best.Region.Level < LevelTown && text[m.Start:m.End] == m.Region.Name
		if inside || exact {
			best = m
		}
	}
	return best, true
}
