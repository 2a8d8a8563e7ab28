package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hotline/internal/fault"
	"hotline/internal/ticket"
)

// Problem is an error on the wire (RFC 9457).
type Problem struct {
	Status int           `json:"status"`
	Title  string        `json:"title"`
	Code   string        `json:"code" doc:"稳定的错误代码，见 docs/errors.md"`
	Detail string        `json:"detail" doc:"中文说明：发生了什么、怎么办"`
	Errors []fault.Field `json:"errors,omitempty"`
	Data   any           `json:"data,omitempty"`
}

// Error makes a Problem an error for huma.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus gives huma the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders tells a client that was turned away when to come again.
func (p *Problem) GetHeaders() http.Header {
	if p.Status != http.StatusServiceUnavailable {
		return nil
	}
	return http.Header{"Retry-After": {"2"}}
}

// ContentType names the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// titles say in a word what sort of failure a kind is.
var titles = map[fault.Kind]string{
	fault.KindInvalid: "请求有误", fault.KindUnauthenticated: "未登录", fault.KindForbidden: "无权操作", fault.KindNotFound: "未找到",
	fault.KindConflict: "状态已变化", fault.KindTooMany: "请求过于频繁", fault.KindUnavailable: "暂时不可用", fault.KindInternal: "系统错误",
}

func toProblem(err error) *Problem {
	if p, ok := err.(*Problem); ok {
		return p
	}
	f := fault.As(err)
	return &Problem{Status: f.Kind.Status(), Title: titles[f.Kind], Code: f.Code, Detail: f.Detail, Errors: f.Fields, Data: f.Data}
}

// problem turns any error into what the wire carries and logs our defects.
func (a *API) problem(ctx context.Context, err error) error {
	p := toProblem(err)
	if m, ok := p.Data.(ticket.Moved); ok {
		p.Data = a.movedOut(m)
	}
	if p.Status >= 500 && ctx.Err() != nil { // the client is gone, or the server is stopping: nobody's defect
		slog.InfoContext(ctx, "request broken off", "err", err)
		return toProblem(fault.Unavailable("request_cancelled", "请求已中断，请重试。"))
	}
	if p.Status >= 500 && p.Code != "database_crowded" { // a line for each would make the crowd worse
		slog.ErrorContext(ctx, "request failed", "code", p.Code, "err", err, "actor", actorOf(ctx).Username)
	}
	return p
}

// WriteProblem answers a plain handler's error.
func (a *API) WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := toProblem(a.problem(r.Context(), err))
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	maps.Copy(w.Header(), p.GetHeaders())
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func (a *API) writeHuma(hc huma.Context, err error) {
	p := toProblem(a.problem(hc.Context(), err))
	hc.SetHeader("Content-Type", "application/problem+json")
	for name, v := range p.GetHeaders() {
		hc.SetHeader(name, v[0])
	}
	body, _ := json.Marshal(p)
	hc.SetHeader("Content-Length", strconv.Itoa(len(body)))
	hc.SetStatus(p.Status)
	_, _ = hc.BodyWriter().Write(body)
}

// useChineseErrors replaces the framework's own messages.
func useChineseErrors() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		if len(errs) == 1 {
			if p, ok := errs[0].(*Problem); ok {
				return p
			}
		}
		p := &Problem{Status: status, Title: "请求有误", Code: "request_invalid", Detail: "请求内容不符合要求，请检查后重试。"}
		switch status {
		case http.StatusRequestEntityTooLarge:
			p.Code, p.Detail = "too_large", "提交的内容超过这里能收的大小，请删减文字，或改用附件上传。"
		case http.StatusUnsupportedMediaType:
			p.Code, p.Detail = "content_type", "请以 application/json 提交。"
		case http.StatusNotFound:
			p.Title, p.Code, p.Detail = "未找到", "not_found", "没有这个地址。"
		case http.StatusNotAcceptable:
			p.Code, p.Detail = "not_acceptable", "不支持所要求的返回格式。"
		case http.StatusInternalServerError:
			p.Title, p.Code, p.Detail = "系统错误", "internal", "系统内部错误，已记录，请稍后重试。"
		}
		for _, e := range errs {
			d, ok := e.(huma.ErrorDetailer)
			if !ok {
				continue
			}
			x := d.ErrorDetail()
			name := x.Location[strings.LastIndexByte(x.Location, '.')+1:]
			if missing, ok := strings.CutPrefix(x.Message, "expected required property "); ok {
				name, _, _ = strings.Cut(missing, " ") // its location is the object that lacks it
			}
			p.Errors = append(p.Errors, fault.Field{Name: name, Detail: chineseValidation(x.Message)})
		}
		if len(p.Errors) > 0 {
			p.Detail = "“" + p.Errors[0].Name + "”" + p.Errors[0].Detail
		}
		return p
	}
}

// chineseValidation renders huma's validation messages.
func chineseValidation(msg string) string {
	if what, n, ok := strings.Cut(msg, "expected number <= "); ok && what == "" {
		return "不能大于" + n + "。"
	}
	if what, n, ok := strings.Cut(msg, "expected number >= "); ok && what == "" {
		return "不能小于" + n + "。"
	}
	for _, m := range []struct{ has, zh string }{
		{"required property", "缺少必填项。"}, {"unexpected property", "不是可接受的输入项。"}, {"length <=", "太长。"}, {"length >=", "太短。"}, {"expected string", "应为文字。"},
		{"expected integer", "应为整数。"}, {"expected number", "应为数字。"}, {"expected boolean", "应为是或否。"}, {"expected array", "应为列表。"}, {"expected object", "应为对象。"},
		{"expected value to be one of", "不在可选范围内。"}, {"date", "日期格式不正确。"}, {"invalid character", "不是有效的 JSON。"},
		{"array length", "条数不符合要求。"},
	} {
		if strings.Contains(msg, m.has) {
			return m.zh
		}
	}
	return "格式不正确。"
}

// MovedOut tells the console what changed since the version it acted on.
type MovedOut struct {
	Version     int64     `json:"version"`
	Status      string    `json:"status"`
	StatusLabel string    `json:"status_label"`
	Changed     []StepOut `json:"changed"`
}

// StepOut is one step that the actor had not seen.
type StepOut struct {
	At    string `json:"at"`
	Actor string `json:"actor"`
	Label string `json:"label"`
}

func (a *API) movedOut(m ticket.Moved) MovedOut {
	out := MovedOut{m.Version, m.Status, m.StatusLabel, []StepOut{}}
	for _, c := range m.Changed {
		name := a.accountName(c.Actor)
		if name == "" {
			name = "系统"
		}
		out.Changed = append(out.Changed, StepOut{stamp(c.At), name, c.Label})
	}
	return out
}
