package workforce

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hotline/internal/db"
	"hotline/internal/fault"
)

// Swap is a wish that a colleague take a shift of one's own (换班): he asks, the
// colleague accepts, the 班长 agrees. Until then the roster stands.
type Swap struct {
	ID, Shift, From, To int64
	Reason, State       string
	Decider, At         int64
	Template, Skill     string // of the shift
	Begins, Ends        int64
}

// States of a Swap.
const (
	SwapAsked    = "asked"    // 待同事确认
	SwapAccepted = "accepted" // 待班长审批
	SwapDeclined = "declined" // 同事不同意
	SwapAgreed   = "agreed"   // 已换班
	SwapRefused  = "refused"  // 班长不同意
)

const swapColumns = `w.id, w.shift, w.from_account, w.to_account, w.reason, w.state, w.decider, w.at, h.template, h.skill, h.from_at, h.to_at FROM roster_swap w JOIN roster_shift h ON h.id = w.shift JOIN roster r ON r.id = h.roster`

func scanSwap(sc db.Scanner) (w Swap, err error) {
	return w, sc.Scan(&w.ID, &w.Shift, &w.From, &w.To, &w.Reason, &w.State, &w.Decider, &w.At, &w.Template, &w.Skill, &w.Begins, &w.Ends)
}

// Mine lists the shifts of a person that are not over, of published rosters.
func (s *Service) Mine(ctx context.Context, account int64) (out []Shift, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, func(sc db.Scanner) (h Shift, err error) {
			return h, sc.Scan(&h.ID, &h.Roster, &h.Account, &h.Template, &h.From, &h.To, &h.Skill)
		}, `SELECT h.id, h.roster, h.account, h.template, h.from_at, h.to_at, h.skill FROM roster_shift h JOIN roster r ON r.id = h.roster WHERE h.account = $1 AND h.to_at > $2 AND r.state = 'published' ORDER BY h.from_at LIMIT 60`, account, tx.NowMS())
		return err
	})
	return out, err
}

// AskSwap asks that another take a shift of one's own.
//
// It fails with invalid swap_invalid, not_found shift_absent and conflict
// swap_pending.
func (s *Service) AskSwap(ctx context.Context, by, shift, to int64, reason string) (Swap, error) {
	w := Swap{Shift: shift, From: by, To: to, Reason: strings.TrimSpace(reason), State: SwapAsked}
	if n := len([]rune(w.Reason)); n < 2 || n > 200 || to == 0 || to == by {
		return w, fault.Invalid("swap_invalid", "请选择接班人并写明2至200字的理由。")
	}
	err := s.d.Update(ctx, func(tx *db.Tx) error {
		var owner int64
		err := tx.QueryRow(`SELECT h.account, h.template, h.from_at, h.to_at FROM roster_shift h JOIN roster r ON r.id = h.roster WHERE h.id = $1 AND h.from_at > $2 AND r.state = 'published'`, shift, tx.NowMS()).Scan(&owner, &w.Template, &w.Begins, &w.Ends)
		if err != nil || owner != by {
			return fault.NotFound("shift_absent", "没有这个班次，或它已经开始。")
		}
		n, err := db.Int(tx, `SELECT count(*) FROM roster_swap WHERE shift = $1 AND state IN ('asked', 'accepted')`, shift)
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.Conflict("swap_pending", "这个班次的换班申请还没有处理完，请等待或改换其他班次。")
		}
		w.ID, w.At = tx.NewID(), tx.NowMS()
		_, err = tx.Exec(`INSERT INTO roster_swap (id, shift, from_account, to_account, reason, state, decider, at, decided) VALUES ($1,$2,$3,$4,$5,'asked',0,$6,0)`, w.ID, shift, by, to, w.Reason, w.At)
		return err
	})
	return w, err
}

// AnswerSwap is the colleague's answer. It fails with not_found swap_absent and
// with what free refuses.
func (s *Service) AnswerSwap(ctx context.Context, by, id int64, accept bool) error {
	return s.d.Update(ctx, func(tx *db.Tx) error {
		w, err := db.One(tx, scanSwap, `SELECT `+swapColumns+` WHERE w.id = $1 AND w.to_account = $2 AND w.state = 'asked'`, id, by)
		if err != nil {
			return errNoSwap()
		}
		state := SwapDeclined
		if accept {
			state = SwapAccepted
			if err := s.free(tx, w); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`UPDATE roster_swap SET state = $1 WHERE id = $2`, state, id)
		return err
	})
}

// Swaps lists the wishes of a unit that nobody has decided.
func (s *Service) Swaps(ctx context.Context, unit int64) (out []Swap, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanSwap, `SELECT `+swapColumns+` WHERE r.unit = $1 AND w.state IN ('asked', 'accepted') AND h.from_at > $2 ORDER BY w.state, w.id`, unit, tx.NowMS())
		return err
	})
	return out, err
}

// SwapsOf lists what a person asked or was asked, the newest first.
func (s *Service) SwapsOf(ctx context.Context, account int64) (out []Swap, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanSwap, `SELECT `+swapColumns+` WHERE w.from_account = $1 OR w.to_account = $1 ORDER BY w.id DESC LIMIT 30`, account)
		return err
	})
	return out, err
}

// DecideSwap lets a 班长 agree to what the colleague accepted, or refuse. It
// fails with not_found swap_absent, conflict swap_unaccepted and with what free
// refuses.
func (s *Service) DecideSwap(ctx context.Context, by, unit, id int64, agree bool) error {
	return s.d.Update(ctx, func(tx *db.Tx) error {
		w, err := db.One(tx, scanSwap, `SELECT `+swapColumns+` WHERE w.id = $1 AND w.state IN ('asked', 'accepted') AND r.unit = $2`, id, unit)
		if err != nil {
			return errNoSwap()
		}
		state := SwapRefused
		if agree {
			state = SwapAgreed
			if w.State != SwapAccepted {
				return fault.Conflict("swap_unaccepted", "接班人还没有同意，暂不能批准。")
			}
			if err := s.free(tx, w); err != nil {
				return err
			}
			if _, err := tx.Exec(`UPDATE roster_shift SET account = $1 WHERE id = $2`, w.To, w.Shift); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`UPDATE roster_swap SET state = $1, decider = $2, decided = $3 WHERE id = $4`, state, by, tx.NowMS(), id); err != nil {
			return err
		}
		return s.tell(tx, EventSwap, "roster", w.Shift, by, unit, fmt.Sprintf(`{"state":%q}`, state))
	})
}

func errNoSwap() error {
	return fault.NotFound("swap_absent", "没有这条换班申请，或它已处理。")
}

// free makes sure that the colleague can take the shift: it has not begun, he
// has no other at that time and holds the certificate that it asks for. It fails
// with conflict shift_begun, shift_overlap and shift_skill.
func (s *Service) free(tx *db.Tx, w Swap) error {
	if w.Begins <= tx.NowMS() {
		return fault.Conflict("shift_begun", "这个班次已经开始，不能再换。")
	}
	if w.Skill != "" {
		held, err := s.valid(tx, w.To)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(held, func(c Certificate) bool { return c.Skill == w.Skill }) {
			return fault.Conflict("shift_skill", "这个班次须有“%s”的上岗证书，接班人没有。", strings.TrimPrefix(w.Skill, "line:"))
		}
	}
	n, err := db.Int(tx, `SELECT count(*) FROM roster_shift WHERE account = $1 AND from_at < $2 AND to_at > $3 AND roster IN (SELECT id FROM roster WHERE state = 'published')`, w.To, w.Ends, w.Begins)
	if err == nil && n > 0 {
		err = fault.Conflict("shift_overlap", "接班人在该时段已有班次。")
	}
	return err
}
