package ticket

import (
	"slices"
	"time"

	"hotline/internal/access"
	"hotline/internal/seal"
)

// Statuses of a ticket (工单状态).
const (
	Received    = "received"    // 待受理
	SeatFix     = "seat_fix"    // 退回座席补正: not a 退单
	ToDispatch  = "to_dispatch" // 待派单
	Handling    = "handling"    // 办理中: the assignments tell more
	ToClose     = "to_close"    // 待办结审核
	ToCallback  = "to_callback" // 待回访
	ToRecheck   = "to_recheck"  // 待复核: the citizen is not satisfied
	Closed      = "closed"      // 已办结
	Transferred = "transferred" // 已转接
	Redirected  = "redirected"  // 已引导: told the statutory channel
	Invalid     = "invalid"     // 无效
	Withdrawn   = "withdrawn"   // 已撤回
	Merged      = "merged"      // 已并单
	Quarantined = "quarantined" // 隔离: may touch a state secret
)

// Types of request (诉求类型), Chinese on the wire and in files.
var Types = []string{"咨询", "求助", "投诉", "举报", "建议", "表扬", "其他"}

// Final tells whether a status ends the handling of a ticket.
func Final(status string) bool {
	switch status {
	case Closed, Transferred, Redirected, Invalid, Withdrawn, Merged:
		return true
	}
	return false
}

// Open asks a list for all that is not yet 办结 (在办).
const Open = "open"

// openStatuses are those of Open. What waits for 回访 is 办结, what is in 隔离 is not yet accepted.
var openStatuses = []string{Received, SeatFix, ToDispatch, Handling, ToClose, ToRecheck}

// IsOpen tells whether a ticket in a status is 在办.
func IsOpen(status string) bool { return slices.Contains(openStatuses, status) }

// Secrecy is the citizen's choice (保密意愿).
const (
	SecrecyNormal    = "normal"    // 正常
	SecrecyAccused   = "accused"   // 对被反映人保密
	SecrecyUnit      = "unit"      // 对承办单位隐藏身份; forced for 举报
	SecrecyAnonymous = "anonymous" // 匿名: nobody is known
)

// Requester is the 诉求人. It exists in clear only in memory; the row holds
// one sealed field.
type Requester struct {
	Kind    string   `json:"kind,omitempty"` // 个人 or 企业
	Name    string   `json:"name,omitempty"`
	Phone   string   `json:"phone,omitempty"`
	Company string   `json:"company,omitempty"`
	USCC    string   `json:"uscc,omitempty"` // 统一社会信用代码, GB 32100
	Gender  string   `json:"gender,omitempty"`
	Special []string `json:"special,omitempty"` // 老年人, 残疾人 …
}

// Body is the clear content of a ticket: 标题, 诉求内容, 地址, 被反映对象.
type Body struct {
	Title   string `json:"t"`
	Content string `json:"c"`
	Address string `json:"a,omitempty"`
	Object  string `json:"o,omitempty"`
}

// Point is a 诉求点: one demand among several, with its own result.
type Point struct {
	No     int    `json:"no"`
	Text   string `json:"text"`  // redacted rendition
	State  string `json:"state"` // open | answered | split
	Unit   int64  `json:"unit,string,omitempty"`
	Result string `json:"result,omitempty"`      // redacted rendition of the unit's answer
	Said   int64  `json:"said,string,omitempty"` // its whole text
	Split  string `json:"split,omitempty"`       // 单号 of the ticket that it was taken into
}

// Suggestion is what dispatch proposed, with the reason that the screen shows.
type Suggestion struct {
	Unit       int64    `json:"unit,string"`
	Assists    []string `json:"assists,omitempty"`
	Confidence float64  `json:"confidence"`
	Why        string   `json:"why"`
	Basis      string   `json:"basis,omitempty"`
	Rule       string   `json:"rule,omitempty"`      // rule id in the 派单目录
	Catalogue  int64    `json:"catalogue,omitempty"` // version of the 派单目录
	Trace      []string `json:"trace,omitempty"`
	At         int64    `json:"at,omitempty"` // ms, when it was made; 0 = on acceptance
}

// UnitVerdict is the handling unit's claim at 办结.
type UnitVerdict struct {
	Mode   string `json:"mode"`
	Solved string `json:"solved"`
	Truth  string `json:"truth"`
	Beyond bool   `json:"beyond,omitempty"`
	At     int64  `json:"at"`
	By     int64  `json:"by"`
	Unit   int64  `json:"unit"`
	Final  bool   `json:"final,omitempty"`
}

// CitizenVerdict is what the 诉求人 says. Outcome other than "reached" never counts as satisfied.
type CitizenVerdict struct {
	Outcome      string   `json:"outcome"` // reached no_answer refused wrong_number exempt none
	Solved       string   `json:"solved,omitempty"`
	Satisfaction int      `json:"satisfaction,omitempty"` // 5…1
	Reasons      []string `json:"reasons,omitempty"`
	Way          string   `json:"way"` // callback | web
	At           int64    `json:"at"`
}

// AuditorVerdict is the result of 复核, made by someone who did not handle.
type AuditorVerdict struct {
	Result string `json:"result"` // reopen escalate uphold
	At     int64  `json:"at"`
	By     int64  `json:"by"`
}

// Leg is one run from dispatch to close. A 重办 opens a new leg; the figures of
// the earlier ones stay as they were.
type Leg struct {
	No       int             `json:"no"`
	Opened   int64           `json:"opened"`
	Closed   int64           `json:"closed,omitempty"`
	Due      int64           `json:"due,omitempty"`
	Unit     int64           `json:"unit,omitempty"`
	Verdict  *UnitVerdict    `json:"unit_verdict,omitempty"`
	Citizen  *CitizenVerdict `json:"citizen_verdict,omitempty"`
	Auditor  *AuditorVerdict `json:"auditor_verdict,omitempty"`
	OnTime   bool            `json:"on_time,omitempty"`
	Returns  int             `json:"returns,omitempty"`
	Extended int             `json:"extended,omitempty"`
}

// Detail is the part of a ticket that is read whole and never queried: codes
// and ids only, no free text and no personal data.
type Detail struct {
	Points     []Point         `json:"points,omitempty"`
	Suggestion *Suggestion     `json:"suggestion,omitempty"`
	Dispatch   *Suggestion     `json:"dispatch,omitempty"` // the decision that was taken
	Unit       *UnitVerdict    `json:"unit,omitempty"`
	Citizen    *CitizenVerdict `json:"citizen,omitempty"`
	Auditor    *AuditorVerdict `json:"auditor,omitempty"`
	Legs       []Leg           `json:"legs,omitempty"`
	Callbacks  []CallbackTry   `json:"callbacks,omitempty"`
	Flags      []string        `json:"flags,omitempty"` // 地址待核, 群体, 紧急词 …
	Exempt     *Exempt         `json:"exempt,omitempty"`
	Relabel    *RelabelRequest `json:"relabel,omitempty"`
	Frozen     *Frozen         `json:"frozen,omitempty"` // state before 并单
	Redirect   string          `json:"redirect,omitempty"`
	InvalidWhy string          `json:"invalid,omitempty"`
	Knowledge  []int64         `json:"knowledge,omitempty"`
	Miss       bool            `json:"miss,omitempty"` // 直办 without a cited article: 未命中
	Line       string          `json:"to_line,omitempty"`
	Notice     string          `json:"notice_version,omitempty"`
	Attach     []int64         `json:"attach,omitempty"`
	Demo       bool            `json:"demo,omitempty"`
	Visitor    bool            `json:"visitor,omitempty"` // made by a person in the demo: the simulator leaves it alone
	Autoplay   bool            `json:"autoplay,omitempty"`
	Contact    int64           `json:"contact,omitempty"`
	ReplyWay   string          `json:"reply_way,omitempty"` // 回复方式 the citizen asked for
	Relays     []Relay         `json:"relays,omitempty"`
	Escalation string          `json:"escalation,omitempty"`
	Supplement bool            `json:"supplement,omitempty"` // RepeatOf is not brought again but added to
	Seats      []int64         `json:"seats,omitempty"`      // 座席 who took up a ticket that nobody dictated to them
}

// Relay is a 热线中转 task: the unit may not know the caller, so the 回访席
// or the progress page carries the message.
type Relay struct {
	Assignment int64 `json:"a"`
	At         int64 `json:"at"`
	Done       int64 `json:"done,omitempty"`
}

// CallbackTry is one attempt of 回访.
type CallbackTry struct {
	No           int    `json:"no"`
	At           int64  `json:"at"`
	By           int64  `json:"by"`
	Outcome      string `json:"outcome"`
	Solved       string `json:"solved,omitempty"`
	Satisfaction int    `json:"satisfaction,omitempty"`
}

// Exempt is a 免评: proposed by one person and decided by another.
type Exempt struct {
	Reason  string `json:"reason"`
	By      int64  `json:"by"`
	At      int64  `json:"at"`
	State   string `json:"state"` // proposed approved denied
	Decider int64  `json:"decider,omitempty"`
	From    string `json:"from"`
}

// RelabelRequest waits for the second person of a downgrade (降密).
type RelabelRequest struct {
	To string `json:"to"`
	By int64  `json:"by"`
	At int64  `json:"at"`
}

// Frozen keeps what a merged ticket was, so that 撤销并单 restores it.
type Frozen struct {
	Status string `json:"status"`
	At     int64  `json:"at"`
}

// Ticket is the aggregate root (工单). It is created by Service.Create and
// changed by Service.DoTx alone; it is never deleted, only shredded.
type Ticket struct {
	ID         int64
	Number     string // 单号, 15 digits
	Former     string // number in the system it came from
	Source     string // import source, "" for our own intake
	SourceNo   string
	Platform   int64 // owning platform (受理平台)
	CreatedBy  int64
	Type       string
	Category   string // 6 digits, "" while unknown
	Region     string // GB/T 2260
	Label      access.Label
	Secrecy    string
	Urgency    string
	Nature     string // 普通 行政调解 执法办案
	Channel    string
	Line       string // dialled number (DNIS)
	Call       int64
	Status     string
	Version    int64
	RulesID    int64 // policy versions that the ticket began under
	LimitsID   int64
	Leg        int
	TitleR     string // redacted renditions: the only text that lists and search see
	ContentR   string
	AddressR   string
	ObjectR    string
	Kind       string // 个人 or 企业
	MaskName   string
	MaskPhone  string
	Key        []byte // wrapped data key
	Requester  seal.Field
	Body       seal.Field
	PhoneBI    []byte // blind index
	CodeHash   []byte // keyed digest of the 查询码
	Main       int64  // 主单 when merged
	SplitOf    int64
	RepeatOf   int64
	Unit       int64 // 主办 of the current leg, 0 before dispatch
	Urges      int
	Returns    int
	Dispute    string // "" | consult 会商 | escalated 提级
	Escalated  bool
	Watch      int // times supervised
	Accepted   int64
	Dispatched int64
	Due        int64 // citizen-visible deadline of the current leg
	ClosedAt   int64
	Original   int64 // 原始时间 of an imported request
	Occurred   int64
	Detail     Detail

	Assignments []*Assignment
	Clocks      []*TimeLimit
	Requests    []*Request
	stands      string // column places: its rows of the worklist, see standings

	// What was said, redacted; loaded by Get and not by actions.
	Said     []Said
	Contacts []Contact
}

// AcceptedAt is the moment of 受理 on the wall.
func (t *Ticket) AcceptedAt() time.Time { return time.UnixMilli(t.Accepted) }

// Flag adds a mark once.
func (t *Ticket) Flag(mark string) {
	for _, f := range t.Detail.Flags {
		if f == mark {
			return
		}
	}
	t.Detail.Flags = append(t.Detail.Flags, mark)
}

// Open gives the assignments of the current leg that are still alive.
func (t *Ticket) Open() []*Assignment {
	var out []*Assignment
	for _, a := range t.Assignments {
		if a.Leg == t.Leg && a.Alive() {
			out = append(out, a)
		}
	}
	return out
}

// Assignment gives a node of the tree by id.
func (t *Ticket) Assignment(id int64) *Assignment {
	for _, a := range t.Assignments {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// Root gives the 主办 assignment directly under the platform in the current leg.
func (t *Ticket) Root() *Assignment {
	for i := len(t.Assignments) - 1; i >= 0; i-- {
		a := t.Assignments[i]
		if a.Leg == t.Leg && a.Parent == 0 && a.Role == RoleMain && a.State != Returned && a.State != Revoked {
			return a
		}
	}
	return nil
}
