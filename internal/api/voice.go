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
	"hotline/internal/voice/acd"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/flow"
	"hotline/internal/voice/seat"
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
	Mine       bool   `json:"mine" doc:"由本人提出，须他人批准"`
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

// leads keep the centre's lists.
var leads = []access.Role{access.ShiftLead, access.Province}

func (a *API) voiceRoutes() {
	a.targetRoutes()
	route(a, http.MethodGet, "/api/v1/voice/wall", "voice-wall", "班长墙", Rule{Roles: []access.Role{access.ShiftLead, access.Inspector, access.Supervisor, access.Province, access.Leader}, Audit: "voice.wall"}, func(ctx context.Context, _ *struct{}) (*struct{ Body flow.Wall }, error) {
		x, err := a.exchange(actorOf(ctx))
		if err != nil {
			return nil, err
		}
		w, err := x.Wall(ctx, actorOf(ctx))
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
	a.holdRoutes()
	a.textRoutes()
}

const maxPeople = 500 // of one role at one centre

// exchange is what carries the calls of a person's centre; unavailable
// voice_absent when nothing does.
func (a *API) exchange(who access.Actor) (seat.Exchange, error) {
	if a.Exchange != nil {
		if x := a.Exchange(who); x != nil {
			return x, nil
		}
	}
	return nil, errNoVoice()
}

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
		of := a.CDR.ShareOf(actor)
		rows, total, err := a.CDR.Ask(ctx, of, cdr.Question{By: in.By, From: dayNumber(from), To: dayNumber(to - 1), Line: in.Line})
		if err != nil {
			return nil, err
		}
		out := figuresOut{Items: []FiguresRow{}, Total: FiguresRow{Name: "合计", Figures: total.Figures, Rates: total.Rates},
			Note: "接通率为接听÷转人工，“剔除”口径不计经登记的突发和系统故障时段；15秒接通率为15秒内接听÷接听，另列÷转人工口径；呼损率含与不含5秒内短放弃并列。"}
		_, tests, err := a.CDR.Ask(ctx, of, cdr.Question{By: cdr.ByTest, From: dayNumber(from), To: dayNumber(to - 1), Line: in.Line})
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
		Kind string `query:"kind" enum:"emergency,utility,line,city,queue,seat,"`
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

func (a *API) specialOut(ctx context.Context, x cdr.Special) SpecialOut {
	o := SpecialOut{ID: ID(x.ID), Number: x.Masked, Kind: x.Kind, KindLabel: cdr.SpecialKinds[x.Kind], Reason: x.Reason, Applicant: a.accountName(x.Applicant), State: x.State, StateLabel: cdr.SpecialStates[x.State], Expires: stamp(x.Expires), Made: stamp(x.Made), Mine: x.Applicant == actorOf(ctx).Account}
	if x.Approver != 0 {
		o.Approver = a.accountName(x.Approver)
	}
	if x.State == "active" && x.Expires <= clock.Millis(a.now()) {
		o.State, o.StateLabel = "expired", "已到期"
	}
	return o
}

func (a *API) specialRoutes() {
	type specialsOut struct {
		Items []SpecialOut `json:"items"`
	}
	keep := Rule{Roles: []access.Role{access.ShiftLead, access.Supervisor, access.Province}, Audit: "special"}
	route(a, http.MethodGet, "/api/v1/voice/special", "voice-special", "特殊名单", keep, func(ctx context.Context, in *struct {
		State string `query:"state" enum:"pending,active,expired,rejected,lifted,"`
	}) (*struct{ Body specialsOut }, error) {
		kept := in.State
		if kept == "expired" { // is kept as active: the day alone ends it
			kept = "active"
		}
		list, err := a.CDR.Specials(ctx, actorOf(ctx), kept)
		if err != nil {
			return nil, err
		}
		out := specialsOut{Items: []SpecialOut{}}
		for _, x := range list {
			if o := a.specialOut(ctx, x); in.State == "" || o.State == in.State {
				out.Items = append(out.Items, o)
			}
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
		until, err := a.lastMoment("expires", in.Body.Expires)
		if err != nil {
			return nil, err
		}
		x, err := a.CDR.ProposeSpecial(ctx, a.Audit, actor, a.Org.Tree().Platform(actor.Unit).ID, in.Body.Number, in.Body.Kind, in.Body.Reason, clock.Millis(until))
		if err != nil {
			return nil, err
		}
		return &struct{ Body SpecialOut }{a.specialOut(ctx, x)}, nil
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
		return &struct{ Body SpecialOut }{a.specialOut(ctx, x)}, err
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
