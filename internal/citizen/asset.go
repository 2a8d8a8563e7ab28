package citizen

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"regexp"
	"strings"
)

//go:embed asset/*
var assetFiles embed.FS

// assetFile is one file served under its own digest, so it may be kept for ever.
type assetFile struct {
	url, kind   string
	plain, gzip []byte
}

var assets = loadAssets()

func loadAssets() map[string]assetFile {
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	entries, err := assetFiles.ReadDir("asset")
	if err != nil {
		panic(err)
	}
	out := map[string]assetFile{}
	for _, e := range entries {
		raw, err := assetFiles.ReadFile("asset/" + e.Name())
		if err != nil {
			panic(err)
		}
		body := []byte(squeezeText(string(raw)))
		sum := sha256.Sum256(body)
		ext := path.Ext(e.Name())
		var z bytes.Buffer
		zw, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
		zw.Write(body)
		zw.Close()
		out[e.Name()] = assetFile{
			url:  "/site/" + strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			kind: kinds[ext], plain: body, gzip: z.Bytes(),
		}
	}
	return out
}

// assetURL is the address of an asset, with its digest.
func assetURL(name string) string { return assets[name].url }

func (h *site) asset(w http.ResponseWriter, r *http.Request) {
	for _, a := range assets {
		if a.url != r.URL.Path {
			continue
		}
		hd := w.Header()
		hd.Set("Content-Type", a.kind)
		hd.Set("Cache-Control", "public, max-age=31536000, immutable")
		hd.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			hd.Set("Content-Encoding", "gzip")
			w.Write(a.gzip)
			return
		}
		w.Write(a.plain)
		return
	}
	h.elsewhere(w, r)
}

var blockComment = regexp.MustCompile(`(?s)(\{\{)?/\*.*?\*/(\}\})?`)

// squeezeText drops what only the reader of the sources needs: comments of
// their own line, indentation and empty lines.
func squeezeText(s string) string {
	s = blockComment.ReplaceAllString(s, "")
	var out strings.Builder
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "// ") {
			continue
		}
		out.WriteString(line)
		out.WriteByte('\n')
	}
	return out.String()
}
