package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"hotline/internal/access"
)

// rawRate is SQLite's three-insert transactions a second, from benchEngines.
var rawRate float64

// benchHTTP measures over HTTP, logged in, sealed and audited, on SQLite.
func benchHTTP(ctx context.Context) error {
	w, err := fresh(ctx, "")
	if err != nil {
		return err
	}
	defer w.close()
	seat, err := w.enter(ctx, "seat", access.Agent, "P420100")
	if err != nil {
		return err
	}
	desk, err := w.enter(ctx, "desk", access.Dispatcher, "P420100")
	if err != nil {
		return err
	}
	wires, hangUp, err := w.wires()
	if err != nil {
		return err
	}
	defer hangUp()
	var mu sync.Mutex
	var ids []string
	create := many(connections, func(worker int) error {
		var out struct {
			ID string `json:"id"`
		}
		err := wires[worker].post("/api/v1/tickets", seat, request(), &out)
		if err == nil {
			mu.Lock()
			ids = append(ids, out.ID)
			mu.Unlock()
		}
		return err
	})
	ratio := ""
	if rawRate > 0 {
		ratio = fmt.Sprintf("%.2f", create.rate/rawRate)
	}
	line("登记工单（HTTP、封存、留痕）", create.String(), "≥1000次/秒", create.rate >= 1000, show("%.0f次三插入/秒", rawRate), ratio)
	if len(ids) > 1000 {
		ids = ids[:1000]
	}
	next := func() string { return ids[int(serial.Add(1))%len(ids)] }
	rawGet := many(connections, func(int) error { return rawRow(w.app.DB, next()) })
	get := many(connections, func(worker int) error { return wires[worker].get("/api/v1/tickets/"+next(), desk) })
	line("查看工单", get.String(), "≥5000次/秒", get.rate >= 5000, fmt.Sprintf("%.0f次/秒", rawGet.rate), fmt.Sprintf("%.2f", get.rate/rawGet.rate))
	city, _ := w.app.Org.Tree().ByCode("P420100")
	rawList := many(connections, func(int) error { return rawPage(w.app.DB, city.ID, "to_dispatch", false) })
	list := many(connections, func(worker int) error {
		return wires[worker].get("/api/v1/tickets?queue=to_dispatch&limit=50", desk)
	})
	line("列表50条", list.String(), "≥2000次/秒", list.rate >= 2000, fmt.Sprintf("%.0f次/秒", rawList.rate), fmt.Sprintf("%.2f", list.rate/rawList.rate))
	me := many(connections, func(worker int) error { return wires[worker].get("/api/v1/me", desk) })
	line("当前账号（HTTP全程）", me.String(), "", true, "", "")
	token := many(1, func(int) error { _, err := w.app.Access.Authenticate(ctx, desk); return err })
	line("令牌校验", fmt.Sprintf("p50 %v p99 %v", token.p(0.5), token.p(0.99)), "≤0.2毫秒", token.p(0.99) <= 200*time.Microsecond, "", "")
	return nil
}

// benchMixed runs 50 creations and 300 list reads a second, at that pace.
func benchMixed(ctx context.Context) error {
	w, err := fresh(ctx, "")
	if err != nil {
		return err
	}
	defer w.close()
	seat, err := w.enter(ctx, "seat", access.Agent, "P420100")
	if err != nil {
		return err
	}
	desk, err := w.enter(ctx, "desk", access.Dispatcher, "P420100")
	if err != nil {
		return err
	}
	for range 200 {
		if err := w.call("POST", "/api/v1/tickets", seat, request(), nil); err != nil {
			return err
		}
	}
	var writes, reads result
	var wg sync.WaitGroup
	wg.Go(func() {
		writes = paced(50, func() error { return w.call("POST", "/api/v1/tickets", seat, request(), nil) })
	})
	wg.Go(func() {
		reads = paced(300, func() error { return w.get("/api/v1/tickets?queue=to_dispatch&limit=50", desk) })
	})
	wg.Wait()
	const bar = 200 * time.Millisecond
	for _, x := range []struct {
		name string
		result
	}{{"混合负载：每秒50写", writes}, {"混合负载：每秒300次列表", reads}} {
		line(x.name, fmt.Sprintf("%.0f次/秒 p50 %v p99 %v 被拒%d", x.rate, x.p(0.5), x.p(0.99), x.lost), "p99≤200毫秒", x.lost == 0 && x.p(0.99) <= bar, "", "")
	}
	return nil
}
