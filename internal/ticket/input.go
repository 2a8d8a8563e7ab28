package ticket

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hotline/internal/fault"
	"hotline/internal/region"
)

// Input holds the validated fields of an action.
type Input map[string]any

// Str gives a text, code or choice; "" when absent.
func (in Input) Str(name string) string { s, _ := in[name].(string); return s }

// Int gives a number or id; 0 when absent.
func (in Input) Int(name string) int64 { n, _ := in[name].(int64); return n }

// Bool gives a yes or no; false when absent.
func (in Input) Bool(name string) bool { b, _ := in[name].(bool); return b }

// Strs gives the choices of a multiselect.
func (in Input) Strs(name string) []string { s, _ := in[name].([]string); return s }

// Ints gives ids.
func (in Input) Ints(name string) []int64 { s, _ := in[name].([]int64); return s }

// Points gives results per 诉求点.
func (in Input) Points(name string) []Point { s, _ := in[name].([]Point); return s }

// validate checks fields against the edge. It refuses unknown names, wrong
// types, values out of range and missing required ones, all at once.
func (r *Rules) validate(e *Edge, fields map[string]any) (Input, error) {
	in := Input{}
	var bad []fault.Field
	known := map[string]bool{"assignment": true}
	for _, ref := range e.Fields {
		name, required := Required(ref)
		known[name] = true
		spec := r.Fields[name]
		if spec.ShowIf != nil && !slices.Contains(spec.ShowIf.Values, textOf(fields[spec.ShowIf.Field])) {
			continue
		}
		raw, given := fields[name]
		if !given || raw == nil || raw == "" {
			if required {
				bad = append(bad, fault.Field{Name: name, Detail: "请填写" + spec.Label + "。"})
			}
			continue
		}
		v, detail := r.value(spec, raw)
		if detail != "" {
			bad = append(bad, fault.Field{Name: name, Detail: spec.Label + detail})
			continue
		}
		if required && empty(v) {
			bad = append(bad, fault.Field{Name: name, Detail: "请填写" + spec.Label + "。"})
			continue
		}
		in[name] = v
	}
	for name := range fields {
		if !known[name] {
			bad = append(bad, fault.Field{Name: name, Detail: "没有这个输入项：" + name + "。"})
		}
	}
	if len(bad) > 0 {
		slices.SortFunc(bad, func(a, b fault.Field) int { return strings.Compare(a.Name, b.Name) })
		return nil, fault.Invalid("fields_invalid", "%s", bad[0].Detail).At(bad...)
	}
	return in, nil
}

func empty(v any) bool {
	switch x := v.(type) {
	case string:
		return x == ""
	case []string:
		return len(x) == 0
	case []int64:
		return len(x) == 0
	case []Point:
		return len(x) == 0
	case int64:
		return x == 0
	}
	return false
}

func textOf(v any) string { s, _ := v.(string); return s }

// value converts one raw JSON value; detail says in Chinese what is wrong.
func (r *Rules) value(spec FieldSpec, raw any) (v any, detail string) {
	switch spec.Type {
	case "text", "textarea":
		s, ok := raw.(string)
		if !ok {
			return nil, "应为文字。"
		}
		s = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), ""))
		n := utf8.RuneCountInString(s)
		if spec.Max > 0 && n > spec.Max {
			return nil, "不能超过" + strconv.Itoa(spec.Max) + "个字，现为" + strconv.Itoa(n) + "个字。"
		}
		if spec.Min > 0 && n > 0 && n < spec.Min {
			return nil, "至少写" + strconv.Itoa(spec.Min) + "个字。"
		}
		return s, ""
	case "radio", "select":
		s, ok := raw.(string)
		if !ok || !r.has(spec.Options, s) {
			return nil, "不在可选范围内。"
		}
		return s, ""
	case "multiselect":
		list, ok := stringsOf(raw)
		if !ok {
			return nil, "应为多选。"
		}
		for _, s := range list {
			if !r.has(spec.Options, s) {
				return nil, "不在可选范围内。"
			}
		}
		return list, ""
	case "bool":
		b, ok := raw.(bool)
		if !ok {
			return nil, "应为是或否。"
		}
		return b, ""
	case "number":
		n, ok := intOf(raw)
		if !ok || n < int64(spec.Min) || (spec.Max > 0 && n > int64(spec.Max)) {
			return nil, "应为" + strconv.Itoa(spec.Min) + "到" + strconv.Itoa(spec.Max) + "之间的整数。"
		}
		return n, ""
	case "unit", "ticket", "knowledge":
		n, ok := intOf(raw)
		if !ok || n <= 0 {
			return nil, "编号有误。"
		}
		return n, ""
	case "units", "files", "tickets":
		n, ok := intsOf(raw)
		if !ok || len(n) > 50 {
			return nil, "编号有误。"
		}
		return n, ""
	case "category":
		s, ok := raw.(string)
		if !ok || len(s) != 6 {
			return nil, "编码应为6位数字。"
		}
		return s, ""
	case "region":
		s, ok := raw.(string)
		if _, known := region.Get(s); !ok || !known {
			return nil, "区划代码不存在。"
		}
		return s, ""
	case "points":
		return pointsOf(raw)
	}
	return nil, "类型未知。"
}

func (r *Rules) has(list, code string) bool {
	for _, t := range r.Options[list] {
		if t[0] == code {
			return true
		}
	}
	return false
}

func intOf(raw any) (int64, bool) {
	switch x := raw.(type) {
	case int64:
		return x, true
	case int:
		return int64(x), true
	case float64:
		return int64(x), x == float64(int64(x))
	case json.Number:
		n, err := x.Int64()
		return n, err == nil
	case string:
		n, err := strconv.ParseInt(x, 10, 64)
		return n, err == nil
	}
	return 0, false
}

func intsOf(raw any) ([]int64, bool) {
	switch x := raw.(type) {
	case []int64:
		return x, true
	case []any:
		var out []int64
		for _, v := range x {
			n, ok := intOf(v)
			if !ok {
				return nil, false
			}
			out = append(out, n)
		}
		return out, true
	}
	return nil, false
}

func stringsOf(raw any) ([]string, bool) {
	switch x := raw.(type) {
	case []string:
		return x, true
	case []any:
		var out []string
		for _, v := range x {
			s, ok := v.(string)
			if !ok {
				return nil, false
			}
			out = append(out, s)
		}
		return out, true
	}
	return nil, false
}

// pointsOf reads [{no, result}] or a plain list of numbers.
func pointsOf(raw any) (any, string) {
	if p, ok := raw.([]Point); ok {
		return p, ""
	}
	list, ok := raw.([]any)
	if !ok || len(list) > 20 {
		return nil, "应逐项填写。"
	}
	var out []Point
	for _, v := range list {
		if n, ok := intOf(v); ok {
			out = append(out, Point{No: int(n)})
			continue
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil, "应逐项填写。"
		}
		n, ok := intOf(m["no"])
		result, _ := m["result"].(string)
		if !ok || utf8.RuneCountInString(result) > 2000 {
			return nil, "序号或长度有误。"
		}
		out = append(out, Point{No: int(n), Result: strings.TrimSpace(result)})
	}
	return out, ""
}
