package access

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"hotline/internal/db"
	"hotline/internal/fault"
)

// Get finds an account by id. It fails with not_found account_absent.
func (s *Service) Get(ctx context.Context, id int64) (Account, error) {
	return s.one(ctx, `SELECT `+accountColumns+` FROM account WHERE id = $1`, id)
}

// ByUsername finds an account by its login name.
func (s *Service) ByUsername(ctx context.Context, username string) (Account, error) {
	return s.one(ctx, `SELECT `+accountColumns+` FROM account WHERE username = $1`, Username(username))
}

func (s *Service) one(ctx context.Context, query string, arg any) (a Account, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		a, err = db.One(tx, scanAccount, query, arg)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return a, errNoAccount()
	}
	return a, err
}

func errNoAccount() error { return fault.NotFound("account_absent", "账号不存在。") }

// Filter narrows a list of accounts; zero fields do not.
type Filter struct {
	Unit  int64 // exactly this unit
	Below int64 // this unit and all below it
	Role  Role
	State string
	Q     string // part of the login name or the name
}

// Accounts lists accounts by login name, a page at a time; pass the answered
// cursor to go on, "" is the end.
func (s *Service) Accounts(ctx context.Context, f Filter, cursor string, limit int) (page []Account, next string, err error) {
	limit = min(max(limit, 1), 500)
	tree := s.org.Tree()
	err = s.d.View(ctx, func(tx *db.Tx) error {
		page, next = nil, ""
		at := cursor
		for {
			rows, err := db.All(tx, scanAccount, `SELECT `+accountColumns+` FROM account WHERE username > $1
AND (CAST($2 AS BIGINT) = 0 OR unit = $2) AND ($3 = '' OR role = $3) AND ($4 = '' OR state = $4)
AND ($5 = '' OR username LIKE $6 ESCAPE '!' OR name LIKE $6 ESCAPE '!') ORDER BY username LIMIT $7`,
				at, f.Unit, string(f.Role), f.State, f.Q, like(f.Q), limit+1)
			if err != nil {
				return err
			}
			for i := range rows {
				at = rows[i].Username
				if f.Below != 0 && !tree.Under(f.Below, rows[i].Unit) {
					continue
				}
				if len(page) == limit {
					next = page[limit-1].Username
					return nil
				}
				page = append(page, rows[i])
			}
			if len(rows) <= limit {
				return nil
			}
		}
	})
	return page, next, err
}

// Names finds the display names of accounts, for timelines.
func (s *Service) Names(ctx context.Context, ids []int64) (map[int64]string, error) {
	out := make(map[int64]string, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	args := make([]any, len(ids))
	marks := make([]string, len(ids))
	for i, id := range ids {
		args[i], marks[i] = id, "$"+strconv.Itoa(i+1)
	}
	err := s.d.View(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(`SELECT id, name FROM account WHERE id IN (`+strings.Join(marks, ",")+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var name string
			if err := rows.Scan(&id, &name); err != nil {
				return err
			}
			out[id] = name
		}
		return rows.Err()
	})
	return out, err
}

// like makes a LIKE pattern of a literal part.
func like(q string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(q) + "%"
}
