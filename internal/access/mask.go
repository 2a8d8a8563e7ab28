package access

// Personal fields of a ticket, as MaskOf and the screens name them.
const (
	FieldPhone   = "phone"
	FieldName    = "name"
	FieldID      = "id"      // identity number
	FieldAddress = "address" // of the person; the place of the matter is content
	FieldContent = "content" // 诉求内容
)

// MaskOf says how much of a field the role sees of a ticket of the label, at
// rest. Personal fields follow the matrix. The content is at least the redacted
// rendition (Masked) for everyone cleared for the label, unless the table says
// otherwise. A label outside the clearance shows nothing.
func MaskOf(role Role, label Label, field string) Mask {
	return maskIn(GrantOf(role), GrantOf(role).Masks, label, field)
}

// MaskInCall is MaskOf while the citizen is on the line with this seat, or has
// proved the query code.
func MaskInCall(role Role, label Label, field string) Mask {
	g := GrantOf(role)
	if g.InCall == nil {
		return MaskOf(role, label, field)
	}
	if m := g.InCall[label]; m == Clear {
		return Clear // at intake the label may be one the role loses afterwards
	}
	return max(MaskOf(role, label, field), maskIn(g, g.InCall, label, field))
}

func maskIn(g Grant, masks map[Label]Mask, label Label, field string) Mask {
	if !g.Cleared(label) {
		return Absent
	}
	if m, ok := g.Fields[label][field]; ok {
		return m
	}
	if field == FieldContent {
		return max(masks[label], Masked)
	}
	return masks[label]
}

// RevealMask is the most that the reveal path may show the role of a field
// after a stated reason; sealed records of informants need a second person,
// which the reveal path asks for.
func RevealMask(role Role, label Label) Mask {
	g := GrantOf(role)
	switch {
	case label == Normal && g.May(Reveal):
		return Clear
	case label == Informant && g.May(Sealed):
		return Clear
	}
	return MaskOf(role, label, FieldPhone)
}
