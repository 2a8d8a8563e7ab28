package cdr

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/org"
)

// where is the part of the calls that an actor may see: a seat its own, a team
// or sub-centre its own, a platform what its people and its callers made.
func (s *Service) where(a access.Actor, args *[]any) string {
	if a.System {
		return "1=1"
	}
	arg := func(v any) string { *args = append(*args, v); return "$" + strconv.Itoa(len(*args)) }
	tree := s.Org.Tree()
	sc := access.ScopeIn(tree, a)
	switch {
	case sc.None:
		return "1=0"
	case sc.Own != 0:
		return "seat = " + arg(sc.Own)
	}
	u, ok := tree.Get(sc.Units[0])
	switch {
	case !ok:
		return "1=0"
	case u.Kind == org.KindProvince:
		return "1=1"
	case u.Kind.Platform():
		return "(platform = " + arg(u.ID) + " OR unit = " + arg(u.ID) + ")"
	}
	return s.shareOf(u.ID).sql(arg)
}

// Filter chooses calls.
type Filter struct {
	From, To               int64 // of the beginning, ms; To 0 = now
	Line, Result, Number   string
	Direction              string
	Seat, Ticket, Platform int64
	Unit                   int64
	Skill                  string
	Flag                   string
	Set                    string // one of the sets of the figures, "" = all calls
	Hour                   int    // of the day in which the call began plus 1, 0 = all
	Cursor                 string
	Limit                  int
}

// List reads calls, newest first, within the scope of the actor; total counts
// those of a set, -1 without one. The look-up by number takes the whole number
// and goes by its blind index. It fails with flag_unknown, set_unknown,
// phone_invalid and cursor_invalid.
func (s *Service) List(ctx context.Context, a access.Actor, f Filter) (out []*Call, next string, total int64, err error) {
	var args []any
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	w := []string{s.where(a, &args)}
	add := func(sql string, v any) { w = append(w, sql+arg(v)) }
	if f.From > 0 {
		add("began >= ", f.From)
	}
	if f.To > 0 {
		add("began < ", f.To)
	}
	for col, v := range map[string]string{"line": f.Line, "skill": f.Skill, "result": f.Result, "direction": f.Direction} {
		if v == "live" && col == "result" {
			w = append(w, "result = ''")
		} else if v != "" {
			add(col+" = ", v)
		}
	}
	for col, v := range map[string]int64{"seat": f.Seat, "ticket": f.Ticket, "platform": f.Platform, "unit": f.Unit} {
		if v != 0 {
			add(col+" = ", v)
		}
	}
	if f.Flag != "" {
		if strings.Trim(f.Flag, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return nil, "", 0, fault.Invalid("flag_unknown", "没有这个标记。")
		}
		add("(',' || flags || ',') LIKE ", "%,"+f.Flag+",%")
	}
	if f.Number != "" {
		n := Plain(f.Number)
		if len(n) < 3 || len(n) > 20 {
			return nil, "", 0, fault.Invalid("phone_invalid", "请输入完整的电话号码。")
		}
		add("number_bi = ", s.BlindNumber(n))
	}
	if f.Hour > 0 {
		add("(began / 3600000 + 8) % 24 = ", f.Hour-1)
	}
	total = -1
	if f.Set != "" {
		cond, err := f.set(s.ShareOf(a))
		if err != nil {
			return nil, "", 0, err
		}
		w = append(w, cond)
	}
	count, counted := `SELECT count(*) FROM voice_call WHERE `+strings.Join(w, " AND "), slices.Clone(args)
	if f.Cursor != "" {
		var began, id int64
		if _, err := fmt.Sscanf(f.Cursor, "%d-%d", &began, &id); err != nil {
			return nil, "", 0, fault.Invalid("cursor_invalid", "翻页位置有误，请重新查询。")
		}
		w = append(w, "(began < "+arg(began)+" OR began = "+arg(began)+" AND id < "+arg(id)+")")
	}
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	query := `SELECT ` + callColumns + ` FROM voice_call WHERE ` + strings.Join(w, " AND ") + ` ORDER BY began DESC, id DESC LIMIT ` + arg(f.Limit+1)
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		if f.Set != "" {
			if total, err = db.Int(tx, count, counted...); err != nil {
				return err
			}
		}
		out, err = db.All(tx, scanCall, query, args...)
		return err
	})
	if len(out) > f.Limit {
		out = out[:f.Limit]
		last := out[f.Limit-1]
		next = fmt.Sprintf("%d-%d", last.Began, last.ID)
	}
	return out, next, total, err
}

// Detail is everything about one call.
type Detail struct {
	Call       *Call
	Legs       []Leg
	Offers     []Offering
	Transfers  []Transfer
	Recordings []Recording
	Holds      []Hold
}

// Get reads one call within the scope of the actor.
func (s *Service) Get(ctx context.Context, a access.Actor, id int64) (d Detail, err error) {
	args := []any{id}
	where := s.where(a, &args)
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		d = Detail{}
		if d.Call, err = db.One(tx, scanCall, `SELECT `+callColumns+` FROM voice_call WHERE id = $1 AND `+where, args...); err != nil {
			return errNoCall()
		}
		if d.Legs, err = db.All(tx, func(sc db.Scanner) (l Leg, err error) {
			return l, sc.Scan(&l.Leg, &l.Call, &l.Kind, &l.Party, &l.Seat, &l.Began, &l.Answered, &l.Ended, &l.Cause, &l.MOS, &l.Loss, &l.Jitter)
		}, `SELECT leg, call_id, kind, party, seat, began, answered, ended, cause, mos, loss, jitter FROM voice_leg WHERE call_id = $1 ORDER BY began`, id); err != nil {
			return err
		}
		if d.Offers, err = db.All(tx, func(sc db.Scanner) (o Offering, err error) {
			return o, sc.Scan(&o.ID, &o.Call, &o.Queue, &o.Reach, &o.Seat, &o.Why, &o.Began, &o.Ended, &o.Outcome)
		}, `SELECT id, call_id, queue, reach, seat, why, began, ended, outcome FROM voice_offer WHERE call_id = $1 ORDER BY began, id`, id); err != nil {
			return err
		}
		if d.Transfers, err = db.All(tx, scanTransfer, `SELECT `+transferColumns+` FROM voice_transfer WHERE call_id = $1 ORDER BY began, id`, id); err != nil {
			return err
		}
		d.Recordings, err = db.All(tx, scanRecording, `SELECT rec, call_id, began, ms, bytes, sha256, state FROM voice_recording WHERE call_id = $1 ORDER BY began, rec`, id)
		if err == nil {
			d.Holds, err = s.HoldOf(tx, id)
		}
		return err
	})
	return d, err
}

const transferColumns = `id, call_id, from_seat, platform, unit, target, name, kind, mode, reason, began, ring_ms, wait_ms, result, recording, ticket`

func scanTransfer(sc db.Scanner) (t Transfer, err error) {
	return t, sc.Scan(&t.ID, &t.Call, &t.From, &t.Platform, &t.Unit, &t.Target, &t.Name, &t.Kind, &t.Mode, &t.Reason, &t.Began, &t.RingMs, &t.WaitMs, &t.Result, &t.Recording, &t.Ticket)
}

func scanRecording(sc db.Scanner) (r Recording, err error) {
	return r, sc.Scan(&r.Rec, &r.Call, &r.Began, &r.Ms, &r.Bytes, &r.SHA256, &r.State)
}

// Transfers is the ledger (转接台账) of an actor's scope, newest first.
func (s *Service) Transfers(ctx context.Context, a access.Actor, from, to int64, kind string) (out []Transfer, err error) {
	args := []any{from, to, kind}
	where := strings.ReplaceAll(s.where(a, &args), "seat = ", "from_seat = ")
	if sh := s.ShareOf(a); sh.Unit != 0 && !a.System && s.whole(a) { // a transfer knows no line: those of its people
		args = append(args[:3], sh.Unit)
		where = "unit = $4"
	}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out, err = db.All(tx, scanTransfer, `SELECT `+transferColumns+` FROM voice_transfer WHERE began >= $1 AND began < $2 AND (CAST($3 AS TEXT) = '' OR kind = $3) AND `+where+` ORDER BY began DESC, id DESC LIMIT 500`, args...)
		return err
	})
	return out, err
}

// Callbacks is the list of callers who are or were owed a call (漏接回拨).
func (s *Service) Callbacks(ctx context.Context, a access.Actor, state string, from int64) (out []Callback, err error) {
	if !s.whole(a) {
		return nil, nil
	}
	args := []any{from, state}
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	where := s.ShareOf(a).missed(arg)
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, scanCallback, `SELECT b.call_id, b.kind, b.platform, b.line, b.number_bi, b.due, b.state, b.tries, b.made, b.done_at, c.masked
 FROM voice_callback b JOIN voice_call c ON c.id = b.call_id WHERE b.made >= $1 AND (CAST($2 AS TEXT) = '' OR b.state = $2) AND `+where+` ORDER BY b.made DESC LIMIT 500`, args...)
		return err
	})
	return out, err
}

// whole tells whether the actor sees more than his own calls.
func (s *Service) whole(a access.Actor) bool {
	sc := access.ScopeIn(s.Org.Tree(), a)
	return !sc.None && sc.Own == 0
}

// States lists what a seat did in a span (座席状态), oldest first.
func (s *Service) States(ctx context.Context, a access.Actor, account, from, to int64) (out []State, err error) {
	tree := s.Org.Tree()
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		out = nil
		rows, err := db.All(tx, func(sc db.Scanner) (st State, err error) {
			return st, sc.Scan(&st.ID, &st.Account, &st.Unit, &st.Platform, &st.State, &st.Why, &st.From, &st.To)
		}, `SELECT id, account, unit, platform, state, why, from_at, to_at FROM voice_state WHERE account = $1 AND from_at >= $2 AND from_at < $3 ORDER BY from_at, id LIMIT 2000`, account, from, to)
		for _, r := range rows {
			if account == a.Account || s.whole(a) && tree.Under(tree.Platform(a.Unit).ID, r.Unit) {
				out = append(out, r)
			}
		}
		return err
	})
	return out, err
}

// MayListen says which recording of a call an actor may hear: 班长 and 质检员 of
// its centre; the call of a 举报 only by those cleared for it. The entry of the
// audit comes first.
func (s *Service) MayListen(ctx context.Context, log *audit.Log, a access.Actor, id int64, rec string) (Recording, error) {
	if !a.May(access.Listen) && a.Role != access.Cell {
		return Recording{}, fault.Forbidden("role_forbidden", "您的岗位不能收听录音。")
	}
	d, err := s.Get(ctx, a, id)
	if err != nil {
		return Recording{}, err
	}
	if err := s.unsealed(ctx, a, d.Call); err != nil {
		return Recording{}, err
	}
	for _, r := range d.Recordings {
		if rec == "" || r.Rec == rec {
			if r.State == Expired {
				return r, fault.NotFound("recording_expired", "这通电话的录音已超过保存期限，按规定销毁，不能收听。")
			}
			if r.State != "ready" {
				return r, fault.Conflict("recording_open", "通话录音尚未完成，请稍候。")
			}
			return r, log.Seen(ctx, audit.Entry{Actor: a.Account, Account: a.Username, Role: string(a.Role), Unit: a.Unit, Op: "call.play", SubjectKind: "call", Subject: id, Count: 1, IP: a.IP})
		}
	}
	return Recording{}, fault.NotFound("recording_absent", "这通电话没有录音。")
}

// Key is the caller in the clear form of its digest, for grouping calls of one
// person on a screen.
func (c *Call) Key() string { return hex.EncodeToString(c.index) }
