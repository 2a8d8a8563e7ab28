package cdr

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// Special is a number of the special list (特殊名单): such calls wait at the end
// of the queue and are announced as such. They are never cut off: a person who
// stays on the line reaches a seat, so that an emergency is never lost.
type Special struct {
	ID, Platform        int64
	Masked              string
	Kind                string // harass 骚扰, abuse 辱骂, repeat 无理重复, care 特别关怀
	Reason              string
	Applicant, Approver int64
	State               string // pending, active, rejected, lifted
	Expires, Made       int64
	Key                 string // hex of the blind index
}

// SpecialKinds are the kinds with their Chinese words.
var SpecialKinds = map[string]string{"harass": "骚扰", "abuse": "辱骂", "repeat": "无理重复", "care": "特别关怀"}

// SpecialStates are the states with their Chinese words.
var SpecialStates = map[string]string{"pending": "待审批", "active": "生效中", "rejected": "未批准", "lifted": "已解除"}

const specialColumns = `id, platform, number_bi, masked, kind, reason, applicant, approver, state, expires, made`

func scanSpecial(sc db.Scanner) (x Special, err error) {
	var bi []byte
	err = sc.Scan(&x.ID, &x.Platform, &bi, &x.Masked, &x.Kind, &x.Reason, &x.Applicant, &x.Approver, &x.State, &x.Expires, &x.Made)
	x.Key = hex.EncodeToString(bi)
	return x, err
}

// maxSpecial is how long an entry may last before it is asked for anew.
const maxSpecial = 181 * 24 * 3600 * 1000 // 180 days and the rest of the last

// ProposeSpecial asks for a number to be put on the list. platform is whose
// list it is.
func (s *Service) ProposeSpecial(ctx context.Context, log *audit.Log, by access.Actor, platform int64, number, kind, reason string, expires int64) (Special, error) {
	p, ok := zh.NormalizePhone(number)
	now := s.DB.Clock().Now().UnixMilli()
	switch {
	case !ok:
		return Special{}, fault.Invalid("phone_invalid", "电话号码格式不正确。").At(fault.Field{Name: "number", Detail: "请输入手机号或带区号的固定电话。"})
	case SpecialKinds[kind] == "":
		return Special{}, fault.Invalid("special_kind", "请选择列入原因类别。").At(fault.Field{Name: "kind", Detail: "请选择类别。"})
	case zh.Len(strings.TrimSpace(reason)) < 5 || zh.Len(reason) > 300:
		return Special{}, fault.Invalid("reason_needed", "请写明列入理由（5至300字），并附可核查的通话时间。").At(fault.Field{Name: "reason", Detail: "应为5至300字。"})
	case expires <= now || expires > now+maxSpecial:
		return Special{}, fault.Invalid("special_expires", "有效期应在180天以内。").At(fault.Field{Name: "expires", Detail: "请选择180天以内的日期。"})
	}
	x := Special{Platform: platform, Masked: zh.MaskPhone(p), Kind: kind, Reason: zh.Redact(strings.TrimSpace(reason)), Applicant: by.Account, State: "pending", Expires: expires}
	bi := s.BlindNumber(p)
	x.Key = hex.EncodeToString(bi)
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		x.ID, x.Made = tx.NewID(), tx.NowMS()
		if _, err := tx.Exec(`INSERT INTO voice_special (`+specialColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,0,'pending',$8,$9)`, x.ID, x.Platform, bi, x.Masked, x.Kind, x.Reason, x.Applicant, x.Expires, x.Made); err != nil {
			return err
		}
		return log.Record(tx, entryOf(by, "special.propose", x.ID, x.Reason))
	})
	return x, err
}

// DecideSpecial approves, rejects or lifts an entry; nobody decides on his own
// proposal.
func (s *Service) DecideSpecial(ctx context.Context, log *audit.Log, by access.Actor, id int64, decision string) (Special, error) {
	var x Special
	err := s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		if x, err = db.One(tx, scanSpecial, `SELECT `+specialColumns+` FROM voice_special WHERE id = $1`, id); err != nil || !s.mine(by, x.Platform) {
			return fault.NotFound("special_absent", "没有这条名单记录，或它不在您的管理范围内。")
		}
		to := map[string]string{"approve": "active", "reject": "rejected", "lift": "lifted"}[decision]
		from := map[string]string{"approve": "pending", "reject": "pending", "lift": "active"}[decision]
		switch {
		case to == "":
			return fault.Invalid("decision_invalid", "请选择批准、不批准或解除。")
		case x.State != from:
			return fault.Conflict("special_moved", "这条记录现为“%s”，不能这样处理。", SpecialStates[x.State])
		case decision == "approve" && x.Expires <= tx.NowMS():
			return fault.Conflict("special_expired", "所提的有效期已过，不能批准；仍需列入请重新提出。")
		case decision == "approve" && x.Applicant == by.Account:
			return fault.Forbidden("two_persons", "列入特殊名单须由另一人批准。")
		}
		x.State, x.Approver = to, by.Account
		if _, err := tx.Exec(`UPDATE voice_special SET state = $1, approver = $2 WHERE id = $3`, to, by.Account, id); err != nil {
			return err
		}
		return log.Record(tx, entryOf(by, "special."+decision, id, ""))
	})
	return x, err
}

func entryOf(by access.Actor, op string, subject int64, reason string) audit.Entry {
	return audit.Entry{Actor: by.Account, Account: by.Username, Role: string(by.Role), Unit: by.Unit, Op: op, SubjectKind: "special", Subject: subject, Reason: reason, Count: 1, IP: by.IP}
}

// mine tells whether a platform's list is the actor's to keep.
func (s *Service) mine(a access.Actor, platform int64) bool {
	if a.System {
		return true
	}
	tree := s.Org.Tree()
	return tree.Platform(a.Unit).ID == platform || tree.Under(a.Unit, platform)
}

// Specials lists the entries of an actor's platform, newest first.
func (s *Service) Specials(ctx context.Context, a access.Actor, state string) (out []Special, err error) {
	args, where := []any{state}, "1 = 1"
	if !a.System {
		var marks []string
		for _, p := range append(s.Platforms(a.Unit), s.Org.Tree().Platform(a.Unit).ID) {
			args = append(args, p)
			marks = append(marks, "$"+strconv.Itoa(len(args)))
		}
		where = "platform IN (" + strings.Join(marks, ",") + ")"
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanSpecial, `SELECT `+specialColumns+` FROM voice_special WHERE (CAST($1 AS TEXT) = '' OR state = $1) AND `+where+` ORDER BY id DESC LIMIT 500`, args...)
		return err
	})
	return out, err
}

// ActiveSpecials lists what is in force now, on all platforms.
func (s *Service) ActiveSpecials(ctx context.Context) (out []Special, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanSpecial, `SELECT `+specialColumns+` FROM voice_special WHERE state = 'active' AND expires > $1`, tx.NowMS())
		return err
	})
	return out, err
}
