package ticket

import (
	"context"
	"strconv"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/db"
	"hotline/internal/fault"
)

// RevealDay is how often an account saw clear personal data on a day, and how
// often the day's quota stopped it. The latter is an alarm for the privacy
// officer until looked at.
type RevealDay struct {
	Account, Unit int64
	Day           string // 2026-11-23
	Used, Refused int64
	Limit         int // 0 = none
	LastAt        int64
	SeenBy        int64
	SeenAt        int64
}

// spendReveal counts one reveal against the day's quota of the account policy;
// over tells that it was used up, which is counted, too.
func (s *Service) spendReveal(tx *db.Tx, actor access.Actor) (over bool, err error) {
	day := timeOf(tx.NowMS()).Format(time.DateOnly)
	limit := int64(s.accountRules(actor.Unit).RevealsPerDay)
	used, err := db.Int(tx, `SELECT coalesce(max(used), 0) FROM reveal_day WHERE account = $1 AND day = $2`, actor.Account, day)
	if err != nil {
		return false, err
	}
	over = limit > 0 && used >= limit
	_, err = tx.Exec(`INSERT INTO reveal_day (account, day, unit, platform, used, refused, last_at) VALUES ($1,$2,$3,$4,$5,$6,$7)
 ON CONFLICT (account, day) DO UPDATE SET used = reveal_day.used + excluded.used, refused = reveal_day.refused + excluded.refused, last_at = excluded.last_at,
 seen_at = CASE WHEN excluded.refused > 0 THEN 0 ELSE reveal_day.seen_at END`,
		actor.Account, day, actor.Unit, s.Org.Tree().Platform(actor.Unit).ID, flag(!over), flag(over), tx.NowMS())
	return over, err
}

func errQuota(limit int) error {
	return fault.Forbidden("reveal_quota", "今天查看个人信息已达%d次的上限，已通知个人信息保护负责人；确需继续请联系其处理，或通过热线中转联系诉求人。", limit)
}

// RevealDays lists the accounts of the actor's platforms that looked on a day,
// those that were stopped first.
func (s *Service) RevealDays(ctx context.Context, actor access.Actor, day string, limit int) (out []RevealDay, err error) {
	var args []any
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	where := s.platformsUnder(actor, "d.platform", arg)
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, func(sc db.Scanner) (d RevealDay, err error) {
			return d, sc.Scan(&d.Account, &d.Unit, &d.Day, &d.Used, &d.Refused, &d.LastAt, &d.SeenBy, &d.SeenAt)
		}, `SELECT account, unit, day, used, refused, last_at, seen_by, seen_at FROM reveal_day d WHERE `+where+` AND d.day = `+arg(day)+` ORDER BY d.refused DESC, d.used DESC, d.account LIMIT `+arg(limit), args...)
		return err
	})
	for i := range out {
		out[i].Limit = s.accountRules(out[i].Unit).RevealsPerDay
	}
	return out, err
}

// SeeRevealAlarm marks the alarm of an account's day as looked at.
func (s *Service) SeeRevealAlarm(ctx context.Context, actor access.Actor, account int64, day, ip string) error {
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		var args []any
		arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
		n, err := tx.Exec(`UPDATE reveal_day SET seen_by = `+arg(actor.Account)+`, seen_at = `+arg(tx.NowMS())+` WHERE account = `+arg(account)+` AND day = `+arg(day)+` AND refused > 0 AND `+s.platformsUnder(actor, "platform", arg), args...)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.NotFound("reveal_alarm_not_found", "没有找到这条超额提醒。")
		}
		return s.Audit.Record(tx, audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: "reveal.alarm", SubjectKind: "account", Subject: account, Query: day, Count: 1, IP: ip})
	})
}
