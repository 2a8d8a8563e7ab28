package ticket

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/eventlog"
)

// Entry is one line of a ticket's 办理过程.
type Entry struct {
	Event  eventlog.Event
	Label  string
	Data   map[string]any
	Texts  []Said
	Public bool   // the citizen may see it
	Reason string // why a 延期 or 挂起 was asked for, where this step agrees to it
}

// Said is a free text of a step, by its kind and the rendition the reader may have.
type Said struct {
	ID   int64
	Kind string
	Text string
	At   int64
}

// Contact is one 联系 of a unit with the 诉求人.
type Contact struct {
	At, Unit, Actor   int64
	Way, Result, Note string
}

// loadWords adds to a loaded ticket what was said about it. Each of these rows
// came with a version of the ticket, so they are as old as it is.
func (s *Service) loadWords(tx *db.Tx, t *Ticket) error {
	texts, err := s.texts(tx, t, false)
	if err != nil || len(texts) == 0 && len(t.Assignments) == 0 {
		return err
	}
	events := make([]int64, 0, len(texts))
	for e := range texts {
		events = append(events, e)
	}
	slices.Sort(events)
	for _, e := range events {
		t.Said = append(t.Said, texts[e]...)
	}
	slices.SortStableFunc(t.Said, func(a, b Said) int { return cmp.Compare(a.At, b.At) })
	if !slices.ContainsFunc(t.Assignments, func(a *Assignment) bool { return a.Contacts > 0 }) {
		return nil
	}
	all, err := s.Log.BySubject(tx, "ticket", t.ID)
	for _, e := range all {
		if e.Kind != "ticket.contact" || err != nil {
			continue
		}
		var d struct{ Way, Result string }
		if err = json.Unmarshal([]byte(e.Data), &d); err != nil {
			break
		}
		c := Contact{At: e.At, Unit: e.Unit, Actor: e.Actor, Way: d.Way, Result: d.Result}
		for _, said := range texts[e.ID] {
			c.Note = said.Text
		}
		t.Contacts = append(t.Contacts, c)
	}
	return err
}

// TextLabels names the kinds of free text.
var TextLabels = map[string]string{
	"reply": "答复内容", "public": "可公开的答复", "contact": "沟通情况", "relay_out": "承办单位请热线转达", "relay_in": "诉求人回复", "opinion": "审核意见", "basis": "依据",
	"reason": "理由", "note": "备注", "fix": "需补正内容", "extend": "延期理由", "suspend": "挂起理由", "urge": "催办说明", "supervise": "督办要求", "verdict": "复核说明",
	"assist_reply": "协办意见", "assist_public": "协办建议公开的内容", "assist_unsolved": "协办未解决原因", "consult": "会商情况",
	"point": "分项答复", "callback": "回访记录", "evaluation": "评价留言", "supplement": "补充内容", "answer": "答复内容", "outcome": "告知内容", "legal": "法律依据", "unsolved": "未解决原因", "force": "特别说明",
}

// publicTexts are what the citizen reads of the course of a ticket.
var publicTexts = map[string]bool{"reply": true, "answer": true, "outcome": true, "extend": true, "relay_out": true, "verdict": true, "supplement": true, "evaluation": true, "relay_in": true}

// publicKinds are the steps that the citizen's timeline shows.
var publicKinds = map[string]bool{
	"ticket.create": true, "ticket.accept": true, "ticket.answer": true, "ticket.dispatch": true, "ticket.sign": true, "ticket.contact": true, "ticket.delegate": true, "ticket.assist": true,
	"ticket.decide-extension": true, "ticket.decide-suspension": true, "ticket.resume": true, "ticket.close": true, "ticket.callback": true, "ticket.evaluate": true, "ticket.reopen": true,
	"ticket.urge": true, "ticket.withdraw": true, "ticket.redirect": true, "ticket.supplement": true, "ticket.relay": true, "ticket.merge": true, "ticket.transfer": true, "ticket.escalate": true,
}

// answers gives the kind of the text that gave the reason for what a step agrees to.
var answers = map[string]string{"ticket.decide-extension": "extend", "ticket.decide-suspension": "suspend"}

func eventLabel(r *Rules, kind string) string {
	name := strings.TrimPrefix(kind, "ticket.")
	if name == "create" {
		return "登记"
	}
	if es := r.Of(name); len(es) > 0 {
		return es[0].Label
	}
	if l, ok := eventLabels[kind]; ok {
		return l
	}
	return "系统记录"
}

var eventLabels = map[string]string{"ticket.reveal": "查看个人信息", "notice.sent": "短信通知", "supervision.opened": "列入督办", "supervision.closed": "督办销号", "supervision.feedback": "督办反馈", "supervision.rejected": "督办退回", "supervision.extended": "督办延期"}

// Timeline gives the whole course of a ticket that the caller has loaded
// through Get. clear chooses the full texts instead of the redacted ones.
func (s *Service) Timeline(ctx context.Context, t *Ticket, clear bool) ([]Entry, error) {
	var out []Entry
	err := s.DB.View(ctx, func(tx *db.Tx) error {
		events, err := s.Log.BySubject(tx, "ticket", t.ID)
		if err != nil {
			return err
		}
		texts, err := s.texts(tx, t, clear)
		if err != nil {
			return err
		}
		rules, asked := s.rulesOf(t), map[string]string{}
		for _, e := range events {
			x := Entry{Event: e, Label: eventLabel(rules, e.Kind), Texts: texts[e.ID], Public: publicKinds[e.Kind]}
			if e.Data != "" {
				dec := json.NewDecoder(strings.NewReader(e.Data))
				dec.UseNumber() // ids have more digits than a float
				if err := dec.Decode(&x.Data); err != nil {
					return err
				}
			}
			node := fmt.Sprint(x.Data["a"])
			for _, said := range x.Texts {
				if said.Kind == "extend" || said.Kind == "suspend" {
					asked[said.Kind+node] = said.Text
				}
			}
			if kind, told := answers[e.Kind], x.Data["notice"]; kind != "" { // what was refused, or agreed on the way up, the citizen does not see
				x.Public = x.Data["decision"] == "pass" && told != nil && told != ""
				x.Reason = asked[kind+node]
			}
			if e.Kind == "ticket.close" {
				x.Public = x.Data["decision"] != "reject"
			}
			out = append(out, x)
		}
		return nil
	})
	sort.SliceStable(out, func(i, j int) bool { return out[i].Event.At < out[j].Event.At })
	return out, err
}

// texts loads the free texts of a ticket by event.
func (s *Service) texts(tx *db.Tx, t *Ticket, clear bool) (map[int64][]Said, error) {
	type raw struct {
		id, event, at  int64
		kind, redacted string
		body           []byte
	}
	rows, err := db.All(tx, func(sc db.Scanner) (r raw, err error) {
		return r, sc.Scan(&r.id, &r.event, &r.kind, &r.body, &r.redacted, &r.at)
	}, `SELECT id, event, kind, body, redacted, at FROM ticket_text WHERE ticket = $1 ORDER BY id`, t.ID)
	if err != nil {
		return nil, err
	}
	out := map[int64][]Said{}
	for _, r := range rows {
		text := r.redacted
		if clear && len(t.Key) > 0 {
			key, err := s.Ring.OpenKey(t.Key)
			if err != nil {
				return nil, err
			}
			if text, err = key.Open(textAD(r.id), r.body); err != nil {
				return nil, err
			}
		}
		out[r.event] = append(out[r.event], Said{r.id, r.kind, text, r.at})
	}
	return out, nil
}

// PublicText tells whether the citizen reads texts of this kind.
func PublicText(kind string) bool { return publicTexts[kind] }

// Content gives title, content, address and object as the actor's role may
// read them: whole where the mask is clear, else the redacted rendition.
func (s *Service) Content(t *Ticket, role access.Role) (b Body, masked bool, err error) {
	switch access.MaskOf(role, t.Label, access.FieldContent) {
	case access.Clear:
		b, err = s.openBody(t)
		return b, false, err
	case access.Absent:
		return Body{Title: "（无权查看内容）"}, true, nil
	}
	return Body{t.TitleR, t.ContentR, t.AddressR, t.ObjectR}, true, nil
}

// Own gives a citizen his own ticket's content in clear; the caller has
// verified the 查询码 or the login.
func (s *Service) Own(t *Ticket) (Body, Requester, error) {
	b, err := s.openBody(t)
	if err != nil {
		return Body{}, Requester{}, err
	}
	r, err := s.openRequester(t)
	return b, r, err
}
