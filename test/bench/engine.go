package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/internal/db/dbtest"
	"hotline/internal/org"
	"hotline/internal/ticket"
)

// benchEngines compares taking in and dispatching a request, two durable
// transactions, with the engine's bare transactions of three inserts, 32
// writers, group commit on both sides.
func benchEngines(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "hotline-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := engine(ctx, "SQLite", filepath.Join(dir, "bare.db"), dir, ""); err != nil {
		return err
	}
	if err := flag.Set("test.benchtime", "1x"); err != nil {
		return err
	}
	var inner error
	testing.Benchmark(func(b *testing.B) { // dbtest starts a private server for a test
		bare, full := dbtest.Durable(b), dbtest.Durable(b, app.Schemas()...)
		inner = engine(ctx, "PostgreSQL", bare, dir+"/pg", full)
	})
	return inner
}

func engine(ctx context.Context, name, bareURL, dir, url string) error {
	d, err := db.Open(ctx, db.Config{URL: bareURL, Node: 1})
	if err != nil {
		return err
	}
	if err := d.Migrate(ctx, plainSchema, indexedSchema); err != nil {
		return err
	}
	bare := many(connections, func(int) error { return threeInserts(d) })
	indexed := many(connections, func(int) error { return indexedInserts(d) })
	if err := d.Close(); err != nil {
		return err
	}
	line(name+" 裸三插入事务", bare.String(), "", true, "", "")
	line(name+" 同上，另有五个二级索引", indexed.String(), "", true, "", fmt.Sprintf("%.2f", indexed.rate/bare.rate))
	if name == "SQLite" {
		rawRate = bare.rate
	}
	a, err := app.Open(ctx, app.Config{Data: filepath.Join(dir, "data"), DB: url})
	if err != nil {
		return err
	}
	defer a.Close()
	if err := a.Org.CreateAll(ctx, org.By{}, org.Province(org.ProvinceOptions{Cities: []string{"420100"}})); err != nil {
		return err
	}
	tree := a.Org.Tree()
	city, _ := tree.ByCode("P420100")
	dept, ok := tree.ByCode("D420100-chengguan")
	if !ok {
		return fmt.Errorf("没有城管部门")
	}
	seat := access.Actor{Account: 1, Role: access.Agent, Unit: city.ID, Platform: city.ID}
	desk := access.Actor{Account: 2, Role: access.Dispatcher, Unit: city.ID, Platform: city.ID}
	pair := many(connections, func(int) error {
		got, err := a.Ticket.Create(ctx, seat, intake(city.ID))
		if err == nil {
			_, err = a.Ticket.Do(ctx, desk, got.ID, ticket.Action{Name: "dispatch", Version: 1, Fields: map[string]any{"unit": dept.ID}})
		}
		return err
	})
	line(name+" 受理并派单（两个持久事务）", pair.String(), "≥裸引擎之半", pair.rate >= bare.rate/2, fmt.Sprintf("%.0f次/秒", bare.rate), fmt.Sprintf("%.2f", pair.rate/bare.rate))
	line(name+" 同上，与有索引的裸事务相比", "", "", true, fmt.Sprintf("%.0f次/秒", indexed.rate), fmt.Sprintf("%.2f", pair.rate/indexed.rate))
	return nil
}

func intake(platform int64) ticket.Intake {
	n := serial.Add(1)
	return ticket.Intake{Type: "投诉", Category: "040101", Region: "420111", Title: "夜间施工噪声扰民", Content: "保利时代小区北侧工地连续三晚施工到凌晨，要求核查夜间施工许可并责令整改。", Address: "关山街道保利时代3栋",
		Requester: ticket.Requester{Kind: "个人", Name: "李小明", Phone: "138" + strconv.FormatInt(10_000_000+n%89_999_999, 10)}, Secrecy: ticket.SecrecyNormal, Channel: "phone", Platform: platform, Status: ticket.ToDispatch}
}
