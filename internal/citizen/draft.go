package citizen

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"hotline/internal/zh"
)

const (
	typeReport = "举报" // always with hidden identity

	minContent, maxContent = 5, 20000 // characters
	maxFiles               = 9
	maxFileSize            = 20 << 20 // bytes
)

var secrecyLabels = map[Secrecy]string{
	SecrecyNormal: "正常办理", SecrecyAccused: "对被反映人保密", SecrecyUnit: "对承办单位隐藏身份",
}

// draft is a request as far as it has been written. The standard form posts it
// whole; the 关怀版 carries it sealed from question to question.
type draft struct {
	Key                string
	Type               string
	City, County, Town string
	Address, Content   string
	Target, Company    string
	Secrecy            Secrecy
	Anonymous          bool
	Name, Phone        string
	Suspect            bool `json:",omitempty"`
	Check              bool `json:",omitempty"` // 关怀版: the last page was reached, so an edit returns there
}

// take reads the answers that the posted form holds.
func (d *draft) take(r *http.Request, names ...string) {
	text := func(dst *string, name string) {
		if slices.Contains(names, name) {
			*dst = zh.Clean(r.PostForm.Get(name))
		}
	}
	text(&d.Type, "type")
	text(&d.City, "city")
	text(&d.County, "county")
	text(&d.Town, "town")
	text(&d.Address, "address")
	text(&d.Content, "content")
	text(&d.Target, "target")
	text(&d.Company, "company")
	text(&d.Name, "name")
	text(&d.Phone, "phone")
	if slices.Contains(names, "secrecy") {
		d.Secrecy = Secrecy(r.PostForm.Get("secrecy"))
	}
	if slices.Contains(names, "phone") {
		d.Anonymous = r.PostForm.Get("anonymous") == "1"
	}
	d.Suspect = d.Suspect || r.PostForm.Get("website") != ""
}

var allAnswers = []string{"type", "city", "county", "town", "address", "content", "target", "company", "name", "phone", "secrecy"}

// settle drops a place that does not lie inside the one above it, which happens
// when 市州 was changed without a script, and applies what follows from the type.
func (d *draft) settle(s Services) {
	if d.City != "" && !in(s.Regions(""), d.City) {
		d.City = ""
	}
	if d.City == "" || d.County != "" && !in(below(s, d.City), d.County) {
		d.County = ""
	}
	if d.County == "" || d.Town != "" && !in(below(s, d.County), d.Town) {
		d.Town = ""
	}
	if d.Type == typeReport {
		d.Secrecy = SecrecyUnit
	}
	if d.Anonymous {
		d.Name, d.Phone = "", ""
	}
}

// below lists the places inside one. An entry for 全省或不确定 has none: asked for
// its children, a platform may answer with the first list, the entry among it.
func below(s Services, code string) []Region {
	if code == "" {
		return nil
	}
	rs := s.Regions(code)
	if in(rs, code) {
		return nil
	}
	return rs
}

func in(rs []Region, code string) bool {
	return slices.ContainsFunc(rs, func(r Region) bool { return r.Code == code })
}

// region is the finest place chosen.
func (d *draft) region() string { return cmp.Or(d.Town, d.County, d.City) }

// place names the chosen regions.
func (d *draft) place(s Services) string {
	var out strings.Builder
	for _, level := range [][2]string{{"", d.City}, {d.City, d.County}, {d.County, d.Town}} {
		if level[1] == "" {
			break
		}
		for _, r := range s.Regions(level[0]) {
			if r.Code == level[1] {
				out.WriteString(r.Name)
			}
		}
	}
	return out.String()
}

// check finds what is missing among the named answers. It asks only for what
// every request needs; intake holds the rules.
func (d *draft) check(s Services, names ...string) problems {
	var ps problems
	ask := func(name string, wrong bool, text string) {
		if slices.Contains(names, name) && wrong {
			ps = append(ps, problem{name, text})
		}
	}
	known := slices.ContainsFunc(s.TypeHints(), func(t TypeHint) bool { return t.Type == d.Type })
	ask("type", !known, "请选择诉求类型")
	ask("city", d.City == "", "请选择事情发生在哪个市州")
	n := utf8.RuneCountInString(d.Content)
	ask("content", n < minContent, "请说明情况和您的要求，至少5个字")
	ask("content", n > maxContent, "内容太长，请控制在20000字以内，更多材料可以作为附件")
	_, ok := secrecyLabels[d.Secrecy]
	ask("secrecy", !ok, "请选择是否需要保密")
	if !d.Anonymous {
		ask("phone", d.Phone == "", "请填写联系电话，或者选择匿名反映")
		ask("phone", d.Phone != "" && !phoneLike(d.Phone), "电话号码不对，请填写11位手机号码，或带区号的固定电话")
	}
	return ps
}

// phoneLike tells digits that may be a phone number from those that cannot be.
func phoneLike(s string) bool {
	n := 0
	for _, c := range narrow(s) {
		switch {
		case c >= '0' && c <= '9':
			n++
		case !strings.ContainsRune("+- 　()", c):
			return false
		}
	}
	return n >= 7 && n <= 14
}

// submission is the draft as the platform takes it in.
func (d *draft) submission(ip string, files []Upload, care bool) Submission {
	return Submission{
		Key: d.Key, IP: ip, Type: d.Type, Region: d.region(), Address: d.Address, Content: d.Content,
		Target: d.Target, Company: d.Company, Name: d.Name, Phone: d.Phone, Anonymous: d.Anonymous,
		Secrecy: d.Secrecy, Files: files, NoticeVersion: NoticeVersion, Care: care, Suspect: d.Suspect,
	}
}
