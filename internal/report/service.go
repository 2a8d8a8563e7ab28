package report

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"hotline/internal/access"
	"hotline/internal/blob"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/job"
	"hotline/internal/measure"
	"hotline/internal/org"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// Kinds of the jobs.
const (
	JobMeasures = "export.measures"
	JobTickets  = "export.tickets"
)

// Deps are the rooms below that a Service is built on.
type Deps struct {
	DB      *db.DB
	Jobs    *job.Queue
	Blobs   blob.Store
	Measure *measure.Service
	Ticket  *ticket.Service
	Org     *org.Service
	Access  *access.Service
}

// Service makes workbooks. It is built once by app.
type Service struct{ Deps }

// New builds the service and registers its jobs with the queue.
func New(d *db.DB, q *job.Queue, b blob.Store, m *measure.Service, t *ticket.Service, o *org.Service, a *access.Service) *Service {
	s := &Service{Deps{DB: d, Jobs: q, Blobs: b, Measure: m, Ticket: t, Org: o, Access: a}}
	q.Handle(JobMeasures, s.runner(s.measures))
	q.Handle(JobTickets, s.runner(s.tickets))
	return s
}

// Schema is the room's table.
func Schema() db.Schema {
	return db.Schema{Name: "report", Steps: []db.Step{{SQL: `
CREATE TABLE report_file (
  id BIGINT PRIMARY KEY,
  job BIGINT NOT NULL,
  account BIGINT NOT NULL,
  name TEXT NOT NULL,
  ref TEXT NOT NULL,
  size BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE UNIQUE INDEX report_file_job ON report_file(job);
CREATE INDEX report_file_at ON report_file(at)`}, {SQL: `
ALTER TABLE report_file ADD COLUMN lines BIGINT NOT NULL DEFAULT 0`}}}
}

// Params are what an export is asked for: the query of the page it was asked from.
type Params map[string]any

func (p Params) str(name string) string {
	switch v := p[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatInt(int64(v), 10)
	}
	return ""
}

func (p Params) id(name string) (int64, error) {
	s := p.str(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fault.Invalid("params_invalid", "导出条件“%s”无效。", name).At(fault.Field{Name: name, Detail: "请重新选择。"})
	}
	return n, nil
}

func (p Params) day(name string) (time.Time, error) {
	s := p.str(name)
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.In(clock.Shanghai), nil
	}
	t, err := time.ParseInLocation("2006-01-02", s, clock.Shanghai)
	if err != nil || t.Year() < 2000 || t.Year() > 2100 {
		return t, fault.Invalid("date_invalid", "日期应为“2026-11-22”这样的格式，年份在2000至2100之间。").At(fault.Field{Name: name, Detail: "请重新选择。"})
	}
	return t, nil
}

// order is the payload of a job: who asked, as he was then, and for what.
type order struct {
	Account    int64       `json:"account"`
	Username   string      `json:"username"`
	Name       string      `json:"name"`
	Role       access.Role `json:"role"`
	Unit       int64       `json:"unit"`
	Platform   int64       `json:"platform"`
	Contractor bool        `json:"contractor,omitempty"`
	At         int64       `json:"at"`
	Params     Params      `json:"params"`
}

func (o order) actor() access.Actor {
	return access.Actor{Account: o.Account, Username: o.Username, Name: o.Name, Role: o.Role, Unit: o.Unit, Platform: o.Platform, Contractor: o.Contractor}
}

// jobKinds are the exports that can be asked for.
var jobKinds = map[string]string{"measures": JobMeasures, "tickets": JobTickets}

// Check tells whether the actor may have an export and whether it can be made.
func (s *Service) Check(actor access.Actor, kind string, p Params) (err error) {
	switch {
	case jobKinds[kind] == "":
		return fault.Invalid("export_kind_invalid", "只能导出统计数据（measures）或工单清单（tickets）。").At(fault.Field{Name: "kind", Detail: "请重新选择。"})
	case kind == "measures" && !actor.May(access.Stats), kind == "tickets" && !actor.May(access.Export):
		return fault.Forbidden("export_forbidden", "您的岗位不能导出这类数据。")
	case kind == "measures":
		_, err = s.query(p)
	default:
		_, err = s.filter(p)
	}
	return err
}

// Start enqueues an export ("measures" or "tickets") and gives its job.
// The same key while the job runs gives the same job. The caller audits.
func (s *Service) Start(ctx context.Context, actor access.Actor, kind string, p Params, key string) (int64, error) {
	if err := s.Check(actor, kind, p); err != nil {
		return 0, err
	}
	o := order{actor.Account, actor.Username, actor.Name, actor.Role, actor.Unit, actor.Platform, actor.Contractor, s.DB.Clock().Now().UnixMilli(), p}
	if key != "" {
		key = strconv.FormatInt(actor.Account, 10) + "|" + zh.Truncate(key, 128)
	}
	var id int64
	err := s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		id, err = s.Jobs.Enqueue(tx, job.Spec{Kind: jobKinds[kind], Key: key, Payload: o, MaxAttempts: 3, CreatedBy: actor.Account})
		return err
	})
	return id, err
}

// runner makes a job of a writer of workbooks: build, keep, and name the file.
func (s *Service) runner(build func(ctx context.Context, j *job.Running, o order) (name string, b *book, err error)) job.Handler {
	return func(ctx context.Context, j *job.Running) error {
		var o order
		if err := j.Decode(&o); err != nil {
			return err
		}
		name, b, err := build(ctx, j, o)
		if err != nil {
			if k := fault.KindOf(err); k == fault.KindInvalid || k == fault.KindForbidden || k == fault.KindNotFound {
				return job.Permanent(err) // asking again does not help
			}
			return err
		}
		if err := s.watermark(b, o); err != nil {
			return err
		}
		var buf bytes.Buffer
		if err := b.write(&buf); err != nil {
			return err
		}
		size := int64(buf.Len())
		ref, err := s.Blobs.Put(ctx, &buf)
		if err != nil {
			return err
		}
		id := s.DB.NewID()
		err = s.DB.Update(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(`INSERT INTO report_file (id, job, account, name, ref, size, lines, at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)
 ON CONFLICT (job) DO UPDATE SET ref = excluded.ref, size = excluded.size, lines = excluded.lines, at = excluded.at`, id, j.ID, o.Account, name, string(ref), size, b.lines, tx.NowMS()); err != nil {
				return err
			}
			var err error
			id, err = db.Int(tx, `SELECT id FROM report_file WHERE job = $1`, j.ID)
			return err
		})
		if err != nil {
			return err
		}
		j.Progress(1, 1, "已完成")
		j.SetResult("/api/v1/files/" + strconv.FormatInt(id, 10))
		return nil
	}
}

// watermark adds the sheet that says whose copy this is.
func (s *Service) watermark(b *book, o order) error {
	w, err := b.sheet("水印", 0, 16, 60)
	if err != nil {
		return err
	}
	for _, r := range [][2]string{{"导出账号", o.Username}, {"导出人", o.Name}, {"单位", s.Org.Tree().Name(o.Unit)}, {"导出时间", clock.FromMillis(o.At).Format("2006年1月2日 15:04:05")},
		{"导出条件", s.words(o.Params)}, {"使用要求", "仅限工作使用，内容已脱敏，不得外传；导出已记入审计日志。"}} {
		if err := w.line(r[0], r[1]); err != nil {
			return err
		}
	}
	return w.end()
}

// File is a workbook ready to be fetched.
type File struct {
	ID   int64
	Job  int64
	Name string
	Ref  blob.Ref
	Size int64
	Rows int64 // tickets or groups in it
	At   int64
}

// kept is how long a file may be fetched.
const kept = 7 * 24 * time.Hour

// File finds a file for its creator; to anybody else it does not exist.
func (s *Service) File(ctx context.Context, actor access.Actor, id int64) (f File, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		f, err = db.One(tx, func(sc db.Scanner) (f File, err error) {
			return f, sc.Scan(&f.ID, &f.Job, &f.Name, &f.Ref, &f.Size, &f.Rows, &f.At)
		},
			`SELECT id, job, name, ref, size, lines, at FROM report_file WHERE id = $1 AND account = $2 AND at > $3`, id, actor.Account, tx.Now().Add(-kept).UnixMilli())
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.NotFound("file_not_found", "文件不存在、已过期，或不是您导出的。")
	}
	return f, err
}

// Named tells which of some stored files have a row.
func (s *Service) Named(ctx context.Context, refs []string) (out []string, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.Among(tx, "report_file", "ref", refs)
		return err
	})
	return out, err
}

// Prune removes files that have had their week.
func (s *Service) Prune(ctx context.Context) (n int, err error) {
	var old []File
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		old, err = db.All(tx, func(sc db.Scanner) (f File, err error) { return f, sc.Scan(&f.ID, &f.Ref) },
			`SELECT id, ref FROM report_file WHERE at <= $1 ORDER BY at LIMIT 200`, tx.Now().Add(-kept).UnixMilli())
		return err
	})
	for _, f := range old {
		// The file goes first: a row without one is found again, a file without a row never.
		if err = s.Blobs.Delete(ctx, f.Ref); err == nil {
			err = s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
				_, err := tx.Exec(`DELETE FROM report_file WHERE id = $1`, f.ID)
				return err
			})
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, err
}
