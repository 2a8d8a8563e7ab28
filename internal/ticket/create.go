package ticket

import (
	"context"
	"crypto/rand"
	"fmt"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// Intake is what 受理 (intake, floor 3) has decided about a request. Everything in
// it was validated there; Create checks only what it must to keep its own
// promises.
type Intake struct {
	Type, Category, Region          string
	Title, Content, Address, Object string
	Points                          []string
	Requester                       Requester
	Secrecy, Urgency, Nature        string
	Channel, Line                   string
	Call                            int64
	Platform                        int64  // owning platform
	Status                          string // Received, ToDispatch, Closed (直接答复), Transferred, Redirected, Invalid, Quarantined
	Outcome                         Outcome
	Suggestion                      *Suggestion
	Flags                           []string
	Attach                          []int64
	Source, SourceNo, Former        string
	RepeatOf, SplitOf               int64
	Supplement                      bool // RepeatOf is not brought again but added to
	Original, Occurred              int64
	NoticeVersion                   string // version of the 个人信息处理告知 the citizen saw
	Contact                         int64
	Note, ReplyWay                  string // 备注 (sealed) and 回复方式 of the desk's form
	Demo, Visitor                   bool
	At                              int64 // moment of 受理 in loaded history, see Service.Loading
}

// Outcome is what a ticket that ends at intake was told.
type Outcome struct {
	Text      string // answer or guidance
	Knowledge int64  // cited article; 0 = 未命中
	Redirect  string // 引导途径
	Line      string // 转接
	Invalid   string
}

// Created is the receipt of a new ticket.
type Created struct {
	ID        int64
	Number    string
	QueryCode string // 查询码, shown once
	Version   int64
	Status    string
	Due       int64 // of the clock that runs first, 0 when none
}

// codeAlphabet has 31 symbols that cannot be mistaken for one another.
const codeAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

func newQueryCode() string {
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic(err) // the system's source of randomness is gone
	}
	for i, b := range raw {
		raw[i] = codeAlphabet[int(b)%len(codeAlphabet)]
	}
	return string(raw[:])
}

// HashCode is the stored form of a 查询码.
func (s *Service) HashCode(number, code string) []byte {
	return s.Ring.Blind("query_code", number+"\x00"+code)
}

// Create makes a ticket (受理). It is durable when it returns.
func (s *Service) Create(ctx context.Context, actor access.Actor, n Intake) (Created, error) {
	d, err := s.Prepare(ctx, actor, n)
	if err != nil {
		return Created{}, err
	}
	err = s.DB.Update(ctx, d.Write)
	return d.Receipt, err
}

// Draft is a ticket made ready for its transaction: numbered, sealed and
// redacted, so that the transaction does nothing but write.
type Draft struct {
	Receipt Created
	s       *Service
	actor   access.Actor
	n       Intake
	t       Ticket
	reply   int64
}

// Prepare does the slow part of Create outside any transaction.
func (s *Service) Prepare(ctx context.Context, actor access.Actor, n Intake) (*Draft, error) {
	plat, ok := s.Org.Tree().Get(n.Platform)
	if !ok {
		return nil, fault.Invalid("platform_unknown", "受理平台不存在。")
	}
	at := s.DB.Clock().Now().UnixMilli()
	if n.At > 0 && s.history {
		at = n.At
	}
	number, err := s.numbers.issue(ctx, plat.Region, timeOf(at))
	if err != nil {
		return nil, err
	}
	_, rv := s.rulesNow(plat.ID, timeOf(at))
	_, lv := s.limitsNow(plat.ID, timeOf(at))
	t := Ticket{ID: idAt(s.DB, at, n.At > 0 && s.history), Number: number, Former: n.Former, Source: n.Source, SourceNo: n.SourceNo, Platform: plat.ID, CreatedBy: actor.Account,
		Type: n.Type, Category: n.Category, Region: n.Region, Label: LabelOf(n), Secrecy: n.Secrecy, Urgency: or(n.Urgency, "一般"), Nature: or(n.Nature, "普通"),
		Channel: n.Channel, Line: n.Line, Call: n.Call, Status: n.Status, Version: 1, RulesID: rv.ID, LimitsID: lv.ID, Leg: 1,
		TitleR: zh.Redact(n.Title), ContentR: zh.Redact(n.Content), AddressR: zh.MaskAddress(n.Address), ObjectR: zh.Redact(n.Object),
		Kind: or(n.Requester.Kind, "个人"), RepeatOf: n.RepeatOf, SplitOf: n.SplitOf, Accepted: at, Original: n.Original, Occurred: n.Occurred}
	if t.Type == "举报" || t.Secrecy == "" {
		t.Secrecy = map[bool]string{true: SecrecyUnit, false: SecrecyNormal}[t.Type == "举报"]
		if n.Secrecy == SecrecyAnonymous {
			t.Secrecy = SecrecyAnonymous
		}
	}
	if n.Category == "" {
		t.Category = ""
	} else if c, ok := s.categories(plat.ID, timeOf(at)).Get(n.Category); ok && n.Nature == "" && c.Nature != "" && (n.Type == "投诉" || n.Type == "举报") { // nobody enforces against a question
		t.Nature = c.Nature
	}
	t.Detail = Detail{Suggestion: n.Suggestion, Flags: n.Flags, Attach: n.Attach, Notice: n.NoticeVersion, Demo: n.Demo, Visitor: n.Visitor, Contact: n.Contact, ReplyWay: n.ReplyWay,
		Redirect: n.Outcome.Redirect, InvalidWhy: n.Outcome.Invalid, Line: n.Outcome.Line}
	for i, p := range n.Points {
		t.Detail.Points = append(t.Detail.Points, Point{No: i + 1, Text: zh.Redact(p), State: "open"})
	}
	d := &Draft{s: s, actor: actor, n: n}
	if err := s.sealInto(&t, n); err != nil {
		return nil, err
	}
	code := newQueryCode()
	t.CodeHash = s.HashCode(number, code)
	d.t = t
	d.Receipt = Created{ID: t.ID, Number: number, QueryCode: code, Version: 1, Status: t.Status}
	return d, nil
}

// sealInto encrypts what is personal and sets the masked and blind forms.
func (s *Service) sealInto(t *Ticket, n Intake) error {
	key, wrapped, err := s.Ring.NewKey()
	if err != nil {
		return fmt.Errorf("ticket: new key: %w", err)
	}
	t.Key = wrapped
	r := n.Requester
	if t.Secrecy == SecrecyAnonymous {
		r = Requester{Kind: r.Kind}
	}
	t.Requester = key.Seal(fieldAD(t.ID, "requester"), mustJSON(r))
	t.Body = key.Seal(fieldAD(t.ID, "body"), mustJSON(Body{n.Title, n.Content, n.Address, n.Object}))
	t.MaskName = zh.MaskName(r.Name)
	if phone, ok := zh.NormalizePhone(r.Phone); ok {
		t.MaskPhone = zh.MaskPhone(phone)
		t.PhoneBI = s.PhoneIndex(t.Label, phone)
	}
	return nil
}

// PhoneIndex is the blind index of a phone. 举报 tickets live under another
// key, so an ordinary look-up by phone never meets them.
func (s *Service) PhoneIndex(l access.Label, phone string) []byte {
	purpose := "phone"
	if l == access.Informant {
		purpose = "phone_sealed"
	}
	return s.Ring.Blind(purpose, phone)
}

func fieldAD(id int64, field string) string { return fmt.Sprintf("ticket|%d|%s", id, field) }

// LabelOf is the secrecy label a ticket starts with: 举报 and hidden identity
// are never ordinary; only two persons can lower it later.
func LabelOf(n Intake) access.Label {
	switch {
	case n.Status == Quarantined:
		return access.Quarantine
	case n.Type == "举报":
		return access.Informant
	case n.Secrecy == SecrecyUnit:
		return access.Confidential
	}
	return access.Normal
}

// Write puts the ticket, its clock, its worklist rows and its event into tx.
func (d *Draft) Write(tx *db.Tx) error {
	t := d.t // a copy: the closure may run twice
	w := &work{s: d.s, tx: tx, actor: d.actor, tree: d.s.Org.Tree(), t: &t, now: t.Accepted, event: tx.NewID(), data: map[string]any{"ch": t.Channel}}
	w.say("note", d.n.Note)
	t.Detail.Attach = nil
	if err := w.attach(d.n.Attach); err != nil {
		return err
	}
	switch t.Status {
	case Received:
		d.s.startClock(w, ClockAccept, nil, w.now, 0)
	case ToDispatch:
		d.s.startClock(w, ClockDispatch, nil, w.now, 0)
	case Closed:
		w.answered(d.n.Outcome.Text, d.n.Outcome.Knowledge)
		t.ClosedAt = w.now
	case Redirected, Transferred, Invalid:
		w.say("outcome", d.n.Outcome.Text)
		t.ClosedAt = w.now
	}
	if t.Line != "" {
		w.data["line"] = t.Line
	}
	switch t.Detail.Supplement = d.n.Supplement && t.RepeatOf != 0; {
	case t.Detail.Supplement:
		w.data["supplement_of"] = t.RepeatOf
	case t.RepeatOf != 0:
		w.data["repeat"] = t.RepeatOf
	}
	if notice := createNotices[t.Status]; notice != "" {
		w.data["notice"] = notice
	}
	if len(t.Clocks) > 0 {
		d.Receipt.Due = t.Clocks[0].Due
	}
	if err := w.insert(); err != nil {
		return err
	}
	if err := w.append("ticket.create"); err != nil {
		return err
	}
	w.keep()
	return nil
}

// insert writes a new ticket with all that stands around it but its event.
func (w *work) insert() error {
	moved := w.stand(w.tree)
	if err := w.t.insert(w.tx); err != nil {
		return err
	}
	if err := w.saveParts(); err != nil {
		return err
	}
	return moved.send(w.tx, w.t)
}

var createNotices = map[string]string{Received: "received", ToDispatch: "accepted", Closed: "answered", Redirected: "redirected"}

// answered records a 直接答复 as the unit's claim of the platform itself.
func (w *work) answered(text string, knowledge int64) {
	t := w.t
	w.say("answer", text)
	if knowledge != 0 {
		t.Detail.Knowledge = append(t.Detail.Knowledge, knowledge)
		w.data["kb"] = knowledge
	} else {
		t.Detail.Miss = true
		w.data["miss"] = 1
	}
	t.Detail.Unit = &UnitVerdict{Mode: "answered", Solved: "yes", Truth: "unknown", At: w.now, By: w.actor.Account, Unit: t.Platform}
	w.data["direct"] = 1
	w.data["ontime"] = 1
}

// Append adds an event about a ticket for rooms that act around it (a notice
// sent, data revealed) without changing the ticket.
func (s *Service) Append(tx *db.Tx, actor access.Actor, id int64, kind string, data map[string]any) error {
	_, err := s.Log.Append(tx, eventlog.Event{Kind: kind, SubjectKind: "ticket", SubjectID: id, Actor: actor.Account, Unit: actor.Unit, At: tx.NowMS(), Data: mustJSON(data)})
	return err
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
