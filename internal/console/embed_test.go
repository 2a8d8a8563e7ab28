package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		"dist/.keep":                {},
		"dist/index.html":           {Data: []byte("<!doctype html><title>页</title>")},
		"dist/assets/_a-1b2c.js":    {Data: []byte("export{}")},
		"dist/assets/_a-1b2c.js.gz": {Data: []byte("gz")},
		"dist/assets/_a-1b2c.js.br": {Data: []byte("br")},
	}
}

func TestHandler(t *testing.T) {
	cases := []struct {
		name, method, path, accept string
		status                     int
		body, encoding, cache      string
	}{
		{"首页", "GET", "/console/", "", 200, "<!doctype html><title>页</title>", "", "no-cache"},
		{"前端路由落到首页", "GET", "/console/tickets/12", "gzip", 200, "<!doctype html><title>页</title>", "", "no-cache"},
		{"优先 brotli", "GET", "/console/assets/_a-1b2c.js", "gzip, deflate, br", 200, "br", "br", "public, max-age=31536000, immutable"},
		{"只收 gzip", "GET", "/console/assets/_a-1b2c.js", "gzip", 200, "gz", "gzip", "public, max-age=31536000, immutable"},
		{"拒绝 brotli", "GET", "/console/assets/_a-1b2c.js", "br;q=0, gzip", 200, "gz", "gzip", "public, max-age=31536000, immutable"},
		{"不收压缩", "GET", "/console/assets/_a-1b2c.js", "", 200, "export{}", "", "public, max-age=31536000, immutable"},
		{"旧版本的脚本", "GET", "/console/assets/old-9.js", "", 404, "", "", ""},
		{"越级路径", "GET", "/console/../../etc/passwd", "", 200, "<!doctype html><title>页</title>", "", "no-cache"},
		{"压缩件不单独给出", "GET", "/console/assets/_a-1b2c.js.gz", "", 404, "", "", ""},
		{"只读", "POST", "/console/", "", 405, "", "", ""},
		{"HEAD 无正文", "HEAD", "/console/assets/_a-1b2c.js", "br", 200, "", "br", "public, max-age=31536000, immutable"},
	}
	h := newHandler(built())
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "http://x/", nil)
			r.URL.Path = c.path
			if c.accept != "" {
				r.Header.Set("Accept-Encoding", c.accept)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Fatalf("status %d, want %d", w.Code, c.status)
			}
			if w.Code != http.StatusOK {
				return
			}
			if got := w.Body.String(); got != c.body {
				t.Errorf("body %q, want %q", got, c.body)
			}
			if got := w.Header().Get("Content-Encoding"); got != c.encoding {
				t.Errorf("encoding %q, want %q", got, c.encoding)
			}
			if got := w.Header().Get("Cache-Control"); got != c.cache {
				t.Errorf("cache %q, want %q", got, c.cache)
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "script-src") {
				t.Errorf("policy %q", csp)
			}
		})
	}
}

// Without a build the program still answers, and says what to do.
func TestHandlerWithoutBuild(t *testing.T) {
	w := httptest.NewRecorder()
	newHandler(fstest.MapFS{"dist/.keep": {}}).ServeHTTP(w, httptest.NewRequest("GET", "/console/desk", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "make build") {
		t.Fatalf("%d %q", w.Code, w.Body.String())
	}
}
