// Command bench measures the exchange: it starts `hotline media` as a process of
// its own, plays carrier, agents and browsers against it, and prints the CPU
// that each piece of work cost that process, since wall time depends on who
// else uses the machine. Every packet carries its number and the time it left.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() {
	var o options
	flag.StringVar(&o.binary, "exchange", "bin/hotline", "交换机程序")
	flag.StringVar(&o.suite, "suite", "sm", "录音的加密套件：sm（国密）或 intl（AES）")
	flag.StringVar(&o.scene, "scene", "all", "setup、bridge、record、browser、crash 或 all")
	flag.IntVar(&o.calls, "calls", 300, "同时通话数")
	flag.IntVar(&o.browsers, "browsers", 50, "浏览器座席数")
	flag.IntVar(&o.seconds, "seconds", 10, "每项测量的秒数")
	flag.IntVar(&o.port, "port", 15100, "测试用端口起点，占用其后一段")
	flag.Parse()
	fmt.Printf("%s，%d 核；呼叫与媒体由本程序在同一台机器上产生，下列 CPU 只计交换机进程\n\n", runtime.Version(), runtime.NumCPU())
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "话务测量失败："+err.Error())
		os.Exit(1)
	}
}

type options struct {
	binary, suite, scene     string
	calls, browsers, seconds int
	port                     int
}

// scenes in the order they run.
var scenes = []struct {
	name string
	run  func(context.Context, options) error
}{
	{"setup", setupScene}, {"bridge", bridgeScene}, {"record", recordScene}, {"browser", browserScene}, {"crash", crashScene},
}

func run(ctx context.Context, o options) error {
	for _, s := range scenes {
		if o.scene != "all" && o.scene != s.name {
			continue
		}
		if err := s.run(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
