package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/seal"
	"hotline/internal/voice/media"
	"hotline/internal/voice/media/engine"
	"hotline/internal/voice/media/sip"
)

// runMedia is the exchange as its own process: serve starts it and drives it
// over DIR/voice/media.sock, and it outlives a restart of serve.
func runMedia(ctx context.Context, args []string) error {
	f := newFlags("media")
	data := f.String("data", "data", "数据目录（密钥、录音、语音、通话日志）")
	addr := f.String("sip", "127.0.0.1:5060", "SIP 监听地址，UDP 和 TCP")
	advertise := f.String("advertise", "", "对外公布的地址（主机或主机:端口），不填用监听地址")
	ports := f.String("rtp", "20000-29999", "RTP 端口范围")
	web := f.String("web", "127.0.0.1:5062", "浏览器座席的媒体端口，UDP 和 TCP；填 off 不开放")
	hosts := f.String("web-host", "", "浏览器访问本机所用的其他 IP，逗号分隔（容器或地址转换之后）")
	tlsAddr := f.String("tls", "", "SIP over TLS 监听地址，需同时给出证书和私钥")
	cert := f.String("tls-cert", "", "TLS 证书文件")
	key := f.String("tls-key", "", "TLS 私钥文件")
	suite := suiteFlag(f)
	socket := f.String("socket", "", "命令套接字，不填为数据目录下 voice/media.sock")
	orphan := f.Duration("orphan", time.Minute, "没有通话且平台不在时多久后退出，0 为一直运行")
	shards := f.Int("shards", max(1, runtime.NumCPU()/2), "媒体占用的处理器核数")
	if err := parse(f, args); err != nil {
		return err
	}
	// First, since a restarted exchange has calls waiting.
	priority := realtime()
	// A core carries 1,000 calls. Each shard keeps one processor of the runtime, and
	// one does the rest; threads that wake each other for less only cost.
	runtime.GOMAXPROCS(max(1, *shards) + 1)
	debug.SetGCPercent(50) // little is live and less is thrown away: collecting sooner costs nothing that shows
	low, high, err := portRange(*ports)
	if err != nil {
		return err
	}
	if *socket == "" {
		*socket = filepath.Join(*data, "voice", "media.sock")
	}
	if *web == "off" {
		*web = ""
	}
	provider, err := seal.OpenFileProvider(*data, *suite)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(*socket), 0o700); err != nil {
		return err
	}
	ln, err := media.Listen(*socket) // first: it also keeps a second exchange off this directory
	if err != nil {
		return exitCode{1, "数据目录已有交换机在运行：" + err.Error()}
	}
	defer ln.Close()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	e, err := engine.Open(engine.Config{Data: *data, SIP: *addr, Advertise: *advertise, TLS: sip.TLS{Listen: *tlsAddr, Cert: *cert, Key: *key},
		Low: low, High: high, Web: *web, WebHosts: fields(*hosts), Shards: *shards, Keep: true, Priority: priority, Ring: seal.NewRing(provider)})
	if err != nil {
		return exitCode{1, "交换机不能启动：" + err.Error()}
	}
	defer e.Close()
	fmt.Printf("SIP %s\nRTP %s，浏览器媒体端口 %d，调度优先级：%s\n", e.Addr(), *ports, e.WebPort(), priority)
	failed := make(chan error, 1)
	go func() { failed <- media.Serve(ln, e) }()
	clk := clock.System()
	for {
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil
		case <-clk.After(5 * time.Second):
			if idle := e.Idle(); *orphan > 0 && idle != 0 && clock.Since(clk, clock.FromMillis(idle)) > *orphan {
				return nil
			}
		}
	}
}

func portRange(s string) (low, high int, err error) {
	a, b, _ := strings.Cut(s, "-")
	low, err = strconv.Atoi(a)
	if err == nil {
		high, err = strconv.Atoi(b)
	}
	if err != nil || low < 1024 || high > 65535 || high-low < 3 {
		return 0, 0, exitCode{2, "RTP 端口范围应写作 20000-29999，在 1024 与 65535 之间，至少 4 个。"}
	}
	return low, high, nil
}

func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
