package db

import (
	"fmt"
	"regexp"
	"strings"
)

// TextIndex is a full-text index of Chinese text that was cut into grams
// (package zh) before: FTS5 on SQLite, a GIN index on PostgreSQL. It keeps no
// text, only where the grams occur, and is written and searched inside the
// caller's transaction. It can always be rebuilt from what it indexes.
type TextIndex struct{ name string }

// Hit is a row found by a search; a higher score is a better one. Scores of
// different engines or queries cannot be compared.
type Hit struct {
	ID    int64
	Score float64
}

var textName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

// Text names a text index; the name is that of its table.
func Text(name string) TextIndex {
	if !textName.MatchString(name) {
		panic("db: bad name of a text index: " + name)
	}
	return TextIndex{name}
}

// TextIndex is Text, for those who have the database at hand.
func (d *DB) TextIndex(name string) *TextIndex { t := Text(name); return &t }

// Schema makes the index's table.
func (t TextIndex) Schema() Schema {
	return Schema{Name: "text_" + t.name, Steps: []Step{{
		SQLite: fmt.Sprintf(`CREATE VIRTUAL TABLE %s USING fts5(grams, content='', contentless_delete=1,
			tokenize="unicode61 remove_diacritics 0")`, t.name),
		Postgres: fmt.Sprintf("CREATE TABLE %[1]s (id BIGINT PRIMARY KEY, grams tsvector NOT NULL);\n"+
			"CREATE INDEX %[1]s_grams ON %[1]s USING gin (grams)", t.name),
	}}}
}

// Put indexes a text under id, in place of what was there.
func (t TextIndex) Put(tx *Tx, id int64, grams []string) error {
	if tx.Engine() == Postgres {
		_, err := tx.Exec(`INSERT INTO `+t.name+` (id, grams) VALUES ($1, $2)
			ON CONFLICT (id) DO UPDATE SET grams = excluded.grams`, id, tsvector(grams))
		return err
	}
	_, err := tx.Exec(`INSERT OR REPLACE INTO `+t.name+` (rowid, grams) VALUES ($1, $2)`, id, strings.Join(clean(grams), " "))
	return err
}

// Delete takes a text out of the index; an absent one is no error.
func (t TextIndex) Delete(tx *Tx, id int64) error {
	key := "rowid"
	if tx.Engine() == Postgres {
		key = "id"
	}
	_, err := tx.Exec(`DELETE FROM `+t.name+` WHERE `+key+` = $1`, id)
	return err
}

// Search finds the texts that have all the grams, the best first, then the
// newest id.
func (t TextIndex) Search(tx *Tx, grams []string, limit int) ([]Hit, error) {
	return t.search(tx, grams, limit, max(300, 6*limit), " AND ", " & ")
}

// SearchAny finds the texts that have at least one of the grams.
func (t TextIndex) SearchAny(tx *Tx, grams []string, limit int) ([]Hit, error) {
	return t.search(tx, grams, limit, max(1000, 6*limit), " OR ", " | ")
}

// search weighs so many of the newest hits against one another on SQLite: a
// word that stands in every third text has too many to weigh them all, and each
// costs as much as finding three.
func (t TextIndex) search(tx *Tx, grams []string, limit, weighed int, sqliteOp, postgresOp string) ([]Hit, error) {
	grams = clean(grams)
	if len(grams) == 0 || limit <= 0 {
		return nil, nil
	}
	scan := func(s Scanner) (h Hit, err error) { return h, s.Scan(&h.ID, &h.Score) }
	if tx.Engine() == Postgres {
		return All(tx, scan, `SELECT id, ts_rank(grams, query) AS score FROM `+t.name+`, CAST($1 AS tsquery) query
			WHERE grams @@ query ORDER BY score DESC, id DESC LIMIT $2`, quoted(grams, "'", postgresOp), limit)
	}
	return All(tx, scan, `SELECT id, score FROM (SELECT rowid AS id, -bm25(`+t.name+`) AS score FROM `+t.name+`
		WHERE `+t.name+` MATCH $1 ORDER BY rowid DESC LIMIT $2) q ORDER BY score DESC, id DESC LIMIT $3`, quoted(grams, `"`, sqliteOp), weighed, limit)
}

// Newest writes the subquery, with the column id, of the newest texts that have
// all the grams, for a statement that joins them with something else; arg takes
// the statement's values.
func (t TextIndex) Newest(engine string, grams []string, limit int, arg func(any) string) string {
	grams = clean(grams)
	if engine == Postgres {
		return `SELECT id FROM (SELECT id FROM ` + t.name + ` WHERE grams @@ CAST(` + arg(quoted(grams, "'", " & ")) + ` AS tsquery) ORDER BY id DESC LIMIT ` + arg(limit) + `) x`
	}
	return `SELECT id FROM (SELECT rowid AS id FROM ` + t.name + ` WHERE ` + t.name + ` MATCH ` + arg(quoted(grams, `"`, " AND ")) + ` ORDER BY rowid DESC LIMIT ` + arg(limit) + `) x`
}

// clean drops empty grams and what neither engine takes, and lowers letters.
func clean(grams []string) []string {
	out := make([]string, 0, len(grams))
	for _, g := range grams {
		g = strings.ToLower(strings.ToValidUTF8(strings.ReplaceAll(g, "\x00", ""), ""))
		if g = strings.TrimSpace(g); g != "" && len(g) < 1024 {
			out = append(out, g)
		}
	}
	return out
}

// quoted writes grams as terms of a query, so that no sign in them is one of
// the query language.
func quoted(grams []string, quote, op string) string {
	var b strings.Builder
	for i, g := range grams {
		if i > 0 {
			b.WriteString(op)
		}
		b.WriteString(quote)
		if quote == "'" {
			g = strings.ReplaceAll(g, `\`, `\\`)
		}
		b.WriteString(strings.ReplaceAll(g, quote, quote+quote))
		b.WriteString(quote)
	}
	return b.String()
}

// tsvector writes grams with their positions, in PostgreSQL's input form.
func tsvector(grams []string) string {
	const lastPosition = 16383 // PostgreSQL keeps no higher one
	var b strings.Builder
	for i, g := range clean(grams) {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s:%d", quoted([]string{g}, "'", ""), min(i+1, lastPosition))
	}
	return b.String()
}
