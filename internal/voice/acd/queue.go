package acd

import "slices"

// Strategy is how a queue chooses among seats that are free (选席策略).
type Strategy string

// The strategies. Ties go to the seat idle longest, then to the smaller name.
const (
	LongestIdle   Strategy = "longest_idle"   // 空闲最久
	LeastOccupied Strategy = "least_occupied" // 占用率最低
	RoundRobin    Strategy = "round_robin"    // 轮流
	TopSkill      Strategy = "top_skill"      // 技能最高
)

// Reach is how far a waiting call looks for a seat (溢出圈).
type Reach int

// The rings, each holding the ones before it.
const (
	ReachTeam     Reach = iota // 本班组
	ReachCity                  // 本市
	ReachProvince              // 全省
	ReachRemote                // 县级远程座席
	ReachCallback              // offers a call-back; the call waits on
)

var reachWords = [...]string{"本班组", "本市", "全省", "县级远程座席", "回拨"}

// Word is the ring's Chinese name.
func (r Reach) Word() string { return reachWords[r] }

// Step is one step of the overflow: from After seconds of waiting on the call
// looks as far as Reach.
type Step struct {
	After int   `json:"after"`
	Reach Reach `json:"reach"`
}

// Need is a skill that a call wants of its seat (技能要求).
type Need struct {
	Skill string `json:"skill"` // line:12333, lang:en, dialect:恩施话, biz:社保, biz:涉企
	Level int    `json:"level"` // least level, 1–100
	Soft  bool   `json:"soft"`  // wanted, and waived after Queue.Relax
}

// Queue is how one line is served (队列). Seconds throughout; the zero of a
// limit means that it does not apply.
type Queue struct {
	Name     string   `json:"name"`
	Strategy Strategy `json:"strategy"`
	Affinity bool     `json:"affinity"` // the seat that served the caller last goes first
	Rings    []Step   `json:"rings"`
	Relax    int      `json:"relax"`    // soft needs are waived after
	RingTime int      `json:"ring"`     // a seat rings so long, then 未应答 (RONA)
	Wrap     int      `json:"wrap"`     // forced limit of 话后处理
	Announce []int    `json:"announce"` // seconds of waiting at which position and wait are told
	Every    int      `json:"every"`    // and then again every
	Points   int      `json:"points"`   // priority points that a second of waiting is worth
	Short    int      `json:"short"`    // hanging up earlier is 短放弃 and owes no call-back
	Within   int      `json:"within"`   // a missed caller is called back within
	Tries    int      `json:"tries"`    // call-back attempts
	Retry    int      `json:"retry"`    // between attempts
}

// Standard is the queue that a province begins with: 15 s is what GB/T
// 33358-2016 allows for an answer, so a call leaves its city within 10.
func Standard(name string) Queue {
	return Queue{Name: name, Strategy: LongestIdle, Affinity: true, Rings: []Step{{0, ReachTeam}, {4, ReachCity}, {10, ReachProvince}, {20, ReachRemote}, {60, ReachCallback}},
		Relax: 8, RingTime: 12, Wrap: 60, Announce: []int{5, 30, 60}, Every: 60, Points: 1, Short: 5, Within: 1800, Tries: 3, Retry: 300}
}

// Seat is a position as the dispatcher knows it.
type Seat struct {
	ID     string
	Team   int64 // unit of the people
	City   int64 // platform
	Remote bool  // 县级远程座席
	Skills map[string]int
}

// Call is a caller, present or to be called back.
type Call struct {
	ID       int64
	Queue    string
	Team     int64 // where it looks first; 0 = straight to the city
	City     int64
	Needs    []Need
	Base     int    // points: 领导接听, 特殊名单 (negative)
	Boost    int    // points: 重复来电, 危险情形
	Last     string // seat that served the caller last
	First    string // seat that is asked before every other while it is ready (指定席位), once
	Because  string // why it is, for the seat to read
	Caller   string // keyed digest of the number; "" = withheld, cannot be called back
	Arrived  int64  // ms; keeps its place through requeues, call-backs and restarts
	Least    Reach  // looks at least so far from the start: its city is not known
	Callback bool   // the caller is not on the line
	NotUntil int64  // a call-back rests until then (静默时段, next try)

	state   callState
	rank    int64
	seat    string
	reach   int // index into Rings
	relaxed bool
	tries   int
	due     int64 // a missed caller's deadline
	waited  bool  // rang or waited before: announcements go on
	offered bool  // call-back was offered
	gen     int64 // timers of an older state are void
}

type callState int

const (
	waiting callState = iota + 1
	ringing
	talking
	resting // a call-back before its time
)

// Place says where a call stands, for tests and walls.
func (c *Call) Place() string {
	return [...]string{"", "排队", "振铃", "通话", "待回拨"}[c.state]
}

// Due is the moment by which a missed caller must have been called back; 0 = none.
func (c *Call) Due() int64 { return c.due }

// rankOf orders waiting calls: a point is worth 1/Points seconds of waiting, so
// one number stands for base + age·k + boost at every moment.
func (q *Queue) rankOf(c *Call) int64 {
	k := int64(max(q.Points, 1))
	return c.Arrived - int64(c.Base+c.Boost)*1000/k
}

// fits tells whether the seat has the skills that the call needs now.
func (s *seat) fits(c *Call) bool {
	for _, n := range c.Needs {
		if n.Soft && c.relaxed {
			continue
		}
		if s.Skills[n.Skill] < max(n.Level, 1) {
			return false
		}
	}
	return true
}

// within tells whether the call looks as far as the seat.
func (s *seat) within(c *Call, r Reach) bool {
	switch r {
	case ReachTeam:
		return s.Team == c.Team && !s.Remote || c.Team == 0 && s.City == c.City && !s.Remote
	case ReachCity:
		return s.City == c.City && !s.Remote
	case ReachProvince:
		return !s.Remote
	}
	return true
}

func (q *Queue) reachOf(c *Call) Reach {
	if len(q.Rings) == 0 {
		return ReachRemote
	}
	return max(c.Least, q.Rings[min(c.reach, len(q.Rings)-1)].Reach)
}

// insert puts a call into its place among those that wait.
func insert(list []*Call, c *Call) []*Call {
	i, _ := slices.BinarySearchFunc(list, c, before)
	return slices.Insert(list, i, c)
}

func remove(list []*Call, c *Call) []*Call {
	i, ok := slices.BinarySearchFunc(list, c, before)
	if !ok {
		return list
	}
	return slices.Delete(list, i, i+1)
}

func before(a, b *Call) int {
	switch {
	case a.rank < b.rank || a.rank == b.rank && a.ID < b.ID:
		return -1
	case a.rank == b.rank && a.ID == b.ID:
		return 0
	}
	return 1
}
