package ticket

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Attachment is a file of a ticket (附件): a photo of the citizen or evidence
// of the unit. Its bytes lie sealed in package blob; who may open the ticket
// may open it.
type Attachment struct {
	ID   int64
	Name string
	Kind string // extension of the checked type
	Size int64
	Ref  string // blob reference
	By   int64
	Unit int64
	At   int64

	Ticket int64 // that it belongs to; 0 until a step or intake names it, -1 while it is removed
}

func scanAttachment(s db.Scanner) (a Attachment, err error) {
	return a, s.Scan(&a.ID, &a.Name, &a.Kind, &a.Size, &a.Ref, &a.By, &a.Unit, &a.At, &a.Ticket)
}

const attachmentColumns = `id, name, kind, size, ref, by_account, unit, at, ticket`

// Attach records a file that was stored; a later action or intake ties it to a ticket.
func (s *Service) Attach(ctx context.Context, actor access.Actor, a Attachment) (Attachment, error) {
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		a.ID, a.By, a.Unit, a.At = tx.NewID(), actor.Account, actor.Unit, tx.NowMS()
		_, err := tx.Exec(`INSERT INTO attachment (`+attachmentColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,0)`, a.ID, a.Name, a.Kind, a.Size, a.Ref, a.By, a.Unit, a.At)
		return err
	})
	return a, err
}

// Drop removes files that were stored for something that was then refused; one
// that became part of a ticket stays.
func (s *Service) Drop(ctx context.Context, files []Attachment, remove func(ctx context.Context, ref string) error) error {
	for _, a := range files {
		n := int64(0)
		err := s.DB.Update(ctx, func(tx *db.Tx) (err error) {
			n, err = tx.Exec(`DELETE FROM attachment WHERE id = $1 AND ticket <= 0`, a.ID)
			return err
		})
		if err == nil && n > 0 {
			err = remove(ctx, a.Ref)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Named tells which of some stored files have a row.
func (s *Service) Named(ctx context.Context, refs []string) (out []string, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.Among(tx, "attachment", "ref", refs)
		return err
	})
	return out, err
}

// Attachments lists the files of a loaded ticket.
func (s *Service) Attachments(ctx context.Context, t *Ticket) (out []Attachment, err error) {
	if len(t.Detail.Attach) == 0 {
		return nil, nil
	}
	var in []string
	var args []any
	for _, id := range t.Detail.Attach {
		args = append(args, id)
		in = append(in, "$"+strconv.Itoa(len(args)))
	}
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, scanAttachment, `SELECT `+attachmentColumns+` FROM attachment WHERE id IN (`+strings.Join(in, ",")+`) ORDER BY id`, args...)
		return err
	})
	return out, err
}

// attach ties uploaded files to the ticket. A file is its uploader's until then
// and belongs to one ticket ever after: its number, which anybody could guess,
// opens it to nobody else.
func (w *work) attach(files []int64) error {
	for _, id := range files {
		if slices.Contains(w.t.Detail.Attach, id) {
			continue
		}
		n, err := w.tx.Exec(`UPDATE attachment SET ticket = $1 WHERE id = $2 AND (ticket = $1 OR ticket = 0 AND by_account = $3)`, w.t.ID, id, w.actor.Account)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Invalid("file_unknown", "附件不存在、不是您上传的，或已属于另一张工单，请重新上传。").At(fault.Field{Name: "files", Detail: "请重新上传。"})
		}
		w.t.Detail.Attach = append(w.t.Detail.Attach, id)
	}
	return nil
}

// OpenAttachment gives a file's record to somebody who may read the ticket it
// belongs to, or, as long as it belongs to none, who uploaded it. ticket is the
// one that the reader thinks of; 0 leaves it open.
func (s *Service) OpenAttachment(ctx context.Context, actor access.Actor, ticket, id int64) (Attachment, error) {
	var a Attachment
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		if a, err = db.One(tx, scanAttachment, `SELECT `+attachmentColumns+` FROM attachment WHERE id = $1`, id); err != nil {
			return errNoAttachment()
		}
		if a.Ticket <= 0 {
			if a.Ticket < 0 {
				return errNoAttachment()
			}
			if a.By == actor.Account && a.By != 0 {
				return nil
			}
			return errNoAttachment()
		}
		t, err := load(tx, a.Ticket)
		if err != nil || ticket != 0 && ticket != a.Ticket || !s.sees(actor, t) || access.MaskOf(actor.Role, t.Label, access.FieldContent) == access.Absent {
			return errNoAttachment()
		}
		return nil
	})
	return a, err
}

// looseFor is how long a file may wait for the ticket it was sent for: a form
// left as a draft keeps it so long.
const looseFor = 30 * 24 * time.Hour

// DropLoose removes the files that were sent a month ago and became part of no
// ticket: nobody else may keep what a citizen did not submit. remove destroys a
// stored file and takes an absent one for removed.
func (s *Service) DropLoose(ctx context.Context, remove func(ctx context.Context, ref string) error) (n int, err error) {
	var loose []Attachment
	err = s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) (err error) {
		// What is marked can no longer be tied; a crash before the end leaves the mark.
		before := tx.Now().Add(-looseFor).UnixMilli()
		if _, err = tx.Exec(`UPDATE attachment SET ticket = -1 WHERE id IN (SELECT id FROM attachment WHERE ticket <= 0 AND at < $1 ORDER BY at LIMIT 200)`, before); err != nil {
			return err
		}
		loose, err = db.All(tx, scanAttachment, `SELECT `+attachmentColumns+` FROM attachment WHERE ticket <= 0 AND ticket = -1 ORDER BY at LIMIT 200`)
		return err
	})
	for _, a := range loose {
		if err == nil {
			err = remove(ctx, a.Ref)
		}
		if err == nil {
			err = s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
				_, err := tx.Exec(`DELETE FROM attachment WHERE id = $1 AND ticket = -1`, a.ID)
				return err
			})
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, err
}

func errNoAttachment() error {
	return fault.NotFound("attachment_not_found", "没有找到这个附件，或您无权查看。")
}
