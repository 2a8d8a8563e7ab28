package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"hotline/internal/app"
)

// runAudit verifies both chains. Exit 0: intact; 1: broken, with the position.
func runAudit(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "verify" {
		return exitCode{2, "用法：hotline audit verify --data 目录 | --db 地址"}
	}
	f := newFlags("audit verify")
	data := f.String("data", "data", "数据目录")
	dsn := f.String("db", "", "PostgreSQL 地址")
	if err := parse(f, args[1:]); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(*data, "hotline.db")); *dsn == "" && err != nil {
		return exitCode{2, "目录 " + *data + " 里没有平台的数据，请用 --data 指定数据目录，或用 --db 指定 PostgreSQL 地址。"}
	}
	a, err := app.Open(ctx, app.Config{Data: *data, DB: *dsn, ReadOnly: true})
	if err != nil {
		return err
	}
	defer a.Close()
	broken := false
	for _, l := range []struct {
		name, label string
	}{{"event", "事件链"}, {"audit", "审计链"}} {
		r, err := a.Audit.VerifyLog(ctx, l.name)
		if err != nil {
			return err
		}
		for _, p := range r.Problems {
			fmt.Printf("%s：%s\n", l.label, p)
		}
		broken = broken || !r.Intact()
		if b := r.Log.Broken; b != nil {
			fmt.Printf("%s：第%d条处断裂，%s（其前%d条完好）\n", l.label, b.Seq, b.Reason, r.Log.Count)
			continue
		}
		head := ""
		if r.Log.Count > 0 {
			head = "链头" + r.Log.HeadHash + "，"
		}
		fmt.Printf("%s：完整，共%d条，核对签名%d处，%s另有%d条尚未封存\n", l.label, r.Log.Count, r.Checkpoints, head, r.Log.Unsealed)
	}
	if broken {
		return exitCode{1, ""}
	}
	return nil
}
