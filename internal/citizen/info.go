package citizen

import (
	"bytes"
	"net/http"
	"strings"
	"unicode/utf8"

	"hotline/internal/zh"
)

// home is the portal. It stands even when figures or articles cannot be read.
func (h *site) home(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "home", "")
	data := map[string]any{}
	if c, err := h.s.Counts(r.Context()); err == nil {
		data["Counts"] = c
	} else {
		h.opt.Report(r.Context(), err)
	}
	if hot, err := h.s.HotArticles(r.Context(), 6); err == nil {
		data["Hot"] = hot
	} else {
		h.opt.Report(r.Context(), err)
	}
	p.D = data
	h.render(w, r, "home", p)
}

// counts is the live part of the portal by itself.
func (h *site) counts(w http.ResponseWriter, r *http.Request) {
	c, err := h.s.Counts(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	var buf bytes.Buffer
	if err := templates["home"].ExecuteTemplate(&buf, "counts", c); err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	write(w, r, http.StatusOK, "text/html; charset=utf-8", buf.Bytes(), true)
}

const searchLimit = 20

// knowledge is 热点问答: a search, or what people ask most.
func (h *site) knowledge(w http.ResponseWriter, r *http.Request) {
	q := zh.Clean(r.URL.Query().Get("q"))
	if utf8.RuneCountInString(q) > 100 {
		q = string([]rune(q)[:100])
	}
	region := r.URL.Query().Get("region")
	cities := h.s.Regions("")
	if !in(cities, region) {
		region = ""
	}
	list, err := h.s.HotArticles(r.Context(), searchLimit)
	if q != "" {
		list, err = h.s.SearchKnowledge(r.Context(), q, region, searchLimit)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "knowledge", "热点问答")
	p.D = map[string]any{"Q": q, "Region": region, "Cities": cities, "List": list}
	h.render(w, r, "knowledge", p)
}

func (h *site) article(w http.ResponseWriter, r *http.Request) {
	a, err := h.s.Article(r.Context(), r.PathValue("id"))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "knowledge", a.Title)
	p.D = a
	h.render(w, r, "article", p)
}

// block is a paragraph, a heading or a list of an article.
type block struct {
	Kind  string // p, h, ul, ol
	Lines []string
}

// blocks reads the plain text of an article.
func blocks(body string) []block {
	var out []block
	add := func(kind, line string, join bool) {
		if n := len(out); join && n > 0 && out[n-1].Kind == kind {
			out[n-1].Lines = append(out[n-1].Lines, line)
			return
		}
		out = append(out, block{kind, []string{line}})
	}
	parted := true
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		num, rest, ok := strings.Cut(line, ". ")
		switch {
		case line == "":
			parted = true
			continue
		case strings.HasPrefix(line, "## "):
			add("h", line[3:], false)
		case strings.HasPrefix(line, "- "):
			add("ul", line[2:], true)
		case ok && num != "" && digits(num) == num:
			add("ol", rest, true)
		default:
			add("p", line, !parted)
		}
		parted = false
	}
	return out
}

// numbers lists the registry, whole or what a word finds.
func (h *site) numbers(w http.ResponseWriter, r *http.Request) {
	lines, err := h.s.Lines(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	q := zh.Clean(r.URL.Query().Get("q"))
	var found []Line
	for _, l := range lines {
		if strings.Contains(l.Number, q) || strings.Contains(l.Name, q) || strings.Contains(l.Former, q) || strings.Contains(l.Place, q) || strings.Contains(l.Department, q) {
			found = append(found, l)
		}
	}
	p := h.page(r, "numbers", "热线号码一览")
	p.D = map[string]any{"Q": q, "Lines": found, "All": len(lines)}
	h.render(w, r, "numbers", p)
}

func (h *site) notice(w http.ResponseWriter, r *http.Request) {
	p := h.page(r, "", "个人信息保护说明")
	p.D = NoticeVersion
	h.render(w, r, "notice", p)
}

func (h *site) accessibility(w http.ResponseWriter, r *http.Request) {
	h.render(w, r, "accessibility", h.page(r, "", "无障碍说明"))
}

// demoPhone is 模拟手机. The phone stands in the address here, and only here:
// in the demonstration every number is invented.
func (h *site) demoPhone(w http.ResponseWriter, r *http.Request) {
	if !h.s.DemoEnabled() {
		h.elsewhere(w, r)
		return
	}
	phone := zh.Clean(r.URL.Query().Get("phone"))
	data := map[string]any{"Phone": phone, "Now": h.s.Now()}
	if phone != "" {
		list, err := h.s.DemoPhones(r.Context(), phone)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		data["List"] = list
	}
	p := h.page(r, "", "模拟手机")
	p.Private, p.D = true, data
	h.render(w, r, "phone", p)
}
