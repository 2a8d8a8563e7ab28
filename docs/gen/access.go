package main

import (
	"slices"
	"strings"

	"hotline/internal/access"
	"hotline/internal/api"
)

// accessPage is the access matrix with what each role finds in the console.
func accessPage(_ *facts) string {
	d := page("岗位与权限", "内容取自 `internal/access` 的权限表和菜单表；每条接口按同一张表放行，`internal/api` 的矩阵测试逐条核对。")
	var b strings.Builder
	_ = access.WriteMatrix(&b)
	d.WriteString(strings.Replace(b.String(), "本节由权限表生成，请勿手工修改。", "", 1))
	d.line("\n## 各岗位的页面\n")
	d.head("角色", "菜单")
	for _, r := range access.Roles() {
		var menus []string
		for _, m := range access.Menus(r) {
			menus = append(menus, m.Label)
		}
		d.row(r.Label(), strings.Join(menus, "、"))
	}
	return d.String()
}

// routesPage lists every route with who may call it and what the audit keeps.
func routesPage(f *facts) string {
	d := page("接口", "机器可读的说明见平台上的 `/openapi.json`（OpenAPI 3.1）。")
	d.line("错误一律为 RFC 9457 `application/problem+json`，带稳定代码（见 [errors.md](errors.md)）和中文说明。登录后用 Cookie 或 `Authorization: Bearer` 调用；改工单的请求带 `If-Match: \"版本号\"`，可重复的写请求带 `Idempotency-Key`。时刻写作 `2006-01-02T15:04:05+08:00`，编号为十进制字符串。\n")
	words := map[string]string{}
	for _, t := range f.source.words("api", "opWord") {
		words[t.Code()] = t.Word()
	}
	d.head("方法", "地址", "用途", "谁可以调用", "审计")
	for _, r := range sorted(f.app.API.Routes) {
		d.row(r.Method, code(r.Path), r.Summary, whoCalls(r.Rule), audited(f, words, r.Rule))
	}
	return d.String()
}

// sorted orders routes by path, then method.
func sorted(list []api.Route) []api.Route {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b api.Route) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Method, b.Method)
	})
	return out
}

func whoCalls(r api.Rule) string {
	var who []string
	switch {
	case r.Public:
		return "公开"
	case r.Self:
		return "本人（须先改密码者也可）"
	case len(r.Verbs)+len(r.Roles) == 0:
		return "全体工作人员"
	}
	for _, role := range access.Roles() {
		if slices.Contains(r.Roles, role) || slices.ContainsFunc(r.Verbs, access.GrantOf(role).May) {
			who = append(who, role.Label())
		}
	}
	var verbs []string
	for _, v := range r.Verbs {
		verbs = append(verbs, v.Word())
	}
	if verbs == nil {
		return strings.Join(who, "、")
	}
	return "权限：" + strings.Join(verbs, "、") + "（" + strings.Join(who, "、") + "）"
}

func audited(f *facts, words map[string]string, r api.Rule) string {
	switch {
	case r.Audit == "event":
		return "操作本身记入事件"
	case r.Audit == "":
		return "不记（" + r.Free + "）"
	case words[r.Audit] == "":
		f.source.wanted("审计操作 %s 的中文名（api.opWord）", r.Audit)
	}
	return words[r.Audit] + " " + code(r.Audit)
}
