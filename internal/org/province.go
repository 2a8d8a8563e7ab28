package org

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hotline/internal/category"
	"hotline/internal/region"
)

// ProvinceOptions narrows the generated organisation.
type ProvinceOptions struct {
	Cities []string  // region codes of 市州; nil = all 17
	From   time.Time // effective date; zero = when created
}

// countyDuties are the duties that have a unit of their own in every county;
// the other duties are answered for by the city.
var countyDuties = []string{
	"chengguan", "zhujian", "ziran", "jiaotong", "gongan", "jiaoguan", "shichang", "renshe", "weijian", "yibao", "jiaoyu", "wenlv", "tiyu",
	"shengtai", "nongye", "linye", "shuiwu", "minzheng", "tuiyi", "canlian", "yingji", "shuju", "sifa", "xinfang", "fagai", "shangwu", "shuiwuju",
	"gongshui", "gongdian", "gongqi", "gongjiao",
}

// remoteSites are the counties that answer calls as remote seats of their city
// (seed 三(九): 支持有条件的县(市、区)以远程座席方式接入市级12345热线平台).
var remoteSites = []string{"420281", "420581", "422801"} // 大冶, 宜都, 恩施市

// Province writes down the whole organisation of Hubei: the province platform
// and departments, 17 city platforms with their departments and enterprises, a
// hub with departments and towns in every county, two sub-centres, three remote
// sites and a vendor. Parents come before children. It is what a new
// installation begins with; names and duties come from region and category.
func Province(opts ProvinceOptions) []NewUnit {
	p := &planner{from: opts.From, area: map[string]int{}, names: map[string]string{}}
	root := p.add(NewUnit{Code: "P" + region.ProvinceCode, Name: "湖北省12345政务服务便民热线平台", Short: "省级平台", Kind: KindProvince,
		Region: region.ProvinceCode, Duty: "hotline", Responsibilities: "统筹全省热线，受理省直部门事项、跨市州事项和提级事项，指导监督市州平台"}, "027")
	p.departments(root, region.ProvinceCode, "湖北省", func(d category.Duty) string { return d.Province }, nil)
	p.add(NewUnit{Code: "S420000-12366", Name: "12366纳税缴费服务分中心", Short: "12366分中心", Kind: KindSubcentre, ParentCode: root,
		Region: region.ProvinceCode, Responsibilities: "保留12366号码和座席，与12345互转，受理税费政策咨询和投诉举报"}, "027")
	p.add(NewUnit{Code: "V420000-seat", Name: "话务外包服务单位（演示）", Short: "外包单位", Kind: KindVendor, ParentCode: root,
		Region: region.ProvinceCode, Responsibilities: "按合同提供话务座席人员，不派单、不办结、不审批"}, "027")
	for _, city := range region.Cities() {
		if opts.Cities == nil || slices.Contains(opts.Cities, city.Code) {
			p.city(root, city)
		}
	}
	return p.units
}

// planner gathers the units of a generated organisation.
type planner struct {
	units []NewUnit
	from  time.Time
	area  map[string]int    // telephone area code → last extension given
	names map[string]string // unit's name → hub it hangs under
}

// add takes in a unit with a switchboard extension of its area and answers its code.
func (p *planner) add(n NewUnit, areaCode string) string {
	p.area[areaCode]++
	n.From, n.Contact = p.from, "热线联络员"
	n.Phone = fmt.Sprintf("%s-12345转%04d", areaCode, p.area[areaCode])
	p.units = append(p.units, n)
	return n.Code
}

func (p *planner) city(root string, city region.Region) {
	name := cityName(city)
	area := city.AreaCode
	hub := p.add(NewUnit{Code: "P" + city.Code, Name: name + "12345政务服务便民热线平台", Short: name + "平台", Kind: KindCity, ParentCode: root,
		Region: city.Code, Duty: "hotline", Responsibilities: "受理本行政区域诉求，派单、督办、回访，管理县级承办中心和远程座席"}, area)
	p.departments(hub, city.Code, name, func(d category.Duty) string { return d.CityName(name) }, nil)
	if city.Code == "420100" {
		p.add(NewUnit{Code: "S420100-12360", Name: "12360海关服务分中心", Short: "12360分中心", Kind: KindSubcentre, ParentCode: hub,
			Region: city.Code, Responsibilities: "保留12360号码和座席，与12345互转，受理通关政策咨询和投诉举报"}, area)
	}
	for _, r := range region.Children(city.Code) {
		switch r.Level {
		case region.LevelCounty:
			p.county(hub, name, area, r)
		case region.LevelTown: // 省直管: towns hang under the city
			p.town(hub, area, r)
		}
	}
}

func (p *planner) county(cityHub, cityName, area string, county region.Region) {
	if county.AreaCode != "" {
		area = county.AreaCode
	}
	hub := p.add(NewUnit{Code: "C" + county.Code, Name: county.Name + "热线承办中心", Short: county.Short + "承办中心", Kind: KindCounty,
		ParentCode: cityHub, Region: county.Code, Duty: "hotline",
		Responsibilities: "承接市级平台派单，向县级部门和乡镇（街道）下派，审核退单、延期和答复"}, area)
	if !county.Zone { // a zone's requests go to the city's departments and its own towns
		urban := strings.HasSuffix(county.Name, "区")
		p.departments(hub, county.Code, county.Name, func(d category.Duty) string {
			if urban && d.Kind == category.Enterprise { // the city's water, power and gas serve its districts
				return ""
			}
			return d.CountyName(cityName, county.Name)
		}, countyDuties)
	}
	for _, t := range region.Children(county.Code) {
		p.town(hub, area, t)
	}
	if slices.Contains(remoteSites, county.Code) {
		p.add(NewUnit{Code: "R" + county.Code, Name: county.Name + "远程座席点", Short: county.Short + "座席点", Kind: KindSite, ParentCode: cityHub,
			Region: county.Code, Responsibilities: "以远程座席方式接入市级平台，受理本县（市、区）来电"}, area)
	}
}

func (p *planner) town(hub, area string, t region.Region) {
	p.add(NewUnit{Code: "T" + t.Code, Name: townName(t.Name), Short: t.Short, Kind: KindTown, ParentCode: hub, Region: t.Code,
		Duty: "town", Responsibilities: "按乡镇（街道）履职事项清单办理辖区诉求"}, area)
}

// townName is the unit's name; some divisions are named as their office already.
func townName(name string) string {
	for _, end := range []string{"办事处", "管委会", "管理委员会"} {
		if strings.HasSuffix(name, end) {
			return name
		}
	}
	return category.TownName(name)
}

// departments adds a unit for each duty that has a name here; duties of one
// name are one unit (the province's 住建厅 answers for city management, too), and
// a name that a unit above already has is that unit (武汉海关 is the province's).
func (p *planner) departments(hub, regionCode, place string, name func(category.Duty) string, only []string) {
	byName := map[string]int{}
	hubUnit := p.units[p.find(hub)]
	area, _, _ := strings.Cut(hubUnit.Phone, "-")
	for _, d := range category.Duties() {
		n := name(d)
		if n == "" || only != nil && !slices.Contains(only, d.Code) {
			continue
		}
		if holder, ok := p.names[n]; ok && holder != hub {
			continue
		}
		p.names[n] = hub
		if i, ok := byName[n]; ok {
			u := &p.units[i]
			u.Duties = append(u.Duties, d.Code)
			u.Responsibilities += "；" + d.Responsibilities
			continue
		}
		kind, prefix := KindDepartment, "D"
		switch {
		case d.Kind == category.Enterprise:
			kind, prefix = KindEnterprise, "E"
		case hubUnit.Kind == KindCounty:
			kind = KindCountyDepartment
		}
		p.add(NewUnit{Code: prefix + regionCode + "-" + d.Code, Name: n, Short: shortName(n, place), Kind: kind, ParentCode: hub,
			Region: regionCode, Duty: d.Code, Responsibilities: d.Responsibilities}, area)
		byName[n] = len(p.units) - 1
	}
}

// find is the index of a unit that was added a short while ago.
func (p *planner) find(code string) int {
	for i := len(p.units) - 1; i >= 0; i-- {
		if p.units[i].Code == code {
			return i
		}
	}
	return -1
}

// shortName leaves off the place where enough remains to tell the unit.
func shortName(name, place string) string {
	if s := strings.TrimPrefix(name, place); len([]rune(s)) >= 3 {
		return s
	}
	return name
}

// cityName is the everyday name of a 市州: 恩施州 for 恩施土家族苗族自治州.
func cityName(r region.Region) string {
	if strings.HasSuffix(r.Name, "自治州") {
		return r.Short + "州"
	}
	return r.Name
}
