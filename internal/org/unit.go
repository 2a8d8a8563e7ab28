package org

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"hotline/internal/fault"
	"hotline/internal/region"
)

// Kind is the sort of a unit.
type Kind string

// The kinds of units.
const (
	KindProvince         Kind = "province_platform" // 省级平台
	KindCity             Kind = "city_platform"     // 市州平台
	KindCountyPlatform   Kind = "county_platform"   // 县级平台: refused without the province's approval
	KindCounty           Kind = "county"            // 县级承办中心: the city's hub in a county, a seat of the city and not a platform
	KindDepartment       Kind = "department"        // 部门 of the province or a city
	KindCountyDepartment Kind = "county_department" // 县级部门
	KindTown             Kind = "town"              // 乡镇（街道）
	KindEnterprise       Kind = "enterprise"        // 公共服务企业: water, power, gas, heat, buses…
	KindSubcentre        Kind = "subcentre"         // 分中心
	KindSite             Kind = "site"              // 远程座席点
	KindVendor           Kind = "vendor"            // 外包服务单位: gives staff, never handles
)

// kindRule says what a kind is called, how its codes begin, where it may hang
// and at which levels of the regions it may be.
type kindRule struct {
	label   string
	prefix  byte
	parents []Kind
	levels  []region.Level
}

var kindRules = map[Kind]kindRule{
	KindProvince:         {"省级平台", 'P', nil, []region.Level{region.LevelProvince}},
	KindCity:             {"市州平台", 'P', []Kind{KindProvince}, []region.Level{region.LevelCity}},
	KindCountyPlatform:   {"县级平台", 'P', []Kind{KindCity}, []region.Level{region.LevelCounty}},
	KindCounty:           {"县级承办中心", 'C', []Kind{KindCity}, []region.Level{region.LevelCounty}},
	KindDepartment:       {"部门", 'D', []Kind{KindProvince, KindCity, KindDepartment}, []region.Level{region.LevelProvince, region.LevelCity}},
	KindCountyDepartment: {"县级部门", 'D', []Kind{KindCounty, KindCountyPlatform, KindCountyDepartment}, []region.Level{region.LevelCounty}},
	KindTown:             {"乡镇（街道）", 'T', []Kind{KindCounty, KindCountyPlatform, KindCity}, []region.Level{region.LevelTown}},
	KindEnterprise:       {"公共服务企业", 'E', []Kind{KindProvince, KindCity, KindCounty, KindCountyPlatform}, []region.Level{region.LevelProvince, region.LevelCity, region.LevelCounty}},
	KindSubcentre:        {"分中心", 'S', []Kind{KindProvince, KindCity}, []region.Level{region.LevelProvince, region.LevelCity}},
	KindSite:             {"远程座席点", 'R', []Kind{KindCity}, []region.Level{region.LevelCity, region.LevelCounty}},
	KindVendor:           {"外包服务单位", 'V', []Kind{KindProvince, KindCity}, []region.Level{region.LevelProvince, region.LevelCity}},
}

// Label is the Chinese name of the kind.
func (k Kind) Label() string { return kindRules[k].label }

// Platform tells whether units of the kind own tickets (热线平台).
func (k Kind) Platform() bool {
	return k == KindProvince || k == KindCity || k == KindCountyPlatform
}

// Hub tells whether units of the kind dispatch to others: platforms and the
// county hubs.
func (k Kind) Hub() bool { return k.Platform() || k == KindCounty }

// Handles tells whether units of the kind may be given a ticket to work on.
func (k Kind) Handles() bool {
	_, ok := kindRules[k]
	return ok && k != KindVendor && k != KindSite
}

// Kinds lists every kind in the order of screens.
func Kinds() []Kind {
	return []Kind{KindProvince, KindCity, KindCountyPlatform, KindCounty, KindDepartment, KindCountyDepartment,
		KindTown, KindEnterprise, KindSubcentre, KindSite, KindVendor}
}

// Unit is one 承办单位 or platform as it stands at the moment of its Tree.
// Created by Service.Create or Import; edited by Update, Move and Close, each
// from an effective date. Slices are shared and must not be changed.
type Unit struct {
	ID               int64
	Code             string // e.g. P420100, D420111-chengguan, T420111005
	Name             string
	Short            string
	Kind             Kind
	Parent           int64    // 0 only for the province platform
	Region           string   // GB/T 2260 code of the area it serves
	Duty             string   // code of its duty (职责类别)
	Duties           []string // further duty or category codes it answers for
	Responsibilities string   // 职责, as shown to dispatchers
	Phone            string
	Contact          string  // 热线联络员
	Platform         int64   // the platform that owns what is dispatched here
	From, To         int64   // ms; To 0 = open
	Active           bool    // in force at the tree's moment
	Path             []int64 // ancestors from the root, and itself last
	Version          int64   // number of this state, for optimistic edits
}

// NewUnit is what a unit is created from. Parent wins over ParentCode, which
// lets a whole tree be written down before any id exists.
type NewUnit struct {
	Code, Name, Short string
	Kind              Kind
	Parent            int64
	ParentCode        string
	Region            string
	Duty              string
	Duties            []string
	Responsibilities  string
	Phone, Contact    string
	From              time.Time         // zero = now; only the system may date it back
	ProvinceApproval  *ProvinceApproval // needed for a county platform only
}

// ProvinceApproval names who at the province let a county platform be, and by
// which document (文号).
type ProvinceApproval struct {
	Account  int64
	Document string
}

// By is who changes the organisation. The zero value is the system.
type By struct{ Account, Unit int64 }

var codeForm = regexp.MustCompile(`^[A-Z][0-9]{6}([0-9]{3})?(-[a-z0-9]+(-[a-z0-9]+)*)?$`)

// check judges the form of a new unit; its place in the tree is judged by the
// caller of place.
func (n *NewUnit) check() error {
	if wrong := n.faults(); len(wrong) > 0 {
		return wrong[0]
	}
	return nil
}

// faults are all that is wrong with the form of a new unit, each with the field
// it is about.
func (n *NewUnit) faults() (out []error) {
	n.Name, n.Short = strings.TrimSpace(n.Name), strings.TrimSpace(n.Short)
	if n.Short == "" {
		n.Short = n.Name
	}
	add := func(wrong bool, fault error) {
		if wrong {
			out = append(out, fault)
		}
	}
	rule, known := kindRules[n.Kind]
	add(!known, bad("unit_kind_unknown", "kind", "单位类型“%s”不存在，应为%s之一。", n.Kind, kindNames()))
	add(!known && !codeForm.MatchString(n.Code), bad("unit_code_invalid", "code", "单位编码“%s”不符合要求，应以类型的字母加6位区划代码开头。", n.Code))
	add(known && (!codeForm.MatchString(n.Code) || n.Code[0] != rule.prefix),
		bad("unit_code_invalid", "code", "单位编码“%s”不符合要求，%s的编码应以%c加6位区划代码开头。", n.Code, rule.label, rule.prefix))
	add(n.Name == "" || len([]rune(n.Name)) > 60, bad("unit_name_invalid", "name", "单位名称应为1至60个字。"))
	add(n.Short != n.Name && len([]rune(n.Short)) > 30, bad("unit_name_invalid", "short", "单位简称不能超过30个字。"))
	add(n.Short == n.Name && len([]rune(n.Short)) > 30 && len([]rune(n.Short)) <= 60, bad("unit_name_invalid", "short", "单位名称超过30个字的，须另填不超过30个字的简称。"))
	add(len([]rune(n.Responsibilities)) > 2000, bad("unit_text_too_long", "responsibilities", "职责说明不能超过2000字。"))
	add(len([]rune(n.Phone)) > 40, bad("unit_text_too_long", "phone", "电话不能超过40个字。"))
	add(len([]rune(n.Contact)) > 40, bad("unit_text_too_long", "contact", "联系人不能超过40个字。"))
	add(len(n.Duties) > 100, bad("unit_duties_too_many", "duties", "一个单位最多列100项职责。"))
	for k, d := range append([]string{n.Duty}, n.Duties...) {
		field := "duties"
		if k == 0 {
			field = "duty"
		}
		add(strings.ContainsAny(d, ", \t\n") || len(d) > 40, bad("unit_duty_invalid", field, "职责代码“%s”不符合要求。", d))
	}
	r, ok := region.Get(n.Region)
	add(!ok, bad("unit_region_unknown", "region", "区划代码“%s”不存在。", n.Region))
	if !ok || !known {
		return out
	}
	if n.countyPlatform(r) {
		n.Kind = KindCountyPlatform
		return out // its approval is judged inside the transaction
	}
	add(!slices.Contains(rule.levels, r.Level), bad("unit_region_level", "region", "%s不能设在%s这一级。", rule.label, r.Name))
	return out
}

// kindNames lists the kinds of unit that a table may name.
func kindNames() string {
	var names []string
	for _, k := range Kinds() {
		if k != KindCountyPlatform {
			names = append(names, k.Label())
		}
	}
	return strings.Join(names, "、")
}

// countyPlatform recognises an attempt to set up a platform in a county,
// whatever kind it is declared as.
func (n *NewUnit) countyPlatform(r region.Region) bool {
	if r.Level != region.LevelCounty {
		return false
	}
	return n.Kind.Platform() || strings.Contains(n.Name, "12345") && strings.Contains(n.Name, "平台")
}

// place judges whether a unit of the kind and region may hang below parent.
func place(kind Kind, regionCode string, parent *Unit) error {
	rule := kindRules[kind]
	if len(rule.parents) == 0 {
		if parent != nil {
			return bad("unit_parent_invalid", "parent", "省级平台不能设上级单位。")
		}
		return nil
	}
	if parent == nil {
		return bad("unit_parent_absent", "parent", "上级单位不存在或已停用，请重新选择。")
	}
	fits := false
	for _, k := range rule.parents {
		fits = fits || k == parent.Kind
	}
	if !fits {
		return bad("unit_parent_invalid", "parent", "%s不能设在%s之下。", rule.label, parent.Kind.Label())
	}
	if !region.Contains(parent.Region, regionCode) {
		return bad("unit_region_outside", "region", "单位所在区划不在上级单位“%s”的辖区内。", parent.Name)
	}
	return nil
}

// countyRefused cites the rule that forbids new county platforms.
func countyRefused() error {
	return fault.Forbidden("county_platform_refused",
		"《湖北省进一步优化政务服务便民热线工作方案》三（九）规定，原则上不再新建县级12345热线平台。请以远程座席点或县级承办中心接入市级平台；确需设立的，须填写省级批准人和批准文号。")
}

func bad(code, field, detail string, args ...any) error {
	e := fault.Invalid(code, detail, args...)
	return e.At(fault.Field{Name: field, Detail: e.Detail})
}
