package citizen

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
)

//go:embed page/*.html
var pageFiles embed.FS

// page is what every template gets.
type page struct {
	Title, Nav     string // Nav names the entry of the menu that is current
	Care, Contrast bool   // 关怀版, 高对比
	Demo           bool
	Opt            Options
	Path           string // GET address of this page, for the switches of the versions
	Query          url.Values
	Errs           problems
	Done           string // a success to announce
	Status         int    // 0 is 200
	Private        bool   // personal: never stored, never compressed with what a stranger may inject
	D              any    // the page's own data
}

// problem is one input at fault.
type problem struct{ Name, Text string }

// problems are shown in the error summary and beside their inputs.
type problems []problem

// On is the text beside an input, "" when it is fine.
func (ps problems) On(name string) string {
	for _, p := range ps {
		if p.Name == name {
			return p.Text
		}
	}
	return ""
}

// of turns an error into problems; inputs this form lacks are shown unlinked.
func of(err error) problems {
	e := fault.As(err)
	if len(e.Fields) == 0 {
		return problems{{"", e.Detail}}
	}
	var ps problems
	for _, f := range e.Fields {
		if f.Name == "region" {
			f.Name = "city" // the first of its three lists
		}
		ps = append(ps, problem{f.Name, f.Detail})
	}
	return ps
}

// page starts a page and notes the switches in its address.
func (h *site) page(r *http.Request, nav, title string) *page {
	p := &page{Title: title, Nav: nav, Opt: h.opt, Demo: h.s.DemoEnabled(), Path: "/"}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		p.Path, p.Query = r.URL.EscapedPath(), r.URL.Query()
	} else if strings.HasPrefix(r.URL.Path, "/submit") {
		p.Path = "/submit"
	} else if strings.HasPrefix(r.URL.Path, "/progress") {
		p.Path = r.URL.EscapedPath()
	}
	p.Care, p.Contrast = taste(r, "care"), taste(r, "contrast")
	return p
}

// taste reads a switch of the address (?care=1), else its cookie.
func taste(r *http.Request, name string) bool {
	if v := r.URL.Query().Get(name); v != "" {
		return v == "1"
	}
	c, err := r.Cookie(name)
	return err == nil && c.Value == "1"
}

// Switch is the address of this page with a switch turned; the rest of the query stays.
func (p *page) Switch(name, value string) string {
	q := url.Values{name: {value}}
	for k, v := range p.Query {
		if k != name {
			q[k] = v
		}
	}
	return p.Path + "?" + q.Encode()
}

// render writes a page; a template that fails becomes the plain 500.
func (h *site) render(w http.ResponseWriter, r *http.Request, name string, p *page) {
	for _, sw := range []string{"care", "contrast"} {
		if v := r.URL.Query().Get(sw); v == "0" || v == "1" {
			h.remember(w, sw, v)
		}
	}
	var buf bytes.Buffer
	if err := templates[name].ExecuteTemplate(&buf, "base", p); err != nil {
		h.opt.Report(r.Context(), err)
		http.Error(w, "系统出了点问题，请过一会儿再试，或直接拨打12345。", http.StatusInternalServerError)
		return
	}
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	hd := w.Header()
	if p.Private {
		hd.Set("Cache-Control", "no-store")
		hd.Set("X-Robots-Tag", "noindex")
	} else {
		hd.Set("Cache-Control", "private, no-cache")
	}
	write(w, r, p.Status, "text/html; charset=utf-8", buf.Bytes(), !p.Private)
}

// write sends a body, compressed where the browser and squeeze allow it.
func write(w http.ResponseWriter, r *http.Request, code int, kind string, body []byte, squeeze bool) {
	hd := w.Header()
	hd.Set("Content-Type", kind)
	hd.Set("Vary", "Accept-Encoding") // not Cookie: back must find the same form with the same key
	if squeeze && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		hd.Set("Content-Encoding", "gzip")
		w.WriteHeader(code)
		z := gzip.NewWriter(w)
		z.Write(body)
		z.Close()
		return
	}
	w.WriteHeader(code)
	w.Write(body)
}

var templates = parsePages()

// parsePages builds one set per page: base, the shared parts, the page.
func parsePages() map[string]*template.Template {
	read := func(name string) string {
		b, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			panic(err)
		}
		return squeezeText(string(b))
	}
	common := template.New("").Funcs(funcs)
	shared := map[string]bool{"base.html": true, "parts.html": true, "questions.html": true}
	for name := range shared {
		template.Must(common.Parse(read(name)))
	}
	files, err := pageFiles.ReadDir("page")
	if err != nil {
		panic(err)
	}
	out := map[string]*template.Template{}
	for _, f := range files {
		if !shared[f.Name()] {
			t := template.Must(template.Must(common.Clone()).Parse(read(f.Name())))
			out[strings.TrimSuffix(f.Name(), ".html")] = t
		}
	}
	return out
}

// question is one input with its words, as the parts label, legend and aria want it.
type question struct {
	Name, Title, Hint string
	Need              bool
	Ask               string // said by the script when it is missing
	Err               string
	H1                bool // it is the only question of its page
}

func ask(errs problems, name, title, hint string, need bool, text string) question {
	return question{Name: name, Title: title, Hint: hint, Need: need, Ask: text, Err: errs.On(name)}
}

// As makes the question the heading of its page when that page is a step.
func (q question) As(step string) question {
	q.H1 = step != ""
	return q
}

// cond chooses a when the test holds: a true value or a text that is not empty.
func cond(test any, a, b string) string {
	if t, ok := template.IsTrue(test); t && ok {
		return a
	}
	return b
}

var funcs = template.FuncMap{
	"ask":  ask,
	"cond": cond,
	// parts lets a due text break only where it has its dot.
	"parts": func(due string) []string { return strings.Split(due, "·") },
	"has":   func(f url.Values, name, code string) bool { return slices.Contains(f[name], code) },
	// shortName leaves out the number that stands before the name anyway.
	"shortName": func(s string) string { return strings.Replace(s, "12345", "", 1) },
	"asset":     assetURL,
	"group":     group,
	"day":       func(t time.Time) string { return t.In(clock.Shanghai).Format("2006年1月2日") },
	"moment":    moment,
	"clock":     func(t time.Time) string { return t.In(clock.Shanghai).Format("15:04") },
	"iso":       func(t time.Time) string { return t.In(clock.Shanghai).Format(time.RFC3339) },
	"dict":      dict,
	"blocks":    blocks,
	"add":       func(a, b int) int { return a + b },
	"secrecy":   func(s Secrecy) string { return secrecyLabels[s] },
}

// dict gives a part more than one thing.
func dict(kv ...any) (map[string]any, error) {
	if len(kv)%2 != 0 {
		return nil, errors.New("dict: odd number of values")
	}
	m := make(map[string]any, len(kv)/2)
	for i := 0; i < len(kv); i += 2 {
		k, ok := kv[i].(string)
		if !ok {
			return nil, errors.New("dict: a key is not text")
		}
		m[k] = kv[i+1]
	}
	return m, nil
}

// group writes a 单号 as it is spoken: 4-4-4-3.
func group(number string) []string {
	var out []string
	for len(number) > 4 {
		out, number = append(out, number[:4]), number[4:]
	}
	return append(out, number)
}

// moment writes a time as people say it: 11月27日 周五 18:00.
func moment(t time.Time) string {
	t = t.In(clock.Shanghai)
	return t.Format("1月2日 ") + "周" + string([]rune("日一二三四五六")[t.Weekday()]) + t.Format(" 15:04")
}
