package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/line"
	"hotline/internal/region"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/flow"
)

// SpecialOut is an entry of the special list.
type SpecialOut struct {
	ID         ID     `json:"id"`
	Number     string `json:"number"`
	Kind       string `json:"kind"`
	KindLabel  string `json:"kind_label"`
	Reason     string `json:"reason"`
	Applicant  string `json:"applicant"`
	Approver   string `json:"approver"`
	State      string `json:"state"`
	StateLabel string `json:"state_label"`
	Expires    string `json:"expires"`
	Made       string `json:"made"`
}

// CallbackRow is a caller who is owed a call.
type CallbackRow struct {
	Call       ID     `json:"call"`
	Kind       string `json:"kind"`
	KindLabel  string `json:"kind_label"`
	Line       string `json:"line"`
	Number     string `json:"number"`
	Due        string `json:"due"`
	Late       bool   `json:"late"`
	State      string `json:"state"`
	StateLabel string `json:"state_label"`
	Tries      int    `json:"tries"`
	Made       string `json:"made"`
	Done       string `json:"done"`
}

// PersonOut is somebody who can be put on a roster or to whom callers can be given.
type PersonOut struct {
	Account  ID     `json:"account"`
	Name     string `json:"name"`
	UnitName string `json:"unit_name"`
}

// FiguresRow is one group of call figures.
type FiguresRow struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	cdr.Figures
	Rates cdr.Rates `json:"rates"`
}

// SeatSpan is what a seat did for a while.
type SeatSpan struct {
	State string `json:"state"`
	Label string `json:"label"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// desks may use the one-key targets; leads keep the centre's lists.
var (
	desks = Rule{Roles: []access.Role{access.Agent, access.ShiftLead, access.BranchAgent, access.Callback, access.Supervisor, access.Inspector, access.Province}, Free: "公开的转接目录"}
	leads = []access.Role{access.ShiftLead, access.Province}
)

func (a *API) voiceRoutes() {
	type targetsOut struct {
		Items []line.Target `json:"items"`
		Lines []string      `json:"lines" doc:"可转的技能组（queue:号码）"`
	}
	route(a, http.MethodGet, "/api/v1/voice/targets", "voice-targets", "转接目标", desks, func(ctx context.Context, in *struct {
		Region string `query:"region" maxLength:"12"`
	}) (*struct{ Body targetsOut }, error) {
		place := in.Region
		if place == "" {
			u, _ := a.Org.Tree().Get(actorOf(ctx).Unit)
			place = u.Region
		}
		out := targetsOut{Items: a.Lines.Targets(place, a.now()), Lines: []string{}}
		for _, l := range a.Lines.All(a.now()) {
			if l.Mode == line.SeatsIn && l.State != line.StateCancelled && (l.Region == region.ProvinceCode || region.Contains(l.Region, place)) {
				out.Lines = append(out.Lines, l.Number)
			}
		}
		return &struct{ Body targetsOut }{out}, nil
	})
	route(a, http.MethodGet, "/api/v1/voice/wall", "voice-wall", "班长墙", Rule{Roles: []access.Role{access.ShiftLead, access.Inspector, access.Supervisor, access.Province, access.Leader}, Audit: "voice.wall"}, func(ctx context.Context, _ *struct{}) (*struct{ Body flow.Wall }, error) {
		if a.Voice == nil {
			return nil, errNoVoice()
		}
		w, err := a.Voice.Wall(ctx, actorOf(ctx))
		if err != nil {
			return nil, err
		}
		return &struct{ Body flow.Wall }{w}, a.seenMany(ctx, "voice.wall", len(w.Waiting)+len(w.Talking), "")
	})
	type peopleOut struct {
		Items []PersonOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/people", "voice-people", "可排班和接听的人员", Rule{Roles: []access.Role{access.ShiftLead, access.Supervisor, access.Province}, Audit: "account.list"}, func(ctx context.Context, in *struct {
		Role string `query:"role" enum:"agent,branch_agent,shift_lead,callback,leader," doc:"空为座席、分中心座席、班长和回访席"`
	}) (*struct{ Body peopleOut }, error) {
		roles := []access.Role{access.Role(in.Role)}
		if in.Role == "" {
			roles = []access.Role{access.Agent, access.BranchAgent, access.ShiftLead, access.Callback}
		}
		root := a.Org.Tree().Platform(actorOf(ctx).Unit).ID
		out := peopleOut{Items: []PersonOut{}}
		for _, r := range roles {
			list, _, err := a.Access.Accounts(ctx, access.Filter{Below: root, Role: r, State: access.StateActive}, "", maxPeople)
			if err != nil {
				return nil, err
			}
			for _, p := range list {
				out.Items = append(out.Items, PersonOut{ID(p.ID), p.Name, a.Org.Tree().Name(p.Unit)})
			}
		}
		return &struct{ Body peopleOut }{out}, a.seenMany(ctx, "account.list", len(out.Items), "people")
	})
	a.callOpenRoutes()
	a.figureRoutes()
	a.callbackRoutes()
	a.specialRoutes()
	a.leaderRoutes()
	a.textRoutes()
}

const maxPeople = 500 // of one role at one centre

func errNoVoice() error {
	return fault.Unavailable("voice_absent", "本机没有配置语音平台。")
}

func (a *API) figureRoutes() {
	type figuresOut struct {
		Items []FiguresRow `json:"items"`
		Total FiguresRow   `json:"total"`
		Note  string       `json:"note"`
	}
	route(a, http.MethodGet, "/api/v1/voice/figures", "voice-figures", "话务指标", Rule{Verbs: []access.Verb{access.Stats, access.Listen}, Audit: "voice.figures"}, func(ctx context.Context, in *struct {
		By   string `query:"by" enum:"p,l,s,u,a,h,d," doc:"p 平台、l 线路、s 技能、u 单位、a 座席、h 小时、d 日"`
		From string `query:"from"`
		To   string `query:"to"`
		Line string `query:"line" maxLength:"12"`
	}) (*struct{ Body figuresOut }, error) {
		from, to, err := a.span(in.From, in.To, 0)
		if err != nil {
			return nil, err
		}
		if in.By == "" {
			in.By = cdr.ByLine
		}
		actor := actorOf(ctx)
		root := a.Org.Tree().Platform(actor.Unit).ID
		rows, total, err := a.CDR.Ask(ctx, a.CDR.Platforms(root), cdr.Question{By: in.By, From: dayNumber(from), To: dayNumber(to - 1), Line: in.Line})
		if err != nil {
			return nil, err
		}
		out := figuresOut{Items: []FiguresRow{}, Total: FiguresRow{Name: "合计", Figures: total.Figures, Rates: total.Rates},
			Note: "接通率为接听÷转人工，“剔除”口径不计经登记的突发和系统故障时段；15秒接通率为15秒内接听÷接听，另列÷转人工口径；呼损率含与不含5秒内短放弃并列。"}
		_, tests, err := a.CDR.Ask(ctx, a.CDR.Platforms(root), cdr.Question{By: cdr.ByTest, From: dayNumber(from), To: dayNumber(to - 1)})
		if err != nil {
			return nil, err
		}
		if n := tests.Offered + tests.Outbound; n > 0 {
			out.Note += fmt.Sprintf("拨测%d通，不计入以上各数。", n)
		}
		for _, r := range rows {
			out.Items = append(out.Items, FiguresRow{Key: r.Key, Name: a.figureName(in.By, r.Key), Figures: r.Figures, Rates: r.Rates})
		}
		return &struct{ Body figuresOut }{out}, a.seenMany(ctx, "voice.figures", len(rows), in.By)
	})
	type exclusionIn struct {
		From   string `json:"from" maxLength:"40"`
		To     string `json:"to" maxLength:"40"`
		Reason string `json:"reason" maxLength:"200"`
	}
	type exclusionOut struct {
		ID   ID     `json:"id"`
		From string `json:"from"`
		To   string `json:"to"`
	}
	route(a, http.MethodPost, "/api/v1/voice/exclusions", "voice-exclude", "登记剔除时段", Rule{Roles: leads, Audit: "voice.exclude"}, func(ctx context.Context, in *struct{ Body exclusionIn }) (*struct{ Body exclusionOut }, error) {
		from, err := a.formTime("from", in.Body.From)
		if err != nil {
			return nil, err
		}
		to, err := a.formTime("to", in.Body.To)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		e, err := a.CDR.Exclude(ctx, cdr.Exclusion{Platform: a.Org.Tree().Platform(actor.Unit).ID, From: clock.Millis(from), To: clock.Millis(to), Reason: in.Body.Reason, By: actor.Account})
		if err != nil {
			return nil, err
		}
		err = a.DB.Update(ctx, func(tx *db.Tx) error {
			return a.recordIn(tx, actor, audit.Entry{Op: "voice.exclude", SubjectKind: "exclusion", Subject: e.ID, Reason: e.Reason, Count: 1})
		})
		return &struct{ Body exclusionOut }{exclusionOut{ID(e.ID), stamp(e.From), stamp(e.To)}}, err
	})
	type spansOut struct {
		Items []SeatSpan `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/states", "voice-states", "座席状态明细", Rule{Roles: callers.Roles, Audit: "voice.state"}, func(ctx context.Context, in *struct {
		Account string `query:"account"`
		From    string `query:"from"`
		To      string `query:"to"`
	}) (*struct{ Body spansOut }, error) {
		actor := actorOf(ctx)
		id := actor.Account
		if in.Account != "" {
			var err error
			if id, err = parseID(in.Account); err != nil {
				return nil, err
			}
		}
		from, to, err := a.span(in.From, in.To, 0)
		if err != nil {
			return nil, err
		}
		list, err := a.CDR.States(ctx, actor, id, from, to)
		if err != nil {
			return nil, err
		}
		out := spansOut{Items: []SeatSpan{}}
		for _, s := range list {
			out.Items = append(out.Items, SeatSpan{s.State, seatStateWord(s.State), stamp(s.From), stamp(s.To)})
		}
		return &struct{ Body spansOut }{out}, a.seenMany(ctx, "voice.state", len(list), strconv.FormatInt(id, 10))
	})
}

func (a *API) figureName(by, key string) string {
	id, _ := strconv.ParseInt(key, 10, 64)
	switch by {
	case cdr.ByPlatform, cdr.ByUnit:
		return a.Org.Tree().Name(id)
	case cdr.BySeat:
		return a.accountName(id)
	case cdr.ByLine:
		return key + a.Lines.Name(key, a.now())
	case cdr.BySkill:
		if n, ok := strings.CutPrefix(key, "line:"); ok {
			return n + a.Lines.Name(n, a.now())
		}
		return acd.SkillWord(key)
	case cdr.ByHour:
		return key + "时"
	}
	return key
}

func (a *API) callbackRoutes() {
	type callbacksOut struct {
		Items []CallbackRow `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/callbacks", "voice-callbacks", "漏接回拨", Rule{Roles: []access.Role{access.ShiftLead, access.Callback, access.Inspector, access.Supervisor, access.Province}, Audit: "call.list"}, func(ctx context.Context, in *struct {
		State string `query:"state" enum:"open,done,gave_up,came_back,"`
		From  string `query:"from"`
	}) (*struct{ Body callbacksOut }, error) {
		from, _, err := a.span(in.From, "", 1)
		if err != nil {
			return nil, err
		}
		list, err := a.CDR.Callbacks(ctx, actorOf(ctx), in.State, from)
		if err != nil {
			return nil, err
		}
		now := clock.Millis(a.now())
		out := callbacksOut{Items: []CallbackRow{}}
		for _, b := range list {
			out.Items = append(out.Items, CallbackRow{Call: ID(b.Call), Kind: b.Kind, KindLabel: map[string]string{"missed": "漏接", "kept": "保留位置", "dropped": "断线"}[b.Kind], Line: b.Line, Number: b.Masked, Due: stamp(b.Due),
				Late: b.DoneAt > b.Due || b.DoneAt == 0 && now > b.Due, State: b.State, StateLabel: cdr.CallbackWord(b.State), Tries: b.Tries, Made: stamp(b.Made), Done: stamp(b.DoneAt)})
		}
		return &struct{ Body callbacksOut }{out}, a.seenMany(ctx, "call.list", len(list), "callbacks")
	})
	type ledgerOut struct {
		Items []TransferOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/transfers", "voice-transfers", "转接台账", callers, func(ctx context.Context, in *struct {
		From string `query:"from"`
		To   string `query:"to"`
		Kind string `query:"kind" enum:"emergency,utility,line,city,queue,"`
	}) (*struct{ Body ledgerOut }, error) {
		from, to, err := a.span(in.From, in.To, 7)
		if err != nil {
			return nil, err
		}
		list, err := a.CDR.Transfers(ctx, actorOf(ctx), from, to, in.Kind)
		if err != nil {
			return nil, err
		}
		out := ledgerOut{Items: []TransferOut{}}
		for _, t := range list {
			out.Items = append(out.Items, a.transferOut(t))
		}
		return &struct{ Body ledgerOut }{out}, a.seenMany(ctx, "call.list", len(list), "transfers")
	})
}

func (a *API) specialOut(x cdr.Special) SpecialOut {
	o := SpecialOut{ID: ID(x.ID), Number: x.Masked, Kind: x.Kind, KindLabel: cdr.SpecialKinds[x.Kind], Reason: x.Reason, Applicant: a.accountName(x.Applicant), State: x.State, StateLabel: cdr.SpecialStates[x.State], Expires: stamp(x.Expires), Made: stamp(x.Made)}
	if x.Approver != 0 {
		o.Approver = a.accountName(x.Approver)
	}
	if x.State == "active" && x.Expires <= clock.Millis(a.now()) {
		o.StateLabel = "已到期"
	}
	return o
}

func (a *API) specialRoutes() {
	type specialsOut struct {
		Items []SpecialOut `json:"items"`
	}
	keep := Rule{Roles: []access.Role{access.ShiftLead, access.Supervisor, access.Province}, Audit: "special"}
	route(a, http.MethodGet, "/api/v1/voice/special", "voice-special", "特殊名单", keep, func(ctx context.Context, in *struct {
		State string `query:"state" enum:"pending,active,rejected,lifted,"`
	}) (*struct{ Body specialsOut }, error) {
		list, err := a.CDR.Specials(ctx, actorOf(ctx), in.State)
		if err != nil {
			return nil, err
		}
		out := specialsOut{Items: []SpecialOut{}}
		for _, x := range list {
			out.Items = append(out.Items, a.specialOut(x))
		}
		return &struct{ Body specialsOut }{out}, a.seenMany(ctx, "special", len(list), "list")
	})
	type specialIn struct {
		Number  string `json:"number" maxLength:"30"`
		Kind    string `json:"kind" maxLength:"20"`
		Reason  string `json:"reason" maxLength:"300"`
		Expires string `json:"expires" maxLength:"40"`
	}
	propose := keep
	propose.Audit = "special.propose"
	propose.Roles = append([]access.Role{access.Agent}, keep.Roles...)
	route(a, http.MethodPost, "/api/v1/voice/special", "voice-special-create", "提出列入特殊名单", propose, func(ctx context.Context, in *struct{ Body specialIn }) (*struct{ Body SpecialOut }, error) {
		actor := actorOf(ctx)
		until, err := a.formTime("expires", in.Body.Expires)
		if err != nil {
			return nil, err
		}
		x, err := a.CDR.ProposeSpecial(ctx, a.Audit, actor, a.Org.Tree().Platform(actor.Unit).ID, in.Body.Number, in.Body.Kind, in.Body.Reason, clock.Millis(until))
		if err != nil {
			return nil, err
		}
		return &struct{ Body SpecialOut }{a.specialOut(x)}, nil
	})
	decide := keep
	decide.Audit = "special.approve"
	route(a, http.MethodPost, "/api/v1/voice/special/{id}/{decision}", "voice-special-decide", "审批或解除特殊名单", decide, func(ctx context.Context, in *struct {
		ID       string `path:"id"`
		Decision string `path:"decision" enum:"approve,reject,lift"`
	}) (*struct{ Body SpecialOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		x, err := a.CDR.DecideSpecial(ctx, a.Audit, actorOf(ctx), id, in.Decision)
		if err != nil {
			return nil, err
		}
		if a.Voice != nil {
			err = a.Voice.SpecialChanged(ctx)
		}
		return &struct{ Body SpecialOut }{a.specialOut(x)}, err
	})
}

// LeaderOut is a session of 领导接听.
type LeaderOut struct {
	ID         ID     `json:"id"`
	Leader     ID     `json:"leader"`
	LeaderName string `json:"leader_name"`
	Title      string `json:"title"`
	From       string `json:"from"`
	To         string `json:"to"`
}

// LeaderItemOut is a matter that a leader took.
type LeaderItemOut struct {
	ID     ID     `json:"id"`
	Call   ID     `json:"call"`
	Ticket ID     `json:"ticket"`
	Number string `json:"ticket_number"`
	State  string `json:"state"`
	Note   string `json:"note"`
	Due    string `json:"due"`
	Late   bool   `json:"late"`
	At     string `json:"at"`
}

func (a *API) leaderRoutes() {
	see := Rule{Roles: []access.Role{access.ShiftLead, access.Supervisor, access.Province, access.Leader}, Audit: "leader"}
	edit := see
	edit.Roles = []access.Role{access.ShiftLead, access.Supervisor, access.Province}
	one := func(l cdr.LeaderSession) LeaderOut {
		return LeaderOut{ID(l.ID), ID(l.Leader), a.accountName(l.Leader), l.Title, stamp(l.From), stamp(l.To)}
	}
	type sessionsOut struct {
		Items []LeaderOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/leader", "voice-leader", "领导接听", see, func(ctx context.Context, _ *struct{}) (*struct{ Body sessionsOut }, error) {
		list, err := a.CDR.LeaderSessions(ctx, actorOf(ctx))
		if err != nil {
			return nil, err
		}
		out := sessionsOut{Items: []LeaderOut{}}
		for _, l := range list {
			out.Items = append(out.Items, one(l))
		}
		return &struct{ Body sessionsOut }{out}, a.seenMany(ctx, "leader", len(list), "list")
	})
	type sessionIn struct {
		Leader ID     `json:"leader"`
		Title  string `json:"title" maxLength:"60"`
		From   string `json:"from" maxLength:"40"`
		To     string `json:"to" maxLength:"40"`
	}
	route(a, http.MethodPost, "/api/v1/voice/leader", "voice-leader-create", "安排领导接听", edit, func(ctx context.Context, in *struct{ Body sessionIn }) (*struct{ Body LeaderOut }, error) {
		actor := actorOf(ctx)
		from, err := a.formTime("from", in.Body.From)
		if err != nil {
			return nil, err
		}
		to, err := a.formTime("to", in.Body.To)
		if err != nil {
			return nil, err
		}
		if who, err := a.Access.Get(ctx, int64(in.Body.Leader)); err != nil || !a.within(actor, who.Unit) {
			return nil, fault.Invalid("leader_needed", "请选择本平台的账号。").At(fault.Field{Name: "leader", Detail: "请选择账号。"})
		}
		l, err := a.CDR.AddLeaderSession(ctx, actor, cdr.LeaderSession{Leader: int64(in.Body.Leader), Title: in.Body.Title, From: clock.Millis(from), To: clock.Millis(to)})
		if err != nil {
			return nil, err
		}
		return &struct{ Body LeaderOut }{one(l)}, a.seenMany(ctx, "leader", 1, "create")
	})
	type itemsOut struct {
		Items []LeaderItemOut `json:"items"`
	}
	route(a, http.MethodGet, "/api/v1/voice/leader/{id}/items", "voice-leader-items", "领导接听跟踪", see, func(ctx context.Context, in *pathID) (*struct{ Body itemsOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		list, err := a.CDR.LeaderItems(ctx, actor, id)
		if err != nil {
			return nil, err
		}
		var ids []int64
		for _, i := range list {
			ids = append(ids, i.Ticket)
		}
		numbers, err := a.Ticket.Numbers(ctx, ids, access.GrantOf(actor.Role).Clearance)
		if err != nil {
			return nil, err
		}
		now := clock.Millis(a.now())
		out := itemsOut{Items: []LeaderItemOut{}}
		for _, i := range list {
			out.Items = append(out.Items, LeaderItemOut{ID(i.ID), ID(i.Call), ID(i.Ticket), numbers[i.Ticket], i.State, i.Note, stamp(i.Due), i.State == "open" && now > i.Due, stamp(i.At)})
		}
		return &struct{ Body itemsOut }{out}, a.seenMany(ctx, "leader", len(list), "items")
	})
	type noteIn struct {
		Note string `json:"note" maxLength:"300"`
	}
	type doneOut struct {
		Message string `json:"message"`
	}
	route(a, http.MethodPost, "/api/v1/voice/leader/items/{id}/close", "voice-leader-close", "办结领导接听事项", edit, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body noteIn
	}) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		if err := a.CDR.CloseLeaderItem(ctx, actorOf(ctx), id, in.Body.Note); err != nil {
			return nil, err
		}
		return &struct{ Body doneOut }{doneOut{"已办结。"}}, a.seenMany(ctx, "leader", 1, "close")
	})
}

// seatStateWord names a state of a seat's day.
func seatStateWord(s string) string {
	for k, v := range flow.StateWord {
		if string(k) == s {
			return v
		}
	}
	return s
}
