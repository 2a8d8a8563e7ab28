package supervise

import (
	"time"

	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/db"
)

// States of an order (督办状态).
const (
	Open     = "open"     // 督办中: the unit owes a feedback
	Feedback = "feedback" // 待销号: the supervisor reads it
	Rejected = "rejected" // 退回重报: the unit owes a better one
	Closed   = "closed"   // 已销号
)

// Rules that list a ticket (督办缘由).
const (
	RuleOverdue     = "overdue"      // 逾期未办结
	RuleUnsatisfied = "unsatisfied2" // 二次不满意
	RuleReturns     = "returns2"     // 退单两次以上
	RuleRepeat      = "repeat3"      // 重复诉求三次以上
	RuleManual      = "manual"       // 人工督办
)

// Rules are the automatic ones in the order of the screen.
var Rules = []string{RuleOverdue, RuleUnsatisfied, RuleReturns, RuleRepeat}

// Levels of an order, as in the ticket's rule table (督办方式).
var Levels = []string{"urge", "order", "interview", "notice"}

var (
	ruleWords  = map[string]string{RuleOverdue: "逾期未办结", RuleUnsatisfied: "二次不满意", RuleReturns: "退单两次以上", RuleRepeat: "重复诉求三次以上", RuleManual: "人工督办"}
	levelWords = map[string]string{"urge": "催办", "order": "督办", "interview": "约谈", "notice": "通报"}
	stateWords = map[string]string{Open: "督办中", Feedback: "待销号", Rejected: "退回重报", Closed: "已销号"}
)

// RuleWord names a rule.
func RuleWord(rule string) string { return ruleWords[rule] }

// Order is one 督办: created by Open, moved by Act, ended by 销号, never deleted.
type Order struct {
	ID          int64
	No          string // 督办编号
	Ticket      int64
	Platform    int64 // owner of the ticket when the order was made
	Issuer      int64 // unit that supervises
	Rule        string
	Level       string
	Unit        int64  // 督办对象
	Requirement string // redacted
	State       string
	Due         int64 // of the feedback, ms
	OpenedAt    int64
	OpenedBy    int64
	ClosedAt    int64
	Version     int64
	Notes       []Note
}

// Note is one step of an order in words: feedback, close, reject or extend.
type Note struct {
	Kind string
	Text string // redacted
	By   int64
	Unit int64
	At   int64
}

// RuleLabel is the Chinese word of the rule.
func (o Order) RuleLabel() string { return ruleWords[o.Rule] }

// LevelLabel is the Chinese word of the level.
func (o Order) LevelLabel() string { return levelWords[o.Level] }

// StateLabel is the Chinese word of the state.
func (o Order) StateLabel() string { return stateWords[o.State] }

// Owed tells whether the unit owes a feedback now.
func (o Order) Owed() bool { return o.State == Open || o.State == Rejected }

// DueText is the deadline of the feedback as screens show it; "" when none is owed.
func (o Order) DueText(now time.Time) string {
	if !o.Owed() || o.Due == 0 {
		return ""
	}
	return calendar.Display(now, clock.FromMillis(o.Due))
}

const orderColumns = `id, no, ticket, platform, issuer, rule, level, unit, requirement, state, due, opened_at, opened_by, closed_at, version`

func scanOrder(s db.Scanner) (o Order, err error) {
	return o, s.Scan(&o.ID, &o.No, &o.Ticket, &o.Platform, &o.Issuer, &o.Rule, &o.Level, &o.Unit, &o.Requirement, &o.State, &o.Due, &o.OpenedAt, &o.OpenedBy, &o.ClosedAt, &o.Version)
}

func (o *Order) insert(tx *db.Tx) error {
	_, err := tx.Exec(`INSERT INTO supervision (`+orderColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)`,
		o.ID, o.No, o.Ticket, o.Platform, o.Issuer, o.Rule, o.Level, o.Unit, o.Requirement, o.State, o.Due, o.OpenedAt, o.OpenedBy, o.ClosedAt, o.Version)
	return err
}

func notes(tx *db.Tx, id int64) ([]Note, error) {
	return db.All(tx, func(s db.Scanner) (n Note, err error) { return n, s.Scan(&n.Kind, &n.Text, &n.By, &n.Unit, &n.At) },
		`SELECT kind, text, by_account, unit, at FROM supervision_note WHERE supervision = $1 ORDER BY id`, id)
}
