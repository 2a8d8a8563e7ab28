package category

import (
	"embed"
	"strings"
	"sync"
)

//go:embed data/*.tsv
var embedded embed.FS

// DefaultVersion names the embedded classification.
const DefaultVersion = "湖北-2026-1"

// Levels at which a matter may be handled, from the top.
const (
	Province = "province"
	City     = "city"
	County   = "county"
	Town     = "town"
)

// Handling natures (办理性质). 行政调解 and 执法办案 are not judged by
// satisfaction alone (seed 三(十)).
const (
	Ordinary    = "普通"
	Mediation   = "行政调解"
	Enforcement = "执法办案"
)

// Types of request (诉求类型), in the order in which the screens list them.
var Types = []string{"咨询", "求助", "投诉", "举报", "建议", "表扬", "其他"}

// Urgencies (紧急程度), from the ordinary one up.
var Urgencies = []string{"一般", "紧急", "特急"}

// Category (事项) is one node of the 事项分类. Codes have six digits, two a
// level: 010000, 010100, 010101. The fields from Duty on are filled on the
// third level only. It belongs to its Tree: do not change its slices.
type Category struct {
	Code       string
	Name       string
	Level      int    // 1, 2 or 3
	Parent     string // "" on the first level
	Definition string
	Example    string // what a citizen would say

	Duty     string      // code of the duty that answers for it by default
	Lowest   string      // the lowest level that may handle it: province, city, county or town
	TownItem string      // wording of the 乡镇（街道）履职事项清单, where Lowest is Town
	LimitKey string      // time limit class: standard, urgent2h, statutory15 …
	Nature   string      // 普通, 行政调解 or 执法办案
	Types    []string    // types of request it usually comes as, the commonest first
	Basis    string      // law or 权责清单 wording
	Keywords []Keyword   // distinctive words of citizens, for the rule classifier
	Season   [12]float64 // weight of each month, January first; 1 is ordinary
}

// Keyword (关键词) is a word or phrase that speaks for a category, and how much.
type Keyword struct {
	Word   string
	Weight float64
}

// Tree is one version of the 事项分类. It is made by Parse or ParseJSON, never
// changes, and may be shared between goroutines.
type Tree struct {
	Version string

	list     []Category // by code
	byCode   map[string]int
	children map[string][]int
	initials []string // of the names, filled on the first pinyin search
	once     sync.Once
	paths    sync.Map // code → PathName: every row of a list shows one
}

// Default is the embedded classification.
var Default = sync.OnceValue(func() *Tree {
	t, err := Parse(DefaultVersion, readEmbedded())
	if err != nil {
		panic("category: embedded data: " + err.Error())
	}
	for code, item := range townItems() {
		t.list[t.byCode[code]].TownItem = item
	}
	return t
})

func readEmbedded() map[string]string {
	entries, err := embedded.ReadDir("data")
	if err != nil {
		panic(err)
	}
	files := make(map[string]string, len(entries))
	for _, e := range entries {
		text, err := embedded.ReadFile("data/" + e.Name())
		if err != nil {
			panic(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

// Get finds a category by its code.
func (t *Tree) Get(code string) (Category, bool) {
	i, ok := t.byCode[code]
	if !ok {
		return Category{}, false
	}
	return t.list[i], true
}

// Children lists what lies directly under a category, by code; "" gives the
// first level.
func (t *Tree) Children(code string) []Category {
	out := make([]Category, 0, len(t.children[code]))
	for _, i := range t.children[code] {
		out = append(out, t.list[i])
	}
	return out
}

// Path is the way from the first level down to the category itself; nil for
// an unknown code.
func (t *Tree) Path(code string) []Category {
	var out []Category
	for code != "" {
		c, ok := t.Get(code)
		if !ok {
			return nil
		}
		out = append([]Category{c}, out...)
		code = c.Parent
	}
	return out
}

// PathName is the path as people read it: 城乡建设/道路桥梁养护/道路破损坑洼.
func (t *Tree) PathName(code string) string {
	if name, ok := t.paths.Load(code); ok {
		return name.(string)
	}
	var names []string
	for _, c := range t.Path(code) {
		names = append(names, c.Name)
	}
	name := strings.Join(names, "/")
	if name != "" { // what is unknown has no end
		t.paths.Store(code, name)
	}
	return name
}

// All lists the categories of a level by code; level 0 gives the whole tree.
func (t *Tree) All(level int) []Category {
	var out []Category
	for _, c := range t.list {
		if level == 0 || c.Level == level {
			out = append(out, c)
		}
	}
	return out
}

// TownMay tells whether the matter may be given to a township: only what the
// 履职事项清单 holds, because what belongs to a department must not be handed
// to the grass roots (国办函〔2025〕66号).
func (t *Tree) TownMay(code string) bool {
	c, ok := t.Get(code)
	return ok && c.Lowest == Town
}

// Responsible is the duty that answers for a category by default.
func (t *Tree) Responsible(code string) (Duty, bool) {
	c, ok := t.Get(code)
	if !ok {
		return Duty{}, false
	}
	return DutyOf(c.Duty)
}

// Weight is how much more than usual the category occurs in a month (1–12).
func (c Category) Weight(month int) float64 {
	if month < 1 || month > 12 || c.Season[month-1] == 0 {
		return 1
	}
	return c.Season[month-1]
}

// Handles tells whether the category usually comes as the given type.
func (c Category) Handles(typ string) bool {
	for _, t := range c.Types {
		if t == typ {
			return true
		}
	}
	return false
}

func levelOf(code string) int {
	switch {
	case strings.HasSuffix(code, "0000"):
		return 1
	case strings.HasSuffix(code, "00"):
		return 2
	}
	return 3
}

func parentOf(code string) string {
	switch levelOf(code) {
	case 1:
		return ""
	case 2:
		return code[:2] + "0000"
	}
	return code[:4] + "00"
}
