package insight

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
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
			if _, err := tx.Exec(`UPDATE ticket_kin SET open = $1 WHERE ticket = $2`, open(f.Status), e.SubjectID); err != nil {
				return err
			}
		}
	}
	return nil
}

func open(status string) int {
	if ticket.Final(status) {
		return 0
	}
	return 1
}

func putKin(tx *db.Tx, id int64, status string, tickets *ticket.Service) error {
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
	_, err = tx.Exec(`INSERT INTO ticket_kin (ticket, kin, open) VALUES ($1, $2, $3)`, id, kin, open(status))
	return err
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
		type pair struct{ id, n int64 }
		rows, err := db.All(tx, func(s db.Scanner) (p pair, err error) { return p, s.Scan(&p.id, &p.n) },
			`SELECT k.ticket, (SELECT count(*) FROM ticket_kin o WHERE o.kin = k.kin AND o.open = 1) - k.open FROM ticket_kin k WHERE k.ticket IN (`+strings.Join(marks, ",")+`)`, args...)
		for _, p := range rows {
			if p.n > 0 {
				out[p.id] = p.n
			}
		}
		return err
	})
	return out, err
}
