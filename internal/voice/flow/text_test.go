package flow

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/voice/text"
)

// written is the newest text message to the number of the tests' caller.
func (w *world) written() (kind, link string) {
	w.t.Helper()
	w.x.journal.flush()
	list, err := w.deps.Notify.OfPhone(context.Background(), "13871234567", 5)
	must(w.t, err)
	if len(list) == 0 {
		w.t.Fatal("no text message was sent")
	}
	return list[0].Kind, list[0].Link
}

func free(*db.Tx) error { return nil }

// A caller who cannot speak gets a link, writes, and is answered in writing.
func TestASilentCallerWrites(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.deps.Text.Told = func(account, talk int64) { w.x.TextTold(account, talk) }
	p, lead, other := w.sit("wang"), w.sit("lead"), w.sit("hs")
	must(t, lead.d.Break(ctx))
	w.call("12345")
	w.pass(2 * time.Second)
	id := p.answer()
	must(t, p.d.Silent(ctx))
	kind, link := w.written()
	token, ok := strings.CutPrefix(link, "/text/")
	if kind != "silent_call" || !ok || len(token) != 32 {
		t.Fatalf("sent %s %s", kind, link)
	}
	if n := w.count(`SELECT count(*) FROM text_talk WHERE link = $1 OR holder = $1`, token); n != 0 {
		t.Error("the link itself is stored")
	}
	s := w.deps.Text
	if _, _, err := s.Visit(ctx, token, ""); err != nil {
		t.Fatal(err)
	}
	keep, err := s.Write(ctx, token, "", "k1", "我是聋人，电话13871234567，楼道路灯不亮。")
	must(t, err)
	if _, err := s.Write(ctx, token, keep, "k1", "我是聋人，电话13871234567，楼道路灯不亮。"); err != nil { // sent twice
		t.Fatal(err)
	}
	if m, _ := p.last("text"); m.Talk == 0 {
		t.Error("the seat is not told")
	}
	for _, who := range []string{"", "wrong"} {
		if _, _, err := s.Visit(ctx, token, who); !fault.Is(err, "text_elsewhere") {
			t.Errorf("another browser: %v", err)
		}
		if _, err := s.Write(ctx, token, who, "k", "冒充"); !fault.Is(err, "text_elsewhere") {
			t.Errorf("another browser writes: %v", err)
		}
	}
	list, err := s.List(ctx, p.a)
	must(t, err)
	if len(list) != 1 || list[0].Call != id || list[0].Unread != 1 || list[0].Masked != "138****4567" {
		t.Fatalf("the seat's list: %+v", list)
	}
	talk := list[0].ID
	for _, a := range []access.Actor{other.a} {
		if _, _, err := s.Read(ctx, w.deps.Audit, a, talk); !fault.Is(err, "text_absent") {
			t.Errorf("%s reads it: %v", a.Name, err)
		}
		if err := s.Answer(ctx, a, talk, "", "你好", free); !fault.Is(err, "text_absent") {
			t.Errorf("%s answers: %v", a.Name, err)
		}
		if l, err := s.List(ctx, a); err != nil || len(l) != 0 {
			t.Errorf("%s lists %d, %v", a.Name, len(l), err)
		}
	}
	_, lines, err := s.Read(ctx, w.deps.Audit, p.a, talk)
	must(t, err)
	if len(lines) != 1 || lines[0].Text != "我是聋人，电话13871234567，楼道路灯不亮。" {
		t.Errorf("the seat reads %+v", lines)
	}
	if n := w.count(`SELECT count(*) FROM text_line WHERE redacted LIKE '%13871234567%' OR body LIKE '%1387%'`); n != 0 {
		t.Error("a number is stored in the clear")
	}
	must(t, s.Answer(ctx, p.a, talk, "a", "请问是哪个小区？", free))
	must(t, s.Answer(ctx, lead.a, talk, "b", "我是班长，接着为您服务。", free))
	if list, _ = s.List(ctx, lead.a); len(list) != 1 || list[0].Seat != lead.a.Account || list[0].Unread != 0 {
		t.Errorf("the lead's list: %+v", list[0])
	}
	_, lines, err = s.Visit(ctx, token, keep)
	must(t, err)
	if len(lines) != 3 || lines[2].Who != "seat" {
		t.Errorf("the citizen sees %+v", lines)
	}
	must(t, s.Close(ctx, lead.a, talk, free))
	must(t, s.Close(ctx, lead.a, talk, free))
	if _, err := s.Write(ctx, token, keep, "", "还有"); !fault.Is(err, "text_closed") {
		t.Errorf("after the end: %v", err)
	}
	if err := s.Answer(ctx, lead.a, talk, "", "还有吗", free); !fault.Is(err, "text_closed") {
		t.Errorf("the lead after the end: %v", err)
	}
	w.c.Advance(text.Life)
	if _, _, err := s.Visit(ctx, token, keep); !fault.Is(err, "link_expired") {
		t.Errorf("a day later: %v", err)
	}
}

func TestTheLinkOfACallThatGoesOn(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	p := w.sit("wang")
	w.call("12345")
	w.pass(2 * time.Second)
	p.answer()
	must(t, p.d.TextLink(ctx))
	if kind, _ := w.written(); kind != "text_link" || p.state() != "talking" {
		t.Errorf("sent %s, the seat is %s", kind, p.state())
	}
	if err := p.d.TextLink(ctx); !fault.Is(err, "text_link_sent") {
		t.Errorf("a second link: %v", err)
	}
	_, link := w.written()
	token := strings.TrimPrefix(link, "/text/")
	s := w.deps.Text
	keep, err := s.Write(ctx, token, "", "", "一")
	must(t, err)
	for n := 2; ; n++ {
		if _, err = s.Write(ctx, token, keep, "", fmt.Sprint(n)); err != nil {
			break
		}
	}
	if !fault.Is(err, "text_rate") {
		t.Errorf("many at once: %v", err)
	}
	w.pass(61 * time.Second)
	for _, bad := range []string{"", "  \n", strings.Repeat("长", 501), "零\x00"} {
		if _, err := s.Write(ctx, token, keep, "", bad); !fault.Is(err, "text_invalid") {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
	if _, err := s.Write(ctx, token, keep, "", strings.Repeat("长", 500)); err != nil {
		t.Error(err)
	}
	must(t, p.d.Silent(ctx)) // the link is out: the call ends all the same
	if n := w.count(`SELECT count(*) FROM text_talk`); n != 1 {
		t.Errorf("%d conversations of one call", n)
	}
}

func TestNoLinkWhereNoMessageArrives(t *testing.T) {
	w := newWorld(t)
	p := w.sit("wang")
	w.e.Call("12345", "02785551234")
	w.pass(2 * time.Second)
	p.answer()
	if err := p.d.TextLink(context.Background()); !fault.Is(err, "number_no_mobile") {
		t.Errorf("a fixed line: %v", err)
	}
}
