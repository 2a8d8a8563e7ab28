package audit

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Row is an entry as read back.
type Row struct {
	ID int64
	At time.Time
	Entry
}

// View is one look at a ticket: who, for whom, when and how deep.
type View struct {
	ID      int64
	At      time.Time
	Actor   int64
	Account string
	Role    string
	Unit    int64
	Op      string // ticket.view, reveal, …
	Outcome string
	Reason  string
}

// Filter narrows a search; zero fields do not. Cursor is what the last page
// answered.
type Filter struct {
	Actor       int64
	Unit        int64
	Op          string // exact, or a family "ticket.*"
	SubjectKind string
	Subject     int64
	From, To    time.Time // To is not included
	Cursor      string
}

const selectRow = `SELECT a.id, a.at, a.actor, a.unit, a.kind, a.subject_kind, a.subject_id, a.data, COALESCE(r.reason, '')
FROM audit a LEFT JOIN audit_reason r ON r.id = a.id`

func scanRow(s db.Scanner) (Row, error) {
	var r Row
	var at int64
	var data string
	if err := s.Scan(&r.ID, &at, &r.Actor, &r.Unit, &r.Op, &r.SubjectKind, &r.Subject, &data, &r.Reason); err != nil {
		return r, err
	}
	var d detail
	if err := json.Unmarshal([]byte(data), &d); err != nil {
		return r, err
	}
	r.At = clock.FromMillis(at)
	r.Account, r.Role, r.Outcome, r.Count, r.IP, r.Query = d.Account, d.Role, d.Outcome, d.Count, d.IP, d.Query
	if r.Outcome == "" {
		r.Outcome = OK
	}
	return r, nil
}

// Viewers answers 谁看过这张工单: every view, reveal and act on a ticket, newest
// first. It includes what is not sealed yet.
func (l *Log) Viewers(ctx context.Context, ticket int64, limit int) ([]View, error) {
	var rows []Row
	err := l.d.View(ctx, func(tx *db.Tx) (err error) {
		rows, err = db.All(tx, scanRow, selectRow+` WHERE a.subject_kind = 'ticket' AND a.subject_id = $1 ORDER BY a.id DESC LIMIT $2`, ticket, limit)
		return err
	})
	out := make([]View, len(rows))
	for i, r := range rows {
		out[i] = View{ID: r.ID, At: r.At, Actor: r.Actor, Account: r.Account, Role: r.Role, Unit: r.Unit, Op: r.Op, Outcome: r.Outcome, Reason: r.Reason}
	}
	return out, err
}

// maxPage bounds a page of a search.
const maxPage = 500

// Search lists entries, newest first, a page at a time; next is "" at the end.
// Ids are ordered in time, so times become bounds of the key.
func (l *Log) Search(ctx context.Context, f Filter, limit int) (rows []Row, next string, err error) {
	limit = min(max(limit, 1), maxPage)
	var args []any
	where := " WHERE a.id > " + arg(&args, lowest(f.From))
	if f.Cursor != "" {
		before, err := strconv.ParseInt(f.Cursor, 10, 64)
		if err != nil {
			return nil, "", fault.Invalid("cursor_invalid", "翻页位置无效，请重新查询。")
		}
		where += " AND a.id < " + arg(&args, before)
	}
	if !f.To.IsZero() {
		where += " AND a.id < " + arg(&args, db.FirstID(f.To))
	}
	if f.Actor != 0 {
		where += " AND a.actor = " + arg(&args, f.Actor)
	}
	if f.Unit != 0 {
		where += " AND a.unit = " + arg(&args, f.Unit)
	}
	if f.SubjectKind != "" {
		where += " AND a.subject_kind = " + arg(&args, f.SubjectKind)
	}
	if f.Subject != 0 {
		where += " AND a.subject_id = " + arg(&args, f.Subject)
	}
	if family, ok := strings.CutSuffix(f.Op, ".*"); ok {
		where += " AND a.kind LIKE " + arg(&args, strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(family)+".%") + " ESCAPE '!'"
	} else if f.Op != "" {
		where += " AND a.kind = " + arg(&args, f.Op)
	}
	query := selectRow + where + " ORDER BY a.id DESC LIMIT " + arg(&args, limit+1)
	err = l.d.View(ctx, func(tx *db.Tx) (err error) {
		rows, err = db.All(tx, scanRow, query, args...)
		return err
	})
	if err == nil && len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	return rows, next, err
}

// arg adds a value and answers its placeholder.
func arg(args *[]any, v any) string {
	*args = append(*args, v)
	return "$" + strconv.Itoa(len(*args))
}

func lowest(from time.Time) int64 {
	if from.IsZero() {
		return 0
	}
	return db.FirstID(from) - 1
}
