package demo

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/intake"
	"hotline/internal/ticket"
)

func readLogins(t *testing.T, dir string) []Login {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, accountsFile))
	if err != nil {
		t.Fatal(err)
	}
	var out []Login
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// visitor makes a ticket as somebody who tries the demonstration.
func visitor(t *testing.T, a *app.App, typ, category, place string, edit func(*intake.Request)) int64 {
	t.Helper()
	return submitted(t, a, typ, category, place, edit).ID
}

func submitted(t *testing.T, a *app.App, typ, category, place string, edit func(*intake.Request)) ticket.Created {
	t.Helper()
	q := intake.Request{Type: typ, Category: category, Region: place, Content: "小区北侧工地连续三晚施工到凌晨，影响休息，请核查处理。",
		Requester: ticket.Requester{Name: "王小明", Phone: "13800001234"}, Channel: "web", Public: true, Demo: true, Visitor: true}
	if edit != nil {
		edit(&q)
	}
	made, err := a.Intake.Submit(context.Background(), access.AsCitizen(0, ""), q)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// closed lets the jobs run until the ticket is closed, a minute at the most.
func closed(t *testing.T, a *app.App, c *clock.Virtual, id int64) time.Duration {
	t.Helper()
	ctx := context.Background()
	for began := c.Now(); ; c.Advance(time.Second) {
		if _, err := a.Jobs.RunOnce(ctx); err != nil {
			t.Fatal(err)
		}
		got, err := a.Ticket.Get(ctx, system, id)
		switch took := c.Now().Sub(began); {
		case err == nil && got.Status == ticket.Closed:
			return took
		case took > time.Minute:
			t.Fatalf("still %s after a minute: %v", got.Status, err)
		}
	}
}

// Opened on a Sunday night, the demo has work for every role, and a visitor's ticket
// is played step by step or handed to the system, which ends it within a minute.
func TestPlayedTicketIsClosed(t *testing.T) {
	a, c := opened(t, time.Date(2026, 11, 22, 2, 30, 0, 0, clock.Shanghai), Options{Cities: []string{"421200"}, Tickets: 150, Days: 10, Whole: true})
	f := New(a)
	ctx := context.Background()
	everyRoleHasWork(t, a, "421200")
	who, err := a.Access.ByUsername(ctx, "dispatcher.421200")
	if err != nil {
		t.Fatal(err)
	}
	actor := f.people.actorOf(who)
	for _, x := range []struct {
		name, typ, category, place string
		edit                       func(*intake.Request)
	}{
		{"县区部门", "投诉", "040101", "421202", nil},
		{"只知道市", "求助", "", "421200", nil},
		{"乡镇街道", "求助", "170101", "421202001", nil},
		{"举报", "举报", "070101", "421202", nil},
		{"匿名", "投诉", "040101", "421202", func(q *intake.Request) {
			q.Secrecy, q.Requester = ticket.SecrecyAnonymous, ticket.Requester{}
		}},
		{"对承办单位隐藏身份", "投诉", "040101", "421202", func(q *intake.Request) { q.Secrecy = ticket.SecrecyUnit }},
		{"诉求点", "投诉", "040101", "421202", func(q *intake.Request) { q.Points = []string{"停止夜间施工", "公示监测结果"} }},
	} {
		t.Run(x.name, func(t *testing.T) {
			id := visitor(t, a, x.typ, x.category, x.place, x.edit)
			var labels []string
			for n := 0; ; n++ {
				s, err := f.Step(ctx, actor, id)
				if err != nil || n > 20 {
					t.Fatalf("after %v: %v", labels, err)
				}
				labels = append(labels, s.Role+"："+s.Label)
				if s.Done {
					break
				}
			}
			got, err := a.Ticket.Get(ctx, system, id)
			if err != nil || got.Status != ticket.Closed {
				t.Fatalf("%v %s: %v", err, got.Status, labels)
			}
			t.Logf("%v", labels)
		})
	}
	t.Run("系统扮演", func(t *testing.T) {
		id := visitor(t, a, "投诉", "040101", "421202", nil)
		if err := f.Autoplay(ctx, actor, id); err != nil {
			t.Fatal(err)
		}
		t.Logf("办结用时%s", closed(t, a, c, id))
	})
	t.Run("诉求人自己交给系统", func(t *testing.T) { citizenHandsOver(t, a, c, f) })
	t.Run("进入任一单位", func(t *testing.T) {
		for _, unit := range []string{"T421202001", "C421202", "D421200-renshe"} {
			s, err := f.Enter(ctx, "", unit, "", "127.0.0.1")
			if err != nil || s.Token == "" {
				t.Errorf("%s: %v", unit, err)
			}
		}
		roles, err := f.Roles(ctx)
		if err != nil || len(roles) != 18 {
			t.Fatalf("%d roles: %v", len(roles), err)
		}
		for _, r := range roles {
			if len(r.Accounts) == 0 || r.Desc == "" || r.Accounts[0].City == "" {
				t.Errorf("%+v", r)
			}
		}
	})
	t.Run("模拟不碰来访者的单", func(t *testing.T) { simulated(t, f, a, c) })
}

// simulated runs an hour of office life and looks what became of the queues.
func simulated(t *testing.T, f *Face, a *app.App, c *clock.Virtual) {
	c.Set(time.Date(2026, 11, 23, 9, 30, 0, 0, clock.Shanghai))
	mine := visitor(t, a, "投诉", "040101", "421202", nil)
	count := func() (n int64) {
		_ = a.DB.View(context.Background(), func(tx *db.Tx) (err error) {
			n, err = db.Int(tx, `SELECT count(*) FROM ticket`)
			return err
		})
		return n
	}
	before := count()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	wall := clock.System()
	for end := wall.Now().Add(6 * time.Second); wall.Now().Before(end); {
		c.Advance(time.Second)
		_ = wall.Sleep(ctx, time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if after := count(); after <= before {
		t.Errorf("nobody called: %d tickets before and after", before)
	} else {
		t.Logf("%d callers", after-before)
	}
	got, err := a.Ticket.Get(context.Background(), system, mine)
	if err != nil || got.Version != 1 {
		t.Errorf("the simulator touched a visitor's ticket: version %d %v", got.Version, err)
	}
}
