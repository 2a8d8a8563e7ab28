package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/line"
	"hotline/internal/region"
)

// LineOut is a number of the registry.
type LineOut struct {
	line.Line
	ModeLabel  string `json:"mode_label"`
	RegionName string `json:"region_name"`
}

// LineChangeOut is a change that was asked for.
type LineChangeOut struct {
	ID         ID          `json:"id"`
	Kind       string      `json:"kind"`
	KindLabel  string      `json:"kind_label"`
	Lines      []line.Line `json:"lines"`
	Diff       []string    `json:"diff"`
	Reason     string      `json:"reason"`
	Basis      string      `json:"basis"`
	State      string      `json:"state"`
	StateLabel string      `json:"state_label"`
	Applicant  string      `json:"applicant"`
	Approvers  []string    `json:"approvers"`
	Needed     int         `json:"needed"`
	At         string      `json:"at"`
	Decided    string      `json:"decided"`
	MayDecide  bool        `json:"may_decide"`
}

// LineImportOut shows what a list would change, or the change that was asked for with it.
type LineImportOut struct {
	Read     int             `json:"read"`
	Rejected []line.RowError `json:"rejected"`
	Diff     []string        `json:"diff"`
	Kind     string          `json:"kind"`
	Change   *LineChangeOut  `json:"change"`
	Message  string          `json:"message"`
}

func (a *API) lineChange(actor access.Actor, c line.Change) LineChangeOut {
	o := LineChangeOut{ID: ID(c.ID), Kind: c.Kind, KindLabel: line.ChangeWords[c.Kind], Lines: c.Lines, Diff: c.Diff, Reason: c.Reason, Basis: c.Basis, State: c.State, StateLabel: line.ChangeWords[c.State], Applicant: a.accountName(c.Applicant), Approvers: []string{},
		Needed: c.Needed(), At: stamp(c.At), Decided: stamp(c.Decided)}
	o.MayDecide = c.State == "pending" && actor.Role == access.Province && actor.Account != c.Applicant
	for _, id := range c.Approvers {
		o.Approvers = append(o.Approvers, a.accountName(id))
		o.MayDecide = o.MayDecide && id != actor.Account
	}
	return o
}

func (a *API) lineRoutes() {
	type linesOut struct {
		Items []LineOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/lines", "lines", "热线号码台账", Rule{Free: "台账对全体工作人员公开"}, func(_ context.Context, _ *struct{}) (*struct{ Body linesOut }, error) {
		out := linesOut{Items: []LineOut{}}
		for _, l := range a.Lines.All(a.now()) {
			out.Items = append(out.Items, LineOut{l, l.Mode.Word(), region.FullName(l.Region)})
		}
		return &struct{ Body linesOut }{out}, nil
	})
	keep := Rule{Roles: []access.Role{access.ShiftLead, access.Supervisor, access.Province}, Audit: "line.propose"}
	type changesOut struct {
		Items []LineChangeOut `json:"items"`
	}
	see := keep
	see.Audit, see.Free = "", "申请不含个人信息"
	route(a, http.MethodGet, "/api/v1/lines/changes", "lines-changes", "号码变更申请", see, func(ctx context.Context, in *struct {
		State string `query:"state" enum:"pending,approved,rejected,"`
	}) (*struct{ Body changesOut }, error) {
		list, err := a.LineChanges.Changes(ctx, in.State)
		out := changesOut{Items: []LineChangeOut{}}
		for _, c := range list {
			out.Items = append(out.Items, a.lineChange(actorOf(ctx), c))
		}
		return &struct{ Body changesOut }{out}, err
	})
	type changeIn struct {
		Lines  []line.Line `json:"lines" maxItems:"500"`
		Reason string      `json:"reason" maxLength:"300"`
		Basis  string      `json:"basis,omitempty" maxLength:"100"`
	}
	route(a, http.MethodPost, "/api/v1/lines/changes", "lines-changes-create", "申请号码变更", keep, func(ctx context.Context, in *struct{ Body changeIn }) (*struct{ Body LineChangeOut }, error) {
		c, err := a.LineChanges.Propose(ctx, actorOf(ctx), in.Body.Lines, in.Body.Reason, in.Body.Basis)
		if err != nil {
			return nil, err
		}
		return &struct{ Body LineChangeOut }{a.lineChange(actorOf(ctx), c)}, nil
	})
	route(a, http.MethodPost, "/api/v1/lines/changes/{id}/{decision}", "lines-changes-decide", "审批号码变更", Rule{Roles: []access.Role{access.Province}, Audit: "line.approve"}, func(ctx context.Context, in *struct {
		ID       string `path:"id"`
		Decision string `path:"decision" enum:"approve,reject"`
	}) (*struct{ Body LineChangeOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		c, err := a.LineChanges.Decide(ctx, actorOf(ctx), id, in.Decision == "approve")
		if err != nil {
			return nil, err
		}
		return &struct{ Body LineChangeOut }{a.lineChange(actorOf(ctx), c)}, nil
	})
	a.raw(http.MethodGet, "/api/v1/lines/sheet", "lines-sheet", "归并清单模板", Rule{Roles: keep.Roles, Free: "台账对全体工作人员公开"}, func(w http.ResponseWriter, _ *http.Request) error {
		var b bytes.Buffer
		if err := line.Sheet(&b, a.Lines.All(a.now())); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
		w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape("归并清单.xlsx"))
		_, err := w.Write(b.Bytes())
		return err
	})
	imported := keep
	imported.Audit = "line.import"
	a.raw(http.MethodPost, "/api/v1/lines/import", "lines-import", "导入归并清单", imported, func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxList+1<<16)
		f, head, err := r.FormFile("file")
		if err != nil {
			return fault.Invalid("file_needed", "请选择不超过5兆字节的归并清单（xlsx、csv 或 json）。").Because(err)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxList+1))
		if err != nil || len(data) > maxList {
			return fault.Invalid("file_too_large", "归并清单不能超过5兆字节。").Because(err)
		}
		out, err := a.importLines(r.Context(), actorOf(r.Context()), head.Filename, data, r.FormValue("commit") == "1", r.FormValue("reason"), r.FormValue("basis"))
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(out)
	})
}

const maxList = 5 << 20

// importLines shows the differences first; committed, they become a change that
// waits for its approvals. A list with bad lines is not committed in part.
func (a *API) importLines(ctx context.Context, actor access.Actor, name string, data []byte, commit bool, reason, basis string) (LineImportOut, error) {
	lines, bad, err := line.Read(name, data, a.now())
	if err != nil {
		return LineImportOut{}, err
	}
	lines = a.LineChanges.Kept(lines)
	out := LineImportOut{Read: len(lines), Rejected: append([]line.RowError{}, bad...), Diff: []string{}}
	_, diff, kind, err := a.LineChanges.Plan(lines)
	if err != nil {
		return out, err
	}
	if err := a.LineChanges.Mine(actor, a.LineChanges.Changed(lines)); err != nil {
		return out, err
	}
	out.Diff, out.Kind = append(out.Diff, diff...), kind
	err = a.DB.Update(ctx, func(tx *db.Tx) error {
		return a.recordIn(tx, actor, audit.Entry{Op: "line.import", SubjectKind: "lines", Count: len(lines)})
	})
	switch {
	case err != nil:
		return out, err
	case len(bad) > 0:
		out.Message = "有问题的行请修改后重新导入，整份清单没有问题才能提交。"
	case len(diff) == 0:
		out.Message = "与现行台账相同，没有变更。"
	case !commit:
		out.Message = "以下为与现行台账的差异，核对后提交审批。"
	default:
		c, err := a.LineChanges.Propose(ctx, actor, lines, reason, basis)
		if err != nil {
			return out, err
		}
		x := a.lineChange(actor, c)
		out.Change, out.Message = &x, "已提交审批。"
	}
	return out, nil
}
