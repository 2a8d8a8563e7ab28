// Package policy keeps every rule of the platform as versioned data with an
// effective date: time limits, categories, the dispatch catalogue, the rule
// table, the calendar, masks, account policy, notices.
//
// One mechanism serves them all. A room registers its kind with an embedded
// default, a validator and a diff; the province publishes versions for all, a
// platform may publish its own, which may tighten and never loosen; what is in
// force at a moment is answered from memory. A published version is never
// changed or removed, so a decision of last month replays the same today.
//
// The package never interprets a document. It is called by every room that
// has limits to keep, and by the face that edits them.
package policy
