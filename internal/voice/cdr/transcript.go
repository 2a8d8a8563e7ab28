package cdr

import (
	"context"
	"fmt"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/seal"
	"hotline/internal/zh"
)

// Utterance is a sentence of a call as a recognizer understood it (转写). It is
// sealed under the key of its call, with a redacted rendition beside it, and
// lives as long as the recording does.
type Utterance struct {
	ID, Call int64
	Who      string // caller, seat, external
	Seat     int64  // account of the seat that spoke
	From, To int64  // ms UTC
	Text     string // redacted, or in the clear where Transcript was asked for that
	Source   string // name of the recognizer

	sealed seal.Field
}

// WhoWord is a speaker in Chinese.
func WhoWord(who string) string {
	return map[string]string{"caller": "诉求人", "seat": "座席", "external": "转接对象"}[who]
}

func transcriptAD(call, id int64) string { return fmt.Sprintf("voice_transcript|%d|%d|body", call, id) }

// SealUtterance prepares what was said for SaveUtterance, outside any transaction.
func (s *Service) SealUtterance(c *Call, u Utterance) (Utterance, error) {
	key, err := s.Ring.OpenKey(c.dek)
	if err != nil {
		return u, err
	}
	u.Call = c.ID
	u.sealed = key.Seal(transcriptAD(c.ID, u.ID), u.Text)
	u.Text = zh.Redact(u.Text)
	return u, nil
}

// SaveUtterance writes a sealed sentence.
func (s *Service) SaveUtterance(tx *db.Tx, u Utterance) error {
	_, err := tx.Exec(`INSERT INTO voice_transcript (id, call_id, who, seat, from_at, to_at, body, redacted, source) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
		u.ID, u.Call, u.Who, u.Seat, u.From, u.To, u.sealed, u.Text, u.Source)
	return err
}

// Transcript reads what was said in a call within the actor's scope: redacted,
// or in the clear for those who may hear its recording. The entry of the audit
// comes first. A sealed case's call is read by nobody else, not even redacted.
func (s *Service) Transcript(ctx context.Context, log *audit.Log, a access.Actor, id int64, clear bool) ([]Utterance, error) {
	d, err := s.Get(ctx, a, id)
	if err != nil {
		return nil, err
	}
	if clear && !a.May(access.Listen) && a.Role != access.Cell {
		return nil, fault.Forbidden("role_forbidden", "您的岗位不能查看转写原文。")
	}
	if err := s.unsealed(ctx, a, d.Call); err != nil {
		return nil, err
	}
	why := "redacted"
	if clear {
		why = "clear"
	}
	if err := log.Seen(ctx, audit.Entry{Actor: a.Account, Account: a.Username, Role: string(a.Role), Unit: a.Unit, Op: "call.transcript", SubjectKind: "call", Subject: id, Count: 1, IP: a.IP, Query: why}); err != nil {
		return nil, err
	}
	var out []Utterance
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, func(sc db.Scanner) (u Utterance, err error) {
			return u, sc.Scan(&u.ID, &u.Call, &u.Who, &u.Seat, &u.From, &u.To, &u.sealed, &u.Text, &u.Source)
		}, `SELECT id, call_id, who, seat, from_at, to_at, body, redacted, source FROM voice_transcript WHERE call_id = $1 ORDER BY from_at, id`, id)
		return err
	})
	if err != nil || !clear || len(out) == 0 {
		return out, err
	}
	key, err := s.Ring.OpenKey(d.Call.dek)
	if err != nil {
		return nil, err
	}
	for i, u := range out {
		if out[i].Text, err = key.Open(transcriptAD(id, u.ID), u.sealed); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// unsealed refuses a call whose ticket the actor is not cleared for (举报).
func (s *Service) unsealed(ctx context.Context, a access.Actor, c *Call) error {
	if c.Ticket == 0 {
		return nil
	}
	var label access.Label
	err := s.DB.View(ctx, func(tx *db.Tx) error {
		t, err := s.Tickets.Peek(tx, c.Ticket)
		if err == nil {
			label = t.Label
		}
		return err
	})
	if err == nil && !a.Cleared(label) {
		err = fault.Forbidden("recording_sealed", "这通电话的录音和转写已随工单封存，只有专办人员经批准可以收听和查看。")
	}
	return err
}
