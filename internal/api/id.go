package api

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"hotline/internal/fault"
)

// ID is an identifier on the wire: a decimal string, since JavaScript's
// numbers cannot hold 64 bits.
type ID int64

// MarshalJSON writes a decimal string; "" for none.
func (id ID) MarshalJSON() ([]byte, error) {
	if id == 0 {
		return []byte(`""`), nil
	}
	return strconv.AppendQuote(nil, strconv.FormatInt(int64(id), 10)), nil
}

// UnmarshalJSON reads a decimal string or a number.
func (id *ID) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		s = string(b)
	}
	if s == "" || s == "null" {
		*id = 0
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	*id = ID(n)
	return err
}

// Schema tells OpenAPI that an ID is a string.
func (ID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Description: "编号（十进制字符串）"}
}

// parseID reads an id from a path or query; invalid ids look like absent ones.
func parseID(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.NotFound("not_found", "没有找到，或不在您的查看范围内。")
	}
	return n, nil
}

// unitID reads a unit by its id or by its code, which other systems know it by.
func (a *API) unitID(s string) (int64, error) {
	if u, ok := a.Org.Tree().ByCode(s); ok {
		return u.ID, nil
	}
	return parseID(s)
}

// unitCodes replaces the codes of units among the fields of an action by ids.
func (a *API) unitCodes(fields map[string]any) {
	id := func(v any) any {
		if s, ok := v.(string); ok {
			if n, err := a.unitID(s); err == nil {
				return n
			}
		}
		return v
	}
	for _, k := range [...]string{"unit", "assist_unit", "suggested", "redispatch"} {
		if v, ok := fields[k]; ok {
			fields[k] = id(v)
		}
	}
	if list, ok := fields["assists"].([]any); ok {
		for i := range list {
			list[i] = id(list[i])
		}
	}
}

// schemaName names a type in the OpenAPI document: our own exported types by
// their name, those of other rooms with the room before it, and types local to
// a route by the operation.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := t.Name()
	if name == "" || !unicode.IsUpper(rune(name[0])) || strings.ContainsAny(name, "[]") {
		return huma.DefaultSchemaNamer(reflect.TypeFor[struct{}](), hint)
	}
	if pkg := t.PkgPath(); !strings.HasSuffix(pkg, "/api") && pkg != "" {
		pkg = pkg[strings.LastIndexByte(pkg, '/')+1:]
		return strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
	return name
}
