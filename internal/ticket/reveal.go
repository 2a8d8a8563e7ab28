package ticket

import (
	"context"
	"slices"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/seal"
)

// RevealReasons are the purposes for which clear personal data may be asked.
var RevealReasons = []Term{{"contact", "联系诉求人"}, {"visit", "现场核实"}, {"callback", "回访"}, {"identity", "核对身份"}, {"complaint", "处理投诉"}, {"other", "其他工作需要"}}

// Revealable lists the fields that the actor may ask to see of the ticket by
// itself; for sealed ones see Requestable.
func (s *Service) Revealable(t *Ticket, actor access.Actor) []string {
	var out []string
	if t.Label == access.Informant {
		return out
	}
	for _, f := range []string{access.FieldPhone, access.FieldName, access.FieldAddress, access.FieldContent} {
		if s.mayReveal(t, actor, f) == nil {
			out = append(out, f)
		}
	}
	return out
}

// mayReveal applies the matrix: the role's reveal right on this label, and for
// a handler that his unit has signed the ticket and the citizen did not hide.
func (s *Service) mayReveal(t *Ticket, actor access.Actor, field string) error {
	refused := fault.Forbidden("reveal_forbidden", "您的岗位不能查看这项信息，请通过热线中转联系诉求人。")
	if !actor.May(access.Reveal) && !actor.May(access.Sealed) || access.RevealMask(actor.Role, t.Label) != access.Clear {
		return refused
	}
	if field == access.FieldPhone && t.MaskPhone == "" || field == access.FieldName && t.MaskName == "" {
		return refused
	}
	if actor.Role == access.Handler || actor.Role == access.BranchAgent {
		if t.Secrecy == SecrecyUnit || t.Secrecy == SecrecyAnonymous {
			return refused
		}
		for _, a := range t.Assignments {
			if a.Unit == actor.Unit && a.Signed > 0 && a.State != Returned && a.State != Revoked {
				return nil
			}
		}
		return fault.Forbidden("sign_first", "签收后才能查看诉求人信息。")
	}
	return nil
}

func knownPurpose(code string) bool {
	return slices.ContainsFunc(RevealReasons, func(r Term) bool { return r[0] == code })
}

// Reveal is the one path by which clear personal data leaves a ticket. The
// audit row commits first, in its own transaction: no row, no data. What 举报
// tickets hide opens only with a second person's approval (security design
// W-06), and everybody only as often a day as the account policy allows.
func (s *Service) Reveal(ctx context.Context, actor access.Actor, id int64, field, code, reason, ip string) (seal.Clear[string], error) {
	none := seal.Clear[string]{}
	if !knownPurpose(code) || code == "other" && len([]rune(reason)) < 10 {
		return none, fault.Invalid("reason_needed", "请选择查看目的；选“其他”须写明不少于10个字的理由。").At(fault.Field{Name: "reason", Detail: "请写明查看目的。"})
	}
	t, err := s.Get(ctx, actor, id)
	if err != nil {
		return none, err
	}
	if err := s.mayReveal(t, actor, field); err != nil {
		return none, err
	}
	over := false
	err = s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		if over, err = s.spendReveal(tx, actor); err != nil {
			return err
		}
		if over { // the refusal is kept, so it is committed
			return s.revealAudit(tx, actor, "reveal", id, code, field, "reveal_quota", ip)
		}
		if t.Label == access.Informant {
			if err := s.useApproval(tx, actor, t, field); err != nil {
				return err
			}
		}
		if err := s.revealAudit(tx, actor, "reveal", id, code, field, audit.OK, ip); err != nil {
			return err
		}
		return s.Append(tx, actor, id, "ticket.reveal", map[string]any{"field": field, "reason": code})
	})
	if err != nil {
		return none, err
	}
	if over {
		return none, errQuota(s.accountRules(actor.Unit).RevealsPerDay)
	}
	req, err := s.openRequester(t)
	if err != nil {
		return none, err
	}
	switch field {
	case access.FieldPhone:
		return seal.Reveal(req.Phone), nil
	case access.FieldName:
		return seal.Reveal(req.Name), nil
	}
	body, err := s.openBody(t)
	if field == access.FieldAddress {
		return seal.Reveal(body.Address), err
	}
	return seal.Reveal(body.Title + "\n" + body.Content), err
}
