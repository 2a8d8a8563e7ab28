package insight

import (
	"context"
	_ "embed"
	"sort"
	"strings"

	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/region"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// textIndex is the full text of tickets: redacted renditions only. It follows
// the event log, shows its lag and can be rebuilt.
var textIndex = db.Text("ticket_words")

// Words is that index, for the search of lists.
func Words() *db.TextIndex { return &textIndex }

// Schemas are the room's tables.
func Schemas() []db.Schema {
	return []db.Schema{textIndex.Schema(), {Name: "insight", Steps: []db.Step{{SQL: kinSchema}, {SQL: kinCountSchema}}}}
}

// Index follows the event log and keeps the full text of new tickets. 举报 and
// quarantined tickets are never indexed, so no search can meet them.
func Index(ctx context.Context, log *eventlog.Log, tickets *ticket.Service) error {
	return log.Follow(ctx, "ticket_words", 200, func(tx *db.Tx, evs []eventlog.Event) error {
		for _, e := range evs {
			switch e.Kind {
			case "ticket.create":
			case "ticket.relabel", "ticket.reclassify":
				if err := textIndex.Delete(tx, e.SubjectID); err != nil {
					return err
				}
			default:
				continue
			}
			text, ok, err := tickets.IndexText(tx, e.SubjectID)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if err := textIndex.Put(tx, e.SubjectID, zh.Grams(text)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Found is a ticket that resembles a text.
type Found struct {
	Ticket *ticket.Ticket
	Score  float64
	Why    string
}

// Similar gives earlier tickets like the text, those of the same county first.
func (s *Service) Similar(ctx context.Context, tickets *ticket.Service, text, place string, n int) ([]Found, error) {
	text = matter(text)
	grams := zh.QueryGrams(head(text, 160))
	var out []Found
	err := tickets.DB.View(ctx, func(tx *db.Tx) error {
		hits, err := textIndex.SearchAny(tx, distinctive(grams, 24), 40)
		if err != nil {
			return err
		}
		for _, h := range hits {
			t, err := tickets.Peek(tx, h.ID)
			if err != nil {
				return err
			}
			score := zh.Similarity(text, matter(t.TitleR+"。"+t.ContentR))
			why := "文字相近"
			if place != "" && region.County(t.Region) == region.County(place) && region.County(place) != "" {
				score = min(1, score*1.25)
				why = "同一区县，文字相近"
			}
			if score >= 0.3 {
				out = append(out, Found{t, score, why})
			}
		}
		return nil
	})
	sort.SliceStable(out, func(i, j int) bool { return out[i].Score > out[j].Score })
	if len(out) > n {
		out = out[:n]
	}
	return out, err
}

// Search finds tickets by words, best first; the caller applies scope.
func (s *Service) Search(ctx context.Context, d *db.DB, q string, limit int) ([]int64, error) {
	var ids []int64
	err := d.View(ctx, func(tx *db.Tx) error {
		hits, err := textIndex.Search(tx, zh.QueryGrams(q), limit)
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
		return err
	})
	return ids, err
}

func head(s string, runes int) string {
	if zh.Len(s) <= runes {
		return s
	}
	return string([]rune(s)[:runes])
}

//go:embed phrases.txt
var phraseList string

// phrases are what citizens and seats write around every matter; what two texts
// share of them makes them no more alike. The longer one first, where one
// begins with another.
var phrases = strings.NewReplacer(func() (pairs []string) {
	for _, p := range strings.Fields(phraseList) {
		pairs = append(pairs, p, "。")
	}
	return pairs
}()...)

// matter is what a text says beside its phrases.
func matter(text string) string { return phrases.Replace(text) }

// commonGrams say nothing about a matter.
var commonGrams = map[string]bool{"反映": true, "要求": true, "希望": true, "相关": true, "部门": true, "核查": true, "处理": true, "来电": true, "小区": true, "问题": true, "现在": true, "一直": true, "没有": true, "请求": true, "市民": true, "人反": true}

// distinctive drops common words and repeats, so that a long text stays a short query.
func distinctive(grams []string, n int) []string {
	seen := map[string]bool{}
	var out []string
	for _, g := range grams {
		if seen[g] || commonGrams[g] || strings.TrimSpace(g) == "" || zh.Len(g) < 2 {
			continue
		}
		seen[g] = true
		if out = append(out, g); len(out) == n {
			break
		}
	}
	return out
}
