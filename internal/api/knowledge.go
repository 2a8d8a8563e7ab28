package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"hotline/internal/access"
	"hotline/internal/audit"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/knowledge"
	"hotline/internal/ticket"
)

// ArticleRow is one line of a list of articles.
type ArticleRow struct {
	ID         ID     `json:"id"`
	Version    int64  `json:"version"`
	Title      string `json:"title"`
	Path       string `json:"path"`
	Kind       string `json:"kind"`
	Source     string `json:"source"`
	UnitName   string `json:"unit_name"`
	Region     string `json:"region"`
	RegionName string `json:"region_name"`
	ValidFrom  string `json:"valid_from"`
	ValidTo    string `json:"valid_to"`
	State      string `json:"state"`
	StateLabel string `json:"state_label"`
	Public     bool   `json:"public"`
	Cited      int64  `json:"cited"`
	Expiring   bool   `json:"expiring"`
	UpdatedAt  string `json:"updated_at"`
}

// KnowledgeHit is one article that a search found.
type KnowledgeHit struct {
	ArticleRow
	Snippet string  `json:"snippet"`
	Score   float64 `json:"score"`
}

// ArticleOut is an article to read or to edit.
type ArticleOut struct {
	ArticleRow
	DocNo     string           `json:"doc_no"`
	Unit      ID               `json:"unit"`
	UnitWords string           `json:"unit_words"`
	Keywords  []string         `json:"keywords"`
	Questions []string         `json:"questions"`
	Body      string           `json:"body"`
	Live      bool             `json:"live" doc:"有已发布的内容正在提供"`
	Versions  []ArticleVersion `json:"versions"`
	Feedback  []ArticleRemark  `json:"feedback"`
	Actions   []ticket.Offer   `json:"actions"`
}

// ArticleVersion is one kept text.
type ArticleVersion struct {
	No   int64  `json:"no"`
	At   string `json:"at"`
	By   string `json:"by"`
	Note string `json:"note"`
}

// ArticleRemark is what a reader said of an article.
type ArticleRemark struct {
	ID    ID     `json:"id"`
	At    string `json:"at"`
	By    string `json:"by"`
	Kind  string `json:"kind"`
	Text  string `json:"text"`
	State string `json:"state"`
}

// ArticleIn is what an editor writes.
type ArticleIn struct {
	Title     string   `json:"title"`
	Path      string   `json:"path"`
	Kind      string   `json:"kind"`
	Source    string   `json:"source"`
	DocNo     string   `json:"doc_no,omitempty"`
	Unit      ID       `json:"unit,omitempty"`
	UnitWords string   `json:"unit_words,omitempty"`
	Region    string   `json:"region,omitempty"`
	ValidFrom string   `json:"valid_from,omitempty"`
	ValidTo   string   `json:"valid_to,omitempty"`
	Keywords  []string `json:"keywords,omitempty"`
	Questions []string `json:"questions,omitempty"`
	Body      string   `json:"body"`
	Public    bool     `json:"public,omitempty"`
}

// KnowledgeDone is what a write answers.
type KnowledgeDone struct {
	ID         ID     `json:"id"`
	Version    int64  `json:"version"`
	State      string `json:"state"`
	StateLabel string `json:"state_label"`
	Message    string `json:"message"`
}

func (a *API) knowledgeRoutes() {
	a.knowledgeWrites()
	read := []access.Verb{access.KBRead}
	type knowledgeHits struct {
		Items []KnowledgeHit `json:"items"`
		MS    float64        `json:"ms" doc:"检索用时，毫秒"`
	}
	route(a, http.MethodGet, "/api/v1/knowledge/search", "knowledge-search", "检索知识", Rule{Verbs: read, Free: "只含已发布的知识，无个人信息；打开条目另行记录"}, func(ctx context.Context, in *struct {
		Q      string `query:"q"`
		Region string `query:"region" maxLength:"12"`
		Limit  int    `query:"limit" default:"10" minimum:"1" maximum:"50"`
	}) (*struct{ Body knowledgeHits }, error) {
		began := clock.System().Now() // elapsed time is the machine's
		hits, err := a.Knowledge.Search(ctx, in.Q, in.Region, knowledge.Options{}, in.Limit)
		if err != nil {
			return nil, err
		}
		out := knowledgeHits{Items: make([]KnowledgeHit, 0, len(hits))}
		now := a.now()
		for _, h := range hits {
			out.Items = append(out.Items, KnowledgeHit{a.articleRow(h.Article, now), h.Snippet, h.Score})
		}
		out.MS = float64(clock.Since(clock.System(), began).Microseconds()) / 1000
		if len(hits) == 0 {
			if err := a.Knowledge.Miss(ctx, actorOf(ctx).Platform, in.Q); err != nil {
				return nil, err
			}
		}
		return &struct{ Body knowledgeHits }{out}, nil
	})
	type knowledgePaths struct {
		Items     []*knowledge.Directory `json:"items"`
		States    map[string]int64       `json:"states"`
		MayCreate bool                   `json:"may_create"`
	}
	route(a, http.MethodGet, "/api/v1/knowledge/paths", "knowledge-paths", "知识目录与数量", Rule{Verbs: read, Free: "只含目录与数量"}, func(ctx context.Context, _ *struct{}) (*struct{ Body knowledgePaths }, error) {
		c, err := a.Knowledge.Paths(ctx, actorOf(ctx))
		if err != nil {
			return nil, err
		}
		out := knowledgePaths{Items: c.Nodes, States: map[string]int64{}, MayCreate: c.MayCreate}
		for st, n := range c.States {
			out.States[string(st)] = n
		}
		return &struct{ Body knowledgePaths }{out}, nil
	})
	type knowledgeList struct {
		Items []ArticleRow `json:"items"`
		Next  string       `json:"next"`
	}
	route(a, http.MethodGet, "/api/v1/knowledge", "knowledge-list", "知识列表", Rule{Verbs: read, Audit: "knowledge.list"}, func(ctx context.Context, in *struct {
		Path   string `query:"path" maxLength:"120"`
		State  string `query:"state" enum:"draft,review,published,expiring,expired,offline,"`
		Q      string `query:"q" maxLength:"200"`
		Cursor string `query:"cursor" maxLength:"60"`
		Limit  int    `query:"limit" minimum:"0" maximum:"200"`
	}) (*struct{ Body knowledgeList }, error) {
		actor := actorOf(ctx)
		rows, next, err := a.Knowledge.List(ctx, actor, knowledge.Filter{Path: in.Path, State: knowledge.State(in.State), Query: in.Q, Cursor: in.Cursor, Limit: in.Limit})
		if err != nil {
			return nil, err
		}
		if err := a.sawKnowledge(ctx, actor, "knowledge.list", 0, len(rows), in.State); err != nil {
			return nil, err
		}
		out := knowledgeList{Items: make([]ArticleRow, 0, len(rows)), Next: next}
		now := a.now()
		for _, x := range rows {
			out.Items = append(out.Items, a.articleRow(x, now))
		}
		return &struct{ Body knowledgeList }{out}, nil
	})
	route(a, http.MethodGet, "/api/v1/knowledge/{id}", "knowledge-get", "知识详情", Rule{Verbs: read, Audit: "knowledge.view"}, func(ctx context.Context, in *struct {
		ID      string `path:"id"`
		Version int64  `query:"version" minimum:"0" doc:"看旧版本的正文"`
	}) (*struct{ Body ArticleOut }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		actor := actorOf(ctx)
		var x *knowledge.Article
		if in.Version > 0 {
			x, err = a.Knowledge.GetVersion(ctx, actor, id, in.Version)
		} else {
			x, err = a.Knowledge.Get(ctx, actor, id)
		}
		if err != nil {
			return nil, err
		}
		out, err := a.articleOut(ctx, actor, x, in.Version > 0)
		if err != nil {
			return nil, err
		}
		if err := a.sawKnowledge(ctx, actor, "knowledge.view", id, 1, ""); err != nil {
			return nil, err
		}
		if !actor.May(access.KBEdit) {
			if err := a.Knowledge.Viewed(ctx, id); err != nil {
				return nil, err
			}
		}
		return &struct{ Body ArticleOut }{out}, nil
	})
}

func (a *API) knowledgeWrites() {
	a.missRoutes()
	edit := Rule{Verbs: []access.Verb{access.KBEdit}, Audit: "event"}
	route(a, http.MethodPost, "/api/v1/knowledge", "knowledge-create", "新建知识", edit, func(ctx context.Context, in *struct {
		Key  string `header:"Idempotency-Key"`
		Body ArticleIn
	}) (*struct{ Body KnowledgeDone }, error) {
		t, err := in.Body.text()
		if err != nil {
			return nil, err
		}
		return a.writeKnowledge(ctx, in.Key, in.Body, "create", func(tx *db.Tx, actor access.Actor) (*knowledge.Article, string, error) {
			x, err := a.Knowledge.CreateTx(tx, actor, t)
			return x, "已保存为草稿，提交审核并发布后才会提供给座席和公众。", err
		})
	})
	route(a, http.MethodPut, "/api/v1/knowledge/{id}", "knowledge-save", "修改知识", edit, func(ctx context.Context, in *struct {
		ID      string `path:"id"`
		IfMatch string `header:"If-Match"`
		Key     string `header:"Idempotency-Key"`
		Body    ArticleIn
	}) (*struct{ Body KnowledgeDone }, error) {
		id, version, err := knowledgeRef(in.ID, in.IfMatch)
		if err != nil {
			return nil, err
		}
		t, err := in.Body.text()
		if err != nil {
			return nil, err
		}
		return a.writeKnowledge(ctx, in.Key, in.Body, "save "+in.ID+" "+in.IfMatch, func(tx *db.Tx, actor access.Actor) (*knowledge.Article, string, error) {
			x, err := a.Knowledge.SaveTx(tx, actor, id, version, t)
			return x, "已保存草稿，发布之前不会提供给座席和公众。", err
		})
	})
	route(a, http.MethodPost, "/api/v1/knowledge/{id}/actions/{action}", "knowledge-action", "知识审核发布", edit, func(ctx context.Context, in *struct {
		ID      string `path:"id"`
		Action  string `path:"action" maxLength:"20"`
		IfMatch string `header:"If-Match"`
		Key     string `header:"Idempotency-Key"`
		Body    struct {
			Note   string `json:"note,omitempty"`
			Reason string `json:"reason,omitempty"`
		} `required:"false"`
	}) (*struct{ Body KnowledgeDone }, error) {
		id, version, err := knowledgeRef(in.ID, in.IfMatch)
		if err != nil {
			return nil, err
		}
		note := in.Body.Reason
		if note == "" {
			note = in.Body.Note
		}
		return a.writeKnowledge(ctx, in.Key, in.Body, in.Action+" "+in.ID+" "+in.IfMatch, func(tx *db.Tx, actor access.Actor) (*knowledge.Article, string, error) {
			d, err := a.Knowledge.DoTx(tx, actor, id, version, in.Action, note)
			return d.Article, d.Message, err
		})
	})
	route(a, http.MethodPost, "/api/v1/knowledge/{id}/feedback", "knowledge-feedback", "知识纠错", Rule{Verbs: []access.Verb{access.KBRead}, Audit: "event"}, func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Key  string `header:"Idempotency-Key"`
		Body struct {
			Kind string `json:"kind"`
			Text string `json:"text"`
		}
	}) (*struct{ Body KnowledgeDone }, error) {
		id, err := parseID(in.ID)
		if err != nil {
			return nil, err
		}
		return a.writeKnowledge(ctx, in.Key, in.Body, "feedback "+in.ID, func(tx *db.Tx, actor access.Actor) (*knowledge.Article, string, error) {
			x, _, err := a.Knowledge.FeedbackTx(tx, actor, id, in.Body.Kind, in.Body.Text)
			return x, "已提交纠错，知识管理员会核对。", err
		})
	})
}

// writeKnowledge runs one change in its transaction; a key makes a repeat harmless.
func (a *API) writeKnowledge(ctx context.Context, key string, body any, what string, fn func(tx *db.Tx, actor access.Actor) (*knowledge.Article, string, error)) (*struct{ Body KnowledgeDone }, error) {
	actor := actorOf(ctx)
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	out := &struct{ Body KnowledgeDone }{}
	err = a.DB.Update(ctx, func(tx *db.Tx) error {
		_, answer, err := a.Ticket.Once(tx, actor.Account, key, ticket.Digest("knowledge", what, string(text)), func() (int, []byte, error) {
			x, message, err := fn(tx, actor)
			if err != nil {
				return 0, nil, err
			}
			state := x.StateOn(tx.Now())
			b, err := json.Marshal(KnowledgeDone{ID(x.ID), x.Version, string(state), state.Label(), message})
			return http.StatusOK, b, err
		})
		if err != nil {
			return err
		}
		return json.Unmarshal(answer, &out.Body)
	})
	return out, err
}

// knowledgeRef reads which version of which article is meant.
func knowledgeRef(raw, ifMatch string) (id, version int64, err error) {
	if id, err = parseID(raw); err != nil {
		return 0, 0, err
	}
	if version, err = parseVersion(ifMatch); err == nil && version == 0 {
		err = fault.Invalid("version_required", "请在 If-Match 中给出知识条目的版本。")
	}
	return id, version, err
}

// text turns what came over the wire into the room's form.
func (in *ArticleIn) text() (t knowledge.Text, err error) {
	t = knowledge.Text{Title: in.Title, Path: in.Path, Kind: in.Kind, Source: in.Source, DocNo: in.DocNo, Unit: int64(in.Unit), UnitWords: in.UnitWords, Region: in.Region,
		Keywords: in.Keywords, Questions: in.Questions, Body: in.Body, Public: in.Public}
	for _, d := range []struct {
		name, value string
		into        *int64
	}{{"valid_from", in.ValidFrom, &t.ValidFrom}, {"valid_to", in.ValidTo, &t.ValidTo}} {
		if d.value == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, d.value[:min(10, len(d.value))], clock.Shanghai)
		if err != nil {
			const why = "日期应为“2026-11-22”这样的格式。"
			return t, fault.Invalid("date_invalid", why).At(fault.Field{Name: d.name, Detail: why})
		}
		*d.into = clock.Millis(day)
	}
	return t, nil
}

// articleRow renders an article for a list.
func (a *API) articleRow(x *knowledge.Article, now time.Time) ArticleRow {
	state := x.StateOn(now)
	unit := a.Org.Tree().Name(x.Unit)
	if unit == "" {
		unit = x.UnitWords
	}
	return ArticleRow{ID: ID(x.ID), Version: x.Version, Title: x.Title, Path: x.Path, Kind: x.Kind, Source: x.Source, UnitName: unit, Region: x.Region, RegionName: regionName(x.Region),
		ValidFrom: wireDay(x.ValidFrom), ValidTo: wireDay(x.ValidTo), State: string(state), StateLabel: state.Label(), Public: x.Public, Cited: x.Cited,
		Expiring: state == knowledge.Expiring, UpdatedAt: stamp(x.Updated)}
}

// articleOut renders an article with its history and what may be done; of an
// old version nothing may be done.
func (a *API) articleOut(ctx context.Context, actor access.Actor, x *knowledge.Article, old bool) (ArticleOut, error) {
	out := ArticleOut{ArticleRow: a.articleRow(x, a.now()), DocNo: x.DocNo, Unit: ID(x.Unit), UnitWords: x.UnitWords, Keywords: append([]string{}, x.Keywords...),
		Questions: append([]string{}, x.Questions...), Body: x.Body, Live: x.Live != 0, Versions: []ArticleVersion{}, Feedback: []ArticleRemark{}, Actions: []ticket.Offer{}}
	versions, err := a.Knowledge.Versions(ctx, actor, x)
	if err != nil {
		return out, err
	}
	for _, v := range versions {
		out.Versions = append(out.Versions, ArticleVersion{v.No, stamp(v.At), v.Name, v.Note})
	}
	remarks, err := a.Knowledge.FeedbackOf(ctx, x.ID)
	if err != nil {
		return out, err
	}
	for _, f := range remarks {
		state := "open"
		if f.Done != 0 {
			state = "done"
		}
		out.Feedback = append(out.Feedback, ArticleRemark{ID(f.ID), stamp(f.At), f.Name, f.KindLabel(), f.Text, state})
	}
	if !old {
		out.Actions, err = a.Knowledge.Offers(ctx, actor, x)
	}
	return out, err
}

func (a *API) sawKnowledge(ctx context.Context, actor access.Actor, op string, id int64, count int, query string) error {
	e := audit.Entry{Actor: actor.Account, Account: actor.Username, Role: string(actor.Role), Unit: actor.Unit, Op: op, Subject: id, Count: count, IP: actor.IP, Query: query}
	if id != 0 {
		e.SubjectKind = knowledge.SubjectKind
	}
	return a.Audit.Seen(ctx, e)
}

// wireDay is a day on the wire; "" for none.
func wireDay(ms int64) string {
	if ms == 0 {
		return ""
	}
	return clock.FromMillis(ms).Format(time.DateOnly)
}
