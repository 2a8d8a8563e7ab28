package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/calendar"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/dispatch"
	"hotline/internal/fault"
	"hotline/internal/insight"
	"hotline/internal/intake"
	"hotline/internal/region"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// StaffIntake is what a seat submits.
type StaffIntake struct {
	Draft    string `json:"draft,omitempty"`
	Call     ID     `json:"call,omitempty" doc:"来电编号：工单由这通电话而来"`
	Way      string `json:"way,omitempty" default:"dispatch" enum:"answer,dispatch,transfer,redirect,invalid,hold" doc:"处理方式，不填为派单"`
	Type     string `json:"type"`
	Title    string `json:"title,omitempty"`
	Content  string `json:"content"`
	Category string `json:"category,omitempty"`
	Region   string `json:"region,omitempty"`
	Address  string `json:"address,omitempty"`
	Object   string `json:"object,omitempty"`
	Points   []struct {
		Text string `json:"text"`
	} `json:"points,omitempty"`
	Requester struct {
		Kind    string   `json:"kind,omitempty"`
		Name    string   `json:"name,omitempty"`
		Phone   string   `json:"phone,omitempty"`
		Company string   `json:"company,omitempty"`
		USCC    string   `json:"uscc,omitempty"`
		Gender  string   `json:"gender,omitempty"`
		Special []string `json:"special,omitempty"`
	} `json:"requester,omitempty"`
	Name       string `json:"name,omitempty" doc:"同 requester.name，与公众受理接口一致"`
	Phone      string `json:"phone,omitempty" doc:"同 requester.phone"`
	Secret     bool   `json:"secret,omitempty" doc:"对承办单位隐藏身份"`
	Secrecy    string `json:"secrecy,omitempty"`
	Urgency    string `json:"urgency,omitempty"`
	Channel    string `json:"channel,omitempty"`
	Line       string `json:"line,omitempty"`
	OccurredAt string `json:"occurred_at,omitempty"`
	ReplyWay   string `json:"reply_way,omitempty"`
	Answer     *struct {
		Text      string `json:"text"`
		Knowledge ID     `json:"knowledge,omitempty"`
		Miss      bool   `json:"miss,omitempty" doc:"知识库未命中，提醒知识管理员补充"`
		MissQ     string `json:"miss_q,omitempty" maxLength:"200" doc:"未命中的检索词；不写则取标题"`
	} `json:"answer,omitempty"`
	Redirect *struct {
		Kind string `json:"kind"`
		Text string `json:"text"`
	} `json:"redirect,omitempty"`
	Transfer *struct {
		Line string `json:"line"`
	} `json:"transfer,omitempty"`
	Invalid *struct {
		Reason string `json:"reason"`
	} `json:"invalid,omitempty"`
	Attachments []ID `json:"attachments,omitempty"`
	Link        *struct {
		Ticket ID     `json:"ticket"`
		Kind   string `json:"kind" enum:"repeat,supplement"`
	} `json:"link,omitempty"`
	Note string `json:"note,omitempty"`
}

// CreatedOut is the receipt of a new ticket.
type CreatedOut struct {
	ID          ID     `json:"id"`
	Number      string `json:"number"`
	Spoken      string `json:"spoken"`
	QueryCode   string `json:"query_code"`
	Version     int64  `json:"version"`
	Status      string `json:"status"`
	StatusLabel string `json:"status_label"`
	Due         string `json:"due"`
	DueText     string `json:"due_text"`
}

func (a *API) deskRoutes() {
	create := Rule{Verbs: []access.Verb{access.Create}, Audit: "event"}
	route(a, http.MethodPost, "/api/v1/tickets", "tickets-create", "登记工单", create, func(ctx context.Context, in *struct {
		Key  string `header:"Idempotency-Key"`
		Body StaffIntake
	}) (*struct{ Body CreatedOut }, error) {
		r, err := a.staffRequest(actorOf(ctx), &in.Body)
		if err != nil {
			return nil, err
		}
		body, _ := json.Marshal(in.Body)
		out, err := a.create(ctx, actorOf(ctx), r, in.Key, body, a.afterDesk(actorOf(ctx), &in.Body))
		return &struct{ Body CreatedOut }{out}, err
	})
	route(a, http.MethodPost, "/api/v1/suggest", "suggest", "受理与派单建议", Rule{Verbs: []access.Verb{access.Create, access.Approve, access.Handle}, Free: "只处理提交的文字，不读取个人信息"}, func(ctx context.Context, in *struct{ Body SuggestIn }) (*struct{ Body SuggestOut }, error) {
		out, err := a.suggest(ctx, actorOf(ctx), &in.Body)
		return &struct{ Body SuggestOut }{out}, err
	})
	type callerIn struct {
		Phone string `json:"phone" maxLength:"30"`
	}
	route(a, http.MethodPost, "/api/v1/callers/lookup", "callers-lookup", "诉求人历史", Rule{Verbs: []access.Verb{access.Create}, Audit: "caller.lookup"}, func(ctx context.Context, in *struct{ Body callerIn }) (*struct{ Body CallerOut }, error) {
		out, err := a.caller(ctx, actorOf(ctx), in.Body.Phone)
		return &struct{ Body CallerOut }{out}, err
	})
	type lookupOut struct {
		Items []CallerTicket `json:"items"`
	}
	route(a, http.MethodPost, "/api/v1/tickets/lookup", "tickets-by-phone", "按电话找工单", Rule{Verbs: []access.Verb{access.Create, access.Approve}, Audit: "caller.lookup"}, func(ctx context.Context, in *struct{ Body callerIn }) (*struct{ Body lookupOut }, error) {
		c, err := a.caller(ctx, actorOf(ctx), in.Body.Phone)
		return &struct{ Body lookupOut }{lookupOut{c.History}}, err
	})
	drafts := Rule{Verbs: []access.Verb{access.Create}, Free: "本人草稿"}
	type draftsOut struct {
		Items []intake.Draft `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/drafts", "drafts-list", "本人草稿", drafts, func(ctx context.Context, _ *struct{}) (*struct{ Body draftsOut }, error) {
		items, err := a.Intake.Drafts(ctx, actorOf(ctx).Account)
		return &struct{ Body draftsOut }{draftsOut{items}}, err
	})
	route(a, http.MethodPut, "/api/v1/drafts/{id}", "drafts-save", "保存草稿", drafts, func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"64"`
		Body struct {
			Title string         `json:"title,omitempty" maxLength:"200"`
			Body  map[string]any `json:"body"`
		}
	}) (*struct{ Body intake.Draft }, error) {
		d, err := a.Intake.SaveDraft(ctx, actorOf(ctx).Account, in.ID, in.Body.Title, in.Body.Body)
		return &struct{ Body intake.Draft }{d}, err
	})
	route(a, http.MethodDelete, "/api/v1/drafts/{id}", "drafts-delete", "删除草稿", drafts, func(ctx context.Context, in *pathID) (*struct{}, error) {
		return nil, a.Intake.DropDraft(ctx, actorOf(ctx).Account, in.ID)
	})
}

// afterDesk is what a seat's submission brings with it: the call it came from
// carries it, the draft ends, an open ticket that it adds to is told so (补充),
// and a question without an answer in the library is counted (未命中).
func (a *API) afterDesk(actor access.Actor, b *StaffIntake) func(*db.Tx, *ticket.Intake, ticket.Created) error {
	return func(tx *db.Tx, n *ticket.Intake, made ticket.Created) error {
		if n.Call != 0 {
			if err := a.CDR.Bind(tx, n.Call, made.ID, actor.Account); err != nil {
				return err
			}
		}
		if b.Draft != "" {
			if err := a.Intake.DropDraftTx(tx, actor.Account, b.Draft); err != nil {
				return err
			}
		}
		if n.Supplement {
			_, err := a.Ticket.AskTx(tx, actor, n.RepeatOf, ticket.Action{Name: "supplement", Fields: map[string]any{"text": zh.Truncate(n.Content, 2000)}})
			if e := fault.As(err); err != nil && e.Kind != fault.KindConflict && e.Kind != fault.KindForbidden { // an ended ticket is only linked
				return err
			}
		}
		if x := b.Answer; x != nil && x.Miss && x.Knowledge == 0 {
			return a.Knowledge.MissTx(tx, n.Platform, cmp.Or(x.MissQ, n.Title), n.Category)
		}
		return nil
	}
}

func (a *API) staffRequest(actor access.Actor, b *StaffIntake) (intake.Request, error) {
	r := intake.Request{Type: b.Type, Title: b.Title, Content: b.Content, Category: b.Category, Region: b.Region, Address: b.Address, Object: b.Object, Secrecy: b.Secrecy, Urgency: b.Urgency,
		Channel: b.Channel, Line: b.Line, Way: b.Way, Note: b.Note, ReplyWay: b.ReplyWay, Visitor: a.Demo != nil, Call: int64(b.Call),
		Requester: ticket.Requester{Kind: b.Requester.Kind, Name: b.Requester.Name, Phone: b.Requester.Phone, Company: b.Requester.Company, USCC: b.Requester.USCC, Gender: b.Requester.Gender, Special: b.Requester.Special}}
	r.Requester.Name, r.Requester.Phone = cmp.Or(r.Requester.Name, b.Name), cmp.Or(r.Requester.Phone, b.Phone)
	r.Channel = cmp.Or(r.Channel, "phone")
	if b.Secret && r.Secrecy == "" {
		r.Secrecy = ticket.SecrecyUnit
	}
	if channelWord(r.Channel) == "" {
		return r, fault.Invalid("channel_unknown", "来源渠道不在可选范围内。").At(fault.Field{Name: "channel", Detail: "请重新选择。"})
	}
	for _, p := range b.Points {
		r.Points = append(r.Points, p.Text)
	}
	for _, id := range b.Attachments {
		r.Attach = append(r.Attach, int64(id))
	}
	if b.Answer != nil {
		r.Outcome.Text, r.Outcome.Knowledge = b.Answer.Text, int64(b.Answer.Knowledge)
	}
	if b.Redirect != nil {
		r.Outcome.Redirect, r.Outcome.Text = b.Redirect.Kind, b.Redirect.Text
	}
	if b.Transfer != nil {
		r.Outcome.Line = b.Transfer.Line
	}
	if b.Invalid != nil {
		r.Outcome.Invalid = b.Invalid.Reason
	}
	if b.Link != nil {
		if _, err := a.Ticket.Linkable(int64(b.Link.Ticket), actor.Platform); err != nil {
			return r, err
		}
		r.RepeatOf, r.Supplement = int64(b.Link.Ticket), b.Link.Kind == "supplement"
	}
	if b.OccurredAt != "" {
		t, err := time.Parse(time.RFC3339, b.OccurredAt)
		if err != nil {
			if t, err = time.ParseInLocation("2006-01-02", b.OccurredAt, clock.Shanghai); err != nil {
				return r, fault.Invalid("date_invalid", "事发时间格式不正确。").At(fault.Field{Name: "occurred_at", Detail: "请重新选择。"})
			}
		}
		if t.After(a.now()) || t.Year() < 1990 {
			return r, fault.Invalid("date_out_of_range", "事发时间不能晚于现在，也不能早于1990年。").At(fault.Field{Name: "occurred_at", Detail: "请重新选择。"})
		}
		r.Occurred = t.UnixMilli()
	}
	return r, nil
}

// create makes a ticket and its idempotency row in one transaction; with writes what belongs to it.
func (a *API) create(ctx context.Context, actor access.Actor, r intake.Request, key string, body []byte, with func(*db.Tx, *ticket.Intake, ticket.Created) error) (CreatedOut, error) {
	made, _, err := a.Intake.SubmitOnce(ctx, actor, r, key, ticket.Digest("create", string(body)), with)
	if err != nil {
		return CreatedOut{}, err
	}
	return a.createdOut(made), nil
}

func (a *API) createdOut(c ticket.Created) CreatedOut {
	o := CreatedOut{ID: ID(c.ID), Number: c.Number, Spoken: ticket.Spoken(c.Number), QueryCode: c.QueryCode, Version: c.Version, Status: c.Status, StatusLabel: a.Ticket.RulesNow(0).StatusWord(c.Status), Due: stamp(c.Due)}
	if c.Due > 0 {
		o.DueText = calendar.Display(a.now(), clock.FromMillis(c.Due))
	}
	return o
}

// SuggestIn is the text as it is being typed.
type SuggestIn struct {
	Type     string `json:"type,omitempty"`
	Title    string `json:"title,omitempty" maxLength:"200"`
	Content  string `json:"content" maxLength:"20000"`
	Region   string `json:"region,omitempty"`
	Address  string `json:"address,omitempty" maxLength:"200"`
	Phone    string `json:"phone,omitempty" maxLength:"30"`
	Urgency  string `json:"urgency,omitempty"`
	Category string `json:"category,omitempty"`
	Ticket   ID     `json:"ticket,omitempty"`
	At       string `json:"at,omitempty" maxLength:"40" doc:"按哪一时刻的派单目录，即工单的受理时间；不填为现在"`
}

// SuggestOut holds every suggestion with the why behind it.
type SuggestOut struct {
	Type       *TypeGuess      `json:"type"`
	Categories []CategoryGuess `json:"categories"`
	Units      []UnitGuess     `json:"units"`
	Region     *RegionGuess    `json:"region"`
	Duplicates []Duplicate     `json:"duplicates"`
	Emergency  *insight.Hit    `json:"emergency"`
	Secret     *insight.Hit    `json:"secret"`
	Redirect   *RedirectGuess  `json:"redirect"`
	Limit      *LimitPreview   `json:"limit"`
	Title      string          `json:"title"`
}

// TypeGuess is a proposed 诉求类型.
type TypeGuess struct {
	Value      string   `json:"value"`
	Confidence float64  `json:"confidence"`
	Level      string   `json:"level"`
	Why        []string `json:"why"`
}

// CategoryGuess is a proposed 事项分类.
type CategoryGuess struct {
	Code       string   `json:"code"`
	Name       string   `json:"name"`
	Path       string   `json:"path"`
	Confidence float64  `json:"confidence"`
	Level      string   `json:"level"`
	Why        []string `json:"why"`
}

// UnitGuess is a proposed 承办单位.
type UnitGuess struct {
	ID         ID      `json:"id"`
	Name       string  `json:"name"`
	Role       string  `json:"role"`
	Confidence float64 `json:"confidence"`
	Level      string  `json:"level"`
	Why        string  `json:"why"`
	Basis      string  `json:"basis"`
}

// RegionGuess is a place found in the text.
type RegionGuess struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Duplicate is an earlier ticket that may be the same matter.
type Duplicate struct {
	ID          ID      `json:"id"`
	Number      string  `json:"number"`
	Title       string  `json:"title"`
	StatusLabel string  `json:"status_label"`
	Score       float64 `json:"score"`
	Why         string  `json:"why"`
	AcceptedAt  string  `json:"accepted_at"`
	UnitName    string  `json:"unit_name"`
	Version     int64   `json:"version"`
	Opens       bool    `json:"opens" doc:"工单在本人可见范围内，可以打开、催办、补充"`
}

// RedirectGuess proposes a statutory channel.
type RedirectGuess struct {
	Kind  string `json:"kind"`
	Label string `json:"label"`
	Text  string `json:"text"`
}

// LimitPreview is the deadline if the ticket were dispatched now.
type LimitPreview struct {
	Text    string `json:"text"`
	Due     string `json:"due"`
	DueText string `json:"due_text"`
}

func (a *API) suggest(ctx context.Context, actor access.Actor, in *SuggestIn) (SuggestOut, error) {
	out := SuggestOut{Categories: []CategoryGuess{}, Units: []UnitGuess{}, Duplicates: []Duplicate{}}
	platform := a.Org.Tree().Platform(actor.Unit)
	title, content := zh.Redact(in.Title), zh.Redact(in.Content)
	all := title + "。" + content
	if typ, p, why := insight.TypeOf(title, content); typ != "" {
		out.Type = &TypeGuess{typ, p, insight.Level(p), why}
	}
	tree := a.Ticket.Categories(platform.ID)
	best, confidence := in.Category, 1.0
	for _, g := range a.Insight.Classify(platform.ID, title, content, 4) {
		c, ok := tree.Get(g.Code)
		if !ok {
			continue
		}
		out.Categories = append(out.Categories, CategoryGuess{g.Code, c.Name, tree.PathName(g.Code), g.P, insight.Level(g.P), g.Why})
		if best == "" {
			best, confidence = g.Code, g.P
		}
	}
	place := in.Region
	if m, ok := region.Place(in.Address+"。"+in.Title+"。"+in.Content, platform.Region); ok {
		r := m.Region
		out.Region = &RegionGuess{r.Code, region.FullName(r.Code), "文中提到“" + r.Name + "”"}
		if place == "" {
			place = r.Code
		}
	}
	if place == "" {
		place = platform.Region
	}
	if best != "" {
		at, err := a.formTime("at", in.At)
		if err != nil {
			return out, err
		}
		if at.IsZero() {
			at = a.now()
		}
		for _, s := range a.Dispatch.Suggest(dispatch.Question{Platform: platformOf(a, place, platform.ID), Category: best, Region: place, At: at, P: confidence}) {
			out.Units = append(out.Units, UnitGuess{ID(s.Unit), a.Org.Tree().Name(s.Unit), "主办", s.Confidence, insight.Level(s.Confidence), s.Why, s.Basis})
		}
	}
	out.Emergency, out.Secret = insight.Emergency(in.Title+in.Content), insight.Secret(in.Title+in.Content)
	if h := insight.Redirect(in.Title + in.Content); h != nil {
		out.Redirect = &RedirectGuess{h.Kind, h.Line, h.Text}
	}
	typ := in.Type
	if typ == "" && out.Type != nil {
		typ = out.Type.Value
	}
	out.Limit = a.limitPreview(platform.ID, best, typ, in.Urgency)
	out.Title = suggestTitle(in.Content)
	var err error
	out.Duplicates, err = a.duplicates(ctx, actor, in, best, place, all)
	return out, err
}

func platformOf(a *API, code string, fallback int64) int64 {
	if u, ok := a.Org.Tree().CityPlatform(code); ok {
		return u.ID
	}
	return fallback
}

// limitPreview says until when a ticket of the kind would have to be handled.
func (a *API) limitPreview(platform int64, code, typ, urgency string) *LimitPreview {
	lim, ok := a.Ticket.Limit(platform, code, typ, urgency, ticket.ClockHandle)
	if !ok {
		return nil
	}
	now := a.now()
	due := a.Ticket.Calendar(platform).Due(now, lim)
	return &LimitPreview{lim.String(), stamp(due.UnixMilli()), calendar.Display(now, due)}
}

// suggestTitle takes the first clause that says what the matter is.
func suggestTitle(content string) string {
	s := zh.Redact(content)
	for _, lead := range []string{"来电人反映：", "来电人反映", "诉求人反映：", "诉求人反映", "市民反映：", "市民反映", "您好，", "你好，"} {
		if len(s) > len(lead) && s[:len(lead)] == lead {
			s = s[len(lead):]
		}
	}
	for i, r := range s {
		if slices.Contains([]rune("。；！？\n"), r) {
			s = s[:i]
			break
		}
	}
	return zh.Truncate(s, 30)
}

// duplicates looks for the same matter: the same phone first, then the same
// place and words.
func (a *API) duplicates(ctx context.Context, actor access.Actor, in *SuggestIn, code, place, text string) ([]Duplicate, error) {
	out := []Duplicate{}
	seen := map[int64]bool{int64(in.Ticket): true}
	since := a.now().AddDate(0, 0, -30).UnixMilli()
	add := func(t *ticket.Ticket, score float64, why string) {
		if seen[t.ID] || t.Accepted < since || t.Label != access.Normal || t.Platform != actor.Platform {
			return
		}
		seen[t.ID] = true
		out = append(out, Duplicate{ID(t.ID), t.Number, t.TitleR, a.Ticket.RulesNow(t.Platform).StatusWord(t.Status), score, why, stamp(t.Accepted), a.Org.Tree().Name(t.Unit), t.Version, false})
	}
	if in.Phone != "" && actor.May(access.Create) {
		if mine, err := a.Ticket.ByPhone(ctx, in.Phone, 20); err == nil {
			for _, t := range mine {
				s := zh.Similarity(text, t.TitleR+"。"+t.ContentR)
				if t.Category == code && code != "" || s > 0.35 {
					add(t, max(s, 0.6), "同一号码近30天反映过同类问题")
				}
			}
		}
	}
	if zh.Len(text) >= 12 {
		near, err := a.Insight.Similar(ctx, a.Ticket, text, place, 8)
		if err != nil {
			return nil, err
		}
		for _, h := range near {
			add(h.Ticket, h.Score, h.Why)
		}
	}
	slices.SortFunc(out, func(x, y Duplicate) int {
		switch {
		case x.Score > y.Score:
			return -1
		case x.Score < y.Score:
			return 1
		}
		return 0
	})
	if len(out) > 6 {
		out = out[:6]
	}
	ids := make([]int64, 0, len(out))
	for _, d := range out {
		ids = append(ids, int64(d.ID))
	}
	mine, err := a.opensOf(ctx, ids)
	for i := range out {
		out[i].Opens = mine[int64(out[i].ID)]
	}
	return out, err
}

// CallerOut is what the desk shows when a known number calls.
type CallerOut struct {
	Profile *CallerProfile `json:"profile"`
	History []CallerTicket `json:"history"`
	Open    []CallerTicket `json:"open"`
	Calls   int            `json:"calls" doc:"近30天来电次数，含进行中的一通"`
}

// CallerProfile is the 诉求人 as far as earlier tickets tell.
type CallerProfile struct {
	Name   string   `json:"name"`
	Region string   `json:"region"`
	Tags   []string `json:"tags"`
}

// CallerTicket is a subject line of the caller's history.
type CallerTicket struct {
	ID          ID       `json:"id"`
	Number      string   `json:"number"`
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	StatusLabel string   `json:"status_label"`
	Verdict     string   `json:"verdict"`
	At          string   `json:"at"`
	Version     int64    `json:"version"`
	Opens       bool     `json:"opens" doc:"工单在本人可见范围内，可以打开"`
	Asks        []string `json:"asks" doc:"诉求人在线时可代其进行的操作：urge 催办，supplement 补充材料"`
}

const (
	callerLooks = 200 // tickets of a phone that are looked through …
	callerShows = 30  // … and shown
)

// callerLines keeps the tickets whose subject line the actor may read: a seat
// those of whoever calls (security design §5.2), others what is in their scope;
// mine are those that the actor may open.
func (a *API) callerLines(ctx context.Context, actor access.Actor, list []*ticket.Ticket) (out []*ticket.Ticket, mine map[int64]bool, err error) {
	sc := a.Access.ScopeOf(actor)
	ids := make([]int64, 0, len(list))
	for _, t := range list {
		ids = append(ids, t.ID)
	}
	if mine, err = a.opensOf(ctx, ids); err != nil {
		return nil, nil, err
	}
	out = make([]*ticket.Ticket, 0, len(list))
	for _, t := range list {
		if actor.Cleared(t.Label) && (sc.Caller || mine[t.ID]) && len(out) < callerShows {
			out = append(out, t)
		}
	}
	return out, mine, nil
}

// opensOf tells which of the tickets the actor may open.
func (a *API) opensOf(ctx context.Context, ids []int64) (map[int64]bool, error) {
	rows, err := a.rowsOf(ctx, ids)
	mine := make(map[int64]bool, len(rows))
	for _, r := range rows {
		mine[int64(r.ID)] = true
	}
	return mine, err
}

func (a *API) caller(ctx context.Context, actor access.Actor, phone string) (CallerOut, error) {
	out := CallerOut{History: []CallerTicket{}, Open: []CallerTicket{}}
	list, err := a.Ticket.ByPhone(ctx, phone, callerLooks)
	if err != nil {
		return out, err
	}
	list, mine, err := a.callerLines(ctx, actor, list)
	if err != nil {
		return out, err
	}
	p, _ := zh.NormalizePhone(phone)
	if err := a.Audit.Seen(ctx, audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: "caller.lookup", Count: len(list), IP: actor.IP, Query: zh.MaskPhone(p)}); err != nil {
		return out, err
	}
	rules := a.Ticket.RulesNow(0)
	for _, t := range list {
		row := CallerTicket{ID: ID(t.ID), Number: t.Number, Type: t.Type, Title: t.TitleR, StatusLabel: rules.StatusWord(t.Status), At: stamp(t.Accepted), Version: t.Version, Opens: mine[t.ID], Asks: a.Ticket.Asks(actor, t)}
		if t.Detail.Citizen != nil {
			row.Verdict = citizenWord(rules, t.Detail.Citizen)
		}
		if !ticket.Final(t.Status) {
			out.Open = append(out.Open, row)
		}
		out.History = append(out.History, row)
		if out.Profile == nil {
			out.Profile = &CallerProfile{Name: t.MaskName, Region: region.FullName(t.Region), Tags: []string{}}
		}
	}
	if out.Profile != nil {
		if len(out.History) >= 3 {
			out.Profile.Tags = append(out.Profile.Tags, "多次反映")
		}
		if len(out.Open) > 0 {
			out.Profile.Tags = append(out.Profile.Tags, "有在办工单")
		}
	}
	out.Calls, err = a.CDR.Recent(ctx, phone)
	return out, err
}
