package region

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hotline/internal/zh"
)

// index is the tree down to the townships.
type index struct {
	list     []Region // by code
	byCode   map[string]int32
	children map[string][]int32
	former   map[string]int32 // former and colloquial names
}

var tree = sync.OnceValue(func() *index {
	t := &index{byCode: map[string]int32{}, children: map[string][]int32{}, former: map[string]int32{}}
	add := func(r Region) int32 {
		i := int32(len(t.list))
		t.list = append(t.list, r)
		t.byCode[r.Code] = i
		if r.Parent != "" {
			t.children[r.Parent] = append(t.children[r.Parent], i)
		}
		return i
	}
	for _, f := range table("data/division.tsv") {
		r := Region{Code: f[0], Name: f[1], Parent: parentOf(f[0])}
		switch {
		case r.Code == ProvinceCode:
			r.Level = LevelProvince
		case r.Parent == ProvinceCode:
			r.Level = LevelCity
		default:
			r.Level = LevelCounty
			r.Zone = r.Code == "421071" || r.Code == "421171"
		}
		thousands, err := strconv.Atoi(f[2])
		if err != nil {
			panic("region: population of " + r.Code + ": " + err.Error())
		}
		r.Population = thousands * 1000
		if len(f) > 3 {
			r.AreaCode = f[3]
		}
		r.Short = shorten(r.Name, divisionKinds)
		r.Initials = zh.Initials(r.Short)
		i := add(r)
		if len(f) > 4 {
			t.former[f[4]] = i
		}
	}
	for _, f := range table("data/town.tsv") {
		r := Region{Code: f[0], Name: f[1], Level: LevelTown, Parent: f[0][:6], Short: shorten(f[1], townKinds)}
		r.Initials = zh.Initials(r.Short)
		add(r)
	}
	return t
})

// villageIndex is the villages, unpacked on first use.
type villageIndex struct {
	list   []Region // by code
	byCode map[string]int32
	towns  map[string][2]int32 // township code to its stretch of list
}

// under copies the villages of a township; initials are made here because
// those of all 27,000 would take a third of a second.
func (v *villageIndex) under(town string) []Region {
	s := v.towns[town]
	out := slices.Clone(v.list[s[0]:s[1]])
	for i := range out {
		out[i].Initials = zh.Initials(out[i].Short)
	}
	return out
}

func (v *villageIndex) get(code string) (Region, bool) {
	i, ok := v.byCode[code]
	if !ok {
		return Region{}, false
	}
	r := v.list[i]
	r.Initials = zh.Initials(r.Short)
	return r, true
}

var villages = sync.OnceValue(func() *villageIndex {
	packed, err := data.ReadFile("data/village.txt.gz")
	if err != nil {
		panic("region: " + err.Error())
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("region: villages: " + err.Error())
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("region: villages: " + err.Error())
	}
	v := &villageIndex{byCode: map[string]int32{}, towns: map[string][2]int32{}}
	town := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "#"); ok {
			town = rest
			n := int32(len(v.list))
			v.towns[town] = [2]int32{n, n}
			continue
		}
		n := int32(len(v.list))
		r := Region{Code: town + line[:3], Name: line[3:], Level: LevelVillage, Parent: town}
		r.Short = shorten(r.Name, villageKinds)
		v.list = append(v.list, r)
		v.byCode[r.Code] = n
		v.towns[town] = [2]int32{v.towns[town][0], n + 1}
	}
	return v
})

// table reads an embedded file of tab-separated lines without its comments.
func table(name string) [][]string {
	b, err := data.ReadFile(name)
	if err != nil {
		panic("region: " + err.Error())
	}
	var rows [][]string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Split(line, "\t"))
		}
	}
	return rows
}

// nations are the peoples named in autonomous places; the place's short name
// is what stands before them.
var nations = []string{"土家族", "回族", "侗族", "苗族"}

var (
	divisionKinds = []string{"林区", "省", "市", "县", "区"}
	townKinds     = []string{"街道", "镇", "乡"}
	villageKinds  = []string{"社区", "居委会", "村"}
)

// shorten drops the kind of division from a name: 恩施土家族苗族自治州 gives 恩施,
// 高新区团山镇 gives 团山. What would leave fewer than two characters stays whole
// (房县), and so do farms, reserves and development zones.
func shorten(name string, kinds []string) string {
	if rest, ok := strings.CutSuffix(name, "经济技术开发区"); ok && len(kinds) == len(divisionKinds) {
		return rest + "经开区"
	}
	if strings.HasSuffix(name, "管理区") {
		return name
	}
	s := name
	for _, people := range nations {
		if i := strings.Index(s, people); i > 0 {
			s = s[:i]
		}
	}
	for _, kind := range kinds {
		if rest, ok := strings.CutSuffix(s, kind); ok {
			s = strings.TrimPrefix(strings.TrimPrefix(rest, "高新区"), "白浪开发区")
			break
		}
	}
	if zh.Len(s) < 2 {
		return name
	}
	return s
}
