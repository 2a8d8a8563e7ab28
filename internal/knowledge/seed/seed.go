// Package seed holds the knowledge a new installation starts with: articles
// (知识条目) of the hotline's own writing for every field of business, and the
// standard phrases (座席常用话术) of the agents.
//
// It is data: text files embedded in the binary and a parser that checks their
// form. It never touches the database and never decides whether an article may
// be shown today; the knowledge room imports these articles once, as drafts
// that already passed review, and owns them from then on.
package seed

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"hotline/internal/clock"
)

//go:embed articles/*.txt
var articleFiles embed.FS

//go:embed phrases.tsv
var phraseFile string

// Province is the region code of an article valid in the whole province.
const Province = "420000"

// separator is the line between two articles of one file.
const separator = "====="

// Article is one knowledge article (知识条目) as written in a seed file.
type Article struct {
	File       string    // name of the file it came from, without the folder
	Title      string    // 标题, unique, at most 60 characters
	Category   string    // 分类, a slash path such as 医疗保障/异地就医/备案
	Nature     string    // 材料性质, one of Natures
	Source     string    // 来源: document name or issuing unit, with its number where sure
	Duty       string    // 责任单位 in duty words, e.g. 市医保局; not the name of a stored unit
	Region     string    // 适用区域, a six-digit code; Province means everywhere
	ValidFrom  time.Time // 有效期起, first day, midnight in Shanghai
	ValidUntil time.Time // 有效期止, last valid day, midnight in Shanghai; zero means no end is known
	Keywords   []string  // 关键词, 3 to 8, each at most 20 characters
	Questions  []string  // 相似问法, 2 to 5 ways citizens ask
	Public     bool      // 对外: citizens and the answering robot may see it
	Body       string    // 正文, plain text with simple lists
}

// ValidOn says whether the article is in force on the day of t.
func (a Article) ValidOn(t time.Time) bool {
	y, m, d := t.In(clock.Shanghai).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, clock.Shanghai)
	return !day.Before(a.ValidFrom) && (a.ValidUntil.IsZero() || !day.After(a.ValidUntil))
}

// Phrase is one standard sentence of the agents (座席常用话术).
type Phrase struct {
	Step string // 环节, one of Steps
	Text string // what the agent says
}

// Roots are the allowed first parts of Article.Category, in the order of display.
var Roots = []string{
	"城乡建设", "住房房产", "物业管理", "城市管理", "交通出行", "公安政法", "市场监管",
	"劳动社保", "医疗卫生", "医疗保障", "教育", "文旅体育", "生态环境", "自然资源",
	"农业农村", "民政养老", "公用事业", "政务服务与营商环境", "经济金融", "作风纪律", "其他",
}

// Natures are the allowed values of Article.Nature (材料性质).
var Natures = []string{"办事指南", "法律法规", "热点问答", "日常咨询", "通知公告", "业务指引"}

// Steps are the allowed values of Phrase.Step, in the order of a call.
var Steps = []string{
	"问候", "核身", "诉求", "地点", "时间", "诉求确认", "告知时限", "结束语", "安抚", "引导", "紧急", "保密",
}

var load = sync.OnceValues(func() ([]Article, error) { return ParseFS(articleFiles) })

// Articles returns all seed articles in the order of their files. The slice is
// the caller's own; the lists inside are shared and must not be changed. A
// broken embedded file is a fault of the build, so it panics with the place.
func Articles() []Article {
	all, err := load()
	if err != nil {
		panic(err)
	}
	return slices.Clone(all)
}

// ParseFS reads every articles/*.txt file of fsys.
func ParseFS(fsys fs.FS) ([]Article, error) {
	names, err := fs.Glob(fsys, "articles/*.txt")
	if err != nil {
		return nil, fmt.Errorf("seed: list articles: %w", err)
	}
	var all []Article
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("seed: read %s: %w", name, err)
		}
		file := strings.TrimPrefix(name, "articles/")
		for n, part := range strings.Split("\n"+string(text), "\n"+separator+"\n") {
			a, err := parseArticle(part)
			if err != nil {
				return nil, fmt.Errorf("seed: %s, article %d: %w", file, n+1, err)
			}
			a.File = file
			all = append(all, a)
		}
	}
	return all, nil
}

// parseArticle reads header lines `键: 值`, a blank line and the body. A key
// that is unknown, repeated or absent is an error, so that a slip of the editor
// cannot silently drop a validity date or make an internal article public.
func parseArticle(text string) (Article, error) {
	head, body, ok := strings.Cut(strings.TrimSpace(text), "\n\n")
	if !ok {
		return Article{}, fmt.Errorf("no blank line between header and body")
	}
	a := Article{Body: strings.TrimSpace(body)}
	set := a.setters()
	for line := range strings.SplitSeq(head, "\n") {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return Article{}, fmt.Errorf("header line %q has no colon", line)
		}
		fn := set[key]
		if fn == nil {
			return Article{}, fmt.Errorf("header key %q is unknown or repeated", key)
		}
		delete(set, key)
		if err := fn(strings.TrimSpace(value)); err != nil {
			return Article{}, fmt.Errorf("header %s: %w", key, err)
		}
	}
	for key := range set {
		return Article{}, fmt.Errorf("header key %q is missing in %q", key, a.Title)
	}
	return a, nil
}

// setters maps each header key to what it fills.
func (a *Article) setters() map[string]func(string) error {
	text := func(p *string) func(string) error {
		return func(v string) error {
			*p = v
			if v == "" {
				return fmt.Errorf("is empty")
			}
			return nil
		}
	}
	return map[string]func(string) error{
		"标题": text(&a.Title), "分类": text(&a.Category), "材料性质": text(&a.Nature),
		"来源": text(&a.Source), "责任单位": text(&a.Duty), "适用区域": text(&a.Region),
		"有效期起": func(v string) (err error) { a.ValidFrom, err = parseDay(v); return err },
		"有效期止": func(v string) (err error) {
			if v != "" {
				a.ValidUntil, err = parseDay(v)
			}
			return err
		},
		"关键词":  func(v string) error { a.Keywords = list(v, ",，"); return nil },
		"相似问法": func(v string) error { a.Questions = list(v, "|"); return nil },
		"对外": func(v string) error {
			a.Public = v == "是"
			if v != "是" && v != "否" {
				return fmt.Errorf("%q is neither 是 nor 否", v)
			}
			return nil
		},
	}
}

// parseDay reads a date as midnight in Shanghai.
func parseDay(v string) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, v, clock.Shanghai)
}

// list splits v at any of the separators and drops empty parts.
func list(v, separators string) []string {
	parts := strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(separators, r) })
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	return parts
}

// Phrases returns the agents' standard phrases in the order of the file, after
// its heading line. Like Articles it panics on a broken embedded file.
func Phrases() []Phrase {
	var out []Phrase
	for n, line := range strings.Split(strings.TrimSpace(phraseFile), "\n") {
		step, text, ok := strings.Cut(line, "\t")
		if !ok {
			panic(fmt.Sprintf("seed: phrases.tsv line %d has no tab", n+1))
		}
		if n > 0 {
			out = append(out, Phrase{Step: step, Text: text})
		}
	}
	return out
}
