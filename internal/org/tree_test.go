package org

import (
	"strings"
	"testing"
	"time"

	"hotline/internal/category"
	"hotline/internal/fault"
	"hotline/internal/region"
)

func wholeProvince(t testing.TB) *Tree {
	t.Helper()
	tree, err := Build(Province(ProvinceOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestProvinceIsWhole(t *testing.T) {
	units := Province(ProvinceOptions{})
	tree := wholeProvince(t)
	count := map[Kind]int{}
	names := map[string]string{}
	perCity := map[string]int{}
	perCounty := map[string]int{}
	for _, u := range tree.All() {
		count[u.Kind]++
		if other, ok := names[u.Name]; ok && u.Kind != KindTown {
			t.Errorf("%s and %s are both called %s", other, u.Code, u.Name)
		}
		names[u.Name] = u.Code
		if u.Responsibilities == "" || u.Phone == "" || u.Contact == "" || u.Platform == 0 {
			t.Errorf("%s lacks duties, phone, contact or platform", u.Code)
		}
		r, _ := region.Get(u.Region)
		switch {
		case (u.Kind == KindDepartment || u.Kind == KindEnterprise) && r.Level == region.LevelCity:
			perCity[u.Region]++
		case u.Kind == KindCountyDepartment:
			perCounty[u.Region]++
		}
	}
	t.Logf("%d units: %v", len(units), count)
	for k, want := range map[Kind]int{KindProvince: 1, KindCity: 17, KindSubcentre: 2, KindSite: 3, KindVendor: 1} {
		if count[k] != want {
			t.Errorf("%s: %d, want %d", k.Label(), count[k], want)
		}
	}
	if n := len(tree.All()); n < 5000 || n > 7000 {
		t.Errorf("%d units", n)
	}
	for _, c := range region.Cities() {
		if n := perCity[c.Code]; n < 55 {
			t.Errorf("%s has %d departments and enterprises", c.Name, n)
		}
		for _, county := range region.Children(c.Code) {
			if county.Level == region.LevelCounty && !county.Zone && perCounty[county.Code] < 22 {
				t.Errorf("%s has %d departments", county.Name, perCounty[county.Code])
			}
		}
	}
	for name := range names {
		for _, bad := range []string{"管理委员会管理委员会", "办事处管理委员会", "{", "平台平台"} {
			if strings.Contains(name, bad) {
				t.Errorf("name %s", name)
			}
		}
	}
}

func TestFindByDuty(t *testing.T) {
	tree := wholeProvince(t)
	for _, tc := range []struct{ name, duty, region, want string }{
		{"区级城管先于市级", "chengguan", "420111005", "D420111-chengguan D420100-chengguan D420000-chengguan"},
		{"区内供水归市公司", "gongshui", "420111", "E420100-gongshui"},
		{"县级供水", "gongshui", "420222", "E420222-gongshui E420200-gongshui"},
		{"省直管没有县一级", "chengguan", "429004", "D429004-chengguan D420000-chengguan"},
		{"体育由县文旅局承担", "tiyu", "420222", "D420222-wenlv D420200-tiyu D420000-tiyu"},
		{"省级只有省厅", "zhujian", "420000", "D420000-chengguan"},
		{"未知职责", "nothing", "420111", ""},
		{"未知区划", "chengguan", "", ""},
	} {
		var got []string
		for _, u := range tree.FindByDuty(tc.duty, tc.region) {
			got = append(got, u.Code)
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, s, tc.want)
		}
	}
	for _, d := range category.Duties() {
		if len(tree.FindByDuty(d.Code, "420100")) == 0 {
			t.Errorf("nobody in 武汉 or the province answers for %s", d.Code)
		}
	}
}

func TestPlatformsAndPaths(t *testing.T) {
	tree := wholeProvince(t)
	town, ok := tree.ByCode("T420111005")
	if !ok {
		t.Fatal("no 关山街道 or its neighbour")
	}
	hub, _ := tree.ByCode("C420111")
	city, _ := tree.ByCode("P420100")
	if p := tree.Platform(town.ID); p.ID != city.ID {
		t.Errorf("a county hub is a seat of the city: platform %s", p.Code)
	}
	up := tree.Ancestors(town.ID)
	if len(up) != 3 || up[0].ID != hub.ID || up[1].ID != city.ID || up[2].ID != tree.Province().ID {
		t.Errorf("ancestors: %v", up)
	}
	if !tree.Under(city.ID, town.ID) || tree.Under(hub.ID, city.ID) || !tree.Under(hub.ID, hub.ID) {
		t.Error("Under")
	}
	if p, ok := tree.CityPlatform("429004"); !ok || p.Code != "P429004" {
		t.Errorf("仙桃: %v", p.Code)
	}
	if p, ok := tree.CityPlatform("422801001"); !ok || p.Code != "P422800" {
		t.Errorf("恩施: %v", p.Code)
	}
	if _, ok := tree.CityPlatform("420000"); ok {
		t.Error("the province has no city platform")
	}
}

func TestSearch(t *testing.T) {
	tree := wholeProvince(t)
	wuhan, _ := tree.ByCode("P420100")
	for _, tc := range []struct {
		q      string
		within int64
		want   string
	}{
		{"洪山区城市管理", 0, "D420111-chengguan"},
		{"P420500", 0, "P420500"},
		{"p420500", 0, "P420500"},
		{"武汉市水务", 0, "D420100-shuiwu"},
		{"yljd", 0, ""},
	} {
		got := tree.Search(tc.q, tc.within, 5)
		if tc.want != "" && (len(got) == 0 || got[0].Code != tc.want) {
			t.Errorf("%q: got %v", tc.q, got)
		}
	}
	for _, u := range tree.Search("城管", wuhan.ID, 50) {
		if !tree.Under(wuhan.ID, u.ID) {
			t.Errorf("%s is not in 武汉", u.Code)
		}
	}
	if got := tree.Search("", 0, 3); len(got) != 3 || got[0].Kind != KindProvince {
		t.Errorf("an empty search begins at the top: %v", got)
	}
}

func TestConflictSet(t *testing.T) {
	tree := wholeProvince(t)
	hub, _ := tree.ByCode("C420111")
	set := tree.ConflictSet(hub.ID)
	town, _ := tree.ByCode("T420111005")
	city, _ := tree.ByCode("P420100")
	other, _ := tree.ByCode("D420106-chengguan")
	if !set[hub.ID] || !set[town.ID] || set[city.ID] || set[other.ID] {
		t.Error("the accused and all below it, nobody else")
	}

	units := append(Province(ProvinceOptions{Cities: []string{"420200"}}), NewUnit{Code: "D420200-alias", Kind: KindDepartment, ParentCode: "P420200",
		Region: "420200", Name: "黄石市 交通运输局"})
	tree, err := Build(units)
	if err != nil {
		t.Fatal(err)
	}
	accused, _ := tree.ByCode("D420200-jiaotong")
	alias, _ := tree.ByCode("D420200-alias")
	if !tree.ConflictSet(accused.ID)[alias.ID] {
		t.Errorf("an alias of the accused is the accused: %s, %s", accused.Name, alias.Name)
	}
	if len(tree.ConflictSet(0)) != 0 {
		t.Error("nobody accused")
	}
}

func TestPlaceIsJudged(t *testing.T) {
	base := Province(ProvinceOptions{Cities: []string{"420200"}})
	for _, tc := range []struct {
		name, code string
		n          NewUnit
	}{
		{"县级平台", "", NewUnit{Code: "P420222", Name: "阳新县平台", Kind: KindCity, ParentCode: "P420200", Region: "420222"}},
		{"未知类型", "unit_kind_unknown", NewUnit{Code: "D420200-x", Name: "某局", Kind: "bureau", ParentCode: "P420200", Region: "420200"}},
		{"编码前缀", "unit_code_invalid", NewUnit{Code: "E420200-x", Name: "某局", Kind: KindDepartment, ParentCode: "P420200", Region: "420200"}},
		{"没有名称", "unit_name_invalid", NewUnit{Code: "D420200-x", Kind: KindDepartment, ParentCode: "P420200", Region: "420200"}},
		{"未知区划", "unit_region_unknown", NewUnit{Code: "D999999-x", Name: "某局", Kind: KindDepartment, ParentCode: "P420200", Region: "999999"}},
		{"辖区之外", "unit_region_outside", NewUnit{Code: "D420100-x", Name: "某局", Kind: KindDepartment, ParentCode: "P420200", Region: "420100"}},
		{"上级不存在", "unit_parent_absent", NewUnit{Code: "D420200-x", Name: "某局", Kind: KindDepartment, ParentCode: "P420900", Region: "420200"}},
		{"挂错上级", "unit_parent_invalid", NewUnit{Code: "T420222999", Name: "某镇", Kind: KindTown, ParentCode: "D420200-jiaotong", Region: "420222100"}},
		{"编码重复", "unit_code_taken", NewUnit{Code: "D420200-jiaotong", Name: "某局", Kind: KindDepartment, ParentCode: "P420200", Region: "420200"}},
		{"级别不符", "unit_region_level", NewUnit{Code: "D420222-x", Name: "某局", Kind: KindDepartment, ParentCode: "P420200", Region: "420222"}},
		{"第二个省级平台", "unit_province_exists", NewUnit{Code: "P420001", Name: "省平台", Kind: KindProvince, Region: "420000"}},
	} {
		_, err := Build(append(append([]NewUnit(nil), base...), tc.n))
		if tc.code == "" {
			if err != nil {
				t.Errorf("%s: judged only inside the transaction, got %v", tc.name, err)
			}
		} else if !fault.Is(err, tc.code) {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.code)
		}
	}
}

func BenchmarkFindByDuty(b *testing.B) {
	tree := wholeProvince(b)
	for b.Loop() {
		if len(tree.FindByDuty("chengguan", "420111005")) != 3 {
			b.Fatal("lost")
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	tree := wholeProvince(b)
	for b.Loop() {
		tree.Search("城管", 0, 20)
	}
}

func BenchmarkBuild(b *testing.B) {
	units := Province(ProvinceOptions{From: time.UnixMilli(1)})
	for b.Loop() {
		if _, err := Build(units); err != nil {
			b.Fatal(err)
		}
	}
}
