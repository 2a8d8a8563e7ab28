package knowledge

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// fmtf is fmt.Sprintf, short enough for the many sentences of this room.
func fmtf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// contentList names the columns of a Text.
const contentList = `title, path, kind, source, doc_no, unit, unit_words, region, valid_from, valid_to, keywords, questions, body, public`

// contentOf is contentList of a table's alias.
func contentOf(alias string) string {
	return alias + "." + strings.ReplaceAll(contentList, ", ", ", "+alias+".")
}

// selectWorking reads working copies, selectLive published ones; what follows
// may narrow a (knowledge_article) and, in the second, l (knowledge_live).
var (
	selectWorking = `SELECT a.id, a.version, a.platform, a.state, a.no, a.live, a.author, a.submitter, a.created_at, a.updated_at,
		coalesce(u.cited, 0), coalesce(u.views, 0), ` + contentOf("a") + ` FROM knowledge_article a LEFT JOIN knowledge_use u ON u.article = a.id`
	selectLive = `SELECT a.id, a.version, a.platform, CASE WHEN l.gone = 1 THEN 'offline' ELSE 'published' END, l.no, a.live, a.author, a.submitter, a.created_at, l.at,
		coalesce(u.cited, 0), coalesce(u.views, 0), ` + contentOf("l") + ` FROM knowledge_live l JOIN knowledge_article a ON a.id = l.article LEFT JOIN knowledge_use u ON u.article = a.id`
)

func scanArticle(s db.Scanner) (*Article, error) {
	a := &Article{}
	var keywords, questions string
	var public int
	err := s.Scan(&a.ID, &a.Version, &a.Platform, &a.State, &a.No, &a.Live, &a.Author, &a.Submitter, &a.Created, &a.Updated, &a.Cited, &a.Views,
		&a.Title, &a.Path, &a.Kind, &a.Source, &a.DocNo, &a.Unit, &a.UnitWords, &a.Region, &a.ValidFrom, &a.ValidTo, &keywords, &questions, &a.Body, &public)
	a.Keywords, a.Questions, a.Public = lines(keywords), lines(questions), public == 1
	return a, err
}

// lines takes a stored list apart; entries never hold a line break.
func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// columns gives the values of contentList.
func (t *Text) columns() []any {
	public := 0
	if t.Public {
		public = 1
	}
	return []any{t.Title, t.Path, t.Kind, t.Source, t.DocNo, t.Unit, t.UnitWords, t.Region, t.ValidFrom, t.ValidTo,
		strings.Join(t.Keywords, "\n"), strings.Join(t.Questions, "\n"), t.Body, public}
}

// slots writes $from … $(from+n-1).
func slots(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}

func errAbsent() error {
	return fault.NotFound("knowledge_not_found", "没有找到这条知识，或不在您的查看范围内。")
}

// load reads the working copy of an article; not_found when there is none.
func load(tx *db.Tx, id int64) (*Article, error) {
	return one(tx, selectWorking+` WHERE a.id = $1`, id)
}

// loadLive reads the published copy, of a withdrawn article the last one.
func loadLive(tx *db.Tx, id int64) (*Article, error) {
	return one(tx, selectLive+` WHERE l.article = $1`, id)
}

func one(tx *db.Tx, text string, args ...any) (*Article, error) {
	a, err := db.One(tx, scanArticle, text, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errAbsent()
	}
	return a, err
}

var (
	insertArticle = `INSERT INTO knowledge_article (id, version, platform, state, no, live, author, submitter, created_at, updated_at, ` + contentList + `) VALUES (` + slots(1, 24) + `)`
	updateArticle = `UPDATE knowledge_article SET version = $2, state = $3, no = $4, live = $5, author = $6, submitter = $7, updated_at = $8, (` +
		contentList + `) = (` + slots(9, 14) + `) WHERE id = $1 AND version = $23`
	putLive = `INSERT INTO knowledge_live (article, no, at, gone, rev, ` + contentList + `) VALUES (` + slots(1, 19) + `) ON CONFLICT (article) DO UPDATE SET (no, at, gone, rev, ` +
		contentList + `) = (excluded.no, excluded.at, excluded.gone, excluded.rev, ` + contentOf("excluded") + `)`
)

// insert writes a new article and puts it into the editors' index.
func (a *Article) insert(tx *db.Tx) error {
	args := append([]any{a.ID, a.Version, a.Platform, string(a.State), a.No, a.Live, a.Author, a.Submitter, a.Created, a.Updated}, a.columns()...)
	if _, err := tx.Exec(insertArticle, args...); err != nil {
		return titleTaken(err, a.Title)
	}
	return textIndex.Put(tx, a.ID, zh.Grams(a.searchText()))
}

// update writes a changed article whose version was seen as was.
func (a *Article) update(tx *db.Tx, was int64) error {
	args := append([]any{a.ID, a.Version, string(a.State), a.No, a.Live, a.Author, a.Submitter, a.Updated}, a.columns()...)
	n, err := tx.Exec(updateArticle, append(args, was)...)
	if err != nil {
		return titleTaken(err, a.Title)
	}
	if n != 1 {
		return fault.Conflict("version_conflict", "这条知识刚刚被其他人改过，请刷新后再操作。")
	}
	return nil
}

func titleTaken(err error, title string) error {
	if db.IsUnique(err) {
		return errTitleTaken(title)
	}
	return err
}

func errTitleTaken(title string) error {
	detail := fmtf("标题“%s”已被本平台的另一条知识使用，请修改标题或修订原条目。", zh.Truncate(title, 40))
	return fault.Conflict("knowledge_title_taken", "%s", detail).At(fault.Field{Name: "title", Detail: detail})
}

// searchText is what the editors' list searches.
func (t *Text) searchText() string {
	return strings.Join([]string{t.Title, strings.Join(t.Keywords, "\n"), strings.Join(t.Questions, "\n"), t.DocNo, t.Source, t.Body}, "\n")
}

// keep adds the text to the versions. It is never changed afterwards.
func (a *Article) keep(tx *db.Tx, by int64, name, note string) error {
	doc, err := json.Marshal(a.Text)
	if err != nil {
		return fmt.Errorf("knowledge: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO knowledge_version (article, no, at, actor, name, note, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)`, a.ID, a.No, tx.NowMS(), by, name, note, string(doc))
	return err
}

// release makes the working copy the published one, or with gone takes the
// published one back, and notes it in the history.
func (a *Article) release(tx *db.Tx, gone bool, by int64, name, note string) error {
	rev, err := db.Int(tx, `UPDATE knowledge_change SET n = n + 1 WHERE one = 1 RETURNING n`)
	if err != nil {
		return err
	}
	no := a.No
	if gone {
		no = 0
		_, err = tx.Exec(`UPDATE knowledge_live SET gone = 1, rev = $2 WHERE article = $1`, a.ID, rev)
	} else {
		_, err = tx.Exec(putLive, append([]any{a.ID, no, tx.NowMS(), 0, rev}, a.columns()...)...)
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO knowledge_release (id, article, no, at, actor, name, note) VALUES ($1, $2, $3, $4, $5, $6, $7)`, tx.NewID(), a.ID, no, tx.NowMS(), by, name, note)
	return err
}
