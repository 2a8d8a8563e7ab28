package ticket

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// States of a RevealRequest.
const (
	RevealPending  = "pending"  // 待批准
	RevealApproved = "approved" // 已批准，待查看
	RevealRefused  = "refused"  // 不批准
	RevealUsed     = "used"     // 已查看
	RevealExpired  = "expired"  // 已过期
)

// RevealRequest (密封信息查看申请) asks for one field of one 举报 ticket, which
// nobody opens alone (security design W-06). It is made by RequestReveal,
// decided once by a second person, and used by Reveal.
type RevealRequest struct {
	ID, Ticket, Platform int64
	Account, Unit        int64 // who asks
	Field, Purpose       string
	State                string
	At, Expires          int64 // after that it can be neither decided nor begun to be used
	Decider, DecidedAt   int64
	UsedAt, Until        int64 // until then it may be used again
	Number, Type, Reason string
	Opinion              string

	key, reason, opinion []byte
}

const revealColumns = `r.id, r.ticket, r.platform, r.account, r.unit, r.field, r.purpose, r.state, r.at, r.expires, r.decider, r.decided_at, r.used_at, r.until, r.reason, r.opinion, t.number, t.type, t.dek`

func scanReveal(sc db.Scanner) (*RevealRequest, error) {
	r := &RevealRequest{}
	return r, sc.Scan(&r.ID, &r.Ticket, &r.Platform, &r.Account, &r.Unit, &r.Field, &r.Purpose, &r.State, &r.At, &r.Expires, &r.Decider, &r.DecidedAt, &r.UsedAt, &r.Until, &r.reason, &r.opinion,
		&r.Number, &r.Type, &r.key)
}

// revealSchema is the second step of Schema.
const revealSchema = `
CREATE TABLE reveal_request (
  id BIGINT PRIMARY KEY,
  ticket BIGINT NOT NULL,
  platform BIGINT NOT NULL,
  account BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  field TEXT NOT NULL,
  purpose TEXT NOT NULL,
  reason BYTEA NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'refused', 'used', 'expired')),
  at BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  decider BIGINT NOT NULL DEFAULT 0,
  decided_at BIGINT NOT NULL DEFAULT 0,
  opinion BYTEA,
  used_at BIGINT NOT NULL DEFAULT 0,
  until BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX reveal_request_open ON reveal_request(ticket, account, field) WHERE state IN ('pending', 'approved');
CREATE INDEX reveal_request_account ON reveal_request(account, id);
CREATE INDEX reveal_request_platform ON reveal_request(platform, state, id);
CREATE TABLE reveal_day (
  account BIGINT NOT NULL,
  day TEXT NOT NULL,
  unit BIGINT NOT NULL,
  platform BIGINT NOT NULL,
  used BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  seen_by BIGINT NOT NULL DEFAULT 0,
  seen_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account, day)
);
CREATE INDEX reveal_day_platform ON reveal_day(platform, day);
CREATE INDEX reveal_day_refused ON reveal_day(platform) WHERE refused > 0 AND seen_at = 0`

func revealAD(id int64, field string) string { return fmt.Sprintf("reveal_request|%d|%s", id, field) }

// accountRules is the account policy in force for a unit.
func (s *Service) accountRules(unit int64) access.Rules {
	if s.Access == nil {
		return access.StrictRules()
	}
	return s.Access.Rules(unit)
}

// Requestable lists the sealed fields that the actor may ask a second person for.
func (s *Service) Requestable(t *Ticket, actor access.Actor) []string {
	out := []string{}
	if t.Label != access.Informant {
		return out
	}
	for _, f := range []string{access.FieldPhone, access.FieldName, access.FieldAddress, access.FieldContent} {
		if s.mayReveal(t, actor, f) == nil {
			out = append(out, f)
		}
	}
	return out
}

// RequestReveal asks a second person for one sealed field of a ticket. It fails
// with invalid reason_needed or not_sealed, forbidden reveal_forbidden and
// conflict reveal_request_open.
func (s *Service) RequestReveal(ctx context.Context, actor access.Actor, id int64, field, purpose, reason, ip string) (*RevealRequest, error) {
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); !knownPurpose(purpose) || n < 10 || n > 200 {
		return nil, fault.Invalid("reason_needed", "请选择查看目的，并用10至200个字写明理由。").At(fault.Field{Name: "reason", Detail: "请用10至200个字写明理由。"})
	}
	t, err := s.Get(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if t.Label != access.Informant {
		return nil, fault.Invalid("not_sealed", "只有举报件的身份信息须经第二人批准，这张工单可以直接查看。")
	}
	if err := s.mayReveal(t, actor, field); err != nil {
		return nil, err
	}
	key, err := s.Ring.OpenKey(t.Key)
	if err != nil {
		return nil, fmt.Errorf("ticket %d: open key: %w", id, err)
	}
	life := time.Duration(s.accountRules(actor.Unit).SealedHours) * time.Hour
	var made int64
	err = s.DB.Update(ctx, func(tx *db.Tx) error {
		if err := s.expireReveals(tx, `account = $2 AND ticket = $3`, actor.Account, id); err != nil {
			return err
		}
		made = tx.NewID()
		n, err := tx.Exec(`INSERT INTO reveal_request (id, ticket, platform, account, unit, field, purpose, reason, state, at, expires) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'pending',$9,$10)
 ON CONFLICT (ticket, account, field) WHERE state IN ('pending', 'approved') DO NOTHING`,
			made, id, t.Platform, actor.Account, actor.Unit, field, purpose, []byte(key.Seal(revealAD(made, "reason"), reason)), tx.NowMS(), tx.NowMS()+life.Milliseconds())
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Conflict("reveal_request_open", "您已申请查看这项信息，请等待批准，或在批准后直接查看。")
		}
		return s.revealAudit(tx, actor, "reveal.request", id, purpose, field, "", ip)
	})
	if err != nil {
		return nil, err
	}
	return s.revealRequest(ctx, made)
}

// DecideReveal approves or refuses a request with an opinion. The second person
// holds the right to approve on the ticket's platform or above it, is not who
// asks (under any account), and is not of a unit that handles the ticket.
func (s *Service) DecideReveal(ctx context.Context, actor access.Actor, id int64, approve bool, opinion, ip string) (*RevealRequest, error) {
	opinion = strings.TrimSpace(opinion)
	if n := utf8.RuneCountInString(opinion); n < 4 || n > 200 {
		return nil, fault.Invalid("opinion_needed", "请用4至200个字写明审批意见。").At(fault.Field{Name: "opinion", Detail: "请用4至200个字写明审批意见。"})
	}
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		r, err := loadReveal(tx, id)
		if err != nil {
			return err
		}
		if err := s.mayDecide(tx, actor, r); err != nil {
			return err
		}
		if r.stateAt(tx.NowMS()) != RevealPending {
			return fault.Conflict("reveal_request_closed", "这项申请已处理或已过期，请刷新。")
		}
		key, err := s.Ring.OpenKey(r.key)
		if err != nil {
			return fmt.Errorf("ticket %d: open key: %w", r.Ticket, err)
		}
		state, op := RevealRefused, "reveal.refuse"
		expires := r.Expires
		if approve {
			state, op = RevealApproved, "reveal.approve"
			expires = tx.NowMS() + (time.Duration(s.accountRules(r.Unit).SealedHours) * time.Hour).Milliseconds()
		}
		n, err := tx.Exec(`UPDATE reveal_request SET state = $1, decider = $2, decided_at = $3, opinion = $4, expires = $5 WHERE id = $6 AND state = 'pending'`,
			state, actor.Account, tx.NowMS(), []byte(key.Seal(revealAD(id, "opinion"), opinion)), expires, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Conflict("reveal_request_closed", "这项申请已处理或已过期，请刷新。")
		}
		return s.revealAudit(tx, actor, op, r.Ticket, r.Purpose, r.Field, "", ip)
	})
	if err != nil {
		return nil, err
	}
	return s.revealRequest(ctx, id)
}

func (s *Service) mayDecide(tx *db.Tx, actor access.Actor, r *RevealRequest) error {
	tree := s.Org.Tree()
	if p := tree.Platform(actor.Unit); !actor.May(access.RevealApprove) || p.ID == 0 || !tree.Under(p.ID, r.Platform) {
		return errNoRevealRequest()
	}
	same := actor.Account == r.Account
	if !same {
		var err error
		if same, err = access.SamePerson(tx, actor.Account, r.Account); err != nil {
			return err
		}
	}
	if same {
		return fault.Forbidden("reveal_self", "不能批准本人提出的申请，须由另一人审批。")
	}
	n, err := db.Int(tx, `SELECT count(*) FROM assignment WHERE ticket = $1 AND unit = $2`, r.Ticket, actor.Unit)
	if err != nil {
		return err
	}
	if n > 0 {
		return fault.Forbidden("reveal_handling_unit", "您所在单位承办这张工单，须由其他单位的人员审批。")
	}
	return nil
}

// useApproval spends an approved request of the actor for the field: once, or
// again within the minutes that the policy grants after the first use.
func (s *Service) useApproval(tx *db.Tx, actor access.Actor, t *Ticket, field string) error {
	now := tx.NowMS()
	minutes := time.Duration(s.accountRules(actor.Unit).SealedMinutes) * time.Minute
	n, err := tx.Exec(`UPDATE reveal_request SET state = 'used', used_at = $1, until = $2 WHERE ticket = $3 AND account = $4 AND field = $5 AND state = 'approved' AND expires > $1`,
		now, now+minutes.Milliseconds(), t.ID, actor.Account, field)
	if err != nil || n > 0 {
		return err
	}
	n, err = db.Int(tx, `SELECT count(*) FROM reveal_request WHERE ticket = $1 AND account = $2 AND field = $3 AND state = 'used' AND until > $4`, t.ID, actor.Account, field, now)
	if err != nil || n > 0 {
		return err
	}
	return fault.Forbidden("second_person_needed", "举报件的身份信息须经第二人批准才能查看，请先提出申请；已批准的申请只在有效期内可用一次。")
}

// ExpireReveals closes the requests whose time has run out, each with its audit row.
func (s *Service) ExpireReveals(ctx context.Context) error {
	return s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error { return s.expireReveals(tx, `1 = 1`) })
}

func (s *Service) expireReveals(tx *db.Tx, cond string, args ...any) error {
	list, err := db.All(tx, scanReveal, `SELECT `+revealColumns+` FROM reveal_request r JOIN ticket t ON t.id = r.ticket WHERE r.state IN ('pending', 'approved') AND r.expires <= $1 AND `+cond+` ORDER BY r.id LIMIT 500`,
		append([]any{tx.NowMS()}, args...)...)
	if err != nil {
		return err
	}
	for _, r := range list {
		if _, err := tx.Exec(`UPDATE reveal_request SET state = 'expired' WHERE id = $1`, r.ID); err != nil {
			return err
		}
		if err := s.revealAudit(tx, access.Actor{Account: r.Account, Unit: r.Unit, Username: "时限巡检"}, "reveal.expire", r.Ticket, r.Purpose, r.Field, "", ""); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) revealAudit(tx *db.Tx, actor access.Actor, op string, ticket int64, purpose, field, outcome, ip string) error {
	return s.Audit.Record(tx, audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: op, SubjectKind: "ticket", Subject: ticket,
		Outcome: outcome, Reason: purpose, Query: field, Count: 1, IP: ip})
}

// RevealFilter chooses requests; the newest come first.
type RevealFilter struct {
	State  string
	Ticket int64
	Cursor string
	Limit  int
}

// RevealRequests lists what the actor asked, or, for who approves, what was
// asked on the platforms below it.
func (s *Service) RevealRequests(ctx context.Context, actor access.Actor, f RevealFilter) (out []*RevealRequest, next string, err error) {
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	var args []any
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	where := "r.account = " + arg(actor.Account)
	if actor.May(access.RevealApprove) {
		where = s.platformsUnder(actor, "r.platform", arg)
	}
	now := s.DB.Clock().Now().UnixMilli()
	switch f.State {
	case "":
	case RevealPending, RevealApproved:
		where += " AND r.state = " + arg(f.State) + " AND r.expires > " + arg(now)
	case RevealExpired:
		where += " AND (r.state = 'expired' OR r.state IN ('pending', 'approved') AND r.expires <= " + arg(now) + ")"
	case RevealRefused, RevealUsed:
		where += " AND r.state = " + arg(f.State)
	default:
		return nil, "", fault.Invalid("state_unknown", "没有这种申请状态。")
	}
	if f.Ticket != 0 {
		where += " AND r.ticket = " + arg(f.Ticket)
	}
	if f.Cursor != "" {
		before, err := strconv.ParseInt(f.Cursor, 10, 64)
		if err != nil {
			return nil, "", fault.Invalid("cursor_invalid", "翻页标记无效，请重新查询。")
		}
		where += " AND r.id < " + arg(before)
	}
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, scanReveal, `SELECT `+revealColumns+` FROM reveal_request r JOIN ticket t ON t.id = r.ticket WHERE `+where+` ORDER BY r.id DESC LIMIT `+arg(f.Limit+1), args...)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if len(out) > f.Limit {
		out = out[:f.Limit]
		next = strconv.FormatInt(out[f.Limit-1].ID, 10)
	}
	for _, r := range out {
		if err := s.openReveal(r); err != nil {
			return nil, "", err
		}
	}
	return out, next, nil
}

// RevealsWaiting counts what waits for the actor: requests to decide and quota
// alarms not yet looked at.
func (s *Service) RevealsWaiting(ctx context.Context, actor access.Actor) (requests, alarms int64, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		var args []any
		arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
		if requests, err = db.Int(tx, `SELECT count(*) FROM reveal_request r WHERE `+s.platformsUnder(actor, "r.platform", arg)+` AND r.state = 'pending' AND r.expires > `+arg(tx.NowMS()), args...); err != nil {
			return err
		}
		args = nil
		alarms, err = db.Int(tx, `SELECT count(*) FROM reveal_day d WHERE `+s.platformsUnder(actor, "d.platform", arg)+` AND d.refused > 0 AND d.seen_at = 0`, args...)
		return err
	})
	return requests, alarms, err
}

// platformsUnder is the predicate "on the actor's platform or one below it".
func (s *Service) platformsUnder(actor access.Actor, column string, arg func(any) string) string {
	tree := s.Org.Tree()
	p := tree.Platform(actor.Unit)
	if p.ID == 0 {
		return "1 = 0"
	}
	if p.ID == tree.Province().ID {
		return "1 = 1"
	}
	in := []string{arg(p.ID)}
	for _, u := range tree.All() {
		if u.ID != p.ID && tree.Platform(u.ID).ID == u.ID && tree.Under(p.ID, u.ID) {
			in = append(in, arg(u.ID))
		}
	}
	return column + " IN (" + strings.Join(in, ",") + ")"
}

func loadReveal(tx *db.Tx, id int64) (*RevealRequest, error) {
	r, err := db.One(tx, scanReveal, `SELECT `+revealColumns+` FROM reveal_request r JOIN ticket t ON t.id = r.ticket WHERE r.id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoRevealRequest()
	}
	return r, err
}

func (s *Service) revealRequest(ctx context.Context, id int64) (r *RevealRequest, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) { r, err = loadReveal(tx, id); return err })
	if err != nil {
		return nil, err
	}
	return r, s.openReveal(r)
}

// openReveal decrypts what was written and tells the state as of now.
func (s *Service) openReveal(r *RevealRequest) error {
	r.State = r.stateAt(s.DB.Clock().Now().UnixMilli())
	if len(r.key) == 0 { // shredded with its ticket
		return nil
	}
	key, err := s.Ring.OpenKey(r.key)
	if err != nil {
		return fmt.Errorf("ticket %d: open key: %w", r.Ticket, err)
	}
	if r.Reason, err = key.Open(revealAD(r.ID, "reason"), r.reason); err != nil {
		return err
	}
	if len(r.opinion) > 0 {
		r.Opinion, err = key.Open(revealAD(r.ID, "opinion"), r.opinion)
	}
	return err
}

func (r *RevealRequest) stateAt(now int64) string {
	if (r.State == RevealPending || r.State == RevealApproved) && r.Expires <= now {
		return RevealExpired
	}
	return r.State
}

func errNoRevealRequest() error {
	return fault.NotFound("reveal_request_not_found", "没有找到这项申请，或它不在您的审批范围内。")
}
