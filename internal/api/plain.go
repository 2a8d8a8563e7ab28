package api

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"hotline/internal/fault"
)

// maxJSON bounds a JSON body.
const maxJSON = 1 << 20

// plainText takes out what is no text: NUL characters and broken UTF-8, which
// one database would take and another would not. In a query they are refused.
func (a *API) plainText(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "%") {
			for _, vs := range r.URL.Query() {
				for _, v := range vs {
					if !utf8.ValidString(v) || strings.Contains(v, "\x00") {
						a.WriteProblem(w, r, fault.Invalid("text_invalid", "内容含有无法识别的字符，请删除后重试。"))
						return
					}
				}
			}
		}
		if r.Body != nil && r.ContentLength != 0 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			b, err := io.ReadAll(io.LimitReader(r.Body, maxJSON+1))
			if err != nil || len(b) > maxJSON {
				a.WriteProblem(w, r, fault.Invalid("too_large", "提交的内容太大。"))
				return
			}
			b = withoutNUL(b)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		}
		next.ServeHTTP(w, r)
	})
}

// withoutNUL cleans a JSON text: broken UTF-8, NUL bytes and the escape of NUL
// go; an escaped backslash before "u0000" is somebody's literal text and stays.
func withoutNUL(b []byte) []byte {
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, nil)
	}
	b = bytes.ReplaceAll(b, []byte{0}, nil)
	if !bytes.Contains(b, []byte(`\u0000`)) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			out = append(out, b[i])
			continue
		}
		if bytes.HasPrefix(b[i:], []byte(`\u0000`)) {
			i += 5
			continue
		}
		out = append(out, b[i])
		if i+1 < len(b) {
			i++
			out = append(out, b[i])
		}
	}
	return out
}
