package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"hotline/internal/app"
	"hotline/internal/demo"
	"hotline/internal/seal"
	"hotline/internal/ticket"

	sqlite "modernc.org/sqlite"
)

// seedMillion makes, once, a province with so many tickets: some thousand are
// lived through the platform's own doors, the rest are their copies, made by
// the engine itself under ids of other nodes, with 单号, blind index and seals of
// their own. Copies keep only the event of their intake.
func seedMillion(ctx context.Context, dir string, want int) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "首次运行：在 %s 生成%d件工单……\n", dir, want)
	a, err := app.Open(ctx, app.Config{Data: dir, Demo: true})
	if err != nil {
		return err
	}
	err = demo.Seed(ctx, a, demo.Options{Tickets: 1300, Whole: true, Progress: func(n, total int, what string) {
		if n%500 == 0 {
			fmt.Fprintf(os.Stderr, "  %s %d/%d\n", what, n, total)
		}
	}})
	if err == nil {
		err = follow(ctx, a)
	}
	ring := a.Ring
	a.Close()
	if err != nil {
		return err
	}
	if err := multiply(ctx, filepath.Join(dir, "hotline.db"), ring, want); err != nil {
		return err
	}
	return os.WriteFile(seedMark(dir, want), nil, 0o600)
}

// seedMark is the file that says that the data is whole.
func seedMark(dir string, want int) string {
	return filepath.Join(dir, fmt.Sprintf("tickets-%d", want))
}

// seeded has the data made by a process of its own: what making a million
// tickets leaves in memory is not the platform's.
func seeded(ctx context.Context, dir string, want int) error {
	if _, err := os.Stat(seedMark(dir, want)); err == nil {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, self, "-only", "seed", "-data", dir, "-tickets", strconv.Itoa(want))
	c.Stderr = os.Stderr
	return c.Run()
}

// follow lets the counters come up to the newest event.
func follow(ctx context.Context, a *app.App) error {
	if _, err := a.Log.SealNow(ctx); err != nil {
		return err
	}
	back, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Measure.Follow(back) }()
	defer func() { stop(); <-ended }()
	head, err := a.Log.Head(ctx)
	for err == nil {
		var at int64
		if at, err = a.Log.Cursor(ctx, "measure"); at >= head {
			return nil
		}
		if err == nil {
			err = a.Clock.Sleep(ctx, 100_000_000)
		}
	}
	return err
}

// node shifts an id to another node's, keeping its moment.
func node(column string) string {
	return "CASE WHEN " + column + " = 0 THEN 0 ELSE " + column + " + (k.n << 12) END"
}

// copied says how a table is multiplied: its own id columns, other columns
// that must differ, the order of reading and a condition.
type copied struct {
	table, order, where string
	ids                 []string
	set                 map[string]string
}

var copies = []copied{
	{table: "ticket", order: "b.id", ids: []string{"id", "main", "split_of", "repeat_of"}, set: map[string]string{
		"number": "bench_number(b.number, k.n)", "source_no": "b.source_no || '-' || k.n", "former": "CASE WHEN b.former = '' THEN '' ELSE b.former || '-' || k.n END", "phone_bi": "bench_index(b.phone_bi, k.n)",
		"clocks": "bench_clocks(b.clocks, k.n)", "places": "bench_places(b.places, k.n)",
		"body": "bench_seal(b.dek, b.body, 'body', b.id, b.id + (k.n << 12))", "requester": "bench_seal(b.dek, b.requester, 'requester', b.id, b.id + (k.n << 12))"}},
	{table: "assignment", order: "b.ticket, b.id", ids: []string{"id", "ticket", "parent"}},
	{table: "ticket_request", order: "b.ticket, b.id", ids: []string{"id", "ticket", "assignment"}},
	{table: "worklist", order: "b.unit, b.ticket, b.assignment", ids: []string{"ticket", "assignment"}},
	{table: "event", order: "b.id", where: "b.kind = 'ticket.create'", ids: []string{"id", "subject_id"}},
	{table: "stat_row", order: "b.ticket, b.leg, b.node", ids: []string{"ticket", "node"}},
}

func multiply(ctx context.Context, path string, ring *seal.Ring, want int) error {
	registerSeedFunctions(ring)
	d, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=journal_mode(MEMORY)&_pragma=cache_size(-500000)&_pragma=temp_store(MEMORY)")
	if err != nil {
		return err
	}
	defer d.Close()
	d.SetMaxOpenConns(1)
	var have int
	if err := d.QueryRowContext(ctx, "SELECT count(*) FROM ticket").Scan(&have); err != nil {
		return err
	}
	times := (want+have-1)/have - 1
	run := func(text string) {
		if err == nil {
			if _, err = d.ExecContext(ctx, text); err != nil {
				err = fmt.Errorf("%w: %s", err, text)
			}
		}
	}
	run(fmt.Sprintf("CREATE TEMP TABLE k AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c", times))
	for _, c := range copies {
		if err != nil {
			return err
		}
		var columns, indexes []string
		if columns, err = strs(ctx, d, "SELECT name FROM pragma_table_info('"+c.table+"')"); err != nil {
			return err
		}
		if indexes, err = strs(ctx, d, "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = '"+c.table+"'"); err != nil {
			return err
		}
		for _, x := range indexes {
			run("DROP INDEX " + strings.Fields(strings.TrimPrefix(strings.TrimPrefix(x, "CREATE UNIQUE INDEX "), "CREATE INDEX "))[0])
		}
		var values []string
		for _, name := range columns {
			v := "b." + name
			for _, id := range c.ids {
				if id == name {
					v = node(v)
				}
			}
			if s, ok := c.set[name]; ok {
				v = s
			}
			values = append(values, v)
		}
		where := ""
		if c.where != "" {
			where = " WHERE " + c.where
		}
		run("CREATE TEMP TABLE base AS SELECT * FROM main." + c.table + " b" + where + " ORDER BY " + c.order)
		run("INSERT INTO main." + c.table + " SELECT " + strings.Join(values, ", ") + " FROM (SELECT * FROM temp.base b ORDER BY " + c.order + ") b CROSS JOIN temp.k k")
		run("DROP TABLE temp.base")
		for _, x := range indexes {
			run(x)
		}
		fmt.Fprintln(os.Stderr, "  已复制", c.table)
	}
	if err != nil {
		return err
	}
	var sets []string
	columns, err := strs(ctx, d, "SELECT name FROM pragma_table_info('stat_day') WHERE name LIKE 'n\\_%' ESCAPE '\\'")
	for _, name := range columns {
		sets = append(sets, fmt.Sprintf("%s = %s * %d", name, name, times+1))
	}
	run("UPDATE stat_day SET " + strings.Join(sets, ", "))
	run("PRAGMA journal_mode=WAL")
	return err
}

func strs(ctx context.Context, d *sql.DB, text string) (out []string, err error) {
	rows, err := d.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

var once sync.Once

// registerSeedFunctions gives SQLite what a copy needs: a valid 单号, a blind
// index of its own, and the same text sealed for the copy's place.
func registerSeedFunctions(ring *seal.Ring) {
	once.Do(func() {
		sqlite.MustRegisterDeterministicScalarFunction("bench_number", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			no, k := args[0].(string), args[1].(int64)
			body := no[:2] + mix(no[2:8], k) + no[8:14]
			return body + string(ticket.CheckDigit(body)), nil
		})
		sqlite.MustRegisterDeterministicScalarFunction("bench_clocks", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			var list []*ticket.TimeLimit
			if err := json.Unmarshal([]byte(args[0].(string)), &list); err != nil {
				return nil, err
			}
			for _, c := range list {
				c.ID, c.Assignment = shifted(c.ID, args[1]), shifted(c.Assignment, args[1])
			}
			raw, err := json.Marshal(list)
			return string(raw), err
		})
		sqlite.MustRegisterDeterministicScalarFunction("bench_places", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			lines := strings.Split(args[0].(string), "\n")
			for i := 1; i < len(lines); i++ { // unit, assignment, …
				f := strings.Fields(lines[i])
				node, err := strconv.ParseInt(f[1], 10, 64)
				if err != nil {
					return nil, err
				}
				f[1] = strconv.FormatInt(shifted(node, args[1]), 10)
				lines[i] = strings.Join(f, " ")
			}
			return strings.Join(lines, "\n"), nil
		})
		sqlite.MustRegisterDeterministicScalarFunction("bench_index", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			was, ok := args[0].([]byte)
			if !ok {
				return nil, nil
			}
			return ring.Blind("bench", fmt.Sprintf("%x %d", was, args[1])), nil
		})
		sqlite.MustRegisterDeterministicScalarFunction("bench_seal", 5, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			dek, ok := args[0].([]byte)
			sealed, has := args[1].([]byte)
			if !ok || !has {
				return args[1], nil
			}
			key, err := ring.OpenKey(dek)
			if err != nil {
				return nil, err
			}
			ad := func(id driver.Value) string { return fmt.Sprintf("ticket|%d|%s", id, args[2]) }
			plain, err := key.Open(ad(args[3]), sealed)
			if err != nil {
				return nil, err
			}
			return []byte(key.Seal(ad(args[4]), plain)), nil
		})
	})
}

// shifted is node in Go.
func shifted(id int64, k driver.Value) int64 {
	if id == 0 {
		return 0
	}
	return id + k.(int64)<<12
}

// mix makes the six digits of a day that no calendar has, one for each month,
// day and copy: the 流水 of the copies never meet.
func mix(day string, k int64) string {
	n, _ := strconv.ParseInt(day[2:], 10, 64) // month and day
	return fmt.Sprintf("%06d", 300_000+k*1300+n)
}
