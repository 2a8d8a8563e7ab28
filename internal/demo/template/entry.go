package template

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hotline/internal/category"
)

//go:embed data/*.txt
var embedded embed.FS

// entry is one block of the data: a matter, the types of request that it is
// made as, and how people word it.
type entry struct {
	cat    category.Category
	duty   category.Duty
	weight float64
	place  string // what kind of place it happens at; "none" for a question of policy
	object string // 被反映对象, with slots
	firm   bool   // asked by a company
	night  bool   // happens at night
	city   bool   // happens only in the districts of a city
	types  []string
	asks   []string
	words  map[string][]wording // by type
}

// wording is a title with a body that says the same, what may be asked for
// and the replies to it.
type wording struct {
	title, body string
	asks        []string
	replies     []reply
}

// reply is what the unit answers and how it closes the matter.
type reply struct {
	mode string // 推进, 部分, 解释, 立案, 咨, 表扬 or "" for the ordinary ending
	text string
}

// letters are how the data abbreviates the types of request.
var letters = map[string]string{"咨": "咨询", "求": "求助", "投": "投诉", "举": "举报", "建": "建议", "表": "表扬", "其": "其他"}

var modes = []string{"推进", "部分", "解释", "立案", "咨", "表扬"}

var entries = sync.OnceValue(func() []*entry {
	files, err := embedded.ReadDir("data")
	if err != nil {
		panic(err)
	}
	var out []*entry
	for _, f := range files {
		text, err := embedded.ReadFile("data/" + f.Name())
		if err != nil {
			panic(err)
		}
		list, err := parse(category.Default(), string(text))
		if err != nil {
			panic("template: " + f.Name() + ": " + err.Error())
		}
		out = append(out, list...)
	}
	return out
})

// raw is an entry as it is read, before its lines are sorted by type.
type raw struct {
	*entry
	line                          int
	titles, bodies, asks, replies []spoken
}

// spoken is a line of a block. The digits after T, A and R name the bodies that
// it goes with, in their order; without digits it goes with all.
type spoken struct {
	text string
	with string
}

func (s spoken) goes(body int) bool {
	return s.with == "" || strings.Contains(s.with, strconv.Itoa(body+1))
}

// parse reads blocks. The first line is "@code name types weight place [firm]
// [night] [city] [obj=…]"; then T a title, B a body, A what is asked for, R a reply.
func parse(tree *category.Tree, text string) ([]*entry, error) {
	var blocks []*raw
	var b *raw
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		mark, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(mark, "@") {
			e, err := header(tree, line[1:])
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			b = &raw{entry: e, line: i + 1}
			blocks = append(blocks, b)
			continue
		}
		if b == nil || rest == "" {
			return nil, fmt.Errorf("line %d: %q belongs to nothing", i+1, line)
		}
		with := mark[1:]
		if strings.Trim(with, "123456789") != "" {
			return nil, fmt.Errorf("line %d: unknown mark %q", i+1, mark)
		}
		switch mark[0] {
		case 'T':
			b.titles = append(b.titles, spoken{rest, with})
		case 'B':
			b.bodies = append(b.bodies, spoken{rest, ""})
		case 'A':
			b.asks = append(b.asks, spoken{rest, with})
		case 'R':
			b.replies = append(b.replies, spoken{rest, with})
		default:
			return nil, fmt.Errorf("line %d: unknown mark %q", i+1, mark)
		}
	}
	out := make([]*entry, 0, len(blocks))
	for _, b := range blocks {
		if err := b.sort(); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", b.line, b.cat.Name, err)
		}
		out = append(out, b.entry)
	}
	return out, nil
}

func header(tree *category.Tree, line string) (*entry, error) {
	line, object, _ := strings.Cut(line, " obj=")
	f := strings.Fields(line)
	if len(f) < 5 {
		return nil, fmt.Errorf("%d fields in %q", len(f), line)
	}
	c, ok := tree.Get(f[0])
	if !ok || c.Name != f[1] {
		return nil, fmt.Errorf("%s is not %s", f[0], f[1])
	}
	e := &entry{cat: c, place: f[4], object: object, words: map[string][]wording{}}
	e.duty, _ = tree.Responsible(c.Code)
	for _, r := range f[2] {
		t, ok := letters[string(r)]
		if !ok {
			return nil, fmt.Errorf("unknown type %q", string(r))
		}
		e.types = append(e.types, t)
	}
	var err error
	if e.weight, err = strconv.ParseFloat(f[3], 64); err != nil || e.weight <= 0 {
		return nil, fmt.Errorf("weight %q", f[3])
	}
	for _, flag := range f[5:] {
		switch flag {
		case "firm":
			e.firm = true
		case "night":
			e.night = true
		case "city":
			e.city = true
		default:
			return nil, fmt.Errorf("unknown flag %q", flag)
		}
	}
	return e, nil
}

// sort gives each type the titles, bodies and replies that sound like it: a
// question is not put as a complaint and is not answered with a repair.
func (b *raw) sort() error {
	for _, t := range b.types {
		alone := len(b.types) == 1
		titles, bodies := fits(t, alone, b.titles, titleTypes), fits(t, alone, b.bodies, bodyTypes)
		for i, body := range b.bodies {
			if !slices.Contains(bodies, body) {
				continue
			}
			replies := repliesFor(t, b.replies, i)
			var asks []string
			for _, a := range b.asks {
				if a.goes(i) {
					asks = append(asks, a.text)
				}
			}
			if len(replies) == 0 || (len(asks) == 0 && asking[t]) {
				continue
			}
			for _, title := range titles {
				if title.goes(i) && (t != "建议" || titleTypes(title.text) == t) {
					b.words[t] = append(b.words[t], wording{title.text, body.text, asks, replies})
				}
			}
		}
		if len(b.words[t]) == 0 {
			return fmt.Errorf("no title with a body, a demand and a reply for %s", t)
		}
	}
	return nil
}

var asking = map[string]bool{"求助": true, "投诉": true, "举报": true, "建议": true}

// fits keeps the lines that say t. Where a matter is made as several types, a
// question and a praise need lines of their own, and a report and a proposal
// prefer them.
func fits(t string, alone bool, lines []spoken, of func(string) string) []spoken {
	var own, any []spoken
	for _, l := range lines {
		switch of(l.text) {
		case t:
			own = append(own, l)
		case "":
			any = append(any, l)
		}
	}
	switch {
	case alone:
	case len(own) > 0 && distinct[t], t == "咨询", t == "表扬": // a neutral line would read as a complaint
		return own
	}
	return append(own, any...)
}

// distinct are the types that prefer lines of their own.
var distinct = map[string]bool{"咨询": true, "举报": true, "建议": true, "表扬": true}

// titleTypes is the type that a title names; "" when it fits several.
func titleTypes(s string) string {
	for _, p := range [...][2]string{{"咨询", "咨询"}, {"建议", "建议"}, {"城市发展建议", "建议"}, {"举报", "举报"}, {"表扬", "表扬"}, {"感谢", "表扬"}, {"给", "表扬"}} {
		if strings.HasPrefix(s, p[0]) {
			return p[1]
		}
	}
	return ""
}

// bodyTypes is the type that a body can only be; "" when it fits several.
func bodyTypes(s string) string {
	for _, p := range [...][2]string{{"想了解", "咨询"}, {"请问", "咨询"}, {"想知道", "咨询"}, {"感谢", "表扬"}, {"点赞", "表扬"}, {"表扬", "表扬"}, {"建议", "建议"}} {
		if strings.Contains(s, p[0]) {
			return p[1]
		}
	}
	return ""
}

// repliesFor lists the replies to a body that was made as a type.
func repliesFor(t string, lines []spoken, body int) []reply {
	var own, other []reply
	for _, l := range lines {
		if !l.goes(body) {
			continue
		}
		r := reply{text: l.text}
		if m, rest, ok := strings.Cut(l.text, ":"); ok && slices.Contains(modes, m) {
			r = reply{mode: m, text: rest}
		}
		answer := r.mode == "咨"
		switch {
		case t == "表扬" && r.mode == "表扬", t == "咨询" && answer:
			own = append(own, r)
		case t == "建议" && r.mode == "推进":
			own = append(own, r)
		case r.mode == "表扬" || (answer && t != "其他"):
		default:
			other = append(other, r)
		}
	}
	if len(own) > 0 {
		return own
	}
	if t == "表扬" {
		return nil
	}
	return other
}

// byType lists the entries that can be made as a type.
var byType = sync.OnceValue(func() map[string][]*entry {
	m := map[string][]*entry{}
	for _, e := range entries() {
		for _, t := range e.types {
			m[t] = append(m[t], e)
		}
	}
	return m
})
