package ticket

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
)

const ticketColumns = `id, number, former, source, source_no, platform, created_by, type, category, region, label, secrecy,
 urgency, nature, channel, line, call_id, status, version, rules_id, limits_id, leg, title_r, content_r, address_r, object_r,
 kind, mask_name, mask_phone, dek, requester, body, phone_bi, code_hash, main, split_of, repeat_of, unit, urges, returns,
 dispute, escalated, watch, accepted, dispatched, due, closed_at, original, occurred, clocks, places, detail`

func scanTicket(s db.Scanner) (*Ticket, error) {
	t := &Ticket{}
	var label, clocks, detail string
	var escalated int
	err := s.Scan(&t.ID, &t.Number, &t.Former, &t.Source, &t.SourceNo, &t.Platform, &t.CreatedBy, &t.Type, &t.Category, &t.Region, &label, &t.Secrecy,
		&t.Urgency, &t.Nature, &t.Channel, &t.Line, &t.Call, &t.Status, &t.Version, &t.RulesID, &t.LimitsID, &t.Leg, &t.TitleR, &t.ContentR, &t.AddressR, &t.ObjectR,
		&t.Kind, &t.MaskName, &t.MaskPhone, &t.Key, (*[]byte)(&t.Requester), (*[]byte)(&t.Body), &t.PhoneBI, &t.CodeHash, &t.Main, &t.SplitOf, &t.RepeatOf, &t.Unit, &t.Urges, &t.Returns,
		&t.Dispute, &escalated, &t.Watch, &t.Accepted, &t.Dispatched, &t.Due, &t.ClosedAt, &t.Original, &t.Occurred, &clocks, &t.stands, &detail)
	if err != nil {
		return nil, err
	}
	t.Label, t.Escalated = access.Label(label), escalated != 0
	if err := json.Unmarshal([]byte(detail), &t.Detail); err != nil {
		return nil, fmt.Errorf("ticket %d: detail: %w", t.ID, err)
	}
	if err := json.Unmarshal([]byte(clocks), &t.Clocks); err != nil {
		return nil, fmt.Errorf("ticket %d: clocks: %w", t.ID, err)
	}
	return t, nil
}

const assignmentColumns = `id, ticket, parent, leg, depth, unit, role, state, prior, handler, created, signed, contacted, replied, due, extensions, returns, denied, first, contacts, reply`

func scanAssignment(s db.Scanner) (*Assignment, error) {
	a := &Assignment{}
	var reply string
	err := s.Scan(&a.ID, &a.Ticket, &a.Parent, &a.Leg, &a.Depth, &a.Unit, &a.Role, &a.State, &a.Prior, &a.Handler, &a.Created, &a.Signed, &a.Contacted, &a.RepliedAt, &a.Due,
		&a.Extensions, &a.Returns, &a.Denied, &a.First, &a.Contacts, &reply)
	if err == nil && reply != "" {
		a.Reply = &Reply{}
		err = json.Unmarshal([]byte(reply), a.Reply)
	}
	return a, err
}

const requestColumns = `id, ticket, assignment, kind, state, reason, days, suggested, by_account, at, decider, decided_at, level`

func scanRequest(s db.Scanner) (*Request, error) {
	r := &Request{}
	return r, s.Scan(&r.ID, &r.Ticket, &r.Assignment, &r.Kind, &r.State, &r.Reason, &r.Days, &r.Suggested, &r.By, &r.At, &r.Decider, &r.DecidedAt, &r.Level)
}

// load reads the whole aggregate; fault not_found when there is none.
func load(tx *db.Tx, id int64) (*Ticket, error) {
	t, err := loadRow(tx, id)
	if err != nil {
		return nil, err
	}
	if t.Assignments, err = db.All(tx, scanAssignment, `SELECT `+assignmentColumns+` FROM assignment WHERE ticket = $1 ORDER BY id`, id); err != nil {
		return nil, err
	}
	if len(t.Assignments) > 0 {
		t.Requests, err = db.All(tx, scanRequest, `SELECT `+requestColumns+` FROM ticket_request WHERE ticket = $1 ORDER BY id`, id)
	}
	return t, err
}

func loadRow(tx *db.Tx, id int64) (*Ticket, error) {
	t, err := db.One(tx, scanTicket, `SELECT `+ticketColumns+` FROM ticket WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoTicket()
	}
	return t, err
}

func errNoTicket() error {
	return fault.NotFound("ticket_not_found", "没有找到这张工单，或它不在您的查看范围内。")
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types always marshal
	}
	return string(b)
}

func (t *Ticket) insert(tx *db.Tx) error {
	return tx.Send(`INSERT INTO ticket (`+ticketColumns+`, next_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,
 $27,$28,$29,$30,$31,$32,$33,$34,$35,$36,$37,$38,$39,$40,$41,$42,$43,$44,$45,$46,$47,$48,$49,$50,$51,$52,$53)`,
		t.ID, t.Number, t.Former, t.Source, t.SourceNo, t.Platform, t.CreatedBy, t.Type, t.Category, t.Region, string(t.Label), t.Secrecy,
		t.Urgency, t.Nature, t.Channel, t.Line, t.Call, t.Status, t.Version, t.RulesID, t.LimitsID, t.Leg, t.TitleR, t.ContentR, t.AddressR, t.ObjectR,
		t.Kind, t.MaskName, t.MaskPhone, t.Key, []byte(t.Requester), []byte(t.Body), t.PhoneBI, t.CodeHash, t.Main, t.SplitOf, t.RepeatOf, t.Unit, t.Urges, t.Returns,
		t.Dispute, flag(t.Escalated), t.Watch, t.Accepted, t.Dispatched, t.Due, t.ClosedAt, t.Original, t.Occurred, mustJSON(t.Clocks), t.stands, mustJSON(t.Detail), t.nextAt())
}

// update writes what an action may change; the version is the lock.
func (t *Ticket) update(tx *db.Tx, was int64) error {
	n, err := tx.Exec(`UPDATE ticket SET platform = $1, type = $2, category = $3, region = $4, label = $5, secrecy = $6, urgency = $7, nature = $8, status = $9, version = $10,
 leg = $11, main = $12, split_of = $13, repeat_of = $14, unit = $15, urges = $16, returns = $17, dispute = $18, escalated = $19, watch = $20, dispatched = $21, due = $22, closed_at = $23, detail = $24, content_r = $25, clocks = $26, places = $27, next_at = $28
 WHERE id = $29 AND version = $30`,
		t.Platform, t.Type, t.Category, t.Region, string(t.Label), t.Secrecy, t.Urgency, t.Nature, t.Status, t.Version,
		t.Leg, t.Main, t.SplitOf, t.RepeatOf, t.Unit, t.Urges, t.Returns, t.Dispute, flag(t.Escalated), t.Watch, t.Dispatched, t.Due, t.ClosedAt, mustJSON(t.Detail), t.ContentR, mustJSON(t.Clocks), t.stands, t.nextAt(),
		t.ID, was)
	if err == nil && n == 0 {
		return errMoved()
	}
	return err
}

// errMoved says that another write came between loading and saving.
func errMoved() error {
	return fault.Conflict("version_conflict", "这张工单刚刚被其他人处理过，请查看变化后再操作。")
}

// values are the assignment's columns in their order.
func (a *Assignment) values() []any {
	reply := ""
	if a.Reply != nil {
		reply = mustJSON(a.Reply)
	}
	return []any{a.ID, a.Ticket, a.Parent, a.Leg, a.Depth, a.Unit, a.Role, a.State, a.Prior, a.Handler, a.Created, a.Signed, a.Contacted, a.RepliedAt, a.Due,
		a.Extensions, a.Returns, a.Denied, a.First, a.Contacts, reply}
}

const (
	insertAssignments = `INSERT INTO assignment (` + assignmentColumns + `)`
	changeAssignments = `ON CONFLICT (ticket, id) DO UPDATE SET state = excluded.state, prior = excluded.prior, handler = excluded.handler, signed = excluded.signed, contacted = excluded.contacted, replied = excluded.replied,
 due = excluded.due, extensions = excluded.extensions, returns = excluded.returns, denied = excluded.denied, first = excluded.first, contacts = excluded.contacts, reply = excluded.reply`
)

func (r *Request) save(tx *db.Tx) error {
	return tx.Send(`INSERT INTO ticket_request (`+requestColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)
 ON CONFLICT (ticket, id) DO UPDATE SET state = excluded.state, decider = excluded.decider, decided_at = excluded.decided_at, level = excluded.level`,
		r.ID, r.Ticket, r.Assignment, r.Kind, r.State, r.Reason, r.Days, r.Suggested, r.By, r.At, r.Decider, r.DecidedAt, r.Level)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
