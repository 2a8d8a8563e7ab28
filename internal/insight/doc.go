// Package insight reads requests: which category a text belongs to, whether it
// speaks of danger, of a secret or of a matter with a statutory channel, and
// which earlier tickets resemble it; and it counts for a list how many open
// tickets are about the same matter at the same place.
//
// Everything here is a suggestion with its reason; a person or a rule of
// another room decides. It sees redacted text only. It is called by intake,
// dispatch and the desk.
package insight
