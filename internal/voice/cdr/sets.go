package cdr

import (
	"slices"
	"strconv"
	"strings"

	"hotline/internal/fault"
)

// Sets of calls as the figures count them (计入口径): the number that a page shows
// and the list behind it are of the same calls. 拨测 is in none of them.
const (
	SetOffered   = "offered"   // 呼入
	SetQueued    = "queued"    // 转人工
	SetAnswered  = "answered"  // 接听
	SetIn15      = "in15"      // 15秒内接听
	SetLate      = "late"      // 15秒后接听
	SetMissed    = "missed"    // 转人工未接听
	SetAbandoned = "abandoned" // 排队放弃
	SetShort     = "short"     // 短放弃
	SetSurveyed  = "surveyed"  // 有评价
)

const (
	sqlWait  = `CASE WHEN queued = 0 THEN 0 WHEN answered > 0 THEN answered - queued ELSE ended - queued END`
	sqlTaken = `result IN ('answered','forwarded')`
	sqlLost  = `queued > 0 AND result IN ('abandoned','kept','short')`
)

// sets are what Figures.count counts, as conditions on voice_call.
var sets = map[string]string{
	SetOffered:   `direction = 'in'`,
	SetQueued:    `direction = 'in' AND queued > 0`,
	SetAnswered:  `direction = 'in' AND ` + sqlTaken,
	SetIn15:      `direction = 'in' AND ` + sqlTaken + ` AND ` + sqlWait + ` <= 15000`,
	SetLate:      `direction = 'in' AND ` + sqlTaken + ` AND ` + sqlWait + ` > 15000`,
	SetMissed:    `direction = 'in' AND queued > 0 AND NOT ` + sqlTaken,
	SetAbandoned: `direction = 'in' AND ` + sqlLost,
	SetShort:     `direction = 'in' AND queued > 0 AND result = 'short'`,
	SetSurveyed:  `survey > 0`,
}

// set is the condition of a set within what the figures are of; the calls of a
// unit's share are already those that the actor may see.
func (f *Filter) set(of Share) (string, error) {
	cond, ok := sets[f.Set]
	if !ok {
		return "", fault.Invalid("set_unknown", "没有这种计入口径，请从列表中选择。")
	}
	cond += ` AND ended > 0 AND (',' || flags || ',') NOT LIKE '%,` + FlagTest + `,%'`
	if of.Unit != 0 {
		return cond, nil
	}
	ids := make([]string, 0, len(of.Platforms))
	for _, p := range of.Platforms {
		ids = append(ids, strconv.FormatInt(p, 10))
	}
	slices.Sort(ids)
	return cond + ` AND platform IN (` + strings.Join(ids, ",") + `)`, nil
}
