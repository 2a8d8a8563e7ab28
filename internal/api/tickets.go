package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/calendar"
	"hotline/internal/category"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/insight"
	"hotline/internal/region"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// TicketRow is one line of a list: masked, never clear.
type TicketRow struct {
	ID           ID             `json:"id"`
	Number       string         `json:"number"`
	Type         string         `json:"type"`
	Title        string         `json:"title"`
	Category     string         `json:"category"`
	CategoryName string         `json:"category_name"`
	Region       string         `json:"region"`
	RegionName   string         `json:"region_name"`
	Unit         *UnitRef       `json:"unit"`
	Suggestion   *SuggestionOut `json:"suggestion"`
	Status       string         `json:"status"`
	StatusLabel  string         `json:"status_label"`
	Assignment   ID             `json:"assignment"`
	Role         string         `json:"role"`
	State        string         `json:"state"`
	StateLabel   string         `json:"state_label"`
	Urgency      string         `json:"urgency"`
	Label        string         `json:"label"`
	Channel      string         `json:"channel"`
	Line         string         `json:"line"`
	LineName     string         `json:"line_name"`
	Centre       string         `json:"centre"`
	Leg          int            `json:"leg"`
	Due          string         `json:"due"`
	DueText      string         `json:"due_text"`
	Light        string         `json:"light"`
	AcceptedAt   string         `json:"accepted_at"`
	Version      int64          `json:"version"`
	Flags        []string       `json:"flags"`
	Requester    string         `json:"requester"`
	Phone        string         `json:"phone"`
	Demo         bool           `json:"demo,omitempty"`
	Similar      *int64         `json:"similar,omitempty" doc:"同地同事的其他未结工单数，只在派单页给出"`
}

// TicketList is a page of a list.
type TicketList struct {
	Items []TicketRow `json:"items"`
	Next  string      `json:"next"`
}

// SuggestionOut is a proposed unit with the reason in words.
type SuggestionOut struct {
	Unit       ID      `json:"unit"`
	UnitName   string  `json:"unit_name"`
	Confidence float64 `json:"confidence"`
	Level      string  `json:"level"`
	Why        string  `json:"why"`
	Basis      string  `json:"basis"`
}

func (a *API) ticketRoutes() {
	view := Rule{Verbs: []access.Verb{access.View}, Audit: "ticket.list"}
	type queuesOut struct {
		Items []QueueCount `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/queues", "queues", "某页面的队列与数量", Rule{Verbs: view.Verbs, Free: "只含数量"}, func(ctx context.Context, in *struct {
		Page string `query:"page"`
	}) (*struct{ Body queuesOut }, error) {
		actor := actorOf(ctx)
		queues, ok := queuesOf(actor, in.Page)
		if !ok {
			return nil, fault.Invalid("page_unknown", "没有这个页面。")
		}
		items, err := a.counts(ctx, actor, in.Page, queues)
		return &struct{ Body queuesOut }{queuesOut{items}}, err
	})
	route(a, http.MethodGet, "/api/v1/tickets", "tickets-list", "工单列表", view, func(ctx context.Context, in *struct {
		Queue    string `query:"queue"`
		Q        string `query:"q" maxLength:"100"`
		Status   string `query:"status"`
		Unit     string `query:"unit"`
		Region   string `query:"region" maxLength:"12"`
		Type     string `query:"type"`
		Category string `query:"category" maxLength:"6"`
		Urgency  string `query:"urgency"`
		From     string `query:"from"`
		To       string `query:"to"`
		Cursor   string `query:"cursor" maxLength:"80"`
		Limit    int    `query:"limit" maximum:"200"`
	}) (*struct{ Body TicketList }, error) {
		actor := actorOf(ctx)
		if err := a.knownFilter(actor, in.Queue, in.Status, in.Type, in.Urgency, in.Region, in.Category); err != nil {
			return nil, err
		}
		f := ticket.Filter{Queue: in.Queue, Query: in.Q, Status: in.Status, Region: trimRegion(in.Region), Type: in.Type, Category: in.Category, Urgency: in.Urgency, Cursor: in.Cursor, Limit: in.Limit}
		var err error
		if in.Unit != "" {
			if f.Unit, err = a.unitID(in.Unit); err != nil {
				return nil, err
			}
		}
		if f.From, err = dayStart(in.From, 0); err != nil {
			return nil, err
		}
		if f.To, err = dayStart(in.To, 1); err != nil {
			return nil, err
		}
		rows, next, err := a.Ticket.List(ctx, actor, a.scopeFor(actor, nil)(in.Queue), f)
		if err != nil {
			return nil, err
		}
		if err := a.look(ctx, audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: "ticket.list", Count: len(rows), IP: actor.IP, Query: in.Queue}); err != nil {
			return nil, err
		}
		out := TicketList{Items: make([]TicketRow, 0, len(rows)), Next: next}
		r := a.renderer(actor)
		for _, row := range rows {
			out.Items = append(out.Items, r.row(row))
		}
		if slices.Contains(pageQueues["dispatch"], in.Queue) {
			err = a.countSimilar(ctx, out.Items)
		}
		return &struct{ Body TicketList }{out}, err
	})
	one := Rule{Verbs: []access.Verb{access.View}, Audit: "ticket.view"}
	route(a, http.MethodGet, "/api/v1/tickets/{id}", "tickets-get", "工单详情", one, func(ctx context.Context, in *pathID) (*struct{ Body TicketOut }, error) {
		t, ties, err := a.openTied(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		out, err := a.ticketOut(ctx, t, ties, actorOf(ctx))
		if err != nil {
			return nil, err
		}
		return &struct{ Body TicketOut }{out}, nil
	})
	type timelineOut struct {
		Items []TimelineRow `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/tickets/{id}/timeline", "tickets-timeline", "办理过程", one, func(ctx context.Context, in *pathID) (*struct{ Body timelineOut }, error) {
		t, err := a.open(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		rows, err := a.timeline(ctx, t, actorOf(ctx))
		return &struct{ Body timelineOut }{timelineOut{rows}}, err
	})
	type viewersOut struct {
		Items []ViewerOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/tickets/{id}/viewers", "tickets-viewers", "谁看过这张工单", one, func(ctx context.Context, in *pathID) (*struct{ Body viewersOut }, error) {
		t, err := a.open(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		items, err := a.viewers(ctx, t.ID)
		return &struct{ Body viewersOut }{viewersOut{items}}, err
	})
	type found struct {
		ID ID `json:"id"`
	}
	route(a, http.MethodGet, "/api/v1/tickets/lookup", "tickets-lookup", "按单号找工单", one, func(ctx context.Context, in *struct {
		Number string `query:"number" maxLength:"40"`
	}) (*struct{ Body found }, error) {
		id, err := a.Ticket.ByNumber(ctx, in.Number)
		if err != nil {
			return nil, err
		}
		if _, err := a.Ticket.Get(ctx, actorOf(ctx), id); err != nil {
			return nil, err
		}
		return &struct{ Body found }{found{ID(id)}}, nil
	})
}

// pageLists are the lists that stand for a whole page (见 ticket.queueStates).
var pageLists = []string{"dispatch", "unit", "review", "callback", ticket.QueueBelow}

// knownFilter refuses words that nothing can have: an empty list would say
// that there is no such ticket, where there is no such word.
func (a *API) knownFilter(actor access.Actor, queue, status, typ, urgency, place, matter string) error {
	rules := a.Ticket.RulesNow(actor.Platform)
	whole := func(code string) string { return code + "000000"[min(len(code), 6):] } // 4201 is a city, 0101 a second level
	_, isRegion := region.Get(whole(place))
	_, isMatter := a.Ticket.Categories(actor.Platform).Get(whole(matter))
	for _, c := range []struct {
		name, label, value string
		known              bool
	}{
		{"queue", "队列", queue, QueueLabels[queue] != "" || slices.Contains(pageLists, queue)},
		{"status", "状态", status, rules.StatusWord(status) != "" || status == ticket.Open},
		{"type", "诉求类型", typ, slices.Contains(ticket.Types, typ)},
		{"urgency", "紧急程度", urgency, slices.Contains(category.Urgencies, urgency)},
		{"region", "区划代码", place, isRegion},
		{"category", "事项分类", matter, isMatter},
	} {
		if c.value != "" && !c.known {
			e := fault.Invalid("filter_unknown", "没有“%s”这个%s，请重新选择。", zh.Truncate(c.value, 20), c.label)
			return e.At(fault.Field{Name: c.name, Detail: e.Detail})
		}
	}
	return nil
}

// countSimilar fills in how many open tickets are about the same as each row;
// only a dispatcher folds them, so no other list pays for it.
func (a *API) countSimilar(ctx context.Context, rows []TicketRow) error {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = int64(rows[i].ID)
	}
	n, err := a.similar.Counts(ctx, a.DB, ids)
	for i, id := range ids {
		v := n[id]
		rows[i].Similar = &v
	}
	return err
}

// open loads a ticket in the actor's scope and audits the view.
func (a *API) open(ctx context.Context, raw string) (*ticket.Ticket, error) {
	t, _, err := a.openTied(ctx, raw)
	return t, err
}

// openTied is open with the tickets tied to it.
func (a *API) openTied(ctx context.Context, raw string) (*ticket.Ticket, []ticket.Tie, error) {
	id, err := parseID(raw)
	if err != nil {
		return nil, nil, err
	}
	actor := actorOf(ctx)
	t, ties, err := a.Ticket.Open(ctx, actor, id)
	if err != nil {
		return nil, nil, err
	}
	return t, ties, a.look(ctx, audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: "ticket.view", SubjectKind: "ticket", Subject: id, Count: 1, IP: actor.IP})
}

// renderer turns tickets into rows for one actor.
type renderer struct {
	a     *API
	actor access.Actor
	now   time.Time
	by    map[int64]*local // what the rows of a platform share, by platform
}

// local is what a platform's tickets are shown with, found once for a page.
type local struct {
	rules  *ticket.Rules
	tree   *category.Tree
	centre string
	paths  map[string]string // 事项分类 by code
	places map[string]string // regions by code
}

func (a *API) renderer(actor access.Actor) renderer {
	return renderer{a, actor, a.now(), map[int64]*local{}}
}

func (r renderer) at(platform int64) *local {
	l := r.by[platform]
	if l == nil {
		l = &local{r.a.Ticket.RulesNow(platform), r.a.Ticket.Categories(platform), r.centre(platform), map[string]string{}, map[string]string{}}
		r.by[platform] = l
	}
	return l
}

func (r renderer) row(x ticket.Row) TicketRow {
	t := x.Ticket
	here := r.at(t.Platform)
	rules := here.rules
	out := TicketRow{ID: ID(t.ID), Number: t.Number, Type: t.Type, Title: t.TitleR, Category: t.Category, CategoryName: r.category(t), Region: t.Region, RegionName: found(here.places, t.Region, regionName),
		Status: t.Status, StatusLabel: rules.StatusWord(t.Status), Urgency: t.Urgency, Label: t.Label.Word(), Channel: channelWord(t.Channel), Line: t.Line, Centre: here.centre, Leg: t.Leg,
		AcceptedAt: stamp(t.Accepted), Version: t.Version, Flags: flags(t), Demo: t.Detail.Demo}
	if access.MaskOf(r.actor.Role, t.Label, access.FieldContent) == access.Absent {
		out.Title = "（无权查看内容）"
	}
	if t.Line != "" {
		out.LineName = r.a.Lines.Name(t.Line, r.now)
	}
	if t.Unit != 0 {
		u := r.a.unitRef(t.Unit)
		out.Unit = &u
	} else if s := t.Detail.Suggestion; s != nil {
		out.Suggestion = r.a.suggestionOut(*s)
	}
	due := x.Sort
	if x.Node != nil {
		out.Assignment, out.State, out.StateLabel, out.Role = ID(x.Node.ID), x.Node.State, rules.StateWord(x.Node.State), roleWord(x.Node.Role)
		if x.Node.Due > 0 && !decision(x.State) {
			due = x.Node.Due
		}
	}
	if !ticket.Final(t.Status) && due > t.Accepted && (x.Node == nil || x.Node.Alive()) {
		out.Due, out.DueText = stamp(due), calendar.Display(r.now, clock.FromMillis(due))
		out.Light = light(t.Accepted, due, r.now.UnixMilli())
	} else {
		out.Light = "none"
	}
	out.Requester, out.Phone = r.person(t)
	return out
}

// decision tells whether a list is of requests to be decided: it is sorted by,
// and shows, the time left to decide.
func decision(queue string) bool {
	return queue == ticket.QueueReturn || queue == ticket.QueueExtension || queue == ticket.QueueSuspend || queue == ticket.QueueExempt
}

// centre names the platform that took a ticket, for readers above or beside it.
func (r renderer) centre(platform int64) string {
	if platform == r.actor.Platform {
		return ""
	}
	u, _ := r.a.Org.Tree().Get(platform)
	if u.Short != "" {
		return u.Short
	}
	return u.Name
}

// person gives the masked name and phone as far as the role may see them.
func (r renderer) person(t *ticket.Ticket) (name, phone string) {
	if access.MaskOf(r.actor.Role, t.Label, access.FieldName) >= access.Masked {
		name = t.MaskName
	}
	if access.MaskOf(r.actor.Role, t.Label, access.FieldPhone) >= access.Masked {
		phone = t.MaskPhone
	}
	return name, phone
}

func (r renderer) category(t *ticket.Ticket) string {
	if t.Category == "" {
		return "未分类"
	}
	here := r.at(t.Platform)
	return found(here.paths, t.Category, here.tree.PathName)
}

// found looks a name up once.
func found(in map[string]string, code string, name func(string) string) string {
	s, ok := in[code]
	if !ok {
		s = name(code)
		in[code] = s
	}
	return s
}

func (a *API) suggestionOut(s ticket.Suggestion) *SuggestionOut {
	if s.Unit == 0 {
		return nil
	}
	return &SuggestionOut{ID(s.Unit), a.Org.Tree().Name(s.Unit), s.Confidence, insight.Level(s.Confidence), s.Why, s.Basis}
}

// light is 绿、黄、红 by the share of time that is gone: yellow from 80 %.
func light(start, due, now int64) string {
	switch {
	case now > due:
		return "red"
	case due-now < 24*3600*1000 && now-start > (due-start)*8/10, due-now < 4*3600*1000 && now-start > (due-start)/2:
		return "yellow"
	}
	return "green"
}

func flags(t *ticket.Ticket) []string {
	out := append([]string{}, t.Detail.Flags...)
	if t.Leg > 1 {
		out = append(out, "重办")
	}
	if t.Watch > 0 {
		out = append(out, "督办")
	}
	switch {
	case t.Escalated:
		out = append(out, "提级")
	case t.Dispute == "consult":
		out = append(out, "会商")
	}
	if t.Detail.Relabel != nil {
		out = append(out, "降密待复核")
	}
	if x := t.Detail.Exempt; x != nil && x.State == "proposed" {
		out = append(out, "免评待审核")
	}
	if t.Urges > 0 {
		out = append(out, "催办"+strconv.Itoa(t.Urges))
	}
	if t.Secrecy == ticket.SecrecyAccused {
		out = append(out, "对被反映人保密")
	}
	if t.Secrecy == ticket.SecrecyAnonymous {
		out = append(out, "匿名")
	}
	switch {
	case t.Detail.Supplement:
		out = append(out, "补充")
	case t.RepeatOf != 0:
		out = append(out, "重复")
	}
	return out
}

func roleWord(role string) string {
	switch role {
	case ticket.RoleMain:
		return "主办"
	case ticket.RoleAssist:
		return "协办"
	}
	return ""
}

var channelWords = map[string]string{"phone": "电话", "web": "网站", "wechat": "微信", "weibo": "微博", "app": "移动客户端", "sms": "短信", "mail": "邮件", "walkin": "窗口", "import": "导入", "api": "接口"}

func channelWord(c string) string { return channelWords[c] }

func regionName(code string) string { return region.FullName(code) }

// trimRegion drops the zeros that mark a whole city or province, so that a
// filter covers everything inside.
func trimRegion(code string) string {
	for len(code) == 6 && code != "" && code[4:] == "00" || len(code) == 4 && code[2:] == "00" {
		code = code[:len(code)-2]
	}
	return code
}

func (a *API) unitRef(id int64) UnitRef {
	u, ok := a.Org.Tree().Get(id)
	if !ok {
		return UnitRef{}
	}
	return UnitRef{ID(u.ID), u.Code, u.Name, string(u.Kind)}
}

// dayStart reads a date or a moment; plus days makes the end of a range.
func dayStart(s string, plus int) (int64, error) {
	if s == "" {
		return 0, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UnixMilli(), nil
	}
	t, err := time.ParseInLocation("2006-01-02", s, clock.Shanghai)
	if err != nil || t.Year() < 2000 || t.Year() > 2100 {
		return 0, fault.Invalid("date_invalid", "日期应为“2026-11-22”这样的格式，年份在2000至2100之间。")
	}
	return t.AddDate(0, 0, plus).UnixMilli(), nil
}
