package ticket

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed rules.json
var defaultRules []byte

// DefaultRules is the embedded rule table (流转规则) that is in force until a
// platform publishes its own version.
func DefaultRules() []byte { return defaultRules }

// Rules is one version of the rule table: action × state × who × guards →
// next state, with the fields, clock effects and notice of each edge. The
// server, the console, the documentation and the property tests all read it.
type Rules struct {
	Version  string               `json:"version"`
	Statuses []Term               `json:"statuses"`
	States   []Term               `json:"states"`
	Options  map[string][]Term    `json:"options"`
	Fields   map[string]FieldSpec `json:"fields"`
	Edges    []Edge               `json:"edges"`
	byAction map[string][]int     // edge indexes
	statusZh map[string]string
	stateZh  map[string]string
	choices  map[string][]OfferValue // Options as offers show them; nobody changes them
}

// Term is a code with its Chinese word.
type Term [2]string

// Code is the stored form.
func (t Term) Code() string { return t[0] }

// Word is what people read.
func (t Term) Word() string { return t[1] }

// FieldSpec describes one input of an action; the console renders it and the
// server validates by it.
type FieldSpec struct {
	Label   string  `json:"label"`
	Type    string  `json:"type"`
	Options string  `json:"options,omitempty"` // key of Rules.Options
	Hint    string  `json:"hint,omitempty"`
	Min     int     `json:"min,omitempty"` // characters, or the number itself
	Max     int     `json:"max,omitempty"`
	ShowIf  *ShowIf `json:"show_if,omitempty"`
}

// ShowIf hides a field until another field has one of the values.
type ShowIf struct {
	Field  string   `json:"field"`
	Values []string `json:"values"`
}

// Edge is one permitted step.
type Edge struct {
	Action  string   `json:"action"`
	Label   string   `json:"label"`
	On      string   `json:"on,omitempty"` // "" the ticket, "assignment" one node of the tree
	From    []string `json:"from"`         // ticket statuses or assignment states; "*" any
	To      string   `json:"to"`           // "" stays, or is decided by the action
	Who     []string `json:"who"`          // role codes
	At      []string `json:"at"`           // relation of the actor: owner holder authority above citizen system
	Guards  []string `json:"guards,omitempty"`
	Fields  []string `json:"fields,omitempty"` // names; "!" marks required
	Clocks  []string `json:"clocks,omitempty"` // "start 签收 办理", "stop 派单", "stop *", "freeze *", "restore", "resume"
	Notice  string   `json:"notice,omitempty"`
	Counted bool     `json:"counted,omitempty"` // moves a measure
	Free    bool     `json:"free,omitempty"`    // needs no If-Match
	Primary bool     `json:"primary,omitempty"`
	Danger  bool     `json:"danger,omitempty"`
	Hidden  bool     `json:"hidden,omitempty"`
}

// Required splits a field reference of an edge into name and duty.
func Required(ref string) (name string, required bool) {
	return strings.TrimSuffix(ref, "!"), strings.HasSuffix(ref, "!")
}

// ParseRules reads a rule table and refuses one that names an unknown state,
// role, guard, field or option list, or that lacks an action of the default.
func ParseRules(doc []byte) (*Rules, error) {
	r := &Rules{}
	if err := json.Unmarshal(doc, r); err != nil {
		return nil, fmt.Errorf("rule table: %w", err)
	}
	r.byAction, r.choices = map[string][]int{}, map[string][]OfferValue{}
	for name, list := range r.Options {
		for _, t := range list {
			r.choices[name] = append(r.choices[name], OfferValue{Value: t[0], Label: t[1]})
		}
	}
	r.statusZh, r.stateZh = map[string]string{}, map[string]string{}
	for _, t := range r.Statuses {
		r.statusZh[t[0]] = t[1]
	}
	for _, t := range r.States {
		r.stateZh[t[0]] = t[1]
	}
	for i, e := range r.Edges {
		known := r.statusZh
		if e.On == "assignment" {
			known = r.stateZh
		}
		for _, s := range append(slices.Clone(e.From), e.To) {
			if s != "" && s != "*" && known[s] == "" {
				return nil, fmt.Errorf("rule table: %s: unknown state %q", e.Action, s)
			}
		}
		for _, g := range e.Guards {
			if guards[g] == nil {
				return nil, fmt.Errorf("rule table: %s: unknown guard %q", e.Action, g)
			}
		}
		for _, ref := range e.Fields {
			name, _ := Required(ref)
			f, ok := r.Fields[name]
			if !ok {
				return nil, fmt.Errorf("rule table: %s: unknown field %q", e.Action, name)
			}
			if f.Options != "" && r.Options[f.Options] == nil {
				return nil, fmt.Errorf("rule table: field %s: unknown options %q", name, f.Options)
			}
		}
		if steps[e.Action] == nil {
			return nil, fmt.Errorf("rule table: unknown action %q", e.Action)
		}
		r.byAction[e.Action] = append(r.byAction[e.Action], i)
	}
	for name := range steps {
		if len(r.byAction[name]) == 0 {
			return nil, fmt.Errorf("rule table: action %q has no edge", name)
		}
	}
	return r, nil
}

// Find gives the edge by which action may leave state ("" when none).
func (r *Rules) Find(action, on, state string) *Edge {
	for _, i := range r.byAction[action] {
		e := &r.Edges[i]
		if e.On == on && (slices.Contains(e.From, state) || slices.Contains(e.From, "*")) {
			return e
		}
	}
	return nil
}

// Of gives every edge of an action.
func (r *Rules) Of(action string) []*Edge {
	var out []*Edge
	for _, i := range r.byAction[action] {
		out = append(out, &r.Edges[i])
	}
	return out
}

// StatusWord is the Chinese word of a ticket status.
func (r *Rules) StatusWord(code string) string { return r.statusZh[code] }

// StateWord is the Chinese word of an assignment state.
func (r *Rules) StateWord(code string) string { return r.stateZh[code] }

// OptionWord is the Chinese word of a code in an option list; the code itself when unknown.
func (r *Rules) OptionWord(list, code string) string {
	for _, t := range r.Options[list] {
		if t[0] == code {
			return t[1]
		}
	}
	return code
}
