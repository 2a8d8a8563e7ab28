package knowledge

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/ticket"
)

var ctx = context.Background()

// world is a province with one city, two departments and people of each role.
type world struct {
	t   *testing.T
	s   *Service
	d   *db.DB
	c   *clock.Virtual
	log *eventlog.Log
}

func schemas() []db.Schema {
	return append([]db.Schema{eventlog.Schema("event"), org.Schema()}, Schemas()...)
}

func newWorld(t *testing.T, d *db.DB, c *clock.Virtual) *world {
	t.Helper()
	log := eventlog.New(d, "event")
	o := org.New(d, log)
	units := []org.NewUnit{
		{Code: "P420000", Name: "湖北省12345平台", Kind: org.KindProvince, Region: "420000"},
		{Code: "P420100", Name: "武汉市12345平台", Kind: org.KindCity, Region: "420100", ParentCode: "P420000"},
		{Code: "P420600", Name: "襄阳市12345平台", Kind: org.KindCity, Region: "420600", ParentCode: "P420000"},
		{Code: "D420100-yibao", Name: "武汉市医疗保障局", Kind: org.KindDepartment, Region: "420100", ParentCode: "P420100", Duty: "yibao"},
		{Code: "D420100-chengguan", Name: "武汉市城管委", Kind: org.KindDepartment, Region: "420100", ParentCode: "P420100", Duty: "chengguan"},
	}
	if err := o.CreateAll(ctx, org.By{}, units); err != nil {
		t.Fatal(err)
	}
	if err := o.Load(ctx); err != nil {
		t.Fatal(err)
	}
	return &world{t, New(Deps{DB: d, Log: log, Org: o}), d, c, log}
}

func each(t *testing.T, fn func(w *world)) {
	dbtest.Each(t, schemas(), func(t *testing.T, d *db.DB, c *clock.Virtual) { fn(newWorld(t, d, c)) })
}

// who is a person: the same name is the same person.
func (w *world) who(role access.Role, unit, name string) access.Actor {
	u, ok := w.s.Org.Tree().ByCode(unit)
	if !ok {
		w.t.Fatalf("no unit %s", unit)
	}
	account := int64(1)
	for _, b := range []byte(name) {
		account = account*31 + int64(b)
	}
	return access.Actor{Account: account, Username: name, Name: name, Role: role, Unit: u.ID, Platform: w.s.Org.Tree().Platform(u.ID).ID}
}

func (w *world) editor() access.Actor { return w.who(access.KBEditor, "D420100-yibao", "周编辑") }
func (w *world) admin() access.Actor  { return w.who(access.KBAdmin, "P420100", "王管理") }
func (w *world) second() access.Actor { return w.who(access.KBAdmin, "P420100", "李管理") }
func (w *world) agent() access.Actor  { return w.who(access.Agent, "P420100", "座席一") }

func (w *world) text(edit func(*Text)) Text {
	u, _ := w.s.Org.Tree().ByCode("D420100-yibao")
	t := Text{Title: "异地就医备案怎么办理", Path: "医疗保障/异地就医", Kind: "办事指南", Source: "国家医保局文件", DocNo: "医保发〔2022〕22号", Unit: u.ID, Region: "420100",
		Keywords: []string{"异地就医", "备案"}, Questions: []string{"去外地看病要先备案吗"}, Body: "参保人可以在国家医保服务平台办理备案。\n备案后在定点医院直接结算。", Public: true}
	if edit != nil {
		edit(&t)
	}
	return t
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) refused(err error, code string) {
	w.t.Helper()
	if !fault.Is(err, code) {
		w.t.Errorf("got %v, want %s", err, code)
	}
}

// publish brings a new article all the way.
func (w *world) publish(edit func(*Text)) *Article {
	w.t.Helper()
	a, err := w.s.Create(ctx, w.editor(), w.text(edit))
	w.ok(err)
	return w.release(a)
}

func (w *world) release(a *Article) *Article {
	w.t.Helper()
	d, err := w.s.Submit(ctx, w.editor(), a.ID, a.Version, "")
	w.ok(err)
	d, err = w.s.Publish(ctx, w.admin(), a.ID, d.Article.Version, "同意")
	w.ok(err)
	return d.Article
}

// found gives the titles that a search offers.
func (w *world) found(q string) []string {
	w.t.Helper()
	hits, err := w.s.Search(ctx, q, "", Options{}, 10)
	w.ok(err)
	out := []string{}
	for _, h := range hits {
		out = append(out, h.Title)
	}
	return out
}

func TestLifeOfAnArticle(t *testing.T) {
	each(t, func(w *world) {
		s := w.s
		a, err := s.Create(ctx, w.editor(), w.text(nil))
		w.ok(err)
		if a.State != Draft || len(w.found("异地就医备案")) != 0 {
			t.Errorf("a draft is offered: %+v", a)
		}
		if _, err := s.Get(ctx, w.agent(), a.ID); !fault.Is(err, "knowledge_not_found") {
			t.Errorf("a seat reads a draft: %v", err)
		}
		first := w.release(a)
		if got := w.found("异地就医备案"); len(got) != 1 {
			t.Fatalf("published, found %v", got)
		}
		may12 := w.c.Now()

		// A revision shows nowhere before it is published.
		w.c.Advance(48 * time.Hour)
		d, err := s.Revise(ctx, w.editor(), a.ID, first.Version)
		w.ok(err)
		b, err := s.Save(ctx, w.editor(), a.ID, d.Article.Version, w.text(func(t *Text) { t.Body = "从今年起取消备案，持医保码直接结算即可。" }))
		w.ok(err)
		hits, err := s.Search(ctx, "异地就医备案", "", Options{}, 5)
		w.ok(err)
		if len(hits) != 1 || !strings.Contains(hits[0].Body, "国家医保服务平台") {
			t.Errorf("during revision: %+v", hits)
		}
		if r, err := s.Get(ctx, w.agent(), a.ID); err != nil || r.No != 1 || r.State != Published {
			t.Errorf("the seat reads %+v, %v", r, err)
		}
		if r, err := s.Get(ctx, w.editor(), a.ID); err != nil || r.No != 2 || r.State != Draft {
			t.Errorf("the editor reads %+v, %v", r, err)
		}
		second := w.release(b)
		if hits, err = s.Search(ctx, "异地就医备案", "", Options{}, 5); err != nil || len(hits) != 1 || !strings.Contains(hits[0].Body, "取消备案") {
			t.Errorf("after publication: %v, %+v", err, hits)
		}

		// What did we say then?
		for _, x := range []struct {
			at   time.Time
			want string // "" = nothing
		}{{may12.Add(-time.Hour), ""}, {may12.Add(time.Hour), "国家医保服务平台"}, {w.c.Now().Add(time.Minute), "取消备案"}} {
			got, err := s.AsOf(ctx, a.ID, x.at)
			if x.want == "" {
				w.refused(err, "knowledge_not_published_then")
			} else if err != nil || !strings.Contains(got.Body, x.want) {
				t.Errorf("as of %v: %+v, %v", x.at, got, err)
			}
		}

		w.c.Advance(time.Hour)
		off, err := s.Offline(ctx, w.second(), a.ID, second.Version, "政策废止")
		w.ok(err)
		if off.Article.State != Offline || len(w.found("异地就医备案")) != 0 {
			t.Error("a withdrawn article is offered")
		}
		if r, err := s.Get(ctx, w.agent(), a.ID); err != nil || r.State != Offline {
			t.Errorf("an old citation opens %+v, %v", r, err)
		}
		w.refused(errOf(s.AsOf(ctx, a.ID, w.c.Now().Add(time.Second))), "knowledge_not_published_then")
		w.refused(errOf(s.Public(ctx, a.ID)), "knowledge_not_found")

		versions, err := s.Versions(ctx, w.agent(), off.Article)
		w.ok(err)
		if len(versions) != 2 || versions[0].No != 2 || !strings.Contains(versions[1].Note, "王管理") {
			t.Errorf("versions: %+v", versions)
		}
		if old, err := s.GetVersion(ctx, w.agent(), a.ID, 1); err != nil || !strings.Contains(old.Body, "国家医保服务平台") {
			t.Errorf("version 1: %+v, %v", old, err)
		}
		w.ok(w.d.View(ctx, func(tx *db.Tx) error {
			events, err := w.log.BySubject(tx, SubjectKind, a.ID)
			var kinds []string
			for _, e := range events {
				kinds = append(kinds, strings.TrimPrefix(e.Kind, "knowledge."))
			}
			if got := strings.Join(kinds, " "); got != "created submitted published revised saved submitted published offline" {
				t.Errorf("events: %s", got)
			}
			return err
		}))
	})
}

func errOf(_ *Article, err error) error { return err }

func TestTwoPersonsPublish(t *testing.T) {
	each(t, func(w *world) {
		s := w.s
		a, err := s.Create(ctx, w.admin(), w.text(nil))
		w.ok(err)
		a, err = s.Save(ctx, w.editor(), a.ID, a.Version, w.text(func(t *Text) { t.Body += "补充一句。" }))
		w.ok(err)
		d, err := s.Submit(ctx, w.editor(), a.ID, a.Version, "")
		w.ok(err)
		v := d.Article.Version
		_, err = s.Publish(ctx, w.admin(), a.ID, v, "") // wrote the first text of it
		w.refused(err, "knowledge_two_persons")
		_, err = s.Publish(ctx, w.editor(), a.ID, v, "")
		w.refused(err, "role_forbidden")
		for _, x := range []struct {
			who  access.Actor
			want string
		}{{w.admin(), "reject revise offline"}, {w.second(), "publish reject revise offline"}, {w.editor(), "revise"}, {w.agent(), ""}} {
			offers, err := s.Offers(ctx, x.who, d.Article)
			w.ok(err)
			if got := names(offers); got != x.want {
				t.Errorf("%s is offered %q, want %q", x.who.Name, got, x.want)
			}
		}
		_, err = s.Reject(ctx, w.second(), a.ID, v, "")
		w.refused(err, "knowledge_note_invalid")
		d, err = s.Reject(ctx, w.second(), a.ID, v, "依据条款写错了")
		w.ok(err)
		d, err = s.Submit(ctx, w.editor(), a.ID, d.Article.Version, "")
		w.ok(err)
		_, err = s.Publish(ctx, w.second(), a.ID, d.Article.Version, "")
		w.ok(err)
	})
}

func names(offers []ticket.Offer) string {
	var out []string
	for _, o := range offers {
		out = append(out, o.Name)
	}
	return strings.Join(out, " ")
}

func TestWhatIsNotInForceIsNeverOffered(t *testing.T) {
	each(t, func(w *world) {
		today := w.c.Now()
		at := func(days int) int64 { return clock.Millis(today.AddDate(0, 0, days)) }
		w.publish(func(t *Text) { t.Title, t.ValidTo = "高温补贴标准甲", at(0) })
		w.publish(func(t *Text) { t.Title, t.ValidFrom = "高温补贴标准乙", at(2) })
		w.publish(func(t *Text) { t.Title, t.ValidTo, t.Public = "高温补贴标准丙", at(40), false })
		check := func(when string, want ...string) {
			w.t.Helper()
			got := w.found("高温补贴标准")
			slices.Sort(got)
			if !slices.Equal(got, want) {
				w.t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		check("today", "高温补贴标准丙", "高温补贴标准甲")
		if soon, err := w.s.Expiring(ctx, 10); err != nil || len(soon) != 1 || soon[0].Title != "高温补贴标准甲" {
			w.t.Errorf("expiring: %v, %v", soon, err)
		}
		w.c.Set(today.AddDate(0, 0, 1))
		check("tomorrow", "高温补贴标准丙")
		w.c.Set(today.AddDate(0, 0, 2))
		check("in two days", "高温补贴标准丙", "高温补贴标准乙")
		if hits, err := w.s.Search(ctx, "高温补贴标准", "", Options{PublicOnly: true}, 10); err != nil || len(hits) != 1 {
			w.t.Errorf("citizens find %v, %v", hits, err)
		}
		if hot, err := w.s.Hot(ctx, 10); err != nil || len(hot) != 1 || hot[0].Title != "高温补贴标准乙" {
			w.t.Errorf("hot: %v, %v", hot, err)
		}
		w.c.Set(today.AddDate(0, 0, 15))
		rows, _, err := w.s.List(ctx, w.admin(), Filter{State: Expired})
		w.ok(err)
		if len(rows) != 1 || rows[0].StateOn(w.c.Now()) != Expired {
			w.t.Errorf("expired: %+v", rows)
		}
		c, err := w.s.Paths(ctx, w.admin())
		w.ok(err)
		if c.States[Published] != 2 || c.States[Expiring] != 1 || c.States[Expired] != 1 || !c.MayCreate {
			w.t.Errorf("states: %+v", c)
		}

		// What ended cannot be published again as it is.
		d, err := w.s.Revise(ctx, w.editor(), rows[0].ID, rows[0].Version)
		w.ok(err)
		d, err = w.s.Submit(ctx, w.editor(), rows[0].ID, d.Article.Version, "")
		w.ok(err)
		_, err = w.s.Publish(ctx, w.second(), rows[0].ID, d.Article.Version, "")
		w.refused(err, "knowledge_expired")
	})
}

func TestBadTextsAreRefused(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	long := func(n int) string { return strings.Repeat("字", n) }
	for name, x := range map[string]struct {
		edit  func(*Text)
		field string // "" = accepted
	}{
		"as it should be":     {nil, ""},
		"no title":            {func(t *Text) { t.Title = "　 " }, "title"},
		"title of 128":        {func(t *Text) { t.Title = long(128) }, ""},
		"title of 129":        {func(t *Text) { t.Title = long(129) }, "title"},
		"own catalogue":       {func(t *Text) { t.Path = "我的目录/一" }, "path"},
		"path too deep":       {func(t *Text) { t.Path = "教育/一/二/三/四" }, "path"},
		"empty level":         {func(t *Text) { t.Path = "教育//二" }, "path"},
		"unknown kind":        {func(t *Text) { t.Kind = "随笔" }, "kind"},
		"no source":           {func(t *Text) { t.Source = "" }, "source"},
		"unknown unit":        {func(t *Text) { t.Unit = 77 }, "unit"},
		"unknown region":      {func(t *Text) { t.Region = "999999" }, "region"},
		"ends before begin":   {func(t *Text) { t.ValidFrom, t.ValidTo = 1_700_000_000_000, 1_600_000_000_000 }, "valid_to"},
		"year 9999":           {func(t *Text) { t.ValidTo = 253_000_000_000_000 }, "valid_to"},
		"long keyword":        {func(t *Text) { t.Keywords = []string{long(21)} }, "keywords"},
		"keyword is title":    {func(t *Text) { t.Keywords = []string{t.Title} }, "keywords"},
		"long question":       {func(t *Text) { t.Questions = []string{long(101)} }, "questions"},
		"short body":          {func(t *Text) { t.Body = "见官网" }, "body"},
		"body of 20,001":      {func(t *Text) { t.Body = long(20_001) }, "body"},
		"emoji and NUL":       {func(t *Text) { t.Title, t.Body = "带\x00表情😀的标题", long(10)+"\x00\xff😀" }, ""},
		"line break in title": {func(t *Text) { t.Title = "第一行\n第二行" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := w.text(x.edit)
			if x.field == "" && x.edit != nil && text.Title == w.text(nil).Title {
				text.Title += name
			}
			_, err := w.s.Create(ctx, w.admin(), text)
			if x.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var e *fault.Error
			if !errors.As(err, &e) || e.Code != "knowledge_invalid" || !slices.ContainsFunc(e.Fields, func(f fault.Field) bool { return f.Name == x.field }) {
				t.Errorf("got %v (%+v), want %s", err, e, x.field)
			}
		})
	}
}
