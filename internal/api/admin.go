package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/dispatch"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/policy"
)

// adminRoutes registers the pages of 系统管理: organisation, accounts, grants,
// policies, catalogue and calendar.
func (a *API) adminRoutes() {
	a.orgRoutes()
	a.accountRoutes()
	a.handsetRoutes()
	a.trunkRoutes()
	a.grantRoutes()
	a.policyRoutes()
	a.calendarRoutes()
}

// configRule lets in whoever has the pages of 系统管理, and the province, which
// publishes for all; what each may change is judged by platform.
func configRule(op, free string) Rule {
	return Rule{Verbs: []access.Verb{access.Config}, Roles: []access.Role{access.Province}, Audit: op, Free: free}
}

// CalendarDay is one date of the working calendar.
type CalendarDay struct {
	Date string `json:"date"`
	Work bool   `json:"work"`
	Note string `json:"note"`
}

// CalendarOut is one year of the working calendar in force.
type CalendarOut struct {
	Year    int           `json:"year"`
	Has     bool          `json:"has" doc:"放假安排是否已录入"`
	Version string        `json:"version"`
	Warning string        `json:"warning"`
	Days    []CalendarDay `json:"days"`
}

// ReplayItem is a past dispatch for which the catalogue gives another unit.
type ReplayItem struct {
	ID       ID     `json:"id"`
	Number   string `json:"number"`
	Title    string `json:"title" doc:"事项与区划，不含诉求内容"`
	Then     ID     `json:"then"`
	ThenName string `json:"then_name"`
	Now      ID     `json:"now"`
	NowName  string `json:"now_name"`
	Rule     string `json:"rule"`
	Why      string `json:"why"`
}

// ReplayOut compares a month's dispatches with the catalogue of that time.
type ReplayOut struct {
	Month      string       `json:"month"`
	Dispatched int          `json:"dispatched" doc:"该月首次派单的件数"`
	Total      int          `json:"total" doc:"其中有系统建议、可比对的件数"`
	Same       int          `json:"same"`
	Different  int          `json:"different"`
	Capped     bool         `json:"capped"`
	Items      []ReplayItem `json:"items"`
}

// replayMost bounds the dispatches that one replay reads, replayShown those it lists.
const (
	replayMost  = 50_000
	replayShown = 200
)

func (a *API) calendarRoutes() {
	route(a, http.MethodGet, "/api/v1/admin/calendar", "admin-calendar", "工作日历（一年）", configRule("", "公开的放假安排"), func(ctx context.Context, in *struct {
		Year int `query:"year" minimum:"2000" maximum:"2100"`
	}) (*struct{ Body CalendarOut }, error) {
		year := in.Year
		if year == 0 {
			year = a.now().Year()
		}
		cal := a.Ticket.Calendar(a.platformKey(actorOf(ctx)))
		out := CalendarOut{Year: year, Has: cal.HasYear(year), Version: cal.Version, Days: make([]CalendarDay, 0, 366)}
		if !out.Has {
			out.Warning = yearWarning(year)
		}
		for d := time.Date(year, 1, 1, 0, 0, 0, 0, clock.Shanghai); d.Year() == year; d = d.AddDate(0, 0, 1) {
			x := cal.Day(d)
			weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
			if weekend && !x.Work && x.Note == "周末" {
				x.Note = "" // no holiday: the plain week
			}
			out.Days = append(out.Days, CalendarDay{d.Format(time.DateOnly), x.Work, x.Note})
		}
		return &struct{ Body CalendarOut }{out}, nil
	})
	route(a, http.MethodGet, "/api/v1/admin/catalogue/replay", "admin-catalogue-replay", "按当时目录回放一个月的派单", configRule("catalogue.replay", ""), func(ctx context.Context, in *struct {
		Month string `query:"month" required:"true" maxLength:"7"`
	}) (*struct{ Body ReplayOut }, error) {
		out, err := a.replay(ctx, actorOf(ctx), in.Month)
		return &struct{ Body ReplayOut }{out}, err
	})
}

func (a *API) replay(ctx context.Context, actor access.Actor, month string) (ReplayOut, error) {
	from, err := time.ParseInLocation("2006-01", month, clock.Shanghai)
	if err != nil || from.Year() < 2000 || from.Year() > 2100 {
		return ReplayOut{}, fault.Invalid("month_invalid", "月份应为“2026-10”这样的格式。").At(fault.Field{Name: "month", Detail: "请选择月份。"})
	}
	tickets, err := a.Ticket.DispatchedIn(ctx, a.platformKey(actor), from, from.AddDate(0, 1, 0), replayMost+1)
	if err != nil {
		return ReplayOut{}, err
	}
	out := ReplayOut{Month: month, Items: []ReplayItem{}}
	if len(tickets) > replayMost {
		tickets, out.Capped = tickets[:replayMost], true
	}
	var differ []dispatch.Replayed
	out.Same, differ = a.Dispatch.Replay(tickets)
	out.Dispatched, out.Different, out.Total = len(tickets), len(differ), out.Same+len(differ)
	byID := make(map[int64]int, len(tickets))
	for i, t := range tickets {
		byID[t.ID] = i
	}
	tree := a.Org.Tree()
	for _, d := range differ {
		t := tickets[byID[d.Ticket]]
		if t.Label != access.Normal || len(out.Items) == replayShown {
			continue // counted; who may not know of the ticket does not read its number
		}
		x := ReplayItem{ID: ID(t.ID), Number: t.Number, Title: a.Ticket.Categories(t.Platform).PathName(t.Category) + "（" + regionName(t.Region) + "）",
			Then: ID(d.Then), ThenName: tree.Name(d.Then), Now: ID(d.Now), NowName: tree.Name(d.Now), Rule: d.Rule, Why: "适用目录" + d.Rule}
		if d.Now == 0 {
			x.Why = "当时的目录没有对应的单位"
		}
		out.Items = append(out.Items, x)
	}
	return out, a.saw(ctx, audit.Entry{Op: "catalogue.replay", Count: len(tickets), Query: month})
}

// saw records what a person of the administration looked at.
func (a *API) saw(ctx context.Context, e audit.Entry) error {
	actor := actorOf(ctx)
	e.Actor, e.Account, e.Role, e.Unit, e.IP = actor.Account, actor.Username, string(actor.Role), actor.Unit, actor.IP
	return a.Audit.Seen(ctx, e)
}

// platformKey is the number under which the actor's platform publishes:
// 0 for the province, the unit's id for a city.
func (a *API) platformKey(actor access.Actor) int64 {
	p := a.Org.Tree().Platform(actor.Unit)
	if p.Kind == org.KindProvince {
		return policy.Province
	}
	return p.ID
}

// within tells whether a unit is the actor's platform or stands below it.
func (a *API) within(actor access.Actor, unit int64) bool {
	tree := a.Org.Tree()
	p := tree.Platform(actor.Unit)
	return p.ID != 0 && tree.Under(p.ID, unit)
}

func errOutside() error {
	return fault.Forbidden("unit_outside_scope", "只能管理本平台及下级单位。")
}

// formTime reads a date or a moment from a form; "" and today's date are the
// zero time, which means now. Years beyond 2000–2100 are typing errors.
func (a *API) formTime(field, s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		t, err := time.ParseInLocation(form, s, clock.Shanghai)
		if err != nil {
			continue
		}
		if t.Year() < 2000 || t.Year() > 2100 {
			break
		}
		if form == time.DateOnly && t.Format(form) == a.now().In(clock.Shanghai).Format(form) {
			return time.Time{}, nil
		}
		return t, nil
	}
	e := fault.Invalid("date_invalid", "日期应为“2026-11-22”或“2026-11-22 09:00”这样的格式，年份在2000至2100之间。")
	return time.Time{}, e.At(fault.Field{Name: field, Detail: e.Detail})
}

// lastMoment reads until when something lasts: a day is meant with its evening.
func (a *API) lastMoment(field, s string) (time.Time, error) {
	if t, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(s), clock.Shanghai); err == nil && t.Year() >= 2000 && t.Year() <= 2100 {
		return t.AddDate(0, 0, 1).Add(-time.Millisecond), nil
	}
	return a.formTime(field, s)
}

// recordIn writes an act of the actor to the audit in the caller's transaction.
func (a *API) recordIn(tx *db.Tx, actor access.Actor, e audit.Entry) error {
	e.Actor, e.Account, e.Role, e.Unit, e.IP = actor.Account, actor.Username, string(actor.Role), actor.Unit, actor.IP
	return a.Audit.Record(tx, e)
}

// stampTime is a moment on the wire; "" for none.
func stampTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(clock.Millis(t))
}

// day is a date in a sentence.
func day(t time.Time) string { return t.In(clock.Shanghai).Format("2006年1月2日") }
