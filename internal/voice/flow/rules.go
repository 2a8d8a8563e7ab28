package flow

import (
	_ "embed"
	"encoding/json"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/policy"
	"hotline/internal/region"
	"hotline/internal/voice/acd"
	"hotline/internal/voice/media"
)

// PolicyVoice is the policy kind of the telephone's rules (话务规则).
const PolicyVoice = "voice"

//go:embed voice.json
var defaultRules []byte

// Trunk is a carrier's connection and the region whose calls it brings.
type Trunk struct {
	media.Trunk
	Region string `json:"region,omitempty"`
	Test   bool   `json:"test,omitempty"` // 拨测: its calls may name the seat they are for (X-Seat)
	// Counted (演示中继) makes those calls count, and be called back when missed,
	// like any other.
	Counted bool `json:"counted,omitempty"`
}

// Rules are the rules of the telephone, in seconds where they are times.
type Rules struct {
	Trunks []Trunk `json:"trunks"`
	Show   string  `json:"show"` // number shown on outgoing calls
	// Segments (号段) are the first 3 to 8 digits of mobile numbers and the city
	// that they are of, for calls that neither area code nor trunk places.
	Segments map[string]string    `json:"segments,omitempty"`
	Queue    acd.Queue            `json:"queue"`
	Queues   map[string]acd.Queue `json:"queues,omitempty"` // by line, instead of Queue
	Forward  int                  `json:"forward"`          // ringing at kept seats and sub-centres
	Hand     int                  `json:"hand"`             // ringing at the target of a transfer
	Dial     int                  `json:"dial"`             // ringing at a citizen
	Lost     int                  `json:"lost"`             // a seat without a line for so long loses its caller
	Survey   bool                 `json:"survey"`           // after the seat hangs up
	Redial   bool                 `json:"redial"`           // a call that breaks off is dialled again once
	Repeat   int                  `json:"repeat"`           // points for each call of the number within a day
	Hazard   int                  `json:"hazard"`           // points for a call flagged dangerous
	Special  int                  `json:"special"`          // points of the special list, negative
	Quiet    struct {
		From string `json:"from"` // 21:00: no calls to citizens
		To   string `json:"to"`   // 08:00
	} `json:"quiet"`
	FollowUp int `json:"follow_up"` // days for a matter of 领导接听
	// Menus has the lines that ask for a key first; none by default.
	Menus map[string]Menu `json:"menus,omitempty"`
}

// ParseRules reads the rules.
func ParseRules(doc []byte) (Rules, error) {
	var r Rules
	if err := json.Unmarshal(doc, &r); err != nil {
		return r, fault.Invalid("voice_invalid", "话务规则不是有效的 JSON。").Because(err)
	}
	return r, nil
}

// RegisterPolicies tells the store about the rules.
func RegisterPolicies(p *policy.Store) {
	p.Register(PolicyVoice, policy.Kind{Label: "话务规则", Default: func() []byte { return defaultRules }, Validate: ValidateRules})
}

// ValidateRules keeps the rules within what the standards allow.
func ValidateRules(doc, _ []byte) error {
	r, err := ParseRules(doc)
	if err != nil {
		return err
	}
	bad := func(text string, args ...any) error { return fault.Invalid("voice_invalid", text, args...) }
	queues := map[string]acd.Queue{"总队列": r.Queue}
	for n, q := range r.Queues {
		queues[n] = q
	}
	for n, q := range queues {
		switch {
		case q.RingTime < 5 || q.RingTime > 15: // GB/T 33358-2016: 15秒内应答
			return bad("%s：振铃时长应为5至15秒。", n)
		case q.Wrap < 0 || q.Wrap > 300:
			return bad("%s：话后处理上限应为0至300秒。", n)
		case q.Within < 60 || q.Within > 1800: // 漏接回拨≤30分钟
			return bad("%s：漏接回拨时限应为1至30分钟。", n)
		case q.Short < 0 || q.Short > 10:
			return bad("%s：短放弃应为0至10秒。", n)
		case len(q.Rings) == 0:
			return bad("%s：至少有一圈溢出范围。", n)
		}
		for i, s := range q.Rings {
			if s.Reach < acd.ReachTeam || s.Reach > acd.ReachCallback || i > 0 && (s.After < q.Rings[i-1].After || s.Reach <= q.Rings[i-1].Reach) {
				return bad("%s：溢出范围应由近到远、时间递增。", n)
			}
		}
	}
	for _, t := range r.Trunks {
		if t.Password != "" {
			return bad("中继“%s”的密码不写在规则里，请写入数据目录 voice/trunks 下以中继名命名的文件。", t.Name)
		}
		if t.Name == "" || strings.ContainsAny(t.Name, "/\\") {
			return bad("中继要有名称，且不含斜杠。")
		}
		if t.Register && (t.Address == "" || t.User == "" || t.Expires != 0 && (t.Expires < 60 || t.Expires > 86400)) {
			return bad("中继“%s”要注册，须写地址和用户名，注册间隔应为60至86400秒。", t.Name)
		}
		if strings.ContainsAny(t.User+t.Domain, " <>@;\"\r\n") {
			return bad("中继“%s”的用户名和域名不能含空格、引号、@ 等符号。", t.Name)
		}
	}
	if r.Forward < 20 || r.Forward > 30 || r.Hand < 20 || r.Hand > 30 {
		return bad("转接振铃应为20至30秒，无人接听即回到原席。")
	}
	if r.Lost < 1 || r.Lost+unnoticed > 10 {
		return bad("席位断线的等待应为1至5秒：察觉断线约需5秒，合计10秒以内重新排队。")
	}
	for n, m := range r.Menus {
		if err := m.check(n, bad); err != nil {
			return err
		}
	}
	for p, city := range r.Segments {
		if c, ok := region.Get(city); !ok || region.City(c.Code) != c.Code || len(p) < 3 || len(p) > 8 || strings.Trim(p, "0123456789") != "" {
			return bad("号段“%s”应为3至8位数字，归属应为市州的6位代码。", p)
		}
	}
	for _, t := range []string{r.Quiet.From, r.Quiet.To} {
		if _, err := time.Parse("15:04", t); err != nil {
			return bad("静默时段应写成“21:00”的样子。")
		}
	}
	return nil
}

// queue gives the rules of a line's queue.
func (r Rules) queue(name string) acd.Queue {
	q, ok := r.Queues[name]
	if !ok {
		q = r.Queue
	}
	q.Name = name
	return q
}

// QuietUntil is the moment at which citizens may be called again; zero when
// they may be called now.
func (r Rules) QuietUntil(t time.Time) time.Time {
	t = t.In(clock.Shanghai)
	at := func(hm string, day int) time.Time {
		p, err := time.Parse("15:04", hm)
		if err != nil {
			return t
		}
		return time.Date(t.Year(), t.Month(), t.Day()+day, p.Hour(), p.Minute(), 0, 0, clock.Shanghai)
	}
	if r.Quiet.From == r.Quiet.To {
		return time.Time{}
	}
	from, to := at(r.Quiet.From, 0), at(r.Quiet.To, 0)
	switch {
	case from.Before(to) && !t.Before(from) && t.Before(to): // within one day
		return to
	case to.Before(from) && t.Before(to): // the small hours
		return to
	case to.Before(from) && !t.Before(from): // the evening
		return at(r.Quiet.To, 1)
	}
	return time.Time{}
}
