package text

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/seal"
	"hotline/internal/voice/cdr"
	"hotline/internal/zh"
)

// Schema is the room's tables.
func Schema() db.Schema {
	return db.Schema{Name: "text", Steps: []db.Step{{SQL: `
CREATE TABLE text_talk (
  id BIGINT PRIMARY KEY,
  call_id BIGINT NOT NULL,
  platform BIGINT NOT NULL,
  seat BIGINT NOT NULL,
  link TEXT NOT NULL,
  holder TEXT NOT NULL,
  dek BYTEA NOT NULL,
  masked TEXT NOT NULL,
  region TEXT NOT NULL,
  line TEXT NOT NULL,
  state TEXT NOT NULL,
  made BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  opened BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  unread INTEGER NOT NULL
);
CREATE UNIQUE INDEX text_talk_link ON text_talk(link);
CREATE UNIQUE INDEX text_talk_call ON text_talk(call_id);
CREATE INDEX text_talk_seat ON text_talk(seat, last_at);
CREATE INDEX text_talk_platform ON text_talk(platform, last_at);
CREATE TABLE text_line (
  id BIGINT PRIMARY KEY,
  talk BIGINT NOT NULL,
  who TEXT NOT NULL,
  account BIGINT NOT NULL,
  at BIGINT NOT NULL,
  said_key TEXT NOT NULL,
  body BYTEA NOT NULL,
  redacted TEXT NOT NULL
);
CREATE UNIQUE INDEX text_line_key ON text_line(talk, said_key)`}, {SQL: `
CREATE INDEX text_talk_due ON text_talk(last_at) WHERE state <> 'expired'`}}}
}

// Life is how long a link works after it was sent.
const Life = 24 * time.Hour

// The bounds of what one conversation takes.
const (
	maxText   = 500 // characters of one message
	maxLines  = 200 // of one conversation
	maxMinute = 8   // of the citizen in one minute
	maxKey    = 64
)

// The states of a conversation.
const (
	Open   = "open"    // 进行中
	Closed = "closed"  // 已结束
	Gone   = "expired" // 已按期销毁: the key is shredded, the words are gone
)

// Talk is one conversation (文字会话). It is made with its link by flow, bound to
// the first browser that writes, and over when a seat closes it or Life has passed.
type Talk struct {
	ID, Call      int64
	Platform      int64 // of the seat
	Seat          int64 // account that answers
	Masked        string
	Region, Line  string
	State         string
	Made, Expires int64
	Opened        int64 // when the link was first opened, 0 = not yet
	LastAt        int64
	Unread        int // of the citizen's messages

	token        string
	link, holder string
	dek          []byte
}

// Over tells whether nothing can be written any more.
func (t *Talk) Over(now int64) bool { return t.State != Open || now >= t.Expires }

// Line is one message.
type Line struct {
	ID      int64
	Who     string // citizen, seat
	Account int64
	At      int64
	Text    string
}

// Service keeps the conversations. Built once by app.
type Service struct {
	DB   *db.DB
	CDR  *cdr.Service
	Ring *seal.Ring
	Org  *org.Service
	// Told is called when a citizen wrote, with the account that answers.
	Told func(account, talk int64)
}

// New builds the service.
func New(d *db.DB, c *cdr.Service, o *org.Service) *Service {
	c.Talked = func(tx *db.Tx, call int64) (bool, error) {
		n, err := db.Int(tx, `SELECT count(*) FROM text_talk WHERE call_id = $1 AND state <> 'expired'`, call)
		return n > 0, err
	}
	return &Service{DB: d, CDR: c, Ring: c.Ring, Org: o, Told: func(int64, int64) {}}
}

func digest(kind, secret string) string {
	sum := sha256.Sum256([]byte(kind + "|" + secret))
	return hex.EncodeToString(sum[:])
}

func secret() (string, error) {
	var raw [20]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", err
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw[:])), nil
}

// Prepare makes the conversation of a call with a seat of a platform, outside
// any transaction. It fails with number_withheld and number_no_mobile where no
// text message can arrive.
func (s *Service) Prepare(c *cdr.Call, seat, platform, now int64) (*Talk, error) {
	if c.Number == "" {
		return nil, fault.Conflict("number_withheld", "来电未显示号码，无法发送文字链接；请再次询问或稍候。")
	}
	if len(c.Number) != 11 || c.Number[0] != '1' {
		return nil, fault.Conflict("number_no_mobile", "来电是固定电话，收不到短信；请再次询问或稍候。")
	}
	token, err := secret()
	if err != nil {
		return nil, err
	}
	_, dek, err := s.Ring.NewKey()
	if err != nil {
		return nil, err
	}
	return &Talk{ID: s.DB.NewID(), Call: c.ID, Platform: platform, Seat: seat, Masked: c.Masked, Region: c.Region, Line: c.Line, State: Open, Made: now, Expires: now + Life.Milliseconds(), LastAt: now, token: token, link: digest("link", token), dek: dek}, nil
}

// Path is the link of a prepared conversation; only its digest is kept.
func (t *Talk) Path() string { return "/text/" + t.token }

const talkColumns = `id, call_id, platform, seat, link, holder, dek, masked, region, line, state, made, expires, opened, last_at, unread`

func scanTalk(sc db.Scanner) (*Talk, error) {
	t := &Talk{}
	return t, sc.Scan(&t.ID, &t.Call, &t.Platform, &t.Seat, &t.link, &t.holder, &t.dek, &t.Masked, &t.Region, &t.Line, &t.State, &t.Made, &t.Expires, &t.Opened, &t.LastAt, &t.Unread)
}

// Save writes a prepared conversation; a call has one.
func (s *Service) Save(tx *db.Tx, t *Talk) error {
	_, err := tx.Exec(`INSERT INTO text_talk (`+talkColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16) ON CONFLICT (call_id) DO NOTHING`,
		t.ID, t.Call, t.Platform, t.Seat, t.link, t.holder, t.dek, t.Masked, t.Region, t.Line, t.State, t.Made, t.Expires, t.Opened, t.LastAt, t.Unread)
	return err
}

func errLink() error {
	return fault.NotFound("link_expired", "链接无效或已过期。需要帮助请再次拨打12345，紧急情况请拨打110、119或120。")
}

func errHeld() error {
	return fault.Forbidden("text_elsewhere", "这个链接已在另一部手机或浏览器上使用，这里不能打开。")
}

// byLink finds the conversation of a link for the browser that holds it.
func (s *Service) byLink(tx *db.Tx, token, holder string) (*Talk, error) {
	if len(token) != 32 {
		return nil, errLink()
	}
	t, err := db.One(tx, scanTalk, `SELECT `+talkColumns+` FROM text_talk WHERE link = $1`, digest("link", token))
	if errors.Is(err, sql.ErrNoRows) || err == nil && tx.NowMS() >= t.Expires {
		return nil, errLink()
	}
	if err != nil {
		return nil, err
	}
	if t.holder != "" && subtle.ConstantTimeCompare([]byte(t.holder), []byte(digest("holder", holder))) != 1 {
		return nil, errHeld()
	}
	return t, nil
}

// Visit is what the citizen sees; holder is what Hold gave his browser. It
// fails with link_expired and text_elsewhere.
func (s *Service) Visit(ctx context.Context, token, holder string) (t *Talk, lines []Line, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		if t, err = s.byLink(tx, token, holder); err != nil {
			return err
		}
		lines, err = s.lines(tx, t, true)
		return err
	})
	if err == nil && t.Opened == 0 {
		err = s.DB.Update(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE text_talk SET opened = $1 WHERE id = $2 AND opened = 0`, tx.NowMS(), t.ID)
			return err
		})
	}
	return t, lines, err
}

// Write adds what the citizen wrote and binds the link to his browser: holder is
// what the browser has, "" for none; the answer is what it shall keep. The same
// key twice is one message.
func (s *Service) Write(ctx context.Context, token, holder, key, words string) (keep string, err error) {
	words, err = message(words)
	if err != nil {
		return "", err
	}
	fresh, err := secret()
	if err != nil {
		return "", err
	}
	var t *Talk
	var made bool
	err = s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		made = false
		if t, err = s.byLink(tx, token, holder); err != nil {
			return err
		}
		if t.State != Open {
			return fault.Conflict("text_closed", "会话已结束。还有需要请再次拨打12345。")
		}
		keep = holder
		if t.holder == "" {
			keep = fresh
			if _, err := tx.Exec(`UPDATE text_talk SET holder = $1 WHERE id = $2`, digest("holder", fresh), t.ID); err != nil {
				return err
			}
		}
		n, err := db.Int(tx, `SELECT count(*) FROM text_line WHERE talk = $1 AND who = 'citizen' AND at > $2`, t.ID, tx.NowMS()-time.Minute.Milliseconds())
		if err != nil {
			return err
		}
		if n >= maxMinute {
			return fault.TooMany("text_rate", "发送太频繁，请一分钟后再发。")
		}
		made, err = s.add(tx, t, "citizen", 0, key, words)
		return err
	})
	if err == nil && made {
		s.Told(t.Seat, t.ID)
	}
	return keep, err
}

func message(words string) (string, error) {
	words = strings.TrimSpace(strings.ReplaceAll(words, "\r\n", "\n"))
	if words == "" || zh.Len(words) > maxText || strings.ContainsRune(words, 0) {
		return "", fault.Invalid("text_invalid", "请写1至%d个字。", maxText).At(fault.Field{Name: "text", Detail: fmt.Sprintf("请写1至%d个字。", maxText)})
	}
	return words, nil
}

// add writes a message; false means that this one was there already.
func (s *Service) add(tx *db.Tx, t *Talk, who string, account int64, key, words string) (bool, error) {
	id := tx.NewID()
	if key == "" || len(key) > maxKey {
		key = fmt.Sprint(id)
	}
	n, err := db.Int(tx, `SELECT count(*) FROM text_line WHERE talk = $1`, t.ID)
	if err != nil {
		return false, err
	}
	if n >= maxLines {
		return false, fault.Conflict("text_full", "这次会话的消息已满，请再次拨打12345或通过网站提交诉求。")
	}
	k, err := s.Ring.OpenKey(t.dek)
	if err != nil {
		return false, err
	}
	made, err := tx.Exec(`INSERT INTO text_line (id, talk, who, account, at, said_key, body, redacted) VALUES ($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT (talk, said_key) DO NOTHING`,
		id, t.ID, who, account, tx.NowMS(), who+"-"+key, k.Seal(lineAD(t.ID, id), words), zh.Redact(words))
	if err != nil || made == 0 {
		return false, err
	}
	unread := 0
	if who == "citizen" {
		unread = 1
	}
	_, err = tx.Exec(`UPDATE text_talk SET last_at = $1, unread = CASE WHEN $2 > 0 THEN unread + 1 ELSE 0 END WHERE id = $3`, tx.NowMS(), unread, t.ID)
	return true, err
}

func lineAD(talk, id int64) string { return fmt.Sprintf("text_line|%d|%d|body", talk, id) }

// lines reads the messages, in the clear or redacted.
func (s *Service) lines(tx *db.Tx, t *Talk, clear bool) ([]Line, error) {
	key, err := s.Ring.OpenKey(t.dek)
	if err != nil {
		return nil, err
	}
	return db.All(tx, func(sc db.Scanner) (l Line, err error) {
		var sealed seal.Field
		if err := sc.Scan(&l.ID, &l.Who, &l.Account, &l.At, &sealed, &l.Text); err != nil || !clear {
			return l, err
		}
		l.Text, err = key.Open(lineAD(t.ID, l.ID), sealed)
		return l, err
	}, `SELECT id, who, account, at, body, redacted FROM text_line WHERE talk = $1 ORDER BY at, id`, t.ID)
}
