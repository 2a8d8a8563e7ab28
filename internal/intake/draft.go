package intake

import (
	"context"
	"encoding/json"
	"fmt"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Schema is the room's tables.
func Schema() db.Schema {
	return db.Schema{Name: "intake", Steps: []db.Step{{SQL: `
CREATE TABLE draft (
  account BIGINT NOT NULL,
  id TEXT NOT NULL,
  dek BYTEA NOT NULL,
  body BYTEA NOT NULL,
  updated BIGINT NOT NULL,
  PRIMARY KEY (account, id)
)`}}}
}

// Draft is a form that a seat has not submitted yet (草稿). It survives a crash
// of the browser and a change of desk, and is sealed like a ticket.
type Draft struct {
	ID        string         `json:"id"`
	Title     string         `json:"title"`
	Body      map[string]any `json:"body"`
	UpdatedAt string         `json:"updated_at"`
}

const (
	maxDrafts    = 30
	maxDraftSize = 200_000
)

func draftAD(account int64, id string) string { return fmt.Sprintf("draft|%d|%s", account, id) }

// SaveDraft keeps the latest state of a form.
func (s *Service) SaveDraft(ctx context.Context, account int64, id, title string, body map[string]any) (Draft, error) {
	d := Draft{ID: id, Title: title, Body: body}
	plain, err := json.Marshal(d)
	if err != nil || len(plain) > maxDraftSize || id == "" {
		return d, fault.Invalid("draft_too_large", "草稿内容太大，请删减后再存。")
	}
	key, wrapped, err := s.tickets.Ring.NewKey()
	if err != nil {
		return d, err
	}
	sealed := key.Seal(draftAD(account, id), string(plain))
	err = s.tickets.DB.Update(ctx, func(tx *db.Tx) error {
		n, err := db.Int(tx, `SELECT count(*) FROM draft WHERE account = $1 AND id <> $2`, account, id)
		if err != nil {
			return err
		}
		if n >= maxDrafts {
			return fault.Conflict("too_many_drafts", "草稿已满%d份，请先提交或删除。", maxDrafts)
		}
		d.UpdatedAt = tx.Now().In(clock.Shanghai).Format("2006-01-02T15:04:05+08:00")
		_, err = tx.Exec(`INSERT INTO draft (account, id, dek, body, updated) VALUES ($1,$2,$3,$4,$5)
 ON CONFLICT (account, id) DO UPDATE SET dek = excluded.dek, body = excluded.body, updated = excluded.updated`, account, id, wrapped, []byte(sealed), tx.NowMS())
		return err
	})
	return d, err
}

// Drafts lists an account's drafts, newest first.
func (s *Service) Drafts(ctx context.Context, account int64) ([]Draft, error) {
	out := []Draft{}
	err := s.tickets.DB.View(ctx, func(tx *db.Tx) error {
		type row struct {
			id        string
			dek, body []byte
			at        int64
		}
		rows, err := db.All(tx, func(sc db.Scanner) (r row, err error) { return r, sc.Scan(&r.id, &r.dek, &r.body, &r.at) },
			`SELECT id, dek, body, updated FROM draft WHERE account = $1 ORDER BY updated DESC`, account)
		for _, r := range rows {
			key, err := s.tickets.Ring.OpenKey(r.dek)
			if err != nil {
				return err
			}
			plain, err := key.Open(draftAD(account, r.id), r.body)
			if err != nil {
				return err
			}
			var d Draft
			if err := json.Unmarshal([]byte(plain), &d); err != nil {
				return err
			}
			d.UpdatedAt = clock.FromMillis(r.at).Format("2006-01-02T15:04:05+08:00")
			out = append(out, d)
		}
		return err
	})
	return out, err
}

// DropDraft removes a draft; removing an absent one is no error.
func (s *Service) DropDraft(ctx context.Context, account int64, id string) error {
	return s.tickets.DB.Update(ctx, func(tx *db.Tx) error { return s.DropDraftTx(tx, account, id) })
}

// DropDraftTx removes a draft with the ticket that it became.
func (s *Service) DropDraftTx(tx *db.Tx, account int64, id string) error {
	_, err := tx.Exec(`DELETE FROM draft WHERE account = $1 AND id = $2`, account, id)
	return err
}
