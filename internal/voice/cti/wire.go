package cti

import (
	"regexp"
	"slices"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/voice/acd"
)

// Batch is one delivery (一批事件): what happened since the last, in order. With a
// Snapshot it first replaces what was known. An empty one says that the call
// centre is there.
type Batch struct {
	Snapshot *Snapshot `json:"snapshot,omitempty"`
	Events   []Event   `json:"events,omitempty"`
}

// Snapshot is all that a call centre carries, as of the event Seq (快照). It holds
// the calls that are up, and those that ended and were not taken yet.
type Snapshot struct {
	Seq    uint64  `json:"seq"`
	Agents []Agent `json:"agents"`
	Calls  []Call  `json:"calls"`
}

// Event is one change; Seq rises by one. It carries a call or an agent.
type Event struct {
	Seq   uint64 `json:"seq"`
	Call  *Call  `json:"call,omitempty"`
	Agent *Agent `json:"agent,omitempty"`
}

// Agent is a seat of the call centre (座席), known by its staff number (工号).
type Agent struct {
	No    string        `json:"no"`
	State acd.SeatState `json:"state"`
	Since int64         `json:"since"` // ms UTC
}

// Phase is where a call stands (通话阶段); the names in brackets are those of
// CSTA (ECMA-269), which makers' gateways speak.
type Phase string

// The phases.
const (
	Greeting Phase = "greeting" // 播放提示
	Queued   Phase = "queued"   // 排队 (Queued)
	Ringing  Phase = "ringing"  // 振铃 (Delivered)
	Dialling Phase = "dialling" // 外呼 (Originated)
	Talking  Phase = "talking"  // 通话 (Established, Retrieved)
	Held     Phase = "held"     // 保持 (Held)
	Survey   Phase = "survey"   // 评价
	Ended    Phase = "ended"    // 结束 (Connection Cleared)
)

// Call is a call as it stands. Times are ms UTC, 0 = not yet.
type Call struct {
	Ref       string  `json:"ref"`             // the call centre's own name of the call
	Direction string  `json:"direction"`       // in, out
	ANI       string  `json:"ani,omitempty"`   // the citizen's number, also of a call that goes out; "" = withheld
	DNIS      string  `json:"dnis"`            // the number dialled; of a call that goes out, the one shown
	Skill     string  `json:"skill,omitempty"` // queue
	Phase     Phase   `json:"phase"`
	Agent     string  `json:"agent,omitempty"` // 工号 of who is rung or talks
	Began     int64   `json:"began"`
	Queued    int64   `json:"queued,omitempty"`
	Answered  int64   `json:"answered,omitempty"` // by an agent, or by the citizen
	Ended     int64   `json:"ended,omitempty"`
	HeldMs    int64   `json:"held_ms,omitempty"`
	Muted     bool    `json:"muted,omitempty"`  // the agent's microphone
	Paused    bool    `json:"paused,omitempty"` // the recording
	AcwMs     int64   `json:"acw_ms,omitempty"`
	Hand      *Hand   `json:"transfer,omitempty"`
	Parties   []Party `json:"parties,omitempty"`
	Cause     int     `json:"cause,omitempty"`     // Q.850
	By        string  `json:"by,omitempty"`        // who hung up: party, seat, platform
	Recording string  `json:"recording,omitempty"` // its name, once it can be fetched
	Score     int     `json:"score,omitempty"`     // 1–5 of the survey
	Solved    string  `json:"solved,omitempty"`    // yes, no
	Command   string  `json:"command,omitempty"`   // ID of our command that began the call
}

// Hand is a transfer under way or over (转接).
type Hand struct {
	Target string `json:"target"`
	Name   string `json:"name"`
	Began  int64  `json:"began"`
	State  string `json:"state"` // calling, consulting, conference, completed, cancelled, no_answer, busy, failed
}

// Party is who else is on the call.
type Party struct {
	Name string `json:"name"`
	Up   bool   `json:"up"`
}

// Command is what a person asks of the call centre. A command repeated with its
// ID has one effect.
type Command struct {
	ID     string `json:"id"`
	Verb   string `json:"verb"` // see verbs
	Agent  string `json:"agent,omitempty"`
	Call   string `json:"call,omitempty"`   // Ref
	Target string `json:"target,omitempty"` // of a transfer
	Number string `json:"number,omitempty"` // to dial
	DNIS   string `json:"dnis,omitempty"`   // line of the call-back
}

var (
	refForm   = regexp.MustCompile(`^[A-Za-z0-9._:@-]{1,64}$`)
	noForm    = regexp.MustCompile(`^[0-9]{1,12}$`)
	phases    = []Phase{Greeting, Queued, Ringing, Dialling, Talking, Held, Survey, Ended}
	handWords = []string{"calling", "consulting", "conference", "completed", "cancelled", "no_answer", "busy", "failed"}
	states    = []acd.SeatState{acd.Off, acd.Ready, acd.Ringing, acd.Talking, acd.Wrap, acd.Break, acd.Idle}
)

// ahead is how far a call centre's clock may be before ours.
const ahead = 5 * time.Minute

func bad(seq uint64, what string) error {
	return fault.Invalid("cti_event", "话务平台事件%d不合约定：%s。", seq, what)
}

// check refuses what would make a false record; it says which event is wrong.
func (b *Batch) check(now time.Time) error {
	latest := clock.Millis(now.Add(ahead))
	if s := b.Snapshot; s != nil {
		for i := range s.Calls {
			if err := s.Calls[i].check(s.Seq, latest); err != nil {
				return err
			}
		}
		for _, a := range s.Agents {
			if err := a.check(s.Seq, latest); err != nil {
				return err
			}
		}
	}
	for i, e := range b.Events {
		if i > 0 && e.Seq != b.Events[i-1].Seq+1 {
			return bad(e.Seq, "序号不连续")
		}
		var err error
		switch {
		case (e.Call == nil) == (e.Agent == nil):
			err = bad(e.Seq, "应有且只有一个 call 或 agent")
		case e.Call != nil:
			err = e.Call.check(e.Seq, latest)
		default:
			err = e.Agent.check(e.Seq, latest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a Agent) check(seq uint64, latest int64) error {
	switch {
	case !noForm.MatchString(a.No):
		return bad(seq, "agent.no 应为1至12位数字工号")
	case !slices.Contains(states, a.State):
		return bad(seq, "agent.state 不认识")
	case a.Since < 0 || a.Since > latest:
		return bad(seq, "agent.since 不合理")
	}
	return nil
}

func (c *Call) check(seq uint64, latest int64) error {
	ordered := func(times ...int64) bool {
		last := int64(0)
		for _, t := range times {
			if t < 0 || t > latest || t != 0 && t < last {
				return false
			}
			last = max(last, t)
		}
		return true
	}
	switch {
	case !refForm.MatchString(c.Ref):
		return bad(seq, "call.ref 应为1至64位字母、数字或 ._:@-")
	case c.Direction != "in" && c.Direction != "out":
		return bad(seq, "call.direction 应为 in 或 out")
	case !slices.Contains(phases, c.Phase):
		return bad(seq, "call.phase 不认识")
	case len(c.ANI) > 32 || len(c.DNIS) > 32 || len(c.Skill) > 64 || len(c.Recording) > 200 || len(c.Command) > 64 || len(c.Parties) > 16:
		return bad(seq, "call 的某个字段过长")
	case c.Agent != "" && !noForm.MatchString(c.Agent):
		return bad(seq, "call.agent 应为1至12位数字工号")
	case c.Began <= 0 || !ordered(c.Began, c.Queued, c.Answered, c.Ended):
		return bad(seq, "call 的时间应依次为 began、queued、answered、ended")
	case (c.Phase == Ended) != (c.Ended > 0):
		return bad(seq, "call.ended 与 phase 不符")
	case (c.Phase == Talking || c.Phase == Held) && (c.Answered == 0 || c.Agent == ""):
		return bad(seq, "通话中应有 answered 和 agent")
	case c.HeldMs < 0 || c.AcwMs < 0 || c.Score < 0 || c.Score > 5 || c.Solved != "" && c.Solved != "yes" && c.Solved != "no":
		return bad(seq, "call 的评价或时长不合理")
	case c.Hand != nil && (!slices.Contains(handWords, c.Hand.State) || c.Hand.Began <= 0 || c.Hand.Began > latest || len(c.Hand.Target) > 32 || len(c.Hand.Name) > 120):
		return bad(seq, "call.transfer 不合约定")
	}
	return nil
}
