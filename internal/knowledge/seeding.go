package knowledge

import (
	"context"
	"regexp"

	"hotline/internal/access"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/knowledge/seed"
)

// seedBatch is how many articles one transaction takes in.
const seedBatch = 100

// docNo finds a 文号 in a source: 《…》（国办发〔2020〕53号）.
var docNo = regexp.MustCompile(`（([^（）]{2,20}(?:〔\d{4}〕\d+号|令第\d+号))）`)

// Seed takes in articles that were reviewed before they were embedded, as
// published, and says how many were new. An article whose title its platform
// has already, in whatever state, is left alone, so a second run does nothing.
// A city's articles go to its platform, all others to the province's.
func (s *Service) Seed(ctx context.Context, articles []seed.Article, by access.Actor) (added int, err error) {
	for start := 0; start < len(articles); start += seedBatch {
		batch := articles[start:min(start+seedBatch, len(articles))]
		n := 0
		err := s.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
			n = 0 // the closure may run twice
			for i := range batch {
				new, err := s.seedOne(tx, &batch[i], by)
				if err != nil {
					return err
				}
				if new {
					n++
				}
			}
			return nil
		})
		if err != nil {
			return added, err
		}
		added += n
	}
	return added, nil
}

func (s *Service) seedOne(tx *db.Tx, x *seed.Article, by access.Actor) (bool, error) {
	t := Text{Title: x.Title, Path: x.Category, Kind: x.Nature, Source: x.Source, UnitWords: x.Duty, Region: x.Region, ValidFrom: clock.Millis(x.ValidFrom),
		Keywords: x.Keywords, Questions: x.Questions, Body: x.Body, Public: x.Public}
	if !x.ValidUntil.IsZero() {
		t.ValidTo = clock.Millis(x.ValidUntil)
	}
	if m := docNo.FindStringSubmatch(x.Source); m != nil {
		t.DocNo = m[1]
	}
	t = t.tidy()
	if err := t.check(s.Org.Tree()); err != nil {
		return false, err
	}
	platform := s.platformFor(access.Actor{}, t.Region)
	if n, err := db.Int(tx, `SELECT count(*) FROM knowledge_article WHERE platform = $1 AND title = $2`, platform, t.Title); err != nil || n > 0 {
		return false, err
	}
	now := tx.NowMS()
	a := &Article{ID: tx.NewID(), Version: 1, Platform: platform, Text: t, State: Published, No: 1, Live: 1, Author: by.Account, Created: now, Updated: now}
	if err := a.insert(tx); err != nil {
		return false, err
	}
	if err := a.keep(tx, by.Account, by.Name, "随系统提供"); err != nil {
		return false, err
	}
	if err := a.release(tx, false, by.Account, by.Name, ""); err != nil {
		return false, err
	}
	return true, s.tell(tx, by, a, EventPublished, map[string]any{"seed": 1})
}
