package ticket

import (
	"fmt"

	"hotline/internal/access"
	"hotline/internal/calendar"
	"hotline/internal/fault"
	"hotline/internal/zh"
)

// doAccept (受理) takes a request in and fixes what the seat corrected.
func doAccept(w *work) error {
	if _, err := w.classify(); err != nil {
		return err
	}
	if u := w.in.Str("urgency"); u != "" {
		w.t.Urgency = u
	}
	w.say("note", w.in.Str("note"))
	w.msg = "已受理，转入待派单。"
	return nil
}

// classify applies type, category and region; it reports what changed.
func (w *work) classify() (changed []string, err error) {
	t := w.t
	if ty := w.in.Str("type"); ty != "" && ty != t.Type {
		w.data["type_was"] = t.Type
		t.Type = ty
		changed = append(changed, "type")
		if ty == "举报" && t.Label == access.Normal {
			if err := w.setLabel(access.Informant); err != nil {
				return nil, err
			}
		}
	}
	if c := w.in.Str("category"); c != "" && c != t.Category {
		cat, ok := w.s.categories(t.Platform, t.AcceptedAt()).Get(c)
		if !ok || cat.Level < 2 {
			return nil, fault.Invalid("category_unknown", "事项分类不存在，请选到二级或三级。").At(fault.Field{Name: "category", Detail: "请重新选择。"})
		}
		w.data["category_was"] = t.Category
		t.Category = c
		if t.Nature == "普通" && cat.Nature != "" {
			t.Nature = cat.Nature
		}
		changed = append(changed, "category")
	}
	if r := w.in.Str("region"); r != "" && r != t.Region {
		w.data["region_was"] = t.Region
		t.Region = r
		changed = append(changed, "region")
		var keep []string
		for _, f := range t.Detail.Flags {
			if f != FlagPlace {
				keep = append(keep, f)
			}
		}
		t.Detail.Flags = keep
	}
	if w.data["category_was"] != nil || w.data["region_was"] != nil { // what was proposed for another matter or place no longer holds
		t.Detail.Suggestion = nil
		if w.s.Propose != nil {
			if sug := w.s.Propose(t.Platform, t.Category, t.Region, t.AcceptedAt()); sug != nil {
				sug.At = w.now
				t.Detail.Suggestion = sug
			}
		}
	}
	return changed, nil
}

// FlagPlace marks a request whose place is not known yet.
const FlagPlace = "地址待核"

// doAnswer (直接答复) ends a request at the desk with an answer from knowledge.
func doAnswer(w *work) error {
	w.answered(w.in.Str("answer_text"), w.in.Int("knowledge"))
	w.msg = "已直接答复并办结。"
	return nil
}

// doSendback (退回补正) returns an incomplete request to the seat; it is no 退单.
func doSendback(w *work) error {
	w.say("fix", w.in.Str("fix"))
	w.msg = "已退回座席补正。"
	return nil
}

func doTransfer(w *work) error {
	w.t.Detail.Line = w.in.Str("line")
	w.say("note", w.in.Str("note"))
	w.msg = "已登记转接" + w.in.Str("line") + "。"
	return nil
}

// doRedirect (引导) tells the statutory channel instead of refusing.
func doRedirect(w *work) error {
	w.t.Detail.Redirect = w.in.Str("redirect_kind")
	w.data["redirect"] = w.t.Detail.Redirect
	w.say("outcome", w.in.Str("text"))
	w.msg = "已告知法定途径。"
	return nil
}

func doInvalidate(w *work) error {
	w.t.Detail.InvalidWhy = w.in.Str("invalid_reason")
	w.data["invalid"] = w.t.Detail.InvalidWhy
	w.say("reason", w.in.Str("reason"))
	w.msg = "已作无效处理。"
	return nil
}

func doRelease(w *work) error {
	if err := w.setLabel(access.Normal); err != nil {
		return err
	}
	w.say("reason", w.in.Str("reason"))
	w.msg = "已解除隔离，转待受理。"
	return nil
}

// doReclassify (改类) changes type, category or place; the old values stay in the event.
func doReclassify(w *work) error {
	changed, err := w.classify()
	if err != nil {
		return err
	}
	w.data["changed"] = changed
	w.say("reason", w.in.Str("reason"))
	w.msg = "已改类。"
	return nil
}

func guardSomethingChanges(w *work) error {
	t := w.t
	for name, old := range map[string]string{"type": t.Type, "category": t.Category, "region": t.Region} {
		if v := w.in.Str(name); v != "" && v != old {
			return nil
		}
	}
	return fault.Invalid("nothing_changed", "诉求类型、事项分类和事发地都没有变化。")
}

// setLabel changes the 密级; the blind index of the phone moves with it.
func (w *work) setLabel(l access.Label) error {
	t := w.t
	w.data["label_was"], w.data["label"] = string(t.Label), string(l)
	sealedBefore, sealedAfter := t.Label == access.Informant, l == access.Informant
	t.Label = l
	if l == access.Informant && t.Secrecy != SecrecyAnonymous {
		t.Secrecy = SecrecyUnit
	}
	if sealedBefore == sealedAfter || t.PhoneBI == nil {
		return nil
	}
	r, err := w.s.openRequester(t)
	if err != nil {
		return err
	}
	phone, ok := zh.NormalizePhone(r.Phone)
	if !ok {
		return nil
	}
	t.PhoneBI = w.s.PhoneIndex(l, phone)
	_, err = w.tx.Exec(`UPDATE ticket SET phone_bi = $1 WHERE id = $2`, t.PhoneBI, t.ID)
	return err
}

var labelRank = map[access.Label]int{access.Normal: 0, access.Confidential: 1, access.Informant: 2, access.Quarantine: 3}

// guardRelabel: anybody allowed may raise the 密级; lowering it takes a second person.
func guardRelabel(w *work) error {
	to := access.Label(w.in.Str("label"))
	if to == w.t.Label {
		return fault.Invalid("nothing_changed", "密级没有变化。")
	}
	req := w.t.Detail.Relabel
	if labelRank[to] < labelRank[w.t.Label] && req != nil && req.To == string(to) && req.By == w.actor.Account {
		return fault.Forbidden("second_person_needed", "降低密级须由另一人复核，您已提出申请，请等待他人同意。")
	}
	return nil
}

func doRelabel(w *work) error {
	to := access.Label(w.in.Str("label"))
	w.say("reason", w.in.Str("reason"))
	req := w.t.Detail.Relabel
	if labelRank[to] > labelRank[w.t.Label] {
		w.t.Detail.Relabel = nil
		if to == access.Quarantine && !Final(w.t.Status) && w.t.Dispatched == 0 {
			w.t.Status = Quarantined
			w.stopClock("*", 0)
		}
		w.msg = "密级已提高。"
		return w.setLabel(to)
	}
	if req != nil && req.To == string(to) && req.By != w.actor.Account {
		w.t.Detail.Relabel = nil
		w.msg = "经两人同意，密级已降低。"
		return w.setLabel(to)
	}
	w.t.Detail.Relabel = &RelabelRequest{To: string(to), By: w.actor.Account, At: w.now}
	w.data["proposed"] = string(to)
	w.msg = "已提出降低密级，须由另一人复核后生效。"
	return nil
}

// doUrge (催办) counts and tells whoever holds the ticket; it changes no state.
func doUrge(w *work) error {
	w.t.Urges++
	w.data["n"] = w.t.Urges
	w.say("urge", w.in.Str("note"))
	w.msg = fmt.Sprintf("已催办，这是第%d次。", w.t.Urges)
	return nil
}

// doSupervise (督办) marks the ticket; the order itself lives in supervise.
func doSupervise(w *work) error {
	w.t.Watch++
	w.data["level"] = w.in.Str("supervise_level")
	w.say("supervise", w.in.Str("reason"))
	w.msg = "已" + w.rules.OptionWord("supervise_level", w.in.Str("supervise_level")) + "。"
	return nil
}

func doNote(w *work) error {
	w.say("note", w.in.Str("text"))
	w.msg = "已记录。"
	return w.attach(w.in.Ints("files"))
}

// doSupplement (补充材料) adds what the citizen says later.
func doSupplement(w *work) error {
	w.say("supplement", w.in.Str("text"))
	w.msg = "补充材料已收到，承办单位可以看到。"
	return w.attach(w.in.Ints("files"))
}

// doWithdraw (撤回) ends the ticket at the citizen's wish.
func doWithdraw(w *work) error {
	w.say("reason", w.in.Str("reason"))
	w.revokeAll()
	w.msg = "已撤回。"
	return nil
}

// revokeAll ends every live node, as when the ticket is withdrawn or taken over.
func (w *work) revokeAll() {
	for _, a := range w.t.Open() {
		a.move(Revoked)
		w.stopClock("*", a.ID)
	}
	for _, r := range w.t.Requests {
		if r.State == "pending" {
			r.State, r.Decider, r.DecidedAt, r.dirty = "void", w.actor.Account, w.now, true
		}
	}
}

// doDeadline fires one stage of one clock; the stage is written with the
// event, so it fires once however often the sweep runs.
func doDeadline(w *work) error {
	for _, c := range w.t.Clocks {
		if c.ID != w.act.Clock {
			continue
		}
		if c.NextAt == 0 || c.NextAt > w.now {
			break
		}
		stage := c.nextStage()
		c.Stage = stage
		c.schedule()
		w.data["clock"], w.data["kind"], w.data["stage"], w.data["cu"], w.data["due"] = c.ID, c.Kind, stage, c.Unit, c.Due
		if c.Assignment != 0 {
			w.a = w.t.Assignment(c.Assignment)
		}
		if stage == 100 && c.Kind == ClockSuspended && w.a != nil && w.a.State == Suspended {
			c.Stopped = w.now
			c.schedule()
			w.a.move(InHand)
			return w.resume("cap")
		}
		return nil
	}
	return fault.Conflict("not_due", "时限未到或已处理。")
}

// guardRelayOnly: where the unit may not know the caller, contact goes through the hotline.
func guardRelayOnly(w *work) error {
	hidden := w.t.Secrecy == SecrecyUnit || w.t.Secrecy == SecrecyAnonymous || w.t.Label != access.Normal
	if hidden && w.in.Str("way") != "relay" && w.actor.Unit != w.t.Platform {
		return fault.Invalid("relay_only", "诉求人身份对承办单位隐藏，只能通过热线中转联系。").At(fault.Field{Name: "way", Detail: "请选择热线中转。"})
	}
	return nil
}

func unitLine(w *work, id int64) string {
	u, _ := w.tree.Get(id)
	return u.Name
}

func dueText(now, due int64) string { return calendar.Display(timeOf(now), timeOf(due)) }
