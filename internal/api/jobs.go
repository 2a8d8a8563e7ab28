package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/fault"
	"hotline/internal/job"
	"hotline/internal/measure"
	"hotline/internal/report"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// JobOut is a background job as its creator sees it.
type JobOut struct {
	ID         ID     `json:"id"`
	Kind       string `json:"kind"`
	KindLabel  string `json:"kind_label"`
	State      string `json:"state" enum:"ready,running,done,dead"`
	StateLabel string `json:"state_label"`
	Done       int64  `json:"done"`
	Total      int64  `json:"total"`
	Message    string `json:"message"`
	Result     string `json:"result"`
	LastError  string `json:"last_error"`
	CreatedAt  string `json:"created_at"`
	UpdatedAt  string `json:"updated_at"`
}

var (
	jobKinds  = map[string]string{report.JobMeasures: "导出统计数据", report.JobTickets: "导出工单清单", measure.JobRecount: "重新核对统计数", ticket.JobRefan: "按新隶属关系调整工单可见范围"}
	jobStates = map[job.State]string{job.Ready: "排队中", job.Working: "进行中", job.Done: "已完成", job.Dead: "未成功"}
)

func jobOut(s job.Status) JobOut {
	out := JobOut{ID: ID(s.ID), Kind: s.Kind, KindLabel: jobKinds[s.Kind], State: string(s.State), StateLabel: jobStates[s.State], Done: s.Done, Total: s.Total, Message: s.Message, Result: s.Result,
		CreatedAt: stamp(s.CreatedAt.UnixMilli()), UpdatedAt: stamp(s.UpdatedAt.UnixMilli())}
	if out.KindLabel == "" {
		out.KindLabel = "后台任务"
	}
	if s.State == job.Dead {
		out.LastError = plainError(s.LastError)
	}
	return out
}

// plainError keeps the Chinese words of an error and drops codes and causes.
func plainError(s string) string {
	for _, part := range strings.Split(s, ": ") {
		if strings.ContainsFunc(part, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			return part
		}
	}
	return "执行失败，请稍后重试；如仍不成功请联系系统管理员。"
}

func (a *API) jobRoutes() {
	own := Rule{Free: "只含本人任务的进度"}
	type listOut struct {
		Items []JobOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/jobs", "jobs-list", "我的后台任务", own, func(ctx context.Context, _ *struct{}) (*struct{ Body listOut }, error) {
		list, err := a.Jobs.List(ctx, actorOf(ctx).Account, 50)
		out := listOut{Items: make([]JobOut, 0, len(list))}
		for _, s := range list {
			out.Items = append(out.Items, jobOut(s))
		}
		return &struct{ Body listOut }{out}, err
	})
	route(a, http.MethodGet, "/api/v1/jobs/{id}", "jobs-get", "后台任务进度", own, func(ctx context.Context, in *pathID) (*struct{ Body JobOut }, error) {
		s, err := a.ownJob(ctx, actorOf(ctx), in.ID)
		return &struct{ Body JobOut }{jobOut(s)}, err
	})
	a.raw(http.MethodGet, "/api/v1/jobs/{id}/events", "jobs-events", "后台任务进度（SSE）", own, func(w http.ResponseWriter, r *http.Request) error {
		return a.jobStream(w, r)
	})
	a.raw(http.MethodGet, "/api/v1/files/{id}", "files-get", "下载导出文件", Rule{Verbs: []access.Verb{access.Stats, access.Export}, Audit: "export"}, func(w http.ResponseWriter, r *http.Request) error {
		actor := actorOf(r.Context())
		id, err := parseID(r.PathValue("id"))
		if err != nil {
			return err
		}
		f, err := a.Report.File(r.Context(), actor, id)
		if err != nil {
			return err
		}
		if err := a.Audit.Seen(r.Context(), audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: "export", SubjectKind: "job", Subject: f.Job, Count: int(f.Rows), IP: actor.IP, Query: zh.Truncate(f.Name, 60)}); err != nil {
			return err
		}
		return a.serveBlob(w, r, string(f.Ref), f.Name, "xlsx")
	})
}

// ownJob finds a job for its creator; to anybody else it does not exist.
func (a *API) ownJob(ctx context.Context, actor access.Actor, raw string) (job.Status, error) {
	id, err := parseID(raw)
	if err != nil {
		return job.Status{}, err
	}
	s, err := a.Jobs.Get(ctx, id)
	if err == nil && s.CreatedBy != actor.Account {
		return job.Status{}, fault.NotFound("job_not_found", "后台任务不存在或已清理。")
	}
	return s, err
}

// jobLook is how often a stream looks at its job.
const jobLook = 500 * time.Millisecond

// jobStream sends the job whenever it moved, until it has ended.
func (a *API) jobStream(w http.ResponseWriter, r *http.Request) error {
	ctx, actor := r.Context(), actorOf(r.Context())
	s, err := a.ownJob(ctx, actor, r.PathValue("id"))
	switch {
	case err != nil && ctx.Err() != nil: // the client is gone
		return nil
	case err != nil:
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	rc := http.NewResponseController(w)
	last, quiet := "", time.Duration(0)
	for {
		b, err := json.Marshal(jobOut(s))
		if err != nil {
			return nil
		}
		switch {
		case string(b) != last:
			last, quiet = string(b), 0
			fmt.Fprintf(w, "event: job\ndata: %s\n\n", b)
		case quiet >= keepalive:
			quiet = 0
			fmt.Fprint(w, ": keepalive\n\n")
		}
		if rc.Flush() != nil || s.State == job.Done || s.State == job.Dead {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-a.DB.Clock().After(jobLook):
		}
		if a.ended(r) {
			return nil
		}
		quiet += jobLook
		if s, err = a.Jobs.Get(ctx, s.ID); err != nil {
			return nil // the stream has begun; the client asks again
		}
	}
}
