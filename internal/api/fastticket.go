package api

import (
	"encoding/json"
	"strconv"

	"hotline/internal/ticket"
)

// AppendJSON serves quickFormats: a ticket has some 600 members, most of them
// those of its offered actions. What few tickets have is left to encoding/json.
func (t TicketOut) AppendJSON(b []byte) []byte {
	o := members{b: b}
	o.id("id", t.ID)
	o.text("number", t.Number)
	o.text("spoken", t.Spoken)
	o.int("version", t.Version)
	o.text("status", t.Status)
	o.text("status_label", t.StatusLabel)
	o.text("type", t.Type)
	o.text("title", t.Title)
	o.text("content", t.Content)
	o.bool("content_masked", t.ContentMasked)
	in := o.open("category")
	in.text("code", t.Category.Code)
	in.text("name", t.Category.Name)
	in.text("path", t.Category.Path)
	o.close(in)
	in = o.open("region")
	in.text("code", t.Region.Code)
	in.text("name", t.Region.Name)
	o.close(in)
	o.text("address", t.Address)
	o.text("object", t.Object)
	in = o.open("requester")
	in.text("kind", t.Requester.Kind)
	in.text("name", t.Requester.Name)
	in.text("phone", t.Requester.Phone)
	in.bool("hidden", t.Requester.Hidden)
	in.texts("revealable", t.Requester.Revealable)
	o.close(in)
	o.text("secrecy", t.Secrecy)
	o.text("secrecy_label", t.SecrecyLabel)
	o.text("label", t.Label)
	o.text("label_name", t.LabelName)
	o.text("urgency", t.Urgency)
	o.text("nature", t.Nature)
	o.text("channel", t.Channel)
	o.text("channel_label", t.ChannelLabel)
	o.text("line", t.Line)
	o.text("line_name", t.LineName)
	o.some("former", t.Former)
	o.some("reply_way", t.ReplyWay)
	each(&o, "points", t.Points, func(p *PointOut, in *members) {
		in.int("no", int64(p.No))
		in.text("text", p.Text)
		in.text("state", p.State)
		in.text("unit", p.Unit)
		in.text("result", p.Result)
	})
	o.unit("platform", &t.Platform)
	o.other("owner", t.Owner)
	o.text("accepted_at", t.AcceptedAt)
	o.text("dispatched_at", t.DispatchedAt)
	o.text("closed_at", t.ClosedAt)
	o.text("original_at", t.OriginalAt)
	o.text("occurred_at", t.OccurredAt)
	o.text("due", t.Due)
	o.text("due_text", t.DueText)
	o.text("light", t.Light)
	o.int("leg", int64(t.Leg))
	rare(&o, "legs", t.Legs)
	o.text("rules_version", t.RulesVersion)
	each(&o, "assignments", t.Assignments, (*AssignmentOut).members)
	each(&o, "clocks", t.Clocks, (*ClockOut).members)
	o.other("verdicts", t.Verdicts)
	rare(&o, "contacts", t.Contacts)
	rare(&o, "attachments", t.Attachments)
	rare(&o, "related", t.Related)
	rare(&o, "knowledge", t.Knowledge)
	o.suggestion("suggestion", t.Suggestion)
	o.other("dispatch", t.Dispatch)
	rare(&o, "supervision", t.Supervision)
	rare(&o, "callbacks", t.Callbacks)
	o.texts("flags", t.Flags)
	o.text("watermark", t.Watermark)
	each(&o, "actions", t.Actions, offerMembers)
	each(&o, "barred", t.Barred, func(b *ticket.Bar, in *members) {
		in.text("label", b.Label)
		in.text("why", b.Why)
	})
	if t.Demo {
		o.bool("demo", true)
	}
	if t.Autoplay {
		o.bool("autoplay", true)
	}
	return append(o.b, '}')
}

func (a *AssignmentOut) members(in *members) {
	in.id("id", a.ID)
	in.id("parent", a.Parent)
	in.int("leg", int64(a.Leg))
	in.int("depth", int64(a.Depth))
	in.unit("unit", &a.Unit)
	in.text("role", a.Role)
	in.text("state", a.State)
	in.text("state_label", a.StateLabel)
	in.text("created_at", a.CreatedAt)
	in.text("signed_at", a.SignedAt)
	in.text("contacted_at", a.ContactedAt)
	in.text("replied_at", a.RepliedAt)
	in.text("due", a.Due)
	in.text("due_text", a.DueText)
	in.text("light", a.Light)
	in.int("extensions", int64(a.Extensions))
	in.int("returns", int64(a.Returns))
	in.text("owner_platform", a.OwnerPlatform)
	in.bool("mine", a.Mine)
	in.text("reply", a.Reply)
}

func (c *ClockOut) members(in *members) {
	in.text("kind", c.Kind)
	in.text("label", c.Label)
	in.id("assignment", c.Assignment)
	in.text("unit", c.Unit)
	in.text("started_at", c.StartedAt)
	in.text("due", c.Due)
	in.text("due_text", c.DueText)
	in.text("light", c.Light)
	in.int("stage", int64(c.Stage))
	in.text("state", c.State)
	in.text("basis", c.Basis)
}

func offerMembers(f *ticket.Offer, in *members) {
	in.text("name", f.Name)
	in.text("label", f.Label)
	if f.Assignment != 0 {
		in.id("assignment", ID(f.Assignment))
	}
	in.some("unit_name", f.Unit)
	in.bool("primary", f.Primary)
	in.bool("danger", f.Danger)
	in.some("help", f.Help)
	each(in, "fields", f.Fields, fieldMembers)
}

func fieldMembers(f *ticket.OfferField, in *members) {
	in.text("name", f.Name)
	in.text("label", f.Label)
	in.text("type", f.Type)
	in.bool("required", f.Required)
	if len(f.Options) > 0 {
		each(in, "options", f.Options, func(v *ticket.OfferValue, in *members) {
			in.text("value", v.Value)
			in.text("label", v.Label)
			in.some("hint", v.Hint)
		})
	}
	switch v := f.Default.(type) {
	case nil:
	case string:
		in.text("default", v)
	default:
		in.other("default", v)
	}
	in.some("hint", f.Hint)
	if f.Min != 0 {
		in.int("min", int64(f.Min))
	}
	if f.Max != 0 {
		in.int("max", int64(f.Max))
	}
	if s := f.ShowIf; s != nil {
		x := in.open("show_if")
		x.text("field", s.Field)
		x.texts("values", s.Values)
		in.close(x)
	}
}

func (o *members) bool(name string, v bool) { o.name(name); o.b = strconv.AppendBool(o.b, v) }

// some writes a text that is left out when it is empty.
func (o *members) some(name, s string) {
	if s != "" {
		o.text(name, s)
	}
}

// open begins an object that close ends; nothing else is written in between.
func (o *members) open(name string) members { o.name(name); return members{b: o.b} }
func (o *members) close(in members)         { o.b = append(in.b, '}') }

// unit writes a unit by its names.
func (o *members) unit(name string, u *UnitRef) {
	if u == nil {
		o.other(name, nil)
		return
	}
	in := o.open(name)
	in.id("id", u.ID)
	in.some("code", u.Code)
	in.text("name", u.Name)
	in.some("kind", u.Kind)
	o.close(in)
}

func (o *members) suggestion(name string, s *SuggestionOut) {
	if s == nil {
		o.other(name, nil)
		return
	}
	in := o.open(name)
	in.id("unit", s.Unit)
	in.text("unit_name", s.UnitName)
	in.name("confidence")
	in.b = strconv.AppendFloat(in.b, s.Confidence, 'f', -1, 64)
	in.text("level", s.Level)
	in.text("why", s.Why)
	in.text("basis", s.Basis)
	o.close(in)
}

// each writes a list of objects.
func each[T any](o *members, name string, list []T, one func(*T, *members)) {
	if list == nil {
		o.other(name, nil)
		return
	}
	o.name(name)
	o.b = append(o.b, '[')
	for i := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		in := members{b: o.b}
		one(&list[i], &in)
		o.b = append(in.b, '}')
	}
	o.b = append(o.b, ']')
}

// rare writes a list that is mostly empty.
func rare[T any](o *members, name string, list []T) {
	if list != nil && len(list) == 0 {
		o.name(name)
		o.b = append(o.b, '[', ']')
		return
	}
	o.other(name, list)
}

// other leaves a value to encoding/json.
func (o *members) other(name string, v any) {
	o.name(name)
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types always marshal
	}
	o.b = append(o.b, raw...)
}
