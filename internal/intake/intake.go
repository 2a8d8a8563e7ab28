// Package intake is 受理: the one door of web, desk, channels, import and API.
// It checks a request, screens it (danger, secrets, statutory channels), finds
// its platform, category, suggestion and likely duplicates, and calls
// ticket.Create. It never changes a ticket afterwards.
package intake

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/dispatch"
	"hotline/internal/fault"
	"hotline/internal/insight"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// Ways of handling at intake (处理方式).
const (
	WayDispatch = "dispatch" // 派单
	WayAnswer   = "answer"   // 直接答复
	WayTransfer = "transfer" // 转接
	WayRedirect = "redirect" // 引导
	WayInvalid  = "invalid"  // 无效
	WayHold     = "hold"     // 待受理: a person looks first
)

// Limits of a request's texts, in characters.
const (
	MaxTitle   = 200
	MinContent = 5
	MaxContent = 20000
)

// Request is what a door hands in.
type Request struct {
	Type, Title, Content, Category, Region, Address, Object string
	Points                                                  []string
	Requester                                               ticket.Requester
	Secrecy, Urgency                                        string
	Channel, Line                                           string
	Call                                                    int64
	Way                                                     string // "" = dispatch for staff, decided by screening for the public
	Outcome                                                 ticket.Outcome
	Platform                                                int64 // set by a seat; 0 = found from line, region, caller
	Attach                                                  []int64
	RepeatOf                                                int64
	Supplement                                              bool // RepeatOf is not brought again but added to
	Occurred, Original                                      int64
	Source, SourceNo, Former                                string
	NoticeVersion                                           string
	Flags                                                   []string
	Demo, Visitor                                           bool
	At                                                      int64 // loaded history only
	Public                                                  bool  // from a citizen without staff: anonymous rules apply
	Note, ReplyWay                                          string
	HomeRegion                                              string // where the caller is known to be, used last
}

// Service is the door.
type Service struct {
	tickets  *ticket.Service
	org      *org.Service
	insight  *insight.Service
	dispatch *dispatch.Service
}

// New builds the door.
func New(t *ticket.Service, o *org.Service, i *insight.Service, d *dispatch.Service) *Service {
	return &Service{tickets: t, org: o, insight: i, dispatch: d}
}

// Submit takes a request in; the ticket is durable when it returns.
func (s *Service) Submit(ctx context.Context, actor access.Actor, r Request) (ticket.Created, error) {
	n, err := s.Decide(actor, r)
	if err != nil {
		return ticket.Created{}, err
	}
	return s.tickets.Create(ctx, actor, n)
}

// Decide checks and screens a request and says what ticket it becomes.
func (s *Service) Decide(actor access.Actor, r Request) (ticket.Intake, error) {
	if err := check(&r); err != nil {
		return ticket.Intake{}, err
	}
	platform, err := s.platform(actor, &r)
	if err != nil {
		return ticket.Intake{}, err
	}
	n := ticket.Intake{Type: r.Type, Category: r.Category, Region: r.Region, Title: r.Title, Content: r.Content, Address: r.Address, Object: r.Object, Points: r.Points,
		Requester: r.Requester, Secrecy: r.Secrecy, Urgency: r.Urgency, Channel: r.Channel, Line: r.Line, Call: r.Call, Platform: platform.ID, Outcome: r.Outcome, Flags: r.Flags,
		Attach: r.Attach, RepeatOf: r.RepeatOf, Supplement: r.Supplement, Occurred: r.Occurred, Original: r.Original, Source: r.Source, SourceNo: r.SourceNo, Former: r.Former, NoticeVersion: r.NoticeVersion,
		Demo: r.Demo, Visitor: r.Visitor, At: r.At, Note: r.Note, ReplyWay: r.ReplyWay}
	confidence := 1.0
	if n.Category == "" {
		if g := s.insight.Classify(platform.ID, zh.Redact(r.Title), zh.Redact(r.Content), 3); len(g) > 0 && g[0].P >= unclear {
			n.Category, confidence = g[0].Code, g[0].P
		}
	} else if _, ok := s.tickets.Categories(platform.ID).Get(n.Category); !ok {
		return n, fault.Invalid("category_unknown", "事项分类不存在。").At(fault.Field{Name: "category", Detail: "请重新选择事项分类。"})
	}
	if n.Category != "" {
		at := r.At
		if at == 0 {
			at = s.tickets.DB.Clock().Now().UnixMilli()
		}
		if sug := s.dispatch.Suggest(dispatch.Question{Platform: platform.ID, Category: n.Category, Region: n.Region, At: time.UnixMilli(at), P: confidence}); len(sug) > 0 {
			n.Suggestion = &sug[0]
		}
	}
	n.Status = statusOf(&r, &n, confidence)
	return n, nil
}

// unclear is the confidence below which a category is left for a person.
const unclear = 0.3

// statusOf decides where a new ticket starts. Staff have heard the citizen and
// choose; what comes in writing goes on by itself only when it is clear.
func statusOf(r *Request, n *ticket.Intake, confidence float64) string {
	if hit := insight.Secret(r.Title + r.Content); hit != nil {
		n.Flags = append(n.Flags, "涉密疑似")
		return ticket.Quarantined
	}
	if insight.Emergency(r.Title+r.Content) != nil {
		n.Flags = append(n.Flags, "紧急情形")
		if n.Urgency == "" || n.Urgency == "一般" {
			n.Urgency = "紧急"
		}
	}
	switch r.Way {
	case WayAnswer:
		return ticket.Closed
	case WayTransfer:
		return ticket.Transferred
	case WayRedirect:
		return ticket.Redirected
	case WayInvalid:
		return ticket.Invalid
	case WayDispatch:
		return ticket.ToDispatch
	case WayHold:
		return ticket.Received
	}
	if confidence < 0.45 || n.Category == "" || slices.Contains(n.Flags, ticket.FlagPlace) || n.Type == "举报" || insight.Redirect(r.Title+r.Content) != nil {
		return ticket.Received
	}
	return ticket.ToDispatch
}

// check validates every field and reports all that is wrong at once.
func check(r *Request) error {
	var bad []fault.Field
	add := func(name, detail string) { bad = append(bad, fault.Field{Name: name, Detail: detail}) }
	for _, p := range []*string{&r.Title, &r.Content, &r.Address, &r.Object, &r.Requester.Name, &r.Requester.Company} {
		*p = zh.Clean(*p)
	}
	if !slices.Contains(ticket.Types, r.Type) {
		add("type", "请选择诉求类型：咨询、求助、投诉、举报、建议、表扬或其他。")
	}
	if n := utf8.RuneCountInString(r.Content); n < MinContent || n > MaxContent {
		add("content", "诉求内容应为5至20,000个字。")
	}
	if utf8.RuneCountInString(r.Title) > MaxTitle {
		add("title", "标题不能超过200个字。")
	}
	if r.Title == "" {
		r.Title = zh.Truncate(firstSentence(r.Content), 40)
	}
	if r.Region != "" {
		if _, ok := region.Get(r.Region); !ok {
			add("region", "区划代码不存在，请重新选择事发地。")
		}
	} else if r.Public {
		add("region", "请选择事发地。")
	}
	if utf8.RuneCountInString(r.Address) > 200 {
		add("address", "详细地址不能超过200个字。")
	}
	if utf8.RuneCountInString(r.Object) > 100 {
		add("object", "被反映对象不能超过100个字。")
	}
	if utf8.RuneCountInString(r.Requester.Name) > 50 {
		add("name", "姓名不能超过50个字。")
	}
	if utf8.RuneCountInString(r.Note) > 1000 || utf8.RuneCountInString(r.ReplyWay) > 20 {
		add("note", "备注不能超过1,000个字，回复方式不能超过20个字。")
	}
	if len(r.Points) > 10 {
		add("points", "诉求点不能超过10个。")
	}
	for _, p := range r.Points {
		if n := utf8.RuneCountInString(p); n < 2 || n > 500 {
			add("points", "每个诉求点应为2至500个字。")
			break
		}
	}
	if r.Requester.Phone != "" {
		p, ok := zh.NormalizePhone(r.Requester.Phone)
		if !ok {
			add("phone", "电话号码格式不正确，请输入手机号或带区号的固定电话。")
		}
		r.Requester.Phone = p
	} else if r.Public && r.Secrecy != ticket.SecrecyAnonymous {
		add("phone", "请留下联系电话；不便留电话的请选择匿名。")
	}
	if r.Requester.USCC != "" && !zh.ValidUSCC(r.Requester.USCC) {
		add("uscc", "统一社会信用代码不正确。")
	}
	if r.Requester.Kind != "" && r.Requester.Kind != "个人" && r.Requester.Kind != "企业" {
		add("kind", "诉求人身份应为个人或企业。")
	}
	if !slices.Contains([]string{"", ticket.SecrecyNormal, ticket.SecrecyAccused, ticket.SecrecyUnit, ticket.SecrecyAnonymous}, r.Secrecy) {
		add("secrecy", "保密意愿不在可选范围内。")
	}
	if !slices.Contains([]string{"", "一般", "紧急", "特急"}, r.Urgency) {
		add("urgency", "紧急程度不在可选范围内。")
	}
	if r.Way == WayAnswer && utf8.RuneCountInString(strings.TrimSpace(r.Outcome.Text)) < 2 {
		add("answer", "直接答复须填写答复内容。")
	}
	if r.Way == WayRedirect && (r.Outcome.Redirect == "" || r.Outcome.Text == "") {
		add("redirect", "引导须选择法定途径并填写告知内容。")
	}
	if r.Way == WayTransfer && r.Outcome.Line == "" {
		add("transfer", "请填写转接的热线。")
	}
	if r.Way == WayInvalid && r.Outcome.Invalid == "" {
		add("invalid", "请选择无效原因。")
	}
	if len(bad) > 0 {
		return fault.Invalid("intake_invalid", "%s", bad[0].Detail).At(bad...)
	}
	if r.Type == "举报" && r.Secrecy != ticket.SecrecyAnonymous {
		r.Secrecy = ticket.SecrecyUnit
	}
	if r.Secrecy == "" {
		r.Secrecy = ticket.SecrecyNormal
	}
	return nil
}

func firstSentence(s string) string {
	if i := strings.IndexAny(s, "。！？；\n"); i > 0 {
		return s[:i]
	}
	return s
}

// platform finds the 属地 city platform: by the seat's own, the region of the
// matter, then where the caller is. Without any the province takes it and the
// place is marked 地址待核.
func (s *Service) platform(actor access.Actor, r *Request) (org.Unit, error) {
	tree := s.org.Tree()
	home := tree.Province()
	if r.Platform != 0 {
		if u, ok := tree.Get(r.Platform); ok {
			home = tree.Platform(u.ID)
		}
	} else if actor.Unit != 0 && !actor.Citizen {
		home = tree.Platform(actor.Unit)
	}
	if r.Region == "" {
		if r.HomeRegion != "" {
			if u, ok := tree.CityPlatform(r.HomeRegion); ok {
				home = u
			}
		}
		r.Region = home.Region
		if m, ok := region.Place(r.Address+"。"+r.Title+"。"+r.Content, home.Region); ok {
			r.Region = m.Region.Code
		} else {
			r.Flags = append(r.Flags, ticket.FlagPlace)
		}
	}
	if region.City(r.Region) == "420000" || r.Region == "420000" {
		return tree.Province(), nil
	}
	if u, ok := tree.CityPlatform(r.Region); ok {
		return u, nil
	}
	return home, nil
}

// SubmitOnce is Submit with an idempotency key: the same key of the same actor
// makes one ticket and gives the same receipt. with runs in the transaction.
func (s *Service) SubmitOnce(ctx context.Context, actor access.Actor, r Request, key string, digest []byte, with func(*db.Tx, *ticket.Intake, ticket.Created) error) (made ticket.Created, repeated bool, err error) {
	n, err := s.Decide(actor, r)
	if err != nil {
		return made, false, err
	}
	d, err := s.tickets.Prepare(ctx, actor, n)
	if err != nil {
		return made, false, err
	}
	err = s.tickets.DB.Update(ctx, func(tx *db.Tx) error {
		repeated = true
		_, answer, err := s.tickets.Once(tx, actor.Account, key, digest, func() (int, []byte, error) {
			repeated = false
			if err := d.Write(tx); err != nil {
				return 0, nil, err
			}
			if with != nil {
				if err := with(tx, &n, d.Receipt); err != nil {
					return 0, nil, err
				}
			}
			b, err := json.Marshal(d.Receipt)
			return 201, b, err
		})
		if err != nil {
			return err
		}
		return json.Unmarshal(answer, &made)
	})
	return made, repeated, err
}
