package ticket

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// Filter chooses the rows of a list. Lists go by one worklist index and
// keyset paging; nothing counts whole tables.
type Filter struct {
	Queue    string // a queue of the worklist; "" or "all" = everything in scope
	Query    string // 单号 or its tail, a phone, or words of the title
	Status   string
	Unit     int64
	Region   string
	Type     string
	Category string
	Urgency  string
	From, To int64 // of 受理, ms
	Cursor   string
	Limit    int
	IDs      []int64 // search hits; overrides the queue order
}

// Row is one line of a list. It holds no clear personal data.
type Row struct {
	Ticket     *Ticket
	Assignment int64
	Node       *Assignment
	State      string
	Sort       int64
}

// sorted says which way a queue runs: work by deadline, the rest newest first.
func newestFirst(queue string) bool {
	switch queue {
	case "", "all", "mine", QueueDone, Closed, Invalid, Withdrawn, Redirected, Transferred, Merged, "informant":
		return true
	}
	return false
}

// queueStates maps a queue name of the API to worklist states and residual conditions.
func queueStates(queue string, now int64, args *[]any) (states []string, cond string) {
	arg := func(v any) string { *args = append(*args, v); return "$" + strconv.Itoa(len(*args)) }
	open := []string{ToSign, InHand, Delegated, ToReview, Returning}
	switch queue {
	case "", "all", "mine":
		return nil, ""
	case "to_accept":
		return []string{Received}, ""
	case "dispatch": // the pages by their names: everything that waits on them
		return []string{ToDispatch, QueueReturn, QueueDisputed}, ""
	case "unit":
		return open, ""
	case "review":
		return []string{ToReview}, ""
	case "callback":
		return []string{ToCallback}, ""
	case "dispatch_overdue":
		return []string{ToDispatch, QueueDisputed, QueueReturn}, "w.sort_at < " + arg(now)
	case "due_soon":
		return open, "w.sort_at >= " + arg(now) + " AND w.sort_at < " + arg(now+24*3600*1000)
	case "overdue":
		return open, "w.sort_at < " + arg(now)
	case "rework":
		return open, "t.leg > 1"
	case "sup_open":
		return nil, "t.watch > 0 AND t.closed_at = 0"
	case "informant":
		return nil, "w.label = 'informant'"
	}
	return []string{queue}, ""
}

// List gives one page of the actor's worklist, limit rows and the cursor of the next.
func (s *Service) List(ctx context.Context, actor access.Actor, sc access.Scope, f Filter) (rows []Row, next string, err error) {
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	var args []any
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	where := []string{sc.SQL("w", &args)}
	states, cond := queueStates(f.Queue, s.DB.Clock().Now().UnixMilli(), &args)
	if len(states) > 0 {
		var in []string
		for _, st := range states {
			in = append(in, arg(st))
		}
		where = append(where, "w.state IN ("+strings.Join(in, ",")+")")
	}
	if cond != "" {
		where = append(where, cond)
	}
	for col, v := range map[string]string{"t.status": f.Status, "t.type": f.Type, "t.urgency": f.Urgency} {
		if v != "" {
			where = append(where, col+" = "+arg(v))
		}
	}
	if f.Region != "" {
		where = append(where, "t.region >= "+arg(f.Region)+" AND t.region < "+arg(f.Region+":"))
	}
	if f.Category != "" {
		c := strings.TrimRight(f.Category, "0")
		if len(c)%2 == 1 {
			c += "0"
		}
		where = append(where, "t.category >= "+arg(c)+" AND t.category < "+arg(c+":"))
	}
	if f.Unit != 0 {
		where = append(where, "t.unit = "+arg(f.Unit))
	}
	if f.From > 0 {
		where = append(where, "t.accepted >= "+arg(f.From))
	}
	if f.To > 0 {
		where = append(where, "t.accepted < "+arg(f.To))
	}
	if cond, err := s.match(f.Query, arg); err != nil {
		return nil, "", err
	} else if cond != "" {
		where = append(where, cond)
	}
	if f.IDs != nil {
		if len(f.IDs) == 0 {
			return nil, "", nil
		}
		var in []string
		for _, id := range f.IDs {
			in = append(in, arg(id))
		}
		where = append(where, "w.ticket IN ("+strings.Join(in, ",")+")")
	}
	key, order := "w.sort_at, w.ticket, w.assignment", "w.sort_at, w.ticket, w.assignment"
	newest := newestFirst(f.Queue)
	if newest {
		key, order = "w.ticket, w.assignment", "w.ticket DESC, w.assignment DESC"
	}
	if f.Cursor != "" {
		keys, err := parseCursor(f.Cursor, newest)
		if err != nil {
			return nil, "", err
		}
		var marks []string
		for _, k := range keys {
			marks = append(marks, arg(k))
		}
		op := " > "
		if newest {
			op = " < "
		}
		where = append(where, "("+key+")"+op+"("+strings.Join(marks, ", ")+")")
	}
	text := `SELECT w.assignment, w.state, w.sort_at, ` + prefixed("t.", ticketColumns) + ` FROM worklist w JOIN ticket t ON t.id = w.ticket WHERE ` + strings.Join(where, " AND ") +
		` ORDER BY ` + order + ` LIMIT ` + arg(f.Limit+1)
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		if rows, err = db.All(tx, scanRow, text, args...); err != nil {
			return err
		}
		return attachNodes(tx, rows)
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		if newest {
			next = fmt.Sprintf("%d.%d", last.Ticket.ID, last.Assignment)
		} else {
			next = fmt.Sprintf("%d.%d.%d", last.Sort, last.Ticket.ID, last.Assignment)
		}
	}
	if newest { // a unit may hold two nodes of one ticket: show the ticket once
		rows = once(rows)
	}
	return rows, next, nil
}

func once(rows []Row) []Row {
	seen := map[int64]bool{}
	out := rows[:0]
	for _, r := range rows {
		if !seen[r.Ticket.ID] {
			seen[r.Ticket.ID] = true
			out = append(out, r)
		}
	}
	return out
}

func scanRow(sc db.Scanner) (Row, error) {
	var r Row
	t, err := scanTicket(rowScanner{sc, &r})
	r.Ticket = t
	return r, err
}

// rowScanner reads the worklist columns before the ticket's.
type rowScanner struct {
	db.Scanner
	r *Row
}

func (s rowScanner) Scan(dest ...any) error {
	return s.Scanner.Scan(append([]any{&s.r.Assignment, &s.r.State, &s.r.Sort}, dest...)...)
}

func attachNodes(tx *db.Tx, rows []Row) error {
	var args []any
	var in []string
	at := map[int64][]int{}
	for i, r := range rows {
		if r.Assignment != 0 {
			if at[r.Assignment] == nil {
				args = append(args, r.Assignment)
				in = append(in, "$"+strconv.Itoa(len(args)))
			}
			at[r.Assignment] = append(at[r.Assignment], i)
		}
	}
	if len(in) == 0 {
		return nil
	}
	nodes, err := db.All(tx, scanAssignment, `SELECT `+assignmentColumns+` FROM assignment WHERE id IN (`+strings.Join(in, ",")+`)`, args...)
	for _, a := range nodes {
		for _, i := range at[a.ID] {
			rows[i].Node = a
		}
	}
	return err
}

// match turns a typed query into a condition: 单号, a tail of it, a phone, or words.
func (s *Service) match(q string, arg func(any) string) (string, error) {
	q = strings.TrimSpace(q)
	if q == "" {
		return "", nil
	}
	digits := strings.ReplaceAll(strings.ReplaceAll(q, " ", ""), "-", "")
	if ValidNumber(digits) {
		return "t.number = " + arg(digits), nil
	}
	if phone, ok := zh.NormalizePhone(digits); ok {
		return "t.phone_bi = " + arg(s.PhoneIndex(access.Normal, phone)), nil
	}
	if len(digits) >= 4 && strings.Trim(digits, "0123456789") == "" {
		return "(t.number LIKE " + arg("%"+digits) + " OR t.former = " + arg(digits) + ")", nil
	}
	return "t.title_r LIKE " + arg("%"+strings.NewReplacer("%", "", "_", "").Replace(q)+"%"), nil
}

func prefixed(p, columns string) string {
	parts := strings.Split(columns, ",")
	for i := range parts {
		parts[i] = p + strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, ", ")
}

func parseCursor(c string, newest bool) ([]int64, error) {
	want := 3
	if newest {
		want = 2
	}
	parts := strings.Split(c, ".")
	var out []int64
	for _, p := range parts {
		n, err := strconv.ParseInt(p, 10, 64)
		if err != nil {
			break
		}
		out = append(out, n)
	}
	if len(out) != want || len(parts) != want {
		return nil, fault.Invalid("cursor_invalid", "翻页标记无效，请重新查询。")
	}
	return out, nil
}

// Count is the size of a queue, capped.
type Count struct {
	Queue   string
	N       int64
	Overdue int64
	Capped  bool
}

// countCap bounds what a badge shows: above it reads 9,999+.
const countCap = 9999

// Counts gives the sizes of queues in the actor's scope.
func (s *Service) Counts(ctx context.Context, sc access.Scope, queues []string) ([]Count, error) {
	now := s.DB.Clock().Now().UnixMilli()
	out := make([]Count, 0, len(queues))
	err := s.DB.View(ctx, func(tx *db.Tx) error {
		for _, q := range queues {
			c := Count{Queue: q}
			var err error
			if c.N, err = countQueue(tx, sc, q, now, false); err != nil {
				return err
			}
			if !newestFirst(q) && q != QueueRelay && c.N > 0 { // a relay has no limit of its own
				if c.Overdue, err = countQueue(tx, sc, q, now, true); err != nil {
					return err
				}
			}
			if c.N > countCap {
				c.N, c.Capped = countCap, true
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

func countQueue(tx *db.Tx, sc access.Scope, queue string, now int64, late bool) (int64, error) {
	var args []any
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	where := []string{sc.SQL("w", &args)}
	states, cond := queueStates(queue, now, &args)
	if len(states) > 0 {
		var in []string
		for _, st := range states {
			in = append(in, arg(st))
		}
		where = append(where, "w.state IN ("+strings.Join(in, ",")+")")
	}
	from := "worklist w"
	if cond != "" {
		where = append(where, cond)
		if strings.Contains(cond, "t.") {
			from = "worklist w JOIN ticket t ON t.id = w.ticket"
		}
	}
	if late {
		where = append(where, "w.sort_at < "+arg(now))
	}
	return db.Int(tx, `SELECT count(*) FROM (SELECT 1 AS one FROM `+from+` WHERE `+strings.Join(where, " AND ")+` LIMIT `+arg(countCap+1)+`) q`, args...)
}

// inScope tells whether the actor may read the ticket at all.
func (s *Service) inScope(tx *db.Tx, actor access.Actor, id, createdBy int64) (bool, error) {
	sc := access.ScopeIn(s.Org.Tree(), actor)
	args := []any{id}
	n, err := db.Int(tx, `SELECT count(*) FROM (SELECT 1 AS one FROM worklist w WHERE w.ticket = $1 AND `+sc.SQL("w", &args)+` LIMIT 1) q`, args...)
	if err != nil || n > 0 {
		return n > 0, err
	}
	if sc.Caller { // a seat may open what waits for 受理 on its platform
		n, err = db.Int(tx, `SELECT count(*) FROM (SELECT 1 AS one FROM worklist w WHERE w.ticket = $1 AND w.unit = $2 AND w.assignment = 0 AND w.label = 'normal' AND w.state IN ('received', 'seat_fix') LIMIT 1) q`, id, actor.Platform)
	}
	return n > 0, err
}

// Get loads a ticket that the actor may read; not_found otherwise.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (*Ticket, error) {
	var t *Ticket
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		if t, err = load(tx, id); err != nil {
			return err
		}
		if !s.sees(tx, actor, t) {
			return errNoTicket()
		}
		return nil
	})
	return t, err
}

// ByNumber finds a ticket by 单号 or by its number in a former system; the
// caller checks scope with Get.
func (s *Service) ByNumber(ctx context.Context, number string) (int64, error) {
	number = strings.ReplaceAll(strings.TrimSpace(number), " ", "")
	var id int64
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		if id, err = db.Int(tx, `SELECT id FROM ticket WHERE number = $1`, number); err == nil {
			return nil
		}
		id, err = db.Int(tx, `SELECT id FROM ticket WHERE former = $1 AND former <> '' ORDER BY id DESC LIMIT 1`, number)
		return err
	})
	if err != nil {
		return 0, errNoTicket()
	}
	return id, nil
}

// NumberInScope finds a ticket by 单号 or former number among those that the
// actor may read, the newest where cities brought the same former number.
func (s *Service) NumberInScope(ctx context.Context, actor access.Actor, number string) (found int64, err error) {
	number = strings.ReplaceAll(strings.TrimSpace(number), " ", "")
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		found = 0
		ids, err := db.All(tx, func(sc db.Scanner) (id int64, err error) { return id, sc.Scan(&id) },
			`SELECT id FROM ticket WHERE number = $1 UNION SELECT id FROM ticket WHERE former = $1 AND former <> '' ORDER BY id DESC LIMIT 50`, number)
		for i := 0; i < len(ids) && found == 0 && err == nil; i++ {
			var ok bool
			if ok, err = s.inScope(tx, actor, ids[i], 0); ok {
				found = ids[i]
			}
		}
		return err
	})
	if err == nil && found == 0 {
		err = errNoTicket()
	}
	return found, err
}

// ByCode finds a ticket for a citizen who has 单号 and 查询码. A wrong number
// and a wrong code give the same answer.
func (s *Service) ByCode(ctx context.Context, number, code string) (*Ticket, error) {
	number = strings.ReplaceAll(strings.TrimSpace(number), " ", "")
	hash := s.HashCode(number, strings.ToUpper(strings.TrimSpace(code)))
	id, err := s.ByNumber(ctx, number)
	if err == nil {
		var t *Ticket
		err = s.DB.View(ctx, func(tx *db.Tx) (err error) { t, err = load(tx, id); return err })
		if err == nil && subtle.ConstantTimeCompare(t.CodeHash, hash) == 1 {
			return t, nil
		}
	}
	return nil, fault.NotFound("progress_not_found", "单号或查询码不正确，请核对后再试。")
}

// ByPhone gives the tickets of a phone, newest first, without 举报.
func (s *Service) ByPhone(ctx context.Context, phone string, limit int) ([]*Ticket, error) {
	p, ok := zh.NormalizePhone(phone)
	if !ok {
		return nil, fault.Invalid("phone_invalid", "电话号码格式不正确。").At(fault.Field{Name: "phone", Detail: "请输入手机号或带区号的固定电话。"})
	}
	var out []*Ticket
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, scanTicket, `SELECT `+ticketColumns+` FROM ticket WHERE phone_bi = $1 ORDER BY id DESC LIMIT $2`, s.PhoneIndex(access.Normal, p), limit)
		return err
	})
	return out, err
}

// Related gives the tickets tied to t: its 主单, its children, its siblings by split.
func (s *Service) Related(ctx context.Context, t *Ticket) ([]*Ticket, error) {
	var out []*Ticket
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, scanTicket, `SELECT `+ticketColumns+` FROM ticket WHERE main = $1 AND main <> 0 ORDER BY id LIMIT 200`, t.ID)
		for _, id := range []int64{t.Main, t.SplitOf, t.RepeatOf} {
			if id != 0 && err == nil {
				r, absent := loadRow(tx, id)
				if absent == nil {
					out = append(out, r)
				}
			}
		}
		return err
	})
	return out, err
}

// openRequester and openBody decrypt; what they give leaves the room only
// through Reveal or a face's masking.
func (s *Service) openRequester(t *Ticket) (r Requester, err error) {
	return r, s.open(t, "requester", []byte(t.Requester), &r)
}

func (s *Service) openBody(t *Ticket) (b Body, err error) {
	return b, s.open(t, "body", []byte(t.Body), &b)
}

func (s *Service) open(t *Ticket, field string, sealed []byte, into any) error {
	if len(t.Key) == 0 {
		return fault.Unavailable("shredded", "个人信息已按规定销毁。")
	}
	key, err := s.Ring.OpenKey(t.Key)
	if err != nil {
		return fmt.Errorf("ticket %d: open key: %w", t.ID, err)
	}
	plain, err := key.Open(fieldAD(t.ID, field), sealed)
	if err != nil {
		return fmt.Errorf("ticket %d: open %s: %w", t.ID, field, err)
	}
	return json.Unmarshal([]byte(plain), into)
}

// IndexText gives the text of a ticket that search may keep: redacted, and
// only of tickets that are not sealed.
func (s *Service) IndexText(tx *db.Tx, id int64) (string, bool, error) {
	t, err := loadRow(tx, id)
	if err != nil {
		return "", false, err
	}
	if t.Label != access.Normal && t.Label != access.Confidential {
		return "", false, nil
	}
	return t.TitleR + " " + t.ContentR + " " + t.AddressR + " " + t.ObjectR, true, nil
}

// Peek loads a ticket's row for rooms that compare texts; it shows nobody anything.
func (s *Service) Peek(tx *db.Tx, id int64) (*Ticket, error) { return loadRow(tx, id) }

// ByPhoneIndex gives the tickets of a blind index, newest first.
func (s *Service) ByPhoneIndex(ctx context.Context, index []byte, limit int) (out []*Ticket, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, scanTicket, `SELECT `+ticketColumns+` FROM ticket WHERE phone_bi = $1 ORDER BY id DESC LIMIT $2`, index, limit)
		return err
	})
	return out, err
}

// Linkable gives the number of an open or past ticket of a platform that a new
// one may name as the matter it repeats.
func (s *Service) Linkable(id, platform int64) (string, error) {
	var t *Ticket
	err := s.DB.View(context.Background(), func(tx *db.Tx) (err error) { t, err = loadRow(tx, id); return err })
	if err != nil || t.Platform != platform || t.Label != access.Normal {
		return "", fault.Invalid("link_unknown", "要关联的工单不存在，或不在本平台。").At(fault.Field{Name: "link", Detail: "请重新选择要关联的工单。"})
	}
	return t.Number, nil
}
