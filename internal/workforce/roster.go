package workforce

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// Template is a shift as it recurs (班次): minutes from midnight; To may lie on
// the next day.
type Template struct {
	Code string `json:"code"`
	Name string `json:"name"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// Templates are the shifts of a 7×24 centre.
func Templates() []Template {
	return []Template{{"early", "早班", 7 * 60, 15 * 60}, {"day", "白班", 8*60 + 30, 17*60 + 30}, {"late", "中班", 15 * 60, 23 * 60}, {"night", "夜班", 23 * 60, 31 * 60}, {"dawn", "晨班", 0, 7 * 60}}
}

// Roster is who sits when, for a centre, or for a line of it (班表). It is
// created as a draft, published whole, and after that changed by swaps alone.
type Roster struct {
	ID, Unit int64
	Line     string // "" = the centre; a B2 line or a sub-centre's otherwise
	From, To int64  // days yyyymmdd, both included
	State    string // draft, published
	Version  int64
	By, At   int64
	Shifts   []Shift
	Carried  []Shift // the night shifts of the roster before, which end in this one's first hours
}

// Shift is one person's time on duty.
type Shift struct {
	ID, Roster, Account int64
	Template            string
	From, To            int64 // ms
	Skill               string
}

// Gap is an uncovered time.
type Gap struct {
	From int64  `json:"from"`
	To   int64  `json:"to"`
	Text string `json:"text"`
}

// maxShifts bounds a roster: 500 people for a month and more.
const maxShifts = 20_000

// Save keeps a draft whole.
func (s *Service) Save(ctx context.Context, by int64, r Roster) (Roster, error) {
	if err := s.check(&r); err != nil {
		return r, err
	}
	err := s.d.Update(ctx, func(tx *db.Tx) error {
		if r.ID != 0 {
			old, err := s.load(tx, r.ID)
			if err != nil {
				return err
			}
			switch {
			case old.Unit != r.Unit:
				return errNoRoster()
			case old.State != "draft":
				return fault.Conflict("roster_published", "班表已发布，请通过换班调整。")
			case old.Version != r.Version:
				return fault.Conflict("roster_changed", "班表刚刚被他人修改，请刷新后再改。")
			}
			if _, err := tx.Exec(`DELETE FROM roster_shift WHERE roster = $1`, r.ID); err != nil {
				return err
			}
		} else {
			r.ID = tx.NewID()
		}
		r.State, r.By, r.At = "draft", by, tx.NowMS()
		r.Version++
		if _, err := tx.Exec(`INSERT INTO roster (id, unit, line, from_day, to_day, state, version, by_account, at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)
 ON CONFLICT (id) DO UPDATE SET line = excluded.line, from_day = excluded.from_day, to_day = excluded.to_day, version = excluded.version, by_account = excluded.by_account, at = excluded.at`,
			r.ID, r.Unit, r.Line, r.From, r.To, r.State, r.Version, r.By, r.At); err != nil {
			return err
		}
		for i := range r.Shifts {
			sh := &r.Shifts[i]
			sh.ID, sh.Roster = tx.NewID(), r.ID
			if _, err := tx.Exec(`INSERT INTO roster_shift (id, roster, account, template, from_at, to_at, skill) VALUES ($1,$2,$3,$4,$5,$6,$7)`, sh.ID, sh.Roster, sh.Account, sh.Template, sh.From, sh.To, sh.Skill); err != nil {
				return err
			}
		}
		return carry(tx, &r)
	})
	return r, err
}

// carry reads the shifts of the centre's other rosters in force that run into
// the first day of r.
func carry(tx *db.Tx, r *Roster) error {
	from, err := dayOf(r.From)
	if err != nil {
		return nil // check refused such days
	}
	r.Carried, err = db.All(tx, scanShift, `SELECT h.id, h.roster, h.account, h.template, h.from_at, h.to_at, h.skill FROM roster_shift h JOIN roster r ON r.id = h.roster WHERE r.unit = $1 AND r.line = $2 AND r.id <> $3 AND r.state = 'published' AND h.from_at < $4 AND h.to_at > $4 ORDER BY h.from_at, h.account`,
		r.Unit, r.Line, r.ID, clock.Millis(from))
	return err
}

func errNoRoster() error {
	return fault.NotFound("roster_absent", "没有这份班表，或它不在您的管理范围内。")
}

func (s *Service) check(r *Roster) error {
	from, err1 := dayOf(r.From)
	to, err2 := dayOf(r.To)
	switch {
	case err1 != nil || err2 != nil || to.Before(from) || to.Sub(from) > 62*24*time.Hour:
		return fault.Invalid("roster_days", "班表的起止日期应在两个月以内。").At(fault.Field{Name: "to", Detail: "请重新选择日期。"})
	case len(r.Shifts) > maxShifts:
		return fault.Invalid("roster_too_large", "班表最多%d个班次。", maxShifts)
	}
	first, last := clock.Millis(from), clock.Millis(to.AddDate(0, 0, 2))
	byPerson := map[int64][]Shift{}
	for _, sh := range r.Shifts {
		if sh.Account == 0 || sh.To <= sh.From || sh.To-sh.From > 12*3600*1000 || sh.From < first-12*3600*1000 || sh.To > last {
			return fault.Invalid("shift_invalid", "班次须有人员，时长不超过12小时，并在班表日期之内。")
		}
		byPerson[sh.Account] = append(byPerson[sh.Account], sh)
	}
	for _, list := range byPerson {
		sort.Slice(list, func(i, j int) bool { return list[i].From < list[j].From })
		for i := 1; i < len(list); i++ {
			if list[i].From < list[i-1].To {
				return fault.Invalid("shift_overlap", "同一人员的班次重叠：%s。", clock.FromMillis(list[i].From).Format("1月2日15:04"))
			}
		}
	}
	return nil
}

func dayOf(d int64) (time.Time, error) {
	return time.ParseInLocation("20060102", fmt.Sprint(d), clock.Shanghai)
}

const quarter = 15 * 60 * 1000

// Gaps lists the quarters of an hour of a roster in which nobody sits, joined
// into spans. Who sits through the night before the first day covers its first
// hours.
func (r *Roster) Gaps() []Gap {
	from, err := dayOf(r.From)
	if err != nil {
		return nil
	}
	to, err := dayOf(r.To)
	if err != nil {
		return nil
	}
	start, end := clock.Millis(from), clock.Millis(to.AddDate(0, 0, 1))
	n := int((end - start) / quarter)
	on := make([]bool, n)
	sitting := slices.Concat(r.Shifts, r.Carried)
	for i := range on {
		a, b := start+int64(i)*quarter, start+int64(i+1)*quarter
		// Covered when each minute of it is: shifts may meet within the quarter.
		at := a
		for moved := true; moved && at < b; {
			moved = false
			for _, sh := range sitting {
				if sh.From <= at && sh.To > at {
					at, moved = sh.To, true
				}
			}
		}
		on[i] = at >= b
	}
	var out []Gap
	for i := 0; i < n; i++ {
		if on[i] {
			continue
		}
		j := i
		for j < n && !on[j] {
			j++
		}
		g := Gap{From: start + int64(i)*quarter, To: start + int64(j)*quarter}
		g.Text = clock.FromMillis(g.From).Format("1月2日15:04") + "至" + clock.FromMillis(g.To).Format("1月2日15:04") + "无人在岗"
		out = append(out, g)
		i = j
	}
	return out
}

// Drop throws a draft away (删除草稿). It fails with conflict roster_published for
// one that was in force: what was published stays on record.
func (s *Service) Drop(ctx context.Context, unit, id int64) error {
	return s.d.Update(ctx, func(tx *db.Tx) error {
		r, err := s.load(tx, id)
		switch {
		case err != nil:
			return err
		case r.Unit != unit:
			return errNoRoster()
		case r.State != "draft":
			return fault.Conflict("roster_published", "班表已发布，不能删除，请通过换班调整。")
		}
		if _, err := tx.Exec(`DELETE FROM roster_shift WHERE roster = $1`, id); err != nil {
			return err
		}
		_, err = tx.Exec(`DELETE FROM roster WHERE id = $1`, id)
		return err
	})
}

// Publish puts a roster in force. It is refused with conflict roster_gaps and
// the gaps as data while a quarter of an hour is uncovered.
func (s *Service) Publish(ctx context.Context, by, unit, id int64) (Roster, error) {
	var r Roster
	err := s.d.Update(ctx, func(tx *db.Tx) (err error) {
		if r, err = s.load(tx, id); err != nil {
			return err
		}
		if r.Unit != unit {
			return errNoRoster()
		}
		if r.State != "draft" {
			return fault.Conflict("roster_published", "班表已发布。")
		}
		if gaps := r.Gaps(); len(gaps) > 0 {
			var lines []string
			for _, g := range gaps[:min(3, len(gaps))] {
				lines = append(lines, g.Text)
			}
			return fault.Conflict("roster_gaps", "热线须7×24小时有人值守，班表有%d处空档：%s。请补齐后发布。", len(gaps), strings.Join(lines, "；")).With(gaps)
		}
		// A newer roster of the same centre and line takes the place of the older days.
		if _, err := tx.Exec(`UPDATE roster SET state = 'published', version = version + 1, by_account = $1, at = $2 WHERE id = $3`, by, tx.NowMS(), id); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE roster SET state = 'replaced' WHERE unit = $1 AND line = $2 AND state = 'published' AND id <> $3 AND from_day >= $4 AND to_day <= $5`, r.Unit, r.Line, id, r.From, r.To); err != nil {
			return err
		}
		r.State = "published"
		r.Version++
		return s.tell(tx, EventPublished, "roster", id, by, r.Unit, fmt.Sprintf(`{"from":%d,"to":%d,"line":%q}`, r.From, r.To, r.Line))
	})
	return r, err
}

func (s *Service) load(tx *db.Tx, id int64) (Roster, error) {
	r, err := db.One(tx, scanRoster, `SELECT id, unit, line, from_day, to_day, state, version, by_account, at FROM roster WHERE id = $1`, id)
	if err != nil {
		return r, errNoRoster()
	}
	if r.Shifts, err = db.All(tx, scanShift, `SELECT id, roster, account, template, from_at, to_at, skill FROM roster_shift WHERE roster = $1 ORDER BY from_at, account`, id); err != nil {
		return r, err
	}
	return r, carry(tx, &r)
}

func scanRoster(sc db.Scanner) (r Roster, err error) {
	return r, sc.Scan(&r.ID, &r.Unit, &r.Line, &r.From, &r.To, &r.State, &r.Version, &r.By, &r.At)
}

func scanShift(sc db.Scanner) (sh Shift, err error) {
	return sh, sc.Scan(&sh.ID, &sh.Roster, &sh.Account, &sh.Template, &sh.From, &sh.To, &sh.Skill)
}

// Get reads a roster of a unit.
func (s *Service) Get(ctx context.Context, unit, id int64) (r Roster, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		if r, err = s.load(tx, id); err == nil && r.Unit != unit {
			err = errNoRoster()
		}
		return err
	})
	return r, err
}

// Rosters lists the rosters of a unit, newest first, without their shifts.
func (s *Service) Rosters(ctx context.Context, unit int64) (out []Roster, err error) {
	err = s.d.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanRoster, `SELECT id, unit, line, from_day, to_day, state, version, by_account, at FROM roster WHERE unit = $1 ORDER BY from_day DESC, id DESC LIMIT 100`, unit)
		return err
	})
	return out, err
}

// OnShift lists who should be on duty at a moment at a unit and below it.
func (s *Service) OnShift(ctx context.Context, unit int64, t time.Time) ([]Shift, error) {
	at := clock.Millis(t)
	var out []Shift
	err := s.d.View(ctx, func(tx *db.Tx) error {
		type row struct {
			Shift
			unit int64
		}
		rows, err := db.All(tx, func(sc db.Scanner) (r row, err error) {
			return r, sc.Scan(&r.ID, &r.Roster, &r.Account, &r.Template, &r.From, &r.To, &r.Skill, &r.unit)
		}, `SELECT h.id, h.roster, h.account, h.template, h.from_at, h.to_at, h.skill, r.unit FROM roster_shift h JOIN roster r ON r.id = h.roster WHERE h.from_at <= $1 AND h.to_at > $1 AND r.state = 'published' ORDER BY h.account`, at)
		if err != nil {
			return err
		}
		out = nil
		tree := s.org.Tree()
		for _, r := range rows {
			if tree.Under(unit, r.unit) {
				out = append(out, r.Shift)
			}
		}
		return nil
	})
	return slices.CompactFunc(out, func(a, b Shift) bool { return a.Account == b.Account }), err
}
