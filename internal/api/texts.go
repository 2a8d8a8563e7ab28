package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/intake"
	"hotline/internal/region"
	"hotline/internal/voice/text"
)

// TalkOut is a conversation in writing with a caller. The number is masked.
type TalkOut struct {
	ID         ID     `json:"id"`
	Call       ID     `json:"call"`
	Number     string `json:"number"`
	Line       string `json:"line"`
	RegionName string `json:"region_name"`
	Seat       ID     `json:"seat"`
	SeatName   string `json:"seat_name"`
	State      string `json:"state" enum:"open,closed,expired"`
	StateLabel string `json:"state_label"`
	Made       string `json:"made"`
	Expires    string `json:"expires"`
	Opened     bool   `json:"opened" doc:"诉求人打开过链接"`
	LastAt     string `json:"last_at"`
	Unread     int    `json:"unread"`
}

// TalkLine is one message of a conversation.
type TalkLine struct {
	ID       ID     `json:"id"`
	Who      string `json:"who" enum:"citizen,seat"`
	SeatName string `json:"seat_name"`
	At       string `json:"at"`
	Text     string `json:"text"`
}

func (a *API) talkOut(t *text.Talk) TalkOut {
	state := t.State
	if t.Over(clock.Millis(a.now())) && state == text.Open {
		state = "expired"
	}
	return TalkOut{ID: ID(t.ID), Call: ID(t.Call), Number: t.Masked, Line: t.Line, RegionName: region.FullName(t.Region), Seat: ID(t.Seat), SeatName: a.accountName(t.Seat), State: state,
		StateLabel: map[string]string{text.Open: "进行中", text.Closed: "已结束", "expired": "已过期"}[state], Made: stamp(t.Made), Expires: stamp(t.Expires), Opened: t.Opened > 0, LastAt: stamp(t.LastAt), Unread: t.Unread}
}

// writers hold conversations: those who sit at the telephone.
var writers = []access.Role{access.Agent, access.ShiftLead, access.BranchAgent, access.Callback}

func (a *API) textRoutes() {
	type listOut struct {
		Items  []TalkOut `json:"items"`
		Unread int       `json:"unread" doc:"本人未读的消息数"`
	}
	type talkOut struct {
		TalkOut
		Lines []TalkLine `json:"lines"`
	}
	type sayIn struct {
		Text string `json:"text" maxLength:"2000"`
		Key  string `json:"key,omitempty" maxLength:"64" doc:"同一值只算一条"`
	}
	type doneOut struct {
		Message string `json:"message"`
	}
	rule := func(op string) Rule { return Rule{Roles: writers, Audit: op} }
	route(a, http.MethodGet, "/api/v1/voice/texts", "texts-list", "文字会话", rule("text.list"), func(ctx context.Context, _ *struct{}) (*struct{ Body listOut }, error) {
		actor := actorOf(ctx)
		list, err := a.Text.List(ctx, actor)
		if err != nil {
			return nil, err
		}
		out := listOut{Items: []TalkOut{}}
		for _, t := range list {
			out.Items = append(out.Items, a.talkOut(t))
			if t.Seat == actor.Account && t.State == text.Open {
				out.Unread += t.Unread
			}
		}
		return &struct{ Body listOut }{out}, a.seenMany(ctx, "text.list", len(list), "")
	})
	route(a, http.MethodGet, "/api/v1/voice/texts/{id}", "texts-get", "一个文字会话", rule("text.view"), func(ctx context.Context, in *pathID) (*struct{ Body talkOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		t, lines, err := a.Text.Read(ctx, a.Audit, actorOf(ctx), id)
		if err != nil {
			return nil, err
		}
		out := talkOut{TalkOut: a.talkOut(t), Lines: []TalkLine{}}
		for _, l := range lines {
			o := TalkLine{ID: ID(l.ID), Who: l.Who, At: stamp(l.At), Text: l.Text}
			if l.Account != 0 {
				o.SeatName = a.accountName(l.Account)
			}
			out.Lines = append(out.Lines, o)
		}
		return &struct{ Body talkOut }{out}, nil
	})
	write := func(ctx context.Context, op string, id int64) func(*db.Tx) error {
		return func(tx *db.Tx) error {
			return a.recordIn(tx, actorOf(ctx), audit.Entry{Op: op, SubjectKind: "text", Subject: id, Count: 1})
		}
	}
	route(a, http.MethodPost, "/api/v1/voice/texts/{id}/lines", "texts-say", "发送文字", rule("text.say"), func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body sayIn
	}) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		return &struct{ Body doneOut }{doneOut{"已发送。"}}, a.Text.Answer(ctx, actorOf(ctx), id, in.Body.Key, in.Body.Text, write(ctx, "text.say", id))
	})
	route(a, http.MethodPost, "/api/v1/voice/texts/{id}/close", "texts-close", "结束文字会话", rule("text.close"), func(ctx context.Context, in *pathID) (*struct{ Body doneOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		return &struct{ Body doneOut }{doneOut{"会话已结束。"}}, a.Text.Close(ctx, actorOf(ctx), id, write(ctx, "text.close", id))
	})
	// The words of the citizen become the draft of a ticket that is bound to the call.
	route(a, http.MethodPost, "/api/v1/voice/texts/{id}/draft", "texts-draft", "由文字会话生成工单草稿", rule("text.draft"), func(ctx context.Context, in *pathID) (*struct{ Body intake.Draft }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		t, lines, err := a.Text.Read(ctx, a.Audit, actor, id)
		if err != nil {
			return nil, err
		}
		content := ""
		for _, l := range lines {
			if l.Who == "citizen" {
				content += l.Text + "\n"
			}
		}
		err = a.DB.Update(ctx, write(ctx, "text.draft", id))
		if err != nil {
			return nil, err
		}
		number, err := a.Text.Number(ctx, t.Call)
		if err != nil {
			return nil, err
		}
		draft := fmt.Sprintf("text-%d", id)
		body := map[string]any{"call": fmt.Sprint(t.Call), "line": t.Line, "channel": "sms", "content": strings.TrimSpace(content), "requester": map[string]any{"phone": number, "kind": "个人"}}
		if !strings.HasSuffix(t.Region, "0000") { // a number that names no city says nothing about the place
			body["region"], body["regionName"] = t.Region, region.FullName(t.Region)
		}
		d, err := a.Intake.SaveDraft(ctx, actor.Account, draft, "文字会话"+t.Masked, body)
		return &struct{ Body intake.Draft }{d}, err
	})
}
