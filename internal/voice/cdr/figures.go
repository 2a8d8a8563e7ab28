package cdr

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
)

// Figures are the sums of a set of calls (话务指标). Every rate is shown with
// what it is made of, and both ways where the standards differ.
type Figures struct {
	Offered   int64 `json:"offered"`   // 呼入
	Queued    int64 `json:"queued"`    // 转人工
	Answered  int64 `json:"answered"`  // 人工接听
	In10      int64 `json:"in10"`      // 10秒内
	In15      int64 `json:"in15"`      // 15秒内
	In20      int64 `json:"in20"`      // 20秒内
	Abandoned int64 `json:"abandoned"` // 排队放弃, the short ones included
	Short     int64 `json:"short"`     // 短放弃 (<5 s)
	WaitMs    int64 `json:"wait_ms"`   // of answered calls
	LostMs    int64 `json:"lost_ms"`   // of abandoned ones
	TalkMs    int64 `json:"talk_ms"`
	HoldMs    int64 `json:"hold_ms"`
	AcwMs     int64 `json:"acw_ms"`
	Outbound  int64 `json:"outbound"` // 外呼
	Reached   int64 `json:"reached"`  // 外呼接通
	Surveyed  int64 `json:"surveyed"`
	Score     int64 `json:"score"`
	Satisfied int64 `json:"satisfied"` // 3分及以上
	Solved    int64 `json:"solved"`
	Excluded  int64 `json:"excluded"` // unanswered within declared exclusions
}

// atoms are the columns of voice_stat in order.
var atoms = []string{"offered", "queued", "answered", "in10", "in15", "in20", "abandoned", "short", "wait_ms", "lost_ms", "talk_ms", "hold_ms", "acw_ms", "outbound", "reached", "surveyed", "score", "satisfied", "solved"}

func (f *Figures) fields() []*int64 {
	return []*int64{&f.Offered, &f.Queued, &f.Answered, &f.In10, &f.In15, &f.In20, &f.Abandoned, &f.Short, &f.WaitMs, &f.LostMs, &f.TalkMs, &f.HoldMs, &f.AcwMs, &f.Outbound, &f.Reached, &f.Surveyed, &f.Score, &f.Satisfied, &f.Solved}
}

func (f *Figures) add(o Figures) {
	mine, his := f.fields(), o.fields()
	for i := range mine {
		*mine[i] += *his[i]
	}
	f.Excluded += o.Excluded
}

func percent(a, b int64) *float64 {
	if b <= 0 {
		return nil
	}
	v := float64(a) / float64(b) * 100
	return &v
}

// Rates are the rates of Figures in percent, nil where there is nothing to divide by.
type Rates struct {
	Connect         *float64 `json:"connect"`          // 人工接通率（原始）= 接听÷转人工
	ConnectExcluded *float64 `json:"connect_excluded"` // 剔除经认定的突发和系统故障
	In15            *float64 `json:"in15"`             // 15秒接通率 = 15秒内接听÷接听
	In15Offered     *float64 `json:"in15_offered"`     // 另一口径：÷转人工
	In15Excluded    *float64 `json:"in15_excluded"`    // ÷转人工，剔除经认定的突发和系统故障
	Abandon         *float64 `json:"abandon"`          // 呼损率 = 全部排队放弃÷转人工
	AbandonLong     *float64 `json:"abandon_long"`     // 不计5秒内短放弃
	Wait            *float64 `json:"wait"`             // 平均等待，秒
	AHT             *float64 `json:"aht"`              // 平均处理：通话、保持和话后，秒
	Satisfied       *float64 `json:"satisfied"`        // 通话满意率
	Solved          *float64 `json:"solved"`           // 通话解决率
}

// Rates divides.
func (f Figures) Rates() Rates {
	r := Rates{Connect: percent(f.Answered, f.Queued), ConnectExcluded: percent(f.Answered, f.Queued-f.Excluded), In15: percent(f.In15, f.Answered), In15Offered: percent(f.In15, f.Queued), In15Excluded: percent(f.In15, f.Queued-f.Excluded),
		Abandon: percent(f.Abandoned, f.Queued), AbandonLong: percent(f.Abandoned-f.Short, f.Queued-f.Short), Satisfied: percent(f.Satisfied, f.Surveyed), Solved: percent(f.Solved, f.Surveyed)}
	seconds := func(ms, n int64) *float64 {
		if n == 0 {
			return nil
		}
		v := float64(ms) / float64(n) / 1000
		return &v
	}
	r.Wait, r.AHT = seconds(f.WaitMs, f.Answered), seconds(f.TalkMs+f.AcwMs, f.Answered+f.Reached)
	return r
}

// ended is what the figures take from an event.
type ended struct {
	Platform  int64  `json:"p"`
	Line      string `json:"line"`
	Skill     string `json:"skill"`
	Dir       string `json:"dir"`
	Result    string `json:"result"`
	Seat      int64  `json:"seat"`
	Unit      int64  `json:"su"`
	Began     int64  `json:"began"`
	Queued    int64  `json:"queued"`
	Wait      int64  `json:"wait"`
	Talk      int64  `json:"talk"`
	Hold      int64  `json:"hold"`
	Acw       int64  `json:"acw"`
	Score     int64  `json:"score"`
	Solved    string `json:"solved"`
	Was       int64  `json:"was"`        // the score told before: the rest of a verdict, or another, replaces it
	WasSolved string `json:"was_solved"` // and Solved then
	Test      bool   `json:"test"`
}

// verdict is what a verdict (评价) of the caller adds.
func verdict(score int64, solved string) (f Figures) {
	if score > 0 {
		f.Surveyed, f.Score, f.Satisfied, f.Solved = 1, score, int64(b2i(score >= 3)), int64(b2i(solved == "yes"))
	}
	return f
}

// count is what one event adds.
func (e *ended) count(kind string) (f Figures) {
	switch kind {
	case EventWrapped:
		f.AcwMs = e.Acw
		return f
	case EventSurvey:
		f = verdict(e.Score, e.Solved)
		was := verdict(e.Was, e.WasSolved)
		for i, v := range was.fields() {
			*f.fields()[i] -= *v
		}
		return f
	}
	f.HoldMs, f.TalkMs = e.Hold, e.Talk
	if e.Dir == "out" {
		f.Outbound = 1
		if e.Result == Answered {
			f.Reached = 1
		}
		return f
	}
	f.Offered, f.Queued = 1, e.Queued
	switch e.Result {
	case Answered, Forwarded:
		f.Answered, f.WaitMs = 1, e.Wait
		f.In10, f.In15, f.In20 = int64(b2i(e.Wait <= 10_000)), int64(b2i(e.Wait <= 15_000)), int64(b2i(e.Wait <= 20_000))
	case Abandoned, Kept, Short:
		if e.Queued > 0 {
			f.Abandoned, f.LostMs, f.Short = 1, e.Wait, int64(b2i(e.Result == Short))
		}
	}
	return f
}

// Axes of the counters.
const (
	ByPlatform = "p"
	ByLine     = "l"
	BySkill    = "s"
	ByUnit     = "u"
	BySeat     = "a"
	ByHour     = "h" // not stored: the hours of ByPlatform
	ByDay      = "d"
	ByTest     = "t" // 拨测 by line, which no other axis counts
)

type statKey struct {
	axis     string
	platform int64
	day      int64
	hour     int
	key      string
}

// follower is the name of the cursor.
const follower = "voice"

// Follow counts what the event log tells until ctx ends.
func (s *Service) Follow(ctx context.Context) error {
	return s.Log.Follow(ctx, follower, 400, s.absorb)
}

// CatchUp counts what is sealed now, for tests and tools.
func (s *Service) CatchUp(ctx context.Context) (int, error) {
	return s.Log.FollowOnce(ctx, follower, 400, s.absorb)
}

func (s *Service) absorb(tx *db.Tx, evs []eventlog.Event) error {
	cells, err := cellsOf(evs)
	if err != nil {
		return err
	}
	keys := make([]statKey, 0, len(cells))
	for k := range cells {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b statKey) int { return strings.Compare(a.axis+a.key, b.axis+b.key) })
	for _, k := range keys {
		args := []any{k.axis, k.platform, k.day, k.hour, k.key}
		for _, v := range cells[k].fields() {
			args = append(args, *v)
		}
		if _, err := tx.Exec(upsertStat, args...); err != nil {
			return err
		}
	}
	if len(keys) > 0 && s.Counted != nil {
		tx.AfterCommit(s.Counted)
	}
	return nil
}

func cellsOf(evs []eventlog.Event) (map[statKey]*Figures, error) {
	cells := map[statKey]*Figures{}
	for _, ev := range evs {
		if ev.SubjectKind != "call" || ev.Kind != EventEnded && ev.Kind != EventWrapped && ev.Kind != EventSurvey {
			continue
		}
		var e ended
		if err := json.Unmarshal([]byte(ev.Data), &e); err != nil {
			return nil, err
		}
		at := e.Began
		if at == 0 {
			at = ev.At
		}
		t := clock.FromMillis(at)
		day, hour := int64(t.Year()*10000+int(t.Month())*100+t.Day()), t.Hour()
		f := e.count(ev.Kind)
		put := func(axis, key string) {
			k := statKey{axis, e.Platform, day, hour, key}
			if cells[k] == nil {
				cells[k] = &Figures{}
			}
			cells[k].add(f)
		}
		if e.Test {
			put(ByTest, e.Line)
			continue
		}
		put(ByPlatform, "")
		put(ByLine, e.Line)
		if e.Skill != "" {
			put(BySkill, e.Skill)
		}
		if e.Seat != 0 {
			put(ByUnit, itoa(e.Unit))
			put(BySeat, itoa(e.Seat))
		}
	}
	return cells, nil
}

func itoa(n int64) string { b, _ := json.Marshal(n); return string(b) }

var upsertStat = func() string {
	cols, marks, sets := "", "", ""
	for i, a := range atoms {
		cols += ", " + a
		marks += ",$" + itoa(int64(i+6))
		if i > 0 {
			sets += ", "
		}
		sets += a + " = voice_stat." + a + " + excluded." + a
	}
	return `INSERT INTO voice_stat (axis, platform, day, hour, key` + cols + `) VALUES ($1,$2,$3,$4,$5` + marks + `) ON CONFLICT (axis, platform, day, hour, key) DO UPDATE SET ` + sets
}()

// Question asks for figures.
type Question struct {
	By       string // an axis
	From, To int64  // days yyyymmdd, both included
	Line     string // only this line, "" = all; not with BySkill, ByUnit and BySeat
}

// Row is one group of figures.
type Row struct {
	Key string `json:"key"`
	Figures
	Rates Rates `json:"rates"`
}

// Ask answers a question of a share, with the total. It fails with
// invalid question_invalid and question_line.
func (s *Service) Ask(ctx context.Context, of Share, q Question) (rows []Row, total Row, err error) {
	axis := q.By
	if q.By == ByHour || q.By == ByDay {
		axis = ByPlatform
	}
	switch {
	case q.Line == "" || axis == ByLine || axis == ByTest:
	case axis == ByPlatform:
		axis = ByLine
	default:
		return nil, total, fault.Invalid("question_line", "按技能、单位、座席统计时不能只看一条线路，请清空线路，或改按线路、市州、小时、日统计。").At(fault.Field{Name: "line", Detail: "请清空线路。"})
	}
	if !slices.Contains([]string{ByPlatform, ByLine, BySkill, ByUnit, BySeat, ByTest}, axis) || q.From > q.To {
		return nil, total, fault.Invalid("question_invalid", "请选择统计口径和起止日期。")
	}
	group := map[string]*Row{}
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		clear(group)
		total = Row{}
		cols := strings.Join(atoms, ", ")
		excluded, err := s.exclusions(tx, q.From, q.To)
		if err != nil {
			return err
		}
		add := func(platform, day int64, hour int, key string, f Figures) {
			if excluded(platform, day, hour) {
				f.Excluded = f.Queued - f.Answered
			}
			k := map[string]string{ByPlatform: itoa(platform), ByHour: two(hour), ByDay: itoa(day)}[q.By]
			if k == "" {
				k = key
			}
			if group[k] == nil {
				group[k] = &Row{Key: k}
			}
			group[k].add(f)
			total.add(f)
		}
		if of.Unit != 0 {
			return s.sum(tx, of, q, axis, add)
		}
		rows, err := tx.Query(`SELECT platform, day, hour, key, `+cols+` FROM voice_stat WHERE axis = $1 AND day BETWEEN $2 AND $3`, axis, q.From, q.To)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var platform, day int64
			var hour int
			var key string
			var f Figures
			dest := []any{&platform, &day, &hour, &key}
			for _, v := range f.fields() {
				dest = append(dest, v)
			}
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			if slices.Contains(of.Platforms, platform) && (q.Line == "" || key == q.Line) {
				add(platform, day, hour, key, f)
			}
		}
		return rows.Err()
	})
	for _, r := range group {
		r.Rates = r.Figures.Rates()
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Key, b.Key) })
	total.Rates = total.Figures.Rates()
	return rows, total, err
}

func two(n int) string {
	if n < 10 {
		return "0" + itoa(int64(n))
	}
	return itoa(int64(n))
}

// Exclusion is a span in which unanswered calls do not count (突发事件、系统故障、
// 话务量超过座席能力), whole hours, declared with a reason.
type Exclusion struct {
	ID, Platform int64
	From, To     int64
	Reason       string
	By, Made     int64
}

// Exclude declares an exclusion.
func (s *Service) Exclude(ctx context.Context, e Exclusion) (Exclusion, error) {
	if e.To <= e.From || e.To-e.From > 7*24*3600*1000 || len([]rune(e.Reason)) < 5 || len([]rune(e.Reason)) > 200 {
		return e, fault.Invalid("exclusion_invalid", "请填写不超过7天的起止时间和5至200字的理由。")
	}
	err := s.DB.Update(ctx, func(tx *db.Tx) error {
		e.ID, e.Made = tx.NewID(), tx.NowMS()
		_, err := tx.Exec(`INSERT INTO voice_exclusion (id, platform, from_at, to_at, reason, by_account, made) VALUES ($1,$2,$3,$4,$5,$6,$7)`, e.ID, e.Platform, e.From, e.To, e.Reason, e.By, e.Made)
		return err
	})
	return e, err
}

// exclusions tells which hours of which platforms are excluded.
func (s *Service) exclusions(tx *db.Tx, from, to int64) (func(platform, day int64, hour int) bool, error) {
	list, err := db.All(tx, func(sc db.Scanner) (e Exclusion, err error) { return e, sc.Scan(&e.Platform, &e.From, &e.To) }, `SELECT platform, from_at, to_at FROM voice_exclusion`)
	if err != nil {
		return nil, err
	}
	type cell struct {
		platform, day int64
		hour          int
	}
	out := map[cell]bool{}
	for _, e := range list {
		for at := e.From; at < e.To; at += 3600_000 {
			t := clock.FromMillis(at)
			if d := int64(t.Year()*10000 + int(t.Month())*100 + t.Day()); d >= from && d <= to {
				out[cell{e.Platform, d, t.Hour()}] = true
			}
		}
	}
	return func(p, d int64, h int) bool { return out[cell{p, d, h}] }, nil
}

// Today is the running day of a unit's share.
func (s *Service) Today(ctx context.Context, unit int64) (Figures, error) {
	t := s.DB.Clock().Now().In(clock.Shanghai)
	day := int64(t.Year()*10000 + int(t.Month())*100 + t.Day())
	_, total, err := s.Ask(ctx, s.shareOf(unit), Question{By: ByPlatform, From: day, To: day})
	return total.Figures, err
}

// Platforms lists the platforms at and below a unit.
func (s *Service) Platforms(unit int64) []int64 {
	tree := s.Org.Tree()
	var out []int64
	for _, u := range tree.All() {
		if u.Kind.Platform() && tree.Under(unit, u.ID) {
			out = append(out, u.ID)
		}
	}
	if len(out) == 0 {
		out = append(out, tree.Platform(unit).ID)
	}
	return out
}

// Recount builds the counters anew from the calls and tells whether they were
// equal: the proof that a figure is the sum of its calls.
func (s *Service) Recount(ctx context.Context) (equal bool, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) error {
		calls, err := db.All(tx, scanCall, `SELECT `+callColumns+` FROM voice_call WHERE ended > 0`)
		if err != nil {
			return err
		}
		var want Figures
		for _, c := range calls {
			if c.Test() {
				continue
			}
			want.add(c.figures())
		}
		var have Figures
		rows, err := tx.Query(`SELECT `+strings.Join(atoms, ", ")+` FROM voice_stat WHERE axis = $1`, ByPlatform)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f Figures
			var dest []any
			for _, v := range f.fields() {
				dest = append(dest, v)
			}
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			have.add(f)
		}
		equal = have == want
		return rows.Err()
	})
	return equal, err
}
