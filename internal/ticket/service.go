package ticket

import (
	"encoding/json"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/calendar"
	"hotline/internal/category"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/org"
	"hotline/internal/policy"
	"hotline/internal/seal"
)

// Policy kinds that this room reads.
const (
	PolicyRules      = "rules"      // 流转规则
	PolicyLimits     = "limits"     // 办理时限
	PolicyCategories = "categories" // 事项分类
	PolicyCalendar   = "calendar"   // 工作日历
)

// Deps are the rooms below that a Service is built on.
type Deps struct {
	DB     *db.DB
	Log    *eventlog.Log
	Audit  *audit.Log
	Ring   *seal.Ring
	Org    *org.Service
	Policy *policy.Store
	Access *access.Service // the account policy of reveals; nil = the embedded one
	Words  *db.TextIndex   // what Index of package insight keeps; nil = typed words are looked for in titles
	// Propose asks the 派单目录 of a moment for a unit, nil when it has none. It
	// is asked anew when the matter or the place is corrected; nil = no one to ask.
	Propose func(platform int64, code, region string, at time.Time) *Suggestion
}

// Service is the one writer of tickets. It is built once by app.
type Service struct {
	Deps
	numbers    *numbers
	shelf      *shelf
	tallies    *tallies
	history    bool // honours the moments of loaded history
	rulesNow   func(int64, time.Time) (*Rules, policy.Version)
	limitsNow  func(int64, time.Time) ([]category.LimitRow, policy.Version)
	categoryAt func(int64, time.Time) (*category.Tree, policy.Version)
	calendars  func(int64, time.Time) (*calendar.Calendar, policy.Version)
	rulesByID  func(int64) (*Rules, error)
	limitsByID func(int64) ([]category.LimitRow, error)
}

// New builds the service. The policy kinds must have been registered.
func New(d Deps) *Service {
	s := &Service{Deps: d, numbers: &numbers{db: d.DB, by: map[string]*block{}}, shelf: newShelf(), tallies: &tallies{kept: map[string]keptTally{}}}
	s.rulesNow = policy.Cached(d.Policy, PolicyRules, ParseRules)
	s.limitsNow = policy.Cached(d.Policy, PolicyLimits, ParseLimits)
	s.categoryAt = policy.Cached(d.Policy, PolicyCategories, category.ParseJSON)
	s.calendars = policy.Cached(d.Policy, PolicyCalendar, ParseCalendar)
	s.rulesByID = policy.CachedByID(d.Policy, PolicyRules, ParseRules)
	s.limitsByID = policy.CachedByID(d.Policy, PolicyLimits, ParseLimits)
	return s
}

// Loading gives the same service for loading history: Intake.At and Action.At
// hold for every actor. Only demo and import call it.
func (s *Service) Loading() *Service {
	h := *s
	h.history = true
	return &h
}

// ParseLimits reads the limits policy: a JSON array of category.LimitRow.
func ParseLimits(doc []byte) ([]category.LimitRow, error) {
	var rows []category.LimitRow
	return rows, json.Unmarshal(doc, &rows)
}

// calendarDoc is the calendar policy: one text a year, as in package calendar.
type calendarDoc struct {
	Version string            `json:"version"`
	Years   map[string]string `json:"years"` // "2027.txt" → lines
}

// ParseCalendar reads the calendar policy; an empty document is the embedded calendar.
func ParseCalendar(doc []byte) (*calendar.Calendar, error) {
	var d calendarDoc
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, err
	}
	if len(d.Years) == 0 {
		return calendar.Default(), nil
	}
	return calendar.Parse(d.Version, d.Years)
}

func (s *Service) categories(platform int64, at time.Time) *category.Tree {
	t, _ := s.categoryAt(platform, at)
	return t
}

// Categories is the 事项分类 in force on a platform now.
func (s *Service) Categories(platform int64) *category.Tree {
	return s.categories(platform, s.DB.Clock().Now())
}

// Calendar is the working calendar in force on a platform now.
func (s *Service) Calendar(platform int64) *calendar.Calendar {
	return s.calendarAt(platform, s.DB.Clock().Now())
}

func (s *Service) calendarAt(platform int64, at time.Time) *calendar.Calendar {
	c, _ := s.calendars(platform, at)
	return c
}

// RulesNow is the rule table in force on a platform now.
func (s *Service) RulesNow(platform int64) *Rules {
	r, _ := s.rulesNow(platform, s.DB.Clock().Now())
	return r
}

// rulesOf gives the rule table that a ticket began under.
func (s *Service) rulesOf(t *Ticket) *Rules {
	if r, err := s.rulesByID(t.RulesID); err == nil && t.RulesID != 0 {
		return r
	}
	r, _ := s.rulesNow(t.Platform, t.AcceptedAt())
	return r
}

// limitsOf gives the time limits that a ticket began under.
func (s *Service) limitsOf(t *Ticket) []category.LimitRow {
	if rows, err := s.limitsByID(t.LimitsID); err == nil && t.LimitsID != 0 {
		return rows
	}
	rows, _ := s.limitsNow(t.Platform, t.AcceptedAt())
	return rows
}

// tightest finds a limit in rows of the version, and in the province's of that
// moment, and gives the one that binds: what a city published before the province
// tightened holds nobody longer (只许收紧).
func (s *Service) tightest(rows []category.LimitRow, version int64, at time.Time, key, typ, urgency, kind string) (category.LimitRow, bool) {
	row, ok := category.FindLimit(rows, key, typ, urgency, kind)
	above, v := s.limitsNow(policy.Province, at)
	if v.ID == version {
		return row, ok
	}
	if p, set := category.FindLimit(above, key, typ, urgency, kind); set && !(ok && row.Limit().Within(p.Limit())) {
		return p, true
	}
	return row, ok
}

// Limit is the limit in force now for a kind of clock, for previews.
func (s *Service) Limit(platform int64, code, typ, urgency, kind string) (calendar.Limit, bool) {
	key := ""
	if c, ok := s.Categories(platform).Get(code); ok {
		key = c.LimitKey
	}
	now := s.DB.Clock().Now()
	rows, v := s.limitsNow(platform, now)
	row, ok := s.tightest(rows, v.ID, now, key, typ, or(urgency, "一般"), kind)
	return calendar.Limit{N: row.N, Unit: calendar.Unit(row.Unit)}, ok
}
