package ticket

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/fault"
)

// Random actors take random steps, many of them senseless. No ticket may ever
// leave the rule table, lose its owner or its clock, or be answered with
// anything but a clear error.
func TestRandomStepsNeverLeaveTheTable(t *testing.T) {
	steps := 100_000
	if testing.Short() {
		steps = 4_000
	}
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	const workers = 8
	var done, accepted atomic.Int64
	var wg sync.WaitGroup
	for n := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r := rand.New(rand.NewPCG(uint64(n), 20261123))
			for done.Load() < int64(steps) && !t.Failed() {
				some := []int64{w.randomTicket(r), w.randomTicket(r), w.randomTicket(r)}
				for range 24 * len(some) {
					ok := w.randomStep(r, some[r.IntN(len(some))], some)
					if done.Add(1); ok {
						accepted.Add(1)
					}
				}
				for _, id := range some {
					w.checkInvariants(id)
				}
			}
		}()
	}
	wg.Wait()
	t.Logf("%d 步，其中 %d 步被接受", done.Load(), accepted.Load())
	if accepted.Load() < done.Load()/20 {
		t.Errorf("only %d of %d steps were accepted: the test wanders too little", accepted.Load(), done.Load())
	}
}

func (w *world) randomTicket(r *rand.Rand) int64 {
	n := Intake{Type: Types[r.IntN(len(Types))], Category: "040101", Region: "420111", Title: "随机诉求", Content: "随机生成的诉求内容，用于检查规则。",
		Requester: Requester{Kind: "个人", Phone: "1380000" + strconv.Itoa(1000+r.IntN(9000))}, Secrecy: []string{SecrecyNormal, SecrecyAccused, SecrecyUnit, SecrecyAnonymous}[r.IntN(4)],
		Channel: "web", Platform: w.units["P420100"].ID, Status: []string{Received, ToDispatch, ToDispatch, ToDispatch, Quarantined}[r.IntN(5)]}
	if r.IntN(3) == 0 {
		n.Points = []string{"第一项要求", "第二项要求"}
	}
	got, err := w.s.Create(context.Background(), w.who(access.Agent, "P420100"), n)
	if err != nil {
		w.t.Error(err)
	}
	return got.ID
}

var roaming = []struct {
	role access.Role
	unit string
}{
	{access.Agent, "P420100"}, {access.Dispatcher, "P420100"}, {access.Dispatcher, "P420100"}, {access.Supervisor, "P420100"}, {access.Callback, "P420100"}, {access.Province, "P420000"}, {access.Dispatcher, "P420000"},
	{access.Dispatcher, "C420111"}, {access.Handler, "D420111-chengguan"}, {access.UnitLead, "D420111-chengguan"}, {access.Handler, "D420100-chengguan"}, {access.UnitLead, "D420100-chengguan"},
	{access.Handler, "D420100-shuiwu"}, {access.UnitLead, "D420100-shuiwu"}, {access.Leader, "P420100"}, {access.Auditor, "P420000"}, {access.UnitLead, "C420111"},
}

// randomStep takes an offered action most of the time, any action else, with
// inputs that are mostly sound.
func (w *world) randomStep(r *rand.Rand, id int64, some []int64) bool {
	who := roaming[r.IntN(len(roaming))]
	actor := w.who(who.role, who.unit)
	if r.IntN(12) == 0 {
		actor = access.AsCitizen(0, "127.0.0.1")
	}
	t := w.load(id)
	rules := w.s.rulesOf(t)
	act := Action{Version: t.Version}
	if offers, _ := w.s.Offers(t, actor); len(offers) > 0 && r.IntN(10) > 0 {
		o := offers[r.IntN(len(offers))]
		act.Name, act.Assignment = o.Name, o.Assignment
	} else {
		act.Name = rules.Edges[r.IntN(len(rules.Edges))].Action
	}
	if act.Name == "deadline" {
		return false
	}
	if r.IntN(40) == 0 {
		act.Version++ // a stale or invented version
	}
	act.Fields = map[string]any{}
	for _, e := range rules.Of(act.Name)[:1] {
		for _, ref := range e.Fields {
			name, required := Required(ref)
			if !required && r.IntN(3) > 0 || r.IntN(50) == 0 {
				continue
			}
			if act.Fields[name] = w.randomField(r, rules, t, name); name == "main" {
				act.Fields[name] = some[r.IntN(len(some))]
			}
		}
	}
	_, err := w.s.Do(context.Background(), actor, id, act)
	if err == nil {
		return true
	}
	f := fault.As(err)
	if f.Kind == fault.KindInternal || f.Code == "" || f.Detail == "" {
		w.t.Errorf("%s by %s on %s: %v", act.Name, actor.Role, t.Status, err)
	}
	return false
}

func (w *world) randomField(r *rand.Rand, rules *Rules, t *Ticket, name string) any {
	spec := rules.Fields[name]
	switch spec.Type {
	case "text", "textarea":
		return "随机填写的说明文字，长度足够通过检查。"
	case "radio", "select":
		opts := rules.Options[spec.Options]
		return opts[r.IntN(len(opts))][0]
	case "multiselect":
		return []any{rules.Options[spec.Options][0][0]}
	case "bool":
		return r.IntN(2) == 0
	case "number":
		return 1 + r.IntN(5)
	case "unit", "units":
		codes := []string{"C420111", "D420111-chengguan", "D420111-zhujian", "D420100-chengguan", "D420100-shuiwu", "P420100"}
		u := w.units[codes[r.IntN(len(codes))]].ID
		if spec.Type == "units" {
			return []int64{u}
		}
		return u
	case "category":
		return "040101"
	case "region":
		return "420111"
	case "points":
		var out []any
		for _, p := range t.Detail.Points {
			if r.IntN(2) == 0 {
				out = append(out, map[string]any{"no": p.No, "result": "已处理。"})
			}
		}
		return out
	case "files":
		return []int64{}
	}
	return int64(1)
}

// checkInvariants holds a ticket against what must always be true.
func (w *world) checkInvariants(id int64) {
	t := w.load(id)
	rules := w.s.rulesOf(t)
	fail := func(format string, args ...any) {
		w.t.Errorf("ticket in %s: %s", t.Status, fmt.Sprintf(format, args...))
	}
	if rules.StatusWord(t.Status) == "" {
		fail("status outside the table")
	}
	running := 0
	for _, c := range t.Clocks {
		if c.Stopped == 0 {
			running++
		}
		if c.Due < c.Started {
			fail("clock %s is due before it starts", c.Kind)
		}
	}
	if Final(t.Status) && t.Status != Merged && running > 0 {
		fail("%d clocks run on", running)
	}
	if !Final(t.Status) && t.Status != Quarantined && running == 0 {
		fail("nobody owes anything: no clock runs")
	}
	if t.Status == Merged {
		main := w.load(t.Main)
		if main.Status != Merged && (Final(main.Status) || main.Status == ToCallback || main.Status == ToRecheck) {
			fail("its main is %s and takes it nowhere", main.Status)
		}
	}
	if Final(t.Status) && t.ClosedAt == 0 {
		fail("closed without a moment")
	}
	mains := 0
	for _, a := range t.Assignments {
		if rules.StateWord(a.State) == "" {
			fail("state %q outside the table", a.State)
		}
		if a.Leg == t.Leg && a.Parent == 0 && a.Role == RoleMain && a.Alive() {
			mains++
		}
		if a.Extensions > 2 {
			fail("%d extensions", a.Extensions)
		}
	}
	if mains > 1 {
		fail("%d owners", mains)
	}
	if t.Status == Handling && mains == 0 && t.Root() == nil {
		fail("handled by nobody")
	}
	// The worklist holds exactly what the aggregate asks for, besides rows of
	// units that once had the ticket.
	want, mirror := t.places(w.s.Org.Tree()), stands{label: string(t.Label), mark: t.mark(), rows: map[place]standing{}}
	err := w.s.DB.View(context.Background(), func(tx *db.Tx) error {
		type row struct {
			p     place
			state string
			sort  int64
			label string
			mark  int
		}
		have, err := db.All(tx, func(s db.Scanner) (x row, err error) {
			return x, s.Scan(&x.p.unit, &x.p.assignment, &x.state, &x.sort, &x.label, &x.mark)
		}, `SELECT unit, assignment, state, sort_at, label, mark FROM worklist WHERE ticket = $1`, id)
		for _, h := range have {
			if s, ok := want[h.p]; ok && s.state != h.state || !ok && h.state != QueueDone {
				fail("worklist row %v stands in %q, want %q", h.p, h.state, s.state)
			}
			if h.label != mirror.label || h.mark != mirror.mark {
				fail("worklist row %v is under %s %d", h.p, h.label, h.mark)
			}
			delete(want, h.p)
			mirror.rows[h.p] = standing{h.state, h.sort}
		}
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
	if len(want) > 0 {
		fail("worklist lacks %d rows", len(want))
	}
	if t.stands != mirror.String() {
		fail("places are\n%s\nand the worklist has\n%s", t.stands, mirror)
	}
}

// 分钟 of a pause push the deadline by working time; the oracle is the calendar
// itself, walked a minute at a time.
func TestSuspensionPushesByWorkingTime(t *testing.T) {
	d, c := dbtest.SQLite(t, schemas()...)
	w := newWorld(t, d, c)
	made := w.create(nil)
	dept := "D420100-chengguan"
	handler, dispatcher := w.who(access.Handler, dept), w.who(access.Dispatcher, "P420100")
	w.must(dispatcher, made.ID, "dispatch", map[string]any{"unit": w.units[dept].ID})
	w.must(handler, made.ID, "sign", nil)
	before := w.load(made.ID).Root().Due
	w.must(handler, made.ID, "suspend", map[string]any{"suspend_reason": "judicial", "suspend_days": 10, "reason": "等待法院判决结果"})
	w.must(dispatcher, made.ID, "decide-suspension", map[string]any{"decision": "pass", "opinion": "同意。"})
	c.Advance(72 * time.Hour)
	w.must(handler, made.ID, "resume", nil)
	after := w.load(made.ID).Root().Due
	if after <= before {
		t.Fatal("the pause did not count")
	}
	cal := w.s.Calendar(w.units["P420100"].ID)
	if got, want := cal.WorkMinutes(timeOf(before), timeOf(after)), 3*9*60; got != want {
		t.Fatalf("pushed by %d working minutes, want %d", got, want)
	}
}
