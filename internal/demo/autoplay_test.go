package demo

import (
	"context"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/intake"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// stage is a visitor's ticket on its way, and who may push it somewhere odd.
type stage struct {
	t  *testing.T
	f  *Face
	a  *app.App
	id int64
}

func (s *stage) ticket() *ticket.Ticket {
	s.t.Helper()
	x, err := s.a.Ticket.Get(context.Background(), system, s.id)
	if err != nil {
		s.t.Fatal(err)
	}
	return x
}

// until plays step by step up to a status.
func (s *stage) until(status string, more func(*ticket.Ticket) bool) {
	s.t.Helper()
	for n := 0; ; n++ {
		x := s.ticket()
		if x.Status == status && (more == nil || more(x)) {
			return
		}
		if _, err := s.f.Step(context.Background(), system, s.id); err != nil || n > 20 {
			s.t.Fatalf("on the way to %s at %s: %v", status, x.Status, err)
		}
	}
}

// act has somebody of a post take a step of his own.
func (s *stage) act(unit int64, role access.Role, name string, fields map[string]any) {
	s.t.Helper()
	who, err := s.f.people.named(context.Background(), unit, role)
	if err != nil {
		s.t.Fatal(err)
	}
	x := s.ticket()
	a := ticket.Action{Name: name, Version: x.Version, Fields: fields}
	if _, err := s.a.Ticket.Do(context.Background(), who, s.id, a); err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
}

func (s *stage) worker() (int64, access.Role) {
	x := s.ticket()
	for _, n := range x.Open() {
		if n.State == ticket.ToSign || n.State == ticket.InHand {
			u, _ := s.a.Org.Tree().Get(n.Unit)
			return n.Unit, workerRole(u)
		}
	}
	s.t.Fatal("nobody works on it")
	return 0, ""
}

// A visitor's ticket of any type, at any step, is closed within a minute once the
// system plays the other roles.
func TestAutoplayClosesWhateverAVisitorMakes(t *testing.T) {
	if testing.Short() {
		return
	}
	a, c := opened(t, time.Date(2026, 11, 23, 9, 30, 0, 0, clock.Shanghai), Options{Cities: []string{"421200"}, Tickets: 40, Days: 3, Whole: true})
	f := New(a)
	ctx := context.Background()
	tree := a.Org.Tree()
	signed := func(x *ticket.Ticket) bool { return len(x.Open()) > 0 && x.Open()[0].State == ticket.InHand }
	waits := func(x *ticket.Ticket) bool { return len(x.Open()) > 0 && x.Open()[0].State == ticket.ToSign }
	department := func(s *stage, not ...int64) org.Unit {
		for _, u := range tree.Children(s.ticket().Platform) {
			if u.Kind == org.KindDepartment && u.ID != s.ticket().Unit && (len(not) == 0 || u.ID != not[0]) {
				return u
			}
		}
		return org.Unit{}
	}
	returned := func(s *stage) {
		unit, role := s.worker()
		s.act(unit, role, "return", map[string]any{"return_reason": "not_duty", "basis": "三定规定未列此项职责", "suggested": department(s, unit).ID, "reason": "请改派。"})
	}
	for _, x := range []struct {
		name, typ, category, place, content string
		edit                                func(*intake.Request)
		push                                func(*stage)
	}{
		{name: "县区", typ: "投诉", category: "040101", place: "421202"},
		{name: "乡镇", typ: "求助", category: "170101", place: "421202001"},
		{name: "举报", typ: "举报", category: "070101", place: "421202"},
		{name: "匿名举报", typ: "举报", category: "130101", place: "421221", edit: func(q *intake.Request) {
			q.Secrecy, q.Requester = ticket.SecrecyAnonymous, ticket.Requester{}
		}},
		{name: "隐藏身份", typ: "投诉", category: "040101", place: "421202", edit: func(q *intake.Request) { q.Secrecy = ticket.SecrecyUnit }},
		{name: "咨询", typ: "咨询", category: "100101", place: "421202"},
		{name: "建议", typ: "建议", category: "050101", place: "421200"},
		{name: "表扬", typ: "表扬", place: "421200", content: "感谢咸宁市政务服务中心窗口工作人员耐心指导。"},
		{name: "其他", typ: "其他", place: "421200", content: "今天天气不错随便打个电话。"},
		{name: "看不懂的", typ: "求助", place: "421200", content: "嗯嗯啊啊这个那个。"},
		{name: "省级事项", typ: "投诉", category: "090101", place: region.ProvinceCode},
		{name: "省级咨询", typ: "咨询", place: region.ProvinceCode, content: "请问全省统一的公积金异地转移政策是什么。"},
		{name: "涉密疑似", typ: "求助", category: "040101", place: "421202", content: "我看到一份标有绝密字样的文件放在路边，请派人处理。"},
		{name: "退单待审", typ: "投诉", category: "040101", place: "421200", push: func(s *stage) { s.until(ticket.Handling, waits); returned(s) }},
		{name: "两次退单", typ: "投诉", category: "040101", place: "421200", push: func(s *stage) {
			s.until(ticket.Handling, waits)
			returned(s)
			s.until(ticket.Handling, waits)
			returned(s)
		}},
		{name: "延期待审", typ: "投诉", category: "040101", place: "421200", push: func(s *stage) {
			s.until(ticket.Handling, signed)
			unit, role := s.worker()
			s.act(unit, role, "extend", map[string]any{"days": 1, "reason": "需会同有关单位现场会商。"})
		}},
		{name: "挂起待审", typ: "投诉", category: "040101", place: "421200", push: func(s *stage) {
			s.until(ticket.Handling, signed)
			unit, role := s.worker()
			s.act(unit, role, "suspend", map[string]any{"suspend_reason": "season", "suspend_days": 10, "reason": "作业受天气条件限制。"})
		}},
		{name: "协办", typ: "投诉", category: "040101", place: "421200", push: func(s *stage) {
			s.until(ticket.Handling, signed)
			s.act(s.ticket().Platform, access.Dispatcher, "assist", map[string]any{"assist_unit": department(s).ID, "note": "请配合。"})
		}},
		{name: "退回座席", typ: "投诉", category: "040101", place: "421202", push: func(s *stage) {
			s.until(ticket.ToDispatch, nil)
			s.act(s.ticket().Platform, access.Dispatcher, "sendback", map[string]any{"fix": "请补充门牌。"})
		}},
		{name: "提级接管", typ: "投诉", category: "040101", place: "421202", push: func(s *stage) {
			s.until(ticket.ToDispatch, nil)
			s.act(s.ticket().Platform, access.Dispatcher, "escalate", map[string]any{"escalate_mode": "take_over", "reason": "跨市州。"})
		}},
		{name: "不满意", typ: "投诉", category: "040101", place: "421202", push: func(s *stage) {
			s.until(ticket.ToCallback, nil)
			s.act(s.ticket().Platform, access.Callback, "callback", map[string]any{"outcome": "reached", "contacted": "yes", "citizen_solved": "no", "satisfaction": "2", "dissatisfied": []string{"unsolved"}, "note": "没有解决。"})
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := &stage{t: t, f: f, a: a, id: visitor(t, a, x.typ, x.category, x.place, func(q *intake.Request) {
				if x.content != "" {
					q.Content = x.content
				}
				if x.edit != nil {
					x.edit(q)
				}
			})}
			if x.push != nil {
				x.push(s)
			}
			if err := f.Autoplay(ctx, system, s.id); err != nil {
				t.Fatal(err)
			}
			for began := c.Now(); !ticket.Final(s.ticket().Status); c.Advance(time.Second) {
				if _, err := a.Jobs.RunOnce(ctx); err != nil {
					t.Fatal(err)
				}
				if c.Now().Sub(began) > time.Minute {
					x := s.ticket()
					m, err := f.next(ctx, x)
					t.Fatalf("still %s after a minute; next %s %v", x.Status, m.label, err)
				}
			}
		})
	}
}
