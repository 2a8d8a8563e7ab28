package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// newFlags is the set of parameters of a subcommand; parse reads them.
func newFlags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // its own words are English
	return f
}

// parse reads the parameters. -h prints them and ends the command well; a
// parameter that is not there or makes no sense ends it with code 2.
func parse(f *flag.FlagSet, args []string) error {
	err := f.Parse(args)
	switch {
	case err == nil && f.NArg() > 0:
		return exitCode{2, "多余的参数“" + f.Arg(0) + "”。加 -h 查看参数。"}
	case err == nil:
		return nil
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(os.Stderr, "用法：hotline %s [参数]\n", f.Name())
		f.VisitAll(func(p *flag.Flag) {
			what, _, _ := strings.Cut(p.Usage, "\n")
			if p.DefValue != "" && p.DefValue != "false" && p.DefValue != "0" {
				what += "（默认 " + p.DefValue + "）"
			}
			fmt.Fprintf(os.Stderr, "  --%-16s %s\n", p.Name, what)
		})
		return exitCode{0, ""}
	}
	said := err.Error()
	if name, ok := strings.CutPrefix(said, "flag provided but not defined: "); ok {
		said = "没有" + name + "这个参数"
	} else if name, ok := strings.CutPrefix(said, "flag needs an argument: "); ok {
		said = "参数" + name + "后面要有值"
	} else if before, after, ok := strings.Cut(said, " for flag "); ok {
		name, _, _ := strings.Cut(after, ":")
		said = "参数" + name + "不能是" + strings.TrimPrefix(before, "invalid value ")
	}
	return exitCode{2, said + "。加 -h 查看参数。"}
}
