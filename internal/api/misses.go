package api

import (
	"context"
	"net/http"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/knowledge"
	"hotline/internal/zh"
)

// MissOut is a question that the library had no answer to.
type MissOut struct {
	Term         string `json:"term" doc:"起草时原样送回"`
	Words        string `json:"words"`
	Asked        int64  `json:"asked"`
	Last         string `json:"last"`
	CategoryName string `json:"category_name"`
	Path         string `json:"path" doc:"建议目录"`
	Article      ID     `json:"article,omitempty" doc:"已起草的知识"`
}

// missesShown is the length of the list of questions without an answer.
const missesShown = 20

func (a *API) missRoutes() {
	type missList struct {
		Items []MissOut `json:"items"`
	}
	edit := []access.Verb{access.KBEdit}
	route(a, http.MethodGet, "/api/v1/knowledge/misses", "knowledge-misses", "无答案问题", Rule{Verbs: edit, Free: "只含脱敏的检索词和次数"}, func(ctx context.Context, _ *struct{}) (*struct{ Body missList }, error) {
		actor := actorOf(ctx)
		list, err := a.Knowledge.Misses(ctx, actor, missesShown)
		if err != nil {
			return nil, err
		}
		cats := a.Ticket.Categories(actor.Platform)
		out := missList{Items: make([]MissOut, 0, len(list))}
		for _, m := range list {
			c, _ := cats.Get(m.Category)
			out.Items = append(out.Items, MissOut{m.Term, m.Words, m.Asked, stamp(m.Last), c.Name, knowledge.MissPath(cats, m.Category), ID(m.Article)})
		}
		return &struct{ Body missList }{out}, nil
	})
	type done struct {
		Message string `json:"message"`
	}
	route(a, http.MethodPost, "/api/v1/knowledge/misses", "knowledge-miss", "登记未命中", Rule{Verbs: []access.Verb{access.KBRead}, Free: "只留脱敏的检索词和次数"}, func(ctx context.Context, in *struct {
		Body struct {
			Q string `json:"q" minLength:"1" maxLength:"200"`
		}
	}) (*struct{ Body done }, error) {
		if zh.Len(in.Body.Q) < 4 {
			return nil, fault.Invalid("miss_short", "请写明要找什么，至少4个字。").At(fault.Field{Name: "q", Detail: "至少4个字。"})
		}
		if err := a.Knowledge.Miss(ctx, actorOf(ctx).Platform, in.Body.Q); err != nil {
			return nil, err
		}
		return &struct{ Body done }{done{"已登记，知识管理员会补充。"}}, nil
	})
	route(a, http.MethodPost, "/api/v1/knowledge/misses/draft", "knowledge-miss-draft", "为无答案问题起草知识", Rule{Verbs: edit, Audit: "event"}, func(ctx context.Context, in *struct {
		Key  string `header:"Idempotency-Key"`
		Body struct {
			Term string `json:"term" minLength:"1" maxLength:"200"`
		}
	}) (*struct{ Body KnowledgeDone }, error) {
		return a.writeKnowledge(ctx, in.Key, in.Body, "miss", func(tx *db.Tx, actor access.Actor) (*knowledge.Article, string, error) {
			cats := a.Ticket.Categories(actor.Platform)
			x, err := a.Knowledge.DraftMissTx(tx, actor, in.Body.Term, func(code string) string { return knowledge.MissPath(cats, code) })
			return x, "已起草，请补充答案后提交审核。", err
		})
	})
}
