package knowledge

import (
	"context"
	"strings"

	"hotline/internal/access"
	"hotline/internal/category"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/knowledge/seed"
	"hotline/internal/zh"
)

// Miss (未命中) is what people asked for and the library had no answer to. It is
// counted per platform; once a draft that was begun from it is published it is
// listed no more.
type Miss struct {
	Term     string // the words without punctuation: the key
	Words    string // as asked last, redacted
	Category string // matter of the ticket that missed it last; "" = a search
	Asked    int64
	Last     int64 // ms
	Article  int64 // begun from it; 0 = none
}

// Bounds of a missed term, in characters: a fragment says nothing and a whole
// story is no search.
const (
	minMiss = 4
	maxMiss = 60
)

// typing is the time in which a longer search replaces its own beginning.
const typing = 60_000

// MissTx counts a question without an answer for a platform. Words that are
// too short to say what was meant are passed over.
func (s *Service) MissTx(tx *db.Tx, platform int64, words, code string) error {
	words = zh.Truncate(oneLine(zh.Redact(words)), maxMiss)
	term := plain(words)
	if zh.Len(term) < minMiss || platform == 0 {
		return nil
	}
	if _, err := tx.Exec(`DELETE FROM knowledge_miss WHERE platform = $1 AND asked = 1 AND article = 0 AND last_at > $2 AND term <> $3 AND substr($3, 1, length(term)) = term`,
		platform, tx.NowMS()-typing, term); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO knowledge_miss (platform, term, words, category, asked, last_at, article) VALUES ($1, $2, $3, $4, 1, $5, 0)
		ON CONFLICT (platform, term) DO UPDATE SET asked = knowledge_miss.asked + 1, words = excluded.words, last_at = excluded.last_at,
		category = CASE WHEN excluded.category = '' THEN knowledge_miss.category ELSE excluded.category END`, platform, term, words, code, tx.NowMS())
	return err
}

// Miss is MissTx in the lane below all other writes, for searches.
func (s *Service) Miss(ctx context.Context, platform int64, words string) error {
	return s.DB.UpdateLane(ctx, db.LaneAudit, func(tx *db.Tx) error { return s.MissTx(tx, platform, words, "") })
}

// Misses lists what an editor's platform missed, the most asked first; the
// province sees those of all platforms together.
func (s *Service) Misses(ctx context.Context, actor access.Actor, limit int) (out []Miss, err error) {
	where, args := `m.platform = $1`, []any{actor.Platform}
	if actor.Platform == s.Org.Tree().Province().ID {
		where, args = `1 = 1`, nil
	}
	args = append(args, limit)
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, func(r db.Scanner) (m Miss, err error) {
			return m, r.Scan(&m.Term, &m.Words, &m.Category, &m.Asked, &m.Last, &m.Article)
		}, `SELECT m.term, max(m.words), max(m.category), sum(m.asked), max(m.last_at), max(m.article) FROM knowledge_miss m
			WHERE `+where+` AND NOT EXISTS (SELECT 1 FROM knowledge_live l WHERE l.article = m.article AND l.gone = 0)
			GROUP BY m.term ORDER BY sum(m.asked) DESC, max(m.last_at) DESC, m.term LIMIT `+fmtf("$%d", len(args)), args...)
		return err
	})
	return out, err
}

// DraftMissTx begins an article from a missed question: its title, 问法 and path
// are filled in, the answer is the editor's to write. Errors: knowledge_miss_absent,
// knowledge_miss_drafted, those of Create.
func (s *Service) DraftMissTx(tx *db.Tx, actor access.Actor, term string, path func(code string) string) (*Article, error) {
	if !actor.May(access.KBEdit) {
		return nil, fault.Forbidden("role_forbidden", "您的岗位不能编写知识。")
	}
	all := actor.Platform == s.Org.Tree().Province().ID
	rows, err := db.All(tx, func(r db.Scanner) (m Miss, err error) { return m, r.Scan(&m.Words, &m.Category, &m.Article) },
		`SELECT words, category, article FROM knowledge_miss WHERE term = $1 AND (platform = $2 OR 1 = $3) ORDER BY article DESC, asked DESC LIMIT 1`, plain(term), actor.Platform, map[bool]int{true: 1}[all])
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fault.NotFound("knowledge_miss_absent", "没有这条未命中的问题，请刷新后再试。")
	}
	m := rows[0]
	if m.Article != 0 {
		return nil, fault.Conflict("knowledge_miss_drafted", "这个问题已经有人起草，请到草稿中继续编写。")
	}
	unit, _ := s.Org.Tree().Get(actor.Unit)
	t := Text{Title: m.Words, Path: path(m.Category), Kind: "热点问答", Source: unit.Name, Unit: actor.Unit, Region: unit.Region, Questions: []string{m.Words},
		Body: "问：" + strings.TrimRight(m.Words, "？?。") + "？\n答：（请写明依据、条件、材料、地点和时限。）", ValidFrom: day(tx.Now())}
	a, err := s.CreateTx(tx, actor, t)
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(`UPDATE knowledge_miss SET article = $1 WHERE term = $2 AND (platform = $3 OR 1 = $4)`, a.ID, plain(term), actor.Platform, map[bool]int{true: 1}[all])
	return a, err
}

// MissPath is the catalogue that an answer about a matter belongs to.
func MissPath(c *category.Tree, code string) string {
	if len(code) == 6 {
		if top, ok := c.Get(code[:2] + "0000"); ok {
			for _, root := range seed.Roots {
				if root == top.Name {
					if mid, ok := c.Get(code[:4] + "00"); ok {
						return root + "/" + zh.Truncate(mid.Name, maxKeyword)
					}
					return root
				}
			}
		}
	}
	return "其他/未命中补充"
}
