package app

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/citizen"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/region"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

func timeOf(ms int64) time.Time { return clock.FromMillis(ms) }

// find opens a ticket by the right that the reference carries.
func (s *site) find(ctx context.Context, ref citizen.Ref) (*ticket.Ticket, error) {
	if ref.Code != "" {
		right, err := s.a.Gate.Try(ref.IP, ref.Number)
		if err != nil {
			return nil, err
		}
		t, err := s.a.Ticket.ByCode(ctx, ref.Number, ref.Code)
		if err == nil {
			right()
		}
		return t, err
	}
	none := fault.NotFound("progress_not_found", "单号或查询码不正确，请核对后再试。")
	kind, subject, ok := s.readToken(ref.Token)
	if !ok {
		return nil, none
	}
	id, err := s.a.Ticket.ByNumber(ctx, ref.Number)
	if err != nil {
		return nil, none
	}
	t, err := s.a.Ticket.Get(ctx, access.AsCitizen(0, ref.IP), id)
	if err != nil {
		return nil, none
	}
	if kind == "t" && subject == strconv.FormatInt(t.ID, 10) || kind == "p" && subject == hex.EncodeToString(t.PhoneBI) && len(t.PhoneBI) > 0 {
		return t, nil
	}
	return nil, none
}

// token is a short-lived right: kind "t" opens one ticket, "p" those of one phone.
func (s *site) token(kind, subject string, life time.Duration) string {
	body := kind + "." + subject + "." + strconv.FormatInt(s.Now().Add(life).Unix(), 36)
	return body + "." + hex.EncodeToString(s.a.Ring.Blind("site_token", body))
}

func (s *site) readToken(tok string) (kind, subject string, ok bool) {
	p := strings.Split(tok, ".")
	if len(p) != 4 {
		return "", "", false
	}
	if hex.EncodeToString(s.a.Ring.Blind("site_token", strings.Join(p[:3], "."))) != p[3] {
		return "", "", false
	}
	until, err := strconv.ParseInt(p[2], 36, 64)
	return p[0], p[1], err == nil && s.Now().Unix() < until
}

func (s *site) Follow(ctx context.Context, key, _ string) (citizen.Ref, error) {
	id, err := s.a.Notify.Resolve(ctx, key)
	if err != nil {
		return citizen.Ref{}, err
	}
	t, err := s.a.Ticket.Get(ctx, access.AsCitizen(0, ""), id)
	if err != nil {
		return citizen.Ref{}, err
	}
	return citizen.Ref{Number: t.Number, Token: s.token("t", strconv.FormatInt(id, 10), 24*time.Hour)}, nil
}

func (s *site) Mine(ctx context.Context, tok string) ([]citizen.Summary, error) {
	kind, subject, ok := s.readToken(tok)
	bi, err := hex.DecodeString(subject)
	if !ok || kind != "p" || err != nil {
		return nil, fault.Unauthenticated("token_expired", "登录已过期，请重新获取验证码。")
	}
	list, err := s.a.Ticket.ByPhoneIndex(ctx, bi, 50)
	var out []citizen.Summary
	for _, t := range list {
		out = append(out, citizen.Summary{Number: t.Number, Type: t.Type, Title: t.TitleR, Status: s.status(t), Tone: s.tone(t), At: timeOf(t.Accepted)})
	}
	return out, err
}

func (s *site) status(t *ticket.Ticket) string {
	return s.a.Ticket.RulesNow(t.Platform).StatusWord(t.Status)
}

func (s *site) tone(t *ticket.Ticket) citizen.Tone {
	now := s.Now().UnixMilli()
	switch {
	case ticket.Final(t.Status), t.Status == ticket.ToCallback:
		return citizen.ToneDone
	case t.Due > 0 && now > t.Due:
		return citizen.ToneLate
	case t.Due > 0 && t.Due-now < 24*3600*1000:
		return citizen.ToneSoon
	case t.Status == ticket.Handling, t.Status == ticket.ToClose, t.Status == ticket.ToRecheck:
		return citizen.ToneRun
	}
	return citizen.ToneWait
}

var stages = map[string]int{ticket.Received: 1, ticket.SeatFix: 1, ticket.Quarantined: 1, ticket.ToDispatch: 2, ticket.Handling: 3, ticket.ToClose: 4, ticket.ToCallback: 5, ticket.ToRecheck: 5}

func (s *site) Progress(ctx context.Context, ref citizen.Ref) (citizen.Progress, error) {
	t, err := s.find(ctx, ref)
	if err != nil {
		return citizen.Progress{}, err
	}
	body, _, err := s.a.Ticket.Own(t)
	if err != nil {
		return citizen.Progress{}, err
	}
	lines, err := s.a.Ticket.Timeline(ctx, t, true)
	if err != nil {
		return citizen.Progress{}, err
	}
	now := s.Now()
	tree := s.a.Org.Tree()
	p := citizen.Progress{Number: t.Number, Type: t.Type, Region: region.FullName(t.Region), Status: s.status(t), Tone: s.tone(t), Stage: stages[t.Status], At: timeOf(t.Accepted),
		Files: len(t.Detail.Attach), Secrecy: citizen.Secrecy(t.Secrecy), Anonymous: t.Secrecy == ticket.SecrecyAnonymous}
	if p.Anonymous {
		p.Secrecy = citizen.SecrecyUnit
	}
	if t.Status == ticket.Closed {
		p.Stage = 6
	}
	if t.Due > 0 && p.Tone != citizen.ToneDone {
		p.Due, p.Late = calendar.Display(now, timeOf(t.Due)), now.UnixMilli() > t.Due
	}
	said := map[int64]string{}
	reply, passed := "", t.Status == ticket.ToCallback || t.Status == ticket.Closed || t.Status == ticket.ToRecheck || t.Status == ticket.Redirected
	for _, l := range lines {
		step := citizen.Step{At: timeOf(l.Event.At), Label: s.stepWord(t, l)}
		if u, ok := tree.Get(l.Event.Unit); ok {
			step.Unit = u.Name
		}
		step.Text = l.Reason
		for _, x := range l.Texts {
			said[x.ID] = x.Text
			switch x.Kind {
			case "reply", "answer", "outcome":
				reply = x.Text
			case "relay_out":
				p.Messages = append(p.Messages, citizen.UnitMessage{At: timeOf(x.At), From: step.Unit, Text: x.Text})
			case "relay_in":
				p.Messages = append(p.Messages, citizen.UnitMessage{At: timeOf(x.At), Text: x.Text, Mine: true})
			case "verdict", "supplement", "evaluation":
				step.Text = x.Text
			}
		}
		if l.Public {
			p.Steps = append(p.Steps, step)
		}
	}
	if !passed {
		reply = ""
	}
	p.Points = s.points(t, body, reply, said, now)
	if p.Viewers, err = s.viewers(ctx, t); err != nil {
		return p, err
	}
	s.permissions(t, &p)
	p.Evaluated = s.evaluated(t)
	return p, nil
}

// stepWord says a step in the citizen's words; a verdict is said with it, as every leg keeps its own.
func (s *site) stepWord(t *ticket.Ticket, l ticket.Entry) string {
	words := map[string]string{"ticket.create": "诉求已收到", "ticket.accept": "已受理", "ticket.answer": "已答复", "ticket.dispatch": "已派单", "ticket.sign": "承办单位已签收", "ticket.contact": "承办单位联系您",
		"ticket.delegate": "已转下级单位办理", "ticket.assist": "增加协办单位", "ticket.decide-extension": "办理期限延长", "ticket.decide-suspension": "暂缓办理", "ticket.resume": "恢复办理", "ticket.close": "已办结",
		"ticket.callback": "电话回访", "ticket.evaluate": "您已评价", "ticket.reopen": "复核", "ticket.urge": "催办", "ticket.withdraw": "已撤回", "ticket.redirect": "已告知法定途径", "ticket.supplement": "您补充了材料",
		"ticket.relay": "您回复了承办单位", "ticket.merge": "与同类诉求合并办理", "ticket.transfer": "已转接", "ticket.escalate": "已提级办理"}
	word, ok := words[l.Event.Kind]
	if !ok {
		return l.Label
	}
	if due, _ := l.Data["due"].(json.Number); l.Event.Kind == "ticket.decide-extension" && due != "" {
		ms, _ := due.Int64()
		day, _, _ := strings.Cut(calendar.Display(s.Now(), timeOf(ms)), "·")
		word += "至" + day
	}
	if l.Data["outcome"] == "reached" {
		word += "：" + s.satisfaction(t, fmt.Sprint(l.Data["sat"]))
	}
	return word
}

// points gives each 诉求点 with the unit that has it; a request without points
// is one point.
func (s *site) points(t *ticket.Ticket, body ticket.Body, reply string, said map[int64]string, now time.Time) []citizen.Point {
	tree := s.a.Org.Tree()
	unit, since, due, state := tree.Name(t.Platform), timeOf(t.Accepted), "", s.status(t)
	var helps []string
	for _, a := range t.Assignments {
		if a.Leg != t.Leg || a.State == ticket.Returned || a.State == ticket.Revoked {
			continue
		}
		if a.Role == ticket.RoleAssist {
			helps = append(helps, tree.Name(a.Unit))
			continue
		}
		unit, since = tree.Name(a.Unit), timeOf(a.Created)
	}
	if t.Due > 0 && s.tone(t) != citizen.ToneDone {
		due = calendar.Display(now, timeOf(t.Due))
	}
	base := citizen.Point{Unit: unit, Helps: helps, Since: since, Due: due, State: state, Tone: s.tone(t), Result: reply}
	if len(t.Detail.Points) == 0 {
		base.Text = body.Title
		return []citizen.Point{base}
	}
	var out []citizen.Point
	for _, p := range t.Detail.Points {
		x := base
		x.Text = p.Text
		if p.State == "split" {
			out = append(out, citizen.Point{Text: p.Text, State: "另立单号", Tone: citizen.ToneRun, Split: p.Split})
			continue
		}
		if p.State == "answered" {
			x.State = "已答复"
			if reply != "" {
				x.Result = cmp.Or(said[p.Said], p.Result)
			}
		}
		if p.Unit != 0 {
			x.Unit = tree.Name(p.Unit)
		}
		out = append(out, x)
	}
	return out
}

// viewers tells which units looked at the data (谁看过我的信息), by unit and purpose.
func (s *site) viewers(ctx context.Context, t *ticket.Ticket) ([]citizen.View, error) {
	list, err := s.a.Audit.Viewers(ctx, t.ID, 300)
	var out []citizen.View
	at := map[string]int{}
	for _, v := range list {
		why := "办理查看"
		if v.Op == "reveal" {
			why = "查看联系方式"
			for _, r := range ticket.RevealReasons {
				if r[0] == v.Reason {
					why = "因“" + r[1] + "”查看联系方式"
				}
			}
		} else if v.Op != "ticket.view" {
			continue
		}
		name := s.a.Org.Tree().Name(v.Unit)
		if name == "" {
			continue
		}
		key := name + why
		if i, ok := at[key]; ok {
			out[i].Times++
			continue
		}
		at[key] = len(out)
		out = append(out, citizen.View{Unit: name, Why: why, At: v.At, Times: 1})
	}
	return out, err
}

// evaluated says what a citizen thought and how he said it; "" while he has not.
func (s *site) evaluated(t *ticket.Ticket) string {
	v := t.Detail.Citizen
	if v == nil || v.Outcome != "reached" || v.Satisfaction == 0 {
		return ""
	}
	how := "网上评价"
	if v.Way == "callback" {
		how = "电话回访"
	}
	return s.satisfaction(t, strconv.Itoa(v.Satisfaction)) + "（" + how + "）"
}

func (s *site) satisfaction(t *ticket.Ticket, level string) string {
	return s.a.Ticket.RulesNow(t.Platform).OptionWord("satisfaction", level)
}

// permissions opens the acts that the rule table offers a citizen now.
func (s *site) permissions(t *ticket.Ticket, p *citizen.Progress) {
	open := map[string]bool{}
	offers, _ := s.a.Ticket.Offers(t, access.AsCitizen(0, ""))
	for _, o := range offers {
		open[o.Name] = true
	}
	allow := func(name, why string) citizen.Permission {
		if open[name] {
			return citizen.Permission{Allowed: true}
		}
		return citizen.Permission{Reason: why}
	}
	p.MaySupplement = allow("supplement", "诉求"+s.status(t)+"，不能再补充；如有新情况请重新反映。")
	p.MayUrge = allow("urge", "")
	p.MayWithdraw = allow("withdraw", "")
	switch {
	case t.Status == ticket.ToRecheck:
		p.MayEvaluate = allow("evaluate", "热线正在核实您的评价。")
	case ticket.Final(t.Status):
		p.MayEvaluate = allow("evaluate", "")
	default:
		p.MayEvaluate = allow("evaluate", "办结后可以评价。")
	}
	if len(p.Messages) > 0 {
		p.MayMessage = allow("relay", "")
	}
	p.MayPlay.Allowed = s.a.Demo && t.Detail.Visitor && !ticket.Final(t.Status)
}

// act runs a citizen's action once per form, with the files that came with it. A
// form sent twice brings its files twice: they are the same by name and size.
func (s *site) act(ctx context.Context, ref citizen.Ref, name string, fields map[string]any, files ...ticket.Attachment) error {
	t, err := s.find(ctx, ref)
	if err != nil {
		return err
	}
	for k, v := range fields {
		if v == "" {
			delete(fields, k)
		}
	}
	said := fmt.Sprint(fields)
	for _, f := range files {
		said += fmt.Sprintf("\n%s %d", f.Name, f.Size)
	}
	if len(files) > 0 {
		fields["files"] = idsOf(files)
	}
	actor := access.AsCitizen(0, ref.IP)
	return s.a.DB.Update(ctx, func(tx *db.Tx) error {
		_, _, err := s.a.Ticket.Once(tx, t.ID, ref.Key, ticket.Digest(name, said), func() (int, []byte, error) {
			_, err := s.a.Ticket.DoTx(tx, actor, t.ID, ticket.Action{Name: name, Fields: fields})
			return 200, nil, err
		})
		return err
	})
}

func (s *site) Supplement(ctx context.Context, ref citizen.Ref, text string, files []citizen.Upload) error {
	kept, err := s.store(ctx, access.AsCitizen(0, ref.IP), files)
	if err != nil {
		return err
	}
	defer s.drop(ctx, kept)
	if strings.TrimSpace(text) == "" && len(kept) > 0 {
		text = "补充了附件。"
	}
	return s.act(ctx, ref, "supplement", map[string]any{"text": text}, kept...)
}

func (s *site) Urge(ctx context.Context, ref citizen.Ref, reason string) error {
	return s.act(ctx, ref, "urge", map[string]any{"note": reason})
}

func (s *site) Evaluate(ctx context.Context, ref citizen.Ref, e citizen.Evaluation) error {
	f := map[string]any{"citizen_satisfaction": strconv.Itoa(e.Score), "citizen_solved2": e.Solved, "note": e.Text}
	if len(e.Reasons) > 0 {
		f["dissatisfied"] = e.Reasons
	}
	return s.act(ctx, ref, "evaluate", f)
}

func (s *site) Message(ctx context.Context, ref citizen.Ref, text string) error {
	return s.act(ctx, ref, "relay", map[string]any{"text": text})
}

func (s *site) Withdraw(ctx context.Context, ref citizen.Ref, reason, text string) error {
	for _, c := range citizen.WithdrawReasons {
		if c.Code == reason {
			reason = c.Label
		}
	}
	if text != "" {
		reason += "：" + text
	}
	return s.act(ctx, ref, "withdraw", map[string]any{"reason": zh.Truncate(reason, 400)})
}

// Play hands the ticket to the demonstration, which plays the other roles.
func (s *site) Play(ctx context.Context, ref citizen.Ref) error {
	t, err := s.find(ctx, ref)
	if err != nil {
		return err
	}
	var p citizen.Progress
	if s.permissions(t, &p); !p.MayPlay.Allowed {
		return fault.Conflict("play_over", "这件诉求已经办结，没有可以代为办理的步骤。")
	}
	return s.a.API.Demo.Autoplay(ctx, access.System("demo"), t.ID)
}
