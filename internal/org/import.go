package org

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
)

// LineError says what is wrong with one cell of an import, or with a whole line.
type LineError struct {
	Line   int
	Column string // heading of the column; "" = the line as such
	Code   string // the unit's code
	Detail string // Chinese
}

// LineChange says what one line of an import makes of its unit.
type LineChange struct {
	Line   int
	Code   string
	Detail string // Chinese
}

// ImportReport is what an import did. Lines with an error were left out, all
// others were taken in one transaction.
type ImportReport struct {
	Created, Updated, Unchanged int
	Changes                     []LineChange
	Errors                      []LineError
}

// Row is one line of an import: a unit with its parent by code.
type Row struct {
	Line int
	Unit NewUnit
}

// Import creates the units that are new and edits those that differ, matched
// by code, from a moment on (zero = now): against the organisation as it then
// stands, so that importing the same rows twice changes nothing. Parents may
// come after their children. Kind, region and parent of an existing unit are
// not changed by an import: a move is a decision of its own.
func (s *Service) Import(ctx context.Context, by By, rows []Row, from time.Time) (ImportReport, error) {
	return s.imported(ctx, by, rows, from, false)
}

// Preview is what Import would do, and does nothing.
func (s *Service) Preview(ctx context.Context, by By, rows []Row, from time.Time) (ImportReport, error) {
	return s.imported(ctx, by, rows, from, true)
}

func (s *Service) imported(ctx context.Context, by By, rows []Row, from time.Time, preview bool) (ImportReport, error) {
	var rep ImportReport
	err := s.write(ctx, by, func(t book, now int64) (draft, error) {
		if err := notBackdated(by, from, now); err != nil {
			return draft{}, err
		}
		rep = ImportReport{} // may run again
		t.Tree = t.at(moment(from, now))
		b := newBatch(t.Tree, s.d.NewID)
		var dr draft
		last := t.at(math.MaxInt64)
		seen := map[string]int{}
		for _, r := range parentsFirst(rows) {
			if line, ok := seen[r.Unit.Code]; ok {
				rep.fail(r, bad("unit_line_repeated", "code", "与第%d行的单位编码重复。", line))
				continue
			}
			seen[r.Unit.Code] = r.Line
			r.Unit.From = from
			if wrong := r.Unit.faults(); len(wrong) > 0 {
				for _, err := range wrong {
					rep.fail(r, err)
				}
				continue
			}
			u, ok := t.ByCode(r.Unit.Code)
			if ok && u.Active {
				if err := s.importEdit(t, by, u, r, now, &dr, &rep); err != nil {
					rep.fail(r, err)
				}
				continue
			}
			if u, ok := last.ByCode(r.Unit.Code); ok && u.Active {
				rep.fail(r, fault.Conflict("unit_change_pending", "“%s”已定于%s起启用，请按那一天导入，或待其启用后再改。", u.Name, clock.FromMillis(u.From).Format("2006年1月2日")))
				continue
			}
			if err := b.add(by, r.Unit, now); err != nil {
				rep.fail(r, err)
				continue
			}
			if last := len(b.rows) - 1; b.rows[last].kind == KindCountyPlatform {
				b.rows = b.rows[:last]
				delete(b.byCode, r.Unit.Code)
				rep.fail(r, countyRefused())
				continue
			}
			rep.Created++
			rep.says(r, "新增"+r.Unit.Kind.Label()+"“"+r.Unit.Name+"”")
		}
		if preview || rep.Created+rep.Updated == 0 {
			return draft{}, errNothing
		}
		dr.begun = append(dr.begun, b.rows...)
		dr.event = bulkEvent(rep.Created, rep.Updated)
		return dr, nil
	})
	if err != nil && !errors.Is(err, errNothing) {
		return ImportReport{}, err
	}
	slices.SortStableFunc(rep.Errors, func(a, b LineError) int { return a.Line - b.Line })
	slices.SortStableFunc(rep.Changes, func(a, b LineChange) int { return a.Line - b.Line })
	return rep, nil
}

// errNothing ends an import that would change nothing, so that it leaves no
// event behind.
var errNothing = errors.New("org: nothing to import")

func (s *Service) importEdit(t book, by By, u Unit, r Row, now int64, dr *draft, rep *ImportReport) error {
	n := r.Unit
	if err := n.check(); err != nil {
		return err
	}
	if n.Kind != u.Kind || n.Region != u.Region {
		return bad("unit_import_kind", "kind", "单位“%s”已存在，导入不能改变它的类型和区划。", u.Name)
	}
	if p, ok := t.ByCode(n.ParentCode); n.ParentCode != "" && (!ok || p.ID != u.Parent) {
		return bad("unit_import_parent", "parent", "单位“%s”的上级与系统中不一致，请用“移动单位”调整。", u.Name)
	}
	old, next, err := s.successor(t, u.ID, by, n.From, now)
	if err != nil {
		return err
	}
	next.name, next.short, next.duty, next.duties = n.Name, n.Short, n.Duty, n.Duties
	next.responsibilities, next.phone, next.contact = n.Responsibilities, n.Phone, n.Contact
	what := differences(&old, &next)
	if len(what) == 0 {
		rep.Unchanged++
		return nil
	}
	rep.says(r, "“"+old.name+"”："+strings.Join(what, "；"))
	one := s.replace(old, next, EventUpdated)
	dr.ended, dr.begun = append(dr.ended, one.ended...), append(dr.begun, one.begun...)
	rep.Updated++
	return nil
}

// differences are the columns in which two states of a unit differ.
func differences(a, b *row) []string {
	was, is := cells(a), cells(b)
	var out []string
	for i, column := range editable {
		if was[i] != is[i] {
			out = append(out, column+"由“"+was[i]+"”改为“"+is[i]+"”")
		}
	}
	return out
}

// editable are the columns that an import may change of a unit.
var editable = append([]string{csvColumns[1], csvColumns[2]}, csvColumns[6:]...)

// cells are what a unit has in the editable columns.
func cells(r *row) []string {
	return []string{r.name, r.short, r.duty, strings.Join(r.duties, "、"), r.responsibilities, r.phone, r.contact}
}

func (rep *ImportReport) says(r Row, what string) {
	rep.Changes = append(rep.Changes, LineChange{r.Line, r.Unit.Code, what})
}

func (rep *ImportReport) fail(r Row, err error) {
	e := fault.As(err)
	one := LineError{Line: r.Line, Code: r.Unit.Code, Detail: e.Detail}
	if len(e.Fields) > 0 {
		one.Column = columnOf[e.Fields[0].Name]
	}
	rep.Errors = append(rep.Errors, one)
}

// columnOf is the column of a field of a unit.
var columnOf = map[string]string{"code": csvColumns[0], "name": csvColumns[1], "short": csvColumns[2], "kind": csvColumns[3], "parent": csvColumns[4], "region": csvColumns[5],
	"duty": csvColumns[6], "duties": csvColumns[7], "responsibilities": csvColumns[8], "phone": csvColumns[9], "contact": csvColumns[10]}

// parentsFirst orders rows so that a unit comes after its parent.
func parentsFirst(rows []Row) []Row {
	at := make(map[string]int, len(rows))
	for i := range rows {
		at[rows[i].Unit.Code] = i
	}
	depth := make([]int, len(rows))
	for i := range rows {
		for code, n := rows[i].Unit.ParentCode, 0; code != "" && n < maxDepth; n++ {
			j, ok := at[code]
			if !ok {
				break
			}
			depth[i]++
			code = rows[j].Unit.ParentCode
		}
	}
	idx := make([]int, len(rows))
	for i := range idx {
		idx[i] = i
	}
	slices.SortStableFunc(idx, func(a, b int) int { return depth[a] - depth[b] })
	out := make([]Row, len(rows))
	for i, j := range idx {
		out[i] = rows[j]
	}
	return out
}

// csvColumns are the headings of an import table, in the order of the template.
var csvColumns = []string{"单位编码", "单位名称", "简称", "类型", "上级编码", "区划代码", "职责代码", "其他职责代码", "职责", "电话", "联络员"}

// WriteTemplate writes the empty import table.
func WriteTemplate(w io.Writer) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil { // spreadsheet programs need the mark to read Chinese
		return err
	}
	c := csv.NewWriter(w)
	if err := c.Write(csvColumns); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}

// ReadRows reads an import table (CSV, UTF-8). Columns are found by heading;
// only the first, second, fourth and sixth must be there.
func ReadRows(raw []byte) ([]Row, error) {
	c := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	c.FieldsPerRecord = -1
	var table [][]string
	var lines []int // of the file: empty lines and line breaks in a cell count
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.Invalid("import_unreadable", "文件不是有效的表格，请使用下载的模板填写。").Because(err)
		}
		line, _ := c.FieldPos(0)
		table, lines = append(table, rec), append(lines, line)
	}
	if len(table) == 0 {
		return nil, fault.Invalid("import_unreadable", "文件是空的，请使用下载的模板填写。")
	}
	col := map[string]int{}
	for i, h := range table[0] {
		col[strings.TrimSpace(h)] = i
	}
	for _, must := range []int{0, 1, 3, 5} {
		if _, ok := col[csvColumns[must]]; !ok {
			return nil, fault.Invalid("import_column_absent", "表格缺少“%s”一列，请使用下载的模板填写。", csvColumns[must])
		}
	}
	kinds := map[string]Kind{}
	for _, k := range Kinds() {
		kinds[k.Label()], kinds[string(k)] = k, k
	}
	var rows []Row
	for i, rec := range table[1:] {
		get := func(n int) string {
			if j, ok := col[csvColumns[n]]; ok && j < len(rec) {
				return strings.TrimSpace(rec[j])
			}
			return ""
		}
		u := NewUnit{Code: get(0), Name: get(1), Short: get(2), Kind: Kind(get(3)), ParentCode: get(4), Region: get(5), Duty: get(6),
			Responsibilities: get(8), Phone: get(9), Contact: get(10)}
		if k, ok := kinds[get(3)]; ok {
			u.Kind = k
		}
		u.Duties = strings.FieldsFunc(get(7), func(r rune) bool { return strings.ContainsRune(",，、; ；", r) })
		if strings.Join(rec, "") != "" {
			rows = append(rows, Row{Line: lines[i+1], Unit: u})
		}
	}
	return rows, nil
}
