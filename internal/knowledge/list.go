package knowledge

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// Get reads an article as the actor may see it: its editors the working copy,
// everyone else the published one; of a withdrawn article the last one that was.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (a *Article, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		a, err = s.visible(tx, actor, id)
		return err
	})
	return a, err
}

func (s *Service) visible(tx *db.Tx, actor access.Actor, id int64) (*Article, error) {
	a, err := load(tx, id)
	if err != nil || s.sees(actor, a.Platform) {
		return a, err
	}
	return loadLive(tx, id)
}

// Public reads an article for citizens: published, public and in force today.
func (s *Service) Public(ctx context.Context, id int64) (a *Article, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		if a, err = loadLive(tx, id); err == nil && (a.State != Published || !a.Public || !a.InForce(tx.Now())) {
			a, err = nil, errAbsent()
		}
		return err
	})
	return a, err
}

// Version is one kept text of an article.
type Version struct {
	No   int64
	At   int64
	By   int64
	Name string
	Note string // what was done: 新建, 修改, and 发布 with the reviewer
}

// Versions lists the kept texts, the newest first: all of them for those who
// see the working copy, else the published ones.
func (s *Service) Versions(ctx context.Context, actor access.Actor, a *Article) (out []Version, err error) {
	type release struct {
		no, at int64
		name   string
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		all, err := db.All(tx, func(r db.Scanner) (v Version, err error) { return v, r.Scan(&v.No, &v.At, &v.By, &v.Name, &v.Note) },
			`SELECT no, at, actor, name, note FROM knowledge_version WHERE article = $1 ORDER BY no DESC LIMIT 200`, a.ID)
		if err != nil {
			return err
		}
		releases, err := db.All(tx, func(r db.Scanner) (x release, err error) { return x, r.Scan(&x.no, &x.at, &x.name) },
			`SELECT no, at, name FROM knowledge_release WHERE article = $1 AND no > 0 ORDER BY id`, a.ID)
		if err != nil {
			return err
		}
		published := map[int64]release{}
		for _, x := range releases {
			published[x.no] = x
		}
		for _, v := range all {
			x, was := published[v.No]
			if was {
				v.Note += fmtf("，%s于%s发布", x.name, clock.FromMillis(x.at).Format("2006-01-02"))
			}
			if was || s.sees(actor, a.Platform) {
				out = append(out, v)
			}
		}
		return nil
	})
	return out, err
}

// GetVersion reads an article with the text of one of its versions.
func (s *Service) GetVersion(ctx context.Context, actor access.Actor, id, no int64) (a *Article, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		if a, err = s.visible(tx, actor, id); err != nil {
			return err
		}
		if !s.sees(actor, a.Platform) {
			n, err := db.Int(tx, `SELECT count(*) FROM knowledge_release WHERE article = $1 AND no = $2`, id, no)
			if err != nil || n == 0 {
				return absentOr(err)
			}
		}
		a, err = a.with(tx, no)
		return err
	})
	return a, err
}

func absentOr(err error) error {
	if err != nil {
		return err
	}
	return errAbsent()
}

// with gives the article the text of a version.
func (a *Article) with(tx *db.Tx, no int64) (*Article, error) {
	docs, err := db.All(tx, func(r db.Scanner) (doc string, err error) { return doc, r.Scan(&doc) }, `SELECT doc FROM knowledge_version WHERE article = $1 AND no = $2`, a.ID, no)
	if err != nil || len(docs) == 0 {
		return nil, absentOr(err)
	}
	b := *a
	b.No, b.Text = no, Text{}
	if err := json.Unmarshal([]byte(docs[0]), &b.Text); err != nil {
		return nil, fmt.Errorf("knowledge %d, version %d: %w", a.ID, no, err)
	}
	return &b, nil
}

// AsOf reads what was published at t: 当时怎么说的. Updated is when it had been
// published; whether it was in force then, InForce(t) tells. Not found, code
// knowledge_not_published_then, when nothing was.
func (s *Service) AsOf(ctx context.Context, id int64, t time.Time) (a *Article, err error) {
	type release struct{ no, at int64 }
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		if a, err = load(tx, id); err != nil {
			return err
		}
		last, err := db.All(tx, func(r db.Scanner) (x release, err error) { return x, r.Scan(&x.no, &x.at) },
			`SELECT no, at FROM knowledge_release WHERE article = $1 AND at <= $2 ORDER BY at DESC, id DESC LIMIT 1`, id, clock.Millis(t))
		if err != nil {
			return err
		}
		if len(last) == 0 || last[0].no == 0 {
			return fault.NotFound("knowledge_not_published_then", "这条知识在%s没有发布的内容。", t.In(clock.Shanghai).Format("2006年1月2日15:04"))
		}
		if a, err = a.with(tx, last[0].no); err == nil {
			a.State, a.Updated = Published, last[0].at
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Filter narrows a list.
type Filter struct {
	Path   string // this directory and those below
	State  State  // one of States; "" = all
	Query  string // words that must all occur; the best match comes first then
	Cursor string
	Limit  int // 0 = 50, at most 200
}

// view is one of the two faces of the library with the rows an actor may list.
type view struct {
	sel, from string
	at, id    string // columns of the order
	editors   bool
	where     []string
	args      []any
}

// and adds a condition; each ? is an argument, content columns are written ~.name.
func (v *view) and(cond string, args ...any) {
	cond = strings.ReplaceAll(cond, "~", v.at[:1])
	for _, a := range args {
		v.args = append(v.args, a)
		cond = strings.Replace(cond, "?", "$"+strconv.Itoa(len(v.args)), 1)
	}
	v.where = append(v.where, cond)
}

// view opens the working copies for editors, the published ones for readers.
func (s *Service) view(actor access.Actor) *view {
	if !actor.May(access.KBEdit) {
		v := &view{sel: selectLive, from: "knowledge_live l", at: "l.at", id: "l.article"}
		v.and("l.gone = 0")
		return v
	}
	v := &view{sel: selectWorking, from: "knowledge_article a", at: "a.updated_at", id: "a.id", editors: true}
	v.and("1 = 1")
	if !actor.System && actor.Platform != s.Org.Tree().Province().ID {
		v.and("a.platform = ?", actor.Platform)
	}
	return v
}

// state narrows to a state on the day d.
func (v *view) state(st State, d int64) {
	if v.editors && (st == Published || st == Expiring || st == Expired) {
		v.and("a.state = 'published'")
	}
	switch {
	case st == Published:
		v.and("(~.valid_to = 0 OR ~.valid_to >= ?)", d)
	case st == Expiring:
		v.and("~.valid_to BETWEEN ? AND ?", d, soon(d))
	case st == Expired:
		v.and("~.valid_to <> 0 AND ~.valid_to < ?", d)
	case st != "" && v.editors:
		v.and("a.state = ?", string(st))
	case st != "":
		v.and("1 = 0") // readers have no drafts
	}
	if !v.editors && st != Expired { // what is not in force is not offered
		v.and("~.valid_from <= ? AND (~.valid_to = 0 OR ~.valid_to >= ?)", d, d)
	}
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// List lists articles, the last changed first, with the cursor of the next page.
func (s *Service) List(ctx context.Context, actor access.Actor, f Filter) (out []*Article, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 200)
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		v := s.view(actor)
		v.state(f.State, day(tx.Now()))
		if f.Path = strings.Trim(f.Path, "/"); f.Path != "" {
			v.and(`(~.path = ? OR ~.path LIKE ? ESCAPE '\')`, f.Path, likeEscape.Replace(f.Path)+"/%")
		}
		if q := strings.TrimSpace(f.Query); q != "" {
			out, err = v.matching(tx, q, f.Limit)
			return err
		}
		if f.Cursor != "" {
			var at, id int64
			if _, err := fmt.Sscanf(f.Cursor, "%d-%d", &at, &id); err != nil {
				return fault.Invalid("cursor_invalid", "翻页位置无效，请从第一页重新查看。")
			}
			v.and("("+v.at+", "+v.id+") < (?, ?)", at, id)
		}
		out, err = v.read(tx, " ORDER BY "+v.at+" DESC, "+v.id+" DESC LIMIT "+strconv.Itoa(f.Limit+1))
		if err == nil && len(out) > f.Limit {
			out = out[:f.Limit]
			last := out[f.Limit-1]
			next = fmtf("%d-%d", last.Updated, last.ID)
		}
		return err
	})
	return out, next, err
}

func (v *view) read(tx *db.Tx, tail string) ([]*Article, error) {
	return db.All(tx, scanArticle, v.sel+" WHERE "+strings.Join(v.where, " AND ")+tail, v.args...)
}

// matching reads what the editors' index finds, in its order, on one page.
func (v *view) matching(tx *db.Tx, q string, limit int) ([]*Article, error) {
	hits, err := textIndex.Search(tx, zh.QueryGrams(zh.Truncate(q, 100)), 200)
	if err != nil || len(hits) == 0 {
		return nil, err
	}
	order := make(map[int64]int, len(hits))
	marks := make([]string, len(hits))
	ids := make([]any, len(hits))
	for i, h := range hits {
		order[h.ID], marks[i], ids[i] = i, "?", h.ID
	}
	v.and(v.id+" IN ("+strings.Join(marks, ", ")+")", ids...)
	found, err := v.read(tx, "")
	if err != nil {
		return nil, err
	}
	sorted := make([]*Article, len(hits))
	for _, a := range found {
		sorted[order[a.ID]] = a
	}
	out := found[:0]
	for _, a := range sorted {
		if a != nil && len(out) < limit {
			out = append(out, a)
		}
	}
	return out, nil
}
