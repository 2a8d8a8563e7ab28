package line

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/region"
)

// Columns of a 归并清单, in the order of its table; a sheet may have them in any.
var Columns = []string{"序号", "热线号码", "热线名称", "主管部门", "层级", "区划", "是否垂直管理", "月均话务量", "座席数", "业务系统", "归并方式", "计划完成日", "实际完成日", "过渡提示音截止日", "转接目标", "归集接口", "责任人", "依据文号"}

// RowError says what is wrong with a line of the sheet.
type RowError struct {
	Row    int    `json:"row"`
	Number string `json:"number"`
	Text   string `json:"text"`
}

// maxRows bounds a list: 800 numbers of departments and then some.
const maxRows = 5000

// Read reads a 归并清单 as xlsx, csv or json. Lines that cannot be taken are
// told with their numbers; the others are still given.
func Read(name string, data []byte, today time.Time) ([]Line, []RowError, error) {
	var rows [][]string
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
		return nil, nil, fault.Invalid("file_unreadable", "归并清单无法读取，请用模板重新保存后上传。").Because(err)
	}
	if len(rows) < 2 || len(rows) > maxRows {
		return nil, nil, fault.Invalid("file_empty", "归并清单应有表头和1至%d行内容。", maxRows)
	}
	col := map[string]int{}
	for i, h := range rows[0] {
		col[strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))] = i
	}
	for _, must := range []string{"热线号码", "热线名称", "主管部门", "归并方式"} {
		if _, ok := col[must]; !ok {
			return nil, nil, fault.Invalid("column_absent", "归并清单缺少“%s”一列。", must)
		}
	}
	var out []Line
	var bad []RowError
	for n, r := range rows[1:] {
		get := func(name string) string {
			if i, ok := col[name]; ok && i < len(r) {
				return strings.TrimSpace(r[i])
			}
			return ""
		}
		if strings.TrimSpace(strings.Join(r, "")) == "" {
			continue
		}
		l, err := entry(get, today)
		if err == nil {
			err = l.check()
		}
		if err != nil {
			bad = append(bad, RowError{n + 2, get("热线号码"), fault.As(err).Detail})
			continue
		}
		out = append(out, l)
	}
	return out, bad, nil
}

// modes are the words of the list for the merge modes.
var modes = map[string]Mode{"整体并入": Merged, "双号并行并座席": SeatsIn, "双号并行座席并入": SeatsIn, "双号并行转接": SeatsKept, "双号并行电话转接": SeatsKept, "双号并行保留座席": SeatsKept, "设分中心": Subcentre, "总号": TheHotline}

// entry makes an entry of one line of the list.
func entry(get func(string) string, today time.Time) (Line, error) {
	l := Line{Number: get("热线号码"), Name: get("热线名称"), Department: get("主管部门"), Level: get("层级"), System: get("业务系统"), Interface: get("归集接口"), Owner: get("责任人"), Basis: get("依据文号"), Target: get("转接目标"), Confidence: "高"}
	word := strings.NewReplacer("-", "", "—", "", "－", "", "（", "", "）", "", "(", "", ")", "", "·", "", "，", "", " ", "").Replace(get("归并方式"))
	mode, ok := modes[word]
	if !ok {
		return l, fault.Invalid("mode_unknown", "归并方式“%s”不在规定的四种之内（整体并入、双号并行-并座席、双号并行-转接、设分中心）。", get("归并方式"))
	}
	l.Mode = mode
	if l.Region = place(get("区划")); l.Region == "" {
		return l, fault.Invalid("region_unknown", "区划“%s”不存在。", get("区划"))
	}
	switch get("是否垂直管理") {
	case "是", "Y", "y", "true", "1":
		l.Vertical = true
	case "", "否", "N", "n", "false", "0":
	default:
		return l, fault.Invalid("vertical_invalid", "“是否垂直管理”应填是或否。")
	}
	for _, x := range []struct {
		name string
		into *int
	}{{"月均话务量", &l.Monthly}, {"座席数", &l.Seats}} {
		if raw := strings.ReplaceAll(get(x.name), ",", ""); raw != "" {
			n, err := strconv.Atoi(raw)
			if err != nil || n < 0 {
				return l, fault.Invalid("count_invalid", "“%s”应为不小于零的整数。", x.name)
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
			return l, fault.Invalid("date_invalid", "“%s”应写成2026-06-30的样子。", x.name)
		}
		*x.into = d
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
	return l, nil
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

func sheet(data []byte) ([][]string, error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: 64 << 20, UnzipXMLSizeLimit: 32 << 20})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.GetRows(f.GetSheetName(0))
}

func table(data []byte) ([][]string, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	var out [][]string
	for len(out) <= maxRows {
		row, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// objects reads a JSON array of objects whose keys are the columns' names.
func objects(data []byte) ([][]string, error) {
	var list []map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	out := [][]string{Columns}
	for _, o := range list {
		row := make([]string, len(Columns))
		for i, c := range Columns {
			switch v := o[c].(type) {
			case nil:
			case bool:
				row[i] = map[bool]string{true: "是", false: "否"}[v]
			default:
				row[i] = fmt.Sprint(v)
			}
		}
		out = append(out, row)
	}
	return out, nil
}
