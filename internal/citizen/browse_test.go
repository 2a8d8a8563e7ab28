package citizen

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// browser is a visitor without scripts: it keeps cookies, follows redirects and
// sees what was transferred.
type browser struct {
	t    *testing.T
	url  string
	http *http.Client
	desk *desk
	path string // of the last page
}

type shown struct {
	code  int
	text  string
	bytes int // as transferred
	head  http.Header
}

func visit(t *testing.T) *browser {
	t.Helper()
	d := newDesk()
	srv := httptest.NewServer(Handler(d, Options{Key: bytes.Repeat([]byte("k"), 32)}))
	t.Cleanup(srv.Close)
	jar, _ := cookiejar.New(nil)
	return &browser{t: t, url: srv.URL, desk: d, http: &http.Client{Jar: jar}}
}

func (b *browser) do(r *http.Request) shown {
	b.t.Helper()
	resp, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.path = resp.Request.URL.RequestURI()
	return shown{resp.StatusCode, string(body), len(body), resp.Header}
}

func (b *browser) get(path string) shown {
	b.t.Helper()
	r, _ := http.NewRequest("GET", b.url+path, nil)
	return b.do(r)
}

func (b *browser) post(path string, form url.Values) shown {
	b.t.Helper()
	r, _ := http.NewRequest("POST", b.url+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// send posts a form with files of the given sizes.
func (b *browser) send(path string, form url.Values, sizes ...int) shown {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, vs := range form {
		for _, v := range vs {
			w.WriteField(k, v)
		}
	}
	for _, n := range sizes {
		f, _ := w.CreateFormFile("files", "现场.jpg")
		f.Write(bytes.Repeat([]byte{7}, n))
	}
	w.Close()
	r, _ := http.NewRequest("POST", b.url+path, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return b.do(r)
}

// has fails unless every text is on the page.
func (s shown) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, x := range texts {
		if !strings.Contains(s.text, x) {
			t.Errorf("page (%d) lacks %q:\n%s", s.code, x, s.words())
		}
	}
}

var (
	tags    = regexp.MustCompile(`<[^>]*>`)
	heads   = regexp.MustCompile(`(?s)<head>.*?</head>`)
	blanks  = regexp.MustCompile(`\s+`)
	hidden  = regexp.MustCompile(`name="(key|state)" value="([^"]+)"`)
	ids     = regexp.MustCompile(` id="([^"]+)"`)
	anchors = regexp.MustCompile(` href="#([^"]+)"`)
)

// words are what a reader sees of a page.
func (s shown) words() string {
	return blanks.ReplaceAllString(tags.ReplaceAllString(heads.ReplaceAllString(s.text, " "), " "), " ")
}

// field is the value of a hidden input.
func (s shown) field(name string) string {
	for _, m := range hidden.FindAllStringSubmatch(s.text, -1) {
		if m[1] == name {
			return m[2]
		}
	}
	return ""
}

// number is the 单号 of a receipt.
func (s shown) number() string {
	m := regexp.MustCompile(`单号：(\d+) 查询码`).FindStringSubmatch(s.text)
	if m == nil {
		return ""
	}
	return m[1]
}

// lookUp opens the ticket that desk begins with and gives its address.
func (b *browser) lookUp() string {
	b.t.Helper()
	s := b.post("/progress", url.Values{"number": {"0126 1123 0000 017"}, "code": {"k7q2 m９xw"}})
	if s.code != 200 || !strings.HasPrefix(b.path, "/progress/t/") {
		b.t.Fatalf("look-up: %d at %s: %s", s.code, b.path, s.words())
	}
	return b.path
}

// everyPage walks all pages of the site in one version and hands each over.
func everyPage(b *browser, see func(name string, s shown)) {
	page := func(name string, s shown) { see(name, s) }
	for _, p := range []string{"/", "/submit", "/progress", "/knowledge", "/knowledge?q=没有", "/knowledge/1", "/knowledge/9", "/numbers", "/numbers?q=12301",
		"/notice", "/accessibility", "/demo/phone", "/demo/phone?phone=" + deskPhone, "/nowhere", "/s/over", "/text/" + deskTalk, "/text/unknown", "/progress/t/NOBODY", "/counts"} {
		page("GET "+p, b.get(p))
	}
	page("empty form sent", b.post("/submit", url.Values{}))
	page("receipt", b.post("/submit", complete()))
	page("wrong code", b.post("/progress", url.Values{"number": {"012611230000017"}, "code": {"X"}}))
	at := b.lookUp()
	for _, p := range []string{"", "?ok=urge", "/supplement", "/urge", "/evaluate", "/message", "/withdraw"} {
		page("GET ticket"+p, b.get(at+p))
	}
	page("POST empty evaluation", b.post(at+"/evaluate", url.Values{}))
	page("POST empty words", b.post("/text/"+deskTalk, url.Values{}))
	page("POST words", b.post("/text/"+deskTalk, url.Values{"text": {"路灯不亮"}}))
	page("code asked for", b.post("/progress/code", url.Values{"phone": {deskPhone}}))
	page("list", b.post("/progress/phone", url.Values{"phone": {deskPhone}, "smscode": {deskSMSCode}}))
	b.get("/?care=1")
	s := b.get("/submit")
	for _, step := range careAnswers() {
		page("care "+step.name, s)
		form := url.Values{"state": {s.field("state")}, "step": {step.name}, "go": {"next"}}
		for k, v := range step.form {
			form[k] = v
		}
		s = b.post("/submit", form)
	}
	page("care check", s)
	b.get("/?care=0")
}

type careAnswer struct {
	name string
	form url.Values
}

func careAnswers() []careAnswer {
	return []careAnswer{
		{"type", url.Values{"type": {"投诉"}}}, {"city", url.Values{"city": {"420100"}}}, {"county", url.Values{"county": {"420111"}}},
		{"town", url.Values{"town": {"420111005"}}}, {"address", url.Values{"address": {"关山大道1号"}}}, {"content", url.Values{"content": {"楼下餐饮店油烟直排。"}}},
		{"target", url.Values{}}, {"secrecy", url.Values{"secrecy": {"accused"}}}, {"phone", url.Values{"phone": {deskPhone}}}, {"name", url.Values{"name": {"张三"}}},
	}
}

// complete is a form with everything that is needed.
func complete() url.Values {
	return url.Values{"key": {"0123456789abcdef0123"}, "type": {"投诉"}, "city": {"420100"}, "content": {"楼下餐饮店油烟直排。"},
		"secrecy": {"normal"}, "phone": {deskPhone}}
}

func TestEveryPageKeepsTheRulesOfTheHouse(t *testing.T) {
	for _, care := range []string{"0", "1"} {
		b := visit(t)
		b.desk.demo = true
		b.get("/?care=" + care)
		everyPage(b, func(name string, s shown) {
			if s.code >= 500 {
				t.Errorf("%s: %d", name, s.code)
			}
			if s.head.Get("Content-Security-Policy") != csp || s.head.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: security headers missing", name)
			}
			if bad := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?: defer)?>|javascript:`).FindString(s.text); bad != "" {
				t.Errorf("%s: inline script or style %q", name, bad)
			}
			if name == "GET /counts" {
				return
			}
			seen := map[string]bool{}
			for _, m := range ids.FindAllStringSubmatch(s.text, -1) {
				if seen[m[1]] {
					t.Errorf("%s: id %q twice", name, m[1])
				}
				seen[m[1]] = true
			}
			for _, m := range anchors.FindAllStringSubmatch(s.text, -1) {
				if !seen[m[1]] {
					t.Errorf("%s: a link leads to #%s, which is not there", name, m[1])
				}
			}
			for _, m := range regexp.MustCompile(` for="([^"]+)"`).FindAllStringSubmatch(s.text, -1) {
				if !seen[m[1]] {
					t.Errorf("%s: a label names %q, which is not there", name, m[1])
				}
			}
			s.has(t, `<html lang="zh-CN"`, `href="tel:110"`, `name="viewport"`, `<title>`)
			if n := strings.Count(s.text, "<h1"); n != 1 {
				t.Errorf("%s: %d h1", name, n)
			}
			words := regexp.MustCompile(`[A-Za-z]{2,}`).FindAllString(s.words(), -1)
			words = slices.DeleteFunc(words, func(w string) bool {
				return slices.Contains([]string{"PDF", "MB", "WCAG", "AA", "Cookie", "HX", "TPRC", "XW"}, w)
			})
			if len(words) > 0 {
				t.Errorf("%s: English on the page: %v", name, words)
			}
			if m := regexp.MustCompile(`\p{Han}[,;:?!]`).FindString(s.words()); m != "" {
				t.Errorf("%s: half-width punctuation %q", name, m)
			}
			if strings.HasPrefix(name, "GET ticket") || name == "POST words" || name == "receipt" || name == "list" {
				if s.head.Get("Cache-Control") != "no-store" {
					t.Errorf("%s: may be kept by the browser", name)
				}
			}
		})
	}
}

func TestPagesWeighAtMost30kB(t *testing.T) {
	b := visit(t)
	b.http.Transport = &http.Transport{DisableCompression: true} // count what travels
	fixed := 0
	for name, a := range assets {
		if name == "pow.js" {
			continue // only with a proof of work
		}
		r, _ := http.NewRequest("GET", b.url+a.url, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		s := b.do(r)
		if s.code != 200 || !strings.Contains(s.head.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, s.code, s.head)
		}
		fixed += s.bytes
	}
	if n := len(assets["site.js"].plain); n > 3072 {
		t.Errorf("the script is %d bytes, more than 3 kB", n)
	}
	worst, at := 0, ""
	everyPage(b, func(name string, s shown) { // the pages here are not compressed: the private ones never are
		if s.bytes > worst {
			worst, at = s.bytes, name
		}
		if name != "GET /numbers" && s.bytes+fixed > 30_000 {
			t.Errorf("%s: %d + %d bytes", name, s.bytes, fixed)
		}
	})
	r, _ := http.NewRequest("GET", b.url+"/numbers", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	if s := b.do(r); s.bytes+fixed > 30_000 || s.head.Get("Content-Encoding") != "gzip" {
		t.Errorf("/numbers: %d + %d bytes", s.bytes, fixed)
	}
	t.Logf("style, script and mark %d bytes; heaviest page uncompressed %d (%s)", fixed, worst, at)
}

func TestHostileTextStaysText(t *testing.T) {
	const evil = `"><img src=x onerror=alert(1)><script>alert(1)</script>'{{.}}`
	b := visit(t)
	b.desk.text, b.desk.demo = evil, true
	check := func(name string, s shown) {
		if strings.Contains(s.text, "<img src=x") || strings.Contains(s.text, "<script>alert") {
			t.Errorf("%s: hostile text became markup", name)
		}
	}
	everyPage(b, check)
	form := url.Values{}
	for _, n := range allAnswers {
		form.Set(n, evil)
	}
	form.Set("key", evil)
	form.Set("proofphone", evil)
	check("form", b.post("/submit", form))
	check("stage", b.post("/submit", url.Values{"stage": {"region"}, "content": {evil}, "city": {evil}}))
	check("code", b.post("/progress/code", url.Values{"phone": {evil}}))
	check("code sent", b.post("/progress/phone", url.Values{"phone": {evil}}))
	for _, p := range []string{"/knowledge?q=", "/numbers?q=", "/progress?number=", "/submit/regions?parent=", "/demo/phone?phone=", "/?care=", "/x", "/s/"} {
		check(p, b.get(p+url.QueryEscape(evil)))
	}
	at := b.lookUp()
	for _, act := range actOrder {
		check(act, b.post(at+"/"+act, url.Values{"text": {evil}, "score": {evil}, "reasons": {evil}, "reason": {evil}, "key": {evil}}))
	}
}

func TestStrangersCannotPost(t *testing.T) {
	b := visit(t)
	for _, p := range []string{"/submit", "/progress", "/progress/code", "/progress/leave", "/progress/t/X/urge"} {
		r, _ := http.NewRequest("POST", b.url+p, strings.NewReader(complete().Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		s := b.do(r)
		if s.code != http.StatusForbidden {
			t.Errorf("%s: %d", p, s.code)
		}
		s.has(t, "来自别的网站")
	}
	if len(b.desk.keys) != 0 {
		t.Error("a request was made all the same")
	}
}

func TestElsewhereIsChinese(t *testing.T) {
	b := visit(t)
	for path, code := range map[string]int{"/nope": 404, "/site/none.css": 404, "/demo/phone": 404, "/knowledge/77": 404} {
		if s := b.get(path); s.code != code || !strings.Contains(s.text, "返回首页") {
			t.Errorf("%s: %d", path, s.code)
		}
	}
	if s := b.post("/notice", nil); s.code != 405 {
		t.Errorf("POST /notice: %d", s.code)
	}
}

// What plays the other roles is there in the demonstration and nowhere else.
func TestOnlyTheDemonstrationPlays(t *testing.T) {
	b := visit(t)
	at := b.lookUp()
	for _, demo := range []bool{false, true} {
		b.desk.demo = demo
		want := map[bool]int{false: http.StatusMethodNotAllowed, true: http.StatusOK}[demo]
		if got := b.post(at+"/play", url.Values{"key": {"a key of sixteen or more"}}).code; got != want {
			t.Errorf("demonstration %v: %d", demo, got)
		}
	}
}
