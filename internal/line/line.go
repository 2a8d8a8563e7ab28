// Package line is the number registry (热线号码台账): which hotline numbers
// exist, where and since when, how each was merged into 12345 and what its
// caller hears. It is data under the policy kind "lines"; the embedded default
// is the national list, whose entries say how sure they are. It never routes
// calls itself. The faces ask it for names and show the list to citizens.
package line

import (
	_ "embed"
	"encoding/json"
	"sort"
	"strings"
	"time"

	"hotline/internal/fault"
	"hotline/internal/policy"
	"hotline/internal/region"
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

// Line is one number in one region.
type Line struct {
	Number     string `json:"number"`
	Name       string `json:"name"`
	Department string `json:"department"`
	Region     string `json:"region"` // 420000 = everywhere
	Mode       Mode   `json:"mode"`
	State      string `json:"state"`                // 在用, 过渡期, 已取消
	Until      string `json:"until,omitempty"`      // end of the transition, 2006-01-02
	Confidence string `json:"confidence,omitempty"` // 高, 中, 低: the national list is provisional
	Basis      string `json:"basis,omitempty"`
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
	sort.SliceStable(lines, func(i, j int) bool { return lines[i].Number < lines[j].Number })
	return lines, nil
}

// Validate refuses unknown modes, malformed numbers, and a cancelled number
// that comes back: cancelled is terminal (原则上不再恢复).
func Validate(doc, before []byte) error {
	lines, err := Parse(doc)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fault.Invalid("lines_invalid", "号码台账是空的；请至少保留一个号码。")
	}
	old, _ := Parse(before)
	was := map[string]string{}
	for _, l := range old {
		was[l.Number+l.Region] = l.State
	}
	for _, l := range lines {
		if l.Mode.Word() == "" {
			return fault.Invalid("mode_unknown", "%s：归并方式应为整体并入、双号并行或设分中心。", l.Number)
		}
		if len(l.Number) < 5 || len(l.Number) > 12 || strings.Trim(l.Number, "0123456789") != "" {
			return fault.Invalid("number_invalid", "“%s”不是有效的热线号码。", l.Number)
		}
		if _, ok := region.Get(l.Region); !ok {
			return fault.Invalid("region_unknown", "%s：区划代码不存在。", l.Number)
		}
		if was[l.Number+l.Region] == "已取消" && l.State != "已取消" {
			return fault.Invalid("number_cancelled", "%s已取消，原则上不再恢复；确需恢复须经省级批准并由两人办理。", l.Number)
		}
	}
	return nil
}

// Registry reads the lines in force.
type Registry struct {
	at func(int64, time.Time) ([]Line, policy.Version)
}

// New builds the registry; the policy kind must have been registered.
func New(p *policy.Store) *Registry {
	return &Registry{at: policy.Cached(p, PolicyLines, Parse)}
}

// All lists the lines in force at t, by number. A transition that has run out
// reads as cancelled.
func (r *Registry) All(t time.Time) []Line {
	lines, _ := r.at(0, t)
	out := make([]Line, len(lines))
	for i, l := range lines {
		if l.State == "过渡期" && l.Until != "" && t.Format("2006-01-02") > l.Until {
			l.State = "已取消"
		}
		out[i] = l
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
