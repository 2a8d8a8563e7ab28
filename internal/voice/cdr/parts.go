package cdr

import (
	"context"
	"fmt"

	"hotline/internal/db"
	"hotline/internal/eventlog"
)

// Leg is one party's connection within a call.
type Leg struct {
	Leg                    string
	Call                   int64
	Kind                   string // caller, seat, external, monitor
	Party                  string // masked number, or the target's name
	Seat                   int64
	Began, Answered, Ended int64
	Cause                  int
	MOS, Loss, Jitter      int
}

// SaveLeg writes a leg as it stands.
func (s *Service) SaveLeg(tx *db.Tx, l Leg) error {
	_, err := tx.Exec(`INSERT INTO voice_leg (leg, call_id, kind, party, seat, began, answered, ended, cause, mos, loss, jitter) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)
 ON CONFLICT (call_id, leg, began) DO UPDATE SET answered = excluded.answered, ended = excluded.ended, cause = excluded.cause, mos = excluded.mos, loss = excluded.loss, jitter = excluded.jitter`,
		l.Leg, l.Call, l.Kind, l.Party, l.Seat, l.Began, l.Answered, l.Ended, l.Cause, l.MOS, l.Loss, l.Jitter)
	return err
}

// Offering is one ringing of one seat, with why it was chosen.
type Offering struct {
	ID, Call     int64
	Queue, Reach string
	Seat         int64
	Why          string
	Began, Ended int64
	Outcome      string // answered, no_answer, declined, gone
}

// SaveOffer writes a ringing as it stands.
func (s *Service) SaveOffer(tx *db.Tx, o Offering) error {
	_, err := tx.Exec(`INSERT INTO voice_offer (id, call_id, queue, reach, seat, why, began, ended, outcome) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)
 ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, outcome = excluded.outcome`, o.ID, o.Call, o.Queue, o.Reach, o.Seat, o.Why, o.Began, o.Ended, o.Outcome)
	return err
}

// Transfer is one attempt to hand a call on (转接台账).
type Transfer struct {
	ID, Call, From int64
	Platform, Unit int64
	Target, Name   string
	Kind           string // emergency, utility, line, city, queue, seat
	Mode           string // warm 咨询转接, blind 盲转, conference 三方通话, forward 自动转接, queue 转技能组, seat 转座席
	Reason         string
	Began          int64
	RingMs, WaitMs int64
	Result         string // answered, completed, ticketed, no_answer, busy, failed, cancelled; "" = under way
	Recording      string
	Ticket         int64
}

// TransferWord is a result in Chinese.
func TransferWord(r string) string {
	return map[string]string{"": "正在呼叫", "answered": "已接听", "no_answer": "无人接听", "busy": "对方忙", "failed": "未接通", "cancelled": "已取消", "completed": "已转出", "ticketed": "已登记工单"}[r]
}

// SaveTransfer writes an attempt as it stands.
func (s *Service) SaveTransfer(tx *db.Tx, t Transfer) error {
	_, err := tx.Exec(`INSERT INTO voice_transfer (id, call_id, from_seat, platform, unit, target, name, kind, mode, reason, began, ring_ms, wait_ms, result, recording, ticket)
 VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16)
 ON CONFLICT (id) DO UPDATE SET ring_ms = excluded.ring_ms, wait_ms = excluded.wait_ms, result = excluded.result, mode = excluded.mode, ticket = excluded.ticket`,
		t.ID, t.Call, t.From, t.Platform, t.Unit, t.Target, t.Name, t.Kind, t.Mode, t.Reason, t.Began, t.RingMs, t.WaitMs, t.Result, t.Recording, t.Ticket)
	return err
}

// Recording is a sound file of a call.
type Recording struct {
	Rec       string
	Call      int64
	Began, Ms int64
	Bytes     int64
	SHA256    string
	State     string // on, ready, expired
}

// SaveRecording writes what is known of a recording.
func (s *Service) SaveRecording(tx *db.Tx, r Recording) error {
	_, err := tx.Exec(`INSERT INTO voice_recording (rec, call_id, began, ms, bytes, sha256, state) VALUES ($1,$2,$3,$4,$5,$6,$7)
 ON CONFLICT (rec) DO UPDATE SET ms = excluded.ms, bytes = excluded.bytes, sha256 = excluded.sha256, state = excluded.state`, r.Rec, r.Call, r.Began, r.Ms, r.Bytes, r.SHA256, r.State)
	return err
}

// State is what a seat did for a while (座席状态).
type State struct {
	ID, Account, Unit, Platform int64
	State, Why                  string
	From, To                    int64
}

// SaveSpan writes a span of a seat's day and, when it begins, tells of it.
func (s *Service) SaveSpan(tx *db.Tx, st State, begins bool) error {
	_, err := tx.Exec(`INSERT INTO voice_state (id, account, unit, platform, state, why, from_at, to_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)
 ON CONFLICT (id) DO UPDATE SET to_at = excluded.to_at`, st.ID, st.Account, st.Unit, st.Platform, st.State, st.Why, st.From, st.To)
	if err == nil && begins {
		_, err = s.Log.Append(tx, eventlog.Event{Kind: EventState, SubjectKind: "seat", SubjectID: st.Account, Actor: st.Account, Unit: st.Unit, Data: fmt.Sprintf(`{"p":%d,"state":%q}`, st.Platform, st.State)})
	}
	return err
}

// Callback is a caller who is owed a call (回拨).
type Callback struct {
	Call     int64
	Kind     string // missed 漏接, kept 保留位置, dropped 断线
	Platform int64
	Line     string
	Due      int64
	State    string // open, done, gave_up, came_back
	Tries    int
	Made     int64
	DoneAt   int64
	Masked   string
	index    []byte
}

// CallbackWord is a state in Chinese.
func CallbackWord(s string) string {
	return map[string]string{"open": "待回拨", "done": "已回拨", "gave_up": "多次未接通", "came_back": "已再次来电"}[s]
}

// SaveCallback writes who is owed a call; index is the caller's.
func (s *Service) SaveCallback(tx *db.Tx, c Callback, index []byte) error {
	if index == nil {
		index = []byte{}
	}
	_, err := tx.Exec(`INSERT INTO voice_callback (call_id, kind, platform, line, number_bi, due, state, tries, made, done_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
 ON CONFLICT (call_id) DO UPDATE SET state = excluded.state, tries = excluded.tries, done_at = excluded.done_at`, c.Call, c.Kind, c.Platform, c.Line, index, c.Due, c.State, c.Tries, c.Made, c.DoneAt)
	return err
}

// Foreign begins the trunk of a call that a foreign call centre carried
// (他厂商话务平台); its name follows.
const Foreign = "cti:"

// OpenCallbacks are the callers still owed a call, for a restart: those of one
// foreign call centre, or with "" those of our own exchange.
func (s *Service) OpenCallbacks(tx *db.Tx, trunk string) ([]Callback, error) {
	whose, args := ` AND trunk NOT LIKE '`+Foreign+`%'`, []any{}
	if trunk != "" {
		whose, args = ` AND trunk = $1`, []any{trunk}
	}
	return db.All(tx, scanCallback, `SELECT call_id, kind, b.platform, b.line, b.number_bi, due, state, tries, made, done_at, '' FROM voice_callback b JOIN voice_call ON id = call_id WHERE state = 'open'`+whose+` ORDER BY made`, args...)
}

func scanCallback(sc db.Scanner) (c Callback, err error) {
	return c, sc.Scan(&c.Call, &c.Kind, &c.Platform, &c.Line, &c.index, &c.Due, &c.State, &c.Tries, &c.Made, &c.DoneAt, &c.Masked)
}

// SaveLive keeps the state by which a call that is up survives a restart.
func (s *Service) SaveLive(tx *db.Tx, c *Call, body []byte) error {
	key, err := s.Ring.OpenKey(c.dek)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO voice_live (call_id, dek, body, at) VALUES ($1,$2,$3,$4) ON CONFLICT (call_id) DO UPDATE SET body = excluded.body, at = excluded.at`,
		c.ID, c.dek, []byte(key.Seal(ad(c.ID)+"|live", string(body))), tx.NowMS())
	return err
}

// DropLive forgets a call that is over.
func (s *Service) DropLive(tx *db.Tx, call int64) error {
	_, err := tx.Exec(`DELETE FROM voice_live WHERE call_id = $1`, call)
	return err
}

// Lives gives the calls that were up, with their states.
func (s *Service) Lives(tx *db.Tx) (calls []*Call, bodies [][]byte, err error) {
	type row struct {
		id        int64
		dek, body []byte
	}
	rows, err := db.All(tx, func(sc db.Scanner) (r row, err error) { return r, sc.Scan(&r.id, &r.dek, &r.body) }, `SELECT call_id, dek, body FROM voice_live ORDER BY call_id`)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		c, err := s.Peek(tx, r.id)
		if err != nil {
			return nil, nil, err
		}
		if c.Number, err = s.OpenNumber(c); err != nil {
			return nil, nil, err
		}
		key, err := s.Ring.OpenKey(r.dek)
		if err != nil {
			return nil, nil, err
		}
		plain, err := key.Open(ad(r.id)+"|live", r.body)
		if err != nil {
			return nil, nil, err
		}
		calls, bodies = append(calls, c), append(bodies, []byte(plain))
	}
	return calls, bodies, nil
}

// SetWrap notes how long the seat took for its notes after the call.
func (s *Service) SetWrap(tx *db.Tx, call, ms int64) error {
	_, err := tx.Exec(`UPDATE voice_call SET acw_ms = acw_ms + $1 WHERE id = $2`, ms, call)
	return err
}

// DialledSince tells whether a ticket's citizen was called after a moment.
func (s *Service) DialledSince(ctx context.Context, ticket, since int64) (bool, error) {
	var n int64
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		n, err = db.Int(tx, `SELECT count(*) FROM voice_call WHERE ticket = $1 AND ticket > 0 AND direction = 'out' AND began >= $2`, ticket, since)
		return err
	})
	return n > 0, err
}
