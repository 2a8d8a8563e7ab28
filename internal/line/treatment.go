package line

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"hotline/internal/fault"
	"hotline/internal/policy"
	"hotline/internal/region"
)

// Hotline is the number that all others lead to.
const (
	Hotline     = "12345"
	HotlineName = "政务服务便民热线"
)

// Prompt names the announcement that a caller hears first (play renders it).
type Prompt string

// The prompts of treatments.
const (
	PromptWelcome    Prompt = "welcome"    // 12345
	PromptTransition Prompt = "transition" // 已整体并入，正在转接
	PromptMoved      Prompt = "moved"      // 改号通知
	PromptParallel   Prompt = "parallel"   // 双号并行
	PromptSubcentre  Prompt = "subcentre"  // 分中心
)

// Treatment is what a call to a number gets (呼叫处理).
type Treatment struct {
	Number string // the hotline dialled, without area code: the DNIS of the records
	Line   Line   // zero when the registry does not know the number
	Region string // where the call belongs as far as the number tells, "" = unknown
	Prompt Prompt
	Ends   bool   // the announcement is all: 改号通知
	Queue  string // number whose queue takes the call
	Skill  string // wanted of the seat, "" = none
	// Forward is where the kept seats of B2 and C are reached; the call comes
	// back to the queue when nobody answers there.
	Forward string
	Unit    string // code of the unit whose seats ring first: a sub-centre on this platform
}

// Skill is the seat skill of a line.
func Skill(number string) string { return "line:" + number }

// Treat says what a call to dnis gets at a moment. A number is treated alike
// with and without its area code; an unknown one is taken as 12345's own, so a
// wrong entry of the registry never loses a caller. where is the region of the
// trunk or the caller, used when the number does not tell.
func (r *Registry) Treat(dnis, where string, at time.Time) Treatment {
	number, place := Split(dnis)
	if place == "" {
		place = where
	}
	t := Treatment{Number: number, Region: place, Prompt: PromptWelcome, Queue: Hotline}
	l, ok := r.At(number, place, at)
	if !ok {
		if number != Hotline {
			l, _ = r.At(Hotline, place, at)
		}
		t.Line = l
		return t
	}
	t.Line = l
	switch {
	case l.State == StateCancelled:
		t.Prompt, t.Ends, t.Queue = PromptMoved, true, ""
	case l.Mode == Merged:
		t.Prompt, t.Skill = PromptTransition, Skill(number)
	case l.Mode == SeatsIn:
		t.Prompt, t.Skill = PromptParallel, Skill(number)
	case l.Mode == SeatsKept:
		t.Prompt, t.Skill, t.Forward = PromptParallel, Skill(number), l.Target
	case l.Mode == Subcentre:
		t.Prompt, t.Skill, t.Forward, t.Unit = PromptSubcentre, Skill(number), l.Target, l.Unit
	}
	return t
}

// Split takes the area code off a dialled number and names its city:
// 02712345 and +862712345 are 12345 of 武汉.
func Split(dnis string) (number, place string) {
	n := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, dnis)
	if rest, ok := strings.CutPrefix(n, "0086"); ok {
		n = "0" + rest
	} else if rest, ok := strings.CutPrefix(n, "86"); ok && len(rest) >= 7 {
		n = "0" + rest
	}
	for _, c := range region.Cities() {
		if c.AreaCode != "" && strings.HasPrefix(n, c.AreaCode) && len(n) >= len(c.AreaCode)+5 && len(n) <= len(c.AreaCode)+6 {
			return n[len(c.AreaCode):], c.Code
		}
	}
	return n, ""
}

// CallerCity is the city that a caller's fixed-line number tells; "" for
// mobiles and strangers.
func CallerCity(ani string) string {
	for _, c := range region.Cities() {
		if c.AreaCode != "" && strings.HasPrefix(ani, c.AreaCode) && len(ani) >= len(c.AreaCode)+7 {
			return c.Code
		}
	}
	return ""
}

// At finds the entry of a number for a place: the one of the smallest region
// that holds it (一号在不同市州可有不同归并方式).
func (r *Registry) At(number, place string, at time.Time) (Line, bool) {
	var best Line
	found := false
	for _, l := range r.All(at) {
		if l.Number != number || l.Region != region.ProvinceCode && (place == "" || !region.Contains(l.Region, place)) {
			continue
		}
		if !found || len(strings.TrimRight(l.Region, "0")) > len(strings.TrimRight(best.Region, "0")) {
			best, found = l, true
		}
	}
	return best, found
}

// PolicyTargets is the policy kind of the one-key targets.
const PolicyTargets = "transfer_targets"

// Target is where a seat hands a caller on with one key (一键转接).
type Target struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`             // emergency 紧急, utility 水电气热, line 分中心和保留座席, city 外地12345
	Number string `json:"number,omitempty"` // "" = no direct line: a ticket is made for Duty
	Region string `json:"region,omitempty"` // where it holds, "" = everywhere
	Duty   string `json:"duty,omitempty"`   // duty that answers for a ticket when nobody is reached
}

// defaultTargets: the emergency numbers stay outside the merger (方案 二: 110、119、
// 120、122等紧急热线除外); 95598 is the national number of the power company. Direct
// lines of water, gas and heat differ by city and are entered there.
const defaultTargets = `[
{"code":"110","name":"110报警","kind":"emergency","number":"110"},
{"code":"119","name":"119火警","kind":"emergency","number":"119"},
{"code":"120","name":"120急救","kind":"emergency","number":"120"},
{"code":"122","name":"122交通事故","kind":"emergency","number":"122"},
{"code":"water","name":"供水企业","kind":"utility","duty":"gongshui"},
{"code":"power","name":"供电企业95598","kind":"utility","number":"95598","duty":"gongdian"},
{"code":"gas","name":"供气企业","kind":"utility","duty":"gongqi"},
{"code":"heat","name":"供热企业","kind":"utility","duty":"gongre"}
]`

// DefaultTargets is the embedded list.
func DefaultTargets() []byte { return []byte(defaultTargets) }

// ParseTargets reads a list of targets.
func ParseTargets(doc []byte) ([]Target, error) {
	var list []Target
	if err := json.Unmarshal(doc, &list); err != nil {
		return nil, fault.Invalid("targets_invalid", "转接目标不是有效的 JSON。").Because(err)
	}
	return list, nil
}

// ValidateTargets refuses a list without the four emergency numbers.
func ValidateTargets(doc, _ []byte) error {
	list, err := ParseTargets(doc)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, t := range list {
		switch {
		case t.Code == "" || t.Name == "" || !slices.Contains([]string{"emergency", "utility", "line", "city"}, t.Kind):
			return fault.Invalid("target_invalid", "转接目标“%s”缺少代码、名称，或类别不对。", t.Name)
		case strings.Trim(t.Number, "0123456789") != "" || len(t.Number) > 20:
			return fault.Invalid("target_invalid", "转接目标“%s”的号码应为数字。", t.Name)
		case t.Region != "" && !known(t.Region):
			return fault.Invalid("region_unknown", "转接目标“%s”的区划代码不存在。", t.Name)
		case seen[t.Code+"|"+t.Region]:
			return fault.Invalid("target_twice", "转接目标“%s”在同一区划出现两次。", t.Name)
		}
		seen[t.Code+"|"+t.Region] = true
	}
	for _, n := range []string{"110", "119", "120", "122"} {
		if !seen[n+"|"] {
			return fault.Invalid("target_emergency", "转接目标须含%s。", n)
		}
	}
	return nil
}

func known(code string) bool { _, ok := region.Get(code); return ok }

// Targets lists where calls of a place can be handed on: the one-key list, the
// kept seats and sub-centres, and 12345 of the other cities.
func (r *Registry) Targets(place string, at time.Time) []Target {
	var out []Target
	byCode := map[string]int{}
	list, _ := r.targets(policy.Province, at)
	for _, t := range list {
		if t.Region != "" && !region.Contains(t.Region, place) {
			continue
		}
		if i, ok := byCode[t.Code]; ok {
			if len(t.Region) > 0 {
				out[i] = t
			}
			continue
		}
		byCode[t.Code] = len(out)
		out = append(out, t)
	}
	seen := map[string]bool{}
	for _, l := range r.All(at) {
		if l.Mode != SeatsKept && l.Mode != Subcentre || l.State == StateCancelled || seen[l.Number] {
			continue
		}
		if here, ok := r.At(l.Number, place, at); ok {
			seen[l.Number] = true
			number := here.Target
			if number == "" {
				number = here.Number
			}
			out = append(out, Target{Code: "line:" + here.Number, Name: here.Number + here.Name, Kind: "line", Number: number})
		}
	}
	home := region.City(place)
	for _, c := range region.Cities() {
		if c.Code != home && c.AreaCode != "" {
			out = append(out, Target{Code: "city:" + c.Code, Name: c.Name + Hotline, Kind: "city", Number: c.AreaCode + Hotline})
		}
	}
	return out
}

// Target finds one of Targets by its code.
func (r *Registry) Target(code, place string, at time.Time) (Target, bool) {
	for _, t := range r.Targets(place, at) {
		if t.Code == code {
			return t, true
		}
	}
	return Target{}, false
}
