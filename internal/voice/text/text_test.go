package text

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
	"hotline/internal/seal"
	"hotline/internal/ticket/tickettest"
	"hotline/internal/voice/cdr"
)

type world struct {
	*Service
	t     *testing.T
	tw    *tickettest.World
	audit *audit.Log
	city  int64
	seat  access.Actor
	told  []int64
}

var ctx = context.Background()

func each(t *testing.T, f func(w *world)) {
	dbtest.Each(t, tickettest.Schemas(cdr.Schema(), Schema()), func(t *testing.T, d *db.DB, c *clock.Virtual) {
		tw := tickettest.New(t, d, c)
		keys, err := seal.OpenFileProvider(t.TempDir(), "sm")
		if err != nil {
			t.Fatal(err)
		}
		s := New(d, cdr.New(d, tw.Log, seal.NewRing(keys), tw.Org, tw.Tickets), tw.Org)
		w := &world{Service: s, t: t, tw: tw, audit: audit.New(d), city: tw.Units["P420100"].ID, seat: tw.Who(access.Agent, "P420100")}
		s.Told = func(account, _ int64) { w.told = append(w.told, account) }
		f(w)
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) refused(what, code string, err error) {
	w.t.Helper()
	if !fault.Is(err, code) {
		w.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func (w *world) now() int64 { return clock.Millis(w.tw.Clock.Now()) }

func (w *world) call(number string) *cdr.Call {
	w.t.Helper()
	c := cdr.Call{ID: w.DB.NewID(), Direction: "in", Line: "12345", Platform: w.city, Unit: w.city, Seat: w.seat.Account, Number: number, Began: w.now(), EndedAt: w.now() + 1000, Result: cdr.Answered}
	w.must(w.CDR.Seal(&c))
	w.must(w.DB.Update(ctx, func(tx *db.Tx) error { return w.CDR.Save(tx, c) }))
	return &c
}

// open gives a conversation and its token.
func (w *world) open() (*Talk, string) {
	w.t.Helper()
	talk, err := w.Prepare(w.call("13871234567"), w.seat.Account, w.city, w.now())
	w.must(err)
	w.must(w.DB.Update(ctx, func(tx *db.Tx) error { return w.Save(tx, talk) }))
	token, ok := strings.CutPrefix(talk.Path(), "/text/")
	if !ok || len(token) != 32 {
		w.t.Fatalf("the link is %s", talk.Path())
	}
	return talk, token
}

func (w *world) count(q string, args ...any) (n int64) {
	w.t.Helper()
	w.must(w.DB.View(ctx, func(tx *db.Tx) (err error) { n, err = db.Int(tx, q, args...); return err }))
	return n
}

func free(*db.Tx) error { return nil }

func TestOnlyMobilesGetALink(t *testing.T) {
	each(t, func(w *world) {
		for number, code := range map[string]string{"": "number_withheld", "02787654321": "number_no_mobile", "110": "number_no_mobile"} {
			_, err := w.Prepare(w.call(number), w.seat.Account, w.city, w.now())
			w.refused(number, code, err)
		}
	})
}

func TestACallHasOneConversation(t *testing.T) {
	each(t, func(w *world) {
		talk, token := w.open()
		again := *talk
		again.ID, again.link = w.DB.NewID(), digest("link", "another")
		w.must(w.DB.Update(ctx, func(tx *db.Tx) error { return w.Save(tx, &again) }))
		if n := w.count(`SELECT count(*) FROM text_talk`); n != 1 {
			w.t.Errorf("%d conversations", n)
		}
		if n := w.count(`SELECT count(*) FROM text_talk WHERE link = $1`, token); n != 0 {
			w.t.Error("the link is kept in the clear")
		}
	})
}

func TestTheFirstBrowserHoldsTheLink(t *testing.T) {
	each(t, func(w *world) {
		_, token := w.open()
		for _, bad := range []string{"", "x", strings.Repeat("a", 32), token + "a", strings.ToUpper(token)} {
			_, _, err := w.Visit(ctx, bad, "")
			w.refused("the link "+bad, "link_expired", err)
		}
		_, _, err := w.Visit(ctx, token, "") // looking binds nobody
		w.must(err)
		keep, err := w.Write(ctx, token, "", "k1", "路灯不亮")
		w.must(err)
		if keep == "" || len(w.told) != 1 || w.told[0] != w.seat.Account {
			w.t.Errorf("kept %q, told %v", keep, w.told)
		}
		for _, holder := range []string{"", "stranger"} {
			_, _, err = w.Visit(ctx, token, holder)
			w.refused("another browser looks", "text_elsewhere", err)
			_, err = w.Write(ctx, token, holder, "", "冒充")
			w.refused("another browser writes", "text_elsewhere", err)
		}
		got, err := w.Write(ctx, token, keep, "k1", "路灯不亮") // the page sent it twice
		w.must(err)
		_, lines, err := w.Visit(ctx, token, keep)
		w.must(err)
		if got != keep || len(lines) != 1 || lines[0].Text != "路灯不亮" || len(w.told) != 1 {
			w.t.Errorf("%d lines, told %d times", len(lines), len(w.told))
		}
		if w.count(`SELECT opened FROM text_talk`) == 0 {
			w.t.Error("nobody knows that it was opened")
		}
	})
}

func TestMessagesAreBounded(t *testing.T) {
	each(t, func(w *world) {
		talk, token := w.open()
		for _, bad := range []string{"", " \r\n ", strings.Repeat("字", maxText+1), "a\x00b"} {
			_, err := w.Write(ctx, token, "", "", bad)
			w.refused(fmt.Sprintf("%.10q", bad), "text_invalid", err)
		}
		keep := ""
		for n := range maxMinute {
			var err error
			keep, err = w.Write(ctx, token, keep, "", fmt.Sprint("第", n, "条"))
			w.must(err)
		}
		_, err := w.Write(ctx, token, keep, "", "太快")
		w.refused("too fast", "text_rate", err)
		w.must(w.Answer(ctx, w.seat, talk.ID, "", "收到。", free)) // the seat is not held back
		w.tw.Clock.Advance(time.Minute + time.Second)
		_, err = w.Write(ctx, token, keep, strings.Repeat("k", maxKey+1), strings.Repeat("字", maxText))
		w.must(err)
		w.must(w.DB.Update(ctx, func(tx *db.Tx) error {
			for n := range maxLines {
				if _, err := tx.Exec(`INSERT INTO text_line (id, talk, who, account, at, said_key, body, redacted) VALUES ($1,$2,'seat',0,0,$3,$4,'')`, tx.NewID(), talk.ID, fmt.Sprint("f", n), []byte{1}); err != nil {
					return err
				}
			}
			return nil
		}))
		_, err = w.Write(ctx, token, keep, "", "还有")
		w.refused("a full one", "text_full", err)
	})
}

func TestWordsAreSealedAndReadingIsAudited(t *testing.T) {
	each(t, func(w *world) {
		talk, token := w.open()
		_, err := w.Write(ctx, token, "", "", "我的电话是13871234567")
		w.must(err)
		if n := w.count(`SELECT count(*) FROM text_line WHERE redacted LIKE '%13871234567%'`); n != 0 {
			w.t.Error("the number is stored in the clear")
		}
		lead, other := w.tw.Who(access.ShiftLead, "P420100"), w.tw.Who(access.Agent, "P420500")
		_, _, err = w.Read(ctx, w.audit, other, talk.ID)
		w.refused("another city's seat", "text_absent", err)
		inspector := w.tw.Who(access.Inspector, "P420100")
		_, _, err = w.Read(ctx, w.audit, inspector, talk.ID)
		w.refused("质检员", "text_absent", err)
		if n := w.count(`SELECT count(*) FROM audit WHERE kind = 'text.view'`); n != 0 {
			w.t.Error("who saw nothing is in the audit as having seen")
		}
		_, lines, err := w.Read(ctx, w.audit, lead, talk.ID)
		w.must(err)
		if len(lines) != 1 || lines[0].Text != "我的电话是13871234567" || w.count(`SELECT count(*) FROM audit WHERE kind = 'text.view' AND subject_id = $1`, talk.ID) != 1 {
			w.t.Errorf("the lead reads %v", lines)
		}
		if w.count(`SELECT unread FROM text_talk`) != 1 {
			w.t.Error("what the lead read counts as read by the seat")
		}
		_, _, err = w.Read(ctx, w.audit, w.seat, talk.ID)
		w.must(err)
		if w.count(`SELECT unread FROM text_talk`) != 0 {
			w.t.Error("what the seat read stays unread")
		}
		number, err := w.Number(ctx, talk.Call)
		if w.must(err); number != "13871234567" {
			w.t.Errorf("the number is %s", number)
		}
	})
}

func TestTheLeadTakesOverAndEnds(t *testing.T) {
	each(t, func(w *world) {
		talk, token := w.open()
		lead, other := w.tw.Who(access.ShiftLead, "P420100"), w.tw.Who(access.ShiftLead, "P420500")
		list := func(a access.Actor) int {
			w.t.Helper()
			l, err := w.List(ctx, a)
			w.must(err)
			return len(l)
		}
		if list(w.seat) != 1 || list(lead) != 1 || list(other) != 0 {
			w.t.Error("the lists are not the actors' own")
		}
		w.refused("another city answers", "text_absent", w.Answer(ctx, other, talk.ID, "", "您好", free))
		w.refused("another city ends it", "text_absent", w.Close(ctx, other, talk.ID, free))
		w.must(w.Answer(ctx, lead, talk.ID, "a", "我是班长。", free))
		if w.count(`SELECT seat FROM text_talk`) != lead.Account {
			w.t.Error("the lead did not take it over")
		}
		w.refused("the record fails, so does the act", "text_full", w.Close(ctx, lead, talk.ID, func(*db.Tx) error { return fault.Conflict("text_full", "x") }))
		w.must(w.Close(ctx, lead, talk.ID, free))
		w.must(w.Close(ctx, lead, talk.ID, func(*db.Tx) error { return fmt.Errorf("recorded twice") }))
		_, err := w.Write(ctx, token, "", "", "还有")
		w.refused("writing after the end", "text_closed", err)
		w.refused("answering after the end", "text_closed", w.Answer(ctx, lead, talk.ID, "", "还有吗", free))
		w.tw.Clock.Advance(Life)
		_, _, err = w.Visit(ctx, token, "")
		w.refused("a day later", "link_expired", err)
		if list(lead) != 1 {
			w.t.Error("what ended of late is not in the list")
		}
		w.tw.Clock.Advance(recent * time.Millisecond)
		if list(lead) != 0 {
			w.t.Error("what ended long ago is in the list")
		}
	})
}

func TestWordsExpireWithTheirKey(t *testing.T) {
	each(t, func(w *world) {
		talk, token := w.open()
		_, err := w.Write(ctx, token, "", "", "路灯不亮")
		w.must(err)
		held, _ := w.open()
		k := cdr.Keeping{Recording: 730, Text: 365}
		_, err = w.CDR.HoldCall(ctx, w.audit, w.tw.Who("shift_lead", "P420100"), held.Call, "诉讼保全裁定书")
		w.must(err)
		expire := func() int64 {
			w.t.Helper()
			n, err := w.Expire(ctx, w.audit, k)
			w.must(err)
			return n
		}
		w.tw.Clock.Advance(364 * 24 * time.Hour)
		if n := expire(); n != 0 {
			w.t.Fatalf("%d destroyed before their time", n)
		}
		w.tw.Clock.Advance(2 * 24 * time.Hour)
		if n := expire(); n != 1 {
			w.t.Fatalf("%d destroyed, want 1", n)
		}
		if n := expire(); n != 0 {
			w.t.Errorf("%d destroyed twice", n)
		}
		if w.count(`SELECT count(*) FROM text_line WHERE talk = $1`, talk.ID) != 0 || w.count(`SELECT length(dek) FROM text_talk WHERE id = $1`, talk.ID) != 0 {
			w.t.Error("words or key are left")
		}
		if w.count(`SELECT length(dek) FROM text_talk WHERE id = $1`, held.ID) == 0 {
			w.t.Error("what is on hold was destroyed")
		}
		_, _, err = w.Read(ctx, w.audit, w.seat, talk.ID)
		w.refused("reading what is gone", "shredded", err)
		if n := w.count(`SELECT count(*) FROM audit WHERE kind = 'text.expire'`); n != 1 {
			w.t.Errorf("%d entries of the audit", n)
		}
	})
}
