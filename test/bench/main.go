// Command bench prints the platform's figures beside the raw engine's, in one
// run on one machine: writes and reads over HTTP, logged in, sealed and audited.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/internal/org"
)

const (
	connections = 32
	span        = 5 * time.Second
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "性能对比失败："+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "hotline-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%s，%d 核，负载发生器在同一台机器上\n\n", runtime.Version(), runtime.NumCPU())
	bare, err := bareEngine(ctx, filepath.Join(dir, "bare.db"))
	if err != nil {
		return err
	}
	fmt.Printf("SQLite 裸三插入事务（组提交，%d 并发）    %8.0f 次/秒\n", connections, bare)
	a, err := app.Open(ctx, app.Config{Data: filepath.Join(dir, "data"), Demo: true})
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.Org.CreateAll(ctx, org.By{}, org.Province(org.ProvinceOptions{Cities: []string{"420100"}})); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h := a.Serve(nil)
	a.SetReady(true, "")
	back, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { a.Run(back); close(done) }()
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(ln) }()
	defer func() { server.Close(); stop(); <-done }()
	b := &load{base: "http://" + ln.Addr().String(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections * 2}}}
	city, _ := a.Org.Tree().ByCode("P420100")
	if _, err := a.Access.CreateAccounts(ctx, access.System("bench"), []access.NewAccount{{Username: "seat", Name: "座席", Role: access.Agent, Unit: city.ID}, {Username: "desk", Name: "派单", Role: access.Dispatcher, Unit: city.ID}}); err != nil {
		return err
	}
	for name, into := range map[string]*string{"seat": &b.seat, "desk": &b.desk} {
		s, err := a.Access.Enter(ctx, name, "127.0.0.1", "bench")
		if err != nil {
			return err
		}
		*into = s.Token
	}
	create := b.measure("登记工单（HTTP、封存、留痕）", b.create)
	fmt.Printf("  与裸引擎之比 %.2f\n", create/bare)
	b.measure("查看工单", b.get)
	b.measure("列表50条", b.list)
	b.measure("当前账号（令牌校验）", b.me)
	return nil
}

// bareEngine measures three inserts a transaction through the same group commit.
func bareEngine(ctx context.Context, path string) (float64, error) {
	d, err := db.Open(ctx, db.Config{URL: path, Node: 1})
	if err != nil {
		return 0, err
	}
	defer d.Close()
	schema := db.Schema{Name: "bare", Steps: []db.Step{{SQL: "CREATE TABLE a (id BIGINT PRIMARY KEY, t TEXT NOT NULL);\nCREATE TABLE b (id BIGINT PRIMARY KEY, t TEXT NOT NULL);\nCREATE TABLE c (id BIGINT PRIMARY KEY, t TEXT NOT NULL)"}}}
	if err := d.Migrate(ctx, schema); err != nil {
		return 0, err
	}
	text := string(bytes.Repeat([]byte("x"), 600))
	n, took := many(func(int) error {
		return d.Update(ctx, func(tx *db.Tx) error {
			for _, q := range []string{"INSERT INTO a (id, t) VALUES ($1, $2)", "INSERT INTO b (id, t) VALUES ($1, $2)", "INSERT INTO c (id, t) VALUES ($1, $2)"} {
				if _, err := tx.Exec(q, tx.NewID(), text); err != nil {
					return err
				}
			}
			return nil
		})
	}, nil)
	return float64(n) / took.Seconds(), nil
}

type load struct {
	base, seat, desk string
	client           *http.Client
	mu               sync.Mutex
	ids              []string
}

// many runs work on all connections for the span.
func many(work func(worker int) error, times *[]time.Duration) (int64, time.Duration) {
	var n, failed atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	for i := range connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var own []time.Duration
			for time.Since(start) < span {
				t := time.Now()
				if err := work(i); err != nil {
					if failed.Add(1) == 1 {
						fmt.Fprintln(os.Stderr, "  第一个错误：", err)
					}
					continue
				}
				own = append(own, time.Since(t))
				n.Add(1)
			}
			if times != nil {
				mu.Lock()
				*times = append(*times, own...)
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	return n.Load(), time.Since(start)
}

func (b *load) measure(name string, work func(int) error) float64 {
	var times []time.Duration
	n, took := many(work, &times)
	slices.Sort(times)
	rate := float64(n) / took.Seconds()
	p := func(q float64) time.Duration {
		if len(times) == 0 {
			return 0
		}
		return times[int(float64(len(times)-1)*q)].Round(10 * time.Microsecond)
	}
	fmt.Printf("%-40s %8.0f 次/秒   p50 %v  p99 %v\n", name, rate, p(0.5), p(0.99))
	return rate
}

func (b *load) call(method, path, token string, body any, into any) error {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, b.base+path, r)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := b.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, raw)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(raw, into)
}

var serial atomic.Int64

func (b *load) create(int) error {
	n := serial.Add(1)
	var out struct {
		ID string `json:"id"`
	}
	err := b.call("POST", "/api/v1/tickets", b.seat, map[string]any{"way": "dispatch", "type": "投诉", "title": "夜间施工噪声扰民", "content": "来电人反映保利时代小区北侧工地连续三晚22时30分后仍在施工，打桩噪声严重影响居民休息，要求核查夜间施工许可并责令整改。",
		"region": "420111", "address": "关山大道保利时代3栋", "requester": map[string]any{"kind": "个人", "name": "李小明", "phone": "138" + strconv.FormatInt(10_000_000+n%89_999_999, 10)}}, &out)
	if err == nil && n%7 == 0 {
		b.mu.Lock()
		b.ids = append(b.ids, out.ID)
		b.mu.Unlock()
	}
	return err
}

func (b *load) get(int) error {
	id := b.ids[int(serial.Add(1))%len(b.ids)]
	return b.call("GET", "/api/v1/tickets/"+id, b.desk, nil, nil)
}

func (b *load) list(int) error {
	return b.call("GET", "/api/v1/tickets?queue=to_dispatch&limit=50", b.desk, nil, nil)
}

func (b *load) me(int) error { return b.call("GET", "/api/v1/me", b.desk, nil, nil) }
