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
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/voice/speech"
)

func runServe(ctx context.Context, args []string) error {
	f := newFlags("serve")
	addr := f.String("addr", ":12345", "监听地址")
	data := f.String("data", "data", "数据目录（密钥、附件、默认数据库）")
	dsn := f.String("db", "", "PostgreSQL 地址；不填用数据目录中的 SQLite")
	proxy := f.String("proxy", "", "反向代理的地址或网段，逗号隔开；只信它们的 X-Forwarded-For")
	https := f.Bool("https", false, "对外经 HTTPS（由反向代理提供）：Cookie 只经 HTTPS 传送")
	phone, ears, suite := phoneFlags(f), speechFlags(f), suiteFlag(f)
	if err := parse(f, args); err != nil {
		return err
	}
	proxies, err := app.ParseProxies(*proxy)
	if err != nil {
		return exitCode{2, fault.As(err).Detail}
	}
	ln, err := listen(*addr)
	if err != nil {
		return err
	}
	if err := telephone(ctx, phone, *data); err != nil {
		ln.Close()
		return err
	}
	a, err := app.Open(ctx, app.Config{Data: *data, DB: *dsn, Phone: *phone, Speech: *ears, Proxies: proxies, HTTPS: *https, Suite: *suite})
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
	fmt.Printf("HTTP http://%s\n数据库 %s，数据目录 %s\n语音识别 %s\n", shown(ln), a.Engine(), *data, heard(ears))
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

// telephone refuses a SIP address that another program holds. The exchange of a
// platform that just ended may still be going: it gets three seconds.
func telephone(ctx context.Context, p *app.Phone, data string) error {
	for range 15 {
		if !p.Taken(data) {
			return nil
		}
		if err := clock.System().Sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return exitCode{1, fmt.Sprintf("SIP 地址 %s 已被占用或不可用，请先停止占用它的程序，或用 --sip 换一个端口。", p.SIP)}
}

// speechFlags are the settings of the recognizer of speech.
func speechFlags(f *flag.FlagSet) *speech.Config {
	c := &speech.Config{}
	f.StringVar(&c.ASR, "asr", "", "语音识别服务：ws://主机:端口 为 FunASR，http://主机:端口/v1 为 OpenAI 兼容接口；不填不转写")
	f.StringVar(&c.ASRModel, "asr-model", "", "OpenAI 兼容接口的识别模型，不填为 whisper-1")
	f.StringVar(&c.KeyFile, "speech-key", "", "存放语音服务密钥的文件，不填不带密钥")
	return c
}

// heard says in a word what transcribes calls.
func heard(c *speech.Config) string {
	if c.ASR == "" {
		return "未启用（通话不转写；用 --asr 指定识别服务）"
	}
	return c.ASR
}

// suiteFlag is the suite of new keys, of fields, files and recordings.
func suiteFlag(f *flag.FlagSet) *string {
	return f.String("suite", "", "新密钥的加密套件：sm 为国密（SM4、SM3），intl 为国际算法（AES-256、SHA-256）；不填为 sm，原有密文照常可读")
}

// phoneFlags are the settings of the exchange.
func phoneFlags(f *flag.FlagSet) *app.Phone {
	p := &app.Phone{}
	f.StringVar(&p.SIP, "sip", "", "SIP 监听地址（UDP 和 TCP），如 0.0.0.0:5060；不填：serve 不启用语音平台，demo 自选5060至5099中空闲的一个（off 为不启用）")
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
