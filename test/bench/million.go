package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/clock"
	"hotline/internal/db"
)

// page is a worklist page as a role opens it.
type page struct {
	role   access.Role
	unit   string // "" = the department that holds most
	name   string
	query  string // of the address
	state  string // the raw engine's state; "" = all rows of the unit
	newest bool
}

var pages = []page{
	{access.Dispatcher, "P420100", "派单·待派", "queue=to_dispatch", "to_dispatch", false},
	{access.Dispatcher, "P420100", "派单·退回", "queue=return_review", "return_review", false},
	{access.Dispatcher, "P420100", "派单·疑难", "queue=disputed", "disputed", false},
	{access.Dispatcher, "P420100", "派单·超时", "queue=dispatch_overdue", "to_dispatch", false},
	{access.Dispatcher, "P420100", "派单·待办结审核", "queue=to_close", "to_close", false},
	{access.ShiftLead, "P420100", "座席·待受理", "queue=to_accept", "received", false},
	{access.Handler, "", "承办·待签收", "queue=to_sign", "to_sign", false},
	{access.Handler, "", "承办·办理中", "queue=handling", "handling", false},
	{access.Handler, "", "承办·即将到期", "queue=due_soon", "handling", false},
	{access.Handler, "", "承办·已超期", "queue=overdue", "handling", false},
	{access.Handler, "", "承办·重办", "queue=rework", "handling", false},
	{access.Handler, "", "承办·已办", "queue=unit_done", "unit_done", true},
	{access.UnitLead, "", "审核·待审核", "queue=to_review", "to_review", false},
	{access.Callback, "P420100", "回访·待回访", "queue=to_callback", "to_callback", false},
	{access.Callback, "P420100", "回访·待复核", "queue=to_recheck", "to_recheck", false},
	{access.Province, "P420000", "全省·疑难", "queue=disputed", "disputed", false},
	{access.Province, "P420000", "全省·全部", "queue=all", "", true},
	{access.Province, "P420000", "全省·已办结", "queue=all&status=closed", "", true},
	{access.Province, "P420000", "全省·按类型和区划", "queue=all&type=投诉&region=420111", "", true},
	{access.Province, "P420000", "全省·按事项", "queue=all&category=040101", "", true},
	{access.Province, "P420000", "全省·按承办单位", "queue=all&unit=@unit@", "", true},
	{access.Province, "P420000", "全省·受理时间很早的", "queue=all&from=2020-01-01&to=@early@", "", true},
	{access.Province, "P420000", "全省·近两日某类型", "queue=all&type=建议&from=@late@&to=2030-01-01", "", true},
	{access.Supervisor, "P420000", "督办·督办中", "queue=sup_open", "handling", false},
	{access.Cell, "P420100", "举报专办", "queue=informant", "", true},
	{access.Dispatcher, "P420100", "市级·已办结", "queue=closed", "closed", true},
}

func benchMillion(ctx context.Context, dir string, want int, part string) error {
	if err := seeded(ctx, dir, want); err != nil {
		return err
	}
	w, err := open(ctx, dir, "", false)
	if err != nil {
		return err
	}
	defer w.close()
	count, busiest, err := extent(ctx, w)
	if err != nil {
		return err
	}
	first, last, err := days(ctx, w)
	if err != nil {
		return err
	}
	most, ok := w.app.Org.Tree().ByCode(busiest)
	if !ok {
		return fmt.Errorf("没有单位 %s", busiest)
	}
	asked := strings.NewReplacer("@unit@", strconv.FormatInt(most.ID, 10), "@early@", clock.FromMillis(first+(last-first)/20).Format(time.DateOnly), "@late@", clock.FromMillis(last).AddDate(0, 0, -1).Format(time.DateOnly))
	prefix := fmt.Sprintf("%.0f万件·", float64(count)/1e4)
	const bar = 50 * time.Millisecond
	tokens := map[string]string{}
	enter := func(role access.Role, unit string) (string, int64, error) {
		if unit == "" {
			unit = busiest
		}
		u, ok := w.app.Org.Tree().ByCode(unit)
		if !ok {
			return "", 0, fmt.Errorf("没有单位 %s", unit)
		}
		name := "bench-" + string(role) + "-" + strconv.FormatInt(u.ID, 36)
		if tokens[name] == "" {
			var err error
			if tokens[name], err = w.enter(ctx, name, role, unit); err != nil {
				return "", 0, fmt.Errorf("%s：%w", name, err)
			}
		}
		return tokens[name], u.ID, nil
	}
	for _, p := range pages {
		if part != "" && part != "pages" {
			break
		}
		token, unit, err := enter(p.role, p.unit)
		if err != nil {
			return err
		}
		cursor, rows := "", 0
		ours, err := alone(60, func(i int) error {
			var out struct {
				Items []struct{ ID string }
				Next  string
			}
			if i%6 == 0 {
				cursor = ""
			}
			err := w.call("GET", "/api/v1/tickets?limit=50&"+escaped(asked.Replace(p.query))+"&cursor="+url.QueryEscape(cursor), token, nil, &out)
			cursor, rows = out.Next, max(rows, len(out.Items))
			return err
		})
		if err != nil {
			return err
		}
		raw, err := alone(60, func(int) error { return rawPage(w.app.DB, unit, p.state, p.newest) })
		if err != nil {
			return err
		}
		line(prefix+p.name, fmt.Sprintf("p50 %v p99 %v（%d条）", ours.p(0.5), ours.p(0.99), rows), "p99≤50毫秒", ours.p(0.99) <= bar,
			fmt.Sprintf("p50 %v p99 %v", raw.p(0.5), raw.p(0.99)), times(ours.p(0.5), raw.p(0.5)))
	}
	if part != "" && part != "boards" {
		return nil
	}
	if err := lookups(ctx, w, prefix, enter); err != nil {
		return err
	}
	for _, x := range []struct{ name, path string }{{"首页（省级管理）", "/api/v1/home"}, {"地图", "/api/v1/map?level=city&days=7"}, {"大屏", "/api/v1/screen"}, {"菜单角标", "/api/v1/me/counts"}, {"各队列数量", "/api/v1/queues?page=dispatch"}} {
		for _, role := range []access.Role{access.Province, access.Dispatcher} {
			token, _, err := enter(role, map[access.Role]string{access.Province: "P420000", access.Dispatcher: "P420100"}[role])
			if err != nil {
				return err
			}
			r, err := alone(20, func(int) error { return w.get(x.path, token) })
			if err != nil {
				continue // the role has no such page
			}
			line(prefix+x.name+"·"+role.Label(), fmt.Sprintf("p50 %v p99 %v", r.p(0.5), r.p(0.99)), "≤300毫秒", r.p(0.99) <= 300*time.Millisecond, "", "")
		}
	}
	if err := sweep(ctx, w.app, prefix); err != nil {
		return err
	}
	anon, file := resident()
	line(prefix+"内存（RSS）", fmt.Sprintf("%d MB（其中数据库文件映射 %d MB）", (anon+file)>>20, file>>20), "≤250 MB", anon+file <= 250<<20, "", "")
	return nil
}

func lookups(ctx context.Context, w *world, prefix string, enter func(access.Role, string) (string, int64, error)) error {
	seat, _, err := enter(access.Agent, "P420100")
	if err != nil {
		return err
	}
	prov, _, err := enter(access.Province, "P420000")
	if err != nil {
		return err
	}
	var numbers []string
	err = w.app.DB.View(ctx, func(tx *db.Tx) (err error) {
		numbers, err = db.All(tx, func(s db.Scanner) (n string, err error) { return n, s.Scan(&n) }, `SELECT number FROM ticket WHERE label = 'normal' ORDER BY id DESC LIMIT 20000`)
		return err
	})
	if err != nil {
		return err
	}
	pick := func(i int) string { return numbers[i*97%len(numbers)] }
	raw, err := alone(60, func(i int) error {
		return w.app.DB.View(ctx, func(tx *db.Tx) error {
			_, err := db.All(tx, scanBytes, `SELECT title_r, content_r, detail FROM ticket WHERE substr(number, length(number) - 3) = $1 AND number = $2`, pick(i + 1)[11:], pick(i+1))
			return err
		})
	})
	if err != nil {
		return err
	}
	const bar = 20 * time.Millisecond
	for _, x := range []struct {
		name string
		one  func(i int) error
	}{
		{"按单号查找", func(i int) error { return w.get("/api/v1/tickets?queue=all&q="+pick(i), prov) }},
		{"按单号打开", func(i int) error { return w.get("/api/v1/tickets/lookup?number="+pick(i+2), prov) }},
		{"按电话查来电历史", func(i int) error {
			return w.call("POST", "/api/v1/callers/lookup", seat, map[string]any{"phone": "1380000" + fmt.Sprintf("%04d", i)}, nil)
		}},
		{"按电话查找", func(i int) error { return w.get("/api/v1/tickets?queue=all&q=1390000"+fmt.Sprintf("%04d", i), prov) }},
	} {
		r, err := alone(60, x.one)
		if err != nil {
			return fmt.Errorf("%s：%w", x.name, err)
		}
		line(prefix+x.name, fmt.Sprintf("p50 %v p99 %v", r.p(0.5), r.p(0.99)), "p99≤20毫秒", r.p(0.99) <= bar, fmt.Sprintf("p50 %v", raw.p(0.5)), times(r.p(0.5), raw.p(0.5)))
	}
	return nil
}

// sweep looks for a hundred clocks whose stage has come, and fires them.
func sweep(ctx context.Context, a *app.App, prefix string) error {
	var found, fired result
	raw, err := alone(20, func(int) error {
		return a.DB.View(ctx, func(tx *db.Tx) error {
			_, err := db.All(tx, func(s db.Scanner) (n int64, err error) { return n, s.Scan(&n) }, `SELECT id FROM ticket WHERE next_at > 0 AND next_at <= $1 ORDER BY next_at LIMIT 100`, a.Clock.Now().UnixMilli())
			return err
		})
	})
	if err != nil {
		return err
	}
	found = raw
	fired, err = alone(5, func(int) error {
		n, err := a.Ticket.Sweep(ctx, 100)
		if err == nil && n < 100 {
			err = fmt.Errorf("只有%d个时限到点", n)
		}
		return err
	})
	if err != nil {
		return err
	}
	const bar = 30 * time.Millisecond
	line(prefix+"时限巡检：找出100个", fmt.Sprintf("p50 %v p99 %v", found.p(0.5), found.p(0.99)), "≤30毫秒", found.p(0.99) <= bar, "", "")
	line(prefix+"时限巡检：触发100个（持久）", fmt.Sprintf("p50 %v CPU %.0f毫秒", fired.p(0.5), float64(fired.cpu)/1e6), "≤30毫秒", fired.p(0.5) <= bar, "", "")
	return nil
}

// extent counts the tickets and finds the department that holds most.
func extent(ctx context.Context, w *world) (count int64, code string, err error) {
	err = w.app.DB.View(ctx, func(tx *db.Tx) error {
		if count, err = db.Int(tx, `SELECT count(*) FROM ticket`); err != nil {
			return err
		}
		unit, err := db.Int(tx, `SELECT unit FROM worklist WHERE assignment <> 0 AND state IN ('to_sign', 'handling') GROUP BY unit ORDER BY count(*) DESC, unit LIMIT 1`)
		if err != nil {
			return err
		}
		u, _ := w.app.Org.Tree().Get(unit)
		code = u.Code
		return nil
	})
	return count, code, err
}

// days is when the first and the last ticket were accepted, ms.
func days(ctx context.Context, w *world) (first, last int64, err error) {
	err = w.app.DB.View(ctx, func(tx *db.Tx) error {
		if first, err = db.Int(tx, `SELECT min(accepted) FROM ticket`); err != nil {
			return err
		}
		last, err = db.Int(tx, `SELECT max(accepted) FROM ticket`)
		return err
	})
	return first, last, err
}

// resident reads the process's memory: its own and the mapped database file.
func resident() (anon, file int64) {
	raw, _ := os.ReadFile("/proc/self/status")
	for _, l := range strings.Split(string(raw), "\n") {
		f := strings.Fields(l)
		if len(f) < 2 {
			continue
		}
		kb, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "RssAnon:":
			anon = kb << 10
		case "RssFile:":
			file = kb << 10
		}
	}
	return anon, file
}

func times(ours, raw time.Duration) string {
	if raw == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f倍", float64(ours)/float64(raw))
}

func escaped(query string) string {
	v, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	return v.Encode()
}
