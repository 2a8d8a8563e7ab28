package org

import (
	"context"
	"encoding/json"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
)

// Events of the organisation; the subject is "unit". Moved makes the ticket
// room fan its worklists out again.
const (
	EventCreated = "org.created"
	EventUpdated = "org.updated"
	EventMoved   = "org.moved"
	EventClosed  = "org.closed"
	EventBulk    = "org.bulk" // subject 0: many units at once, data {"created":n,"updated":n}
)

// Change is an edit of a unit; nil fields stay. From is the effective date,
// zero = now. Version, if not 0, must be the one the editor saw.
type Change struct {
	Name, Short, Duty, Responsibilities, Phone, Contact *string
	Duties                                              *[]string
	From                                                time.Time
	Version                                             int64
}

// draft is a set of rows to be written together: those whose period ends and
// those that begin.
type draft struct {
	ended, begun []row
	event        eventlog.Event
	approve      *ProvinceApproval // to be judged inside the transaction
	moved        int64             // unit that hangs elsewhere …
	from         int64             // … from then on
}

// Create sets up a unit. It fails with invalid unit_…, with conflict
// unit_code_taken, and with forbidden county_platform_refused.
func (s *Service) Create(ctx context.Context, by By, n NewUnit) (Unit, error) {
	var id int64
	err := s.write(ctx, by, func(t book, now int64) (draft, error) {
		b := newBatch(t.Tree, s.d.NewID)
		if err := b.add(by, n, now); err != nil {
			return draft{}, err
		}
		r := b.rows[0]
		id = r.id
		return draft{begun: b.rows, approve: n.ProvinceApproval, event: eventlog.Event{Kind: EventCreated, SubjectID: id}}, nil
	})
	if err != nil {
		return Unit{}, err
	}
	u, _ := s.Tree().Get(id)
	return u, nil
}

// CreateAll sets up many units at once, parents before children, all or none.
// It is one event. County platforms must be created one by one.
func (s *Service) CreateAll(ctx context.Context, by By, units []NewUnit) error {
	return s.write(ctx, by, func(t book, now int64) (draft, error) {
		b := newBatch(t.Tree, s.d.NewID)
		for i := range units {
			if err := b.add(by, units[i], now); err != nil {
				return draft{}, err
			}
			if b.rows[i].kind == KindCountyPlatform {
				return draft{}, countyRefused()
			}
		}
		return draft{begun: b.rows, event: bulkEvent(len(b.rows), 0)}, nil
	})
}

// Update edits a unit from an effective date. It fails with not_found
// unit_absent and with conflict unit_changed when somebody was faster.
func (s *Service) Update(ctx context.Context, by By, id int64, c Change) (Unit, error) {
	err := s.write(ctx, by, func(t book, now int64) (draft, error) {
		old, next, err := s.successor(t, id, by, c.From, now)
		if err != nil {
			return draft{}, err
		}
		if c.Version != 0 && c.Version != old.rev {
			return draft{}, fault.Conflict("unit_changed", "“%s”刚刚被他人修改，请刷新后再改。", old.name)
		}
		set(&next.name, c.Name)
		set(&next.short, c.Short)
		set(&next.duty, c.Duty)
		set(&next.responsibilities, c.Responsibilities)
		set(&next.phone, c.Phone)
		set(&next.contact, c.Contact)
		if c.Duties != nil {
			next.duties = *c.Duties
		}
		n := next.asNew()
		if err := n.check(); err != nil {
			return draft{}, err
		}
		next.name, next.short = n.Name, n.Short
		if n.Kind != next.kind { // renamed into a county platform
			return draft{}, countyRefused()
		}
		return s.replace(old, next, EventUpdated), nil
	})
	if err != nil {
		return Unit{}, err
	}
	u, _ := s.Tree().Get(id)
	return u, nil
}

// Move hangs a unit, with all below it, under another parent.
func (s *Service) Move(ctx context.Context, by By, id, parent int64, from time.Time) (Unit, error) {
	err := s.write(ctx, by, func(t book, now int64) (draft, error) {
		old, next, err := s.successor(t, id, by, from, now)
		if err != nil {
			return draft{}, err
		}
		p, ok := t.Get(parent)
		if !ok || !p.Active {
			return draft{}, place(next.kind, next.region, nil)
		}
		if t.Under(id, parent) {
			return draft{}, bad("unit_parent_cycle", "parent", "不能把单位移到它自己的下级单位之下。")
		}
		if err := place(next.kind, next.region, &p); err != nil {
			return draft{}, err
		}
		next.parent = parent
		dr := s.replace(old, next, EventMoved)
		dr.moved, dr.from = id, next.from
		return dr, nil
	})
	if err != nil {
		return Unit{}, err
	}
	u, _ := s.Tree().Get(id)
	return u, nil
}

// Close ends a unit at a moment (zero = now). It stays readable. It fails with
// conflict unit_has_children while units below it are in force.
func (s *Service) Close(ctx context.Context, by By, id int64, at time.Time) error {
	return s.write(ctx, by, func(t book, now int64) (draft, error) {
		old, _, err := s.successor(t, id, by, at, now)
		if err != nil {
			return draft{}, err
		}
		if n := len(t.Children(id)); n > 0 {
			return draft{}, fault.Conflict("unit_has_children", "“%s”之下还有%d个单位，请先调整或停用下级单位。", old.name, n)
		}
		old.to = max(moment(at, now), old.from+1)
		return draft{ended: []row{old}, event: eventlog.Event{Kind: EventClosed, SubjectID: id}}, nil
	})
}

// successor finds the open row of a unit and a copy of it that begins at from.
func (s *Service) successor(t book, id int64, by By, from time.Time, now int64) (old, next row, err error) {
	u, ok := t.Get(id)
	if !ok || !u.Active {
		return old, next, fault.NotFound("unit_absent", "单位不存在或已停用，请刷新后重试。")
	}
	if err := notBackdated(by, from, now); err != nil {
		return old, next, err
	}
	old = t.rows(rowKey{id, u.From})
	if old.to != 0 {
		return old, next, fault.Conflict("unit_change_pending", "“%s”已有未生效的变更，请待其生效后再改。", old.name)
	}
	next = old
	next.from = moment(from, now)
	return old, next, nil
}

// replace ends old where next begins; a change within the same millisecond, or
// dated before the row began, rewrites the row instead.
func (s *Service) replace(old, next row, event string) draft {
	ev := eventlog.Event{Kind: event, SubjectID: old.id}
	if next.from <= old.from {
		next.from = old.from
		return draft{ended: []row{next}, event: ev}
	}
	old.to = next.from
	return draft{ended: []row{old}, begun: []row{next}, event: ev}
}

// book is the organisation as a write finds it, inside its transaction.
type book struct {
	*Tree
	rows func(rowKey) row
	at   func(ms int64) *Tree // the organisation of another moment
}

// write runs make on the organisation and stores what it drafts. The counter's
// row lock orders writers of all processes; when another process wrote since,
// the book is read anew inside the transaction.
func (s *Service) write(ctx context.Context, by By, make func(t book, now int64) (draft, error)) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.d.Update(ctx, func(tx *db.Tx) error { return s.writeTx(tx, by, make) })
}

func (s *Service) writeTx(tx *db.Tx, by By, make func(t book, now int64) (draft, error)) error {
	n, err := db.Int(tx, `UPDATE unit_change SET n = n + 1 WHERE one = 1 RETURNING n`)
	if err != nil {
		return err
	}
	s.mu.Lock()
	current := n == s.rev+1
	s.mu.Unlock()
	bk := book{s.Tree(), s.row, func(ms int64) *Tree { return s.TreeAt(clock.FromMillis(ms)) }}
	var fresh []row
	if !current {
		if fresh, err = db.All(tx, scanRow, `SELECT `+rowColumns+` FROM unit`); err != nil {
			return err
		}
		byKey := keyed(fresh)
		at := func(ms int64) *Tree { return buildTree(byKey, ms, s.initials) }
		bk = book{at(tx.NowMS()), func(k rowKey) row { return byKey[k] }, at}
	}
	dr, err := make(bk, tx.NowMS())
	if err != nil {
		return err
	}
	if err := s.approved(tx, dr); err != nil {
		return err
	}
	for i := range dr.ended {
		dr.ended[i].rev = n
		if err := rewrite(tx, &dr.ended[i]); err != nil {
			return err
		}
	}
	for i := range dr.begun {
		dr.begun[i].rev = n
	}
	if err := insertRows(tx, dr.begun); err != nil {
		if db.IsUnique(err) {
			return fault.Conflict("unit_code_taken", "单位编码已被使用，请换一个编码。").Because(err)
		}
		return err
	}
	ev := dr.event
	ev.SubjectKind, ev.Version, ev.Actor, ev.Unit, ev.At = "unit", n, by.Account, by.Unit, tx.NowMS()
	if ev.Data == "" {
		ev.Data = "{}"
	}
	if _, err := s.log.Append(tx, ev); err != nil {
		return err
	}
	if dr.moved != 0 && s.OnMoved != nil {
		if err := s.OnMoved(tx, by, dr.moved, clock.FromMillis(dr.from)); err != nil {
			return err
		}
	}
	all := append(append(fresh, dr.ended...), dr.begun...)
	tx.AfterCommit(func() { s.applied(all, n, !current) })
	return nil
}

// approved refuses a county platform that the province did not let be.
func (s *Service) approved(tx *db.Tx, dr draft) error {
	for i := range dr.begun {
		r := &dr.begun[i]
		if r.kind != KindCountyPlatform || len(dr.ended) > 0 {
			continue
		}
		if dr.approve == nil || dr.approve.Account == 0 || dr.approve.Document == "" || s.Approver == nil {
			return countyRefused()
		}
		ok, err := s.Approver(tx, dr.approve.Account)
		if err != nil {
			return err
		}
		if !ok {
			return countyRefused()
		}
		r.approvedBy, r.approval = dr.approve.Account, dr.approve.Document
	}
	return nil
}

// rewrite stores a row that already exists.
func rewrite(tx *db.Tx, r *row) error {
	args := r.args(nil)
	_, err := tx.Exec(`UPDATE unit SET valid_to = $3, code = $4, name = $5, short = $6, kind = $7, parent = $8, region = $9, duty = $10,
duties = $11, responsibilities = $12, phone = $13, contact = $14, approved_by = $15, approval = $16, rev = $17 WHERE id = $1 AND valid_from = $2`, args...)
	return err
}

func (r *row) asNew() NewUnit {
	return NewUnit{Code: r.code, Name: r.name, Short: r.short, Kind: r.kind, Parent: r.parent, Region: r.region, Duty: r.duty,
		Duties: r.duties, Responsibilities: r.responsibilities, Phone: r.phone, Contact: r.contact}
}

func bulkEvent(created, updated int) eventlog.Event {
	data, _ := json.Marshal(map[string]int{"created": created, "updated": updated}) // cannot fail
	return eventlog.Event{Kind: EventBulk, Data: string(data)}
}

func set(dst *string, v *string) {
	if v != nil {
		*dst = *v
	}
}

// moment is t in ms, or now if t is zero.
func moment(t time.Time, now int64) int64 {
	if t.IsZero() {
		return now
	}
	return clock.Millis(t)
}

// notBackdated lets only the system change the past; a minute of grace covers
// the time a form is open.
func notBackdated(by By, from time.Time, now int64) error {
	if by.Account != 0 && !from.IsZero() && clock.Millis(from) < now-time.Minute.Milliseconds() {
		return bad("unit_backdated", "from", "生效时间不能早于现在。")
	}
	return nil
}
