package cdr

import (
	"context"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// Hold (封存) keeps a call's recordings and words from being destroyed until
// somebody lifts it: 诉讼保全, 公安调取. It is made by a 班长, 督办 or 省级管理 of
// the call's centre and is never deleted.
type Hold struct {
	ID, Call     int64
	Reason       string // 依据, without personal data
	By, Made     int64
	Lifted       int64 // ms UTC, 0 = in force
	LiftedBy     int64
	LiftReason   string
	Masked, Line string // of the call
	Began        int64
}

const holdColumns = `h.id, h.call_id, h.reason, h.made_by, h.made, h.lifted, h.lifted_by, h.lift_reason`

func (h *Hold) into() []any {
	return []any{&h.ID, &h.Call, &h.Reason, &h.By, &h.Made, &h.Lifted, &h.LiftedBy, &h.LiftReason}
}

func scanHold(sc db.Scanner) (h Hold, err error) {
	err = sc.Scan(h.into()...)
	return h, err
}

// HoldOf are the holds of a call, newest first.
func (s *Service) HoldOf(tx *db.Tx, call int64) ([]Hold, error) {
	return db.All(tx, scanHold, `SELECT `+holdColumns+` FROM voice_hold h WHERE h.call_id = $1 ORDER BY h.id DESC`, call)
}

func holdReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if zh.Len(reason) < 5 || zh.Len(reason) > 200 {
		return "", fault.Invalid("reason_needed", "请写明依据（5至200字），如调取文书的名称和文号。").At(fault.Field{Name: "reason", Detail: "应为5至200字。"})
	}
	return zh.Redact(reason), nil
}

// HoldCall puts a call within the actor's scope on hold. It fails with
// reason_needed, call_absent, hold_exists, hold_late (everything is destroyed).
func (s *Service) HoldCall(ctx context.Context, log *audit.Log, by access.Actor, call int64, reason string) (h Hold, err error) {
	if reason, err = holdReason(reason); err != nil {
		return h, err
	}
	d, err := s.Get(ctx, by, call)
	if err != nil {
		return h, err
	}
	if err := s.unsealed(ctx, by, d.Call); err != nil {
		return h, err
	}
	h = Hold{Call: call, Reason: reason, By: by.Account, Masked: d.Call.Masked, Line: d.Call.Line, Began: d.Call.Began}
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		if err := lock(tx, call); err != nil {
			return err
		}
		left, err := db.Int(tx, `SELECT (SELECT count(*) FROM voice_recording WHERE call_id = $1 AND state <> 'expired') + (SELECT count(*) FROM voice_transcript WHERE call_id = $1)`, call)
		if err != nil {
			return err
		}
		talked, err := s.Talked(tx, call)
		if err != nil {
			return err
		}
		if left == 0 && !talked && d.Call.EndedAt > 0 {
			return fault.Conflict("hold_late", "这通电话没有录音、转写和文字会话，或已按期销毁，无可封存。")
		}
		if n, err := db.Int(tx, `SELECT count(*) FROM voice_hold WHERE call_id = $1 AND lifted = 0`, call); err != nil || n > 0 {
			if err == nil {
				err = fault.Conflict("hold_exists", "这通电话已经封存。")
			}
			return err
		}
		h.ID, h.Made = tx.NewID(), tx.NowMS()
		if _, err := tx.Exec(`INSERT INTO voice_hold (id, call_id, reason, made_by, made, lifted, lifted_by, lift_reason) VALUES ($1,$2,$3,$4,$5,0,0,'')`, h.ID, h.Call, h.Reason, h.By, h.Made); err != nil {
			return err
		}
		return log.Record(tx, callEntry(by, "call.hold", call, reason))
	})
	return h, err
}

// LiftHold lets the period of a call count again (解除封存). It fails with
// reason_needed, call_absent, hold_absent.
func (s *Service) LiftHold(ctx context.Context, log *audit.Log, by access.Actor, call int64, reason string) (err error) {
	if reason, err = holdReason(reason); err != nil {
		return err
	}
	d, err := s.Get(ctx, by, call)
	if err != nil {
		return err
	}
	if err := s.unsealed(ctx, by, d.Call); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE voice_hold SET lifted = $1, lifted_by = $2, lift_reason = $3 WHERE call_id = $4 AND lifted = 0`, tx.NowMS(), by.Account, reason, call)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Conflict("hold_absent", "这通电话没有封存，或已解除。")
		}
		return log.Record(tx, callEntry(by, "call.unhold", call, reason))
	})
}

// Holds lists the holds within the actor's scope, newest first; lifted ones too
// when all is asked for.
func (s *Service) Holds(ctx context.Context, a access.Actor, all bool) (out []Hold, err error) {
	var args []any
	where := s.where(a, &args)
	if !all {
		where += ` AND h.lifted = 0`
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, func(sc db.Scanner) (h Hold, err error) {
			err = sc.Scan(append(h.into(), &h.Masked, &h.Line, &h.Began)...)
			return h, err
		}, `SELECT `+holdColumns+`, c.masked, c.line, c.began FROM voice_hold h JOIN voice_call c ON c.id = h.call_id WHERE `+where+` ORDER BY h.id DESC LIMIT 500`, args...)
		return err
	})
	return out, err
}

func callEntry(by access.Actor, op string, call int64, reason string) audit.Entry {
	e := entryOf(by, op, call, reason)
	e.SubjectKind = "call"
	return e
}
