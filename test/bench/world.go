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
	"strconv"
	"sync/atomic"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/internal/org"
)

// world is a running platform with a client.
type world struct {
	app    *app.App
	base   string
	client *http.Client
	close  func()
}

// open starts the platform on a directory, with its background work if asked.
func open(ctx context.Context, dir, url string, background bool) (*world, error) {
	a, err := app.Open(ctx, app.Config{Data: dir, DB: url, Demo: true})
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		a.Close()
		return nil, err
	}
	h := a.Serve(nil)
	a.SetReady(true, "")
	back, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		if background {
			a.Run(back)
		}
		close(done)
	}()
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(ln) }()
	w := &world{app: a, base: "http://" + ln.Addr().String(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections * 2}}}
	w.close = func() {
		w.client.CloseIdleConnections()
		server.Close()
		stop()
		<-done
		a.Close()
	}
	return w, nil
}

// fresh is a new platform with a province of one city.
func fresh(ctx context.Context, url string) (*world, error) {
	dir, err := os.MkdirTemp("", "hotline-bench-")
	if err != nil {
		return nil, err
	}
	w, err := open(ctx, filepath.Join(dir, "data"), url, true)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	end := w.close
	w.close = func() { end(); os.RemoveAll(dir) }
	if err := w.app.Org.CreateAll(ctx, org.By{}, org.Province(org.ProvinceOptions{Cities: []string{"420100"}})); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// enter makes an account if it does not exist and gives its token.
func (w *world) enter(ctx context.Context, name string, role access.Role, unit string) (string, error) {
	u, ok := w.app.Org.Tree().ByCode(unit)
	if !ok {
		return "", fmt.Errorf("没有单位 %s", unit)
	}
	s, err := w.app.Access.Enter(ctx, name, "127.0.0.1", "bench")
	if err != nil {
		if _, err = w.app.Access.CreateAccounts(ctx, access.System("bench"), []access.NewAccount{{Username: name, Name: "测试员", Role: role, Unit: u.ID}}); err == nil {
			s, err = w.app.Access.Enter(ctx, name, "127.0.0.1", "bench")
		}
	}
	return s.Token, err
}

// call makes one request and reads the whole answer.
func (w *world) call(method, path, token string, body any, into any) error {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, w.base+path, r)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if into == nil && res.StatusCode < 300 {
		_, err := io.Copy(io.Discard, res.Body)
		return err
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, raw)
	}
	return json.Unmarshal(raw, into)
}

func (w *world) get(path, token string) error { return w.call("GET", path, token, nil, nil) }

var serial atomic.Int64

// request is a new request of a citizen as the desk sends it.
func request() map[string]any {
	n := serial.Add(1)
	return map[string]any{"way": "dispatch", "type": "投诉", "title": "夜间施工噪声扰民", "content": "来电人反映保利时代小区北侧工地连续三晚22时30分后仍在施工，打桩噪声严重影响居民休息，要求核查夜间施工许可并责令整改。",
		"region": "420111", "address": "关山大道保利时代3栋", "requester": map[string]any{"kind": "个人", "name": "李小明", "phone": "138" + strconv.FormatInt(10_000_000+n%89_999_999, 10)}}
}

// plainSchema is three tables for the raw engine's transaction.
var plainSchema = db.Schema{Name: "bare", Steps: []db.Step{{SQL: "CREATE TABLE a (id BIGINT PRIMARY KEY, t TEXT NOT NULL);\nCREATE TABLE b (id BIGINT PRIMARY KEY, t TEXT NOT NULL);\nCREATE TABLE c (id BIGINT PRIMARY KEY, t TEXT NOT NULL)"}}}

// indexedSchema is a ticket, an event and a job as a plain application would
// keep them: three tables with five indexes beside their keys.
var indexedSchema = db.Schema{Name: "indexed", Steps: []db.Step{{SQL: `CREATE TABLE ia (id BIGINT PRIMARY KEY, no TEXT NOT NULL, unit BIGINT NOT NULL, at BIGINT NOT NULL, t TEXT NOT NULL);
CREATE UNIQUE INDEX ia_no ON ia(no);
CREATE INDEX ia_unit ON ia(unit, at);
CREATE INDEX ia_at ON ia(at);
CREATE TABLE ib (id BIGINT PRIMARY KEY, subject BIGINT NOT NULL, t TEXT NOT NULL);
CREATE INDEX ib_subject ON ib(subject);
CREATE TABLE ic (id BIGINT PRIMARY KEY, at BIGINT NOT NULL, t TEXT NOT NULL);
CREATE INDEX ic_at ON ic(at)`}}}

func indexedInserts(d *db.DB) error {
	return d.Update(context.Background(), func(tx *db.Tx) error {
		id, at := tx.NewID(), tx.NowMS()
		_, err := tx.Exec(`INSERT INTO ia (id, no, unit, at, t) VALUES ($1, $2, $3, $4, $5)`, id, strconv.FormatInt(id*7919, 36), id%500, at, plainText)
		if err == nil {
			_, err = tx.Exec(`INSERT INTO ib (id, subject, t) VALUES ($1, $2, $3)`, tx.NewID(), id, plainText)
		}
		if err == nil {
			_, err = tx.Exec(`INSERT INTO ic (id, at, t) VALUES ($1, $2, $3)`, tx.NewID(), at, plainText)
		}
		return err
	})
}

var plainText = string(bytes.Repeat([]byte("x"), 600))

// threeInserts is the raw engine's transaction, through the same group commit.
func threeInserts(d *db.DB) error {
	return d.Update(context.Background(), func(tx *db.Tx) error {
		for _, q := range []string{"INSERT INTO a (id, t) VALUES ($1, $2)", "INSERT INTO b (id, t) VALUES ($1, $2)", "INSERT INTO c (id, t) VALUES ($1, $2)"} {
			if _, err := tx.Exec(q, tx.NewID(), plainText); err != nil {
				return err
			}
		}
		return nil
	})
}
