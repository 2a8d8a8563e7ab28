// Package notify tells citizens what happened to their request (通知): it
// follows the event log, turns the notice named in an event into a message by
// a versioned template, and puts it into an outbox that is delivered at least
// once with a key that makes a repeat harmless. It holds no business rule and
// never changes a ticket. app runs its follower and its delivery.
package notify

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// PolicyNotices is the policy kind of the templates.
const PolicyNotices = "notices"

//go:embed notices.json
var defaultNotices []byte

// Templates maps a notice name to its text with {placeholders}.
type Templates map[string]string

// ParseTemplates reads the templates.
func ParseTemplates(doc []byte) (Templates, error) {
	t := Templates{}
	return t, json.Unmarshal(doc, &t)
}

// RegisterPolicies tells the store about the templates.
func RegisterPolicies(p *policy.Store) {
	p.Register(PolicyNotices, policy.Kind{Label: "通知模板", Default: func() []byte { return defaultNotices }, Validate: func(doc, _ []byte) error {
		t, err := ParseTemplates(doc)
		if err != nil {
			return fault.Invalid("notices_invalid", "通知模板不是有效的 JSON。").Because(err)
		}
		return t.check()
	}})
}

// names are what people call the templates (通知模板), by their keys.
var names = map[string]string{
	"received": "收到诉求", "accepted": "已受理", "answered": "直接答复", "dispatched": "已派单", "redirected": "引导", "extended": "延期",
	"suspended": "挂起", "relay": "热线中转", "closed": "办结", "reopened": "发回重办", "upheld": "维持结论", "withdrawn": "撤回",
}

// check refuses templates that would leave citizens untold or say {什么}.
func (t Templates) check() error {
	known, err := ParseTemplates(defaultNotices)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if _, ok := t[name]; !ok {
			return fault.Invalid("notices_invalid", "缺少“%s”的模板，发布后诉求人将收不到这种通知；请补上后再发布。", names[name]).At(fault.Field{Name: name, Detail: "请补上这个模板。"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t)) {
		text, called := t[name], cmp.Or(names[name], name)
		if zh.Len(text) < 5 || zh.Len(text) > 300 {
			return fault.Invalid("notices_invalid", "“%s”的模板应为5至300个字。", called).At(fault.Field{Name: name, Detail: "应为5至300个字。"})
		}
		if strings.ContainsAny(placeholders.Replace(text), "{}") {
			return fault.Invalid("notices_invalid", "“%s”的模板里有不认识的占位符，只能用{单号}、{类型}、{单位}和{时限}。", called).At(fault.Field{Name: name, Detail: "只能用{单号}、{类型}、{单位}和{时限}。"})
		}
	}
	return nil
}

// placeholders takes the placeholders out of a template.
var placeholders = strings.NewReplacer("{单号}", "", "{类型}", "", "{单位}", "", "{时限}", "")

// Schema is the room's tables.
func Schema() db.Schema {
	return db.Schema{Name: "notify", Steps: []db.Step{{SQL: `
CREATE TABLE outbox (
  id BIGINT PRIMARY KEY,
  event BIGINT NOT NULL,
  ticket BIGINT NOT NULL,
  kind TEXT NOT NULL,
  channel TEXT NOT NULL,
  phone_bi BYTEA NOT NULL,
  dek BYTEA NOT NULL,
  body BYTEA NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at BIGINT NOT NULL,
  created BIGINT NOT NULL,
  sent BIGINT NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX outbox_event ON outbox(event, kind);
CREATE INDEX outbox_next ON outbox(next_at) WHERE state = 'ready';
CREATE INDEX outbox_phone ON outbox(phone_bi, id);
CREATE INDEX outbox_ticket ON outbox(ticket, id);
CREATE TABLE notice_link (
  link_key TEXT PRIMARY KEY,
  ticket BIGINT NOT NULL,
  expires BIGINT NOT NULL
)`}}}
}

// Message is one notice to one person.
type Message struct {
	ID     int64
	Ticket int64
	Kind   string
	Phone  string
	Text   string
	Link   string // path on the citizen site, "" for none
	At     int64
	State  string // ready sent failed
}

type sealedBody struct {
	Phone string `json:"p"`
	Text  string `json:"t"`
	Link  string `json:"l,omitempty"`
}

// Sender delivers one message outside; Message.ID is its idempotency key.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Service writes and delivers the outbox.
type Service struct {
	db        *db.DB
	ring      *seal.Ring
	tickets   *ticket.Service
	org       *org.Service
	templates func(int64, time.Time) (Templates, policy.Version)
	sender    Sender // nil: messages stay in the outbox, which the simulated phone shows
}

// New builds the service.
func New(d *db.DB, ring *seal.Ring, t *ticket.Service, o *org.Service, p *policy.Store, sender Sender) *Service {
	return &Service{db: d, ring: ring, tickets: t, org: o, templates: policy.Cached(p, PolicyNotices, ParseTemplates), sender: sender}
}

// Follow turns events that name a notice into messages, each once.
func (s *Service) Follow(ctx context.Context, log *eventlog.Log) error {
	return log.Follow(ctx, "notify", 100, func(tx *db.Tx, evs []eventlog.Event) error {
		for _, e := range evs {
			if e.SubjectKind != "ticket" || !strings.Contains(e.Data, `"notice"`) {
				continue
			}
			var d struct {
				Notice string `json:"notice"`
				Due    int64  `json:"due"`
				Unit   int64  `json:"unit"`
				A      int64  `json:"a"`
			}
			if err := json.Unmarshal([]byte(e.Data), &d); err != nil {
				return fmt.Errorf("notify: event %d: %w", e.ID, err)
			}
			if d.Notice == "" {
				continue
			}
			if err := s.write(tx, e, d.Notice, d.Due); err != nil {
				return err
			}
		}
		return nil
	})
}

// stale is how old an event may be and still be told: loaded history stays silent.
const stale = 24 * time.Hour

func (s *Service) write(tx *db.Tx, e eventlog.Event, notice string, due int64) error {
	t, err := s.tickets.Peek(tx, e.SubjectID)
	if err != nil || tx.NowMS()-e.At > stale.Milliseconds() {
		return err
	}
	_, req, err := s.tickets.Own(t)
	if fault.Is(err, "shredded") || err == nil && req.Phone == "" {
		return nil
	}
	if err != nil {
		return err
	}
	templates, _ := s.templates(t.Platform, tx.Now())
	text, ok := templates[notice]
	if !ok {
		return nil
	}
	link, err := s.link(tx, t.ID)
	if err != nil {
		return err
	}
	if due == 0 {
		due = t.Due
	}
	unit := s.org.Tree().Name(t.Unit)
	if unit == "" {
		unit = s.org.Tree().Name(t.Platform)
	}
	text = strings.NewReplacer("{单号}", ticket.Spoken(t.Number), "{类型}", t.Type, "{单位}", unit, "{时限}", calendar.Display(tx.Now(), clock.FromMillis(due))).Replace(text)
	return s.put(tx, e.ID, t.ID, notice, req.Phone, text, link)
}

// put seals a message into the outbox; a repeat of the same event does nothing.
func (s *Service) put(tx *db.Tx, event, ticketID int64, kind, phone, text, link string) error {
	key, wrapped, err := s.ring.NewKey()
	if err != nil {
		return err
	}
	id := tx.NewID()
	body, err := json.Marshal(sealedBody{phone, text, link})
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO outbox (id, event, ticket, kind, channel, phone_bi, dek, body, state, next_at, created) VALUES ($1,$2,$3,$4,'sms',$5,$6,$7,'ready',$8,$9) ON CONFLICT (event, kind) DO NOTHING`,
		id, event, ticketID, kind, s.ring.Blind("outbox_phone", phone), wrapped, []byte(key.Seal(ad(id), string(body))), tx.NowMS(), tx.NowMS())
	return err
}

func ad(id int64) string { return fmt.Sprintf("outbox|%d|body", id) }

// linkLife is how long a link in a notice opens the progress page.
const linkLife = 30 * 24 * time.Hour

// link makes a random key that opens the ticket and says nothing about anyone.
func (s *Service) link(tx *db.Tx, id int64) (string, error) {
	var raw [15]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", err
	}
	key := strings.ToLower(base32.StdEncoding.EncodeToString(raw[:]))
	_, err := tx.Exec(`INSERT INTO notice_link (link_key, ticket, expires) VALUES ($1,$2,$3)`, key, id, tx.NowMS()+linkLife.Milliseconds())
	return "/s/" + key, err
}

// Resolve gives the ticket that a link opens.
func (s *Service) Resolve(ctx context.Context, key string) (int64, error) {
	var id int64
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		id, err = db.Int(tx, `SELECT ticket FROM notice_link WHERE link_key = $1 AND expires > $2`, key, tx.NowMS())
		return err
	})
	if err != nil {
		return 0, fault.NotFound("link_expired", "链接无效或已过期，请用单号和查询码查询。")
	}
	return id, nil
}

// SendCode puts a log-in code for a phone into the outbox.
func (s *Service) SendCode(ctx context.Context, phone, code string) error {
	return s.db.Update(ctx, func(tx *db.Tx) error {
		return s.put(tx, tx.NewID(), 0, "code", phone, "您的12345查询验证码为"+code+"，10分钟内有效，请勿告诉他人。", "")
	})
}

// Text puts a message about a call into the outbox, once for each call and kind.
func (s *Service) Text(tx *db.Tx, call int64, kind, phone, text, link string) error {
	return s.put(tx, call, 0, kind, phone, text, link)
}

// OfPhone lists the messages of a phone, newest first; "" lists the newest of all.
func (s *Service) OfPhone(ctx context.Context, phone string, limit int) ([]Message, error) {
	var out []Message
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		if phone == "" {
			out, err = db.All(tx, s.scan, `SELECT id, ticket, kind, dek, body, state, created FROM outbox ORDER BY id DESC LIMIT $1`, limit)
		} else {
			out, err = db.All(tx, s.scan, `SELECT id, ticket, kind, dek, body, state, created FROM outbox WHERE phone_bi = $1 ORDER BY id DESC LIMIT $2`, s.ring.Blind("outbox_phone", phone), limit)
		}
		return err
	})
	return out, err
}

func (s *Service) scan(sc db.Scanner) (Message, error) {
	var m Message
	var dek, body []byte
	if err := sc.Scan(&m.ID, &m.Ticket, &m.Kind, &dek, &body, &m.State, &m.At); err != nil {
		return m, err
	}
	key, err := s.ring.OpenKey(dek)
	if err != nil {
		return m, err
	}
	plain, err := key.Open(ad(m.ID), body)
	if err != nil {
		return m, err
	}
	var b sealedBody
	err = json.Unmarshal([]byte(plain), &b)
	m.Phone, m.Text, m.Link = b.Phone, b.Text, b.Link
	return m, err
}

// retries are the waits after each failed attempt; after the last the message fails.
var retries = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}

// Deliver sends what is due until ctx ends. Without a sender the messages are
// marked sent: the demonstration's phone reads the outbox itself.
func (s *Service) Deliver(ctx context.Context) error {
	for {
		n, err := s.DeliverOnce(ctx, 50)
		if err != nil && ctx.Err() == nil {
			n = 0
		}
		if n == 0 {
			if err := s.db.Clock().Sleep(ctx, time.Second); err != nil {
				return nil
			}
		}
	}
}

// DeliverOnce sends up to limit messages and says how many it tried.
func (s *Service) DeliverOnce(ctx context.Context, limit int) (int, error) {
	var due []Message
	var attempts []int
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		due, err = db.All(tx, s.scan, `SELECT id, ticket, kind, dek, body, state, created FROM outbox WHERE state = 'ready' AND next_at <= $1 ORDER BY next_at LIMIT $2`, tx.NowMS(), limit)
		if err != nil {
			return err
		}
		for _, m := range due {
			n, err := db.Int(tx, `SELECT attempts FROM outbox WHERE id = $1`, m.ID)
			if err != nil {
				return err
			}
			attempts = append(attempts, int(n))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for i, m := range due {
		var failed error
		if s.sender != nil {
			failed = s.sender.Send(ctx, m)
		}
		err := s.db.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
			switch {
			case failed == nil:
				_, err := tx.Exec(`UPDATE outbox SET state = 'sent', sent = $1, attempts = attempts + 1 WHERE id = $2`, tx.NowMS(), m.ID)
				return err
			case attempts[i] >= len(retries):
				_, err := tx.Exec(`UPDATE outbox SET state = 'failed', error = $1, attempts = attempts + 1 WHERE id = $2`, zh.Truncate(failed.Error(), 200), m.ID)
				return err
			}
			_, err := tx.Exec(`UPDATE outbox SET next_at = $1, error = $2, attempts = attempts + 1 WHERE id = $3`, tx.NowMS()+retries[attempts[i]].Milliseconds(), zh.Truncate(failed.Error(), 200), m.ID)
			return err
		})
		if err != nil {
			return i, err
		}
	}
	return len(due), nil
}
