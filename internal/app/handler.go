package app

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hotline/internal/citizen"
	"hotline/internal/console"
)

// handler mounts the faces.
func (a *App) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", a.API.Handler())
	mux.Handle("/openapi.json", a.API.Handler())
	mux.Handle("/docs", a.API.Handler())
	mux.Handle("/seat/ws", a.seats())
	mux.Handle("/console/", console.Handler())
	mux.Handle("/console", http.RedirectHandler("/console/", http.StatusFound))
	mux.Handle("/screen", http.RedirectHandler("/console/screen", http.StatusFound))
	mux.Handle("/metrics", promhttp.Handler())
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("/readyz", a.readyz)
	mux.Handle("/", citizen.Handler(&site{a}, citizen.Options{Name: "湖北省12345政务服务便民热线", Host: "湖北省政务服务主管部门", Key: a.siteKey(), Secure: a.HTTPS}))
	return behind(a.Proxies, a.secure(a.whenReady(mux)))
}

func (a *App) readyz(w http.ResponseWriter, _ *http.Request) {
	a.ready.mu.Lock()
	ok, note := a.ready.ok, a.ready.note
	a.ready.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": ok, "note": note})
}

// whenReady answers a waiting page until the platform is ready.
func (a *App) whenReady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.ready.mu.Lock()
		ok, note := a.ready.ok, a.ready.note
		a.ready.mu.Unlock()
		if ok || r.URL.Path == "/healthz" || r.URL.Path == "/readyz" || r.URL.Path == "/metrics" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", "2")
		if strings.HasPrefix(r.URL.Path, "/api/") {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_ = json.NewEncoder(w).Encode(map[string]any{"status": 503, "title": "暂时不可用", "code": "starting", "detail": "平台正在启动：" + note})
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>正在启动</title><body style="font:18px/1.8 sans-serif;max-width:640px;margin:15vh auto;padding:0 24px;color:#1F2733"><h1 style="font-size:24px">平台正在启动</h1><p>` + note + `</p><p>页面会自动刷新。</p></body></html>`))
	})
}

// secure sets the headers that every answer carries.
func (a *App) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		if a.HTTPS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// siteKey seals the public site's cookies and half-filled forms; it is the same
// in every process of the installation.
func (a *App) siteKey() []byte {
	return append(a.Ring.Blind("site_cookie", "1"), a.Ring.Blind("site_cookie", "2")...)
}
