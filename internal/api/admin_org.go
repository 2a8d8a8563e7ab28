package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/category"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// AdminUnit is a unit as the administration sees it, with its dates.
type AdminUnit struct {
	UnitOut
	Short      string   `json:"short"`
	RegionName string   `json:"region_name"`
	Duty       string   `json:"duty"`
	DutyName   string   `json:"duty_name"`
	Duties     []string `json:"duties"`
	Phone      string   `json:"phone"`
	Contact    string   `json:"contact"`
	Platform   ID       `json:"platform"`
	Active     bool     `json:"active"`
	From       string   `json:"from"`
	To         string   `json:"to"`
	Next       string   `json:"next" doc:"已定的下一次变更，空为没有"`
	Version    int64    `json:"version"`
}

// UnitIn is what a new unit is made of.
type UnitIn struct {
	Kind             string   `json:"kind" maxLength:"40"`
	Name             string   `json:"name" maxLength:"200"`
	Short            string   `json:"short,omitempty" maxLength:"200"`
	Code             string   `json:"code" maxLength:"60"`
	Parent           ID       `json:"parent,omitempty" doc:"不填为本平台"`
	Region           string   `json:"region" maxLength:"12"`
	Duty             string   `json:"duty,omitempty" maxLength:"60"`
	Duties           []string `json:"duties,omitempty" maxItems:"200"`
	Responsibilities string   `json:"responsibilities,omitempty" maxLength:"4000"`
	Phone            string   `json:"phone,omitempty" maxLength:"100"`
	Contact          string   `json:"contact,omitempty" maxLength:"100"`
	From             string   `json:"from,omitempty" maxLength:"40"`
	Approver         string   `json:"approver,omitempty" maxLength:"64" doc:"县级平台：省级批准人工号"`
	Document         string   `json:"document,omitempty" maxLength:"200" doc:"县级平台：批准文号"`
}

// UnitEdit is a change of a unit; what is absent stays.
type UnitEdit struct {
	Name             *string   `json:"name,omitempty" maxLength:"200"`
	Short            *string   `json:"short,omitempty" maxLength:"200"`
	Duty             *string   `json:"duty,omitempty" maxLength:"60"`
	Duties           *[]string `json:"duties,omitempty" maxItems:"200"`
	Responsibilities *string   `json:"responsibilities,omitempty" maxLength:"4000"`
	Phone            *string   `json:"phone,omitempty" maxLength:"100"`
	Contact          *string   `json:"contact,omitempty" maxLength:"100"`
	From             string    `json:"from,omitempty" maxLength:"40"`
	Version          int64     `json:"version,omitempty"`
}

// ImportLine is what is wrong with one line of an import.
type ImportLine struct {
	Line   int    `json:"line"`
	Column string `json:"column" doc:"列名；空表示整行"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// ImportChange is what one line of an import makes of its unit.
type ImportChange struct {
	Line   int    `json:"line"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// ImportOut is what an import of units did, or would do.
type ImportOut struct {
	Created   int            `json:"created"`
	Updated   int            `json:"updated"`
	Unchanged int            `json:"unchanged"`
	Changes   []ImportChange `json:"changes"`
	Errors    []ImportLine   `json:"errors"`
	Message   string         `json:"message"`
}

// maxTable bounds an imported table, before and after it is unpacked.
const (
	maxTable    = 5 << 20
	maxUnpacked = 50 << 20
	maxRows     = 20_000
)

func (a *API) orgRoutes() {
	write := Rule{Verbs: []access.Verb{access.Config}, Audit: "event"}
	type listOut struct {
		Items []AdminUnit `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/admin/units", "admin-units", "组织机构", Rule{Verbs: write.Verbs, Free: "机构台账，不含业务数据"}, func(ctx context.Context, in *struct {
		Parent string `query:"parent" maxLength:"20"`
		Q      string `query:"q" maxLength:"40"`
	}) (*struct{ Body listOut }, error) {
		items, err := a.adminUnits(actorOf(ctx), in.Parent, in.Q)
		return &struct{ Body listOut }{listOut{items}}, err
	})
	route(a, http.MethodPost, "/api/v1/admin/units", "admin-units-create", "新增单位", write, func(ctx context.Context, in *struct{ Body UnitIn }) (*struct{ Body AdminUnit }, error) {
		u, err := a.createUnit(ctx, actorOf(ctx), &in.Body)
		return &struct{ Body AdminUnit }{a.adminUnit(a.Org.Tree(), u)}, err
	})
	route(a, http.MethodPut, "/api/v1/admin/units/{id}", "admin-units-update", "修改单位", write, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body UnitEdit
	}) (*struct{ Body AdminUnit }, error) {
		by, id, err := a.unitByID(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		b := &in.Body
		c := org.Change{Name: b.Name, Short: b.Short, Duty: b.Duty, Duties: b.Duties, Responsibilities: b.Responsibilities, Phone: b.Phone, Contact: b.Contact, Version: b.Version}
		if c.From, err = a.formTime("from", b.From); err != nil {
			return nil, err
		}
		u, err := a.Org.Update(ctx, by, id, c)
		return &struct{ Body AdminUnit }{a.adminUnit(a.Org.Tree(), u)}, err
	})
	type done struct {
		AdminUnit
		Message string `json:"message"`
	}
	route(a, http.MethodPost, "/api/v1/admin/units/{id}/close", "admin-units-close", "停用单位", write, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body struct {
			To     string `json:"to,omitempty" maxLength:"40"`
			Reason string `json:"reason,omitempty" maxLength:"200"`
		}
	}) (*struct{ Body done }, error) {
		by, id, err := a.unitByID(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		u, text, err := a.closeUnit(ctx, by, id, in.Body.To, in.Body.Reason)
		return &struct{ Body done }{done{u, text}}, err
	})
	route(a, http.MethodPost, "/api/v1/admin/units/{id}/move", "admin-units-move", "移动单位", write, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body struct {
			Parent ID     `json:"parent"`
			From   string `json:"from,omitempty" maxLength:"40"`
		}
	}) (*struct{ Body done }, error) {
		by, id, err := a.unitByID(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if _, ok := a.Org.Tree().Get(int64(in.Body.Parent)); ok && !a.within(actorOf(ctx), int64(in.Body.Parent)) {
			return nil, errOutside()
		}
		from, err := a.formTime("from", in.Body.From)
		if err != nil {
			return nil, err
		}
		u, err := a.Org.Move(ctx, by, id, int64(in.Body.Parent), from)
		if err != nil {
			return nil, err
		}
		tree := a.Org.Tree()
		return &struct{ Body done }{done{a.adminUnit(tree, u), "“" + u.Name + "”已移至“" + tree.Name(int64(in.Body.Parent)) + "”之下。"}}, nil
	})
	a.raw(http.MethodPost, "/api/v1/admin/units/import", "admin-units-import", "导入单位表格", write, a.importUnits)
	a.raw(http.MethodGet, "/api/v1/admin/units/template", "admin-units-template", "单位导入模板", Rule{Verbs: write.Verbs, Free: "空白模板"}, func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''%E5%8D%95%E4%BD%8D%E5%AF%BC%E5%85%A5%E6%A8%A1%E6%9D%BF.csv")
		return org.WriteTemplate(w)
	})
}

// adminUnits lists the units below parent, the hits of a search, or the root
// of what the actor administers.
func (a *API) adminUnits(actor access.Actor, parent, q string) ([]AdminUnit, error) {
	tree := a.Org.Tree()
	root := tree.Platform(actor.Unit)
	var list []org.Unit
	switch {
	case q != "":
		list = tree.Search(q, root.ID, 100)
	case parent == "":
		if root.ID != 0 {
			list = []org.Unit{root}
		}
	default:
		id, err := parseID(parent)
		if err != nil {
			return nil, err
		}
		if _, ok := tree.Get(id); !ok {
			return nil, fault.NotFound("unit_absent", "单位不存在或已停用，请刷新后重试。")
		}
		if !a.within(actor, id) {
			return nil, errOutside()
		}
		list = tree.Children(id)
	}
	out := make([]AdminUnit, 0, len(list))
	for _, u := range list {
		out = append(out, a.adminUnit(tree, u))
	}
	return out, nil
}

func (a *API) adminUnit(tree *org.Tree, u org.Unit) AdminUnit {
	if u.ID == 0 {
		return AdminUnit{}
	}
	return AdminUnit{UnitOut: a.unitOut(tree, u), Short: u.Short, RegionName: regionName(u.Region), Duty: u.Duty, DutyName: dutyName(u.Duty), Duties: append([]string{}, u.Duties...),
		Phone: u.Phone, Contact: u.Contact, Platform: ID(u.Platform), Active: u.Active, From: stamp(u.From), To: stamp(u.To), Next: a.nextOf(u), Version: u.Version}
}

// nextOf tells what a unit in force will be from the day on which it ends as it is.
func (a *API) nextOf(u org.Unit) string {
	if !u.Active || u.To == 0 {
		return ""
	}
	from := clock.FromMillis(u.To)
	day := from.Format("2006年1月2日")
	then := a.Org.TreeAt(from)
	n, ok := then.Get(u.ID)
	if !ok || !n.Active {
		return day + "起停用"
	}
	var changes []string
	for _, c := range [][3]string{{"名称", u.Name, n.Name}, {"简称", u.Short, n.Short}, {"上级", then.Name(u.Parent), then.Name(n.Parent)}, {"职责类别", dutyName(u.Duty), dutyName(n.Duty)},
		{"职责", u.Responsibilities, n.Responsibilities}, {"联系电话", u.Phone, n.Phone}, {"联络员", u.Contact, n.Contact}} {
		if c[1] != c[2] {
			changes = append(changes, c[0]+"改为“"+c[2]+"”")
		}
	}
	if len(changes) == 0 {
		changes = []string{"其他职责有变化"}
	}
	return day + "起，" + strings.Join(changes, "，")
}

// dutyName is what people call a duty.
func dutyName(code string) string {
	d, _ := category.DutyOf(code)
	return d.Name()
}

// unitByID finds whom an act is about and checks that the actor administers it.
func (a *API) unitByID(ctx context.Context, raw string) (org.By, int64, error) {
	actor := actorOf(ctx)
	by := org.By{Account: actor.Account, Unit: actor.Unit}
	id, err := parseID(raw)
	if err != nil {
		return by, 0, err
	}
	if _, ok := a.Org.Tree().Get(id); ok && !a.within(actor, id) {
		return by, 0, errOutside()
	}
	return by, id, nil // an unknown one is refused by the room, in its own words
}

func (a *API) createUnit(ctx context.Context, actor access.Actor, in *UnitIn) (org.Unit, error) {
	n := org.NewUnit{Code: in.Code, Name: in.Name, Short: in.Short, Kind: org.Kind(in.Kind), Parent: int64(in.Parent), Region: in.Region, Duty: in.Duty, Duties: in.Duties,
		Responsibilities: in.Responsibilities, Phone: in.Phone, Contact: in.Contact}
	if n.Parent == 0 {
		n.Parent = a.Org.Tree().Platform(actor.Unit).ID
	}
	if _, ok := a.Org.Tree().Get(n.Parent); ok && !a.within(actor, n.Parent) {
		return org.Unit{}, errOutside()
	}
	var err error
	if n.From, err = a.formTime("from", in.From); err != nil {
		return org.Unit{}, err
	}
	if in.Approver != "" || in.Document != "" {
		n.ProvinceApproval = &org.ProvinceApproval{Document: in.Document}
		if acc, err := a.Access.ByUsername(ctx, in.Approver); err == nil {
			n.ProvinceApproval.Account = acc.ID
		} else if fault.KindOf(err) != fault.KindNotFound {
			return org.Unit{}, err
		}
	}
	return a.Org.Create(ctx, org.By{Account: actor.Account, Unit: actor.Unit}, n)
}

// busyQueues hold what a unit has still to do.
var busyQueues = []string{ticket.ToSign, ticket.InHand, ticket.Delegated, ticket.ToReview, ticket.Returning, ticket.Suspended}

func (a *API) closeUnit(ctx context.Context, by org.By, id int64, to, reason string) (AdminUnit, string, error) {
	at, err := a.formTime("to", to)
	if err != nil {
		return AdminUnit{}, "", err
	}
	name := a.Org.Tree().Name(id)
	if at.IsZero() { // at a later date they have time to hand over
		counts, err := a.Ticket.Counts(ctx, access.Scope{Units: []int64{id}, Labels: access.Labels()}, busyQueues)
		if err != nil {
			return AdminUnit{}, "", err
		}
		var open int64
		for _, c := range counts {
			open += c.N
		}
		if open > 0 {
			return AdminUnit{}, "", fault.Conflict("unit_has_tickets", "“%s”还有%d件在办工单，请先办结或改派，或选择以后的日期停用。", name, open)
		}
	}
	if err := a.Org.Close(ctx, by, id, at); err != nil {
		return AdminUnit{}, "", err
	}
	if err := a.saw(ctx, audit.Entry{Op: "unit.close", SubjectKind: "unit", Subject: id, Reason: reason, Count: 1}); err != nil {
		return AdminUnit{}, "", err
	}
	text := "“" + name + "”已停用。"
	if !at.IsZero() {
		text = "“" + name + "”自" + day(at) + "起停用。"
	}
	tree := a.Org.Tree()
	u, _ := tree.Get(id)
	return a.adminUnit(tree, u), text, nil
}

// importUnits takes a table of units in, from the day that the form names; lines
// with an error are left out and listed, the others are taken together. With
// preview it tells what it would do.
func (a *API) importUnits(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxTable+1<<16)
	f, _, err := r.FormFile("file")
	if err != nil {
		return fault.Invalid("file_needed", "请选择不超过5兆字节的 xlsx 或 csv 表格。").Because(err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxTable+1))
	if err != nil || len(raw) > maxTable {
		return fault.Invalid("file_too_large", "表格不能超过5兆字节。").Because(err)
	}
	if bytes.HasPrefix(raw, []byte("PK\x03\x04")) {
		if raw, err = tableOf(raw); err != nil {
			return err
		}
	}
	rows, err := org.ReadRows(raw)
	if err != nil {
		return err
	}
	if len(rows) > maxRows {
		return fault.Invalid("import_too_long", "一次最多导入%d行，请分批导入。", maxRows)
	}
	from, err := a.formTime("from", r.FormValue("from"))
	if err != nil {
		return err
	}
	actor := actorOf(r.Context())
	rows, outside := a.ownRows(actor, rows)
	take, said := a.Org.Import, "导入完成。"
	if r.FormValue("preview") == "1" {
		take, said = a.Org.Preview, "还没有导入。"
	}
	rep, err := take(r.Context(), org.By{Account: actor.Account, Unit: actor.Unit}, rows, from)
	if err != nil {
		return err
	}
	out := ImportOut{rep.Created, rep.Updated, rep.Unchanged, []ImportChange{}, outside, said}
	for _, c := range rep.Changes {
		out.Changes = append(out.Changes, ImportChange(c))
	}
	for _, e := range rep.Errors {
		out.Errors = append(out.Errors, ImportLine{e.Line, e.Column, e.Code, e.Detail})
	}
	slices.SortStableFunc(out.Errors, func(x, y ImportLine) int { return x.Line - y.Line })
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(out)
}

// ownRows holds back the lines that touch units outside the actor's platform.
func (a *API) ownRows(actor access.Actor, rows []org.Row) (own []org.Row, outside []ImportLine) {
	tree := a.Org.Tree()
	p := tree.Platform(actor.Unit)
	outside = []ImportLine{}
	for _, row := range rows {
		u, known := tree.ByCode(row.Unit.Code)
		parent, hasParent := tree.ByCode(row.Unit.ParentCode)
		_, place := region.Get(row.Unit.Region) // what is no region is told as such
		if known && !tree.Under(p.ID, u.ID) || hasParent && !tree.Under(p.ID, parent.ID) || place && !region.Contains(p.Region, row.Unit.Region) && p.Kind != org.KindProvince {
			outside = append(outside, ImportLine{Line: row.Line, Code: row.Unit.Code, Detail: "不在本平台及下级单位的范围内。"})
			continue
		}
		own = append(own, row)
	}
	return own, outside
}

// tableOf reads the first sheet of a workbook as CSV.
func tableOf(raw []byte) ([]byte, error) {
	unreadable := func(err error) error {
		return fault.Invalid("import_unreadable", "文件不是有效的表格，请使用下载的模板填写。").Because(err)
	}
	x, err := excelize.OpenReader(bytes.NewReader(raw), excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked, RawCellValue: true})
	if err != nil {
		return nil, unreadable(err)
	}
	defer x.Close()
	sheets := x.GetSheetList()
	if len(sheets) == 0 {
		return nil, unreadable(nil)
	}
	rows, err := x.GetRows(sheets[0])
	if err != nil {
		return nil, unreadable(err)
	}
	for i := range rows {
		if len(rows[i]) == 0 {
			rows[i] = []string{"", ""} // keeps the numbers of the lines below
		}
		for j, cell := range rows[i] {
			rows[i][j] = strings.Join(strings.Fields(cell), " ") // as does a cell of several lines
		}
	}
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	if err := c.WriteAll(rows); err != nil {
		return nil, unreadable(err)
	}
	return b.Bytes(), nil
}
