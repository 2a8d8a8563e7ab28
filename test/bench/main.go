// Command bench prints the platform's figures beside the raw engine's, in one
// run on one machine. Each line says the figure, what was measured, the bar,
// the raw engine doing the same work, and their ratio; rates come with the
// processor time of one operation (client, server and background together),
// which tells what the machine would do if nobody else used it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"hotline/internal/app"
)

func main() {
	testing.Init() // the private PostgreSQL server of dbtest hangs on a test
	data := flag.String("data", filepath.Join("data", "bench"), "百万工单库的目录，首次生成后反复使用")
	tickets := flag.Int("tickets", 1_000_000, "大库的工单数")
	only := flag.String("only", "engine,http,mixed,search,million", "要测的部分，以逗号分隔；另有 pages、boards 只测大库的列表页或其余，seed 只生成大库")
	flag.DurationVar(&span, "span", span, "每项测量的时长")
	flag.StringVar(&profiles, "profiles", "", "把每项测量的处理器剖面写入此目录")
	flag.Parse()
	app.TuneMemory()
	ctx := context.Background()
	if *only == "seed" {
		if err := seedMillion(ctx, *data, *tickets); err != nil {
			fmt.Fprintln(os.Stderr, "生成没有成功："+err.Error())
			os.Exit(1)
		}
		return
	}
	fmt.Printf("%s，%d 核，负载发生器在同一台机器上；处理器用时含客户端、服务端和后台\n\n", runtime.Version(), runtime.NumCPU())
	table([]string{"指标", "实测", "门槛", "原始引擎", "比值"})
	parts := []struct {
		name string
		run  func(context.Context) error
	}{
		{"engine", benchEngines}, {"http", benchHTTP}, {"mixed", benchMixed}, {"search", benchSearch},
		{"million", func(ctx context.Context) error { return benchMillion(ctx, *data, *tickets, "") }},
		{"pages", func(ctx context.Context) error { return benchMillion(ctx, *data, *tickets, "pages") }},
		{"boards", func(ctx context.Context) error { return benchMillion(ctx, *data, *tickets, "boards") }},
	}
	for _, p := range parts {
		if !slices.Contains(strings.Split(*only, ","), p.name) {
			continue
		}
		if err := p.run(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "性能对比失败："+err.Error())
			os.Exit(1)
		}
	}
	if missed > 0 {
		fmt.Printf("\n%d 项未达门槛（机器忙时请看处理器用时，或待空闲时再测）。\n", missed)
	}
}

// missed counts the figures that did not reach their bar.
var missed int

// line prints one figure; ok tells whether it reached its bar.
func line(name, measured, bar string, ok bool, raw, ratio string) {
	if bar != "" && !ok {
		missed++
		bar += " ✗"
	} else if bar != "" {
		bar += " ✓"
	}
	table([]string{name, measured, bar, raw, ratio})
}

var widths = []int{38, 52, 20, 26, 8}

// table prints one row with columns of equal width on screen.
func table(cells []string) {
	var b strings.Builder
	for i, c := range cells {
		b.WriteString(c)
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", max(1, widths[i]-wide(c))))
		}
	}
	fmt.Println(strings.TrimRight(b.String(), " "))
}

// wide is the width on screen: Chinese characters take two columns.
func wide(s string) (n int) {
	for _, r := range s {
		if r > 0x2E80 {
			n++
		}
		n++
	}
	return n
}

// show writes a figure, or a dash where there is none.
func show(format string, v float64) string {
	if v == 0 {
		return "—"
	}
	return fmt.Sprintf(format, v)
}
