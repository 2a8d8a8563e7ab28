package demo

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/knowledge"
	"hotline/internal/region"
	"hotline/internal/ticket"
)

// opened is a seeded province on a fresh directory.
func opened(t *testing.T, now time.Time, o Options) (*app.App, *clock.Virtual) {
	t.Helper()
	c := clock.NewVirtual(now)
	a, err := app.Open(context.Background(), app.Config{Data: t.TempDir(), Clock: c, Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if err := Seed(context.Background(), a, o); err != nil {
		t.Fatal(err)
	}
	return a, c
}

// everything reads all tickets, a page at a time.
func everything(t *testing.T, a *app.App, see func(*ticket.Ticket)) int {
	t.Helper()
	n := 0
	var ids []int64
	err := a.DB.View(context.Background(), func(tx *db.Tx) (err error) {
		ids, err = db.All(tx, func(s db.Scanner) (id int64, err error) { return id, s.Scan(&id) }, `SELECT id FROM ticket`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		x, err := a.Ticket.Get(context.Background(), system, id)
		if err != nil {
			t.Fatal(err)
		}
		n++
		see(x)
	}
	return n
}

var monday = time.Date(2026, 11, 23, 10, 10, 0, 0, clock.Shanghai)

// The demo bears the look of somebody of the trade: matter, place, unit and duty
// agree, and every share is one that is met in life.
func TestProvinceSurvivesAnExpert(t *testing.T) {
	if testing.Short() {
		return
	}
	const perCity = 1500
	cities := []string{"420100", "421200", "429021"}
	a, _ := opened(t, monday, Options{Cities: cities, Tickets: perCity * len(cities), Whole: true})
	tree, cats := a.Org.Tree(), a.Ticket.Categories(0)
	types, titles := map[string]int{}, map[string]int{}
	units := map[int64][2]int{}
	var dispatched, returned, overdue, reached, unhappy, direct, questions, anonymous, hidden, reworked, extended, suspended, assisted, wrong int
	hours := [24]int{}
	latin := regexp.MustCompile(`[A-Za-z]{3,}`)
	now := clock.Millis(monday)
	n := everything(t, a, func(x *ticket.Ticket) {
		types[x.Type]++
		titles[x.TitleR]++
		hours[clock.FromMillis(x.Accepted).Hour()]++
		c, ok := cats.Get(x.Category)
		plat, _ := tree.Get(x.Platform)
		switch {
		case !ok || !x.Detail.Demo:
			t.Fatalf("%s: category %q demo %v", x.Number, x.Category, x.Detail.Demo)
		case !region.Contains(plat.Region, x.Region):
			t.Fatalf("%s: place %s outside platform %s", x.Number, x.Region, plat.Name)
		}
		if w := latin.FindString(x.TitleR + x.ContentR + x.AddressR + x.ObjectR); w != "" && !abbreviations[w] {
			t.Errorf("%s: %q in %s %s", x.Number, w, x.TitleR, x.ContentR)
		}
		if u, ok := tree.Get(x.Unit); ok {
			if !region.Contains(u.Region, x.Region) || !covers(u.Duty, u.Duties, c.Duty) && !u.Kind.Hub() && centreMatters[u.Code[len(u.Code)-5:]] != c.Duty {
				if x.Returns < 1 { // one in dispute stands with the wrong unit, and one in a thousand is about to be returned
					wrong++
					t.Logf("%s: %s (%s) for %s at %s", x.Number, u.Name, u.Duty, c.Name, x.Region)
				}
			}
		}
		if x.Type == "咨询" {
			questions++
			if x.Detail.Unit != nil && x.Detail.Unit.Mode == "answered" {
				direct++
			}
		}
		if x.Secrecy == ticket.SecrecyAnonymous {
			anonymous++
		}
		if x.Secrecy == ticket.SecrecyUnit {
			hidden++
		}
		if x.Leg > 1 {
			reworked++
		}
		for _, as := range x.Assignments {
			extended += as.Extensions
			if as.Role == ticket.RoleAssist {
				assisted++
			}
		}
		for _, q := range x.Requests {
			if q.Kind == ticket.ReqSuspension {
				suspended++
			}
		}
		if x.Dispatched == 0 {
			return
		}
		dispatched++
		k := units[x.Unit]
		k[0]++
		if x.Returns > 0 {
			returned++
			k[1]++
		}
		units[x.Unit] = k
		if late(x, now) {
			overdue++
		}
		for _, l := range x.Detail.Legs {
			v := l.Citizen
			if v == nil && l.No == x.Leg {
				v = x.Detail.Citizen
			}
			if v != nil && v.Outcome == "reached" {
				reached++
				if v.Satisfaction <= 2 {
					unhappy++
				}
			}
		}
	})
	share := func(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }
	band := func(what string, v, lo, hi float64) {
		t.Helper()
		t.Logf("%s %.2f%%", what, v)
		if v < lo || v > hi {
			t.Errorf("%s %.2f%%, want %.1f–%.1f%%", what, v, lo, hi)
		}
	}
	t.Logf("工单%d，已派%d，错配%d，重办%d，延期%d，挂起%d，协办%d", n, dispatched, wrong, reworked, extended, suspended, assisted)
	if n < perCity*len(cities) {
		t.Errorf("only %d tickets", n)
	}
	for typ, want := range map[string]float64{"咨询": 41.5, "求助": 19.52, "建议": 2.17, "表扬": 0.33, "其他": 3.22} {
		band(typ, share(types[typ], n), want-3, want+3)
	}
	band("投诉举报", share(types["投诉"]+types["举报"], n), 30.26, 36.26)
	band("逾期", share(overdue, dispatched), 1, 2)
	band("退单", share(returned, dispatched), 3, 5)
	band("不满意", share(unhappy, reached), 5, 8)
	band("咨询直办", share(direct, questions), 60, 98)
	band("错派未退", share(wrong, dispatched), 0, 0.2)
	band("匿名", share(anonymous, n), 0.3, 4)
	band("隐藏身份", share(hidden, n), 3, 14)
	for what, v := range map[string]int{"重办": reworked, "延期": extended, "挂起": suspended, "协办": assisted} {
		if v < 10 {
			t.Errorf("only %d %s", v, what)
		}
	}
	for title, k := range titles {
		if share(k, n) > 1 {
			t.Errorf("title %q is %.2f%%", title, share(k, n))
		}
	}
	if hours[10] < 4*hours[3] || hours[10] < hours[13] {
		t.Errorf("hours %v", hours)
	}
	rates := map[int]int{}
	for _, k := range units {
		if k[0] >= 40 {
			rates[100*k[1]/k[0]]++
		}
	}
	if len(rates) < 3 {
		t.Errorf("units return alike: %v", rates)
	}
	secondSeed(t, a, n)
	for _, city := range []string{"420100", "429021"} {
		everyRoleHasWork(t, a, city)
		ledgerIsFull(t, a, city)
		everyQueueShowsSomething(t, a, city)
	}
	desksAreLateByMinutes(t, a)
	accountsFileLogsIn(t, a)
}

// abbreviations are the Latin words that people in Hubei write.
var abbreviations = map[string]bool{"ETC": true, "KTV": true, "APP": true, "App": true, "WiFi": true, "LED": true, "POS": true, "UPS": true, "HPV": true, "VIP": true, "GPS": true, "PPT": true, "CPI": true, "ICU": true, "PVC": true, "SIM": true}

func covers(duty string, more []string, want string) bool {
	if duty == want || duty == "town" {
		return true
	}
	for _, d := range more {
		if d == want {
			return true
		}
	}
	return false
}

// late tells whether a ticket's leg ran over: it was answered late, or is not
// answered and its time is over.
func late(x *ticket.Ticket, now int64) bool {
	for _, l := range x.Detail.Legs {
		if l.Closed > 0 && !l.OnTime {
			return true
		}
	}
	root := x.Root()
	return x.Status == ticket.Handling && root != nil && root.RepliedAt == 0 && root.State != ticket.Suspended && root.Due > 0 && root.Due < now ||
		root != nil && root.RepliedAt > 0 && x.Status == ticket.ToClose && root.RepliedAt > root.Due
}

// The second start does nothing.
func secondSeed(t *testing.T, a *app.App, n int) {
	t.Helper()
	before, err := os.ReadFile(a.Data + "/" + accountsFile)
	if err != nil {
		t.Fatal(err)
	}
	wall := clock.System()
	began := wall.Now()
	if err := Seed(context.Background(), a, Options{Tickets: 99}); err != nil {
		t.Fatal(err)
	}
	if d := clock.Since(wall, began); d > time.Second {
		t.Errorf("a second start took %s", d)
	}
	if again := everything(t, a, func(*ticket.Ticket) {}); again != n {
		t.Errorf("%d tickets became %d", n, again)
	}
	if after, _ := os.ReadFile(a.Data + "/" + accountsFile); string(after) != string(before) {
		t.Error("accounts.json was written again")
	}
}

// queuesOf are the queues that the pages of a role show.
var queuesOf = map[access.Role][]string{
	access.Agent: {"mine", "seat_fix"}, access.ShiftLead: {"received", "seat_fix", "to_dispatch"},
	access.Dispatcher: {"to_dispatch", "return_review", "disputed", "extension_review", "suspend_review", "to_close"},
	access.Handler:    {"to_sign", "handling", "returning", "suspended", "rework"}, access.UnitLead: {"to_review"},
	access.Supervisor: {"sup_open", "to_recheck", "disputed"}, access.Callback: {"to_recheck", "relay", "to_callback"},
	access.Inspector: {"all"}, access.Leader: {"all"}, access.Privacy: {"all", "quarantined"}, access.Cell: {"informant"},
}

// Every role of every city has at least five tickets, of all three lights.
func everyRoleHasWork(t *testing.T, a *app.App, city string) {
	t.Helper()
	ctx := context.Background()
	now := a.Clock.Now()
	for role, queues := range queuesOf {
		acc, err := a.Access.ByUsername(ctx, string(role)+"."+city)
		if err != nil {
			t.Errorf("%s in %s: %v", role, city, err)
			continue
		}
		who := newPeople(a.Access, a.Org).actorOf(acc)
		items, lights := 0, map[string]int{}
		for _, q := range queues {
			rows, _, err := a.Ticket.List(ctx, who, a.Access.ScopeOf(who), ticket.Filter{Queue: q, Limit: 200})
			if err != nil {
				t.Fatal(err)
			}
			items += len(rows)
			for _, r := range rows {
				due := r.Sort
				if r.Node != nil && r.Node.Due > 0 {
					due = r.Node.Due
				} else if r.Node == nil && r.Ticket.Due > 0 {
					due = r.Ticket.Due
				}
				if s := r.Ticket.Status; !ticket.Final(s) && s != ticket.ToCallback && (r.Node == nil || r.Node.Alive()) {
					lights[lightAt(clock.FromMillis(r.Ticket.Accepted), clock.FromMillis(due), now)]++
				}
			}
		}
		if items < 5 || lights["red"] == 0 || lights["yellow"] == 0 || lights["green"] == 0 {
			t.Errorf("%s in %s has %d items, lights %v", role.Label(), city, items, lights)
		}
	}
	for role, state := range map[access.Role]knowledge.State{access.KBAdmin: knowledge.Review, access.KBEditor: knowledge.Review} {
		acc, err := a.Access.ByUsername(ctx, string(role)+"."+city)
		if err != nil {
			t.Fatal(err)
		}
		who := newPeople(a.Access, a.Org).actorOf(acc)
		list, _, err := a.Knowledge.List(ctx, who, knowledge.Filter{State: state, Limit: 50})
		if err != nil || len(list) < 5 {
			t.Errorf("%s in %s has %d articles: %v", role.Label(), city, len(list), err)
		}
	}
}

// Every account of accounts.json logs in with the name and password given there.
func accountsFileLogsIn(t *testing.T, a *app.App) {
	t.Helper()
	logins := readLogins(t, a.Data)
	seen := map[string]bool{}
	for i, l := range logins {
		seen[l.Role] = true
		if l.Role == "integration" || len(l.Region) != 6 || strings.TrimSpace(l.Unit) == "" {
			t.Errorf("%+v", l)
		}
		if i%9 == 0 {
			if _, err := a.Access.Login(context.Background(), l.Username, l.Password, "", "127.0.0.1", "test"); err != nil {
				t.Errorf("%s: %v", l.Username, err)
			}
		}
	}
	for _, r := range access.Roles() {
		if r.Staff() && !seen[string(r)] {
			t.Errorf("no account of %s", r.Label())
		}
	}
}
