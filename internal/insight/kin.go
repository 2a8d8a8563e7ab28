package insight

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// kinSchema keeps of each ticket which matter at which place it is about, so
// that a list can tell in one query how many open ones are about the same.
const kinSchema = `
CREATE TABLE ticket_kin (
  ticket BIGINT PRIMARY KEY,
  kin TEXT NOT NULL,
  open SMALLINT NOT NULL
);
CREATE INDEX ticket_kin_open ON ticket_kin (kin) WHERE open = 1`

// kinCountSchema counts the open tickets of each matter as they come and go: a
// matter of the day has thousands, and every row of a list asks for the number.
const kinCountSchema = `
CREATE TABLE kin_count (
  kin TEXT PRIMARY KEY,
  n BIGINT NOT NULL
);
INSERT INTO kin_count (kin, n) SELECT kin, count(*) FROM ticket_kin WHERE open = 1 GROUP BY kin;
DROP INDEX ticket_kin_open`

// FollowKin keeps the table up to the event log. 举报 and quarantined tickets
// are never in it.
func FollowKin(ctx context.Context, log *eventlog.Log, tickets *ticket.Service) error {
	return log.Follow(ctx, "ticket_kin", 400, func(tx *db.Tx, evs []eventlog.Event) error { return absorbKin(tx, evs, tickets) })
}

// FollowKinOnce is FollowKin for what is sealed now.
func FollowKinOnce(ctx context.Context, log *eventlog.Log, tickets *ticket.Service) (int, error) {
	return log.FollowOnce(ctx, "ticket_kin", 400, func(tx *db.Tx, evs []eventlog.Event) error { return absorbKin(tx, evs, tickets) })
}

func absorbKin(tx *db.Tx, evs []eventlog.Event, tickets *ticket.Service) error {
	for _, e := range evs {
		if e.SubjectKind != "ticket" || e.Version == 0 {
			continue
		}
		var f struct {
			Status string `json:"st"`
			From   string `json:"from"`
		}
		if err := json.Unmarshal([]byte(e.Data), &f); err != nil {
			return err
		}
		switch {
		case e.Kind == "ticket.create" && !ticket.Final(f.Status), e.Kind == "ticket.relabel", e.Kind == "ticket.reclassify":
			if err := putKin(tx, e.SubjectID, f.Status, tickets); err != nil {
				return err
			}
		case f.From != "" && ticket.Final(f.From) != ticket.Final(f.Status):
			now := open(f.Status) // a replayed event moves no row and counts nothing
			if err := recount(tx, 2*now-1, `UPDATE ticket_kin SET open = $1 WHERE ticket = $2 AND open <> $1 RETURNING kin`, now, e.SubjectID); err != nil {
				return err
			}
		}
	}
	return nil
}

// recount changes the rows of a statement that gives their matters, and the
// counts of these by step.
func recount(tx *db.Tx, step int, text string, args ...any) error {
	kins, err := db.All(tx, func(s db.Scanner) (kin string, err error) { return kin, s.Scan(&kin) }, text, args...)
	for _, kin := range kins {
		if err == nil {
			_, err = tx.Exec(`INSERT INTO kin_count (kin, n) VALUES ($1, $2) ON CONFLICT (kin) DO UPDATE SET n = kin_count.n + excluded.n`, kin, step)
		}
	}
	return err
}

func open(status string) int {
	if ticket.Final(status) {
		return 0
	}
	return 1
}

func putKin(tx *db.Tx, id int64, status string, tickets *ticket.Service) error {
	if err := recount(tx, -1, `DELETE FROM ticket_kin WHERE ticket = $1 AND open = 1 RETURNING kin`, id); err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM ticket_kin WHERE ticket = $1`, id); err != nil {
		return err
	}
	_, shown, err := tickets.IndexText(tx, id)
	if err != nil || !shown {
		return err
	}
	t, err := tickets.Peek(tx, id)
	if err != nil {
		return err
	}
	kin := kinOf(t)
	if kin == "" {
		return nil
	}
	return recount(tx, open(status), `INSERT INTO ticket_kin (ticket, kin, open) VALUES ($1, $2, $3) RETURNING kin`, id, kin, open(status))
}

// kinOf names matter and place: category, township or county, and the first
// road, estate, village or house that the text names. "" when none is named.
func kinOf(t *ticket.Ticket) string {
	if t.Category == "" {
		return ""
	}
	at := placeWord(t.ContentR)
	if at == "" {
		at = placeWord(t.TitleR)
	}
	if at == "" {
		return ""
	}
	return t.Category + "|" + t.Region[:min(9, len(t.Region))] + "|" + at
}

// placeEnds end the name of a place, longer ones first; notNames before them
// make an everyday word: 马路, 这条路, 农村.
var (
	placeEnds = strings.Fields("有限公司 幼儿园 农贸市场 大道 小区 花园 家园 公馆 华府 名邸 美庭 尚城 项目 广场 公园 小学 中学 医院 酒店 超市 路 街 巷 苑 村")
	notNames  = "条的段修走马过道公铁网思线在农全本整该同各到来"
)

// placeWord is the first name of a place in a text: its end and the two
// characters before, so that 关山街道锦程中路 and 锦程中路 are the same.
func placeWord(text string) string {
	r := []rune(zh.Normalize(text))
	for i := 2; i < len(r); i++ {
		for _, end := range placeEnds {
			e := []rune(end)
			if i+len(e) > len(r) || string(r[i:i+len(e)]) != end {
				continue
			}
			if end == "街" && i+1 < len(r) && r[i+1] == '道' || strings.ContainsRune(notNames, r[i-1]) || !unicode.Is(unicode.Han, r[i-1]) || !unicode.Is(unicode.Han, r[i-2]) {
				break
			}
			return string(r[i-2 : i+len(e)])
		}
	}
	return ""
}

// Similar remembers counts for a moment: the dispatchers of a platform read the
// same queue, and a follower that lags a second behind keeps what is counted.
type Similar struct {
	mu   sync.Mutex
	kept map[int64]keptCount
}

type keptCount struct{ n, until int64 }

const (
	similarFor  = 1000 // milliseconds that a count is kept
	similarKept = 8192
)

// Counts is SimilarCounts, of which it asks only what it does not remember.
func (s *Similar) Counts(ctx context.Context, d *db.DB, ids []int64) (map[int64]int64, error) {
	out, now := make(map[int64]int64, len(ids)), d.Clock().Now().UnixMilli()
	var ask []int64
	s.mu.Lock()
	for _, id := range ids {
		if k, ok := s.kept[id]; ok && now < k.until && now > k.until-2*similarFor {
			out[id] = k.n
		} else {
			ask = append(ask, id)
		}
	}
	s.mu.Unlock()
	if len(ask) == 0 {
		return out, nil
	}
	fresh, err := SimilarCounts(ctx, d, ask)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || len(s.kept) > similarKept {
		s.kept = map[int64]keptCount{}
	}
	for _, id := range ask {
		out[id] = fresh[id]
		s.kept[id] = keptCount{fresh[id], now + similarFor}
	}
	return out, nil
}

// SimilarCounts tells of each ticket how many others that are open are about
// the same matter at the same place. One that is not in the map has none.
func SimilarCounts(ctx context.Context, d *db.DB, ids []int64) (map[int64]int64, error) {
	out := make(map[int64]int64, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	marks, args := make([]string, len(ids)), make([]any, len(ids))
	for i, id := range ids {
		marks[i], args[i] = "$"+strconv.Itoa(i+1), id
	}
	err := d.View(ctx, func(tx *db.Tx) error {
		clear(out)
		_, err := db.All(tx, func(s db.Scanner) (_ struct{}, err error) {
			var id, n int64
			if err = s.Scan(&id, &n); n > 0 {
				out[id] = n
			}
			return struct{}{}, err
		}, `SELECT k.ticket, c.n - k.open FROM ticket_kin k JOIN kin_count c ON c.kin = k.kin WHERE k.ticket IN (`+strings.Join(marks, ",")+`)`, args...)
		return err
	})
	return out, err
}
