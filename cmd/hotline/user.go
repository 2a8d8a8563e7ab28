package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"hotline/internal/access"
	"hotline/internal/app"
)

// runUser makes the first accounts of an installation, which has none of its
// own. While a server holds the data directory, it goes through that server.
func runUser(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "create" {
		return exitCode{2, "用法：hotline user create --data 目录 --username 用户名 --name 姓名 --role 角色 --unit 单位编码"}
	}
	f := newFlags("user create")
	data := f.String("data", "data", "数据目录")
	dsn := f.String("db", "", "PostgreSQL 地址；不填用数据目录中的 SQLite。平台运行时不用填")
	username := f.String("username", "", "用户名")
	name := f.String("name", "", "姓名")
	role := f.String("role", "sysadmin", "角色代码")
	unit := f.String("unit", "P420000", "单位编码")
	if err := parse(f, args[1:]); err != nil {
		return err
	}
	var password string
	a, err := app.Open(ctx, app.Config{Data: *data, DB: *dsn})
	switch {
	case errors.Is(err, app.ErrLocked):
		err = throughServer(ctx, *data, "/user", url.Values{"username": {*username}, "name": {*name}, "role": {*role}, "unit": {*unit}}, &password)
	case err == nil:
		defer a.Close()
		if _, err = a.FirstRun(ctx); err == nil {
			password, err = a.CreateAccount(ctx, *username, *name, access.Role(*role), *unit)
		}
	}
	if err != nil {
		return err
	}
	fmt.Printf("账号 %s 已建立，初始密码 %s（首次登录须修改）。\n", *username, password)
	return nil
}
