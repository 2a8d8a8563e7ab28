package main

import (
	"bufio"
	"context"
	"io"
	"os"

	"hotline/internal/category"
	"hotline/internal/insight"
	"hotline/internal/knowledge"
	"hotline/internal/zh"
)

func runClassify(_ context.Context, args []string) error {
	f := newFlags("classify")
	f.String("model", "", "模型文件；目前只有规则分类，忽略")
	if err := parse(f, args); err != nil {
		return err
	}
	return insight.ClassifyFile(category.Default(), os.Stdin, os.Stdout)
}

func corpus(name string, args []string) (file io.ReadCloser, k int, err error) {
	f := newFlags(name)
	in := f.String("in", "", "语料 JSONL 文件")
	n := f.Int("k", 10, "返回条数")
	if err := parse(f, args); err != nil {
		return nil, 0, err
	}
	file, err = os.Open(*in)
	if err != nil {
		return nil, 0, exitCode{2, "打不开语料文件 " + *in + "。"}
	}
	return file, *n, nil
}

func runSimilar(_ context.Context, args []string) error {
	file, k, err := corpus("similar", args)
	if err != nil {
		return err
	}
	defer file.Close()
	return insight.SimilarFile(file, os.Stdin, os.Stdout, k)
}

func runSearch(_ context.Context, args []string) error {
	file, k, err := corpus("search", args)
	if err != nil {
		return err
	}
	defer file.Close()
	return knowledge.SearchFile(file, os.Stdin, os.Stdout, k)
}

func runRedact(_ context.Context, args []string) error {
	if err := parse(newFlags("redact"), args); err != nil {
		return err
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			end := ""
			if line[len(line)-1] == '\n' {
				line, end = line[:len(line)-1], "\n"
			}
			if _, err := out.WriteString(zh.Redact(line) + end); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
