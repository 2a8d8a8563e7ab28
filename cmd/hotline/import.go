package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"hotline/internal/access"
	"hotline/internal/app"
	"hotline/internal/intake"
)

// runImport takes requests from a JSONL file through the same door as a web
// request. While a server holds the data directory, it goes through that server.
func runImport(ctx context.Context, args []string) error {
	f := newFlags("import")
	kind := f.String("kind", "requests", "导入什么：requests")
	in := f.String("in", "", "JSONL 文件，每行 {\"no\",\"user\",\"title\",\"time\",\"body\"}")
	data := f.String("data", "data", "数据目录")
	dsn := f.String("db", "", "PostgreSQL 地址；不填用数据目录中的 SQLite。平台运行时不用填")
	source := f.String("source", "", "来源名，默认取文件名；与 no 一起保证重复导入不重复建单")
	platform := f.String("platform", "P420000", "地址不明的诉求由哪个平台受理（单位编码）")
	if err := parse(f, args); err != nil {
		return err
	}
	if *kind != "requests" || *in == "" {
		return exitCode{2, "用法：hotline import --kind requests --in 文件.jsonl --data 目录"}
	}
	raw, err := os.ReadFile(*in)
	if err != nil {
		return exitCode{2, "打不开文件 " + *in + "。"}
	}
	if *source == "" {
		*source = filepath.Base(*in)
	}
	total := bytes.Count(raw, []byte("\n"))
	bar := progress(os.Stderr)
	a, err := app.Open(ctx, app.Config{Data: *data, DB: *dsn})
	var rep intake.Report
	switch {
	case errors.Is(err, app.ErrLocked):
		rep, err = importThrough(ctx, *data, *source, *platform, raw, func(done int) { bar(done, total, "导入诉求") })
	case err == nil:
		defer a.Close()
		rep, err = a.Import(ctx, access.System("导入"), bytes.NewReader(raw), *source, *platform, func(done int) { bar(done, total, "导入诉求") })
	}
	if err != nil {
		return err
	}
	bar(total, total, "导入诉求") // empty lines count for nothing on the way
	book := filepath.Join(*data, "import-errors.xlsx")
	if rep.Rejected > 0 {
		if err := intake.WriteWorkbook(book, rep); err != nil {
			return err
		}
	} else {
		book = "-"
	}
	fmt.Printf("imported=%d rejected=%d workbook=%s\n", rep.Imported, rep.Rejected, book)
	if rep.Rejected > 0 {
		return exitCode{3, ""}
	}
	return nil
}

// importThrough hands the file to the server that holds the data directory,
// which tells on the way how far it is.
func importThrough(ctx context.Context, data, source, platform string, raw []byte, progress func(done int)) (rep intake.Report, err error) {
	body, err := callServer(ctx, data, "/import", url.Values{"source": {source}, "platform": {platform}}, bytes.NewReader(raw))
	if err != nil {
		return rep, err
	}
	defer body.Close()
	for in := json.NewDecoder(bufio.NewReader(body)); ; {
		var t app.Told
		switch err := in.Decode(&t); {
		case err != nil:
			return rep, fmt.Errorf("导入中断，平台没有答复结果，可以再次运行：%w", err)
		case t.Failed != "":
			return rep, errors.New(t.Failed)
		case t.Report != nil:
			return *t.Report, nil
		}
		progress(t.Done)
	}
}
