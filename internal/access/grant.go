package access

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// States of a grant.
const (
	GrantProposed = "proposed" // 待批准
	GrantApproved = "approved" // 已批准
	GrantRefused  = "refused"  // 不批准
)

// Grants (授权) is a role in a unit, proposed by a system administrator for an
// account, decided by a security administrator and seen by the auditor. It is
// created by CreateAccount or ProposeGrant and decided once.
type Grants struct {
	ID         int64
	Account    int64
	Role       Role
	Unit       int64
	Region     string
	Reason     string
	State      string
	ProposedBy int64
	ProposedAt time.Time
	DecidedBy  int64
	DecidedAt  time.Time
	Opinion    string
}

const grantColumns = `id, account, role, unit, region, reason, state, proposed_by, proposed_at, decided_by, decided_at, opinion`

func scanGrant(r db.Scanner) (Grants, error) {
	var g Grants
	var proposed, decided int64
	err := r.Scan(&g.ID, &g.Account, &g.Role, &g.Unit, &g.Region, &g.Reason, &g.State, &g.ProposedBy, &proposed, &g.DecidedBy, &decided, &g.Opinion)
	g.ProposedAt = clock.FromMillis(proposed)
	if decided != 0 {
		g.DecidedAt = clock.FromMillis(decided)
	}
	return g, err
}

func (s *Service) insertGrant(tx *db.Tx, by Actor, g *Grants) error {
	g.ID, g.State, g.ProposedBy, g.ProposedAt = tx.NewID(), GrantProposed, by.Account, tx.Now()
	_, err := tx.Exec(`INSERT INTO account_grant (`+grantColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, '')`,
		g.ID, g.Account, string(g.Role), g.Unit, g.Region, g.Reason, g.State, g.ProposedBy, tx.NowMS())
	if db.IsUnique(err) {
		return fault.Conflict("grant_open", "该账号已有一项待批准的授权，请等待批准后再提出。").Because(err)
	}
	if err != nil {
		return err
	}
	e := entry(by, "grant.propose", g.Account)
	e.Query = string(g.Role)
	return s.log.Record(tx, e)
}

// ProposeGrant asks for another role or unit for an account. It fails with
// conflict admin_roles_exclusive or grant_open, and forbidden as CreateAccount.
func (s *Service) ProposeGrant(ctx context.Context, by Actor, g Grants) (Grants, error) {
	u, ok := s.org.Tree().Get(g.Unit)
	switch {
	case !g.Role.Valid() || g.Role == Citizen:
		return g, fault.Invalid("account_invalid", "请选择角色。").At(fault.Field{Name: "role", Detail: "请选择角色。"})
	case !ok || !u.Active:
		return g, fault.Invalid("account_invalid", "所属单位不存在或已停用。").At(fault.Field{Name: "unit", Detail: "所属单位不存在或已停用。"})
	case len([]rune(strings.TrimSpace(g.Reason))) < 4 || len([]rune(g.Reason)) > 200:
		return g, fault.Invalid("account_invalid", "请用4至200个字说明授权理由。").At(fault.Field{Name: "reason", Detail: "请用4至200个字说明授权理由。"})
	case !s.mayAdminister(s.org.Tree(), by, g.Unit):
		return g, errNotYours()
	}
	if g.Region == "" {
		g.Region = u.Region[:min(6, len(u.Region))]
	}
	err := s.administer(ctx, by, g.Account, "grant.check", func(tx *db.Tx, acc *Account) error {
		if acc.Role.Family() != g.Role.Family() {
			return exclusive()
		}
		return s.insertGrant(tx, by, &g)
	})
	return g, err
}

func exclusive() error {
	return fault.Conflict("admin_roles_exclusive", "系统管理员、安全管理员、审计管理员相互排斥，且不得兼任业务角色，请另指定人员。")
}

// DecideGrant approves or refuses a proposal. Who proposed it, and whom it is
// for, cannot decide it. An approval takes effect at once and ends the
// account's sessions. It fails with not_found grant_absent, conflict
// grant_decided and forbidden grant_self or verb_denied.
func (s *Service) DecideGrant(ctx context.Context, by Actor, id int64, approve bool, opinion string) error {
	if !by.May(GrantApprove) {
		return fault.Forbidden("verb_denied", "只有安全管理员可以批准授权。")
	}
	tree := s.org.Tree()
	return s.d.Update(ctx, func(tx *db.Tx) error {
		g, err := db.One(tx, scanGrant, `SELECT `+grantColumns+` FROM account_grant WHERE id = $1`, id)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("grant_absent", "没有这项授权申请。")
		}
		if err != nil {
			return err
		}
		p := tree.Platform(by.Unit)
		switch {
		case g.State != GrantProposed:
			return fault.Conflict("grant_decided", "这项授权已由他人处理，请刷新。")
		case by.Account == g.ProposedBy || by.Account == g.Account:
			return fault.Forbidden("grant_self", "不能批准本人提出的或给本人的授权。")
		case !by.System && (p.ID == 0 || !tree.Under(p.ID, g.Unit)):
			return errNotYours()
		}
		g.State = GrantRefused
		if approve {
			g.State = GrantApproved
		}
		n, err := tx.Exec(`UPDATE account_grant SET state = $1, decided_by = $2, decided_at = $3, opinion = $4 WHERE id = $5 AND state = 'proposed'`,
			g.State, by.Account, tx.NowMS(), opinion, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Conflict("grant_decided", "这项授权已由他人处理，请刷新。")
		}
		if approve {
			if err := s.applyGrant(tx, &g); err != nil {
				return err
			}
		}
		e := entry(by, "grant."+g.State, g.Account)
		e.Query = string(g.Role)
		return s.log.Record(tx, e)
	})
}

// applyGrant gives the account its role. The constraint on the person is
// checked again: it may have been entered on another side since.
func (s *Service) applyGrant(tx *db.Tx, g *Grants) error {
	var person string
	if err := tx.QueryRow(`SELECT person FROM account WHERE id = $1`, g.Account).Scan(&person); err != nil {
		return err
	}
	if err := holdToFamily(tx, person, g.Role); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE account SET role = $1, unit = $2, region = $3, state = CASE WHEN state = 'pending' THEN 'active' ELSE state END,
version = version + 1 WHERE id = $4`, string(g.Role), g.Unit, g.Region, g.Account); err != nil {
		return err
	}
	if err := s.endSessions(tx, g.Account, 0, 0); err != nil {
		return err
	}
	return s.forget(tx, g.Account, 0)
}

// PendingGrants lists what waits for a decision, oldest first.
func (s *Service) PendingGrants(ctx context.Context, limit int) ([]Grants, error) {
	return s.grantList(ctx, `SELECT `+grantColumns+` FROM account_grant WHERE state = 'proposed' ORDER BY id LIMIT $1`, limit)
}

// GrantHistory lists proposals of any state, newest first, before an id (0 =
// from the newest), for the auditor.
func (s *Service) GrantHistory(ctx context.Context, before int64, limit int) ([]Grants, error) {
	return s.grantList(ctx, `SELECT `+grantColumns+` FROM account_grant WHERE CAST($1 AS BIGINT) = 0 OR id < $1 ORDER BY id DESC LIMIT $2`, before, limit)
}

func (s *Service) grantList(ctx context.Context, query string, args ...any) (out []Grants, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanGrant, query, args...)
		return err
	})
	return out, err
}

func joinSkills(skills []string) string { return strings.Join(skills, ",") }
