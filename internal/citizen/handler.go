package citizen

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"hotline/internal/fault"
)

// csp allows nothing from elsewhere and no inline script or style (security.md
// row 6). Framing by the platform itself is wanted: 走一遍闭环 shows the site beside the console.
const csp = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"

// site serves the pages.
type site struct {
	s       Services
	opt     Options
	box     box
	uploads chan struct{} // multipart bodies being read at once
}

// Handler serves the public site from s; it is mounted at the root.
func Handler(s Services, opt Options) http.Handler {
	if opt.Name == "" {
		opt.Name = "湖北省12345政务服务便民热线"
	}
	if opt.Host == "" {
		opt.Host = "湖北省政务管理办公室"
	}
	if opt.Key == nil {
		opt.Key = make([]byte, 32)
		rand.Read(opt.Key)
	}
	if opt.Report == nil {
		opt.Report = func(ctx context.Context, err error) {
			if ctx.Err() != nil { // the visitor is gone, or the server is stopping: nobody's defect
				slog.InfoContext(ctx, "citizen: request broken off", "err", err)
				return
			}
			slog.ErrorContext(ctx, "citizen", "err", err)
		}
	}
	h := &site{s: s, opt: opt, box: newBox(opt.Key), uploads: make(chan struct{}, 24)}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.home)
	mux.HandleFunc("GET /counts", h.counts)
	mux.HandleFunc("GET /submit", h.submitForm)
	mux.HandleFunc("POST /submit", h.submitPost)
	mux.HandleFunc("GET /submit/regions", h.regions)
	mux.HandleFunc("GET /progress", h.progressForm)
	mux.HandleFunc("POST /progress", h.progressByNumber)
	mux.HandleFunc("POST /progress/code", h.progressCode)
	mux.HandleFunc("POST /progress/phone", h.progressByPhone)
	mux.HandleFunc("GET /progress/code", h.toProgress)
	mux.HandleFunc("GET /progress/phone", h.toProgress)
	mux.HandleFunc("GET /progress/mine", h.mine)
	mux.HandleFunc("POST /progress/leave", h.leave)
	mux.HandleFunc("GET /progress/t/{k}", h.ticket)
	mux.HandleFunc("GET /progress/t/{k}/{act}", h.actForm)
	mux.HandleFunc("POST /progress/t/{k}/{act}", h.actPost)
	mux.HandleFunc("GET /s/{key}", h.follow)
	mux.HandleFunc("GET /text/{token}", h.textPage)
	mux.HandleFunc("POST /text/{token}", h.textPost)
	mux.HandleFunc("GET /knowledge", h.knowledge)
	mux.HandleFunc("GET /knowledge/{id}", h.article)
	mux.HandleFunc("GET /numbers", h.numbers)
	mux.HandleFunc("GET /notice", h.notice)
	mux.HandleFunc("GET /accessibility", h.accessibility)
	mux.HandleFunc("GET /demo/phone", h.demoPhone)
	mux.HandleFunc("GET /site/{file}", h.asset)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, assetURL("mark.svg"), http.StatusMovedPermanently)
	})
	mux.HandleFunc("/", h.elsewhere)

	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, fault.Forbidden("cross_origin", "这次提交来自别的网站，为了您的安全没有执行。请从本网站的页面重新操作。"))
	}))
	inner := guard.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hd := w.Header()
		hd.Set("Content-Security-Policy", csp)
		hd.Set("X-Content-Type-Options", "nosniff")
		hd.Set("Referrer-Policy", "same-origin")
		hd.Set("Permissions-Policy", "geolocation=(), microphone=(), camera=()")
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				h.fail(w, r, fault.Internal(fmt.Errorf("panic: %v", p)))
			}
		}()
		inner.ServeHTTP(w, r)
	})
}

// ip is the visitor's address.
func (h *site) ip(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// elsewhere answers every address that is not a page of ours.
func (h *site) elsewhere(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.failStatus(w, r, http.StatusMethodNotAllowed, "这个页面不能这样打开", "请从首页重新进入。")
		return
	}
	h.failStatus(w, r, http.StatusNotFound, "没有找到这个页面", "网址可能输错了，或者页面已经调整。请从首页进入，也可以直接拨打12345。")
}

var failTitles = map[int]string{
	http.StatusForbidden:          "这个操作没有执行",
	http.StatusNotFound:           "没有找到",
	http.StatusConflict:           "情况有了变化",
	http.StatusTooManyRequests:    "操作太频繁",
	http.StatusServiceUnavailable: "暂时办不了",
	http.StatusUnauthorized:       "查询已经结束",
}

// fail shows err as a page of its own.
func (h *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := fault.KindOf(err).Status()
	if code == http.StatusInternalServerError {
		h.opt.Report(r.Context(), err)
		h.failStatus(w, r, code, "系统出了点问题", "问题已经记录，请过一会儿再试；着急的事请直接拨打12345。")
		return
	}
	title := failTitles[code]
	if title == "" {
		title = "内容需要修改"
	}
	h.failStatus(w, r, code, title, fault.As(err).Detail)
}

func (h *site) failStatus(w http.ResponseWriter, r *http.Request, code int, title, text string) {
	p := h.page(r, "", title)
	p.Status, p.Private, p.D = code, true, text
	h.render(w, r, "error", p)
}
