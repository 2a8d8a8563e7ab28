package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"

	"hotline/internal/app"
	"hotline/internal/demo"
	"hotline/internal/fault"
)

func runDemo(ctx context.Context, args []string) error {
	f := newFlags("demo")
	addr := f.String("addr", "127.0.0.1:12345", "监听地址")
	data := f.String("data", "data/demo", "数据目录")
	days := f.Int("days", 90, "演示历史的天数")
	quiet := f.Bool("no-simulator", false, "不模拟诉求人和各岗位")
	public := f.Bool("demo-public", false, "允许监听非本机地址（演示账号人人可进）")
	phone, hearing, suite := phoneFlags(f), speechFlags(f), suiteFlag(f)
	if err := parse(f, args); err != nil {
		return err
	}
	ln, err := listen(*addr)
	if err != nil {
		return err
	}
	if tcp := ln.Addr().(*net.TCPAddr); !tcp.IP.IsLoopback() && !*public {
		ln.Close()
		return exitCode{2, "演示平台任何人都能一键进入，只应监听本机地址；确需对外请加 --demo-public。"}
	}
	switch phone.SIP {
	case "off":
		phone.SIP = ""
	case "":
		if phone.SIP, err = app.FreeSIP("127.0.0.1"); err != nil { // the rest works without a telephone
			fmt.Fprintln(os.Stderr, fault.As(err).Detail)
		}
	}
	if err := telephone(ctx, phone, *data); err != nil {
		ln.Close()
		return err
	}
	if phone.SIP != "" && phone.Web == "" {
		phone.Web = app.FreeWeb("127.0.0.1")
	}
	if hearing.ASR == "" && phone.SIP != "" { // the callers of the demonstration are known by heart
		ears, err := demo.OpenRecogniser()
		if err != nil {
			return err
		}
		defer ears.Close()
		hearing.ASR, hearing.Label = ears.URL(), demo.RecogniserName
	}
	a, err := app.Open(ctx, app.Config{Data: *data, Demo: true, Phone: *phone, Speech: *hearing, Suite: *suite})
	if err != nil {
		ln.Close()
		return err
	}
	defer a.Close()
	face := demo.New(a)
	defer face.Close()
	h := a.Serve(face)
	a.SetReady(false, "准备演示数据")
	fmt.Printf("HTTP http://%s\n", shown(ln))
	if phone.SIP != "" {
		fmt.Printf("SIP %s\n", phone.SIP)
	}
	return serve(ctx, ln, h, func(ctx context.Context) {
		var wg sync.WaitGroup
		wg.Add(1)
		go func() { defer wg.Done(); a.Run(ctx) }()
		bar := progress(os.Stderr)
		err := demo.Seed(ctx, a, demo.Options{Days: *days, Progress: func(done, total int, what string) {
			bar(done, total, what)
			a.SetReady(false, what)
		}})
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "\n演示数据准备失败："+err.Error())
			a.SetReady(false, "演示数据准备失败，请查看终端输出")
		} else if err == nil {
			a.SetReady(true, "")
			fmt.Printf("演示平台已就绪：http://%s （账号见 %s/accounts.json，或在登录页一键进入）\n", shown(ln), *data)
			calls := face.Calls
			if *quiet {
				calls = face.Telephone
			}
			wg.Go(func() {
				if err := calls(ctx); err != nil && ctx.Err() == nil {
					slog.Warn("demo: the telephone network is not there", "err", err)
				}
			})
			if !*quiet {
				wg.Add(1)
				go func() { defer wg.Done(); face.Run(ctx) }()
			}
		}
		wg.Wait()
	})
}
