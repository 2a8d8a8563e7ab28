package cdr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"database/sql"

	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/seal"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// Results of a call (结果).
const (
	Live      = ""          // 进行中
	Answered  = "answered"  // 已接听
	Forwarded = "forwarded" // 已转接至保留座席或分中心并接听
	Abandoned = "abandoned" // 排队中放弃
	Short     = "short"     // 短放弃
	Announced = "announced" // 听完通知
	Kept      = "kept"      // 保留位置，待回拨
	Ticketed  = "ticketed"  // 无人接听，自动登记
	Failed    = "failed"    // 未接通（外呼）
	Broken    = "broken"    // 系统中断
)

// ResultWord is a result in Chinese.
func ResultWord(r string) string {
	return map[string]string{Live: "进行中", Answered: "已接听", Forwarded: "已转接", Abandoned: "排队放弃", Short: "短放弃", Announced: "听完通知", Kept: "待回拨",
		Ticketed: "自动登记", Failed: "未接通", Broken: "系统中断"}[r]
}

// Call is one call (一通电话). It is created when a leg comes in or is dialled,
// changed by flow alone, and closed once, with a result.
type Call struct {
	ID, Version                        int64
	Direction                          string // in, out
	Trunk, DNIS, Line, Mode            string
	Platform                           int64
	Region                             string
	Number                             string // in the clear, in memory only
	Masked                             string
	Queue, Skill                       string
	Seat, Unit, Ticket, Origin         int64
	Began, Queued, AnsweredAt, EndedAt int64
	HoldMs, AcwMs                      int64
	Result                             string
	Cause                              int
	By                                 string
	Flags                              []string
	Survey                             int    // 1–5
	Solved                             string // yes, no
	MOS, Loss, Jitter                  int    // hundredths, per mille, ms

	index, dek []byte
	sealed     seal.Field
}

// Flag marks a call once.
func (c *Call) Flag(f string) {
	if !slices.Contains(c.Flags, f) {
		c.Flags = append(c.Flags, f)
	}
}

// FlagTest marks a call of the test line (拨测): it is in the records, and in no figure.
const FlagTest = "test"

// Test tells whether it is a call of the test line.
func (c *Call) Test() bool { return slices.Contains(c.Flags, FlagTest) }

// WaitMs is how long the caller waited for an answer, or waited in vain.
func (c *Call) WaitMs() int64 {
	switch {
	case c.Queued == 0:
		return 0
	case c.AnsweredAt > 0:
		return max(0, c.AnsweredAt-c.Queued)
	case c.EndedAt > 0:
		return c.EndedAt - c.Queued
	}
	return 0
}

// TalkMs is from the answer to the end.
func (c *Call) TalkMs() int64 {
	if c.AnsweredAt == 0 || c.EndedAt == 0 {
		return 0
	}
	return c.EndedAt - c.AnsweredAt
}

// Index is the blind index of the caller's number; nil when withheld.
func (c *Call) Index() []byte { return c.index }

// Service keeps the records. Built once by app.
type Service struct {
	DB      *db.DB
	Log     *eventlog.Log
	Ring    *seal.Ring
	Org     *org.Service
	Tickets *ticket.Service
	Counted func() // the figures have moved; nil = nobody looks. Set before Follow.
	// Watched tells whether a supervision of a ticket (督办) is open. Set by app.
	Watched func(tx *db.Tx, ticket int64) (bool, error)
	// Talked tells whether words written in a call (文字会话) are left. Set by text.
	Talked func(tx *db.Tx, call int64) (bool, error)
	// LinesOf gives the numbers that a sub-centre (分中心), by its code, answers. Set by app.
	LinesOf func(code string) []string
}

// New builds the service.
func New(d *db.DB, log *eventlog.Log, ring *seal.Ring, o *org.Service, t *ticket.Service) *Service {
	no := func(*db.Tx, int64) (bool, error) { return false, nil }
	return &Service{DB: d, Log: log, Ring: ring, Org: o, Tickets: t, Watched: no, Talked: no, LinesOf: func(string) []string { return nil }}
}

// BlindNumber is how a caller's number is found without storing it.
func (s *Service) BlindNumber(number string) []byte {
	if number == "" {
		return nil
	}
	return s.Ring.Blind("voice_number", Plain(number))
}

// Plain is a number in its one form: digits only, without the country code and
// without the 0 that a trunk sets before a mobile number.
func Plain(number string) string {
	number = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
	for _, p := range []string{"0086", "86"} {
		if rest, ok := strings.CutPrefix(number, p); ok && len(rest) >= 10 {
			number = rest
			break
		}
	}
	if len(number) == 12 && strings.HasPrefix(number, "01") {
		number = number[1:]
	}
	return number
}

// Seal prepares what is secret about a call; flow calls it once, outside any
// transaction.
func (s *Service) Seal(c *Call) error {
	key, dek, err := s.Ring.NewKey()
	if err != nil {
		return fmt.Errorf("cdr: key: %w", err)
	}
	c.Number = Plain(c.Number)
	c.dek, c.index, c.Masked = dek, s.BlindNumber(c.Number), maskNumber(c.Number)
	if c.Number != "" {
		c.sealed = key.Seal(ad(c.ID), c.Number)
	}
	return nil
}

func ad(id int64) string { return fmt.Sprintf("voice_call|%d|number", id) }

// maskNumber shows short service numbers, which are nobody's, as they are.
func maskNumber(n string) string {
	switch {
	case n == "":
		return "未显示号码"
	case len(n) <= 5:
		return n
	}
	return zh.MaskPhone(n)
}

const callColumns = `id, version, direction, trunk, dnis, line, mode, platform, region, number_bi, dek, number, masked, queue, skill, seat, unit, ticket, origin, began, queued, answered, ended,
 hold_ms, acw_ms, result, cause, by_who, flags, survey, solved, mos, loss, jitter`

func scanCall(sc db.Scanner) (*Call, error) {
	c := &Call{}
	var flags string
	err := sc.Scan(&c.ID, &c.Version, &c.Direction, &c.Trunk, &c.DNIS, &c.Line, &c.Mode, &c.Platform, &c.Region, &c.index, &c.dek, &c.sealed, &c.Masked, &c.Queue, &c.Skill, &c.Seat, &c.Unit, &c.Ticket, &c.Origin,
		&c.Began, &c.Queued, &c.AnsweredAt, &c.EndedAt, &c.HoldMs, &c.AcwMs, &c.Result, &c.Cause, &c.By, &flags, &c.Survey, &c.Solved, &c.MOS, &c.Loss, &c.Jitter)
	if flags != "" {
		c.Flags = strings.Split(flags, ",")
	}
	return c, err
}

// Save writes a call as it stands.
func (s *Service) Save(tx *db.Tx, c Call) error {
	index := c.index
	if index == nil {
		index = []byte{}
	}
	_, err := tx.Exec(`INSERT INTO voice_call (`+callColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31,$32,$33,$34)
 ON CONFLICT (id) DO UPDATE SET version = excluded.version, queue = excluded.queue, skill = excluded.skill, seat = excluded.seat, unit = excluded.unit, platform = excluded.platform,
 ticket = CASE WHEN voice_call.ticket > 0 THEN voice_call.ticket ELSE excluded.ticket END, queued = excluded.queued, answered = excluded.answered, ended = excluded.ended, hold_ms = excluded.hold_ms,
 acw_ms = excluded.acw_ms, result = excluded.result, cause = excluded.cause, by_who = excluded.by_who, flags = excluded.flags, survey = excluded.survey, solved = excluded.solved,
 mos = excluded.mos, loss = excluded.loss, jitter = excluded.jitter`,
		c.ID, c.Version, c.Direction, c.Trunk, c.DNIS, c.Line, c.Mode, c.Platform, c.Region, index, c.dek, c.sealed, c.Masked, c.Queue, c.Skill, c.Seat, c.Unit, c.Ticket, c.Origin,
		c.Began, c.Queued, c.AnsweredAt, c.EndedAt, c.HoldMs, c.AcwMs, c.Result, c.Cause, c.By, strings.Join(c.Flags, ","), c.Survey, c.Solved, c.MOS, c.Loss, c.Jitter)
	return err
}

// Tell appends an event about a call: ids and codes only.
func (s *Service) Tell(tx *db.Tx, c *Call, kind string, actor int64, data map[string]any) error {
	if data == nil {
		data = map[string]any{}
	}
	data["p"], data["line"], data["mode"], data["dir"] = c.Platform, c.Line, c.Mode, c.Direction
	if c.Seat != 0 {
		data["seat"], data["su"] = c.Seat, c.Unit
	}
	if c.Skill != "" {
		data["skill"] = c.Skill
	}
	if c.Test() {
		data["test"] = true
	}
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = s.Log.Append(tx, eventlog.Event{Kind: kind, SubjectKind: "call", SubjectID: c.ID, Version: c.Version, Actor: actor, Unit: c.Unit, Data: string(b)})
	return err
}

// TellEnd appends the event from which the figures are counted.
func (s *Service) TellEnd(tx *db.Tx, c *Call) error {
	return s.Tell(tx, c, EventEnded, 0, map[string]any{"result": c.Result, "began": c.Began, "queued": b2i(c.Queued > 0), "wait": c.WaitMs(), "talk": c.TalkMs(), "hold": c.HoldMs, "cause": c.Cause, "flags": c.Flags})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Peek reads a call in a transaction, without asking who looks.
func (s *Service) Peek(tx *db.Tx, id int64) (*Call, error) {
	c, err := db.One(tx, scanCall, `SELECT `+callColumns+` FROM voice_call WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoCall()
	}
	return c, err
}

func errNoCall() error {
	return fault.NotFound("call_absent", "没有这通电话，或它不在您的查看范围内。")
}

// OpenNumber reads the caller's number in the clear, for dialling and for the
// seat that has the caller on the line; whoever calls it has audited that.
func (s *Service) OpenNumber(c *Call) (string, error) {
	if len(c.sealed) == 0 {
		return "", nil
	}
	key, err := s.Ring.OpenKey(c.dek)
	if err != nil {
		return "", err
	}
	return key.Open(ad(c.ID), c.sealed)
}

// after is how long a seat that had a caller may still act for them.
const after = 30 * time.Minute

// CallerOf is the number of the caller whom the seat talks with or talked with
// until a moment ago; "" when it is withheld.
//
// Errors: not_found call_absent for any other call.
func (s *Service) CallerOf(ctx context.Context, seat, call int64) (number string, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		c, err := s.Peek(tx, call)
		switch {
		case err != nil:
			return err
		case c.Seat != seat || c.AnsweredAt == 0 || c.EndedAt != 0 && c.EndedAt < tx.NowMS()-after.Milliseconds():
			return errNoCall()
		}
		number, err = s.OpenNumber(c)
		return err
	})
	return number, err
}

// Bind ties a ticket to the call it came from, in the transaction that makes
// the ticket.
func (s *Service) Bind(tx *db.Tx, call, ticketID, actor int64) error {
	c, err := s.Peek(tx, call)
	if err != nil {
		return err
	}
	if c.Seat != actor && actor != 0 { // a seat that had the call before keeps its draft
		had, err := db.Int(tx, `SELECT count(*) FROM voice_offer WHERE call_id = $1 AND seat = $2`, call, actor)
		if err != nil {
			return err
		}
		if had == 0 {
			return errNoCall()
		}
	}
	if _, err := tx.Exec(`UPDATE voice_call SET ticket = $1 WHERE id = $2 AND ticket = 0`, ticketID, call); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE voice_leader_item SET ticket = $1 WHERE call_id = $2 AND ticket = 0`, ticketID, call); err != nil {
		return err
	}
	return s.Tell(tx, c, EventTicket, actor, map[string]any{"ticket": ticketID})
}

// Last is the newest answered call of a number, for 上次接听座席 and 重复来电.
func (s *Service) Last(tx *db.Tx, index []byte, since, but int64) (seat int64, calls int64, err error) {
	if len(index) == 0 {
		return 0, 0, nil
	}
	if calls, err = db.Int(tx, `SELECT count(*) FROM voice_call WHERE number_bi = $1 AND began >= $2 AND id <> $3 AND direction = 'in'`, index, since, but); err != nil {
		return 0, 0, err
	}
	seat, err = db.Int(tx, `SELECT seat FROM voice_call WHERE number_bi = $1 AND began >= $2 AND seat > 0 AND answered > 0 ORDER BY began DESC LIMIT 1`, index, since)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return seat, calls, err
}

// Recent is how many calls (来电) came from a number within a month, the one that
// is up included: what every page says of how often somebody calls.
func (s *Service) Recent(ctx context.Context, number string) (calls int, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		_, n, err := s.Last(tx, s.BlindNumber(Plain(number)), tx.NowMS()-Month, 0)
		calls = int(n)
		return err
	})
	return calls, err
}

// Month is the span in ms within which calls of one number are counted (近30天).
const Month = 30 * 24 * 3600 * 1000
