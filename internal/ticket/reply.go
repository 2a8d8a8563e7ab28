package ticket

import (
	"strings"

	"hotline/internal/fault"
	"hotline/internal/zh"
)

// doReply (答复) hands the unit's result to its own leader.
func doReply(w *work) error {
	kind := "" // what a 协办 says is for the 主办, who alone answers the citizen
	if w.t.assisting(w.a) {
		kind = "assist_"
	}
	w.a.Reply = &Reply{Mode: w.in.Str("mode"), Solved: w.in.Str("solved"), Truth: w.in.Str("truth"), Beyond: w.in.Bool("beyond"),
		Text: w.say(kind+"reply", w.in.Str("reply_text")), Public: w.say(kind+"public", w.in.Str("public_text")),
		Forced: w.in.Str("force_reason") != "", By: w.actor.Account, Files: w.in.Ints("files")}
	w.say(kind+"unsolved", w.in.Str("unsolved_reason"))
	w.say("force", w.in.Str("force_reason"))
	w.say("legal", w.in.Str("legal"))
	for _, p := range w.in.Points("point_results") {
		for i := range w.t.Detail.Points {
			if q := &w.t.Detail.Points[i]; q.No == p.No && p.Result != "" {
				q.State, q.Unit = "answered", w.a.Unit
				q.Result, q.Said = zh.Redact(p.Result), w.say("point", p.Result)
			}
		}
	}
	if err := w.attach(w.a.Reply.Files); err != nil {
		return err
	}
	w.a.dirty = true
	w.s.startClock(w, ClockReview, w.a, w.now, 0)
	w.data["mode"], w.data["solved"], w.data["truth"] = w.a.Reply.Mode, w.a.Reply.Solved, w.a.Reply.Truth
	w.msg = "答复已提交本单位审核。"
	return nil
}

// assisting tells whether a node works for a 协办: it is one, or under one.
func (t *Ticket) assisting(a *Assignment) bool {
	for ; a != nil; a = t.Assignment(a.Parent) {
		if a.Role == RoleAssist {
			return true
		}
	}
	return false
}

// doReview (审核) passes a reply up one level or sends it back.
func doReview(w *work) error {
	w.say("opinion", w.in.Str("opinion"))
	w.data["decision"] = w.in.Str("review_decision")
	w.stopClock(ClockReview, w.a.ID)
	if w.in.Str("review_decision") == "reject" {
		if w.in.Str("opinion") == "" {
			return fault.Invalid("opinion_needed", "退回修改须写明意见。").At(fault.Field{Name: "opinion", Detail: "请写明需要修改的内容。"})
		}
		// A node whose reply came from below sends it back below.
		for _, c := range w.t.children(w.a) {
			if c.State == Replied && c.Role == RoleMain {
				c.move(InHand)
				c.RepliedAt = 0
				w.reopenClock(c)
				w.a.move(Delegated)
				w.msg = "已退回" + unitLine(w, c.Unit) + "修改。"
				return nil
			}
		}
		w.a.move(InHand)
		w.msg = "已退回经办人修改。"
		return nil
	}
	w.a.move(Replied)
	w.a.RepliedAt = w.now
	w.stopClock("*", w.a.ID)
	w.data["ontime"] = flag(w.a.Due == 0 || w.now <= w.a.Due)
	w.climb(w.a)
	return nil
}

// reopenClock lets the 办理 clock of a node run on after its reply was sent back.
func (w *work) reopenClock(a *Assignment) {
	for i := len(w.t.Clocks) - 1; i >= 0; i-- {
		if c := w.t.Clocks[i]; c.Assignment == a.ID && c.Kind == ClockHandle {
			c.Stopped = 0
			c.schedule()
			return
		}
	}
}

// climb takes a reply to the node above, or to 办结审核 when the 主办 directly
// under the platform has replied.
func (w *work) climb(a *Assignment) {
	if a.Role == RoleAssist {
		w.msg = "协办意见已反馈主办单位。"
		return
	}
	if p := w.t.Assignment(a.Parent); p != nil {
		reply := *a.Reply
		p.Reply = &reply
		p.move(ToReview)
		w.s.startClock(w, ClockReview, p, w.now, 0)
		w.msg = "审核通过，已上报" + unitLine(w, p.Unit) + "审核。"
		return
	}
	t := w.t
	t.Status = ToClose
	t.Detail.Unit = &UnitVerdict{Mode: a.Reply.Mode, Solved: a.Reply.Solved, Truth: a.Reply.Truth, Beyond: a.Reply.Beyond, At: w.now, By: a.Reply.By, Unit: a.Unit}
	w.s.startClock(w, ClockClose, nil, w.now, 0)
	w.msg = "审核通过，已报请办结。"
}

// guardAssists: the 主办 does not reply over an open 协办 without a reason that the reviewer weighs.
func guardAssists(w *work) error {
	if w.a.Role != RoleMain || w.in.Str("force_reason") != "" {
		return nil
	}
	for _, c := range w.t.assistsOf(w.a) {
		if c.Alive() {
			return fault.Conflict("assist_open", "%s尚未反馈协办意见；如须先行答复，请写明理由。", unitLine(w, c.Unit)).At(fault.Field{Name: "force_reason", Detail: "请写明理由，由审核人审定。"})
		}
	}
	return nil
}

// guardPoints: every 诉求点 has its own answer.
func guardPoints(w *work) error {
	if w.a.Role != RoleMain || w.in.Str("force_reason") != "" {
		return nil
	}
	given := map[int]bool{}
	for _, p := range w.in.Points("point_results") {
		given[p.No] = strings.TrimSpace(p.Result) != ""
	}
	for _, p := range w.t.Detail.Points {
		if p.State == "open" && !given[p.No] {
			return fault.Conflict("point_open", "第%d个诉求点还没有答复；如确不能答复，请写明理由。", p.No).At(fault.Field{Name: "point_results", Detail: "请逐项答复。"})
		}
	}
	return nil
}

// guardContacted: 先行联系 at least once, or a 办结 mode that explains why not.
func guardContacted(w *work) error {
	if w.a.Role != RoleMain || w.a.Contacts > 0 || w.t.Secrecy == SecrecyAnonymous || w.t.MaskPhone == "" {
		return nil
	}
	switch w.in.Str("mode") {
	case "unreachable":
		return fault.Conflict("contact_needed", "以“无法联系”办结，须先记录联系情况。")
	}
	if w.in.Str("force_reason") != "" {
		return nil
	}
	return fault.Conflict("contact_needed", "答复前至少联系诉求人一次，请先“记录联系”；确未联系的请写明理由。").At(fault.Field{Name: "force_reason", Detail: "请写明未联系的理由。"})
}

// guardLawCited: a refusal cites its article; "unreachable" needs three tries.
func guardLawCited(w *work) error {
	switch w.in.Str("mode") {
	case "unlawful", "case":
		if w.in.Str("legal") == "" {
			return fault.Invalid("legal_basis_needed", "这种办结方式须引用法律条款。").At(fault.Field{Name: "legal", Detail: "请写明法律依据。"})
		}
	case "unreachable":
		if w.a.Contacts < 3 {
			return fault.Conflict("three_tries_needed", "以“无法联系”办结，须在不同时段联系3次以上，目前记录%d次。", w.a.Contacts)
		}
	}
	return nil
}

// guardReviewerApart: nobody reviews a reply of his own.
func guardReviewerApart(w *work) error {
	if w.a.Reply != nil && w.a.Reply.By == w.actor.Account && !w.actor.System {
		return fault.Forbidden("not_your_own", "不能审核本人的答复。")
	}
	return nil
}
