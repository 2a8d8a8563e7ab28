package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/region"
	"hotline/internal/voice/cdr"
)

// CallRow is one line of the list of calls. The number is masked.
type CallRow struct {
	ID          ID       `json:"id"`
	Direction   string   `json:"direction" enum:"in,out"`
	Number      string   `json:"number"`
	Caller      string   `json:"caller" doc:"同一号码的话单此值相同，不能还原"`
	Line        string   `json:"line"`
	LineName    string   `json:"line_name"`
	Mode        string   `json:"mode"`
	Platform    ID       `json:"platform"`
	Region      string   `json:"region"`
	RegionName  string   `json:"region_name"`
	Seat        ID       `json:"seat"`
	SeatName    string   `json:"seat_name"`
	UnitName    string   `json:"unit_name"`
	Ticket      ID       `json:"ticket"`
	Origin      ID       `json:"origin" doc:"回拨的原来电"`
	Began       string   `json:"began"`
	Queued      string   `json:"queued"`
	Answered    string   `json:"answered"`
	Ended       string   `json:"ended"`
	WaitMs      int64    `json:"wait_ms"`
	TalkMs      int64    `json:"talk_ms"`
	HoldMs      int64    `json:"hold_ms"`
	AcwMs       int64    `json:"acw_ms"`
	Result      string   `json:"result"`
	ResultLabel string   `json:"result_label"`
	Flags       []string `json:"flags"`
	FlagLabels  []string `json:"flag_labels"`
	Survey      int      `json:"survey"`
	Solved      string   `json:"solved"`
	MOS         float64  `json:"mos"`
}

var flagWords = map[string]string{"repeat": "重复来电", "special": "特殊名单", "emergency": "紧急情形", "abuse": "辱骂", "harass": "骚扰", "silent": "静默来电", "seat_lost": "席位断线", "redial": "断线回拨", "callback": "漏接回拨", "adopted": "重启接续",
	"leader": "领导接听", "wrong_number": "打错", "minor": "未成年人", "test": "拨测"}

func (a *API) callRow(c *cdr.Call) CallRow {
	r := CallRow{ID: ID(c.ID), Direction: c.Direction, Number: c.Masked, Caller: c.Key(), Line: c.Line, LineName: a.Lines.Name(c.Line, a.now()), Mode: c.Mode, Platform: ID(c.Platform), Region: c.Region, RegionName: region.FullName(c.Region),
		Seat: ID(c.Seat), UnitName: a.Org.Tree().Name(c.Unit), Ticket: ID(c.Ticket), Origin: ID(c.Origin), Began: stamp(c.Began), Queued: stamp(c.Queued), Answered: stamp(c.AnsweredAt), Ended: stamp(c.EndedAt), WaitMs: c.WaitMs(), TalkMs: c.TalkMs(),
		HoldMs: c.HoldMs, AcwMs: c.AcwMs, Result: c.Result, ResultLabel: cdr.ResultWord(c.Result), Flags: append([]string{}, c.Flags...), FlagLabels: []string{}, Survey: c.Survey, Solved: c.Solved, MOS: float64(c.MOS) / 100}
	if c.Seat != 0 {
		r.SeatName = a.accountName(c.Seat)
	}
	for _, f := range c.Flags {
		r.FlagLabels = append(r.FlagLabels, flagWords[f])
	}
	return r
}

// CallOut is one call with its parts.
type CallOut struct {
	CallRow
	TicketNumber string          `json:"ticket_number"`
	Cause        int             `json:"cause" doc:"Q.850"`
	By           string          `json:"by"`
	Loss         float64         `json:"loss"`
	Jitter       int             `json:"jitter"`
	Legs         []CallLeg       `json:"legs"`
	Offers       []CallOffer     `json:"offers" doc:"振铃过的席位和理由"`
	Transfers    []TransferOut   `json:"transfers"`
	Recordings   []CallRecording `json:"recordings"`
	MayListen    bool            `json:"may_listen"`
	Holds        []HoldOut       `json:"holds" doc:"封存，最近的在前"`
	MayHold      bool            `json:"may_hold"`
}

// CallLeg is one party's connection.
type CallLeg struct {
	Kind     string  `json:"kind"`
	Party    string  `json:"party"`
	SeatName string  `json:"seat_name"`
	Began    string  `json:"began"`
	Answered string  `json:"answered"`
	Ended    string  `json:"ended"`
	Cause    int     `json:"cause"`
	MOS      float64 `json:"mos"`
	Loss     float64 `json:"loss"`
	Jitter   int     `json:"jitter"`
}

// CallOffer is one ringing of one seat.
type CallOffer struct {
	SeatName string `json:"seat_name"`
	Reach    string `json:"reach"`
	Why      string `json:"why"`
	Began    string `json:"began"`
	RingMs   int64  `json:"ring_ms"`
	Outcome  string `json:"outcome"`
	Label    string `json:"outcome_label"`
}

// TransferOut is one line of the ledger (转接台账).
type TransferOut struct {
	ID        ID     `json:"id"`
	Call      ID     `json:"call"`
	FromName  string `json:"from_name"`
	Target    string `json:"target"`
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Mode      string `json:"mode"`
	ModeLabel string `json:"mode_label"`
	Reason    string `json:"reason"`
	Began     string `json:"began"`
	RingMs    int64  `json:"ring_ms"`
	WaitMs    int64  `json:"wait_ms"`
	Result    string `json:"result"`
	Label     string `json:"result_label"`
	Recording string `json:"recording"`
}

// CallRecording is a recording of a call.
type CallRecording struct {
	Rec     string `json:"rec"`
	Began   string `json:"began"`
	BeganMs int64  `json:"began_ms"`
	Ms      int64  `json:"ms"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	Ready   bool   `json:"ready"`
	Expired bool   `json:"expired" doc:"已超过保存期限，按规定销毁"`
}

func (a *API) transferOut(t cdr.Transfer) TransferOut {
	o := TransferOut{ID: ID(t.ID), Call: ID(t.Call), Target: t.Target, Name: t.Name, Kind: t.Kind, Mode: t.Mode, ModeLabel: map[string]string{"warm": "咨询转接", "blind": "盲转", "conference": "三方通话", "forward": "自动转接", "queue": "转技能组", "seat": "转座席"}[t.Mode], Reason: t.Reason,
		Began: stamp(t.Began), RingMs: t.RingMs, WaitMs: t.WaitMs, Result: t.Result, Label: cdr.TransferWord(t.Result), Recording: t.Recording}
	if t.From != 0 {
		o.FromName = a.accountName(t.From)
	}
	return o
}

// callers are who may read records of calls at all; the scope decides which.
var callers = Rule{Roles: []access.Role{access.Agent, access.ShiftLead, access.BranchAgent, access.Callback, access.Inspector, access.Supervisor, access.Province, access.Cell}, Audit: "call.list"}

func (a *API) callRoutes() {
	type listOut struct {
		Items []CallRow `json:"items"`
		Next  string    `json:"next"`
		Total int64     `json:"total" doc:"按计入口径查询时的总数，否则为 -1"`
	}
	route(a, http.MethodGet, "/api/v1/calls", "calls-list", "话单", callers, func(ctx context.Context, in *struct {
		From      string `query:"from"`
		To        string `query:"to"`
		Line      string `query:"line" maxLength:"12"`
		Result    string `query:"result" maxLength:"20"`
		Direction string `query:"direction" enum:"in,out,"`
		Flag      string `query:"flag" maxLength:"20"`
		Phone     string `query:"phone" maxLength:"30" doc:"完整号码"`
		Seat      string `query:"seat"`
		Ticket    string `query:"ticket"`
		Set       string `query:"set" enum:"offered,queued,answered,in15,late,missed,abandoned,short,surveyed," doc:"话务统计的计入口径，不含拨测"`
		Platform  string `query:"platform"`
		Unit      string `query:"unit"`
		Skill     string `query:"skill" maxLength:"40"`
		Hour      string `query:"hour" maxLength:"2" doc:"一天中的小时，0至23"`
		Cursor    string `query:"cursor" maxLength:"60"`
		Limit     int    `query:"limit" maximum:"200"`
	}) (*struct{ Body listOut }, error) {
		f := cdr.Filter{Line: in.Line, Result: in.Result, Direction: in.Direction, Flag: in.Flag, Number: in.Phone, Set: in.Set, Skill: in.Skill, Cursor: in.Cursor, Limit: in.Limit}
		var err error
		if f.From, err = dayStart(in.From, 0); err != nil {
			return nil, err
		}
		if f.To, err = dayStart(in.To, 1); err != nil {
			return nil, err
		}
		for _, x := range []struct {
			raw string
			id  *int64
		}{{in.Seat, &f.Seat}, {in.Ticket, &f.Ticket}, {in.Platform, &f.Platform}, {in.Unit, &f.Unit}} {
			if x.raw == "" {
				continue
			}
			if *x.id, err = parseID(x.raw); err != nil {
				return nil, err
			}
		}
		if in.Hour != "" {
			h, err := strconv.Atoi(in.Hour)
			if err != nil || h < 0 || h > 23 {
				return nil, fault.Invalid("hour_invalid", "小时应为0至23。").At(fault.Field{Name: "hour", Detail: "应为0至23。"})
			}
			f.Hour = h + 1
		}
		list, next, total, err := a.CDR.List(ctx, actorOf(ctx), f)
		if err != nil {
			return nil, err
		}
		out := listOut{Items: make([]CallRow, 0, len(list)), Next: next, Total: total}
		for _, c := range list {
			out.Items = append(out.Items, a.callRow(c))
		}
		query := "list"
		if in.Phone != "" {
			query = "phone"
		}
		return &struct{ Body listOut }{out}, a.seenMany(ctx, "call.list", len(list), query)
	})
	view := callers
	view.Audit = "call.view"
	route(a, http.MethodGet, "/api/v1/calls/{id}", "calls-get", "一通电话", view, func(ctx context.Context, in *pathID) (*struct{ Body CallOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		d, err := a.CDR.Get(ctx, actor, id)
		if err != nil {
			return nil, err
		}
		err = a.Audit.Seen(ctx, audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: "call.view", SubjectKind: "call", Subject: id, Count: 1, IP: actor.IP})
		return &struct{ Body CallOut }{a.callOut(ctx, actor, d)}, err
	})
	a.transcriptRoutes()
	a.raw(http.MethodGet, "/api/v1/calls/{id}/recording", "calls-recording", "收听录音", Rule{Verbs: []access.Verb{access.Listen}, Roles: []access.Role{access.Cell}, Audit: "call.play"}, func(w http.ResponseWriter, r *http.Request) error {
		id, err := parseID(r.PathValue("id"))
		if err != nil {
			return err
		}
		rec, err := a.CDR.MayListen(r.Context(), a.Audit, actorOf(r.Context()), id, r.URL.Query().Get("rec"))
		if err != nil {
			return err
		}
		if a.Recording == nil {
			return fault.Unavailable("voice_absent", "本机没有配置语音平台，录音暂不能收听。")
		}
		f, err := a.Recording(rec.Rec)
		if err != nil {
			return fault.Unavailable("recording_unreadable", "录音文件无法读取，请联系系统管理员。").Because(err)
		}
		defer f.Close()
		w.Header().Set("Content-Type", "audio/wav")
		w.Header().Set("Cache-Control", "private, no-store")
		http.ServeContent(w, r, rec.Rec+".wav", clock.FromMillis(rec.Began), f)
		return nil
	})
}

// UtteranceOut is a sentence of a transcript.
type UtteranceOut struct {
	ID       ID     `json:"id"`
	Who      string `json:"who" enum:"caller,seat,external"`
	WhoLabel string `json:"who_label"`
	SeatName string `json:"seat_name"`
	From     string `json:"from"`
	FromMs   int64  `json:"from_ms" doc:"毫秒时刻，用于与录音对齐"`
	ToMs     int64  `json:"to_ms"`
	Text     string `json:"text"`
	Source   string `json:"source" doc:"识别服务"`
}

func (a *API) transcriptRoutes() {
	type transcriptOut struct {
		Items    []UtteranceOut `json:"items"`
		Clear    bool           `json:"clear" doc:"真为原文，假为脱敏文本"`
		MayClear bool           `json:"may_clear"`
	}
	read := callers
	read.Audit = "call.transcript"
	route(a, http.MethodGet, "/api/v1/calls/{id}/transcript", "calls-transcript", "通话转写", read, func(ctx context.Context, in *struct {
		ID    string `path:"id"`
		Clear bool   `query:"clear" doc:"原文，限可收听录音的岗位"`
	}) (*struct{ Body transcriptOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		list, err := a.CDR.Transcript(ctx, a.Audit, actor, id, in.Clear)
		if err != nil {
			return nil, err
		}
		out := transcriptOut{Items: make([]UtteranceOut, 0, len(list)), Clear: in.Clear, MayClear: actor.May(access.Listen) || actor.Role == access.Cell}
		for _, u := range list {
			o := UtteranceOut{ID: ID(u.ID), Who: u.Who, WhoLabel: cdr.WhoWord(u.Who), From: stamp(u.From), FromMs: u.From, ToMs: u.To, Text: u.Text, Source: u.Source}
			if u.Seat != 0 {
				o.SeatName = a.accountName(u.Seat)
			}
			out.Items = append(out.Items, o)
		}
		return &struct{ Body transcriptOut }{out}, nil
	})
}

func (a *API) callOut(ctx context.Context, actor access.Actor, d cdr.Detail) CallOut {
	c := d.Call
	o := CallOut{CallRow: a.callRow(c), Cause: c.Cause, By: c.By, Loss: float64(c.Loss) / 1000, Jitter: c.Jitter, Legs: []CallLeg{}, Offers: []CallOffer{}, Transfers: []TransferOut{}, Recordings: []CallRecording{}, Holds: []HoldOut{}, MayHold: slices.Contains(holders, actor.Role)}
	if c.Ticket != 0 {
		if n, err := a.Ticket.Numbers(ctx, []int64{c.Ticket}, access.GrantOf(actor.Role).Clearance); err == nil {
			o.TicketNumber = n[c.Ticket]
		}
	}
	for _, l := range d.Legs {
		x := CallLeg{Kind: l.Kind, Party: l.Party, Began: stamp(l.Began), Answered: stamp(l.Answered), Ended: stamp(l.Ended), Cause: l.Cause, MOS: float64(l.MOS) / 100, Loss: float64(l.Loss) / 1000, Jitter: l.Jitter}
		if l.Seat != 0 {
			x.SeatName = a.accountName(l.Seat)
		}
		o.Legs = append(o.Legs, x)
	}
	for _, f := range d.Offers {
		x := CallOffer{SeatName: a.accountName(f.Seat), Reach: f.Reach, Why: f.Why, Began: stamp(f.Began), Outcome: f.Outcome, Label: map[string]string{"answered": "已接听", "no_answer": "未应答", "gone": "诉求人挂断", "": "振铃中"}[f.Outcome]}
		if f.Ended > 0 {
			x.RingMs = f.Ended - f.Began
		}
		o.Offers = append(o.Offers, x)
	}
	for _, h := range d.Holds {
		o.Holds = append(o.Holds, a.holdOut(h))
	}
	for _, t := range d.Transfers {
		o.Transfers = append(o.Transfers, a.transferOut(t))
	}
	for _, r := range d.Recordings {
		o.Recordings = append(o.Recordings, CallRecording{r.Rec, stamp(r.Began), r.Began, r.Ms, r.Bytes, r.SHA256, r.State == "ready", r.State == cdr.Expired})
		o.MayListen = o.MayListen || r.State == "ready" && actor.May(access.Listen)
	}
	return o
}

// span reads a range of days, by default the last seven.
func (a *API) span(from, to string, days int) (int64, int64, error) {
	f, err := dayStart(from, 0)
	if err != nil {
		return 0, 0, err
	}
	t, err := dayStart(to, 1)
	if err != nil {
		return 0, 0, err
	}
	now := a.now()
	if t == 0 {
		t = clock.Millis(now.Add(24 * time.Hour))
	}
	if f == 0 {
		f = clock.Millis(now.AddDate(0, 0, -days))
	}
	return f, t, nil
}

// dayNumber is a moment's day as yyyymmdd.
func dayNumber(ms int64) int64 {
	n, _ := strconv.ParseInt(strings.ReplaceAll(clock.FromMillis(ms).Format(time.DateOnly), "-", ""), 10, 64)
	return n
}
