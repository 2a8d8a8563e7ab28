package citizen

import (
	"io"
	"time"
)

// Counts are the live figures of the portal, all of the running day but Handling.
type Counts struct {
	Accepted  int       // 今日受理
	Handling  int       // 正在办理, now
	Closed    int       // 今日办结
	OnTimePct float64   // 按时办结率 of what was closed today, 0–100; negative: nothing closed yet
	AsOf      time.Time // moment of the figures
}

// Region is one entry of the place lists.
type Region struct{ Code, Name string }

// TypeHint explains one request type: its name on the wire and on the screen,
// one sentence of help and the province's answer time.
type TypeHint struct{ Type, Help, Limit string }

// Secrecy is the citizen's choice of who may learn about the request.
type Secrecy string

const (
	SecrecyNormal  Secrecy = "normal"  // 正常: the unit sees name and number
	SecrecyAccused Secrecy = "accused" // 对被反映人保密: the accused learns nothing
	SecrecyUnit    Secrecy = "unit"    // 对承办单位隐藏身份: contact only by 热线中转; forced for 举报
)

// NoticeVersion is the edition of the notice of personal-information handling
// that every submission was made under; raise it when the text changes.
const NoticeVersion = "2"

// Submission is one request as the citizen wrote it. Field names of faults:
// type, region, address, content, target, company, secrecy, name, phone, files.
type Submission struct {
	Key           string // random, one per form shown; makes a repeated submission one ticket
	IP            string
	Type          string // a TypeHint.Type
	Region        string // the finest region chosen
	Address       string
	Content       string
	Target        string // 被反映对象: unit or person complained about; may be empty
	Company       string // 企业或单位名称 when not speaking for oneself
	Name, Phone   string // both empty when Anonymous
	Anonymous     bool
	Secrecy       Secrecy
	Files         []Upload
	NoticeVersion string
	Care          bool // written in the 关怀版
	Suspect       bool // the trap field was filled: a machine, or an eager browser; screen it, never drop it
}

// Upload is one file of the visitor; Open may be called while the handler runs.
type Upload struct {
	Name string
	Size int64
	Open func() (io.ReadCloser, error)
}

// Receipt is the answer to a Submission.
type Receipt struct {
	Number   string // 单号, 15 digits
	Code     string // 查询码
	Limit    string // answer time, such as "5个工作日"; may be empty
	Repeated bool   // this form had been sent before: nothing new was made
}

// Ref says which ticket and by what right: Number with Code, or Number with Token.
type Ref struct {
	Number, Code, Token string
	IP                  string // of the visitor, for the limits of tries
	Key                 string // of a write: the same key twice is one write
}

// Tone colours a state; the text always says the same.
type Tone string

const (
	ToneWait Tone = "wait" // waiting, grey
	ToneRun  Tone = "run"  // going on, blue
	ToneDone Tone = "done" // finished, green
	ToneLate Tone = "late" // overdue or returned, red
	ToneSoon Tone = "soon" // due soon, amber
)

// Summary is one line of the list of a phone's tickets.
type Summary struct {
	Number, Type, Title string
	Status              string
	Tone                Tone
	At                  time.Time
}

// Progress is what a citizen may see of a ticket.
type Progress struct {
	Number    string
	Type      string
	Region    string // full name
	Status    string // label, such as "办理中"
	Tone      Tone
	Stage     int // 1 受理 2 派单 3 办理 4 答复 5 评价; 6 all done; 0 the road was left
	At        time.Time
	Due       string // `11月27日 周五 18:00·剩2天3小时`; empty when nothing is due
	Late      bool
	Points    []Point
	Steps     []Step // public events, oldest first
	Viewers   []View // newest first
	Messages  []UnitMessage
	Files     int // attachments kept
	Secrecy   Secrecy
	Anonymous bool
	Evaluated string // what the citizen said already, `非常满意（电话回访）`; empty before

	MaySupplement, MayUrge, MayEvaluate, MayMessage, MayWithdraw Permission
	MayPlay                                                      Permission // in the demonstration
}

// Point is one 诉求点 with the unit that has it.
type Point struct {
	Text   string
	Unit   string   // 主办; empty while nobody has it
	Helps  []string // 协办
	Since  time.Time
	Due    string
	State  string
	Tone   Tone
	Result string // the unit's answer to the citizen; empty until there is one
	Split  string // 单号 under which it goes on by itself; empty for most
}

// Step is one public event of a ticket.
type Step struct {
	At    time.Time
	Label string // such as "已派单"
	Text  string // one sentence for the citizen; may be empty
	Unit  string
}

// View says who looked at the data of the ticket and for what (谁看过我的信息).
type View struct {
	Unit, Why string
	At        time.Time
	Times     int // how often; 0 and 1 are once
}

// UnitMessage is one message of the 热线中转 conversation.
type UnitMessage struct {
	At   time.Time
	From string // unit name; empty when Mine
	Text string
	Mine bool
}

// Talk is a conversation in writing with the hotline.
type Talk struct {
	Lines []TalkLine // oldest first
	Over  bool       // nothing more can be written
}

// TalkLine is one message of a Talk.
type TalkLine struct {
	At   time.Time
	Text string
	Mine bool
}

// Permission tells whether an act is open now, and if not why.
type Permission struct {
	Allowed bool
	Reason  string // shown when not allowed; an empty reason hides the act
}

// Choice is one option with its stored code and its label on the screen.
type Choice struct{ Code, Label string }

// Evaluation is the citizen's verdict.
type Evaluation struct {
	Score   int      // 5 非常满意 … 1 非常不满意
	Solved  string   // a code of SolvedChoices
	Reasons []string // codes of DissatisfiedReasons; at least one when Score ≤ 2
	Text    string
}

// Scores are the five degrees of an evaluation, best first; the code is Score.
var Scores = []Choice{{"5", "非常满意"}, {"4", "满意"}, {"3", "基本满意"}, {"2", "不满意"}, {"1", "非常不满意"}}

// SolvedChoices answer whether the matter was solved.
var SolvedChoices = []Choice{{"yes", "已经解决"}, {"partly", "部分解决"}, {"no", "没有解决"}}

// DissatisfiedReasons are the reasons of which 不满意 needs at least one.
var DissatisfiedReasons = []Choice{
	{"unsolved", "问题没有解决"}, {"no_contact", "没有人联系我"}, {"untrue", "答复与事实不符"}, {"slow", "办得太慢"},
	{"attitude", "态度不好"}, {"unclear", "答复没说清楚"}, {"other", "其他原因"},
}

// WithdrawReasons are the reasons for taking a request back.
var WithdrawReasons = []Choice{
	{"solved", "问题已经解决"}, {"mistake", "内容填错了，准备重新反映"}, {"no_need", "不想再反映了"}, {"other", "其他原因"},
}

// Article is one public knowledge entry. Body is plain text: paragraphs parted
// by empty lines, "## " opens a heading, "- " and "1. " list entries.
type Article struct {
	ID, Title, Summary, Body string
	Source                   string // issuing document, such as 《…办法》第八条
	Owner                    string // responsible unit
	Region                   string // where it holds
	From, To                 time.Time
	Updated                  time.Time
}

// Line is one number of the registry.
type Line struct {
	Number, Name, Department string
	Former                   string    // the name before the merger; empty when it kept its own
	Place                    string    // where this entry holds; empty = the whole province
	Mode                     string    // 整体并入, 双号并行, 设分中心 …
	State                    string    // 已归并, 过渡期, 保留 …
	Until                    time.Time // end of the transition; zero when there is none
	Advice                   string    // what the citizen should dial
}

// Challenge is a proof of work: find n so that SHA-256 of Token+"."+n begins
// with Bits zero bits. A browser tries some 30,000 a second, so 14–16 is felt but short.
type Challenge struct {
	Token string
	Bits  int
}

// Answer is the proof that a person sends: Solution is Token+"."+n, or, for
// those whose browser cannot compute it, a phone and the SMS code sent to it.
type Answer struct{ Solution, Phone, Code string }

// Message is one SMS on the simulated phone.
type Message struct {
	At   time.Time
	From string // sender shown, "12345" when empty
	Text string
	Link string // path on this site the message opens, such as /s/k3…; may be empty
}
