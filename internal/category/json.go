package category

import (
	"bytes"
	"encoding/json"
	"strconv"

	"hotline/internal/fault"
)

// wireTree is the published form of a Tree, kept by the policy store.
type wireTree struct {
	Version    string         `json:"version"`
	Categories []wireCategory `json:"categories"`
}

type wireCategory struct {
	Code       string    `json:"code"`
	Name       string    `json:"name"`
	Definition string    `json:"definition"`
	Example    string    `json:"example,omitempty"`
	Duty       string    `json:"duty,omitempty"`
	Lowest     string    `json:"lowest,omitempty"`
	TownItem   string    `json:"town_item,omitempty"`
	Limit      string    `json:"limit,omitempty"`
	Nature     string    `json:"nature,omitempty"`
	Types      []string  `json:"types,omitempty"`
	Basis      string    `json:"basis,omitempty"`
	Keywords   []string  `json:"keywords,omitempty"` // "井盖*4"
	Season     []float64 `json:"season,omitempty"`   // absent: every month alike
}

// MarshalJSON gives the form that an administrator edits and publishes.
func (t *Tree) MarshalJSON() ([]byte, error) {
	w := wireTree{Version: t.Version, Categories: make([]wireCategory, 0, len(t.list))}
	for _, c := range t.list {
		x := wireCategory{Code: c.Code, Name: c.Name, Definition: c.Definition, Example: c.Example, Duty: c.Duty, Lowest: c.Lowest, TownItem: c.TownItem,
			Limit: c.LimitKey, Nature: c.Nature, Types: c.Types, Basis: c.Basis}
		for _, k := range c.Keywords {
			x.Keywords = append(x.Keywords, k.String())
		}
		if c.Level == 3 && c.Season != flat {
			x.Season = c.Season[:]
		}
		w.Categories = append(w.Categories, x)
	}
	return json.Marshal(w)
}

var flat = [12]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}

// ParseJSON reads a published classification and checks it as Parse does.
func ParseJSON(doc []byte) (*Tree, error) {
	var w wireTree
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return nil, fault.Invalid("category_json", "事项分类的格式不对，请用导出的文件修改后再导入。").Because(err)
	}
	list := make([]Category, 0, len(w.Categories))
	var wrong []fault.Field
	for _, x := range w.Categories {
		c := Category{Code: x.Code, Name: x.Name, Definition: x.Definition, Example: x.Example, Duty: x.Duty, Lowest: x.Lowest, TownItem: x.TownItem,
			LimitKey: x.Limit, Nature: x.Nature, Types: x.Types, Basis: x.Basis, Season: flat}
		switch len(x.Season) {
		case 0:
		case 12:
			copy(c.Season[:], x.Season)
		default:
			wrong = append(wrong, fault.Field{Name: x.Code + " " + x.Name, Detail: "季节权重应有12个月。"})
		}
		for _, s := range x.Keywords {
			k, err := parseKeyword(s)
			if err != "" {
				wrong = append(wrong, fault.Field{Name: x.Code + " " + x.Name, Detail: err})
			}
			c.Keywords = append(c.Keywords, k)
		}
		list = append(list, c)
	}
	if len(wrong) > 0 {
		return nil, invalid(wrong)
	}
	return newTree(w.Version, list)
}

// String is the keyword as it is written in the data: "井盖*4".
func (k Keyword) String() string {
	if k.Weight == 1 {
		return k.Word
	}
	return k.Word + "*" + strconv.FormatFloat(k.Weight, 'g', -1, 64)
}
