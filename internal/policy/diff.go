package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
)

// diffJSON compares two documents field by field. A list of objects that carry
// "code", "id", "key" or "name" is compared by that, any other by position.
func diffJSON(old, new []byte) []string {
	var out []string
	walk("", decode(old), decode(new), &out)
	return out
}

func decode(doc []byte) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

func walk(path string, a, b any, out *[]string) {
	if reflect.DeepEqual(a, b) {
		return
	}
	ma, oka := asMap(a)
	mb, okb := asMap(b)
	if !oka || !okb {
		switch {
		case a == nil:
			*out = append(*out, fmt.Sprintf("%s：新增 %s", path, text(b)))
		case b == nil:
			*out = append(*out, fmt.Sprintf("%s：删除 %s", path, text(a)))
		default:
			*out = append(*out, fmt.Sprintf("%s：%s → %s", path, text(a), text(b)))
		}
		return
	}
	keys := make([]string, 0, len(ma)+len(mb))
	for k := range ma {
		keys = append(keys, k)
	}
	for k := range mb {
		if _, ok := ma[k]; !ok {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		sub := k
		if path != "" {
			sub = path + "/" + k
		}
		walk(sub, ma[k], mb[k], out)
	}
}

// asMap turns an object, or a list by its items' names, into a map.
func asMap(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case []any:
		m := make(map[string]any, len(v))
		for i, item := range v {
			m[itemName(item, i)] = item
		}
		return m, len(m) == len(v) // twice the same name: compare as a whole
	}
	return nil, false
}

func itemName(item any, i int) string {
	if o, ok := item.(map[string]any); ok {
		for _, k := range [...]string{"code", "id", "key", "name"} {
			if n, ok := o[k]; ok {
				return fmt.Sprint(n)
			}
		}
	}
	return fmt.Sprintf("第%d项", i+1)
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return "“" + v + "”"
	case bool:
		if v {
			return "是"
		}
		return "否"
	case json.Number:
		return v.String()
	case nil:
		return "空"
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "？"
	}
	const most = 60
	if r := []rune(string(raw)); len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(raw)
}

func sortVersions(vs []Version) {
	sort.Slice(vs, func(i, j int) bool { return vs[i].Platform < vs[j].Platform })
}
