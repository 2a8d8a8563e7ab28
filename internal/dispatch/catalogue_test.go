package dispatch

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"hotline/internal/category"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/ticket"
)

// A published catalogue names only what exists; the refusal says which row and why.
func TestCatalogueNamesWhatExists(t *testing.T) {
	d, c := dbtest.SQLite(t, eventlog.Schema("event"), policy.Schema(), org.Schema())
	ctx := context.Background()
	p, o := policy.New(d), org.New(d, eventlog.New(d, "event"))
	ticket.RegisterPolicies(p)
	RegisterPolicies(p, o, c)
	if err := p.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if err := o.CreateAll(ctx, org.By{}, []org.NewUnit{
		{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"},
		{Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"},
		{Code: "D420100-old", Name: "原市城管委", Kind: org.KindDepartment, Region: "420100", ParentCode: "P420100", Duty: "chengguan"},
	}); err != nil {
		t.Fatal(err)
	}
	old, _ := o.Tree().ByCode("D420100-old")
	publish := func(doc string) error {
		return d.Update(ctx, func(tx *db.Tx) error {
			_, err := p.Publish(tx, policy.Publication{Kind: PolicyCatalogue, Doc: []byte(doc), Note: "试"})
			return err
		})
	}
	row := func(with string) string {
		return `{"rules":[{"id":"M1","category":"040101","duty":"chengguan","level":"city","basis":"三定规定"},{"id":"M2",` + with + `"basis":"三定规定"}]}`
	}
	for _, x := range []struct{ doc, want string }{
		{`{}`, "是空的"}, {`null`, "是空的"}, {`{"rules":[]}`, "是空的"}, {`[`, "有效的数据格式"},
		{row(`"category":"999999","duty":"chengguan","level":"city",`), "第2行：事项分类“999999”不存在"},
		{row(`"category":"0401","duty":"chengguan","level":"city",`), "第2行：事项分类“0401”不存在"},
		{row(`"category":"040101","region":"990000","duty":"chengguan","level":"city",`), "第2行：区划代码“990000”不存在"},
		{row(`"category":"040101","unit":"D420100-none","level":"city",`), "第2行：承办单位编码“D420100-none”不存在"},
		{row(`"category":"040101","duty":"hangtian","level":"city",`), "没有职责类别“hangtian”"},
		{row(`"category":"040101","duty":"chengguan","assist":"hangtian","level":"city",`), "协办的职责类别“hangtian”不存在"},
		{row(`"category":"040101","level":"city",`), "须指明职责类别或承办单位"},
		{row(`"category":"040101","duty":"chengguan","level":"moon",`), "层级"},
		{strings.Replace(row(`"category":"040101","duty":"chengguan","level":"city",`), "M2", "M1", 1), "重复"},
	} {
		err := publish(x.doc)
		if fault.KindOf(err) != fault.KindInvalid || !strings.Contains(fault.As(err).Detail, x.want) {
			t.Errorf("%s: %v, want %q", x.doc, err, x.want)
		}
	}
	good := row(`"category":"040101","region":"420100","unit":"D420100-old","level":"city",`)
	if err := publish(good); err != nil {
		t.Errorf("a good catalogue: %v", err)
	}
	if err := o.Close(ctx, org.By{}, old.ID, c.Now()); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Hour)
	if err := o.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if err := publish(strings.Replace(good, "M2", "M3", 1)); err == nil || !strings.Contains(fault.As(err).Detail, "第2行：承办单位") {
		t.Errorf("a closed unit: %v", err)
	}
	if err := publish(string(Default())); err != nil {
		t.Errorf("the embedded catalogue: %v", err)
	}
}

// What a catalogue changes is said in names, never in codes.
func TestCatalogueDifferences(t *testing.T) {
	say := func(r Rule) rowWords { return r.words(category.Default(), &org.Tree{}) }
	doc := func(rules ...Rule) []byte {
		b, _ := json.Marshal(Catalogue{Rules: rules})
		return b
	}
	a := Rule{ID: "M010101", Category: "010101", Duty: "chengguan", Level: "county", Basis: "甲"}
	b := a
	b.ID, b.Category, b.Region = "M010102", "010102", "420111"
	c := a
	c.Level, c.Basis, c.Assist = "city", "乙", "gongan"
	got := differences(doc(a, b), doc(c), say)
	for _, line := range got {
		if regexp.MustCompile(`[a-zA-Z0-9]`).MatchString(line) {
			t.Errorf("codes in %q", line)
		}
	}
	if len(got) != 4 || !strings.Contains(got[0], "，层级：县级 → 市级") || !strings.Contains(got[2], "，依据：甲 → 乙") || !strings.HasPrefix(got[3], "删除 ") || !strings.Contains(got[3], "（武汉市洪山区）") {
		t.Errorf("%q", got)
	}
	if got := differences(doc(a, b), doc(a, b), say); got != nil {
		t.Error(got)
	}
}
