package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/category"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/dispatch"
	"hotline/internal/fault"
	"hotline/internal/job"
	"hotline/internal/line"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/ticket"
)

// PolicyKind is one sort of versioned data.
type PolicyKind struct {
	Kind          string `json:"kind"`
	Label         string `json:"label"`
	No            int    `json:"no" doc:"现行版本号，0 为内置默认"`
	EffectiveFrom string `json:"effective_from"`
	City          bool   `json:"city" doc:"市州可以在省定范围内另行规定"`
}

// PolicyVersion is one published state of a kind.
type PolicyVersion struct {
	ID            ID     `json:"id"`
	No            int    `json:"no"`
	Platform      ID     `json:"platform"`
	EffectiveFrom string `json:"effective_from"`
	PublishedAt   string `json:"published_at"`
	PublishedBy   ID     `json:"published_by"`
	By            string `json:"by"`
	Note          string `json:"note"`
	Digest        string `json:"digest"`
}

// PolicyDoc is a version with its document.
type PolicyDoc struct {
	PolicyVersion
	Doc json.RawMessage `json:"doc"`
}

// PolicyPast is one version, of any time, beside the one that it took the place of.
type PolicyPast struct {
	Version PolicyDoc `json:"version"`
	Before  PolicyDoc `json:"before" doc:"它接替的那一版；本平台最早的一版接替省定的，全省最早的一版接替内置的"`
}

// PolicyOut is everything about one kind on one platform.
type PolicyOut struct {
	Kind         string          `json:"kind"`
	Label        string          `json:"label"`
	Platform     ID              `json:"platform"`
	PlatformName string          `json:"platform_name"`
	City         bool            `json:"city"`
	MayPublish   bool            `json:"may_publish"`
	Versions     []PolicyVersion `json:"versions"`
	Current      PolicyDoc       `json:"current"`
	Parent       *PolicyDoc      `json:"parent"`
	Diff         []string        `json:"diff"`
	Loosened     []string        `json:"loosened" doc:"比现行省定规则宽、须重新发布的市州；看全省的列出各市州，看一个市州的只列本市"`
}

// PolicyIn is a publication.
type PolicyIn struct {
	Platform      ID              `json:"platform,omitempty" doc:"不填为全省"`
	Doc           json.RawMessage `json:"doc"`
	EffectiveFrom string          `json:"effective_from,omitempty" maxLength:"40"`
	Note          string          `json:"note,omitempty" maxLength:"500"`
}

// PolicyDone tells what was published.
type PolicyDone struct {
	PolicyVersion
	Kind     string   `json:"kind"`
	Job      ID       `json:"job,omitempty" doc:"重排在办时限的后台任务"`
	Loosened []string `json:"loosened" doc:"比新的省定规则宽、须重新发布的市州"`
	Message  string   `json:"message"`
}

// cityKinds are what a city may rule for itself, within the province's bounds;
// every other kind is one for the whole province.
var cityKinds = []string{ticket.PolicyLimits, dispatch.PolicyCatalogue, access.PolicyKind}

func (a *API) policyRoutes() {
	see := configRule("", "规则对全体工作人员公开")
	type kindsOut struct {
		Items []PolicyKind `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/admin/policies", "admin-policies", "规则类别", see, func(ctx context.Context, _ *struct{}) (*struct{ Body kindsOut }, error) {
		out := kindsOut{Items: []PolicyKind{}}
		for _, k := range a.Policy.Kinds() {
			v, _ := a.Policy.At(k.Kind, a.platformKey(actorOf(ctx)), a.now())
			out.Items = append(out.Items, PolicyKind{k.Kind, k.Label, v.No, stampTime(v.EffectiveFrom), slices.Contains(cityKinds, k.Kind)})
		}
		return &struct{ Body kindsOut }{out}, nil
	})
	route(a, http.MethodGet, "/api/v1/admin/policies/{kind}", "admin-policies-get", "一类规则的版本与现行内容", see, func(ctx context.Context, in *struct {
		Kind     string `path:"kind" maxLength:"40"`
		Platform string `query:"platform" maxLength:"20"`
	}) (*struct{ Body PolicyOut }, error) {
		out, err := a.policyOut(ctx, actorOf(ctx), in.Kind, in.Platform)
		return &struct{ Body PolicyOut }{out}, err
	})
	route(a, http.MethodGet, "/api/v1/admin/policies/{kind}/versions/{version}", "admin-policies-version", "一个版本的内容和它接替的那一版", see, func(ctx context.Context, in *struct {
		Kind    string `path:"kind" maxLength:"40"`
		Version string `path:"version" maxLength:"20"`
	}) (*struct{ Body PolicyPast }, error) {
		out, err := a.policyPast(actorOf(ctx), in.Kind, in.Version)
		return &struct{ Body PolicyPast }{out}, err
	})
	route(a, http.MethodPost, "/api/v1/admin/policies/{kind}", "admin-policies-publish", "发布新版本", configRule("config", ""), func(ctx context.Context, in *struct {
		Kind string `path:"kind" maxLength:"40"`
		Body PolicyIn
	}) (*struct{ Body PolicyDone }, error) {
		out, err := a.publish(ctx, actorOf(ctx), in.Kind, &in.Body)
		return &struct{ Body PolicyDone }{out}, err
	})
}

// policyLabel finds a kind's name; not_found when there is no such kind.
func (a *API) policyLabel(kind string) (string, error) {
	for _, k := range a.Policy.Kinds() {
		if k.Kind == kind {
			return k.Label, nil
		}
	}
	return "", fault.NotFound("policy_kind_unknown", "没有名为“%s”的规则类别。", kind)
}

// policyPlatform reads for whom a version is: "" and the province platform are
// the whole province. A city looks at its own and at the province's.
func (a *API) policyPlatform(actor access.Actor, id int64) (int64, string, error) {
	if id == 0 {
		return policy.Province, "全省", nil
	}
	u, ok := a.Org.Tree().Get(id)
	if !ok || !u.Kind.Platform() {
		return 0, "", fault.Invalid("platform_unknown", "没有这个平台。").At(fault.Field{Name: "platform", Detail: "请选择平台。"})
	}
	if u.Kind == org.KindProvince {
		return policy.Province, "全省", nil
	}
	if !a.within(actor, id) {
		return 0, "", errOutside()
	}
	return id, u.Name, nil
}

// mayPublish: province-wide by the province and its system administrators, a
// city's own by the system administrators of that city.
func (a *API) mayPublish(actor access.Actor, kind, label string, platform int64) error {
	own := a.Org.Tree().Platform(actor.Unit)
	admin := actor.May(access.Config)
	switch {
	case platform != policy.Province && !slices.Contains(cityKinds, kind):
		return fault.Forbidden("policy_province_only", "“%s”由省级统一发布，市州不能另行规定。", label)
	case platform != policy.Province && (!admin || own.ID != platform):
		return fault.Forbidden("policy_other_platform", "“%s”的市州规定由该市州的系统管理员发布。", label)
	case platform == policy.Province && (own.Kind != org.KindProvince || !admin && (actor.Role != access.Province || actor.Restricted != "")):
		return fault.Forbidden("policy_province_only", "全省的“%s”由省级管理或省级平台的系统管理员发布。", label)
	}
	return nil
}

func (a *API) policyOut(ctx context.Context, actor access.Actor, kind, rawPlatform string) (PolicyOut, error) {
	label, err := a.policyLabel(kind)
	if err != nil {
		return PolicyOut{}, err
	}
	var id int64
	if rawPlatform != "" {
		if id, err = parseID(rawPlatform); err != nil {
			return PolicyOut{}, err
		}
	}
	platform, name, err := a.policyPlatform(actor, id)
	if err != nil {
		return PolicyOut{}, err
	}
	out := PolicyOut{Kind: kind, Label: label, Platform: ID(platform), PlatformName: name, City: slices.Contains(cityKinds, kind), Versions: []PolicyVersion{}, Diff: []string{}, Loosened: []string{}}
	out.MayPublish = a.mayPublish(actor, kind, label, platform) == nil
	history, err := a.Policy.History(ctx, kind, platform)
	if err != nil {
		return PolicyOut{}, err
	}
	for _, v := range history {
		out.Versions = append(out.Versions, a.policyVersion(v))
	}
	v, doc := a.Policy.At(kind, platform, a.now())
	out.Current = PolicyDoc{a.policyVersion(v), a.named(kind, doc)}
	if platform != policy.Province {
		pv, pdoc := a.Policy.At(kind, policy.Province, a.now())
		out.Parent = &PolicyDoc{a.policyVersion(pv), a.named(kind, pdoc)}
		out.Diff = append(out.Diff, a.Policy.Differences(kind, platform, a.now())...)
	}
	for _, l := range a.Policy.Loosened(kind, a.now()) {
		if l.Platform == platform || platform == policy.Province && a.within(actor, l.Platform) {
			out.Loosened = append(out.Loosened, a.Org.Tree().Name(l.Platform))
		}
	}
	return out, nil
}

func (a *API) policyPast(actor access.Actor, kind, raw string) (PolicyPast, error) {
	id, err := parseID(raw)
	if err != nil {
		return PolicyPast{}, err
	}
	v, doc, err := a.Policy.ByID(kind, id)
	if err != nil {
		return PolicyPast{}, err
	}
	if _, _, err := a.policyPlatform(actor, v.Platform); err != nil {
		return PolicyPast{}, err
	}
	before, was := a.Policy.Before(v)
	return PolicyPast{PolicyDoc{a.policyVersion(v), a.named(kind, doc)}, PolicyDoc{a.policyVersion(before), a.named(kind, was)}}, nil
}

func (a *API) policyVersion(v policy.Version) PolicyVersion {
	return PolicyVersion{ID: ID(v.ID), No: v.No, Platform: ID(v.Platform), EffectiveFrom: stampTime(v.EffectiveFrom), PublishedAt: stampTime(v.PublishedAt), PublishedBy: ID(v.PublishedBy),
		By: a.accountName(v.PublishedBy), Note: v.Note, Digest: v.Digest}
}

// named adds to a document the words that its screen shows beside the codes:
// the names of duties, units and regions. They are not part of the document;
// a publication comes without them.
func (a *API) named(kind string, doc []byte) json.RawMessage {
	if kind != dispatch.PolicyCatalogue && kind != ticket.PolicyCategories {
		return doc
	}
	m, ok := object(doc)
	if !ok {
		return doc
	}
	var duties []map[string]string
	for _, d := range category.Duties() {
		duties = append(duties, map[string]string{"code": d.Code, "name": dutyName(d.Code)})
	}
	m["duties"] = duties
	tree := a.Org.Tree()
	rules, _ := m["rules"].([]any)
	for _, r := range rules {
		row, ok := r.(map[string]any)
		if !ok {
			continue
		}
		if u, ok := tree.ByCode(str(row["unit"])); ok {
			row["unit_name"] = u.Name
		}
		if n := regionName(str(row["region"])); n != "" {
			row["region_name"] = n
		}
	}
	out, err := json.Marshal(m)
	if err != nil {
		return doc
	}
	return out
}

// publish puts a document in force in one transaction with its audit entry,
// and, for a calendar, with the job that re-dates what is open.
func (a *API) publish(ctx context.Context, actor access.Actor, kind string, in *PolicyIn) (PolicyDone, error) {
	label, err := a.policyLabel(kind)
	if err != nil {
		return PolicyDone{}, err
	}
	platform, name, err := a.policyPlatform(actor, int64(in.Platform))
	if err != nil {
		return PolicyDone{}, err
	}
	if err := a.mayPublish(actor, kind, label, platform); err != nil {
		return PolicyDone{}, err
	}
	from, err := a.formTime("effective_from", in.EffectiveFrom)
	if err != nil {
		return PolicyDone{}, err
	}
	doc, err := a.publishable(ctx, kind, platform, in.Doc)
	if err != nil {
		return PolicyDone{}, err
	}
	out := PolicyDone{Kind: kind, Loosened: []string{}}
	var v policy.Version
	err = a.DB.Update(ctx, func(tx *db.Tx) (err error) {
		if v, err = a.Policy.Publish(tx, policy.Publication{Kind: kind, Platform: platform, Doc: doc, EffectiveFrom: from, By: actor.Account, Note: strings.TrimSpace(in.Note)}); err != nil {
			return err
		}
		if kind == ticket.PolicyCalendar {
			id, err := a.Jobs.Enqueue(tx, job.Spec{Kind: ticket.JobRedate, Key: fmt.Sprint(v.ID), Payload: ticket.Redating{Platform: platform, Version: v.ID}, RunAt: v.EffectiveFrom, CreatedBy: actor.Account})
			if err != nil {
				return err
			}
			out.Job = ID(id)
		}
		return a.recordIn(tx, actor, audit.Entry{Op: "config", SubjectKind: "policy", Subject: v.ID, Reason: strings.TrimSpace(in.Note), Count: 1, Query: kind})
	})
	if err != nil {
		return PolicyDone{}, err
	}
	out.PolicyVersion = a.policyVersion(v)
	out.Message = fmt.Sprintf("%s“%s”第%d版已发布，%s起施行。", name, label, v.No, v.EffectiveFrom.In(clock.Shanghai).Format("2006年1月2日15:04"))
	if platform == policy.Province {
		for _, l := range a.Policy.Loosened(kind, v.EffectiveFrom) {
			out.Loosened = append(out.Loosened, a.Org.Tree().Name(l.Platform))
		}
	}
	if len(out.Loosened) > 0 {
		out.Message += "以下市州的规定比新规定宽，须重新发布：" + strings.Join(out.Loosened, "、") + "。"
	}
	return out, nil
}

var edition = regexp.MustCompile(`（第\d+版）$`)

// publishable is the document in the form that is kept: without the words that
// named added, a calendar under a name of its own, since a running clock
// remembers by that name what it was counted with. Documents that their room
// would refuse without words for people are refused here.
func (a *API) publishable(ctx context.Context, kind string, platform int64, doc json.RawMessage) ([]byte, error) {
	if t := bytes.TrimSpace(doc); len(t) < 3 || t[0] != '{' && t[0] != '[' {
		return nil, fault.Invalid("policy_doc_invalid", "规则内容为空或格式不对，请检查后重新提交。").At(fault.Field{Name: "doc", Detail: "应为完整的规则内容。"})
	}
	switch kind {
	case ticket.PolicyRules:
		if _, err := ticket.ParseRules(doc); err != nil {
			return nil, fault.Invalid("rules_invalid", "流转规则不能采用：%s。", ruleFault(err)).Because(err)
		}
	case ticket.PolicyCalendar:
		cal, err := ticket.ParseCalendar(doc)
		if err != nil {
			var f *fault.Error
			if errors.As(err, &f) {
				return nil, f
			}
			return nil, fault.Invalid("calendar_invalid", "工作日历的格式不对，应为各年的放假安排。").Because(err)
		}
		for _, y := range a.Ticket.Calendar(platform).Years() {
			if !cal.HasYear(y) {
				return nil, fault.Invalid("calendar_year_missing", "缺少已录入的%d年，发布后该年只按周一至周五计算；请从现行日历修改，保留各年。", y)
			}
		}
		history, err := a.Policy.History(ctx, kind, platform)
		if err != nil {
			return nil, err
		}
		var m map[string]json.RawMessage
		var name string
		if json.Unmarshal(doc, &m) != nil || m["years"] == nil || m["version"] != nil && json.Unmarshal(m["version"], &name) != nil {
			return nil, fault.Invalid("calendar_invalid", "工作日历的格式不对，应为各年的放假安排。")
		}
		if name = edition.ReplaceAllString(name, ""); name == "" {
			name = "放假安排"
		}
		m["version"], _ = json.Marshal(fmt.Sprintf("%s（第%d版）", name, len(history)+1)) // a string always marshals
		return json.Marshal(m)
	case line.PolicyLines:
		if err := line.Validate(doc, nil); err != nil {
			return nil, err
		}
		return nil, fault.Forbidden("lines_by_change", "号码台账通过“号码变更申请”修改：新设号码须省级批准，恢复已取消的号码须两人审批。")
	case dispatch.PolicyCatalogue:
		if c, err := dispatch.Parse(doc); err == nil && len(c.Rules) == 0 {
			return nil, fault.Invalid("catalogue_invalid", "派单目录至少应有一行。")
		}
		return bare(doc), nil
	case ticket.PolicyCategories:
		return bare(doc), nil
	}
	return doc, nil
}

// ruleFaults are what can be wrong with a rule table, in words.
var ruleFaults = []struct {
	form *regexp.Regexp
	text string
}{
	{regexp.MustCompile(`([\w-]+): unknown state "(.*)"`), "操作“%s”用到了没有定义的状态“%s”"},
	{regexp.MustCompile(`([\w-]+): unknown guard "(.*)"`), "操作“%s”的前置条件“%s”不存在"},
	{regexp.MustCompile(`([\w-]+): unknown field "(.*)"`), "操作“%s”用到了没有定义的字段“%s”"},
	{regexp.MustCompile(`field ([\w-]+): unknown options "(.*)"`), "字段“%s”的选项表“%s”不存在"},
	{regexp.MustCompile(`(unknown) action "(.*)"`), "系统没有操作“%[2]s”"},
	{regexp.MustCompile(`(action) "(.*)" has no edge`), "缺少操作“%[2]s”的规则"},
}

// ruleFault says what is wrong with a rule table.
func ruleFault(err error) string {
	for _, f := range ruleFaults {
		if m := f.form.FindStringSubmatch(err.Error()); m != nil {
			return fmt.Sprintf(f.text, m[1], m[2])
		}
	}
	return "内容的格式不对，请从现行版本导出后修改"
}

// object decodes a document that is an object, keeping its numbers as written.
func object(doc []byte) (m map[string]any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	return m, d.Decode(&m) == nil && m != nil
}

// bare takes out again what named added.
func bare(doc []byte) []byte {
	m, ok := object(doc)
	if !ok {
		return doc
	}
	delete(m, "duties")
	rules, _ := m["rules"].([]any)
	for _, r := range rules {
		if row, ok := r.(map[string]any); ok {
			for k := range row {
				if strings.HasSuffix(k, "_name") {
					delete(row, k)
				}
			}
		}
	}
	out, err := json.Marshal(m)
	if err != nil {
		return doc
	}
	return out
}
