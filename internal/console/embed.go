// Package console serves the staff single-page application built from web/ into dist/.
//
// It only hands out files: it knows no account, no ticket and no session, and it never reads the disk at run time.
// internal/app mounts Handler at /console/; nothing else calls it.
package console

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Vite writes files that begin with an underscore, which only the all: prefix embeds; dist/.keep keeps the pattern
// valid when nothing was built.
//
//go:embed all:dist
var dist embed.FS

//go:embed placeholder/index.html
var placeholder []byte

// Prefix is the address the console is built for and mounted at.
const Prefix = "/console/"

// contentSecurityPolicy allows no foreign origin and no inline script; Element Plus needs inline style attributes.
const contentSecurityPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
	"object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

// file is one embedded file with the encodings made at build time.
type file struct {
	kind      string // Content-Type
	immutable bool   // its name holds a hash of its content
	plain     []byte
	gzip      []byte
	brotli    []byte
}

// Handler serves the console under Prefix: hashed assets for a year, every other address as the application's page,
// because the application has its own router. Without a build it serves a page that says how to make one.
func Handler() http.Handler {
	return newHandler(dist)
}

func newHandler(tree fs.FS) http.Handler {
	files := load(tree)
	page, built := files["index.html"]
	if !built {
		page = file{kind: "text/html; charset=utf-8", plain: placeholder}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "只支持读取", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+strings.TrimPrefix(r.URL.Path, strings.TrimSuffix(Prefix, "/"))), "/")
		f, ok := files[name]
		switch {
		case ok:
		case strings.HasPrefix(name, "assets/"):
			// A chunk of an older build: the page must learn that it is gone, not receive HTML as script.
			http.NotFound(w, r)
			return
		default:
			f = page
		}
		f.serve(w, r)
	})
}

// load reads the whole tree once and pairs each file with its .gz and .br neighbours.
func load(tree fs.FS) map[string]file {
	files := map[string]file{}
	read := func(name string) []byte {
		data, err := fs.ReadFile(tree, name)
		if err != nil {
			return nil
		}
		return data
	}
	// WalkDir over an embedded tree cannot fail except where a file is missing, which read answers with nil.
	_ = fs.WalkDir(tree, "dist", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		name := strings.TrimPrefix(p, "dist/")
		if strings.HasSuffix(name, ".gz") || strings.HasSuffix(name, ".br") || name == ".keep" {
			return nil
		}
		files[name] = file{
			kind:      contentType(name),
			immutable: strings.HasPrefix(name, "assets/"),
			plain:     read(p),
			gzip:      read(p + ".gz"),
			brotli:    read(p + ".br"),
		}
		return nil
	})
	return files
}

// contentType does not ask the operating system's tables: the answer is the same everywhere.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	}
	return "application/octet-stream"
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Add("Vary", "Accept-Encoding")
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	body := f.plain
	switch {
	case f.brotli != nil && accepts(r, "br"):
		body = f.brotli
		h.Set("Content-Encoding", "br")
	case f.gzip != nil && accepts(r, "gzip"):
		body = f.gzip
		h.Set("Content-Encoding", "gzip")
	default:
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // the client went away: nothing to tell it
}

// accepts reports whether the client takes an encoding; q=0 refuses it.
func accepts(r *http.Request, encoding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) != encoding {
			continue
		}
		q = strings.ReplaceAll(q, " ", "")
		return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
	}
	return false
}
