package knowledge

import (
	"context"
	"slices"

	"hotline/internal/access"
	"hotline/internal/db"
	"hotline/internal/fault"
	"hotline/internal/ticket"
	"hotline/internal/zh"
)

// maxNote bounds the reason or note of a step, in characters.
const maxNote = 200

// step is one change of state: who may take it, from where, to where.
type step struct {
	name, label, event string
	from               []State
	to                 State
	verb               access.Verb
	field, fieldLabel  string // the one input; "" = none
	required           bool
	primary, danger    bool
	help, done         string
}

// steps are the changes of state an article may go through, in the order of buttons.
var steps = []step{
	{name: "submit", label: "提交审核", event: EventSubmitted, from: []State{Draft}, to: Review, verb: access.KBEdit, field: "note", fieldLabel: "说明", primary: true,
		help: "提交后由另一位知识管理员审核发布。", done: "已提交审核，发布后才会提供给座席和公众。"},
	{name: "publish", label: "发布", event: EventPublished, from: []State{Review}, to: Published, verb: access.KBPublish, field: "note", fieldLabel: "审核意见", primary: true,
		help: "发布后立即可以被检索和引用。", done: "已发布，可以被检索和引用。"},
	{name: "reject", label: "退回修改", event: EventRejected, from: []State{Review}, to: Draft, verb: access.KBPublish, field: "reason", fieldLabel: "退回原因", required: true,
		done: "已退回编写人修改。"},
	{name: "revise", label: "修订", event: EventRevised, from: []State{Published, Offline, Review}, to: Draft, verb: access.KBEdit,
		help: "进入修订后可以编辑；新内容发布之前，已发布的内容继续提供。", done: "已进入修订，可以编辑。"},
	{name: "offline", label: "下线", event: EventOffline, from: []State{Published, Draft, Review}, to: Offline, verb: access.KBPublish, field: "reason", fieldLabel: "下线原因", required: true, danger: true,
		help: "下线后不再被检索和引用，已引用的工单仍可查看。", done: "已下线，不再被检索和引用。"},
}

func stepOf(name string) (step, bool) {
	i := slices.IndexFunc(steps, func(s step) bool { return s.name == name })
	if i < 0 {
		return step{}, false
	}
	return steps[i], true
}

// Done is what a step answers.
type Done struct {
	Article *Article
	Message string
}

// Submit hands a draft in for review (提交审核).
func (s *Service) Submit(ctx context.Context, actor access.Actor, id, version int64, note string) (Done, error) {
	return s.Do(ctx, actor, id, version, "submit", note)
}

// Publish makes the reviewed text the one that is offered (发布). Its publisher
// neither wrote nor submitted it.
func (s *Service) Publish(ctx context.Context, actor access.Actor, id, version int64, note string) (Done, error) {
	return s.Do(ctx, actor, id, version, "publish", note)
}

// Reject gives a submitted text back to its writer (退回修改).
func (s *Service) Reject(ctx context.Context, actor access.Actor, id, version int64, reason string) (Done, error) {
	return s.Do(ctx, actor, id, version, "reject", reason)
}

// Offline takes an article out of use (下线).
func (s *Service) Offline(ctx context.Context, actor access.Actor, id, version int64, reason string) (Done, error) {
	return s.Do(ctx, actor, id, version, "offline", reason)
}

// Revise opens an article for editing (修订); what is published stays in use.
func (s *Service) Revise(ctx context.Context, actor access.Actor, id, version int64) (Done, error) {
	return s.Do(ctx, actor, id, version, "revise", "")
}

// Do takes a step by its name. Errors: knowledge_action_unknown, those of Save,
// knowledge_two_persons, knowledge_expired.
func (s *Service) Do(ctx context.Context, actor access.Actor, id, version int64, name, note string) (d Done, err error) {
	err = s.DB.Update(ctx, func(tx *db.Tx) (err error) {
		d, err = s.DoTx(tx, actor, id, version, name, note)
		return err
	})
	return d, err
}

// DoTx is Do in the caller's transaction.
func (s *Service) DoTx(tx *db.Tx, actor access.Actor, id, version int64, name, note string) (Done, error) {
	st, ok := stepOf(name)
	if !ok {
		return Done{}, fault.NotFound("knowledge_action_unknown", "没有这个操作。")
	}
	if !actor.May(st.verb) {
		return Done{}, fault.Forbidden("role_forbidden", "您的岗位不能进行“%s”。", st.label)
	}
	a, err := s.open(tx, actor, id, version)
	if err != nil {
		return Done{}, err
	}
	if !slices.Contains(st.from, a.State) {
		return Done{}, fault.Conflict("knowledge_state", "这条知识目前是“%s”，不能%s。", a.StateOn(tx.Now()).Label(), st.label).With(s.moved(tx, a, version))
	}
	if note, err = st.note(note); err != nil {
		return Done{}, err
	}
	if st.name == "publish" {
		if err := s.mayPublish(tx, actor, a); err != nil {
			return Done{}, err
		}
	}
	was := a.Version
	a.Version++
	a.State, a.Updated = st.to, tx.NowMS()
	switch st.name {
	case "submit":
		a.Submitter = actor.Account
	case "publish":
		a.Live = a.No
		if err := a.release(tx, false, actor.Account, actor.Name, note); err != nil {
			return Done{}, err
		}
		if _, err := tx.Exec(`UPDATE knowledge_feedback SET done_at = $2 WHERE article = $1 AND done_at = 0`, a.ID, tx.NowMS()); err != nil {
			return Done{}, err
		}
	case "offline":
		if a.Live != 0 {
			if err := a.release(tx, true, actor.Account, actor.Name, note); err != nil {
				return Done{}, err
			}
		}
		a.Live = 0
	}
	if err := a.update(tx, was); err != nil {
		return Done{}, err
	}
	return Done{a, st.done}, s.tell(tx, actor, a, st.event, nil)
}

// note judges the input of a step.
func (st step) note(text string) (string, error) {
	text = oneLine(text)
	var why string
	switch n := zh.Len(text); {
	case st.required && n < 2:
		why = "请填写" + st.fieldLabel + "，至少2个字。"
	case n > maxNote:
		why = fmtf("最多%d个字，现在%d个字。", maxNote, n)
	default:
		return text, nil
	}
	name := st.field
	if name == "" {
		name = "note"
	}
	return "", fault.Invalid("knowledge_note_invalid", "%s", why).At(fault.Field{Name: name, Detail: why})
}

// mayPublish holds the publication to two persons and to a text that is right
// today.
func (s *Service) mayPublish(tx *db.Tx, actor access.Actor, a *Article) error {
	own, err := s.wrote(tx, actor, a)
	if err != nil {
		return err
	}
	if own {
		return fault.Forbidden("knowledge_two_persons", "编写人和提交人不能发布自己的内容，请由另一位知识管理员审核发布。")
	}
	if a.ValidTo != 0 && a.ValidTo < day(tx.Now()) {
		return fault.Conflict("knowledge_expired", "这条知识已过有效期，请退回修改失效日期后再发布。")
	}
	return a.check(s.Org.Tree())
}

// wrote tells whether the actor wrote any text since the last publication, or
// submitted this one.
func (s *Service) wrote(tx *db.Tx, actor access.Actor, a *Article) (bool, error) {
	if actor.System {
		return false, nil
	}
	if a.Submitter == actor.Account || a.Author == actor.Account && a.No != a.Live {
		return true, nil
	}
	n, err := db.Int(tx, `SELECT count(*) FROM knowledge_version WHERE article = $1 AND no > $2 AND actor = $3`, a.ID, a.Live, actor.Account)
	return n > 0, err
}

// Offers lists the steps that the actor may take now, in the form of a
// ticket's actions.
func (s *Service) Offers(ctx context.Context, actor access.Actor, a *Article) ([]ticket.Offer, error) {
	out := []ticket.Offer{}
	if !s.mayEdit(actor, a) {
		return out, nil
	}
	var own bool
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		own, err = s.wrote(tx, actor, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, st := range steps {
		if !actor.May(st.verb) || !slices.Contains(st.from, a.State) || st.name == "publish" && (own || a.StateOn(s.DB.Clock().Now()) == Expired) {
			continue
		}
		if st.name == "offline" && a.State != Published && a.Live == 0 {
			st.label, st.help, st.fieldLabel = "作废", "作废后归入已下线，可以通过修订恢复。", "作废原因"
		}
		o := ticket.Offer{Name: st.name, Label: st.label, Primary: st.primary, Danger: st.danger, Help: st.help, Fields: []ticket.OfferField{}}
		if st.field != "" {
			f := ticket.OfferField{Name: st.field, Label: st.fieldLabel, Type: "textarea", Required: st.required, Max: maxNote}
			if st.required {
				f.Min = 2
			}
			o.Fields = append(o.Fields, f)
		}
		out = append(out, o)
	}
	return out, nil
}
