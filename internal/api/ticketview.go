package api

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/category"
	"hotline/internal/clock"
	"hotline/internal/ticket"
)

// TicketOut is a ticket as one actor may see it.
type TicketOut struct {
	ID            ID                 `json:"id"`
	Number        string             `json:"number"`
	Spoken        string             `json:"spoken"`
	Version       int64              `json:"version"`
	Status        string             `json:"status"`
	StatusLabel   string             `json:"status_label"`
	Type          string             `json:"type"`
	Title         string             `json:"title"`
	Content       string             `json:"content"`
	ContentMasked bool               `json:"content_masked"`
	Category      CategoryRef        `json:"category"`
	Region        RegionRef          `json:"region"`
	Address       string             `json:"address"`
	Object        string             `json:"object"`
	Requester     RequesterOut       `json:"requester"`
	Secrecy       string             `json:"secrecy"`
	SecrecyLabel  string             `json:"secrecy_label"`
	Label         string             `json:"label"`
	LabelName     string             `json:"label_name"`
	Urgency       string             `json:"urgency"`
	Nature        string             `json:"nature"`
	Channel       string             `json:"channel"`
	ChannelLabel  string             `json:"channel_label"`
	Line          string             `json:"line"`
	LineName      string             `json:"line_name"`
	Former        string             `json:"former,omitempty"`
	ReplyWay      string             `json:"reply_way,omitempty"`
	Points        []PointOut         `json:"points"`
	Platform      UnitRef            `json:"platform"`
	Owner         map[string]string  `json:"owner"`
	AcceptedAt    string             `json:"accepted_at"`
	DispatchedAt  string             `json:"dispatched_at"`
	ClosedAt      string             `json:"closed_at"`
	OriginalAt    string             `json:"original_at"`
	OccurredAt    string             `json:"occurred_at"`
	Due           string             `json:"due"`
	DueText       string             `json:"due_text"`
	Light         string             `json:"light"`
	Leg           int                `json:"leg"`
	Legs          []LegOut           `json:"legs"`
	RulesVersion  string             `json:"rules_version"`
	Assignments   []AssignmentOut    `json:"assignments"`
	Clocks        []ClockOut         `json:"clocks"`
	Verdicts      VerdictsOut        `json:"verdicts"`
	Contacts      []ContactOut       `json:"contacts"`
	Attachments   []AttachmentOut    `json:"attachments"`
	Related       []RelatedOut       `json:"related"`
	Knowledge     []KnowledgeRef     `json:"knowledge"`
	Suggestion    *SuggestionOut     `json:"suggestion"`
	Dispatch      *ticket.Suggestion `json:"dispatch"`
	Supervision   []SupervisionRef   `json:"supervision"`
	Callbacks     []CallbackOut      `json:"callbacks"`
	Flags         []string           `json:"flags"`
	Watermark     string             `json:"watermark"`
	Actions       []ticket.Offer     `json:"actions"`
	Barred        []ticket.Bar       `json:"barred" doc:"本岗位的操作中，规则现在不许的，附原因"`
	Demo          bool               `json:"demo,omitempty"`
	Autoplay      bool               `json:"autoplay,omitempty"`
}

// CategoryRef names a 事项分类.
type CategoryRef struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Path string `json:"path"`
}

// RegionRef names a place.
type RegionRef struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// RequesterOut is the 诉求人 as far as the role may see.
type RequesterOut struct {
	Kind       string   `json:"kind"`
	Name       string   `json:"name"`
	Phone      string   `json:"phone"`
	Hidden     bool     `json:"hidden"`
	Revealable []string `json:"revealable"`
}

// PointOut is a 诉求点.
type PointOut struct {
	No     int    `json:"no"`
	Text   string `json:"text"`
	State  string `json:"state"`
	Unit   string `json:"unit"`
	Result string `json:"result"`
}

// LegOut is one run of handling.
type LegOut struct {
	No       int    `json:"no"`
	OpenedAt string `json:"opened_at"`
	ClosedAt string `json:"closed_at"`
	Unit     string `json:"unit"`
	Mode     string `json:"mode"`
	Verdict  string `json:"verdict"`
	Figures  string `json:"figures"`
}

// AssignmentOut is a node of the tree.
type AssignmentOut struct {
	ID            ID      `json:"id"`
	Parent        ID      `json:"parent"`
	Leg           int     `json:"leg"`
	Depth         int     `json:"depth"`
	Unit          UnitRef `json:"unit"`
	Role          string  `json:"role"`
	State         string  `json:"state"`
	StateLabel    string  `json:"state_label"`
	CreatedAt     string  `json:"created_at"`
	SignedAt      string  `json:"signed_at"`
	ContactedAt   string  `json:"contacted_at"`
	RepliedAt     string  `json:"replied_at"`
	Due           string  `json:"due"`
	DueText       string  `json:"due_text"`
	Light         string  `json:"light"`
	Extensions    int     `json:"extensions"`
	Returns       int     `json:"returns"`
	OwnerPlatform string  `json:"owner_platform"`
	Mine          bool    `json:"mine"`
	Reply         string  `json:"reply"`
}

// ClockOut is a 时限.
type ClockOut struct {
	Kind       string `json:"kind"`
	Label      string `json:"label"`
	Assignment ID     `json:"assignment"`
	Unit       string `json:"unit"`
	StartedAt  string `json:"started_at"`
	Due        string `json:"due"`
	DueText    string `json:"due_text"`
	Light      string `json:"light"`
	Stage      int    `json:"stage"`
	State      string `json:"state"`
	Basis      string `json:"basis"`
}

// VerdictsOut are the three verdicts, which are three fields and never one.
type VerdictsOut struct {
	Unit    *UnitVerdictOut    `json:"unit"`
	Citizen *CitizenVerdictOut `json:"citizen"`
	Auditor *AuditorVerdictOut `json:"auditor"`
}

// UnitVerdictOut is the unit's claim.
type UnitVerdictOut struct {
	Mode       string `json:"mode"`
	ModeLabel  string `json:"mode_label"`
	Solved     string `json:"solved"`
	True       string `json:"true"`
	Beyond     bool   `json:"beyond"`
	Reason     string `json:"reason"`
	Text       string `json:"text"`
	PublicText string `json:"public_text"`
	At         string `json:"at"`
	By         string `json:"by"`
}

// CitizenVerdictOut is the citizen's word.
type CitizenVerdictOut struct {
	Outcome           string   `json:"outcome"`
	Solved            string   `json:"solved"`
	Satisfaction      int      `json:"satisfaction"`
	SatisfactionLabel string   `json:"satisfaction_label"`
	Reasons           []string `json:"reasons"`
	Text              string   `json:"text"`
	Way               string   `json:"way"`
	At                string   `json:"at"`
}

// AuditorVerdictOut is the result of 复核.
type AuditorVerdictOut struct {
	Result string `json:"result"`
	Text   string `json:"text"`
	At     string `json:"at"`
	By     string `json:"by"`
}

// ContactOut is one contact with the 诉求人.
type ContactOut struct {
	At     string `json:"at"`
	Unit   string `json:"unit"`
	By     string `json:"by"`
	Way    string `json:"way"`
	Result string `json:"result"`
	Note   string `json:"note"`
}

// RelatedOut is a ticket tied to this one.
type RelatedOut struct {
	ID          ID     `json:"id"`
	Number      string `json:"number"`
	Kind        string `json:"kind"`
	KindLabel   string `json:"kind_label"`
	Title       string `json:"title"`
	StatusLabel string `json:"status_label"`
}

// KnowledgeRef names a cited article.
type KnowledgeRef struct {
	ID    ID     `json:"id"`
	Title string `json:"title"`
}

// SupervisionRef names a 督办 order.
type SupervisionRef struct {
	ID      ID     `json:"id"`
	No      string `json:"no"`
	Level   string `json:"level"`
	State   string `json:"state"`
	DueText string `json:"due_text"`
}

// CallbackOut is one attempt of 回访.
type CallbackOut struct {
	No           int    `json:"no"`
	At           string `json:"at"`
	By           string `json:"by"`
	Outcome      string `json:"outcome"`
	Solved       string `json:"solved"`
	Satisfaction string `json:"satisfaction"`
}

// secrecyWords names the citizen's choice.
var secrecyWords = map[string]string{ticket.SecrecyNormal: "正常", ticket.SecrecyAccused: "对被反映人保密", ticket.SecrecyUnit: "对承办单位隐藏身份", ticket.SecrecyAnonymous: "匿名"}

func (a *API) ticketOut(ctx context.Context, t *ticket.Ticket, ties []ticket.Tie, actor access.Actor) (TicketOut, error) {
	r := a.renderer(actor)
	now := r.now.UnixMilli()
	rules := a.Ticket.RulesNow(t.Platform)
	tree := a.Org.Tree()
	body, masked, err := a.Ticket.Content(t, actor.Role)
	if err != nil {
		return TicketOut{}, err
	}
	o := TicketOut{ID: ID(t.ID), Number: t.Number, Spoken: ticket.Spoken(t.Number), Version: t.Version, Status: t.Status, StatusLabel: rules.StatusWord(t.Status), Type: t.Type,
		Title: body.Title, Content: body.Content, ContentMasked: masked, Address: body.Address, Object: body.Object, Category: CategoryRef{t.Category, r.categoryName(t), r.category(t)},
		Region: RegionRef{t.Region, regionName(t.Region)}, Secrecy: t.Secrecy, SecrecyLabel: secrecyWords[t.Secrecy], Label: string(t.Label), LabelName: t.Label.Word(), Urgency: t.Urgency, Nature: t.Nature,
		Channel: t.Channel, ChannelLabel: channelWord(t.Channel), Line: t.Line, ReplyWay: t.Detail.ReplyWay, Former: t.Former, Platform: a.unitRef(t.Platform), AcceptedAt: stamp(t.Accepted), DispatchedAt: stamp(t.Dispatched),
		ClosedAt: stamp(t.ClosedAt), OriginalAt: stamp(t.Original), OccurredAt: stamp(t.Occurred), Leg: t.Leg, RulesVersion: rules.Version, Flags: flags(t), Watermark: actor.Username + " " + actor.Name + " " + r.now.Format("2006-01-02 15:04"),
		Dispatch: t.Detail.Dispatch, Demo: t.Detail.Demo, Autoplay: a.Demo != nil && t.Detail.Visitor && !ticket.Final(t.Status), Points: []PointOut{}, Legs: []LegOut{}, Assignments: []AssignmentOut{}, Clocks: []ClockOut{}, Callbacks: []CallbackOut{}, Contacts: []ContactOut{}}
	if t.Line != "" {
		o.LineName = a.Lines.Name(t.Line, r.now)
	}
	if t.Detail.Suggestion != nil {
		o.Suggestion = a.suggestionOut(*t.Detail.Suggestion)
	}
	o.Requester.Kind = t.Kind
	o.Requester.Name, o.Requester.Phone = r.person(t)
	o.Requester.Hidden = t.Secrecy == ticket.SecrecyUnit || t.Secrecy == ticket.SecrecyAnonymous
	o.Requester.Revealable = a.Ticket.Revealable(t, actor)
	for _, p := range t.Detail.Points {
		o.Points = append(o.Points, PointOut{p.No, p.Text, p.State, tree.Name(p.Unit), p.Result})
	}
	due, since := t.Due, t.Dispatched
	if t.Status != ticket.Handling { // the units have done their part, or not begun: as the lists of the platform count
		due, since = t.NextDue(), t.Accepted
	}
	if due > t.Accepted && !ticket.Final(t.Status) {
		o.Due, o.DueText, o.Light = stamp(due), calendar.Display(r.now, clock.FromMillis(due)), light(since, due, now)
	} else {
		o.Light = "none"
	}
	o.Owner = map[string]string{"unit": tree.Name(t.Platform)}
	if t.Unit != 0 {
		o.Owner["unit"] = tree.Name(t.Unit)
	}
	texts := map[int64]string{}
	byKind := map[string]string{}
	for _, said := range t.Said {
		texts[said.ID] = said.Text
		byKind[said.Kind] = said.Text
	}
	for _, c := range t.Contacts {
		o.Contacts = append(o.Contacts, ContactOut{At: stamp(c.At), Unit: tree.Name(c.Unit), By: a.accountName(c.Actor), Way: rules.OptionWord("way", c.Way), Result: rules.OptionWord("contact_result", c.Result), Note: c.Note})
	}
	for _, n := range t.Assignments {
		x := AssignmentOut{ID: ID(n.ID), Parent: ID(n.Parent), Leg: n.Leg, Depth: n.Depth, Unit: a.unitRef(n.Unit), Role: roleWord(n.Role), State: n.State, StateLabel: rules.StateWord(n.State), CreatedAt: stamp(n.Created),
			SignedAt: stamp(n.Signed), ContactedAt: stamp(n.Contacted), RepliedAt: stamp(n.RepliedAt), Due: stamp(n.Due), Extensions: n.Extensions, Returns: n.Returns, OwnerPlatform: tree.Name(t.Platform), Mine: n.Unit == actor.Unit, Light: "none"}
		if n.Alive() && n.Due > 0 && !ticket.Final(t.Status) {
			x.DueText, x.Light = calendar.Display(r.now, clock.FromMillis(n.Due)), light(n.Created, n.Due, now)
		}
		if n.Reply != nil {
			x.Reply = texts[n.Reply.Text]
		}
		o.Assignments = append(o.Assignments, x)
	}
	for _, c := range t.Clocks {
		o.Clocks = append(o.Clocks, a.clockOut(t, c, r))
	}
	for _, l := range t.Detail.Legs {
		o.Legs = append(o.Legs, a.legOut(l, rules))
	}
	for _, c := range t.Detail.Callbacks {
		o.Callbacks = append(o.Callbacks, CallbackOut{c.No, stamp(c.At), a.accountName(c.By), rules.OptionWord("callback_outcome", c.Outcome), rules.OptionWord("solved", c.Solved), satisfactionWord(rules, c.Satisfaction)})
	}
	o.Verdicts = a.verdicts(t, rules, byKind)
	if o.Attachments, err = a.attachments(ctx, t); err != nil {
		return o, err
	}
	o.Related = related(t, ties, actor, rules)
	o.Knowledge = a.cited(ctx, actor, t.Detail.Knowledge)
	o.Supervision = []SupervisionRef{}
	if t.Watch > 0 { // each order raises it
		if o.Supervision, err = a.supervisionOf(ctx, t, r.now); err != nil {
			return o, err
		}
	}
	o.Actions, o.Barred = a.Ticket.Offers(t, actor)
	slices.SortStableFunc(o.Actions, func(x, y ticket.Offer) int { return rank(x) - rank(y) })
	return o, nil
}

func rank(o ticket.Offer) int {
	switch {
	case o.Primary:
		return 0
	case o.Danger:
		return 2
	}
	return 1
}

func str(v any) string { s, _ := v.(string); return s }

func satisfactionWord(rules *ticket.Rules, n int) string {
	if n == 0 {
		return ""
	}
	return rules.OptionWord("satisfaction", fmt.Sprint(n))
}

func (r renderer) categoryName(t *ticket.Ticket) string {
	if c, ok := r.at(t.Platform).tree.Get(t.Category); ok {
		return c.Name
	}
	return "未分类"
}

func (a *API) clockOut(t *ticket.Ticket, c *ticket.TimeLimit, r renderer) ClockOut {
	now := r.now.UnixMilli()
	o := ClockOut{Kind: c.Kind, Label: c.Kind + "时限", Assignment: ID(c.Assignment), Unit: a.Org.Tree().Name(c.Unit), StartedAt: stamp(c.Started), Due: stamp(c.Due), Stage: c.Stage, State: "running", Light: "none", Basis: c.Limit.String()}
	switch {
	case c.Stopped > 0:
		o.State = "stopped"
		if c.Breached(now) {
			o.Light = "red"
		}
	case c.PausedAt > 0:
		o.State = "paused"
	case c.Breached(now):
		o.State = "breached"
		o.Light = "red"
	default:
		o.Light = light(c.Started, c.Due, now)
	}
	if o.State == "running" || o.State == "breached" {
		o.DueText = calendar.Display(r.now, clock.FromMillis(c.Due))
	}
	if row, ok := category.FindLimit(generalLimits(), "", t.Type, t.Urgency, c.Kind); ok && row.Basis != "" {
		o.Basis += "（" + row.Basis + "）"
	}
	return o
}

// generalLimits names the basis of a limit; the embedded table never changes.
var generalLimits = sync.OnceValue(category.Limits)

func (a *API) legOut(l ticket.Leg, rules *ticket.Rules) LegOut {
	o := LegOut{No: l.No, OpenedAt: stamp(l.Opened), ClosedAt: stamp(l.Closed), Unit: a.Org.Tree().Name(l.Unit)}
	if l.Verdict != nil {
		o.Mode = modeWord(rules, l.Verdict.Mode)
	}
	if l.Citizen != nil {
		o.Verdict = citizenWord(rules, l.Citizen)
	}
	if l.Closed > 0 {
		o.Figures = map[bool]string{true: "按时办结", false: "超时办结"}[l.OnTime]
	}
	if l.Returns > 0 {
		o.Figures += fmt.Sprintf("，退单%d次", l.Returns)
	}
	if l.Extended > 0 {
		o.Figures += fmt.Sprintf("，延期%d次", l.Extended)
	}
	return o
}

func modeWord(rules *ticket.Rules, mode string) string {
	if mode == "answered" {
		return "直接答复"
	}
	return rules.OptionWord("close_mode", mode)
}

func citizenWord(rules *ticket.Rules, v *ticket.CitizenVerdict) string {
	switch v.Outcome {
	case "reached":
		return satisfactionWord(rules, v.Satisfaction)
	case "exempt":
		return "免评"
	case "none":
		return "无联系方式，未评价"
	}
	return rules.OptionWord("callback_outcome", v.Outcome)
}

func (a *API) verdicts(t *ticket.Ticket, rules *ticket.Rules, texts map[string]string) VerdictsOut {
	var o VerdictsOut
	if v := t.Detail.Unit; v != nil {
		text := texts["reply"]
		if v.Mode == "answered" {
			text = texts["answer"]
		}
		o.Unit = &UnitVerdictOut{v.Mode, modeWord(rules, v.Mode), rules.OptionWord("solved", v.Solved), rules.OptionWord("truth", v.Truth), v.Beyond, texts["unsolved"], text, texts["public"], stamp(v.At), a.accountName(v.By)}
	}
	if v := t.Detail.Citizen; v != nil {
		reasons := []string{}
		for _, c := range v.Reasons {
			reasons = append(reasons, rules.OptionWord("dissatisfied", c))
		}
		o.Citizen = &CitizenVerdictOut{v.Outcome, rules.OptionWord("solved", v.Solved), v.Satisfaction, citizenWord(rules, v), reasons, texts["evaluation"], verdictWays[v.Way], stamp(v.At)}
	}
	if v := t.Detail.Auditor; v != nil {
		o.Auditor = &AuditorVerdictOut{rules.OptionWord("recheck_decision", v.Result), texts["verdict"], stamp(v.At), a.accountName(v.By)}
	}
	return o
}

// related lists tied tickets; a sealed one never shows to who is not cleared,
// and a child whose citizen asked for secrecy never in an open main.
func related(t *ticket.Ticket, ties []ticket.Tie, actor access.Actor, rules *ticket.Rules) []RelatedOut {
	out := []RelatedOut{}
	for _, x := range ties {
		if !actor.Cleared(x.Label) || t.Label == access.Normal && (x.Label != access.Normal || x.Main == t.ID && x.Hidden()) {
			continue
		}
		o := RelatedOut{ID: ID(x.ID), Number: x.Number, Title: x.Title, StatusLabel: rules.StatusWord(x.Status)}
		switch {
		case x.Main == t.ID:
			o.Kind, o.KindLabel = "child", "并入本单"
		case t.Main == x.ID:
			o.Kind, o.KindLabel = "main", "主单"
		case t.SplitOf == x.ID:
			o.Kind, o.KindLabel = "split", "拆分自"
		case t.Detail.Supplement:
			o.Kind, o.KindLabel = "supplement", "补充"
		default:
			o.Kind, o.KindLabel = "repeat", "重复于"
		}
		out = append(out, o)
	}
	return out
}
