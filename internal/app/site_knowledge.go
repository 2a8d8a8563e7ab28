package app

import (
	"context"
	"strconv"

	"hotline/internal/citizen"
	"hotline/internal/fault"
	"hotline/internal/knowledge"
	"hotline/internal/region"
	"hotline/internal/zh"
)

func (s *site) article(k *knowledge.Article, snippet string) citizen.Article {
	a := citizen.Article{ID: strconv.FormatInt(k.ID, 10), Title: k.Title, Summary: snippet, Body: k.Body, Source: k.Source, Owner: k.UnitWords, Region: region.FullName(k.Region), Updated: timeOf(k.Updated)}
	if k.Region == region.ProvinceCode {
		a.Region = "湖北省"
	}
	if name := s.a.Org.Tree().Name(k.Unit); name != "" {
		a.Owner = name
	}
	if k.DocNo != "" {
		a.Source += "（" + k.DocNo + "）"
	}
	if k.ValidFrom > 0 {
		a.From = timeOf(k.ValidFrom)
	}
	if k.ValidTo > 0 {
		a.To = timeOf(k.ValidTo)
	}
	if a.Summary == "" {
		a.Summary = zh.Truncate(k.Body, 60)
	}
	return a
}

func (s *site) SearchKnowledge(ctx context.Context, q, place string, limit int) ([]citizen.Article, error) {
	hits, err := s.a.Knowledge.Search(ctx, q, place, knowledge.Options{PublicOnly: true}, limit)
	var out []citizen.Article
	for _, h := range hits {
		out = append(out, s.article(h.Article, h.Snippet))
	}
	return out, err
}

func (s *site) Article(ctx context.Context, id string) (citizen.Article, error) {
	n, _ := strconv.ParseInt(id, 10, 64)
	k, err := s.a.Knowledge.Public(ctx, n)
	if fault.KindOf(err) == fault.KindNotFound {
		err = fault.NotFound("article_not_found", "没有找到这条问答，它可能已过期、更新或下线。可以在热点问答里再搜一下，或者拨打12345。")
	}
	if err != nil {
		return citizen.Article{}, err
	}
	if err := s.a.Knowledge.Viewed(ctx, n); err != nil {
		return citizen.Article{}, err
	}
	return s.article(k, ""), nil
}

func (s *site) HotArticles(ctx context.Context, limit int) ([]citizen.Article, error) {
	list, err := s.a.Knowledge.Hot(ctx, limit)
	var out []citizen.Article
	for _, k := range list {
		out = append(out, s.article(k, ""))
	}
	return out, err
}
