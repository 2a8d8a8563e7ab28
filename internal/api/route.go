package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Rule says who may call a route and what the audit keeps of it.
type Rule struct {
	Public bool          // no login
	Self   bool          // about the session itself: open to every account, also one that must first change its password
	Verbs  []access.Verb // any of these; empty = every member of staff
	Roles  []access.Role // or any of these roles
	Audit  string        // the operation recorded, as in audit.Entry.Op; "event" = the act writes its own event
	Free   string        // why nothing is recorded, for routes that show no business data
}

// Route is one entry of the table of routes.
type Route struct {
	Method, Path, ID, Summary string
	Rule                      Rule
}

// restricted tells whether only some of the staff may call the route.
func (r Rule) restricted() bool { return !r.Public && !r.Self && len(r.Verbs)+len(r.Roles) > 0 }

// allows tells whether the rule lets the actor in.
func (r Rule) allows(a access.Actor) bool {
	if r.Public || r.Self {
		return true
	}
	if a.Restricted != "" {
		return false
	}
	if len(r.Verbs) == 0 && len(r.Roles) == 0 {
		return a.Role.Staff()
	}
	if slices.Contains(r.Roles, a.Role) {
		return true
	}
	for _, v := range r.Verbs {
		if a.May(v) {
			return true
		}
	}
	return false
}

// route registers a typed operation.
func route[I, O any](a *API, method, path, id, summary string, rule Rule, fn func(context.Context, *I) (*O, error)) {
	a.Routes = append(a.Routes, Route{method, path, id, summary, rule})
	op := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{strings.SplitN(strings.TrimPrefix(path, "/api/v1/"), "/", 2)[0]}, MaxBodyBytes: 1 << 20}
	if method == http.MethodPost && strings.HasSuffix(id, "-create") {
		op.DefaultStatus = http.StatusCreated
	}
	if !rule.Public {
		op.Security = []map[string][]string{{"session": {}}}
	}
	op.Middlewares = huma.Middlewares{func(hc huma.Context, next func(huma.Context)) {
		ctx, err := a.admit(hc.Context(), rule, hc.Header, hc.RemoteAddr(), method)
		if err != nil {
			a.writeHuma(hc, err)
			return
		}
		out := &held{fail: func(err error) { a.writeHuma(hc, err) }}
		if method == http.MethodGet {
			out.looks = new(looks)
			ctx = context.WithValue(ctx, looksKey{}, out.looks)
		}
		out.humaContext = huma.WithContext(hc, ctx)
		next(out)
		out.end()
	}}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}

// raw registers a plain handler for streams and files.
func (a *API) raw(method, path, id, summary string, rule Rule, fn func(w http.ResponseWriter, r *http.Request) error) {
	a.Routes = append(a.Routes, Route{method, path, id, summary, rule})
	a.mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) {
		ctx, err := a.admit(r.Context(), rule, r.Header.Get, r.RemoteAddr, "")
		if err == nil {
			err = fn(w, r.WithContext(ctx))
		}
		if err != nil {
			a.WriteProblem(w, r, err)
		}
	})
}

type looksKey struct{}

// looks are the audit entries of what a request's answer shows, which are
// written while the answer is made.
type looks struct{ views []audit.Look }

func (l *looks) wait(ctx context.Context) error {
	if l == nil {
		return nil
	}
	for _, v := range l.views {
		if err := v.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// look records a view. Where the request only reads, the entry is written while
// the answer is made, and the answer waits for it; elsewhere look itself waits.
func (a *API) look(ctx context.Context, e audit.Entry) error {
	l, ok := ctx.Value(looksKey{}).(*looks)
	if !ok {
		return a.Audit.Seen(ctx, e)
	}
	v, err := a.Audit.See(ctx, e)
	if err == nil {
		l.views = append(l.views, v)
	}
	return err
}

type actorKey struct{}

// actorOf is who makes the request.
func actorOf(ctx context.Context) access.Actor {
	a, _ := ctx.Value(actorKey{}).(access.Actor)
	return a
}

// unattended is the header of a request that a page made with nobody at it.
const unattended = "Unattended"

// admit finds the actor and applies the rule.
func (a *API) admit(ctx context.Context, rule Rule, header func(string) string, remote, method string) (context.Context, error) {
	ip := clientIP(remote)
	if method == http.MethodGet { // who takes down a request is not turned away for those who look
		ctx = db.ForPerson(ctx)
	}
	if contentType := header("Content-Type"); method != "" && method != http.MethodGet && method != http.MethodDelete && contentType != "" && !strings.HasPrefix(contentType, "application/json") && !strings.HasPrefix(contentType, "multipart/") {
		return ctx, fault.Invalid("content_type", "请以 application/json 提交。")
	}
	token := bearer(header("Authorization"), header("Cookie"))
	if token == "" {
		if rule.Public {
			return context.WithValue(ctx, actorKey{}, access.Actor{IP: ip}), nil
		}
		return ctx, fault.Unauthenticated("login_required", "请先登录。")
	}
	find := a.Access.Authenticate
	if header(unattended) != "" {
		find = a.Access.Peek
	}
	actor, err := find(ctx, token)
	if err != nil {
		if rule.Public {
			return context.WithValue(ctx, actorKey{}, access.Actor{IP: ip}), nil
		}
		return ctx, err
	}
	actor.IP = ip
	if !rule.allows(actor) {
		switch actor.Restricted {
		case "must_change":
			return ctx, fault.Forbidden("must_change", "请先修改密码。")
		case "must_enrol":
			return ctx, fault.Forbidden("must_enrol", "请先绑定双因素登录。")
		}
		return ctx, fault.Forbidden("role_forbidden", "您的岗位没有这项功能。")
	}
	return context.WithValue(ctx, actorKey{}, actor), nil
}

// ended tells whether the session of a request that is still being answered has
// come to its end; a stream then stops.
func (a *API) ended(r *http.Request) bool {
	_, err := a.Access.Peek(r.Context(), bearer(r.Header.Get("Authorization"), r.Header.Get("Cookie")))
	return err != nil
}

func bearer(authorization, cookies string) string {
	if t, ok := strings.CutPrefix(authorization, "Bearer "); ok {
		return t
	}
	for _, c := range strings.Split(cookies, ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(c), sessionCookie+"="); ok {
			return v
		}
	}
	return ""
}

func clientIP(remote string) string {
	if i := strings.LastIndexByte(remote, ':'); i > 0 {
		return strings.Trim(remote[:i], "[]")
	}
	return remote
}
