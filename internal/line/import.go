package line

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/region"
)

// Columns of a 归并清单, in the order of its table; a sheet may have them in any.
var Columns = []string{"序号", "热线号码", "热线名称", "主管部门", "层级", "区划", "是否垂直管理", "月均话务量", "座席数", "业务系统", "归并方式", "计划完成日", "实际完成日", "过渡提示音截止日", "转接目标", "归集接口", "责任人", "依据文号"}

// RowError says what is wrong with a cell of the list. Row counts from the
// table's first line, its head, as a spreadsheet does; in JSON it counts the
// objects. Column is "" when the line as a whole is wrong.
type RowError struct {
	Row    int    `json:"row"`
	Number string `json:"number"`
	Column string `json:"column"`
	Text   string `json:"text"`
}

// maxRows bounds a list: 800 numbers of departments and then some.
const maxRows = 5000

// Read reads a 归并清单 as xlsx, csv (UTF-8 or GB 18030) or json. Each cell
// that cannot be taken is told with its row and column; the lines without any
// are still given. It fails with invalid file_kind, file_unreadable, file_empty,
// column_absent, column_unknown and column_twice.
func Read(name string, data []byte, today time.Time) ([]Line, []RowError, error) {
	var rows []row
	var err error
	switch lower := strings.ToLower(name); {
	case strings.HasSuffix(lower, ".xlsx"):
		rows, err = sheet(data)
	case strings.HasSuffix(lower, ".csv"):
		rows, err = table(data)
	case strings.HasSuffix(lower, ".json"):
		rows, err = objects(data)
	default:
		return nil, nil, fault.Invalid("file_kind", "请上传 xlsx、csv 或 json 格式的归并清单。")
	}
	if err != nil {
		if f := (*fault.Error)(nil); errors.As(err, &f) {
			return nil, nil, err
		}
		return nil, nil, fault.Invalid("file_unreadable", "归并清单无法读取，请用模板重新保存后上传。").Because(err)
	}
	if len(rows) < 2 || len(rows) > maxRows {
		return nil, nil, fault.Invalid("file_empty", "归并清单应有表头和1至%d行内容。", maxRows)
	}
	col := map[string]int{}
	for i, h := range rows[0].cells {
		h = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
		if _, twice := col[h]; twice && h != "" {
			return nil, nil, fault.Invalid("column_twice", "归并清单有两列“%s”，请只留一列。", h)
		}
		// A misspelt head would leave its column out unnoticed: 区划 would read as the whole province.
		if h != "" && !slices.Contains(Columns, h) {
			return nil, nil, fault.Invalid("column_unknown", "归并清单没有“%s”这一列；可用的列是%s。", h, strings.Join(Columns, "、"))
		}
		col[h] = i
	}
	for _, must := range []string{"热线号码", "热线名称", "主管部门", "归并方式"} {
		if _, ok := col[must]; !ok {
			return nil, nil, fault.Invalid("column_absent", "归并清单缺少“%s”一列。", must)
		}
	}
	var out []Line
	var bad []RowError
	first := map[string]int{}
	for _, r := range rows[1:] {
		get := func(name string) string {
			if i, ok := col[name]; ok && i < len(r.cells) {
				return strings.TrimSpace(r.cells[i])
			}
			return ""
		}
		if strings.TrimSpace(strings.Join(r.cells, "")) == "" {
			continue
		}
		l, wrong := entry(get, today)
		if err := l.check(); err != nil && len(wrong) == 0 {
			wrong = append(wrong, RowError{Text: fault.As(err).Detail})
		}
		if n, twice := first[l.key()]; twice && len(wrong) == 0 {
			wrong = append(wrong, RowError{Column: "热线号码", Text: fmt.Sprintf("与第%d行是同一区划的同一号码，请只留一行。", n)})
		}
		if len(wrong) == 0 {
			first[l.key()] = r.at
			out = append(out, l)
		}
		for _, w := range wrong {
			w.Row, w.Number = r.at, get("热线号码")
			bad = append(bad, w)
		}
	}
	return out, bad, nil
}

// row is a line of the list and its number in it.
type row struct {
	at    int
	cells []string
}

// modes are the words of the list for the merge modes.
var modes = map[string]Mode{"整体并入": Merged, "双号并行并座席": SeatsIn, "双号并行座席并入": SeatsIn, "双号并行转接": SeatsKept, "双号并行电话转接": SeatsKept, "双号并行保留座席": SeatsKept, "设分中心": Subcentre, "总号": TheHotline}

// entry makes an entry of one line of the list, or tells everything that is
// wrong with it.
func entry(get func(string) string, today time.Time) (l Line, bad []RowError) {
	wrong := func(column, format string, args ...any) {
		bad = append(bad, RowError{Column: column, Text: fmt.Sprintf(format, args...)})
	}
	l = Line{Number: get("热线号码"), Name: get("热线名称"), Department: get("主管部门"), Level: get("层级"), System: get("业务系统"), Interface: get("归集接口"), Owner: get("责任人"), Basis: get("依据文号"), Target: get("转接目标"), Confidence: "高"}
	if !validNumber(l.Number) {
		wrong("热线号码", "“%s”不是有效的热线号码（5至12位数字）。", l.Number)
	}
	for _, c := range []string{"热线名称", "主管部门"} {
		if get(c) == "" {
			wrong(c, "不能为空。")
		}
	}
	word := strings.NewReplacer("-", "", "—", "", "－", "", "（", "", "）", "", "(", "", ")", "", "·", "", "，", "", " ", "").Replace(get("归并方式"))
	mode, ok := modes[word]
	if !ok {
		wrong("归并方式", "“%s”不在规定的四种之内（整体并入、双号并行-并座席、双号并行-转接、设分中心）。", get("归并方式"))
	}
	l.Mode = mode
	if l.Region = place(get("区划")); l.Region == "" {
		wrong("区划", "“%s”不存在，请填市州、县区的名称或六位代码，全省填湖北省。", get("区划"))
	}
	switch get("是否垂直管理") {
	case "是", "Y", "y", "true", "1":
		l.Vertical = true
	case "", "否", "N", "n", "false", "0":
	default:
		wrong("是否垂直管理", "“%s”应为是或否。", get("是否垂直管理"))
	}
	for _, x := range []struct {
		name string
		into *int
	}{{"月均话务量", &l.Monthly}, {"座席数", &l.Seats}} {
		if raw := strings.ReplaceAll(get(x.name), ",", ""); raw != "" {
			n, err := strconv.Atoi(raw)
			if err != nil || n < 0 {
				wrong(x.name, "“%s”应为不小于零的整数。", get(x.name))
			}
			*x.into = n
		}
	}
	for _, x := range []struct {
		name string
		into *string
	}{{"计划完成日", &l.Plan}, {"实际完成日", &l.Done}, {"过渡提示音截止日", &l.Until}} {
		d, err := date(get(x.name))
		if err != nil {
			wrong(x.name, "“%s”应写成2026-06-30的样子。", get(x.name))
		}
		*x.into = d
	}
	if strings.Trim(l.Target, "0123456789") != "" {
		wrong("转接目标", "“%s”应为电话号码，只写数字。", l.Target)
	}
	day := today.In(clock.Shanghai).Format(time.DateOnly)
	switch {
	case l.Mode != Merged:
		l.State, l.Until = StateInUse, ""
	case l.Until != "" && l.Until >= day:
		l.State = StateTransition
	case l.Done != "" && l.Done <= day:
		l.State = StateCancelled
	case l.Until != "":
		l.State = StateCancelled
	default:
		l.State = StateInUse
	}
	return l, bad
}

// place takes a code or a name.
func place(s string) string {
	switch s {
	case "", "全省", "湖北省":
		return region.ProvinceCode
	}
	if known(s) {
		return s
	}
	for _, c := range append(region.Cities(), region.Counties()...) {
		if c.Name == s || c.Short == s {
			return c.Code
		}
	}
	return ""
}

// date takes 2026-06-30, 2026/6/30, 2026年6月30日 and a spreadsheet's number of days.
func date(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	for _, form := range []string{time.DateOnly, "2006/1/2", "2006年1月2日", "2006.1.2", "01-02-06"} {
		if t, err := time.Parse(form, s); err == nil && t.Year() > 1999 && t.Year() < 2101 {
			return t.Format(time.DateOnly), nil
		}
	}
	if n, err := strconv.Atoi(s); err == nil && n > 36525 && n < 73415 {
		return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format(time.DateOnly), nil
	}
	return "", fmt.Errorf("line: no date: %q", s)
}

func sheet(data []byte) ([]row, error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: 64 << 20, UnzipXMLSizeLimit: 32 << 20})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := f.GetRows(f.GetSheetName(0))
	out := make([]row, len(lines))
	for i, cells := range lines {
		out[i] = row{i + 1, cells}
	}
	return out, err
}

// table reads a csv; spreadsheets of this country save it in GB 18030.
func table(data []byte) ([]row, error) {
	if !utf8.Valid(data) {
		var err error
		if data, err = simplifiedchinese.GB18030.NewDecoder().Bytes(data); err != nil {
			return nil, err
		}
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	var out []row
	for len(out) <= maxRows {
		cells, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if p := (*csv.ParseError)(nil); errors.As(err, &p) {
			return nil, fault.Invalid("file_unreadable", "归并清单第%d行的引号不成对，无法读取，请修改后上传。", p.Line).Because(err)
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		out = append(out, row{line, cells})
	}
	return out, nil
}

// objects reads a JSON array of objects whose keys are the columns' names.
func objects(data []byte) ([]row, error) {
	var list []map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	out := []row{{0, Columns}}
	for n, o := range list {
		cells := make([]string, len(Columns))
		for key := range o {
			if !slices.Contains(Columns, key) {
				return nil, fault.Invalid("column_unknown", "归并清单没有“%s”这一列；可用的列是%s。", key, strings.Join(Columns, "、"))
			}
		}
		for i, c := range Columns {
			switch v := o[c].(type) {
			case nil:
			case bool:
				cells[i] = map[bool]string{true: "是", false: "否"}[v]
			default:
				cells[i] = fmt.Sprint(v)
			}
		}
		out = append(out, row{n + 1, cells})
	}
	return out, nil
}
