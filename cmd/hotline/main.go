// Command hotline is the whole platform of a province, a city or a county in
// one binary. Each subcommand has a file of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sort"
	"syscall"

	"hotline/internal/app"
	"hotline/internal/fault"
)

// command is one subcommand: what it is for and what it does.
type command struct {
	what string
	run  func(ctx context.Context, args []string) error
}

var commands = map[string]command{
	"serve":    {"启动平台", runServe},
	"demo":     {"启动带演示数据的平台", runDemo},
	"media":    {"启动话务交换（平台自动启动，也可单独运行）", runMedia},
	"prompt":   {"用语音合成生成一条提示语", runPrompt},
	"import":   {"导入诉求", runImport},
	"classify": {"按规则给文本分类（标准输入输出，每行一个 JSON）", runClassify},
	"similar":  {"在语料中找相似工单", runSimilar},
	"search":   {"在知识语料中检索", runSearch},
	"redact":   {"遮蔽文本中的个人信息", runRedact},
	"audit":    {"核验事件与审计链", runAudit},
	"user":     {"建立账号", runUser},
}

// exitCode ends the process with a code of its own.
type exitCode struct {
	code int
	msg  string
}

func (e exitCode) Error() string { return e.msg }

func main() {
	app.TuneMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 || os.Args[1] == "help" || os.Args[1] == "-h" || os.Args[1] == "--help" {
		usage()
		return
	}
	c, ok := commands[os.Args[1]]
	if !ok {
		fmt.Fprintf(os.Stderr, "没有“%s”这个子命令。\n", os.Args[1])
		usage()
		os.Exit(2)
	}
	if err := c.run(ctx, os.Args[2:]); err != nil {
		var e exitCode
		if errors.As(err, &e) {
			if e.msg != "" {
				fmt.Fprintln(os.Stderr, e.msg)
			}
			os.Exit(e.code)
		}
		fmt.Fprintln(os.Stderr, complaint(err))
		os.Exit(1)
	}
}

// complaint tells what failed and, where that is not the person's own doing, its cause.
func complaint(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return "错误：" + err.Error()
	}
	if cause := f.Unwrap(); cause != nil && f.Kind.Status() >= http.StatusInternalServerError {
		return "错误：" + f.Detail + "\n原因：" + cause.Error()
	}
	return "错误：" + f.Detail
}

func usage() {
	fmt.Fprintln(os.Stderr, "用法：hotline <子命令> [参数]\n\n子命令：")
	names := make([]string, 0, len(commands))
	for n := range commands {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(os.Stderr, "  %-10s %s\n", n, commands[n].what)
	}
	fmt.Fprintln(os.Stderr, "\n每个子命令加 -h 查看参数。")
}
