package main

import (
	"context"
	"strconv"

	"hotline/internal/db"
)

// rawRow reads one ticket's row, as the bare engine would for a look.
func rawRow(d *db.DB, id string) error {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return err
	}
	return d.View(context.Background(), func(tx *db.Tx) error {
		_, err := db.One(tx, scanBytes, `SELECT title_r, content_r, detail FROM ticket WHERE id = $1`, n)
		return err
	})
}

// rawPage reads the rows of a page by the same index, and nothing else.
func rawPage(d *db.DB, unit int64, state string, newest bool) error {
	text := `SELECT t.title_r, t.content_r, t.detail FROM worklist w JOIN ticket t ON t.id = w.ticket WHERE w.unit = $1 AND w.state = $2 ORDER BY w.sort_at, w.ticket LIMIT 51`
	args := []any{unit, state}
	switch {
	case state == "":
		text = `SELECT t.title_r, t.content_r, t.detail FROM worklist w JOIN ticket t ON t.id = w.ticket WHERE w.unit = $1 ORDER BY w.ticket DESC LIMIT 51`
		args = args[:1]
	case newest:
		text = `SELECT t.title_r, t.content_r, t.detail FROM worklist w JOIN ticket t ON t.id = w.ticket WHERE w.unit = $1 AND w.state = $2 ORDER BY w.sort_at DESC, w.ticket DESC LIMIT 51`
	}
	return d.View(context.Background(), func(tx *db.Tx) error {
		_, err := db.All(tx, scanBytes, text, args...)
		return err
	})
}

func scanBytes(s db.Scanner) (n int, err error) {
	var a, b, c string
	err = s.Scan(&a, &b, &c)
	return len(a) + len(b) + len(c), err
}
