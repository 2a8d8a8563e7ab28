package ticket

import (
	"fmt"
	"slices"
	"strconv"

	"hotline/internal/access"
	"hotline/internal/fault"
)

// Offer is one action that an actor may take now, with the inputs it needs.
// The console renders offers and nothing else, so it never shows a button
// that the server would refuse for role, relation or state.
type Offer struct {
	Name       string       `json:"name"`
	Label      string       `json:"label"`
	Assignment int64        `json:"assignment,string,omitempty"`
	Unit       string       `json:"unit_name,omitempty"`
	Primary    bool         `json:"primary"`
	Danger     bool         `json:"danger"`
	Help       string       `json:"help,omitempty"`
	Fields     []OfferField `json:"fields"`
}

// Bar is one action that is the actor's own and that a rule forbids him now; the
// console shows it grey, with the rule.
type Bar struct {
	Label string `json:"label"`
	Why   string `json:"why"`
}

// OfferField is one input of an offered action.
type OfferField struct {
	Name     string       `json:"name"`
	Label    string       `json:"label"`
	Type     string       `json:"type"`
	Required bool         `json:"required"`
	Options  []OfferValue `json:"options,omitempty"`
	Default  any          `json:"default,omitempty"`
	Hint     string       `json:"hint,omitempty"`
	Min      int          `json:"min,omitempty"`
	Max      int          `json:"max,omitempty"`
	ShowIf   *ShowIf      `json:"show_if,omitempty"`
}

// OfferValue is one choice of an input.
type OfferValue struct {
	Value string `json:"value"`
	Label string `json:"label"`
	Hint  string `json:"hint,omitempty"`
}

// standing guards need no inputs: an offer that they refuse is not made.
var inputless = map[string]bool{
	"not_dispatched": true, "main_only": true, "return_in_time": true, "return_once": true, "no_open_children": true, "not_self": true, "before_due": true,
	"no_pending": true, "pending_extension": true, "pending_suspension": true, "reviewer_apart": true, "not_handling_org": true, "evaluate_window": true,
	"no_exempt": true, "exempt_proposed_by_other": true, "extend_limit": true,
}

// told are the standing guards whose refusal is told: somebody would look for
// the action that they take away.
var told = map[string]bool{"return_in_time": true, "return_once": true, "before_due": true, "extend_limit": true, "no_pending": true, "not_self": true,
	"reviewer_apart": true, "exempt_proposed_by_other": true, "no_open_children": true, "not_handling_org": true}

// Offers lists what the actor may do with a loaded ticket now, and what of the
// rest a rule takes from him. None of the standing guards asks the database: the
// aggregate tells all.
func (s *Service) Offers(t *Ticket, actor access.Actor) (out []Offer, barred []Bar) {
	rules := s.rulesOf(t)
	out, barred = []Offer{}, []Bar{}
	now := s.DB.Clock().Now().UnixMilli()
	w := &work{s: s, actor: actor, tree: s.Org.Tree(), rules: rules, t: t, now: now, in: Input{}, data: map[string]any{}}
	try := func(e *Edge, a *Assignment) {
		g, err := w.refused(e, a)
		switch {
		case err == nil && w.makesSense(e, a):
			out = append(out, w.offer(e, a))
		case err != nil && told[g] && !fault.Is(err, "no_request"):
			if b := (Bar{e.Label, fault.As(err).Detail}); !slices.Contains(barred, b) {
				barred = append(barred, b)
			}
		}
	}
	for i := range rules.Edges {
		e := &rules.Edges[i]
		if e.Hidden || e.Action == "supervise" && actor.Role != access.Supervisor && actor.Role != access.Province {
			continue
		}
		if e.On == "" {
			if w.may(e, nil) && rules.Find(e.Action, "", t.Status) == e {
				try(e, nil)
			}
			continue
		}
		if Final(t.Status) || t.Status == ToCallback || t.Status == ToRecheck {
			continue
		}
		for _, a := range t.Assignments {
			if a.Leg == t.Leg && w.may(e, a) && rules.Find(e.Action, e.On, a.State) == e {
				try(e, a)
			}
		}
	}
	return out, barred
}

// refused runs the guards that need no inputs: the first that refuses, and why.
func (w *work) refused(e *Edge, a *Assignment) (guard string, err error) {
	w.a, w.edge = a, e
	for _, g := range e.Guards {
		if inputless[g] {
			if err := guards[g](w); err != nil {
				return g, err
			}
		}
	}
	return "", nil
}

// makesSense tells whether the ticket has what the action is about.
func (w *work) makesSense(e *Edge, a *Assignment) bool {
	switch e.Action {
	case "split":
		return len(w.t.Detail.Points) > 1
	case "assist":
		return a.Role == RoleMain
	case "escalate":
		return len(w.tree.Ancestors(w.t.Platform)) > 0
	case "relay":
		if w.actor.Citizen {
			return true
		}
		for _, r := range w.t.Detail.Relays {
			if r.Done == 0 {
				return true
			}
		}
		return false
	case "delegate":
		return len(w.tree.Children(a.Unit)) > 0
	}
	return true
}

func (w *work) offer(e *Edge, a *Assignment) Offer {
	o := Offer{Name: e.Action, Label: e.Label, Primary: e.Primary, Danger: e.Danger, Fields: make([]OfferField, 0, len(e.Fields))}
	if a != nil {
		o.Assignment, o.Unit = a.ID, w.tree.Name(a.Unit)
	}
	o.Help = w.asked(e, a)
	for _, ref := range e.Fields {
		name, required := Required(ref)
		if name == "consult_units" {
			if w.t.Dispute != "consult" {
				continue
			}
			required = true
		}
		spec := w.rules.Fields[name]
		f := OfferField{Name: name, Label: spec.Label, Type: spec.Type, Required: required, Hint: spec.Hint, Min: spec.Min, Max: spec.Max, ShowIf: spec.ShowIf}
		f.Options = w.rules.choices[spec.Options]
		f.Default = w.defaultOf(e, name, a)
		if spec.Type == "points" {
			f.Options = nil
			for _, p := range w.t.Detail.Points {
				if p.State == "open" {
					f.Options = append(f.Options, OfferValue{Value: strconv.Itoa(p.No), Label: p.Text})
				}
			}
			if len(f.Options) == 0 {
				continue
			}
		}
		o.Fields = append(o.Fields, f)
	}
	return o
}

// asked tells whoever decides an application (退单、延期、挂起、免评、降密) what was
// asked for; the applicant's own words stand in the record of the flow. Empty
// for other acts.
func (w *work) asked(e *Edge, a *Assignment) string {
	if r := w.t.Detail.Relabel; e.Action == "relabel" && r != nil {
		to := w.choice("label", r.To)
		if r.By == w.actor.Account {
			return fmt.Sprintf("您已申请把密级降为“%s”，须由另一人复核后生效，现在等待他人同意。", to)
		}
		return fmt.Sprintf("已有人申请把密级降为“%s”，理由见“流转”。您也选“%s”即为同意，随即生效。", to, to)
	}
	if x := w.t.Detail.Exempt; e.Action == "decide-exempt" && x != nil {
		return fmt.Sprintf("申请免评的理由：%s。依据和说明见“流转”。", w.choice("exempt_reason", x.Reason))
	}
	if a == nil {
		return ""
	}
	kind := decides[e.Action]
	r := w.t.pending(a.ID, kind)
	if kind == "" || r == nil {
		return ""
	}
	switch kind {
	case ReqExtension:
		return fmt.Sprintf("%s申请延长%d个工作日，理由见“流转”。", w.tree.Name(a.Unit), r.Days)
	case ReqSuspension:
		return fmt.Sprintf("%s申请挂起最长%d个自然日，原因：%s。理由见“流转”。", w.tree.Name(a.Unit), r.Days, w.choice("suspend_reason", r.Reason))
	}
	return fmt.Sprintf("%s申请退单，原因：%s；建议承办单位：%s。依据见“流转”。", w.tree.Name(a.Unit), w.choice("return_reason", r.Reason), w.tree.Name(r.Suggested))
}

// choice is the Chinese word of one value of a list of choices.
func (w *work) choice(options, value string) string {
	for _, v := range w.rules.choices[options] {
		if v.Value == value {
			return v.Label
		}
	}
	return value
}

// defaultOf prefills what is already known.
func (w *work) defaultOf(e *Edge, name string, a *Assignment) any {
	t := w.t
	switch name {
	case "unit":
		if e.Action == "dispatch" && t.Detail.Suggestion != nil && t.Detail.Suggestion.Unit != 0 {
			return strconv.FormatInt(t.Detail.Suggestion.Unit, 10)
		}
	case "redispatch":
		if r := t.pending(a.ID, ReqReturn); r != nil && r.Suggested != 0 && !t.returnedBy(r.Suggested) {
			return strconv.FormatInt(r.Suggested, 10)
		}
	case "type":
		return t.Type
	case "category":
		return t.Category
	case "region":
		return t.Region
	case "urgency":
		return t.Urgency
	case "nature":
		return t.Nature
	case "way":
		if t.Secrecy != SecrecyNormal && t.Secrecy != SecrecyAccused || t.Label != access.Normal {
			return "relay"
		}
		return "phone"
	case "contact_result":
		return "reached"
	case "decision", "review_decision", "close_decision":
		return "pass"
	case "days":
		return 5
	case "supervise_level":
		return "order"
	case "outcome":
		return "reached"
	}
	return nil
}
