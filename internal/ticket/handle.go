package ticket

import (
	"hotline/internal/fault"
)

// doSign (签收) makes the actor the handler of the node.
func doSign(w *work) error {
	w.a.Handler, w.a.Signed, w.a.dirty = w.actor.Account, w.now, true
	for _, c := range w.t.Clocks {
		if c.Kind == ClockSign && c.Assignment == w.a.ID {
			w.data["ontime"] = flag(w.now <= c.Due)
		}
	}
	w.msg = "已签收。"
	return nil
}

// doContact (先行联系) records a contact with the 诉求人; a 热线中转 becomes a task.
func doContact(w *work) error {
	way, result := w.in.Str("way"), w.in.Str("contact_result")
	w.a.Contacts++
	if w.a.Contacted == 0 {
		w.a.Contacted = w.now
		w.data["first_contact"] = 1
	}
	w.a.dirty = true
	w.data["way"], w.data["result"] = way, result
	if way == "relay" {
		w.t.Detail.Relays = append(w.t.Detail.Relays, Relay{Assignment: w.a.ID, At: w.now})
		w.say("relay_out", w.in.Str("contact_note"))
		w.data["notice"] = "relay"
		w.msg = "已转热线中转，诉求人会在进度页看到，回访席也会联系。"
		return nil
	}
	w.say("contact", w.in.Str("contact_note"))
	w.msg = "联系情况已记录。"
	return nil
}

// doRelay carries the citizen's answer back to the unit.
func doRelay(w *work) error {
	for i := range w.t.Detail.Relays {
		if w.t.Detail.Relays[i].Done == 0 {
			w.t.Detail.Relays[i].Done = w.now
		}
	}
	w.say("relay_in", w.in.Str("text"))
	w.msg = "已转达承办单位。"
	return nil
}

// request files an application that the delegating node decides.
func (w *work) request(kind, reason string, days int, suggested int64) {
	r := &Request{ID: w.tx.NewID(), Ticket: w.t.ID, Assignment: w.a.ID, Kind: kind, State: "pending", Reason: reason, Days: days, Suggested: suggested,
		By: w.actor.Account, At: w.now, fresh: true}
	w.t.Requests = append(w.t.Requests, r)
	w.data["request"] = kind
	if reason != "" {
		w.data["reason"] = reason
	}
}

func (w *work) decide(r *Request) (approved bool) {
	approved = w.in.Str("decision") == "pass"
	r.State = "denied"
	if approved {
		r.State = "approved"
	}
	r.Decider, r.DecidedAt, r.dirty = w.actor.Account, w.now, true
	w.say("opinion", w.in.Str("opinion"))
	w.data["decision"] = w.in.Str("decision")
	return approved
}

func guardNoPending(w *work) error {
	if w.t.pending(w.a.ID, "") != nil {
		return fault.Conflict("request_pending", "已有申请在审核中，请等待审核结果。")
	}
	return nil
}

func errNoRequest() error { return fault.Conflict("no_request", "没有待审核的申请。") }

func guardPending(kind string) guard {
	return func(w *work) error {
		if w.t.pending(w.a.ID, kind) == nil {
			return errNoRequest()
		}
		return nil
	}
}

// guardNotSelf: whoever asked does not decide.
func guardNotSelf(w *work) error {
	for _, r := range w.t.Requests {
		if r.Assignment == w.a.ID && r.State == "pending" && r.By == w.actor.Account {
			return fault.Forbidden("not_your_own", "不能审核本人提交的申请。")
		}
	}
	return nil
}

func guardNoOpenChildren(w *work) error {
	for _, c := range w.t.children(w.a) {
		if c.Alive() {
			return fault.Conflict("children_open", "下派的单位仍在办理，不能这样操作。")
		}
	}
	return nil
}
