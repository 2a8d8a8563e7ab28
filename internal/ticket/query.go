package ticket

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"slices"
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
	Status   string // or Open
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
		return open, "w.mark IN (1, 3)"
	case "sup_open":
		return nil, "w.mark IN (2, 3)"
	case "informant":
		return nil, sealedLabels + " AND w.label = 'informant'"
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
	if cond != "" {
		where = append(where, cond)
	}
	for col, v := range map[string]string{"t.type": f.Type, "t.urgency": f.Urgency} {
		if v != "" {
			where = append(where, col+" = "+arg(v))
		}
	}
	if f.Region != "" {
		where = append(where, "t.region >= "+arg(f.Region)+" AND t.region < "+arg(f.Region+":"))
	}
	if f.Unit != 0 {
		where = append(where, "t.unit = "+arg(f.Unit))
	}
	hits := s.match(f.Query, sc, &args)
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
	o := orderOf(f.Queue)
	from := "worklist w JOIN ticket t ON t.id = w.ticket"
	first := throughScope
	if hits != "" { // CROSS JOIN has SQLite begin with the few
		from = "(" + hits + ") h CROSS JOIN worklist w JOIN ticket t ON t.id = w.ticket"
		where = append(where, "w.ticket = h.id")
	} else if o == byTicket && len(states) == 0 && cond == "" && s.wide(sc) {
		first = throughOf(f)
	}
	if first > throughUnit {
		o, from = byAccepted, "ticket t CROSS JOIN worklist w"
		where = append(where, "w.ticket = t.id")
	}
	key, direction, after := o.by()
	if first == throughUnit {
		from = "worklist v CROSS JOIN ticket t CROSS JOIN worklist w"
		key, direction = "v.ticket, w.assignment", "v.ticket DESC, w.assignment DESC"
		where = append(where, "v.unit = "+arg(f.Unit), "t.id = v.ticket", "w.ticket = v.ticket")
	}
	where = append(where, first.conditions(f, arg)...)
	if f.Cursor != "" {
		keys, err := parseCursor(f.Cursor, o)
		if err != nil {
			return nil, "", err
		}
		var marks []string
		for _, k := range keys {
			marks = append(marks, arg(k))
		}
		where = append(where, "("+key+")"+after+"("+strings.Join(marks, ", ")+")")
	}
	limit := arg(f.Limit + 1)
	runs := "w.state"
	if f.Status == Open && first == throughStatus {
		runs, states = "t.status", openStatuses
	}
	rank, _, _ := strings.Cut(key, ",")
	page := func(run string) (string, []any) {
		cond, args := where, args
		if run != "" {
			args = append(slices.Clip(args), run)
			cond = append(slices.Clip(where), runs+" = $"+strconv.Itoa(len(args)))
		}
		return `SELECT w.assignment, w.state, w.sort_at, w.ticket, t.version, ` + rank + ` FROM ` + from + ` WHERE ` + strings.Join(cond, " AND ") +
			` ORDER BY ` + direction + ` LIMIT ` + limit, args
	}
	if len(states) == 0 {
		states = []string{""}
	}
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		rows, err = s.page(tx, o, states, f.Limit+1, page)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		next = o.cursor(last)
	}
	if o != byDeadline { // a unit may hold two nodes of one ticket: show the ticket once
		rows = once(rows)
	}
	return rows, next, nil
}

// wide tells whether a scope is that of a whole platform.
func (s *Service) wide(sc access.Scope) bool {
	if len(sc.Units) == 0 {
		return sc.All
	}
	u, _ := s.Org.Tree().Get(sc.Units[0])
	return u.Kind.Platform()
}

// page reads the first rows of each run by the index, which has them in
// order, and merges them; one query over several states would sort them all.
func (s *Service) page(tx *db.Tx, o order, runs []string, limit int, query func(run string) (string, []any)) ([]Row, error) {
	type found struct {
		Row
		at
		rank int64 // the first column of the order
	}
	var all []found
	for _, run := range runs {
		text, args := query(run)
		part, err := db.All(tx, func(sc db.Scanner) (f found, err error) {
			return f, sc.Scan(&f.Assignment, &f.State, &f.Sort, &f.id, &f.version, &f.rank)
		}, text, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	if len(runs) > 1 {
		slices.SortFunc(all, func(a, b found) int {
			n := cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id), cmp.Compare(a.Assignment, b.Assignment))
			if o != byDeadline {
				n = -n
			}
			return n
		})
		all = all[:min(len(all), limit)]
	}
	want := make([]at, len(all))
	for i, f := range all {
		want[i] = f.at
	}
	tickets, err := s.readRows(tx, want, withNodes)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(all))
	for i, f := range all {
		rows[i] = f.Row
		rows[i].Ticket = tickets[f.id]
		rows[i].Node = rows[i].Ticket.Assignment(f.Assignment)
	}
	return rows, nil
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

// Get loads a ticket that the actor may read; not_found otherwise. Others may
// hold the same one: callers do not change it.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (t *Ticket, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		t, err = s.visible(tx, actor, id)
		return err
	})
	return t, err
}

// Open is Get with the tickets tied to it, from one snapshot.
func (s *Service) Open(ctx context.Context, actor access.Actor, id int64) (t *Ticket, ties []Tie, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		if t, err = s.visible(tx, actor, id); err == nil {
			ties, err = t.ties(tx)
		}
		return err
	})
	return t, ties, err
}

func (s *Service) visible(tx *db.Tx, actor access.Actor, id int64) (*Ticket, error) {
	version, places, err := versionOf(tx, id)
	if err != nil {
		return nil, err
	}
	if !actor.System && !actor.Citizen && !s.covers(actor, places) { // a citizen was authorised for exactly this ticket
		return nil, errNoTicket()
	}
	return s.read(tx, id, version)
}

// ByNumber finds a ticket by 单号 or by its number in a former system; the
// caller checks scope with Get.
func (s *Service) ByNumber(ctx context.Context, number string) (int64, error) {
	number = strings.ReplaceAll(strings.TrimSpace(number), " ", "")
	var id int64
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		args := []any{}
		if id, err = db.Int(tx, `SELECT t.id FROM ticket t WHERE `+numberIs("t", number, &args), args...); err == nil {
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
		var args []any
		type hit struct {
			id     int64
			places string
		}
		text := `SELECT t.id, t.places FROM ticket t WHERE ` + numberIs("t", number, &args)
		text += ` UNION ALL SELECT id, places FROM ticket WHERE former = $2 AND former <> '' ORDER BY id DESC LIMIT 50`
		hits, err := db.All(tx, func(sc db.Scanner) (h hit, err error) { return h, sc.Scan(&h.id, &h.places) }, text, args...)
		for _, h := range hits {
			if s.covers(actor, h.places) {
				found = h.id
				break
			}
		}
		return err
	})
	if err == nil && found == 0 {
		err = errNoTicket()
	}
	return found, err
}

// ByCode finds a ticket for a citizen who has 单号 and 查询码; a ticket that was
// split off opens with the code of the first. A wrong number and a wrong code
// give the same answer.
func (s *Service) ByCode(ctx context.Context, number, code string) (*Ticket, error) {
	id, err := s.ByNumber(ctx, number)
	if err == nil {
		var t, first *Ticket
		err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
			t, err = load(tx, id)
			for first = t; err == nil && first.SplitOf != 0; {
				first, err = load(tx, first.SplitOf)
			}
			return err
		})
		if err == nil && subtle.ConstantTimeCompare(first.CodeHash, s.HashCode(first.Number, strings.ToUpper(strings.TrimSpace(code)))) == 1 {
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

// Tie is a ticket tied to another: its 主单, a child, the one it was split
// from or repeats.
type Tie struct {
	ID, Main              int64
	Number, Title, Status string // Title is the redacted one
	Label                 access.Label
	Secrecy               string
}

// Hidden tells whether a ticket that is no secret may not name this one: its
// citizen asked for secrecy of any kind.
func (x Tie) Hidden() bool {
	return x.Label != access.Normal || x.Secrecy != SecrecyNormal && x.Secrecy != SecrecyAnonymous
}

// ties finds the tickets tied to t.
func (t *Ticket) ties(tx *db.Tx) ([]Tie, error) {
	scan := func(sc db.Scanner) (x Tie, err error) {
		return x, sc.Scan(&x.ID, &x.Main, &x.Number, &x.Title, &x.Status, &x.Label, &x.Secrecy)
	}
	const columns = `SELECT id, main, number, title_r, status, label, secrecy FROM ticket`
	out, err := db.All(tx, scan, columns+` WHERE main = $1 AND main <> 0 ORDER BY id LIMIT 200`, t.ID)
	if err != nil || t.Main == 0 && t.SplitOf == 0 && t.RepeatOf == 0 {
		return out, err
	}
	more, err := db.All(tx, scan, columns+` WHERE id IN ($1, $2, $3)`, t.Main, t.SplitOf, t.RepeatOf)
	return append(out, more...), err
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
	t, err := s.Peek(tx, id)
	if err != nil {
		return "", false, err
	}
	if t.Label != access.Normal && t.Label != access.Confidential {
		return "", false, nil
	}
	return t.TitleR + " " + t.ContentR + " " + t.AddressR + " " + t.ObjectR, true, nil
}

// Peek loads a ticket's row for rooms that compare texts; it shows nobody
// anything, and the caller only reads it.
func (s *Service) Peek(tx *db.Tx, id int64) (*Ticket, error) {
	version, _, err := versionOf(tx, id)
	if err != nil {
		return nil, err
	}
	if t, _ := s.shelf.get(id, version, withNodes); t != nil {
		return t, nil
	}
	return loadRow(tx, id)
}

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
