package knowledge

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/eventlog"
	"hotline/internal/fault"
	"hotline/internal/org"
	"hotline/internal/region"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// SubjectKind is the subject of this room's events.
const SubjectKind = "knowledge"

// Kinds of events.
const (
	EventCreated   = "knowledge.created"
	EventSaved     = "knowledge.saved"
	EventSubmitted = "knowledge.submitted"
	EventPublished = "knowledge.published"
	EventRejected  = "knowledge.rejected"
	EventOffline   = "knowledge.offline"
	EventRevised   = "knowledge.revised"
	EventFeedback  = "knowledge.feedback"
)

var eventLabels = map[string]string{EventCreated: "新建", EventSaved: "保存", EventSubmitted: "提交审核", EventPublished: "发布", EventRejected: "退回修改",
	EventOffline: "下线", EventRevised: "修订", EventFeedback: "纠错反馈"}

// Deps are what the room works with.
type Deps struct {
	DB  *db.DB
	Log *eventlog.Log
	Org *org.Service
}

// Service is the library. Built once by app.
type Service struct {
	Deps
	mu    sync.RWMutex // guards index
	index *searchIndex
}

// New makes the service; the index is built by the first search or by Warm.
func New(d Deps) *Service { return &Service{Deps: d, index: newSearchIndex()} }

// Create writes a new article as a draft. Errors: knowledge_invalid,
// knowledge_title_taken, knowledge_not_yours.
func (s *Service) Create(ctx context.Context, actor access.Actor, t Text) (a *Article, err error) {
	err = s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		a, err = s.CreateTx(tx, actor, t)
		return err
	})
	return a, err
}

// CreateTx is Create in the caller's transaction.
func (s *Service) CreateTx(tx *db.Tx, actor access.Actor, t Text) (*Article, error) {
	if !actor.May(access.KBEdit) {
		return nil, fault.Forbidden("role_forbidden", "您的岗位不能编写知识。")
	}
	t = s.owned(actor, t)
	if err := t.check(s.Org.Tree()); err != nil {
		return nil, err
	}
	now := tx.NowMS()
	a := &Article{ID: tx.NewID(), Version: 1, Platform: s.platformFor(actor, t.Region), Text: t, State: Draft, No: 1, Author: actor.Account, Created: now, Updated: now}
	if !s.mayEdit(actor, a) {
		return nil, errNotYours()
	}
	if err := a.insert(tx); err != nil {
		return nil, err
	}
	if err := a.keep(tx, actor.Account, actor.Name, "新建"); err != nil {
		return nil, err
	}
	return a, s.tell(tx, actor, a, EventCreated, nil)
}

// Save writes a draft's text anew. What is published stays as it is. Errors:
// those of Create, version_conflict, knowledge_state when it is no draft.
func (s *Service) Save(ctx context.Context, actor access.Actor, id, version int64, t Text) (a *Article, err error) {
	err = s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		a, err = s.SaveTx(tx, actor, id, version, t)
		return err
	})
	return a, err
}

// SaveTx is Save in the caller's transaction.
func (s *Service) SaveTx(tx *db.Tx, actor access.Actor, id, version int64, t Text) (*Article, error) {
	a, err := s.open(tx, actor, id, version)
	if err != nil {
		return nil, err
	}
	if a.State != Draft {
		return nil, fault.Conflict("knowledge_state", "这条知识目前是“%s”，请先点“修订”再修改。", a.StateOn(tx.Now()).Label()).With(s.moved(tx, a, version))
	}
	t = s.owned(actor, t)
	if err := t.check(s.Org.Tree()); err != nil {
		return nil, err
	}
	was := a.Version
	a.Text, a.Author, a.Updated = t, actor.Account, tx.NowMS()
	a.Version++
	// Numbers go on from the newest text, whatever became of the ones between.
	if a.No, err = db.Int(tx, `SELECT max(no) + 1 FROM knowledge_version WHERE article = $1`, a.ID); err != nil {
		return nil, err
	}
	if !s.mayEdit(actor, a) {
		return nil, errNotYours()
	}
	if err := a.update(tx, was); err != nil {
		return nil, err
	}
	if err := textIndex.Put(tx, a.ID, zh.Grams(a.searchText())); err != nil {
		return nil, err
	}
	if err := a.keep(tx, actor.Account, actor.Name, "修改"); err != nil {
		return nil, err
	}
	return a, s.tell(tx, actor, a, EventSaved, nil)
}

// open loads the working copy for a change: the actor edits here, and nobody
// changed it since version (0 = not checked).
func (s *Service) open(tx *db.Tx, actor access.Actor, id, version int64) (*Article, error) {
	if !actor.May(access.KBEdit) {
		return nil, fault.Forbidden("role_forbidden", "您的岗位不能编写知识。")
	}
	a, err := load(tx, id)
	if err != nil {
		return nil, err
	}
	if !s.sees(actor, a.Platform) {
		return nil, errAbsent()
	}
	if !s.mayEdit(actor, a) {
		return nil, errNotYours()
	}
	if version != 0 && version != a.Version {
		return nil, fault.Conflict("version_conflict", "这条知识刚刚被其他人改过，请查看变化后再操作。").With(s.moved(tx, a, version))
	}
	return a, nil
}

// owned tidies a text; what a department's editor writes without naming a unit
// is its own unit's.
func (s *Service) owned(actor access.Actor, t Text) Text {
	t = t.tidy()
	if t.Unit == 0 && !actor.System && !actor.May(access.KBPublish) {
		t.Unit = actor.Unit
	}
	return t
}

// platformFor is the platform that keeps a new article: the actor's, or of the
// system's the one of the region.
func (s *Service) platformFor(actor access.Actor, code string) int64 {
	if actor.Platform != 0 {
		return actor.Platform
	}
	tree := s.Org.Tree()
	if code != region.ProvinceCode {
		if u, ok := tree.CityPlatform(code); ok {
			return u.ID
		}
	}
	return tree.Province().ID
}

// sees tells whether the actor sees the working copies of a platform: the
// province those of all, a city its own.
func (s *Service) sees(actor access.Actor, platform int64) bool {
	if !actor.May(access.KBEdit) {
		return false
	}
	return actor.System || actor.Platform == platform || actor.Platform == s.Org.Tree().Province().ID
}

// mayEdit tells whether the actor may change the article: 知识管理员 all of their
// platform, 部门知识员 those of their own unit.
func (s *Service) mayEdit(actor access.Actor, a *Article) bool {
	switch {
	case !s.sees(actor, a.Platform):
		return false
	case actor.System, actor.May(access.KBPublish):
		return true
	}
	return a.Unit != 0 && s.Org.Tree().Under(actor.Unit, a.Unit)
}

func errNotYours() error {
	return fault.Forbidden("knowledge_not_yours", "只能编写和修改本单位负责的知识，请把责任单位选为本单位，或联系知识管理员。")
}

// tell appends the event of a change.
func (s *Service) tell(tx *db.Tx, actor access.Actor, a *Article, kind string, more map[string]any) error {
	data := map[string]any{"no": a.No, "platform": strconv.FormatInt(a.Platform, 10)}
	for k, v := range more {
		data[k] = v
	}
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = s.Log.Append(tx, eventlog.Event{Kind: kind, SubjectKind: SubjectKind, SubjectID: a.ID, Version: a.Version, Actor: actor.Account, Unit: actor.Unit, Data: string(text)})
	return err
}

// moved says what became of an article since the version that was seen.
func (s *Service) moved(tx *db.Tx, a *Article, seen int64) ticket.Moved {
	state := a.StateOn(tx.Now())
	m := ticket.Moved{Version: a.Version, Status: string(state), StatusLabel: state.Label(), Changed: []ticket.Changed{}}
	events, err := s.Log.BySubject(tx, SubjectKind, a.ID)
	if err != nil || seen == 0 {
		return m
	}
	for _, e := range events {
		if e.Version > seen && e.Kind != EventFeedback {
			m.Changed = append(m.Changed, ticket.Changed{At: e.At, Actor: e.Actor, Action: e.Kind, Label: eventLabels[e.Kind]})
		}
	}
	return m
}
