// Package line is the number registry (热线号码台账): which hotline numbers
// exist, where and since when, how each was merged into 12345 and what its
// caller hears. It is data under the policy kind "lines"; the embedded default
// is the national list, whose entries say how sure they are. It never routes
// calls itself. The faces ask it for names and show the list to citizens.
package line

import (
	_ "embed"
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"time"

	"hotline/internal/clock"
	"hotline/internal/fault"
	"hotline/internal/policy"
)

// PolicyLines is the policy kind of the registry.
const PolicyLines = "lines"

// Mode is how a line was merged (归并方式).
type Mode string

// The merge modes of the plan (二、归并方式).
const (
	Merged     Mode = "A"  // 整体并入: number cancelled
	SeatsIn    Mode = "B1" // 双号并行，座席并入
	SeatsKept  Mode = "B2" // 双号并行，保留座席并转接
	Subcentre  Mode = "C"  // 设分中心: vertically managed departments
	TheHotline Mode = "0"  // 12345 itself
)

// Word is the mode in Chinese.
func (m Mode) Word() string {
	return map[Mode]string{Merged: "整体并入", SeatsIn: "双号并行（座席并入）", SeatsKept: "双号并行（电话转接）", Subcentre: "设分中心", TheHotline: "总号"}[m]
}

// States of a number (状态). Cancelled is terminal.
const (
	StateInUse      = "在用"
	StateTransition = "过渡期"
	StateCancelled  = "已取消"
)

// Line is one number in one region for one period.
type Line struct {
	Number     string `json:"number"`
	Name       string `json:"name"`
	Department string `json:"department"`
	Region     string `json:"region"` // 420000 = everywhere
	Mode       Mode   `json:"mode"`
	State      string `json:"state"`                // StateInUse, StateTransition, StateCancelled
	From       string `json:"from,omitempty"`       // in force from this day, "" = always
	Until      string `json:"until,omitempty"`      // end of the transition, 2006-01-02
	Confidence string `json:"confidence,omitempty"` // 高, 中, 低: the national list is provisional
	Basis      string `json:"basis,omitempty"`
	Target     string `json:"target,omitempty"`    // 转接目标: number of the kept seats
	Unit       string `json:"unit,omitempty"`      // code of the sub-centre whose people sit on this platform
	Level      string `json:"level,omitempty"`     // 层级
	Vertical   bool   `json:"vertical,omitempty"`  // 垂直管理
	Monthly    int    `json:"monthly,omitempty"`   // 月均话务量
	Seats      int    `json:"seats,omitempty"`     // 座席数
	System     string `json:"system,omitempty"`    // 业务系统
	Plan       string `json:"plan,omitempty"`      // 计划完成日
	Done       string `json:"done,omitempty"`      // 实际完成日
	Interface  string `json:"interface,omitempty"` // 归集接口
	Owner      string `json:"owner,omitempty"`     // 责任人
}

//go:embed lines.json
var national []byte

// Default is the embedded national list.
func Default() []byte { return national }

// Parse reads a registry.
func Parse(doc []byte) ([]Line, error) {
	var lines []Line
	if err := json.Unmarshal(doc, &lines); err != nil {
		return nil, fault.Invalid("lines_invalid", "号码台账不是有效的 JSON。").Because(err)
	}
	sort.SliceStable(lines, func(i, j int) bool {
		a, b := &lines[i], &lines[j]
		return a.Number < b.Number || a.Number == b.Number && a.From < b.From
	})
	return lines, nil
}

// check refuses what no entry may be.
func (l *Line) check() error {
	switch {
	case l.Mode.Word() == "":
		return fault.Invalid("mode_unknown", "%s：归并方式应为整体并入、双号并行或设分中心。", l.Number)
	case !validNumber(l.Number):
		return fault.Invalid("number_invalid", "“%s”不是有效的热线号码。", l.Number)
	case !known(l.Region):
		return fault.Invalid("region_unknown", "%s：区划代码不存在。", l.Number)
	case l.Name == "" || l.Department == "":
		return fault.Invalid("line_incomplete", "%s：请填写热线名称和主管部门。", l.Number)
	case l.State != StateInUse && l.State != StateTransition && l.State != StateCancelled:
		return fault.Invalid("state_unknown", "%s：状态应为在用、过渡期或已取消。", l.Number)
	case l.State == StateTransition && (l.Mode != Merged || l.Until == ""):
		return fault.Invalid("until_needed", "%s：过渡期只用于整体并入的号码，并须有截止日。", l.Number)
	case strings.Trim(l.Target, "0123456789") != "":
		return fault.Invalid("target_invalid", "%s：转接目标应为电话号码。", l.Number)
	}
	for _, d := range []string{l.From, l.Until, l.Plan, l.Done} {
		if _, err := time.Parse(time.DateOnly, d); d != "" && err != nil {
			return fault.Invalid("date_invalid", "%s：日期应写成2026-06-30的样子。", l.Number)
		}
	}
	return nil
}

func validNumber(s string) bool {
	return len(s) >= 5 && len(s) <= 12 && strings.Trim(s, "0123456789") == ""
}

// Validate refuses entries that are none, and the same entry twice. What may
// change, and by whom, is Service's.
func Validate(doc, _ []byte) error {
	lines, err := Parse(doc)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fault.Invalid("lines_invalid", "号码台账是空的；请至少保留一个号码。")
	}
	seen := map[string]bool{}
	for _, l := range lines {
		if err := l.check(); err != nil {
			return err
		}
		if seen[l.key()] {
			return fault.Invalid("line_twice", "%s在同一区划出现两次。", l.Number)
		}
		seen[l.key()] = true
	}
	if !slices.ContainsFunc(lines, func(l Line) bool { return l.Number == Hotline && l.State == StateInUse }) {
		return fault.Invalid("hotline_absent", "号码台账须含12345。")
	}
	return nil
}

// Registry reads the lines in force.
type Registry struct {
	at      func(int64, time.Time) ([]Line, policy.Version)
	targets func(int64, time.Time) ([]Target, policy.Version)
}

// RegisterPolicies tells the store about the registry and the one-key targets.
func RegisterPolicies(p *policy.Store) {
	p.Register(PolicyLines, policy.Kind{Label: "热线号码台账", Default: Default, Validate: Validate})
	p.Register(PolicyTargets, policy.Kind{Label: "转接目标", Default: DefaultTargets, Validate: ValidateTargets})
}

// New builds the registry.
func New(p *policy.Store) *Registry {
	RegisterPolicies(p)
	return &Registry{at: policy.Cached(p, PolicyLines, Parse), targets: policy.Cached(p, PolicyTargets, ParseTargets)}
}

// All lists the lines in force at t, by number. A transition that has run out
// reads as cancelled.
func (r *Registry) All(t time.Time) []Line {
	lines, _ := r.at(0, t)
	day := t.In(clock.Shanghai).Format(time.DateOnly)
	out := make([]Line, 0, len(lines))
	at := map[string]int{}
	for _, l := range lines { // by number, then the day from which each is in force
		if l.From > day {
			continue
		}
		if l.State == StateTransition && l.Until != "" && day > l.Until {
			l.State = StateCancelled
		}
		if i, ok := at[l.Number+l.Region]; ok {
			out[i] = l
			continue
		}
		at[l.Number+l.Region] = len(out)
		out = append(out, l)
	}
	return out
}

// Of lists the numbers that a sub-centre (分中心), by its unit's code, answers at t.
func (r *Registry) Of(code string, t time.Time) (out []string) {
	for _, l := range r.All(t) {
		if l.Unit == code && l.State != StateCancelled && !slices.Contains(out, l.Number) {
			out = append(out, l.Number)
		}
	}
	return out
}

// Name gives the name of a number in a region, "" when unknown.
func (r *Registry) Name(number string, t time.Time) string {
	for _, l := range r.All(t) {
		if l.Number == number {
			return l.Name
		}
	}
	return ""
}
