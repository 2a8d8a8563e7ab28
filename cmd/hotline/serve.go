package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"hotline/internal/app"
)

func runServe(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	addr := f.String("addr", ":12345", "监听地址")
	data := f.String("data", "data", "数据目录（密钥、附件、默认数据库）")
	dsn := f.String("db", "", "PostgreSQL 地址；不填用数据目录中的 SQLite")
	phone := phoneFlags(f)
	if err := f.Parse(args); err != nil {
		return exitCode{2, ""}
	}
	ln, err := listen(*addr)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Config{Data: *data, DB: *dsn, Phone: *phone})
	if err != nil {
		ln.Close()
		return err
	}
	defer a.Close()
	h := a.Serve(nil)
	a.SetReady(true, "")
	if n, err := a.FirstRun(ctx); err != nil {
		return err
	} else if n != "" {
		fmt.Println(n)
	}
	fmt.Printf("HTTP http://%s\n数据库 %s，数据目录 %s\n", shown(ln), a.Engine(), *data)
	return serve(ctx, ln, h, a.Run)
}

// listen opens the port, or says in one line what to do when it is taken.
func listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, exitCode{1, fmt.Sprintf("端口 %s 已被占用或不可用，请先停止占用它的程序，或用 --addr 换一个端口（如 --addr 127.0.0.1:12346）。", addr)}
	}
	return ln, nil
}

// shown is the address as a browser on this machine opens it.
func shown(ln net.Listener) string {
	a := ln.Addr().(*net.TCPAddr)
	if a.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", a.Port)
	}
	return a.String()
}

// serve answers until ctx ends, then lets open requests finish.
func serve(ctx context.Context, ln net.Listener, h http.Handler, background func(context.Context)) error {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}
	back, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { background(back); close(done) }()
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(ln) }()
	var err error
	select {
	case <-ctx.Done():
		shut, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_ = s.Shutdown(shut)
		cancel()
	case err = <-failed:
	}
	stop()
	<-done
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// phoneFlags are the settings of the exchange.
func phoneFlags(f *flag.FlagSet) *app.Phone {
	p := &app.Phone{}
	f.StringVar(&p.SIP, "sip", "", "SIP 监听地址（UDP 和 TCP），如 0.0.0.0:5060；不填不启用语音平台")
	f.StringVar(&p.RTP, "rtp", "", "RTP 端口范围，不填为 20000-29999")
	f.StringVar(&p.Web, "web-media", "", "浏览器座席的媒体端口，不填为 127.0.0.1:5062")
	for _, o := range []struct{ name, media, usage string }{
		{"sip-advertise", "--advertise", "对外公布的 SIP 和媒体地址（主机或主机:端口），不填用监听地址"},
		{"web-host", "--web-host", "浏览器访问本机所用的其他 IP，逗号分隔（容器或地址转换之后）"},
		{"sip-tls", "--tls", "SIP over TLS 监听地址，需同时给出证书和私钥"},
		{"sip-tls-cert", "--tls-cert", "TLS 证书文件"},
		{"sip-tls-key", "--tls-key", "TLS 私钥文件"},
	} {
		f.Func(o.name, o.usage, func(v string) error { p.Args = append(p.Args, o.media, v); return nil })
	}
	return p
}
