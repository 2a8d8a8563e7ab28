package knowledge

import (
	"time"

	"hotline/internal/clock"
)

// State (条目状态) is where an article stands. The first four are stored; the
// others follow from the validity and the day.
type State string

// The states.
const (
	Draft     State = "draft"     // 草稿
	Review    State = "review"    // 待审核
	Published State = "published" // 已发布
	Offline   State = "offline"   // 已下线
	Pending   State = "pending"   // 待生效: published, its first day is yet to come
	Expiring  State = "expiring"  // 将到期: published, ends within 30 days
	Expired   State = "expired"   // 已过期: published, its last day is over
)

var stateLabels = map[State]string{Draft: "草稿", Review: "待审核", Published: "已发布", Offline: "已下线", Pending: "待生效", Expiring: "将到期", Expired: "已过期"}

// Label is the state's Chinese word.
func (s State) Label() string { return stateLabels[s] }

// States lists the states by which a list can be narrowed, in the order of tabs.
func States() []State { return []State{Published, Expiring, Review, Draft, Expired, Offline} }

// Kinds are the values of 材料性质.
var Kinds = []string{"办事指南", "法律法规", "政策解读", "热点问答", "日常咨询", "通知公告", "业务指引", "业务口径", "审批事项"}

// expiringDays is how many days before its end an article is called expiring.
const expiringDays = 30

// Text is what an article says: all that an editor writes and a version keeps.
type Text struct {
	Title     string   `json:"title"` // unique on its platform
	Path      string   `json:"path"`  // 目录, slash path such as 医疗保障/异地就医/备案
	Kind      string   `json:"kind"`  // 材料性质, one of Kinds
	Source    string   `json:"source"`
	DocNo     string   `json:"doc_no,omitempty"`     // 文号; "" = none
	Unit      int64    `json:"unit,omitempty"`       // 责任单位, org unit; 0 = only UnitWords
	UnitWords string   `json:"unit_words,omitempty"` // 责任单位 in words, where no unit of org is meant
	Region    string   `json:"region"`               // 适用区域
	ValidFrom int64    `json:"valid_from,omitempty"` // midnight of the first day in ms; 0 = at once
	ValidTo   int64    `json:"valid_to,omitempty"`   // midnight of the last valid day in ms; 0 = no end is known
	Keywords  []string `json:"keywords,omitempty"`
	Questions []string `json:"questions,omitempty"` // 相似问法
	Body      string   `json:"body"`                // plain text
	Public    bool     `json:"public,omitempty"`    // 对外: citizens may see it
}

// Article is one entry (知识条目). It is created by Create or Seed, its text is
// changed by Save, its state by Do alone.
type Article struct {
	ID       int64
	Version  int64 // number of its last change, for If-Match
	Platform int64
	Text
	State     State // stored state; see StateOn
	No        int64 // number of this text
	Live      int64 // number of the published text; 0 = none
	Author    int64 // who wrote the working copy last
	Submitter int64
	Created   int64 // ms
	Updated   int64 // ms of the last change; of the published copy its publication
	Cited     int64 // 引用次数: tickets answered with it
	Views     int64
}

// day is the midnight that begins the day of t, in ms.
func day(t time.Time) int64 {
	y, m, d := t.In(clock.Shanghai).Date()
	return clock.Millis(time.Date(y, m, d, 0, 0, 0, 0, clock.Shanghai))
}

// InForce tells whether the validity holds on the day of now.
func (t *Text) InForce(now time.Time) bool {
	d := day(now)
	return t.ValidFrom <= d && (t.ValidTo == 0 || t.ValidTo >= d)
}

// ExpiringOn tells whether the text ends within 30 days of now and has not yet.
func (t *Text) ExpiringOn(now time.Time) bool {
	d := day(now)
	return t.ValidTo >= d && t.ValidTo <= soon(d)
}

// soon is the last day that counts as near to the day d.
func soon(d int64) int64 {
	return clock.Millis(clock.FromMillis(d).AddDate(0, 0, expiringDays))
}

// StateOn is the state as people see it on the day of now.
func (a *Article) StateOn(now time.Time) State {
	switch d := day(now); {
	case a.State != Published:
		return a.State
	case a.ValidTo != 0 && a.ValidTo < d:
		return Expired
	case a.ValidFrom > d:
		return Pending
	case a.ExpiringOn(now):
		return Expiring
	}
	return Published
}
