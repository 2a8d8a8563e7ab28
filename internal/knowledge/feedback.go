package knowledge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// FeedbackKind is what a reader found wrong (问题类型).
type FeedbackKind struct{ Code, Label string }

// FeedbackKinds lists them; a face may send the code or the label.
var FeedbackKinds = []FeedbackKind{{"wrong", "内容错误"}, {"outdated", "内容过时"}, {"unclear", "表述不清"}, {"contact", "联系方式失效"}, {"other", "其他"}}

// Feedback (纠错反馈) is a reader's remark on an article. It is made by
// Service.Feedback and done with the article's next publication.
type Feedback struct {
	ID, Article, No int64
	Kind            string // code
	Text            string // redacted
	At              int64
	Actor           int64
	Name            string
	Done            int64 // ms; 0 = open
}

// KindLabel is the Chinese word of the kind.
func (f *Feedback) KindLabel() string {
	i := slices.IndexFunc(FeedbackKinds, func(k FeedbackKind) bool { return k.Code == f.Kind })
	if i < 0 {
		return f.Kind
	}
	return FeedbackKinds[i].Label
}

// maxFeedback bounds a remark, in characters.
const maxFeedback = 500

// Feedback notes a remark of a reader for the editors. Personal data in it is
// masked before it is stored.
func (s *Service) Feedback(ctx context.Context, actor access.Actor, id int64, kind, text string) (f *Feedback, err error) {
	err = s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		_, f, err = s.FeedbackTx(tx, actor, id, kind, text)
		return err
	})
	return f, err
}

// FeedbackTx is Feedback in the caller's transaction; it gives the article, too.
func (s *Service) FeedbackTx(tx *db.Tx, actor access.Actor, id int64, kind, text string) (*Article, *Feedback, error) {
	i := slices.IndexFunc(FeedbackKinds, func(k FeedbackKind) bool { return k.Code == kind || k.Label == kind })
	if i < 0 {
		return nil, nil, fault.Invalid("knowledge_feedback_invalid", "请选择问题类型。").At(fault.Field{Name: "kind", Detail: "请选择问题类型。"})
	}
	text = oneLine(text)
	if n := zh.Len(text); n < 4 || n > maxFeedback {
		detail := fmtf("请写明哪里不对，4至%d个字，现在%d个字。", maxFeedback, n)
		return nil, nil, fault.Invalid("knowledge_feedback_invalid", "%s", detail).At(fault.Field{Name: "text", Detail: detail})
	}
	a, err := s.visible(tx, actor, id)
	if err != nil {
		return nil, nil, err
	}
	f := &Feedback{ID: tx.NewID(), Article: id, No: a.No, Kind: FeedbackKinds[i].Code, Text: zh.Redact(text), At: tx.NowMS(), Actor: actor.Account, Name: actor.Name}
	_, err = tx.Exec(`INSERT INTO knowledge_feedback (id, article, no, kind, text, at, actor, name, unit, done_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`,
		f.ID, f.Article, f.No, f.Kind, f.Text, f.At, f.Actor, f.Name, actor.Unit)
	if err != nil {
		return nil, nil, err
	}
	return a, f, s.tell(tx, actor, a, EventFeedback, map[string]any{"kind": f.Kind})
}

// FeedbackOf lists the remarks on an article, open ones first, then the newest;
// at most fifty.
func (s *Service) FeedbackOf(ctx context.Context, id int64) (out []Feedback, err error) {
	err = s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = db.All(tx, func(r db.Scanner) (f Feedback, err error) {
			return f, r.Scan(&f.ID, &f.Article, &f.No, &f.Kind, &f.Text, &f.At, &f.Actor, &f.Name, &f.Done)
		}, `SELECT id, article, no, kind, text, at, actor, name, done_at FROM knowledge_feedback WHERE article = $1
			ORDER BY CASE WHEN done_at = 0 THEN 0 ELSE 1 END, id DESC LIMIT 50`, id)
		return err
	})
	return out, err
}

// Cite counts that a ticket was answered with an article (引用), once for each
// ticket. An article that does not exist is passed over.
func (s *Service) Cite(tx *db.Tx, id, ticket int64) error {
	known, err := db.Int(tx, `SELECT count(*) FROM knowledge_article WHERE id = $1`, id)
	if err != nil || known == 0 {
		return err
	}
	n, err := tx.Exec(`INSERT INTO knowledge_cite (article, ticket, at) VALUES ($1, $2, $3) ON CONFLICT (article, ticket) DO NOTHING`, id, ticket, tx.NowMS())
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.Exec(`INSERT INTO knowledge_use (article, cited, views) VALUES ($1, 1, 0) ON CONFLICT (article) DO UPDATE SET cited = knowledge_use.cited + 1`, id)
	return err
}

// Follower is the name of the cursor by which citations are counted.
const Follower = "knowledge_cites"

// Follow counts the citations in the events of tickets (data "kb") until ctx ends.
func (s *Service) Follow(ctx context.Context, log *eventlog.Log) error {
	return log.Follow(ctx, Follower, 500, s.cites)
}

// FollowOnce is Follow for what is sealed now.
func (s *Service) FollowOnce(ctx context.Context, log *eventlog.Log) (int, error) {
	return log.FollowOnce(ctx, Follower, 500, s.cites)
}

func (s *Service) cites(tx *db.Tx, events []eventlog.Event) error {
	for _, e := range events {
		if e.SubjectKind != "ticket" || !strings.Contains(e.Data, `"kb"`) {
			continue
		}
		var data struct {
			KB int64 `json:"kb"`
		}
		if err := json.Unmarshal([]byte(e.Data), &data); err != nil {
			return fmt.Errorf("knowledge: event %d: %w", e.ID, err)
		}
		if data.KB != 0 {
			if err := s.Cite(tx, data.KB, e.SubjectID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Viewed counts that a reader opened an article, in the lane below all writes.
func (s *Service) Viewed(ctx context.Context, id int64) error {
	return s.DB.UpdateLane(ctx, db.LaneAudit, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO knowledge_use (article, cited, views) VALUES ($1, 0, 1) ON CONFLICT (article) DO UPDATE SET views = knowledge_use.views + 1`, id)
		return err
	})
}
